/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The ABI of /dev/lsabuf. This is its only copy: the module, the library and
 * the tests all include it as <linux/lsabuf.h>.
 */
#ifndef _UAPI_LINUX_LSABUF_H
#define _UAPI_LINUX_LSABUF_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: Form
 *
 * Every command takes the address of one struct. Each struct begins with
 * @size, the size that the caller was compiled with, and @flags. A struct may
 * grow at its end in later versions: the kernel takes a shorter one as filled
 * up with zeroes, and a longer one as long as what it does not know is zero.
 * Numbers are made with _IO(): growth never changes them. The layout is the
 * same for 32-bit and 64-bit programs; addresses are stored as __u64.
 * Fields named out_* are written by the kernel, the others are only read,
 * except where their description says "in/out".
 */

/**
 * DOC: Errors
 *
 * Each errno has one meaning on every command:
 *
 * - ENOTTY: unknown command number
 * - E2BIG: @size above the page size, or unknown fields that are not zero
 * - EINVAL: @size too short, or a value that is wrong on every kernel
 * - EOPNOTSUPP: unknown flag, or a reserved field that is not zero
 * - EFAULT: memory of the caller or of the client that cannot be accessed
 * - EBADF: not a descriptor of the caller
 * - EMFILE: no room in the client's table of descriptors
 * - EPERM: not a process (memory) or role that may use this file so
 * - EACCES: not covered by the grant, or not allowed by policy
 * - EBUSY: taken: the endpoint's name, the file's role, the request's waiter,
 *   a section's view with other rights
 * - EEXIST: an address of the client that has to be free is not
 * - ENOENT: no such endpoint, request or block
 * - ENOMEM: out of memory, of address space, or of the cgroup's memory
 * - EDQUOT: a limit of the client or of its user is reached
 * - EAGAIN: not now: nothing to receive, no reply yet, no room, no thread
 * - EINTR: a signal ended the wait
 * - ETIMEDOUT: the call's time is over
 * - ECANCELED: the request was given up by its client or ran out of time
 * - ESRCH: the client is gone
 * - EPIPE: the authority is gone
 * - ENODEV: the module is going away: its parameter drain refuses SERVE and
 *   CONNECT
 */

/**
 * DOC: Permissions
 *
 * Whoever can open the device may CONNECT: that gives nothing but the right to
 * be a client within limits. SERVE takes the initial user namespace and, there,
 * the owner of the device node, CAP_SYS_ADMIN, or a user or group that such a
 * one has allowed with ENDPOINT. A file takes one role once, and belongs to the
 * memory (mm) of the process that took it: from any other memory every
 * command on it fails with EPERM, be it a child, a program after exec, or a
 * receiver of the descriptor.
 */

#define LSABUF_ABI_VERSION 1

#define LSABUF_IOC_TYPE 0xBC

#define LSABUF_IOC_INFO _IO(LSABUF_IOC_TYPE, 0x00)
#define LSABUF_IOC_SERVE _IO(LSABUF_IOC_TYPE, 0x01)
#define LSABUF_IOC_CONNECT _IO(LSABUF_IOC_TYPE, 0x02)
#define LSABUF_IOC_DISCONNECT _IO(LSABUF_IOC_TYPE, 0x03)
#define LSABUF_IOC_CALL _IO(LSABUF_IOC_TYPE, 0x04)
#define LSABUF_IOC_FREE _IO(LSABUF_IOC_TYPE, 0x05)
#define LSABUF_IOC_REPLY_RECEIVE _IO(LSABUF_IOC_TYPE, 0x06)
#define LSABUF_IOC_ALLOC _IO(LSABUF_IOC_TYPE, 0x07)
#define LSABUF_IOC_RELEASE _IO(LSABUF_IOC_TYPE, 0x08)
#define LSABUF_IOC_COPY _IO(LSABUF_IOC_TYPE, 0x09)
#define LSABUF_IOC_IDENTITY _IO(LSABUF_IOC_TYPE, 0x0a)
#define LSABUF_IOC_ENDPOINT _IO(LSABUF_IOC_TYPE, 0x0b)
#define LSABUF_IOC_MAP _IO(LSABUF_IOC_TYPE, 0x0c)
#define LSABUF_IOC_GIVE _IO(LSABUF_IOC_TYPE, 0x0d)
#define LSABUF_IOC_SECTION_CREATE _IO(LSABUF_IOC_TYPE, 0x10)
#define LSABUF_IOC_SECTION_GROW _IO(LSABUF_IOC_TYPE, 0x11)
#define LSABUF_IOC_SECTION_STAT _IO(LSABUF_IOC_TYPE, 0x12)
#define LSABUF_IOC_SECTION_REVOKE _IO(LSABUF_IOC_TYPE, 0x13)
#define LSABUF_IOC_SECTION_SHARE _IO(LSABUF_IOC_TYPE, 0x14)
#define LSABUF_IOC_SECTION_LIST _IO(LSABUF_IOC_TYPE, 0x15)
#define LSABUF_IOC_SECTION_HOLE _IO(LSABUF_IOC_TYPE, 0x16)

