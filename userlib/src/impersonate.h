/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads that work with the rights of their clients. */
#ifndef _LSABUF_SRC_IMPERSONATE_H
#define _LSABUF_SRC_IMPERSONATE_H

#include "host.h"

void host_impersonation_end(const struct host_request *request);

#endif /* _LSABUF_SRC_IMPERSONATE_H */
