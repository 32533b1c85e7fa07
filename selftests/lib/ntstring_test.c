// SPDX-License-Identifier: GPL-2.0
/* The library's counted strings, 16-bit text and conversions. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>
#include <ntstatus.h>

#include "tap.h"

/* What functions must leave alone is filled with this */
#define UNTOUCHED 0x5A

#define S(text)                                                        \
	((UNICODE_STRING){ sizeof(text) - sizeof(WCHAR), sizeof(text), \
			   (PWSTR)(text) })
#define A(text) ((STRING){ sizeof(text) - 1, sizeof(text), (PCHAR)(text) })

static const UNICODE_STRING no_buffer = { 8, 8, NULL };

static UNICODE_STRING room(WCHAR *buffer, size_t units)
{
	memset(buffer, UNTOUCHED, units * sizeof(WCHAR));
	return (UNICODE_STRING){ 0, (USHORT)(units * sizeof(WCHAR)), buffer };
}

static bool is(const UNICODE_STRING *string, const WCHAR *text)
{
	size_t length = wcs16len(text) * sizeof(WCHAR);

	return string->Length == length &&
	       !memcmp(string->Buffer, text, length);
}

static void test_text_length(struct tap_group *t)
{
	static const WCHAR text[] = u"a\u00e4\U0001F600";

	check(t, wcs16len(u"") == 0);
	check(t, wcs16len(NULL) == 0);
	check(t, wcs16len(text) == 4);
	check(t, wcs16nlen(text, 2) == 2);
	check(t, wcs16nlen(text, 4) == 4);
	check(t, wcs16nlen(text, 99) == 4);
	check(t, wcs16nlen(text, 0) == 0);
	check(t, wcs16nlen(NULL, 5) == 0);
	check(t, lstrlenW(text) == 4);
	check(t, lstrlenW(NULL) == 0);
	check(t, sizeof(WCHAR) == 2 && sizeof(text) == 10);
	check(t, sizeof(TEXT("abc")) == 8);
}

static void test_text_compare(struct tap_group *t)
{
	check(t, wcs16cmp(u"abc", u"abc") == 0);
	check(t, wcs16cmp(u"abc", u"abd") < 0);
	check(t, wcs16cmp(u"abc", u"ab") > 0);
	check(t, wcs16cmp(u"", u"a") < 0);
	/* Units are unsigned */
	check(t, wcs16cmp(u"\uFF00", u"a") > 0);
	check(t, wcs16ncmp(u"abc", u"abd", 2) == 0);
	check(t, wcs16ncmp(u"abc", u"abd", 3) < 0);
	check(t, wcs16ncmp(u"a", u"b", 0) == 0);
	check(t, wcs16ncmp(u"a", u"a", 100) == 0);
	check(t, wcs16casecmp(u"Negotiate", u"nEGOTIATE") == 0);
	check(t, wcs16casecmp(u"a", u"B") < 0);
	check(t, wcs16casecmp(u"ab", u"A") > 0);
}

static void test_text_search_and_copy(struct tap_group *t)
{
	static const WCHAR text[] = u"a/b/c";
	WCHAR buffer[4];

	check(t, wcs16chr(text, '/') == text + 1);
	check(t, wcs16rchr(text, '/') == text + 3);
	check(t, !wcs16chr(text, 'x'));
	check(t, !wcs16rchr(text, 'x'));
	check(t, wcs16chr(text, 0) == text + 5);
	check(t, wcs16rchr(text, 0) == text + 5);

	memset(buffer, UNTOUCHED, sizeof(buffer));
	check(t, wcs16lcpy(buffer, text, 3) == 5);
	check(t, buffer[1] == '/' && buffer[2] == 0 && buffer[3] == 0x5A5A);
	check(t, wcs16lcpy(buffer, u"x", 4) == 1);
	check(t, wcs16cmp(buffer, u"x") == 0);
	check(t, wcs16lcpy(buffer, text, 0) == 5 && buffer[0] == 'x');
	check(t, wcs16lcpy(buffer, NULL, 4) == 0 && buffer[0] == 0);

	memset(buffer, UNTOUCHED, sizeof(buffer));
	check(t, lstrcpynW(buffer, text, 3) == buffer);
	check(t, buffer[1] == '/' && buffer[2] == 0 && buffer[3] == 0x5A5A);
	check(t, lstrcpynW(buffer, text, 1) == buffer && buffer[0] == 0);
	check(t, lstrcpynW(buffer, u"q", 0) == buffer && buffer[0] == 0);
	check(t, !lstrcpynW(buffer, NULL, 3));
	check(t, !lstrcpynW(NULL, text, 3));
}

