/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What services.c and host.c need of shared memory made by the table. */
#ifndef _LSABUF_SRC_SHARED_H
#define _LSABUF_SRC_SHARED_H

#include "services.h"

/* shared.c */
LSA_CREATE_SHARED_MEMORY service_create_shared_memory;
LSA_ALLOCATE_SHARED_MEMORY service_allocate_shared_memory;
LSA_FREE_SHARED_MEMORY service_free_shared_memory;
LSA_DELETE_SHARED_MEMORY service_delete_shared_memory;

int shared_map(struct host_request *request);
bool shared_is_stale(const struct host_request *request);

#endif /* _LSABUF_SRC_SHARED_H */
