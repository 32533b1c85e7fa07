// SPDX-License-Identifier: GPL-2.0
/*
 * The one place where bytes cross between processes.
 *
 * Three ways lead into a client. A block's pages are the module's own: copied
 * to directly. Other memory that the request grants is pinned where it is
 * resident, by a GUP that neither faults nor waits for the client's mmap_lock.
 * For the rest the client's own thread does copy_to_user() or copy_from_user()
 * while it waits in its call.
 *
 * The first two copy under the client's space->lock, with page faults off, and
 * only after they have seen there that the request is still RECEIVED. So no
 * byte moves once the client has returned from its call, however long either
 * side stalls, and none to a block that has been freed. What faults in the
 * authority's memory is faulted in without the lock, then tried again.
 */
#include <linux/highmem.h>
#include <linux/lsabuf.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pkeys.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "lsabuf.h"
#include "trace.h"
#include "transfer.h"

/* Times that memory which was faulted in may be gone again */
#define RETRIES 64

/* The counterpart of lsabuf_copy_in() */
static unsigned long copy_out(void __user *to, const void *from, size_t n)
{
	if (should_fail_usercopy())
		return n;
	instrument_copy_to_user(to, from, n);
	return raw_copy_to_user(to, from, n);
}

/* With page faults off; returns what could not be copied. */
static unsigned long copy_page_part(struct lsabuf_transfer *transfer,
				    struct page *page, unsigned int offset,
				    unsigned int length)
{
	void __user *local = u64_to_user_ptr(transfer->local);
	void *kaddr = kmap_local_page(page);
	unsigned long left;

	if (transfer->to_client) {
		left = lsabuf_copy_in(kaddr + offset, local, length);
		flush_dcache_page(page);
	} else {
		left = copy_out(local, kaddr + offset, length);
	}
	kunmap_local(kaddr);

	length -= left;
	transfer->client_address += length;
	transfer->local += length;
	transfer->left -= length;
	transfer->done += length;
	return left;
}

/* Copy between local memory and @pages, from byte @offset of the first. */
static void copy_pages(struct lsabuf_transfer *transfer, struct page **pages,
		       unsigned int offset, size_t length)
{
	lockdep_assert_held(&transfer->request->client->space->lock);
	pagefault_disable();
	while (length) {
		unsigned int part = min_t(size_t, length, PAGE_SIZE - offset);

		if (copy_page_part(transfer, *pages++, offset, part))
			break;
		length -= part;
		offset = 0;
	}
	pagefault_enable();
}

/*
 * One batch within the block around the client address. Returns 0 also when
 * local memory was not there, 1 if the address is in no arena, or -errno.
 */
static int copy_block(struct lsabuf_transfer *transfer)
{
	struct lsabuf_request *request = transfer->request;
	struct lsabuf_client *client = request->client;
	struct lsabuf_space *space = client->space;
	struct lsabuf_block *block;
	u64 start, offset;
	size_t length;
	int ret;

	spin_lock(&space->lock);
	ret = lsabuf_request_held(request);
	if (ret)
		goto out_unlock;
	block = lsabuf_block_lookup(space, transfer->client_address);
	if (IS_ERR(block)) {
		ret = PTR_ERR(block) == -ENOENT ? 1 : -EFAULT;
		goto out_unlock;
	}
	ret = -EACCES;
	if (block->owner != client->queue->instance &&
	    client->access != LSABUF_ACCESS_WHOLE) {
		trace_lsabuf_grant_refused(transfer);
		goto out_unlock;
	}
	/* What follows the block, be it another one, is not meant. */
	ret = -EFAULT;
	offset = transfer->client_address - lsabuf_block_address(block);
	if (offset >= block->length)
		goto out_unlock;

	start = lsabuf_block_offset(block) + offset;
	length = min3(transfer->left, block->length - offset,
		      LSABUF_PIN_PAGES * PAGE_SIZE - offset_in_page(start));
	transfer->paths |= LSABUF_PATH_BLOCK;
	copy_pages(transfer, &block->arena->pages.page[start >> PAGE_SHIFT],
		   offset_in_page(start), length);
	ret = 0;
	if (offset + length == block->length && transfer->left &&
	    transfer->client_address ==
		    lsabuf_block_address(block) + block->length)
		ret = -EFAULT;
out_unlock:
	spin_unlock(&space->lock);
	return ret;
}

