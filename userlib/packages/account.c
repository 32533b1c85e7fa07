// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The package "account": answers questions about users from the account
 * database of the machine. See lsabuf_account.h for its messages.
 *
 * The submit buffer is a private copy, so it does not change while it is
 * looked at; but what it says is the client's word: every length and address
 * is checked before it is used.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>
#include <ntstatus.h>
#include <ntsecapi.h>
#include <ntsecpkg.h>

#include <lsabuf_account.h>
#include <lsabuf_host.h>

#include "narrow.h"

/* More than any entry or list of groups that makes sense */
#define MAX_ENTRY (1024 * 1024)
#define MAX_GROUPS 65536
/* A user's name in UTF-8: at most 3 bytes for a 16-bit unit */
#define MAX_NAME 256

#define NR_STRINGS 5

DECLSPEC_EXPORT LSA_AP_INITIALIZE_PACKAGE LsaApInitializePackage;
DECLSPEC_EXPORT LSA_AP_CALL_PACKAGE LsaApCallPackage;
DECLSPEC_EXPORT LSA_AP_CALL_PACKAGE LsaApCallPackageUntrusted;

static PLSA_SECPKG_FUNCTION_TABLE lsa;

/* The messages as 32-bit clients lay them out */
struct string_32 {
	USHORT length;
	USHORT maximum_length;
	ULONG buffer;
};

struct query_32 {
	ULONG message_type;
	ULONG user_id;
	struct string_32 name;
};

struct information_32 {
	ULONG user_id;
	ULONG group_id;
	struct string_32 strings[NR_STRINGS];
	ULONG group_count;
	ULONG groups;
};

/**
 * struct question - what the client wants to know
 * @cache: asks for the cache
 * @by_id: asks for @uid rather than @name
 * @in_pieces: the reply is to be copied piece by piece
 * @is_32_bit: the reply is for a 32-bit client
 * @uid: user id
 * @name: user name
 */
struct question {
	bool cache;
	bool by_id;
	bool in_pieces;
	bool is_32_bit;
	uid_t uid;
	char name[3 * MAX_NAME + 1];
};

/**
 * struct account - what the database says
 * @entry: the user; its strings are in @buffer
 * @buffer: allocated
 * @groups: allocated
 * @nr_groups: number of @groups
 */
struct account {
	struct passwd entry;
	char *buffer;
	gid_t *groups;
	int nr_groups;
};

/*
 * The name's place in the submit buffer: its address is that in the client's
 * memory, or an offset. Clients' buffers never lie at addresses as low as that.
 */
static bool find_name(const UNICODE_STRING *name, uintptr_t client_base,
		      ULONG length, size_t *offset)
{
	uintptr_t place = (uintptr_t)name->Buffer;

	if (place >= client_base && place - client_base <= length)
		place -= client_base;
	if (place > length || name->Length > length - place)
		return false;
	*offset = place;
	return true;
}

static NTSTATUS read_name(const UNICODE_STRING *name, const char *submit,
			  uintptr_t client_base, ULONG length,
			  struct question *question)
{
	WCHAR units[MAX_NAME];
	size_t offset;
	ULONG used;

	if (!name->Length || name->Length % sizeof(WCHAR) ||
	    !find_name(name, client_base, length, &offset))
		return STATUS_INVALID_PARAMETER;
	if (name->Length > sizeof(units))
		return STATUS_NAME_TOO_LONG;
	/* The place may be an odd one */
	memcpy(units, submit + offset, name->Length);
	if (!NT_SUCCESS(RtlUnicodeToUTF8N(question->name,
					  sizeof(question->name) - 1, &used,
					  units, name->Length)))
		return STATUS_INVALID_PARAMETER;
	question->name[used] = '\0';
	/* A NUL within would ask for somebody else */
	if (strlen(question->name) != used)
		return STATUS_INVALID_PARAMETER;
	return STATUS_SUCCESS;
}

