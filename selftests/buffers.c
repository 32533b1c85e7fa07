// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks in the client: ALLOC, RELEASE, FREE and the payload of a reply;
 * quotas, limits of the client, wiping.
 */
#include "lsabuf_test.h"
#include "cgroups.h"

static __u64 quota_of(int file)
{
	struct lsabuf_info info;

	return lsa_info(file, &info) ? 0 : info.out_client_quota;
}

/* A size that no first arena has room for */
#define BIG MIB(16)

TEST_F_TIMEOUT(pair, sizes, 120)
{
	const __u64 sizes[] = { 1, 15, 16, 17, 4095, 4096, 4097, 65536, BIG };
	__u64 address;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		address = give_block(_metadata, self, sizes[i]);
		EXPECT_NE(0, address);
		EXPECT_EQ(0, address % 16);
		EXPECT_TRUE(reads_zero(self->client, address, sizes[i]));
		EXPECT_EQ(0, poke(self->client, address, "first", 1));
		EXPECT_EQ(0, poke(self->client, address + sizes[i] - 1, "last",
				  1));
		EXPECT_EQ(0, client_free(self->client, address));
	}
}

TEST_F(pair, impossible_sizes)
{
	const __u64 quota = quota_of(self->authority);
	const __u64 sizes[] = {
		quota + 1,  0xffffffffULL, 1ULL << 32,	 1ULL << 63,
		~0ULL - 15, ~0ULL,	   ~0ULL - 4095,
	};
	__u64 id = begin(_metadata, self), address;
	char *maps = read_maps(self->client->pid);
	size_t i;

	test_err_alloc(EINVAL, self->authority, id, 0, &address);
	EXPECT_EQ(0, address);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		test_err_alloc(EDQUOT, self->authority, id, sizes[i], &address);
		EXPECT_EQ(0, address);
	}
	EXPECT_TRUE(maps_unchanged(self->client->pid, maps));
	EXPECT_EQ(0, lsa_alloc(self->authority, id, 1, &address));
	end(_metadata, self, id);
	free(maps);
}

TEST_F(pair, unknown_requests)
{
	__u64 id = begin(_metadata, self), address;

	test_err_alloc(ENOENT, self->authority, NO_SUCH_ID, 16, &address);
	test_err_alloc(ENOENT, self->authority, 0, 16, &address);
	end(_metadata, self, id);
	test_err_alloc(ENOENT, self->authority, id, 16, &address);
	test_err_release(ENOENT, self->authority, id, 16);
}

/* Blocks of many sizes at a time do not touch each other. */
TEST_F(pair, blocks_are_apart)
{
	const int nr = 120;
	__u64 id = begin(_metadata, self), address[nr], length;
	unsigned char buffer[4096];
	int i;

	for (i = 0; i < nr; i++) {
		length = 1 + i * 29;
		fill(buffer, i, length);
		ASSERT_EQ(0, lsa_alloc_from(self->authority, id, length, buffer,
					    length, &address[i]));
	}
	end(_metadata, self, id);
	for (i = 0; i < nr; i++) {
		length = 1 + i * 29;
		EXPECT_EQ(length, ask(self->client, SIDE, do_filled, address[i],
				      i, length));
		EXPECT_EQ(0, client_free(self->client, address[i]));
	}
}

/* Wherever arenas are made: a pointer of the client, of 32 bits too, has room. */
TEST_F(pair, addresses_are_pointers)
{
	const __u64 length = MIB(1);
	__u64 id = begin(_metadata, self), address[10];
	int i;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, lsa_alloc(self->authority, id, i ? length : 16,
				       &address[i]));
		EXPECT_LE(address[i] + length - 1, UINTPTR_MAX);
	}
	end(_metadata, self, id);
	for (i = 0; i < 10; i++)
		EXPECT_EQ(0, client_free(self->client, address[i]));
}

/* A block whose address cannot be told is not there. */
TEST_F(pair, unwritable_address)
{
	const __u64 length = quota_of(self->authority) / 4 * 3;
	__u64 id = begin(_metadata, self), address;
	const struct lsabuf_alloc alloc = {
		.size = sizeof(alloc),
		.id = id,
		.length = length,
	};
	void *argument = unwritable(&alloc, sizeof(alloc));

	EXPECT_EQ(-EFAULT,
		  lsa_ioctl(self->authority, LSABUF_IOC_ALLOC, argument));
	EXPECT_EQ(-EFAULT,
		  lsa_ioctl(self->authority, LSABUF_IOC_ALLOC, argument));
	EXPECT_EQ(0, lsa_alloc(self->authority, id, length, &address));
	end(_metadata, self, id);
}

