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

/* What a file of the group says; the caller frees it. */
static inline char *cgroup_read(const struct cgroup *group, const char *file)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", group->path, file);
	return read_text(path);
}

/* The number after @name in a file of the group, -1 where it is not. */
static inline long long cgroup_number(const struct cgroup *group,
				      const char *file, const char *name)
{
	char *text = cgroup_read(group, file);
	char *at = text ? strstr(text, name) : NULL;
	long long number = at ? strtoll(at + strlen(name), NULL, 10) : -1;

	free(text);
	return number;
}

static inline long cgroup_kills(const struct cgroup *group)
{
	return cgroup_number(group, "memory.events", "oom_kill ");
}

static inline __u64 cgroup_charge(const struct cgroup *group)
{
	return cgroup_number(group, "memory.current", "");
}

#endif /* CGROUPS_H */
