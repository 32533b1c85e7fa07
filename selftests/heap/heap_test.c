// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the range allocator, in user space: every order of release of five
 * blocks, random operations against a map of granules, and the edges.
 *
 * Usage: heap_test [random operations [seed]].  TAP on stdout; exit 0 if all
 * went well, 1 if a test failed, 2 for a bad argument.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap_oracle.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define BLOCKS 5
#define SIZES 5
#define ORDERS 120
/* SIZES to the power of BLOCKS, every order of release, two heap sizes. */
#define EXHAUSTIVE_CASES (SIZES * SIZES * SIZES * SIZES * SIZES * ORDERS * 2)

/* In granules 1, 2, 256, 257, 512. */
static const u32 byte_sizes[SIZES] = { 1, 17, 4095, 4097, 8192 };

static unsigned long operations = 1000000;
static u32 seed = 1;

/* Where a test goes that failed; whatever it holds is in main()'s hands. */
static jmp_buf test_failed;

static void expect_at(bool met, int line, const char *text)
{
	if (met)
		return;
	printf("# line %d: %s\n", line, text);
	longjmp(test_failed, 1);
}

#define expect(condition) expect_at(condition, __LINE__, #condition)

static u32 next_random(u32 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Heaps without the oracle take their nodes from an array. */

struct plain {
	struct lsabuf_heap *heap;
	struct lsabuf_heap_node *nodes;
	u32 given;
};

static void plain_give(struct plain *plain)
{
	lsabuf_heap_give(plain->heap, &plain->nodes[plain->given++]);
}

static void plain_exit(struct plain *plain)
{
	free(plain->heap);
	free(plain->nodes);
	plain->heap = NULL;
	plain->nodes = NULL;
}

/* The runner of the tests does the last plain_exit(). */
static bool plain_init(struct plain *plain, u32 granules, u32 nodes)
{
	size_t bytes = lsabuf_heap_bytes(granules);

	plain_exit(plain);
	plain->heap = malloc(bytes);
	plain->nodes = malloc(nodes * sizeof(*plain->nodes));
	plain->given = 0;
	if (!plain->heap || !plain->nodes)
		return false;
	memset(plain->heap, 0xa5, bytes);
	memset(plain->nodes, 0xa5, nodes * sizeof(*plain->nodes));
	lsabuf_heap_init(plain->heap, granules);
	return true;
}

static struct lsabuf_heap_node *plain_alloc(struct plain *plain, u32 size)
{
	if (lsabuf_heap_hungry(plain->heap))
		plain_give(plain);
	return lsabuf_heap_alloc(plain->heap, size);
}

/* 1: exhaustive */

/* The order with that number, 0..119: each digit takes one of those left. */
static void order_of(u32 number, u32 *order)
{
	u32 left[BLOCKS] = { 0, 1, 2, 3, 4 };
	u32 count;
	u32 pick;
	u32 i;

	for (count = BLOCKS; count; count--) {
		pick = number % count;
		number /= count;
		*order++ = left[pick];
		for (i = pick; i + 1 < count; i++)
			left[i] = left[i + 1];
	}
}

/* Free ranges that blocks and tail leave when those in @gone are free. */
static u32 free_ranges(u32 gone, bool tail)
{
	bool before = false;
	u32 ranges = 0;
	bool now;
	u32 i;

	for (i = 0; i <= BLOCKS; i++) {
		now = i < BLOCKS ? gone >> i & 1 : tail;
		ranges += now && !before;
		before = now;
	}
	return ranges;
}

static u32 count_free(const struct lsabuf_heap *heap)
{
	const struct lsabuf_heap_node *node;
	u32 count = 0;

	for (node = heap->lowest; node; node = node->next)
		count += !node->used;
	return count;
}

static void release_in_order(struct lsabuf_heap *heap,
			     struct lsabuf_heap_node **blocks, const u32 *order,
			     bool tail)
{
	struct lsabuf_heap_node *found;
	u32 starts[BLOCKS];
	u32 sizes[BLOCKS];
	u32 gone = 0;
	u32 i;
	u32 k;

	for (k = 0; k < BLOCKS; k++) {
		starts[k] = blocks[k]->start;
		sizes[k] = blocks[k]->size;
	}
	for (i = 0; i < BLOCKS; i++) {
		lsabuf_heap_free(heap, blocks[order[i]]);
		gone |= 1U << order[i];
		expect(!lsabuf_heap_check(heap));
		expect(count_free(heap) == free_ranges(gone, tail));
		for (k = 0; k < BLOCKS; k++) {
			found = gone >> k & 1 ? NULL : blocks[k];
			expect(lsabuf_heap_find(heap, starts[k]) == found);
			expect(lsabuf_heap_find(heap, starts[k] + sizes[k] -
							      1) == found);
		}
	}
}

static void exhaustive_case(struct plain *plain, u32 combination, u32 number,
			    bool tail)
{
	struct lsabuf_heap_node *blocks[BLOCKS];
	u32 sizes[BLOCKS];
	u32 order[BLOCKS];
	u32 total = 0;
	u32 i;

	for (i = 0; i < BLOCKS; i++) {
		sizes[i] =
			lsabuf_heap_granules(byte_sizes[combination % SIZES]);
		combination /= SIZES;
		total += sizes[i];
	}
	order_of(number, order);
	lsabuf_heap_init(plain->heap, total + (tail ? 100 : 0));
	plain->given = 0;
	plain_give(plain);

	for (i = 0, total = 0; i < BLOCKS; total += sizes[i++]) {
		blocks[i] = plain_alloc(plain, sizes[i]);
		expect(blocks[i] && blocks[i]->size == sizes[i]);
		expect(blocks[i]->start == total);
	}
	expect(lsabuf_heap_largest(plain->heap) >= (tail ? 100 : 0));
	expect(tail || !lsabuf_heap_alloc(plain->heap, 1));

	release_in_order(plain->heap, blocks, order, tail);
	expect(plain->heap->spares == plain->given - 1);
	expect(lsabuf_heap_alloc(plain->heap, plain->heap->granules));
}

static void test_exhaustive(struct plain *plain)
{
	u32 cases = 0;
	u32 combination;
	u32 order;

	expect(plain_init(plain, BLOCKS * 512 + 100, BLOCKS + 1));
	for (combination = 0; combination < EXHAUSTIVE_CASES / ORDERS / 2;
	     combination++) {
		for (order = 0; order < ORDERS; order++) {
			exhaustive_case(plain, combination, order, false);
			exhaustive_case(plain, combination, order, true);
			cases += 2;
		}
	}
	printf("# %u cases\n", cases);
	expect(cases == EXHAUSTIVE_CASES);
}

/* 2: random operations */

static u32 random_size(u32 *state, u32 granules)
{
	u32 dice = next_random(state);
	u32 value = next_random(state);

	/* The largest heap gets small blocks only: thousands of them. */
	if (granules > 32768)
		dice |= 8;
	switch (dice % 16) {
	case 0:
		/* Around pages, where a class ends. */
		return 256 * (1 + value % 4) - 1 + value / 4 % 3;
	case 1:
		return value % (granules + 2);
	case 2:
	case 3:
		return value % (granules / 8 + 1);
	case 4:
	case 5:
	case 6:
		return value % 256;
	default:
		return 1 + value % 24;
	}
}

static const char *random_step(struct oracle *oracle, u32 *state, bool filling)
{
	u32 granules = oracle->heap->granules;
	u32 dice = next_random(state) % 64;
	u32 value = next_random(state);

	if (dice < 16)
		return oracle_find(oracle, value % (granules + 8));
	if (dice == 16)
		return oracle_give(oracle);
	if (dice == 17)
		return oracle_take(oracle);
	if (dice < (filling ? 46 : 34)) {
		/* One in eight is left to find that it has no spare. */
		if (value % 8 && lsabuf_heap_hungry(oracle->heap))
			oracle_give(oracle);
		return oracle_alloc(oracle, random_size(state, granules));
	}
	if (oracle->count)
		return oracle_free(oracle, value % oracle->count);
	return NULL;
}

static const char *random_heap(u32 granules, unsigned long count)
{
	u32 state = (seed * 2654435761U + granules) | 1;
	const char *wrong;
	struct oracle oracle;
	unsigned long done;
	bool filling = true;
	u32 peak = 0;

	wrong = oracle_init(&oracle, granules, next_random(&state));
	if (wrong)
		return wrong;
	for (done = 0; done < count && !wrong; done++) {
		wrong = random_step(&oracle, &state, filling);
		if (oracle.count > peak)
			peak = oracle.count;
		if (done % 1024 || wrong)
			continue;
		wrong = oracle_verify(&oracle);
		filling = next_random(&state) & 1;
	}
	printf("# %u granules: %lu operations, %u blocks at most, %lu refused, differences: %s\n",
	       granules, done, peak, oracle.refused, wrong ? wrong : "0");
	return oracle_fini(&oracle, wrong);
}

static void test_random(struct plain *unused)
{
	static const u32 sizes[] = { ORACLE_EXACT_GRANULES, 16384, 1000, 65536,
				     7 };
	static const u32 percent[] = { 50, 30, 10, 5, 5 };
	u32 i;

	(void)unused;
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		expect(!random_heap(sizes[i], operations * percent[i] / 100));
}

/* 3: edges */

static void test_figures(struct plain *unused)
{
	static const u32 granules[][2] = {
		{ 0, 0 },      { 1, 1 },      { 16, 1 },     { 17, 2 },
		{ 4095, 256 }, { 4096, 256 }, { 4097, 257 }, { 8192, 512 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(granules); i++)
		expect(lsabuf_heap_granules(granules[i][0]) == granules[i][1]);
	(void)unused;
	expect(lsabuf_heap_granules((size_t)-1) == ~0U || sizeof(size_t) == 4);
	if (sizeof(size_t) > 4) {
		expect(lsabuf_heap_granules((size_t)0xfffffffffULL) == ~0U);
		expect(lsabuf_heap_granules((size_t)(1ULL << 40)) == ~0U);
	}
	expect(sizeof(struct lsabuf_heap_node) <= 48);
	expect(lsabuf_heap_bytes(16384) <= 1024);
	printf("# bytes: node %zu, heap of 256 KiB %zu, of 1 GiB %zu\n",
	       sizeof(struct lsabuf_heap_node), lsabuf_heap_bytes(16384),
	       lsabuf_heap_bytes(1U << 26));
}

static void full_heap(struct plain *plain, u32 granules)
{
	struct lsabuf_heap *heap = plain->heap;
	struct lsabuf_heap_node *node;

	expect(!lsabuf_heap_alloc(heap, 0));
	if (granules < ~0U)
		expect(!lsabuf_heap_alloc(heap, granules + 1));
	if (granules < ~0U)
		expect(!lsabuf_heap_alloc(heap, ~0U));
	expect(!lsabuf_heap_find(heap, 0));
	expect(!lsabuf_heap_first(heap));
	expect(lsabuf_heap_largest(heap) == granules);

	node = lsabuf_heap_alloc(heap, granules);
	expect(node && !node->start && node->size == granules);
	expect(!lsabuf_heap_check(heap));
	expect(heap->used == granules && heap->live == 1);
	expect(!lsabuf_heap_largest(heap) && !lsabuf_heap_alloc(heap, 1));
	expect(lsabuf_heap_find(heap, 0) == node);
	expect(lsabuf_heap_find(heap, granules - 1) == node);
	expect(!lsabuf_heap_find(heap, granules));
	expect(granules == ~0U || !lsabuf_heap_find(heap, ~0U));
	expect(lsabuf_heap_first(heap) == node && !lsabuf_heap_next(node));
	expect(!lsabuf_heap_fini(heap));

	lsabuf_heap_free(heap, node);
	expect(!lsabuf_heap_check(heap));
	expect(!heap->used && !heap->live);
	expect(lsabuf_heap_largest(heap) == granules);
	expect(!lsabuf_heap_find(heap, 0));
}

static void test_full(struct plain *plain)
{
	/* Around the ends of classes, levels and the type itself. */
	static const u32 sizes[] = {
		1,   2,	  7,	 8,	9,     15,	 16,	      17,  255,
		256, 257, 16383, 16384, 16385, 1U << 26, 0x80000000U, ~0U,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		expect(plain_init(plain, sizes[i], 1));
		expect(lsabuf_heap_hungry(plain->heap));
		expect(!lsabuf_heap_alloc(plain->heap, 1));
		expect(!lsabuf_heap_fini(plain->heap));
		plain_give(plain);
		full_heap(plain, sizes[i]);
		expect(lsabuf_heap_fini(plain->heap) == plain->nodes);
		expect(!lsabuf_heap_fini(plain->heap));
	}
}

static void test_empty(struct plain *plain)
{
	expect(plain_init(plain, 0, 1));
	plain_give(plain);
	expect(!lsabuf_heap_check(plain->heap));
	expect(!lsabuf_heap_alloc(plain->heap, 0));
	expect(!lsabuf_heap_alloc(plain->heap, 1));
	expect(!lsabuf_heap_find(plain->heap, 0));
	expect(!lsabuf_heap_largest(plain->heap));
	expect(!lsabuf_heap_fini(plain->heap));
	expect(lsabuf_heap_take(plain->heap) == plain->nodes);
	expect(!lsabuf_heap_take(plain->heap));
}

static void test_spares(struct plain *plain)
{
	struct lsabuf_heap_node *low;
	struct lsabuf_heap_node *high;

	expect(plain_init(plain, 100, 3));
	plain_give(plain);
	expect(lsabuf_heap_hungry(plain->heap));
	expect(!lsabuf_heap_alloc(plain->heap, 99));
	expect(!lsabuf_heap_check(plain->heap));

	plain_give(plain);
	expect(!lsabuf_heap_hungry(plain->heap) && plain->heap->spares == 1);
	low = lsabuf_heap_alloc(plain->heap, 60);
	expect(low && lsabuf_heap_hungry(plain->heap));
	/* What is left fits exactly: no node is needed. */
	expect(!lsabuf_heap_alloc(plain->heap, 39));
	high = lsabuf_heap_alloc(plain->heap, 40);
	expect(high && high->start == 60);
	expect(!lsabuf_heap_check(plain->heap));

	lsabuf_heap_free(plain->heap, low);
	expect(lsabuf_heap_hungry(plain->heap));
	expect(lsabuf_heap_find(plain->heap, 60) == high);
	expect(lsabuf_heap_find(plain->heap, 99) == high);
	expect(!lsabuf_heap_find(plain->heap, 59));
	expect(!lsabuf_heap_find(plain->heap, 100));
	lsabuf_heap_free(plain->heap, high);
	expect(plain->heap->spares == 1 && !plain->heap->lowest->next);
	expect(lsabuf_heap_take(plain->heap));
	expect(!lsabuf_heap_take(plain->heap));
	expect(lsabuf_heap_fini(plain->heap));
}

/* A free range of 1000 granules, of the class 897..1024. */
static void test_own_class(struct plain *plain)
{
	struct lsabuf_heap_node *node;

	expect(plain_init(plain, 1000, 2));
	plain_give(plain);
	expect(lsabuf_heap_largest(plain->heap) == 1000);
	node = plain_alloc(plain, 897);
	expect(node && node->size == 897);
	expect(!lsabuf_heap_check(plain->heap));
	lsabuf_heap_free(plain->heap, node);
	node = plain_alloc(plain, 1000);
	expect(node && node->size == 1000);
}

#define CROWD 1000

/*
 * However many ranges of the class are too small: one of a class above is found
 * and the most recent is taken first.
 */
static void test_crowded_class(struct plain *plain)
{
	struct lsabuf_heap_node *small[CROWD];
	struct lsabuf_heap_node *large;
	struct lsabuf_heap_node *node;
	u32 newest;
	u32 i;

	expect(plain_init(plain, 1U << 20, 3 * CROWD));
	plain_give(plain);
	large = plain_alloc(plain, 161);
	expect(large && plain_alloc(plain, 1));
	for (i = 0; i < CROWD; i++) {
		small[i] = plain_alloc(plain, 129);
		expect(small[i] && plain_alloc(plain, 1));
	}
	/* Nothing else is free any more. */
	expect(plain_alloc(plain, plain->heap->granules - plain->heap->used));
	lsabuf_heap_free(plain->heap, large);
	newest = small[CROWD - 1]->start;
	for (i = 0; i < CROWD; i++)
		lsabuf_heap_free(plain->heap, small[i]);
	expect(!lsabuf_heap_check(plain->heap));
	expect(!lsabuf_heap_alloc(plain->heap, 162));
	node = plain_alloc(plain, 128);
	expect(node && node->start == newest);
	node = plain_alloc(plain, 144);
	expect(node && node->start == 0);
	expect(!lsabuf_heap_check(plain->heap));
}

#define FEW 100

/* The only range that fits is behind many of its class, and none is larger. */
static void test_last_of_class(struct plain *plain)
{
	struct lsabuf_heap_node *small[FEW];
	struct lsabuf_heap_node *large;
	struct lsabuf_heap_node *node;
	u32 i;

	expect(plain_init(plain, 16384, 3 * FEW));
	plain_give(plain);
	large = plain_alloc(plain, 144);
	expect(large && plain_alloc(plain, 1));
	for (i = 0; i < FEW; i++) {
		small[i] = plain_alloc(plain, 129);
		expect(small[i] && plain_alloc(plain, 1));
	}
	expect(plain_alloc(plain, plain->heap->granules - plain->heap->used));
	lsabuf_heap_free(plain->heap, large);
	for (i = 0; i < FEW; i++)
		lsabuf_heap_free(plain->heap, small[i]);
	node = plain_alloc(plain, 144);
	expect(node && node->start == 0 && node->size == 144);
	expect(!lsabuf_heap_check(plain->heap));
}

static void test_coalesce(struct plain *plain)
{
	enum { PARTS = 512 };
	struct lsabuf_heap_node *nodes[PARTS];
	u32 odd;
	u32 i;

	expect(plain_init(plain, PARTS * 32, PARTS + 1));
	plain_give(plain);
	for (odd = 1; odd < PARTS; odd += 46) {
		for (i = 0; i < PARTS; i++) {
			nodes[i] = plain_alloc(plain, 32);
			expect(nodes[i] && nodes[i]->start == i * 32);
		}
		expect(!lsabuf_heap_alloc(plain->heap, 1));
		/* An odd step reaches each of a power of two once. */
		for (i = 0; i < PARTS; i++) {
			lsabuf_heap_free(plain->heap, nodes[i * odd % PARTS]);
			expect(!lsabuf_heap_check(plain->heap));
		}
		expect(!plain->heap->lowest->next);
		expect(plain->heap->spares == plain->given - 1);
	}
}

/* The block freed last is handed out again first: it is in the caches. */
static void test_warm(struct plain *plain)
{
	struct lsabuf_heap_node *node;
	u32 starts[64];
	u32 i;

	expect(plain_init(plain, 16384, 256));
	plain_give(plain);
	for (i = 0; i < 64; i++) {
		node = plain_alloc(plain, 16);
		expect(node && plain_alloc(plain, 1));
		starts[i] = node->start;
	}
	for (i = 0; i < 64; i += 2)
		lsabuf_heap_free(plain->heap,
				 lsabuf_heap_find(plain->heap, starts[i]));
	for (i = 64; i; i -= 2) {
		node = plain_alloc(plain, 16);
		expect(node && node->start == starts[i - 2]);
	}
}

static u32 depth_of(const struct lsabuf_heap *heap, u32 start)
{
	const struct lsabuf_heap_node *node = heap->root;
	u32 depth = 1;

	while (node->start != start) {
		node = node->link[node->start < start];
		depth++;
	}
	return depth;
}

#define MANY 100000

/* Ascending starts make the plain search tree a list; ours stays shallow. */
static void test_many(struct plain *plain)
{
	struct lsabuf_heap_node *node;
	unsigned long sum = 0;
	u32 deepest = 0;
	u32 depth;
	u32 i;

	expect(plain_init(plain, 1U << 26, MANY + 2));
	plain_give(plain);
	for (i = 0; i < MANY; i++) {
		node = plain_alloc(plain, 1 + i % 600);
		expect(node);
		expect(lsabuf_heap_find(plain->heap, node->start) == node);
	}
	expect(!lsabuf_heap_check(plain->heap));
	for (node = lsabuf_heap_first(plain->heap); node;
	     node = lsabuf_heap_next(node)) {
		depth = depth_of(plain->heap, node->start);
		sum += depth;
		if (depth > deepest)
			deepest = depth;
	}
	printf("# %u blocks: mean depth %lu, deepest %u\n", MANY, sum / MANY,
	       deepest);
	expect(sum / MANY < 30 && deepest < 64);
	while ((node = lsabuf_heap_first(plain->heap)))
		lsabuf_heap_free(plain->heap, node);
	expect(!plain->heap->lowest->next && !lsabuf_heap_check(plain->heap));
}

static const char *run_script(u32 heap_seed, u32 *digest)
{
	struct oracle oracle;
	const char *wrong;
	u32 state = 99;
	u32 i;

	wrong = oracle_init(&oracle, 4096, heap_seed);
	if (wrong)
		return wrong;
	for (i = 0; i < 20000 && !wrong; i++) {
		wrong = random_step(&oracle, &state, true);
		if (oracle.count)
			*digest = *digest * 31 +
				  oracle.live[oracle.count - 1]->start;
	}
	*digest = *digest * 31 +
		  (oracle.heap->root ? oracle.heap->root->start : 0);
	return oracle_fini(&oracle, wrong);
}

static void test_repeats(struct plain *unused)
{
	u32 digests[2] = { 0, 0 };

	(void)unused;
	expect(!run_script(5, &digests[0]) && !run_script(5, &digests[1]));
	expect(digests[0] == digests[1]);
}

static const struct {
	const char *name;
	void (*run)(struct plain *plain);
} tests[] = {
	{ "figures", test_figures },
	{ "full_heap", test_full },
	{ "empty_heap", test_empty },
	{ "spares", test_spares },
	{ "own_class", test_own_class },
	{ "crowded_class", test_crowded_class },
	{ "last_of_class", test_last_of_class },
	{ "coalesce", test_coalesce },
	{ "warm", test_warm },
	{ "many_blocks", test_many },
	{ "repeats", test_repeats },
	{ "exhaustive", test_exhaustive },
	{ "random", test_random },
};

static bool number(const char *text, unsigned long *value)
{
	char *end;

	*value = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end;
}

static bool run_test(u32 index)
{
	/* Static: what it holds is known after a longjmp(). */
	static struct plain plain;
	bool failed;

	if (setjmp(test_failed)) {
		failed = true;
	} else {
		tests[index].run(&plain);
		failed = false;
	}
	plain_exit(&plain);
	printf("%sok %u %s\n", failed ? "not " : "", index + 1,
	       tests[index].name);
	return failed;
}

int main(int argc, char **argv)
{
	unsigned long value = seed;
	bool failed = false;
	u32 i;

	if (argc > 3 || (argc > 1 && !number(argv[1], &operations)) ||
	    (argc > 2 && !number(argv[2], &value))) {
		fprintf(stderr, "usage: heap_test [operations [seed]]\n");
		return 2;
	}
	seed = value;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%zu\n", ARRAY_SIZE(tests));
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		failed |= run_test(i);
	return failed;
}
