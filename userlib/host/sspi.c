// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Credentials and contexts of security packages.
 *
 * What a package finds in the buffers of a context call:
 *
 * - buffers that hold tokens have been mapped: pvBuffer is a private copy in
 *   this process, for input and output alike;
 * - all others have SECBUFFER_UNMAPPED set and the client's address: MapBuffer
 *   maps them, or the package copies by itself;
 * - with *_REQ_ALLOCATE_MEMORY the outputs have no memory: the package puts in
 *   a block of the LSA heap, which is given to the client and freed here, or
 *   one of AllocateClientBuffer.
 *
 * What the client gets back of it is in check_output() and write_output().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ntstatus.h>

#include "../src/protocol.h"
#include "lsahost.h"

/**
 * struct context_call - a call of SpInitLsaModeContext or its counterpart
 * @message: what the client sent
 * @request: for the services
 * @client: id of its connection
 * @package: who is to answer
 * @credential: handle that the client gave, or NULL
 * @context: handle that the client gave, or NULL: a new one
 * @buffers: input and output, as the package gets them
 * @input: the same as it takes them
 * @output: the same
 * @allocate: the client wants its outputs allocated
 * @new_context: what the package made
 * @attributes: of it
 * @expiry: of it
 * @mapped: the client is to have @data
 * @data: for the part of the package that runs in the client
 */
struct context_call {
	struct message message;
	PLSA_CLIENT_REQUEST request;
	uint64_t client;
	const struct package *package;
	struct handle *credential;
	struct handle *context;
	SecBuffer buffers[2 * MESSAGE_MAX_BUFFERS];
	SecBufferDesc input;
	SecBufferDesc output;
	bool allocate;
	LSA_SEC_HANDLE new_context;
	ULONG attributes;
	TimeStamp expiry;
	BOOLEAN mapped;
	SecBuffer data;
};

static PLSA_SECPKG_FUNCTION_TABLE lsa(void)
{
	return lsabuf_host_table();
}

/*
 * Replies
 */

static NTSTATUS reply_bytes(struct answer *answer, void *bytes, size_t length)
{
	if (!bytes)
		return STATUS_INSUFFICIENT_RESOURCES;
	answer->payload = bytes;
	answer->length = length;
	return STATUS_SUCCESS;
}

static NTSTATUS reply_handle(struct answer *answer, uint64_t value,
			     const struct package *package, LONGLONG expiry)
{
	struct lsa_sspi_reply *reply = calloc(1, sizeof(*reply));

	if (reply) {
		reply->handle = value;
		reply->package = package->id;
		reply->expiry = expiry;
	}
	return reply_bytes(answer, reply, sizeof(*reply));
}

static void describe(const struct package *package,
		     struct lsa_package_info *info)
{
	info->id = package->id;
	info->capabilities = package->info.fCapabilities;
	info->version = package->info.wVersion;
	info->rpc_id = package->info.wRPCID;
	info->max_token = package->info.cbMaxToken;
	info->index = package->index;
	memcpy(info->name, package->name, sizeof(info->name));
	memcpy(info->comment, package->comment, sizeof(info->comment));
	memcpy(info->object, package->object, sizeof(info->object));
}

/* Those that can make contexts; others are for LsaCallAuthenticationPackage */
static bool is_provider(const struct package *package)
{
	return package->table.AcquireCredentialsHandle &&
	       (package->table.InitLsaModeContext ||
		package->table.AcceptLsaModeContext);
}

static NTSTATUS list_packages(struct answer *answer)
{
	struct lsa_package_info *infos;
	const struct package *package;
	ULONG id, n = 0;

	for (id = 0; package_by_id(id); id++)
		n += is_provider(package_by_id(id));
	if (!n) {
		answer->status[1] = SEC_E_SECPKG_NOT_FOUND;
		return STATUS_SUCCESS;
	}
	infos = calloc(n, sizeof(*infos));
	for (id = 0, n = 0; infos && (package = package_by_id(id)); id++)
		if (is_provider(package))
			describe(package, &infos[n++]);
	return reply_bytes(answer, infos, n * sizeof(*infos));
}

/*
 * The package may have made more shared memory meanwhile: the client has it
 * before it learns of the outcome.
 */
static NTSTATUS share_after(NTSTATUS status)
{
	NTSTATUS shared = STATUS_SUCCESS;

	if (NT_SUCCESS(status))
		shared = lsabuf_host_share(NULL);
	return NT_SUCCESS(shared) ? status : shared;
}

