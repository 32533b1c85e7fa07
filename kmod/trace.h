/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints. Names and fields are an interface: they are listed in README.md
 * and tested. No contents and no kernel pointers, ever; process and user ids
 * are those of the initial namespaces.
 *
 * Every event of a request has its id, and its slot: the part of the id that
 * is small and used again, which makes a good key of a histogram. Durations
 * are in nanoseconds; the clock is read only for events that are on, so one
 * that began before is 0.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM lsabuf

#if !defined(LSABUF_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define LSABUF_TRACE_H

#include <linux/tracepoint.h>

struct lsabuf_chore;
struct lsabuf_client;
struct lsabuf_reply;
struct lsabuf_request;
struct lsabuf_serve;
struct lsabuf_space;
struct lsabuf_transfer;
struct task_struct;

/* The layout that all trace headers have is not one that clang-format knows. */
/* clang-format off */

#define lsabuf_show_paths(paths)		\
	__print_flags(paths, "|",		\
		{ 1, "block" },			\
		{ 2, "resident" },		\
		{ 4, "thread" })

#define lsabuf_show_access(access)		\
	__print_symbolic(access,		\
		{ 0, "buffers" },		\
		{ 1, "ranges" },		\
		{ 2, "whole" })

#define lsabuf_show_chore(type)			\
	__print_symbolic(type,			\
		{ 0, "from" },			\
		{ 1, "grow" },			\
		{ 2, "view" },			\
		{ 3, "file" })

#define lsabuf_show_quota(quota)		\
	__print_symbolic(quota,			\
		{ 0, "max_submit" },		\
		{ 1, "user_submit" },		\
		{ 2, "client_requests" },	\
		{ 3, "user_requests" },		\
		{ 4, "requests" },		\
		{ 5, "user_clients" },		\
		{ 6, "snapshots" },		\
		{ 7, "client_quota" },		\
		{ 8, "arenas" },		\
		{ 9, "permissions" },		\
		{ 10, "authority_sections" },	\
		{ 11, "user_sections" },	\
		{ 12, "authority_shared" },	\
		{ 13, "user_shared" })

TRACE_EVENT(lsabuf_serve,
	TP_PROTO(struct lsabuf_serve *serve, u64 authority, int ret),

	TP_ARGS(serve, authority, ret),

	TP_STRUCT__entry(
		__field(u64, authority)
		__field(u64, bytes)
		__field(u32, pid)
		__field(u32, uid)
		__field(u32, requests)
		__field(int, ret)
		__array(char, endpoint, LSABUF_ENDPOINT_LEN)
	),

	TP_fast_assign(
		__entry->authority = authority;
		__entry->bytes = serve->arena_size;
		__entry->pid = task_tgid_nr(current);
		__entry->uid = from_kuid(&init_user_ns, current_euid());
		__entry->requests = serve->max_requests;
		__entry->ret = ret;
		one_word(__entry->endpoint, (const char *)serve->endpoint);
	),

	TP_printk("authority=%llu endpoint=%s pid=%u uid=%u requests=%u bytes=%llu ret=%d",
		  __entry->authority, __entry->endpoint, __entry->pid,
		  __entry->uid, __entry->requests, __entry->bytes, __entry->ret)
);

TRACE_EVENT(lsabuf_permit,
	TP_PROTO(const char *endpoint, bool group, u32 id, bool remove, int ret),

	TP_ARGS(endpoint, group, id, remove, ret),

	TP_STRUCT__entry(
		__field(u32, id)
		__field(int, ret)
		__field(bool, group)
		__field(bool, remove)
		__array(char, endpoint, LSABUF_ENDPOINT_LEN)
	),

	TP_fast_assign(
		__entry->id = id;
		__entry->ret = ret;
		__entry->group = group;
		__entry->remove = remove;
		one_word(__entry->endpoint, endpoint);
	),

	TP_printk("%s endpoint=%s %s=%u ret=%d",
		  __entry->remove ? "remove" : "add", __entry->endpoint,
		  __entry->group ? "gid" : "uid", __entry->id, __entry->ret)
);

