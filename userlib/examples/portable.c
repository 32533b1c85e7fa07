// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A package that compiles as it is for Windows and for Linux:
 *
 *	x86_64-w64-mingw32-gcc -shared -o portable.dll portable.c -lntdll
 *	gcc -shared -fPIC $(pkg-config --cflags lsabuf) -o portable.so portable.c
 *
 * It is sent a UNICODE_STRING, as packages are sent messages: the characters
 * follow in the same buffer, and the pointer to them is one of the client's
 * address space. It returns "Hello, ", the string and "!".
 */
#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <winternl.h>
#define SECURITY_WIN32
#include <security.h>
#include <ntsecapi.h>
#include <ntsecpkg.h>

#define NAME "portable"

/* u"" has 16 bits everywhere; L"" has them on Linux with -fshort-wchar only */
static const WCHAR before[] = u"Hello, ";
static const WCHAR after[] = u"!";

static PLSA_DISPATCH_TABLE lsa;

NTSTATUS NTAPI LsaApInitializePackage(ULONG id, PLSA_DISPATCH_TABLE table,
				      PLSA_STRING database,
				      PLSA_STRING confidentiality,
				      PLSA_STRING *name)
{
	static const char text[] = NAME;
	PCHAR copy;

	UNREFERENCED_PARAMETER(id);
	UNREFERENCED_PARAMETER(database);
	UNREFERENCED_PARAMETER(confidentiality);
	lsa = table;
	*name = lsa->AllocateLsaHeap(sizeof(**name) + sizeof(text));
	if (!*name)
		return STATUS_NO_MEMORY;
	copy = (PCHAR)(*name + 1);
	memcpy(copy, text, sizeof(text));
	(*name)->Buffer = copy;
	(*name)->Length = sizeof(text) - 1;
	(*name)->MaximumLength = sizeof(text);
	return STATUS_SUCCESS;
}

/* Where the characters are here, or NULL if they are not all in the buffer */
static PVOID find_text(const UNICODE_STRING *string, PVOID submit, PVOID base,
		       ULONG length)
{
	ULONG_PTR offset = (ULONG_PTR)string->Buffer - (ULONG_PTR)base;

	if (offset > length || string->Length > length - offset)
		return NULL;
	return (PUCHAR)submit + offset;
}

static NTSTATUS greet(PLSA_CLIENT_REQUEST request, PVOID name, ULONG size,
		      PVOID *reply, PULONG reply_length)
{
	const ULONG first = sizeof(before) - sizeof(WCHAR);
	const ULONG length = first + size + sizeof(after);
	NTSTATUS status;
	PUCHAR answer;

	answer = lsa->AllocateLsaHeap(length);
	if (!answer)
		return STATUS_NO_MEMORY;
	memcpy(answer, before, first);
	memcpy(answer + first, name, size);
	memcpy(answer + first + size, after, sizeof(after));
	status = lsa->AllocateClientBuffer(request, length, reply);
	if (NT_SUCCESS(status))
		status = lsa->CopyToClientBuffer(request, length, *reply,
						 answer);
	lsa->FreeLsaHeap(answer);
	if (NT_SUCCESS(status)) {
		*reply_length = length;
		return status;
	}
	lsa->FreeClientBuffer(request, *reply);
	*reply = NULL;
	return status;
}

NTSTATUS NTAPI LsaApCallPackageUntrusted(PLSA_CLIENT_REQUEST request,
					 PVOID submit, PVOID base, ULONG length,
					 PVOID *reply, PULONG reply_length,
					 PNTSTATUS result)
{
	UNICODE_STRING string;
	PVOID name;

	if (length < sizeof(string))
		return STATUS_INVALID_PARAMETER;
	memcpy(&string, submit, sizeof(string));
	name = find_text(&string, submit, base, length);
	if (!name)
		return STATUS_INVALID_PARAMETER;
	*result = greet(request, name, string.Length, reply, reply_length);
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI LsaApCallPackage(PLSA_CLIENT_REQUEST request, PVOID submit,
				PVOID base, ULONG length, PVOID *reply,
				PULONG reply_length, PNTSTATUS result)
{
	return LsaApCallPackageUntrusted(request, submit, base, length, reply,
					 reply_length, result);
}
