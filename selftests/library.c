// SPDX-License-Identifier: GPL-2.0
/*
 * liblsabuf, lsahost and the packages: what programs and packages see of the
 * LSA. The kernel beneath has tests of its own.
 *
 * Each test is a client: it starts an lsahost as root by way of a keeper, then
 * becomes an ordinary user and calls the packages. They are those of the tree
 * that this program was built in; LSABUF_USERLIB names another place.
 */
#include "library_test.h"

#include <dirent.h>
#include <linux/capability.h>
#include <sys/resource.h>

/*
 * The way there and back
 */

TEST_F(library, buffer_in_client)
{
	struct mapping map;
	struct result r;

	r = PROBE(PROBE_ECHO, 0, NULL, "hello", 6);
	EXPECT_EQ(STATUS_SUCCESS, r.status);
	EXPECT_EQ(STATUS_SUCCESS, r.protocol);
	ASSERT_EQ(6, r.length);
	EXPECT_STREQ("hello", r.buffer);
	ASSERT_TRUE(find_mapping(getpid(), to_u64(r.buffer), &map));
	EXPECT_STREQ("rw-s", map.prot);
	/* It is the client's to write, too */
	memset(r.buffer, 'x', r.length);
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(r.buffer));
}

/* The example that is compiled for Windows as well: see ../headers */
TEST_F(library, portable_package)
{
	ULONG portable = find_package(self->lsa, "portable");
	struct {
		UNICODE_STRING name;
		WCHAR text[3];
	} submit = {
		.name = { sizeof(submit.text), sizeof(submit.text),
			  submit.text },
		.text = u"Ada",
	};
	struct result r;

	ASSERT_NE(~0U, portable);
	r = call(self->lsa, portable, &submit, sizeof(submit));
	if (sizeof(void *) == 4) {
		/* Its messages are those of 64-bit programs. */
		EXPECT_EQ(STATUS_INVALID_PARAMETER, r.status);
		return;
	}
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	ASSERT_EQ(sizeof(u"Hello, Ada!"), r.length);
	EXPECT_EQ(0, memcmp(r.buffer, u"Hello, Ada!", r.length));
	/* Text that is not in the message, or not all of it */
	submit.name.Buffer = submit.text + 2;
	r = call(self->lsa, portable, &submit, sizeof(submit));
	EXPECT_EQ(STATUS_INVALID_PARAMETER, r.status);
	submit.name.Buffer = (PWSTR)((uintptr_t)&submit - 2);
	r = call(self->lsa, portable, &submit, sizeof(submit));
	EXPECT_EQ(STATUS_INVALID_PARAMETER, r.status);
}

TEST_F(library, empty_submit_buffer)
{
	struct result r;

	/* The package fails unless its buffer is NULL */
	r = call(self->lsa, self->probe, NULL, 0);
	EXPECT_EQ(STATUS_SUCCESS, r.status);
	r = call(self->lsa, self->probe, "unused", 0);
	EXPECT_EQ(STATUS_SUCCESS, r.status);
	EXPECT_EQ(NULL, r.buffer);
}

TEST_F(library, bad_submit_buffer)
{
	struct result r;

	r = call(self->lsa, self->probe, NULL, 16);
	EXPECT_EQ(STATUS_INVALID_PARAMETER, r.status);
	r = call(self->lsa, self->probe, (PVOID)16, 16);
	EXPECT_EQ(STATUS_ACCESS_VIOLATION, r.status);
	r = call(self->lsa, self->probe, &r, 0xffffffff);
	EXPECT_FALSE(NT_SUCCESS(r.status));
	EXPECT_EQ(NULL, r.buffer);
	EXPECT_EQ(0, r.length);
	EXPECT_EQ(STATUS_SUCCESS, r.protocol);
}

TEST_F(library, null_outputs)
{
	struct probe_message message = { .code = PROBE_PROTOCOL_STATUS,
					 .argument = STATUS_NOT_FOUND };
	NTSTATUS status = 1;

	EXPECT_EQ(STATUS_SUCCESS, LsaCallAuthenticationPackage(
					  self->lsa, self->probe, &message,
					  sizeof(message), NULL, NULL, NULL));
	EXPECT_EQ(STATUS_SUCCESS,
		  LsaCallAuthenticationPackage(self->lsa, self->probe, &message,
					       sizeof(message), NULL, NULL,
					       &status));
	EXPECT_EQ(STATUS_NOT_FOUND, status);
	/* One variable for both statuses, as some programs have it */
	status = LsaCallAuthenticationPackage(self->lsa, self->probe, &message,
					      sizeof(message), NULL, NULL,
					      &status);
	EXPECT_EQ(STATUS_SUCCESS, status);
}

/* A buffer that the caller has no place for does not use up its quota */
TEST_F_TIMEOUT(library, unwanted_buffers, 120)
{
	struct probe_message message = { .code = PROBE_ALLOCATE,
					 .argument = MIB(1) };
	int i;

	for (i = 0; i < 70; i++) {
		NTSTATUS status = STATUS_UNSUCCESSFUL;

		ASSERT_EQ(STATUS_SUCCESS,
			  LsaCallAuthenticationPackage(
				  self->lsa, self->probe, &message,
				  sizeof(message), NULL, NULL, &status));
		ASSERT_EQ(STATUS_SUCCESS, status);
	}
}

TEST_F(library, unknown_package)
{
	struct result r = call(self->lsa, 3, "x", 1);

	EXPECT_EQ(STATUS_NO_SUCH_PACKAGE, r.status);
	EXPECT_EQ(STATUS_SUCCESS, r.protocol);
	EXPECT_EQ(NULL, r.buffer);
	EXPECT_EQ(0, r.length);
	r = call(self->lsa, 0xffffffff, "x", 1);
	EXPECT_EQ(STATUS_NO_SUCH_PACKAGE, r.status);
}

TEST_F(library, statuses)
{
	struct result r;

	r = PROBE(PROBE_CALL_STATUS, STATUS_LOGON_FAILURE, NULL, NULL, 0);
	EXPECT_EQ(STATUS_LOGON_FAILURE, r.status);
	EXPECT_EQ(STATUS_SUCCESS, r.protocol);
	r = PROBE(PROBE_PROTOCOL_STATUS, STATUS_LOGON_FAILURE, NULL, NULL, 0);
	EXPECT_EQ(STATUS_SUCCESS, r.status);
	EXPECT_EQ(STATUS_LOGON_FAILURE, r.protocol);
	/* A package that sets nothing */
	r = PROBE(PROBE_SILENT, 0, NULL, NULL, 0);
	EXPECT_EQ(STATUS_SUCCESS, r.status);
	EXPECT_EQ(STATUS_SUCCESS, r.protocol);
	EXPECT_EQ(NULL, r.buffer);
	EXPECT_EQ(0, r.length);
}

/* What a failing package leaves behind is freed for it */
TEST_F(library, failure_frees_buffer)
{
	ULONG64 address = 0;
	struct result r;

	r = PROBE(PROBE_LEAVE, STATUS_UNSUCCESSFUL, &address, NULL, 0);
	EXPECT_EQ(STATUS_UNSUCCESSFUL, r.status);
	EXPECT_EQ(NULL, r.buffer);
	ASSERT_NE(0, address);
	EXPECT_EQ(STATUS_MEMORY_NOT_ALLOCATED,
		  LsaFreeReturnBuffer(to_pointer(address)));
	r = PROBE(PROBE_LEAVE_FREED, STATUS_UNSUCCESSFUL, &address, NULL, 0);
	EXPECT_EQ(STATUS_UNSUCCESSFUL, r.status);
	EXPECT_EQ(NULL, r.buffer);
	/* The same with success: the package's word counts */
	r = PROBE(PROBE_LEAVE, STATUS_SUCCESS, &address, NULL, 0);
	EXPECT_EQ(to_u64(r.buffer), address);
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(r.buffer));
}

/*
 * Names and handles
 */

TEST_F(library, names)
{
	char text[200];
	STRING name;
	ULONG id;

	memset(text, 'n', sizeof(text));
	EXPECT_EQ(STATUS_SUCCESS, lookup(self->lsa, "PROBE", 5));
	EXPECT_EQ(STATUS_SUCCESS, lookup(self->lsa, "Account", 7));
	EXPECT_EQ(STATUS_NO_SUCH_PACKAGE, lookup(self->lsa, "probe", 4));
	EXPECT_EQ(STATUS_NO_SUCH_PACKAGE, lookup(self->lsa, "probe", 6));
	EXPECT_EQ(STATUS_NO_SUCH_PACKAGE, lookup(self->lsa, "", 0));
	EXPECT_EQ(STATUS_NO_SUCH_PACKAGE, lookup(self->lsa, NULL, 0));
	EXPECT_EQ(STATUS_NO_SUCH_PACKAGE, lookup(self->lsa, text, 127));
	EXPECT_EQ(STATUS_NAME_TOO_LONG, lookup(self->lsa, text, 128));
	EXPECT_EQ(STATUS_INVALID_PARAMETER, lookup(self->lsa, NULL, 5));
	EXPECT_EQ(STATUS_INVALID_PARAMETER,
		  LsaLookupAuthenticationPackage(self->lsa, NULL, &id));
	RtlInitString(&name, "probe");
	EXPECT_EQ(STATUS_INVALID_PARAMETER,
		  LsaLookupAuthenticationPackage(self->lsa, &name, NULL));
}

TEST_F(library, handles)
{
	HANDLE bad[] = { NULL,
			 INVALID_HANDLE_VALUE,
			 &bad,
			 (HANDLE)4,
			 (PCHAR)self->lsa + 1,
			 (PCHAR)self->lsa + 4,
			 (PCHAR)self->lsa + 4096 };
	struct result r;
	HANDLE other;
	size_t i;

	for (i = 0; i < ARRAYSIZE(bad); i++) {
		r = call(bad[i], self->probe, "x", 1);
		EXPECT_EQ(STATUS_INVALID_HANDLE, r.status);
		EXPECT_EQ(STATUS_INVALID_HANDLE, lookup(bad[i], "probe", 5));
		EXPECT_EQ(STATUS_INVALID_HANDLE,
			  LsaDeregisterLogonProcess(bad[i]));
	}
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(self->lsa));
	EXPECT_EQ(STATUS_INVALID_HANDLE, LsaDeregisterLogonProcess(self->lsa));
	/* The next one takes the place, but the old handle stays a bad one */
	EXPECT_EQ(STATUS_SUCCESS, LsaConnectUntrusted(&other));
	EXPECT_NE(other, self->lsa);
	r = call(self->lsa, self->probe, "x", 1);
	EXPECT_EQ(STATUS_INVALID_HANDLE, r.status);
	EXPECT_EQ(STATUS_INVALID_PARAMETER, LsaConnectUntrusted(NULL));
}

TEST_F(library, many_handles)
{
	HANDLE handles[200];
	size_t i;

	for (i = 0; i < ARRAYSIZE(handles); i++)
		ASSERT_EQ(STATUS_SUCCESS, LsaConnectUntrusted(&handles[i]));
	for (i = 0; i < ARRAYSIZE(handles); i++)
		EXPECT_EQ(STATUS_SUCCESS, lookup(handles[i], "probe", 5));
	for (i = 0; i < ARRAYSIZE(handles); i++)
		EXPECT_EQ(STATUS_SUCCESS,
			  LsaDeregisterLogonProcess(handles[i]));
	EXPECT_EQ(STATUS_SUCCESS, lookup(self->lsa, "probe", 5));
}

TEST_F(library, out_of_descriptors)
{
	struct rlimit none = { 0, 0 };
	HANDLE handle = &handle;
	PVOID buffer = ALLOCATE(100);

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_EQ(STATUS_TOO_MANY_OPENED_FILES, LsaConnectUntrusted(&handle));
	EXPECT_EQ(NULL, handle);
	/* Freeing needs no new one, not even without a connection */
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(self->lsa));
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(buffer));
}

