// SPDX-License-Identifier: GPL-2.0
/*
 * Every step that can fail inside the kernel fails once: the n-th allocation
 * or user copy of one system call, for n = 1, 2, ... until the call needs
 * fewer. After each failure: a documented errno, the same call then succeeds,
 * and nothing is left once both sides are gone.
 *
 * fail-nth counts what the injected thread does itself. Chores are done by the
 * client's thread in its own CALL, so they are reached by failing that.
 */
#include "lsabuf_test.h"

#define DEBUGFS "/sys/kernel/debug"
/* More than any call needs: a sweep that gets here never ends by itself. */
#define NTH_LIMIT 2000
#define PATTERN 7

/* Figures of all tests, each of which is a child of process @pid */
static struct totals {
	unsigned int points;
	unsigned int survived;
	pid_t pid;
} * totals;

/* Injection */

static const char *const injectors[] = { "failslab", "fail_page_alloc",
					 "fail_usercopy" };

static int write_attribute(const char *injector, const char *name,
			   const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUGFS "/%s/%s", injector, name);
	return write_text(path, value);
}

/* Without that GFP_KERNEL and single pages never fail. */
static bool prepare_injection(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(injectors); i++)
		if (write_attribute(injectors[i], "verbose", "0"))
			return false;
	return !write_attribute("failslab", "ignore-gfp-wait", "N") &&
	       !write_attribute("fail_page_alloc", "ignore-gfp-wait", "N") &&
	       !write_attribute("fail_page_alloc", "min-order", "0") &&
	       !access("/proc/thread-self/fail-nth", W_OK);
}

static void __attribute__((constructor)) require_injection(void)
{
	if (!prepare_injection())
		ksft_exit_skip("no fault injection\n");
	totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	totals->pid = getpid();
}

static void __attribute__((destructor)) print_totals(void)
{
	if (totals && totals->points && totals->pid == getpid())
		printf("# fail-nth: %u of %u points survived\n",
		       totals->survived, totals->points);
}

static int open_nth(void)
{
	return open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
}

/* The next @n-th step of this thread that can fail does. 0: none. */
static void arm(int file, unsigned int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", n);

	/* While another one is armed, this may be what fails. */
	while (pwrite(file, text, length, 0) < 0)
		;
}

/* Whether it has failed: otherwise there were fewer than n such steps. */
static bool disarm(int file)
{
	char text[16] = "";
	/* This is a user copy, too: if it fails, nothing had before. */
	bool fired = pread(file, text, sizeof(text) - 1, 0) > 0 && !atoi(text);

	arm(file, 0);
	return fired;
}

/* The world that a call is made in */

enum world_level { AUTHORITY, CLIENT, REQUEST, BLOCK };

struct sweep;

/**
 * struct world - who takes part
 * @name: endpoint
 * @sweep: what is being tested
 * @authority: file of the authority, which is this process
 * @client: the client
 * @id: of the request that the authority holds
 * @address: a block of it, or of the client
 * @memory: memory of the client that it has not touched
 * @arena: the arena that @address lies in
 * @local: of the authority, three pages
 */
struct world {
	char name[LSABUF_ENDPOINT_LEN];
	const struct sweep *sweep;
	int authority;
	struct puppet *client;
	__u64 id;
	__u64 address;
	__u64 memory;
	struct mapping arena;
	unsigned char *local;
};

#define LOCAL_SIZE (3 * 4096)

/**
 * struct sweep - one call to be failed
 * @level: how much of the world stands before it
 * @ranges: the client grants only what its calls name
 * @prepare: what else has to be done, or NULL
 * @step: the call, in the authority: 0 or -errno
 * @task: or in the client
 * @thread: the client's thread that does it
 * @serve: what the authority does with requests meanwhile
 * @retry: how it fails when the failed one was executed all the same, or 0
 * @finish: what the authority does before nothing may be left, or NULL
 * @errors: how it may fail
 */
struct sweep {
	enum world_level level;
	bool ranges;
	void (*prepare)(struct __test_metadata *_metadata, struct world *w);
	int (*step)(struct world *w);
	puppet_task *task;
	int thread;
	void (*serve)(struct __test_metadata *_metadata, struct world *w);
	int retry;
	void (*finish)(struct world *w);
	int errors[4];
};

