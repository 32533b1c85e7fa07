// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What programs of older releases were linked with; in the shared library only.
 *
 * The structs that programs hand to the library are the kernel's, and these may
 * grow at their end. A program goes on with the size that it was compiled with,
 * and the library must neither write nor read beyond that. So each function
 * that takes such a struct gets a new symbol version when the struct grows: the
 * new one is the function itself, in the newest node of liblsabuf.map, the old
 * one is here. The sizes below are those of the newest node, so that nothing
 * grows without notice.
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include <lsabuf_account.h>
#include <lsabuf_host.h>

#include "internal.h"

#define FITS(type, bytes) \
	static_assert(sizeof(type) == (bytes), #type ": needs a version")

/* Where programs have them alone, and how many they have in arrays */
FITS(struct lsabuf_info, 72);
FITS(struct lsabuf_connect, 80);
FITS(struct lsabuf_call, 96);
FITS(struct lsabuf_serve, 64);
FITS(struct lsabuf_reply_receive, 144);
FITS(struct lsabuf_copy_range, 24);
FITS(struct lsabuf_map_range, 24);
FITS(struct lsabuf_identity, 72);
FITS(struct lsabuf_section_create, 56);
FITS(struct lsabuf_section_stat, 56);
FITS(struct lsabuf_view, 48);
FITS(struct lsabuf_account, 520);
FITS(struct lsabuf_host, 3 * sizeof(void *));
FITS(struct lsabuf_host_heap, 65 * sizeof(void *));

/* With 0.1 it ended where the description of the connection begins. */
#define INFO_0_1 offsetof(struct lsabuf_info, out_client)

__attribute__((symver("lsabuf_info@LSABUF_0.1"))) LSABUF_EXPORT int
info_0_1(int fd, struct lsabuf_info *info)
{
	struct lsabuf_info whole;
	int ret = lsabuf_info(fd, &whole);

	whole.size = INFO_0_1;
	memcpy(info, &whole, INFO_0_1);
	return ret;
}
