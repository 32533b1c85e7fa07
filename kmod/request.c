// SPDX-License-Identifier: GPL-2.0
/*
 * One call from its begin to its end.
 *
 * The states and references of a request are drawn in queue.h, where every
 * change happens under queue->lock:
 *
 *	QUEUED -> RECEIVED -> REPLIED | ABANDONED -> GONE
 *
 *	client's thread                       authority's thread
 *	---------------                       ------------------
 *	CALL: snapshot, grants, identity
 *	store id, queue       -- QUEUED -->
 *	wait                                  RECEIVE: header
 *	                      <- RECEIVED --
 *	 chore: copy, grow    <------------   ALLOC, COPY: wait within the budget
 *	                                      REPLY: snapshots wiped
 *	                      <- REPLIED ---
 *	insert pages, copy out,
 *	take blocks           -- GONE
 *
 * This file is what user space sees of that: it copies in and out, waits, and
 * undoes what could not be delivered. The client's id is stored before the
 * request can be seen by anybody, so an interrupted CALL is repeated as a wait
 * for the same request. An outcome is copied out before it is taken, so one
 * that could not be delivered is still there.
 */
#include <linux/compat.h>
#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/freezer.h>
#include <linux/hrtimer.h>
#include <linux/lsabuf.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "compat.h"
#include "lsabuf.h"
#include "request.h"
#include "section.h"
#include "trace.h"
#include "transfer.h"

/* Elements of a vector that are fetched at a time */
#define VECTOR_PART 16

#define WAIT_STATE (TASK_INTERRUPTIBLE | TASK_FREEZABLE)

/* The client's side */

/* When an operation begins, where an event will tell how long it took. */
#define BEGIN(event) (trace_lsabuf_##event##_enabled() ? ktime_get_ns() : 0)

/*
 * Open a file of the authority in this process. The chore stays with the
 * request: the file is to be closed again when the call fails.
 */
static int open_file(struct lsabuf_request *request, struct lsabuf_chore *chore)
{
	int fd;

	if (request->nr_given == LSABUF_MAX_FILES)
		return -EDQUOT;
	fd = lsabuf_receive_fd(chore->file, O_CLOEXEC);
	if (fd < 0)
		return fd;
	request->nr_given++;
	chore->address = fd;
	chore->table = current->files;
	refcount_inc(&chore->ref);
	llist_add(&chore->given, &request->given);
	return 0;
}

/* Unless something else is there by now, or other threads' files are not ours */
static void close_given(struct lsabuf_chore *chore)
{
	struct file *file;

	if (chore->table != current->files)
		return;
	file = fget(chore->address);
	if (file == chore->file)
		close_fd(chore->address);
	if (file)
		fput(file);
}

/* The call has failed: nothing of it is left in this process. */
static noinline void close_all_given(struct lsabuf_request *request)
{
	struct llist_node *given = llist_del_all(&request->given);
	struct lsabuf_chore *chore;

	while (given) {
		chore = llist_entry(given, struct lsabuf_chore, given);
		given = given->next;
		close_given(chore);
		lsabuf_chore_put(chore);
	}
}

static void undo_files(struct lsabuf_request *request)
{
	if (!llist_empty(&request->given))
		close_all_given(request);
}

static void do_chore(struct lsabuf_request *request)
{
	struct lsabuf_chore *chore = lsabuf_chore_take(request);
	struct lsabuf_space *space = request->client->space;
	u64 begin;
	int ret;

	if (!chore)
		return;
	begin = BEGIN(chore);
	if (chore->type == LSABUF_CHORE_GROW)
		ret = lsabuf_space_grow(space, chore->length);
	else if (chore->type == LSABUF_CHORE_VIEW)
		ret = lsabuf_view_map(chore->file, request->client,
				      chore->exact, &chore->address);
	else if (chore->type == LSABUF_CHORE_FILE)
		ret = open_file(request, chore);
	else
		ret = lsabuf_transfer_chore(chore);
	trace_lsabuf_chore(request, chore, begin, ret);
	lsabuf_chore_finish(request, chore, ret);
}

static bool is_overdue(struct lsabuf_request *request)
{
	return request->deadline && ktime_after(ktime_get(), request->deadline);
}

/* Wait attached. 0: settled; -ERESTARTSYS, -EINTR for good, -ETIMEDOUT. */
static int wait_for_outcome(struct lsabuf_request *request)
{
	ktime_t *expires;
	int ret = 0;

	for (;;) {
		set_current_state(WAIT_STATE);
		if (lsabuf_request_settled(request))
			break;
		if (signal_pending(current)) {
			ret = fatal_signal_pending(current) ? -EINTR :
							      -ERESTARTSYS;
			break;
		}
		if (lsabuf_chore_pending(request)) {
			__set_current_state(TASK_RUNNING);
			do_chore(request);
			continue;
		}
		if (is_overdue(request)) {
			ret = -ETIMEDOUT;
			break;
		}
		/* Sleeps without a timer where there is no deadline. */
		expires = request->deadline ? &request->deadline : NULL;
		schedule_hrtimeout_range(expires, current->timer_slack_ns,
					 HRTIMER_MODE_ABS);
	}
	__set_current_state(TASK_RUNNING);
	return ret;
}

/* Copy the outcome of a settled, attached request out, then take it. */
static int take_outcome(struct lsabuf_request *request,
			struct lsabuf_call __user *user)
{
	struct lsabuf_space *space = request->client->space;
	struct lsabuf_reply reply = request->reply;
	size_t length = offsetofend(struct lsabuf_call, out_length) -
			offsetof(struct lsabuf_call, out_status);