/* Size of an endpoint's name, with at least one NUL at its end */
#define LSABUF_ENDPOINT_LEN 32
/* The endpoint of the local security authority */
#define LSABUF_ENDPOINT_DEFAULT "lsa"
/* Most ranges that one CALL can name */
#define LSABUF_MAX_RANGES 64
/* Most ranges of one vectored COPY */
#define LSABUF_MAX_VECTOR 1024
/* Most ranges of one MAP */
#define LSABUF_MAX_MAP 64
/* Most files that one request can be given */
#define LSABUF_MAX_FILES 16

/* Bits of out_features of struct lsabuf_info */
#define LSABUF_FEATURE_MAP 0x1 /* LSABUF_IOC_MAP */
/* INFO describes the connection, and CALL can name the one that it is for */
#define LSABUF_FEATURE_CONNECTION 0x2
#define LSABUF_FEATURE_SECTIONS 0x4 /* SECTION_CREATE and its like */
#define LSABUF_FEATURE_HOLES 0x8 /* SECTION_HOLE; out_memory of SECTION_STAT */
#define LSABUF_FEATURE_FILES 0x10 /* GIVE, and LSABUF_CONNECT_F_FILES */

/**
 * struct lsabuf_info - what this module can do (LSABUF_IOC_INFO, any file)
 * @size: size of this struct
 * @flags: must be 0
 * @out_abi_version: LSABUF_ABI_VERSION of the module
 * @out_max_ranges: most ranges that one CALL can name
 * @out_features: LSABUF_FEATURE_* beyond version 1; the fields and commands of
 *	those that are not set are unknown to the module
 * @out_max_submit: largest submit buffer in bytes
 * @out_client_quota: most bytes of blocks that one client process may hold
 * @out_chore_budget_ns: time that one request may make the authority wait for
 *	the client's own thread, in nanoseconds; a copy by it at 16 bytes per
 *	microsecond or faster is free
 * @out_client: of a client's file, its connection as CONNECT told it, also
 *	after DISCONNECT; 0 of others. This field and those that follow are
 *	there with LSABUF_FEATURE_CONNECTION
 * @out_authority_pid: as CONNECT tells it
 * @out_authority_uid: as CONNECT tells it
 * @out_authority_start: as CONNECT tells it
 */
struct lsabuf_info {
	__u32 size;
	__u32 flags;
	__u32 out_abi_version;
	__u32 out_max_ranges;
	__aligned_u64 out_features;
	__aligned_u64 out_max_submit;
	__aligned_u64 out_client_quota;
	__aligned_u64 out_chore_budget_ns;
	__aligned_u64 out_client;
	__u32 out_authority_pid;
	__u32 out_authority_uid;
	__aligned_u64 out_authority_start;
};

/* The authority is told of clients that it has heard of when they are gone */
#define LSABUF_SERVE_F_NOTIFY 0x1

/**
 * struct lsabuf_serve - become an authority (LSABUF_IOC_SERVE, fresh file)
 * @size: size of this struct
 * @flags: LSABUF_SERVE_F_*
 * @endpoint: name under which clients find it, NUL-terminated, not empty
 * @arena_size: in/out: bytes of address space for the clients' submit buffers,
 *	0 for the default; rounded up to whole pages. Memory is used as needed
 * @max_requests: in/out: most requests at a time, 0 for the default
 * @__reserved: must be 0
 * @out_arena_address: where that arena lies in the calling process
 *
 * Errors: EACCES not allowed to serve this endpoint, EBUSY the endpoint has an
 * authority or the file a role, ENODEV, EINVAL, ENOMEM.
 */
struct lsabuf_serve {
	__u32 size;
	__u32 flags;
	__u8 endpoint[LSABUF_ENDPOINT_LEN];
	__aligned_u64 arena_size;
	__u32 max_requests;
	__u32 __reserved;
	__aligned_u64 out_arena_address;
};

