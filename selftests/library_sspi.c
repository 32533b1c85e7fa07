// SPDX-License-Identifier: GPL-2.0
/*
 * Security packages: what programs see of them through liblsabuf-sspi, with
 * lsahost and its packages "mirror" and "gss" on the other side.
 *
 * Each test is an ordinary user with an lsahost of its own. The packages are
 * those of the tree; LSABUF_USERLIB names another place.
 */
#include "lsabuf_test.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <windows.h>
#include <ntstatus.h>
#include <ntsecapi.h>
#include <sspi.h>
#include <ntsecpkg.h>
#include <winternl.h>

#include <lsabuf.h>

#include "../packages/mirror.h"

static void exec_host(const char *endpoint, const char *package)
{
	char host[PATH_MAX + 20], packages[PATH_MAX + 20];

	snprintf(host, sizeof(host), "%s/host/lsahost", userlib());
	snprintf(packages, sizeof(packages), "%s/packages", userlib());
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execl(host, "lsahost", getenv("LSABUF_TEST_VERBOSE") ? "-v" : "-q",
	      "-e", endpoint, "-t", "4", "-P", packages, package, NULL);
	fprintf(stderr, "# %s: %s\n", host, strerror(errno));
	_exit(127);
}

/*
 * A process that stays root, to end the host with the test: neither the test
 * nor its death could, being those of another user.
 */
static void keep_host(int test, const char *endpoint, const char *package)
{
	pid_t host = fork();
	char byte;

	if (!host)
		exec_host(endpoint, package);
	while (read(test, &byte, 1) > 0)
		;
	kill(host, SIGKILL);
	waitpid(host, NULL, 0);
	_exit(0);
}

static bool wait_for_host(const char *endpoint)
{
	__u64 end = now_ns() + 2 * AT_ONCE_NS;
	int fd;

	while (now_ns() < end) {
		fd = lsabuf_open_client(endpoint, LSABUF_ACCESS_BUFFERS);
		if (fd >= 0) {
			lsabuf_close(fd);
			return true;
		}
		sleep_ms(10);
	}
	return false;
}

/* An lsahost with that package; this process is an ordinary user from then on */
static bool start_host(const char *package)
{
	static char endpoint[LSABUF_ENDPOINT_LEN];
	char packages[PATH_MAX + 20];
	int pair[2];

	snprintf(endpoint, sizeof(endpoint), "sspi-%d", getpid());
	/* What runs in this process is of its own size. */
	snprintf(packages, sizeof(packages), "%s/packages%s", userlib(),
		 sizeof(PVOID) == 4 ? "/32" : "");
	setenv("LSABUF_ENDPOINT", endpoint, 1);
	setenv("LSABUF_PACKAGES", packages, 1);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return false;
	if (!fork()) {
		close(pair[0]);
		keep_host(pair[1], endpoint, package);
	}
	close(pair[1]);
	if (!wait_for_host(endpoint))
		return false;
	become_user(NOBODY);
	return true;
}

/* A 32-bit program can call no package that has shared memory. */
static bool start_mirror(void)
{
	if (sizeof(PVOID) == 4)
		setenv(MIRROR_UNSHARED, "1", 1);
	return start_host("mirror");
}

/*
 * FIXTURE(sspi) - an lsahost with the package "mirror"
 * @credential: of it, with the user name "me"
 */
FIXTURE(sspi)
{
	CredHandle credential;
};

static WCHAR user_name[] = u"me";

static SECURITY_STATUS acquire(CredHandle *credential)
{
	SEC_WINNT_AUTH_IDENTITY_W identity = {
		.User = user_name,
		.UserLength = 2,
		.Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
	};
	TimeStamp expiry = { 0 };
	SECURITY_STATUS status;

	status = AcquireCredentialsHandleA(NULL, (char *)MIRROR_NAME,
					   SECPKG_CRED_BOTH, NULL, &identity,
					   NULL, NULL, credential, &expiry);
	if (!status && expiry.QuadPart != 0x7fffffffffffffff)
		return SEC_E_INTERNAL_ERROR;
	return status;
}

FIXTURE_SETUP(sspi)
{
	ASSERT_TRUE(start_mirror());
	ASSERT_EQ(SEC_E_OK, acquire(&self->credential));
}

FIXTURE_TEARDOWN(sspi)
{
}

/**
 * struct token - a buffer of a call, with its descriptor
 * @bytes: its memory
 * @buffer: one buffer
 * @desc: it as descriptor
 */
struct token {
	char bytes[256];
	SecBuffer buffer;
	SecBufferDesc desc;
};

static SecBufferDesc *token(struct token *token, ULONG type, ULONG length)
{
	token->buffer = (SecBuffer){ length, type, token->bytes };
	token->desc = (SecBufferDesc){ SECBUFFER_VERSION, 1, &token->buffer };
	return &token->desc;
}

static struct mirror_counts get_counts(CredHandle *credential)
{
	struct mirror_counts counts = { 0 };

	if (QueryCredentialsAttributesW(credential, MIRROR_ATTR_COUNTS,
					&counts))
		memset(&counts, 0xff, sizeof(counts));
	return counts;
}

/*
 * Packages
 */

TEST_F(sspi, enumerate)
{
	PSecPkgInfoW wide = NULL;
	PSecPkgInfoA plain = NULL;
	ULONG n = 0;

	ASSERT_EQ(SEC_E_OK, EnumerateSecurityPackagesA(&n, &plain));
	ASSERT_EQ(2, n);
	EXPECT_STREQ(MIRROR_NAME, plain[0].Name);
	EXPECT_STREQ("Grüße für Tests", plain[0].Comment);
	EXPECT_EQ(4096, plain[0].cbMaxToken);
	EXPECT_EQ(SECPKG_ID_NONE, plain[0].wRPCID);
	EXPECT_STREQ(MIRROR_SMALL_NAME, plain[1].Name);
	EXPECT_STREQ("", plain[1].Comment);
	EXPECT_EQ(SEC_E_OK, FreeContextBuffer(plain));

	ASSERT_EQ(SEC_E_OK, EnumerateSecurityPackagesW(&n, &wide));
	ASSERT_EQ(2, n);
	EXPECT_EQ(0, wcs16cmp(TEXT(MIRROR_NAME), wide[0].Name));
	EXPECT_EQ(0, wcs16cmp(u"Grüße für Tests", wide[0].Comment));
	EXPECT_EQ(SEC_E_OK, FreeContextBuffer(wide));
	EXPECT_EQ(SEC_E_INVALID_HANDLE, FreeContextBuffer(wide));
	EXPECT_EQ(SEC_E_OK, FreeContextBuffer(NULL));
	EXPECT_EQ(SEC_E_INVALID_HANDLE, FreeContextBuffer(&n));
}

TEST_F(sspi, package_info)
{
	static WCHAR name[] = u"MIRROR";
	PSecPkgInfoW wide = NULL;
	PSecPkgInfoA plain = NULL;

	ASSERT_EQ(SEC_E_OK, QuerySecurityPackageInfoW(name, &wide));
	EXPECT_EQ(0, wcs16cmp(TEXT(MIRROR_NAME), wide->Name));
	EXPECT_EQ(SEC_E_OK, FreeContextBuffer(wide));
	ASSERT_EQ(SEC_E_OK,
		  QuerySecurityPackageInfoA((char *)MIRROR_SMALL_NAME, &plain));
	EXPECT_STREQ(MIRROR_SMALL_NAME, plain->Name);
	EXPECT_EQ(SEC_E_OK, FreeContextBuffer(plain));
	EXPECT_EQ(SEC_E_SECPKG_NOT_FOUND,
		  QuerySecurityPackageInfoA((char *)"nobody", &plain));
	EXPECT_EQ(NULL, plain);
}

TEST_F(sspi, tables)
{
	PSecurityFunctionTableW wide = InitSecurityInterfaceW();
	PSecurityFunctionTableA plain = InitSecurityInterfaceA();

	EXPECT_EQ(1, wide->dwVersion);
	EXPECT_TRUE(wide->EnumerateSecurityPackagesW ==
		    EnumerateSecurityPackagesW);
	EXPECT_TRUE(wide->DecryptMessage == DecryptMessage);
	EXPECT_EQ(1, plain->dwVersion);
	EXPECT_TRUE(plain->InitializeSecurityContextA ==
		    InitializeSecurityContextA);
	EXPECT_EQ(SEC_E_OK, plain->FreeContextBuffer(NULL));
}

/* A package with many empty slots: none of them is called */
TEST_F(sspi, empty_slots)
{
	SecPkgContext_Sizes sizes;
	struct token out = { "" };
	CredHandle credential;
	CtxtHandle context;

	ASSERT_EQ(SEC_E_OK,
		  AcquireCredentialsHandleA(NULL, (char *)MIRROR_SMALL_NAME,
					    SECPKG_CRED_BOTH, NULL, NULL, NULL,
					    NULL, &credential, NULL));
	EXPECT_EQ(SEC_E_UNSUPPORTED_FUNCTION,
		  QueryCredentialsAttributesW(&credential, 1, &sizes));
	EXPECT_EQ(SEC_E_UNSUPPORTED_FUNCTION,
		  AcceptSecurityContext(&credential, NULL, NULL, 0, 0, &context,
					NULL, NULL, NULL));
	ASSERT_EQ(SEC_E_OK,
		  InitializeSecurityContextA(&credential, NULL, (char *)"done",
					     0, 0, 0, NULL, 0, &context,
					     token(&out, SECBUFFER_TOKEN, 4),
					     NULL, NULL));
	EXPECT_EQ(SEC_E_UNSUPPORTED_FUNCTION,
		  QueryContextAttributesW(&context, SECPKG_ATTR_SIZES, &sizes));
	EXPECT_EQ(SEC_E_UNSUPPORTED_FUNCTION,
		  ApplyControlToken(&context, &out.desc));
	EXPECT_EQ(SEC_E_UNSUPPORTED_FUNCTION,
		  MakeSignature(&context, 0, &out.desc, 0));
	EXPECT_EQ(SEC_E_OK, DeleteSecurityContext(&context));
	EXPECT_EQ(SEC_E_OK, FreeCredentialsHandle(&credential));
}

/*
 * Logons
 */

static NTSTATUS log_on(HANDLE lsa, ULONG package, void *information,
		       ULONG length, PTOKEN_GROUPS groups,
		       struct mirror_profile **profile, PNTSTATUS sub_status)
{
	HANDLE token = (HANDLE)1;
	QUOTA_LIMITS quotas;
	ULONG profile_length;
	LUID id = { 1, 1 };
	NTSTATUS status;

	status = LsaLogonUser(lsa, NULL, Network, package, information, length,
			      groups, NULL, (PVOID *)profile, &profile_length,
			      &id, &token, &quotas, sub_status);
	if (token)
		return STATUS_INTERNAL_ERROR;
	if (!NT_SUCCESS(status))
		return profile_length || id.LowPart ? STATUS_INTERNAL_ERROR :
						      status;
	if (profile_length != sizeof(**profile))
		return STATUS_INTERNAL_ERROR;
	return id.LowPart == 42 && id.HighPart == 43 ? status :
						       STATUS_INTERNAL_ERROR;
}