TRACE_EVENT(lsabuf_connect,
	TP_PROTO(struct lsabuf_client *client),

	TP_ARGS(client),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u32, access)
		__field(u32, uid)
		__field(u32, authority)
		__field(u32, pid)
		__field(bool, debuggable)
		__array(char, endpoint, LSABUF_ENDPOINT_LEN)
	),

	TP_fast_assign(
		__entry->client = client->id;
		__entry->access = client->access;
		__entry->uid = from_kuid(&init_user_ns, current_uid());
		__entry->authority = pid_nr(lsabuf_authority_of(client)->pid);
		__entry->pid = task_tgid_nr(current);
		__entry->debuggable = client->debuggable;
		one_word(__entry->endpoint, lsabuf_authority_of(client)->endpoint);
	),

	TP_printk("client=%llu access=%s uid=%u authority=%u endpoint=%s pid=%u%s",
		  __entry->client, lsabuf_show_access(__entry->access),
		  __entry->uid, __entry->authority, __entry->endpoint,
		  __entry->pid, __entry->debuggable ? " debuggable" : "")
);

TRACE_EVENT(lsabuf_disconnect,
	TP_PROTO(struct lsabuf_client *client),

	TP_ARGS(client),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u32, requests)
		__field(u32, pid)
	),

	TP_fast_assign(
		__entry->client = client->id;
		__entry->requests = READ_ONCE(client->nr_requests);
		__entry->pid = task_tgid_nr(current);
	),

	TP_printk("client=%llu requests=%u pid=%u",
		  __entry->client, __entry->requests, __entry->pid)
);

TRACE_EVENT(lsabuf_death,
	TP_PROTO(bool authority, u64 id, bool exit),

	TP_ARGS(authority, id, exit),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, pid)
		__field(bool, authority)
		__field(bool, exit)
	),

	TP_fast_assign(
		__entry->id = id;
		__entry->pid = task_tgid_nr(current);
		__entry->authority = authority;
		__entry->exit = exit;
	),

	TP_printk("%s=%llu cause=%s pid=%u",
		  __entry->authority ? "authority" : "client", __entry->id,
		  __entry->exit ? "exit" : "close", __entry->pid)
);

TRACE_EVENT(lsabuf_call,
	TP_PROTO(struct lsabuf_request *request),

	TP_ARGS(request),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u64, id)
		__field(u64, length)
		__field(u32, slot)
		__field(u32, kind)
		__field(u32, code)
		__field(u32, pid)
		__field(u32, uid)
	),

	TP_fast_assign(
		__entry->client = request->client->id;
		__entry->id = request->id;
		__entry->slot = request->id & LSABUF_SLOT_MASK;
		__entry->length = request->submit_length;
		__entry->kind = request->kind;
		__entry->code = request->code;
		__entry->pid = task_tgid_nr(current);
		__entry->uid = from_kuid(&init_user_ns, current_euid());
	),

	TP_printk("client=%llu id=0x%llx kind=%u code=%u length=%llu pid=%u uid=%u",
		  __entry->client, __entry->id, __entry->kind, __entry->code,
		  __entry->length, __entry->pid, __entry->uid)
);

TRACE_EVENT(lsabuf_snapshot,
	TP_PROTO(struct lsabuf_request *request, u64 begin, int ret),

	TP_ARGS(request, begin, ret),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u64, id)
		__field(u64, address)
		__field(u64, length)
		__field(u64, ns)
		__field(u32, slot)
		__field(int, ret)
	),

	TP_fast_assign(
		__entry->client = request->client->id;
		__entry->id = request->id;
		__entry->slot = request->id & LSABUF_SLOT_MASK;
		__entry->address = request->submit_address;
		__entry->length = request->submit_length;
		__entry->ns = since(begin);
		__entry->ret = ret;
	),

	TP_printk("client=%llu id=0x%llx address=0x%llx length=%llu ret=%d ns=%llu",
		  __entry->client, __entry->id, __entry->address,
		  __entry->length, __entry->ret, __entry->ns)
);

