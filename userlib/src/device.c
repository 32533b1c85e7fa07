// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * File descriptors of /dev/lsabuf and the one place that makes ioctls.
 *
 * The library lives in processes that are not its own: its descriptors are
 * close-on-exec and stay clear of the standard ones.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "checkers.h"
#include "internal.h"

#ifndef LSABUF_VERSION
#error "LSABUF_VERSION comes from the file VERSION by way of the Makefile"
#endif

/* st_rdev of the device, once it has been opened */
static _Atomic dev_t device_number;

LSABUF_EXPORT const char *lsabuf_version(void)
{
	return LSABUF_VERSION;
}

/*
 * The kernel's own answer, 0 or -errno. The caller's errno is kept, so that the
 * library can be used in signal handlers and between a failed call and its
 * message: asking the kernel directly takes a third of the instructions that
 * saving and restoring it around ioctl() does. LSABUF_LIBC_IOCTL is for those
 * who put an ioctl() of their own before the C library's.
 */
#if defined(__x86_64__) && !defined(LSABUF_LIBC_IOCTL)
static inline int ask_kernel(int fd, unsigned int command, void *argument)
{
	long ret = SYS_ioctl;

	__asm__ volatile("syscall"
			 : "+a"(ret)
			 : "D"((long)fd), "S"((long)command), "d"(argument)
			 : "rcx", "r11", "memory");
	return ret;
}
#else
static int ask_kernel(int fd, unsigned int command, void *argument)
{
	int saved = errno;
	int ret = 0;

	if (ioctl(fd, command, argument) < 0)
		ret = -errno;
	errno = saved;
	return ret;
}
#endif

/* The funnel: every command of the library passes here. */
int lsabuf_do_ioctl(int fd, unsigned int command, void *argument)
{
	int ret = ask_kernel(fd, command, argument);

	lsabuf_checkers_tell(command, argument, ret);
	return ret;
}

/* Programs that run with more rights than their user do not listen to him */
const char *lsabuf_environment(const char *name, const char *otherwise)
{
	const char *value = secure_getenv(name);

	return value && *value ? value : otherwise;
}

/* The field needs a NUL at its end and none before: EINVAL where it has not */
int lsabuf_endpoint_name(__u8 field[LSABUF_ENDPOINT_LEN], const char *endpoint)
{
	size_t length;

	if (!endpoint)
		endpoint = LSABUF_ENDPOINT_DEFAULT;
	length = strlen(endpoint);
	if (!length || length >= LSABUF_ENDPOINT_LEN)
		return -EINVAL;
	memset(field, 0, LSABUF_ENDPOINT_LEN);
	memcpy(field, endpoint, length);
	return 0;
}

static int open_device(const char *device)
{
	int fd, higher;
	struct stat st;
	int ret;

	fd = open(device, O_RDWR | O_CLOEXEC | O_NOCTTY);
	ret = fd < 0 ? -errno : fd;
	if (fd >= 0 && fstat(fd, &st) == 0)
		atomic_store(&device_number, st.st_rdev);
	if (fd >= 0 && fd <= STDERR_FILENO) {
		/* A program without stderr must not print into a connection */
		higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		ret = higher < 0 ? -errno : higher;
		close(fd);
	}
	return ret;
}

/*
 * open(2) and close(2) are cancellation points. A thread must not end there
 * with a descriptor in its hands, or an entry of handles.c half made.
 */
LSABUF_EXPORT int lsabuf_open(const char *device)
{
	int saved = errno;
	int ret, state;

	if (!device)
		device = lsabuf_environment("LSABUF_DEVICE",
					    LSABUF_DEVICE_DEFAULT);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	ret = open_device(device);
	pthread_setcancelstate(state, NULL);
	errno = saved;
	return ret;
}

LSABUF_EXPORT void lsabuf_close(int fd)
{
	int saved = errno;
	int state;

	if (fd < 0)
		return;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	close(fd);
	pthread_setcancelstate(state, NULL);
	errno = saved;
}

/*
 * Programs close descriptors that are not theirs (a careless daemon(), a
 * closefrom() before an exec that then fails), and the number comes back as
 * another file. That this one belongs to our device tells whether it may be
 * closed; the module cannot be unloaded, and so its device number cannot
 * change, as long as a file of it is open.
 */
bool lsabuf_fd_is_ours(int fd)
{
	int saved = errno;
	struct stat st;
	bool ours;

	ours = fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
	       st.st_rdev == atomic_load(&device_number);
	errno = saved;
	return ours;
}

LSABUF_EXPORT int lsabuf_info(int fd, struct lsabuf_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return lsabuf_do_ioctl(fd, LSABUF_IOC_INFO, info);
}

/* What this library makes use of where the module has it */
static const struct {
	uint64_t feature;
	const char *name;
} features[] = {
	{ LSABUF_FEATURE_CONNECTION,
	  "telling a connection from another one of the same number" },
	{ LSABUF_FEATURE_MAP, "snapshots of client memory (MapBuffer)" },
	{ LSABUF_FEATURE_SECTIONS, "shared memory (CreateSharedMemory)" },
	{ LSABUF_FEATURE_HOLES, "giving back shared memory between blocks" },
	{ LSABUF_FEATURE_FILES, "files opened in clients (DuplicateHandle)" },
	{ 0, NULL },
};

LSABUF_EXPORT uint64_t lsabuf_missing(const struct lsabuf_info *info)
{
	uint64_t missing = 0;
	size_t i;

	for (i = 0; features[i].name; i++)
		missing |= features[i].feature & ~info->out_features;
	return missing;
}

LSABUF_EXPORT const char *lsabuf_feature_name(uint64_t feature)
{
	size_t i;

	for (i = 0; features[i].name; i++) {
		if (features[i].feature == feature)
			return features[i].name;
	}
	return NULL;
}

static int change_endpoint(int fd, const char *endpoint, uint32_t id,
			   uint32_t flags)
{
	struct lsabuf_endpoint change = {
		.size = sizeof(change),
		.flags = flags,
		.id = id,
	};
	int ret;

	ret = lsabuf_endpoint_name(change.endpoint, endpoint);
	if (ret)
		return ret;
	return lsabuf_do_ioctl(fd, LSABUF_IOC_ENDPOINT, &change);
}

LSABUF_EXPORT int lsabuf_endpoint_allow(int fd, const char *endpoint,
					uint32_t id, uint32_t flags)
{
	if (flags & LSABUF_ENDPOINT_F_REMOVE)
		return -EINVAL;
	return change_endpoint(fd, endpoint, id, flags);
}

LSABUF_EXPORT int lsabuf_endpoint_disallow(int fd, const char *endpoint,
					   uint32_t id, uint32_t flags)
{
	return change_endpoint(fd, endpoint, id,
			       flags | LSABUF_ENDPOINT_F_REMOVE);
}
