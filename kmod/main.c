// SPDX-License-Identifier: GPL-2.0
/*
 * Module entry: parameters, device.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/lsabuf.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "arena.h"
#include "authority.h"
#include "debugfs.h"
#include "ioctl.h"
#include "lsabuf.h"
#include "queue.h"

struct lsabuf_limits lsabuf_limits = {
	.client_arena = SZ_256K,
	.client_quota = SZ_64M,
	.authority_arena = SZ_64M,
	.max_submit = SZ_16M,
	.user_submit = SZ_32M,
	.requests = 4096,
	.client_requests = 1024,
	.user_requests = 2048,
	.user_clients = 1024,
	.chore_budget_ms = 100,
	.authority_sections = 1024,
	.user_sections = 4096,
	.authority_shared = SZ_1G,
	.user_shared = SZ_1G * 4ULL,
	.debuggable = true,
};

/* Described, with their ceilings, in README.md. */
module_param_named(client_arena, lsabuf_limits.client_arena, ulong, 0444);
MODULE_PARM_DESC(client_arena, "bytes of a client's first arena (256K)");
module_param_named(client_quota, lsabuf_limits.client_quota, ulong, 0444);
MODULE_PARM_DESC(client_quota, "bytes of blocks per client (64M)");
module_param_named(authority_arena, lsabuf_limits.authority_arena, ulong, 0444);
MODULE_PARM_DESC(authority_arena, "bytes for submit buffers (64M)");
module_param_named(max_submit, lsabuf_limits.max_submit, ulong, 0444);
MODULE_PARM_DESC(max_submit, "bytes of one submit buffer (16M)");
module_param_named(user_submit, lsabuf_limits.user_submit, ulong, 0444);
MODULE_PARM_DESC(user_submit, "bytes of them per user (32M)");
module_param_named(requests, lsabuf_limits.requests, uint, 0444);
MODULE_PARM_DESC(requests, "requests per authority (4096)");
module_param_named(client_requests, lsabuf_limits.client_requests, uint, 0444);
MODULE_PARM_DESC(client_requests, "requests per client (1024)");
module_param_named(user_requests, lsabuf_limits.user_requests, uint, 0444);
MODULE_PARM_DESC(user_requests, "requests per user (2048)");
module_param_named(user_clients, lsabuf_limits.user_clients, uint, 0444);
MODULE_PARM_DESC(user_clients, "connections per user (1024)");
module_param_named(chore_budget_ms, lsabuf_limits.chore_budget_ms, uint, 0444);
MODULE_PARM_DESC(chore_budget_ms, "ms a client may stall (100)");
module_param_named(authority_sections, lsabuf_limits.authority_sections, uint,
		   0444);
MODULE_PARM_DESC(authority_sections, "sections per authority (1024)");
module_param_named(user_sections, lsabuf_limits.user_sections, uint, 0444);
MODULE_PARM_DESC(user_sections, "sections per user who serves (4096)");
module_param_named(authority_shared, lsabuf_limits.authority_shared, ulong,
		   0444);
MODULE_PARM_DESC(authority_shared, "bytes in them per authority (1G)");
module_param_named(user_shared, lsabuf_limits.user_shared, ulong, 0444);
MODULE_PARM_DESC(user_shared, "bytes in them per user who serves (4G)");
module_param_named(debuggable, lsabuf_limits.debuggable, bool, 0644);
MODULE_PARM_DESC(debuggable, "clients may let debuggers see buffers (Y)");
module_param_named(drain, lsabuf_limits.drain, bool, 0644);
MODULE_PARM_DESC(drain, "refuse new authorities and clients (N)");

static unsigned long clamp_pages(unsigned long bytes, unsigned long max)
{
	/* The ceilings are whole pages; the largest number is not to wrap. */
	return PAGE_ALIGN(clamp_t(unsigned long, bytes, SZ_64K, max));
}

static unsigned int clamp_count(unsigned int count, unsigned int max)
{
	return clamp_t(unsigned int, count, 1, max);
}

static void clamp_limits(struct lsabuf_limits *l)
{
	const struct lsabuf_limits given = *l;

	l->client_arena = clamp_pages(l->client_arena, LSABUF_CLIENT_ARENA_MAX);
	l->client_quota = clamp_pages(l->client_quota, LSABUF_CLIENT_QUOTA_MAX);
	l->authority_arena =
		clamp_pages(l->authority_arena, LSABUF_AUTHORITY_ARENA_MAX);
	l->max_submit = clamp_pages(l->max_submit, LSABUF_SUBMIT_MAX);
	l->user_submit =
		clamp_pages(l->user_submit, LSABUF_AUTHORITY_ARENA_MAX);
	l->requests = clamp_count(l->requests, LSABUF_REQUESTS_MAX);
	l->client_requests =
		clamp_count(l->client_requests, LSABUF_REQUESTS_MAX);
	l->user_requests = clamp_count(l->user_requests, LSABUF_REQUESTS_MAX);
	l->user_clients = clamp_count(l->user_clients, LSABUF_USER_CLIENTS_MAX);
	l->chore_budget_ms =
		clamp_count(l->chore_budget_ms, LSABUF_CHORE_BUDGET_MS_MAX);
	l->authority_sections =
		clamp_count(l->authority_sections, LSABUF_SECTIONS_MAX);
	l->user_sections = clamp_count(l->user_sections, LSABUF_SECTIONS_MAX);
	l->authority_shared =
		clamp_pages(l->authority_shared, LSABUF_SHARED_MAX);
	l->user_shared = clamp_pages(l->user_shared, LSABUF_SHARED_MAX);
	if (memcmp(&given, l, sizeof(given)))
		pr_notice(
			"parameters were brought into range: see /sys/module/lsabuf/parameters\n");
}

/*
 * Everybody may open it, as with /dev/fuse: that gives nothing but the right to
 * be a client within limits. udev may narrow it.
 */
static struct miscdevice lsabuf_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = LSABUF_NAME,
	.fops = &lsabuf_fops,
	.mode = 0666,
};

static int __init lsabuf_init(void)
{
	int ret;

	clamp_limits(&lsabuf_limits);
	ret = lsabuf_arena_init();
	if (ret)
		return ret;
	ret = lsabuf_queue_module_init();
	if (ret)
		goto err_arena_exit;
	ret = misc_register(&lsabuf_device);
	if (ret)
		goto err_queue_exit;
	lsabuf_debugfs_init();
	return 0;

err_queue_exit:
	lsabuf_queue_module_exit();
err_arena_exit:
	lsabuf_arena_exit();
	return ret;
}

static void __exit lsabuf_exit(void)
{
	lsabuf_debugfs_exit();
	misc_deregister(&lsabuf_device);
	lsabuf_authority_exit();
	lsabuf_queue_module_exit();
	lsabuf_arena_exit();
}

module_init(lsabuf_init);
module_exit(lsabuf_exit);

MODULE_DESCRIPTION("Client buffers for security packages, as the LSA has them");
MODULE_AUTHOR("lsabuf developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(LSABUF_VERSION);
