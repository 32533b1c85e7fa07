/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scalar types, counted strings and memory helpers under their Windows names,
 * with the sizes they have on Windows: ULONG, LONG, DWORD and NTSTATUS are 32
 * bits wide also where the "long" of C has 64, and a WCHAR has 16 bits always.
 *
 * Text. A wide literal, L"abc", is an array of wchar_t, and wchar_t has 32 bits
 * on Linux: it is not a WCHAR string. Write u"abc" (or TEXT("abc")) instead:
 * in C, WCHAR is char16_t of <uchar.h>, an unsigned 16-bit integer, so that it
 * is also compatible with USHORT; in C++, it is the built-in type char16_t.
 * Sources that must keep L"" can be compiled with -fshort-wchar; they must then
 * call no function of the C library that takes a wchar_t. In that mode L"" is a
 * WCHAR string in C by itself (both are unsigned short), and in C++ because
 * WCHAR becomes wchar_t.
 *
 * printf: an ULONG or a DWORD is an unsigned int, so "%u", not "%lu".
 *
 * On 32-bit x86, the 64-bit types are aligned to 8 bytes within structures, as
 * they are on Windows and unlike Linux, where it is 4: messages with a 64-bit
 * member have one layout for both kinds of sources.
 */
#ifndef _LSABUF_NTDEF_H
#define _LSABUF_NTDEF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifndef __cplusplus
#include <uchar.h>
#endif

#include "sal.h"

/*
 * Spelling of declarations. There is one calling convention here, so the names
 * for conventions are empty, the compiler's own ones too.
 */

#ifndef NTAPI
#define NTAPI
#endif
#ifndef WINAPI
#define WINAPI
#endif
#ifndef CALLBACK
#define CALLBACK
#endif
#ifndef APIENTRY
#define APIENTRY WINAPI
#endif
#ifndef SEC_ENTRY
#define SEC_ENTRY
#endif
#ifndef NTSYSAPI
#define NTSYSAPI
#endif
#ifndef WINBASEAPI
#define WINBASEAPI
#endif
#ifndef __stdcall
#define __stdcall
#endif
#ifndef __cdecl
#define __cdecl
#endif

#ifndef IN
#define IN
#endif
#ifndef OUT
#define OUT
#endif
#ifndef OPTIONAL
#define OPTIONAL
#endif
#ifndef CONST
#define CONST const
#endif
#ifndef VOID
#define VOID void
#endif
#ifndef FORCEINLINE
#define FORCEINLINE static inline __attribute__((__always_inline__, __unused__))
#endif
#ifndef DECLSPEC_NORETURN
#define DECLSPEC_NORETURN __attribute__((__noreturn__))
#endif
#ifndef DECLSPEC_ALIGN
#define DECLSPEC_ALIGN(bytes) __attribute__((__aligned__(bytes)))
#endif
/* For entry points of a package that is built with -fvisibility=hidden */
#ifndef DECLSPEC_EXPORT
#define DECLSPEC_EXPORT __attribute__((__visibility__("default")))
#endif

#ifdef __cplusplus
#ifndef EXTERN_C
#define EXTERN_C extern "C"
#endif
#define EXTERN_C_START extern "C" {
#define EXTERN_C_END }
#else
#ifndef EXTERN_C
#define EXTERN_C extern
#endif
#define EXTERN_C_START
#define EXTERN_C_END
#endif

#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif

#define ANYSIZE_ARRAY 1
#define UNREFERENCED_PARAMETER(name) ((void)(name))
#define ARGUMENT_PRESENT(pointer) ((pointer) != NULL)
#define ARRAYSIZE(array) (sizeof(array) / sizeof((array)[0]))
#define RTL_NUMBER_OF(array) ARRAYSIZE(array)
#define FIELD_OFFSET(type, field) ((LONG)offsetof(type, field))
#define RTL_FIELD_SIZE(type, field) (sizeof(((type *)0)->field))
#define CONTAINING_RECORD(address, type, field) \
	((type *)(void *)&((char *)(address))[-(LONG)offsetof(type, field)])
