// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The cache of the package "account": both halves, so that they agree on what
 * is in it. The package publishes the accounts that it was asked for in a
 * section that clients can only read; clients look there first, without any
 * system call, and ask the package for what they do not find.
 *
 * Each place has a sequence count, odd while it is written. Who reads copies
 * the place and then looks whether the count is still the same; what was being
 * written is a miss. Readers believe the package, nobody believes readers.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <windows.h>
#include <ntstatus.h>
#include <ntsecapi.h>

#include <lsabuf_account.h>

#include "internal.h"

#define CACHE_MAGIC 0x6c736131
/* A power of two */
#define NR_PLACES 512
/* How long what is published counts, in seconds */
#define LIFETIME 60

/**
 * struct place - one account
 * @sequence: odd while the rest is written, 0 while there is nothing
 * @hash: of the name
 * @expires: in seconds of CLOCK_MONOTONIC
 * @uid: user id
 * @gid: id of the primary group
 * @nr_groups: number of groups
 * @length: bytes of groups and strings
 * @text: offsets of the strings in @data; each ends with a NUL
 * @data: groups, then strings
 */
struct place {
	_Atomic uint32_t sequence;
	uint32_t hash;
	uint64_t expires;
	uint32_t uid;
	uint32_t gid;
	uint16_t nr_groups;
	uint16_t length;
	uint16_t text[LSABUF_ACCOUNT_STRINGS];
	char data[LSABUF_ACCOUNT_DATA];
};

struct cache {
	uint32_t magic;
	uint32_t nr_places;
	char pad[56];
	struct place places[NR_PLACES];
};

/* FNV-1a */
static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261U;

	while (*name)
		hash = (hash ^ (unsigned char)*name++) * 16777619U;
	return hash ^ hash >> 16;
}

/* Without a system call, and as old as the last tick at most */
static uint64_t now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec;
}

LSABUF_EXPORT size_t lsabuf_account_cache_size(void)
{
	return sizeof(struct cache);
}

LSABUF_EXPORT void lsabuf_account_cache_init(void *memory)
{
	struct cache *cache = memory;

	cache->nr_places = NR_PLACES;
	__atomic_store_n(&cache->magic, CACHE_MAGIC, __ATOMIC_RELEASE);
}

static void fill_place(struct place *place,
		       const struct lsabuf_account *account, uint32_t hash)
{
	size_t i, used = account->nr_groups * sizeof(uint32_t), length;

	place->hash = hash;
	place->expires = now_seconds() + LIFETIME;
	place->uid = account->uid;
	place->gid = account->gid;
	place->nr_groups = account->nr_groups;
	memcpy(place->data, account->groups, used);
	for (i = 0; i < LSABUF_ACCOUNT_STRINGS; i++) {
		length = strlen(account->strings[i]) + 1;
		memcpy(place->data + used, account->strings[i], length);
		place->text[i] = used;
		used += length;
	}
	place->length = used;
}

static bool fits(const struct lsabuf_account *account)
{
	size_t i, size = account->nr_groups * sizeof(uint32_t);

	for (i = 0; i < LSABUF_ACCOUNT_STRINGS && size <= LSABUF_ACCOUNT_DATA;
	     i++)
		size += strlen(account->strings[i]) + 1;
	return size <= LSABUF_ACCOUNT_DATA;
}

LSABUF_EXPORT void lsabuf_account_publish(void *memory,
					  const struct lsabuf_account *account)
{
	uint32_t hash = hash_of(account->strings[LSABUF_ACCOUNT_NAME]);
	struct cache *cache = memory;
	struct place *place = &cache->places[hash % NR_PLACES];
	uint32_t sequence;

	if (account->nr_groups > LSABUF_ACCOUNT_DATA / sizeof(uint32_t) ||
	    !fits(account))
		return;
	sequence = atomic_load_explicit(&place->sequence, memory_order_relaxed);
	atomic_store_explicit(&place->sequence, sequence + 1,
			      memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	fill_place(place, account, hash);
	atomic_store_explicit(&place->sequence, sequence + 2,
			      memory_order_release);
}

static void describe(struct lsabuf_account *account, const struct place *place)
{
	size_t i;

	account->uid = place->uid;
	account->gid = place->gid;
	account->nr_groups = place->nr_groups;
	account->groups = (const uint32_t *)account->data;
	for (i = 0; i < LSABUF_ACCOUNT_STRINGS; i++)
		account->strings[i] = account->data + place->text[i];
}

LSABUF_EXPORT int lsabuf_account_find(const void *memory, const char *name,
				      struct lsabuf_account *account)
{
	const struct cache *cache = memory;
	uint32_t hash = hash_of(name), sequence;
	const struct place *place = &cache->places[hash % NR_PLACES];
	struct place head;

	sequence = atomic_load_explicit(&place->sequence, memory_order_acquire);
	if (!sequence || sequence & 1)
		return -ENOENT;
	/* All but the data, which may be short */
	memcpy(&head, place, offsetof(struct place, data));
	if (head.hash != hash || head.length > sizeof(account->data))
		return -ENOENT;
	memcpy(account->data, place->data, head.length);
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load_explicit(&place->sequence, memory_order_relaxed) !=
	    sequence)
		return -ENOENT;
	if (head.expires <= now_seconds())
		return -ENOENT;
	describe(account, &head);
	return strcmp(account->strings[LSABUF_ACCOUNT_NAME], name) ? -ENOENT :
								     0;
}

