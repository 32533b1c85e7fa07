// SPDX-License-Identifier: GPL-2.0
/*
 * Death of either side at any point, fork, exec, descriptors that travel,
 * what a process may do to its arena, and the module's own life.
 */
#include "lsabuf_test.h"

#include <elf.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define PAGE 4096ULL
/* Nothing is there: 2^40, or 2^20 in a 32-bit program */
#define FAR_AWAY (1UL << (sizeof(long) * 5))
#define READ_WRITE (PROT_READ | PROT_WRITE)

static bool nothing_to_receive(int authority)
{
	struct lsabuf_reply_receive request;

	return lsa_receive_now(authority, &request) == -EAGAIN;
}

/*
 * Death of a client
 */

TEST_F(pair, killed_while_queued)
{
	ASSERT_TRUE(wait_id(start_call(self->client, CALLER, 5000)));
	puppet_kill(self->client);
	EXPECT_TRUE(nothing_to_receive(self->authority));
}

/* The snapshot stays for the package that reads it, until it has replied. */
TEST_F(pair, killed_while_received)
{
	struct lsabuf_identity identity = {};
	struct lsabuf_reply_receive request;
	unsigned char *snapshot;
	__u64 address, done;

	fill(self->client->submit, 1, 9000);
	start_call(self->client, CALLER, 9000);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	ASSERT_EQ(0, lsa_alloc(self->authority, request.out_id, 100, &address));
	puppet_kill(self->client);
	snapshot = to_pointer(request.out_submit_address);
	EXPECT_EQ(9000, filled(snapshot, 1, 9000));
	snapshot[0] = 0;
	test_err_alloc(ESRCH, self->authority, request.out_id, 16, &done);
	test_err_release(ESRCH, self->authority, request.out_id, address);
	test_err_copy_to(ESRCH, self->authority, request.out_id, address, "x",
			 1, &done);
	EXPECT_EQ(0, done);
	test_err_copy_from(ESRCH, self->authority, request.out_id,
			   request.out_client_address, &done, 1, NULL);
	test_err_identity(ESRCH, self->authority, request.out_id, &identity);
	EXPECT_EQ(0, snapshot[0]);
	EXPECT_EQ(pattern(1, 8999), snapshot[8999]);
	test_err_reply(ESRCH, self->authority, request.out_id);
	EXPECT_TRUE(all_bytes(snapshot, 0, 9000));
	test_err_reply(ENOENT, self->authority, request.out_id);
}

TEST_F(pair, killed_with_reply_untaken)
{
	struct lsabuf_reply_receive request;
	__u64 address;

	new_call(self->client, CALLER, 0)->flags = LSABUF_CALL_F_NOWAIT;
	ASSERT_EQ(0, ask(self->client, CALLER, do_call));
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	ASSERT_EQ(0, lsa_alloc(self->authority, request.out_id, 100, &address));
	ASSERT_EQ(0, lsa_reply(self->authority, request.out_id));
	puppet_kill(self->client);
	EXPECT_TRUE(nothing_to_receive(self->authority));
	test_err_reply(ENOENT, self->authority, request.out_id);
}

struct long_copy {
	int authority;
	__u64 id;
	__u64 address;
	void *bytes;
	__u64 length;
	__u64 start;
	int result;
	int copies;
	int on;
};

/* Copy again and again until it fails, and as long as it shall go on. */
static void *copy_main(void *argument)
{
	struct long_copy *copy = argument;

	do {
		copy->result = lsa_copy_to(copy->authority, copy->id,
					   copy->address, copy->bytes,
					   copy->length, NULL);
		__atomic_add_fetch(&copy->copies, 1, __ATOMIC_RELEASE);
	} while (!copy->result || __atomic_load_n(&copy->on, __ATOMIC_ACQUIRE));
	return NULL;
}

/*
 * How the copies of a client that is gone have ended. False: a machine that is
 * too busy for the call's budget had ended them before.
 */
static bool ends_by_death(struct __test_metadata *_metadata,
			  const struct long_copy *copy)
{
	const bool slow = copy->result == -ECANCELED &&
			  may_be_late(copy->start);

	if (!slow)
		EXPECT_EQ(-ESRCH, copy->result);
	EXPECT_EQ(copy->result, lsa_reply(copy->authority, copy->id));
	return !slow;
}

/* Killed while bytes are on their way, to each kind of memory. */
TEST_F_TIMEOUT(pair, killed_mid_copy, STRESS_TIMEOUT)
{
	unsigned int i, rounds = scaled(12), slow = 0;
	struct long_copy copy = {
		.authority = self->authority,
		.length = MIB(2),
		.bytes = calloc(1, MIB(2)),
	};
	struct puppet *victim;
	pthread_t thread;

	for (i = 0; i < rounds; i++) {
		victim = client_start(self->name, LSABUF_ACCESS_WHOLE);
		ASSERT_TRUE(!!victim);
		copy.address = remote_mmap(victim, copy.length, READ_WRITE,
					   i % 3 ? MAP_POPULATE : 0);
		copy.copies = 0;
		copy.start = now_ns();
		copy.id = begin_with(_metadata, self->authority, victim);
		if (i % 3 == 2)
			ASSERT_EQ(0, lsa_alloc(self->authority, copy.id,
					       copy.length, &copy.address));
		pthread_create(&thread, NULL, copy_main, &copy);
		ASSERT_TRUE(wait_nonzero(&copy.copies));
		usleep(i * 37 % 1000);
		/* It lives as long as nobody kills it. */
		EXPECT_EQ(victim->pid, remote(victim, SYS_getpid));
		puppet_kill(victim);
		pthread_join(thread, NULL);
		slow += !ends_by_death(_metadata, &copy);
		puppet_stop(victim);
	}
	EXPECT_LT(slow, rounds / 2);
	free(copy.bytes);
}

static long do_seeded_calls(struct puppet *puppet, struct puppet_thread *me)
{
	long ret = 0;

	while (!ret) {
		me->call = (struct lsabuf_call){
			.submit_address = to_u64(puppet->submit),
			.submit_length = PUPPET_SUBMIT,
		};
		ret = lsa_call(puppet->device, &me->call);
		if (!ret)
			ret = lsa_free(puppet->device, me->call.out_address);
	}
	return ret;
}

