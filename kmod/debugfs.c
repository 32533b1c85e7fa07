// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/lsabuf/summary: everything there is, one line each, for
 * root. What a process may know of its own files is in their fdinfo.
 *
 * Without debugfs all of this does nothing.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "authority.h"
#include "debugfs.h"
#include "lsabuf.h"

static struct dentry *directory;

static int summary_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "module version=%s drain=%d debuggable=%d\n",
		   THIS_MODULE->version, READ_ONCE(lsabuf_limits.drain),
		   READ_ONCE(lsabuf_limits.debuggable));
	lsabuf_authorities_show(m);
	lsabuf_spaces_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(summary);

/**
 * lsabuf_debugfs_init() - make the files; that it fails is no harm
 */
void __init lsabuf_debugfs_init(void)
{
	directory = debugfs_create_dir(LSABUF_NAME, NULL);
	debugfs_create_file("summary", 0400, directory, NULL, &summary_fops);
}

/**
 * lsabuf_debugfs_exit() - undo lsabuf_debugfs_init()
 *
 * Waits for readers.
 */
void lsabuf_debugfs_exit(void)
{
	debugfs_remove(directory);
}
