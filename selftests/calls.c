// SPDX-License-Identifier: GPL-2.0
/*
 * One call from its begin to its end: what is passed, waiting, polling,
 * giving up, signals, identity, fairness, who may serve, limits.
 */
#include "exactly_once.h"
#include "lsabuf_test.h"

#include <sys/epoll.h>

static short poll_now(int file)
{
	struct pollfd poll_file = { .fd = file, .events = POLLIN };

	return poll(&poll_file, 1, 0) < 0 ? -1 : poll_file.revents;
}

static long do_poll(struct puppet *puppet, struct puppet_thread *me)
{
	struct pollfd poll_file = { .fd = puppet->device, .events = POLLIN };

	if (poll(&poll_file, 1, me->argument[0]) < 0)
		return -errno;
	return poll_file.revents;
}

/* What poll() of the client's file says within @ms. */
static long client_poll(struct puppet *client, int ms)
{
	return ask(client, SIDE, do_poll, ms);
}

/* A call that does not wait. */
static long call_nowait(struct puppet *client, __u64 length)
{
	new_call(client, CALLER, length)->flags = LSABUF_CALL_F_NOWAIT;
	return ask(client, CALLER, do_call);
}

/* Take the reply of the call @id, or of any with LSABUF_CALL_F_ANY. */
static long take_reply(struct puppet *client, __u32 flags, __u64 id)
{
	struct lsabuf_call *call = new_call(client, SECOND, 0);

	call->flags = flags;
	call->id = id;
	return ask(client, SECOND, do_call);
}

static __u64 receive_id(struct __test_metadata *_metadata, int authority)
{
	struct lsabuf_reply_receive request;

	ASSERT_EQ(0, lsa_receive_now(authority, &request));
	return request.out_id;
}

static bool nothing_to_receive(int authority)
{
	struct lsabuf_reply_receive request;

	return lsa_receive_now(authority, &request) == -EAGAIN;
}

/*
 * What is passed
 */

TEST_F(pair, passed_on)
{
	struct lsabuf_call *call = new_call(self->client, CALLER, 300);
	struct lsabuf_reply_receive request;

	fill(self->client->submit, 1, 300);
	call->kind = 0x12345678;
	call->code = 0x9abcdef0;
	call->out_status[0] = 0xa5a5a5a5;
	call->out_address = 0xa5a5a5a5;
	tell(self->client, CALLER, do_call);
	memset(&request, 0xa5, sizeof(request));
	request.flags = LSABUF_REPLY_RECEIVE_F_RECEIVE;
	request.reply_id = 0;
	request.__reserved = 0;
	ASSERT_EQ(0, lsa_reply_receive(self->authority, &request));
	EXPECT_EQ(call->id, request.out_id);
	EXPECT_NE(0, request.out_id);
	EXPECT_EQ(self->client->client, request.out_client);
	EXPECT_EQ(0x12345678, request.out_kind);
	EXPECT_EQ(0x9abcdef0, request.out_code);
	EXPECT_EQ(300, request.out_submit_length);
	EXPECT_EQ(to_u64(self->client->submit), request.out_client_address);
	EXPECT_EQ(OWN_FLAGS, request.out_flags);
	EXPECT_EQ(LSABUF_ACCESS_WHOLE, request.out_access);
	EXPECT_EQ(300, filled(to_pointer(request.out_submit_address), 1, 300));
	end(_metadata, self, request.out_id);
	EXPECT_EQ(0, call->out_status[0]);
	EXPECT_EQ(0, call->out_address);
}

TEST_F(pair, returned)
{
	struct lsabuf_call *call = start_call(self->client, CALLER, 0);
	struct lsabuf_reply_receive io;

	ASSERT_EQ(0, lsa_receive(self->authority, &io));
	/* Nothing submitted is no address, on either side. */
	EXPECT_EQ(0, io.out_submit_length);
	EXPECT_EQ(0, io.out_submit_address);
	io = (struct lsabuf_reply_receive){
		.reply_id = io.out_id,
		.status = { 0xc0000001, 0xc0000002 },
		.return_address = 0x123456789abcdef0,
		.return_length = 0xfedcba9876543210,
	};
	ASSERT_EQ(0, lsa_reply_receive(self->authority, &io));
	EXPECT_EQ(0, io.reply_id);
	EXPECT_EQ(0, io.reply_error);
	ASSERT_EQ(0, hear(self->client, CALLER));
	EXPECT_EQ(0xc0000001, call->out_status[0]);
	EXPECT_EQ(0xc0000002, call->out_status[1]);
	EXPECT_EQ(0x123456789abcdef0, call->out_address);
	EXPECT_EQ(0xfedcba9876543210, call->out_length);
}

/* The authority works on a copy that the client cannot reach, and back. */
TEST_F(pair, snapshot_is_private)
{
	struct lsabuf_reply_receive request;
	unsigned char *snapshot;

	fill(self->client->submit, 1, 9000);
	start_call(self->client, CALLER, 9000);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	snapshot = to_pointer(request.out_submit_address);
	fill(self->client->submit, 2, 9000);
	EXPECT_EQ(9000, filled(snapshot, 1, 9000));
	memset(snapshot, 0, 9000);
	EXPECT_EQ(9000, filled(self->client->submit, 2, 9000));
	end(_metadata, self, request.out_id);
	/* It was wiped, and is not the authority's any more. */
	EXPECT_TRUE(all_bytes(snapshot, 0, 9000));
}

TEST_F(pair, snapshot_is_wiped)
{
	struct lsabuf_reply_receive request;

	fill(self->client->submit, 1, 9000);
	start_call(self->client, CALLER, 9000);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	end(_metadata, self, request.out_id);
	EXPECT_TRUE(all_bytes(to_pointer(request.out_submit_address), 0, 9000));
}

/* The reply ends it, whether the client has taken that or not. */
TEST_F(pair, snapshot_ends_with_reply)
{
	struct lsabuf_reply_receive request;

	fill(self->client->submit, 1, 9000);
	ASSERT_EQ(0, call_nowait(self->client, 9000));
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(0, lsa_reply(self->authority, request.out_id));
	EXPECT_TRUE(all_bytes(to_pointer(request.out_submit_address), 0, 9000));
	EXPECT_EQ(0, take_reply(self->client, 0, request.out_id));
}

/* Any number at a time, answered in any order, from any thread. */
TEST_F(pair, any_order)
{
	__u64 id[16], call_id[16];
	int i;

	for (i = 0; i < 16; i++) {
		ASSERT_EQ(0, call_nowait(self->client, 0));
		call_id[i] = self->client->thread[CALLER].call.id;
	}
	for (i = 0; i < 16; i++) {
		id[i] = receive_id(_metadata, self->authority);
		EXPECT_EQ(call_id[i], id[i]);
	}
	for (i = 0; i < 16; i++)
		ASSERT_EQ(0, lsa_reply_with(self->authority, id[i * 7 % 16],
					    i * 7 % 16 + 100, 0));
	for (i = 15; i >= 0; i--) {
		ASSERT_EQ(0, take_reply(self->client, 0, id[i]));
		EXPECT_EQ(i + 100,
			  self->client->thread[SECOND].call.out_address);
	}
}

/*
 * Not waiting
 */

TEST_F(pair, nowait_and_poll)
{
	__u64 id;

	EXPECT_EQ(0, poll_now(self->authority) & POLLIN);
	EXPECT_EQ(0, client_poll(self->client, 0) & POLLIN);
	ASSERT_EQ(0, call_nowait(self->client, 0));
	EXPECT_EQ(POLLIN, poll_now(self->authority) & POLLIN);
	EXPECT_EQ(0, client_poll(self->client, 0) & POLLIN);

	id = receive_id(_metadata, self->authority);
	EXPECT_EQ(0, poll_now(self->authority) & POLLIN);
	EXPECT_EQ(-EAGAIN, take_reply(self->client, LSABUF_CALL_F_NOWAIT, id));
	EXPECT_EQ(0, lsa_reply(self->authority, id));
	EXPECT_EQ(POLLIN, client_poll(self->client, 5000) & POLLIN);
	EXPECT_EQ(0, take_reply(self->client, LSABUF_CALL_F_NOWAIT, id));
	EXPECT_EQ(0, client_poll(self->client, 0) & POLLIN);
	EXPECT_EQ(-ENOENT, take_reply(self->client, LSABUF_CALL_F_NOWAIT, id));
}

/* poll() that is already waiting is woken, on both sides. */
TEST_F(pair, poll_wakes)
{
	struct pollfd poll_file = { .fd = self->authority, .events = POLLIN };
	__u64 id;

	tell(self->client, SIDE, do_poll, 10000);
	ASSERT_TRUE(wait_asleep(self->client, SIDE));
	ASSERT_EQ(0, call_nowait(self->client, 0));
	EXPECT_EQ(1, poll(&poll_file, 1, 10000));
	id = receive_id(_metadata, self->authority);
	EXPECT_TRUE(is_busy(self->client, SIDE));
	EXPECT_EQ(0, lsa_reply(self->authority, id));
	EXPECT_EQ(POLLIN, hear(self->client, SIDE) & POLLIN);
}

