// SPDX-License-Identifier: GPL-2.0
/*
 * Requests of one authority: slots, references, states, the receive queue.
 *
 * Everything here is short, never sleeps under queue->lock, and knows nothing
 * of user memory. The states are drawn in queue.h.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/hash.h>
#include <linux/lsabuf.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "lsabuf.h"
#include "queue.h"
#include "trace.h"

static_assert(LSABUF_REQUESTS_MAX <= 1U << LSABUF_SLOT_BITS);

static struct kmem_cache *request_cache;

/**
 * lsabuf_queue_module_init() - prepare what queues need, at module load
 *
 * Return: 0 or -ENOMEM.
 */
int lsabuf_queue_module_init(void)
{
	request_cache = KMEM_CACHE(lsabuf_request, SLAB_ACCOUNT);
	return request_cache ? 0 : -ENOMEM;
}

/**
 * lsabuf_queue_module_exit() - undo lsabuf_queue_module_init()
 */
void lsabuf_queue_module_exit(void)
{
	kmem_cache_destroy(request_cache);
}

/**
 * lsabuf_queue_init() - make an empty queue
 * @queue: zeroed
 * @max_slots: most requests at a time, at most LSABUF_REQUESTS_MAX
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int lsabuf_queue_init(struct lsabuf_queue *queue, unsigned int max_slots)
{
	static atomic64_t last_instance = ATOMIC64_INIT(0);

	queue->slots =
		kvcalloc(max_slots, sizeof(*queue->slots), GFP_KERNEL_ACCOUNT);
	if (!queue->slots)
		return -ENOMEM;
	queue->max_slots = max_slots;
	queue->instance = atomic64_inc_return(&last_instance);
	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->users);
	INIT_LIST_HEAD(&queue->ready);
	INIT_LIST_HEAD(&queue->gone);
	init_waitqueue_head(&queue->wait);
	init_waitqueue_head(&queue->hangup);
	return 0;
}

/**
 * lsabuf_queue_destroy() - free a queue without clients
 * @queue: the queue
 *
 * Context: may sleep.
 */
void lsabuf_queue_destroy(struct lsabuf_queue *queue)
{
	unsigned int i;

	for (i = 0; i < queue->nr_slots; i++)
		kmem_cache_free(request_cache, queue->slots[i]);
	kvfree(queue->slots);
}

/* Users */

static struct lsabuf_user *user_of(struct lsabuf_queue *queue, kuid_t uid)
{
	struct lsabuf_user *user;

	lockdep_assert_held(&queue->lock);
	list_for_each_entry(user, &queue->users, list)
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

/* The user to free, if neither connection nor request is left. */
static struct lsabuf_user *unused_user(struct lsabuf_user *user)
{
	if (user->nr_clients || user->nr_requests)
		return NULL;
	list_del(&user->list);
	return user;
}

static struct lsabuf_user *alloc_user(kuid_t uid)
{
	struct lsabuf_user *user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);

	if (!user)
		return NULL;
	user->uid = uid;
	INIT_LIST_HEAD(&user->ready);
	INIT_LIST_HEAD(&user->clients);
	return user;
}

/**
 * lsabuf_client_join() - count a new client in
 * @client: made by lsabuf_client_create(), not yet known to anybody
 * @uid: whose limits it shares
 *
 * Context: may sleep.
 * Return: 0, -ENOENT the authority is gone, -EDQUOT, -ENOMEM.
 */
int lsabuf_client_join(struct lsabuf_client *client, kuid_t uid)
{
	struct lsabuf_queue *queue = client->queue;
	struct lsabuf_user *user, *new = alloc_user(uid);
	int ret = 0;

	if (!new)
		return -ENOMEM;
	spin_lock(&queue->lock);
	user = user_of(queue, uid);
	if (queue->dead) {
		ret = -ENOENT;
	} else if (user && user->nr_clients >= lsabuf_limits.user_clients) {
		ret = -EDQUOT;
		trace_lsabuf_quota_refused(LSABUF_QUOTA_USER_CLIENTS,
					   client->id, 0, 1, user->nr_clients,
					   lsabuf_limits.user_clients);
	} else {
		if (!user) {
			list_add(&new->list, &queue->users);
			user = new;
			new = NULL;
		}
		user->nr_clients++;
		client->user = user;
	}
	spin_unlock(&queue->lock);
	kfree(new);
	return ret;
}

/* Chores */

/**
 * lsabuf_chore_put() - drop a reference
 * @chore: the chore
 *
 * Its buffer is wiped: it held bytes that crossed.
 *
 * Context: no locks, may sleep.
 */
void lsabuf_chore_put(struct lsabuf_chore *chore)
{
	if (!refcount_dec_and_test(&chore->ref))
		return;
	if (chore->type == LSABUF_CHORE_COPY)
		memzero_explicit(chore->buffer, chore->length);
	if (chore->file)
		fput(chore->file);
	kvfree(chore);
}

/**
 * lsabuf_chore_withdraw() - stop to wait for a chore
 * @request: its request
 * @chore: posted by the caller
 */
void lsabuf_chore_withdraw(struct lsabuf_request *request,
			   struct lsabuf_chore *chore)
{
	struct lsabuf_queue *queue = request->client->queue;

