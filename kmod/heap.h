/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later */
/*
 * Out-of-band range allocator.
 *
 * A heap hands out ranges [start, start + size) of granules and never looks at
 * the memory behind them: everything it knows is in struct lsabuf_heap and in
 * one struct lsabuf_heap_node per range, which the caller embeds in its own
 * block and gives to the heap.  The heap itself never allocates, sleeps or
 * locks; the caller serialises every call on one heap (in the kernel with the
 * arena's spinlock) and owns the memory of the heap and of its nodes.
 *
 * The file is shared: the module compiles it for its arenas, user space for
 * the heaps of shared sections and for the tests and the fuzzer.
 *
 * A node is in one of three states:
 *
 *   used   handed out by lsabuf_heap_alloc(), in the index tree
 *   free   a free range, in a free list; no two free ranges are neighbours
 *   spare  no range, waits for a split to need it
 *
 * Life of a heap:
 *
 *	heap = alloc(lsabuf_heap_bytes(granules));
 *	lsabuf_heap_init(heap, granules);
 *	lsabuf_heap_give(heap, node);		first node: the free range
 *
 *	if (lsabuf_heap_hungry(heap))		before each allocation
 *		lsabuf_heap_give(heap, node);
 *	node = lsabuf_heap_alloc(heap, size);
 *	lsabuf_heap_free(heap, node);		the node is the heap's again
 *
 *	for each used node: lsabuf_heap_free()
 *	while ((node = lsabuf_heap_take(heap)))
 *		release(node);
 *	release(lsabuf_heap_fini(heap));
 */
#ifndef LSABUF_HEAP_H
#define LSABUF_HEAP_H

#ifdef __KERNEL__
#include <linux/bitops.h>
#include <linux/stddef.h>
#include <linux/types.h>
#define lsabuf_heap_low_bit(word) ((u32)__ffs(word))
#define lsabuf_heap_high_bit(word) ((u32)__fls(word))
#else
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
typedef __u32 u32;
#define lsabuf_heap_low_bit(word) ((u32)__builtin_ctzl(word))
#define lsabuf_heap_high_bit(word) \
	(8 * (u32)sizeof(long) - 1 - (u32)__builtin_clzl(word))
#endif

/* One granule is 16 bytes: the alignment of every block. */
#define LSABUF_HEAP_GRANULE_SHIFT 4
#define LSABUF_HEAP_GRANULE 16U

/* Each power of two is cut into this many classes of free ranges. */
#define LSABUF_HEAP_CLASS_SHIFT 2
#define LSABUF_HEAP_CLASSES \
	((32 - LSABUF_HEAP_CLASS_SHIFT + 1) << LSABUF_HEAP_CLASS_SHIFT)
#define LSABUF_HEAP_WORD_BITS (8 * sizeof(unsigned long))
#define LSABUF_HEAP_WORDS                                    \
	((LSABUF_HEAP_CLASSES + LSABUF_HEAP_WORD_BITS - 1) / \
	 LSABUF_HEAP_WORD_BITS)

/**
 * struct lsabuf_heap_node - one range of a heap, embedded in the caller's block
 * @start: first granule of the range
 * @size: number of granules, never 0 while used or free
 * @link: used: left and right child in the index tree; free: previous and next
 *	in the free list; spare: the second is the next spare
 * @prev: neighbour below in address order, NULL at the bottom of the heap
 * @next: neighbour above in address order, NULL at the top of the heap
 * @rank: place in the index tree: no child has a higher one than its parent.
 *	Drawn when the node is given, it stays with the node
 * @used: whether the range is handed out
 *
 * The caller may read @start and @size of a used node and must not write any
 * field.  What the index walk reads comes first, to share a cache line.
 */
struct lsabuf_heap_node {
	u32 start;
	u32 size;
	struct lsabuf_heap_node *link[2];
	struct lsabuf_heap_node *prev;
	struct lsabuf_heap_node *next;
	u32 rank;
	bool used;
};

/**
 * struct lsabuf_heap - a heap; guarded as a whole by the caller's lock
 * @granules: size of the heap (set at init, then constant)
 * @used: granules handed out
 * @live: used nodes
 * @spares: spare nodes
 * @seed: state of the rank generator.  The caller may set it after init and
 *	before the first node is given; it should be random where a hostile
 *	process chooses the order of calls, and is a constant by default so
 *	that tests repeat
 * @classes: bit per class: that class has a free range
 * @lowest: node at granule 0, NULL until the first node is given
 * @root: index tree of the used nodes, by @start
 * @spare: stack of spare nodes
 * @free: free lists, one per class, most recently freed first
 */
struct lsabuf_heap {
	u32 granules;
	u32 used;
	u32 live;
	u32 spares;
	u32 seed;
	unsigned long classes[LSABUF_HEAP_WORDS];
	struct lsabuf_heap_node *lowest;
	struct lsabuf_heap_node *root;
	struct lsabuf_heap_node *spare;
	struct lsabuf_heap_node *free[];
};

/**
 * lsabuf_heap_granules() - granules needed for a number of bytes
 * @bytes: length in bytes, any value
 *
 * Return: @bytes in granules, rounded up; the highest u32, which is more than
 * any heap in use has, where that would not fit.
 */
