/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Control groups of a test.
 */
#ifndef CGROUPS_H
#define CGROUPS_H

#include "lsabuf_test.h"

/*
 * A control group for one test. @path is empty where there is none.
 */
struct cgroup {
	char root[32];
	char path[64];
};

static inline int cgroup_write(struct cgroup *group, const char *file,
			       const char *text)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", group->path, file);
	return write_text(path, text);
}

static inline void cgroup_remove(struct cgroup *group)
{
	rmdir(group->path);
	umount2(group->root, MNT_DETACH);
	rmdir(group->root);
}

static inline int cgroup_make(struct cgroup *group, const char *max)
{
	char path[64];
	int ret;

	snprintf(group->root, sizeof(group->root), "/tmp/cgroup-%d", getpid());
	snprintf(group->path, sizeof(group->path), "%s/test-%d", group->root,
		 getpid());
	mkdir("/tmp", 01777);
	if (mkdir(group->root, 0700) ||
	    mount("none", group->root, "cgroup2", 0, NULL))
		return -errno;
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", group->root);
	ret = write_text(path, "+memory");
	if (!ret && mkdir(group->path, 0700))
		ret = -errno;
	if (!ret)
		ret = cgroup_write(group, "memory.max", max);
	return ret;
}

static inline long cgroup_kills(struct cgroup *group)
{
	char path[96], *text, *found;
	long kills = -1;

	snprintf(path, sizeof(path), "%s/memory.events", group->path);
	text = read_text(path);
	found = strstr(text, "oom_kill ");
	if (found)
		kills = atol(found + strlen("oom_kill "));
	free(text);
	return kills;
}

static inline __u64 cgroup_charge(struct cgroup *group)
{
	char path[96], *text;
	__u64 charge;

	snprintf(path, sizeof(path), "%s/memory.current", group->path);
	text = read_text(path);
	charge = strtoull(text, NULL, 0);
	free(text);
	return charge;
}

#endif /* CGROUPS_H */