/*
 * Asking the package
 */

static NTSTATUS ask(void *lsa, ULONG type, const char *name, void **reply)
{
	struct {
		ACCOUNT_QUERY query;
		WCHAR name[256];
	} message = { .query.MessageType = type };
	NTSTATUS status, protocol_status;
	ULONG package, used = 0, length;
	STRING text;

	*reply = NULL;
	if (name &&
	    !NT_SUCCESS(RtlUTF8ToUnicodeN(message.name, sizeof(message.name),
					  &used, name, strlen(name))))
		return STATUS_NAME_TOO_LONG;
	message.query.Name.Buffer = message.name;
	message.query.Name.Length = used;
	message.query.Name.MaximumLength = used;
	RtlInitString(&text, ACCOUNT_PACKAGE_NAME);
	status = LsaLookupAuthenticationPackage(lsa, &text, &package);
	if (!NT_SUCCESS(status))
		return status;
	status = LsaCallAuthenticationPackage(lsa, package, &message,
					      sizeof(message.query) + used,
					      reply, &length, &protocol_status);
	return NT_SUCCESS(status) ? protocol_status : status;
}

LSABUF_EXPORT int32_t lsabuf_account_open(void *lsa, const void **cache)
{
	const struct cache *found;
	ACCOUNT_CACHE *reply;
	NTSTATUS status;

	*cache = NULL;
	status = ask(lsa, AccountQueryCache, NULL, (void **)&reply);
	if (!NT_SUCCESS(status))
		return status;
	found = (const struct cache *)(uintptr_t)reply->Address;
	/* Another version of the package has another layout */
	if (reply->Size == sizeof(*found) && found->magic == CACHE_MAGIC &&
	    found->nr_places == NR_PLACES)
		*cache = found;
	LsaFreeReturnBuffer(reply);
	return *cache ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
}

/* The strings of a reply, in UTF-8, behind one another */
static bool take_strings(const ACCOUNT_INFORMATION *reply, size_t used,
			 struct lsabuf_account *account)
{
	const UNICODE_STRING *strings[LSABUF_ACCOUNT_STRINGS] = {
		&reply->Name, &reply->Password, &reply->Comment,
		&reply->Home, &reply->Shell,
	};
	ULONG length;
	size_t i;

	for (i = 0; i < LSABUF_ACCOUNT_STRINGS; i++) {
		if (used >= sizeof(account->data) ||
		    RtlUnicodeToUTF8N(account->data + used,
				      sizeof(account->data) - used - 1, &length,
				      strings[i]->Buffer, strings[i]->Length))
			return false;
		account->strings[i] = account->data + used;
		account->data[used + length] = '\0';
		used += length + 1;
	}
	return true;
}

static bool take_reply(const ACCOUNT_INFORMATION *reply,
		       struct lsabuf_account *account)
{
	size_t used = reply->GroupCount * sizeof(uint32_t);

	account->uid = reply->UserId;
	account->gid = reply->GroupId;
	account->nr_groups = reply->GroupCount;
	account->groups = (const uint32_t *)account->data;
	if (reply->GroupCount > sizeof(account->data) / sizeof(uint32_t))
		return false;
	memcpy(account->data, reply->Groups, used);
	return take_strings(reply, used, account);
}

LSABUF_EXPORT int32_t lsabuf_account_get(void *lsa, const void *cache,
					 const char *name,
					 struct lsabuf_account *account)
{
	void *reply;
	NTSTATUS status;

	if (cache && !lsabuf_account_find(cache, name, account))
		return STATUS_SUCCESS;
	status = ask(lsa, AccountQueryByName, name, &reply);
	if (NT_SUCCESS(status) && !take_reply(reply, account))
		status = STATUS_BUFFER_TOO_SMALL;
	LsaFreeReturnBuffer(reply);
	return status;
}
