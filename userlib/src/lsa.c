// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The client's face of the LSA: the functions of ntsecapi.h.
 *
 * Outputs may be NULL, each of them, and are preset whatever happens: buffer
 * NULL, length 0, protocol status success. The status of the call is written
 * last of all, as its return value, so that a caller may give the address of
 * the same variable for the protocol status.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>
#include <ntstatus.h>
#include <ntsecapi.h>

#include "internal.h"
#include "protocol.h"

/*
 * A file without role, kept for LsaFreeReturnBuffer(): it has to work without
 * any handle, and in processes that can open nothing by then. -1: none
 */
static _Atomic int free_fd = -1;

static int get_free_fd(void)
{
	int fd = atomic_load(&free_fd);
	int none = -1;

	if (fd >= 0)
		return fd;
	fd = lsabuf_open(NULL);
	if (fd >= 0 && !atomic_compare_exchange_strong(&free_fd, &none, fd)) {
		lsabuf_close(fd);
		fd = none;
	}
	return fd;
}

static NTSTATUS free_with(int fd, PVOID buffer)
{
	int error = lsabuf_free(fd, buffer);

	return error ? lsabuf_status(error, LSABUF_SUBJECT_BLOCK) :
		       STATUS_SUCCESS;
}

/* The device cannot be opened: any connection that is open does it as well */
static NTSTATUS free_with_handle(PVOID buffer, int error)
{
	struct lsa_handle *handle = lsa_handle_get_any();
	NTSTATUS status;

	if (!handle)
		return lsabuf_status(error, LSABUF_SUBJECT_DEVICE);
	status = free_with(lsa_handle_fd(handle), buffer);
	lsa_handle_put(handle);
	return status;
}

/* Freeing with @fd has failed with @error, or there is no such file: rarely */
static __attribute__((noinline)) NTSTATUS free_again(PVOID buffer, int fd,
						     int error)
{
	NTSTATUS status = lsabuf_status(error, LSABUF_SUBJECT_BLOCK);

	if (fd >= 0) {
		if (status != STATUS_INVALID_HANDLE && lsabuf_fd_is_ours(fd))
			return status;
		/* Somebody closed it, and perhaps has its number now */
		atomic_compare_exchange_strong(&free_fd, &fd, -1);
	}
	fd = get_free_fd();
	return fd < 0 ? free_with_handle(buffer, fd) : free_with(fd, buffer);
}

LSABUF_EXPORT NTSTATUS NTAPI LsaFreeReturnBuffer(PVOID Buffer)
{
	int fd = atomic_load(&free_fd);
	int error = -EBADF;

	if (!Buffer)
		return STATUS_SUCCESS;
	if (fd >= 0)
		error = lsabuf_free(fd, Buffer);
	return error ? free_again(Buffer, fd, error) : STATUS_SUCCESS;
}

static NTSTATUS connect_to_lsa(PHANDLE LsaHandle, bool trusted)
{
	enum lsabuf_subject subject;
	void *value = NULL;
	int ret;

	/* Failure here is not yet one: freeing tries again */
	get_free_fd();
	ret = lsa_handle_create(trusted, &value, &subject);
	*LsaHandle = value;
	return lsabuf_status(ret, subject);
}

LSABUF_EXPORT NTSTATUS NTAPI LsaConnectUntrusted(PHANDLE LsaHandle)
{
	if (!LsaHandle)
		return STATUS_INVALID_PARAMETER;
	return connect_to_lsa(LsaHandle, false);
}

static NTSTATUS call_lsa(HANDLE LsaHandle, struct lsabuf_call *call)
{
	int error = lsa_handle_call(LsaHandle, call);

	return error ? lsabuf_status(error, LSABUF_SUBJECT_CONNECTION) :
		       (NTSTATUS)call->out_status[0];
}

