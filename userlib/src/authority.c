// SPDX-License-Identifier: LGPL-2.1-or-later
/* The authority's half of the native interface. */
#include <stdint.h>
#include <string.h>

#include "checkers.h"
#include "internal.h"

LSABUF_EXPORT int lsabuf_serve(int fd, const char *endpoint,
			       struct lsabuf_serve *options)
{
	struct lsabuf_serve own = { 0 };
	int ret;

	if (!options)
		options = &own;
	options->size = sizeof(*options);
	ret = lsabuf_endpoint_name(options->endpoint, endpoint);
	if (ret)
		return ret;
	return lsabuf_do_ioctl(fd, LSABUF_IOC_SERVE, options);
}

LSABUF_EXPORT int lsabuf_open_authority(const char *endpoint)
{
	int fd, ret;

	fd = lsabuf_open(NULL);
	if (fd < 0)
		return fd;
	ret = lsabuf_serve(fd, endpoint, NULL);
	if (ret) {
		lsabuf_close(fd);
		return ret;
	}
	return fd;
}

static int exchange_with(int fd, struct lsabuf_reply_receive *exchange,
			 uint32_t flags)
{
	exchange->size = sizeof(*exchange);
	exchange->flags = flags;
	return lsabuf_do_ioctl(fd, LSABUF_IOC_REPLY_RECEIVE, exchange);
}

LSABUF_EXPORT int lsabuf_receive(int fd, struct lsabuf_reply_receive *request)
{
	memset(request, 0, sizeof(*request));
	return exchange_with(fd, request, LSABUF_REPLY_RECEIVE_F_RECEIVE);
}

LSABUF_EXPORT int lsabuf_receive_nowait(int fd,
					struct lsabuf_reply_receive *request)
{
	memset(request, 0, sizeof(*request));
	return exchange_with(fd, request,
			     LSABUF_REPLY_RECEIVE_F_RECEIVE |
				     LSABUF_REPLY_RECEIVE_F_NOWAIT);
}

/* Without a receive half the command itself succeeds: the reply's result is */
static int only_reply(int fd, struct lsabuf_reply_receive *reply,
		      uint32_t flags)
{
	int ret = exchange_with(fd, reply, flags);

	return ret ? ret : reply->reply_error;
}

LSABUF_EXPORT int lsabuf_reply(int fd, uint64_t id, const uint32_t status[2],
			       uint64_t address, uint64_t length)
{
	struct lsabuf_reply_receive reply = {
		.reply_id = id,
		.status = { status[0], status[1] },
		.return_address = address,
		.return_length = length,
	};

	return only_reply(fd, &reply, 0);
}

LSABUF_EXPORT int lsabuf_reply_payload(int fd, uint64_t id,
				       const uint32_t status[2],
				       const void *payload, size_t length)
{
	struct lsabuf_reply_receive reply = {
		.reply_id = id,
		.status = { status[0], status[1] },
		.payload_address = (uintptr_t)payload,
		.payload_length = length,
	};

	return only_reply(fd, &reply, LSABUF_REPLY_RECEIVE_F_PAYLOAD);
}

LSABUF_EXPORT int lsabuf_reply_receive(int fd,
				       struct lsabuf_reply_receive *exchange)
{
	uint32_t flags = exchange->flags | LSABUF_REPLY_RECEIVE_F_RECEIVE;

	/* Called again after EINTR: the payload went with the reply */
	if (!exchange->reply_id)
		flags &= ~LSABUF_REPLY_RECEIVE_F_PAYLOAD;
	return exchange_with(fd, exchange, flags);
}

LSABUF_EXPORT int lsabuf_alloc(int fd, uint64_t id, size_t length,
			       uint64_t *address)
{
	return lsabuf_alloc_copy(fd, id, length, NULL, 0, address);
}

LSABUF_EXPORT int lsabuf_alloc_copy(int fd, uint64_t id, size_t length,
				    const void *source, size_t source_length,
				    uint64_t *address)
{
	struct lsabuf_alloc alloc = {
		.size = sizeof(alloc),
		.id = id,
		.length = length,
		.source_address = (uintptr_t)source,
		.source_length = source_length,
	};
	int ret;

	ret = lsabuf_do_ioctl(fd, LSABUF_IOC_ALLOC, &alloc);
	*address = ret ? 0 : alloc.out_address;
	return ret;
}