/**
 * lsabuf_pin_drop() - see lsabuf_transfer_unpin()
 * @pin: of a COPY, not empty
 * @to_client: its direction
 *
 * Context: may sleep.
 */
void lsabuf_pin_drop(struct lsabuf_pin *pin, bool to_client)
{
	unpin_user_pages_dirty_lock(pin->pages, pin->nr, to_client);
	pin->nr = 0;
}

/*
 * Pages from the client address on that this range takes, and those after it
 * that go on where it ends. That they are all granted is not sure: only what
 * a range covers is ever copied.
 */
static unsigned int pages_ahead(struct lsabuf_transfer *transfer)
{
	const struct lsabuf_copy_range *next = transfer->next;
	const u64 most = LSABUF_PIN_PAGES * PAGE_SIZE;
	u64 start = round_down(transfer->client_address, PAGE_SIZE);
	u64 end = transfer->client_address - start + min(transfer->left, most);
	unsigned int i;

	for (i = 0; i < transfer->nr_next && end < most; i++, next++) {
		/* Wraps around for what lies before: too far as well. */
		u64 offset = next->client_address - start;

		if (offset > PAGE_ALIGN(end))
			break;
		end = max(end, offset + min(next->length, most));
	}
	return PFN_UP(min(end, most));
}

/*
 * A VMA with a protection key may be one that the client has locked itself out
 * of; a GUP from outside does not notice.
 */
static long pin_keyless(struct mm_struct *mm, unsigned long start,
			unsigned int nr, unsigned int flags,
			struct page **pages)
{
	struct vm_area_struct *vmas[LSABUF_PIN_PAGES] __uninitialized;
	long i, pinned;

	pinned = lsabuf_pin_remote(mm, start, nr, flags, pages, vmas);
	for (i = 0; i < pinned; i++)
		if (vmas[i] && vma_pkey(vmas[i]))
			break;
	if (i < pinned)
		unpin_user_pages(pages + i, pinned - i);
	return i;
}

/*
 * Pin what is resident, without waiting for anybody; never an arena, which GUP
 * refuses. Returns 1 if the client's thread is needed.
 */
static int pin_resident(struct lsabuf_transfer *transfer)
{
	struct mm_struct *mm = transfer->request->client->space->mm;
	unsigned int flags = FOLL_NOFAULT;
	struct lsabuf_pin *pin = transfer->pin;

	lsabuf_transfer_unpin(pin, transfer->to_client);
	if (transfer->to_client)
		flags |= FOLL_WRITE;
	if (!mmget_not_zero(mm))
		return -ESRCH;
	if (mmap_read_trylock(mm)) {
		pin->start = round_down(transfer->client_address, PAGE_SIZE);
		pin->nr = pin_keyless(mm, pin->start, pages_ahead(transfer),
				      flags, pin->pages);
		mmap_read_unlock(mm);
	}
	/* This may be its last user: let that end elsewhere. */
	mmput_async(mm);
	return pin->nr ? 0 : 1;
}

static bool is_pinned(struct lsabuf_transfer *transfer)
{
	return transfer->client_address - transfer->pin->start <
	       transfer->pin->nr * PAGE_SIZE;
}

