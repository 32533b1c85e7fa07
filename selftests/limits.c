// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel memory: what the formulae of README.md say is the most that a client,
 * a user and an authority can take, against what they take when each limit is
 * full. Both sides are in a control group of their own, which counts it.
 *
 * A limit that is too high to be filled here is filled as far as the constants
 * below go, and compared with the formula for so much of it. "make check" runs
 * this program also with parameters that are low enough.
 */
#include "cgroups.h"
#include "lsabuf_test.h"
#include "section_commands.h"
#include "stalls.h"

#define PAGE 4096ULL
#define READ_WRITE (PROT_READ | PROT_WRITE)

/* How far limits are filled */
#define MANY_BLOCKS 30000U
#define MANY_REQUESTS 1024U
#define MANY_CLIENTS 512U
#define MANY_CHORES 4U
#define MANY_GIVEN 128U
#define MANY_SECTIONS 256U
#define MANY_SHARED MIB(16)

/* Constants of kmod/lsabuf.h */
#define ARENAS 32
#define BYTES_PER_NODE 64
#define SPARE_NODES 4096
#define CHORE_BYTES KIB(256)

/* What a control group may count ahead, on every processor */
#define STOCK KIB(512)

/*
 * The formulae
 */

/* Pages, and 8 bytes and a bit of each in the table of its arena */
static __u64 cost_of_pages(__u64 bytes)
{
	return bytes + bytes / PAGE * 9;
}

static __u64 cost_of_nodes(__u64 nodes)
{
	return nodes * 128;
}

/* Heap, file, inode, dentry and mapping */
static __u64 cost_of_arena(void)
{
	return KIB(8);
}

static __u64 cost_of_client(void)
{
	return KIB(1);
}

/* With all its ranges, and a credential of its own */
static __u64 cost_of_request(void)
{
	return 512 + LSABUF_MAX_RANGES * 24 + 256;
}

static __u64 cost_of_chore(void)
{
	return CHORE_BYTES;
}

static __u64 cost_of_given_file(void)
{
	return 136;
}

/* Files, inode, dentry and mapping; pages have 9 bytes beside them */
static __u64 cost_of_section(void)
{
	return KIB(4);
}

static __u64 cost_of_view(void)
{
	return KIB(1);
}

/*
 * Measuring
 */

FIXTURE(limits)
{
	struct cgroup group;
	struct lsabuf_info info;
	char name[LSABUF_ENDPOINT_LEN];
	struct puppet *client;
	int authority;
	__u64 quota;
	__u64 arena;
	__u64 before;
};

#define LIMITS FIXTURE_DATA(limits)

static __u64 lower(__u64 a, __u64 b)
{
	return a < b ? a : b;
}

/* What the kernel keeps for the group, and the pages of arenas with it */
static __u64 kernel_memory(LIMITS *self)
{
	return cgroup_number(&self->group, "memory.stat", "\nkernel ");
}

static void join_group(struct __test_metadata *_metadata, LIMITS *self,
		       pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	ASSERT_EQ(0, cgroup_write(&self->group, "cgroup.procs", text));
}

FIXTURE_SETUP(limits)
{
	if (cgroup_make(&self->group, "max"))
		SKIP(return, "no control groups");
	self->quota = module_limit("client_quota");
	self->arena = module_limit("client_arena");
	snprintf(self->name, sizeof(self->name), "limits-%d", getpid());
	self->client = puppet_start(NOBODY);
	ASSERT_LT(0, remote(self->client, SYS_getpid));
	join_group(_metadata, self, self->client->pid);
	self->authority = lsa_open();
	ASSERT_EQ(0, lsa_serve(self->authority, self->name));
	self->before = kernel_memory(self);
	ASSERT_EQ(0, client_connect(self->client, self->name,
				    LSABUF_ACCESS_WHOLE));
	if (kernel_memory(self) == -1ULL)
		SKIP(return, "the kernel's memory is not told");
}

FIXTURE_TEARDOWN(limits)
{
	char path[64];

	puppet_stop(self->client);
	close(self->authority);
	/* A test that has joined it leaves it. */
	snprintf(path, sizeof(path), "%s/cgroup.procs", self->group.root);
	write_text(path, "0");
	cgroup_remove(&self->group);
}

