// SPDX-License-Identifier: GPL-2.0
/*
 * This library on a module that is older: everything that the older one knows
 * works, and what it does not is said in so many words.
 *
 * Whatever the module lacks of LSABUF_FEATURE_* has to be lacking, so this
 * runs in "make check-skew" only.
 */
#include "library_test.h"

TEST(missing_features_are_named)
{
	int fd = lsabuf_open(NULL);
	struct lsabuf_info info;
	uint64_t missing, bit;

	ASSERT_EQ(0, lsabuf_info(fd, &info));
	EXPECT_EQ(LSABUF_ABI_VERSION, info.out_abi_version);
	EXPECT_EQ(0, info.out_features);
	EXPECT_EQ(0, info.out_client);
	missing = lsabuf_missing(&info);
	EXPECT_TRUE(missing & LSABUF_FEATURE_CONNECTION);
	for (bit = 1; bit; bit <<= 1) {
		if (missing & bit)
			TH_LOG("the module lacks: %s",
			       lsabuf_feature_name(bit));
		EXPECT_EQ(!!(missing & bit), !!lsabuf_feature_name(bit));
	}
	lsabuf_close(fd);
}

/* What the library does without them */
TEST_F(library, connection)
{
	struct lsabuf_connect details = { 0 };
	int fd = lsabuf_open(NULL);

	ASSERT_EQ(0, lsabuf_connect(fd, getenv("LSABUF_ENDPOINT"),
				    LSABUF_ACCESS_BUFFERS, &details));
	EXPECT_NE(0, details.out_authority_pid);
	EXPECT_EQ(-EOPNOTSUPP, lsabuf_connection(fd, &details));
	lsabuf_close(fd);
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
