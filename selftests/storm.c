// SPDX-License-Identifier: GPL-2.0
/*
 * Many at once, and at the worst moment: floods, kills, signals, freezing,
 * debuggers, descriptors and mappings that go away, the module that is to be
 * removed.
 */
#include "cgroups.h"
#include "exactly_once.h"
#include "lsabuf_test.h"

#include <sys/epoll.h>
#include <sys/ptrace.h>

#define PAGE 4096ULL
#define READ_WRITE (PROT_READ | PROT_WRITE)

/* A sequence that is the same in every run with the same @state. */
static unsigned int draw(unsigned int *state)
{
	*state = *state * 1103515245U + 12345U;
	return *state >> 16;
}

static int module_settles(int users)
{
	__u64 end = now_ns() + AT_ONCE_NS;

	while (module_users() != users && now_ns() < end)
		sleep_ms(10);
	return module_users();
}

/*
 * Fairness. Time is counted in requests that the authority executes: so it is
 * the same on any machine, however busy.
 */

#define HONEST 10
#define ROUNDS 20

static void call_nowait(struct __test_metadata *_metadata,
			struct puppet *client)
{
	new_call(client, CALLER, 0)->flags = LSABUF_CALL_F_NOWAIT;
	ASSERT_EQ(0, ask(client, CALLER, do_call));
}

/* Fill the queue up: how many calls were accepted. */
static long do_flood(struct puppet *puppet, struct puppet_thread *me)
{
	struct lsabuf_call call;
	long nr;

	for (nr = 0; nr < (long)me->argument[0]; nr++) {
		call = (struct lsabuf_call){ .flags = LSABUF_CALL_F_NOWAIT };
		if (lsa_call(puppet->device, &call))
			break;
	}
	return nr;
}

/* The longest that any of the honest clients waits, over all rounds */
static unsigned int longest_wait(struct __test_metadata *_metadata,
				 int authority, struct puppet **honest)
{
	struct lsabuf_reply_receive request;
	unsigned int round, waited, open, longest = 0;
	int i;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < HONEST; i++)
			call_nowait(_metadata, honest[i]);
		for (waited = 0, open = HONEST; open; waited++) {
			ASSERT_EQ(0, lsa_receive_now(authority, &request));
			ASSERT_EQ(0, lsa_reply(authority, request.out_id));
			for (i = 0; i < HONEST; i++)
				open -= honest[i]->client == request.out_client;
		}
		if (waited > longest)
			longest = waited;
	}
	return longest;
}

/* Ten honest clients and one user whose thousand calls are always there */
static void flood(struct __test_metadata *_metadata, PAIR *self, bool one_user)
{
	struct puppet *honest[HONEST];
	unsigned int idle, busy;
	long flooded;
	int i;

	for (i = 0; i < HONEST; i++) {
		honest[i] = client_start_as(one_user ? SOMEBODY : 1000 + i,
					    self->name, LSABUF_ACCESS_BUFFERS);
		ASSERT_TRUE(!!honest[i]);
	}
	idle = longest_wait(_metadata, self->authority, honest);
	flooded = ask(self->client, CALLER, do_flood, ROUNDS * HONEST * 4);
	EXPECT_EQ(ROUNDS * HONEST * 4, flooded);
	busy = longest_wait(_metadata, self->authority, honest);
	TH_LOG("longest wait: %u requests, in a flood %u", idle, busy);
	EXPECT_LE(busy, 2 * idle);
	for (i = 0; i < HONEST; i++)
		puppet_stop(honest[i]);
}

TEST_F_TIMEOUT(pair, flood_beside_ten_users, 60)
{
	flood(_metadata, self, false);
}

TEST_F_TIMEOUT(pair, flood_beside_one_user, 60)
{
	flood(_metadata, self, true);
}

/*
 * Exactly once, whatever happens to either side
 */

FIXTURE(both)
{
	char name[LSABUF_ENDPOINT_LEN];
	struct echo *echo;
	struct puppet *authority;
	struct puppet *client;
	unsigned int nr;
};

static long do_serve(struct puppet *puppet, struct puppet_thread *me)
{
	long ret = do_open(puppet, me);

	return ret ? ret : lsa_serve(puppet->device, (char *)puppet->scratch);
}

