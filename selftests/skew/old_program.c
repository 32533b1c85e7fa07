// SPDX-License-Identifier: GPL-2.0
/*
 * A program of an older release on this library: compiled with the headers of
 * that time and linked with its library, so that its structs are as long as
 * they were. Nothing beyond them may be touched.
 */
#include <string.h>

#include "kselftest_harness.h"

#include <lsabuf.h>

#define GUARD 256

/* A struct, and what lies behind it in the program's memory */
#define GUARDED(type)                       \
	struct {                            \
		type it;                    \
		unsigned char guard[GUARD]; \
	}

#define INTACT(guarded)                                           \
	({                                                        \
		unsigned int _i = 0;                              \
		while (_i < GUARD && (guarded).guard[_i] == 0xa5) \
			_i++;                                     \
		_i == GUARD;                                      \
	})

TEST(info)
{
	GUARDED(struct lsabuf_info) info;
	int fd = lsabuf_open(NULL);

	ASSERT_LE(0, fd);
	memset(&info, 0xa5, sizeof(info));
	ASSERT_EQ(0, lsabuf_info(fd, &info.it));
	EXPECT_TRUE(INTACT(info));
	EXPECT_EQ(sizeof(info.it), info.it.size);
	EXPECT_EQ(LSABUF_ABI_VERSION, info.it.out_abi_version);
	EXPECT_LT(0, info.it.out_chore_budget_ns);
	lsabuf_close(fd);
}

/* Both sides of a call in one thread */
TEST(call)
{
	static const uint32_t status[2] = { 5, 6 };
	GUARDED(struct lsabuf_reply_receive) request;
	GUARDED(struct lsabuf_identity) identity;
	GUARDED(struct lsabuf_connect) connect;
	GUARDED(struct lsabuf_serve) serve;
	GUARDED(struct lsabuf_call) call;
	int authority = lsabuf_open(NULL), client = lsabuf_open(NULL);

	memset(&request, 0xa5, sizeof(request));
	memset(&identity, 0xa5, sizeof(identity));
	memset(&connect, 0xa5, sizeof(connect));
	memset(&serve, 0xa5, sizeof(serve));
	memset(&call, 0xa5, sizeof(call));
	memset(&serve.it, 0, sizeof(serve.it));
	memset(&connect.it, 0, sizeof(connect.it));
	ASSERT_EQ(0, lsabuf_serve(authority, "old", &serve.it));
	ASSERT_EQ(0, lsabuf_connect(client, "old", LSABUF_ACCESS_BUFFERS,
				    &connect.it));
	EXPECT_EQ(getpid(), connect.it.out_authority_pid);
	lsabuf_call_prepare(&call.it, 1, 2, "submit", 7);
	ASSERT_EQ(0, lsabuf_call_submit(client, &call.it));
	ASSERT_EQ(0, lsabuf_receive(authority, &request.it));
	ASSERT_EQ(0, lsabuf_identity(authority, request.it.out_id, &identity.it,
				     NULL, 0));
	EXPECT_EQ(getuid(), identity.it.out_uid);
	ASSERT_EQ(0, lsabuf_reply_payload(authority, request.it.out_id, status,
					  "answer", 7));
	ASSERT_EQ(0, lsabuf_call_wait(client, &call.it));
	EXPECT_EQ(6, call.it.out_status[1]);
	EXPECT_STREQ("answer", (char *)(uintptr_t)call.it.out_address);
	EXPECT_EQ(0,
		  lsabuf_free(client, (void *)(uintptr_t)call.it.out_address));
	EXPECT_TRUE(INTACT(request) && INTACT(identity) && INTACT(connect) &&
		    INTACT(serve) && INTACT(call));
	lsabuf_close(client);
	lsabuf_close(authority);
}

TEST_HARNESS_MAIN
