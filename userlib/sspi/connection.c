// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The connection of this process to the authority, and a call on it. It is
 * made when it is first needed, and again when the authority was restarted or
 * this is a forked child; what the authority held of the old one is lost then.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int connection = -1;
static unsigned int epoch;

/* Statuses of the LSA as those that programs of SSPI expect */
static SECURITY_STATUS as_security_status(NTSTATUS status)
{
	switch (status) {
	case STATUS_INVALID_HANDLE:
		return SEC_E_INVALID_HANDLE;
	case STATUS_NO_MEMORY:
	case STATUS_INSUFFICIENT_RESOURCES:
	case STATUS_QUOTA_EXCEEDED:
		return SEC_E_INSUFFICIENT_MEMORY;
	case STATUS_LOGON_FAILURE:
	case STATUS_NO_SUCH_USER:
	case STATUS_WRONG_PASSWORD:
		return SEC_E_LOGON_DENIED;
	case STATUS_NO_SUCH_PACKAGE:
		return SEC_E_SECPKG_NOT_FOUND;
	case STATUS_NOT_SUPPORTED:
	case STATUS_NOT_IMPLEMENTED:
	case STATUS_INVALID_SYSTEM_SERVICE:
		return SEC_E_UNSUPPORTED_FUNCTION;
	case STATUS_INVALID_PARAMETER:
		return SEC_E_INVALID_PARAMETER;
	case STATUS_NO_SUCH_LOGON_SESSION:
		return SEC_E_NO_CREDENTIALS;
	case STATUS_BUFFER_TOO_SMALL:
		return SEC_E_BUFFER_TOO_SMALL;
	}
	/* What is not SSPI's own, and no success, has no better name there */
	if (!NT_SUCCESS(status) && (ULONG)status >> 16 != 0x8009)
		return SEC_E_INTERNAL_ERROR;
	return status;
}

/* Also where nobody is there: programs ask for it before they use it */
static SECURITY_STATUS from_errno(int error)
{
	if (error == -ENOMEM || error == -EDQUOT || error == -EAGAIN)
		return SEC_E_INSUFFICIENT_MEMORY;
	return SEC_E_INTERNAL_ERROR;
}

static int open_connection(void)
{
	const char *endpoint = secure_getenv("LSABUF_ENDPOINT");
	struct lsabuf_connect details = {
		.flags = LSABUF_CONNECT_F_FILES,
		.consent_views = LSA_CONSENT_VIEWS,
		.consent_bytes = LSA_CONSENT_BYTES,
	};
	int fd, ret;

	fd = lsabuf_open(NULL);
	if (fd < 0)
		return fd;
	ret = lsabuf_connect(fd, endpoint, LSABUF_ACCESS_RANGES, &details);
	if (!ret)
		return fd;
	lsabuf_close(fd);
	return ret;
}

static int get_connection(unsigned int *which)
{
	int fd;

	pthread_mutex_lock(&lock);
	if (connection < 0) {
		fd = open_connection();
		if (fd < 0) {
			pthread_mutex_unlock(&lock);
			return fd;
		}
		connection = fd;
		epoch++;
	}
	fd = connection;
	*which = epoch;
	pthread_mutex_unlock(&lock);
	return fd;
}

/*
 * Another one in place of what @which was. The number stays the same where it
 * still is a file of the device: another thread may be about to use it.
 */
static int renew(unsigned int which)
{
	struct lsabuf_info info;
	int fd, ret = 0;

	pthread_mutex_lock(&lock);
	if (which != epoch)
		goto out_unlock;
	fd = open_connection();
	if (fd < 0) {
		ret = fd;
		goto out_unlock;
	}
	epoch++;
	ret = lsabuf_info(connection, &info);
	if (ret && ret != -EPERM) {
		connection = fd;
		ret = 0;
		goto out_unlock;
	}
	ret = dup3(fd, connection, O_CLOEXEC) < 0 ? -errno : 0;
	lsabuf_close(fd);
out_unlock:
	pthread_mutex_unlock(&lock);
	return ret;
}

