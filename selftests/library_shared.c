// SPDX-License-Identifier: GPL-2.0
/*
 * Shared memory as packages have it by the function table alone: a package that
 * knows nothing of lsabuf, and clients that call it by ntsecapi.h.
 */
#include "lsabuf_test.h"

#include <pwd.h>
#include <linux/seccomp.h>

#include <windows.h>
#include <ntstatus.h>
#include <ntsecapi.h>

#include <lsabuf.h>
#include <lsabuf_account.h>

/* Found beside the public headers of the tree */
#include "../packages/share.h"

static char endpoint[LSABUF_ENDPOINT_LEN];
static char program[PATH_MAX];

/* An lsahost with the package; ready once it is found by a client. */
static pid_t start_host(const char *threads)
{
	char host[PATH_MAX + 20], packages[PATH_MAX + 20];
	pid_t pid = fork();

	if (pid)
		return pid;
	snprintf(host, sizeof(host), "%s/host/lsahost", userlib());
	snprintf(packages, sizeof(packages), "%s/packages", userlib());
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execl(host, "lsahost", "-q", "-e", endpoint, "-t", threads, "-P",
	      packages, "share", "account", NULL);
	_exit(127);
}

struct result {
	NTSTATUS status;
	NTSTATUS protocol;
	PVOID address;
};

/* What the package answers; the address that the reply holds. */
static struct result call(HANDLE lsa, ULONG code, ULONG argument,
			  const void *address)
{
	struct share_message message = {
		.code = code,
		.argument = argument,
		.address = to_u64(address),
	};
	struct result result = {};
	PVOID buffer;
	ULONG length;

	result.status = LsaCallAuthenticationPackage(lsa, 0, &message,
						     sizeof(message), &buffer,
						     &length, &result.protocol);
	if (length == sizeof(result.address))
		memcpy(&result.address, buffer, length);
	LsaFreeReturnBuffer(buffer);
	return result;
}

static bool connect_host(HANDLE *lsa)
{
	__u64 end = now_ns() + AT_ONCE_NS;

	/* It may not have begun to serve yet. */
	while (LsaConnectUntrusted(lsa)) {
		if (now_ns() > end)
			return false;
		sleep_ms(5);
	}
	return true;
}

/*
 * Clients: children that tell what they saw in shared memory of the test's
 */

/**
 * struct report - of a client
 * @address: that it was given
 * @status: of its call
 * @seen: the byte there
 */
struct report {
	uint64_t address;
	NTSTATUS status;
	int seen;
};

/**
 * FIXTURE(shared) - an lsahost with the package "share"
 * @host: its process
 * @lsa: handle of this process, which is not privileged any more
 */
FIXTURE(shared)
{
	pid_t host;
	HANDLE lsa;
};

FIXTURE_SETUP(shared)
{
	ssize_t length =
		readlink("/proc/self/exe", program, sizeof(program) - 1);

	ASSERT_LT(0, length);
	snprintf(endpoint, sizeof(endpoint), "shared-%d", getpid());
	setenv("LSABUF_ENDPOINT", endpoint, 1);
	self->host = start_host("8");
	become_user(0);
	ASSERT_TRUE(connect_host(&self->lsa));
}

FIXTURE_TEARDOWN(shared)
{
	kill(self->host, SIGKILL);
	waitpid(self->host, NULL, 0);
}

#define CALL(...) call(self->lsa, __VA_ARGS__)

static bool is_good(struct result result)
{
	return !result.status && !result.protocol && result.address;
}

/* A child with a connection of its own: writes @byte, or reads. */
static struct report in_child(int write_byte)
{
	struct report report = { .status = STATUS_UNSUCCESSFUL };
	struct result result;
	int pipes[2];
	HANDLE lsa;
	pid_t pid;

	if (pipe(pipes))
		return report;
	pid = fork();
	if (!pid) {
		become_user(NOBODY);
		if (!connect_host(&lsa))
			_exit(1);
		result = call(lsa, SHARE_COMMON, 0, NULL);
		report.status = result.status;
		report.address = to_u64(result.address);
		if (!result.status && write_byte >= 0)
			*(volatile unsigned char *)result.address = write_byte;
		if (!result.status)
			report.seen = *(volatile unsigned char *)result.address;
		_exit(write(pipes[1], &report, sizeof(report)) < 0);
	}
	close(pipes[1]);
	if (read(pipes[0], &report, sizeof(report)) < 0)
		report.status = STATUS_UNSUCCESSFUL;
	close(pipes[0]);
	waitpid(pid, NULL, 0);
	return report;
}

