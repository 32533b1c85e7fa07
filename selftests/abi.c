// SPDX-License-Identifier: GPL-2.0
/*
 * The form of the ABI: sizes, flags, reserved fields, pointers and roles of
 * every command. All tests walk one table, and a command number that is not
 * in it has to be unknown to the kernel: none can be forgotten.
 */
#include "lsabuf_test.h"

/* What a file of the device can be, in the order of a file's life */
enum role { FRESH, AUTHORITY, SECTION, CLIENT, DISCONNECTED, ROLES };

enum kind { SIZE, FLAGS, IN, OUT, INOUT, RESERVED };

struct field {
	const char *name;
	size_t offset;
	size_t size;
	enum kind kind;
};

/* 0, or an error of the compiler */
#define PINNED(_condition)                                       \
	(0 * sizeof(struct {                                     \
		 _Static_assert(_condition, "the layout moved"); \
		 int x;                                          \
	 }))

#define AT(_offset, _size, _struct, _member, _kind)                           \
	{                                                                     \
		.name = #_struct "." #_member,                                \
		.offset = (_offset) + PINNED(offsetof(struct _struct,         \
						      _member) == (_offset)), \
		.size = (_size) +                                             \
			PINNED(sizeof(((struct _struct *)0)->_member) ==      \
			       (_size)),                                      \
		.kind = _kind,                                                \
	}

static const struct field info_fields[] = {
	AT(0, 4, lsabuf_info, size, SIZE),
	AT(4, 4, lsabuf_info, flags, FLAGS),
	AT(8, 4, lsabuf_info, out_abi_version, OUT),
	AT(12, 4, lsabuf_info, out_max_ranges, OUT),
	AT(16, 8, lsabuf_info, out_features, OUT),
	AT(24, 8, lsabuf_info, out_max_submit, OUT),
	AT(32, 8, lsabuf_info, out_client_quota, OUT),
	AT(40, 8, lsabuf_info, out_chore_budget_ns, OUT),
	AT(48, 8, lsabuf_info, out_client, OUT),
	AT(56, 4, lsabuf_info, out_authority_pid, OUT),
	AT(60, 4, lsabuf_info, out_authority_uid, OUT),
	AT(64, 8, lsabuf_info, out_authority_start, OUT),
};

static const struct field serve_fields[] = {
	AT(0, 4, lsabuf_serve, size, SIZE),
	AT(4, 4, lsabuf_serve, flags, FLAGS),
	AT(8, 32, lsabuf_serve, endpoint, IN),
	AT(40, 8, lsabuf_serve, arena_size, INOUT),
	AT(48, 4, lsabuf_serve, max_requests, INOUT),
	AT(52, 4, lsabuf_serve, __reserved, RESERVED),
	AT(56, 8, lsabuf_serve, out_arena_address, OUT),
};

static const struct field connect_fields[] = {
	AT(0, 4, lsabuf_connect, size, SIZE),
	AT(4, 4, lsabuf_connect, flags, FLAGS),
	AT(8, 32, lsabuf_connect, endpoint, IN),
	AT(40, 4, lsabuf_connect, access, IN),
	AT(44, 4, lsabuf_connect, consent_views, IN),
	AT(48, 8, lsabuf_connect, consent_bytes, IN),
	AT(56, 8, lsabuf_connect, out_client, OUT),
	AT(64, 4, lsabuf_connect, out_authority_pid, OUT),
	AT(68, 4, lsabuf_connect, out_authority_uid, OUT),
	AT(72, 8, lsabuf_connect, out_authority_start, OUT),
};

static const struct field disconnect_fields[] = {
	AT(0, 4, lsabuf_disconnect, size, SIZE),
	AT(4, 4, lsabuf_disconnect, flags, FLAGS),
};

static const struct field call_fields[] = {
	AT(0, 4, lsabuf_call, size, SIZE),
	AT(4, 4, lsabuf_call, flags, FLAGS),
	AT(8, 8, lsabuf_call, id, INOUT),
	AT(16, 4, lsabuf_call, kind, IN),
	AT(20, 4, lsabuf_call, code, IN),
	AT(24, 8, lsabuf_call, submit_address, IN),
	AT(32, 8, lsabuf_call, submit_length, IN),
	AT(40, 8, lsabuf_call, timeout_ns, IN),
	AT(48, 8, lsabuf_call, ranges_address, IN),
	AT(56, 4, lsabuf_call, nr_ranges, IN),
	AT(60, 4, lsabuf_call, connection, IN),
	AT(64, 8, lsabuf_call, free_address, IN),
	AT(72, 8, lsabuf_call, out_status, OUT),
	AT(80, 8, lsabuf_call, out_address, OUT),
	AT(88, 8, lsabuf_call, out_length, OUT),
};

static const struct field free_fields[] = {
	AT(0, 4, lsabuf_free, size, SIZE),
	AT(4, 4, lsabuf_free, flags, FLAGS),
	AT(8, 8, lsabuf_free, address, IN),
};

static const struct field reply_receive_fields[] = {
	AT(0, 4, lsabuf_reply_receive, size, SIZE),
	AT(4, 4, lsabuf_reply_receive, flags, FLAGS),
	AT(8, 8, lsabuf_reply_receive, reply_id, INOUT),
	AT(16, 4, lsabuf_reply_receive, reply_error, INOUT),
	AT(20, 4, lsabuf_reply_receive, __reserved, RESERVED),
	AT(24, 8, lsabuf_reply_receive, status, IN),
	AT(32, 8, lsabuf_reply_receive, return_address, IN),
	AT(40, 8, lsabuf_reply_receive, return_length, IN),
	AT(48, 8, lsabuf_reply_receive, payload_address, IN),
	AT(56, 8, lsabuf_reply_receive, payload_length, IN),
	AT(64, 8, lsabuf_reply_receive, out_id, OUT),
	AT(72, 8, lsabuf_reply_receive, out_client, OUT),
	AT(80, 4, lsabuf_reply_receive, out_kind, OUT),
	AT(84, 4, lsabuf_reply_receive, out_code, OUT),
	AT(88, 8, lsabuf_reply_receive, out_submit_address, OUT),
	AT(96, 8, lsabuf_reply_receive, out_submit_length, OUT),
	AT(104, 8, lsabuf_reply_receive, out_client_address, OUT),
	AT(112, 4, lsabuf_reply_receive, out_flags, OUT),
	AT(116, 4, lsabuf_reply_receive, out_access, OUT),
	AT(120, 4, lsabuf_reply_receive, out_pid, OUT),
	AT(124, 4, lsabuf_reply_receive, out_tid, OUT),
	AT(128, 4, lsabuf_reply_receive, out_uid, OUT),
	AT(132, 4, lsabuf_reply_receive, out_gid, OUT),
	AT(136, 8, lsabuf_reply_receive, out_start, OUT),
};

