// SPDX-License-Identifier: GPL-2.0
/*
 * Sections: memory that an authority shares with clients.
 */
#include "trace_test.h"
#include "section_commands.h"

#include <elf.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <linux/userfaultfd.h>

#define MAX_BYTES MIB(1)
#define FIRST_BYTES KIB(64)

#define READONLY LSABUF_SECTION_SHARE_F_READONLY
#define SAME LSABUF_SECTION_SHARE_F_SAME_ADDRESS

/*
 * Clients that consent
 */

static long consent(struct puppet *puppet, const char *name, __u32 views,
		    __u64 bytes)
{
	struct lsabuf_connect *connect = (void *)puppet->scratch;

	*connect = (struct lsabuf_connect){
		.size = sizeof(*connect),
		.access = LSABUF_ACCESS_BUFFERS,
		.consent_views = views,
		.consent_bytes = bytes,
	};
	set_endpoint(connect->endpoint, name);
	return ask(puppet, SIDE, do_connect);
}

static struct puppet *consenting_client(const char *name)
{
	struct puppet *client = puppet_start(NOBODY);

	if (consent(client, name, 16, MIB(64))) {
		puppet_stop(client);
		return NULL;
	}
	return client;
}

/* Bytes of a client as it sees them: 0, or the signal. */
static long client_byte(struct puppet *client, __u64 address)
{
	unsigned char byte;

	return peek(client, address, &byte, 1);
}

static int own_signal(void *to, const void *from, size_t length)
{
	return guarded_copy(to, from, length);
}

static int own_byte(__u64 address)
{
	unsigned char byte;

	return own_signal(&byte, to_pointer(address), 1);
}

/**
 * FIXTURE(sections) - the test process as authority, two clients, one section
 * @name: endpoint
 * @authority: the authority's file
 * @client: clients that consent to views
 * @section: the section's file
 * @made: what SECTION_CREATE said
 * @memory: where it is here
 */
FIXTURE(sections)
{
	char name[LSABUF_ENDPOINT_LEN];
	int authority;
	struct puppet *client[2];
	int section;
	struct lsabuf_section_create made;
	unsigned char *memory;
};

#define SECTIONS FIXTURE_DATA(sections)

FIXTURE_SETUP(sections)
{
	int i;

	snprintf(self->name, sizeof(self->name), "sections-%d", getpid());
	self->authority = lsa_open();
	ASSERT_EQ(0, lsa_serve(self->authority, self->name));
	for (i = 0; i < 2; i++) {
		self->client[i] = consenting_client(self->name);
		ASSERT_TRUE(!!self->client[i]);
	}
	self->section = section_create(self->authority, MAX_BYTES, FIRST_BYTES,
				       0, &self->made);
	ASSERT_LE(0, self->section);
	self->memory = to_pointer(self->made.out_address);
}

FIXTURE_TEARDOWN(sections)
{
	puppet_stop(self->client[0]);
	puppet_stop(self->client[1]);
	close(self->section);
	close(self->authority);
}

/* Share the section with a client, in a call of its own. */
static int share_with(struct __test_metadata *_metadata, SECTIONS *self,
		      struct puppet *client, __u32 flags, __u64 *address)
{
	__u64 id = begin_with(_metadata, self->authority, client);
	int ret = section_share(self->section, id, flags, address);

	EXPECT_EQ(0, lsa_reply(self->authority, id));
	EXPECT_EQ(0, hear(client, CALLER));
	return ret;
}

#define SHARE(_client, _flags, _address) \
	share_with(_metadata, self, _client, _flags, _address)

/* Share and expect the authority's address. */
#define SHARE_SAME(_client, _flags)                                  \
	do {                                                         \
		__u64 _at;                                           \
		ASSERT_EQ(0, SHARE(_client, (_flags) | SAME, &_at)); \
		ASSERT_EQ(self->made.out_address, _at);              \
	} while (0)

/* Views die in the background once they are unmapped. */
static bool wait_views(int section, unsigned int views)
{
	__u64 end = now_ns() + AT_ONCE_NS;
	struct lsabuf_section_stat stat;

	do {
		if (section_stat(section, &stat))
			return false;
		if (stat.out_views == views)
			return true;
		sched_yield();
	} while (now_ns() < end);
	return false;
}

/*
 * Sizes and growth
 */

TEST_F(sections, create)
{
	struct lsabuf_section_stat stat;
	__u64 size = page_size();
	struct mapping map;

	EXPECT_EQ(MAX_BYTES, self->made.max);
	EXPECT_EQ(FIRST_BYTES, self->made.committed);
	EXPECT_NE(0, self->made.out_section);
	EXPECT_TRUE(all_bytes(self->memory, 0, FIRST_BYTES));
	fill(self->memory, 1, FIRST_BYTES);
	EXPECT_EQ(FIRST_BYTES, filled(self->memory, 1, FIRST_BYTES));
	EXPECT_EQ(SIGBUS, own_byte(self->made.out_address + FIRST_BYTES));
	EXPECT_EQ(SIGBUS, own_byte(self->made.out_address + MAX_BYTES - 1));

	ASSERT_TRUE(find_mapping(getpid(), self->made.out_address, &map));
	EXPECT_EQ(MAX_BYTES, map.end - map.start);
	EXPECT_STREQ("rw-s", map.prot);
	/* Not in core dumps, not in children */
	EXPECT_TRUE(!!strstr(map.flags, " dd"));
	EXPECT_TRUE(!!strstr(map.flags, " dc"));
	if (sizeof(long) == 8) {
		EXPECT_LE(3ULL << 44, self->made.out_address);
		EXPECT_GT(5ULL << 44, self->made.out_address);
	}

	ASSERT_EQ(0, section_stat(self->section, &stat));
	EXPECT_EQ(self->made.out_section, stat.out_section);
	EXPECT_EQ(self->made.out_address, stat.out_address);
	EXPECT_EQ(MAX_BYTES, stat.out_max);
	EXPECT_EQ(FIRST_BYTES, stat.out_committed);
	EXPECT_EQ(FIRST_BYTES, stat.out_memory);
	EXPECT_EQ(0, stat.out_views);
	EXPECT_EQ(0, stat.out_flags);
	EXPECT_EQ(0, FIRST_BYTES % size);
}

TEST_F(sections, create_sizes)
{
	static const struct {
		__u64 max;
		__u64 committed;
		int ret;
	} sizes[] = {
		{ 0, 0, -EINVAL },
		{ 4096, 4097, -EINVAL },
		{ ~0ULL, 0, -EINVAL },
		{ ~0ULL, ~0ULL, -EINVAL },
		{ (1ULL << 40) + 1, 0, -EINVAL },
		{ 1, 0, 0 },
		{ 1, 1, 0 },
		{ 4097, 4097, 0 },
	};
	struct lsabuf_section_create create;
	size_t i;
	int file;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		file = section_create(self->authority, sizes[i].max,
				      sizes[i].committed, 0, &create);
		if (sizes[i].ret) {
			EXPECT_EQ(sizes[i].ret, file);
			continue;
		}
		ASSERT_LE(0, file);
		EXPECT_EQ(0, create.max % page_size());
		EXPECT_LE(sizes[i].max, create.max);
		EXPECT_LE(sizes[i].committed, create.committed);
		munmap(to_pointer(create.out_address), create.max);
		close(file);
	}
	if (sizeof(long) == 4)
		return;
	/* Two of 1 TiB, of which there is nothing */
	file = section_create(self->authority, 1ULL << 40, 0, 0, &create);
	ASSERT_LE(0, file);
	EXPECT_EQ(SIGBUS, own_byte(create.out_address));
	munmap(to_pointer(create.out_address), create.max);
	close(file);
	file = section_create(self->authority, 4 * MIB(1024), 65536, 0,
			      &create);
	ASSERT_LE(0, file);
	EXPECT_EQ(0, own_byte(create.out_address));
	munmap(to_pointer(create.out_address), create.max);
	close(file);
}

