// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsabufctl holders and drain: what keeps the module from being unloaded. */
#define _GNU_SOURCE
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"

#define DRAIN CTL_MODULE "/parameters/drain"

static void describe_file(const struct ctl_entry *entry, char *text,
			  size_t size)
{
	const char *endpoint = ctl_text(entry, "endpoint");

	if (ctl_is(entry, "role", "authority"))
		snprintf(text, size,
			 "fd %d: authority of %s: %s clients, %s requests",
			 entry->fd, endpoint, ctl_text(entry, "clients"),
			 ctl_text(entry, "requests"));
	else if (ctl_is(entry, "role", "client"))
		snprintf(text, size,
			 "fd %d: client of %s: %s requests, %s blocks",
			 entry->fd, endpoint, ctl_text(entry, "requests"),
			 ctl_text(entry, "blocks"));
	else
		snprintf(text, size, "fd %d: %s", entry->fd,
			 ctl_is(entry, "role", "none") ?
				 "open, nothing else" :
				 ctl_text(entry, "role"));
}

/* Print who holds the module and why; returns how many lines. */
static size_t show_holders(bool *partial)
{
	static const char *const heads[] = { "PID", "<COMMAND", "<WHY", NULL };
	struct ctl_list files, mappings;
	struct ctl_table table;
	char why[256];
	size_t i, n;

	ctl_files(&files);
	ctl_mappings(&mappings);
	ctl_table_init(&table, heads);
	for (i = 0; i < files.nr; i++) {
		describe_file(&files.entry[i], why, sizeof(why));
		ctl_table_add(&table, "%d", files.entry[i].pid);
		ctl_table_add(&table, "%s", files.entry[i].comm);
		ctl_table_add(&table, "%s", why);
	}
	for (i = 0; i < mappings.nr; i++) {
		ctl_table_add(&table, "%d", mappings.entry[i].pid);
		ctl_table_add(&table, "%s", mappings.entry[i].comm);
		ctl_table_add(&table, "memory: %s, %s bytes",
			      ctl_text(&mappings.entry[i], "mapping"),
			      ctl_text(&mappings.entry[i], "size"));
	}
	n = files.nr + mappings.nr;
	*partial = files.partial;
	ctl_list_free(&files);
	ctl_list_free(&mappings);
	ctl_table_print(&table, "Holders of the module");
	return n;
}

static int references(void)
{
	char line[32];

	if (ctl_read_line(CTL_MODULE "/refcnt", line, sizeof(line)))
		return -1;
	return atoi(line);
}

static int show_all(void)
{
	int count = references();
	bool partial;

	if (show_holders(&partial))
		return count;
	if (count > 0 && partial)
		printf("%d references, by processes of others: root sees them\n",
		       count);
	else if (count > 0)
		printf("%d references by no process: a descriptor on its way over a socket?\n",
		       count);
	else
		puts("nothing holds the module");
	return count;
}

int ctl_holders(int argc, char **argv)
{
	if (argc > 1)
		return ctl_usage("holders takes no words");
	if (!ctl_loaded()) {
		fputs("lsabufctl: the module is not loaded\n", stderr);
		return CTL_ABSENT;
	}
	show_all();
	return CTL_OK;
}

/* No call under way and no buffer that somebody may still read. */
static bool holds_nothing(const struct ctl_entry *entry)
{
	return !ctl_figure(entry, "requests") && !ctl_figure(entry, "blocks") &&
	       !ctl_figure(entry, "clients");
}

/* Whether all that a process has of the module's holds nothing. */
static bool is_idle(const struct ctl_list *files, pid_t pid)
{
	size_t i;

	for (i = 0; i < files->nr; i++)
		if (files->entry[i].pid == pid &&
		    !holds_nothing(&files->entry[i]))
			return false;
	return true;
}

/* Ask processes to end that hold the module, but nothing in it. */
static void stop_idle(void)
{
	struct ctl_list files;
	size_t i;

	ctl_files(&files);
	for (i = 0; i < files.nr; i++) {
		if (!is_idle(&files, files.entry[i].pid) ||
		    (i && files.entry[i].pid == files.entry[i - 1].pid))
			continue;
		if (!kill(files.entry[i].pid, SIGTERM))
			printf("asked %d (%s) to end\n", files.entry[i].pid,
			       files.entry[i].comm);
	}
	ctl_list_free(&files);
}

/* Wait until nothing holds the module, at most so long. */
static bool wait_until_free(unsigned long seconds, bool stop)
{
	unsigned long tenths;

	for (tenths = 0; references() > 0; tenths++) {
		if (tenths >= seconds * 10)
			return false;
		if (stop && tenths % 10 == 0)
			stop_idle();
		usleep(100000);
	}
	return true;
}

int ctl_drain(int argc, char **argv)
{
	static const struct option names[] = {
		{ "wait", required_argument, NULL, 'w' },
		{ "stop", no_argument, NULL, 's' },
		{ "undo", no_argument, NULL, 'u' },
		{ 0 },
	};
	bool stop = false, undo = false;
	unsigned long seconds = 0;
	int option, ret;

	while ((option = getopt_long(argc, argv, "w:su", names, NULL)) != -1) {
		if (option == 's')
			stop = true;
		else if (option == 'u')
			undo = true;
		else if (option != 'w' || !ctl_number(optarg, 86400, &seconds))
			return ctl_usage(
				"drain takes --wait=SECONDS, --stop or --undo");
	}
	if (optind < argc || (undo && (stop || seconds)))
		return ctl_usage(
			"drain takes --wait=SECONDS, --stop or --undo");
	if (!ctl_loaded()) {
		fputs("lsabufctl: the module is not loaded\n", stderr);
		return CTL_ABSENT;
	}
	ret = ctl_write(DRAIN, undo ? "N" : "Y");
	if (ret)
		return ctl_error("cannot write " DRAIN, ret);
	if (undo)
		return CTL_OK;
	if (stop && !seconds)
		seconds = 5;
	if (wait_until_free(seconds, stop)) {
		puts("drained: rmmod lsabuf will succeed");
		return CTL_OK;
	}
	show_all();
	return CTL_FAILED;
}