/* The end of the authority wakes it, too. */
TEST_F(pair, poll_tells_the_end)
{
	tell(self->client, SIDE, do_poll, -1);
	ASSERT_TRUE(wait_asleep(self->client, SIDE));
	close(self->authority);
	self->authority = -1;
	ASSERT_TRUE(
		hear_within(self->client, SIDE, AT_ONCE_NS / NSEC_PER_MSEC));
	EXPECT_EQ(POLLHUP, self->client->thread[SIDE].result & POLLHUP);
}

/* A call made without waiting can be waited for later. */
TEST_F(pair, nowait_then_wait)
{
	struct lsabuf_call *call = new_call(self->client, SECOND, 0);
	__u64 id;

	ASSERT_EQ(0, call_nowait(self->client, 0));
	id = receive_id(_metadata, self->authority);
	call->id = id;
	tell(self->client, SECOND, do_call);
	ASSERT_TRUE(wait_asleep(self->client, SECOND));
	EXPECT_TRUE(is_busy(self->client, SECOND));
	EXPECT_EQ(0, lsa_reply(self->authority, id));
	EXPECT_EQ(0, hear(self->client, SECOND));
}

TEST_F(pair, any)
{
	struct lsabuf_call *any = &self->client->thread[SECOND].call;
	__u64 first, second;

	EXPECT_EQ(-EAGAIN, take_reply(self->client, LSABUF_CALL_F_ANY, 0));
	ASSERT_EQ(0, call_nowait(self->client, 0));
	first = receive_id(_metadata, self->authority);
	ASSERT_EQ(0, call_nowait(self->client, 0));
	second = receive_id(_metadata, self->authority);
	EXPECT_EQ(-EAGAIN, take_reply(self->client, LSABUF_CALL_F_ANY, 0));
	EXPECT_EQ(0, lsa_reply_with(self->authority, second, 2, 0));
	EXPECT_EQ(0, take_reply(self->client, LSABUF_CALL_F_ANY, 0));
	EXPECT_EQ(second, any->id);
	EXPECT_EQ(2, any->out_address);
	EXPECT_EQ(-EAGAIN,
		  take_reply(self->client,
			     LSABUF_CALL_F_ANY | LSABUF_CALL_F_NOWAIT, 0));
	EXPECT_EQ(0, lsa_reply_with(self->authority, first, 1, 0));
	EXPECT_EQ(0, take_reply(self->client,
				LSABUF_CALL_F_ANY | LSABUF_CALL_F_NOWAIT, 0));
	EXPECT_EQ(first, any->id);
	EXPECT_EQ(1, any->out_address);
}

/* A reply that somebody waits for is not any's to take. */
TEST_F(pair, any_leaves_waiters)
{
	__u64 id = begin(_metadata, self);

	ASSERT_TRUE(wait_asleep(self->client, CALLER));
	EXPECT_EQ(-EAGAIN, take_reply(self->client, LSABUF_CALL_F_ANY, 0));
	end(_metadata, self, id);
	EXPECT_EQ(-EAGAIN, take_reply(self->client, LSABUF_CALL_F_ANY, 0));
}

/*
 * Giving up
 */

/* Before anybody has seen it: it never happened. */
TEST_F(pair, cancel_queued)
{
	struct lsabuf_call *call = start_call(self->client, CALLER, 100);

	ASSERT_TRUE(wait_id(call));
	EXPECT_EQ(0, client_cancel(self->client, call->id));
	EXPECT_EQ(-ECANCELED, hear(self->client, CALLER));
	EXPECT_TRUE(nothing_to_receive(self->authority));
	EXPECT_EQ(-ENOENT, client_cancel(self->client, call->id));
}

/* The authority finds out, and keeps its snapshot until it has replied. */
TEST_F(pair, cancel_received)
{
	struct lsabuf_reply_receive request;
	struct lsabuf_call *call;
	__u64 address;

	fill(self->client->submit, 1, 100);
	call = start_call(self->client, CALLER, 100);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(0, client_cancel(self->client, call->id));
	EXPECT_EQ(-ECANCELED, hear(self->client, CALLER));
	EXPECT_EQ(-ENOENT, client_cancel(self->client, call->id));
	test_err_alloc(ECANCELED, self->authority, request.out_id, 16,
		       &address);
	test_err_copy_to(ECANCELED, self->authority, request.out_id,
			 request.out_client_address, &address, 1, NULL);
	EXPECT_EQ(100, filled(to_pointer(request.out_submit_address), 1, 100));
	EXPECT_EQ(100, filled(self->client->submit, 1, 100));
	test_err_reply(ECANCELED, self->authority, request.out_id);
	test_err_reply(ENOENT, self->authority, request.out_id);
}

TEST_F(pair, cancel_nowait)
{
	__u64 id;

	ASSERT_EQ(0, call_nowait(self->client, 0));
	id = self->client->thread[CALLER].call.id;
	EXPECT_EQ(0, client_cancel(self->client, id));
	EXPECT_EQ(-ENOENT, client_cancel(self->client, id));
	EXPECT_EQ(-ENOENT, take_reply(self->client, LSABUF_CALL_F_NOWAIT, id));
	EXPECT_TRUE(nothing_to_receive(self->authority));
}

/* A reply that nobody took can be given up too. */
TEST_F(pair, cancel_replied)
{
	__u64 id;

	ASSERT_EQ(0, call_nowait(self->client, 0));
	id = receive_id(_metadata, self->authority);
	EXPECT_EQ(0, lsa_reply(self->authority, id));
	client_cancel(self->client, id);
	EXPECT_EQ(-ENOENT, client_cancel(self->client, id));
	EXPECT_EQ(-ENOENT, take_reply(self->client, LSABUF_CALL_F_NOWAIT, id));
}

#define TIMEOUT_NS (100 * NSEC_PER_MSEC)

TEST_F(pair, timeout_queued)
{
	struct lsabuf_call *call = new_call(self->client, CALLER, 100);
	__u64 start = now_ns(), took;

	call->timeout_ns = TIMEOUT_NS;
	EXPECT_EQ(-ETIMEDOUT, ask(self->client, CALLER, do_call));
	took = now_ns() - start;
	EXPECT_LE(TIMEOUT_NS, took);
	EXPECT_LE(took, TIMEOUT_NS + AT_ONCE_NS);
	EXPECT_TRUE(nothing_to_receive(self->authority));
	EXPECT_EQ(-ENOENT, take_reply(self->client, 0, call->id));
}

/* Nobody waits for it: whoever would receive it finds that it is too late. */
TEST_F(pair, timeout_before_receive)
{
	struct lsabuf_call *call = new_call(self->client, CALLER, 100);

	call->flags = LSABUF_CALL_F_NOWAIT;
	call->timeout_ns = TIMEOUT_NS;
	ASSERT_EQ(0, ask(self->client, CALLER, do_call));
	sleep_ms(2 * TIMEOUT_NS / NSEC_PER_MSEC);
	EXPECT_TRUE(nothing_to_receive(self->authority));
	EXPECT_EQ(-ETIMEDOUT, take_reply(self->client, LSABUF_CALL_F_ANY, 0));
	EXPECT_EQ(-EAGAIN, take_reply(self->client, LSABUF_CALL_F_ANY, 0));
}

TEST_F(pair, timeout_received)
{
	struct lsabuf_call *call = new_call(self->client, CALLER, 100);
	struct lsabuf_reply_receive request;

	fill(self->client->submit, 1, 100);
	call->timeout_ns = TIMEOUT_NS;
	tell(self->client, CALLER, do_call);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(-ETIMEDOUT, hear(self->client, CALLER));
	EXPECT_EQ(100, filled(to_pointer(request.out_submit_address), 1, 100));
	test_err_reply(ECANCELED, self->authority, request.out_id);
}

/* It counts from when the call was queued, however often it is waited for. */
TEST_F(pair, timeout_is_fixed)
{
	struct lsabuf_call *call = new_call(self->client, CALLER, 0);
	__u64 start = now_ns(), id;

	call->flags = LSABUF_CALL_F_NOWAIT;
	call->timeout_ns = 500 * NSEC_PER_MSEC;
	ASSERT_EQ(0, ask(self->client, CALLER, do_call));
	id = call->id;
	call = new_call(self->client, CALLER, 0);
	call->id = id;
	call->timeout_ns = 3600 * NSEC_PER_SEC;
	EXPECT_EQ(-ETIMEDOUT, ask(self->client, CALLER, do_call));
	EXPECT_LE(500 * NSEC_PER_MSEC, now_ns() - start);
	EXPECT_LE(now_ns() - start, AT_ONCE_NS);
}

/* The longest there is does not wrap around. */
TEST_F(pair, timeout_longest)
{
	__u64 id;

	new_call(self->client, CALLER, 0)->timeout_ns = ~0ULL;
	tell(self->client, CALLER, do_call);
	ASSERT_TRUE(wait_readable(self->authority));
	id = receive_id(_metadata, self->authority);
	ASSERT_TRUE(wait_asleep(self->client, CALLER));
	EXPECT_TRUE(is_busy(self->client, CALLER));
	end(_metadata, self, id);
}

