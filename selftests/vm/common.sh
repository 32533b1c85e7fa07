# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# What the scripts of this directory share; POSIX sh, because some of them run
# before anything is installed.  Sourced with the script's own $0.

VM=$(cd "$(dirname "$0")" && pwd)
TOP=$(cd "$VM/../.." && pwd)
# Kernels and kernel sources, of no single tree; everything else in OUT.
# shellcheck disable=SC2034 # used by the scripts that source this
CACHE=${LSABUF_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/lsabuf}
# shellcheck disable=SC2034
OUT=${LSABUF_OUT:-$TOP/selftests/vm/out}

say()
{
	echo "lsabuf: $*" >&2
}

die()
{
	say "$*"
	exit 1
}

# newest PATTERN...: the last of the existing paths in version order
newest()
{
	# shellcheck disable=SC2012 # names of Debian's packages, nothing odd
	ls -d "$@" 2>/dev/null | sort -V | tail -n 1
}

# fetched FILE COMMAND...: run COMMAND to make the directory FILE, once
fetched()
{
	[ -e "$1" ] && return
	fetched_dir=$1
	shift
	mkdir -p "$(dirname "$fetched_dir")"
	fetched_tmp=$(mktemp -d "$fetched_dir.XXXXXX")
	if "$@" "$fetched_tmp"; then
		# Another run may have been faster: its copy is as good.
		mv -T "$fetched_tmp" "$fetched_dir" 2>/dev/null ||
			rm -rf "$fetched_tmp"
	else
		rm -rf "$fetched_tmp"
		return 1
	fi
}
