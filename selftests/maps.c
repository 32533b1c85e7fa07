// SPDX-License-Identifier: GPL-2.0
/*
 * MAP: snapshots of client memory in the authority. What they hold, that
 * nobody but the authority can change them, what the grant lets through, and
 * when they go.
 */
#include "stalls.h"
#include "trace_test.h"

#define PAGE 4096ULL
#define READ_WRITE (PROT_READ | PROT_WRITE)

/* Bytes of snapshots that the arena of the fixture's authority holds now */
static long long arena_bytes(int file)
{
	unsigned long long bytes = 0;
	char path[64], *text, *line;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", file);
	text = read_text(path);
	line = strstr(text, "lsabuf-bytes:");
	if (!line || sscanf(line, "lsabuf-bytes: %llu", &bytes) != 1) {
		free(text);
		return -1;
	}
	free(text);
	return bytes;
}

/*
 * What a snapshot holds
 */

TEST_F_TIMEOUT(pair, sizes, 240)
{
	const __u64 most = MIB(16);
	unsigned char *snapshot;
	__u64 address, length, id;

	address = remote_mmap(self->client, most + PAGE, READ_WRITE,
			      MAP_POPULATE);
	for (length = 1; length <= most; length *= 4) {
		ASSERT_EQ(0, ask(self->client, SIDE, do_fill, address, length,
				 length));
		id = begin(_metadata, self);
		ASSERT_EQ(0, lsa_map(self->authority, id, address, length,
				     &snapshot));
		EXPECT_EQ(length, filled(snapshot, length, length));
		EXPECT_EQ(0, to_u64(snapshot) % 16);
		/* It may be written: packages mend pointers in place. */
		fill(snapshot, 7, length);
		EXPECT_EQ(length, filled(snapshot, 7, length));
		EXPECT_EQ(length, ask(self->client, SIDE, do_filled, address,
				      length, length));
		end(_metadata, self, id);
	}
}

/* From every place to a length around every edge, and not a byte beside it. */
TEST_F_TIMEOUT(pair, alignments, 120)
{
	const size_t lengths[] = { 1, 7, 8, 15, 16, 17, 4095, 4096, 4097 };
	unsigned char bytes[3 * PAGE], *snapshot;
	__u64 id = begin(_metadata, self);
	size_t offset, l;

	fill(self->client->submit, 1, sizeof(bytes));
	fill(bytes, 1, sizeof(bytes));
	for (offset = 0; offset < 64; offset++) {
		for (l = 0; l < ARRAY_SIZE(lengths); l++) {
			__u64 address = to_u64(self->client->submit) + PAGE -
					32 + offset;

			ASSERT_EQ(0, lsa_map(self->authority, id, address,
					     lengths[l], &snapshot));
			ASSERT_EQ(0,
				  memcmp(snapshot, bytes + PAGE - 32 + offset,
					 lengths[l]));
			ASSERT_TRUE(all_bytes(snapshot + lengths[l], 0,
					      -lengths[l] % 16));
		}
	}
	end(_metadata, self, id);
}

/* Memory that is not there takes the client's thread. */
TEST_F(pair, absent_memory)
{
	__u64 address = remote_mmap(self->client, MIB(1), READ_WRITE, 0);
	__u64 id = begin(_metadata, self);
	unsigned char *snapshot;

	ASSERT_EQ(0, lsa_map(self->authority, id, address, MIB(1), &snapshot));
	EXPECT_TRUE(all_bytes(snapshot, 0, MIB(1)));
	end(_metadata, self, id);
}

/* Buffers of the client are memory of it as any other. */
TEST_F(pair, block_of_the_client)
{
	__u64 block = give_block(_metadata, self, 5000), id;
	unsigned char *snapshot;

	ask(self->client, SIDE, do_fill, block, 3, 5000);
	id = begin(_metadata, self);
	ASSERT_EQ(0, lsa_map(self->authority, id, block, 5000, &snapshot));
	EXPECT_EQ(5000, filled(snapshot, 3, 5000));
	/* One byte more is not of it. */
	test_err_map(EFAULT, self->authority, id, block, 5001, &snapshot);
	end(_metadata, self, id);
}

