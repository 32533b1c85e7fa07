// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Logons: one of LsaApLogonUserEx2, LsaApLogonUserEx and LsaApLogonUser, in
 * this order, and who owns what comes out of it.
 *
 *	authentication information	ours, wiped with the request
 *	profile buffer			the client's; freed here on failure
 *	token information, account,	ours: freed, whatever the outcome; there
 *	authority, machine, primary	are no tokens on Linux for them to go
 *	and supplemental credentials	into
 *
 * Packages lay these out in more than one way, or take them from where they
 * keep them: what is freed is only what the LSA heap has handed out during
 * this call.
 */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include <ntstatus.h>
#include <winternl.h>

#include "../src/protocol.h"
#include "lsahost.h"

/**
 * struct logon - what a package fills in
 * @profile: address in the client
 * @profile_length: bytes
 * @logon_id: of the session that it made
 * @sub_status: why it failed
 * @type: form of @information
 * @information: for a token
 * @account: who it is
 * @authority: who says so
 * @machine: where from
 * @primary: credentials for other packages
 * @supplemental: the same
 */
struct logon {
	PVOID profile;
	ULONG profile_length;
	LUID logon_id;
	NTSTATUS sub_status;
	LSA_TOKEN_INFORMATION_TYPE type;
	PVOID information;
	PUNICODE_STRING account;
	PUNICODE_STRING authority;
	PUNICODE_STRING machine;
	SECPKG_PRIMARY_CRED primary;
	PSECPKG_SUPPLEMENTAL_CRED_ARRAY supplemental;
};

static NTSTATUS call_package(const SECPKG_FUNCTION_TABLE *table,
			     PLSA_CLIENT_REQUEST handle,
			     struct lsa_logon_message *message,
			     struct logon *logon)
{
	PVOID base = (PVOID)(uintptr_t)message->address;
	PVOID submit = message->length ? message + 1 : NULL;

	if (table->LogonUserEx2)
		return table->LogonUserEx2(
			handle, message->type, submit, base, message->length,
			&logon->profile, &logon->profile_length,
			&logon->logon_id, &logon->sub_status, &logon->type,
			&logon->information, &logon->account, &logon->authority,
			&logon->machine, &logon->primary, &logon->supplemental);
	if (table->LogonUserEx)
		return table->LogonUserEx(handle, message->type, submit, base,
					  message->length, &logon->profile,
					  &logon->profile_length,
					  &logon->logon_id, &logon->sub_status,
					  &logon->type, &logon->information,
					  &logon->account, &logon->authority,
					  &logon->machine);
	if (table->LogonUser)
		return table->LogonUser(handle, message->type, submit, base,
					message->length, &logon->profile,
					&logon->profile_length,
					&logon->logon_id, &logon->sub_status,
					&logon->type, &logon->information,
					&logon->account, &logon->authority);
	return STATUS_NOT_SUPPORTED;
}

/* The struct first: its text may be behind it in the same block */
static void free_string(struct lsabuf_host_heap *heap, PUNICODE_STRING string)
{
	PVOID text;

	if (!string)
		return;
	text = string->Buffer;
	lsabuf_host_heap_free(heap, string);
	lsabuf_host_heap_free(heap, text);
}

/* One block in the second form, several in the first */
static void free_information(struct lsabuf_host_heap *heap, struct logon *logon)
{
	PLSA_TOKEN_INFORMATION_V1 v1 = logon->information;
	LSA_TOKEN_INFORMATION_V1 copy;
	ULONG i;

	if (!v1)
		return;
	if (logon->type != LsaTokenInformationV1) {
		lsabuf_host_heap_free(heap, v1);
		return;
	}
	copy = *v1;
	lsabuf_host_heap_free(heap, v1);
	for (i = 0; copy.Groups && i < copy.Groups->GroupCount; i++)
		lsabuf_host_heap_free(heap, copy.Groups->Groups[i].Sid);
	lsabuf_host_heap_free(heap, copy.User.User.Sid);
	lsabuf_host_heap_free(heap, copy.Groups);
	lsabuf_host_heap_free(heap, copy.PrimaryGroup.PrimaryGroup);
	lsabuf_host_heap_free(heap, copy.Privileges);
	lsabuf_host_heap_free(heap, copy.Owner.Owner);
	lsabuf_host_heap_free(heap, copy.DefaultDacl.DefaultDacl);
}

static void free_secret(struct lsabuf_host_heap *heap, PVOID bytes,
			ULONG length)
{
	if (bytes)
		RtlSecureZeroMemory(bytes, length);
	lsabuf_host_heap_free(heap, bytes);
}