	static_assert(offsetof(struct lsabuf_reply, length) -
			      offsetof(struct lsabuf_reply, status) ==
		      offsetof(struct lsabuf_call, out_length) -
			      offsetof(struct lsabuf_call, out_status));
	lsabuf_space_work(space);
	if ((!reply.error || reply.error == -EPIPE) &&
	    copy_to_user(&user->out_status, &reply.status, length)) {
		lsabuf_request_detach(request);
		return -EFAULT;
	}
	/* Another thread may have given it up while it was copied out. */
	if (!lsabuf_request_take(request))
		reply.error = -ECANCELED;
	if (!reply.error) {
		lsabuf_blocks_give(space, &request->blocks);
	} else {
		undo_files(request);
		lsabuf_space_sync(space);
	}
	trace_lsabuf_return(request, reply.error);
	return reply.error;
}

static bool give_up(struct lsabuf_request *request, int error)
{
	bool mine = lsabuf_request_give_up(request, error);

	/* If not, its outcome may have been taken, with its files. */
	if (mine)
		undo_files(request);
	lsabuf_space_sync(request->client->space);
	return mine;
}

/* Wait for an attached request and take its outcome. */
static int finish_call(struct lsabuf_request *request,
		       struct lsabuf_call __user *user)
{
	int ret = wait_for_outcome(request);

	if (!ret)
		return take_outcome(request, user);
	if (ret == -ERESTARTSYS) {
		lsabuf_request_detach(request);
		return ret;
	}
	give_up(request, ret == -EINTR ? -ESRCH : -ECANCELED);
	/* This thread, which opened them, has not taken the outcome. */
	undo_files(request);
	return ret;
}

static int copy_ranges(struct lsabuf_request *request,
		       const struct lsabuf_call *call)
{
	size_t size = array_size(call->nr_ranges, sizeof(*request->ranges));
	struct lsabuf_range *ranges;
	int ret;

	if (!call->nr_ranges)
		return 0;
	if (call->nr_ranges > LSABUF_MAX_RANGES ||
	    request->client->access != LSABUF_ACCESS_RANGES)
		return -EINVAL;
	ranges = kmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!ranges)
		return -ENOMEM;
	/* Owned by the request from here on. */
	request->ranges = ranges;
	if (copy_from_user(ranges, u64_to_user_ptr(call->ranges_address), size))
		return -EFAULT;
	ret = lsabuf_ranges_check(ranges, call->nr_ranges);
	if (!ret)
		request->nr_ranges = call->nr_ranges;
	return ret;
}

static int take_snapshot(struct lsabuf_request *request)
{
	struct lsabuf_queue *queue = request->client->queue;
	u64 begin = BEGIN(snapshot);
	struct lsabuf_block *block;
	int ret;

	if (!request->submit_length)
		return 0;
	block = lsabuf_block_alloc(queue->space, request->submit_length,
				   queue->instance, &request->snapshots,
				   &request->submit_address);
	if (IS_ERR(block)) {
		/* Its arena goes before its file. */
		if (READ_ONCE(queue->dead))
			return -EPIPE;
		if (PTR_ERR(block) == -ENOMEM)
			return -ENOMEM;
		/* Whatever its arena lacks, it is room at the authority. */
		trace_lsabuf_quota_refused(LSABUF_QUOTA_SNAPSHOTS,
					   request->client->id, request->id,
					   request->submit_length,
					   READ_ONCE(queue->space->bytes),
					   queue->space->quota);
		return -EAGAIN;
	}
	ret = lsabuf_transfer_submit(block, request->client_address);
	trace_lsabuf_snapshot(request, begin, ret);
	return ret;
}

static int prepare_request(struct lsabuf_request *request,
			   const struct lsabuf_call *call)
{
	ktime_t timeout;
	int ret;

	request->nowait = call->flags & LSABUF_CALL_F_NOWAIT;
	request->kind = call->kind;
	request->code = call->code;
	request->client_address = call->submit_address;
	request->deadline = 0;
	timeout = min_t(u64, call->timeout_ns, KTIME_MAX);
	if (timeout)
		request->deadline = ktime_add_safe(ktime_get(), timeout);
	if (in_compat_syscall())
		request->flags |= LSABUF_REQUEST_F_COMPAT;
	if (request->nowait)
		request->flags |= LSABUF_REQUEST_F_NOTHREAD;
	lsabuf_authority_identify(request);
	ret = copy_ranges(request, call);
	return ret ?: take_snapshot(request);
}

/* Last of what may fail, so that it has not happened when the rest did. */
static int free_before_call(struct lsabuf_client *client, u64 address)
{
	int ret;

	if (!address)
		return 0;
	ret = lsabuf_block_free(client->space, address);
	trace_lsabuf_free(task_tgid_nr(current), 0, address, ret);
	return ret;
}

/* Nobody has seen the call: it may be made again as it is. */
static int not_queued(int error, struct lsabuf_call __user *user)
{
	if (put_user(0, &user->id))
		return -EFAULT;
	if (error == -EPIPE && put_user(0, &user->out_status[0]))
		return -EFAULT;
	return error;
}

static int new_call(struct lsabuf_client *client, struct lsabuf_call *call,
		    struct lsabuf_call __user *user)
{
	struct lsabuf_request *request;
	int ret;

