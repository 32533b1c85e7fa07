// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The requests that packages work for: which one a thread has, and whether
 * what a package gives as ClientRequest is one.
 *
 * A handle is the address of an entry of a fixed table. So it can be checked
 * without following it, and it points at memory that stays readable: packages
 * look at what it points to. Entries are taken in turn, so that one which a
 * package kept for too long does not soon mean another request. The requests
 * themselves are not: a thread takes the one again that it had before, which
 * its processor still has in its caches.
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

struct host_entry host_entries[LSABUF_HOST_MAX_REQUESTS];

static struct host_request pool[LSABUF_HOST_MAX_REQUESTS];
/* Counts calls, and the entries that were found taken */
static _Atomic ULONG calls;
static const struct lsabuf_host *host;
static _Atomic int authority = -1;
__thread struct host_request *host_current;
/* The one that this thread had last, and may have again */
static __thread struct host_request *latest;
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

static bool try_request(struct host_request *request)
{
	return request && !atomic_exchange(&request->is_taken, true);
}

static struct host_request *take_request(void)
{
	struct host_request *request = latest;

	if (try_request(request))
		return request;
	for (request = pool; request < pool + LSABUF_HOST_MAX_REQUESTS;
	     request++) {
		if (!atomic_load(&request->is_taken) && try_request(request))
			return request;
	}
	return NULL;
}

/* There are as many entries as requests: one is free, or is about to be */
static struct host_entry *take_entry(struct host_request *request)
{
	struct host_request *none;
	struct host_entry *entry;

	do {
		request->sequence = atomic_fetch_add(&calls, 1) + 1;
		entry = &host_entries[request->sequence %
				      LSABUF_HOST_MAX_REQUESTS];
		none = NULL;
		/* Pairs with the load in host_request_find() */
	} while (!atomic_compare_exchange_strong(&entry->request, &none,
						 request));
	return entry;
}

static PLSA_CLIENT_REQUEST begin(int fd,
				 const struct lsabuf_reply_receive *received)
{
	struct host_request *request = take_request();

	if (!request)
		return NULL;
	request->fd = fd;
	request->received = *received;
	request->outer = host_current;
	request->package = package;
	request->generation = 0;
	request->nr_blocks = 0;
	request->entry = take_entry(request);
	request->entry->word = request->entry;
	host_current = request;
	return &request->entry->word;
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
	struct host_request *request = host_current;

	if (!request || handle != &request->entry->word)
		return;
	host_current = request->outer;
	latest = request;
	host_impersonation_end(request);
	if (request->snapshots)
		host_snapshots_forget(request);
	atomic_store_explicit(&request->entry->request, NULL,
			      memory_order_release);
	atomic_store_explicit(&request->is_taken, false, memory_order_release);
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
	struct host_request *client = client_of(host_current);

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
