/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Included before all else into the programs that mutants are run against:
 * of a program's tests only those named in LSABUF_PICK ("one,two") are run.
 */
#ifndef LSABUF_PICK_H
#define LSABUF_PICK_H

#define _GNU_SOURCE
#include "kselftest_harness.h"

static bool lsabuf_pick_has(const char *name)
{
	const char *list = getenv("LSABUF_PICK");
	size_t length = strlen(name);
	const char *at = list;

	while (at && (at = strstr(at, name))) {
		if ((at == list || at[-1] == ',') && strchr(",", at[length]))
			return true;
		at += length;
	}
	return !list;
}

static void lsabuf_pick_tests(void)
{
	struct __fixture_metadata *fixture;
	struct __test_metadata *test, **link;

	for (fixture = __fixture_list; fixture; fixture = fixture->next) {
		link = &fixture->tests;
		while ((test = *link)) {
			if (lsabuf_pick_has(test->name))
				link = &test->next;
			else
				*link = test->next;
		}
	}
}

static int lsabuf_pick_run(int argc, char **argv)
{
	lsabuf_pick_tests();
	return test_harness_run(argc, argv);
}

/* What main() calls from here on */
#define test_harness_run lsabuf_pick_run

#endif /* LSABUF_PICK_H */
