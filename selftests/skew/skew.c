// SPDX-License-Identifier: GPL-2.0
/*
 * This library on a module that is older: everything that the older one knows
 * works, and what it does not is said in so many words.
 *
 * The module has to lack the latest of LSABUF_FEATURE_*, so this runs in "make
 * check-skew" only.
 */
#include "library_test.h"

static bool has(uint64_t feature)
{
	int fd = lsabuf_open(NULL);
	struct lsabuf_info info;
	bool there;

	there = !lsabuf_info(fd, &info) && info.out_features & feature;
	lsabuf_close(fd);
	return there;
}

TEST(missing_features_are_named)
{
	int fd = lsabuf_open(NULL);
	struct lsabuf_info info;
	uint64_t missing, bit;

	ASSERT_EQ(0, lsabuf_info(fd, &info));
	EXPECT_EQ(LSABUF_ABI_VERSION, info.out_abi_version);
	EXPECT_EQ(0, info.out_client);
	missing = lsabuf_missing(&info);
	/* Those that every state lacks which this is tried on */
	EXPECT_TRUE(missing & LSABUF_FEATURE_HOLES);
	EXPECT_TRUE(missing & LSABUF_FEATURE_FILES);
	EXPECT_EQ(0, missing & info.out_features);
	for (bit = 1; bit; bit <<= 1) {
		if (missing & bit)
			TH_LOG("the module lacks: %s",
			       lsabuf_feature_name(bit));
		if (missing & bit)
			EXPECT_NE(NULL, lsabuf_feature_name(bit));
	}
	EXPECT_STREQ("giving back shared memory between blocks",
		     lsabuf_feature_name(LSABUF_FEATURE_HOLES));
	EXPECT_STREQ("files opened in clients (DuplicateHandle)",
		     lsabuf_feature_name(LSABUF_FEATURE_FILES));
	lsabuf_close(fd);
}

/*
 * What the library does without them
 */

TEST_F(library, connection)
{
	struct lsabuf_connect details = { 0 };
	int fd = lsabuf_open(NULL);

	ASSERT_EQ(0, lsabuf_connect(fd, getenv("LSABUF_ENDPOINT"),
				    LSABUF_ACCESS_BUFFERS, &details));
	EXPECT_NE(0, details.out_authority_pid);
	EXPECT_EQ(has(LSABUF_FEATURE_CONNECTION) ? 0 : -EOPNOTSUPP,
		  lsabuf_connection(fd, &details));
	lsabuf_close(fd);
}

/* The client takes files, but the module cannot open them. */
TEST(files)
{
	struct lsabuf_connect details = { .flags = LSABUF_CONNECT_F_FILES };
	const __u32 status[2] = { STATUS_NOT_SUPPORTED };
	struct lsabuf_reply_receive request;
	struct lsabuf_call call;
	int authority, client, copy = 0;

	authority = lsabuf_open_authority("skew");
	client = lsabuf_open(NULL);
	ASSERT_EQ(0, lsabuf_connect(client, "skew", LSABUF_ACCESS_BUFFERS,
				    &details));
	EXPECT_EQ(0, details.flags);
	lsabuf_call_prepare(&call, 0, 0, NULL, 0);
	ASSERT_EQ(0, lsabuf_call_submit(client, &call));
	ASSERT_EQ(0, lsabuf_receive(authority, &request));
	EXPECT_EQ(-ENOTTY, lsabuf_give(authority, request.out_id, 0, &copy));
	EXPECT_EQ(-1, copy);
	EXPECT_EQ(status[0], lsabuf_status(-ENOTTY, LSABUF_SUBJECT_REQUEST));
	EXPECT_EQ(0, lsabuf_reply(authority, request.out_id, status, 0, 0));
	EXPECT_EQ(0, lsabuf_call_wait(client, &call));
	lsabuf_close(client);
	lsabuf_close(authority);
}

TEST_F(library, services)
{
	EXPECT_EQ(STATUS_NOT_SUPPORTED,
		  outcome(PROBE(PROBE_DUPLICATE, 0, NULL, "file", 4)));
	/* And the host, package and connection are as before */
	EXPECT_EQ(STATUS_SUCCESS, outcome(PROBE(PROBE_ECHO, 0, NULL, "a", 1)));
}

