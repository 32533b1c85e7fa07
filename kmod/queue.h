/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests of one authority: slots, references, states, the receive queue.
 *
 * States of a request. Every arrow is taken under queue->lock:
 *
 *	                  requeue: header not delivered
 *	                .-----------------------------.
 *	                v                             |
 *	  GONE --> QUEUED ----------- receive ---> RECEIVED --- reply ---> REPLIED
 *	           |    |                          |      |                  |   |
 *	           |    |                          |      |  authority dies  |   |
 *	           |    +------ authority dies ----|------+----------------->+   |
 *	           |                               |                             |
 *	           | client gives up               | client gives up,            |
 *	           v                               v chores out of time          |
 *	         GONE                          ABANDONED                         |
 *	                                           |                             |
 *	           GONE <---- reply or authority ends, and the                   |
 *	                      client has taken the outcome <---------------------+
 *
 * "Gives up" is death, exec, cancel, timeout, disconnect and a fatal signal.
 * GONE is set by the step that ends the request, at once, so that no lookup by
 * its id succeeds any more; references may still be held then. Every way out
 * of RECEIVED ends the chore under way.
 *
 * References. One belongs to the client as long as the request is in its
 * @requests: until it has taken the outcome or given up. One belongs to the
 * authority while it holds the request: from receive to reply, also in
 * ABANDONED. One belongs to each operation under way. With the last one
 * snapshots and blocks that were not handed over are wiped and freed, and the
 * slot can be used again, under another id.
 */
#ifndef LSABUF_QUEUE_H
#define LSABUF_QUEUE_H

#include <linux/completion.h>
#include <linux/ktime.h>
#include <linux/llist.h>
#include <linux/mutex.h>

#include "client.h"

/* Work that the client's own thread does for its authority. */
enum lsabuf_chore_type {
	LSABUF_CHORE_COPY, /* between @buffer and client memory */
	LSABUF_CHORE_GROW, /* make a further arena */
	LSABUF_CHORE_VIEW, /* map a view of a section */
	LSABUF_CHORE_FILE, /* open a file of the authority */
};

enum lsabuf_chore_state {
	LSABUF_CHORE_POSTED, /* nobody has begun */
	LSABUF_CHORE_TAKEN, /* the client's thread is at it */
	LSABUF_CHORE_DONE, /* or was detached with an error */
};

/**
 * struct lsabuf_chore - one chore
 * @ref: reference count: who posted it, and who takes it. Its buffer belongs
 *	to both: the client's thread may still be stalled in it long after the
 *	authority gave up
 * @type: LSABUF_CHORE_* (constant)
 * @state: LSABUF_CHORE_* (queue->lock)
 * @to_client: direction of a copy (constant)
 * @exact: the view has to be at the authority's address (constant)
 * @file: the view's, or the one to open, counted, or NULL (constant)
 * @address: client memory (constant); of a view, or the descriptor of a file
 *	(the taker, until @finished)
 * @length: bytes (constant)
 * @done: bytes copied (the taker, until @finished)
 * @error: 0 or -errno (queue->lock, until @finished)
 * @posted: when, in nanoseconds; 0 while nobody wants to know (constant)
 * @finished: completed once, when the chore is done or detached
 * @given: in the request's @given, with a reference, once the file is open
 * @table: descriptors that it is open in, only ever compared (the taker, until
 *	it is in @given)
 * @buffer: kernel memory to copy from or to, @length bytes
 */
struct lsabuf_chore {
	refcount_t ref;
	enum lsabuf_chore_type type;
	enum lsabuf_chore_state state;
	bool to_client;
	bool exact;
	struct file *file;
	u64 address;
	size_t length;
	size_t done;
	int error;
	u64 posted;
	struct completion finished;
	struct llist_node given;
	struct files_struct *table;
	u8 buffer[];
};

enum lsabuf_request_state {
	LSABUF_REQUEST_GONE,
	LSABUF_REQUEST_QUEUED,
	LSABUF_REQUEST_RECEIVED,
	LSABUF_REQUEST_REPLIED,
	LSABUF_REQUEST_ABANDONED,
};

/**
 * struct lsabuf_reply - what a call returns
 * @status: two values from the authority; from here on as in struct lsabuf_call
 * @address: return address in the client
 * @length: return length
 * @error: 0 or -errno of the call itself
 */
struct lsabuf_reply {
	u32 status[2];
	u64 address;
	u64 length;
	int error;
};

/**
 * struct lsabuf_times - when a request changed, for the durations of events
 * @id: the request that the rest is about; another one's are void
 * @queued: nanoseconds, as all below; 0 while nobody looked at the clock
 * @received: when the authority got it
 * @replied: when the authority answered it
 */