#define ANY_MEMORY             \
	{                      \
		ENOMEM, EFAULT \
	}
#define ONLY_FAULT     \
	{              \
		EFAULT \
	}

static void world_up(struct __test_metadata *_metadata, struct world *w,
		     const struct sweep *sweep)
{
	*w = (struct world){ .sweep = sweep };
	snprintf(w->name, sizeof(w->name), "nth-%d", getpid());
	w->local = mmap(NULL, LOCAL_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fill(w->local, PATTERN, LOCAL_SIZE);
	w->authority = lsa_open();
	ASSERT_LE(0, w->authority);
	if (sweep->step && sweep->level == AUTHORITY)
		return;
	ASSERT_EQ(0, lsa_serve(w->authority, w->name));
	w->client = puppet_start(NOBODY);
	ASSERT_TRUE(!!w->client);
	w->memory = remote_mmap(w->client, MIB(1), PROT_READ | PROT_WRITE, 0);
	if (sweep->level >= CLIENT)
		ASSERT_EQ(0, client_connect_flags(w->client, w->name,
						  sweep->ranges ?
							  LSABUF_ACCESS_RANGES :
							  LSABUF_ACCESS_WHOLE,
						  LSABUF_CONNECT_F_FILES));
	if (sweep->level >= REQUEST)
		w->id = begin_with(_metadata, w->authority, w->client);
	if (sweep->level >= BLOCK)
		ASSERT_EQ(0, lsa_alloc_from(w->authority, w->id, LOCAL_SIZE,
					    w->local, LOCAL_SIZE, &w->address));
	if (w->address)
		ASSERT_TRUE(
			find_mapping(w->client->pid, w->address, &w->arena));
	if (sweep->prepare)
		sweep->prepare(_metadata, w);
}

/* Objects of one of the module's caches, in use now. */
static int objects_of(const char *cache)
{
	char path[128];
	char *text;
	int objects;

	/* KASAN keeps freed ones for a while, unless it is told not to. */
	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache);
	write_text(path, "1");
	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/objects", cache);
	text = read_text(path);
	objects = text && *text ? atoi(text) : -1;
	free(text);
	return objects;
}

static bool wait_unused(void)
{
	__u64 end = now_ns() + AT_ONCE_NS;

	while (module_users()) {
		if (now_ns() > end)
			return false;
		sleep_ms(1);
	}
	return true;
}

/* Everybody goes, and nothing must be left. */
static void world_down(struct __test_metadata *_metadata, struct world *w)
{
	puppet_stop(w->client);
	if (w->authority >= 0)
		close(w->authority);
	munmap(w->local, LOCAL_SIZE);
	if (w->sweep->finish)
		w->sweep->finish(w);
	EXPECT_TRUE(wait_unused());
	EXPECT_EQ(0, objects_of("lsabuf_block"));
	EXPECT_EQ(0, objects_of("lsabuf_request"));
}

/* In the client: its own task, with the injection around it. */
static long do_armed(struct puppet *puppet, struct puppet_thread *me)
{
	puppet_task *task = (puppet_task *)me->argument[0];
	unsigned int n = me->argument[1];
	int file = open_nth();
	long ret;

	memmove(me->argument, me->argument + 2,
		sizeof(me->argument) - 2 * sizeof(me->argument[0]));
	arm(file, n);
	ret = task(puppet, me);
	puppet->flag[0] = disarm(file);
	close(file);
	return ret;
}

static int attempt_remote(struct __test_metadata *_metadata, struct world *w,
			  unsigned int n, bool *fired)
{
	const struct sweep *sweep = w->sweep;
	long ret;

	set_endpoint(w->client->scratch, w->name);
	tell(w->client, sweep->thread, do_armed, (long)sweep->task, n,
	     w->address, w->memory, w->id, w->arena.start, w->arena.end);
	while (is_busy(w->client, sweep->thread)) {
		ASSERT_TRUE(puppet_alive(w->client));
		if (sweep->serve)
			sweep->serve(_metadata, w);
		sched_yield();
	}
	ret = hear(w->client, sweep->thread);
	*fired = w->client->flag[0];
	return ret;
}

