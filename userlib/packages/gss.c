// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The package "gss": contexts of GSSAPI mechanisms that others wrote.
 *
 * The part in the LSA holds the credentials and exchanges the tokens. When a
 * context is established it is exported, and the part in the client imports it:
 * messages are signed and encrypted there. Which mechanism is used is told by
 * the package's name: "NTLM" and "Kerberos". Where the machine's GSSAPI has
 * not got one of them, that package refuses credentials.
 *
 * Of the requirements and attributes of contexts only those have a meaning
 * here which GSSAPI knows as well.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>

#include <windows.h>
#include <ntstatus.h>
#include <ntsecapi.h>
#include <ntsecpkg.h>
#include <winternl.h>

#include "buffers.h"
#include "narrow.h"

DECLSPEC_EXPORT NTSTATUS SEC_ENTRY
SpLsaModeInitialize(ULONG version, PULONG package_version,
		    PSECPKG_FUNCTION_TABLE *tables, PULONG count);
DECLSPEC_EXPORT NTSTATUS SEC_ENTRY
SpUserModeInitialize(ULONG version, PULONG package_version,
		     PSECPKG_USER_FUNCTION_TABLE *tables, PULONG count);

#define MAX_TOKEN 65536

static PLSA_SECPKG_FUNCTION_TABLE lsa;

/* The two mechanisms by their object identifiers */
static gss_OID_desc ntlm_oid = { 10, (void *)"\x2b\x06\x01\x04\x01\x82\x37\x02"
					     "\x02\x0a" };
static gss_OID_desc kerberos_oid = { 9, (void *)"\x2a\x86\x48\x86\xf7\x12\x01"
						"\x02\x02" };

/**
 * struct credential - credentials of one client
 * @mechanism: that they are for
 * @name: principal, or GSS_C_NO_NAME
 * @gss: of GSSAPI, or GSS_C_NO_CREDENTIAL: whatever there is by default
 */
struct credential {
	gss_OID mechanism;
	gss_name_t name;
	gss_cred_id_t gss;
};

/**
 * struct context - a context, in the LSA or in the client
 * @gss: of GSSAPI; GSS_C_NO_CONTEXT once it has been exported
 */
struct context {
	gss_ctx_id_t gss;
};

static SECURITY_STATUS as_status(OM_uint32 major)
{
	switch (GSS_ROUTINE_ERROR(major)) {
	case 0:
		return major & GSS_S_CONTINUE_NEEDED ? SEC_I_CONTINUE_NEEDED :
						       SEC_E_OK;
	case GSS_S_DEFECTIVE_TOKEN:
		return SEC_E_INVALID_TOKEN;
	case GSS_S_DEFECTIVE_CREDENTIAL:
	case GSS_S_FAILURE:
	case GSS_S_UNAUTHORIZED:
		return SEC_E_LOGON_DENIED;
	case GSS_S_NO_CRED:
	case GSS_S_CREDENTIALS_EXPIRED:
		return SEC_E_NO_CREDENTIALS;
	case GSS_S_BAD_SIG:
		return SEC_E_MESSAGE_ALTERED;
	case GSS_S_DUPLICATE_TOKEN:
	case GSS_S_OLD_TOKEN:
		return SEC_E_OUT_OF_SEQUENCE;
	case GSS_S_BAD_BINDINGS:
		return SEC_E_BAD_BINDINGS;
	case GSS_S_CONTEXT_EXPIRED:
		return SEC_E_CONTEXT_EXPIRED;
	case GSS_S_BAD_NAME:
	case GSS_S_BAD_NAMETYPE:
		return SEC_E_TARGET_UNKNOWN;
	case GSS_S_BAD_MECH:
	case GSS_S_UNAVAILABLE:
		return SEC_E_UNSUPPORTED_FUNCTION;
	default:
		return SEC_E_INTERNAL_ERROR;
	}
}

/* GSSAPI counts seconds from now; 0 is for ever, as nobody asks for less */
static void set_expiry(PTimeStamp expiry, OM_uint32 seconds)
{
	/* The latest time there is; nothing here ends a context */
	UNREFERENCED_PARAMETER(seconds);
	expiry->QuadPart = 0x7fffffffffffffff;
}

