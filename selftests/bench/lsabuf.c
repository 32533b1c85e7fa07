// SPDX-License-Identifier: GPL-2.0
/*
 * lsabuf itself, by its ABI. This process is the client and measures round
 * trips; a child is the authority, which measures what it does while it holds a
 * request. Results of both go to the same record.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "held.h"

#define DEVICE "/dev/lsabuf"
#define ENDPOINT "bench"
/* A number that no version of the ABI has */
#define IOC_NULL _IO(LSABUF_IOC_TYPE, 0xff)

/**
 * struct submit - the client's 64 bytes
 * @memory: granted memory, see struct held
 * @rest: nothing
 */
struct submit {
	uint64_t memory;
	char rest[REQUEST_BYTES - sizeof(uint64_t)];
};

static void command(int fd, unsigned long number, void *argument,
		    const char *name)
{
	if (ioctl(fd, number, argument))
		die("%s: %s", name, strerror(errno));
}

static int open_device(void)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	expect(fd >= 0, DEVICE);
	return fd;
}

/**
 * held_alloc() - allocate a block in the client
 * @held: the request
 * @length: bytes
 *
 * Return: its address.
 */
uint64_t held_alloc(struct held *held, size_t length)
{
	struct lsabuf_alloc alloc = {
		.size = sizeof(alloc),
		.id = held->id,
		.length = length,
	};

	command(held->fd, LSABUF_IOC_ALLOC, &alloc, "ALLOC");
	return alloc.out_address;
}

/**
 * held_release() - free it again
 * @held: the request
 * @address: from held_alloc()
 */
void held_release(struct held *held, uint64_t address)
{
	struct lsabuf_release release = {
		.size = sizeof(release),
		.id = held->id,
		.address = address,
	};

	command(held->fd, LSABUF_IOC_RELEASE, &release, "RELEASE");
}

static uint64_t held_alloc_source(struct held *held, size_t length)
{
	struct lsabuf_alloc alloc = {
		.size = sizeof(alloc),
		.id = held->id,
		.length = length,
		.source_address = (uintptr_t)held->local,
		.source_length = length,
	};

	command(held->fd, LSABUF_IOC_ALLOC, &alloc, "ALLOC with a source");
	return alloc.out_address;
}

static void held_copy(struct held *held, uint64_t address, size_t length)
{
	struct lsabuf_copy copy = {
		.size = sizeof(copy),
		.id = held->id,
		.client_address = address,
		.local_address = (uintptr_t)held->local,
		.length = length,
	};

	command(held->fd, LSABUF_IOC_COPY, &copy, "COPY");
}

static void alloc_release_256(void *context)
{
	held_release(context, held_alloc(context, 256));
}

static void alloc_release_4k(void *context)
{
	held_release(context, held_alloc(context, 4 * KIB));
}

static void bench_alloc_release(struct held *held)
{
	measure(alloc_release_256, held, "ALLOC+RELEASE 256 B");
	measure(alloc_release_4k, held, "ALLOC+RELEASE 4 KiB");
}

static void (*const measurements[])(struct held *held) = {
	bench_alloc_release,
	bench_copies,
	bench_vectors,
	bench_live_blocks,
};

/* Do what a request wants, and fill in its reply. */
static void serve_request(struct held *held, struct lsabuf_reply_receive *rr)
{
	const struct submit *submit;

	held->id = rr->out_id;
	switch (rr->out_code) {
	case CODE_PAYLOAD:
		rr->flags |= LSABUF_REPLY_RECEIVE_F_PAYLOAD;
		rr->payload_address = (uintptr_t)held->local;
		rr->payload_length = rr->out_kind;
		break;
	case CODE_ALLOC:
		rr->return_address = held_alloc(held, rr->out_kind);
		break;
	case CODE_ALLOC_SOURCE:
		rr->return_address = held_alloc_source(held, rr->out_kind);
		break;
	case CODE_ALLOC_COPY:
		rr->return_address = held_alloc(held, rr->out_kind);
		held_copy(held, rr->return_address, rr->out_kind);
		break;
	case CODE_ALLOC_RELEASE:
		held_release(held, held_alloc(held, rr->out_kind));
		break;
	case CODE_MEASURE:
		submit = (const void *)(uintptr_t)rr->out_submit_address;
		held->memory = submit->memory;
		held->pid = rr->out_pid;
		measurements[rr->out_kind](held);
		break;
	}
}

