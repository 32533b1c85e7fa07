/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page store of one arena.
 *
 * A slot goes from empty to a page once and keeps that page until the store is
 * destroyed, so a page has one owner for life and readers need no lock.
 */
#ifndef LSABUF_PAGES_H
#define LSABUF_PAGES_H

#include <linux/mm_types.h>

struct mem_cgroup;

/**
 * struct lsabuf_pages - page store
 * @nr: number of slots (constant)
 * @page: the slots (each set once, by cmpxchg)
 * @inserted: bit per slot: the page has been put into the page table by
 *	lsabuf_pages_insert(); only a hint, since a process may zap its own
 *	entries (atomic bit operations)
 * @filled: slots that have a page (atomic)
 */
struct lsabuf_pages {
	unsigned int nr;
	struct page **page;
	unsigned long *inserted;
	atomic_t filled;
};

/**
 * struct lsabuf_charge - whose memory cgroup pays
 * @memcg: the one that pays, counted
 * @old: the one that was set before
 */
struct lsabuf_charge {
	struct mem_cgroup *memcg;
	struct mem_cgroup *old;
};

void lsabuf_charge_begin(struct lsabuf_charge *charge, struct mm_struct *mm);
void lsabuf_charge_end(struct lsabuf_charge *charge);

int lsabuf_pages_init(struct lsabuf_pages *pages, unsigned int nr);
void lsabuf_pages_destroy(struct lsabuf_pages *pages);
bool lsabuf_pages_filled(struct lsabuf_pages *pages, unsigned long offset,
			 size_t length);
int lsabuf_pages_fill(struct lsabuf_pages *pages, unsigned long offset,
		      size_t length, struct mm_struct *mm);
void lsabuf_pages_wipe(struct lsabuf_pages *pages, unsigned long offset,
		       size_t length);
void lsabuf_pages_insert(struct lsabuf_pages *pages, unsigned int first,
			 unsigned int end, struct vm_area_struct *vma);
int lsabuf_pages_read(struct lsabuf_pages *pages, unsigned long offset,
		      void *buffer, int length);
vm_fault_t lsabuf_pages_fault(struct lsabuf_pages *pages, struct vm_fault *vmf);

#endif /* LSABUF_PAGES_H */
