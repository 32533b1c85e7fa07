/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The package "mirror", with which tests try security packages: what a target
 * name makes it do, and what it tells of itself.
 */
#ifndef MIRROR_H
#define MIRROR_H

#define MIRROR_NAME "mirror"
#define MIRROR_SMALL_NAME "mirror-small"
#define MIRROR_KEY "the key that both sides have"

/* Attribute of credentials: how many of both there are, a struct mirror_counts */
#define MIRROR_ATTR_COUNTS 1000

/*
 * With this name as principal, credentials expire at the address of this very
 * text in shared memory; with it as logon information, that is the LogonId.
 */
#define MIRROR_SHARED "shared"

struct mirror_counts {
	unsigned short credentials;
	unsigned short contexts;
	/* Ended without their client */
	unsigned short run_down;
	/* Non-zero if anything was wrong with what SpInitialize was given */
	unsigned short bad_start;
};

#endif /* MIRROR_H */
