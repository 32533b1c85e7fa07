/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The native interface of liblsabuf: every command of /dev/lsabuf as one
 * function. It knows nothing of the LSA; ntsecapi.h and ntsecpkg.h have that
 * face, and lsabuf_host.h has what a program needs which loads packages.
 *
 * A connection is a plain file descriptor, opened close-on-exec: it can be
 * polled (POLLIN: a reply, or a request, waits) and goes into any event loop.
 * Functions return 0, or a value as described, or -errno; they never touch
 * errno. The meaning of each errno is in the "Errors" part of linux/lsabuf.h
 * and is not repeated here. No function starts a thread, allocates memory or
 * takes a lock, so all of them may be used from any thread, from signal
 * handlers and from what pthread_atfork() has called. None is a cancellation
 * point: a thread that is cancelled meanwhile ends when it is back.
 *
 * A file belongs to the process that gave it its role: a child after fork()
 * opens its own, and its parent's give EPERM there.
 *
 * The structs are those of the kernel. The library fills in size and, where it
 * has an argument for them, flags; zero the rest.
 */
#ifndef _LSABUF_H
#define _LSABUF_H

#include <stddef.h>
#include <stdint.h>

#include <linux/lsabuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The device that is opened where nothing else is said */
#define LSABUF_DEVICE_DEFAULT "/dev/lsabuf"

/**
 * lsabuf_version() - version of the library
 *
 * Return: text such as "0.1.0", constant.
 */
const char *lsabuf_version(void);

/*
 * Files of the device
 */

/**
 * lsabuf_open() - open the device
 * @device: path of the device; NULL takes the environment's LSABUF_DEVICE
 *	(not in programs that run setuid) or else LSABUF_DEVICE_DEFAULT
 *
 * The descriptor is close-on-exec and never one of the three standard ones.
 * It has no role yet: use lsabuf_serve() or lsabuf_connect().
 *
 * Return: the descriptor, or -errno of open(2). ENOENT and ENXIO mean that the
 * module is not loaded.
 */
int lsabuf_open(const char *device);

/**
 * lsabuf_close() - close a file of the device
 * @fd: the descriptor; a negative one is ignored
 *
 * Closing the last descriptor of a file ends its role: the calls of a client
 * are abandoned, those waiting for an authority get EPIPE.
 */
void lsabuf_close(int fd);

/**
 * lsabuf_open_client() - open the device and connect
 * @endpoint: name of the authority's endpoint, NULL for
 *	LSABUF_ENDPOINT_DEFAULT
 * @access: LSABUF_ACCESS_*, what the calls open to the authority
 *
 * Return: the descriptor, or -errno of lsabuf_open() or lsabuf_connect().
 */
int lsabuf_open_client(const char *endpoint, uint32_t access);

/**
 * lsabuf_open_authority() - open the device and serve
 * @endpoint: name to serve, NULL for LSABUF_ENDPOINT_DEFAULT
 *
 * Return: the descriptor, or -errno of lsabuf_open() or lsabuf_serve().
 */
int lsabuf_open_authority(const char *endpoint);

/**
 * lsabuf_info() - ask what the module can do
 * @fd: any file of the device
 * @info: filled in
 *
 * Return: 0 or -errno.
 */
int lsabuf_info(int fd, struct lsabuf_info *info);

/**
 * lsabuf_missing() - features that the module is too old for
 * @info: as lsabuf_info() filled it in
 *
 * Everything else works with any module: what an older module does not know
 * fails by itself with EOPNOTSUPP, E2BIG or ENOTTY.
 *
 * Return: LSABUF_FEATURE_* that this library knows and the module does not; 0
 * where the module is as new as the library, or newer.
 */
uint64_t lsabuf_missing(const struct lsabuf_info *info);

/**
 * lsabuf_feature_name() - what a feature is for, for a person
 * @feature: one of LSABUF_FEATURE_*
 *
 * Return: constant English text without a full stop; NULL for a feature that
 * this library does not know.
 */
const char *lsabuf_feature_name(uint64_t feature);

/**
 * lsabuf_endpoint_allow() - let a user or group serve an endpoint
 * @fd: any file of the device
 * @endpoint: the endpoint's name
 * @id: user id, or group id with LSABUF_ENDPOINT_F_GROUP
 * @flags: 0 or LSABUF_ENDPOINT_F_GROUP
 *
 * Return: 0 or -errno. EACCES: the caller may not allow it.
 */