static const struct field alloc_fields[] = {
	AT(0, 4, lsabuf_alloc, size, SIZE),
	AT(4, 4, lsabuf_alloc, flags, FLAGS),
	AT(8, 8, lsabuf_alloc, id, IN),
	AT(16, 8, lsabuf_alloc, length, IN),
	AT(24, 8, lsabuf_alloc, source_address, IN),
	AT(32, 8, lsabuf_alloc, source_length, IN),
	AT(40, 8, lsabuf_alloc, out_address, OUT),
};

static const struct field release_fields[] = {
	AT(0, 4, lsabuf_release, size, SIZE),
	AT(4, 4, lsabuf_release, flags, FLAGS),
	AT(8, 8, lsabuf_release, id, IN),
	AT(16, 8, lsabuf_release, address, IN),
};

static const struct field copy_fields[] = {
	AT(0, 4, lsabuf_copy, size, SIZE),
	AT(4, 4, lsabuf_copy, flags, FLAGS),
	AT(8, 8, lsabuf_copy, id, IN),
	AT(16, 8, lsabuf_copy, client_address, IN),
	AT(24, 8, lsabuf_copy, local_address, IN),
	AT(32, 8, lsabuf_copy, length, IN),
	AT(40, 8, lsabuf_copy, vector_address, IN),
	AT(48, 4, lsabuf_copy, nr_vector, IN),
	AT(52, 4, lsabuf_copy, __reserved, RESERVED),
	AT(56, 8, lsabuf_copy, out_done, OUT),
};

static const struct field identity_fields[] = {
	AT(0, 4, lsabuf_identity, size, SIZE),
	AT(4, 4, lsabuf_identity, flags, FLAGS),
	AT(8, 8, lsabuf_identity, id, IN),
	AT(16, 8, lsabuf_identity, groups_address, IN),
	AT(24, 4, lsabuf_identity, nr_groups, INOUT),
	AT(28, 4, lsabuf_identity, out_uid, OUT),
	AT(32, 4, lsabuf_identity, out_euid, OUT),
	AT(36, 4, lsabuf_identity, out_suid, OUT),
	AT(40, 4, lsabuf_identity, out_fsuid, OUT),
	AT(44, 4, lsabuf_identity, out_gid, OUT),
	AT(48, 4, lsabuf_identity, out_egid, OUT),
	AT(52, 4, lsabuf_identity, out_sgid, OUT),
	AT(56, 4, lsabuf_identity, out_fsgid, OUT),
	AT(60, 4, lsabuf_identity, __reserved, RESERVED),
	AT(64, 8, lsabuf_identity, out_capabilities, OUT),
};

static const struct field endpoint_fields[] = {
	AT(0, 4, lsabuf_endpoint, size, SIZE),
	AT(4, 4, lsabuf_endpoint, flags, FLAGS),
	AT(8, 32, lsabuf_endpoint, endpoint, IN),
	AT(40, 4, lsabuf_endpoint, id, IN),
	AT(44, 4, lsabuf_endpoint, __reserved, RESERVED),
};

static const struct field map_fields[] = {
	AT(0, 4, lsabuf_map, size, SIZE),
	AT(4, 4, lsabuf_map, flags, FLAGS),
	AT(8, 8, lsabuf_map, id, IN),
	AT(16, 8, lsabuf_map, vector_address, IN),
	AT(24, 4, lsabuf_map, nr_vector, IN),
	AT(28, 4, lsabuf_map, __reserved, RESERVED),
};

static const struct field give_fields[] = {
	AT(0, 4, lsabuf_give, size, SIZE),
	AT(4, 4, lsabuf_give, flags, FLAGS),
	AT(8, 8, lsabuf_give, id, IN),
	AT(16, 4, lsabuf_give, fd, IN),
	AT(20, 4, lsabuf_give, __reserved, RESERVED),
	AT(24, 4, lsabuf_give, out_fd, OUT),
	AT(28, 4, lsabuf_give, __reserved2, RESERVED),
};

static const struct field section_create_fields[] = {
	AT(0, 4, lsabuf_section_create, size, SIZE),
	AT(4, 4, lsabuf_section_create, flags, FLAGS),
	AT(8, 4, lsabuf_section_create, authority, IN),
	AT(12, 4, lsabuf_section_create, __reserved, RESERVED),
	AT(16, 8, lsabuf_section_create, max, INOUT),
	AT(24, 8, lsabuf_section_create, committed, INOUT),
	AT(32, 8, lsabuf_section_create, charge_id, IN),
	AT(40, 8, lsabuf_section_create, out_section, OUT),
	AT(48, 8, lsabuf_section_create, out_address, OUT),
};

static const struct field section_grow_fields[] = {
	AT(0, 4, lsabuf_section_grow, size, SIZE),
	AT(4, 4, lsabuf_section_grow, flags, FLAGS),
	AT(8, 8, lsabuf_section_grow, committed, INOUT),
};

static const struct field section_stat_fields[] = {
	AT(0, 4, lsabuf_section_stat, size, SIZE),
	AT(4, 4, lsabuf_section_stat, flags, FLAGS),
	AT(8, 8, lsabuf_section_stat, out_section, OUT),
	AT(16, 8, lsabuf_section_stat, out_address, OUT),
	AT(24, 8, lsabuf_section_stat, out_max, OUT),
	AT(32, 8, lsabuf_section_stat, out_committed, OUT),
	AT(40, 4, lsabuf_section_stat, out_views, OUT),
	AT(44, 4, lsabuf_section_stat, out_flags, OUT),
	AT(48, 8, lsabuf_section_stat, out_memory, OUT),
};

static const struct field section_hole_fields[] = {
	AT(0, 4, lsabuf_section_hole, size, SIZE),
	AT(4, 4, lsabuf_section_hole, flags, FLAGS),
	AT(8, 8, lsabuf_section_hole, start, IN),
	AT(16, 8, lsabuf_section_hole, length, IN),
};

static const struct field section_revoke_fields[] = {
	AT(0, 4, lsabuf_section_revoke, size, SIZE),
	AT(4, 4, lsabuf_section_revoke, flags, FLAGS),
};

static const struct field section_share_fields[] = {
	AT(0, 4, lsabuf_section_share, size, SIZE),
	AT(4, 4, lsabuf_section_share, flags, FLAGS),
	AT(8, 8, lsabuf_section_share, id, IN),
	AT(16, 8, lsabuf_section_share, out_address, OUT),
};

static const struct field section_list_fields[] = {
	AT(0, 4, lsabuf_section_list, size, SIZE),
	AT(4, 4, lsabuf_section_list, flags, FLAGS),
	AT(8, 8, lsabuf_section_list, views_address, IN),
	AT(16, 4, lsabuf_section_list, nr_views, INOUT),
	AT(20, 4, lsabuf_section_list, __reserved, RESERVED),
};