/* Whether a section is mapped here */
static bool sees_section(void)
{
	char *maps = read_text("/proc/self/maps");
	bool found = maps && strstr(maps, "lsabuf:[section]");

	free(maps);
	return found;
}

/* A section of which nobody can be told is not there. */
TEST_F(sections, create_unwritable)
{
	const struct lsabuf_section_create create = {
		.size = sizeof(create),
		.authority = self->authority,
		.max = MIB(1),
		.committed = 4096,
	};
	struct lsabuf_section_create made = create;
	int file = lsa_open();

	munmap(self->memory, self->made.max);
	ASSERT_FALSE(sees_section());
	EXPECT_EQ(-EFAULT, lsa_ioctl(file, LSABUF_IOC_SECTION_CREATE,
				     unwritable(&create, sizeof(create))));
	EXPECT_FALSE(sees_section());
	/* The file is as it was. */
	EXPECT_EQ(0, lsa_ioctl(file, LSABUF_IOC_SECTION_CREATE, &made));
	EXPECT_TRUE(sees_section());
	close(file);
}

TEST_F(sections, create_needs_an_authority)
{
	struct lsabuf_section_create create;
	int other = lsa_open(), pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(-EBADF, section_create(-1, 4096, 0, 0, &create));
	EXPECT_EQ(-EPERM, section_create(other, 4096, 0, 0, &create));
	EXPECT_EQ(-EPERM, section_create(pipes[0], 4096, 0, 0, &create));
	EXPECT_EQ(-EPERM, section_create(self->section, 4096, 0, 0, &create));
	close(other);
	close(pipes[0]);
	close(pipes[1]);
}

