// SPDX-License-Identifier: GPL-2.0
/*
 * message_parse() under libFuzzer. The message lies in a block of exactly its
 * length, and all that is found in it is read: the sanitizer sees every byte
 * too many.
 */
#include <stdlib.h>
#include <string.h>

#include "../../userlib/src/protocol.h"
#include "../../userlib/host/lsahost.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int sum(const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	unsigned int total = 0;

	while (length--)
		total += *at++;
	return total;
}

static void read_all(const struct message *message)
{
	const struct lsa_sspi_message *fixed = message->fixed;
	volatile unsigned int total;

	total = sum(fixed, sizeof(*fixed));
	total += sum(message->input, fixed->nr_input * sizeof(*message->input));
	total += sum(message->output,
		     fixed->nr_output * sizeof(*message->output));
	total += sum(message->name.Buffer, message->name.Length);
	total += sum(message->package.Buffer, message->package.Length);
	(void)total;
	/* What the host relies on */
	if (fixed->nr_input > MESSAGE_MAX_BUFFERS ||
	    fixed->nr_output > MESSAGE_MAX_BUFFERS ||
	    message->name.Length % sizeof(WCHAR) ||
	    message->package.Length % sizeof(WCHAR))
		abort();
}

/*
 * Random bytes hardly ever have lengths that fit: every second input gets a
 * last length that does.
 */
static void mend(void *bytes, size_t size)
{
	struct lsa_sspi_message *fixed = bytes;
	size_t rest;

	if (size < sizeof(*fixed) || size % 2)
		return;
	fixed->flags &= LSA_SSPI_F_KNOWN;
	fixed->flags |= LSA_SSPI_F_INPUT | LSA_SSPI_F_OUTPUT | LSA_SSPI_F_NAME;
	fixed->nr_input %= 4;
	fixed->nr_output %= 4;
	rest = size - sizeof(*fixed);
	if (rest < (fixed->nr_input + fixed->nr_output) *
			   sizeof(struct lsa_sspi_buffer))
		return;
	rest -= (fixed->nr_input + fixed->nr_output) *
		sizeof(struct lsa_sspi_buffer);
	fixed->name_length %= rest / 2 + 1;
	fixed->name_length &= ~1U;
	fixed->package_length = rest - fixed->name_length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message message;
	void *bytes = malloc(size ? size : 1);

	if (!bytes)
		return 0;
	memcpy(bytes, data, size);
	if (size % 4 < 2)
		mend(bytes, size);
	if (message_parse(bytes, size, &message))
		read_all(&message);
	free(bytes);
	return 0;
}
