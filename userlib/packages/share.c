// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The package "share": uses shared memory as a package does that knows the
 * function table and nothing else. For tests.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>
#include <ntstatus.h>
#include <ntsecapi.h>
#include <ntsecpkg.h>

#include "share.h"

DECLSPEC_EXPORT LSA_AP_INITIALIZE_PACKAGE LsaApInitializePackage;
DECLSPEC_EXPORT LSA_AP_CALL_PACKAGE LsaApCallPackageUntrusted;

#define FIRST (64 * 1024)
#define COMMON 4096

static PLSA_SECPKG_FUNCTION_TABLE lsa;
static PVOID section;
static PVOID common;
/* The first block of all: nothing lies below it */
static PVOID lowest;

static bool is_zero(const UCHAR *bytes, ULONG length)
{
	ULONG i;

	for (i = 0; i < length; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

/* What is not as it should be is told by its line, as a status */

static NTSTATUS check_sizes(void)
{
	PVOID other;

	if (!(!lsa->CreateSharedMemory(0, 0)))
		return __LINE__;
	if (!(!lsa->CreateSharedMemory(FIRST, FIRST + 1)))
		return __LINE__;
	if (!(!lsa->CreateSharedMemory(0, FIRST)))
		return __LINE__;
	/* More memory than an authority may share */
	if (!(!lsa->CreateSharedMemory(0xffffffff, 0xffffffff)))
		return __LINE__;
	other = lsa->CreateSharedMemory(0xffffffff, 0);
	if (!(other))
		return __LINE__;
	if (!(!lsa->AllocateSharedMemory(other, 0)))
		return __LINE__;
	if (!(!lsa->AllocateSharedMemory(other, 0xffffffff)))
		return __LINE__;
	if (!(lsa->AllocateSharedMemory(other, 1)))
		return __LINE__;
	if (!(lsa->DeleteSharedMemory(other) == TRUE))
		return __LINE__;
	if (!(lsa->DeleteSharedMemory(other) == FALSE))
		return __LINE__;
	if (!(!lsa->AllocateSharedMemory(other, 1)))
		return __LINE__;
	if (!(lsa->DeleteSharedMemory(NULL) == FALSE))
		return __LINE__;
	if (!(lsa->DeleteSharedMemory(&other) == FALSE))
		return __LINE__;
	if (!(lsa->DeleteSharedMemory((PUCHAR)section + 1) == FALSE))
		return __LINE__;
	if (!(!lsa->AllocateSharedMemory(&other, 1)))
		return __LINE__;
	if (!(!lsa->AllocateSharedMemory(NULL, 1)))
		return __LINE__;
	lsa->FreeSharedMemory(NULL, &other);
	return STATUS_SUCCESS;
}

/* What is no block is refused, and nothing becomes of it */
static NTSTATUS check_frees(void)
{
	PVOID first = lsa->AllocateSharedMemory(section, 1000);
	PVOID second = lsa->AllocateSharedMemory(section, 1000);
	PVOID again;

	if (!(first && second && first != second))
		return __LINE__;
	if (!(!((uintptr_t)first % 16)))
		return __LINE__;
	memset(first, 1, 1000);
	memset(second, 2, 1000);
	lsa->FreeSharedMemory(section, (PUCHAR)first + 16);
	lsa->FreeSharedMemory(section, (PUCHAR)first + 1);
	lsa->FreeSharedMemory(section, &first);
	lsa->FreeSharedMemory(section, NULL);
	lsa->FreeSharedMemory(section, (PVOID)16);
	lsa->FreeSharedMemory(section, first);
	lsa->FreeSharedMemory(section, first);
	if (!(((PUCHAR)second)[999] == 2))
		return __LINE__;
	/* Twice freed, but given out once; wiped in between */
	again = lsa->AllocateSharedMemory(section, 1000);
	if (!(again && is_zero(again, 1000)))
		return __LINE__;
	first = lsa->AllocateSharedMemory(section, 1000);
	if (!(first && first != again))
		return __LINE__;
	lsa->FreeSharedMemory(section, first);
	lsa->FreeSharedMemory(section, again);
	lsa->FreeSharedMemory(section, second);
	return STATUS_SUCCESS;
}

/* At its maximum it says so, and goes on when there is room again */
static NTSTATUS check_maximum(void)
{
	PVOID blocks[64], other = lsa->CreateSharedMemory(FIRST, 4096);
	ULONG i, count;

	if (!(other))
		return __LINE__;
	for (count = 0; count < ARRAYSIZE(blocks); count++) {
		blocks[count] = lsa->AllocateSharedMemory(other, 4096);
		if (!blocks[count])
			break;
		memset(blocks[count], 0xff, 4096);
	}
	if (!(count == FIRST / 4096))
		return __LINE__;
	if (!(!lsa->AllocateSharedMemory(other, 1)))
		return __LINE__;
	lsa->FreeSharedMemory(other, blocks[3]);
	/* The freed page, as smaller blocks */
	for (i = 0; i < 4; i++)
		if (!(lsa->AllocateSharedMemory(other, 1024)))
			return __LINE__;
	if (!(!lsa->AllocateSharedMemory(other, 1024)))
		return __LINE__;
	/* With live blocks: they go with it */
	if (!(lsa->DeleteSharedMemory(other) == TRUE))
		return __LINE__;
	return STATUS_SUCCESS;
}

static NTSTATUS check_rules(void)
{
	NTSTATUS status = check_sizes();

	if (!status)
		status = check_frees();
	return status ? status : check_maximum();
}

#define SLOTS 512

/* A generator of its own for each thread: calls come at a time */
static ULONG next_number(ULONG *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/**
 * struct churned - a block under test
 * @start: where it begins
 * @length: bytes asked for
 */
struct churned {
	uintptr_t start;
	ULONG length;
};

static bool overlaps(const struct churned *blocks, uintptr_t start,
		     ULONG length)
{
	ULONG i;

	for (i = 0; i < SLOTS; i++) {
		if (blocks[i].start &&
		    start < blocks[i].start + blocks[i].length &&
		    blocks[i].start < start + length)
			return true;
	}
	return false;
}

/* Many blocks, whatever clients do to their bytes meanwhile */
static NTSTATUS churn(ULONG rounds)
{
	struct churned blocks[SLOTS] = { 0 };
	uintptr_t base = (uintptr_t)lowest;
	ULONG state = rounds, i, slot;
	PVOID memory;

	for (i = 0; i < rounds; i++) {
		slot = next_number(&state) % SLOTS;
		if (blocks[slot].start)
			lsa->FreeSharedMemory(section,
					      (PVOID)blocks[slot].start);
		blocks[slot].start = 0;
		blocks[slot].length = next_number(&state) % 2000 + 1;
		memory =
			lsa->AllocateSharedMemory(section, blocks[slot].length);
		if (!(memory))
			return __LINE__;
		if (!((uintptr_t)memory - base <
		      SHARE_MAX - blocks[slot].length))
			return __LINE__;
		if (!(!overlaps(blocks, (uintptr_t)memory,
				blocks[slot].length)))
			return __LINE__;
		*(PUCHAR)memory = 1;
		blocks[slot].start = (uintptr_t)memory;
	}
	for (slot = 0; slot < SLOTS; slot++)
		lsa->FreeSharedMemory(section, (PVOID)blocks[slot].start);
	return STATUS_SUCCESS;
}

static NTSTATUS give_address(PLSA_CLIENT_REQUEST request, PVOID address,
			     PVOID *return_buffer, PULONG return_length)
{
	NTSTATUS status;

	if (!address)
		return STATUS_NO_MEMORY;
	status = lsa->AllocateClientBuffer(request, sizeof(address),
					   return_buffer);
	if (!NT_SUCCESS(status))
		return status;
	*return_length = sizeof(address);
	return lsa->CopyToClientBuffer(request, sizeof(address), *return_buffer,
				       &address);
}

static PVOID new_block(void)
{
	PVOID other = lsa->CreateSharedMemory(FIRST, 0);
	PVOID block = other ? lsa->AllocateSharedMemory(other, 64) : NULL;

	if (block)
		strcpy(block, "new");
	return block;
}

static NTSTATUS run(PLSA_CLIENT_REQUEST request,
		    const struct share_message *message, PVOID *return_buffer,
		    PULONG return_length)
{
	PVOID address = NULL;

	switch (message->code) {
	case SHARE_COMMON:
		address = common;
		break;
	case SHARE_NEW:
		address = new_block();
		break;
	case SHARE_NEW_THERE:
		*(PVOID *)common = new_block();
		return *(PVOID *)common ? STATUS_SUCCESS : STATUS_NO_MEMORY;
	case SHARE_ALLOCATE:
		address = lsa->AllocateSharedMemory(section, message->argument);
		break;
	case SHARE_FREE:
		lsa->FreeSharedMemory(section,
				      (PVOID)(uintptr_t)message->address);
		return STATUS_SUCCESS;
	case SHARE_RULES:
		return check_rules();
	case SHARE_CHURN:
		return churn(message->argument);
	case SHARE_BASE:
		address = lowest;
		break;
	default:
		return STATUS_INVALID_PARAMETER;
	}
	return give_address(request, address, return_buffer, return_length);
}

NTSTATUS NTAPI LsaApCallPackageUntrusted(PLSA_CLIENT_REQUEST request,
					 PVOID submit, PVOID client_base,
					 ULONG length, PVOID *return_buffer,
					 PULONG return_length,
					 PNTSTATUS protocol_status)
{
	UNREFERENCED_PARAMETER(client_base);
	if (!submit || length != sizeof(struct share_message))
		return STATUS_INVALID_PARAMETER;
	*protocol_status = run(request, submit, return_buffer, return_length);
	return STATUS_SUCCESS;
}

NTSTATUS NTAPI LsaApInitializePackage(ULONG package_id,
				      PLSA_DISPATCH_TABLE table,
				      PLSA_STRING database,
				      PLSA_STRING confidentiality,
				      PLSA_STRING *package_name)
{
	UNREFERENCED_PARAMETER(package_id);
	UNREFERENCED_PARAMETER(database);
	UNREFERENCED_PARAMETER(confidentiality);
	lsa = (PLSA_SECPKG_FUNCTION_TABLE)table;
	section = lsa->CreateSharedMemory(SHARE_MAX, FIRST);
	if (!section)
		return STATUS_NO_MEMORY;
	lowest = lsa->AllocateSharedMemory(section, 16);
	common = lsa->AllocateSharedMemory(section, COMMON);
	*package_name = lsa->AllocateLsaHeap(sizeof(**package_name) +
					     sizeof(SHARE_PACKAGE_NAME));
	if (!lowest || !common || !*package_name)
		return STATUS_NO_MEMORY;
	RtlInitString(*package_name,
		      strcpy((PCHAR)(*package_name + 1), SHARE_PACKAGE_NAME));
	return STATUS_SUCCESS;
}
