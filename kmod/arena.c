// SPDX-License-Identifier: GPL-2.0
/*
 * Space, arenas and blocks of one mm.
 *
 * An arena is the one and only mapping of a file on a private pseudo
 * filesystem, made by vm_mmap() in a thread of the process that it is for, so
 * that its rlimits, security hooks and address layout apply. The file has no
 * descriptor; when the VMA goes, the file goes. The VMA cannot be split,
 * moved, copied by fork, made executable or mapped a second time, and no
 * pointer to it is kept: it is looked up by address and recognised by its
 * operations and its arena.
 *
 * All metadata is here: nothing that a process can write is ever read back.
 */
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "arena.h"
#include "compat.h"
#include "lsabuf.h"
#include "trace.h"

#define ARENA_FS_MAGIC 0x6c736162 /* "lsab" */

static struct kmem_cache *block_cache;

/*
 * Spaces of clients by mm; an authority's is only in its authority. Added and
 * removed under the lock, found under RCU: every FREE looks here.
 */
static DEFINE_SPINLOCK(spaces_lock);
static DEFINE_HASHTABLE(spaces, 8);

static struct vfsmount *arena_mnt;
static int arena_mnt_count;

/* The file system behind arenas */

static char *arena_dname(struct dentry *dentry, char *buffer, int buflen)
{
	char name[32];
	int len = scnprintf(name, sizeof(name), "lsabuf:[%s]",
			    dentry->d_name.name) +
		  1;

	if (len > buflen)
		return ERR_PTR(-ENAMETOOLONG);
	return memcpy(buffer + buflen - len, name, len);
}

static const struct dentry_operations arena_dentry_operations = {
	.d_dname = arena_dname,
};

static int arena_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, ARENA_FS_MAGIC);

	if (!ctx)
		return -ENOMEM;
	/* Or READ_IMPLIES_EXEC would make arenas executable. */
	fc->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;
	ctx->dops = &arena_dentry_operations;
	return 0;
}

static struct file_system_type arena_fs = {
	.owner = THIS_MODULE,
	.name = LSABUF_NAME,
	.init_fs_context = arena_init_fs_context,
	.kill_sb = kill_anon_super,
};

/* Arenas */

static struct lsabuf_block *to_block(struct lsabuf_heap_node *node)
{
	return container_of(node, struct lsabuf_block, node);
}

static void arena_destroy(struct lsabuf_arena *arena)
{
	struct lsabuf_heap_node *node;

	while ((node = lsabuf_heap_first(arena->heap))) {
		lsabuf_heap_free(arena->heap, node);
		cond_resched();
	}
	while ((node = lsabuf_heap_take(arena->heap)))
		kmem_cache_free(block_cache, to_block(node));
	node = lsabuf_heap_fini(arena->heap);
	if (node)
		kmem_cache_free(block_cache, to_block(node));
	lsabuf_pages_destroy(&arena->pages);
	kvfree(arena->heap);
	lsabuf_space_put(arena->space);
	kfree(arena);
}

static bool arena_put_locked(struct lsabuf_arena *arena)
{
	lockdep_assert_held(&arena->space->lock);
	if (--arena->users)
		return false;
	arena->space->nr_arenas--;
	arena->space->arena_bytes -= arena->size;
	arena->space->nr_nodes -= arena->nr_nodes;
	return true;
}

static void arena_put(struct lsabuf_arena *arena)
{
	bool last;

	spin_lock(&arena->space->lock);
	last = arena_put_locked(arena);
	spin_unlock(&arena->space->lock);
	if (last)
		arena_destroy(arena);
}

/*
 * A node is many times as large as the smallest block, and stays as long as
 * the arena, so nodes have a limit of their own.
 */
static unsigned int max_nodes(struct lsabuf_space *space)
{
	return space->quota / LSABUF_BYTES_PER_NODE + LSABUF_SPARE_NODES;
}

static int arena_add_node(struct lsabuf_arena *arena)
{
	struct lsabuf_space *space = arena->space;
	struct lsabuf_charge charge;
	struct lsabuf_block *block;

	lsabuf_charge_begin(&charge, space->mm);
	/* Zeroed: a block that is not live must never look so. */
	block = kmem_cache_zalloc(block_cache,
				  GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY);
	lsabuf_charge_end(&charge);
	if (!block)
		return -ENOMEM;
	spin_lock(&space->lock);
	if (space->nr_nodes >= max_nodes(space)) {
		spin_unlock(&space->lock);
		kmem_cache_free(block_cache, block);
		return -EDQUOT;
	}
	space->nr_nodes++;
	arena->nr_nodes++;
	lsabuf_heap_give(arena->heap, &block->node);
	spin_unlock(&space->lock);
	return 0;
}

static struct lsabuf_arena *arena_alloc(struct lsabuf_space *space, size_t size)
{
	u32 granules = size >> LSABUF_HEAP_GRANULE_SHIFT;
	struct lsabuf_arena *arena;
	int ret = -ENOMEM;