	spin_lock(&queue->lock);
	if (request->chore == chore)
		WRITE_ONCE(request->chore, NULL);
	spin_unlock(&queue->lock);
}

static void finish_chore(struct lsabuf_chore *chore, int error)
{
	chore->state = LSABUF_CHORE_DONE;
	chore->error = error;
	complete(&chore->finished);
}

/* The request leaves RECEIVED: nobody shall wait for its chore any more. */
static void detach_chore(struct lsabuf_request *request, int error)
{
	struct lsabuf_chore *chore = request->chore;

	lockdep_assert_held(&request->client->queue->lock);
	if (!chore)
		return;
	WRITE_ONCE(request->chore, NULL);
	finish_chore(chore, error);
}

/* The reply is set before the state that publishes it. */
static void set_state(struct lsabuf_request *request,
		      enum lsabuf_request_state state)
{
	/* Pairs with smp_load_acquire() in get_state(). */
	smp_store_release(&request->state, state);
}

static enum lsabuf_request_state get_state(struct lsabuf_request *request)
{
	/* Pairs with smp_store_release() in set_state(). */
	return smp_load_acquire(&request->state);
}

/**
 * lsabuf_request_held_error() - how an operation of the authority fails now
 * @request: found by lsabuf_request_find()
 *
 * Context: any.
 * Return: as lsabuf_request_held().
 */
int lsabuf_request_held_error(struct lsabuf_request *request)
{
	switch (get_state(request)) {
	case LSABUF_REQUEST_RECEIVED:
		return 0;
	case LSABUF_REQUEST_ABANDONED:
		return request->reply.error;
	default:
		return -ENOENT;
	}
}

/**
 * lsabuf_chore_post() - ask the client's thread to do a chore
 * @request: the caller holds its chore_mutex
 * @chore: POSTED, with one reference
 *
 * Return: 0, -EAGAIN no thread will come, or as lsabuf_request_held().
 */
int lsabuf_chore_post(struct lsabuf_request *request,
		      struct lsabuf_chore *chore)
{
	struct lsabuf_queue *queue = request->client->queue;
	int ret;

	spin_lock(&queue->lock);
	ret = lsabuf_request_held(request);
	if (!ret && !request->waiter && request->nowait)
		ret = -EAGAIN;
	if (!ret) {
		WRITE_ONCE(request->chore, chore);
		if (request->waiter)
			wake_up_process(request->waiter);
	}
	spin_unlock(&queue->lock);
	return ret;
}

/**
 * lsabuf_chore_pending() - tell whether lsabuf_chore_take() would find one
 * @request: the request
 */
bool lsabuf_chore_pending(struct lsabuf_request *request)
{
	return READ_ONCE(request->chore) &&
	       get_state(request) == LSABUF_REQUEST_RECEIVED;
}

/**
 * lsabuf_chore_take() - begin the chore of a request, if there is one
 * @request: the request that the current thread waits for
 *
 * Return: the chore with a reference, or NULL. Ends with lsabuf_chore_finish().
 */
struct lsabuf_chore *lsabuf_chore_take(struct lsabuf_request *request)
{
	struct lsabuf_queue *queue = request->client->queue;
	struct lsabuf_chore *chore;

	spin_lock(&queue->lock);
	chore = request->chore;
	if (chore && chore->state == LSABUF_CHORE_POSTED) {
		chore->state = LSABUF_CHORE_TAKEN;
		refcount_inc(&chore->ref);
	} else {
		chore = NULL;
	}
	spin_unlock(&queue->lock);
	return chore;
}

/**
 * lsabuf_chore_finish() - tell that a chore is done
 * @request: its request
 * @chore: taken by the current thread; the reference is dropped
 * @error: 0 or -errno
 */
void lsabuf_chore_finish(struct lsabuf_request *request,
			 struct lsabuf_chore *chore, int error)
{
	struct lsabuf_queue *queue = request->client->queue;

	spin_lock(&queue->lock);
	if (request->chore == chore) {
		WRITE_ONCE(request->chore, NULL);
		finish_chore(chore, error);
	}
	spin_unlock(&queue->lock);
	lsabuf_chore_put(chore);
}

/* Requests: slots and references */

static struct lsabuf_request *add_slot(struct lsabuf_client *client)
{
	struct lsabuf_queue *queue = client->queue;
	struct lsabuf_request *request;

	request = kmem_cache_zalloc(request_cache, GFP_KERNEL);
	if (!request)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&request->list);
	mutex_init(&request->chore_mutex);

	spin_lock(&queue->lock);
	if (queue->nr_slots == queue->max_slots) {
		spin_unlock(&queue->lock);
		kmem_cache_free(request_cache, request);
		trace_lsabuf_quota_refused(LSABUF_QUOTA_REQUESTS, client->id, 0,
					   1, queue->max_slots,
					   queue->max_slots);
		return ERR_PTR(-EAGAIN);
	}
	request->id = queue->nr_slots;
	/* Pairs with the dependency through READ_ONCE() in find. */
	smp_store_release(&queue->slots[queue->nr_slots], request);
	queue->nr_slots++;
	request->next_free = queue->free;
	queue->free = request;
	spin_unlock(&queue->lock);
	return NULL;
}