TEST_F(pair, second_waiter)
{
	struct lsabuf_call *call = start_call(self->client, CALLER, 0);
	struct lsabuf_reply_receive request;

	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	ASSERT_TRUE(wait_asleep(self->client, CALLER));
	EXPECT_EQ(-EBUSY, take_reply(self->client, 0, call->id));
	EXPECT_EQ(-EBUSY,
		  take_reply(self->client, LSABUF_CALL_F_NOWAIT, call->id));
	end(_metadata, self, request.out_id);
}

/* An id is worth nothing on another connection of the same process. */
TEST_F(pair, ids_belong_to_a_connection)
{
	int first = self->client->device;
	__u64 id;

	ASSERT_EQ(0, call_nowait(self->client, 0));
	id = self->client->thread[CALLER].call.id;
	ASSERT_EQ(0, client_connect(self->client, self->name,
				    LSABUF_ACCESS_BUFFERS));
	EXPECT_EQ(-ENOENT, client_cancel(self->client, id));
	EXPECT_EQ(-ENOENT, take_reply(self->client, LSABUF_CALL_F_NOWAIT, id));
	self->client->device = first;
	EXPECT_EQ(0, client_cancel(self->client, id));
}

/*
 * Signals
 */

static void count_signal(int signal)
{
	(void)signal;
	__atomic_add_fetch(&myself->flag[0], 1, __ATOMIC_RELEASE);
}

static long do_sigaction(struct puppet *puppet, struct puppet_thread *me)
{
	(void)me;
	return sigaction(SIGUSR1, (void *)puppet->scratch, NULL);
}

/* Have SIGUSR1 handled by @handler. */
static void signals_to(struct __test_metadata *_metadata, struct puppet *client,
		       void (*handler)(int), int flags)
{
	struct sigaction *action = (void *)client->scratch;

	*action = (struct sigaction){
		.sa_handler = handler,
		.sa_flags = flags,
	};
	ASSERT_EQ(0, ask(client, SIDE, do_sigaction));
}

/* Signal the thread CALLER, which waits in a call. */
static void interrupt(struct __test_metadata *_metadata, struct puppet *client)
{
	struct puppet_thread *caller = &client->thread[CALLER];

	ASSERT_TRUE(wait_id(&caller->call));
	ASSERT_TRUE(wait_asleep(client, CALLER));
	ASSERT_EQ(0, syscall(SYS_tgkill, client->pid, caller->tid, SIGUSR1));
}

/* The wait ends, the call goes on, and can be waited for again. */
TEST_F(pair, interrupted_call)
{
	struct lsabuf_call *call;
	__u64 id;

	signals_to(_metadata, self->client, count_signal, 0);
	call = start_call(self->client, CALLER, 0);
	interrupt(_metadata, self->client);
	EXPECT_EQ(-EINTR, hear(self->client, CALLER));
	EXPECT_EQ(1, self->client->flag[0]);
	id = receive_id(_metadata, self->authority);
	EXPECT_EQ(call->id, id);
	/* The same struct again: no second request */
	tell(self->client, CALLER, do_call);
	ASSERT_TRUE(wait_asleep(self->client, CALLER));
	EXPECT_TRUE(nothing_to_receive(self->authority));
	end(_metadata, self, id);
}

/* Replied while nobody waits; taken by another thread */
TEST_F(pair, interrupted_then_replied)
{
	__u64 id;

	signals_to(_metadata, self->client, count_signal, 0);
	start_call(self->client, CALLER, 0);
	interrupt(_metadata, self->client);
	EXPECT_EQ(-EINTR, hear(self->client, CALLER));
	id = receive_id(_metadata, self->authority);
	EXPECT_EQ(0, lsa_reply_with(self->authority, id, 77, 0));
	EXPECT_EQ(0, take_reply(self->client, 0, id));
	EXPECT_EQ(77, self->client->thread[SECOND].call.out_address);
	EXPECT_EQ(-ENOENT, take_reply(self->client, 0, id));
}

TEST_F(pair, restarted_call)
{
	struct lsabuf_reply_receive request;
	int i;

	signals_to(_metadata, self->client, count_signal, SA_RESTART);
	start_call(self->client, CALLER, 0);
	for (i = 1; i <= 3; i++) {
		interrupt(_metadata, self->client);
		while (__atomic_load_n(&self->client->flag[0],
				       __ATOMIC_ACQUIRE) < i)
			sched_yield();
	}
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_TRUE(nothing_to_receive(self->authority));
	end(_metadata, self, request.out_id);
	EXPECT_EQ(3, self->client->flag[0]);
}

static void call_in_handler(int signal)
{
	(void)signal;
	myself->flag[1] =
		1 - lsa_call(myself->device, &myself->thread[SECOND].call);
}

/*
 * A handler makes a call of its own. The outer request has nobody meanwhile
 * who could work for it.
 */
TEST_F(pair, nested_call)
{
	__u64 absent =
		remote_mmap(self->client, 4096, PROT_READ | PROT_WRITE, 0);
	struct lsabuf_reply_receive outer, inner;
	struct lsabuf_call *call;

	signals_to(_metadata, self->client, call_in_handler, SA_RESTART);
	new_call(self->client, SECOND, 0)->code = 2;
	call = new_call(self->client, CALLER, 0);
	call->code = 1;
	tell(self->client, CALLER, do_call);
	ASSERT_EQ(0, lsa_receive(self->authority, &outer));
	EXPECT_EQ(1, outer.out_code);
	interrupt(_metadata, self->client);
	ASSERT_EQ(0, lsa_receive(self->authority, &inner));
	EXPECT_EQ(2, inner.out_code);

	test_err_copy_to(EAGAIN, self->authority, outer.out_id, absent, "o", 1,
			 NULL);
	EXPECT_EQ(0, lsa_copy_to(self->authority, inner.out_id, absent, "i", 1,
				 NULL));
	EXPECT_EQ(0, lsa_reply_with(self->authority, inner.out_id, 22, 0));
	ASSERT_TRUE(wait_nonzero(&self->client->flag[1]));
	EXPECT_EQ(1, self->client->flag[1]);
	EXPECT_EQ(22, self->client->thread[SECOND].call.out_address);
	EXPECT_EQ(0, lsa_reply_with(self->authority, outer.out_id, 11, 0));
	EXPECT_EQ(0, hear(self->client, CALLER));
	EXPECT_EQ(11, call->out_address);
}

static sigjmp_buf jump_from_call;

static void jump(int signal)
{
	(void)signal;
	siglongjmp(jump_from_call, 1);
}

static long do_call_and_jump(struct puppet *puppet, struct puppet_thread *me)
{
	if (sigsetjmp(jump_from_call, 1))
		return -ENOTRECOVERABLE;
	return lsa_call(puppet->device, &me->call);
}

/* The call that was jumped out of is still there, under its id. */
TEST_F(pair, jumped_out)
{
	struct lsabuf_call *call = new_call(self->client, CALLER, 0);
	struct lsabuf_reply_receive request;

	signals_to(_metadata, self->client, jump, SA_RESTART);
	tell(self->client, CALLER, do_call_and_jump);
	interrupt(_metadata, self->client);
	EXPECT_EQ(-ENOTRECOVERABLE, hear(self->client, CALLER));
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(call->id, request.out_id);
	tell(self->client, CALLER, do_call);
	end(_metadata, self, request.out_id);
	EXPECT_EQ(-ENOENT, client_cancel(self->client, request.out_id));
}

/* 1000 signals per second: every call is executed once, and answered once. */
static void signal_storm(struct __test_metadata *_metadata, PAIR *self,
			 int flags)
{
	struct echo echo = {
		.authority = self->authority,
		.nr = scaled(500),
	};

	echo.seen = calloc(echo.nr, 1);
	pthread_create(&echo.thread, NULL, echo_main, &echo);
	signals_to(_metadata, self->client, count_signal, flags);
	tell(self->client, CALLER, do_numbered_calls, echo.nr);
	while (!hear_within(self->client, CALLER, 1))
		syscall(SYS_tgkill, self->client->pid,
			self->client->thread[CALLER].tid, SIGUSR1);
	EXPECT_EQ(0, self->client->thread[CALLER].result);
	new_call(self->client, SECOND, 0)->code = CODE_QUIT;
	EXPECT_EQ(0, ask(self->client, SECOND, do_call));
	pthread_join(echo.thread, NULL);
	EXPECT_EQ(echo.nr, executed_once(&echo));
	EXPECT_LT(0, self->client->flag[0]);
	free(echo.seen);
}

TEST_F_TIMEOUT(pair, exactly_once_interrupted, STRESS_TIMEOUT)
{
	signal_storm(_metadata, self, 0);
}

TEST_F_TIMEOUT(pair, exactly_once_restarted, STRESS_TIMEOUT)
{
	signal_storm(_metadata, self, SA_RESTART);
}

/*
 * REPLY_RECEIVE
 */

TEST_F(pair, double_reply)
{
	__u64 id = begin(_metadata, self);

	end(_metadata, self, id);
	test_err_reply(ENOENT, self->authority, id);
	id = begin(_metadata, self);
	end(_metadata, self, id);
}