/* As far as pinned pages go */
static int copy_pinned(struct lsabuf_transfer *transfer)
{
	struct lsabuf_space *space = transfer->request->client->space;
	struct lsabuf_pin *pin = transfer->pin;
	u64 offset = transfer->client_address - pin->start;
	size_t length =
		min_t(u64, transfer->left, pin->nr * PAGE_SIZE - offset);
	int ret;

	spin_lock(&space->lock);
	ret = lsabuf_request_held(transfer->request);
	if (!ret) {
		transfer->paths |= LSABUF_PATH_RESIDENT;
		copy_pages(transfer, &pin->pages[offset >> PAGE_SHIFT],
			   offset_in_page(offset), length);
	}
	spin_unlock(&space->lock);
	return ret;
}

/* Bytes from @address on that are certainly outside of arenas. */
static u64 ordinary_length(struct lsabuf_transfer *transfer)
{
	struct lsabuf_space *space = transfer->request->client->space;
	u64 length = transfer->left;
	struct lsabuf_arena *arena;

	spin_lock(&space->lock);
	list_for_each_entry(arena, &space->arenas, list)
		if (arena->start > transfer->client_address)
			length = min(length,
				     arena->start - transfer->client_address);
	spin_unlock(&space->lock);
	return length;
}

static int check_grant(struct lsabuf_transfer *transfer)
{
	struct lsabuf_request *request = transfer->request;
	int ret;

	if (transfer->granted)
		return 0;
	ret = lsabuf_grant_check(request->client->access, request->ranges,
				 request->nr_ranges, transfer->client_address,
				 transfer->left,
				 transfer->to_client ? LSABUF_RANGE_F_WRITE :
						       LSABUF_RANGE_F_READ);
	transfer->granted = !ret;
	if (ret == -EACCES)
		trace_lsabuf_grant_refused(transfer);
	return ret;
}

/*
 * Copy some bytes, or none where local memory was not there. Returns 1 if the
 * client's thread is needed.
 */
static int copy_some(struct lsabuf_transfer *transfer)
{
	int ret = 1;

	if (!is_pinned(transfer))
		ret = copy_block(transfer);
	if (ret != 1)
		return ret;
	ret = check_grant(transfer);
	if (!ret && !is_pinned(transfer))
		ret = pin_resident(transfer);
	return ret ?: copy_pinned(transfer);
}

/* Make local memory present for the next page of the copy. */
static int fault_in_local(struct lsabuf_transfer *transfer)
{
	void __user *local = u64_to_user_ptr(transfer->local);
	size_t length = min_t(u64, transfer->left,
			      PAGE_SIZE - offset_in_page(transfer->local));
	size_t left;

	lsabuf_transfer_unpin(transfer->pin, transfer->to_client);
	left = transfer->to_client ? fault_in_readable(local, length) :
				     fault_in_writeable(local, length);
	if (fatal_signal_pending(current))
		return -EINTR;
	if (!left)
		return 0;
	/*
	 * Only the page's first bytes may be there, as at the end of a
	 * mapping in an odd architecture: nothing of it was copied.
	 */
	return -EFAULT;
}

/**
 * lsabuf_transfer_copy() - copy as far as blocks and resident memory go
 * @transfer: what to copy; moves on as bytes are copied
 *
 * Context: process context of the authority, no locks, sleeps only for the
 * authority's own memory.
 * Return: 0 when all is copied; 1 when the next bytes take a chore (see
 * lsabuf_transfer_pack()); -EFAULT for memory of either side, -EACCES, -ESRCH,
 * -ECANCELED, -ENOENT for a request that ended, -EINTR.
 */
