/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages of the package "share", which tests try shared memory with. */
#ifndef SHARE_H
#define SHARE_H

#include <windows.h>

#define SHARE_PACKAGE_NAME "share"

/* Bytes that the package's section may have */
#define SHARE_MAX (16 * 1024 * 1024)

/**
 * enum share_code - what the package is to do
 * @SHARE_COMMON: return the address of one block, the same for all
 * @SHARE_NEW: make another section, and return the address of a block in it
 * @SHARE_NEW_THERE: the same, but the address goes into the common block
 * @SHARE_ALLOCATE: return the address of a new block of @argument bytes
 * @SHARE_FREE: free the block at @address
 * @SHARE_RULES: try the rules of the four functions; the protocol status is
 *	the number of the line that is not as it should be, or success
 * @SHARE_CHURN: allocate and free @argument blocks; answers likewise
 * @SHARE_BASE: return the lowest address of the section
 */
enum share_code {
	SHARE_COMMON = 1,
	SHARE_NEW,
	SHARE_NEW_THERE,
	SHARE_ALLOCATE,
	SHARE_FREE,
	SHARE_RULES,
	SHARE_CHURN,
	SHARE_BASE,
};

struct share_message {
	ULONG code;
	ULONG argument;
	ULONG64 address;
};

#endif /* SHARE_H */
