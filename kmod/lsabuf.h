/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every part of the module shares: limits, and the rules of locking and
 * lifetime. The words are those of README.md: authority, client, request,
 * space, arena, block, snapshot, grant, chore.
 *
 * Layers. Calls and includes go only downwards:
 *
 *	main       module entry, parameters, device
 *	ioctl      commands: copy in and out, role check; no state
 *	debugfs    the summary
 *	request    CALL, RECEIVE, REPLY, chores: the states of one call
 *	section    shared sections and their views
 *	transfer   the one place where bytes cross between processes
 *	authority  endpoints: who serves, who may, and death
 *	queue      request slots, the receive queue, fairness between users
 *	client     connections, users and what a client grants
 *	arena      space, arenas and blocks of one mm
 *	pages      page store of one arena
 *	heap       range allocator, pure logic
 *
 * Locking, outermost first:
 *
 *	request->chore_mutex     sleeps; one authority thread at a time waits for
 *	                         a chore of a request. The chore itself is run by
 *	                         the client's thread, which holds no lsabuf lock
 *	space->views_mutex       sleeps; one thread of a process at a time maps a
 *	                         view
 *	section->size_mutex      sleeps; growth and revocation of one section
 *	mmap_lock                of an mm. An authority's thread takes a client's
 *	                         only by trylock
 *	endpoints_lock           names, permissions
 *	accounts_lock            what is in the sections of authorities and users
 *	spaces_lock              space of each mm
 *	space->lock              heaps, blocks, arenas and quota of one space
 *	page table lock          inside vm_insert_pages()
 *	queue->lock              leaf, one per authority: users, clients, queue and
 *	                         every change of a request's state
 *
 * space->lock and queue->lock are spinlocks and are never held together. No
 * user access, GUP, mmap, mmput or allocation happens under any lock of the
 * module but the mutexes. .mmap, .fault and .close of an arena run under
 * mmap_lock: what they take is below it.
 *
 * Lifetime. Each arrow is a counted reference:
 *
 *	file -> client -> authority -> its space
 *	        client -> space            request -> client
 *	arena -> space                     pin, open block -> arena
 *	VMA -> arena file -> arena, module
 *	section file -> section, authority
 *	VMA -> view file -> section, space, module
 *
 * A space holds its mm by mmgrab() only, so it never keeps memory alive. Death
 * has two steps: mark dead under queue->lock, which abandons the requests and
 * wakes everybody, then let the references fall. It is seen at the release of
 * the file or at the end of the mm (an arena's VMA closes with no user of the
 * mm left), whichever is first. A client's death leaves a RECEIVED request and
 * its snapshot to the authority until REPLY; an authority's death leaves the
 * blocks that were handed over to the client.
 *
 * Ranges are half-open, [start, end). Lengths are bytes unless said otherwise.
 */
#ifndef LSABUF_H
#define LSABUF_H

#include <linux/sizes.h>
#include <linux/types.h>

#define LSABUF_NAME "lsabuf"

/* Hard ceilings of the module parameters; see main.c */
#define LSABUF_CLIENT_ARENA_MAX SZ_16M
#define LSABUF_CLIENT_QUOTA_MAX SZ_1G
#define LSABUF_AUTHORITY_ARENA_MAX SZ_1G
#define LSABUF_SUBMIT_MAX SZ_256M
#define LSABUF_REQUESTS_MAX 65536U
#define LSABUF_USER_CLIENTS_MAX 1048576U
#define LSABUF_SECTIONS_MAX 65536U
#define LSABUF_SHARED_MAX (SZ_1G * 1024ULL)
#define LSABUF_CHORE_BUDGET_MS_MAX 10000U

/* Arenas that one client process may have at a time */
#define LSABUF_CLIENT_ARENAS 32
/* A process may have one block in this many bytes of its quota, and these */
#define LSABUF_BYTES_PER_NODE 64
#define LSABUF_SPARE_NODES 4096
/* Address space that one section may have */
#define LSABUF_SECTION_MAX (SZ_1G * 1024ULL)
/* Permissions to serve that may be given out */
#define LSABUF_PERMISSIONS 64

/* A request's id is a generation above a slot; 0 is never an id. */
#define LSABUF_SLOT_BITS 16
#define LSABUF_SLOT_MASK ((1ULL << LSABUF_SLOT_BITS) - 1)

/* What a limit was about; the names are in trace.h */
enum lsabuf_quota {
	LSABUF_QUOTA_MAX_SUBMIT,
	LSABUF_QUOTA_USER_SUBMIT,
	LSABUF_QUOTA_CLIENT_REQUESTS,
	LSABUF_QUOTA_USER_REQUESTS,
	LSABUF_QUOTA_REQUESTS,
	LSABUF_QUOTA_USER_CLIENTS,
	LSABUF_QUOTA_SNAPSHOTS,
	LSABUF_QUOTA_BLOCKS,
	LSABUF_QUOTA_ARENAS,
	LSABUF_QUOTA_PERMISSIONS,
	LSABUF_QUOTA_AUTHORITY_SECTIONS,
	LSABUF_QUOTA_USER_SECTIONS,
	LSABUF_QUOTA_AUTHORITY_SHARED,
	LSABUF_QUOTA_USER_SHARED,
};

/**
 * struct lsabuf_limits - the module parameters, within their ceilings
 * @client_arena: bytes of address space of a client's first arena
 * @client_quota: bytes of blocks per client process
 * @authority_arena: bytes of address space of an authority's arena
 * @max_submit: bytes of one submit buffer
 * @user_submit: bytes of submit buffers that the clients of one user may have
 *	in one authority's arena at a time
 * @requests: requests of one authority at a time
 * @client_requests: requests of one connection at a time
 * @user_requests: requests of one user at one authority at a time
 * @user_clients: connections of one user to one authority
 * @chore_budget_ms: time that one request may spend on chores
 * @authority_sections: sections of one authority at a time
 * @user_sections: sections of all authorities of one user
 * @authority_shared: bytes of memory in the sections of one authority
 * @user_shared: bytes of memory in those of all authorities of one user
 * @debuggable: clients may open their arenas to debuggers (READ_ONCE)
 * @drain: nobody may SERVE or CONNECT any more (READ_ONCE)
 *
 * All but the last two, which the administrator changes at any time, are set
 * before the device appears, then constant.
 */
struct lsabuf_limits {
	unsigned long client_arena;
	unsigned long client_quota;
	unsigned long authority_arena;
	unsigned long max_submit;
	unsigned long user_submit;
	unsigned int requests;
	unsigned int client_requests;
	unsigned int user_requests;
	unsigned int user_clients;
	unsigned int chore_budget_ms;
	unsigned int authority_sections;
	unsigned int user_sections;
	unsigned long authority_shared;
	unsigned long user_shared;
	bool debuggable;
	bool drain;
};

extern struct lsabuf_limits lsabuf_limits;

#endif /* LSABUF_H */