TEST_F(sections, growth_moves_nothing)
{
	struct mapping before, after;
	char *remote_before;

	SHARE_SAME(self->client[0], 0);
	EXPECT_EQ(0, client_byte(self->client[0], self->made.out_address));
	EXPECT_EQ(SIGBUS, client_byte(self->client[0],
				      self->made.out_address + FIRST_BYTES));
	ASSERT_TRUE(find_mapping(getpid(), self->made.out_address, &before));
	remote_before = read_maps(self->client[0]->pid);
	fill(self->memory, 1, FIRST_BYTES);
	ASSERT_EQ(0, section_grow(self->section, MAX_BYTES));
	ASSERT_TRUE(find_mapping(getpid(), self->made.out_address, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	EXPECT_TRUE(maps_unchanged(self->client[0]->pid, remote_before));
	EXPECT_EQ(FIRST_BYTES, filled(self->memory, 1, FIRST_BYTES));
	EXPECT_TRUE(all_bytes(self->memory + FIRST_BYTES, 0,
			      MAX_BYTES - FIRST_BYTES));
	EXPECT_TRUE(reads_zero(self->client[0],
			       self->made.out_address + FIRST_BYTES,
			       MAX_BYTES - FIRST_BYTES));
	self->memory[MAX_BYTES - 1] = 7;
	EXPECT_EQ(1, ask(self->client[0], SIDE, do_all_bytes,
			 self->made.out_address + MAX_BYTES - 1, 7, 1));
	/* Less than there is changes nothing; more than max is refused. */
	EXPECT_EQ(0, section_grow(self->section, 1));
	EXPECT_EQ(7, self->memory[MAX_BYTES - 1]);
	EXPECT_EQ(-EINVAL, section_grow(self->section, MAX_BYTES + 1));
	EXPECT_EQ(-EINVAL, section_grow(self->section, ~0ULL));
	free(remote_before);
}

/* Each page as soon as it can be read: whether all of their bytes are zero */
static long do_wait_for_pages(struct puppet *puppet, struct puppet_thread *me)
{
	unsigned char page[4096];
	__u64 offset;

	puppet->flag[0] = 1;
	for (offset = 0; offset < me->argument[1]; offset += sizeof(page)) {
		while (guarded_copy(page, to_pointer(me->argument[0] + offset),
				    sizeof(page)))
			;
		if (!all_bytes(page, 0, sizeof(page)))
			return 0;
	}
	return 1;
}

/* More than the section that takes it afterwards */
#define SOIL MIB(8)

/* Have the system's free memory hold something else than zeroes. */
static void soil_memory(void)
{
	unsigned char *memory = mmap(NULL, SOIL, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(memory, 0xa5, SOIL);
	munmap(memory, SOIL);
}

/* No access sees a page before its bytes are there. */
TEST_F_TIMEOUT(sections, growth_shows_no_page_early, STRESS_TIMEOUT)
{
	struct puppet *client = self->client[0];
	unsigned int round, rounds = scaled(20);

	munmap(self->memory, MAX_BYTES);
	close(self->section);
	self->section =
		section_create(self->authority, MIB(4), 0, 0, &self->made);
	ASSERT_LE(0, self->section);
	self->memory = to_pointer(self->made.out_address);
	SHARE_SAME(client, 0);
	for (round = 0; round < rounds; round++) {
		soil_memory();
		client->flag[0] = 0;
		tell(client, SIDE, do_wait_for_pages, self->made.out_address,
		     MIB(4));
		ASSERT_TRUE(wait_nonzero(&client->flag[0]));
		ASSERT_EQ(0, section_grow(self->section, MIB(4)));
		ASSERT_EQ(1, hear(client, SIDE));
		ASSERT_TRUE(all_bytes(self->memory, 0, MIB(4)));
		ASSERT_EQ(0, section_grow_flags(self->section, 0,
						LSABUF_SECTION_GROW_F_SHRINK));
	}
}

TEST_F(sections, shrink)
{
	SHARE_SAME(self->client[0], 0);
	fill(self->memory, 1, FIRST_BYTES);
	ASSERT_EQ(0, section_grow_flags(self->section, KIB(4),
					LSABUF_SECTION_GROW_F_SHRINK));
	EXPECT_EQ(SIGBUS, own_byte(self->made.out_address + KIB(4)));
	EXPECT_EQ(SIGBUS, client_byte(self->client[0],
				      self->made.out_address + KIB(4)));
	EXPECT_EQ(KIB(4), filled(self->memory, 1, KIB(4)));
	ASSERT_EQ(0, section_grow(self->section, FIRST_BYTES));
	EXPECT_TRUE(all_bytes(self->memory + KIB(4), 0, FIRST_BYTES - KIB(4)));
	EXPECT_EQ(KIB(4), filled(self->memory, 1, KIB(4)));
}

/*
 * Holes
 */

#define HOLE KIB(16)
#define HOLE_BYTES KIB(32)
#define HOLE_END (HOLE + HOLE_BYTES)

/* What lies around the hole, here and in a client, is as it was filled. */
static bool around_hole(SECTIONS *self, struct puppet *client)
{
	__u64 address = self->made.out_address;
	__u64 rest = FIRST_BYTES - HOLE_END;

	return filled(self->memory, 1, HOLE) == HOLE &&
	       filled(self->memory + HOLE_END, 2, rest) == rest &&
	       ask(client, SIDE, do_filled, address, 1, HOLE) == HOLE &&
	       ask(client, SIDE, do_filled, address + HOLE_END, 2, rest) ==
		       (long)rest;
}

static void fill_around_hole(SECTIONS *self)
{
	fill(self->memory, 1, HOLE_END);
	fill(self->memory + HOLE_END, 2, FIRST_BYTES - HOLE_END);
}

TEST_F(sections, hole)
{
	__u64 address = self->made.out_address, at;
	struct puppet *client = self->client[0];
	struct lsabuf_section_stat stat;

	SHARE_SAME(client, 0);
	fill_around_hole(self);
	/* Both have it mapped. */
	EXPECT_EQ(0, client_byte(client, address + HOLE));
	ASSERT_EQ(0, section_punch(self->section, HOLE, HOLE_BYTES));
	for (at = address + HOLE; at < address + HOLE_END; at += KIB(4)) {
		EXPECT_EQ(SIGBUS, own_byte(at));
		EXPECT_EQ(SIGBUS, client_byte(client, at));
		EXPECT_EQ(SIGBUS, poke(client, at, "x", 1));
	}
	EXPECT_TRUE(around_hole(self, client));
	ASSERT_EQ(0, section_stat(self->section, &stat));
	EXPECT_EQ(FIRST_BYTES, stat.out_committed);
	EXPECT_EQ(FIRST_BYTES - HOLE_BYTES, stat.out_memory);
	/* Once more changes nothing. */
	EXPECT_EQ(0, section_punch(self->section, HOLE, HOLE_BYTES));
	EXPECT_EQ(FIRST_BYTES - HOLE_BYTES, section_memory(self->section));

	/* A part of it, and then all, with what is there left alone */
	ASSERT_EQ(0, section_fill(self->section, HOLE, KIB(4)));
	EXPECT_EQ(FIRST_BYTES - HOLE_BYTES + KIB(4),
		  section_memory(self->section));
	EXPECT_TRUE(all_bytes(self->memory + HOLE, 0, KIB(4)));
	EXPECT_EQ(SIGBUS, own_byte(address + HOLE + KIB(4)));
	self->memory[HOLE] = 5;
	ASSERT_EQ(0, section_fill(self->section, 0, FIRST_BYTES));
	EXPECT_EQ(FIRST_BYTES, section_memory(self->section));
	EXPECT_EQ(5, self->memory[HOLE]);
	EXPECT_TRUE(reads_zero(client, address + HOLE + 1, HOLE_BYTES - 1));
	EXPECT_TRUE(around_hole(self, client));
	EXPECT_EQ(0, poke(client, address + HOLE_END - 1, "x", 1));
	EXPECT_EQ('x', self->memory[HOLE_END - 1]);
}

TEST_F(sections, hole_sizes)
{
	static const struct {
		__u64 start;
		__u64 length;
	} wrong[] = {
		{ 0, 0 },
		{ 1, KIB(4) },
		{ 0, KIB(4) + 1 },
		{ KIB(4), FIRST_BYTES },
		{ FIRST_BYTES, KIB(4) },
		{ 0, -4096ULL },
		{ -4096ULL, KIB(4) },
		{ -4096ULL, KIB(8) },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_EQ(-EINVAL, section_punch(self->section, wrong[i].start,
						 wrong[i].length));
		EXPECT_EQ(-EINVAL, section_fill(self->section, wrong[i].start,
						wrong[i].length));
	}
	EXPECT_EQ(FIRST_BYTES, section_memory(self->section));

	/* Growth leaves holes alone; shrinking forgets those beyond. */
	ASSERT_EQ(0, section_punch(self->section, 0, FIRST_BYTES));
	EXPECT_EQ(0, section_memory(self->section));
	ASSERT_EQ(0, section_grow(self->section, 2 * FIRST_BYTES));
	EXPECT_EQ(FIRST_BYTES, section_memory(self->section));
	EXPECT_EQ(SIGBUS, own_byte(self->made.out_address + FIRST_BYTES - 1));
	EXPECT_EQ(0, own_byte(self->made.out_address + FIRST_BYTES));
	ASSERT_EQ(0, section_grow_flags(self->section, KIB(4),
					LSABUF_SECTION_GROW_F_SHRINK));
	EXPECT_EQ(0, section_memory(self->section));
	ASSERT_EQ(0, section_grow(self->section, FIRST_BYTES));
	EXPECT_EQ(FIRST_BYTES - KIB(4), section_memory(self->section));
	EXPECT_EQ(SIGBUS, own_byte(self->made.out_address));
	EXPECT_TRUE(all_bytes(self->memory + KIB(4), 0, FIRST_BYTES - KIB(4)));

	ASSERT_EQ(0, section_revoke(self->section));
	EXPECT_EQ(-EPERM, section_punch(self->section, 0, KIB(4)));
	EXPECT_EQ(-EPERM, section_fill(self->section, 0, KIB(4)));
}

static long do_touch_until_bus(struct puppet *puppet, struct puppet_thread *me)
{
	char byte;

	puppet->flag[0] = 1;
	while (!guarded_copy(&byte, (void *)me->argument[0], 1))
		__atomic_fetch_add(&puppet->flag[1], 1, __ATOMIC_RELEASE);
	return 0;
}

static long do_touch_all(struct puppet *puppet, struct puppet_thread *me)
{
	__u64 at = me->argument[0], end = at + me->argument[1];
	long seen = 0;
	char byte;

	(void)puppet;
	for (; at < end; at += 4096)
		seen += !guarded_copy(&byte, to_pointer(at), 1);
	return seen;
}

/* No access in a hole succeeds once SECTION_HOLE has returned. */
TEST_F_TIMEOUT(sections, hole_races_access, STRESS_TIMEOUT)
{
	unsigned int round, rounds = scaled(50);
	struct puppet *client = self->client[0];
	int after;

	SHARE_SAME(client, 0);
	for (round = 0; round < rounds; round++) {
		fill_around_hole(self);
		client->flag[0] = 0;
		tell(client, SIDE, do_touch_until_bus,
		     self->made.out_address + HOLE_END - 1);
		ASSERT_TRUE(wait_nonzero(&client->flag[0]));
		ASSERT_EQ(0, section_punch(self->section, HOLE, HOLE_BYTES));
		after = __atomic_load_n(&client->flag[1], __ATOMIC_ACQUIRE);
		ASSERT_EQ(0, hear(client, SIDE));
		/* One may have been between its access and the count. */
		ASSERT_GE(after + 1, client->flag[1]);
		ASSERT_EQ(0, ask(client, SIDE, do_touch_all,
				 self->made.out_address + HOLE, HOLE_BYTES));
		ASSERT_TRUE(around_hole(self, client));
		ASSERT_EQ(0, section_fill(self->section, HOLE, HOLE_BYTES));
		ASSERT_TRUE(all_bytes(self->memory + HOLE, 0, HOLE_BYTES));
	}
}

/*
 * Views
 */

TEST_F(sections, two_clients_share)
{
	__u64 address = self->made.out_address;
	unsigned char bytes[64];

	SHARE_SAME(self->client[0], 0);
	SHARE_SAME(self->client[1], 0);
	fill(bytes, 5, sizeof(bytes));
	ASSERT_EQ(0, poke(self->client[0], address, bytes, sizeof(bytes)));
	EXPECT_EQ(sizeof(bytes), filled(self->memory, 5, sizeof(bytes)));
	EXPECT_EQ(sizeof(bytes), ask(self->client[1], SIDE, do_filled, address,
				     5, sizeof(bytes)));
	EXPECT_TRUE(wait_views(self->section, 2));
	/* Once more is the same view. */
	SHARE_SAME(self->client[0], 0);
	EXPECT_TRUE(wait_views(self->section, 2));
	EXPECT_EQ(-EBUSY, SHARE(self->client[0], READONLY, &address));
}

TEST_F(sections, consent)
{
	struct puppet *client = puppet_start(NOBODY);
	struct lsabuf_section_create create;
	__u64 address, id;
	int second, i;

	for (i = 0; i < 2; i++) {
		/* One of the two is not enough. */
		ASSERT_EQ(0, consent(client, self->name, i ? 0 : 1,
				     i ? MIB(64) : 0));
		EXPECT_EQ(-EACCES, SHARE(client, 0, &address));
		remote(client, SYS_close, client->device);
	}
	ASSERT_EQ(0, consent(client, self->name, 9, MAX_BYTES - 1));
	EXPECT_EQ(-EACCES, SHARE(client, 0, &address));
	remote(client, SYS_close, client->device);
	ASSERT_EQ(0, consent(client, self->name, 1, MAX_BYTES + KIB(4)));
	SHARE_SAME(client, 0);
	/* Used up: the number of views, though not the bytes. */
	second = section_create(self->authority, KIB(4), 0, 0, &create);
	ASSERT_LE(0, second);
	id = begin_with(_metadata, self->authority, client);
	EXPECT_EQ(-EACCES, section_share(second, id, 0, &address));
	EXPECT_EQ(0, lsa_reply(self->authority, id));
	EXPECT_EQ(0, hear(client, CALLER));
	/* Unmapped, it does not count any more. */
	EXPECT_EQ(0, remote(client, SYS_munmap, self->made.out_address,
			    MAX_BYTES));
	id = begin_with(_metadata, self->authority, client);
	EXPECT_EQ(0, section_share(second, id, 0, &address));
	EXPECT_EQ(0, lsa_reply(self->authority, id));
	EXPECT_EQ(0, hear(client, CALLER));
	EXPECT_TRUE(wait_views(self->section, 0));
	close(second);
	puppet_stop(client);
}

TEST_F(sections, taken_address)
{
	__u64 address, at = self->made.out_address + KIB(8);

	ASSERT_EQ(at, remote(self->client[0], SYS_mmap, at, KIB(4), PROT_READ,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			     -1, 0));
	EXPECT_EQ(-EEXIST, SHARE(self->client[0], SAME, &address));
	EXPECT_TRUE(is_mapped(self->client[0]->pid, at));
	EXPECT_TRUE(wait_views(self->section, 0));
	ASSERT_EQ(0, SHARE(self->client[0], 0, &address));
	EXPECT_NE(self->made.out_address, address);
	self->memory[100] = 9;
	EXPECT_EQ(1, ask(self->client[0], SIDE, do_all_bytes, address + 100, 9,
			 1));
	/* It is there, but not where it is wanted. */
	EXPECT_EQ(-EEXIST, SHARE(self->client[0], SAME, &address));
}

static int list(struct puppet *client, struct lsabuf_view *views,
		unsigned int nr);

static long do_list(struct puppet *puppet, struct puppet_thread *me)
{
	return section_list(puppet->device, (void *)puppet->scratch,
			    me->argument[0]);
}

static int list(struct puppet *client, struct lsabuf_view *views,
		unsigned int nr)
{
	int count = ask(client, SIDE, do_list, nr);

	memcpy(views, client->scratch, nr * sizeof(*views));
	return count;
}

TEST_F(sections, list)
{
	struct lsabuf_view views[2] = {};
	__u64 address = self->made.out_address;

	EXPECT_EQ(0, list(self->client[0], views, 2));
	SHARE_SAME(self->client[0], READONLY);
	EXPECT_EQ(1, list(self->client[0], views, 0));
	ASSERT_EQ(1, list(self->client[0], views, 2));
	EXPECT_EQ(self->made.out_section, views[0].section);
	EXPECT_EQ(address, views[0].address);
	EXPECT_EQ(MAX_BYTES, views[0].max);
	EXPECT_EQ(FIRST_BYTES, views[0].committed);
	EXPECT_EQ(self->client[0]->client, views[0].client);
	EXPECT_EQ(LSABUF_VIEW_F_READONLY, views[0].flags);
	EXPECT_EQ(0, list(self->client[1], views, 2));
	ASSERT_EQ(0, section_grow(self->section, MAX_BYTES));
	ASSERT_EQ(1, list(self->client[0], views, 2));
	EXPECT_EQ(MAX_BYTES, views[0].committed);
	/* To leave is to unmap. */
	EXPECT_EQ(0, remote(self->client[0], SYS_munmap, address, MAX_BYTES));
	EXPECT_EQ(0, list(self->client[0], views, 2));
	SHARE_SAME(self->client[0], 0);
}

TEST_F(sections, no_thread_no_view)
{
	struct lsabuf_reply_receive request;
	struct puppet *client = self->client[0];
	__u64 address;

	new_call(client, SIDE, 0)->flags = LSABUF_CALL_F_NOWAIT;
	ASSERT_EQ(0, ask(client, SIDE, do_call));
	ASSERT_TRUE(wait_readable(self->authority));
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(-EAGAIN,
		  section_share(self->section, request.out_id, 0, &address));
	EXPECT_EQ(0, lsa_reply(self->authority, request.out_id));
	EXPECT_EQ(-ENOENT,
		  section_share(self->section, request.out_id, 0, &address));
}

/*
 * Read-only views
 */

static long do_process_write(struct puppet *puppet, struct puppet_thread *me)
{
	struct iovec local = { puppet->scratch, 1 };
	struct iovec remote = { (void *)me->argument[0], 1 };
	ssize_t n = process_vm_writev(getpid(), &local, 1, &remote, 1, 0);

	return n < 0 ? -errno : n;
}

static long do_mem_write(struct puppet *puppet, struct puppet_thread *me)
{
	int file = open("/proc/self/mem", O_RDWR);
	ssize_t n = pwrite(file, puppet->scratch, 1, me->argument[0]);
	long ret = n < 0 ? -errno : n;

	close(file);
	return ret;
}

/* Read from a file, with O_DIRECT where that can be, into memory. */
static long do_file_read(struct puppet *puppet, struct puppet_thread *me)
{
	int file = open("/proc/self/exe", O_RDONLY | me->argument[1]);
	ssize_t n;
	long ret;

	if (file < 0)
		return me->argument[1] ? -EFAULT : -errno;
	n = pread(file, (void *)me->argument[0], 4096, 0);
	ret = n < 0 ? -errno : n;
	close(file);
	return ret;
}

static void *map_ring(int ring, size_t size, off_t offset)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		    offset);
}

/* One IORING_OP_READ into memory: its result, -ENOSYS without io_uring. */
static long do_ring_read(struct puppet *puppet, struct puppet_thread *me)
{
	struct io_uring_params params = {};
	int ring = syscall(SYS_io_uring_setup, 1, &params);
	int file = open("/proc/self/exe", O_RDONLY);
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	char *sq, *cq;

	if (ring < 0)
		return -ENOSYS;
	sq = map_ring(ring, 4096, IORING_OFF_SQ_RING);
	cq = map_ring(ring, 4096, IORING_OFF_CQ_RING);
	sqe = map_ring(ring, 4096, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || sqe == MAP_FAILED)
		return -ENOMEM;
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_READ;
	sqe->fd = file;
	sqe->addr = me->argument[0];
	sqe->len = 4096;
	*(__u32 *)(sq + params.sq_off.array) = 0;
	__atomic_store_n((__u32 *)(sq + params.sq_off.tail), 1,
			 __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS,
		    NULL, 0) != 1)
		return -errno;
	cqe = (void *)(cq + params.cq_off.cqes);
	close(file);
	close(ring);
	return cqe->res;
}