static int over_quota(struct lsabuf_client *client, enum lsabuf_quota quota,
		      u64 wanted, u64 used, u64 limit)
{
	trace_lsabuf_quota_refused(quota, client->id, 0, wanted, used, limit);
	return -EDQUOT;
}

static int charge(struct lsabuf_client *client, u64 submit_length)
{
	struct lsabuf_user *user = client->user;

	lockdep_assert_held(&client->queue->lock);
	if (client->queue->dead)
		return -EPIPE;
	if (client->dead)
		return -EPERM;
	if (client->nr_requests >= lsabuf_limits.client_requests)
		return over_quota(client, LSABUF_QUOTA_CLIENT_REQUESTS, 1,
				  client->nr_requests,
				  lsabuf_limits.client_requests);
	if (user->nr_requests >= lsabuf_limits.user_requests)
		return over_quota(client, LSABUF_QUOTA_USER_REQUESTS, 1,
				  user->nr_requests,
				  lsabuf_limits.user_requests);
	if (submit_length > lsabuf_limits.user_submit - user->submit_bytes)
		return over_quota(client, LSABUF_QUOTA_USER_SUBMIT,
				  submit_length, user->submit_bytes,
				  lsabuf_limits.user_submit);
	return 0;
}

/* A fresh request out of a free slot; the identity if it is known already. */
static void start_request(struct lsabuf_request *request,
			  struct lsabuf_client *client, u64 submit_length)
{
	const struct cred *cred = current_cred();

	client->queue->free = request->next_free;
	init_llist_head(&request->given);
	request->nr_given = 0;
	client->queue->nr_calls++;
	client->nr_calls++;
	client->nr_requests++;
	client->user->nr_requests++;
	client->user->submit_bytes += submit_length;
	lsabuf_client_get(client);
	request->client = client;
	request->submit_length = submit_length;
	request->submit_address = 0;
	request->mapped_bytes = 0;
	request->ranges = NULL;
	request->nr_ranges = 0;
	request->held = false;
	request->received = false;
	memset(&request->reply, 0, sizeof(request->reply));

	request->flags = 0;
	request->cred = NULL;
	if (client->identity.cred == cred) {
		request->cred = get_cred(cred);
		request->uid = client->identity.uid;
		request->gid = client->identity.gid;
		if (client->identity.admin)
			request->flags |= LSABUF_REQUEST_F_ADMIN;
	}
	request->budget = ms_to_ktime(lsabuf_limits.chore_budget_ms);
	WRITE_ONCE(request->id, request->id + LSABUF_SLOT_MASK + 1);
	/* Pairs with the barrier in lsabuf_request_find(). */
	smp_wmb();
	refcount_set(&request->ref, 1);
}

/**
 * lsabuf_request_new() - make a request of a client
 * @client: the connection
 * @submit_length: bytes of its submit buffer
 *
 * Counts it in. Its state is GONE until lsabuf_request_queue(). What the
 * authority is told of the caller's credential is filled in where that is
 * known from the last call; otherwise @cred is NULL.
 *
 * Context: process context, may sleep.
 * Return: the request with one reference, or ERR_PTR() of -EPIPE, -EPERM,
 * -EDQUOT, -EAGAIN for a full authority, -ENOMEM.
 */
struct lsabuf_request *lsabuf_request_new(struct lsabuf_client *client,
					  u64 submit_length)
{
	struct lsabuf_queue *queue = client->queue;
	struct lsabuf_request *request;
	int ret;

	for (;;) {
		spin_lock(&queue->lock);
		ret = charge(client, submit_length);
		request = queue->free;
		if (!ret && request)
			start_request(request, client, submit_length);
		spin_unlock(&queue->lock);
		if (ret)
			return ERR_PTR(ret);
		if (request)
			return request;
		request = add_slot(client);
		if (IS_ERR(request))
			return request;
	}
}

/**
 * lsabuf_request_find() - find a request by its id
 * @queue: of the authority, which the caller holds
 * @id: any number
 *
 * Takes no lock: slots stay requests as long as the queue.
 *
 * Context: any.
 * Return: the request with a reference, whatever its state, or NULL.
 */
struct lsabuf_request *lsabuf_request_find(struct lsabuf_queue *queue, u64 id)
{
	struct lsabuf_request *request;
	u32 slot = id & LSABUF_SLOT_MASK;

	if (slot >= queue->max_slots)
		return NULL;
	slot = array_index_nospec(slot, queue->max_slots);
	request = READ_ONCE(queue->slots[slot]);
	if (!request || !refcount_inc_not_zero(&request->ref))
		return NULL;
	/* Pairs with the barrier in start_request(): the id of this life. */
	smp_rmb();
	if (READ_ONCE(request->id) == id)
		return request;
	lsabuf_request_put(request);
	return NULL;
}

/**
 * lsabuf_request_free() - see lsabuf_request_put()
 * @request: without references
 *
 * Context: no locks, may sleep.
 */
