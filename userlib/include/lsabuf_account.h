/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages of the package "account", which answers questions about the users
 * of the machine. Everybody may ask; nothing secret is told.
 *
 * Submit an ACCOUNT_QUERY. The reply is one buffer that holds an
 * ACCOUNT_INFORMATION and what its pointers point to; free it as a whole with
 * LsaFreeReturnBuffer().
 *
 * Protocol status: STATUS_NO_SUCH_USER, or what kept the package from finding
 * out. Call status: STATUS_INVALID_PARAMETER for a message that is not well
 * formed. 32-bit clients use the same structs, with pointers of their own size.
 */
#ifndef _LSABUF_ACCOUNT_H
#define _LSABUF_ACCOUNT_H

#include <stddef.h>
#include <stdint.h>

#include <windows.h>

#define ACCOUNT_PACKAGE_NAME "account"

/**
 * enum _ACCOUNT_MESSAGE_TYPE - what is asked, and how the reply is built
 * @AccountQueryByName: the user called Name
 * @AccountQueryById: the user with the id UserId
 * @AccountQueryByNamePieces: as AccountQueryByName, same reply
 * @AccountQueryByIdPieces: as AccountQueryById, same reply
 * @AccountQueryCache: where the cache lies in the caller: the reply is an
 *	ACCOUNT_CACHE. For lsabuf_account_open()
 *
 * Packages build replies in two ways: one copy of a block whose pointers have
 * been turned into the client's, or one copy for each piece. The first two
 * types do the former, the others the latter.
 */
typedef enum _ACCOUNT_MESSAGE_TYPE {
	AccountQueryByName = 1,
	AccountQueryById = 2,
	AccountQueryByNamePieces = 3,
	AccountQueryByIdPieces = 4,
	AccountQueryCache = 5,
} ACCOUNT_MESSAGE_TYPE;

/**
 * struct _ACCOUNT_QUERY - the question
 * @MessageType: ACCOUNT_MESSAGE_TYPE
 * @UserId: for the types ById
 * @Name: for the types ByName. Buffer is the address of text within the submit
 *	buffer, or its offset from the submit buffer's begin
 */
typedef struct _ACCOUNT_QUERY {
	ULONG MessageType;
	ULONG UserId;
	UNICODE_STRING Name;
} ACCOUNT_QUERY, *PACCOUNT_QUERY;

/**
 * struct _ACCOUNT_INFORMATION - the answer
 * @UserId: user id
 * @GroupId: id of the user's primary group
 * @Name: the user's name
 * @Password: what the database shows in place of a password: one character,
 *	or nothing. A hash is never shown
 * @Comment: full name and such ("gecos")
 * @Home: home directory
 * @Shell: login shell
 * @GroupCount: number of Groups
 * @Groups: ids of all groups that the user is in, the primary one too
 *
 * The strings end with a NUL that Length does not count.
 */
typedef struct _ACCOUNT_INFORMATION {
	ULONG UserId;
	ULONG GroupId;
	UNICODE_STRING Name;
	UNICODE_STRING Password;
	UNICODE_STRING Comment;
	UNICODE_STRING Home;
	UNICODE_STRING Shell;
	ULONG GroupCount;
	PULONG Groups;
} ACCOUNT_INFORMATION, *PACCOUNT_INFORMATION;

/**
 * struct _ACCOUNT_CACHE - where the cache is
 * @Address: in the caller's memory, read-only
 * @Size: bytes
 */
typedef struct _ACCOUNT_CACHE {
	ULONG64 Address;
	ULONG64 Size;
} ACCOUNT_CACHE, *PACCOUNT_CACHE;

/*
 * The cache: accounts that the package was asked for lately, in memory that it
 * shares with its clients. To look there costs no system call.
 */

#ifdef __cplusplus
extern "C" {
#endif

/* The strings of an account, in the order of getent passwd */
#define LSABUF_ACCOUNT_NAME 0
#define LSABUF_ACCOUNT_PASSWORD 1
#define LSABUF_ACCOUNT_COMMENT 2
#define LSABUF_ACCOUNT_HOME 3
#define LSABUF_ACCOUNT_SHELL 4
#define LSABUF_ACCOUNT_STRINGS 5
/* Room for groups and strings: what needs more is not in the cache */
#define LSABUF_ACCOUNT_DATA 456

/**
 * struct lsabuf_account - an account, in UTF-8
 * @uid: user id
 * @gid: id of the primary group
 * @nr_groups: number of groups
 * @groups: ids of all groups, the primary one too
 * @strings: by LSABUF_ACCOUNT_*
 * @data: where groups and strings are
 */
struct lsabuf_account {
	uint32_t uid;
	uint32_t gid;
	uint32_t nr_groups;
	const uint32_t *groups;
	const char *strings[LSABUF_ACCOUNT_STRINGS];
	char data[LSABUF_ACCOUNT_DATA];
};

/**
 * lsabuf_account_open() - ask for the cache
 * @lsa: handle of LsaConnectUntrusted() or LsaRegisterLogonProcess()
 * @cache: the cache, good as long as the process lives; NULL on failure
 *
 * Return: an NTSTATUS. Without a cache, lsabuf_account_get() works as well.
 */
int32_t lsabuf_account_open(void *lsa, const void **cache);

/**
 * lsabuf_account_find() - look into the cache
 * @cache: from lsabuf_account_open()
 * @name: of the user
 * @account: filled in
 *
 * No system call. Safe in any thread and in signal handlers.
 *
 * Return: 0, or -ENOENT: not there, or being written just now.
 */
int lsabuf_account_find(const void *cache, const char *name,
			struct lsabuf_account *account);

/**
 * lsabuf_account_get() - look into the cache, and else ask the package
 * @lsa: handle
 * @cache: from lsabuf_account_open(), or NULL
 * @name: of the user
 * @account: filled in
 *
 * Return: an NTSTATUS: STATUS_NO_SUCH_USER, STATUS_BUFFER_TOO_SMALL more
 * groups or text than a struct lsabuf_account holds, or that of the call.
 */
int32_t lsabuf_account_get(void *lsa, const void *cache, const char *name,
			   struct lsabuf_account *account);

/*
 * The package's half
 */

/**
 * lsabuf_account_cache_size() - bytes that a cache takes
 */
size_t lsabuf_account_cache_size(void);

/**
 * lsabuf_account_cache_init() - make an empty cache
 * @memory: lsabuf_account_cache_size() bytes of zeroes, shared read-only
 */
void lsabuf_account_cache_init(void *memory);

/**
 * lsabuf_account_publish() - put an account into the cache
 * @memory: the cache
 * @account: @data may be unused; groups and strings anywhere
 *
 * One thread at a time. It counts for a minute, or until another one that
 * belongs at the same place is published. One that is too large is not.
 */
void lsabuf_account_publish(void *memory, const struct lsabuf_account *account);

#ifdef __cplusplus
}
#endif

#endif /* _LSABUF_ACCOUNT_H */