	arena = kzalloc(sizeof(*arena), GFP_KERNEL_ACCOUNT);
	if (!arena)
		return ERR_PTR(-ENOMEM);
	arena->heap = kvzalloc(lsabuf_heap_bytes(granules), GFP_KERNEL_ACCOUNT);
	if (!arena->heap)
		goto err_free_arena;
	ret = lsabuf_pages_init(&arena->pages, size >> PAGE_SHIFT);
	if (ret)
		goto err_free_heap;

	lsabuf_heap_init(arena->heap, granules);
	arena->heap->seed = get_random_u32();
	INIT_LIST_HEAD(&arena->list);
	refcount_inc(&space->ref);
	arena->space = space;
	arena->size = size;
	arena->users = 1;
	return arena;

err_free_heap:
	kvfree(arena->heap);
err_free_arena:
	kfree(arena);
	return ERR_PTR(ret);
}

/* Take it out of its space: no lookup finds its blocks any more. */
static void arena_unlist(struct lsabuf_arena *arena)
{
	struct lsabuf_space *space = arena->space;
	u32 blocks;

	spin_lock(&space->lock);
	arena->mapped = false;
	if (!list_empty(&arena->list)) {
		list_del_init(&arena->list);
		space->bytes -= (u64)arena->heap->used
				<< LSABUF_HEAP_GRANULE_SHIFT;
	}
	blocks = arena->heap->live;
	spin_unlock(&space->lock);
	trace_lsabuf_arena_unmap(space, arena->start, arena->size, blocks);
}

static void space_gone(struct lsabuf_space *space)
{
	struct lsabuf_watch *watch;

	for (;;) {
		spin_lock(&space->lock);
		watch = list_first_entry_or_null(&space->watches,
						 struct lsabuf_watch, list);
		if (watch) {
			list_del_init(&watch->list);
			space->nr_watches--;
			/* Not found if it is being released just now. */
			if (!refcount_inc_not_zero(watch->ref)) {
				spin_unlock(&space->lock);
				continue;
			}
		}
		spin_unlock(&space->lock);
		if (!watch)
			return;
		watch->gone(watch);
	}
}

static void arena_vm_close(struct vm_area_struct *vma)
{
	struct lsabuf_arena *arena = vma->vm_private_data;

	/*
	 * No user of the mm is left: it ends by exit or exec, and this is no
	 * mere munmap() of the arena, which is its caller's loss alone. Told
	 * first: who finds no room then can see that it is for ever.
	 */
	if (!atomic_read(&vma->vm_mm->mm_users))
		space_gone(arena->space);
	arena_unlist(arena);
}

static vm_fault_t arena_vm_fault(struct vm_fault *vmf)
{
	struct lsabuf_arena *arena = vmf->vma->vm_private_data;

	if (vmf->vma->vm_mm != arena->space->mm)
		return VM_FAULT_SIGBUS;
	return lsabuf_pages_fault(&arena->pages, vmf);
}

static int arena_vm_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

static int arena_vm_mremap(struct vm_area_struct *vma)
{
	return -EINVAL;
}

/*
 * For ptrace and /proc/PID/mem, which have checked that the caller may trace
 * the process; nobody else comes here.
 */
static int arena_vm_access(struct vm_area_struct *vma, unsigned long addr,
			   void *buf, int len, int write)
{
	struct lsabuf_arena *arena = vma->vm_private_data;

	if (write || !READ_ONCE(arena->space->debuggable) ||
	    !READ_ONCE(lsabuf_limits.debuggable))
		return -EIO;
	return lsabuf_pages_read(&arena->pages, addr - vma->vm_start, buf, len);
}

static const struct vm_operations_struct arena_vm_ops = {
	.access = arena_vm_access,
	.close = arena_vm_close,
	.fault = arena_vm_fault,
	.may_split = arena_vm_may_split,
	.mremap = arena_vm_mremap,
};

/* The token of one vm_mmap() of ours. */
static bool may_map(struct lsabuf_arena *arena)
{
	return READ_ONCE(arena->mapper) == current;
}

/*
 * remap_file_pages() maps the same file again. To refuse that in .mmap would
 * be too late: by then the kernel has unmapped the arena to make room.
 */
static unsigned long arena_fop_get_unmapped_area(struct file *file,
						 unsigned long address,
						 unsigned long length,
						 unsigned long pgoff,
						 unsigned long flags)
{
	if (!may_map(file->private_data))
		return -EPERM;
	return lsabuf_unmapped_area(file, address, length, pgoff, flags);
}

static int arena_fop_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct lsabuf_arena *arena = file->private_data;

	if (!may_map(arena))
		return -EPERM;
	WRITE_ONCE(arena->mapper, NULL);
	if (!(vma->vm_flags & VM_MAYSHARE) || vma->vm_pgoff ||
	    vma->vm_end - vma->vm_start != arena->size)
		return -EINVAL;

	/*
	 * VM_IO: no MADV_DOFORK, no ptrace, no process_vm_readv, no core dump.
	 * VM_MIXEDMAP: pages may be inserted under mmap_read_lock.
	 */
	vm_flags_mod(vma,
		     VM_IO | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY |
			     VM_MIXEDMAP,
		     VM_EXEC | VM_MAYEXEC);
	vma->vm_private_data = arena;
	vma->vm_ops = &arena_vm_ops;
	arena->mapped = true;
	return 0;
}

