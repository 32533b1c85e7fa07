// SPDX-License-Identifier: GPL-2.0
/*
 * Every two operations at the same time, by two threads, on the same client,
 * request and block. What comes out is up to them: it has to be documented,
 * everything can be taken down afterwards, and a kernel with KCSAN, KASAN or
 * lockdep sees nothing to report.
 */
#include "lsabuf_test.h"

#define PAGE 4096ULL
#define LENGTH (2 * PAGE)

/**
 * struct world - what both operations work on
 * @name: endpoint
 * @authority: file of the authority, which is this process
 * @client: the client
 * @id: request that the authority holds and thread CALLER waits for
 * @block: a block of that request
 * @given: a block that the client has
 * @resident: memory of the client
 * @absent: memory of the client that it has not touched
 * @arena: the arena that @block lies in
 * @local: of the authority, @LENGTH bytes
 */
struct world {
	char name[LSABUF_ENDPOINT_LEN];
	int authority;
	struct puppet *client;
	__u64 id;
	__u64 block;
	__u64 given;
	__u64 resident;
	__u64 absent;
	struct mapping arena;
	void *local;
};

static void world_up(struct __test_metadata *_metadata, struct world *w)
{
	w->authority = lsa_open();
	ASSERT_LE(0, w->authority);
	ASSERT_EQ(0, lsa_serve(w->authority, w->name));
	ASSERT_EQ(0, client_connect(w->client, w->name, LSABUF_ACCESS_WHOLE));
	w->resident = remote_mmap(w->client, LENGTH, PROT_READ | PROT_WRITE,
				  MAP_POPULATE);
	w->absent = remote_mmap(w->client, LENGTH, PROT_READ | PROT_WRITE, 0);
	w->id = begin_with(_metadata, w->authority, w->client);
	ASSERT_EQ(0, lsa_alloc(w->authority, w->id, LENGTH, &w->given));
	ASSERT_EQ(0, lsa_reply(w->authority, w->id));
	ASSERT_EQ(0, hear(w->client, CALLER));
	w->id = begin_with(_metadata, w->authority, w->client);
	ASSERT_EQ(0, lsa_alloc(w->authority, w->id, LENGTH, &w->block));
	ASSERT_TRUE(find_mapping(w->client->pid, w->block, &w->arena));
	w->client->flag[7] = 0;
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

/* Whatever blocks are in them: nobody knows all of them any more. */
static void unmap_arenas(struct puppet *client)
{
	char *maps = read_maps(client->pid), *line = maps, *next;
	unsigned long start, end;

	for (; line && *line; line = next) {
		next = strchr(line, '\n');
		*next++ = 0;
		if (strstr(line, "lsabuf:") &&
		    sscanf(line, "%lx-%lx", &start, &end) == 2)
			remote(client, SYS_munmap, start, end - start);
	}
	free(maps);
}

static long do_close_device(struct puppet *puppet, struct puppet_thread *me)
{
	return close(puppet->device) ? -errno : 0;
}

static void world_down(struct __test_metadata *_metadata, struct world *w)
{
	lsa_reply(w->authority, w->id);
	if (w->authority >= 0)
		close(w->authority);
	hear(w->client, CALLER);
	client_free(w->client, w->given);
	client_free(w->client, w->block);
	ask(w->client, SIDE, do_close_device);
	unmap_arenas(w->client);
	remote(w->client, SYS_munmap, w->resident, LENGTH);
	remote(w->client, SYS_munmap, w->absent, LENGTH);
	EXPECT_TRUE(wait_unused());
}

/* What an authority does */

static int act_reply(struct world *w)
{
	return lsa_reply(w->authority, w->id);
}

static int act_receive(struct world *w)
{
	struct lsabuf_reply_receive request;
	int ret = lsa_receive_now(w->authority, &request);

	return ret ? ret : lsa_reply(w->authority, request.out_id);
}

static int act_payload(struct world *w)
{
	struct lsabuf_reply_receive reply = {
		.flags = LSABUF_REPLY_RECEIVE_F_PAYLOAD,
		.reply_id = w->id,
		.payload_address = to_u64(w->local),
		.payload_length = LENGTH,
	};
	int ret = lsa_reply_receive(w->authority, &reply);

	return ret ? ret : reply.reply_error;
}

static int act_alloc(struct world *w)
{
	__u64 address;

	return lsa_alloc_from(w->authority, w->id, 100, w->local, 100,
			      &address);
}

static int act_alloc_large(struct world *w)
{
	__u64 address;

	return lsa_alloc(w->authority, w->id, MIB(1), &address);
}

static int act_release(struct world *w)
{
	return lsa_release(w->authority, w->id, w->block);
}

static int act_release_given(struct world *w)
{
	return lsa_release(w->authority, w->id, w->given);
}

static int act_copy_to(struct world *w)
{
	return lsa_copy_to(w->authority, w->id, w->block, w->local, LENGTH,
			   NULL);
}

static int act_copy_from(struct world *w)
{
	return lsa_copy_from(w->authority, w->id, w->given, w->local, LENGTH,
			     NULL);
}

static int act_copy_resident(struct world *w)
{
	return lsa_copy_to(w->authority, w->id, w->resident, w->local, LENGTH,
			   NULL);
}

static int act_copy_absent(struct world *w)
{
	return lsa_copy_from(w->authority, w->id, w->absent, w->local, LENGTH,
			     NULL);
}

static int act_identity(struct world *w)
{
	struct lsabuf_identity identity = {};

	return lsa_identity(w->authority, w->id, &identity);
}

static int read_fdinfo(int file)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", file);
	free(read_text(path));
	return 0;
}

