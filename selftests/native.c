// SPDX-License-Identifier: GPL-2.0
/*
 * The native interface of liblsabuf: services that have never heard of the
 * LSA, and their clients, blocking and in event loops.
 */
#include "library_test.h"

#include <sys/epoll.h>

/*
 * FIXTURE(native) - this process as authority, by the library
 * @endpoint: its endpoint
 * @authority: its file
 */
FIXTURE(native)
{
	char endpoint[LSABUF_ENDPOINT_LEN];
	int authority;
};

FIXTURE_SETUP(native)
{
	snprintf(self->endpoint, sizeof(self->endpoint), "native-%d", getpid());
	self->authority = lsabuf_open_authority(self->endpoint);
	ASSERT_LE(0, self->authority);
}

FIXTURE_TEARDOWN(native)
{
	lsabuf_close(self->authority);
}

/* A child of another user: false in this process */
static bool is_child(pid_t *child)
{
	*child = fork();
	if (*child)
		return false;
	/* It must not keep a file of the authority alive */
	close_range(3, ~0U, 0);
	become_user(NOBODY);
	return true;
}

static int exit_of(pid_t child)
{
	int status;

	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/*
 * Many requests at a time
 */

#define CROWD_CLIENTS 8
#define CROWD_CALLS 125
#define CROWD (CROWD_CLIENTS * CROWD_CALLS)
#define CROWD_THREADS 4

/* What a call says, and its answer repeats in the client's memory */
struct word {
	__u32 client;
	__u32 call;
	unsigned char bytes[56];
};

static void make_word(struct word *word, __u32 client, __u32 number)
{
	word->client = client;
	word->call = number;
	fill(word->bytes, client * CROWD_CALLS + number, sizeof(word->bytes));
}

/* Take what is there; the number of replies, or -1 for one that is wrong */
static int take_words(int fd, __u32 client, const __u64 *ids)
{
	struct lsabuf_call reply;
	struct word expected;
	int ret, i, taken = 0;

	while ((ret = lsabuf_call_any(fd, &reply)) == 0) {
		for (i = 0; i < CROWD_CALLS && ids[i] != reply.id; i++)
			;
		make_word(&expected, client, i);
		if (i == CROWD_CALLS || reply.out_length != sizeof(expected) ||
		    reply.out_status[0] != i ||
		    memcmp(to_pointer(reply.out_address), &expected,
			   sizeof(expected)))
			return -1;
		if (lsabuf_free(fd, to_pointer(reply.out_address)))
			return -1;
		taken++;
	}
	return ret == -EAGAIN ? taken : -1;
}

/* Submit everything, then live in an event loop until all is answered */
static int crowd_client(const char *endpoint, __u32 client)
{
	struct epoll_event event = { .events = EPOLLIN };
	static struct word words[CROWD_CALLS];
	static __u64 ids[CROWD_CALLS];
	struct lsabuf_call call;
	int fd, epoll, ret, i;

	fd = lsabuf_open_client(endpoint, LSABUF_ACCESS_BUFFERS);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		return 1;
	for (i = 0; i < CROWD_CALLS; i++) {
		make_word(&words[i], client, i);
		lsabuf_call_prepare(&call, client, i, &words[i],
				    sizeof(words[i]));
		if (lsabuf_call_submit(fd, &call))
			return 2;
		ids[i] = call.id;
	}
	for (i = 0; i < CROWD_CALLS; i += ret) {
		if (epoll_wait(epoll, &event, 1, 60000) != 1)
			return 3;
		ret = take_words(fd, client, ids);
		if (ret < 0)
			return 4;
	}
	return lsabuf_call_any(fd, &call) == -EAGAIN ? 0 : 5;
}

static struct {
	struct lsabuf_reply_receive requests[CROWD];
	_Atomic int next;
	_Atomic int bad;
	int authority;
} crowd;

static bool answer_word(const struct lsabuf_reply_receive *request)
{
	const struct word *word = to_pointer(request->out_submit_address);
	const __u32 status[2] = { word->call };
	uint64_t address;
	size_t done;

	return request->out_submit_length == sizeof(*word) &&
	       word->client == request->out_kind &&
	       word->call == request->out_code &&
	       !lsabuf_alloc(crowd.authority, request->out_id, sizeof(*word),
			     &address) &&
	       !lsabuf_copy_to(crowd.authority, request->out_id, address, word,
			       sizeof(*word), &done) &&
	       done == sizeof(*word) &&
	       !lsabuf_reply(crowd.authority, request->out_id, status, address,
			     done);
}

static void *crowd_thread(void *unused)
{
	int i;

	while ((i = crowd.next++) < CROWD) {
		if (!answer_word(&crowd.requests[i]))
			crowd.bad++;
	}
	return unused;
}

static void shuffle_crowd(unsigned int seed)
{
	struct lsabuf_reply_receive request;
	int i, other;

	for (i = CROWD - 1; i > 0; i--) {
		seed = seed * 1103515245 + 12345;
		other = (seed >> 8) % (i + 1);
		request = crowd.requests[i];
		crowd.requests[i] = crowd.requests[other];
		crowd.requests[other] = request;
	}
}

/* 1,000 requests are held, then answered by four threads in random order */
static void meet_crowd(struct __test_metadata *_metadata, unsigned int seed)
{
	pthread_t threads[CROWD_THREADS];
	int i;

	for (i = 0; i < CROWD; i++)
		ASSERT_EQ(0,
			  lsabuf_receive(crowd.authority, &crowd.requests[i]));
	shuffle_crowd(seed);
	crowd.next = 0;
	for (i = 0; i < CROWD_THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, crowd_thread,
					    NULL));
	for (i = 0; i < CROWD_THREADS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, crowd.bad);
}

