// SPDX-License-Identifier: LGPL-2.1-or-later
/* The client's half of the native interface. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "internal.h"

LSABUF_EXPORT int lsabuf_connect(int fd, const char *endpoint, uint32_t access,
				 struct lsabuf_connect *details)
{
	struct lsabuf_connect own = { 0 };
	int ret;

	if (!details)
		details = &own;
	details->size = sizeof(*details);
	details->access = access;
	ret = lsabuf_endpoint_name(details->endpoint, endpoint);
	if (ret)
		return ret;
	ret = lsabuf_do_ioctl(fd, LSABUF_IOC_CONNECT, details);
	if (ret != -EOPNOTSUPP || !(details->flags & LSABUF_CONNECT_F_FILES))
		return ret;
	details->flags &= ~LSABUF_CONNECT_F_FILES;
	return lsabuf_do_ioctl(fd, LSABUF_IOC_CONNECT, details);
}

LSABUF_EXPORT int lsabuf_open_client(const char *endpoint, uint32_t access)
{
	int fd, ret;

	fd = lsabuf_open(NULL);
	if (fd < 0)
		return fd;
	ret = lsabuf_connect(fd, endpoint, access, NULL);
	if (ret) {
		lsabuf_close(fd);
		return ret;
	}
	return fd;
}

LSABUF_EXPORT int lsabuf_connection(int fd, struct lsabuf_connect *details)
{
	struct lsabuf_info info;
	int ret;

	*details = (struct lsabuf_connect){ .size = sizeof(*details) };
	ret = lsabuf_info(fd, &info);
	if (ret)
		return ret;
	if (!(info.out_features & LSABUF_FEATURE_CONNECTION))
		return -EOPNOTSUPP;
	if (!info.out_client)
		return -EPERM;
	details->out_client = info.out_client;
	details->out_authority_pid = info.out_authority_pid;
	details->out_authority_uid = info.out_authority_uid;
	details->out_authority_start = info.out_authority_start;
	return 0;
}

LSABUF_EXPORT int lsabuf_disconnect(int fd)
{
	struct lsabuf_disconnect disconnect = { .size = sizeof(disconnect) };

	return lsabuf_do_ioctl(fd, LSABUF_IOC_DISCONNECT, &disconnect);
}

LSABUF_EXPORT void lsabuf_call_prepare(struct lsabuf_call *call, uint32_t kind,
				       uint32_t code, const void *submit,
				       size_t length)
{
	/* One by one: a struct of zeroes costs more than all else here */
	call->size = sizeof(*call);
	call->flags = 0;
	call->id = 0;
	call->kind = kind;
	call->code = code;
	call->submit_address = (uintptr_t)submit;
	call->submit_length = length;
	call->timeout_ns = 0;
	call->ranges_address = 0;
	call->nr_ranges = 0;
	call->connection = 0;
	call->free_address = 0;
	call->out_status[0] = 0;
	call->out_status[1] = 0;
	call->out_address = 0;
	call->out_length = 0;
}

static int do_call(int fd, struct lsabuf_call *call, uint32_t flags)
{
	call->size = sizeof(*call);
	call->flags = flags;
	return lsabuf_do_ioctl(fd, LSABUF_IOC_CALL, call);
}

LSABUF_EXPORT int lsabuf_call(int fd, struct lsabuf_call *call)
{
	int ret;

	/*
	 * The kernel has stored the id before anybody else could see the
	 * request, so that repeating the command waits and never calls twice.
	 */
	do {
		ret = do_call(fd, call, 0);
	} while (ret == -EINTR);
	return ret;
}

LSABUF_EXPORT int lsabuf_call_submit(int fd, struct lsabuf_call *call)
{
	call->id = 0;
	return do_call(fd, call, LSABUF_CALL_F_NOWAIT);
}

LSABUF_EXPORT int lsabuf_call_wait(int fd, struct lsabuf_call *call)
{
	/* With id 0 the kernel would take it for a new call */
	if (!call->id)
		return -ENOENT;
	return lsabuf_call(fd, call);
}

LSABUF_EXPORT int lsabuf_call_take(int fd, struct lsabuf_call *call)
{
	/* With id 0 the kernel would take it for a new call */
	if (!call->id)
		return -ENOENT;
	return do_call(fd, call, LSABUF_CALL_F_NOWAIT);
}

LSABUF_EXPORT int lsabuf_call_any(int fd, struct lsabuf_call *call)
{
	lsabuf_call_prepare(call, 0, 0, NULL, 0);
	return do_call(fd, call, LSABUF_CALL_F_ANY | LSABUF_CALL_F_NOWAIT);
}

LSABUF_EXPORT int lsabuf_call_cancel(int fd, uint64_t id)
{
	struct lsabuf_call call = { .id = id };

	if (!id)
		return -ENOENT;
	return do_call(fd, &call, LSABUF_CALL_F_CANCEL);
}

LSABUF_EXPORT int lsabuf_free(int fd, void *address)
{
	struct lsabuf_free block = {
		.size = sizeof(block),
		.address = (uintptr_t)address,
	};

	return lsabuf_do_ioctl(fd, LSABUF_IOC_FREE, &block);
}
