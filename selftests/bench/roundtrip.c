// SPDX-License-Identifier: GPL-2.0
/*
 * Peers between two processes: a request of 64 bytes, and an answer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

/**
 * struct channel - how two processes talk
 * @there: what the client writes to
 * @back: what the client reads from
 * @server_in: what the server reads from
 * @server_out: what the server writes to
 * @request: bytes of a request
 * @reply: bytes of a reply
 * @buffer: memory for them, each process its own copy
 */
struct channel {
	int there;
	int back;
	int server_in;
	int server_out;
	size_t request;
	size_t reply;
	void *buffer;
};

static void transfer(ssize_t done, size_t wanted, const char *what)
{
	if (done != (ssize_t)wanted)
		die("%s moved %zd of %zu bytes: %s", what, done, wanted,
		    strerror(errno));
}

static void ping(void *context)
{
	struct channel *c = context;

	transfer(write(c->there, c->buffer, c->request), c->request, "write");
	transfer(read(c->back, c->buffer, c->reply), c->reply, "read");
}

static void pong(void *context)
{
	struct channel *c = context;

	for (;;) {
		transfer(read(c->server_in, c->buffer, c->request), c->request,
			 "read");
		transfer(write(c->server_out, c->buffer, c->reply), c->reply,
			 "write");
	}
}

static void receive_with_credentials(struct channel *c)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec iov = {
		.iov_base = c->buffer,
		.iov_len = c->request,
	};
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	transfer(recvmsg(c->server_in, &message, 0), c->request, "recvmsg");
	if (!CMSG_FIRSTHDR(&message) ||
	    CMSG_FIRSTHDR(&message)->cmsg_type != SCM_CREDENTIALS)
		die("no credentials came");
}

static void pong_with_credentials(void *context)
{
	struct channel *c = context;

	for (;;) {
		receive_with_credentials(c);
		transfer(write(c->server_out, c->buffer, c->reply), c->reply,
			 "write");
	}
}

static void close_channel(struct channel *c)
{
	close(c->there);
	if (c->back != c->there)
		close(c->back);
	close(c->server_in);
	if (c->server_out != c->server_in)
		close(c->server_out);
}

static void bench_eventfd(const char *name)
{
	struct channel c = {
		.there = eventfd(0, EFD_CLOEXEC),
		.back = eventfd(0, EFD_CLOEXEC),
		.request = sizeof(uint64_t),
		.reply = sizeof(uint64_t),
		.buffer = new_buffer(4 * KIB),
	};
	pid_t pid;

	expect(c.there >= 0 && c.back >= 0, "eventfd");
	c.server_in = dup(c.there);
	c.server_out = dup(c.back);
	*(uint64_t *)c.buffer = 1;
	pid = start_child(pong, &c);
	measure(ping, &c, "%s", name);
	end_child(pid);
	close_channel(&c);
}

static void bench_pipe(void)
{
	struct channel c = {
		.request = REQUEST_BYTES,
		.reply = REQUEST_BYTES,
		.buffer = new_buffer(4 * KIB),
	};
	int there[2], back[2];
	pid_t pid;

	expect(!pipe(there) && !pipe(back), "pipe");
	c.server_in = there[0];
	c.there = there[1];
	c.back = back[0];
	c.server_out = back[1];
	pid = start_child(pong, &c);
	measure(ping, &c, "pipe 64/64");
	end_child(pid);
	close_channel(&c);
}

static void bench_socket(size_t reply, bool credentials)
{
	struct channel c = {
		.request = REQUEST_BYTES,
		.reply = reply,
		.buffer = new_buffer(4 * KIB),
	};
	int pair[2], on = 1;
	pid_t pid;

	expect(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair),
	       "socketpair");
	c.there = pair[0];
	c.back = pair[0];
	c.server_in = pair[1];
	c.server_out = pair[1];
	if (credentials)
		expect(!setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on,
				   sizeof(on)),
		       "SO_PASSCRED");
	pid = start_child(credentials ? pong_with_credentials : pong, &c);
	measure(ping, &c, "AF_UNIX%s 64/%zu", credentials ? "+cred" : "",
		reply);
	end_child(pid);
	close_channel(&c);
}

/**
 * bench_round_trips() - measure the peers between two processes
 */
void bench_round_trips(void)
{
	/* Only to be seen: it does not repeat, see sleep_both(). */
	sleep_both(false);
	bench_eventfd("eventfd ping-pong, SCHED_OTHER");
	sleep_both(true);
	bench_eventfd("eventfd ping-pong");
	bench_pipe();
	bench_socket(REQUEST_BYTES, false);
	bench_socket(REQUEST_BYTES, true);
	bench_socket(4 * KIB, false);
	bench_socket(4 * KIB, true);
}