/*
 * Credentials
 */

static void wipe(void *bytes, size_t length)
{
	if (bytes)
		RtlSecureZeroMemory(bytes, length);
	free(bytes);
}

/*
 * A text of explicit credentials, which lies in the client: as UTF-8, with a
 * NUL. NULL with STATUS_SUCCESS where there is none.
 */
static NTSTATUS fetch_text(PVOID address, ULONG length, ULONG flags,
			   char **text)
{
	const bool wide = !(flags & SEC_WINNT_AUTH_IDENTITY_ANSI);
	const size_t bytes = length * (wide ? sizeof(WCHAR) : 1);
	NTSTATUS status = STATUS_SUCCESS;
	char *raw, *out;
	ULONG used = 0;

	*text = NULL;
	if (!address || !length)
		return STATUS_SUCCESS;
	if (length > 1024)
		return SEC_E_UNKNOWN_CREDENTIALS;
	raw = calloc(1, bytes);
	out = calloc(1, 3 * length + 1);
	if (!raw || !out)
		status = SEC_E_INSUFFICIENT_MEMORY;
	else
		status = lsa->CopyFromClientBuffer(NULL, bytes, raw, address);
	if (NT_SUCCESS(status) && wide)
		status = RtlUnicodeToUTF8N(out, 3 * length, &used,
					   (PCWCH)(void *)raw, bytes);
	else if (NT_SUCCESS(status))
		memcpy(out, raw, bytes);
	wipe(raw, bytes);
	if (NT_SUCCESS(status))
		*text = out;
	else
		wipe(out, 3 * length + 1);
	return status;
}

/**
 * struct identity - explicit credentials, as they have been fetched
 * @user: name, or NULL
 * @domain: or NULL
 * @password: or NULL
 */
struct identity {
	char *user;
	char *domain;
	char *password;
};

static void drop_identity(struct identity *identity)
{
	free(identity->user);
	free(identity->domain);
	if (identity->password)
		wipe(identity->password, strlen(identity->password));
}

static NTSTATUS fetch_identity(PVOID data, struct identity *identity)
{
	SEC_WINNT_AUTH_IDENTITY_W raw;
	NTSTATUS status;

	status = fetch_auth_identity(lsa, data, &raw);
	if (NT_SUCCESS(status))
		status = fetch_text(raw.User, raw.UserLength, raw.Flags,
				    &identity->user);
	if (NT_SUCCESS(status))
		status = fetch_text(raw.Domain, raw.DomainLength, raw.Flags,
				    &identity->domain);
	if (NT_SUCCESS(status))
		status = fetch_text(raw.Password, raw.PasswordLength, raw.Flags,
				    &identity->password);
	return status;
}

/* USER@REALM for Kerberos, DOMAIN\USER for NTLM */
static OM_uint32 import_user(const struct identity *identity, gss_OID mechanism,
			     gss_name_t *name)
{
	const char *first = identity->user, *second = identity->domain;
	const bool ntlm = mechanism == &ntlm_oid;
	gss_buffer_desc text;
	OM_uint32 major, minor;

	text.value = calloc(1, 2 * 3 * 1024 + 2);
	if (!text.value)
		return GSS_S_FAILURE;
	if (second && ntlm) {
		first = identity->domain;
		second = identity->user;
	}
	strcpy(text.value, first);
	if (second) {
		strcat(text.value, ntlm ? "\\" : "@");
		strcat(text.value, second);
	}
	text.length = strlen(text.value);
	major = gss_import_name(&minor, &text, GSS_C_NT_USER_NAME, name);
	free(text.value);
	return major;
}

static gss_cred_usage_t usage(ULONG use)
{
	switch (use & SECPKG_CRED_BOTH) {
	case SECPKG_CRED_INBOUND:
		return GSS_C_ACCEPT;
	case SECPKG_CRED_OUTBOUND:
		return GSS_C_INITIATE;
	default:
		return GSS_C_BOTH;
	}
}

