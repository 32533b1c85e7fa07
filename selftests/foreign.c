// SPDX-License-Identifier: GPL-2.0
/*
 * liblsabuf in processes that are not its own, as modules of NSS, PAM and GSS
 * are: they fork, exec, close every descriptor, shut themselves in, cancel
 * threads, and outlive the authority.
 */
#include "library_test.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

/*
 * FIXTURE(foreign) - an lsahost, this process as its client, and another
 * authority
 * @keeper: ends and starts lsahost
 * @other_name: endpoint of the other authority
 * @other: its file
 * @lsa: handle of LsaConnectUntrusted()
 * @probe: id of the package "probe"
 */
FIXTURE(foreign)
{
	int keeper;
	char other_name[LSABUF_ENDPOINT_LEN];
	int other;
	HANDLE lsa;
	ULONG probe;
};

FIXTURE_SETUP(foreign)
{
	self->keeper = host_start();
	ASSERT_LE(0, self->keeper);
	snprintf(self->other_name, sizeof(self->other_name), "other-%d",
		 getpid());
	self->other = lsabuf_open_authority(self->other_name);
	ASSERT_LE(0, self->other);
	become_user(NOBODY);
	ASSERT_EQ(STATUS_SUCCESS, LsaConnectUntrusted(&self->lsa));
	self->probe = find_package(self->lsa, PROBE_PACKAGE_NAME);
	ASSERT_EQ(1, self->probe);
}

FIXTURE_TEARDOWN(foreign)
{
	close(self->keeper);
	close(self->other);
}

static bool echo_works(HANDLE lsa, ULONG probe)
{
	struct result r;

	r = probe_with(lsa, probe, PROBE_ECHO, 0, NULL, "echo", 5);
	return !outcome(r) && r.length == 5 && !strcmp(r.buffer, "echo") &&
	       !LsaFreeReturnBuffer(r.buffer);
}

#define EXPECT_ECHO() EXPECT_TRUE(echo_works(self->lsa, self->probe))

/* How many descriptors are open */
static int count_files(void)
{
	int fd, count = 0;

	for (fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* Descriptor of the @nth connection of this process to an authority, or -1 */
static int find_connection(int nth)
{
	struct lsabuf_connect details;
	int fd;

	for (fd = 3; fd < 256; fd++) {
		if (!lsabuf_connection(fd, &details) && !nth--)
			return fd;
	}
	return -1;
}

static int exit_of(pid_t child)
{
	int status;

	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/*
 * exec
 */

/* What the new program does: the exit status tells what went wrong */
static int after_exec(void)
{
	struct lsabuf_info info;
	struct result r;
	HANDLE lsa;
	int fd;

	/* Nothing of the device has come along */
	for (fd = 0; fd < 256; fd++) {
		if (lsabuf_info(fd, &info) != -EBADF &&
		    lsabuf_info(fd, &info) != -ENOTTY)
			return 10;
	}
	if (LsaConnectUntrusted(&lsa))
		return 11;
	r = probe_with(lsa, 1, PROBE_ECHO, 0, NULL, "new", 4);
	if (outcome(r) || strcmp(r.buffer, "new"))
		return 12;
	return LsaFreeReturnBuffer(r.buffer) ? 13 : 0;
}

/* Before main() and the check that root runs this */
static void __attribute__((constructor(101))) run_after_exec(void)
{
	if (getenv("LSABUF_TEST_AFTER_EXEC"))
		_exit(after_exec());
}

TEST_F(foreign, exec)
{
	pid_t child;

	ASSERT_NE(NULL, ALLOCATE(100));
	child = fork();
	if (!child) {
		EXPECT_ECHO();
		setenv("LSABUF_TEST_AFTER_EXEC", "1", 1);
		execl("/proc/self/exe", "foreign", NULL);
		_exit(127);
	}
	EXPECT_EQ(0, exit_of(child));
	EXPECT_ECHO();
}

/*
 * Descriptors that are lost, and numbers that come back as something else
 */

TEST_F(foreign, number_is_another_connection)
{
	struct lsabuf_connect before, after;
	struct lsabuf_reply_receive request;
	int number = find_connection(0), mine;

	ASSERT_LE(0, number);
	mine = lsabuf_open_client(self->other_name, LSABUF_ACCESS_WHOLE);
	ASSERT_LE(0, mine);
	ASSERT_EQ(number, dup2(mine, number));
	ASSERT_EQ(0, lsabuf_connection(number, &before));
	/* The call goes where it always went, and not to the other authority */
	EXPECT_ECHO();
	EXPECT_EQ(-EAGAIN, lsabuf_receive_nowait(self->other, &request));
	/* What has the number now is left alone, also in the end */
	ASSERT_EQ(0, lsabuf_connection(number, &after));
	EXPECT_EQ(before.out_client, after.out_client);
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(self->lsa));
	EXPECT_EQ(0, lsabuf_connection(number, &after));
	EXPECT_EQ(-1, find_connection(2));
}

TEST_F(foreign, deregister_number_of_another_connection)
{
	int number = find_connection(0), mine;
	struct lsabuf_connect details;
	struct lsabuf_call call;

	mine = lsabuf_open_client(self->other_name, LSABUF_ACCESS_WHOLE);
	ASSERT_EQ(number, dup2(mine, number));
	lsabuf_call_prepare(&call, 0, 0, NULL, 0);
	ASSERT_EQ(0, lsabuf_call_submit(number, &call));
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(self->lsa));
	EXPECT_EQ(0, lsabuf_connection(number, &details));
	/* The program's call goes on */
	EXPECT_EQ(-EAGAIN, lsabuf_call_take(number, &call));
}

TEST_F(foreign, lost_during_a_call)
{
	struct caller caller = { .lsa = self->lsa,
				 .probe = self->probe,
				 .ms = 700 };

	pthread_create(&caller.thread, NULL, sleep_in_call, &caller);
	sleep_ms(300);
	lose_descriptors(self->keeper);
	pthread_join(caller.thread, NULL);
	EXPECT_EQ(STATUS_SUCCESS, caller.result.status);
	EXPECT_STREQ("slept", caller.result.buffer);
	EXPECT_ECHO();
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(caller.result.buffer));
}

