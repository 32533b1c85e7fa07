// SPDX-License-Identifier: GPL-2.0
/*
 * Sections: memory that an authority shares with clients.
 *
 * A section is a shmem file without a name: the kernel does for it what it does
 * for all shared memory. What is reserved is the length of the mappings, what
 * is committed the size of the file: so growth changes no mapping. All pages
 * within it are there, but for the holes that the authority makes and fills.
 *
 * An access finds a page or raises SIGBUS; it never allocates. shmem's own
 * faults would: views have theirs.
 *
 * Each view maps a struct file of its own, of the same inode: its mode decides
 * whether the view can ever be written, its release tells that the view is
 * gone, and that it offers nothing but mmap keeps anybody from punching holes.
 * No descriptor leads to any of these files.
 */
#include <linux/cred.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/lsabuf.h>
#include <linux/memcontrol.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "compat.h"
#include "lsabuf.h"
#include "section.h"
#include "trace.h"

/* Between which parts of the usual address space sections lie, of EIGHTHS */
#define EIGHTHS 8
#define WINDOW_FIRST 3
#define WINDOW_END 5
/* Places that are tried there; nearly all of it is free */
#define PLACES 16

/**
 * struct section_account - what is in the sections of an authority or a user
 * @list: among the accounts (accounts_lock, as all of it)
 * @uid: effective user who served
 * @instance: the authority's, or 0 for all of the user's
 * @sections: number of sections; the account goes with the last
 * @bytes: committed in them
 */
struct section_account {
	struct list_head list;
	kuid_t uid;
	u64 instance;
	unsigned int sections;
	u64 bytes;
};

/**
 * struct view - one mapping of a section, as @private_data of its file
 * @list: in the space's @views while it is mapped (space->lock)
 * @section: of what, counted (constant)
 * @space: in whom, counted, or NULL (set by who maps it, then constant)
 * @client: id of the connection (set likewise)
 * @address: where (set likewise)
 * @readonly: it cannot be written (constant)
 */
struct view {
	struct list_head list;
	struct lsabuf_section *section;
	struct lsabuf_space *space;
	u64 client;
	u64 address;
	bool readonly;
};

static DEFINE_SPINLOCK(accounts_lock);
static LIST_HEAD(accounts);

/* Accounts */

static struct section_account *find_account(kuid_t uid, u64 instance)
{
	struct section_account *account;

	lockdep_assert_held(&accounts_lock);
	list_for_each_entry(account, &accounts, list)
		if (uid_eq(account->uid, uid) && account->instance == instance)
			return account;
	return NULL;
}

/* An account with one section more, or ERR_PTR() of -EDQUOT, -ENOMEM. */
static struct section_account *account_join(kuid_t uid, u64 instance,
					    unsigned int limit,
					    enum lsabuf_quota quota)
{
	struct section_account *account, *new;

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return ERR_PTR(-ENOMEM);
	new->uid = uid;
	new->instance = instance;
	spin_lock(&accounts_lock);
	account = find_account(uid, instance);
	if (!account) {
		list_add(&new->list, &accounts);
		account = new;
		new = NULL;
	}
	if (account->sections < limit)
		account->sections++;
	else
		account = ERR_PTR(-EDQUOT);
	spin_unlock(&accounts_lock);
	if (IS_ERR(account))
		trace_lsabuf_quota_refused(quota, 0, 0, 1, limit, limit);
	kfree(new);
	return account;
}

static void account_leave(struct section_account *account)
{
	spin_lock(&accounts_lock);
	if (--account->sections)
		account = NULL;
	else
		list_del(&account->list);
	spin_unlock(&accounts_lock);
	kfree(account);
}

static int accounts_join(struct lsabuf_section *section,
			 struct lsabuf_authority *authority)
{
	struct section_account *own, *all;

