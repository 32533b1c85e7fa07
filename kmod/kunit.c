// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of what is pure logic: the states of a request, the arithmetic
 * of grants, the allocator. With CONFIG_LSABUF_KUNIT=y, which selftests/debug
 * gives, the module is made of them instead of main.c.
 */
#include <kunit/test.h>
#include <linux/cred.h>
#include <linux/lsabuf.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "client.h"
#include "heap.h"
#include "lsabuf.h"
#include "queue.h"

/* As main.c has it by default, where it matters here */
struct lsabuf_limits lsabuf_limits = {
	.client_requests = 1024,
	.user_requests = 2048,
	.user_clients = 1024,
	.chore_budget_ms = 100,
};

/* States of a request */

/*
 * struct world - a queue with one client, of which nothing is in user space
 * @queue: of an authority that is only this
 * @client: never freed by its last reference
 */
struct world {
	struct lsabuf_queue queue;
	struct lsabuf_client client;
};

static int queue_init(struct kunit_suite *suite)
{
	return lsabuf_queue_module_init();
}

static void queue_exit(struct kunit_suite *suite)
{
	lsabuf_queue_module_exit();
}

static int world_init(struct kunit *test)
{
	struct lsabuf_client *client;
	struct world *w;

	w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w);
	KUNIT_ASSERT_EQ(test, 0, lsabuf_queue_init(&w->queue, 4));
	client = &w->client;
	refcount_set(&client->ref, 1);
	client->queue = &w->queue;
	INIT_LIST_HEAD(&client->ready);
	INIT_LIST_HEAD(&client->queued);
	INIT_LIST_HEAD(&client->done);
	INIT_LIST_HEAD(&client->gone);
	init_waitqueue_head(&client->wait);
	test->priv = w;
	KUNIT_ASSERT_EQ(test, 0, lsabuf_client_join(client, GLOBAL_ROOT_UID));
	return 0;
}

static void world_exit(struct kunit *test)
{
	struct world *w = test->priv;

	if (!w)
		return;
	lsabuf_queue_die(&w->queue);
	lsabuf_client_leave(&w->client);
	KUNIT_EXPECT_EQ(test, 0, w->client.nr_requests);
	KUNIT_EXPECT_EQ(test, 1, refcount_read(&w->client.ref));
	KUNIT_EXPECT_TRUE(test, list_empty(&w->queue.users));
	KUNIT_EXPECT_EQ(test, 0, w->queue.nr_busy);
	KUNIT_EXPECT_EQ(test, 0, w->queue.nr_waiting);
	if (w->client.identity.cred)
		put_cred(w->client.identity.cred);
	lsabuf_queue_destroy(&w->queue);
}

/* Queue a request, with a reference that the caller drops. */
static struct lsabuf_request *queued(struct kunit *test, bool nowait)
{
	struct world *w = test->priv;
	struct lsabuf_request *request = lsabuf_request_new(&w->client, 0);

	KUNIT_ASSERT_FALSE(test, IS_ERR(request));
	request->nowait = nowait;
	request->deadline = 0;
	KUNIT_ASSERT_EQ(test, 0, lsabuf_request_queue(request));
	KUNIT_EXPECT_EQ(test, LSABUF_REQUEST_QUEUED, request->state);
	return request;
}

static bool receive(struct kunit *test, struct lsabuf_request *request)
{
	struct world *w = test->priv;
	struct lsabuf_receiver receiver = {};

	if (!lsabuf_receive_begin(&w->queue, &receiver))
		return false;
	KUNIT_EXPECT_PTR_EQ(test, request, receiver.request);
	lsabuf_request_put(receiver.request);
	return true;
}

static struct lsabuf_request *received(struct kunit *test, bool nowait)
{
	struct lsabuf_request *request = queued(test, nowait);

	KUNIT_ASSERT_TRUE(test, receive(test, request));
	KUNIT_EXPECT_EQ(test, LSABUF_REQUEST_RECEIVED, request->state);
	KUNIT_EXPECT_EQ(test, 0, lsabuf_request_held(request));
	return request;
}

static int reply(struct lsabuf_request *request)
{
	return lsabuf_request_reply(request, &(struct lsabuf_reply){});
}

static void expect_gone(struct kunit *test, struct lsabuf_request *request)
{
	struct world *w = test->priv;
	u64 id = request->id;

	KUNIT_EXPECT_EQ(test, LSABUF_REQUEST_GONE, request->state);
	KUNIT_EXPECT_EQ(test, -ENOENT, lsabuf_request_held(request));
	KUNIT_EXPECT_EQ(test, 1, refcount_read(&request->ref));
	lsabuf_request_put(request);
	KUNIT_EXPECT_NULL(test, lsabuf_request_find(&w->queue, id));
}

