// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The package "mirror": two packages in one object, for tests. Their tokens
 * prove nothing. Target names make the first one treat its buffers in all the
 * ways that packages have.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <windows.h>
#include <ntstatus.h>
#include <ntsecapi.h>
#include <ntsecpkg.h>
#include <winternl.h>

#include "buffers.h"
#include "mirror.h"
#include "narrow.h"

#define HELLO "hello from "
#define WELCOME "welcome"

DECLSPEC_EXPORT NTSTATUS SEC_ENTRY
SpLsaModeInitialize(ULONG version, PULONG package_version,
		    PSECPKG_FUNCTION_TABLE *tables, PULONG count);
DECLSPEC_EXPORT NTSTATUS SEC_ENTRY
SpUserModeInitialize(ULONG version, PULONG package_version,
		     PSECPKG_USER_FUNCTION_TABLE *tables, PULONG count);

static PLSA_SECPKG_FUNCTION_TABLE lsa;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct mirror_counts counts;
static struct mirror_ends ends;

/* Made before there are clients, and never copied to one */
static char *shared;

struct credential {
	char user[64];
	ULONG use;
	LUID session;
};

struct context {
	bool accepts;
	bool done;
};

static void count(unsigned short *what, int by)
{
	pthread_mutex_lock(&lock);
	*what += by;
	pthread_mutex_unlock(&lock);
}

/*
 * The package as a whole
 */

static char *share_text(void)
{
	PVOID section = lsa->CreateSharedMemory(65536, 4096);
	char *text = section ? lsa->AllocateSharedMemory(section, 64) : NULL;

	if (text)
		strcpy(text, MIRROR_SHARED);
	return text;
}

static ULONG own_id;

static NTSTATUS NTAPI mirror_initialize(ULONG_PTR id,
					PSECPKG_PARAMETERS parameters,
					PLSA_SECPKG_FUNCTION_TABLE table)
{
	own_id = id;
	lsa = table;
	if (!getenv(MIRROR_UNSHARED))
		shared = share_text();
	counts.bad_start =
		!parameters || !parameters->Version ||
		!parameters->DomainName.Buffer ||
		!parameters->DnsDomainName.Buffer ||
		!(parameters->MachineState & SECPKG_STATE_STANDALONE);
	return STATUS_SUCCESS;
}

static NTSTATUS NTAPI mirror_shutdown(VOID)
{
	return STATUS_SUCCESS;
}

static NTSTATUS NTAPI mirror_info(PSecPkgInfo info)
{
	static WCHAR name[] = TEXT(MIRROR_NAME);
	static WCHAR comment[] = u"Grüße für Tests";

	info->fCapabilities = SECPKG_FLAG_INTEGRITY | SECPKG_FLAG_PRIVACY |
			      SECPKG_FLAG_CONNECTION;
	info->wVersion = 1;
	info->wRPCID = SECPKG_ID_NONE;
	info->cbMaxToken = 4096;
	info->Name = name;
	info->Comment = comment;
	return STATUS_SUCCESS;
}

static NTSTATUS NTAPI small_info(PSecPkgInfo info)
{
	static WCHAR name[] = TEXT(MIRROR_SMALL_NAME);

	memset(info, 0, sizeof(*info));
	info->Name = name;
	return STATUS_SUCCESS;
}

static NTSTATUS NTAPI ex_info(PSecPkgInfo info)
{
	static WCHAR name[] = TEXT(MIRROR_EX_NAME);

	info->Name = name;
	return STATUS_SUCCESS;
}

static NTSTATUS NTAPI plain_info(PSecPkgInfo info)
{
	static WCHAR name[] = TEXT(MIRROR_PLAIN_NAME);

	info->Name = name;
	return STATUS_SUCCESS;
}

/*
 * Credentials
 */

/* The user's name of explicit credentials, which lie in the client */
static NTSTATUS get_user(PVOID data, char *user, size_t size)
{
	SEC_WINNT_AUTH_IDENTITY_W identity;
	WCHAR name[64];
	NTSTATUS status;
	ULONG used = 0;

	if (!data)
		return STATUS_SUCCESS;
	status = fetch_auth_identity(lsa, data, &identity);
	if (!NT_SUCCESS(status))
		return status;
	if (identity.UserLength > ARRAYSIZE(name) ||
	    !(identity.Flags & SEC_WINNT_AUTH_IDENTITY_UNICODE))
		return SEC_E_UNKNOWN_CREDENTIALS;
	status = lsa->CopyFromClientBuffer(
		NULL, identity.UserLength * sizeof(WCHAR), name, identity.User);
	if (!NT_SUCCESS(status))
		return status;
	RtlUnicodeToUTF8N(user, size - 1, &used, name,
			  identity.UserLength * sizeof(WCHAR));
	user[used] = '\0';
	return STATUS_SUCCESS;
}

