// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The handles of LsaConnectUntrusted() and LsaRegisterLogonProcess(): entries
 * of a table, so that a stale or invented handle is told from a good one.
 *
 * There are no locks. Handles are used in signal handlers that interrupt calls
 * on the same handle, and in children forked while other threads were in the
 * middle of anything. Each entry is one atomic word:
 *
 *	free -> reserved -> OPEN -> CLOSING -> free
 *
 * with a count of its users and a generation, which makes a handle stale when
 * its entry is used again. Whoever takes the last user away from an entry that
 * is CLOSING closes the file.
 *
 * A connection that turns out to be dead or not ours (the authority was
 * restarted, this is a forked child, somebody closed the descriptor) is
 * replaced under the same descriptor number if the number is still ours, so
 * that no other thread is ever left with a number that means something else.
 * That the number may have come to be another file of the same device is why
 * every call names the connection that it is for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

#include "internal.h"
#include "protocol.h"

#define NR_HANDLES 1023

#define USERS 0x00ffffffULL
#define RESERVED 0x20000000ULL
#define OPEN 0x40000000ULL
#define CLOSING 0x80000000ULL
#define IN_USE (USERS | RESERVED | OPEN | CLOSING)
#define GENERATION_SHIFT 32

/* A handle: generation, number of the entry + 1, two zero bits as on Windows */
#define ENTRY_SHIFT 2
#define ENTRY_MASK 0x3ffU
#define VALUE_SHIFT 12

/*
 * A connection in one word: its descriptor, whether the module looks at which
 * one a call is for, and the lower half of its id, which changes with it.
 */
#define CONNECTION_FD 0x7fffffffULL
#define CONNECTION_CHECKED 0x80000000ULL
#define CONNECTION_ID_SHIFT 32
#define CONNECTION_NONE CONNECTION_FD

/**
 * struct lsa_handle - an entry of the table
 * @state: (atomic) users, flags, generation
 * @connection: (atomic) its connection, or CONNECTION_NONE
 * @trusted: (set before OPEN, then constant) of LsaRegisterLogonProcess()
 */
struct lsa_handle {
	_Atomic uint64_t state;
	_Atomic uint64_t connection;
	bool trusted;
};

static struct lsa_handle handles[NR_HANDLES];

static int fd_of(uint64_t connection)
{
	uint64_t fd = connection & CONNECTION_FD;

	return fd == CONNECTION_NONE ? -1 : (int)fd;
}

/* As CALL wants it: 0 where the module is too old to look */
static uint32_t client_of(uint64_t connection)
{
	return connection & CONNECTION_CHECKED ?
		       connection >> CONNECTION_ID_SHIFT :
		       0;
}

/*
 * Whether the descriptor is still what it was, so that it may be closed. Other
 * memory's files do not say (we are a forked child): that they are of our
 * device has to do, and nobody else has a use for them here.
 */
static bool is_ours(uint64_t connection)
{
	int fd = fd_of(connection);
	struct lsabuf_info info;

	if (!lsabuf_fd_is_ours(fd))
		return false;
	return !client_of(connection) || lsabuf_info(fd, &info) ||
	       (uint32_t)info.out_client == client_of(connection);
}

/* The part of a handle that is its generation */
static uintptr_t generation_of(uint64_t state)
{
	return (uintptr_t)(state >> GENERATION_SHIFT) << VALUE_SHIFT;
}

static struct lsa_handle *reserve(void)
{
	struct lsa_handle *handle;
	uint64_t state, reserved;

	for (handle = handles; handle < handles + NR_HANDLES; handle++) {
		state = atomic_load(&handle->state);
		if (state & IN_USE)
			continue;
		reserved = state + (1ULL << GENERATION_SHIFT) + RESERVED;
		if (atomic_compare_exchange_strong(&handle->state, &state,
						   reserved))
			return handle;
	}
	return NULL;
}

static uint64_t describe(int fd, uint64_t client)
{
	uint64_t connection = fd | client << CONNECTION_ID_SHIFT;
	struct lsabuf_info info;

	if (!lsabuf_info(fd, &info) &&
	    info.out_features & LSABUF_FEATURE_CONNECTION)
		connection |= CONNECTION_CHECKED;
	return connection;
}

