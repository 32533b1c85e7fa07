/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What older kernels call differently. This is the only file that tests
 * LINUX_VERSION_CODE; each shim has the newest kernel's name.
 */
#ifndef LSABUF_COMPAT_H
#define LSABUF_COMPAT_H

#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
/* vm_flags is written directly before 6.3. */
static inline void vm_flags_mod(struct vm_area_struct *vma, vm_flags_t set,
				vm_flags_t clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
#endif

/*
 * Pin pages of another mm, and tell the VMA of each: until 6.5 that was had
 * with the pages. The VMAs are good while the caller holds its mmap_lock; NULL
 * is one that no process has made.
 */
static inline long lsabuf_pin_remote(struct mm_struct *mm, unsigned long start,
				     unsigned long nr, unsigned int flags,
				     struct page **pages,
				     struct vm_area_struct **vmas)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	return pin_user_pages_remote(mm, start, nr, flags, pages, vmas, NULL);
#else
	long i, pinned = pin_user_pages_remote(mm, start, nr, flags, pages,
					       NULL);

	for (i = 0; i < pinned; i++, start += PAGE_SIZE)
		vmas[i] = i && start < vmas[i - 1]->vm_end ?
				  vmas[i - 1] :
				  vma_lookup(mm, start);
	return pinned;
#endif
}

/*
 * Where the kernel would put a mapping of the current process: a pointer in
 * the mm before 6.10, a function of the mm until 7.0.
 */
static inline unsigned long lsabuf_unmapped_area(struct file *file,
						 unsigned long address,
						 unsigned long length,
						 unsigned long pgoff,
						 unsigned long flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	return current->mm->get_unmapped_area(file, address, length, pgoff,
					      flags);
#elif LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
	return mm_get_unmapped_area(current->mm, file, address, length, pgoff,
				    flags);
#else
	return mm_get_unmapped_area(file, address, length, pgoff, flags);
#endif
}

/* An unlinked file of no size; its flags have a type of their own since 7.0. */
static inline struct file *lsabuf_shmem_file(const char *name)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
	return shmem_file_setup(name, 0, VM_NORESERVE);
#else
	return shmem_file_setup(name, 0, mk_vma_flags(VMA_NORESERVE_BIT));
#endif
}

/* A descriptor of @file for the current process; where to store it was extra. */
static inline int lsabuf_receive_fd(struct file *file, unsigned int flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	return receive_fd(file, flags);
#else
	return receive_fd(file, NULL, flags);
#endif
}

/* kernel_cap_t was an array of two words before 6.3. */
static inline u64 lsabuf_cap_mask(kernel_cap_t cap)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
	return cap.cap[0] | (u64)cap.cap[1] << 32;
#else
	return cap.val;
#endif
}

#endif /* LSABUF_COMPAT_H */