static void widen_query(const struct query_32 *narrow, ACCOUNT_QUERY *query)
{
	query->MessageType = narrow->message_type;
	query->UserId = narrow->user_id;
	query->Name.Length = narrow->name.length;
	query->Name.MaximumLength = narrow->name.maximum_length;
	query->Name.Buffer = (PWSTR)(uintptr_t)narrow->name.buffer;
}

static NTSTATUS read_query(const void *submit, ULONG length, bool is_32_bit,
			   ACCOUNT_QUERY *query)
{
	struct query_32 narrow;

	if (!submit || length < (is_32_bit ? sizeof(narrow) : sizeof(*query)))
		return STATUS_INVALID_PARAMETER;
	if (is_32_bit) {
		memcpy(&narrow, submit, sizeof(narrow));
		widen_query(&narrow, query);
	} else {
		memcpy(query, submit, sizeof(*query));
	}
	return STATUS_SUCCESS;
}

static NTSTATUS read_question(const void *submit, const void *client_base,
			      ULONG length, struct question *question)
{
	bool is_32_bit = is_narrow_client(lsa);
	ACCOUNT_QUERY query;
	NTSTATUS status;

	status = read_query(submit, length, is_32_bit, &query);
	if (!NT_SUCCESS(status))
		return status;
	*question = (struct question){ .uid = query.UserId,
				       .is_32_bit = is_32_bit };
	switch (query.MessageType) {
	case AccountQueryCache:
		question->cache = true;
		return STATUS_SUCCESS;
	case AccountQueryByIdPieces:
		question->in_pieces = true;
		/* fallthrough */
	case AccountQueryById:
		question->by_id = true;
		return STATUS_SUCCESS;
	case AccountQueryByNamePieces:
		question->in_pieces = true;
		/* fallthrough */
	case AccountQueryByName:
		return read_name(&query.Name, submit, (uintptr_t)client_base,
				 length, question);
	default:
		return STATUS_INVALID_PARAMETER;
	}
}

static NTSTATUS entry_status(int error)
{
	switch (error) {
	/* What getpwnam_r(3) lists for "not found", besides 0 */
	case ENOENT:
	case ESRCH:
	case EBADF:
	case EPERM:
		return STATUS_NO_SUCH_USER;
	case ENOMEM:
		return STATUS_NO_MEMORY;
	default:
		return STATUS_INTERNAL_ERROR;
	}
}

static int get_entry(const struct question *question, struct account *account,
		     size_t size, struct passwd **found)
{
	int ret;

	do {
		if (question->by_id)
			ret = getpwuid_r(question->uid, &account->entry,
					 account->buffer, size, found);
		else
			ret = getpwnam_r(question->name, &account->entry,
					 account->buffer, size, found);
	} while (ret == EINTR);
	return ret;
}

static NTSTATUS find_entry(const struct question *question,
			   struct account *account)
{
	struct passwd *found;
	size_t size;
	char *larger;
	int ret;

	for (size = 1024; size <= MAX_ENTRY; size *= 2) {
		larger = realloc(account->buffer, size);
		if (!larger)
			return STATUS_NO_MEMORY;
		account->buffer = larger;
		ret = get_entry(question, account, size, &found);
		if (ret == ERANGE)
			continue;
		if (ret)
			return entry_status(ret);
		return found ? STATUS_SUCCESS : STATUS_NO_SUCH_USER;
	}
	return STATUS_INTERNAL_ERROR;
}

static NTSTATUS find_groups(struct account *account)
{
	int room = 32, wanted;
	gid_t *larger;

	while (room <= MAX_GROUPS) {
		larger = reallocarray(account->groups, room, sizeof(*larger));
		if (!larger)
			return STATUS_NO_MEMORY;
		account->groups = larger;
		wanted = room;
		account->nr_groups = getgrouplist(account->entry.pw_name,
						  account->entry.pw_gid,
						  account->groups, &wanted);
		if (account->nr_groups >= 0)
			return STATUS_SUCCESS;
		/* It says how many there are, but they may become more */
		room = wanted > room ? wanted : 2 * room;
	}
	return STATUS_INTERNAL_ERROR;
}