TEST_F(shared, two_clients_see_each_other)
{
	struct report first = in_child(123), second = in_child(-1);

	EXPECT_EQ(STATUS_SUCCESS, first.status);
	EXPECT_EQ(STATUS_SUCCESS, second.status);
	EXPECT_EQ(first.address, second.address);
	EXPECT_EQ(123, second.seen);
	/* And this process, which was there before */
	struct result own = CALL(SHARE_COMMON, 0, NULL);

	ASSERT_TRUE(is_good(own));
	EXPECT_EQ(first.address, to_u64(own.address));
	EXPECT_EQ(123, *(unsigned char *)own.address);
}

TEST_F(shared, made_in_a_call)
{
	struct result common = CALL(SHARE_COMMON, 0, NULL);
	struct result fresh = CALL(SHARE_NEW, 0, NULL);
	struct mapping map;

	ASSERT_TRUE(is_good(common));
	ASSERT_TRUE(is_good(fresh));
	EXPECT_STREQ("new", fresh.address);
	ASSERT_TRUE(find_mapping(getpid(), to_u64(fresh.address), &map));
	EXPECT_STREQ("rw-s", map.prot);
	/* Mentioned nowhere but in the memory itself */
	fresh = CALL(SHARE_NEW_THERE, 0, NULL);
	EXPECT_EQ(STATUS_SUCCESS, fresh.protocol);
	EXPECT_STREQ("new", *(char **)common.address);
}

TEST_F(shared, rules)
{
	EXPECT_EQ(STATUS_SUCCESS, CALL(SHARE_RULES, 0, NULL).protocol);
}

TEST_F(shared, blocks)
{
	struct result a = CALL(SHARE_ALLOCATE, 100000, NULL);
	struct result b = CALL(SHARE_ALLOCATE, 4000000, NULL);

	ASSERT_TRUE(is_good(a));
	ASSERT_TRUE(is_good(b));
	EXPECT_TRUE(all_bytes(b.address, 0, 4000000));
	fill(a.address, 1, 100000);
	fill(b.address, 2, 4000000);
	EXPECT_EQ(100000, filled(a.address, 1, 100000));
	CALL(SHARE_FREE, 0, b.address);
	/* Wiped, here as well */
	EXPECT_TRUE(all_bytes(b.address, 0, 4000000));
	EXPECT_EQ(100000, filled(a.address, 1, 100000));
	EXPECT_EQ(STATUS_NO_MEMORY,
		  CALL(SHARE_ALLOCATE, SHARE_MAX, NULL).protocol);
}

/* The client's side: lists it and leaves, by the native interface. */
TEST_F(shared, list_and_leave)
{
	struct result common = CALL(SHARE_COMMON, 0, NULL);
	struct lsabuf_view views[4];
	int fd = lsabuf_open(NULL);

	ASSERT_TRUE(is_good(common));
	ASSERT_EQ(1, lsabuf_section_list(fd, views, 4));
	EXPECT_LT(to_u64(common.address) - views[0].address, views[0].max);
	EXPECT_EQ(SHARE_MAX, views[0].max);
	EXPECT_EQ(77, lsabuf_section_translate(to_u64(common.address) + 77,
					       to_u64(common.address), 0,
					       SHARE_MAX));
	EXPECT_EQ(0, lsabuf_section_translate(1, 4096, 8192, 4096));
	EXPECT_EQ(-ENOENT, lsabuf_section_leave(fd, views));
	EXPECT_EQ(0, lsabuf_section_leave(fd, common.address));
	EXPECT_FALSE(is_mapped(getpid(), to_u64(common.address)));
	EXPECT_EQ(0, lsabuf_section_list(fd, views, 4));
	lsabuf_close(fd);
}

/**
 * struct scribbler - a thread that writes all over a view
 * @view: as it is listed
 * @told: to end
 * @rounds: so often it has written every byte
 */
struct scribbler {
	struct lsabuf_view view;
	int told;
	unsigned int rounds;
};

/* All that is committed: what lies beyond is SIGBUS. */
static bool find_view(struct lsabuf_view *view)
{
	int fd = lsabuf_open(NULL), nr = lsabuf_section_list(fd, view, 1);

	lsabuf_close(fd);
	return nr == 1;
}

static void *scribbler_main(void *argument)
{
	struct scribbler *scribbler = argument;
	unsigned char *memory;
	__u64 i;

	while (!__atomic_load_n(&scribbler->told, __ATOMIC_ACQUIRE) &&
	       find_view(&scribbler->view)) {
		memory = to_pointer(scribbler->view.address);
		for (i = 0; i < scribbler->view.committed; i += 64)
			memset(memory + i, scribbler->rounds + i, 64);
		scribbler->rounds++;
	}
	return NULL;
}

