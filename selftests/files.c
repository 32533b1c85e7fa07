// SPDX-License-Identifier: GPL-2.0
/*
 * Files that an authority opens in its client: GIVE.
 */
#include "lsabuf_test.h"

#include <dirent.h>
#include <sys/resource.h>

#define MAX_FILES LSABUF_MAX_FILES

/* How many descriptors a process has */
static int count_files(const struct puppet *client)
{
	char path[64];
	int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", client->pid);
	dir = opendir(path);
	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static int new_file(const char *text)
{
	int fd = memfd_create("lsabuf-given", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -1;
	return fd;
}

/**
 * FIXTURE(files) - an authority, and a client that takes files
 * @pair: the authority; its client takes none
 * @client: the other one
 * @before: number of its descriptors
 * @fd: a file to give
 */
FIXTURE(files)
{
	PAIR pair;
	struct puppet *client;
	int before;
	int fd;
};

FIXTURE_SETUP(files)
{
	pair_setup(_metadata, &self->pair, NULL);
	self->client = puppet_start(NOBODY);
	ASSERT_TRUE(!!self->client);
	ASSERT_EQ(0, client_connect_flags(self->client, self->pair.name,
					  LSABUF_ACCESS_BUFFERS,
					  LSABUF_CONNECT_F_FILES));
	self->fd = new_file("given");
	ASSERT_LE(0, self->fd);
	self->before = count_files(self->client);
}

FIXTURE_TEARDOWN(files)
{
	puppet_stop(self->client);
	close(self->fd);
	pair_teardown(_metadata, &self->pair, NULL);
}

#define BEGIN() begin_with(_metadata, self->pair.authority, self->client)
#define AUTHORITY (self->pair.authority)

/* The bytes of the file, and whether exec would close it */
static long do_read_given(struct puppet *puppet, struct puppet_thread *me)
{
	int fd = me->argument[0];

	memset(puppet->scratch, 0, 16);
	if (pread(fd, puppet->scratch, 15, 0) < 0)
		return -errno;
	return fcntl(fd, F_GETFD);
}

TEST_F(files, opened)
{
	__u64 id = BEGIN();
	int fd;

	ASSERT_EQ(0, lsa_give(AUTHORITY, id, self->fd, &fd));
	EXPECT_LE(0, fd);
	EXPECT_EQ(self->before + 1, count_files(self->client));
	ASSERT_EQ(0, lsa_reply(AUTHORITY, id));
	ASSERT_EQ(0, hear(self->client, CALLER));
	/* It is the client's, whatever becomes of the authority's */
	close(self->fd);
	EXPECT_EQ(FD_CLOEXEC, ask(self->client, SIDE, do_read_given, fd));
	EXPECT_STREQ("given", (char *)self->client->scratch);
	EXPECT_EQ(self->before + 1, count_files(self->client));
}

TEST_F(files, without_consent)
{
	int before = count_files(self->pair.client), fd;
	__u64 id = begin(_metadata, &self->pair);

	test_err_give(EACCES, AUTHORITY, id, self->fd, &fd);
	end(_metadata, &self->pair, id);
	EXPECT_EQ(before, count_files(self->pair.client));
}

TEST_F(files, bad_arguments)
{
	__u64 id = BEGIN();
	int fd;

	test_err_give(EBADF, AUTHORITY, id, -1, &fd);
	test_err_give(EBADF, AUTHORITY, id, 1 << 20, &fd);
	test_err_give(ENOENT, AUTHORITY, NO_SUCH_ID, self->fd, &fd);
	ASSERT_EQ(0, lsa_reply(AUTHORITY, id));
	ASSERT_EQ(0, hear(self->client, CALLER));
	test_err_give(ENOENT, AUTHORITY, id, self->fd, &fd);
	EXPECT_EQ(self->before, count_files(self->client));
}

TEST_F(files, no_more_than_that)
{
	__u64 id = BEGIN();
	int fd, i;

	for (i = 0; i < MAX_FILES; i++)
		ASSERT_EQ(0, lsa_give(AUTHORITY, id, self->fd, &fd));
	test_err_give(EDQUOT, AUTHORITY, id, self->fd, &fd);
	ASSERT_EQ(0, lsa_reply(AUTHORITY, id));
	ASSERT_EQ(0, hear(self->client, CALLER));
	EXPECT_EQ(self->before + MAX_FILES, count_files(self->client));
	/* Of the next call's files none is open yet */
	id = BEGIN();
	EXPECT_EQ(0, lsa_give(AUTHORITY, id, self->fd, &fd));
	ASSERT_EQ(0, lsa_reply(AUTHORITY, id));
	ASSERT_EQ(0, hear(self->client, CALLER));
}

static long do_limit_files(struct puppet *puppet, struct puppet_thread *me)
{
	const struct rlimit none = { 0, 0 };

	return setrlimit(RLIMIT_NOFILE, &none) ? -errno : 0;
}

TEST_F(files, limit_of_client)
{
	__u64 id = BEGIN();
	int fd;

	ASSERT_EQ(0, ask(self->client, SIDE, do_limit_files));
	test_err_give(EMFILE, AUTHORITY, id, self->fd, &fd);
	ASSERT_EQ(0, lsa_reply(AUTHORITY, id));
	ASSERT_EQ(0, hear(self->client, CALLER));
}

TEST_F(files, nobody_waits)
{
	struct lsabuf_call *call = new_call(self->client, CALLER, 0);
	struct lsabuf_reply_receive request;
	int fd;

	call->flags = LSABUF_CALL_F_NOWAIT;
	ASSERT_EQ(0, ask(self->client, CALLER, do_call));
	ASSERT_EQ(0, lsa_receive(AUTHORITY, &request));
	test_err_give(EAGAIN, AUTHORITY, request.out_id, self->fd, &fd);
	EXPECT_EQ(0, lsa_reply(AUTHORITY, request.out_id));
	EXPECT_EQ(self->before, count_files(self->client));
}

/*
 * The call fails: nothing of it stays
 */

/* Two files, as one might do */
#define GIVE_TWO(_id)                                                   \
	do {                                                            \
		int fd_;                                                \
		ASSERT_EQ(0, lsa_give(AUTHORITY, _id, self->fd, &fd_)); \
		ASSERT_EQ(0, lsa_give(AUTHORITY, _id, self->fd, &fd_)); \
		ASSERT_EQ(self->before + 2, count_files(self->client)); \
	} while (0)

TEST_F(files, closed_when_given_up)
{
	__u64 id = BEGIN();

	GIVE_TWO(id);
	ASSERT_EQ(0, client_cancel(self->client, id));
	EXPECT_EQ(-ECANCELED, hear(self->client, CALLER));
	EXPECT_EQ(self->before, count_files(self->client));
	test_err_reply(ECANCELED, AUTHORITY, id);
}

TEST_F(files, closed_when_authority_ends)
{
	__u64 id = BEGIN();

	GIVE_TWO(id);
	close(AUTHORITY);
	EXPECT_EQ(-EPIPE, hear(self->client, CALLER));
	EXPECT_EQ(self->before, count_files(self->client));
	AUTHORITY = -1;
}

TEST_F(files, closed_when_time_is_over)
{
	struct lsabuf_call *call = new_call(self->client, CALLER, 0);
	struct lsabuf_reply_receive request;

	call->timeout_ns = 3 * NSEC_PER_SEC;
	tell(self->client, CALLER, do_call);
	ASSERT_TRUE(wait_readable(AUTHORITY));
	ASSERT_EQ(0, lsa_receive(AUTHORITY, &request));
	GIVE_TWO(request.out_id);
	EXPECT_EQ(-ETIMEDOUT, hear(self->client, CALLER));
	EXPECT_EQ(self->before, count_files(self->client));
}

static long do_disconnect(struct puppet *puppet, struct puppet_thread *me)
{
	(void)me;
	return lsa_disconnect(puppet->device);
}

TEST_F(files, closed_when_disconnected)
{
	__u64 id = BEGIN();

	GIVE_TWO(id);
	ASSERT_EQ(0, ask(self->client, SIDE, do_disconnect));
	EXPECT_GT(0, hear(self->client, CALLER));
	EXPECT_EQ(self->before, count_files(self->client));
}

static long do_replace(struct puppet *puppet, struct puppet_thread *me)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)puppet;
	if (dup2(fd, me->argument[0]) < 0)
		return -errno;
	return close(fd);
}

/* Another thread of the client has put something else there: it stays */
TEST_F(files, replaced)
{
	__u64 id = BEGIN();
	int fd;

	ASSERT_EQ(0, lsa_give(AUTHORITY, id, self->fd, &fd));
	ASSERT_EQ(0, ask(self->client, SIDE, do_replace, fd));
	ASSERT_EQ(0, client_cancel(self->client, id));
	EXPECT_EQ(-ECANCELED, hear(self->client, CALLER));
	EXPECT_EQ(self->before + 1, count_files(self->client));
}

TEST_F(files, client_is_gone)
{
	__u64 id = BEGIN();
	int fd;

	ASSERT_EQ(0, lsa_give(AUTHORITY, id, self->fd, &fd));
	puppet_kill(self->client);
	test_err_give(ESRCH, AUTHORITY, id, self->fd, &fd);
	test_err_reply(ESRCH, AUTHORITY, id);
}

TEST_HARNESS_MAIN
