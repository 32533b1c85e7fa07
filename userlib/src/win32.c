// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Win32 functions that packages call beside the services. Their names are
 * macros of windows.h: libraries that bring the functions of Windows to
 * programs have them by these names, and may be in the same process.
 */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <windows.h>

#include "internal.h"

/*
 * Above all that a user's session has as its number, see sessions.c of the
 * host, and above all that was drawn before a restart: nobody draws more than
 * one in a nanosecond.
 */
#define FIRST_LUID (1ULL << 34)

static uint64_t first_luid(void)
{
	struct timespec time;

	clock_gettime(CLOCK_BOOTTIME, &time);
	return FIRST_LUID + (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* A number that this process, and those before it since boot, never drew */
LSABUF_EXPORT BOOL WINAPI lsabuf_allocate_luid(PLUID luid)
{
	static _Atomic uint64_t next;
	uint64_t none = 0, id;

	if (!luid)
		return FALSE;
	if (!atomic_load(&next))
		atomic_compare_exchange_strong(&next, &none, first_luid());
	id = atomic_fetch_add(&next, 1);
	luid->LowPart = id;
	luid->HighPart = id >> 32;
	return TRUE;
}

/* The handles that packages are given, and give, are file descriptors */
LSABUF_EXPORT BOOL WINAPI lsabuf_close_handle(HANDLE handle)
{
	intptr_t fd = (intptr_t)handle;

	return fd > STDERR_FILENO && fd == (int)fd && !close(fd);
}
