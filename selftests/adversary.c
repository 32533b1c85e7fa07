// SPDX-License-Identifier: GPL-2.0
/*
 * Each side against the other, and both against the kernel: what was refused
 * changed no byte, nobody passes for somebody else, no memory, pin or stalled
 * fault of one process is a hold on another.
 */
#include "cgroups.h"
#include "lsabuf_test.h"
#include "stalls.h"

#include <linux/capability.h>
#include <linux/io_uring.h>

#define PAGE 4096ULL
#define READ_WRITE (PROT_READ | PROT_WRITE)

static bool nothing_to_receive(int authority)
{
	struct lsabuf_reply_receive request;

	return lsa_receive_now(authority, &request) == -EAGAIN;
}

/* Take what a client that is at rest returns, and end its call. */
static void end_client(struct __test_metadata *_metadata, int authority,
		       struct puppet *client, __u64 id)
{
	ASSERT_EQ(0, lsa_reply(authority, id));
	ASSERT_EQ(0, hear(client, CALLER));
}

/*
 * Grants
 */

static __u64 sum_mapping(int memory, __u64 start, __u64 end)
{
	static unsigned char page[PAGE];
	__u64 sum = 0xcbf29ce484222325ULL;
	size_t i;

	for (; start < end; start += PAGE) {
		if (pread(memory, page, PAGE, start) != (ssize_t)PAGE)
			continue;
		for (i = 0; i < PAGE; i++)
			sum = (sum ^ page[i]) * 0x100000001b3ULL;
	}
	return sum;
}

/*
 * A sum over every byte of a process that is at rest, but for what it shares
 * with the test and what the kernel keeps there.
 */
static __u64 sum_process(pid_t pid)
{
	unsigned long start, end;
	char path[32], prot[5];
	char *maps = read_maps(pid), *line;
	__u64 sum = 0;
	int memory;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	for (line = strtok(maps, "\n"); line; line = strtok(NULL, "\n"))
		if (sscanf(line, "%lx-%lx %4s", &start, &end, prot) == 3 &&
		    prot[0] == 'r' && prot[3] == 'p' && !strstr(line, "[v"))
			sum = sum * 31 + sum_mapping(memory, start, end);
	close(memory);
	free(maps);
	return sum;
}

/* A call that opens @range; returns its id. */
static __u64 begin_range(struct __test_metadata *_metadata, int authority,
			 struct puppet *client, int t,
			 const struct lsabuf_range *range)
{
	struct lsabuf_call *call = new_call(client, t, 0);
	struct lsabuf_range *there = (void *)(client->submit + t * 64);
	struct lsabuf_reply_receive request;

	*there = *range;
	call->ranges_address = to_u64(there);
	call->nr_ranges = 1;
	tell(client, t, do_call);
	ASSERT_EQ(0, lsa_receive(authority, &request));
	return request.out_id;
}

/* Every way to reach beyond the read-only page in the middle of @region. */
static void try_beyond(struct __test_metadata *_metadata, int authority,
		       __u64 id, __u64 region)
{
	struct lsabuf_copy_range vector[2];
	unsigned char bytes[2 * PAGE];
	__u64 done, address;

	memset(bytes, 0xee, sizeof(bytes));
	for (address = region; address < region + 3 * PAGE; address += 512)
		test_err_copy_to(EACCES, authority, id, address, bytes, 1,
				 &done);
	test_err_copy_from(EACCES, authority, id, region + PAGE - 1, bytes, 2,
			   &done);
	test_err_copy_from(EACCES, authority, id, region + PAGE, bytes,
			   PAGE + 1, &done);
	test_err_copy_from(EACCES, authority, id, region + 2 * PAGE, bytes, 1,
			   &done);
	test_err_copy_from(EACCES, authority, id, region, bytes, PAGE, &done);
	test_err_copy_from(EFAULT, authority, id, region + PAGE, bytes,
			   ~0ULL - region, &done);
	vector[0] =
		(struct lsabuf_copy_range){ region + PAGE, to_u64(bytes), 0 };
	vector[1] = (struct lsabuf_copy_range){ region, to_u64(bytes), 64 };
	test_err_copy_vector(EACCES, authority, id, 0, vector, 2, &done);
	test_err_copy_vector(EACCES, authority, id, LSABUF_COPY_F_FROM_CLIENT,
			     vector, 2, &done);
	EXPECT_TRUE(all_bytes(bytes, 0xee, sizeof(bytes)));
	test_err_release(ENOENT, authority, id, region + PAGE);
	test_err_alloc_from(EFAULT, authority, id, 64, to_pointer(8), 64,
			    &address);
}

/* What is refused leaves every byte of the client as it was. */
TEST_F(pair, refused_changes_nothing)
{
	struct puppet *client = client_start(self->name, LSABUF_ACCESS_RANGES);
	const int authority = self->authority;
	struct lsabuf_range range;
	__u64 region, id, other, sum, done;
	unsigned char byte = 0xee;

	ASSERT_TRUE(!!client);
	region = remote_mmap(client, 3 * PAGE, READ_WRITE, MAP_POPULATE);
	ask(client, SIDE, do_fill, region, 9, 3 * PAGE);
	range = (struct lsabuf_range){ region + PAGE, PAGE,
				       LSABUF_RANGE_F_READ };
	id = begin_range(_metadata, authority, client, CALLER, &range);
	/* Another call of the same client opens all of it for writing. */
	range = (struct lsabuf_range){ region, 3 * PAGE, LSABUF_RANGE_F_WRITE };
	other = begin_range(_metadata, authority, client, SECOND, &range);
	ASSERT_TRUE(wait_asleep(client, CALLER));
	ASSERT_TRUE(wait_asleep(client, SECOND));
	ASSERT_TRUE(wait_asleep(client, SIDE));

	sum = sum_process(client->pid);
	EXPECT_EQ(sum, sum_process(client->pid));
	try_beyond(_metadata, authority, id, region);
	test_err_copy_from(EACCES, authority, other, region, &byte, 1, &done);
	EXPECT_EQ(0xee, byte);
	test_err_copy_to(ENOENT, authority, NO_SUCH_ID, region, &byte, 1,
			 &done);
	EXPECT_EQ(sum, sum_process(client->pid));
	/* And this is what a byte more looks like. */
	EXPECT_EQ(0, lsa_copy_to(authority, other, region, &byte, 1, NULL));
	EXPECT_NE(sum, sum_process(client->pid));

	end_client(_metadata, authority, client, id);
	ASSERT_TRUE(wait_asleep(client, CALLER));
	sum = sum_process(client->pid);
	test_err_copy_to(ENOENT, authority, id, region, &byte, 1, &done);
	test_err_copy_from(ENOENT, authority, id, region + PAGE, &byte, 1,
			   &done);
	EXPECT_EQ(sum, sum_process(client->pid));
	EXPECT_EQ(0, lsa_reply(authority, other));
	EXPECT_EQ(0, hear(client, SECOND));
	puppet_stop(client);
}

/* Numbers at which sums and conversions go wrong */
static const __u64 edges[] = {
	1,
	4095,
	(1ULL << 31) - 1,
	1ULL << 31,
	(1ULL << 32) - 1,
	1ULL << 32,
	(1ULL << 47) - 4096,
	1ULL << 47,
	(1ULL << 63) - 1,
	1ULL << 63,
	0ULL - 4096,
	0ULL - 1,
};

