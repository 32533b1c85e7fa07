// SPDX-License-Identifier: GPL-2.0
/*
 * File operations and the command table: copy in, check role and flags, call.
 * Every command is one row; arguments are fetched once.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/lsabuf.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ioctl.h"
#include "lsabuf.h"
#include "request.h"
#include "section.h"
#include "trace.h"
#include "transfer.h"

enum role {
	ROLE_NONE,
	ROLE_CHANGING,
	ROLE_CLIENT,
	ROLE_AUTHORITY,
	ROLE_SECTION,
	ROLE_ENDED,
};

/**
 * struct lsabuf_file - an open file of the device
 * @role: what it is; what follows is set before it is (release/acquire)
 * @mm: memory that the role belongs to, kept by the role's space
 * @client: with ROLE_CLIENT, and kept with ROLE_ENDED
 * @authority: with ROLE_AUTHORITY
 * @section: with ROLE_SECTION
 */
struct lsabuf_file {
	int role;
	struct mm_struct *mm;
	union {
		struct lsabuf_client *client;
		struct lsabuf_authority *authority;
		struct lsabuf_section *section;
	};
};

union argument {
	struct {
		__u32 size;
		__u32 flags;
	};
	struct lsabuf_info info;
	struct lsabuf_serve serve;
	struct lsabuf_connect connect;
	struct lsabuf_disconnect disconnect;
	struct lsabuf_call call;
	struct lsabuf_free free;
	struct lsabuf_reply_receive reply_receive;
	struct lsabuf_alloc alloc;
	struct lsabuf_release release;
	struct lsabuf_copy copy;
	struct lsabuf_identity identity;
	struct lsabuf_endpoint endpoint;
	struct lsabuf_map map;
	struct lsabuf_give give;
	struct lsabuf_section_create section_create;
	struct lsabuf_section_grow section_grow;
	struct lsabuf_section_stat section_stat;
	struct lsabuf_section_revoke section_revoke;
	struct lsabuf_section_share section_share;
	struct lsabuf_section_list section_list;
	struct lsabuf_section_hole section_hole;
};

/* Publish a role after what belongs to it, or go back to none. */
static void set_role(struct lsabuf_file *lfile, int role)
{
	/* Pairs with smp_load_acquire() in get_role(). */
	smp_store_release(&lfile->role, role);
}

static int get_role(struct lsabuf_file *lfile)
{
	/* Pairs with smp_store_release() in set_role(). */
	return smp_load_acquire(&lfile->role);
}

static int take_role(struct lsabuf_file *lfile)
{
	return cmpxchg(&lfile->role, ROLE_NONE, ROLE_CHANGING) == ROLE_NONE ?
		       0 :
		       -EBUSY;
}

/* The connection of a file, which it keeps when it has been given up */
static void tell_connection(struct lsabuf_file *lfile, struct lsabuf_info *info)
{
	int role = get_role(lfile);

	if (role != ROLE_CLIENT && role != ROLE_ENDED)
		return;
	info->out_client = lfile->client->id;
	lsabuf_authority_tell(lfile->client, &info->out_authority_pid,
			      &info->out_authority_uid,
			      &info->out_authority_start);
}

static int ioctl_info(struct file *file, union argument *arg, void __user *user)
{
	struct lsabuf_info *info = &arg->info;

	info->out_abi_version = LSABUF_ABI_VERSION;
	info->out_max_ranges = LSABUF_MAX_RANGES;
	info->out_features = LSABUF_FEATURE_MAP | LSABUF_FEATURE_CONNECTION |
			     LSABUF_FEATURE_SECTIONS | LSABUF_FEATURE_HOLES |
			     LSABUF_FEATURE_FILES;
	info->out_max_submit = lsabuf_limits.max_submit;
	info->out_client_quota = lsabuf_limits.client_quota;
	info->out_chore_budget_ns =
		(u64)lsabuf_limits.chore_budget_ms * NSEC_PER_MSEC;
	memset_after(info, 0, out_chore_budget_ns);
	tell_connection(file->private_data, info);
	/* No more than the program has room for. */
	if (copy_to_user(user, info, min_t(size_t, info->size, sizeof(*info))))
		return -EFAULT;
	return 0;
}