static NTSTATUS send_name(HANDLE LsaHandle, enum lsa_message kind,
			  const LSA_STRING *name, struct lsabuf_call *call)
{
	if (!name->Buffer && name->Length)
		return STATUS_INVALID_PARAMETER;
	if (name->Length > LSA_MAX_NAME)
		return STATUS_NAME_TOO_LONG;
	lsabuf_call_prepare(call, kind, 0, name->Buffer, name->Length);
	return call_lsa(LsaHandle, call);
}

LSABUF_EXPORT NTSTATUS NTAPI
LsaRegisterLogonProcess(PLSA_STRING LogonProcessName, PHANDLE LsaHandle,
			PLSA_OPERATIONAL_MODE SecurityMode)
{
	struct lsabuf_call call;
	NTSTATUS status;

	if (!LsaHandle)
		return STATUS_INVALID_PARAMETER;
	*LsaHandle = NULL;
	if (SecurityMode)
		*SecurityMode = 0;
	if (!LogonProcessName)
		return STATUS_INVALID_PARAMETER;
	/* Tell a bad name before there is an LSA to be told */
	if (LogonProcessName->Length > LSA_MAX_NAME)
		return STATUS_NAME_TOO_LONG;
	status = connect_to_lsa(LsaHandle, true);
	if (!NT_SUCCESS(status))
		return status;
	status = send_name(*LsaHandle, LSA_MESSAGE_REGISTER, LogonProcessName,
			   &call);
	if (!NT_SUCCESS(status)) {
		lsa_handle_close(*LsaHandle);
		*LsaHandle = NULL;
	}
	return status;
}

LSABUF_EXPORT
NTSTATUS NTAPI LsaLookupAuthenticationPackage(HANDLE LsaHandle,
					      PLSA_STRING PackageName,
					      PULONG AuthenticationPackage)
{
	struct lsabuf_call call;
	NTSTATUS status;

	if (!PackageName || !AuthenticationPackage)
		return STATUS_INVALID_PARAMETER;
	*AuthenticationPackage = 0;
	status = send_name(LsaHandle, LSA_MESSAGE_LOOKUP_PACKAGE, PackageName,
			   &call);
	if (NT_SUCCESS(status))
		*AuthenticationPackage = call.out_status[1];
	return status;
}

LSABUF_EXPORT
NTSTATUS NTAPI LsaCallAuthenticationPackage(HANDLE LsaHandle,
					    ULONG AuthenticationPackage,
					    PVOID ProtocolSubmitBuffer,
					    ULONG SubmitBufferLength,
					    PVOID *ProtocolReturnBuffer,
					    PULONG ReturnBufferLength,
					    PNTSTATUS ProtocolStatus)
{
	struct lsabuf_call call;
	NTSTATUS status;

	if (ProtocolReturnBuffer)
		*ProtocolReturnBuffer = NULL;
	if (ReturnBufferLength)
		*ReturnBufferLength = 0;
	if (ProtocolStatus)
		*ProtocolStatus = STATUS_SUCCESS;
	if (!ProtocolSubmitBuffer && SubmitBufferLength)
		return STATUS_INVALID_PARAMETER;

	lsabuf_call_prepare(&call, LSA_MESSAGE_CALL, AuthenticationPackage,
			    ProtocolSubmitBuffer, SubmitBufferLength);
	status = call_lsa(LsaHandle, &call);
	if (!NT_SUCCESS(status))
		return status;

	/* What the caller has no place for would be lost to it */
	if (ProtocolReturnBuffer)
		*ProtocolReturnBuffer = (PVOID)(uintptr_t)call.out_address;
	else
		LsaFreeReturnBuffer((PVOID)(uintptr_t)call.out_address);
	if (ReturnBufferLength)
		*ReturnBufferLength = call.out_length;
	if (ProtocolStatus)
		*ProtocolStatus = call.out_status[1];
	return status;
}

/**
 * struct logon - where the results of LsaLogonUser() go; each may be NULL
 * @profile: in this process
 * @profile_length: its length in bytes
 * @logon_id: of the session
 */