void lsabuf_request_free(struct lsabuf_request *request)
{
	struct lsabuf_client *client = request->client;
	struct lsabuf_queue *queue = client->queue;
	struct llist_node *given = request->given.first, *next;
	struct lsabuf_user *user;

	for (; given; given = next) {
		next = given->next;
		lsabuf_chore_put(
			llist_entry(given, struct lsabuf_chore, given));
	}
	lsabuf_blocks_drop(client->space, &request->blocks, request->id);
	lsabuf_blocks_drop(queue->space, &request->snapshots, request->id);
	kvfree(request->ranges);
	if (request->cred)
		put_cred(request->cred);

	spin_lock(&queue->lock);
	user = client->user;
	client->nr_requests--;
	user->nr_requests--;
	user->submit_bytes -= request->submit_length + request->mapped_bytes;
	user = unused_user(user);
	request->next_free = queue->free;
	queue->free = request;
	spin_unlock(&queue->lock);
	kfree(user);
	lsabuf_client_put(client);
}

/**
 * lsabuf_request_charge() - count further snapshots of a request
 * @request: the caller has a reference
 * @bytes: of them; counted until the request is freed
 *
 * Context: no locks.
 * Return: 0 or -EDQUOT.
 */
int lsabuf_request_charge(struct lsabuf_request *request, u64 bytes)
{
	struct lsabuf_user *user = request->client->user;
	struct lsabuf_queue *queue = request->client->queue;
	int ret = -EDQUOT;

	spin_lock(&queue->lock);
	if (bytes <= lsabuf_limits.user_submit - user->submit_bytes) {
		user->submit_bytes += bytes;
		request->mapped_bytes += bytes;
		ret = 0;
	} else {
		trace_lsabuf_quota_refused(LSABUF_QUOTA_USER_SUBMIT,
					   request->client->id, request->id,
					   bytes, user->submit_bytes,
					   lsabuf_limits.user_submit);
	}
	spin_unlock(&queue->lock);
	return ret;
}

/**
 * lsabuf_request_uncharge() - undo lsabuf_request_charge()
 * @request: the caller has a reference
 * @bytes: as they were counted
 *
 * Context: no locks.
 */
void lsabuf_request_uncharge(struct lsabuf_request *request, u64 bytes)
{
	struct lsabuf_queue *queue = request->client->queue;

	spin_lock(&queue->lock);
	request->client->user->submit_bytes -= bytes;
	request->mapped_bytes -= bytes;
	spin_unlock(&queue->lock);
}

/* There is an outcome: for the thread that waits, or for poll(). */
static void settle(struct lsabuf_request *request)
{
	struct lsabuf_client *client = request->client;

	lockdep_assert_held(&client->queue->lock);
	if (request->waiter) {
		wake_up_process(request->waiter);
		return;
	}
	if (hlist_unhashed(&request->all))
		return;
	list_add_tail(&request->list, &client->done);
	wake_up(&client->wait);
}

/* Requests: when they changed. The clock is read only for an event. */

static void stamp_queued(struct lsabuf_request *request)
{
	if (!trace_lsabuf_receive_enabled() && !trace_lsabuf_return_enabled() &&
	    !trace_lsabuf_reply_enabled() && !trace_lsabuf_abandon_enabled())
		return;
	request->times = (struct lsabuf_times){
		.id = request->id,
		.queued = ktime_get_ns(),
	};
}

static void stamp_received(struct lsabuf_request *request)
{
	if (trace_lsabuf_reply_enabled())
		request->times.received = ktime_get_ns();
}

static void stamp_replied(struct lsabuf_request *request)
{
	if (trace_lsabuf_return_enabled())
		request->times.replied = ktime_get_ns();
}

/* Requests: the queue */

static void enqueue(struct lsabuf_request *request)
{
	struct lsabuf_client *client = request->client;
	struct lsabuf_user *user = client->user;
	struct lsabuf_queue *queue = client->queue;

	lockdep_assert_held(&queue->lock);
	queue->nr_queued++;
	list_add_tail(&request->list, &client->queued);
	if (list_empty(&client->ready))
		list_add_tail(&client->ready, &user->clients);
	if (list_empty(&user->ready))
		list_add_tail(&user->ready, &queue->ready);
}

static void enqueue_first(struct lsabuf_request *request)
{
	struct lsabuf_client *client = request->client;
	struct lsabuf_user *user = client->user;
	struct lsabuf_queue *queue = client->queue;

	lockdep_assert_held(&queue->lock);
	queue->nr_queued++;
	list_add(&request->list, &client->queued);
	list_move(&client->ready, &user->clients);
	list_move(&user->ready, &queue->ready);
}

/* Off the queue, and its client and user to the end of their rounds. */
static void dequeue(struct lsabuf_request *request)
{
	struct lsabuf_client *client = request->client;
	struct lsabuf_user *user = client->user;

	lockdep_assert_held(&client->queue->lock);
	client->queue->nr_queued--;
	list_del_init(&request->list);
	if (list_empty(&client->queued))
		list_del_init(&client->ready);
	else
		list_move_tail(&client->ready, &user->clients);
	if (list_empty(&user->clients))
		list_del_init(&user->ready);
	else
		list_move_tail(&user->ready, &client->queue->ready);
}

/*
 * Whether a user may have one more thread of the pool: while it has none, or
 * less than half of them. So clients that stall cannot take all. It does not
 * bind who receives without waiting, one thread that holds many requests.
 */
static bool has_share(struct lsabuf_queue *queue, struct lsabuf_user *user)
{
	unsigned int share = (queue->nr_waiting + queue->nr_busy) / 2;

	return !user->busy || user->busy < share;
}