/*
 * Allocating and freeing
 */

TEST_F(library, allocate_nothing_or_too_much)
{
	char *arenas = read_arenas();
	ULONG lengths[] = { 0, 0xffffffff, 0x80000000 };
	struct lsabuf_info info;
	struct result r;
	size_t i;
	int fd = lsabuf_open(NULL);

	ASSERT_EQ(0, lsabuf_info(fd, &info));
	lsabuf_close(fd);
	for (i = 0; i < ARRAYSIZE(lengths); i++) {
		r = PROBE(PROBE_ALLOCATE, lengths[i], NULL, NULL, 0);
		EXPECT_EQ(lengths[i] ? STATUS_NO_MEMORY :
				       STATUS_INVALID_PARAMETER,
			  outcome(r));
		EXPECT_EQ(NULL, r.buffer);
		/* The package saw NULL, too */
		EXPECT_EQ(1, r.length);
	}
	r = PROBE(PROBE_ALLOCATE, info.out_client_quota + 1, NULL, NULL, 0);
	EXPECT_EQ(STATUS_NO_MEMORY, outcome(r));
	EXPECT_TRUE(arenas_unchanged(arenas));
}

TEST_F(library, quota)
{
	PVOID blocks[1024];
	size_t count;

	for (count = 0; count < ARRAYSIZE(blocks); count++) {
		blocks[count] = ALLOCATE(MIB(4));
		if (!blocks[count])
			break;
	}
	ASSERT_LT(0, count);
	ASSERT_GT(ARRAYSIZE(blocks), count);
	EXPECT_EQ(STATUS_NO_MEMORY,
		  outcome(PROBE(PROBE_ALLOCATE, MIB(4), NULL, NULL, 0)));
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(blocks[0]));
	blocks[0] = ALLOCATE(MIB(4));
	EXPECT_NE(NULL, blocks[0]);
	while (count--)
		EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(blocks[count]));
}

TEST_F(library, large_buffer_is_a_mapping)
{
	char *arenas = read_arenas();
	struct result r;

	/* The first arena stays, so it must not be new in the comparison */
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(ALLOCATE(16)));
	free(arenas);
	arenas = read_arenas();
	r = PROBE(PROBE_ALLOCATE, MIB(16), NULL, NULL, 0);
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	EXPECT_TRUE(is_mapped(getpid(), to_u64(r.buffer)));
	EXPECT_TRUE(all_bytes(r.buffer, 0, MIB(16)));
	memset(r.buffer, 'x', MIB(16));
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(r.buffer));
	EXPECT_FALSE(is_mapped(getpid(), to_u64(r.buffer)));
	EXPECT_TRUE(arenas_unchanged(arenas));
}

TEST_F(library, address_space_limit)
{
	struct rlimit limit = { MIB(8), RLIM_INFINITY };
	struct rlimit before;
	struct result r;
	char *arenas;

	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(ALLOCATE(16)));
	arenas = read_arenas();
	getrlimit(RLIMIT_AS, &before);
	limit.rlim_max = before.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	r = PROBE(PROBE_ALLOCATE, MIB(16), NULL, NULL, 0);
	EXPECT_EQ(STATUS_NO_MEMORY, outcome(r));
	EXPECT_EQ(1, r.length);
	setrlimit(RLIMIT_AS, &before);
	EXPECT_TRUE(arenas_unchanged(arenas));
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(ALLOCATE(MIB(16))));
}

TEST_F(library, new_buffers_read_zero)
{
	PVOID buffer, again;
	int i;

	buffer = ALLOCATE(100000);
	ASSERT_NE(NULL, buffer);
	EXPECT_TRUE(all_bytes(buffer, 0, 100000));
	memset(buffer, 's', 100000);
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(buffer));
	for (i = 0; i < 4; i++) {
		again = ALLOCATE(100000);
		ASSERT_NE(NULL, again);
		EXPECT_TRUE(all_bytes(again, 0, 100000));
	}
}

TEST_F(library, free_by_client)
{
	char *buffer = ALLOCATE(64);
	int local;

	ASSERT_NE(NULL, buffer);
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(NULL));
	EXPECT_EQ(STATUS_MEMORY_NOT_ALLOCATED,
		  LsaFreeReturnBuffer(buffer + 16));
	EXPECT_EQ(STATUS_MEMORY_NOT_ALLOCATED, LsaFreeReturnBuffer(buffer + 1));
	EXPECT_EQ(STATUS_MEMORY_NOT_ALLOCATED, LsaFreeReturnBuffer(&local));
	EXPECT_EQ(STATUS_MEMORY_NOT_ALLOCATED, LsaFreeReturnBuffer((PVOID)1));
	EXPECT_EQ(STATUS_MEMORY_NOT_ALLOCATED,
		  LsaFreeReturnBuffer((PVOID)~0UL));
	EXPECT_TRUE(all_bytes(buffer, 0, 64));
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(buffer));
	EXPECT_EQ(STATUS_MEMORY_NOT_ALLOCATED, LsaFreeReturnBuffer(buffer));
}

TEST_F(library, free_by_package)
{
	char *buffer = ALLOCATE(64);
	int local;

	ASSERT_NE(NULL, buffer);
#define FREE(_address) outcome(PROBE(PROBE_FREE, 0, _address, NULL, 0))
	EXPECT_EQ(STATUS_SUCCESS, FREE(NULL));
	EXPECT_EQ(STATUS_MEMORY_NOT_ALLOCATED, FREE(buffer + 16));
	EXPECT_EQ(STATUS_MEMORY_NOT_ALLOCATED, FREE(buffer + 1));
	EXPECT_EQ(STATUS_MEMORY_NOT_ALLOCATED, FREE(&local));
	EXPECT_TRUE(all_bytes(buffer, 0, 64));
	EXPECT_EQ(STATUS_SUCCESS, FREE(buffer));
	EXPECT_EQ(STATUS_MEMORY_NOT_ALLOCATED, FREE(buffer));
	EXPECT_EQ(STATUS_MEMORY_NOT_ALLOCATED, LsaFreeReturnBuffer(buffer));
#undef FREE
}

/* Another process' buffer is no buffer here, by neither way */
TEST_F(library, free_of_another_process)
{
	char *buffer = ALLOCATE(64);
	struct result r;
	HANDLE lsa;
	pid_t child;
	int status;

	ASSERT_NE(NULL, buffer);
	child = fork();
	if (!child) {
		if (LsaFreeReturnBuffer(buffer) != STATUS_MEMORY_NOT_ALLOCATED)
			_exit(1);
		if (LsaConnectUntrusted(&lsa))
			_exit(2);
		r = probe_with(lsa, self->probe, PROBE_FREE, 0, buffer, NULL,
			       0);
		_exit(outcome(r) == STATUS_MEMORY_NOT_ALLOCATED ? 0 : 3);
	}
	waitpid(child, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(buffer));
}

TEST_F(library, free_after_deregistering)
{
	PVOID buffer = ALLOCATE(64);

	ASSERT_NE(NULL, buffer);
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(self->lsa));
	memset(buffer, 'x', 64);
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(buffer));
	EXPECT_EQ(STATUS_MEMORY_NOT_ALLOCATED, LsaFreeReturnBuffer(buffer));
}

TEST_F(library, free_after_death_of_authority)
{
	PVOID buffer = ALLOCATE(64);

	ASSERT_NE(NULL, buffer);
	ASSERT_EQ(0, order(self->keeper, KEEPER_KILL));
	memset(buffer, 'x', 64);
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(buffer));
	EXPECT_EQ(STATUS_MEMORY_NOT_ALLOCATED, LsaFreeReturnBuffer(buffer));
}

/*
 * Copies
 */