static int attempt(struct __test_metadata *_metadata, struct world *w,
		   unsigned int n, bool *fired)
{
	int file, ret;

	if (w->sweep->task)
		return attempt_remote(_metadata, w, n, fired);
	file = open_nth();
	ASSERT_LE(0, file);
	arm(file, n);
	ret = w->sweep->step(w);
	*fired = disarm(file);
	close(file);
	return ret;
}

static bool is_documented(const struct sweep *sweep, int ret)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		if (sweep->errors[i] && ret == -sweep->errors[i])
			return true;
	return !ret;
}

/* Fail the @n-th step. False: there are fewer. */
static bool sweep_point(struct __test_metadata *_metadata,
			const struct sweep *sweep, unsigned int n)
{
	struct world w;
	bool fired, again;
	int ret;

	world_up(_metadata, &w, sweep);
	ret = attempt(_metadata, &w, n, &fired);
	EXPECT_TRUE(fired ? is_documented(sweep, ret) : !ret)
	{
		TH_LOG("step %u: %s", n, strerror(-ret));
	}
	if (ret) {
		ret = attempt(_metadata, &w, 0, &again);
		EXPECT_TRUE(!ret || ret == -sweep->retry)
		{
			TH_LOG("after step %u: %s", n, strerror(-ret));
		}
	}
	world_down(_metadata, &w);
	return fired;
}

/* All tests end here: what has been counted shows how far they got. */
static void count_points(struct __test_metadata *_metadata, unsigned int points)
{
	TH_LOG("%u points", points);
	totals->points += points;
	if (_metadata->passed)
		totals->survived += points;
}

static void run_sweep(struct __test_metadata *_metadata,
		      const struct sweep *sweep)
{
	unsigned int n = 1;

	while (n < NTH_LIMIT && _metadata->passed &&
	       sweep_point(_metadata, sweep, n))
		n++;
	EXPECT_GT(NTH_LIMIT, n);
	EXPECT_LT(1, n);
	count_points(_metadata, n - 1);
}

FIXTURE(nth)
{
	int unused;
};

FIXTURE_SETUP(nth)
{
}

FIXTURE_TEARDOWN(nth)
{
}

#define SWEEP(_name, ...)                                          \
	TEST_F_TIMEOUT(nth, _name, STRESS_TIMEOUT)                 \
	{                                                          \
		static const struct sweep sweep = { __VA_ARGS__ }; \
		run_sweep(_metadata, &sweep);                      \
	}

/* Any file */

static int step_open(struct world *w)
{
	int file = lsa_open();

	if (file < 0)
		return -errno;
	close(file);
	return 0;
}

SWEEP(open_and_close, .step = step_open, .errors = ANY_MEMORY)

static int step_info(struct world *w)
{
	struct lsabuf_info info;

	return lsa_info(w->authority, &info);
}

SWEEP(info, .step = step_info, .errors = ONLY_FAULT)

static int step_permit(struct world *w)
{
	return lsa_endpoint(w->authority, w->name, 0, NOBODY);
}

static int step_forbid(struct world *w)
{
	return lsa_endpoint(w->authority, w->name, LSABUF_ENDPOINT_F_REMOVE,
			    NOBODY);
}

static void prepare_permitted(struct __test_metadata *_metadata,
			      struct world *w)
{
	ASSERT_EQ(0, step_permit(w));
}

SWEEP(permit, .step = step_permit, .errors = ANY_MEMORY)
SWEEP(forbid, .step = step_forbid, .level = CLIENT,
      .prepare = prepare_permitted, .errors = ONLY_FAULT)

/* The authority */

static int step_serve(struct world *w)
{
	return lsa_serve(w->authority, w->name);
}

SWEEP(serve, .step = step_serve, .errors = ANY_MEMORY)

static void prepare_call(struct __test_metadata *_metadata, struct world *w)
{
	start_call(w->client, CALLER, 100);
	ASSERT_TRUE(wait_readable(w->authority));
}

static int step_receive(struct world *w)
{
	struct lsabuf_reply_receive request;
	int ret = lsa_receive_now(w->authority, &request);

	if (!ret && request.out_submit_length != 100)
		return -EBADMSG;
	return ret;
}

