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
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

#include "internal.h"

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

/**
 * struct lsa_handle - an entry of the table
 * @state: (atomic) users, flags, generation
 * @fd: (atomic) its connection
 * @epoch: (atomic) counts the connections it has had
 * @trusted: (set before OPEN, then constant) of LsaRegisterLogonProcess()
 */
struct lsa_handle {
	_Atomic uint64_t state;
	_Atomic int fd;
	_Atomic unsigned int epoch;
	bool trusted;
};

static struct lsa_handle handles[NR_HANDLES];

static uintptr_t value_of(const struct lsa_handle *handle, uint64_t state)
{
	uintptr_t entry = handle - handles + 1;

	return (uintptr_t)(state >> GENERATION_SHIFT) << VALUE_SHIFT |
	       entry << ENTRY_SHIFT;
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

/* ENOENT means one thing of the device and another of the endpoint */
static int connect_to_lsa(enum lsabuf_subject *subject)
{
	const char *endpoint = lsabuf_environment("LSABUF_ENDPOINT", NULL);
	int fd, ret;

	*subject = LSABUF_SUBJECT_DEVICE;
	fd = lsabuf_open(NULL);
	if (fd < 0)
		return fd;
	*subject = LSABUF_SUBJECT_CONNECTION;
	ret = lsabuf_connect(fd, endpoint, LSABUF_ACCESS_WHOLE, NULL);
	if (ret) {
		lsabuf_close(fd);
		return ret;
	}
	return fd;
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
	uint64_t state;
	int fd;

	*subject = LSABUF_SUBJECT_DEVICE;
	if (!handle)
		return -EMFILE;
	/* Nobody else touches an entry that is reserved */
	state = atomic_load(&handle->state) - RESERVED;
	fd = connect_to_lsa(subject);
	if (fd < 0) {
		atomic_store(&handle->state, state);
		return fd;
	}
	handle->trusted = trusted;
	atomic_store(&handle->fd, fd);
	atomic_store(&handle->state, state + OPEN);
	*value = (void *)value_of(handle, state);
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

/* Comparing whole values also refuses set low bits and an old generation */
static bool is_current(struct lsa_handle *handle, uint64_t state, void *value)
{
	return (state & OPEN) && value_of(handle, state) == (uintptr_t)value;
}

/**
 * lsa_handle_get() - use a handle
 * @value: what the program gave as a handle: anything
 *
 * Return: the entry, to be put with lsa_handle_put(), or NULL.
 */
struct lsa_handle *lsa_handle_get(void *value)
{
	struct lsa_handle *handle = entry_of(value);
	uint64_t state;

	if (!handle)
		return NULL;
	do {
		state = atomic_load(&handle->state);
		if (!is_current(handle, state, value))
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

void lsa_handle_put(struct lsa_handle *handle)
{
	uint64_t state = atomic_fetch_sub(&handle->state, 1) - 1;
	int fd;

	if (!(state & CLOSING) || state & USERS)
		return;
	fd = atomic_exchange(&handle->fd, -1);
	if (lsabuf_fd_is_ours(fd))
		lsabuf_close(fd);
	atomic_store(&handle->state, state - CLOSING);
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
	uint64_t state;

	if (!handle)
		return false;
	do {
		state = atomic_load(&handle->state);
		if (!is_current(handle, state, value))
			return false;
	} while (!atomic_compare_exchange_strong(&handle->state, &state,
						 state - OPEN + CLOSING + 1));
	if (state & USERS)
		lsabuf_disconnect(atomic_load(&handle->fd));
	lsa_handle_put(handle);
	return true;
}

bool lsa_handle_is_trusted(const struct lsa_handle *handle)
{
	return handle->trusted;
}

int lsa_handle_fd(struct lsa_handle *handle)
{
	return atomic_load(&handle->fd);
}

static int reconnect(struct lsa_handle *handle, int fd)
{
	enum lsabuf_subject subject;
	int saved = errno;
	int new, ret = 0;

	new = connect_to_lsa(&subject);
	if (new < 0)
		return new;
	atomic_fetch_add(&handle->epoch, 1);
	/* A number that had been closed may be the one that is given out */
	if (new == fd)
		return 0;
	if (lsabuf_fd_is_ours(fd)) {
		if (dup3(new, fd, O_CLOEXEC) < 0)
			ret = -errno;
		errno = saved;
		lsabuf_close(new);
	} else if (!atomic_compare_exchange_strong(&handle->fd, &fd, new)) {
		/* Another thread was faster: its connection will do */
		lsabuf_close(new);
	}
	return ret;
}

/* Ids belong to a connection: a wait cannot go on upon the next one */
static int call_once(struct lsa_handle *handle, int fd, unsigned int epoch,
		     struct lsabuf_call *call)
{
	int ret;

	call->id = 0;
	call->out_status[0] = 0;
	for (;;) {
		call->flags = 0;
		ret = lsabuf_do_ioctl(fd, LSABUF_IOC_CALL, call);
		if (ret != -EINTR)
			return ret;
		if (call->id && atomic_load(&handle->epoch) != epoch) {
			call->out_status[0] = 1;
			return -EPIPE;
		}
	}
}

/* Whether the call cannot have been executed and another connection may help */
static bool is_worth_another(int fd, int error, const struct lsabuf_call *call)
{
	if (error == -EPIPE)
		return !call->out_status[0];
	if (call->id)
		return false;
	return error == -EPERM || error == -EBADF || error == -ENOTTY ||
	       !lsabuf_fd_is_ours(fd);
}

/**
 * lsa_handle_call() - call the LSA and wait for the reply
 * @handle: as lsa_handle_get() found it
 * @call: as lsabuf_call() takes it
 *
 * A call that no authority has seen is tried once more on a new connection. A
 * call that one has seen never is.
 *
 * Return: 0 or -errno; EPIPE: the authority is gone, and none is back yet if
 * the call was not received.
 */
int lsa_handle_call(struct lsa_handle *handle, struct lsabuf_call *call)
{
	unsigned int epoch = atomic_load(&handle->epoch);
	int fd = atomic_load(&handle->fd);
	int ret;

	ret = call_once(handle, fd, epoch, call);
	if (!ret || !is_worth_another(fd, ret, call)) {
		/* The wait was cut off with the connection */
		if (call->id && (ret == -EBADF || ret == -ENOTTY))
			return -EPIPE;
		return ret;
	}
	/* Closed in the meantime, by whom it belongs to: do not revive it */
	if (atomic_load(&handle->state) & CLOSING)
		return -EBADF;
	ret = reconnect(handle, fd);
	if (ret)
		return ret == -ENOENT || ret == -ENXIO ? -EPIPE : ret;
	epoch = atomic_load(&handle->epoch);
	return call_once(handle, atomic_load(&handle->fd), epoch, call);
}
