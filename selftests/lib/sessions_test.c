// SPDX-License-Identifier: GPL-2.0
/*
 * Logon sessions and credentials: what packages get from the slots 0 to 4, and
 * in what memory credentials lie. The source is the host's, with packages and
 * requests that are none.
 */
#include <sys/resource.h>
#include <sys/wait.h>
#include <stdio.h>

#include "tap.h"

#include "../../userlib/host/sessions.c"
#include "../../userlib/host/vault.c"

/* Of the test that runs */
static struct tap_group group;

#define CHECK(condition) check(&group, condition)

/* Two packages: the first is told of ends */
static uint64_t terminated;
static unsigned int nr_terminated;
static unsigned int package_number;

static VOID NTAPI note_end(PLUID luid)
{
	terminated = id_of(luid);
	nr_terminated++;
	/* As the host runs a package */
	CHECK(package_number == 1);
}

static const struct package packages[] = {
	{ .id = 0, .table = { .LogonTerminated = note_end } },
	{ .id = 1 },
};

const struct package *package_by_id(ULONG id)
{
	return id < ARRAYSIZE(packages) ? &packages[id] : NULL;
}

static struct lsabuf_reply_receive request;
static bool has_request;
static bool is_gone;
static unsigned int nr_blocks;

const struct lsabuf_reply_receive *lsabuf_host_received(void)
{
	return has_request ? &request : NULL;
}

int lsabuf_host_authority(void)
{
	return -1;
}

int lsabuf_identity(int fd, uint64_t id, struct lsabuf_identity *identity,
		    uint32_t *groups, uint32_t nr_groups)
{
	(void)fd;
	(void)id;
	(void)identity;
	(void)groups;
	(void)nr_groups;
	return is_gone ? -ESRCH : 0;
}

unsigned int lsabuf_host_package_set(unsigned int number)
{
	unsigned int before = package_number;

	package_number = number;
	return before;
}

static PVOID NTAPI heap_alloc(ULONG length)
{
	nr_blocks++;
	return calloc(1, length ? length : 1);
}

static VOID NTAPI heap_free(PVOID block)
{
	nr_blocks -= !!block;
	free(block);
}

PLSA_SECPKG_FUNCTION_TABLE lsabuf_host_table(void)
{
	static LSA_SECPKG_FUNCTION_TABLE table = {
		.AllocateLsaHeap = heap_alloc,
		.FreeLsaHeap = heap_free,
	};

	return &table;
}

static LSA_SECPKG_FUNCTION_TABLE lsa;

/* The thread works for a call of that user */
static void enter(uint32_t uid, uint64_t client, uint64_t id)
{
	request.out_uid = uid;
	request.out_client = client;
	request.out_id = id;
	has_request = true;
}

static void leave(void)
{
	sessions_settle();
	has_request = false;
}

static void setup(void)
{
	sessions_services(&lsa);
	sessions_rundown(0);
	has_request = false;
	is_gone = false;
	nr_terminated = 0;
	terminated = 0;
}

static STRING text(const char *bytes)
{
	return (STRING){ strlen(bytes), strlen(bytes), (PCHAR)bytes };
}

static NTSTATUS create(uint64_t id)
{
	LUID luid = luid_of(id);

	return lsa.CreateLogonSession(&luid);
}

static NTSTATUS keep(uint64_t id, ULONG package, const char *key,
		     const char *secret)
{
	STRING key_text = text(key), secret_text = text(secret);
	LUID luid = luid_of(id);

	return lsa.AddCredential(&luid, package, &key_text, &secret_text);
}

static NTSTATUS forget(uint64_t id, ULONG package, const char *key)
{
	STRING key_text = text(key);
	LUID luid = luid_of(id);

	return lsa.DeleteCredential(&luid, package, &key_text);
}

/* By a key, or with NULL all; the credential is left in @found, as text */
static char found[64], found_key[64];

