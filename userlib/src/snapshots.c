// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * MapBuffer: memory of the client that a package has in its own process.
 *
 * Whether a buffer has been mapped is told from where it lies: in memory that
 * the kernel has copied for this very request, all of it. SECBUFFER_UNMAPPED
 * is cleared when that has been done, but nothing is believed for its sake:
 * both kinds of address are numbers that a client may have made up, and what
 * lies in a snapshot of its own request is its own.
 */
#include <stdlib.h>

#include <ntstatus.h>

#include "internal.h"
#include "services.h"

static bool covers(uintptr_t first, size_t size, uintptr_t start, size_t length)
{
	return start >= first && start - first <= size &&
	       length <= size - (start - first);
}

/**
 * host_snapshot_has() - whether memory is a copy made for a request
 * @request: the request
 * @start: first byte, any pointer
 * @length: bytes, not 0
 *
 * Return: true if all of it lies in the submit buffer or in one range that has
 * been mapped.
 */
bool host_snapshot_has(const struct host_request *request, const void *start,
		       size_t length)
{
	const struct host_snapshot *snapshot;

	if (covers(request->received.out_submit_address,
		   request->received.out_submit_length, (uintptr_t)start,
		   length))
		return true;
	for (snapshot = request->snapshots; snapshot; snapshot = snapshot->next)
		if (covers(snapshot->start, snapshot->length, (uintptr_t)start,
			   length))
			return true;
	return false;
}

/* The memory itself goes with the reply */
void host_snapshots_forget(struct host_request *request)
{
	struct host_snapshot *snapshot;

	while ((snapshot = request->snapshots)) {
		request->snapshots = snapshot->next;
		free(snapshot);
	}
}

LSABUF_EXPORT bool lsabuf_host_is_snapshot(const void *address, size_t length)
{
	const struct host_request *request = host_request_current();

	return request && host_snapshot_has(request, address, length);
}

static bool needs_mapping(const struct host_request *request,
			  const SecBuffer *buffer)
{
	/* A call from inside: the client is this process */
	if (host_request_is_inside(request))
		return false;
	return buffer->pvBuffer && buffer->cbBuffer &&
	       !host_snapshot_has(request, buffer->pvBuffer, buffer->cbBuffer);
}

static NTSTATUS map(struct host_request *request, SecBuffer *buffer)
{
	struct host_snapshot *snapshot = malloc(sizeof(*snapshot));
	void *copy;
	int ret;

	if (!snapshot)
		return STATUS_NO_MEMORY;
	ret = lsabuf_map(request->fd, request->received.out_id,
			 (uintptr_t)buffer->pvBuffer, buffer->cbBuffer, &copy);
	if (ret) {
		free(snapshot);
		return lsabuf_status(ret, LSABUF_SUBJECT_REQUEST);
	}
	snapshot->start = (uintptr_t)copy;
	snapshot->length = buffer->cbBuffer;
	snapshot->next = request->snapshots;
	request->snapshots = snapshot;
	buffer->pvBuffer = copy;
	return STATUS_SUCCESS;
}

/**
 * service_map_buffer() - MapBuffer of the table
 * @InputBuffer: a buffer of the client, or one that has been mapped
 * @OutputBuffer: where the mapped buffer goes; may be @InputBuffer
 *
 * The copy is private to this process, writable, and goes with the request. A
 * buffer that is mapped already is copied over the output, as is one without
 * bytes. Type and attributes are kept, but for SECBUFFER_UNMAPPED, which is
 * cleared.
 *
 * Return: STATUS_NO_MEMORY in a thread without a request, too; a status as
 * CopyFromClientBuffer gives it. The output is then as it was.
 */
NTSTATUS NTAPI service_map_buffer(PSecBuffer InputBuffer,
				  PSecBuffer OutputBuffer)
{
	struct host_request *request = host_request_current();
	NTSTATUS status;
	SecBuffer buffer;

	if (!InputBuffer || !OutputBuffer)
		return STATUS_INVALID_PARAMETER;
	if (!request)
		return STATUS_NO_MEMORY;
	buffer = *InputBuffer;
	buffer.BufferType &= ~SECBUFFER_UNMAPPED;
	if (needs_mapping(request, &buffer)) {
		status = map(request, &buffer);
		if (!NT_SUCCESS(status))
			return status;
	}
	*OutputBuffer = buffer;
	return STATUS_SUCCESS;
}
