// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * lsacall: calls a package of the local security authority and shows what came
 * back, and where in this process it lies.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <windows.h>
#include <ntstatus.h>
#include <ntsecapi.h>

#include <lsabuf.h>
#include <lsabuf_account.h>

#include "call.h"

struct options {
	const char *package;
	const char *hex;
	const char *uid;
	bool small_copies;
	bool by_offset;
	bool getent;
	bool all;
	bool cached;
};

static const char usage[] =
	"usage: lsacall [options] account NAME...\n"
	"       lsacall [options] account --uid=N\n"
	"       lsacall [options] account --all\n"
	"       lsacall [options] --package=PACKAGE [--hex=BYTES]\n"
	"Call a package of the local security authority and show the reply.\n"
	"\n"
	"  -d, --device=FILE     device (default: $LSABUF_DEVICE, or\n"
	"                        " LSABUF_DEVICE_DEFAULT ")\n"
	"  -e, --endpoint=NAME   endpoint of the authority (default:\n"
	"                        $LSABUF_ENDPOINT, or\n"
	"                        " LSABUF_ENDPOINT_DEFAULT ")\n"
	"  -h, --help            show this\n"
	"  -V, --version         show the version\n"
	"\n"
	"Questions about users:\n"
	"  -u, --uid=N           ask for a user id\n"
	"  -a, --all             ask for every user of the local database\n"
	"  -s, --small-copies    let the package copy its reply in small pieces\n"
	"  -o, --by-offset       give the name's offset rather than its address\n"
	"  -c, --cached          look into memory shared with the package first, twice\n"
	"  -g, --getent          print one line for each user, as getent passwd does\n"
	"\n"
	"Any package:\n"
	"  -p, --package=NAME    the package to call\n"
	"  -x, --hex=BYTES       submit buffer, two hexadecimal digits for a byte\n";

static void fail_usage(const char *reason)
{
	fprintf(stderr, "lsacall: %s\nTry: lsacall --help\n", reason);
	exit(2);
}

/* Text of the authority's goes to terminals: no control characters */
static void print_string(const UNICODE_STRING *string)
{
	ANSI_STRING text;
	USHORT i;

	if (!NT_SUCCESS(RtlUnicodeStringToAnsiString(&text, string, TRUE)))
		return;
	for (i = 0; i < text.Length; i++)
		putchar(iscntrl((unsigned char)text.Buffer[i]) ?
				'?' :
				text.Buffer[i]);
	RtlFreeAnsiString(&text);
}

/*
 * Users
 */

static void print_field(const char *title, const UNICODE_STRING *string)
{
	printf("%-10s ", title);
	print_string(string);
	putchar('\n');
}

static void print_account(const ACCOUNT_INFORMATION *account)
{
	ULONG i;

	print_field("name", &account->Name);
	printf("uid        %u\n", account->UserId);
	printf("gid        %u\n", account->GroupId);
	print_field("comment", &account->Comment);
	print_field("home", &account->Home);
	print_field("shell", &account->Shell);
	printf("groups    ");
	for (i = 0; i < account->GroupCount; i++)
		printf(" %u", account->Groups[i]);
	putchar('\n');
}

static void print_getent(const ACCOUNT_INFORMATION *account)
{
	print_string(&account->Name);
	putchar(':');
	print_string(&account->Password);
	printf(":%u:%u:", account->UserId, account->GroupId);
	print_string(&account->Comment);
	putchar(':');
	print_string(&account->Home);
	putchar(':');
	print_string(&account->Shell);
	putchar('\n');
}

/* The query with the name behind it; the caller frees it */
static ACCOUNT_QUERY *make_query(const struct options *options,
				 const char *name, ULONG *length)
{
	ACCOUNT_QUERY *query;
	PWSTR units;
	ULONG used;

	query = calloc(1, sizeof(*query) + strlen(name) * sizeof(WCHAR));
	if (!query)
		return NULL;
	units = (PWSTR)(query + 1);
	RtlUTF8ToUnicodeN(units, strlen(name) * sizeof(WCHAR), &used, name,
			  strlen(name));
	query->MessageType = options->small_copies ? AccountQueryByNamePieces :
						     AccountQueryByName;
	query->Name.Buffer = units;
	if (options->by_offset)
		query->Name.Buffer = (PWSTR)sizeof(*query);
	query->Name.Length = used;
	query->Name.MaximumLength = used;
	*length = sizeof(*query) + used;
	return query;
}

static bool show_answer(HANDLE lsa, ULONG id, const struct options *options,
			ACCOUNT_QUERY *query, ULONG query_length)
{
	NTSTATUS status, protocol_status;
	ULONG length;
	PVOID buffer;

	status = LsaCallAuthenticationPackage(lsa, id, query, query_length,
					      &buffer, &length,
					      &protocol_status);
	if (!call_check("call", status) ||
	    !call_check("answer", protocol_status)) {
		LsaFreeReturnBuffer(buffer);
		return false;
	}
	if (options->getent) {
		print_getent(buffer);
	} else {
		call_print_caller(ACCOUNT_PACKAGE_NAME, id);
		call_print_buffer(buffer, length);
		print_account(buffer);
	}
	return call_free_buffer(buffer, !options->getent);
}

/*
 * Twice: what was not in the cache the first time is there the second time,
 * and found without a system call
 */