static NTSTATUS next(uint64_t id, ULONG package, const char *key,
		     ULONG *context)
{
	STRING key_text = { 0 }, secret;
	LUID luid = luid_of(id);
	ULONG key_length = 0;
	NTSTATUS status;

	found[0] = '\0';
	found_key[0] = '\0';
	if (key)
		key_text = text(key);
	status = lsa.GetCredentials(&luid, package, context, !key, &key_text,
				    &key_length, &secret);
	if (!NT_SUCCESS(status)) {
		CHECK(!secret.Buffer && !secret.Length);
		return status;
	}
	snprintf(found, sizeof(found), "%.*s", secret.Length, secret.Buffer);
	heap_free(secret.Buffer);
	CHECK(key_length == key_text.Length);
	snprintf(found_key, sizeof(found_key), "%.*s", key_text.Length,
		 key_text.Buffer);
	if (!key)
		heap_free(key_text.Buffer);
	return status;
}

static NTSTATUS get(uint64_t id, ULONG package, const char *key)
{
	ULONG context = 0;

	return next(id, package, key, &context);
}

static void test_sessions(void)
{
	LUID luid = luid_of(0x500000007);

	CHECK(create(0x500000007) == STATUS_SUCCESS);
	CHECK(create(0x500000007) == STATUS_LOGON_SESSION_EXISTS);
	CHECK(create(0x600000007) == STATUS_SUCCESS);
	/* A user's own session is always there */
	CHECK(create(0x1000003e8) == STATUS_LOGON_SESSION_EXISTS);
	CHECK(lsa.DeleteLogonSession(&luid) == STATUS_SUCCESS);
	CHECK(lsa.DeleteLogonSession(&luid) == STATUS_NO_SUCH_LOGON_SESSION);
	CHECK(lsa.CreateLogonSession(NULL) == STATUS_INVALID_PARAMETER);
	CHECK(lsa.DeleteLogonSession(NULL) == STATUS_INVALID_PARAMETER);
	/* The package that deletes it knows of it */
	CHECK(nr_terminated == 0);
	session_end(&luid);
	CHECK(nr_terminated == 1 && terminated == 0x500000007);
	sessions_rundown(0);
	CHECK(nr_terminated == 2 && terminated == 0x600000007);
}

static void test_credentials(void)
{
	CHECK(keep(7ULL << 32, 0, "k", "v") == STATUS_NO_SUCH_LOGON_SESSION);
	CHECK(create(7ULL << 32) == STATUS_SUCCESS);
	CHECK(keep(7ULL << 32, 0, "key", "secret") == STATUS_SUCCESS);
	CHECK(get(7ULL << 32, 0, "key") == STATUS_SUCCESS);
	CHECK(!strcmp(found, "secret"));
	/* Told apart by every byte of key, package and session */
	CHECK(get(7ULL << 32, 0, "Key") == STATUS_UNSUCCESSFUL);
	CHECK(get(7ULL << 32, 0, "ke") == STATUS_UNSUCCESSFUL);
	CHECK(get(7ULL << 32, 0, "") == STATUS_UNSUCCESSFUL);
	CHECK(get(7ULL << 32, 1, "key") == STATUS_UNSUCCESSFUL);
	CHECK(get(8ULL << 32, 0, "key") == STATUS_NO_SUCH_LOGON_SESSION);
	CHECK(keep(7ULL << 32, 2, "key", "v") == STATUS_NO_SUCH_PACKAGE);
	/* Added again it counts anew; the other package's stays */
	CHECK(keep(7ULL << 32, 1, "key", "other") == STATUS_SUCCESS);
	CHECK(keep(7ULL << 32, 0, "key", "newer") == STATUS_SUCCESS);
	CHECK(get(7ULL << 32, 0, "key") == STATUS_SUCCESS);
	CHECK(!strcmp(found, "newer"));
	CHECK(forget(7ULL << 32, 0, "key") == STATUS_SUCCESS);
	CHECK(forget(7ULL << 32, 0, "key") == STATUS_UNSUCCESSFUL);
	CHECK(get(7ULL << 32, 1, "key") == STATUS_SUCCESS);
	CHECK(!strcmp(found, "other"));
	/* Of a key and a credential without bytes */
	CHECK(keep(7ULL << 32, 0, "", "") == STATUS_SUCCESS);
	CHECK(get(7ULL << 32, 0, "") == STATUS_SUCCESS);
	CHECK(forget(8ULL << 32, 0, "") == STATUS_NO_SUCH_LOGON_SESSION);
	sessions_rundown(0);
	CHECK(get(7ULL << 32, 1, "key") == STATUS_NO_SUCH_LOGON_SESSION);
	CHECK(nr_blocks == 0);
}

