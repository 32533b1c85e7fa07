// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The services of the LSA for packages: what is behind the function table.
 *
 * A ClientRequest of NULL is the calling thread's current request. A thread
 * that has none gets STATUS_NO_MEMORY from the four services for client
 * memory, as in the one open implementation there is; one that gives a handle
 * which is no open request gets STATUS_INVALID_HANDLE.
 *
 * In a call from inside the process (CallPackage) the "client" is this
 * process: its buffers are heap blocks, copies are memmove().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ntstatus.h>

#include "internal.h"
#include "services.h"
#include "shared.h"

static __thread struct lsabuf_host_heap *watching;

/* Where host_request_find() has found none */
static NTSTATUS no_request(PLSA_CLIENT_REQUEST handle)
{
	return handle ? STATUS_INVALID_HANDLE : STATUS_NO_MEMORY;
}

static bool is_inside(const struct host_request *request)
{
	return host_request_is_inside(request);
}

static NTSTATUS request_status(int error)
{
	return error ? lsabuf_status(error, LSABUF_SUBJECT_REQUEST) :
		       STATUS_SUCCESS;
}

/*
 * Memory of the client
 */

NTSTATUS NTAPI service_allocate_client_buffer(PLSA_CLIENT_REQUEST ClientRequest,
					      ULONG LengthRequired,
					      PVOID *ClientBaseAddress)
{
	struct host_request *request;
	uint64_t address;
	int ret;

	if (!ClientBaseAddress)
		return STATUS_INVALID_PARAMETER;
	*ClientBaseAddress = NULL;
	if (!LengthRequired)
		return STATUS_INVALID_PARAMETER;
	request = host_request_find(ClientRequest);
	if (!request)
		return no_request(ClientRequest);
	if (is_inside(request)) {
		*ClientBaseAddress = service_allocate_lsa_heap(LengthRequired);
		return *ClientBaseAddress ? STATUS_SUCCESS : STATUS_NO_MEMORY;
	}
	ret = lsabuf_alloc(request->fd, request->received.out_id,
			   LengthRequired, &address);
	*ClientBaseAddress = (PVOID)(uintptr_t)address;
	if (request == host_request_current())
		request->blocks[request->nr_blocks++ %
				ARRAYSIZE(request->blocks)] =
			*ClientBaseAddress;
	/* The kernel knows one EINVAL here: more than any client may have */
	return ret == -EINVAL ? STATUS_NO_MEMORY : request_status(ret);
}

NTSTATUS NTAPI service_free_client_buffer(PLSA_CLIENT_REQUEST ClientRequest,
					  PVOID ClientBaseAddress)
{
	struct host_request *request;

	if (!ClientBaseAddress)
		return STATUS_SUCCESS;
	request = host_request_find(ClientRequest);
	if (!request)
		return no_request(ClientRequest);
	if (is_inside(request)) {
		service_free_lsa_heap(ClientBaseAddress);
		return STATUS_SUCCESS;
	}
	return lsabuf_status(lsabuf_release(request->fd,
					    request->received.out_id,
					    (uintptr_t)ClientBaseAddress),
			     LSABUF_SUBJECT_BLOCK);
}

/* What is copied to the client may mention shared memory */
static NTSTATUS share_first(struct host_request *request)
{
	return shared_is_stale(request) ? request_status(shared_map(request)) :
					  STATUS_SUCCESS;
}

/* A fault after the first byte leaves a part behind: that has its own status */
static NTSTATUS copy_status(int error, size_t done)
{
	if (error == -EFAULT && done)
		return STATUS_PARTIAL_COPY;
	return request_status(error);
}