TEST_F(pair, source)
{
	__u64 id = begin(_metadata, self), address;
	unsigned char source[100], block[200];

	fill(source, 1, sizeof(source));
	ASSERT_EQ(0, lsa_alloc_from(self->authority, id, sizeof(block), source,
				    sizeof(source), &address));
	end(_metadata, self, id);
	ASSERT_EQ(0, peek(self->client, address, block, sizeof(block)));
	EXPECT_EQ(0, memcmp(source, block, sizeof(source)));
	EXPECT_TRUE(all_bytes(block + 100, 0, 100));
}

TEST_F(pair, bad_source)
{
	const __u64 quota = quota_of(self->authority);
	__u64 id = begin(_metadata, self), address;
	char byte = 1;

	test_err_alloc_from(EINVAL, self->authority, id, 16, &byte, 17,
			    &address);
	test_err_alloc_from(EINVAL, self->authority, id, 16, &byte, ~0ULL,
			    &address);
	test_err_alloc_from(EFAULT, self->authority, id, 16, NULL, 1, &address);
	test_err_alloc_from(EFAULT, self->authority, id, 16, (void *)-4096L, 16,
			    &address);
	EXPECT_EQ(0, address);
	/* None of them kept a byte of the quota. */
	EXPECT_EQ(0, lsa_alloc(self->authority, id, quota, &address));
	end(_metadata, self, id);
}

/* The quota counts bytes, is full when it is full, and comes back. */
TEST_F_TIMEOUT(pair, quota, 120)
{
	const __u64 part = quota_of(self->authority) / 8;
	__u64 address[8], more;
	__u64 id;
	int i;

	for (i = 0; i < 8; i++)
		address[i] = give_block(_metadata, self, part);
	id = begin(_metadata, self);
	test_err_alloc(EDQUOT, self->authority, id, 1, &more);
	EXPECT_EQ(0, more);
	EXPECT_EQ(0, client_free(self->client, address[5]));
	EXPECT_EQ(0, lsa_alloc(self->authority, id, part - 16, &more));
	EXPECT_EQ(0, lsa_alloc(self->authority, id, 16, &more));
	test_err_alloc(EDQUOT, self->authority, id, 1, &more);
	end(_metadata, self, id);
}

/* One client's full quota is nobody else's. */
TEST_F_TIMEOUT(pair, quota_is_per_process, 120)
{
	const __u64 quota = quota_of(self->authority);
	struct puppet *other = client_start(self->name, LSABUF_ACCESS_BUFFERS);
	__u64 id, address;

	ASSERT_TRUE(!!other);
	give_block(_metadata, self, quota);
	id = begin_with(_metadata, self->authority, other);
	EXPECT_EQ(0, lsa_alloc(self->authority, id, 65536, &address));
	EXPECT_EQ(0, lsa_reply(self->authority, id));
	EXPECT_EQ(0, hear(other, CALLER));
	puppet_stop(other);
}

/* Blocks of this size until there is no room; bytes of them */
static __u64 fill_with(struct __test_metadata *_metadata, PAIR *self,
		       __u64 size)
{
	const int batch = MIB(1) / size + 1;
	__u64 id, address, nr = 0;
	int ret;

	do {
		/* Few in one request: each new arena takes of its budget. */
		id = begin(_metadata, self);
		do {
			ret = lsa_alloc(self->authority, id, size, &address);
		} while (!ret && ++nr % batch);
		end(_metadata, self, id);
	} while (!ret);
	EXPECT_EQ(-EDQUOT, ret);
	return nr * size;
}

static int count_arenas(pid_t pid)
{
	char *maps = read_maps(pid), *at = maps;
	int nr = 0;

	while ((at = strstr(at, "lsabuf:[arena]"))) {
		at++;
		nr++;
	}
	free(maps);
	return nr;
}

/* Blocks of which no two find room in a least arena: their number is limited. */
TEST_F_TIMEOUT(pair, arenas_per_process, 120)
{
	__u64 address = give_block(_metadata, self, 16), size;
	struct mapping map;

	ASSERT_TRUE(find_mapping(self->client->pid, address, &map));
	size = (map.end - map.start) / 2 + 16;
	EXPECT_GT(quota_of(self->authority) - size,
		  fill_with(_metadata, self, size));
	EXPECT_EQ(32, count_arenas(self->client->pid));
	/* In what is there, there is room. */
	give_block(_metadata, self, 16);
}