static void test_init(struct tap_group *t)
{
	static WCHAR longer[40000];
	static char longer8[70000];
	UNICODE_STRING u, before;
	STRING a;

	RtlInitUnicodeString(&u, u"abc");
	check(t, u.Length == 6 && u.MaximumLength == 8 && u.Buffer[2] == 'c');
	RtlInitUnicodeString(&u, u"");
	check(t, u.Length == 0 && u.MaximumLength == 2 && u.Buffer);
	RtlInitUnicodeString(&u, NULL);
	check(t, u.Length == 0 && u.MaximumLength == 0 && !u.Buffer);

	memset(longer, 'x', sizeof(longer) - sizeof(WCHAR));
	RtlInitUnicodeString(&u, longer);
	check(t, u.Length == 0xFFFC && u.MaximumLength == 0xFFFE);
	before = u;
	check(t, RtlInitUnicodeStringEx(&u, longer) == STATUS_NAME_TOO_LONG);
	check(t, !memcmp(&u, &before, sizeof(u)));
	longer[32767] = 0;
	check(t, RtlInitUnicodeStringEx(&u, longer) == STATUS_NAME_TOO_LONG);
	longer[32766] = 0;
	check(t, RtlInitUnicodeStringEx(&u, longer) == STATUS_SUCCESS);
	check(t, u.Length == 0xFFFC && u.MaximumLength == 0xFFFE);
	check(t, RtlInitUnicodeStringEx(&u, NULL) == STATUS_SUCCESS);
	check(t, !u.Buffer && !u.MaximumLength);

	RtlInitString(&a, "abc");
	check(t, a.Length == 3 && a.MaximumLength == 4);
	RtlInitAnsiString(&a, NULL);
	check(t, a.Length == 0 && a.MaximumLength == 0 && !a.Buffer);
	memset(longer8, 'x', sizeof(longer8) - 1);
	RtlInitAnsiString(&a, longer8);
	check(t, a.Length == 0xFFFE && a.MaximumLength == 0xFFFF);
}

static void test_case(struct tap_group *t)
{
	check(t, RtlUpcaseUnicodeChar('a') == 'A');
	check(t, RtlUpcaseUnicodeChar('z') == 'Z');
	check(t, RtlUpcaseUnicodeChar('{') == '{');
	check(t, RtlUpcaseUnicodeChar('`') == '`');
	check(t, RtlUpcaseUnicodeChar(u'\u00e4') == u'\u00c4');
	check(t, RtlUpcaseUnicodeChar(u'\u00f7') == u'\u00f7');
	check(t, RtlUpcaseUnicodeChar(u'\u00df') == u'\u00df');
	check(t, RtlUpcaseUnicodeChar(u'\u00ff') == u'\u0178');
	check(t, RtlUpcaseUnicodeChar(u'\u03b1') == u'\u0391');
	check(t, RtlUpcaseUnicodeChar(u'\u03c2') == u'\u03c2');
	check(t, RtlUpcaseUnicodeChar(u'\u03c3') == u'\u03a3');
	check(t, RtlUpcaseUnicodeChar(u'\u0436') == u'\u0416');
	check(t, RtlUpcaseUnicodeChar(u'\u0451') == u'\u0401');
	check(t, RtlUpcaseUnicodeChar(0xD83D) == 0xD83D);
	check(t, RtlUpcaseUnicodeChar(0xFFFF) == 0xFFFF);
}