TRACE_EVENT(lsabuf_receive,
	TP_PROTO(struct lsabuf_request *request, struct task_struct *task),

	TP_ARGS(request, task),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u64, id)
		__field(u64, ns)
		__field(u32, slot)
		__field(u32, tid)
	),

	TP_fast_assign(
		__entry->client = request->client->id;
		__entry->id = request->id;
		__entry->slot = request->id & LSABUF_SLOT_MASK;
		__entry->ns = request_since(request,
					    request->times.queued);
		__entry->tid = task_pid_nr(task);
	),

	TP_printk("client=%llu id=0x%llx tid=%u ns=%llu",
		  __entry->client, __entry->id, __entry->tid, __entry->ns)
);

TRACE_EVENT(lsabuf_requeue,
	TP_PROTO(struct lsabuf_request *request),

	TP_ARGS(request),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u64, id)
		__field(u32, slot)
	),

	TP_fast_assign(
		__entry->client = request->client->id;
		__entry->id = request->id;
		__entry->slot = request->id & LSABUF_SLOT_MASK;
	),

	TP_printk("client=%llu id=0x%llx",
		  __entry->client, __entry->id)
);

TRACE_EVENT(lsabuf_alloc,
	TP_PROTO(struct lsabuf_request *request, u64 address, u64 length, u64 begin,
		 int ret),

	TP_ARGS(request, address, length, begin, ret),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u64, id)
		__field(u64, address)
		__field(u64, length)
		__field(u64, ns)
		__field(u32, slot)
		__field(int, ret)
	),

	TP_fast_assign(
		__entry->client = request->client->id;
		__entry->id = request->id;
		__entry->slot = request->id & LSABUF_SLOT_MASK;
		__entry->address = address;
		__entry->length = length;
		__entry->ns = since(begin);
		__entry->ret = ret;
	),

	TP_printk("client=%llu id=0x%llx address=0x%llx length=%llu ret=%d ns=%llu",
		  __entry->client, __entry->id, __entry->address,
		  __entry->length, __entry->ret, __entry->ns)
);

TRACE_EVENT(lsabuf_copy,
	TP_PROTO(struct lsabuf_transfer *copy, u64 begin, int ret),

	TP_ARGS(copy, begin, ret),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u64, id)
		__field(u64, address)
		__field(u64, length)
		__field(u64, done)
		__field(u64, ns)
		__field(u32, slot)
		__field(u32, paths)
		__field(int, ret)
		__field(bool, to_client)
	),

	TP_fast_assign(
		__entry->client = copy->request->client->id;
		__entry->id = copy->request->id;
		__entry->slot = copy->request->id & LSABUF_SLOT_MASK;
		__entry->address = copy->client_address - copy->done;
		__entry->length = copy->done + copy->left;
		__entry->done = copy->done;
		__entry->ns = since(begin);
		__entry->paths = copy->paths;
		__entry->ret = ret;
		__entry->to_client = copy->to_client;
	),

	TP_printk("client=%llu id=0x%llx %s address=0x%llx length=%llu done=%llu path=%s ret=%d ns=%llu",
		  __entry->client, __entry->id,
		  __entry->to_client ? "to" : "from", __entry->address,
		  __entry->length, __entry->done,
		  lsabuf_show_paths(__entry->paths), __entry->ret, __entry->ns)
);

TRACE_EVENT(lsabuf_chore,
	TP_PROTO(struct lsabuf_request *request, struct lsabuf_chore *chore,
		 u64 begin, int ret),

	TP_ARGS(request, chore, begin, ret),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u64, id)
		__field(u64, address)
		__field(u64, length)
		__field(u64, done)
		__field(u64, waited)
		__field(u64, ns)
		__field(u32, slot)
		__field(int, ret)
		__field(u8, type)
		__field(bool, to_client)
	),

	TP_fast_assign(
		__entry->client = request->client->id;
		__entry->id = request->id;
		__entry->slot = request->id & LSABUF_SLOT_MASK;
		__entry->address = chore->address;
		__entry->length = chore->length;
		__entry->done = chore->done;
		__entry->waited = begin && chore->posted ? begin - chore->posted : 0;
		__entry->ns = since(begin);
		__entry->ret = ret;
		__entry->type = chore->type;
		__entry->to_client = chore->to_client;
	),

	TP_printk("client=%llu id=0x%llx %s address=0x%llx length=%llu done=%llu ret=%d waited=%llu ns=%llu",
		  __entry->client, __entry->id,
		  __entry->to_client ? "to" : lsabuf_show_chore(__entry->type),
		  __entry->address, __entry->length, __entry->done,
		  __entry->ret, __entry->waited, __entry->ns)
);