static int arena_fop_release(struct inode *inode, struct file *file)
{
	struct lsabuf_arena *arena = file->private_data;

	/* The file's own reference to the mount lasts until after this. */
	simple_release_fs(&arena_mnt, &arena_mnt_count);
	arena_put(arena);
	return 0;
}

static const struct file_operations arena_fops = {
	.owner = THIS_MODULE,
	.get_unmapped_area = arena_fop_get_unmapped_area,
	.mmap = arena_fop_mmap,
	.release = arena_fop_release,
};

/* A file that owns @arena once it is made. */
static struct file *arena_file(struct lsabuf_arena *arena)
{
	struct inode *inode;
	struct file *file;
	int ret = -ENODEV;

	/* alloc_file_pseudo() takes no reference, yet __fput() drops one. */
	if (!try_module_get(THIS_MODULE))
		goto err;
	ret = simple_pin_fs(&arena_fs, &arena_mnt, &arena_mnt_count);
	if (ret)
		goto err_module_put;
	inode = alloc_anon_inode(arena_mnt->mnt_sb);
	ret = PTR_ERR_OR_ZERO(inode);
	if (ret)
		goto err_release_fs;
	file = alloc_file_pseudo(inode, arena_mnt, arena->space->name, O_RDWR,
				 &arena_fops);
	ret = PTR_ERR_OR_ZERO(file);
	if (ret)
		goto err_iput;
	file->private_data = arena;
	return file;

err_iput:
	iput(inode);
err_release_fs:
	simple_release_fs(&arena_mnt, &arena_mnt_count);
err_module_put:
	module_put(THIS_MODULE);
err:
	return ERR_PTR(ret);
}

static int arena_map(struct lsabuf_arena *arena)
{
	struct lsabuf_space *space = arena->space;
	struct file *file = arena_file(arena);
	unsigned long start;

	if (IS_ERR(file)) {
		arena_put(arena);
		return PTR_ERR(file);
	}
	WRITE_ONCE(arena->mapper, current);
	start = vm_mmap(file, 0, arena->size, PROT_READ | PROT_WRITE,
			MAP_SHARED, 0);
	WRITE_ONCE(arena->mapper, NULL);
	if (!IS_ERR_VALUE(start)) {
		spin_lock(&space->lock);
		arena->start = start;
		/* Another thread may have unmapped it by guessing. */
		if (arena->mapped) {
			arena->extra = !list_empty(&space->arenas);
			list_add_tail(&arena->list, &space->arenas);
		}
		spin_unlock(&space->lock);
	}
	trace_lsabuf_arena_map(space, IS_ERR_VALUE(start) ? 0 : start,
			       arena->size, IS_ERR_VALUE(start) ? -ENOMEM : 0);
	fput(file);
	/* EAGAIN of a small RLIMIT_MEMLOCK would mean something else here. */
	return IS_ERR_VALUE(start) ? -ENOMEM : 0;
}

/*
 * Pages stay in their arena as long as it is there, whatever has been freed
 * in it: so what bounds them is the size of all arenas. Blocks that leave
 * holes get twice their quota.
 *
 * Each arena is a quarter of those before it, or more, until they are as large
 * as the quota: so their number does not keep small blocks from reaching it.
 */
static int reserve_arena(struct lsabuf_space *space, size_t *size)
{
	u64 limit = 2 * max_t(u64, space->quota, space->arena_size);
	unsigned int nr;
	u64 bytes, more;

	spin_lock(&space->lock);
	nr = space->nr_arenas;
	bytes = space->arena_bytes;
	if (bytes < space->quota) {
		more = min(bytes / 4, space->quota - bytes);
		*size = max_t(size_t, *size, round_down(more, PAGE_SIZE));
	}
	if (nr < LSABUF_CLIENT_ARENAS && bytes + *size <= limit) {
		space->nr_arenas++;
		space->arena_bytes += *size;
		spin_unlock(&space->lock);
		return 0;
	}
	spin_unlock(&space->lock);
	if (nr < LSABUF_CLIENT_ARENAS)
		trace_lsabuf_quota_refused(LSABUF_QUOTA_ARENAS, 0, 0, *size,
					   bytes, limit);
	else
		trace_lsabuf_quota_refused(LSABUF_QUOTA_ARENAS, 0, 0, 1, nr,
					   LSABUF_CLIENT_ARENAS);
	return -EDQUOT;
}

/**
 * lsabuf_space_grow() - make a further arena
 * @space: the space of the current mm
 * @length: bytes of the block that has to find room
 *
 * Context: process context of the mm itself, no locks, sleeps; a fatal signal
 * ends the wait for mmap_lock.
 * Return: 0, -EDQUOT for too many or too large arenas, -ENOMEM also for an
 * rlimit, -ENODEV.
 */