static void test_compare(struct tap_group *t)
{
	UNICODE_STRING abc = S(u"abc"), ABC = S(u"ABC"), ab = S(u"ab");
	UNICODE_STRING odd = abc, empty = S(u"");
	STRING a = A("abc"), b = A("ABC"), high = A("\xff");
	STRING longer = A("abcd");

	check(t, RtlCompareUnicodeString(&abc, &abc, FALSE) == 0);
	check(t, RtlCompareUnicodeString(&abc, &ABC, FALSE) > 0);
	check(t, RtlCompareUnicodeString(&abc, &ABC, TRUE) == 0);
	check(t, RtlCompareUnicodeString(&ab, &abc, TRUE) < 0);
	check(t, RtlCompareUnicodeString(NULL, &abc, TRUE) < 0);
	check(t, RtlCompareUnicodeString(&no_buffer, NULL, TRUE) == 0);
	check(t, RtlEqualUnicodeString(&abc, &ABC, TRUE) == TRUE);
	check(t, RtlEqualUnicodeString(&abc, &ABC, FALSE) == FALSE);
	check(t, RtlEqualUnicodeString(&abc, &ab, TRUE) == FALSE);
	check(t, RtlEqualUnicodeString(&ab, &abc, TRUE) == FALSE);
	check(t, RtlEqualUnicodeString(&no_buffer, &empty, TRUE) == TRUE);
	odd.Length = 5;
	check(t, RtlEqualUnicodeString(&odd, &ab, FALSE) == TRUE);

	check(t, RtlPrefixUnicodeString(&ab, &ABC, TRUE) == TRUE);
	check(t, RtlPrefixUnicodeString(&ab, &ABC, FALSE) == FALSE);
	check(t, RtlPrefixUnicodeString(&abc, &ab, TRUE) == FALSE);
	check(t, RtlPrefixUnicodeString(NULL, &ab, FALSE) == TRUE);
	check(t, RtlPrefixUnicodeString(&ab, NULL, FALSE) == FALSE);

	check(t, RtlCompareString(&a, &b, FALSE) > 0);
	check(t, RtlCompareString(&a, &b, TRUE) == 0);
	check(t, RtlCompareString(&high, &a, TRUE) > 0);
	check(t, RtlCompareString(&a, &longer, FALSE) < 0);
	check(t, RtlCompareString(&longer, &a, TRUE) > 0);
	check(t, RtlEqualString(&a, &b, TRUE) == TRUE);
	check(t, RtlEqualString(&a, NULL, TRUE) == FALSE);
	check(t, RtlCompareMemory("abcd", "abxd", 4) == 2);
	check(t, RtlCompareMemory("abcd", "abcd", 4) == 4);
	check(t, RtlCompareMemory(NULL, NULL, 0) == 0);
}

static void test_copy(struct tap_group *t)
{
	UNICODE_STRING abc = S(u"abc"), none = { 9, 9, NULL }, to;
	char buffer8[4] = "....";
	STRING a = A("abcdef"), to8 = { 0, 3, buffer8 };
	WCHAR buffer[5];

	to = room(buffer, 5);
	RtlCopyUnicodeString(&to, &abc);
	check(t, is(&to, u"abc") && buffer[3] == 0 && buffer[4] == 0x5A5A);
	/* Room for the text, not for the NUL */
	to = room(buffer, 5);
	to.MaximumLength = 6;
	RtlCopyUnicodeString(&to, &abc);
	check(t, is(&to, u"abc") && buffer[3] == 0x5A5A);
	/* Too small, by whole units and by an odd byte */
	to = room(buffer, 5);
	to.MaximumLength = 4;
	RtlCopyUnicodeString(&to, &abc);
	check(t, is(&to, u"ab") && buffer[2] == 0x5A5A);
	to = room(buffer, 5);
	to.MaximumLength = 5;
	RtlCopyUnicodeString(&to, &abc);
	check(t, is(&to, u"ab") && buffer[2] == 0x5A5A);
	to.MaximumLength = 1;
	RtlCopyUnicodeString(&to, &abc);
	check(t, to.Length == 0 && buffer[0] == 'a');

	to = room(buffer, 5);
	to.Length = 4;
	RtlCopyUnicodeString(&to, NULL);
	check(t, to.Length == 0);
	RtlCopyUnicodeString(&to, &no_buffer);
	check(t, to.Length == 0);
	RtlCopyUnicodeString(&none, &abc);
	check(t, none.Length == 0 && !none.Buffer);

	RtlCopyString(&to8, &a);
	check(t, to8.Length == 3 && !memcmp(buffer8, "abc.", 4));
	RtlCopyString(&to8, NULL);
	check(t, to8.Length == 0);
}