/* Nothing that clients write there leads the allocator astray. */
TEST_F_TIMEOUT(shared, scribbling_client, STRESS_TIMEOUT)
{
	struct scribbler scribbler = {};
	pthread_t thread;

	ASSERT_TRUE(is_good(CALL(SHARE_BASE, 0, NULL)));
	ASSERT_EQ(0, pthread_create(&thread, NULL, scribbler_main, &scribbler));
	EXPECT_EQ(STATUS_SUCCESS,
		  CALL(SHARE_CHURN, scaled(10000), NULL).protocol);
	__atomic_store_n(&scribbler.told, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	TH_LOG("%u blocks, while %llu bytes were written %u times",
	       scaled(10000), scribbler.view.committed, scribbler.rounds);
	EXPECT_LT(0, scribbler.rounds);
	EXPECT_EQ(STATUS_SUCCESS, CALL(SHARE_RULES, 0, NULL).protocol);
}

static void *churner_main(void *argument)
{
	HANDLE lsa = argument;

	return (void *)(long)call(lsa, SHARE_CHURN, scaled(2000), NULL).protocol;
}

TEST_F_TIMEOUT(shared, many_threads, STRESS_TIMEOUT)
{
	pthread_t threads[4];
	void *status;
	size_t i;

	for (i = 0; i < ARRAYSIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, churner_main,
					    self->lsa));
	for (i = 0; i < ARRAYSIZE(threads); i++) {
		pthread_join(threads[i], &status);
		EXPECT_EQ(NULL, status);
	}
}

