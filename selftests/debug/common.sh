# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# What the scripts here share; sourced with the script's own $0. KERNEL= is the
# kernel to build and boot, TESTS= the programs to run, if not all, or SKIP= those
# to leave out.

# shellcheck source=selftests/vm/common.sh
. "${0%/*}/../vm/common.sh"
DEBUG=$VM
VM=$TOP/selftests/vm
KERNEL=${KERNEL:-6.1}
WORK=$OUT/debug
LINES=$WORK/lines
BEGIN=$(date +%s)
export KERNEL VM

# Memory is not zeroed for us, and what was freed is poison: what the module
# forgets to clear shows.
BOOT_LINE="slub_debug=FZPU,lsabuf* page_owner=on page_poison=1 init_on_alloc=0 \
init_on_free=0 page_table_check=on kasan.fault=report nokaslr loglevel=4 \
watchdog_thresh=60 sysctl.vm.unprivileged_userfaultfd=1"

# begin KIND: build that kernel; without its source, say so and end
begin()
{
	status=0
	mkdir -p "$WORK"
	: >"$LINES"
	kernel=$("$DEBUG/build-kernel" "$1" "$KERNEL") || status=$?
	if [ "$status" = 3 ]; then
		echo "not-run $1-$KERNEL (no source of it)" >>"$LINES"
		end
	fi
	[ "$status" = 0 ] || exit "$status"
}

# stage PROGRAM...: what the guest needs, with these tests of this directory
stage()
{
	"$VM/stage" "$WORK/stage"
	for name; do
		cp -a "$DEBUG/$name" "$WORK/stage/selftests"
		echo "lsabuf:$name" >>"$WORK/stage/kselftest-list.txt"
	done
	# Each program takes longer here than it does elsewhere.
	echo timeout=1200 >"$WORK/stage/selftests/settings"
}

# The 32-bit programs take nearly the same ways through the module, and twice
# the time: BITS=32 runs them instead of the others.
all_programs()
{
	names=$(cut -d: -f2 "$WORK/stage/kselftest-list.txt")
	if [ "${BITS:-64}" = 32 ]; then
		echo "$names" | grep '_32$'
	else
		echo "$names" | grep -v '_32$'
	fi | grep -vxF "$(echo "${SKIP:-}" | tr ' ' '\n')" | tr '\n' ' '
}

# boot GUEST WORDS OPTION...: source the script GUEST of this directory in the
# guest, with WORDS added to the kernel's; its word is in $WORK/results
boot()
{
	guest=$1
	words=$2
	shift 2
	: >"$WORK/results"
	"$VM/run" --kernel "$kernel/arch/x86/boot/bzImage" --modules none \
		--mem 1G --add "$VM/check.guest=normal.guest" \
		--add "$DEBUG/left.guest" --append "$BOOT_LINE $words" \
		--results "$WORK/results" "$@" "$DEBUG/$guest"
}

# boot_tests CELL GUEST KO WORDS [PARTS]: the tests, TESTS of them or all, and
# what GUEST adds to them
boot_tests()
{
	programs=${TESTS:-$(all_programs)}
	died=0
	say "booting the debug kernel $KERNEL in QEMU for: $programs"
	boot "$2" "$4" --ko "$3" --add "$WORK/stage=." \
		--set "TESTS=$programs" \
		--set "LSABUF_SCALE=${LSABUF_SCALE:-1}" \
		--set MODULE_PARAMETERS=chore_budget_ms=2000 \
		--timeout "${TIMEOUT:-3600}" || died=$?
	for name in $programs module ${5:-end}; do
		grep "^not-run $name: " "$WORK/results" || :
		grep "^result $name " "$WORK/results" ||
			echo "result $name 0 1 0 -"
	done | sed "s/^result /&$1:/" >>"$LINES"
	[ "$died" = 0 ] || echo "result $1:guest 0 1 0 -" >>"$LINES"
}

end()
{
	exec "$VM/summary" "$LINES" "$BEGIN"
}
