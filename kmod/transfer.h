/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one place where bytes cross between processes.
 */
#ifndef LSABUF_TRANSFER_H
#define LSABUF_TRANSFER_H

#include <linux/fault-inject-usercopy.h>
#include <linux/instrumented.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include "queue.h"

struct lsabuf_copy_range;

/* Ways that bytes took; see lsabuf_transfer_copy(). */
#define LSABUF_PATH_BLOCK BIT(0)
#define LSABUF_PATH_RESIDENT BIT(1)
#define LSABUF_PATH_THREAD BIT(2)

/* Most bytes that one chore moves: with its head, 256 KiB of memory */
#define LSABUF_CHORE_BYTES (SZ_256K - PAGE_SIZE)

/* Most pages that are pinned, and copied under one hold of the lock */
#define LSABUF_PIN_PAGES 16

/**
 * struct lsabuf_pin - pages of the client, pinned for one range and the next
 * @pages: neighbours, outside of all arenas, the first @nr set
 * @start: where they begin in the client
 * @nr: number of them; 0 for none
 *
 * They are dropped before a chore, and before the authority's own memory is
 * faulted in for a copy; at the latest when the command ends.
 */
struct lsabuf_pin {
	struct page *pages[LSABUF_PIN_PAGES];
	u64 start;
	unsigned int nr;
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
 * @next: ranges that will follow; only a hint of what else to pin
 * @nr_next: number of them
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
	const struct lsabuf_copy_range *next;
	unsigned int nr_next;
};

int lsabuf_transfer_submit(struct lsabuf_block *block, u64 address);
int lsabuf_transfer_copy(struct lsabuf_transfer *transfer);
void lsabuf_pin_drop(struct lsabuf_pin *pin, bool to_client);
struct lsabuf_chore *lsabuf_transfer_pack(struct lsabuf_transfer *transfer);
int lsabuf_transfer_unpack(struct lsabuf_transfer *transfer,
			   struct lsabuf_chore *chore);
int lsabuf_transfer_chore(struct lsabuf_chore *chore);

/**
 * lsabuf_transfer_unpin() - drop the pages that are kept for a next range
 * @pin: of a COPY
 * @to_client: its direction
 *
 * Context: may sleep.
 */
static inline void lsabuf_transfer_unpin(struct lsabuf_pin *pin, bool to_client)
{
	if (pin->nr)
		lsabuf_pin_drop(pin, to_client);
}

/**
 * lsabuf_copy_in() - copy from memory of the current process
 * @to: kernel memory; the caller knows that there is room
 * @from: user memory; the caller has seen access_ok()
 * @n: bytes
 *
 * As in lib/iov_iter.c: for bounds that were checked, hardened usercopy has
 * nothing to add; and unlike copy_from_user(), nothing is zeroed on a fault.
 *
 * Return: bytes not copied.
 */
static inline unsigned long lsabuf_copy_in(void *to, const void __user *from,
					   size_t n)
{
	unsigned long left;

	if (should_fail_usercopy())
		return n;
	instrument_copy_from_user_before(to, from, n);
	left = raw_copy_from_user(to, from, n);
	instrument_copy_from_user_after(to, from, n, left);
	return left;
}

#endif /* LSABUF_TRANSFER_H */