	own = account_join(authority->uid, authority->queue.instance,
			   lsabuf_limits.authority_sections,
			   LSABUF_QUOTA_AUTHORITY_SECTIONS);
	if (IS_ERR(own))
		return PTR_ERR(own);
	all = account_join(authority->uid, 0, lsabuf_limits.user_sections,
			   LSABUF_QUOTA_USER_SECTIONS);
	if (IS_ERR(all)) {
		account_leave(own);
		return PTR_ERR(all);
	}
	section->accounts[0] = own;
	section->accounts[1] = all;
	return 0;
}

static int accounts_charge(struct lsabuf_section *section, u64 bytes)
{
	struct section_account *own = section->accounts[0];
	struct section_account *all = section->accounts[1];
	enum lsabuf_quota quota = LSABUF_QUOTA_AUTHORITY_SHARED;
	u64 limit = lsabuf_limits.authority_shared, used;
	int ret = -EDQUOT;

	spin_lock(&accounts_lock);
	used = own->bytes;
	if (bytes <= limit - used) {
		quota = LSABUF_QUOTA_USER_SHARED;
		limit = lsabuf_limits.user_shared;
		used = all->bytes;
		if (bytes <= limit - used) {
			own->bytes += bytes;
			all->bytes += bytes;
			ret = 0;
		}
	}
	spin_unlock(&accounts_lock);
	if (!ret)
		WRITE_ONCE(section->bytes, section->bytes + bytes);
	else
		trace_lsabuf_quota_refused(quota, 0, 0, bytes, used, limit);
	return ret;
}

static void accounts_uncharge(struct lsabuf_section *section, u64 bytes)
{
	spin_lock(&accounts_lock);
	section->accounts[0]->bytes -= bytes;
	section->accounts[1]->bytes -= bytes;
	spin_unlock(&accounts_lock);
	WRITE_ONCE(section->bytes, section->bytes - bytes);
}

/* Memory */

static void section_put(struct lsabuf_section *section)
{
	if (!refcount_dec_and_test(&section->ref))
		return;
	fput(section->memory);
	accounts_uncharge(section, section->bytes);
	account_leave(section->accounts[0]);
	account_leave(section->accounts[1]);
	kfree(section);
}

/*
 * Pages that are allocated but hold no data yet are zeroed by who first looks
 * at them: do that here, so that no access has to.
 */
static int zero_pages(struct address_space *mapping, u64 start, u64 end)
{
	struct page *page;
	pgoff_t i;

	for (i = start >> PAGE_SHIFT; i < end >> PAGE_SHIFT; i++) {
		page = shmem_read_mapping_page_gfp(mapping, i,
						   mapping_gfp_mask(mapping));
		if (IS_ERR(page))
			return PTR_ERR(page);
		put_page(page);
		cond_resched();
	}
	return 0;
}

/* Count only the pages that are there: none comes but by a command. */
static void settle_accounts(struct lsabuf_section *section)
{
	u64 there = (u64)section->memory->f_mapping->nrpages << PAGE_SHIFT;

	lockdep_assert_held(&section->size_mutex);
	if (there < section->bytes)
		accounts_uncharge(section, section->bytes - there);
}

/*
 * Give pages back, all from @start on if @length is 0. Whoever maps a page has
 * it locked, as who takes it away: none stays mapped.
 */
static void drop_pages(struct lsabuf_section *section, u64 start, u64 length)
{
	struct inode *inode = file_inode(section->memory);

	unmap_mapping_range(inode->i_mapping, start, length, 1);
	shmem_truncate_range(inode, start, length ? start + length - 1 : -1);
}

static void truncate_memory(struct lsabuf_section *section, u64 size)
{
	struct inode *inode = file_inode(section->memory);

	lockdep_assert_held(&section->size_mutex);
	inode_lock(inode);
	i_size_write(inode, size);
	drop_pages(section, size, 0);
	inode_unlock(inode);
	settle_accounts(section);
	WRITE_ONCE(section->committed, size);
}

static int fill_memory(struct lsabuf_section *section, u64 start, u64 end)
{
	struct mem_cgroup *old = set_active_memcg(section->memcg);
	int ret;

	/* Raises the size once all is there; on failure nothing is left. */
	ret = vfs_fallocate(section->memory, 0, start, end - start);
	if (!ret)
		ret = zero_pages(section->memory->f_mapping, start, end);
	set_active_memcg(old);
	return !ret || ret == -EINTR ? ret : -ENOMEM;
}

