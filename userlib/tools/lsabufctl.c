// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * lsabufctl: what an administrator asks of /dev/lsabuf. Each command is
 * described in lsabufctl(8).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lsabuf.h>

#include "call.h"
#include "ctl.h"

static const char usage[] =
	"usage: lsabufctl COMMAND\n"
	"Look after /dev/lsabuf: who serves, who calls, what it holds.\n"
	"\n"
	"  status [--json]            authorities, clients, requests, memory\n"
	"  top [-d SECONDS] [-n N]    the same again and again, with calls a second\n"
	"  call PACKAGE [--hex=BYTES | --file=FILE] [--raw]\n"
	"                             call a package with a message, show the reply\n"
	"  trace [-n CALLS] [--from=FILE]\n"
	"                             a line for each call, with its stages\n"
	"  holders                    what keeps the module from being unloaded\n"
	"  drain [--wait=SECONDS] [--stop] [--undo]\n"
	"                             refuse newcomers, until rmmod will succeed\n"
	"  endpoint list              who may serve\n"
	"  endpoint allow NAME WHO    let uid=N, gid=N, user=NAME or group=NAME serve\n"
	"  endpoint disallow NAME WHO take that back\n"
	"  doctor                     look for what is commonly wrong\n"
	"\n"
	"  -h, --help                 show this\n"
	"  -V, --version              show the version\n"
	"\n"
	"Exit status: 0 done; 1 failed, or in use; 2 wrong words; 3 takes root;\n"
	"4 the module is not loaded.\n";

int ctl_usage(const char *reason)
{
	fprintf(stderr, "lsabufctl: %s\nTry: lsabufctl --help\n", reason);
	return CTL_USAGE;
}

/* Tell of -errno, and what status to end with. */
int ctl_error(const char *what, int error)
{
	bool denied = error == -EACCES || error == -EPERM;

	fprintf(stderr, "lsabufctl: %s: %s%s\n", what, strerror(-error),
		denied && geteuid() ? " (this takes root)" : "");
	return denied ? CTL_DENIED : CTL_FAILED;
}

bool ctl_number(const char *text, unsigned long max, unsigned long *number)
{
	char *end;

	errno = 0;
	*number = strtoul(text, &end, 10);
	return !errno && end != text && !*end && *text != '-' && *number <= max;
}

/*
 * endpoint
 */

/* What comes behind @word in @text, or NULL. */
static const char *behind(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) ? NULL : text + strlen(word);
}

/* Whom "uid=N", "gid=N", "user=NAME" or "group=NAME" means. */
static bool parse_who(const char *text, uint32_t *id, uint32_t *flags)
{
	unsigned long number;
	struct passwd *user;
	struct group *group;
	const char *rest;

	*flags = behind(text, "g") ? LSABUF_ENDPOINT_F_GROUP : 0;
	rest = behind(text, "uid=") ?: behind(text, "gid=");
	if (rest) {
		*id = number = 0;
		if (!ctl_number(rest, 0xfffffffe, &number))
			return false;
		*id = number;
		return true;
	}
	rest = behind(text, "user=");
	user = rest ? getpwnam(rest) : NULL;
	if (user)
		*id = user->pw_uid;
	rest = behind(text, "group=");
	group = rest ? getgrnam(rest) : NULL;
	if (group)
		*id = group->gr_gid;
	return user || group;
}

static int list_permissions(void)
{
	static const char *const heads[] = { "<ENDPOINT", "<WHO", NULL };
	const struct ctl_entry *entry;
	struct ctl_table table;
	struct ctl_list list;
	size_t i;
	int ret;

	ret = ctl_summary(&list);
	if (ret)
		return ctl_error(CTL_SUMMARY, ret);
	ctl_table_init(&table, heads);
	for (i = 0; i < list.nr; i++) {
		entry = &list.entry[i];
		if (!ctl_is(entry, "object", "permission"))
			continue;
		ctl_table_add(&table, "%s", ctl_text(entry, "endpoint"));
		if (*ctl_text(entry, "gid"))
			ctl_table_add(&table, "gid=%s", ctl_text(entry, "gid"));
		else
			ctl_table_add(&table, "uid=%s", ctl_text(entry, "uid"));
	}
	ctl_list_free(&list);
	ctl_table_print(&table, "May serve, besides root");
	return CTL_OK;
}

