// SPDX-License-Identifier: GPL-2.0
/*
 * Peers within one process: what a system call and memory cost.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

/* The compiler must not see through it, nor drop what is stored. */
static void use(void *memory)
{
	__asm__ volatile("" : : "r"(memory) : "memory");
}

static void nothing(void *context)
{
	use(context);
}

static void do_getppid(void *context)
{
	(void)context;
	getppid();
}

static void map_touch_unmap(void *context)
{
	char *page = mmap(NULL, 4 * KIB, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)context;
	expect(page != MAP_FAILED, "mmap");
	*page = 1;
	use(page);
	munmap(page, 4 * KIB);
}

static void memfd_touch_close(void *context)
{
	int fd = memfd_create("bench", MFD_CLOEXEC);
	char *page;

	(void)context;
	expect(fd >= 0 && !ftruncate(fd, 4 * KIB), "memfd");
	page = mmap(NULL, 4 * KIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	expect(page != MAP_FAILED, "mmap of a memfd");
	*page = 1;
	use(page);
	munmap(page, 4 * KIB);
	close(fd);
}

static void malloc_free(void *context)
{
	void *memory = malloc(*(size_t *)context);

	use(memory);
	free(memory);
}

/**
 * struct memory_copy - a copy within the process
 * @from: source
 * @to: destination
 * @bytes: how much
 */
struct memory_copy {
	void *from;
	void *to;
	size_t bytes;
};

static void copy_memory(void *context)
{
	struct memory_copy *copy = context;

	memcpy(copy->to, copy->from, copy->bytes);
	use(copy->to);
}

/**
 * bench_system() - measure the peers that need no second process
 */
void bench_system(void)
{
	struct memory_copy copy = {
		.from = new_buffer(BUFFER_BYTES),
		.to = new_buffer(BUFFER_BYTES),
	};
	size_t length = 256;
	size_t i;

	measure(nothing, NULL, "empty loop");
	measure(do_getppid, NULL, "getppid");
	for (i = 0; i < nr_copy_sizes; i++) {
		copy.bytes = copy_sizes[i].bytes;
		measure(copy_memory, &copy, "memcpy %s", copy_sizes[i].name);
	}
	munmap(copy.from, BUFFER_BYTES);
	munmap(copy.to, BUFFER_BYTES);
	measure(malloc_free, &length, "malloc+free 256 B");
	measure(map_touch_unmap, NULL, "mmap+touch+munmap 4 KiB");
	measure(memfd_touch_close, NULL, "memfd+mmap+touch+munmap+close 4 KiB");
}