static void *storm_server(void *argument)
{
	int authority = *(int *)argument;
	struct lsabuf_reply_receive io = {};
	__u64 address;

	for (;;) {
		io.flags = LSABUF_REPLY_RECEIVE_F_RECEIVE;
		io.reply_id = io.out_id;
		if (lsa_reply_receive(authority, &io) || io.out_code == 1)
			break;
		address = 0;
		lsa_alloc_from(authority, io.out_id, 5000,
			       to_pointer(io.out_submit_address), 5000,
			       &address);
		lsa_copy_to(authority, io.out_id, io.out_client_address,
			    to_pointer(io.out_submit_address),
			    io.out_submit_length, NULL);
		io.return_address = address;
	}
	lsa_reply(authority, io.out_id);
	return NULL;
}

/* Clients die at any point of their calls; the others do not notice. */
TEST_F_TIMEOUT(pair, kill_storm, STRESS_TIMEOUT)
{
	unsigned int i, rounds = scaled(60);
	struct puppet *victim;
	pthread_t server[2];
	__u64 start;
	int t;

	for (i = 0; i < 2; i++)
		pthread_create(&server[i], NULL, storm_server,
			       &self->authority);
	for (i = 0; i < rounds; i++) {
		victim = client_start(self->name, LSABUF_ACCESS_WHOLE);
		ASSERT_TRUE(!!victim);
		for (t = CALLER; t < PUPPET_THREADS; t++)
			tell(victim, t, do_seeded_calls);
		usleep(i * 211 % 5000);
		start = now_ns();
		puppet_kill(victim);
		EXPECT_LE(now_ns() - start, AT_ONCE_NS);
		puppet_stop(victim);
	}
	for (i = 0; i < 2; i++) {
		new_call(self->client, CALLER, 0)->code = 1;
		EXPECT_EQ(0, ask(self->client, CALLER, do_call));
	}
	/* Which of them took which is not said. */
	for (i = 0; i < 2; i++)
		pthread_join(server[i], NULL);
}

/*
 * Death of an authority
 */

FIXTURE(other_authority)
{
	char name[LSABUF_ENDPOINT_LEN];
	struct puppet *authority;
};

static long do_serve(struct puppet *puppet, struct puppet_thread *me)
{
	long ret = do_open(puppet, me);

	return ret ? ret : lsa_serve(puppet->device, (char *)puppet->scratch);
}

FIXTURE_SETUP(other_authority)
{
	snprintf(self->name, sizeof(self->name), "other-%d", getpid());
	self->authority = puppet_start(0);
	strcpy((char *)self->authority->scratch, self->name);
	ASSERT_EQ(0, ask(self->authority, SIDE, do_serve));
}

FIXTURE_TEARDOWN(other_authority)
{
	puppet_stop(self->authority);
}

/* Receive argument[0] requests; their ids are left in the scratch buffer. */
static long do_receive_many(struct puppet *puppet, struct puppet_thread *me)
{
	__u64 *id = (void *)puppet->scratch;
	struct lsabuf_reply_receive request;
	long i, ret;

	for (i = 0; i < me->argument[0]; i++) {
		ret = lsa_receive(puppet->device, &request);
		if (ret)
			return ret;
		id[i] = request.out_id;
	}
	return 0;
}

#define WAITERS 25
#define WAITING_CLIENTS 4
#define RECEIVED 40

struct waiter {
	struct lsabuf_call call;
	struct puppet *puppet;
	pthread_t thread;
	int result;
};

static void *waiter_main(void *argument)
{
	struct waiter *me = argument;

	me->result = lsa_call(me->puppet->device, &me->call);
	return NULL;
}

/* Many threads that wait in a call; all about them is in the scratch buffer. */
static long do_wait_many(struct puppet *puppet, struct puppet_thread *me)
{
	struct waiter *waiter = (void *)puppet->scratch;
	int i;

	(void)me;
	memset(waiter, 0, WAITERS * sizeof(*waiter));
	for (i = 0; i < WAITERS; i++) {
		waiter[i].puppet = puppet;
		if (pthread_create(&waiter[i].thread, NULL, waiter_main,
				   &waiter[i]))
			return -ENOMEM;
	}
	for (i = 0; i < WAITERS; i++)
		pthread_join(waiter[i].thread, NULL);
	return 0;
}

static bool contains(const __u64 *ids, int nr, __u64 id)
{
	while (nr--)
		if (ids[nr] == id)
			return true;
	return false;
}

/* All callers return at once, and know whether their call was received. */
TEST_F_TIMEOUT(other_authority, killed_with_100_callers, 120)
{
	struct puppet *client[WAITING_CLIENTS];
	struct waiter *waiter;
	int i, c, told = 0;
	__u64 start;

	for (c = 0; c < WAITING_CLIENTS; c++) {
		client[c] = client_start(self->name, LSABUF_ACCESS_BUFFERS);
		ASSERT_TRUE(!!client[c]);
		tell(client[c], CALLER, do_wait_many);
	}
	for (c = 0; c < WAITING_CLIENTS; c++) {
		waiter = (void *)client[c]->scratch;
		for (i = 0; i < WAITERS; i++)
			ASSERT_TRUE(wait_id(&waiter[i].call));
	}
	ASSERT_EQ(0, ask(self->authority, CALLER, do_receive_many, RECEIVED));

	start = now_ns();
	puppet_kill(self->authority);
	for (c = 0; c < WAITING_CLIENTS; c++)
		ASSERT_EQ(0, hear(client[c], CALLER));
	EXPECT_LE(now_ns() - start, AT_ONCE_NS);
	for (c = 0; c < WAITING_CLIENTS; c++) {
		waiter = (void *)client[c]->scratch;
		for (i = 0; i < WAITERS; i++) {
			EXPECT_EQ(-EPIPE, waiter[i].result);
			EXPECT_EQ(contains((void *)self->authority->scratch,
					   RECEIVED, waiter[i].call.id),
				  waiter[i].call.out_status[0]);
			told += waiter[i].call.out_status[0];
		}
		puppet_stop(client[c]);
	}
	EXPECT_EQ(RECEIVED, told);
}

/* Call and give up, call and give up, until that fails. */
static long do_hammer(struct puppet *puppet, struct puppet_thread *me)
{
	int ret;

	for (;;) {
		me->call = (struct lsabuf_call){
			.flags = LSABUF_CALL_F_NOWAIT,
			.submit_address = to_u64(puppet->submit),
			.submit_length = 64,
		};
		ret = lsa_call(puppet->device, &me->call);
		if (ret)
			return ret;
		call_cancel(puppet->device, me->call.id);
	}
}