struct logon {
	PVOID *profile;
	PULONG profile_length;
	PLUID logon_id;
};

static NTSTATUS take_logon(const struct lsabuf_call *call,
			   const struct logon *logon)
{
	PVOID block = (PVOID)(uintptr_t)call->out_address;
	struct lsa_logon_reply reply;

	if (!block || call->out_length != sizeof(reply))
		return STATUS_INTERNAL_ERROR;
	memcpy(&reply, block, sizeof(reply));
	LsaFreeReturnBuffer(block);
	if (logon->profile)
		*logon->profile = (PVOID)(uintptr_t)reply.profile;
	else
		LsaFreeReturnBuffer((PVOID)(uintptr_t)reply.profile);
	if (logon->profile_length)
		*logon->profile_length = reply.profile_length;
	if (logon->logon_id) {
		logon->logon_id->LowPart = reply.logon_id;
		logon->logon_id->HighPart = reply.logon_id >> 32;
	}
	return STATUS_SUCCESS;
}

/*
 * The token is always NULL and the quotas are 0: Linux has neither. What the
 * caller says of itself (origin, source) would only go into a token.
 */
LSABUF_EXPORT NTSTATUS NTAPI LsaLogonUser(
	HANDLE LsaHandle, PLSA_STRING OriginName, SECURITY_LOGON_TYPE LogonType,
	ULONG AuthenticationPackage, PVOID AuthenticationInformation,
	ULONG AuthenticationInformationLength, PTOKEN_GROUPS LocalGroups,
	PTOKEN_SOURCE SourceContext, PVOID *ProfileBuffer,
	PULONG ProfileBufferLength, PLUID LogonId, PHANDLE Token,
	PQUOTA_LIMITS Quotas, PNTSTATUS SubStatus)
{
	const struct logon logon = { ProfileBuffer, ProfileBufferLength,
				     LogonId };
	const ULONG length = AuthenticationInformationLength;
	struct lsa_logon_message *message;
	struct lsabuf_call call;
	NTSTATUS status;

	if (ProfileBuffer)
		*ProfileBuffer = NULL;
	if (ProfileBufferLength)
		*ProfileBufferLength = 0;
	if (LogonId)
		*LogonId = (LUID){ 0 };
	if (Token)
		*Token = NULL;
	if (Quotas)
		memset(Quotas, 0, sizeof(*Quotas));
	if (SubStatus)
		*SubStatus = STATUS_SUCCESS;
	UNREFERENCED_PARAMETER(OriginName);
	UNREFERENCED_PARAMETER(SourceContext);
	if (!AuthenticationInformation && length)
		return STATUS_INVALID_PARAMETER;

	message = calloc(1, sizeof(*message) + (size_t)length);
	if (!message)
		return STATUS_NO_MEMORY;
	message->flags = LocalGroups ? LSA_LOGON_F_GROUPS : 0;
	message->type = LogonType;
	message->address = (uintptr_t)AuthenticationInformation;
	message->length = length;
	if (length)
		memcpy(message + 1, AuthenticationInformation, length);
	lsabuf_call_prepare(&call, LSA_MESSAGE_LOGON, AuthenticationPackage,
			    message, sizeof(*message) + (size_t)length);
	call.out_status[1] = 0;
	status = call_lsa(LsaHandle, &call);
	/* Most likely a password */
	RtlSecureZeroMemory(message, sizeof(*message) + (size_t)length);
	free(message);
	if (SubStatus)
		*SubStatus = call.out_status[1];
	return NT_SUCCESS(status) ? take_logon(&call, &logon) : status;
}

/* These have no handle: each call has a connection of its own */
static NTSTATUS call_alone(struct lsabuf_call *call)
{
	NTSTATUS status;
	HANDLE lsa;

	status = connect_to_lsa(&lsa, false);
	if (!NT_SUCCESS(status))
		return status;
	status = call_lsa(lsa, call);
	lsa_handle_close(lsa);
	return status;
}