int lsabuf_transfer_copy(struct lsabuf_transfer *transfer)
{
	unsigned int retries = RETRIES;
	u64 before;
	int ret;

	if (!transfer->left)
		return 0;
	if (!access_ok(u64_to_user_ptr(transfer->local), transfer->left))
		return -EFAULT;
	barrier_nospec();

	while (transfer->left) {
		before = transfer->done;
		ret = copy_some(transfer);
		if (ret)
			return ret;
		if (transfer->done != before) {
			retries = RETRIES;
			continue;
		}
		ret = retries-- ? fault_in_local(transfer) : -EFAULT;
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * lsabuf_transfer_pack() - make the chore that goes on with a copy
 * @transfer: as lsabuf_transfer_copy() left it with 1
 *
 * Context: process context of the authority, may sleep for its memory.
 * Return: the chore, with one reference; ERR_PTR() of -EFAULT, -ENOMEM.
 */
struct lsabuf_chore *lsabuf_transfer_pack(struct lsabuf_transfer *transfer)
{
	size_t length =
		min_t(u64, ordinary_length(transfer), LSABUF_CHORE_BYTES);
	struct lsabuf_chore *chore;

	lsabuf_transfer_unpin(transfer->pin, transfer->to_client);
	chore = kvzalloc(struct_size(chore, buffer, length),
			 GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!chore)
		return ERR_PTR(-ENOMEM);
	if (transfer->to_client)
		length -= copy_from_user(chore->buffer,
					 u64_to_user_ptr(transfer->local),
					 length);
	if (!length) {
		kvfree(chore);
		return ERR_PTR(-EFAULT);
	}
	refcount_set(&chore->ref, 1);
	init_completion(&chore->finished);
	chore->type = LSABUF_CHORE_COPY;
	chore->to_client = transfer->to_client;
	chore->address = transfer->client_address;
	chore->length = length;
	return chore;
}

/**
 * lsabuf_transfer_unpack() - take in what a chore has done
 * @transfer: the copy that it belongs to
 * @chore: finished
 *
 * Context: process context of the authority, may sleep for its memory.
 * Return: 0 to go on, or -EFAULT.
 */
int lsabuf_transfer_unpack(struct lsabuf_transfer *transfer,
			   struct lsabuf_chore *chore)
{
	size_t done = chore->done;

	if (!transfer->to_client)
		done -= copy_to_user(u64_to_user_ptr(transfer->local),
				     chore->buffer, done);
	transfer->paths |= LSABUF_PATH_THREAD;
	transfer->client_address += done;
	transfer->local += done;
	transfer->left -= done;
	transfer->done += done;
	return done == chore->length ? 0 : -EFAULT;
}

/**
 * lsabuf_transfer_chore() - do the copy of a chore
 * @chore: taken by the current thread
 *
 * This is what it is all about: copy_to_user() in the target task. It can do
 * no more than the client could itself, and stalls nobody else.
 *
 * Context: process context of the client, no locks, may sleep for ever.
 * Return: 0; the bytes copied are in @done of the chore.
 */
int lsabuf_transfer_chore(struct lsabuf_chore *chore)
{
	void __user *address = u64_to_user_ptr(chore->address);
	unsigned long left;

	if (chore->to_client)
		left = copy_to_user(address, chore->buffer, chore->length);
	else
		left = copy_from_user(chore->buffer, address, chore->length);
	chore->done = chore->length - left;
	return 0;
}

/**
 * lsabuf_transfer_submit() - copy a submit buffer into its snapshot
 * @block: the snapshot, not yet known to anybody
 * @address: the submit buffer in the current process
 *
 * The bytes are fetched once, straight into the authority's pages. A fault
 * stalls only the client.
 *
 * Context: process context of the client, no locks, may sleep for ever.
 * Return: 0 or -EFAULT.
 */
int lsabuf_transfer_submit(struct lsabuf_block *block, u64 address)
{
	const void __user *from = u64_to_user_ptr(address);
	struct page **pages = block->arena->pages.page;
	unsigned long to = lsabuf_block_offset(block);
	u64 left = block->length;

	if (!access_ok(from, left))
		return -EFAULT;
	barrier_nospec();
	might_fault();
	while (left) {
		size_t part = min_t(u64, left, PAGE_SIZE - offset_in_page(to));
		void *kaddr = kmap_local_page(pages[to >> PAGE_SHIFT]);
		unsigned long missed;

		missed = lsabuf_copy_in(kaddr + offset_in_page(to), from, part);
		kunmap_local(kaddr);
		if (missed)
			return -EFAULT;
		from += part;
		to += part;
		left -= part;
	}
	return 0;
}