struct lsabuf_times {
	u64 id;
	u64 queued;
	u64 received;
	u64 replied;
};

/**
 * struct lsabuf_request - one call
 * @ref: reference count; 0 while the slot is free. The memory stays a request
 *	until the queue is destroyed, so a stale id can be looked up
 * @id: slot and generation (set while @ref is 0)
 * @state: see above (queue->lock; read without it as a hint)
 * @client: the connection, counted (constant while @ref > 0)
 * @list: queued or done (queue->lock)
 * @all: in the client's @requests (queue->lock)
 * @busy: in the queue's @busy while the thread that received it is at work
 * @receiver: that thread, only ever compared (queue->lock)
 * @waiter: the client's thread that waits (queue->lock)
 * @held: the authority has its reference (queue->lock)
 * @received: it has been received at least once (queue->lock)
 * @nowait: made without a thread to wait (constant)
 * @nr_given: files opened for the client (the thread that waits)
 * @kind: for the authority (constant while @ref > 0, as all below to @cred)
 * @code: for the authority
 * @flags: LSABUF_REQUEST_F_*
 * @pid: identity of the calling thread, in the authority's namespaces
 * @tid: its thread id
 * @uid: its effective user id
 * @gid: its effective group id
 * @start: start time of its process
 * @cred: its credential, counted
 * @client_address: the submit buffer in the client
 * @submit_length: bytes of it
 * @submit_address: the snapshot in the authority, or 0
 * @mapped_bytes: bytes of further snapshots, that MAP took (queue->lock)
 * @ranges: what it grants besides buffers
 * @nr_ranges: number of them
 * @deadline: when it is given up, 0 for never
 * @snapshots: blocks in the authority's arena (that space's lock)
 * @blocks: blocks in the client's arenas (that space's lock)
 * @next_free: next free slot, while it is one (queue->lock)
 * @given: chores that opened files for the client, otherwise
 * @reply: the outcome (queue->lock until REPLIED, then constant)
 * @chore_mutex: one chore at a time
 * @chore: chore to be done (queue->lock)
 * @budget: what is left for chores (@chore_mutex)
 * @times: set only while an event that shows them is on (queue->lock)
 */
struct lsabuf_request {
	refcount_t ref;
	enum lsabuf_request_state state;
	u64 id;
	struct lsabuf_client *client;
	struct list_head list;
	struct hlist_node all;
	struct hlist_node busy;
	struct task_struct *receiver;
	struct task_struct *waiter;
	bool held;
	bool received;
	bool nowait;
	u8 nr_given;
	u32 kind;
	u32 code;
	u32 flags;
	u32 pid;
	u32 tid;
	u32 uid;
	u32 gid;
	u64 start;
	const struct cred *cred;
	u64 client_address;
	u64 submit_length;
	u64 submit_address;
	u64 mapped_bytes;
	struct lsabuf_range *ranges;
	unsigned int nr_ranges;
	ktime_t deadline;
	struct hlist_head snapshots;
	struct hlist_head blocks;
	union {
		struct lsabuf_request *next_free;
		struct llist_head given;
	};
	struct lsabuf_reply reply;
	struct mutex chore_mutex; /* see @chore_mutex */
	struct lsabuf_chore *chore;
	ktime_t budget;
	struct lsabuf_times times;
};

/**
 * struct lsabuf_receiver - a thread that receives
 * @list: in the queue's @receivers while it waits (queue->lock)
 * @task: the thread (constant)
 * @pool: it may wait, as one of several (constant)
 * @request: what it received, with a reference (queue->lock)
 * @gone: or a client whose end is to be told, with a reference (queue->lock)
 * @done: there is one of them, or the queue is dead (written once)
 */
struct lsabuf_receiver {
	struct hlist_node list;
	struct task_struct *task;
	bool pool;
	struct lsabuf_request *request;
	struct lsabuf_client *gone;
	bool done;
};

#define LSABUF_QUEUE_BUSY_BITS 5

/**
 * struct lsabuf_queue - the requests of one authority
 * @lock: the leaf lock of lsabuf.h
 * @space: the authority's, for snapshots, counted by the authority (constant)
 * @instance: the authority's id, never used again (constant)
 * @dead: the authority is gone (lock)
 * @notify: it wants to hear of clients that are gone (constant)
 * @users: users with connections (lock)
 * @ready: users with queued requests, next first (lock)
 * @gone: clients whose end is to be told (lock)
 * @nr_waiting: threads that wait to receive (lock)
 * @nr_queued: requests that wait to be received (lock)
 * @nr_calls: requests ever made (lock)
 * @nr_busy: threads at work: length of all @busy (lock)
 * @busy: requests whose receiver has not come back, by thread (lock)
 * @slots: requests by slot; set once each, freed with the queue
 * @nr_slots: slots in use (lock)
 * @max_slots: length of @slots (constant)
 * @free: stack of requests of free slots (lock)
 * @receivers: threads that wait to receive, the last one first (lock)
 * @wait: the authority's poll()
 * @hangup: clients' poll(), for the end of the authority
 */
