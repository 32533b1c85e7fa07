// SPDX-License-Identifier: GPL-2.0
/*
 * Authorities and their endpoints: who serves, who may, and death.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/lsabuf.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "authority.h"
#include "lsabuf.h"
#include "trace.h"

/**
 * struct permission - leave to serve an endpoint
 * @list: in the list of permissions (endpoints_lock, as all of it)
 * @endpoint: the name
 * @group: whether it is for a group
 * @uid: the user
 * @gid: or the group
 */
struct permission {
	struct list_head list;
	char endpoint[LSABUF_ENDPOINT_LEN];
	bool group;
	kuid_t uid;
	kgid_t gid;
};

static DEFINE_SPINLOCK(endpoints_lock);
static LIST_HEAD(endpoints);
static LIST_HEAD(permissions);
static unsigned int nr_permissions;

static_assert(sizeof(((struct lsabuf_authority *)0)->endpoint) ==
	      LSABUF_ENDPOINT_LEN);

static bool name_is_valid(const __u8 *name)
{
	return name[0] && memchr(name, 0, LSABUF_ENDPOINT_LEN);
}

static bool name_is(const char *name, const __u8 *other)
{
	return !strncmp(name, (const char *)other, LSABUF_ENDPOINT_LEN);
}

static struct lsabuf_authority *find_endpoint(const __u8 *name)
{
	struct lsabuf_authority *authority;

	lockdep_assert_held(&endpoints_lock);
	list_for_each_entry(authority, &endpoints, list)
		if (name_is(authority->endpoint, name))
			return authority;
	return NULL;
}

/*
 * Who decides about endpoints. Their names belong to the whole system: to own
 * the node of a container, from inside of it, gives no say in them.
 */
static bool is_owner(kuid_t owner)
{
	if (current_user_ns() == &init_user_ns && uid_eq(current_euid(), owner))
		return true;
	return capable(CAP_SYS_ADMIN);
}

static bool is_permitted(const __u8 *name)
{
	struct permission *permission;
	bool found = false;

	/* A user's sandbox has not got all of his rights. */
	if (current_user_ns() != &init_user_ns)
		return false;
	spin_lock(&endpoints_lock);
	list_for_each_entry(permission, &permissions, list) {
		if (!name_is(permission->endpoint, name))
			continue;
		found = permission->group ?
				in_egroup_p(permission->gid) :
				uid_eq(permission->uid, current_euid());
		if (found)
			break;
	}
	spin_unlock(&endpoints_lock);
	return found;
}

static struct permission *find_permission(const struct permission *wanted)
{
	struct permission *permission;

	lockdep_assert_held(&endpoints_lock);
	list_for_each_entry(permission, &permissions, list)
		if (!strcmp(permission->endpoint, wanted->endpoint) &&
		    permission->group == wanted->group &&
		    (wanted->group ? gid_eq(permission->gid, wanted->gid) :
				     uid_eq(permission->uid, wanted->uid)))
			return permission;
	return NULL;
}

static int remove_permission(const struct permission *wanted)
{
	struct permission *permission;

	spin_lock(&endpoints_lock);
	permission = find_permission(wanted);
	if (permission) {
		list_del(&permission->list);
		nr_permissions--;
	}
	spin_unlock(&endpoints_lock);
	kfree(permission);
	return permission ? 0 : -ENOENT;
}

static int add_permission(const struct permission *wanted)
{
	struct permission *new = kmemdup(wanted, sizeof(*wanted), GFP_KERNEL);
	int ret = 0;

	if (!new)
		return -ENOMEM;
	spin_lock(&endpoints_lock);
	if (find_permission(wanted)) {
		ret = 0;
	} else if (nr_permissions >= LSABUF_PERMISSIONS) {
		ret = -EDQUOT;
		trace_lsabuf_quota_refused(LSABUF_QUOTA_PERMISSIONS, 0, 0, 1,
					   nr_permissions, LSABUF_PERMISSIONS);
	} else {
		list_add_tail(&new->list, &permissions);
		nr_permissions++;
		new = NULL;
	}
	spin_unlock(&endpoints_lock);
	kfree(new);
	return ret;
}