static void test_append(struct tap_group *t)
{
	UNICODE_STRING abc = S(u"abc"), none = { 0, 9, NULL }, to;
	static WCHAR longer[40000];
	WCHAR buffer[8];

	to = room(buffer, 8);
	check(t, !RtlAppendUnicodeToString(&to, u"xy"));
	check(t, is(&to, u"xy") && buffer[2] == 0);
	check(t, !RtlAppendUnicodeStringToString(&to, &abc));
	check(t, is(&to, u"xyabc") && buffer[5] == 0);
	check(t, RtlAppendUnicodeToString(&to, u"1234") ==
			 STATUS_BUFFER_TOO_SMALL);
	check(t, is(&to, u"xyabc") && buffer[5] == 0 && buffer[6] == 0x5A5A);
	/* Exactly full: no NUL */
	check(t, !RtlAppendUnicodeToString(&to, u"123"));
	check(t, is(&to, u"xyabc123"));
	check(t, !RtlAppendUnicodeToString(&to, NULL));
	check(t, !RtlAppendUnicodeStringToString(&to, &no_buffer));
	check(t, is(&to, u"xyabc123"));

	to = room(buffer, 8);
	check(t, !RtlAppendUnicodeToString(&to, u"ab"));
	check(t, !RtlAppendUnicodeStringToString(&to, &to));
	check(t, is(&to, u"abab"));

	check(t,
	      RtlAppendUnicodeToString(&none, u"x") == STATUS_BUFFER_TOO_SMALL);
	check(t, !RtlAppendUnicodeToString(&none, u""));
	memset(longer, 'x', sizeof(longer) - sizeof(WCHAR));
	check(t,
	      RtlAppendUnicodeToString(&to, longer) == STATUS_BUFFER_TOO_SMALL);
}

static void test_allocate(struct tap_group *t)
{
	UNICODE_STRING abc = S(u"ab\u00e4"), to = { 0 };
	static WCHAR longer[40000];
	WCHAR buffer[3];

	check(t, RtlCreateUnicodeString(&to, u"abc") == TRUE);
	check(t, is(&to, u"abc") && to.Buffer[3] == 0 && to.MaximumLength == 8);
	RtlFreeUnicodeString(&to);
	check(t, !to.Buffer && !to.Length && !to.MaximumLength);
	RtlFreeUnicodeString(&to);
	check(t, RtlCreateUnicodeString(&to, NULL) == FALSE && !to.Buffer);
	memset(longer, 'x', sizeof(longer) - sizeof(WCHAR));
	check(t, RtlCreateUnicodeString(&to, longer) == FALSE && !to.Buffer);
	check(t, RtlCreateUnicodeString(&to, u"") == TRUE && to.Buffer);
	RtlFreeUnicodeString(&to);

	check(t, RtlCreateUnicodeStringFromAsciiz(&to, "a\xc3\xa4") == TRUE);
	check(t, is(&to, u"a\u00e4"));
	RtlFreeUnicodeString(&to);
	check(t, RtlCreateUnicodeStringFromAsciiz(&to, NULL) == FALSE);

	check(t, !RtlUpcaseUnicodeString(&to, &abc, TRUE));
	check(t, is(&to, u"AB\u00c4"));
	RtlFreeUnicodeString(&to);
	to = room(buffer, 3);
	check(t, !RtlUpcaseUnicodeString(&to, &abc, FALSE));
	check(t, is(&to, u"AB\u00c4"));
	to.MaximumLength = 5;
	check(t, RtlUpcaseUnicodeString(&to, &abc, FALSE) ==
			 STATUS_BUFFER_OVERFLOW);
	check(t, !RtlUpcaseUnicodeString(&to, NULL, FALSE) && !to.Length);
	RtlCopyMemory(buffer, u"xyz", 6);
	to.Length = 6;
	to.MaximumLength = 6;
	check(t, !RtlUpcaseUnicodeString(&to, &to, FALSE) && is(&to, u"XYZ"));
}

