/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Clients that are 32-bit programs: their structs with pointers in them are
 * laid out differently, and what lies behind a shorter one is something else.
 */
#ifndef NARROW_H
#define NARROW_H

#include <stdbool.h>

#include <windows.h>
#include <ntsecpkg.h>

static inline bool is_narrow_client(PLSA_SECPKG_FUNCTION_TABLE lsa)
{
	SECPKG_CALL_INFO info;

	return lsa->GetCallInfo(&info) &&
	       info.Attributes & SECPKG_CALL_WOWCLIENT;
}

/* Store a pointer of the client's in its memory. */
static inline NTSTATUS give_pointer(PLSA_SECPKG_FUNCTION_TABLE lsa, PVOID at,
				    PVOID pointer)
{
	return lsa->CopyToClientBuffer(
		NULL, is_narrow_client(lsa) ? sizeof(ULONG) : sizeof(pointer),
		at, &pointer);
}

/* SEC_WINNT_AUTH_IDENTITY of such a client */
struct identity_32 {
	ULONG user;
	ULONG user_length;
	ULONG domain;
	ULONG domain_length;
	ULONG password;
	ULONG password_length;
	ULONG flags;
};

/* Explicit credentials as any client has them; the texts lie there still. */
static inline NTSTATUS fetch_auth_identity(PLSA_SECPKG_FUNCTION_TABLE lsa,
					   PVOID data,
					   SEC_WINNT_AUTH_IDENTITY_W *identity)
{
	struct identity_32 narrow;
	NTSTATUS status;

	if (!is_narrow_client(lsa))
		return lsa->CopyFromClientBuffer(NULL, sizeof(*identity),
						 identity, data);
	status = lsa->CopyFromClientBuffer(NULL, sizeof(narrow), &narrow, data);
	if (!NT_SUCCESS(status))
		return status;
	identity->User = (PVOID)(ULONG_PTR)narrow.user;
	identity->UserLength = narrow.user_length;
	identity->Domain = (PVOID)(ULONG_PTR)narrow.domain;
	identity->DomainLength = narrow.domain_length;
	identity->Password = (PVOID)(ULONG_PTR)narrow.password;
	identity->PasswordLength = narrow.password_length;
	identity->Flags = narrow.flags;
	return STATUS_SUCCESS;
}

#endif /* NARROW_H */
