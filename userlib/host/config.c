// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The packages that an administrator has configured: each file of a directory
 * whose name ends with .conf, in the order of their names, one package a line.
 * Empty lines and what begins with # do not count.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsahost.h"

static int is_config(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && end && !strcmp(end, ".conf");
}

/* Without what is around it: NULL where nothing is left */
static char *strip(char *line)
{
	size_t length;

	line += strspn(line, " \t");
	length = strcspn(line, "\r\n");
	while (length && (line[length - 1] == ' ' || line[length - 1] == '\t'))
		length--;
	line[length] = '\0';
	return length && line[0] != '#' ? line : NULL;
}

static bool load_file(const char *path, const char *packages)
{
	char *line = NULL, *name;
	FILE *file = fopen(path, "re");
	bool good = true;
	size_t room = 0;

	if (!file) {
		log_error("cannot read %s: %m", path);
		return false;
	}
	while (good && getline(&line, &room, file) >= 0) {
		name = strip(line);
		if (name && !package_load(packages, name)) {
			log_error("%s: cannot go on without %s", path, name);
			good = false;
		}
	}
	free(line);
	fclose(file);
	return good;
}

/**
 * config_load() - load the packages that are configured
 * @directory: where the files are
 * @packages: where packages are that have no slash in their names
 *
 * Return: whether all could be loaded; if not, the reason has been logged.
 */
bool config_load(const char *directory, const char *packages)
{
	struct dirent **entries;
	char path[PATH_MAX];
	bool good = true;
	int count, i;

	count = scandir(directory, &entries, is_config, alphasort);
	if (count < 0) {
		log_error("cannot read %s: %m", directory);
		return false;
	}
	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory,
			 entries[i]->d_name);
		good = good && load_file(path, packages);
		free(entries[i]);
	}
	free(entries);
	return good;
}
