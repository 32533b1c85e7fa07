// SPDX-License-Identifier: LGPL-2.1-or-later
/* What lsacall and lsabufctl share: call a package, show what came back. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lsabuf.h>

#include "call.h"

/* Tell of a failure. */
bool call_check(const char *what, NTSTATUS status)
{
	if (NT_SUCCESS(status))
		return true;
	fprintf(stderr, "%s: %s: %s (status 0x%08x)\n",
		program_invocation_short_name, what, lsabuf_explain(status),
		(unsigned int)status);
	return false;
}

void call_print_mapping(const void *address)
{
	unsigned long begin, end, place = (unsigned long)address;
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	if (!maps) {
		printf("mapping    /proc/self/maps: %s\n", strerror(errno));
		return;
	}
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx", &begin, &end) == 2 &&
		    begin <= place && place < end)
			printf("mapping    %s", line);
	}
	fclose(maps);
}

void call_print_caller(const char *package, ULONG id)
{
	printf("caller     process %d, user %u\n", getpid(), geteuid());
	printf("package    %s (id %u)\n", package, id);
}

void call_print_buffer(const void *buffer, ULONG length)
{
	if (!buffer) {
		printf("buffer     none\n");
		return;
	}
	printf("buffer     %p, %u bytes\n", buffer, length);
	call_print_mapping(buffer);
}

bool call_free_buffer(PVOID buffer, bool show)
{
	NTSTATUS status = LsaFreeReturnBuffer(buffer);

	if (show && buffer)
		printf("freed      %s (status 0x%08x)\n",
		       lsabuf_explain(status), (unsigned int)status);
	return call_check("cannot free the reply", status);
}

static void print_bytes(const unsigned char *bytes, ULONG length)
{
	ULONG i, j;

	for (i = 0; i < length; i += 16) {
		printf("%08x  ", i);
		for (j = i; j < i + 16; j++) {
			if (j < length)
				printf("%02x ", bytes[j]);
			else
				printf("   ");
		}
		putchar(' ');
		for (j = i; j < i + 16 && j < length; j++)
			putchar(isprint(bytes[j]) ? bytes[j] : '.');
		putchar('\n');
	}
}

/* The bytes that hexadecimal text stands for, or NULL; the caller frees them */
unsigned char *call_parse_hex(const char *text, ULONG *length)
{
	size_t digits = strlen(text), i;
	unsigned char *bytes;
	unsigned int byte;

	if (digits % 2 || digits / 2 > MAXULONG ||
	    strspn(text, "0123456789abcdefABCDEF") != digits)
		return NULL;
	bytes = malloc(digits / 2 + 1);
	if (!bytes)
		abort();
	for (i = 0; i < digits / 2; i++) {
		sscanf(text + 2 * i, "%2x", &byte);
		bytes[i] = byte;
	}
	*length = digits / 2;
	return bytes;
}

/* Connect and find a package; the caller ends with LsaDeregisterLogonProcess */
bool call_open(const char *package, HANDLE *lsa, ULONG *id)
{
	NTSTATUS status;
	STRING name;

	status = LsaConnectUntrusted(lsa);
	if (status == STATUS_ACCESS_DENIED)
		return call_check("this user may not open the device", status);
	if (!call_check("cannot connect", status))
		return false;
	RtlInitString(&name, package);
	status = LsaLookupAuthenticationPackage(*lsa, &name, id);
	if (call_check(package, status))
		return true;
	LsaDeregisterLogonProcess(*lsa);
	return false;
}

static void show_reply(const char *package, ULONG id, NTSTATUS status,
		       PVOID buffer, ULONG length)
{
	call_print_caller(package, id);
	printf("status     0x%08x, %s\n", (unsigned int)status,
	       lsabuf_explain(status));
	call_print_buffer(buffer, length);
	if (buffer)
		print_bytes(buffer, length);
}

/*
 * Call a package and show the reply; with @raw its bytes alone, as they are,
 * and the status only where it is a failure.
 */
bool call_any_package(HANDLE lsa, ULONG id, const char *package, void *submit,
		      ULONG submit_length, bool raw)
{
	NTSTATUS status, protocol_status;
	PVOID buffer;
	ULONG length;

	status = LsaCallAuthenticationPackage(lsa, id, submit, submit_length,
					      &buffer, &length,
					      &protocol_status);
	if (!call_check("call", status))
		return false;
	if (!raw)
		show_reply(package, id, protocol_status, buffer, length);
	else if (buffer)
		fwrite(buffer, 1, length, stdout);
	if (raw)
		call_check(package, protocol_status);
	return call_free_buffer(buffer, !raw) && NT_SUCCESS(protocol_status);
}