static void free_credentials(struct lsabuf_host_heap *heap, struct logon *logon)
{
	PSECPKG_SUPPLEMENTAL_CRED_ARRAY array = logon->supplemental;
	PSECPKG_PRIMARY_CRED primary = &logon->primary;
	ULONG i;

	free_secret(heap, primary->Password.Buffer, primary->Password.Length);
	free_secret(heap, primary->OldPassword.Buffer,
		    primary->OldPassword.Length);
	lsabuf_host_heap_free(heap, primary->DownlevelName.Buffer);
	lsabuf_host_heap_free(heap, primary->DomainName.Buffer);
	lsabuf_host_heap_free(heap, primary->UserSid);
	lsabuf_host_heap_free(heap, primary->DnsDomainName.Buffer);
	lsabuf_host_heap_free(heap, primary->Upn.Buffer);
	lsabuf_host_heap_free(heap, primary->LogonServer.Buffer);
	for (i = 0; array && i < array->CredentialCount; i++) {
		free_secret(heap, array->Credentials[i].Credentials,
			    array->Credentials[i].CredentialSize);
		lsabuf_host_heap_free(heap,
				      array->Credentials[i].PackageName.Buffer);
	}
	lsabuf_host_heap_free(heap, array);
}

static NTSTATUS reply(const struct logon *logon, struct answer *answer)
{
	struct lsa_logon_reply *bytes = calloc(1, sizeof(*bytes));

	if (!bytes)
		return STATUS_INSUFFICIENT_RESOURCES;
	bytes->profile = (uintptr_t)logon->profile;
	bytes->profile_length = logon->profile_length;
	bytes->logon_id = logon->logon_id.LowPart |
			  (uint64_t)(ULONG)logon->logon_id.HighPart << 32;
	answer->payload = bytes;
	answer->length = sizeof(*bytes);
	return STATUS_SUCCESS;
}

static void set_text(struct session_text *text, const UNICODE_STRING *string)
{
	size_t units;

	if (!string || !string->Buffer)
		return;
	units = string->Length / sizeof(WCHAR);
	text->length = units < SESSION_MAX_TEXT ? units : SESSION_MAX_TEXT;
	memcpy(text->text, string->Buffer, text->length * sizeof(WCHAR));
}

static void describe(const struct package *package, uint64_t request,
		     ULONG type, const struct logon *logon)
{
	struct session_info info = { .type = type, .package = package };

	set_text(&info.account, logon->account);
	set_text(&info.authority, logon->authority);
	session_describe(&logon->logon_id, request, &info);
}

/* Nothing is left of a logon that the client is not told of */
static void give_up(PLSA_CLIENT_REQUEST handle, uint64_t request,
		    bool had_succeeded, const struct logon *logon)
{
	lsabuf_host_table()->FreeClientBuffer(handle, logon->profile);
	if (had_succeeded)
		session_end(&logon->logon_id);
	sessions_abandon(request);
}

static NTSTATUS run(const struct package *package, PLSA_CLIENT_REQUEST handle,
		    uint64_t request, struct lsa_logon_message *message,
		    struct answer *answer)
{
	struct lsabuf_host_heap heap = { 0 };
	struct logon logon = { 0 };
	bool has_succeeded;
	NTSTATUS status;

	lsabuf_host_heap_watch(&heap);
	status = call_package(&package->table, handle, message, &logon);
	lsabuf_host_heap_watch(NULL);
	answer->status[1] = logon.sub_status;
	has_succeeded = NT_SUCCESS(status);
	if (has_succeeded) {
		/* The package may have made more shared memory meanwhile */
		status = lsabuf_host_share(handle);
		if (NT_SUCCESS(status))
			status = reply(&logon, answer);
	}
	if (NT_SUCCESS(status))
		describe(package, request, message->type, &logon);
	else
		give_up(handle, request, has_succeeded, &logon);
	free_string(&heap, logon.account);
	free_string(&heap, logon.authority);
	free_string(&heap, logon.machine);
	free_information(&heap, &logon);
	free_credentials(&heap, &logon);
	return status;
}

/**
 * logon_answer() - answer a request to log on
 * @fd: authority
 * @request: received and not yet answered
 * @answer: filled in; its second status is the sub-status
 *
 * Return: what the package says, or why it was not asked.
 */
NTSTATUS logon_answer(int fd, const struct lsabuf_reply_receive *request,
		      struct answer *answer)
{
	struct lsa_logon_message *message =
		(void *)(uintptr_t)request->out_submit_address;
	const struct package *package = package_by_id(request->out_code);
	PLSA_CLIENT_REQUEST handle;
	NTSTATUS status;