static void busy_begin(struct lsabuf_request *request, struct task_struct *task)
{
	struct lsabuf_queue *queue = request->client->queue;
	u32 bucket = hash_ptr(task, LSABUF_QUEUE_BUSY_BITS);

	request->receiver = task;
	request->client->user->busy++;
	queue->nr_busy++;
	hlist_add_head(&request->busy, &queue->busy[bucket]);
}

/* The step from QUEUED to RECEIVED, for a thread that need not be current. */
static void receive(struct lsabuf_request *request,
		    struct lsabuf_receiver *receiver)
{
	lockdep_assert_held(&request->client->queue->lock);
	set_state(request, LSABUF_REQUEST_RECEIVED);
	request->held = true;
	request->received = true;
	request->client->heard_of = true;
	/* The authority's, and one for the receiver while it delivers. */
	refcount_add(2, &request->ref);
	if (receiver->pool)
		busy_begin(request, receiver->task);
	receiver->request = request;
	stamp_received(request);
	trace_lsabuf_receive(request, receiver->task);
}

static struct lsabuf_client *next_gone(struct lsabuf_queue *queue)
{
	struct lsabuf_client *client;

	client = list_first_entry_or_null(&queue->gone, struct lsabuf_client,
					  gone);
	if (client)
		list_del_init(&client->gone);
	return client;
}

/* Users take turns, then the clients of one user, then their requests. */
static struct lsabuf_request *next_request(struct lsabuf_queue *queue,
					   bool pool)
{
	struct lsabuf_client *client;
	struct lsabuf_user *user;

	list_for_each_entry(user, &queue->ready, ready) {
		if (pool && !has_share(queue, user))
			continue;
		client = list_first_entry(&user->clients, struct lsabuf_client,
					  ready);
		return list_first_entry(&client->queued, struct lsabuf_request,
					list);
	}
	return NULL;
}

/* Its time was over before anybody received it: nobody shall. */
static bool is_overdue(struct lsabuf_request *request)
{
	return request->deadline && ktime_after(ktime_get(), request->deadline);
}

static bool receive_next(struct lsabuf_queue *queue,
			 struct lsabuf_receiver *receiver)
{
	struct lsabuf_request *request;

	lockdep_assert_held(&queue->lock);
	receiver->gone = next_gone(queue);
	if (receiver->gone)
		return true;
	while ((request = next_request(queue, receiver->pool))) {
		dequeue(request);
		if (!is_overdue(request)) {
			receive(request, receiver);
			return true;
		}
		request->reply.error = -ETIMEDOUT;
		trace_lsabuf_abandon(request, false, -ETIMEDOUT);
		set_state(request, LSABUF_REQUEST_REPLIED);
		settle(request);
	}
	return false;
}

static void wake_receiver(struct lsabuf_queue *queue,
			  struct lsabuf_receiver *receiver)
{
	hlist_del_init(&receiver->list);
	queue->nr_waiting--;
	/* Its stack frame stays until it has taken the lock. */
	WRITE_ONCE(receiver->done, true);
	wake_up_process(receiver->task);
}

static struct lsabuf_receiver *first_receiver(struct lsabuf_queue *queue)
{
	return hlist_entry_safe(queue->receivers.first, struct lsabuf_receiver,
				list);
}

/* Hand what is queued to those who wait for it; tell poll() of the rest. */
static void serve_receivers(struct lsabuf_queue *queue)
{
	struct lsabuf_receiver *receiver;

	lockdep_assert_held(&queue->lock);
	while ((receiver = first_receiver(queue))) {
		if (!receive_next(queue, receiver))
			break;
		wake_receiver(queue, receiver);
	}
	if (lsabuf_queue_readable(queue) && wq_has_sleeper(&queue->wait))
		wake_up(&queue->wait);
}

/* QUEUED; at once RECEIVED if a thread waits and nobody else's turn it is. */
static void hand_over(struct lsabuf_request *request)
{
	struct lsabuf_queue *queue = request->client->queue;
	struct lsabuf_receiver *receiver = first_receiver(queue);

	if (receiver && has_share(queue, request->client->user)) {
		receive(request, receiver);
		wake_receiver(queue, receiver);
		return;
	}
	set_state(request, LSABUF_REQUEST_QUEUED);
	enqueue(request);
	if (wq_has_sleeper(&queue->wait))
		wake_up(&queue->wait);
}

static void busy_end(struct lsabuf_request *request)
{
	struct lsabuf_queue *queue = request->client->queue;

	lockdep_assert_held(&queue->lock);
	if (hlist_unhashed(&request->busy))
		return;
	hlist_del_init(&request->busy);
	request->client->user->busy--;
	queue->nr_busy--;
	/* A waiting thread may have passed over this user. */
	if (!list_empty(&queue->ready))
		serve_receivers(queue);
}

/*
 * The current thread is about to receive: whatever it received before, it is
 * at work on it no more, and will answer it in some other way.
 */
static void came_back(struct lsabuf_queue *queue)
{
	u32 bucket = hash_ptr(current, LSABUF_QUEUE_BUSY_BITS);
	struct lsabuf_request *request;
	struct hlist_node *next;

	hlist_for_each_entry_safe(request, next, &queue->busy[bucket], busy)
		if (request->receiver == current)
			busy_end(request);
}

