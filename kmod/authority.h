/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Authorities and their endpoints.
 */
#ifndef LSABUF_AUTHORITY_H
#define LSABUF_AUTHORITY_H

#include <linux/uidgid.h>

#include "queue.h"

struct lsabuf_connect;
struct lsabuf_endpoint;
struct lsabuf_serve;
struct pid;
struct pid_namespace;
struct user_namespace;

/**
 * struct lsabuf_authority - a process that serves an endpoint
 * @ref: reference count: its file, each client, and each section's file
 * @queue: its requests
 * @watch: tells of the end of its mm
 * @list: among the endpoints, while alive (endpoints_lock)
 * @endpoint: the name (constant)
 * @user_ns: user namespace of who served, counted (constant)
 * @pid_ns: its pid namespace, counted (constant)
 * @pid: its process, counted (constant)
 * @uid: its effective user (constant)
 * @start: start time of the process in nanoseconds since boot (constant)
 */
struct lsabuf_authority {
	refcount_t ref;
	struct lsabuf_queue queue;
	struct lsabuf_watch watch;
	struct list_head list;
	char endpoint[32];
	struct user_namespace *user_ns;
	struct pid_namespace *pid_ns;
	struct pid *pid;
	kuid_t uid;
	u64 start;
};

struct lsabuf_authority *lsabuf_authority_serve(struct lsabuf_serve *serve,
						kuid_t owner);
void lsabuf_authority_get(struct lsabuf_authority *authority);
void lsabuf_authority_put(struct lsabuf_authority *authority);
void lsabuf_authority_release(struct lsabuf_authority *authority);
struct lsabuf_client *lsabuf_authority_connect(struct lsabuf_connect *connect);
void lsabuf_endpoint_show(struct seq_file *m, const char *before,
			  const char *endpoint, const char *after);
void lsabuf_authority_tell(struct lsabuf_client *client, u32 *pid, u32 *uid,
			   u64 *start);
void lsabuf_authority_disconnect(struct lsabuf_client *client);
void lsabuf_authority_identify(struct lsabuf_request *request);
int lsabuf_authority_permit(const struct lsabuf_endpoint *endpoint,
			    kuid_t owner);
void lsabuf_authority_show(struct seq_file *m,
			   struct lsabuf_authority *authority);
void lsabuf_authority_show_client(struct seq_file *m,
				  struct lsabuf_client *client);
void lsabuf_authorities_show(struct seq_file *m);
void lsabuf_authority_exit(void);

/**
 * lsabuf_authority_of() - the authority that a client is connected to
 * @client: the client
 */
static inline struct lsabuf_authority *
lsabuf_authority_of(struct lsabuf_client *client)
{
	return container_of(client->queue, struct lsabuf_authority, queue);
}

#endif /* LSABUF_AUTHORITY_H */