static int act_fdinfo(struct world *w)
{
	return read_fdinfo(w->authority);
}

static int poll_once(int file)
{
	struct pollfd poll_file = { .fd = file, .events = POLLIN };

	return poll(&poll_file, 1, 1) < 0 ? -errno : 0;
}

static int act_poll(struct world *w)
{
	return poll_once(w->authority);
}

static int act_endpoint(struct world *w)
{
	int ret = lsa_endpoint(w->authority, w->name, 0, NOBODY);

	return ret ? ret :
		     lsa_endpoint(w->authority, w->name,
				  LSABUF_ENDPOINT_F_REMOVE, NOBODY);
}

static int act_close(struct world *w)
{
	int file = w->authority;

	w->authority = -1;
	return close(file) ? -errno : 0;
}

/* What a client does: id, block, given block, arena in its arguments */

enum { ARG_TASK, ARG_ID, ARG_BLOCK, ARG_GIVEN, ARG_ARENA, ARG_ARENA_END };

static long task_cancel(struct puppet *puppet, struct puppet_thread *me)
{
	return call_cancel(puppet->device, me->argument[ARG_ID]);
}

static long task_take(struct puppet *puppet, struct puppet_thread *me)
{
	struct lsabuf_call call = {
		.id = me->argument[ARG_ID],
		.flags = LSABUF_CALL_F_NOWAIT,
	};

	return lsa_call(puppet->device, &call);
}

static long task_any(struct puppet *puppet, struct puppet_thread *me)
{
	struct lsabuf_call call = { .flags = LSABUF_CALL_F_ANY };

	return lsa_call(puppet->device, &call);
}

static long task_call(struct puppet *puppet, struct puppet_thread *me)
{
	struct lsabuf_call call = {
		.flags = LSABUF_CALL_F_NOWAIT,
		.submit_address = to_u64(puppet->submit),
		.submit_length = 100,
	};

	return lsa_call(puppet->device, &call);
}

static long task_call_free(struct puppet *puppet, struct puppet_thread *me)
{
	struct lsabuf_call call = {
		.flags = LSABUF_CALL_F_NOWAIT,
		.free_address = me->argument[ARG_GIVEN],
	};

	return lsa_call(puppet->device, &call);
}

static long task_free(struct puppet *puppet, struct puppet_thread *me)
{
	return lsa_free(puppet->device, me->argument[ARG_GIVEN]);
}

static long task_free_open(struct puppet *puppet, struct puppet_thread *me)
{
	return lsa_free(puppet->device, me->argument[ARG_BLOCK]);
}

/* Both may be gone: then a signal tells it. */
static long task_touch(struct puppet *puppet, struct puppet_thread *me)
{
	guarded_copy(to_pointer(me->argument[ARG_GIVEN]),
		     to_pointer(me->argument[ARG_BLOCK]), LENGTH);
	return 0;
}

static long task_poll(struct puppet *puppet, struct puppet_thread *me)
{
	return poll_once(puppet->device);
}

static long task_fdinfo(struct puppet *puppet, struct puppet_thread *me)
{
	return read_fdinfo(puppet->device);
}

static long task_disconnect(struct puppet *puppet, struct puppet_thread *me)
{
	return lsa_disconnect(puppet->device);
}

/* The name of the endpoint is in the scratch buffer. */
static long task_connect(struct puppet *puppet, struct puppet_thread *me)
{
	int file = lsa_open();
	int ret = lsa_connect(file, (char *)puppet->scratch,
			      LSABUF_ACCESS_BUFFERS);

	close(file);
	return ret;
}

static long task_unmap(struct puppet *puppet, struct puppet_thread *me)
{
	unsigned long start = me->argument[ARG_ARENA];

	return munmap(to_pointer(start), me->argument[ARG_ARENA_END] - start) ?
		       -errno :
		       0;
}

static long task_fork(struct puppet *puppet, struct puppet_thread *me)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	return 0;
}

#define ACT(_name)                        \
	{                                 \
#_name, act_##_name, NULL \
	}
