/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results in the Test Anything Protocol, for programs that test the library's
 * pure functions and need neither the device nor a kernel tree.
 */
#ifndef _LSABUF_TAP_H
#define _LSABUF_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static unsigned int tap_done, tap_failed;

/* One result; returns @good, so that more can be said about a failure */
__attribute__((format(printf, 2, 3))) static inline bool
ok(bool good, const char *format, ...)
{
	va_list arguments;

	tap_done++;
	if (!good)
		tap_failed++;
	printf("%sok %u - ", good ? "" : "not ", tap_done);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	return good;
}

/* Several checks with one result: the first that fails is shown */
struct tap_group {
	const char *name;
	unsigned int checks;
	bool failed;
};

#define check(group, condition)                                     \
	do {                                                        \
		(group)->checks++;                                  \
		if (!(condition)) {                                 \
			(group)->failed = true;                     \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, \
			       #condition);                         \
		}                                                   \
	} while (0)

static inline void tap_group_end(const struct tap_group *group)
{
	ok(!group->failed, "%s (%u checks)", group->name, group->checks);
}

static inline int tap_end(void)
{
	printf("1..%u\n", tap_done);
	if (tap_failed)
		printf("# %u of %u failed\n", tap_failed, tap_done);
	fflush(stdout);
	return tap_failed ? 1 : 0;
}

#endif /* _LSABUF_TAP_H */
