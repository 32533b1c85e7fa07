// SPDX-License-Identifier: GPL-2.0
/*
 * Page store of one arena: allocate, charge, insert, fault, free.
 *
 * Pages are ordinary unmovable kernel pages, charged to the memory cgroup of
 * the process whose arena it is. They are order 0 and never returned to any
 * pool of ours: a pin that outlives the arena shows only what its holder could
 * read before.
 */
#include <linux/bitops.h>
#include <linux/highmem.h>
#include <linux/list.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "pages.h"

/*
 * A full cgroup answers NULL: without __GFP_NORETRY the client would be
 * OOM-killed for what its authority does.
 */
#define PAGES_GFP \
	(GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NORETRY | __GFP_NOWARN)

/**
 * lsabuf_charge_begin() - let the cgroup of an mm pay for what is allocated
 * @charge: what lsabuf_charge_end() needs
 * @mm: the mm
 *
 * Context: nestable; between begin and end the caller may sleep.
 */
void lsabuf_charge_begin(struct lsabuf_charge *charge, struct mm_struct *mm)
{
	charge->memcg = get_mem_cgroup_from_mm(mm);
	charge->old = set_active_memcg(charge->memcg);
}

/**
 * lsabuf_charge_end() - let the caller's own cgroup pay again
 * @charge: as filled by lsabuf_charge_begin()
 */
void lsabuf_charge_end(struct lsabuf_charge *charge)
{
	set_active_memcg(charge->old);
	mem_cgroup_put(charge->memcg);
}

/**
 * lsabuf_pages_init() - make a store of empty slots
 * @pages: the store
 * @nr: number of slots
 *
 * Context: may sleep. Charged to the caller's cgroup.
 * Return: 0 or -ENOMEM.
 */
int lsabuf_pages_init(struct lsabuf_pages *pages, unsigned int nr)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN;

	pages->nr = nr;
	pages->page = kvcalloc(nr, sizeof(*pages->page), gfp);
	if (!pages->page)
		return -ENOMEM;
	pages->inserted = kvcalloc(BITS_TO_LONGS(nr), sizeof(long), gfp);
	if (!pages->inserted) {
		kvfree(pages->page);
		return -ENOMEM;
	}
	return 0;
}

/**
 * lsabuf_pages_destroy() - wipe and free a store's pages, and the store
 * @pages: the store, no longer mapped and without users
 *
 * Context: may sleep.
 */
void lsabuf_pages_destroy(struct lsabuf_pages *pages)
{
	unsigned int i;

	for (i = 0; i < pages->nr; i++) {
		if (pages->page[i]) {
			clear_highpage(pages->page[i]);
			put_page(pages->page[i]);
		}
		if (!(i % 1024))
			cond_resched();
	}
	kvfree(pages->inserted);
	kvfree(pages->page);
}

static void free_list(struct list_head *list)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, list, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
}

static int alloc_list(struct list_head *list, unsigned int nr)
{
	struct page *page;

	while (nr--) {
		page = alloc_page(PAGES_GFP);
		if (!page) {
			free_list(list);
			return -ENOMEM;
		}
		list_add(&page->lru, list);
		cond_resched();
	}
	return 0;
}

static void install(struct lsabuf_pages *pages, unsigned int slot,
		    struct list_head *list)
{
	struct page *page = list_first_entry(list, struct page, lru);

	list_del(&page->lru);
	/* Two neighbours that share a page may get here at once. */
	if (cmpxchg(&pages->page[slot], NULL, page))
		list_add(&page->lru, list);
	else
		atomic_inc(&pages->filled);
}

/*
 * All or nothing: a cgroup that is too small must not stay full of pages that
 * nobody uses. Some are taken only to be given back, for the page tables that
 * the process needs at once: for these it would be OOM-killed.
 */
static int fill_slots(struct lsabuf_pages *pages, unsigned int first,
		      unsigned int end, struct mm_struct *mm)
{
	unsigned int i, nr = 2 + (end - first) / PTRS_PER_PTE;
	struct lsabuf_charge charge;
	LIST_HEAD(list);
	int ret;

	for (i = first; i < end; i++)
		nr += !READ_ONCE(pages->page[i]);
	lsabuf_charge_begin(&charge, mm);
	ret = alloc_list(&list, nr);
	lsabuf_charge_end(&charge);
	if (ret)
		return ret;

	for (i = first; i < end; i++)
		if (!READ_ONCE(pages->page[i]))
			install(pages, i, &list);
	free_list(&list);
	return 1;
}

/* Slots that are looked at where it may not take long */
#define FILLED_SLOTS 16

/**
 * lsabuf_pages_filled() - tell whether lsabuf_pages_fill() has nothing to do
 * @pages: the store
 * @offset: first byte
 * @length: bytes, not 0; the range lies within the store
 *
 * Context: any.
 * Return: true if a short range has its pages, which it then keeps; false also
 * for a long one.
 */
bool lsabuf_pages_filled(struct lsabuf_pages *pages, unsigned long offset,
			 size_t length)
{
	unsigned int slot = offset >> PAGE_SHIFT;
	unsigned int end = PFN_UP(offset + length);

	if (end - slot > FILLED_SLOTS)
		return false;
	while (slot < end && READ_ONCE(pages->page[slot]))
		slot++;
	return slot == end;
}