static long do_echo(struct puppet *puppet, struct puppet_thread *me)
{
	struct echo *echo = (void *)me->argument[0];

	echo->authority = puppet->device;
	echo_main(echo);
	return 0;
}

static void no_signal(int signal)
{
	(void)signal;
}

static long do_handle(struct puppet *puppet, struct puppet_thread *me)
{
	const struct sigaction action = {
		.sa_handler = no_signal,
		.sa_flags = me->argument[0],
	};

	(void)puppet;
	return sigaction(SIGUSR1, &action, NULL);
}

static void *shared_memory(size_t size)
{
	return mmap(NULL, size, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

FIXTURE_SETUP(both)
{
	self->nr = scaled(1000);
	snprintf(self->name, sizeof(self->name), "both-%d", getpid());
	self->echo = shared_memory(sizeof(*self->echo));
	self->echo->nr = self->nr;
	self->echo->seen = shared_memory(self->nr);
	self->authority = puppet_start(0);
	self->client = puppet_start(NOBODY);
	strcpy((char *)self->authority->scratch, self->name);
	ASSERT_EQ(0, ask(self->authority, SIDE, do_serve));
	ASSERT_EQ(0, client_connect(self->client, self->name,
				    LSABUF_ACCESS_BUFFERS));
}

FIXTURE_TEARDOWN(both)
{
	puppet_stop(self->client);
	puppet_stop(self->authority);
}

#define BOTH FIXTURE_DATA(both)

/* Two threads call, two serve. */
static void begin_calls(BOTH *self)
{
	const unsigned long echo = (unsigned long)self->echo;
	int t;

	for (t = CALLER; t <= SECOND; t++) {
		tell(self->authority, t, do_echo, echo);
		tell(self->client, t, do_numbered_calls, self->nr / 2,
		     t == CALLER ? 0 : self->nr / 2,
		     t == CALLER ? KIND_PAYLOAD : 0);
	}
}

static bool calls_go_on(BOTH *self)
{
	return is_busy(self->client, CALLER) || is_busy(self->client, SECOND);
}

static void check_calls(struct __test_metadata *_metadata, BOTH *self)
{
	int t;

	for (t = CALLER; t <= SECOND; t++)
		EXPECT_EQ(0, hear(self->client, t));
	for (t = CALLER; t <= SECOND; t++) {
		new_call(self->client, t, 0)->code = CODE_QUIT;
		EXPECT_EQ(0, ask(self->client, t, do_call));
	}
	for (t = CALLER; t <= SECOND; t++)
		EXPECT_EQ(0, hear(self->authority, t));
	EXPECT_EQ(self->nr, executed_once(self->echo));
}

/* A thousand signals a second, to both sides */
static void signals(struct __test_metadata *_metadata, BOTH *self, int flags)
{
	struct puppet *side[] = { self->authority, self->client };
	unsigned int i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, ask(side[i], SIDE, do_handle, flags));
	begin_calls(self);
	for (i = 0; calls_go_on(self); i++) {
		syscall(SYS_tgkill, side[i % 2]->pid,
			side[i % 2]->thread[CALLER + i / 2 % 2].tid, SIGUSR1);
		usleep(500);
	}
	EXPECT_LT(4, i);
	check_calls(_metadata, self);
}

TEST_F_TIMEOUT(both, signals_interrupt, STRESS_TIMEOUT)
{
	signals(_metadata, self, 0);
}

TEST_F_TIMEOUT(both, signals_restart, STRESS_TIMEOUT)
{
	signals(_metadata, self, SA_RESTART);
}

TEST_F_TIMEOUT(both, stopped, STRESS_TIMEOUT)
{
	pid_t pid;
	int i;

	begin_calls(self);
	for (i = 0; i < 10 || calls_go_on(self); i++) {
		pid = i % 2 ? self->authority->pid : self->client->pid;
		kill(pid, SIGSTOP);
		sleep_ms(3);
		kill(pid, SIGCONT);
		sleep_ms(i % 5);
	}
	check_calls(_metadata, self);
}

/* Frozen by a control group, in which there are both or one of them */
TEST_F_TIMEOUT(both, frozen, STRESS_TIMEOUT)
{
	struct cgroup group;
	char pid[16];
	int i;

	if (cgroup_make(&group, "max"))
		SKIP(return, "no control groups");
	snprintf(pid, sizeof(pid), "%d", self->client->pid);
	ASSERT_EQ(0, cgroup_write(&group, "cgroup.procs", pid));
	snprintf(pid, sizeof(pid), "%d", self->authority->pid);
	begin_calls(self);
	for (i = 0; i < 10 || calls_go_on(self); i++) {
		if (i == 5)
			ASSERT_EQ(0, cgroup_write(&group, "cgroup.procs", pid));
		ASSERT_EQ(0, cgroup_write(&group, "cgroup.freeze", "1"));
		sleep_ms(3);
		ASSERT_EQ(0, cgroup_write(&group, "cgroup.freeze", "0"));
		sleep_ms(i % 5);
	}
	check_calls(_metadata, self);
	puppet_kill(self->client);
	puppet_kill(self->authority);
	cgroup_remove(&group);
}

/* Who is frozen in a call or while it receives is really frozen. */
TEST_F_TIMEOUT(both, frozen_at_rest, 60)
{
	struct lsabuf_call *call;
	struct cgroup group;
	__u64 end = now_ns() + AT_ONCE_NS;
	char pid[16], *events = NULL;

	if (cgroup_make(&group, "max"))
		SKIP(return, "no control groups");
	snprintf(pid, sizeof(pid), "%d", self->client->pid);
	ASSERT_EQ(0, cgroup_write(&group, "cgroup.procs", pid));
	call = start_call(self->client, CALLER, 0);
	ASSERT_TRUE(wait_id(call));
	ASSERT_TRUE(wait_asleep(self->client, CALLER));
	ASSERT_EQ(0, cgroup_write(&group, "cgroup.freeze", "1"));
	do {
		free(events);
		events = cgroup_read(&group, "cgroup.events");
	} while (!strstr(events, "frozen 1") && now_ns() < end);
	EXPECT_NE(NULL, strstr(events, "frozen 1"));
	free(events);
	/* Answered while its client is frozen */
	tell(self->authority, CALLER, do_echo, (unsigned long)self->echo);
	sleep_ms(20);
	EXPECT_TRUE(is_busy(self->client, CALLER));
	ASSERT_EQ(0, cgroup_write(&group, "cgroup.freeze", "0"));
	EXPECT_EQ(0, hear(self->client, CALLER));
	EXPECT_EQ(1, self->echo->seen[0]);
	puppet_kill(self->client);
	cgroup_remove(&group);
}

/* A debugger that comes and goes */
TEST_F_TIMEOUT(both, traced, STRESS_TIMEOUT)
{
	struct puppet_thread *thread;
	struct puppet *side;
	pid_t tid;
	int i;

	begin_calls(self);
	for (i = 0; i < 10 || calls_go_on(self); i++) {
		side = i % 2 ? self->authority : self->client;
		thread = &side->thread[CALLER + i / 2 % 2];
		ASSERT_TRUE(wait_nonzero(&thread->tid));
		tid = thread->tid;
		ASSERT_EQ(0, ptrace(i % 3 ? PTRACE_SEIZE : PTRACE_ATTACH, tid,
				    0, 0));
		if (i % 3)
			ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, tid, 0, 0));
		ASSERT_EQ(tid, waitpid(tid, NULL, __WALL));
		ASSERT_EQ(0, ptrace(PTRACE_DETACH, tid, 0, 0));
		sleep_ms(1);
	}
	check_calls(_metadata, self);
}

