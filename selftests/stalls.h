/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that never answers: by userfaultfd, and by a file system in user
 * space.
 */
#ifndef STALLS_H
#define STALLS_H

#include "lsabuf_test.h"

#include <linux/fuse.h>
#include <linux/userfaultfd.h>

/*
 * A file system that never finishes a write, nor a read if it shall not. To
 * map a file that was opened for direct access, the kernel first writes its
 * dirty pages, and waits for that with the mmap_lock held.
 */
struct slow_fs {
	char dir[32];
	char file[48];
	int device;
	pthread_t server;
	bool reads;
	int opens;
	int reading;
	int writing;
};

#define SLOW_PAGE 4096
#define SLOW_FILE 2

static inline void fuse_answer(int device, __u64 unique, int error,
			       const void *data, size_t length)
{
	static char buffer[SLOW_PAGE + sizeof(struct fuse_out_header)];
	struct fuse_out_header *out = (void *)buffer;

	out->len = sizeof(*out) + (error ? 0 : length);
	out->error = error;
	out->unique = unique;
	if (!error && length)
		memcpy(out + 1, data, length);
	if (write(device, buffer, out->len) < 0)
		perror("# fuse");
}

static inline struct fuse_attr fuse_attributes(__u64 node)
{
	return (struct fuse_attr){
		.ino = node,
		.size = node == SLOW_FILE ? SLOW_PAGE : 0,
		.mode = node == SLOW_FILE ? S_IFREG | 0666 : S_IFDIR | 0777,
		.nlink = 1,
		.blksize = SLOW_PAGE,
	};
}

static inline void fuse_serve(struct slow_fs *fs, struct fuse_in_header *in)
{
	struct fuse_init_out init = {
		.major = 7,
		.minor = 31,
		.max_write = SLOW_PAGE,
		.max_background = 8,
	};
	struct fuse_entry_out entry = {
		.nodeid = SLOW_FILE,
		.entry_valid = 100,
		.attr_valid = 100,
		.attr = fuse_attributes(SLOW_FILE),
	};
	struct fuse_attr_out attr = {
		.attr_valid = 100,
		.attr = fuse_attributes(in->nodeid),
	};
	struct fuse_open_out opened = {
		.open_flags = FOPEN_KEEP_CACHE |
			      (fs->opens ? FOPEN_DIRECT_IO : 0),
	};
	static const char zeroes[SLOW_PAGE];

	switch (in->opcode) {
	case FUSE_INIT:
		fuse_answer(fs->device, in->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		fuse_answer(fs->device, in->unique, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		fuse_answer(fs->device, in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		fuse_answer(fs->device, in->unique, 0, &opened, sizeof(opened));
		fs->opens++;
		break;
	case FUSE_READ:
		__atomic_store_n(&fs->reading, 1, __ATOMIC_RELEASE);
		if (fs->reads)
			fuse_answer(fs->device, in->unique, 0, zeroes,
				    SLOW_PAGE);
		break;
	case FUSE_WRITE:
		__atomic_store_n(&fs->writing, 1, __ATOMIC_RELEASE);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		fuse_answer(fs->device, in->unique, -ENOSYS, NULL, 0);
	}
}

static inline void *fuse_main(void *argument)
{
	static __u64 buffer[(SLOW_PAGE * 4) / sizeof(__u64)];
	struct slow_fs *fs = argument;

	while (read(fs->device, buffer, sizeof(buffer)) > 0 || errno == EINTR)
		fuse_serve(fs, (void *)buffer);
	return NULL;
}

static inline int slow_fs_start(struct slow_fs *fs, bool reads)
{
	char options[96];

	memset(fs, 0, sizeof(*fs));
	fs->reads = reads;
	snprintf(fs->dir, sizeof(fs->dir), "/tmp/slow-%d", getpid());
	snprintf(fs->file, sizeof(fs->file), "%s/file", fs->dir);
	fs->device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fs->device < 0)
		return -errno;
	mkdir("/tmp", 01777);
	mkdir(fs->dir, 0755);
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40755,user_id=0,group_id=0,allow_other",
		 fs->device);
	if (mount("slow", fs->dir, "fuse", MS_NOSUID | MS_NODEV, options))
		return -errno;
	pthread_create(&fs->server, NULL, fuse_main, fs);
	return 0;
}

/* The forced end aborts every request: the hold and the server's read end. */
static inline void slow_fs_stop(struct slow_fs *fs)
{
	umount2(fs->dir, MNT_FORCE | MNT_DETACH);
	pthread_join(fs->server, NULL);
	close(fs->device);
	rmdir(fs->dir);
}

#define UFFD_KNOB "/proc/sys/vm/unprivileged_userfaultfd"

/* Let every user have such memory; returns what was set before. */
static inline char *allow_stalling(void)
{
	char *old = read_text(UFFD_KNOB);

	write_text(UFFD_KNOB, "1");
	return old;
}

static inline void restore_stalling(char *old)
{
	write_text(UFFD_KNOB, old);
	free(old);
}

/* Memory whose faults wait for somebody to answer: its userfaultfd */
static inline int stalling_memory(size_t length, void **memory)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range.len = length,
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int file = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	*memory = mmap(NULL, length, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (file < 0)
		return -errno;
	range.range.start = to_u64(*memory);
	if (ioctl(file, UFFDIO_API, &api) ||
	    ioctl(file, UFFDIO_REGISTER, &range))
		return -errno;
	return file;
}

/* Wait for a fault there: its page, or 0. */
static inline __u64 wait_fault(int file)
{
	struct uffd_msg message;

	if (!wait_readable(file) ||
	    read(file, &message, sizeof(message)) != sizeof(message))
		return 0;
	return message.arg.pagefault.address & -(__u64)SLOW_PAGE;
}

/* Let a fault find these bytes, a page of them. */
static inline int answer_fault_with(int file, __u64 page, const void *bytes)
{
	struct uffdio_copy copy = {
		.dst = page,
		.src = to_u64(bytes),
		.len = SLOW_PAGE,
	};

	return ioctl(file, UFFDIO_COPY, &copy) ? -errno : 0;
}

/* Let a fault find a page full of @byte. */
static inline int answer_fault(int file, __u64 page, unsigned char byte)
{
	unsigned char bytes[SLOW_PAGE];

	memset(bytes, byte, SLOW_PAGE);
	return answer_fault_with(file, page, bytes);
}

/*
 * In a client: argument[0] bytes, or a page. Nobody comes, as long as no task
 * answers the faults of flag[6].
 */
static inline long do_stalling_memory(struct puppet *puppet,
				      struct puppet_thread *me)
{
	__u64 length = me->argument[0] ? me->argument[0] : SLOW_PAGE;
	void *memory;

	puppet->flag[6] = stalling_memory(length, &memory);
	return puppet->flag[6] < 0 ? puppet->flag[6] : (long)memory;
}

static inline bool is_error(long long result)
{
	return result < 0 && result >= -4095;
}

#endif /* STALLS_H */