static char *guarded_pages(int protection)
{
	char *pages = mmap(NULL, 2 * page_size(), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(pages, 'o', 2 * page_size());
	mprotect(pages + page_size(), page_size(), protection);
	return pages;
}

#define COPY_TO(_address, _length) \
	outcome(PROBE(PROBE_COPY_TO, _length, _address, pattern_bytes, _length))

TEST_F(library, copy_to_any_memory)
{
	static char data[1000] = "data";
	char pattern_bytes[1000], stack[1000];
	char *heap = malloc(1000), *block = ALLOCATE(5000);
	char *places[] = { data, stack, heap, block, block + 4000, block + 1 };
	size_t i;

	fill(pattern_bytes, 7, sizeof(pattern_bytes));
	for (i = 0; i < ARRAYSIZE(places); i++) {
		EXPECT_EQ(STATUS_SUCCESS, COPY_TO(places[i], 1000));
		EXPECT_EQ(1000, filled(places[i], 7, 1000));
	}
	free(heap);
}

TEST_F(library, copy_to_bad_memory)
{
	int protections[] = { PROT_NONE, PROT_READ };
	char pattern_bytes[200];
	size_t i;
	char *p;

	fill(pattern_bytes, 3, sizeof(pattern_bytes));
	EXPECT_EQ(STATUS_ACCESS_VIOLATION, COPY_TO((PVOID)16, 100));
	EXPECT_EQ(STATUS_ACCESS_VIOLATION, COPY_TO(NULL, 100));
	EXPECT_EQ(STATUS_ACCESS_VIOLATION,
		  COPY_TO((PVOID)0xffff800000000000, 100));
	for (i = 0; i < ARRAYSIZE(protections); i++) {
		p = guarded_pages(protections[i]);
		EXPECT_EQ(STATUS_ACCESS_VIOLATION,
			  COPY_TO(p + page_size(), 100));
		/* The first half is writable, and written */
		EXPECT_EQ(STATUS_PARTIAL_COPY,
			  COPY_TO(p + page_size() - 100, 200));
		EXPECT_TRUE(all_bytes(p, 'o', page_size() - 100));
		EXPECT_EQ(100, filled(p + page_size() - 100, 3, 100));
		mprotect(p + page_size(), page_size(), PROT_READ);
		EXPECT_TRUE(all_bytes(p + page_size(), 'o', page_size()));
	}
}

TEST_F(library, copy_nothing)
{
	char pattern_bytes[1];

	EXPECT_EQ(STATUS_SUCCESS, COPY_TO((PVOID)16, 0));
	EXPECT_EQ(STATUS_SUCCESS, COPY_TO(NULL, 0));
	EXPECT_EQ(STATUS_SUCCESS,
		  outcome(PROBE(PROBE_COPY_FROM, 0, (PVOID)16, NULL, 0)));
}

TEST_F(library, copy_from)
{
	char stack[3000];
	struct result r;
	char *p;

	fill(stack, 9, sizeof(stack));
	r = PROBE(PROBE_COPY_FROM, sizeof(stack), stack, NULL, 0);
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	EXPECT_EQ(sizeof(stack), filled(r.buffer, 9, sizeof(stack)));
	p = guarded_pages(PROT_NONE);
	r = PROBE(PROBE_COPY_FROM, 100, p + page_size(), NULL, 0);
	EXPECT_EQ(STATUS_ACCESS_VIOLATION, outcome(r));
	r = PROBE(PROBE_COPY_FROM, 200, p + page_size() - 100, NULL, 0);
	EXPECT_EQ(STATUS_PARTIAL_COPY, outcome(r));
	/* Exactly up to the edge is fine */
	r = PROBE(PROBE_COPY_FROM, 100, p + page_size() - 100, NULL, 0);
	EXPECT_EQ(STATUS_SUCCESS, outcome(r));
}

/* An address of the host's memory, given as one of the client's */
TEST_F(library, copy_with_address_of_host)
{
	char pattern_bytes[8] = "";
	ULONG64 address;
	struct result r;

	r = PROBE(PROBE_READ_HANDLE, 0, NULL, NULL, 0);
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	address = *(PULONG64)r.buffer;
	ASSERT_NE(0, address);
	if (!is_mapped(getpid(), address)) {
		EXPECT_EQ(STATUS_ACCESS_VIOLATION,
			  COPY_TO(to_pointer(address), 8));
		EXPECT_EQ(STATUS_ACCESS_VIOLATION,
			  outcome(PROBE(PROBE_COPY_FROM, 8, to_pointer(address),
					NULL, 0)));
	}
	EXPECT_EQ(STATUS_SUCCESS,
		  outcome(PROBE(PROBE_SILENT, 0, NULL, NULL, 0)));
}

TEST_F(library, package_writes_into_submit_buffer)
{
	struct {
		struct probe_message message;
		char payload[16];
	} submit = { .message.code = PROBE_IN_PLACE, .payload = "original" };
	struct result r;

	r = call(self->lsa, self->probe, &submit, sizeof(submit));
	EXPECT_EQ(STATUS_SUCCESS, outcome(r));
	EXPECT_STREQ("written", submit.payload);
	/* The rest of the private copy did not come back */
	EXPECT_EQ(PROBE_IN_PLACE, submit.message.code);
}

/*
 * What services know of the caller
 */

TEST_F(library, null_request_is_the_current_one)
{
	struct result r = PROBE(PROBE_NULL_REQUEST, 0, NULL, "null", 5);

	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	EXPECT_STREQ("null", r.buffer);
}

TEST_F(library, thread_without_request)
{
	struct probe_worker *worker;
	struct result r;

	r = PROBE(PROBE_WORKER, 0, NULL, NULL, 0);
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	worker = r.buffer;
	EXPECT_EQ(STATUS_NO_MEMORY, worker->allocate);
	EXPECT_EQ(1, worker->pointer_is_null);
	EXPECT_EQ(STATUS_NO_MEMORY, worker->free);
	EXPECT_EQ(STATUS_NO_MEMORY, worker->copy_to);
	EXPECT_EQ(STATUS_NO_MEMORY, worker->copy_from);
	EXPECT_EQ(STATUS_SUCCESS, worker->copy_nothing);
	EXPECT_FALSE(NT_SUCCESS(worker->client_info));
	EXPECT_EQ(FALSE, worker->call_info);
	EXPECT_EQ(0, worker->call_info_bytes);
	/* The request's handle works anywhere */
	r = PROBE(PROBE_WORKER_HANDLE, 0, NULL, "thread", 7);
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	EXPECT_STREQ("thread", r.buffer);
}

TEST_F(library, request_handles)
{
	ULONG64 good;
	struct result r;
	int i;

	r = PROBE(PROBE_READ_HANDLE, 0, NULL, NULL, 0);
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	good = *(PULONG64)r.buffer;
	/* The word may be anything, but the handle itself is its address */
	for (i = 1; i < 64; i++) {
		r = PROBE(PROBE_BAD_HANDLE, 0, to_pointer(good + i), NULL, 0);
		EXPECT_EQ(STATUS_INVALID_HANDLE, outcome(r));
	}
	r = PROBE(PROBE_BAD_HANDLE, 0, (PVOID)8, NULL, 0);
	EXPECT_EQ(STATUS_INVALID_HANDLE, outcome(r));
	r = PROBE(PROBE_BAD_HANDLE, 0, (PVOID)~7UL, NULL, 0);
	EXPECT_EQ(STATUS_INVALID_HANDLE, outcome(r));
	/* One that was good in an earlier call */
	EXPECT_EQ(STATUS_SUCCESS,
		  outcome(PROBE(PROBE_KEEP_HANDLE, 0, NULL, NULL, 0)));
	EXPECT_EQ(STATUS_INVALID_HANDLE,
		  outcome(PROBE(PROBE_STALE_HANDLE, 0, NULL, NULL, 0)));
}

TEST_F(library, client_and_call_info)
{
	struct probe_info *info;
	struct result r;
	ULONG count;

	r = PROBE(PROBE_INFO, 0, NULL, NULL, 0);
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	info = r.buffer;
	EXPECT_EQ(0, info->trusted);
	EXPECT_EQ(STATUS_SUCCESS, info->client_status);
	EXPECT_EQ(NOBODY, info->logon_id.LowPart);
	EXPECT_EQ(getpid(), info->process);
	EXPECT_EQ(gettid(), info->thread);
	EXPECT_EQ(0, info->has_tcb);
	EXPECT_EQ(0, info->client_flags);
	EXPECT_EQ(SecurityImpersonation, info->level);
	EXPECT_EQ(32, info->client_size);
	EXPECT_EQ(STATUS_SUCCESS, info->client_ex_status);
	EXPECT_EQ(getpid(), info->ex_process);
	EXPECT_EQ(TRUE, info->call_info);
	EXPECT_EQ(getpid(), info->call_process);
	EXPECT_EQ(gettid(), info->call_thread);
	EXPECT_EQ(sizeof(void *) == 4 ? SECPKG_CALL_WOWCLIENT : 0,
		  info->call_attributes);
	EXPECT_EQ(STATUS_SUCCESS, info->flags_status);
	EXPECT_EQ(0, info->extended_flags);
	count = info->call_count;
	r = PROBE(PROBE_INFO, 0, NULL, NULL, 0);
	info = r.buffer;
	EXPECT_LT(count, info->call_count);
}

/*
 * Structs of older headers: GetClientInfo does not know of them. What they
 * have is where it was; what they have not is written behind them.
 */
TEST_F(library, client_info_of_older_headers)
{
	const ULONG sizes[] = { 20, 24, 32 };
	struct probe_old_info *info;
	struct result r;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		r = PROBE(PROBE_OLD_INFO, sizes[i], NULL, NULL, 0);
		ASSERT_EQ(STATUS_SUCCESS, outcome(r));
		info = r.buffer;
		EXPECT_EQ(STATUS_SUCCESS, info->status);
		EXPECT_EQ(32 - sizes[i], info->overrun);
		EXPECT_EQ(getpid(), info->process);
		EXPECT_EQ(gettid(), info->thread);
		EXPECT_EQ(0, info->has_tcb);
		/* Who gives his size is not overrun */
		EXPECT_EQ(sizes[i] < 32 ? STATUS_INVALID_PARAMETER :
					  STATUS_SUCCESS,
			  info->ex_status);
		EXPECT_EQ(sizes[i] < 32 ? 0 : 32, info->ex_bytes);
	}
}

TEST_F(library, table)
{
	/* A bit for each that works; why others do not is in README.md */
	const __u64 working = 0x904331003fcfafffULL;
	struct result r = PROBE(PROBE_TABLE, 0, NULL, NULL, 0);
	const UCHAR *entries = r.buffer;
	int i;

	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	EXPECT_EQ(64, r.length);
	for (i = 0; i < 64; i++)
		EXPECT_EQ(working >> i & 1 ? 1 : 2, entries[i])
		{
			TH_LOG("entry %d", i);
		}
	EXPECT_EQ(STATUS_NOT_SUPPORTED,
		  outcome(PROBE(PROBE_UNSUPPORTED, 0, NULL, NULL, 0)));
	EXPECT_EQ(STATUS_SUCCESS,
		  outcome(PROBE(PROBE_NULLS, 0, NULL, "1234", 4)));
	EXPECT_EQ(STATUS_SUCCESS,
		  outcome(PROBE(PROBE_HEAPS, 0, NULL, NULL, 0)));
	EXPECT_EQ(STATUS_NOT_FOUND,
		  outcome(PROBE(PROBE_QUERY,
				LSA_QUERY_CLIENT_PRELOGON_SESSION_ID, NULL,
				NULL, 0)));
	EXPECT_EQ(STATUS_INVALID_PARAMETER,
		  outcome(PROBE(PROBE_QUERY, 77, NULL, NULL, 0)));
}

/* The session that a user has without logging on: for 32-bit programs, too */
TEST_F(library, session_of_user)
{
	LUID own = { .LowPart = NOBODY, .HighPart = 1 };
	const struct passwd *user = getpwuid(NOBODY);
	PSECURITY_LOGON_SESSION_DATA data;
	STRING name = { 0 };
	PLUID list;
	ULONG n;

	ASSERT_EQ(STATUS_SUCCESS, LsaEnumerateLogonSessions(&n, &list));
	EXPECT_EQ(1, n);
	EXPECT_TRUE(SecEqualLuid(&own, list));
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(list));
	ASSERT_EQ(STATUS_SUCCESS, LsaGetLogonSessionData(&own, &data));
	EXPECT_EQ(sizeof(*data), data->Size);
	EXPECT_TRUE(SecEqualLuid(&own, &data->LogonId));
	ASSERT_EQ(STATUS_SUCCESS,
		  RtlUnicodeStringToAnsiString(&name, &data->UserName, TRUE));
	EXPECT_STREQ(user ? user->pw_name : "", name.Buffer);
	RtlFreeAnsiString(&name);
	EXPECT_EQ(0, data->PasswordMustChange.QuadPart);
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(data));
}

/*
 * Threads and notifications
 */

TEST_F(library, create_thread)
{
	struct probe_thread *thread;
	struct result r;

	r = PROBE(PROBE_THREAD, 0, NULL, NULL, 0);
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	thread = r.buffer;
	EXPECT_EQ(1, thread->has_handle);
	EXPECT_EQ(1, thread->ended);
	EXPECT_EQ(1, thread->same_id);
	EXPECT_EQ(1, thread->closed);
	/* It works for no client */
	EXPECT_EQ(STATUS_NO_MEMORY, thread->allocate);
	EXPECT_EQ(1, thread->refused);
}

static struct probe_notify notify(HANDLE lsa, ULONG probe,
				  struct probe_notify ask)
{
	struct probe_notify answer = { .has_handle = 77 };
	struct result r = probe_with(lsa, probe, PROBE_NOTIFY, 0, NULL, &ask,
				     sizeof(ask));

	if (outcome(r) == STATUS_SUCCESS)
		memcpy(&answer, r.buffer, sizeof(answer));
	return answer;
}

#define NOTIFY(...) \
	notify(self->lsa, self->probe, (struct probe_notify){ __VA_ARGS__ })

TEST_F(library, notification_of_interval)
{
	struct probe_notify n;
	__u64 begin = now_ns();

	n = NOTIFY(.type = NOTIFIER_TYPE_INTERVAL, .interval = 1,
		   .flags = NOTIFIER_FLAG_SECONDS, .expected = 2, .ms = 8000);
	EXPECT_EQ(1, n.has_handle);
	EXPECT_EQ(2, n.calls);
	EXPECT_LE(2000000000ULL, now_ns() - begin);
	EXPECT_EQ(STATUS_SUCCESS, n.cancel);
	EXPECT_EQ(STATUS_INVALID_HANDLE, n.cancel_again);
	EXPECT_EQ(0, n.late_calls);
}

TEST_F(library, notification_once)
{
	struct probe_notify n;

	n = NOTIFY(.type = NOTIFIER_TYPE_INTERVAL, .interval = 1,
		   .flags = NOTIFIER_FLAG_SECONDS | NOTIFIER_FLAG_ONE_SHOT,
		   .expected = 2, .ms = 2500);
	EXPECT_EQ(1, n.calls);
	EXPECT_EQ(STATUS_INVALID_HANDLE, n.cancel);
	n = NOTIFY(.type = NOTIFIER_TYPE_IMMEDIATE, .expected = 1, .ms = 500);
	EXPECT_EQ(1, n.calls);
	EXPECT_EQ(STATUS_INVALID_HANDLE, n.cancel);
	EXPECT_EQ(0, n.late_calls);
}

