#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Check one configuration of a model with spin, every state of it.
#
# usage: run.sh safety|live|mutant|live-mutant NAME -DSETTING...
#        run.sh begin, run.sh end: of the checks that are to be summed up
#
# safety: assertions; live: each claim of LIVENESS under weak fairness. The
# mutants are the same, and succeed if a violation is found. A search that was
# cut short, by its depth or by memory, counts as a failure, not as a success.
# Environment: MODEL file, OUT build folder, MEMORY limit in MiB.

set -u

total=${OUT:-build}/total
case $1 in
begin)
	mkdir -p "${total%/*}"
	: >"$total"
	exit
	;;
end)
	awk '{ states += $1 }
	END { printf "%d checks: %d states explored, 0 violations\n", NR, states }' \
		"$total"
	exit
	;;
esac

kind=$1
name=$2
shift 2
model=$(cd "$(dirname "$0")" && pwd)/${MODEL:-request.pml}
memory=${MEMORY:-6000}
dir=${OUT:-build}/$name

die() {
	echo "model: $name: $*" >&2
	exit 1
}

build() {
	mkdir -p "$dir" || die "no folder $dir"
	cd "$dir" || die "no folder $dir"
	rm -f -- *.trail pan log*
	spin -a "$@" "$model" >log.spin 2>&1 || {
		cat log.spin >&2
		die "spin failed"
	}
	# The monitor and fairness look at everything: no reduction is sound
	gcc -O2 -w -DNOREDUCE -DCOLLAPSE -DMEMLIM="$memory" $options \
		-o pan pan.c || die "the compiler failed"
}

# search LOG ARGUMENT...: sets $states and $errors
search() {
	log=$1
	shift
	./pan "$@" >"$log" 2>&1 || true
	states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$log")
	errors=$(sed -n 's/.*errors: \([0-9]*\)$/\1/p' "$log")
	if [ -z "$states" ] || [ -z "$errors" ]; then
		tail -n 5 "$log" >&2
		die "no result"
	fi
}

# The first lines tell what was violated; log.trail shows the way to it
report() {
	label=$1
	shift
	echo "$label: states explored: $states, violations: $errors"
	if [ "$errors" != 0 ]; then
		grep '^pan:1' "$log" | cut -c 1-200 >&2
		spin -t -p "$@" "$model" >log.trail 2>&1
		die "see $dir/log.trail"
	fi
	if grep -q -e 'too small' -e 'out of memory' -e 'memory limit' \
		-e 'Search not completed' -e 'hash table is full' "$log"; then
		die "the search was cut short, see $dir/$log"
	fi
	[ ! -e "$total" ] || echo "$states" >>"$total"
}

case $kind in
safety)
	options=-DSAFETY
	build "$@"
	search log -m5000000 -w25
	report "$name" "$@"
	;;
live)
	options="-DNFAIR=4"
	set -- -DLIVENESS -DWITH_WAKEUPS -DWITH_LOOPS "$@"
	build "$@"
	for claim in caller_leaves attacher_leaves chore_ends; do
		search "log.$claim" -a -f -m5000000 -w24 -N "$claim"
		report "$name, $claim" "$@"
	done
	;;
mutant)
	options=-DSAFETY
	build "$@"
	search log -m5000000 -w22
	[ "$errors" != 0 ] || die "the violation was not found"
	echo "$name: found after $states states"
	;;
live-mutant)
	options="-DNFAIR=4"
	set -- -DLIVENESS -DWITH_WAKEUPS -DWITH_LOOPS "$@"
	build "$@"
	search log -a -f -m5000000 -w22 -N chore_ends
	[ "$errors" != 0 ] || die "the violation was not found"
	echo "$name: found after $states states"
	;;
*)
	die "unknown kind $kind"
	;;
esac