	if (call->submit_length > lsabuf_limits.max_submit) {
		trace_lsabuf_quota_refused(LSABUF_QUOTA_MAX_SUBMIT, client->id,
					   0, call->submit_length, 0,
					   lsabuf_limits.max_submit);
		return -EDQUOT;
	}
	request = lsabuf_request_new(client, call->submit_length);
	if (IS_ERR(request))
		return not_queued(PTR_ERR(request), user);
	ret = prepare_request(request, call);
	if (!ret)
		ret = free_before_call(client, call->free_address);
	if (ret)
		goto err_forget_id;
	ret = -EFAULT;
	if (put_user(request->id, &user->id))
		goto err_put;

	ret = lsabuf_request_queue(request);
	if (ret)
		goto err_forget_id;
	if (!request->nowait)
		ret = finish_call(request, user);
	lsabuf_request_put(request);
	return ret;

err_forget_id:
	ret = not_queued(ret, user);
err_put:
	lsabuf_request_put(request);
	return ret;
}

static int resume_call(struct lsabuf_request *request, u32 flags,
		       struct lsabuf_call __user *user)
{
	int ret = lsabuf_request_attach(request);

	if (ret)
		return ret;
	if (!(flags & LSABUF_CALL_F_NOWAIT))
		return finish_call(request, user);
	if (lsabuf_request_settled(request))
		return take_outcome(request, user);
	if (is_overdue(request)) {
		give_up(request, -ECANCELED);
		return -ETIMEDOUT;
	}
	lsabuf_request_detach(request);
	return -EAGAIN;
}

static int old_call(struct lsabuf_client *client, struct lsabuf_call *call,
		    struct lsabuf_call __user *user)
{
	struct lsabuf_request *request;
	int ret;

	request = lsabuf_request_find(client->queue, call->id);
	if (!request)
		return -ENOENT;
	if (request->client != client)
		ret = -ENOENT;
	else if (call->flags & LSABUF_CALL_F_CANCEL)
		ret = give_up(request, -ECANCELED) ? 0 : -ENOENT;
	else
		ret = resume_call(request, call->flags, user);
	lsabuf_request_put(request);
	return ret;
}

static int any_call(struct lsabuf_client *client,
		    struct lsabuf_call __user *user)
{
	struct lsabuf_request *request = lsabuf_client_done(client);
	int ret;

	if (!request)
		return READ_ONCE(client->queue->dead) ? -EPIPE : -EAGAIN;
	if (put_user(request->id, &user->id)) {
		lsabuf_request_detach(request);
		ret = -EFAULT;
	} else {
		ret = take_outcome(request, user);
	}
	lsabuf_request_put(request);
	return ret;
}

/**
 * lsabuf_request_call() - CALL
 * @client: of the current process
 * @call: its arguments, flags checked
 * @user: where the results go
 *
 * Context: process context, no locks; sleeps interruptibly.
 * Return: 0 or -errno, see struct lsabuf_call.
 */
int lsabuf_request_call(struct lsabuf_client *client, struct lsabuf_call *call,
			struct lsabuf_call __user *user)
{
	const u32 alone = LSABUF_CALL_F_ANY | LSABUF_CALL_F_CANCEL;

	if ((call->flags & alone) == alone ||
	    ((call->flags & LSABUF_CALL_F_ANY) && call->id) ||
	    ((call->flags & LSABUF_CALL_F_CANCEL) && !call->id))
		return -EINVAL;
	if (call->flags & LSABUF_CALL_F_ANY)
		return any_call(client, user);
	if (call->id)
		return old_call(client, call, user);
	return new_call(client, call, user);
}

/* The authority's side: chores */

/* A copy by the client's thread at 1 byte per this or faster is no stall. */
#define NSEC_PER_BYTE 64

static int wait_for_chore(struct lsabuf_request *request,
			  struct lsabuf_chore *chore)
{
	unsigned long timeout = nsecs_to_jiffies(request->budget) + 1;
	ktime_t begin = ktime_get();
	s64 spent;
	long left;

	left = wait_for_completion_killable_timeout(&chore->finished, timeout);
	if (left < 0) {
		lsabuf_chore_withdraw(request, chore);
		return -EINTR;
	}
	spent = ktime_to_ns(ktime_sub(ktime_get(), begin));
	if (left)
		spent -= chore->done * NSEC_PER_BYTE;
	request->budget -= max_t(s64, spent, 0);
	return left ? chore->error : lsabuf_request_expire(request);
}

/* Let the client's thread do @chore. Drops nothing; returns its error. */
static int run_chore(struct lsabuf_request *request, struct lsabuf_chore *chore)
{
	int ret;

	if (mutex_lock_killable(&request->chore_mutex))
		return -EINTR;
	chore->posted = BEGIN(chore);
	/* Spent without a stall, as in a signal handler: no more, but no end. */
	ret = request->budget > 0 ? lsabuf_chore_post(request, chore) : -EAGAIN;
	if (!ret)
		ret = wait_for_chore(request, chore);
	mutex_unlock(&request->chore_mutex);
	return ret;
}

/* A chore that carries no bytes. */
static struct lsabuf_chore *new_chore(enum lsabuf_chore_type type)
{
	struct lsabuf_chore *chore =
		kzalloc(sizeof(*chore), GFP_KERNEL_ACCOUNT);

	if (!chore)
		return NULL;
	refcount_set(&chore->ref, 1);
	init_completion(&chore->finished);
	chore->type = type;
	return chore;
}