TRACE_EVENT(lsabuf_reply,
	TP_PROTO(struct lsabuf_request *request, const struct lsabuf_reply *reply,
		 int ret),

	TP_ARGS(request, reply, ret),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u64, id)
		__field(u64, address)
		__field(u64, length)
		__field(u64, ns)
		__field(u32, slot)
		__field(u32, status)
		__field(int, ret)
	),

	TP_fast_assign(
		__entry->client = request->client->id;
		__entry->id = request->id;
		__entry->slot = request->id & LSABUF_SLOT_MASK;
		__entry->address = reply->address;
		__entry->length = reply->length;
		__entry->ns = request_since(request,
					    request->times.received);
		__entry->status = reply->status[0];
		__entry->ret = ret ?: reply->error;
	),

	TP_printk("client=%llu id=0x%llx status=0x%x address=0x%llx length=%llu ret=%d ns=%llu",
		  __entry->client, __entry->id, __entry->status,
		  __entry->address, __entry->length, __entry->ret, __entry->ns)
);

TRACE_EVENT(lsabuf_return,
	TP_PROTO(struct lsabuf_request *request, int ret),

	TP_ARGS(request, ret),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u64, id)
		__field(u64, ns)
		__field(u64, total)
		__field(u32, slot)
		__field(int, ret)
	),

	TP_fast_assign(
		__entry->client = request->client->id;
		__entry->id = request->id;
		__entry->slot = request->id & LSABUF_SLOT_MASK;
		__entry->ns = request_since(request,
					    request->times.replied);
		__entry->total = request_since(request,
					    request->times.queued);
		__entry->ret = ret;
	),

	TP_printk("client=%llu id=0x%llx ret=%d ns=%llu total=%llu",
		  __entry->client, __entry->id, __entry->ret, __entry->ns,
		  __entry->total)
);

TRACE_EVENT(lsabuf_abandon,
	TP_PROTO(struct lsabuf_request *request, bool received, int error),

	TP_ARGS(request, received, error),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u64, id)
		__field(u64, total)
		__field(u32, slot)
		__field(int, error)
		__field(bool, received)
	),

	TP_fast_assign(
		__entry->client = request->client->id;
		__entry->id = request->id;
		__entry->slot = request->id & LSABUF_SLOT_MASK;
		__entry->total = request_since(request,
					    request->times.queued);
		__entry->error = error;
		__entry->received = received;
	),

	TP_printk("client=%llu id=0x%llx state=%s error=%d total=%llu",
		  __entry->client, __entry->id,
		  __entry->received ? "received" : "queued", __entry->error,
		  __entry->total)
);

TRACE_EVENT(lsabuf_free,
	TP_PROTO(u32 pid, u64 id, u64 address, int ret),

	TP_ARGS(pid, id, address, ret),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, address)
		__field(u32, pid)
		__field(int, ret)
	),

	TP_fast_assign(
		__entry->id = id;
		__entry->address = address;
		__entry->pid = pid;
		__entry->ret = ret;
	),

	TP_printk("pid=%u by=%s address=0x%llx ret=%d id=0x%llx",
		  __entry->pid, __entry->id ? "authority" : "client",
		  __entry->address, __entry->ret, __entry->id)
);

TRACE_EVENT(lsabuf_wipe,
	TP_PROTO(struct lsabuf_space *space, u64 id, u64 address, u64 length,
		 u64 begin),

	TP_ARGS(space, id, address, length, begin),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, address)
		__field(u64, length)
		__field(u64, ns)
		__field(u32, slot)
		__field(bool, snapshot)
	),

	TP_fast_assign(
		__entry->id = id;
		__entry->slot = id & LSABUF_SLOT_MASK;
		__entry->address = address;
		__entry->length = length;
		__entry->ns = since(begin);
		__entry->snapshot = hlist_unhashed(&space->hash);
	),

	TP_printk("%s id=0x%llx address=0x%llx length=%llu ns=%llu",
		  __entry->snapshot ? "snapshot" : "block", __entry->id,
		  __entry->address, __entry->length, __entry->ns)
);

