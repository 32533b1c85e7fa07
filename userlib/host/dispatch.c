// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a request asks for, and how it is answered. */
#include <stdint.h>
#include <stdlib.h>

#include <ntstatus.h>

#include "../src/protocol.h"
#include "lsahost.h"

static NTSTATUS get_name(const struct lsabuf_reply_receive *request,
			 STRING *name)
{
	if (request->out_submit_length > LSA_MAX_NAME)
		return STATUS_NAME_TOO_LONG;
	name->Buffer = (PCHAR)(uintptr_t)request->out_submit_address;
	name->Length = request->out_submit_length;
	name->MaximumLength = name->Length;
	return STATUS_SUCCESS;
}

static NTSTATUS lookup_package(const struct lsabuf_reply_receive *request,
			       struct answer *answer)
{
	const struct package *package;
	NTSTATUS status;
	STRING name;

	status = get_name(request, &name);
	if (!NT_SUCCESS(status))
		return status;
	package = package_by_name(&name);
	if (!package)
		return STATUS_NO_SUCH_PACKAGE;
	answer->status[1] = package->id;
	return STATUS_SUCCESS;
}

/* Clients choose their names: nothing but plain characters goes into the log */
static void log_registration(const struct lsabuf_reply_receive *request,
			     const STRING *name, bool trusted)
{
	char plain[LSA_MAX_NAME + 1];
	USHORT i;

	for (i = 0; i < name->Length; i++) {
		plain[i] = name->Buffer[i];
		if (plain[i] < ' ' || plain[i] > '~')
			plain[i] = '?';
	}
	plain[i] = '\0';
	log_info("process %u of user %u %s as logon process \"%s\"",
		 request->out_pid, request->out_uid,
		 trusted ? "registered" : "was refused", plain);
}

/* Registration leaves nothing behind: each later call is looked at by itself */
static NTSTATUS register_process(int fd,
				 const struct lsabuf_reply_receive *request)
{
	bool trusted = trust_is_trusted(fd, request);
	NTSTATUS status;
	STRING name;

	status = get_name(request, &name);
	if (!NT_SUCCESS(status))
		return status;
	log_registration(request, &name, trusted);
	return trusted ? STATUS_SUCCESS : STATUS_PORT_CONNECTION_REFUSED;
}

static NTSTATUS run_package(PLSA_AP_CALL_PACKAGE entry,
			    PLSA_CLIENT_REQUEST handle,
			    const struct lsabuf_reply_receive *request,
			    struct answer *answer)
{
	NTSTATUS protocol_status = STATUS_SUCCESS;
	PVOID return_buffer = NULL;
	ULONG return_length = 0;
	NTSTATUS status;

	status = entry(handle, (PVOID)(uintptr_t)request->out_submit_address,
		       (PVOID)(uintptr_t)request->out_client_address,
		       request->out_submit_length, &return_buffer,
		       &return_length, &protocol_status);
	/* It may have made more of it meanwhile */
	if (NT_SUCCESS(status))
		status = lsabuf_host_share(handle);
	if (!NT_SUCCESS(status)) {
		/*
		 * The client is told nothing but the status, so it cannot free
		 * what the package left. Packages leave a buffer that they have
		 * freed as well: then this finds none.
		 */
		lsabuf_host_table()->FreeClientBuffer(handle, return_buffer);
		return status;
	}
	answer->status[1] = protocol_status;
	answer->address = (uintptr_t)return_buffer;
	answer->length = return_length;
	return status;
}

static NTSTATUS call_package(int fd, const struct lsabuf_reply_receive *request,
			     struct answer *answer)
{
	const struct package *package = package_by_id(request->out_code);
	PLSA_AP_CALL_PACKAGE entry;
	PLSA_CLIENT_REQUEST handle;
	NTSTATUS status;

	if (!package)
		return STATUS_NO_SUCH_PACKAGE;
	if (request->out_submit_length > MAXULONG)
		return STATUS_INVALID_PARAMETER;
	entry = package->table.CallPackageUntrusted;
	if (request->out_kind == LSA_MESSAGE_CALL_TRUSTED &&
	    trust_is_trusted(fd, request))
		entry = package->table.CallPackage;
	if (!entry)
		return STATUS_NOT_SUPPORTED;

	status = package_enter(package, fd, request, &handle);
	if (!NT_SUCCESS(status))
		return status;
	status = run_package(entry, handle, request, answer);
	package_leave(handle);
	return status;
}

static NTSTATUS answer_request(int fd,
			       const struct lsabuf_reply_receive *request,
			       struct answer *answer)
{
	switch (request->out_kind) {
	case LSA_MESSAGE_LOOKUP_PACKAGE:
		return lookup_package(request, answer);
	case LSA_MESSAGE_REGISTER:
		return register_process(fd, request);
	case LSA_MESSAGE_CALL:
	case LSA_MESSAGE_CALL_TRUSTED:
		return call_package(fd, request, answer);
	case LSA_MESSAGE_LOGON:
	case LSA_MESSAGE_LOGON_TRUSTED:
		return logon_answer(fd, request, answer);
	case LSA_MESSAGE_SESSIONS:
		return logon_list(request, answer);
	case LSA_MESSAGE_SESSION_DATA:
		return logon_tell(fd, request, answer);
	default:
		return sspi_answer(fd, request, answer);
	}
}