/* No pair of such numbers is a way around a check. */
TEST_F(pair, numbers_at_the_edge)
{
	__u64 id = begin(_metadata, self), address, done, sum;
	struct lsabuf_call call;
	unsigned char bytes[16];
	size_t i, k;

	ASSERT_TRUE(wait_asleep(self->client, CALLER));
	sum = sum_process(self->client->pid);
	for (i = 0; i < ARRAY_SIZE(edges); i++) {
		test_err_release(ENOENT, self->authority, id, edges[i]);
		EXPECT_GT(0, lsa_alloc(self->authority, id,
				       edges[i] + KIB(1024 * 1024), &address));
		EXPECT_GT(0, lsa_alloc_from(self->authority, id, 16, bytes,
					    edges[i] | 32, &address));
		for (k = 0; k < ARRAY_SIZE(edges); k++) {
			/* EFAULT; EAGAIN when the time for that is used up */
			EXPECT_GT(0, lsa_copy_to(self->authority, id, edges[i],
						 bytes, edges[k], &done));
			EXPECT_EQ(0, done);
			EXPECT_GT(0, lsa_copy_from(self->authority, id,
						   to_u64(bytes),
						   to_pointer(edges[i]),
						   edges[k], &done));
		}
	}
	EXPECT_EQ(sum, sum_process(self->client->pid));
	end(_metadata, self, id);

	for (i = 0; i < ARRAY_SIZE(edges); i++) {
		EXPECT_EQ(-ENOENT, lsa_free(self->authority, edges[i]));
		for (k = 0; k < ARRAY_SIZE(edges); k++) {
			call = (struct lsabuf_call){
				.submit_address = edges[i],
				.submit_length = edges[k],
			};
			self->client->thread[CALLER].call = call;
			EXPECT_GT(0, ask(self->client, CALLER, do_call));
		}
	}
	EXPECT_TRUE(nothing_to_receive(self->authority));
}

/*
 * Double fetches
 */

/* Change the struct and the range of a call for ever. */
static long do_flip(struct puppet *puppet, struct puppet_thread *me)
{
	static const __u32 sizes[] = { sizeof(struct lsabuf_call), 8, 4097 };
	volatile struct lsabuf_call *call = (void *)puppet->scratch;
	volatile struct lsabuf_range *range = (void *)puppet->submit;
	unsigned int i;

	(void)me;
	for (i = 0; !__atomic_load_n(&puppet->flag[7], __ATOMIC_ACQUIRE); i++) {
		call->size = sizes[i % 3];
		call->flags = i % 4 ? LSABUF_CALL_F_NOWAIT : ~0U;
		call->kind = 1 + i % 2;
		call->nr_ranges = i % 5 ? 1 : LSABUF_MAX_RANGES + 1;
		range->address = i % 7 ? KIB(64) : ~0ULL - 5;
		range->flags = i % 2 ? LSABUF_RANGE_F_READ :
				       0xf0 | LSABUF_RANGE_F_WRITE;
	}
	return 0;
}

/* Call with that struct as it is; how many were accepted. */
static long do_flipped_calls(struct puppet *puppet, struct puppet_thread *me)
{
	struct lsabuf_call *call = (void *)puppet->scratch;
	unsigned long i, most = 1000 * me->argument[0];
	long accepted = 0;
	int ret;

	for (i = 0; i < most && accepted < 500; i++) {
		/* More only where the other thread had to wait for its turn */
		if (i >= me->argument[0] && accepted)
			break;
		call->id = 0;
		ret = ioctl(puppet->device, LSABUF_IOC_CALL, call) ? -errno : 0;
		if (ret && ret != -EINVAL && ret != -E2BIG &&
		    ret != -EOPNOTSUPP)
			return ret;
		accepted += !ret;
	}
	return accepted;
}

/* Arguments that change meanwhile: what was checked is what counts. */
TEST_F_TIMEOUT(pair, double_fetch, STRESS_TIMEOUT)
{
	struct puppet *client = client_start(self->name, LSABUF_ACCESS_RANGES);
	struct lsabuf_call *call = (void *)client->scratch;
	struct lsabuf_range *range = (void *)client->submit;
	struct lsabuf_reply_receive request;
	long accepted, received = 0;
	__u64 done;
	char byte;

	ASSERT_TRUE(!!client);
	*call = (struct lsabuf_call){
		.size = sizeof(*call),
		.flags = LSABUF_CALL_F_NOWAIT,
		.kind = 1,
		.ranges_address = to_u64(range),
		.nr_ranges = 1,
	};
	*range = (struct lsabuf_range){ KIB(64), 16, LSABUF_RANGE_F_READ };
	client->flag[7] = 0;
	tell(client, SECOND, do_flip);
	accepted = ask(client, CALLER, do_flipped_calls, scaled(5000));
	__atomic_store_n(&client->flag[7], 1, __ATOMIC_RELEASE);
	hear(client, SECOND);
	EXPECT_LT(0, accepted);
	while (!lsa_receive_now(self->authority, &request)) {
		received++;
		EXPECT_TRUE(request.out_kind == 1 || request.out_kind == 2);
		/* Granted for reading, but nothing is there. */
		test_err_copy_to(EACCES, self->authority, request.out_id,
				 KIB(64), "x", 1, &done);
		EXPECT_NE(0, lsa_copy_from(self->authority, request.out_id,
					   ~0ULL - 5, &byte, 1, &done));
		EXPECT_EQ(0, lsa_reply(self->authority, request.out_id));
	}
	EXPECT_EQ(accepted, received);
	puppet_stop(client);
}

/*
 * The same without a race: of two pages the second one is missing. While the
 * kernel waits for it, it has what lies in the first; that is changed then.
 */

struct straddle {
	const void *first;
	const void *changed;
	const void *second;
	size_t first_size;
	size_t second_size;
};

/* Fill the first page at argument[0]: it ends with argument[1] bytes. */
static long do_fill_first(struct puppet *puppet, struct puppet_thread *me)
{
	const __u64 page = me->argument[0];
	const size_t size = me->argument[1];
	int ret = answer_fault(puppet->flag[6], page, 0);

	memcpy(to_pointer(page + PAGE - size), puppet->scratch, size);
	return ret;
}

/* Wait until the second page is missed, change the first one, give both. */
static long do_change_first(struct puppet *puppet, struct puppet_thread *me)
{
	const __u64 page = wait_fault(puppet->flag[6]);
	const size_t size = me->argument[1];

	if (page != me->argument[0] + PAGE)
		return -ENXIO;
	memcpy(to_pointer(page - size), puppet->scratch, size);
	return answer_fault_with(puppet->flag[6], page, puppet->scratch + PAGE);
}

/* Where in the client it begins; its thread SECOND waits. 0: not possible. */
static __u64 lay_straddle(struct __test_metadata *_metadata,
			  struct puppet *client,
			  const struct straddle *straddle)
{
	char *knob = allow_stalling();
	long long map = ask(client, SIDE, do_stalling_memory, 2 * PAGE);

	restore_stalling(knob);
	if (map == -ENOSYS)
		return 0;
	ASSERT_FALSE(is_error(map));
	memcpy(client->scratch, straddle->first, straddle->first_size);
	ASSERT_EQ(0,
		  ask(client, SIDE, do_fill_first, map, straddle->first_size));
	memcpy(client->scratch, straddle->changed, straddle->first_size);
	memset(client->scratch + PAGE, 0, PAGE);
	memcpy(client->scratch + PAGE, straddle->second, straddle->second_size);
	tell(client, SECOND, do_change_first, map, straddle->first_size);
	return map + PAGE - straddle->first_size;
}