static void forget_account(struct account *account)
{
	free(account->buffer);
	free(account->groups);
}

/* Where passwords are not shadowed this field has the hash of one */
static const char *shown_password(const struct passwd *entry)
{
	return strlen(entry->pw_passwd) > 1 ? "x" : entry->pw_passwd;
}

/**
 * struct reply - the reply before it is copied
 * @block: allocated: the client's form of @information, groups, strings
 * @size: bytes of it
 * @header: bytes of it for the information
 * @address: of the block in the client
 * @information: with addresses of the client
 */
struct reply {
	char *block;
	size_t size;
	size_t header;
	PVOID address;
	ACCOUNT_INFORMATION information;
};

/*
 * Put a text at the place @used, as UTF-16 with a NUL. The string describes it
 * by the address that it will have in the client.
 */
static NTSTATUS put_text(struct reply *reply, size_t *used, const char *text,
			 UNICODE_STRING *string)
{
	WCHAR *units = (WCHAR *)(reply->block + *used);
	size_t room = strlen(text) * sizeof(WCHAR);
	ULONG length;

	if (room + sizeof(WCHAR) > UNICODE_STRING_MAX_BYTES)
		return STATUS_NAME_TOO_LONG;
	if (!NT_SUCCESS(RtlUTF8ToUnicodeN(units, room, &length, text,
					  strlen(text))))
		return STATUS_INTERNAL_ERROR;
	string->Length = length;
	string->MaximumLength = length + sizeof(WCHAR);
	string->Buffer = (PWSTR)((uintptr_t)reply->address + *used);
	*used += string->MaximumLength;
	return STATUS_SUCCESS;
}

static void list_texts(const struct passwd *entry, const char **texts)
{
	texts[0] = entry->pw_name;
	texts[1] = shown_password(entry);
	texts[2] = entry->pw_gecos;
	texts[3] = entry->pw_dir;
	texts[4] = entry->pw_shell;
}

static void list_strings(ACCOUNT_INFORMATION *information,
			 UNICODE_STRING **strings)
{
	strings[0] = &information->Name;
	strings[1] = &information->Password;
	strings[2] = &information->Comment;
	strings[3] = &information->Home;
	strings[4] = &information->Shell;
}

/* UTF-16 takes at most one unit for each byte of UTF-8 */
static size_t reply_size(const struct account *account, size_t header)
{
	const char *texts[NR_STRINGS];
	size_t size, i;

	size = header + account->nr_groups * sizeof(ULONG);
	list_texts(&account->entry, texts);
	for (i = 0; i < NR_STRINGS; i++)
		size += (strlen(texts[i]) + 1) * sizeof(WCHAR);
	return size;
}

/* Client buffers of 32-bit programs lie where 32 bits reach */
static void put_narrow_header(struct reply *reply)
{
	struct information_32 *narrow = (struct information_32 *)reply->block;
	UNICODE_STRING *strings[NR_STRINGS];
	int i;

	narrow->user_id = reply->information.UserId;
	narrow->group_id = reply->information.GroupId;
	narrow->group_count = reply->information.GroupCount;
	narrow->groups = (uintptr_t)reply->information.Groups;
	list_strings(&reply->information, strings);
	for (i = 0; i < NR_STRINGS; i++) {
		narrow->strings[i].length = strings[i]->Length;
		narrow->strings[i].maximum_length = strings[i]->MaximumLength;
		narrow->strings[i].buffer = (uintptr_t)strings[i]->Buffer;
	}
}

static NTSTATUS fill_reply(const struct account *account, struct reply *reply)
{
	ACCOUNT_INFORMATION *information = &reply->information;
	size_t used = reply->header;
	UNICODE_STRING *strings[NR_STRINGS];
	const char *texts[NR_STRINGS];
	NTSTATUS status;
	int i;

	information->UserId = account->entry.pw_uid;
	information->GroupId = account->entry.pw_gid;
	information->GroupCount = account->nr_groups;
	information->Groups = (PULONG)((uintptr_t)reply->address + used);
	memcpy(reply->block + used, account->groups,
	       account->nr_groups * sizeof(ULONG));
	used += account->nr_groups * sizeof(ULONG);

	list_texts(&account->entry, texts);
	list_strings(information, strings);
	for (i = 0; i < NR_STRINGS; i++) {
		status = put_text(reply, &used, texts[i], strings[i]);
		if (!NT_SUCCESS(status))
			return status;
	}
	if (reply->header == sizeof(*information))
		memcpy(reply->block, information, sizeof(*information));
	else
		put_narrow_header(reply);
	return STATUS_SUCCESS;
}

