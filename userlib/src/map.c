// SPDX-License-Identifier: LGPL-2.1-or-later
/* What an errno of the device is as NTSTATUS, and what that is in words. */
#include <errno.h>
#include <stddef.h>

#include <windows.h>
#include <ntstatus.h>

#include "internal.h"

#define ON_DEVICE (1U << LSABUF_SUBJECT_DEVICE)
#define ON_CONNECTION (1U << LSABUF_SUBJECT_CONNECTION)
#define ON_BLOCK (1U << LSABUF_SUBJECT_BLOCK)
#define ON_REQUEST (1U << LSABUF_SUBJECT_REQUEST)
#define ON_ANY (~0U)

/*
 * The only place where errnos become statuses. The first row counts whose
 * errno and subject fit: special meanings come before general ones.
 */
static const struct {
	int error;
	unsigned int subjects;
	NTSTATUS status;
} statuses[] = {
	{ 0, ON_ANY, STATUS_SUCCESS },
	{ ENOENT, ON_DEVICE, STATUS_DEVICE_NOT_READY },
	{ ENXIO, ON_DEVICE, STATUS_DEVICE_NOT_READY },
	{ ENODEV, ON_DEVICE, STATUS_DEVICE_NOT_READY },
	{ ENOTDIR, ON_DEVICE, STATUS_DEVICE_NOT_READY },
	{ EACCES, ON_DEVICE, STATUS_ACCESS_DENIED },
	{ EPERM, ON_DEVICE, STATUS_ACCESS_DENIED },
	{ EMFILE, ON_DEVICE, STATUS_TOO_MANY_OPENED_FILES },
	{ ENFILE, ON_DEVICE, STATUS_TOO_MANY_OPENED_FILES },

	{ ENOENT, ON_CONNECTION, STATUS_OBJECT_NAME_NOT_FOUND },
	{ EDQUOT, ON_CONNECTION, STATUS_QUOTA_EXCEEDED },
	{ EPIPE, ON_CONNECTION, STATUS_PORT_DISCONNECTED },

	{ ENOENT, ON_BLOCK, STATUS_MEMORY_NOT_ALLOCATED },
	{ EINVAL, ON_BLOCK, STATUS_MEMORY_NOT_ALLOCATED },

	{ ENOENT, ON_REQUEST, STATUS_INVALID_HANDLE },
	{ EDQUOT, ON_REQUEST, STATUS_NO_MEMORY },
	{ ENOTTY, ON_REQUEST, STATUS_NOT_SUPPORTED },
	{ EMFILE, ON_REQUEST, STATUS_TOO_MANY_OPENED_FILES },
	{ EEXIST, ON_REQUEST, STATUS_CONFLICTING_ADDRESSES },

	/* The process that is gone: of a request or a block, the client */
	{ ESRCH, ON_ANY, STATUS_PROCESS_IS_TERMINATING },
	{ ECANCELED, ON_ANY, STATUS_CANCELLED },
	{ EINTR, ON_ANY, STATUS_CANCELLED },
	{ ETIMEDOUT, ON_ANY, STATUS_IO_TIMEOUT },
	{ EFAULT, ON_ANY, STATUS_ACCESS_VIOLATION },
	{ EACCES, ON_ANY, STATUS_ACCESS_DENIED },
	{ ENOMEM, ON_ANY, STATUS_NO_MEMORY },
	{ EAGAIN, ON_ANY, STATUS_INSUFFICIENT_RESOURCES },
	{ EBUSY, ON_ANY, STATUS_INSUFFICIENT_RESOURCES },
	{ EINVAL, ON_ANY, STATUS_INVALID_PARAMETER },
	{ E2BIG, ON_ANY, STATUS_INVALID_PARAMETER },
	{ EOPNOTSUPP, ON_ANY, STATUS_NOT_SUPPORTED },
	{ ENOTTY, ON_ANY, STATUS_INVALID_HANDLE },
	{ EBADF, ON_ANY, STATUS_INVALID_HANDLE },
	{ EPERM, ON_ANY, STATUS_INVALID_HANDLE },
	{ EPIPE, ON_ANY, STATUS_PORT_DISCONNECTED },
	{ ENODEV, ON_ANY, STATUS_DEVICE_NOT_READY },
};

LSABUF_EXPORT int32_t lsabuf_status(int error, enum lsabuf_subject subject)
{
	size_t i;

	for (i = 0; i < ARRAYSIZE(statuses); i++) {
		if (statuses[i].error == -error &&
		    statuses[i].subjects & (1U << subject))
			return statuses[i].status;
	}
	return STATUS_UNSUCCESSFUL;
}

static const struct {
	NTSTATUS status;
	const char *text;
} explanations[] = {
	{ STATUS_SUCCESS, "success" },
	{ STATUS_DEVICE_NOT_READY,
	  "the device " LSABUF_DEVICE_DEFAULT
	  " (or LSABUF_DEVICE) does not exist: is the module lsabuf loaded?" },
	{ STATUS_OBJECT_NAME_NOT_FOUND,
	  "nobody serves that endpoint: is lsahost running?" },
	{ STATUS_ACCESS_DENIED, "permission denied" },
	{ STATUS_TOO_MANY_OPENED_FILES, "too many open files" },
	{ STATUS_PORT_CONNECTION_REFUSED,
	  "the authority does not trust this caller" },
	{ STATUS_PORT_DISCONNECTED, "the authority has gone away" },
	{ STATUS_NO_SUCH_PACKAGE, "the authority has no such package" },
	{ STATUS_NO_SUCH_USER, "no such user" },
	{ STATUS_NAME_TOO_LONG, "the name is too long" },
	{ STATUS_INVALID_HANDLE, "the handle is not valid" },
	{ STATUS_INVALID_PARAMETER, "a parameter is not valid" },
	{ STATUS_NOT_SUPPORTED, "not supported" },
	{ STATUS_NO_MEMORY, "no memory, or the client's quota is used up" },
	{ STATUS_QUOTA_EXCEEDED, "a limit of this process or user is reached" },
	{ STATUS_INSUFFICIENT_RESOURCES, "busy: not possible right now" },
	{ STATUS_MEMORY_NOT_ALLOCATED,
	  "no buffer of this process begins at that address" },
	{ STATUS_ACCESS_VIOLATION, "memory that cannot be accessed" },
	{ STATUS_PARTIAL_COPY, "only a part could be copied" },
	{ STATUS_CONFLICTING_ADDRESSES,
	  "the address of shared memory is taken in the client" },
	{ STATUS_PROCESS_IS_TERMINATING, "the client is gone" },
	{ STATUS_CANCELLED, "the call was given up" },
	{ STATUS_IO_TIMEOUT, "the time for the call is over" },
	{ STATUS_INVALID_SYSTEM_SERVICE,
	  "the authority does not know this kind of call" },
	{ STATUS_UNSUCCESSFUL, "the operation failed" },
};

LSABUF_EXPORT const char *lsabuf_explain(int32_t status)
{
	size_t i;

	for (i = 0; i < ARRAYSIZE(explanations); i++) {
		if (explanations[i].status == status)
			return explanations[i].text;
	}
	return NT_SUCCESS(status) ? "success" : "the call failed";
}
