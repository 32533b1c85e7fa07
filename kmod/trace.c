// SPDX-License-Identifier: GPL-2.0
/*
 * Defines the tracepoints of trace.h, and what only they need.
 */
#include <linux/cred.h>
#include <linux/ctype.h>
#include <linux/lsabuf.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>
#include <linux/user_namespace.h>

#include "authority.h"
#include "lsabuf.h"
#include "transfer.h"

#ifdef CONFIG_TRACEPOINTS

/* Nanoseconds since @begin, which is 0 where nobody looked at the clock. */
static u64 since(u64 begin)
{
	return begin ? ktime_get_ns() - begin : 0;
}

/* The same for a time of a request, which may be left from an earlier one. */
static u64 request_since(struct lsabuf_request *request, u64 begin)
{
	return request->times.id == request->id ? since(begin) : 0;
}

/* Endpoints have names that anybody may invent: one word, one line. */
static void one_word(char *to, const char *from)
{
	unsigned int i;

	for (i = 0; i < LSABUF_ENDPOINT_LEN - 1 && from[i]; i++)
		to[i] = isascii(from[i]) && isgraph(from[i]) ? from[i] : '?';
	to[i] = 0;
}

#endif /* CONFIG_TRACEPOINTS */

#define CREATE_TRACE_POINTS
#include "trace.h"