int lsabuf_space_grow(struct lsabuf_space *space, size_t length)
{
	size_t size = max(space->arena_size, PAGE_ALIGN(length));
	struct lsabuf_arena *arena;
	int ret;

	if (WARN_ON_ONCE(current->mm != space->mm))
		return -EPERM;

	ret = reserve_arena(space, &size);
	if (ret)
		return ret;
	arena = arena_alloc(space, size);
	if (IS_ERR(arena)) {
		spin_lock(&space->lock);
		space->nr_arenas--;
		space->arena_bytes -= size;
		spin_unlock(&space->lock);
		return PTR_ERR(arena);
	}
	/* Its first node is the free range; from here on it owns itself. */
	ret = arena_add_node(arena);
	if (ret) {
		arena_put(arena);
		return ret;
	}
	return arena_map(arena);
}

/* Spaces */

/**
 * lsabuf_space_create() - make a space for the current mm
 * @name: last part of its arenas' name in /proc/PID/maps, a constant
 * @quota: most bytes of blocks
 * @arena_size: usual size of an arena, whole pages
 *
 * Context: process context, may sleep.
 * Return: the space with one reference, without an arena, or ERR_PTR(-ENOMEM).
 */
struct lsabuf_space *lsabuf_space_create(const char *name, u64 quota,
					 size_t arena_size)
{
	struct lsabuf_space *space;

	space = kzalloc(sizeof(*space), GFP_KERNEL_ACCOUNT);
	if (!space)
		return ERR_PTR(-ENOMEM);
	refcount_set(&space->ref, 1);
	INIT_HLIST_NODE(&space->hash);
	INIT_LIST_HEAD(&space->arenas);
	INIT_LIST_HEAD(&space->watches);
	INIT_LIST_HEAD(&space->views);
	mutex_init(&space->views_mutex);
	spin_lock_init(&space->lock);
	space->name = name;
	space->pid = task_tgid_nr(current);
	space->quota = quota;
	space->arena_size = arena_size;
	mmgrab(current->mm);
	space->mm = current->mm;
	return space;
}

/**
 * lsabuf_space_find() - find the client space of the current mm
 *
 * Context: process context.
 * Return: the space with a reference, or NULL.
 */
struct lsabuf_space *lsabuf_space_find(void)
{
	struct mm_struct *mm = current->mm;
	struct lsabuf_space *space;

	rcu_read_lock();
	hash_for_each_possible_rcu(spaces, space, hash, (unsigned long)mm)
		if (space->mm == mm && refcount_inc_not_zero(&space->ref))
			break;
	rcu_read_unlock();
	return space;
}

/**
 * lsabuf_space_join() - find or make the client space of the current mm
 * @quota: as for lsabuf_space_create()
 * @arena_size: as for lsabuf_space_create()
 *
 * Context: process context, may sleep.
 * Return: the space with a reference, or an ERR_PTR().
 */
struct lsabuf_space *lsabuf_space_join(u64 quota, size_t arena_size)
{
	struct lsabuf_space *space = lsabuf_space_find();
	struct lsabuf_space *new;

	if (space)
		return space;
	new = lsabuf_space_create("arena", quota, arena_size);
	if (IS_ERR(new))
		return new;

	spin_lock(&spaces_lock);
	space = lsabuf_space_find();
	if (!space)
		hash_add_rcu(spaces, &new->hash, (unsigned long)new->mm);
	spin_unlock(&spaces_lock);
	if (!space)
		return new;
	lsabuf_space_put(new);
	return space;
}

/**
 * lsabuf_space_put() - drop a reference
 * @space: the space
 *
 * Context: may run under mmap_lock, may sleep.
 */
void lsabuf_space_put(struct lsabuf_space *space)
{
	if (!refcount_dec_and_test(&space->ref))
		return;
	/* lsabuf_space_find() passes over it from now on. */
	spin_lock(&spaces_lock);
	hash_del_rcu(&space->hash);
	spin_unlock(&spaces_lock);
	mmdrop(space->mm);
	kfree_rcu(space, rcu);
}

/**
 * lsabuf_space_watch() - be told when the mm is gone
 * @space: the space of the current mm
 * @watch: with @ref and @gone set; ends with lsabuf_space_unwatch()
 *
 * Context: any.
 */
void lsabuf_space_watch(struct lsabuf_space *space, struct lsabuf_watch *watch)
{
	spin_lock(&space->lock);
	list_add_tail(&watch->list, &space->watches);
	space->nr_watches++;
	spin_unlock(&space->lock);
}

/**
 * lsabuf_space_unwatch() - end a watch, whether it was told or not
 * @space: the space
 * @watch: the watch
 *
 * Context: any.
 */
void lsabuf_space_unwatch(struct lsabuf_space *space,
			  struct lsabuf_watch *watch)
{
	spin_lock(&space->lock);
	if (!list_empty(&watch->list)) {
		list_del_init(&watch->list);
		space->nr_watches--;
	}
	spin_unlock(&space->lock);
}

/**
 * lsabuf_space_start() - address of the first arena
 * @space: the space
 *
 * Return: the address, or 0 without an arena.
 */