/* The ranges that were checked are those that grant. */
TEST_F_TIMEOUT(pair, ranges_are_fetched_once, 60)
{
	struct puppet *client = client_start(self->name, LSABUF_ACCESS_RANGES);
	const __u64 at = to_u64(client->submit);
	const struct lsabuf_range ranges[] = {
		{ at, 16, LSABUF_RANGE_F_READ },
		{ at + PAGE, 16, LSABUF_RANGE_F_READ },
	};
	const struct lsabuf_range changed = {
		at + 2 * PAGE, 16, LSABUF_RANGE_F_READ | LSABUF_RANGE_F_WRITE
	};
	const struct straddle straddle = {
		.first = &ranges[0],
		.first_size = sizeof(ranges[0]),
		.changed = &changed,
		.second = &ranges[1],
		.second_size = sizeof(ranges[1]),
	};
	struct lsabuf_reply_receive request;
	struct lsabuf_call *call;
	char bytes[16];

	ASSERT_TRUE(!!client);
	call = new_call(client, CALLER, 0);
	call->ranges_address = lay_straddle(_metadata, client, &straddle);
	if (!call->ranges_address)
		SKIP(return, "no userfaultfd");
	call->nr_ranges = ARRAY_SIZE(ranges);
	/* Where it can be reached at once, however busy this machine is */
	ask(client, SIDE, do_fill, at, 1, 3 * PAGE);
	tell(client, CALLER, do_call);
	EXPECT_EQ(0, hear(client, SECOND));
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(0, lsa_copy_from(self->authority, request.out_id, at, bytes,
				   16, NULL));
	EXPECT_EQ(0, lsa_copy_from(self->authority, request.out_id, at + PAGE,
				   bytes, 16, NULL));
	test_err_copy_from(EACCES, self->authority, request.out_id,
			   at + 2 * PAGE, bytes, 16, NULL);
	test_err_copy_to(EACCES, self->authority, request.out_id, at + 2 * PAGE,
			 bytes, 16, NULL);
	end_client(_metadata, self->authority, client, request.out_id);
	puppet_stop(client);
}

/* The size that was checked is the one that counts. */
TEST_F_TIMEOUT(pair, size_is_fetched_once, 60)
{
	const struct lsabuf_info info = { .size = sizeof(info) + 8 };
	const struct lsabuf_info changed = { .size = 8 };
	const struct straddle straddle = {
		.first = &info,
		.first_size = sizeof(info),
		.changed = &changed,
		.second = "",
	};
	struct lsabuf_info seen = {};
	__u64 address = lay_straddle(_metadata, self->client, &straddle);

	if (!address)
		SKIP(return, "no userfaultfd");
	tell(self->client, CALLER, do_syscall, SYS_ioctl, self->client->device,
	     LSABUF_IOC_INFO, address);
	EXPECT_EQ(0, hear(self->client, SECOND));
	EXPECT_EQ(0, hear(self->client, CALLER));
	ASSERT_EQ(0, peek(self->client, address, &seen, sizeof(seen)));
	EXPECT_EQ(info.size, seen.size);
	EXPECT_EQ(LSABUF_ABI_VERSION, seen.out_abi_version);
	EXPECT_EQ(self->client->client, seen.out_client);
}

/* Scribble over the submit buffer until flag[7]. */
static long do_scribble(struct puppet *puppet, struct puppet_thread *me)
{
	volatile __u64 *word = (void *)puppet->submit;
	__u64 i;

	(void)me;
	for (i = 0; !__atomic_load_n(&puppet->flag[7], __ATOMIC_ACQUIRE); i++)
		word[i % (PUPPET_SUBMIT / 8)] = i;
	return 0;
}

/* Whatever the client does to its submit buffer, the snapshot stands still. */
TEST_F(pair, snapshot_stands_still)
{
	unsigned char *copy = malloc(PUPPET_SUBMIT);
	struct lsabuf_reply_receive request;
	int i, k;

	self->client->flag[7] = 0;
	tell(self->client, SECOND, do_scribble);
	for (i = 0; i < 20; i++) {
		start_call(self->client, CALLER, PUPPET_SUBMIT);
		ASSERT_EQ(0, lsa_receive(self->authority, &request));
		memcpy(copy, to_pointer(request.out_submit_address),
		       PUPPET_SUBMIT);
		for (k = 0; k < 20; k++) {
			sched_yield();
			EXPECT_EQ(0,
				  memcmp(copy,
					 to_pointer(request.out_submit_address),
					 PUPPET_SUBMIT));
		}
		EXPECT_EQ(0, lsa_reply(self->authority, request.out_id));
		EXPECT_EQ(0, hear(self->client, CALLER));
	}
	__atomic_store_n(&self->client->flag[7], 1, __ATOMIC_RELEASE);
	hear(self->client, SECOND);
	free(copy);
}

/*
 * Results that cannot be stored
 */

static long do_call_there(struct puppet *puppet, struct puppet_thread *me)
{
	return lsa_ioctl(puppet->device, LSABUF_IOC_CALL,
			 (void *)me->argument[0]);
}