static bool wants_shared(const UNICODE_STRING *name)
{
	static const WCHAR own[] = TEXT(MIRROR_SHARED);

	return name && name->Length == sizeof(own) - sizeof(WCHAR) &&
	       !memcmp(name->Buffer, own, name->Length);
}

static NTSTATUS NTAPI acquire(PUNICODE_STRING principal, ULONG use,
			      PLUID logon_id, PVOID data, PVOID get_key,
			      PVOID get_key_argument, PLSA_SEC_HANDLE handle,
			      PTimeStamp expiry)
{
	struct credential *credential = calloc(1, sizeof(*credential));
	SECPKG_CLIENT_INFO client;
	NTSTATUS status;

	if (!credential)
		return SEC_E_INSUFFICIENT_MEMORY;
	status = get_key || get_key_argument ?
			 SEC_E_UNSUPPORTED_FUNCTION :
			 get_user(data, credential->user,
				  sizeof(credential->user));
	if (!NT_SUCCESS(status)) {
		free(credential);
		return status;
	}
	credential->use = use;
	lsa->GetClientInfo(&client);
	credential->session = logon_id ? *logon_id : client.LogonId;
	*handle = (LSA_SEC_HANDLE)credential;
	expiry->QuadPart = wants_shared(principal) ? (LONG_PTR)shared :
						     0x7fffffffffffffff;
	count(&counts.credentials, 1);
	return STATUS_SUCCESS;
}

/* Whether the client of what ends is gone, as both services tell it */
static bool is_run_down(void)
{
	SECPKG_CALL_INFO call;
	SECPKG_CLIENT_INFO client;

	return lsa->GetCallInfo(&call) &&
	       call.Attributes & SECPKG_CALL_CLEANUP &&
	       lsa->GetClientInfo(&client) == STATUS_PROCESS_IS_TERMINATING &&
	       client.ClientFlags & SECPKG_CLIENT_PROCESS_TERMINATED;
}

static NTSTATUS NTAPI free_credential(LSA_SEC_HANDLE handle)
{
	free((struct credential *)handle);
	count(&counts.credentials, -1);
	count(&counts.run_down, is_run_down());
	return STATUS_SUCCESS;
}

static NTSTATUS give_text(const char *text, PVOID at)
{
	WCHAR wide[64];
	NTSTATUS status;
	ULONG used = 0;
	PVOID buffer;

	RtlUTF8ToUnicodeN(wide, sizeof(wide) - sizeof(WCHAR), &used, text,
			  strlen(text));
	wide[used / sizeof(WCHAR)] = 0;
	used += sizeof(WCHAR);
	status = lsa->AllocateClientBuffer(NULL, used, &buffer);
	if (!NT_SUCCESS(status))
		return status;
	status = lsa->CopyToClientBuffer(NULL, used, buffer, wide);
	if (NT_SUCCESS(status))
		status = give_pointer(lsa, at, buffer);
	if (!NT_SUCCESS(status))
		lsa->FreeClientBuffer(NULL, buffer);
	return status;
}

/* How many secrets there are in a session; nothing is found in others */
static USHORT count_kept(LUID session)
{
	STRING key, secret;
	ULONG context = 0;
	USHORT n = 0;

	for (;; n++) {
		key.Buffer = NULL;
		if (!NT_SUCCESS(lsa->GetCredentials(&session, own_id, &context,
						    TRUE, &key, NULL, &secret)))
			return n;
		if (secret.Length != sizeof(MIRROR_SECRET) ||
		    memcmp(secret.Buffer, MIRROR_SECRET, secret.Length))
			n += 100;
		lsa->FreeLsaHeap(key.Buffer);
		RtlSecureZeroMemory(secret.Buffer, secret.Length);
		lsa->FreeLsaHeap(secret.Buffer);
	}
}

static NTSTATUS NTAPI query_credential(LSA_SEC_HANDLE handle, ULONG attribute,
				       PVOID buffer)
{
	const struct credential *credential = (PVOID)handle;
	USHORT kept;

	if (attribute == MIRROR_ATTR_KEPT) {
		kept = count_kept(credential->session);
		return lsa->CopyToClientBuffer(NULL, sizeof(kept), buffer,
					       &kept);
	}
	if (attribute == MIRROR_ATTR_ENDS)
		return lsa->CopyToClientBuffer(NULL, sizeof(ends), buffer,
					       &ends);
	if (attribute == SECPKG_CRED_ATTR_NAMES)
		return give_text(credential->user, buffer);
	if (attribute == MIRROR_ATTR_COUNTS)
		return lsa->CopyToClientBuffer(NULL, sizeof(counts), buffer,
					       &counts);
	return SEC_E_UNSUPPORTED_FUNCTION;
}

/*
 * Contexts
 */

