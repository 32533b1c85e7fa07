// SPDX-License-Identifier: GPL-2.0
/*
 * Sections: what they cost to make, and blocks in them, beside the C library's
 * malloc(); and a look into the account cache, which is in one.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lsabuf.h>
#include <lsabuf_account.h>

#include "bench.h"

#define COMMITTED (64 * KIB)
#define LIVE_MANY 100000
/* Sections, or files, made for one figure */
#define MADE 200

/* Small and odd, large and round; one operation is one of each */
static const size_t sizes[] = { 24, 64, 100, 256, 512, 1000 };

static int authority;

static void shared_pair(void *context)
{
	struct lsabuf_shared *shared = context;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		lsabuf_shared_free(shared,
				   lsabuf_shared_alloc(shared, sizes[i]));
}

static void malloc_pair(void *context)
{
	void *volatile block;
	size_t i;

	(void)context;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		block = malloc(sizes[i]);
		free(block);
	}
}

static void bench_blocks(uint32_t flags, const char *name)
{
	struct lsabuf_shared *shared;
	unsigned int live = 0;

	expect(!lsabuf_shared_create(authority, 256 * MIB, COMMITTED, flags,
				     &shared),
	       "lsabuf_shared_create");
	for (; live < 10; live++)
		lsabuf_shared_alloc(shared, sizes[live % ARRAY_SIZE(sizes)]);
	measure(shared_pair, shared, "%s, 10 live", name);
	for (; live < LIVE_MANY; live++)
		expect(lsabuf_shared_alloc(shared,
					   sizes[live % ARRAY_SIZE(sizes)]),
		       "lsabuf_shared_alloc");
	measure(shared_pair, shared, "%s, 100000 live", name);
	lsabuf_shared_delete(shared);
}

static double make_section(uint64_t max)
{
	struct lsabuf_section_create details = { 0 };
	double begin = now(), cost;
	int fd;

	fd = lsabuf_section_create(authority, max, COMMITTED, &details);
	expect(fd >= 0, "SECTION_CREATE");
	cost = now() - begin;
	munmap((void *)(uintptr_t)details.out_address, details.max);
	close(fd);
	return cost;
}

/* Made, mapped, and every page there, as a section is */
static double make_memfd(uint64_t max)
{
	double begin = now(), cost;
	char *memory;
	size_t i;
	int fd;

	fd = memfd_create("bench", MFD_CLOEXEC);
	expect(fd >= 0 && !ftruncate(fd, COMMITTED), "memfd");
	memory = mmap(NULL, max, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	expect(memory != MAP_FAILED, "mmap of a memfd");
	for (i = 0; i < COMMITTED; i += 4 * KIB)
		memory[i] = 1;
	cost = now() - begin;
	munmap(memory, max);
	close(fd);
	return cost;
}

/*
 * Only the making counts: whoever made it also has to get rid of it. What the
 * kernel has put off of that falls into some that are made later.
 */
static void bench_making(double (*make)(uint64_t max), uint64_t max,
			 const char *name)
{
	double runs[RUNS], costs[MADE];
	unsigned int run, i;

	for (i = 0; i < MADE; i++)
		make(max);
	for (run = 0; run < RUNS; run++) {
		for (i = 0; i < MADE; i++)
			costs[i] = make(max);
		runs[run] = median(costs, MADE);
	}
	record(runs, "%s", name);
}

static void find_account(void *context)
{
	/* Not on the stack: strcmp() has another way where a page may end. */
	static struct lsabuf_account account __attribute__((aligned(4096)));

	expect(!lsabuf_account_find(context, "somebody", &account),
	       "lsabuf_account_find");
}

static void bench_cache(void)
{
	static const uint32_t groups[] = { 1000, 27, 100 };
	const struct lsabuf_account account = {
		.uid = 1000,
		.gid = 1000,
		.nr_groups = ARRAY_SIZE(groups),
		.groups = groups,
		.strings = { "somebody", "x", "Some Body,,,", "/home/somebody",
			     "/bin/bash" },
	};
	struct lsabuf_section_create details = { 0 };
	size_t size = lsabuf_account_cache_size();
	void *cache;
	int fd;

	fd = lsabuf_section_create(authority, size, size, &details);
	expect(fd >= 0, "SECTION_CREATE");
	cache = (void *)(uintptr_t)details.out_address;
	lsabuf_account_cache_init(cache);
	lsabuf_account_publish(cache, &account);
	measure(find_account, cache, "account cache, hit");
	munmap(cache, details.max);
	close(fd);
}

static void sections(void *context)
{
	(void)context;
	authority = lsabuf_open_authority("bench-sections");
	expect(authority >= 0, "SERVE");
	measure(malloc_pair, NULL, "6 x malloc+free");
	bench_blocks(LSABUF_SHARED_F_NO_WIPE, "6 x shared alloc+free");
	bench_blocks(0, "6 x shared alloc+free, wiped");
	bench_making(make_section, MIB, "section of 1 MiB, 64 KiB there");
	bench_making(make_section, 4096 * MIB,
		     "section of 4 GiB, 64 KiB there");
	bench_making(make_memfd, MIB, "memfd of 1 MiB, 64 KiB there");
	bench_cache();
}

/**
 * bench_sections() - measure sections
 */
void bench_sections(void)
{
	wait_child(start_child(sections, NULL));
}