static int grow_client(struct lsabuf_request *request, u64 length)
{
	struct lsabuf_chore *chore = new_chore(LSABUF_CHORE_GROW);
	int ret;

	if (!chore)
		return -ENOMEM;
	chore->length = length;
	ret = run_chore(request, chore);
	lsabuf_chore_put(chore);
	return ret;
}

/* The rest of a copy, from where it takes a chore */
static noinline int transfer_by_chores(struct lsabuf_transfer *transfer)
{
	struct lsabuf_chore *chore;
	int ret;

	do {
		chore = lsabuf_transfer_pack(transfer);
		if (IS_ERR(chore))
			return PTR_ERR(chore);
		ret = run_chore(transfer->request, chore);
		if (!ret)
			ret = lsabuf_transfer_unpack(transfer, chore);
		lsabuf_chore_put(chore);
		if (ret)
			return ret;
		ret = lsabuf_transfer_copy(transfer);
	} while (ret > 0);
	return ret;
}

static int copy_all(struct lsabuf_transfer *transfer)
{
	int ret = lsabuf_transfer_copy(transfer);

	return likely(ret <= 0) ? ret : transfer_by_chores(transfer);
}

/* Apart, so that a copy carries nothing for an event that is off */
static noinline int transfer_traced(struct lsabuf_transfer *transfer)
{
	u64 begin = ktime_get_ns();
	int ret = copy_all(transfer);

	trace_lsabuf_copy(transfer, begin, ret);
	return ret;
}

/* The whole of a copy, by whatever way it takes. */
static int transfer(struct lsabuf_transfer *transfer)
{
	return trace_lsabuf_copy_enabled() ? transfer_traced(transfer) :
					     copy_all(transfer);
}

/* Find a request to work on: -ENOENT, -ESRCH, -ECANCELED otherwise. */
static struct lsabuf_request *get_held(struct lsabuf_authority *authority,
				       u64 id)
{
	struct lsabuf_request *request;
	int ret;

	request = lsabuf_request_find(&authority->queue, id);
	if (!request)
		return ERR_PTR(-ENOENT);
	ret = lsabuf_request_held(request);
	if (!ret)
		return request;
	lsabuf_request_put(request);
	return ERR_PTR(ret);
}

/* The authority's side: blocks */

static void note_quota(struct lsabuf_request *request, u64 length)
{
	struct lsabuf_space *space = request->client->space;

	trace_lsabuf_quota_refused(LSABUF_QUOTA_BLOCKS, request->client->id,
				   request->id, length, READ_ONCE(space->bytes),
				   space->quota);
}

static int alloc_block(struct lsabuf_request *request, u64 length, u64 *address)
{
	struct lsabuf_client *client = request->client;
	struct lsabuf_block *block;
	int ret;

	for (;;) {
		block = lsabuf_block_alloc(client->space, length,
					   client->queue->instance,
					   &request->blocks, address);
		if (!IS_ERR(block))
			return 0;
		ret = PTR_ERR(block);
		if (ret == -EDQUOT)
			note_quota(request, length);
		if (ret == -ENOSPC)
			ret = grow_client(request, length);
		if (ret)
			return ret;
	}
}

/* A block with @source_length bytes of the caller at its begin. */
static int alloc_filled(struct lsabuf_request *request, u64 length, u64 source,
			u64 source_length, u64 *address)
{
	struct lsabuf_pin pin __uninitialized;
	struct lsabuf_transfer copy = {
		.request = request,
		.to_client = true,
		.local = source,
		.left = source_length,
		.pin = &pin,
	};
	struct lsabuf_client *client = request->client;
	u64 begin = BEGIN(alloc);
	int ret;

	pin.nr = 0;
	ret = alloc_block(request, length, address);
	trace_lsabuf_alloc(request, *address, length, begin, ret);
	if (ret)
		return ret;
	copy.client_address = *address;
	if (source_length)
		ret = transfer(&copy);
	/* Another thread may have replied: the block would pass unnoticed. */
	ret = ret ?: lsabuf_request_held(request);
	lsabuf_transfer_unpin(&pin, true);
	if (ret)
		lsabuf_block_release(client->space, *address,
				     client->queue->instance, &request->blocks,
				     request->id);
	return ret;
}

/**
 * lsabuf_request_alloc() - ALLOC
 * @authority: of the current process
 * @alloc: its arguments, flags checked
 * @user: where the result goes
 *
 * Context: process context, no locks; sleeps, for the client at most as long
 * as the request's chore budget.
 * Return: 0 or -errno, see struct lsabuf_alloc.
 */
int lsabuf_request_alloc(struct lsabuf_authority *authority,
			 struct lsabuf_alloc *alloc,
			 struct lsabuf_alloc __user *user)
{
	struct lsabuf_request *request;
	u64 address = 0;
	int ret;

	if (!alloc->length || alloc->source_length > alloc->length)
		return -EINVAL;
	request = get_held(authority, alloc->id);
	if (IS_ERR(request))
		return PTR_ERR(request);
	ret = alloc_filled(request, alloc->length, alloc->source_address,
			   alloc->source_length, &address);
	if (!ret && put_user(address, &user->out_address)) {
		lsabuf_block_release(request->client->space, address,
				     authority->queue.instance,
				     &request->blocks, request->id);
		ret = -EFAULT;
	}
	lsabuf_request_put(request);
	return ret;
}