TRACE_EVENT(lsabuf_arena_map,
	TP_PROTO(struct lsabuf_space *space, u64 address, u64 length, int ret),

	TP_ARGS(space, address, length, ret),

	TP_STRUCT__entry(
		__field(u64, address)
		__field(u64, length)
		__field(u32, pid)
		__field(int, ret)
		__field(bool, snapshots)
	),

	TP_fast_assign(
		__entry->address = address;
		__entry->length = length;
		__entry->pid = space->pid;
		__entry->ret = ret;
		__entry->snapshots = hlist_unhashed(&space->hash);
	),

	TP_printk("pid=%u %s address=0x%llx length=%llu ret=%d",
		  __entry->pid, __entry->snapshots ? "snapshots" : "arena",
		  __entry->address, __entry->length, __entry->ret)
);

TRACE_EVENT(lsabuf_arena_unmap,
	TP_PROTO(struct lsabuf_space *space, u64 address, u64 length, u32 blocks),

	TP_ARGS(space, address, length, blocks),

	TP_STRUCT__entry(
		__field(u64, address)
		__field(u64, length)
		__field(u32, pid)
		__field(u32, blocks)
		__field(bool, snapshots)
	),

	TP_fast_assign(
		__entry->address = address;
		__entry->length = length;
		__entry->pid = space->pid;
		__entry->blocks = blocks;
		__entry->snapshots = hlist_unhashed(&space->hash);
	),

	TP_printk("pid=%u %s address=0x%llx length=%llu blocks=%u",
		  __entry->pid, __entry->snapshots ? "snapshots" : "arena",
		  __entry->address, __entry->length, __entry->blocks)
);

TRACE_EVENT(lsabuf_quota_refused,
	TP_PROTO(u32 quota, u64 client, u64 id, u64 wanted, u64 used, u64 limit),

	TP_ARGS(quota, client, id, wanted, used, limit),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u64, id)
		__field(u64, wanted)
		__field(u64, used)
		__field(u64, limit)
		__field(u32, quota)
	),

	TP_fast_assign(
		__entry->client = client;
		__entry->id = id;
		__entry->wanted = wanted;
		__entry->used = used;
		__entry->limit = limit;
		__entry->quota = quota;
	),

	TP_printk("client=%llu id=0x%llx %s wanted=%llu used=%llu limit=%llu",
		  __entry->client, __entry->id,
		  lsabuf_show_quota(__entry->quota), __entry->wanted,
		  __entry->used, __entry->limit)
);

TRACE_EVENT(lsabuf_grant_refused,
	TP_PROTO(struct lsabuf_transfer *copy),

	TP_ARGS(copy),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u64, id)
		__field(u64, address)
		__field(u64, length)
		__field(u32, slot)
		__field(u32, access)
		__field(bool, to_client)
	),

	TP_fast_assign(
		__entry->client = copy->request->client->id;
		__entry->id = copy->request->id;
		__entry->slot = copy->request->id & LSABUF_SLOT_MASK;
		__entry->address = copy->client_address;
		__entry->length = copy->left;
		__entry->access = copy->request->client->access;
		__entry->to_client = copy->to_client;
	),

	TP_printk("client=%llu id=0x%llx %s address=0x%llx length=%llu access=%s",
		  __entry->client, __entry->id,
		  __entry->to_client ? "to" : "from", __entry->address,
		  __entry->length, lsabuf_show_access(__entry->access))
);

TRACE_EVENT(lsabuf_map,
	TP_PROTO(u64 client, u64 id, u64 address, u32 ranges, u64 length,
		 u32 paths, int ret),

	TP_ARGS(client, id, address, ranges, length, paths, ret),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u64, id)
		__field(u64, address)
		__field(u64, length)
		__field(u32, slot)
		__field(u32, ranges)
		__field(u32, paths)
		__field(int, ret)
	),

	TP_fast_assign(
		__entry->client = client;
		__entry->id = id;
		__entry->slot = id & LSABUF_SLOT_MASK;
		__entry->address = address;
		__entry->length = length;
		__entry->ranges = ranges;
		__entry->paths = paths;
		__entry->ret = ret;
	),

	TP_printk("client=%llu id=0x%llx address=0x%llx ranges=%u length=%llu path=%s ret=%d",
		  __entry->client, __entry->id, __entry->address,
		  __entry->ranges, __entry->length,
		  lsabuf_show_paths(__entry->paths), __entry->ret)
);