SWEEP(receive, .step = step_receive, .level = CLIENT, .prepare = prepare_call,
      .errors = ONLY_FAULT)

static int step_reply(struct world *w)
{
	return lsa_reply(w->authority, w->id);
}

/* A reply can be committed and then not reported. */
SWEEP(reply, .step = step_reply, .level = REQUEST, .retry = ENOENT,
      .errors = ONLY_FAULT)

static int step_reply_payload(struct world *w)
{
	struct lsabuf_reply_receive reply = {
		.flags = LSABUF_REPLY_RECEIVE_F_PAYLOAD,
		.reply_id = w->id,
		.payload_address = to_u64(w->local),
		.payload_length = LOCAL_SIZE,
	};
	int ret = lsa_reply_receive(w->authority, &reply);

	return ret ? ret : reply.reply_error;
}

/* Without memory for the payload the request ends. */
SWEEP(reply_payload, .step = step_reply_payload, .level = REQUEST,
      .retry = ENOENT, .errors = ANY_MEMORY)

static void prepare_second(struct __test_metadata *_metadata, struct world *w)
{
	start_call(w->client, SECOND, 100);
	ASSERT_TRUE(wait_readable(w->authority));
}

static int step_reply_receive(struct world *w)
{
	struct lsabuf_reply_receive io = {
		.flags = LSABUF_REPLY_RECEIVE_F_RECEIVE |
			 LSABUF_REPLY_RECEIVE_F_NOWAIT,
		.reply_id = w->id,
	};
	int ret = lsa_reply_receive(w->authority, &io);

	w->id = io.reply_id;
	if (!ret && io.out_submit_length != 100)
		return -EBADMSG;
	return ret;
}

SWEEP(reply_receive, .step = step_reply_receive, .level = REQUEST,
      .prepare = prepare_second, .retry = ENOENT, .errors = ONLY_FAULT)

static int alloc_block(struct world *w, __u64 length)
{
	__u64 address;

	return lsa_alloc_from(w->authority, w->id, length, w->local, LOCAL_SIZE,
			      &address);
}

static int step_alloc(struct world *w)
{
	return alloc_block(w, LOCAL_SIZE);
}

SWEEP(alloc, .step = step_alloc, .level = REQUEST, .errors = ANY_MEMORY)

/* More than the first arena has: the next one is made by the client. */
static int step_alloc_large(struct world *w)
{
	return alloc_block(w, KIB(256));
}

SWEEP(alloc_large, .step = step_alloc_large, .level = BLOCK,
      .errors = ANY_MEMORY)

static int step_release(struct world *w)
{
	return lsa_release(w->authority, w->id, w->address);
}

SWEEP(release, .step = step_release, .level = BLOCK, .errors = ONLY_FAULT)

static int step_copy_to_block(struct world *w)
{
	return lsa_copy_to(w->authority, w->id, w->address + 1, w->local,
			   LOCAL_SIZE - 1, NULL);
}

static int step_copy_from_block(struct world *w)
{
	memset(w->local, 0, LOCAL_SIZE);
	if (lsa_copy_from(w->authority, w->id, w->address, w->local, LOCAL_SIZE,
			  NULL))
		return -EFAULT;
	return filled(w->local, PATTERN, LOCAL_SIZE) == LOCAL_SIZE ? 0 :
								     -EBADMSG;
}

SWEEP(copy_to_block, .step = step_copy_to_block, .level = BLOCK,
      .errors = ONLY_FAULT)
SWEEP(copy_from_block, .step = step_copy_from_block, .level = BLOCK,
      .errors = ONLY_FAULT)

/* Resident, or not: then it takes a chore. */
static int step_copy_to_memory(struct world *w)
{
	return lsa_copy_to(w->authority, w->id, w->memory + 1, w->local,
			   LOCAL_SIZE, NULL);
}

static int step_copy_from_memory(struct world *w)
{
	return lsa_copy_from(w->authority, w->id, w->memory, w->local,
			     LOCAL_SIZE, NULL);
}

static void prepare_resident(struct __test_metadata *_metadata, struct world *w)
{
	ASSERT_EQ(0, ask(w->client, SIDE, do_fill, w->memory, PATTERN,
			 2 * LOCAL_SIZE));
}