TEST_F(pair, vector)
{
	struct lsabuf_map_range vector[LSABUF_MAX_MAP] = {};
	__u64 id = begin(_metadata, self), end_of_last = 0;
	unsigned char *submit = self->client->submit;
	size_t i;

	fill(submit, 1, PUPPET_SUBMIT);
	for (i = 0; i < ARRAY_SIZE(vector); i++) {
		/* Some overlap, some are empty. */
		vector[i].client_address = to_u64(submit) + 100 * i;
		vector[i].length = i % 5 ? 7 * i : 0;
	}
	ASSERT_EQ(0, lsa_map_vector(self->authority, id, vector,
				    ARRAY_SIZE(vector)));
	for (i = 0; i < ARRAY_SIZE(vector); i++) {
		if (!vector[i].length) {
			EXPECT_EQ(0, vector[i].out_address);
			continue;
		}
		EXPECT_LE(end_of_last, vector[i].out_address);
		EXPECT_EQ(0, memcmp(to_pointer(vector[i].out_address),
				    submit + 100 * i, vector[i].length));
		end_of_last = vector[i].out_address + vector[i].length;
	}
	end(_metadata, self, id);
}

/* An empty range needs no memory, wherever it points. */
TEST_F(pair, empty)
{
	const __u64 anywhere[] = { 0, 1, ~0ULL, 1ULL << 63 };
	__u64 id = begin(_metadata, self);
	void *snapshot;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(anywhere); i++) {
		EXPECT_EQ(0, lsa_map(self->authority, id, anywhere[i], 0,
				     &snapshot));
		EXPECT_EQ(NULL, snapshot);
	}
	EXPECT_EQ(0, arena_bytes(self->authority));
	end(_metadata, self, id);
}

/*
 * What does not work
 */

/* All or none: nothing is left of a vector with one bad range. */
TEST_F(pair, one_bad_range)
{
	struct lsabuf_map_range vector[3] = {
		{ .client_address = to_u64(self->client->submit), .length = 9 },
		{ .client_address = 16, .length = 9 },
		{ .client_address = to_u64(self->client->submit), .length = 9 },
	};
	__u64 id = begin(_metadata, self);
	int i;

	test_err_map_vector(EFAULT, self->authority, id, vector, 3);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, vector[i].out_address);
	EXPECT_EQ(0, arena_bytes(self->authority));
	end(_metadata, self, id);
}

TEST_F(pair, bad_addresses)
{
	__u64 gap = remote_mmap(self->client, 2 * PAGE, READ_WRITE, 0);
	__u64 write_only = remote_mmap(self->client, PAGE, PROT_NONE, 0);
	const struct {
		__u64 address, length;
	} bad[] = {
		{ 0, 1 },
		{ 16, 100 },
		{ gap + PAGE - 8, 16 },
		{ write_only, 8 },
		{ 1ULL << 63, 8 },
		{ ~0ULL - 4, 8 },
		{ 0xffff888000000000ULL, 8 },
	};
	__u64 id = begin(_metadata, self);
	void *snapshot;
	size_t i;

	remote(self->client, SYS_munmap, gap + PAGE, PAGE);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		test_err_map(EFAULT, self->authority, id, bad[i].address,
			     bad[i].length, &snapshot);
		EXPECT_EQ(NULL, snapshot);
	}
	EXPECT_EQ(0, arena_bytes(self->authority));
	end(_metadata, self, id);
}