/**
 * lsabuf_request_release() - RELEASE
 * @authority: of the current process
 * @release: its arguments, flags checked
 *
 * Context: process context, no locks, may sleep.
 * Return: 0 or -errno, see struct lsabuf_release.
 */
int lsabuf_request_release(struct lsabuf_authority *authority,
			   struct lsabuf_release *release)
{
	struct lsabuf_request *request = get_held(authority, release->id);
	int ret;

	if (IS_ERR(request))
		return PTR_ERR(request);
	ret = lsabuf_block_release(request->client->space, release->address,
				   authority->queue.instance, &request->blocks,
				   request->id);
	trace_lsabuf_free(request->client->space->pid, request->id,
			  release->address, ret);
	lsabuf_request_put(request);
	return ret;
}

static int copy_range(struct lsabuf_transfer *copy, u64 client_address,
		      u64 local_address, u64 length, u64 *done)
{
	int ret;

	copy->client_address = client_address;
	copy->local = local_address;
	copy->left = length;
	copy->done = 0;
	copy->paths = 0;
	copy->granted = false;
	ret = transfer(copy);
	*done += copy->done;
	return ret;
}

static int copy_each(struct lsabuf_transfer *copy,
		     const struct lsabuf_copy_range *range, unsigned int nr,
		     u64 *done)
{
	int ret = 0;

	for (; nr && !ret; nr--, range++) {
		copy->next = range + 1;
		copy->nr_next = nr - 1;
		ret = copy_range(copy, range->client_address,
				 range->local_address, range->length, done);
	}
	return ret;
}

static int copy_vector(struct lsabuf_transfer *copy, u64 vector_address,
		       unsigned int nr, u64 *done)
{
	struct lsabuf_copy_range __user *vector =
		u64_to_user_ptr(vector_address);
	struct lsabuf_copy_range ranges[VECTOR_PART] __uninitialized;
	unsigned int part;
	size_t missing;
	int ret = 0;

	for (; nr && !ret; nr -= part, vector += part) {
		part = min_t(unsigned int, nr, VECTOR_PART);
		missing = copy_from_user(ranges, vector,
					 part * sizeof(ranges[0]));
		/* What comes before the first one that is missing is done. */
		ret = copy_each(copy, ranges,
				part - DIV_ROUND_UP(missing, sizeof(ranges[0])),
				done);
		if (missing)
			return ret ?: -EFAULT;
	}
	return ret;
}

/**
 * lsabuf_request_copy() - COPY
 * @authority: of the current process
 * @copy: its arguments, flags checked
 * @user: where the result goes
 *
 * Context: process context, no locks; sleeps, for the client at most as long
 * as the request's chore budget.
 * Return: 0 or -errno, see struct lsabuf_copy.
 */
int lsabuf_request_copy(struct lsabuf_authority *authority,
			struct lsabuf_copy *copy,
			struct lsabuf_copy __user *user)
{
	struct lsabuf_transfer move __uninitialized;
	struct lsabuf_pin pin __uninitialized;
	struct lsabuf_request *request;
	u64 done = 0;
	int ret;

	if (copy->nr_vector > LSABUF_MAX_VECTOR ||
	    (copy->nr_vector &&
	     (copy->client_address || copy->local_address || copy->length)))
		return -EINVAL;
	request = get_held(authority, copy->id);
	if (IS_ERR(request)) {
		ret = PTR_ERR(request);
		goto out;
	}
	pin.nr = 0;
	move.pin = &pin;
	move.request = request;
	move.to_client = !(copy->flags & LSABUF_COPY_F_FROM_CLIENT);
	move.nr_next = 0;
	if (copy->nr_vector)
		ret = copy_vector(&move, copy->vector_address, copy->nr_vector,
				  &done);
	else
		ret = copy_range(&move, copy->client_address,
				 copy->local_address, copy->length, &done);
	lsabuf_transfer_unpin(&pin, move.to_client);
	lsabuf_request_put(request);
out:
	if (put_user(done, &user->out_done))
		return -EFAULT;
	return ret;
}

/* The authority's side: snapshots */

/* Sum up what is to be mapped, and what room it takes. */
static int measure(const struct lsabuf_map_range *ranges, unsigned int nr,
		   u64 *length, u64 *room)
{
	unsigned int i;

	*length = 0;
	*room = 0;
	for (i = 0; i < nr; i++) {
		if (ranges[i].length > lsabuf_limits.max_submit - *length)
			return -EDQUOT;
		*length += ranges[i].length;
		*room += ALIGN(ranges[i].length, LSABUF_HEAP_GRANULE);
	}
	return 0;
}

/* Fill the snapshot at @to with all ranges, and note where each one is. */
static int fill_snapshot(struct lsabuf_request *request,
			 struct lsabuf_map_range *ranges, unsigned int nr,
			 u64 to, u32 *paths)
{
	struct lsabuf_pin pin = {};
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++) {
		struct lsabuf_transfer copy = {
			.request = request,
			.client_address = ranges[i].client_address,
			.local = to,
			.left = ranges[i].length,
			.pin = &pin,
		};

		ret = transfer(&copy);
		*paths |= copy.paths;
		ranges[i].out_address = ranges[i].length ? to : 0;
		to += ALIGN(ranges[i].length, LSABUF_HEAP_GRANULE);
	}
	lsabuf_transfer_unpin(&pin, false);
	return ret;
}