/*
 * Sleeping
 */

#define SLEEPERS 64

static void *sleep_in_receive(void *argument)
{
	struct lsabuf_reply_receive request;

	lsa_receive(*(int *)argument, &request);
	return NULL;
}

static double load(void)
{
	char *text = read_text("/proc/loadavg");
	double value = strtod(text, NULL);

	free(text);
	return value;
}

/* Threads of this process that wait in a way that a signal ends */
static int sleeping_threads(void)
{
	char path[64], state;
	int nr = 0, tid;
	FILE *file;

	for (tid = getpid() + 1; tid < getpid() + 4 * SLEEPERS; tid++) {
		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
		file = fopen(path, "r");
		if (!file)
			continue;
		nr += fscanf(file, "%*d (%*[^)]) %c", &state) == 1 &&
		      state == 'S';
		fclose(file);
	}
	return nr;
}

/* 64 receivers that have nothing to do are no load. */
TEST_F_TIMEOUT(pair, idle_receivers, 60)
{
	__u64 end = now_ns() + AT_ONCE_NS;
	pthread_t thread[SLEEPERS];
	double before;
	int i;

	for (i = 0; i < SLEEPERS; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, sleep_in_receive,
					    &self->authority));
	while (fdinfo_number(self->authority, "lsabuf-waiting-threads:") <
		       SLEEPERS &&
	       now_ns() < end)
		sleep_ms(10);
	sleep_ms(100);
	EXPECT_EQ(SLEEPERS, sleeping_threads());
	/* The kernel looks every 5 seconds; 64 would add more than 5. */
	before = load();
	sleep_ms(5500);
	TH_LOG("load average %.2f, then %.2f", before, load());
	EXPECT_LT(load(), before + 1);
}