TEST_F(pair, bad_vector)
{
	struct lsabuf_map_range *vector = mmap(
		NULL, 2 * PAGE, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	__u64 id = begin(_metadata, self);

	munmap((char *)vector + PAGE, PAGE);
	test_err_map_vector(EINVAL, self->authority, id, vector, 0);
	test_err_map_vector(EINVAL, self->authority, id, vector,
			    LSABUF_MAX_MAP + 1);
	test_err_map_vector(EFAULT, self->authority, id, NULL, 1);
	test_err_map_vector(EFAULT, self->authority, id,
			    (void *)((char *)vector + PAGE - 24), 2);
	/* It can be read, but not told where the snapshot is: it goes. */
	vector->client_address = to_u64(self->client->submit);
	vector->length = 8;
	mprotect(vector, PAGE, PROT_READ);
	test_err_map_vector(EFAULT, self->authority, id, vector, 1);
	end(_metadata, self, id);
	EXPECT_EQ(0, arena_bytes(self->authority));
}

TEST_F(pair, request_must_be_open)
{
	__u64 address = to_u64(self->client->submit), id;
	void *snapshot;

	test_err_map(ENOENT, self->authority, 0, address, 8, &snapshot);
	test_err_map(ENOENT, self->authority, NO_SUCH_ID, address, 8,
		     &snapshot);
	id = begin(_metadata, self);
	end(_metadata, self, id);
	test_err_map(ENOENT, self->authority, id, address, 8, &snapshot);

	id = begin(_metadata, self);
	ASSERT_EQ(0, client_cancel(self->client, id));
	hear(self->client, CALLER);
	test_err_map(ECANCELED, self->authority, id, address, 8, &snapshot);
	lsa_reply(self->authority, id);

	id = begin(_metadata, self);
	puppet_kill(self->client);
	test_err_map(ESRCH, self->authority, id, address, 8, &snapshot);
	lsa_reply(self->authority, id);
	EXPECT_EQ(0, arena_bytes(self->authority));
}

/*
 * The grant is that of COPY
 */

TEST_F(pair, access_buffers)
{
	struct puppet *client = client_start(self->name, LSABUF_ACCESS_BUFFERS);
	__u64 block, id;
	void *snapshot;

	ASSERT_TRUE(!!client);
	id = begin_with(_metadata, self->authority, client);
	test_err_map(EACCES, self->authority, id, to_u64(client->submit), 8,
		     &snapshot);
	ASSERT_EQ(0, lsa_alloc(self->authority, id, 8, &block));
	EXPECT_EQ(0, lsa_map(self->authority, id, block, 8, &snapshot));
	EXPECT_EQ(0, lsa_reply(self->authority, id));
	EXPECT_EQ(0, hear(client, CALLER));
	puppet_stop(client);
}

TEST_F(pair, access_ranges)
{
	struct puppet *client = client_start(self->name, LSABUF_ACCESS_RANGES);
	struct lsabuf_range *ranges = (void *)client->scratch;
	__u64 address = to_u64(client->submit);
	struct lsabuf_reply_receive request;
	struct lsabuf_map_range both[2];
	struct lsabuf_call *call;
	void *snapshot;

	ranges[0] = (struct lsabuf_range){ address, 100, LSABUF_RANGE_F_READ };
	ranges[1] = (struct lsabuf_range){ address + 200, 100,
					   LSABUF_RANGE_F_WRITE };
	call = new_call(client, CALLER, 0);
	call->ranges_address = to_u64(ranges);
	call->nr_ranges = 2;
	tell(client, CALLER, do_call);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	fill(client->submit, 5, 300);
	ASSERT_EQ(0, lsa_map(self->authority, request.out_id, address, 100,
			     &snapshot));
	EXPECT_EQ(100, filled(snapshot, 5, 100));
	test_err_map(EACCES, self->authority, request.out_id, address, 101,
		     &snapshot);
	test_err_map(EACCES, self->authority, request.out_id, address + 200, 8,
		     &snapshot);
	both[0] = (struct lsabuf_map_range){ address, 8, 0 };
	both[1] = (struct lsabuf_map_range){ address + 150, 8, 0 };
	test_err_map_vector(EACCES, self->authority, request.out_id, both, 2);
	EXPECT_EQ(0, lsa_reply(self->authority, request.out_id));
	EXPECT_EQ(0, hear(client, CALLER));
	puppet_stop(client);
}

/*
 * Privacy
 */

static long do_scribble(struct puppet *puppet, struct puppet_thread *me)
{
	volatile __u64 *words = (void *)me->argument[0];
	size_t i, nr = me->argument[1] / sizeof(*words);
	__u64 value = 0;

	while (!__atomic_load_n(&puppet->flag[0], __ATOMIC_ACQUIRE))
		for (value++, i = 0; i < nr; i++)
			words[i] = value;
	return 0;
}

/* The client changes its memory all the time; the snapshot never changes. */
TEST_F_TIMEOUT(pair, client_changes_the_buffer, 60)
{
	const size_t length = KIB(64);
	unsigned char *snapshot, *copy = malloc(length);
	unsigned int i, rounds = scaled(50);
	__u64 address =
		remote_mmap(self->client, length, READ_WRITE, MAP_POPULATE);
	__u64 id = begin(_metadata, self);

	tell(self->client, SECOND, do_scribble, address, length);
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, lsa_map(self->authority, id, address, length,
				     &snapshot));
		memcpy(copy, snapshot, length);
		sched_yield();
		ASSERT_EQ(0, memcmp(copy, snapshot, length));
		if (i % 8 == 7) {
			end(_metadata, self, id);
			id = begin(_metadata, self);
		}
	}
	__atomic_store_n(&self->client->flag[0], 1, __ATOMIC_RELEASE);
	EXPECT_EQ(0, hear(self->client, SECOND));
	end(_metadata, self, id);
	free(copy);
}