static const char *subject(const struct lsabuf_reply_receive *request)
{
	const struct package *package;

	switch (request->out_kind) {
	case LSA_MESSAGE_LOOKUP_PACKAGE:
		return "lookup of a package";
	case LSA_MESSAGE_REGISTER:
		return "registration";
	case LSA_MESSAGE_CALL:
	case LSA_MESSAGE_CALL_TRUSTED:
		package = package_by_id(request->out_code);
		return package ? package->name : "unknown package";
	case LSA_MESSAGE_LOGON:
	case LSA_MESSAGE_LOGON_TRUSTED:
		return "logon";
	case LSA_MESSAGE_SESSIONS:
		return "list of logon sessions";
	case LSA_MESSAGE_SESSION_DATA:
		return "data of a logon session";
	case LSA_MESSAGE_PACKAGES:
		return "list of packages";
	case LSA_MESSAGE_ACQUIRE_CREDENTIALS:
		return "acquisition of credentials";
	case LSA_MESSAGE_FREE_CREDENTIALS:
		return "end of credentials";
	case LSA_MESSAGE_QUERY_CREDENTIALS:
		return "attribute of credentials";
	case LSA_MESSAGE_INIT_CONTEXT:
		return "initiation of a context";
	case LSA_MESSAGE_ACCEPT_CONTEXT:
		return "acceptance of a context";
	case LSA_MESSAGE_DELETE_CONTEXT:
		return "end of a context";
	case LSA_MESSAGE_QUERY_CONTEXT:
		return "attribute of a context";
	case LSA_MESSAGE_APPLY_TOKEN:
		return "control token";
	default:
		return "unknown kind of call";
	}
}

static void log_answer(const struct lsabuf_reply_receive *request,
		       const struct answer *answer)
{
	log_call(
		"process %u of user %u: %s: 0x%08x 0x%08x, %llu bytes at 0x%llx",
		request->out_pid, request->out_uid, subject(request),
		answer->status[0], answer->status[1],
		(unsigned long long)answer->length,
		(unsigned long long)answer->address);
}

/**
 * dispatch() - do what a request asks for
 * @fd: authority
 * @request: received and not yet answered
 * @answer: what to reply
 */
void dispatch(int fd, const struct lsabuf_reply_receive *request,
	      struct answer *answer)
{
	*answer = (struct answer){ 0 };
	answer->status[0] = answer_request(fd, request, answer);
	log_answer(request, answer);
}

/**
 * dispatch_gone() - give back what a dead client held
 * @client: id of its connection
 *
 * Packages that ask who calls are told that the client is gone.
 */
void dispatch_gone(uint64_t client)
{
	const struct lsabuf_reply_receive gone = {
		.out_client = client,
		.out_flags = LSABUF_REQUEST_F_GONE,
	};
	PLSA_CLIENT_REQUEST handle = lsabuf_host_begin(-1, &gone);

	handles_rundown(client);
	sessions_rundown(client);
	lsabuf_host_end(handle);
}

/* A package calls another: it belongs to the LSA, and is trusted as such */
static NTSTATUS call_from_inside(const UNICODE_STRING *name,
				 PLSA_CLIENT_REQUEST request,
				 BOOLEAN passthrough, PVOID submit, PVOID base,
				 ULONG length, PVOID *return_buffer,
				 PULONG return_length, PNTSTATUS status)
{
	const struct package *package;
	PLSA_AP_CALL_PACKAGE entry;
	NTSTATUS converted, shared;
	unsigned int before;
	STRING plain;

	converted = RtlUnicodeStringToAnsiString(&plain, name, TRUE);
	if (!NT_SUCCESS(converted))
		return converted;
	package = package_by_name(&plain);
	RtlFreeAnsiString(&plain);
	if (!package)
		return STATUS_NO_SUCH_PACKAGE;
	entry = passthrough ? package->table.CallPackagePassthrough :
			      package->table.CallPackage;
	if (!entry)
		return STATUS_NOT_SUPPORTED;
	before = lsabuf_host_package_set(package->id + 1);
	shared = lsabuf_host_share(request);
	if (NT_SUCCESS(shared))
		shared = entry(request, submit, base, length, return_buffer,
			       return_length, status);
	lsabuf_host_package_set(before);
	return shared;
}

static void report(const char *what, const void *address)
{
	log_error("a package's mistake: %s: %p", what, address);
}

const struct lsabuf_host dispatch_functions = {
	.call_package = call_from_inside,
	.is_trusted = trust_is_trusted,
	.report = report,
};