TEST_F(pair, forged_ids)
{
	__u64 id = begin(_metadata, self);
	int bit;

	for (bit = 0; bit < 64; bit++) {
		/* 0 is none, which is no error. */
		if (id == 1ULL << bit)
			continue;
		test_err_reply(ENOENT, self->authority, id ^ 1ULL << bit);
	}
	EXPECT_TRUE(is_busy(self->client, CALLER));
	end(_metadata, self, id);
}

/* A request that nobody has received cannot be answered. */
TEST_F(pair, unreceived_id)
{
	struct lsabuf_call *call = start_call(self->client, CALLER, 0);
	__u64 address;

	ASSERT_TRUE(wait_id(call));
	test_err_reply(ENOENT, self->authority, call->id);
	test_err_alloc(ENOENT, self->authority, call->id, 16, &address);
	end(_metadata, self, receive_id(_metadata, self->authority));
}

/* An id of one authority is none of another. */
TEST_F(pair, foreign_ids)
{
	__u64 id = begin(_metadata, self), address;
	struct lsabuf_identity identity = {};
	int other = lsa_open();

	ASSERT_EQ(0, lsa_serve(other, "other-authority"));
	test_err_reply(ENOENT, other, id);
	test_err_alloc(ENOENT, other, id, 16, &address);
	test_err_copy_to(ENOENT, other, id, address, "x", 1, NULL);
	test_err_identity(ENOENT, other, id, &identity);
	end(_metadata, self, id);
	close(other);
}

/* A reply that fails on its id stops the receive. */
TEST_F(pair, bad_reply_receives_nothing)
{
	struct lsabuf_reply_receive io = {
		.flags = LSABUF_REPLY_RECEIVE_F_RECEIVE |
			 LSABUF_REPLY_RECEIVE_F_NOWAIT,
		.reply_id = NO_SUCH_ID,
	};
	__u64 id;

	ASSERT_EQ(0, call_nowait(self->client, 0));
	lsa_reply_receive(self->authority, &io);
	EXPECT_EQ(-ENOENT, io.reply_error);
	id = receive_id(_metadata, self->authority);
	EXPECT_EQ(0, lsa_reply(self->authority, id));
}

/* The client is dead: the reply half says so, the receive half goes on. */
TEST_F(pair, reply_to_dead_client)
{
	struct puppet *other = client_start(self->name, LSABUF_ACCESS_WHOLE);
	struct lsabuf_reply_receive io = {
		.flags = LSABUF_REPLY_RECEIVE_F_RECEIVE,
	};

	ASSERT_TRUE(!!other);
	io.reply_id = begin_with(_metadata, self->authority, other);
	puppet_kill(other);
	start_call(self->client, CALLER, 0);
	ASSERT_EQ(0, lsa_reply_receive(self->authority, &io));
	EXPECT_EQ(-ESRCH, io.reply_error);
	EXPECT_EQ(0, io.reply_id);
	EXPECT_EQ(self->client->client, io.out_client);
	end(_metadata, self, io.out_id);
	puppet_stop(other);
}

/* A header that cannot be stored is not lost, and comes once. */
TEST_F(pair, failed_receive_requeues)
{
	struct lsabuf_reply_receive request = {
		.size = sizeof(request),
		.flags = LSABUF_REPLY_RECEIVE_F_RECEIVE,
	};
	void *io = unwritable(&request, sizeof(request));
	__u64 first, second;

	ASSERT_EQ(0, call_nowait(self->client, 0));
	first = self->client->thread[CALLER].call.id;
	ASSERT_EQ(0, call_nowait(self->client, 0));
	second = self->client->thread[CALLER].call.id;
	EXPECT_EQ(-EFAULT,
		  lsa_ioctl(self->authority, LSABUF_IOC_REPLY_RECEIVE, io));
	EXPECT_EQ(-EFAULT,
		  lsa_ioctl(self->authority, LSABUF_IOC_REPLY_RECEIVE, io));
	/* It is at the head again. */
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(first, request.out_id);
	EXPECT_EQ(0, lsa_reply(self->authority, first));
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(second, request.out_id);
	EXPECT_EQ(0, lsa_reply(self->authority, second));
	EXPECT_TRUE(nothing_to_receive(self->authority));
}

/* A puppet that plays an authority, and one that is its client. */
FIXTURE(other_authority)
{
	char name[LSABUF_ENDPOINT_LEN];
	struct puppet *authority;
	struct puppet *client;
};

static long do_serve(struct puppet *puppet, struct puppet_thread *me)
{
	long ret = do_open(puppet, me);

	if (ret)
		return ret;
	return lsa_serve_flags(puppet->device, (char *)puppet->scratch,
			       me->argument[0]);
}

/* Serve the endpoint @name in @puppet. */
static long puppet_serve(struct puppet *puppet, const char *name, __u32 flags)
{
	strcpy((char *)puppet->scratch, name);
	return ask(puppet, SIDE, do_serve, flags);
}

/* REPLY_RECEIVE with the struct that lies in the submit buffer. */
static long do_reply_receive(struct puppet *puppet, struct puppet_thread *me)
{
	(void)me;
	return lsa_reply_receive(puppet->device, (void *)puppet->submit);
}

FIXTURE_SETUP(other_authority)
{
	snprintf(self->name, sizeof(self->name), "other-%d", getpid());
	self->authority = puppet_start(0);
	ASSERT_EQ(0, puppet_serve(self->authority, self->name, 0));
	self->client = client_start(self->name, LSABUF_ACCESS_WHOLE);
	ASSERT_TRUE(!!self->client);
}

FIXTURE_TEARDOWN(other_authority)
{
	puppet_stop(self->client);
	puppet_stop(self->authority);
}

/* A signal while it waits: the reply stands, and is not made again. */
TEST_F(other_authority, interrupted_receive)
{
	struct lsabuf_reply_receive *io = (void *)self->authority->submit;
	struct puppet *authority = self->authority;

	signals_to(_metadata, authority, count_signal, 0);
	start_call(self->client, CALLER, 0);
	*io = (struct lsabuf_reply_receive){
		.flags = LSABUF_REPLY_RECEIVE_F_RECEIVE,
	};
	ASSERT_EQ(0, ask(authority, CALLER, do_reply_receive));
	io->reply_id = io->out_id;
	io->reply_error = 12345;
	tell(authority, CALLER, do_reply_receive);
	ASSERT_EQ(0, hear(self->client, CALLER));
	ASSERT_TRUE(wait_asleep(authority, CALLER));
	ASSERT_EQ(0, syscall(SYS_tgkill, authority->pid,
			     authority->thread[CALLER].tid, SIGUSR1));
	EXPECT_EQ(-EINTR, hear(authority, CALLER));
	EXPECT_EQ(0, io->reply_id);
	EXPECT_EQ(0, io->reply_error);
}

TEST_F(other_authority, restarted_receive)
{
	struct lsabuf_reply_receive *io = (void *)self->authority->submit;
	struct puppet *authority = self->authority;

	signals_to(_metadata, authority, count_signal, SA_RESTART);
	start_call(self->client, CALLER, 0);
	*io = (struct lsabuf_reply_receive){
		.flags = LSABUF_REPLY_RECEIVE_F_RECEIVE,
	};
	ASSERT_EQ(0, ask(authority, CALLER, do_reply_receive));
	io->reply_id = io->out_id;
	tell(authority, CALLER, do_reply_receive);
	ASSERT_EQ(0, hear(self->client, CALLER));
	ASSERT_TRUE(wait_asleep(authority, CALLER));
	ASSERT_EQ(0, syscall(SYS_tgkill, authority->pid,
			     authority->thread[CALLER].tid, SIGUSR1));
	ASSERT_TRUE(wait_nonzero(&authority->flag[0]));
	start_call(self->client, CALLER, 0);
	EXPECT_EQ(0, hear(authority, CALLER));
	EXPECT_EQ(self->client->thread[CALLER].call.id, io->out_id);
	EXPECT_EQ(0, io->reply_error);
	*io = (struct lsabuf_reply_receive){ .reply_id = io->out_id };
	EXPECT_EQ(0, ask(authority, CALLER, do_reply_receive));
	EXPECT_EQ(0, hear(self->client, CALLER));
}

/*
 * Identity
 */

