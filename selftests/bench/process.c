// SPDX-License-Identifier: GPL-2.0
/*
 * Processes and their memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/**
 * die() - end the benchmark
 * @format: why
 */
void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fflush(stdout);
	fprintf(stderr, "bench: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	_exit(1);
}

/**
 * expect() - die unless something worked
 * @ok: whether it did
 * @what: its name; errno tells the reason
 */
void expect(bool ok, const char *what)
{
	if (!ok)
		die("%s: %s", what, strerror(errno));
}

/**
 * new_buffer() - memory to copy from and to
 * @bytes: its size
 *
 * All buffers begin at a page and have small pages only: alignment and page
 * size move the figures, so they are the same everywhere.
 *
 * Return: the buffer, resident, never freed.
 */
void *new_buffer(size_t bytes)
{
	void *buffer = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	expect(buffer != MAP_FAILED, "mmap of a buffer");
	/* Not known to every kernel, and then not needed. */
	madvise(buffer, bytes, MADV_NOHUGEPAGE);
	memset(buffer, 0x5a, bytes);
	return buffer;
}

/**
 * sleep_both() - fix how the scheduler treats the two sides of a round trip
 * @fix: whether to, or go back to what is usual
 *
 * On one CPU, whoever wakes its partner may be preempted by it at once, and
 * then finds the answer without having slept: that saves a fifth of an eventfd
 * ping-pong. Whether it happens depends on who used more time in the past, and
 * lasts for thousands of round trips; then they all change. SCHED_BATCH forbids
 * it: each side sleeps and is woken in each round trip, as on two CPUs.
 */
void sleep_both(bool fix)
{
	struct sched_param param = { 0 };

	expect(!sched_setscheduler(0, fix ? SCHED_BATCH : SCHED_OTHER, &param),
	       "sched_setscheduler");
}

/**
 * start_child() - the other side of a round trip
 * @run: its program, which need not end
 * @context: its argument
 *
 * Return: its pid, for end_child().
 */
pid_t start_child(void (*run)(void *context), void *context)
{
	pid_t parent = getpid();
	pid_t pid;

	fflush(stdout);
	pid = fork();
	expect(pid >= 0, "fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		run(context);
	_exit(0);
}

/**
 * wait_child() - let it come to its end
 * @pid: from start_child()
 */
void wait_child(pid_t pid)
{
	int status;

	expect(waitpid(pid, &status, 0) == pid, "waitpid");
	if (status)
		die("a child has failed");
}

/**
 * end_child() - get rid of it
 * @pid: from start_child()
 */
void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	expect(waitpid(pid, NULL, 0) == pid, "waitpid");
}