TEST_F(library, notification_of_event)
{
	struct probe_notify n;

	n = NOTIFY(.type = NOTIFIER_TYPE_HANDLE_WAIT, .events = 3,
		   .expected = 3, .ms = 500);
	EXPECT_EQ(1, n.has_handle);
	EXPECT_EQ(3, n.calls);
	EXPECT_EQ(STATUS_SUCCESS, n.cancel);
	EXPECT_EQ(0, n.late_calls);
	n = NOTIFY(.type = NOTIFIER_TYPE_HANDLE_WAIT, .events = 1,
		   .flags = NOTIFIER_FLAG_ONE_SHOT | NOTIFIER_FLAG_NEW_THREAD,
		   .expected = 1, .ms = 500);
	EXPECT_EQ(1, n.calls);
	EXPECT_EQ(STATUS_INVALID_HANDLE, n.cancel);
	EXPECT_EQ(0, n.late_calls);
}

TEST_F(library, notifications_refused)
{
	EXPECT_EQ(0, NOTIFY(.type = NOTIFIER_TYPE_INTERVAL).has_handle);
	EXPECT_EQ(0, NOTIFY(.type = NOTIFIER_TYPE_STATE_CHANGE).has_handle);
	EXPECT_EQ(0, NOTIFY(.type = NOTIFIER_TYPE_NOTIFY_EVENT).has_handle);
	EXPECT_EQ(0, NOTIFY(.type = 77).has_handle);
}

/*
 * Files
 */

TEST_F(library, duplicate_handle)
{
	const struct rlimit none = { 0, 0 };
	char bytes[8] = "";
	struct result r;
	int fd;

	r = PROBE(PROBE_DUPLICATE, 0, NULL, "opened", 7);
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	fd = *(PULONG64)r.buffer;
	EXPECT_EQ(7, pread(fd, bytes, sizeof(bytes), 0));
	EXPECT_STREQ("opened", bytes);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(STATUS_INVALID_HANDLE,
		  outcome(PROBE(PROBE_DUPLICATE_BAD, 0, (PVOID)-1, NULL, 0)));
	EXPECT_EQ(STATUS_INVALID_HANDLE, outcome(PROBE(PROBE_DUPLICATE_BAD, 0,
						       (PVOID)77777, NULL, 0)));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_EQ(STATUS_TOO_MANY_OPENED_FILES,
		  outcome(PROBE(PROBE_DUPLICATE, 0, NULL, "opened", 7)));
}

/*
 * With the client's rights
 */

/* How many threads of lsahost have that file system user id */
static int threads_with(HANDLE lsa, ULONG probe, uid_t uid)
{
	struct lsabuf_info info;
	char path[300], text[4096];
	struct dirent *entry;
	unsigned int fsuid;
	int fd, n = 0;
	ssize_t length;
	char *line;
	DIR *tasks;

	fd = lsabuf_open_client(getenv("LSABUF_ENDPOINT"),
				LSABUF_ACCESS_BUFFERS);
	if (fd < 0 || lsabuf_info(fd, &info))
		return -1;
	close(fd);
	snprintf(path, sizeof(path), "/proc/%u/task", info.out_authority_pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		snprintf(path, sizeof(path), "/proc/%u/task/%s/status",
			 info.out_authority_pid, entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		length = read(fd, text, sizeof(text) - 1);
		close(fd);
		text[length > 0 ? length : 0] = '\0';
		line = strstr(text, "\nUid:");
		n += line &&
		     sscanf(line, "\nUid: %*u %*u %*u %u", &fsuid) == 1 &&
		     fsuid == uid;
	}
	if (tasks)
		closedir(tasks);
	return n;
}

#define SECRET_FILE "/tmp/lsabuf-secret"
#define THREADS_WITH(uid) threads_with(self->lsa, self->probe, uid)

static void *impersonate_slowly(void *argument)
{
	struct caller *caller = argument;

	caller->result = probe_with(caller->lsa, caller->probe,
				    PROBE_IMPERSONATE, caller->ms, NULL,
				    SECRET_FILE, sizeof(SECRET_FILE));
	return NULL;
}

TEST_F(library, impersonate_client)
{
	struct caller caller = { .lsa = self->lsa,
				 .probe = self->probe,
				 .ms = 2000 };
	struct probe_impersonation *result;
	__u64 end = now_ns() + AT_ONCE_NS;
	int during = 0;

	ASSERT_EQ(0, THREADS_WITH(NOBODY));
	pthread_create(&caller.thread, NULL, impersonate_slowly, &caller);
	while (!during && now_ns() < end)
		during = THREADS_WITH(NOBODY);
	/* That thread, and no other */
	EXPECT_EQ(1, during);
	pthread_join(caller.thread, NULL);
	/* The package has not gone back: the reply has */
	EXPECT_EQ(0, THREADS_WITH(NOBODY));
	ASSERT_EQ(STATUS_SUCCESS, outcome(caller.result));
	result = caller.result.buffer;
	EXPECT_EQ(STATUS_SUCCESS, result->status);
	EXPECT_EQ(NOBODY, result->uid);
	EXPECT_EQ(NOBODY, result->gid);
	EXPECT_EQ(0, result->nr_groups);
	EXPECT_EQ(NOBODY, result->uid_after);

	caller.result = PROBE(PROBE_IMPERSONATE, 0, (PVOID)1, "/", 2);
	ASSERT_EQ(STATUS_SUCCESS, outcome(caller.result));
	result = caller.result.buffer;
	EXPECT_EQ(1, result->reverted);
	EXPECT_EQ(0, result->uid_after);
	EXPECT_EQ(STATUS_NO_IMPERSONATION_TOKEN,
		  outcome(PROBE(PROBE_IMPERSONATE_WORKER, 0, NULL, NULL, 0)));
}

/* The package opens what the client may open, and no more */
TEST(impersonated_rights)
{
	struct probe_impersonation *result;
	FIXTURE_DATA(library) own, *self = &own;
	struct result r;
	int file;

	self->keeper = host_start();
	ASSERT_LE(0, self->keeper);
	file = open(SECRET_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0640);
	ASSERT_LE(0, file);
	/* For a group that only the second of two callers is in */
	ASSERT_EQ(0, fchown(file, 0, TRUSTED_GROUP));
	close(file);
	if (!fork()) {
		const gid_t group = TRUSTED_GROUP;

		if (setgroups(1, &group) || setresgid(NOBODY, NOBODY, NOBODY) ||
		    setresuid(NOBODY, NOBODY, NOBODY) ||
		    LsaConnectUntrusted(&self->lsa))
			_exit(1);
		self->probe = find_package(self->lsa, PROBE_PACKAGE_NAME);
		r = PROBE(PROBE_IMPERSONATE, 0, NULL, SECRET_FILE,
			  sizeof(SECRET_FILE));
		result = r.buffer;
		_exit(outcome(r) || result->error || result->nr_groups != 1);
	}
	wait(&file);
	EXPECT_EQ(0, file);
	become_user(NOBODY);
	ASSERT_EQ(STATUS_SUCCESS, LsaConnectUntrusted(&self->lsa));
	self->probe = find_package(self->lsa, PROBE_PACKAGE_NAME);
	r = PROBE(PROBE_IMPERSONATE, 0, NULL, SECRET_FILE, sizeof(SECRET_FILE));
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	result = r.buffer;
	EXPECT_EQ(EACCES, result->error);
	close(self->keeper);
}

TEST(impersonation_without_privilege)
{
	struct probe_impersonation *result;
	FIXTURE_DATA(library) own, *self = &own;
	struct result r;

	/* For the programs that it will run */
	ASSERT_EQ(0, prctl(PR_CAPBSET_DROP, CAP_SETUID));
	self->keeper = host_start();
	ASSERT_LE(0, self->keeper);
	become_user(NOBODY);
	ASSERT_EQ(STATUS_SUCCESS, LsaConnectUntrusted(&self->lsa));
	self->probe = find_package(self->lsa, PROBE_PACKAGE_NAME);
	r = PROBE(PROBE_IMPERSONATE, 0, NULL, "/", 2);
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	result = r.buffer;
	EXPECT_EQ(STATUS_PRIVILEGE_NOT_HELD, result->status);
	EXPECT_EQ(0, result->uid);
	close(self->keeper);
}

static struct result call_inner(HANDLE lsa, ULONG probe, const WCHAR *package,
				const void *message, size_t length)
{
	UCHAR payload[MAX_PAYLOAD];
	size_t name = wcs16len(package) * sizeof(WCHAR);

	memcpy(payload, package, name);
	memcpy(payload + name, message, length);
	return probe_with(lsa, probe, PROBE_CALL_PACKAGE, name, NULL, payload,
			  name + length);
}

/* The base of the message is passed on; who has no such entry is not called */
TEST_F(library, call_package_otherwise)
{
	const struct probe_message base = { .code = PROBE_BASE };
	UCHAR payload[10 + sizeof(base)];
	const struct probe_inner *inner;
	struct result r;
	ULONG64 way;

	memcpy(payload, u"probe", 10);
	memcpy(payload + 10, &base, sizeof(base));
	for (way = 0; way < 3; way++) {
		r = PROBE(PROBE_CALL_PACKAGE, 10, to_pointer(way), payload,
			  sizeof(payload));
		ASSERT_EQ(STATUS_SUCCESS, outcome(r));
		inner = r.buffer;
		EXPECT_EQ(way == 2 ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS,
			  inner->status);
		EXPECT_EQ(way == 1 ? STATUS_NOT_FOUND : STATUS_SUCCESS,
			  inner->protocol_status);
		LsaFreeReturnBuffer(r.buffer);
	}
}

TEST_F(library, call_package)
{
	/* An ACCOUNT_QUERY from one 64-bit package to another */
	const ULONG query[6] = { AccountQueryById };
	struct probe_message ask = { .code = PROBE_INFO };
	const ACCOUNT_INFORMATION *account;
	const struct probe_inner *inner;
	const struct probe_info *info;
	struct result r;

	r = call_inner(self->lsa, self->probe, u"ACCOUNT", query,
		       sizeof(query));
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	inner = r.buffer;
	EXPECT_EQ(STATUS_SUCCESS, inner->status);
	EXPECT_EQ(STATUS_SUCCESS, inner->protocol_status);
	ASSERT_EQ(1, inner->has_buffer);
	account = (const void *)(inner + 1);
	EXPECT_EQ(0, account->UserId);
	EXPECT_EQ(4 * sizeof(WCHAR), account->Name.Length);

	/* A package that is called from inside has another caller */
	r = call_inner(self->lsa, self->probe, u"probe", &ask, sizeof(ask));
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	inner = r.buffer;
	ASSERT_EQ(sizeof(*info), inner->length);
	info = (const void *)(inner + 1);
	EXPECT_EQ(1, info->trusted);
	EXPECT_EQ(1, info->has_tcb);
	EXPECT_NE(getpid(), info->call_process);
	EXPECT_TRUE(info->call_attributes & SECPKG_CALL_IN_PROC);

	r = call_inner(self->lsa, self->probe, u"nothing", "", 0);
	inner = r.buffer;
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	EXPECT_EQ(STATUS_NO_SUCH_PACKAGE, inner->status);
	EXPECT_EQ(0, inner->has_buffer);
}

/*
 * The package "account"
 */

static struct result ask_account(HANDLE lsa, ULONG package, ULONG type,
				 const char *name, bool by_offset)
{
	struct {
		ACCOUNT_QUERY query;
		WCHAR text[256];
	} submit = { .query.MessageType = type };
	ULONG used = 0;

	RtlUTF8ToUnicodeN(submit.text, sizeof(submit.text), &used, name,
			  strlen(name));
	submit.query.Name.Buffer = submit.text;
	if (by_offset)
		submit.query.Name.Buffer = (PWSTR)sizeof(submit.query);
	submit.query.Name.Length = used;
	submit.query.Name.MaximumLength = used;
	return call(lsa, package, &submit, sizeof(submit.query) + used);
}

static bool is_text(const UNICODE_STRING *string, const char *text)
{
	UNICODE_STRING expected;
	bool same;

	if (!RtlCreateUnicodeStringFromAsciiz(&expected, text))
		return false;
	same = RtlEqualUnicodeString(string, &expected, FALSE) &&
	       string->MaximumLength == string->Length + sizeof(WCHAR) &&
	       !string->Buffer[string->Length / sizeof(WCHAR)];
	RtlFreeUnicodeString(&expected);
	return same;
}

static bool is_account(const ACCOUNT_INFORMATION *account,
		       const struct passwd *entry)
{
	gid_t groups[256];
	int count = ARRAYSIZE(groups);

	getgrouplist(entry->pw_name, entry->pw_gid, groups, &count);
	return account->UserId == entry->pw_uid &&
	       account->GroupId == entry->pw_gid &&
	       is_text(&account->Name, entry->pw_name) &&
	       is_text(&account->Comment, entry->pw_gecos) &&
	       is_text(&account->Home, entry->pw_dir) &&
	       is_text(&account->Shell, entry->pw_shell) &&
	       (int)account->GroupCount == count &&
	       !memcmp(account->Groups, groups, count * sizeof(groups[0]));
}

TEST_F(library, every_account)
{
	ULONG types[] = { AccountQueryByName, AccountQueryByNamePieces };
	struct passwd *entry;
	struct result r;
	size_t i, count;

	for (i = 0; i < 2 * ARRAYSIZE(types); i++) {
		count = 0;
		setpwent();
		while ((entry = getpwent())) {
			r = ask_account(self->lsa, self->account, types[i / 2],
					entry->pw_name, i % 2);
			ASSERT_EQ(STATUS_SUCCESS, outcome(r));
			EXPECT_TRUE(is_account(r.buffer, entry));
			EXPECT_EQ(STATUS_SUCCESS,
				  LsaFreeReturnBuffer(r.buffer));
			count++;
		}
		endpwent();
		EXPECT_LT(5, count);
	}
}

TEST_F(library, account_by_id)
{
	ULONG types[] = { AccountQueryById, AccountQueryByIdPieces };
	ACCOUNT_QUERY query = { 0 };
	struct result r;
	size_t i;

	for (i = 0; i < ARRAYSIZE(types); i++) {
		query.MessageType = types[i];
		query.UserId = 0;
		r = call(self->lsa, self->account, &query, sizeof(query));
		ASSERT_EQ(STATUS_SUCCESS, outcome(r));
		EXPECT_TRUE(is_account(r.buffer, getpwuid(0)));
		EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(r.buffer));
		query.UserId = 123456789;
		r = call(self->lsa, self->account, &query, sizeof(query));
		EXPECT_EQ(STATUS_NO_SUCH_USER, outcome(r));
		EXPECT_EQ(NULL, r.buffer);
	}
}