TEST_F(sspi, logon)
{
	char bad[4 + sizeof(ULONG64)] = "evil";
	TOKEN_GROUPS groups = { 0 };
	struct mirror_profile *profile;
	NTSTATUS sub_status;
	char good[] = "good";
	ULONG package;
	ULONG64 where;
	HANDLE lsa;
	STRING name;

	ASSERT_EQ(STATUS_SUCCESS, LsaConnectUntrusted(&lsa));
	RtlInitString(&name, MIRROR_NAME);
	ASSERT_EQ(STATUS_SUCCESS,
		  LsaLookupAuthenticationPackage(lsa, &name, &package));
	ASSERT_EQ(STATUS_SUCCESS,
		  log_on(lsa, package, good, 4, NULL, &profile, &sub_status));
	EXPECT_EQ(STATUS_SUCCESS, sub_status);
	EXPECT_STREQ("welcome", profile->text);
	EXPECT_EQ(Network, profile->type);
	/* Pointers in the information are relative to where it was */
	EXPECT_EQ(to_u64(good), profile->base);
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(profile));

	/* On failure the profile is gone, and the reason is told */
	EXPECT_EQ(STATUS_LOGON_FAILURE, log_on(lsa, package, bad, sizeof(bad),
					       NULL, &profile, &sub_status));
	EXPECT_EQ(STATUS_WRONG_PASSWORD, sub_status);
	EXPECT_EQ(NULL, profile);
	memcpy(&where, bad + 4, sizeof(where));
	ASSERT_NE(0, where);
	EXPECT_EQ(STATUS_MEMORY_NOT_ALLOCATED,
		  LsaFreeReturnBuffer(to_pointer(where)));

	EXPECT_EQ(STATUS_LOGON_FAILURE,
		  log_on(lsa, package, NULL, 0, NULL, &profile, &sub_status));
	EXPECT_EQ(STATUS_PRIVILEGE_NOT_HELD,
		  log_on(lsa, package, good, 4, &groups, &profile, NULL));
	EXPECT_EQ(STATUS_NO_SUCH_PACKAGE,
		  log_on(lsa, 77, good, 4, NULL, &profile, NULL));
	EXPECT_EQ(STATUS_NOT_SUPPORTED,
		  log_on(lsa, package + 1, good, 4, NULL, &profile, NULL));
	EXPECT_EQ(STATUS_INVALID_HANDLE,
		  log_on(NULL, package, good, 4, NULL, &profile, NULL));
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(lsa));
}

/* The older entry points, with the same rules of who owns what */
TEST_F(sspi, logon_by_older_entries)
{
	const char *const names[] = { MIRROR_EX_NAME, MIRROR_PLAIN_NAME };
	char bad[4 + sizeof(ULONG64)] = "evil";
	struct mirror_profile *profile;
	NTSTATUS sub_status;
	char good[] = "good";
	ULONG package;
	ULONG64 where;
	HANDLE lsa;
	STRING name;
	size_t i;

	ASSERT_EQ(STATUS_SUCCESS, LsaConnectUntrusted(&lsa));
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		RtlInitString(&name, names[i]);
		ASSERT_EQ(STATUS_SUCCESS,
			  LsaLookupAuthenticationPackage(lsa, &name, &package));
		ASSERT_EQ(STATUS_SUCCESS, log_on(lsa, package, good, 4, NULL,
						 &profile, &sub_status));
		EXPECT_STREQ("welcome", profile->text);
		EXPECT_EQ(to_u64(good), profile->base);
		EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(profile));
		EXPECT_EQ(STATUS_LOGON_FAILURE,
			  log_on(lsa, package, bad, sizeof(bad), NULL, &profile,
				 &sub_status));
		EXPECT_EQ(STATUS_WRONG_PASSWORD, sub_status);
		memcpy(&where, bad + 4, sizeof(where));
		ASSERT_NE(0, where);
		EXPECT_EQ(STATUS_MEMORY_NOT_ALLOCATED,
			  LsaFreeReturnBuffer(to_pointer(where)));
	}
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(lsa));
}

/*
 * Shared memory of the package: there whatever the client calls first
 */

static const char *address_of(LONG high, ULONG low)
{
	return to_pointer((ULONG64)high << 32 | low);
}

/* A 32-bit program cannot have it where lsahost has it, and is told. */
#define HAS_ITS_ADDRESS (sizeof(PVOID) == 8)

TEST(shared_memory_of_credentials)
{
	CredHandle credential;
	TimeStamp expiry;

	ASSERT_TRUE(start_host("mirror"));
	ASSERT_EQ(HAS_ITS_ADDRESS ? SEC_E_OK : SEC_E_INTERNAL_ERROR,
		  AcquireCredentialsHandleA((char *)MIRROR_SHARED,
					    (char *)MIRROR_NAME,
					    SECPKG_CRED_BOTH, NULL, NULL, NULL,
					    NULL, &credential, &expiry));
	if (!HAS_ITS_ADDRESS)
		return;
	EXPECT_STREQ(MIRROR_SHARED,
		     address_of(expiry.HighPart, expiry.LowPart));
	EXPECT_EQ(SEC_E_OK, FreeCredentialsHandle(&credential));
}

TEST(shared_memory_of_logon)
{
	ULONG package, profile_length;
	char name[] = MIRROR_SHARED;
	NTSTATUS sub_status;
	QUOTA_LIMITS quotas;
	PVOID profile;
	HANDLE lsa, token;
	STRING mirror;
	LUID id;

	ASSERT_TRUE(start_host("mirror"));
	ASSERT_EQ(STATUS_SUCCESS, LsaConnectUntrusted(&lsa));
	RtlInitString(&mirror, MIRROR_NAME);
	ASSERT_EQ(STATUS_SUCCESS,
		  LsaLookupAuthenticationPackage(lsa, &mirror, &package));
	ASSERT_EQ(HAS_ITS_ADDRESS ? STATUS_SUCCESS :
				    STATUS_CONFLICTING_ADDRESSES,
		  LsaLogonUser(lsa, NULL, Network, package, name, strlen(name),
			       NULL, NULL, &profile, &profile_length, &id,
			       &token, &quotas, &sub_status));
	if (!HAS_ITS_ADDRESS)
		return;
	EXPECT_STREQ(MIRROR_SHARED, address_of(id.HighPart, id.LowPart));
	EXPECT_EQ(NULL, profile);
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(lsa));
}

/*
 * Credentials
 */

TEST_F(sspi, credentials)
{
	SecPkgCredentials_NamesW names = { NULL };
	CredHandle second;

	ASSERT_EQ(SEC_E_OK,
		  QueryCredentialsAttributesW(&self->credential,
					      SECPKG_CRED_ATTR_NAMES, &names));
	EXPECT_EQ(0, wcs16cmp(u"me", names.sUserName));
	EXPECT_EQ(SEC_E_OK, FreeContextBuffer(names.sUserName));
	ASSERT_EQ(SEC_E_OK,
		  QueryCredentialsAttributesA(&self->credential,
					      SECPKG_CRED_ATTR_NAMES, &names));
	EXPECT_STREQ("me", (char *)names.sUserName);
	EXPECT_EQ(SEC_E_OK, FreeContextBuffer(names.sUserName));

	/* It was started with what the LSA says about the machine */
	EXPECT_EQ(0, get_counts(&self->credential).bad_start);
	ASSERT_EQ(SEC_E_OK, acquire(&second));
	EXPECT_EQ(2, get_counts(&self->credential).credentials);
	EXPECT_EQ(SEC_E_OK, FreeCredentialsHandle(&second));
	EXPECT_EQ(1, get_counts(&self->credential).credentials);
	EXPECT_EQ(SEC_E_INVALID_HANDLE, FreeCredentialsHandle(&second));
}

TEST_F(sspi, bad_credentials)
{
	SEC_WINNT_AUTH_IDENTITY_W identity = {
		.User = (WCHAR *)16,
		.UserLength = 2,
		.Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
	};
	CredHandle credential = { 1, 1 };

	EXPECT_EQ(SEC_E_INTERNAL_ERROR,
		  AcquireCredentialsHandleA(NULL, (char *)MIRROR_NAME, 0, NULL,
					    &identity, NULL, NULL, &credential,
					    NULL));
	EXPECT_FALSE(SecIsValidHandle(&credential));
	EXPECT_EQ(SEC_E_SECPKG_NOT_FOUND,
		  AcquireCredentialsHandleA(NULL, (char *)"nobody", 0, NULL,
					    NULL, NULL, NULL, &credential,
					    NULL));
	EXPECT_EQ(1, get_counts(&self->credential).credentials);
}

/*
 * Logon sessions
 */

/* A logon with that information; the package's answer, and its session */
static NTSTATUS log_on_for(HANDLE lsa, const char *information, LUID *session)
{
	ULONG package, length;
	NTSTATUS sub_status;
	QUOTA_LIMITS quotas;
	PVOID profile;
	HANDLE token;
	STRING name;

	RtlInitString(&name, MIRROR_NAME);
	if (LsaLookupAuthenticationPackage(lsa, &name, &package))
		return STATUS_NO_SUCH_PACKAGE;
	return LsaLogonUser(lsa, NULL, Network, package, (PVOID)information,
			    strlen(information), NULL, NULL, &profile, &length,
			    session, &token, &quotas, &sub_status);
}

static bool is_listed(const LUID *session, ULONG *count)
{
	bool found = false;
	PLUID list;
	ULONG i;

	*count = 0;
	if (LsaEnumerateLogonSessions(count, &list))
		return false;
	for (i = 0; i < *count; i++)
		found |= SecEqualLuid(&list[i], session);
	return LsaFreeReturnBuffer(list) ? false : found;
}

static bool is_text(const UNICODE_STRING *string, const WCHAR *text)
{
	return string->Length == wcs16len(text) * sizeof(WCHAR) &&
	       !memcmp(string->Buffer, text, string->Length);
}

/* How many secrets the package finds in a session, or the status of acquiring */
static SECURITY_STATUS count_kept(LUID *session)
{
	CredHandle credential;
	SECURITY_STATUS status;
	USHORT kept[8] = { 0 };

	status = AcquireCredentialsHandleA(NULL, (char *)MIRROR_NAME,
					   SECPKG_CRED_BOTH, session, NULL,
					   NULL, NULL, &credential, NULL);
	if (status)
		return status;
	status = QueryCredentialsAttributesW(&credential, MIRROR_ATTR_KEPT,
					     kept);
	FreeCredentialsHandle(&credential);
	return status ? status : kept[0];
}

static struct mirror_ends get_ends(CredHandle *credential)
{
	struct mirror_ends ends = { 0 };

	if (QueryCredentialsAttributesW(credential, MIRROR_ATTR_ENDS, &ends))
		ends.terminated = ~0U;
	return ends;
}

/* Wait until the package has been told of so many ends */
static bool has_terminated(CredHandle *credential, unsigned int number,
			   const LUID *latest)
{
	__u64 end = now_ns() + AT_ONCE_NS;
	struct mirror_ends ends;

	do {
		ends = get_ends(credential);
	} while (ends.terminated < number && now_ns() < end);
	return ends.terminated == number && ends.latest == latest->LowPart;
}

