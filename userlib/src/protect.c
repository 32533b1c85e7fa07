// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * LsaProtectMemory and LsaUnprotectMemory: secrets that lie about in the host
 * are not to be found in plain text in its dumps, swap or a stray read.
 *
 * The buffer is combined in place with the ChaCha20 key stream of RFC 8439,
 * under a key which this process draws once. Protected bytes may be copied to
 * another place and unprotected there, and there is no room beside them for a
 * nonce: the nonce is the length. So two buffers of equal length have the same
 * key stream. Whoever holds the protected bytes of both learns how the two
 * differ, and whoever can read the whole process has the key as well. It is no
 * encryption to store or to send.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "internal.h"
#include "services.h"

#define STATE_WORDS 16
#define KEY_WORDS 8
#define BLOCK_BYTES (STATE_WORDS * sizeof(uint32_t))

static uint32_t rotate_left(uint32_t word, int bits)
{
	return word << bits | word >> (32 - bits);
}

static void quarter_round(uint32_t *x, int a, int b, int c, int d)
{
	x[a] += x[b];
	x[d] = rotate_left(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotate_left(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotate_left(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotate_left(x[b] ^ x[c], 7);
}

/* RFC 8439, 2.3: one block of key stream */
static void make_block(const uint32_t state[STATE_WORDS],
		       uint8_t block[BLOCK_BYTES])
{
	uint32_t x[STATE_WORDS];
	int i;

	memcpy(x, state, sizeof(x));
	for (i = 0; i < 10; i++) {
		quarter_round(x, 0, 4, 8, 12);
		quarter_round(x, 1, 5, 9, 13);
		quarter_round(x, 2, 6, 10, 14);
		quarter_round(x, 3, 7, 11, 15);
		quarter_round(x, 0, 5, 10, 15);
		quarter_round(x, 1, 6, 11, 12);
		quarter_round(x, 2, 7, 8, 13);
		quarter_round(x, 3, 4, 9, 14);
	}
	for (i = 0; i < STATE_WORDS; i++) {
		x[i] += state[i];
		block[4 * i] = x[i];
		block[4 * i + 1] = x[i] >> 8;
		block[4 * i + 2] = x[i] >> 16;
		block[4 * i + 3] = x[i] >> 24;
	}
	RtlSecureZeroMemory(x, sizeof(x));
}

/*
 * Drawn at the first use. Threads that come together draw one each, and the
 * first to be done has its own taken: all of them return that one.
 */
static const uint32_t *get_key(void)
{
	static _Atomic(uint32_t *) key;
	uint32_t *drawn, *none = NULL;

	if (atomic_load(&key))
		return atomic_load(&key);
	drawn = malloc(KEY_WORDS * sizeof(*drawn));
	/* There is no way to report an error, and none to go on without a key */
	if (!drawn)
		abort();
	while (getrandom(drawn, KEY_WORDS * sizeof(*drawn), 0) < 0) {
		if (errno != EINTR)
			abort();
	}
	if (!atomic_compare_exchange_strong(&key, &none, drawn))
		free(drawn);
	return atomic_load(&key);
}

VOID NTAPI service_protect_memory(PVOID Buffer, ULONG BufferSize)
{
	/* The constants of the RFC, key, block counter, nonce */
	uint32_t state[STATE_WORDS] = { 0x61707865, 0x3320646e, 0x79622d32,
					0x6b206574 };
	uint8_t block[BLOCK_BYTES];
	uint8_t *bytes = Buffer;
	ULONG i;

	if (!Buffer || !BufferSize)
		return;
	memcpy(state + 4, get_key(), KEY_WORDS * sizeof(uint32_t));
	state[13] = BufferSize;
	for (i = 0; i < BufferSize; i++) {
		if (i % BLOCK_BYTES == 0) {
			make_block(state, block);
			state[12]++;
		}
		bytes[i] ^= block[i % BLOCK_BYTES];
	}
	RtlSecureZeroMemory(state, sizeof(state));
	RtlSecureZeroMemory(block, sizeof(block));
}