static NTSTATUS send_whole(PLSA_CLIENT_REQUEST request,
			   const struct reply *reply)
{
	return lsa->CopyToClientBuffer(request, reply->size, reply->address,
				       reply->block);
}

/* @address is the client's: the same distance from its block's begin here */
static NTSTATUS send_piece(PLSA_CLIENT_REQUEST request,
			   const struct reply *reply, PVOID address,
			   ULONG length)
{
	size_t offset = (uintptr_t)address - (uintptr_t)reply->address;

	return lsa->CopyToClientBuffer(request, length, address,
				       reply->block + offset);
}

static NTSTATUS send_pieces(PLSA_CLIENT_REQUEST request, struct reply *reply)
{
	ACCOUNT_INFORMATION *information = &reply->information;
	UNICODE_STRING *strings[NR_STRINGS];
	NTSTATUS status;
	int i;

	list_strings(information, strings);
	for (i = 0; i < NR_STRINGS; i++) {
		status = send_piece(request, reply, strings[i]->Buffer,
				    strings[i]->MaximumLength);
		if (!NT_SUCCESS(status))
			return status;
	}
	status = send_piece(request, reply, information->Groups,
			    information->GroupCount * sizeof(ULONG));
	if (!NT_SUCCESS(status))
		return status;
	return send_piece(request, reply, reply->address, reply->header);
}

static NTSTATUS send_reply(PLSA_CLIENT_REQUEST request,
			   const struct question *question,
			   const struct account *account, struct reply *reply)
{
	NTSTATUS status;

	reply->header = question->is_32_bit ? sizeof(struct information_32) :
					      sizeof(ACCOUNT_INFORMATION);
	reply->size = reply_size(account, reply->header);
	reply->block = lsa->AllocatePrivateHeap(reply->size);
	if (!reply->block)
		return STATUS_NO_MEMORY;
	status = lsa->AllocateClientBuffer(request, reply->size,
					   &reply->address);
	if (!NT_SUCCESS(status))
		goto out_free_block;
	status = fill_reply(account, reply);
	if (NT_SUCCESS(status))
		status = question->in_pieces ? send_pieces(request, reply) :
					       send_whole(request, reply);
	if (!NT_SUCCESS(status)) {
		lsa->FreeClientBuffer(request, reply->address);
		reply->address = NULL;
	}
out_free_block:
	lsa->FreePrivateHeap(reply->block);
	return status;
}

/*
 * The cache, see lsabuf_account.h: shared with clients that ask for it, who
 * cannot write there. Without one, all goes on as it would.
 */
static int cache_section = -1;
static void *cache_memory;
static pthread_mutex_t cache_mutex = PTHREAD_MUTEX_INITIALIZER;

static void create_cache(void)
{
	struct lsabuf_section_create details = { 0 };
	size_t size = lsabuf_account_cache_size();

	cache_section = lsabuf_section_create(lsabuf_host_authority(), size,
					      size, &details);
	if (cache_section < 0)
		return;
	cache_memory = (void *)(uintptr_t)details.out_address;
	lsabuf_account_cache_init(cache_memory);
}

static void publish(const struct account *account)
{
	struct lsabuf_account entry = {
		.uid = account->entry.pw_uid,
		.gid = account->entry.pw_gid,
		.nr_groups = account->nr_groups,
		.groups = account->groups,
	};

	if (!cache_memory)
		return;
	list_texts(&account->entry, entry.strings);
	pthread_mutex_lock(&cache_mutex);
	lsabuf_account_publish(cache_memory, &entry);
	pthread_mutex_unlock(&cache_mutex);
}