/* At no moment of its end is it taken for one that is merely busy. */
TEST_F_TIMEOUT(other_authority, killed_under_hammering, STRESS_TIMEOUT)
{
	struct puppet *client = puppet_start(NOBODY);
	unsigned int i, rounds = scaled(50);
	int t;

	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, client_connect(client, self->name,
					    LSABUF_ACCESS_BUFFERS));
		for (t = 0; t < PUPPET_THREADS; t++)
			tell(client, t, do_hammer);
		usleep(1000 + i * 379 % 5000);
		puppet_stop(self->authority);
		for (t = 0; t < PUPPET_THREADS; t++) {
			EXPECT_EQ(-EPIPE, hear(client, t));
			EXPECT_EQ(0, client->thread[t].call.out_status[0]);
		}
		remote(client, SYS_close, client->device);
		self->authority = puppet_start(0);
		strcpy((char *)self->authority->scratch, self->name);
		ASSERT_EQ(0, ask(self->authority, SIDE, do_serve));
	}
	puppet_stop(client);
}

/* After that, every call says so, and poll() too. */
TEST_F(other_authority, calls_after_its_death)
{
	struct puppet *client = client_start(self->name, LSABUF_ACCESS_WHOLE);
	struct pollfd *poll_file = (void *)client->scratch;

	puppet_kill(self->authority);
	start_call(client, CALLER, 100);
	EXPECT_EQ(-EPIPE, hear(client, CALLER));
	EXPECT_EQ(0, client->thread[CALLER].call.out_status[0]);
	*poll_file = (struct pollfd){ .fd = client->device, .events = POLLIN };
	EXPECT_EQ(1, remote(client, SYS_poll, (long)poll_file, 1, 0));
	EXPECT_TRUE(poll_file->revents & (POLLHUP | POLLERR));
	EXPECT_EQ(-ENOENT,
		  client_connect(client, self->name, LSABUF_ACCESS_WHOLE));
	puppet_stop(client);
}

/* An authority that closes its file, with a request it holds */
TEST_F(pair, authority_closes)
{
	struct lsabuf_call *call;
	__u64 id = begin(_metadata, self), address;

	ASSERT_EQ(0, lsa_alloc(self->authority, id, 64, &address));
	call = &self->client->thread[CALLER].call;
	close(self->authority);
	EXPECT_EQ(-EPIPE, hear(self->client, CALLER));
	EXPECT_EQ(1, call->out_status[0]);
	/* What was not handed over is not the client's. */
	EXPECT_EQ(-ENOENT, client_free(self->client, address));
	self->authority = -1;
}

/* With one that it has not received: nothing of it stays in its memory. */
TEST_F(pair, authority_closes_unread)
{
	start_call(self->client, CALLER, 9000);
	ASSERT_TRUE(wait_readable(self->authority));
	EXPECT_TRUE(is_mapped(getpid(), self->serve.out_arena_address));
	close(self->authority);
	EXPECT_FALSE(is_mapped(getpid(), self->serve.out_arena_address));
	EXPECT_EQ(-EPIPE, hear(self->client, CALLER));
	EXPECT_EQ(0, self->client->thread[CALLER].call.out_status[0]);
	self->authority = -1;
}

/* The file lives on elsewhere; the process that served is gone. */
TEST_F(other_authority, its_file_lives_on)
{
	struct puppet *client = client_start(self->name, LSABUF_ACCESS_WHOLE);
	int pidfd = syscall(SYS_pidfd_open, self->authority->pid, 0);
	int file = syscall(SYS_pidfd_getfd, pidfd, self->authority->device, 0);

	ASSERT_LE(0, file);
	start_call(client, CALLER, 100);
	ASSERT_TRUE(wait_id(&client->thread[CALLER].call));
	EXPECT_EQ(-1, first_not_failing_with(file, EPERM));
	puppet_kill(self->authority);
	EXPECT_EQ(-EPIPE, hear(client, CALLER));
	EXPECT_EQ(-1, first_not_failing_with(file, EPERM));
	close(file);
	close(pidfd);
	puppet_stop(client);
}

/*
 * Other memories
 */

/* A fork of the client looks at the block argument[0] from its own side. */
static long do_look_from_child(struct puppet *puppet, struct puppet_thread *me)
{
	int status, fresh;
	pid_t child = fork();
	char byte;

	if (!child) {
		fresh = lsa_open();
		if (first_not_failing_with(puppet->device, EPERM) >= 0)
			_exit(1);
		if (guarded_copy(&byte, (void *)me->argument[0], 1) != SIGSEGV)
			_exit(2);
		if (lsa_free(fresh, me->argument[0]) != -ENOENT)
			_exit(3);
		if (lsa_connect(fresh, (char *)puppet->scratch,
				LSABUF_ACCESS_BUFFERS))
			_exit(4);
		_exit(0);
	}
	if (waitpid(child, &status, 0) < 0)
		return -errno;
	return status;
}

TEST_F(pair, forked_child)
{
	__u64 block = give_block(_metadata, self, 5000), id;

	ask(self->client, SIDE, do_fill, block, 1, 5000);
	id = begin(_metadata, self);
	strcpy((char *)self->client->scratch, self->name);
	EXPECT_EQ(0, ask(self->client, SIDE, do_look_from_child, block));
	/* Its end is nothing to the client. */
	end(_metadata, self, id);
	EXPECT_EQ(5000, ask(self->client, SIDE, do_filled, block, 1, 5000));
	EXPECT_EQ(0, client_free(self->client, block));
}

/* The same for a child that asked for the arena to be inherited. */
TEST_F(pair, forked_child_with_dofork)
{
	__u64 block = give_block(_metadata, self, 64);
	struct mapping map;

	ASSERT_TRUE(find_mapping(self->client->pid, block, &map));
	EXPECT_EQ(-EINVAL, remote(self->client, SYS_madvise, map.start,
				  map.end - map.start, MADV_DOFORK));
	strcpy((char *)self->client->scratch, self->name);
	EXPECT_EQ(0, ask(self->client, SIDE, do_look_from_child, block));
}

/* Fork until flag[7]: what no child has is what is copied after its fork. */
static long do_fork_again(struct puppet *puppet, struct puppet_thread *me)
{
	const volatile unsigned int *number = (void *)me->argument[0];
	int status, forks, i;
	unsigned int seen;
	pid_t child;
	char byte;

	for (forks = 0; !__atomic_load_n(&puppet->flag[7], __ATOMIC_ACQUIRE);
	     forks++) {
		child = fork();
		if (!child) {
			seen = *number;
			for (i = 0; i < 20; i++) {
				usleep(100);
				if (*number != seen)
					_exit(1);
			}
			_exit(guarded_copy(&byte, (void *)me->argument[1], 1) !=
			      SIGSEGV);
		}
		if (waitpid(child, &status, 0) < 0 || status)
			return -ECHILD;
	}
	return forks;
}