/**
 * lsabuf_queue_readable() - tell whether there may be something to receive
 * @queue: the queue
 *
 * Context: any; without the lock a hint.
 */
bool lsabuf_queue_readable(struct lsabuf_queue *queue)
{
	return !list_empty_careful(&queue->ready) ||
	       !list_empty_careful(&queue->gone);
}

/**
 * lsabuf_receive_begin() - receive, or begin to wait for a request
 * @queue: the queue
 * @receiver: zeroed, but for @pool, which says whether to wait
 *
 * Return: true if @receiver has something; otherwise, with @pool, it waits,
 * until lsabuf_receive_end().
 */
bool lsabuf_receive_begin(struct lsabuf_queue *queue,
			  struct lsabuf_receiver *receiver)
{
	bool got;

	receiver->task = current;
	spin_lock(&queue->lock);
	if (queue->dead) {
		/* Nobody would wake it: it finds that out by itself. */
		receiver->done = true;
		spin_unlock(&queue->lock);
		return false;
	}
	came_back(queue);
	if (receiver->pool)
		queue->nr_waiting++;
	got = receive_next(queue, receiver);
	if (receiver->pool && got)
		queue->nr_waiting--;
	else if (receiver->pool)
		hlist_add_head(&receiver->list, &queue->receivers);
	/* One thread more is a larger share for everybody, not only here. */
	if (!list_empty(&queue->ready))
		serve_receivers(queue);
	spin_unlock(&queue->lock);
	return got;
}

/**
 * lsabuf_receive_end() - end a wait
 * @queue: the queue
 * @receiver: with @pool, for which lsabuf_receive_begin() has returned false
 *
 * Return: true if @receiver has something.
 */
bool lsabuf_receive_end(struct lsabuf_queue *queue,
			struct lsabuf_receiver *receiver)
{
	spin_lock(&queue->lock);
	if (!hlist_unhashed(&receiver->list)) {
		hlist_del_init(&receiver->list);
		queue->nr_waiting--;
	}
	spin_unlock(&queue->lock);
	return receiver->request || receiver->gone;
}

/* The authority lets a request go that it holds; the caller drops the ref. */
static void unhold(struct lsabuf_request *request)
{
	request->held = false;
	busy_end(request);
	detach_chore(request, -ENOENT);
}

/**
 * lsabuf_request_queue() - let the authority see a request
 * @request: made by the caller, whose reference becomes the client's
 *
 * Return: 0; -EPIPE or -EPERM, and the reference is still the caller's.
 */
int lsabuf_request_queue(struct lsabuf_request *request)
{
	struct lsabuf_client *client = request->client;
	struct lsabuf_queue *queue = client->queue;
	int ret = 0;

	spin_lock(&queue->lock);
	if (queue->dead) {
		ret = -EPIPE;
	} else if (client->dead) {
		ret = -EPERM;
	} else {
		request->waiter = request->nowait ? NULL : current;
		/* The caller goes on using it when others may let it go. */
		refcount_inc(&request->ref);
		hlist_add_head(&request->all, &client->requests);
		stamp_queued(request);
		trace_lsabuf_call(request);
		hand_over(request);
	}
	spin_unlock(&queue->lock);
	return ret;
}

/**
 * lsabuf_request_requeue() - undo a receive whose header was not delivered
 * @request: received by the caller
 *
 * It is the next to be received, unless it has ended meanwhile.
 */
void lsabuf_request_requeue(struct lsabuf_request *request)
{
	struct lsabuf_queue *queue = request->client->queue;
	bool held;

	spin_lock(&queue->lock);
	held = request->held;
	if (held) {
		unhold(request);
		if (request->state == LSABUF_REQUEST_RECEIVED) {
			request->received = false;
			trace_lsabuf_requeue(request);
			set_state(request, LSABUF_REQUEST_QUEUED);
			enqueue_first(request);
			serve_receivers(queue);
		} else if (hlist_unhashed(&request->all)) {
			set_state(request, LSABUF_REQUEST_GONE);
		}
	}
	spin_unlock(&queue->lock);
	if (held)
		lsabuf_request_put(request);
}

/**
 * lsabuf_request_reply() - the authority answers
 * @request: the caller has a reference of its own
 * @reply: the answer
 *
 * Snapshots end here, also for a client that is gone.
 *
 * Context: no locks, may sleep.
 * Return: 0; -ESRCH or -ECANCELED when nobody gets the answer; -ENOENT when
 * the authority does not hold the request.
 */
int lsabuf_request_reply(struct lsabuf_request *request,
			 const struct lsabuf_reply *reply)
{
	struct lsabuf_queue *queue = request->client->queue;
	int ret = -ENOENT;

	spin_lock(&queue->lock);
	if (request->held) {
		unhold(request);
		ret = lsabuf_request_held(request);
		stamp_replied(request);
		trace_lsabuf_reply(request, reply, ret);
		if (!ret) {
			request->reply = *reply;
			set_state(request, LSABUF_REQUEST_REPLIED);
			settle(request);
		} else if (hlist_unhashed(&request->all)) {
			set_state(request, LSABUF_REQUEST_GONE);
		}
	}
	spin_unlock(&queue->lock);
	if (ret == -ENOENT)
		return ret;
	lsabuf_blocks_drop(queue->space, &request->snapshots, request->id);
	lsabuf_request_put(request);
	return ret;
}