static inline u32 lsabuf_heap_granules(size_t bytes)
{
	size_t granules = (bytes >> LSABUF_HEAP_GRANULE_SHIFT) +
			  !!(bytes & (LSABUF_HEAP_GRANULE - 1));

	return granules < ~0U ? granules : ~0U;
}

/**
 * lsabuf_heap_bytes() - bytes that struct lsabuf_heap takes
 * @granules: size of the heap to be made
 *
 * About 1 KiB for a heap of 256 KiB, 1.7 KiB for one of 1 GiB.
 *
 * Return: the number of bytes to allocate, pointer-aligned.
 */
size_t lsabuf_heap_bytes(u32 granules);

/**
 * lsabuf_heap_init() - make an empty heap without any node
 * @heap: lsabuf_heap_bytes(@granules) bytes of any content
 * @granules: size of the heap, any value
 *
 * The heap can hand out nothing until the first node is given: that one
 * becomes the free range that spans the heap.
 */
void lsabuf_heap_init(struct lsabuf_heap *heap, u32 granules);

/**
 * lsabuf_heap_fini() - take the node of the free range that spans the heap
 * @heap: heap without used nodes
 *
 * The counterpart of the first lsabuf_heap_give().  The heap is as after
 * lsabuf_heap_init() except for its spares.
 *
 * Return: the node, now the caller's; NULL while a node is used, or if there
 * is none.
 */
struct lsabuf_heap_node *lsabuf_heap_fini(struct lsabuf_heap *heap);

/**
 * lsabuf_heap_give() - give the heap a node to use
 * @heap: the heap
 * @node: node of any content, the heap's until lsabuf_heap_alloc(),
 *	lsabuf_heap_take() or lsabuf_heap_fini() returns it
 */
void lsabuf_heap_give(struct lsabuf_heap *heap, struct lsabuf_heap_node *node);

/**
 * lsabuf_heap_take() - take a spare node back
 * @heap: the heap
 *
 * Return: a spare node, now the caller's, or NULL if there is none.
 */
struct lsabuf_heap_node *lsabuf_heap_take(struct lsabuf_heap *heap);

/**
 * lsabuf_heap_alloc() - hand out a range
 * @heap: the heap
 * @size: granules
 *
 * Exactly @size granules, in constant time but for the index.  A free range
 * that fits is always found if it is at least one class (12.5 %) larger than
 * @size; within the class of @size a bounded number of ranges is tried.  The
 * search needs at most one spare node: see lsabuf_heap_hungry().
 *
 * Return: the used node, which is *any* of the nodes given and holds nothing
 * of its container's former content that the caller may rely on; NULL if
 * @size is 0, nothing fits, or a split is needed and there is no spare.
 */
struct lsabuf_heap_node *lsabuf_heap_alloc(struct lsabuf_heap *heap, u32 size);

/**
 * lsabuf_heap_free() - give a range back
 * @heap: the heap
 * @node: used node of this heap; it is the heap's from now on, so whatever
 *	the containing block owns has to be released before
 *
 * Merges with free neighbours at once.
 */
void lsabuf_heap_free(struct lsabuf_heap *heap, struct lsabuf_heap_node *node);

/**
 * lsabuf_heap_find() - find the used node around a granule
 * @heap: the heap
 * @granule: any number
 *
 * Expected logarithmic in the number of used nodes.
 *
 * Return: the used node whose range contains @granule, or NULL.
 */
struct lsabuf_heap_node *lsabuf_heap_find(const struct lsabuf_heap *heap,
					  u32 granule);

/**
 * lsabuf_heap_largest() - upper bound of the largest free range
 * @heap: the heap
 *
 * Return: granules; a larger request fails for certain.  Never more than a
 * quarter, nor more than the heap's free granules, above the true figure.
 */
u32 lsabuf_heap_largest(const struct lsabuf_heap *heap);

/**
 * lsabuf_heap_hungry() - tell whether an allocation may lack a node
 * @heap: the heap, which has been given its first node
 *
 * Return: true if there is no spare, so that lsabuf_heap_alloc() can succeed
 * only where it need not split.
 */
static inline bool lsabuf_heap_hungry(const struct lsabuf_heap *heap)
{
	return !heap->spare;
}

/**
 * lsabuf_heap_next() - next used node in address order
 * @node: used node
 *
 * To free while iterating, fetch the next one first: freeing @node changes no
 * other used node.
 *
 * Return: the node, or NULL after the last one.
 */
static inline struct lsabuf_heap_node *
lsabuf_heap_next(const struct lsabuf_heap_node *node)
{
	struct lsabuf_heap_node *next = node->next;

	/* No two free ranges are neighbours: one step over is enough. */
	return next && !next->used ? next->next : next;
}

/**
 * lsabuf_heap_first() - used node with the lowest address
 * @heap: the heap
 *
 * Return: the node, or NULL if none is used.
 */
static inline struct lsabuf_heap_node *
lsabuf_heap_first(const struct lsabuf_heap *heap)
{
	struct lsabuf_heap_node *lowest = heap->lowest;

	return lowest && !lowest->used ? lowest->next : lowest;
}

#ifdef LSABUF_HEAP_CHECK
/**
 * lsabuf_heap_check() - verify every invariant of a heap, for tests
 * @heap: the heap
 *
 * Takes n log n time.
 *
 * Return: NULL, or what is wrong.
 */
const char *lsabuf_heap_check(const struct lsabuf_heap *heap);
#endif

#endif /* LSABUF_HEAP_H */