static bool is_stale(int error, const struct lsabuf_call *call)
{
	if (error == -EPIPE)
		return !call->out_status[0];
	return error == -EPERM || error == -EBADF || error == -ENOTTY;
}

static int call_twice(struct lsabuf_call *call)
{
	const struct lsabuf_call original = *call;
	unsigned int which;
	int fd, ret;

	fd = get_connection(&which);
	if (fd < 0)
		return fd;
	ret = lsabuf_call(fd, call);
	if (!ret || !is_stale(ret, call))
		return ret;
	ret = renew(which);
	if (ret)
		return ret;
	fd = get_connection(&which);
	if (fd < 0)
		return fd;
	*call = original;
	return lsabuf_call(fd, call);
}

static size_t text_bytes(const SEC_WCHAR *text)
{
	return text ? wcs16len(text) * sizeof(WCHAR) : 0;
}

static uint32_t count(const SecBufferDesc *buffers)
{
	return buffers ? buffers->cBuffers : 0;
}

static struct lsa_sspi_buffer *put_buffers(struct lsa_sspi_buffer *to,
					   const SecBufferDesc *from)
{
	uint32_t i;

	for (i = 0; i < count(from); i++, to++) {
		to->length = from->pBuffers[i].cbBuffer;
		to->type = from->pBuffers[i].BufferType;
		to->address = (uintptr_t)from->pBuffers[i].pvBuffer;
	}
	return to;
}

/* The message, to be freed; NULL: no memory */
static void *pack(struct request *request, size_t *length)
{
	struct lsa_sspi_message *message;
	struct lsa_sspi_buffer *buffers;
	char *texts;

	request->fixed.nr_input = count(request->input);
	request->fixed.nr_output = count(request->output);
	request->fixed.name_length = text_bytes(request->name);
	request->fixed.package_length = text_bytes(request->package);
	request->fixed.flags |= (request->input ? LSA_SSPI_F_INPUT : 0) |
				(request->output ? LSA_SSPI_F_OUTPUT : 0) |
				(request->name ? LSA_SSPI_F_NAME : 0);
	*length = sizeof(*message) + request->fixed.name_length +
		  request->fixed.package_length +
		  (request->fixed.nr_input + request->fixed.nr_output) *
			  sizeof(*buffers);
	message = malloc(*length);
	if (!message)
		return NULL;
	*message = request->fixed;
	buffers = (void *)(message + 1);
	buffers = put_buffers(buffers, request->input);
	buffers = put_buffers(buffers, request->output);
	texts = (void *)buffers;
	if (request->fixed.name_length)
		memcpy(texts, request->name, request->fixed.name_length);
	if (request->fixed.package_length)
		memcpy(texts + request->fixed.name_length, request->package,
		       request->fixed.package_length);
	return message;
}

/**
 * connection_call() - call the authority
 * @request: what for; its reply is filled in
 *
 * Return: what the package answered, or why it was not asked, as SSPI has it.
 */
SECURITY_STATUS connection_call(struct request *request)
{
	struct lsabuf_call call;
	size_t length;
	void *message;
	int ret;

	request->reply = NULL;
	message = pack(request, &length);
	if (!message)
		return SEC_E_INSUFFICIENT_MEMORY;
	lsabuf_call_prepare(&call, request->kind, 0, message, length);
	call.ranges_address = (uintptr_t)request->ranges.range;
	call.nr_ranges = request->ranges.nr;
	ret = call_twice(&call);
	free(message);
	if (ret)
		return from_errno(ret);
	request->reply = (void *)(uintptr_t)call.out_address;
	request->reply_length = call.out_length;
	if (call.out_status[0])
		return as_security_status(call.out_status[0]);
	return as_security_status(call.out_status[1]);
}

/* Give a block of the authority back; NULL is fine */
void connection_free(void *block)
{
	unsigned int which;
	int fd;

	if (!block)
		return;
	fd = get_connection(&which);
	if (fd < 0 || lsabuf_free(fd, block))
		LsaFreeReturnBuffer(block);
}
