// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Functions on counted strings (Rtl*), and on 16-bit text that ends with a NUL.
 *
 * Nothing here depends on the locale, and nothing but the functions that say so
 * allocates memory; all may be used from any thread. Pointers to strings that
 * are written must not be NULL. A string that is read may be NULL, or have a
 * NULL buffer: both count as empty. A UNICODE_STRING consists of the whole
 * 16-bit units within Length; an odd byte behind them is ignored. Lengths are
 * bytes for counted strings, 16-bit units for text that ends with a NUL.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>
#include <ntstatus.h>

#include "internal.h"

/* Bytes of the longest text whose length and that of its NUL fit in a USHORT */
#define UNICODE_MAX 0xFFFC
#define ANSI_MAX 0xFFFE

#define REPLACEMENT 0xFFFD

static size_t units(PCUNICODE_STRING string)
{
	return string && string->Buffer ? string->Length / sizeof(WCHAR) : 0;
}

static size_t bytes(const STRING *string)
{
	return string && string->Buffer ? string->Length : 0;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int order(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

/* A NUL behind the text, if the buffer has room for it */
static void terminate(PUNICODE_STRING string)
{
	if (string->Length + sizeof(WCHAR) <= string->MaximumLength)
		string->Buffer[string->Length / sizeof(WCHAR)] = 0;
}

/* Room for @length bytes, which are even, and a NUL that is put there */
static bool allocate_unicode(PUNICODE_STRING string, size_t length)
{
	PWSTR buffer;

	buffer = malloc(length + sizeof(WCHAR));
	if (!buffer)
		return false;
	buffer[length / sizeof(WCHAR)] = 0;
	string->Buffer = buffer;
	string->Length = (USHORT)length;
	string->MaximumLength = (USHORT)(length + sizeof(WCHAR));
	return true;
}

/*
 * Text that ends with a NUL
 */

/**
 * wcs16nlen() - length of 16-bit text
 * @text: the text; NULL counts as empty
 * @max: units to look at
 *
 * Return: units before the NUL, or @max if there is none among them.
 */
LSABUF_EXPORT size_t wcs16nlen(const WCHAR *text, size_t max)
{
	size_t length = 0;

	if (!text)
		return 0;
	while (length < max && text[length])
		length++;
	return length;
}

/**
 * wcs16len() - length of 16-bit text
 * @text: the text; NULL counts as empty
 *
 * Return: units before the NUL.
 */
LSABUF_EXPORT size_t wcs16len(const WCHAR *text)
{
	return wcs16nlen(text, SIZE_MAX);
}

/**
 * wcs16ncmp() - compare the beginnings of two texts
 * @a: a text
 * @b: the other
 * @max: units to look at
 *
 * Return: less than, equal to or greater than 0, as @a is to @b.
 */
LSABUF_EXPORT int wcs16ncmp(const WCHAR *a, const WCHAR *b, size_t max)
{
	size_t i;

	for (i = 0; i < max; i++) {
		if (a[i] != b[i])
			return order(a[i], b[i]);
		if (!a[i])
			break;
	}
	return 0;
}

/**
 * wcs16cmp() - compare two texts
 * @a: a text
 * @b: the other
 *
 * Return: less than, equal to or greater than 0, as @a is to @b.
 */
LSABUF_EXPORT int wcs16cmp(const WCHAR *a, const WCHAR *b)
{
	return wcs16ncmp(a, b, SIZE_MAX);
}

/**
 * wcs16casecmp() - compare two texts, ignoring case
 * @a: a text
 * @b: the other
 *
 * Case is that of RtlUpcaseUnicodeChar().
 *
 * Return: less than, equal to or greater than 0, as @a is to @b.
 */
LSABUF_EXPORT int wcs16casecmp(const WCHAR *a, const WCHAR *b)
{
	WCHAR upper_a, upper_b;

	do {
		upper_a = RtlUpcaseUnicodeChar(*a++);
		upper_b = RtlUpcaseUnicodeChar(*b++);
	} while (upper_a && upper_a == upper_b);
	return order(upper_a, upper_b);
}

/**
 * wcs16chr() - find the first occurrence of a unit
 * @text: where to look
 * @unit: what to look for; 0 finds the end
 *
 * Return: its address, or NULL.
 */
LSABUF_EXPORT WCHAR *wcs16chr(const WCHAR *text, WCHAR unit)
{
	while (*text && *text != unit)
		text++;
	return *text == unit ? (WCHAR *)text : NULL;
}

/**
 * wcs16rchr() - find the last occurrence of a unit
 * @text: where to look
 * @unit: what to look for; 0 finds the end
 *
 * Return: its address, or NULL.
 */
LSABUF_EXPORT WCHAR *wcs16rchr(const WCHAR *text, WCHAR unit)
{
	size_t i = wcs16len(text) + 1;

	while (i--) {
		if (text[i] == unit)
			return (WCHAR *)&text[i];
	}
	return NULL;
}

/**
 * wcs16lcpy() - copy text into a buffer of limited size
 * @to: the buffer; always ends with a NUL afterwards, unless @size is 0
 * @from: the text; NULL counts as empty
 * @size: units that the buffer has room for, the NUL included
 *
 * Return: the length of @from; text was lost if that is not below @size.
 */
LSABUF_EXPORT size_t wcs16lcpy(WCHAR *to, const WCHAR *from, size_t size)
{
	size_t length = wcs16len(from);
	size_t copied;

	if (size) {
		copied = smaller(length, size - 1);
		if (copied)
			memcpy(to, from, copied * sizeof(WCHAR));
		to[copied] = 0;
	}
	return length;
}

/**
 * lstrlenW() - length of 16-bit text, as Win32 has it
 * @text: the text; NULL counts as empty
 *
 * Return: units before the NUL.
 */
LSABUF_EXPORT int WINAPI lstrlenW(LPCWSTR text)
{
	return (int)wcs16nlen(text, INT_MAX);
}

/**
 * lstrcpynW() - copy text into a buffer of limited size, as Win32 has it
 * @to: the buffer
 * @from: the text
 * @size: units that the buffer has room for, the NUL included
 *
 * Return: @to, or NULL if @to or @from is NULL.
 */
LSABUF_EXPORT LPWSTR WINAPI lstrcpynW(LPWSTR to, LPCWSTR from, int size)
{
	size_t copied;

	if (!to || !from)
		return NULL;
	if (size > 0) {
		/* Looks at no more of the text than there is room for */
		copied = wcs16nlen(from, (size_t)size - 1);
		memcpy(to, from, copied * sizeof(WCHAR));
		to[copied] = 0;
	}
	return to;
}

/*
 * Counted strings made of text that ends with a NUL
 */

/**
 * RtlInitUnicodeString() - describe text by a counted string
 * @to: the string; its buffer is the text itself afterwards, nothing is copied
 * @from: the text; NULL gives an empty string without a buffer
 *
 * Of text longer than 32766 units only these are described.
 */
LSABUF_EXPORT void NTAPI RtlInitUnicodeString(PUNICODE_STRING to, PCWSTR from)
{
	size_t length;

	memset(to, 0, sizeof(*to));
	if (!from)
		return;
	length = wcs16nlen(from, UNICODE_MAX / sizeof(WCHAR)) * sizeof(WCHAR);
	to->Buffer = (PWSTR)from;
	to->Length = (USHORT)length;
	to->MaximumLength = (USHORT)(length + sizeof(WCHAR));
}

/**
 * RtlInitUnicodeStringEx() - describe text by a counted string, or refuse
 * @to: as with RtlInitUnicodeString(); unchanged if that fails
 * @from: as with RtlInitUnicodeString()
 *
 * Return: STATUS_SUCCESS; STATUS_NAME_TOO_LONG for more than 32766 units.
 */
LSABUF_EXPORT NTSTATUS NTAPI RtlInitUnicodeStringEx(PUNICODE_STRING to,
						    PCWSTR from)
{
	size_t max = UNICODE_MAX / sizeof(WCHAR);

	if (wcs16nlen(from, max + 1) > max)
		return STATUS_NAME_TOO_LONG;
	RtlInitUnicodeString(to, from);
	return STATUS_SUCCESS;
}

/**
 * RtlInitString() - describe 8-bit text by a counted string
 * @to: the string; its buffer is the text itself afterwards, nothing is copied
 * @from: the text; NULL gives an empty string without a buffer
 *
 * Of text longer than 65534 bytes only these are described.
 */
LSABUF_EXPORT void NTAPI RtlInitString(PSTRING to, PCSZ from)
{
	memset(to, 0, sizeof(*to));
	if (!from)
		return;
	to->Buffer = (PCHAR)from;
	to->Length = (USHORT)strnlen(from, ANSI_MAX);
	to->MaximumLength = (USHORT)(to->Length + 1);
}

/**
 * RtlInitAnsiString() - describe 8-bit text by a counted string
 * @to: as with RtlInitString()
 * @from: as with RtlInitString()
 */
LSABUF_EXPORT void NTAPI RtlInitAnsiString(PANSI_STRING to, PCSZ from)
{
	RtlInitString(to, from);
}

/*
 * Comparing
 */

/**
 * RtlUpcaseUnicodeChar() - the capital letter of a small one
 * @unit: a 16-bit unit
 *
 * Knows ASCII, Latin-1, Greek and Cyrillic (U+0430 to U+045F) letters.
 *
 * Return: the capital letter; @unit itself if there is none, or it is unknown.
 */
LSABUF_EXPORT WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR unit)
{
	if (unit >= 'a' && unit <= 'z')
		return unit - 0x20;
	if (unit < 0xE0)
		return unit;
	if (unit <= 0xFE)
		return unit == 0xF7 ? unit : unit - 0x20;
	if (unit == 0xFF)
		return 0x178;
	/* U+03C2, the small sigma at the end of words, has no capital */
	if (unit >= 0x3B1 && unit <= 0x3CB)
		return unit == 0x3C2 ? unit : unit - 0x20;
	if (unit >= 0x430 && unit <= 0x44F)
		return unit - 0x20;
	if (unit >= 0x450 && unit <= 0x45F)
		return unit - 0x50;
	return unit;
}

static WCHAR folded(WCHAR unit, BOOLEAN ignore_case)
{
	return ignore_case ? RtlUpcaseUnicodeChar(unit) : unit;
}

/* Bytes of UTF-8 can be folded one by one only where they are ASCII */
static unsigned char folded_byte(CHAR byte, BOOLEAN ignore_case)
{
	if (ignore_case && byte >= 'a' && byte <= 'z')
		byte -= 0x20;
	return (unsigned char)byte;
}

static int compare_units(PCUNICODE_STRING a, PCUNICODE_STRING b, size_t count,
			 BOOLEAN ignore_case)
{
	WCHAR unit_a, unit_b;
	size_t i;

	for (i = 0; i < count; i++) {
		unit_a = folded(a->Buffer[i], ignore_case);
		unit_b = folded(b->Buffer[i], ignore_case);
		if (unit_a != unit_b)
			return order(unit_a, unit_b);
	}
	return 0;
}

/**
 * RtlCompareUnicodeString() - compare two strings
 * @a: a string
 * @b: the other
 * @ignore_case: take letters as equal that differ in case only
 *
 * 16-bit units count, so that U+E000 comes after U+10000.
 *
 * Return: less than, equal to or greater than 0, as @a is to @b.
 */
LSABUF_EXPORT LONG NTAPI RtlCompareUnicodeString(PCUNICODE_STRING a,
						 PCUNICODE_STRING b,
						 BOOLEAN ignore_case)
{
	size_t units_a = units(a), units_b = units(b);
	int ret;

	ret = compare_units(a, b, smaller(units_a, units_b), ignore_case);
	return ret ? ret : order(units_a, units_b);
}

/**
 * RtlEqualUnicodeString() - are two strings the same?
 * @a: a string
 * @b: the other
 * @ignore_case: take letters as equal that differ in case only
 *
 * Return: TRUE or FALSE.
 */
LSABUF_EXPORT BOOLEAN NTAPI RtlEqualUnicodeString(PCUNICODE_STRING a,
						  PCUNICODE_STRING b,
						  BOOLEAN ignore_case)
{
	size_t count = units(a);

	return count == units(b) && !compare_units(a, b, count, ignore_case);
}

/**
 * RtlPrefixUnicodeString() - does a string begin with another?
 * @prefix: the beginning; an empty one is the beginning of any string
 * @string: the string
 * @ignore_case: take letters as equal that differ in case only
 *
 * Return: TRUE or FALSE.
 */
LSABUF_EXPORT BOOLEAN NTAPI RtlPrefixUnicodeString(PCUNICODE_STRING prefix,
						   PCUNICODE_STRING string,
						   BOOLEAN ignore_case)
{
	size_t count = units(prefix);

	return count <= units(string) &&
	       !compare_units(prefix, string, count, ignore_case);
}

/**
 * RtlCompareString() - compare two 8-bit strings
 * @a: a string
 * @b: the other
 * @ignore_case: take ASCII letters as equal that differ in case only
 *
 * Return: less than, equal to or greater than 0, as @a is to @b.
 */
LSABUF_EXPORT LONG NTAPI RtlCompareString(const STRING *a, const STRING *b,
					  BOOLEAN ignore_case)
{
	size_t bytes_a = bytes(a), bytes_b = bytes(b);
	size_t i, count = smaller(bytes_a, bytes_b);
	unsigned char byte_a, byte_b;

	for (i = 0; i < count; i++) {
		byte_a = folded_byte(a->Buffer[i], ignore_case);
		byte_b = folded_byte(b->Buffer[i], ignore_case);
		if (byte_a != byte_b)
			return order(byte_a, byte_b);
	}
	return order(bytes_a, bytes_b);
}

/**
 * RtlEqualString() - are two 8-bit strings the same?
 * @a: a string
 * @b: the other
 * @ignore_case: take ASCII letters as equal that differ in case only
 *
 * Return: TRUE or FALSE.
 */
LSABUF_EXPORT BOOLEAN NTAPI RtlEqualString(const STRING *a, const STRING *b,
					   BOOLEAN ignore_case)
{
	return bytes(a) == bytes(b) && !RtlCompareString(a, b, ignore_case);
}

/**
 * RtlCompareMemory() - how far is some memory the same?
 * @a: start of one range
 * @b: start of the other
 * @length: bytes in each
 *
 * Return: bytes before the first difference, @length if there is none.
 */
LSABUF_EXPORT SIZE_T NTAPI RtlCompareMemory(const void *a, const void *b,
					    SIZE_T length)
{
	const unsigned char *bytes_a = a, *bytes_b = b;
	SIZE_T same = 0;

	while (same < length && bytes_a[same] == bytes_b[same])
		same++;
	return same;
}

/*
 * Copying into the buffer that the target already has
 */

/**
 * RtlCopyUnicodeString() - copy a string, or as much of it as there is room for
 * @to: target, whose Buffer and MaximumLength say what room there is; ends with
 *	a NUL afterwards if there is room for that, too
 * @from: source; may overlap the target
 *
 * Text is cut between 16-bit units, possibly in a surrogate pair. To see
 * whether it was cut, compare the lengths.
 */
LSABUF_EXPORT void NTAPI RtlCopyUnicodeString(PUNICODE_STRING to,
					      PCUNICODE_STRING from)
{
	size_t count;

	if (!to->Buffer) {
		to->Length = 0;
		return;
	}
	count = smaller(units(from), to->MaximumLength / sizeof(WCHAR));
	if (count)
		memmove(to->Buffer, from->Buffer, count * sizeof(WCHAR));
	to->Length = (USHORT)(count * sizeof(WCHAR));
	terminate(to);
}

/**
 * RtlCopyString() - copy an 8-bit string, or as much as there is room for
 * @to: target, whose Buffer and MaximumLength say what room there is
 * @from: source; may overlap the target
 *
 * No NUL is appended. Text is cut between bytes, possibly within a character.
 */
LSABUF_EXPORT void NTAPI RtlCopyString(PSTRING to, const STRING *from)
{
	size_t count = smaller(bytes(from), to->Buffer ? to->MaximumLength : 0);

	if (count)
		memmove(to->Buffer, from->Buffer, count);
	to->Length = (USHORT)count;
}

/**
 * RtlAppendUnicodeStringToString() - append a string to another
 * @to: target, whose Buffer and MaximumLength say what room there is; ends with
 *	a NUL afterwards if there is room for that, too
 * @from: source; may be the target itself
 *
 * Return: STATUS_SUCCESS; STATUS_BUFFER_TOO_SMALL, and @to is unchanged.
 */
LSABUF_EXPORT NTSTATUS NTAPI
RtlAppendUnicodeStringToString(PUNICODE_STRING to, PCUNICODE_STRING from)
{
	size_t have = units(to), more = units(from);

	if (!more)
		return STATUS_SUCCESS;
	if (!to->Buffer || (have + more) * sizeof(WCHAR) > to->MaximumLength)
		return STATUS_BUFFER_TOO_SMALL;
	memmove(&to->Buffer[have], from->Buffer, more * sizeof(WCHAR));
	to->Length = (USHORT)((have + more) * sizeof(WCHAR));
	terminate(to);
	return STATUS_SUCCESS;
}

/**
 * RtlAppendUnicodeToString() - append text to a string
 * @to: as with RtlAppendUnicodeStringToString()
 * @from: the text, up to its NUL; NULL counts as empty
 *
 * Return: STATUS_SUCCESS; STATUS_BUFFER_TOO_SMALL, and @to is unchanged.
 */
LSABUF_EXPORT NTSTATUS NTAPI RtlAppendUnicodeToString(PUNICODE_STRING to,
						      PCWSTR from)
{
	UNICODE_STRING text;

	if (RtlInitUnicodeStringEx(&text, from))
		return STATUS_BUFFER_TOO_SMALL;
	return RtlAppendUnicodeStringToString(to, &text);
}

/**
 * RtlUpcaseUnicodeString() - copy a string in capital letters
 * @to: target
 * @from: source; may be the target itself
 * @allocate: allocate a buffer for the target, which the caller gives back with
 *	RtlFreeUnicodeString(); else the target has one
 *
 * Return: STATUS_SUCCESS; STATUS_BUFFER_OVERFLOW if the target is too small,
 * STATUS_NO_MEMORY, STATUS_INVALID_PARAMETER_2 for more than 32766 units with
 * @allocate. @to is unchanged after an error.
 */
LSABUF_EXPORT NTSTATUS NTAPI RtlUpcaseUnicodeString(PUNICODE_STRING to,
						    PCUNICODE_STRING from,
						    BOOLEAN allocate)
{
	size_t i, count = units(from), length = count * sizeof(WCHAR);
	PCWSTR source = count ? from->Buffer : NULL;

	if (allocate) {
		if (length > UNICODE_MAX)
			return STATUS_INVALID_PARAMETER_2;
		if (!allocate_unicode(to, length))
			return STATUS_NO_MEMORY;
	} else if (length > (to->Buffer ? to->MaximumLength : 0)) {
		return STATUS_BUFFER_OVERFLOW;
	}
	for (i = 0; i < count; i++)
		to->Buffer[i] = RtlUpcaseUnicodeChar(source[i]);
	to->Length = (USHORT)length;
	return STATUS_SUCCESS;
}

/*
 * Copying into a buffer that the function allocates
 */

/**
 * RtlCreateUnicodeString() - copy text into a new string
 * @to: target; the caller gives its buffer back with RtlFreeUnicodeString()
 * @from: the text, up to its NUL
 *
 * Return: TRUE; FALSE if memory is short, or @from is NULL or longer than 32766
 * units, and @to is unchanged.
 */
LSABUF_EXPORT BOOLEAN NTAPI RtlCreateUnicodeString(PUNICODE_STRING to,
						   PCWSTR from)
{
	UNICODE_STRING text;

	if (!from || RtlInitUnicodeStringEx(&text, from))
		return FALSE;
	if (!allocate_unicode(to, text.Length))
		return FALSE;
	memcpy(to->Buffer, text.Buffer, text.Length);
	return TRUE;
}

/**
 * RtlCreateUnicodeStringFromAsciiz() - convert UTF-8 text into a new string
 * @to: target; the caller gives its buffer back with RtlFreeUnicodeString()
 * @from: the text, up to its NUL
 *
 * Return: TRUE; FALSE if memory is short, or @from is NULL or longer than 65534
 * bytes or than 32766 units, and @to is unchanged.
 */
LSABUF_EXPORT BOOLEAN NTAPI RtlCreateUnicodeStringFromAsciiz(PUNICODE_STRING to,
							     PCSZ from)
{
	STRING text;

	RtlInitString(&text, from);
	if (!from || from[text.Length])
		return FALSE;
	return NT_SUCCESS(RtlAnsiStringToUnicodeString(to, &text, TRUE));
}

/**
 * RtlFreeUnicodeString() - free a string that a function here has allocated
 * @string: all zeros afterwards; freeing it again, or a string without a
 *	buffer, does nothing
 */
LSABUF_EXPORT void NTAPI RtlFreeUnicodeString(PUNICODE_STRING string)
{
	free(string->Buffer);
	memset(string, 0, sizeof(*string));
}

/**
 * RtlFreeAnsiString() - free a string that a function here has allocated
 * @string: as with RtlFreeUnicodeString()
 */
LSABUF_EXPORT void NTAPI RtlFreeAnsiString(PANSI_STRING string)
{
	free(string->Buffer);
	memset(string, 0, sizeof(*string));
}

/*
 * Converting. Each reader takes one character off the front of a text, and each
 * writer puts one at the end; a character that cannot be read is REPLACEMENT.
 */

struct reader {
	const unsigned char *next;
	const unsigned char *end;
	bool replaced;
};

static ULONG replace(struct reader *reader)
{
	reader->replaced = true;
	return REPLACEMENT;
}

/* UTF-16 may begin at an odd address: it is read byte by byte */
static WCHAR unit_at(const unsigned char *address)
{
	WCHAR unit;

	memcpy(&unit, address, sizeof(unit));
	return unit;
}

static ULONG read_utf16(struct reader *reader)
{
	WCHAR low, unit = unit_at(reader->next);

	reader->next += sizeof(WCHAR);
	if (unit < 0xD800 || unit > 0xDFFF)
		return unit;
	if (unit > 0xDBFF || reader->next == reader->end)
		return replace(reader);
	low = unit_at(reader->next);
	if (low < 0xDC00 || low > 0xDFFF)
		return replace(reader);
	reader->next += sizeof(WCHAR);
	return 0x10000 + ((unit - 0xD800U) << 10) + (low - 0xDC00U);
}

/* Is this second byte one that only longer or no characters would need? */
static bool misplaced(unsigned char lead, unsigned char second)
{
	switch (lead) {
	case 0xE0:
		return second < 0xA0;
	case 0xED:
		return second > 0x9F;
	case 0xF0:
		return second < 0x90;
	case 0xF4:
		return second > 0x8F;
	}
	return false;
}

static ULONG read_utf8(struct reader *reader)
{
	unsigned char byte, lead = *reader->next++;
	unsigned int i, trail;
	ULONG character;

	if (lead < 0x80)
		return lead;
	if (lead < 0xC2 || lead > 0xF4)
		return replace(reader);
	trail = 1 + (lead >= 0xE0) + (lead >= 0xF0);
	character = lead & (0x3FU >> trail);
	for (i = 0; i < trail; i++) {
		if (reader->next == reader->end)
			return replace(reader);
		byte = *reader->next;
		if ((byte & 0xC0) != 0x80)
			return replace(reader);
		reader->next++;
		if (!i && misplaced(lead, byte))
			return replace(reader);
		character = character << 6 | (byte & 0x3F);
	}
	return character;
}

/* Returns the bytes of the character; up to four are put into @to */
static size_t encode_utf8(unsigned char *to, ULONG character)
{
	size_t i, length;

	if (character < 0x80) {
		to[0] = (unsigned char)character;
		return 1;
	}
	length = 2 + (character >= 0x800) + (character >= 0x10000);
	for (i = length - 1; i; i--) {
		to[i] = 0x80 | (character & 0x3F);
		character >>= 6;
	}
	to[0] = (unsigned char)(0xF00U >> length) | (unsigned char)character;
	return length;
}

static size_t encode_utf16(unsigned char *to, ULONG character)
{
	WCHAR pair[2] = { (WCHAR)character, 0 };
	size_t length = sizeof(WCHAR);

	if (character >= 0x10000) {
		character -= 0x10000;
		pair[0] = (WCHAR)(0xD800 + (character >> 10));
		pair[1] = (WCHAR)(0xDC00 + (character & 0x3FF));
		length = sizeof(pair);
	}
	memcpy(to, pair, length);
	return length;
}

struct codec {
	ULONG (*read)(struct reader *reader);
	size_t (*encode)(unsigned char *to, ULONG character);
};

static const struct codec to_utf8 = { read_utf16, encode_utf8 };
static const struct codec to_utf16 = { read_utf8, encode_utf16 };

/* A NULL @to has room for everything: the length is counted only */
static NTSTATUS convert(const struct codec *codec, void *to, size_t size,
			size_t *used, const void *from, size_t length)
{
	struct reader reader = { from, (const unsigned char *)from + length,
				 false };
	unsigned char encoded[4];
	size_t count;

	*used = 0;
	while (reader.next < reader.end) {
		count = codec->encode(encoded, codec->read(&reader));
		if (to) {
			if (count > size - *used)
				return STATUS_BUFFER_TOO_SMALL;
			memcpy((unsigned char *)to + *used, encoded, count);
		}
		*used += count;
	}
	return reader.replaced ? STATUS_SOME_NOT_MAPPED : STATUS_SUCCESS;
}

static NTSTATUS convert_n(const struct codec *codec, void *to, ULONG size,
			  PULONG used, const void *from, size_t length)
{
	size_t count;
	NTSTATUS status;

	if (!used)
		return STATUS_INVALID_PARAMETER;
	status = convert(codec, to, size, &count, from, length);
	/* Only a length that was counted, not written, can be as large */
	if (count > MAXULONG)
		return STATUS_INTEGER_OVERFLOW;
	*used = (ULONG)count;
	return status;
}

/**
 * RtlUnicodeToUTF8N() - convert UTF-16 to UTF-8
 * @to: target; NULL to learn the length only
 * @size: bytes that the target has room for
 * @used: bytes written, or needed if @to is NULL; not set on a bad parameter
 * @from: the text; a NUL in it is converted like any other character
 * @length: its bytes
 *
 * A surrogate that is not one of a pair becomes U+FFFD. The target is cut
 * between characters.
 *
 * Return: STATUS_SUCCESS; STATUS_SOME_NOT_MAPPED, a success as well, if U+FFFD
 * was put for something; STATUS_BUFFER_TOO_SMALL if @to does not hold all of
 * it; STATUS_INVALID_PARAMETER_4 if @from is NULL, STATUS_INVALID_PARAMETER if
 * @used is NULL, STATUS_INVALID_PARAMETER_5 if @length is odd and @to is not
 * NULL; STATUS_INTEGER_OVERFLOW if the length does not fit in @used.
 */
LSABUF_EXPORT NTSTATUS NTAPI RtlUnicodeToUTF8N(PCHAR to, ULONG size,
					       PULONG used, PCWCH from,
					       ULONG length)
{
	if (!from)
		return STATUS_INVALID_PARAMETER_4;
	if (used && to && length % sizeof(WCHAR))
		return STATUS_INVALID_PARAMETER_5;
	length -= length % sizeof(WCHAR);
	return convert_n(&to_utf8, to, size, used, from, length);
}

/**
 * RtlUTF8ToUnicodeN() - convert UTF-8 to UTF-16
 * @to: target; NULL to learn the length only
 * @size: bytes that the target has room for
 * @used: bytes written, or needed if @to is NULL; not set on a bad parameter
 * @from: the text; a NUL in it is converted like any other character
 * @length: its bytes
 *
 * What is not valid becomes U+FFFD: a byte that cannot begin a character; all
 * bytes of one that is cut off; the first two of one that is too long for its
 * value, a surrogate or beyond U+10FFFF. Reading goes on with the byte after
 * these. The target is cut between characters.
 *
 * Return: as RtlUnicodeToUTF8N() does, but that @length may be odd.
 */
LSABUF_EXPORT NTSTATUS NTAPI RtlUTF8ToUnicodeN(PWSTR to, ULONG size,
					       PULONG used, PCCH from,
					       ULONG length)
{
	if (!from)
		return STATUS_INVALID_PARAMETER_4;
	return convert_n(&to_utf16, to, size, used, from, length);
}

/**
 * RtlAnsiStringToUnicodeString() - convert a string from UTF-8
 * @to: target; ends with a NUL
 * @from: source
 * @allocate: allocate a buffer for the target, which the caller gives back with
 *	RtlFreeUnicodeString(); else the target has one
 *
 * What is not valid UTF-8 becomes U+FFFD, as with RtlUTF8ToUnicodeN().
 *
 * Return: STATUS_SUCCESS; STATUS_BUFFER_OVERFLOW if the target is too small for
 * the text and the NUL, STATUS_NO_MEMORY, STATUS_INVALID_PARAMETER_2 for more
 * than 32766 units. @to is unchanged after an error.
 */
LSABUF_EXPORT NTSTATUS NTAPI RtlAnsiStringToUnicodeString(PUNICODE_STRING to,
							  const STRING *from,
							  BOOLEAN allocate)
{
	size_t length = bytes(from), count;
	const char *source = length ? from->Buffer : "";

	convert(&to_utf16, NULL, 0, &count, source, length);
	if (count > UNICODE_MAX)
		return STATUS_INVALID_PARAMETER_2;
	if (allocate) {
		if (!allocate_unicode(to, count))
			return STATUS_NO_MEMORY;
	} else if (!to->Buffer || count + sizeof(WCHAR) > to->MaximumLength) {
		return STATUS_BUFFER_OVERFLOW;
	}
	convert(&to_utf16, to->Buffer, count, &count, source, length);
	to->Length = (USHORT)count;
	terminate(to);
	return STATUS_SUCCESS;
}

static NTSTATUS allocate_ansi(PANSI_STRING string, const void *from,
			      size_t length)
{
	size_t count;
	PCHAR buffer;

	convert(&to_utf8, NULL, 0, &count, from, length);
	if (count > ANSI_MAX)
		return STATUS_INVALID_PARAMETER_2;
	buffer = malloc(count + 1);
	if (!buffer)
		return STATUS_NO_MEMORY;
	string->Buffer = buffer;
	string->MaximumLength = (USHORT)(count + 1);
	return STATUS_SUCCESS;
}

/**
 * RtlUnicodeStringToAnsiString() - convert a string to UTF-8
 * @to: target; ends with a NUL
 * @from: source
 * @allocate: allocate a buffer for the target, which the caller gives back with
 *	RtlFreeAnsiString(); else the target has one
 *
 * A surrogate that is not one of a pair becomes U+FFFD.
 *
 * Return: STATUS_SUCCESS; STATUS_BUFFER_OVERFLOW if the target is too small: as
 * many characters as there is room for are in it then, unless it has not even
 * room for the NUL; STATUS_NO_MEMORY, STATUS_INVALID_PARAMETER_2 for more than
 * 65534 bytes with @allocate, and @to is unchanged.
 */
LSABUF_EXPORT NTSTATUS NTAPI RtlUnicodeStringToAnsiString(PANSI_STRING to,
							  PCUNICODE_STRING from,
							  BOOLEAN allocate)
{
	size_t length = units(from) * sizeof(WCHAR), count;
	const void *source = length ? from->Buffer : (const void *)"";
	NTSTATUS status;

	if (allocate) {
		status = allocate_ansi(to, source, length);
		if (status)
			return status;
	} else if (!to->Buffer || !to->MaximumLength) {
		return STATUS_BUFFER_OVERFLOW;
	}
	status = convert(&to_utf8, to->Buffer, to->MaximumLength - 1U, &count,
			 source, length);
	to->Length = (USHORT)count;
	to->Buffer[count] = 0;
	return status == STATUS_BUFFER_TOO_SMALL ? STATUS_BUFFER_OVERFLOW :
						   STATUS_SUCCESS;
}