#ifdef __cplusplus
#define C_ASSERT(expression) static_assert(expression, #expression)
#else
#define C_ASSERT(expression) _Static_assert(expression, #expression)
#endif

EXTERN_C_START

/* Integers */

#define LSABUF_ALIGN_8 __attribute__((__aligned__(8)))

typedef char CHAR, CCHAR, *PCHAR;
typedef unsigned char UCHAR, BYTE, BOOLEAN;
typedef unsigned char *PUCHAR, *PBYTE, *LPBYTE, *PBOOLEAN;

typedef int16_t SHORT, *PSHORT;
typedef uint16_t USHORT, WORD, *PUSHORT, *PWORD, *LPWORD;

typedef int INT, BOOL, *PINT, *PBOOL, *LPBOOL;
typedef unsigned int UINT, *PUINT;
typedef int32_t LONG, INT32, *PLONG, *LPLONG;
typedef uint32_t ULONG, DWORD, UINT32, DWORD32, ULONG32;
typedef uint32_t *PULONG, *PDWORD, *LPDWORD, *PULONG32;

typedef long long LONGLONG LSABUF_ALIGN_8;
typedef unsigned long long ULONGLONG LSABUF_ALIGN_8;
typedef LONGLONG LONG64, INT64, *PLONGLONG;
typedef ULONGLONG DWORDLONG, ULONG64, DWORD64, UINT64, *PULONGLONG, *PULONG64;

typedef intptr_t LONG_PTR, INT_PTR, SSIZE_T, *PLONG_PTR;
typedef uintptr_t ULONG_PTR, UINT_PTR, DWORD_PTR, SIZE_T;
typedef uintptr_t *PULONG_PTR, *PDWORD_PTR, *PSIZE_T;

#define MAXUCHAR 0xff
#define MAXUSHORT 0xffff
#define MAXULONG 0xffffffffU
#define MAXDWORD 0xffffffffU
#define MAXLONG 0x7fffffff

/* Characters and text */

#if defined(__cplusplus) && __WCHAR_MAX__ <= 0xffff
typedef wchar_t WCHAR;
#define __TEXT(quote) L##quote
#else
typedef char16_t WCHAR;
#define __TEXT(quote) u##quote
#endif
#define TEXT(quote) __TEXT(quote)
#define _T(quote) __TEXT(quote)
#define _TEXT(quote) __TEXT(quote)

C_ASSERT(sizeof(WCHAR) == 2);

typedef WCHAR *PWCHAR, *PWCH, *PWSTR, *LPWSTR, *NWPSTR, *PTSTR, *LPTSTR;
typedef const WCHAR *PCWCH, *LPCWCH, *PCWSTR, *LPCWSTR, *PCTSTR, *LPCTSTR;
typedef WCHAR TCHAR, *PTCHAR;
typedef CHAR *PCH, *PSTR, *LPSTR, *PSZ;
typedef const CHAR *PCCH, *PCSTR, *LPCSTR, *PCSZ;

#define UNICODE_NULL ((WCHAR)0)
#define ANSI_NULL ((CHAR)0)

/* Addresses and handles */

typedef void *PVOID, *LPVOID, *HANDLE, *PVOID64;
typedef const void *LPCVOID;
typedef HANDLE *PHANDLE, *LPHANDLE;
typedef HANDLE HMODULE, HINSTANCE;

#define INVALID_HANDLE_VALUE ((HANDLE)(LONG_PTR)-1)

/* Results */

typedef LONG NTSTATUS, *PNTSTATUS;
typedef LONG HRESULT;