/*
 * Credentials
 */

static const struct package *find_package(const UNICODE_STRING *name)
{
	const struct package *package;
	STRING plain;

	if (!NT_SUCCESS(RtlUnicodeStringToAnsiString(&plain, name, TRUE)))
		return NULL;
	package = package_by_name(&plain);
	RtlFreeAnsiString(&plain);
	return package;
}

/*
 * The client may die while its call is at work, and its handles be run down
 * before this one is among them: so look once more when it is.
 */
static uint64_t add_handle(int fd, const struct lsabuf_reply_receive *request,
			   enum handle_kind kind, const struct package *package,
			   LSA_SEC_HANDLE value)
{
	uint64_t handle = handle_add(request->out_client, kind, package, value);
	struct lsabuf_identity identity;

	if (handle &&
	    lsabuf_identity(fd, request->out_id, &identity, NULL, 0) == -ESRCH)
		handles_rundown(request->out_client);
	return handle;
}

static NTSTATUS acquire(int fd, const struct lsabuf_reply_receive *request,
			const struct package *package, struct message *message,
			struct answer *answer)
{
	LUID logon_id = { .LowPart = message->fixed->logon_id,
			  .HighPart = message->fixed->logon_id >> 32 };
	bool has_id = message->fixed->flags & LSA_SSPI_F_LOGON_ID;
	LSA_SEC_HANDLE credential = 0;
	struct session_info session;
	TimeStamp expiry = { 0 };
	NTSTATUS status;
	uint64_t handle;

	if (!package->table.AcquireCredentialsHandle)
		return SEC_E_UNSUPPORTED_FUNCTION;
	/* Packages take the session for what the client may use */
	if (has_id && (!session_get(&logon_id, &session) ||
		       !logon_may_use(fd, request, &session)))
		return SEC_E_NOT_OWNER;
	status = package->table.AcquireCredentialsHandle(
		message->name.Buffer ? &message->name : NULL,
		message->fixed->requirements, has_id ? &logon_id : NULL,
		(PVOID)(uintptr_t)message->fixed->address, NULL, NULL,
		&credential, &expiry);
	if (!NT_SUCCESS(status))
		return status;
	handle =
		add_handle(fd, request, HANDLE_CREDENTIAL, package, credential);
	if (!handle) {
		if (package->table.FreeCredentialsHandle)
			package->table.FreeCredentialsHandle(credential);
		return SEC_E_INSUFFICIENT_MEMORY;
	}
	status = share_after(status);
	if (NT_SUCCESS(status) &&
	    !NT_SUCCESS(reply_handle(answer, handle, package, expiry.QuadPart)))
		status = SEC_E_INSUFFICIENT_MEMORY;
	if (!NT_SUCCESS(status))
		handle_close(request->out_client, HANDLE_CREDENTIAL, handle);
	return status;
}

static NTSTATUS query(uint64_t client, enum handle_kind kind,
		      const struct lsa_sspi_message *fixed)
{
	bool is_context = kind == HANDLE_CONTEXT;
	struct handle *handle;
	SpQueryContextAttributesFn *entry;
	NTSTATUS status;

	handle = handle_get(client, kind,
			    is_context ? fixed->context : fixed->credential);
	if (!handle)
		return STATUS_INVALID_HANDLE;
	entry = is_context ? handle->package->table.QueryContextAttributes :
			     handle->package->table.QueryCredentialsAttributes;
	status = entry ? entry(handle->lsa, fixed->attribute,
			       (PVOID)(uintptr_t)fixed->address) :
			 SEC_E_UNSUPPORTED_FUNCTION;
	handle_put(handle);
	return share_after(status);
}

/*
 * Contexts: what the package gets
 */

static bool is_read_only(ULONG type)
{
	return type & (SECBUFFER_READONLY | SECBUFFER_READONLY_WITH_CHECKSUM);
}

static bool is_token(ULONG type)
{
	return (type & ~SECBUFFER_ATTRMASK) == SECBUFFER_TOKEN;
}