TEST_F_TIMEOUT(native, thousand_outstanding, STRESS_TIMEOUT)
{
	pid_t clients[CROWD_CLIENTS];
	unsigned int round;
	int i;

	crowd.authority = self->authority;
	for (round = 0; round < scaled(2); round++) {
		for (i = 0; i < CROWD_CLIENTS; i++) {
			if (is_child(&clients[i]))
				_exit(crowd_client(self->endpoint, i));
		}
		meet_crowd(_metadata, round);
		for (i = 0; i < CROWD_CLIENTS; i++)
			EXPECT_EQ(0, exit_of(clients[i]));
	}
}

/*
 * Event loops, both sides in one thread
 */

static int ready_file(int epoll)
{
	struct epoll_event event;

	return epoll_wait(epoll, &event, 1, 0) == 1 ? event.data.fd : -1;
}

TEST_F(native, one_thread_two_sides)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct lsabuf_reply_receive first, second;
	const __u32 status[2] = { 7, 8 };
	struct lsabuf_call a, b;
	int epoll, client;

	client = lsabuf_open_client(self->endpoint, LSABUF_ACCESS_BUFFERS);
	ASSERT_LE(0, client);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	event.data.fd = self->authority;
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->authority, &event));
	event.data.fd = client;
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, client, &event));
	EXPECT_EQ(-1, ready_file(epoll));
	lsabuf_call_prepare(&a, 1, 0, "first", 5);
	lsabuf_call_prepare(&b, 2, 0, "second", 6);
	ASSERT_EQ(0, lsabuf_call_submit(client, &a));
	ASSERT_EQ(0, lsabuf_call_submit(client, &b));
	EXPECT_EQ(-EAGAIN, lsabuf_call_take(client, &a));
	EXPECT_EQ(self->authority, ready_file(epoll));
	ASSERT_EQ(0, lsabuf_receive_nowait(self->authority, &first));
	ASSERT_EQ(0, lsabuf_receive_nowait(self->authority, &second));
	EXPECT_EQ(-1, ready_file(epoll));
	/* Held for as long as it takes; then the second before the first */
	ASSERT_EQ(0, lsabuf_reply_payload(self->authority, second.out_id,
					  status, "2", 1));
	EXPECT_EQ(client, ready_file(epoll));
	EXPECT_EQ(-EAGAIN, lsabuf_call_take(client, &a));
	ASSERT_EQ(0, lsabuf_call_take(client, &b));
	EXPECT_EQ(7, b.out_status[0]);
	EXPECT_EQ(8, b.out_status[1]);
	EXPECT_EQ('2', *(char *)to_pointer(b.out_address));
	EXPECT_EQ(-ENOENT, lsabuf_call_take(client, &b));
	EXPECT_EQ(-1, ready_file(epoll));
	ASSERT_EQ(0, lsabuf_reply(self->authority, first.out_id, status, 0, 0));
	EXPECT_EQ(client, ready_file(epoll));
	EXPECT_EQ(0, lsabuf_call_take(client, &a));
	a.id = 0;
	EXPECT_EQ(-ENOENT, lsabuf_call_take(client, &a));
	EXPECT_EQ(0, lsabuf_free(client, to_pointer(b.out_address)));
	close(epoll);
	lsabuf_close(client);
}