TEST_F(library, account_unknown_names)
{
	char name[256];
	struct result r;

	r = ask_account(self->lsa, self->account, AccountQueryByName, "nobodyy",
			false);
	EXPECT_EQ(STATUS_NO_SUCH_USER, outcome(r));
	EXPECT_EQ(NULL, r.buffer);
	EXPECT_EQ(0, r.length);
	memset(name, 'n', 255);
	name[255] = '\0';
	r = ask_account(self->lsa, self->account, AccountQueryByName, name,
			false);
	EXPECT_EQ(STATUS_NO_SUCH_USER, outcome(r));
}

/* Messages that are cut short, or point where nothing of theirs is */
TEST_F(library, account_hostile_messages)
{
	struct {
		ACCOUNT_QUERY query;
		WCHAR text[300];
	} submit = { .query.MessageType = AccountQueryByName };
	UNICODE_STRING *name = &submit.query.Name;
	PWSTR places[] = { NULL,
			   (PWSTR)1,
			   (PWSTR)~0UL,
			   (PWSTR)~1UL,
			   NULL,
			   (PWSTR)&places,
			   (PWSTR)sizeof(submit),
			   (PWSTR)(sizeof(submit) - 2) };
	struct result r;
	size_t i;

	places[0] = to_pointer(to_u64(&submit) - 2);
	places[4] = to_pointer(to_u64(&submit) + sizeof(submit) - 2);
	memcpy(submit.text, u"root", 8);
#define REFUSED(_status, _length)                                     \
	do {                                                          \
		r = call(self->lsa, self->account, &submit, _length); \
		EXPECT_EQ(_status, r.status);                         \
		EXPECT_EQ(NULL, r.buffer);                            \
	} while (0)
	/* Places that the length does not fit at */
	name->Length = 8;
	for (i = 0; i < ARRAYSIZE(places); i++) {
		if (places[i] == (PWSTR)1)
			continue;
		name->Buffer = places[i];
		REFUSED(STATUS_INVALID_PARAMETER, sizeof(submit));
	}
	/* Lengths that do not fit at the place */
	name->Buffer = submit.text;
	name->Length = 0;
	REFUSED(STATUS_INVALID_PARAMETER, sizeof(submit));
	name->Length = 7;
	REFUSED(STATUS_INVALID_PARAMETER, sizeof(submit));
	name->Length = 65534;
	REFUSED(STATUS_INVALID_PARAMETER, sizeof(submit));
	name->Length = 10;
	REFUSED(STATUS_INVALID_PARAMETER, sizeof(submit.query) + 8);
	name->Length = 600;
	REFUSED(STATUS_NAME_TOO_LONG, sizeof(submit));
	/* A NUL within the name */
	name->Length = 10;
	REFUSED(STATUS_INVALID_PARAMETER, sizeof(submit));
	/* Messages that are none */
	name->Length = 8;
	REFUSED(STATUS_INVALID_PARAMETER, sizeof(submit.query) - 1);
	REFUSED(STATUS_INVALID_PARAMETER, 4);
	REFUSED(STATUS_INVALID_PARAMETER, 0);
	submit.query.MessageType = 6;
	REFUSED(STATUS_INVALID_PARAMETER, sizeof(submit));
	submit.query.MessageType = 0;
	REFUSED(STATUS_INVALID_PARAMETER, sizeof(submit));
#undef REFUSED
	/* An odd place is as good as an even one */
	submit.query.MessageType = AccountQueryByName;
	memcpy((PCHAR)submit.text + 1, u"root", 8);
	name->Buffer = (PWSTR)((PCHAR)submit.text + 1);
	r = call(self->lsa, self->account, &submit, sizeof(submit));
	EXPECT_EQ(STATUS_SUCCESS, outcome(r));
}

/* No room for the answer: the protocol status says so, and nothing is left */
TEST_F(library, account_without_quota)
{
	PVOID blocks[4096];
	struct result r;
	size_t count = 0;
	ULONG length;

	for (length = MIB(4); length >= 16; length /= 4) {
		while (count < ARRAYSIZE(blocks)) {
			blocks[count] = ALLOCATE(length);
			if (!blocks[count])
				break;
			count++;
		}
	}
	r = ask_account(self->lsa, self->account, AccountQueryByName, "root",
			false);
	EXPECT_EQ(STATUS_NO_MEMORY, outcome(r));
	EXPECT_EQ(NULL, r.buffer);
	while (count--)
		LsaFreeReturnBuffer(blocks[count]);
	r = ask_account(self->lsa, self->account, AccountQueryByName, "root",
			false);
	EXPECT_EQ(STATUS_SUCCESS, outcome(r));
}

/*
 * Life in a process that is not the library's
 */

TEST_F(library, descriptors)
{
	int fd, flags;

	for (fd = 3; fd < 64; fd++) {
		flags = fcntl(fd, F_GETFD);
		if (flags >= 0 && fd != self->keeper &&
		    lsabuf_info(fd, &(struct lsabuf_info){}) == 0)
			EXPECT_TRUE(flags & FD_CLOEXEC);
	}
}

TEST_F(library, standard_descriptors_stay_free)
{
	int fd;

	if (!fork()) {
		HANDLE lsa;

		close(0);
		close(1);
		close(2);
		if (LsaConnectUntrusted(&lsa))
			_exit(1);
		for (fd = 0; fd <= 2; fd++) {
			if (fcntl(fd, F_GETFD) >= 0)
				_exit(2);
		}
		_exit(0);
	}
	wait(&fd);
	EXPECT_EQ(0, fd);
}

TEST_F(library, fork_child_uses_inherited_handle)
{
	PVOID buffer = ALLOCATE(64);
	struct result r;
	pid_t child;
	int status;

	child = fork();
	if (!child) {
		r = PROBE(PROBE_ECHO, 0, NULL, "child", 6);
		if (outcome(r) || strcmp(r.buffer, "child"))
			_exit(1);
		if (LsaFreeReturnBuffer(r.buffer))
			_exit(2);
		_exit(LsaDeregisterLogonProcess(self->lsa) ? 3 : 0);
	}
	waitpid(child, &status, 0);
	EXPECT_EQ(0, status);
	/* And takes nothing from its parent */
	r = PROBE(PROBE_ECHO, 0, NULL, "parent", 7);
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	EXPECT_STREQ("parent", r.buffer);
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(buffer));
}

TEST_F(library, lost_descriptors)
{
	PVOID buffer = ALLOCATE(64);
	struct result r;

	ASSERT_NE(NULL, buffer);
	lose_descriptors(self->keeper);
	memset(buffer, 'x', 64);
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(buffer));
	r = PROBE(PROBE_ECHO, 0, NULL, "again", 6);
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	EXPECT_STREQ("again", r.buffer);
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(self->lsa));
}

TEST_F(library, reused_descriptors)
{
	PVOID buffer = ALLOCATE(64);
	struct result r;
	int fd, last = 3;

	lose_descriptors(self->keeper);
	for (fd = 3; fd < 40 && last < 39; fd++)
		last = open("/dev/null", O_RDWR);
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(buffer));
	r = PROBE(PROBE_ECHO, 0, NULL, "again", 6);
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(self->lsa));
	/* None of the program's own has been closed */
	for (fd = 3; fd <= last; fd++)
		EXPECT_LE(0, fcntl(fd, F_GETFD));
}

/* Deregistering does not close what has come to have its number, either */
TEST_F(library, deregister_reused_descriptor)
{
	int fd, last = 3;

	lose_descriptors(self->keeper);
	for (fd = 3; fd < 40 && last < 39; fd++)
		last = open("/dev/null", O_RDWR);
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(self->lsa));
	for (fd = 3; fd <= last; fd++)
		EXPECT_LE(0, fcntl(fd, F_GETFD));
}

TEST_F(library, errno_is_left_alone)
{
	errno = 4711;
	LsaFreeReturnBuffer(ALLOCATE(64));
	LsaFreeReturnBuffer(&errno);
	call(self->lsa, 99, "x", 1);
	lsabuf_open("/nowhere");
	lsabuf_close(lsabuf_open(NULL));
	LsaDeregisterLogonProcess(self->lsa);
	EXPECT_EQ(4711, errno);
}

TEST_F(library, authority_restarts)
{
	struct result r;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, order(self->keeper,
				   i % 2 ? KEEPER_TERM : KEEPER_KILL));
		/* Nobody is there, and then somebody is: one handle all along */
		r = PROBE(PROBE_ECHO, 0, NULL, "gone", 5);
		EXPECT_EQ(STATUS_PORT_DISCONNECTED, r.status);
		EXPECT_EQ(NULL, r.buffer);
		EXPECT_EQ(STATUS_PORT_DISCONNECTED,
			  lookup(self->lsa, "probe", 5));
		ASSERT_EQ(0, order(self->keeper, KEEPER_START));
		r = PROBE(PROBE_ECHO, 0, NULL, "back", 5);
		ASSERT_EQ(STATUS_SUCCESS, outcome(r));
		EXPECT_STREQ("back", r.buffer);
		EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(r.buffer));
	}
	/* It was away and is back before the client has noticed */
	ASSERT_EQ(0, order(self->keeper, KEEPER_KILL));
	ASSERT_EQ(0, order(self->keeper, KEEPER_START));
	EXPECT_EQ(STATUS_SUCCESS,
		  outcome(PROBE(PROBE_ECHO, 0, NULL, "back", 5)));
}

