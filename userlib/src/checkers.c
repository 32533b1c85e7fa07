// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Annotations for valgrind's memcheck and MemorySanitizer, where their headers
 * were there when this was compiled.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "checkers.h"
#include "internal.h"

#if !defined(NVALGRIND) && defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif
#ifndef VALGRIND_MAKE_MEM_DEFINED
#define VALGRIND_MAKE_MEM_DEFINED(address, length) ((void)0)
#define RUNNING_ON_VALGRIND 0
#endif

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define UNPOISON(address, length) __msan_unpoison(address, length)
#define HAVE_MSAN 1
#endif
#endif
#ifndef UNPOISON
#define UNPOISON(address, length) ((void)0)
#define HAVE_MSAN 0
#endif

bool lsabuf_checkers_watch = HAVE_MSAN;

/* To ask valgrind at each command would cost half as much as the library. */
__attribute__((constructor)) static void look_for_valgrind(void)
{
	if (RUNNING_ON_VALGRIND)
		lsabuf_checkers_watch = true;
}

/**
 * lsabuf_checkers_wrote() - the kernel wrote there, or made it accessible
 * @address: first byte, or NULL
 * @length: bytes
 */
void lsabuf_checkers_wrote(const void *address, size_t length)
{
	if (!address || !length)
		return;
	VALGRIND_MAKE_MEM_DEFINED(address, length);
	UNPOISON(address, length);
}

static void wrote_at(uint64_t address, uint64_t length)
{
	lsabuf_checkers_wrote((const void *)(uintptr_t)address, length);
}

/* Bytes that arrived, in the order of the ranges */
static void copied(const struct lsabuf_copy *copy)
{
	const struct lsabuf_copy_range *range;
	uint64_t left = copy->out_done, part;
	uint32_t i;

	if (!(copy->flags & LSABUF_COPY_F_FROM_CLIENT))
		return;
	if (!copy->nr_vector)
		wrote_at(copy->local_address, left);
	range = (const void *)(uintptr_t)copy->vector_address;
	for (i = 0; i < copy->nr_vector && left; i++) {
		part = left < range[i].length ? left : range[i].length;
		wrote_at(range[i].local_address, part);
		left -= part;
	}
}

/**
 * lsabuf_checkers_report() - see lsabuf_checkers_tell()
 * @command: LSABUF_IOC_*
 * @argument: its struct
 * @ret: its result
 *
 * A returned buffer becomes memory here. What the authority wrote to other
 * memory of the client during the call is not known, and not told.
 */
void lsabuf_checkers_report(unsigned int command, const void *argument, int ret)
{
	const struct lsabuf_reply_receive *request = argument;
	const struct lsabuf_call *call = argument;

	switch (command) {
	case LSABUF_IOC_INFO:
		lsabuf_checkers_wrote(argument, sizeof(struct lsabuf_info));
		break;
	case LSABUF_IOC_SERVE:
		lsabuf_checkers_wrote(argument, sizeof(struct lsabuf_serve));
		break;
	case LSABUF_IOC_CONNECT:
		lsabuf_checkers_wrote(argument, sizeof(struct lsabuf_connect));
		break;
	case LSABUF_IOC_CALL:
		lsabuf_checkers_wrote(argument, sizeof(*call));
		if (!ret)
			wrote_at(call->out_address, call->out_length);
		break;
	case LSABUF_IOC_REPLY_RECEIVE:
		lsabuf_checkers_wrote(argument, sizeof(*request));
		if (!ret)
			wrote_at(request->out_submit_address,
				 request->out_submit_length);
		break;
	case LSABUF_IOC_ALLOC:
		lsabuf_checkers_wrote(argument, sizeof(struct lsabuf_alloc));
		break;
	case LSABUF_IOC_COPY:
		lsabuf_checkers_wrote(argument, sizeof(struct lsabuf_copy));
		copied(argument);
		break;
	case LSABUF_IOC_GIVE:
		lsabuf_checkers_wrote(argument, sizeof(struct lsabuf_give));
		break;
	case LSABUF_IOC_IDENTITY:
		/* The groups: how many fitted only the caller knows */
		lsabuf_checkers_wrote(argument, sizeof(struct lsabuf_identity));
		break;
	}
}