/* Small blocks too: arenas grow, so that their number is enough. */
TEST_F_TIMEOUT(pair, quota_of_small_blocks, 120)
{
	EXPECT_EQ(quota_of(self->authority),
		  fill_with(_metadata, self, KIB(16)));
	EXPECT_GT(32, count_arenas(self->client->pid));
}

/* A second connection of a process is no second quota. */
TEST_F_TIMEOUT(pair, quota_spans_connections, 120)
{
	const __u64 quota = quota_of(self->authority);
	__u64 id, address;

	give_block(_metadata, self, quota);
	ASSERT_EQ(0, client_connect(self->client, self->name,
				    LSABUF_ACCESS_BUFFERS));
	id = begin(_metadata, self);
	test_err_alloc(EDQUOT, self->authority, id, 1, &address);
	end(_metadata, self, id);
}

TEST_F(pair, freed_is_wiped)
{
	__u64 address = give_block(_metadata, self, 3 * 4096 - 40);

	ASSERT_EQ(0,
		  ask(self->client, SIDE, do_fill, address, 7, 3 * 4096 - 40));
	ASSERT_EQ(0, client_free(self->client, address));
	/* The arena stays, so that the client can look at it. */
	EXPECT_TRUE(reads_zero(self->client, address, 3 * 4096 - 40));
}

TEST_F(pair, released_is_wiped)
{
	__u64 address = give_block(_metadata, self, 5000), id;

	ASSERT_EQ(0, ask(self->client, SIDE, do_fill, address, 7, 5000));
	id = begin(_metadata, self);
	EXPECT_EQ(0, lsa_release(self->authority, id, address));
	EXPECT_TRUE(reads_zero(self->client, address, 5000));
	test_err_release(ENOENT, self->authority, id, address);
	end(_metadata, self, id);
	EXPECT_EQ(-ENOENT, client_free(self->client, address));
}

/* A block that its client never got: the call was given up. */
TEST_F(pair, abandoned_is_wiped)
{
	__u64 id = begin(_metadata, self), address;
	struct lsabuf_call *cancel = new_call(self->client, SECOND, 0);
	unsigned char secret[600];

	fill(secret, 3, sizeof(secret));
	ASSERT_EQ(0, lsa_alloc_from(self->authority, id, sizeof(secret), secret,
				    sizeof(secret), &address));
	cancel->flags = LSABUF_CALL_F_CANCEL;
	cancel->id = id;
	ASSERT_EQ(0, ask(self->client, SECOND, do_call));
	EXPECT_EQ(-ECANCELED, hear(self->client, CALLER));
	test_err_reply(ECANCELED, self->authority, id);
	EXPECT_TRUE(reads_zero(self->client, address, sizeof(secret)));
	EXPECT_EQ(-ENOENT, client_free(self->client, address));
}

/* What a client leaves in a block or beside it, no later block shows. */
TEST_F(pair, reused_reads_zero)
{
	const __u64 length = 4096 + 512;
	__u64 address, first = 0, reused = 0;
	int i;

	for (i = 0; i < 16; i++) {
		address = give_block(_metadata, self, length - i);
		EXPECT_TRUE(reads_zero(self->client, address, length - i));
		reused += address == first;
		first = address;
		ask(self->client, SIDE, do_fill, address, i, length - i);
		ASSERT_EQ(0, client_free(self->client, address));
	}
	/* Or it was no test of that. */
	EXPECT_LT(0, reused);
}

TEST_F(pair, bad_frees)
{
	__u64 address = give_block(_metadata, self, 256), freed;
	const __u64 bad[] = {
		address + 16,
		address + 1,
		address - 16,
		address + 256,
		0,
		1,
		to_u64(self->client->scratch),
		~0ULL,
		address | 1ULL << 63,
	};
	size_t i;

	freed = give_block(_metadata, self, 256);
	ASSERT_EQ(0, client_free(self->client, freed));
	EXPECT_EQ(-ENOENT, client_free(self->client, freed));

	ask(self->client, SIDE, do_fill, address, 1, 256);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-ENOENT, client_free(self->client, bad[i]));
	EXPECT_EQ(256, ask(self->client, SIDE, do_filled, address, 1, 256));
	EXPECT_EQ(0, client_free(self->client, address));
}

/* Neither another client nor the authority can FREE it by its address. */
TEST_F(pair, foreign_free)
{
	struct puppet *other = client_start(self->name, LSABUF_ACCESS_BUFFERS);
	__u64 address = give_block(_metadata, self, 256);

	ASSERT_TRUE(!!other);
	ask(self->client, SIDE, do_fill, address, 1, 256);
	EXPECT_EQ(-ENOENT, client_free(other, address));
	test_err_free(ENOENT, self->authority, address);
	EXPECT_EQ(256, ask(self->client, SIDE, do_filled, address, 1, 256));
	EXPECT_EQ(0, client_free(self->client, address));
	puppet_stop(other);
}