static OM_uint32 acquire_gss(struct credential *credential,
			     const struct identity *identity, ULONG use)
{
	gss_OID_set_desc mechanisms = { 1, credential->mechanism };
	gss_buffer_desc password = { 0 };
	OM_uint32 major, minor;

	if (identity->user) {
		major = import_user(identity, credential->mechanism,
				    &credential->name);
		if (GSS_ERROR(major))
			return major;
	}
	if (!identity->password)
		return gss_acquire_cred(&minor, credential->name,
					GSS_C_INDEFINITE, &mechanisms,
					usage(use), &credential->gss, NULL,
					NULL);
	password.value = identity->password;
	password.length = strlen(identity->password);
	return gss_acquire_cred_with_password(&minor, credential->name,
					      &password, GSS_C_INDEFINITE,
					      &mechanisms, usage(use),
					      &credential->gss, NULL, NULL);
}

static void drop_credential(struct credential *credential)
{
	OM_uint32 minor;

	gss_release_cred(&minor, &credential->gss);
	gss_release_name(&minor, &credential->name);
	free(credential);
}

static NTSTATUS acquire(gss_OID mechanism, ULONG use, PVOID data,
			PLSA_SEC_HANDLE handle, PTimeStamp expiry)
{
	struct credential *credential = calloc(1, sizeof(*credential));
	struct identity identity = { NULL };
	NTSTATUS status = STATUS_SUCCESS;

	if (!credential)
		return SEC_E_INSUFFICIENT_MEMORY;
	credential->mechanism = mechanism;
	if (data)
		status = fetch_identity(data, &identity);
	if (NT_SUCCESS(status))
		status = as_status(acquire_gss(credential, &identity, use));
	drop_identity(&identity);
	if (!NT_SUCCESS(status)) {
		drop_credential(credential);
		return status;
	}
	*handle = (LSA_SEC_HANDLE)credential;
	set_expiry(expiry, 0);
	return STATUS_SUCCESS;
}

static NTSTATUS NTAPI acquire_ntlm(PUNICODE_STRING principal, ULONG use,
				   PLUID logon_id, PVOID data, PVOID get_key,
				   PVOID get_key_argument,
				   PLSA_SEC_HANDLE handle, PTimeStamp expiry)
{
	UNREFERENCED_PARAMETER(principal);
	UNREFERENCED_PARAMETER(logon_id);
	UNREFERENCED_PARAMETER(get_key);
	UNREFERENCED_PARAMETER(get_key_argument);
	return acquire(&ntlm_oid, use, data, handle, expiry);
}

static NTSTATUS NTAPI acquire_kerberos(PUNICODE_STRING principal, ULONG use,
				       PLUID logon_id, PVOID data,
				       PVOID get_key, PVOID get_key_argument,
				       PLSA_SEC_HANDLE handle,
				       PTimeStamp expiry)
{
	UNREFERENCED_PARAMETER(principal);
	UNREFERENCED_PARAMETER(logon_id);
	UNREFERENCED_PARAMETER(get_key);
	UNREFERENCED_PARAMETER(get_key_argument);
	return acquire(&kerberos_oid, use, data, handle, expiry);
}

static NTSTATUS NTAPI free_credential(LSA_SEC_HANDLE handle)
{
	drop_credential((struct credential *)handle);
	return STATUS_SUCCESS;
}

/*
 * Contexts in the LSA
 */

/* The peer's token, in this process; an empty one where there is none */
static NTSTATUS get_token(PSecBufferDesc input, gss_buffer_t token)
{
	SecBuffer *buffer = find_buffer(input, SECBUFFER_TOKEN);
	NTSTATUS status;

	token->length = 0;
	token->value = NULL;
	if (!buffer)
		return STATUS_SUCCESS;
	status = lsa->MapBuffer(buffer, buffer);
	if (NT_SUCCESS(status)) {
		token->length = buffer->cbBuffer;
		token->value = buffer->pvBuffer;
	}
	return status;
}