/* Field 22 of /proc/PID/stat, in clock ticks since boot */
static __u64 start_ticks(pid_t pid)
{
	char path[32], *text, *at;
	__u64 ticks = 0;
	int field;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	text = read_text(path);
	at = strrchr(text, ')');
	for (field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (at)
		ticks = strtoull(at, NULL, 10);
	free(text);
	return ticks;
}

TEST_F(pair, identity_of_thread)
{
	struct lsabuf_reply_receive request;
	int t;

	for (t = SIDE; t < PUPPET_THREADS; t++) {
		start_call(self->client, t, 0);
		ASSERT_EQ(0, lsa_receive(self->authority, &request));
		EXPECT_EQ(NOBODY, request.out_uid);
		EXPECT_EQ(NOBODY, request.out_gid);
		EXPECT_EQ(self->client->pid, request.out_pid);
		EXPECT_EQ(self->client->thread[t].tid, request.out_tid);
		EXPECT_EQ(OWN_FLAGS, request.out_flags);
		EXPECT_EQ(start_ticks(self->client->pid),
			  request.out_start /
				  (NSEC_PER_SEC / sysconf(_SC_CLK_TCK)));
		EXPECT_EQ(0, lsa_reply(self->authority, request.out_id));
		EXPECT_EQ(0, hear(self->client, t));
	}
}

/* One process, and a thread that changes its user between two calls */
TEST_F(pair, identity_of_call)
{
	struct puppet *root =
		client_start_as(0, self->name, LSABUF_ACCESS_BUFFERS);
	struct lsabuf_reply_receive request;

	ASSERT_TRUE(!!root);
	start_call(root, CALLER, 0);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(0, request.out_uid);
	EXPECT_EQ(LSABUF_REQUEST_F_ADMIN | OWN_FLAGS, request.out_flags);
	EXPECT_EQ(0, lsa_reply(self->authority, request.out_id));
	EXPECT_EQ(0, hear(root, CALLER));

	ASSERT_EQ(0, ask(root, CALLER, do_syscall, SYS_setresgid, -1, SOMEBODY,
			 -1));
	ASSERT_EQ(0, ask(root, CALLER, do_syscall, SYS_setresuid, -1, SOMEBODY,
			 -1));
	start_call(root, CALLER, 0);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(SOMEBODY, request.out_uid);
	EXPECT_EQ(SOMEBODY, request.out_gid);
	EXPECT_EQ(OWN_FLAGS, request.out_flags);
	/* It is recorded: what happens to the thread later changes nothing. */
	EXPECT_EQ(0, lsa_reply(self->authority, request.out_id));
	EXPECT_EQ(0, hear(root, CALLER));

	start_call(root, SECOND, 0);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(0, request.out_uid);
	EXPECT_EQ(0, lsa_reply(self->authority, request.out_id));
	EXPECT_EQ(0, hear(root, SECOND));
	puppet_stop(root);
}

static long do_fake_root(struct puppet *puppet, struct puppet_thread *me)
{
	char map[32];

	(void)me;
	if (unshare(CLONE_NEWUSER))
		return -errno;
	snprintf(map, sizeof(map), "0 %u 1", puppet->uid);
	write_text("/proc/self/setgroups", "deny");
	if (write_text("/proc/self/uid_map", map) ||
	    write_text("/proc/self/gid_map", map))
		return -EIO;
	if (setresgid(0, 0, 0) || setresuid(0, 0, 0))
		return -errno;
	return geteuid();
}

/* root of a user namespace of its own is nobody here. */
TEST_F(pair, fake_root)
{
	struct puppet *fake = puppet_start_threads(NOBODY, 1);
	struct lsabuf_identity identity = {};
	struct lsabuf_reply_receive request;
	long ret = ask(fake, SIDE, do_fake_root);

	if (ret == -EPERM || ret == -ENOSPC) {
		puppet_stop(fake);
		SKIP(return, "no user namespaces for users");
	}
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, client_connect(fake, self->name, LSABUF_ACCESS_BUFFERS));
	start_call(fake, SIDE, 0);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(NOBODY, request.out_uid);
	EXPECT_EQ(NOBODY, request.out_gid);
	EXPECT_EQ(OWN_FLAGS, request.out_flags);
	ASSERT_EQ(0, lsa_identity(self->authority, request.out_id, &identity));
	EXPECT_EQ(NOBODY, identity.out_uid);
	EXPECT_EQ(0, identity.out_capabilities);
	EXPECT_EQ(0, lsa_reply(self->authority, request.out_id));
	EXPECT_EQ(0, hear(fake, SIDE));
	/* Nor may it serve. */
	EXPECT_EQ(-EACCES, puppet_serve(fake, "fake", 0));
	puppet_stop(fake);
}

/* Nor may the node's owner, once he is in such a namespace. */
TEST_F(pair, owner_in_user_namespace)
{
	struct puppet *owner = puppet_start_threads(0, 1);

	EXPECT_EQ(0, puppet_serve(owner, "outside", 0));
	ASSERT_EQ(0, ask(owner, SIDE, do_fake_root));
	EXPECT_EQ(-EACCES, puppet_serve(owner, "inside", 0));
	puppet_stop(owner);
}

static long do_set_groups(struct puppet *puppet, struct puppet_thread *me)
{
	gid_t groups[] = { 101, 202, 303 };

	(void)puppet;
	if (setgroups(me->argument[0], groups) || setresgid(11, 12, 13) ||
	    setresuid(21, 22, 23))
		return -errno;
	return 0;
}

TEST_F(pair, long_identity)
{
	struct puppet *user = puppet_start_threads(0, 1);
	struct lsabuf_identity identity = {};
	struct lsabuf_reply_receive request;
	__u32 groups[4] = { 9, 9, 9, 9 };

	ASSERT_EQ(0, ask(user, SIDE, do_set_groups, 3));
	ASSERT_EQ(0, client_connect(user, self->name, LSABUF_ACCESS_BUFFERS));
	start_call(user, SIDE, 0);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(22, request.out_uid);
	EXPECT_EQ(12, request.out_gid);

	identity.groups_address = to_u64(groups);
	identity.nr_groups = 4;
	ASSERT_EQ(0, lsa_identity(self->authority, request.out_id, &identity));
	EXPECT_EQ(21, identity.out_uid);
	EXPECT_EQ(22, identity.out_euid);
	EXPECT_EQ(23, identity.out_suid);
	EXPECT_EQ(22, identity.out_fsuid);
	EXPECT_EQ(11, identity.out_gid);
	EXPECT_EQ(12, identity.out_egid);
	EXPECT_EQ(13, identity.out_sgid);
	EXPECT_EQ(12, identity.out_fsgid);
	EXPECT_EQ(3, identity.nr_groups);
	EXPECT_EQ(101, groups[0]);
	EXPECT_EQ(202, groups[1]);
	EXPECT_EQ(303, groups[2]);
	EXPECT_EQ(9, groups[3]);

	/* The number is told also where there is no room for all. */
	memset(groups, 0, sizeof(groups));
	identity.nr_groups = 1;
	ASSERT_EQ(0, lsa_identity(self->authority, request.out_id, &identity));
	EXPECT_EQ(3, identity.nr_groups);
	EXPECT_EQ(101, groups[0]);
	EXPECT_EQ(0, groups[1]);
	identity.nr_groups = 0;
	identity.groups_address = 0;
	ASSERT_EQ(0, lsa_identity(self->authority, request.out_id, &identity));
	EXPECT_EQ(3, identity.nr_groups);
	identity.nr_groups = 3;
	test_err_identity(EFAULT, self->authority, request.out_id, &identity);
	EXPECT_EQ(0, lsa_reply(self->authority, request.out_id));
	EXPECT_EQ(0, hear(user, SIDE));
	puppet_stop(user);
}

/*
 * Fairness
 */

/* Requests of @client: those that are queued now */
static void queue_calls(struct __test_metadata *_metadata,
			struct puppet *client, int nr)
{
	while (nr--)
		ASSERT_EQ(0, call_nowait(client, 0));
}

/* Receive until one of @client's requests comes: how many were before it */
static int received_before(struct __test_metadata *_metadata, PAIR *self,
			   struct puppet *client)
{
	struct lsabuf_reply_receive request;
	int before;

	for (before = 0;; before++) {
		ASSERT_EQ(0, lsa_receive_now(self->authority, &request));
		ASSERT_EQ(0, lsa_reply(self->authority, request.out_id));
		if (request.out_client == client->client)
			return before;
	}
}

static void one_after_many(struct __test_metadata *_metadata, PAIR *self,
			   uid_t uid)
{
	struct puppet *other =
		client_start_as(uid, self->name, LSABUF_ACCESS_BUFFERS);
	int round;

	ASSERT_TRUE(!!other);
	queue_calls(_metadata, self->client, 20);
	for (round = 0; round < 5; round++) {
		queue_calls(_metadata, other, 1);
		EXPECT_LE(received_before(_metadata, self, other), 1);
	}
	puppet_stop(other);
}

TEST_F(pair, fair_between_users)
{
	one_after_many(_metadata, self, SOMEBODY);
}

TEST_F(pair, fair_between_clients)
{
	one_after_many(_metadata, self, NOBODY);
}

/* More clients of a user do not give it more turns. */
TEST_F(pair, fair_to_the_smaller_user)
{
	struct puppet *many[4], *one;
	int i;

	one = client_start_as(SOMEBODY, self->name, LSABUF_ACCESS_BUFFERS);
	ASSERT_TRUE(!!one);
	for (i = 0; i < 4; i++) {
		many[i] = client_start(self->name, LSABUF_ACCESS_BUFFERS);
		ASSERT_TRUE(!!many[i]);
		queue_calls(_metadata, many[i], 5);
	}
	for (i = 0; i < 5; i++) {
		queue_calls(_metadata, one, 1);
		EXPECT_LE(received_before(_metadata, self, one), 1);
	}
	for (i = 0; i < 4; i++)
		puppet_stop(many[i]);
	puppet_stop(one);
}

