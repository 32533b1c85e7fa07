/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sections: memory that an authority shares with clients.
 */
#ifndef LSABUF_SECTION_H
#define LSABUF_SECTION_H

#include <linux/atomic.h>
#include <linux/mutex.h>

#include "authority.h"

struct file;
struct lsabuf_section_create;
struct lsabuf_section_list;
struct lsabuf_section_stat;
struct lsabuf_view;
struct mem_cgroup;
struct section_account;

/**
 * struct lsabuf_section - a section
 * @ref: reference count: its file, and each view
 * @id: never used again (constant)
 * @authority: who made it, counted (the file's; not for views)
 * @memory: the shmem file with its pages; views map files of their own, of
 *	the same inode (constant)
 * @memcg: who pays, counted (the file's; not for views)
 * @accounts: of the authority and of its user, counted (constant)
 * @max: bytes of address space (constant)
 * @address: in the authority (constant)
 * @size_mutex: guards growth, shrinking, revocation
 * @committed: where the memory ends (size_mutex; read without it as a figure)
 * @bytes: of memory that the accounts know of: less where there are holes
 *	(size_mutex; read without it as a figure)
 * @revoked: there is no memory any more (size_mutex; read without it as a hint)
 * @nr_views: views of clients (atomic)
 */
struct lsabuf_section {
	refcount_t ref;
	u64 id;
	struct lsabuf_authority *authority;
	struct file *memory;
	struct mem_cgroup *memcg;
	struct section_account *accounts[2];
	u64 max;
	unsigned long address;
	struct mutex size_mutex; /* see @size_mutex */
	u64 committed;
	u64 bytes;
	bool revoked;
	atomic_t nr_views;
};

struct lsabuf_section *
lsabuf_section_create(struct lsabuf_authority *authority,
		      struct lsabuf_section_create *create,
		      struct lsabuf_client *payer);
void lsabuf_section_destroy(struct lsabuf_section *section);
void lsabuf_section_close(struct lsabuf_section *section);
int lsabuf_section_grow(struct lsabuf_section *section, u64 *committed,
			bool shrink);
int lsabuf_section_hole(struct lsabuf_section *section, u64 start, u64 length,
			bool fill);
void lsabuf_section_revoke(struct lsabuf_section *section);
void lsabuf_section_stat(struct lsabuf_section *section,
			 struct lsabuf_section_stat *stat);
void lsabuf_section_show(struct seq_file *m, struct lsabuf_section *section);

int lsabuf_view_find(struct lsabuf_section *section, struct lsabuf_space *space,
		     bool readonly, u64 *address);
struct file *lsabuf_view_open(struct lsabuf_section *section,
			      struct lsabuf_client *client, bool readonly);
int lsabuf_view_map(struct file *file, struct lsabuf_client *client, bool exact,
		    u64 *address);
unsigned int lsabuf_views_list(struct lsabuf_space *space,
			       struct lsabuf_view *views, unsigned int nr);

#endif /* LSABUF_SECTION_H */
