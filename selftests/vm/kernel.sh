# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# Where a kernel of Debian stands: use_kernel sets KREL (its release), KHEADERS
# (what to build modules with), KIMAGE and KMODULES (what to boot and load).
# An image is only ever unpacked, so that no boot loader hears of it.

# headers_of VERSION FLAVOUR: the newest installed headers
headers_of()
{
	newest /usr/src/linux-headers-"$1".*[0-9]-"$2"
}

# image_root RELEASE: the root below which its image and modules are
image_root()
{
	for image_root in "" "$CACHE/kernel/$1"; do
		[ -e "$image_root/boot/vmlinuz-$1" ] &&
			[ -e "$image_root/lib/modules/$1/modules.dep" ] &&
			echo "$image_root/" && return
	done
	return 1
}

# use_kernel VERSION FLAVOUR
use_kernel()
{
	case $1 in
	6.1) ;;
	*)	use_foreign_kernel "$1"; return ;;
	esac
	KHEADERS=$(headers_of "$1" "$2")
	[ -n "$KHEADERS" ] || die "no headers of $1-$2; run $VM/deps kernel"
	KREL=${KHEADERS#/usr/src/linux-headers-}
	kroot=$(image_root "$KREL") || kroot=
	KIMAGE=${kroot:+${kroot}boot/vmlinuz-$KREL}
	KMODULES=${kroot:+${kroot}lib/modules/$KREL}
}

# use_foreign_kernel VERSION: one of another suite, unpacked by ./fetch-kernel
# shellcheck disable=SC2034 # used by the scripts that source this
use_foreign_kernel()
{
	kroot=$("$VM/fetch-kernel" "$1") || exit
	KHEADERS=$(newest "$kroot"/usr/src/linux-headers-*"-cloud-amd64")
	KREL=${KHEADERS##*/linux-headers-}
	KCC=$(newest "$kroot/bin/cc")
	KIMAGE=$(newest "$kroot/boot/vmlinuz-$KREL" \
		"$kroot/usr/lib/modules/$KREL/vmlinuz")
	KMODULES=$(newest "$kroot/lib/modules/$KREL" \
		"$kroot/usr/lib/modules/$KREL")
}