SWEEP(copy_to_resident, .step = step_copy_to_memory, .level = REQUEST,
      .prepare = prepare_resident, .errors = ANY_MEMORY)
SWEEP(copy_from_resident, .step = step_copy_from_memory, .level = REQUEST,
      .prepare = prepare_resident, .errors = ANY_MEMORY)
SWEEP(copy_to_absent, .step = step_copy_to_memory, .level = REQUEST,
      .errors = ANY_MEMORY)
SWEEP(copy_from_absent, .step = step_copy_from_memory, .level = REQUEST,
      .errors = ANY_MEMORY)

static int step_copy_vector(struct world *w)
{
	const struct lsabuf_copy_range ranges[] = {
		{ w->address, to_u64(w->local), 4096 },
		{ w->memory, to_u64(w->local), 4096 },
		{ w->address + 4096, to_u64(w->local), 0 },
	};

	return lsa_copy_vector(w->authority, w->id, 0, ranges, 3, NULL);
}

SWEEP(copy_vector, .step = step_copy_vector, .level = BLOCK,
      .errors = ANY_MEMORY)

static int step_identity(struct world *w)
{
	__u32 groups[4];
	struct lsabuf_identity identity = {
		.groups_address = to_u64(groups),
		.nr_groups = 4,
	};

	return lsa_identity(w->authority, w->id, &identity);
}

SWEEP(identity, .step = step_identity, .level = REQUEST, .errors = ONLY_FAULT)

/* The file is open by then: it goes with the client. */
static int step_give(struct world *w)
{
	int fd;

	return lsa_give(w->authority, w->id, w->authority, &fd);
}

SWEEP(give, .step = step_give, .level = REQUEST, .errors = ANY_MEMORY)

/* Closed by the step: it must not be closed again. */
static int step_close(struct world *w)
{
	int file = w->authority;

	w->authority = -1;
	return close(file) ? -errno : 0;
}

/* An arena that cannot be unmapped goes with its process, or by hand. */
static void finish_close(struct world *w)
{
	munmap(to_pointer(w->arena.start), w->arena.end - w->arena.start);
}

static void prepare_close(struct __test_metadata *_metadata, struct world *w)
{
	struct lsabuf_reply_receive request;

	start_call(w->client, SECOND, 100);
	ASSERT_TRUE(wait_readable(w->authority));
	ASSERT_EQ(0, lsa_receive(w->authority, &request));
	ASSERT_TRUE(
		find_mapping(getpid(), request.out_submit_address, &w->arena));
}

SWEEP(close_authority, .step = step_close, .level = BLOCK,
      .prepare = prepare_close, .finish = finish_close)

/* The client */

static long task_open(struct puppet *puppet, struct puppet_thread *me)
{
	long ret = do_open(puppet, me);

	if (!ret)
		close(puppet->device);
	return ret;
}

SWEEP(client_open, .task = task_open, .errors = ANY_MEMORY)

/* The name of the endpoint is in the scratch buffer; the file may be kept. */
static long task_connect(struct puppet *puppet, struct puppet_thread *me)
{
	if (puppet->device < 0 && do_open(puppet, me))
		return -errno;
	return lsa_connect(puppet->device, (char *)puppet->scratch,
			   LSABUF_ACCESS_WHOLE);
}

SWEEP(connect, .task = task_connect, .errors = ANY_MEMORY)

static long task_disconnect(struct puppet *puppet, struct puppet_thread *me)
{
	return lsa_disconnect(puppet->device);
}

SWEEP(disconnect, .task = task_disconnect, .level = BLOCK, .errors = ONLY_FAULT)

static long task_close(struct puppet *puppet, struct puppet_thread *me)
{
	return close(puppet->device) ? -errno : 0;
}

SWEEP(close_client, .task = task_close, .level = CLIENT)

static long task_munmap(struct puppet *puppet, struct puppet_thread *me)
{
	unsigned long start = me->argument[3], end = me->argument[4];

	/* Never a part of it, whatever fails. */
	if (!munmap(to_pointer(start), 4096))
		return -EBADMSG;
	return munmap(to_pointer(start), end - start) ? -errno : 0;
}

