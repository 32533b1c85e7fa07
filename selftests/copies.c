// SPDX-License-Identifier: GPL-2.0
/*
 * COPY: into and out of blocks and all other kinds of client memory, what the
 * grant lets through, counts and errors, and clients whose memory never
 * answers.
 */
#include "trace_test.h"
#include "stalls.h"

#define PAGE 4096ULL
#define READ_WRITE (PROT_READ | PROT_WRITE)

/*
 * Blocks
 */

#define BLOCK 12388

/* Copy @length bytes to @offset of a zeroed block, and see what happened. */
static bool copy_lands(PAIR *self, __u64 id, __u64 block, size_t offset,
		       size_t length)
{
	static unsigned char bytes[BLOCK + 64], seen[BLOCK];
	size_t room = BLOCK - offset, good = length < room ? length : room;
	__u64 done;
	int ret;

	fill(bytes, offset, length);
	ret = lsa_copy_to(self->authority, id, block + offset, bytes, length,
			  &done);
	if (ret != (good == length ? 0 : -EFAULT) || done != good)
		return false;
	if (peek(self->client, block, seen, BLOCK) ||
	    !all_bytes(seen, 0, offset) ||
	    filled(seen + offset, offset, good) != good ||
	    !all_bytes(seen + offset + good, 0, room - good))
		return false;
	memset(bytes, 0, good);
	return !lsa_copy_to(self->authority, id, block + offset, bytes, good,
			    NULL);
}

/* Every place near a page's edge, up to and past the block's end. */
TEST_F_TIMEOUT(pair, block_edges, 120)
{
	const size_t near[] = { 0, 1, 7, 8, 15, 16, 17, 63 };
	const size_t lengths[] = { 0,	 1,    2,    7,	   8,	 9,
				   4095, 4096, 4097, 8192, 12288 };
	__u64 id = begin(_metadata, self), block;
	size_t page, i, l;

	ASSERT_EQ(0, lsa_alloc(self->authority, id, BLOCK, &block));
	for (page = 0; page < BLOCK; page += PAGE) {
		for (i = 0; i < ARRAY_SIZE(near); i++) {
			for (l = 0; l < ARRAY_SIZE(lengths); l++) {
				ASSERT_TRUE(copy_lands(self, id, block,
						       page + near[i],
						       lengths[l]));
				if (page < near[i])
					continue;
				ASSERT_TRUE(copy_lands(self, id, block,
						       page - near[i],
						       lengths[l]));
			}
		}
	}
	end(_metadata, self, id);
}

/* The same the other way round: bytes beyond the count stay as they are. */
TEST_F_TIMEOUT(pair, from_block_edges, 60)
{
	static unsigned char bytes[BLOCK], seen[BLOCK + 64];
	__u64 id = begin(_metadata, self), block, done;
	size_t offset, length, good;
	int ret;

	fill(bytes, 1, BLOCK);
	ASSERT_EQ(0, lsa_alloc_from(self->authority, id, BLOCK, bytes, BLOCK,
				    &block));
	for (offset = 0; offset < BLOCK; offset += 511) {
		for (length = 0; length <= BLOCK; length += 2047) {
			good = length < BLOCK - offset ? length :
							 BLOCK - offset;
			memset(seen, 0, sizeof(seen));
			ret = lsa_copy_from(self->authority, id, block + offset,
					    seen, length, &done);
			ASSERT_EQ(good == length ? 0 : -EFAULT, ret);
			ASSERT_EQ(good, done);
			ASSERT_EQ(0, memcmp(seen, bytes + offset, good));
			ASSERT_TRUE(
				all_bytes(seen + good, 0, sizeof(seen) - good));
		}
	}
	end(_metadata, self, id);
}

/* No copy of any size changes a byte, or leaves one out. */
TEST_F_TIMEOUT(pair, byte_exact, 240)
{
	unsigned char *bytes = malloc(MIB(16)), *back = malloc(MIB(16));
	__u64 id, address[2], done, length;
	int kind;

	address[1] = remote_mmap(self->client, MIB(16), PROT_READ | PROT_WRITE,
				 MAP_POPULATE);
	id = begin(_metadata, self);
	ASSERT_EQ(0, lsa_alloc(self->authority, id, MIB(16), &address[0]));
	for (length = 1; length <= MIB(16); length *= 8) {
		fill(bytes, length, length);
		for (kind = 0; kind < 2; kind++) {
			ASSERT_EQ(0, lsa_copy_to(self->authority, id,
						 address[kind], bytes, length,
						 &done));
			EXPECT_EQ(length, done);
			ASSERT_EQ(0, lsa_copy_from(self->authority, id,
						   address[kind], back, length,
						   &done));
			EXPECT_EQ(length, done);
			EXPECT_EQ(0, memcmp(bytes, back, length));
			EXPECT_EQ(length, ask(self->client, SIDE, do_filled,
					      address[kind], length, length));
		}
	}
	end(_metadata, self, id);
	free(bytes);
	free(back);
}

TEST_F_TIMEOUT(pair, sixteen_mib, 120)
{
	unsigned char *bytes = malloc(MIB(16)), *back = calloc(1, MIB(16));
	__u64 id = begin(_metadata, self), address, done;

	fill(bytes, 16, MIB(16));
	ASSERT_EQ(0, lsa_alloc(self->authority, id, MIB(16), &address));
	ASSERT_EQ(0, lsa_copy_to(self->authority, id, address, bytes, MIB(16),
				 &done));
	EXPECT_EQ(MIB(16), done);
	ASSERT_EQ(0, lsa_copy_from(self->authority, id, address, back, MIB(16),
				   &done));
	EXPECT_EQ(0, memcmp(bytes, back, MIB(16)));
	end(_metadata, self, id);
	free(bytes);
	free(back);
}

/* The same by the client's thread, as nothing of its memory is there. */
TEST_F_TIMEOUT(pair, sixteen_mib_by_thread, 120)
{
	__u64 address = remote_mmap(self->client, MIB(16), READ_WRITE, 0);
	unsigned char *bytes = malloc(MIB(16));
	__u64 start, id, done;
	int ret;

	fill(bytes, 16, MIB(16));
	start = now_ns();
	id = begin(_metadata, self);
	ret = lsa_copy_to(self->authority, id, address, bytes, MIB(16), &done);
	EXPECT_EQ(done, ask(self->client, SIDE, do_filled, address, 16, done));
	free(bytes);
	if (ret == -ECANCELED && may_be_late(start)) {
		test_err_reply(ECANCELED, self->authority, id);
		EXPECT_EQ(-ECANCELED, hear(self->client, CALLER));
		return;
	}
	ASSERT_EQ(0, ret);
	EXPECT_EQ(MIB(16), done);
	end(_metadata, self, id);
}

/* A length of 0 succeeds wherever it points, and touches nothing. */
TEST_F(pair, length_zero)
{
	const __u64 anywhere[] = { 0, 1, ~0ULL, 1ULL << 63, getpagesize() };
	struct lsabuf_copy_range vector = { .client_address = ~0ULL };
	__u64 id = begin(_metadata, self), done;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(anywhere); i++) {
		EXPECT_EQ(0, lsa_copy_to(self->authority, id, anywhere[i],
					 to_pointer(anywhere[i]), 0, &done));
		EXPECT_EQ(0, done);
		EXPECT_EQ(0, lsa_copy_from(self->authority, id, anywhere[i],
					   to_pointer(anywhere[i]), 0, &done));
		EXPECT_EQ(0, done);
	}
	EXPECT_EQ(0,
		  lsa_copy_vector(self->authority, id, 0, &vector, 1, &done));
	EXPECT_EQ(0, done);
	end(_metadata, self, id);
}

TEST_F(pair, request_must_be_open)
{
	struct puppet *other = client_start(self->name, LSABUF_ACCESS_WHOLE);
	__u64 id = begin(_metadata, self), address, done;
	char byte = 1;

	ASSERT_TRUE(!!other);
	ASSERT_EQ(0, lsa_alloc(self->authority, id, 16, &address));
	test_err_copy_to(ENOENT, self->authority, NO_SUCH_ID, address, &byte, 1,
			 &done);
	test_err_copy_to(ENOENT, self->authority, 0, address, &byte, 1, &done);
	end(_metadata, self, id);
	test_err_copy_to(ENOENT, self->authority, id, address, &byte, 1, &done);
	test_err_copy_from(ENOENT, self->authority, id, address, &byte, 1,
			   &done);
	/* Another client's request opens that client's memory. */
	id = begin_with(_metadata, self->authority, other);
	test_err_copy_to(EFAULT, self->authority, id, address, &byte, 1, &done);
	EXPECT_EQ(0, done);
	EXPECT_EQ(0, lsa_reply(self->authority, id));
	EXPECT_EQ(0, hear(other, CALLER));
	EXPECT_TRUE(reads_zero(self->client, address, 16));
	puppet_stop(other);
}