/*
 * Wake-ups
 */

#define RECEIVERS 16
#define CALLERS 3

/* Receivers that are interrupted all the time: no request gets lost. */
TEST_F_TIMEOUT(pair, interrupted_receivers, STRESS_TIMEOUT)
{
	const struct sigaction action = { .sa_handler = no_signal };
	const unsigned int each = scaled(100);
	struct puppet *client[CALLERS];
	struct echo echo = {
		.authority = self->authority,
		.nr = 2 * CALLERS * each,
	};
	pthread_t thread[RECEIVERS];
	unsigned int i, t, busy, seed = 1;

	sigaction(SIGUSR1, &action, NULL);
	echo.seen = calloc(echo.nr, 1);
	for (i = 0; i < RECEIVERS; i++)
		pthread_create(&thread[i], NULL, echo_main, &echo);
	for (i = 0; i < CALLERS; i++) {
		client[i] = client_start_as(1000 + i, self->name,
					    LSABUF_ACCESS_BUFFERS);
		ASSERT_TRUE(!!client[i]);
		for (t = 0; t < 2; t++)
			tell(client[i], CALLER + t, do_numbered_calls, each,
			     (2 * i + t) * each, t);
	}
	do {
		pthread_kill(thread[draw(&seed) % RECEIVERS], SIGUSR1);
		usleep(100);
		for (i = 0, busy = 0; i < CALLERS; i++)
			busy += is_busy(client[i], CALLER) ||
				is_busy(client[i], SECOND);
	} while (busy);
	for (i = 0; i < CALLERS; i++) {
		EXPECT_EQ(0, hear(client[i], CALLER));
		EXPECT_EQ(0, hear(client[i], SECOND));
		puppet_stop(client[i]);
	}
	EXPECT_EQ(echo.nr, executed_once(&echo));
	/* None of them is left with a request, none has died. */
	EXPECT_EQ(0, fdinfo_number(self->authority, "lsabuf-requests:"));
}

/*
 * Kills
 */

/* What a server thread of the kill storm does with each request */
static void serve_any(int file, struct lsabuf_reply_receive *io,
		      unsigned int *seed)
{
	const void *bytes = to_pointer(io->out_submit_address);
	__u64 id = io->out_id, address;

	switch (draw(seed) % 4) {
	case 0:
		lsa_alloc_from(file, id, 5000, bytes, 5000, &address);
		lsa_copy_to(file, id, io->out_client_address, bytes, 5000,
			    NULL);
		break;
	case 1:
		lsa_alloc(file, id, MIB(1), &address);
		lsa_release(file, id, address);
		break;
	case 2:
		lsa_copy_to(file, id, io->out_client_address + PAGE, bytes,
			    PAGE, NULL);
		break;
	}
	io->flags = LSABUF_REPLY_RECEIVE_F_RECEIVE;
	io->reply_id = id;
	if (draw(seed) % 2) {
		io->flags |= LSABUF_REPLY_RECEIVE_F_PAYLOAD;
		io->payload_address = io->out_submit_address;
		io->payload_length = 100;
	}
}

static void *any_server(void *argument)
{
	struct lsabuf_reply_receive io = {
		.flags = LSABUF_REPLY_RECEIVE_F_RECEIVE,
	};
	int file = *(int *)argument;
	unsigned int seed = gettid();

	for (;;) {
		lsa_reply_receive(file, &io);
		if (io.out_id)
			serve_any(file, &io, &seed);
	}
	return NULL;
}

static char victim_name[LSABUF_ENDPOINT_LEN];