int lsabuf_endpoint_allow(int fd, const char *endpoint, uint32_t id,
			  uint32_t flags);

/**
 * lsabuf_endpoint_disallow() - take such a permission back
 * @fd: any file of the device
 * @endpoint: the endpoint's name
 * @id: as it was allowed
 * @flags: as it was allowed
 *
 * Return: 0 or -errno. ENOENT: there is no such permission.
 */
int lsabuf_endpoint_disallow(int fd, const char *endpoint, uint32_t id,
			     uint32_t flags);

/*
 * Clients
 */

/**
 * lsabuf_connect() - become a client of an endpoint
 * @fd: a file without a role
 * @endpoint: name of the endpoint, NULL for LSABUF_ENDPOINT_DEFAULT
 * @access: LSABUF_ACCESS_*
 * @details: NULL, or zeroed but for flags, consent_views and consent_bytes;
 *	the authority's pid, uid and start time are found here afterwards
 *
 * A module too old for LSABUF_CONNECT_F_FILES connects without it: no file can
 * be opened there.
 *
 * Return: 0 or -errno. ENOENT: nobody serves that endpoint.
 */
int lsabuf_connect(int fd, const char *endpoint, uint32_t access,
		   struct lsabuf_connect *details);

/**
 * lsabuf_connection() - whom a client is connected to
 * @fd: client
 * @details: the out_ fields as lsabuf_connect() found them; zeroes elsewhere
 *
 * Before a secret goes out: is this the authority's user, is it still the
 * process that it was? The pid is 0 where the caller's namespace has none for
 * it; the start time tells processes apart that had the same one.
 *
 * Return: 0 or -errno. EPERM: not a client. EOPNOTSUPP: the module has no
 * LSABUF_FEATURE_CONNECTION.
 */
int lsabuf_connection(int fd, struct lsabuf_connect *details);

/**
 * lsabuf_disconnect() - give up a connection, but keep the file
 * @fd: client
 *
 * Return: 0 or -errno.
 */
int lsabuf_disconnect(int fd);

/**
 * lsabuf_call_prepare() - fill in the usual fields of a call
 * @call: filled in: a new call without timeout and ranges
 * @kind: passed to the authority as it is
 * @code: passed to the authority as it is
 * @submit: the submit buffer; read during the call only
 * @length: its length in bytes; 0 is allowed
 */
void lsabuf_call_prepare(struct lsabuf_call *call, uint32_t kind, uint32_t code,
			 const void *submit, size_t length);

/**
 * lsabuf_call() - call the authority and wait for the reply
 * @fd: client
 * @call: the call, see lsabuf_call_prepare(); out_status, out_address and
 *	out_length have the reply
 *
 * Signals are handled while it waits, and the wait goes on: the call is
 * executed at most once whatever happens. Blocks that the reply names belong
 * to the caller, who frees them with lsabuf_free().
 *
 * Return: 0 or -errno. EPIPE with out_status[0] == 0: the authority went away
 * and had never seen the call.
 */
int lsabuf_call(int fd, struct lsabuf_call *call);

/**
 * lsabuf_call_submit() - begin a call without waiting for the reply
 * @fd: client
 * @call: the call; its id is set. The struct may go away, the id is enough
 *
 * No thread of the client waits then, so the authority cannot have work done
 * by one: it reaches resident memory and blocks only, and gets EAGAIN for the
 * rest until lsabuf_call_wait() is entered.
 *
 * Return: 0 when the call is queued, or -errno. EAGAIN: no room, try later.
 */
int lsabuf_call_submit(int fd, struct lsabuf_call *call);

/**
 * lsabuf_call_wait() - wait for the reply of one submitted call
 * @fd: client
 * @call: id as given by lsabuf_call_submit(); the reply is stored here
 *
 * Return: 0 or -errno as lsabuf_call(). ENOENT: no such call.
 */
int lsabuf_call_wait(int fd, struct lsabuf_call *call);

/**
 * lsabuf_call_take() - take the reply of one submitted call, without waiting
 * @fd: client
 * @call: id as given by lsabuf_call_submit(); the reply is stored here
 *
 * Return: 0 or -errno as lsabuf_call(). EAGAIN: it has not finished; poll the
 * descriptor for POLLIN. ENOENT: no such call.
 */