unsigned long lsabuf_space_start(struct lsabuf_space *space)
{
	struct lsabuf_arena *arena;
	unsigned long start;

	spin_lock(&space->lock);
	arena = list_first_entry_or_null(&space->arenas, struct lsabuf_arena,
					 list);
	start = arena ? arena->start : 0;
	spin_unlock(&space->lock);
	return start;
}

static bool arena_has_new_pages(struct lsabuf_arena *arena)
{
	return arena->insert_first < arena->insert_end;
}

/* An arena nobody needs: an extra one, or any without a connection left. */
static bool arena_is_idle(struct lsabuf_arena *arena)
{
	return !arena->closing && !arena->heap->live && arena->users == 1 &&
	       (arena->extra || !arena->space->nr_watches);
}

static struct lsabuf_arena *arena_find(struct lsabuf_space *space,
				       bool (*match)(struct lsabuf_arena *))
{
	struct lsabuf_arena *arena;

	lockdep_assert_held(&space->lock);
	list_for_each_entry(arena, &space->arenas, list)
		if (match(arena))
			return arena;
	return NULL;
}

static void space_insert(struct lsabuf_space *space)
{
	struct mm_struct *mm = space->mm;
	struct vm_area_struct *vma;
	struct lsabuf_arena *arena;
	unsigned int first, end;

	for (;;) {
		spin_lock(&space->lock);
		arena = arena_find(space, arena_has_new_pages);
		if (arena) {
			first = arena->insert_first;
			end = arena->insert_end;
			arena->insert_first = 0;
			arena->insert_end = 0;
			arena->users++;
		}
		spin_unlock(&space->lock);
		if (!arena)
			return;

		/* Whoever is killed here will not use the pages. */
		if (!mmap_read_lock_killable(mm)) {
			vma = vma_lookup(mm, arena->start);
			if (vma && vma->vm_ops == &arena_vm_ops &&
			    vma->vm_private_data == arena)
				lsabuf_pages_insert(&arena->pages, first, end,
						    vma);
			mmap_read_unlock(mm);
		}
		arena_put(arena);
	}
}

/* Unmap an arena that is closing; its VMA is what arena_find() has found. */
static bool unmap(struct lsabuf_arena *arena)
{
	struct lsabuf_space *space = arena->space;
	int ret = vm_munmap(arena->start, arena->size);

	if (ret) {
		/* No memory: it can be used, and the next one tries again. */
		spin_lock(&space->lock);
		arena->closing = false;
		spin_unlock(&space->lock);
		set_bit(LSABUF_SPACE_TRIM, &space->chores);
	}
	arena_put(arena);
	return !ret;
}

static void space_trim(struct lsabuf_space *space)
{
	struct lsabuf_arena *arena;

	do {
		spin_lock(&space->lock);
		arena = arena_find(space, arena_is_idle);
		if (arena) {
			arena->closing = true;
			arena->users++;
		}
		spin_unlock(&space->lock);
	} while (arena && unmap(arena));
}

/**
 * lsabuf_space_work() - do what only a thread of the mm itself can do
 * @space: the space of the current mm
 *
 * Inserts the pages of new blocks, so that their first use does not fault, and
 * unmaps arenas that became empty. Nearly always there is nothing to do.
 *
 * Context: process context of the mm, no locks, may sleep.
 */
void lsabuf_space_work(struct lsabuf_space *space)
{
	if (likely(!READ_ONCE(space->chores)))
		return;
	/* Give memory back before page tables take some. */
	if (test_and_clear_bit(LSABUF_SPACE_TRIM, &space->chores))
		space_trim(space);
	if (test_and_clear_bit(LSABUF_SPACE_INSERT, &space->chores))
		space_insert(space);
}

/**
 * lsabuf_space_leave() - a connection of this space has ended
 * @space: the space
 *
 * Unmaps what nobody needs if the current thread can: otherwise that is left
 * to the end of the mm.
 *
 * Context: process context, no locks, may sleep.
 */
void lsabuf_space_leave(struct lsabuf_space *space)
{
	set_bit(LSABUF_SPACE_TRIM, &space->chores);
	if (current->mm == space->mm)
		lsabuf_space_work(space);
}

/* What a space holds at one moment. */
struct figures {
	unsigned int connections;
	unsigned int arenas;
	unsigned int blocks;
	u64 bytes;
	u64 memory;
};

static void count_locked(struct lsabuf_space *space, struct figures *figures)
{
	struct lsabuf_arena *arena;

	lockdep_assert_held(&space->lock);
	*figures = (struct figures){
		.connections = space->nr_watches,
		.arenas = space->nr_arenas,
		.bytes = space->bytes,
	};
	list_for_each_entry(arena, &space->arenas, list) {
		figures->blocks += arena->heap->live;
		figures->memory += (u64)atomic_read(&arena->pages.filled)
				   << PAGE_SHIFT;
	}
}

/**
 * lsabuf_space_show() - describe a space in fdinfo
 * @m: where to
 * @space: the space
 *
 * Context: may sleep.
 */