static void authority_main(void)
{
	pthread_t thread;
	int file = lsa_open();

	while (lsa_serve(file, victim_name))
		sched_yield();
	pthread_create(&thread, NULL, any_server, &file);
	any_server(&file);
}

static void *any_client(void *argument)
{
	unsigned int seed = gettid();
	struct lsabuf_call call;
	char *submit;
	int file, ret;

	submit = mmap(NULL, 2 * PAGE, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	for (;;) {
		file = lsa_open();
		while (lsa_connect(file, victim_name, LSABUF_ACCESS_WHOLE))
			sched_yield();
		do {
			call = (struct lsabuf_call){
				.submit_address = to_u64(submit),
				.submit_length = 5000,
				.flags = draw(&seed) % 3 ? 0 :
							   LSABUF_CALL_F_NOWAIT,
				.timeout_ns = draw(&seed) % 5 ? 0 : 200000,
			};
			ret = lsa_call(file, &call);
			if (!ret && call.out_address)
				lsa_free(file, call.out_address);
			if (!ret && call.flags)
				ret = call_cancel(file, call.id) == -EPERM;
		} while (ret != -EPIPE && ret != -EPERM && draw(&seed) % 50);
		close(file);
	}
	return argument;
}

static void client_main(void)
{
	pthread_t thread;

	become_user(NOBODY);
	pthread_create(&thread, NULL, any_client, NULL);
	any_client(NULL);
}

#define VICTIMS 3

static pid_t start_victim(int nr)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	close_range(3, ~0U, 0);
	if (nr)
		client_main();
	else
		authority_main();
	_exit(0);
}

/* Each side killed at random points, again and again */
TEST_F_TIMEOUT(pair, killed_at_random, STRESS_TIMEOUT)
{
	const int before = module_users();
	unsigned int i, rounds = scaled(100), seed = 7, nr;
	pid_t victim[VICTIMS];
	__u64 start, longest = 0;

	snprintf(victim_name, sizeof(victim_name), "storm-%d", getpid());
	for (nr = 0; nr < VICTIMS; nr++)
		victim[nr] = start_victim(nr);
	for (i = 0; i < rounds; i++) {
		usleep(draw(&seed) % 20000);
		nr = draw(&seed) % VICTIMS;
		start = now_ns();
		ASSERT_EQ(0, kill(victim[nr], SIGKILL));
		ASSERT_EQ(victim[nr], waitpid(victim[nr], NULL, 0));
		if (now_ns() - start > longest)
			longest = now_ns() - start;
		victim[nr] = start_victim(nr);
	}
	for (nr = 0; nr < VICTIMS; nr++) {
		kill(victim[nr], SIGKILL);
		waitpid(victim[nr], NULL, 0);
	}
	TH_LOG("%u kills, the longest end took %llu ms", rounds,
	       longest / NSEC_PER_MSEC);
	EXPECT_LE(longest, 5 * NSEC_PER_SEC);
	EXPECT_EQ(before, module_settles(before));
}

/*
 * Two on one thing
 */

#define IDS 8

struct shared_ids {
	int authority;
	__u64 id[IDS];
	unsigned int replied;
	unsigned int received;
	int stop;
};

/* Any command on any request, whoever may be at work on it */
static void *work_on_any(void *argument)
{
	struct shared_ids *ids = argument;
	struct lsabuf_reply_receive request;
	struct lsabuf_identity identity = {};
	unsigned int seed = gettid(), slot;
	char bytes[300] = {};
	__u64 id, address = 0;
	int file = ids->authority;

	while (!__atomic_load_n(&ids->stop, __ATOMIC_ACQUIRE)) {
		slot = draw(&seed) % IDS;
		id = __atomic_load_n(&ids->id[slot], __ATOMIC_ACQUIRE);
		switch (draw(&seed) % 8) {
		case 0:
			lsa_alloc_from(file, id, 300, bytes, 300, &address);
			break;
		case 1:
			lsa_release(file, id, address);
			break;
		case 2:
			lsa_copy_to(file, id, address, bytes, 300, NULL);
			break;
		case 3:
			lsa_copy_from(file, id, address, bytes, 300, NULL);
			break;
		case 4:
			lsa_identity(file, id, &identity);
			break;
		case 5:
			if (id && !lsa_reply(file, id))
				__atomic_add_fetch(&ids->replied, 1,
						   __ATOMIC_RELAXED);
			break;
		default:
			if (lsa_receive_now(file, &request))
				break;
			__atomic_add_fetch(&ids->received, 1, __ATOMIC_RELAXED);
			id = __atomic_exchange_n(&ids->id[slot], request.out_id,
						 __ATOMIC_ACQ_REL);
			if (id && !lsa_reply(file, id))
				__atomic_add_fetch(&ids->replied, 1,
						   __ATOMIC_RELAXED);
		}
	}
	return NULL;
}

