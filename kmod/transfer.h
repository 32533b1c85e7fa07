/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one place where bytes cross between processes.
 */
#ifndef LSABUF_TRANSFER_H
#define LSABUF_TRANSFER_H

#include <linux/sizes.h>

#include "queue.h"

/* Ways that bytes took; see lsabuf_transfer_copy(). */
#define LSABUF_PATH_BLOCK BIT(0)
#define LSABUF_PATH_RESIDENT BIT(1)
#define LSABUF_PATH_THREAD BIT(2)

/* Most bytes that one chore moves: with its head, 256 KiB of memory */
#define LSABUF_CHORE_BYTES (SZ_256K - PAGE_SIZE)

/**
 * struct lsabuf_pin - a page of the client, kept for the next range of a vector
 * @page: pinned, or NULL
 * @address: where it is in the client
 *
 * It is dropped before a chore, and before the authority's own memory is faulted
 * in for a copy; at the latest when the command ends.
 */
struct lsabuf_pin {
	struct page *page;
	unsigned long address;
};

/**
 * struct lsabuf_transfer - a copy between an authority and its client
 * @request: received by the authority; the caller has a reference
 * @to_client: direction
 * @client_address: next byte in the client
 * @local: next byte in the current process
 * @left: bytes to go
 * @done: bytes copied
 * @paths: LSABUF_PATH_* taken so far
 * @granted: the grant has been checked for what is left
 * @pin: shared by all ranges of one COPY, which have one direction
 */
struct lsabuf_transfer {
	struct lsabuf_request *request;
	bool to_client;
	u64 client_address;
	u64 local;
	u64 left;
	u64 done;
	u32 paths;
	bool granted;
	struct lsabuf_pin *pin;
};

int lsabuf_transfer_submit(struct lsabuf_block *block, u64 address);
int lsabuf_transfer_copy(struct lsabuf_transfer *transfer);
void lsabuf_transfer_unpin(struct lsabuf_pin *pin, bool to_client);
struct lsabuf_chore *lsabuf_transfer_pack(struct lsabuf_transfer *transfer);
int lsabuf_transfer_unpack(struct lsabuf_transfer *transfer,
			   struct lsabuf_chore *chore);
int lsabuf_transfer_chore(struct lsabuf_chore *chore);

#endif /* LSABUF_TRANSFER_H */
