/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel ABI tests share: one wrapper per command, puppets to play
 * the clients, and a fixture with one authority and one client.
 *
 * lsa_x() calls command X and returns 0 or -errno; test_err_x(error, ...)
 * expects it to fail with that error.
 *
 * The test process itself is the authority. Every client is a puppet: a child
 * of another user that does what the test tells it, in one of its threads.
 * tell() starts a task there, hear() waits for its result, ask() does both.
 * A puppet's struct is shared memory at the same address on both sides, so a
 * test can look into the arguments of a call that still waits.
 */
#ifndef LSABUF_TEST_H
#define LSABUF_TEST_H

#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/lsabuf.h>

/* Its own handler does not use all that it is given. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "kselftest_harness.h"
#pragma GCC diagnostic pop

/* The harness compares what it is given: int with __u64, all the time. */
#pragma GCC diagnostic ignored "-Wsign-compare"

/* The old one takes its arguments in memory; all offsets here are 0. */
#ifdef SYS_mmap2
#undef SYS_mmap
#define SYS_mmap SYS_mmap2
#endif

#define LSA_DEVICE "/dev/lsabuf"
#define NOBODY 65534
#define SOMEBODY 65533

#define KIB(n) ((__u64)(n) << 10)
#define MIB(n) ((__u64)(n) << 20)
#define NSEC_PER_SEC 1000000000ULL
#define NSEC_PER_MSEC 1000000ULL

#define __aligned_page __attribute__((__aligned__(4096)))

/* An id that no request ever has */
#define NO_SUCH_ID 0x7ffffff0dddddddULL

/* out_flags of every request that this program's puppets make */
#define OWN_FLAGS (sizeof(long) == 4 ? LSABUF_REQUEST_F_COMPAT : 0)

/* How long anything may take that should happen at once, under emulation */
#define AT_ONCE_NS (5 * NSEC_PER_SEC)

static inline __u64 to_u64(const void *address)
{
	return (unsigned long)address;
}

static inline void *to_pointer(__u64 address)
{
	return (void *)(unsigned long)address;
}

static inline __u64 page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

static inline __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static inline void sleep_ms(unsigned int ms)
{
	usleep(ms * 1000);
}

/* How often a stress loop runs: LSABUF_SCALE is 1 in a quick run. */
static inline unsigned int scaled(unsigned int rounds)
{
	const char *scale = getenv("LSABUF_SCALE");
	int factor = scale ? atoi(scale) : 1;

	return rounds * (factor > 0 ? factor : 1);
}

/* Seconds that a stress test may take at the scale set. */
#define STRESS_TIMEOUT 3600

static inline void require_device(void)
{
	if (geteuid())
		ksft_exit_skip("needs root\n");
	if (access(LSA_DEVICE, R_OK | W_OK))
		ksft_exit_skip("%s: %s\n", LSA_DEVICE, strerror(errno));
}

/* Before anything else, for the whole program: not root, no device: SKIP. */
static void __attribute__((constructor)) require_device_first(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	require_device();
}

/*
 * Commands
 */

