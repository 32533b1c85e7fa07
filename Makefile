# SPDX-License-Identifier: GPL-2.0
#
# Every target by its name: "make help".  The module alone is built by the
# kernel's own build, which reads Kbuild instead of this file.

# The kernel to build for: the running one; without its headers, the newest of
# Debian's cloud kernels, which "make check" boots.
KREL_DIR := /lib/modules/$(shell uname -r)/build
KDIR ?= $(or $(wildcard $(KREL_DIR)/),$(shell \
	ls -d /usr/src/linux-headers-*-cloud-amd64 2>/dev/null | \
	sort -V | tail -n 1))
KREL = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h)
VM := selftests/vm
DESTDIR ?=

all: modules userlib selftests

ifneq ($(KERNEL),)
# Another of the supported kernels, fetched and unpacked outside the system.
modules:
	@$(VM)/deps build kernel
	$(VM)/build-module $(KERNEL)
else
modules: kdir
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules
endif

kdir:
ifeq ($(KDIR),)
	@echo "No kernel headers: install linux-headers-$$(uname -r) or" \
		"linux-headers-cloud-amd64, or give KDIR=." >&2; exit 2
else ifeq ($(wildcard $(KREL_DIR)/),)
	@echo "Building for the kernel of $(KDIR)" \
		"($(KREL_DIR) is not there; KDIR= for another)"
endif

modules_install: modules
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install \
		$(if $(wildcard $(KDIR)/certs/signing_key.pem),,CONFIG_MODULE_SIG_ALL=) \
		$(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR) DEPMOD=true)

userlib:
	$(MAKE) -C userlib

selftests: userlib
	$(MAKE) -C selftests
	$(MAKE) -C selftests/bench

install: modules_install userlib
	$(MAKE) -C userlib install

# What dkms builds the module from, on every kernel that comes
VERSION := $(shell cat userlib/VERSION)
DKMS_DIR = $(DESTDIR)/usr/src/lsabuf-$(VERSION)
DKMS_SOURCES := COPYING Kbuild dkms.conf userlib/VERSION kmod/Kbuild \
	$(wildcard kmod/*.[ch]) $(wildcard uapi/linux/*.h)

dkms-install:
	for file in $(filter-out %.mod.c,$(DKMS_SOURCES)); do \
		install -D -m 644 $$file $(DKMS_DIR)/$$file || exit; \
	done
	$(if $(DESTDIR),,dkms install lsabuf/$(VERSION))

dkms-uninstall:
	$(if $(DESTDIR),,dkms remove lsabuf/$(VERSION) --all)
	rm -rf $(DKMS_DIR)

uninstall:
	$(MAKE) -C userlib uninstall
	rm -f $(foreach dir,extra updates, \
		$(DESTDIR)/lib/modules/$(KREL)/$(dir)/kmod/lsabuf.ko*)
	rmdir $(foreach dir,extra updates,$(wildcard \
		$(DESTDIR)/lib/modules/$(KREL)/$(dir)/kmod)) 2>/dev/null || :
	$(if $(DESTDIR),,depmod $(KREL))

clean:
	$(if $(KDIR),$(MAKE) -C $(KDIR) M=$(CURDIR) clean)
	$(MAKE) -C userlib clean
	for dir in selftests $(dir $(wildcard selftests/*/Makefile)); do \
		$(MAKE) -C $$dir clean || exit; \
	done
	rm -rf $(VM)/out

# These install what they lack (DEPS=0: they only name it).

demo:
	@$(VM)/deps build $(if $(HOST),host,kernel vm)
	@$(MAKE) --no-print-directory userlib
	@$(VM)/demo $(if $(HOST),--host)

check:
	@$(VM)/deps build kernel test vm
	@$(MAKE) --no-print-directory selftests
	@$(VM)/check

# A thousand clients, and buffers of all of them, take some memory.
soak: export LSABUF_SCALE ?= 100
soak: export MEM ?= 4G
soak: check

bench:
	@$(VM)/deps build kernel vm bench
	@$(MAKE) --no-print-directory userlib
	@$(MAKE) --no-print-directory -C selftests/bench
	@$(VM)/bench

profile:
	@$(VM)/deps build kernel vm bench
	@$(MAKE) --no-print-directory -C selftests/bench
	@$(VM)/profile

lint:
	@$(VM)/deps build kernel test lint headers
	@selftests/lint/lint

deps:
	@$(VM)/deps build kernel test vm bench lint headers debug coverage

help:
	@echo 'Build (nothing is installed, no root needed):'
	@echo '  all              module, library, tools and tests (the default)'
	@echo '  modules          kmod/lsabuf.ko for KDIR=$(or $(KDIR),(no headers found))'
	@echo '                   KERNEL=6.12|7.2: for that kernel of Debian instead'
	@echo '  userlib          library, host, packages and tools'
	@echo '  selftests        the test programs (KSRC=tree: that kernel'"'"'s kselftest)'
	@echo '  clean            remove what was built'
	@echo 'Install (DESTDIR= for a staging directory):'
	@echo '  install          module, library, host, tools, unit, man pages'
	@echo '  dkms-install     the module by way of dkms, for every kernel to come'
	@echo '  modules_install  the module alone'
	@echo '  uninstall        take them away again'
	@echo 'Run (in QEMU; missing Debian packages are installed, DEPS=0 forbids):'
	@echo '  demo             a client finds an answer in its own memory'
	@echo '                   HOST=1: on the running kernel, as root'
	@echo '  check            the selftests (TESTS="abi calls": only these)'
	@echo '  soak             the same with LSABUF_SCALE=100, for hours; TESTS= as above'
	@echo '  bench            instructions per operation, beside its peers'
	@echo '                   EVENTS=1: what trace events cost while they are off'
	@echo '                   KVM=1, HOST=1: nanoseconds; STORE=1: compare with these'
	@echo '                   REPEAT=4: boot so often; ratios have to repeat to 1 %'
	@echo '  profile          where the instructions go, function by function'
	@echo '                   OPERATION="COPY to block 64 B": only this one'
	@echo '  lint             warnings, sparse, checkpatch, formatting, house rules'
	@echo '  mutants          remove one mechanism after another: some test must notice'
	@echo '                   MUTANTS="wipe grant": only these'
	@echo '  model            every state of the protocol of a call, by spin'
	@echo '  check-debug      the selftests and failure injection in a kernel with all'
	@echo '                   its debugging (built once, 10 minutes; KERNEL= as above)'
	@echo '                   BITS=32: the 32-bit programs instead of the others'
	@echo '  coverage         lines and branches of the module that the tests execute'
	@echo '  races            every two operations at once, in a kernel with KCSAN'
	@echo '  detectors        the debug kernels (KIND=kasan|kcsan) report what they should'
	@echo '  check-skew       library, module and programs of different ages'
	@echo '  check-install    install into a directory, use that, uninstall'
	@echo '  check-dkms       the same by way of dkms, as root'
	@echo '  check-systemd    install into a Debian, boot it with its systemd'
	@echo '  deps             install what these need, and no more'

# Longer runs of their own.
include $(sort $(wildcard selftests/*/*.mk))

.PHONY: all modules kdir modules_install userlib selftests install uninstall \
	dkms-install dkms-uninstall clean demo check soak bench profile lint deps \
	help