TEST_F(sspi, logon_session)
{
	PSECURITY_LOGON_SESSION_DATA data;
	LONGLONG before = time(NULL);
	ULONG count;
	HANDLE lsa;
	LUID id;

	ASSERT_EQ(STATUS_SUCCESS, LsaConnectUntrusted(&lsa));
	ASSERT_EQ(STATUS_SUCCESS, log_on_for(lsa, MIRROR_SESSION, &id));
	EXPECT_TRUE(is_listed(&id, &count));
	/* That, and the one that the user has anyway */
	EXPECT_EQ(2, count);
	ASSERT_EQ(STATUS_SUCCESS, LsaGetLogonSessionData(&id, &data));
	EXPECT_EQ(sizeof(*data), data->Size);
	EXPECT_TRUE(SecEqualLuid(&id, &data->LogonId));
	EXPECT_EQ(Network, data->LogonType);
	EXPECT_TRUE(is_text(&data->UserName, MIRROR_ACCOUNT));
	EXPECT_TRUE(is_text(&data->LogonDomain, MIRROR_AUTHORITY));
	EXPECT_TRUE(is_text(&data->AuthenticationPackage, TEXT(MIRROR_NAME)));
	EXPECT_LE(before, data->LogonTime.QuadPart / 10000000 - 11644473600);
	EXPECT_EQ(0, data->LogonServer.Length);
	EXPECT_EQ(NULL, data->Sid);
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(data));

	/* What the package has put into it is found again, and only there */
	EXPECT_EQ(1, count_kept(&id));
	EXPECT_EQ(0, count_kept(NULL));

	/* It ends with the connection that it was made by */
	EXPECT_EQ(0, get_ends(&self->credential).terminated);
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(lsa));
	EXPECT_TRUE(has_terminated(&self->credential, 1, &id));
	EXPECT_FALSE(is_listed(&id, &count));
	EXPECT_EQ(1, count);
	EXPECT_EQ(STATUS_NO_SUCH_LOGON_SESSION,
		  LsaGetLogonSessionData(&id, &data));
	EXPECT_EQ(NULL, data);
	EXPECT_EQ(SEC_E_NOT_OWNER, count_kept(&id));
}

TEST_F(sspi, session_without_logon)
{
	LUID id = { .LowPart = NOBODY, .HighPart = 1 };
	PSECURITY_LOGON_SESSION_DATA data;
	ULONG count;

	EXPECT_TRUE(is_listed(&id, &count));
	EXPECT_EQ(1, count);
	ASSERT_EQ(STATUS_SUCCESS, LsaGetLogonSessionData(&id, &data));
	EXPECT_EQ(UndefinedLogonType, data->LogonType);
	EXPECT_EQ(0, data->AuthenticationPackage.Length);
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(data));
	EXPECT_EQ(0, count_kept(&id));
	/* Another user's */
	id.LowPart = 0;
	EXPECT_EQ(STATUS_ACCESS_DENIED, LsaGetLogonSessionData(&id, &data));
	EXPECT_EQ(SEC_E_NOT_OWNER, count_kept(&id));
	EXPECT_EQ(STATUS_INVALID_PARAMETER,
		  LsaEnumerateLogonSessions(NULL, NULL));
	EXPECT_EQ(STATUS_INVALID_PARAMETER, LsaGetLogonSessionData(&id, NULL));
	EXPECT_EQ(STATUS_INVALID_PARAMETER,
		  LsaGetLogonSessionData(NULL, &data));
}

/* A logon that fails leaves no session behind; nor does one that was deleted */
TEST_F(sspi, sessions_of_failed_logons)
{
	ULONG count;
	HANDLE lsa;
	LUID id;

	ASSERT_EQ(STATUS_SUCCESS, LsaConnectUntrusted(&lsa));
	EXPECT_EQ(STATUS_LOGON_FAILURE,
		  log_on_for(lsa, MIRROR_SESSION_LOST, &id));
	EXPECT_FALSE(is_listed(&id, &count));
	EXPECT_EQ(1, count);
	EXPECT_EQ(1, get_ends(&self->credential).terminated);
	EXPECT_EQ(STATUS_SUCCESS, log_on_for(lsa, MIRROR_SESSION_DELETED, &id));
	EXPECT_FALSE(is_listed(&id, &count));
	EXPECT_EQ(1, count);
	EXPECT_EQ(1, get_ends(&self->credential).terminated);
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(lsa));
}

TEST_F(sspi, session_of_a_dead_client)
{
	int pipes[2];
	HANDLE lsa;
	pid_t child;
	LUID id;

	ASSERT_EQ(0, pipe(pipes));
	child = fork();
	if (!child) {
		if (LsaConnectUntrusted(&lsa) ||
		    log_on_for(lsa, MIRROR_SESSION, &id) ||
		    write(pipes[1], &id, sizeof(id)) < 0)
			_exit(1);
		pause();
	}
	ASSERT_EQ(sizeof(id), read(pipes[0], &id, sizeof(id)));
	EXPECT_EQ(1, count_kept(&id));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	EXPECT_TRUE(has_terminated(&self->credential, 1, &id));
}

/* Root, and then another user, who look at the session that they hear of */
static int look_at_session(int orders)
{
	PSECURITY_LOGON_SESSION_DATA data;
	ULONG count;
	LUID id;

	if (read(orders, &id, sizeof(id)) != sizeof(id))
		return 1;
	if (LsaGetLogonSessionData(&id, &data) || LsaFreeReturnBuffer(data) ||
	    count_kept(&id) != 1)
		return 2;
	become_user(NOBODY + 1);
	if (!is_listed(&id, &count))
		return 3;
	if (LsaGetLogonSessionData(&id, &data) != STATUS_ACCESS_DENIED)
		return 4;
	return count_kept(&id) == SEC_E_NOT_OWNER ? 0 : 5;
}

TEST(sessions_of_others)
{
	char endpoint[LSABUF_ENDPOINT_LEN];
	int pair[2], status;
	HANDLE lsa;
	LUID id;

	snprintf(endpoint, sizeof(endpoint), "sspi-%d", getpid());
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	if (!fork()) {
		close(pair[0]);
		setenv("LSABUF_ENDPOINT", endpoint, 1);
		_exit(look_at_session(pair[1]));
	}
	close(pair[1]);
	ASSERT_TRUE(start_mirror());
	ASSERT_EQ(STATUS_SUCCESS, LsaConnectUntrusted(&lsa));
	ASSERT_EQ(STATUS_SUCCESS, log_on_for(lsa, MIRROR_SESSION, &id));
	ASSERT_EQ(sizeof(id), write(pair[0], &id, sizeof(id)));
	wait(&status);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(lsa));
}

/*
 * What comes back of the buffers of a call: one test for each row of the table
 * above check_output() in userlib/host/sspi.c
 */

#define BEFORE "........"

/* A first call for that target with one output buffer of that type */
static SECURITY_STATUS treat(CredHandle *credential, const char *target,
			     ULONG type, struct token *out)
{
	SECURITY_STATUS status;
	CtxtHandle context;

	strcpy(out->bytes, BEFORE);
	status = InitializeSecurityContextA(credential, NULL, (char *)target, 0,
					    0, 0, NULL, 0, &context,
					    token(out, type, strlen(BEFORE)),
					    NULL, NULL);
	if (SEC_SUCCESS(status))
		DeleteSecurityContext(&context);
	return status;
}

#define TREAT(_target, _type, _out) \
	treat(&self->credential, _target, _type, _out)

TEST_F(sspi, row_success)
{
	struct token out;

	EXPECT_EQ(SEC_E_OK, TREAT("done", SECBUFFER_TOKEN, &out));
	EXPECT_EQ(4, out.buffer.cbBuffer);
	EXPECT_EQ(SECBUFFER_TOKEN, out.buffer.BufferType);
	EXPECT_EQ((PVOID)out.bytes, out.buffer.pvBuffer);
	/* Not a byte more than the package says */
	EXPECT_STREQ("done....", out.bytes);
}

TEST_F(sspi, row_informational)
{
	struct token out;

	EXPECT_EQ(SEC_I_CONTINUE_NEEDED,
		  TREAT("continue", SECBUFFER_TOKEN, &out));
	EXPECT_EQ(4, out.buffer.cbBuffer);
	EXPECT_STREQ("done....", out.bytes);
}

TEST_F(sspi, row_error)
{
	struct token out;

	EXPECT_EQ(SEC_E_LOGON_DENIED, TREAT("error", SECBUFFER_TOKEN, &out));
	EXPECT_EQ(8, out.buffer.cbBuffer);
	EXPECT_STREQ(BEFORE, out.bytes);
}

TEST_F(sspi, row_read_only)
{
	const ULONG type = SECBUFFER_TOKEN | SECBUFFER_READONLY;
	const ULONG other = SECBUFFER_TOKEN | SECBUFFER_READONLY_WITH_CHECKSUM;
	struct token out;

	EXPECT_EQ(SEC_E_OK, TREAT("done", type, &out));
	EXPECT_EQ(8, out.buffer.cbBuffer);
	EXPECT_EQ(type, out.buffer.BufferType);
	EXPECT_STREQ(BEFORE, out.bytes);
	EXPECT_EQ(SEC_E_OK, TREAT("done", other, &out));
	EXPECT_EQ(other, out.buffer.BufferType);
	EXPECT_STREQ(BEFORE, out.bytes);
}

TEST_F(sspi, row_empty)
{
	struct token out;

	EXPECT_EQ(SEC_E_OK, TREAT("empty", SECBUFFER_TOKEN, &out));
	EXPECT_EQ(0, out.buffer.cbBuffer);
	EXPECT_STREQ(BEFORE, out.bytes);
}

/* The bits that packages see are neither the client's to set nor to lose */
TEST_F(sspi, row_by_itself)
{
	struct token out;

	EXPECT_EQ(SEC_E_OK, TREAT("by itself", SECBUFFER_DATA, &out));
	EXPECT_EQ(4, out.buffer.cbBuffer);
	EXPECT_EQ(SECBUFFER_DATA, out.buffer.BufferType);
	EXPECT_STREQ("self....", out.bytes);
	EXPECT_EQ(SEC_E_OK, TREAT("by itself",
				  SECBUFFER_DATA | SECBUFFER_RESERVED, &out));
	EXPECT_EQ(SECBUFFER_DATA | SECBUFFER_RESERVED, out.buffer.BufferType);
}

TEST_F(sspi, row_mapped)
{
	struct token out;

	EXPECT_EQ(SEC_E_OK, TREAT("mapped", SECBUFFER_DATA, &out));
	EXPECT_EQ(4, out.buffer.cbBuffer);
	EXPECT_EQ(SECBUFFER_DATA, out.buffer.BufferType);
	EXPECT_STREQ("done....", out.bytes);
	/* The package kept the mapped buffer to itself */
	EXPECT_EQ(SEC_E_OK, TREAT("elsewhere", SECBUFFER_DATA, &out));
	EXPECT_EQ(8, out.buffer.cbBuffer);
	EXPECT_STREQ(BEFORE, out.bytes);
}