/*
 * The bytes take the way of any copy from the client, to the place that the
 * snapshot has in the authority. Until they are there it is in no list of the
 * request: a reply meanwhile must not free what is being written.
 */
static int take_map(struct lsabuf_request *request,
		    struct lsabuf_map_range *ranges, unsigned int nr, u64 room,
		    u32 *paths)
{
	struct lsabuf_queue *queue = request->client->queue;
	struct lsabuf_block *block;
	HLIST_HEAD(fresh);
	u64 address;
	int ret;

	block = lsabuf_block_alloc(queue->space, room, queue->instance, &fresh,
				   &address);
	if (IS_ERR(block))
		return PTR_ERR(block) == -ENOMEM ? -ENOMEM : -EAGAIN;
	lsabuf_space_work(queue->space);
	ret = fill_snapshot(request, ranges, nr, address, paths);
	if (ret)
		goto err_drop_fresh;
	ret = lsabuf_request_held(request);
	if (ret)
		goto err_drop_fresh;
	lsabuf_blocks_move(queue->space, &fresh, &request->snapshots);
	/* Answered just now: nobody else will free them any more. */
	if (lsabuf_request_held(request) != -ENOENT)
		return 0;
	lsabuf_blocks_drop(queue->space, &request->snapshots, request->id);
	return -ENOENT;

err_drop_fresh:
	lsabuf_blocks_drop(queue->space, &fresh, request->id);
	return ret;
}

static int map_ranges(struct lsabuf_request *request,
		      struct lsabuf_map_range *ranges, unsigned int nr)
{
	u64 length, room;
	u32 paths = 0;
	int ret;

	ret = measure(ranges, nr, &length, &room);
	if (!ret)
		ret = lsabuf_request_charge(request, room);
	if (ret)
		goto out;
	if (room)
		ret = take_map(request, ranges, nr, room, &paths);
	else
		ret = fill_snapshot(request, ranges, nr, 0, &paths);
	/* What has been mapped is counted as long as it is there. */
	if (ret)
		lsabuf_request_uncharge(request, room);
out:
	trace_lsabuf_map(request->client->id, request->id,
			 ranges[0].client_address, nr, length, paths, ret);
	return ret;
}

/**
 * lsabuf_request_map() - MAP
 * @authority: of the current process
 * @map: its arguments, flags checked
 *
 * Context: process context, no locks; sleeps, for the client at most as long
 * as the request's chore budget.
 * Return: 0 or -errno, see struct lsabuf_map.
 */
int lsabuf_request_map(struct lsabuf_authority *authority,
		       const struct lsabuf_map *map)
{
	struct lsabuf_map_range __user *vector =
		u64_to_user_ptr(map->vector_address);
	struct lsabuf_map_range *ranges;
	struct lsabuf_request *request;
	size_t size;
	int ret;

	if (!map->nr_vector || map->nr_vector > LSABUF_MAX_MAP)
		return -EINVAL;
	request = get_held(authority, map->id);
	if (IS_ERR(request))
		return PTR_ERR(request);
	/* Fetched once: what was measured is what is copied. */
	size = array_size(map->nr_vector, sizeof(*ranges));
	ranges = memdup_user(vector, size);
	if (IS_ERR(ranges)) {
		ret = PTR_ERR(ranges);
		goto out_put;
	}
	ret = map_ranges(request, ranges, map->nr_vector);
	/* A snapshot that nobody was told of goes with the request. */
	if (!ret && copy_to_user(vector, ranges, size))
		ret = -EFAULT;
	kfree(ranges);
out_put:
	lsabuf_request_put(request);
	return ret;
}

/* The authority's side: REPLY_RECEIVE */

static int commit_reply(struct lsabuf_request *request,
			struct lsabuf_reply_receive *arg)
{
	struct lsabuf_reply reply = {
		.status = { arg->status[0], arg->status[1] },
		.address = arg->return_address,
		.length = arg->return_length,
	};
	int payload = 0, ret;

	if (arg->flags & LSABUF_REPLY_RECEIVE_F_PAYLOAD) {
		payload = lsabuf_request_held(request);
		if (!payload)
			payload = alloc_filled(request, arg->payload_length,
					       arg->payload_address,
					       arg->payload_length,
					       &reply.address);
		if (payload == -EFAULT || payload == -EINTR)
			return payload;
		reply.length = arg->payload_length;
		/*
		 * The client learns that its answer could not be brought. To
		 * it EAGAIN would mean that there is none yet.
		 */
		reply.error = payload == -EAGAIN ? -ENOMEM : payload;
	}
	ret = lsabuf_request_reply(request, &reply);
	return ret ?: payload;
}

/* The reply half. Its result is in @arg, too. */
static int reply(struct lsabuf_authority *authority,
		 struct lsabuf_reply_receive *arg,
		 struct lsabuf_reply_receive __user *user)
{
	struct lsabuf_request *request;
	int ret = -ENOENT;

	request = lsabuf_request_find(&authority->queue, arg->reply_id);
	if (request) {
		ret = commit_reply(request, arg);
		lsabuf_request_put(request);
	}
	arg->reply_error = ret;
	if (ret != -ENOENT && ret != -EFAULT && ret != -EINTR)
		arg->reply_id = 0;
	/* Before anything waits: a restart must not answer again. */
	if (copy_to_user(&user->reply_id, &arg->reply_id,
			 offsetofend(struct lsabuf_reply_receive, reply_error) -
				 offsetof(struct lsabuf_reply_receive,
					  reply_id)))
		return -EFAULT;
	return ret;
}