void lsabuf_space_show(struct seq_file *m, struct lsabuf_space *space)
{
	struct figures figures;

	spin_lock(&space->lock);
	count_locked(space, &figures);
	spin_unlock(&space->lock);
	seq_printf(m, "lsabuf-arenas:\t%u\n", figures.arenas);
	seq_printf(m, "lsabuf-blocks:\t%u\n", figures.blocks);
	seq_printf(m, "lsabuf-bytes:\t%llu\n", figures.bytes);
	seq_printf(m, "lsabuf-bytes-max:\t%llu\n", space->quota);
	seq_printf(m, "lsabuf-memory:\t%llu\n", figures.memory);
}

/**
 * lsabuf_spaces_show() - list the spaces of all clients, one line each
 * @m: where to
 *
 * Context: may sleep.
 */
void lsabuf_spaces_show(struct seq_file *m)
{
	struct lsabuf_space *space;
	struct figures figures;
	unsigned int i;

	for (i = 0; i < HASH_SIZE(spaces); i++) {
		spin_lock(&spaces_lock);
		hlist_for_each_entry(space, &spaces[i], hash) {
			spin_lock(&space->lock);
			count_locked(space, &figures);
			spin_unlock(&space->lock);
			seq_printf(
				m,
				"space pid=%d connections=%u arenas=%u blocks=%u bytes=%llu bytes-max=%llu memory=%llu debuggable=%d\n",
				space->pid, figures.connections, figures.arenas,
				figures.blocks, figures.bytes, space->quota,
				figures.memory, READ_ONCE(space->debuggable));
		}
		spin_unlock(&spaces_lock);
		cond_resched();
	}
}

/* Blocks */

static struct lsabuf_arena *arena_at(struct lsabuf_space *space, u64 address)
{
	struct lsabuf_arena *arena;

	lockdep_assert_held(&space->lock);
	list_for_each_entry(arena, &space->arenas, list)
		if (address - arena->start < arena->size)
			return arena;
	return NULL;
}

/**
 * lsabuf_block_lookup() - find a live block by any address in it
 * @space: the space
 * @address: in the process
 *
 * Context: space->lock held; the block is good while it is.
 * Return: the block; ERR_PTR(-ENOENT) for an address outside of all arenas,
 * ERR_PTR(-EFAULT) for one inside of which no live block is.
 */
struct lsabuf_block *lsabuf_block_lookup(struct lsabuf_space *space,
					 u64 address)
{
	struct lsabuf_arena *arena = arena_at(space, address);
	struct lsabuf_heap_node *node;

	if (!arena)
		return ERR_PTR(-ENOENT);
	node = lsabuf_heap_find(arena->heap, (address - arena->start) >>
						     LSABUF_HEAP_GRANULE_SHIFT);
	if (!node || !to_block(node)->live)
		return ERR_PTR(-EFAULT);
	return to_block(node);
}

static u64 block_size(struct lsabuf_block *block)
{
	return (u64)block->node.size << LSABUF_HEAP_GRANULE_SHIFT;
}

static void block_wipe(struct lsabuf_block *block, u64 id)
{
	u64 begin = trace_lsabuf_wipe_enabled() ? ktime_get_ns() : 0;
	struct lsabuf_arena *arena = block->arena;
	struct lsabuf_space *space = arena->space;
	u64 size = block_size(block);

	lsabuf_pages_wipe(&arena->pages, lsabuf_block_offset(block), size);
	trace_lsabuf_wipe(space, id, lsabuf_block_address(block), size, begin);
}

/* The first step of freeing; one use of the arena lasts until the end. */
static void block_kill(struct lsabuf_block *block)
{
	lockdep_assert_held(&block->arena->space->lock);
	block->live = false;
	if (block->open) {
		/* The open request has one. */
		hlist_del_init(&block->list);
		block->open = NULL;
	} else {
		block->arena->users++;
	}
}

/*
 * Free a block, and drop the lock that the caller holds. From the first step on
 * nobody finds it, so a large one is wiped without the lock; for a small one
 * that would take longer than the lock is worth. Then its range is given back.
 */
static void block_destroy(struct lsabuf_block *block, u64 id)
	__releases(&block->arena->space->lock)
{
	struct lsabuf_arena *arena = block->arena;
	struct lsabuf_space *space = arena->space;
	u64 size = block_size(block);
	bool last;

	block_kill(block);
	if (likely(size <= PAGE_SIZE)) {
		block_wipe(block, id);
	} else {
		spin_unlock(&space->lock);
		block_wipe(block, id);
		spin_lock(&space->lock);
	}
	lsabuf_heap_free(arena->heap, &block->node);
	if (arena->mapped)
		space->bytes -= size;
	last = arena_put_locked(arena);
	if (arena_is_idle(arena))
		set_bit(LSABUF_SPACE_TRIM, &space->chores);
	spin_unlock(&space->lock);
	if (last)
		arena_destroy(arena);
}

