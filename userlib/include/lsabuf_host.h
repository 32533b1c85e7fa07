/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a program needs that hosts packages, as lsahost does. The program
 * receives requests with the native interface (lsabuf.h), tells the library
 * which request the calling thread works for, and calls the package, which
 * reaches the client through the function table.
 */
#ifndef _LSABUF_HOST_H
#define _LSABUF_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include <lsabuf.h>
#include <windows.h>
#include <ntsecapi.h>
#include <ntsecpkg.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef NTSTATUS lsabuf_host_call_package(
	const UNICODE_STRING *name, PLSA_CLIENT_REQUEST request,
	BOOLEAN passthrough, PVOID submit, PVOID client_base, ULONG length,
	PVOID *return_buffer, PULONG return_length, PNTSTATUS status);
typedef void lsabuf_host_report(const char *what, const void *address);
typedef BOOLEAN
lsabuf_host_is_trusted(int fd, const struct lsabuf_reply_receive *request);

/**
 * struct lsabuf_host - what the library asks the program
 * @call_package: CallPackage, CallPackageEx and, with @passthrough,
 *	CallPackagePassthrough of the table: call the package of that name,
 *	which was called from inside, with the request that is given. The
 *	return buffer is in this process. STATUS_NO_SUCH_PACKAGE: there is none
 * @is_trusted: whether the client of this request has what Windows calls
 *	SeTcbPrivilege
 * @report: a package made a mistake with shared memory, which did no harm
 */
struct lsabuf_host {
	lsabuf_host_call_package *call_package;
	lsabuf_host_is_trusted *is_trusted;
	lsabuf_host_report *report;
};

/**
 * lsabuf_host_set() - name the program's functions
 * @host: constant from here on; NULL members are allowed
 *
 * Call it before the first package is loaded.
 */
void lsabuf_host_set(const struct lsabuf_host *host);

/**
 * lsabuf_host_services_set() - bring services that a library has not
 * @services: constant from here on; the members CreateLogonSession,
 *	DeleteLogonSession, AddCredential, GetCredentials, DeleteCredential,
 *	CreateThread, RegisterNotification and CancelNotification count. NULL:
 *	the library says that there is no such service
 *
 * Call it before the first package is loaded.
 */
void lsabuf_host_services_set(const LSA_SECPKG_FUNCTION_TABLE *services);

/**
 * lsabuf_host_table() - the function table for packages
 *
 * It has the full size and lies in read-only memory. The 11 entries of
 * LSA_DISPATCH_TABLE are its begin, and packages rely on getting the rest.
 * No entry is NULL.
 *
 * Return: the table, constant.
 */
PLSA_SECPKG_FUNCTION_TABLE lsabuf_host_table(void);

/**
 * lsabuf_host_begin() - the calling thread works for a request
 * @fd: authority
 * @received: the request as it was received; copied
 *
 * Ends with lsabuf_host_end(), before the reply. Requests nest. A request with
 * LSABUF_REQUEST_F_GONE is none: it is for giving back what a client held that
 * is gone, and packages that ask are told so.
 *
 * Return: what packages get as ClientRequest, or NULL when more than
 * LSABUF_HOST_MAX_REQUESTS are open.
 */
PLSA_CLIENT_REQUEST
lsabuf_host_begin(int fd, const struct lsabuf_reply_receive *received);

/* Most requests that are begun and not ended, in all threads */
#define LSABUF_HOST_MAX_REQUESTS 2048

/**
 * lsabuf_host_end() - the calling thread is done with its latest request
 * @request: as lsabuf_host_begin() returned it
 *
 * Packages that still use it, in other threads, get STATUS_INVALID_HANDLE.
 */
void lsabuf_host_end(PLSA_CLIENT_REQUEST request);

/**
 * lsabuf_host_received() - the client's request that the thread works for
 *
 * From inside (CallPackage), it is the one that the outer package works for.
 *
 * Return: the request as it was received, until lsabuf_host_end(); NULL: the
 * thread works for no client, or for one that is gone.
 */
