// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsabufctl trace: one line for each call, with the time of its stages. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"

#define TRACING "/sys/kernel/tracing"

/**
 * struct call - a call under way
 * @next: in the list
 * @id: of the request
 * @pid: who called
 * @uid: as whom
 * @code: what for
 * @length: bytes of the submit buffer
 * @waiting: nanoseconds until it was received
 * @serving: until it was answered
 * @copies: copies made for it
 * @bytes: and bytes in all
 * @status: the first value of the reply
 */
struct call {
	struct call *next;
	unsigned long long id;
	unsigned long long pid;
	unsigned long long uid;
	unsigned long long code;
	unsigned long long length;
	unsigned long long waiting;
	unsigned long long serving;
	unsigned long long copies;
	unsigned long long bytes;
	unsigned long long status;
};

static struct call *calls;
static volatile sig_atomic_t interrupted;

/* The number behind " KEY=" in an event, 0 where there is none. */
static unsigned long long field(const char *event, const char *key)
{
	char name[32];
	const char *at;

	snprintf(name, sizeof(name), " %s=", key);
	at = strstr(event, name);
	return at ? strtoull(at + strlen(name), NULL, 0) : 0;
}

static struct call *find_call(unsigned long long id)
{
	struct call *call;

	for (call = calls; call && call->id != id; call = call->next)
		;
	return call;
}

static void new_call(const char *event)
{
	struct call *call = calloc(1, sizeof(*call));

	if (!call)
		abort();
	call->id = field(event, "id");
	call->pid = field(event, "pid");
	call->uid = field(event, "uid");
	call->code = field(event, "code");
	call->length = field(event, "length");
	call->next = calls;
	calls = call;
}

static void forget_call(struct call *call)
{
	struct call **at = &calls;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	free(call);
}

static void print_heads(void)
{
	printf("%12s %7s %6s %5s %6s %9s %9s %9s %9s %6s %7s  %s\n", "TIME",
	       "PID", "UID", "CODE", "SUBMIT", "WAITING", "SERVING",
	       "RETURNING", "TOTAL", "COPIES", "BYTES", "RESULT");
}

/* The call has ended: by return, or because it was given up. */
static void print_call(const struct call *call, const char *time,
		       const char *event, bool abandoned)
{
	char waiting[16], serving[16], returning[16], total[16];
	char submit[16], bytes[16], result[32];
	int error = field(event, abandoned ? "error" : "ret");

	if (error)
		snprintf(result, sizeof(result), "%s%s",
			 abandoned ? "abandoned: " : "",
			 strerrorname_np(-error) ?: "?");
	else
		snprintf(result, sizeof(result), "0x%08llx", call->status);
	printf("%12s %7llu %6llu %5llu %6s %9s %9s %9s %9s %6llu %7s  %s\n",
	       time, call->pid, call->uid, call->code,
	       ctl_bytes(call->length, submit),
	       ctl_time(call->waiting, waiting),
	       ctl_time(call->serving, serving),
	       ctl_time(abandoned ? 0 : field(event, "ns"), returning),
	       ctl_time(field(event, "total"), total), call->copies,
	       ctl_bytes(call->bytes, bytes), result);
	fflush(stdout);
}

/* One event; returns true when a call has ended. */
static bool take_event(const char *name, const char *time, const char *event)
{
	struct call *call = find_call(field(event, "id"));

	if (!strncmp(name, "call:", 5)) {
		new_call(event);
		return false;
	}
	/* Begun before the trace did */
	if (!call)
		return false;
	if (!strncmp(name, "receive:", 8)) {
		call->waiting = field(event, "ns");
	} else if (!strncmp(name, "copy:", 5)) {
		call->copies++;
		call->bytes += field(event, "done");
	} else if (!strncmp(name, "reply:", 6)) {
		call->serving = field(event, "ns");
		call->status = field(event, "status");
	} else if (!strncmp(name, "return:", 7) ||
		   !strncmp(name, "abandon:", 8)) {
		print_call(call, time, event, *name == 'a');
		forget_call(call);
		return true;
	}
	return false;
}

/* A line of the trace: "COMM-PID [CPU] FLAGS TIME: lsabuf_NAME: FIELDS". */
static bool take_line(char *line)
{
	char *event = strstr(line, ": lsabuf_");
	char *time;

	if (!event)
		return false;
	*event = 0;
	time = strrchr(line, ' ');
	return take_event(event + strlen(": lsabuf_"), time ? time + 1 : line,
			  event + 2);
}

static int read_trace(const char *path, unsigned long count)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	size_t room = 0;
	char *line = NULL;
	unsigned long n = 0;

	if (!file)
		return -errno;
	while (!interrupted && (!count || n < count) &&
	       getline(&line, &room, file) > 0)
		n += take_line(line);
	free(line);
	if (file != stdin)
		fclose(file);
	while (calls)
		forget_call(calls);
	return 0;
}

static void interrupt(int signal)
{
	interrupted = 1;
}

static int start(const char *instance)
{
	static const char *const events[] = { "call",  "receive", "copy",
					      "reply", "return",  "abandon" };
	char path[128];
	size_t i;
	int ret;

	if (mkdir(instance, 0700))
		return -errno;
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		snprintf(path, sizeof(path),
			 "%s/events/lsabuf/lsabuf_%s/enable", instance,
			 events[i]);
		ret = ctl_write(path, "1");
		if (ret)
			return ret;
	}
	return 0;
}

static int trace_live(unsigned long count)
{
	struct sigaction action = { .sa_handler = interrupt };
	char instance[64], path[96];
	int ret;

	snprintf(instance, sizeof(instance), TRACING "/instances/lsabufctl-%d",
		 getpid());
	/* The reading ends, and the instance does. */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGPIPE, &action, NULL);
	ret = start(instance);
	if (!ret) {
		print_heads();
		fflush(stdout);
		snprintf(path, sizeof(path), "%s/trace_pipe", instance);
		ret = read_trace(path, count);
	}
	rmdir(instance);
	return ret;
}

int ctl_trace(int argc, char **argv)
{
	static const struct option names[] = {
		{ "from", required_argument, NULL, 'f' },
		{ 0 },
	};
	unsigned long count = 0;
	const char *from = NULL;
	int option, ret;

	while ((option = getopt_long(argc, argv, "n:f:", names, NULL)) != -1) {
		if (option == 'f')
			from = optarg;
		else if (option != 'n' || !ctl_number(optarg, ~0U, &count))
			return ctl_usage(
				"trace takes -n CALLS and --from=FILE");
	}
	if (optind < argc)
		return ctl_usage("trace takes -n CALLS and --from=FILE");
	if (from) {
		print_heads();
		ret = read_trace(from, count);
		return ret ? ctl_error(from, ret) : CTL_OK;
	}
	if (!ctl_loaded()) {
		fputs("lsabufctl: the module is not loaded\n", stderr);
		return CTL_ABSENT;
	}
	ret = trace_live(count);
	return ret ? ctl_error("cannot trace (" TRACING ")", ret) : CTL_OK;
}