int lsabuf_call_take(int fd, struct lsabuf_call *call);

/**
 * lsabuf_call_any() - take the reply of any finished call, without waiting
 * @fd: client
 * @call: id and reply are stored here
 *
 * Return: 0 or -errno as lsabuf_call(). EAGAIN: none has finished; poll the
 * descriptor for POLLIN.
 */
int lsabuf_call_any(int fd, struct lsabuf_call *call);

/**
 * lsabuf_call_cancel() - give up a call
 * @fd: client
 * @id: the call's id
 *
 * Return: 0 or -errno. ENOENT: no such call.
 */
int lsabuf_call_cancel(int fd, uint64_t id);

/**
 * lsabuf_free() - free a block of the calling process
 * @fd: any file of the device, whatever became of its authority
 * @address: first byte of the block
 *
 * Return: 0 or -errno. ENOENT: no block of this process begins there.
 */
int lsabuf_free(int fd, void *address);

/*
 * Authorities
 */

/**
 * lsabuf_serve() - become the authority of an endpoint
 * @fd: a file without a role
 * @endpoint: name to serve, NULL for LSABUF_ENDPOINT_DEFAULT
 * @options: NULL for the defaults, or zeroed but for flags, arena_size and
 *	max_requests; the values in force are found here afterwards
 *
 * Return: 0 or -errno. EACCES: not allowed to serve this endpoint. EBUSY: it
 * is served.
 */
int lsabuf_serve(int fd, const char *endpoint, struct lsabuf_serve *options);

/**
 * lsabuf_receive() - wait for a request
 * @fd: authority
 * @request: filled in. The submit buffer is a private, writable copy in this
 *	process, valid until the reply
 *
 * Requests may be held, used from any thread and answered in any order.
 *
 * Return: 0 or -errno. EINTR: a signal was handled, nothing was received.
 */
int lsabuf_receive(int fd, struct lsabuf_reply_receive *request);

/**
 * lsabuf_receive_nowait() - take a request if there is one
 * @fd: authority
 * @request: filled in
 *
 * Return: 0 or -errno. EAGAIN: there is none; poll the descriptor for POLLIN.
 */
int lsabuf_receive_nowait(int fd, struct lsabuf_reply_receive *request);

/**
 * lsabuf_reply() - answer a request
 * @fd: authority
 * @id: the request
 * @status: two values for the client
 * @address: return address for the client, usually of a block; not examined
 * @length: return length for the client
 *
 * Return: 0 or -errno. ESRCH, ECANCELED: the client did not get it and its
 * blocks are freed. ENOENT: no such request.
 */
int lsabuf_reply(int fd, uint64_t id, const uint32_t status[2],
		 uint64_t address, uint64_t length);

/**
 * lsabuf_reply_payload() - answer a request with bytes
 * @fd: authority
 * @id: the request
 * @status: two values for the client
 * @payload: bytes to copy into a new block, which becomes the return value
 * @length: number of them, not 0
 *
 * Return: 0 or -errno as lsabuf_reply(). EDQUOT, ENOMEM: there was no memory
 * for the payload; the request is over and the client is told.
 */
int lsabuf_reply_payload(int fd, uint64_t id, const uint32_t status[2],
			 const void *payload, size_t length);

/**
 * lsabuf_reply_receive() - answer a request and wait for the next one
 * @fd: authority
 * @exchange: reply_id, status and return_* (or payload_* with
 *	LSABUF_REPLY_RECEIVE_F_PAYLOAD in flags) of the reply; then the next
 *	request, and reply_error with the result of the reply
 *
 * One system call for a server's whole turn. After EINTR call it again: the
 * reply has been given and is not repeated.
 *
 * Return: 0 when a request was received, or -errno.
 */
int lsabuf_reply_receive(int fd, struct lsabuf_reply_receive *exchange);

/**
 * lsabuf_alloc() - allocate a block in the client
 * @fd: authority
 * @id: request, received and not yet answered
 * @length: bytes, not 0
 * @address: the block's address in the client; 0 on failure
 *
 * The block reads zero. It belongs to the client once it has the reply, and is
 * freed if the client does not get it.
 *
 * Return: 0 or -errno.
 */