/* Both directions must agree on these, as to their lengths as well */
static void test_round_trip(struct tap_group *t)
{
	static const struct {
		const char *utf8;
		const WCHAR *utf16;
	} texts[] = {
		{ "", u"" },
		{ "abc\x7f", u"abc\x7f" },
		{ "\xc2\x80\xdf\xbf", u"\x80\x7ff" },
		{ "\xe0\xa0\x80\xed\x9f\xbf", u"\x800\xd7ff" },
		{ "\xee\x80\x80\xef\xbf\xbf", u"\xe000\xffff" },
		{ "\xf0\x90\x80\x80", u"\xd800\xdc00" },
		{ "\xf4\x8f\xbf\xbf", u"\xdbff\xdfff" },
		{ "a\xf0\x9f\x98\x80z", u"a\xd83d\xde00z" },
	};
	char buffer8[32];
	WCHAR buffer[32];
	ULONG length8, length16, used;
	size_t i;

	for (i = 0; i < ARRAYSIZE(texts); i++) {
		length8 = (ULONG)strlen(texts[i].utf8);
		length16 = (ULONG)(wcs16len(texts[i].utf16) * sizeof(WCHAR));

		check(t, !RtlUTF8ToUnicodeN(NULL, 0, &used, texts[i].utf8,
					    length8));
		check(t, used == length16);
		check(t, !RtlUTF8ToUnicodeN(buffer, length16, &used,
					    texts[i].utf8, length8));
		check(t, used == length16);
		check(t, !memcmp(buffer, texts[i].utf16, length16));

		check(t, !RtlUnicodeToUTF8N(NULL, 0, &used, texts[i].utf16,
					    length16));
		check(t, used == length8);
		check(t, !RtlUnicodeToUTF8N(buffer8, length8, &used,
					    texts[i].utf16, length16));
		check(t,
		      used == length8 && !memcmp(buffer8, texts[i].utf8, used));
	}
}

static void test_every_character(struct tap_group *t)
{
	ULONG character, used, used16;
	char utf8[4];
	WCHAR pair[2], back[2];

	for (character = 0; character < 0x110000; character++) {
		if (character >= 0xD800 && character <= 0xDFFF)
			continue;
		used16 = 2;
		pair[0] = (WCHAR)character;
		if (character > 0xFFFF) {
			used16 = 4;
			pair[0] = (WCHAR)(0xD7C0 + (character >> 10));
			pair[1] = (WCHAR)(0xDC00 | (character & 0x3FF));
		}
		if (RtlUnicodeToUTF8N(utf8, 4, &used, pair, used16) ||
		    RtlUTF8ToUnicodeN(back, 4, &used, utf8, used) ||
		    used != used16 || memcmp(pair, back, used)) {
			printf("# U+%04X\n", character);
			break;
		}
	}
	check(t, character == 0x110000);
}

static void test_bad_utf8(struct tap_group *t)
{
#define R u"\xfffd"
	static const struct {
		const char *utf8;
		const WCHAR *utf16;
	} texts[] = {
		{ "\x80", R },
		{ "-\xbf-", u"-" R u"-" },
		{ "\xfe\xff", R R },
		{ "\xc3", R },
		{ "\xc3-", R u"-" },
		{ "\xe2\x82", R },
		{ "\xe2\x82-", R u"-" },
		{ "\xf0\x9f\x98", R },
		{ "\xf0\x9f\x98\xc3\xa4", R u"\xe4" },
		{ "\xc0\x80", R R },
		{ "\xc1\xbf", R R },
		{ "\xe0\x80\xad", R R },
		{ "\xe0\x9f\xbf", R R },
		{ "\xf0\x80\x80\xad", R R R },
		{ "\xed\xa0\x80", R R },
		{ "\xed\xbf\xbf-", R R u"-" },
		{ "\xf4\x90\x80\x80", R R R },
		{ "\xf5\x80", R R },
	};
#undef R
	WCHAR buffer[16];
	ULONG used, length;
	size_t i;

	for (i = 0; i < ARRAYSIZE(texts); i++) {
		length = (ULONG)strlen(texts[i].utf8);
		check(t, RtlUTF8ToUnicodeN(buffer, sizeof(buffer), &used,
					   texts[i].utf8,
					   length) == STATUS_SOME_NOT_MAPPED);
		check(t, used == wcs16len(texts[i].utf16) * sizeof(WCHAR));
		check(t, !memcmp(buffer, texts[i].utf16, used));
	}
	/* A NUL is a character here */
	check(t, !RtlUTF8ToUnicodeN(buffer, sizeof(buffer), &used, "a\0b", 3));
	check(t, used == 6 && buffer[1] == 0 && buffer[2] == 'b');
}