/* Put a token out as most packages do it */
static NTSTATUS put_token(PSecBufferDesc output, const char *text,
			  ULONG requirements)
{
	SecBuffer *token = find_buffer(output, SECBUFFER_TOKEN);
	ULONG length = strlen(text);

	if (!token)
		return SEC_E_INVALID_TOKEN;
	if (requirements & ISC_REQ_ALLOCATE_MEMORY) {
		token->pvBuffer = lsa->AllocateLsaHeap(length);
	} else {
		if (!NT_SUCCESS(lsa->MapBuffer(token, token)))
			return SEC_E_INTERNAL_ERROR;
		if (token->cbBuffer < length)
			return SEC_E_BUFFER_TOO_SMALL;
	}
	if (!token->pvBuffer)
		return SEC_E_INSUFFICIENT_MEMORY;
	memcpy(token->pvBuffer, text, length);
	token->cbBuffer = length;
	return SEC_E_OK;
}

static bool has_token(PSecBufferDesc input, const char *text)
{
	SecBuffer *token = find_buffer(input, SECBUFFER_TOKEN);
	ULONG length = strlen(text);

	return token && NT_SUCCESS(lsa->MapBuffer(token, token)) &&
	       token->cbBuffer >= length &&
	       !memcmp(token->pvBuffer, text, length);
}

static NTSTATUS map_to_client(PBOOLEAN mapped, PSecBuffer data)
{
	data->pvBuffer = lsa->AllocateLsaHeap(sizeof(MIRROR_KEY));
	if (!data->pvBuffer)
		return SEC_E_INSUFFICIENT_MEMORY;
	memcpy(data->pvBuffer, MIRROR_KEY, sizeof(MIRROR_KEY));
	data->cbBuffer = sizeof(MIRROR_KEY);
	*mapped = TRUE;
	return SEC_E_OK;
}

/*
 * What the target name makes of the buffer that it is about
 */

static NTSTATUS treat_done(SecBuffer *data)
{
	memcpy(data->pvBuffer, "done", 4);
	data->cbBuffer = 4;
	return SEC_E_OK;
}

static NTSTATUS treat_continue(SecBuffer *data)
{
	treat_done(data);
	return SEC_I_CONTINUE_NEEDED;
}

static NTSTATUS treat_error(SecBuffer *data)
{
	treat_done(data);
	return SEC_E_LOGON_DENIED;
}

static NTSTATUS treat_empty(SecBuffer *data)
{
	data->cbBuffer = 0;
	return SEC_E_OK;
}

static NTSTATUS treat_too_long(SecBuffer *data)
{
	data->cbBuffer++;
	return SEC_E_OK;
}

static NTSTATUS treat_stray(SecBuffer *data)
{
	static char memory[4];

	data->pvBuffer = memory;
	data->cbBuffer = sizeof(memory);
	return SEC_E_OK;
}

/* Of buffers that have not been mapped */

static NTSTATUS treat_by_itself(SecBuffer *data)
{
	data->cbBuffer = 4;
	return lsa->CopyToClientBuffer(NULL, 4, data->pvBuffer, "self");
}

static NTSTATUS treat_mapped(SecBuffer *data)
{
	NTSTATUS status = lsa->MapBuffer(data, data);

	return NT_SUCCESS(status) ? treat_done(data) : status;
}

static NTSTATUS treat_elsewhere(SecBuffer *data)
{
	SecBuffer own;
	NTSTATUS status = lsa->MapBuffer(data, &own);

	return NT_SUCCESS(status) ? treat_done(&own) : status;
}

/* Of buffers that are to be allocated */

static NTSTATUS treat_heap(SecBuffer *data)
{
	data->pvBuffer = lsa->AllocateLsaHeap(4);
	return data->pvBuffer ? treat_done(data) : SEC_E_INSUFFICIENT_MEMORY;
}

static NTSTATUS treat_client(SecBuffer *data)
{
	NTSTATUS status = lsa->AllocateClientBuffer(NULL, 4, &data->pvBuffer);

	data->cbBuffer = 4;
	return NT_SUCCESS(status) ? treat_by_itself(data) : status;
}

static const struct {
	const char *target;
	NTSTATUS (*treat)(SecBuffer *data);
} treatments[] = {
	{ "done", treat_done },		  { "continue", treat_continue },
	{ "error", treat_error },	  { "empty", treat_empty },
	{ "too long", treat_too_long },	  { "stray", treat_stray },
	{ "by itself", treat_by_itself }, { "mapped", treat_mapped },
	{ "elsewhere", treat_elsewhere }, { "heap", treat_heap },
	{ "client", treat_client },
};

