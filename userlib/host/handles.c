// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which client holds which credentials and contexts.
 *
 * A client is told a number that is drawn at random, and it counts for its own
 * connection only: another client that has learned it has learned nothing.
 * What a dead client held is given back to the packages.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include <ntstatus.h>

#include "lsahost.h"

/* The lower bits of a handle are the number of its entry, the others random */
#define ENTRY_BITS 16
#define MAX_HANDLES (1U << ENTRY_BITS)
#define MAX_HANDLES_PER_CLIENT 4096

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct handle *handles[MAX_HANDLES];
static unsigned int nr_handles;

/* 32-bit programs keep it in two words, neither of which may be 0 or -1 */
static uint64_t draw(unsigned int entry)
{
	uint64_t value;

	do {
		if (getrandom(&value, sizeof(value), 0) != sizeof(value))
			return 0;
		value = value << ENTRY_BITS | entry;
	} while (!(uint32_t)value || !(value >> 32) ||
		 (uint32_t)value == UINT32_MAX || value >> 32 == UINT32_MAX);
	return value;
}

static unsigned int count(uint64_t client)
{
	unsigned int i, n = 0;

	for (i = 0; i < nr_handles; i++)
		n += handles[i]->value && handles[i]->client == client;
	return n;
}

/* A free entry, or NULL; the lock is held */
static struct handle *take_entry(unsigned int *entry)
{
	unsigned int i;

	for (i = 0; i < nr_handles && handles[i]->value; i++)
		;
	if (i == MAX_HANDLES)
		return NULL;
	if (i == nr_handles) {
		handles[i] = calloc(1, sizeof(*handles[i]));
		if (!handles[i])
			return NULL;
		nr_handles++;
	}
	*entry = i;
	return handles[i];
}

/**
 * handle_add() - let a client have something of a package
 * @client: id of its connection
 * @kind: HANDLE_*
 * @package: whose it is
 * @lsa: the package's name for it
 *
 * Return: what the client is told; 0 when it has too many, or there is no
 * memory.
 */
uint64_t handle_add(uint64_t client, enum handle_kind kind,
		    const struct package *package, LSA_SEC_HANDLE lsa)
{
	struct handle *handle = NULL;
	uint64_t value = 0;
	unsigned int entry;

	pthread_mutex_lock(&lock);
	if (count(client) < MAX_HANDLES_PER_CLIENT)
		handle = take_entry(&entry);
	if (handle)
		value = draw(entry);
	if (value)
		*handle = (struct handle){
			.value = value,
			.client = client,
			.kind = kind,
			.package = package,
			.lsa = lsa,
		};
	pthread_mutex_unlock(&lock);
	return value;
}

static struct handle *find(uint64_t client, enum handle_kind kind,
			   uint64_t value)
{
	unsigned int entry = value % MAX_HANDLES;
	struct handle *handle;

	if (!value || entry >= nr_handles)
		return NULL;
	handle = handles[entry];
	if (handle->value != value || handle->client != client ||
	    handle->kind != kind || handle->dead)
		return NULL;
	return handle;
}

/**
 * handle_get() - use what a client holds
 * @client: id of its connection
 * @kind: HANDLE_*
 * @value: what the client gave: anything
 *
 * Return: the handle, to be put; NULL where this client has no such one.
 */
struct handle *handle_get(uint64_t client, enum handle_kind kind,
			  uint64_t value)
{
	struct handle *handle;

	pthread_mutex_lock(&lock);
	handle = find(client, kind, value);
	if (handle)
		handle->users++;
	pthread_mutex_unlock(&lock);
	return handle;
}

/**
 * handle_package() - whose a handle is
 * @client: id of its connection
 * @kind: HANDLE_*
 * @value: what the client gave: anything
 *
 * Return: the package, or NULL where this client has no such handle.
 */
const struct package *handle_package(uint64_t client, enum handle_kind kind,
				     uint64_t value)
{
	const struct package *package = NULL;
	struct handle *handle;

	pthread_mutex_lock(&lock);
	handle = find(client, kind, value);
	if (handle)
		package = handle->package;
	pthread_mutex_unlock(&lock);
	return package;
}

static NTSTATUS give_back(const struct handle *handle)
{
	const SECPKG_FUNCTION_TABLE *table = &handle->package->table;
	unsigned int before = lsabuf_host_package_set(handle->package->id + 1);
	NTSTATUS status = STATUS_SUCCESS;

	if (handle->kind == HANDLE_CONTEXT && table->DeleteContext)
		status = table->DeleteContext(handle->lsa);
	if (handle->kind == HANDLE_CREDENTIAL && table->FreeCredentialsHandle)
		status = table->FreeCredentialsHandle(handle->lsa);
	lsabuf_host_package_set(before);
	return status;
}

/**
 * handle_put() - have used a handle
 * @handle: as handle_get() found it
 *
 * Return: what the package says to its end, if this was it.
 */
NTSTATUS handle_put(struct handle *handle)
{
	NTSTATUS status = STATUS_SUCCESS;
	struct handle ended;

	pthread_mutex_lock(&lock);
	ended = *handle;
	ended.dead = !--handle->users && handle->dead;
	if (ended.dead)
		handle->value = 0;
	pthread_mutex_unlock(&lock);
	if (ended.dead)
		status = give_back(&ended);
	return status;
}

/**
 * handle_close() - end a handle; calls that use it now may go on
 * @client: id of its connection
 * @kind: HANDLE_*
 * @value: what the client gave: anything
 *
 * Return: STATUS_INVALID_HANDLE where this client has no such one, or what the
 * package says.
 */
NTSTATUS handle_close(uint64_t client, enum handle_kind kind, uint64_t value)
{
	struct handle *handle;

	pthread_mutex_lock(&lock);
	handle = find(client, kind, value);
	if (handle) {
		handle->users++;
		handle->dead = true;
	}
	pthread_mutex_unlock(&lock);
	return handle ? handle_put(handle) : STATUS_INVALID_HANDLE;
}

static uint64_t any_of(uint64_t client, enum handle_kind kind)
{
	uint64_t value = 0;
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < nr_handles && !value; i++)
		if (handles[i]->value && handles[i]->client == client &&
		    handles[i]->kind == kind && !handles[i]->dead)
			value = handles[i]->value;
	pthread_mutex_unlock(&lock);
	return value;
}

/**
 * handles_rundown() - give back all that a client held
 * @client: id of its connection, which is gone
 *
 * Contexts go before the credentials that they were made with.
 */
void handles_rundown(uint64_t client)
{
	uint64_t value;

	while ((value = any_of(client, HANDLE_CONTEXT)))
		handle_close(client, HANDLE_CONTEXT, value);
	while ((value = any_of(client, HANDLE_CREDENTIAL)))
		handle_close(client, HANDLE_CREDENTIAL, value);
}
