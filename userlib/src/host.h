/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The requests that packages work for, as services.c sees them. */
#ifndef _LSABUF_SRC_HOST_H
#define _LSABUF_SRC_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include <lsabuf_host.h>

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
 * @word: what PLSA_CLIENT_REQUEST points at: its own address while it is open.
 *	Packages look at it, so it comes first (atomic)
 * @is_taken: belongs to somebody (atomic)
 * @outer: the same thread's request before it (owner's thread)
 * @fd: authority; -1 for a call from inside this process (constant while open)
 * @sequence: counts the calls of this process (constant while open)
 * @snapshots: what has been mapped for it (owner's thread)
 * @package: number of the package that it reached, 0 for none (constant while
 *	open)
 * @generation: of the shared memory that its client is known to have (owner's
 *	thread)
 * @blocks: the latest that were allocated in the client (owner's thread)
 * @nr_blocks: how many have been (owner's thread)
 * @received: as the kernel gave it; zeroes from inside (constant while open)
 *
 * Its size is a power of two, so that a handle is checked without a division.
 */
struct host_request {
	_Alignas(1024) PVOID word;
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

struct host_request *host_request_find(PLSA_CLIENT_REQUEST handle);
struct host_request *host_request_current(void);
const struct host_request *
host_request_client(const struct host_request *request);
PLSA_CLIENT_REQUEST host_request_begin_inside(void);
const struct lsabuf_host *host_get(void);
int host_authority(void);
unsigned int host_package(void);

/* snapshots.c */
bool host_snapshot_has(const struct host_request *request, const void *start,
		       size_t length);
void host_snapshots_forget(struct host_request *request);

/* table.c */
extern const LSA_SECPKG_FUNCTION_TABLE host_table;

#endif /* _LSABUF_SRC_HOST_H */