/* -1: the target is none of these. Otherwise the first buffer has been treated */
static NTSTATUS treat(const UNICODE_STRING *target, PSecBufferDesc input,
		      PSecBufferDesc output)
{
	STRING name = { 0 }, known;
	NTSTATUS status = -1;
	size_t i;

	if (!target || !output->cBuffers ||
	    !NT_SUCCESS(RtlUnicodeStringToAnsiString(&name, target, TRUE)))
		return -1;
	for (i = 0; i < ARRAYSIZE(treatments); i++) {
		RtlInitString(&known, treatments[i].target);
		if (RtlEqualString(&name, &known, FALSE))
			status = treatments[i].treat(output->pBuffers);
	}
	RtlFreeAnsiString(&name);
	/* Some of the input was not for us */
	if (status != -1 && input && input->cBuffers == 2) {
		input->pBuffers[1].BufferType = SECBUFFER_EXTRA;
		input->pBuffers[1].cbBuffer = 2;
	}
	return status;
}

/*
 * Treatment by a number
 */

static bool get_number(const UNICODE_STRING *target, ULONG64 *number)
{
	static const WCHAR begin[] = TEXT(MIRROR_MODEL);
	const size_t length = ARRAYSIZE(begin) - 1;
	size_t i;

	if (!target || target->Length < sizeof(begin) ||
	    memcmp(target->Buffer, begin, length * sizeof(WCHAR)))
		return false;
	*number = 0;
	for (i = length; i < target->Length / sizeof(WCHAR); i++)
		*number = *number * 10 + target->Buffer[i] - '0';
	return true;
}

static NTSTATUS sum_up(PSecBufferDesc input, PULONG sum)
{
	NTSTATUS status;
	ULONG i;

	*sum = 0;
	for (i = 0; input && i < input->cBuffers; i++) {
		SecBuffer *buffer = &input->pBuffers[i];

		status = lsa->MapBuffer(buffer, buffer);
		if (!NT_SUCCESS(status))
			return status;
		*sum = mirror_sum(*sum, buffer->pvBuffer,
				  buffer->pvBuffer ? buffer->cbBuffer : 0);
	}
	return STATUS_SUCCESS;
}

static void write_pattern(ULONG64 number, ULONG index, PUCHAR to, ULONG length)
{
	ULONG i;

	for (i = 0; i < length; i++)
		to[i] = mirror_byte(number, index, i);
}

static NTSTATUS model_fill(ULONG64 number, ULONG index, SecBuffer *buffer,
			   ULONG length, bool allocate)
{
	NTSTATUS status = STATUS_SUCCESS;

	if (allocate)
		buffer->pvBuffer = lsa->AllocateLsaHeap(length);
	else
		status = lsa->MapBuffer(buffer, buffer);
	if (!NT_SUCCESS(status) || !buffer->pvBuffer)
		return status;
	write_pattern(number, index, buffer->pvBuffer, length);
	buffer->cbBuffer = length;
	return status;
}

static NTSTATUS model_copy(ULONG64 number, ULONG index, SecBuffer *buffer,
			   ULONG length, bool allocate)
{
	const ULONG read_only = SECBUFFER_READONLY |
				SECBUFFER_READONLY_WITH_CHECKSUM;
	UCHAR bytes[1024];
	NTSTATUS status;

	if (length > sizeof(bytes) || (allocate && !length))
		return STATUS_SUCCESS;
	if (!allocate && (!(buffer->BufferType & SECBUFFER_UNMAPPED) ||
			  buffer->BufferType & read_only))
		return STATUS_SUCCESS;
	if (allocate) {
		status = lsa->AllocateClientBuffer(NULL, length,
						   &buffer->pvBuffer);
		if (!NT_SUCCESS(status))
			return status;
	}
	write_pattern(number, index, bytes, length);
	buffer->cbBuffer = length;
	return lsa->CopyToClientBuffer(NULL, length, buffer->pvBuffer, bytes);
}

static NTSTATUS treat_by_number(ULONG64 number, ULONG index, SecBuffer *buffer,
				bool allocate)
{
	struct mirror_plan plan =
		mirror_plan(number, index, allocate ? 63 : buffer->cbBuffer);

	switch (plan.action) {
	case MIRROR_FILL:
		return model_fill(number, index, buffer, plan.length, allocate);
	case MIRROR_COPY:
		return model_copy(number, index, buffer, plan.length, allocate);
	case MIRROR_EMPTY:
		buffer->cbBuffer = 0;
		break;
	case MIRROR_SHORTEN:
		if (!allocate)
			buffer->cbBuffer = plan.length;
		break;
	case MIRROR_LENGTHEN:
		if (!allocate)
			buffer->cbBuffer++;
		break;
	default:
		break;
	}
	return STATUS_SUCCESS;
}

static NTSTATUS run_model(ULONG64 number, ULONG requirements,
			  PSecBufferDesc input, PSecBufferDesc output,
			  PULONG attributes)
{
	bool allocate = requirements & ISC_REQ_ALLOCATE_MEMORY;
	NTSTATUS status = sum_up(input, attributes);
	ULONG i;

	for (i = 0; NT_SUCCESS(status) && i < output->cBuffers; i++)
		status = treat_by_number(number, i, &output->pBuffers[i],
					 allocate);
	return status;
}