static void test_enumeration(void)
{
	static const char *const keys[] = { "a", "b", "c", "d" };
	ULONG context = 0;
	size_t i;

	create(7ULL << 32);
	CHECK(next(7ULL << 32, 0, NULL, &context) == STATUS_UNSUCCESSFUL);
	CHECK(context == 0);
	for (i = 0; i < ARRAYSIZE(keys); i++) {
		keep(7ULL << 32, 0, keys[i], keys[i]);
		keep(7ULL << 32, 1, keys[i], "not ours");
	}
	/* In the order in which they were added, whatever happens meanwhile */
	CHECK(next(7ULL << 32, 0, NULL, &context) == STATUS_SUCCESS);
	CHECK(!strcmp(found, "a") && !strcmp(found_key, "a"));
	forget(7ULL << 32, 0, "a");
	forget(7ULL << 32, 0, "b");
	CHECK(next(7ULL << 32, 0, NULL, &context) == STATUS_SUCCESS);
	CHECK(!strcmp(found, "c") && !strcmp(found_key, "c"));
	keep(7ULL << 32, 0, "e", "e");
	CHECK(next(7ULL << 32, 0, NULL, &context) == STATUS_SUCCESS);
	CHECK(!strcmp(found, "d"));
	CHECK(next(7ULL << 32, 0, NULL, &context) == STATUS_SUCCESS);
	CHECK(!strcmp(found, "e"));
	CHECK(next(7ULL << 32, 0, NULL, &context) == STATUS_UNSUCCESSFUL);
	/* One key has one credential */
	context = 0;
	CHECK(next(7ULL << 32, 0, "c", &context) == STATUS_SUCCESS);
	CHECK(next(7ULL << 32, 0, "c", &context) == STATUS_UNSUCCESSFUL);
	CHECK(nr_blocks == 0);
}

/* The caller's own buffer for the primary key, which may be too small */
static void test_key_buffer(void)
{
	char room[8] = "........";
	STRING key = { 0, 3, room }, secret;
	LUID luid = luid_of(7ULL << 32);
	ULONG context = 0, length = 0;

	create(7ULL << 32);
	keep(7ULL << 32, 0, "long", "secret");
	CHECK(lsa.GetCredentials(&luid, 0, &context, TRUE, &key, &length,
				 &secret) == STATUS_BUFFER_TOO_SMALL);
	CHECK(length == 4 && context == 0 && key.Length == 0 &&
	      !secret.Buffer && !memcmp(room, "........", 8));
	key.MaximumLength = 4;
	CHECK(lsa.GetCredentials(&luid, 0, &context, TRUE, &key, &length,
				 &secret) == STATUS_SUCCESS);
	CHECK(key.Length == 4 && !memcmp(room, "long....", 8) &&
	      key.Buffer == room && context);
	heap_free(secret.Buffer);
	/* Nobody wants to know the key */
	context = 0;
	CHECK(lsa.GetCredentials(&luid, 0, &context, TRUE, NULL, NULL,
				 &secret) == STATUS_SUCCESS);
	heap_free(secret.Buffer);
	CHECK(nr_blocks == 0);
}

static void test_bad_arguments(void)
{
	STRING good = text("x"), bad = { 1, 1, NULL }, out;
	LUID luid = luid_of(7ULL << 32);
	ULONG context = 0;

	create(7ULL << 32);
	CHECK(lsa.AddCredential(NULL, 0, &good, &good) ==
	      STATUS_INVALID_PARAMETER);
	CHECK(lsa.AddCredential(&luid, 0, NULL, &good) ==
	      STATUS_INVALID_PARAMETER);
	CHECK(lsa.AddCredential(&luid, 0, &good, &bad) ==
	      STATUS_INVALID_PARAMETER);
	CHECK(lsa.GetCredentials(NULL, 0, &context, TRUE, NULL, NULL, &out) ==
	      STATUS_INVALID_PARAMETER);
	CHECK(lsa.GetCredentials(&luid, 0, NULL, TRUE, NULL, NULL, &out) ==
	      STATUS_INVALID_PARAMETER);
	CHECK(lsa.GetCredentials(&luid, 0, &context, TRUE, NULL, NULL, NULL) ==
	      STATUS_INVALID_PARAMETER);
	CHECK(lsa.GetCredentials(&luid, 0, &context, FALSE, NULL, NULL, &out) ==
	      STATUS_INVALID_PARAMETER);
	CHECK(lsa.DeleteCredential(&luid, 0, &bad) == STATUS_INVALID_PARAMETER);
}