int lsabuf_alloc(int fd, uint64_t id, size_t length, uint64_t *address);

/**
 * lsabuf_alloc_copy() - allocate a block in the client and fill its begin
 * @fd: authority
 * @id: request, received and not yet answered
 * @length: bytes of the block, not 0
 * @source: bytes to copy there
 * @source_length: number of them, at most @length
 * @address: the block's address in the client; 0 on failure
 *
 * Return: 0 or -errno.
 */
int lsabuf_alloc_copy(int fd, uint64_t id, size_t length, const void *source,
		      size_t source_length, uint64_t *address);

/**
 * lsabuf_release() - free a block of the client
 * @fd: authority
 * @id: request of that client, received and not yet answered
 * @address: first byte of the block
 *
 * Return: 0 or -errno. ENOENT: no such block, or request.
 */
int lsabuf_release(int fd, uint64_t id, uint64_t address);

/**
 * lsabuf_copy_to() - copy bytes into the client
 * @fd: authority
 * @id: request, received and not yet answered
 * @client_address: where to, in the client
 * @source: where from, in this process
 * @length: bytes; 0 succeeds and touches nothing
 * @done: NULL, or the number of bytes copied, also on failure
 *
 * Return: 0 or -errno. EACCES: the client's grant does not cover the range.
 */
int lsabuf_copy_to(int fd, uint64_t id, uint64_t client_address,
		   const void *source, size_t length, size_t *done);

/**
 * lsabuf_copy_from() - copy bytes from the client
 * @fd: authority
 * @id: request, received and not yet answered
 * @destination: where to, in this process
 * @client_address: where from, in the client
 * @length: bytes; 0 succeeds and touches nothing
 * @done: NULL, or the number of bytes copied, also on failure
 *
 * Return: 0 or -errno. EACCES: the client's grant does not cover the range.
 */
int lsabuf_copy_from(int fd, uint64_t id, void *destination,
		     uint64_t client_address, size_t length, size_t *done);

/**
 * lsabuf_copy_vector() - copy several ranges, in order
 * @fd: authority
 * @id: request, received and not yet answered
 * @flags: 0 to the client, LSABUF_COPY_F_FROM_CLIENT from it
 * @vector: the ranges
 * @nr_vector: number of them, 1 to LSABUF_MAX_VECTOR
 * @done: NULL, or the number of bytes copied in all, also on failure
 *
 * Return: 0 or -errno.
 */
int lsabuf_copy_vector(int fd, uint64_t id, uint32_t flags,
		       const struct lsabuf_copy_range *vector,
		       uint32_t nr_vector, uint64_t *done);

/**
 * lsabuf_give() - open a file in the client
 * @fd: authority
 * @id: request, received and not yet answered
 * @file: descriptor of the file in this process
 * @client_file: the client's descriptor of it; -1 on failure
 *
 * The client's own thread opens it, close-on-exec, and closes it again when the
 * call fails.
 *
 * Return: 0 or -errno. EACCES: the client does not take files; it says
 * LSABUF_CONNECT_F_FILES to lsabuf_connect(). EMFILE: it has no room. ENOTTY:
 * the module has no LSABUF_FEATURE_FILES.
 */
int lsabuf_give(int fd, uint64_t id, int file, int *client_file);

/**
 * lsabuf_map() - take a private copy of client memory
 * @fd: authority
 * @id: request, received and not yet answered
 * @client_address: where it is, in the client
 * @length: bytes; 0 succeeds and maps nothing
 * @snapshot: the copy, writable, until the reply; NULL on failure or with
 *	length 0
 *
 * Return: 0 or -errno. EACCES: the client's grant does not cover the range.
 */
int lsabuf_map(int fd, uint64_t id, uint64_t client_address, size_t length,
	       void **snapshot);

/**
 * lsabuf_map_vector() - take private copies of several ranges, all or none
 * @fd: authority
 * @id: request, received and not yet answered
 * @vector: the ranges; out_address is filled in
 * @nr_vector: number of them, 1 to LSABUF_MAX_MAP
 *
 * Return: 0 or -errno.
 */
int lsabuf_map_vector(int fd, uint64_t id, struct lsabuf_map_range *vector,
		      uint32_t nr_vector);