/* What a client opens to the authority during its calls */
#define LSABUF_ACCESS_BUFFERS 0 /* only its client buffers */
#define LSABUF_ACCESS_RANGES 1 /* and the ranges that a call names */
#define LSABUF_ACCESS_WHOLE 2 /* all memory that the client itself can access */

/* Debuggers of the calling process may read its arenas from now on */
#define LSABUF_CONNECT_F_DEBUGGABLE 0x1
/* The authority may open files in the calling process (GIVE) */
#define LSABUF_CONNECT_F_FILES 0x2

/**
 * struct lsabuf_connect - become a client (LSABUF_IOC_CONNECT, fresh file)
 * @size: size of this struct
 * @flags: LSABUF_CONNECT_F_*
 * @endpoint: name of the authority's endpoint
 * @access: LSABUF_ACCESS_*: the grant of each request on this connection
 * @consent_views: most sections that may be mapped into this process at a time
 *	by way of this connection
 * @consent_bytes: most bytes of address space for them; 0 refuses all shared
 *	mappings
 * @out_client: id of this connection, never used again
 * @out_authority_pid: process id of the authority in the caller's pid
 *	namespace, 0 where it has none
 * @out_authority_uid: its user id in the caller's user namespace
 * @out_authority_start: its start time in nanoseconds since boot, which tells
 *	it from a later process with the same id
 *
 * With LSABUF_CONNECT_F_DEBUGGABLE whoever may ptrace the process can read its
 * client buffers through ptrace and /proc/PID/mem, until it has no connection
 * and no buffer left; nobody can write them so, and process_vm_readv() and core
 * dumps stay without them.
 *
 * Errors: ENOENT no such endpoint, EDQUOT too many connections, EBUSY the file
 * has a role, EACCES the flag is forbidden here, ENODEV, EINVAL, ENOMEM.
 */
struct lsabuf_connect {
	__u32 size;
	__u32 flags;
	__u8 endpoint[LSABUF_ENDPOINT_LEN];
	__u32 access;
	__u32 consent_views;
	__aligned_u64 consent_bytes;
	__aligned_u64 out_client;
	__u32 out_authority_pid;
	__u32 out_authority_uid;
	__aligned_u64 out_authority_start;
};

/**
 * struct lsabuf_disconnect - give up a connection (LSABUF_IOC_DISCONNECT)
 * @size: size of this struct
 * @flags: must be 0
 *
 * Its requests are abandoned. Blocks stay until they are freed. Later commands
 * on the file, but for FREE and INFO, fail with EPERM. Errors: EPERM.
 */
struct lsabuf_disconnect {
	__u32 size;
	__u32 flags;
};

#define LSABUF_RANGE_F_READ 0x1 /* the authority may copy from it */
#define LSABUF_RANGE_F_WRITE 0x2 /* the authority may copy to it */

/**
 * struct lsabuf_range - memory of the client that a call opens
 * @address: its first byte
 * @length: its length in bytes, not 0
 * @flags: LSABUF_RANGE_F_*, at least one
 * @__reserved: must be 0
 */
struct lsabuf_range {
	__aligned_u64 address;
	__aligned_u64 length;
	__u32 flags;
	__u32 __reserved;
};

/* Do not wait: answer EAGAIN, and poll the file for the reply */
#define LSABUF_CALL_F_NOWAIT 0x1
/* Take any finished call of this connection; @id must be 0 */
#define LSABUF_CALL_F_ANY 0x2
/* Give up the call @id */
#define LSABUF_CALL_F_CANCEL 0x4

/**
 * struct lsabuf_call - call the authority (LSABUF_IOC_CALL, client)
 * @size: size of this struct
 * @flags: LSABUF_CALL_F_*
 * @id: in/out: 0 makes a new request, whose id is stored here before anybody
 *	else can see the request. Otherwise the request to wait for again; all
 *	other fields are then ignored
 * @kind: passed to the authority as it is
 * @code: passed to the authority as it is
 * @submit_address: the submit buffer
 * @submit_length: its length in bytes; 0 is allowed
 * @timeout_ns: relative time after which the call is given up, fixed when it
 *	is made; 0 for none. Nothing happens by itself then: who waits, repeats
 *	the command, or would receive it, finds that its time is over
 * @ranges_address: array of struct lsabuf_range, for LSABUF_ACCESS_RANGES
 * @nr_ranges: number of its elements, at most LSABUF_MAX_RANGES
 * @connection: the lower half of out_client of the connection that is meant,
 *	and EPERM where this file is another; 0 for whichever it is. Must be 0
 *	without LSABUF_FEATURE_CONNECTION
 * @free_address: a block to free, as FREE does, before the request is queued;
 *	0 for none
 * @out_status: two values from the authority's reply
 * @out_address: return address from the reply
 * @out_length: return length from the reply
 *
 * A signal ends the wait: a restarted or repeated command finds the id stored
 * and waits for the same request, from any thread of the same memory. A
 * request is never executed twice. Once a reply has been taken its id is no
 * longer known. A new call with LSABUF_CALL_F_NOWAIT returns 0 when queued.
 *
 * Errors: EPIPE the authority is or went away (a request that it had not
 * received was never executed: see @out_status), ETIMEDOUT, EINTR, EAGAIN no
 * reply yet or no room at the authority, EBUSY another thread waits for this
 * id, ENOENT no such id or block, EDQUOT, EFAULT, EINVAL, ENOMEM, ECANCELED.
 * On EPIPE @out_status[0] is 1 when the authority had received the request.
 */
