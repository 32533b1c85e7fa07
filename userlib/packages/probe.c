// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The package "probe": does what tests ask for with the services of the LSA,
 * and tells what came out. Not for production: whoever calls it can have it
 * sleep, or write where the caller itself could.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <windows.h>
#include <ntstatus.h>
#include <ntsecapi.h>
#include <ntsecpkg.h>

#include "probe.h"

DECLSPEC_EXPORT LSA_AP_INITIALIZE_PACKAGE LsaApInitializePackage;
DECLSPEC_EXPORT LSA_AP_CALL_PACKAGE LsaApCallPackage;
DECLSPEC_EXPORT LSA_AP_CALL_PACKAGE LsaApCallPackageUntrusted;

static PLSA_SECPKG_FUNCTION_TABLE lsa;

/**
 * struct probe - one call of this package
 * @request: what services get for it
 * @message: in the submit buffer
 * @payload_length: bytes of the message's payload
 * @client_base: address of the submit buffer in the client
 * @return_buffer: as the LSA gave it
 * @return_length: as the LSA gave it
 * @call_status: what the entry point is to return
 * @trusted: called through the entry point for logon processes
 * @silent: leave the protocol status alone
 */
struct probe {
	PLSA_CLIENT_REQUEST request;
	struct probe_message *message;
	ULONG payload_length;
	PVOID client_base;
	PVOID *return_buffer;
	PULONG return_length;
	NTSTATUS call_status;
	bool trusted;
	bool silent;
};

typedef NTSTATUS probe_function(struct probe *probe);

static PVOID address_of(const struct probe *probe)
{
	return (PVOID)(uintptr_t)probe->message->address;
}

static NTSTATUS give(struct probe *probe, const void *bytes, ULONG length)
{
	NTSTATUS status;
	PVOID buffer;

	status = lsa->AllocateClientBuffer(probe->request, length, &buffer);
	if (!NT_SUCCESS(status))
		return status;
	status = lsa->CopyToClientBuffer(probe->request, length, buffer,
					 (PVOID)bytes);
	if (!NT_SUCCESS(status)) {
		lsa->FreeClientBuffer(probe->request, buffer);
		return status;
	}
	*probe->return_buffer = buffer;
	*probe->return_length = length;
	return status;
}

static NTSTATUS probe_echo(struct probe *probe)
{
	return give(probe, probe->message->payload, probe->payload_length);
}

/* The length is given as the pointer's state on failure: 1 where it is NULL */
static NTSTATUS probe_allocate(struct probe *probe)
{
	PVOID buffer = &buffer;
	NTSTATUS status;

	status = lsa->AllocateClientBuffer(probe->request,
					   probe->message->argument, &buffer);
	if (!NT_SUCCESS(status)) {
		*probe->return_length = !buffer;
		return status;
	}
	*probe->return_buffer = buffer;
	*probe->return_length = probe->message->argument;
	return status;
}

static NTSTATUS probe_free(struct probe *probe)
{
	return lsa->FreeClientBuffer(probe->request, address_of(probe));
}

static NTSTATUS probe_copy_to(struct probe *probe)
{
	if (probe->message->argument > probe->payload_length)
		return STATUS_INVALID_PARAMETER;
	return lsa->CopyToClientBuffer(probe->request, probe->message->argument,
				       address_of(probe),
				       probe->message->payload);
}

static NTSTATUS probe_copy_from(struct probe *probe)
{
	ULONG length = probe->message->argument;
	NTSTATUS status;
	PVOID bytes;

	bytes = lsa->AllocateLsaHeap(length);
	if (!bytes)
		return STATUS_NO_MEMORY;
	status = lsa->CopyFromClientBuffer(probe->request, length, bytes,
					   address_of(probe));
	if (NT_SUCCESS(status) && length)
		status = give(probe, bytes, length);
	lsa->FreeLsaHeap(bytes);
	return status;
}

static NTSTATUS probe_call_status(struct probe *probe)
{
	probe->call_status = probe->message->argument;
	return STATUS_SUCCESS;
}

static NTSTATUS probe_protocol_status(struct probe *probe)
{
	return probe->message->argument;
}

static NTSTATUS probe_silent(struct probe *probe)
{
	probe->silent = true;
	return STATUS_SUCCESS;
}

