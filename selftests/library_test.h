/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the library share: an lsahost that a keeper starts and
 * ends, calls of its packages, and a fixture with one host and this process
 * as its client.
 *
 * Host and packages are those of the tree that the program was built in;
 * LSABUF_USERLIB names another place.
 */
#ifndef LIBRARY_TEST_H
#define LIBRARY_TEST_H

#include "lsabuf_test.h"

#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <windows.h>
#include <ntstatus.h>
#include <ntsecapi.h>
#include <ntsecpkg.h>

#include <lsabuf.h>
#include <lsabuf_account.h>

/* Found beside the public headers of the tree */
#include "../packages/probe.h"
#include "../src/protocol.h"

/* A group that lsahost is told to trust */
#define TRUSTED_GROUP 4242
#define TRUSTED_GROUP_TEXT "4242"

/*
 * The keeper: a child that stays root, and starts and ends lsahost when told
 */

enum keeper_command { KEEPER_START, KEEPER_KILL, KEEPER_TERM };

static char notify_name[64];

static inline int notify_listen(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_usec = 100000 };
	int fd;

	snprintf(notify_name, sizeof(notify_name), "@lsabuf-test-%d", getpid());
	memcpy(address.sun_path + 1, notify_name + 1, strlen(notify_name) - 1);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (bind(fd, (struct sockaddr *)&address,
		 offsetof(struct sockaddr_un, sun_path) + strlen(notify_name)))
		return -1;
	return fd;
}

/* Wait for a notice of the host, as long as it lives or has just ended */
static inline bool hear_notice(int notices, pid_t host, const char *expected)
{
	char text[64] = "";
	bool lives;

	do {
		lives = host && waitpid(host, NULL, WNOHANG) == 0;
		if (recv(notices, text, sizeof(text) - 1, 0) > 0)
			return !strcmp(text, expected);
	} while (lives);
	return false;
}

static inline void exec_host(const char *endpoint, const char *threads)
{
	char host[PATH_MAX + 20], packages[PATH_MAX + 20];
	char portable[PATH_MAX + 30];

	snprintf(host, sizeof(host), "%s/host/lsahost", userlib());
	snprintf(packages, sizeof(packages), "%s/packages", userlib());
	snprintf(portable, sizeof(portable), "%s/examples/portable.so",
		 userlib());
	setenv("NOTIFY_SOCKET", notify_name, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execl(host, "lsahost", getenv("LSABUF_TEST_VERBOSE") ? "-v" : "-q",
	      "-e", endpoint, "-t", threads, "-g", TRUSTED_GROUP_TEXT, "-P",
	      packages, "account", "probe", portable, NULL);
	fprintf(stderr, "# %s: %s\n", host, strerror(errno));
	_exit(127);
}

static inline int keeper_obey(int notices, int command, const char *endpoint,
			      const char *threads)
{
	static pid_t host;
	int status;

	if (command == KEEPER_START) {
		host = fork();
		if (!host)
			exec_host(endpoint, threads);
		return hear_notice(notices, host, "READY=1") ? 0 : -1;
	}
	if (host <= 0)
		return 0;
	kill(host, command == KEEPER_KILL ? SIGKILL : SIGTERM);
	waitpid(host, &status, 0);
	host = 0;
	if (command == KEEPER_KILL)
		return 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return -1;
	return hear_notice(notices, 0, "STOPPING=1") ? 0 : -1;
}

static inline void keeper_main(int orders, const char *endpoint,
			       const char *threads)
{
	int notices = notify_listen();
	int command, answer;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(orders, &command, sizeof(command)) == sizeof(command)) {
		answer = keeper_obey(notices, command, endpoint, threads);
		if (write(orders, &answer, sizeof(answer)) < 0)
			break;
	}
	keeper_obey(notices, KEEPER_KILL, endpoint, threads);
	_exit(0);
}

/* The socket to order it about, or -1 */
static inline int keeper_start(const char *endpoint, const char *threads)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	if (!fork()) {
		close(pair[0]);
		keeper_main(pair[1], endpoint, threads);
	}
	close(pair[1]);
	return pair[0];
}

static inline int order(int keeper, enum keeper_command command)
{
	int number = command, answer;

	if (write(keeper, &number, sizeof(number)) != sizeof(number) ||
	    read(keeper, &answer, sizeof(answer)) != sizeof(answer))
		return -1;
	return answer;
}

/*
 * Calls
 */

/**
 * struct result - what came of a call
 * @status: of the call
 * @protocol: of the package
 * @buffer: the return buffer
 * @length: its length in bytes
 */
struct result {
	NTSTATUS status;
	NTSTATUS protocol;
	PVOID buffer;
	ULONG length;
};