struct echoer {
	pthread_t thread;
	HANDLE lsa;
	ULONG probe;
	unsigned int rounds;
	unsigned int bad;
};

static void *echo_on(void *argument)
{
	struct echoer *echoer = argument;
	unsigned int i;

	for (i = 0; i < echoer->rounds; i++)
		echoer->bad += !echo_works(echoer->lsa, echoer->probe);
	return NULL;
}

static void start_echoers(struct echoer *echoers, size_t count, HANDLE lsa,
			  ULONG probe, unsigned int rounds)
{
	size_t i;

	for (i = 0; i < count; i++) {
		echoers[i] = (struct echoer){ .lsa = lsa,
					      .probe = probe,
					      .rounds = rounds };
		pthread_create(&echoers[i].thread, NULL, echo_on, &echoers[i]);
	}
}

static unsigned int join_echoers(struct echoer *echoers, size_t count)
{
	unsigned int bad = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		pthread_join(echoers[i].thread, NULL);
		bad += echoers[i].bad;
	}
	return bad;
}

/* Threads that notice it together end up with one connection */
TEST_F_TIMEOUT(foreign, lost_by_many_threads, STRESS_TIMEOUT)
{
	struct echoer echoers[16];
	unsigned int i;

	for (i = 0; i < scaled(5); i++) {
		lose_descriptors(self->keeper);
		start_echoers(echoers, ARRAYSIZE(echoers), self->lsa,
			      self->probe, 5);
		EXPECT_EQ(0, join_echoers(echoers, ARRAYSIZE(echoers)));
		EXPECT_LE(0, find_connection(0));
		EXPECT_EQ(-1, find_connection(1));
	}
}

/*
 * fork
 */

static struct {
	HANDLE lsa;
	ULONG probe;
	int before;
	int parent;
	int child;
} at_fork;

static void before_fork(void)
{
	at_fork.before += echo_works(at_fork.lsa, at_fork.probe);
}

static void in_parent(void)
{
	at_fork.parent += echo_works(at_fork.lsa, at_fork.probe);
}

static void in_child(void)
{
	at_fork.child += echo_works(at_fork.lsa, at_fork.probe);
}

/* In a child that was forked while other threads were in the library */
static int forked_child(HANDLE lsa, ULONG probe, PVOID parents)
{
	HANDLE own;
	PVOID buffer;

	if (at_fork.child != 1)
		return 1;
	buffer = allocate(lsa, probe, 100);
	if (!buffer || LsaFreeReturnBuffer(buffer))
		return 2;
	if (LsaFreeReturnBuffer(parents) != STATUS_MEMORY_NOT_ALLOCATED)
		return 3;
	if (LsaConnectUntrusted(&own) || !echo_works(own, probe) ||
	    LsaDeregisterLogonProcess(own))
		return 4;
	if (LsaDeregisterLogonProcess(lsa) ||
	    LsaDeregisterLogonProcess(lsa) != STATUS_INVALID_HANDLE)
		return 5;
	return 0;
}