/* No way leads from the client, or from anybody, to the authority's copy. */
TEST_F(pair, private)
{
	__u64 id = begin(_metadata, self);
	struct mapping map;
	void *snapshot;
	char byte;

	ASSERT_EQ(0, lsa_map(self->authority, id, to_u64(self->client->submit),
			     100, &snapshot));
	ASSERT_TRUE(find_mapping(getpid(), to_u64(snapshot), &map));
	EXPECT_EQ(self->serve.out_arena_address, map.start);
	EXPECT_TRUE(strstr(map.flags, " dc") && strstr(map.flags, " dd") &&
		    strstr(map.flags, " io"));
	EXPECT_NE(0, peek(self->client, to_u64(snapshot), &byte, 1));
	end(_metadata, self, id);
}

/*
 * The end of a snapshot
 */

/* Freed and wiped with the reply; what follows it there begins with zeroes. */
TEST_F(pair, freed_with_the_reply)
{
	unsigned char *first, *second;
	__u64 id;

	memset(self->client->submit, 0xee, 4 * PAGE);
	id = begin(_metadata, self);
	ASSERT_EQ(0, lsa_map(self->authority, id, to_u64(self->client->submit),
			     4 * PAGE, &first));
	EXPECT_EQ(4 * PAGE, arena_bytes(self->authority));
	end(_metadata, self, id);
	EXPECT_EQ(0, arena_bytes(self->authority));
	EXPECT_TRUE(all_bytes(first, 0, 4 * PAGE));

	id = begin(_metadata, self);
	ASSERT_EQ(0, lsa_map(self->authority, id, to_u64(self->client->submit),
			     1, &second));
	EXPECT_EQ(0xee, second[0]);
	EXPECT_TRUE(all_bytes(second + 1, 0, 15));
	end(_metadata, self, id);
}

/* A package may still read it when the client is long gone. */
TEST_F(pair, lives_until_the_reply)
{
	unsigned char *snapshot;
	__u64 id;

	fill(self->client->submit, 4, PAGE);
	id = begin(_metadata, self);
	ASSERT_EQ(0, lsa_map(self->authority, id, to_u64(self->client->submit),
			     PAGE, &snapshot));
	puppet_kill(self->client);
	EXPECT_EQ(PAGE, filled(snapshot, 4, PAGE));
	EXPECT_EQ(PAGE, arena_bytes(self->authority));
	test_err_reply(ESRCH, self->authority, id);
	EXPECT_EQ(0, arena_bytes(self->authority));
	EXPECT_TRUE(all_bytes(snapshot, 0, PAGE));
}

TEST_F(pair, freed_with_a_cancelled_request)
{
	unsigned char *snapshot;
	__u64 id = begin(_metadata, self);

	ASSERT_EQ(0, lsa_map(self->authority, id, to_u64(self->client->submit),
			     PAGE, &snapshot));
	ASSERT_EQ(0, client_cancel(self->client, id));
	EXPECT_EQ(-ECANCELED, hear(self->client, CALLER));
	EXPECT_EQ(PAGE, arena_bytes(self->authority));
	test_err_reply(ECANCELED, self->authority, id);
	EXPECT_EQ(0, arena_bytes(self->authority));
}