struct lsabuf_call {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	__u32 kind;
	__u32 code;
	__aligned_u64 submit_address;
	__aligned_u64 submit_length;
	__aligned_u64 timeout_ns;
	__aligned_u64 ranges_address;
	__u32 nr_ranges;
	__u32 connection;
	__aligned_u64 free_address;
	__u32 out_status[2];
	__aligned_u64 out_address;
	__aligned_u64 out_length;
};

/**
 * struct lsabuf_free - free a block of the calling process (LSABUF_IOC_FREE)
 * @size: size of this struct
 * @flags: must be 0
 * @address: the block's first byte
 *
 * Works on any file of the device, also a fresh one, one after DISCONNECT and
 * one whose authority is gone: the block is found by the caller's memory. Its
 * bytes are wiped. Errors: ENOENT no block of this process begins there.
 */
struct lsabuf_free {
	__u32 size;
	__u32 flags;
	__aligned_u64 address;
};

/* Receive a request; without it the command only replies */
#define LSABUF_REPLY_RECEIVE_F_RECEIVE 0x1
/* Do not wait for one: answer EAGAIN */
#define LSABUF_REPLY_RECEIVE_F_NOWAIT 0x2
/* @payload is copied to a new block, which becomes the return value */
#define LSABUF_REPLY_RECEIVE_F_PAYLOAD 0x4

/* out_flags of a received request */
#define LSABUF_REQUEST_F_COMPAT 0x1 /* the caller is a 32-bit program */
#define LSABUF_REQUEST_F_ADMIN 0x2 /* CAP_SYS_ADMIN over the authority */
#define LSABUF_REQUEST_F_GONE 0x4 /* no request: the client is gone */
#define LSABUF_REQUEST_F_NOTHREAD 0x8 /* no thread of it waits */

/**
 * struct lsabuf_reply_receive - answer a request and/or wait for the next
 * (LSABUF_IOC_REPLY_RECEIVE, authority)
 * @size: size of this struct
 * @flags: LSABUF_REPLY_RECEIVE_F_*
 * @reply_id: in/out: request to answer, 0 for none; set to 0 once it has been
 *	answered, before the command waits, so that a restart does not answer
 *	again
 * @reply_error: in/out: result of the reply half, 0 or -errno. ESRCH,
 *	ECANCELED (the client did not get it), EDQUOT, ENOMEM (no payload)
 *	end the request; ENOENT, EFAULT leave things as they were
 * @__reserved: must be 0
 * @status: two values for the client
 * @return_address: return address for the client; it is not examined
 * @return_length: return length for the client
 * @payload_address: bytes to copy into a new block of the client
 * @payload_length: number of them, not 0; with @reply_id 0, as after a restart,
 *	there is nothing to carry a payload, and it is ignored
 * @out_id: request received; 0 with LSABUF_REQUEST_F_GONE
 * @out_client: connection that it came from, never used again
 * @out_kind: as the client gave it
 * @out_code: as the client gave it
 * @out_submit_address: private copy of the submit buffer in the calling
 *	process, writable, valid until the reply; 0 where the length is 0
 * @out_submit_length: its length in bytes
 * @out_client_address: address of the original in the client
 * @out_flags: LSABUF_REQUEST_F_*
 * @out_access: LSABUF_ACCESS_* of the connection
 * @out_pid: process id of the calling thread, in the authority's namespace
 * @out_tid: its thread id
 * @out_uid: its effective user id, in the authority's user namespace
 * @out_gid: its effective group id
 * @out_start: start time of its process in nanoseconds since boot
 *
 * The command's own result is that of the receive half: 0, EAGAIN, EINTR,
 * EFAULT (the request is received again by the next one), EPERM, EINVAL. When
 * the reply half leaves things as they were, or there is no receive half, it
 * is that of the reply half. A command with neither is EINVAL. The identity is
 * that of the thread which made the call, when it made it.
 */