/**
 * lsabuf_authority_permit() - give or take leave to serve an endpoint
 * @endpoint: as for LSABUF_IOC_ENDPOINT, flags checked
 * @owner: owner of the device node
 *
 * Context: process context, may sleep.
 * Return: 0, -EACCES, -EINVAL, -ENOENT, -EDQUOT, -ENOMEM.
 */
int lsabuf_authority_permit(const struct lsabuf_endpoint *endpoint,
			    kuid_t owner)
{
	struct permission wanted = {
		.group = endpoint->flags & LSABUF_ENDPOINT_F_GROUP,
	};
	int ret;

	if (!is_owner(owner))
		return -EACCES;
	if (!name_is_valid(endpoint->endpoint))
		return -EINVAL;
	strscpy(wanted.endpoint, (const char *)endpoint->endpoint,
		sizeof(wanted.endpoint));
	if (wanted.group)
		wanted.gid = make_kgid(current_user_ns(), endpoint->id);
	else
		wanted.uid = make_kuid(current_user_ns(), endpoint->id);
	if (wanted.group ? !gid_valid(wanted.gid) : !uid_valid(wanted.uid))
		return -EINVAL;

	if (endpoint->flags & LSABUF_ENDPOINT_F_REMOVE)
		ret = remove_permission(&wanted);
	else
		ret = add_permission(&wanted);
	trace_lsabuf_permit(wanted.endpoint, wanted.group,
			    wanted.group ?
				    from_kgid(&init_user_ns, wanted.gid) :
				    from_kuid(&init_user_ns, wanted.uid),
			    endpoint->flags & LSABUF_ENDPOINT_F_REMOVE, ret);
	return ret;
}

/**
 * lsabuf_authority_exit() - forget all permissions, at module unload
 */
void lsabuf_authority_exit(void)
{
	struct permission *permission, *next;

	list_for_each_entry_safe(permission, next, &permissions, list)
		kfree(permission);
}

/**
 * lsabuf_authority_get() - take a reference
 * @authority: an authority that the caller holds
 */
void lsabuf_authority_get(struct lsabuf_authority *authority)
{
	refcount_inc(&authority->ref);
}

/**
 * lsabuf_authority_put() - drop a reference
 * @authority: the authority
 *
 * Context: no locks, may sleep.
 */
void lsabuf_authority_put(struct lsabuf_authority *authority)
{
	if (!refcount_dec_and_test(&authority->ref))
		return;
	lsabuf_queue_destroy(&authority->queue);
	lsabuf_space_put(authority->queue.space);
	put_pid(authority->pid);
	put_pid_ns(authority->pid_ns);
	put_user_ns(authority->user_ns);
	kfree(authority);
}

static void queue_put(struct lsabuf_queue *queue)
{
	lsabuf_authority_put(
		container_of(queue, struct lsabuf_authority, queue));
}

/* The first step of death: the name is free, and everybody is woken. */
static void authority_die(struct lsabuf_authority *authority, bool exit)
{
	bool served;

	spin_lock(&endpoints_lock);
	served = !list_empty(&authority->list);
	list_del_init(&authority->list);
	spin_unlock(&endpoints_lock);
	if (lsabuf_queue_die(&authority->queue) && served)
		trace_lsabuf_death(true, authority->queue.instance, exit);
}

static void authority_mm_gone(struct lsabuf_watch *watch)
{
	struct lsabuf_authority *authority =
		container_of(watch, struct lsabuf_authority, watch);

	authority_die(authority, true);
	lsabuf_authority_put(authority);
}

static struct lsabuf_authority *authority_alloc(struct lsabuf_serve *serve)
{
	struct lsabuf_authority *authority;
	struct lsabuf_space *space;
	int ret;

	authority = kzalloc(sizeof(*authority), GFP_KERNEL_ACCOUNT);
	if (!authority)
		return ERR_PTR(-ENOMEM);
	ret = lsabuf_queue_init(&authority->queue, serve->max_requests);
	if (ret)
		goto err_free;
	space = lsabuf_space_create("snapshots", serve->arena_size,
				    serve->arena_size);
	ret = PTR_ERR_OR_ZERO(space);
	if (ret)
		goto err_destroy_queue;

