// SPDX-License-Identifier: GPL-2.0
/*
 * What happens beside instructions: events of the whole machine, counted by
 * the kernel's tracepoints and probes while nothing is being timed.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define EVENTS "/sys/kernel/tracing/events/"
#define KPROBE "/sys/bus/event_source/devices/kprobe/type"
/* Operations that are counted together; what comes by itself is little then */
#define COUNTED 64

const char *const count_names[NR_COUNTS] = {
	[COUNT_SYSTEM_CALLS] = "calls", [COUNT_SWITCHES] = "switches",
	[COUNT_FAULTS] = "faults",	[COUNT_MMAP_LOCK] = "mmap_lock",
	[COUNT_PTES] = "PTEs",
};

/**
 * struct source - where a count comes from
 * @count: what it adds to
 * @event: a tracepoint, or NULL
 * @function: else a function of the kernel, which may be missing
 */
struct source {
	enum count count;
	const char *event;
	const char *function;
};

/* PTEs: each that maps a page, or no longer does, in the words of 6.1 */
static const struct source sources[] = {
	{ COUNT_SYSTEM_CALLS, "raw_syscalls/sys_enter", NULL },
	{ COUNT_SWITCHES, "sched/sched_switch", NULL },
	{ COUNT_FAULTS, "exceptions/page_fault_user", NULL },
	{ COUNT_MMAP_LOCK, "mmap_lock/mmap_lock_acquire_returned", NULL },
	{ COUNT_PTES, NULL, "page_add_file_rmap" },
	{ COUNT_PTES, NULL, "page_add_new_anon_rmap" },
	{ COUNT_PTES, NULL, "page_remove_rmap" },
};

static int fds[ARRAY_SIZE(sources)];

static long read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	long number = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%ld", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

/* On one CPU, which is all that the machine of the benchmark has */
static int open_source(const struct source *source)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_TRACEPOINT,
		.disabled = 0,
	};
	char path[128];
	long number;

	if (source->event) {
		snprintf(path, sizeof(path), EVENTS "%s/id", source->event);
		number = read_number(path);
		attr.config = number;
	} else {
		number = read_number(KPROBE);
		attr.type = number;
		attr.kprobe_func = (uintptr_t)source->function;
	}
	if (number < 0)
		return -1;
	return syscall(SYS_perf_event_open, &attr, -1, 0, -1,
		       PERF_FLAG_FD_CLOEXEC);
}

static void read_counts(double counts[NR_COUNTS])
{
	uint64_t value;
	size_t i;

	memset(counts, 0, NR_COUNTS * sizeof(counts[0]));
	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		if (fds[i] < 0 ||
		    read(fds[i], &value, sizeof(value)) != sizeof(value))
			counts[sources[i].count] = -1;
		else if (counts[sources[i].count] >= 0)
			counts[sources[i].count] += value;
	}
}

/* One CPU only: elsewhere a part would be missing without a word. */
static bool can_count(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN) == 1;
}

/**
 * count_operations() - count what an operation does
 * @op: does it once
 * @context: its argument
 * @counts: filled in, per operation; below 0 where it is not known
 *
 * A kernel that is being watched takes longer: nothing is, at other times.
 */
void count_operations(bench_op op, void *context, double counts[NR_COUNTS])
{
	double nothing[NR_COUNTS], before[NR_COUNTS], after[NR_COUNTS];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sources); i++)
		fds[i] = can_count() ? open_source(&sources[i]) : -1;
	/* What counting counts of itself */
	read_counts(nothing);
	read_counts(before);
	for (i = 0; i < COUNTED; i++)
		op(context);
	read_counts(after);
	for (i = 0; i < NR_COUNTS; i++) {
		counts[i] = after[i] - before[i] - (before[i] - nothing[i]);
		counts[i] = after[i] < 0 ? -1 : counts[i] / COUNTED;
	}
	for (i = 0; i < ARRAY_SIZE(sources); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}
