/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages of the package "probe", with which tests try the LSA's services. */
#ifndef PROBE_H
#define PROBE_H

#include <windows.h>

#define PROBE_PACKAGE_NAME "probe"

/**
 * enum probe_code - what the package is to do; the status of the service is
 * the protocol status where nothing else is said
 * @PROBE_ECHO: return the payload
 * @PROBE_ALLOCATE: allocate @argument bytes and return them as they are
 * @PROBE_FREE: FreeClientBuffer(@address)
 * @PROBE_COPY_TO: copy the payload, of which @argument bytes, to @address
 * @PROBE_COPY_FROM: copy @argument bytes from @address, and return them
 * @PROBE_CALL_STATUS: return the call status @argument
 * @PROBE_PROTOCOL_STATUS: return the protocol status @argument
 * @PROBE_SILENT: touch no output at all
 * @PROBE_LEAVE: allocate a buffer, copy its address to @address, leave it as
 *	return buffer and return the call status @argument
 * @PROBE_LEAVE_FREED: the same, but free it before
 * @PROBE_NULL_REQUEST: PROBE_ECHO with NULL for the request
 * @PROBE_WORKER: use the services in a thread without request; returns a
 *	struct probe_worker
 * @PROBE_WORKER_HANDLE: PROBE_ECHO in another thread, with the request's handle
 * @PROBE_KEEP_HANDLE: keep the request's handle
 * @PROBE_STALE_HANDLE: allocate with the handle kept
 * @PROBE_BAD_HANDLE: allocate with the handle @address
 * @PROBE_READ_HANDLE: return the word that the request's handle points at
 * @PROBE_CALL_PACKAGE: CallPackage of the package whose name is at the begin of
 *	the payload, @argument bytes of UTF-16, with the rest as its message,
 *	by CallPackageEx (@address 1) or CallPackagePassthrough (2);
 *	returns a struct probe_inner with the reply behind it
 * @PROBE_INFO: return a struct probe_info
 * @PROBE_IN_PLACE: write "written" to the begin of the submit buffer's payload,
 *	here and in the client
 * @PROBE_TABLE: return one byte for each entry of the table: 0 where it is not
 *	set, 1 where it works, 2 where it is the one that supports nothing
 * @PROBE_HEAPS: check the heaps and LsaProtectMemory
 * @PROBE_SLEEP: sleep @argument milliseconds, then PROBE_ECHO
 * @PROBE_OUTLIVE: sleep @argument milliseconds, then use the services and keep
 *	what they answered
 * @PROBE_RECALL: return the struct probe_outlived that was kept
 * @PROBE_NULLS: give services NULL where they want an address
 * @PROBE_QUERY: QueryClientRequest of the type @argument
 * @PROBE_MAP: MapBuffer of @argument bytes at @address, and return them; the
 *	payload is a struct probe_map
 * @PROBE_BASE: STATUS_NOT_FOUND where the message's address in the client is
 *	that of the package's function table
 * @PROBE_MAP_TWICE: map, change the client's copy through CopyToClientBuffer,
 *	map what was mapped again; return the bytes of the second
 * @PROBE_MAP_WORKER: MapBuffer in a thread without request
 * @PROBE_MAP_SUBMIT: MapBuffer of the submit buffer's payload as it is here;
 *	STATUS_SUCCESS if that is no second copy
 * @PROBE_UNSUPPORTED: call some of the entries that are not supported
 * @PROBE_IMPERSONATE: ImpersonateClient, open the file that the payload names,
 *	sleep @argument milliseconds, RevertToSelf where @address is 1; returns
 *	a struct probe_impersonation
 * @PROBE_IMPERSONATE_WORKER: ImpersonateClient in a thread without request
 * @PROBE_THREAD: CreateThread, wait for its end by its handle, use services in
 *	it; returns a struct probe_thread
 * @PROBE_NOTIFY: RegisterNotification as the struct probe_notify in the payload
 *	says, which is returned
 * @PROBE_OLD_INFO: GetClientInfo with a struct of @argument bytes, as older
 *	headers have it, and GetClientInfoEx; returns a struct probe_old_info
 * @PROBE_DUPLICATE: DuplicateHandle of a file with the payload as its bytes;
 *	returns the client's descriptor, a ULONG64
 * @PROBE_DUPLICATE_BAD: DuplicateHandle of @address, which is none
 */