struct lsabuf_reply_receive {
	__u32 size;
	__u32 flags;
	__aligned_u64 reply_id;
	__s32 reply_error;
	__u32 __reserved;
	__u32 status[2];
	__aligned_u64 return_address;
	__aligned_u64 return_length;
	__aligned_u64 payload_address;
	__aligned_u64 payload_length;
	__aligned_u64 out_id;
	__aligned_u64 out_client;
	__u32 out_kind;
	__u32 out_code;
	__aligned_u64 out_submit_address;
	__aligned_u64 out_submit_length;
	__aligned_u64 out_client_address;
	__u32 out_flags;
	__u32 out_access;
	__u32 out_pid;
	__u32 out_tid;
	__u32 out_uid;
	__u32 out_gid;
	__aligned_u64 out_start;
};

/**
 * struct lsabuf_alloc - allocate a block in the client (LSABUF_IOC_ALLOC)
 * @size: size of this struct
 * @flags: must be 0
 * @id: request, received and not yet answered
 * @length: bytes, not 0
 * @source_address: bytes of the caller to copy to the block's begin
 * @source_length: number of them, at most @length; 0 for none
 * @out_address: the block's address in the client, a multiple of 16
 *
 * The block reads zero beyond what was copied. It passes to the client with
 * the reply, and is freed when the client does not get the reply.
 *
 * Errors: ENOENT no such request, ESRCH client gone, ECANCELED request given
 * up, EDQUOT the client's quota, ENOMEM memory, cgroup or address space of the
 * client, EAGAIN a new arena is needed and no thread of the client waits,
 * EFAULT @source_address, EINVAL.
 */
struct lsabuf_alloc {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	__aligned_u64 length;
	__aligned_u64 source_address;
	__aligned_u64 source_length;
	__aligned_u64 out_address;
};

/**
 * struct lsabuf_release - free a block of the client (LSABUF_IOC_RELEASE)
 * @size: size of this struct
 * @flags: must be 0
 * @id: request, received and not yet answered
 * @address: first byte of a block that this authority allocated in the
 *	process of that request's client
 *
 * Errors: ENOENT no such request or block, ESRCH, ECANCELED.
 */
struct lsabuf_release {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	__aligned_u64 address;
};

/* From the client to the authority; without it, to the client */
#define LSABUF_COPY_F_FROM_CLIENT 0x1

/**
 * struct lsabuf_copy_range - one element of a vectored COPY
 * @client_address: address in the client
 * @local_address: address in the calling process
 * @length: bytes; 0 is allowed
 */
struct lsabuf_copy_range {
	__aligned_u64 client_address;
	__aligned_u64 local_address;
	__aligned_u64 length;
};

/**
 * struct lsabuf_copy - copy to or from client memory (LSABUF_IOC_COPY)
 * @size: size of this struct
 * @flags: LSABUF_COPY_F_*
 * @id: request, received and not yet answered
 * @client_address: address in the client
 * @local_address: address in the calling process
 * @length: bytes; 0 is allowed and touches nothing
 * @vector_address: array of struct lsabuf_copy_range, used in place of the
 *	three fields above (which must then be 0)
 * @nr_vector: number of its elements, at most LSABUF_MAX_VECTOR; 0 for none
 * @__reserved: must be 0
 * @out_done: bytes copied, also when the command fails; the ranges are copied
 *	in order, and bytes beyond that count are unchanged, on both sides
 *
 * Errors: ENOENT no such request, ESRCH client gone, ECANCELED request given
 * up, EACCES a range is not covered by the grant, EFAULT memory of either side
 * that cannot be accessed, EAGAIN the client's own thread is needed and none
 * waits, or the request's time for that is used up, ENOMEM, EINVAL. A failure
 * after the first byte is reported in the same way, with @out_done not 0.
 */
struct lsabuf_copy {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	__aligned_u64 client_address;
	__aligned_u64 local_address;
	__aligned_u64 length;
	__aligned_u64 vector_address;
	__u32 nr_vector;
	__u32 __reserved;
	__aligned_u64 out_done;
};