/* Red zones and owners beside each object: more than the formulae are for */
static bool objects_are_checked(void)
{
	const char *name[] = { "object_size", "slab_size" };
	__u64 size[2] = { 0, 0 };
	char path[64], *text;
	int i;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/sys/kernel/slab/lsabuf_block/%s",
			 name[i]);
		text = read_text(path);
		size[i] = text ? strtoull(text, NULL, 10) : 0;
		free(text);
	}
	return size[1] > size[0] + 16;
}

/* Compare, and see that something was there to be compared. */
static void compare(struct __test_metadata *_metadata, LIMITS *self,
		    const char *what, __u64 most, __u64 least)
{
	const __u64 now = kernel_memory(self);
	/* Less than before: something of then has been freed since. */
	const __u64 taken = now < self->before ? 0 : now - self->before;

	TH_LOG("%s: %llu KiB of at most %llu", what, taken >> 10, most >> 10);
	if (!objects_are_checked())
		EXPECT_LE(taken, most + STOCK);
	EXPECT_GE(taken + STOCK, least);
}

static __u64 cost_of_space(__u64 arena_bytes, __u64 nodes)
{
	return cost_of_pages(arena_bytes) + cost_of_nodes(nodes) +
	       ARENAS * cost_of_arena() + cost_of_client();
}

/*
 * Clients
 */

/* Large blocks: what is counted is what is taken. */
TEST_F_TIMEOUT(limits, large_blocks, 60)
{
	__u64 id = begin_with(_metadata, self->authority, self->client);
	const __u64 part = self->quota / 4;
	__u64 address, taken;
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, lsa_alloc(self->authority, id, part, &address));
	test_err_alloc(EDQUOT, self->authority, id, 1, &address);
	compare(_metadata, self, "a full quota", cost_of_space(self->quota, 32),
		self->quota);
	taken = kernel_memory(self) - self->before;
	if (self->quota >= MIB(32))
		EXPECT_LE(taken, self->quota + self->quota / 20);
	ASSERT_EQ(0, lsa_reply(self->authority, id));
	ASSERT_EQ(0, hear(self->client, CALLER));
}

/* Size of all arenas of the client */
static __u64 arena_bytes(LIMITS *self)
{
	char *maps = read_maps(self->client->pid), *line;
	unsigned long start, end;
	__u64 bytes = 0;

	for (line = strtok(maps, "\n"); line; line = strtok(NULL, "\n"))
		if (strstr(line, "lsabuf:[arena]") &&
		    sscanf(line, "%lx-%lx", &start, &end) == 2)
			bytes += end - start;
	free(maps);
	return bytes;
}

/*
 * Blocks that keep their arenas while all else in them is free: each next one
 * is larger than the holes that there are.
 */
TEST_F_TIMEOUT(limits, holes, 60)
{
	__u64 id = begin_with(_metadata, self->authority, self->client);
	const __u64 most =
		2 * (self->quota > self->arena ? self->quota : self->arena);
	__u64 length = (self->quota / 2 & ~(PAGE - 1)) - PAGE + 16;
	__u64 large, small;
	int i;

	/* No small block finds room in the first arena any more. */
	ASSERT_EQ(0, lsa_alloc(self->authority, id,
			       lower(self->arena, self->quota / 4), &small));
	for (i = 0; i < 8; i++) {
		if (lsa_alloc(self->authority, id, length, &large))
			break;
		while (!lsa_alloc(self->authority, id, 512, &small) &&
		       (small < large || small > large + length + PAGE))
			;
		ASSERT_EQ(0, lsa_release(self->authority, id, large));
		length += PAGE;
	}
	EXPECT_LT(i, 8);
	EXPECT_LT(1, i);
	EXPECT_LE(arena_bytes(self), most);
	compare(_metadata, self, "holes",
		cost_of_space(most, most / BYTES_PER_NODE + SPARE_NODES),
		self->quota);
	ASSERT_EQ(0, lsa_reply(self->authority, id));
	ASSERT_EQ(0, hear(self->client, CALLER));
}