	refcount_set(&authority->ref, 1);
	authority->watch.ref = &authority->ref;
	authority->watch.gone = authority_mm_gone;
	INIT_LIST_HEAD(&authority->list);
	authority->queue.space = space;
	authority->queue.notify = serve->flags & LSABUF_SERVE_F_NOTIFY;
	strscpy(authority->endpoint, (const char *)serve->endpoint,
		sizeof(authority->endpoint));
	authority->user_ns = get_user_ns(current_user_ns());
	authority->pid_ns = get_pid_ns(task_active_pid_ns(current));
	authority->pid = get_pid(task_tgid(current));
	authority->uid = current_euid();
	authority->start = current->group_leader->start_boottime;
	return authority;

err_destroy_queue:
	lsabuf_queue_destroy(&authority->queue);
err_free:
	kfree(authority);
	return ERR_PTR(ret);
}

static int fill_defaults(struct lsabuf_serve *serve)
{
	if (!name_is_valid(serve->endpoint))
		return -EINVAL;
	if (!serve->arena_size)
		serve->arena_size = lsabuf_limits.authority_arena;
	if (!serve->max_requests)
		serve->max_requests = lsabuf_limits.requests;
	if (serve->arena_size > LSABUF_AUTHORITY_ARENA_MAX ||
	    serve->max_requests > LSABUF_REQUESTS_MAX)
		return -EINVAL;
	serve->arena_size = PAGE_ALIGN(serve->arena_size);
	return 0;
}

static struct lsabuf_authority *new_authority(struct lsabuf_serve *serve,
					      kuid_t owner)
{
	struct lsabuf_authority *authority;
	int ret;

	ret = fill_defaults(serve);
	if (ret)
		return ERR_PTR(ret);
	if (!is_owner(owner) && !is_permitted(serve->endpoint))
		return ERR_PTR(-EACCES);
	authority = authority_alloc(serve);
	if (IS_ERR(authority))
		return authority;
	/* Watch first: the arena's VMA is what tells of the end. */
	lsabuf_space_watch(authority->queue.space, &authority->watch);
	ret = lsabuf_space_grow(authority->queue.space, 0);
	if (ret)
		goto err_release;
	serve->out_arena_address = lsabuf_space_start(authority->queue.space);

	spin_lock(&endpoints_lock);
	if (find_endpoint(serve->endpoint))
		ret = -EBUSY;
	else
		list_add(&authority->list, &endpoints);
	spin_unlock(&endpoints_lock);
	if (ret)
		goto err_release;
	return authority;

err_release:
	lsabuf_authority_release(authority);
	return ERR_PTR(ret);
}

/**
 * lsabuf_authority_serve() - make the current process an authority
 * @serve: as for LSABUF_IOC_SERVE, flags checked; filled in
 * @owner: owner of the device node
 *
 * Context: process context, no locks, sleeps.
 * Return: the authority, or ERR_PTR() of -EACCES, -EBUSY, -EINVAL, -ENOMEM.
 */
struct lsabuf_authority *lsabuf_authority_serve(struct lsabuf_serve *serve,
						kuid_t owner)
{
	struct lsabuf_authority *authority = new_authority(serve, owner);

	trace_lsabuf_serve(serve,
			   IS_ERR(authority) ? 0 : authority->queue.instance,
			   PTR_ERR_OR_ZERO(authority));
	return authority;
}

/**
 * lsabuf_authority_release() - its file is gone
 * @authority: the authority; not to be used any more
 *
 * Context: process context, no locks, may sleep.
 */
void lsabuf_authority_release(struct lsabuf_authority *authority)
{
	authority_die(authority, false);
	lsabuf_space_unwatch(authority->queue.space, &authority->watch);
	lsabuf_space_leave(authority->queue.space);
	lsabuf_authority_put(authority);
}

static const char *const access_names[] = {
	[LSABUF_ACCESS_BUFFERS] = "buffers",
	[LSABUF_ACCESS_RANGES] = "ranges",
	[LSABUF_ACCESS_WHOLE] = "whole",
};