TEST_F_TIMEOUT(foreign, fork_amid_calls, STRESS_TIMEOUT)
{
	PVOID buffer = ALLOCATE(64);
	struct echoer echoers[8];
	unsigned int i, forks = scaled(20);
	pid_t child;

	at_fork.lsa = self->lsa;
	at_fork.probe = self->probe;
	ASSERT_EQ(0, pthread_atfork(before_fork, in_parent, in_child));
	start_echoers(echoers, ARRAYSIZE(echoers), self->lsa, self->probe,
		      scaled(100));
	for (i = 0; i < forks; i++) {
		child = fork();
		if (!child)
			_exit(forked_child(self->lsa, self->probe, buffer));
		EXPECT_EQ(0, exit_of(child));
	}
	EXPECT_EQ(0, join_echoers(echoers, ARRAYSIZE(echoers)));
	EXPECT_EQ(forks, at_fork.before);
	EXPECT_EQ(forks, at_fork.parent);
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(buffer));
	EXPECT_EQ(-1, find_connection(1));
}

/*
 * Freeing where nothing can be opened any more
 */

TEST_F(foreign, free_without_descriptors)
{
	struct rlimit limit = { 64, 64 };
	PVOID buffer = ALLOCATE(100), again;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	while (dup(0) >= 0)
		;
	EXPECT_EQ(EMFILE, errno);
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(buffer));
	/* And calling needs none either, as long as there is a connection */
	again = ALLOCATE(100);
	EXPECT_NE(NULL, again);
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(again));
}

TEST_F(foreign, free_in_chroot)
{
	PVOID buffer = ALLOCATE(100), second = ALLOCATE(100);
	char empty[] = "/tmp/lsabuf-test-XXXXXX";
	HANDLE lsa;

	ASSERT_NE(NULL, mkdtemp(empty));
	/* In a namespace of its own this user may do it */
	ASSERT_EQ(0, unshare(CLONE_NEWUSER));
	ASSERT_EQ(0, chroot(empty));
	ASSERT_EQ(0, chdir("/"));
	EXPECT_EQ(STATUS_DEVICE_NOT_READY, LsaConnectUntrusted(&lsa));
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(buffer));
	EXPECT_ECHO();
	/* Nor does it need a handle */
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(self->lsa));
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(second));
}

/* Every way to a new descriptor ends the process */
static int forbid_opening(void)
{
#define NO(_call)                                               \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##_call, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		NO(open),
		NO(openat),
		NO(openat2),
		NO(dup),
		NO(dup2),
		NO(dup3),
		NO(socket),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
#undef NO
	struct sock_fprog program = { ARRAYSIZE(filter), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

TEST_F(foreign, free_under_seccomp)
{
	PVOID buffer = ALLOCATE(100), second = ALLOCATE(100);
	pid_t child = fork();

	if (!child) {
		/* Its own, for the parent's buffers are not there */
		buffer = ALLOCATE(100);
		if (!buffer || forbid_opening())
			_exit(1);
		if (LsaFreeReturnBuffer(buffer))
			_exit(2);
		_exit(echo_works(self->lsa, self->probe) ? 0 : 3);
	}
	EXPECT_EQ(0, exit_of(child));
	ASSERT_EQ(0, forbid_opening());
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(buffer));
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(self->lsa));
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(second));
}

/*
 * Cancelled threads
 */

static void *connect_on(void *unused)
{
	HANDLE lsa;

	for (;;) {
		if (!LsaConnectUntrusted(&lsa))
			LsaDeregisterLogonProcess(lsa);
		pthread_testcancel();
	}
	return unused;
}

/* A thread that was cancelled at any point leaves nothing half done */
TEST_F_TIMEOUT(foreign, cancelled_threads, STRESS_TIMEOUT)
{
	int files = count_files();
	pthread_t thread;
	unsigned int i;
	void *result;

	for (i = 0; i < scaled(200); i++) {
		ASSERT_EQ(0, pthread_create(&thread, NULL, connect_on, NULL));
		usleep(i * 37 % 1000);
		ASSERT_EQ(0, pthread_cancel(thread));
		ASSERT_EQ(0, pthread_join(thread, &result));
		ASSERT_EQ(PTHREAD_CANCELED, result);
		ASSERT_EQ(files, count_files());
	}
	EXPECT_ECHO();
}

static struct result late;

static void keep_result(void *argument)
{
	late = ((struct caller *)argument)->result;
}

static void *sleep_until_cancelled(void *argument)
{
	struct caller *caller = argument;

	pthread_cleanup_push(keep_result, caller);
	sleep_in_call(caller);
	pthread_testcancel();
	pthread_cleanup_pop(0);
	return NULL;
}

