#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Instructions per operation, the loop around it included; see heap_cost.c.
#
# Argument: the program built from that file.

set -eu

# measure TITLE FUNCTION ARGUMENTS...
measure()
{
	title=$1
	function=$2
	shift 2
	valgrind --tool=callgrind --callgrind-out-file=/dev/null \
		--collect-atstart=no --toggle-collect="$function*" "$@" 2>&1 |
		awk -v title="$title" '/Collected/ {
			printf "%s: %.0f instructions\n", title, $4 / 10000
		}'
}

for function in measured_pair measured_find; do
	name=${function#measured_}
	measure "$name, 1 block" "$function" "$1" 1 16384 0
	measure "$name, 10 blocks" "$function" "$1" 10 16384 0
	measure "$name, 10 blocks in pieces" "$function" "$1" 10 16384 1000
	measure "$name, 100,000 blocks" "$function" "$1" 100000 67108864 0
	measure "$name, 100,000 blocks in pieces" "$function" "$1" \
		100000 67108864 300000
done
