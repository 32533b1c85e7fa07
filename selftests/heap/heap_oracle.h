/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A naive range allocator's memory beside a heap under test: one pointer per
 * granule.  Every operation is done on the heap and compared with the map; the
 * first difference is returned as text.
 */
#ifndef HEAP_ORACLE_H
#define HEAP_ORACLE_H

#include <stddef.h>

#include "heap.h"

/*
 * Up to this size no class of free ranges can have so many entries that the
 * heap's bounded search misses one that fits: success is exactly predictable.
 */
#define ORACLE_EXACT_GRANULES 2048

/**
 * struct oracle_block - a block as the heap's callers embed its node
 * @place: index in the oracle's array of live blocks
 * @start: where the oracle saw it handed out
 * @size: what was asked for
 * @older: made before this one
 * @newer: made after this one
 * @node: the heap's part, not at offset 0 on purpose
 */
struct oracle_block {
	u32 place;
	u32 start;
	u32 size;
	struct oracle_block *older;
	struct oracle_block *newer;
	struct lsabuf_heap_node node;
};

/**
 * struct oracle - a heap under test and what is known of it
 * @heap: the heap
 * @map: per granule, the live block that owns it
 * @live: the live blocks in no order
 * @newest: every block made and not taken back, so that none leaks even if the
 *	heap lost it
 * @count: live blocks
 * @used: granules in live blocks
 * @nodes: nodes the heap holds: given and not taken back
 * @refused: allocations that found no room, rightly
 */
struct oracle {
	struct lsabuf_heap *heap;
	struct oracle_block **map;
	struct oracle_block **live;
	struct oracle_block *newest;
	u32 count;
	u32 used;
	u32 nodes;
	unsigned long refused;
};

/* All of these return NULL, or what differs; memory is the only other error. */
const char *oracle_init(struct oracle *oracle, u32 granules, u32 seed);
const char *oracle_alloc(struct oracle *oracle, u32 size);
const char *oracle_free(struct oracle *oracle, u32 place);
const char *oracle_find(const struct oracle *oracle, u32 granule);
const char *oracle_give(struct oracle *oracle);
const char *oracle_take(struct oracle *oracle);
/* Compare everything, invariants of the heap included. */
const char *oracle_verify(const struct oracle *oracle);
/*
 * Free every block and see that one range and every node is left, unless
 * something was @wrong before.  Frees the memory in any case.
 */
const char *oracle_fini(struct oracle *oracle, const char *wrong);

/* The block around a node. */
struct oracle_block *oracle_block_of(struct lsabuf_heap_node *node);

#endif /* HEAP_ORACLE_H */