static int ioctl_serve(struct file *file, union argument *arg,
		       void __user *user)
{
	struct lsabuf_file *lfile = file->private_data;
	struct lsabuf_authority *authority;
	int ret;

	if (arg->serve.__reserved)
		return -EOPNOTSUPP;
	if (READ_ONCE(lsabuf_limits.drain))
		return -ENODEV;
	ret = take_role(lfile);
	if (ret)
		return ret;
	authority =
		lsabuf_authority_serve(&arg->serve, file_inode(file)->i_uid);
	if (IS_ERR(authority)) {
		set_role(lfile, ROLE_NONE);
		return PTR_ERR(authority);
	}
	if (copy_to_user(user, &arg->serve, sizeof(arg->serve))) {
		lsabuf_authority_release(authority);
		set_role(lfile, ROLE_NONE);
		return -EFAULT;
	}
	lfile->authority = authority;
	lfile->mm = current->mm;
	set_role(lfile, ROLE_AUTHORITY);
	return 0;
}

static int ioctl_connect(struct file *file, union argument *arg,
			 void __user *user)
{
	struct lsabuf_connect *connect = &arg->connect;
	struct lsabuf_file *lfile = file->private_data;
	struct lsabuf_client *client;
	int ret;

	if (READ_ONCE(lsabuf_limits.drain))
		return -ENODEV;
	ret = take_role(lfile);
	if (ret)
		return ret;
	client = lsabuf_authority_connect(connect);
	if (IS_ERR(client)) {
		set_role(lfile, ROLE_NONE);
		return PTR_ERR(client);
	}
	if (copy_to_user(user, connect, sizeof(*connect))) {
		lsabuf_authority_disconnect(client);
		lsabuf_client_put(client);
		set_role(lfile, ROLE_NONE);
		return -EFAULT;
	}
	lfile->client = client;
	lfile->mm = current->mm;
	set_role(lfile, ROLE_CLIENT);
	return 0;
}

static int ioctl_disconnect(struct file *file, union argument *arg,
			    void __user *user)
{
	struct lsabuf_file *lfile = file->private_data;

	/* Another thread may be in CALL: the client goes with the file. */
	if (cmpxchg(&lfile->role, ROLE_CLIENT, ROLE_ENDED) != ROLE_CLIENT)
		return -EPERM;
	lsabuf_authority_disconnect(lfile->client);
	return 0;
}

static int ioctl_call(struct file *file, union argument *arg, void __user *user)
{
	struct lsabuf_file *lfile = file->private_data;

	if (arg->call.connection &&
	    arg->call.connection != (u32)lfile->client->id)
		return -EPERM;
	return lsabuf_request_call(lfile->client, &arg->call, user);
}

static int free_block(struct lsabuf_space *space, u64 address)
{
	int ret = lsabuf_block_free(space, address);

	lsabuf_space_work(space);
	return ret;
}

static int ioctl_free(struct file *file, union argument *arg, void __user *user)
{
	struct lsabuf_file *lfile = file->private_data;
	struct lsabuf_space *space = NULL;
	int role = get_role(lfile);
	int ret = -ENOENT;

	/* A client's own file knows the space: no need to search for it. */
	if (role == ROLE_CLIENT || role == ROLE_ENDED)
		ret = free_block(lfile->client->space, arg->free.address);
	else
		space = lsabuf_space_find();
	if (space) {
		ret = free_block(space, arg->free.address);
		lsabuf_space_put(space);
	}
	trace_lsabuf_free(task_tgid_nr(current), 0, arg->free.address, ret);
	return ret;
}

static int ioctl_reply_receive(struct file *file, union argument *arg,
			       void __user *user)
{
	struct lsabuf_file *lfile = file->private_data;

	if (arg->reply_receive.__reserved)
		return -EOPNOTSUPP;
	return lsabuf_request_answer(lfile->authority, &arg->reply_receive,
				     user);
}

