// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What clients send about credentials and contexts, taken apart. Nothing in it
 * is to be trusted; it lies in a private copy, so it does not change.
 */
#include <string.h>

#include "../src/protocol.h"
#include "lsahost.h"

static bool is_good_text(size_t length)
{
	return length % sizeof(WCHAR) == 0 &&
	       length <= UNICODE_STRING_MAX_BYTES;
}

static void set_text(UNICODE_STRING *text, char *bytes, size_t length)
{
	text->Buffer = (PWSTR)bytes;
	text->Length = length;
	text->MaximumLength = length;
}

/**
 * message_parse() - take a message apart
 * @bytes: the submit buffer, aligned to 8
 * @length: its length
 * @message: filled in; points into @bytes
 *
 * Return: whether it is well-formed: every length fits, to the last byte.
 */
bool message_parse(void *bytes, size_t length, struct message *message)
{
	const struct lsa_sspi_message *fixed = bytes;
	size_t buffers, texts;

	memset(message, 0, sizeof(*message));
	if (length < sizeof(*fixed))
		return false;
	if (fixed->flags & ~LSA_SSPI_F_KNOWN ||
	    fixed->nr_input > MESSAGE_MAX_BUFFERS ||
	    fixed->nr_output > MESSAGE_MAX_BUFFERS ||
	    !is_good_text(fixed->name_length) ||
	    !is_good_text(fixed->package_length))
		return false;
	if ((fixed->nr_input && !(fixed->flags & LSA_SSPI_F_INPUT)) ||
	    (fixed->nr_output && !(fixed->flags & LSA_SSPI_F_OUTPUT)) ||
	    (fixed->name_length && !(fixed->flags & LSA_SSPI_F_NAME)))
		return false;
	buffers = (size_t)(fixed->nr_input + fixed->nr_output) *
		  sizeof(struct lsa_sspi_buffer);
	texts = (size_t)fixed->name_length + fixed->package_length;
	if (length != sizeof(*fixed) + buffers + texts)
		return false;

	message->fixed = fixed;
	message->input = (const void *)(fixed + 1);
	message->output = message->input + fixed->nr_input;
	bytes = (char *)bytes + sizeof(*fixed) + buffers;
	if (fixed->flags & LSA_SSPI_F_NAME)
		set_text(&message->name, bytes, fixed->name_length);
	set_text(&message->package, (char *)bytes + fixed->name_length,
		 fixed->package_length);
	return true;
}
