// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The requests that packages work for: which one a thread has, and whether
 * what a package gives as ClientRequest is one.
 *
 * A handle is the address of an entry of a fixed pool. So it can be checked
 * without following it, and it points at memory that stays readable: packages
 * look at what it points to. Entries are taken in turn, so that one which a
 * package kept for too long does not soon mean another request.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include <ntstatus.h>

#include "host.h"
#include "impersonate.h"
#include "internal.h"
#include "shared.h"

static struct host_request pool[LSABUF_HOST_MAX_REQUESTS];
static _Atomic unsigned int next_entry;
static _Atomic ULONG calls;
static const struct lsabuf_host *host;
static _Atomic int authority = -1;
static __thread struct host_request *current;
static __thread unsigned int package;

LSABUF_EXPORT void lsabuf_host_set(const struct lsabuf_host *functions)
{
	host = functions;
}

const struct lsabuf_host *host_get(void)
{
	static const struct lsabuf_host none;

	return host ? host : &none;
}

LSABUF_EXPORT void lsabuf_host_authority_set(int fd)
{
	atomic_store(&authority, fd);
}

int host_authority(void)
{
	return atomic_load(&authority);
}

LSABUF_EXPORT int lsabuf_host_authority(void)
{
	return host_authority();
}

LSABUF_EXPORT unsigned int lsabuf_host_package_set(unsigned int number)
{
	unsigned int before = package;

	package = number;
	return before;
}

unsigned int host_package(void)
{
	return package;
}

LSABUF_EXPORT PLSA_SECPKG_FUNCTION_TABLE lsabuf_host_table(void)
{
	/* The public types are not const; the memory is read-only all the same */
	return (PLSA_SECPKG_FUNCTION_TABLE)(uintptr_t)&host_table;
}

static struct host_request *take_entry(void)
{
	struct host_request *request;
	unsigned int i;

	for (i = 0; i < LSABUF_HOST_MAX_REQUESTS; i++) {
		request = &pool[atomic_fetch_add(&next_entry, 1) %
				LSABUF_HOST_MAX_REQUESTS];
		if (!atomic_exchange(&request->is_taken, true))
			return request;
	}
	return NULL;
}

static PLSA_CLIENT_REQUEST begin(int fd,
				 const struct lsabuf_reply_receive *received)
{
	struct host_request *request = take_entry();

	if (!request)
		return NULL;
	request->fd = fd;
	request->received = *received;
	request->sequence = atomic_fetch_add(&calls, 1) + 1;
	request->outer = current;
	request->package = package;
	request->generation = 0;
	request->nr_blocks = 0;
	/* Pairs with the load in host_request_find() */
	__atomic_store_n(&request->word, request, __ATOMIC_RELEASE);
	current = request;
	return &request->word;
}

LSABUF_EXPORT PLSA_CLIENT_REQUEST
lsabuf_host_begin(int fd, const struct lsabuf_reply_receive *received)
{
	return begin(fd, received);
}

PLSA_CLIENT_REQUEST host_request_begin_inside(void)
{
	static const struct lsabuf_reply_receive none;

	return begin(-1, &none);
}

LSABUF_EXPORT void lsabuf_host_end(PLSA_CLIENT_REQUEST handle)
{
	struct host_request *request = current;

	if (!request || handle != &request->word)
		return;
	current = request->outer;
	host_impersonation_end(request);
	host_snapshots_forget(request);
	__atomic_store_n(&request->word, NULL, __ATOMIC_RELEASE);
	atomic_store(&request->is_taken, false);
}

struct host_request *host_request_current(void)
{
	return current;
}

/**
 * host_request_find() - the request that a package means
 * @handle: what the package gave: anything; NULL is the thread's current one
 *
 * Return: the request, or NULL when it is none that is open.
 */
struct host_request *host_request_find(PLSA_CLIENT_REQUEST handle)
{
	uintptr_t offset = (uintptr_t)handle - (uintptr_t)pool;
	struct host_request *request;

	if (!handle)
		return current;
	if (offset >= sizeof(pool) || offset % sizeof(pool[0]))
		return NULL;
	request = &pool[offset / sizeof(pool[0])];
	/* Pairs with the store in begin() */
	if (__atomic_load_n(&request->word, __ATOMIC_ACQUIRE) != request)
		return NULL;
	return request;
}

/* The client of a call, also where a package was called from inside of it */
static struct host_request *client_of(struct host_request *request)
{
	while (request && request->fd < 0)
		request = request->outer;
	return request;
}

const struct host_request *
host_request_client(const struct host_request *request)
{
	return client_of((struct host_request *)request);
}

LSABUF_EXPORT const struct lsabuf_reply_receive *lsabuf_host_received(void)
{
	struct host_request *client = client_of(current);

	return client ? &client->received : NULL;
}

LSABUF_EXPORT NTSTATUS lsabuf_host_share(PLSA_CLIENT_REQUEST handle)
{
	struct host_request *request = host_request_find(handle);
	struct host_request *client = client_of(request);
	unsigned int own;
	int ret;

	if (!client || (client == request && !shared_is_stale(request)))
		return STATUS_SUCCESS;
	/* From inside, another package: what it has says nothing of the own */
	own = client->package;
	client->package = client == request ? own : package;
	ret = shared_map(client);
	client->package = own;
	if (client != request)
		client->generation = 0;
	return lsabuf_status(ret, LSABUF_SUBJECT_REQUEST);
}

LSABUF_EXPORT int lsabuf_host_section_share(PLSA_CLIENT_REQUEST handle,
					    int section, uint32_t flags,
					    uint64_t *address)
{
	struct host_request *request = host_request_find(handle);

	*address = 0;
	if (!request || request->fd < 0)
		return -ENOENT;
	return lsabuf_section_share(section, request->received.out_id, flags,
				    address);
}