static void request_replied(struct kunit *test)
{
	struct lsabuf_request *request = received(test, true);
	u64 id = request->id;

	KUNIT_EXPECT_EQ(test, 0, reply(request));
	KUNIT_EXPECT_EQ(test, LSABUF_REQUEST_REPLIED, request->state);
	KUNIT_EXPECT_TRUE(test, lsabuf_request_settled(request));
	KUNIT_EXPECT_EQ(test, -ENOENT, reply(request));
	KUNIT_EXPECT_EQ(test, 0, lsabuf_request_attach(request));
	KUNIT_EXPECT_TRUE(test, lsabuf_request_take(request));
	KUNIT_EXPECT_FALSE(test, lsabuf_request_take(request));
	KUNIT_EXPECT_EQ(test, -ENOENT, lsabuf_request_attach(request));
	expect_gone(test, request);

	/* The slot lives on, the id does not. */
	request = received(test, true);
	KUNIT_EXPECT_NE(test, id, request->id);
	KUNIT_EXPECT_EQ(test, (u16)id, (u16)request->id);
	KUNIT_EXPECT_EQ(test, 0, reply(request));
	KUNIT_EXPECT_TRUE(test, lsabuf_request_give_up(request, -ECANCELED));
	expect_gone(test, request);
}

static void request_given_up(struct kunit *test)
{
	struct lsabuf_request *request = queued(test, true);

	KUNIT_EXPECT_TRUE(test, lsabuf_request_give_up(request, -ECANCELED));
	KUNIT_EXPECT_FALSE(test, lsabuf_request_give_up(request, -ECANCELED));
	KUNIT_EXPECT_FALSE(test, receive(test, request));
	expect_gone(test, request);

	request = received(test, true);
	KUNIT_EXPECT_TRUE(test, lsabuf_request_give_up(request, -ECANCELED));
	KUNIT_EXPECT_EQ(test, LSABUF_REQUEST_ABANDONED, request->state);
	KUNIT_EXPECT_EQ(test, -ECANCELED, lsabuf_request_held(request));
	KUNIT_EXPECT_EQ(test, -ECANCELED, reply(request));
	expect_gone(test, request);
}

static void request_of_gone_client(struct kunit *test)
{
	struct world *w = test->priv;
	struct lsabuf_request *held = received(test, true);
	struct lsabuf_request *other = queued(test, true);

	lsabuf_client_leave(&w->client);
	KUNIT_EXPECT_EQ(test, LSABUF_REQUEST_ABANDONED, held->state);
	KUNIT_EXPECT_EQ(test, -ESRCH, reply(held));
	expect_gone(test, held);
	expect_gone(test, other);
	KUNIT_EXPECT_EQ(test, -EPERM,
			PTR_ERR(lsabuf_request_new(&w->client, 0)));
}

static void request_requeued(struct kunit *test)
{
	struct lsabuf_request *first = received(test, true);
	struct lsabuf_request *second = queued(test, true);

	lsabuf_request_requeue(first);
	KUNIT_EXPECT_EQ(test, LSABUF_REQUEST_QUEUED, first->state);
	KUNIT_EXPECT_EQ(test, -ENOENT, reply(first));
	KUNIT_EXPECT_TRUE(test, receive(test, first));
	KUNIT_EXPECT_TRUE(test, receive(test, second));
	KUNIT_EXPECT_EQ(test, 0, reply(second));

	/* Given up while its header could not be delivered */
	lsabuf_request_give_up(first, -ECANCELED);
	lsabuf_request_requeue(first);
	expect_gone(test, first);
	lsabuf_request_give_up(second, -ECANCELED);
	expect_gone(test, second);
}