	if (request->out_submit_length < sizeof(*message) ||
	    message->length != request->out_submit_length - sizeof(*message))
		return STATUS_INVALID_PARAMETER;
	if (!package)
		return STATUS_NO_SUCH_PACKAGE;
	if (message->flags & LSA_LOGON_F_GROUPS &&
	    (request->out_kind != LSA_MESSAGE_LOGON_TRUSTED ||
	     !trust_is_trusted(fd, request)))
		return STATUS_PRIVILEGE_NOT_HELD;
	status = package_enter(package, fd, request, &handle);
	if (!NT_SUCCESS(status))
		return status;
	status = run(package, handle, request->out_id, message, answer);
	package_leave(handle);
	return status;
}

/*
 * What clients ask about sessions
 */

/**
 * logon_may_use() - whether a client may have a session's credentials used
 * @fd: authority
 * @request: received and not yet answered
 * @session: that it names
 *
 * Return: true for the user whose session it is, and for logon processes.
 */
bool logon_may_use(int fd, const struct lsabuf_reply_receive *request,
		   const struct session_info *session)
{
	return session->owner == request->out_uid ||
	       trust_is_trusted(fd, request);
}

/**
 * logon_list() - answer who wants the numbers of all sessions
 * @request: received and not yet answered
 * @answer: filled in
 *
 * Return: STATUS_SUCCESS or STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS logon_list(const struct lsabuf_reply_receive *request,
		    struct answer *answer)
{
	size_t count;

	answer->payload = sessions_list(request->out_uid, &count);
	if (!answer->payload)
		return STATUS_INSUFFICIENT_RESOURCES;
	answer->length = count * sizeof(LUID);
	return STATUS_SUCCESS;
}

/* The name of a user whom no package has described, from the user database */
static void set_account(struct session_info *info)
{
	struct passwd entry, *found = NULL;
	char buffer[4096];
	ULONG used = 0;

	if (info->account.length || info->package ||
	    getpwuid_r(info->owner, &entry, buffer, sizeof(buffer), &found) ||
	    !found)
		return;
	RtlUTF8ToUnicodeN(info->account.text, sizeof(info->account.text), &used,
			  found->pw_name, strlen(found->pw_name));
	info->account.length = used / sizeof(WCHAR);
}

static char *put_bytes(char *at, const void *bytes, size_t length)
{
	memcpy(at, bytes, length);
	return at + length;
}

static NTSTATUS put_session(const struct session_info *info, size_t room,
			    struct answer *answer)
{
	const char *name = info->package ? info->package->name : "";
	WCHAR package[sizeof(info->package->name)];
	struct lsa_session_reply *reply;
	ULONG package_length = 0;
	char *at;

	RtlUTF8ToUnicodeN(package, sizeof(package), &package_length, name,
			  strlen(name));
	if (room < sizeof(*reply))
		room = sizeof(*reply);
	reply = calloc(1, room + sizeof(info->account.text) +
				  sizeof(info->authority.text) +
				  sizeof(package));
	if (!reply)
		return STATUS_INSUFFICIENT_RESOURCES;
	reply->time = info->time;
	reply->type = info->type;
	reply->text_offset = room;
	reply->account_length = info->account.length * sizeof(WCHAR);
	reply->authority_length = info->authority.length * sizeof(WCHAR);
	reply->package_length = package_length;
	at = (char *)reply + room;
	at = put_bytes(at, info->account.text, reply->account_length);
	at = put_bytes(at, info->authority.text, reply->authority_length);
	at = put_bytes(at, package, package_length);
	answer->payload = reply;
	answer->length = at - (char *)reply;
	return STATUS_SUCCESS;
}

/**
 * logon_tell() - answer who wants to know of a session
 * @fd: authority
 * @request: received and not yet answered
 * @answer: filled in
 *
 * Return: STATUS_SUCCESS, STATUS_NO_SUCH_LOGON_SESSION, STATUS_ACCESS_DENIED
 * the session is another user's.
 */
NTSTATUS logon_tell(int fd, const struct lsabuf_reply_receive *request,
		    struct answer *answer)
{
	const LUID *luid = (void *)(uintptr_t)request->out_submit_address;
	struct session_info info;

	if (request->out_submit_length != sizeof(*luid) ||
	    request->out_code > LSA_MAX_SESSION_ROOM)
		return STATUS_INVALID_PARAMETER;
	if (!session_get(luid, &info))
		return STATUS_NO_SUCH_LOGON_SESSION;
	if (!logon_may_use(fd, request, &info))
		return STATUS_ACCESS_DENIED;
	set_account(&info);
	return put_session(&info, request->out_code, answer);
}