/*
 * Vectors
 */

TEST_F(pair, vector)
{
	struct lsabuf_copy_range vector[LSABUF_MAX_VECTOR];
	const size_t nr = LSABUF_MAX_VECTOR;
	unsigned char bytes[nr * 8], seen[nr * 8];
	__u64 id = begin(_metadata, self), block, done;
	size_t i;

	ASSERT_EQ(0, lsa_alloc(self->authority, id, nr * 8, &block));
	fill(bytes, 1, sizeof(bytes));
	/* Every element to another place, some of them empty */
	for (i = 0; i < nr; i++)
		vector[i] = (struct lsabuf_copy_range){
			.client_address = block + (nr - 1 - i) * 8,
			.local_address = to_u64(bytes + i * 8),
			.length = i % 9,
		};
	ASSERT_EQ(0,
		  lsa_copy_vector(self->authority, id, 0, vector, nr, &done));
	for (i = 0; i < nr; i++)
		done -= vector[i].length;
	EXPECT_EQ(0, done);
	memset(seen, 0, sizeof(seen));
	for (i = 0; i < nr; i++)
		vector[i].local_address = to_u64(seen + i * 8);
	ASSERT_EQ(0, lsa_copy_vector(self->authority, id,
				     LSABUF_COPY_F_FROM_CLIENT, vector, nr,
				     &done));
	for (i = 0; i < nr; i++) {
		EXPECT_EQ(0, memcmp(bytes + i * 8, seen + i * 8, i % 9));
		EXPECT_TRUE(all_bytes(seen + i * 8 + i % 9, 0, 8 - i % 9));
	}
	end(_metadata, self, id);
}

/* It goes in order, and stops at the first element that fails. */
TEST_F(pair, vector_stops)
{
	__u64 id = begin(_metadata, self), block, done;
	unsigned char bytes[32], seen[32];
	struct lsabuf_copy_range vector[3] = {
		{ .local_address = to_u64(bytes), .length = 10 },
		{ .local_address = to_u64(bytes + 10), .length = 12 },
		{ .local_address = to_u64(bytes + 20), .length = 10 },
	};

	fill(bytes, 1, sizeof(bytes));
	ASSERT_EQ(0, lsa_alloc(self->authority, id, 32, &block));
	vector[0].client_address = block;
	vector[1].client_address = block + 24; /* 8 bytes fit */
	vector[2].client_address = block + 10;
	test_err_copy_vector(EFAULT, self->authority, id, 0, vector, 3, &done);
	EXPECT_EQ(18, done);
	ASSERT_EQ(0, peek(self->client, block, seen, sizeof(seen)));
	EXPECT_EQ(0, memcmp(seen, bytes, 10));
	EXPECT_TRUE(all_bytes(seen + 10, 0, 14));
	EXPECT_EQ(0, memcmp(seen + 24, bytes + 10, 8));
	end(_metadata, self, id);
}

TEST_F(pair, bad_vector)
{
	struct lsabuf_copy_range *vector;
	__u64 id = begin(_metadata, self), done;

	test_err_copy_vector(EFAULT, self->authority, id, 0, NULL, 1, &done);
	EXPECT_EQ(0, done);
	/* Half of the array */
	vector = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap((char *)vector + PAGE, PAGE);
	vector = (void *)((char *)vector + PAGE - sizeof(*vector));
	test_err_copy_vector(EFAULT, self->authority, id, 0, vector, 2, &done);
	EXPECT_EQ(0, done);
	EXPECT_EQ(0, lsa_copy_vector(self->authority, id, 0, vector, 1, &done));
	end(_metadata, self, id);
}

/*
 * Memory of the authority that is not as it should be
 */

/* What comes before the first element that cannot be read is done. */
TEST_F(pair, vector_ends_early)
{
	const unsigned int nr = 40, good = 37;
	unsigned char bytes[40 * 16], seen[40 * 16];
	struct lsabuf_copy_range *vector;
	__u64 id, block, done;
	unsigned int i;
	char *pages;

	id = begin(_metadata, self);
	ASSERT_EQ(0, lsa_alloc(self->authority, id, sizeof(bytes), &block));
	pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, pages);
	munmap(pages + PAGE, PAGE);
	vector = (void *)(pages + PAGE - good * sizeof(*vector) - 8);
	fill(bytes, 1, sizeof(bytes));
	for (i = 0; i < good; i++)
		vector[i] = (struct lsabuf_copy_range){ block + i * 16,
							to_u64(bytes + i * 16),
							16 };
	test_err_copy_vector(EFAULT, self->authority, id, 0, vector, nr, &done);
	EXPECT_EQ(good * 16, done);
	EXPECT_EQ(0, peek(self->client, block, seen, sizeof(seen)));
	EXPECT_EQ(good * 16, filled(seen, 1, good * 16));
	EXPECT_TRUE(all_bytes(seen + good * 16, 0, (nr - good) * 16));
	end(_metadata, self, id);
	munmap(pages, PAGE);
}

#define SCATTER 50

/* Where the range @i of the vectors below is, out of order where @step is 7 */
static __u64 scattered(__u64 address, unsigned int i, unsigned int step)
{
	return address + i * step % SCATTER * PAGE + PAGE - 20;
}

/* Ranges over many pages, crossing from one into the next, in any order */
TEST_F(pair, vector_over_pages)
{
	static const unsigned int steps[] = { 1, 7, SCATTER - 1 };
	__u64 address = remote_mmap(self->client, (SCATTER + 1) * PAGE,
				    PROT_READ | PROT_WRITE, MAP_POPULATE);
	struct lsabuf_copy_range vector[SCATTER];
	unsigned char bytes[SCATTER * 28], seen[SCATTER * 28];
	__u64 id = begin(_metadata, self), done;
	unsigned int i, step;

	for (step = 0; step < ARRAY_SIZE(steps); step++) {
		for (i = 0; i < SCATTER; i++) {
			fill(bytes + i * 28, step * SCATTER + i + 1, 28);
			vector[i] = (struct lsabuf_copy_range){
				scattered(address, i, steps[step]),
				to_u64(bytes + i * 28), 28
			};
		}
		EXPECT_EQ(0, lsa_copy_vector(self->authority, id, 0, vector,
					     SCATTER, &done));
		EXPECT_EQ(sizeof(bytes), done);
		memset(seen, 0, sizeof(seen));
		for (i = 0; i < SCATTER; i++)
			vector[i].local_address = to_u64(seen + i * 28);
		EXPECT_EQ(0, lsa_copy_vector(self->authority, id,
					     LSABUF_COPY_F_FROM_CLIENT, vector,
					     SCATTER, &done));
		EXPECT_EQ(0, memcmp(bytes, seen, sizeof(bytes)));
		for (i = 0; i < SCATTER; i++)
			EXPECT_EQ(28, ask(self->client, SIDE, do_filled,
					  vector[i].client_address,
					  step * SCATTER + i + 1, 28));
	}
	end(_metadata, self, id);
}

TEST_F(pair, bad_local_memory)
{
	unsigned char *local = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	__u64 id = begin(_metadata, self), block, done;
	unsigned char seen[2 * PAGE];

	munmap(local + PAGE, PAGE);
	fill(local, 1, PAGE);
	ASSERT_EQ(0, lsa_alloc(self->authority, id, sizeof(seen), &block));
	test_err_copy_to(EFAULT, self->authority, id, block, NULL, 1, &done);
	EXPECT_EQ(0, done);
	test_err_copy_to(EFAULT, self->authority, id, block, (void *)-PAGE, 1,
			 &done);
	EXPECT_EQ(0, done);
	/* It ends in the middle: the count is true, the tail is unchanged. */
	memset(seen, 0x77, sizeof(seen));
	ASSERT_EQ(0, lsa_copy_to(self->authority, id, block, seen, sizeof(seen),
				 NULL));
	test_err_copy_to(EFAULT, self->authority, id, block + 50,
			 local + PAGE - 100, 300, &done);
	EXPECT_EQ(100, done);
	ASSERT_EQ(0, peek(self->client, block, seen, sizeof(seen)));
	EXPECT_TRUE(all_bytes(seen, 0x77, 50));
	EXPECT_EQ(0, memcmp(seen + 50, local + PAGE - 100, 100));
	EXPECT_TRUE(all_bytes(seen + 150, 0x77, sizeof(seen) - 150));

	test_err_copy_from(EFAULT, self->authority, id, block, local + PAGE, 1,
			   &done);
	EXPECT_EQ(0, done);
	test_err_copy_from(EFAULT, self->authority, id, block,
			   local + PAGE - 10, 20, &done);
	EXPECT_EQ(10, done);
	mprotect(local, PAGE, PROT_READ);
	test_err_copy_from(EFAULT, self->authority, id, block, local, 1, &done);
	EXPECT_EQ(0, done);
	end(_metadata, self, id);
}