/* The smallest blocks: they are bounded by their number. */
TEST_F_TIMEOUT(limits, small_blocks, 120)
{
	const __u64 most = self->quota / BYTES_PER_NODE + SPARE_NODES;
	const __u64 room = lower(self->quota, MIB(2)) / 16;
	__u64 id = begin_with(_metadata, self->authority, self->client);
	__u64 address, last = 0, nr;
	int ret = 0;

	for (nr = 0; nr < MANY_BLOCKS; nr++, last = address) {
		ret = lsa_alloc(self->authority, id, 1, &address);
		if (ret)
			break;
	}
	EXPECT_TRUE(!ret || ret == -EDQUOT);
	EXPECT_LE(nr, most);
	if (most < MANY_BLOCKS && most < room)
		EXPECT_EQ(-EDQUOT, ret);
	compare(_metadata, self, "small blocks",
		cost_of_space(2 * self->arena + nr * 16, nr + SPARE_NODES),
		nr * 100);
	/* One less is one more. */
	EXPECT_EQ(0, lsa_release(self->authority, id, last));
	EXPECT_EQ(0, lsa_alloc(self->authority, id, 1, &address));
	ASSERT_EQ(0, lsa_reply(self->authority, id));
	ASSERT_EQ(0, hear(self->client, CALLER));
}

/*
 * Users
 */

/* Connect as often as that goes, at most argument[0] times. */
static long do_connect_often(struct puppet *puppet, struct puppet_thread *me)
{
	const char *name = (char *)puppet->scratch;
	long nr;

	for (nr = 0; nr < (long)me->argument[0]; nr++)
		if (lsa_connect(lsa_open(), name, LSABUF_ACCESS_BUFFERS))
			break;
	return nr;
}

TEST_F_TIMEOUT(limits, connections, 60)
{
	const struct rlimit files = { 4096, 4096 };
	const __u64 most = module_limit("user_clients");
	long nr;

	ASSERT_EQ(0, prlimit(self->client->pid, RLIMIT_NOFILE, &files, NULL));
	strcpy((char *)self->client->scratch, self->name);
	nr = ask(self->client, SIDE, do_connect_often, MANY_CLIENTS);
	EXPECT_EQ(lower(MANY_CLIENTS, most - 1), nr);
	compare(_metadata, self, "connections",
		cost_of_space(self->arena, 32) + nr * cost_of_client(),
		nr * 400);
}

/* As many calls as may be, with all the ranges and bytes that there may be */
static long do_full_calls(struct puppet *puppet, struct puppet_thread *me)
{
	struct lsabuf_range range[LSABUF_MAX_RANGES];
	struct lsabuf_call call;
	int i, ret = 0;
	long nr;

	for (i = 0; i < LSABUF_MAX_RANGES; i++)
		range[i] =
			(struct lsabuf_range){ 4096, 16, LSABUF_RANGE_F_READ };
	for (nr = 0; nr < (long)me->argument[0]; nr++) {
		call = (struct lsabuf_call){
			.flags = LSABUF_CALL_F_NOWAIT,
			.ranges_address = to_u64(range),
			.nr_ranges = LSABUF_MAX_RANGES,
			.submit_address = to_u64(puppet->submit),
			.submit_length = me->argument[1],
		};
		ret = lsa_call(puppet->device, &call);
		if (ret)
			break;
	}
	puppet->flag[0] = -ret;
	return nr;
}

/* Of one connection, and of its user, at one authority */
static __u64 most_requests(void)
{
	return lower(module_limit("client_requests"),
		     lower(module_limit("user_requests"),
			   module_limit("requests")));
}

/* Queued requests of one user; authority and client in one group */
TEST_F_TIMEOUT(limits, requests, 60)
{
	const __u64 most = most_requests();
	const __u64 nr = lower(most, MANY_REQUESTS);
	const __u64 length = lower(lower(module_limit("user_submit"),
					 module_limit("authority_arena")) /
					   nr / 2,
				   5000);
	int authority = lsa_open();
	struct puppet *client;

	join_group(_metadata, self, getpid());
	self->before = kernel_memory(self);
	strcat(self->name, "-2");
	ASSERT_EQ(0, lsa_serve(authority, self->name));
	client = client_start(self->name, LSABUF_ACCESS_RANGES);
	ASSERT_TRUE(!!client);
	EXPECT_EQ(nr, ask(client, CALLER, do_full_calls, MANY_REQUESTS + 1,
			  length) -
			      (most > MANY_REQUESTS));
	if (most <= MANY_REQUESTS)
		EXPECT_TRUE(client->flag[0] == EDQUOT ||
			    client->flag[0] == EAGAIN);
	compare(_metadata, self, "requests",
		cost_of_space(self->arena, 32) + cost_of_arena() +
			cost_of_pages(module_limit("authority_arena")) -
			module_limit("authority_arena") + KIB(4) +
			module_limit("requests") * 8 +
			(nr + 1) * (cost_of_request() + cost_of_nodes(2) +
				    length + 16) +
			/* The process, its stacks and page tables */
			MIB(1),
		nr * (1800 + length));
	puppet_stop(client);
	close(authority);
}