/* Copies race forks: the parent gets every byte, and no child any. */
TEST_F_TIMEOUT(pair, fork_races_copy, STRESS_TIMEOUT)
{
	__u64 memory =
		remote_mmap(self->client, PAGE, READ_WRITE, MAP_POPULATE);
	__u64 block = give_block(_metadata, self, 64), id;
	unsigned int i, rounds = scaled(200), slow = 0, seen;
	__u64 start;
	int ret;

	self->client->flag[7] = 0;
	tell(self->client, SECOND, do_fork_again, memory, block);
	for (i = 1; i <= rounds; i++) {
		start = now_ns();
		id = begin(_metadata, self);
		ret = lsa_copy_to(self->authority, id, memory, &i, sizeof(i),
				  NULL);
		if (ret == -ECANCELED && may_be_late(start)) {
			test_err_reply(ECANCELED, self->authority, id);
			EXPECT_EQ(-ECANCELED, hear(self->client, CALLER));
			slow++;
			continue;
		}
		ASSERT_EQ(0, ret);
		ASSERT_EQ(0, lsa_copy_to(self->authority, id, block, &i,
					 sizeof(i), NULL));
		end(_metadata, self, id);
		ASSERT_EQ(0, peek(self->client, memory, &seen, sizeof(seen)));
		ASSERT_EQ(i, seen);
	}
	__atomic_store_n(&self->client->flag[7], 1, __ATOMIC_RELEASE);
	EXPECT_LT(0, hear(self->client, SECOND));
	EXPECT_LT(slow, rounds / 2);
}

#define EXEC_VARIABLE "LSABUF_TEST_INHERITED"
/* Memory that both the program before exec and the one after it have */
#define EXEC_ADDRESS 0x20000000UL

static void *exec_memory(void)
{
	return mmap((void *)EXEC_ADDRESS, PAGE, READ_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE |
			    MAP_POPULATE,
		    -1, 0);
}

/*
 * What the program does after do_exec(): the file must be worth nothing, and
 * nobody may write to its memory.
 */
static void __attribute__((constructor)) exec_main(void)
{
	const char *file = getenv(EXEC_VARIABLE);
	__u64 end = now_ns() + 20 * NSEC_PER_MSEC;
	char *memory;

	if (!file)
		return;
	memory = exec_memory();
	if (first_not_failing_with(atoi(file), EPERM) >= 0)
		_exit(1);
	while (now_ns() < end)
		if (!all_bytes(memory, 0, PAGE))
			_exit(2);
	_exit(0);
}

static long do_exec_memory(struct puppet *puppet, struct puppet_thread *me)
{
	(void)puppet;
	(void)me;
	return (long)exec_memory();
}

static long do_exec(struct puppet *puppet, struct puppet_thread *me)
{
	char variable[64];
	char *const argv[] = { "test", NULL };
	char *const envp[] = { variable, NULL };

	(void)me;
	snprintf(variable, sizeof(variable), "%s=%d", EXEC_VARIABLE,
		 puppet->device);
	fcntl(puppet->device, F_SETFD, 0);
	execve("/proc/self/exe", argv, envp);
	return -errno;
}

/* A program after exec has the descriptor, and nothing else. */
TEST_F(pair, exec)
{
	struct puppet *other =
		client_start_as(0, self->name, LSABUF_ACCESS_WHOLE);
	__u64 id, done;
	int status;

	ASSERT_TRUE(!!other);
	id = begin_with(_metadata, self->authority, other);
	tell(other, SECOND, do_exec);
	ASSERT_EQ(other->pid, waitpid(other->pid, &status, 0));
	EXPECT_EQ(0, status);
	other->pid = -1;
	test_err_copy_to(ESRCH, self->authority, id, to_u64(other->submit), "x",
			 1, &done);
	test_err_reply(ESRCH, self->authority, id);
	puppet_stop(other);
}

/* A copy that is under way at exec never reaches the new program. */
TEST_F_TIMEOUT(pair, exec_races_copy, STRESS_TIMEOUT)
{
	unsigned int i, rounds = scaled(10), slow = 0;
	struct long_copy copy = {
		.authority = self->authority,
		.address = EXEC_ADDRESS,
		.length = PAGE,
		.bytes = malloc(PAGE),
	};
	struct puppet *victim;
	pthread_t thread;
	int status;

	memset(copy.bytes, 0x77, PAGE);
	for (i = 0; i < rounds; i++) {
		victim = client_start_as(0, self->name, LSABUF_ACCESS_WHOLE);
		ASSERT_TRUE(!!victim);
		ASSERT_EQ(EXEC_ADDRESS, ask(victim, SIDE, do_exec_memory));
		copy.copies = 0;
		copy.on = 1;
		copy.start = now_ns();
		copy.id = begin_with(_metadata, self->authority, victim);
		pthread_create(&thread, NULL, copy_main, &copy);
		ASSERT_TRUE(wait_nonzero(&copy.copies));
		tell(victim, SECOND, do_exec);
		ASSERT_EQ(victim->pid, waitpid(victim->pid, &status, 0));
		EXPECT_EQ(0, status);
		victim->pid = -1;
		__atomic_store_n(&copy.on, 0, __ATOMIC_RELEASE);
		pthread_join(thread, NULL);
		slow += !ends_by_death(_metadata, &copy);
		puppet_stop(victim);
	}
	EXPECT_LT(slow, rounds / 2);
	free(copy.bytes);
}

static int send_file(int socket, int file)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec byte = { "", 1 };
	struct msghdr message = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &file, sizeof(file));
	return sendmsg(socket, &message, 0);
}

static int receive_file(int socket)
{
	char control[CMSG_SPACE(sizeof(int))], data;
	struct iovec byte = { &data, 1 };
	struct msghdr message = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int file = -1;

	if (recvmsg(socket, &message, 0) == 1)
		memcpy(&file, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(file));
	return file;
}

/* A client in the test process itself, whose file goes to a child */
TEST_F(pair, sent_file)
{
	int file = lsa_open(), pair[2], status;
	pid_t child;

	ASSERT_EQ(0, lsa_connect(file, self->name, LSABUF_ACCESS_WHOLE));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	child = fork();
	if (!child) {
		close(file);
		file = receive_file(pair[1]);
		_exit(first_not_failing_with(file, EPERM) >= 0);
	}
	ASSERT_EQ(1, send_file(pair[0], file));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	/* It is still a client. */
	EXPECT_EQ(0, lsa_disconnect(file));
	close(file);
}