TEST_F(sspi, row_too_long)
{
	struct token out;

	EXPECT_EQ(SEC_E_BUFFER_TOO_SMALL,
		  TREAT("too long", SECBUFFER_TOKEN, &out));
	EXPECT_EQ(8, out.buffer.cbBuffer);
	EXPECT_STREQ(BEFORE, out.bytes);
	EXPECT_EQ(0, get_counts(&self->credential).contexts);
}

TEST_F(sspi, row_stray)
{
	struct token out;

	EXPECT_EQ(SEC_E_INTERNAL_ERROR, TREAT("stray", SECBUFFER_TOKEN, &out));
	EXPECT_STREQ(BEFORE, out.bytes);
	EXPECT_EQ(0, get_counts(&self->credential).contexts);
}

TEST_F(sspi, row_allocated)
{
	const char *const targets[] = { "heap", "client" };
	const char *const texts[] = { "done", "self" };
	struct token out;
	CtxtHandle context;
	int i;

	for (i = 0; i < 2; i++) {
		token(&out, SECBUFFER_TOKEN, 0);
		out.buffer.pvBuffer = (PVOID)16;
		ASSERT_EQ(SEC_E_OK,
			  InitializeSecurityContextA(
				  &self->credential, NULL, (char *)targets[i],
				  ISC_REQ_ALLOCATE_MEMORY, 0, 0, NULL, 0,
				  &context, &out.desc, NULL, NULL));
		ASSERT_EQ(4, out.buffer.cbBuffer);
		ASSERT_NE((PVOID)16, out.buffer.pvBuffer);
		EXPECT_EQ(0, memcmp(texts[i], out.buffer.pvBuffer, 4));
		EXPECT_EQ(SEC_E_OK, FreeContextBuffer(out.buffer.pvBuffer));
		EXPECT_EQ(SEC_E_INVALID_HANDLE,
			  FreeContextBuffer(out.buffer.pvBuffer));
		EXPECT_EQ(SEC_E_OK, DeleteSecurityContext(&context));
	}
}

/* Of input buffers what they are and how long they are, no bytes */
TEST_F(sspi, row_input)
{
	struct token in[2] = { { "first" }, { "second" } }, out = { "" };
	SecBuffer inputs[2] = {
		{ 5, SECBUFFER_TOKEN, in[0].bytes },
		{ 6, SECBUFFER_EMPTY, in[1].bytes },
	};
	SecBufferDesc input = { SECBUFFER_VERSION, 2, inputs };
	CtxtHandle context;

	ASSERT_EQ(SEC_E_OK,
		  InitializeSecurityContextA(
			  &self->credential, NULL, (char *)"done", 0, 0, 0,
			  &input, 0, &context, token(&out, SECBUFFER_TOKEN, 8),
			  NULL, NULL));
	EXPECT_EQ(5, inputs[0].cbBuffer);
	EXPECT_EQ(2, inputs[1].cbBuffer);
	EXPECT_EQ(SECBUFFER_EXTRA, inputs[1].BufferType);
	EXPECT_EQ((PVOID)in[1].bytes, inputs[1].pvBuffer);
	EXPECT_STREQ("first", in[0].bytes);
	EXPECT_STREQ("second", in[1].bytes);
}

/* One buffer for both directions */
TEST_F(sspi, aliased_buffers)
{
	struct token both = { BEFORE };
	CtxtHandle context;

	token(&both, SECBUFFER_TOKEN, 8);
	ASSERT_EQ(SEC_E_OK, InitializeSecurityContextA(&self->credential, NULL,
						       (char *)"done", 0, 0, 0,
						       &both.desc, 0, &context,
						       &both.desc, NULL, NULL));
	EXPECT_EQ(4, both.buffer.cbBuffer);
	EXPECT_STREQ("done....", both.bytes);
}

TEST_F(sspi, bad_buffers)
{
	SecBuffer many[33] = { { 0 } };
	SecBufferDesc desc = { SECBUFFER_VERSION, 33, many };
	CtxtHandle context;
	struct token out;

	EXPECT_EQ(SEC_E_INVALID_PARAMETER,
		  InitializeSecurityContextA(&self->credential, NULL, NULL, 0,
					     0, 0, NULL, 0, &context, &desc,
					     NULL, NULL));
	token(&out, SECBUFFER_TOKEN, 8);
	out.buffer.pvBuffer = (PVOID)16;
	EXPECT_EQ(SEC_E_INTERNAL_ERROR,
		  InitializeSecurityContextA(&self->credential, NULL,
					     (char *)"done", 0, 0, 0, NULL, 0,
					     &context, &out.desc, NULL, NULL));
	out.buffer.pvBuffer = (PVOID)~0UL;
	EXPECT_EQ(SEC_E_INVALID_PARAMETER,
		  InitializeSecurityContextA(&self->credential, NULL,
					     (char *)"done", 0, 0, 0, NULL, 0,
					     &context, &out.desc, NULL, NULL));
	EXPECT_EQ(0, get_counts(&self->credential).contexts);
}

/*
 * Contexts
 */

/* Both sides in one process, up to contexts that are agreed on */
static SECURITY_STATUS shake_hands(CredHandle *credential,
				   CtxtHandle *initiator, CtxtHandle *acceptor)
{
	struct token hello = { "" }, welcome = { "" };
	ULONG attributes = 0;
	SECURITY_STATUS status;
	TimeStamp expiry;

	status = InitializeSecurityContextA(
		credential, NULL, (char *)"peer", ISC_REQ_INTEGRITY, 0,
		SECURITY_NATIVE_DREP, NULL, 0, initiator,
		token(&hello, SECBUFFER_TOKEN, 256), &attributes, &expiry);
	if (status != SEC_I_CONTINUE_NEEDED ||
	    attributes != ISC_REQ_INTEGRITY || expiry.QuadPart != 4711 ||
	    strcmp(hello.bytes, "hello from me"))
		return SEC_SUCCESS(status) ? SEC_E_INTERNAL_ERROR : status;
	status = AcceptSecurityContext(credential, NULL, &hello.desc, 0,
				       SECURITY_NATIVE_DREP, acceptor,
				       token(&welcome, SECBUFFER_TOKEN, 256),
				       &attributes, NULL);
	if (status)
		return status;
	return InitializeSecurityContextA(credential, initiator, NULL, 0, 0, 0,
					  &welcome.desc, 0, initiator,
					  token(&hello, SECBUFFER_TOKEN, 0),
					  &attributes, NULL);
}

TEST_F(sspi, messages)
{
	char text[] = "a message to be signed";
	char signature[64];
	SecBuffer buffers[2] = {
		{ sizeof(text), SECBUFFER_DATA, text },
		{ sizeof(signature), SECBUFFER_TOKEN, signature },
	};
	SecBufferDesc message = { SECBUFFER_VERSION, 2, buffers };
	CtxtHandle initiator, acceptor;
	ULONG quality = 1;

	ASSERT_EQ(SEC_E_OK,
		  shake_hands(&self->credential, &initiator, &acceptor));
	ASSERT_EQ(SEC_E_OK, MakeSignature(&initiator, 0, &message, 0));
	EXPECT_EQ(SEC_E_OK, VerifySignature(&acceptor, &message, 0, &quality));
	EXPECT_EQ(0, quality);
	text[3] ^= 1;
	EXPECT_EQ(SEC_E_MESSAGE_ALTERED,
		  VerifySignature(&acceptor, &message, 0, NULL));
	text[3] ^= 1;
	ASSERT_EQ(SEC_E_OK, EncryptMessage(&acceptor, 0, &message, 0));
	EXPECT_STRNE("a message to be signed", text);
	ASSERT_EQ(SEC_E_OK, DecryptMessage(&initiator, &message, 0, NULL));
	EXPECT_STREQ("a message to be signed", text);
	EXPECT_EQ(SEC_E_OK, DeleteSecurityContext(&initiator));
	EXPECT_EQ(SEC_E_INVALID_HANDLE,
		  MakeSignature(&initiator, 0, &message, 0));
	EXPECT_EQ(SEC_E_INVALID_HANDLE, DeleteSecurityContext(&initiator));
	EXPECT_EQ(SEC_E_OK, DeleteSecurityContext(&acceptor));
	EXPECT_EQ(0, get_counts(&self->credential).contexts);
}

TEST_F(sspi, context_attributes)
{
	SecPkgContext_Sizes sizes = { 0 };
	SecPkgContext_NamesW names;
	CtxtHandle initiator, acceptor;
	struct token control = { "control" };

	ASSERT_EQ(SEC_E_OK,
		  shake_hands(&self->credential, &initiator, &acceptor));
	EXPECT_EQ(SEC_E_OK, QueryContextAttributesW(&initiator,
						    SECPKG_ATTR_SIZES, &sizes));
	EXPECT_EQ(4, sizes.cbMaxSignature);
	ASSERT_EQ(SEC_E_OK, QueryContextAttributesW(&acceptor,
						    SECPKG_ATTR_NAMES, &names));
	EXPECT_EQ(0, wcs16cmp(u"acceptor", names.sUserName));
	EXPECT_EQ(SEC_E_OK, FreeContextBuffer(names.sUserName));
	ASSERT_EQ(SEC_E_OK, QueryContextAttributesA(&initiator,
						    SECPKG_ATTR_NAMES, &names));
	EXPECT_STREQ("initiator", (char *)names.sUserName);
	EXPECT_EQ(SEC_E_OK, FreeContextBuffer(names.sUserName));
	EXPECT_EQ(SEC_E_UNSUPPORTED_FUNCTION,
		  QueryContextAttributesW(&initiator, 4242, &sizes));
	EXPECT_EQ(SEC_E_OK,
		  ApplyControlToken(&initiator,
				    token(&control, SECBUFFER_TOKEN, 7)));
	EXPECT_EQ(SEC_E_UNSUPPORTED_FUNCTION,
		  CompleteAuthToken(&initiator, &control.desc));
	EXPECT_EQ(SEC_E_UNSUPPORTED_FUNCTION,
		  ImpersonateSecurityContext(&initiator));
}

TEST_F(sspi, bad_tokens)
{
	struct token in = { "rubbish from me" }, out = { "" };
	CtxtHandle context;

	EXPECT_EQ(SEC_E_INVALID_TOKEN,
		  AcceptSecurityContext(
			  &self->credential, NULL,
			  token(&in, SECBUFFER_TOKEN, 15), 0, 0, &context,
			  token(&out, SECBUFFER_TOKEN, 256), NULL, NULL));
	EXPECT_EQ(SEC_E_INVALID_TOKEN,
		  AcceptSecurityContext(&self->credential, NULL, NULL, 0, 0,
					&context, &out.desc, NULL, NULL));
	EXPECT_EQ(0, get_counts(&self->credential).contexts);
}

/*
 * Buffers of any shape, against a model
 *
 * All of them lie in pages of which the first two can be written, the third
 * can be read, and the last is not there. What the package "mirror" does with
 * each is drawn from a number, here and there.
 */

#define MODEL_PAGE 4096
#define MODEL_WRITABLE (2 * MODEL_PAGE)
#define MODEL_READABLE (3 * MODEL_PAGE)
#define MODEL_SIZE (4 * MODEL_PAGE)
#define MODEL_BUFFERS 32

