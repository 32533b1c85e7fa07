/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a security package's source expects of <windows.h>: types, macros,
 * string helpers and error codes. Status codes are in ntstatus.h; it does not
 * matter whether WIN32_NO_STATUS is defined. Win32 functions are not here,
 * except for two on strings and a few that go with the services of the LSA.
 */
#ifndef _LSABUF_WINDOWS_H
#define _LSABUF_WINDOWS_H

#include "ntdef.h"
#include "winerror.h"
#include "winnt.h"
#include "winternl.h"

EXTERN_C_START

typedef DWORD(WINAPI *PTHREAD_START_ROUTINE)(LPVOID parameter);
typedef PTHREAD_START_ROUTINE LPTHREAD_START_ROUTINE;

/* Parts of numbers */

#define LOBYTE(word) ((BYTE)(DWORD_PTR)(word))
#define HIBYTE(word) ((BYTE)((DWORD_PTR)(word) >> 8))
#define LOWORD(dword) ((WORD)(DWORD_PTR)(dword))
#define HIWORD(dword) ((WORD)((DWORD_PTR)(dword) >> 16))
#define MAKEWORD(low, high) ((WORD)((BYTE)(low) | (DWORD)(BYTE)(high) << 8))
#define MAKELONG(low, high) ((LONG)((WORD)(low) | (DWORD)(WORD)(high) << 16))

/* Memory, under its Win32 names */

#define CopyMemory RtlCopyMemory
#define MoveMemory RtlMoveMemory
#define FillMemory RtlFillMemory
#define ZeroMemory RtlZeroMemory
#define SecureZeroMemory RtlSecureZeroMemory

/* Text: lengths are characters here. See also wcs16len() and its relatives. */

int WINAPI lstrlenW(LPCWSTR text);
LPWSTR WINAPI lstrcpynW(LPWSTR to, LPCWSTR from, int size);

#define lstrlen lstrlenW
#define lstrcpyn lstrcpynW

/*
 * What packages call beside the services. A HANDLE of a service is a file
 * descriptor: of a file to duplicate, to wait for, or to close.
 */

BOOL WINAPI lsabuf_allocate_luid(PLUID luid);
BOOL WINAPI lsabuf_close_handle(HANDLE handle);
BOOL WINAPI lsabuf_revert_to_self(VOID);

#define AllocateLocallyUniqueId lsabuf_allocate_luid
#define CloseHandle lsabuf_close_handle
#define RevertToSelf lsabuf_revert_to_self

EXTERN_C_END

#endif /* _LSABUF_WINDOWS_H */