/* A thread of the authority that receives once, and then is at work */
struct worker {
	int authority;
	pthread_t thread;
	int *working;
	int *stop;
};

static void *worker_main(void *argument)
{
	struct worker *worker = argument;
	struct lsabuf_reply_receive request;

	if (lsa_receive(worker->authority, &request))
		return NULL;
	__atomic_add_fetch(worker->working, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(worker->stop, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	lsa_reply(worker->authority, request.out_id);
	return NULL;
}

#define WORKERS 4

struct pool {
	struct worker worker[WORKERS];
	int nr;
	int working;
	int stop;
};

static void pool_add(struct pool *pool, int authority)
{
	struct worker *worker = &pool->worker[pool->nr++];

	worker->authority = authority;
	worker->working = &pool->working;
	worker->stop = &pool->stop;
	pthread_create(&worker->thread, NULL, worker_main, worker);
}

/* The authority's threads that wait for a request, as the kernel sees it */
static int waiting_threads(int authority)
{
	char path[48], *text, *at;
	int threads;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", authority);
	text = read_text(path);
	at = strstr(text, "lsabuf-waiting-threads:");
	threads = at ? atoi(strchr(at, '\t')) : -1;
	free(text);
	return threads;
}

/* Wait until so many threads are at work, and the others wait. */
static bool pool_settles(struct pool *pool, int working)
{
	int authority = pool->worker[0].authority;
	__u64 end = now_ns() + AT_ONCE_NS;

	while (__atomic_load_n(&pool->working, __ATOMIC_ACQUIRE) != working ||
	       waiting_threads(authority) != pool->nr - working) {
		if (now_ns() > end)
			return false;
		sched_yield();
	}
	return true;
}

/* The client's calls @nr are what they still wait for, when it is over. */
static void pool_end(struct pool *pool, struct puppet *client, int nr)
{
	int i;

	__atomic_store_n(&pool->stop, 1, __ATOMIC_RELEASE);
	while (nr--)
		call_nowait(client, 0);
	for (i = 0; i < pool->nr; i++)
		pthread_join(pool->worker[i].thread, NULL);
}

/* Half of the threads are for others, however many calls a user makes. */
TEST_F(pair, half_of_the_threads)
{
	struct puppet *other =
		client_start_as(SOMEBODY, self->name, LSABUF_ACCESS_BUFFERS);
	struct pool pool = {};
	int i;

	ASSERT_TRUE(!!other);
	queue_calls(_metadata, self->client, 2 * WORKERS);
	for (i = 0; i < WORKERS; i++)
		pool_add(&pool, self->authority);
	EXPECT_TRUE(pool_settles(&pool, WORKERS / 2));
	queue_calls(_metadata, other, 1);
	EXPECT_TRUE(pool_settles(&pool, WORKERS / 2 + 1));
	pool_end(&pool, other, WORKERS);
	puppet_stop(other);
}

/* One thread more is a larger share also for a user that was passed over. */
TEST_F(pair, share_grows_for_all)
{
	struct puppet *other =
		client_start_as(SOMEBODY, self->name, LSABUF_ACCESS_BUFFERS);
	static const int working[WORKERS] = { 1, 2, 2, 4 };
	struct pool pool = {};
	int i;

	ASSERT_TRUE(!!other);
	queue_calls(_metadata, self->client, WORKERS);
	queue_calls(_metadata, other, WORKERS);
	for (i = 0; i < WORKERS; i++) {
		pool_add(&pool, self->authority);
		EXPECT_TRUE(pool_settles(&pool, working[i]));
	}
	pool_end(&pool, other, WORKERS);
	puppet_stop(other);
}

/*
 * Who may serve
 */

static int serve_here(const char *name)
{
	int file = lsa_open();
	int ret = lsa_serve(file, name);

	close(file);
	return ret;
}

TEST_F(pair, endpoint_permission)
{
	struct puppet *user = puppet_start(SOMEBODY);
	int file = lsa_open();

	EXPECT_EQ(-EACCES, puppet_serve(user, "granted", 0));
	ASSERT_EQ(0, lsa_endpoint(file, "granted", 0, SOMEBODY));
	EXPECT_EQ(0, puppet_serve(user, "granted", 0));
	remote(user, SYS_close, user->device);
	EXPECT_EQ(-EACCES, puppet_serve(user, "not-granted", 0));
	EXPECT_EQ(0, lsa_endpoint(file, "granted", LSABUF_ENDPOINT_F_REMOVE,
				  SOMEBODY));
	test_err_endpoint(ENOENT, file, "granted", LSABUF_ENDPOINT_F_REMOVE,
			  SOMEBODY);
	EXPECT_EQ(-EACCES, puppet_serve(user, "granted", 0));

	/* A group is not a user of the same number. */
	ASSERT_EQ(0, lsa_endpoint(file, "granted", LSABUF_ENDPOINT_F_GROUP,
				  NOBODY));
	EXPECT_EQ(-EACCES, puppet_serve(user, "granted", 0));
	ASSERT_EQ(0, lsa_endpoint(file, "granted", LSABUF_ENDPOINT_F_GROUP,
				  SOMEBODY));
	EXPECT_EQ(0, puppet_serve(user, "granted", 0));
	EXPECT_EQ(0, lsa_endpoint(file, "granted",
				  LSABUF_ENDPOINT_F_GROUP |
					  LSABUF_ENDPOINT_F_REMOVE,
				  SOMEBODY));
	EXPECT_EQ(0, lsa_endpoint(file, "granted",
				  LSABUF_ENDPOINT_F_GROUP |
					  LSABUF_ENDPOINT_F_REMOVE,
				  NOBODY));
	puppet_stop(user);
	close(file);
}

/* Whoever owns the device node may serve, and say who else may. */
TEST_F(pair, node_owner)
{
	struct puppet *user = puppet_start(SOMEBODY);
	struct stat node;

	ASSERT_EQ(0, stat(LSA_DEVICE, &node));
	EXPECT_EQ(-EACCES, puppet_serve(user, "owned", 0));
	EXPECT_EQ(0, chown(LSA_DEVICE, SOMEBODY, -1));
	EXPECT_EQ(0, puppet_serve(user, "owned", 0));
	EXPECT_EQ(0, chown(LSA_DEVICE, node.st_uid, -1));
	puppet_stop(user);
}

/* Permissions cannot fill the kernel. */
TEST_F(pair, endpoint_limit)
{
	int file = lsa_open(), nr, ret = 0;
	__u32 id;

	for (nr = 0; nr < 100000; nr++) {
		ret = lsa_endpoint(file, "many", 0, 1000 + nr);
		if (ret)
			break;
	}
	EXPECT_EQ(-EDQUOT, ret);
	EXPECT_LT(0, nr);
	for (id = 1000; id < 1000 + nr; id++)
		EXPECT_EQ(0, lsa_endpoint(file, "many",
					  LSABUF_ENDPOINT_F_REMOVE, id));
	close(file);
}

TEST_F(pair, one_authority_per_name)
{
	struct puppet *other = puppet_start(0);
	char name[LSABUF_ENDPOINT_LEN];

	snprintf(name, sizeof(name), "name-%d", getpid());
	EXPECT_EQ(0, puppet_serve(other, name, 0));
	EXPECT_EQ(-EBUSY, serve_here(name));
	EXPECT_EQ(-EBUSY, serve_here(self->name));
	puppet_kill(other);
	EXPECT_EQ(0, serve_here(name));
	EXPECT_EQ(0, serve_here(name));
	puppet_stop(other);
}

/* A name that is served again is nothing to the clients of before. */
TEST_F(other_authority, new_instance)
{
	struct lsabuf_reply_receive request;
	int file = lsa_open();

	puppet_kill(self->authority);
	ASSERT_EQ(0, lsa_serve(file, self->name));
	start_call(self->client, CALLER, 0);
	EXPECT_EQ(-EPIPE, hear(self->client, CALLER));
	EXPECT_EQ(-EAGAIN, lsa_receive_now(file, &request));
	ASSERT_EQ(0, client_connect(self->client, self->name,
				    LSABUF_ACCESS_BUFFERS));
	start_call(self->client, CALLER, 0);
	ASSERT_EQ(0, lsa_receive(file, &request));
	EXPECT_EQ(0, lsa_reply(file, request.out_id));
	EXPECT_EQ(0, hear(self->client, CALLER));
	close(file);
}

/*
 * Notices of death
 */

static bool next_is_gone(int authority, __u64 client)
{
	struct lsabuf_reply_receive notice;

	return !lsa_receive_now(authority, &notice) &&
	       notice.out_flags == LSABUF_REQUEST_F_GONE && !notice.out_id &&
	       notice.out_client == client;
}

TEST_F(pair, gone_notice)
{
	const struct lsabuf_reply_receive io = {
		.size = sizeof(io),
		.flags = LSABUF_REPLY_RECEIVE_F_RECEIVE,
	};
	struct puppet *known, *unknown, *closes;
	char name[LSABUF_ENDPOINT_LEN];
	int file = lsa_open();

	snprintf(name, sizeof(name), "notify-%d", getpid());
	ASSERT_EQ(0, lsa_serve_flags(file, name, LSABUF_SERVE_F_NOTIFY));
	known = client_start(name, LSABUF_ACCESS_BUFFERS);
	unknown = client_start(name, LSABUF_ACCESS_BUFFERS);
	closes = client_start(name, LSABUF_ACCESS_BUFFERS);
	ASSERT_TRUE(known && unknown && closes);
	ASSERT_EQ(0, lsa_reply(file, begin_with(_metadata, file, known)));
	ASSERT_EQ(0, lsa_reply(file, begin_with(_metadata, file, closes)));

	/* Nobody was told of this one. */
	puppet_kill(unknown);
	EXPECT_TRUE(nothing_to_receive(file));
	puppet_kill(known);
	EXPECT_TRUE(wait_readable(file));
	/* What could not be told is not lost. */
	EXPECT_EQ(-EFAULT, lsa_ioctl(file, LSABUF_IOC_REPLY_RECEIVE,
				     unwritable(&io, sizeof(io))));
	EXPECT_TRUE(next_is_gone(file, known->client));
	EXPECT_TRUE(nothing_to_receive(file));

	hear(closes, CALLER);
	remote(closes, SYS_close, closes->device);
	EXPECT_TRUE(wait_readable(file));
	EXPECT_TRUE(next_is_gone(file, closes->client));
	puppet_kill(closes);
	EXPECT_TRUE(nothing_to_receive(file));
	puppet_stop(known);
	puppet_stop(unknown);
	puppet_stop(closes);
	close(file);
}

/* Without that flag nobody is told. */
TEST_F(pair, no_gone_notice)
{
	end(_metadata, self, begin(_metadata, self));
	puppet_kill(self->client);
	EXPECT_TRUE(nothing_to_receive(self->authority));
}

/*
 * Limits
 */

/* Make calls that do not wait, until one fails: how many were made. */
static long do_many_calls(struct puppet *puppet, struct puppet_thread *me)
{
	struct lsabuf_call call;
	long nr = -1;

	do {
		nr++;
		call = (struct lsabuf_call){ .flags = LSABUF_CALL_F_NOWAIT };
		puppet->flag[5] = lsa_call(puppet->device, &call);
	} while (!puppet->flag[5]);
	return nr;
}

/* As many as a client can have under way, with how it ended */
static __u64 many_calls(struct puppet *client, int error)
{
	__u64 nr = ask(client, SIDE, do_many_calls);

	return client->flag[5] == -error ? nr : -1;
}

TEST_F(pair, requests_per_client)
{
	struct puppet *other;
	__u64 id;

	EXPECT_EQ(module_limit("client_requests"),
		  many_calls(self->client, EDQUOT));
	/* One less, one more. */
	id = receive_id(_metadata, self->authority);
	EXPECT_EQ(-EDQUOT, call_nowait(self->client, 0));
	EXPECT_EQ(0, lsa_reply(self->authority, id));
	EXPECT_EQ(0, take_reply(self->client, 0, id));
	EXPECT_EQ(0, call_nowait(self->client, 0));
	EXPECT_EQ(-EDQUOT, call_nowait(self->client, 0));
	/* Another client has a limit of its own. */
	other = client_start(self->name, LSABUF_ACCESS_BUFFERS);
	ASSERT_TRUE(!!other);
	EXPECT_EQ(0, call_nowait(other, 0));
	puppet_stop(other);
}

TEST_F_TIMEOUT(pair, requests_per_user, 120)
{
	__u64 limit = module_limit("user_requests"), nr = 0;
	struct puppet *client[4], *other;
	int i;

	for (i = 0; i < 4; i++) {
		client[i] = client_start(self->name, LSABUF_ACCESS_BUFFERS);
		ASSERT_TRUE(!!client[i]);
		nr += many_calls(client[i], EDQUOT);
	}
	EXPECT_EQ(limit, nr);
	other = client_start_as(SOMEBODY, self->name, LSABUF_ACCESS_BUFFERS);
	ASSERT_TRUE(!!other);
	EXPECT_EQ(0, call_nowait(other, 0));
	puppet_stop(other);
	/* What one of them leaves, another one may have. */
	EXPECT_EQ(-EDQUOT, call_nowait(client[3], 0));
	puppet_stop(client[0]);
	EXPECT_EQ(0, call_nowait(client[3], 0));
	for (i = 1; i < 4; i++)
		puppet_stop(client[i]);
}

/* An authority that takes few requests: there is no room for more. */
TEST_F(pair, requests_of_an_authority)
{
	struct lsabuf_serve serve = {
		.size = sizeof(serve),
		.max_requests = 4,
	};
	int file = lsa_open(), nr;
	char name[LSABUF_ENDPOINT_LEN];
	long ret;

	snprintf(name, sizeof(name), "few-%d", getpid());
	set_endpoint(serve.endpoint, name);
	ASSERT_EQ(0, lsa_ioctl(file, LSABUF_IOC_SERVE, &serve));
	EXPECT_EQ(4, serve.max_requests);
	ASSERT_EQ(0, client_connect(self->client, name, LSABUF_ACCESS_BUFFERS));
	for (nr = 0; nr < 10; nr++) {
		ret = call_nowait(self->client, 0);
		if (ret)
			break;
	}
	EXPECT_TRUE(ret == -EAGAIN || ret == -EDQUOT);
	EXPECT_LE(nr, 4);
	EXPECT_LT(0, nr);
	close(file);
}

/* Connect until that fails: how often it went. */
static long do_connect_many(struct puppet *puppet, struct puppet_thread *me)
{
	const char *name = (char *)puppet->scratch;
	long nr = 0;
	int ret;

	(void)me;
	do {
		puppet->flag[5] = lsa_open();
		ret = lsa_connect(puppet->flag[5], name, LSABUF_ACCESS_BUFFERS);
	} while (!ret && ++nr);
	close(puppet->flag[5]--);
	return ret == -EDQUOT ? nr : ret;
}

/* Connections of a user are limited, and a closed one counts no more. */
TEST_F_TIMEOUT(pair, connections_per_user, 120)
{
	const struct rlimit files = { 4096, 4096 };
	struct puppet *other;
	long nr;

	ASSERT_EQ(0, prlimit(self->client->pid, RLIMIT_NOFILE, &files, NULL));
	strcpy((char *)self->client->scratch, self->name);
	nr = ask(self->client, SIDE, do_connect_many);
	/* It had one before. */
	EXPECT_EQ(module_limit("user_clients"), nr + 1);
	EXPECT_EQ(-EDQUOT, client_connect(self->client, self->name,
					  LSABUF_ACCESS_BUFFERS));
	/* All processes of the user share the limit, the others do not. */
	other = puppet_start(NOBODY);
	EXPECT_EQ(-EDQUOT,
		  client_connect(other, self->name, LSABUF_ACCESS_BUFFERS));
	EXPECT_EQ(0, remote(self->client, SYS_close, self->client->flag[5]));
	EXPECT_EQ(0, client_connect(other, self->name, LSABUF_ACCESS_BUFFERS));
	puppet_stop(other);
	other = client_start_as(SOMEBODY, self->name, LSABUF_ACCESS_BUFFERS);
	EXPECT_TRUE(!!other);
	puppet_stop(other);
}

static long call_with(struct puppet *client, __u64 address, __u64 length)
{
	struct lsabuf_call *call = new_call(client, CALLER, 0);

	call->flags = LSABUF_CALL_F_NOWAIT;
	call->submit_address = address;
	call->submit_length = length;
	return ask(client, CALLER, do_call);
}

/* One user's submit buffers do not fill the authority's arena. */
TEST_F_TIMEOUT(pair, submit_bytes_per_user, 120)
{
	struct puppet *other =
		client_start_as(SOMEBODY, self->name, LSABUF_ACCESS_BUFFERS);
	struct lsabuf_info info;
	__u64 address, id = 0;
	long ret;
	int nr;

	ASSERT_TRUE(!!other);
	ASSERT_EQ(0, lsa_info(self->authority, &info));
	address = remote_mmap(self->client, info.out_max_submit, PROT_READ,
			      MAP_NORESERVE);
	for (nr = 0; nr < 100; nr++) {
		ret = call_with(self->client, address, info.out_max_submit);
		if (ret)
			break;
		id = self->client->thread[CALLER].call.id;
	}
	EXPECT_EQ(-EDQUOT, ret);
	EXPECT_EQ(module_limit("user_submit") / info.out_max_submit, nr);
	EXPECT_EQ(-EDQUOT, call_with(self->client, address, 1));
	EXPECT_EQ(0, call_with(self->client, 0, 0));
	address = remote_mmap(other, info.out_max_submit, PROT_READ,
			      MAP_NORESERVE);
	EXPECT_EQ(0, call_with(other, address, info.out_max_submit));
	EXPECT_EQ(0, client_cancel(self->client, id));
	EXPECT_EQ(0, call_with(self->client, address, 0));
	puppet_stop(other);
}

TEST_F_TIMEOUT(pair, submit_limit, 60)
{
	struct lsabuf_info info;
	struct lsabuf_call *call;
	__u64 address;

	ASSERT_EQ(0, lsa_info(self->authority, &info));
	address = remote_mmap(self->client, info.out_max_submit + 4096,
			      PROT_READ, MAP_NORESERVE);
	call = new_call(self->client, CALLER, 0);
	call->submit_address = address;
	call->submit_length = info.out_max_submit + 1;
	EXPECT_EQ(-EDQUOT, ask(self->client, CALLER, do_call));
	EXPECT_EQ(0, call->id);
	EXPECT_TRUE(nothing_to_receive(self->authority));
}

/* A submit buffer that cannot be read leaves nothing behind. */
TEST_F(pair, unreadable_submit_buffer)
{
	__u64 address =
		remote_mmap(self->client, 8192, PROT_READ | PROT_WRITE, 0);
	struct lsabuf_call *call = new_call(self->client, CALLER, 0);

	remote(self->client, SYS_munmap, address + 4096, 4096);
	call->submit_address = address;
	call->submit_length = 8192;
	EXPECT_EQ(-EFAULT, ask(self->client, CALLER, do_call));
	EXPECT_TRUE(nothing_to_receive(self->authority));
	end(_metadata, self, begin(_metadata, self));
}

/*
 * Event loops
 */

static long do_close(struct puppet *puppet, struct puppet_thread *me)
{
	(void)puppet;
	return close(me->argument[0]) ? -errno : 0;
}

/* The descriptor goes away below a waiting call: the call does not. */
TEST_F(pair, close_while_waiting)
{
	__u64 id = begin(_metadata, self);

	EXPECT_EQ(0, ask(self->client, SIDE, do_close, self->client->device));
	EXPECT_TRUE(is_busy(self->client, CALLER));
	end(_metadata, self, id);
}

TEST_F_TIMEOUT(pair, epoll_and_dup, STRESS_TIMEOUT)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	unsigned int i, rounds = scaled(100);
	int copy, watch;
	__u64 id;

	for (i = 0; i < rounds; i++) {
		copy = dup(self->authority);
		watch = epoll_create1(EPOLL_CLOEXEC);
		ASSERT_EQ(0, epoll_ctl(watch, EPOLL_CTL_ADD, copy, &event));
		ASSERT_EQ(0, call_nowait(self->client, 0));
		ASSERT_EQ(1, epoll_wait(watch, &event, 1, 5000));
		id = receive_id(_metadata, copy);
		ASSERT_EQ(0, lsa_reply(self->authority, id));
		ASSERT_EQ(0, take_reply(self->client, 0, id));
		/* In both orders */
		if (i % 2) {
			close(watch);
			close(copy);
		} else {
			close(copy);
			close(watch);
		}
	}
}

static long do_epoll_disconnect(struct puppet *puppet, struct puppet_thread *me)
{
	struct epoll_event event = { .events = EPOLLIN };
	int watch = epoll_create1(EPOLL_CLOEXEC);

	(void)me;
	if (epoll_ctl(watch, EPOLL_CTL_ADD, puppet->device, &event))
		return -errno;
	lsa_disconnect(puppet->device);
	epoll_wait(watch, &event, 1, 0);
	close(puppet->device);
	epoll_wait(watch, &event, 1, 0);
	close(watch);
	return 0;
}

TEST_F(pair, epoll_outlives_connection)
{
	int i;

	for (i = 0; i < 20; i++) {
		EXPECT_EQ(0, ask(self->client, SIDE, do_epoll_disconnect));
		ASSERT_EQ(0, client_connect(self->client, self->name,
					    LSABUF_ACCESS_BUFFERS));
	}
	end(_metadata, self, begin(_metadata, self));
}

/* DISCONNECT gives up what is under way. */
TEST_F(pair, disconnect_while_waiting)
{
	__u64 id = begin(_metadata, self);
	struct lsabuf_disconnect *disconnect = (void *)self->client->scratch;
	long ret;

	*disconnect = (struct lsabuf_disconnect){ .size = sizeof(*disconnect) };
	EXPECT_EQ(0, remote(self->client, SYS_ioctl, self->client->device,
			    LSABUF_IOC_DISCONNECT, (long)disconnect));
	ret = hear(self->client, CALLER);
	EXPECT_TRUE(ret == -ECANCELED || ret == -EPERM);
	ret = lsa_reply(self->authority, id);
	EXPECT_TRUE(ret == -ESRCH || ret == -ECANCELED);
	start_call(self->client, CALLER, 0);
	EXPECT_EQ(-EPERM, hear(self->client, CALLER));
}

/*
 * Many at once
 */

#define CALLERS 64
#define SERVERS 8
#define BIGGEST 3000

struct crowd {
	struct puppet *puppet;
	pthread_t thread;
	unsigned int number;
	unsigned int calls;
	long result;
};

/* What a call submits: the length, then bytes that only this call has. */
static __u32 crowd_length(__u32 seed)
{
	return 8 + seed * 131 % BIGGEST;
}

static long crowd_call(struct crowd *me, __u32 seed)
{
	unsigned char submit[8 + BIGGEST];
	struct lsabuf_call call = {
		.code = seed,
		.submit_address = to_u64(submit),
		.submit_length = crowd_length(seed),
	};
	unsigned char *answer;
	long ret;

	fill(submit, seed, call.submit_length);
	ret = lsa_call(me->puppet->device, &call);
	if (ret)
		return ret;
	answer = to_pointer(call.out_address);
	if (call.out_status[0] != seed ||
	    call.out_length != crowd_length(seed + 1) ||
	    filled(answer, ~seed, call.out_length) != call.out_length)
		return -EBADMSG;
	return lsa_free(me->puppet->device, call.out_address);
}

static void *crowd_main(void *argument)
{
	struct crowd *me = argument;
	unsigned int i;

	for (i = 0; i < me->calls && !me->result; i++)
		me->result = crowd_call(me, me->number << 20 | i);
	return NULL;
}

static long do_crowd(struct puppet *puppet, struct puppet_thread *me)
{
	static struct crowd crowd[CALLERS];
	long result = 0;
	int i;

	for (i = 0; i < CALLERS; i++) {
		crowd[i].puppet = puppet;
		crowd[i].number = i;
		crowd[i].calls = me->argument[0];
		if (pthread_create(&crowd[i].thread, NULL, crowd_main,
				   &crowd[i]))
			return -ENOMEM;
	}
	for (i = 0; i < CALLERS; i++) {
		pthread_join(crowd[i].thread, NULL);
		if (crowd[i].result)
			result = crowd[i].result;
	}
	return result;
}

struct crowd_server {
	int authority;
	pthread_t thread;
	unsigned int served;
	int error;
};

/* Check the snapshot and make the answer; returns its length. */
static int crowd_serve(int authority, const struct lsabuf_reply_receive *in,
		       struct lsabuf_reply_receive *out)
{
	unsigned char answer[8 + BIGGEST];
	__u32 seed = in->out_code, length = crowd_length(seed + 1);

	if (in->out_submit_length != crowd_length(seed) ||
	    filled(to_pointer(in->out_submit_address), seed,
		   in->out_submit_length) != in->out_submit_length)
		return -EBADMSG;
	fill(answer, ~seed, length);
	*out = (struct lsabuf_reply_receive){
		.reply_id = in->out_id,
		.status = { seed, 0 },
		.return_length = length,
	};
	return lsa_alloc_from(authority, in->out_id, length, answer, length,
			      &out->return_address);
}

static void *crowd_server_main(void *argument)
{
	struct crowd_server *me = argument;
	struct lsabuf_reply_receive io = {}, next = {};

	for (;;) {
		io = next;
		io.flags = LSABUF_REPLY_RECEIVE_F_RECEIVE;
		me->error = lsa_reply_receive(me->authority, &io);
		if (!me->error)
			me->error = io.reply_error;
		if (me->error || io.out_code == CODE_QUIT)
			break;
		me->error = crowd_serve(me->authority, &io, &next);
		if (me->error)
			break;
		me->served++;
	}
	lsa_reply(me->authority, io.out_id);
	return NULL;
}

/* 64 callers, 8 servers: every call has its own answer. */
TEST_F_TIMEOUT(pair, crowd, STRESS_TIMEOUT)
{
	struct crowd_server server[SERVERS] = {};
	unsigned int calls = scaled(10000) / CALLERS + 1, served = 0;
	int i;

	for (i = 0; i < SERVERS; i++) {
		server[i].authority = self->authority;
		pthread_create(&server[i].thread, NULL, crowd_server_main,
			       &server[i]);
	}
	EXPECT_EQ(0, ask(self->client, SIDE, do_crowd, calls));
	for (i = 0; i < SERVERS; i++) {
		new_call(self->client, CALLER, 0)->code = CODE_QUIT;
		EXPECT_EQ(0, ask(self->client, CALLER, do_call));
	}
	for (i = 0; i < SERVERS; i++) {
		pthread_join(server[i].thread, NULL);
		EXPECT_EQ(0, server[i].error);
		served += server[i].served;
	}
	EXPECT_EQ(calls * CALLERS, served);
}

TEST_HARNESS_MAIN
