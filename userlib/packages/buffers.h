/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What security packages do with the buffers that they are given. */
#ifndef BUFFERS_H
#define BUFFERS_H

#include <windows.h>
#include <sspi.h>

/* The first buffer of a type, or NULL */
static inline SecBuffer *find_buffer(PSecBufferDesc buffers, ULONG type)
{
	ULONG i;

	for (i = 0; buffers && i < buffers->cBuffers; i++) {
		SecBuffer *buffer = &buffers->pBuffers[i];

		if ((buffer->BufferType & ~SECBUFFER_ATTRMASK) == type)
			return buffer;
	}
	return NULL;
}

#endif /* BUFFERS_H */
