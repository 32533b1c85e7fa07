// SPDX-License-Identifier: GPL-2.0
/*
 * The authority's side: copies and blocks while it holds a request, with
 * process_vm_writev() and process_vm_readv() on the same memory beside them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "held.h"

/* As many ranges as a token has groups, as large as a group's id */
#define SCATTERED 64
#define SCATTERED_BYTES 28
/* Where many blocks live, so many are of LARGE bytes: a client has arenas for it */
#define NR_LARGE 100
#define LARGE 256
#define SMALL 64
/* 2^32 by the golden ratio: multiples of it spread evenly, modulo 2^32 */
#define SPREAD 0x9e3779b9U

/**
 * struct copy - one copy, by lsabuf or a peer
 * @held: whose memory
 * @ioctl: the command
 * @local: for the peer
 * @remote: for the peer
 * @length: bytes in all
 */
struct copy {
	struct held *held;
	struct lsabuf_copy ioctl;
	struct iovec local[SCATTERED];
	struct iovec remote[SCATTERED];
	size_t length;
};

static void copy_init(struct copy *copy, struct held *held, uint64_t address,
		      size_t length)
{
	*copy = (struct copy){
		.held = held,
		.length = length,
		.ioctl = {
			.size = sizeof(copy->ioctl),
			.id = held->id,
			.client_address = address,
			.local_address = (uintptr_t)held->local,
			.length = length,
		},
	};
	copy->local[0].iov_base = held->local;
	copy->local[0].iov_len = length;
	copy->remote[0].iov_base = (void *)(uintptr_t)address;
	copy->remote[0].iov_len = length;
}

static void do_copy(void *context)
{
	struct copy *copy = context;

	if (ioctl(copy->held->fd, LSABUF_IOC_COPY, &copy->ioctl) ||
	    copy->ioctl.out_done != copy->length)
		die("COPY moved %llu of %zu bytes: %s",
		    (unsigned long long)copy->ioctl.out_done, copy->length,
		    strerror(errno));
}

static void check_moved(struct copy *copy, ssize_t moved)
{
	if (moved != (ssize_t)copy->length)
		die("process_vm_* moved %zd of %zu bytes: %s", moved,
		    copy->length, strerror(errno));
}

static void do_writev(void *context)
{
	struct copy *copy = context;

	check_moved(copy, process_vm_writev(copy->held->pid, copy->local, 1,
					    copy->remote, 1, 0));
}

static void do_readv(void *context)
{
	struct copy *copy = context;

	check_moved(copy, process_vm_readv(copy->held->pid, copy->local, 1,
					   copy->remote, 1, 0));
}

static void bench_size(struct held *held, const struct copy_size *size)
{
	uint64_t block = held_alloc(held, size->bytes);
	struct copy copy;

	copy_init(&copy, held, block, size->bytes);
	measure(do_copy, &copy, "COPY to block %s", size->name);
	copy.ioctl.flags = LSABUF_COPY_F_FROM_CLIENT;
	measure(do_copy, &copy, "COPY from block %s", size->name);
	held_release(held, block);

	copy_init(&copy, held, held->memory, size->bytes);
	measure(do_writev, &copy, "process_vm_writev %s", size->name);
	measure(do_readv, &copy, "process_vm_readv %s", size->name);
	measure(do_copy, &copy, "COPY to resident %s", size->name);
	copy.ioctl.flags = LSABUF_COPY_F_FROM_CLIENT;
	measure(do_copy, &copy, "COPY from resident %s", size->name);
}

/**
 * bench_copies() - measure one range of each size, all ways
 * @held: the request
 */
void bench_copies(struct held *held)
{
	size_t i;

	for (i = 0; i < nr_copy_sizes; i++)
		bench_size(held, &copy_sizes[i]);
}

static void do_many_readv(void *context)
{
	struct copy *copy = context;
	ssize_t moved = 0;
	unsigned int i;

	for (i = 0; i < SCATTERED; i++)
		moved += process_vm_readv(copy->held->pid, &copy->local[i], 1,
					  &copy->remote[i], 1, 0);
	check_moved(copy, moved);
}

