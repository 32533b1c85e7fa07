// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Contexts. They are made in the authority, where a package exchanges tokens
 * with its counterpart. When it says so, what it has agreed on comes here with
 * the last reply, and the part of the package that runs in this process signs
 * and encrypts with it: without a call to anybody.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

/**
 * struct context - a context that this process knows
 * @next: in the list (contexts_lock)
 * @value: its handle; the upper half is 0 for one that was imported
 * @package: id of its package
 * @functions: the package's part in this process, once it has been mapped
 * @lsa: what that part calls the context
 */
struct context {
	struct context *next;
	uint64_t value;
	ULONG package;
	const SECPKG_USER_FUNCTION_TABLE *functions;
	LSA_SEC_HANDLE lsa;
};

pthread_mutex_t contexts_lock = PTHREAD_MUTEX_INITIALIZER;
static struct context *contexts;
static uint32_t last_import;

static struct context **find_locked(uint64_t value)
{
	struct context **at = &contexts;

	while (*at && (*at)->value != value)
		at = &(*at)->next;
	return at;
}

static struct context *find(const SecHandle *handle)
{
	struct context *context;

	if (!handle)
		return NULL;
	pthread_mutex_lock(&contexts_lock);
	context = *find_locked(handle_value(handle));
	pthread_mutex_unlock(&contexts_lock);
	return context;
}

/* The one there is, or a new one; NULL: no memory */
static struct context *remember(uint64_t value, ULONG package)
{
	struct context *context;

	pthread_mutex_lock(&contexts_lock);
	context = *find_locked(value);
	if (!context) {
		context = calloc(1, sizeof(*context));
		if (context) {
			context->value = value;
			context->package = package;
			context->next = contexts;
			contexts = context;
		}
	}
	pthread_mutex_unlock(&contexts_lock);
	return context;
}

static void forget(struct context *context)
{
	struct context **at;

	pthread_mutex_lock(&contexts_lock);
	at = find_locked(context->value);
	if (*at)
		*at = context->next;
	pthread_mutex_unlock(&contexts_lock);
	if (context->functions && context->functions->DeleteUserModeContext)
		context->functions->DeleteUserModeContext(context->lsa);
	free(context);
}

static bool is_imported(uint64_t value)
{
	return !(value >> 32);
}

static SECURITY_STATUS delete_in_lsa(uint64_t value)
{
	struct request request = {
		.kind = LSA_MESSAGE_DELETE_CONTEXT,
		.fixed.context = value,
	};

	return connection_call(&request);
}

/*
 * Calls that make contexts
 */

static bool is_good(const SecBufferDesc *buffers)
{
	return !buffers || (buffers->cBuffers <= SSPI_MAX_BUFFERS &&
			    (buffers->pBuffers || !buffers->cBuffers));
}

static bool open_buffers(struct ranges *ranges, const SecBufferDesc *buffers,
			 bool output)
{
	const ULONG read_only = SECBUFFER_READONLY |
				SECBUFFER_READONLY_WITH_CHECKSUM;
	uint32_t flags;
	ULONG i;

	for (i = 0; buffers && i < buffers->cBuffers; i++) {
		const SecBuffer *buffer = &buffers->pBuffers[i];

		flags = LSABUF_RANGE_F_READ;
		if (output && !(buffer->BufferType & read_only))
			flags |= LSABUF_RANGE_F_WRITE;
		if (!ranges_add(ranges, buffer->pvBuffer, buffer->cbBuffer,
				flags))
			return false;
	}
	return true;
}

static void take_buffers(SecBufferDesc *buffers,
			 const struct lsa_sspi_buffer *from, bool allocated)
{
	ULONG i;

	for (i = 0; buffers && i < buffers->cBuffers; i++, from++) {
		SecBuffer *to = &buffers->pBuffers[i];

		to->cbBuffer = from->length;
		to->BufferType = (to->BufferType & SECBUFFER_RESERVED) |
				 (from->type & ~SECBUFFER_RESERVED);
		if (allocated)
			to->pvBuffer = (PVOID)(uintptr_t)from->address;
	}
}

/* The package's part in this process gets what the other part has agreed on */
static SECURITY_STATUS map_context(struct context *context,
				   const struct lsa_sspi_reply *reply,
				   const void *data)
{
	const SECPKG_USER_FUNCTION_TABLE *functions =
		package_user_functions(reply->package);
	SecBuffer packed = {
		.cbBuffer = reply->data_length,
		.BufferType = SECBUFFER_DATA,
		.pvBuffer = reply->data_length ? (PVOID)data : NULL,
	};
	LSA_SEC_HANDLE handle = (LSA_SEC_HANDLE)context->value;
	NTSTATUS status;

	if (!functions || !functions->InitUserModeContext)
		return SEC_E_SECPKG_NOT_FOUND;
	status = functions->InitUserModeContext(handle, &packed);
	if (!NT_SUCCESS(status))
		return status;
	context->functions = functions;
	context->lsa = handle;
	return SEC_E_OK;
}

