/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints. Names and fields are an interface: they are listed in README.md
 * and tested. No contents and no kernel pointers, ever.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM lsabuf

#if !defined(LSABUF_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define LSABUF_TRACE_H

#include <linux/tracepoint.h>

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

TRACE_EVENT(lsabuf_connect,
	TP_PROTO(u64 client, u32 access, u32 uid, u32 authority),

	TP_ARGS(client, access, uid, authority),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u32, access)
		__field(u32, uid)
		__field(u32, authority)
	),

	TP_fast_assign(
		__entry->client = client;
		__entry->access = access;
		__entry->uid = uid;
		__entry->authority = authority;
	),

	TP_printk("client=%llu access=%s uid=%u authority=%u",
		  __entry->client, lsabuf_show_access(__entry->access),
		  __entry->uid, __entry->authority)
);

TRACE_EVENT(lsabuf_call,
	TP_PROTO(u64 client, u64 id, u32 kind, u32 code, u64 length, u32 pid,
		 u32 uid),

	TP_ARGS(client, id, kind, code, length, pid, uid),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u64, id)
		__field(u64, length)
		__field(u32, kind)
		__field(u32, code)
		__field(u32, pid)
		__field(u32, uid)
	),

	TP_fast_assign(
		__entry->client = client;
		__entry->id = id;
		__entry->kind = kind;
		__entry->code = code;
		__entry->length = length;
		__entry->pid = pid;
		__entry->uid = uid;
	),

	TP_printk("client=%llu id=0x%llx kind=%u code=%u length=%llu pid=%u uid=%u",
		  __entry->client, __entry->id, __entry->kind, __entry->code,
		  __entry->length, __entry->pid, __entry->uid)
);

TRACE_EVENT(lsabuf_alloc,
	TP_PROTO(u64 client, u64 id, u64 address, u64 length, int ret),

	TP_ARGS(client, id, address, length, ret),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u64, id)
		__field(u64, address)
		__field(u64, length)
		__field(int, ret)
	),

	TP_fast_assign(
		__entry->client = client;
		__entry->id = id;
		__entry->address = address;
		__entry->length = length;
		__entry->ret = ret;
	),

	TP_printk("client=%llu id=0x%llx address=0x%llx length=%llu ret=%d",
		  __entry->client, __entry->id, __entry->address,
		  __entry->length, __entry->ret)
);

TRACE_EVENT(lsabuf_copy,
	TP_PROTO(u64 client, u64 id, bool to_client, u64 address, u64 length,
		 u64 done, u32 paths, int ret),

	TP_ARGS(client, id, to_client, address, length, done, paths, ret),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u64, id)
		__field(u64, address)
		__field(u64, length)
		__field(u64, done)
		__field(u32, paths)
		__field(int, ret)
		__field(bool, to_client)
	),

	TP_fast_assign(
		__entry->client = client;
		__entry->id = id;
		__entry->to_client = to_client;
		__entry->address = address;
		__entry->length = length;
		__entry->done = done;
		__entry->paths = paths;
		__entry->ret = ret;
	),

	TP_printk("client=%llu id=0x%llx %s address=0x%llx length=%llu done=%llu path=%s ret=%d",
		  __entry->client, __entry->id,
		  __entry->to_client ? "to" : "from", __entry->address,
		  __entry->length, __entry->done,
		  lsabuf_show_paths(__entry->paths), __entry->ret)
);

TRACE_EVENT(lsabuf_reply,
	TP_PROTO(u64 client, u64 id, u32 status, u64 address, u64 length,
		 int ret),

	TP_ARGS(client, id, status, address, length, ret),

	TP_STRUCT__entry(
		__field(u64, client)
		__field(u64, id)
		__field(u64, address)
		__field(u64, length)
		__field(u32, status)
		__field(int, ret)
	),

	TP_fast_assign(
		__entry->client = client;
		__entry->id = id;
		__entry->status = status;
		__entry->address = address;
		__entry->length = length;
		__entry->ret = ret;
	),

	TP_printk("client=%llu id=0x%llx status=0x%x address=0x%llx length=%llu ret=%d",
		  __entry->client, __entry->id, __entry->status,
		  __entry->address, __entry->length, __entry->ret)
);

TRACE_EVENT(lsabuf_free,
	TP_PROTO(u32 pid, bool by_client, u64 address, int ret),

	TP_ARGS(pid, by_client, address, ret),

	TP_STRUCT__entry(
		__field(u64, address)
		__field(u32, pid)
		__field(int, ret)
		__field(bool, by_client)
	),

	TP_fast_assign(
		__entry->pid = pid;
		__entry->by_client = by_client;
		__entry->address = address;
		__entry->ret = ret;
	),

	TP_printk("pid=%u by=%s address=0x%llx ret=%d",
		  __entry->pid, __entry->by_client ? "client" : "authority",
		  __entry->address, __entry->ret)
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
		__field(u32, ranges)
		__field(u32, paths)
		__field(int, ret)
	),

	TP_fast_assign(
		__entry->client = client;
		__entry->id = id;
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