/* An answer that cannot be stored is kept, and comes once. */
TEST_F(pair, answer_without_room)
{
	struct lsabuf_call call = { .size = sizeof(call) };
	struct puppet *client = self->client;
	struct lsabuf_reply_receive request;
	__u64 page = remote_mmap(client, PAGE, READ_WRITE, MAP_POPULATE);
	__u64 block;

	ASSERT_EQ(0, poke(client, page, &call, sizeof(call)));
	tell(client, CALLER, do_call_there, page);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	ASSERT_EQ(0, remote(client, SYS_mprotect, page, PAGE, PROT_READ));
	ASSERT_EQ(0, lsa_alloc(self->authority, request.out_id, 64, &block));
	ASSERT_EQ(0, lsa_reply_with(self->authority, request.out_id, block, 7));
	EXPECT_EQ(-EFAULT, hear(client, CALLER));
	/* Not the client's before it has the answer */
	EXPECT_EQ(-ENOENT, client_free(client, block));

	ASSERT_EQ(0, remote(client, SYS_mprotect, page, PAGE, READ_WRITE));
	EXPECT_EQ(0, ask(client, CALLER, do_call_there, page));
	ASSERT_EQ(0, peek(client, page, &call, sizeof(call)));
	EXPECT_EQ(block, call.out_address);
	EXPECT_EQ(7, call.out_length);
	EXPECT_EQ(-ENOENT, ask(client, CALLER, do_call_there, page));
	EXPECT_EQ(0, client_free(client, block));

	/* A call whose id cannot be stored was never made. */
	call = (struct lsabuf_call){ .size = sizeof(call) };
	ASSERT_EQ(0, poke(client, page, &call, sizeof(call)));
	ASSERT_EQ(0, remote(client, SYS_mprotect, page, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, ask(client, CALLER, do_call_there, page));
	EXPECT_TRUE(nothing_to_receive(self->authority));
	end(_metadata, self, begin(_metadata, self));
}

/* A receiver with a payload that is interrupted goes on as any other. */
static void no_signal(int signal)
{
	(void)signal;
}

static void *receive_main(void *argument)
{
	struct lsabuf_reply_receive *io = argument;
	long ret = lsa_reply_receive(io->out_pid, io);

	return (void *)ret;
}

TEST_F(pair, restarted_payload)
{
	const struct sigaction action = {
		.sa_handler = no_signal,
		.sa_flags = SA_RESTART,
	};
	struct lsabuf_reply_receive io = {
		.flags = LSABUF_REPLY_RECEIVE_F_RECEIVE |
			 LSABUF_REPLY_RECEIVE_F_PAYLOAD,
		.reply_id = begin(_metadata, self),
		.payload_address = to_u64("payload"),
		.payload_length = 8,
		.out_pid = self->authority,
	};
	pthread_t thread;
	char text[8];
	void *ret;
	int i;

	sigaction(SIGUSR1, &action, NULL);
	pthread_create(&thread, NULL, receive_main, &io);
	ASSERT_EQ(0, hear(self->client, CALLER));
	ASSERT_EQ(0,
		  peek(self->client,
		       self->client->thread[CALLER].call.out_address, text, 8));
	EXPECT_STREQ("payload", text);
	for (i = 0; i < 20; i++) {
		pthread_kill(thread, SIGUSR1);
		sleep_ms(5);
	}
	start_call(self->client, CALLER, 0);
	pthread_join(thread, &ret);
	EXPECT_EQ(0, (long)ret);
	EXPECT_EQ(0, io.reply_error);
	EXPECT_EQ(self->client->thread[CALLER].call.id, io.out_id);
	end(_metadata, self, io.out_id);
}

/*
 * Identity
 */

#define SUID_VARIABLE "LSABUF_TEST_SUID"

/* What the program does after do_exec_suid(), as root of that file's owner */
static void __attribute__((constructor)) suid_main(void)
{
	const char *file = getenv(SUID_VARIABLE);

	if (!file)
		return;
	if (geteuid())
		_exit(3);
	_exit(first_not_failing_with(atoi(file), EPERM) >= 0);
}

static long do_exec_suid(struct puppet *puppet, struct puppet_thread *me)
{
	char variable[64];
	char *const argv[] = { "suid", NULL };
	char *const envp[] = { variable, NULL };

	(void)me;
	snprintf(variable, sizeof(variable), "%s=%d", SUID_VARIABLE,
		 puppet->device);
	fcntl(puppet->device, F_SETFD, 0);
	execve((char *)puppet->scratch, argv, envp);
	return -errno;
}

/* A copy of this program that anybody runs as root */
static int make_suid(const char *path)
{
	char buffer[65536];
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	ssize_t n;

	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, n) != n)
			break;
	close(from);
	return fchmod(to, 04755) || close(to) ? -errno : 0;
}

/* A connection does not follow into a program with more rights. */
TEST_F(pair, suid_program)
{
	struct puppet *client = self->client;
	char path[64];
	__u64 id, done;
	int status;

	snprintf(path, sizeof(path), "/tmp/lsabuf-suid-%d", getpid());
	mkdir("/tmp", 01777);
	ASSERT_EQ(0, make_suid(path));
	id = begin(_metadata, self);
	strcpy((char *)client->scratch, path);
	tell(client, SECOND, do_exec_suid);
	ASSERT_EQ(client->pid, waitpid(client->pid, &status, 0));
	client->pid = -1;
	unlink(path);
	ASSERT_TRUE(WIFEXITED(status));
	if (WEXITSTATUS(status) == 3)
		SKIP(return, "no suid programs in /tmp");
	EXPECT_EQ(0, WEXITSTATUS(status));
	test_err_copy_to(ESRCH, self->authority, id, to_u64(client->submit),
			 "x", 1, &done);
	test_err_reply(ESRCH, self->authority, id);
	EXPECT_TRUE(nothing_to_receive(self->authority));
	EXPECT_EQ(0, fdinfo_number(self->authority, "lsabuf-clients:"));
}

static long do_drop_capability(struct puppet *puppet, struct puppet_thread *me)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	(void)puppet;
	if (syscall(SYS_capget, &header, data))
		return -errno;
	data[0].effective &= ~(1U << me->argument[0]);
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

static long do_one_group(struct puppet *puppet, struct puppet_thread *me)
{
	gid_t group = me->argument[0];

	(void)puppet;
	/* Not by libc, which would do it to all threads. */
	return syscall(SYS_setgroups, 1, &group) ? -errno : 0;
}

/* What the authority is told of a call that thread @t makes now. */
static struct lsabuf_identity identity_of(struct __test_metadata *_metadata,
					  PAIR *self, struct puppet *client,
					  int t, __u32 *group)
{
	struct lsabuf_identity identity = {
		.groups_address = to_u64(group),
		.nr_groups = 1,
	};
	struct lsabuf_reply_receive request;

	*group = 0;
	start_call(client, t, 0);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	ASSERT_EQ(0, lsa_identity(self->authority, request.out_id, &identity));
	EXPECT_EQ(identity.out_euid, request.out_uid);
	EXPECT_EQ(identity.out_egid, request.out_gid);
	EXPECT_EQ(!!(identity.out_capabilities & 1ULL << CAP_SYS_ADMIN),
		  !!(request.out_flags & LSABUF_REQUEST_F_ADMIN));
	EXPECT_EQ(0, lsa_reply(self->authority, request.out_id));
	EXPECT_EQ(0, hear(client, t));
	/* What is asked is not what is told. */
	identity.id = 0;
	return identity;
}