/* A client that has something else at that address is told. */
TEST_F(shared, taken_address)
{
	uint64_t address = in_child(1).address;
	struct report report = {};
	int pipes[2];
	pid_t pid;

	ASSERT_NE(0, address);
	ASSERT_EQ(0, pipe(pipes));
	pid = fork();
	if (!pid) {
		HANDLE lsa;

		mmap(to_pointer(address & ~4095ULL), 4096, PROT_READ,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (!connect_host(&lsa))
			_exit(1);
		report.status = call(lsa, SHARE_COMMON, 0, NULL).status;
		_exit(write(pipes[1], &report, sizeof(report)) < 0);
	}
	close(pipes[1]);
	ASSERT_EQ(sizeof(report), read(pipes[0], &report, sizeof(report)));
	EXPECT_EQ(STATUS_CONFLICTING_ADDRESSES, report.status);
	waitpid(pid, NULL, 0);
	close(pipes[0]);
}

/* A client that does not consent is told, and shares nothing. */
TEST_F(shared, no_consent)
{
	struct share_message message = { .code = SHARE_COMMON };
	struct lsabuf_call native;
	int fd;

	fd = lsabuf_open_client(endpoint, LSABUF_ACCESS_BUFFERS);
	ASSERT_LE(0, fd);
	/* The message of a call for package 0, see protocol.h */
	lsabuf_call_prepare(&native, 3, 0, &message, sizeof(message));
	ASSERT_EQ(0, lsabuf_call(fd, &native));
	EXPECT_EQ(STATUS_ACCESS_DENIED, (NTSTATUS)native.out_status[0]);
	lsabuf_close(fd);
}

/*
 * The cache of the package "account"
 */

/* Look for a user while no system call is allowed but read, write and exit. */
static bool hits_without_system_call(const void *cache, const char *name)
{
	struct lsabuf_account account;
	pid_t pid = fork();
	int status;

	if (!pid) {
		madvise((void *)cache, 4096, MADV_NORMAL);
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
		status = lsabuf_account_find(cache, name, &account);
		syscall(SYS_exit, !!status);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

TEST_F(shared, account_cache)
{
	struct passwd *root = getpwnam("root");
	struct lsabuf_account account;
	struct mapping map;
	const void *cache;

	ASSERT_EQ(STATUS_SUCCESS, lsabuf_account_open(self->lsa, &cache));
	ASSERT_TRUE(find_mapping(getpid(), to_u64(cache), &map));
	EXPECT_STREQ("r--s", map.prot);
	/* The child has to see it, too. */
	if (madvise((void *)map.start, map.end - map.start, MADV_DOFORK))
		SKIP(return, "this kernel inherits no mapping of a device");
	EXPECT_EQ(-ENOENT, lsabuf_account_find(cache, "root", &account));
	EXPECT_FALSE(hits_without_system_call(cache, "root"));
	ASSERT_EQ(STATUS_SUCCESS,
		  lsabuf_account_get(self->lsa, cache, "root", &account));
	EXPECT_EQ(0, account.uid);
	EXPECT_TRUE(hits_without_system_call(cache, "root"));
	memset(&account, 0xa5, sizeof(account));
	ASSERT_EQ(0, lsabuf_account_find(cache, "root", &account));
	EXPECT_EQ(0, account.uid);
	EXPECT_EQ(root->pw_gid, account.gid);
	EXPECT_STREQ("root", account.strings[LSABUF_ACCOUNT_NAME]);
	EXPECT_STREQ(root->pw_gecos, account.strings[LSABUF_ACCOUNT_COMMENT]);
	EXPECT_STREQ(root->pw_dir, account.strings[LSABUF_ACCOUNT_HOME]);
	EXPECT_STREQ(root->pw_shell, account.strings[LSABUF_ACCOUNT_SHELL]);
	ASSERT_LE(1, account.nr_groups);
	EXPECT_EQ(root->pw_gid, account.groups[0]);
	EXPECT_EQ(STATUS_NO_SUCH_USER,
		  lsabuf_account_get(self->lsa, cache, "nobody-of-that-name",
				     &account));
	EXPECT_EQ(-ENOENT,
		  lsabuf_account_find(cache, "nobody-of-that-name", &account));
	/* Nor by name of another */
	EXPECT_EQ(-ENOENT, lsabuf_account_find(cache, "roo", &account));
	EXPECT_EQ(-ENOENT, lsabuf_account_find(cache, "", &account));
}

struct publisher {
	void *cache;
	int told;
};

static void *publisher_main(void *argument)
{
	struct publisher *publisher = argument;
	static const char *const names[] = { "aaaaaaaaaaaaaaaa",
					     "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" };
	uint32_t group = 0, round = 0;
	struct lsabuf_account account = {
		.nr_groups = 1,
		.groups = &group,
		.strings = { "churn", "x", "", "/", "" },
	};

	while (!__atomic_load_n(&publisher->told, __ATOMIC_ACQUIRE)) {
		round++;
		account.uid = round;
		account.gid = round;
		group = round;
		account.strings[LSABUF_ACCOUNT_SHELL] = names[round % 2];
		lsabuf_account_publish(publisher->cache, &account);
	}
	return NULL;
}

/* What is found is never half of one entry and half of the next. */
TEST_F_TIMEOUT(shared, cache_is_never_torn, STRESS_TIMEOUT)
{
	struct publisher publisher = {
		.cache = calloc(1, lsabuf_account_cache_size()),
	};
	unsigned int i, hits = 0, rounds = scaled(200000);
	struct lsabuf_account account;
	pthread_t thread;

	lsabuf_account_cache_init(publisher.cache);
	ASSERT_EQ(0, pthread_create(&thread, NULL, publisher_main, &publisher));
	for (i = 0; i < rounds || !hits; i++) {
		if (lsabuf_account_find(publisher.cache, "churn", &account))
			continue;
		hits++;
		ASSERT_EQ(account.uid, account.gid);
		ASSERT_EQ(account.uid, account.groups[0]);
		ASSERT_EQ(account.uid % 2 ? 30 : 16,
			  strlen(account.strings[LSABUF_ACCOUNT_SHELL]));
	}
	__atomic_store_n(&publisher.told, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	free(publisher.cache);
}

/* Freshly started programs, with addresses of their own: nearly all agree. */
TEST_F_TIMEOUT(shared, fresh_programs_agree, STRESS_TIMEOUT)
{
	unsigned int i, nr = scaled(20) < 1000 ? scaled(20) : 1000;
	unsigned int agree = 0;
	struct result own = CALL(SHARE_COMMON, 0, NULL);
	char expected[32];
	int status;
	pid_t pid;

	ASSERT_TRUE(is_good(own));
	snprintf(expected, sizeof(expected), "%llx", to_u64(own.address));
	setenv("LSABUF_SHARED_CLIENT", expected, 1);
	for (i = 0; i < nr; i++) {
		pid = fork();
		if (!pid) {
			execl(program, program, NULL);
			_exit(127);
		}
		waitpid(pid, &status, 0);
		agree += !status;
	}
	TH_LOG("%u of %u programs have it at %s", agree, nr, expected);
	/* 999 of 1,000 */
	EXPECT_LE(nr - nr / 1000, agree);
}

/* This program as such a client: exits with 0 if the address is the same. */
static void __attribute__((constructor(200))) be_a_client(void)
{
	const char *expected = getenv("LSABUF_SHARED_CLIENT");
	struct result result;
	char address[32];
	HANDLE lsa;

	if (!expected)
		return;
	if (!connect_host(&lsa))
		_exit(2);
	result = call(lsa, SHARE_COMMON, 0, NULL);
	snprintf(address, sizeof(address), "%llx", to_u64(result.address));
	_exit(result.status || strcmp(address, expected));
}

TEST_HARNESS_MAIN