/* ENOENT means one thing of the device and another of the endpoint */
static int connect_to_lsa(uint64_t *connection, enum lsabuf_subject *subject)
{
	const char *endpoint = lsabuf_environment("LSABUF_ENDPOINT", NULL);
	struct lsabuf_connect details = {
		.flags = LSABUF_CONNECT_F_FILES,
		.consent_views = LSA_CONSENT_VIEWS,
		.consent_bytes = LSA_CONSENT_BYTES,
	};
	int fd, ret;

	*subject = LSABUF_SUBJECT_DEVICE;
	fd = lsabuf_open(NULL);
	if (fd < 0)
		return fd;
	*subject = LSABUF_SUBJECT_CONNECTION;
	ret = lsabuf_connect(fd, endpoint, LSABUF_ACCESS_WHOLE, &details);
	if (ret) {
		lsabuf_close(fd);
		return ret;
	}
	*connection = describe(fd, details.out_client);
	return 0;
}

/**
 * lsa_handle_create() - connect to the LSA
 * @trusted: the handle is to be that of a logon process
 * @value: the handle
 * @subject: what an error was about
 *
 * Return: 0 or -errno; EMFILE: too many handles.
 */
int lsa_handle_create(bool trusted, void **value, enum lsabuf_subject *subject)
{
	struct lsa_handle *handle = reserve();
	uint64_t connection, state;
	int ret;

	*subject = LSABUF_SUBJECT_DEVICE;
	if (!handle)
		return -EMFILE;
	/* Nobody else touches an entry that is reserved */
	state = atomic_load(&handle->state) - RESERVED;
	ret = connect_to_lsa(&connection, subject);
	if (ret) {
		atomic_store(&handle->state, state);
		return ret;
	}
	handle->trusted = trusted;
	atomic_store(&handle->connection, connection);
	atomic_store(&handle->state, state + OPEN);
	*value = (void *)(generation_of(state) |
			  (uintptr_t)(handle - handles + 1) << ENTRY_SHIFT);
	return 0;
}

static bool get_entry(struct lsa_handle *handle, uint64_t state)
{
	uint64_t used = state + 1;

	if (!(state & OPEN))
		return false;
	return atomic_compare_exchange_strong(&handle->state, &state, used);
}

static struct lsa_handle *entry_of(void *value)
{
	uintptr_t number = (uintptr_t)value >> ENTRY_SHIFT & ENTRY_MASK;

	return number ? &handles[number - 1] : NULL;
}

/* All but the entry, which it was found by: set low bits are refused, too */
static bool is_current(uint64_t state, void *value)
{
	uintptr_t rest = (uintptr_t)value &
			 ~((uintptr_t)ENTRY_MASK << ENTRY_SHIFT);

	return (state & OPEN) && generation_of(state) == rest;
}

/*
 * Use what the program gave as a handle: anything. The entry is to be put with
 * lsa_handle_put(); NULL: it is none.
 */
static struct lsa_handle *get_handle(void *value)
{
	struct lsa_handle *handle = entry_of(value);
	uint64_t state;

	if (!handle)
		return NULL;
	do {
		state = atomic_load(&handle->state);
		if (!is_current(state, value))
			return NULL;
	} while (!get_entry(handle, state));
	return handle;
}

/* Any handle that is open, for what can be done on any file of the device */
struct lsa_handle *lsa_handle_get_any(void)
{
	struct lsa_handle *handle;

	for (handle = handles; handle < handles + NR_HANDLES; handle++) {
		if (get_entry(handle, atomic_load(&handle->state)))
			return handle;
	}
	return NULL;
}

static __attribute__((noinline)) void close_entry(struct lsa_handle *handle,
						  uint64_t state)
{
	uint64_t connection =
		atomic_exchange(&handle->connection, CONNECTION_NONE);

	if (is_ours(connection))
		lsabuf_close(fd_of(connection));
	atomic_store(&handle->state, state - CLOSING);
}

static inline void put_handle(struct lsa_handle *handle)
{
	uint64_t state = atomic_fetch_sub(&handle->state, 1) - 1;

	if ((state & (CLOSING | USERS)) == CLOSING)
		close_entry(handle, state);
}

void lsa_handle_put(struct lsa_handle *handle)
{
	put_handle(handle);
}

/**
 * lsa_handle_close() - close a handle
 * @value: what the program gave as a handle: anything
 *
 * Calls of other threads on it are given up. When a thread left one by
 * siglongjmp(), the entry and the descriptor stay behind, but the authority
 * holds nothing any more.
 *
 * Return: whether it was a handle.
 */
bool lsa_handle_close(void *value)
{
	struct lsa_handle *handle = entry_of(value);
	uint64_t connection, state;

	if (!handle)
		return false;
	do {
		state = atomic_load(&handle->state);
		if (!is_current(state, value))
			return false;
	} while (!atomic_compare_exchange_strong(&handle->state, &state,
						 state - OPEN + CLOSING + 1));
	connection = atomic_load(&handle->connection);
	if (state & USERS && is_ours(connection))
		lsabuf_disconnect(fd_of(connection));
	lsa_handle_put(handle);
	return true;
}