/* Each field changed between two calls of one thread, and only there */
TEST_F(pair, each_field_of_identity)
{
	struct puppet *root =
		client_start_as(0, self->name, LSABUF_ACCESS_BUFFERS);
	struct lsabuf_identity wanted, told, before;
	__u32 group;

	ASSERT_TRUE(!!root);
	before = identity_of(_metadata, self, root, SECOND, &group);
	EXPECT_EQ(0, before.nr_groups);
	wanted = before;

#define CHANGED(...)                                                       \
	do {                                                               \
		ASSERT_EQ(0, ask(root, CALLER, __VA_ARGS__));              \
		told = identity_of(_metadata, self, root, CALLER, &group); \
		EXPECT_EQ(0, memcmp(&wanted, &told, sizeof(told)))         \
		{                                                          \
			TH_LOG("after " #__VA_ARGS__);                     \
		}                                                          \
	} while (0)

	wanted.out_fsgid = 41;
	CHANGED(do_syscall, SYS_setfsgid, 41);
	wanted.out_gid = 42;
	wanted.out_fsgid = 0;
	CHANGED(do_syscall, SYS_setresgid, 42, -1, -1);
	wanted.out_sgid = 43;
	CHANGED(do_syscall, SYS_setresgid, -1, -1, 43);
	wanted.out_egid = 44;
	wanted.out_fsgid = 44;
	CHANGED(do_syscall, SYS_setresgid, -1, 44, -1);
	wanted.nr_groups = 1;
	CHANGED(do_one_group, 45);
	EXPECT_EQ(45, group);
	CHANGED(do_one_group, 46);
	EXPECT_EQ(46, group);
	wanted.out_capabilities &= ~(1ULL << CAP_SYS_CHROOT);
	CHANGED(do_drop_capability, CAP_SYS_CHROOT);
	wanted.out_capabilities &= ~(1ULL << CAP_SYS_ADMIN);
	CHANGED(do_drop_capability, CAP_SYS_ADMIN);
	wanted.out_uid = 47;
	CHANGED(do_syscall, SYS_setresuid, 47, -1, -1);
	wanted.out_suid = 48;
	CHANGED(do_syscall, SYS_setresuid, -1, -1, 48);
	wanted.out_euid = 49;
	wanted.out_fsuid = 49;
	wanted.out_capabilities = 0;
	CHANGED(do_syscall, SYS_setresuid, -1, 49, -1);
#undef CHANGED

	told = identity_of(_metadata, self, root, SECOND, &group);
	EXPECT_EQ(0, memcmp(&before, &told, sizeof(told)));
	puppet_stop(root);
}

static long do_serve_name(struct puppet *puppet, struct puppet_thread *me)
{
	long ret = do_open(puppet, me);

	return ret ? ret : lsa_serve(puppet->device, (char *)puppet->scratch);
}

/* Receive, leave the header in the scratch buffer, and answer. */
static long do_receive(struct puppet *puppet, struct puppet_thread *me)
{
	struct lsabuf_reply_receive *request = (void *)puppet->scratch;
	int ret = lsa_receive(puppet->device, request);

	(void)me;
	return ret ? ret : lsa_reply(puppet->device, request->out_id);
}

/* The process id that the authority @server is told of @client */
static __u32 pid_told(struct __test_metadata *_metadata, struct puppet *server,
		      struct puppet *client)
{
	struct lsabuf_reply_receive *request = (void *)server->scratch;

	start_call(client, SIDE, 0);
	ASSERT_EQ(0, ask(server, SIDE, do_receive));
	ASSERT_EQ(0, hear(client, SIDE));
	EXPECT_EQ(request->out_pid, request->out_tid);
	return request->out_pid;
}

/* Process ids are told as the authority sees them. */
TEST_F(pair, pid_namespace)
{
	struct lsabuf_reply_receive request;
	struct puppet *server, *inner;
	struct lsabuf_connect *connect;
	char name[LSABUF_ENDPOINT_LEN];

	if (unshare(CLONE_NEWPID))
		SKIP(return, "no pid namespaces");
	/* The first child is that namespace's process 1. */
	server = puppet_start(0);
	snprintf(name, sizeof(name), "inner-%d", getpid());
	strcpy((char *)server->scratch, name);
	ASSERT_EQ(0, ask(server, SIDE, do_serve_name));
	EXPECT_EQ(1, server->thread[SIDE].tid);
	inner = client_start(self->name, LSABUF_ACCESS_BUFFERS);
	ASSERT_TRUE(!!inner);
	connect = (void *)inner->scratch;
	EXPECT_EQ(0, connect->out_authority_pid);
	EXPECT_NE(0, connect->out_authority_start);
	start_call(inner, SIDE, 0);
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(inner->pid, request.out_pid);
	EXPECT_EQ(inner->pid, request.out_tid);
	EXPECT_EQ(0, lsa_reply(self->authority, request.out_id));
	EXPECT_EQ(0, hear(inner, SIDE));

	/* Inside they know each other; who is outside is nobody to them. */
	ASSERT_EQ(0, client_connect(inner, name, LSABUF_ACCESS_BUFFERS));
	EXPECT_EQ(1, connect->out_authority_pid);
	EXPECT_EQ(inner->thread[SIDE].tid, pid_told(_metadata, server, inner));
	ASSERT_EQ(0, client_connect(self->client, name, LSABUF_ACCESS_BUFFERS));
	connect = (void *)self->client->scratch;
	EXPECT_EQ(server->pid, connect->out_authority_pid);
	EXPECT_EQ(0, pid_told(_metadata, server, self->client));
	puppet_stop(inner);
	puppet_stop(server);
}

/* A client that gets the process id @pid, if that can be had. */
static struct puppet *client_with_pid(const char *name, pid_t pid)
{
	struct puppet *client;
	char text[16];
	int i;

	for (i = 0; i < 50; i++) {
		snprintf(text, sizeof(text), "%d", pid - 1);
		if (write_text("/proc/sys/kernel/ns_last_pid", text))
			return NULL;
		client = client_start(name, LSABUF_ACCESS_WHOLE);
		if (!client || client->pid == pid)
			return client;
		puppet_stop(client);
	}
	return NULL;
}

/* Who has the process id of one who is dead is somebody else. */
TEST_F(pair, reused_pid)
{
	struct puppet *client = self->client;
	struct lsabuf_reply_receive old, new;
	struct puppet *heir;
	const pid_t pid = client->pid;
	__u64 done;

	start_call(client, CALLER, 0);
	ASSERT_EQ(0, lsa_receive(self->authority, &old));
	puppet_kill(client);
	heir = client_with_pid(self->name, pid);
	if (!heir)
		SKIP(return, "no way to choose a process id");
	start_call(heir, CALLER, 0);
	ASSERT_EQ(0, lsa_receive(self->authority, &new));
	EXPECT_EQ(old.out_pid, new.out_pid);
	EXPECT_LT(old.out_start, new.out_start);
	EXPECT_NE(old.out_client, new.out_client);
	EXPECT_NE(old.out_id, new.out_id);
	test_err_copy_to(ESRCH, self->authority, old.out_id,
			 to_u64(heir->submit), "x", 1, &done);
	test_err_reply(ESRCH, self->authority, old.out_id);
	end_client(_metadata, self->authority, heir, new.out_id);
	puppet_stop(heir);
}

/*
 * Pins, and pages that are not as usual
 */

static long do_register_buffer(struct puppet *puppet, struct puppet_thread *me)
{
	struct iovec pages = { (void *)me->argument[0], PAGE };
	struct io_uring_params params = {};
	int ring = syscall(SYS_io_uring_setup, 4, &params);
	long ret;

	(void)puppet;
	if (ring < 0)
		return -ENOSYS;
	ret = syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS,
		      &pages, 1);
	close(ring);
	return ret ? -errno : 0;
}

/* io_uring gets no lasting hold on an arena. */
TEST_F(pair, io_uring_buffer)
{
	__u64 block = give_block(_metadata, self, 2 * PAGE);
	__u64 page = (block + PAGE - 1) & ~(PAGE - 1);
	__u64 other = remote_mmap(self->client, PAGE, READ_WRITE, MAP_POPULATE);
	long ret = ask(self->client, SIDE, do_register_buffer, other);

	if (ret == -ENOSYS || ret == -EPERM)
		SKIP(return, "no io_uring here");
	EXPECT_EQ(0, ret);
	EXPECT_EQ(-EFAULT, ask(self->client, SIDE, do_register_buffer, page));
	EXPECT_EQ(0, client_free(self->client, block));
}

#define DISK "/dev/vda"

static long do_direct_read(struct puppet *puppet, struct puppet_thread *me)
{
	int disk = open(DISK, O_RDONLY | O_DIRECT | O_CLOEXEC);
	long ret;

	(void)puppet;
	if (disk < 0)
		return -ENODEV;
	ret = pread(disk, (void *)me->argument[0], PAGE, 0);
	ret = ret < 0 ? -errno : ret;
	close(disk);
	return ret;
}

