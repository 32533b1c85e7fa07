// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Memory for secrets: never in swap, in no core dump, in no child of fork, and
 * wiped before it is given back.
 *
 * Each piece has pages of its own: secrets are few, and whole pages can be
 * given back at once. They count against RLIMIT_MEMLOCK, where the host has no
 * CAP_IPC_LOCK: once that is used up there is no more such memory. Nothing is
 * ever kept in memory that could not be locked.
 */
#include <string.h>
#include <sys/mman.h>
#include <windows.h>

#include "lsahost.h"

/**
 * vault_alloc() - get memory for a secret
 * @length: bytes, not 0
 *
 * Return: zeroed memory, or NULL where it cannot be had or locked.
 */
void *vault_alloc(size_t length)
{
	void *bytes = mmap(NULL, length, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED)
		return NULL;
	if (!mlock(bytes, length) && !madvise(bytes, length, MADV_DONTDUMP) &&
	    !madvise(bytes, length, MADV_DONTFORK))
		return bytes;
	munmap(bytes, length);
	return NULL;
}

/**
 * vault_free() - wipe a secret and give its memory back
 * @bytes: of vault_alloc(), or NULL
 * @length: as it was asked for
 */
void vault_free(void *bytes, size_t length)
{
	if (!bytes)
		return;
	RtlSecureZeroMemory(bytes, length);
	munmap(bytes, length);
}