/*
 * Limits
 */

static __u64 parameter(const char *name)
{
	char path[128], *text;
	__u64 value;

	snprintf(path, sizeof(path), "/sys/module/lsabuf/parameters/%s", name);
	text = read_text(path);
	value = strtoull(text, NULL, 0);
	free(text);
	return value;
}

TEST_F_TIMEOUT(pair, limits, 60)
{
	const __u64 most = parameter("max_submit");
	const __u64 user = parameter("user_submit");
	__u64 address = remote_mmap(self->client, most + PAGE, PROT_READ, 0);
	struct lsabuf_map_range half[2] = {
		{ address, most / 2 + 1, 0 },
		{ address, most / 2, 0 },
	};
	__u64 id = begin(_metadata, self), taken;
	void *snapshot;

	test_err_map(EDQUOT, self->authority, id, address, most + 1, &snapshot);
	test_err_map(EDQUOT, self->authority, id, address, ~0ULL, &snapshot);
	test_err_map_vector(EDQUOT, self->authority, id, half, 2);
	/* What was refused is not counted: all that the user may have fits. */
	for (taken = 0; taken + most <= user; taken += most)
		ASSERT_EQ(0, lsa_map(self->authority, id, address, most,
				     &snapshot));
	test_err_map(EDQUOT, self->authority, id, address, user - taken + 1,
		     &snapshot);
	/* It counts as submit buffers do. */
	start_call(self->client, SECOND, user - taken + 1);
	EXPECT_EQ(-EDQUOT, hear(self->client, SECOND));
	end(_metadata, self, id);

	/* With the request it is given back. */
	id = begin(_metadata, self);
	EXPECT_EQ(0, lsa_map(self->authority, id, address, most, &snapshot));
	end(_metadata, self, id);
}

/* An authority with a small arena is told that it is full, and goes on. */
TEST_F(pair, arena_is_full)
{
	struct lsabuf_serve serve = {
		.size = sizeof(serve),
		.arena_size = KIB(64),
	};
	struct puppet *client;
	int file = lsa_open();
	void *snapshot;
	__u64 id;

	set_endpoint(serve.endpoint, "small-arena");
	ASSERT_EQ(0, lsa_ioctl(file, LSABUF_IOC_SERVE, &serve));
	client = client_start("small-arena", LSABUF_ACCESS_WHOLE);
	ASSERT_TRUE(!!client);
	id = begin_with(_metadata, file, client);
	ASSERT_EQ(0, lsa_map(file, id, to_u64(client->submit), KIB(40),
			     &snapshot));
	test_err_map(EAGAIN, file, id, to_u64(client->submit), KIB(40),
		     &snapshot);
	EXPECT_EQ(0,
		  lsa_map(file, id, to_u64(client->submit), KIB(8), &snapshot));
	EXPECT_EQ(0, lsa_reply(file, id));
	EXPECT_EQ(0, hear(client, CALLER));
	puppet_stop(client);
	close(file);
}

/*
 * A client that stalls
 */

/* The authority waits no longer than the request's budget; nothing is left. */
TEST_F_TIMEOUT(pair, unanswered_fault, 60)
{
	char *knob = allow_stalling();
	struct lsabuf_info info;
	long long address;
	void *snapshot;
	__u64 id, start;

	address = ask(self->client, SIDE, do_stalling_memory, 4 * PAGE);
	restore_stalling(knob);
	if (address == -ENOSYS)
		SKIP(return, "no userfaultfd");
	ASSERT_FALSE(is_error(address));
	ASSERT_EQ(0, lsa_info(self->authority, &info));
	id = begin(_metadata, self);
	start = now_ns();
	test_err_map(ECANCELED, self->authority, id, address, PAGE, &snapshot);
	EXPECT_GT(info.out_chore_budget_ns + AT_ONCE_NS, now_ns() - start);
	EXPECT_EQ(0, arena_bytes(self->authority));
	test_err_reply(ECANCELED, self->authority, id);
	puppet_kill(self->client);
}