static uint32_t count(const SecBufferDesc *buffers)
{
	return buffers ? buffers->cBuffers : 0;
}

static bool is_sound(const struct request *request)
{
	const struct lsa_sspi_reply *reply = request->reply;
	uint32_t nr = count(request->input) + count(request->output);

	return reply && request->reply_length >= sizeof(*reply) &&
	       reply->nr_buffers == nr &&
	       request->reply_length ==
		       sizeof(*reply) + nr * sizeof(struct lsa_sspi_buffer) +
			       reply->data_length;
}

/**
 * struct outcome - where the results of a call go; each may be NULL
 * @context: the handle
 * @attributes: of the context
 * @expiry: of the context
 */
struct outcome {
	PCtxtHandle context;
	PULONG attributes;
	PTimeStamp expiry;
};

static SECURITY_STATUS take_reply(struct request *request,
				  SECURITY_STATUS status,
				  const struct outcome *outcome)
{
	const struct lsa_sspi_reply *reply = request->reply;
	bool allocated = request->fixed.requirements & ISC_REQ_ALLOCATE_MEMORY;
	const struct lsa_sspi_buffer *buffers = (const void *)(reply + 1);
	SECURITY_STATUS mapped = SEC_E_OK;
	struct context *context;

	context = remember(reply->handle, reply->package);
	if (!context)
		mapped = SEC_E_INSUFFICIENT_MEMORY;
	else if (reply->mapped && !context->functions)
		mapped = map_context(context, reply,
				     buffers + reply->nr_buffers);
	if (!SEC_SUCCESS(mapped) && !request->fixed.context) {
		if (context)
			forget(context);
		delete_in_lsa(reply->handle);
	}
	/* Input first: a buffer that is both has what was written to it */
	take_buffers((SecBufferDesc *)request->input, buffers, false);
	take_buffers((SecBufferDesc *)request->output,
		     buffers + count(request->input), allocated);
	if (!SEC_SUCCESS(mapped))
		return mapped;
	if (outcome->context)
		handle_set(outcome->context, reply->handle);
	if (outcome->attributes)
		*outcome->attributes = reply->attributes;
	if (outcome->expiry)
		outcome->expiry->QuadPart = reply->expiry;
	return status;
}

