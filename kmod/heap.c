// SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later
/*
 * Out-of-band range allocator: two-level segregated fit over granules.
 *
 * The nodes of a heap, used and free, form a list in address order without
 * gaps, so that a freed range finds its neighbours in constant time.  Free
 * ranges are listed by class of size, eight classes to each power of two, and
 * a few words of bits tell which classes have any.  Used ranges are found by
 * address through a tree whose shape is random: a zip tree (Tarjan, Levy and
 * Timmel, 2018) with ranks wide enough never to be equal, so that a hostile
 * order of calls cannot make it deep.
 *
 * An allocation is cut from the low end of a free range and the node of the
 * range stays where it is; a release grows the neighbour instead of replacing
 * it.  So the common pair of alloc and free touches no list unless the free
 * range changes its class.
 *
 * See heap.h for the contract.
 */
#include "heap.h"

/* Entries tried in a class whose ranges may be a little too small: first ... */
#define TRY_FEW 4
/* ... and once no larger class has anything.  Bounds the time under a lock. */
#define TRY_MANY 128

/* Classes to a level, 1 << LSABUF_HEAP_CLASS_SHIFT. */
#define CLASSES 4U

#define DEFAULT_SEED 0x6c736162U

/*
 * Classes are numbered through: the level (power of two) in the upper bits, the
 * place within it in the lower ones.  Sizes of up to two levels are their own
 * class, above it a class is a quarter of its power of two wide.  A power of
 * two is the last of its class, so that a whole heap, which mostly has such a
 * size, stays in it when a small range is cut off.
 */
static u32 class_shift(u32 last)
{
	return lsabuf_heap_high_bit(last | CLASSES) - LSABUF_HEAP_CLASS_SHIFT;
}

static u32 class_of(u32 size)
{
	u32 last = size - 1;
	u32 shift = class_shift(last);

	return (shift << LSABUF_HEAP_CLASS_SHIFT) + (last >> shift);
}

/* Largest size in the class, less one: the size itself may be 2^32. */
static u32 class_last(u32 cls)
{
	u32 level = cls >> LSABUF_HEAP_CLASS_SHIFT;
	u32 shift = level ? level - 1 : 0;

	/* The last class of all ends at 2^32: the shift wraps to 0, rightly. */
	return ((cls + 1 - (shift << LSABUF_HEAP_CLASS_SHIFT)) << shift) - 1;
}

size_t lsabuf_heap_bytes(u32 granules)
{
	struct lsabuf_heap *heap;

	return sizeof(*heap) + (class_of(granules) + 1) * sizeof(heap->free[0]);
}

/* splitmix32: cheap, and no state comes twice in 2^32 calls. */
static u32 next_rank(struct lsabuf_heap *heap)
{
	u32 hash = heap->seed += 0x9e3779b9U;

	hash = (hash ^ (hash >> 16)) * 0x21f0aaadU;
	hash = (hash ^ (hash >> 15)) * 0x735a2d97U;
	return hash ^ (hash >> 15);
}

/* Free lists */

static unsigned long class_bit(u32 cls)
{
	return 1UL << (cls % LSABUF_HEAP_WORD_BITS);
}

static void list_free(struct lsabuf_heap *heap, struct lsabuf_heap_node *node,
		      u32 cls)
{
	struct lsabuf_heap_node *first = heap->free[cls];

	node->link[0] = NULL;
	node->link[1] = first;
	heap->free[cls] = node;
	if (first) {
		first->link[0] = node;
		return;
	}
	heap->classes[cls / LSABUF_HEAP_WORD_BITS] |= class_bit(cls);
}

static void unlist_free(struct lsabuf_heap *heap, struct lsabuf_heap_node *node,
			u32 cls)
{
	struct lsabuf_heap_node *before = node->link[0];
	struct lsabuf_heap_node *after = node->link[1];

	if (after)
		after->link[0] = before;
	if (before) {
		before->link[1] = after;
		return;
	}
	heap->free[cls] = after;
	if (!after)
		heap->classes[cls / LSABUF_HEAP_WORD_BITS] &= ~class_bit(cls);
}