static NTSTATUS copy_inside(PVOID destination, const void *source, ULONG length)
{
	if (!destination || !source)
		return STATUS_ACCESS_VIOLATION;
	memmove(destination, source, length);
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI service_copy_to_client_buffer(PLSA_CLIENT_REQUEST ClientRequest,
					     ULONG Length,
					     PVOID ClientBaseAddress,
					     PVOID BufferToCopy)
{
	struct host_request *request;
	NTSTATUS status;
	size_t done;
	int ret;

	if (!Length)
		return STATUS_SUCCESS;
	request = host_request_find(ClientRequest);
	if (!request)
		return no_request(ClientRequest);
	if (is_inside(request))
		return copy_inside(ClientBaseAddress, BufferToCopy, Length);
	status = share_first(request);
	if (!NT_SUCCESS(status))
		return status;
	ret = lsabuf_copy_to(request->fd, request->received.out_id,
			     (uintptr_t)ClientBaseAddress, BufferToCopy, Length,
			     &done);
	return copy_status(ret, done);
}

/* The destination comes before the client's address here: not as above */
NTSTATUS NTAPI service_copy_from_client_buffer(PLSA_CLIENT_REQUEST ClientRequest,
					       ULONG Length, PVOID BufferToCopy,
					       PVOID ClientBaseAddress)
{
	struct host_request *request;
	size_t done;
	int ret;

	if (!Length)
		return STATUS_SUCCESS;
	request = host_request_find(ClientRequest);
	if (!request)
		return no_request(ClientRequest);
	if (is_inside(request))
		return copy_inside(BufferToCopy, ClientBaseAddress, Length);
	ret = lsabuf_copy_from(request->fd, request->received.out_id,
			       BufferToCopy, (uintptr_t)ClientBaseAddress,
			       Length, &done);
	return copy_status(ret, done);
}

/* Blocks that have been freed are still known: they are not handed out twice */
LSABUF_EXPORT bool lsabuf_host_is_client_buffer(const void *address)
{
	const struct host_request *request = host_request_current();
	size_t i, nr;

	if (!request || !address)
		return false;
	nr = request->nr_blocks;
	if (nr > ARRAYSIZE(request->blocks))
		nr = ARRAYSIZE(request->blocks);
	for (i = 0; i < nr; i++)
		if (request->blocks[i] == address)
			return true;
	return false;
}

/*
 * Heaps. Both are that of the C library, so that packages which mix up their
 * allocators, as several do, come to no harm.
 */

static void watch_add(PVOID block)
{
	struct lsabuf_host_heap *heap = watching;

	if (!heap || !block)
		return;
	heap->blocks[heap->count++ % ARRAYSIZE(heap->blocks)] = block;
}

static bool watch_remove(struct lsabuf_host_heap *heap, PVOID block)
{
	size_t i;

	for (i = 0; block && i < ARRAYSIZE(heap->blocks); i++) {
		if (heap->blocks[i] == block) {
			heap->blocks[i] = NULL;
			return true;
		}
	}
	return false;
}

LSABUF_EXPORT void lsabuf_host_heap_watch(struct lsabuf_host_heap *heap)
{
	watching = heap;
}

LSABUF_EXPORT void lsabuf_host_heap_free(struct lsabuf_host_heap *heap,
					 PVOID block)
{
	if (watch_remove(heap, block))
		free(block);
}

/* Zeroed; a length of 0 gives a block as well. NULL: no memory */
PVOID NTAPI service_allocate_lsa_heap(ULONG Length)
{
	return service_allocate_private_heap(Length);
}

VOID NTAPI service_free_lsa_heap(PVOID Base)
{
	if (watching)
		watch_remove(watching, Base);
	free(Base);
}

PVOID NTAPI service_allocate_private_heap(SIZE_T Length)
{
	PVOID block = calloc(1, Length ? Length : 1);

	watch_add(block);
	return block;
}

VOID NTAPI service_free_private_heap(PVOID Base)
{
	service_free_lsa_heap(Base);
}

/*
 * Who calls
 */

static BOOLEAN is_trusted(const struct host_request *request)
{
	const struct lsabuf_host *host = host_get();

	if (is_inside(request))
		return TRUE;
	return host->is_trusted &&
	       host->is_trusted(request->fd, &request->received);
}

/* Until there are logon sessions a user has one: its user id, high part 1 */
static LUID logon_id(const struct host_request *request)
{
	LUID id = { 0 };

	id.LowPart = is_inside(request) ? geteuid() : request->received.out_uid;
	id.HighPart = 1;
	return id;
}

static NTSTATUS client_info(SECPKG_CLIENT_INFO *info)
{
	struct host_request *request = host_request_current();
	struct lsabuf_identity identity;
	int ret;

	if (!request)
		return STATUS_UNSUCCESSFUL;
	if (host_request_is_rundown(request)) {
		info->ClientFlags = SECPKG_CLIENT_PROCESS_TERMINATED;
		return STATUS_PROCESS_IS_TERMINATING;
	}
	info->LogonId = logon_id(request);
	info->HasTcbPrivilege = is_trusted(request);
	info->ImpersonationLevel = SecurityImpersonation;
	if (is_inside(request)) {
		info->ProcessID = getpid();
		info->ThreadID = gettid();
		return STATUS_SUCCESS;
	}
	info->ProcessID = request->received.out_pid;
	info->ThreadID = request->received.out_tid;
	/* Asked for its result only: whether there still is a client */
	ret = lsabuf_identity(request->fd, request->received.out_id, &identity,
			      NULL, 0);
	if (ret == -ESRCH)
		info->ClientFlags = SECPKG_CLIENT_PROCESS_TERMINATED;
	return request_status(ret);
}

NTSTATUS NTAPI service_get_client_info(PSECPKG_CLIENT_INFO ClientInfo)
{
	if (!ClientInfo)
		return STATUS_INVALID_PARAMETER;
	memset(ClientInfo, 0, sizeof(*ClientInfo));
	return client_info(ClientInfo);
}

NTSTATUS NTAPI service_get_client_info_ex(PSECPKG_CLIENT_INFO_EX ClientInfo,
					  ULONG StructSize)
{
	SECPKG_CLIENT_INFO_EX full = { 0 };
	SECPKG_CLIENT_INFO info = { 0 };
	NTSTATUS status;

	if (!ClientInfo || StructSize < sizeof(info))
		return STATUS_INVALID_PARAMETER;
	status = client_info(&info);
	/* The longer struct begins with the members of the shorter one */
	memcpy(&full, &info, sizeof(info));
	full.IdentificationLogonId = info.LogonId;
	memset(ClientInfo, 0, StructSize);
	memcpy(ClientInfo, &full,
	       StructSize < sizeof(full) ? StructSize : sizeof(full));
	return status;
}

static ULONG call_attributes(const struct host_request *request)
{
	ULONG attributes = 0;

	if (host_request_is_rundown(request))
		return SECPKG_CALL_CLEANUP | SECPKG_CALL_PROCESS_TERM;
	if (is_inside(request))
		return SECPKG_CALL_IN_PROC | SECPKG_CALL_IS_TCB |
		       (request->outer ? SECPKG_CALL_RECURSIVE : 0);
	if (request->received.out_flags & LSABUF_REQUEST_F_COMPAT)
		attributes |= SECPKG_CALL_WOWCLIENT;
	if (is_trusted(request))
		attributes |= SECPKG_CALL_IS_TCB;
	return attributes;
}

/*
 * Zeroes where there is no call: one package takes the BOOLEAN for a status,
 * finds both values to be success, and goes on to read.
 */
BOOLEAN NTAPI service_get_call_info(PSECPKG_CALL_INFO Info)
{
	struct host_request *request = host_request_current();

	if (!Info)
		return FALSE;
	memset(Info, 0, sizeof(*Info));
	if (!request)
		return FALSE;
	Info->Attributes = call_attributes(request);
	Info->CallCount = request->sequence;
	if (is_inside(request)) {
		Info->ProcessId = getpid();
		Info->ThreadId = gettid();
	} else {
		Info->ProcessId = request->received.out_pid;
		Info->ThreadId = request->received.out_tid;
	}
	return TRUE;
}

NTSTATUS NTAPI service_get_extended_call_flags(PULONG Flags)
{
	if (!Flags)
		return STATUS_INVALID_PARAMETER;
	*Flags = 0;
	return host_request_current() ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

/* The one public type asks for a session before logon; clients have none here */
NTSTATUS NTAPI service_query_client_request(PLSA_CLIENT_REQUEST ClientRequest,
					    ULONG QueryType, PVOID *ReplyBuffer)
{
	if (!ReplyBuffer)
		return STATUS_INVALID_PARAMETER;
	*ReplyBuffer = NULL;
	if (!host_request_find(ClientRequest))
		return STATUS_INVALID_HANDLE;
	if (QueryType != LSA_QUERY_CLIENT_PRELOGON_SESSION_ID)
		return STATUS_INVALID_PARAMETER;
	return STATUS_NOT_FOUND;
}

/*
 * Files. A HANDLE is a descriptor, here and in the client.
 */

NTSTATUS NTAPI service_duplicate_handle(HANDLE SourceHandle,
					PHANDLE DestinationHandle)
{
	struct host_request *request = host_request_current();
	intptr_t file = (intptr_t)SourceHandle;
	int copy, ret;

	if (!DestinationHandle)
		return STATUS_INVALID_PARAMETER;
	*DestinationHandle = NULL;
	if (!request)
		return STATUS_UNSUCCESSFUL;
	if (host_request_is_rundown(request))
		return STATUS_PROCESS_IS_TERMINATING;
	if (file != (int)file)
		return STATUS_INVALID_HANDLE;
	if (is_inside(request)) {
		/* No HANDLE of this process is NULL */
		copy = fcntl(file, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		ret = copy < 0 ? -errno : 0;
	} else {
		ret = lsabuf_give(request->fd, request->received.out_id, file,
				  &copy);
	}
	if (!ret)
		*DestinationHandle = (HANDLE)(intptr_t)copy;
	return request_status(ret);
}

/*
 * Other packages
 */

static NTSTATUS call_other(PUNICODE_STRING AuthenticationPackage,
			   BOOLEAN passthrough, PVOID ClientBufferBase,
			   PVOID ProtocolSubmitBuffer, ULONG SubmitBufferLength,
			   PVOID *ProtocolReturnBuffer,
			   PULONG ReturnBufferLength, PNTSTATUS ProtocolStatus)
{
	const struct lsabuf_host *host = host_get();
	PLSA_CLIENT_REQUEST request;
	NTSTATUS own_status;
	ULONG own_length;
	PVOID own_buffer;
	NTSTATUS status;

	if (!ProtocolReturnBuffer)
		ProtocolReturnBuffer = &own_buffer;
	if (!ReturnBufferLength)
		ReturnBufferLength = &own_length;
	if (!ProtocolStatus)
		ProtocolStatus = &own_status;
	*ProtocolReturnBuffer = NULL;
	*ReturnBufferLength = 0;
	*ProtocolStatus = STATUS_SUCCESS;
	if (!AuthenticationPackage)
		return STATUS_INVALID_PARAMETER;
	if (!host->call_package)
		return STATUS_NO_SUCH_PACKAGE;

	request = host_request_begin_inside();
	if (!request)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = host->call_package(AuthenticationPackage, request, passthrough,
				    ProtocolSubmitBuffer, ClientBufferBase,
				    SubmitBufferLength, ProtocolReturnBuffer,
				    ReturnBufferLength, ProtocolStatus);
	lsabuf_host_end(request);
	/* Nobody will ask for what nobody has a place for */
	if (ProtocolReturnBuffer == &own_buffer)
		service_free_lsa_heap(own_buffer);
	return status;
}

NTSTATUS NTAPI service_call_package(PUNICODE_STRING AuthenticationPackage,
				    PVOID ProtocolSubmitBuffer,
				    ULONG SubmitBufferLength,
				    PVOID *ProtocolReturnBuffer,
				    PULONG ReturnBufferLength,
				    PNTSTATUS ProtocolStatus)
{
	return call_other(AuthenticationPackage, FALSE, ProtocolSubmitBuffer,
			  ProtocolSubmitBuffer, SubmitBufferLength,
			  ProtocolReturnBuffer, ReturnBufferLength,
			  ProtocolStatus);
}

/* With the address that pointers in the message are relative to */
NTSTATUS NTAPI service_call_package_ex(PUNICODE_STRING AuthenticationPackage,
				       PVOID ClientBufferBase,
				       PVOID ProtocolSubmitBuffer,
				       ULONG SubmitBufferLength,
				       PVOID *ProtocolReturnBuffer,
				       PULONG ReturnBufferLength,
				       PNTSTATUS ProtocolStatus)
{
	return call_other(AuthenticationPackage, FALSE, ClientBufferBase,
			  ProtocolSubmitBuffer, SubmitBufferLength,
			  ProtocolReturnBuffer, ReturnBufferLength,
			  ProtocolStatus);
}

/* The same, to the other package's LsaApCallPackagePassthrough */
NTSTATUS NTAPI service_call_package_passthrough(
	PUNICODE_STRING AuthenticationPackage, PVOID ClientBufferBase,
	PVOID ProtocolSubmitBuffer, ULONG SubmitBufferLength,
	PVOID *ProtocolReturnBuffer, PULONG ReturnBufferLength,
	PNTSTATUS ProtocolStatus)
{
	return call_other(AuthenticationPackage, TRUE, ClientBufferBase,
			  ProtocolSubmitBuffer, SubmitBufferLength,
			  ProtocolReturnBuffer, ReturnBufferLength,
			  ProtocolStatus);
}
