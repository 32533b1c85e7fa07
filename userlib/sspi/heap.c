// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Memory of this process that programs give back with FreeContextBuffer(). It
 * is told from blocks of the authority, and from what is neither, by its
 * address alone.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

struct block {
	struct block *next;
	struct block *previous;
	size_t length;
	_Alignas(max_align_t) unsigned char bytes[];
};

pthread_mutex_t heap_lock = PTHREAD_MUTEX_INITIALIZER;
static struct block blocks = { .next = &blocks, .previous = &blocks };

/**
 * heap_allocate() - allocate a block
 * @length: bytes; zeroed
 *
 * What packages get as AllocateHeap in the client, too.
 *
 * Return: the block or NULL.
 */
PVOID NTAPI heap_allocate(ULONG length)
{
	struct block *block = calloc(1, sizeof(*block) + length);

	if (!block)
		return NULL;
	block->length = length;
	pthread_mutex_lock(&heap_lock);
	block->next = blocks.next;
	block->previous = &blocks;
	blocks.next->previous = block;
	blocks.next = block;
	pthread_mutex_unlock(&heap_lock);
	return block->bytes;
}

/* The block at that address, taken out of the list if @take */
static struct block *find(const void *address, bool take)
{
	struct block *block;

	pthread_mutex_lock(&heap_lock);
	for (block = blocks.next; block != &blocks; block = block->next)
		if (block->bytes == address)
			break;
	if (block != &blocks && take) {
		block->next->previous = block->previous;
		block->previous->next = block->next;
	}
	pthread_mutex_unlock(&heap_lock);
	return block == &blocks ? NULL : block;
}

bool heap_owns(PVOID block)
{
	return find(block, false);
}

/* Any pointer: what is no block is left alone */
VOID NTAPI heap_free(PVOID address)
{
	struct block *block = find(address, true);

	if (!block)
		return;
	RtlSecureZeroMemory(block->bytes, block->length);
	free(block);
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY FreeContextBuffer(PVOID buffer)
{
	if (buffer && heap_owns(buffer)) {
		heap_free(buffer);
		return SEC_E_OK;
	}
	return NT_SUCCESS(LsaFreeReturnBuffer(buffer)) ? SEC_E_OK :
							 SEC_E_INVALID_HANDLE;
}
