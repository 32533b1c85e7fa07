#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Break one mechanism of heap.c at a time in a copy and see that heap_test
# fails.  A break that no longer applies is an error too.
#
# Arguments: the directory of heap.c, a scratch directory.

set -eu
heap=$1
scratch=$2
here=$(dirname "$(readlink -f "$0")")
count=0
failed=0

# bite NAME SED_SCRIPT
bite()
{
	count=$((count + 1))
	cp "$heap/heap.h" "$heap/heap.c" "$scratch/"
	sed -i -E "$2" "$scratch/heap.c"
	if cmp -s "$heap/heap.c" "$scratch/heap.c"; then
		echo "not ok $count $1: the break does not apply"
		failed=1
		return
	fi
	# -w: what the break leaves unused is no matter.
	if ! ${CC:-cc} -O1 -g -w -std=gnu11 -DLSABUF_HEAP_CHECK \
		-fsanitize=address,undefined -fno-sanitize-recover=all \
		-I"$scratch" -I"$here" -o "$scratch/heap_test" \
		"$here/heap_test.c" "$here/heap_oracle.c" "$scratch/heap.c"; then
		echo "not ok $count $1: the broken heap does not compile"
		failed=1
		return
	fi
	ret=0
	timeout 60 "$scratch/heap_test" 100000 > "$scratch/log" 2>&1 || ret=$?
	if [ "$ret" -eq 0 ]; then
		echo "not ok $count $1: no test noticed"
		failed=1
		return
	fi
	noticed=$(sed -n 's/^not ok [0-9]* //p' "$scratch/log" | tr '\n' ' ')
	tail -n 1 "$scratch/log" | grep -q 'ok [0-9]* random' ||
		noticed="${noticed}died"
	echo "ok $count $1: exit $ret, failed: $noticed"
}

mkdir -p "$scratch"
echo "TAP version 13"
bite "no merge with the range below" 's/if \(prev && !prev->used\)/if (0)/'
bite "no merge with the range above" 's/if \(next && next->used\)/if (1)/'
bite "freed node stays in the index" 's/^\tindex_remove\(heap, node\);//'
bite "split gives the block one granule too much" \
	's/^\tnode->size = size;\r?$/\tnode->size = size + 1;/'
bite "split leaves the rest too large" \
	's/resize_free\(heap, range, range->size - size\)/resize_free(heap, range, range->size)/'
bite "class keeps its bit when it empties" 's/&= ~class_bit\(cls\);/\&= ~0UL;/'
bite "no look into the request's own class" 's/node->size < size\)/1)/'
bite "no long look into the own class" 's/TRY_MANY 128/TRY_MANY 1/'
bite "any entry of the own class is taken" 's/node->size < size\)/0)/'
bite "index ignores ranks" 's/child->rank >= rank/child/'
bite "unzip drops a subtree" 's/^\t\t\t\*above = child;//'
bite "merged nodes are lost" 's/^\tpush_spare\(heap, node\);//'
bite "find forgets the end of a block" \
	's/granule - below->start < below->size/1/'
bite "largest range is understated" 's/<< shift\) - 1;/<< shift) - 2;/'
echo "1..$count"
exit $failed