static int poke_by_debugger(struct puppet *client, __u64 address)
{
	int ret;

	if (ptrace(PTRACE_ATTACH, client->pid, 0, 0))
		return -errno;
	waitpid(client->pid, NULL, 0);
	ret = ptrace(PTRACE_POKEDATA, client->pid, to_pointer(address),
		     to_pointer(0x41)) ?
		      -errno :
		      0;
	ptrace(PTRACE_DETACH, client->pid, 0, 0);
	return ret;
}

TEST_F(sections, readonly_stays_readonly)
{
	struct puppet *client = self->client[0];
	__u64 address = self->made.out_address;
	struct mapping map;
	long ret;

	SHARE_SAME(client, READONLY);
	self->memory[0] = 3;
	memset(client->scratch, 'x', 16);
	ASSERT_TRUE(find_mapping(client->pid, address, &map));
	EXPECT_STREQ("r--s", map.prot);
	EXPECT_EQ(NULL, strstr(map.flags, " mw"));
	EXPECT_EQ(NULL, strstr(map.flags, " me"));

	EXPECT_EQ(SIGSEGV, poke(client, address, "x", 1));
	EXPECT_EQ(-EACCES, remote(client, SYS_mprotect, address, KIB(4),
				  PROT_READ | PROT_WRITE));
	EXPECT_EQ(-EACCES, remote(client, SYS_mprotect, address, KIB(4),
				  PROT_READ | PROT_EXEC));
	EXPECT_EQ(-EINVAL, remote(client, SYS_remap_file_pages, address, KIB(4),
				  0, 0, 0));
	/* A second mapping */
	EXPECT_GT(0, remote(client, SYS_mremap, address, 0, KIB(64),
			    MREMAP_MAYMOVE));
	EXPECT_EQ(-EFAULT, remote(client, SYS_mremap, address, MAX_BYTES,
				  2 * MAX_BYTES, MREMAP_MAYMOVE));
	EXPECT_EQ(-EFAULT, ask(client, SIDE, do_process_write, address));
	ret = ask(client, SIDE, do_mem_write, address);
	EXPECT_TRUE(ret == -EIO || ret == -EACCES);
	EXPECT_EQ(-EIO, poke_by_debugger(client, address));
	EXPECT_EQ(-EFAULT, ask(client, SIDE, do_file_read, address, 0));
	EXPECT_GT(0, ask(client, SIDE, do_file_read, address, O_DIRECT));
	ret = ask(client, SIDE, do_ring_read, address);
	EXPECT_TRUE(ret == -EFAULT || ret == -ENOSYS);
	EXPECT_GT(0, remote(client, SYS_madvise, address, KIB(4), MADV_REMOVE));
	EXPECT_EQ(3, self->memory[0]);
	EXPECT_TRUE(all_bytes(self->memory + 1, 0, KIB(8)));
}