/* A call is no cancellation point: what it returned is not lost */
TEST_F(foreign, cancelled_in_a_call)
{
	struct caller caller = { .lsa = self->lsa,
				 .probe = self->probe,
				 .ms = 600 };
	void *result;

	pthread_create(&caller.thread, NULL, sleep_until_cancelled, &caller);
	sleep_ms(200);
	ASSERT_EQ(0, pthread_cancel(caller.thread));
	ASSERT_EQ(0, pthread_join(caller.thread, &result));
	EXPECT_EQ(PTHREAD_CANCELED, result);
	ASSERT_EQ(STATUS_SUCCESS, late.status);
	EXPECT_STREQ("slept", late.buffer);
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(late.buffer));
	EXPECT_ECHO();
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(self->lsa));
}

/*
 * Restarts of the authority at the worst moment: the client sleeps in its call
 * and is stopped until there is another authority
 */

enum { LOOKUP_DONE = 10, LOOKUP_DISCONNECTED = 20, LOOKUP_FAILED = 30 };

static pid_t start_lookup(const char *endpoint)
{
	pid_t client = fork();
	NTSTATUS status;
	HANDLE lsa;

	if (client)
		return client;
	/* The files of the authorities are not to live on here */
	close_range(3, ~0U, 0);
	become_user(NOBODY);
	setenv("LSABUF_ENDPOINT", endpoint, 1);
	if (LsaConnectUntrusted(&lsa))
		_exit(LOOKUP_FAILED);
	status = lookup(lsa, "package", 7);
	if (status == STATUS_PORT_DISCONNECTED)
		_exit(LOOKUP_DISCONNECTED);
	_exit(status ? LOOKUP_FAILED : LOOKUP_DONE);
}

static bool has_request(int fd, int ms)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	return poll(&ready, 1, ms) == 1;
}

/* While the client is stopped: it finds out when there is another already */
static int replace_authority(struct __test_metadata *_metadata,
			     const char *endpoint, pid_t client, int first)
{
	int second = lsabuf_open(NULL), status;

	kill(client, SIGSTOP);
	waitpid(client, &status, WUNTRACED);
	ASSERT_TRUE(WIFSTOPPED(status));
	lsabuf_close(first);
	ASSERT_EQ(0, lsabuf_serve(second, endpoint, NULL));
	kill(client, SIGCONT);
	return second;
}

/* The client's call is queued, or received; then the authority changes */
static int change_authority(struct __test_metadata *_metadata,
			    const char *endpoint, bool receive, pid_t *client)
{
	int first = lsabuf_open(NULL);
	struct lsabuf_reply_receive request;

	ASSERT_EQ(0, lsabuf_serve(first, endpoint, NULL));
	*client = start_lookup(endpoint);
	ASSERT_TRUE(has_request(first, 5000));
	if (receive)
		ASSERT_EQ(0, lsabuf_receive(first, &request));
	return replace_authority(_metadata, endpoint, *client, first);
}

TEST(received_call_is_not_repeated)
{
	pid_t client;
	int fd, status;

	fd = change_authority(_metadata, "test-received", true, &client);
	waitpid(client, &status, 0);
	EXPECT_EQ(LOOKUP_DISCONNECTED, WEXITSTATUS(status));
	EXPECT_FALSE(has_request(fd, 100));
	lsabuf_close(fd);
}

TEST(unseen_call_is_repeated)
{
	struct lsabuf_reply_receive request;
	pid_t client;
	int fd, status;

	fd = change_authority(_metadata, "test-unseen", false, &client);
	ASSERT_TRUE(has_request(fd, 5000));
	ASSERT_EQ(0, lsabuf_receive(fd, &request));
	EXPECT_EQ(LSA_MESSAGE_LOOKUP_PACKAGE, request.out_kind);
	EXPECT_EQ(0, lsabuf_reply(fd, request.out_id, request.status, 0, 0));
	waitpid(client, &status, 0);
	EXPECT_EQ(LOOKUP_DONE, WEXITSTATUS(status));
	EXPECT_FALSE(has_request(fd, 100));
	lsabuf_close(fd);
}

/* The second authority goes as well before it has seen the call */
TEST(unseen_call_is_repeated_once)
{
	int second, third, status;
	pid_t client;

	second = change_authority(_metadata, "test-twice", false, &client);
	ASSERT_TRUE(has_request(second, 5000));
	third = replace_authority(_metadata, "test-twice", client, second);
	waitpid(client, &status, 0);
	EXPECT_EQ(LOOKUP_DISCONNECTED, WEXITSTATUS(status));
	EXPECT_FALSE(has_request(third, 100));
	lsabuf_close(third);
}

