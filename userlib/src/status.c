// SPDX-License-Identifier: LGPL-2.1-or-later
/* NTSTATUS values as the Win32 error codes that Windows gives for them. */
#include <stdlib.h>

#include <ntsecapi.h>
#include <ntstatus.h>

#include "internal.h"

/* Bit 29: the value belongs to whoever made it up, not to Windows */
#define CUSTOMER_BIT 0x20000000U

struct mapping {
	NTSTATUS status;
	ULONG error;
};

/* In the order of the statuses, taken as unsigned: find() halves the table */
static const struct mapping mappings[] = {
#define MAP(status, error) { status, (ULONG)(error) },
#include "status.list"
#undef MAP
};

static int compare(const void *key, const void *element)
{
	ULONG a = *(const ULONG *)key;
	ULONG b = (ULONG)((const struct mapping *)element)->status;

	return (a > b) - (a < b);
}

static ULONG find(ULONG status)
{
	const struct mapping *found;

	found = bsearch(&status, mappings, ARRAYSIZE(mappings),
			sizeof(mappings[0]), compare);
	return found ? found->error : ERROR_MR_MID_NOT_FOUND;
}

/**
 * LsaNtStatusToWinError() - the Win32 error code for a status
 * @status: any status; SEC_E_* values are understood, too
 *
 * Not only errors have a code: STATUS_TIMEOUT and STATUS_PENDING do as well.
 * A value with bit 29 set is returned as it is. 0xDxxxxxxx means the same as
 * 0xCxxxxxxx. A value which carries a Win32 code in its lower half (upper half
 * 0x8007, 0xC001 or 0xC007) gives that code. Safe to call from any thread and
 * from signal handlers.
 *
 * Return: the code; ERROR_MR_MID_NOT_FOUND if the status is not known.
 */
LSABUF_EXPORT ULONG NTAPI LsaNtStatusToWinError(NTSTATUS status)
{
	ULONG value = (ULONG)status;

	if (!value || (value & CUSTOMER_BIT))
		return value;
	if (value >> 28 == 0xD)
		value &= ~0x10000000U;
	switch (value >> 16) {
	case 0x8007:
	case 0xC001:
	case 0xC007:
		return value & 0xFFFF;
	}
	return find(value);
}