static void request_orphaned(struct kunit *test)
{
	struct world *w = test->priv;
	struct lsabuf_request *abandoned = received(test, true);
	struct lsabuf_request *held = received(test, true);
	struct lsabuf_request *waits = queued(test, true);

	lsabuf_request_give_up(abandoned, -ECANCELED);
	lsabuf_queue_die(&w->queue);
	expect_gone(test, abandoned);
	KUNIT_EXPECT_EQ(test, LSABUF_REQUEST_REPLIED, held->state);
	KUNIT_EXPECT_EQ(test, -EPIPE, held->reply.error);
	KUNIT_EXPECT_EQ(test, 1, held->reply.status[0]);
	KUNIT_EXPECT_EQ(test, LSABUF_REQUEST_REPLIED, waits->state);
	KUNIT_EXPECT_EQ(test, -EPIPE, waits->reply.error);
	KUNIT_EXPECT_EQ(test, 0, waits->reply.status[0]);
	lsabuf_request_give_up(held, -ECANCELED);
	expect_gone(test, held);
	lsabuf_request_give_up(waits, -ECANCELED);
	expect_gone(test, waits);
	KUNIT_EXPECT_EQ(test, -EPIPE,
			PTR_ERR(lsabuf_request_new(&w->client, 0)));
}

static void request_expired(struct kunit *test)
{
	struct lsabuf_request *request = received(test, true);

	/* Without a thread that could have stalled it goes on. */
	KUNIT_EXPECT_EQ(test, -EAGAIN, lsabuf_request_expire(request));
	KUNIT_EXPECT_EQ(test, LSABUF_REQUEST_RECEIVED, request->state);
	KUNIT_EXPECT_EQ(test, 0, reply(request));
	lsabuf_request_give_up(request, -ECANCELED);
	expect_gone(test, request);

	request = received(test, false);
	KUNIT_EXPECT_EQ(test, -ECANCELED, lsabuf_request_expire(request));
	KUNIT_EXPECT_EQ(test, LSABUF_REQUEST_ABANDONED, request->state);
	KUNIT_EXPECT_EQ(test, -ECANCELED, lsabuf_request_expire(request));
	KUNIT_EXPECT_EQ(test, -ECANCELED, reply(request));
	/* The client has not yet heard of it. */
	KUNIT_EXPECT_EQ(test, LSABUF_REQUEST_ABANDONED, request->state);
	KUNIT_EXPECT_TRUE(test, lsabuf_request_take(request));
	expect_gone(test, request);
}

static void request_overdue(struct kunit *test)
{
	struct world *w = test->priv;
	struct lsabuf_request *request = queued(test, true);

	request->deadline = 1;
	KUNIT_EXPECT_FALSE(test, receive(test, request));
	KUNIT_EXPECT_EQ(test, LSABUF_REQUEST_REPLIED, request->state);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, request->reply.error);
	KUNIT_EXPECT_PTR_EQ(test, request, lsabuf_client_done(&w->client));
	lsabuf_request_put(request);
	KUNIT_EXPECT_TRUE(test, lsabuf_request_take(request));
	expect_gone(test, request);
}

static void request_waiters(struct kunit *test)
{
	struct world *w = test->priv;
	struct lsabuf_request *request = received(test, false);

	KUNIT_EXPECT_EQ(test, -EBUSY, lsabuf_request_attach(request));
	lsabuf_request_detach(request);
	KUNIT_EXPECT_EQ(test, 0, lsabuf_request_attach(request));
	/* Somebody waits for it: it is not for any other. */
	KUNIT_EXPECT_EQ(test, 0, reply(request));
	KUNIT_EXPECT_NULL(test, lsabuf_client_done(&w->client));
	lsabuf_request_detach(request);
	KUNIT_EXPECT_PTR_EQ(test, request, lsabuf_client_done(&w->client));
	lsabuf_request_put(request);
	KUNIT_EXPECT_TRUE(test, lsabuf_request_take(request));
	expect_gone(test, request);
}

static void request_slots(struct kunit *test)
{
	struct world *w = test->priv;
	struct lsabuf_request *request[4];
	unsigned int i;

	for (i = 0; i < 4; i++)
		request[i] = queued(test, true);
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			PTR_ERR(lsabuf_request_new(&w->client, 0)));
	for (i = 0; i < 4; i++) {
		lsabuf_request_give_up(request[i], -ECANCELED);
		expect_gone(test, request[i]);
	}
}

static struct kunit_case request_cases[] = {
	KUNIT_CASE(request_replied),	    KUNIT_CASE(request_given_up),
	KUNIT_CASE(request_of_gone_client), KUNIT_CASE(request_requeued),
	KUNIT_CASE(request_orphaned),	    KUNIT_CASE(request_expired),
	KUNIT_CASE(request_overdue),	    KUNIT_CASE(request_waiters),
	KUNIT_CASE(request_slots),	    {}
};

static struct kunit_suite request_suite = {
	.name = "lsabuf-request",
	.suite_init = queue_init,
	.suite_exit = queue_exit,
	.init = world_init,
	.exit = world_exit,
	.test_cases = request_cases,
};