static struct context *new_context(PLSA_SEC_HANDLE handle, bool accepts)
{
	struct context *context = calloc(1, sizeof(*context));

	if (!context)
		return NULL;
	context->accepts = accepts;
	*handle = (LSA_SEC_HANDLE)context;
	count(&counts.contexts, 1);
	return context;
}

static void drop_context(struct context *context)
{
	free(context);
	count(&counts.contexts, -1);
}

static NTSTATUS first_leg(const struct credential *credential,
			  PUNICODE_STRING target, ULONG requirements,
			  PSecBufferDesc input, PSecBufferDesc output,
			  PULONG attributes)
{
	char hello[sizeof(HELLO) + sizeof(credential->user)];
	NTSTATUS status;
	ULONG64 number;

	if (get_number(target, &number))
		return run_model(number, requirements, input, output,
				 attributes);
	status = treat(target, input, output);
	if (status != -1)
		return status;
	strcpy(hello, HELLO);
	strcat(hello, credential->user);
	status = put_token(output, hello, requirements);
	return NT_SUCCESS(status) ? SEC_I_CONTINUE_NEEDED : status;
}

static NTSTATUS NTAPI init_context(
	LSA_SEC_HANDLE credential, LSA_SEC_HANDLE handle,
	PUNICODE_STRING target, ULONG requirements, ULONG data_rep,
	PSecBufferDesc input, PLSA_SEC_HANDLE new_handle, PSecBufferDesc output,
	PULONG attributes, PTimeStamp expiry, PBOOLEAN mapped, PSecBuffer data)
{
	struct context *context = (PVOID)handle;
	NTSTATUS status;

	UNREFERENCED_PARAMETER(data_rep);
	*attributes = requirements;
	expiry->QuadPart = 4711;
	if (context) {
		if (!has_token(input, WELCOME))
			return SEC_E_INVALID_TOKEN;
		context->done = true;
		return map_to_client(mapped, data);
	}
	if (!credential)
		return SEC_E_NO_CREDENTIALS;
	context = new_context(new_handle, false);
	if (!context)
		return SEC_E_INSUFFICIENT_MEMORY;
	status = first_leg((PVOID)credential, target, requirements, input,
			   output, attributes);
	if (!NT_SUCCESS(status))
		drop_context(context);
	return status;
}

static NTSTATUS NTAPI accept_context(LSA_SEC_HANDLE credential,
				     LSA_SEC_HANDLE handle,
				     PSecBufferDesc input, ULONG requirements,
				     ULONG data_rep, PLSA_SEC_HANDLE new_handle,
				     PSecBufferDesc output, PULONG attributes,
				     PTimeStamp expiry, PBOOLEAN mapped,
				     PSecBuffer data)
{
	struct context *context;
	NTSTATUS status;

	UNREFERENCED_PARAMETER(data_rep);
	UNREFERENCED_PARAMETER(expiry);
	if (!credential || handle)
		return SEC_E_NO_CREDENTIALS;
	*attributes = requirements;
	if (!has_token(input, HELLO))
		return SEC_E_INVALID_TOKEN;
	status = put_token(output, WELCOME, requirements);
	if (!NT_SUCCESS(status))
		return status;
	context = new_context(new_handle, true);
	if (!context)
		return SEC_E_INSUFFICIENT_MEMORY;
	context->done = true;
	return map_to_client(mapped, data);
}

static NTSTATUS NTAPI delete_context(LSA_SEC_HANDLE handle)
{
	drop_context((PVOID)handle);
	count(&counts.run_down, is_run_down());
	return STATUS_SUCCESS;
}

static NTSTATUS NTAPI query_context(LSA_SEC_HANDLE handle, ULONG attribute,
				    PVOID buffer)
{
	const struct context *context = (PVOID)handle;
	SecPkgContext_Sizes sizes = { 4096, 4, 1, 4 };

	if (attribute == SECPKG_ATTR_SIZES)
		return lsa->CopyToClientBuffer(NULL, sizeof(sizes), buffer,
					       &sizes);
	if (attribute == SECPKG_ATTR_NAMES)
		return give_text(context->accepts ? "acceptor" : "initiator",
				 buffer);
	return SEC_E_UNSUPPORTED_FUNCTION;
}

static NTSTATUS NTAPI apply_token(LSA_SEC_HANDLE handle, PSecBufferDesc token)
{
	UNREFERENCED_PARAMETER(handle);
	return has_token(token, "control") ? SEC_E_OK : SEC_E_INVALID_TOKEN;
}

/*
 * Logons: "good" as information succeeds, all else fails and leaves everything
 * behind that a package is allowed to leave
 */

