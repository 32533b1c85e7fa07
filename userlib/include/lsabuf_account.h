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

#include <windows.h>

#define ACCOUNT_PACKAGE_NAME "account"

/**
 * enum _ACCOUNT_MESSAGE_TYPE - what is asked, and how the reply is built
 * @AccountQueryByName: the user called Name
 * @AccountQueryById: the user with the id UserId
 * @AccountQueryByNamePieces: as AccountQueryByName, same reply
 * @AccountQueryByIdPieces: as AccountQueryById, same reply
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

#endif /* _LSABUF_ACCOUNT_H */
