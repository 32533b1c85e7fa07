// SPDX-License-Identifier: GPL-2.0
/*
 * A whole LSA call as packages and programs make it: through the functions of
 * ntsecapi.h on one side and the function table on the other.
 */
#include <ntstatus.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <lsabuf_host.h>

#include "bench.h"

#define ENDPOINT "bench-lsa"
#define REPLY_BYTES (4 * KIB)
/* CALL and FREE; REPLY_RECEIVE, ALLOC and COPY */
#define LIBRARY_CALLS 5
/* Kinds of requests that are not LSA calls */
#define KIND_ECHO 1000
#define KIND_REACH 1001

/* What a package does for a call that returns 4 KiB */
static NTSTATUS package(PLSA_SECPKG_FUNCTION_TABLE table,
			PLSA_CLIENT_REQUEST request, void *source,
			PVOID *buffer, PULONG length)
{
	NTSTATUS status;

	status = table->AllocateClientBuffer(request, REPLY_BYTES, buffer);
	if (!NT_SUCCESS(status))
		return status;
	*length = REPLY_BYTES;
	return table->CopyToClientBuffer(request, REPLY_BYTES, *buffer, source);
}

/**
 * struct reach - client memory, reached in one of several ways
 * @fd: of the authority
 * @id: of the request
 * @request: the same, for packages
 * @table: their services
 * @address: a block
 * @local: the authority's own memory
 */
struct reach {
	int fd;
	uint64_t id;
	PLSA_CLIENT_REQUEST request;
	PLSA_SECPKG_FUNCTION_TABLE table;
	uint64_t address;
	void *local;
};

static void copy_by_ioctl(void *context)
{
	struct reach *reach = context;
	struct lsabuf_copy copy = {
		.size = sizeof(copy),
		.id = reach->id,
		.client_address = reach->address,
		.local_address = (uintptr_t)reach->local,
		.length = REQUEST_BYTES,
	};

	expect(!ioctl(reach->fd, LSABUF_IOC_COPY, &copy), "COPY");
}

static void copy_by_library(void *context)
{
	struct reach *reach = context;
	size_t done;

	expect(!lsabuf_copy_to(reach->fd, reach->id, reach->address,
			       reach->local, REQUEST_BYTES, &done),
	       "lsabuf_copy_to");
}

static void copy_by_table(void *context)
{
	struct reach *reach = context;

	expect(!reach->table->CopyToClientBuffer(
		       reach->request, REQUEST_BYTES,
		       (PVOID)(uintptr_t)reach->address, reach->local),
	       "CopyToClientBuffer");
}

/* What the second of two ways adds to the first */
static void record_added(const char *by, const char *beyond, const char *name)
{
	const struct result *a = result_find(by);
	const struct result *b = result_find(beyond);
	double min, median;

	if (!a || !b)
		return;
	/* The library's way into the kernel is shorter than ioctl()'s */
	min = a->min > b->min ? a->min - b->min : 0;
	median = a->median > b->median ? a->median - b->median : 0;
	record((double[RUNS]){ min, median, median }, "%s", name);
}

static void bench_reaching(struct reach *reach)
{
	expect(!lsabuf_alloc(reach->fd, reach->id, REQUEST_BYTES,
			     &reach->address),
	       "lsabuf_alloc");
	measure(copy_by_ioctl, reach, "64 B by ioctl COPY");
	measure(copy_by_library, reach, "64 B by lsabuf_copy_to()");
	measure(copy_by_table, reach, "64 B by CopyToClientBuffer()");
	record_added("64 B by lsabuf_copy_to()", "64 B by ioctl COPY",
		     "lsabuf_copy_to(), beyond its ioctl");
	record_added("64 B by CopyToClientBuffer()", "64 B by ioctl COPY",
		     "CopyToClientBuffer(), beyond its ioctl");
	/* Later blocks shall begin where others do that they are held against */
	expect(!lsabuf_release(reach->fd, reach->id, reach->address),
	       "lsabuf_release");
}

static void serve_tables(void *context)
{
	struct reach reach = {
		.fd = lsabuf_open_authority(ENDPOINT),
		.table = lsabuf_host_table(),
		.local = new_buffer(REPLY_BYTES),
	};
	struct lsabuf_reply_receive turn = { 0 };
	int *ready = context;
	PVOID buffer;
	ULONG length;

	if (reach.fd < 0)
		die("serving: %s", strerror(-reach.fd));
	expect(write(ready[1], "", 1) == 1, "write");
	for (;;) {
		int ret = lsabuf_reply_receive(reach.fd, &turn);

		if (ret || turn.reply_error)
			die("lsabuf_reply_receive: %s", strerror(-ret));
		reach.id = turn.out_id;
		turn.reply_id = turn.out_id;
		turn.status[0] = STATUS_SUCCESS;
		turn.return_address = 0;
		if (turn.out_kind == KIND_ECHO)
			continue;
		reach.request = lsabuf_host_begin(reach.fd, &turn);
		if (turn.out_kind == KIND_REACH) {
			bench_reaching(&reach);
		} else {
			turn.status[1] = package(reach.table, reach.request,
						 reach.local, &buffer, &length);
			turn.return_address = (uintptr_t)buffer;
			turn.return_length = length;
		}
		lsabuf_host_end(reach.request);
	}
}