/**
 * lsabuf_request_expire() - a request has spent its time for chores
 * @request: the caller holds its chore_mutex
 *
 * A thread that waits had the chance to do the chore and stalls: the request
 * is abandoned, and the client is told -ECANCELED. Without one, as when it is
 * in a signal handler, the request goes on without chores.
 *
 * Return: how the chore failed: -ECANCELED, -EAGAIN without a thread, or as
 * lsabuf_request_held().
 */
int lsabuf_request_expire(struct lsabuf_request *request)
{
	struct lsabuf_queue *queue = request->client->queue;
	int ret;

	spin_lock(&queue->lock);
	ret = lsabuf_request_held(request);
	if (!ret && !request->waiter) {
		ret = -EAGAIN;
		WRITE_ONCE(request->chore, NULL);
	} else if (!ret) {
		ret = -ECANCELED;
		request->reply.error = -ECANCELED;
		trace_lsabuf_abandon(request, true, -ECANCELED);
		set_state(request, LSABUF_REQUEST_ABANDONED);
		detach_chore(request, -ECANCELED);
		settle(request);
	}
	spin_unlock(&queue->lock);
	return ret;
}

/* Requests: the client's side */

/**
 * lsabuf_request_attach() - become the thread that waits for a request
 * @request: found by id; must be of the caller's client
 *
 * Return: 0, -EBUSY another thread does, -ENOENT it was let go.
 */
int lsabuf_request_attach(struct lsabuf_request *request)
{
	struct lsabuf_queue *queue = request->client->queue;
	int ret = 0;

	spin_lock(&queue->lock);
	if (hlist_unhashed(&request->all)) {
		ret = -ENOENT;
	} else if (request->waiter) {
		ret = -EBUSY;
	} else {
		request->waiter = current;
		/* QUEUED is still queued; otherwise it may be in @done. */
		if (request->state != LSABUF_REQUEST_QUEUED)
			list_del_init(&request->list);
	}
	spin_unlock(&queue->lock);
	return ret;
}

/**
 * lsabuf_request_detach() - stop to be the thread that waits
 * @request: the request
 *
 * If it has an outcome, that is kept for another thread or poll().
 */
void lsabuf_request_detach(struct lsabuf_request *request)
{
	struct lsabuf_queue *queue = request->client->queue;

	spin_lock(&queue->lock);
	request->waiter = NULL;
	if (lsabuf_request_settled(request))
		settle(request);
	spin_unlock(&queue->lock);
}

/**
 * lsabuf_request_settled() - tell whether a request has its outcome
 * @request: the request
 *
 * Context: any; REPLIED, ABANDONED and GONE are never left.
 */
bool lsabuf_request_settled(struct lsabuf_request *request)
{
	enum lsabuf_request_state state = get_state(request);

	return state != LSABUF_REQUEST_QUEUED &&
	       state != LSABUF_REQUEST_RECEIVED;
}

/* The client's end of a request. The caller drops the client's reference. */
static void let_go(struct lsabuf_request *request, int error)
{
	lockdep_assert_held(&request->client->queue->lock);
	hlist_del_init(&request->all);
	switch (request->state) {
	case LSABUF_REQUEST_RECEIVED:
		request->reply.error = error;
		trace_lsabuf_abandon(request, true, error);
		set_state(request, LSABUF_REQUEST_ABANDONED);
		detach_chore(request, error);
		break;
	case LSABUF_REQUEST_ABANDONED:
		list_del_init(&request->list);
		if (!request->held)
			set_state(request, LSABUF_REQUEST_GONE);
		break;
	case LSABUF_REQUEST_QUEUED:
		trace_lsabuf_abandon(request, false, error);
		dequeue(request);
		fallthrough;
	default:
		list_del_init(&request->list);
		set_state(request, LSABUF_REQUEST_GONE);
	}
	if (request->waiter && request->waiter != current)
		wake_up_process(request->waiter);
}

/**
 * lsabuf_request_give_up() - the client wants no outcome any more
 * @request: the caller has a reference of its own
 * @error: what the authority is told, -ECANCELED or -ESRCH
 *
 * Return: true if it was this call that ended it for the client, so that what
 * it knows of the outcome counts; false if another thread did before.
 */
bool lsabuf_request_give_up(struct lsabuf_request *request, int error)
{
	struct lsabuf_queue *queue = request->client->queue;
	bool mine;

	spin_lock(&queue->lock);
	mine = !hlist_unhashed(&request->all);
	if (mine)
		let_go(request, error);
	if (request->waiter == current)
		request->waiter = NULL;
	spin_unlock(&queue->lock);
	if (mine)
		lsabuf_request_put(request);
	return mine;
}

/**
 * lsabuf_request_take() - the client has copied the outcome out
 * @request: settled; the caller is attached and has a reference of its own
 *
 * Return: as lsabuf_request_give_up().
 */
bool lsabuf_request_take(struct lsabuf_request *request)
{
	/* Settled: there is nobody left to be told. */
	return lsabuf_request_give_up(request, -ECANCELED);
}