/**
 * struct lsabuf_identity - long form of a request's identity
 * (LSABUF_IOC_IDENTITY, authority)
 * @size: size of this struct
 * @flags: must be 0
 * @id: request, received and not yet answered
 * @groups_address: array of __u32 for the supplementary groups
 * @nr_groups: in/out: elements of that array; then the number of groups, which
 *	may be more than were stored
 * @out_uid: real user id of the calling thread, in the authority's namespace
 * @out_euid: effective user id
 * @out_suid: saved user id
 * @out_fsuid: file system user id
 * @out_gid: real group id
 * @out_egid: effective group id
 * @out_sgid: saved group id
 * @out_fsgid: file system group id
 * @__reserved: must be 0
 * @out_capabilities: its effective capabilities, as a mask, counted only where
 *	its user namespace is the authority's or an ancestor of it
 *
 * Errors: ENOENT no such request, ESRCH, ECANCELED, EFAULT.
 */
struct lsabuf_identity {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	__aligned_u64 groups_address;
	__u32 nr_groups;
	__u32 out_uid;
	__u32 out_euid;
	__u32 out_suid;
	__u32 out_fsuid;
	__u32 out_gid;
	__u32 out_egid;
	__u32 out_sgid;
	__u32 out_fsgid;
	__u32 __reserved;
	__aligned_u64 out_capabilities;
};

#define LSABUF_ENDPOINT_F_GROUP 0x1 /* @id is a group */
#define LSABUF_ENDPOINT_F_REMOVE 0x2 /* take the permission back */

/**
 * struct lsabuf_endpoint - who may serve an endpoint (LSABUF_IOC_ENDPOINT, any
 * file)
 * @size: size of this struct
 * @flags: LSABUF_ENDPOINT_F_*
 * @endpoint: the endpoint's name
 * @id: user or group id, in the caller's user namespace
 * @__reserved: must be 0
 *
 * Only for the owner of the device node and for CAP_SYS_ADMIN in the initial
 * user namespace. Errors: EACCES not allowed, ENOENT no such permission to
 * remove, EDQUOT too many of them, EINVAL.
 */
struct lsabuf_endpoint {
	__u32 size;
	__u32 flags;
	__u8 endpoint[LSABUF_ENDPOINT_LEN];
	__u32 id;
	__u32 __reserved;
};

/**
 * struct lsabuf_map_range - one element of the vector of MAP
 * @client_address: address in the client
 * @length: bytes; 0 is allowed and maps nothing
 * @out_address: the snapshot in the calling process, a multiple of 16; 0 where
 *	the length is 0
 */
struct lsabuf_map_range {
	__aligned_u64 client_address;
	__aligned_u64 length;
	__aligned_u64 out_address;
};

/**
 * struct lsabuf_map - take snapshots of client memory (LSABUF_IOC_MAP,
 * authority)
 * @size: size of this struct
 * @flags: must be 0
 * @id: request, received and not yet answered
 * @vector_address: array of struct lsabuf_map_range
 * @nr_vector: number of its elements, 1 to LSABUF_MAX_MAP
 * @__reserved: must be 0
 *
 * The bytes are fetched once, into memory as that of submit buffers: private
 * to the authority, writable, beyond the reach of the client, which may change
 * the original at any time without effect on the snapshot. They are wiped and
 * freed with the reply, and count as submit buffers of the client's user until
 * then. The grant is that of COPY from the client. All ranges are mapped or
 * none; the elements of a failed command are unchanged.
 *
 * Errors: ENOENT no such request, ESRCH client gone, ECANCELED request given
 * up, EACCES a range is not covered by the grant, EFAULT memory of either side
 * that cannot be accessed, EDQUOT more than max_submit bytes in all or the
 * limit of the user, EAGAIN no room in the authority's arena, or the client's
 * own thread is needed and none waits, or the request's time for that is used
 * up, ENOMEM, EINVAL.
 */
struct lsabuf_map {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	__aligned_u64 vector_address;
	__u32 nr_vector;
	__u32 __reserved;
};

/**
 * struct lsabuf_give - open a file of the authority in the client
 * (LSABUF_IOC_GIVE, authority)
 * @size: size of this struct
 * @flags: must be 0
 * @id: request, received and not yet answered
 * @fd: descriptor of the calling process
 * @__reserved: must be 0
 * @out_fd: the client's descriptor of the same file
 * @__reserved2: must be 0
 *
 * The client's own thread opens it, close-on-exec, within its own limits. It is
 * closed again by the client's thread, unless something else is there by then,
 * when the call fails: when the client gives it up, the authority dies or does
 * not answer in time. A thread that left CALL by a signal, and never came back,
 * has the file.
 *
 * Errors: ENOENT no such request, ESRCH client gone, ECANCELED request given
 * up, EACCES the client has not said LSABUF_CONNECT_F_FILES, or a security
 * module refuses it, EBADF, EMFILE, EDQUOT more than LSABUF_MAX_FILES, EAGAIN
 * no thread of the client waits, or the request's time for that is used up,
 * ENOMEM, EFAULT (the client has the file).
 */