static void reclass_free(struct lsabuf_heap *heap,
			 struct lsabuf_heap_node *node, u32 size)
{
	unlist_free(heap, node, class_of(node->size));
	node->size = size;
	list_free(heap, node, class_of(size));
}

static inline void resize_free(struct lsabuf_heap *heap,
			       struct lsabuf_heap_node *node, u32 size)
{
	u32 last = node->size - 1;

	/* Equal upper bits are the same class. */
	if ((last ^ (size - 1)) >> class_shift(last))
		reclass_free(heap, node, size);
	else
		node->size = size;
}

/* Index of used nodes */

static void index_insert(struct lsabuf_heap *heap,
			 struct lsabuf_heap_node *node)
{
	struct lsabuf_heap_node **below = &node->link[0];
	struct lsabuf_heap_node **above = &node->link[1];
	struct lsabuf_heap_node **at = &heap->root;
	struct lsabuf_heap_node *child = *at;
	u32 start = node->start;
	u32 rank = node->rank;

	while (child && child->rank >= rank) {
		if (child->start < start)
			at = &child->link[1];
		else
			at = &child->link[0];
		child = *at;
	}
	*at = node;

	/* Unzip what hung there into the nodes below and above the new one. */
	while (child) {
		if (child->start < start) {
			*below = child;
			below = &child->link[1];
			child = *below;
		} else {
			*above = child;
			above = &child->link[0];
			child = *above;
		}
	}
	*below = NULL;
	*above = NULL;
}

static void index_remove(struct lsabuf_heap *heap,
			 struct lsabuf_heap_node *node)
{
	struct lsabuf_heap_node *below = node->link[0];
	struct lsabuf_heap_node *above = node->link[1];
	struct lsabuf_heap_node **at = &heap->root;
	struct lsabuf_heap_node *child = *at;
	u32 start = node->start;

	while (child != node) {
		if (child->start < start)
			at = &child->link[1];
		else
			at = &child->link[0];
		child = *at;
	}

	while (below && above) {
		if (below->rank >= above->rank) {
			*at = below;
			at = &below->link[1];
			below = *at;
		} else {
			*at = above;
			at = &above->link[0];
			above = *at;
		}
	}
	*at = below ? below : above;
}

struct lsabuf_heap_node *lsabuf_heap_find(const struct lsabuf_heap *heap,
					  u32 granule)
{
	struct lsabuf_heap_node *node = heap->root;
	struct lsabuf_heap_node *below = NULL;

	/* Branches are fewer instructions here than arithmetic. */
	while (node) {
		if (node->start <= granule) {
			below = node;
			node = node->link[1];
		} else {
			node = node->link[0];
		}
	}
	return below && granule - below->start < below->size ? below : NULL;
}

/* Nodes */

static void push_spare(struct lsabuf_heap *heap, struct lsabuf_heap_node *node)
{
	node->used = false;
	node->link[1] = heap->spare;
	heap->spare = node;
	heap->spares++;
}

struct lsabuf_heap_node *lsabuf_heap_take(struct lsabuf_heap *heap)
{
	struct lsabuf_heap_node *node = heap->spare;

	if (!node)
		return NULL;
	heap->spare = node->link[1];
	heap->spares--;
	return node;
}

void lsabuf_heap_give(struct lsabuf_heap *heap, struct lsabuf_heap_node *node)
{
	node->rank = next_rank(heap);
	if (heap->lowest || !heap->granules) {
		push_spare(heap, node);
		return;
	}
	node->start = 0;
	node->size = heap->granules;
	node->prev = NULL;
	node->next = NULL;
	node->used = false;
	heap->lowest = node;
	list_free(heap, node, class_of(node->size));
}

void lsabuf_heap_init(struct lsabuf_heap *heap, u32 granules)
{
	u32 cls;
	u32 word;

	heap->granules = granules;
	heap->used = 0;
	heap->live = 0;
	heap->spares = 0;
	heap->seed = DEFAULT_SEED;
	heap->lowest = NULL;
	heap->root = NULL;
	heap->spare = NULL;
	for (word = 0; word < LSABUF_HEAP_WORDS; word++)
		heap->classes[word] = 0;
	for (cls = 0; cls <= class_of(granules); cls++)
		heap->free[cls] = NULL;
}

