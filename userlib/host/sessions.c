// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Logon sessions, and what packages keep in them.
 *
 * A session is made by a package, with a number of the package's choice, and
 * belongs to the user whose call it was made in. It ends with that call's
 * connection, when a package deletes it, or when its logon fails after all. A
 * session that was made in no call ends with the host.
 *
 * Besides, every user has one session that he need not log on for: it is what
 * GetClientInfo tells of him. Its number is his user id, with the high part
 * SESSION_OF_USER. It is always there; what packages keep in it stays until
 * they delete it, or the host ends.
 *
 * Credentials have a session, a package and a primary key, and are told apart
 * by all three.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <ntstatus.h>

#include "lsahost.h"

#define SESSION_OF_USER 1
#define MAX_SESSIONS 4096
#define MAX_SESSIONS_PER_USER 1024
#define MAX_CREDENTIALS_PER_USER 256

/* Of Windows' times: units of 100 ns since 1601 */
#define EPOCH_TICKS 116444736000000000LL
#define TICKS_PER_SECOND 10000000LL
#define TICKS_PER_US 10

/**
 * struct credential - what a package keeps in a session
 * @next: the one that was added after it
 * @package: id
 * @number: counts the credentials of the session
 * @key_length: bytes of the primary key
 * @length: bytes behind that
 * @bytes: key and credential
 *
 * All of it lies in memory for secrets and is constant, but for @next.
 */
struct credential {
	struct credential *next;
	ULONG package;
	ULONG number;
	USHORT key_length;
	USHORT length;
	CHAR bytes[];
};

/**
 * struct session - a logon session
 * @next: in the list of all (lock)
 * @info: what is known of it (lock; id and owner are constant)
 * @client: connection that it ends with, 0 for none (constant)
 * @request: whose logon it is as long as that is not done, 0 from then on (lock)
 * @credentials: in the order in which they were added (lock)
 * @last_number: of its credentials (lock)
 * @limited: made for a user who is not privileged (constant)
 */
struct session {
	struct session *next;
	struct session_info info;
	uint64_t client;
	uint64_t request;
	struct credential *credentials;
	ULONG last_number;
	bool limited;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct session *sessions;

/* Whether this thread's request has made a session */
static __thread bool has_made;

static uint64_t id_of(const LUID *luid)
{
	return luid->LowPart | (uint64_t)(ULONG)luid->HighPart << 32;
}

static LUID luid_of(uint64_t id)
{
	return (LUID){ .LowPart = id, .HighPart = id >> 32 };
}

/* The user whom a session without logon belongs to */
static bool is_of_user(uint64_t id)
{
	return id >> 32 == SESSION_OF_USER;
}

static LONGLONG now(void)
{
	struct timeval time;

	gettimeofday(&time, NULL);
	return EPOCH_TICKS + time.tv_sec * TICKS_PER_SECOND +
	       time.tv_usec * TICKS_PER_US;
}

/*
 * Sessions; the lock is held
 */

static struct session *find(uint64_t id)
{
	struct session *session = sessions;

	while (session && session->info.id != id)
		session = session->next;
	return session;
}

static bool has_room(uint32_t owner, bool limited)
{
	unsigned int all = 0, own = 0;
	struct session *session;

	for (session = sessions; session; session = session->next) {
		all++;
		own += session->info.owner == owner;
	}
	return all < MAX_SESSIONS && (!limited || own < MAX_SESSIONS_PER_USER);
}

static struct session *add(uint64_t id, uint32_t owner, bool limited)
{
	struct session *session;

	if (!has_room(owner, limited))
		return NULL;
	session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	session->info.id = id;
	session->info.owner = owner;
	session->limited = limited;
	session->info.time = now();
	session->next = sessions;
	sessions = session;
	return session;
}

/* Also of a user whose session nothing has been kept in yet */
static struct session *find_or_add(uint64_t id)
{
	struct session *session = find(id);