/* A snapshot is a block of the kernel's, not the authority's to free. */
TEST_F(pair, snapshot_is_not_freed)
{
	struct lsabuf_reply_receive request;

	fill(self->client->submit, 1, 100);
	start_call(self->client, CALLER, 100);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	test_err_free(ENOENT, self->authority, request.out_submit_address);
	test_err_release(ENOENT, self->authority, request.out_id,
			 request.out_submit_address);
	EXPECT_EQ(100, filled(to_pointer(request.out_submit_address), 1, 100));
	end(_metadata, self, request.out_id);
}

TEST_F(pair, bad_releases)
{
	__u64 address = give_block(_metadata, self, 256), id;

	id = begin(_metadata, self);
	test_err_release(ENOENT, self->authority, id, address + 16);
	test_err_release(ENOENT, self->authority, id, address + 1);
	test_err_release(ENOENT, self->authority, id, 0);
	test_err_release(ENOENT, self->authority, id, ~0ULL);
	test_err_release(ENOENT, self->authority, NO_SUCH_ID, address);
	EXPECT_EQ(0, lsa_release(self->authority, id, address));
	end(_metadata, self, id);
}

/* A block belongs to its request until the client has taken the reply. */
TEST_F(pair, open_block_is_not_free)
{
	__u64 id = begin(_metadata, self), address;

	ASSERT_EQ(0, lsa_alloc(self->authority, id, 256, &address));
	EXPECT_EQ(-ENOENT, client_free(self->client, address));
	EXPECT_EQ(0, lsa_reply_with(self->authority, id, address, 256));
	EXPECT_EQ(0, hear(self->client, CALLER));
	EXPECT_EQ(0, client_free(self->client, address));
}

/* One authority does not touch what another one gave. */
TEST_F(pair, release_is_the_owners)
{
	__u64 address = give_block(_metadata, self, 256), id, done;
	int other = lsa_open();
	char byte;

	ASSERT_EQ(0, lsa_serve(other, "other-authority"));
	ASSERT_EQ(0, client_connect(self->client, "other-authority",
				    LSABUF_ACCESS_BUFFERS));
	id = begin_with(_metadata, other, self->client);
	test_err_release(ENOENT, other, id, address);
	test_err_copy_to(EACCES, other, id, address, "x", 1, &done);
	test_err_copy_from(EACCES, other, id, address, &byte, 1, &done);
	EXPECT_EQ(0, lsa_reply(other, id));
	EXPECT_EQ(0, hear(self->client, CALLER));
	EXPECT_EQ(0, client_free(self->client, address));
	close(other);
}

static long do_free_on_fresh(struct puppet *puppet, struct puppet_thread *me)
{
	int file = lsa_open();
	long ret = lsa_free(file, me->argument[0]);

	(void)puppet;
	close(file);
	return ret;
}

TEST_F(pair, free_on_fresh_file)
{
	__u64 address = give_block(_metadata, self, 256);

	EXPECT_EQ(0, ask(self->client, SIDE, do_free_on_fresh, address));
	EXPECT_EQ(-ENOENT, ask(self->client, SIDE, do_free_on_fresh, address));
}

static long do_disconnect(struct puppet *puppet, struct puppet_thread *me)
{
	(void)me;
	return lsa_disconnect(puppet->device);
}

TEST_F(pair, free_after_disconnect)
{
	__u64 address = give_block(_metadata, self, 256);

	ask(self->client, SIDE, do_fill, address, 1, 256);
	EXPECT_EQ(0, ask(self->client, SIDE, do_disconnect));
	EXPECT_EQ(256, ask(self->client, SIDE, do_filled, address, 1, 256));
	EXPECT_EQ(0, client_free(self->client, address));
	EXPECT_EQ(-ENOENT, client_free(self->client, address));
}

TEST_F(pair, free_after_close)
{
	__u64 address = give_block(_metadata, self, 256);

	ask(self->client, SIDE, do_fill, address, 1, 256);
	remote(self->client, SYS_close, self->client->device);
	EXPECT_EQ(256, ask(self->client, SIDE, do_filled, address, 1, 256));
	EXPECT_EQ(0, ask(self->client, SIDE, do_free_on_fresh, address));
}

