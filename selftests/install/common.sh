# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# What the scripts of this directory share: TAP, a copy of the sources, and the
# headers of the kernel that is booted elsewhere, too.

INSTALL=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/vm/common.sh
. "$INSTALL/../vm/common.sh"
VM=$TOP/selftests/vm

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Nothing may ever point these at the machine itself
readonly work
tests=0
failed=0

# check NAME COMMAND...: one test; what it printed is shown when it fails
check()
{
	title=$1
	shift
	tests=$((tests + 1))
	if "$@" >"$work/log" 2>&1; then
		echo "ok $tests $title"
	else
		sed 's/^/# /' "$work/log"
		echo "not ok $tests $title"
		failed=$((failed + 1))
	fi
}

# headers: of the kernel that is booted elsewhere, too; in a shell of its own,
# for it has variables of any name
headers()
(
	# shellcheck source=selftests/vm/kernel.sh
	. "$VM/kernel.sh"
	use_kernel 6.1 cloud-amd64 && echo "$KHEADERS"
)

# A copy of the sources, so that the tree keeps what was built in it
copy_tree()
{
	(cd "$TOP" && { git ls-files --cached --others --exclude-standard \
		2>/dev/null || find . -type f; } | while read -r file; do
		[ ! -f "$file" ] || echo "$file"
	done | cpio -pdm --quiet "$work/tree")
}
