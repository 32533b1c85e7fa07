/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of liblsabuf-sspi. Calls go downwards:
 *
 *	ansi.c interface.c	the A forms, the function tables
 *	contexts.c		contexts, and what runs in this process for them
 *	credentials.c		credentials
 *	packages.c		which packages there are; their part in this process
 *	ranges.c		what memory a call opens to the authority
 *	connection.c		the connection and a call on it
 *	heap.c			what FreeContextBuffer() frees
 *	fork.c			what becomes of the locks
 */
#ifndef LSABUF_SSPI_CLIENT_H
#define LSABUF_SSPI_CLIENT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lsabuf.h>
#include <windows.h>
#include <ntstatus.h>
#include <ntsecapi.h>
#include <ntsecpkg.h>
#include <winternl.h>
#include <sspi.h>

#include "../src/protocol.h"

#define SSPI_EXPORT __attribute__((visibility("default")))

#define SSPI_MAX_BUFFERS 32

/* In the order in which they are taken; see fork.c */
extern pthread_mutex_t packages_lock;
extern pthread_mutex_t contexts_lock;
extern pthread_mutex_t connection_lock;
extern pthread_mutex_t heap_lock;

/* heap.c */
PVOID NTAPI heap_allocate(ULONG length);
VOID NTAPI heap_free(PVOID block);
bool heap_owns(PVOID block);

/* ranges.c */

/**
 * struct ranges - what a call opens to the authority
 * @nr: number of ranges
 * @range: the ranges
 */
struct ranges {
	uint32_t nr;
	struct lsabuf_range range[LSABUF_MAX_RANGES];
};

bool ranges_add(struct ranges *ranges, const void *start, size_t length,
		uint32_t flags);
bool ranges_add_identity(struct ranges *ranges, const void *identity);

/* connection.c */

/**
 * struct request - a call to the authority about security packages
 * @kind: enum lsa_message
 * @fixed: its numbers
 * @input: buffers, or NULL
 * @output: buffers, or NULL
 * @name: principal or target, or NULL
 * @package: name of the package, or NULL
 * @ranges: what it opens
 * @reply: what came back, to be freed with connection_free(), or NULL
 * @reply_length: its length in bytes
 */
struct request {
	uint32_t kind;
	struct lsa_sspi_message fixed;
	const SecBufferDesc *input;
	const SecBufferDesc *output;
	const SEC_WCHAR *name;
	const SEC_WCHAR *package;
	struct ranges ranges;
	void *reply;
	size_t reply_length;
};

SECURITY_STATUS connection_call(struct request *request);
void connection_free(void *block);

static inline uint64_t handle_value(const SecHandle *handle)
{
	return (uint32_t)handle->dwLower | (uint64_t)handle->dwUpper << 32;
}

static inline void handle_set(SecHandle *handle, uint64_t value)
{
	handle->dwLower = (uint32_t)value;
	handle->dwUpper = value >> 32;
}

/* packages.c */
const struct lsa_package_info *packages_get(size_t *nr);
const SECPKG_USER_FUNCTION_TABLE *package_user_functions(ULONG id);

/* ansi.c */
SEC_WCHAR *to_wide(const SEC_CHAR *text, bool *failed);
SEC_CHAR *to_plain(const SEC_WCHAR *text);

#endif /* LSABUF_SSPI_CLIENT_H */