int lsa_handle_fd(struct lsa_handle *handle)
{
	return fd_of(atomic_load(&handle->connection));
}

/*
 * Put a new connection in the place of @old, unless another thread has done so
 * meanwhile: then that one will do.
 */
static int reconnect(struct lsa_handle *handle, uint64_t old)
{
	enum lsabuf_subject subject;
	int saved = errno;
	uint64_t new;
	int ret;

	if (atomic_load(&handle->connection) != old)
		return 0;
	ret = connect_to_lsa(&new, &subject);
	if (ret)
		return ret;
	/* A number that had been closed may be the one that is given out */
	if (fd_of(new) != fd_of(old) && is_ours(old)) {
		if (dup3(fd_of(new), fd_of(old), O_CLOEXEC) < 0)
			ret = -errno;
		errno = saved;
		lsabuf_close(fd_of(new));
		if (ret)
			return ret;
		new = (new & ~CONNECTION_FD) | (old & CONNECTION_FD);
	}
	if (!atomic_compare_exchange_strong(&handle->connection, &old, new) &&
	    is_ours(new))
		lsabuf_close(fd_of(new));
	return 0;
}

/* Ids belong to a connection: a wait cannot go on upon the next one */
static inline int call_once(struct lsa_handle *handle, uint64_t connection,
			    struct lsabuf_call *call)
{
	int ret;

	call->id = 0;
	call->out_status[0] = 0;
	call->connection = client_of(connection);
	for (;;) {
		call->flags = 0;
		ret = lsabuf_do_ioctl(fd_of(connection), LSABUF_IOC_CALL, call);
		if (ret != -EINTR)
			return ret;
		if (call->id && atomic_load(&handle->connection) != connection)
			return -EBADF;
	}
}

/* Whether it is not the connection that a call was meant for */
static bool is_lost(int error)
{
	return error == -EPERM || error == -EBADF || error == -ENOTTY;
}

/* Whether the call cannot have been executed and another connection may help */
static bool is_worth_another(uint64_t connection, int error,
			     const struct lsabuf_call *call)
{
	if (error == -EPIPE)
		return !call->out_status[0];
	if (call->id)
		return false;
	return is_lost(error) || !is_ours(connection);
}

/* After @error of a call on @connection: once more if that may help. Rarely */
static __attribute__((noinline)) int call_again(struct lsa_handle *handle,
						uint64_t connection, int error,
						struct lsabuf_call *call)
{
	int ret;

	if (!is_worth_another(connection, error, call)) {
		/* The wait was cut off with the connection */
		return call->id && is_lost(error) ? -EPIPE : error;
	}
	/* Closed in the meantime, by whom it belongs to: do not revive it */
	if (atomic_load(&handle->state) & CLOSING)
		return -EBADF;
	ret = reconnect(handle, connection);
	if (ret)
		return ret == -ENOENT || ret == -ENXIO ? -EPIPE : ret;
	ret = call_once(handle, atomic_load(&handle->connection), call);
	return call->id && is_lost(ret) ? -EPIPE : ret;
}

/* What the LSA does for a logon process has a kind of its own */
static uint32_t trusted_kind(uint32_t kind)
{
	switch (kind) {
	case LSA_MESSAGE_CALL:
		return LSA_MESSAGE_CALL_TRUSTED;
	case LSA_MESSAGE_LOGON:
		return LSA_MESSAGE_LOGON_TRUSTED;
	}
	return kind;
}

/**
 * lsa_handle_call() - call the LSA and wait for the reply
 * @value: what the program gave as a handle: anything
 * @call: as lsabuf_call() takes it
 *
 * A call that no authority has seen is tried once more on a new connection. A
 * call that one has seen never is.
 *
 * Return: 0 or -errno; EBADF: that is no handle. EPIPE: the authority is gone,
 * and none is back yet if the call was not received.
 */
int lsa_handle_call(void *value, struct lsabuf_call *call)
{
	struct lsa_handle *handle = get_handle(value);
	uint64_t connection;
	int ret;

	if (!handle)
		return -EBADF;
	if (handle->trusted)
		call->kind = trusted_kind(call->kind);
	connection = atomic_load(&handle->connection);
	ret = call_once(handle, connection, call);
	if (ret)
		ret = call_again(handle, connection, ret, call);
	put_handle(handle);
	return ret;
}