static int commit(struct lsabuf_section *section, u64 end)
{
	u64 start = section->committed;
	int ret;

	lockdep_assert_held(&section->size_mutex);
	/* The file system would send a signal. */
	if (end > rlimit(RLIMIT_FSIZE))
		return -ENOMEM;
	ret = accounts_charge(section, end - start);
	if (ret)
		return ret;
	ret = fill_memory(section, start, end);
	WRITE_ONCE(section->committed, end);
	if (ret)
		truncate_memory(section, start);
	return ret;
}

/**
 * lsabuf_section_grow() - commit more of a section, or less
 * @section: the section; the caller holds its file
 * @committed: bytes wanted; then those that are
 * @shrink: less is meant
 *
 * Context: process context, no locks, sleeps.
 * Return: 0 or -errno, see struct lsabuf_section_grow.
 */
int lsabuf_section_grow(struct lsabuf_section *section, u64 *committed,
			bool shrink)
{
	u64 end = *committed;
	int ret = 0;

	if (end > section->max)
		return -EINVAL;
	end = PAGE_ALIGN(end);
	if (mutex_lock_killable(&section->size_mutex))
		return -EINTR;
	if (section->revoked)
		ret = -EPERM;
	else if (end > section->committed)
		ret = commit(section, end);
	else if (shrink && end < section->committed)
		truncate_memory(section, end);
	*committed = section->committed;
	mutex_unlock(&section->size_mutex);
	trace_lsabuf_section_grow(section->id, *committed, ret);
	return ret;
}

static void make_hole(struct lsabuf_section *section, u64 start, u64 length)
{
	struct inode *inode = file_inode(section->memory);

	inode_lock(inode);
	drop_pages(section, start, length);
	inode_unlock(inode);
	settle_accounts(section);
}

static u64 missing_bytes(struct address_space *mapping, u64 start, u64 end)
{
	u64 missing = 0;
	pgoff_t i;

	for (i = start >> PAGE_SHIFT; i < end >> PAGE_SHIFT; i++) {
		if (!xa_load(&mapping->i_pages, i))
			missing += PAGE_SIZE;
		cond_resched();
	}
	return missing;
}

static int fill_holes(struct lsabuf_section *section, u64 start, u64 end)
{
	u64 bytes = missing_bytes(section->memory->f_mapping, start, end);
	int ret;

	if (!bytes)
		return 0;
	ret = accounts_charge(section, bytes);
	if (ret)
		return ret;
	ret = fill_memory(section, start, end);
	settle_accounts(section);
	return ret;
}

static int change_hole(struct lsabuf_section *section, u64 start, u64 length,
		       bool fill)
{
	lockdep_assert_held(&section->size_mutex);
	if (section->revoked)
		return -EPERM;
	if (start > section->committed || length > section->committed - start)
		return -EINVAL;
	if (fill)
		return fill_holes(section, start, start + length);
	make_hole(section, start, length);
	return 0;
}

/**
 * lsabuf_section_hole() - give back pages of a section, or have them again
 * @section: the section; the caller holds its file
 * @start: first byte
 * @length: bytes
 * @fill: commit what is missing there
 *
 * Context: process context, no locks, sleeps.
 * Return: 0 or -errno, see struct lsabuf_section_hole.
 */
int lsabuf_section_hole(struct lsabuf_section *section, u64 start, u64 length,
			bool fill)
{
	int ret;

	if (!length || !PAGE_ALIGNED(start | length))
		return -EINVAL;
	if (mutex_lock_killable(&section->size_mutex))
		return -EINTR;
	ret = change_hole(section, start, length, fill);
	mutex_unlock(&section->size_mutex);
	trace_lsabuf_section_hole(section->id, start, length, fill, ret);
	return ret;
}

/**
 * lsabuf_section_revoke() - end all access
 * @section: the section; the caller holds its file
 *
 * Context: process context, no locks, sleeps.
 */