struct lsabuf_give {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	__s32 fd;
	__u32 __reserved;
	__s32 out_fd;
	__u32 __reserved2;
};

/**
 * DOC: Sections
 *
 * A section is memory that an authority shares with clients. Its address space
 * is reserved at once, in the authority and in each view; its memory is
 * committed from the begin on, by SECTION_CREATE and SECTION_GROW: allocated,
 * zeroed and charged by the command, which can fail, never by an access, which
 * cannot. Growth changes no mapping. The authority may give pages in between
 * back, and commit them again (SECTION_HOLE). An access beyond what is
 * committed, to a hole, or to a section that was revoked, raises SIGBUS.
 *
 * Sections lie at a random place between 3/8 and 5/8 of the address space of
 * the authority that made them (48 to 80 TiB on x86-64), where programs and
 * their libraries are not, so that the same address is free in clients.
 *
 * A view is shared memory like any other: atomic operations, futexes and
 * process-shared mutexes, system calls and O_DIRECT work on it, and debuggers
 * read it. It is not executable, not copied by fork, not in core dumps, and
 * cannot be made larger; a read-only one cannot be made writable. No client can
 * punch holes in it, or handle its faults with userfaultfd.
 */

/**
 * struct lsabuf_section_create - make a section (LSABUF_IOC_SECTION_CREATE,
 * fresh file, which becomes the section's)
 * @size: size of this struct
 * @flags: must be 0
 * @authority: descriptor of the calling process' authority
 * @__reserved: must be 0
 * @max: in/out: bytes of address space, not 0; rounded up to whole pages
 * @committed: in/out: bytes of memory, at most @max; rounded up to whole pages
 * @charge_id: request, received and not yet answered, whose client's memory
 *	cgroup pays for the memory, also of later growth; 0 for the authority's.
 *	Not more than the client has consented to
 * @out_section: id of the section, never used again
 * @out_address: where it lies in the calling process, readable and writable
 *
 * When the file is closed, or its process ends, the section cannot be grown or
 * shared any more. Its views stay until they are unmapped, and its memory as
 * long as any view.
 *
 * Errors: EBADF, EPERM not the descriptor of an authority of this process,
 * ENOENT, ESRCH, ECANCELED for @charge_id, EACCES more than its client has
 * consented to, EDQUOT the authority or its user has too many sections or too
 * much memory in them, ENOMEM memory, cgroup, RLIMIT_FSIZE or address space,
 * EINTR, EBUSY the file has a role, EINVAL.
 */
struct lsabuf_section_create {
	__u32 size;
	__u32 flags;
	__s32 authority;
	__u32 __reserved;
	__aligned_u64 max;
	__aligned_u64 committed;
	__aligned_u64 charge_id;
	__aligned_u64 out_section;
	__aligned_u64 out_address;
};

/* Give memory back: @committed is less than before, and the rest is gone */
#define LSABUF_SECTION_GROW_F_SHRINK 0x1

/**
 * struct lsabuf_section_grow - commit more of a section
 * (LSABUF_IOC_SECTION_GROW, section)
 * @size: size of this struct
 * @flags: LSABUF_SECTION_GROW_F_*
 * @committed: in/out: bytes that are to be committed, at most the section's
 *	max; then those that are. Less than there are changes nothing without
 *	LSABUF_SECTION_GROW_F_SHRINK
 *
 * All or nothing. What is committed again after it was given back reads zero.
 *
 * Errors: EDQUOT, ENOMEM, EINTR as for SECTION_CREATE, EINVAL more than max,
 * EPERM also where the section was revoked.
 */
struct lsabuf_section_grow {
	__u32 size;
	__u32 flags;
	__aligned_u64 committed;
};

#define LSABUF_SECTION_F_REVOKED 0x1 /* by SECTION_REVOKE */

/**
 * struct lsabuf_section_stat - figures of a section (LSABUF_IOC_SECTION_STAT,
 * section)
 * @size: size of this struct
 * @flags: must be 0
 * @out_section: its id
 * @out_address: where it lies in the calling process
 * @out_max: bytes of address space
 * @out_committed: bytes up to where memory is committed
 * @out_views: views of clients
 * @out_flags: LSABUF_SECTION_F_*
 * @out_memory: bytes of memory: @out_committed without holes. There with
 *	LSABUF_FEATURE_HOLES
 */