/**
 * lsabuf_endpoint_show() - write the name of an endpoint
 * @m: where to
 * @before: text before it
 * @endpoint: the name: any bytes, but here it becomes one word
 * @after: text after it
 *
 * Context: any.
 */
void lsabuf_endpoint_show(struct seq_file *m, const char *before,
			  const char *endpoint, const char *after)
{
	seq_puts(m, before);
	seq_escape(m, endpoint, " \t\n\\");
	seq_puts(m, after);
}

/* What an authority has to do at one moment. */
struct load {
	unsigned int clients;
	unsigned int requests;
	unsigned int queued;
	unsigned int waiting;
	unsigned int busy;
	u64 calls;
};

static void count_locked(struct lsabuf_queue *queue, struct load *load)
{
	struct lsabuf_user *user;

	lockdep_assert_held(&queue->lock);
	*load = (struct load){
		.queued = queue->nr_queued,
		.waiting = queue->nr_waiting,
		.busy = queue->nr_busy,
		.calls = queue->nr_calls,
	};
	list_for_each_entry(user, &queue->users, list) {
		load->clients += user->nr_clients;
		load->requests += user->nr_requests;
	}
}

/**
 * lsabuf_authority_show() - describe an authority in fdinfo
 * @m: where to
 * @authority: the authority
 *
 * Context: may sleep.
 */
void lsabuf_authority_show(struct seq_file *m,
			   struct lsabuf_authority *authority)
{
	struct lsabuf_queue *queue = &authority->queue;
	struct load load;

	spin_lock(&queue->lock);
	count_locked(queue, &load);
	spin_unlock(&queue->lock);
	seq_printf(m, "lsabuf-role:\t%s\n",
		   READ_ONCE(queue->dead) ? "former authority" : "authority");
	lsabuf_endpoint_show(m, "lsabuf-endpoint:\t", authority->endpoint,
			     "\n");
	seq_printf(m, "lsabuf-authority:\t%llu\n", queue->instance);
	seq_printf(m, "lsabuf-clients:\t%u\n", load.clients);
	seq_printf(m, "lsabuf-calls:\t%llu\n", load.calls);
	seq_printf(m, "lsabuf-requests:\t%u\n", load.requests);
	seq_printf(m, "lsabuf-requests-max:\t%u\n", queue->max_slots);
	seq_printf(m, "lsabuf-waiting-requests:\t%u\n", load.queued);
	seq_printf(m, "lsabuf-waiting-threads:\t%u\n", load.waiting);
	seq_printf(m, "lsabuf-busy-threads:\t%u\n", load.busy);
	lsabuf_space_show(m, queue->space);
}

/**
 * lsabuf_authority_show_client() - describe a client in fdinfo
 * @m: where to
 * @client: the client
 *
 * Context: may sleep.
 */
void lsabuf_authority_show_client(struct seq_file *m,
				  struct lsabuf_client *client)
{
	struct lsabuf_queue *queue = client->queue;
	unsigned int queued = 0, requests;
	struct lsabuf_request *request;
	u64 calls;

	spin_lock(&queue->lock);
	list_for_each_entry(request, &client->queued, list)
		queued++;
	requests = client->nr_requests;
	calls = client->nr_calls;
	spin_unlock(&queue->lock);
	seq_printf(m, "lsabuf-role:\t%s\n",
		   READ_ONCE(client->dead) ? "former client" : "client");
	lsabuf_endpoint_show(m, "lsabuf-endpoint:\t",
			     lsabuf_authority_of(client)->endpoint, "\n");
	seq_printf(m, "lsabuf-authority:\t%llu\n", queue->instance);
	seq_printf(m, "lsabuf-client:\t%llu\n", client->id);
	seq_printf(m, "lsabuf-access:\t%s\n", access_names[client->access]);
	seq_printf(m, "lsabuf-debuggable:\t%d\n",
		   READ_ONCE(client->space->debuggable));
	seq_printf(m, "lsabuf-calls:\t%llu\n", calls);
	seq_printf(m, "lsabuf-requests:\t%u\n", requests);
	seq_printf(m, "lsabuf-requests-max:\t%u\n",
		   lsabuf_limits.client_requests);
	seq_printf(m, "lsabuf-waiting-requests:\t%u\n", queued);
	lsabuf_space_show(m, client->space);
}