/* Calls that end in every way there is; the result is how many were answered. */
static long do_any_calls(struct puppet *puppet, struct puppet_thread *me)
{
	unsigned int seed = me->tid;
	unsigned long i;
	long answered = 0;
	int ret;

	for (i = 0; i < me->argument[0]; i++) {
		me->call = (struct lsabuf_call){
			.timeout_ns = 1 + draw(&seed) % 4 * 2 * NSEC_PER_MSEC,
			.flags = draw(&seed) % 2 ? LSABUF_CALL_F_NOWAIT : 0,
		};
		ret = lsa_call(puppet->device, &me->call);
		if (me->call.flags && !ret) {
			/* Another thread takes it, perhaps at the same time. */
			me->call.flags = 0;
			ret = draw(&seed) % 2 ?
				      call_cancel(puppet->device, me->call.id) :
				      lsa_call(puppet->device, &me->call);
			ret = ret ? ret : -ECANCELED;
		}
		answered += !ret;
		if (ret && ret != -ETIMEDOUT && ret != -ECANCELED &&
		    ret != -ENOENT)
			return ret;
	}
	return answered;
}

/* Every two commands on one request; each has one outcome at most. */
TEST_F_TIMEOUT(pair, same_request, STRESS_TIMEOUT)
{
	struct shared_ids ids = { .authority = self->authority };
	const unsigned int calls = scaled(300);
	pthread_t thread[4];
	long answered = 0, ret;
	unsigned int i, t;

	for (i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, work_on_any, &ids);
	for (t = CALLER; t <= SECOND; t++)
		tell(self->client, t, do_any_calls, calls);
	for (t = CALLER; t <= SECOND; t++) {
		ret = hear(self->client, t);
		EXPECT_LE(0, ret);
		answered += ret;
	}
	__atomic_store_n(&ids.stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < IDS; i++)
		lsa_reply(self->authority, ids.id[i]);
	TH_LOG("%u received, %u replied, %ld answered", ids.received,
	       ids.replied, answered);
	EXPECT_LT(0, ids.received);
	EXPECT_LE(ids.received, 2 * calls);
	EXPECT_LE(ids.replied, ids.received);
	EXPECT_LE(answered, ids.replied);
	EXPECT_EQ(0, fdinfo_number(self->authority, "lsabuf-requests:"));
}

/*
 * Descriptors and mappings that go away
 */

static long do_nowait_calls(struct puppet *puppet, struct puppet_thread *me)
{
	struct pollfd poll_file = { .events = POLLIN };
	unsigned int i;

	for (i = 0; !__atomic_load_n(&puppet->flag[7], __ATOMIC_ACQUIRE); i++) {
		me->call = (struct lsabuf_call){
			.flags = i % 2 ? LSABUF_CALL_F_ANY :
					 LSABUF_CALL_F_NOWAIT,
		};
		lsa_call(puppet->device, &me->call);
		poll_file.fd = puppet->device;
		poll(&poll_file, 1, 0);
	}
	return i;
}

/* Connect anew on the same descriptor, in the midst of its use. */
static long do_replace_file(struct puppet *puppet, struct puppet_thread *me)
{
	const char *name = (char *)puppet->scratch;
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT };
	int watch = epoll_create1(EPOLL_CLOEXEC), file, ret = 0;
	unsigned long i;

	for (i = 0; i < me->argument[0] && !ret; i++) {
		file = lsa_open();
		ret = lsa_connect(file, name, LSABUF_ACCESS_BUFFERS);
		epoll_ctl(watch, EPOLL_CTL_ADD, puppet->device, &event);
		if (i % 3 == 0)
			lsa_disconnect(puppet->device);
		epoll_wait(watch, &event, 1, 0);
		if (dup2(file, puppet->device) < 0)
			ret = -errno;
		close(file);
		if (i % 4 == 0)
			epoll_ctl(watch, EPOLL_CTL_DEL, puppet->device, NULL);
	}
	close(watch);
	return ret;
}

