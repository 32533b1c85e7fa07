// SPDX-License-Identifier: GPL-2.0
/*
 * Binder as a peer: the least that its driver asks of both sides.
 *
 * As its usual library does, buffers are given back together with the next
 * command, so that a client needs one system call and a server two.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/android/binder.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define BINDER_DEVICE "/dev/binder"

/**
 * struct commands - what is written to the driver at a time
 * @size: bytes filled
 * @bytes: commands, packed
 */
struct commands {
	size_t size;
	char bytes[256];
};

/**
 * struct binder - one side
 * @fd: of the device
 * @out: commands to write
 * @in: what was read
 * @reply: bytes of a reply
 * @data: payload to send
 * @ready: told when the server waits
 */
struct binder {
	int fd;
	struct commands out;
	char in[256];
	size_t reply;
	void *data;
	int ready[2];
};

static void put(struct commands *out, uint32_t command, const void *argument,
		size_t size)
{
	memcpy(out->bytes + out->size, &command, sizeof(command));
	memcpy(out->bytes + out->size + sizeof(command), argument, size);
	out->size += sizeof(command) + size;
}

static void put_data(struct binder *b, uint32_t command, size_t size)
{
	struct binder_transaction_data data = {
		.data_size = size,
		.data.ptr.buffer = (uintptr_t)b->data,
	};

	put(&b->out, command, &data, sizeof(data));
}

static void put_free(struct binder *b,
		     const struct binder_transaction_data *data)
{
	put(&b->out, BC_FREE_BUFFER, &data->data.ptr.buffer,
	    sizeof(data->data.ptr.buffer));
}

/* Returns the bytes read. */
static size_t write_read(struct binder *b)
{
	struct binder_write_read wr = {
		.write_size = b->out.size,
		.write_buffer = (uintptr_t)b->out.bytes,
		.read_size = sizeof(b->in),
		.read_buffer = (uintptr_t)b->in,
	};

	if (ioctl(b->fd, BINDER_WRITE_READ, &wr))
		die("BINDER_WRITE_READ: %s", strerror(errno));
	b->out.size = 0;
	return wr.read_consumed;
}

/* Find @wanted among what was read. */
static bool parse(struct binder *b, size_t size, uint32_t wanted,
		  struct binder_transaction_data *data)
{
	size_t at = 0;
	uint32_t got;

	while (at < size) {
		memcpy(&got, b->in + at, sizeof(got));
		at += sizeof(got);
		if (got == wanted) {
			memcpy(data, b->in + at, sizeof(*data));
			return true;
		}
		if (got == BR_FAILED_REPLY || got == BR_DEAD_REPLY ||
		    got == BR_ERROR)
			die("binder answered %#x", got);
		at += _IOC_SIZE(got);
	}
	return false;
}

static void wait_for(struct binder *b, uint32_t wanted,
		     struct binder_transaction_data *data)
{
	while (!parse(b, write_read(b), wanted, data))
		;
}

static void binder_open(struct binder *b)
{
	b->fd = open(BINDER_DEVICE, O_RDWR | O_CLOEXEC);
	expect(b->fd >= 0, BINDER_DEVICE);
	expect(mmap(NULL, MIB, PROT_READ, MAP_PRIVATE, b->fd, 0) != MAP_FAILED,
	       "mmap of binder");
	b->data = new_buffer(4 * KIB);
}

static void binder_server(void *context)
{
	struct binder_transaction_data data;
	struct binder *b = context;

	binder_open(b);
	expect(!ioctl(b->fd, BINDER_SET_CONTEXT_MGR, 0),
	       "BINDER_SET_CONTEXT_MGR");
	put(&b->out, BC_ENTER_LOOPER, "", 0);
	expect(write(b->ready[1], "", 1) == 1, "write");
	for (;;) {
		wait_for(b, BR_TRANSACTION, &data);
		put_free(b, &data);
		put_data(b, BC_REPLY, b->reply);
	}
}

static void binder_call(void *context)
{
	struct binder_transaction_data data;
	struct binder *b = context;

	put_data(b, BC_TRANSACTION, REQUEST_BYTES);
	wait_for(b, BR_REPLY, &data);
	if (data.data_size != b->reply)
		die("binder moved %llu bytes",
		    (unsigned long long)data.data_size);
	put_free(b, &data);
}

static void bench_reply(size_t reply)
{
	struct binder b = { .reply = reply };
	char go;
	pid_t pid;

	expect(!pipe(b.ready), "pipe");
	pid = start_child(binder_server, &b);
	expect(read(b.ready[0], &go, 1) == 1, "start of the binder server");
	binder_open(&b);
	measure(binder_call, &b, "binder 64/%zu", reply);
	close(b.fd);
	end_child(pid);
	close(b.ready[0]);
	close(b.ready[1]);
}

/**
 * bench_binder() - measure binder, where its module is loaded
 */
void bench_binder(void)
{
	if (access(BINDER_DEVICE, F_OK)) {
		printf("# no %s (module binder_linux): not measured\n",
		       BINDER_DEVICE);
		return;
	}
	bench_reply(REQUEST_BYTES);
	bench_reply(4 * KIB);
}