struct lsabuf_heap_node *lsabuf_heap_fini(struct lsabuf_heap *heap)
{
	struct lsabuf_heap_node *node = heap->lowest;

	if (!node || heap->live)
		return NULL;
	unlist_free(heap, node, class_of(node->size));
	heap->lowest = NULL;
	return node;
}

/* A range of the class itself that is large enough, among its first @tries. */
static struct lsabuf_heap_node *search_class(struct lsabuf_heap *heap, u32 cls,
					     u32 size, u32 tries)
{
	struct lsabuf_heap_node *node = heap->free[cls];

	while (node && node->size < size)
		node = --tries ? node->link[1] : NULL;
	return node;
}

/* A range of the next class above that has any: all of them are larger. */
static struct lsabuf_heap_node *search_above(struct lsabuf_heap *heap, u32 cls)
{
	u32 word = cls / LSABUF_HEAP_WORD_BITS;
	unsigned long bits = heap->classes[word] & -(class_bit(cls) << 1);

	while (!bits) {
		if (++word == LSABUF_HEAP_WORDS)
			return NULL;
		bits = heap->classes[word];
	}
	return heap->free[word * LSABUF_HEAP_WORD_BITS +
			  lsabuf_heap_low_bit(bits)];
}

static struct lsabuf_heap_node *search(struct lsabuf_heap *heap, u32 size)
{
	u32 cls = class_of(size);
	struct lsabuf_heap_node *node;

	node = search_class(heap, cls, size, TRY_FEW);
	if (!node)
		node = search_above(heap, cls);
	if (!node)
		node = search_class(heap, cls, size, TRY_MANY);
	return node;
}

/* Cut @size granules off the low end of a larger free range. */
static struct lsabuf_heap_node *split(struct lsabuf_heap *heap,
				      struct lsabuf_heap_node *range, u32 size)
{
	struct lsabuf_heap_node *node = lsabuf_heap_take(heap);

	if (!node)
		return NULL;
	node->start = range->start;
	node->size = size;
	node->prev = range->prev;
	node->next = range;
	if (node->prev)
		node->prev->next = node;
	else
		heap->lowest = node;
	range->prev = node;
	range->start += size;
	resize_free(heap, range, range->size - size);
	return node;
}

struct lsabuf_heap_node *lsabuf_heap_alloc(struct lsabuf_heap *heap, u32 size)
{
	struct lsabuf_heap_node *node;

	/* Sizes above the heap's have no class here. */
	if (!size || size > heap->granules)
		return NULL;
	node = search(heap, size);
	if (!node)
		return NULL;

	if (node->size == size)
		unlist_free(heap, node, class_of(size));
	else
		node = split(heap, node, size);
	if (!node)
		return NULL;

	node->used = true;
	index_insert(heap, node);
	heap->used += size;
	heap->live++;
	return node;
}

/* Take a node out of the address order; its range is a neighbour's now. */
static void absorb(struct lsabuf_heap *heap, struct lsabuf_heap_node *node)
{
	if (node->prev)
		node->prev->next = node->next;
	else
		heap->lowest = node->next;
	if (node->next)
		node->next->prev = node->prev;
	push_spare(heap, node);
}

void lsabuf_heap_free(struct lsabuf_heap *heap, struct lsabuf_heap_node *node)
{
	struct lsabuf_heap_node *prev = node->prev;
	struct lsabuf_heap_node *next = node->next;
	u32 size = node->size;

	index_remove(heap, node);
	heap->used -= size;
	heap->live--;
	node->used = false;

	if (next && next->used)
		next = NULL;
	if (prev && !prev->used) {
		size += prev->size;
		absorb(heap, node);
		if (next) {
			size += next->size;
			unlist_free(heap, next, class_of(next->size));
			absorb(heap, next);
		}
		resize_free(heap, prev, size);
	} else if (next) {
		next->start = node->start;
		absorb(heap, node);
		resize_free(heap, next, size + next->size);
	} else {
		list_free(heap, node, class_of(size));
	}
}

