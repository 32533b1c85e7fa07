// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer harness: bytes are operations on a heap, done beside the oracle.
 *
 * The first two bytes choose the heap's size, the third its seed; then each
 * operation is one byte, with one or two more as its argument.  Input that ends
 * early reads as zero.  The Makefile gives fuzz_one_input() libFuzzer's name.
 */
#include <stdio.h>
#include <stdlib.h>

#include "heap_oracle.h"

/* The oracle is quadratic: longer inputs find nothing new, only slower. */
#define MAX_LENGTH 4096

struct input {
	const unsigned char *data;
	size_t left;
};

static u32 next_byte(struct input *input)
{
	if (!input->left)
		return 0;
	input->left--;
	return *input->data++;
}

static u32 next_word(struct input *input)
{
	u32 high = next_byte(input);

	return high << 8 | next_byte(input);
}

static const char *step(struct oracle *oracle, struct input *input)
{
	switch (next_byte(input) & 7) {
	case 0:
	case 1:
		if (lsabuf_heap_hungry(oracle->heap))
			oracle_give(oracle);
		return oracle_alloc(oracle, next_byte(input));
	case 2:
		return oracle_alloc(oracle, next_word(input));
	case 3:
	case 4:
		if (!oracle->count)
			return NULL;
		return oracle_free(oracle, next_word(input) % oracle->count);
	case 5:
		return oracle_find(oracle, next_word(input));
	case 6:
		return oracle_give(oracle);
	default:
		return oracle_take(oracle);
	}
}

int fuzz_one_input(const unsigned char *data, size_t size)
{
	struct input input = { .data = data, .left = size };
	struct oracle oracle;
	const char *wrong;
	u32 granules;

	if (size > MAX_LENGTH)
		return -1;
	granules = next_word(&input) % (ORACLE_EXACT_GRANULES + 1);
	wrong = oracle_init(&oracle, granules, next_byte(&input));
	if (wrong)
		return -1;
	while (!wrong && input.left) {
		wrong = step(&oracle, &input);
		if (!wrong)
			wrong = oracle_verify(&oracle);
	}
	wrong = oracle_fini(&oracle, wrong);
	if (wrong) {
		fprintf(stderr, "heap_fuzz: %s\n", wrong);
		abort();
	}
	return 0;
}
