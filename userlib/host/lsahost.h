/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of lsahost. Calls go downwards:
 *
 *	main.c		options, signals, begin and end
 *	pool.c		the server threads
 *	dispatch.c	what a request asks for, and its answer
 *	config.c	the packages that are configured
 *	logon.c		logons, and what clients ask about sessions
 *	sspi.c		credentials and contexts of security packages
 *	message.c	what clients send about them, taken apart
 *	handles.c	which client holds what of a package
 *	sessions.c	logon sessions and the credentials in them
 *	vault.c		memory for secrets
 *	workers.c	threads of packages, and notifications
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
 * @comment: what it says about itself in SpGetInfo, or empty
 * @object: file name of its shared object, without directory
 * @index: its place among the packages of that object
 * @id: its number, from 0 on
 * @info: capabilities, version and sizes from SpGetInfo; no texts
 * @table: its entry points, NULL where it has none
 */
struct package {
	char name[128];
	char comment[128];
	char object[128];
	ULONG index;
	ULONG id;
	SecPkgInfoW info;
	SECPKG_FUNCTION_TABLE table;
};

bool package_load(const char *directory, const char *name);
void packages_shutdown(void);
NTSTATUS package_enter(const struct package *package, int fd,
		       const struct lsabuf_reply_receive *request,
		       PLSA_CLIENT_REQUEST *handle);
void package_leave(PLSA_CLIENT_REQUEST handle);
unsigned int package_count(void);
const struct package *package_by_id(ULONG id);
const struct package *package_by_name(const STRING *name);

/* config.c */
bool config_load(const char *directory, const char *packages);

/* handles.c */

enum handle_kind {
	HANDLE_CREDENTIAL,
	HANDLE_CONTEXT,
};

/**
 * struct handle - what a client holds of a package
 * @value: what the client has; 0 while the entry is free (lock of handles.c)
 * @client: id of its connection
 * @kind: HANDLE_*
 * @package: whose it is
 * @lsa: the package's own name for it
 * @users: calls that use it now (lock)
 * @dead: it goes with the last of them (lock)
 */
struct handle {
	uint64_t value;
	uint64_t client;
	enum handle_kind kind;
	const struct package *package;
	LSA_SEC_HANDLE lsa;
	unsigned int users;
	bool dead;
};

uint64_t handle_add(uint64_t client, enum handle_kind kind,
		    const struct package *package, LSA_SEC_HANDLE lsa);
struct handle *handle_get(uint64_t client, enum handle_kind kind,
			  uint64_t value);
const struct package *handle_package(uint64_t client, enum handle_kind kind,
				     uint64_t value);
NTSTATUS handle_put(struct handle *handle);
NTSTATUS handle_close(uint64_t client, enum handle_kind kind, uint64_t value);
void handles_rundown(uint64_t client);

/* sessions.c */

#define SESSION_MAX_TEXT 256

/**
 * struct session_text - a name
 * @length: units of it
 * @text: cut where it was longer
 */
struct session_text {
	USHORT length;
	WCHAR text[SESSION_MAX_TEXT];
};

/**
 * struct session_info - what is known of a session
 * @id: its number
 * @owner: user whose call it was made in; of a session that needs no logon,
 *	the user
 * @type: SECURITY_LOGON_TYPE, 0 where it was not made by a logon
 * @package: name of the package that it was logged on with, or NULL
 * @time: when it was made, as Windows counts time; 0 where that is not known
 * @account: who it is, in the package's words
 * @authority: who says so
 */
struct session_info {
	uint64_t id;
	uint32_t owner;
	uint32_t type;
	const struct package *package;
	LONGLONG time;
	struct session_text account;
	struct session_text authority;
};

void session_end(const LUID *luid);
void sessions_rundown(uint64_t client);
void sessions_abandon(uint64_t request);
void sessions_settle(void);
void session_describe(const LUID *luid, uint64_t request,
		      const struct session_info *info);
bool session_get(const LUID *luid, struct session_info *info);
LUID *sessions_list(uint32_t user, size_t *count);
void sessions_services(LSA_SECPKG_FUNCTION_TABLE *services);

/* workers.c */
void workers_stop(void);
void workers_services(LSA_SECPKG_FUNCTION_TABLE *services);

/* vault.c */
void *vault_alloc(size_t length);
void vault_free(void *bytes, size_t length);

/* message.c */

#define MESSAGE_MAX_BUFFERS 32

/**
 * struct message - what a client asks for
 * @fixed: the numbers
 * @input: array of @fixed->nr_input buffers
 * @output: array of @fixed->nr_output buffers
 * @name: principal or target, with Buffer NULL where there is none
 * @package: name of the package, in the same way
 *
 * All of it points into the submit buffer.
 */
struct message {
	const struct lsa_sspi_message *fixed;
	const struct lsa_sspi_buffer *input;
	const struct lsa_sspi_buffer *output;
	UNICODE_STRING name;
	UNICODE_STRING package;
};

bool message_parse(void *bytes, size_t length, struct message *message);

struct answer;

/* logon.c */
NTSTATUS logon_answer(int fd, const struct lsabuf_reply_receive *request,
		      struct answer *answer);
NTSTATUS logon_list(const struct lsabuf_reply_receive *request,
		    struct answer *answer);
NTSTATUS logon_tell(int fd, const struct lsabuf_reply_receive *request,
		    struct answer *answer);
bool logon_may_use(int fd, const struct lsabuf_reply_receive *request,
		   const struct session_info *session);

/* sspi.c */

NTSTATUS sspi_answer(int fd, const struct lsabuf_reply_receive *request,
		     struct answer *answer);

/* dispatch.c */

/**
 * struct answer - what the client is to get
 * @status: two values, see protocol.h
 * @address: return buffer in the client
 * @length: its length in bytes
 * @payload: bytes for a return buffer in its place, to be freed; or NULL
 */
struct answer {
	uint32_t status[2];
	uint64_t address;
	uint64_t length;
	void *payload;
};

extern const struct lsabuf_host dispatch_functions;

void dispatch(int fd, const struct lsabuf_reply_receive *request,
	      struct answer *answer);
void dispatch_gone(uint64_t client);

/* pool.c */
bool pool_start(int fd, unsigned int threads);
bool pool_stop(unsigned int seconds);
bool pool_has_failed(void);

#endif /* LSAHOST_H */