TEST_F(pair, free_after_authority_death)
{
	__u64 address = give_block(_metadata, self, 256);

	ask(self->client, SIDE, do_fill, address, 1, 256);
	close(self->authority);
	EXPECT_EQ(256, ask(self->client, SIDE, do_filled, address, 1, 256));
	EXPECT_EQ(0, client_free(self->client, address));
	self->authority = -1;
}

/* A call can free a block before anything else happens. */
TEST_F(pair, free_with_call)
{
	__u64 address = give_block(_metadata, self, 256);
	struct lsabuf_call *call = new_call(self->client, CALLER, 0);
	struct lsabuf_reply_receive request;

	call->free_address = address;
	tell(self->client, CALLER, do_call);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	test_err_release(ENOENT, self->authority, request.out_id, address);
	end(_metadata, self, request.out_id);
}

TEST_F(pair, bad_free_with_call)
{
	struct lsabuf_call *call = new_call(self->client, CALLER, 0);
	struct lsabuf_reply_receive request;

	call->free_address = 4096;
	EXPECT_EQ(-ENOENT, ask(self->client, CALLER, do_call));
	EXPECT_EQ(0, call->id);
	test_err_receive_now(EAGAIN, self->authority, &request);
}

static int reply_payload(int file, __u64 id, const void *payload, __u64 length)
{
	struct lsabuf_reply_receive reply = {
		.flags = LSABUF_REPLY_RECEIVE_F_PAYLOAD,
		.reply_id = id,
		.payload_address = to_u64(payload),
		.payload_length = length,
	};
	int ret = lsa_reply_receive(file, &reply);

	return ret ? ret : reply.reply_error;
}

TEST_F_TIMEOUT(pair, payload, 60)
{
	const __u64 lengths[] = { 1, 16, 4097, MIB(2) };
	unsigned char *payload = malloc(MIB(2));
	struct lsabuf_call *call;
	__u64 id;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		fill(payload, i, lengths[i]);
		id = begin(_metadata, self);
		ASSERT_EQ(0, reply_payload(self->authority, id, payload,
					   lengths[i]));
		ASSERT_EQ(0, hear(self->client, CALLER));
		call = &self->client->thread[CALLER].call;
		EXPECT_EQ(lengths[i], call->out_length);
		EXPECT_EQ(lengths[i], ask(self->client, SIDE, do_filled,
					  call->out_address, i, lengths[i]));
		EXPECT_EQ(0, client_free(self->client, call->out_address));
	}
	free(payload);
}

/* A payload that cannot be read leaves the request as it was. */
TEST_F(pair, unreadable_payload)
{
	__u64 id = begin(_metadata, self);

	EXPECT_EQ(-EFAULT, reply_payload(self->authority, id, NULL, 16));
	EXPECT_TRUE(is_busy(self->client, CALLER));
	EXPECT_EQ(0,
		  reply_payload(self->authority, id, "0123456789abcdef", 16));
	EXPECT_EQ(0, hear(self->client, CALLER));
}

/* A payload without room ends the request, on both sides. */
TEST_F_TIMEOUT(pair, payload_over_quota, 60)
{
	const __u64 quota = quota_of(self->authority);
	__u64 block = give_block(_metadata, self, quota);
	__u64 id = begin(_metadata, self);

	EXPECT_EQ(-EDQUOT, reply_payload(self->authority, id, "x", 1));
	EXPECT_EQ(-EDQUOT, hear(self->client, CALLER));
	test_err_reply(ENOENT, self->authority, id);
	EXPECT_EQ(0, client_free(self->client, block));
}

TEST_F_TIMEOUT(pair, big_block_is_a_new_mapping, 60)
{
	__u64 id = begin(_metadata, self), address;
	char *maps = read_maps(self->client->pid);
	struct mapping map;

	ASSERT_EQ(0, lsa_alloc(self->authority, id, BIG, &address));
	end(_metadata, self, id);
	ASSERT_TRUE(find_mapping(self->client->pid, address, &map));
	EXPECT_LE(address + BIG, map.end);
	EXPECT_STREQ("rw-s", map.prot);
	EXPECT_FALSE(maps_unchanged(self->client->pid, maps));
	EXPECT_EQ(0, client_free(self->client, address));
	EXPECT_FALSE(is_mapped(self->client->pid, address));
	EXPECT_TRUE(maps_unchanged(self->client->pid, maps));
	free(maps);
}

/* Wherever there is room, but where the client's own pointers reach. */
TEST_F_TIMEOUT(pair, within_the_clients_reach, 60)
{
	__u64 id = begin(_metadata, self), address;
	int i;

	for (i = 0; i < 24; i++) {
		ASSERT_EQ(0, lsa_alloc(self->authority, id, MIB(2), &address));
		EXPECT_GE(ULONG_MAX, address + MIB(2) - 1);
		EXPECT_TRUE(is_mapped(self->client->pid, address));
	}
	end(_metadata, self, id);
}