static bool ask_cached(HANDLE lsa, const char *name)
{
	struct lsabuf_account account;
	const void *cache;
	int i, missed;

	if (!call_check("cache", lsabuf_account_open(lsa, &cache)))
		return false;
	printf("cache      %p, %zu bytes\n", cache,
	       lsabuf_account_cache_size());
	call_print_mapping(cache);
	for (i = 0; i < 2; i++) {
		missed = lsabuf_account_find(cache, name, &account);
		if (missed &&
		    !call_check(name,
				lsabuf_account_get(lsa, cache, name, &account)))
			return false;
		printf("%-10s %s: uid %u, gid %u, %s\n",
		       missed ? "asked" : "hit", name, account.uid, account.gid,
		       account.strings[LSABUF_ACCOUNT_HOME]);
	}
	return !missed;
}

static bool ask_by_name(HANDLE lsa, ULONG id, const struct options *options,
			const char *name)
{
	ACCOUNT_QUERY *query;
	ULONG length;
	bool done;

	if (strlen(name) > UNICODE_STRING_MAX_CHARS)
		return call_check(name, STATUS_NAME_TOO_LONG);
	query = make_query(options, name, &length);
	if (!query)
		return call_check(name, STATUS_NO_MEMORY);
	done = show_answer(lsa, id, options, query, length);
	if (!done)
		fprintf(stderr, "lsacall: the question was about \"%s\"\n",
			name);
	free(query);
	return done;
}

static bool ask_by_id(HANDLE lsa, ULONG id, const struct options *options)
{
	ACCOUNT_QUERY query = {
		.MessageType = options->small_copies ? AccountQueryByIdPieces :
						       AccountQueryById,
	};
	unsigned long uid;
	char *end;

	errno = 0;
	uid = strtoul(options->uid, &end, 10);
	if (errno || end == options->uid || *end || uid > MAXULONG)
		fail_usage("the user id is not a number");
	query.UserId = uid;
	return show_answer(lsa, id, options, &query, sizeof(query));
}

static bool ask_for_all(HANDLE lsa, ULONG id, const struct options *options)
{
	struct passwd *entry;
	bool done = true;

	setpwent();
	while ((entry = getpwent()))
		done = ask_by_name(lsa, id, options, entry->pw_name) && done;
	endpwent();
	return done;
}

static bool ask(HANDLE lsa, ULONG id, const struct options *options,
		char **names)
{
	bool done = true;

	if (options->uid)
		return ask_by_id(lsa, id, options);
	if (options->all)
		return ask_for_all(lsa, id, options);
	for (; *names; names++)
		done = (options->cached ?
				ask_cached(lsa, *names) :
				ask_by_name(lsa, id, options, *names)) &&
		       done;
	return done;
}

static bool call_any(HANDLE lsa, ULONG id, const struct options *options)
{
	unsigned char *submit;
	ULONG length;
	bool done;

	submit = call_parse_hex(options->hex, &length);
	if (!submit)
		fail_usage("--hex takes two hexadecimal digits for each byte");
	done = call_any_package(lsa, id, options->package, submit, length,
				false);
	free(submit);
	return done;
}

static bool run(const struct options *options, char **names)
{
	bool done = false;
	HANDLE lsa;
	ULONG id;

	if (!call_open(options->package, &lsa, &id))
		return false;
	if (options->hex)
		done = call_any(lsa, id, options);
	else
		done = ask(lsa, id, options, names);
	LsaDeregisterLogonProcess(lsa);
	return done;
}

static void parse_option(int option, struct options *options)
{
	switch (option) {
	case 'd':
		setenv("LSABUF_DEVICE", optarg, 1);
		break;
	case 'e':
		setenv("LSABUF_ENDPOINT", optarg, 1);
		break;
	case 'u':
		options->uid = optarg;
		break;
	case 'a':
		options->all = true;
		break;
	case 's':
		options->small_copies = true;
		break;
	case 'o':
		options->by_offset = true;
		break;
	case 'c':
		options->cached = true;
		break;
	case 'g':
		options->getent = true;
		break;
	case 'p':
		options->package = optarg;
		break;
	case 'x':
		options->hex = optarg;
		break;
	case 'h':
		fputs(usage, stdout);
		exit(0);
	case 'V':
		printf("lsacall %s\n", lsabuf_version());
		exit(0);
	default:
		fputs("Try: lsacall --help\n", stderr);
		exit(2);
	}
}

/* What remains of the command line: "account" and names, or nothing */
static char **check_words(char **words, struct options *options)
{
	if (options->package) {
		if (*words)
			fail_usage("--package takes no further words");
		if (!options->hex)
			options->hex = "";
		return words;
	}
	if (options->hex)
		fail_usage("--hex needs --package");
	if (!*words)
		fail_usage("nothing to ask");
	if (strcmp(*words, ACCOUNT_PACKAGE_NAME))
		fail_usage("questions begin with the word account");
	options->package = ACCOUNT_PACKAGE_NAME;
	words++;
	if (!!*words + !!options->uid + options->all != 1)
		fail_usage("name users, or give --uid, or --all");
	return words;
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "endpoint", required_argument, NULL, 'e' },
		{ "uid", required_argument, NULL, 'u' },
		{ "all", no_argument, NULL, 'a' },
		{ "small-copies", no_argument, NULL, 's' },
		{ "by-offset", no_argument, NULL, 'o' },
		{ "cached", no_argument, NULL, 'c' },
		{ "getent", no_argument, NULL, 'g' },
		{ "package", required_argument, NULL, 'p' },
		{ "hex", required_argument, NULL, 'x' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	struct options options = { 0 };
	int option;

	while ((option = getopt_long(argc, argv, "d:e:u:asocgp:x:hV", names,
				     NULL)) != -1)
		parse_option(option, &options);
	return !run(&options, check_words(argv + optind, &options));
}
