// SPDX-License-Identifier: GPL-2.0
/*
 * Trace events: the text of each, and how many of it one action makes. What
 * they tell of is never contents, and never an address of the kernel's. Those
 * of MAP and of sections are tested in maps.c and sections.c.
 */
#include "trace_test.h"

#define PAGE 4096ULL
#define READ_WRITE (PROT_READ | PROT_WRITE)

#define ONE TRACED_ONCE

/* The number behind @word in the line with @text, or -1. */
static long long number_in(const char *text, const char *word)
{
	char *line = strstr(trace_text, text);
	char *end = line ? strchr(line, '\n') : NULL;
	char *at = line ? strstr(line, word) : NULL;

	return at && (!end || at < end) ? atoll(at + strlen(word)) : -1;
}

/* Once for all tests, each of which is a child of the program. */
static void __attribute__((constructor)) trace_start_first(void)
{
	if (trace_start("lsabuf")) {
		printf("Bail out! No events: %s\n", strerror(errno));
		exit(1);
	}
}

static void __attribute__((destructor)) trace_stop_last(void)
{
	trace_stop();
}

FIXTURE(traced)
{
	char name[LSABUF_ENDPOINT_LEN];
	int authority;
	struct puppet *client;
};

FIXTURE_SETUP(traced)
{
	trace_clear();
	snprintf(self->name, sizeof(self->name), "traced-%d", getpid());
	self->authority = lsa_open();
	ASSERT_EQ(0, lsa_serve(self->authority, self->name));
	self->client = client_start(self->name, LSABUF_ACCESS_BUFFERS);
	ASSERT_TRUE(!!self->client);
}

FIXTURE_TEARDOWN(traced)
{
	puppet_stop(self->client);
	close(self->authority);
}

#define TRACED FIXTURE_DATA(traced)

/* A call of @length bytes, received. */
static __u64 begin_traced(struct __test_metadata *_metadata, TRACED *self,
			  __u64 length)
{
	struct lsabuf_reply_receive request;

	new_call(self->client, CALLER, length)->code = 77;
	tell(self->client, CALLER, do_call);
	ASSERT_TRUE(wait_readable(self->authority));
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	return request.out_id;
}

TEST_F(traced, serve_and_connect)
{
	unsigned long long client = self->client->client;
	int second = lsa_open();

	EXPECT_EQ(-EBUSY, lsa_serve(second, self->name));
	close(second);
	trace_look();
	ONE("endpoint=%s pid=%d uid=0 requests=4096 bytes=%u ret=0", self->name,
	    getpid(), 64U << 20);
	ONE("lsabuf_serve: authority=0 endpoint=%s pid=%d uid=0 requests=4096 bytes=%u ret=%d",
	    self->name, getpid(), 64U << 20, -EBUSY);
	ONE("lsabuf_connect: client=%llu access=buffers uid=%u authority=%u endpoint=%s pid=%d\n",
	    client, NOBODY, getpid(), self->name, self->client->pid);
	/* That of the second one went again. */
	EXPECT_EQ(3, traced(" snapshots address=0x"));
	EXPECT_EQ(1, traced("lsabuf_arena_unmap: "));
	ONE("lsabuf_arena_map: pid=%d arena address=0x", self->client->pid);
}

