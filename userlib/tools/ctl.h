/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of lsabufctl. Each command is a function of its own words; its
 * result is the program's exit status.
 */
#ifndef CTL_H
#define CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Exit status */
enum {
	CTL_OK = 0,
	CTL_FAILED = 1, /* or "no": it is in use, something is wrong */
	CTL_USAGE = 2,
	CTL_DENIED = 3, /* takes root */
	CTL_ABSENT = 4, /* the module is not loaded */
};

int ctl_status(int argc, char **argv);
int ctl_top(int argc, char **argv);
int ctl_call(int argc, char **argv);
int ctl_trace(int argc, char **argv);
int ctl_holders(int argc, char **argv);
int ctl_drain(int argc, char **argv);
int ctl_endpoint(int argc, char **argv);
int ctl_doctor(int argc, char **argv);

/* lsabufctl.c */
int ctl_usage(const char *reason);
int ctl_error(const char *what, int error);
bool ctl_number(const char *text, unsigned long max, unsigned long *number);

/* ctl_system.c: what the kernel shows */

#define CTL_MODULE "/sys/module/lsabuf"
#define CTL_SUMMARY "/sys/kernel/debug/lsabuf/summary"

/**
 * struct ctl_entry - something of the module's, as "key: value"
 * @pid: the process that it was found in
 * @fd: its descriptor there, -1 for none
 * @comm: name of the process
 * @nr: number of values
 * @value: name and text of each
 */
struct ctl_entry {
	pid_t pid;
	int fd;
	char comm[32];
	unsigned int nr;
	struct {
		char key[24];
		char text[136];
	} value[24];
};

/**
 * struct ctl_list - entries
 * @entry: them
 * @nr: number of them
 * @partial: there are processes that this user may not look into
 */
struct ctl_list {
	struct ctl_entry *entry;
	size_t nr;
	bool partial;
};

const char *ctl_text(const struct ctl_entry *entry, const char *key);
unsigned long long ctl_figure(const struct ctl_entry *entry, const char *key);
bool ctl_is(const struct ctl_entry *entry, const char *key, const char *text);
bool ctl_loaded(void);
int ctl_read_line(const char *path, char *line, size_t size);
int ctl_write(const char *path, const char *text);
void ctl_files(struct ctl_list *list);
void ctl_mappings(struct ctl_list *list);
int ctl_summary(struct ctl_list *list);
void ctl_list_free(struct ctl_list *list);

/* ctl_table.c: for people, and for programs */

#define CTL_COLUMNS 16

/**
 * struct ctl_table - lines of cells, printed when all are there
 * @heads: title of each column; one that begins with "<" is aligned to the
 *	left and gives way where the terminal is narrow
 * @nr: number of columns
 * @cell: texts, line by line
 * @nr_cells: number of them
 */
struct ctl_table {
	const char *const *heads;
	unsigned int nr;
	char **cell;
	size_t nr_cells;
};

void ctl_table_init(struct ctl_table *table, const char *const *heads);
void ctl_table_add(struct ctl_table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void ctl_table_print(struct ctl_table *table, const char *title);
unsigned int ctl_width(void);
bool ctl_colours(void);
const char *ctl_bytes(unsigned long long bytes, char text[16]);
const char *ctl_time(unsigned long long ns, char text[16]);
void ctl_json_text(const char *text);
void ctl_json_entry(const struct ctl_entry *entry);

#endif /* CTL_H */