static NTSTATUS put_token(PSecBufferDesc output, const gss_buffer_desc *token,
			  bool allocate)
{
	SecBuffer *buffer = find_buffer(output, SECBUFFER_TOKEN);
	NTSTATUS status = STATUS_SUCCESS;

	if (!buffer)
		return token->length ? SEC_E_INVALID_TOKEN : STATUS_SUCCESS;
	if (!token->length) {
		buffer->cbBuffer = 0;
		return STATUS_SUCCESS;
	}
	/* The token goes to its place in the client in one copy */
	if (allocate)
		status = lsa->AllocateClientBuffer(NULL, token->length,
						   &buffer->pvBuffer);
	else
		status = lsa->MapBuffer(buffer, buffer);
	if (!NT_SUCCESS(status))
		return status;
	if (allocate) {
		buffer->cbBuffer = token->length;
		return lsa->CopyToClientBuffer(NULL, token->length,
					       buffer->pvBuffer, token->value);
	}
	if (buffer->cbBuffer < token->length)
		return SEC_E_BUFFER_TOO_SMALL;
	memcpy(buffer->pvBuffer, token->value, token->length);
	buffer->cbBuffer = token->length;
	return STATUS_SUCCESS;
}

static const struct {
	ULONG sspi;
	OM_uint32 gss;
} flags[] = {
	{ ISC_REQ_DELEGATE, GSS_C_DELEG_FLAG },
	{ ISC_REQ_MUTUAL_AUTH, GSS_C_MUTUAL_FLAG },
	{ ISC_REQ_REPLAY_DETECT, GSS_C_REPLAY_FLAG },
	{ ISC_REQ_SEQUENCE_DETECT, GSS_C_SEQUENCE_FLAG },
	{ ISC_REQ_CONFIDENTIALITY, GSS_C_CONF_FLAG },
	{ ISC_REQ_INTEGRITY, GSS_C_INTEG_FLAG },
	{ ISC_REQ_USE_DCE_STYLE, GSS_C_DCE_STYLE },
};

static OM_uint32 to_gss_flags(ULONG requirements)
{
	OM_uint32 result = 0;
	size_t i;

	for (i = 0; i < ARRAYSIZE(flags); i++)
		if (requirements & flags[i].sspi)
			result |= flags[i].gss;
	return result;
}

/* Integrity has another bit on the accepting side */
static ULONG to_attributes(OM_uint32 from, bool accept)
{
	ULONG result = 0;
	size_t i;

	for (i = 0; i < ARRAYSIZE(flags); i++) {
		if (!(from & flags[i].gss))
			continue;
		if (accept && flags[i].sspi == ISC_REQ_INTEGRITY)
			result |= ASC_RET_INTEGRITY;
		else
			result |= flags[i].sspi;
	}
	return result;
}

static OM_uint32 import_target(PUNICODE_STRING target, gss_name_t *name)
{
	OM_uint32 major, minor;
	gss_buffer_desc text;
	STRING plain;

	if (!target || !target->Length)
		return GSS_S_COMPLETE;
	if (!NT_SUCCESS(RtlUnicodeStringToAnsiString(&plain, target, TRUE)))
		return GSS_S_BAD_NAME;
	text.value = plain.Buffer;
	text.length = plain.Length;
	/* service/host as on Windows, or service@host */
	major = gss_import_name(&minor, &text,
				memchr(plain.Buffer, '/', plain.Length) ?
					GSS_C_NT_USER_NAME :
					GSS_C_NT_HOSTBASED_SERVICE,
				name);
	RtlFreeAnsiString(&plain);
	return major;
}

/* Established: what remains to be done is the client's */
static NTSTATUS map_to_client(struct context *context, PBOOLEAN mapped,
			      PSecBuffer data)
{
	gss_buffer_desc exported = { 0 };
	OM_uint32 major, minor;

	major = gss_export_sec_context(&minor, &context->gss, &exported);
	if (GSS_ERROR(major))
		return as_status(major);
	data->pvBuffer = lsa->AllocateLsaHeap(exported.length);
	if (data->pvBuffer) {
		memcpy(data->pvBuffer, exported.value, exported.length);
		data->cbBuffer = exported.length;
		*mapped = TRUE;
	}
	RtlSecureZeroMemory(exported.value, exported.length);
	gss_release_buffer(&minor, &exported);
	return *mapped ? STATUS_SUCCESS : SEC_E_INSUFFICIENT_MEMORY;
}