/**
 * struct native - a client of the native interface
 * @fd: its connection
 * @submit: REQUEST_BYTES
 */
struct native {
	int fd;
	void *submit;
};

static void call_by_ioctl(void *context)
{
	struct native *native = context;
	struct lsabuf_call call = {
		.size = sizeof(call),
		.kind = KIND_ECHO,
		.submit_address = (uintptr_t)native->submit,
		.submit_length = REQUEST_BYTES,
	};

	expect(!ioctl(native->fd, LSABUF_IOC_CALL, &call), "CALL");
}

static void call_by_library(void *context)
{
	struct native *native = context;
	struct lsabuf_call call;

	lsabuf_call_prepare(&call, KIND_ECHO, 0, native->submit, REQUEST_BYTES);
	expect(!lsabuf_call(native->fd, &call), "lsabuf_call");
}

static void bench_native(void *submit)
{
	struct native native = {
		.fd = lsabuf_open_client(ENDPOINT, LSABUF_ACCESS_WHOLE),
		.submit = submit,
	};
	struct lsabuf_call call;

	if (native.fd < 0)
		die("lsabuf_open_client: %s", strerror(-native.fd));
	lsabuf_call_prepare(&call, KIND_REACH, 0, submit, REQUEST_BYTES);
	expect(!lsabuf_call(native.fd, &call), "lsabuf_call");
	measure(call_by_ioctl, &native, "64 B to a library server, by ioctl");
	measure(call_by_library, &native,
		"64 B to a library server, by lsabuf_call()");
	record_added("64 B to a library server, by lsabuf_call()",
		     "64 B to a library server, by ioctl",
		     "lsabuf_call(), beyond its ioctl");
	lsabuf_close(native.fd);
}

/**
 * struct lsa_client - the calling side
 * @handle: from LsaConnectUntrusted()
 * @submit: REQUEST_BYTES
 */
struct lsa_client {
	HANDLE handle;
	void *submit;
};

static void lsa_call(void *context)
{
	struct lsa_client *client = context;
	NTSTATUS status, protocol_status;
	PVOID buffer;
	ULONG length;

	status = LsaCallAuthenticationPackage(client->handle, 0, client->submit,
					      REQUEST_BYTES, &buffer, &length,
					      &protocol_status);
	if (status || protocol_status || length != REPLY_BYTES)
		die("LsaCallAuthenticationPackage: %#x %#x", status,
		    protocol_status);
	*(volatile const char *)buffer;
	LsaFreeReturnBuffer(buffer);
}

static void record_overhead(void)
{
	const struct result *a =
		result_find("LSA call, 4 KiB, through the tables");
	const struct result *b = result_find("CALL, ALLOC, COPY 4 KiB, FREE");
	double min, median;

	if (!b)
		return;
	min = (a->min - b->min) / LIBRARY_CALLS;
	median = (a->median - b->median) / LIBRARY_CALLS;
	record((double[RUNS]){ min, median, median },
	       "LSA call: library, each of its %d calls", LIBRARY_CALLS);
}

/**
 * bench_library() - measure lsabuf with its library
 */
void bench_library(void)
{
	struct lsa_client client = { .submit = new_buffer(4 * KIB) };
	unsigned int i;
	int ready[2];
	pid_t pid;
	char go;

	expect(!pipe(ready), "pipe");
	pid = start_child(serve_tables, ready);
	close(ready[1]);
	if (read(ready[0], &go, 1) != 1)
		die("the authority did not start");
	close(ready[0]);
	bench_native(client.submit);
	setenv("LSABUF_ENDPOINT", ENDPOINT, 1);
	if (LsaConnectUntrusted(&client.handle))
		die("LsaConnectUntrusted");
	/* Each place for a request's handle has been touched once by then */
	for (i = 0; i < LSABUF_HOST_MAX_REQUESTS; i++)
		lsa_call(&client);
	measure(lsa_call, &client, "LSA call, 4 KiB, through the tables");
	record_overhead();
	LsaDeregisterLogonProcess(client.handle);
	end_child(pid);
}
