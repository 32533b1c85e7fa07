// SPDX-License-Identifier: GPL-2.0
/*
 * A module that does one thing wrong, the one that it is told by "fault". The
 * debug kernel that says nothing about it is not worth running tests in.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>

static char *fault = "none";
module_param(fault, charp, 0444);
MODULE_PARM_DESC(fault, "what to do wrong");

static struct kmem_cache *cache;
static volatile int sink;
static int shared;

static void use_after_free(void)
{
	volatile char *object = kmalloc(64, GFP_KERNEL);

	if (!object)
		return;
	kfree((void *)object);
	sink = object[8];
}

static void vmalloc_overflow(void)
{
	volatile char *object = vmalloc(100);

	if (!object)
		return;
	/* The rest of the page is there, but not ours. */
	sink = object[1000];
	vfree((void *)object);
}

static void wild_shift(void)
{
	volatile int bits = 40;

	sink = 1 << bits;
}

static void sleep_in_atomic(void)
{
	preempt_disable();
	msleep(20);
	preempt_enable();
}

static void rcu_outside(void)
{
	static int __rcu *pointer;

	sink = !!rcu_dereference(pointer);
}

static void nothing(struct timer_list *timer)
{
}

static void free_active_timer(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, nothing, 0);
	mod_timer(timer, jiffies + 100 * HZ);
	kfree(timer);
}

static void lock_inversion(void)
{
	static DEFINE_MUTEX(first);
	static DEFINE_MUTEX(second);

	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void list_corruption(void)
{
	static LIST_HEAD(head);
	struct list_head entry;

	list_add(&entry, &head);
	head.next = (struct list_head *)&shared;
	list_del(&entry);
}

/* Nobody else looks at it: a page of the kernel's, as it comes. */
static void page_not_zeroed(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return;
	if (memchr_inv(page_address(page), 0, PAGE_SIZE))
		pr_info("broken: the page is not zero\n");
	__free_page(page);
}

static void lost_page(void)
{
	sink = !!alloc_page(GFP_KERNEL);
}

static void lost_object(void)
{
	sink = !!kmalloc(1000, GFP_KERNEL);
}

static void cache_with_object(void)
{
	cache = kmem_cache_create("broken", 200, 0, 0, NULL);
	if (cache)
		sink = !!kmem_cache_alloc(cache, GFP_KERNEL);
}

static int sleep_for_long(void *unused)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule_timeout(20 * HZ);
	return 0;
}

static void hung_task(void)
{
	struct task_struct *task = kthread_run(sleep_for_long, NULL, "broken");

	if (!IS_ERR(task))
		ssleep(21);
}

static void soft_lockup(void)
{
	preempt_disable();
	mdelay(12000);
	preempt_enable();
}

static int count_without_lock(void *unused)
{
	int i;

	for (i = 0; i < 300000; i++) {
		shared++;
		cpu_relax();
	}
	return 0;
}

static void racing_threads(void)
{
	struct task_struct *task =
		kthread_run(count_without_lock, NULL, "broken");

	count_without_lock(NULL);
	if (!IS_ERR(task))
		ssleep(2);
}

static const struct {
	const char *name;
	void (*run)(void);
} faults[] = {
	{ "use_after_free", use_after_free },
	{ "vmalloc_overflow", vmalloc_overflow },
	{ "wild_shift", wild_shift },
	{ "sleep_in_atomic", sleep_in_atomic },
	{ "rcu_outside", rcu_outside },
	{ "free_active_timer", free_active_timer },
	{ "lock_inversion", lock_inversion },
	{ "list_corruption", list_corruption },
	{ "page_not_zeroed", page_not_zeroed },
	{ "lost_page", lost_page },
	{ "lost_object", lost_object },
	{ "cache_with_object", cache_with_object },
	{ "hung_task", hung_task },
	{ "soft_lockup", soft_lockup },
	{ "racing_threads", racing_threads },
};

static int __init broken_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (strcmp(fault, faults[i].name))
			continue;
		faults[i].run();
		return 0;
	}
	return -EINVAL;
}

static void __exit broken_exit(void)
{
	kmem_cache_destroy(cache);
}

module_init(broken_init);
module_exit(broken_exit);

MODULE_DESCRIPTION("One fault at a time, to try the kernel's detectors");
MODULE_LICENSE("GPL");