const struct lsabuf_reply_receive *lsabuf_host_received(void);

/**
 * lsabuf_host_authority_set() - name the authority that packages belong to
 * @fd: authority
 *
 * CreateSharedMemory needs it, also while packages are initialised: call it
 * before the first one is loaded.
 */
void lsabuf_host_authority_set(int fd);

/**
 * lsabuf_host_authority() - the authority that packages belong to
 *
 * For packages that use the native interface besides the table.
 *
 * Return: its descriptor, or -1 where none was named.
 */
int lsabuf_host_authority(void);

/**
 * lsabuf_host_package_set() - the calling thread runs a package
 * @number: from 1 to 255, or 0 for none
 *
 * Memory of CreateSharedMemory belongs to the package that its thread runs,
 * and goes to the clients of that package; without one, to all clients.
 * lsabuf_host_begin() takes the number of its request from here.
 *
 * Return: what it was before.
 */
unsigned int lsabuf_host_package_set(unsigned int number);

/**
 * lsabuf_host_share() - see that the client has its package's shared memory
 * @request: as lsabuf_host_begin() returned it
 *
 * Call it before the package is called, and after it, before the reply: the
 * package may have made more. Costs no system call for a client that has all.
 *
 * Return: STATUS_SUCCESS; STATUS_CONFLICTING_ADDRESSES its address is taken in
 * the client, STATUS_ACCESS_DENIED the client has not consented,
 * STATUS_NO_MEMORY, STATUS_PROCESS_IS_TERMINATING, STATUS_CANCELLED,
 * STATUS_INSUFFICIENT_RESOURCES no thread of it waits.
 */
NTSTATUS lsabuf_host_share(PLSA_CLIENT_REQUEST request);

/**
 * lsabuf_host_section_share() - map a section into the client of a request
 * @request: what the package got as ClientRequest, or NULL
 * @section: the section's descriptor
 * @flags: LSABUF_SECTION_SHARE_F_*
 * @address: where it lies in the client; 0 on failure
 *
 * Return: 0 or -errno of lsabuf_section_share(); -ENOENT: no such request, or
 * one from inside.
 */
int lsabuf_host_section_share(PLSA_CLIENT_REQUEST request, int section,
			      uint32_t flags, uint64_t *address);

/**
 * lsabuf_host_is_snapshot() - whether memory has been mapped
 * @address: first byte, any pointer
 * @length: bytes, not 0
 *
 * Return: true if all of it lies in one snapshot of the thread's request: the
 * submit buffer, or what a package mapped with MapBuffer.
 */
bool lsabuf_host_is_snapshot(const void *address, size_t length);

/**
 * lsabuf_host_is_client_buffer() - whether a block is in the client
 * @address: any pointer
 *
 * Return: true for one of the latest 64 that this thread allocated with
 * AllocateClientBuffer for its request.
 */
bool lsabuf_host_is_client_buffer(const void *address);

/**
 * struct lsabuf_host_heap - blocks of the LSA heap that a thread holds
 * @count: number of the blocks remembered
 * @blocks: these
 *
 * Packages return names from the LSA heap in more than one layout, or not from
 * the heap at all. This tells what of it may be freed.
 */
struct lsabuf_host_heap {
	size_t count;
	PVOID blocks[64];
};

/**
 * lsabuf_host_heap_watch() - remember what this thread allocates and frees
 * @heap: zeroed, remembers the latest allocations which it has room for; NULL
 *	ends it
 */
void lsabuf_host_heap_watch(struct lsabuf_host_heap *heap);

/**
 * lsabuf_host_heap_free() - free a block if it is one of those remembered
 * @heap: no longer watching
 * @block: any pointer
 */
void lsabuf_host_heap_free(struct lsabuf_host_heap *heap, PVOID block);

#ifdef __cplusplus
}
#endif

#endif /* _LSABUF_HOST_H */
