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

pthread_mutex_t connection_lock = PTHREAD_MUTEX_INITIALIZER;

/**
 * struct connection - a connection (connection_lock)
 * @fd: its descriptor, or -1
 * @client: which one it is, so that a call cannot go by another one that has
 *	the number now; 0: the module is too old to look
 * @epoch: how many there were before
 */
struct connection {
	int fd;
	uint32_t client;
	unsigned int epoch;
};

static struct connection current = { .fd = -1 };

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

static int open_connection(struct connection *made)
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
	if (ret) {
		lsabuf_close(fd);
		return ret;
	}
	ret = lsabuf_connection(fd, &details);
	made->client = ret ? 0 : details.out_client;
	made->fd = fd;
	made->epoch = current.epoch + 1;
	return 0;
}

static int get_connection(struct connection *connection)
{
	int ret = 0;

	pthread_mutex_lock(&connection_lock);
	if (current.fd < 0)
		ret = open_connection(&current);
	*connection = current;
	pthread_mutex_unlock(&connection_lock);
	return ret;
}

/* Whether the number is still its own; of a parent's files none says. */
static bool is_current(void)
{
	struct lsabuf_info info;
	int ret;

	ret = lsabuf_info(current.fd, &info);
	if (ret)
		return ret == -EPERM;
	return !current.client || (uint32_t)info.out_client == current.client;
}

/*
 * Another one in place of @old. The number stays the same where it still is
 * that connection: another thread may be about to use it.
 */
static int renew(const struct connection *old)
{
	struct connection made;
	int ret = 0;

	pthread_mutex_lock(&connection_lock);
	if (old->epoch != current.epoch)
		goto out_unlock;
	ret = open_connection(&made);
	if (ret)
		goto out_unlock;
	/* A number that had been closed may be the one that is given out */
	if (made.fd != current.fd && is_current()) {
		ret = dup3(made.fd, current.fd, O_CLOEXEC) < 0 ? -errno : 0;
		lsabuf_close(made.fd);
		made.fd = current.fd;
	}
	if (!ret)
		current = made;
out_unlock:
	pthread_mutex_unlock(&connection_lock);
	return ret;
}

/* Whether no authority has seen the call, and another connection may help */
static bool is_stale(int error, const struct lsabuf_call *call)
{
	if (error == -EPIPE)
		return !call->out_status[0];
	if (call->id)
		return false;
	return error == -EPERM || error == -EBADF || error == -ENOTTY;
}

static int call_once(struct lsabuf_call *call, struct connection *connection)
{
	int ret;

	ret = get_connection(connection);
	if (ret)
		return ret;
	call->connection = connection->client;
	return lsabuf_call(connection->fd, call);
}

static int call_twice(struct lsabuf_call *call)
{
	struct lsabuf_call again = *call;
	struct connection connection;
	int ret;

	ret = call_once(call, &connection);
	if (!ret || connection.fd < 0 || !is_stale(ret, call))
		return ret;
	ret = renew(&connection);
	if (ret)
		return ret;
	*call = again;
	return call_once(call, &connection);
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
	struct connection connection;

	if (!block)
		return;
	if (get_connection(&connection) || lsabuf_free(connection.fd, block))
		LsaFreeReturnBuffer(block);
}