static NTSTATUS share_cache(PLSA_CLIENT_REQUEST request, PVOID *return_buffer,
			    PULONG return_length)
{
	ACCOUNT_CACHE reply = { .Size = lsabuf_account_cache_size() };
	uint64_t address;
	NTSTATUS status;
	int ret;

	if (!cache_memory)
		return STATUS_NOT_SUPPORTED;
	ret = lsabuf_host_section_share(request, cache_section,
					LSABUF_SECTION_SHARE_F_READONLY,
					&address);
	if (ret)
		return lsabuf_status(ret, LSABUF_SUBJECT_REQUEST);
	reply.Address = address;
	status = lsa->AllocateClientBuffer(request, sizeof(reply),
					   return_buffer);
	if (!NT_SUCCESS(status))
		return status;
	*return_length = sizeof(reply);
	return lsa->CopyToClientBuffer(request, sizeof(reply), *return_buffer,
				       &reply);
}

/* The outcome is the protocol status: the question itself was a proper one */
static NTSTATUS answer(PLSA_CLIENT_REQUEST request,
		       const struct question *question, PVOID *return_buffer,
		       PULONG return_length)
{
	struct account account = { 0 };
	struct reply reply = { 0 };
	NTSTATUS status;

	if (question->cache)
		return share_cache(request, return_buffer, return_length);
	status = find_entry(question, &account);
	if (NT_SUCCESS(status))
		status = find_groups(&account);
	if (NT_SUCCESS(status))
		publish(&account);
	if (NT_SUCCESS(status))
		status = send_reply(request, question, &account, &reply);
	if (NT_SUCCESS(status)) {
		*return_buffer = reply.address;
		*return_length = reply.size;
	}
	forget_account(&account);
	return status;
}

NTSTATUS NTAPI LsaApCallPackageUntrusted(PLSA_CLIENT_REQUEST request,
					 PVOID submit, PVOID client_base,
					 ULONG length, PVOID *return_buffer,
					 PULONG return_length,
					 PNTSTATUS protocol_status)
{
	struct question question;
	NTSTATUS status;

	*return_buffer = NULL;
	*return_length = 0;
	status = read_question(submit, client_base, length, &question);
	if (!NT_SUCCESS(status))
		return status;
	*protocol_status =
		answer(request, &question, return_buffer, return_length);
	return STATUS_SUCCESS;
}

/* Logon processes are told no more than others */
NTSTATUS NTAPI LsaApCallPackage(PLSA_CLIENT_REQUEST request, PVOID submit,
				PVOID client_base, ULONG length,
				PVOID *return_buffer, PULONG return_length,
				PNTSTATUS protocol_status)
{
	return LsaApCallPackageUntrusted(request, submit, client_base, length,
					 return_buffer, return_length,
					 protocol_status);
}

/* The struct and its text in one block: the LSA frees it */
static PLSA_STRING make_name(const char *text)
{
	size_t length = strlen(text);
	PLSA_STRING name;

	name = lsa->AllocateLsaHeap(sizeof(*name) + length + 1);
	if (!name)
		return NULL;
	name->Buffer = (PCHAR)(name + 1);
	name->Length = length;
	name->MaximumLength = length + 1;
	memcpy(name->Buffer, text, length);
	return name;
}

NTSTATUS NTAPI LsaApInitializePackage(ULONG package_id,
				      PLSA_DISPATCH_TABLE table,
				      PLSA_STRING database,
				      PLSA_STRING confidentiality,
				      PLSA_STRING *package_name)
{
	UNREFERENCED_PARAMETER(package_id);
	UNREFERENCED_PARAMETER(database);
	UNREFERENCED_PARAMETER(confidentiality);
	/* The dispatch table is the begin of the whole one */
	lsa = (PLSA_SECPKG_FUNCTION_TABLE)table;
	create_cache();
	*package_name = make_name(ACCOUNT_PACKAGE_NAME);
	return *package_name ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
