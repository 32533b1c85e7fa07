// SPDX-License-Identifier: GPL-2.0
/*
 * What can be seen of the module from outside: fdinfo, the summary, names in
 * maps, debuggers where the client wants them; draining; and a kernel log that
 * no user can fill.
 */
#include "lsabuf_test.h"

#include <sys/ptrace.h>
#include <sys/uio.h>

#define SUMMARY "/sys/kernel/debug/lsabuf/summary"
#define PARAMETER(name) "/sys/module/lsabuf/parameters/" name

/* The line of @key in fdinfo, without it; "" where there is none. */
static const char *fdinfo(pid_t pid, int file, const char *key)
{
	static char value[256];
	char path[64], name[64], *text, *line;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, file);
	snprintf(name, sizeof(name), "\nlsabuf-%s:\t", key);
	text = read_text(path);
	line = strstr(text, name);
	value[0] = 0;
	if (line)
		sscanf(line + strlen(name), "%255[^\n]", value);
	free(text);
	return value;
}

static long long figure(pid_t pid, int file, const char *key)
{
	const char *value = fdinfo(pid, file, key);

	return *value ? atoll(value) : -1;
}

TEST_F(pair, fdinfo_of_an_authority)
{
	int fresh = lsa_open(), me = getpid(), file = self->authority;
	struct lsabuf_reply_receive request;
	__u64 id;

	EXPECT_STREQ("none", fdinfo(me, fresh, "role"));
	close(fresh);
	EXPECT_STREQ("authority", fdinfo(me, file, "role"));
	EXPECT_STREQ(self->name, fdinfo(me, file, "endpoint"));
	EXPECT_EQ(1, figure(me, file, "clients"));
	EXPECT_EQ(0, figure(me, file, "calls"));
	EXPECT_EQ(0, figure(me, file, "requests"));
	EXPECT_EQ(4096, figure(me, file, "requests-max"));
	EXPECT_EQ(MIB(64), figure(me, file, "bytes-max"));
	EXPECT_EQ(0, figure(me, file, "memory"));

	start_call(self->client, CALLER, 5000);
	ASSERT_TRUE(wait_asleep(self->client, CALLER));
	ASSERT_TRUE(wait_readable(file));
	EXPECT_EQ(1, figure(me, file, "requests"));
	EXPECT_EQ(1, figure(me, file, "waiting-requests"));
	EXPECT_EQ(1, figure(me, file, "blocks"));
	EXPECT_EQ(5008, figure(me, file, "bytes"));
	EXPECT_EQ(8192, figure(me, file, "memory"));
	ASSERT_EQ(0, lsa_receive(file, &request));
	id = request.out_id;
	EXPECT_EQ(1, figure(me, file, "requests"));
	EXPECT_EQ(0, figure(me, file, "waiting-requests"));
	EXPECT_EQ(1, figure(me, file, "busy-threads"));
	end(_metadata, self, id);
	EXPECT_EQ(1, figure(me, file, "calls"));
	EXPECT_EQ(0, figure(me, file, "requests"));
	EXPECT_EQ(0, figure(me, file, "blocks"));
	EXPECT_EQ(0, figure(me, file, "bytes"));
}

TEST_F(pair, fdinfo_of_a_client)
{
	int pid = self->client->pid, file = self->client->device;
	long long authority = figure(getpid(), self->authority, "authority");
	__u64 block;

	EXPECT_STREQ("client", fdinfo(pid, file, "role"));
	EXPECT_STREQ(self->name, fdinfo(pid, file, "endpoint"));
	EXPECT_STREQ("whole", fdinfo(pid, file, "access"));
	EXPECT_LT(0, authority);
	EXPECT_EQ(authority, figure(pid, file, "authority"));
	EXPECT_EQ(self->client->client, figure(pid, file, "client"));
	EXPECT_EQ(0, figure(pid, file, "debuggable"));
	EXPECT_EQ(MIB(64), figure(pid, file, "bytes-max"));
	EXPECT_EQ(1024, figure(pid, file, "requests-max"));

	start_call(self->client, CALLER, 0);
	ASSERT_TRUE(wait_readable(self->authority));
	EXPECT_EQ(1, figure(pid, file, "requests"));
	EXPECT_EQ(1, figure(pid, file, "waiting-requests"));
	ASSERT_EQ(0, client_cancel(self->client,
				   self->client->thread[CALLER].call.id));
	hear(self->client, CALLER);

	block = give_block(_metadata, self, 4321);
	EXPECT_EQ(2, figure(pid, file, "calls"));
	EXPECT_EQ(0, figure(pid, file, "requests"));
	EXPECT_EQ(1, figure(pid, file, "blocks"));
	EXPECT_EQ(4336, figure(pid, file, "bytes"));
	EXPECT_LT(4336, figure(pid, file, "memory"));
	ASSERT_EQ(0, client_free(self->client, block));
	EXPECT_EQ(0, figure(pid, file, "blocks"));
}