/* One thread of the authority; @context is a copy of what it works with. */
static void *serve(void *context)
{
	struct lsabuf_reply_receive rr = { .size = sizeof(rr) };
	struct held held = *(struct held *)context;

	for (;;) {
		rr.flags |= LSABUF_REPLY_RECEIVE_F_RECEIVE;
		command(held.fd, LSABUF_IOC_REPLY_RECEIVE, &rr,
			"REPLY_RECEIVE");
		if (rr.reply_error)
			die("reply: %s", strerror(-rr.reply_error));
		rr.flags = 0;
		rr.return_address = 0;
		rr.reply_id = rr.out_id;
		serve_request(&held, &rr);
	}
	return NULL;
}

/**
 * struct authority - how an authority is started
 * @threads: its threads that receive
 * @ready: a pipe, written to when clients can connect
 */
struct authority {
	unsigned int threads;
	int ready[2];
};

static void authority(void *context)
{
	struct lsabuf_serve serving = {
		.size = sizeof(serving),
		.endpoint = ENDPOINT,
	};
	struct held held = {
		.fd = open_device(),
		.local = new_buffer(BUFFER_BYTES),
	};
	struct authority *me = context;
	pthread_t thread;

	command(held.fd, LSABUF_IOC_SERVE, &serving, "SERVE");
	while (--me->threads)
		expect(!pthread_create(&thread, NULL, serve, &held),
		       "pthread_create");
	expect(write(me->ready[1], "", 1) == 1, "write");
	serve(&held);
}

/**
 * start_authority() - start the serving side
 * @threads: that receive
 *
 * Return: its pid, for end_child(), once clients can connect.
 */
pid_t start_authority(unsigned int threads)
{
	struct authority him = { .threads = threads };
	pid_t pid;
	char go;

	expect(!pipe(him.ready), "pipe");
	pid = start_child(authority, &him);
	close(him.ready[1]);
	if (read(him.ready[0], &go, 1) != 1)
		die("the authority did not start");
	close(him.ready[0]);
	return pid;
}

/**
 * client_connect() - connect to the authority
 * @client: to set up
 * @submit: REQUEST_BYTES to send with each call
 */
void client_connect(struct client *client, const void *submit)
{
	struct lsabuf_connect connect = {
		.size = sizeof(connect),
		.endpoint = ENDPOINT,
		.access = LSABUF_ACCESS_WHOLE,
	};

	client->fd = open_device();
	command(client->fd, LSABUF_IOC_CONNECT, &connect, "CONNECT");
	client->free_by_call = false;
	client->call = (struct lsabuf_call){
		.size = sizeof(client->call),
		.submit_address = (uintptr_t)submit,
		.submit_length = REQUEST_BYTES,
	};
}

static void client_free(struct client *client, uint64_t address)
{
	struct lsabuf_free argument = {
		.size = sizeof(argument),
		.address = address,
	};

	command(client->fd, LSABUF_IOC_FREE, &argument, "FREE");
}

/**
 * client_call() - one round trip
 * @context: the client
 */
void client_call(void *context)
{
	struct client *client = context;

	client->call.id = 0;
	command(client->fd, LSABUF_IOC_CALL, &client->call, "CALL");
}

/**
 * client_call_and_free() - a call that returns a block
 * @context: the client
 *
 * The first byte is read, as whoever asked would do; then the block is freed.
 */
void client_call_and_free(void *context)
{
	struct client *client = context;
	uint64_t address;

	client_call(client);
	address = client->call.out_address;
	*(volatile const char *)(uintptr_t)address;
	if (client->free_by_call)
		client->call.free_address = address;
	else
		client_free(client, address);
}

static void bench_call(struct client *client, unsigned int code,
		       unsigned int length, const char *name)
{
	bool returns_block = code != CODE_ECHO && code != CODE_ALLOC_RELEASE;

	client->call.code = code;
	client->call.kind = length;
	measure(returns_block ? client_call_and_free : client_call, client,
		"%s", name);
	if (client->call.free_address)
		client_free(client, client->call.free_address);
	client->call.free_address = 0;
}

