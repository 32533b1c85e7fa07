// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sections in the native interface: both sides. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "internal.h"

LSABUF_EXPORT int lsabuf_section_create(int authority, uint64_t max,
					uint64_t committed,
					struct lsabuf_section_create *details)
{
	struct lsabuf_section_create own = { 0 };
	int fd, ret;

	if (!details)
		details = &own;
	details->size = sizeof(*details);
	details->authority = authority;
	details->max = max;
	details->committed = committed;
	fd = lsabuf_open(NULL);
	if (fd < 0)
		return fd;
	do {
		ret = lsabuf_do_ioctl(fd, LSABUF_IOC_SECTION_CREATE, details);
	} while (ret == -EINTR);
	if (!ret)
		return fd;
	lsabuf_close(fd);
	return ret;
}

static int set_committed(int fd, uint64_t committed, uint32_t flags)
{
	struct lsabuf_section_grow grow = {
		.size = sizeof(grow),
		.flags = flags,
		.committed = committed,
	};
	int ret;

	do {
		grow.committed = committed;
		ret = lsabuf_do_ioctl(fd, LSABUF_IOC_SECTION_GROW, &grow);
	} while (ret == -EINTR);
	return ret;
}

LSABUF_EXPORT int lsabuf_section_grow(int fd, uint64_t committed)
{
	return set_committed(fd, committed, 0);
}

LSABUF_EXPORT int lsabuf_section_shrink(int fd, uint64_t committed)
{
	return set_committed(fd, committed, LSABUF_SECTION_GROW_F_SHRINK);
}

static int change_hole(int fd, uint64_t start, uint64_t length, uint32_t flags)
{
	struct lsabuf_section_hole hole = {
		.size = sizeof(hole),
		.flags = flags,
		.start = start,
		.length = length,
	};
	int ret;

	do {
		ret = lsabuf_do_ioctl(fd, LSABUF_IOC_SECTION_HOLE, &hole);
	} while (ret == -EINTR);
	return ret;
}

LSABUF_EXPORT int lsabuf_section_punch(int fd, uint64_t start, uint64_t length)
{
	return change_hole(fd, start, length, 0);
}

LSABUF_EXPORT int lsabuf_section_fill(int fd, uint64_t start, uint64_t length)
{
	return change_hole(fd, start, length, LSABUF_SECTION_HOLE_F_FILL);
}

LSABUF_EXPORT int lsabuf_section_stat(int fd, struct lsabuf_section_stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->size = sizeof(*stat);
	return lsabuf_do_ioctl(fd, LSABUF_IOC_SECTION_STAT, stat);
}

LSABUF_EXPORT int lsabuf_section_revoke(int fd)
{
	struct lsabuf_section_revoke revoke = { .size = sizeof(revoke) };

	return lsabuf_do_ioctl(fd, LSABUF_IOC_SECTION_REVOKE, &revoke);
}

LSABUF_EXPORT int lsabuf_section_share(int fd, uint64_t id, uint32_t flags,
				       uint64_t *address)
{
	struct lsabuf_section_share share = {
		.size = sizeof(share),
		.flags = flags,
		.id = id,
	};
	int ret;

	ret = lsabuf_do_ioctl(fd, LSABUF_IOC_SECTION_SHARE, &share);
	*address = ret ? 0 : share.out_address;
	return ret;
}

LSABUF_EXPORT uint64_t lsabuf_section_translate(uint64_t address, uint64_t from,
						uint64_t to, uint64_t max)
{
	return address - from < max ? address - from + to : 0;
}

LSABUF_EXPORT int lsabuf_section_list(int fd, struct lsabuf_view *views,
				      uint32_t nr_views)
{
	struct lsabuf_section_list list = {
		.size = sizeof(list),
		.views_address = (uintptr_t)views,
		.nr_views = nr_views,
	};
	int ret;

	ret = lsabuf_do_ioctl(fd, LSABUF_IOC_SECTION_LIST, &list);
	return ret ? ret : (int)list.nr_views;
}

/* Unmap the view that @address is in, if it is one of the @nr in @views */
static int leave_one(const struct lsabuf_view *views, int nr, uintptr_t address)
{
	int i;

	for (i = 0; i < nr; i++) {
		if (address - views[i].address >= views[i].max)
			continue;
		if (munmap((void *)(uintptr_t)views[i].address, views[i].max))
			return -errno;
		return 0;
	}
	return -ENOENT;
}

LSABUF_EXPORT int lsabuf_section_leave(int fd, const void *address)
{
	struct lsabuf_view views[256];
	int saved = errno;
	int nr, ret;

	nr = lsabuf_section_list(fd, views, 256);
	if (nr < 0)
		return nr;
	ret = leave_one(views, nr < 256 ? nr : 256, (uintptr_t)address);
	errno = saved;
	return ret;
}