SWEEP(munmap, .task = task_munmap, .level = BLOCK, .errors = { ENOMEM })

/* What a request gets: every way into the client, each tried again once. */
static int twice(int (*step)(struct world *w), struct world *w)
{
	int ret = step(w);

	return ret == -EFAULT || ret == -ENOMEM ? step(w) : ret;
}

static bool receive_one(struct world *w)
{
	struct lsabuf_reply_receive request;

	if (lsa_receive_now(w->authority, &request))
		return false;
	w->id = request.out_id;
	return true;
}

static void serve_plain(struct __test_metadata *_metadata, struct world *w)
{
	if (!receive_one(w))
		return;
	EXPECT_EQ(0, step_alloc(w));
	EXPECT_EQ(0, lsa_reply(w->authority, w->id));
}

static void serve_with_chores(struct __test_metadata *_metadata,
			      struct world *w)
{
	if (!receive_one(w))
		return;
	EXPECT_EQ(0, twice(step_alloc, w));
	EXPECT_EQ(0, twice(step_alloc_large, w));
	EXPECT_EQ(0, twice(step_copy_to_memory, w));
	w->memory += KIB(64);
	EXPECT_EQ(0, twice(step_copy_from_memory, w));
	EXPECT_EQ(0, lsa_reply(w->authority, w->id));
}

/* A call of which the id is known is waited for again. */
static long task_call(struct puppet *puppet, struct puppet_thread *me)
{
	struct lsabuf_call *call = &me->call;

	if (!call->id)
		new_call(puppet, me - puppet->thread, 3 * 4096);
	return lsa_call(puppet->device, call);
}

SWEEP(call, .task = task_call, .thread = CALLER, .level = CLIENT,
      .serve = serve_plain, .errors = ANY_MEMORY)
SWEEP(call_with_chores, .task = task_call, .thread = CALLER, .level = CLIENT,
      .serve = serve_with_chores, .errors = ANY_MEMORY)

static long task_call_ranges(struct puppet *puppet, struct puppet_thread *me)
{
	struct lsabuf_range range = {
		.address = me->argument[1],
		.length = 4096,
		.flags = LSABUF_RANGE_F_READ,
	};
	struct lsabuf_call *call = &me->call;

	if (!call->id) {
		new_call(puppet, me - puppet->thread, 1);
		call->ranges_address = to_u64(&range);
		call->nr_ranges = 1;
	}
	return lsa_call(puppet->device, call);
}

SWEEP(call_with_ranges, .task = task_call_ranges, .thread = CALLER,
      .level = CLIENT, .ranges = true, .serve = serve_plain,
      .errors = ANY_MEMORY)

static void prepare_given(struct __test_metadata *_metadata, struct world *w)
{
	ASSERT_EQ(0, lsa_reply(w->authority, w->id));
	ASSERT_EQ(0, hear(w->client, CALLER));
	w->client->thread[CALLER].call.id = 0;
}

static long task_call_free(struct puppet *puppet, struct puppet_thread *me)
{
	struct lsabuf_call *call = &me->call;

	if (!call->id) {
		new_call(puppet, me - puppet->thread, 1);
		call->free_address = me->argument[0];
	}
	return lsa_call(puppet->device, call);
}

/* Its block may have been freed when the id cannot be stored. */
SWEEP(call_with_free, .task = task_call_free, .thread = CALLER, .level = BLOCK,
      .prepare = prepare_given, .serve = serve_plain, .retry = ENOENT,
      .errors = ANY_MEMORY)

static long task_free(struct puppet *puppet, struct puppet_thread *me)
{
	return lsa_free(puppet->device, me->argument[0]);
}

SWEEP(free, .task = task_free, .level = BLOCK, .prepare = prepare_given,
      .errors = ONLY_FAULT)

static long task_nowait(struct puppet *puppet, struct puppet_thread *me)
{
	struct lsabuf_call *call = new_call(puppet, SIDE, 100);

	call->flags = LSABUF_CALL_F_NOWAIT;
	return lsa_call(puppet->device, call);
}

SWEEP(call_nowait, .task = task_nowait, .level = CLIENT, .serve = serve_plain,
      .errors = ANY_MEMORY)