/* A device that writes into a block: it works or fails, and is wiped. */
TEST_F(pair, direct_read)
{
	struct puppet *root =
		client_start_as(0, self->name, LSABUF_ACCESS_BUFFERS);
	__u64 id, block, page;
	long ret;

	ASSERT_TRUE(!!root);
	id = begin_with(_metadata, self->authority, root);
	ASSERT_EQ(0, lsa_alloc(self->authority, id, 2 * PAGE, &block));
	end_client(_metadata, self->authority, root, id);
	page = (block + PAGE - 1) & ~(PAGE - 1);
	ret = ask(root, SIDE, do_direct_read, page);
	if (ret == -ENODEV) {
		puppet_stop(root);
		SKIP(return, "no disk " DISK);
	}
	EXPECT_TRUE(ret == (long)PAGE || ret == -EFAULT);
	EXPECT_EQ(0, client_free(root, block));
	EXPECT_TRUE(reads_zero(root, block, 2 * PAGE));
	puppet_stop(root);
}

static long vmstat(const char *name)
{
	char *text, *at;
	long value;

	/* Each processor keeps what it counted lately to itself. */
	write_text("/proc/sys/vm/stat_refresh", "1");
	text = read_text("/proc/vmstat");
	at = strstr(text, name);
	value = at ? atol(at + strlen(name)) : -1;
	free(text);
	return value;
}

/* Every page that was pinned for a copy is let go, with holes or without. */
TEST_F(pair, pins_are_dropped)
{
	const long before = vmstat("nr_foll_pin_acquired ");
	const int authority = self->authority;
	static char bytes[6 * PAGE];
	__u64 region, id, done;
	int i;

	if (before < 0)
		SKIP(return, "pins are not counted");
	region = remote_mmap(self->client, 6 * PAGE, READ_WRITE, MAP_POPULATE);
	remote(self->client, SYS_munmap, region + 3 * PAGE, PAGE);
	for (i = 0; i < 20; i++) {
		id = begin(_metadata, self);
		test_err_copy_to(EFAULT, authority, id, region, bytes, 6 * PAGE,
				 &done);
		EXPECT_EQ(3 * PAGE, done);
		test_err_copy_from(EFAULT, authority, id, region + 100, bytes,
				   6 * PAGE - 100, &done);
		EXPECT_EQ(3 * PAGE - 100, done);
		EXPECT_EQ(0, lsa_copy_to(authority, id, region + 4 * PAGE,
					 bytes, 2 * PAGE, &done));
		EXPECT_EQ(0,
			  lsa_copy_to(authority, id, region, bytes, 8, &done));
		end(_metadata, self, id);
	}
	EXPECT_LT(before, vmstat("nr_foll_pin_acquired "));
	EXPECT_EQ(vmstat("nr_foll_pin_acquired "),
		  vmstat("nr_foll_pin_released "));
}

/* Huge pages that may only be read are no trap. */
TEST_F(pair, read_only_huge_page)
{
	const __u64 size = MIB(4);
	__u64 map = remote_mmap(self->client, size, READ_WRITE, 0);
	__u64 at = (map + MIB(2) - 1) & ~(MIB(2) - 1);
	char *bytes = calloc(1, MIB(2));
	struct lsabuf_reply_receive request;
	__u64 id, done, start;

	remote(self->client, SYS_madvise, map, size, MADV_HUGEPAGE);
	ask(self->client, SIDE, do_fill, at, 3, MIB(2));
	ASSERT_EQ(0, remote(self->client, SYS_mprotect, map, size, PROT_READ));
	id = begin(_metadata, self);
	start = now_ns();
	EXPECT_EQ(0,
		  lsa_copy_from(self->authority, id, at, bytes, MIB(2), &done));
	EXPECT_EQ(MIB(2), filled(bytes, 3, MIB(2)));
	test_err_copy_to(EFAULT, self->authority, id, at, bytes, MIB(2), &done);
	EXPECT_EQ(0, done);
	EXPECT_LE(now_ns() - start, AT_ONCE_NS);
	end(_metadata, self, id);
	EXPECT_EQ(MIB(2), ask(self->client, SIDE, do_filled, at, 3, MIB(2)));

	/* To read it takes no right to write, so no thread of the client. */
	new_call(self->client, CALLER, 0)->flags = LSABUF_CALL_F_NOWAIT;
	ASSERT_EQ(0, ask(self->client, CALLER, do_call));
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(0, lsa_copy_from(self->authority, request.out_id, at, bytes,
				   MIB(2), &done));
	EXPECT_EQ(MIB(2), done);
	test_err_copy_to(EAGAIN, self->authority, request.out_id, at, bytes, 1,
			 &done);
	EXPECT_EQ(0, lsa_reply(self->authority, request.out_id));
	free(bytes);
}

/* Memory that the hardware has given up is an error, to both sides. */
TEST_F(pair, poisoned_page)
{
	struct puppet *root = client_start_as(0, self->name, 2);
	__u64 page, id, done;
	struct lsabuf_call *call;
	char byte;

	ASSERT_TRUE(!!root);
	page = remote_mmap(root, PAGE, READ_WRITE, MAP_POPULATE);
	if (remote(root, SYS_madvise, page, PAGE, MADV_HWPOISON)) {
		puppet_stop(root);
		SKIP(return, "this kernel cannot poison pages");
	}
	id = begin_with(_metadata, self->authority, root);
	test_err_copy_from(EFAULT, self->authority, id, page, &byte, 1, &done);
	test_err_copy_to(EFAULT, self->authority, id, page, "x", 1, &done);
	end_client(_metadata, self->authority, root, id);
	call = new_call(root, CALLER, 0);
	call->submit_address = page;
	call->submit_length = 64;
	EXPECT_EQ(-EFAULT, ask(root, CALLER, do_call));
	EXPECT_TRUE(nothing_to_receive(self->authority));
	puppet_stop(root);
}

#define KSM "/sys/kernel/mm/ksm/"

static long read_number(const char *path)
{
	char *text = read_text(path);
	long number = text ? atol(text) : 0;

	free(text);
	return number;
}

/* A page that is the same in many processes is copied before it is written. */
TEST_F(pair, merged_pages)
{
	char *knob = read_text(KSM "run");
	__u64 one, two, id, deadline = now_ns() + 2 * NSEC_PER_SEC;

	if (write_text(KSM "run", "1"))
		SKIP(return, "no KSM");
	write_text(KSM "sleep_millisecs", "0");
	one = remote_mmap(self->client, PAGE, READ_WRITE, 0);
	two = remote_mmap(self->client, PAGE, READ_WRITE, 0);
	ask(self->client, SIDE, do_fill, one, 5, PAGE);
	ask(self->client, SIDE, do_fill, two, 5, PAGE);
	EXPECT_EQ(0,
		  remote(self->client, SYS_madvise, one, PAGE, MADV_MERGEABLE));
	EXPECT_EQ(0,
		  remote(self->client, SYS_madvise, two, PAGE, MADV_MERGEABLE));
	while (now_ns() < deadline && !read_number(KSM "pages_shared"))
		sleep_ms(20);
	id = begin(_metadata, self);
	EXPECT_EQ(0, lsa_copy_to(self->authority, id, one, "x", 1, NULL));
	end(_metadata, self, id);
	EXPECT_EQ(0, ask(self->client, SIDE, do_filled, one, 5, PAGE));
	EXPECT_EQ(PAGE, ask(self->client, SIDE, do_filled, two, 5, PAGE));
	write_text(KSM "run", "2");
	write_text(KSM "run", knob);
	free(knob);
}