static int wait_to_receive(struct lsabuf_queue *queue,
			   struct lsabuf_receiver *receiver)
{
	for (;;) {
		set_current_state(WAIT_STATE);
		if (READ_ONCE(receiver->done) || signal_pending(current))
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	/* What came with the signal is delivered, and the signal after it. */
	if (lsabuf_receive_end(queue, receiver))
		return 0;
	return READ_ONCE(queue->dead) ? -EPIPE : -ERESTARTSYS;
}

static void fill_header(struct lsabuf_reply_receive *arg,
			struct lsabuf_request *request)
{
	arg->out_id = request->id;
	arg->out_client = request->client->id;
	arg->out_kind = request->kind;
	arg->out_code = request->code;
	arg->out_submit_address = request->submit_address;
	arg->out_submit_length = request->submit_length;
	arg->out_client_address = request->client_address;
	arg->out_flags = request->flags;
	arg->out_access = request->client->access;
	arg->out_pid = request->pid;
	arg->out_tid = request->tid;
	arg->out_uid = request->uid;
	arg->out_gid = request->gid;
	arg->out_start = request->start;
}

static int deliver(struct lsabuf_queue *queue, struct lsabuf_receiver *received,
		   struct lsabuf_reply_receive *arg,
		   struct lsabuf_reply_receive __user *user)
{
	const size_t first = offsetof(struct lsabuf_reply_receive, out_id);
	int ret = 0;

	memset((void *)arg + first, 0, sizeof(*arg) - first);
	if (received->request) {
		fill_header(arg, received->request);
		lsabuf_space_work(queue->space);
	} else {
		arg->out_client = received->gone->id;
		arg->out_flags = LSABUF_REQUEST_F_GONE;
	}
	if (copy_to_user((void __user *)user + first, (void *)arg + first,
			 sizeof(*arg) - first))
		ret = -EFAULT;

	if (received->request) {
		if (ret)
			lsabuf_request_requeue(received->request);
		lsabuf_request_put(received->request);
	} else if (ret) {
		lsabuf_client_gone_again(received->gone);
	} else {
		lsabuf_client_put(received->gone);
	}
	return ret;
}

/**
 * lsabuf_request_answer() - REPLY_RECEIVE
 * @authority: of the current process
 * @arg: its arguments, flags checked
 * @user: where the results go
 *
 * Context: process context, no locks; sleeps interruptibly.
 * Return: 0 or -errno, see struct lsabuf_reply_receive.
 */
int lsabuf_request_answer(struct lsabuf_authority *authority,
			  struct lsabuf_reply_receive *arg,
			  struct lsabuf_reply_receive __user *user)
{
	struct lsabuf_queue *queue = &authority->queue;
	struct lsabuf_receiver receiver = {};
	int ret = 0;

	if (!arg->reply_id && !(arg->flags & LSABUF_REPLY_RECEIVE_F_RECEIVE))
		return -EINVAL;
	/* Without a reply, as in a restart, the payload has been brought. */
	if ((arg->flags & LSABUF_REPLY_RECEIVE_F_PAYLOAD) && arg->reply_id &&
	    !arg->payload_length)
		return -EINVAL;
	if (arg->reply_id) {
		ret = reply(authority, arg, user);
		/* Nothing was answered: say so rather than wait. */
		if (arg->reply_id || ret == -EFAULT)
			return ret;
	}
	if (!(arg->flags & LSABUF_REPLY_RECEIVE_F_RECEIVE))
		return ret;

	receiver.pool = !(arg->flags & LSABUF_REPLY_RECEIVE_F_NOWAIT);
	if (!lsabuf_receive_begin(queue, &receiver)) {
		ret = receiver.pool ? wait_to_receive(queue, &receiver) :
				      -EAGAIN;
		if (ret)
			return ret;
	}
	return deliver(queue, &receiver, arg, user);
}

/* The authority's side: IDENTITY */

static int copy_groups(const struct cred *cred, struct user_namespace *ns,
		       struct lsabuf_identity *identity)
{
	u32 __user *groups = u64_to_user_ptr(identity->groups_address);
	struct group_info *info = cred->group_info;
	unsigned int i;

	for (i = 0; i < info->ngroups && i < identity->nr_groups; i++)
		if (put_user(from_kgid_munged(ns, info->gid[i]), &groups[i]))
			return -EFAULT;
	identity->nr_groups = info->ngroups;
	return 0;
}

static void fill_identity(const struct cred *cred, struct user_namespace *ns,
			  struct lsabuf_identity *identity)
{
	struct user_namespace *up;

	identity->out_uid = from_kuid_munged(ns, cred->uid);
	identity->out_euid = from_kuid_munged(ns, cred->euid);
	identity->out_suid = from_kuid_munged(ns, cred->suid);
	identity->out_fsuid = from_kuid_munged(ns, cred->fsuid);
	identity->out_gid = from_kgid_munged(ns, cred->gid);
	identity->out_egid = from_kgid_munged(ns, cred->egid);
	identity->out_sgid = from_kgid_munged(ns, cred->sgid);
	identity->out_fsgid = from_kgid_munged(ns, cred->fsgid);
	identity->out_capabilities = 0;
	/* Capabilities of a namespace below mean nothing here. */
	for (up = ns; up; up = up->parent)
		if (up == cred->user_ns)
			identity->out_capabilities =
				lsabuf_cap_mask(cred->cap_effective);
}

/**
 * lsabuf_request_identity() - IDENTITY
 * @authority: of the current process
 * @identity: its arguments, flags checked
 * @user: where the results go
 *
 * Context: process context, no locks, may sleep.
 * Return: 0 or -errno, see struct lsabuf_identity.
 */
int lsabuf_request_identity(struct lsabuf_authority *authority,
			    struct lsabuf_identity *identity,
			    struct lsabuf_identity __user *user)
{
	struct lsabuf_request *request = get_held(authority, identity->id);
	int ret;