/* One call, each of its stages once, all with its id. */
TEST_F(traced, call)
{
	unsigned long long client = self->client->client, id, block;
	char copied[16], name[64];
	__u64 address;

	trace_clear();
	strcpy((char *)self->client->submit, "top secret");
	id = begin_traced(_metadata, self, 10);
	ASSERT_EQ(0, lsa_alloc(self->authority, id, 4321, &address));
	block = address;
	ASSERT_EQ(0, lsa_copy_to(self->authority, id, block, "top secret", 10,
				 NULL));
	ASSERT_EQ(0,
		  lsa_copy_from(self->authority, id, block, copied, 10, NULL));
	ASSERT_EQ(0, lsa_reply_with(self->authority, id, block, 4321));
	ASSERT_EQ(0, hear(self->client, CALLER));
	ASSERT_EQ(0, client_free(self->client, block));

	trace_look();
	ONE("lsabuf_snapshot: client=%llu id=0x%llx address=0x", client, id);
	ONE("lsabuf_call: client=%llu id=0x%llx kind=0 code=77 length=10 pid=%u uid=%u",
	    client, id, self->client->pid, NOBODY);
	ONE("lsabuf_receive: client=%llu id=0x%llx tid=%d ns=", client, id,
	    gettid());
	ONE("lsabuf_alloc: client=%llu id=0x%llx address=0x%llx length=4321 ret=0",
	    client, id, block);
	ONE("lsabuf_copy: client=%llu id=0x%llx to address=0x%llx length=10 done=10 path=block ",
	    client, id, block);
	ONE("client=%llu id=0x%llx from address=0x%llx length=10 done=10 path=block ret=0 ns=",
	    client, id, block);
	ONE("lsabuf_reply: client=%llu id=0x%llx status=0x0 address=0x%llx length=4321 ret=0",
	    client, id, block);
	ONE("lsabuf_wipe: snapshot id=0x%llx address=0x", id);
	ONE("lsabuf_return: client=%llu id=0x%llx ret=0 ns=", client, id);
	ONE("lsabuf_free: pid=%u by=client address=0x%llx ret=0",
	    self->client->pid, block);
	ONE("lsabuf_wipe: block id=0x0 address=0x%llx length=4336", block);
	/* These and no others: each state change once. */
	EXPECT_EQ(11, traced("lsabuf_"));
	EXPECT_EQ(NULL, strstr(trace_text, "secret"));
	EXPECT_FALSE(trace_shows_kernel());

	snprintf(name, sizeof(name), "lsabuf_receive: client=%llu", client);
	EXPECT_LT(0, number_in(name, " ns="));
	snprintf(name, sizeof(name), "lsabuf_return: client=%llu", client);
	EXPECT_LT(0, number_in(name, " ns="));
	EXPECT_LT(number_in("lsabuf_receive: ", " ns=") +
			  number_in("lsabuf_reply: ", " ns="),
		  number_in(name, " total="));
}

/* Durations are those of this request, not of one that had its slot before. */
TEST_F(traced, durations_of_the_same_request)
{
	__u64 id;

	id = begin_traced(_metadata, self, 0);
	ASSERT_EQ(0, lsa_reply(self->authority, id));
	ASSERT_EQ(0, hear(self->client, CALLER));
	ASSERT_EQ(0, write_text(trace_path("events/lsabuf/enable"), "0"));
	id = begin_traced(_metadata, self, 0);
	trace_clear();
	ASSERT_EQ(0, write_text(trace_path("events/lsabuf/enable"), "1"));
	ASSERT_EQ(0, lsa_reply(self->authority, id));
	ASSERT_EQ(0, hear(self->client, CALLER));
	trace_look();
	EXPECT_EQ(0, number_in("lsabuf_reply: ", " ns="));
	EXPECT_EQ(0, number_in("lsabuf_return: ", " total="));
}

TEST_F(traced, payload_is_an_allocation_and_a_copy)
{
	struct lsabuf_reply_receive reply = {
		.size = sizeof(reply),
		.flags = LSABUF_REPLY_RECEIVE_F_PAYLOAD,
		.payload_address = to_u64("payload"),
		.payload_length = 8,
	};
	unsigned long long id;

	id = begin_traced(_metadata, self, 0);
	reply.reply_id = id;
	trace_clear();
	ASSERT_EQ(0, lsa_reply_receive(self->authority, &reply));
	ASSERT_EQ(0, hear(self->client, CALLER));
	trace_look();
	ONE("lsabuf_alloc: client=%llu id=0x%llx",
	    (unsigned long long)self->client->client, id);
	ONE(" length=8 done=8 path=block ret=0");
	ONE("id=0x%llx status=0x0 address=0x", id);
}

TEST_F(traced, release)
{
	unsigned long long id = begin_traced(_metadata, self, 0);
	__u64 block;

	ASSERT_EQ(0, lsa_alloc(self->authority, id, 16, &block));
	trace_clear();
	ASSERT_EQ(0, lsa_release(self->authority, id, block));
	EXPECT_EQ(-ENOENT, lsa_release(self->authority, id, block));
	trace_look();
	ONE("by=authority address=0x%llx ret=0 id=0x%llx",
	    (unsigned long long)block, id);
	ONE("by=authority address=0x%llx ret=%d id=0x%llx",
	    (unsigned long long)block, -ENOENT, id);
	ONE("lsabuf_wipe: block id=0x%llx address=0x%llx", id,
	    (unsigned long long)block);
}