static NTSTATUS probe_leave(struct probe *probe)
{
	NTSTATUS status;
	ULONG64 address;

	status = give(probe, "left", sizeof("left"));
	if (!NT_SUCCESS(status))
		return status;
	address = (uintptr_t)*probe->return_buffer;
	status = lsa->CopyToClientBuffer(probe->request, sizeof(address),
					 address_of(probe), &address);
	if (probe->message->code == PROBE_LEAVE_FREED)
		lsa->FreeClientBuffer(probe->request, *probe->return_buffer);
	probe->call_status = probe->message->argument;
	return status;
}

static NTSTATUS probe_null_request(struct probe *probe)
{
	probe->request = NULL;
	return probe_echo(probe);
}

/*
 * Other threads
 */

static void *ask_without_request(void *argument)
{
	struct probe_worker *worker = argument;
	SECPKG_CLIENT_INFO client;
	SECPKG_CALL_INFO call;
	PVOID buffer = &buffer;
	ULONG word = 0;
	size_t i;

	memset(&call, 0xff, sizeof(call));
	worker->allocate = lsa->AllocateClientBuffer(NULL, 16, &buffer);
	worker->pointer_is_null = !buffer;
	worker->free = lsa->FreeClientBuffer(NULL, &buffer);
	worker->copy_to = lsa->CopyToClientBuffer(NULL, 4, &word, &word);
	worker->copy_from = lsa->CopyFromClientBuffer(NULL, 4, &word, &word);
	worker->copy_nothing = lsa->CopyToClientBuffer(NULL, 0, NULL, NULL);
	worker->client_info = lsa->GetClientInfo(&client);
	worker->call_info = lsa->GetCallInfo(&call);
	for (i = 0; i < sizeof(call); i++)
		worker->call_info_bytes |= ((const UCHAR *)&call)[i];
	return NULL;
}

static NTSTATUS run_thread(void *(*function)(void *), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, function, argument))
		return STATUS_INSUFFICIENT_RESOURCES;
	pthread_join(thread, NULL);
	return STATUS_SUCCESS;
}

static NTSTATUS probe_worker(struct probe *probe)
{
	struct probe_worker worker = { 0 };
	NTSTATUS status;

	status = run_thread(ask_without_request, &worker);
	if (!NT_SUCCESS(status))
		return status;
	return give(probe, &worker, sizeof(worker));
}

static void *echo_elsewhere(void *argument)
{
	struct probe *probe = argument;

	/* Its status takes the way that is free for it */
	probe->message->argument = probe_echo(probe);
	return NULL;
}

static NTSTATUS probe_worker_handle(struct probe *probe)
{
	NTSTATUS status;

	status = run_thread(echo_elsewhere, probe);
	if (!NT_SUCCESS(status))
		return status;
	return probe->message->argument;
}

/*
 * Handles
 */

static PLSA_CLIENT_REQUEST kept;