/**
 * struct model - a call with buffers of some shape
 * @number: for the package
 * @state: of the draws of the shape
 * @memory: where buffers are
 * @image: what has to be there afterwards
 * @input: input buffers
 * @output: output buffers, with room for one too many
 * @expected: what is to become of these, without addresses
 * @input_desc: descriptor
 * @output_desc: descriptor
 * @allocate: outputs are to be allocated
 * @shadow: of output buffers that are mapped at once, as they were then
 * @sum: of the input buffers
 */
struct model {
	ULONG64 number;
	unsigned long long state;
	PUCHAR memory;
	UCHAR image[MODEL_READABLE];
	SecBuffer input[MODEL_BUFFERS + 1];
	SecBuffer output[MODEL_BUFFERS + 1];
	SecBuffer expected[MODEL_BUFFERS + 1];
	SecBufferDesc input_desc;
	SecBufferDesc output_desc;
	bool allocate;
	UCHAR shadow[MODEL_BUFFERS][512];
	ULONG sum;
};

static ULONG model_draw(struct model *model, ULONG below)
{
	return mirror_draw(&model->state) % below;
}

/* Of every type, with every combination of flags, and some tokens more */
static ULONG draw_type(struct model *model)
{
	ULONG type = model_draw(model, 3) ? model_draw(model, 30) :
					    SECBUFFER_TOKEN;

	return model_draw(model, 2) ? type : type | model_draw(model, 16) << 28;
}

static SecBuffer draw_buffer(struct model *model, bool is_input, bool bad)
{
	SecBuffer buffer = { .BufferType = draw_type(model) };
	ULONG at, kind = model_draw(model, bad ? 24 : 20);

	buffer.cbBuffer = model_draw(model, 4) ? model_draw(model, 40) :
						 model_draw(model, 400);
	at = model_draw(model, MODEL_WRITABLE - buffer.cbBuffer + 1);
	if (kind == 0)
		return buffer;
	if (kind == 1)
		buffer.cbBuffer = 0;
	if (kind == 2)
		at = MODEL_WRITABLE +
		     model_draw(model, MODEL_PAGE - buffer.cbBuffer + 1);
	if (kind >= 20)
		at = MODEL_READABLE + model_draw(model, MODEL_PAGE - 400);
	/* Over the end of what is there */
	if (kind == 23 && is_input && buffer.cbBuffer)
		at = MODEL_READABLE - model_draw(model, buffer.cbBuffer);
	buffer.pvBuffer = model->memory + at;
	return buffer;
}

static void draw_shape(struct model *model)
{
	bool bad = !model_draw(model, 6);
	ULONG i, most = model_draw(model, 4) ? 5 : MODEL_BUFFERS + 1;

	model->allocate = !model_draw(model, 5);
	model->input_desc.cBuffers = model_draw(model, most + 1);
	model->output_desc.cBuffers = model_draw(model, most + 1);
	model->input_desc.pBuffers = model->input;
	model->output_desc.pBuffers = model->output;
	for (i = 0; i < MODEL_READABLE; i++)
		model->image[i] =
			i < MODEL_WRITABLE ? mirror_draw(&model->state) : 'r';
	memcpy(model->memory, model->image, MODEL_WRITABLE);
	for (i = 0; i < model->input_desc.cBuffers; i++)
		model->input[i] = draw_buffer(model, true, bad);
	for (i = 0; i < model->output_desc.cBuffers; i++)
		model->output[i] = draw_buffer(model, false, bad);
	/* What comes in is where it goes out, as some programs do it */
	if (model->output_desc.cBuffers && model_draw(model, 4) == 0)
		model->input[0] = model->output[0];
	if (!model->input_desc.cBuffers && model_draw(model, 2))
		model->input_desc.pBuffers = NULL;
}

static bool can_read(const struct model *model, const SecBuffer *buffer)
{
	ULONG at = (PUCHAR)buffer->pvBuffer - model->memory;

	return !buffer->pvBuffer || !buffer->cbBuffer ||
	       at + buffer->cbBuffer <= MODEL_READABLE;
}

static bool can_write(const struct model *model, const SecBuffer *buffer,
		      ULONG length)
{
	ULONG at = (PUCHAR)buffer->pvBuffer - model->memory;

	return !length || at + length <= MODEL_WRITABLE;
}

static bool is_read_only(const SecBuffer *buffer)
{
	return buffer->BufferType &
	       (SECBUFFER_READONLY | SECBUFFER_READONLY_WITH_CHECKSUM);
}

/* The package finds it mapped */
static bool is_token(const SecBuffer *buffer)
{
	return (buffer->BufferType & ~SECBUFFER_ATTRMASK) == SECBUFFER_TOKEN;
}

static PUCHAR image_of(struct model *model, const SecBuffer *buffer)
{
	return model->image + ((PUCHAR)buffer->pvBuffer - model->memory);
}

static void put_pattern(const struct model *model, ULONG index, PUCHAR to,
			ULONG length)
{
	ULONG i;

	for (i = 0; i < length; i++)
		to[i] = mirror_byte(model->number, index, i);
}

/* Before the package is called; whether it is */
static bool predict_begin(struct model *model)
{
	const SecBuffer *buffer;
	ULONG i;

	model->sum = 0;
	for (i = 0; i < model->input_desc.cBuffers; i++) {
		buffer = &model->input[i];
		if (!can_read(model, buffer))
			return false;
		model->sum = mirror_sum(
			model->sum,
			buffer->pvBuffer ? image_of(model, buffer) : NULL,
			buffer->pvBuffer ? buffer->cbBuffer : 0);
	}
	for (i = 0; i < model->output_desc.cBuffers && !model->allocate; i++) {
		buffer = &model->output[i];
		if (!is_token(buffer) || !buffer->pvBuffer)
			continue;
		if (!can_read(model, buffer))
			return false;
		memcpy(model->shadow[i], image_of(model, buffer),
		       buffer->cbBuffer);
	}
	return true;
}

/*
 * What the package does with an output buffer; false: it fails. A buffer whose
 * bytes go back to the client with the reply has pvBuffer set.
 */
static bool predict_action(struct model *model, ULONG i)
{
	const SecBuffer *buffer = &model->output[i];
	SecBuffer *expected = &model->expected[i];
	struct mirror_plan plan =
		mirror_plan(model->number, i, buffer->cbBuffer);
	bool there = buffer->pvBuffer && buffer->cbBuffer;

	expected->pvBuffer = is_token(buffer) && there ? model->shadow[i] :
							 NULL;
	switch (plan.action) {
	case MIRROR_FILL:
		if (!can_read(model, buffer))
			return false;
		if (!buffer->pvBuffer)
			break;
		put_pattern(model, i, model->shadow[i], plan.length);
		expected->pvBuffer = model->shadow[i];
		expected->cbBuffer = plan.length;
		break;
	case MIRROR_COPY:
		if (!there || is_token(buffer) || is_read_only(buffer))
			break;
		if (!can_write(model, buffer, plan.length))
			return false;
		put_pattern(model, i, image_of(model, buffer), plan.length);
		expected->cbBuffer = plan.length;
		break;
	case MIRROR_EMPTY:
		expected->cbBuffer = 0;
		break;
	case MIRROR_SHORTEN:
		expected->cbBuffer = plan.length;
		break;
	case MIRROR_LENGTHEN:
		expected->cbBuffer++;
		break;
	default:
		break;
	}
	return true;
}

/* What goes back to the client's memory, in the order of the buffers */
static bool predict_return(struct model *model)
{
	SecBuffer *expected;
	ULONG i;

	for (i = 0; i < model->output_desc.cBuffers; i++) {
		const SecBuffer *buffer = &model->output[i];

		expected = &model->expected[i];
		if (is_read_only(buffer)) {
			expected->cbBuffer = buffer->cbBuffer;
			continue;
		}
		if (!expected->pvBuffer || !expected->cbBuffer)
			continue;
		if (!can_write(model, buffer, expected->cbBuffer))
			return false;
		memcpy(image_of(model, buffer), expected->pvBuffer,
		       expected->cbBuffer);
	}
	return true;
}

static SECURITY_STATUS predict(struct model *model)
{
	ULONG i, nr = model->output_desc.cBuffers;

	memcpy(model->expected, model->output, sizeof(model->expected));
	if (model->input_desc.cBuffers > MODEL_BUFFERS || nr > MODEL_BUFFERS)
		return SEC_E_INVALID_PARAMETER;
	if (!predict_begin(model))
		return SEC_E_INTERNAL_ERROR;
	if (model->allocate)
		return SEC_E_OK;
	for (i = 0; i < nr; i++)
		if (!predict_action(model, i))
			return SEC_E_INTERNAL_ERROR;
	for (i = 0; i < nr; i++)
		if (model->expected[i].cbBuffer > model->output[i].cbBuffer &&
		    !is_read_only(&model->output[i]))
			return SEC_E_BUFFER_TOO_SMALL;
	return predict_return(model) ? SEC_E_OK : SEC_E_INTERNAL_ERROR;
}

/* An output that the package, or the host, has allocated; freed here */
static bool check_allocated(const struct model *model, ULONG i,
			    const SecBuffer *before)
{
	const SecBuffer *now = &model->output[i];
	struct mirror_plan plan = mirror_plan(model->number, i, 63);
	UCHAR bytes[64];
	bool good;

	if (is_read_only(before))
		return now->cbBuffer == before->cbBuffer &&
		       now->pvBuffer == before->pvBuffer;
	if ((plan.action != MIRROR_FILL && plan.action != MIRROR_COPY) ||
	    !plan.length)
		return !now->pvBuffer && !now->cbBuffer;
	if (now->cbBuffer != plan.length || !now->pvBuffer)
		return false;
	put_pattern(model, i, bytes, plan.length);
	good = !memcmp(bytes, now->pvBuffer, plan.length);
	return !FreeContextBuffer(now->pvBuffer) && good;
}

/* What came of it; @before: the output buffers as they were */
static bool check_model(const struct model *model, const SecBuffer *before,
			bool succeeded)
{
	ULONG i;

	if (memcmp(model->memory, model->image, MODEL_READABLE))
		return false;
	for (i = 0; i < model->output_desc.cBuffers; i++) {
		const SecBuffer *now = &model->output[i];

		if (now->BufferType != before[i].BufferType)
			return false;
		if (!succeeded || !model->allocate) {
			if (now->pvBuffer != before[i].pvBuffer ||
			    now->cbBuffer !=
				    (succeeded ? model->expected[i].cbBuffer :
						 before[i].cbBuffer))
				return false;
		} else if (!check_allocated(model, i, &before[i])) {
			return false;
		}
	}
	return true;
}

/* One call; false when anything is not as the model has it */
static bool run_model(CredHandle *credential, struct model *model,
		      unsigned int *succeeded)
{
	SECURITY_STATUS status, expected;
	SecBuffer before[MODEL_BUFFERS + 1];
	CtxtHandle context;
	ULONG sum = 0;
	char target[40];

	draw_shape(model);
	expected = predict(model);
	memcpy(before, model->output, sizeof(before));
	snprintf(target, sizeof(target), MIRROR_MODEL "%llu",
		 (unsigned long long)model->number);
	status = InitializeSecurityContextA(
		credential, NULL, target,
		model->allocate ? ISC_REQ_ALLOCATE_MEMORY : 0, 0, 0,
		&model->input_desc, 0, &context, &model->output_desc, &sum,
		NULL);
	if (status != expected) {
		fprintf(stderr, "# status 0x%x, not 0x%x\n",
			(unsigned int)status, (unsigned int)expected);
		return false;
	}
	if (!SEC_SUCCESS(status))
		return check_model(model, before, false);
	++*succeeded;
	return sum == model->sum && check_model(model, before, true) &&
	       DeleteSecurityContext(&context) == SEC_E_OK;
}