/*
 * Clients that outlive one authority after another
 */

#define CLIENTS 50

/**
 * struct survivor - a client process that calls on and on
 * @calls: that succeeded
 * @refused: that found no authority, or lost it
 * @end: set by the test
 * @wrong: status of a call that had neither outcome
 * @pid: its process id
 */
struct survivor {
	_Atomic unsigned int calls;
	_Atomic unsigned int refused;
	_Atomic int end;
	NTSTATUS wrong;
	pid_t pid;
};

static void survive(struct survivor *me, HANDLE lsa, ULONG probe)
{
	struct result r;

	while (!me->end) {
		r = probe_with(lsa, probe, PROBE_ECHO, 0, NULL, "echo", 5);
		if (r.status == STATUS_PORT_DISCONNECTED) {
			me->refused++;
		} else {
			me->wrong = r.status ? r.status : r.protocol;
			if (me->wrong)
				_exit(2);
			if (r.length != 5 || strcmp(r.buffer, "echo")) {
				memcpy(&me->wrong, r.buffer, 4);
				_exit(r.length + 64);
			}
			me->wrong = LsaFreeReturnBuffer(r.buffer);
			if (me->wrong)
				_exit(3);
			me->calls++;
		}
		sleep_ms(100);
	}
}

/* One connection all along: not a descriptor or mapping more at the end */
static int survivor_main(struct survivor *me)
{
	char *arenas;
	ULONG probe;
	HANDLE lsa;
	int files;

	become_user(NOBODY);
	if (LsaConnectUntrusted(&lsa))
		return 1;
	probe = find_package(lsa, PROBE_PACKAGE_NAME);
	if (!echo_works(lsa, probe))
		return 1;
	arenas = read_arenas();
	files = count_files();
	survive(me, lsa, probe);
	if (count_files() != files || find_connection(1) >= 0)
		return 3;
	if (!arenas_unchanged(arenas))
		return 4;
	return LsaDeregisterLogonProcess(lsa) ? 5 : 0;
}

/* Each client gets through, and within reasonable time */
static bool all_call(struct survivor *survivors)
{
	__u64 end = now_ns() + 60 * NSEC_PER_SEC;
	unsigned int calls[CLIENTS];
	int i, status = -1;

	for (i = 0; i < CLIENTS; i++)
		calls[i] = survivors[i].calls;
	for (i = 0; i < CLIENTS; i++) {
		while (survivors[i].calls == calls[i]) {
			if (now_ns() > end ||
			    waitpid(survivors[i].pid, &status, WNOHANG)) {
				fprintf(stderr, "# client %d: 0x%x, 0x%x\n", i,
					status, survivors[i].wrong);
				return false;
			}
			sleep_ms(2);
		}
	}
	return true;
}

/*
 * FIXTURE(restarts) - an lsahost
 * @keeper: ends and starts it
 */
FIXTURE(restarts)
{
	int keeper;
};

FIXTURE_SETUP(restarts)
{
	self->keeper = host_start();
	ASSERT_LE(0, self->keeper);
}

FIXTURE_TEARDOWN(restarts)
{
	close(self->keeper);
}

TEST_F_TIMEOUT(restarts, long_lived_clients, STRESS_TIMEOUT)
{
	unsigned int i, restarts = scaled(10), refused = 0;
	struct survivor *survivors;
	pid_t child;

	survivors = mmap(NULL, CLIENTS * sizeof(*survivors),
			 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			 0);
	ASSERT_NE(MAP_FAILED, survivors);
	for (i = 0; i < CLIENTS; i++) {
		child = fork();
		if (!child)
			_exit(survivor_main(&survivors[i]));
		/* Not by the child, which sees the same struct */
		survivors[i].pid = child;
	}
	ASSERT_TRUE(all_call(survivors));
	for (i = 0; i < restarts; i++) {
		ASSERT_EQ(0, order(self->keeper,
				   i % 4 ? KEEPER_KILL : KEEPER_TERM));
		ASSERT_EQ(0, order(self->keeper, KEEPER_START));
		ASSERT_TRUE(all_call(survivors));
	}
	for (i = 0; i < CLIENTS; i++)
		survivors[i].end = 1;
	for (i = 0; i < CLIENTS; i++) {
		EXPECT_EQ(0, exit_of(survivors[i].pid));
		refused += survivors[i].refused;
	}
	TH_LOG("%u restarts under %u clients: %u calls found nobody", restarts,
	       CLIENTS, refused);
}

TEST_HARNESS_MAIN