/**
 * lsabuf_pages_fill() - see that a range has its pages
 * @pages: the store
 * @offset: first byte
 * @length: bytes, not 0; the range lies within the store
 * @mm: whose cgroup pays
 *
 * New pages read zero. On failure none is added.
 *
 * Context: may sleep.
 * Return: 1 if pages were added, 0 if all were there, or -ENOMEM, also when
 * the cgroup is full.
 */
int lsabuf_pages_fill(struct lsabuf_pages *pages, unsigned long offset,
		      size_t length, struct mm_struct *mm)
{
	unsigned int first = offset >> PAGE_SHIFT;
	unsigned int end = PFN_UP(offset + length);
	unsigned int i;

	for (i = first; i < end; i++)
		if (!READ_ONCE(pages->page[i]))
			return fill_slots(pages, i, end, mm);
	return 0;
}

/**
 * lsabuf_pages_wipe() - set a range to zero
 * @pages: the store
 * @offset: first byte
 * @length: bytes; slots without a page are passed over
 *
 * Context: may be atomic for a short range.
 */
void lsabuf_pages_wipe(struct lsabuf_pages *pages, unsigned long offset,
		       size_t length)
{
	while (length) {
		struct page *page = pages->page[offset >> PAGE_SHIFT];
		unsigned int start = offset_in_page(offset);
		size_t chunk = min_t(size_t, length, PAGE_SIZE - start);

		if (page)
			memzero_page(page, start, chunk);
		offset += chunk;
		length -= chunk;
	}
}

/**
 * lsabuf_pages_read() - copy bytes for a debugger
 * @pages: the store
 * @offset: first byte
 * @buffer: where to
 * @length: bytes
 *
 * Context: mmap_lock held.
 * Return: number of bytes up to the first that was never allocated, or -EIO.
 */
int lsabuf_pages_read(struct lsabuf_pages *pages, unsigned long offset,
		      void *buffer, int length)
{
	int done = 0;

	while (done < length && offset >> PAGE_SHIFT < pages->nr) {
		struct page *page =
			READ_ONCE(pages->page[offset >> PAGE_SHIFT]);
		unsigned int start = offset_in_page(offset);
		int chunk = min_t(int, length - done, PAGE_SIZE - start);

		if (!page)
			break;
		memcpy_from_page(buffer + done, page, start, chunk);
		offset += chunk;
		done += chunk;
	}
	return done ?: -EIO;
}

/* Slots from @first on that have a page which is not inserted yet. */
static unsigned int present(struct lsabuf_pages *pages, unsigned int first,
			    unsigned int end)
{
	unsigned int i = first;

	while (i < end && READ_ONCE(pages->page[i]) &&
	       !test_bit(i, pages->inserted))
		i++;
	return i - first;
}

static void insert_run(struct lsabuf_pages *pages, unsigned int first,
		       unsigned int nr, struct vm_area_struct *vma)
{
	unsigned int i = first, end = first + nr;

	while (i < end) {
		unsigned long addr = vma->vm_start + ((u64)i << PAGE_SHIFT);
		unsigned long left = end - i;
		int ret = vm_insert_pages(vma, addr, &pages->page[i], &left);

		while (i < end - left)
			set_bit(i++, pages->inserted);
		if (ret && ret != -EBUSY)
			return;
		/* Stopped at an entry that is there already: pass over it. */
		if (ret)
			set_bit(i++, pages->inserted);
	}
}

/**
 * lsabuf_pages_insert() - put the pages of a range into the page table
 * @pages: the store
 * @first: first slot
 * @end: slot after the last one; slots without a page are passed over
 * @vma: the arena's only VMA, looked up under the mmap_lock now held
 *
 * Saves the faults of the first use. A failure is not one: the fault handler
 * does the same later.
 *
 * Context: mmap_lock of the VMA's mm held, may sleep.
 */
void lsabuf_pages_insert(struct lsabuf_pages *pages, unsigned int first,
			 unsigned int end, struct vm_area_struct *vma)
{
	unsigned int i = first;

	lockdep_assert_held(&vma->vm_mm->mmap_lock);
	while (i < end) {
		unsigned int run = present(pages, i, end);

		if (run)
			insert_run(pages, i, run, vma);
		i += run ?: 1;
	}
}

/**
 * lsabuf_pages_fault() - serve a page fault
 * @pages: the store
 * @vmf: the fault
 *
 * The pages of live and of freed blocks are there; space that was never
 * allocated gives SIGBUS.
 *
 * Context: mmap_lock held.
 */
vm_fault_t lsabuf_pages_fault(struct lsabuf_pages *pages, struct vm_fault *vmf)
{
	struct page *page;
	int ret;

	if (vmf->pgoff >= pages->nr)
		return VM_FAULT_SIGBUS;
	page = READ_ONCE(pages->page[vmf->pgoff]);
	if (!page)
		return VM_FAULT_SIGBUS;

	ret = vm_insert_page(vmf->vma, vmf->address & PAGE_MASK, page);
	if (ret == -ENOMEM)
		return VM_FAULT_OOM;
	/* EBUSY: another thread's fault, or an insertion ahead, was first. */
	if (ret && ret != -EBUSY)
		return VM_FAULT_SIGBUS;
	return VM_FAULT_NOPAGE;
}