/**
 * lsabuf_client_done() - attach to any request with an outcome
 * @client: the client
 *
 * Return: the request with a reference, attached, or NULL.
 */
struct lsabuf_request *lsabuf_client_done(struct lsabuf_client *client)
{
	struct lsabuf_queue *queue = client->queue;
	struct lsabuf_request *request;

	spin_lock(&queue->lock);
	request = list_first_entry_or_null(&client->done, struct lsabuf_request,
					   list);
	if (request) {
		list_del_init(&request->list);
		request->waiter = current;
		refcount_inc(&request->ref);
	}
	spin_unlock(&queue->lock);
	return request;
}

/**
 * lsabuf_client_gone_again() - a notice of its end was not delivered
 * @client: with the reference that came with it, which is taken back
 */
void lsabuf_client_gone_again(struct lsabuf_client *client)
{
	struct lsabuf_queue *queue = client->queue;

	spin_lock(&queue->lock);
	list_add(&client->gone, &queue->gone);
	serve_receivers(queue);
	spin_unlock(&queue->lock);
}

/* Tell the authority, if it asked for that and knows the client. */
static void note_gone(struct lsabuf_client *client)
{
	struct lsabuf_queue *queue = client->queue;

	if (!queue->notify || !client->heard_of || queue->dead)
		return;
	lsabuf_client_get(client);
	list_add_tail(&client->gone, &queue->gone);
	serve_receivers(queue);
}

/**
 * lsabuf_client_leave() - a client is gone: by DISCONNECT, release or death
 * @client: joined; the caller has a reference
 *
 * Its requests are abandoned. Only the first call does something.
 *
 * Context: no locks but perhaps mmap_lock, may sleep.
 * Return: whether this was the first call.
 */
bool lsabuf_client_leave(struct lsabuf_client *client)
{
	struct lsabuf_queue *queue = client->queue;
	struct lsabuf_request *request;
	struct lsabuf_user *user;

	spin_lock(&queue->lock);
	if (client->dead) {
		spin_unlock(&queue->lock);
		return false;
	}
	WRITE_ONCE(client->dead, true);
	note_gone(client);
	user = client->user;
	user->nr_clients--;
	user = unused_user(user);
	wake_up_all(&client->wait);
	spin_unlock(&queue->lock);
	kfree(user);

	for (;;) {
		spin_lock(&queue->lock);
		request = hlist_entry_safe(client->requests.first,
					   struct lsabuf_request, all);
		if (request)
			let_go(request, -ESRCH);
		spin_unlock(&queue->lock);
		if (!request)
			return true;
		lsabuf_request_put(request);
	}
}

/*
 * One request of an authority that is gone: its client gets -EPIPE. True with
 * a reference for the caller, who drops its snapshots: the authority's, if it
 * had received it, or one of its own.
 */
static bool orphan(struct lsabuf_request *request)
{
	bool held = request->held;

	if (held)
		unhold(request);
	switch (request->state) {
	case LSABUF_REQUEST_QUEUED:
		dequeue(request);
		/* Its client's thread could not unmap the arena after it. */
		refcount_inc(&request->ref);
		held = true;
		fallthrough;
	case LSABUF_REQUEST_RECEIVED:
		request->reply.error = -EPIPE;
		trace_lsabuf_abandon(request, request->received, -EPIPE);
		request->reply.status[0] = request->received;
		set_state(request, LSABUF_REQUEST_REPLIED);
		settle(request);
		break;
	case LSABUF_REQUEST_ABANDONED:
		if (hlist_unhashed(&request->all))
			set_state(request, LSABUF_REQUEST_GONE);
		break;
	default:
		break;
	}
	return held;
}

/**
 * lsabuf_queue_die() - the authority is gone
 * @queue: the queue; the caller holds the authority
 *
 * Every waiting client is woken. Only the first call does something.
 *
 * Context: no locks but perhaps mmap_lock, may sleep.
 * Return: whether this was the first call.
 */
bool lsabuf_queue_die(struct lsabuf_queue *queue)
{
	struct lsabuf_receiver *receiver;
	struct lsabuf_request *request;
	struct lsabuf_client *client;
	unsigned int i;
	bool drop;

	spin_lock(&queue->lock);
	if (queue->dead) {
		spin_unlock(&queue->lock);
		return false;
	}
	WRITE_ONCE(queue->dead, true);
	while ((receiver = first_receiver(queue)))
		wake_receiver(queue, receiver);
	wake_up_all(&queue->wait);
	wake_up_all(&queue->hangup);
	spin_unlock(&queue->lock);

	/* @nr_slots grows no more than by slots that stay free. */
	for (i = 0; i < READ_ONCE(queue->nr_slots); i++) {
		request = queue->slots[i];
		spin_lock(&queue->lock);
		drop = refcount_read(&request->ref) && orphan(request);
		spin_unlock(&queue->lock);
		if (!drop)
			continue;
		lsabuf_blocks_drop(queue->space, &request->snapshots,
				   request->id);
		lsabuf_request_put(request);
	}

	for (;;) {
		spin_lock(&queue->lock);
		client = next_gone(queue);
		spin_unlock(&queue->lock);
		if (!client)
			return true;
		lsabuf_client_put(client);
	}
}