/* The arrays that a command's struct points to */
static const struct field view_fields[] = {
	AT(0, 8, lsabuf_view, section, OUT),
	AT(8, 8, lsabuf_view, address, OUT),
	AT(16, 8, lsabuf_view, max, OUT),
	AT(24, 8, lsabuf_view, committed, OUT),
	AT(32, 8, lsabuf_view, client, OUT),
	AT(40, 4, lsabuf_view, flags, OUT),
	AT(44, 4, lsabuf_view, __reserved, OUT),
};

static const struct field range_fields[] = {
	AT(0, 8, lsabuf_range, address, IN),
	AT(8, 8, lsabuf_range, length, IN),
	AT(16, 4, lsabuf_range, flags, FLAGS),
	AT(20, 4, lsabuf_range, __reserved, RESERVED),
};

static const struct field copy_range_fields[] = {
	AT(0, 8, lsabuf_copy_range, client_address, IN),
	AT(8, 8, lsabuf_copy_range, local_address, IN),
	AT(16, 8, lsabuf_copy_range, length, IN),
};

static const struct field map_range_fields[] = {
	AT(0, 8, lsabuf_map_range, client_address, IN),
	AT(8, 8, lsabuf_map_range, length, IN),
	AT(16, 8, lsabuf_map_range, out_address, OUT),
};

static void prepare_serve(void *argument)
{
	struct lsabuf_serve *serve = argument;

	snprintf((char *)serve->endpoint, sizeof(serve->endpoint), "abi-%d",
		 getpid());
}

static void prepare_connect(void *argument)
{
	struct lsabuf_connect *connect = argument;

	snprintf((char *)connect->endpoint, sizeof(connect->endpoint),
		 "peer-%d", getpid());
}

static void prepare_call(void *argument)
{
	((struct lsabuf_call *)argument)->flags = LSABUF_CALL_F_NOWAIT;
}

static void prepare_free(void *argument)
{
	((struct lsabuf_free *)argument)->address = 16;
}

static void prepare_reply_receive(void *argument)
{
	((struct lsabuf_reply_receive *)argument)->flags =
		LSABUF_REPLY_RECEIVE_F_RECEIVE | LSABUF_REPLY_RECEIVE_F_NOWAIT;
}

static void prepare_alloc(void *argument)
{
	struct lsabuf_alloc *alloc = argument;

	alloc->id = NO_SUCH_ID;
	alloc->length = 16;
}

static void prepare_release(void *argument)
{
	struct lsabuf_release *release = argument;

	release->id = NO_SUCH_ID;
	release->address = 16;
}

static void prepare_copy(void *argument)
{
	((struct lsabuf_copy *)argument)->id = NO_SUCH_ID;
}

static void prepare_identity(void *argument)
{
	((struct lsabuf_identity *)argument)->id = NO_SUCH_ID;
}

static void prepare_endpoint(void *argument)
{
	struct lsabuf_endpoint *endpoint = argument;

	strcpy((char *)endpoint->endpoint, "nobody-serves-this");
	endpoint->flags = LSABUF_ENDPOINT_F_REMOVE;
	endpoint->id = NOBODY;
}

static void prepare_map(void *argument)
{
	static struct lsabuf_map_range nothing;
	struct lsabuf_map *map = argument;

	map->id = NO_SUCH_ID;
	map->vector_address = to_u64(&nothing);
	map->nr_vector = 1;
}

static void prepare_give(void *argument)
{
	((struct lsabuf_give *)argument)->id = NO_SUCH_ID;
}

static void prepare_section_create(void *argument)
{
	struct lsabuf_section_create *create = argument;

	create->authority = -1;
	create->max = 4096;
}

static void prepare_section_share(void *argument)
{
	((struct lsabuf_section_share *)argument)->id = NO_SUCH_ID;
}

#define ANY_ROLE ((1 << ROLES) - 1)

/**
 * struct command - one command and a harmless use of it
 * @name: for messages
 * @number: its number
 * @size: size of its struct
 * @min: sizes below are too short
 * @fields: all of the struct
 * @nr_fields: length of @fields
 * @flags: flags that it knows
 * @roles: bits of the roles that may use it
 * @role: the one to use it with
 * @taken: error on a file that has another role
 * @prepare: make a struct of zeroes into a harmless one
 * @error: result of that: 0 or an errno
 */
struct command {
	const char *name;
	unsigned long number;
	size_t size;
	size_t min;
	const struct field *fields;
	size_t nr_fields;
	__u32 flags;
	unsigned int roles;
	enum role role;
	int taken;
	void (*prepare)(void *argument);
	int error;
};