int ctl_endpoint(int argc, char **argv)
{
	bool allow = argc > 1 && !strcmp(argv[1], "allow");
	uint32_t id, flags;
	int fd, ret;

	if (argc == 2 && !strcmp(argv[1], "list"))
		return list_permissions();
	if (argc != 4 || (!allow && strcmp(argv[1], "disallow")))
		return ctl_usage(
			"endpoint takes list, or allow or disallow, NAME and WHO");
	if (!parse_who(argv[3], &id, &flags))
		return ctl_usage(
			"WHO is uid=N, gid=N, user=NAME or group=NAME, of those that exist");
	fd = lsabuf_open(NULL);
	if (fd < 0)
		return fd == -ENOENT || fd == -ENXIO ?
			       (ctl_error("cannot open the device", fd),
				CTL_ABSENT) :
			       ctl_error("cannot open the device", fd);
	if (allow)
		ret = lsabuf_endpoint_allow(fd, argv[2], id, flags);
	else
		ret = lsabuf_endpoint_disallow(fd, argv[2], id, flags);
	lsabuf_close(fd);
	return ret ? ctl_error(argv[2], ret) : CTL_OK;
}

/*
 * call
 */

/* All of a file, or of standard input for "-"; the caller frees it. */
static unsigned char *read_all(const char *path, ULONG *length)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	size_t room = 4096, used = 0, n;
	unsigned char *bytes = malloc(room);

	while (file && bytes &&
	       (n = fread(bytes + used, 1, room - used, file)) > 0) {
		used += n;
		if (used == room)
			bytes = realloc(bytes, room *= 2);
	}
	if (!file || ferror(file)) {
		free(bytes);
		bytes = NULL;
	}
	if (file && file != stdin)
		fclose(file);
	*length = used;
	return bytes;
}

int ctl_call(int argc, char **argv)
{
	static const struct option names[] = {
		{ "hex", required_argument, NULL, 'x' },
		{ "file", required_argument, NULL, 'f' },
		{ "raw", no_argument, NULL, 'r' },
		{ 0 },
	};
	const char *hex = "", *path = NULL;
	unsigned char *submit;
	bool raw = false, done = false;
	ULONG id, length;
	HANDLE lsa;
	int option;

	while ((option = getopt_long(argc, argv, "x:f:r", names, NULL)) != -1) {
		if (option == 'x')
			hex = optarg;
		else if (option == 'f')
			path = optarg;
		else if (option == 'r')
			raw = true;
		else
			return ctl_usage("call does not know that option");
	}
	if (optind != argc - 1 || (path && *hex))
		return ctl_usage("call takes a package and one message");
	submit = path ? read_all(path, &length) : call_parse_hex(hex, &length);
	if (!submit && path)
		return ctl_error(path, -errno);
	if (!submit)
		return ctl_usage(
			"--hex takes two hexadecimal digits for each byte");
	if (call_open(argv[optind], &lsa, &id)) {
		done = call_any_package(lsa, id, argv[optind], submit, length,
					raw);
		LsaDeregisterLogonProcess(lsa);
	}
	free(submit);
	return done ? CTL_OK : CTL_FAILED;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = {
		{ "status", ctl_status },     { "top", ctl_top },
		{ "call", ctl_call },	      { "trace", ctl_trace },
		{ "holders", ctl_holders },   { "drain", ctl_drain },
		{ "endpoint", ctl_endpoint }, { "doctor", ctl_doctor },
	};
	const char *word = argc > 1 ? argv[1] : "";
	size_t i;

	if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
		fputs(usage, stdout);
		return CTL_OK;
	}
	if (!strcmp(word, "--version") || !strcmp(word, "-V")) {
		printf("lsabufctl %s\n", lsabuf_version());
		return CTL_OK;
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(word, commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	return ctl_usage(*word ? "there is no such command" : "say what to do");
}