static void drop_context(struct context *context)
{
	OM_uint32 minor;

	gss_delete_sec_context(&minor, &context->gss, GSS_C_NO_BUFFER);
	free(context);
}

/**
 * struct step - one exchange of tokens
 * @accept: on the accepting side
 * @credential: whose
 * @context: that it is about
 * @is_new: the context is to go when the step fails
 * @target: of the initiator
 * @requirements: of the client
 * @input: from the peer
 * @output: for the peer
 */
struct step {
	bool accept;
	struct credential *credential;
	struct context *context;
	bool is_new;
	PUNICODE_STRING target;
	ULONG requirements;
	PSecBufferDesc input;
	PSecBufferDesc output;
};

static OM_uint32 exchange(const struct step *step, gss_buffer_t in,
			  gss_buffer_t out, OM_uint32 *granted)
{
	gss_cred_id_t credential = step->credential ? step->credential->gss :
						      GSS_C_NO_CREDENTIAL;
	gss_OID mechanism = step->credential ? step->credential->mechanism :
					       GSS_C_NO_OID;
	gss_name_t target = GSS_C_NO_NAME;
	OM_uint32 major, minor, ignored;

	if (step->accept)
		return gss_accept_sec_context(&minor, &step->context->gss,
					      credential, in,
					      GSS_C_NO_CHANNEL_BINDINGS, NULL,
					      NULL, out, granted, NULL, NULL);
	major = import_target(step->target, &target);
	if (GSS_ERROR(major))
		return major;
	major = gss_init_sec_context(&minor, credential, &step->context->gss,
				     target, mechanism,
				     to_gss_flags(step->requirements), 0,
				     GSS_C_NO_CHANNEL_BINDINGS, in, NULL, out,
				     granted, NULL);
	gss_release_name(&ignored, &target);
	return major;
}

static NTSTATUS take_step(const struct step *step, PULONG attributes,
			  PBOOLEAN mapped, PSecBuffer data)
{
	gss_buffer_desc in, out = { 0 };
	OM_uint32 minor, granted = 0;
	NTSTATUS status, put;

	status = get_token(step->input, &in);
	if (!NT_SUCCESS(status))
		return status;
	status = as_status(exchange(step, &in, &out, &granted));
	if (NT_SUCCESS(status)) {
		put = put_token(step->output, &out,
				step->requirements & ISC_REQ_ALLOCATE_MEMORY);
		if (!NT_SUCCESS(put))
			status = put;
	}
	gss_release_buffer(&minor, &out);
	*attributes = to_attributes(granted, step->accept);
	if (step->requirements & ISC_REQ_ALLOCATE_MEMORY)
		*attributes |= ISC_RET_ALLOCATED_MEMORY;
	if (status == SEC_E_OK)
		status = map_to_client(step->context, mapped, data);
	return status;
}

static NTSTATUS run_step(struct step *step, LSA_SEC_HANDLE handle,
			 PLSA_SEC_HANDLE new_handle, PULONG attributes,
			 PTimeStamp expiry, PBOOLEAN mapped, PSecBuffer data)
{
	NTSTATUS status;

	step->context = (struct context *)handle;
	if (!handle) {
		step->context = calloc(1, sizeof(*step->context));
		if (!step->context)
			return SEC_E_INSUFFICIENT_MEMORY;
	} else if (step->context->gss == GSS_C_NO_CONTEXT) {
		/* It has been handed to the client, or has failed */
		return SEC_E_INVALID_HANDLE;
	}
	status = take_step(step, attributes, mapped, data);
	set_expiry(expiry, 0);
	if (!handle && !NT_SUCCESS(status)) {
		drop_context(step->context);
		return status;
	}
	*new_handle = (LSA_SEC_HANDLE)step->context;
	return status;
}

