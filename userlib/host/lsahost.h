/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of lsahost. Calls go downwards:
 *
 *	main.c		options, signals, begin and end
 *	pool.c		the server threads
 *	dispatch.c	what a request asks for, and its answer
 *	config.c	the packages that are configured
 *	package.c	the packages that are loaded
 *	trust.c		which clients are logon processes
 *	log.c notify.c	telling people and the service manager
 */
#ifndef LSAHOST_H
#define LSAHOST_H

#include <stdbool.h>
#include <sys/types.h>

#include <lsabuf_host.h>

/* log.c */
enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_INFO,
	LOG_LEVEL_CALLS,
};

extern enum log_level log_level;

__attribute__((format(printf, 2, 3))) void log_line(enum log_level level,
						    const char *format, ...);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_call(...) log_line(LOG_LEVEL_CALLS, __VA_ARGS__)

/* notify.c */
void notify(const char *state);

/* trust.c */
bool trust_set_group(const char *group);
BOOLEAN trust_is_trusted(int fd, const struct lsabuf_reply_receive *request);

/* package.c */

/**
 * struct package - a package that has been loaded
 * @name: as it gave it itself
 * @id: its number, from 0 on
 * @call: LsaApCallPackage, or NULL
 * @call_untrusted: LsaApCallPackageUntrusted, or NULL
 */
struct package {
	char name[128];
	ULONG id;
	PLSA_AP_CALL_PACKAGE call;
	PLSA_AP_CALL_PACKAGE call_untrusted;
};

bool package_load(const char *directory, const char *name);
unsigned int package_count(void);
const struct package *package_by_id(ULONG id);
const struct package *package_by_name(const STRING *name);

/* config.c */
bool config_load(const char *directory, const char *packages);

/* dispatch.c */

/**
 * struct answer - what the client is to get
 * @status: two values, see protocol.h
 * @address: return buffer in the client
 * @length: its length in bytes
 */
struct answer {
	uint32_t status[2];
	uint64_t address;
	uint64_t length;
};

extern const struct lsabuf_host dispatch_functions;

void dispatch(int fd, const struct lsabuf_reply_receive *request,
	      struct answer *answer);

/* pool.c */
bool pool_start(int fd, unsigned int threads);
bool pool_stop(unsigned int seconds);
bool pool_has_failed(void);

#endif /* LSAHOST_H */