/* Set a limit of the client to what it uses now and @more. */
static int limit_more(pid_t pid, int resource, const char *field, __u64 more)
{
	unsigned long used = 0;
	struct rlimit limit;
	char path[32], *text;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	text = read_text(path);
	if (sscanf(strstr(text, field) + strlen(field), ": %lu", &used) != 1)
		return -1;
	free(text);
	limit.rlim_cur = KIB(used) + more;
	limit.rlim_max = RLIM_INFINITY;
	return prlimit(pid, resource, &limit, NULL);
}

TEST_F_TIMEOUT(pair, address_space_limit, 60)
{
	__u64 id = begin(_metadata, self), address;
	char *maps = read_maps(self->client->pid);

	ASSERT_EQ(0,
		  limit_more(self->client->pid, RLIMIT_AS, "VmSize", BIG / 2));
	test_err_alloc(ENOMEM, self->authority, id, BIG, &address);
	EXPECT_EQ(0, address);
	EXPECT_TRUE(maps_unchanged(self->client->pid, maps));
	/* What needs no new arena goes on, and so does the call. */
	EXPECT_EQ(0, lsa_alloc(self->authority, id, 4096, &address));
	end(_metadata, self, id);

	ASSERT_EQ(0,
		  limit_more(self->client->pid, RLIMIT_AS, "VmSize", BIG * 2));
	address = give_block(_metadata, self, BIG);
	EXPECT_EQ(0, client_free(self->client, address));
	free(maps);
}

/* mlockall() of the client: an arena counts against RLIMIT_MEMLOCK. */
TEST_F_TIMEOUT(pair, locked_memory_limit, 60)
{
	__u64 id, address, small;
	char *maps;

	small = give_block(_metadata, self, 4096);
	ASSERT_EQ(0, limit_more(self->client->pid, RLIMIT_MEMLOCK, "VmLck",
				65536));
	ASSERT_EQ(0, remote(self->client, SYS_mlockall, MCL_FUTURE));
	maps = read_maps(self->client->pid);
	id = begin(_metadata, self);
	test_err_alloc(ENOMEM, self->authority, id, BIG, &address);
	EXPECT_TRUE(maps_unchanged(self->client->pid, maps));
	EXPECT_EQ(0, lsa_alloc(self->authority, id, 4096, &address));
	end(_metadata, self, id);
	EXPECT_EQ(0, client_free(self->client, small));

	ASSERT_EQ(0, remote(self->client, SYS_munlockall));
	address = give_block(_metadata, self, BIG);
	EXPECT_EQ(0, client_free(self->client, address));
	free(maps);
}

/* A process that locks all its memory can still be a client. */
TEST_F(pair, connect_with_locked_memory)
{
	struct puppet *client = puppet_start(NOBODY);
	const struct rlimit limit = { 65536, 65536 };
	__u64 id, address;
	long ret;

	ASSERT_EQ(0, prlimit(client->pid, RLIMIT_MEMLOCK, &limit, NULL));
	ASSERT_EQ(0, remote(client, SYS_mlockall, MCL_FUTURE));
	ret = client_connect(client, self->name, LSABUF_ACCESS_BUFFERS);
	if (!ret) {
		id = begin_with(_metadata, self->authority, client);
		ret = lsa_alloc(self->authority, id, 16, &address);
		EXPECT_TRUE(ret == 0 || ret == -ENOMEM);
		EXPECT_EQ(0, lsa_reply(self->authority, id));
		EXPECT_EQ(0, hear(client, CALLER));
	} else {
		EXPECT_EQ(-ENOMEM, ret);
	}
	EXPECT_TRUE(puppet_alive(client));
	puppet_stop(client);
}

/* The map count of the client is its own: no arena above it. */
TEST_F_TIMEOUT(pair, map_count_limit, 60)
{
	char *old = read_text("/proc/sys/vm/max_map_count");
	__u64 id = begin(_metadata, self), address;
	int ret;

	ASSERT_EQ(0, write_text("/proc/sys/vm/max_map_count", "10"));
	ret = lsa_alloc(self->authority, id, BIG, &address);
	EXPECT_EQ(0, write_text("/proc/sys/vm/max_map_count", old));
	EXPECT_EQ(-ENOMEM, ret);
	EXPECT_EQ(0, lsa_alloc(self->authority, id, BIG, &address));
	end(_metadata, self, id);
	free(old);
}