/* The same with client memory that is no block. */
TEST_F(pair, bad_local_memory_plain)
{
	unsigned char *local = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *plain = self->client->submit;
	__u64 id = begin(_metadata, self), done;

	munmap(local + PAGE, PAGE);
	fill(local, 1, PAGE);
	memset(plain, 0x77, PAGE);
	test_err_copy_to(EFAULT, self->authority, id, to_u64(plain),
			 local + PAGE - 100, 300, &done);
	EXPECT_LE(done, 100);
	EXPECT_EQ(0, memcmp(plain, local + PAGE - 100, done));
	EXPECT_TRUE(all_bytes(plain + done, 0x77, PAGE - done));
	test_err_copy_from(EFAULT, self->authority, id, to_u64(plain), NULL, 16,
			   &done);
	EXPECT_EQ(0, done);
	end(_metadata, self, id);
}

/*
 * Kinds of client memory
 */

static long do_shared_file(struct puppet *puppet, struct puppet_thread *me)
{
	int file = memfd_create("file", MFD_CLOEXEC);
	int flags = me->argument[0], prot = me->argument[1];
	void *map;

	(void)puppet;
	if (file < 0 || ftruncate(file, 3 * PAGE))
		return -errno;
	map = mmap(NULL, 3 * PAGE, prot, flags, file, 0);
	close(file);
	return map == MAP_FAILED ? -errno : (long)map;
}

/* The caller's stack, as long as it stays in this task. */
static long do_call_with_stack(struct puppet *puppet, struct puppet_thread *me)
{
	unsigned char stack[3 * PAGE];
	long ret;

	memset(stack, 0, sizeof(stack));
	me->argument[0] = (long)stack;
	ret = lsa_call(puppet->device, &me->call);
	memcpy(puppet->scratch, stack, sizeof(stack));
	return ret;
}

static long do_malloc(struct puppet *puppet, struct puppet_thread *me)
{
	(void)puppet;
	return (long)calloc(1, me->argument[0]);
}

/*
 * Copy three pages but some bytes to and from zeroed memory of the client, and
 * look at all of it.
 */
static void check_plain(struct __test_metadata *_metadata, PAIR *self,
			__u64 address)
{
	unsigned char bytes[3 * PAGE], seen[3 * PAGE];
	const size_t length = 3 * PAGE - 123;
	__u64 id = begin(_metadata, self), done;

	fill(bytes, address, length);
	EXPECT_EQ(0, lsa_copy_to(self->authority, id, address + 61, bytes,
				 length, &done));
	EXPECT_EQ(length, done);
	EXPECT_EQ(0, peek(self->client, address, seen, sizeof(seen)));
	EXPECT_TRUE(all_bytes(seen, 0, 61));
	EXPECT_EQ(0, memcmp(bytes, seen + 61, length));
	EXPECT_TRUE(all_bytes(seen + 61 + length, 0, 62));
	memset(seen, 0, sizeof(seen));
	EXPECT_EQ(0, lsa_copy_from(self->authority, id, address + 61, seen,
				   length, &done));
	EXPECT_EQ(length, done);
	EXPECT_EQ(0, memcmp(bytes, seen, length));
	end(_metadata, self, id);
}

TEST_F(pair, anonymous_memory)
{
	/* Never touched before, and touched */
	check_plain(_metadata, self,
		    remote_mmap(self->client, 3 * PAGE, READ_WRITE, 0));
	check_plain(_metadata, self,
		    remote_mmap(self->client, 3 * PAGE, READ_WRITE,
				MAP_POPULATE));
}

TEST_F(pair, heap_memory)
{
	__u64 address = ask(self->client, SIDE, do_malloc, 3 * PAGE);

	ASSERT_NE(0, address);
	check_plain(_metadata, self, address);
}

TEST_F(pair, stack_memory)
{
	struct lsabuf_reply_receive request;
	unsigned char bytes[2 * PAGE];

	fill(bytes, 1, sizeof(bytes));
	new_call(self->client, CALLER, 0);
	tell(self->client, CALLER, do_call_with_stack);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(0, lsa_copy_to(self->authority, request.out_id,
				 self->client->thread[CALLER].argument[0] + 7,
				 bytes, sizeof(bytes), NULL));
	end(_metadata, self, request.out_id);
	EXPECT_EQ(sizeof(bytes),
		  filled(self->client->scratch + 7, 1, sizeof(bytes)));
	EXPECT_EQ(0, self->client->scratch[6]);
	EXPECT_EQ(0, self->client->scratch[7 + sizeof(bytes)]);
}

TEST_F(pair, submit_buffer)
{
	struct lsabuf_reply_receive request;
	unsigned char *snapshot;

	fill(self->client->submit, 1, 5000);
	start_call(self->client, CALLER, 5000);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(to_u64(self->client->submit), request.out_client_address);
	EXPECT_EQ(5000, request.out_submit_length);
	snapshot = to_pointer(request.out_submit_address);
	EXPECT_EQ(5000, filled(snapshot, 1, 5000));
	/* The package changes its copy and writes it back. */
	fill(snapshot, 2, 5000);
	EXPECT_EQ(5000, filled(self->client->submit, 1, 5000));
	EXPECT_EQ(0, lsa_copy_to(self->authority, request.out_id,
				 request.out_client_address, snapshot, 5000,
				 NULL));
	EXPECT_EQ(5000, filled(self->client->submit, 2, 5000));
	end(_metadata, self, request.out_id);
}

TEST_F(pair, file_memory)
{
	__u64 address =
		ask(self->client, SIDE, do_shared_file, MAP_SHARED, READ_WRITE);

	check_plain(_metadata, self, address);
	address = ask(self->client, SIDE, do_shared_file, MAP_PRIVATE,
		      READ_WRITE);
	check_plain(_metadata, self, address);
}

static long do_private_over_file(struct puppet *puppet,
				 struct puppet_thread *me)
{
	int file = memfd_create("file", MFD_CLOEXEC);
	char *shared, *private;
	__u64 address;

	(void)me;
	if (file < 0 || ftruncate(file, PAGE))
		return -errno;
	shared = mmap(NULL, PAGE, READ_WRITE, MAP_SHARED, file, 0);
	private = mmap(NULL, PAGE, READ_WRITE, MAP_PRIVATE, file, 0);
	close(file);
	memset(shared, 'f', PAGE);
	puppet->flag[0] = private[0];
	address = to_u64(shared);
	memcpy(puppet->scratch, &address, sizeof(address));
	return (long)private;
}

/* A private mapping of a file: the file does not change. */
TEST_F(pair, private_file_memory)
{
	__u64 private = ask(self->client, SIDE, do_private_over_file), shared;
	__u64 id = begin(_metadata, self);
	char seen = 0;

	memcpy(&shared, self->client->scratch, sizeof(shared));
	EXPECT_EQ(0, lsa_copy_to(self->authority, id, private, "p", 1, NULL));
	end(_metadata, self, id);
	EXPECT_EQ(0, peek(self->client, private, &seen, 1));
	EXPECT_EQ('p', seen);
	EXPECT_EQ(0, peek(self->client, shared, &seen, 1));
	EXPECT_EQ('f', seen);
}

/* A child that keeps its copy of the memory until flag[1] is set. */
static long do_fork_keeper(struct puppet *puppet, struct puppet_thread *me)
{
	unsigned char *memory = (void *)me->argument[0];
	pid_t child = fork();

	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	wait_nonzero(&puppet->flag[1]);
	_exit(filled(memory, 1, 3 * PAGE) == 3 * PAGE ? 0 : 1);
}

static long do_wait_child(struct puppet *puppet, struct puppet_thread *me)
{
	int status;

	(void)puppet;
	if (waitpid(me->argument[0], &status, 0) < 0)
		return -errno;
	return status;
}

/* Memory that a fork left to be copied on write: the child's stays. */
TEST_F(pair, copy_on_write_memory)
{
	__u64 address = remote_mmap(self->client, 3 * PAGE, READ_WRITE, 0);
	unsigned char bytes[3 * PAGE];
	__u64 id, done;
	pid_t child;

	ask(self->client, SIDE, do_fill, address, 1, 3 * PAGE);
	child = ask(self->client, SIDE, do_fork_keeper, address);
	ASSERT_LT(0, child);
	fill(bytes, 2, sizeof(bytes));
	id = begin(_metadata, self);
	EXPECT_EQ(0, lsa_copy_to(self->authority, id, address, bytes,
				 sizeof(bytes), &done));
	EXPECT_EQ(sizeof(bytes), done);
	end(_metadata, self, id);
	EXPECT_EQ(sizeof(bytes), ask(self->client, SIDE, do_filled, address, 2,
				     sizeof(bytes)));
	self->client->flag[1] = 1;
	EXPECT_EQ(0, ask(self->client, SIDE, do_wait_child, child));
}

