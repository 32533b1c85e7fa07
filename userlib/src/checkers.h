/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What valgrind's memcheck and MemorySanitizer have to be told: they see the
 * ioctl, but not what it wrote, nor that arenas are memory at all.
 */
#ifndef _LSABUF_CHECKERS_H
#define _LSABUF_CHECKERS_H

#include <stddef.h>

void lsabuf_checkers_wrote(const void *address, size_t length);
void lsabuf_checkers_tell(unsigned int command, const void *argument, int ret);

#endif /* _LSABUF_CHECKERS_H */
