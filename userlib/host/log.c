// SPDX-License-Identifier: LGPL-2.1-or-later
/* Log lines: one write(2) each, so that threads do not mix theirs. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lsahost.h"

enum log_level log_level = LOG_LEVEL_INFO;

void log_line(enum log_level level, const char *format, ...)
{
	char line[1024] = "lsahost: ";
	size_t used = strlen(line);
	va_list arguments;
	int n;

	if (level > log_level)
		return;
	va_start(arguments, format);
	n = vsnprintf(line + used, sizeof(line) - used - 1, format, arguments);
	va_end(arguments);
	if (n < 0)
		return;
	used = strlen(line);
	line[used++] = '\n';
	/* Nobody can be told when this fails */
	if (write(STDERR_FILENO, line, used) < 0)
		return;
}