#define TASK(_name)                        \
	{                                  \
#_name, NULL, task_##_name \
	}

static const struct operation {
	const char *name;
	int (*act)(struct world *w);
	puppet_task *task;
} operations[] = {
	ACT(reply),	  ACT(receive),	      ACT(payload),	  ACT(alloc),
	ACT(alloc_large), ACT(release),	      ACT(release_given), ACT(copy_to),
	ACT(copy_from),	  ACT(copy_resident), ACT(copy_absent),	  ACT(identity),
	ACT(fdinfo),	  ACT(poll),	      ACT(endpoint),	  ACT(close),
	TASK(cancel),	  TASK(take),	      TASK(any),	  TASK(call),
	TASK(call_free),  TASK(free),	      TASK(free_open),	  TASK(touch),
	TASK(poll),	  TASK(fdinfo),	      TASK(disconnect),	  TASK(connect),
	TASK(unmap),	  TASK(fork),
};

/* Both threads begin at the same time. */
static void meet(struct puppet *puppet)
{
	__atomic_add_fetch(&puppet->flag[7], 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&puppet->flag[7], __ATOMIC_ACQUIRE) < 2)
		sched_yield();
}

static long do_meet(struct puppet *puppet, struct puppet_thread *me)
{
	meet(puppet);
	return ((puppet_task *)me->argument[ARG_TASK])(puppet, me);
}

struct actor {
	struct world *world;
	const struct operation *operation;
	pthread_t thread;
	int slot;
	int result;
};

static void *actor_main(void *argument)
{
	struct actor *actor = argument;

	meet(actor->world->client);
	actor->result = actor->operation->act(actor->world);
	return NULL;
}

static void actor_start(struct actor *actor)
{
	struct world *w = actor->world;

	if (actor->operation->act)
		pthread_create(&actor->thread, NULL, actor_main, actor);
	else
		tell(w->client, actor->slot, do_meet,
		     (long)actor->operation->task, w->id, w->block, w->given,
		     w->arena.start, w->arena.end);
}

static void actor_join(struct actor *actor)
{
	if (actor->operation->act)
		pthread_join(actor->thread, NULL);
	else
		actor->result = hear(actor->world->client, actor->slot);
}

/* How the other one's work may make it fail */
static bool is_documented(int result)
{
	switch (-result) {
	case ENOENT:
	case ESRCH:
	case ECANCELED:
	case EAGAIN:
	case EBUSY:
	case EFAULT:
	case EPERM:
	case EPIPE:
	case EBADF:
	case EDQUOT:
	case ENOMEM:
		return true;
	default:
		return result >= 0;
	}
}

static bool went_well(const struct actor *actor, const struct actor *other)
{
	if (is_documented(actor->result))
		return true;
	fprintf(stderr, "# %s with %s: %s\n", actor->operation->name,
		other->operation->name, strerror(-actor->result));
	return false;
}

static void run_pair(struct __test_metadata *_metadata, struct world *w,
		     const struct operation *first,
		     const struct operation *second)
{
	struct actor actor[2] = {
		{ .world = w, .operation = first, .slot = SIDE },
		{ .world = w, .operation = second, .slot = SECOND },
	};
	int i;

	world_up(_metadata, w);
	set_endpoint(w->client->scratch, w->name);
	for (i = 0; i < 2; i++)
		actor_start(&actor[i]);
	for (i = 0; i < 2; i++)
		actor_join(&actor[i]);
	EXPECT_TRUE(went_well(&actor[0], &actor[1]));
	EXPECT_TRUE(went_well(&actor[1], &actor[0]));
	world_down(_metadata, w);
	if (!_metadata->passed)
		TH_LOG("%s with %s", first->name, second->name);
}

FIXTURE(pairs)
{
	struct world world;
};

FIXTURE_SETUP(pairs)
{
	struct world *w = &self->world;

	snprintf(w->name, sizeof(w->name), "pairs-%d", getpid());
	w->local = calloc(1, LENGTH);
	w->client = puppet_start(NOBODY);
	ASSERT_TRUE(!!w->client);
}

FIXTURE_TEARDOWN(pairs)
{
	puppet_stop(self->world.client);
	free(self->world.local);
}

TEST_F_TIMEOUT(pairs, all, STRESS_TIMEOUT)
{
	unsigned int first, second, i, pairs = 0;

	for (first = 0; first < ARRAY_SIZE(operations); first++)
		for (second = 0; second <= first; second++) {
			/* A file is closed once. */
			if (first == second &&
			    operations[first].act == act_close)
				continue;
			for (i = 0; i < scaled(1) && _metadata->passed; i++)
				run_pair(_metadata, &self->world,
					 &operations[first],
					 &operations[second]);
			pairs++;
		}
	TH_LOG("%u pairs", pairs);
}

TEST_HARNESS_MAIN
