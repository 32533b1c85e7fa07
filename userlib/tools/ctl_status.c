// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsabufctl status and top: who is there, what he holds, what it costs. */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"

/**
 * struct view - the module at one moment
 * @files: of the processes that this user may look into
 * @all: the summary, empty without root
 * @when: in nanoseconds
 */
struct view {
	struct ctl_list files;
	struct ctl_list all;
	unsigned long long when;
};

static void take_view(struct view *view)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	view->when = now.tv_sec * 1000000000ULL + now.tv_nsec;
	ctl_files(&view->files);
	ctl_summary(&view->all);
}

static void drop_view(struct view *view)
{
	ctl_list_free(&view->files);
	ctl_list_free(&view->all);
}

static bool has_role(const struct ctl_entry *entry, const char *role)
{
	return ctl_is(entry, "role", role);
}

/* A descriptor that was inherited or sent is the same file once more. */
static bool is_again(const struct view *view, size_t i, const char *key)
{
	const struct ctl_entry *entry = &view->files.entry[i];
	const char *role = ctl_text(entry, "role");
	size_t j;

	for (j = 0; j < i; j++)
		if (ctl_is(&view->files.entry[j], "role", role) &&
		    ctl_is(&view->files.entry[j], key, ctl_text(entry, key)))
			return true;
	return false;
}

#define FOR_EACH_FILE(view, i, name)                           \
	for ((i) = 0; (i) < (view)->files.nr; (i)++)           \
		if (has_role(&(view)->files.entry[i], name) && \
		    !is_again(view, i, name))

/* Calls a second since @before, or all where there is none. */
static unsigned long long calls(const struct view *view,
				const struct view *before,
				const struct ctl_entry *entry, const char *key)
{
	unsigned long long now = ctl_figure(entry, "calls");
	size_t i;

	if (!before)
		return now;
	for (i = 0; i < before->files.nr; i++)
		if (ctl_is(&before->files.entry[i], "role",
			   ctl_text(entry, "role")) &&
		    ctl_is(&before->files.entry[i], key, ctl_text(entry, key)))
			now -= ctl_figure(&before->files.entry[i], "calls");
	return now * 1000000000ULL / (view->when - before->when);
}

static void add_figures(struct ctl_table *table, const struct ctl_entry *entry)
{
	char bytes[16], memory[16];

	ctl_table_add(table, "%s", ctl_text(entry, "requests"));
	ctl_table_add(table, "%s", ctl_text(entry, "waiting-requests"));
	ctl_table_add(table, "%s", ctl_text(entry, "blocks"));
	ctl_table_add(table, "%s",
		      ctl_bytes(ctl_figure(entry, "bytes"), bytes));
	ctl_table_add(table, "%s",
		      ctl_bytes(ctl_figure(entry, "memory"), memory));
}

static void show_authorities(const struct view *view, const struct view *before)
{
	const char *const heads[] = { "ID",	 "<ENDPOINT",
				      "PID",	 "<COMMAND",
				      "CLIENTS", before ? "CALLS/S" : "CALLS",
				      "BUSY",	 "REQUESTS",
				      "WAITING", "BLOCKS",
				      "BYTES",	 "MEMORY",
				      NULL };
	const struct ctl_entry *entry;
	struct ctl_table table;
	size_t i;

	ctl_table_init(&table, heads);
	FOR_EACH_FILE(view, i, "authority")
	{
		entry = &view->files.entry[i];
		ctl_table_add(&table, "%s", ctl_text(entry, "authority"));
		ctl_table_add(&table, "%s", ctl_text(entry, "endpoint"));
		ctl_table_add(&table, "%d", entry->pid);
		ctl_table_add(&table, "%s", entry->comm);
		ctl_table_add(&table, "%s", ctl_text(entry, "clients"));
		ctl_table_add(&table, "%llu",
			      calls(view, before, entry, "authority"));
		ctl_table_add(&table, "%llu/%llu",
			      ctl_figure(entry, "busy-threads"),
			      ctl_figure(entry, "busy-threads") +
				      ctl_figure(entry, "waiting-threads"));
		add_figures(&table, entry);
	}
	ctl_table_print(&table, "Authorities");
}