enum probe_code {
	PROBE_ECHO = 1,
	PROBE_ALLOCATE,
	PROBE_FREE,
	PROBE_COPY_TO,
	PROBE_COPY_FROM,
	PROBE_CALL_STATUS,
	PROBE_PROTOCOL_STATUS,
	PROBE_SILENT,
	PROBE_LEAVE,
	PROBE_LEAVE_FREED,
	PROBE_NULL_REQUEST,
	PROBE_WORKER,
	PROBE_WORKER_HANDLE,
	PROBE_KEEP_HANDLE,
	PROBE_STALE_HANDLE,
	PROBE_BAD_HANDLE,
	PROBE_READ_HANDLE,
	PROBE_CALL_PACKAGE,
	PROBE_INFO,
	PROBE_IN_PLACE,
	PROBE_TABLE,
	PROBE_HEAPS,
	PROBE_SLEEP,
	PROBE_OUTLIVE,
	PROBE_RECALL,
	PROBE_NULLS,
	PROBE_QUERY,
	PROBE_UNSUPPORTED,
	PROBE_MAP,
	PROBE_BASE,
	PROBE_MAP_TWICE,
	PROBE_MAP_WORKER,
	PROBE_MAP_SUBMIT,
	PROBE_IMPERSONATE,
	PROBE_IMPERSONATE_WORKER,
	PROBE_THREAD,
	PROBE_NOTIFY,
	PROBE_OLD_INFO,
	PROBE_DUPLICATE,
	PROBE_DUPLICATE_BAD,
};

struct probe_message {
	ULONG code;
	ULONG argument;
	ULONG64 address;
	UCHAR payload[];
};

/* How MapBuffer is to be called, and what the buffer has to be afterwards */
struct probe_map {
	ULONG type;
	ULONG type_after;
	/* 1: input and output are the same struct; 2: input is NULL; 3: output */
	ULONG how;
	ULONG no_address;
};

/* What a thread without a request is answered */
struct probe_worker {
	NTSTATUS allocate;
	NTSTATUS free;
	NTSTATUS copy_to;
	NTSTATUS copy_from;
	NTSTATUS copy_nothing;
	NTSTATUS client_info;
	ULONG pointer_is_null;
	ULONG call_info;
	/* Not 0 where GetCallInfo left anything but zeroes */
	ULONG call_info_bytes;
};

/* What a package is answered whose client may have gone meanwhile */
struct probe_outlived {
	/* Counts what was kept, so that the latest can be told */
	ULONG count;
	NTSTATUS allocate;
	NTSTATUS free;
	NTSTATUS copy_to;
	NTSTATUS copy_from;
	NTSTATUS client_info;
	ULONG client_flags;
	ULONG pointer_is_null;
	/* The submit buffer as it was then */
	UCHAR payload[16];
};

/* What CallPackage answered */
struct probe_inner {
	NTSTATUS status;
	NTSTATUS protocol_status;
	ULONG length;
	ULONG has_buffer;
};

/* With what rights a package worked */
struct probe_impersonation {
	NTSTATUS status;
	/* What opening said */
	ULONG error;
	/* Of the thread then, and after RevertToSelf */
	ULONG uid;
	ULONG gid;
	ULONG nr_groups;
	ULONG uid_after;
	ULONG reverted;
};

/* What became of a thread */
struct probe_thread {
	ULONG has_handle;
	/* What CreateThread said is what it said itself */
	ULONG same_id;
	ULONG ended;
	ULONG closed;
	NTSTATUS allocate;
	/* Of one that would have to be started later, and of none */
	ULONG refused;
};

/* What becomes of a struct of older headers */
struct probe_old_info {
	NTSTATUS status;
	/* Bytes that were written beyond its end */
	ULONG overrun;
	/* Members that are where they have always been */
	ULONG process;
	ULONG thread;
	ULONG has_tcb;
	/* Of GetClientInfoEx with that size, and what it wrote */
	NTSTATUS ex_status;
	ULONG ex_bytes;
};

/* In: what to ask for; out: what came of it */
struct probe_notify {
	ULONG type;
	ULONG flags;
	ULONG interval;
	/* How often its event is set */
	ULONG events;
	/* How many calls to wait for, and how long at most */
	ULONG expected;
	ULONG ms;
	/* Whether there is a handle, and the calls up to CancelNotification */
	ULONG has_handle;
	ULONG calls;
	/* Calls in @ms after it, and what it and another one answered */
	ULONG late_calls;
	NTSTATUS cancel;
	NTSTATUS cancel_again;
};

/* Who called, in the words of the services. 32 bits each: for all clients */
struct probe_info {
	/* Trusted entry point */
	ULONG trusted;
	NTSTATUS client_status;
	LUID logon_id;
	ULONG process;
	ULONG thread;
	ULONG has_tcb;
	ULONG client_flags;
	ULONG level;
	ULONG client_size;
	NTSTATUS client_ex_status;
	ULONG ex_process;
	ULONG call_info;
	ULONG call_process;
	ULONG call_thread;
	ULONG call_attributes;
	ULONG call_count;
	NTSTATUS flags_status;
	ULONG extended_flags;
};

#endif /* PROBE_H */
