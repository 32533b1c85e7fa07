/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Functions on counted strings (Rtl*) and on 16-bit text that ends with a NUL
 * (wcs16*, which are what the wcs* functions of the C library would be if its
 * wchar_t had 16 bits). The functions are described where they are defined,
 * in ntstring.c; in short:
 *
 * - A NULL string counts as an empty one, and so does a string with a NULL
 *   buffer. A trailing odd byte of a UNICODE_STRING is not part of it.
 * - "ANSI" text is UTF-8 here.
 * - What cannot be converted becomes U+FFFD, never an error that loses text.
 * - Comparisons go by the value of the units. "Ignore case" maps the small
 *   letters of ASCII, Latin-1, Greek and Cyrillic, in every locale; of ASCII
 *   alone in 8-bit strings.
 */
#ifndef _LSABUF_WINTERNL_H
#define _LSABUF_WINTERNL_H

#include "ntdef.h"

EXTERN_C_START

/* Counted strings made of text that ends with a NUL; nothing is copied */
VOID NTAPI RtlInitUnicodeString(PUNICODE_STRING to, PCWSTR from);
NTSTATUS NTAPI RtlInitUnicodeStringEx(PUNICODE_STRING to, PCWSTR from);
VOID NTAPI RtlInitString(PSTRING to, PCSZ from);
VOID NTAPI RtlInitAnsiString(PANSI_STRING to, PCSZ from);

/* Comparing */
WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR unit);
LONG NTAPI RtlCompareUnicodeString(PCUNICODE_STRING a, PCUNICODE_STRING b,
				   BOOLEAN ignore_case);
BOOLEAN NTAPI RtlEqualUnicodeString(PCUNICODE_STRING a, PCUNICODE_STRING b,
				    BOOLEAN ignore_case);
BOOLEAN NTAPI RtlPrefixUnicodeString(PCUNICODE_STRING prefix,
				     PCUNICODE_STRING string,
				     BOOLEAN ignore_case);
LONG NTAPI RtlCompareString(const STRING *a, const STRING *b,
			    BOOLEAN ignore_case);
BOOLEAN NTAPI RtlEqualString(const STRING *a, const STRING *b,
			     BOOLEAN ignore_case);
SIZE_T NTAPI RtlCompareMemory(const VOID *a, const VOID *b, SIZE_T length);

/* Copying into the buffer that the target already has */
VOID NTAPI RtlCopyUnicodeString(PUNICODE_STRING to, PCUNICODE_STRING from);
VOID NTAPI RtlCopyString(PSTRING to, const STRING *from);
NTSTATUS NTAPI RtlAppendUnicodeStringToString(PUNICODE_STRING to,
					      PCUNICODE_STRING from);
NTSTATUS NTAPI RtlAppendUnicodeToString(PUNICODE_STRING to, PCWSTR from);
NTSTATUS NTAPI RtlUpcaseUnicodeString(PUNICODE_STRING to, PCUNICODE_STRING from,
				      BOOLEAN allocate);

/* Copying into a buffer that the function allocates */
BOOLEAN NTAPI RtlCreateUnicodeString(PUNICODE_STRING to, PCWSTR from);
BOOLEAN NTAPI RtlCreateUnicodeStringFromAsciiz(PUNICODE_STRING to, PCSZ from);
VOID NTAPI RtlFreeUnicodeString(PUNICODE_STRING string);
VOID NTAPI RtlFreeAnsiString(PANSI_STRING string);

/* Converting between 16-bit text (UTF-16) and 8-bit text (UTF-8) */
NTSTATUS NTAPI RtlUnicodeToUTF8N(PCHAR to, ULONG size, PULONG used, PCWCH from,
				 ULONG length);
NTSTATUS NTAPI RtlUTF8ToUnicodeN(PWSTR to, ULONG size, PULONG used, PCCH from,
				 ULONG length);
NTSTATUS NTAPI RtlAnsiStringToUnicodeString(PUNICODE_STRING to,
					    const STRING *from,
					    BOOLEAN allocate);
NTSTATUS NTAPI RtlUnicodeStringToAnsiString(PANSI_STRING to,
					    PCUNICODE_STRING from,
					    BOOLEAN allocate);

/* Text that ends with a NUL; sizes and lengths are 16-bit units */
size_t wcs16len(const WCHAR *text);
size_t wcs16nlen(const WCHAR *text, size_t max);
int wcs16cmp(const WCHAR *a, const WCHAR *b);
int wcs16ncmp(const WCHAR *a, const WCHAR *b, size_t max);
int wcs16casecmp(const WCHAR *a, const WCHAR *b);
WCHAR *wcs16chr(const WCHAR *text, WCHAR unit);
WCHAR *wcs16rchr(const WCHAR *text, WCHAR unit);
size_t wcs16lcpy(WCHAR *to, const WCHAR *from, size_t size);

EXTERN_C_END

#endif /* _LSABUF_WINTERNL_H */