TEST_F_TIMEOUT(sspi, random_shapes, 300)
{
	const char *seed = getenv("LSABUF_SEED");
	const unsigned long first = seed ? strtoul(seed, NULL, 0) : 20;
	unsigned int shapes = scaled(2000), succeeded = 0, i;
	struct model *model = calloc(1, sizeof(*model));

	ASSERT_NE(NULL, model);
	model->memory = mmap(NULL, MODEL_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, model->memory);
	memset(model->memory + MODEL_WRITABLE, 'r', MODEL_PAGE);
	ASSERT_EQ(0, mprotect(model->memory + MODEL_WRITABLE, MODEL_PAGE,
			      PROT_READ));
	ASSERT_EQ(0, mprotect(model->memory + MODEL_READABLE, MODEL_PAGE,
			      PROT_NONE));
	TH_LOG("LSABUF_SEED=%lu", first);
	for (i = 0; i < shapes; i++) {
		model->number = first + i;
		model->state = ~model->number << 32;
		ASSERT_TRUE(run_model(&self->credential, model, &succeeded))
		{
			TH_LOG("shape %u, number %lu", i, first + i);
		}
	}
	/* The draw is not too hard for all that is checked afterwards */
	EXPECT_LT(shapes / 3, succeeded);
	TH_LOG("%u shapes, of which %u succeeded", shapes, succeeded);
	EXPECT_EQ(0, get_counts(&self->credential).contexts);
	munmap(model->memory, MODEL_SIZE);
	free(model);
}

/*
 * Handles belong to whom they were given
 */

TEST_F(sspi, handles_of_others)
{
	struct token out = { "" };
	CtxtHandle initiator, acceptor, context;
	int status;

	ASSERT_EQ(SEC_E_OK,
		  shake_hands(&self->credential, &initiator, &acceptor));
	if (!fork()) {
		/* The same user, with the same numbers, is another client */
		struct mirror_counts counts = get_counts(&self->credential);

		if (counts.bad_start != 0xffff ||
		    FreeCredentialsHandle(&self->credential) !=
			    SEC_E_INVALID_HANDLE ||
		    DeleteSecurityContext(&initiator) != SEC_E_INVALID_HANDLE ||
		    InitializeSecurityContextA(
			    &self->credential, NULL, (char *)"done", 0, 0, 0,
			    NULL, 0, &context, token(&out, SECBUFFER_TOKEN, 8),
			    NULL, NULL) != SEC_E_INVALID_HANDLE)
			_exit(1);
		_exit(0);
	}
	wait(&status);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_EQ(1, get_counts(&self->credential).credentials);
	EXPECT_EQ(2, get_counts(&self->credential).contexts);
}

/* No number near a good one is good, nor one of the other kind */
TEST_F(sspi, invented_handles)
{
	CtxtHandle initiator, acceptor, handle;
	SecPkgContext_Sizes sizes;
	int bit;

	ASSERT_EQ(SEC_E_OK,
		  shake_hands(&self->credential, &initiator, &acceptor));
	for (bit = 0; bit < 64; bit++) {
		handle = initiator;
		if (bit < 32)
			handle.dwLower ^= 1UL << bit;
		else
			handle.dwUpper ^= 1UL << (bit - 32);
		EXPECT_EQ(SEC_E_INVALID_HANDLE,
			  QueryContextAttributesW(&handle, SECPKG_ATTR_SIZES,
						  &sizes));
	}
	EXPECT_EQ(SEC_E_INVALID_HANDLE, FreeCredentialsHandle(&initiator));
	EXPECT_EQ(SEC_E_INVALID_HANDLE,
		  DeleteSecurityContext(&self->credential));
	memset(&handle, 0, sizeof(handle));
	EXPECT_EQ(SEC_E_INVALID_HANDLE, FreeCredentialsHandle(&handle));
	SecInvalidateHandle(&handle);
	EXPECT_EQ(SEC_E_INVALID_HANDLE, DeleteSecurityContext(&handle));
	EXPECT_EQ(SEC_E_INVALID_HANDLE, FreeCredentialsHandle(NULL));
	EXPECT_EQ(1, get_counts(&self->credential).credentials);
}

/* What a client leaves behind when it dies is given back to the package */
TEST_F(sspi, rundown)
{
	__u64 end = now_ns() + AT_ONCE_NS;
	CtxtHandle initiator, acceptor;
	struct mirror_counts counts;
	CredHandle credential;
	int pipes[2], i;
	char byte = 0;
	pid_t child;

	ASSERT_EQ(0, pipe(pipes));
	child = fork();
	if (!child) {
		for (i = 0; i < 3; i++)
			if (acquire(&credential) ||
			    shake_hands(&credential, &initiator, &acceptor))
				byte = 1;
		if (write(pipes[1], &byte, 1) < 0)
			_exit(1);
		pause();
	}
	ASSERT_EQ(1, read(pipes[0], &byte, 1));
	ASSERT_EQ(0, byte);
	counts = get_counts(&self->credential);
	EXPECT_EQ(4, counts.credentials);
	EXPECT_EQ(6, counts.contexts);
	EXPECT_EQ(0, counts.run_down);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	do {
		counts = get_counts(&self->credential);
	} while (counts.run_down < 9 && now_ns() < end);
	EXPECT_EQ(1, counts.credentials);
	EXPECT_EQ(0, counts.contexts);
	EXPECT_EQ(9, counts.run_down);
}

/*
 * In programs that are not its own
 */

/* The library's connection, where the program has none of its own; or -1 */
static int find_connection(void)
{
	struct lsabuf_connect details;
	int fd;

	for (fd = 3; fd < 256; fd++)
		if (!lsabuf_connection(fd, &details))
			return fd;
	return -1;
}

/* Calls succeed, one on a connection that may be lost and one on the next. */
static bool works(void)
{
	CredHandle credential;

	return !acquire(&credential) && !FreeCredentialsHandle(&credential);
}

TEST_F(sspi, lost_descriptor)
{
	int number = find_connection();
	struct stat before, after;

	ASSERT_LE(0, number);
	close(number);
	/* The number is the first that is free */
	EXPECT_TRUE(works());
	EXPECT_EQ(number, find_connection());
	/* It is something else now, and stays that */
	ASSERT_EQ(number, dup2(STDOUT_FILENO, number));
	fstat(number, &before);
	EXPECT_TRUE(works());
	fstat(number, &after);
	EXPECT_EQ(before.st_ino, after.st_ino);
	EXPECT_LT(number, find_connection());
}

TEST(number_is_another_connection)
{
	struct lsabuf_connect before, after;
	struct lsabuf_reply_receive request;
	char name[LSABUF_ENDPOINT_LEN];
	int other, mine, number;

	snprintf(name, sizeof(name), "other-%d", getpid());
	other = lsabuf_open_authority(name);
	ASSERT_LE(0, other);
	ASSERT_TRUE(start_mirror());
	ASSERT_TRUE(works());
	number = find_connection();
	mine = lsabuf_open_client(name, LSABUF_ACCESS_WHOLE);
	ASSERT_EQ(number, dup2(mine, number));
	ASSERT_EQ(0, lsabuf_connection(number, &before));
	/* Calls go where they always went, and leave it alone */
	EXPECT_TRUE(works());
	EXPECT_EQ(-EAGAIN, lsabuf_receive_nowait(other, &request));
	ASSERT_EQ(0, lsabuf_connection(number, &after));
	EXPECT_EQ(before.out_client, after.out_client);
	lsabuf_close(mine);
	lsabuf_close(other);
}

static _Atomic bool enough;

static bool ask_about_package(void)
{
	PSecPkgInfoA info;

	return !QuerySecurityPackageInfoA((char *)MIRROR_NAME, &info) &&
	       !FreeContextBuffer(info);
}

static void *ask_on(void *unused)
{
	while (!enough)
		if (!ask_about_package() || !works())
			return "it failed";
	return unused;
}

/* What other threads were about when it was forked does not stop a child. */
TEST_F_TIMEOUT(sspi, fork_amid_calls, STRESS_TIMEOUT)
{
	pthread_t threads[4];
	void *result;
	pid_t child;
	int status;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, ask_on, NULL));
	for (i = 0; i < scaled(40); i++) {
		child = fork();
		if (!child) {
			alarm(20);
			_exit(ask_about_package() && works() ? 0 : 1);
		}
		waitpid(child, &status, 0);
		EXPECT_EQ(0, status);
	}
	enough = true;
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], &result);
		EXPECT_EQ(NULL, result);
	}
}

/*
 * The trace: no call to anybody while messages are signed
 */

#define TRACE_ROOT "/sys/kernel/tracing"
#define TRACE_DIR TRACE_ROOT "/instances/lsabuf-sspi"

