// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Telling a service manager that started us how we are: the protocol of
 * sd_notify(3), one datagram to the socket it named.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lsahost.h"

/**
 * notify() - report a state
 * @state: such as "READY=1"
 *
 * Does nothing when nobody wants to know.
 */
void notify(const char *state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	socklen_t length;
	int fd;

	if (!path || (path[0] != '/' && path[0] != '@') ||
	    strlen(path) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, strlen(path));
	length = offsetof(struct sockaddr_un, sun_path) + strlen(path);
	/* A name that is in no file system begins with a NUL in the address */
	if (path[0] == '@')
		address.sun_path[0] = '\0';

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		   (struct sockaddr *)&address, length) < 0)
		log_error("cannot notify the service manager: %m");
	close(fd);
}