struct lsabuf_section_stat {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_section;
	__aligned_u64 out_address;
	__aligned_u64 out_max;
	__aligned_u64 out_committed;
	__u32 out_views;
	__u32 out_flags;
	__aligned_u64 out_memory;
};

/* Commit what is missing, instead of giving back what is there */
#define LSABUF_SECTION_HOLE_F_FILL 0x1

/**
 * struct lsabuf_section_hole - give back pages inside of a section, or have
 * them again (LSABUF_IOC_SECTION_HOLE, section)
 * @size: size of this struct
 * @flags: LSABUF_SECTION_HOLE_F_*
 * @start: first byte, from the begin of the section; a multiple of the page
 * @length: bytes, likewise; not 0, and not beyond what is committed
 *
 * Without LSABUF_SECTION_HOLE_F_FILL the pages there are freed, in every
 * process, and count no more: any access raises SIGBUS. With it those that are
 * missing are allocated, zeroed and charged as by SECTION_GROW, all of them or
 * none; until then no access succeeds. What is there keeps its content.
 *
 * Where the system uses huge pages for shared memory, a part of one may stay
 * where it is, zeroed.
 *
 * Errors: EDQUOT, ENOMEM, EINTR as for SECTION_CREATE, EINVAL, EPERM also where
 * the section was revoked.
 */
struct lsabuf_section_hole {
	__u32 size;
	__u32 flags;
	__aligned_u64 start;
	__aligned_u64 length;
};

/**
 * struct lsabuf_section_revoke - end access to a section
 * (LSABUF_IOC_SECTION_REVOKE, section)
 * @size: size of this struct
 * @flags: must be 0
 *
 * Its memory is freed. From then on every access raises SIGBUS, in every
 * process, the authority included. Doing it again does nothing.
 */
struct lsabuf_section_revoke {
	__u32 size;
	__u32 flags;
};

#define LSABUF_SECTION_SHARE_F_READONLY 0x1 /* the client cannot write */
/* At the address that it has in the authority, or EEXIST */
#define LSABUF_SECTION_SHARE_F_SAME_ADDRESS 0x2

/**
 * struct lsabuf_section_share - map a section into a client
 * (LSABUF_IOC_SECTION_SHARE, section)
 * @size: size of this struct
 * @flags: LSABUF_SECTION_SHARE_F_*
 * @id: request, received and not yet answered, of that client
 * @out_address: where it lies in the client
 *
 * The client's own thread maps it, at the authority's address if that is free.
 * A process has one view of a section: sharing it again reports where. It
 * stays when the request and the connection end, until the client unmaps it.
 *
 * Errors: ENOENT no such request of the section's authority, ESRCH, ECANCELED,
 * EACCES the client has not consented to so many views or bytes, EEXIST,
 * EBUSY it has a view with other rights, EAGAIN no thread of the client waits,
 * ENOMEM memory, cgroup or address space of the client, EPERM the section was
 * revoked.
 */
struct lsabuf_section_share {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	__aligned_u64 out_address;
};

#define LSABUF_VIEW_F_READONLY 0x1

/**
 * struct lsabuf_view - a view of the calling process
 * @section: id of the section
 * @address: where it lies, as far as it has not been moved or unmapped in part
 * @max: bytes of address space
 * @committed: bytes of memory: what lies beyond raises SIGBUS
 * @client: connection by way of which it was made
 * @flags: LSABUF_VIEW_F_*
 * @__reserved: 0
 */
struct lsabuf_view {
	__aligned_u64 section;
	__aligned_u64 address;
	__aligned_u64 max;
	__aligned_u64 committed;
	__aligned_u64 client;
	__u32 flags;
	__u32 __reserved;
};

/**
 * struct lsabuf_section_list - the views of the calling process
 * (LSABUF_IOC_SECTION_LIST, any file)
 * @size: size of this struct
 * @flags: must be 0
 * @views_address: array of struct lsabuf_view
 * @nr_views: in/out: elements of that array; then the number of views, which
 *	may be more than were stored
 * @__reserved: must be 0
 *
 * Errors: EFAULT.
 */
struct lsabuf_section_list {
	__u32 size;
	__u32 flags;
	__aligned_u64 views_address;
	__u32 nr_views;
	__u32 __reserved;
};

#endif /* _UAPI_LINUX_LSABUF_H */