/* Chores that never end: the buffer of each is the authority's. */
TEST_F_TIMEOUT(limits, stalled_chores, 60)
{
	const __u64 nr = lower(module_limit("user_requests"), MANY_CHORES);
	struct puppet *client[MANY_CHORES / 2];
	char *knob = allow_stalling(), *bytes = calloc(1, CHORE_BYTES);
	struct lsabuf_reply_receive request;
	int authority = lsa_open();
	static long long map[MANY_CHORES / 2];
	unsigned int i, t;
	__u64 done;

	strcat(self->name, "-2");
	ASSERT_EQ(0, lsa_serve(authority, self->name));
	for (i = 0; i < nr / 2; i++) {
		client[i] = client_start(self->name, LSABUF_ACCESS_WHOLE);
		ASSERT_TRUE(!!client[i]);
		map[i] = ask(client[i], SIDE, do_stalling_memory, CHORE_BYTES);
		ASSERT_FALSE(is_error(map[i]));
		for (t = CALLER; t <= SECOND; t++)
			start_call(client[i], t, 0)->code = i;
	}
	join_group(_metadata, self, getpid());
	self->before = kernel_memory(self);
	for (i = 0; i < nr; i++) {
		ASSERT_EQ(0, lsa_receive(authority, &request));
		test_err_copy_to(ECANCELED, authority, request.out_id,
				 map[request.out_code], bytes, CHORE_BYTES,
				 &done);
		test_err_reply(ECANCELED, authority, request.out_id);
	}
	compare(_metadata, self, "stalled chores",
		nr * cost_of_chore() + KIB(64), nr * (CHORE_BYTES - KIB(8)));
	for (i = 0; i < nr / 2; i++)
		puppet_stop(client[i]);
	/* All of it comes back with the last of them. */
	compare(_metadata, self, "afterwards", KIB(64), 0);
	restore_stalling(knob);
	close(authority);
	free(bytes);
}

/* Make argument[0] calls that do not wait; their ids are left in scratch. */
static long do_open_calls(struct puppet *puppet, struct puppet_thread *me)
{
	__u64 *id = (void *)puppet->scratch;
	struct lsabuf_call call;
	unsigned long i;
	int ret = 0;

	for (i = 0; i < me->argument[0] && !ret; i++) {
		call = (struct lsabuf_call){ .flags = LSABUF_CALL_F_NOWAIT };
		ret = lsa_call(puppet->device, &call);
		id[i] = call.id;
	}
	return ret;
}

static void no_signal(int signal)
{
	(void)signal;
}

/* Wait for one of them after the other, each until flag[2] is beyond it. */
static long do_wait_in_turn(struct puppet *puppet, struct puppet_thread *me)
{
	const struct sigaction action = { .sa_handler = no_signal };
	const __u64 *id = (void *)puppet->scratch;
	struct lsabuf_call call;
	unsigned long i;
	int ret;

	sigaction(SIGUSR1, &action, NULL);
	for (i = 0; i < me->argument[0]; i++) {
		__atomic_store_n(&puppet->flag[1], i + 1, __ATOMIC_RELEASE);
		do {
			call = (struct lsabuf_call){ .id = id[i] };
			ret = lsa_call(puppet->device, &call);
		} while (ret == -EINTR &&
			 __atomic_load_n(&puppet->flag[2], __ATOMIC_ACQUIRE) <=
				 (int)i);
		/* Given up where this machine was too slow for its budget */
		if (ret != -EINTR && ret != -ECANCELED)
			return ret;
	}
	return 0;
}

/* As many files as a request may have; false if its time was over before. */
static bool give_all(struct __test_metadata *_metadata, int authority, __u64 id)
{
	const __u64 end = now_ns() + AT_ONCE_NS;
	int ret, fd, nr = 0;

	while (nr < LSABUF_MAX_FILES) {
		ret = lsa_give(authority, id, STDIN_FILENO, &fd);
		nr += !ret;
		/* Its thread is on its way. */
		if (ret && (ret != -EAGAIN || now_ns() > end))
			break;
	}
	if (nr < LSABUF_MAX_FILES) {
		EXPECT_TRUE(ret == -ECANCELED || ret == -EAGAIN);
		return false;
	}
	test_err_give(EDQUOT, authority, id, STDIN_FILENO, &fd);
	return true;
}

