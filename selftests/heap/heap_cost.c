// SPDX-License-Identifier: GPL-2.0
/*
 * Work for an instruction counter: LOOPS times a pair of alloc and free of 256
 * bytes, or LOOPS finds, on a heap with so many live blocks.
 *
 * Usage: heap_cost live-blocks granules exchanges.  The exchanges replace
 * random blocks by blocks of other sizes first, so that the heap is in pieces.
 * The functions measured_pair() and measured_find() are the ones to count; this
 * file is compiled without inlining, to keep them apart.
 */
#include <stdio.h>
#include <stdlib.h>

#include "heap.h"

#define LOOPS 10000

static void measured_pair(struct lsabuf_heap *heap)
{
	u32 i;

	for (i = 0; i < LOOPS; i++)
		lsabuf_heap_free(heap, lsabuf_heap_alloc(heap, 16));
}

static void measured_find(struct lsabuf_heap *heap, const u32 *targets)
{
	u32 i;

	for (i = 0; i < LOOPS; i++)
		lsabuf_heap_find(heap, targets[i]);
}

static struct lsabuf_heap_node *alloc(struct lsabuf_heap *heap, u32 size)
{
	struct lsabuf_heap_node *node;

	if (lsabuf_heap_hungry(heap)) {
		node = malloc(sizeof(*node));
		if (!node)
			exit(1);
		lsabuf_heap_give(heap, node);
	}
	node = lsabuf_heap_alloc(heap, size);
	if (!node)
		exit(1);
	return node;
}

int main(int argc, char **argv)
{
	u32 live = argc == 4 ? atoi(argv[1]) : 0;
	u32 granules = argc == 4 ? atoi(argv[2]) : 0;
	u32 exchanges = argc == 4 ? atoi(argv[3]) : 0;
	struct lsabuf_heap_node **nodes = calloc(live + 1, sizeof(*nodes));
	struct lsabuf_heap *heap = malloc(lsabuf_heap_bytes(granules));
	static u32 targets[LOOPS];
	u32 i;

	if (!granules || !live || !nodes || !heap) {
		fprintf(stderr, "usage: heap_cost live granules exchanges\n");
		return 2;
	}
	srandom(1);
	lsabuf_heap_init(heap, granules);
	lsabuf_heap_give(heap, malloc(sizeof(**nodes)));
	for (i = 0; i < live; i++)
		nodes[i] = alloc(heap, 16);
	for (; exchanges; exchanges--) {
		i = random() % live;
		lsabuf_heap_free(heap, nodes[i]);
		nodes[i] = alloc(heap, 1 + random() % 64);
	}
	for (i = 0; i < LOOPS; i++)
		targets[i] = nodes[random() % live]->start;

	/* The last spare must not be taken out of the measured loop. */
	lsabuf_heap_free(heap, alloc(heap, 16));
	measured_pair(heap);
	measured_find(heap, targets);
	return 0;
}
