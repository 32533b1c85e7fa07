/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The package "mirror", with which tests try security packages: what a target
 * name makes it do, and what it tells of itself.
 */
#ifndef MIRROR_H
#define MIRROR_H

#define MIRROR_NAME "mirror"
#define MIRROR_SMALL_NAME "mirror-small"
/* These log on only, by LsaApLogonUserEx and by LsaApLogonUser */
#define MIRROR_EX_NAME "mirror-ex"
#define MIRROR_PLAIN_NAME "mirror-plain"
#define MIRROR_KEY "the key that both sides have"

/* Attribute of credentials: how many of both there are, a struct mirror_counts */
#define MIRROR_ATTR_COUNTS 1000

/*
 * With this name as principal, credentials expire at the address of this very
 * text in shared memory; with it as logon information, that is the LogonId.
 */
#define MIRROR_SHARED "shared"

/* In lsahost's environment: it makes no shared memory. */
#define MIRROR_UNSHARED "LSABUF_MIRROR_UNSHARED"

/* Profile of a logon: where the information was, and what the client said */
struct mirror_profile {
	unsigned long long base;
	unsigned int type;
	char text[8];
} __attribute__((packed, aligned(4)));

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

/*
 * Target that begins with this and goes on with a number: what becomes of the
 * output buffers follows from the number, see mirror_plan(). The context's
 * attributes are then a sum of all input buffers, see mirror_sum().
 */
#define MIRROR_MODEL "model "

enum mirror_action {
	MIRROR_LEAVE,
	/* Map it and write into what was mapped, or allocate it */
	MIRROR_FILL,
	/* Copy to the client's buffer by itself, or allocate it there */
	MIRROR_COPY,
	MIRROR_EMPTY,
	/* Say that it is shorter, and no more */
	MIRROR_SHORTEN,
	/* Say that it is longer: which fails */
	MIRROR_LENGTHEN,
	MIRROR_ACTIONS,
};

/* What is to become of a buffer; bytes, of the pattern mirror_byte() */
struct mirror_plan {
	enum mirror_action action;
	unsigned int length;
};

static inline unsigned long long mirror_draw(unsigned long long *state)
{
	unsigned long long z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* @length: of the buffer, or 63 where it is to be allocated */
static inline struct mirror_plan
mirror_plan(unsigned long long number, unsigned int index, unsigned int length)
{
	unsigned long long state = number * 64 + index;
	struct mirror_plan plan;

	plan.action = mirror_draw(&state) % MIRROR_ACTIONS;
	/* Most numbers have none of those that let all fail */
	if (plan.action == MIRROR_LENGTHEN && number % 4)
		plan.action = MIRROR_FILL;
	plan.length = mirror_draw(&state) % (length + 1ULL);
	return plan;
}

static inline unsigned char mirror_byte(unsigned long long number,
					unsigned int index, unsigned int at)
{
	return number * 31 + index * 7 + at;
}

static inline unsigned int mirror_sum(unsigned int sum, const void *bytes,
				      unsigned int length)
{
	const unsigned char *byte = bytes;

	for (; length; length--)
		sum = (sum ^ *byte++) * 16777619U;
	return sum * 31 + 1;
}

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
