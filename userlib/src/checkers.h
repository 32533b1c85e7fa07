/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What valgrind's memcheck and MemorySanitizer have to be told: they see the
 * ioctl, but not what it wrote, nor that arenas are memory at all.
 */
#ifndef _LSABUF_CHECKERS_H
#define _LSABUF_CHECKERS_H

#include <stdbool.h>
#include <stddef.h>

#include "internal.h"

/* One of them watches this process; set once, before anybody calls */
extern bool lsabuf_checkers_watch LSABUF_HIDDEN;

void lsabuf_checkers_wrote(const void *address, size_t length);
void lsabuf_checkers_report(unsigned int command, const void *argument,
			    int ret);

/**
 * lsabuf_checkers_tell() - tell what a command has written
 * @command: LSABUF_IOC_*
 * @argument: its struct
 * @ret: its result
 */
static inline void lsabuf_checkers_tell(unsigned int command,
					const void *argument, int ret)
{
	if (__builtin_expect(lsabuf_checkers_watch, false))
		lsabuf_checkers_report(command, argument, ret);
}

#endif /* _LSABUF_CHECKERS_H */