/* The end of the authority wakes an event loop, and says what has become */
TEST_F(native, authority_goes)
{
	struct lsabuf_reply_receive request;
	struct lsabuf_call seen, unseen;
	struct pollfd ready = { .events = POLLIN };

	ready.fd = lsabuf_open_client(self->endpoint, LSABUF_ACCESS_BUFFERS);
	ASSERT_LE(0, ready.fd);
	lsabuf_call_prepare(&seen, 0, 0, NULL, 0);
	lsabuf_call_prepare(&unseen, 0, 0, NULL, 0);
	ASSERT_EQ(0, lsabuf_call_submit(ready.fd, &seen));
	ASSERT_EQ(0, lsabuf_receive(self->authority, &request));
	ASSERT_EQ(0, lsabuf_call_submit(ready.fd, &unseen));
	EXPECT_EQ(0, poll(&ready, 1, 0));
	lsabuf_close(self->authority);
	self->authority = -1;
	EXPECT_EQ(1, poll(&ready, 1, 0));
	EXPECT_TRUE(ready.revents & POLLHUP);
	EXPECT_EQ(-EPIPE, lsabuf_call_take(ready.fd, &seen));
	EXPECT_EQ(1, seen.out_status[0]);
	EXPECT_EQ(-EPIPE, lsabuf_call_take(ready.fd, &unseen));
	EXPECT_EQ(0, unseen.out_status[0]);
	lsabuf_close(ready.fd);
}

/* A thread that is pushed about in its wait, and one that answers late */
static void *answer_later(void *argument)
{
	int authority = *(int *)argument;
	struct lsabuf_reply_receive request;
	const __u32 status[2] = { 0 };

	while (lsabuf_receive(authority, &request))
		;
	sleep_ms(300);
	lsabuf_reply(authority, request.out_id, status, 0,
		     request.out_submit_length);
	return NULL;
}

static void ignore_signal(int signal)
{
	(void)signal;
}

TEST_F(native, both_sides_block)
{
	struct sigaction interrupt = { .sa_handler = ignore_signal };
	struct lsabuf_call call;
	pthread_t service;
	pid_t client;
	int fd, i;

	sigaction(SIGUSR1, &interrupt, NULL);
	ASSERT_EQ(0, pthread_create(&service, NULL, answer_later,
				    &self->authority));
	if (is_child(&client)) {
		fd = lsabuf_open_client(self->endpoint, LSABUF_ACCESS_BUFFERS);
		lsabuf_call_prepare(&call, 0, 0, "four", 4);
		_exit(lsabuf_call(fd, &call) ? 99 : (int)call.out_length);
	}
	for (i = 0; i < 20; i++) {
		pthread_kill(service, SIGUSR1);
		kill(client, SIGUSR1);
		sleep_ms(10);
	}
	EXPECT_EQ(4, exit_of(client));
	pthread_join(service, NULL);
}

/*
 * Who is who
 */

TEST_F(native, authority_is_known)
{
	struct lsabuf_connect told = { 0 }, asked;
	int ends[2], fd, fresh;
	pid_t client;
	char byte;

	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	fd = lsabuf_open(NULL);
	EXPECT_EQ(-EPERM, lsabuf_connection(fd, &asked));
	EXPECT_EQ(-EPERM, lsabuf_connection(self->authority, &asked));
	EXPECT_EQ(-ENOTTY, lsabuf_connection(ends[0], &asked));
	EXPECT_EQ(-EBADF, lsabuf_connection(-1, &asked));
	ASSERT_EQ(0, lsabuf_connect(fd, self->endpoint, LSABUF_ACCESS_BUFFERS,
				    &told));
	ASSERT_EQ(0, lsabuf_connection(fd, &asked));
	EXPECT_EQ(getpid(), asked.out_authority_pid);
	EXPECT_EQ(0, asked.out_authority_uid);
	EXPECT_EQ(told.out_authority_start, asked.out_authority_start);
	EXPECT_EQ(told.out_client, asked.out_client);
	EXPECT_NE(0, asked.out_client);
	/* Another user sees the same, of a connection of its own */
	if (is_child(&client)) {
		fresh = lsabuf_open_client(self->endpoint,
					   LSABUF_ACCESS_BUFFERS);
		if (lsabuf_connection(fresh, &asked) ||
		    asked.out_authority_pid != getppid() ||
		    asked.out_authority_uid ||
		    asked.out_authority_start != told.out_authority_start ||
		    asked.out_client == told.out_client)
			_exit(1);
		_exit(0);
	}
	EXPECT_EQ(0, exit_of(client));
	/* And what it was when it is no more */
	lsabuf_close(self->authority);
	self->authority = -1;
	ASSERT_EQ(0, lsabuf_connection(fd, &asked));
	EXPECT_EQ(told.out_authority_start, asked.out_authority_start);
	lsabuf_close(fd);
	EXPECT_EQ(-1, read(ends[1], &byte, 1));
}