/* The right to look at map_files opens no other way to the memory. */
TEST_F(sections, not_opened_again)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct all[2], few[2];
	char path[64];
	int file;

	snprintf(path, sizeof(path), "/proc/self/map_files/%llx-%llx",
		 self->made.out_address, self->made.out_address + MAX_BYTES);
	ASSERT_EQ(0, syscall(SYS_capget, &header, all));
	memcpy(few, all, sizeof(all));
	few[0].effective = 0;
	few[1].effective = 1 << (CAP_CHECKPOINT_RESTORE - 32);
	ASSERT_EQ(0, syscall(SYS_capset, &header, few));
	file = open(path, O_RDONLY);
	EXPECT_EQ(-1, file);
	EXPECT_EQ(EACCES, errno);
	ASSERT_EQ(0, syscall(SYS_capset, &header, all));
}

/*
 * What works on a view
 */

static long do_futex_wait(struct puppet *puppet, struct puppet_thread *me)
{
	const struct timespec patience = { .tv_sec = 5 };
	long ret;

	puppet->flag[0] = 1;
	ret = syscall(SYS_futex, me->argument[0], FUTEX_WAIT, 0, &patience);
	return ret < 0 ? -errno : 0;
}

static bool wake_one(void *word)
{
	__u64 end = now_ns() + AT_ONCE_NS;

	while (syscall(SYS_futex, word, FUTEX_WAKE, 1) != 1) {
		if (now_ns() > end)
			return false;
		sched_yield();
	}
	return true;
}

static long do_lock(struct puppet *puppet, struct puppet_thread *me)
{
	pthread_mutex_t *mutex = (void *)me->argument[0];
	int *counter = (int *)(mutex + 1), i;

	(void)puppet;
	for (i = 0; i < 1000; i++) {
		if (pthread_mutex_lock(mutex))
			return -1;
		++*counter;
		pthread_mutex_unlock(mutex);
	}
	return 0;
}

static long do_add(struct puppet *puppet, struct puppet_thread *me)
{
	int i;

	(void)puppet;
	for (i = 0; i < 10000; i++)
		__atomic_fetch_add((int *)me->argument[0], 1, __ATOMIC_RELAXED);
	return 0;
}

TEST_F(sections, atomics_and_locks_work)
{
	pthread_mutex_t *mutex = (void *)(self->memory + 256);
	pthread_mutexattr_t shared;
	int *word = (int *)self->memory;

	SHARE_SAME(self->client[0], 0);
	SHARE_SAME(self->client[1], 0);
	tell(self->client[0], SIDE, do_futex_wait, to_u64(word));
	EXPECT_TRUE(wake_one(word));
	EXPECT_EQ(0, hear(self->client[0], SIDE));

	tell(self->client[0], SIDE, do_add, to_u64(word));
	tell(self->client[1], SIDE, do_add, to_u64(word));
	EXPECT_EQ(0, hear(self->client[0], SIDE));
	EXPECT_EQ(0, hear(self->client[1], SIDE));
	EXPECT_EQ(20000, *word);

	pthread_mutexattr_init(&shared);
	pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(mutex, &shared);
	tell(self->client[0], SIDE, do_lock, to_u64(mutex));
	tell(self->client[1], SIDE, do_lock, to_u64(mutex));
	EXPECT_EQ(0, hear(self->client[0], SIDE));
	EXPECT_EQ(0, hear(self->client[1], SIDE));
	EXPECT_EQ(2000, *(int *)(mutex + 1));
}

TEST_F(sections, readonly_futex_works)
{
	SHARE_SAME(self->client[0], READONLY);
	tell(self->client[0], SIDE, do_futex_wait, to_u64(self->memory));
	EXPECT_TRUE(wake_one(self->memory));
	EXPECT_EQ(0, hear(self->client[0], SIDE));
}

/* Write the memory to a pipe and read it back. */
static long do_write(struct puppet *puppet, struct puppet_thread *me)
{
	char *memory = (void *)me->argument[0];
	int pipes[2];
	long ret;

	if (pipe(pipes))
		return -errno;
	ret = write(pipes[1], memory, 64) == 64 &&
			      read(pipes[0], puppet->scratch, 64) == 64 ?
		      0 :
		      -errno;
	close(pipes[0]);
	close(pipes[1]);
	return ret;
}

TEST_F(sections, system_calls_and_debuggers_work)
{
	__u64 address = self->made.out_address;
	unsigned char bytes[64];
	struct iovec local = { bytes, sizeof(bytes) };
	struct iovec remote = { to_pointer(address), sizeof(bytes) };

	SHARE_SAME(self->client[0], 0);
	fill(self->memory, 3, 64);
	ASSERT_EQ(0, ask(self->client[0], SIDE, do_write, address));
	EXPECT_EQ(64, filled(self->client[0]->scratch, 3, 64));
	EXPECT_LT(0, ask(self->client[0], SIDE, do_file_read, address, 0));
	EXPECT_EQ(0, memcmp(self->memory, ELFMAG, SELFMAG));
	EXPECT_EQ(64, process_vm_readv(self->client[0]->pid, &local, 1, &remote,
				       1, 0));
	EXPECT_EQ(0, memcmp(bytes, ELFMAG, SELFMAG));
	EXPECT_EQ(0, poke_by_debugger(self->client[0], address));
	EXPECT_EQ(0x41, self->memory[0]);
}