static void show_clients(const struct view *view, const struct view *before)
{
	const char *const heads[] = { "ID",	  "<ENDPOINT",
				      "PID",	  "<COMMAND",
				      "<ACCESS",  before ? "CALLS/S" : "CALLS",
				      "REQUESTS", "WAITING",
				      "BLOCKS",	  "BYTES",
				      "MEMORY",	  NULL };
	const struct ctl_entry *entry;
	struct ctl_table table;
	size_t i;

	ctl_table_init(&table, heads);
	FOR_EACH_FILE(view, i, "client")
	{
		entry = &view->files.entry[i];
		ctl_table_add(&table, "%s", ctl_text(entry, "client"));
		ctl_table_add(&table, "%s", ctl_text(entry, "endpoint"));
		ctl_table_add(&table, "%d", entry->pid);
		ctl_table_add(&table, "%s", entry->comm);
		ctl_table_add(&table, "%s%s", ctl_text(entry, "access"),
			      ctl_figure(entry, "debuggable") ? "+debug" : "");
		ctl_table_add(&table, "%llu",
			      calls(view, before, entry, "client"));
		add_figures(&table, entry);
	}
	ctl_table_print(&table, "Clients");
}

static void show_sections(const struct view *view)
{
	static const char *const heads[] = { "ID",    "PID",   "<COMMAND",
					     "VIEWS", "BYTES", "RESERVED",
					     NULL };
	const struct ctl_entry *entry;
	char size[16], reserved[16];
	struct ctl_table table;
	size_t i;

	ctl_table_init(&table, heads);
	FOR_EACH_FILE(view, i, "section")
	{
		entry = &view->files.entry[i];
		ctl_table_add(&table, "%s", ctl_text(entry, "section"));
		ctl_table_add(&table, "%d", entry->pid);
		ctl_table_add(&table, "%s", entry->comm);
		ctl_table_add(&table, "%s", ctl_text(entry, "views"));
		ctl_table_add(&table, "%s",
			      ctl_bytes(ctl_figure(entry, "committed"), size));
		ctl_table_add(&table, "%s",
			      ctl_bytes(ctl_figure(entry, "committed-max"),
					reserved));
	}
	ctl_table_print(&table, "Sections");
}

/* Buffers outlive connections: those are in the summary alone. */
static void show_leftovers(const struct view *view)
{
	static const char *const heads[] = { "PID", "BLOCKS", "BYTES", "MEMORY",
					     NULL };
	const struct ctl_entry *entry;
	char bytes[16], memory[16];
	struct ctl_table table;
	size_t i;

	ctl_table_init(&table, heads);
	for (i = 0; i < view->all.nr; i++) {
		entry = &view->all.entry[i];
		if (!ctl_is(entry, "object", "space") ||
		    ctl_figure(entry, "connections"))
			continue;
		ctl_table_add(&table, "%s", ctl_text(entry, "pid"));
		ctl_table_add(&table, "%s", ctl_text(entry, "blocks"));
		ctl_table_add(&table, "%s",
			      ctl_bytes(ctl_figure(entry, "bytes"), bytes));
		ctl_table_add(&table, "%s",
			      ctl_bytes(ctl_figure(entry, "memory"), memory));
	}
	ctl_table_print(&table, "Buffers without a connection");
}

static unsigned long long sum(const struct view *view, const char *role,
			      const char *id, const char *key, size_t *count)
{
	unsigned long long total = 0;
	size_t i;

	*count = 0;
	for (i = 0; i < view->files.nr; i++) {
		if (!has_role(&view->files.entry[i], role) ||
		    is_again(view, i, id))
			continue;
		++*count;
		total += ctl_figure(&view->files.entry[i], key);
	}
	return total;
}

