// SPDX-License-Identifier: LGPL-2.1-or-later
/* Credentials: handles of the authority, for this process only. */
#include <string.h>

#include "client.h"

/* Key functions are pointers into this process: nobody else can call them */
SSPI_EXPORT SECURITY_STATUS SEC_ENTRY AcquireCredentialsHandleW(
	SEC_WCHAR *principal, SEC_WCHAR *package, ULONG use, PVOID logon_id,
	PVOID authorization_data, SEC_GET_KEY_FN get_key,
	PVOID get_key_argument, PCredHandle credential, PTimeStamp expiry)
{
	struct request request = {
		.kind = LSA_MESSAGE_ACQUIRE_CREDENTIALS,
		.fixed.requirements = use,
		.fixed.address = (uintptr_t)authorization_data,
		.name = principal,
		.package = package,
	};
	const struct lsa_sspi_reply *reply;
	const LUID *luid = logon_id;
	SECURITY_STATUS status;

	UNREFERENCED_PARAMETER(get_key_argument);
	if (!package || !credential)
		return SEC_E_INVALID_PARAMETER;
	if (get_key)
		return SEC_E_UNSUPPORTED_FUNCTION;
	SecInvalidateHandle(credential);
	if (luid) {
		request.fixed.flags |= LSA_SSPI_F_LOGON_ID;
		request.fixed.logon_id = (ULONG)luid->LowPart |
					 (uint64_t)(ULONG)luid->HighPart << 32;
	}
	if (!ranges_add_identity(&request.ranges, authorization_data))
		return SEC_E_INVALID_PARAMETER;
	status = connection_call(&request);
	reply = request.reply;
	if (SEC_SUCCESS(status) && request.reply_length < sizeof(*reply))
		status = SEC_E_INTERNAL_ERROR;
	if (SEC_SUCCESS(status)) {
		handle_set(credential, reply->handle);
		if (expiry)
			expiry->QuadPart = reply->expiry;
	}
	connection_free(request.reply);
	return status;
}

/* Credentials have no more than one package and one identity here */
SSPI_EXPORT SECURITY_STATUS SEC_ENTRY AddCredentialsW(
	PCredHandle credential, SEC_WCHAR *principal, SEC_WCHAR *package,
	ULONG use, PVOID authorization_data, SEC_GET_KEY_FN get_key,
	PVOID get_key_argument, PTimeStamp expiry)
{
	UNREFERENCED_PARAMETER(credential);
	UNREFERENCED_PARAMETER(principal);
	UNREFERENCED_PARAMETER(package);
	UNREFERENCED_PARAMETER(use);
	UNREFERENCED_PARAMETER(authorization_data);
	UNREFERENCED_PARAMETER(get_key);
	UNREFERENCED_PARAMETER(get_key_argument);
	UNREFERENCED_PARAMETER(expiry);
	return SEC_E_UNSUPPORTED_FUNCTION;
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY
FreeCredentialsHandle(PCredHandle credential)
{
	struct request request = { .kind = LSA_MESSAGE_FREE_CREDENTIALS };

	if (!credential)
		return SEC_E_INVALID_HANDLE;
	request.fixed.credential = handle_value(credential);
	return connection_call(&request);
}

/* Others, which a package made up, are taken to have no more than 8 bytes. */
static size_t attribute_size(ULONG attribute)
{
	if (attribute == SECPKG_CRED_ATTR_NAMES)
		return sizeof(SecPkgCredentials_NamesW);
	return sizeof(ULONG64);
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY QueryCredentialsAttributesW(
	PCredHandle credential, ULONG attribute, PVOID buffer)
{
	struct request request = {
		.kind = LSA_MESSAGE_QUERY_CREDENTIALS,
		.fixed.attribute = attribute,
		.fixed.address = (uintptr_t)buffer,
	};

	if (!credential)
		return SEC_E_INVALID_HANDLE;
	if (!buffer)
		return SEC_E_INVALID_PARAMETER;
	request.fixed.credential = handle_value(credential);
	if (!ranges_add(&request.ranges, buffer, attribute_size(attribute),
			LSABUF_RANGE_F_READ | LSABUF_RANGE_F_WRITE))
		return SEC_E_INVALID_PARAMETER;
	return connection_call(&request);
}