	return session || !is_of_user(id) ? session : add(id, id, (uint32_t)id);
}

static void take_out(struct session *session)
{
	struct session **at = &sessions;

	while (*at != session)
		at = &(*at)->next;
	*at = session->next;
}

/*
 * Credentials; the lock is held
 */

static size_t size_of(const struct credential *credential)
{
	return sizeof(*credential) + credential->key_length +
	       credential->length;
}

static void drop(struct credential **at)
{
	struct credential *credential = *at;

	*at = credential->next;
	vault_free(credential, size_of(credential));
}

static bool has_key(const struct credential *credential, const STRING *key)
{
	return credential->key_length == key->Length &&
	       (!key->Length ||
		!memcmp(credential->bytes, key->Buffer, key->Length));
}

/* Where the credential with that key is, or the end of the list */
static struct credential **find_key(struct session *session, ULONG package,
				    const STRING *key)
{
	struct credential **at = &session->credentials;

	while (*at &&
	       ((*at)->package != package || (key && !has_key(*at, key))))
		at = &(*at)->next;
	return at;
}

/* The next one after those that have been told already */
static struct credential *find_next(struct session *session, ULONG package,
				    const STRING *key, ULONG after)
{
	struct credential *credential = session->credentials;

	while (credential &&
	       (credential->number <= after || credential->package != package ||
		(key && !has_key(credential, key))))
		credential = credential->next;
	return credential;
}

static unsigned int count_credentials(uint32_t owner)
{
	const struct credential *credential;
	const struct session *session;
	unsigned int n = 0;

	for (session = sessions; session; session = session->next) {
		if (session->info.owner != owner)
			continue;
		for (credential = session->credentials; credential;
		     credential = credential->next)
			n++;
	}
	return n;
}

static struct credential *new_credential(ULONG package, const STRING *key,
					 const STRING *secret)
{
	struct credential *credential =
		vault_alloc(sizeof(*credential) + key->Length + secret->Length);

	if (!credential)
		return NULL;
	credential->package = package;
	credential->key_length = key->Length;
	credential->length = secret->Length;
	if (key->Length)
		memcpy(credential->bytes, key->Buffer, key->Length);
	if (secret->Length)
		memcpy(credential->bytes + key->Length, secret->Buffer,
		       secret->Length);
	return credential;
}

/* The session is out of the list: nobody else sees it any more */
static void destroy(struct session *session)
{
	while (session->credentials)
		drop(&session->credentials);
	free(session);
}

/*
 * The end
 */

/* Every package is told, as on Windows: each may have kept something of it */
static void tell_packages(uint64_t id)
{
	const struct package *package;
	unsigned int before;
	LUID luid;
	ULONG i;

	for (i = 0; (package = package_by_id(i)); i++) {
		if (!package->table.LogonTerminated)
			continue;
		luid = luid_of(id);
		before = lsabuf_host_package_set(package->id + 1);
		package->table.LogonTerminated(&luid);
		lsabuf_host_package_set(before);
	}
}

static void end(struct session *session)
{
	uint64_t id = session->info.id;

	destroy(session);
	tell_packages(id);
}

/**
 * session_end() - end a session and tell the packages
 * @luid: its number; there need be none
 */
void session_end(const LUID *luid)
{
	struct session *session;

	pthread_mutex_lock(&lock);
	session = find(id_of(luid));
	if (session)
		take_out(session);
	pthread_mutex_unlock(&lock);
	if (session)
		end(session);
	else
		tell_packages(id_of(luid));
}

/* One of that client or that request, where these are not 0 */
static struct session *take_any(uint64_t client, uint64_t request)
{
	struct session *session;