static int ioctl_alloc(struct file *file, union argument *arg,
		       void __user *user)
{
	struct lsabuf_file *lfile = file->private_data;

	return lsabuf_request_alloc(lfile->authority, &arg->alloc, user);
}

static int ioctl_release(struct file *file, union argument *arg,
			 void __user *user)
{
	struct lsabuf_file *lfile = file->private_data;

	return lsabuf_request_release(lfile->authority, &arg->release);
}

static int ioctl_copy(struct file *file, union argument *arg, void __user *user)
{
	struct lsabuf_file *lfile = file->private_data;

	if (arg->copy.__reserved)
		return -EOPNOTSUPP;
	return lsabuf_request_copy(lfile->authority, &arg->copy, user);
}

static int ioctl_identity(struct file *file, union argument *arg,
			  void __user *user)
{
	struct lsabuf_file *lfile = file->private_data;

	if (arg->identity.__reserved)
		return -EOPNOTSUPP;
	return lsabuf_request_identity(lfile->authority, &arg->identity, user);
}

static int ioctl_endpoint(struct file *file, union argument *arg,
			  void __user *user)
{
	if (arg->endpoint.__reserved)
		return -EOPNOTSUPP;
	return lsabuf_authority_permit(&arg->endpoint, file_inode(file)->i_uid);
}

static int ioctl_map(struct file *file, union argument *arg, void __user *user)
{
	struct lsabuf_file *lfile = file->private_data;

	if (arg->map.__reserved)
		return -EOPNOTSUPP;
	return lsabuf_request_map(lfile->authority, &arg->map);
}

static int ioctl_give(struct file *file, union argument *arg, void __user *user)
{
	struct lsabuf_file *lfile = file->private_data;

	if (arg->give.__reserved || arg->give.__reserved2)
		return -EOPNOTSUPP;
	return lsabuf_request_give(lfile->authority, &arg->give, user);
}

/* A file of the device that is an authority of this process, counted. */
static struct file *get_authority_file(int fd)
{
	struct file *file = fget(fd);
	struct lsabuf_file *lfile;

	if (!file)
		return ERR_PTR(-EBADF);
	lfile = file->private_data;
	if (file->f_op == &lsabuf_fops && get_role(lfile) == ROLE_AUTHORITY &&
	    lfile->mm == current->mm)
		return file;
	fput(file);
	return ERR_PTR(-EPERM);
}

static struct lsabuf_section *
create_section(struct lsabuf_section_create *create, void __user *user)
{
	struct file *file = get_authority_file(create->authority);
	struct lsabuf_section *section;
	struct lsabuf_file *lfile;

	if (IS_ERR(file))
		return ERR_CAST(file);
	lfile = file->private_data;
	section = lsabuf_request_create_section(lfile->authority, create);
	fput(file);
	if (IS_ERR(section))
		return section;
	if (copy_to_user(user, create, sizeof(*create))) {
		lsabuf_section_destroy(section);
		return ERR_PTR(-EFAULT);
	}
	return section;
}

static int ioctl_section_create(struct file *file, union argument *arg,
				void __user *user)
{
	struct lsabuf_file *lfile = file->private_data;
	struct lsabuf_section *section;
	int ret;

	if (arg->section_create.__reserved)
		return -EOPNOTSUPP;
	ret = take_role(lfile);
	if (ret)
		return ret;
	section = create_section(&arg->section_create, user);
	if (IS_ERR(section)) {
		set_role(lfile, ROLE_NONE);
		return PTR_ERR(section);
	}
	lfile->section = section;
	lfile->mm = current->mm;
	set_role(lfile, ROLE_SECTION);
	return 0;
}

static int ioctl_section_grow(struct file *file, union argument *arg,
			      void __user *user)
{
	struct lsabuf_section_grow *grow = &arg->section_grow;
	struct lsabuf_file *lfile = file->private_data;
	int ret;

	ret = lsabuf_section_grow(lfile->section, &grow->committed,
				  grow->flags & LSABUF_SECTION_GROW_F_SHRINK);
	if (ret)
		return ret;
	return copy_to_user(user, grow, sizeof(*grow)) ? -EFAULT : 0;
}