#define NT_SUCCESS(status) ((NTSTATUS)(status) >= 0)
#define NT_INFORMATION(status) ((ULONG)(status) >> 30 == 1)
#define NT_WARNING(status) ((ULONG)(status) >> 30 == 2)
#define NT_ERROR(status) ((ULONG)(status) >> 30 == 3)

/* 64-bit numbers in halves, and times: 100 ns since 1601-01-01 UTC */

typedef union _LARGE_INTEGER {
	__extension__ struct {
		ULONG LowPart;
		LONG HighPart;
	};
	struct {
		ULONG LowPart;
		LONG HighPart;
	} u;
	LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef union _ULARGE_INTEGER {
	__extension__ struct {
		ULONG LowPart;
		ULONG HighPart;
	};
	struct {
		ULONG LowPart;
		ULONG HighPart;
	} u;
	ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

typedef struct _FILETIME {
	DWORD dwLowDateTime;
	DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;

/* Identifiers */

typedef struct _LUID {
	ULONG LowPart;
	LONG HighPart;
} LUID, *PLUID;

typedef struct _GUID {
	uint32_t Data1;
	uint16_t Data2;
	uint16_t Data3;
	uint8_t Data4[8];
} GUID, *LPGUID;
typedef const GUID *LPCGUID;

#ifdef __cplusplus
#define IsEqualGUID(a, b) (!memcmp(&(a), &(b), sizeof(GUID)))
#else
#define IsEqualGUID(a, b) (!memcmp((a), (b), sizeof(GUID)))
#endif

/* A ring of list members; the head is a LIST_ENTRY of its own */
typedef struct _LIST_ENTRY {
	struct _LIST_ENTRY *Flink;
	struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

/*
 * Counted strings. Length and MaximumLength are bytes, not characters; Length
 * does not count a terminating NUL, which need not be there.
 */

typedef struct _UNICODE_STRING {
	USHORT Length;
	USHORT MaximumLength;
	PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;

typedef struct _STRING {
	USHORT Length;
	USHORT MaximumLength;
	PCHAR Buffer;
} STRING, ANSI_STRING, OEM_STRING, *PSTRING, *PANSI_STRING, *POEM_STRING;
typedef const STRING *PCANSI_STRING;

#define UNICODE_STRING_MAX_BYTES ((USHORT)65534)
#define UNICODE_STRING_MAX_CHARS 32767

/*
 * The initialiser of a UNICODE_STRING or STRING for an array of characters with
 * a NUL at its end, such as a literal
 */
#define RTL_CONSTANT_STRING(text)                               \
	{                                                       \
		sizeof(text) - sizeof((text)[0]), sizeof(text), \
			LSABUF_MUTABLE(text)                    \
	}

#ifdef __cplusplus
extern "C++" {
template <typename T> constexpr T *LSABUF_MUTABLE(const T *text)
{
	return const_cast<T *>(text);
}
}
#else
#define LSABUF_MUTABLE(text) ((PVOID)(text))
#endif

/* Memory. Lengths are bytes; ranges of copies must not overlap, of moves may */

#define RtlCopyMemory(to, from, length) memcpy((to), (from), (length))
#define RtlMoveMemory(to, from, length) memmove((to), (from), (length))
#define RtlFillMemory(to, length, fill) memset((to), (fill), (length))
#define RtlZeroMemory(to, length) memset((to), 0, (length))
#define RtlEqualMemory(a, b, length) (!memcmp((a), (b), (length)))

/**
 * RtlSecureZeroMemory() - zero memory, also if nothing reads it afterwards
 * @address: start of the memory
 * @length: bytes
 *
 * Return: @address.
 */
static inline __attribute__((__unused__)) PVOID
RtlSecureZeroMemory(PVOID address, SIZE_T length)
{
	memset(address, 0, length);
	/* The compiler has to assume that this reads the zeros */
	__asm__ __volatile__("" : : "r"(address) : "memory");
	return address;
}

EXTERN_C_END

#endif /* _LSABUF_NTDEF_H */