/* Dead is dead, also where the file waits in a socket for ever. */
TEST_F(pair, its_file_lives_on)
{
	int pidfd = syscall(SYS_pidfd_open, self->client->pid, 0);
	int file = syscall(SYS_pidfd_getfd, pidfd, self->client->device, 0);
	__u64 id = begin(_metadata, self), done;
	int pair[2];

	ASSERT_LE(0, file);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_EQ(1, send_file(pair[0], file));
	close(file);
	puppet_kill(self->client);
	test_err_copy_to(ESRCH, self->authority, id, 4096, "x", 1, &done);
	test_err_reply(ESRCH, self->authority, id);
	close(pair[0]);
	close(pair[1]);
	close(pidfd);
}

static int sibling_main(void *argument)
{
	struct puppet *puppet = argument;
	struct lsabuf_call *call = &puppet->thread[SECOND].call;

	/* Only of this task: it shares the memory, not the credential. */
	if (syscall(SYS_setresgid, SOMEBODY, SOMEBODY, SOMEBODY) ||
	    syscall(SYS_setresuid, SOMEBODY, SOMEBODY, SOMEBODY))
		return 1;
	return lsa_call(puppet->device, call) ? 2 : 0;
}

/* Another process of the same memory and another user makes a call. */
static long do_clone_vm(struct puppet *puppet, struct puppet_thread *me)
{
	static char stack[65536] __aligned_page;
	int status;
	pid_t child;

	(void)me;
	child = clone(sibling_main, stack + sizeof(stack), CLONE_VM | SIGCHLD,
		      puppet);
	if (child < 0)
		return -errno;
	puppet->flag[3] = child;
	if (waitpid(child, &status, 0) < 0)
		return -errno;
	return status;
}

/* Same memory, same client; the identity is the caller's own. */
TEST_F(pair, clone_vm)
{
	struct puppet *root =
		client_start_as(0, self->name, LSABUF_ACCESS_WHOLE);
	struct lsabuf_reply_receive request;

	ASSERT_TRUE(!!root);
	new_call(root, SECOND, 0);
	tell(root, SIDE, do_clone_vm);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(root->client, request.out_client);
	EXPECT_EQ(SOMEBODY, request.out_uid);
	EXPECT_EQ(SOMEBODY, request.out_gid);
	EXPECT_EQ(OWN_FLAGS, request.out_flags);
	EXPECT_EQ(0, lsa_reply(self->authority, request.out_id));
	EXPECT_EQ(0, hear(root, SIDE));
	/* Known only then: the child may run before its parent goes on. */
	EXPECT_EQ(root->flag[3], request.out_pid);
	/* Its end was not the client's. */
	end(_metadata, self, begin(_metadata, self));
	EXPECT_EQ(0, lsa_reply(self->authority,
			       begin_with(_metadata, self->authority, root)));
	EXPECT_EQ(0, hear(root, CALLER));
	puppet_stop(root);
}

/*
 * A process and its arena
 */

static bool failed(long result)
{
	return result < 0 && result >= -4095;
}

struct arena {
	__u64 block;
	struct mapping map;
	__u64 size;
};

/* A client's arena with one block in it, filled. */
static struct arena arena_of(struct __test_metadata *_metadata, PAIR *self)
{
	struct arena arena = { .block = give_block(_metadata, self, 9000) };

	ASSERT_TRUE(find_mapping(self->client->pid, arena.block, &arena.map));
	arena.size = arena.map.end - arena.map.start;
	ask(self->client, SIDE, do_fill, arena.block, 1, 9000);
	return arena;
}

/* Nothing happened to it, and it can still be used. */
static void check_arena(struct __test_metadata *_metadata, PAIR *self,
			const struct arena *arena)
{
	struct mapping map;
	__u64 block;

	EXPECT_TRUE(find_mapping(self->client->pid, arena->block, &map));
	EXPECT_EQ(arena->map.start, map.start);
	EXPECT_EQ(arena->map.end, map.end);
	EXPECT_STREQ("rw-s", map.prot);
	EXPECT_EQ(9000,
		  ask(self->client, SIDE, do_filled, arena->block, 1, 9000));
	block = give_block(_metadata, self, 100);
	EXPECT_TRUE(reads_zero(self->client, block, 100));
	EXPECT_EQ(0, client_free(self->client, block));
}

TEST_F(pair, arena_flags)
{
	const char *const have[] = { " sh", " io", " de", " dd", " dc", " mm" };
	const char *const have_not[] = { " ex", " me", " lo", " gd" };
	struct arena arena = arena_of(_metadata, self);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(have); i++) {
		EXPECT_TRUE(!!strstr(arena.map.flags, have[i]))
		{
			TH_LOG("no%s in%s", have[i], arena.map.flags);
		}
	}
	for (i = 0; i < ARRAY_SIZE(have_not); i++) {
		EXPECT_FALSE(!!strstr(arena.map.flags, have_not[i]))
		{
			TH_LOG("%s in%s", have_not[i], arena.map.flags);
		}
	}
	/* The authority's as well */
	ASSERT_TRUE(find_mapping(getpid(), self->serve.out_arena_address,
				 &arena.map));
	EXPECT_STREQ("rw-s", arena.map.prot);
	for (i = 0; i < ARRAY_SIZE(have); i++)
		EXPECT_TRUE(!!strstr(arena.map.flags, have[i]));
}

TEST_F(pair, arena_cannot_be_split)
{
	struct arena arena = arena_of(_metadata, self);
	__u64 offset;

	for (offset = 0; offset < arena.size && offset < 64 * PAGE;
	     offset += PAGE) {
		EXPECT_EQ(-EINVAL, remote(self->client, SYS_munmap,
					  arena.map.start + offset, PAGE));
		EXPECT_EQ(-EINVAL,
			  remote(self->client, SYS_mprotect,
				 arena.map.start + offset, PAGE, PROT_READ));
	}
	EXPECT_TRUE(failed(remote(
		self->client, SYS_mmap, arena.map.start + PAGE, PAGE,
		READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)));
	remote(self->client, SYS_mlock, arena.map.start + PAGE, PAGE);
	check_arena(_metadata, self, &arena);
}

TEST_F(pair, arena_cannot_move)
{
	struct arena arena = arena_of(_metadata, self);
	const long at = arena.map.start, size = arena.size;
	struct puppet *client = self->client;

	EXPECT_TRUE(failed(remote(client, SYS_mremap, at, size, size + PAGE,
				  MREMAP_MAYMOVE)));
	EXPECT_TRUE(failed(remote(client, SYS_mremap, at, size, FAR_AWAY,
				  MREMAP_MAYMOVE)));
	EXPECT_TRUE(
		failed(remote(client, SYS_mremap, at, size, size + PAGE, 0)));
	EXPECT_TRUE(failed(remote(client, SYS_mremap, at, size, size,
				  MREMAP_MAYMOVE | MREMAP_FIXED, FAR_AWAY)));
	EXPECT_TRUE(failed(remote(client, SYS_mremap, at + PAGE, PAGE, PAGE,
				  MREMAP_MAYMOVE | MREMAP_FIXED, FAR_AWAY)));
	EXPECT_TRUE(failed(remote(client, SYS_mremap, at, size, PAGE, 0)));
	/* A second mapping of the same pages */
	EXPECT_TRUE(failed(
		remote(client, SYS_mremap, at, 0, size, MREMAP_MAYMOVE)));
	EXPECT_TRUE(failed(remote(client, SYS_mremap, at, size, size,
				  MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0)));
	check_arena(_metadata, self, &arena);
}