/* What a user has without a logon */
static void test_session_of_user(void)
{
	const uint64_t own = 0x1000003e8;
	struct session_info info;
	LUID luid = luid_of(own);
	LUID *list;
	size_t n;

	CHECK(session_get(&luid, &info) && info.owner == 1000);
	CHECK(get(own, 0, "key") == STATUS_UNSUCCESSFUL);
	CHECK(forget(own, 0, "key") == STATUS_UNSUCCESSFUL);
	list = sessions_list(1000, &n);
	CHECK(n == 1 && id_of(list) == own);
	free(list);
	CHECK(keep(own, 0, "key", "v") == STATUS_SUCCESS);
	CHECK(get(own, 0, "key") == STATUS_SUCCESS);
	create(7ULL << 32);
	list = sessions_list(1000, &n);
	CHECK(n == 2 && id_of(&list[0]) == own &&
	      id_of(&list[1]) == 7ULL << 32);
	free(list);
	list = sessions_list(1, &n);
	CHECK(n == 3);
	free(list);
	CHECK(lsa.DeleteLogonSession(&luid) == STATUS_SUCCESS);
	CHECK(get(own, 0, "key") == STATUS_UNSUCCESSFUL);
}

static void test_owners(void)
{
	struct session_info info;
	LUID luid = luid_of(7ULL << 32);

	CHECK(!session_get(&luid, &info));
	enter(1000, 3, 33);
	create(7ULL << 32);
	leave();
	CHECK(session_get(&luid, &info) && info.owner == 1000 && info.time);
	/* Others' ends are not its own */
	sessions_rundown(4);
	sessions_abandon(34);
	CHECK(session_get(&luid, &info));
	sessions_rundown(3);
	CHECK(!session_get(&luid, &info) && nr_terminated == 1);

	/* In no call it is the host's */
	create(7ULL << 32);
	CHECK(session_get(&luid, &info) && info.owner == geteuid());
}

static void test_logons(void)
{
	const struct session_info told = {
		.type = Network,
		.package = &packages[1],
		.account = { 2, u"me" },
	};
	LUID luid = luid_of(7ULL << 32), other = luid_of(8ULL << 32);
	struct session_info info;

	enter(1000, 3, 33);
	create(7ULL << 32);
	session_describe(&luid, 33, &told);
	leave();
	session_get(&luid, &info);
	CHECK(info.type == Network && info.package == &packages[1] &&
	      info.account.length == 2 && info.account.text[1] == 'e');
	/* A later logon neither changes it nor ends it */
	enter(1001, 4, 44);
	create(8ULL << 32);
	session_describe(&luid, 44, &(struct session_info){ .type = Batch });
	session_get(&luid, &info);
	CHECK(info.type == Network && info.owner == 1000);
	create(9ULL << 32);
	sessions_abandon(44);
	leave();
	CHECK(session_get(&luid, &info) && session_get(&other, &info));
	enter(1001, 4, 45);
	create(10ULL << 32);
	sessions_abandon(45);
	leave();
	CHECK(nr_terminated == 2);
}

/* The client has died, and been run down, before its session was made */
static void test_dead_client(void)
{
	LUID luid = luid_of(7ULL << 32);
	struct session_info info;

	enter(1000, 3, 33);
	create(7ULL << 32);
	is_gone = true;
	leave();
	CHECK(!session_get(&luid, &info) && nr_terminated == 1);
}

