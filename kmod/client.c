// SPDX-License-Identifier: GPL-2.0
/*
 * Connections, and what they grant.
 */
#include <linux/cred.h>
#include <linux/lsabuf.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "client.h"
#include "lsabuf.h"

static atomic64_t last_client = ATOMIC64_INIT(0);

/**
 * lsabuf_client_create() - make a connection of the current process
 * @queue: the authority's queue; @put of the client is the caller's to set
 * @access: LSABUF_ACCESS_*
 *
 * Context: process context, may sleep.
 * Return: the client with one reference, or ERR_PTR(-ENOMEM).
 */
struct lsabuf_client *lsabuf_client_create(struct lsabuf_queue *queue,
					   u32 access)
{
	struct lsabuf_client *client;
	struct lsabuf_space *space;

	client = kzalloc(sizeof(*client), GFP_KERNEL_ACCOUNT);
	if (!client)
		return ERR_PTR(-ENOMEM);
	space = lsabuf_space_join(lsabuf_limits.client_quota,
				  lsabuf_limits.client_arena);
	if (IS_ERR(space)) {
		kfree(client);
		return ERR_CAST(space);
	}

	refcount_set(&client->ref, 1);
	client->watch.ref = &client->ref;
	INIT_LIST_HEAD(&client->watch.list);
	client->space = space;
	client->queue = queue;
	client->id = atomic64_inc_return(&last_client);
	client->access = access;
	INIT_LIST_HEAD(&client->ready);
	INIT_LIST_HEAD(&client->queued);
	INIT_LIST_HEAD(&client->done);
	INIT_LIST_HEAD(&client->gone);
	init_waitqueue_head(&client->wait);
	return client;
}

/**
 * lsabuf_client_get() - take a reference
 * @client: a client that the caller holds or finds under queue->lock
 */
void lsabuf_client_get(struct lsabuf_client *client)
{
	refcount_inc(&client->ref);
}

/**
 * lsabuf_client_put() - drop a reference
 * @client: the client
 *
 * Context: no locks, may sleep.
 */
void lsabuf_client_put(struct lsabuf_client *client)
{
	if (!refcount_dec_and_test(&client->ref))
		return;
	lsabuf_space_put(client->space);
	if (client->identity.cred)
		put_cred(client->identity.cred);
	if (client->put)
		client->put(client->queue);
	kfree(client);
}

/**
 * lsabuf_ranges_check() - see whether ranges are well-formed
 * @ranges: copied from the client
 * @nr: number of them
 *
 * Return: 0, -EINVAL for an empty range, one past the end of the address space
 * or one without direction, -EOPNOTSUPP for unknown bits.
 */
int lsabuf_ranges_check(const struct lsabuf_range *ranges, unsigned int nr)
{
	const u32 known = LSABUF_RANGE_F_READ | LSABUF_RANGE_F_WRITE;
	unsigned int i;
	u64 end;

	for (i = 0; i < nr; i++) {
		if ((ranges[i].flags & ~known) || ranges[i].__reserved)
			return -EOPNOTSUPP;
		if (!ranges[i].flags || !ranges[i].length ||
		    check_add_overflow(ranges[i].address, ranges[i].length,
				       &end))
			return -EINVAL;
	}
	return 0;
}

/**
 * lsabuf_grant_check() - see whether a request opens memory to its authority
 * @access: LSABUF_ACCESS_* of the connection
 * @ranges: named in the call, as accepted by lsabuf_ranges_check()
 * @nr: number of them
 * @address: memory of the client outside of its buffers
 * @length: bytes, not 0
 * @need: one of LSABUF_RANGE_F_READ and LSABUF_RANGE_F_WRITE
 *
 * One named range has to cover all of the memory: ranges do not add up.
 *
 * Return: 0, -EACCES, or -EFAULT past the end of the address space.
 */
int lsabuf_grant_check(u32 access, const struct lsabuf_range *ranges,
		       unsigned int nr, u64 address, u64 length, u32 need)
{
	unsigned int i;
	u64 end;

	if (check_add_overflow(address, length, &end))
		return -EFAULT;
	if (access == LSABUF_ACCESS_WHOLE)
		return 0;
	if (access != LSABUF_ACCESS_RANGES)
		return -EACCES;
	for (i = 0; i < nr; i++)
		if ((ranges[i].flags & need) && address >= ranges[i].address &&
		    end <= ranges[i].address + ranges[i].length)
			return 0;
	return -EACCES;
}