/**
 * lsabuf_identity() - the long form of a request's identity
 * @fd: authority
 * @id: request, received and not yet answered
 * @identity: filled in; nr_groups is the number of supplementary groups, which
 *	may be more than were stored
 * @groups: array for the supplementary groups, or NULL
 * @nr_groups: number of its elements
 *
 * Return: 0 or -errno. ESRCH, ECANCELED: the client is gone.
 */
int lsabuf_identity(int fd, uint64_t id, struct lsabuf_identity *identity,
		    uint32_t *groups, uint32_t nr_groups);

/*
 * Sections: memory that an authority shares with clients
 */

/**
 * lsabuf_section_create() - make a section
 * @authority: authority of this process
 * @max: bytes of address space, not 0
 * @committed: bytes of memory to begin with, at most @max
 * @details: NULL, or zeroed but for charge_id; what was made is found here
 *
 * It is mapped into this process, at out_address. Close the descriptor with
 * lsabuf_close(), and unmap the memory, to let go of it.
 *
 * Return: descriptor of the section, or -errno.
 */
int lsabuf_section_create(int authority, uint64_t max, uint64_t committed,
			  struct lsabuf_section_create *details);

/**
 * lsabuf_section_grow() - commit more of a section
 * @fd: section
 * @committed: bytes; less than there are changes nothing
 *
 * Return: 0 or -errno; then nothing has changed.
 */
int lsabuf_section_grow(int fd, uint64_t committed);

/**
 * lsabuf_section_shrink() - give memory back
 * @fd: section
 * @committed: bytes that stay
 *
 * Return: 0 or -errno.
 */
int lsabuf_section_shrink(int fd, uint64_t committed);

/**
 * lsabuf_section_punch() - give pages inside of a section back
 * @fd: section
 * @start: first byte, from its begin; a multiple of the page size
 * @length: bytes, likewise, not beyond what is committed
 *
 * Every access raises SIGBUS there, here as well, until it is filled.
 *
 * Return: 0 or -errno. ENOTTY: the module is older than this.
 */
int lsabuf_section_punch(int fd, uint64_t start, uint64_t length);

/**
 * lsabuf_section_fill() - have the pages of a range again
 * @fd: section
 * @start: as for lsabuf_section_punch()
 * @length: likewise
 *
 * What was missing reads zero, what was there stays as it is.
 *
 * Return: 0 or -errno; then nothing has changed.
 */
int lsabuf_section_fill(int fd, uint64_t start, uint64_t length);

/**
 * lsabuf_section_stat() - figures of a section
 * @fd: section
 * @stat: filled in
 *
 * Return: 0 or -errno.
 */
int lsabuf_section_stat(int fd, struct lsabuf_section_stat *stat);

/**
 * lsabuf_section_revoke() - end all access to a section
 * @fd: section
 *
 * Every access raises SIGBUS from then on, here as well.
 *
 * Return: 0 or -errno.
 */
int lsabuf_section_revoke(int fd);

/**
 * lsabuf_section_share() - map a section into the client of a request
 * @fd: section
 * @id: request, received and not yet answered
 * @flags: LSABUF_SECTION_SHARE_F_*
 * @address: where it lies in the client; 0 on failure
 *
 * Return: 0 or -errno. EACCES: the client has not consented, see consent_views
 * and consent_bytes of lsabuf_connect(). EEXIST: its address is taken there.
 */
int lsabuf_section_share(int fd, uint64_t id, uint32_t flags,
			 uint64_t *address);

/**
 * lsabuf_section_translate() - an address as another process has it
 * @address: in one process
 * @from: where the section begins in it
 * @to: where it begins in the other
 * @max: bytes of address space of the section
 *
 * Return: the address there, or 0 where @address is not in the section.
 */
uint64_t lsabuf_section_translate(uint64_t address, uint64_t from, uint64_t to,
				  uint64_t max);

/**
 * lsabuf_section_list() - the sections that are mapped into this process
 * @fd: any file of the device
 * @views: filled in
 * @nr_views: room in @views
 *
 * Return: their number, which may be more than @nr_views, or -errno.
 */
int lsabuf_section_list(int fd, struct lsabuf_view *views, uint32_t nr_views);