TEST_F(traced, requeue)
{
	struct lsabuf_reply_receive *io = mmap(
		NULL, PAGE, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long long id;

	start_call(self->client, CALLER, 0);
	ASSERT_TRUE(wait_readable(self->authority));
	trace_clear();
	io->size = sizeof(*io);
	io->flags = LSABUF_REPLY_RECEIVE_F_RECEIVE;
	/* Its header cannot be stored there. */
	mprotect(io, PAGE, PROT_READ);
	EXPECT_EQ(-EFAULT,
		  lsa_ioctl(self->authority, LSABUF_IOC_REPLY_RECEIVE, io));
	munmap(io, PAGE);
	trace_look();
	id = self->client->thread[CALLER].call.id;
	ONE("lsabuf_requeue: client=%llu id=0x%llx",
	    (unsigned long long)self->client->client, id);
}

/* Given up: where it was, and why. */
TEST_F(traced, abandon)
{
	unsigned long long client = self->client->client, id;
	struct lsabuf_call *call;

	trace_clear();
	id = begin_traced(_metadata, self, 0);
	ASSERT_EQ(0, client_cancel(self->client, id));
	hear(self->client, CALLER);
	EXPECT_EQ(-ECANCELED, lsa_reply(self->authority, id));
	trace_look();
	ONE("lsabuf_abandon: client=%llu id=0x%llx state=received error=%d",
	    client, id, -ECANCELED);
	ONE("id=0x%llx status=0x0 address=0x0 length=0 ret=%d", id, -ECANCELED);

	call = start_call(self->client, CALLER, 0);
	ASSERT_TRUE(wait_id(call));
	id = call->id;
	ASSERT_EQ(0, client_cancel(self->client, id));
	hear(self->client, CALLER);
	trace_look();
	ONE("id=0x%llx state=queued error=%d", id, -ECANCELED);
}

/* A new arena, and a copy to memory that is not there: the client's work. */
TEST_F(traced, chores)
{
	unsigned long long id, absent;
	struct puppet *client = puppet_start(NOBODY);
	char byte = 1;
	__u64 block;
	int fd;

	ASSERT_TRUE(!!client);
	ASSERT_EQ(0,
		  client_connect_flags(client, self->name, LSABUF_ACCESS_WHOLE,
				       LSABUF_CONNECT_F_FILES));
	absent = remote_mmap(client, PAGE, READ_WRITE, 0);
	id = begin_with(_metadata, self->authority, client);
	trace_clear();
	ASSERT_EQ(0, lsa_alloc(self->authority, id, MIB(1), &block));
	ASSERT_EQ(0, lsa_copy_to(self->authority, id, absent, &byte, 1, NULL));
	ASSERT_EQ(0, lsa_give(self->authority, id, 0, &fd));
	trace_look();
	ONE("lsabuf_chore: client=%llu id=0x%llx grow address=0x0 length=%llu done=0 ret=0",
	    (unsigned long long)client->client, id, MIB(1));
	ONE("id=0x%llx to address=0x%llx length=1 done=1 ret=0", id, absent);
	ONE("id=0x%llx to address=0x%llx length=1 done=1 path=thread ret=0", id,
	    absent);
	ONE("lsabuf_chore: client=%llu id=0x%llx file address=0x%x length=0 done=0 ret=0",
	    (unsigned long long)client->client, id, fd);
	ONE("lsabuf_arena_map: pid=%d arena", client->pid);

	trace_clear();
	ASSERT_EQ(0, lsa_reply_with(self->authority, id, block, MIB(1)));
	ASSERT_EQ(0, hear(client, CALLER));
	ASSERT_EQ(0, client_free(client, block));
	trace_look();
	ONE("lsabuf_arena_unmap: pid=%d arena address=0x", client->pid);
	ONE(" length=%llu blocks=0", MIB(1));
	puppet_stop(client);
}

TEST_F(traced, refusals)
{
	unsigned long long client = self->client->client, id;
	struct lsabuf_call *call;
	char byte = 1;
	__u64 block;

	id = begin_traced(_metadata, self, 0);
	trace_clear();
	EXPECT_EQ(-EACCES,
		  lsa_copy_to(self->authority, id, to_u64(self->client->submit),
			      &byte, 1, NULL));
	EXPECT_EQ(-EDQUOT, lsa_alloc(self->authority, id, MIB(65), &block));
	ASSERT_EQ(0, lsa_reply(self->authority, id));
	ASSERT_EQ(0, hear(self->client, CALLER));
	call = new_call(self->client, CALLER, MIB(17));
	call->submit_length = MIB(17);
	EXPECT_EQ(-EDQUOT, ask(self->client, CALLER, do_call));
	trace_look();
	ONE("lsabuf_grant_refused: client=%llu id=0x%llx to address=0x%llx length=1 access=buffers",
	    client, id, (unsigned long long)to_u64(self->client->submit));
	ONE("client=%llu id=0x%llx client_quota wanted=%llu used=0 limit=%llu",
	    client, id, MIB(65), MIB(64));
	ONE("client=%llu id=0x0 max_submit wanted=%llu used=0 limit=%llu",
	    client, MIB(17), MIB(16));
	EXPECT_EQ(2, traced("lsabuf_quota_refused"));
}

TEST_F(traced, too_many_requests)
{
	struct lsabuf_serve serve = {
		.size = sizeof(serve),
		.max_requests = 1,
		.arena_size = PAGE,
	};
	struct lsabuf_call call = {
		.size = sizeof(call),
		.flags = LSABUF_CALL_F_NOWAIT,
	};
	int authority = lsa_open(), client = lsa_open();

	set_endpoint(serve.endpoint, "traced-small");
	ASSERT_EQ(0, lsa_ioctl(authority, LSABUF_IOC_SERVE, &serve));
	ASSERT_EQ(0,
		  lsa_connect(client, "traced-small", LSABUF_ACCESS_BUFFERS));
	trace_clear();
	call.submit_address = to_u64(self->client->submit);
	call.submit_length = 2 * PAGE;
	EXPECT_EQ(-EAGAIN, lsa_ioctl(client, LSABUF_IOC_CALL, &call));
	call.submit_length = 0;
	EXPECT_EQ(0, lsa_ioctl(client, LSABUF_IOC_CALL, &call));
	call.id = 0;
	EXPECT_EQ(-EAGAIN, lsa_ioctl(client, LSABUF_IOC_CALL, &call));
	trace_look();
	ONE(" snapshots wanted=8192 used=0 limit=4096");
	ONE(" requests wanted=1 used=1 limit=1");
	close(authority);
	close(client);
}

/* Who is gone, and whether it closed its file or ended. */
TEST_F(traced, ends)
{
	unsigned long long client = self->client->client, id;
	int second = lsa_open();

	id = begin_traced(_metadata, self, 0);
	trace_clear();
	puppet_kill(self->client);
	EXPECT_EQ(-ESRCH, lsa_reply(self->authority, id));
	trace_look();
	ONE("id=0x%llx state=received error=%d", id, -ESRCH);
	/* The file may be closed before the memory ends, or after it. */
	EXPECT_EQ(1, traced("lsabuf_death: client=") +
			     traced("lsabuf_disconnect: client="));
	EXPECT_NE(NULL, strstr(trace_text, "lsabuf_arena_unmap"));

	trace_clear();
	ASSERT_EQ(0, lsa_connect(second, self->name, LSABUF_ACCESS_BUFFERS));
	ASSERT_EQ(0, lsa_disconnect(second));
	close(second);
	trace_look();
	EXPECT_EQ(1, traced("lsabuf_disconnect: client="));
	EXPECT_NE(client, 0);

	trace_clear();
	close(self->authority);
	self->authority = -1;
	trace_look();
	ONE("lsabuf_death: authority=");
	ONE(" cause=close pid=%d", getpid());
}

TEST_F(traced, permissions)
{
	int file = lsa_open();

	trace_clear();
	EXPECT_EQ(0, lsa_endpoint(file, "a b\nc", 0, 1234));
	EXPECT_EQ(0,
		  lsa_endpoint(file, "a b\nc", LSABUF_ENDPOINT_F_REMOVE, 1234));
	EXPECT_EQ(0, lsa_endpoint(file, "g", LSABUF_ENDPOINT_F_GROUP, 5));
	EXPECT_EQ(0, lsa_endpoint(file, "g",
				  LSABUF_ENDPOINT_F_GROUP |
					  LSABUF_ENDPOINT_F_REMOVE,
				  5));
	trace_look();
	/* A name does not get a line of its own. */
	ONE("lsabuf_permit: add endpoint=a?b?c uid=1234 ret=0");
	ONE("remove endpoint=a?b?c uid=1234 ret=0");
	ONE("add endpoint=g gid=5 ret=0");
	close(file);
}

TEST_HARNESS_MAIN