	pthread_mutex_lock(&lock);
	for (session = sessions; session; session = session->next)
		if ((!client || session->client == client) &&
		    (!request || session->request == request))
			break;
	if (session)
		take_out(session);
	pthread_mutex_unlock(&lock);
	return session;
}

/**
 * sessions_rundown() - end all sessions of a client
 * @client: id of its connection, which is gone; 0: all sessions that there are
 */
void sessions_rundown(uint64_t client)
{
	struct session *session;

	while ((session = take_any(client, 0)))
		end(session);
}

/**
 * sessions_abandon() - end what a logon that failed has left
 * @request: id of its request
 */
void sessions_abandon(uint64_t request)
{
	struct session *session;

	while ((session = take_any(0, request)))
		end(session);
}

/**
 * sessions_settle() - a package has done with the thread's request
 *
 * The client may have died while it was at work, and have been run down before
 * it had the session: so look once more where one was made.
 */
void sessions_settle(void)
{
	const struct lsabuf_reply_receive *request = lsabuf_host_received();
	struct lsabuf_identity identity;

	if (!has_made)
		return;
	has_made = false;
	if (request && lsabuf_identity(lsabuf_host_authority(), request->out_id,
				       &identity, NULL, 0) == -ESRCH)
		sessions_rundown(request->out_client);
}

/**
 * session_describe() - a logon has succeeded
 * @luid: number of its session; there need be none, and it may be older
 * @request: id of its request
 * @info: what is known of it now
 */
void session_describe(const LUID *luid, uint64_t request,
		      const struct session_info *info)
{
	struct session *session;

	pthread_mutex_lock(&lock);
	session = find(id_of(luid));
	if (session && session->request == request) {
		session->info.type = info->type;
		session->info.package = info->package;
		session->info.account = info->account;
		session->info.authority = info->authority;
	}
	/* Others that the same logon has made are sessions as well */
	for (session = sessions; session; session = session->next)
		if (session->request == request)
			session->request = 0;
	pthread_mutex_unlock(&lock);
}

/**
 * session_get() - what is known of a session
 * @luid: its number: anything
 * @info: filled in
 *
 * Return: whether there is such a session.
 */
bool session_get(const LUID *luid, struct session_info *info)
{
	uint64_t id = id_of(luid);
	const struct session *session;

	*info = (struct session_info){ .id = id, .owner = id };
	pthread_mutex_lock(&lock);
	session = find(id);
	if (session)
		*info = session->info;
	pthread_mutex_unlock(&lock);
	return session || is_of_user(id);
}

/**
 * sessions_list() - the numbers of all sessions
 * @user: whose own session is among them in any case
 * @count: how many there are
 *
 * Return: the list, to be freed, or NULL: no memory.
 */
LUID *sessions_list(uint32_t user, size_t *count)
{
	uint64_t own = (uint64_t)SESSION_OF_USER << 32 | user;
	struct session *session;
	LUID *list;
	size_t n;

	pthread_mutex_lock(&lock);
	for (n = 1, session = sessions; session; session = session->next)
		n++;
	list = calloc(n, sizeof(*list));
	if (list) {
		list[0] = luid_of(own);
		for (n = 1, session = sessions; session;
		     session = session->next)
			if (session->info.id != own)
				list[n++] = luid_of(session->info.id);
	}
	pthread_mutex_unlock(&lock);
	*count = n;
	return list;
}

/*
 * The services
 */

static bool is_good_string(const STRING *string)
{
	return string && (string->Buffer || !string->Length);
}

static NTSTATUS NTAPI create_session(PLUID LogonId)
{
	const struct lsabuf_reply_receive *request = lsabuf_host_received();
	NTSTATUS status = STATUS_LOGON_SESSION_EXISTS;
	struct session *session;
	uint64_t id;

	if (!LogonId)
		return STATUS_INVALID_PARAMETER;
	id = id_of(LogonId);
	pthread_mutex_lock(&lock);
	if (!is_of_user(id) && !find(id)) {
		session = add(id, request ? request->out_uid : geteuid(),
			      request && !(request->out_flags &
					   LSABUF_REQUEST_F_ADMIN));
		status = session ? STATUS_SUCCESS :
				   STATUS_INSUFFICIENT_RESOURCES;
		if (session && request) {
			session->client = request->out_client;
			session->request = request->out_id;
			has_made = true;
		}
	}
	pthread_mutex_unlock(&lock);
	return status;
}

/* The package knows: it is not told again */
static NTSTATUS NTAPI delete_session(PLUID LogonId)
{
	struct session *session;

	if (!LogonId)
		return STATUS_INVALID_PARAMETER;
	pthread_mutex_lock(&lock);
	session = find(id_of(LogonId));
	if (session)
		take_out(session);
	pthread_mutex_unlock(&lock);
	if (!session)
		return STATUS_NO_SUCH_LOGON_SESSION;
	destroy(session);
	return STATUS_SUCCESS;
}

/* The lock is held */
static NTSTATUS insert(struct session *session, struct credential *credential,
		       const STRING *key)
{
	struct credential **at = find_key(session, credential->package, key);

	if (session->last_number == MAXULONG)
		return STATUS_INSUFFICIENT_RESOURCES;
	/* The new one counts, and is told after all others */
	if (*at)
		drop(at);
	else if (session->limited && count_credentials(session->info.owner) >=
					     MAX_CREDENTIALS_PER_USER)
		return STATUS_QUOTA_EXCEEDED;
	credential->number = ++session->last_number;
	while (*at)
		at = &(*at)->next;
	*at = credential;
	return STATUS_SUCCESS;
}

static NTSTATUS NTAPI add_credential(PLUID LogonId, ULONG package,
				     PLSA_STRING PrimaryKeyValue,
				     PLSA_STRING Credentials)
{
	NTSTATUS status = STATUS_NO_SUCH_LOGON_SESSION;
	struct credential *credential;
	struct session *session;

	if (!LogonId || !is_good_string(PrimaryKeyValue) ||
	    !is_good_string(Credentials))
		return STATUS_INVALID_PARAMETER;
	if (!package_by_id(package))
		return STATUS_NO_SUCH_PACKAGE;
	credential = new_credential(package, PrimaryKeyValue, Credentials);
	if (!credential)
		return STATUS_INSUFFICIENT_RESOURCES;
	pthread_mutex_lock(&lock);
	session = find_or_add(id_of(LogonId));
	if (session)
		status = insert(session, credential, PrimaryKeyValue);
	else if (is_of_user(id_of(LogonId)))
		status = STATUS_INSUFFICIENT_RESOURCES;
	pthread_mutex_unlock(&lock);
	if (!NT_SUCCESS(status))
		vault_free(credential, size_of(credential));
	return status;
}

/* Into the caller's buffer if there is one, and into one of the heap if not */
static NTSTATUS give_key(const struct credential *credential, PLSA_STRING key)
{
	PCHAR buffer = key->Buffer;

	if (buffer && key->MaximumLength < credential->key_length)
		return STATUS_BUFFER_TOO_SMALL;
	if (!buffer) {
		buffer = lsabuf_host_table()->AllocateLsaHeap(
			credential->key_length);
		if (!buffer)
			return STATUS_INSUFFICIENT_RESOURCES;
		key->MaximumLength = credential->key_length;
	}
	memcpy(buffer, credential->bytes, credential->key_length);
	key->Buffer = buffer;
	key->Length = credential->key_length;
	return STATUS_SUCCESS;
}

static NTSTATUS give_credential(const struct credential *credential,
				PLSA_STRING key, PLSA_STRING to)
{
	PLSA_SECPKG_FUNCTION_TABLE lsa = lsabuf_host_table();
	PCHAR bytes = lsa->AllocateLsaHeap(credential->length);
	NTSTATUS status = STATUS_SUCCESS;

	if (!bytes)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (key)
		status = give_key(credential, key);
	if (!NT_SUCCESS(status)) {
		lsa->FreeLsaHeap(bytes);
		return status;
	}
	memcpy(bytes, credential->bytes + credential->key_length,
	       credential->length);
	to->Buffer = bytes;
	to->Length = credential->length;
	to->MaximumLength = credential->length;
	return STATUS_SUCCESS;
}

/* Numbers begin at 1: a context of 0 is before all of them */
static NTSTATUS NTAPI get_credentials(PLUID LogonId, ULONG package,
				      PULONG QueryContext,
				      BOOLEAN RetrieveAllCredentials,
				      PLSA_STRING PrimaryKeyValue,
				      PULONG PrimaryKeyLength,
				      PLSA_STRING Credentials)
{
	const STRING *wanted = RetrieveAllCredentials ? NULL : PrimaryKeyValue;
	NTSTATUS status = STATUS_NO_SUCH_LOGON_SESSION;
	struct credential *credential = NULL;
	struct session *session;

	if (!LogonId || !QueryContext || !Credentials ||
	    (!RetrieveAllCredentials && !is_good_string(PrimaryKeyValue)))
		return STATUS_INVALID_PARAMETER;
	*Credentials = (STRING){ 0 };
	pthread_mutex_lock(&lock);
	session = find(id_of(LogonId));
	if (session)
		credential = find_next(session, package, wanted, *QueryContext);
	if (session || is_of_user(id_of(LogonId)))
		status = STATUS_UNSUCCESSFUL;
	if (credential) {
		if (PrimaryKeyLength)
			*PrimaryKeyLength = credential->key_length;
		status = give_credential(credential,
					 wanted ? NULL : PrimaryKeyValue,
					 Credentials);
	}
	if (NT_SUCCESS(status))
		*QueryContext = credential->number;
	pthread_mutex_unlock(&lock);
	return status;
}

static NTSTATUS NTAPI delete_credential(PLUID LogonId, ULONG package,
					PLSA_STRING PrimaryKeyValue)
{
	NTSTATUS status = STATUS_NO_SUCH_LOGON_SESSION;
	struct credential **at = NULL;
	struct session *session;

	if (!LogonId || !is_good_string(PrimaryKeyValue))
		return STATUS_INVALID_PARAMETER;
	pthread_mutex_lock(&lock);
	session = find(id_of(LogonId));
	if (session)
		at = find_key(session, package, PrimaryKeyValue);
	if (session || is_of_user(id_of(LogonId)))
		status = STATUS_UNSUCCESSFUL;
	if (at && *at) {
		drop(at);
		status = STATUS_SUCCESS;
	}
	pthread_mutex_unlock(&lock);
	return status;
}

/* For lsabuf_host_services_set() */
void sessions_services(LSA_SECPKG_FUNCTION_TABLE *services)
{
	services->CreateLogonSession = create_session;
	services->DeleteLogonSession = delete_session;
	services->AddCredential = add_credential;
	services->GetCredentials = get_credentials;
	services->DeleteCredential = delete_credential;
}