static void prepare_done(struct __test_metadata *_metadata, struct world *w)
{
	ASSERT_EQ(0, ask(w->client, SIDE, task_nowait));
	ASSERT_TRUE(wait_readable(w->authority));
	serve_plain(_metadata, w);
}

static long task_collect(struct puppet *puppet, struct puppet_thread *me)
{
	struct pollfd poll_file = { puppet->device, POLLIN };
	struct lsabuf_call call = { .flags = LSABUF_CALL_F_ANY };

	if (poll(&poll_file, 1, -1) != 1)
		return -errno;
	return lsa_call(puppet->device, &call);
}

SWEEP(poll_and_collect, .task = task_collect, .level = CLIENT,
      .prepare = prepare_done, .errors = ANY_MEMORY)

static long task_cancel(struct puppet *puppet, struct puppet_thread *me)
{
	return call_cancel(puppet->device, me->argument[2]);
}

SWEEP(cancel, .task = task_cancel, .level = BLOCK, .retry = ENOENT,
      .errors = ONLY_FAULT)

static long task_touch(struct puppet *puppet, struct puppet_thread *me)
{
	unsigned char *block = to_pointer(me->argument[0]);
	int got = filled(block, PATTERN, LOCAL_SIZE) == LOCAL_SIZE;

	return got ? 0 : -EBADMSG;
}

/* Before the call has ended nobody has inserted its pages. */
SWEEP(fault, .task = task_touch, .level = BLOCK)

/* Children of arenas have none; the parent keeps its own. */
static long task_fork(struct puppet *puppet, struct puppet_thread *me)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	if (pid < 0)
		return -errno;
	waitpid(pid, NULL, 0);
	return task_touch(puppet, me);
}

SWEEP(fork, .task = task_fork, .level = BLOCK, .prepare = prepare_given,
      .errors = { ENOMEM, EAGAIN })

/* The end of the client: nobody is left to tell whether it fired. */

static long task_exit(struct puppet *puppet, struct puppet_thread *me)
{
	arm(open_nth(), me->argument[0]);
	_exit(0);
}

/* A failed exec is tried again; what fails beyond that kills it. */
static long task_exec(struct puppet *puppet, struct puppet_thread *me)
{
	char *argv[] = { "true", NULL }, *environment[] = { NULL };
	int file = open_nth();

	arm(file, me->argument[0]);
	execve("/bin/true", argv, environment);
	puppet->flag[1] = disarm(file);
	execve("/bin/true", argv, environment);
	_exit(127);
}

/* Whether the injection into a process, which is a zombie now, has fired. */
static bool has_fired(struct puppet *puppet)
{
	char path[64];
	siginfo_t info;
	bool fired;
	char *text;

	waitid(P_PID, puppet->pid, &info, WEXITED | WNOWAIT);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/fail-nth", puppet->pid,
		 puppet->pid);
	text = read_text(path);
	fired = puppet->flag[1] || (text && *text && !atoi(text));
	free(text);
	return fired;
}

static bool end_point(struct __test_metadata *_metadata,
		      const struct sweep *sweep, puppet_task *task,
		      unsigned int n)
{
	struct world w;
	bool fired;

	world_up(_metadata, &w, sweep);
	tell(w.client, SIDE, task, n);
	fired = has_fired(w.client);
	EXPECT_EQ(PUPPET_DEAD, hear(w.client, CALLER));
	EXPECT_ERROR(ESRCH, lsa_reply(w.authority, w.id));
	world_down(_metadata, &w);
	return fired;
}

static void run_end(struct __test_metadata *_metadata, puppet_task *task)
{
	static const struct sweep sweep = {
		.level = BLOCK,
	};
	unsigned int n = 1;

	while (n < NTH_LIMIT && _metadata->passed &&
	       end_point(_metadata, &sweep, task, n))
		n++;
	EXPECT_GT(NTH_LIMIT, n);
	count_points(_metadata, n - 1);
}

TEST_F_TIMEOUT(nth, exit, STRESS_TIMEOUT)
{
	run_end(_metadata, task_exit);
}

TEST_F_TIMEOUT(nth, exec, STRESS_TIMEOUT)
{
	run_end(_metadata, task_exec);
}

TEST_HARNESS_MAIN