static long do_child_reads(struct puppet *puppet, struct puppet_thread *me)
{
	pid_t pid = fork();
	int status;

	(void)puppet;
	if (!pid)
		_exit(!!guarded_copy(&status, (void *)me->argument[0], 1));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A child has no view unless the client wants that; then it lives as long. */
TEST_F(sections, fork)
{
	__u64 address = self->made.out_address;
	long ret;

	SHARE_SAME(self->client[0], 0);
	EXPECT_EQ(1, ask(self->client[0], SIDE, do_child_reads, address));
	ret = remote(self->client[0], SYS_madvise, address, MAX_BYTES,
		     MADV_DOFORK);
	if (ret == -EINVAL)
		SKIP(return, "this kernel inherits no mapping of a device");
	EXPECT_EQ(0, ret);
	EXPECT_EQ(0, ask(self->client[0], SIDE, do_child_reads, address));
	EXPECT_TRUE(wait_views(self->section, 1));
	puppet_kill(self->client[0]);
	EXPECT_TRUE(wait_views(self->section, 0));
}

static long do_exec(struct puppet *puppet, struct puppet_thread *me)
{
	(void)puppet;
	(void)me;
	execl("/bin/sleep", "sleep", "100", NULL);
	return -errno;
}

TEST_F(sections, exec)
{
	SHARE_SAME(self->client[0], 0);
	EXPECT_TRUE(wait_views(self->section, 1));
	tell(self->client[0], SIDE, do_exec);
	EXPECT_TRUE(wait_views(self->section, 0));
}

/*
 * The end
 */

TEST_F(sections, revoke)
{
	__u64 address = self->made.out_address, at;
	struct lsabuf_section_stat stat;

	SHARE_SAME(self->client[0], 0);
	SHARE_SAME(self->client[1], READONLY);
	EXPECT_EQ(0, client_byte(self->client[1], address));
	ASSERT_EQ(0, section_revoke(self->section));
	EXPECT_EQ(SIGBUS, client_byte(self->client[0], address));
	EXPECT_EQ(SIGBUS, client_byte(self->client[1], address));
	EXPECT_EQ(SIGBUS, own_byte(address));
	EXPECT_EQ(0, section_revoke(self->section));
	EXPECT_EQ(-EPERM, section_grow(self->section, MAX_BYTES));
	ASSERT_EQ(0, section_stat(self->section, &stat));
	EXPECT_EQ(LSABUF_SECTION_F_REVOKED, stat.out_flags);
	EXPECT_EQ(0, stat.out_committed);
	EXPECT_EQ(0, remote(self->client[0], SYS_munmap, address, MAX_BYTES));
	EXPECT_TRUE(wait_views(self->section, 1));
	EXPECT_EQ(-EPERM, SHARE(self->client[0], 0, &at));
}

/* No access succeeds once the command has returned. */
TEST_F_TIMEOUT(sections, revoke_races_access, STRESS_TIMEOUT)
{
	unsigned int round, rounds = scaled(50);
	struct puppet *client = self->client[0];
	int after;

	for (round = 0; round < rounds; round++) {
		SHARE_SAME(client, 0);
		client->flag[0] = 0;
		tell(client, SIDE, do_touch_until_bus, self->made.out_address);
		ASSERT_TRUE(wait_nonzero(&client->flag[0]));
		ASSERT_EQ(0, section_revoke(self->section));
		after = __atomic_load_n(&client->flag[1], __ATOMIC_ACQUIRE);
		ASSERT_EQ(0, hear(client, SIDE));
		/* One may have been between its access and the count. */
		ASSERT_GE(after + 1, client->flag[1]);
		remote(client, SYS_munmap, self->made.out_address, MAX_BYTES);
		munmap(self->memory, MAX_BYTES);
		close(self->section);
		self->section = section_create(self->authority, MAX_BYTES,
					       FIRST_BYTES, 0, &self->made);
		ASSERT_LE(0, self->section);
		self->memory = to_pointer(self->made.out_address);
	}
}

TEST_F(sections, closed_section)
{
	__u64 address = self->made.out_address;
	int users = module_users();

	SHARE_SAME(self->client[0], 0);
	EXPECT_LT(users, module_users());
	self->memory[5] = 55;
	close(self->section);
	close(self->authority);
	self->section = -1;
	self->authority = -1;
	munmap(self->memory, MAX_BYTES);
	/* The view stays, with what was there. */
	EXPECT_EQ(1,
		  ask(self->client[0], SIDE, do_all_bytes, address + 5, 55, 1));
	EXPECT_EQ(0, remote(self->client[0], SYS_munmap, address, MAX_BYTES));
	EXPECT_FALSE(is_mapped(self->client[0]->pid, address));
}

/* KiB of shared memory in the system */
static long shmem_kib(void)
{
	char *text = read_text("/proc/meminfo");
	char *found = strstr(text, "Shmem:");
	long kib = found ? atol(found + 6) : -1;

	free(text);
	return kib;
}

/*
 * An authority that dies, with a view in each of many clients: a process of its
 * own, which has its section from the test's own code.
 */
static long do_serve_section(struct puppet *puppet, struct puppet_thread *me)
{
	struct lsabuf_section_create create;
	int ret = do_open(puppet, me);

	if (!ret)
		ret = lsa_serve(puppet->device, (char *)puppet->scratch);
	if (ret)
		return ret;
	puppet->flag[1] =
		section_create(puppet->device, MIB(8), MIB(8), 0, &create);
	if (puppet->flag[1] < 0)
		return puppet->flag[1];
	fill(to_pointer(create.out_address), 8, KIB(64));
	return create.out_address;
}

static long do_share_one(struct puppet *puppet, struct puppet_thread *me)
{
	struct lsabuf_reply_receive request;
	__u64 address;
	int ret;

	(void)me;
	ret = lsa_receive(puppet->device, &request);
	if (ret)
		return ret;
	ret = section_share(puppet->flag[1], request.out_id, SAME, &address);
	lsa_reply(puppet->device, request.out_id);
	return ret;
}

TEST_F_TIMEOUT(sections, authority_dies, STRESS_TIMEOUT)
{
	unsigned int i, nr = scaled(20) < 1000 ? scaled(20) : 1000;
	struct puppet *authority = puppet_start(0), **clients;
	long before = shmem_kib();
	unsigned long address;

	clients = calloc(nr, sizeof(*clients));
	snprintf((char *)authority->scratch, 32, "dies-%d", getpid());
	strcpy(self->name, (char *)authority->scratch);
	address = ask(authority, SIDE, do_serve_section);
	ASSERT_LT(4096, address);
	for (i = 0; i < nr; i++) {
		clients[i] = puppet_start_threads(NOBODY, 2);
		ASSERT_EQ(0, consent(clients[i], self->name, 1, MIB(8)));
		start_call(clients[i], CALLER, 0);
		ASSERT_EQ(0, ask(authority, SIDE, do_share_one));
		ASSERT_EQ(0, hear(clients[i], CALLER));
	}
	puppet_stop(authority);
	for (i = 0; i < nr; i++)
		EXPECT_EQ(KIB(64), ask(clients[i], SIDE, do_filled, address, 8,
				       KIB(64)));
	EXPECT_LE(before + 8192, shmem_kib());
	for (i = 0; i < nr; i++)
		puppet_stop(clients[i]);
	free(clients);
	for (i = 0; i < 100 && shmem_kib() >= before + 8192; i++)
		sleep_ms(20);
	EXPECT_GT(before + 8192, shmem_kib());
}

/*
 * Limits
 */

TEST_F_TIMEOUT(sections, number_of_sections, 120)
{
	struct rlimit files = { 4096, 4096 };
	struct lsabuf_section_create create;
	int first = -1, file, nr;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	ASSERT_EQ(0, trace_start("lsabuf/lsabuf_quota_refused"));
	/* One is there already. */
	for (nr = 1; nr < 3000; nr++) {
		file = section_create(self->authority, KIB(4), 0, 0, &create);
		if (file < 0)
			break;
		munmap(to_pointer(create.out_address), create.max);
		if (first < 0)
			first = file;
	}
	EXPECT_EQ(-EDQUOT, file);
	EXPECT_EQ(1024, nr);
	trace_look();
	TRACED_ONCE("authority_sections wanted=1 used=1024 limit=1024");
	trace_stop();
	close(first);
	file = section_create(self->authority, KIB(4), 0, 0, &create);
	EXPECT_LE(0, file);
}

TEST_F(sections, bytes_of_sections)
{
	struct lsabuf_section_create create;

	EXPECT_EQ(-EDQUOT, section_create(self->authority, MIB(2048), MIB(1024),
					  0, &create));
	EXPECT_EQ(-EDQUOT, section_create(self->authority, MIB(2048),
					  MIB(1024) + 1, 0, &create));
}

static int cgroup_enter(char *path, size_t size, const char *max)
{
	char file[96];

	snprintf(path, size, "/sys/fs/cgroup/sections-%d", getpid());
	if (mkdir(path, 0700))
		return -errno;
	snprintf(file, sizeof(file), "%s/memory.max", path);
	return write_text(file, max);
}

static int cgroup_put(const char *path, pid_t pid)
{
	char file[96], text[16];

	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	snprintf(text, sizeof(text), "%d", pid);
	return write_text(file, text);
}

static long cgroup_number(const char *path, const char *name, const char *key)
{
	char file[96], *text, *found;
	long number;

	snprintf(file, sizeof(file), "%s/%s", path, name);
	text = read_text(file);
	found = text && key ? strstr(text, key) : text;
	number = found ? atol(found + (key ? strlen(key) : 0)) : -1;
	free(text);
	return number;
}

/*
 * A client pays if the authority says so and it has consented; its full cgroup
 * answers ENOMEM, and nobody is killed.
 */
TEST_F_TIMEOUT(sections, client_pays, 120)
{
	struct lsabuf_section_create create;
	struct puppet *client;
	__u64 id, address;
	char path[64];
	long before;
	int file;

	client = puppet_start(NOBODY);
	ASSERT_EQ(0, cgroup_enter(path, sizeof(path), "24M"));
	ASSERT_EQ(0, cgroup_put(path, client->pid));
	ASSERT_EQ(0, consent(client, self->name, 4, MIB(64)));
	id = begin_with(_metadata, self->authority, client);
	EXPECT_EQ(-EACCES,
		  section_create(self->authority, MIB(65), 0, id, &create));
	before = cgroup_number(path, "memory.current", NULL);
	file = section_create(self->authority, MIB(64), MIB(8), id, &create);
	ASSERT_LE(0, file);
	EXPECT_LE(before + (long)MIB(7),
		  cgroup_number(path, "memory.current", NULL));
	EXPECT_EQ(-ENOMEM, section_grow(file, MIB(60)));
	EXPECT_EQ(0, section_grow(file, MIB(10)));
	ASSERT_EQ(0, section_share(file, id, SAME, &address));
	EXPECT_EQ(0, lsa_reply(self->authority, id));
	EXPECT_EQ(0, hear(client, CALLER));
	fill(to_pointer(create.out_address), 2, MIB(10));
	EXPECT_EQ(MIB(10), ask(client, SIDE, do_filled, address, 2, MIB(10)));
	EXPECT_EQ(0, cgroup_number(path, "memory.events", "oom_kill "));
	EXPECT_TRUE(puppet_alive(client));
	close(file);
	munmap(to_pointer(create.out_address), create.max);
	puppet_stop(client);
	rmdir(path);
}

/* To fill a hole can fail, and is all or nothing; no access ever can. */
TEST_F_TIMEOUT(sections, hole_in_full_cgroup, 120)
{
	struct lsabuf_section_create create, other;
	struct puppet *client;
	int file, second;
	char path[64];
	__u64 id;

	client = puppet_start(NOBODY);
	ASSERT_EQ(0, cgroup_enter(path, sizeof(path), "24M"));
	ASSERT_EQ(0, cgroup_put(path, client->pid));
	ASSERT_EQ(0, consent(client, self->name, 4, MIB(128)));
	id = begin_with(_metadata, self->authority, client);
	file = section_create(self->authority, MIB(16), MIB(16), id, &create);
	ASSERT_LE(0, file);
	fill(to_pointer(create.out_address), 3, MIB(4));
	ASSERT_EQ(0, section_punch(file, MIB(4), MIB(12)));
	second = section_create(self->authority, MIB(16), MIB(14), id, &other);
	ASSERT_LE(0, second);
	EXPECT_EQ(-ENOMEM, section_fill(file, MIB(4), MIB(12)));
	EXPECT_EQ(MIB(4), section_memory(file));
	EXPECT_EQ(SIGBUS, own_byte(create.out_address + MIB(4)));
	EXPECT_EQ(MIB(4), filled(to_pointer(create.out_address), 3, MIB(4)));
	/* Some of it there is room for. */
	EXPECT_EQ(0, section_fill(file, MIB(4), MIB(1)));
	EXPECT_EQ(0, own_byte(create.out_address + MIB(5) - 1));
	close(second);
	munmap(to_pointer(other.out_address), other.max);
	EXPECT_EQ(0, section_fill(file, MIB(4), MIB(12)));
	EXPECT_TRUE(
		all_bytes(to_pointer(create.out_address + MIB(4)), 0, MIB(12)));
	EXPECT_EQ(0, cgroup_number(path, "memory.events", "oom_kill "));
	EXPECT_TRUE(puppet_alive(client));
	EXPECT_EQ(0, lsa_reply(self->authority, id));
	EXPECT_EQ(0, hear(client, CALLER));
	close(file);
	munmap(to_pointer(create.out_address), create.max);
	puppet_stop(client);
	rmdir(path);
}

/*
 * Hostile clients
 */

/* Give a client's memory to a userfaultfd of its own: 0 or -errno. */
static long do_userfault(struct puppet *puppet, struct puppet_thread *me)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { me->argument[0], me->argument[1] },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int file = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	long ret = 0;

	(void)puppet;
	if (file < 0)
		return -ENOSYS;
	if (ioctl(file, UFFDIO_API, &api) ||
	    ioctl(file, UFFDIO_REGISTER, &range))
		ret = -errno;
	close(file);
	return ret;
}