/* Whether a process (@owner 0) or an authority, for its request, may free. */
static bool may_free(struct lsabuf_block *block, u64 owner,
		     struct hlist_head *blocks)
{
	if (!owner)
		return !block->open;
	return block->owner == owner && (!block->open || block->open == blocks);
}

static int free_at(struct lsabuf_space *space, u64 address, u64 owner,
		   struct hlist_head *blocks, u64 id)
{
	struct lsabuf_block *block;

	spin_lock(&space->lock);
	block = lsabuf_block_lookup(space, address);
	if (IS_ERR(block) || !may_free(block, owner, blocks) ||
	    lsabuf_block_address(block) != address) {
		spin_unlock(&space->lock);
		return -ENOENT;
	}
	block_destroy(block, id);
	return 0;
}

/**
 * lsabuf_block_free() - free a block that belongs to its process
 * @space: the space
 * @address: the block's first byte
 *
 * Context: no locks, may sleep.
 * Return: 0, or -ENOENT where no such block begins.
 */
int lsabuf_block_free(struct lsabuf_space *space, u64 address)
{
	return free_at(space, address, 0, NULL, 0);
}

/**
 * lsabuf_block_release() - free a block on behalf of an authority
 * @space: the space
 * @address: the block's first byte
 * @owner: the authority's instance: it releases only what it allocated
 * @blocks: list of its open request; blocks of others are not touched
 * @id: that request's
 *
 * Context: no locks, may sleep.
 * Return: 0, or -ENOENT where no such block begins.
 */
int lsabuf_block_release(struct lsabuf_space *space, u64 address, u64 owner,
			 struct hlist_head *blocks, u64 id)
{
	return free_at(space, address, owner, blocks, id);
}

/**
 * lsabuf_blocks_drop() - free all blocks of an open request
 * @space: the space
 * @blocks: the request's list
 * @id: the request's
 *
 * Context: no locks, may sleep.
 */
void lsabuf_blocks_drop(struct lsabuf_space *space, struct hlist_head *blocks,
			u64 id)
{
	struct lsabuf_block *block;

	while (!hlist_empty(blocks)) {
		spin_lock(&space->lock);
		block = hlist_entry_safe(blocks->first, struct lsabuf_block,
					 list);
		if (block)
			block_destroy(block, id);
		else
			spin_unlock(&space->lock);
	}
}

/**
 * lsabuf_blocks_move() - pass all blocks of one list to another
 * @space: the space
 * @from: list of an open request, empty afterwards
 * @to: list of an open request
 *
 * Context: no locks.
 */
void lsabuf_blocks_move(struct lsabuf_space *space, struct hlist_head *from,
			struct hlist_head *to)
{
	struct lsabuf_block *block;
	struct hlist_node *next;

	spin_lock(&space->lock);
	hlist_for_each_entry_safe(block, next, from, list) {
		hlist_del_init(&block->list);
		block->open = to;
		hlist_add_head(&block->list, to);
	}
	spin_unlock(&space->lock);
}

/**
 * lsabuf_blocks_give() - pass all blocks of a request to their process
 * @space: the space
 * @blocks: the request's list, empty afterwards
 *
 * Waits for copies as lsabuf_space_sync() does.
 *
 * Context: no locks, may sleep.
 */
void lsabuf_blocks_give(struct lsabuf_space *space, struct hlist_head *blocks)
{
	struct lsabuf_block *block;
	struct lsabuf_arena *arena;
	struct hlist_node *next;
	LIST_HEAD(unused);

	spin_lock(&space->lock);
	hlist_for_each_entry_safe(block, next, blocks, list) {
		arena = block->arena;
		hlist_del_init(&block->list);
		block->open = NULL;
		/* Unmapped meanwhile: its list head is free for this. */
		if (arena_put_locked(arena))
			list_add(&arena->list, &unused);
	}
	spin_unlock(&space->lock);

	while ((arena = list_first_entry_or_null(&unused, struct lsabuf_arena,
						 list))) {
		list_del(&arena->list);
		arena_destroy(arena);
	}
}

/**
 * lsabuf_space_sync() - wait for the copies of a request that has ended
 * @space: its client's
 *
 * Whoever copies for a request checks its state under space->lock, and copies
 * under it: after this no byte is on its way for a request that was not
 * RECEIVED any more before.
 *
 * Context: no locks.
 */
void lsabuf_space_sync(struct lsabuf_space *space)
{
	spin_lock(&space->lock);
	spin_unlock(&space->lock);
}

/* Whether only a spare node was missing: not worth to know before. */
static bool lacks_node(struct lsabuf_arena *arena, u32 granules)
{
	return lsabuf_heap_hungry(arena->heap) &&
	       granules <= lsabuf_heap_largest(arena->heap);
}

/* A range in any arena of the space. @hungry: one lacked a spare node. */
static struct lsabuf_block *take_range(struct lsabuf_space *space, u32 granules,
				       struct lsabuf_arena **hungry)
{
	struct lsabuf_heap_node *node;
	struct lsabuf_arena *arena;