/* The kernel's page of zeroes stays one. */
TEST_F(pair, zero_page_memory)
{
	__u64 address = remote_mmap(self->client, 3 * PAGE, READ_WRITE, 0);

	EXPECT_TRUE(reads_zero(self->client, address, 3 * PAGE));
	check_plain(_metadata, self, address);
	address = remote_mmap(self->client, 3 * PAGE, PROT_READ, 0);
	EXPECT_TRUE(reads_zero(self->client, address, 3 * PAGE));
}

/* 16 MiB of compressed memory to swap to, where the kernel has zram. */
static bool swap_start(void)
{
	unsigned char header[PAGE] = {};
	__u32 *info = (void *)(header + 1024);
	int file;

	if (write_text("/sys/block/zram0/disksize", "16M"))
		return false;
	info[0] = 1;
	info[1] = MIB(16) / PAGE - 1;
	memcpy(header + PAGE - 10, "SWAPSPACE2", 10);
	file = open("/dev/zram0", O_WRONLY);
	if (file < 0 || write(file, header, PAGE) != PAGE)
		return false;
	close(file);
	return !syscall(SYS_swapon, "/dev/zram0", 0);
}

static void swap_stop(void)
{
	syscall(SYS_swapoff, "/dev/zram0");
	write_text("/sys/block/zram0/reset", "1");
}

/* Memory that is not there now: swapped out, or given back. */
TEST_F(pair, paged_out_memory)
{
	__u64 address =
		remote_mmap(self->client, 3 * PAGE, READ_WRITE, MAP_POPULATE);
	bool swap = swap_start();
	unsigned char seen[3 * PAGE];
	__u64 id;

	if (!swap)
		TH_LOG("no zram: nothing is really swapped out");
	ask(self->client, SIDE, do_fill, address, 1, 3 * PAGE);
	remote(self->client, SYS_madvise, address, 3 * PAGE, MADV_PAGEOUT);
	id = begin(_metadata, self);
	EXPECT_EQ(0, lsa_copy_from(self->authority, id, address, seen, 3 * PAGE,
				   NULL));
	EXPECT_EQ(3 * PAGE, filled(seen, 1, 3 * PAGE));
	remote(self->client, SYS_madvise, address, 3 * PAGE, MADV_PAGEOUT);
	EXPECT_EQ(0, lsa_copy_to(self->authority, id, address + PAGE, "x", 1,
				 NULL));
	end(_metadata, self, id);
	EXPECT_EQ(PAGE, ask(self->client, SIDE, do_filled, address, 1, PAGE));
	EXPECT_EQ(0, peek(self->client, address + PAGE, seen, 2));
	EXPECT_EQ('x', seen[0]);
	EXPECT_EQ(pattern(1, PAGE + 1), seen[1]);

	ASSERT_EQ(0, remote(self->client, SYS_madvise, address, 3 * PAGE,
			    MADV_DONTNEED));
	check_plain(_metadata, self, address);
	if (swap)
		swap_stop();
}

TEST_F(pair, huge_pages)
{
	const __u64 length = MIB(6);
	unsigned char *bytes = malloc(length), *back = malloc(length);
	__u64 address = remote_mmap(self->client, length, READ_WRITE, 0);
	__u64 id, done;

	remote(self->client, SYS_madvise, address, length, MADV_HUGEPAGE);
	ask(self->client, SIDE, do_fill, address, 1, length);
	fill(bytes, 2, length);
	id = begin(_metadata, self);
	EXPECT_EQ(0, lsa_copy_to(self->authority, id, address + 1, bytes,
				 length - 2, &done));
	EXPECT_EQ(length - 2, done);
	EXPECT_EQ(0, lsa_copy_from(self->authority, id, address + 1, back,
				   length - 2, &done));
	end(_metadata, self, id);
	EXPECT_EQ(0, memcmp(bytes, back, length - 2));
	EXPECT_EQ(1, ask(self->client, SIDE, do_filled, address, 1, 1));
	free(bytes);
	free(back);
}

TEST_F(pair, hugetlb_memory)
{
	const char *knob = "/proc/sys/vm/nr_hugepages";
	char *old = read_text(knob);
	long long address;

	write_text(knob, "2");
	address = remote_mmap(self->client, MIB(4), READ_WRITE, MAP_HUGETLB);
	if (address > 0 || address < -4096) {
		check_plain(_metadata, self, address + MIB(2) - PAGE);
		remote(self->client, SYS_munmap, address, MIB(4));
	} else {
		TH_LOG("no huge pages: %s", strerror(-address));
	}
	write_text(knob, old);
	free(old);
}

/* Copy @length bytes at @address both ways; each has to stop at @good. */
static void check_stops(struct __test_metadata *_metadata, PAIR *self,
			__u64 address, __u64 length, __u64 readable,
			__u64 writable)
{
	unsigned char *bytes = malloc(length);
	__u64 id = begin(_metadata, self), done;

	memset(bytes, 0xee, length);
	test_err_copy_from(EFAULT, self->authority, id, address, bytes, length,
			   &done);
	EXPECT_EQ(readable, done);
	EXPECT_TRUE(all_bytes(bytes + done, 0xee, length - done));
	memset(bytes, 0x77, length);
	test_err_copy_to(EFAULT, self->authority, id, address, bytes, length,
			 &done);
	EXPECT_EQ(writable, done);
	end(_metadata, self, id);
	EXPECT_EQ(1,
		  ask(self->client, SIDE, do_all_bytes, address, 0x77, done));
	free(bytes);
}

TEST_F(pair, unmapped_memory)
{
	__u64 address = remote_mmap(self->client, PAGE, READ_WRITE, 0);

	remote(self->client, SYS_munmap, address, PAGE);
	check_stops(_metadata, self, address, 100, 0, 0);
	check_stops(_metadata, self, 0, 100, 0, 0);
}

