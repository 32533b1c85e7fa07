// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which clients are logon processes (have SeTcbPrivilege, in Windows' terms).
 * Decided for each request from what the kernel recorded with it, and from
 * nothing that the client says.
 */
#include <errno.h>
#include <grp.h>
#include <stdlib.h>

#include "lsahost.h"

/* Groups that fit without an allocation: most users are in fewer */
#define NR_GROUPS 64

static bool has_group;
static gid_t trusted_group;

/**
 * trust_set_group() - trust the members of a group, too
 * @group: its name or number
 *
 * Return: whether there is such a group. Call it before the pool starts.
 */
bool trust_set_group(const char *group)
{
	struct group *entry = getgrnam(group);
	unsigned long number;
	char *end;

	if (entry) {
		trusted_group = entry->gr_gid;
		has_group = true;
		return true;
	}
	errno = 0;
	number = strtoul(group, &end, 10);
	/* The last number is what the system calls use for "no group" */
	if (errno || end == group || *end || number >= (gid_t)-1)
		return false;
	trusted_group = number;
	has_group = true;
	return true;
}

static bool is_among(const uint32_t *groups, uint32_t nr_groups)
{
	uint32_t i;

	for (i = 0; i < nr_groups; i++) {
		if (groups[i] == trusted_group)
			return true;
	}
	return false;
}

static bool is_member(int fd, const struct lsabuf_reply_receive *request)
{
	uint32_t few[NR_GROUPS], *all;
	struct lsabuf_identity identity;
	uint32_t nr_groups;
	bool found;

	if (request->out_gid == trusted_group)
		return true;
	if (lsabuf_identity(fd, request->out_id, &identity, few, NR_GROUPS))
		return false;
	nr_groups = identity.nr_groups;
	if (nr_groups <= NR_GROUPS)
		return is_among(few, nr_groups);

	all = calloc(nr_groups, sizeof(*all));
	if (!all)
		return false;
	/* The recorded identity does not change: the number is the same */
	found = !lsabuf_identity(fd, request->out_id, &identity, all,
				 nr_groups) &&
		is_among(all, nr_groups);
	free(all);
	return found;
}

/**
 * trust_is_trusted() - whether the client of a request is a logon process
 * @fd: authority
 * @request: received and not yet answered
 *
 * Return: TRUE for CAP_SYS_ADMIN in the user namespace of this process, and
 * for members of the group that was set.
 */
BOOLEAN trust_is_trusted(int fd, const struct lsabuf_reply_receive *request)
{
	if (request->out_flags & LSABUF_REQUEST_F_ADMIN)
		return TRUE;
	return has_group && is_member(fd, request);
}
