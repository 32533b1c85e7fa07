// SPDX-License-Identifier: GPL-2.0
/*
 * Every two operations at the same time, by two threads, on the same client,
 * request, block and section. What comes out is up to them: it has to be documented,
 * everything can be taken down afterwards, and a kernel with KCSAN, KASAN or
 * lockdep sees nothing to report.
 */
#include "section_commands.h"

#define PAGE 4096ULL
#define LENGTH (2 * PAGE)

/* What is committed of a section at most, at first, and at least */
#define SECTION_MAX (8 * PAGE)
#define SECTION_FIRST (4 * PAGE)
#define SECTION_LEAST (2 * PAGE)

/**
 * struct section - a section of the authority
 * @file: its file
 * @address: where it is in this process
 */
struct section {
	int file;
	__u64 address;
};

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
 * @seen: a section that the client has a view of
 * @unseen: one that it has none of
 * @view: where @seen is in the client
 * @file: a file to give the client
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
	struct section seen;
	struct section unseen;
	__u64 view;
	int file;
	void *local;
};

static long connect_client(struct world *w)
{
	struct lsabuf_connect *connect = (void *)w->client->scratch;

	*connect = (struct lsabuf_connect){
		.size = sizeof(*connect),
		.flags = LSABUF_CONNECT_F_FILES,
		.access = LSABUF_ACCESS_WHOLE,
		.consent_views = 2,
		.consent_bytes = 2 * SECTION_MAX,
	};
	set_endpoint(connect->endpoint, w->name);
	return ask(w->client, SIDE, do_connect);
}

/* 0 or -errno */
static int section_up(struct section *section, int authority, __u64 charge_id)
{
	struct lsabuf_section_create create;

	section->file = section_create(authority, SECTION_MAX, SECTION_FIRST,
				       charge_id, &create);
	section->address = create.out_address;
	return section->file < 0 ? section->file : 0;
}

static void section_down(struct section *section)
{
	if (section->file >= 0)
		close(section->file);
	munmap(to_pointer(section->address), SECTION_MAX);
}