LSABUF_EXPORT int lsabuf_release(int fd, uint64_t id, uint64_t address)
{
	struct lsabuf_release release = {
		.size = sizeof(release),
		.id = id,
		.address = address,
	};

	return lsabuf_do_ioctl(fd, LSABUF_IOC_RELEASE, &release);
}

static int copy(int fd, struct lsabuf_copy *range, size_t *done)
{
	int ret;

	range->size = sizeof(*range);
	ret = lsabuf_do_ioctl(fd, LSABUF_IOC_COPY, range);
	if (done)
		*done = range->out_done;
	return ret;
}

LSABUF_EXPORT int lsabuf_copy_to(int fd, uint64_t id, uint64_t client_address,
				 const void *source, size_t length,
				 size_t *done)
{
	struct lsabuf_copy range = {
		.id = id,
		.client_address = client_address,
		.local_address = (uintptr_t)source,
		.length = length,
	};

	return copy(fd, &range, done);
}

LSABUF_EXPORT int lsabuf_copy_from(int fd, uint64_t id, void *destination,
				   uint64_t client_address, size_t length,
				   size_t *done)
{
	struct lsabuf_copy range = {
		.flags = LSABUF_COPY_F_FROM_CLIENT,
		.id = id,
		.client_address = client_address,
		.local_address = (uintptr_t)destination,
		.length = length,
	};

	return copy(fd, &range, done);
}

LSABUF_EXPORT int lsabuf_copy_vector(int fd, uint64_t id, uint32_t flags,
				     const struct lsabuf_copy_range *vector,
				     uint32_t nr_vector, uint64_t *done)
{
	struct lsabuf_copy ranges = {
		.flags = flags,
		.id = id,
		.vector_address = (uintptr_t)vector,
		.nr_vector = nr_vector,
	};
	size_t bytes;
	int ret;

	ret = copy(fd, &ranges, &bytes);
	if (done)
		*done = bytes;
	return ret;
}

LSABUF_EXPORT int lsabuf_map(int fd, uint64_t id, uint64_t client_address,
			     size_t length, void **snapshot)
{
	struct lsabuf_map_range range = {
		.client_address = client_address,
		.length = length,
	};
	int ret;

	ret = lsabuf_map_vector(fd, id, &range, 1);
	*snapshot = ret ? NULL : (void *)(uintptr_t)range.out_address;
	return ret;
}

LSABUF_EXPORT int lsabuf_map_vector(int fd, uint64_t id,
				    struct lsabuf_map_range *vector,
				    uint32_t nr_vector)
{
	struct lsabuf_map map = {
		.size = sizeof(map),
		.id = id,
		.vector_address = (uintptr_t)vector,
		.nr_vector = nr_vector,
	};

	return lsabuf_do_ioctl(fd, LSABUF_IOC_MAP, &map);
}

LSABUF_EXPORT int lsabuf_give(int fd, uint64_t id, int file, int *client_file)
{
	struct lsabuf_give give = {
		.size = sizeof(give),
		.id = id,
		.fd = file,
	};
	int ret;

	ret = lsabuf_do_ioctl(fd, LSABUF_IOC_GIVE, &give);
	*client_file = ret ? -1 : give.out_fd;
	return ret;
}

LSABUF_EXPORT int lsabuf_identity(int fd, uint64_t id,
				  struct lsabuf_identity *identity,
				  uint32_t *groups, uint32_t nr_groups)
{
	*identity = (struct lsabuf_identity){
		.size = sizeof(*identity),
		.id = id,
		.groups_address = (uintptr_t)groups,
		.nr_groups = groups ? nr_groups : 0,
	};
	uint32_t room = identity->nr_groups;
	int ret;

	ret = lsabuf_do_ioctl(fd, LSABUF_IOC_IDENTITY, identity);
	if (!ret && room > identity->nr_groups)
		room = identity->nr_groups;
	if (!ret)
		lsabuf_checkers_wrote(groups, room * sizeof(*groups));
	return ret;
}