/* A full control group answers ENOMEM, and nobody is killed. */
TEST_F_TIMEOUT(pair, memory_limit, 120)
{
	struct puppet *client = puppet_start(NOBODY);
	__u64 id, first, second, before;
	struct cgroup group;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", client->pid);
	ASSERT_EQ(0, cgroup_make(&group, "24M"));
	ASSERT_EQ(0, cgroup_write(&group, "cgroup.procs", pid));
	ASSERT_EQ(0, client_connect(client, self->name, LSABUF_ACCESS_BUFFERS));

	id = begin_with(_metadata, self->authority, client);
	before = cgroup_charge(&group);
	EXPECT_EQ(0, lsa_alloc(self->authority, id, BIG, &first));
	EXPECT_LE(BIG, cgroup_charge(&group) - before + MIB(1));
	test_err_alloc(ENOMEM, self->authority, id, BIG, &second);
	EXPECT_EQ(0, second);
	EXPECT_EQ(0, lsa_reply(self->authority, id));
	EXPECT_EQ(0, hear(client, CALLER));

	EXPECT_EQ(0, client_free(client, first));
	id = begin_with(_metadata, self->authority, client);
	EXPECT_EQ(0, lsa_alloc(self->authority, id, BIG, &second));
	EXPECT_EQ(0, lsa_reply(self->authority, id));
	EXPECT_EQ(0, hear(client, CALLER));

	EXPECT_TRUE(puppet_alive(client));
	EXPECT_EQ(0, cgroup_kills(&group));
	puppet_stop(client);
	cgroup_remove(&group);
}

/* A client that waits for events cannot make an arena meanwhile. */
TEST_F(pair, no_thread_no_new_arena)
{
	struct lsabuf_call *call = new_call(self->client, CALLER, 0);
	struct lsabuf_reply_receive request;
	__u64 address;

	give_block(_metadata, self, 16);
	call = new_call(self->client, CALLER, 0);
	call->flags = LSABUF_CALL_F_NOWAIT;
	ASSERT_EQ(0, ask(self->client, CALLER, do_call));
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(0, lsa_alloc(self->authority, request.out_id, 16, &address));
	test_err_alloc(EAGAIN, self->authority, request.out_id, BIG, &address);
	EXPECT_EQ(0, lsa_reply(self->authority, request.out_id));
}

/* Blocks of a call that is given up come back to the quota. */
TEST_F_TIMEOUT(pair, abandoned_quota, 60)
{
	const __u64 quota = quota_of(self->authority);
	struct lsabuf_call *cancel;
	__u64 id, address;
	int i;

	for (i = 0; i < 3; i++) {
		id = begin(_metadata, self);
		ASSERT_EQ(0, lsa_alloc(self->authority, id, quota, &address));
		cancel = new_call(self->client, SECOND, 0);
		cancel->flags = LSABUF_CALL_F_CANCEL;
		cancel->id = id;
		ASSERT_EQ(0, ask(self->client, SECOND, do_call));
		EXPECT_EQ(-ECANCELED, hear(self->client, CALLER));
		test_err_reply(ECANCELED, self->authority, id);
	}
}

static long do_free_list(struct puppet *puppet, struct puppet_thread *me)
{
	const __u64 *list = (void *)puppet->scratch;
	long i, freed = 0;

	for (i = 0; i < me->argument[0]; i++)
		freed += !lsa_free(puppet->device, list[i]);
	return freed;
}

#define SMALL_BLOCKS 10000

static __u64 small_length(int i)
{
	return 16 + i % 5 * 16;
}

/* Write into the inner bytes of a block and read the whole of it back. */
static bool interior_works(PAIR *self, __u64 id, __u64 address, int i)
{
	unsigned char whole[96], inner[8];
	__u64 length = small_length(i);

	memcpy(inner, &i, sizeof(i));
	memcpy(inner + 4, &i, sizeof(i));
	if (lsa_copy_to(self->authority, id, address + length - 8, inner, 8,
			NULL))
		return false;
	if (lsa_copy_from(self->authority, id, address, whole, length, NULL))
		return false;
	return all_bytes(whole, 0, length - 8) &&
	       !memcmp(whole + length - 8, inner, 8);
}