/* Files opened in a client are remembered until its calls have ended. */
TEST_F_TIMEOUT(limits, given_files, 120)
{
	const __u64 nr = lower(most_requests(), MANY_GIVEN);
	const __u64 *id = (void *)self->client->scratch;
	const struct rlimit files = { 16384, 16384 };
	struct lsabuf_reply_receive request;
	unsigned int i, given = 0;

	ASSERT_EQ(0, prlimit(self->client->pid, RLIMIT_NOFILE, &files, NULL));
	remote(self->client, SYS_close, self->client->device);
	ASSERT_EQ(0, client_connect_flags(self->client, self->name,
					  LSABUF_ACCESS_BUFFERS,
					  LSABUF_CONNECT_F_FILES));
	ASSERT_EQ(0, ask(self->client, CALLER, do_open_calls, nr));
	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, lsa_receive_now(self->authority, &request));
	join_group(_metadata, self, getpid());
	self->before = kernel_memory(self);
	self->client->flag[1] = 0;
	self->client->flag[2] = 0;
	tell(self->client, CALLER, do_wait_in_turn, nr);
	for (i = 0; i < nr; i++) {
		given += give_all(_metadata, self->authority, id[i]);
		__atomic_store_n(&self->client->flag[2], i + 1,
				 __ATOMIC_RELEASE);
		while (is_busy(self->client, CALLER) &&
		       __atomic_load_n(&self->client->flag[1],
				       __ATOMIC_ACQUIRE) <= (int)i + 1 &&
		       syscall(SYS_tgkill, self->client->pid,
			       self->client->thread[CALLER].tid, SIGUSR1) == 0)
			usleep(100);
	}
	EXPECT_EQ(0, hear(self->client, CALLER));
	EXPECT_LE(nr / 2, given);
	/* And a table of so many descriptors */
	compare(_metadata, self, "files in clients",
		nr * LSABUF_MAX_FILES * cost_of_given_file() + KIB(128),
		given * LSABUF_MAX_FILES * (cost_of_given_file() - 40));
}

/*
 * Sections
 */

static int make_section(LIMITS *self, __u64 max, __u64 committed)
{
	struct lsabuf_section_create create;

	return section_create(self->authority, max, committed, 0, &create);
}

/* As many sections as may be, each of which is in the client, too */
TEST_F_TIMEOUT(limits, sections, 120)
{
	const struct rlimit files = { 4096, 4096 };
	const __u64 most = module_limit("authority_sections");
	const __u64 nr = lower(most, MANY_SECTIONS);
	struct lsabuf_connect *connect = (void *)self->client->scratch;
	int file = -1, first = -1;
	static __u64 address;
	__u64 id, i;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	*connect = (struct lsabuf_connect){
		.size = sizeof(*connect),
		.access = LSABUF_ACCESS_BUFFERS,
		.consent_views = MANY_SECTIONS,
		.consent_bytes = MIB(64),
	};
	set_endpoint(connect->endpoint, self->name);
	ASSERT_EQ(0, ask(self->client, SIDE, do_connect));
	id = begin_with(_metadata, self->authority, self->client);
	join_group(_metadata, self, getpid());
	self->before = kernel_memory(self);
	for (i = 0; i < nr; i++) {
		file = make_section(self, PAGE, 0);
		ASSERT_LE(0, file);
		first = i ? first : file;
	}
	if (most <= MANY_SECTIONS)
		EXPECT_EQ(-EDQUOT, make_section(self, PAGE, 0));
	compare(_metadata, self, "sections", nr * cost_of_section(), nr * 1200);

	self->before = kernel_memory(self);
	for (i = 0; i < nr; i++) {
		/* A call has only so much time for its client's thread. */
		if (i && i % 4 == 0) {
			ASSERT_EQ(0, lsa_reply(self->authority, id));
			ASSERT_EQ(0, hear(self->client, CALLER));
			id = begin_with(_metadata, self->authority,
					self->client);
		}
		ASSERT_EQ(0, section_share(first + i, id, 0, &address));
	}
	compare(_metadata, self, "views", nr * cost_of_view(), nr * 400);
	ASSERT_EQ(0, lsa_reply(self->authority, id));
	ASSERT_EQ(0, hear(self->client, CALLER));
	/* One less is one more. */
	close(file);
	munmap(to_pointer(address), PAGE);
	remote(self->client, SYS_munmap, address, PAGE);
	EXPECT_LE(0, make_section(self, PAGE, 0));
}

