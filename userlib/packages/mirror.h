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

/*
 * Logon information. The first makes a session with a credential in it; the
 * second fails after that; the third makes one and deletes it.
 */
#define MIRROR_SESSION "session"
#define MIRROR_SESSION_LOST "session lost"
#define MIRROR_SESSION_DELETED "session deleted"
#define MIRROR_ACCOUNT u"somebody"
#define MIRROR_AUTHORITY u"mirror"
#define MIRROR_SECRET "the secret of a session"

/*
 * Attribute of credentials: how many credentials the package finds in the
 * session that these credentials were acquired for, a USHORT
 */
#define MIRROR_ATTR_KEPT 1001

struct mirror_counts {
	unsigned short credentials;
	unsigned short contexts;
	/* Ended without their client */
	unsigned short run_down;
	/* Non-zero if anything was wrong with what SpInitialize was given */
	unsigned short bad_start;
};

/*
 * Attribute of credentials: how many logon sessions the LSA has told the end
 * of, and the lower part of the latest one's number
 */
#define MIRROR_ATTR_ENDS 1002

struct mirror_ends {
	unsigned int terminated;
	unsigned int latest;
};

#endif /* MIRROR_H */