TEST_F_TIMEOUT(pair, replaced_file, STRESS_TIMEOUT)
{
	struct lsabuf_reply_receive request;
	struct puppet *client = self->client;

	client->flag[7] = 0;
	strcpy((char *)client->scratch, self->name);
	tell(client, CALLER, do_nowait_calls);
	tell(client, SECOND, do_replace_file, scaled(200));
	while (is_busy(client, SECOND))
		if (!lsa_receive_now(self->authority, &request))
			lsa_reply(self->authority, request.out_id);
	EXPECT_EQ(0, hear(client, SECOND));
	__atomic_store_n(&client->flag[7], 1, __ATOMIC_RELEASE);
	EXPECT_LT(0, hear(client, CALLER));
	/* Only the last of them is left. */
	EXPECT_EQ(1, fdinfo_number(self->authority, "lsabuf-clients:"));
}

static long do_disconnect(struct puppet *puppet, struct puppet_thread *me)
{
	(void)me;
	return lsa_disconnect(puppet->device);
}

/* DISCONNECT, munmap() of the arena, a call and the end, all at once */
TEST_F_TIMEOUT(pair, all_ends_at_once, STRESS_TIMEOUT)
{
	const int before = module_users();
	unsigned int i, rounds = scaled(40), seed = 3;
	struct puppet *client;
	struct mapping map;
	__u64 id, block;

	for (i = 0; i < rounds; i++) {
		client = client_start(self->name, LSABUF_ACCESS_WHOLE);
		ASSERT_TRUE(!!client);
		id = begin_with(_metadata, self->authority, client);
		ASSERT_EQ(0, lsa_alloc(self->authority, id, 64, &block));
		ASSERT_TRUE(find_mapping(client->pid, block, &map));
		tell(client, SECOND, do_disconnect);
		tell(client, SIDE, do_syscall, SYS_munmap, map.start,
		     map.end - map.start);
		if (draw(&seed) % 2)
			lsa_reply(self->authority, id);
		usleep(draw(&seed) % 300);
		puppet_stop(client);
		lsa_alloc(self->authority, id, MIB(1), &block);
		lsa_reply(self->authority, id);
	}
	EXPECT_EQ(before, module_settles(before));
	EXPECT_EQ(0, fdinfo_number(self->authority, "lsabuf-requests:"));
	EXPECT_EQ(1, fdinfo_number(self->authority, "lsabuf-clients:"));
}

/* Look at argument[1] bytes and give them away until flag[7]. */
static long do_fault(struct puppet *puppet, struct puppet_thread *me)
{
	const volatile unsigned char *arena = (void *)me->argument[0];
	unsigned long i = 0, sum = 0;

	while (!__atomic_load_n(&puppet->flag[7], __ATOMIC_ACQUIRE)) {
		for (i = 0; i < me->argument[1]; i += PAGE)
			sum += arena[i];
		madvise((void *)arena, me->argument[1], MADV_DONTNEED);
	}
	return sum ? 0 : 1;
}

static long do_dirty(struct puppet *puppet, struct puppet_thread *me)
{
	volatile unsigned char *arena = (void *)me->argument[0];
	unsigned long i;

	for (i = 0; !__atomic_load_n(&puppet->flag[7], __ATOMIC_ACQUIRE);
	     i = (i + 61) % me->argument[1])
		arena[i] = i;
	return 0;
}

/* The whole arena of a client, with a page at each place of it */
static struct mapping full_arena(struct __test_metadata *_metadata, PAIR *self,
				 __u64 id)
{
	struct mapping map;
	__u64 block;

	ASSERT_EQ(0, lsa_alloc(self->authority, id, 64, &block));
	ASSERT_TRUE(find_mapping(self->client->pid, block, &map));
	while (!lsa_alloc(self->authority, id, PAGE, &block) &&
	       block - map.start < map.end - map.start)
		;
	return map;
}