/* One line for all; arenas belong to processes, not to connections. */
static void show_totals(const struct view *view)
{
	unsigned long long memory, requests;
	size_t authorities, clients, i, unused;
	char text[16], drain[8] = "N";

	memory = sum(view, "authority", "authority", "memory", &authorities);
	requests = sum(view, "authority", "authority", "requests", &unused);
	sum(view, "client", "client", "calls", &clients);
	for (i = 0; i < view->all.nr; i++)
		if (ctl_is(&view->all.entry[i], "object", "space"))
			memory += ctl_figure(&view->all.entry[i], "memory");
	ctl_read_line(CTL_MODULE "/parameters/drain", drain, sizeof(drain));
	printf("%zu authorities, %zu clients, %llu requests", authorities,
	       clients, requests);
	if (view->all.nr)
		printf(", %s of memory", ctl_bytes(memory, text));
	puts(*drain == 'Y' ? "; draining" : "");
}

static void show_all(const struct view *view, const struct view *before)
{
	show_authorities(view, before);
	show_clients(view, before);
	show_sections(view);
	show_leftovers(view);
	show_totals(view);
	fflush(stdout);
	if (view->files.partial)
		fputs("lsabufctl: without root, only files of one's own processes are shown\n",
		      stderr);
}

static void print_json_list(const char *name, const struct view *view,
			    const char *role, const char *id)
{
	const char *comma = "";
	size_t i;

	printf("\"%s\":[", name);
	for (i = 0; i < view->files.nr; i++) {
		if (!has_role(&view->files.entry[i], role) ||
		    is_again(view, i, id))
			continue;
		fputs(comma, stdout);
		comma = ",";
		ctl_json_entry(&view->files.entry[i]);
	}
	printf("],");
}

static void print_json(const struct view *view)
{
	const char *comma = "";
	size_t i;

	putchar('{');
	print_json_list("authorities", view, "authority", "authority");
	print_json_list("clients", view, "client", "client");
	print_json_list("sections", view, "section", "section");
	printf("\"summary\":[");
	for (i = 0; i < view->all.nr; i++) {
		fputs(comma, stdout);
		comma = ",";
		ctl_json_entry(&view->all.entry[i]);
	}
	printf("],\"complete\":%s}\n", view->files.partial ? "false" : "true");
}

static int not_loaded(void)
{
	fputs("lsabufctl: the module is not loaded (modprobe lsabuf)\n",
	      stderr);
	return CTL_ABSENT;
}

int ctl_status(int argc, char **argv)
{
	bool json = argc > 1 && !strcmp(argv[1], "--json");
	struct view view;

	if (argc > 1 + json)
		return ctl_usage("status takes no word but --json");
	if (!ctl_loaded())
		return not_loaded();
	take_view(&view);
	if (json)
		print_json(&view);
	else
		show_all(&view, NULL);
	drop_view(&view);
	return CTL_OK;
}

int ctl_top(int argc, char **argv)
{
	unsigned long seconds = 2, rounds = 0, i;
	struct view view, before;
	int option;

	while ((option = getopt(argc, argv, "d:n:")) != -1)
		if ((option != 'd' || !ctl_number(optarg, 3600, &seconds)) &&
		    (option != 'n' || !ctl_number(optarg, ~0U, &rounds)))
			return ctl_usage("top takes -d SECONDS and -n ROUNDS");
	if (optind < argc || !seconds)
		return ctl_usage("top takes -d SECONDS and -n ROUNDS");
	if (!ctl_loaded())
		return not_loaded();
	take_view(&before);
	for (i = 0; !rounds || i < rounds; i++) {
		sleep(seconds);
		if (!ctl_loaded())
			return not_loaded();
		take_view(&view);
		if (isatty(STDOUT_FILENO) && getenv("TERM"))
			fputs("\033[H\033[J", stdout);
		show_all(&view, &before);
		drop_view(&before);
		before = view;
	}
	drop_view(&before);
	return CTL_OK;
}