static SECURITY_STATUS make_context(struct request *request,
				    const SecHandle *credential,
				    const SecHandle *context,
				    const struct outcome *outcome)
{
	bool allocate = request->fixed.requirements & ISC_REQ_ALLOCATE_MEMORY;
	SECURITY_STATUS status;

	if (!credential && !context)
		return SEC_E_INVALID_HANDLE;
	if (!is_good(request->input) || !is_good(request->output))
		return SEC_E_INVALID_PARAMETER;
	request->fixed.credential = credential ? handle_value(credential) : 0;
	request->fixed.context = context ? handle_value(context) : 0;
	if (!open_buffers(&request->ranges, request->input, false) ||
	    (!allocate &&
	     !open_buffers(&request->ranges, request->output, true)))
		return SEC_E_INVALID_PARAMETER;
	status = connection_call(request);
	if (SEC_SUCCESS(status))
		status = is_sound(request) ?
				 take_reply(request, status, outcome) :
				 SEC_E_INTERNAL_ERROR;
	connection_free(request->reply);
	return status;
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY InitializeSecurityContextW(
	PCredHandle credential, PCtxtHandle context, SEC_WCHAR *target,
	ULONG requirements, ULONG reserved1, ULONG target_data_rep,
	PSecBufferDesc input, ULONG reserved2, PCtxtHandle new_context,
	PSecBufferDesc output, PULONG attributes, PTimeStamp expiry)
{
	const struct outcome outcome = { new_context, attributes, expiry };
	struct request request = {
		.kind = LSA_MESSAGE_INIT_CONTEXT,
		.fixed.requirements = requirements,
		.fixed.data_rep = target_data_rep,
		.name = target,
		.input = input,
		.output = output,
	};

	UNREFERENCED_PARAMETER(reserved1);
	UNREFERENCED_PARAMETER(reserved2);
	return make_context(&request, credential, context, &outcome);
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY AcceptSecurityContext(
	PCredHandle credential, PCtxtHandle context, PSecBufferDesc input,
	ULONG requirements, ULONG target_data_rep, PCtxtHandle new_context,
	PSecBufferDesc output, PULONG attributes, PTimeStamp expiry)
{
	const struct outcome outcome = { new_context, attributes, expiry };
	struct request request = {
		.kind = LSA_MESSAGE_ACCEPT_CONTEXT,
		.fixed.requirements = requirements,
		.fixed.data_rep = target_data_rep,
		.input = input,
		.output = output,
	};

	return make_context(&request, credential, context, &outcome);
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY ApplyControlToken(PCtxtHandle context,
							PSecBufferDesc input)
{
	struct request request = {
		.kind = LSA_MESSAGE_APPLY_TOKEN,
		.input = input,
	};

	if (!context)
		return SEC_E_INVALID_HANDLE;
	if (!input || !is_good(input) ||
	    !open_buffers(&request.ranges, input, false))
		return SEC_E_INVALID_PARAMETER;
	request.fixed.context = handle_value(context);
	return connection_call(&request);
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY DeleteSecurityContext(PCtxtHandle context)
{
	struct context *known = find(context);
	uint64_t value;

	if (!context)
		return SEC_E_INVALID_HANDLE;
	value = handle_value(context);
	if (known)
		forget(known);
	if (is_imported(value))
		return known ? SEC_E_OK : SEC_E_INVALID_HANDLE;
	return delete_in_lsa(value);
}

/*
 * Attributes
 */

/* Of those structs that are known. Others are taken to be no longer than this */
static size_t attribute_size(ULONG attribute)
{
	switch (attribute) {
	case SECPKG_ATTR_SIZES:
		return sizeof(SecPkgContext_Sizes);
	case SECPKG_ATTR_NAMES:
		return sizeof(SecPkgContext_NamesW);
	case SECPKG_ATTR_LIFESPAN:
		return sizeof(SecPkgContext_Lifespan);
	case SECPKG_ATTR_STREAM_SIZES:
		return sizeof(SecPkgContext_StreamSizes);
	case SECPKG_ATTR_KEY_INFO:
		return sizeof(SecPkgContext_KeyInfoW);
	case SECPKG_ATTR_PASSWORD_EXPIRY:
		return sizeof(SecPkgContext_PasswordExpiry);
	case SECPKG_ATTR_PACKAGE_INFO:
		return sizeof(SecPkgContext_PackageInfoW);
	case SECPKG_ATTR_USER_FLAGS:
		return sizeof(SecPkgContext_UserFlags);
	case SECPKG_ATTR_FLAGS:
		return sizeof(SecPkgContext_Flags);
	case SECPKG_ATTR_ACCESS_TOKEN:
		return sizeof(SecPkgContext_AccessToken);
	case SECPKG_ATTR_LOGOFF_TIME:
		return sizeof(SecPkgContext_LogoffTime);
	default:
		return 2 * sizeof(PVOID);
	}
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY
QueryContextAttributesW(PCtxtHandle context, ULONG attribute, PVOID buffer)
{
	struct request request = {
		.kind = LSA_MESSAGE_QUERY_CONTEXT,
		.fixed.attribute = attribute,
		.fixed.address = (uintptr_t)buffer,
	};
	struct context *known = find(context);

	if (!context)
		return SEC_E_INVALID_HANDLE;
	if (!buffer)
		return SEC_E_INVALID_PARAMETER;
	if (known && known->functions &&
	    known->functions->QueryContextAttributes)
		return known->functions->QueryContextAttributes(
			known->lsa, attribute, buffer);
	request.fixed.context = handle_value(context);
	if (!ranges_add(&request.ranges, buffer, attribute_size(attribute),
			LSABUF_RANGE_F_READ | LSABUF_RANGE_F_WRITE))
		return SEC_E_INVALID_PARAMETER;
	return connection_call(&request);
}

/*
 * What runs in this process
 */

/* The context's functions; @status tells why there are none */
static struct context *find_mapped(const SecHandle *handle,
				   SECURITY_STATUS *status)
{
	struct context *context = find(handle);

	*status = context ? SEC_E_UNSUPPORTED_FUNCTION : SEC_E_INVALID_HANDLE;
	return context && context->functions ? context : NULL;
}

#define CALL_MAPPED(handle, entry, ...)                                    \
	({                                                                 \
		SECURITY_STATUS status_;                                   \
		struct context *known_ = find_mapped(handle, &status_);    \
		if (known_ && known_->functions->entry)                    \
			status_ = known_->functions->entry(known_->lsa,    \
							   ##__VA_ARGS__); \
		status_;                                                   \
	})

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY MakeSignature(PCtxtHandle context,
						    ULONG quality,
						    PSecBufferDesc message,
						    ULONG sequence_number)
{
	return CALL_MAPPED(context, MakeSignature, quality, message,
			   sequence_number);
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY VerifySignature(PCtxtHandle context,
						      PSecBufferDesc message,
						      ULONG sequence_number,
						      PULONG quality)
{
	return CALL_MAPPED(context, VerifySignature, message, sequence_number,
			   quality);
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY EncryptMessage(PCtxtHandle context,
						     ULONG quality,
						     PSecBufferDesc message,
						     ULONG sequence_number)
{
	return CALL_MAPPED(context, SealMessage, quality, message,
			   sequence_number);
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY DecryptMessage(PCtxtHandle context,
						     PSecBufferDesc message,
						     ULONG sequence_number,
						     PULONG quality)
{
	return CALL_MAPPED(context, UnsealMessage, message, sequence_number,
			   quality);
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY CompleteAuthToken(PCtxtHandle context,
							PSecBufferDesc token)
{
	return CALL_MAPPED(context, CompleteAuthToken, token);
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY
QuerySecurityContextToken(PCtxtHandle context, PVOID *token)
{
	return CALL_MAPPED(context, GetContextToken, token);
}

/* There are no tokens to impersonate with: see README.md */
SSPI_EXPORT SECURITY_STATUS SEC_ENTRY
ImpersonateSecurityContext(PCtxtHandle context)
{
	return find(context) ? SEC_E_UNSUPPORTED_FUNCTION :
			       SEC_E_INVALID_HANDLE;
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY RevertSecurityContext(PCtxtHandle context)
{
	return find(context) ? SEC_E_UNSUPPORTED_FUNCTION :
			       SEC_E_INVALID_HANDLE;
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY
ExportSecurityContext(PCtxtHandle context, ULONG flags,
		      PSecBuffer packed_context, PVOID *token)
{
	SECURITY_STATUS status;

	if (!packed_context)
		return SEC_E_INVALID_PARAMETER;
	status = CALL_MAPPED(context, ExportContext, flags, packed_context,
			     token);
	if (SEC_SUCCESS(status) && flags & SECPKG_CONTEXT_EXPORT_DELETE_OLD)
		DeleteSecurityContext(context);
	return status;
}

static bool find_id(const SEC_WCHAR *name, ULONG *id)
{
	const struct lsa_package_info *packages;
	SEC_CHAR *plain = to_plain(name);
	bool found = false;
	STRING wanted, own;
	size_t nr, i;

	if (!plain)
		return false;
	RtlInitString(&wanted, plain);
	packages = packages_get(&nr);
	for (i = 0; i < nr && !found; i++) {
		RtlInitString(&own, packages[i].name);
		found = RtlEqualString(&wanted, &own, TRUE);
		*id = packages[i].id;
	}
	free(plain);
	return found;
}

/* Only this process knows of it: the authority has no context for it */
static SECURITY_STATUS import(ULONG id,
			      const SECPKG_USER_FUNCTION_TABLE *functions,
			      PSecBuffer packed_context, PVOID token,
			      PCtxtHandle handle)
{
	struct context *context;
	LSA_SEC_HANDLE lsa = 0;
	uint64_t value;
	NTSTATUS status;

	status = functions->ImportContext(packed_context, token, &lsa);
	if (!NT_SUCCESS(status))
		return status;
	pthread_mutex_lock(&contexts_lock);
	do {
		value = ++last_import;
	} while (!value || value == UINT32_MAX || *find_locked(value));
	pthread_mutex_unlock(&contexts_lock);
	context = remember(value, id);
	if (!context) {
		if (functions->DeleteUserModeContext)
			functions->DeleteUserModeContext(lsa);
		return SEC_E_INSUFFICIENT_MEMORY;
	}
	context->functions = functions;
	context->lsa = lsa;
	handle_set(handle, value);
	return SEC_E_OK;
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY
ImportSecurityContextW(SEC_WCHAR *package, PSecBuffer packed_context,
		       PVOID token, PCtxtHandle context)
{
	const SECPKG_USER_FUNCTION_TABLE *functions;
	ULONG id;

	if (!package || !packed_context || !context)
		return SEC_E_INVALID_PARAMETER;
	if (!find_id(package, &id))
		return SEC_E_SECPKG_NOT_FOUND;
	functions = package_user_functions(id);
	if (!functions || !functions->ImportContext)
		return SEC_E_UNSUPPORTED_FUNCTION;
	return import(id, functions, packed_context, token, context);
}