/*
 * A hole is a hole: no access allocates, and nothing that a client may do to
 * its view fills it.
 */
TEST_F(sections, hole_stays_empty)
{
	struct puppet *client = self->client[0];
	__u64 address;
	long before, ret;

	munmap(self->memory, MAX_BYTES);
	close(self->section);
	self->section = section_create(self->authority, MIB(16), MIB(16), 0,
				       &self->made);
	ASSERT_LE(0, self->section);
	self->memory = to_pointer(self->made.out_address);
	address = self->made.out_address;
	SHARE_SAME(client, 0);
	EXPECT_EQ(MIB(16) / KIB(4),
		  ask(client, SIDE, do_touch_all, address, MIB(16)));
	before = shmem_kib();
	ASSERT_EQ(0, section_punch(self->section, MIB(2), MIB(12)));
	EXPECT_GE(before - 11 * 1024, shmem_kib());
	EXPECT_EQ(MIB(4), section_memory(self->section));
	EXPECT_EQ(0,
		  ask(client, SIDE, do_touch_all, address + MIB(2), MIB(12)));
	ret = ask(client, SIDE, do_userfault, address, MIB(16));
	EXPECT_TRUE(ret == -EINVAL || ret == -ENOSYS);
	EXPECT_GT(0, remote(client, SYS_madvise, address, MIB(16),
			    25 /* MADV_COLLAPSE */));
	EXPECT_GT(0, remote(client, SYS_madvise, address, MIB(16),
			    23 /* MADV_POPULATE_WRITE */));
	EXPECT_EQ(-EFAULT,
		  ask(client, SIDE, do_file_read, address + MIB(4), 0));
	EXPECT_EQ(0,
		  ask(client, SIDE, do_touch_all, address + MIB(2), MIB(12)));
	EXPECT_EQ(MIB(4), section_memory(self->section));
	EXPECT_GE(before - 11 * 1024, shmem_kib());
}