static void do_vector_readv(void *context)
{
	struct copy *copy = context;

	check_moved(copy,
		    process_vm_readv(copy->held->pid, copy->local, SCATTERED,
				     copy->remote, SCATTERED, 0));
}

static void bench_scattered(struct held *held, uint64_t address, size_t stride,
			    const char *where)
{
	struct lsabuf_copy_range ranges[SCATTERED];
	struct copy copy;
	unsigned int i;

	copy_init(&copy, held, 0, SCATTERED * SCATTERED_BYTES);
	for (i = 0; i < SCATTERED; i++) {
		ranges[i].client_address = address + i * stride;
		ranges[i].local_address =
			(uintptr_t)held->local + i * SCATTERED_BYTES;
		ranges[i].length = SCATTERED_BYTES;
		copy.local[i].iov_base =
			(char *)held->local + i * SCATTERED_BYTES;
		copy.local[i].iov_len = SCATTERED_BYTES;
		copy.remote[i].iov_base =
			(void *)(uintptr_t)(address + i * stride);
		copy.remote[i].iov_len = SCATTERED_BYTES;
	}
	copy.ioctl.flags = LSABUF_COPY_F_FROM_CLIENT;
	copy.ioctl.local_address = 0;
	copy.ioctl.length = 0;
	copy.ioctl.vector_address = (uintptr_t)ranges;
	copy.ioctl.nr_vector = SCATTERED;
	measure(do_copy, &copy, "COPY 64 ranges of 28 B, %s", where);
	if (address != held->memory)
		return;
	measure(do_many_readv, &copy, "64 process_vm_readv of 28 B, %s", where);
	measure(do_vector_readv, &copy, "process_vm_readv 64 x 28 B, %s",
		where);
}

/**
 * bench_vectors() - measure scattered ranges
 * @held: the request
 */
void bench_vectors(struct held *held)
{
	uint64_t block = held_alloc(held, 4 * KIB);

	bench_scattered(held, held->memory, 64, "one page");
	bench_scattered(held, held->memory, 4 * KIB, "64 pages");
	bench_scattered(held, block, 64, "one block");
	held_release(held, block);
}

/**
 * struct live - blocks that live while copies are measured
 * @copy: the copy
 * @address: of each block
 * @nr: number of them
 * @every: one in so many is LARGE
 * @turn: of choosing one
 */
struct live {
	struct copy copy;
	uint64_t *address;
	unsigned int nr;
	unsigned int every;
	uint32_t turn;
};

/*
 * One of the first @nr, over time all of them alike: how deep in its arena's
 * index a block lies is chance, and only the mean of many repeats.
 */
static unsigned int choose(struct live *live, unsigned int nr)
{
	live->turn += SPREAD;
	return (uint64_t)live->turn * nr >> 32;
}

static void copy_to_some(void *context)
{
	struct live *live = context;

	live->copy.ioctl.client_address = live->address[choose(live, live->nr)];
	do_copy(&live->copy);
}

/* In the place of one that lives, so in all places. */
static void release_alloc(void *context)
{
	struct live *live = context;
	unsigned int which = choose(live, live->nr / live->every);
	uint64_t *address = &live->address[which * live->every];

	held_release(live->copy.held, *address);
	*address = held_alloc(live->copy.held, LARGE);
}

static void bench_live(struct held *held, unsigned int nr)
{
	struct live live = {
		.nr = nr,
		.every = nr > NR_LARGE ? nr / NR_LARGE : 1,
	};
	unsigned int i;

	live.address = calloc(nr, sizeof(*live.address));
	expect(live.address, "calloc");
	for (i = 0; i < nr; i++)
		live.address[i] =
			held_alloc(held, i % live.every ? SMALL : LARGE);
	copy_init(&live.copy, held, 0, SMALL);
	measure(copy_to_some, &live, "COPY to block 64 B, %u live", nr);
	measure(release_alloc, &live, "ALLOC+RELEASE 256 B, %u live", nr);
	for (i = 0; i < nr; i++)
		held_release(held, live.address[i]);
	free(live.address);
}

/**
 * bench_live_blocks() - measure the same with few and many blocks
 * @held: the request
 */
void bench_live_blocks(struct held *held)
{
	static const unsigned int numbers[] = { 10, 1000, 100000 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		bench_live(held, numbers[i]);
}