LSABUF_EXPORT NTSTATUS NTAPI LsaEnumerateLogonSessions(PULONG LogonSessionCount,
						       PLUID *LogonSessionList)
{
	struct lsabuf_call call;
	NTSTATUS status;

	if (!LogonSessionCount || !LogonSessionList)
		return STATUS_INVALID_PARAMETER;
	*LogonSessionCount = 0;
	*LogonSessionList = NULL;
	lsabuf_call_prepare(&call, LSA_MESSAGE_SESSIONS, 0, NULL, 0);
	status = call_alone(&call);
	if (!NT_SUCCESS(status))
		return status;
	*LogonSessionCount = call.out_length / sizeof(LUID);
	*LogonSessionList = (PLUID)(uintptr_t)call.out_address;
	return status;
}

/* The next text of the block */
static PWSTR take_text(PWSTR at, ULONG length, PLSA_UNICODE_STRING text)
{
	text->Buffer = at;
	text->Length = length;
	text->MaximumLength = length;
	return at + length / sizeof(WCHAR);
}

static bool is_good_session(const struct lsa_session_reply *reply,
			    uint64_t length)
{
	return reply->text_offset >= sizeof(SECURITY_LOGON_SESSION_DATA) &&
	       reply->account_length <= UNICODE_STRING_MAX_BYTES &&
	       reply->authority_length <= UNICODE_STRING_MAX_BYTES &&
	       reply->package_length <= UNICODE_STRING_MAX_BYTES &&
	       length == (uint64_t)reply->text_offset + reply->account_length +
				 reply->authority_length +
				 reply->package_length;
}

/* The struct goes where the host has left room for it, before the texts */
static NTSTATUS make_data(PSECURITY_LOGON_SESSION_DATA data, uint64_t length,
			  const LUID *id)
{
	struct lsa_session_reply reply;
	PWSTR at;

	if (!data || length < sizeof(reply))
		return STATUS_INTERNAL_ERROR;
	memcpy(&reply, data, sizeof(reply));
	if (!is_good_session(&reply, length))
		return STATUS_INTERNAL_ERROR;
	at = (PWSTR)((PCHAR)data + reply.text_offset);
	memset(data, 0, sizeof(*data));
	data->Size = sizeof(*data);
	data->LogonId = *id;
	data->LogonType = reply.type;
	data->LogonTime.QuadPart = reply.time;
	at = take_text(at, reply.account_length, &data->UserName);
	at = take_text(at, reply.authority_length, &data->LogonDomain);
	take_text(at, reply.package_length, &data->AuthenticationPackage);
	return STATUS_SUCCESS;
}

LSABUF_EXPORT
NTSTATUS NTAPI LsaGetLogonSessionData(PLUID LogonId,
				      PSECURITY_LOGON_SESSION_DATA *LogonData)
{
	PSECURITY_LOGON_SESSION_DATA data;
	struct lsabuf_call call;
	NTSTATUS status;
	LUID id;

	if (!LogonId || !LogonData)
		return STATUS_INVALID_PARAMETER;
	*LogonData = NULL;
	id = *LogonId;
	lsabuf_call_prepare(&call, LSA_MESSAGE_SESSION_DATA,
			    sizeof(**LogonData), &id, sizeof(id));
	status = call_alone(&call);
	if (!NT_SUCCESS(status))
		return status;
	data = (PVOID)(uintptr_t)call.out_address;
	status = make_data(data, call.out_length, &id);
	if (NT_SUCCESS(status))
		*LogonData = data;
	else
		LsaFreeReturnBuffer(data);
	return status;
}

LSABUF_EXPORT NTSTATUS NTAPI LsaDeregisterLogonProcess(HANDLE LsaHandle)
{
	return lsa_handle_close(LsaHandle) ? STATUS_SUCCESS :
					     STATUS_INVALID_HANDLE;
}
