/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands of sections, straight to the kernel.
 */
#ifndef SECTION_COMMANDS_H
#define SECTION_COMMANDS_H

#include "lsabuf_test.h"

/* The file of a section of @authority, or -errno. */
static inline int section_create(int authority, __u64 max, __u64 committed,
				 __u64 charge_id,
				 struct lsabuf_section_create *create)
{
	int file = lsa_open(), ret;

	*create = (struct lsabuf_section_create){
		.size = sizeof(*create),
		.authority = authority,
		.max = max,
		.committed = committed,
		.charge_id = charge_id,
	};
	ret = lsa_ioctl(file, LSABUF_IOC_SECTION_CREATE, create);
	if (!ret)
		return file;
	close(file);
	return ret;
}

static inline int section_grow_flags(int file, __u64 committed, __u32 flags)
{
	struct lsabuf_section_grow grow = {
		.size = sizeof(grow),
		.flags = flags,
		.committed = committed,
	};

	return lsa_ioctl(file, LSABUF_IOC_SECTION_GROW, &grow);
}

static inline int section_grow(int file, __u64 committed)
{
	return section_grow_flags(file, committed, 0);
}

static inline int section_hole(int file, __u64 start, __u64 length, __u32 flags)
{
	struct lsabuf_section_hole hole = {
		.size = sizeof(hole),
		.flags = flags,
		.start = start,
		.length = length,
	};

	return lsa_ioctl(file, LSABUF_IOC_SECTION_HOLE, &hole);
}

static inline int section_punch(int file, __u64 start, __u64 length)
{
	return section_hole(file, start, length, 0);
}

static inline int section_fill(int file, __u64 start, __u64 length)
{
	return section_hole(file, start, length, LSABUF_SECTION_HOLE_F_FILL);
}

static inline int section_stat(int file, struct lsabuf_section_stat *stat)
{
	*stat = (struct lsabuf_section_stat){ .size = sizeof(*stat) };
	return lsa_ioctl(file, LSABUF_IOC_SECTION_STAT, stat);
}

static inline int section_revoke(int file)
{
	struct lsabuf_section_revoke revoke = { .size = sizeof(revoke) };

	return lsa_ioctl(file, LSABUF_IOC_SECTION_REVOKE, &revoke);
}

static inline int section_share(int file, __u64 id, __u32 flags, __u64 *address)
{
	struct lsabuf_section_share share = {
		.size = sizeof(share),
		.flags = flags,
		.id = id,
	};
	int ret = lsa_ioctl(file, LSABUF_IOC_SECTION_SHARE, &share);

	*address = share.out_address;
	return ret;
}

/* The number of views of this process, which may be more than @nr, or -errno. */
static inline int section_list(int file, struct lsabuf_view *views, __u32 nr)
{
	struct lsabuf_section_list list = {
		.size = sizeof(list),
		.views_address = to_u64(views),
		.nr_views = nr,
	};
	int ret = lsa_ioctl(file, LSABUF_IOC_SECTION_LIST, &list);

	return ret ? ret : list.nr_views;
}

/* Bytes of memory that a section has, or -errno. */
static inline long section_memory(int file)
{
	struct lsabuf_section_stat stat;
	int ret = section_stat(file, &stat);

	return ret ? ret : (long)stat.out_memory;
}

#endif /* SECTION_COMMANDS_H */