/* Without a thread that waits, only what is resident can be mapped. */
TEST_F(pair, no_thread)
{
	__u64 absent = remote_mmap(self->client, PAGE, READ_WRITE, 0);
	struct lsabuf_call *call = new_call(self->client, CALLER, 0);
	struct lsabuf_reply_receive request;
	void *snapshot;

	/* Resident is what the client has touched itself. */
	ask(self->client, SIDE, do_fill, to_u64(self->client->submit), 1, 8);
	call->flags = LSABUF_CALL_F_NOWAIT;
	ASSERT_EQ(0, ask(self->client, CALLER, do_call));
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(0, lsa_map(self->authority, request.out_id,
			     to_u64(self->client->submit), 8, &snapshot));
	test_err_map(EAGAIN, self->authority, request.out_id, absent, 8,
		     &snapshot);
	EXPECT_EQ(0, lsa_reply(self->authority, request.out_id));
}

/* A thread of the authority replies while another one maps. */
struct mapper {
	PAIR *self;
	__u64 id;
	int stop;
};

static void *map_always(void *argument)
{
	struct mapper *mapper = argument;
	__u64 address = to_u64(mapper->self->client->submit);
	void *snapshot;

	while (!__atomic_load_n(&mapper->stop, __ATOMIC_ACQUIRE))
		lsa_map(mapper->self->authority,
			__atomic_load_n(&mapper->id, __ATOMIC_ACQUIRE), address,
			PUPPET_SUBMIT, &snapshot);
	return NULL;
}

TEST_F_TIMEOUT(pair, reply_while_mapping, 60)
{
	unsigned int i, rounds = scaled(200);
	struct mapper mapper = { .self = self };
	pthread_t thread;
	void *snapshot;
	__u64 id;

	memset(self->client->submit, 0x77, PUPPET_SUBMIT);
	/* From here on the arena has its first pages. */
	id = begin(_metadata, self);
	ASSERT_EQ(0, lsa_map(self->authority, id, to_u64(self->client->submit),
			     PUPPET_SUBMIT, &snapshot));
	end(_metadata, self, id);
	ASSERT_EQ(0, pthread_create(&thread, NULL, map_always, &mapper));
	for (i = 0; i < rounds; i++) {
		id = begin(_metadata, self);
		__atomic_store_n(&mapper.id, id, __ATOMIC_RELEASE);
		if (i % 2)
			sched_yield();
		end(_metadata, self, id);
	}
	__atomic_store_n(&mapper.stop, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, arena_bytes(self->authority));
	EXPECT_TRUE(all_bytes(to_pointer(self->serve.out_arena_address), 0,
			      PUPPET_SUBMIT));
}

/*
 * The trace
 */

TEST_F(pair, trace_event)
{
	__u64 address = to_u64(self->client->submit), id;
	void *snapshot;

	ASSERT_EQ(0, trace_start("lsabuf/lsabuf_map"));
	strcpy((char *)self->client->scratch, "top secret");
	ask(self->client, SIDE, do_poke, address, 10);
	id = begin(_metadata, self);
	ASSERT_EQ(0, lsa_map(self->authority, id, address, 10, &snapshot));
	test_err_map(EFAULT, self->authority, id, 16, 10, &snapshot);
	end(_metadata, self, id);

	trace_look();
	TRACED_ONCE(
		"lsabuf_map: client=%llu id=0x%llx address=0x%llx ranges=1 length=10 path=resident ret=0",
		(unsigned long long)self->client->client,
		(unsigned long long)id, (unsigned long long)address);
	TRACED_ONCE(
		"lsabuf_map: client=%llu id=0x%llx address=0x10 ranges=1 length=10",
		(unsigned long long)self->client->client,
		(unsigned long long)id);
	TRACED_ONCE(" ret=%d", -EFAULT);
	EXPECT_FALSE(!!strstr(trace_text, "secret"));
	trace_stop();
}

TEST_HARNESS_MAIN