static void list_users(struct seq_file *m, struct lsabuf_queue *queue)
{
	struct lsabuf_user *user;

	lockdep_assert_held(&queue->lock);
	list_for_each_entry(user, &queue->users, list)
		seq_printf(
			m,
			"user authority=%llu uid=%u clients=%u requests=%u submit-bytes=%llu busy-threads=%u\n",
			queue->instance, from_kuid(&init_user_ns, user->uid),
			user->nr_clients, user->nr_requests, user->submit_bytes,
			user->busy);
}

static void list_authority(struct seq_file *m,
			   struct lsabuf_authority *authority)
{
	struct lsabuf_queue *queue = &authority->queue;
	struct load load;

	spin_lock(&queue->lock);
	count_locked(queue, &load);
	lsabuf_endpoint_show(m, "authority endpoint=", authority->endpoint, "");
	seq_printf(
		m,
		" id=%llu pid=%d uid=%u clients=%u calls=%llu requests=%u requests-max=%u waiting-requests=%u waiting-threads=%u busy-threads=%u\n",
		queue->instance, pid_nr(authority->pid),
		from_kuid(&init_user_ns, authority->uid), load.clients,
		load.calls, load.requests, queue->max_slots, load.queued,
		load.waiting, load.busy);
	list_users(m, queue);
	spin_unlock(&queue->lock);
}

/**
 * lsabuf_authorities_show() - list authorities, their users, permissions
 * @m: where to
 *
 * Context: may sleep.
 */
void lsabuf_authorities_show(struct seq_file *m)
{
	struct lsabuf_authority *authority;
	struct permission *permission;

	spin_lock(&endpoints_lock);
	list_for_each_entry(authority, &endpoints, list)
		list_authority(m, authority);
	list_for_each_entry(permission, &permissions, list) {
		lsabuf_endpoint_show(
			m, "permission endpoint=", permission->endpoint, "");
		if (permission->group)
			seq_printf(m, " gid=%u\n",
				   from_kgid(&init_user_ns, permission->gid));
		else
			seq_printf(m, " uid=%u\n",
				   from_kuid(&init_user_ns, permission->uid));
	}
	spin_unlock(&endpoints_lock);
}

static void client_mm_gone(struct lsabuf_watch *watch)
{
	struct lsabuf_client *client =
		container_of(watch, struct lsabuf_client, watch);

	if (lsabuf_client_leave(client))
		trace_lsabuf_death(false, client->id, true);
	lsabuf_client_put(client);
}

static void disconnect(struct lsabuf_client *client)
{
	lsabuf_space_sync(client->space);
	lsabuf_space_unwatch(client->space, &client->watch);
	lsabuf_space_leave(client->space);
}

static struct lsabuf_client *new_client(struct lsabuf_authority *authority,
					struct lsabuf_connect *connect)
{
	struct lsabuf_client *client;
	int ret;

	client = lsabuf_client_create(&authority->queue, connect->access);
	if (IS_ERR(client))
		return client;
	client->consent_views = connect->consent_views;
	client->consent_bytes = connect->consent_bytes;
	client->debuggable = connect->flags & LSABUF_CONNECT_F_DEBUGGABLE;
	client->takes_files = connect->flags & LSABUF_CONNECT_F_FILES;
	client->watch.gone = client_mm_gone;
	ret = lsabuf_client_join(client, current_uid());
	if (ret) {
		lsabuf_client_put(client);
		return ERR_PTR(ret);
	}
	refcount_inc(&authority->ref);
	client->put = queue_put;
	if (client->debuggable)
		WRITE_ONCE(client->space->debuggable, true);
	lsabuf_space_watch(client->space, &client->watch);
	/* A client without an arena would need a chore for its first buffer. */
	ret = lsabuf_space_start(client->space) ?
		      0 :
		      lsabuf_space_grow(client->space, 0);
	if (ret) {
		lsabuf_client_leave(client);
		disconnect(client);
		lsabuf_client_put(client);
		return ERR_PTR(ret);
	}
	return client;
}