static inline struct result call(HANDLE lsa, ULONG package, const void *message,
				 ULONG length)
{
	struct result result;

	memset(&result, 0xcc, sizeof(result));
	result.status = LsaCallAuthenticationPackage(
		lsa, package, (PVOID)message, length, &result.buffer,
		&result.length, &result.protocol);
	return result;
}

static inline ULONG find_package(HANDLE lsa, const char *text)
{
	ULONG id = ~0U;
	STRING name;

	RtlInitString(&name, text);
	if (LsaLookupAuthenticationPackage(lsa, &name, &id))
		return ~0U;
	return id;
}

#define MAX_PAYLOAD 4096

static inline struct result probe_with(HANDLE lsa, ULONG package, ULONG code,
				       ULONG argument, const void *address,
				       const void *payload, ULONG length)
{
	static __thread union {
		struct probe_message message;
		UCHAR bytes[sizeof(struct probe_message) + MAX_PAYLOAD];
	} submit;

	submit.message.code = code;
	submit.message.argument = argument;
	submit.message.address = to_u64(address);
	if (length)
		memcpy(submit.message.payload, payload, length);
	return call(lsa, package, &submit, sizeof(submit.message) + length);
}

/*
 * FIXTURE(library) - an lsahost, and this process as its client
 * @keeper: ends and starts it
 * @lsa: handle of LsaConnectUntrusted()
 * @probe: id of the package "probe"
 * @account: id of the package "account"
 */
FIXTURE(library)
{
	int keeper;
	HANDLE lsa;
	ULONG probe;
	ULONG account;
};

/* An lsahost of this test's own, which the library finds; its keeper, or -1 */
static inline int host_start(void)
{
	char endpoint[LSABUF_ENDPOINT_LEN];
	int keeper;

	snprintf(endpoint, sizeof(endpoint), "library-%d", getpid());
	setenv("LSABUF_ENDPOINT", endpoint, 1);
	keeper = keeper_start(endpoint, "8");
	if (keeper < 0 || order(keeper, KEEPER_START))
		return -1;
	return keeper;
}

FIXTURE_SETUP(library)
{
	self->keeper = host_start();
	ASSERT_LE(0, self->keeper);
	become_user(NOBODY);
	ASSERT_EQ(STATUS_SUCCESS, LsaConnectUntrusted(&self->lsa));
	self->probe = find_package(self->lsa, PROBE_PACKAGE_NAME);
	self->account = find_package(self->lsa, ACCOUNT_PACKAGE_NAME);
	ASSERT_EQ(1, self->probe);
	ASSERT_EQ(0, self->account);
}

FIXTURE_TEARDOWN(library)
{
	close(self->keeper);
}

#define PROBE(_code, _argument, _address, _payload, _length)           \
	probe_with(self->lsa, self->probe, _code, _argument, _address, \
		   _payload, _length)

/* The protocol status of a call that has to reach the package */
static inline NTSTATUS outcome(struct result result)
{
	return result.status ? STATUS_INTERNAL_ERROR : result.protocol;
}

static inline PVOID allocate(HANDLE lsa, ULONG package, ULONG length)
{
	struct result result =
		probe_with(lsa, package, PROBE_ALLOCATE, length, NULL, NULL, 0);

	return outcome(result) ? NULL : result.buffer;
}

#define ALLOCATE(_length) allocate(self->lsa, self->probe, _length)

static inline NTSTATUS lookup(HANDLE lsa, const char *text, size_t length)
{
	STRING name = { length, length, (PCHAR)text };
	ULONG id;

	return LsaLookupAuthenticationPackage(lsa, &name, &id);
}

/* The lines of /proc/self/maps that show arenas, to be freed */
static inline char *read_arenas(void)
{
	char *arenas = calloc(1, 65536), line[512];
	FILE *maps = fopen("/proc/self/maps", "re");

	while (fgets(line, sizeof(line), maps)) {
		if (strstr(line, "lsabuf:"))
			strcat(arenas, line);
	}
	fclose(maps);
	return arenas;
}

static inline bool arenas_unchanged(char *before)
{
	char *after = read_arenas();
	bool same = !strcmp(before, after);

	if (!same)
		fprintf(stderr, "# before:\n%s# after:\n%s", before, after);
	free(before);
	free(after);
	return same;
}

struct caller {
	pthread_t thread;
	HANDLE lsa;
	ULONG probe;
	ULONG ms;
	struct result result;
};

static inline void *sleep_in_call(void *argument)
{
	struct caller *caller = argument;

	caller->result = probe_with(caller->lsa, caller->probe, PROBE_SLEEP,
				    caller->ms, NULL, "slept", 6);
	return NULL;
}

static inline void lose_descriptors(int keeper)
{
	close_range(3, keeper - 1, 0);
	close_range(keeper + 1, ~0U, 0);
}

#endif /* LIBRARY_TEST_H */