void lsabuf_section_revoke(struct lsabuf_section *section)
{
	mutex_lock(&section->size_mutex);
	WRITE_ONCE(section->revoked, true);
	truncate_memory(section, 0);
	mutex_unlock(&section->size_mutex);
	trace_lsabuf_section_revoke(section->id,
				    atomic_read(&section->nr_views));
}

/* Views */

/* Only what is there; a page that is being committed has no bytes yet. */
static vm_fault_t view_vm_fault(struct vm_fault *vmf)
{
	struct address_space *mapping = vmf->vma->vm_file->f_mapping;
	struct folio *folio = filemap_lock_folio(mapping, vmf->pgoff);

	if (IS_ERR_OR_NULL(folio))
		return VM_FAULT_SIGBUS;
	if (!folio_test_uptodate(folio)) {
		folio_unlock(folio);
		folio_put(folio);
		return VM_FAULT_SIGBUS;
	}
	vmf->page = folio_file_page(folio, vmf->pgoff);
	return VM_FAULT_LOCKED;
}

static const struct vm_operations_struct view_vm_ops = {
	.fault = view_vm_fault,
	.map_pages = filemap_map_pages,
};

static int view_fop_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &view_vm_ops;
	vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY,
		     VM_EXEC | VM_MAYEXEC);
	return 0;
}

static int view_fop_release(struct inode *inode, struct file *file)
{
	struct view *view = file->private_data;
	struct lsabuf_space *space = view->space;

	if (space) {
		spin_lock(&space->lock);
		list_del(&view->list);
		spin_unlock(&space->lock);
		lsabuf_space_put(space);
		atomic_dec(&view->section->nr_views);
	}
	section_put(view->section);
	kfree(view);
	return 0;
}

static const struct file_operations view_fops = {
	.owner = THIS_MODULE,
	.mmap = view_fop_mmap,
	.fsync = noop_fsync,
	.release = view_fop_release,
};

static struct file *view_file(struct lsabuf_section *section, bool readonly)
{
	int flags = readonly ? O_RDONLY : O_RDWR;
	struct view *view;
	struct file *file;

	view = kzalloc(sizeof(*view), GFP_KERNEL_ACCOUNT);
	if (!view)
		return ERR_PTR(-ENOMEM);
	file = dentry_open(&section->memory->f_path, flags | O_LARGEFILE,
			   current_cred());
	if (IS_ERR(file)) {
		kfree(view);
		return ERR_PTR(-ENOMEM);
	}
	INIT_LIST_HEAD(&view->list);
	refcount_inc(&section->ref);
	view->section = section;
	view->readonly = readonly;
	file->private_data = view;
	/* shmem's operations belong to no module; ours drop one at the end. */
	__module_get(THIS_MODULE);
	file->f_op = &view_fops;
	return file;
}

static unsigned long map_file(struct file *file, unsigned long address,
			      int flags)
{
	struct view *view = file->private_data;
	int prot = view->readonly ? PROT_READ : PROT_READ | PROT_WRITE;

	return vm_mmap(file, address, view->section->max, prot,
		       MAP_SHARED | flags, 0);
}

/* Whether @address is taken, or more than a 32-bit process has. */
static unsigned long map_file_at(struct file *file, unsigned long address)
{
	struct view *view = file->private_data;

	if (address >= TASK_SIZE || view->section->max > TASK_SIZE - address)
		return -EEXIST;
	return map_file(file, address, MAP_FIXED_NOREPLACE);
}

static struct view *find_view(struct lsabuf_section *section,
			      struct lsabuf_space *space)
{
	struct view *view;

	lockdep_assert_held(&space->lock);
	list_for_each_entry(view, &space->views, list)
		if (view->section == section)
			return view;
	return NULL;
}

/**
 * lsabuf_view_find() - see whether a process has a view of a section
 * @section: the section
 * @space: the process
 * @readonly: the rights that the view is to have
 * @address: where it is
 *
 * Context: no locks.
 * Return: 0, -ENOENT, -EBUSY it has one with other rights.
 */