	if (IS_ERR(request))
		return PTR_ERR(request);
	fill_identity(request->cred, authority->user_ns, identity);
	ret = copy_groups(request->cred, authority->user_ns, identity);
	if (!ret && copy_to_user(user, identity, sizeof(*identity)))
		ret = -EFAULT;
	lsabuf_request_put(request);
	return ret;
}

/* The authority's side: files */

static int give_file(struct lsabuf_request *request, int fd, int *out_fd)
{
	struct lsabuf_chore *chore;
	int ret = -EBADF;

	if (!request->client->takes_files)
		return -EACCES;
	chore = new_chore(LSABUF_CHORE_FILE);
	if (!chore)
		return -ENOMEM;
	chore->file = fget(fd);
	if (chore->file)
		ret = run_chore(request, chore);
	if (!ret)
		*out_fd = chore->address;
	lsabuf_chore_put(chore);
	return ret;
}

/**
 * lsabuf_request_give() - GIVE
 * @authority: of the current process
 * @give: its arguments, flags checked
 * @user: where the result goes
 *
 * Context: process context, no locks; sleeps, for the client at most as long
 * as the request's chore budget.
 * Return: 0 or -errno, see struct lsabuf_give.
 */
int lsabuf_request_give(struct lsabuf_authority *authority,
			struct lsabuf_give *give,
			struct lsabuf_give __user *user)
{
	struct lsabuf_request *request = get_held(authority, give->id);
	int ret;

	if (IS_ERR(request))
		return PTR_ERR(request);
	ret = give_file(request, give->fd, &give->out_fd);
	if (!ret && put_user(give->out_fd, &user->out_fd))
		ret = -EFAULT;
	lsabuf_request_put(request);
	return ret;
}

/* The authority's side: sections */

/**
 * lsabuf_request_create_section() - SECTION_CREATE
 * @authority: of the current process
 * @create: its arguments, flags checked; filled in
 *
 * Context: process context, no locks, sleeps.
 * Return: the section or ERR_PTR(), see struct lsabuf_section_create.
 */
struct lsabuf_section *
lsabuf_request_create_section(struct lsabuf_authority *authority,
			      struct lsabuf_section_create *create)
{
	struct lsabuf_section *section;
	struct lsabuf_request *request;

	if (!create->charge_id)
		return lsabuf_section_create(authority, create, NULL);
	request = get_held(authority, create->charge_id);
	if (IS_ERR(request))
		return ERR_CAST(request);
	section = lsabuf_section_create(authority, create, request->client);
	lsabuf_request_put(request);
	return section;
}

static int map_view(struct lsabuf_request *request,
		    struct lsabuf_section *section, u32 flags, u64 *address)
{
	bool readonly = flags & LSABUF_SECTION_SHARE_F_READONLY;
	struct lsabuf_chore *chore = new_chore(LSABUF_CHORE_VIEW);
	struct file *file;
	int ret;

	if (!chore)
		return -ENOMEM;
	file = lsabuf_view_open(section, request->client, readonly);
	ret = PTR_ERR_OR_ZERO(file);
	if (!ret) {
		chore->file = file;
		chore->exact = flags & LSABUF_SECTION_SHARE_F_SAME_ADDRESS;
		ret = run_chore(request, chore);
	}
	if (!ret)
		*address = chore->address;
	lsabuf_chore_put(chore);
	return ret;
}

static int share(struct lsabuf_request *request, struct lsabuf_section *section,
		 u32 flags, u64 *address)
{
	bool readonly = flags & LSABUF_SECTION_SHARE_F_READONLY;
	int ret;

	ret = lsabuf_view_find(section, request->client->space, readonly,
			       address);
	if (ret == -ENOENT)
		ret = map_view(request, section, flags, address);
	if (!ret && (flags & LSABUF_SECTION_SHARE_F_SAME_ADDRESS) &&
	    *address != section->address)
		ret = -EEXIST;
	return ret;
}

/**
 * lsabuf_request_share() - SECTION_SHARE
 * @section: the caller holds its file
 * @arg: its arguments, flags checked
 * @user: where the result goes
 *
 * Context: process context, no locks; sleeps, for the client at most as long
 * as the request's chore budget.
 * Return: 0 or -errno, see struct lsabuf_section_share.
 */
int lsabuf_request_share(struct lsabuf_section *section,
			 struct lsabuf_section_share *arg,
			 struct lsabuf_section_share __user *user)
{
	struct lsabuf_request *request = get_held(section->authority, arg->id);
	u64 address = 0;
	int ret;

	if (IS_ERR(request))
		return PTR_ERR(request);
	ret = share(request, section, arg->flags, &address);
	if (!ret && put_user(address, &user->out_address))
		ret = -EFAULT;
	trace_lsabuf_section_share(request->client->id, request->id,
				   section->id, address, arg->flags, ret);
	lsabuf_request_put(request);
	return ret;
}
