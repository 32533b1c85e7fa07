// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The A forms: texts are UTF-8. They call the W forms, and turn around what
 * comes back. Explicit credentials say for themselves which form they have.
 */
#include <stdlib.h>
#include <string.h>

#include "client.h"

/**
 * to_wide() - a text as UTF-16, to be freed
 * @text: UTF-8, or NULL
 * @failed: set when it is no UTF-8, or there is no memory
 *
 * Return: the text, NULL for NULL.
 */
SEC_WCHAR *to_wide(const SEC_CHAR *text, bool *failed)
{
	ULONG length = text ? strlen(text) : 0, used = 0;
	SEC_WCHAR *wide;

	if (!text)
		return NULL;
	wide = calloc(length + 1, sizeof(*wide));
	if (wide && RtlUTF8ToUnicodeN(wide, length * sizeof(*wide), &used, text,
				      length) == STATUS_SUCCESS)
		return wide;
	free(wide);
	*failed = true;
	return NULL;
}

/**
 * to_plain() - a text as UTF-8, to be freed
 * @text: UTF-16, not NULL
 *
 * Return: the text, or NULL: no memory.
 */
SEC_CHAR *to_plain(const SEC_WCHAR *text)
{
	ULONG length = wcs16len(text), used = 0;
	SEC_CHAR *plain = malloc(3 * (size_t)length + 1);

	if (!plain)
		return NULL;
	RtlUnicodeToUTF8N(plain, 3 * length, &used, text,
			  length * sizeof(*text));
	plain[used] = '\0';
	return plain;
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY AcquireCredentialsHandleA(
	SEC_CHAR *principal, SEC_CHAR *package, ULONG use, PVOID logon_id,
	PVOID authorization_data, SEC_GET_KEY_FN get_key,
	PVOID get_key_argument, PCredHandle credential, PTimeStamp expiry)
{
	bool failed = false;
	SEC_WCHAR *wide_principal = to_wide(principal, &failed);
	SEC_WCHAR *wide_package = to_wide(package, &failed);
	SECURITY_STATUS status = SEC_E_INVALID_PARAMETER;

	if (!failed)
		status = AcquireCredentialsHandleW(wide_principal, wide_package,
						   use, logon_id,
						   authorization_data, get_key,
						   get_key_argument, credential,
						   expiry);
	free(wide_package);
	free(wide_principal);
	return status;
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY
AddCredentialsA(PCredHandle credential, SEC_CHAR *principal, SEC_CHAR *package,
		ULONG use, PVOID authorization_data, SEC_GET_KEY_FN get_key,
		PVOID get_key_argument, PTimeStamp expiry)
{
	UNREFERENCED_PARAMETER(principal);
	UNREFERENCED_PARAMETER(package);
	return AddCredentialsW(credential, NULL, NULL, use, authorization_data,
			       get_key, get_key_argument, expiry);
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY InitializeSecurityContextA(
	PCredHandle credential, PCtxtHandle context, SEC_CHAR *target,
	ULONG requirements, ULONG reserved1, ULONG target_data_rep,
	PSecBufferDesc input, ULONG reserved2, PCtxtHandle new_context,
	PSecBufferDesc output, PULONG attributes, PTimeStamp expiry)
{
	bool failed = false;
	SEC_WCHAR *wide = to_wide(target, &failed);
	SECURITY_STATUS status = SEC_E_INVALID_PARAMETER;

	if (!failed)
		status = InitializeSecurityContextW(credential, context, wide,
						    requirements, reserved1,
						    target_data_rep, input,
						    reserved2, new_context,
						    output, attributes, expiry);
	free(wide);
	return status;
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY
ImportSecurityContextA(SEC_CHAR *package, PSecBuffer packed_context,
		       PVOID token, PCtxtHandle context)
{
	bool failed = false;
	SEC_WCHAR *wide = to_wide(package, &failed);
	SECURITY_STATUS status = SEC_E_INVALID_PARAMETER;

	if (!failed)
		status = ImportSecurityContextW(wide, packed_context, token,
						context);
	free(wide);
	return status;
}

/* A text that came in the W form, in place of which the A form goes out */
static SECURITY_STATUS replace_text(void *at)
{
	SEC_WCHAR *wide;
	SEC_CHAR *plain, *copy;

	memcpy(&wide, at, sizeof(wide));
	if (!wide)
		return SEC_E_OK;
	plain = to_plain(wide);
	copy = plain ? heap_allocate(strlen(plain) + 1) : NULL;
	if (copy)
		strcpy(copy, plain);
	free(plain);
	FreeContextBuffer(wide);
	memcpy(at, &copy, sizeof(copy));
	return copy ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS replace_info(void *at)
{
	PSecPkgInfoW wide;
	PSecPkgInfoA plain = NULL;
	SECURITY_STATUS status = SEC_E_INSUFFICIENT_MEMORY;
	SEC_CHAR *name;

	memcpy(&wide, at, sizeof(wide));
	name = to_plain(wide->Name);
	if (name)
		status = QuerySecurityPackageInfoA(name, &plain);
	free(name);
	FreeContextBuffer(wide);
	memcpy(at, &plain, sizeof(plain));
	return status;
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY
QueryContextAttributesA(PCtxtHandle context, ULONG attribute, PVOID buffer)
{
	SecPkgContext_NativeNamesW *names = buffer;
	SECURITY_STATUS status, second;

	/* Structs with texts that are not turned around here */
	if (attribute == SECPKG_ATTR_KEY_INFO ||
	    attribute == SECPKG_ATTR_NEGOTIATION_INFO ||
	    attribute == SECPKG_ATTR_AUTHORITY)
		return SEC_E_UNSUPPORTED_FUNCTION;
	status = QueryContextAttributesW(context, attribute, buffer);
	if (!SEC_SUCCESS(status))
		return status;
	switch (attribute) {
	case SECPKG_ATTR_NAMES:
		return replace_text(buffer);
	case SECPKG_ATTR_NATIVE_NAMES:
		status = replace_text(&names->sClientName);
		second = replace_text(&names->sServerName);
		return SEC_SUCCESS(status) ? second : status;
	case SECPKG_ATTR_PACKAGE_INFO:
		return replace_info(buffer);
	default:
		return status;
	}
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY QueryCredentialsAttributesA(
	PCredHandle credential, ULONG attribute, PVOID buffer)
{
	SECURITY_STATUS status;

	if (attribute != SECPKG_CRED_ATTR_NAMES)
		return SEC_E_UNSUPPORTED_FUNCTION;
	status = QueryCredentialsAttributesW(credential, attribute, buffer);
	return SEC_SUCCESS(status) ? replace_text(buffer) : status;
}