static NTSTATUS NTAPI init_context(
	LSA_SEC_HANDLE credential, LSA_SEC_HANDLE handle,
	PUNICODE_STRING target, ULONG requirements, ULONG data_rep,
	PSecBufferDesc input, PLSA_SEC_HANDLE new_handle, PSecBufferDesc output,
	PULONG attributes, PTimeStamp expiry, PBOOLEAN mapped, PSecBuffer data)
{
	struct step step = {
		.credential = (struct credential *)credential,
		.target = target,
		.requirements = requirements,
		.input = input,
		.output = output,
	};

	UNREFERENCED_PARAMETER(data_rep);
	if (!credential)
		return SEC_E_NO_CREDENTIALS;
	return run_step(&step, handle, new_handle, attributes, expiry, mapped,
			data);
}

static NTSTATUS NTAPI accept_context(LSA_SEC_HANDLE credential,
				     LSA_SEC_HANDLE handle,
				     PSecBufferDesc input, ULONG requirements,
				     ULONG data_rep, PLSA_SEC_HANDLE new_handle,
				     PSecBufferDesc output, PULONG attributes,
				     PTimeStamp expiry, PBOOLEAN mapped,
				     PSecBuffer data)
{
	struct step step = {
		.accept = true,
		.credential = (struct credential *)credential,
		.requirements = requirements,
		.input = input,
		.output = output,
	};

	UNREFERENCED_PARAMETER(data_rep);
	if (!credential)
		return SEC_E_NO_CREDENTIALS;
	return run_step(&step, handle, new_handle, attributes, expiry, mapped,
			data);
}

static NTSTATUS NTAPI delete_context(LSA_SEC_HANDLE handle)
{
	drop_context((struct context *)handle);
	return STATUS_SUCCESS;
}

/*
 * The package as a whole
 */

static NTSTATUS NTAPI initialize(ULONG_PTR id, PSECPKG_PARAMETERS parameters,
				 PLSA_SECPKG_FUNCTION_TABLE table)
{
	UNREFERENCED_PARAMETER(id);
	UNREFERENCED_PARAMETER(parameters);
	lsa = table;
	return STATUS_SUCCESS;
}

static void fill_info(PSecPkgInfo info, WCHAR *name, WCHAR *comment)
{
	info->fCapabilities = SECPKG_FLAG_INTEGRITY | SECPKG_FLAG_PRIVACY |
			      SECPKG_FLAG_CONNECTION | SECPKG_FLAG_MUTUAL_AUTH |
			      SECPKG_FLAG_GSS_COMPATIBLE;
	info->wVersion = 1;
	info->wRPCID = SECPKG_ID_NONE;
	info->cbMaxToken = MAX_TOKEN;
	info->Name = name;
	info->Comment = comment;
}

static NTSTATUS NTAPI ntlm_info(PSecPkgInfo info)
{
	static WCHAR name[] = u"NTLM", comment[] = u"NTLM of GSSAPI";

	fill_info(info, name, comment);
	info->fCapabilities &= ~SECPKG_FLAG_MUTUAL_AUTH;
	info->wRPCID = 10;
	return STATUS_SUCCESS;
}

static NTSTATUS NTAPI kerberos_info(PSecPkgInfo info)
{
	static WCHAR name[] = u"Kerberos", comment[] = u"Kerberos of GSSAPI";

	fill_info(info, name, comment);
	info->wRPCID = 16;
	return STATUS_SUCCESS;
}

static SECPKG_FUNCTION_TABLE tables[] = {
	{
		.Initialize = initialize,
		.GetInfo = ntlm_info,
		.AcquireCredentialsHandle = acquire_ntlm,
		.FreeCredentialsHandle = free_credential,
		.InitLsaModeContext = init_context,
		.AcceptLsaModeContext = accept_context,
		.DeleteContext = delete_context,
	},
	{
		.Initialize = initialize,
		.GetInfo = kerberos_info,
		.AcquireCredentialsHandle = acquire_kerberos,
		.FreeCredentialsHandle = free_credential,
		.InitLsaModeContext = init_context,
		.AcceptLsaModeContext = accept_context,
		.DeleteContext = delete_context,
	},
};

