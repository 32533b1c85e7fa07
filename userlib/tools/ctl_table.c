// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsabufctl: tables that fit the terminal, figures for people, JSON. */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl.h"

/* What a column that gives way keeps */
#define NARROWEST 6

/* Columns of the terminal, 0 where any width will do */
unsigned int ctl_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;

	if (isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) &&
	    size.ws_col)
		return size.ws_col;
	return columns ? strtoul(columns, NULL, 10) : 0;
}

bool ctl_colours(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && term && *term &&
	       strcmp(term, "dumb");
}

void ctl_table_init(struct ctl_table *table, const char *const *heads)
{
	*table = (struct ctl_table){ .heads = heads };
	while (table->nr < CTL_COLUMNS && heads[table->nr])
		table->nr++;
}

/* Add one cell; a row is full when it has as many as there are heads. */
void ctl_table_add(struct ctl_table *table, const char *format, ...)
{
	va_list arguments;
	char **cells;
	char *text;

	cells = realloc(table->cell, (table->nr_cells + 1) * sizeof(*cells));
	va_start(arguments, format);
	if (!cells || vasprintf(&text, format, arguments) < 0)
		abort();
	va_end(arguments);
	table->cell = cells;
	cells[table->nr_cells++] = text;
}

static bool is_left(const struct ctl_table *table, unsigned int column)
{
	return table->heads[column][0] == '<';
}

static const char *head(const struct ctl_table *table, unsigned int column)
{
	return table->heads[column] + is_left(table, column);
}

static unsigned int measure(const struct ctl_table *table, unsigned int *widths)
{
	unsigned int column, total = 0;
	size_t i;

	for (column = 0; column < table->nr; column++)
		widths[column] = strlen(head(table, column));
	for (i = 0; i < table->nr_cells; i++)
		if (strlen(table->cell[i]) > widths[i % table->nr])
			widths[i % table->nr] = strlen(table->cell[i]);
	for (column = 0; column < table->nr; column++)
		total += widths[column] + (column ? 2 : 0);
	return total;
}

/* The widest of those that give way, or -1. */
static int widest(const struct ctl_table *table, const unsigned int *widths)
{
	unsigned int column;
	int found = -1;

	for (column = 0; column < table->nr; column++)
		if (is_left(table, column) && widths[column] > NARROWEST &&
		    (found < 0 || widths[column] > widths[found]))
			found = column;
	return found;
}

/* The last column of a line ends without blanks. */
static void print_cell(const struct ctl_table *table, unsigned int column,
		       const char *text, const unsigned int *widths)
{
	int width = widths[column];
	bool last = column == table->nr - 1;

	if (!is_left(table, column))
		printf("%*s", width, text);
	else
		printf("%-*.*s", last ? 0 : width, width, text);
	fputs(last ? "\n" : "  ", stdout);
}

/* Print the table, if it has a line, and free its cells. */
void ctl_table_print(struct ctl_table *table, const char *title)
{
	unsigned int widths[CTL_COLUMNS], width = ctl_width(), column, total;
	bool bold = ctl_colours();
	size_t i;
	int give;

	if (!table->nr_cells)
		return;
	total = measure(table, widths);
	while (width && total > width && (give = widest(table, widths)) >= 0) {
		widths[give]--;
		total--;
	}
	printf("%s%s%s\n", bold ? "\033[1m" : "", title, bold ? "\033[0m" : "");
	for (column = 0; column < table->nr; column++)
		print_cell(table, column, head(table, column), widths);
	for (i = 0; i < table->nr_cells; i++) {
		print_cell(table, i % table->nr, table->cell[i], widths);
		free(table->cell[i]);
	}
	free(table->cell);
	*table = (struct ctl_table){ 0 };
}

const char *ctl_bytes(unsigned long long bytes, char text[16])
{
	static const char units[] = "BKMGTPE";
	unsigned int unit = 0;
	double value = bytes;

	while (value >= 1024 && units[unit + 1]) {
		value /= 1024;
		unit++;
	}
	snprintf(text, 16, unit && value < 10 ? "%.1f%c" : "%.0f%c", value,
		 units[unit]);
	return text;
}

const char *ctl_time(unsigned long long ns, char text[16])
{
	if (ns < 1000000)
		snprintf(text, 16, "%.1fus", ns / 1e3);
	else if (ns < 1000000000)
		snprintf(text, 16, "%.1fms", ns / 1e6);
	else
		snprintf(text, 16, "%.2fs", ns / 1e9);
	return text;
}

void ctl_json_text(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text < ' ')
			printf("\\u%04x", *text);
		else
			putchar(*text);
	}
	putchar('"');
}

static bool is_number(const char *text)
{
	size_t length = strlen(text);

	/* More digits may be no number to who reads it. */
	return length && length < 16 && strspn(text, "0123456789") == length &&
	       (length == 1 || *text != '0');
}

void ctl_json_entry(const struct ctl_entry *entry)
{
	const char *comma = "";
	unsigned int i;

	putchar('{');
	if (entry->pid) {
		printf("\"pid\":%d,\"command\":", entry->pid);
		ctl_json_text(entry->comm);
		comma = ",";
	}
	if (entry->fd >= 0)
		printf(",\"fd\":%d", entry->fd);
	for (i = 0; i < entry->nr; i++) {
		fputs(comma, stdout);
		comma = ",";
		ctl_json_text(entry->value[i].key);
		putchar(':');
		if (is_number(entry->value[i].text))
			fputs(entry->value[i].text, stdout);
		else
			ctl_json_text(entry->value[i].text);
	}
	putchar('}');
}