static NTSTATUS prepare_buffer(const struct lsa_sspi_buffer *from,
			       SecBuffer *to)
{
	to->cbBuffer = from->length;
	/* What only packages see is not the client's to say */
	to->BufferType = from->type & ~SECBUFFER_RESERVED;
	to->pvBuffer = (PVOID)(uintptr_t)from->address;
	if (!to->pvBuffer || !to->cbBuffer)
		return STATUS_SUCCESS;
	to->BufferType |= SECBUFFER_UNMAPPED;
	return is_token(to->BufferType) ? lsa()->MapBuffer(to, to) :
					  STATUS_SUCCESS;
}

static NTSTATUS prepare_buffers(struct context_call *call)
{
	const struct message *message = &call->message;
	SecBuffer *buffer = call->buffers;
	NTSTATUS status;
	ULONG i;

	call->input.cBuffers = message->fixed->nr_input;
	call->input.pBuffers = buffer;
	for (i = 0; i < message->fixed->nr_input; i++) {
		status = prepare_buffer(&message->input[i], buffer++);
		if (!NT_SUCCESS(status))
			return status;
	}
	call->output.cBuffers = message->fixed->nr_output;
	call->output.pBuffers = buffer;
	for (i = 0; i < message->fixed->nr_output; i++, buffer++) {
		if (call->allocate) {
			buffer->BufferType = message->output[i].type &
					     ~SECBUFFER_RESERVED;
			continue;
		}
		status = prepare_buffer(&message->output[i], buffer);
		if (!NT_SUCCESS(status))
			return status;
	}
	return STATUS_SUCCESS;
}

/*
 * Contexts: what the client gets. Nothing, when the package failed; otherwise,
 * be the status STATUS_SUCCESS or a SEC_I_*, for each output buffer
 *
 *	it is marked read-only		nothing
 *	it has no bytes any more	its length, 0
 *	still as it came, unmapped	its length: the package copied by itself
 *	in a snapshot of this request	its bytes, back to where they came from
 *	allocated, of the LSA heap	a client buffer with its bytes
 *	allocated, a client buffer	that
 *	more than the client's buffer	SEC_E_BUFFER_TOO_SMALL for the whole call
 *	other memory			SEC_E_INTERNAL_ERROR for the whole call
 *
 * The lengths and types of input buffers go back as well, no bytes of them.
 */

static bool is_as_it_came(const SecBuffer *now,
			  const struct lsa_sspi_buffer *before)
{
	if (!now->pvBuffer && !before->address)
		return true;
	return now->BufferType & SECBUFFER_UNMAPPED &&
	       (uintptr_t)now->pvBuffer == before->address;
}

static NTSTATUS check_output(const struct context_call *call, ULONG i)
{
	const struct lsa_sspi_buffer *before = &call->message.output[i];
	const SecBuffer *now = &call->output.pBuffers[i];

	if (is_read_only(before->type) || !now->cbBuffer || call->allocate)
		return STATUS_SUCCESS;
	if (now->cbBuffer > before->length)
		return SEC_E_BUFFER_TOO_SMALL;
	if (is_as_it_came(now, before) ||
	    lsabuf_host_is_snapshot(now->pvBuffer, now->cbBuffer))
		return STATUS_SUCCESS;
	return SEC_E_INTERNAL_ERROR;
}

/* What a package has allocated for the client does not get there */
static void drop_output(const struct context_call *call, SecBuffer *now)
{
	if (lsabuf_host_is_client_buffer(now->pvBuffer))
		lsa()->FreeClientBuffer(call->request, now->pvBuffer);
	else
		lsa()->FreeLsaHeap(now->pvBuffer);
	now->pvBuffer = NULL;
}

/* A block of the heap becomes one of the client */
static NTSTATUS hand_over(const struct context_call *call, SecBuffer *now)
{
	PVOID heap = now->pvBuffer, block;
	NTSTATUS status;

	if (!heap || lsabuf_host_is_client_buffer(heap))
		return STATUS_SUCCESS;
	if (!now->cbBuffer) {
		drop_output(call, now);
		return STATUS_SUCCESS;
	}
	status = lsa()->AllocateClientBuffer(call->request, now->cbBuffer,
					     &block);
	if (!NT_SUCCESS(status))
		return status;
	status = lsa()->CopyToClientBuffer(call->request, now->cbBuffer, block,
					   heap);
	if (!NT_SUCCESS(status)) {
		lsa()->FreeClientBuffer(call->request, block);
		return status;
	}
	now->pvBuffer = block;
	RtlSecureZeroMemory(heap, now->cbBuffer);
	lsa()->FreeLsaHeap(heap);
	return status;
}