/* Grants */

#define RANGE_READ LSABUF_RANGE_F_READ
#define RANGE_WRITE LSABUF_RANGE_F_WRITE

static void grant_modes(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, -EACCES,
			lsabuf_grant_check(LSABUF_ACCESS_BUFFERS, NULL, 0, 1, 1,
					   RANGE_READ));
	KUNIT_EXPECT_EQ(test, -EACCES,
			lsabuf_grant_check(LSABUF_ACCESS_RANGES, NULL, 0, 1, 1,
					   RANGE_READ));
	KUNIT_EXPECT_EQ(test, 0,
			lsabuf_grant_check(LSABUF_ACCESS_WHOLE, NULL, 0, 1, 1,
					   RANGE_WRITE));
	/* The last byte but one is the last that can be granted. */
	KUNIT_EXPECT_EQ(test, 0,
			lsabuf_grant_check(LSABUF_ACCESS_WHOLE, NULL, 0,
					   U64_MAX - 1, 1, RANGE_READ));
	KUNIT_EXPECT_EQ(test, -EFAULT,
			lsabuf_grant_check(LSABUF_ACCESS_WHOLE, NULL, 0,
					   U64_MAX, 1, RANGE_READ));
	KUNIT_EXPECT_EQ(test, -EFAULT,
			lsabuf_grant_check(LSABUF_ACCESS_BUFFERS, NULL, 0, 2,
					   U64_MAX, RANGE_READ));
}

static void grant_ranges(struct kunit *test)
{
	static const struct lsabuf_range ranges[] = {
		{ .address = 1000, .length = 100, .flags = RANGE_READ },
		{ .address = 1100,
		  .length = 100,
		  .flags = RANGE_READ | RANGE_WRITE },
		{ .address = U64_MAX - 10, .length = 10, .flags = RANGE_WRITE },
	};
	static const struct {
		u64 address;
		u64 length;
		u32 need;
		int result;
	} cases[] = {
		{ 1000, 100, RANGE_READ, 0 },
		{ 999, 1, RANGE_READ, -EACCES },
		{ 999, 2, RANGE_READ, -EACCES },
		{ 1099, 1, RANGE_READ, 0 },
		/* Ranges do not add up. */
		{ 1099, 2, RANGE_READ, -EACCES },
		{ 1099, 1, RANGE_WRITE, -EACCES },
		{ 1100, 1, RANGE_WRITE, 0 },
		{ 1100, 100, RANGE_READ, 0 },
		{ 1100, 101, RANGE_READ, -EACCES },
		{ 1200, 1, RANGE_READ, -EACCES },
		{ U64_MAX - 10, 10, RANGE_WRITE, 0 },
		{ U64_MAX - 10, 10, RANGE_READ, -EACCES },
		{ U64_MAX - 10, 11, RANGE_WRITE, -EFAULT },
	};
	unsigned int i;

	KUNIT_EXPECT_EQ(test, 0,
			lsabuf_ranges_check(ranges, ARRAY_SIZE(ranges)));
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(
			test, cases[i].result,
			lsabuf_grant_check(LSABUF_ACCESS_RANGES, ranges,
					   ARRAY_SIZE(ranges), cases[i].address,
					   cases[i].length, cases[i].need),
			"case %u", i);
}

static void grant_bad_ranges(struct kunit *test)
{
	static const struct {
		struct lsabuf_range range;
		int result;
	} cases[] = {
		{ { .address = 1, .length = 1, .flags = RANGE_READ }, 0 },
		{ { .address = 1, .length = 0, .flags = RANGE_READ }, -EINVAL },
		{ { .address = 1, .length = 1 }, -EINVAL },
		{ { .address = 1, .length = 1, .flags = 4 }, -EOPNOTSUPP },
		{ { .address = 1,
		    .length = 1,
		    .flags = RANGE_READ,
		    .__reserved = 1 },
		  -EOPNOTSUPP },
		{ { .address = 1, .length = U64_MAX - 1, .flags = RANGE_READ },
		  0 },
		{ { .address = 1, .length = U64_MAX, .flags = RANGE_READ },
		  -EINVAL },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test, cases[i].result,
				    lsabuf_ranges_check(&cases[i].range, 1),
				    "case %u", i);
}

static struct kunit_case grant_cases[] = { KUNIT_CASE(grant_modes),
					   KUNIT_CASE(grant_ranges),
					   KUNIT_CASE(grant_bad_ranges),
					   {} };