static long do_disconnect(struct puppet *puppet, struct puppet_thread *me)
{
	return lsa_disconnect(puppet->device);
}

TEST_F(pair, fdinfo_of_those_that_were)
{
	ASSERT_EQ(0, ask(self->client, SIDE, do_disconnect));
	EXPECT_STREQ("former client",
		     fdinfo(self->client->pid, self->client->device, "role"));
}

/* Whoever may serve chooses the name, but adds no line of his own. */
TEST(fdinfo_keeps_lines)
{
	int authority = lsa_open(), section = lsa_open();
	struct lsabuf_section_create create = {
		.size = sizeof(create),
		.authority = authority,
		.max = 4096,
	};

	ASSERT_EQ(0, lsa_serve(authority, "x\nlsabuf-role:\tnone y"));
	ASSERT_EQ(0, lsa_ioctl(section, LSABUF_IOC_SECTION_CREATE, &create));
	EXPECT_STREQ("x\\012lsabuf-role:\\011none\\040y",
		     fdinfo(getpid(), authority, "endpoint"));
	EXPECT_STREQ("authority", fdinfo(getpid(), authority, "role"));
	EXPECT_STREQ("x\\012lsabuf-role:\\011none\\040y",
		     fdinfo(getpid(), section, "endpoint"));
	EXPECT_STREQ("section", fdinfo(getpid(), section, "role"));
	close(section);
	close(authority);
}

static bool summary_has(const char *format, ...)
{
	char *text = read_text(SUMMARY), line[256];
	va_list arguments;
	bool found;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	found = strstr(text, line);
	if (!found)
		fprintf(stderr, "# no \"%s\" in:\n%s", line, text);
	free(text);
	return found;
}

TEST_F(pair, summary)
{
	int authority = figure(getpid(), self->authority, "authority");
	struct stat st;

	ASSERT_EQ(0, stat(SUMMARY, &st));
	EXPECT_EQ(0400, st.st_mode & 07777);
	EXPECT_EQ(0, st.st_uid);
	give_block(_metadata, self, 100);
	EXPECT_TRUE(summary_has("module version="));
	EXPECT_TRUE(summary_has(
		"\nauthority endpoint=%s id=%d pid=%d uid=0 clients=1 calls=1 requests=0 ",
		self->name, authority, getpid()));
	EXPECT_TRUE(summary_has(
		"\nuser authority=%d uid=%u clients=1 requests=0 submit-bytes=0 ",
		authority, NOBODY));
	EXPECT_TRUE(summary_has(
		"\nspace pid=%d connections=1 arenas=1 blocks=1 bytes=112 ",
		self->client->pid));
	ASSERT_EQ(0, lsa_endpoint(self->authority, "observed", 0, 4711));
	EXPECT_TRUE(summary_has("\npermission endpoint=observed uid=4711\n"));
	ASSERT_EQ(0, lsa_endpoint(self->authority, "observed",
				  LSABUF_ENDPOINT_F_REMOVE, 4711));
}

TEST_F(pair, names_in_maps)
{
	char *maps = read_maps(self->client->pid);

	EXPECT_NE(NULL, strstr(maps, " lsabuf:[arena]\n"));
	free(maps);
	maps = read_maps(getpid());
	EXPECT_NE(NULL, strstr(maps, " lsabuf:[snapshots]\n"));
	free(maps);
}

/*
 * Debuggers
 */

static struct puppet *debuggable_client(const char *name, int *error)
{
	struct puppet *client = puppet_start(NOBODY);
	struct lsabuf_connect *connect = (void *)client->scratch;

	*connect = (struct lsabuf_connect){
		.size = sizeof(*connect),
		.flags = LSABUF_CONNECT_F_DEBUGGABLE,
		.access = LSABUF_ACCESS_BUFFERS,
	};
	set_endpoint(connect->endpoint, name);
	*error = ask(client, SIDE, do_connect);
	return client;
}

static ssize_t read_proc_mem(pid_t pid, __u64 address, void *buffer,
			     size_t length)
{
	char path[32];
	ssize_t n;
	int file;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	file = open(path, O_RDWR | O_CLOEXEC);
	n = pread(file, buffer, length, address);
	if (n < 0)
		n = -errno;
	close(file);
	return n;
}

static ssize_t write_proc_mem(pid_t pid, __u64 address)
{
	char path[32];
	ssize_t n;
	int file;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	file = open(path, O_RDWR | O_CLOEXEC);
	n = pwrite(file, "y", 1, address);
	close(file);
	return n;
}