TEST_F(native, client_is_known)
{
	const gid_t groups[] = { 1001, 1002, 1003 };
	struct lsabuf_reply_receive request;
	const __u32 status[2] = { 0 };
	struct lsabuf_identity identity;
	struct lsabuf_call call;
	uint32_t told[2] = { 0 };
	pid_t client;
	int fd;

	client = fork();
	if (!client) {
		close(self->authority);
		if (setgroups(3, groups) || setresgid(7, 8, 9) ||
		    setresuid(17, 18, 19))
			_exit(1);
		fd = lsabuf_open_client(self->endpoint, LSABUF_ACCESS_BUFFERS);
		lsabuf_call_prepare(&call, 0, 0, NULL, 0);
		_exit(lsabuf_call(fd, &call) ? 2 : 0);
	}
	ASSERT_EQ(0, lsabuf_receive(self->authority, &request));
	EXPECT_EQ(client, request.out_pid);
	EXPECT_EQ(18, request.out_uid);
	EXPECT_EQ(8, request.out_gid);
	ASSERT_EQ(0, lsabuf_identity(self->authority, request.out_id, &identity,
				     told, 2));
	EXPECT_EQ(17, identity.out_uid);
	EXPECT_EQ(18, identity.out_euid);
	EXPECT_EQ(19, identity.out_suid);
	EXPECT_EQ(7, identity.out_gid);
	EXPECT_EQ(8, identity.out_egid);
	EXPECT_EQ(9, identity.out_sgid);
	EXPECT_EQ(0, identity.out_capabilities);
	/* All of them are counted, as many as there is room for are told */
	EXPECT_EQ(3, identity.nr_groups);
	EXPECT_EQ(1001, told[0]);
	EXPECT_EQ(1002, told[1]);
	lsabuf_reply(self->authority, request.out_id, status, 0, 0);
	EXPECT_EQ(0, exit_of(client));
}

TEST_F(native, features)
{
	struct lsabuf_info info;
	uint64_t missing, bit;

	ASSERT_EQ(0, lsabuf_info(self->authority, &info));
	/* This module is of the same age as the library */
	EXPECT_EQ(0, lsabuf_missing(&info));
	info.out_features = 0;
	missing = lsabuf_missing(&info);
	EXPECT_NE(0, missing);
	for (bit = 1; bit; bit <<= 1)
		EXPECT_EQ(!!(missing & bit), !!lsabuf_feature_name(bit));
	EXPECT_EQ(NULL, lsabuf_feature_name(0));
	/* What a newer module has besides is no concern of this library */
	info.out_features = ~0ULL;
	EXPECT_EQ(0, lsabuf_missing(&info));
}

/*
 * The examples, as they are
 */

static pid_t start_example(const char *name, const char *const *arguments,
			   int output)
{
	char path[PATH_MAX + 32];
	pid_t child = fork();

	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (output >= 0) {
		become_user(NOBODY);
		dup2(output, STDOUT_FILENO);
	}
	snprintf(path, sizeof(path), "%s/examples/%s", userlib(), name);
	execv(path, (char *const *)arguments);
	_exit(127);
}

TEST(examples)
{
	char endpoint[LSABUF_ENDPOINT_LEN], text[64] = "";
	const char *const service[] = { "service", endpoint, NULL };
	const char *const client[] = { "client",   endpoint, "900",
				       "tortoise", "1",	     "hare",
				       "450",	   "fox",    NULL };
	pid_t server, caller;
	int ends[2], i, fd;
	size_t length = 0;
	ssize_t n;

	snprintf(endpoint, sizeof(endpoint), "example-%d", getpid());
	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	server = start_example("service", service, -1);
	for (i = 0; i < 500; i++) {
		fd = lsabuf_open_client(endpoint, LSABUF_ACCESS_BUFFERS);
		if (fd >= 0)
			break;
		sleep_ms(10);
	}
	ASSERT_LE(0, fd);
	caller = start_example("client", client, ends[1]);
	close(ends[1]);
	do {
		n = read(ends[0], text + length, sizeof(text) - 1 - length);
		length += n > 0 ? n : 0;
	} while (n > 0);
	EXPECT_EQ(0, exit_of(caller));
	EXPECT_STREQ("HARE\nFOX\nTORTOISE\n", text);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	lsabuf_close(fd);
}

/*
 * Blocks of shared memory
 */

#define SHARED_MAX MIB(4)
#define SHARED_BLOCKS 64