/* A child that stays root and starts, stops and reads the trace */
static int trace_keeper(void)
{
	int pair[2], n;
	char order, *text, *at;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	if (fork()) {
		close(pair[1]);
		return pair[0];
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(pair[0]);
	if (access(TRACE_ROOT "/events", F_OK))
		mount("none", TRACE_ROOT, "tracefs", 0, NULL);
	rmdir(TRACE_DIR);
	mkdir(TRACE_DIR, 0700);
	write_text(TRACE_DIR "/events/lsabuf/enable", "1");
	while (read(pair[1], &order, 1) == 1) {
		text = read_text(TRACE_DIR "/trace");
		for (n = 0, at = text; (at = strstr(at, "lsabuf_call:")); n++)
			at++;
		free(text);
		if (write(pair[1], &n, sizeof(n)) < 0)
			break;
	}
	rmdir(TRACE_DIR);
	_exit(0);
}

/* Calls in the trace up to now, of all processes */
static int calls_traced(int keeper)
{
	int n = -1;

	if (write(keeper, "?", 1) != 1 ||
	    read(keeper, &n, sizeof(n)) != sizeof(n))
		return -1;
	return n;
}

TEST(signing_calls_nobody)
{
	char text[] = "a message to be signed", signature[64];
	SecBuffer buffers[2] = {
		{ sizeof(text), SECBUFFER_DATA, text },
		{ sizeof(signature), SECBUFFER_TOKEN, signature },
	};
	SecBufferDesc message = { SECBUFFER_VERSION, 2, buffers };
	CtxtHandle initiator, acceptor;
	int keeper = trace_keeper(), before, i;
	CredHandle credential;

	ASSERT_LE(0, keeper);
	ASSERT_EQ(0, calls_traced(keeper));
	ASSERT_TRUE(start_mirror());
	ASSERT_EQ(SEC_E_OK, acquire(&credential));
	ASSERT_EQ(SEC_E_OK, shake_hands(&credential, &initiator, &acceptor));
	before = calls_traced(keeper);
	EXPECT_LE(4, before);
	for (i = 0; i < 100; i++) {
		buffers[1].cbBuffer = sizeof(signature);
		ASSERT_EQ(SEC_E_OK, MakeSignature(&initiator, 0, &message, i));
		ASSERT_EQ(SEC_E_OK,
			  VerifySignature(&acceptor, &message, i, NULL));
		ASSERT_EQ(SEC_E_OK, EncryptMessage(&initiator, 0, &message, i));
		ASSERT_EQ(SEC_E_OK,
			  DecryptMessage(&acceptor, &message, i, NULL));
	}
	EXPECT_EQ(before, calls_traced(keeper));
	/* The trace does see what is a call */
	EXPECT_EQ(SEC_E_OK, DeleteSecurityContext(&initiator));
	EXPECT_EQ(before + 1, calls_traced(keeper));
	close(keeper);
}

/*
 * Mechanisms that others wrote: NTLM and Kerberos of GSSAPI, by way of the
 * package "gss"
 */

/**
 * struct mechanism - one of them
 * @package: its name
 * @domain: of the user "alice"
 * @name: hers, as the mechanism tells it
 * @requirements: of the initiator
 * @signature: bytes of one
 */
struct mechanism {
	const char *package;
	const char *domain;
	const char *name;
	ULONG requirements;
	ULONG signature;
};

/* Both sides' requirements: outputs come from AllocateClientBuffer */
#define MECHANISM_ISC                                                          \
	(ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT | \
	 ISC_REQ_ALLOCATE_MEMORY)
#define MECHANISM_ASC ASC_REQ_ALLOCATE_MEMORY

static const struct mechanism ntlm = {
	.package = "NTLM",
	.domain = "DOM",
	.name = "DOM\\alice",
	.requirements = MECHANISM_ISC,
	.signature = 16,
};

static const struct mechanism kerberos = {
	.package = "Kerberos",
	.domain = "TEST",
	.name = "alice@TEST",
	.requirements = MECHANISM_ISC | ISC_REQ_MUTUAL_AUTH,
	.signature = 28,
};

static const struct mechanism *mechanism = &ntlm;

/* The largest token; Kerberos has large ones */
#define MECHANISM_TOKEN (128 * 1024)

#define NTLM_PLUGIN "/etc/gss/mech.d/mech.ntlmssp.conf"
#define NTLM_USERS "/tmp/lsabuf-ntlm-users"

/* FIXTURE(ntlm) - an lsahost with "gss", which knows the user DOM\\alice */
FIXTURE(ntlm)
{
	CredHandle acceptor;
};

static SECURITY_STATUS mechanism_acquire(const char *password,
					 CredHandle *handle)
{
	SEC_WINNT_AUTH_IDENTITY_A identity = {
		.User = (UCHAR *)"alice",
		.UserLength = 5,
		.Domain = (UCHAR *)mechanism->domain,
		.DomainLength = strlen(mechanism->domain),
		.Password = (UCHAR *)password,
		.PasswordLength = password ? strlen(password) : 0,
		.Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
	};

	return AcquireCredentialsHandleA(
		NULL, (char *)mechanism->package,
		password ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND, NULL,
		password ? &identity : NULL, NULL, NULL, handle, NULL);
}

FIXTURE_SETUP(ntlm)
{
	char package[PATH_MAX + 20];
	int file;

	snprintf(package, sizeof(package), "%s/packages/gss.so", userlib());
	if (access(NTLM_PLUGIN, R_OK) || access(package, R_OK))
		SKIP(exit(255), "no gss-ntlmssp here");
	file = open(NTLM_USERS, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ASSERT_LE(0, file);
	ASSERT_EQ(17, write(file, "DOM:alice:secret\n", 17));
	close(file);
	setenv("NTLM_USER_FILE", NTLM_USERS, 1);
	ASSERT_TRUE(start_host("gss"));
	ASSERT_EQ(SEC_E_OK, mechanism_acquire(NULL, &self->acceptor));
}

FIXTURE_TEARDOWN(ntlm)
{
}

/*
 * Contexts have a part in this process, which needs GSSAPI in its size: of
 * 32-bit programs, credentials alone are looked at.
 */
#ifdef __LP64__

/* One step of either side; @out is allocated, to be freed by the caller */
static SECURITY_STATUS mechanism_step(CredHandle *credential,
				      CtxtHandle *context, bool first,
				      bool accept, const SecBuffer *in,
				      SecBuffer *out)
{
	SecBuffer input = in ? *in : (SecBuffer){ 0 };
	SecBufferDesc input_desc = { SECBUFFER_VERSION, 1, &input };
	SecBufferDesc output_desc = { SECBUFFER_VERSION, 1, out };
	ULONG attributes;

	*out = (SecBuffer){ 0, SECBUFFER_TOKEN, NULL };
	if (accept)
		return AcceptSecurityContext(credential, first ? NULL : context,
					     &input_desc, MECHANISM_ASC,
					     SECURITY_NATIVE_DREP, context,
					     &output_desc, &attributes, NULL);
	return InitializeSecurityContextA(credential, first ? NULL : context,
					  (char *)"host@server",
					  mechanism->requirements, 0,
					  SECURITY_NATIVE_DREP,
					  in ? &input_desc : NULL, 0, context,
					  &output_desc, &attributes, NULL);
}

/* Tokens and messages between the two processes */
static bool put_bytes(int socket, const void *bytes, ULONG length)
{
	return write(socket, &length, sizeof(length)) == sizeof(length) &&
	       (!length || write(socket, bytes, length) == length);
}

static bool get_bytes(int socket, void *bytes, ULONG *length)
{
	return read(socket, length, sizeof(*length)) == sizeof(*length) &&
	       *length <= MECHANISM_TOKEN &&
	       (!*length ||
		recv(socket, bytes, *length, MSG_WAITALL) == *length);
}

/* The longest token that this side has sent */
static ULONG longest;

/* One side, to the end: exchange tokens until there is nothing more to say */
static SECURITY_STATUS mechanism_talk(int socket, CredHandle *credential,
				      CtxtHandle *context, bool accept)
{
	static char bytes[MECHANISM_TOKEN];
	SecBuffer in = { 0, SECBUFFER_TOKEN, bytes }, out;
	SECURITY_STATUS status;
	bool first = true;

	for (;; first = false) {
		if ((accept || !first) &&
		    !get_bytes(socket, bytes, &in.cbBuffer))
			return SEC_E_INTERNAL_ERROR;
		status = mechanism_step(credential, context, first, accept,
					accept || !first ? &in : NULL, &out);
		if (SEC_SUCCESS(status) && out.cbBuffer &&
		    !put_bytes(socket, out.pvBuffer, out.cbBuffer))
			return SEC_E_INTERNAL_ERROR;
		if (longest < out.cbBuffer)
			longest = out.cbBuffer;
		FreeContextBuffer(out.pvBuffer);
		if (status != SEC_I_CONTINUE_NEEDED)
			return status;
	}
}

/* The accepting process: 0 if it heard a message of alice with her signature */
static int mechanism_server(int socket)
{
	static char text[MECHANISM_TOKEN], signature[MECHANISM_TOKEN];
	SecBuffer buffers[2] = {
		{ 0, SECBUFFER_DATA, text },
		{ 0, SECBUFFER_TOKEN, signature },
	};
	SecBufferDesc message = { SECBUFFER_VERSION, 2, buffers };
	SecPkgContext_NamesW names;
	CredHandle credential;
	CtxtHandle context;

	if (mechanism_acquire(NULL, &credential))
		return 1;
	if (mechanism_talk(socket, &credential, &context, true) != SEC_E_OK)
		return 2;
	if (!get_bytes(socket, text, &buffers[0].cbBuffer) ||
	    !get_bytes(socket, signature, &buffers[1].cbBuffer))
		return 3;
	if (VerifySignature(&context, &message, 0, NULL))
		return 4;
	text[0] ^= 1;
	if (VerifySignature(&context, &message, 1, NULL) !=
	    SEC_E_MESSAGE_ALTERED)
		return 5;
	if (QueryContextAttributesA(&context, SECPKG_ATTR_NAMES, &names) ||
	    strcmp((char *)names.sUserName, mechanism->name))
		return 6;
	FreeContextBuffer(names.sUserName);
	return DeleteSecurityContext(&context) ||
	       FreeCredentialsHandle(&credential);
}

/* Two processes authenticate each other, with nothing but lsahost between */
static void meet(struct __test_metadata *_metadata)
{
	char text[] = "signed by alice", signature[64];
	SecBuffer buffers[2] = {
		{ sizeof(text), SECBUFFER_DATA, text },
		{ sizeof(signature), SECBUFFER_TOKEN, signature },
	};
	SecBufferDesc message = { SECBUFFER_VERSION, 2, buffers };
	CredHandle credential;
	CtxtHandle context;
	int pair[2], status;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	if (!fork()) {
		close(pair[0]);
		_exit(mechanism_server(pair[1]));
	}
	close(pair[1]);
	ASSERT_EQ(SEC_E_OK, mechanism_acquire("secret", &credential));
	ASSERT_EQ(SEC_E_OK,
		  mechanism_talk(pair[0], &credential, &context, false));
	ASSERT_EQ(SEC_E_OK, MakeSignature(&context, 0, &message, 0));
	EXPECT_EQ(mechanism->signature, buffers[1].cbBuffer);
	ASSERT_TRUE(put_bytes(pair[0], text, sizeof(text)));
	ASSERT_TRUE(put_bytes(pair[0], signature, buffers[1].cbBuffer));
	wait(&status);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_EQ(SEC_E_OK, DeleteSecurityContext(&context));
	EXPECT_EQ(SEC_E_OK, FreeCredentialsHandle(&credential));
}

TEST_F_TIMEOUT(ntlm, two_processes, 60)
{
	meet(_metadata);
}

/* All but the last step; the initiator's last token is @token */
static SECURITY_STATUS ntlm_begin(CredHandle *acceptor, const char *password,
				  CtxtHandle *accepted, SecBuffer *token)
{
	SecBuffer negotiate, challenge;
	CredHandle credential;
	CtxtHandle context;

	if (mechanism_acquire(password, &credential) ||
	    mechanism_step(&credential, &context, true, false, NULL,
			   &negotiate) != SEC_I_CONTINUE_NEEDED ||
	    mechanism_step(acceptor, accepted, true, true, &negotiate,
			   &challenge) != SEC_I_CONTINUE_NEEDED ||
	    mechanism_step(&credential, &context, false, false, &challenge,
			   token))
		return SEC_E_INTERNAL_ERROR;
	FreeContextBuffer(negotiate.pvBuffer);
	FreeContextBuffer(challenge.pvBuffer);
	DeleteSecurityContext(&context);
	FreeCredentialsHandle(&credential);
	return SEC_E_OK;
}

/* The last step, with a token that may have been tampered with */
static SECURITY_STATUS ntlm_end(CredHandle *acceptor, CtxtHandle *accepted,
				SecBuffer *token)
{
	SECURITY_STATUS status;
	SecBuffer out;

	status = mechanism_step(acceptor, accepted, false, true, token, &out);
	FreeContextBuffer(out.pvBuffer);
	FreeContextBuffer(token->pvBuffer);
	DeleteSecurityContext(accepted);
	return status;
}

TEST_F_TIMEOUT(ntlm, passwords, 60)
{
	const char *const passwords[] = { "secret", "wrong", "Secret", "secre",
					  "secret2" };
	CtxtHandle accepted;
	SecBuffer token;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(passwords); i++) {
		ASSERT_EQ(SEC_E_OK, ntlm_begin(&self->acceptor, passwords[i],
					       &accepted, &token));
		EXPECT_EQ(i ? SEC_E_LOGON_DENIED : SEC_E_OK,
			  ntlm_end(&self->acceptor, &accepted, &token));
	}
}

TEST_F_TIMEOUT(ntlm, truncated_tokens, 120)
{
	CtxtHandle accepted;
	SecBuffer token;
	ULONG length = 1, full;

	do {
		ASSERT_EQ(SEC_E_OK, ntlm_begin(&self->acceptor, "secret",
					       &accepted, &token));
		full = token.cbBuffer;
		token.cbBuffer = length < full ? length : full - 1;
		EXPECT_FALSE(SEC_SUCCESS(
			ntlm_end(&self->acceptor, &accepted, &token)));
		length += 11;
	} while (length < full);
	/* The host has taken no harm */
	ASSERT_EQ(SEC_E_OK,
		  ntlm_begin(&self->acceptor, "secret", &accepted, &token));
	EXPECT_EQ(SEC_E_OK, ntlm_end(&self->acceptor, &accepted, &token));
}

/* Where the proof of the password lies in the last token of NTLM */
static ULONG proof_offset(const SecBuffer *token)
{
	ULONG offset;

	memcpy(&offset, (char *)token->pvBuffer + 24, sizeof(offset));
	return offset;
}

TEST_F_TIMEOUT(ntlm, flipped_bits, 120)
{
	CtxtHandle accepted;
	SecBuffer token;
	ULONG i, offset;

	for (i = 0; i < 16; i++) {
		ASSERT_EQ(SEC_E_OK, ntlm_begin(&self->acceptor, "secret",
					       &accepted, &token));
		offset = proof_offset(&token) + i;
		ASSERT_LT(offset, token.cbBuffer);
		((char *)token.pvBuffer)[offset] ^= 1 << i % 8;
		EXPECT_EQ(SEC_E_LOGON_DENIED,
			  ntlm_end(&self->acceptor, &accepted, &token));
	}
	/* Anywhere else: refused or harmless, as long as the host lives */
	for (i = 0; i < scaled(24); i++) {
		ASSERT_EQ(SEC_E_OK, ntlm_begin(&self->acceptor, "secret",
					       &accepted, &token));
		offset = i * 131 % token.cbBuffer;
		((char *)token.pvBuffer)[offset] ^= 1 << i % 8;
		ntlm_end(&self->acceptor, &accepted, &token);
	}
	ASSERT_EQ(SEC_E_OK,
		  ntlm_begin(&self->acceptor, "secret", &accepted, &token));
	EXPECT_EQ(SEC_E_OK, ntlm_end(&self->acceptor, &accepted, &token));
}

#endif /* __LP64__ */

/*
 * A realm of Kerberos, with a KDC on the loopback interface
 */

#define REALM "/tmp/lsabuf-realm"
/* Each takes 15 bytes of a ticket */
#define MANY_ADDRESSES 5000

/* FIXTURE(kerberos) - a realm, and an lsahost with "gss" in it */
FIXTURE(kerberos)
{
	CredHandle acceptor;
};

/* One of this test's own: that of the test before may not be gone yet */
static int kdc_port(void)
{
	return 18000 + getpid() % 10000;
}

static bool write_realm(unsigned int addresses)
{
	FILE *file = fopen(REALM "/krb5.conf", "w");
	unsigned int i;

	if (!file)
		return false;
	fputs("[libdefaults]\ndefault_realm = TEST\nrdns = false\n"
	      "dns_lookup_realm = false\ndns_lookup_kdc = false\n"
	      "dns_canonicalize_hostname = false\n"
	      "udp_preference_limit = 0\n",
	      file);
	if (addresses)
		fputs("noaddresses = false\nextra_addresses = 127.0.0.1\n",
		      file);
	for (i = 0; i < addresses; i++)
		fprintf(file, "extra_addresses = 10.1.%u.%u\n", i / 200,
			i % 200 + 1);
	fprintf(file,
		"[realms]\nTEST = {\nkdc = 127.0.0.1:%d\n}\n"
		"[domain_realm]\nserver = TEST\n",
		kdc_port());
	if (fclose(file))
		return false;
	file = fopen(REALM "/kdc.conf", "w");
	if (!file)
		return false;
	fprintf(file,
		"[kdcdefaults]\nkdc_listen = 127.0.0.1:%d\n"
		"kdc_tcp_listen = 127.0.0.1:%d\n"
		"[realms]\nTEST = {\ndatabase_name = " REALM "/db\n"
		"key_stash_file = " REALM "/stash\nacl_file = " REALM "/acl\n"
		"supported_enctypes = aes256-cts:normal\n}\n",
		kdc_port(), kdc_port());
	return !fclose(file);
}

static bool make_realm(void)
{
	static const char *const commands[] = {
		"kdb5_util create -s -r TEST -P master",
		"kadmin.local -r TEST addprinc -pw secret alice",
		"kadmin.local -r TEST addprinc -randkey host/server",
		"kadmin.local -r TEST ktadd -k " REALM "/keytab host/server",
		"chown nobody " REALM "/db* " REALM "/stash",
	};
	char line[256];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		snprintf(line, sizeof(line), "%s >" REALM "/log 2>&1",
			 commands[i]);
		if (system(line))
			return false;
	}
	return true;
}

