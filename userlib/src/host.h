/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The requests that packages work for, as services.c sees them. */
#ifndef _LSABUF_SRC_HOST_H
#define _LSABUF_SRC_HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <lsabuf_host.h>

#include "internal.h"

/**
 * struct host_snapshot - memory of the client that has been mapped
 * @next: the one before it
 * @start: of the copy in this process
 * @length: its length in bytes
 */
struct host_snapshot {
	struct host_snapshot *next;
	uintptr_t start;
	size_t length;
};

/**
 * struct host_request - a request that a thread works for
 * @entry: what its handle points at (constant while open)
 * @is_taken: belongs to somebody (atomic)
 * @outer: the same thread's request before it (owner's thread)
 * @fd: authority; -1 for a call from inside this process (constant while open)
 * @sequence: a later call of this process has a higher one (constant while
 *	open)
 * @snapshots: what has been mapped for it (owner's thread)
 * @package: number of the package that it reached, 0 for none (constant while
 *	open)
 * @generation: of the shared memory that its client is known to have (owner's
 *	thread)
 * @blocks: the latest that were allocated in the client (owner's thread)
 * @nr_blocks: how many have been (owner's thread)
 * @received: as the kernel gave it; zeroes from inside (constant while open)
 */
struct host_request {
	struct host_entry *entry;
	_Atomic bool is_taken;
	struct host_request *outer;
	int fd;
	ULONG sequence;
	struct host_snapshot *snapshots;
	unsigned int package;
	uint32_t generation;
	PVOID blocks[64];
	size_t nr_blocks;
	struct lsabuf_reply_receive received;
};

/**
 * struct host_entry - what a handle is the address of
 * @word: something for packages to look at (owner's thread)
 * @request: whose handle it is, NULL while it is nobody's (atomic)
 */
struct host_entry {
	PVOID word;
	struct host_request *_Atomic request;
};

extern struct host_entry host_entries[LSABUF_HOST_MAX_REQUESTS] LSABUF_HIDDEN;
/* What the calling thread works for, NULL for nothing */
extern __thread struct host_request *host_current LSABUF_HIDDEN;

static inline struct host_request *host_request_current(void)
{
	return host_current;
}

/* From inside the process, by CallPackage */
static inline bool host_request_is_inside(const struct host_request *request)
{
	return request->fd < 0 &&
	       !(request->received.out_flags & LSABUF_REQUEST_F_GONE);
}

/* No request, but the end of a client */
static inline bool host_request_is_rundown(const struct host_request *request)
{
	return request->received.out_flags & LSABUF_REQUEST_F_GONE;
}

const struct host_request *
host_request_client(const struct host_request *request);
PLSA_CLIENT_REQUEST host_request_begin_inside(void);
const struct lsabuf_host *host_get(void);
int host_authority(void);
unsigned int host_package(void);

/**
 * host_request_find() - the request that a package means
 * @handle: what the package gave: anything; NULL is the thread's current one
 *
 * Return: the request, or NULL when it is none that is open.
 */
static inline struct host_request *host_request_find(PLSA_CLIENT_REQUEST handle)
{
	uintptr_t offset = (uintptr_t)handle - (uintptr_t)host_entries;

	if (!handle)
		return host_request_current();
	if (offset >= sizeof(host_entries) || offset % sizeof(host_entries[0]))
		return NULL;
	/* Pairs with the exchange in take_entry() */
	return atomic_load_explicit(
		&host_entries[offset / sizeof(host_entries[0])].request,
		memory_order_acquire);
}

/* snapshots.c */
bool host_snapshot_has(const struct host_request *request, const void *start,
		       size_t length);
void host_snapshots_forget(struct host_request *request);

/* table.c */
extern const LSA_SECPKG_FUNCTION_TABLE host_table;

#endif /* _LSABUF_SRC_HOST_H */
