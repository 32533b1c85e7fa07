// SPDX-License-Identifier: LGPL-2.1-or-later
/* A package that greets: gcc -shared -fPIC $(pkg-config --cflags lsabuf) */
#include <windows.h>
#include <ntstatus.h>
#include <ntsecapi.h>
#include <ntsecpkg.h>

static const char greeting[] = "Hello from the other side.";
static PLSA_DISPATCH_TABLE lsa;

NTSTATUS NTAPI LsaApInitializePackage(ULONG id, PLSA_DISPATCH_TABLE table,
				      PLSA_STRING database, PLSA_STRING secret,
				      PLSA_STRING *name)
{
	lsa = table;
	*name = lsa->AllocateLsaHeap(sizeof(**name) + sizeof("hello"));
	if (!*name)
		return STATUS_NO_MEMORY;
	RtlInitString(*name, strcpy((PCHAR)(*name + 1), "hello"));
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI LsaApCallPackageUntrusted(PLSA_CLIENT_REQUEST request,
					 PVOID submit, PVOID base, ULONG length,
					 PVOID *reply, PULONG reply_length,
					 PNTSTATUS result)
{
	*result = lsa->AllocateClientBuffer(request, sizeof(greeting), reply);
	if (!NT_SUCCESS(*result))
		return STATUS_SUCCESS;
	*reply_length = sizeof(greeting);
	*result = lsa->CopyToClientBuffer(request, sizeof(greeting), *reply,
					  (PVOID)greeting);
	return STATUS_SUCCESS;
}