static long do_abort(struct puppet *puppet, struct puppet_thread *me)
{
	(void)puppet;
	(void)me;
	prctl(PR_SET_DUMPABLE, 1);
	signal(SIGABRT, SIG_DFL);
	abort();
}

/* What @size bytes at @core have of a filled buffer */
static bool holds(const char *core, size_t size, unsigned int seed)
{
	char wanted[64];

	fill(wanted, seed, sizeof(wanted));
	return memmem(core, size, wanted, sizeof(wanted));
}

/* Client buffers are in no core dump; the rest of the client is. */
TEST_F(pair, core_dump)
{
	static const char knob[] = "/proc/sys/kernel/core_pattern";
	const struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	__u64 block = give_block(_metadata, self, PAGE), plain;
	struct puppet *client = self->client;
	char path[64], filter[64], *pattern, *core;
	int file, status;
	struct stat st;

	snprintf(path, sizeof(path), "/tmp/core-%d", getpid());
	mkdir("/tmp", 01777);
	plain = remote_mmap(client, PAGE, READ_WRITE, 0);
	ask(client, SIDE, do_fill, block, 21, PAGE);
	ask(client, SIDE, do_fill, plain, 22, PAGE);
	ASSERT_EQ(0, prlimit(client->pid, RLIMIT_CORE, &limit, NULL));
	/* Of all kinds of memory, shared files too */
	snprintf(filter, sizeof(filter), "/proc/%d/coredump_filter",
		 client->pid);
	ASSERT_EQ(0, write_text(filter, "0x7f"));
	pattern = read_text(knob);
	ASSERT_EQ(0, write_text(knob, path));
	tell(client, SIDE, do_abort);
	ASSERT_EQ(client->pid, waitpid(client->pid, &status, 0));
	client->pid = -1;
	write_text(knob, pattern);
	free(pattern);

	file = open(path, O_RDONLY | O_CLOEXEC);
	unlink(path);
	if (file < 0)
		SKIP(return, "no core dumps here");
	ASSERT_EQ(0, fstat(file, &st));
	core = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, file, 0);
	ASSERT_NE(MAP_FAILED, core);
	EXPECT_TRUE(holds(core, st.st_size, 22));
	EXPECT_FALSE(holds(core, st.st_size, 21));
	munmap(core, st.st_size);
	close(file);
}

/*
 * Memory that never answers
 */

static long do_map_file(struct puppet *puppet, struct puppet_thread *me)
{
	int file = open((char *)puppet->scratch, O_RDWR | O_CLOEXEC);
	void *map;

	(void)me;
	if (file < 0)
		return -errno;
	map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0);
	close(file);
	return map == MAP_FAILED ? -errno : (long)map;
}

/* A submit buffer that is never read stalls its own call, and no other. */
TEST_F_TIMEOUT(pair, unread_file, 60)
{
	struct puppet *stalled = client_start(self->name, LSABUF_ACCESS_WHOLE);
	struct lsabuf_call *call;
	__u64 start, id, done;
	struct slow_fs fs;
	int ret = slow_fs_start(&fs, false);
	char byte;
	long map;

	if (ret == -ENOENT || ret == -ENODEV) {
		puppet_stop(stalled);
		SKIP(return, "no FUSE here");
	}
	ASSERT_EQ(0, ret);
	strcpy((char *)stalled->scratch, fs.file);
	map = ask(stalled, SIDE, do_map_file);
	ASSERT_FALSE(is_error(map));
	id = begin_with(_metadata, self->authority, stalled);
	call = new_call(stalled, SECOND, 64);
	call->submit_address = (unsigned long)map;
	tell(stalled, SECOND, do_call);
	ASSERT_TRUE(wait_nonzero(&fs.reading));

	start = now_ns();
	EXPECT_TRUE(nothing_to_receive(self->authority));
	end(_metadata, self, begin(_metadata, self));
	/* The same memory in a copy: within the budget */
	test_err_copy_from(ECANCELED, self->authority, id, (unsigned long)map,
			   &byte, 1, &done);
	test_err_reply(ECANCELED, self->authority, id);
	end(_metadata, self, begin(_metadata, self));
	EXPECT_LE(now_ns() - start, 2 * AT_ONCE_NS);
	EXPECT_TRUE(is_busy(stalled, SECOND));
	slow_fs_stop(&fs);
	puppet_stop(stalled);
}

struct own_copy {
	int authority;
	__u64 id;
	__u64 to;
	__u64 from;
	int result;
	int asked;
};

static void *own_copy_main(void *argument)
{
	struct own_copy *copy = argument;

	__atomic_store_n(&copy->asked, 1, __ATOMIC_RELEASE);
	copy->result = lsa_copy_to(copy->authority, copy->id, copy->to,
				   to_pointer(copy->from), 64, NULL);
	return NULL;
}

/* An authority that stalls in its own memory does not hold its client. */
TEST_F_TIMEOUT(pair, authority_stalls, 60)
{
	struct own_copy copy = { .authority = self->authority };
	char *knob = allow_stalling();
	struct puppet us = {};
	pthread_t thread;
	__u64 start;
	long map;

	map = do_stalling_memory(&us, us.thread);
	ASSERT_FALSE(is_error(map));
	copy.from = map;
	copy.id = begin(_metadata, self);
	ASSERT_EQ(0, lsa_alloc(self->authority, copy.id, 64, &copy.to));
	pthread_create(&thread, NULL, own_copy_main, &copy);
	ASSERT_TRUE(wait_nonzero(&copy.asked));
	sleep_ms(50);
	start = now_ns();
	EXPECT_EQ(0, client_cancel(self->client, copy.id));
	EXPECT_EQ(-ECANCELED, hear(self->client, CALLER));
	/* Its file is used by other threads of the authority meanwhile. */
	end(_metadata, self, begin(_metadata, self));
	EXPECT_LE(now_ns() - start, AT_ONCE_NS);
	/* The end of the userfaultfd fills the page. */
	close_range(3, self->authority - 1, 0);
	close_range(self->authority + 1, ~0U, 0);
	pthread_join(thread, NULL);
	EXPECT_EQ(-ECANCELED, copy.result);
	test_err_reply(ECANCELED, self->authority, copy.id);
	restore_stalling(knob);
}

/*
 * Accounts
 */

