/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Space, arenas and blocks of one mm.
 */
#ifndef LSABUF_ARENA_H
#define LSABUF_ARENA_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>

#include "heap.h"
#include "pages.h"

struct mm_struct;
struct seq_file;

/**
 * struct lsabuf_watch - somebody who is told once when an mm is gone
 * @list: in the space's @watches (space->lock)
 * @ref: reference count of the container; one is taken for @gone
 * @gone: called without locks, may be under mmap_lock; puts that reference
 */
struct lsabuf_watch {
	struct list_head list;
	refcount_t *ref;
	void (*gone)(struct lsabuf_watch *watch);
};

/* space->chores: what the mm's own threads have to do on their way out */
#define LSABUF_SPACE_INSERT 0 /* put new pages into the page table */
#define LSABUF_SPACE_TRIM 1 /* unmap empty arenas */

/**
 * struct lsabuf_space - everything lsabuf holds in one mm
 * @ref: reference count
 * @mm: the mm, held by mmgrab() (constant)
 * @hash: in the table of client spaces (spaces_lock, RCU)
 * @rcu: for freeing it
 * @name: last part of its arenas' name in /proc/PID/maps (constant)
 * @pid: process that made it, in the initial namespace (constant)
 * @quota: most bytes of blocks (constant)
 * @arena_size: least size of an arena (constant)
 * @lock: the arena lock of lsabuf.h
 * @arenas: mapped arenas (lock)
 * @watches: who wants to be told of the end of @mm (lock)
 * @views: views of sections (lock)
 * @views_mutex: one thread at a time adds to @views
 * @bytes: bytes of blocks in mapped arenas (lock)
 * @nr_arenas: arenas, mapped or not (lock)
 * @arena_bytes: bytes of them (lock)
 * @nr_nodes: struct lsabuf_block of all arenas, in use or not (lock)
 * @nr_watches: length of @watches: clients that live (lock)
 * @chores: bits LSABUF_SPACE_* (atomic)
 * @debuggable: debuggers may read its arenas; never taken back (READ_ONCE)
 */
struct lsabuf_space {
	refcount_t ref;
	struct mm_struct *mm;
	struct hlist_node hash;
	struct rcu_head rcu;
	const char *name;
	pid_t pid;
	u64 quota;
	size_t arena_size;
	spinlock_t lock; /* see @lock */
	struct list_head arenas;
	struct list_head watches;
	struct list_head views;
	struct mutex views_mutex; /* see @views_mutex */
	u64 bytes;
	unsigned int nr_arenas;
	u64 arena_bytes;
	unsigned int nr_nodes;
	unsigned int nr_watches;
	unsigned long chores;
	bool debuggable;
};

/**
 * struct lsabuf_arena - one VMA of module-owned pages and its allocator
 * @list: in the space's @arenas while mapped; first member, for who walks
 *	there (space->lock)
 * @space: the space, counted (constant)
 * @start: address of the VMA (set before it is listed, then constant)
 * @size: bytes (constant)
 * @extra: unmapped when empty, unlike the first arena (constant)
 * @closing: being unmapped, takes no new block (space->lock)
 * @mapped: its VMA exists (space->lock)
 * @nr_nodes: nodes that its heap was given (space->lock)
 * @users: 1 while its file lives, and one for each block that belongs to an
 *	open request or is being freed (space->lock)
 * @insert_first: first slot that LSABUF_SPACE_INSERT is about (space->lock)
 * @insert_end: slot after the last one (space->lock)
 * @mapper: the thread whose vm_mmap() may succeed, once (that thread)
 * @heap: the allocator (space->lock)
 * @pages: the page store
 */
struct lsabuf_arena {
	struct list_head list;
	struct lsabuf_space *space;
	unsigned long start;
	size_t size;
	bool extra;
	bool closing;
	bool mapped;
	unsigned int nr_nodes;
	unsigned int users;
	unsigned int insert_first;
	unsigned int insert_end;
	struct task_struct *mapper;
	struct lsabuf_heap *heap;
	struct lsabuf_pages pages;
};

/**
 * struct lsabuf_block - a client buffer or a snapshot
 * @node: its range; first member (space->lock)
 * @arena: where it lies (constant while used)
 * @list: in the list of the open request that it belongs to (space->lock)
 * @length: bytes asked for (constant while used)
 * @owner: instance of the authority that allocated it (constant while used)
 * @live: not freed yet; bytes are copied under the lock, to live blocks only
 *	(space->lock)
 * @open: list of the open request that it belongs to, NULL once it belongs to
 *	the process (space->lock)
 */
struct lsabuf_block {
	struct lsabuf_heap_node node;
	struct lsabuf_arena *arena;
	struct hlist_node list;
	u64 length;
	u64 owner;
	struct hlist_head *open;
	bool live;
};

int lsabuf_arena_init(void);
void lsabuf_arena_exit(void);

struct lsabuf_space *lsabuf_space_create(const char *name, u64 quota,
					 size_t arena_size);
struct lsabuf_space *lsabuf_space_join(u64 quota, size_t arena_size);
struct lsabuf_space *lsabuf_space_find(void);
void lsabuf_space_put(struct lsabuf_space *space);
void lsabuf_space_watch(struct lsabuf_space *space, struct lsabuf_watch *watch);
void lsabuf_space_unwatch(struct lsabuf_space *space,
			  struct lsabuf_watch *watch);
void lsabuf_space_work(struct lsabuf_space *space);
void lsabuf_space_leave(struct lsabuf_space *space);
void lsabuf_space_sync(struct lsabuf_space *space);
int lsabuf_space_grow(struct lsabuf_space *space, size_t length);
unsigned long lsabuf_space_start(struct lsabuf_space *space);
void lsabuf_space_show(struct seq_file *m, struct lsabuf_space *space);
void lsabuf_spaces_show(struct seq_file *m);

struct lsabuf_block *lsabuf_block_alloc(struct lsabuf_space *space, u64 length,
					u64 owner, struct hlist_head *blocks,
					u64 *address);
void lsabuf_blocks_drop(struct lsabuf_space *space, struct hlist_head *blocks,
			u64 id);
void lsabuf_blocks_give(struct lsabuf_space *space, struct hlist_head *blocks);
void lsabuf_blocks_move(struct lsabuf_space *space, struct hlist_head *from,
			struct hlist_head *to);
int lsabuf_block_free(struct lsabuf_space *space, u64 address);
int lsabuf_block_release(struct lsabuf_space *space, u64 address, u64 owner,
			 struct hlist_head *blocks, u64 id);
struct lsabuf_block *lsabuf_block_lookup(struct lsabuf_space *space,
					 u64 address);

/**
 * lsabuf_block_address() - where a block begins in its process
 * @block: the block
 */
static inline unsigned long lsabuf_block_address(struct lsabuf_block *block)
{
	return block->arena->start +
	       ((u64)block->node.start << LSABUF_HEAP_GRANULE_SHIFT);
}

/**
 * lsabuf_block_offset() - where a block begins in its arena's page store
 * @block: the block
 */
static inline unsigned long lsabuf_block_offset(struct lsabuf_block *block)
{
	return (u64)block->node.start << LSABUF_HEAP_GRANULE_SHIFT;
}

#endif /* LSABUF_ARENA_H */