static NTSTATUS write_output(const struct context_call *call, ULONG i)
{
	const struct lsa_sspi_buffer *before = &call->message.output[i];
	SecBuffer *now = &call->output.pBuffers[i];

	if (is_read_only(before->type)) {
		if (call->allocate)
			drop_output(call, now);
		now->cbBuffer = before->length;
		return STATUS_SUCCESS;
	}
	if (call->allocate)
		return hand_over(call, now);
	if (now->cbBuffer && !is_as_it_came(now, before))
		return lsa()->CopyToClientBuffer(
			call->request, now->cbBuffer,
			(PVOID)(uintptr_t)before->address, now->pvBuffer);
	return STATUS_SUCCESS;
}

static NTSTATUS write_outputs(struct context_call *call)
{
	NTSTATUS status = STATUS_SUCCESS;
	ULONG i;

	/* First see whether all can be done: one short buffer spoils the token */
	for (i = 0; i < call->output.cBuffers && NT_SUCCESS(status); i++)
		status = check_output(call, i);
	for (i = 0; i < call->output.cBuffers && NT_SUCCESS(status); i++)
		status = write_output(call, i);
	return status;
}

/*
 * Of what was allocated for the client nothing is left when it does not get
 * it. A package that fails itself has cleaned up; its client buffers go with
 * the request in any case that matters: the client is not told of them.
 */
static void drop_outputs(struct context_call *call)
{
	ULONG i;

	if (!call->allocate)
		return;
	for (i = 0; i < call->output.cBuffers; i++)
		drop_output(call, &call->output.pBuffers[i]);
}

static void put_buffer(const struct context_call *call, bool is_output,
		       const SecBuffer *now,
		       const struct lsa_sspi_buffer *before,
		       struct lsa_sspi_buffer *reply)
{
	reply->length = now->cbBuffer;
	reply->type = now->BufferType &
		      ~(SECBUFFER_UNMAPPED | SECBUFFER_KERNEL_MAP);
	/* The package's own addresses are nobody else's business */
	reply->address = is_output && call->allocate &&
					 !is_read_only(before->type) ?
				 (uintptr_t)now->pvBuffer :
				 before->address;
}

static NTSTATUS reply_context(const struct context_call *call, uint64_t handle,
			      struct answer *answer)
{
	ULONG nr = call->input.cBuffers + call->output.cBuffers, i;
	size_t data =
		call->mapped && call->data.pvBuffer ? call->data.cbBuffer : 0;
	size_t length = sizeof(struct lsa_sspi_reply) +
			nr * sizeof(struct lsa_sspi_buffer) + data;
	struct lsa_sspi_reply *reply = calloc(1, length);
	struct lsa_sspi_buffer *buffer;

	if (!reply)
		return STATUS_INSUFFICIENT_RESOURCES;
	reply->handle = handle;
	reply->expiry = call->expiry.QuadPart;
	reply->attributes = call->attributes;
	reply->package = call->package->id;
	reply->nr_buffers = nr;
	reply->mapped = call->mapped;
	reply->data_length = data;
	buffer = (void *)(reply + 1);
	/* Behind the input buffers come the output buffers, in both arrays */
	for (i = 0; i < nr; i++)
		put_buffer(call, i >= call->input.cBuffers, &call->buffers[i],
			   &call->message.input[i], buffer++);
	if (data)
		memcpy(buffer, call->data.pvBuffer, data);
	return reply_bytes(answer, reply, length);
}

/*
 * Contexts: the call
 */

