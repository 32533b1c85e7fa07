# SPDX-License-Identifier: GPL-2.0
#
# Installing into roots of its own: files; dkms, as root; a Debian with systemd.

check-install:
	@$(VM)/deps build kernel
	@selftests/install/check

check-dkms:
	@$(VM)/deps build kernel dkms
	@selftests/install/dkms

check-systemd:
	@$(VM)/deps build kernel vm systemd
	@selftests/install/systemd

.PHONY: check-install check-dkms check-systemd