struct lsabuf_queue {
	spinlock_t lock; /* see @lock */
	struct lsabuf_space *space;
	u64 instance;
	bool dead;
	bool notify;
	struct list_head users;
	struct list_head ready;
	struct list_head gone;
	unsigned int nr_waiting;
	unsigned int nr_busy;
	unsigned int nr_queued;
	u64 nr_calls;
	struct hlist_head receivers;
	struct hlist_head busy[1 << LSABUF_QUEUE_BUSY_BITS];
	struct lsabuf_request **slots;
	unsigned int nr_slots;
	unsigned int max_slots;
	struct lsabuf_request *free;
	wait_queue_head_t wait;
	wait_queue_head_t hangup;
};

int lsabuf_queue_module_init(void);
void lsabuf_queue_module_exit(void);
int lsabuf_queue_init(struct lsabuf_queue *queue, unsigned int max_slots);
void lsabuf_queue_destroy(struct lsabuf_queue *queue);
bool lsabuf_queue_die(struct lsabuf_queue *queue);
bool lsabuf_queue_readable(struct lsabuf_queue *queue);

int lsabuf_client_join(struct lsabuf_client *client, kuid_t uid);
bool lsabuf_client_leave(struct lsabuf_client *client);
void lsabuf_client_gone_again(struct lsabuf_client *client);

struct lsabuf_request *lsabuf_request_new(struct lsabuf_client *client,
					  u64 submit_length);
struct lsabuf_request *lsabuf_request_find(struct lsabuf_queue *queue, u64 id);
int lsabuf_request_held_error(struct lsabuf_request *request);
void lsabuf_request_free(struct lsabuf_request *request);

int lsabuf_request_queue(struct lsabuf_request *request);
bool lsabuf_receive_begin(struct lsabuf_queue *queue,
			  struct lsabuf_receiver *receiver);
bool lsabuf_receive_end(struct lsabuf_queue *queue,
			struct lsabuf_receiver *receiver);
void lsabuf_request_requeue(struct lsabuf_request *request);
int lsabuf_request_reply(struct lsabuf_request *request,
			 const struct lsabuf_reply *reply);
int lsabuf_request_expire(struct lsabuf_request *request);
int lsabuf_request_charge(struct lsabuf_request *request, u64 bytes);
void lsabuf_request_uncharge(struct lsabuf_request *request, u64 bytes);

int lsabuf_request_attach(struct lsabuf_request *request);
void lsabuf_request_detach(struct lsabuf_request *request);
bool lsabuf_request_settled(struct lsabuf_request *request);
bool lsabuf_request_take(struct lsabuf_request *request);
bool lsabuf_request_give_up(struct lsabuf_request *request, int error);
struct lsabuf_request *lsabuf_client_done(struct lsabuf_client *client);

int lsabuf_chore_post(struct lsabuf_request *request,
		      struct lsabuf_chore *chore);
struct lsabuf_chore *lsabuf_chore_take(struct lsabuf_request *request);
void lsabuf_chore_finish(struct lsabuf_request *request,
			 struct lsabuf_chore *chore, int error);
void lsabuf_chore_withdraw(struct lsabuf_request *request,
			   struct lsabuf_chore *chore);
bool lsabuf_chore_pending(struct lsabuf_request *request);
void lsabuf_chore_put(struct lsabuf_chore *chore);

/**
 * lsabuf_request_held() - see whether an authority may work on a request
 * @request: found by lsabuf_request_find()
 *
 * Without queue->lock the answer may be old at once: whoever copies asks again
 * under the client's space->lock, see lsabuf_blocks_give().
 *
 * Context: any.
 * Return: 0, -ESRCH, -ECANCELED, or -ENOENT.
 */
static inline int lsabuf_request_held(struct lsabuf_request *request)
{
	/* Pairs with smp_store_release() in set_state(). */
	if (likely(smp_load_acquire(&request->state) ==
		   LSABUF_REQUEST_RECEIVED))
		return 0;
	return lsabuf_request_held_error(request);
}

/**
 * lsabuf_request_put() - drop a reference
 * @request: the request
 *
 * With the last one, snapshots and blocks that were not handed over are wiped
 * and freed, and the slot can be used again.
 *
 * Context: no locks, may sleep.
 */
static inline void lsabuf_request_put(struct lsabuf_request *request)
{
	if (refcount_dec_and_test(&request->ref))
		lsabuf_request_free(request);
}

#endif /* LSABUF_QUEUE_H */