int lsabuf_view_find(struct lsabuf_section *section, struct lsabuf_space *space,
		     bool readonly, u64 *address)
{
	struct view *view;
	int ret = -ENOENT;

	spin_lock(&space->lock);
	view = find_view(section, space);
	if (view) {
		*address = view->address;
		ret = view->readonly == readonly ? 0 : -EBUSY;
	}
	spin_unlock(&space->lock);
	return ret;
}

static int check_consent(struct lsabuf_section *section,
			 struct lsabuf_client *client)
{
	struct lsabuf_space *space = client->space;
	u64 bytes = section->max;
	unsigned int nr = 1;
	struct view *view;

	spin_lock(&space->lock);
	list_for_each_entry(view, &space->views, list) {
		if (view->client != client->id)
			continue;
		bytes += view->section->max;
		nr++;
	}
	spin_unlock(&space->lock);
	return nr <= client->consent_views && bytes <= client->consent_bytes ?
		       0 :
		       -EACCES;
}

/**
 * lsabuf_view_open() - prepare a view
 * @section: the section
 * @client: who is to have it, and pays for what is needed to tell of it
 * @readonly: it cannot be written
 *
 * Context: process context, may sleep.
 * Return: the file for lsabuf_view_map(), or ERR_PTR() of -EACCES, -EPERM the
 * section was revoked, -ENOMEM.
 */
struct file *lsabuf_view_open(struct lsabuf_section *section,
			      struct lsabuf_client *client, bool readonly)
{
	struct lsabuf_charge charge;
	struct file *file;
	int ret;

	if (READ_ONCE(section->revoked))
		return ERR_PTR(-EPERM);
	/* Asked again when it is mapped; this saves a chore in vain. */
	ret = check_consent(section, client);
	if (ret)
		return ERR_PTR(ret);
	lsabuf_charge_begin(&charge, client->space->mm);
	file = view_file(section, readonly);
	lsabuf_charge_end(&charge);
	return file;
}

/* With space->views_mutex: nobody else adds a view to this process. */
static int map_view(struct file *file, struct lsabuf_client *client, bool exact)
{
	struct lsabuf_space *space = client->space;
	struct view *view = file->private_data;
	unsigned long address;
	int ret;

	ret = check_consent(view->section, client);
	if (ret)
		return ret;
	address = map_file_at(file, view->section->address);
	if (address == -EEXIST && !exact)
		address = map_file(file, 0, 0);
	if (IS_ERR_VALUE(address))
		return address == -EEXIST ? -EEXIST : -ENOMEM;

	refcount_inc(&space->ref);
	view->space = space;
	view->client = client->id;
	view->address = address;
	atomic_inc(&view->section->nr_views);
	spin_lock(&space->lock);
	list_add_tail(&view->list, &space->views);
	spin_unlock(&space->lock);
	return 0;
}

/**
 * lsabuf_view_map() - map a view into the current process
 * @file: from lsabuf_view_open(), not yet mapped; the caller keeps its reference
 * @client: of the current mm
 * @exact: at the authority's address, or not at all
 * @address: where it is
 *
 * Context: process context of the mm itself, no locks, sleeps.
 * Return: 0 or -errno, see struct lsabuf_section_share.
 */
int lsabuf_view_map(struct file *file, struct lsabuf_client *client, bool exact,
		    u64 *address)
{
	struct lsabuf_space *space = client->space;
	struct view *view = file->private_data;
	int ret;

	if (WARN_ON_ONCE(current->mm != space->mm))
		return -EPERM;
	if (mutex_lock_killable(&space->views_mutex))
		return -EINTR;
	/* Another thread of the process may have been asked the same. */
	ret = lsabuf_view_find(view->section, space, view->readonly, address);
	if (ret == -ENOENT) {
		ret = map_view(file, client, exact);
		*address = view->address;
	}
	mutex_unlock(&space->views_mutex);
	return ret;
}

/**
 * lsabuf_views_list() - describe the views of a process
 * @space: the process
 * @views: filled in, zeroed before
 * @nr: room in @views
 *
 * Context: no locks.
 * Return: the number of views, which may be more than @nr.
 */