/* Sections without holes: only what lies after the last block goes back. */
TEST(holes)
{
	int authority = lsabuf_open_authority("skew");
	struct lsabuf_section_stat stat;
	struct lsabuf_shared *shared;
	unsigned char *blocks[4];
	int fd, i;

	ASSERT_LE(0, authority);
	if (!has(LSABUF_FEATURE_SECTIONS)) {
		EXPECT_EQ(-ENOTTY,
			  lsabuf_section_create(authority, MIB(1), 0, NULL));
		EXPECT_EQ(-ENOTTY, lsabuf_shared_create(authority, MIB(1), 0, 0,
							&shared));
		EXPECT_EQ(NULL, shared);
		lsabuf_close(authority);
		return;
	}
	ASSERT_EQ(0, lsabuf_shared_create(authority, MIB(1), 0, 0, &shared));
	for (i = 0; i < 4; i++) {
		blocks[i] = lsabuf_shared_alloc(shared, KIB(64));
		ASSERT_TRUE(!!blocks[i]);
		fill(blocks[i], i, KIB(64));
	}
	fd = lsabuf_shared_fd(shared);
	EXPECT_EQ(-ENOTTY, lsabuf_section_punch(fd, 0, KIB(64)));
	EXPECT_EQ(-ENOTTY, lsabuf_section_fill(fd, 0, KIB(64)));
	ASSERT_EQ(0, lsabuf_shared_free(shared, blocks[1]));
	ASSERT_EQ(0, lsabuf_shared_free(shared, blocks[3]));
	EXPECT_EQ(0, lsabuf_shared_trim(shared));
	ASSERT_EQ(0, lsabuf_section_stat(fd, &stat));
	EXPECT_EQ(3 * KIB(64), stat.out_committed);
	EXPECT_EQ(0, stat.out_memory);
	EXPECT_EQ(KIB(64), filled(blocks[0], 0, KIB(64)));
	EXPECT_EQ(KIB(64), filled(blocks[2], 2, KIB(64)));
	for (i = 1; i < 4; i += 2) {
		blocks[i] = lsabuf_shared_alloc(shared, KIB(64));
		ASSERT_TRUE(!!blocks[i]);
		EXPECT_TRUE(all_bytes(blocks[i], 0, KIB(64)));
	}
	EXPECT_EQ(4, lsabuf_shared_delete(shared));
	lsabuf_close(authority);
}

TEST_F(library, whole_call)
{
	struct lsabuf_call call = { 0 };
	struct probe_message message = { .code = PROBE_ALLOCATE,
					 .argument = 100 };
	struct result r;
	int fd;

	r = PROBE(PROBE_ECHO, 0, NULL, "hello", 6);
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	EXPECT_STREQ("hello", r.buffer);
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(r.buffer));
	/* And by the native interface */
	fd = lsabuf_open_client(getenv("LSABUF_ENDPOINT"),
				LSABUF_ACCESS_BUFFERS);
	lsabuf_call_prepare(&call, LSA_MESSAGE_CALL, self->probe, &message,
			    sizeof(message));
	ASSERT_EQ(0, lsabuf_call_submit(fd, &call));
	ASSERT_EQ(0, lsabuf_call_wait(fd, &call));
	EXPECT_TRUE(all_bytes(to_pointer(call.out_address), 0, 100));
	EXPECT_EQ(0, lsabuf_free(fd, to_pointer(call.out_address)));
	lsabuf_close(fd);
}

TEST_F(library, reconnecting)
{
	PVOID buffer = ALLOCATE(64);

	ASSERT_EQ(0, order(self->keeper, KEEPER_KILL));
	EXPECT_EQ(STATUS_PORT_DISCONNECTED, lookup(self->lsa, "probe", 5));
	ASSERT_EQ(0, order(self->keeper, KEEPER_START));
	EXPECT_EQ(STATUS_SUCCESS, lookup(self->lsa, "probe", 5));
	lose_descriptors(self->keeper);
	EXPECT_EQ(STATUS_SUCCESS, lookup(self->lsa, "probe", 5));
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(buffer));
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(self->lsa));
}

TEST_HARNESS_MAIN
