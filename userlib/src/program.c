// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Services for packages that take more than a library has, threads and a
 * memory of what was before: the program that hosts them brings these.
 */
#include <ntstatus.h>

#include "internal.h"
#include "services.h"

static const LSA_SECPKG_FUNCTION_TABLE *services;

LSABUF_EXPORT void
lsabuf_host_services_set(const LSA_SECPKG_FUNCTION_TABLE *own)
{
	services = own;
}

/* What the program answers, or that there is no such service */
#define ASK(entry, otherwise, ...)                                    \
	(services && services->entry ? services->entry(__VA_ARGS__) : \
				       (otherwise))

NTSTATUS NTAPI service_create_logon_session(PLUID LogonId)
{
	return ASK(CreateLogonSession, STATUS_NOT_SUPPORTED, LogonId);
}

NTSTATUS NTAPI service_delete_logon_session(PLUID LogonId)
{
	return ASK(DeleteLogonSession, STATUS_NOT_SUPPORTED, LogonId);
}

NTSTATUS NTAPI service_add_credential(PLUID LogonId,
				      ULONG AuthenticationPackage,
				      PLSA_STRING PrimaryKeyValue,
				      PLSA_STRING Credentials)
{
	return ASK(AddCredential, STATUS_NOT_SUPPORTED, LogonId,
		   AuthenticationPackage, PrimaryKeyValue, Credentials);
}

NTSTATUS NTAPI service_get_credentials(
	PLUID LogonId, ULONG AuthenticationPackage, PULONG QueryContext,
	BOOLEAN RetrieveAllCredentials, PLSA_STRING PrimaryKeyValue,
	PULONG PrimaryKeyLength, PLSA_STRING Credentials)
{
	return ASK(GetCredentials, STATUS_NOT_SUPPORTED, LogonId,
		   AuthenticationPackage, QueryContext, RetrieveAllCredentials,
		   PrimaryKeyValue, PrimaryKeyLength, Credentials);
}

NTSTATUS NTAPI service_delete_credential(PLUID LogonId,
					 ULONG AuthenticationPackage,
					 PLSA_STRING PrimaryKeyValue)
{
	return ASK(DeleteCredential, STATUS_NOT_SUPPORTED, LogonId,
		   AuthenticationPackage, PrimaryKeyValue);
}

HANDLE NTAPI service_create_thread(SEC_ATTRS SecurityAttributes,
				   ULONG StackSize,
				   SEC_THREAD_START StartFunction,
				   PVOID ThreadParameter, ULONG CreationFlags,
				   PULONG ThreadId)
{
	return ASK(CreateThread, NULL, SecurityAttributes, StackSize,
		   StartFunction, ThreadParameter, CreationFlags, ThreadId);
}

HANDLE NTAPI service_register_notification(
	SEC_THREAD_START StartFunction, PVOID Parameter, ULONG NotificationType,
	ULONG NotificationClass, ULONG NotificationFlags, ULONG IntervalMinutes,
	HANDLE WaitEvent)
{
	return ASK(RegisterNotification, NULL, StartFunction, Parameter,
		   NotificationType, NotificationClass, NotificationFlags,
		   IntervalMinutes, WaitEvent);
}

NTSTATUS NTAPI service_cancel_notification(HANDLE NotifyHandle)
{
	return ASK(CancelNotification, STATUS_NOT_SUPPORTED, NotifyHandle);
}