static PUNICODE_STRING make_string(const WCHAR *text)
{
	size_t bytes = wcs16len(text) * sizeof(WCHAR);
	PUNICODE_STRING string = lsa->AllocateLsaHeap(sizeof(*string));

	if (!string)
		return NULL;
	string->Buffer = lsa->AllocateLsaHeap(bytes);
	if (string->Buffer)
		memcpy(string->Buffer, text, bytes);
	string->Length = string->Buffer ? bytes : 0;
	string->MaximumLength = string->Length;
	return string;
}

static NTSTATUS make_session(PLUID luid)
{
	STRING key, secret;
	NTSTATUS status;

	AllocateLocallyUniqueId(luid);
	status = lsa->CreateLogonSession(luid);
	if (!NT_SUCCESS(status))
		return status;
	RtlInitString(&key, "primary");
	secret.Buffer = (PCHAR)MIRROR_SECRET;
	secret.Length = sizeof(MIRROR_SECRET);
	secret.MaximumLength = secret.Length;
	return lsa->AddCredential(luid, own_id, &key, &secret);
}

static bool is_text(const void *bytes, ULONG length, const char *text)
{
	return length == strlen(text) && !memcmp(bytes, text, length);
}

/* -1: it is not about sessions */
static NTSTATUS log_on_session(const void *submit, ULONG length, PLUID luid)
{
	bool lost = is_text(submit, length, MIRROR_SESSION_LOST);
	bool deleted = is_text(submit, length, MIRROR_SESSION_DELETED);
	NTSTATUS status;

	if (!lost && !deleted && !is_text(submit, length, MIRROR_SESSION))
		return -1;
	status = make_session(luid);
	if (NT_SUCCESS(status) && deleted)
		status = lsa->DeleteLogonSession(luid);
	return NT_SUCCESS(status) && lost ? STATUS_LOGON_FAILURE : status;
}

static VOID NTAPI logon_terminated(PLUID luid)
{
	pthread_mutex_lock(&lock);
	ends.terminated++;
	ends.latest = luid->LowPart;
	pthread_mutex_unlock(&lock);
}

static NTSTATUS NTAPI logon(PLSA_CLIENT_REQUEST request,
			    SECURITY_LOGON_TYPE type, PVOID submit, PVOID base,
			    ULONG length, PVOID *profile, PULONG profile_length,
			    PLUID logon_id, PNTSTATUS sub_status,
			    PLSA_TOKEN_INFORMATION_TYPE information_type,
			    PVOID *information, PUNICODE_STRING *account,
			    PUNICODE_STRING *authority,
			    PUNICODE_STRING *machine,
			    PSECPKG_PRIMARY_CRED primary,
			    PSECPKG_SUPPLEMENTAL_CRED_ARRAY *supplemental)
{
	const struct mirror_profile text = { (uintptr_t)base, type, "welcome" };
	NTSTATUS status;

	UNREFERENCED_PARAMETER(supplemental);
	if (is_text(submit, length, MIRROR_SHARED)) {
		logon_id->LowPart = (uintptr_t)shared;
		logon_id->HighPart = (uint64_t)(uintptr_t)shared >> 32;
		return STATUS_SUCCESS;
	}
	*account = make_string(MIRROR_ACCOUNT);
	*authority = make_string(MIRROR_AUTHORITY);
	status = log_on_session(submit, length, logon_id);
	if (status != -1)
		return status;
	*machine = NULL;
	*information_type = LsaTokenInformationNull;
	*information = lsa->AllocateLsaHeap(sizeof(LSA_TOKEN_INFORMATION_NULL));
	primary->Password.Buffer = lsa->AllocateLsaHeap(16);
	primary->Password.Length = primary->Password.Buffer ? 16 : 0;
	status = lsa->AllocateClientBuffer(request, sizeof(text), profile);
	if (!NT_SUCCESS(status))
		return status;
	*profile_length = sizeof(text);
	lsa->CopyToClientBuffer(request, sizeof(text), *profile, (PVOID)&text);
	if (length != 4 || memcmp(submit, "good", 4)) {
		/* Where the profile is that nobody must find any more */
		if (length == 4 + sizeof(ULONG64))
			lsa->CopyToClientBuffer(request, sizeof(*profile),
						(PUCHAR)base + 4, profile);
		*sub_status = STATUS_WRONG_PASSWORD;
		return STATUS_LOGON_FAILURE;
	}
	logon_id->LowPart = 42;
	logon_id->HighPart = 43;
	return STATUS_SUCCESS;
}