/**
 * lsabuf_section_leave() - unmap a section from this process
 * @fd: any file of the device
 * @address: any address in it
 *
 * Return: 0 or -errno. ENOENT: no section lies there.
 */
int lsabuf_section_leave(int fd, const void *address);

/*
 * Blocks in sections, of the side that made them. Safe in any number of
 * threads, but not in signal handlers, and they allocate private memory
 */

struct lsabuf_shared;

/* Freed blocks are not wiped */
#define LSABUF_SHARED_F_NO_WIPE 0x1

/**
 * lsabuf_shared_create() - make a section for blocks
 * @authority: authority of this process
 * @max: bytes of address space, not 0, at most 32 GiB
 * @initial: bytes of memory to begin with, at most @max; it grows by itself
 * @flags: LSABUF_SHARED_F_*
 * @shared: the section; NULL on failure
 *
 * Nothing about the blocks is kept in the section: what clients write there
 * cannot mislead it.
 *
 * Return: 0 or -errno. EMFILE: more than 1024.
 */
int lsabuf_shared_create(int authority, uint64_t max, uint64_t initial,
			 uint32_t flags, struct lsabuf_shared **shared);

/**
 * lsabuf_shared_delete() - let a section for blocks go, with all blocks
 * @shared: the section; any pointer is checked
 *
 * It is unmapped here. Clients keep their views until they unmap them.
 *
 * Return: the number of blocks that were not free, or -EINVAL: no section.
 */
int lsabuf_shared_delete(struct lsabuf_shared *shared);

/**
 * lsabuf_shared_fd() - the section behind
 * @shared: the section; any pointer is checked
 *
 * Return: its descriptor for the functions above, which stays the library's,
 * or -EINVAL.
 */
int lsabuf_shared_fd(struct lsabuf_shared *shared);

/**
 * lsabuf_shared_alloc() - allocate a block
 * @shared: the section; any pointer is checked
 * @size: bytes, not 0
 *
 * It is aligned to 16 bytes and reads zero, but for what clients wrote there
 * while it was free. No system call unless the section grows.
 *
 * Return: the block, or NULL.
 */
void *lsabuf_shared_alloc(struct lsabuf_shared *shared, size_t size);

/**
 * lsabuf_shared_free() - free a block
 * @shared: the section; any pointer is checked
 * @memory: the block; any pointer is checked
 *
 * Return: 0, -EINVAL no section, -ENOENT no live block begins there.
 */
int lsabuf_shared_free(struct lsabuf_shared *shared, void *memory);

/**
 * lsabuf_shared_trim() - give the memory of free pages back
 * @shared: the section; any pointer is checked
 *
 * All whole pages that no block reaches, between blocks as well as after the
 * last. An allocation that needs some of them has them back, or fails; they
 * read zero. Until then every access there raises SIGBUS, also in clients.
 * Takes time in proportion to the number of blocks.
 *
 * Return: 0 or -errno.
 */
int lsabuf_shared_trim(struct lsabuf_shared *shared);

/*
 * Errors as NTSTATUS
 */

/**
 * enum lsabuf_subject - what an errno was about
 * @LSABUF_SUBJECT_DEVICE: opening the device
 * @LSABUF_SUBJECT_CONNECTION: connecting, and calls of a client
 * @LSABUF_SUBJECT_BLOCK: freeing a block, on either side
 * @LSABUF_SUBJECT_REQUEST: memory of the client of a request
 */
enum lsabuf_subject {
	LSABUF_SUBJECT_DEVICE,
	LSABUF_SUBJECT_CONNECTION,
	LSABUF_SUBJECT_BLOCK,
	LSABUF_SUBJECT_REQUEST,
};

/**
 * lsabuf_status() - the NTSTATUS for an error
 * @error: 0 or -errno, as the functions above return it
 * @subject: what it was about
 *
 * Return: the NTSTATUS; STATUS_UNSUCCESSFUL for an errno that is not expected.
 */
int32_t lsabuf_status(int error, enum lsabuf_subject subject);

/**
 * lsabuf_explain() - what an NTSTATUS means, for a person
 * @status: a status that this library, lsahost or its packages returned
 *
 * Return: constant English text without a full stop; a general one for a
 * status that is not known here.
 */
const char *lsabuf_explain(int32_t status);

#ifdef __cplusplus
}
#endif

#endif /* _LSABUF_H */
