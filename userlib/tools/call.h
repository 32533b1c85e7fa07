/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lsacall and lsabufctl share: call a package, show what came back. */
#ifndef CALL_H
#define CALL_H

#include <stdbool.h>

#include <windows.h>
#include <ntstatus.h>
#include <ntsecapi.h>

bool call_check(const char *what, NTSTATUS status);
void call_print_caller(const char *package, ULONG id);
void call_print_mapping(const void *address);
void call_print_buffer(const void *buffer, ULONG length);
bool call_free_buffer(PVOID buffer, bool show);
unsigned char *call_parse_hex(const char *text, ULONG *length);
bool call_open(const char *package, HANDLE *lsa, ULONG *id);
bool call_any_package(HANDLE lsa, ULONG id, const char *package, void *submit,
		      ULONG submit_length, bool raw);

#endif /* CALL_H */