static NTSTATUS NTAPI logon_ex(PLSA_CLIENT_REQUEST request,
			       SECURITY_LOGON_TYPE type, PVOID submit,
			       PVOID base, ULONG length, PVOID *profile,
			       PULONG profile_length, PLUID logon_id,
			       PNTSTATUS sub_status,
			       PLSA_TOKEN_INFORMATION_TYPE information_type,
			       PVOID *information, PUNICODE_STRING *account,
			       PUNICODE_STRING *authority,
			       PUNICODE_STRING *machine)
{
	SECPKG_PRIMARY_CRED primary = { 0 };
	NTSTATUS status;

	status = logon(request, type, submit, base, length, profile,
		       profile_length, logon_id, sub_status, information_type,
		       information, account, authority, machine, &primary,
		       NULL);
	/* Nobody else is told of it */
	lsa->FreeLsaHeap(primary.Password.Buffer);
	return status;
}

static NTSTATUS NTAPI logon_plain(PLSA_CLIENT_REQUEST request,
				  SECURITY_LOGON_TYPE type, PVOID submit,
				  PVOID base, ULONG length, PVOID *profile,
				  PULONG profile_length, PLUID logon_id,
				  PNTSTATUS sub_status,
				  PLSA_TOKEN_INFORMATION_TYPE information_type,
				  PVOID *information, PUNICODE_STRING *account,
				  PUNICODE_STRING *authority)
{
	PUNICODE_STRING machine;

	return logon_ex(request, type, submit, base, length, profile,
			profile_length, logon_id, sub_status, information_type,
			information, account, authority, &machine);
}

/* The second package lacks nearly everything, and the others the rest */
static const SECPKG_FUNCTION_TABLE tables[] = {
	{
		.Initialize = mirror_initialize,
		.Shutdown = mirror_shutdown,
		.GetInfo = mirror_info,
		.AcquireCredentialsHandle = acquire,
		.QueryCredentialsAttributes = query_credential,
		.FreeCredentialsHandle = free_credential,
		.InitLsaModeContext = init_context,
		.AcceptLsaModeContext = accept_context,
		.DeleteContext = delete_context,
		.ApplyControlToken = apply_token,
		.QueryContextAttributes = query_context,
		.LogonUserEx2 = logon,
		.LogonTerminated = logon_terminated,
		/* Not of the version that this claims: it must not be read */
		.SetContextAttributes = (PVOID)1,
		.ExtractTargetInfo = (PVOID)1,
	},
	{
		.GetInfo = small_info,
		.AcquireCredentialsHandle = acquire,
		.InitLsaModeContext = init_context,
	},
	{
		.GetInfo = ex_info,
		.LogonUserEx = logon_ex,
	},
	{
		.GetInfo = plain_info,
		.LogonUser = logon_plain,
	},
};

/*
 * A copy of the tables of which the last one ends where those of the version
 * do that is claimed: whoever reads on ends there and then.
 */
static PSECPKG_FUNCTION_TABLE make_tables(void)
{
	const size_t end =
		offsetof(SECPKG_FUNCTION_TABLE, SetContextAttributes);
	const size_t length = (ARRAYSIZE(tables) - 1) * sizeof(tables[0]) + end;
	const size_t page = sysconf(_SC_PAGESIZE);
	PUCHAR memory;

	memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || length > page ||
	    mprotect(memory + page, page, PROT_NONE))
		return NULL;
	memcpy(memory + page - length, tables, length);
	return (PVOID)(memory + page - length);
}