TEST_F_TIMEOUT(pair, many_small_blocks, 120)
{
	__u64 id = begin(_metadata, self), *address;
	int i, n;

	address = calloc(SMALL_BLOCKS, sizeof(*address));
	for (i = 0; i < SMALL_BLOCKS; i++)
		ASSERT_EQ(0, lsa_alloc(self->authority, id, small_length(i),
				       &address[i]));
	/* In an order that the tree did not see them come */
	for (i = 0; i < SMALL_BLOCKS; i++) {
		n = i * 7919L % SMALL_BLOCKS;
		ASSERT_TRUE(interior_works(self, id, address[n], n));
	}
	end(_metadata, self, id);
	for (i = 0; i < SMALL_BLOCKS; i += n) {
		n = SMALL_BLOCKS - i < 8000 ? SMALL_BLOCKS - i : 8000;
		memcpy(self->client->scratch, address + i,
		       n * sizeof(*address));
		EXPECT_EQ(n, ask(self->client, SIDE, do_free_list, n));
	}
	free(address);
}

/* The client scribbles over all pages of its arena: it does itself no good. */
TEST_F(pair, scribbled_arena)
{
	const __u64 length = KIB(100);
	__u64 address = give_block(_metadata, self, length), other;
	int i;

	/* The pages stay when the block is gone. */
	ASSERT_EQ(0, client_free(self->client, address));
	for (i = 0; i < 20; i++) {
		ask(self->client, SIDE, do_fill, address, i, length);
		other = give_block(_metadata, self, 100 + i * 50);
		EXPECT_EQ(-ENOENT, client_free(self->client, other + 16));
		EXPECT_EQ(0, client_free(self->client, other));
		EXPECT_TRUE(reads_zero(self->client, other, 100 + i * 50));
	}
}

struct racing_copy {
	int authority;
	__u64 id;
	__u64 address;
	void *bytes;
	__u64 length;
	int result;
};

static void *race_copy(void *argument)
{
	struct racing_copy *race = argument;

	race->result = lsa_copy_to(race->authority, race->id, race->address,
				   race->bytes, race->length, NULL);
	return NULL;
}

/*
 * A copy into a block that is freed meanwhile ends in that block's memory.
 * Where it comes too late, the address may be a new block's, and the copy is
 * one into that block: as a whole, never a part of it.
 */
TEST_F_TIMEOUT(pair, free_races_copy, STRESS_TIMEOUT)
{
	const __u64 length = 65536;
	unsigned char *seen = malloc(length);
	struct racing_copy race = {
		.authority = self->authority,
		.bytes = malloc(length),
		.length = length,
	};
	unsigned int i, rounds = scaled(100);
	pthread_t thread;
	__u64 later;

	memset(race.bytes, 0x55, length);
	race.id = begin(_metadata, self);
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, lsa_alloc(self->authority, race.id, length,
				       &race.address));
		pthread_create(&thread, NULL, race_copy, &race);
		EXPECT_EQ(0,
			  lsa_release(self->authority, race.id, race.address));
		ASSERT_EQ(0,
			  lsa_alloc(self->authority, race.id, length, &later));
		pthread_join(thread, NULL);
		EXPECT_TRUE(race.result == 0 || race.result == -EFAULT);
		ASSERT_EQ(0, peek(self->client, later, seen, length));
		ASSERT_TRUE(all_bytes(seen, 0, length) ||
			    all_bytes(seen, 0x55, length));
		ASSERT_EQ(0, lsa_release(self->authority, race.id, later));
	}
	end(_metadata, self, race.id);
	free(race.bytes);
	free(seen);
}

/* Both sides free the same block at once: one of them does it. */
TEST_F_TIMEOUT(pair, free_races_release, STRESS_TIMEOUT)
{
	unsigned int i, rounds = scaled(200);
	int freed, released;
	__u64 id, address;

	for (i = 0; i < rounds; i++) {
		address = give_block(_metadata, self, 4096);
		id = begin(_metadata, self);
		tell(self->client, SECOND, do_free, address);
		released = lsa_release(self->authority, id, address);
		freed = hear(self->client, SECOND);
		ASSERT_TRUE((released == 0 && freed == -ENOENT) ||
			    (released == -ENOENT && freed == 0));
		end(_metadata, self, id);
	}
}

/* Two threads free the same block, which takes a while to wipe. */
TEST_F_TIMEOUT(pair, free_races_free, STRESS_TIMEOUT)
{
	unsigned int i, rounds = scaled(5);
	int first, second;
	__u64 address;

	for (i = 0; i < rounds; i++) {
		address = give_block(_metadata, self, BIG);
		tell(self->client, SIDE, do_free, address, address >> 32);
		tell(self->client, SECOND, do_free, address, address >> 32);
		first = hear(self->client, SIDE);
		second = hear(self->client, SECOND);
		ASSERT_TRUE((first == 0 && second == -ENOENT) ||
			    (first == -ENOENT && second == 0));
	}
}

TEST_HARNESS_MAIN