/* What a pair of calls to the allocator adds to a call. */
static void record_difference(const char *with, const char *without,
			      const char *name)
{
	const struct result *a = result_find(with);
	const struct result *b = result_find(without);
	double runs[RUNS] = { a->min - b->min, a->median - b->median,
			      a->median - b->median };

	record(runs, "%s", name);
}

/*
 * What a copy of 1 MiB costs for each page beyond moving the bytes: a kernel
 * without fast short strings moves eight with an instruction.
 */
static void record_beyond(const char *copy, const char *name)
{
	const struct result *result = result_find(copy);
	const double pages = MIB / (4.0 * KIB);
	double pure = MIB / 8.0;
	double runs[RUNS] = { (result->min - pure) / pages,
			      (result->median - pure) / pages,
			      (result->median - pure) / pages };

	record(runs, "%s", name);
}

static void bench_calls(struct client *client)
{
	bench_call(client, CODE_ECHO, 0, "CALL 64/status");
	client->call.submit_length = 0;
	bench_call(client, CODE_ECHO, 0, "CALL 0/status");
	client->call.submit_length = 4 * KIB;
	bench_call(client, CODE_ECHO, 0, "CALL 4096/status");
	client->call.submit_length = REQUEST_BYTES;

	bench_call(client, CODE_ALLOC, 256, "CALL, ALLOC 256 B, FREE");
	bench_call(client, CODE_ALLOC, 4 * KIB, "CALL, ALLOC 4 KiB, FREE");
	bench_call(client, CODE_ALLOC_RELEASE, 256,
		   "CALL, ALLOC 256 B, RELEASE");
	bench_call(client, CODE_ALLOC_COPY, 4 * KIB,
		   "CALL, ALLOC, COPY 4 KiB, FREE");
	bench_call(client, CODE_ALLOC_SOURCE, 4 * KIB,
		   "CALL, ALLOC with 4 KiB, FREE");
	bench_call(client, CODE_PAYLOAD, 4 * KIB, "CALL 64/4096 payload, FREE");
	bench_call(client, CODE_PAYLOAD, 64, "CALL 64/64 payload, FREE");
	client->free_by_call = true;
	bench_call(client, CODE_PAYLOAD, 64,
		   "CALL 64/64 payload, freed by call");
	bench_call(client, CODE_PAYLOAD, 4 * KIB,
		   "CALL 64/4096 payload, freed by call");
	client->free_by_call = false;
	record_difference("CALL, ALLOC 256 B, FREE", "CALL 64/status",
			  "ALLOC+FREE 256 B");
	record_difference("CALL, ALLOC 4 KiB, FREE", "CALL 64/status",
			  "ALLOC+FREE 4 KiB");
}

static void null_ioctl(void *context)
{
	struct client *client = context;

	if (ioctl(client->fd, IOC_NULL, NULL) != -1 || errno != ENOTTY)
		die("the unknown command is known");
}

static void info(void *context)
{
	struct client *client = context;
	struct lsabuf_info argument = { .size = sizeof(argument) };

	command(client->fd, LSABUF_IOC_INFO, &argument, "INFO");
}

/**
 * bench_lsabuf() - measure lsabuf
 */
void bench_lsabuf(void)
{
	struct submit *submit = new_buffer(4 * KIB);
	pid_t pid = start_authority(1);
	struct client client;
	unsigned int i;

	submit->memory = (uintptr_t)new_buffer(BUFFER_BYTES);
	client_connect(&client, submit);
	measure(null_ioctl, &client, "null ioctl");
	measure(info, &client, "INFO");
	bench_calls(&client);
	for (i = 0; i < ARRAY_SIZE(measurements); i++) {
		client.call.code = CODE_MEASURE;
		client.call.kind = i;
		client_call(&client);
	}
	record_beyond("COPY to block 1 MiB",
		      "COPY to block 1 MiB, per page beyond the copy");
	record_beyond("process_vm_writev 1 MiB",
		      "process_vm_writev 1 MiB, per page beyond");
	close(client.fd);
	end_child(pid);
}