static uint64_t shared_memory(struct lsabuf_shared *shared)
{
	struct lsabuf_section_stat stat;

	return lsabuf_section_stat(lsabuf_shared_fd(shared), &stat) ?
		       ~0ULL :
		       stat.out_memory;
}

/* Whole free pages go back to the system, and come again with a block. */
TEST_F(native, trim_between_blocks)
{
	unsigned char *blocks[SHARED_BLOCKS], byte;
	struct lsabuf_shared *shared;
	unsigned int i;

	ASSERT_EQ(0, lsabuf_shared_create(self->authority, SHARED_MAX, 0, 0,
					  &shared));
	for (i = 0; i < SHARED_BLOCKS; i++) {
		blocks[i] = lsabuf_shared_alloc(shared, KIB(16));
		ASSERT_TRUE(!!blocks[i]);
		fill(blocks[i], i, KIB(16));
	}
	EXPECT_LE(SHARED_BLOCKS * KIB(16), shared_memory(shared));
	/* The last stays, so that none of it is an end. */
	for (i = 0; i < SHARED_BLOCKS - 1; i++)
		if (i % 8)
			ASSERT_EQ(0, lsabuf_shared_free(shared, blocks[i]));
	ASSERT_EQ(0, lsabuf_shared_trim(shared));
	EXPECT_EQ((SHARED_BLOCKS / 8 + 1) * KIB(16), shared_memory(shared));
	EXPECT_EQ(SIGBUS, guarded_copy(&byte, blocks[1], 1));
	EXPECT_EQ(0, lsabuf_shared_trim(shared));
	for (i = 0; i < SHARED_BLOCKS; i++) {
		if (i % 8 && i != SHARED_BLOCKS - 1)
			continue;
		EXPECT_EQ(KIB(16), filled(blocks[i], i, KIB(16)));
	}
	for (i = 0; i < SHARED_BLOCKS; i++) {
		blocks[i] = lsabuf_shared_alloc(shared, KIB(6));
		ASSERT_TRUE(!!blocks[i]);
		ASSERT_TRUE(all_bytes(blocks[i], 0, KIB(6)));
		fill(blocks[i], i, KIB(6));
	}
	for (i = 0; i < SHARED_BLOCKS; i++)
		ASSERT_EQ(KIB(6), filled(blocks[i], i, KIB(6)));

	/* What cannot be had again is no block. */
	for (i = 0; i < SHARED_BLOCKS; i++)
		lsabuf_shared_free(shared, blocks[i]);
	ASSERT_EQ(0, lsabuf_shared_trim(shared));
	ASSERT_EQ(0, lsabuf_section_revoke(lsabuf_shared_fd(shared)));
	EXPECT_EQ(NULL, lsabuf_shared_alloc(shared, KIB(16)));
	EXPECT_LT(0, lsabuf_shared_delete(shared));
}

/* Blocks of any size, and trimming at any time */
TEST_F_TIMEOUT(native, trim_at_any_time, STRESS_TIMEOUT)
{
	unsigned int i, k, seed = 11, rounds = scaled(3000);
	unsigned char *blocks[SHARED_BLOCKS] = {};
	size_t lengths[SHARED_BLOCKS];
	struct lsabuf_shared *shared;

	ASSERT_EQ(0, lsabuf_shared_create(self->authority, SHARED_MAX, 0, 0,
					  &shared));
	for (i = 0; i < rounds; i++) {
		k = rand_r(&seed) % SHARED_BLOCKS;
		if (rand_r(&seed) % 32 == 0)
			ASSERT_EQ(0, lsabuf_shared_trim(shared));
		if (blocks[k]) {
			ASSERT_EQ(lengths[k], filled(blocks[k], k, lengths[k]));
			ASSERT_EQ(0, lsabuf_shared_free(shared, blocks[k]));
			blocks[k] = NULL;
			continue;
		}
		lengths[k] = rand_r(&seed) % KIB(20) + 1;
		blocks[k] = lsabuf_shared_alloc(shared, lengths[k]);
		ASSERT_TRUE(!!blocks[k]);
		ASSERT_TRUE(all_bytes(blocks[k], 0, lengths[k]));
		fill(blocks[k], k, lengths[k]);
	}
	for (k = 0; k < SHARED_BLOCKS; k++)
		if (blocks[k])
			lsabuf_shared_free(shared, blocks[k]);
	ASSERT_EQ(0, lsabuf_shared_trim(shared));
	EXPECT_EQ(0, shared_memory(shared));
	EXPECT_EQ(0, lsabuf_shared_delete(shared));
}

TEST_HARNESS_MAIN