TEST_F(library, authority_dies_during_calls)
{
	struct caller callers[32];
	__u64 begin;
	size_t i;

	for (i = 0; i < ARRAYSIZE(callers); i++) {
		callers[i] = (struct caller){ .lsa = self->lsa,
					      .probe = self->probe,
					      .ms = 60000 };
		pthread_create(&callers[i].thread, NULL, sleep_in_call,
			       &callers[i]);
	}
	sleep_ms(500);
	ASSERT_EQ(0, order(self->keeper, KEEPER_KILL));
	begin = now_ns();
	for (i = 0; i < ARRAYSIZE(callers); i++) {
		pthread_join(callers[i].thread, NULL);
		EXPECT_EQ(STATUS_PORT_DISCONNECTED, callers[i].result.status);
		EXPECT_EQ(NULL, callers[i].result.buffer);
	}
	EXPECT_GT(AT_ONCE_NS, now_ns() - begin);
}

/* SIGTERM lets calls finish that the packages have begun */
TEST_F(library, orderly_end_during_a_call)
{
	struct caller caller = { .lsa = self->lsa,
				 .probe = self->probe,
				 .ms = 2000 };

	pthread_create(&caller.thread, NULL, sleep_in_call, &caller);
	sleep_ms(700);
	EXPECT_EQ(0, order(self->keeper, KEEPER_TERM));
	pthread_join(caller.thread, NULL);
	EXPECT_EQ(STATUS_SUCCESS, caller.result.status);
	EXPECT_STREQ("slept", caller.result.buffer);
}

TEST_F(library, deregister_during_a_call)
{
	struct caller caller = { .lsa = self->lsa,
				 .probe = self->probe,
				 .ms = 3000 };

	pthread_create(&caller.thread, NULL, sleep_in_call, &caller);
	sleep_ms(700);
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(self->lsa));
	pthread_join(caller.thread, NULL);
	EXPECT_FALSE(NT_SUCCESS(caller.result.status));
	EXPECT_EQ(NULL, caller.result.buffer);
}

/* What the package is told that works on for a client which has gone */
static void expect_outlived(struct __test_metadata *_metadata,
			    FIXTURE_DATA(library) * self, NTSTATUS status)
{
	const struct probe_outlived *outlived;
	struct result r;
	int i;

	for (i = 0; i < 50; i++) {
		r = PROBE(PROBE_RECALL, 0, NULL, NULL, 0);
		ASSERT_EQ(STATUS_SUCCESS, outcome(r));
		outlived = r.buffer;
		if (outlived->count)
			break;
		sleep_ms(100);
	}
	EXPECT_EQ(1, outlived->count);
	EXPECT_EQ(status, outlived->allocate);
	EXPECT_EQ(1, outlived->pointer_is_null);
	EXPECT_EQ(status, outlived->free);
	EXPECT_EQ(status, outlived->copy_to);
	EXPECT_EQ(status, outlived->copy_from);
	EXPECT_EQ(status, outlived->client_info);
	EXPECT_EQ(status == STATUS_PROCESS_IS_TERMINATING,
		  outlived->client_flags == SECPKG_CLIENT_PROCESS_TERMINATED);
	/* Its copy of the submit buffer is there until it answers */
	EXPECT_EQ(16, filled(outlived->payload, 5, 16));
}

TEST_F(library, client_killed_during_a_call)
{
	unsigned char payload[16];
	pid_t child;

	fill(payload, 5, sizeof(payload));
	child = fork();
	if (!child) {
		PROBE(PROBE_OUTLIVE, 2000, NULL, payload, sizeof(payload));
		_exit(0);
	}
	sleep_ms(700);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	expect_outlived(_metadata, self, STATUS_PROCESS_IS_TERMINATING);
}

/* By the native interface: the Lsa* functions always wait */
TEST_F(library, call_given_up)
{
	struct {
		struct probe_message message;
		unsigned char payload[16];
	} submit = { .message = { .code = PROBE_OUTLIVE, .argument = 2000 } };
	struct lsabuf_call request;
	int fd;

	fill(submit.payload, 5, sizeof(submit.payload));
	fd = lsabuf_open_client(getenv("LSABUF_ENDPOINT"), LSABUF_ACCESS_WHOLE);
	ASSERT_LE(0, fd);
	lsabuf_call_prepare(&request, LSA_MESSAGE_CALL, self->probe, &submit,
			    sizeof(submit));
	ASSERT_EQ(0, lsabuf_call_submit(fd, &request));
	sleep_ms(700);
	EXPECT_EQ(0, lsabuf_call_cancel(fd, request.id));
	expect_outlived(_metadata, self, STATUS_CANCELLED);
	lsabuf_close(fd);
}

/*
 * Signals
 */

static struct {
	HANDLE lsa;
	ULONG probe;
	volatile int count;
	struct result nested;
	sigjmp_buf jump;
} on_alarm;

static void set_alarm(void (*handler)(int), int flags, unsigned int ms)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	struct itimerval timer = {
		.it_value.tv_usec = ms * 1000,
		.it_interval.tv_usec = ms * 1000,
	};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void no_alarm(void)
{
	setitimer(ITIMER_REAL, &(struct itimerval){}, NULL);
}

static void count_alarm(int signal)
{
	(void)signal;
	on_alarm.count++;
}

TEST_F(library, signals_during_a_call)
{
	int flags[] = { 0, SA_RESTART };
	struct probe_info *before, *after;
	struct result r;
	size_t i;

	for (i = 0; i < ARRAYSIZE(flags); i++) {
		before = PROBE(PROBE_INFO, 0, NULL, NULL, 0).buffer;
		on_alarm.count = 0;
		set_alarm(count_alarm, flags[i], 50);
		r = PROBE(PROBE_SLEEP, 1000, NULL, "slept", 6);
		no_alarm();
		ASSERT_EQ(STATUS_SUCCESS, outcome(r));
		EXPECT_STREQ("slept", r.buffer);
		EXPECT_LT(3, on_alarm.count);
		/* One call of the package in between, however many signals */
		after = PROBE(PROBE_INFO, 0, NULL, NULL, 0).buffer;
		EXPECT_EQ(before->call_count + 2, after->call_count);
	}
}

static void call_on_alarm(int signal)
{
	(void)signal;
	if (on_alarm.count++)
		return;
	on_alarm.nested = probe_with(on_alarm.lsa, on_alarm.probe, PROBE_ECHO,
				     0, NULL, "nested", 7);
}

TEST_F(library, call_in_signal_handler)
{
	struct result r;

	on_alarm.lsa = self->lsa;
	on_alarm.probe = self->probe;
	set_alarm(call_on_alarm, 0, 100);
	r = PROBE(PROBE_SLEEP, 800, NULL, "outer", 6);
	no_alarm();
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	EXPECT_STREQ("outer", r.buffer);
	ASSERT_EQ(STATUS_SUCCESS, outcome(on_alarm.nested));
	EXPECT_STREQ("nested", on_alarm.nested.buffer);
}

static void jump_on_alarm(int signal)
{
	siglongjmp(on_alarm.jump, signal);
}

/* The call goes on without its caller; handle and thread stay usable */
TEST_F(library, jump_out_of_a_call)
{
	struct result r;
	volatile int i;

	for (i = 0; i < 3; i++) {
		if (!sigsetjmp(on_alarm.jump, 1)) {
			set_alarm(jump_on_alarm, 0, 100);
			PROBE(PROBE_SLEEP, 1000, NULL, "lost", 5);
			ASSERT_TRUE(false);
		}
		no_alarm();
		r = PROBE(PROBE_ECHO, 0, NULL, "next", 5);
		ASSERT_EQ(STATUS_SUCCESS, outcome(r));
		EXPECT_STREQ("next", r.buffer);
	}
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(self->lsa));
	EXPECT_EQ(STATUS_INVALID_HANDLE, LsaDeregisterLogonProcess(self->lsa));
}

/*
 * Many at a time
 */

#define STRESS_THREADS 64

struct stress {
	pthread_t thread;
	unsigned int seed;
	unsigned int calls;
	HANDLE lsa;
	ULONG probe;
	unsigned int bad;
};

static void *stress_thread(void *argument)
{
	struct stress *stress = argument;
	UCHAR payload[512];
	struct result r;
	unsigned int i, length;

	for (i = 0; i < stress->calls; i++) {
		length = 1 + (i * 37 + stress->seed) % sizeof(payload);
		fill(payload, stress->seed + i, length);
		r = probe_with(stress->lsa, stress->probe, PROBE_ECHO, 0, NULL,
			       payload, length);
		if (outcome(r) || r.length != length ||
		    filled(r.buffer, stress->seed + i, length) != length ||
		    LsaFreeReturnBuffer(r.buffer))
			stress->bad++;
	}
	return NULL;
}

/* 10,000 calls of 64 threads to 8 threads: nothing lost or mixed up */
TEST_F_TIMEOUT(library, many_threads, STRESS_TIMEOUT)
{
	static struct stress stress[STRESS_THREADS];
	unsigned int i;

	for (i = 0; i < STRESS_THREADS; i++) {
		stress[i] = (struct stress){ .seed = i * 1000,
					     .calls = scaled(157),
					     .lsa = self->lsa,
					     .probe = self->probe };
		ASSERT_EQ(0, pthread_create(&stress[i].thread, NULL,
					    stress_thread, &stress[i]));
	}
	for (i = 0; i < STRESS_THREADS; i++) {
		pthread_join(stress[i].thread, NULL);
		EXPECT_EQ(0, stress[i].bad);
	}
}

/*
 * Who is trusted
 */

/*
 * FIXTURE(trust) - an lsahost that trusts a group, and a client
 * @keeper: ends and starts it
 * @endpoint: its endpoint
 */
FIXTURE(trust)
{
	int keeper;
	char endpoint[LSABUF_ENDPOINT_LEN];
};

/*
 * FIXTURE_VARIANT(trust) - who the client is
 * @uid: its user
 * @gid: its group
 * @extra: a supplementary group, 0 for none
 * @trusted: whether that is enough
 */
FIXTURE_VARIANT(trust)
{
	uid_t uid;
	gid_t gid;
	gid_t extra;
	bool trusted;
};

FIXTURE_VARIANT_ADD(trust, root){
	.uid = 0,
	.gid = 0,
	.trusted = true,
};

FIXTURE_VARIANT_ADD(trust, member){
	.uid = SOMEBODY,
	.gid = SOMEBODY,
	.extra = TRUSTED_GROUP,
	.trusted = true,
};

FIXTURE_VARIANT_ADD(trust, primary_member){
	.uid = SOMEBODY,
	.gid = TRUSTED_GROUP,
	.trusted = true,
};

FIXTURE_VARIANT_ADD(trust, stranger){
	.uid = NOBODY,
	.gid = NOBODY,
	.extra = SOMEBODY,
	.trusted = false,
};