unsigned int lsabuf_views_list(struct lsabuf_space *space,
			       struct lsabuf_view *views, unsigned int nr)
{
	unsigned int i = 0;
	struct view *view;

	spin_lock(&space->lock);
	list_for_each_entry(view, &space->views, list) {
		if (i < nr) {
			views[i].section = view->section->id;
			views[i].address = view->address;
			views[i].max = view->section->max;
			views[i].committed =
				READ_ONCE(view->section->committed);
			views[i].client = view->client;
			if (view->readonly)
				views[i].flags = LSABUF_VIEW_F_READONLY;
		}
		i++;
	}
	spin_unlock(&space->lock);
	return i;
}

/* Sections */

/* A random place far from where programs and libraries are. */
static int map_own(struct lsabuf_section *section)
{
	/* Where programs are: TASK_SIZE may be far more. */
	u64 eighth = STACK_TOP / EIGHTHS;
	u64 room = (WINDOW_END - WINDOW_FIRST) * eighth;
	unsigned long address = -ENOMEM;
	struct file *file;
	unsigned int i;

	if (section->max > room - PMD_SIZE)
		return -ENOMEM;
	file = view_file(section, false);
	if (IS_ERR(file))
		return PTR_ERR(file);
	room -= section->max;
	for (i = 0; i < PLACES; i++) {
		address = WINDOW_FIRST * eighth + get_random_u64() % room;
		address = ALIGN(address, PMD_SIZE);
		address = map_file(file, address, MAP_FIXED_NOREPLACE);
		if (address != -EEXIST)
			break;
	}
	fput(file);
	if (IS_ERR_VALUE(address))
		return -ENOMEM;
	section->address = address;
	return 0;
}

static struct mem_cgroup *payer_of(struct lsabuf_client *payer)
{
	return get_mem_cgroup_from_mm(payer ? payer->space->mm : current->mm);
}

static struct file *make_memory(void)
{
	struct file *file = lsabuf_shmem_file("lsabuf:[section]");
	struct address_space *mapping;

	if (IS_ERR(file))
		return file;
	/* Nobody who gets at the inode by other ways can open it again. */
	file_inode(file)->i_mode &= ~0777;
	mapping = file->f_mapping;
	mapping_set_unevictable(mapping);
	/* A full cgroup answers ENOMEM: nobody is killed. */
	mapping_set_gfp_mask(mapping, mapping_gfp_mask(mapping) |
					      __GFP_NORETRY | __GFP_NOWARN);
	return file;
}

static struct lsabuf_section *section_alloc(struct lsabuf_authority *authority,
					    u64 max)
{
	static atomic64_t last_section = ATOMIC64_INIT(0);
	struct lsabuf_section *section;
	int ret;

	section = kzalloc(sizeof(*section), GFP_KERNEL_ACCOUNT);
	if (!section)
		return ERR_PTR(-ENOMEM);
	ret = accounts_join(section, authority);
	if (ret)
		goto err_free;
	section->memory = make_memory();
	ret = -ENOMEM;
	if (IS_ERR(section->memory))
		goto err_leave;
	refcount_set(&section->ref, 1);
	section->id = atomic64_inc_return(&last_section);
	section->max = max;
	mutex_init(&section->size_mutex);
	return section;

err_leave:
	account_leave(section->accounts[0]);
	account_leave(section->accounts[1]);
err_free:
	kfree(section);
	return ERR_PTR(ret);
}

static int check_sizes(struct lsabuf_section_create *create,
		       struct lsabuf_client *payer)
{
	if (!create->max || create->committed > create->max ||
	    create->max > LSABUF_SECTION_MAX)
		return -EINVAL;
	create->max = PAGE_ALIGN(create->max);
	create->committed = PAGE_ALIGN(create->committed);
	if (payer && create->max > payer->consent_bytes)
		return -EACCES;
	return 0;
}