/**
 * lsabuf_authority_tell() - whom a client is connected to
 * @client: joined
 * @pid: process id of the authority in the caller's namespace, 0 for none
 * @uid: its user id in the caller's namespace
 * @start: its start time in nanoseconds since boot
 *
 * Context: any.
 */
void lsabuf_authority_tell(struct lsabuf_client *client, u32 *pid, u32 *uid,
			   u64 *start)
{
	const struct lsabuf_authority *authority = lsabuf_authority_of(client);

	*pid = pid_vnr(authority->pid);
	*uid = from_kuid_munged(current_user_ns(), authority->uid);
	*start = authority->start;
}

/**
 * lsabuf_authority_connect() - make the current process a client
 * @connect: as for LSABUF_IOC_CONNECT, flags checked; filled in
 *
 * Context: process context, no locks, sleeps.
 * Return: the client, or ERR_PTR() of -ENOENT, -EDQUOT, -EACCES, -EINVAL,
 * -ENOMEM.
 */
struct lsabuf_client *lsabuf_authority_connect(struct lsabuf_connect *connect)
{
	struct lsabuf_authority *authority;
	struct lsabuf_client *client;

	if (!name_is_valid(connect->endpoint) ||
	    connect->access > LSABUF_ACCESS_WHOLE)
		return ERR_PTR(-EINVAL);
	if ((connect->flags & LSABUF_CONNECT_F_DEBUGGABLE) &&
	    !READ_ONCE(lsabuf_limits.debuggable))
		return ERR_PTR(-EACCES);
	spin_lock(&endpoints_lock);
	authority = find_endpoint(connect->endpoint);
	if (authority && !refcount_inc_not_zero(&authority->ref))
		authority = NULL;
	spin_unlock(&endpoints_lock);
	if (!authority)
		return ERR_PTR(-ENOENT);

	client = new_client(authority, connect);
	if (!IS_ERR(client)) {
		connect->out_client = client->id;
		lsabuf_authority_tell(client, &connect->out_authority_pid,
				      &connect->out_authority_uid,
				      &connect->out_authority_start);
		trace_lsabuf_connect(client);
	}
	lsabuf_authority_put(authority);
	return client;
}

/**
 * lsabuf_authority_disconnect() - a client ends its connection
 * @client: joined; the caller keeps its reference
 *
 * Its requests are abandoned. Doing it again does nothing.
 *
 * Context: process context, no locks, may sleep.
 */
void lsabuf_authority_disconnect(struct lsabuf_client *client)
{
	if (lsabuf_client_leave(client))
		trace_lsabuf_disconnect(client);
	disconnect(client);
}

/**
 * lsabuf_authority_identify() - fill in who makes a request
 * @request: made by the current thread, not yet queued
 *
 * Everything is translated to the authority's namespaces here, once: what it
 * learns is what was true when the call was made. The part that depends on the
 * credential alone is kept for the next call.
 *
 * Context: process context.
 */
void lsabuf_authority_identify(struct lsabuf_request *request)
{
	struct lsabuf_client *client = request->client;
	struct lsabuf_authority *authority = lsabuf_authority_of(client);
	struct lsabuf_identity_cache new;
	const struct cred *old;

	if (authority->pid_ns == &init_pid_ns) {
		/* The same without a look-up. */
		request->pid = task_tgid_nr(current);
		request->tid = task_pid_nr(current);
	} else {
		request->pid = task_tgid_nr_ns(current, authority->pid_ns);
		request->tid = task_pid_nr_ns(current, authority->pid_ns);
	}
	request->start = current->group_leader->start_boottime;
	if (request->cred)
		return;

	request->cred = get_current_cred();
	new.cred = get_current_cred();
	new.uid = from_kuid_munged(authority->user_ns, current_euid());
	new.gid = from_kgid_munged(authority->user_ns, current_egid());
	new.admin = ns_capable_noaudit(authority->user_ns, CAP_SYS_ADMIN);
	request->uid = new.uid;
	request->gid = new.gid;
	if (new.admin)
		request->flags |= LSABUF_REQUEST_F_ADMIN;

	spin_lock(&client->queue->lock);
	old = client->identity.cred;
	client->identity = new;
	spin_unlock(&client->queue->lock);
	if (old)
		put_cred(old);
}