FIXTURE_SETUP(trust)
{
	snprintf(self->endpoint, sizeof(self->endpoint), "trust-%d", getpid());
	self->keeper = keeper_start(self->endpoint, "2");
	ASSERT_LE(0, self->keeper);
	ASSERT_EQ(0, order(self->keeper, KEEPER_START));
	setenv("LSABUF_ENDPOINT", self->endpoint, 1);
	ASSERT_EQ(0, setgroups(!!variant->extra, &variant->extra));
	ASSERT_EQ(0, setresgid(variant->gid, variant->gid, variant->gid));
	ASSERT_EQ(0, setresuid(variant->uid, variant->uid, variant->uid));
}

FIXTURE_TEARDOWN(trust)
{
	close(self->keeper);
}

static NTSTATUS register_as(const char *text, HANDLE *lsa)
{
	LSA_OPERATIONAL_MODE mode = 0x1234;
	STRING name;

	RtlInitString(&name, text);
	return LsaRegisterLogonProcess(&name, lsa, &mode);
}

TEST_F(trust, logon_process)
{
	struct probe_info *info;
	HANDLE lsa = &lsa;
	NTSTATUS status;

	status = register_as("test", &lsa);
	if (!variant->trusted) {
		EXPECT_EQ(STATUS_PORT_CONNECTION_REFUSED, status);
		EXPECT_EQ(NULL, lsa);
		return;
	}
	ASSERT_EQ(STATUS_SUCCESS, status);
	info = probe_with(lsa, 1, PROBE_INFO, 0, NULL, NULL, 0).buffer;
	EXPECT_EQ(1, info->trusted);
	EXPECT_EQ(1, info->has_tcb);
	EXPECT_TRUE(info->call_attributes & SECPKG_CALL_IS_TCB);
	EXPECT_EQ(STATUS_SUCCESS, LsaDeregisterLogonProcess(lsa));
}

/* An untrusted connection is that, whoever makes it */
TEST_F(trust, untrusted_connection)
{
	struct probe_info *info;
	HANDLE lsa;

	ASSERT_EQ(STATUS_SUCCESS, LsaConnectUntrusted(&lsa));
	info = probe_with(lsa, 1, PROBE_INFO, 0, NULL, NULL, 0).buffer;
	EXPECT_EQ(0, info->trusted);
	EXPECT_EQ(variant->trusted, info->has_tcb);
}

/* The messages of a logon process, sent without the library */
TEST_F(trust, forged_messages)
{
	struct probe_message message = { .code = PROBE_INFO };
	const struct probe_info *info;
	struct lsabuf_call request;
	int fd;

	fd = lsabuf_open_client(self->endpoint, LSABUF_ACCESS_BUFFERS);
	ASSERT_LE(0, fd);
	lsabuf_call_prepare(&request, LSA_MESSAGE_REGISTER, 0, "SYSTEM", 6);
	ASSERT_EQ(0, lsabuf_call(fd, &request));
	EXPECT_EQ(variant->trusted ? STATUS_SUCCESS :
				     STATUS_PORT_CONNECTION_REFUSED,
		  (NTSTATUS)request.out_status[0]);
	lsabuf_call_prepare(&request, LSA_MESSAGE_CALL_TRUSTED, 1, &message,
			    sizeof(message));
	ASSERT_EQ(0, lsabuf_call(fd, &request));
	ASSERT_EQ(STATUS_SUCCESS, (NTSTATUS)request.out_status[0]);
	info = to_pointer(request.out_address);
	EXPECT_EQ(variant->trusted, info->trusted);
	EXPECT_EQ(variant->trusted, info->has_tcb);
	lsabuf_call_prepare(&request, 4711, 1, NULL, 0);
	ASSERT_EQ(0, lsabuf_call(fd, &request));
	EXPECT_EQ(STATUS_INVALID_SYSTEM_SERVICE,
		  (NTSTATUS)request.out_status[0]);
	lsabuf_close(fd);
}

/* Trust ends with the privileges, not with the handle */
TEST_F(trust, dropped_privileges)
{
	struct probe_info *info;
	HANDLE lsa;

	if (variant->uid || register_as("test", &lsa))
		return;
	become_user(NOBODY);
	info = probe_with(lsa, 1, PROBE_INFO, 0, NULL, NULL, 0).buffer;
	EXPECT_EQ(0, info->trusted);
	EXPECT_EQ(0, info->has_tcb);
}

TEST_F(trust, names)
{
	char text[129];
	HANDLE lsa = &lsa;
	STRING name;

	memset(text, 'n', sizeof(text));
	text[128] = '\0';
	EXPECT_EQ(STATUS_NAME_TOO_LONG, register_as(text, &lsa));
	EXPECT_EQ(NULL, lsa);
	text[127] = '\0';
	EXPECT_EQ(variant->trusted ? STATUS_SUCCESS :
				     STATUS_PORT_CONNECTION_REFUSED,
		  register_as(text, &lsa));
	EXPECT_EQ(STATUS_INVALID_PARAMETER,
		  LsaRegisterLogonProcess(NULL, &lsa, NULL));
	RtlInitString(&name, "test");
	EXPECT_EQ(STATUS_INVALID_PARAMETER,
		  LsaRegisterLogonProcess(&name, NULL, NULL));
}

/*
 * Nobody there
 */

TEST(endpoint_missing)
{
	HANDLE lsa = &lsa;

	setenv("LSABUF_ENDPOINT", "no-such-endpoint", 1);
	EXPECT_EQ(STATUS_OBJECT_NAME_NOT_FOUND, LsaConnectUntrusted(&lsa));
	EXPECT_EQ(NULL, lsa);
	EXPECT_TRUE(!!strstr(lsabuf_explain(STATUS_OBJECT_NAME_NOT_FOUND),
			     "lsahost"));
	setenv("LSABUF_ENDPOINT", "a-name-that-is-longer-than-a-name-may-be",
	       1);
	EXPECT_EQ(STATUS_INVALID_PARAMETER, LsaConnectUntrusted(&lsa));
}

TEST(device_missing)
{
	HANDLE lsa = &lsa;

	setenv("LSABUF_DEVICE", "/dev/no-such-device", 1);
	EXPECT_EQ(STATUS_DEVICE_NOT_READY, LsaConnectUntrusted(&lsa));
	EXPECT_EQ(NULL, lsa);
	EXPECT_EQ(STATUS_DEVICE_NOT_READY, LsaFreeReturnBuffer(&lsa));
	EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(NULL));
	EXPECT_TRUE(
		!!strstr(lsabuf_explain(STATUS_DEVICE_NOT_READY), "module"));
	/* A file that is no lsabuf device */
	setenv("LSABUF_DEVICE", "/dev/null", 1);
	EXPECT_FALSE(NT_SUCCESS(LsaConnectUntrusted(&lsa)));
	EXPECT_EQ(NULL, lsa);
	EXPECT_FALSE(NT_SUCCESS(LsaFreeReturnBuffer(&lsa)));
}

TEST(device_not_permitted)
{
	HANDLE lsa = &lsa;
	struct stat st;

	/* A node of its own, so that other programs keep theirs */
	ASSERT_EQ(0, stat(LSA_DEVICE, &st));
	unlink("/dev/lsabuf-private");
	ASSERT_EQ(0, mknod("/dev/lsabuf-private", S_IFCHR | 0600, st.st_rdev));
	setenv("LSABUF_DEVICE", "/dev/lsabuf-private", 1);
	if (!fork()) {
		become_user(NOBODY);
		_exit(LsaConnectUntrusted(&lsa) == STATUS_ACCESS_DENIED ? 0 :
									  1);
	}
	int status;

	wait(&status);
	EXPECT_EQ(0, status);
	unlink("/dev/lsabuf-private");
}

TEST(status_table)
{
	static const struct {
		int error;
		enum lsabuf_subject subject;
		NTSTATUS status;
	} rows[] = {
		{ 0, LSABUF_SUBJECT_DEVICE, STATUS_SUCCESS },
		{ ENOENT, LSABUF_SUBJECT_DEVICE, STATUS_DEVICE_NOT_READY },
		{ ENOENT, LSABUF_SUBJECT_CONNECTION,
		  STATUS_OBJECT_NAME_NOT_FOUND },
		{ ENOENT, LSABUF_SUBJECT_BLOCK, STATUS_MEMORY_NOT_ALLOCATED },
		{ ENOENT, LSABUF_SUBJECT_REQUEST, STATUS_INVALID_HANDLE },
		{ EDQUOT, LSABUF_SUBJECT_CONNECTION, STATUS_QUOTA_EXCEEDED },
		{ EDQUOT, LSABUF_SUBJECT_REQUEST, STATUS_NO_MEMORY },
		{ ENOMEM, LSABUF_SUBJECT_REQUEST, STATUS_NO_MEMORY },
		{ ESRCH, LSABUF_SUBJECT_REQUEST,
		  STATUS_PROCESS_IS_TERMINATING },
		{ ECANCELED, LSABUF_SUBJECT_REQUEST, STATUS_CANCELLED },
		{ EACCES, LSABUF_SUBJECT_REQUEST, STATUS_ACCESS_DENIED },
		{ EFAULT, LSABUF_SUBJECT_REQUEST, STATUS_ACCESS_VIOLATION },
		{ EPIPE, LSABUF_SUBJECT_CONNECTION, STATUS_PORT_DISCONNECTED },
		{ ETIMEDOUT, LSABUF_SUBJECT_CONNECTION, STATUS_IO_TIMEOUT },
		{ EXDEV, LSABUF_SUBJECT_CONNECTION, STATUS_UNSUCCESSFUL },
	};
	size_t i;

	for (i = 0; i < ARRAYSIZE(rows); i++)
		EXPECT_EQ(rows[i].status,
			  lsabuf_status(-rows[i].error, rows[i].subject));
}

/*
 * The grant: packages get ACCESS_DENIED where a client opens less than all
 */

TEST_F(library, access_denied_without_grant)
{
	struct {
		struct probe_message message;
		char payload[8];
	} submit = { .message = { .code = PROBE_COPY_TO, .argument = 8 } };
	char *block = ALLOCATE(64);
	struct lsabuf_call request;
	char target[8] = "target";
	int fd;

	fd = lsabuf_open_client(getenv("LSABUF_ENDPOINT"),
				LSABUF_ACCESS_BUFFERS);
	ASSERT_LE(0, fd);
	submit.message.address = to_u64(target);
	lsabuf_call_prepare(&request, LSA_MESSAGE_CALL, self->probe, &submit,
			    sizeof(submit));
	ASSERT_EQ(0, lsabuf_call(fd, &request));
	EXPECT_EQ(STATUS_ACCESS_DENIED, (NTSTATUS)request.out_status[1]);
	EXPECT_STREQ("target", target);
	/* Client buffers are open always */
	submit.message.address = to_u64(block);
	lsabuf_call_prepare(&request, LSA_MESSAGE_CALL, self->probe, &submit,
			    sizeof(submit));
	ASSERT_EQ(0, lsabuf_call(fd, &request));
	EXPECT_EQ(STATUS_SUCCESS, (NTSTATUS)request.out_status[1]);
	lsabuf_close(fd);
}

/*
 * The native interface: authority and clients in the hands of the test
 */