NTSTATUS SEC_ENTRY SpLsaModeInitialize(ULONG version, PULONG package_version,
				       PSECPKG_FUNCTION_TABLE *own_tables,
				       PULONG count)
{
	UNREFERENCED_PARAMETER(version);
	*package_version = SECPKG_INTERFACE_VERSION;
	*own_tables = tables;
	*count = ARRAYSIZE(tables);
	return STATUS_SUCCESS;
}

/*
 * In the client: contexts are found by the number that the client has for them
 */

struct user_context {
	struct user_context *next;
	LSA_SEC_HANDLE handle;
	gss_ctx_id_t gss;
};

static struct user_context *user_contexts;
static PSECPKG_DLL_FUNCTIONS client;
static volatile int user_lock;

static void lock_users(void)
{
	while (__atomic_exchange_n(&user_lock, 1, __ATOMIC_ACQUIRE))
		;
}

static void unlock_users(void)
{
	__atomic_store_n(&user_lock, 0, __ATOMIC_RELEASE);
}

static NTSTATUS NTAPI instance_init(ULONG version,
				    PSECPKG_DLL_FUNCTIONS functions,
				    PVOID *user_functions)
{
	UNREFERENCED_PARAMETER(version);
	UNREFERENCED_PARAMETER(user_functions);
	client = functions;
	return STATUS_SUCCESS;
}

static struct user_context *find_user(LSA_SEC_HANDLE handle)
{
	struct user_context *context;

	lock_users();
	for (context = user_contexts; context && context->handle != handle;
	     context = context->next)
		;
	unlock_users();
	return context;
}

static NTSTATUS NTAPI init_user_context(LSA_SEC_HANDLE handle,
					PSecBuffer packed)
{
	gss_buffer_desc exported = { packed->cbBuffer, packed->pvBuffer };
	struct user_context *context = calloc(1, sizeof(*context));
	OM_uint32 major, minor;

	if (!context)
		return SEC_E_INSUFFICIENT_MEMORY;
	major = gss_import_sec_context(&minor, &exported, &context->gss);
	if (GSS_ERROR(major)) {
		free(context);
		return as_status(major);
	}
	context->handle = handle;
	lock_users();
	context->next = user_contexts;
	user_contexts = context;
	unlock_users();
	return STATUS_SUCCESS;
}

static NTSTATUS NTAPI delete_user_context(LSA_SEC_HANDLE handle)
{
	struct user_context **at, *context;
	OM_uint32 minor;

	lock_users();
	for (at = &user_contexts; *at && (*at)->handle != handle;
	     at = &(*at)->next)
		;
	context = *at;
	if (context)
		*at = context->next;
	unlock_users();
	if (!context)
		return SEC_E_INVALID_HANDLE;
	gss_delete_sec_context(&minor, &context->gss, GSS_C_NO_BUFFER);
	free(context);
	return STATUS_SUCCESS;
}

static NTSTATUS NTAPI make_signature(LSA_SEC_HANDLE handle, ULONG quality,
				     PSecBufferDesc message, ULONG sequence)
{
	SecBuffer *data = find_buffer(message, SECBUFFER_DATA);
	SecBuffer *token = find_buffer(message, SECBUFFER_TOKEN);
	struct user_context *context = find_user(handle);
	gss_buffer_desc text, mic = { 0 };
	OM_uint32 major, minor;
	NTSTATUS status;

	UNREFERENCED_PARAMETER(quality);
	UNREFERENCED_PARAMETER(sequence);
	if (!context)
		return SEC_E_INVALID_HANDLE;
	if (!data || !token)
		return SEC_E_INVALID_TOKEN;
	text.value = data->pvBuffer;
	text.length = data->cbBuffer;
	major = gss_get_mic(&minor, context->gss, GSS_C_QOP_DEFAULT, &text,
			    &mic);
	status = as_status(major);
	if (NT_SUCCESS(status) && mic.length > token->cbBuffer)
		status = SEC_E_BUFFER_TOO_SMALL;
	if (NT_SUCCESS(status)) {
		memcpy(token->pvBuffer, mic.value, mic.length);
		token->cbBuffer = mic.length;
	}
	gss_release_buffer(&minor, &mic);
	return status;
}