TEST_F(pair, arena_is_not_executable)
{
	struct arena arena = arena_of(_metadata, self);

	EXPECT_EQ(-EACCES, remote(self->client, SYS_mprotect, arena.map.start,
				  arena.size, READ_WRITE | PROT_EXEC));
	EXPECT_EQ(-EACCES, remote(self->client, SYS_mprotect, arena.map.start,
				  arena.size, PROT_EXEC));
	check_arena(_metadata, self, &arena);
}

/* A whole arena made read-only is the client's own affair. */
TEST_F(pair, arena_protection)
{
	struct arena arena = arena_of(_metadata, self);
	__u64 id;

	EXPECT_EQ(0, remote(self->client, SYS_mprotect, arena.map.start,
			    arena.size, PROT_READ));
	id = begin(_metadata, self);
	EXPECT_EQ(0,
		  lsa_copy_to(self->authority, id, arena.block, "x", 1, NULL));
	EXPECT_EQ(0, lsa_copy_to(self->authority, id, arena.block,
				 &(unsigned char){ pattern(1, 0) }, 1, NULL));
	end(_metadata, self, id);
	EXPECT_EQ(SIGSEGV, poke(self->client, arena.block, "x", 1));
	EXPECT_EQ(0, remote(self->client, SYS_mprotect, arena.map.start,
			    arena.size, READ_WRITE));
	check_arena(_metadata, self, &arena);
}

/* Advice may be refused; what it must not do is change a byte. */
TEST_F(pair, arena_advice)
{
	const int refused[] = { MADV_DOFORK, MADV_DODUMP, MADV_REMOVE,
				MADV_FREE };
	const int harmless[] = {
		MADV_NORMAL,	     MADV_RANDOM,    MADV_SEQUENTIAL,
		MADV_WILLNEED,	     MADV_DONTNEED,  MADV_COLD,
		MADV_PAGEOUT,	     MADV_MERGEABLE, MADV_HUGEPAGE,
		MADV_DONTFORK,	     MADV_DONTDUMP,  MADV_POPULATE_READ,
		MADV_POPULATE_WRITE,
	};
	struct arena arena = arena_of(_metadata, self);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		EXPECT_TRUE(
			failed(remote(self->client, SYS_madvise,
				      arena.map.start, arena.size, refused[i])))
		{
			TH_LOG("advice %d", refused[i]);
		}
	}
	check_arena(_metadata, self, &arena);
	for (i = 0; i < ARRAY_SIZE(harmless); i++) {
		remote(self->client, SYS_madvise, arena.map.start, arena.size,
		       harmless[i]);
		check_arena(_metadata, self, &arena);
	}
	/* Of a part: the arena stays one. */
	remote(self->client, SYS_madvise, arena.map.start + PAGE, PAGE,
	       MADV_DONTNEED);
	check_arena(_metadata, self, &arena);
	remote(self->client, SYS_madvise, arena.map.start + PAGE, PAGE,
	       MADV_RANDOM);
	check_arena(_metadata, self, &arena);
}

TEST_F(pair, arena_remap_file_pages)
{
	struct arena arena = arena_of(_metadata, self);

	EXPECT_TRUE(failed(remote(self->client, SYS_remap_file_pages,
				  arena.map.start, arena.size, 0, 0, 0)));
	EXPECT_TRUE(failed(remote(self->client, SYS_remap_file_pages,
				  arena.map.start, PAGE, 0, 1, 0)));
	EXPECT_TRUE(failed(remote(self->client, SYS_remap_file_pages,
				  arena.map.start, arena.size, 0, 1, 0)));
	check_arena(_metadata, self, &arena);
}

/* Lock calls: refused or without effect */
TEST_F(pair, arena_mlock)
{
	struct arena arena = arena_of(_metadata, self);

	remote(self->client, SYS_mlock, arena.map.start, arena.size);
	check_arena(_metadata, self, &arena);
	remote(self->client, SYS_mlockall, MCL_CURRENT);
	check_arena(_metadata, self, &arena);
	remote(self->client, SYS_munlockall);
	check_arena(_metadata, self, &arena);
}

/* An old program for which what can be read can be executed */
TEST_F(pair, read_implies_exec)
{
	struct puppet *old = puppet_start(NOBODY);
	struct mapping map;
	__u64 id, address;

	ASSERT_LE(0, remote(old, SYS_personality, READ_IMPLIES_EXEC));
	ASSERT_EQ(0, client_connect(old, self->name, LSABUF_ACCESS_BUFFERS));
	id = begin_with(_metadata, self->authority, old);
	ASSERT_EQ(0, lsa_alloc(self->authority, id, MIB(16), &address));
	EXPECT_EQ(0, lsa_reply(self->authority, id));
	EXPECT_EQ(0, hear(old, CALLER));
	ASSERT_TRUE(find_mapping(old->pid, address, &map));
	EXPECT_STREQ("rw-s", map.prot);
	EXPECT_TRUE(reads_zero(old, address, 100));
	EXPECT_TRUE(failed(remote(old, SYS_mprotect, map.start,
				  map.end - map.start, PROT_READ)) ||
		    find_mapping(old->pid, address, &map));
	EXPECT_FALSE(!!strchr(map.prot, 'x'));
	puppet_stop(old);
}

