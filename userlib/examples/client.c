// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A client of service.c: makes all its calls at once, then takes the replies
 * as they come and finds in its own memory what the service wrote there.
 *
 *	gcc client.c $(pkg-config --cflags --libs lsabuf) -o client
 *	./client later 300 tortoise 100 hare
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lsabuf.h>

static int fail(const char *what, int error)
{
	fprintf(stderr, "client: cannot %s: %s\n", what, strerror(-error));
	return 1;
}

/* Take what has been answered: how many, or -errno */
static int take_replies(int fd)
{
	struct lsabuf_call reply;
	char *text;
	int ret, taken = 0;

	while ((ret = lsabuf_call_any(fd, &reply)) == 0) {
		text = (char *)(uintptr_t)reply.out_address;
		printf("%.*s\n", (int)reply.out_length, text);
		lsabuf_free(fd, text);
		taken++;
	}
	return ret == -EAGAIN ? taken : ret;
}

int main(int argc, char **argv)
{
	struct pollfd ready = { .events = POLLIN };
	int i, ret, waiting = 0;
	struct lsabuf_call call;

	if (argc < 4 || argc % 2) {
		fprintf(stderr,
			"usage: client ENDPOINT MS TEXT [MS TEXT]...\n");
		return 2;
	}
	ready.fd = lsabuf_open_client(argv[1], LSABUF_ACCESS_BUFFERS);
	if (ready.fd < 0)
		return fail("connect", ready.fd);
	for (i = 2; i < argc; i += 2, waiting++) {
		lsabuf_call_prepare(&call, 0, atoi(argv[i]), argv[i + 1],
				    strlen(argv[i + 1]));
		ret = lsabuf_call_submit(ready.fd, &call);
		if (ret)
			return fail("call", ret);
	}
	while (waiting > 0) {
		poll(&ready, 1, -1);
		ret = take_replies(ready.fd);
		if (ret < 0)
			return fail("take a reply", ret);
		waiting -= ret;
	}
	lsabuf_close(ready.fd);
	return 0;
}
