/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections, the users that they belong to, and what they grant.
 */
#ifndef LSABUF_CLIENT_H
#define LSABUF_CLIENT_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/uidgid.h>
#include <linux/wait.h>

#include "arena.h"

struct cred;
struct lsabuf_queue;
struct lsabuf_range;

/**
 * struct lsabuf_identity_cache - what the authority is told of a credential
 * @cred: the credential, counted; NULL while empty
 * @uid: effective user id in the authority's user namespace
 * @gid: effective group id
 * @admin: it has CAP_SYS_ADMIN over the authority's user namespace
 */
struct lsabuf_identity_cache {
	const struct cred *cred;
	u32 uid;
	u32 gid;
	bool admin;
};

/**
 * struct lsabuf_user - all connections of one user to one authority
 * @list: in the queue's @users (queue->lock)
 * @ready: in the queue's @ready while @clients is not empty (queue->lock)
 * @clients: its clients with queued requests (queue->lock)
 * @uid: real user id of who connected (constant)
 * @nr_clients: connections; the user goes with the last (queue->lock)
 * @nr_requests: requests (queue->lock)
 * @submit_bytes: bytes of their submit buffers (queue->lock)
 * @busy: authority threads that are at work for it (queue->lock)
 */
struct lsabuf_user {
	struct list_head list;
	struct list_head ready;
	struct list_head clients;
	kuid_t uid;
	unsigned int nr_clients;
	unsigned int nr_requests;
	u64 submit_bytes;
	unsigned int busy;
};

/**
 * struct lsabuf_client - one connection
 * @ref: reference count: its file, and each of its requests
 * @watch: tells of the end of the mm
 * @space: what it has in its mm, counted (constant)
 * @queue: the authority's queue (constant)
 * @put: drops the authority when the client is freed (constant)
 * @user: whom its limits are shared with (constant, until freed)
 * @id: never used again (constant)
 * @access: LSABUF_ACCESS_* (constant)
 * @consent_views: most sections mapped at a time (constant)
 * @consent_bytes: most bytes of them (constant)
 * @debuggable: it opens its arenas to debuggers (constant)
 * @takes_files: its authority may open files in it (constant)
 * @ready: in the user's @clients while @queued is not empty (queue->lock)
 * @queued: requests that wait to be received (queue->lock)
 * @requests: all requests that the client has not let go (queue->lock)
 * @done: those with an outcome that no thread waits for (queue->lock)
 * @nr_requests: requests not yet freed (queue->lock)
 * @nr_calls: requests ever made (queue->lock)
 * @gone: in the queue's @gone until the authority was told (queue->lock)
 * @heard_of: the authority has received one of its requests (queue->lock)
 * @dead: disconnected or gone (queue->lock)
 * @identity: of the thread that called last (queue->lock)
 * @wait: for poll()
 */
struct lsabuf_client {
	refcount_t ref;
	struct lsabuf_watch watch;
	struct lsabuf_space *space;
	struct lsabuf_queue *queue;
	void (*put)(struct lsabuf_queue *queue);
	struct lsabuf_user *user;
	u64 id;
	u32 access;
	u32 consent_views;
	u64 consent_bytes;
	bool debuggable;
	bool takes_files;
	struct list_head ready;
	struct list_head queued;
	struct hlist_head requests;
	struct list_head done;
	unsigned int nr_requests;
	u64 nr_calls;
	struct list_head gone;
	bool heard_of;
	bool dead;
	struct lsabuf_identity_cache identity;
	wait_queue_head_t wait;
};

struct lsabuf_client *lsabuf_client_create(struct lsabuf_queue *queue,
					   u32 access);
void lsabuf_client_get(struct lsabuf_client *client);
void lsabuf_client_put(struct lsabuf_client *client);
int lsabuf_grant_check(u32 access, const struct lsabuf_range *ranges,
		       unsigned int nr, u64 address, u64 length, u32 need);
int lsabuf_ranges_check(const struct lsabuf_range *ranges, unsigned int nr);

#endif /* LSABUF_CLIENT_H */