/* Debuggers and their kind see other memory of the client, but no arena. */
TEST_F(pair, arena_is_not_read_by_others)
{
	struct arena arena = arena_of(_metadata, self);
	char byte = 0, path[32];
	struct iovec local = { &byte, 1 };
	struct iovec remote_arena = { to_pointer(arena.block), 1 };
	struct iovec remote_plain = { self->client->submit, 1 };
	pid_t pid = self->client->pid;
	int file, status;

	EXPECT_EQ(1, process_vm_readv(pid, &local, 1, &remote_plain, 1, 0));
	EXPECT_EQ(-1, process_vm_readv(pid, &local, 1, &remote_arena, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, process_vm_writev(pid, &local, 1, &remote_arena, 1, 0));

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	file = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, file);
	EXPECT_EQ(1, pread(file, &byte, 1, to_u64(self->client->submit)));
	EXPECT_EQ(-1, pread(file, &byte, 1, arena.block));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, pwrite(file, &byte, 1, arena.block));
	close(file);

	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, NULL, NULL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	errno = 0;
	ptrace(PTRACE_PEEKDATA, pid, self->client->submit, NULL);
	EXPECT_EQ(0, errno);
	EXPECT_EQ(-1, ptrace(PTRACE_PEEKDATA, pid, arena.block, NULL));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, ptrace(PTRACE_POKEDATA, pid, arena.block, 0));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, NULL, NULL));
	check_arena(_metadata, self, &arena);
}

/* Its file cannot be mapped a second time, by nobody. */
TEST_F(pair, arena_is_not_mapped_twice)
{
	struct arena arena = arena_of(_metadata, self);
	char path[64];
	void *map;
	int file;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%lx-%lx",
		 self->client->pid, arena.map.start, arena.map.end);
	file = open(path, O_RDWR | O_CLOEXEC);
	if (file >= 0) {
		map = mmap(NULL, PAGE, READ_WRITE, MAP_SHARED, file, 0);
		EXPECT_EQ(MAP_FAILED, map);
		map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0);
		EXPECT_EQ(MAP_FAILED, map);
		EXPECT_GE(0, read(file, path, 1));
		close(file);
	}
	check_arena(_metadata, self, &arena);
}

/* The device itself has nothing to map. */
TEST_F(pair, device_is_not_mapped)
{
	struct puppet *client = self->client;
	int file = lsa_open();

	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0));
	EXPECT_EQ(MAP_FAILED,
		  mmap(NULL, PAGE, READ_WRITE, MAP_SHARED, self->authority, 0));
	EXPECT_TRUE(failed(remote(client, SYS_mmap, 0, PAGE, READ_WRITE,
				  MAP_SHARED, client->device, 0)));
	EXPECT_TRUE(failed(remote(client, SYS_mmap, 0, PAGE, PROT_READ,
				  MAP_PRIVATE, client->device, 0)));
	close(file);
}

/* write(2) out of a block and read(2) into one work as with any memory. */
TEST_F(pair, arena_in_system_calls)
{
	struct arena arena = arena_of(_metadata, self);
	long file = remote(self->client, SYS_memfd_create, (long)"file",
			   MFD_CLOEXEC);

	ASSERT_LE(0, file);
	EXPECT_EQ(9000,
		  remote(self->client, SYS_write, file, arena.block, 9000));
	ask(self->client, SIDE, do_fill, arena.block, 2, 9000);
	EXPECT_EQ(9000, remote(self->client, SYS_pread64, file, arena.block,
			       9000, 0));
	check_arena(_metadata, self, &arena);
}

/* The client gives its own arena away: the loss is its own. */
TEST_F(pair, unmapped_arena)
{
	struct puppet *client = client_start(self->name, LSABUF_ACCESS_BUFFERS);
	__u64 id, block, later, done;
	struct mapping map;

	ASSERT_TRUE(!!client);
	id = begin_with(_metadata, self->authority, client);
	ASSERT_EQ(0, lsa_alloc(self->authority, id, 9000, &block));
	ASSERT_TRUE(find_mapping(client->pid, block, &map));
	ASSERT_EQ(0,
		  remote(client, SYS_munmap, map.start, map.end - map.start));
	/* Something else is there now. */
	ASSERT_EQ(map.start,
		  remote(client, SYS_mmap, map.start, map.end - map.start,
			 READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			 -1, 0));
	lsa_copy_to(self->authority, id, block, "secret", 6, &done);
	EXPECT_TRUE(reads_zero(client, map.start, map.end - map.start));
	/* New blocks are in a new arena, or there are none. */
	if (!lsa_alloc_from(self->authority, id, 9000, "secret", 6, &later)) {
		EXPECT_TRUE(later + 9000 <= map.start || later >= map.end);
		EXPECT_EQ(0, lsa_reply_with(self->authority, id, later, 9000));
		EXPECT_EQ(0, hear(client, CALLER));
		EXPECT_TRUE(reads_zero(client, later + 6, 9000 - 6));
		EXPECT_EQ(0, client_free(client, later));
	} else {
		EXPECT_EQ(0, lsa_reply(self->authority, id));
		EXPECT_EQ(0, hear(client, CALLER));
	}
	EXPECT_TRUE(reads_zero(client, map.start, map.end - map.start));
	client_free(client, block);
	EXPECT_TRUE(reads_zero(client, map.start, map.end - map.start));
	puppet_stop(client);
}

struct race {
	int authority;
	__u64 id;
	int stop;
	unsigned int copied;
};

/* Allocate, copy and release as long as that goes. */
static void *use_main(void *argument)
{
	struct race *race = argument;
	char secret[5000];
	__u64 block;

	memset(secret, 0x5a, sizeof(secret));
	while (!__atomic_load_n(&race->stop, __ATOMIC_ACQUIRE)) {
		if (lsa_alloc_from(race->authority, race->id, sizeof(secret),
				   secret, sizeof(secret), &block))
			continue;
		race->copied += !lsa_copy_to(race->authority, race->id, block,
					     secret, sizeof(secret), NULL);
		lsa_release(race->authority, race->id, block);
	}
	return NULL;
}

/* Unmapping races use: what is mapped there next never has a byte of it. */
TEST_F_TIMEOUT(pair, unmap_races_use, STRESS_TIMEOUT)
{
	unsigned int i, rounds = scaled(20);
	struct race race = { .authority = self->authority };
	struct puppet *client;
	struct mapping map;
	pthread_t thread;
	__u64 block;

	for (i = 0; i < rounds; i++) {
		client = client_start(self->name, LSABUF_ACCESS_BUFFERS);
		ASSERT_TRUE(!!client);
		race.id = begin_with(_metadata, self->authority, client);
		ASSERT_EQ(0, lsa_alloc(self->authority, race.id, 64, &block));
		ASSERT_TRUE(find_mapping(client->pid, block, &map));
		race.stop = 0;
		pthread_create(&thread, NULL, use_main, &race);
		usleep(i * 97 % 2000);
		ASSERT_EQ(map.start,
			  remote(client, SYS_mmap, map.start,
				 map.end - map.start, READ_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
				 0));
		usleep(1000);
		__atomic_store_n(&race.stop, 1, __ATOMIC_RELEASE);
		pthread_join(thread, NULL);
		lsa_reply(self->authority, race.id);
		hear(client, CALLER);
		ASSERT_TRUE(reads_zero(client, map.start, map.end - map.start));
		puppet_stop(client);
	}
}