static void test_limits(void)
{
	char key[16];
	uint64_t id;
	int i;

	enter(1000, 3, 33);
	for (id = 0; id < MAX_SESSIONS_PER_USER; id++)
		CHECK(create(id | 7ULL << 32) == STATUS_SUCCESS);
	CHECK(create(id | 7ULL << 32) == STATUS_INSUFFICIENT_RESOURCES);
	enter(1001, 4, 44);
	CHECK(create(id | 7ULL << 32) == STATUS_SUCCESS);
	for (i = 0; i < MAX_CREDENTIALS_PER_USER; i++) {
		snprintf(key, sizeof(key), "%d", i);
		CHECK(keep(id | 7ULL << 32, 0, key, "v") == STATUS_SUCCESS);
	}
	CHECK(keep(id | 7ULL << 32, 0, "more", "v") == STATUS_QUOTA_EXCEEDED);
	/* In the place of another there is room */
	CHECK(keep(id | 7ULL << 32, 0, "0", "w") == STATUS_SUCCESS);
	/* Who logs everybody on is not limited so */
	enter(1000, 3, 34);
	request.out_flags = LSABUF_REQUEST_F_ADMIN;
	CHECK(create(++id | 7ULL << 32) == STATUS_SUCCESS);
	request.out_flags = 0;
	for (i = 0; i <= MAX_CREDENTIALS_PER_USER; i++) {
		snprintf(key, sizeof(key), "%d", i);
		CHECK(keep(id | 7ULL << 32, 0, key, "v") == STATUS_SUCCESS);
	}
	leave();
}

#ifndef __SANITIZE_ADDRESS__
/* A line of the mapping that the address lies in: "Locked:", "VmFlags:" */
static bool mapping_has(const void *address, const char *name, const char *what)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	unsigned long begin, end;
	bool inside = false, has = false;
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			inside = (uintptr_t)address >= begin &&
				 (uintptr_t)address < end;
		if (inside && !strncmp(line, name, strlen(name)))
			has = strstr(line, what);
	}
	if (file)
		fclose(file);
	return has;
}

static void test_memory(void)
{
	const struct credential *credential;

	create(7ULL << 32);
	CHECK(keep(7ULL << 32, 0, "key", "secret") == STATUS_SUCCESS);
	credential = sessions->credentials;
	CHECK(!memcmp(credential->bytes, "keysecret", 9));
	/* Locked, in no core dump, in no child */
	CHECK(mapping_has(credential, "VmFlags:", " lo"));
	CHECK(mapping_has(credential, "VmFlags:", " dd"));
	CHECK(mapping_has(credential, "VmFlags:", " dc"));
	forget(7ULL << 32, 0, "key");
	CHECK(!mapping_has(credential, "VmFlags:", " lo"));
}

/* RLIMIT_MEMLOCK is used up: nothing is kept in memory that is not locked */
static void test_locked_memory(void)
{
	const struct rlimit none = { 0, 0 };
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (!child) {
		/* Root would not be limited */
		if ((!geteuid() && setuid(65534)) ||
		    setrlimit(RLIMIT_MEMLOCK, &none))
			_exit(2);
		create(7ULL << 32);
		if (keep(7ULL << 32, 0, "key", "secret") !=
		    STATUS_INSUFFICIENT_RESOURCES)
			_exit(1);
		_exit(get(7ULL << 32, 0, "key") != STATUS_UNSUCCESSFUL);
	}
	waitpid(child, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#endif

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "sessions", test_sessions },
	{ "credentials", test_credentials },
	{ "enumeration", test_enumeration },
	{ "buffer for the key", test_key_buffer },
	{ "bad arguments", test_bad_arguments },
	{ "session of a user", test_session_of_user },
	{ "owners", test_owners },
	{ "logons", test_logons },
	{ "dead client", test_dead_client },
	{ "limits", test_limits },
#ifndef __SANITIZE_ADDRESS__ /* that makes mlock() do nothing */
	{ "memory", test_memory },
	{ "locked memory", test_locked_memory },
#endif
};

int main(void)
{
	size_t i;

	for (i = 0; i < ARRAYSIZE(tests); i++) {
		group = (struct tap_group){ .name = tests[i].name };
		setup();
		tests[i].run();
		tap_group_end(&group);
	}
	return tap_end();
}