static NTSTATUS NTAPI verify_signature(LSA_SEC_HANDLE handle,
				       PSecBufferDesc message, ULONG sequence,
				       PULONG quality)
{
	SecBuffer *data = find_buffer(message, SECBUFFER_DATA);
	SecBuffer *token = find_buffer(message, SECBUFFER_TOKEN);
	struct user_context *context = find_user(handle);
	gss_buffer_desc text, mic;
	OM_uint32 minor;

	UNREFERENCED_PARAMETER(sequence);
	if (!context)
		return SEC_E_INVALID_HANDLE;
	if (!data || !token)
		return SEC_E_INVALID_TOKEN;
	text.value = data->pvBuffer;
	text.length = data->cbBuffer;
	mic.value = token->pvBuffer;
	mic.length = token->cbBuffer;
	if (quality)
		*quality = 0;
	return as_status(
		gss_verify_mic(&minor, context->gss, &text, &mic, NULL));
}

/* An upper bound for both: a signature that was made to ask would be counted */
static NTSTATUS query_sizes(SecPkgContext_Sizes *sizes)
{
	sizes->cbMaxToken = MAX_TOKEN;
	sizes->cbMaxSignature = 64;
	sizes->cbBlockSize = 1;
	sizes->cbSecurityTrailer = 0;
	return STATUS_SUCCESS;
}

/* The peer's name */
static NTSTATUS query_names(struct user_context *context,
			    SecPkgContext_NamesW *names)
{
	gss_name_t initiator = GSS_C_NO_NAME;
	gss_buffer_desc text = { 0 };
	OM_uint32 major, minor;
	ULONG used = 0;

	major = gss_inquire_context(&minor, context->gss, &initiator, NULL,
				    NULL, NULL, NULL, NULL, NULL);
	if (!GSS_ERROR(major))
		major = gss_display_name(&minor, initiator, &text, NULL);
	gss_release_name(&minor, &initiator);
	if (GSS_ERROR(major))
		return as_status(major);
	names->sUserName =
		client->AllocateHeap((text.length + 1) * sizeof(WCHAR));
	if (names->sUserName)
		RtlUTF8ToUnicodeN(names->sUserName, text.length * sizeof(WCHAR),
				  &used, text.value, text.length);
	gss_release_buffer(&minor, &text);
	return names->sUserName ? STATUS_SUCCESS : SEC_E_INSUFFICIENT_MEMORY;
}

static NTSTATUS NTAPI query_context(LSA_SEC_HANDLE handle, ULONG attribute,
				    PVOID buffer)
{
	struct user_context *context = find_user(handle);

	if (!context)
		return SEC_E_INVALID_HANDLE;
	if (attribute == SECPKG_ATTR_SIZES)
		return query_sizes(buffer);
	if (attribute == SECPKG_ATTR_NAMES)
		return query_names(context, buffer);
	return SEC_E_UNSUPPORTED_FUNCTION;
}

#define USER_TABLE                                            \
	{                                                     \
		.InstanceInit = instance_init,                \
		.InitUserModeContext = init_user_context,     \
		.MakeSignature = make_signature,              \
		.VerifySignature = verify_signature,          \
		.QueryContextAttributes = query_context,      \
		.DeleteUserModeContext = delete_user_context, \
	}

static SECPKG_USER_FUNCTION_TABLE user_tables[] = { USER_TABLE, USER_TABLE };

NTSTATUS SEC_ENTRY SpUserModeInitialize(ULONG version, PULONG package_version,
					PSECPKG_USER_FUNCTION_TABLE *own_tables,
					PULONG count)
{
	UNREFERENCED_PARAMETER(version);
	*package_version = SECPKG_INTERFACE_VERSION;
	*own_tables = user_tables;
	*count = ARRAYSIZE(user_tables);
	return STATUS_SUCCESS;
}