TRACE_EVENT(lsabuf_section_create,
	TP_PROTO(u64 section, u64 max, u64 committed, int ret),

	TP_ARGS(section, max, committed, ret),

	TP_STRUCT__entry(
		__field(u64, section)
		__field(u64, max)
		__field(u64, committed)
		__field(int, ret)
	),

	TP_fast_assign(
		__entry->section = section;
		__entry->max = max;
		__entry->committed = committed;
		__entry->ret = ret;
	),

	TP_printk("section=%llu max=%llu committed=%llu ret=%d",
		  __entry->section, __entry->max, __entry->committed,
		  __entry->ret)
);

TRACE_EVENT(lsabuf_section_grow,
	TP_PROTO(u64 section, u64 committed, int ret),

	TP_ARGS(section, committed, ret),

	TP_STRUCT__entry(
		__field(u64, section)
		__field(u64, committed)
		__field(int, ret)
	),

	TP_fast_assign(
		__entry->section = section;
		__entry->committed = committed;
		__entry->ret = ret;
	),

	TP_printk("section=%llu committed=%llu ret=%d", __entry->section,
		  __entry->committed, __entry->ret)
);

TRACE_EVENT(lsabuf_section_hole,
	TP_PROTO(u64 section, u64 start, u64 length, bool fill, int ret),

	TP_ARGS(section, start, length, fill, ret),

	TP_STRUCT__entry(
		__field(u64, section)
		__field(u64, start)
		__field(u64, length)
		__field(int, ret)
		__field(bool, fill)
	),

	TP_fast_assign(
		__entry->section = section;
		__entry->start = start;
		__entry->length = length;
		__entry->ret = ret;
		__entry->fill = fill;
	),

	TP_printk("section=%llu %s start=%llu length=%llu ret=%d",
		  __entry->section, __entry->fill ? "fill" : "make",
		  __entry->start, __entry->length, __entry->ret)
);

#define lsabuf_show_share(flags)		\
	__print_flags(flags, "|",		\
		{ 1, "readonly" },		\
		{ 2, "same-address" })

TRACE_EVENT(lsabuf_section_share,
	TP_PROTO(u64 client, u64 id, u64 section, u64 address, u32 flags,
		 int ret),

	TP_ARGS(client, id, section, address, flags, ret),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u64, id)
		__field(u64, section)
		__field(u64, address)
		__field(u32, flags)
		__field(int, ret)
	),

	TP_fast_assign(
		__entry->client = client;
		__entry->id = id;
		__entry->section = section;
		__entry->address = address;
		__entry->flags = flags;
		__entry->ret = ret;
	),

	TP_printk("client=%llu id=0x%llx section=%llu address=0x%llx flags=%s ret=%d",
		  __entry->client, __entry->id, __entry->section,
		  __entry->address, lsabuf_show_share(__entry->flags),
		  __entry->ret)
);

DECLARE_EVENT_CLASS(lsabuf_section_end,
	TP_PROTO(u64 section, u32 views),

	TP_ARGS(section, views),

	TP_STRUCT__entry(
		__field(u64, section)
		__field(u32, views)
	),

	TP_fast_assign(
		__entry->section = section;
		__entry->views = views;
	),

	TP_printk("section=%llu views=%u", __entry->section, __entry->views)
);

DEFINE_EVENT(lsabuf_section_end, lsabuf_section_revoke,
	TP_PROTO(u64 section, u32 views),
	TP_ARGS(section, views)
);

DEFINE_EVENT(lsabuf_section_end, lsabuf_section_close,
	TP_PROTO(u64 section, u32 views),
	TP_ARGS(section, views)
);

/* clang-format on */

#endif /* LSABUF_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