static NTSTATUS find_handles(struct context_call *call)
{
	const struct lsa_sspi_message *fixed = call->message.fixed;

	if (fixed->credential) {
		call->credential = handle_get(call->client, HANDLE_CREDENTIAL,
					      fixed->credential);
		if (!call->credential)
			return STATUS_INVALID_HANDLE;
		call->package = call->credential->package;
	}
	if (fixed->context) {
		call->context = handle_get(call->client, HANDLE_CONTEXT,
					   fixed->context);
		if (!call->context)
			return STATUS_INVALID_HANDLE;
		if (call->package && call->package != call->context->package)
			return SEC_E_WRONG_CREDENTIAL_HANDLE;
		call->package = call->context->package;
	}
	return call->package ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

static NTSTATUS call_package(struct context_call *call, bool accept)
{
	const struct lsa_sspi_message *fixed = call->message.fixed;
	const SECPKG_FUNCTION_TABLE *table = &call->package->table;
	LSA_SEC_HANDLE credential = call->credential ? call->credential->lsa :
						       0;
	LSA_SEC_HANDLE context = call->context ? call->context->lsa : 0;
	PSecBufferDesc input = fixed->flags & LSA_SSPI_F_INPUT ? &call->input :
								 NULL;

	if (accept)
		return table->AcceptLsaModeContext ?
			       table->AcceptLsaModeContext(
				       credential, context, input,
				       fixed->requirements, fixed->data_rep,
				       &call->new_context, &call->output,
				       &call->attributes, &call->expiry,
				       &call->mapped, &call->data) :
			       SEC_E_UNSUPPORTED_FUNCTION;
	return table->InitLsaModeContext ?
		       table->InitLsaModeContext(
			       credential, context,
			       call->message.name.Buffer ? &call->message.name :
							   NULL,
			       fixed->requirements, fixed->data_rep, input,
			       &call->new_context, &call->output,
			       &call->attributes, &call->expiry, &call->mapped,
			       &call->data) :
		       SEC_E_UNSUPPORTED_FUNCTION;
}

/* The package has succeeded: so must all else, or its context goes again */
static NTSTATUS deliver(int fd, const struct lsabuf_reply_receive *request,
			struct context_call *call, struct answer *answer)
{
	const SECPKG_FUNCTION_TABLE *table = &call->package->table;
	NTSTATUS status = share_after(STATUS_SUCCESS);
	uint64_t handle;

	if (NT_SUCCESS(status))
		status = write_outputs(call);

	if (call->context) {
		handle = call->message.fixed->context;
		/* A package may go on with another one */
		if (NT_SUCCESS(status) && call->new_context)
			call->context->lsa = call->new_context;
		return NT_SUCCESS(status) ?
			       reply_context(call, handle, answer) :
			       status;
	}
	handle = 0;
	if (NT_SUCCESS(status)) {
		status = SEC_E_INSUFFICIENT_MEMORY;
		handle = add_handle(fd, request, HANDLE_CONTEXT, call->package,
				    call->new_context);
	}
	if (handle)
		status = reply_context(call, handle, answer);
	if (NT_SUCCESS(status))
		return status;
	if (handle)
		handle_close(call->client, HANDLE_CONTEXT, handle);
	else if (table->DeleteContext)
		table->DeleteContext(call->new_context);
	return status;
}

static NTSTATUS run_context(int fd, const struct lsabuf_reply_receive *request,
			    struct context_call *call, bool accept,
			    struct answer *answer)
{
	NTSTATUS status, delivered;

	status = find_handles(call);
	if (NT_SUCCESS(status))
		status = prepare_buffers(call);
	if (!NT_SUCCESS(status))
		return status;
	status = call_package(call, accept);
	if (NT_SUCCESS(status)) {
		delivered = deliver(fd, request, call, answer);
		if (!NT_SUCCESS(delivered)) {
			drop_outputs(call);
			status = delivered;
		}
	}
	if (call->data.pvBuffer) {
		RtlSecureZeroMemory(call->data.pvBuffer, call->data.cbBuffer);
		lsa()->FreeLsaHeap(call->data.pvBuffer);
	}
	return status;
}

static NTSTATUS context(int fd, const struct lsabuf_reply_receive *request,
			struct message *message, PLSA_CLIENT_REQUEST handle,
			struct answer *answer)
{
	bool accept = request->out_kind == LSA_MESSAGE_ACCEPT_CONTEXT;
	struct context_call call = {
		.message = *message,
		.request = handle,
		.client = request->out_client,
		/* Both requirements have the same bit for it */
		.allocate = message->fixed->requirements &
			    ISC_REQ_ALLOCATE_MEMORY,
	};
	NTSTATUS status;

	status = run_context(fd, request, &call, accept, answer);
	if (call.context)
		handle_put(call.context);
	if (call.credential)
		handle_put(call.credential);
	return status;
}

static NTSTATUS apply_token(const struct lsabuf_reply_receive *request,
			    struct message *message)
{
	struct context_call call = {
		.message = *message,
		.client = request->out_client,
	};
	NTSTATUS status;

	status = find_handles(&call);
	if (NT_SUCCESS(status) && !call.context)
		status = STATUS_INVALID_HANDLE;
	if (NT_SUCCESS(status))
		status = prepare_buffers(&call);
	if (NT_SUCCESS(status))
		status = call.package->table.ApplyControlToken ?
				 call.package->table.ApplyControlToken(
					 call.context->lsa, &call.input) :
				 SEC_E_UNSUPPORTED_FUNCTION;
	status = share_after(status);
	if (call.context)
		handle_put(call.context);
	if (call.credential)
		handle_put(call.credential);
	return status;
}

/*
 * Messages
 */

/* Whose work it will be; NULL where the client names nothing that there is */
static const struct package *
package_of(const struct lsabuf_reply_receive *request,
	   const struct message *message)
{
	const struct lsa_sspi_message *fixed = message->fixed;

	switch (request->out_kind) {
	case LSA_MESSAGE_ACQUIRE_CREDENTIALS:
		return find_package(&message->package);
	case LSA_MESSAGE_INIT_CONTEXT:
	case LSA_MESSAGE_ACCEPT_CONTEXT:
		if (!fixed->credential)
			break;
		return handle_package(request->out_client, HANDLE_CREDENTIAL,
				      fixed->credential);
	case LSA_MESSAGE_FREE_CREDENTIALS:
	case LSA_MESSAGE_QUERY_CREDENTIALS:
		return handle_package(request->out_client, HANDLE_CREDENTIAL,
				      fixed->credential);
	}
	return handle_package(request->out_client, HANDLE_CONTEXT,
			      fixed->context);
}

static NTSTATUS ask_package(int fd, const struct lsabuf_reply_receive *request,
			    const struct package *package,
			    struct message *message, PLSA_CLIENT_REQUEST handle,
			    struct answer *answer)
{
	const struct lsa_sspi_message *fixed = message->fixed;
	uint64_t client = request->out_client;

	switch (request->out_kind) {
	case LSA_MESSAGE_ACQUIRE_CREDENTIALS:
		return acquire(fd, request, package, message, answer);
	case LSA_MESSAGE_FREE_CREDENTIALS:
		return handle_close(client, HANDLE_CREDENTIAL,
				    fixed->credential);
	case LSA_MESSAGE_QUERY_CREDENTIALS:
		return query(client, HANDLE_CREDENTIAL, fixed);
	case LSA_MESSAGE_INIT_CONTEXT:
	case LSA_MESSAGE_ACCEPT_CONTEXT:
		return context(fd, request, message, handle, answer);
	case LSA_MESSAGE_DELETE_CONTEXT:
		return handle_close(client, HANDLE_CONTEXT, fixed->context);
	case LSA_MESSAGE_QUERY_CONTEXT:
		return query(client, HANDLE_CONTEXT, fixed);
	default:
		return apply_token(request, message);
	}
}

/**
 * sspi_answer() - answer a request about security packages
 * @fd: authority
 * @request: received and not yet answered
 * @answer: its second status is what the package said
 *
 * Return: STATUS_SUCCESS if it could be asked.
 */
NTSTATUS sspi_answer(int fd, const struct lsabuf_reply_receive *request,
		     struct answer *answer)
{
	const struct package *package;
	PLSA_CLIENT_REQUEST handle;
	struct message message;
	NTSTATUS status;

	if (request->out_kind == LSA_MESSAGE_PACKAGES)
		return list_packages(answer);
	if (request->out_kind < LSA_MESSAGE_ACQUIRE_CREDENTIALS ||
	    request->out_kind > LSA_MESSAGE_APPLY_TOKEN)
		return STATUS_INVALID_SYSTEM_SERVICE;
	if (!message_parse((void *)(uintptr_t)request->out_submit_address,
			   request->out_submit_length, &message))
		return STATUS_INVALID_PARAMETER;
	package = package_of(request, &message);
	if (!package) {
		answer->status[1] =
			request->out_kind == LSA_MESSAGE_ACQUIRE_CREDENTIALS ?
				SEC_E_SECPKG_NOT_FOUND :
				STATUS_INVALID_HANDLE;
		return STATUS_SUCCESS;
	}
	status = package_enter(package, fd, request, &handle);
	if (!NT_SUCCESS(status))
		return status;
	answer->status[1] =
		ask_package(fd, request, package, &message, handle, answer);
	package_leave(handle);
	return status;
}