static void world_up(struct __test_metadata *_metadata, struct world *w)
{
	w->authority = lsa_open();
	ASSERT_LE(0, w->authority);
	ASSERT_EQ(0, lsa_serve(w->authority, w->name));
	ASSERT_EQ(0, connect_client(w));
	ASSERT_EQ(0, section_up(&w->seen, w->authority, 0));
	ASSERT_EQ(0, section_up(&w->unseen, w->authority, 0));
	w->resident = remote_mmap(w->client, LENGTH, PROT_READ | PROT_WRITE,
				  MAP_POPULATE);
	w->absent = remote_mmap(w->client, LENGTH, PROT_READ | PROT_WRITE, 0);
	w->id = begin_with(_metadata, w->authority, w->client);
	ASSERT_EQ(0, lsa_alloc(w->authority, w->id, LENGTH, &w->given));
	ASSERT_EQ(0, section_share(w->seen.file, w->id, 0, &w->view));
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

/* Arenas, whatever blocks are in them, and views: nobody knows them all. */
static void unmap_shared(struct puppet *client)
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

static void world_down(struct __test_metadata *_metadata, struct world *w)
{
	lsa_reply(w->authority, w->id);
	if (w->authority >= 0)
		close(w->authority);
	hear(w->client, CALLER);
	section_down(&w->seen);
	section_down(&w->unseen);
	client_free(w->client, w->given);
	client_free(w->client, w->block);
	/* The device, and what it was given */
	remote(w->client, SYS_close_range, 3, ~0U, 0);
	unmap_shared(w->client);
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

static int act_copy_view(struct world *w)
{
	return lsa_copy_to(w->authority, w->id, w->view, w->local, LENGTH,
			   NULL);
}

/* A reply takes the snapshot away: then a signal tells it. */
static int map_and_read(struct world *w, __u64 address)
{
	char bytes[LENGTH];
	void *snapshot;
	int ret = lsa_map(w->authority, w->id, address, LENGTH, &snapshot);

	if (!ret)
		guarded_copy(bytes, snapshot, LENGTH);
	return ret;
}

static int act_map(struct world *w)
{
	return map_and_read(w, w->resident);
}

static int act_map_absent(struct world *w)
{
	return map_and_read(w, w->absent);
}

static int act_give(struct world *w)
{
	int fd;

	return lsa_give(w->authority, w->id, w->file, &fd);
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
	int file = __atomic_exchange_n(&w->authority, -1, __ATOMIC_ACQ_REL);

	return close(file) ? -errno : 0;
}

/* What an authority does with sections */

/* With one that is being shared perhaps, then with one that is used */
static int for_both(struct world *w, int (*command)(struct world *w, int file))
{
	int ret = command(w, w->unseen.file);

	return ret ? ret : command(w, w->seen.file);
}

static int share(struct world *w, int file)
{
	__u64 address;

	return section_share(file, w->id, 0, &address);
}

static int act_share(struct world *w)
{
	return for_both(w, share);
}

static int grow(struct world *w, int file)
{
	return section_grow(file, SECTION_MAX);
}

static int act_grow(struct world *w)
{
	return for_both(w, grow);
}

static int shrink(struct world *w, int file)
{
	return section_grow_flags(file, SECTION_LEAST,
				  LSABUF_SECTION_GROW_F_SHRINK);
}

static int act_shrink(struct world *w)
{
	return for_both(w, shrink);
}

/* A part of it may not be committed any more. */
static int change_hole(int file, __u32 flags)
{
	int ret = section_hole(file, PAGE, LENGTH, flags);

	return ret == -EINVAL ? 0 : ret;
}

static int punch(struct world *w, int file)
{
	return change_hole(file, 0);
}

static int act_punch(struct world *w)
{
	return for_both(w, punch);
}

static int punch_and_fill(struct world *w, int file)
{
	int ret = punch(w, file);

	return ret ? ret : change_hole(file, LSABUF_SECTION_HOLE_F_FILL);
}

static int act_fill(struct world *w)
{
	return for_both(w, punch_and_fill);
}

static int revoke_section(struct world *w, int file)
{
	return section_revoke(file);
}

static int act_revoke(struct world *w)
{
	return for_both(w, revoke_section);
}

static int stat_section(struct world *w, int file)
{
	struct lsabuf_section_stat stat;

	return section_stat(file, &stat);
}

static int act_stat(struct world *w)
{
	return for_both(w, stat_section);
}

/* Some of it may be gone: then a signal tells it. */
static void touch_section(__u64 address)
{
	guarded_copy(to_pointer(address + LENGTH), to_pointer(address), LENGTH);
	guarded_copy(to_pointer(address), to_pointer(address + LENGTH), LENGTH);
}

static int act_touch_section(struct world *w)
{
	touch_section(w->seen.address);
	return 0;
}

static int act_fdinfo_section(struct world *w)
{
	return read_fdinfo(w->seen.file);
}

static int act_create_section(struct world *w)
{
	struct section section;
	int ret = section_up(&section, w->authority, w->id);

	if (!ret)
		section_down(&section);
	return ret;
}

static int act_close_section(struct world *w)
{
	int file = __atomic_exchange_n(&w->seen.file, -1, __ATOMIC_ACQ_REL);

	return close(file) ? -errno : 0;
}

/* What a client does: id, block, given block, arena, view in its arguments */

enum {
	ARG_TASK,
	ARG_ID,
	ARG_BLOCK,
	ARG_GIVEN,
	ARG_ARENA,
	ARG_ARENA_END,
	ARG_VIEW
};

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

static long task_list(struct puppet *puppet, struct puppet_thread *me)
{
	struct lsabuf_view views[2];
	int nr = section_list(puppet->device, views, ARRAY_SIZE(views));

	return nr < 0 ? nr : 0;
}

static long task_touch_view(struct puppet *puppet, struct puppet_thread *me)
{
	touch_section(me->argument[ARG_VIEW]);
	return 0;
}

static long task_unmap_view(struct puppet *puppet, struct puppet_thread *me)
{
	void *view = to_pointer(me->argument[ARG_VIEW]);

	return munmap(view, SECTION_MAX) ? -errno : 0;
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
	ACT(reply),	     ACT(receive),
	ACT(payload),	     ACT(alloc),
	ACT(alloc_large),    ACT(release),
	ACT(release_given),  ACT(copy_to),
	ACT(copy_from),	     ACT(copy_resident),
	ACT(copy_absent),    ACT(identity),
	ACT(copy_view),	     ACT(map),
	ACT(map_absent),     ACT(give),
	ACT(share),	     ACT(grow),
	ACT(shrink),	     ACT(punch),
	ACT(fill),	     ACT(revoke),
	ACT(stat),	     ACT(touch_section),
	ACT(fdinfo_section), ACT(create_section),
	ACT(close_section),  ACT(fdinfo),
	ACT(poll),	     ACT(endpoint),
	ACT(close),	     TASK(cancel),
	TASK(take),	     TASK(any),
	TASK(call),	     TASK(call_free),
	TASK(free),	     TASK(free_open),
	TASK(touch),	     TASK(poll),
	TASK(fdinfo),	     TASK(disconnect),
	TASK(connect),	     TASK(unmap),
	TASK(list),	     TASK(touch_view),
	TASK(unmap_view),    TASK(fork),
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
		     w->arena.start, w->arena.end, w->view);
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
	w->file = memfd_create("pairs", MFD_CLOEXEC);
	ASSERT_LE(0, w->file);
	w->client = puppet_start(NOBODY);
	ASSERT_TRUE(!!w->client);
}

FIXTURE_TEARDOWN(pairs)
{
	puppet_stop(self->world.client);
	close(self->world.file);
	free(self->world.local);
}

TEST_F_TIMEOUT(pairs, all, STRESS_TIMEOUT)
{
	unsigned int first, second, i, pairs = 0;

	for (first = 0; first < ARRAY_SIZE(operations); first++)
		for (second = 0; second <= first; second++) {
			for (i = 0; i < scaled(1) && _metadata->passed; i++)
				run_pair(_metadata, &self->world,
					 &operations[first],
					 &operations[second]);
			pairs++;
		}
	TH_LOG("%u pairs", pairs);
}

TEST_HARNESS_MAIN