/* Nothing that a client does to its view is seen by anybody else. */
TEST_F(sections, hostile_view)
{
	struct puppet *client = self->client[0];
	__u64 address = self->made.out_address;

	SHARE_SAME(client, 0);
	SHARE_SAME(self->client[1], 0);
	fill(self->memory, 6, FIRST_BYTES);
	/* No holes: what is committed stays so. */
	EXPECT_EQ(-EOPNOTSUPP, remote(client, SYS_madvise, address, FIRST_BYTES,
				      MADV_REMOVE));
	EXPECT_EQ(0, remote(client, SYS_madvise, address, FIRST_BYTES,
			    MADV_DONTNEED));
	EXPECT_EQ(FIRST_BYTES,
		  ask(client, SIDE, do_filled, address, 6, FIRST_BYTES));
	EXPECT_EQ(0, remote(client, SYS_msync, address, FIRST_BYTES, MS_SYNC));
	EXPECT_EQ(0, remote(client, SYS_mprotect, address, KIB(4), PROT_NONE));
	EXPECT_EQ(0, remote(client, SYS_munmap, address + KIB(8), KIB(4)));
	EXPECT_LT(0,
		  remote(client, SYS_mremap, address + KIB(16), KIB(4), KIB(4),
			 MREMAP_MAYMOVE | MREMAP_FIXED, address + MIB(64)));
	EXPECT_EQ(FIRST_BYTES, filled(self->memory, 6, FIRST_BYTES));
	EXPECT_EQ(FIRST_BYTES, ask(self->client[1], SIDE, do_filled, address, 6,
				   FIRST_BYTES));
	/* The view lives as long as a piece of it. */
	EXPECT_EQ(0, remote(client, SYS_munmap, address, MAX_BYTES));
	EXPECT_TRUE(wait_views(self->section, 2));
	EXPECT_EQ(0, remote(client, SYS_munmap, address + MIB(64), KIB(4)));
	EXPECT_TRUE(wait_views(self->section, 1));
	puppet_kill(self->client[1]);
	EXPECT_TRUE(wait_views(self->section, 0));
	EXPECT_EQ(FIRST_BYTES, filled(self->memory, 6, FIRST_BYTES));
}

static long do_call_loop(struct puppet *puppet, struct puppet_thread *me)
{
	for (;;) {
		me->call.id = 0;
		if (lsa_call(puppet->device, &me->call))
			return -1;
	}
}

/* Sharing and growing while the client is killed at any point */
TEST_F_TIMEOUT(sections, killed_while_sharing, STRESS_TIMEOUT)
{
	unsigned int round, rounds = scaled(20);
	struct lsabuf_reply_receive request;
	__u64 address;
	int ret;

	for (round = 0; round < rounds; round++) {
		struct puppet *client = consenting_client(self->name);

		new_call(client, CALLER, 0);
		tell(client, CALLER, do_call_loop);
		ASSERT_TRUE(wait_readable(self->authority));
		ASSERT_EQ(0, lsa_receive(self->authority, &request));
		kill(client->pid, SIGKILL);
		ret = section_share(self->section, request.out_id, SAME,
				    &address);
		EXPECT_TRUE(!ret || ret == -ESRCH || ret == -EINTR ||
			    ret == -ENOMEM || ret == -ENOENT);
		lsa_reply(self->authority, request.out_id);
		puppet_stop(client);
	}
	EXPECT_TRUE(wait_views(self->section, 0));
}

/* From any other memory a section's file is good for nothing. */
TEST_F(sections, foreign_memory)
{
	struct lsabuf_section_stat stat;
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(section_stat(self->section, &stat) == -EPERM ? 0 : 1);
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
}

TEST_F(sections, fdinfo)
{
	char path[64], line[64], *text;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", self->section);
	text = read_text(path);
	EXPECT_TRUE(!!strstr(text, "lsabuf-role:\tsection\n"));
	snprintf(line, sizeof(line), "lsabuf-committed:\t%llu\n", FIRST_BYTES);
	EXPECT_TRUE(!!strstr(text, line));
	snprintf(line, sizeof(line), "lsabuf-committed-max:\t%llu\n",
		 MAX_BYTES);
	EXPECT_TRUE(!!strstr(text, line));
	snprintf(line, sizeof(line), "lsabuf-memory:\t%llu\n", FIRST_BYTES);
	EXPECT_TRUE(!!strstr(text, line));
	EXPECT_TRUE(!!strstr(text, "lsabuf-views:\t0\n"));
	free(text);
}

/*
 * The trace: each of its events once, with its fields
 */

TEST_F(sections, trace_events)
{
	unsigned long long client = self->client[1]->client, id, section;
	struct lsabuf_section_create create;
	unsigned long long same = self->made.out_address;
	struct puppet *refuses;
	int file;
	__u64 at;

	ASSERT_EQ(0, trace_start("lsabuf"));
	file = section_create(self->authority, KIB(20), KIB(5), 0, &create);
	ASSERT_LE(0, file);
	section = create.out_section;
	EXPECT_EQ(-EINVAL,
		  section_create(self->authority, KIB(4), KIB(5), 0, &create));
	EXPECT_EQ(0, section_grow(file, KIB(12)));
	EXPECT_EQ(0, section_hole(file, KIB(4), KIB(4), 0));
	EXPECT_EQ(0, section_hole(file, KIB(4), KIB(4),
				  LSABUF_SECTION_HOLE_F_FILL));
	EXPECT_EQ(0, section_revoke(file));
	EXPECT_EQ(-EPERM, section_grow(file, KIB(16)));
	close(file);
	trace_look();
	TRACED_ONCE(
		"lsabuf_section_create: section=%llu max=20480 committed=8192 ret=0",
		section);
	TRACED_ONCE(
		"lsabuf_section_create: section=0 max=4096 committed=5120 ret=%d",
		-EINVAL);
	TRACED_ONCE("lsabuf_section_grow: section=%llu committed=12288 ret=0",
		    section);
	TRACED_ONCE("lsabuf_section_grow: section=%llu committed=0 ret=%d",
		    section, -EPERM);
	TRACED_ONCE(
		"lsabuf_section_hole: section=%llu make start=4096 length=4096 ret=0",
		section);
	TRACED_ONCE(
		"lsabuf_section_hole: section=%llu fill start=4096 length=4096 ret=0",
		section);
	TRACED_ONCE("lsabuf_section_revoke: section=%llu views=0", section);
	TRACED_ONCE("lsabuf_section_close: section=%llu views=0", section);

	/* With a view: who has it, and where */
	section = self->made.out_section;
	trace_clear();
	id = begin_with(_metadata, self->authority, self->client[1]);
	ASSERT_EQ(0, section_share(self->section, id, SAME | READONLY, &at));
	ASSERT_EQ(0, lsa_reply(self->authority, id));
	ASSERT_EQ(0, hear(self->client[1], CALLER));
	ASSERT_EQ(0, section_revoke(self->section));
	close(self->section);
	self->section = -1;
	trace_look();
	TRACED_ONCE(
		"lsabuf_section_share: client=%llu id=0x%llx section=%llu address=0x%llx flags=readonly|same-address ret=0",
		client, id, section, same);
	TRACED_ONCE(
		"lsabuf_chore: client=%llu id=0x%llx view address=0x%llx length=0 done=0 ret=0",
		client, id, same);
	TRACED_ONCE("lsabuf_section_revoke: section=%llu views=1", section);
	TRACED_ONCE("lsabuf_section_close: section=%llu views=1", section);

	/* Refused: by the client, who has not consented; by a limit */
	self->section = section_create(self->authority, MAX_BYTES, FIRST_BYTES,
				       0, &self->made);
	ASSERT_LE(0, self->section);
	refuses = client_start(self->name, LSABUF_ACCESS_BUFFERS);
	ASSERT_TRUE(!!refuses);
	trace_clear();
	EXPECT_EQ(-EACCES, SHARE(refuses, 0, &at));
	EXPECT_EQ(-EDQUOT, section_create(self->authority, MIB(2048), MIB(1024),
					  0, &create));
	trace_look();
	TRACED_ONCE("section=%llu address=0x0 flags= ret=%d",
		    (unsigned long long)self->made.out_section, -EACCES);
	TRACED_ONCE(
		"lsabuf_quota_refused: client=0 id=0x0 authority_shared wanted=%llu used=%llu limit=%llu",
		MIB(1024), FIRST_BYTES, MIB(1024));
	puppet_stop(refuses);
	trace_stop();
}

TEST_HARNESS_MAIN