/* Killed for its own memory while it waits in a call: dead as any other */
static long do_eat_memory(struct puppet *puppet, struct puppet_thread *me)
{
	char *map;

	(void)puppet;
	(void)me;
	for (;;) {
		map = mmap(NULL, MIB(1), READ_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (map == MAP_FAILED)
			return -errno;
	}
}

TEST_F_TIMEOUT(pair, out_of_memory, 60)
{
	struct puppet *client = puppet_start(NOBODY);
	struct cgroup group;
	__u64 id, done;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", client->pid);
	ASSERT_EQ(0, cgroup_make(&group, "16M"));
	ASSERT_EQ(0, cgroup_write(&group, "memory.swap.max", "0"));
	ASSERT_EQ(0, cgroup_write(&group, "cgroup.procs", pid));
	ASSERT_EQ(0, client_connect(client, self->name, LSABUF_ACCESS_WHOLE));
	id = begin_with(_metadata, self->authority, client);
	tell(client, SECOND, do_eat_memory);
	EXPECT_EQ(PUPPET_DEAD, hear(client, SECOND));
	EXPECT_EQ(1, cgroup_kills(&group));
	puppet_kill(client);
	test_err_copy_to(ESRCH, self->authority, id, to_u64(client->submit),
			 "x", 1, &done);
	test_err_reply(ESRCH, self->authority, id);
	puppet_stop(client);
	cgroup_remove(&group);
}

/* Connections that fail late leave nothing. */
TEST_F(pair, failed_connections)
{
	const long before = module_users();
	struct puppet *poor = puppet_start(NOBODY);
	const struct rlimit limit = { MIB(1), RLIM_INFINITY };
	int i;

	/* When it has all its threads */
	ASSERT_LT(0, remote(poor, SYS_getpid));
	ASSERT_EQ(0, prlimit(poor->pid, RLIMIT_AS, &limit, NULL));
	for (i = 0; i < 50; i++) {
		EXPECT_EQ(-ENOMEM, client_connect(poor, self->name,
						  LSABUF_ACCESS_WHOLE));
		EXPECT_EQ(0, remote(poor, SYS_close, poor->device));
	}
	EXPECT_EQ(1, fdinfo_number(self->authority, "lsabuf-clients:"));
	EXPECT_EQ(before, module_users());
	puppet_stop(poor);
}

static int log_lines(int log)
{
	char line[8192];
	int lines = 0;

	while (read(log, line, sizeof(line)) > 0 || errno == EPIPE)
		lines++;
	return lines;
}

/* Whatever a process asks for, the kernel's log stays quiet. */
TEST_F_TIMEOUT(pair, quiet_log, STRESS_TIMEOUT)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	unsigned int i, rounds = scaled(3000);
	__u32 argument[64];
	int fresh = lsa_open();

	ASSERT_LE(0, log);
	lseek(log, 0, SEEK_END);
	for (i = 0; i < rounds; i++) {
		memset(argument, i, sizeof(argument));
		argument[0] = i % 8 ? sizeof(argument) : i;
		argument[1] = i % 3;
		ioctl(i % 2 ? fresh : self->authority,
		      _IO(LSABUF_IOC_TYPE, i % 16), argument);
		ioctl(self->authority, i * 2654435761U, argument);
	}
	EXPECT_GT(10, log_lines(log));
	close(fresh);
	close(log);
}

/*
 * Endpoints
 */

/*
 * A process that serves by an inherited file, as another user, and in another
 * user namespace if @flags say so
 */
static int serve_in(int file, uid_t uid, const char *name, int flags)
{
	int status;
	pid_t child = fork();

	if (!child) {
		become_user(uid);
		if (flags && unshare(flags))
			_exit(ENOSYS);
		_exit(-lsa_serve(file, name));
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static int serve_as(int file, uid_t uid, const char *name)
{
	return serve_in(file, uid, name, 0);
}

/* A permission is the user's in the initial user namespace: no sandbox's. */
TEST_F(pair, permission_in_user_namespace)
{
	char name[LSABUF_ENDPOINT_LEN] = {};
	int fresh = lsa_open(), ret;

	snprintf(name, sizeof(name), "inner-%d", getpid());
	ret = serve_in(fresh, NOBODY, name, CLONE_NEWUSER);
	if (ret == -ENOSYS)
		SKIP(return, "no user namespaces for users");
	EXPECT_EQ(-EACCES, ret);
	/* Not even root, who has all capabilities in there, and the node */
	EXPECT_EQ(-EACCES, serve_in(fresh, 0, name, CLONE_NEWUSER));
	ASSERT_EQ(0, lsa_endpoint(fresh, name, 0, NOBODY));
	EXPECT_EQ(-EACCES, serve_in(fresh, SOMEBODY, name, CLONE_NEWUSER));
	EXPECT_EQ(-EACCES, serve_in(fresh, NOBODY, name, CLONE_NEWUSER));
	EXPECT_EQ(0, serve_as(fresh, NOBODY, name));
	close(fresh);
	fresh = lsa_open();
	EXPECT_EQ(0,
		  lsa_endpoint(fresh, name, LSABUF_ENDPOINT_F_REMOVE, NOBODY));
	close(fresh);
}

/* Names cannot be taken from those to whom they belong. */
TEST_F(pair, squatting)
{
	char name[LSABUF_ENDPOINT_LEN] = {};
	struct lsabuf_serve serve = { .size = sizeof(serve) };
	int fresh = lsa_open(), copy;

	/* Who opened the file does not count, but who serves. */
	EXPECT_EQ(-EACCES, serve_as(fresh, NOBODY, "lsa"));
	EXPECT_EQ(-EACCES, serve_as(fresh, NOBODY, self->name));

	/* What is behind the name's end is no part of it. */
	set_endpoint(serve.endpoint, self->name);
	memset(serve.endpoint + strlen(self->name) + 1, 'x', 4);
	EXPECT_EQ(-EBUSY, lsa_ioctl(fresh, LSABUF_IOC_SERVE, &serve));

	/* A permission is for one name of one user, as long as it is there. */
	snprintf(name, sizeof(name), "mine-%d", getpid());
	ASSERT_EQ(0, lsa_endpoint(fresh, name, 0, NOBODY));
	EXPECT_EQ(0, serve_as(fresh, NOBODY, name));
	close(fresh);
	fresh = lsa_open();
	EXPECT_EQ(-EACCES, serve_as(fresh, SOMEBODY, name));
	EXPECT_EQ(-EACCES, serve_as(fresh, NOBODY, self->name));
	name[strlen(name) - 1]++;
	EXPECT_EQ(-EACCES, serve_as(fresh, NOBODY, name));
	strcat(name, "x");
	EXPECT_EQ(-EACCES, serve_as(fresh, NOBODY, name));
	snprintf(name, sizeof(name), "mine-%d", getpid());
	ASSERT_EQ(0,
		  lsa_endpoint(fresh, name, LSABUF_ENDPOINT_F_REMOVE, NOBODY));
	EXPECT_EQ(-EACCES, serve_as(fresh, NOBODY, name));

	/* Taken until the last descriptor of the authority's file is gone */
	copy = dup(self->authority);
	close(self->authority);
	self->authority = copy;
	EXPECT_EQ(-EBUSY, lsa_serve(fresh, self->name));
	end(_metadata, self, begin(_metadata, self));
	close(self->authority);
	self->authority = -1;
	EXPECT_EQ(0, lsa_serve(fresh, self->name));
	close(fresh);
}

/* A client sees whom it is about to trust. */
TEST_F(pair, who_serves)
{
	struct lsabuf_connect *connect = (void *)self->client->scratch;
	struct puppet *server = puppet_start(SOMEBODY);
	char name[LSABUF_ENDPOINT_LEN] = {};
	int fresh = lsa_open();

	snprintf(name, sizeof(name), "theirs-%d", getpid());
	ASSERT_EQ(0, lsa_endpoint(fresh, name, 0, SOMEBODY));
	strcpy((char *)server->scratch, name);
	ASSERT_EQ(0, ask(server, SIDE, do_serve_name));
	ASSERT_EQ(0, client_connect(self->client, name, LSABUF_ACCESS_BUFFERS));
	EXPECT_EQ(SOMEBODY, connect->out_authority_uid);
	EXPECT_EQ(server->pid, connect->out_authority_pid);
	EXPECT_EQ(0, lsa_endpoint(fresh, name, LSABUF_ENDPOINT_F_REMOVE,
				  SOMEBODY));
	puppet_stop(server);
	close(fresh);
}

TEST_HARNESS_MAIN