/* The memory in them: what is given back counts no more, wherever it was. */
TEST_F_TIMEOUT(limits, shared_memory, 120)
{
	const __u64 most = module_limit("authority_shared");
	const __u64 bytes = lower(most, MANY_SHARED);
	int first, second;
	__u64 shmem;

	join_group(_metadata, self, getpid());
	self->before = kernel_memory(self);
	shmem = cgroup_number(&self->group, "memory.stat", "\nshmem ");
	first = make_section(self, bytes, bytes - PAGE);
	second = make_section(self, bytes, PAGE);
	ASSERT_LE(0, first);
	ASSERT_LE(0, second);
	shmem = cgroup_number(&self->group, "memory.stat", "\nshmem ") - shmem;
	EXPECT_LE(bytes, shmem + STOCK);
	EXPECT_LE(shmem, bytes + STOCK);
	compare(_metadata, self, "what sections take beside their memory",
		2 * cost_of_section() + bytes / PAGE * 9, 0);
	if (most > MANY_SHARED)
		return;
	EXPECT_EQ(-EDQUOT, section_grow(first, bytes));
	EXPECT_EQ(-EDQUOT, section_grow(second, 2 * PAGE));
	EXPECT_EQ(-EDQUOT, make_section(self, PAGE, PAGE));
	/* A page out of the middle of one is one for the other. */
	ASSERT_EQ(0, section_punch(first, PAGE, PAGE));
	EXPECT_EQ(0, section_grow(second, 2 * PAGE));
	EXPECT_EQ(-EDQUOT, section_grow(second, 3 * PAGE));
	EXPECT_EQ(-EDQUOT, section_fill(first, PAGE, PAGE));
	EXPECT_EQ(0, section_grow_flags(second, PAGE,
					LSABUF_SECTION_GROW_F_SHRINK));
	EXPECT_EQ(0, section_fill(first, 0, bytes - PAGE));
	EXPECT_EQ(-EDQUOT, section_grow(second, 2 * PAGE));
}

/* What is reserved costs nothing: only what is committed does. */
TEST_F(limits, reserved_memory)
{
	const __u64 long_one = sizeof(long) == 8 ? MIB(4096ULL) : MIB(256);

	join_group(_metadata, self, getpid());
	self->before = kernel_memory(self);
	ASSERT_LE(0, make_section(self, MIB(1), KIB(64)));
	compare(_metadata, self, "a section of 1 MiB",
		cost_of_section() + KIB(64) / PAGE * 9, 0);
	self->before = kernel_memory(self);
	ASSERT_LE(0, make_section(self, long_one, KIB(64)));
	compare(_metadata, self, "a long one",
		cost_of_section() + KIB(64) / PAGE * 9, 0);
}

/*
 * Parameters
 */

/* Each is within its range, whatever was asked for. */
TEST_F(limits, parameters_in_range)
{
	static const struct {
		const char *name;
		__u64 least;
		__u64 most;
	} range[] = {
		{ "client_arena", KIB(64), MIB(16) },
		{ "client_quota", KIB(64), MIB(1024) },
		{ "authority_arena", KIB(64), MIB(1024) },
		{ "max_submit", KIB(64), MIB(256) },
		{ "user_submit", KIB(64), MIB(1024) },
		{ "requests", 1, 65536 },
		{ "client_requests", 1, 65536 },
		{ "user_requests", 1, 65536 },
		{ "user_clients", 1, 1048576 },
		{ "authority_sections", 1, 65536 },
		{ "user_sections", 1, 65536 },
		{ "authority_shared", KIB(64), 1ULL << 40 },
		{ "user_shared", KIB(64), 1ULL << 40 },
		{ "chore_budget_ms", 1, 10000 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(range); i++) {
		EXPECT_LE(range[i].least, module_limit(range[i].name))
		{
			TH_LOG("%s", range[i].name);
		}
		EXPECT_GE(range[i].most, module_limit(range[i].name))
		{
			TH_LOG("%s", range[i].name);
		}
	}
}

TEST_HARNESS_MAIN
