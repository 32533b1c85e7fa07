/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of lsabuf's own benchmark share.
 */
#ifndef LSABUF_BENCH_HELD_H
#define LSABUF_BENCH_HELD_H

#include <linux/lsabuf.h>

#include "bench.h"

/**
 * struct held - a request that the authority holds while it measures
 * @fd: the authority's file
 * @id: the request
 * @pid: the client
 * @memory: the client's own memory, BUFFER_BYTES, granted and resident
 * @local: memory of the authority, of that size
 */
struct held {
	int fd;
	uint64_t id;
	pid_t pid;
	uint64_t memory;
	void *local;
};

/**
 * struct client - the calling side
 * @fd: its file
 * @call: the next call
 * @free_by_call: free the last answer with the next call, not with FREE
 */
struct client {
	int fd;
	struct lsabuf_call call;
	bool free_by_call;
};

/* What the client asks for; its kind is a length or a row of measurements[] */
enum {
	CODE_ECHO,
	CODE_PAYLOAD,
	CODE_ALLOC,
	CODE_ALLOC_SOURCE,
	CODE_ALLOC_COPY,
	CODE_ALLOC_RELEASE,
	CODE_MEASURE,
};

/* lsabuf.c */
uint64_t held_alloc(struct held *held, size_t length);
void held_release(struct held *held, uint64_t address);
pid_t start_authority(unsigned int threads);
void client_connect(struct client *client, const void *submit);
void client_call(void *context);
void client_call_and_free(void *context);

/* copy.c: run by the authority within a request */
void bench_copies(struct held *held);
void bench_vectors(struct held *held);
void bench_live_blocks(struct held *held);

#endif /* LSABUF_BENCH_HELD_H */