static void test_bad_utf16(struct tap_group *t)
{
	static const WCHAR lone[] = { 'a',    0xD800, 'b',    0xDC00,
				      0xDC01, 0xD801, 0xDC00, 0xDBFF };
	static const char expected[] = "a\xef\xbf\xbd"
				       "b\xef\xbf\xbd\xef\xbf\xbd"
				       "\xf0\x90\x90\x80\xef\xbf\xbd";
	char buffer[32], shifted[sizeof(lone) + 1];
	ULONG used;

	check(t, RtlUnicodeToUTF8N(buffer, sizeof(buffer), &used, lone,
				   sizeof(lone)) == STATUS_SOME_NOT_MAPPED);
	check(t, used == sizeof(expected) - 1);
	check(t, !memcmp(buffer, expected, used));
	/* At an odd address */
	memcpy(shifted + 1, lone, sizeof(lone));
	check(t, RtlUnicodeToUTF8N(buffer, sizeof(buffer), &used,
				   (PCWCH)(void *)(shifted + 1),
				   sizeof(lone)) == STATUS_SOME_NOT_MAPPED);
	check(t, used == sizeof(expected) - 1);
	check(t, !memcmp(buffer, expected, used));
}

static void test_convert_parameters(struct tap_group *t)
{
	WCHAR buffer[4] = { 0x5A5A, 0x5A5A, 0x5A5A, 0x5A5A };
	char buffer8[8];
	ULONG used = 77;

	check(t, RtlUnicodeToUTF8N(NULL, 0, NULL, NULL, 0) ==
			 STATUS_INVALID_PARAMETER_4);
	check(t, RtlUnicodeToUTF8N(NULL, 0, NULL, u"", 0) ==
			 STATUS_INVALID_PARAMETER);
	check(t, RtlUnicodeToUTF8N(buffer8, 8, &used, u"ab", 3) ==
			 STATUS_INVALID_PARAMETER_5);
	check(t, used == 77);
	check(t, !RtlUnicodeToUTF8N(NULL, 0, &used, u"ab", 3) && used == 1);
	check(t, RtlUTF8ToUnicodeN(NULL, 0, &used, NULL, 0) ==
			 STATUS_INVALID_PARAMETER_4);
	check(t, RtlUTF8ToUnicodeN(NULL, 0, NULL, "", 0) ==
			 STATUS_INVALID_PARAMETER);
	check(t, !RtlUTF8ToUnicodeN(buffer, 0, &used, "", 0) && used == 0);

	/* Cut between characters only */
	check(t, RtlUTF8ToUnicodeN(buffer, 4, &used, "a\xf0\x90\x80\x80", 5) ==
			 STATUS_BUFFER_TOO_SMALL);
	check(t, used == 2 && buffer[1] == 0x5A5A);
	check(t, RtlUTF8ToUnicodeN(buffer, 5, &used, "a\xf0\x90\x80\x80", 5) ==
			 STATUS_BUFFER_TOO_SMALL);
	check(t, used == 2 && buffer[1] == 0x5A5A);
	check(t, RtlUnicodeToUTF8N(buffer8, 3, &used, u"a\u20ac", 4) ==
			 STATUS_BUFFER_TOO_SMALL);
	check(t, used == 1);
	check(t, !RtlUnicodeToUTF8N(buffer8, 4, &used, u"a\u20ac", 4));
	check(t, used == 4);
}

