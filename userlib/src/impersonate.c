// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * ImpersonateClient: a package opens files with the rights of its client.
 *
 * Linux asks for the file system ids of the thread, and for its groups. These
 * alone are changed, and of this thread alone: by the system calls themselves,
 * as the functions of the C library change the groups of all threads.
 *
 * It ends with RevertToSelf, or when the request ends in which it began.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ntstatus.h>

#include "impersonate.h"
#include "internal.h"
#include "services.h"

/* Where there are old ones for ids of 16 bits */
#ifdef SYS_setfsuid32
#define CALL_SETFSUID SYS_setfsuid32
#define CALL_SETFSGID SYS_setfsgid32
#define CALL_SETGROUPS SYS_setgroups32
#else
#define CALL_SETFSUID SYS_setfsuid
#define CALL_SETFSGID SYS_setfsgid
#define CALL_SETGROUPS SYS_setgroups
#endif

/**
 * struct ids - what the kernel goes by when it opens a file
 * @uid: user
 * @gid: group
 * @nr_groups: number of further groups
 * @groups: these
 */
struct ids {
	uid_t uid;
	gid_t gid;
	uint32_t nr_groups;
	gid_t *groups;
};

/* The request that this thread impersonates for, and what it was before */
static __thread const struct host_request *impersonating;
static __thread struct ids self;

/* These tell the former id, and change nothing where they must not */
static uid_t set_uid(uid_t uid)
{
	return syscall(CALL_SETFSUID, uid);
}

static gid_t set_gid(gid_t gid)
{
	return syscall(CALL_SETFSGID, gid);
}

/*
 * Asked before anything is tried: where system calls are filtered, those that
 * are not allowed may end the process.
 */
static bool is_privileged(void)
{
	const uint32_t needed = 1 << CAP_SETUID | 1 << CAP_SETGID;
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return !syscall(SYS_capget, &header, data) &&
	       (data[0].effective & needed) == needed;
}

static bool change_groups(const struct ids *ids)
{
	return !syscall(CALL_SETGROUPS, (size_t)ids->nr_groups, ids->groups);
}

static bool change_ids(const struct ids *ids)
{
	set_gid(ids->gid);
	set_uid(ids->uid);
	return set_gid(-1) == ids->gid && set_uid(-1) == ids->uid;
}

static bool get_self(struct ids *ids)
{
	int nr = getgroups(0, NULL);

	ids->groups = calloc(nr > 0 ? nr : 1, sizeof(*ids->groups));
	if (nr < 0 || !ids->groups)
		return false;
	ids->nr_groups = nr;
	ids->uid = set_uid(-1);
	ids->gid = set_gid(-1);
	return getgroups(nr, ids->groups) == nr;
}

static int get_client(const struct host_request *client, struct ids *ids)
{
	struct lsabuf_identity identity;
	int ret;

	ret = lsabuf_identity(client->fd, client->received.out_id, &identity,
			      NULL, 0);
	if (ret)
		return ret;
	/* The recorded identity does not change: the number is the same */
	ids->nr_groups = identity.nr_groups;
	ids->groups = calloc(ids->nr_groups + 1, sizeof(*ids->groups));
	if (!ids->groups)
		return -ENOMEM;
	ids->uid = identity.out_fsuid;
	ids->gid = identity.out_fsgid;
	return lsabuf_identity(client->fd, client->received.out_id, &identity,
			       ids->groups, ids->nr_groups);
}

/* To go on with another's rights would be worse than to end */
static void revert(void)
{
	if (!change_groups(&self) || !change_ids(&self))
		abort();
	free(self.groups);
	impersonating = NULL;
}

/**
 * host_impersonation_end() - a request of this thread ends
 * @request: that one
 */
void host_impersonation_end(const struct host_request *request)
{
	if (impersonating == request)
		revert();
}

LSABUF_EXPORT BOOL WINAPI lsabuf_revert_to_self(VOID)
{
	if (impersonating)
		revert();
	return TRUE;
}

static NTSTATUS impersonate(const struct host_request *request,
			    const struct ids *ids)
{
	if (!get_self(&self)) {
		free(self.groups);
		return STATUS_NO_MEMORY;
	}
	/* Namespaces and filters may forbid it: then nothing has changed */
	if (!change_groups(ids)) {
		free(self.groups);
		return STATUS_PRIVILEGE_NOT_HELD;
	}
	impersonating = request;
	if (change_ids(ids))
		return STATUS_SUCCESS;
	revert();
	return STATUS_CANNOT_IMPERSONATE;
}

NTSTATUS NTAPI service_impersonate_client(VOID)
{
	const struct host_request *request = host_request_current();
	const struct host_request *client = host_request_client(request);
	struct ids ids = { 0 };
	NTSTATUS status;
	int ret;

	if (request && host_request_is_rundown(request))
		return STATUS_PROCESS_IS_TERMINATING;
	if (!client)
		return STATUS_NO_IMPERSONATION_TOKEN;
	if (impersonating)
		return STATUS_SUCCESS;
	if (!is_privileged())
		return STATUS_PRIVILEGE_NOT_HELD;
	ret = get_client(client, &ids);
	status = ret ? lsabuf_status(ret, LSABUF_SUBJECT_REQUEST) :
		       impersonate(request, &ids);
	free(ids.groups);
	return status;
}
