// SPDX-License-Identifier: GPL-2.0
/*
 * The oracle beside a heap under test; see heap_oracle.h.
 */
#include <stdlib.h>

#include "heap_oracle.h"

struct oracle_block *oracle_block_of(struct lsabuf_heap_node *node)
{
	return (void *)((char *)node - offsetof(struct oracle_block, node));
}

const char *oracle_give(struct oracle *oracle)
{
	struct oracle_block *block = malloc(sizeof(*block));

	if (!block)
		return "out of memory";
	block->newer = NULL;
	block->older = oracle->newest;
	if (block->older)
		block->older->newer = block;
	oracle->newest = block;
	lsabuf_heap_give(oracle->heap, &block->node);
	oracle->nodes++;
	return NULL;
}

static void block_destroy(struct oracle *oracle, struct oracle_block *block)
{
	if (block->older)
		block->older->newer = block->newer;
	if (block->newer)
		block->newer->older = block->older;
	else
		oracle->newest = block->older;
	free(block);
	oracle->nodes--;
}

const char *oracle_take(struct oracle *oracle)
{
	bool hungry = lsabuf_heap_hungry(oracle->heap);
	struct lsabuf_heap_node *node = lsabuf_heap_take(oracle->heap);

	if (hungry != !node)
		return "hungry heap and spare node disagree";
	if (!node)
		return NULL;
	block_destroy(oracle, oracle_block_of(node));
	return NULL;
}

const char *oracle_init(struct oracle *oracle, u32 granules, u32 seed)
{
	oracle->heap = malloc(lsabuf_heap_bytes(granules));
	oracle->map = calloc((size_t)granules + 1, sizeof(*oracle->map));
	oracle->live = calloc((size_t)granules + 1, sizeof(*oracle->live));
	oracle->newest = NULL;
	oracle->count = 0;
	oracle->used = 0;
	oracle->nodes = 0;
	oracle->refused = 0;
	if (!oracle->heap || !oracle->map || !oracle->live) {
		free(oracle->heap);
		free(oracle->map);
		free(oracle->live);
		return "out of memory";
	}
	lsabuf_heap_init(oracle->heap, granules);
	oracle->heap->seed = seed;
	return oracle_give(oracle);
}

/* The longest run of granules that nobody owns. */
static u32 longest_run(const struct oracle *oracle)
{
	u32 longest = 0;
	u32 granule;
	u32 run = 0;

	for (granule = 0; granule < oracle->heap->granules; granule++) {
		run = oracle->map[granule] ? 0 : run + 1;
		if (run > longest)
			longest = run;
	}
	return longest;
}

static const char *refused(struct oracle *oracle, u32 size, bool hungry)
{
	u32 longest;

	oracle->refused++;
	if (!size || hungry)
		return NULL;
	longest = longest_run(oracle);
	if (longest < size)
		return NULL;
	if (oracle->heap->granules <= ORACLE_EXACT_GRANULES)
		return "alloc failed although a range fits";
	if (longest - size >= size / 4)
		return "alloc failed although a larger class has a range";
	return NULL;
}

const char *oracle_alloc(struct oracle *oracle, u32 size)
{
	bool hungry = lsabuf_heap_hungry(oracle->heap);
	bool hopeless = size > lsabuf_heap_largest(oracle->heap);
	struct lsabuf_heap_node *node = lsabuf_heap_alloc(oracle->heap, size);
	struct oracle_block *block;
	u32 granule;

	if (!node)
		return refused(oracle, size, hungry);
	if (hopeless)
		return "more was found than the largest range has";
	if (node->size != size || !node->used)
		return "alloc gave another size";
	if (node->start >= oracle->heap->granules ||
	    size > oracle->heap->granules - node->start)
		return "alloc gave a range outside the heap";

	block = oracle_block_of(node);
	block->start = node->start;
	block->size = size;
	block->place = oracle->count;
	for (granule = node->start; granule < node->start + size; granule++) {
		if (oracle->map[granule])
			return "alloc gave a range in use";
		oracle->map[granule] = block;
	}
	oracle->live[oracle->count++] = block;
	oracle->used += size;
	return NULL;
}

const char *oracle_free(struct oracle *oracle, u32 place)
{
	struct oracle_block *block = oracle->live[place];
	u32 granule;

	if (block->node.start != block->start ||
	    block->node.size != block->size)
		return "a used node was changed";
	for (granule = block->start; granule < block->start + block->size;
	     granule++) {
		if (oracle->map[granule] != block)
			return "the map itself is wrong";
		oracle->map[granule] = NULL;
	}
	oracle->live[place] = oracle->live[--oracle->count];
	oracle->live[place]->place = place;
	oracle->used -= block->size;
	lsabuf_heap_free(oracle->heap, &block->node);
	return NULL;
}

const char *oracle_find(const struct oracle *oracle, u32 granule)
{
	struct lsabuf_heap_node *node = lsabuf_heap_find(oracle->heap, granule);
	struct oracle_block *owner = NULL;

	if (granule < oracle->heap->granules)
		owner = oracle->map[granule];
	if (node != (owner ? &owner->node : NULL))
		return "find gave another block";
	return NULL;
}

static const char *verify_order(const struct oracle *oracle)
{
	struct lsabuf_heap_node *node;
	u32 count = 0;
	u32 from = 0;

	for (node = lsabuf_heap_first(oracle->heap); node;
	     node = lsabuf_heap_next(node)) {
		if (node->start < from)
			return "iteration is out of order";
		if (oracle->map[node->start] != oracle_block_of(node))
			return "iteration gave another block";
		from = node->start + node->size;
		count++;
	}
	return count != oracle->count ? "iteration missed a block" : NULL;
}

const char *oracle_verify(const struct oracle *oracle)
{
	const struct lsabuf_heap *heap = oracle->heap;
	const char *wrong = lsabuf_heap_check(heap);
	const struct lsabuf_heap_node *node;
	u32 longest = longest_run(oracle);
	u32 largest = lsabuf_heap_largest(heap);
	u32 nodes = heap->spares;

	if (wrong)
		return wrong;
	if (heap->live != oracle->count || heap->used != oracle->used)
		return "figures differ";
	if (largest < longest || largest - longest > longest / 4 ||
	    largest > heap->granules - heap->used)
		return "largest free range is out of its bounds";
	for (node = heap->lowest; node; node = node->next)
		nodes++;
	if (nodes != oracle->nodes)
		return "a node is lost";
	return verify_order(oracle);
}

static const char *release_nodes(struct oracle *oracle)
{
	struct lsabuf_heap_node *node;
	const char *wrong = NULL;

	node = lsabuf_heap_fini(oracle->heap);
	if (node) {
		if (node->size != oracle->heap->granules || node->next)
			wrong = "the free range does not span the heap";
		block_destroy(oracle, oracle_block_of(node));
	}
	while (oracle->nodes && !wrong) {
		if (lsabuf_heap_hungry(oracle->heap))
			wrong = "a node is lost at the end";
		else
			wrong = oracle_take(oracle);
	}
	return wrong;
}

const char *oracle_fini(struct oracle *oracle, const char *wrong)
{
	if (!wrong)
		wrong = oracle_verify(oracle);
	while (!wrong && oracle->count)
		wrong = oracle_free(oracle, oracle->count - 1);
	if (!wrong)
		wrong = oracle_verify(oracle);
	if (!wrong)
		wrong = release_nodes(oracle);
	while (oracle->newest)
		block_destroy(oracle, oracle->newest);
	free(oracle->heap);
	free(oracle->map);
	free(oracle->live);
	return wrong;
}