static long do_vmsplice(struct puppet *puppet, struct puppet_thread *me)
{
	struct iovec pages = { (void *)me->argument[0], PAGE };
	int ends[2];

	if (pipe(ends))
		return -errno;
	if (vmsplice(ends[1], &pages, 1, 0) != (long)PAGE)
		return -errno;
	puppet->flag[4] = ends[0];
	return 0;
}

/* Put a page of an arena into a pipe. Kernels after 6.1 refuse: -EFAULT. */
static bool pin(struct __test_metadata *_metadata, struct puppet *client,
		__u64 page)
{
	long ret = ask(client, SIDE, do_vmsplice, page);

	EXPECT_TRUE(!ret || ret == -EFAULT);
	return !ret;
}

/* Wait until the module has @users again. */
static int settled_users(int users)
{
	__u64 end = now_ns() + AT_ONCE_NS;

	while (module_users() != users && now_ns() < end)
		sleep_ms(10);
	return module_users();
}

/* A page that its client keeps pinned: it was wiped, and is nobody else's. */
TEST_F(pair, pinned_page)
{
	unsigned char secret[PAGE], seen[PAGE];
	struct puppet *victim, *other;
	__u64 block, id, address;
	int pidfd, file, users, i;

	/* What is freed there is allocated there next. */
	stay_on_cpu(0);
	other = client_start(self->name, LSABUF_ACCESS_WHOLE);
	users = module_users();
	victim = client_start(self->name, LSABUF_ACCESS_WHOLE);
	ASSERT_TRUE(other && victim);
	id = begin_with(_metadata, self->authority, victim);
	ASSERT_EQ(0, lsa_alloc(self->authority, id, 2 * PAGE, &block));
	ASSERT_EQ(0, lsa_reply(self->authority, id));
	ASSERT_EQ(0, hear(victim, CALLER));
	block = (block + PAGE - 1) & ~(PAGE - 1);
	ask(victim, SIDE, do_fill, block, 1, PAGE);
	if (!pin(_metadata, victim, block)) {
		puppet_stop(victim);
		puppet_stop(other);
		return;
	}
	pidfd = syscall(SYS_pidfd_open, victim->pid, 0);
	file = syscall(SYS_pidfd_getfd, pidfd, victim->flag[4], 0);
	ASSERT_LE(0, file);
	puppet_kill(victim);
	ASSERT_EQ(users, settled_users(users));

	memset(secret, 0x5a, sizeof(secret));
	id = begin_with(_metadata, self->authority, other);
	for (i = 0; i < 500; i++)
		ASSERT_EQ(0, lsa_alloc_from(self->authority, id, PAGE, secret,
					    PAGE, &address));
	ASSERT_EQ(PAGE, read(file, seen, PAGE));
	EXPECT_TRUE(all_bytes(seen, 0, PAGE));
	EXPECT_EQ(0, lsa_reply(self->authority, id));
	EXPECT_EQ(0, hear(other, CALLER));
	close(file);
	close(pidfd);
	puppet_stop(other);
	puppet_stop(victim);
}

/* Pinned and freed: the pipe shows the wiped page. */
TEST_F(pair, pinned_block_is_wiped)
{
	__u64 block = give_block(_metadata, self, 2 * PAGE);
	__u64 page = (block + PAGE - 1) & ~(PAGE - 1);
	struct puppet *client = self->client;

	ask(client, SIDE, do_fill, page, 1, PAGE);
	if (!pin(_metadata, client, page))
		return;
	EXPECT_EQ(0, client_free(client, block));
	memset(client->submit, 1, PAGE);
	ASSERT_EQ(PAGE, remote(client, SYS_read, client->flag[4],
			       (long)client->submit, PAGE));
	EXPECT_TRUE(all_bytes(client->submit, 0, PAGE));
}

/*
 * The module
 */

static int remove_module(void)
{
	return syscall(SYS_delete_module, "lsabuf", O_NONBLOCK) ? -errno : 0;
}

static bool is_refused(int result)
{
	return result == -EBUSY || result == -EAGAIN;
}

/* Never try where it could succeed: the other tests need the module. */
TEST_F(pair, module_is_in_use)
{
	int fresh;

	if (module_users() < 0)
		SKIP(return, "built into the kernel");
	EXPECT_TRUE(is_refused(remove_module()));
	puppet_kill(self->client);
	close(self->authority);
	self->authority = -1;
	fresh = lsa_open();
	ASSERT_LE(0, fresh);
	EXPECT_LT(0, module_users());
	EXPECT_TRUE(is_refused(remove_module()));
	close(fresh);
}

/* A block that outlives all files keeps the module. */
TEST_F(pair, module_is_held_by_a_block)
{
	__u64 block;

	if (module_users() < 0)
		SKIP(return, "built into the kernel");
	block = give_block(_metadata, self, 64);
	ask(self->client, SIDE, do_fill, block, 1, 64);
	remote(self->client, SYS_close, self->client->device);
	close(self->authority);
	self->authority = -1;
	ASSERT_LT(0, module_users());
	EXPECT_TRUE(is_refused(remove_module()));
	EXPECT_EQ(64, ask(self->client, SIDE, do_filled, block, 1, 64));
}

/* Whatever was done: in the end nobody holds the module. */
TEST_F_TIMEOUT(pair, module_users_return, STRESS_TIMEOUT)
{
	const int before = module_users();
	unsigned int i, rounds = scaled(20);
	struct puppet *client;
	__u64 id, address;
	int file;

	if (before < 0)
		SKIP(return, "built into the kernel");
	for (i = 0; i < rounds; i++) {
		client = client_start(self->name, LSABUF_ACCESS_WHOLE);
		ASSERT_TRUE(!!client);
		id = begin_with(_metadata, self->authority, client);
		ASSERT_EQ(0, lsa_alloc(self->authority, id, MIB(1), &address));
		ASSERT_EQ(0, lsa_alloc(self->authority, id, 16, &address));
		/* Held, replied, or left */
		if (i % 3)
			lsa_reply(self->authority, id);
		if (i % 3 == 2)
			client_free(client, address);
		puppet_stop(client);
		if (i % 3 == 0)
			test_err_reply(ESRCH, self->authority, id);
		file = lsa_open();
		lsa_serve(file, "another");
		close(file);
	}
	EXPECT_EQ(before, settled_users(before));
	close(self->authority);
	self->authority = -1;
	puppet_kill(self->client);
	EXPECT_LT(settled_users(0), before);
}

TEST_HARNESS_MAIN
