// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * lsabufctl: what the kernel shows of the module: fdinfo and maps of each
 * process, and the summary in debugfs.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ctl.h"

const char *ctl_text(const struct ctl_entry *entry, const char *key)
{
	unsigned int i;

	for (i = 0; i < entry->nr; i++)
		if (!strcmp(entry->value[i].key, key))
			return entry->value[i].text;
	return "";
}

unsigned long long ctl_figure(const struct ctl_entry *entry, const char *key)
{
	return strtoull(ctl_text(entry, key), NULL, 10);
}

bool ctl_is(const struct ctl_entry *entry, const char *key, const char *text)
{
	return !strcmp(ctl_text(entry, key), text);
}

bool ctl_loaded(void)
{
	return !access(CTL_MODULE, F_OK);
}

/* The first line of a file, without its end: 0 or -errno. */
int ctl_read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	int ret = 0;

	if (!file)
		return -errno;
	if (!fgets(line, size, file))
		ret = -ENODATA;
	else
		line[strcspn(line, "\n")] = 0;
	fclose(file);
	return ret;
}

/* Write a text at once: 0 or -errno. */
int ctl_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static struct ctl_entry *add_entry(struct ctl_list *list, pid_t pid, int fd)
{
	struct ctl_entry *entry;
	char path[64];

	entry = realloc(list->entry, (list->nr + 1) * sizeof(*entry));
	if (!entry)
		abort();
	list->entry = entry;
	entry += list->nr++;
	*entry = (struct ctl_entry){ .pid = pid, .fd = fd };
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if (pid && ctl_read_line(path, entry->comm, sizeof(entry->comm)))
		strcpy(entry->comm, "?");
	return entry;
}

static void add_value(struct ctl_entry *entry, const char *key,
		      const char *text)
{
	if (entry->nr == ARRAY_SIZE(entry->value))
		return;
	snprintf(entry->value[entry->nr].key, sizeof(entry->value[0].key),
		 "%.23s", key);
	snprintf(entry->value[entry->nr].text, sizeof(entry->value[0].text),
		 "%.135s", text);
	entry->nr++;
}

/* The device's number, whatever its nodes are called: 0 or -errno. */
static int device_number(dev_t *number)
{
	unsigned int major, minor;
	char line[32];
	int ret;

	ret = ctl_read_line("/sys/class/misc/lsabuf/dev", line, sizeof(line));
	if (ret)
		return ret;
	if (sscanf(line, "%u:%u", &major, &minor) != 2)
		return -EINVAL;
	*number = makedev(major, minor);
	return 0;
}

static void add_file(struct ctl_list *list, pid_t pid, int fd)
{
	struct ctl_entry *entry;
	char path[64], line[256];
	FILE *file;
	char *text;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	file = fopen(path, "re");
	if (!file)
		return;
	entry = add_entry(list, pid, fd);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		text = strstr(line, ":\t");
		if (!text || strncmp(line, "lsabuf-", 7))
			continue;
		*text = 0;
		add_value(entry, line + 7, text + 2);
	}
	fclose(file);
	/* Closed just now */
	if (!entry->nr)
		list->nr--;
}

/* A section's file has another device; its link tells what it is. */
static bool is_ours(int directory, const char *name, dev_t number)
{
	char link[64];
	struct stat st;
	ssize_t n;

	if (fstatat(directory, name, &st, 0))
		return false;
	if (S_ISCHR(st.st_mode))
		return st.st_rdev == number;
	n = readlinkat(directory, name, link, sizeof(link) - 1);
	if (n < 0)
		return false;
	link[n] = 0;
	return strstr(link, "lsabuf");
}

static void add_files_of(struct ctl_list *list, pid_t pid, dev_t number)
{
	struct dirent *entry;
	char path[32];
	DIR *files;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	files = opendir(path);
	if (!files) {
		list->partial |= errno == EACCES;
		return;
	}
	while ((entry = readdir(files)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    is_ours(dirfd(files), entry->d_name, number))
			add_file(list, pid, atoi(entry->d_name));
	closedir(files);
}

static void scan_processes(struct ctl_list *list, dev_t number,
			   void (*add)(struct ctl_list *list, pid_t pid,
				       dev_t number))
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;

	if (!processes)
		return;
	while ((entry = readdir(processes)))
		if (isdigit((unsigned char)entry->d_name[0]))
			add(list, atoi(entry->d_name), number);
	closedir(processes);
}

/* Every file of the device that this user may see. */
void ctl_files(struct ctl_list *list)
{
	dev_t number;

	*list = (struct ctl_list){ 0 };
	if (!device_number(&number))
		scan_processes(list, number, add_files_of);
}

static void add_mappings_of(struct ctl_list *list, pid_t pid, dev_t number)
{
	unsigned long begin, end;
	struct ctl_entry *entry;
	char path[32], line[512], size[24];
	FILE *maps;
	char *name;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	while (maps && fgets(line, sizeof(line), maps)) {
		name = strstr(line, "lsabuf:");
		if (!name || sscanf(line, "%lx-%lx", &begin, &end) != 2)
			continue;
		name[strcspn(name, "\n")] = 0;
		entry = add_entry(list, pid, -1);
		snprintf(size, sizeof(size), "%lu", end - begin);
		add_value(entry, "mapping", name);
		add_value(entry, "size", size);
	}
	if (maps)
		fclose(maps);
	else
		list->partial |= errno == EACCES;
}

/* Every mapping of the module's that this user may see. */
void ctl_mappings(struct ctl_list *list)
{
	*list = (struct ctl_list){ 0 };
	scan_processes(list, 0, add_mappings_of);
}

static void add_line(struct ctl_list *list, char *line)
{
	struct ctl_entry *entry = add_entry(list, 0, -1);
	char *word, *rest = line, *text;

	add_value(entry, "object", strsep(&rest, " "));
	while ((word = strsep(&rest, " "))) {
		text = strchr(word, '=');
		if (!text)
			continue;
		*text = 0;
		add_value(entry, word, text + 1);
	}
}

/* The summary, for root only: 0 or -errno. */
int ctl_summary(struct ctl_list *list)
{
	FILE *file = fopen(CTL_SUMMARY, "re");
	char line[512];

	*list = (struct ctl_list){ 0 };
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		add_line(list, line);
	}
	fclose(file);
	return 0;
}

void ctl_list_free(struct ctl_list *list)
{
	free(list->entry);
	*list = (struct ctl_list){ 0 };
}