TEST_F(pair, debuggable)
{
	char bytes[16] = "top secret bytes", seen[16] = "";
	struct iovec local = { seen, sizeof(seen) }, remote_range;
	struct puppet *client;
	__u64 id, block;
	int error, pid;

	client = debuggable_client(self->name, &error);
	ASSERT_EQ(0, error);
	pid = client->pid;
	EXPECT_EQ(1, figure(pid, client->device, "debuggable"));
	id = begin_with(_metadata, self->authority, client);
	ASSERT_EQ(0,
		  lsa_alloc_from(self->authority, id, 16, bytes, 16, &block));
	ASSERT_EQ(0, lsa_reply(self->authority, id));
	ASSERT_EQ(0, hear(client, CALLER));

	EXPECT_EQ(16, read_proc_mem(pid, block, seen, 16));
	EXPECT_EQ(0, memcmp(bytes, seen, 16));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, NULL, NULL));
	ASSERT_EQ(pid, waitpid(pid, NULL, __WALL));
	errno = 0;
	error = ptrace(PTRACE_PEEKDATA, pid, block, NULL) != *(long *)bytes;
	EXPECT_EQ(0, error);
	/* Reading, and nothing else. */
	EXPECT_EQ(-1, ptrace(PTRACE_POKEDATA, pid, block, 0));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, NULL, NULL));
	EXPECT_EQ(-1, write_proc_mem(pid, block));
	remote_range.iov_base = to_pointer(block);
	remote_range.iov_len = 16;
	EXPECT_EQ(-1, process_vm_readv(pid, &local, 1, &remote_range, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	/* What was never allocated is not there. */
	EXPECT_EQ(-EIO, read_proc_mem(pid, block + KIB(128), seen, 1));

	/* The administrator has the last word. */
	ASSERT_EQ(0, write_text(PARAMETER("debuggable"), "N"));
	EXPECT_EQ(-EIO, read_proc_mem(pid, block, seen, 16));
	puppet_stop(client);
	client = debuggable_client(self->name, &error);
	EXPECT_EQ(-EACCES, error);
	EXPECT_EQ(0, write_text(PARAMETER("debuggable"), "Y"));
	puppet_stop(client);
}

TEST_F(pair, not_debuggable)
{
	__u64 block = give_block(_metadata, self, 16);
	char byte;

	EXPECT_EQ(-EIO, read_proc_mem(self->client->pid, block, &byte, 1));
}

/*
 * The administrator
 */

TEST_F(pair, drain)
{
	int second = lsa_open(), third = lsa_open();
	__u64 id, block;

	ASSERT_EQ(0, write_text(PARAMETER("drain"), "Y"));
	EXPECT_EQ(-ENODEV, lsa_serve(second, "drained"));
	EXPECT_EQ(-ENODEV,
		  lsa_connect(third, self->name, LSABUF_ACCESS_BUFFERS));
	/* What is there goes on, and can end. */
	id = begin(_metadata, self);
	EXPECT_EQ(0, lsa_alloc(self->authority, id, 16, &block));
	end(_metadata, self, id);
	EXPECT_EQ(0, client_free(self->client, block));
	ASSERT_EQ(0, write_text(PARAMETER("drain"), "N"));
	EXPECT_EQ(0, lsa_serve(second, "drained"));
	EXPECT_EQ(0, lsa_connect(third, self->name, LSABUF_ACCESS_BUFFERS));
	close(second);
	close(third);
}

/* Lines that the kernel says from now on. */
static int log_open(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	lseek(log, 0, SEEK_END);
	return log;
}

static int log_lines(int log)
{
	char record[8192];
	int n = 0;

	while (read(log, record, sizeof(record)) > 0 || errno == EPIPE)
		n++;
	close(log);
	return n;
}

TEST_F_TIMEOUT(pair, mistakes_are_not_logged, STRESS_TIMEOUT)
{
	unsigned int i, random = 1, failed = 0;
	int files[3] = { self->authority, lsa_open(), lsa_open() };
	__u64 argument[64];
	int log = log_open();

	ASSERT_LE(0, log);
	ASSERT_EQ(0, lsa_connect(files[1], self->name, LSABUF_ACCESS_WHOLE));
	memset(argument, 0, sizeof(argument));
	for (i = 0; i < 1000000; i++) {
		unsigned long command;

		random = random * 1103515245 + 12345;
		command = _IO(LSABUF_IOC_TYPE, random >> 16 & 31);
		/* Not what might wait, or last. */
		if (command == LSABUF_IOC_CALL ||
		    command == LSABUF_IOC_REPLY_RECEIVE ||
		    command == LSABUF_IOC_ENDPOINT)
			command = LSABUF_IOC_COPY;
		argument[0] = (random >> 20 & 255) | (__u64)(random >> 28 & 3)
							     << 32;
		argument[1 + i % 16] = (__u64)random << 13 ^ i;
		failed += !!ioctl(files[i % 3], command,
				  random & 64 ? (void *)8 : argument);
	}
	EXPECT_LT(900000, failed);
	EXPECT_GT(10, log_lines(log));
	close(files[1]);
	close(files[2]);
}

TEST_HARNESS_MAIN