static int ioctl_section_stat(struct file *file, union argument *arg,
			      void __user *user)
{
	struct lsabuf_section_stat *stat = &arg->section_stat;
	struct lsabuf_file *lfile = file->private_data;

	lsabuf_section_stat(lfile->section, stat);
	/* No more than the program has room for. */
	return copy_to_user(user, stat,
			    min_t(size_t, stat->size, sizeof(*stat))) ?
		       -EFAULT :
		       0;
}

static int ioctl_section_revoke(struct file *file, union argument *arg,
				void __user *user)
{
	struct lsabuf_file *lfile = file->private_data;

	lsabuf_section_revoke(lfile->section);
	return 0;
}

static int ioctl_section_share(struct file *file, union argument *arg,
			       void __user *user)
{
	struct lsabuf_file *lfile = file->private_data;

	return lsabuf_request_share(lfile->section, &arg->section_share, user);
}

static int ioctl_section_hole(struct file *file, union argument *arg,
			      void __user *user)
{
	struct lsabuf_section_hole *hole = &arg->section_hole;
	struct lsabuf_file *lfile = file->private_data;

	return lsabuf_section_hole(lfile->section, hole->start, hole->length,
				   hole->flags & LSABUF_SECTION_HOLE_F_FILL);
}

/* More than a process has of any use */
#define LIST_MAX 65536U

static int list_views(struct lsabuf_space *space,
		      struct lsabuf_section_list *list)
{
	unsigned int nr = min(list->nr_views, LIST_MAX);
	struct lsabuf_view *views;
	int ret = 0;

	/* No more than there are: the number is the caller's. */
	nr = min(nr, lsabuf_views_list(space, NULL, 0));
	views = kvcalloc(nr, sizeof(*views), GFP_KERNEL_ACCOUNT);
	if (!views)
		return -ENOMEM;
	list->nr_views = lsabuf_views_list(space, views, nr);
	nr = min(nr, list->nr_views);
	if (copy_to_user(u64_to_user_ptr(list->views_address), views,
			 array_size(nr, sizeof(*views))))
		ret = -EFAULT;
	kvfree(views);
	return ret;
}

static int ioctl_section_list(struct file *file, union argument *arg,
			      void __user *user)
{
	struct lsabuf_section_list *list = &arg->section_list;
	struct lsabuf_space *space;
	int ret = 0;

	if (list->__reserved)
		return -EOPNOTSUPP;
	space = lsabuf_space_find();
	if (space) {
		ret = list_views(space, list);
		lsabuf_space_put(space);
	} else {
		list->nr_views = 0;
	}
	if (!ret && copy_to_user(user, list, sizeof(*list)))
		ret = -EFAULT;
	return ret;
}

/**
 * struct command - one row of the table
 * @execute: the handler
 * @number: LSABUF_IOC_*
 * @size: of the struct that this kernel knows
 * @min_size: of its first version
 * @flags: flags that it knows
 * @role: of the file; ROLE_NONE where any will do, and ROLE_ENDED where also
 *	one after DISCONNECT will
 */
struct command {
	int (*execute)(struct file *file, union argument *arg,
		       void __user *user);
	unsigned int number;
	u16 size;
	u16 min_size;
	u32 flags;
	int role;
};

