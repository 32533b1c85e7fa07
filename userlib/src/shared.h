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

/* Counts what has been made; 0: nothing ever */
extern _Atomic uint32_t shared_generation LSABUF_HIDDEN;

/* Whether something may have been made that its client does not have yet */
static inline bool shared_is_stale(const struct host_request *request)
{
	/* Pairs with the addition in service_create_shared_memory() */
	return request->generation !=
	       atomic_load_explicit(&shared_generation, memory_order_acquire);
}

#endif /* _LSABUF_SRC_SHARED_H */