/* Addresses that belong to no process */
TEST_F(pair, kernel_addresses)
{
	const __u64 bad[] = {
		1ULL << 47,   1ULL << 63,    ~0ULL,
		~0ULL - 4095, -(1ULL << 47), 0xffffffff81000000ULL,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		check_stops(_metadata, self, bad[i], 1, 0, 0);
}

TEST_F(pair, overflowing_range)
{
	__u64 id = begin(_metadata, self), done;
	char bytes[16];

	test_err_copy_to(EFAULT, self->authority, id, ~0ULL - 7, bytes, 16,
			 &done);
	EXPECT_EQ(0, done);
	test_err_copy_to(EFAULT, self->authority, id,
			 to_u64(self->client->submit), bytes, ~0ULL, &done);
	EXPECT_LE(done, 16);
	end(_metadata, self, id);
}

TEST_F(pair, half_valid_memory)
{
	__u64 address =
		remote_mmap(self->client, 4 * PAGE, READ_WRITE, MAP_POPULATE);

	remote(self->client, SYS_munmap, address + 2 * PAGE, PAGE);
	check_stops(_metadata, self, address + 100, 3 * PAGE, 2 * PAGE - 100,
		    2 * PAGE - 100);
	check_stops(_metadata, self, address + 2 * PAGE - 1, 2, 1, 1);
	/* What is beyond the hole has not been touched. */
	EXPECT_TRUE(reads_zero(self->client, address + 3 * PAGE, PAGE));
}

TEST_F(pair, read_only_memory)
{
	__u64 address =
		remote_mmap(self->client, 3 * PAGE, READ_WRITE, MAP_POPULATE);
	unsigned char seen[3 * PAGE];
	__u64 id, done;

	ask(self->client, SIDE, do_fill, address, 1, 3 * PAGE);
	remote(self->client, SYS_mprotect, address + PAGE, PAGE, PROT_READ);
	id = begin(_metadata, self);
	EXPECT_EQ(0, lsa_copy_from(self->authority, id, address, seen, 3 * PAGE,
				   NULL));
	EXPECT_EQ(3 * PAGE, filled(seen, 1, 3 * PAGE));
	memset(seen, 0, sizeof(seen));
	test_err_copy_to(EFAULT, self->authority, id, address + PAGE, seen, 1,
			 &done);
	EXPECT_EQ(0, done);
	test_err_copy_to(EFAULT, self->authority, id, address + PAGE - 5, seen,
			 10, &done);
	EXPECT_EQ(5, done);
	end(_metadata, self, id);
	EXPECT_EQ(0, peek(self->client, address + PAGE, seen, PAGE));
	EXPECT_EQ(pattern(1, PAGE), seen[0]);
}

TEST_F(pair, read_only_file_memory)
{
	__u64 address =
		ask(self->client, SIDE, do_shared_file, MAP_SHARED, PROT_READ);
	__u64 id = begin(_metadata, self), done;
	char byte = 1;

	test_err_copy_to(EFAULT, self->authority, id, address, &byte, 1, &done);
	EXPECT_EQ(0,
		  lsa_copy_from(self->authority, id, address, &byte, 1, &done));
	end(_metadata, self, id);
	EXPECT_EQ(0, byte);
}

TEST_F(pair, protected_memory)
{
	__u64 address =
		remote_mmap(self->client, 3 * PAGE, READ_WRITE, MAP_POPULATE);

	remote(self->client, SYS_mprotect, address + PAGE, PAGE, PROT_NONE);
	check_stops(_metadata, self, address + PAGE, 10, 0, 0);
	check_stops(_metadata, self, address + PAGE - 5, 10, 5, 5);
	EXPECT_EQ(SIGSEGV, peek(self->client, address + PAGE, &address, 1));
}

static long do_forbid_key(struct puppet *puppet, struct puppet_thread *me)
{
	(void)puppet;
	return pkey_set(me->argument[0], PKEY_DISABLE_ACCESS);
}

static long do_allow_key(struct puppet *puppet, struct puppet_thread *me)
{
	(void)puppet;
	return pkey_set(me->argument[0], 0);
}

/* The kernel may do what the calling thread may do. */
TEST_F(pair, keyed_memory)
{
	__u64 address =
		remote_mmap(self->client, PAGE, READ_WRITE, MAP_POPULATE);
	long key = remote(self->client, SYS_pkey_alloc, 0, 0);
	unsigned char bytes[PAGE];
	__u64 id, done;

	if (key < 0)
		SKIP(return, "the processor has no protection keys");
	ASSERT_EQ(0, remote(self->client, SYS_pkey_mprotect, address, PAGE,
			    READ_WRITE, key));
	ask(self->client, CALLER, do_forbid_key, key);
	fill(bytes, 1, PAGE);
	id = begin(_metadata, self);
	test_err_copy_to(EFAULT, self->authority, id, address, bytes, PAGE,
			 &done);
	EXPECT_EQ(0, done);
	test_err_copy_from(EFAULT, self->authority, id, address, bytes, PAGE,
			   &done);
	EXPECT_EQ(0, done);
	end(_metadata, self, id);
	EXPECT_TRUE(reads_zero(self->client, address, PAGE));

	ask(self->client, CALLER, do_allow_key, key);
	id = begin(_metadata, self);
	EXPECT_EQ(0, lsa_copy_to(self->authority, id, address, bytes, PAGE,
				 &done));
	end(_metadata, self, id);
	EXPECT_EQ(PAGE, ask(self->client, SIDE, do_filled, address, 1, PAGE));
}

/* A page without a key is not worse off because the next one has one. */
TEST_F(pair, vector_beside_key)
{
	__u64 address =
		remote_mmap(self->client, 3 * PAGE, READ_WRITE, MAP_POPULATE);
	long key = remote(self->client, SYS_pkey_alloc, 0, 0);
	struct lsabuf_copy_range vector[3];
	unsigned char bytes[3 * 28];
	__u64 id, done;
	int i;

	if (key < 0)
		SKIP(return, "the processor has no protection keys");
	ASSERT_EQ(0, remote(self->client, SYS_pkey_mprotect, address + PAGE,
			    PAGE, READ_WRITE, key));
	ask(self->client, CALLER, do_forbid_key, key);
	fill(bytes, 1, sizeof(bytes));
	for (i = 0; i < 3; i++)
		vector[i] = (struct lsabuf_copy_range){ address + i * PAGE,
							to_u64(bytes + i * 28),
							28 };
	id = begin(_metadata, self);
	test_err_copy_vector(EFAULT, self->authority, id, 0, vector, 3, &done);
	EXPECT_EQ(28, done);
	end(_metadata, self, id);
	EXPECT_EQ(28, ask(self->client, SIDE, do_filled, address, 1, 28));
	ask(self->client, CALLER, do_allow_key, key);
	ask(self->client, SIDE, do_allow_key, key);
	EXPECT_TRUE(reads_zero(self->client, address + PAGE, 2 * PAGE));
}

/* An address of the authority's own is nothing in the client. */
TEST_F(pair, local_address_as_client_address)
{
	unsigned char *local = mmap(NULL, PAGE, READ_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct lsabuf_reply_receive request;
	char byte = 1;
	__u64 done;

	start_call(self->client, CALLER, 16);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	test_err_copy_to(EFAULT, self->authority, request.out_id, to_u64(local),
			 &byte, 1, &done);
	test_err_copy_to(EFAULT, self->authority, request.out_id,
			 request.out_submit_address, &byte, 1, &done);
	EXPECT_EQ(0, *local);
	end(_metadata, self, request.out_id);
}

/* Memory of the arena that is no block now */
TEST_F(pair, arena_without_block)
{
	__u64 block = give_block(_metadata, self, 64);

	ASSERT_EQ(0, client_free(self->client, block));
	check_stops(_metadata, self, block, 16, 0, 0);
}

/*
 * Grants
 */

#define REGION (4 * PAGE)

/* A client with that access whose region is filled with a pattern. */
static struct puppet *granting_client(PAIR *self, __u32 access, __u64 *region)
{
	struct puppet *client = client_start(self->name, access);

	if (client) {
		*region = remote_mmap(client, REGION, READ_WRITE, 0);
		ask(client, SIDE, do_fill, *region, 9, REGION);
	}
	return client;
}

static bool untouched(struct puppet *client, __u64 region)
{
	return ask(client, SIDE, do_filled, region, 9, REGION) == REGION;
}

/* The authority must not read or write there. */
static void check_denied(struct __test_metadata *_metadata, int authority,
			 __u64 id, __u64 address, __u64 length)
{
	unsigned char bytes[REGION];
	__u64 done;

	memset(bytes, 0xee, sizeof(bytes));
	test_err_copy_from(EACCES, authority, id, address, bytes, length,
			   &done);
	EXPECT_EQ(0, done);
	EXPECT_TRUE(all_bytes(bytes, 0xee, sizeof(bytes)));
	test_err_copy_to(EACCES, authority, id, address, bytes, length, &done);
	EXPECT_EQ(0, done);
}

TEST_F(pair, access_buffers)
{
	struct lsabuf_reply_receive request;
	struct puppet *client;
	__u64 region, block, id;

	client = granting_client(self, LSABUF_ACCESS_BUFFERS, &region);
	ASSERT_TRUE(!!client);
	fill(client->submit, 9, REGION);
	start_call(client, CALLER, 100);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(LSABUF_ACCESS_BUFFERS, request.out_access);
	id = request.out_id;
	check_denied(_metadata, self->authority, id, region, REGION);
	check_denied(_metadata, self->authority, id, region + 1, 1);
	check_denied(_metadata, self->authority, id, to_u64(client->submit),
		     100);
	check_denied(_metadata, self->authority, id, 0, 1);
	check_denied(_metadata, self->authority, id, ~0ULL - 15, 8);
	/* Its blocks are open, from begin to end and no further. */
	ASSERT_EQ(0, lsa_alloc(self->authority, id, 64, &block));
	EXPECT_EQ(0, lsa_copy_to(self->authority, id, block, "x", 1, NULL));
	EXPECT_EQ(0,
		  lsa_copy_to(self->authority, id, block + 63, "x", 1, NULL));
	EXPECT_EQ(0, lsa_reply(self->authority, id));
	EXPECT_EQ(0, hear(client, CALLER));
	EXPECT_TRUE(untouched(client, region));
	EXPECT_EQ(REGION, filled(client->submit, 9, REGION));
	puppet_stop(client);
}

/* A call that opens one range; returns the id of its request. */
static __u64 begin_range(struct __test_metadata *_metadata, PAIR *self,
			 struct puppet *client, __u64 address, __u64 length,
			 __u32 flags)
{
	struct lsabuf_range *range = (void *)client->submit;
	struct lsabuf_reply_receive request;
	struct lsabuf_call *call = new_call(client, CALLER, 0);

	*range = (struct lsabuf_range){ address, length, flags, 0 };
	call->ranges_address = to_u64(range);
	call->nr_ranges = 1;
	tell(client, CALLER, do_call);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(LSABUF_ACCESS_RANGES, request.out_access);
	/* It was taken when the call was made. */
	memset(range, 0xff, sizeof(*range));
	return request.out_id;
}

static void end_client(struct __test_metadata *_metadata, PAIR *self,
		       struct puppet *client, __u64 id)
{
	ASSERT_EQ(0, lsa_reply(self->authority, id));
	ASSERT_EQ(0, hear(client, CALLER));
}

TEST_F(pair, access_ranges)
{
	struct puppet *client;
	unsigned char bytes[REGION];
	__u64 region, start, id, done;
	const __u64 length = 5000;

	client = granting_client(self, LSABUF_ACCESS_RANGES, &region);
	ASSERT_TRUE(!!client);
	start = region + 100;
	fill(bytes, 1, sizeof(bytes));
	id = begin_range(_metadata, self, client, start, length,
			 LSABUF_RANGE_F_READ | LSABUF_RANGE_F_WRITE);
	check_denied(_metadata, self->authority, id, start, length + 1);
	check_denied(_metadata, self->authority, id, start - 1, 2);
	check_denied(_metadata, self->authority, id, start - 1, length + 2);
	check_denied(_metadata, self->authority, id, start + length - 1, 2);
	check_denied(_metadata, self->authority, id, start + length, 1);
	check_denied(_metadata, self->authority, id, region, 1);
	/* Begins in the range, and ends before it once it has wrapped around */
	test_err_copy_to(EFAULT, self->authority, id, start, bytes, 8 - start,
			 &done);
	EXPECT_EQ(0, done);
	EXPECT_TRUE(untouched(client, region));

	EXPECT_EQ(0, lsa_copy_to(self->authority, id, start, bytes, length,
				 &done));
	EXPECT_EQ(length, done);
	EXPECT_EQ(0, lsa_copy_to(self->authority, id, start + length, bytes, 0,
				 &done));
	end_client(_metadata, self, client, id);
	EXPECT_EQ(100, ask(client, SIDE, do_filled, region, 9, 100));
	EXPECT_EQ(length, ask(client, SIDE, do_filled, start, 1, length));
	EXPECT_EQ(0, peek(client, start + length, bytes, 1));
	EXPECT_EQ(pattern(9, 100 + length), bytes[0]);
	puppet_stop(client);
}

TEST_F(pair, range_directions)
{
	unsigned char bytes[100];
	struct puppet *client;
	__u64 region, id, done;

	client = granting_client(self, LSABUF_ACCESS_RANGES, &region);
	ASSERT_TRUE(!!client);
	id = begin_range(_metadata, self, client, region, 100,
			 LSABUF_RANGE_F_READ);
	test_err_copy_to(EACCES, self->authority, id, region, bytes, 1, &done);
	EXPECT_EQ(0, lsa_copy_from(self->authority, id, region, bytes, 100,
				   &done));
	EXPECT_EQ(100, filled(bytes, 9, 100));
	end_client(_metadata, self, client, id);
	EXPECT_TRUE(untouched(client, region));

	id = begin_range(_metadata, self, client, region, 100,
			 LSABUF_RANGE_F_WRITE);
	memset(bytes, 0, sizeof(bytes));
	test_err_copy_from(EACCES, self->authority, id, region, bytes, 1,
			   &done);
	EXPECT_EQ(0, bytes[0]);
	EXPECT_EQ(0,
		  lsa_copy_to(self->authority, id, region, bytes, 100, &done));
	end_client(_metadata, self, client, id);
	EXPECT_TRUE(reads_zero(client, region, 100));
	puppet_stop(client);
}

/* What one call opens is closed in the next, and in another at its side. */
TEST_F(pair, ranges_are_per_call)
{
	struct lsabuf_reply_receive request;
	struct puppet *client;
	__u64 region, id;

	client = granting_client(self, LSABUF_ACCESS_RANGES, &region);
	ASSERT_TRUE(!!client);
	id = begin_range(_metadata, self, client, region, 100,
			 LSABUF_RANGE_F_READ | LSABUF_RANGE_F_WRITE);
	start_call(client, SECOND, 0);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	check_denied(_metadata, self->authority, request.out_id, region, 1);
	end_client(_metadata, self, client, id);
	check_denied(_metadata, self->authority, request.out_id, region, 1);
	EXPECT_EQ(0, lsa_reply(self->authority, request.out_id));
	EXPECT_EQ(0, hear(client, SECOND));
	id = begin_with(_metadata, self->authority, client);
	check_denied(_metadata, self->authority, id, region, 1);
	end_client(_metadata, self, client, id);
	EXPECT_TRUE(untouched(client, region));
	puppet_stop(client);
}

TEST_F(pair, many_ranges)
{
	struct lsabuf_reply_receive request;
	struct lsabuf_range *range;
	struct puppet *client;
	unsigned char byte;
	__u64 region, done;
	int i, ret;

	client = granting_client(self, LSABUF_ACCESS_RANGES, &region);
	ASSERT_TRUE(!!client);
	range = (void *)client->submit;
	for (i = 0; i < LSABUF_MAX_RANGES; i++)
		range[i] = (struct lsabuf_range){ region + i * 200, 100,
						  LSABUF_RANGE_F_READ, 0 };
	new_call(client, CALLER, 0)->ranges_address = to_u64(range);
	client->thread[CALLER].call.nr_ranges = LSABUF_MAX_RANGES;
	tell(client, CALLER, do_call);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	for (i = 0; i < LSABUF_MAX_RANGES * 200; i++) {
		ret = lsa_copy_from(self->authority, request.out_id, region + i,
				    &byte, 1, &done);
		ASSERT_EQ(i % 200 < 100 ? 0 : -EACCES, ret);
		if (!ret)
			ASSERT_EQ(pattern(9, i), byte);
	}
	end_client(_metadata, self, client, request.out_id);
	puppet_stop(client);
}

/* A vector stops with EACCES where it leaves the grant. */
TEST_F(pair, vector_leaves_grant)
{
	struct lsabuf_copy_range vector[2];
	unsigned char bytes[20];
	struct puppet *client;
	__u64 region, id, done;

	client = granting_client(self, LSABUF_ACCESS_RANGES, &region);
	ASSERT_TRUE(!!client);
	id = begin_range(_metadata, self, client, region, 100,
			 LSABUF_RANGE_F_READ);
	vector[0] = (struct lsabuf_copy_range){ region, to_u64(bytes), 10 };
	vector[1] = (struct lsabuf_copy_range){ region + 95, to_u64(bytes + 10),
						10 };
	memset(bytes, 0xee, sizeof(bytes));
	test_err_copy_vector(EACCES, self->authority, id,
			     LSABUF_COPY_F_FROM_CLIENT, vector, 2, &done);
	EXPECT_TRUE(done == 0 || done == 10);
	EXPECT_TRUE(all_bytes(bytes + done, 0xee, sizeof(bytes) - done));
	end_client(_metadata, self, client, id);
	puppet_stop(client);
}

TEST_F(pair, access_whole)
{
	struct puppet *client;
	unsigned char bytes[16];
	__u64 region, id;

	client = granting_client(self, LSABUF_ACCESS_WHOLE, &region);
	ASSERT_TRUE(!!client);
	id = begin_with(_metadata, self->authority, client);
	EXPECT_EQ(0,
		  lsa_copy_from(self->authority, id, region, bytes, 16, NULL));
	EXPECT_EQ(16, filled(bytes, 9, 16));
	EXPECT_EQ(0, lsa_copy_to(self->authority, id, region, bytes, 16, NULL));
	end_client(_metadata, self, client, id);
	EXPECT_TRUE(untouched(client, region));
	puppet_stop(client);
}

/*
 * Ways of a copy
 */

TEST_F(pair, paths)
{
	__u64 resident =
		remote_mmap(self->client, PAGE, READ_WRITE, MAP_POPULATE);
	__u64 absent = remote_mmap(self->client, PAGE, READ_WRITE, 0);
	__u64 id, block;
	char byte = 1;

	ASSERT_EQ(0, trace_start("lsabuf/lsabuf_copy"));
	ask(self->client, SIDE, do_fill, resident, 1, PAGE);
	id = begin(_metadata, self);
	ASSERT_EQ(0, lsa_alloc(self->authority, id, 16, &block));

	trace_clear();
	EXPECT_EQ(0, lsa_copy_to(self->authority, id, block, &byte, 1, NULL));
	EXPECT_EQ(1, traced("path=block"));
	EXPECT_EQ(0, traced("path=resident") + traced("path=thread"));

	trace_clear();
	EXPECT_EQ(0,
		  lsa_copy_to(self->authority, id, resident, &byte, 1, NULL));
	EXPECT_EQ(1, traced("path=resident"));
	EXPECT_EQ(0, traced("path=block") + traced("path=thread"));

	trace_clear();
	EXPECT_EQ(0, lsa_copy_to(self->authority, id, absent, &byte, 1, NULL));
	EXPECT_EQ(1, traced("path=thread"));
	EXPECT_EQ(0, traced("path=block"));
	end(_metadata, self, id);
	trace_stop();
}

/* Without a thread that waits, only what needs none works. */
TEST_F(pair, no_thread)
{
	__u64 resident =
		remote_mmap(self->client, PAGE, READ_WRITE, MAP_POPULATE);
	__u64 absent = remote_mmap(self->client, PAGE, READ_WRITE, 0);
	struct lsabuf_call *call = new_call(self->client, CALLER, 0);
	struct lsabuf_reply_receive request;
	struct lsabuf_info info;
	__u64 done, start;

	ASSERT_EQ(0, lsa_info(self->authority, &info));
	ask(self->client, SIDE, do_fill, resident, 1, PAGE);
	call->flags = LSABUF_CALL_F_NOWAIT;
	ASSERT_EQ(0, ask(self->client, CALLER, do_call));
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_TRUE(request.out_flags & LSABUF_REQUEST_F_NOTHREAD);
	EXPECT_EQ(0, lsa_copy_to(self->authority, request.out_id, resident, "x",
				 1, &done));
	start = now_ns();
	test_err_copy_to(EAGAIN, self->authority, request.out_id, absent, "x",
			 1, &done);
	EXPECT_EQ(0, done);
	/* Nobody will come: there is nothing to wait for. */
	EXPECT_GT(info.out_chore_budget_ns / 2, now_ns() - start);
	EXPECT_EQ(0, lsa_reply(self->authority, request.out_id));
}

/*
 * Memory that never answers
 */

/* The copy ends at the budget; so does the request; others go on. */
TEST_F_TIMEOUT(pair, unanswered_fault, 60)
{
	struct puppet *stalled;
	struct lsabuf_info info;
	char *knob = allow_stalling();
	__u64 id, done, start, took;
	char byte = 1;
	long long address;

	stalled = client_start(self->name, LSABUF_ACCESS_WHOLE);
	ASSERT_TRUE(!!stalled);
	address = ask(stalled, SIDE, do_stalling_memory);
	ASSERT_FALSE(is_error(address));
	ASSERT_EQ(0, lsa_info(self->authority, &info));

	id = begin_with(_metadata, self->authority, stalled);
	start = now_ns();
	test_err_copy_to(ECANCELED, self->authority, id, address, &byte, 1,
			 &done);
	took = now_ns() - start;
	EXPECT_LE(info.out_chore_budget_ns / 2, took);
	EXPECT_LE(took, info.out_chore_budget_ns + AT_ONCE_NS);
	/* The request is given up, not only that copy. */
	test_err_copy_to(ECANCELED, self->authority, id,
			 to_u64(stalled->submit), &byte, 1, &done);
	test_err_alloc(ECANCELED, self->authority, id, 16, &done);
	test_err_reply(ECANCELED, self->authority, id);
	end(_metadata, self, begin(_metadata, self));
	/* It can be killed while it hangs there. */
	start = now_ns();
	puppet_stop(stalled);
	EXPECT_LE(now_ns() - start, AT_ONCE_NS);
	restore_stalling(knob);
}

/* Answer each fault, but late; until none comes any more. */
static long do_answer_late(struct puppet *puppet, struct puppet_thread *me)
{
	long answered = 0;
	__u64 page;

	while ((page = wait_fault(puppet->flag[6]))) {
		sleep_ms(me->argument[0]);
		answered += !answer_fault(puppet->flag[6], page, 1);
	}
	return answered;
}

/* Stalls of one request add up, though none is as long as the budget. */
TEST_F_TIMEOUT(pair, stalls_add_up, 60)
{
	const int pages = 8;
	struct lsabuf_info info;
	char *knob = allow_stalling();
	struct puppet *client;
	long long address;
	int i, ret = 0;
	__u64 id;

	client = client_start(self->name, LSABUF_ACCESS_WHOLE);
	ASSERT_TRUE(!!client);
	address = ask(client, SIDE, do_stalling_memory, pages * PAGE);
	ASSERT_FALSE(is_error(address));
	ASSERT_EQ(0, lsa_info(self->authority, &info));
	/* Two of them are within the budget, a third one is not. */
	tell(client, SECOND, do_answer_late,
	     info.out_chore_budget_ns / NSEC_PER_MSEC * 2 / 5);
	id = begin_with(_metadata, self->authority, client);
	for (i = 0; i < pages && !ret; i++)
		ret = lsa_copy_to(self->authority, id, address + i * PAGE, "x",
				  1, NULL);
	/* EAGAIN: it was all spent by a stall that just ended in time. */
	EXPECT_TRUE(ret == -ECANCELED || ret == -EAGAIN);
	EXPECT_LE(i, 3);
	lsa_reply(self->authority, id);
	puppet_stop(client);
	restore_stalling(knob);
}

/* A copy whose own memory, of the authority, is not there for a while */
struct late_copy {
	int authority;
	__u64 id;
	__u64 address;
	void *local;
	int result;
	int ended;
};

static void *late_copy_main(void *argument)
{
	struct late_copy *copy = argument;

	copy->result = lsa_copy_to(copy->authority, copy->id, copy->address,
				   copy->local, 16, NULL);
	__atomic_store_n(&copy->ended, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* The call is over when the bytes are there: they go nowhere. */
static void copy_too_late(struct __test_metadata *_metadata, PAIR *self,
			  __u64 address)
{
	struct late_copy copy = {
		.authority = self->authority,
		.address = address,
		.id = begin(_metadata, self),
	};
	int file = stalling_memory(PAGE, &copy.local);
	pthread_t thread;
	__u64 page;

	ASSERT_LE(0, file);
	pthread_create(&thread, NULL, late_copy_main, &copy);
	page = wait_fault(file);
	EXPECT_EQ(to_u64(copy.local), page);
	EXPECT_EQ(0, client_cancel(self->client, copy.id));
	EXPECT_EQ(-ECANCELED, hear(self->client, CALLER));
	ask(self->client, SIDE, do_fill, address, 1, 16);
	EXPECT_EQ(0, answer_fault(file, page, 0x77));
	pthread_join(thread, NULL);
	EXPECT_EQ(-ECANCELED, copy.result);
	EXPECT_EQ(16, ask(self->client, SIDE, do_filled, address, 1, 16));
	test_err_reply(ECANCELED, self->authority, copy.id);
	close(file);
}

TEST_F(pair, late_copy_to_block)
{
	copy_too_late(_metadata, self, give_block(_metadata, self, 16));
}

TEST_F(pair, late_copy_to_memory)
{
	copy_too_late(_metadata, self,
		      remote_mmap(self->client, PAGE, READ_WRITE,
				  MAP_POPULATE));
}

/* Copy again and again until that fails. */
struct busy_copy {
	struct late_copy copy;
	__u64 length;
	int copies;
	int stop;
};

static void *busy_copy_main(void *argument)
{
	struct busy_copy *busy = argument;
	struct late_copy *copy = &busy->copy;

	stay_on_cpu(sysconf(_SC_NPROCESSORS_ONLN) - 1);
	do {
		copy->result = lsa_copy_to(copy->authority, copy->id,
					   copy->address, copy->local,
					   busy->length, NULL);
		__atomic_add_fetch(&busy->copies, 1, __ATOMIC_RELEASE);
	} while (!copy->result);
	return NULL;
}

#define HOGS 3

static void *hog_main(void *argument)
{
	struct busy_copy *busy = argument;

	stay_on_cpu(sysconf(_SC_NPROCESSORS_ONLN) - 1);
	while (!__atomic_load_n(&busy->stop, __ATOMIC_ACQUIRE))
		;
	return NULL;
}

static long do_cancel_and_set(struct puppet *puppet, struct puppet_thread *me)
{
	long ret = call_cancel(puppet->device, me->argument[0]);

	memset(to_pointer(me->argument[1]), 0x11, me->argument[2]);
	return ret;
}

/*
 * The client takes its memory back while copies to it are under way, which
 * others on their processor interrupt at any point: no byte comes later.
 */
TEST_F_TIMEOUT(pair, cancel_races_copy, STRESS_TIMEOUT)
{
	unsigned int i, rounds = scaled(100);
	struct busy_copy busy = {
		.copy.authority = self->authority,
		.copy.local = calloc(1, 16 * PAGE),
		.length = 16 * PAGE,
	};
	__u64 address = remote_mmap(self->client, busy.length, READ_WRITE,
				    MAP_POPULATE);
	pthread_t thread, hogs[HOGS];

	busy.copy.address = address;
	for (i = 0; i < HOGS; i++)
		pthread_create(&hogs[i], NULL, hog_main, &busy);
	for (i = 0; i < rounds; i++) {
		busy.copies = 0;
		busy.copy.id = begin(_metadata, self);
		pthread_create(&thread, NULL, busy_copy_main, &busy);
		EXPECT_TRUE(wait_nonzero(&busy.copies));
		usleep(i * 137 % 3000);
		EXPECT_EQ(0, ask(self->client, SIDE, do_cancel_and_set,
				 busy.copy.id, address, busy.length));
		pthread_join(thread, NULL);
		EXPECT_EQ(-ECANCELED, busy.copy.result);
		EXPECT_EQ(1, ask(self->client, SIDE, do_all_bytes, address,
				 0x11, busy.length));
		EXPECT_EQ(-ECANCELED, hear(self->client, CALLER));
		test_err_reply(ECANCELED, self->authority, busy.copy.id);
	}
	__atomic_store_n(&busy.stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < HOGS; i++)
		pthread_join(hogs[i], NULL);
	free(busy.copy.local);
}

#define STALLED 8
#define SERVERS 4
#define CODE_STALL 1
#define CODE_QUIT 2

struct server {
	int authority;
	pthread_t thread;
	unsigned int canceled;
};

/* Serve until told to quit; copy to the address that some calls name. */
static void *server_main(void *argument)
{
	struct server *server = argument;
	struct lsabuf_reply_receive io;
	__u64 id = 0;
	int ret;

	for (;;) {
		io = (struct lsabuf_reply_receive){
			.flags = LSABUF_REPLY_RECEIVE_F_RECEIVE,
			.reply_id = id,
		};
		if (lsa_reply_receive(server->authority, &io))
			return NULL;
		id = io.out_id;
		if (io.out_code == CODE_QUIT)
			break;
		if (io.out_code != CODE_STALL)
			continue;
		ret = lsa_copy_to(server->authority, id,
				  *(__u64 *)to_pointer(io.out_submit_address),
				  "x", 1, NULL);
		server->canceled += ret == -ECANCELED;
	}
	lsa_reply(server->authority, id);
	return NULL;
}

/* All the stalled clients' threads call, each with memory that hangs. */
static void start_stalling(struct __test_metadata *_metadata, PAIR *self,
			   struct puppet **stalled)
{
	long long address;
	int i, t;

	for (i = 0; i < STALLED; i++) {
		stalled[i] = client_start(self->name, LSABUF_ACCESS_WHOLE);
		ASSERT_TRUE(!!stalled[i]);
		address = ask(stalled[i], SIDE, do_stalling_memory);
		ASSERT_FALSE(is_error(address));
		memcpy(stalled[i]->submit, &address, sizeof(address));
		for (t = CALLER; t < PUPPET_THREADS; t++) {
			new_call(stalled[i], t, sizeof(__u64))->code =
				CODE_STALL;
			tell(stalled[i], t, do_call);
		}
	}
}

/* Eight stalling clients of one user do not stop another user's calls. */
TEST_F_TIMEOUT(pair, stalling_user, 120)
{
	struct server server[SERVERS] = {};
	struct puppet *stalled[STALLED], *honest;
	struct lsabuf_info info;
	char *knob = allow_stalling();
	unsigned int canceled = 0;
	__u64 start, took;
	int i;

	ASSERT_EQ(0, lsa_info(self->authority, &info));
	honest = client_start_as(SOMEBODY, self->name, LSABUF_ACCESS_WHOLE);
	ASSERT_TRUE(!!honest);
	for (i = 0; i < SERVERS; i++) {
		server[i].authority = self->authority;
		pthread_create(&server[i].thread, NULL, server_main,
			       &server[i]);
	}
	start_stalling(_metadata, self, stalled);
	for (i = 0; i < 50; i++) {
		start = now_ns();
		start_call(honest, CALLER, 8);
		ASSERT_EQ(0, hear(honest, CALLER));
		took = now_ns() - start;
		EXPECT_LE(took, info.out_chore_budget_ns + AT_ONCE_NS);
	}
	for (i = 0; i < SERVERS; i++) {
		new_call(honest, CALLER, 0)->code = CODE_QUIT;
		EXPECT_EQ(0, ask(honest, CALLER, do_call));
	}
	for (i = 0; i < SERVERS; i++) {
		pthread_join(server[i].thread, NULL);
		canceled += server[i].canceled;
	}
	EXPECT_LT(0, canceled);
	for (i = 0; i < STALLED; i++)
		puppet_stop(stalled[i]);
	puppet_stop(honest);
	restore_stalling(knob);
}

/* Make a page dirty, open the file again and map that. */
static long do_hold_own_mmap_lock(struct puppet *puppet,
				  struct puppet_thread *me)
{
	const char *name = (char *)puppet->scratch;
	int file = open(name, O_RDWR | O_CLOEXEC);
	char *map;

	(void)me;
	if (file < 0)
		return -errno;
	map = mmap(NULL, PAGE, READ_WRITE, MAP_SHARED, file, 0);
	if (map == MAP_FAILED)
		return -errno;
	*map = 1;
	file = open(name, O_RDWR | O_CLOEXEC);
	if (file < 0)
		return -errno;
	map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0);
	return map == MAP_FAILED ? -errno : 0;
}

/* A client that holds its own mmap_lock: ALLOC and COPY go on. */
TEST_F_TIMEOUT(pair, held_mmap_lock, 60)
{
	__u64 resident =
		remote_mmap(self->client, PAGE, READ_WRITE, MAP_POPULATE);
	struct late_copy copy = {
		.authority = self->authority,
		.address = resident,
		.local = "sixteen letters",
	};
	struct slow_fs fs;
	pthread_t thread;
	__u64 id, block, done, start;
	int ret = slow_fs_start(&fs, true);
	char byte = 1;

	if (ret == -ENOENT || ret == -ENODEV)
		SKIP(return, "no FUSE here");
	ASSERT_EQ(0, ret);
	id = begin(_metadata, self);
	ASSERT_EQ(0, lsa_alloc(self->authority, id, 64, &block));
	strcpy((char *)self->client->scratch, fs.file);
	tell(self->client, SECOND, do_hold_own_mmap_lock);
	ASSERT_TRUE(wait_nonzero(&fs.writing));
	ASSERT_TRUE(is_busy(self->client, SECOND));

	start = now_ns();
	EXPECT_EQ(0, lsa_copy_to(self->authority, id, block, "x", 1, &done));
	EXPECT_EQ(0,
		  lsa_copy_from(self->authority, id, block, &byte, 1, &done));
	EXPECT_EQ('x', byte);
	EXPECT_EQ(0, lsa_alloc(self->authority, id, 64, &block));
	EXPECT_EQ(0, lsa_copy_to(self->authority, id, block, "x", 1, &done));
	EXPECT_LE(now_ns() - start, AT_ONCE_NS);
	/* Memory that is there takes no lock of the client's own thread. */
	copy.id = id;
	pthread_create(&thread, NULL, late_copy_main, &copy);
	EXPECT_TRUE(wait_nonzero(&copy.ended));
	start = now_ns();
	/* What needs the lock is given up in time. */
	test_err_alloc(ECANCELED, self->authority, id, MIB(16), &block);
	test_err_reply(ECANCELED, self->authority, id);
	EXPECT_LE(now_ns() - start, 2 * AT_ONCE_NS);
	EXPECT_TRUE(is_busy(self->client, SECOND));
	slow_fs_stop(&fs);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, copy.result);
}

static long do_map_over(struct puppet *puppet, struct puppet_thread *me)
{
	void *map = mmap(to_pointer(me->argument[0]), me->argument[1],
			 READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			 -1, 0);

	return map == MAP_FAILED ? -errno : (long)map;
}

/*
 * The client maps something else over its arena while its call ends, and is
 * first: the pages of the block are not put there.
 */
TEST_F_TIMEOUT(pair, other_mapping_comes_first, 60)
{
	struct mapping arena;
	struct slow_fs fs;
	__u64 id, block;
	int ret = slow_fs_start(&fs, true);

	if (ret == -ENOENT || ret == -ENODEV)
		SKIP(return, "no FUSE here");
	ASSERT_EQ(0, ret);
	id = begin(_metadata, self);
	ASSERT_EQ(0, lsa_alloc_from(self->authority, id, 9000, "secret", 6,
				    &block));
	ASSERT_TRUE(find_mapping(self->client->pid, block, &arena));
	/* All of them wait for the mmap_lock, in this order. */
	strcpy((char *)self->client->scratch, fs.file);
	tell(self->client, SECOND, do_hold_own_mmap_lock);
	ASSERT_TRUE(wait_nonzero(&fs.writing));
	tell(self->client, SIDE, do_map_over, arena.start,
	     arena.end - arena.start);
	ASSERT_TRUE(wait_state(self->client, SIDE, "D"));
	ASSERT_EQ(0, lsa_reply(self->authority, id));
	ASSERT_TRUE(wait_state(self->client, CALLER, "D"));
	slow_fs_stop(&fs);
	EXPECT_EQ(arena.start, hear(self->client, SIDE));
	EXPECT_EQ(0, hear(self->client, CALLER));
	hear(self->client, SECOND);
	EXPECT_TRUE(
		reads_zero(self->client, arena.start, arena.end - arena.start));
}

TEST_HARNESS_MAIN