#define COMMAND(_NAME, _name, _last, _flags, _role)                    \
	[_IOC_NR(LSABUF_IOC_##_NAME)] = {                              \
		.execute = ioctl_##_name,                              \
		.number = LSABUF_IOC_##_NAME,                          \
		.size = sizeof(struct lsabuf_##_name),                 \
		.min_size = offsetofend(struct lsabuf_##_name, _last), \
		.flags = (_flags),                                     \
		.role = (_role),                                       \
	}

static const struct command commands[] = {
	COMMAND(INFO, info, out_chore_budget_ns, 0, ROLE_ENDED),
	COMMAND(SERVE, serve, out_arena_address, LSABUF_SERVE_F_NOTIFY,
		ROLE_NONE),
	COMMAND(CONNECT, connect, out_authority_start,
		LSABUF_CONNECT_F_DEBUGGABLE | LSABUF_CONNECT_F_FILES,
		ROLE_NONE),
	COMMAND(DISCONNECT, disconnect, flags, 0, ROLE_CLIENT),
	COMMAND(CALL, call, out_length,
		LSABUF_CALL_F_NOWAIT | LSABUF_CALL_F_ANY | LSABUF_CALL_F_CANCEL,
		ROLE_CLIENT),
	COMMAND(FREE, free, address, 0, ROLE_ENDED),
	COMMAND(REPLY_RECEIVE, reply_receive, out_start,
		LSABUF_REPLY_RECEIVE_F_RECEIVE | LSABUF_REPLY_RECEIVE_F_NOWAIT |
			LSABUF_REPLY_RECEIVE_F_PAYLOAD,
		ROLE_AUTHORITY),
	COMMAND(ALLOC, alloc, out_address, 0, ROLE_AUTHORITY),
	COMMAND(RELEASE, release, address, 0, ROLE_AUTHORITY),
	COMMAND(COPY, copy, out_done, LSABUF_COPY_F_FROM_CLIENT,
		ROLE_AUTHORITY),
	COMMAND(IDENTITY, identity, out_capabilities, 0, ROLE_AUTHORITY),
	COMMAND(ENDPOINT, endpoint, __reserved,
		LSABUF_ENDPOINT_F_GROUP | LSABUF_ENDPOINT_F_REMOVE, ROLE_NONE),
	COMMAND(MAP, map, __reserved, 0, ROLE_AUTHORITY),
	COMMAND(GIVE, give, __reserved2, 0, ROLE_AUTHORITY),
	COMMAND(SECTION_CREATE, section_create, out_address, 0, ROLE_NONE),
	COMMAND(SECTION_GROW, section_grow, committed,
		LSABUF_SECTION_GROW_F_SHRINK, ROLE_SECTION),
	COMMAND(SECTION_STAT, section_stat, out_flags, 0, ROLE_SECTION),
	COMMAND(SECTION_REVOKE, section_revoke, flags, 0, ROLE_SECTION),
	COMMAND(SECTION_SHARE, section_share, out_address,
		LSABUF_SECTION_SHARE_F_READONLY |
			LSABUF_SECTION_SHARE_F_SAME_ADDRESS,
		ROLE_SECTION),
	COMMAND(SECTION_LIST, section_list, __reserved, 0, ROLE_ENDED),
	COMMAND(SECTION_HOLE, section_hole, length, LSABUF_SECTION_HOLE_F_FILL,
		ROLE_SECTION),
};

/* A file with a role works only from the memory that took it. */
static int check_role(struct lsabuf_file *lfile, int needed)
{
	int role = get_role(lfile);

	if (role > ROLE_CHANGING && lfile->mm != current->mm)
		return -EPERM;
	if (needed == ROLE_ENDED)
		return 0;
	if (needed == ROLE_NONE)
		return role == ROLE_ENDED ? -EPERM : 0;
	return role == needed ? 0 : -EPERM;
}

/* An argument of another size than this kernel's, or that is not there. */
static noinline int fetch_other(union argument *arg,
				const struct command *command,
				const void __user *user)
{
	u32 size;
	int ret;

	if (get_user(size, (const u32 __user *)user))
		return -EFAULT;
	if (size < command->min_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	ret = copy_struct_from_user(arg, command->size, user, size);
	/* Checked once, so it is what every later copy goes by. */
	arg->size = size;
	return ret;
}

/*
 * The argument of a command: what copy_struct_from_user() does, but faster. All
 * of it is taken from one fetch: where its size turns out to be another, and
 * the rest to mean nothing, from a second one alone.
 */
static int fetch(union argument *arg, const struct command *command,
		 const void __user *user)
{
	might_fault();
	if (unlikely(!access_ok(user, command->size)))
		return fetch_other(arg, command, user);
	barrier_nospec();
	if (unlikely(lsabuf_copy_in(arg, user, command->size) ||
		     arg->size != command->size))
		return fetch_other(arg, command, user);
	return 0;
}

static long lsabuf_fop_ioctl(struct file *file, unsigned int number,
			     unsigned long address)
{
	void __user *user = (void __user *)address;
	unsigned int nr = _IOC_NR(number);
	const struct command *command;
	union argument arg __uninitialized;
	int ret;

	if (nr >= ARRAY_SIZE(commands))
		return -ENOTTY;
	command = &commands[array_index_nospec(nr, ARRAY_SIZE(commands))];
	if (command->number != number)
		return -ENOTTY;
	ret = fetch(&arg, command, user);
	if (ret)
		return ret;
	if (arg.flags & ~command->flags)
		return -EOPNOTSUPP;
	ret = check_role(file->private_data, command->role);
	return ret ?: command->execute(file, &arg, user);
}

static int lsabuf_fop_open(struct inode *inode, struct file *file)
{
	struct lsabuf_file *lfile;

	lfile = kzalloc(sizeof(*lfile), GFP_KERNEL_ACCOUNT);
	if (!lfile)
		return -ENOMEM;
	file->private_data = lfile;
	return nonseekable_open(inode, file);
}

static int lsabuf_fop_release(struct inode *inode, struct file *file)
{
	struct lsabuf_file *lfile = file->private_data;

	switch (lfile->role) {
	case ROLE_AUTHORITY:
		lsabuf_authority_release(lfile->authority);
		break;
	case ROLE_SECTION:
		lsabuf_section_close(lfile->section);
		break;
	case ROLE_CLIENT:
	case ROLE_ENDED:
		lsabuf_authority_disconnect(lfile->client);
		lsabuf_client_put(lfile->client);
		break;
	}
	kfree(lfile);
	return 0;
}

static __poll_t poll_client(struct lsabuf_client *client, struct file *file,
			    poll_table *table)
{
	__poll_t events = 0;

	poll_wait(file, &client->wait, table);
	poll_wait(file, &client->queue->hangup, table);
	if (!list_empty_careful(&client->done))
		events |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(client->queue->dead) || READ_ONCE(client->dead))
		events |= EPOLLHUP;
	return events;
}

static __poll_t poll_authority(struct lsabuf_authority *authority,
			       struct file *file, poll_table *table)
{
	poll_wait(file, &authority->queue.wait, table);
	if (READ_ONCE(authority->queue.dead))
		return EPOLLHUP;
	return lsabuf_queue_readable(&authority->queue) ?
		       EPOLLIN | EPOLLRDNORM :
		       0;
}

static __poll_t lsabuf_fop_poll(struct file *file, poll_table *table)
{
	struct lsabuf_file *lfile = file->private_data;

	switch (get_role(lfile)) {
	case ROLE_AUTHORITY:
		return poll_authority(lfile->authority, file, table);
	case ROLE_CLIENT:
	case ROLE_ENDED:
		return poll_client(lfile->client, file, table);
	default:
		return EPOLLERR;
	}
}

static void lsabuf_fop_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct lsabuf_file *lfile = file->private_data;

	switch (get_role(lfile)) {
	case ROLE_AUTHORITY:
		lsabuf_authority_show(m, lfile->authority);
		break;
	case ROLE_SECTION:
		lsabuf_section_show(m, lfile->section);
		break;
	case ROLE_CLIENT:
	case ROLE_ENDED:
		lsabuf_authority_show_client(m, lfile->client);
		break;
	default:
		seq_puts(m, "lsabuf-role:\tnone\n");
	}
}

const struct file_operations lsabuf_fops = {
	.owner = THIS_MODULE,
	.open = lsabuf_fop_open,
	.release = lsabuf_fop_release,
	.unlocked_ioctl = lsabuf_fop_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.poll = lsabuf_fop_poll,
	.show_fdinfo = lsabuf_fop_show_fdinfo,
};