static void native_client(const char *endpoint)
{
	const char text[] = "question";
	struct lsabuf_call a, b, done;
	int fd;

	become_user(NOBODY);
	fd = lsabuf_open_client(endpoint, LSABUF_ACCESS_WHOLE);
	if (fd < 0)
		_exit(1);
	lsabuf_call_prepare(&a, 1, 2, text, sizeof(text));
	if (lsabuf_call(fd, &a) || a.out_status[0] != 11 ||
	    a.out_status[1] != 12 || a.out_length != 7 ||
	    strcmp(to_pointer(a.out_address), "answer"))
		_exit(2);
	if (lsabuf_free(fd, to_pointer(a.out_address)) ||
	    lsabuf_free(fd, to_pointer(a.out_address)) != -ENOENT)
		_exit(3);
	/* Two at a time, answered in the other order */
	lsabuf_call_prepare(&a, 3, 0, NULL, 0);
	lsabuf_call_prepare(&b, 4, 0, text, sizeof(text));
	if (lsabuf_call_any(fd, &done) != -EAGAIN)
		_exit(4);
	if (lsabuf_call_submit(fd, &a) || lsabuf_call_submit(fd, &b))
		_exit(5);
	if (lsabuf_call_wait(fd, &b) || b.out_status[0] != 4)
		_exit(6);
	if (lsabuf_call_wait(fd, &a) || a.out_status[0] != 3)
		_exit(7);
	if (lsabuf_call_wait(fd, &a) != -ENOENT)
		_exit(8);
	/* One that is given up */
	lsabuf_call_prepare(&a, 5, 0, NULL, 0);
	if (lsabuf_call_submit(fd, &a) || lsabuf_call_cancel(fd, a.id) ||
	    lsabuf_call_cancel(fd, a.id) != -ENOENT ||
	    lsabuf_call_cancel(fd, 0) != -ENOENT)
		_exit(9);
	lsabuf_call_prepare(&a, 6, 0, NULL, 0);
	_exit(lsabuf_call(fd, &a) || lsabuf_disconnect(fd) ? 10 : 0);
}

static void receive_kind(struct __test_metadata *_metadata, int fd, __u32 kind,
			 struct lsabuf_reply_receive *request)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	do {
		/* The client may be gone, for a reason that its status tells */
		ASSERT_EQ(1, poll(&ready, 1, 5000));
		ASSERT_EQ(0, lsabuf_receive(fd, request));
		/* The call that was given up may have come before that */
		if (request->out_kind == 5 && kind != 5)
			lsabuf_reply(fd, request->out_id, request->status, 0,
				     0);
	} while (request->out_kind == 5 && kind != 5);
	ASSERT_EQ(kind, request->out_kind);
}

static void native_memory(struct __test_metadata *_metadata, int fd,
			  const struct lsabuf_reply_receive *request)
{
	char bytes[16] = "";
	struct lsabuf_copy_range ranges[2] = { 0 };
	struct lsabuf_identity identity;
	uint64_t address, id = request->out_id;
	size_t done = 0;

	EXPECT_STREQ("question", to_pointer(request->out_submit_address));
	EXPECT_EQ(0, lsabuf_copy_from(fd, id, bytes,
				      request->out_client_address, 9, &done));
	EXPECT_EQ(9, done);
	EXPECT_STREQ("question", bytes);
	EXPECT_EQ(0, lsabuf_alloc_copy(fd, id, 64, "filled", 7, &address));
	EXPECT_EQ(0, lsabuf_copy_to(fd, id, address + 1, "o", 1, NULL));
	ranges[0].client_address = address;
	ranges[0].local_address = to_u64(bytes);
	ranges[0].length = 3;
	ranges[1].client_address = address + 3;
	ranges[1].local_address = to_u64(bytes + 3);
	ranges[1].length = 5;
	EXPECT_EQ(0, lsabuf_copy_vector(fd, id, LSABUF_COPY_F_FROM_CLIENT,
					ranges, 2, &address));
	EXPECT_EQ(8, address);
	EXPECT_STREQ("folled", bytes);
	EXPECT_EQ(0, lsabuf_release(fd, id, ranges[0].client_address));
	EXPECT_EQ(-ENOENT, lsabuf_release(fd, id, ranges[0].client_address));
	EXPECT_EQ(-EINVAL, lsabuf_alloc(fd, id, 0, &address));
	EXPECT_EQ(0, address);
	EXPECT_EQ(0, lsabuf_identity(fd, id, &identity, NULL, 0));
	EXPECT_EQ(NOBODY, identity.out_uid);
	EXPECT_EQ(0, identity.nr_groups);
}

TEST(native_interface)
{
	const uint32_t status[2] = { 11, 12 };
	struct lsabuf_serve serve = { .max_requests = 16 };
	struct lsabuf_reply_receive a, b;
	struct lsabuf_info info;
	char endpoint[32];
	pid_t client;
	int fd, exit_status;

	snprintf(endpoint, sizeof(endpoint), "native-%d", getpid());
	fd = lsabuf_open(NULL);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, lsabuf_info(fd, &info));
	EXPECT_EQ(LSABUF_ABI_VERSION, info.out_abi_version);
	ASSERT_EQ(0, lsabuf_serve(fd, endpoint, &serve));
	EXPECT_EQ(-EAGAIN, lsabuf_receive_nowait(fd, &a));
	client = fork();
	if (!client)
		native_client(endpoint);
	receive_kind(_metadata, fd, 1, &a);
	EXPECT_EQ(2, a.out_code);
	EXPECT_EQ(client, a.out_pid);
	native_memory(_metadata, fd, &a);
	EXPECT_EQ(0, lsabuf_reply_payload(fd, a.out_id, status, "answer", 7));
	EXPECT_EQ(-ENOENT, lsabuf_reply(fd, a.out_id, status, 0, 0));
	receive_kind(_metadata, fd, 3, &a);
	receive_kind(_metadata, fd, 4, &b);
	b.reply_id = b.out_id;
	b.status[0] = 4;
	b.flags = 0;
	EXPECT_EQ(0, lsabuf_reply(fd, b.out_id, b.status, 0, 0));
	a.status[0] = 3;
	EXPECT_EQ(0, lsabuf_reply(fd, a.out_id, a.status, 0, 0));
	receive_kind(_metadata, fd, 6, &a);
	EXPECT_EQ(0, lsabuf_reply(fd, a.out_id, status, 0, 0));
	waitpid(client, &exit_status, 0);
	EXPECT_EQ(0, WEXITSTATUS(exit_status));
	lsabuf_close(fd);
}

TEST(native_permissions)
{
	int fd = lsabuf_open(NULL), status;
	char endpoint[32];

	snprintf(endpoint, sizeof(endpoint), "allowed-%d", getpid());
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, lsabuf_endpoint_allow(fd, endpoint, NOBODY, 0));
	if (!fork()) {
		become_user(NOBODY);
		setenv("LSABUF_ENDPOINT", endpoint, 1);
		if (lsabuf_endpoint_allow(fd, endpoint, NOBODY, 0) != -EACCES)
			_exit(1);
		if (lsabuf_open_authority("another") != -EACCES)
			_exit(2);
		_exit(lsabuf_open_authority(endpoint) < 0 ? 3 : 0);
	}
	wait(&status);
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_EQ(0, lsabuf_endpoint_disallow(fd, endpoint, NOBODY, 0));
	EXPECT_EQ(-ENOENT, lsabuf_endpoint_disallow(fd, endpoint, NOBODY, 0));
	EXPECT_EQ(-EINVAL, lsabuf_endpoint_allow(fd, "", NOBODY, 0));
	EXPECT_EQ(-EINVAL,
		  lsabuf_endpoint_allow(fd, "a-name-of-more-than-31-characters",
					NOBODY, 0));
	lsabuf_close(fd);
}

/*
 * MapBuffer
 */

static struct result map_buffer(HANDLE lsa, ULONG package, const void *address,
				ULONG length, struct probe_map how)
{
	return probe_with(lsa, package, PROBE_MAP, length, address, &how,
			  sizeof(how));
}

#define MAP(_address, _length, ...)                           \
	map_buffer(self->lsa, self->probe, _address, _length, \
		   (struct probe_map){ __VA_ARGS__ })

TEST_F_TIMEOUT(library, map_buffer, 60)
{
	unsigned char *bytes = malloc(MIB(16));
	struct result r;
	ULONG length;

	for (length = 1; length <= MIB(16); length *= 16) {
		fill(bytes, length, length);
		r = MAP(bytes, length, SECBUFFER_TOKEN | SECBUFFER_UNMAPPED,
			SECBUFFER_TOKEN);
		ASSERT_EQ(STATUS_SUCCESS, outcome(r));
		ASSERT_EQ(length, r.length);
		EXPECT_EQ(length, filled(r.buffer, length, length));
		EXPECT_EQ(STATUS_SUCCESS, LsaFreeReturnBuffer(r.buffer));
		EXPECT_EQ(length, filled(bytes, length, length));
	}
	free(bytes);
}

/* One struct for both; and all other bits of the type stay as they are */
TEST_F(library, map_buffer_in_place)
{
	const ULONG types[] = {
		SECBUFFER_DATA,
		SECBUFFER_TOKEN | SECBUFFER_READONLY,
		SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM,
		SECBUFFER_TOKEN | SECBUFFER_KERNEL_MAP,
		0x0fffffff,
		0xbfffffff,
	};
	struct result r;
	size_t i, how;

	for (i = 0; i < ARRAY_SIZE(types) * 4; i++) {
		ULONG type = types[i / 4];

		how = i % 2;
		r = MAP("token", 6, i & 2 ? type | SECBUFFER_UNMAPPED : type,
			type, how);
		ASSERT_EQ(STATUS_SUCCESS, outcome(r));
		EXPECT_STREQ("token", r.buffer);
		LsaFreeReturnBuffer(r.buffer);
	}
}

/* Nothing to map: nothing is, and the flag goes all the same */
TEST_F(library, map_buffer_empty)
{
	const ULONG type = SECBUFFER_TOKEN | SECBUFFER_UNMAPPED;
	struct result r;

	r = MAP(NULL, 0, type, SECBUFFER_TOKEN);
	EXPECT_EQ(STATUS_SUCCESS, outcome(r));
	r = MAP(NULL, 4096, type, SECBUFFER_TOKEN, 1);
	EXPECT_EQ(STATUS_SUCCESS, outcome(r));
	r = MAP((PVOID)16, 0, type, SECBUFFER_TOKEN, 1);
	EXPECT_EQ(STATUS_SUCCESS, outcome(r));
	EXPECT_EQ(NULL, r.buffer);
}

/* On failure the package's structs are as they were: the package looks */
TEST_F(library, map_buffer_fails)
{
	const ULONG type = SECBUFFER_TOKEN | SECBUFFER_UNMAPPED;
	struct result r;

	r = MAP((PVOID)16, 8, type, 0);
	EXPECT_EQ(STATUS_ACCESS_VIOLATION, outcome(r));
	r = MAP((PVOID)16, 8, type, 0, 1);
	EXPECT_EQ(STATUS_ACCESS_VIOLATION, outcome(r));
	r = MAP((PVOID)~0UL, 8, type, 0);
	EXPECT_EQ(STATUS_ACCESS_VIOLATION, outcome(r));
	r = MAP("x", 0xffffffff, type, 0);
	EXPECT_EQ(STATUS_NO_MEMORY, outcome(r));
	r = MAP("x", 1, type, 0, 2);
	EXPECT_EQ(STATUS_INVALID_PARAMETER, outcome(r));
	r = MAP("x", 1, type, 0, 3);
	EXPECT_EQ(STATUS_INVALID_PARAMETER, outcome(r));
	EXPECT_EQ(STATUS_NO_MEMORY,
		  outcome(PROBE(PROBE_MAP_WORKER, 0, &r, NULL, 0)));
}

/* What has been mapped is not mapped again, nor what is behind it taken */
TEST_F(library, map_buffer_again)
{
	char bytes[] = "original";
	struct result r;

	r = PROBE(PROBE_MAP_TWICE, sizeof(bytes), bytes, NULL, 0);
	ASSERT_EQ(STATUS_SUCCESS, outcome(r));
	EXPECT_STREQ("original", r.buffer);
	EXPECT_STREQ("!!!!inal", bytes);
	LsaFreeReturnBuffer(r.buffer);
	EXPECT_EQ(STATUS_SUCCESS,
		  outcome(PROBE(PROBE_MAP_SUBMIT, 0, NULL, "payload", 8)));
}

TEST_HARNESS_MAIN