static void test_ansi(struct tap_group *t)
{
	STRING utf8 = A("gr\xc3\xbc\xc3\x9f"), to8 = { 0 }, big;
	UNICODE_STRING utf16 = S(u"gr\u00fc\u00df"), to = { 0 };
	WCHAR buffer[8];
	char buffer8[8];

	check(t, !RtlAnsiStringToUnicodeString(&to, &utf8, TRUE));
	check(t, is(&to, u"gr\u00fc\u00df") && to.MaximumLength == 10);
	RtlFreeUnicodeString(&to);
	to = room(buffer, 5);
	check(t, !RtlAnsiStringToUnicodeString(&to, &utf8, FALSE));
	check(t, is(&to, u"gr\u00fc\u00df") && buffer[4] == 0);
	to = room(buffer, 4);
	check(t, RtlAnsiStringToUnicodeString(&to, &utf8, FALSE) ==
			 STATUS_BUFFER_OVERFLOW);
	check(t, to.Length == 0 && buffer[0] == 0x5A5A);
	check(t, !RtlAnsiStringToUnicodeString(&to, NULL, FALSE));
	check(t, to.Length == 0 && buffer[0] == 0);

	check(t, !RtlUnicodeStringToAnsiString(&to8, &utf16, TRUE));
	check(t, to8.Length == 6 && !strcmp(to8.Buffer, "gr\xc3\xbc\xc3\x9f"));
	RtlFreeAnsiString(&to8);
	check(t, !to8.Buffer);
	to8 = (STRING){ 0, 6, buffer8 };
	check(t, RtlUnicodeStringToAnsiString(&to8, &utf16, FALSE) ==
			 STATUS_BUFFER_OVERFLOW);
	check(t, to8.Length == 4 && !strcmp(buffer8, "gr\xc3\xbc"));
	to8 = (STRING){ 0, 0, buffer8 };
	check(t, RtlUnicodeStringToAnsiString(&to8, &utf16, FALSE) ==
			 STATUS_BUFFER_OVERFLOW);
	to8 = (STRING){ 0, 8, buffer8 };
	check(t, !RtlUnicodeStringToAnsiString(&to8, &no_buffer, FALSE));
	check(t, to8.Length == 0 && buffer8[0] == 0);

	/* 32767 characters are one too many for a UNICODE_STRING with a NUL */
	big = (STRING){ 32767, 32767, malloc(32767) };
	memset(big.Buffer, 'x', 32767);
	to = (UNICODE_STRING){ 0 };
	check(t, RtlAnsiStringToUnicodeString(&to, &big, TRUE) ==
			 STATUS_INVALID_PARAMETER_2);
	big.Length--;
	check(t, !RtlAnsiStringToUnicodeString(&to, &big, TRUE));
	check(t, to.Length == 0xFFFC && to.MaximumLength == 0xFFFE);
	RtlFreeUnicodeString(&to);
	free(big.Buffer);
}

static void test_macros(struct tap_group *t)
{
	static const WCHAR text[] = u"abc";
	static const UNICODE_STRING literal = RTL_CONSTANT_STRING(u"abcd");
	UNICODE_STRING u = RTL_CONSTANT_STRING(text);
	unsigned char memory[4] = { 1, 2, 3, 4 };
	struct {
		int a;
		int b;
	} pair;

	check(t, u.Length == 6 && u.MaximumLength == 8 && u.Buffer == text);
	check(t, is(&literal, u"abcd") && literal.MaximumLength == 10);
	check(t, RtlSecureZeroMemory(memory, 3) == memory);
	check(t, !memory[0] && !memory[2] && memory[3] == 4);
	check(t, RtlEqualMemory("ab", "ab", 2) && !RtlEqualMemory("a", "b", 1));
	check(t, CONTAINING_RECORD(&pair.b, __typeof__(pair), b) == &pair);
	check(t, LOWORD(0x12345678) == 0x5678 && HIWORD(0x12345678) == 0x1234);
	check(t, LOBYTE(0x1234) == 0x34 && HIBYTE(0x1234) == 0x12);
	check(t, MAKELONG(0x5678, 0x8234) == (LONG)0x82345678);
	check(t, MAKEWORD(0x34, 0x12) == 0x1234);
	check(t, NT_SUCCESS(STATUS_PENDING) && !NT_SUCCESS(STATUS_NO_MEMORY));
	check(t, NT_WARNING(STATUS_PARTIAL_COPY) && NT_ERROR(0xC0000005));
	check(t, !NT_SUCCESS(STATUS_PARTIAL_COPY));
}

int main(void)
{
	static const struct {
		const char *name;
		void (*run)(struct tap_group *group);
	} tests[] = {
		{ "lengths of text", test_text_length },
		{ "comparing text", test_text_compare },
		{ "searching and copying text", test_text_search_and_copy },
		{ "describing text", test_init },
		{ "capital letters", test_case },
		{ "comparing strings", test_compare },
		{ "copying strings, and cutting them", test_copy },
		{ "appending strings", test_append },
		{ "strings in new memory", test_allocate },
		{ "UTF-8 and UTF-16, both ways", test_round_trip },
		{ "every character of Unicode", test_every_character },
		{ "bad UTF-8", test_bad_utf8 },
		{ "bad UTF-16", test_bad_utf16 },
		{ "parameters of conversions", test_convert_parameters },
		{ "converting strings", test_ansi },
		{ "macros", test_macros },
	};
	struct tap_group group;
	size_t i;

	for (i = 0; i < ARRAYSIZE(tests); i++) {
		group = (struct tap_group){ .name = tests[i].name };
		tests[i].run(&group);
		tap_group_end(&group);
	}
	return tap_end();
}