static struct kunit_suite grant_suite = {
	.name = "lsabuf-grant",
	.test_cases = grant_cases,
};

/* The allocator; the user space tests of the same file go much further. */

#define HEAP_GRANULES 1024
#define HEAP_BLOCKS 4
#define HEAP_ORDERS 24

struct heap_world {
	struct lsabuf_heap *heap;
	struct lsabuf_heap_node nodes[2 * HEAP_BLOCKS + 1];
};

static int heap_init(struct kunit *test)
{
	struct heap_world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->heap = kunit_kzalloc(test, lsabuf_heap_bytes(HEAP_GRANULES),
				GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w->heap);
	lsabuf_heap_init(w->heap, HEAP_GRANULES);
	for (i = 0; i < ARRAY_SIZE(w->nodes); i++)
		lsabuf_heap_give(w->heap, &w->nodes[i]);
	test->priv = w;
	return 0;
}

static void heap_allocate(struct kunit *test, struct lsabuf_heap_node **node,
			  const u32 *sizes)
{
	struct heap_world *w = test->priv;
	unsigned int i, j;

	for (i = 0; i < HEAP_BLOCKS; i++) {
		node[i] = lsabuf_heap_alloc(w->heap, sizes[i]);
		KUNIT_ASSERT_NOT_NULL(test, node[i]);
		KUNIT_EXPECT_EQ(test, sizes[i], node[i]->size);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_TRUE(
				test,
				node[i]->start >= node[j]->start +
							  node[j]->size ||
					node[j]->start >=
						node[i]->start + node[i]->size);
		KUNIT_EXPECT_PTR_EQ(test, node[i],
				    lsabuf_heap_find(w->heap, node[i]->start));
		KUNIT_EXPECT_PTR_EQ(test, node[i],
				    lsabuf_heap_find(w->heap, node[i]->start +
								      sizes[i] -
								      1));
	}
}

/* Every order to free four blocks in: all of the heap is there again. */
static void heap_orders(struct kunit *test)
{
	static const u32 sizes[] = { 1, 255, 256, 257 };
	struct heap_world *w = test->priv;
	struct lsabuf_heap_node *node[HEAP_BLOCKS];
	unsigned int order, left, rest, i;

	for (order = 0; order < HEAP_ORDERS; order++) {
		heap_allocate(test, node, sizes);
		rest = order;
		for (left = HEAP_BLOCKS; left; left--) {
			i = rest % left;
			rest /= left;
			lsabuf_heap_free(w->heap, node[i]);
			node[i] = node[left - 1];
		}
		KUNIT_EXPECT_EQ(test, 0, w->heap->used);
		KUNIT_EXPECT_EQ(test, 0, w->heap->live);
		KUNIT_EXPECT_NULL(test, lsabuf_heap_find(w->heap, 0));
		node[0] = lsabuf_heap_alloc(w->heap, HEAP_GRANULES);
		KUNIT_ASSERT_NOT_NULL(test, node[0]);
		KUNIT_EXPECT_NULL(test, lsabuf_heap_alloc(w->heap, 1));
		lsabuf_heap_free(w->heap, node[0]);
	}
}

static void heap_limits(struct kunit *test)
{
	struct heap_world *w = test->priv;

	KUNIT_EXPECT_NULL(test, lsabuf_heap_alloc(w->heap, 0));
	KUNIT_EXPECT_NULL(test, lsabuf_heap_alloc(w->heap, HEAP_GRANULES + 1));
	KUNIT_EXPECT_NULL(test, lsabuf_heap_alloc(w->heap, U32_MAX));
	KUNIT_EXPECT_NULL(test, lsabuf_heap_find(w->heap, U32_MAX));
	KUNIT_EXPECT_EQ(test, U32_MAX, lsabuf_heap_granules(SIZE_MAX));
	KUNIT_EXPECT_EQ(test, 1, lsabuf_heap_granules(1));
	KUNIT_EXPECT_EQ(test, 1, lsabuf_heap_granules(16));
	KUNIT_EXPECT_EQ(test, 2, lsabuf_heap_granules(17));
}

static struct kunit_case heap_cases[] = { KUNIT_CASE(heap_orders),
					  KUNIT_CASE(heap_limits),
					  {} };

static struct kunit_suite heap_suite = {
	.name = "lsabuf-heap",
	.init = heap_init,
	.test_cases = heap_cases,
};

kunit_test_suites(&request_suite, &grant_suite, &heap_suite);

MODULE_DESCRIPTION("Unit tests of lsabuf");
MODULE_LICENSE("GPL");