#define COMMAND_GROWN(_NAME, _name, _size, _first_size)                     \
	.name = #_NAME, .number = LSABUF_IOC_##_NAME,                       \
	.size = (_size) + PINNED(sizeof(struct lsabuf_##_name) == (_size)), \
	.min = (_first_size), .fields = _name##_fields,                     \
	.nr_fields = ARRAY_SIZE(_name##_fields)

#define COMMAND(_NAME, _name, _size) COMMAND_GROWN(_NAME, _name, _size, _size)

/* In the order of their numbers */
static const struct command commands[] = {
	{
		COMMAND_GROWN(INFO, info, 72, 48),
		.roles = ANY_ROLE,
	},
	{
		COMMAND(SERVE, serve, 64),
		.flags = LSABUF_SERVE_F_NOTIFY,
		.roles = 1 << FRESH,
		.taken = EBUSY,
		.prepare = prepare_serve,
	},
	{
		COMMAND(CONNECT, connect, 80),
		.flags = LSABUF_CONNECT_F_DEBUGGABLE | LSABUF_CONNECT_F_FILES,
		.roles = 1 << FRESH,
		.taken = EBUSY,
		.prepare = prepare_connect,
	},
	{
		COMMAND(DISCONNECT, disconnect, 8),
		.roles = 1 << CLIENT,
		.role = CLIENT,
		.taken = EPERM,
	},
	{
		COMMAND(CALL, call, 96),
		.flags = LSABUF_CALL_F_NOWAIT | LSABUF_CALL_F_ANY |
			 LSABUF_CALL_F_CANCEL,
		.roles = 1 << CLIENT,
		.role = CLIENT,
		.taken = EPERM,
		.prepare = prepare_call,
	},
	{
		COMMAND(FREE, free, 16),
		.roles = ANY_ROLE,
		.prepare = prepare_free,
		.error = ENOENT,
	},
	{
		COMMAND(REPLY_RECEIVE, reply_receive, 144),
		.flags = LSABUF_REPLY_RECEIVE_F_RECEIVE |
			 LSABUF_REPLY_RECEIVE_F_NOWAIT |
			 LSABUF_REPLY_RECEIVE_F_PAYLOAD,
		.roles = 1 << AUTHORITY,
		.role = AUTHORITY,
		.taken = EPERM,
		.prepare = prepare_reply_receive,
		.error = EAGAIN,
	},
	{
		COMMAND(ALLOC, alloc, 48),
		.roles = 1 << AUTHORITY,
		.role = AUTHORITY,
		.taken = EPERM,
		.prepare = prepare_alloc,
		.error = ENOENT,
	},
	{
		COMMAND(RELEASE, release, 24),
		.roles = 1 << AUTHORITY,
		.role = AUTHORITY,
		.taken = EPERM,
		.prepare = prepare_release,
		.error = ENOENT,
	},
	{
		COMMAND(COPY, copy, 64),
		.flags = LSABUF_COPY_F_FROM_CLIENT,
		.roles = 1 << AUTHORITY,
		.role = AUTHORITY,
		.taken = EPERM,
		.prepare = prepare_copy,
		.error = ENOENT,
	},
	{
		COMMAND(IDENTITY, identity, 72),
		.roles = 1 << AUTHORITY,
		.role = AUTHORITY,
		.taken = EPERM,
		.prepare = prepare_identity,
		.error = ENOENT,
	},
	{
		COMMAND(ENDPOINT, endpoint, 48),
		.flags = LSABUF_ENDPOINT_F_GROUP | LSABUF_ENDPOINT_F_REMOVE,
		.roles = ANY_ROLE & ~(1 << DISCONNECTED),
		.prepare = prepare_endpoint,
		.error = ENOENT,
	},
	{
		COMMAND(MAP, map, 32),
		.roles = 1 << AUTHORITY,
		.role = AUTHORITY,
		.taken = EPERM,
		.prepare = prepare_map,
		.error = ENOENT,
	},
	{
		COMMAND(GIVE, give, 32),
		.roles = 1 << AUTHORITY,
		.role = AUTHORITY,
		.taken = EPERM,
		.prepare = prepare_give,
		.error = ENOENT,
	},
	{
		COMMAND(SECTION_CREATE, section_create, 56),
		.roles = 1 << FRESH,
		.taken = EBUSY,
		.prepare = prepare_section_create,
		.error = EBADF,
	},
	{
		COMMAND(SECTION_GROW, section_grow, 16),
		.flags = LSABUF_SECTION_GROW_F_SHRINK,
		.roles = 1 << SECTION,
		.role = SECTION,
		.taken = EPERM,
	},
	{
		COMMAND_GROWN(SECTION_STAT, section_stat, 56, 48),
		.roles = 1 << SECTION,
		.role = SECTION,
		.taken = EPERM,
	},
	{
		COMMAND(SECTION_REVOKE, section_revoke, 8),
		.roles = 1 << SECTION,
		.role = SECTION,
		.taken = EPERM,
	},
	{
		COMMAND(SECTION_SHARE, section_share, 24),
		.flags = LSABUF_SECTION_SHARE_F_READONLY |
			 LSABUF_SECTION_SHARE_F_SAME_ADDRESS,
		.roles = 1 << SECTION,
		.role = SECTION,
		.taken = EPERM,
		.prepare = prepare_section_share,
		.error = ENOENT,
	},
	{
		COMMAND(SECTION_LIST, section_list, 24),
		.roles = ANY_ROLE,
	},
	{
		COMMAND(SECTION_HOLE, section_hole, 24),
		.flags = LSABUF_SECTION_HOLE_F_FILL,
		.roles = 1 << SECTION,
		.role = SECTION,
		.taken = EPERM,
		.error = EINVAL,
	},
};

#define for_each_command(_command)                                            \
	for (_command = commands; _command < commands + ARRAY_SIZE(commands); \
	     _command++)

/**
 * FIXTURE(abi) - files of all roles
 * @peer: the authority of the files that are clients, another process
 * @peer_name: its endpoint
 * @file: one file of each role; FRESH ones are opened as needed
 * @page: begin of the last accessible page of a mapping
 * @page_size: its size
 *
 * The test process holds all the files, being an authority of its own and a
 * client of @peer.
 */
FIXTURE(abi)
{
	struct puppet *peer;
	char peer_name[LSABUF_ENDPOINT_LEN];
	int file[ROLES];
	unsigned char *page;
	size_t page_size;
};

#define ABI FIXTURE_DATA(abi)

static long do_serve(struct puppet *puppet, struct puppet_thread *me)
{
	long ret = do_open(puppet, me);

	return ret ? ret : lsa_serve(puppet->device, (char *)puppet->scratch);
}

static int section_file(ABI *self)
{
	struct lsabuf_section_create create = {
		.size = sizeof(create),
		.authority = self->file[AUTHORITY],
		.max = 4096,
	};
	int file = lsa_open();

	if (lsa_ioctl(file, LSABUF_IOC_SECTION_CREATE, &create)) {
		close(file);
		return -1;
	}
	return file;
}

/* Another file of that role, or the one there is. */
static int role_file(ABI *self, enum role role)
{
	int file;

	if (role == AUTHORITY)
		return dup(self->file[AUTHORITY]);
	if (role == SECTION)
		return section_file(self);
	file = lsa_open();
	if (role == FRESH)
		return file;
	if (lsa_connect(file, self->peer_name, LSABUF_ACCESS_BUFFERS) ||
	    (role == DISCONNECTED && lsa_disconnect(file))) {
		close(file);
		return -1;
	}
	return file;
}

FIXTURE_SETUP(abi)
{
	char name[LSABUF_ENDPOINT_LEN];
	int role;

	self->page_size = page_size();
	self->page = mmap(NULL, 2 * self->page_size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->page);
	munmap(self->page + self->page_size, self->page_size);

	snprintf(self->peer_name, sizeof(self->peer_name), "peer-%d", getpid());
	self->peer = puppet_start(0);
	strcpy((char *)self->peer->scratch, self->peer_name);
	ASSERT_EQ(0, ask(self->peer, SIDE, do_serve));

	snprintf(name, sizeof(name), "self-%d", getpid());
	self->file[AUTHORITY] = lsa_open();
	ASSERT_EQ(0, lsa_serve(self->file[AUTHORITY], name));
	for (role = FRESH; role < ROLES; role++) {
		if (role != AUTHORITY)
			self->file[role] = role_file(self, role);
		ASSERT_LE(0, self->file[role]);
	}
}

FIXTURE_TEARDOWN(abi)
{
	int role;

	for (role = FRESH; role < ROLES; role++)
		close(self->file[role]);
	puppet_stop(self->peer);
}

/* Give every output field a value that no input may have. */
static void fill_outputs(const struct command *command, void *argument)
{
	const struct field *field;

	for (field = command->fields;
	     field < command->fields + command->nr_fields; field++)
		if (field->kind == OUT)
			memset((char *)argument + field->offset, 0xa5,
			       field->size);
}

static void prepare(const struct command *command, void *argument)
{
	memset(argument, 0, command->size);
	*(__u32 *)argument = command->size;
	if (command->prepare)
		command->prepare(argument);
	fill_outputs(command, argument);
}

/* Where a struct of @size bytes ends with the mapping. */
static void *at_end(ABI *self, size_t size)
{
	return self->page + self->page_size - size;
}

/* A harmless argument that ends with the mapping, @extra zeroes longer. */
static void *harmless(ABI *self, const struct command *command, size_t extra)
{
	void *argument = at_end(self, command->size + extra);

	memset(self->page, 0, self->page_size);
	prepare(command, argument);
	*(__u32 *)argument += extra;
	return argument;
}

/* Use the command on a file of the right role: 0 or -errno. */
static int use(ABI *self, const struct command *command, void *argument)
{
	int file = role_file(self, command->role);
	int ret;

	if (file < 0)
		return -EBADF;
	ret = lsa_ioctl(file, command->number, argument);
	close(file);
	return ret;
}

#define EXPECT_USE(_error, _self, _command, _argument)                \
	do {                                                          \
		EXPECT_EQ(-(_error), use(_self, _command, _argument)) \
		{                                                     \
			TH_LOG("with %s", (_command)->name);          \
		}                                                     \
	} while (0)

static bool covers(const struct field *fields, size_t nr, size_t size)
{
	size_t i, end = 0;

	for (i = 0; i < nr; i++) {
		if (fields[i].offset != end)
			return false;
		end += fields[i].size;
	}
	return end == size;
}

/* No hole in any struct, and no field that the table does not know. */
TEST_F(abi, tables_are_complete)
{
	const struct command *command;

	for_each_command(command) {
		if (command > commands)
			EXPECT_LT(command[-1].number, command->number);
		EXPECT_TRUE(covers(command->fields, command->nr_fields,
				   command->size));
	}
	EXPECT_TRUE(covers(range_fields, ARRAY_SIZE(range_fields),
			   sizeof(struct lsabuf_range)));
	EXPECT_TRUE(covers(copy_range_fields, ARRAY_SIZE(copy_range_fields),
			   sizeof(struct lsabuf_copy_range)));
	EXPECT_TRUE(covers(map_range_fields, ARRAY_SIZE(map_range_fields),
			   sizeof(struct lsabuf_map_range)));
	EXPECT_TRUE(covers(view_fields, ARRAY_SIZE(view_fields),
			   sizeof(struct lsabuf_view)));
}

static bool is_known(unsigned int nr)
{
	const struct command *command;

	for_each_command(command)
		if (command->number == _IO(LSABUF_IOC_TYPE, nr))
			return true;
	return false;
}

/* A number in the table is known, all others are not. */
TEST_F(abi, unknown_number)
{
	unsigned int nr;
	int role;

	for (role = FRESH; role < ROLES; role++) {
		for (nr = 0; nr < 256; nr++) {
			if (is_known(nr))
				continue;
			ASSERT_EQ(-ENOTTY, lsa_ioctl(self->file[role],
						     _IO(LSABUF_IOC_TYPE, nr),
						     self->page));
		}
		EXPECT_EQ(-ENOTTY,
			  lsa_ioctl(self->file[role], _IO('x', 0), self->page));
		EXPECT_EQ(-ENOTTY, lsa_ioctl(self->file[role],
					     _IOWR(LSABUF_IOC_TYPE, 0, int),
					     self->page));
	}
}

TEST_F(abi, exact_size)
{
	const struct command *command;

	for_each_command(command)
		EXPECT_USE(command->error, self, command,
			   harmless(self, command, 0));
}

/* A byte less than the least size, and everything below it. */
TEST_F(abi, short_size)
{
	const struct command *command;
	void *argument;
	size_t size;

	for_each_command(command) {
		for (size = 0; size < command->min; size++) {
			argument = at_end(self, size > 8 ? size : 8);
			memset(self->page, 0, self->page_size);
			*(__u32 *)argument = size;
			EXPECT_USE(EINVAL, self, command, argument);
		}
	}
}

/* A program of an older header: what it does not have counts as zero. */
TEST_F(abi, older_size)
{
	const struct command *command;
	unsigned char whole[256];
	void *argument;
	size_t size;

	for_each_command(command) {
		prepare(command, whole);
		for (size = command->min; size < command->size; size++) {
			argument = at_end(self, size);
			memcpy(argument, whole, size);
			*(__u32 *)argument = size;
			EXPECT_USE(command->error, self, command, argument);
		}
	}
}

/* A program of a newer header that does not use what is new. */
TEST_F(abi, zero_tail)
{
	const size_t extra[] = { 1, 3, 4, 8, 100, 1024 };
	const struct command *command;
	size_t i;

	for_each_command(command) {
		for (i = 0; i < ARRAY_SIZE(extra); i++)
			EXPECT_USE(command->error, self, command,
				   harmless(self, command, extra[i]));
		EXPECT_USE(command->error, self, command,
			   harmless(self, command,
				    self->page_size - command->size));
	}
}

/* A program of a newer header that uses what is new. */
TEST_F(abi, nonzero_tail)
{
	const struct command *command;
	unsigned char *argument;
	size_t i;

	for_each_command(command) {
		for (i = 0; i < 16; i++) {
			argument = harmless(self, command, 16);
			argument[command->size + i] = 1;
			EXPECT_USE(E2BIG, self, command, argument);
		}
	}
}

TEST_F(abi, size_above_page)
{
	const struct command *command;
	__u32 *argument;

	for_each_command(command) {
		argument = harmless(self, command, 0);
		*argument = self->page_size + 1;
		EXPECT_USE(E2BIG, self, command, argument);
		*argument = 0x80000000U;
		EXPECT_USE(E2BIG, self, command, argument);
		*argument = ~0U;
		EXPECT_USE(E2BIG, self, command, argument);
	}
}

TEST_F(abi, unknown_flags)
{
	const struct command *command;
	__u32 *argument;
	int bit;

	for_each_command(command) {
		for (bit = 0; bit < 32; bit++) {
			if (command->flags & 1U << bit)
				continue;
			argument = harmless(self, command, 0);
			argument[1] |= 1U << bit;
			EXPECT_USE(EOPNOTSUPP, self, command, argument);
		}
	}
}

TEST_F(abi, reserved_fields)
{
	const struct command *command;
	const struct field *field;
	unsigned char *argument;
	size_t i, reserved = 0;

	for_each_command(command) {
		field = command->fields;
		for (; field < command->fields + command->nr_fields; field++) {
			if (field->kind != RESERVED)
				continue;
			for (i = 0; i < field->size; i++) {
				argument = harmless(self, command, 0);
				argument[field->offset + i] = 0x80;
				EXPECT_USE(EOPNOTSUPP, self, command, argument);
			}
			reserved++;
		}
	}
	EXPECT_EQ(10, reserved);
}

TEST_F(abi, bad_pointers)
{
	void *const bad[] = {
		NULL,
		(void *)1,
		(void *)-4096L,
		(void *)-1L,
		(void *)(1UL << (sizeof(long) * 8 - 1)),
		self->page + self->page_size,
		self->page + self->page_size - 2,
	};
	const struct command *command;
	size_t i;

	for_each_command(command)
		for (i = 0; i < ARRAY_SIZE(bad); i++)
			EXPECT_USE(EFAULT, self, command, bad[i]);
}

/* The size promises more than there is. */
TEST_F(abi, cut_off)
{
	const struct command *command;
	__u32 *argument;

	for_each_command(command) {
		argument = at_end(self, 8);
		argument[0] = command->size + 1;
		argument[1] = 0;
		EXPECT_USE(EFAULT, self, command, argument);
		argument = harmless(self, command, 0);
		argument[0] += 8;
		EXPECT_USE(EFAULT, self, command, argument);
	}
}

/* Results that cannot be stored are an error. */
TEST_F(abi, read_only_argument)
{
	const char *const names[] = { "INFO", "SERVE", "CONNECT", "CALL" };
	const struct command *command;
	void *argument;
	size_t i;

	for_each_command(command) {
		for (i = 0; i < ARRAY_SIZE(names); i++) {
			if (strcmp(names[i], command->name))
				continue;
			argument = harmless(self, command, 0);
			mprotect(self->page, self->page_size, PROT_READ);
			EXPECT_USE(EFAULT, self, command, argument);
			mprotect(self->page, self->page_size,
				 PROT_READ | PROT_WRITE);
		}
	}
}

TEST_F(abi, wrong_role)
{
	const struct command *command;
	int role, error;

	for_each_command(command) {
		for (role = FRESH; role < ROLES; role++) {
			if (command->roles & 1 << role)
				continue;
			error = role == DISCONNECTED ? EPERM : command->taken;
			EXPECT_EQ(-error,
				  lsa_ioctl(self->file[role], command->number,
					    harmless(self, command, 0)))
			{
				TH_LOG("with %s, role %d", command->name, role);
			}
		}
	}
}

/* Where more than one role may use a command, all can. */
TEST_F(abi, every_role)
{
	const struct command *command;
	int role;

	for_each_command(command) {
		for (role = AUTHORITY; role < ROLES; role++) {
			if (!(command->roles & 1 << role))
				continue;
			if (command->role == role)
				continue;
			EXPECT_EQ(-command->error,
				  lsa_ioctl(self->file[role], command->number,
					    harmless(self, command, 0)))
			{
				TH_LOG("with %s, role %d", command->name, role);
			}
		}
	}
}

/* From another mm, a file that has a role refuses everything. */
TEST_F(abi, foreign_memory)
{
	const struct command *command;
	int role, status, ret;
	pid_t child = fork();

	if (!child) {
		for_each_command(command) {
			for (role = AUTHORITY; role < ROLES; role++) {
				ret = lsa_ioctl(self->file[role],
						command->number,
						harmless(self, command, 0));
				if (ret == -EPERM)
					continue;
				TH_LOG("%s, role %d: %d", command->name, role,
				       ret);
				_exit(1);
			}
		}
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* Nothing beyond the given size is written. */
TEST_F(abi, writes_only_size)
{
	unsigned char buffer[sizeof(struct lsabuf_info) + 64];
	struct lsabuf_info *info = (void *)buffer;
	size_t i;

	memset(buffer, 0xa5, sizeof(buffer));
	info->size = sizeof(*info);
	info->flags = 0;
	ASSERT_EQ(0, lsa_ioctl(self->file[FRESH], LSABUF_IOC_INFO, info));
	for (i = sizeof(*info); i < sizeof(buffer); i++)
		ASSERT_EQ(0xa5, buffer[i]);

	memset(buffer + sizeof(*info), 0, 64);
	info->size = sizeof(buffer);
	ASSERT_EQ(0, lsa_ioctl(self->file[FRESH], LSABUF_IOC_INFO, info));
	EXPECT_TRUE(all_bytes(buffer + sizeof(*info), 0, 64));
}

/* A program that knows a struct's first version has no room for more. */
TEST_F(abi, older_struct_is_enough)
{
	const struct command *command;
	unsigned char *argument;

	for_each_command(command) {
		if (command->min == command->size)
			continue;
		/* What is beyond is not there: to write it is EFAULT. */
		argument = harmless(self, command, 0);
		memmove(argument + command->size - command->min, argument,
			command->min);
		argument += command->size - command->min;
		*(__u32 *)argument = command->min;
		EXPECT_EQ(-command->error, use(self, command, argument))
		{
			TH_LOG("%s", command->name);
		}
	}
}

TEST_F(abi, info_values)
{
	struct lsabuf_info info;
	int role;

	for (role = FRESH; role < ROLES; role++) {
		memset(&info, 0xa5, sizeof(info));
		info.size = sizeof(info);
		info.flags = 0;
		ASSERT_EQ(0,
			  lsa_ioctl(self->file[role], LSABUF_IOC_INFO, &info));
		EXPECT_EQ(sizeof(info), info.size);
		EXPECT_EQ(LSABUF_ABI_VERSION, info.out_abi_version);
		EXPECT_EQ(LSABUF_MAX_RANGES, info.out_max_ranges);
		EXPECT_TRUE(info.out_features & LSABUF_FEATURE_MAP);
		EXPECT_TRUE(info.out_features & LSABUF_FEATURE_CONNECTION);
		EXPECT_TRUE(info.out_features & LSABUF_FEATURE_SECTIONS);
		EXPECT_TRUE(info.out_features & LSABUF_FEATURE_HOLES);
		EXPECT_LT(0, info.out_max_submit);
		EXPECT_LT(MIB(16), info.out_client_quota);
		EXPECT_LT(0, info.out_chore_budget_ns);
		if (role == CLIENT || role == DISCONNECTED) {
			EXPECT_LT(0, info.out_client);
			EXPECT_EQ(self->peer->pid, info.out_authority_pid);
		} else {
			EXPECT_TRUE(all_bytes(&info.out_client, 0, 24));
		}
	}
}

TEST_F(abi, serve_values)
{
	struct lsabuf_serve serve;
	int file = lsa_open();

	memset(&serve, 0, sizeof(serve));
	serve.size = sizeof(serve);
	prepare_serve(&serve);
	serve.arena_size = MIB(1) + 1;
	serve.out_arena_address = ~0ULL;
	ASSERT_EQ(0, lsa_ioctl(file, LSABUF_IOC_SERVE, &serve));
	EXPECT_EQ(MIB(1) + self->page_size, serve.arena_size);
	EXPECT_LT(0, serve.max_requests);
	EXPECT_TRUE(is_mapped(getpid(), serve.out_arena_address));
	EXPECT_TRUE(is_mapped(getpid(),
			      serve.out_arena_address + serve.arena_size - 1));
	close(file);
}

/* INFO repeats what CONNECT told. */
static bool info_describes(int file, const struct lsabuf_connect *connect)
{
	struct lsabuf_info info;

	return !lsa_info(file, &info) &&
	       info.out_client == connect->out_client &&
	       info.out_authority_pid == connect->out_authority_pid &&
	       info.out_authority_uid == connect->out_authority_uid &&
	       info.out_authority_start == connect->out_authority_start;
}

TEST_F(abi, connect_values)
{
	struct lsabuf_connect connect;
	__u64 seen = 0;
	int i, file;

	for (i = 0; i < 3; i++) {
		memset(&connect, 0, sizeof(connect));
		connect.size = sizeof(connect);
		prepare_connect(&connect);
		file = lsa_open();
		ASSERT_EQ(0, lsa_ioctl(file, LSABUF_IOC_CONNECT, &connect));
		EXPECT_EQ(self->peer->pid, connect.out_authority_pid);
		EXPECT_EQ(0, connect.out_authority_uid);
		EXPECT_LT(0, connect.out_authority_start);
		EXPECT_NE(0, connect.out_client);
		EXPECT_NE(seen, connect.out_client);
		seen = connect.out_client;
		EXPECT_TRUE(info_describes(file, &connect));
		EXPECT_EQ(0, lsa_disconnect(file));
		EXPECT_TRUE(info_describes(file, &connect));
		close(file);
	}
}

/* A call is for one connection, if it says so: numbers of files come back. */
TEST_F(abi, call_names_connection)
{
	struct lsabuf_call call = { .flags = LSABUF_CALL_F_NOWAIT };
	struct lsabuf_info info;

	ASSERT_EQ(0, lsa_info(self->file[CLIENT], &info));
	call.connection = info.out_client + 1;
	EXPECT_EQ(-EPERM, lsa_call(self->file[CLIENT], &call));
	EXPECT_EQ(0, call.id);
	call.connection = info.out_client;
	EXPECT_EQ(0, lsa_call(self->file[CLIENT], &call));
	/* For every form of the command */
	call.connection++;
	EXPECT_EQ(-EPERM, lsa_call(self->file[CLIENT], &call));
	call.flags = LSABUF_CALL_F_CANCEL;
	EXPECT_EQ(-EPERM, lsa_call(self->file[CLIENT], &call));
	call.connection--;
	EXPECT_EQ(0, lsa_call(self->file[CLIENT], &call));
}

static int serve_named(const void *name, size_t length)
{
	struct lsabuf_serve serve = { .size = sizeof(serve) };
	int file = lsa_open(), ret;

	memcpy(serve.endpoint, name, length);
	ret = lsa_ioctl(file, LSABUF_IOC_SERVE, &serve);
	close(file);
	return ret;
}

static int connect_named(const void *name, size_t length)
{
	struct lsabuf_connect connect = { .size = sizeof(connect) };
	int file = lsa_open(), ret;

	memcpy(connect.endpoint, name, length);
	ret = lsa_ioctl(file, LSABUF_IOC_CONNECT, &connect);
	close(file);
	return ret;
}

TEST_F(abi, endpoint_names)
{
	char longest[LSABUF_ENDPOINT_LEN];

	memset(longest, 'x', sizeof(longest));
	EXPECT_EQ(-EINVAL, serve_named("", 1));
	EXPECT_EQ(-EINVAL, connect_named("", 1));
	EXPECT_EQ(-EINVAL, serve_named(longest, sizeof(longest)));
	EXPECT_EQ(-EINVAL, connect_named(longest, sizeof(longest)));
	EXPECT_EQ(0, serve_named(longest, sizeof(longest) - 1));
	EXPECT_EQ(-ENOENT, connect_named(longest, sizeof(longest) - 1));
	EXPECT_EQ(-ENOENT, connect_named("no-such-endpoint", 16));
}

TEST_F(abi, endpoint_command_names)
{
	struct lsabuf_endpoint endpoint = { .size = sizeof(endpoint) };

	EXPECT_EQ(-EINVAL,
		  lsa_ioctl(self->file[FRESH], LSABUF_IOC_ENDPOINT, &endpoint));
	memset(endpoint.endpoint, 'x', sizeof(endpoint.endpoint));
	EXPECT_EQ(-EINVAL,
		  lsa_ioctl(self->file[FRESH], LSABUF_IOC_ENDPOINT, &endpoint));
	set_endpoint(endpoint.endpoint, "x");
	endpoint.id = ~0U;
	EXPECT_EQ(-EINVAL,
		  lsa_ioctl(self->file[FRESH], LSABUF_IOC_ENDPOINT, &endpoint));
}

TEST_F(abi, bad_access)
{
	__u32 access;

	for (access = LSABUF_ACCESS_WHOLE + 1; access; access <<= 1) {
		int file = lsa_open();

		test_err_connect(EINVAL, file, self->peer_name, access);
		/* It is still fresh. */
		EXPECT_EQ(0, lsa_connect(file, self->peer_name,
					 LSABUF_ACCESS_WHOLE));
		close(file);
	}
}

TEST_F(abi, bad_serve_limits)
{
	struct lsabuf_serve serve = { .size = sizeof(serve) };
	int file = lsa_open();

	prepare_serve(&serve);
	serve.arena_size = ~0ULL;
	EXPECT_EQ(-EINVAL, lsa_ioctl(file, LSABUF_IOC_SERVE, &serve));
	serve.arena_size = 1ULL << 62;
	EXPECT_EQ(-EINVAL, lsa_ioctl(file, LSABUF_IOC_SERVE, &serve));
	serve.arena_size = 0;
	serve.max_requests = ~0U;
	EXPECT_EQ(-EINVAL, lsa_ioctl(file, LSABUF_IOC_SERVE, &serve));
	serve.max_requests = 0;
	EXPECT_EQ(0, lsa_ioctl(file, LSABUF_IOC_SERVE, &serve));
	close(file);
}

static int call_flags(ABI *self, __u32 flags, __u64 id)
{
	struct lsabuf_call call = { .flags = flags, .id = id };

	return lsa_call(self->file[CLIENT], &call);
}

TEST_F(abi, bad_call_flags)
{
	EXPECT_EQ(-EINVAL, call_flags(self, LSABUF_CALL_F_ANY, 1));
	EXPECT_EQ(-EINVAL, call_flags(self, LSABUF_CALL_F_CANCEL, 0));
	EXPECT_EQ(-EINVAL,
		  call_flags(self, LSABUF_CALL_F_CANCEL | LSABUF_CALL_F_ANY,
			     0));
	EXPECT_EQ(-ENOENT, call_flags(self, 0, NO_SUCH_ID));
	EXPECT_EQ(-ENOENT, call_flags(self, LSABUF_CALL_F_NOWAIT, NO_SUCH_ID));
	EXPECT_EQ(-ENOENT, call_flags(self, LSABUF_CALL_F_CANCEL, NO_SUCH_ID));
	EXPECT_EQ(-EAGAIN, call_flags(self, LSABUF_CALL_F_ANY, 0));
}

static int call_range(ABI *self, struct lsabuf_range range, __u32 nr)
{
	struct lsabuf_call call = {
		.flags = LSABUF_CALL_F_NOWAIT,
		.ranges_address = to_u64(&range),
		.nr_ranges = nr,
	};
	int file = lsa_open(), ret;

	ret = lsa_connect(file, self->peer_name, LSABUF_ACCESS_RANGES);
	if (!ret)
		ret = lsa_call(file, &call);
	close(file);
	return ret;
}

TEST_F(abi, bad_ranges)
{
	const struct lsabuf_range good = {
		.address = 4096,
		.length = 1,
		.flags = LSABUF_RANGE_F_READ,
	};
	struct lsabuf_range range = good;

	EXPECT_EQ(0, call_range(self, range, 1));
	EXPECT_EQ(-EINVAL, call_range(self, range, LSABUF_MAX_RANGES + 1));
	EXPECT_EQ(-EINVAL, call_range(self, range, ~0U));
	range.flags = 0;
	EXPECT_EQ(-EINVAL, call_range(self, range, 1));
	range.flags = 4 | LSABUF_RANGE_F_READ;
	EXPECT_EQ(-EOPNOTSUPP, call_range(self, range, 1));
	range = good;
	range.__reserved = 1;
	EXPECT_EQ(-EOPNOTSUPP, call_range(self, range, 1));
	range = good;
	range.length = 0;
	EXPECT_EQ(-EINVAL, call_range(self, range, 1));
	range.length = ~0ULL;
	EXPECT_EQ(-EINVAL, call_range(self, range, 1));
}

TEST_F(abi, bad_call_memory)
{
	struct lsabuf_call call = { .flags = LSABUF_CALL_F_NOWAIT };
	struct lsabuf_info info;

	ASSERT_EQ(0, lsa_info(self->file[CLIENT], &info));
	call.submit_length = 1;
	test_err_call(EFAULT, self->file[CLIENT], &call);
	call.submit_address = to_u64(self->page) + self->page_size - 1;
	call.submit_length = 2;
	test_err_call(EFAULT, self->file[CLIENT], &call);
	call.submit_length = info.out_max_submit + 1;
	test_err_call(EDQUOT, self->file[CLIENT], &call);
	call.submit_length = ~0ULL;
	test_err_call(EDQUOT, self->file[CLIENT], &call);
	/* None of them left a call behind. */
	EXPECT_EQ(0, call.id);
	EXPECT_EQ(-EAGAIN, call_flags(self, LSABUF_CALL_F_ANY, 0));
}

static int receive_flags(ABI *self, __u32 flags)
{
	struct lsabuf_reply_receive io = { .flags = flags };

	return lsa_reply_receive(self->file[AUTHORITY], &io);
}

TEST_F(abi, bad_reply_receive_flags)
{
	const __u32 receive_now = LSABUF_REPLY_RECEIVE_F_RECEIVE |
				  LSABUF_REPLY_RECEIVE_F_NOWAIT;

	/* A payload without a reply: only where a restart leaves one */
	EXPECT_EQ(-EINVAL, receive_flags(self, LSABUF_REPLY_RECEIVE_F_PAYLOAD));
	EXPECT_EQ(-EAGAIN, receive_flags(self, LSABUF_REPLY_RECEIVE_F_PAYLOAD |
						       receive_now));
	EXPECT_EQ(-EAGAIN, receive_flags(self, receive_now));
	/* Neither to answer nor to receive */
	EXPECT_EQ(-EINVAL, receive_flags(self, 0));
}

TEST_F(abi, bad_copy_form)
{
	struct lsabuf_copy_range range = {};
	struct lsabuf_copy copy = { .id = NO_SUCH_ID };
	int file = self->file[AUTHORITY];

	copy.vector_address = to_u64(&range);
	copy.nr_vector = LSABUF_MAX_VECTOR + 1;
	EXPECT_EQ(-EINVAL, lsa_copy(file, &copy, NULL));
	copy.nr_vector = 1;
	copy.length = 1;
	EXPECT_EQ(-EINVAL, lsa_copy(file, &copy, NULL));
	copy.length = 0;
	copy.client_address = 1;
	EXPECT_EQ(-EINVAL, lsa_copy(file, &copy, NULL));
	copy.client_address = 0;
	copy.local_address = 1;
	EXPECT_EQ(-EINVAL, lsa_copy(file, &copy, NULL));
	copy.local_address = 0;
	EXPECT_EQ(-ENOENT, lsa_copy(file, &copy, NULL));
}

/* SERVE and ENDPOINT are not for everybody. */
TEST_F(abi, unprivileged_policy)
{
	struct puppet *user = puppet_start(NOBODY);
	struct lsabuf_endpoint *endpoint = (void *)user->scratch;
	const struct command *command;

	ASSERT_EQ(0, ask(user, SIDE, do_open));
	for_each_command(command) {
		if (command->number != LSABUF_IOC_SERVE &&
		    command->number != LSABUF_IOC_ENDPOINT)
			continue;
		memset(endpoint, 0, sizeof(*endpoint));
		prepare(command, endpoint);
		EXPECT_EQ(-EACCES, remote(user, SYS_ioctl, user->device,
					  command->number, (long)endpoint));
	}
	puppet_stop(user);
}

/* The authority is told of 32-bit callers, as this program may be one. */
TEST_F(pair, compat_flag)
{
	struct lsabuf_reply_receive request;

	start_call(self->client, CALLER, 100);
	ASSERT_TRUE(wait_readable(self->authority));
	ASSERT_EQ(0, lsa_receive(self->authority, &request));
	EXPECT_EQ(OWN_FLAGS, request.out_flags);
	EXPECT_EQ(to_u64(self->client->submit), request.out_client_address);
	end(_metadata, self, request.out_id);
}

TEST_HARNESS_MAIN