/* This thread, and those that it starts, on one processor */
static inline void stay_on_cpu(int nr)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(nr, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

static inline int lsa_open(void)
{
	return open(LSA_DEVICE, O_RDWR | O_CLOEXEC);
}

static inline int lsa_ioctl(int file, unsigned long command, void *argument)
{
	return ioctl(file, command, argument) < 0 ? -errno : 0;
}

/* One statement, unlike the harness' own. */
#define EXPECT_ERROR(_error, _result)                 \
	do {                                          \
		EXPECT_EQ(-(_error), (int)(_result)); \
	} while (0)

static inline int lsa_info(int file, struct lsabuf_info *info)
{
	*info = (struct lsabuf_info){ .size = sizeof(*info) };
	return lsa_ioctl(file, LSABUF_IOC_INFO, info);
}

#define test_err_info(_error, ...) EXPECT_ERROR(_error, lsa_info(__VA_ARGS__))

static inline void set_endpoint(__u8 *endpoint, const char *name)
{
	memcpy(endpoint, name, strnlen(name, LSABUF_ENDPOINT_LEN));
}

static inline int lsa_serve_flags(int file, const char *name, __u32 flags)
{
	struct lsabuf_serve serve = { .size = sizeof(serve), .flags = flags };

	set_endpoint(serve.endpoint, name);
	return lsa_ioctl(file, LSABUF_IOC_SERVE, &serve);
}

static inline int lsa_serve(int file, const char *name)
{
	return lsa_serve_flags(file, name, 0);
}

#define test_err_serve(_error, ...) EXPECT_ERROR(_error, lsa_serve(__VA_ARGS__))

static inline int lsa_connect(int file, const char *name, __u32 access)
{
	struct lsabuf_connect connect = {
		.size = sizeof(connect),
		.access = access,
	};

	set_endpoint(connect.endpoint, name);
	return lsa_ioctl(file, LSABUF_IOC_CONNECT, &connect);
}

#define test_err_connect(_error, ...) \
	EXPECT_ERROR(_error, lsa_connect(__VA_ARGS__))

static inline int lsa_disconnect(int file)
{
	struct lsabuf_disconnect disconnect = { .size = sizeof(disconnect) };

	return lsa_ioctl(file, LSABUF_IOC_DISCONNECT, &disconnect);
}

#define test_err_disconnect(_error, ...) \
	EXPECT_ERROR(_error, lsa_disconnect(__VA_ARGS__))

static inline int lsa_call(int file, struct lsabuf_call *call)
{
	call->size = sizeof(*call);
	return lsa_ioctl(file, LSABUF_IOC_CALL, call);
}

#define test_err_call(_error, ...) EXPECT_ERROR(_error, lsa_call(__VA_ARGS__))

static inline int lsa_free(int file, __u64 address)
{
	struct lsabuf_free free = { .size = sizeof(free), .address = address };

	return lsa_ioctl(file, LSABUF_IOC_FREE, &free);
}

#define test_err_free(_error, ...) EXPECT_ERROR(_error, lsa_free(__VA_ARGS__))

static inline int lsa_reply_receive(int file, struct lsabuf_reply_receive *io)
{
	io->size = sizeof(*io);
	return lsa_ioctl(file, LSABUF_IOC_REPLY_RECEIVE, io);
}

static inline int lsa_receive_flags(int file, __u32 flags,
				    struct lsabuf_reply_receive *request)
{
	*request = (struct lsabuf_reply_receive){
		.flags = LSABUF_REPLY_RECEIVE_F_RECEIVE | flags,
	};
	return lsa_reply_receive(file, request);
}

static inline int lsa_receive(int file, struct lsabuf_reply_receive *request)
{
	return lsa_receive_flags(file, 0, request);
}

static inline int lsa_receive_now(int file,
				  struct lsabuf_reply_receive *request)
{
	return lsa_receive_flags(file, LSABUF_REPLY_RECEIVE_F_NOWAIT, request);
}

#define test_err_receive_now(_error, ...) \
	EXPECT_ERROR(_error, lsa_receive_now(__VA_ARGS__))

static inline int lsa_reply_with(int file, __u64 id, __u64 address,
				 __u64 length)
{
	struct lsabuf_reply_receive reply = {
		.reply_id = id,
		.return_address = address,
		.return_length = length,
	};
	int ret = lsa_reply_receive(file, &reply);

	return ret ? ret : reply.reply_error;
}

static inline int lsa_reply(int file, __u64 id)
{
	return lsa_reply_with(file, id, 0, 0);
}

#define test_err_reply(_error, ...) EXPECT_ERROR(_error, lsa_reply(__VA_ARGS__))

static inline int lsa_alloc_from(int file, __u64 id, __u64 length,
				 const void *source, __u64 source_length,
				 __u64 *address)
{
	struct lsabuf_alloc alloc = {
		.size = sizeof(alloc),
		.id = id,
		.length = length,
		.source_address = to_u64(source),
		.source_length = source_length,
	};
	int ret = lsa_ioctl(file, LSABUF_IOC_ALLOC, &alloc);

	*address = alloc.out_address;
	return ret;
}

#define test_err_alloc_from(_error, ...) \
	EXPECT_ERROR(_error, lsa_alloc_from(__VA_ARGS__))

static inline int lsa_alloc(int file, __u64 id, __u64 length, __u64 *address)
{
	return lsa_alloc_from(file, id, length, NULL, 0, address);
}

#define test_err_alloc(_error, ...) EXPECT_ERROR(_error, lsa_alloc(__VA_ARGS__))

static inline int lsa_release(int file, __u64 id, __u64 address)
{
	struct lsabuf_release release = {
		.size = sizeof(release),
		.id = id,
		.address = address,
	};

	return lsa_ioctl(file, LSABUF_IOC_RELEASE, &release);
}

#define test_err_release(_error, ...) \
	EXPECT_ERROR(_error, lsa_release(__VA_ARGS__))

static inline int lsa_copy(int file, struct lsabuf_copy *copy, __u64 *done)
{
	int ret;

	copy->size = sizeof(*copy);
	copy->out_done = ~0ULL;
	ret = lsa_ioctl(file, LSABUF_IOC_COPY, copy);
	if (done)
		*done = copy->out_done;
	return ret;
}

/* @done may be NULL where the count does not matter. */
static inline int lsa_copy_to(int file, __u64 id, __u64 client_address,
			      const void *local, __u64 length, __u64 *done)
{
	struct lsabuf_copy copy = {
		.id = id,
		.client_address = client_address,
		.local_address = to_u64(local),
		.length = length,
	};

	return lsa_copy(file, &copy, done);
}

#define test_err_copy_to(_error, ...) \
	EXPECT_ERROR(_error, lsa_copy_to(__VA_ARGS__))

static inline int lsa_copy_from(int file, __u64 id, __u64 client_address,
				void *local, __u64 length, __u64 *done)
{
	struct lsabuf_copy copy = {
		.flags = LSABUF_COPY_F_FROM_CLIENT,
		.id = id,
		.client_address = client_address,
		.local_address = to_u64(local),
		.length = length,
	};

	return lsa_copy(file, &copy, done);
}

#define test_err_copy_from(_error, ...) \
	EXPECT_ERROR(_error, lsa_copy_from(__VA_ARGS__))

static inline int lsa_copy_vector(int file, __u64 id, __u32 flags,
				  const struct lsabuf_copy_range *vector,
				  __u32 nr_vector, __u64 *done)
{
	struct lsabuf_copy copy = {
		.flags = flags,
		.id = id,
		.vector_address = to_u64(vector),
		.nr_vector = nr_vector,
	};

	return lsa_copy(file, &copy, done);
}

#define test_err_copy_vector(_error, ...) \
	EXPECT_ERROR(_error, lsa_copy_vector(__VA_ARGS__))

static inline int lsa_map_vector(int file, __u64 id,
				 struct lsabuf_map_range *vector,
				 __u32 nr_vector)
{
	struct lsabuf_map map = {
		.size = sizeof(map),
		.id = id,
		.vector_address = to_u64(vector),
		.nr_vector = nr_vector,
	};

	return lsa_ioctl(file, LSABUF_IOC_MAP, &map);
}

#define test_err_map_vector(_error, ...) \
	EXPECT_ERROR(_error, lsa_map_vector(__VA_ARGS__))

/* @snapshot: a pointer to any type, set to NULL on failure. */
static inline int lsa_map(int file, __u64 id, __u64 client_address,
			  __u64 length, void *snapshot)
{
	struct lsabuf_map_range range = {
		.client_address = client_address,
		.length = length,
	};
	int ret = lsa_map_vector(file, id, &range, 1);

	*(void **)snapshot = to_pointer(range.out_address);
	return ret;
}

#define test_err_map(_error, ...) EXPECT_ERROR(_error, lsa_map(__VA_ARGS__))

static inline int lsa_give(int file, __u64 id, int fd, int *out_fd)
{
	struct lsabuf_give give = {
		.size = sizeof(give),
		.id = id,
		.fd = fd,
		.out_fd = -1,
	};
	int ret = lsa_ioctl(file, LSABUF_IOC_GIVE, &give);

	*out_fd = give.out_fd;
	return ret;
}

#define test_err_give(_error, ...) EXPECT_ERROR(_error, lsa_give(__VA_ARGS__))

static inline int lsa_identity(int file, __u64 id,
			       struct lsabuf_identity *identity)
{
	identity->size = sizeof(*identity);
	identity->id = id;
	return lsa_ioctl(file, LSABUF_IOC_IDENTITY, identity);
}

#define test_err_identity(_error, ...) \
	EXPECT_ERROR(_error, lsa_identity(__VA_ARGS__))

static inline int lsa_endpoint(int file, const char *name, __u32 flags,
			       __u32 id)
{
	struct lsabuf_endpoint endpoint = {
		.size = sizeof(endpoint),
		.flags = flags,
		.id = id,
	};

	set_endpoint(endpoint.endpoint, name);
	return lsa_ioctl(file, LSABUF_IOC_ENDPOINT, &endpoint);
}

#define test_err_endpoint(_error, ...) \
	EXPECT_ERROR(_error, lsa_endpoint(__VA_ARGS__))

/* Every command on a file, with arguments that mean nothing */
static inline int first_not_failing_with(int file, int error)
{
	__u32 argument[64];
	int nr;

	for (nr = 0; nr <= 0x0b; nr++) {
		memset(argument, 0, sizeof(argument));
		/* The size that each command has for sure */
		argument[0] = sizeof(argument);
		if (lsa_ioctl(file, _IO(LSABUF_IOC_TYPE, nr), argument) !=
		    -error)
			return nr;
	}
	return -1;
}

/*
 * Puppets
 */

/* Threads of a puppet. By custom CALLER sits in calls, SIDE never waits. */
enum { SIDE, CALLER, SECOND, PUPPET_THREADS };

#define PUPPET_SCRATCH 65536
#define PUPPET_SUBMIT 65536
#define PUPPET_ARGUMENTS 8
/* What hear() returns when the puppet is no more */
#define PUPPET_DEAD LLONG_MIN

struct puppet;
struct puppet_thread;

typedef long puppet_task(struct puppet *puppet, struct puppet_thread *me);

/**
 * struct puppet_thread - a thread that waits for tasks
 * @start: posted when there is a task
 * @done: posted when there is a result
 * @task: what to do
 * @argument: what the task needs to know
 * @result: what came out
 * @tid: thread id
 * @call: argument of the CALL that this thread makes
 */
struct puppet_thread {
	sem_t start;
	sem_t done;
	puppet_task *task;
	unsigned long argument[PUPPET_ARGUMENTS];
	long result;
	pid_t tid;
	struct lsabuf_call call;
};

/**
 * struct puppet - a child process that does what it is told
 * @pid: its process id
 * @uid: its user id
 * @device: its file of the device
 * @client: id of its connection
 * @threads: number of threads it has
 * @thread: its threads
 * @flag: for the tasks to tell the test something
 * @submit: its submit buffer
 * @scratch: to carry bytes between it and the test
 */
struct puppet {
	pid_t pid;
	uid_t uid;
	int device;
	__u64 client;
	int threads;
	struct puppet_thread thread[PUPPET_THREADS];
	int flag[8];
	unsigned char submit[PUPPET_SUBMIT] __aligned_page;
	unsigned char scratch[PUPPET_SCRATCH] __aligned_page;
};

static inline bool puppet_alive(const struct puppet *puppet)
{
	siginfo_t info = {};

	if (waitid(P_PID, puppet->pid, &info, WEXITED | WNOHANG | WNOWAIT))
		return false;
	return !info.si_pid;
}

static inline void puppet_tell(struct puppet *puppet, int t, puppet_task *task,
			       const unsigned long *argument)
{
	struct puppet_thread *thread = &puppet->thread[t];

	thread->task = task;
	memcpy(thread->argument, argument, sizeof(thread->argument));
	sem_post(&thread->start);
}

/* Wait at most @ms for the puppet's thread @t to have a result. */
static inline bool hear_within(struct puppet *puppet, int t, unsigned int ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += ms % 1000 * NSEC_PER_MSEC;
	until.tv_sec += ms / 1000 + until.tv_nsec / NSEC_PER_SEC;
	until.tv_nsec %= NSEC_PER_SEC;
	while (sem_timedwait(&puppet->thread[t].done, &until))
		if (errno != EINTR)
			return false;
	return true;
}

/* An errno is negative, an address is not, in 32-bit programs as well. */
static inline long long hear(struct puppet *puppet, int t)
{
	long result;

	while (!hear_within(puppet, t, 50))
		if (!puppet_alive(puppet))
			return PUPPET_DEAD;
	result = puppet->thread[t].result;
	if (result < 0 && result > -4096)
		return result;
	return (unsigned long)result;
}

/* Whether the thread @t is still at its task. */
static inline bool is_busy(struct puppet *puppet, int t)
{
	int posted;

	sem_getvalue(&puppet->thread[t].done, &posted);
	return !posted;
}

#define tell(_puppet, _t, _task, ...)   \
	puppet_tell(_puppet, _t, _task, \
		    (const unsigned long[PUPPET_ARGUMENTS]){ __VA_ARGS__ })

#define ask(_puppet, _t, _task, ...)                     \
	({                                               \
		tell(_puppet, _t, _task, ##__VA_ARGS__); \
		hear(_puppet, _t);                       \
	})

static inline void puppet_obey(struct puppet *puppet, struct puppet_thread *me)
{
	__atomic_store_n(&me->tid, gettid(), __ATOMIC_RELEASE);
	for (;;) {
		while (sem_wait(&me->start))
			;
		me->result = me->task(puppet, me);
		sem_post(&me->done);
	}
}

struct puppet_birth {
	struct puppet *puppet;
	struct puppet_thread *me;
};

static inline void *puppet_thread_main(void *argument)
{
	struct puppet_birth *birth = argument;

	puppet_obey(birth->puppet, birth->me);
	return NULL;
}

static inline void become_user(uid_t uid)
{
	if (uid && (setgroups(0, NULL) || setresgid(uid, uid, uid) ||
		    setresuid(uid, uid, uid)))
		_exit(1);
	/* After the change of user, which resets both. */
	prctl(PR_SET_DUMPABLE, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* The puppet that this process is, for its signal handlers */
static struct puppet *myself;

static inline void puppet_main(struct puppet *puppet)
{
	static struct puppet_birth birth[PUPPET_THREADS];
	const struct rlimit no_core = {};
	pthread_t thread;
	int t;

	myself = puppet;
	/* It must not keep a file of the test alive. */
	close_range(3, ~0U, 0);
	setrlimit(RLIMIT_CORE, &no_core);
	become_user(puppet->uid);
	for (t = 1; t < puppet->threads; t++) {
		birth[t] = (struct puppet_birth){ puppet, &puppet->thread[t] };
		if (pthread_create(&thread, NULL, puppet_thread_main,
				   &birth[t]))
			_exit(1);
	}
	puppet_obey(puppet, &puppet->thread[SIDE]);
}

static inline struct puppet *puppet_start_threads(uid_t uid, int threads)
{
	struct puppet *puppet;
	pid_t pid;
	int t;

	puppet = mmap(NULL, sizeof(*puppet), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (puppet == MAP_FAILED)
		return NULL;
	puppet->uid = uid;
	puppet->threads = threads;
	puppet->device = -1;
	for (t = 0; t < PUPPET_THREADS; t++) {
		sem_init(&puppet->thread[t].start, 1, 0);
		sem_init(&puppet->thread[t].done, 1, 0);
	}
	pid = fork();
	if (!pid) {
		puppet_main(puppet);
		_exit(0);
	}
	/* Not by the child, which sees the same struct. */
	puppet->pid = pid;
	return puppet;
}

static inline struct puppet *puppet_start(uid_t uid)
{
	return puppet_start_threads(uid, PUPPET_THREADS);
}

static inline void puppet_kill(struct puppet *puppet)
{
	if (puppet->pid > 0) {
		kill(puppet->pid, SIGKILL);
		waitpid(puppet->pid, NULL, 0);
	}
	puppet->pid = -1;
}

static inline void puppet_stop(struct puppet *puppet)
{
	if (!puppet)
		return;
	puppet_kill(puppet);
	munmap(puppet, sizeof(*puppet));
}

/*
 * Tasks
 */

static inline long do_syscall(struct puppet *puppet, struct puppet_thread *me)
{
	const unsigned long *a = me->argument;
	long ret = syscall(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);

	(void)puppet;
	return ret == -1 ? -errno : ret;
}

/* A system call in the puppet: its result or -errno. */
#define remote(_puppet, ...) ask(_puppet, SIDE, do_syscall, __VA_ARGS__)

static __thread sigjmp_buf *guarded_by;

static inline void guard_signal(int signal)
{
	if (guarded_by)
		siglongjmp(*guarded_by, signal);
	/* Not expected: the access is repeated and ends the process. */
	(void)sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL },
			NULL);
}

/*
 * Copy inside one process, of memory that may not be accessible.
 * Returns 0, or the signal that ended the copy.
 */
static inline int guarded_copy(void *to, const void *from, size_t length)
{
	const struct sigaction guard = {
		.sa_handler = guard_signal,
		.sa_flags = SA_NODEFER,
	};
	sigjmp_buf environment;
	int signal;

	sigaction(SIGSEGV, &guard, NULL);
	sigaction(SIGBUS, &guard, NULL);
	signal = sigsetjmp(environment, 1);
	if (!signal) {
		guarded_by = &environment;
		/* The handler looks at it, which the compiler cannot know. */
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		memcpy(to, from, length);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
	}
	guarded_by = NULL;
	return signal;
}

static inline long do_peek(struct puppet *puppet, struct puppet_thread *me)
{
	return guarded_copy(puppet->scratch, (void *)me->argument[0],
			    me->argument[1]);
}

static inline long do_poke(struct puppet *puppet, struct puppet_thread *me)
{
	return guarded_copy((void *)me->argument[0], puppet->scratch,
			    me->argument[1]);
}

/* Read memory of the puppet as it sees it: 0, or the signal that it got. */
static inline long peek(struct puppet *puppet, __u64 address, void *buffer,
			size_t length)
{
	unsigned char *to = buffer;
	size_t step;
	long ret;

	for (; length; length -= step, address += step, to += step) {
		step = length < PUPPET_SCRATCH ? length : PUPPET_SCRATCH;
		ret = ask(puppet, SIDE, do_peek, address, step);
		if (ret)
			return ret;
		memcpy(to, puppet->scratch, step);
	}
	return 0;
}

static inline long poke(struct puppet *puppet, __u64 address,
			const void *buffer, size_t length)
{
	const unsigned char *from = buffer;
	size_t step;
	long ret;

	for (; length; length -= step, address += step, from += step) {
		step = length < PUPPET_SCRATCH ? length : PUPPET_SCRATCH;
		memcpy(puppet->scratch, from, step);
		ret = ask(puppet, SIDE, do_poke, address, step);
		if (ret)
			return ret;
	}
	return 0;
}

/* The byte that a filled buffer has at @index. */
static inline unsigned char pattern(unsigned int seed, size_t index)
{
	return (seed * 2654435761U + index * 40503U + (index >> 8)) >> 5 | 1;
}

static inline void fill(void *buffer, unsigned int seed, size_t length)
{
	unsigned char *to = buffer;
	size_t i;

	for (i = 0; i < length; i++)
		to[i] = pattern(seed, i);
}

/* How many bytes from the begin on are as fill() left them. */
static inline size_t filled(const void *buffer, unsigned int seed,
			    size_t length)
{
	const unsigned char *from = buffer;
	size_t i;

	for (i = 0; i < length && from[i] == pattern(seed, i); i++)
		;
	return i;
}

/* Whether all bytes have that value. */
static inline bool all_bytes(const void *buffer, unsigned char value,
			     size_t length)
{
	const unsigned char *from = buffer;

	return !length ||
	       (from[0] == value && !memcmp(from, from + 1, length - 1));
}

static inline long do_fill(struct puppet *puppet, struct puppet_thread *me)
{
	(void)puppet;
	fill((void *)me->argument[0], me->argument[1], me->argument[2]);
	return 0;
}

static inline long do_filled(struct puppet *puppet, struct puppet_thread *me)
{
	(void)puppet;
	return filled((void *)me->argument[0], me->argument[1],
		      me->argument[2]);
}

static inline long do_all_bytes(struct puppet *puppet, struct puppet_thread *me)
{
	(void)puppet;
	return all_bytes((void *)me->argument[0], me->argument[1],
			 me->argument[2]);
}

static inline bool reads_zero(struct puppet *puppet, __u64 address,
			      __u64 length)
{
	return ask(puppet, SIDE, do_all_bytes, address, 0, length) == 1;
}

static inline __u64 remote_mmap(struct puppet *puppet, __u64 length, int prot,
				int flags)
{
	return remote(puppet, SYS_mmap, 0, length, prot,
		      MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

/* Wait until a thread sleeps in the kernel: in one of these states. */
static inline bool wait_state(const struct puppet *puppet, int thread,
			      const char *states)
{
	const pid_t *tid = &puppet->thread[thread].tid;
	__u64 end = now_ns() + AT_ONCE_NS;
	char path[64], state;
	FILE *file;
	int n;

	while (now_ns() < end) {
		/* A thread that has just been started has no id yet. */
		snprintf(path, sizeof(path), "/proc/%d/task/%d/stat",
			 puppet->pid, __atomic_load_n(tid, __ATOMIC_ACQUIRE));
		file = fopen(path, "r");
		n = file ? fscanf(file, "%*d (%*[^)]) %c", &state) : 0;
		if (file)
			fclose(file);
		if (n == 1 && strchr(states, state))
			return true;
		sched_yield();
	}
	return false;
}

static inline bool wait_asleep(const struct puppet *puppet, int thread)
{
	return wait_state(puppet, thread, "SD");
}

/* Wait until *@value is not 0; false when it stays so. */
static inline bool wait_nonzero(const int *value)
{
	__u64 end = now_ns() + AT_ONCE_NS;

	while (!__atomic_load_n(value, __ATOMIC_ACQUIRE)) {
		if (now_ns() > end)
			return false;
		sched_yield();
	}
	return true;
}

/* Wait until the kernel has stored the id of a call. */
static inline bool wait_id(const struct lsabuf_call *call)
{
	__u64 end = now_ns() + AT_ONCE_NS;

	while (!__atomic_load_n(&call->id, __ATOMIC_ACQUIRE)) {
		if (now_ns() > end)
			return false;
		sched_yield();
	}
	return true;
}

/*
 * Clients
 */

static inline long do_open(struct puppet *puppet, struct puppet_thread *me)
{
	(void)me;
	puppet->device = lsa_open();
	return puppet->device < 0 ? -errno : 0;
}

/* The struct lsabuf_connect is in the scratch buffer. */
static inline long do_connect(struct puppet *puppet, struct puppet_thread *me)
{
	struct lsabuf_connect *connect = (void *)puppet->scratch;
	int ret;

	ret = do_open(puppet, me);
	if (ret)
		return ret;
	ret = lsa_ioctl(puppet->device, LSABUF_IOC_CONNECT, connect);
	puppet->client = connect->out_client;
	return ret;
}

static inline long client_connect_flags(struct puppet *puppet, const char *name,
					__u32 access, __u32 flags)
{
	struct lsabuf_connect *connect = (void *)puppet->scratch;

	*connect = (struct lsabuf_connect){
		.size = sizeof(*connect),
		.flags = flags,
		.access = access,
	};
	set_endpoint(connect->endpoint, name);
	return ask(puppet, SIDE, do_connect);
}

static inline long client_connect(struct puppet *puppet, const char *name,
				  __u32 access)
{
	return client_connect_flags(puppet, name, access, 0);
}

/* A connected client of user @uid, or NULL. */
static inline struct puppet *client_start_as(uid_t uid, const char *name,
					     __u32 access)
{
	struct puppet *client = puppet_start(uid);
	long ret;

	if (!client)
		return NULL;
	ret = client_connect(client, name, access);
	if (!ret)
		return client;
	fprintf(stderr, "# client cannot connect: %s\n", strerror(-ret));
	puppet_stop(client);
	return NULL;
}

static inline struct puppet *client_start(const char *name, __u32 access)
{
	return client_start_as(NOBODY, name, access);
}

static inline long do_call(struct puppet *puppet, struct puppet_thread *me)
{
	return lsa_call(puppet->device, &me->call);
}

static inline int call_cancel(int file, __u64 id)
{
	struct lsabuf_call call = {
		.flags = LSABUF_CALL_F_CANCEL,
		.id = id,
	};

	return lsa_call(file, &call);
}

static inline long do_cancel(struct puppet *puppet, struct puppet_thread *me)
{
	return call_cancel(puppet->device, me->argument[0]);
}

/* Another thread of the client gives up the call @id. */
static inline long client_cancel(struct puppet *client, __u64 id)
{
	return ask(client, SIDE, do_cancel, id);
}

/* Prepare a call of @length bytes of the submit buffer by thread @t. */
static inline struct lsabuf_call *new_call(struct puppet *client, int t,
					   __u64 length)
{
	struct lsabuf_call *call = &client->thread[t].call;

	*call = (struct lsabuf_call){
		.submit_address = length ? to_u64(client->submit) : 0,
		.submit_length = length,
	};
	return call;
}

/* Start a call of thread @t; hear() gets its result. */
static inline struct lsabuf_call *start_call(struct puppet *client, int t,
					     __u64 length)
{
	struct lsabuf_call *call = new_call(client, t, length);

	tell(client, t, do_call);
	return call;
}

static inline long do_free(struct puppet *puppet, struct puppet_thread *me)
{
	/* Two halves, where one argument does not hold all of it */
	__u64 high = (__u64)me->argument[1] << 32;

	return lsa_free(puppet->device, me->argument[0] | high);
}

static inline long client_free(struct puppet *client, __u64 address)
{
	return ask(client, SIDE, do_free, address, address >> 32);
}

/*
 * What the system shows
 */

/* Write a short text to a file of /proc or /sys: 0 or -errno. */
static inline int write_text(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (file < 0)
		return -errno;
	if (write(file, text, strlen(text)) < 0)
		ret = -errno;
	close(file);
	return ret;
}

static inline char *read_text(const char *path)
{
	size_t room = 65536, length = 0;
	char *text = malloc(room);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	while (file >= 0 && text) {
		n = read(file, text + length, room - length - 1);
		if (n <= 0)
			break;
		length += n;
		if (room - length < 4096)
			text = realloc(text, room *= 2);
	}
	if (text)
		text[length] = 0;
	if (file >= 0)
		close(file);
	return text;
}

static inline char *read_maps(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	return read_text(path);
}

/* Whether /proc/PID/maps is still the text @before. */
static inline bool maps_unchanged(pid_t pid, const char *before)
{
	char *after = read_maps(pid);
	bool same = !strcmp(before, after);

	free(after);
	return same;
}

struct mapping {
	unsigned long start;
	unsigned long end;
	char prot[5];
	char flags[512];
};

/* Find the mapping around @address, with the VmFlags of smaps. */
static inline bool find_mapping(pid_t pid, __u64 address, struct mapping *map)
{
	char path[32], line[512];
	bool found = false;
	FILE *file;

	memset(map, 0, sizeof(*map));
	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		if (found && !strncmp(line, "VmFlags:", 8)) {
			snprintf(map->flags, sizeof(map->flags), "%s",
				 line + 8);
			break;
		}
		if (!found && sscanf(line, "%lx-%lx %4s", &map->start,
				     &map->end, map->prot) == 3)
			found = map->start <= address && address < map->end;
	}
	if (file)
		fclose(file);
	return found;
}

static inline bool is_mapped(pid_t pid, __u64 address)
{
	struct mapping map;

	return find_mapping(pid, address, &map);
}

/* Processes and mappings that use the module, -1 where that is unknown. */
static inline int module_users(void)
{
	char *text = read_text("/sys/module/lsabuf/refcnt");
	int users = text && *text ? atoi(text) : -1;

	free(text);
	return users;
}

/* A number in the fdinfo of a file of this process, -1 where it is not. */
static inline long long fdinfo_number(int file, const char *name)
{
	long long number = -1;
	char path[48], *text, *at;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", file);
	text = read_text(path);
	at = text ? strstr(text, name) : NULL;
	if (at)
		number = strtoll(at + strlen(name) + 1, NULL, 10);
	free(text);
	return number;
}

/* A copy of an argument, in a page of its own that the kernel cannot fill in */
static inline void *unwritable(const void *argument, size_t length)
{
	void *page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(page, argument, length);
	mprotect(page, page_size(), PROT_READ);
	return page;
}

/* A limit that the module was loaded with */
static inline __u64 module_limit(const char *name)
{
	char path[64], *text;
	__u64 limit;

	snprintf(path, sizeof(path), "/sys/module/lsabuf/parameters/%s", name);
	text = read_text(path);
	limit = text ? strtoull(text, NULL, 10) : 0;
	free(text);
	return limit;
}

/*
 * Whether a call that was made at @start can have been given up because its
 * client's thread was late, as on a machine that is too busy.
 */
static inline bool may_be_late(__u64 start)
{
	return now_ns() - start >=
	       module_limit("chore_budget_ms") * NSEC_PER_MSEC;
}

/*
 * An authority with a client
 */

/**
 * FIXTURE(pair) - the test process as authority, and one client
 * @name: endpoint
 * @authority: the authority's file
 * @serve: what SERVE said
 * @client: the client, with LSABUF_ACCESS_WHOLE
 */
FIXTURE(pair)
{
	char name[LSABUF_ENDPOINT_LEN];
	int authority;
	struct lsabuf_serve serve;
	struct puppet *client;
};

FIXTURE_SETUP(pair)
{
	snprintf(self->name, sizeof(self->name), "test-%d", getpid());
	self->authority = lsa_open();
	ASSERT_LE(0, self->authority);
	self->serve.size = sizeof(self->serve);
	set_endpoint(self->serve.endpoint, self->name);
	ASSERT_EQ(0,
		  lsa_ioctl(self->authority, LSABUF_IOC_SERVE, &self->serve));
	self->client = client_start(self->name, LSABUF_ACCESS_WHOLE);
	ASSERT_TRUE(!!self->client);
}

FIXTURE_TEARDOWN(pair)
{
	puppet_stop(self->client);
	close(self->authority);
}

#define PAIR FIXTURE_DATA(pair)

/* Wait, but not for ever, until there is something to read from @file. */
static inline bool wait_readable(int file)
{
	struct pollfd poll_file = { .fd = file, .events = POLLIN };

	return poll(&poll_file, 1, AT_ONCE_NS / NSEC_PER_MSEC) == 1 &&
	       poll_file.revents & POLLIN;
}

/* Thread CALLER of @client makes an empty call and @authority receives it. */
static inline __u64 begin_with(struct __test_metadata *_metadata, int authority,
			       struct puppet *client)
{
	struct lsabuf_reply_receive request;

	start_call(client, CALLER, 0);
	ASSERT_TRUE(wait_readable(authority));
	ASSERT_EQ(0, lsa_receive(authority, &request));
	ASSERT_EQ(client->client, request.out_client);
	return request.out_id;
}

static inline __u64 begin(struct __test_metadata *_metadata, PAIR *self)
{
	return begin_with(_metadata, self->authority, self->client);
}

/* The reply to what begin() received, taken by the client. */
static inline void end(struct __test_metadata *_metadata, PAIR *self, __u64 id)
{
	ASSERT_EQ(0, lsa_reply(self->authority, id));
	ASSERT_EQ(0, hear(self->client, CALLER));
}

/* A whole call that returns a block of @length bytes to the client. */
static inline __u64 give_block(struct __test_metadata *_metadata, PAIR *self,
			       __u64 length)
{
	__u64 id = begin(_metadata, self), address;

	ASSERT_EQ(0, lsa_alloc(self->authority, id, length, &address));
	end(_metadata, self, id);
	return address;
}

/*
 * The userland of the tree that the program was built in; LSABUF_USERLIB names
 * another place.
 */
static inline const char *userlib(void)
{
	static char path[PATH_MAX];
	ssize_t length;

	if (getenv("LSABUF_USERLIB"))
		return getenv("LSABUF_USERLIB");
	length = readlink("/proc/self/exe", path, sizeof(path) - 20);
	if (length < 0)
		return ".";
	path[length] = '\0';
	strcpy(strrchr(path, '/'), "/../userlib");
	return path;
}

#endif /* LSABUF_TEST_H */