static NTSTATUS probe_keep_handle(struct probe *probe)
{
	kept = probe->request;
	return kept ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static NTSTATUS allocate_with(PLSA_CLIENT_REQUEST request)
{
	PVOID buffer;

	return lsa->AllocateClientBuffer(request, 16, &buffer);
}

static NTSTATUS probe_stale_handle(struct probe *probe)
{
	UNREFERENCED_PARAMETER(probe);
	return allocate_with(kept);
}

static NTSTATUS probe_bad_handle(struct probe *probe)
{
	return allocate_with(address_of(probe));
}

static NTSTATUS probe_read_handle(struct probe *probe)
{
	ULONG64 word = (uintptr_t)*probe->request;

	return give(probe, &word, sizeof(word));
}

/*
 * Other packages
 */

static NTSTATUS give_inner(struct probe *probe, struct probe_inner *inner,
			   const void *reply)
{
	NTSTATUS status;
	PVOID both;

	both = lsa->AllocateLsaHeap(sizeof(*inner) + inner->length);
	if (!both)
		return STATUS_NO_MEMORY;
	memcpy(both, inner, sizeof(*inner));
	if (reply)
		memcpy((PCHAR)both + sizeof(*inner), reply, inner->length);
	status = give(probe, both, sizeof(*inner) + inner->length);
	lsa->FreeLsaHeap(both);
	return status;
}

/* Told as a status, which all ways of being called have */
static NTSTATUS probe_base(struct probe *probe)
{
	return probe->client_base == (PVOID)lsa ? STATUS_NOT_FOUND :
						  STATUS_SUCCESS;
}

static NTSTATUS probe_call_package(struct probe *probe)
{
	ULONG name_length = probe->message->argument;
	struct probe_inner inner = { 0 };
	UNICODE_STRING name;
	PVOID message, reply;
	NTSTATUS status;
	ULONG length;

	if (name_length > probe->payload_length || name_length > MAXUSHORT)
		return STATUS_INVALID_PARAMETER;
	/* Apart, so that it is as well aligned as any message */
	length = probe->payload_length - name_length;
	message = lsa->AllocateLsaHeap(length);
	if (!message)
		return STATUS_NO_MEMORY;
	memcpy(message, probe->message->payload + name_length, length);
	name.Buffer = (PWSTR)probe->message->payload;
	name.Length = name_length;
	name.MaximumLength = name_length;
	/* The address chooses the way: 1 CallPackageEx, 2 Passthrough */
	if (probe->message->address == 2)
		inner.status = lsa->CallPackagePassthrough(
			&name, message, message, length, &reply, &inner.length,
			&inner.protocol_status);
	else if (probe->message->address)
		inner.status = lsa->CallPackageEx(&name, lsa, message, length,
						  &reply, &inner.length,
						  &inner.protocol_status);
	else
		inner.status = lsa->CallPackage(&name, message, length, &reply,
						&inner.length,
						&inner.protocol_status);
	lsa->FreeLsaHeap(message);
	inner.has_buffer = !!reply;
	status = give_inner(probe, &inner, reply);
	lsa->FreeReturnBuffer(reply);
	return status;
}

/*
 * Who calls
 */

static void ask_client(struct probe_info *info)
{
	SECPKG_CLIENT_INFO_EX ex;
	struct {
		SECPKG_CLIENT_INFO client;
		UCHAR guard[16];
	} guarded;
	size_t i;

	memset(&guarded, 0xa5, sizeof(guarded));
	info->client_status = lsa->GetClientInfo(&guarded.client);
	for (i = 0; i < sizeof(guarded.guard) && guarded.guard[i] == 0xa5; i++)
		;
	info->client_size = sizeof(guarded.client);
	if (i < sizeof(guarded.guard))
		info->client_size = sizeof(guarded);
	info->logon_id = guarded.client.LogonId;
	info->process = guarded.client.ProcessID;
	info->thread = guarded.client.ThreadID;
	info->has_tcb = guarded.client.HasTcbPrivilege;
	info->client_flags = guarded.client.ClientFlags;
	info->level = guarded.client.ImpersonationLevel;
	info->client_ex_status = lsa->GetClientInfoEx(&ex, sizeof(ex));
	info->ex_process = ex.ProcessID;
}

/* The last byte that is not as it was, counted from 1 */
static ULONG last_changed(const UCHAR *bytes, ULONG length)
{
	while (length && bytes[length - 1] == 0xa5)
		length--;
	return length;
}

static NTSTATUS probe_old_info(struct probe *probe)
{
	struct probe_old_info result = { 0 };
	ULONG size = probe->message->argument;
	union {
		SECPKG_CLIENT_INFO info;
		SECPKG_CLIENT_INFO_EX ex;
		UCHAR bytes[64];
	} memory;

	memset(&memory, 0xa5, sizeof(memory));
	result.status = lsa->GetClientInfo(&memory.info);
	result.overrun = last_changed(memory.bytes, sizeof(memory)) - size;
	result.process = memory.info.ProcessID;
	result.thread = memory.info.ThreadID;
	result.has_tcb = memory.info.HasTcbPrivilege;
	memset(&memory, 0xa5, sizeof(memory));
	result.ex_status = lsa->GetClientInfoEx(&memory.ex, size);
	result.ex_bytes = last_changed(memory.bytes, sizeof(memory));
	return give(probe, &result, sizeof(result));
}

static NTSTATUS probe_info(struct probe *probe)
{
	struct probe_info info = { .trusted = probe->trusted };
	SECPKG_CALL_INFO call;

	ask_client(&info);
	info.call_info = lsa->GetCallInfo(&call);
	info.call_process = call.ProcessId;
	info.call_thread = call.ThreadId;
	info.call_attributes = call.Attributes;
	info.call_count = call.CallCount;
	info.flags_status = lsa->GetExtendedCallFlags(&info.extended_flags);
	return give(probe, &info, sizeof(info));
}

static NTSTATUS probe_in_place(struct probe *probe)
{
	static const char text[] = "written";

	if (probe->payload_length < sizeof(text))
		return STATUS_INVALID_PARAMETER;
	memcpy(probe->message->payload, text, sizeof(text));
	return lsa->CopyToClientBuffer(probe->request, sizeof(text),
				       (PCHAR)probe->client_base +
					       offsetof(struct probe_message,
							payload),
				       probe->message->payload);
}

static NTSTATUS probe_table(struct probe *probe)
{
	PVOID entries[sizeof(*lsa) / sizeof(PVOID)];
	UCHAR set[ARRAYSIZE(entries)];
	PVOID refuse, nothing;
	size_t i;

	/* What is not supported has one body for all */
	memcpy(entries, lsa, sizeof(entries));
	memcpy(&refuse, &lsa->UnloadPackage, sizeof(refuse));
	memcpy(&nothing, &lsa->DummyFunction6, sizeof(nothing));
	for (i = 0; i < ARRAYSIZE(entries); i++)
		set[i] = entries[i] == refuse || entries[i] == nothing ?
				 2 :
				 !!entries[i];
	return give(probe, set, sizeof(set));
}

static bool is_all(const UCHAR *bytes, size_t length, UCHAR value)
{
	size_t i;

	for (i = 0; i < length; i++) {
		if (bytes[i] != value)
			return false;
	}
	return true;
}

static bool protect_works(PVOID block, ULONG length)
{
	memset(block, 's', length);
	lsa->LsaProtectMemory(block, length);
	if (is_all(block, length, 's'))
		return false;
	lsa->LsaUnprotectMemory(block, length);
	return is_all(block, length, 's');
}

static NTSTATUS probe_heaps(struct probe *probe)
{
	PVOID heap = lsa->AllocateLsaHeap(1000);
	PVOID private = lsa->AllocatePrivateHeap(1000);
	PVOID nothing = lsa->AllocateLsaHeap(0);
	bool good;

	UNREFERENCED_PARAMETER(probe);
	good = heap && private && nothing && is_all(heap, 1000, 0) &&
	       is_all(private, 1000, 0) && protect_works(heap, 1000) &&
	       protect_works(heap, 16) && protect_works(heap, 65);
	lsa->LsaProtectMemory(NULL, 0);
	lsa->FreeLsaHeap(heap);
	lsa->FreeLsaHeap(nothing);
	lsa->FreeLsaHeap(NULL);
	lsa->FreePrivateHeap(private);
	lsa->FreePrivateHeap(NULL);
	lsa->FreeReturnBuffer(NULL);
	return good ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static void sleep_for(ULONG ms)
{
	struct timespec left = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000L,
	};

	while (nanosleep(&left, &left))
		;
}

static NTSTATUS probe_sleep(struct probe *probe)
{
	sleep_for(probe->message->argument);
	return probe_echo(probe);
}

static pthread_mutex_t outlived_lock = PTHREAD_MUTEX_INITIALIZER;
static struct probe_outlived outlived;

static NTSTATUS probe_outlive(struct probe *probe)
{
	struct probe_outlived now = { 0 };
	SECPKG_CLIENT_INFO client;
	PVOID buffer = &buffer;
	ULONG word = 0;

	sleep_for(probe->message->argument);
	now.allocate = lsa->AllocateClientBuffer(probe->request, 16, &buffer);
	now.pointer_is_null = !buffer;
	now.free = lsa->FreeClientBuffer(probe->request, probe->client_base);
	now.copy_to = lsa->CopyToClientBuffer(probe->request, sizeof(word),
					      probe->client_base, &word);
	now.copy_from = lsa->CopyFromClientBuffer(probe->request, sizeof(word),
						  &word, probe->client_base);
	now.client_info = lsa->GetClientInfo(&client);
	now.client_flags = client.ClientFlags;
	if (probe->payload_length >= sizeof(now.payload))
		memcpy(now.payload, probe->message->payload,
		       sizeof(now.payload));
	pthread_mutex_lock(&outlived_lock);
	now.count = outlived.count + 1;
	outlived = now;
	pthread_mutex_unlock(&outlived_lock);
	return STATUS_SUCCESS;
}

static NTSTATUS probe_recall(struct probe *probe)
{
	struct probe_outlived now;

	pthread_mutex_lock(&outlived_lock);
	now = outlived;
	pthread_mutex_unlock(&outlived_lock);
	return give(probe, &now, sizeof(now));
}

/* The last service that did not refuse what it should have */
static NTSTATUS probe_nulls(struct probe *probe)
{
	PLSA_CLIENT_REQUEST request = probe->request;
	NTSTATUS status = STATUS_SUCCESS;
	ULONG word = 0;

	if (NT_SUCCESS(lsa->AllocateClientBuffer(request, 16, NULL)))
		status = STATUS_INVALID_PARAMETER_1;
	if (NT_SUCCESS(lsa->CopyToClientBuffer(request, 4, NULL, &word)) ||
	    NT_SUCCESS(lsa->CopyToClientBuffer(request, 4, probe->client_base,
					       NULL)))
		status = STATUS_INVALID_PARAMETER_2;
	if (NT_SUCCESS(lsa->CopyFromClientBuffer(request, 4, NULL,
						 probe->client_base)) ||
	    NT_SUCCESS(lsa->CopyFromClientBuffer(request, 4, &word, NULL)))
		status = STATUS_INVALID_PARAMETER_3;
	if (!NT_SUCCESS(lsa->FreeClientBuffer(request, NULL)) ||
	    NT_SUCCESS(lsa->GetClientInfo(NULL)) || lsa->GetCallInfo(NULL) ||
	    NT_SUCCESS(lsa->CallPackage(NULL, NULL, 0, NULL, NULL, NULL)))
		status = STATUS_UNSUCCESSFUL;
	return status;
}

static NTSTATUS probe_query(struct probe *probe)
{
	PVOID reply = &reply;
	NTSTATUS status;

	status = lsa->QueryClientRequest(probe->request,
					 probe->message->argument, &reply);
	return reply ? STATUS_UNSUCCESSFUL : status;
}

static NTSTATUS probe_unsupported(struct probe *probe)
{
	LUID id = { 0 };
	bool good;

	UNREFERENCED_PARAMETER(probe);
	good = lsa->UnloadPackage() == STATUS_NOT_SUPPORTED &&
	       lsa->OpenTokenByLogonId(&id, NULL) == STATUS_NOT_SUPPORTED;
	lsa->CrediFreeCredentials(0, NULL);
	lsa->DummyFunction6(NULL, 0);
	return good ? STATUS_NOT_SUPPORTED : STATUS_UNSUCCESSFUL;
}

/*
 * With the client's rights
 */

static NTSTATUS probe_impersonate(struct probe *probe)
{
	struct probe_impersonation result = { 0 };
	char path[256] = "";
	int file;

	if (probe->payload_length >= sizeof(path))
		return STATUS_INVALID_PARAMETER;
	memcpy(path, probe->message->payload, probe->payload_length);
	result.status = lsa->ImpersonateClient();
	file = open(path, O_RDONLY | O_CLOEXEC);
	result.error = file < 0 ? errno : 0;
	if (file >= 0)
		close(file);
	result.uid = setfsuid(-1);
	result.gid = setfsgid(-1);
	result.nr_groups = getgroups(0, NULL);
	sleep_for(probe->message->argument);
	if (probe->message->address)
		result.reverted = RevertToSelf();
	result.uid_after = setfsuid(-1);
	return give(probe, &result, sizeof(result));
}

static void *impersonate_nobody(void *argument)
{
	UNREFERENCED_PARAMETER(argument);
	return (void *)(uintptr_t)(ULONG)lsa->ImpersonateClient();
}

static NTSTATUS probe_impersonate_worker(struct probe *probe)
{
	pthread_t thread;
	void *status;

	UNREFERENCED_PARAMETER(probe);
	if (pthread_create(&thread, NULL, impersonate_nobody, NULL))
		return STATUS_UNSUCCESSFUL;
	pthread_join(thread, &status);
	return (NTSTATUS)(uintptr_t)status;
}

/*
 * Threads and notifications of the LSA
 */

struct worker {
	struct probe_thread result;
	ULONG id;
};

static DWORD WINAPI work(LPVOID argument)
{
	struct worker *worker = argument;

	worker->id = gettid();
	worker->result.allocate = allocate_with(NULL);
	return 0;
}

static NTSTATUS probe_thread(struct probe *probe)
{
	struct worker worker = { 0 };
	struct pollfd ended = { .events = POLLIN };
	ULONG id = 0;
	HANDLE handle;

	worker.result.refused =
		!lsa->CreateThread(NULL, 0, NULL, NULL, 0, NULL) &&
		!lsa->CreateThread(NULL, 0, work, &worker, 4, NULL);
	handle = lsa->CreateThread(NULL, 4096, work, &worker, 0, &id);
	worker.result.has_handle = !!handle;
	if (!handle)
		return give(probe, &worker.result, sizeof(worker.result));
	ended.fd = (intptr_t)handle;
	worker.result.ended = poll(&ended, 1, 10000) == 1;
	worker.result.same_id = id && id == worker.id;
	worker.result.closed = CloseHandle(handle);
	return give(probe, &worker.result, sizeof(worker.result));
}

struct watch {
	int event;
	_Atomic ULONG calls;
};

static DWORD WINAPI count_call(LPVOID argument)
{
	struct watch *watch = argument;
	eventfd_t value;

	if (watch->event >= 0)
		eventfd_read(watch->event, &value);
	atomic_fetch_add(&watch->calls, 1);
	return 0;
}

static void wait_for_calls(struct watch *watch, struct probe_notify *notify)
{
	ULONG ms, events;

	for (events = 0; events < notify->events; events++) {
		/* The next one when the last has been heard of */
		eventfd_write(watch->event, 1);
		for (ms = 0; ms < notify->ms && watch->calls <= events; ms++)
			sleep_for(1);
	}
	for (ms = 0; ms < notify->ms && watch->calls < notify->expected; ms++)
		sleep_for(1);
}

/* The shortest interval, and half of it */
#define LATE_MS 1500

static NTSTATUS probe_notify(struct probe *probe)
{
	struct probe_notify notify;
	/* Calls may come late: it stays */
	struct watch *watch;
	HANDLE handle;

	if (probe->payload_length != sizeof(notify))
		return STATUS_INVALID_PARAMETER;
	memcpy(&notify, probe->message->payload, sizeof(notify));
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return STATUS_NO_MEMORY;
	watch->event = -1;
	if (notify.type == NOTIFIER_TYPE_HANDLE_WAIT)
		watch->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	handle = lsa->RegisterNotification(count_call, watch, notify.type, 0,
					   notify.flags, notify.interval,
					   (HANDLE)(intptr_t)watch->event);
	notify.has_handle = !!handle;
	wait_for_calls(watch, &notify);
	notify.cancel = lsa->CancelNotification(handle);
	notify.cancel_again = lsa->CancelNotification(handle);
	notify.calls = watch->calls;
	if (watch->event >= 0)
		eventfd_write(watch->event, 1);
	if (notify.has_handle)
		sleep_for(notify.ms < LATE_MS ? notify.ms : LATE_MS);
	notify.late_calls = watch->calls - notify.calls;
	return give(probe, &notify, sizeof(notify));
}

static bool is_same(const SecBuffer *a, const SecBuffer *b)
{
	return a->cbBuffer == b->cbBuffer && a->BufferType == b->BufferType &&
	       a->pvBuffer == b->pvBuffer;
}

/* A status that MapBuffer never gives tells what it should not have done */
static NTSTATUS probe_map(struct probe *probe)
{
	const struct probe_map *how = (PVOID)probe->message->payload;
	SecBuffer input = { .cbBuffer = probe->message->argument,
			    .BufferType = how->type,
			    .pvBuffer = address_of(probe) };
	const SecBuffer before = input, untouched = { 1, 2, &input };
	SecBuffer output = untouched;
	PSecBuffer result = how->how == 1 ? &input : &output;
	NTSTATUS status;

	status = lsa->MapBuffer(how->how == 2 ? NULL : &input,
				how->how == 3 ? NULL : result);
	if (how->how != 1 && !is_same(&input, &before))
		return STATUS_INTERNAL_ERROR;
	if (!NT_SUCCESS(status))
		return is_same(&input, &before) &&
				       is_same(&output, &untouched) ?
			       status :
			       STATUS_INTERNAL_ERROR;
	if (result->cbBuffer != before.cbBuffer ||
	    result->BufferType != how->type_after)
		return STATUS_INTERNAL_ERROR;
	if (!before.cbBuffer || !before.pvBuffer)
		return result->pvBuffer == before.pvBuffer ?
			       status :
			       STATUS_INTERNAL_ERROR;
	if (result->pvBuffer == before.pvBuffer)
		return STATUS_INTERNAL_ERROR;
	return give(probe, result->pvBuffer, result->cbBuffer);
}

static NTSTATUS probe_map_twice(struct probe *probe)
{
	SecBuffer first = { .cbBuffer = probe->message->argument,
			    .BufferType = SECBUFFER_TOKEN | SECBUFFER_UNMAPPED,
			    .pvBuffer = address_of(probe) };
	SecBuffer second = { 0 }, part;
	NTSTATUS status;

	status = lsa->MapBuffer(&first, &first);
	if (!NT_SUCCESS(status))
		return status;
	status = lsa->CopyToClientBuffer(NULL, 4, address_of(probe), "!!!!");
	if (!NT_SUCCESS(status))
		return status;
	/* Whatever the flag says */
	first.BufferType |= SECBUFFER_UNMAPPED;
	status = lsa->MapBuffer(&first, &second);
	if (!NT_SUCCESS(status))
		return status;
	if (second.pvBuffer != first.pvBuffer ||
	    second.BufferType != SECBUFFER_TOKEN)
		return STATUS_INTERNAL_ERROR;
	part = first;
	part.pvBuffer = (PUCHAR)first.pvBuffer + 1;
	part.cbBuffer--;
	status = lsa->MapBuffer(&part, &part);
	if (!NT_SUCCESS(status) || part.pvBuffer != (PUCHAR)first.pvBuffer + 1)
		return STATUS_INTERNAL_ERROR;
	/* What goes beyond it is no snapshot, and no memory of the client */
	part.cbBuffer++;
	if (lsa->MapBuffer(&part, &part) != STATUS_ACCESS_VIOLATION)
		return STATUS_INTERNAL_ERROR;
	return give(probe, second.pvBuffer, second.cbBuffer);
}

static void *map_without_request(void *argument)
{
	SecBuffer buffer = { .cbBuffer = 4, .pvBuffer = argument };
	const SecBuffer before = buffer;
	SecBuffer empty = { 0 };
	NTSTATUS status = lsa->MapBuffer(&buffer, &buffer);

	if (!is_same(&buffer, &before))
		status = STATUS_INTERNAL_ERROR;
	else if (lsa->MapBuffer(&empty, &empty) != status)
		status = STATUS_INTERNAL_ERROR;
	return (void *)(uintptr_t)(ULONG)status;
}

static NTSTATUS probe_map_worker(struct probe *probe)
{
	pthread_t thread;
	void *status;

	if (pthread_create(&thread, NULL, map_without_request,
			   address_of(probe)))
		return STATUS_UNSUCCESSFUL;
	pthread_join(thread, &status);
	return (NTSTATUS)(uintptr_t)status;
}

static NTSTATUS probe_map_submit(struct probe *probe)
{
	SecBuffer buffer = { .cbBuffer = probe->payload_length,
			     .BufferType = SECBUFFER_DATA,
			     .pvBuffer = probe->message->payload };
	NTSTATUS status = lsa->MapBuffer(&buffer, &buffer);

	if (NT_SUCCESS(status) &&
	    buffer.pvBuffer != (PVOID)probe->message->payload)
		return STATUS_INTERNAL_ERROR;
	return status;
}

/*
 * Files
 */

static NTSTATUS duplicate(int file, PHANDLE copy)
{
	return lsa->DuplicateHandle((HANDLE)(intptr_t)file, copy);
}

static NTSTATUS probe_duplicate(struct probe *probe)
{
	int file = memfd_create("probe", MFD_CLOEXEC);
	NTSTATUS status;
	ULONG64 number;
	HANDLE copy;

	if (file < 0 || write(file, probe->message->payload,
			      probe->payload_length) != probe->payload_length)
		return STATUS_UNSUCCESSFUL;
	status = duplicate(file, &copy);
	close(file);
	if (!NT_SUCCESS(status))
		return copy ? STATUS_INTERNAL_ERROR : status;
	number = (uintptr_t)copy;
	return give(probe, &number, sizeof(number));
}

static NTSTATUS probe_duplicate_bad(struct probe *probe)
{
	HANDLE copy = &copy;
	NTSTATUS status = lsa->DuplicateHandle(address_of(probe), &copy);

	return copy ? STATUS_INTERNAL_ERROR : status;
}

static probe_function *const functions[] = {
	[PROBE_ECHO] = probe_echo,
	[PROBE_ALLOCATE] = probe_allocate,
	[PROBE_FREE] = probe_free,
	[PROBE_COPY_TO] = probe_copy_to,
	[PROBE_COPY_FROM] = probe_copy_from,
	[PROBE_CALL_STATUS] = probe_call_status,
	[PROBE_PROTOCOL_STATUS] = probe_protocol_status,
	[PROBE_SILENT] = probe_silent,
	[PROBE_LEAVE] = probe_leave,
	[PROBE_LEAVE_FREED] = probe_leave,
	[PROBE_NULL_REQUEST] = probe_null_request,
	[PROBE_WORKER] = probe_worker,
	[PROBE_WORKER_HANDLE] = probe_worker_handle,
	[PROBE_KEEP_HANDLE] = probe_keep_handle,
	[PROBE_STALE_HANDLE] = probe_stale_handle,
	[PROBE_BAD_HANDLE] = probe_bad_handle,
	[PROBE_READ_HANDLE] = probe_read_handle,
	[PROBE_CALL_PACKAGE] = probe_call_package,
	[PROBE_BASE] = probe_base,
	[PROBE_INFO] = probe_info,
	[PROBE_IN_PLACE] = probe_in_place,
	[PROBE_TABLE] = probe_table,
	[PROBE_HEAPS] = probe_heaps,
	[PROBE_SLEEP] = probe_sleep,
	[PROBE_OUTLIVE] = probe_outlive,
	[PROBE_RECALL] = probe_recall,
	[PROBE_NULLS] = probe_nulls,
	[PROBE_QUERY] = probe_query,
	[PROBE_UNSUPPORTED] = probe_unsupported,
	[PROBE_MAP] = probe_map,
	[PROBE_MAP_TWICE] = probe_map_twice,
	[PROBE_MAP_WORKER] = probe_map_worker,
	[PROBE_MAP_SUBMIT] = probe_map_submit,
	[PROBE_IMPERSONATE] = probe_impersonate,
	[PROBE_IMPERSONATE_WORKER] = probe_impersonate_worker,
	[PROBE_THREAD] = probe_thread,
	[PROBE_NOTIFY] = probe_notify,
	[PROBE_OLD_INFO] = probe_old_info,
	[PROBE_DUPLICATE] = probe_duplicate,
	[PROBE_DUPLICATE_BAD] = probe_duplicate_bad,
};

static NTSTATUS call(struct probe *probe, PVOID submit, ULONG length,
		     PNTSTATUS protocol_status)
{
	NTSTATUS status;

	/* For tests of empty messages */
	if (!length)
		return submit ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
	probe->message = submit;
	if (!submit || length < sizeof(*probe->message) ||
	    probe->message->code >= ARRAYSIZE(functions) ||
	    !functions[probe->message->code])
		return STATUS_INVALID_PARAMETER;
	probe->payload_length = length - sizeof(*probe->message);
	status = functions[probe->message->code](probe);
	if (!probe->silent)
		*protocol_status = status;
	return probe->call_status;
}

NTSTATUS NTAPI LsaApCallPackage(PLSA_CLIENT_REQUEST request, PVOID submit,
				PVOID client_base, ULONG length,
				PVOID *return_buffer, PULONG return_length,
				PNTSTATUS protocol_status)
{
	struct probe probe = {
		.request = request,
		.client_base = client_base,
		.return_buffer = return_buffer,
		.return_length = return_length,
		.trusted = true,
	};

	return call(&probe, submit, length, protocol_status);
}

NTSTATUS NTAPI LsaApCallPackageUntrusted(PLSA_CLIENT_REQUEST request,
					 PVOID submit, PVOID client_base,
					 ULONG length, PVOID *return_buffer,
					 PULONG return_length,
					 PNTSTATUS protocol_status)
{
	struct probe probe = {
		.request = request,
		.client_base = client_base,
		.return_buffer = return_buffer,
		.return_length = return_length,
	};

	return call(&probe, submit, length, protocol_status);
}

/* Name and text apart, unlike in other packages: the LSA takes both forms */
NTSTATUS NTAPI LsaApInitializePackage(ULONG package_id,
				      PLSA_DISPATCH_TABLE table,
				      PLSA_STRING database,
				      PLSA_STRING confidentiality,
				      PLSA_STRING *package_name)
{
	PLSA_STRING name;

	UNREFERENCED_PARAMETER(package_id);
	UNREFERENCED_PARAMETER(database);
	UNREFERENCED_PARAMETER(confidentiality);
	lsa = (PLSA_SECPKG_FUNCTION_TABLE)table;
	name = lsa->AllocateLsaHeap(sizeof(*name));
	if (!name)
		return STATUS_NO_MEMORY;
	name->Buffer = lsa->AllocateLsaHeap(sizeof(PROBE_PACKAGE_NAME));
	if (!name->Buffer) {
		lsa->FreeLsaHeap(name);
		return STATUS_NO_MEMORY;
	}
	memcpy(name->Buffer, PROBE_PACKAGE_NAME, sizeof(PROBE_PACKAGE_NAME));
	name->Length = sizeof(PROBE_PACKAGE_NAME) - 1;
	name->MaximumLength = sizeof(PROBE_PACKAGE_NAME);
	*package_name = name;
	return STATUS_SUCCESS;
}