	lockdep_assert_held(&space->lock);
	list_for_each_entry(arena, &space->arenas, list) {
		if (arena->closing ||
		    granules > arena->heap->granules - arena->heap->used)
			continue;
		node = lsabuf_heap_alloc(arena->heap, granules);
		if (node) {
			to_block(node)->arena = arena;
			return to_block(node);
		}
		if (!*hungry && lacks_node(arena, granules))
			*hungry = arena;
	}
	return NULL;
}

static struct lsabuf_block *new_block(struct lsabuf_space *space, u64 length,
				      struct lsabuf_arena **hungry)
{
	u32 granules = lsabuf_heap_granules(length);
	u64 size = (u64)granules << LSABUF_HEAP_GRANULE_SHIFT;
	struct lsabuf_block *block;

	lockdep_assert_held(&space->lock);
	if (size > space->quota - space->bytes)
		return ERR_PTR(-EDQUOT);
	block = take_range(space, granules, hungry);
	if (!block)
		return ERR_PTR(-ENOSPC);
	space->bytes += size;
	block->arena->users++;
	block->length = length;
	return block;
}

/* Pages have been added: the process' own thread shall insert them. */
static void note_new_pages(struct lsabuf_block *block)
{
	struct lsabuf_arena *arena = block->arena;
	unsigned int first = lsabuf_block_offset(block) >> PAGE_SHIFT;
	unsigned int end =
		PFN_UP(lsabuf_block_offset(block) + block_size(block));

	lockdep_assert_held(&arena->space->lock);
	if (arena_has_new_pages(arena)) {
		first = min(first, arena->insert_first);
		end = max(end, arena->insert_end);
	}
	arena->insert_first = first;
	arena->insert_end = end;
	set_bit(LSABUF_SPACE_INSERT, &arena->space->chores);
}

/* Drops the lock for a while where an arena lacks a spare node. */
static struct lsabuf_block *reserve_block(struct lsabuf_space *space,
					  u64 length) __must_hold(&space->lock)
{
	struct lsabuf_arena *hungry;
	struct lsabuf_block *block;
	int ret;

	for (;;) {
		hungry = NULL;
		block = new_block(space, length, &hungry);
		if (!IS_ERR(block) || !hungry)
			return block;
		hungry->users++;
		spin_unlock(&space->lock);
		ret = arena_add_node(hungry);
		arena_put(hungry);
		spin_lock(&space->lock);
		if (ret)
			return ERR_PTR(ret);
	}
}

/* Drops the lock for a while unless the block is small and has its pages. */
static int fill_block(struct lsabuf_block *block)
	__must_hold(&block->arena->space->lock)
{
	struct lsabuf_space *space = block->arena->space;
	unsigned long offset = lsabuf_block_offset(block);
	u64 size = block_size(block);
	int ret;

	if (likely(lsabuf_pages_filled(&block->arena->pages, offset, size)))
		return 0;
	spin_unlock(&space->lock);
	ret = lsabuf_pages_fill(&block->arena->pages, offset, size, space->mm);
	spin_lock(&space->lock);
	if (ret > 0)
		note_new_pages(block);
	return min(ret, 0);
}

/**
 * lsabuf_block_alloc() - allocate a block with its pages
 * @space: the space; any thread may allocate in it
 * @length: bytes, not 0
 * @owner: the authority's instance
 * @blocks: list of the open request that the block belongs to
 * @address: set to its first byte in the process
 *
 * The block reads zero, and is charged to the cgroup of the space's process.
 * It is freed by lsabuf_blocks_drop(), or passed on by lsabuf_blocks_give().
 * Where another thread can free it, only @address is sure.
 *
 * Context: no locks, may sleep; never waits for the process.
 * Return: the block; ERR_PTR() of -EDQUOT above the quota, -ENOSPC when a
 * further arena is needed (see lsabuf_space_grow()), -ENOMEM.
 */
struct lsabuf_block *lsabuf_block_alloc(struct lsabuf_space *space, u64 length,
					u64 owner, struct hlist_head *blocks,
					u64 *address)
{
	struct lsabuf_block *block;
	int ret;

	if (length > space->quota)
		return ERR_PTR(-EDQUOT);
	spin_lock(&space->lock);
	block = reserve_block(space, length);
	if (IS_ERR(block)) {
		spin_unlock(&space->lock);
		return block;
	}

	block->owner = owner;
	ret = fill_block(block);
	block->open = blocks;
	hlist_add_head(&block->list, blocks);
	block->live = true;
	if (ret) {
		block_destroy(block, 0);
		return ERR_PTR(ret);
	}
	*address = lsabuf_block_address(block);
	spin_unlock(&space->lock);
	return block;
}

/**
 * lsabuf_arena_init() - prepare what arenas need, at module load
 *
 * Return: 0 or -ENOMEM.
 */
int __init lsabuf_arena_init(void)
{
	block_cache = KMEM_CACHE(lsabuf_block, SLAB_ACCOUNT);
	return block_cache ? 0 : -ENOMEM;
}

/**
 * lsabuf_arena_exit() - undo lsabuf_arena_init(); nothing lives any more
 */
void lsabuf_arena_exit(void)
{
	kmem_cache_destroy(block_cache);
}