/* It ends with the test; its port may be known before it listens there */
static bool start_kdc(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(kdc_port()),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	__u64 end = now_ns() + 2 * AT_ONCE_NS;
	int fd, ret, log;

	if (!fork()) {
		log = open(REALM "/log", O_WRONLY | O_APPEND);
		/* As the test is going to be, whose death is to end it */
		become_user(NOBODY);
		dup2(log, STDOUT_FILENO);
		dup2(log, STDERR_FILENO);
		execlp("krb5kdc", "krb5kdc", "-n", "-r", "TEST", NULL);
		_exit(127);
	}
	while (now_ns() < end) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		ret = connect(fd, (struct sockaddr *)&address, sizeof(address));
		close(fd);
		if (!ret)
			return true;
		sleep_ms(10);
	}
	return false;
}

static bool has_internet_protocol(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

FIXTURE_SETUP(kerberos)
{
	char package[PATH_MAX + 20];

	if (!has_internet_protocol())
		SKIP(exit(255), "this kernel has no internet protocol");
	snprintf(package, sizeof(package), "%s/packages/gss.so", userlib());
	if (access(package, R_OK) || system("command -v krb5kdc >/dev/null") ||
	    system("command -v kadmin.local >/dev/null"))
		SKIP(exit(255), "no KDC here: krb5-kdc, krb5-admin-server");
	mechanism = &kerberos;
	setenv("KRB5_CONFIG", REALM "/krb5.conf", 1);
	setenv("KRB5_KDC_PROFILE", REALM "/kdc.conf", 1);
	setenv("KRB5_KTNAME", REALM "/keytab", 1);
	setenv("KRB5RCACHEDIR", REALM, 1);
	ASSERT_EQ(0, system("rm -rf " REALM " && mkdir -m 755 " REALM));
}

/* With tickets that name so many addresses that they are good for */
static void enter_realm(struct __test_metadata *_metadata,
			unsigned int addresses, CredHandle *acceptor)
{
	ASSERT_TRUE(write_realm(addresses));
	ASSERT_TRUE(make_realm());
	ASSERT_TRUE(start_kdc());
	ASSERT_TRUE(start_host("gss"));
	ASSERT_EQ(SEC_E_OK, mechanism_acquire(NULL, acceptor));
}

FIXTURE_TEARDOWN(kerberos)
{
}

TEST_F_TIMEOUT(kerberos, passwords, 120)
{
	const char *const passwords[] = { "wrong", "Secret", "secre",
					  "secret2" };
	CredHandle credential;
	size_t i;

	enter_realm(_metadata, 0, &self->acceptor);
	/* The KDC knows at once */
	for (i = 0; i < ARRAY_SIZE(passwords); i++)
		EXPECT_EQ(SEC_E_NO_CREDENTIALS,
			  mechanism_acquire(passwords[i], &credential));
	ASSERT_EQ(SEC_E_OK, mechanism_acquire("secret", &credential));
	EXPECT_EQ(SEC_E_OK, FreeCredentialsHandle(&credential));
}

#ifdef __LP64__

TEST_F_TIMEOUT(kerberos, two_processes, 120)
{
	enter_realm(_metadata, 0, &self->acceptor);
	meet(_metadata);
}

TEST_F_TIMEOUT(kerberos, large_tickets, 120)
{
	enter_realm(_metadata, MANY_ADDRESSES, &self->acceptor);
	meet(_metadata);
	EXPECT_LT(64 * 1024, longest);
}

/* The only token of the initiator, to be freed by the caller */
static SECURITY_STATUS kerberos_begin(SecBuffer *token)
{
	SECURITY_STATUS status;
	CredHandle credential;
	CtxtHandle context;

	status = mechanism_acquire("secret", &credential);
	if (status)
		return status;
	status =
		mechanism_step(&credential, &context, true, false, NULL, token);
	DeleteSecurityContext(&context);
	FreeCredentialsHandle(&credential);
	return status;
}

static SECURITY_STATUS kerberos_end(CredHandle *acceptor,
				    const SecBuffer *token)
{
	SECURITY_STATUS status;
	CtxtHandle accepted;
	SecBuffer out;

	status = mechanism_step(acceptor, &accepted, true, true, token, &out);
	FreeContextBuffer(out.pvBuffer);
	if (SEC_SUCCESS(status))
		DeleteSecurityContext(&accepted);
	return status;
}

TEST_F_TIMEOUT(kerberos, spoilt_tokens, 120)
{
	SecBuffer token, part;
	ULONG at;
	char *bytes;

	enter_realm(_metadata, 0, &self->acceptor);
	ASSERT_TRUE(SEC_SUCCESS(kerberos_begin(&token)));
	bytes = token.pvBuffer;
	for (at = 1; at < token.cbBuffer; at += token.cbBuffer / 16) {
		part = token;
		part.cbBuffer = at;
		EXPECT_FALSE(SEC_SUCCESS(kerberos_end(&self->acceptor, &part)));
	}
	/* The end is the authenticator, which is encrypted */
	for (at = token.cbBuffer - 64; at < token.cbBuffer; at += 7) {
		bytes[at] ^= 1;
		EXPECT_FALSE(
			SEC_SUCCESS(kerberos_end(&self->acceptor, &token)));
		bytes[at] ^= 1;
	}
	/* Unspoilt it is good, but only once */
	EXPECT_EQ(SEC_E_OK, kerberos_end(&self->acceptor, &token));
	EXPECT_EQ(SEC_E_LOGON_DENIED, kerberos_end(&self->acceptor, &token));
	FreeContextBuffer(token.pvBuffer);
}

#endif /* __LP64__ */

TEST_HARNESS_MAIN