/**
 * lsabuf_section_create() - make a section
 * @authority: of the current process
 * @create: as for LSABUF_IOC_SECTION_CREATE, flags checked; filled in
 * @payer: client whose cgroup pays, or NULL for the current process
 *
 * Context: process context, no locks, sleeps.
 * Return: the section, to be ended by lsabuf_section_close(), or ERR_PTR(), see
 * struct lsabuf_section_create.
 */
struct lsabuf_section *
lsabuf_section_create(struct lsabuf_authority *authority,
		      struct lsabuf_section_create *create,
		      struct lsabuf_client *payer)
{
	struct lsabuf_section *section;
	int ret;

	ret = check_sizes(create, payer);
	section = ret ? ERR_PTR(ret) : section_alloc(authority, create->max);
	if (IS_ERR(section)) {
		trace_lsabuf_section_create(0, create->max, create->committed,
					    PTR_ERR(section));
		return section;
	}
	lsabuf_authority_get(authority);
	section->authority = authority;
	section->memcg = payer_of(payer);
	if (create->committed) {
		mutex_lock(&section->size_mutex);
		ret = commit(section, create->committed);
		mutex_unlock(&section->size_mutex);
	}
	if (!ret)
		ret = map_own(section);
	trace_lsabuf_section_create(section->id, section->max,
				    create->committed, ret);
	if (ret) {
		lsabuf_section_close(section);
		return ERR_PTR(ret);
	}
	create->out_section = section->id;
	create->out_address = section->address;
	return section;
}

/**
 * lsabuf_section_destroy() - undo lsabuf_section_create()
 * @section: not known to anybody
 *
 * Context: as for lsabuf_section_create().
 */
void lsabuf_section_destroy(struct lsabuf_section *section)
{
	vm_munmap(section->address, section->max);
	lsabuf_section_close(section);
}

/**
 * lsabuf_section_close() - its file is gone
 * @section: the section; views may go on using it
 *
 * Context: process context, no locks, may sleep.
 */
void lsabuf_section_close(struct lsabuf_section *section)
{
	trace_lsabuf_section_close(section->id,
				   atomic_read(&section->nr_views));
	mem_cgroup_put(section->memcg);
	lsabuf_authority_put(section->authority);
	section->memcg = NULL;
	section->authority = NULL;
	section_put(section);
}

/**
 * lsabuf_section_stat() - figures of a section
 * @section: the section
 * @stat: filled in
 *
 * Context: no locks.
 */
void lsabuf_section_stat(struct lsabuf_section *section,
			 struct lsabuf_section_stat *stat)
{
	stat->out_section = section->id;
	stat->out_address = section->address;
	stat->out_max = section->max;
	stat->out_committed = READ_ONCE(section->committed);
	stat->out_views = atomic_read(&section->nr_views);
	stat->out_flags =
		READ_ONCE(section->revoked) ? LSABUF_SECTION_F_REVOKED : 0;
	stat->out_memory = READ_ONCE(section->bytes);
}

/**
 * lsabuf_section_show() - describe a section in fdinfo
 * @m: where to
 * @section: the section
 *
 * Context: may sleep.
 */
void lsabuf_section_show(struct seq_file *m, struct lsabuf_section *section)
{
	struct lsabuf_section_stat stat = {};

	lsabuf_section_stat(section, &stat);
	seq_puts(m, "lsabuf-role:\tsection\n");
	lsabuf_endpoint_show(m, "lsabuf-endpoint:\t",
			     section->authority->endpoint, "\n");
	seq_printf(m, "lsabuf-section:\t%llu\n", stat.out_section);
	seq_printf(m, "lsabuf-address:\t0x%llx\n", stat.out_address);
	seq_printf(m, "lsabuf-committed:\t%llu\n", stat.out_committed);
	seq_printf(m, "lsabuf-committed-max:\t%llu\n", stat.out_max);
	seq_printf(m, "lsabuf-memory:\t%llu\n", stat.out_memory);
	seq_printf(m, "lsabuf-views:\t%u\n", stat.out_views);
	seq_printf(m, "lsabuf-revoked:\t%u\n", stat.out_flags);
}