/* Faults race release and reuse: what is new reads zero, each time. */
TEST_F_TIMEOUT(pair, faults_race_release, STRESS_TIMEOUT)
{
	unsigned int i, rounds = scaled(300);
	char secret[PAGE], seen[PAGE];
	struct mapping map;
	__u64 id, block;

	memset(secret, 0x5a, sizeof(secret));
	id = begin(_metadata, self);
	map = full_arena(_metadata, self, id);
	end(_metadata, self, id);
	self->client->flag[7] = 0;
	tell(self->client, SECOND, do_fault, map.start, map.end - map.start);
	id = begin(_metadata, self);
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, lsa_alloc_from(self->authority, id, PAGE, secret,
					    PAGE, &block));
		ASSERT_EQ(0, lsa_release(self->authority, id, block));
		ASSERT_EQ(0, lsa_alloc(self->authority, id, PAGE, &block));
		ASSERT_EQ(0, lsa_copy_from(self->authority, id, block, seen,
					   PAGE, NULL));
		ASSERT_TRUE(all_bytes(seen, 0, PAGE));
		ASSERT_EQ(0, lsa_release(self->authority, id, block));
	}
	__atomic_store_n(&self->client->flag[7], 1, __ATOMIC_RELEASE);
	EXPECT_LE(0, hear(self->client, SECOND));
	end(_metadata, self, id);
}

#define LIVE 32

/*
 * A client that scribbles over its arena, again and again where small blocks
 * find the only room, moves nothing but bytes.
 */
TEST_F_TIMEOUT(pair, scribbled_while_used, STRESS_TIMEOUT)
{
	unsigned int i, k, rounds = scaled(1500), seed = 5, nr = 0;
	__u64 id, block[LIVE] = {};
	struct mapping map;
	char bytes[700] = {};

	id = begin(_metadata, self);
	map = full_arena(_metadata, self, id);
	self->client->flag[7] = 0;
	tell(self->client, SECOND, do_dirty, map.end - PAGE, PAGE);
	for (i = 0; i < rounds; i++) {
		k = draw(&seed) % LIVE;
		if (block[k]) {
			ASSERT_EQ(0, lsa_copy_to(self->authority, id, block[k],
						 bytes, 1, NULL));
			ASSERT_EQ(0,
				  lsa_release(self->authority, id, block[k]));
			test_err_release(ENOENT, self->authority, id, block[k]);
			block[k] = 0;
			nr--;
		} else {
			ASSERT_EQ(0, lsa_alloc_from(self->authority, id,
						    1 + draw(&seed) % 700,
						    bytes, 1, &block[k]));
			nr++;
		}
	}
	__atomic_store_n(&self->client->flag[7], 1, __ATOMIC_RELEASE);
	hear(self->client, SECOND);
	for (k = 0; k < LIVE; k++)
		nr -= block[k] && !lsa_release(self->authority, id, block[k]);
	EXPECT_EQ(0, nr);
	end(_metadata, self, id);
}

/*
 * The module
 */

struct remover {
	int stop;
	int removed;
	int tries;
};

static void *remove_main(void *argument)
{
	struct remover *remover = argument;

	while (!__atomic_load_n(&remover->stop, __ATOMIC_ACQUIRE)) {
		remover->removed |=
			!syscall(SYS_delete_module, "lsabuf", O_NONBLOCK);
		remover->tries++;
	}
	return NULL;
}

/* Who tries to remove the module while it is used is in nobody's way. */
TEST_F_TIMEOUT(pair, removal_races_use, STRESS_TIMEOUT)
{
	unsigned int i, rounds = scaled(300);
	struct remover remover = {};
	pthread_t thread;
	int file, ret;
	char name[LSABUF_ENDPOINT_LEN];

	if (module_users() < 0)
		SKIP(return, "built into the kernel");
	snprintf(name, sizeof(name), "removed-%d", getpid());
	pthread_create(&thread, NULL, remove_main, &remover);
	for (i = 0; i < rounds; i++) {
		file = lsa_open();
		ASSERT_LE(0, file);
		ret = i % 2 ? lsa_serve(file, name) :
			      lsa_connect(file, self->name, 0);
		ASSERT_EQ(0, ret);
		close(file);
	}
	__atomic_store_n(&remover.stop, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	EXPECT_LT(0, remover.tries);
	EXPECT_EQ(0, remover.removed);
	end(_metadata, self, begin(_metadata, self));
}

TEST_HARNESS_MAIN