NTSTATUS SEC_ENTRY SpLsaModeInitialize(ULONG version, PULONG package_version,
				       PSECPKG_FUNCTION_TABLE *own_tables,
				       PULONG number)
{
	UNREFERENCED_PARAMETER(version);
	*package_version = SECPKG_INTERFACE_VERSION;
	*own_tables = make_tables();
	*number = ARRAYSIZE(tables);
	return *own_tables ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

/*
 * In the client
 */

#define MAX_USER_CONTEXTS 16

static struct {
	LSA_SEC_HANDLE handle;
	char key[sizeof(MIRROR_KEY)];
} user_contexts[MAX_USER_CONTEXTS];

static NTSTATUS NTAPI instance_init(ULONG version,
				    PSECPKG_DLL_FUNCTIONS functions,
				    PVOID *user_functions)
{
	UNREFERENCED_PARAMETER(version);
	UNREFERENCED_PARAMETER(user_functions);
	return functions->AllocateHeap && functions->FreeHeap ?
		       STATUS_SUCCESS :
		       STATUS_INVALID_PARAMETER;
}

static const char *find_key(LSA_SEC_HANDLE handle)
{
	size_t i;

	for (i = 0; i < MAX_USER_CONTEXTS; i++)
		if (user_contexts[i].handle == handle)
			return user_contexts[i].key;
	return NULL;
}

static NTSTATUS NTAPI init_user_context(LSA_SEC_HANDLE handle,
					PSecBuffer packed)
{
	size_t i;

	for (i = 0; i < MAX_USER_CONTEXTS && user_contexts[i].handle; i++)
		;
	if (i == MAX_USER_CONTEXTS || packed->cbBuffer != sizeof(MIRROR_KEY))
		return SEC_E_INSUFFICIENT_MEMORY;
	user_contexts[i].handle = handle;
	memcpy(user_contexts[i].key, packed->pvBuffer, sizeof(MIRROR_KEY));
	return STATUS_SUCCESS;
}

static NTSTATUS NTAPI delete_user_context(LSA_SEC_HANDLE handle)
{
	size_t i;

	for (i = 0; i < MAX_USER_CONTEXTS; i++)
		if (user_contexts[i].handle == handle)
			user_contexts[i].handle = 0;
	return STATUS_SUCCESS;
}

/* FNV-1a over key and message: for tests only */
static ULONG checksum(const char *key, const SecBuffer *data)
{
	const UCHAR *bytes = data->pvBuffer;
	ULONG hash = 2166136261U, i;

	for (; *key; key++)
		hash = (hash ^ (UCHAR)*key) * 16777619U;
	for (i = 0; i < data->cbBuffer; i++)
		hash = (hash ^ bytes[i]) * 16777619U;
	return hash;
}

static NTSTATUS NTAPI make_signature(LSA_SEC_HANDLE handle, ULONG quality,
				     PSecBufferDesc message, ULONG sequence)
{
	SecBuffer *data = find_buffer(message, SECBUFFER_DATA);
	SecBuffer *token = find_buffer(message, SECBUFFER_TOKEN);
	const char *key = find_key(handle);
	ULONG sum;

	UNREFERENCED_PARAMETER(quality);
	UNREFERENCED_PARAMETER(sequence);
	if (!key)
		return SEC_E_INVALID_HANDLE;
	if (!data || !token || token->cbBuffer < sizeof(sum))
		return SEC_E_INVALID_TOKEN;
	sum = checksum(key, data);
	memcpy(token->pvBuffer, &sum, sizeof(sum));
	token->cbBuffer = sizeof(sum);
	return SEC_E_OK;
}

static NTSTATUS NTAPI verify_signature(LSA_SEC_HANDLE handle,
				       PSecBufferDesc message, ULONG sequence,
				       PULONG quality)
{
	SecBuffer *data = find_buffer(message, SECBUFFER_DATA);
	SecBuffer *token = find_buffer(message, SECBUFFER_TOKEN);
	const char *key = find_key(handle);
	ULONG sum;

	UNREFERENCED_PARAMETER(sequence);
	if (!key)
		return SEC_E_INVALID_HANDLE;
	if (!data || !token || token->cbBuffer != sizeof(sum))
		return SEC_E_INVALID_TOKEN;
	sum = checksum(key, data);
	if (quality)
		*quality = 0;
	return memcmp(token->pvBuffer, &sum, sizeof(sum)) ?
		       SEC_E_MESSAGE_ALTERED :
		       SEC_E_OK;
}

static NTSTATUS NTAPI turn(LSA_SEC_HANDLE handle, PSecBufferDesc message)
{
	SecBuffer *data = find_buffer(message, SECBUFFER_DATA);
	const char *key = find_key(handle);
	ULONG i;

	if (!key || !data)
		return SEC_E_INVALID_HANDLE;
	for (i = 0; i < data->cbBuffer; i++)
		((char *)data->pvBuffer)[i] ^= key[i % strlen(key)];
	return SEC_E_OK;
}

static NTSTATUS NTAPI seal(LSA_SEC_HANDLE handle, ULONG quality,
			   PSecBufferDesc message, ULONG sequence)
{
	UNREFERENCED_PARAMETER(quality);
	UNREFERENCED_PARAMETER(sequence);
	return turn(handle, message);
}

static NTSTATUS NTAPI unseal(LSA_SEC_HANDLE handle, PSecBufferDesc message,
			     ULONG sequence, PULONG quality)
{
	UNREFERENCED_PARAMETER(quality);
	UNREFERENCED_PARAMETER(sequence);
	return turn(handle, message);
}

static SECPKG_USER_FUNCTION_TABLE user_tables[] = {
	{
		.InstanceInit = instance_init,
		.InitUserModeContext = init_user_context,
		.MakeSignature = make_signature,
		.VerifySignature = verify_signature,
		.SealMessage = seal,
		.UnsealMessage = unseal,
		.DeleteUserModeContext = delete_user_context,
	},
};

NTSTATUS SEC_ENTRY SpUserModeInitialize(ULONG version, PULONG package_version,
					PSECPKG_USER_FUNCTION_TABLE *own_tables,
					PULONG number)
{
	UNREFERENCED_PARAMETER(version);
	*package_version = SECPKG_INTERFACE_VERSION;
	*own_tables = user_tables;
	*number = ARRAYSIZE(user_tables);
	return STATUS_SUCCESS;
}