u32 lsabuf_heap_largest(const struct lsabuf_heap *heap)
{
	u32 available = heap->granules - heap->used;
	u32 word = LSABUF_HEAP_WORDS;
	u32 last;

	do {
		if (!word--)
			return 0;
	} while (!heap->classes[word]);
	last = class_last(word * LSABUF_HEAP_WORD_BITS +
			  lsabuf_heap_high_bit(heap->classes[word]));
	return last < available ? last + 1 : available;
}

#ifdef LSABUF_HEAP_CHECK
static const char *check_ranges(const struct lsabuf_heap *heap, u32 *free)
{
	const struct lsabuf_heap_node *prev = NULL;
	const struct lsabuf_heap_node *node;
	u32 next = 0;
	u32 used = 0;
	u32 live = 0;

	for (node = heap->lowest; node; prev = node, node = node->next) {
		if (node->prev != prev)
			return "address order: back link";
		if (node->start != next || !node->size)
			return "address order: gap or overlap";
		if (prev && !prev->used && !node->used)
			return "two free ranges are neighbours";
		next += node->size;
		live += node->used;
		used += node->used ? node->size : 0;
		*free += !node->used;
	}
	if (next != (heap->lowest ? heap->granules : 0))
		return "address order: end";
	if (live != heap->live || used != heap->used)
		return "figures of used nodes";
	return NULL;
}

static const char *check_lists(const struct lsabuf_heap *heap, u32 free)
{
	const struct lsabuf_heap_node *node;
	const struct lsabuf_heap_node *prev;
	u32 cls;
	bool bit;

	for (cls = 0; cls <= class_of(heap->granules); cls++) {
		bit = heap->classes[cls / LSABUF_HEAP_WORD_BITS] &
		      class_bit(cls);
		if (bit != !!heap->free[cls])
			return "bit of a class";
		prev = NULL;
		for (node = heap->free[cls]; node; node = node->link[1]) {
			if (node->used || class_of(node->size) != cls)
				return "range in a wrong free list";
			if (node->link[0] != prev)
				return "free list: back link";
			prev = node;
			if (!free--)
				return "free lists: more than there are";
		}
	}
	return free ? "free lists: one is missing" : NULL;
}

static const char *check_spares(const struct lsabuf_heap *heap)
{
	const struct lsabuf_heap_node *node;
	u32 spares = 0;

	for (node = heap->spare; node; node = node->link[1]) {
		if (node->used || spares++ == heap->spares)
			return "list of spares";
	}
	return spares != heap->spares ? "figure of spares" : NULL;
}

static const char *check_index(const struct lsabuf_heap *heap)
{
	const struct lsabuf_heap_node *child;
	const struct lsabuf_heap_node *node;
	u32 seen = heap->root ? 1 : 0;
	u32 above;
	u32 side;

	for (node = lsabuf_heap_first(heap); node;
	     node = lsabuf_heap_next(node)) {
		if (lsabuf_heap_find(heap, node->start) != node)
			return "index: used node not found";
		for (side = 0; side < 2; side++) {
			child = node->link[side];
			if (!child)
				continue;
			seen++;
			if (!child->used || child->rank > node->rank)
				return "index: child";
			above = child->start > node->start;
			if (above != side)
				return "index: child on the wrong side";
		}
	}
	return seen != heap->live ? "index: number of nodes" : NULL;
}

const char *lsabuf_heap_check(const struct lsabuf_heap *heap)
{
	const char *wrong;
	u32 free = 0;

	wrong = check_ranges(heap, &free);
	if (!wrong)
		wrong = check_lists(heap, free);
	if (!wrong)
		wrong = check_spares(heap);
	if (!wrong)
		wrong = check_index(heap);
	return wrong;
}
#endif /* LSABUF_HEAP_CHECK */
