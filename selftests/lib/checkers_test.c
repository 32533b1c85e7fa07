// SPDX-License-Identifier: GPL-2.0
/*
 * What the library tells valgrind's memcheck and MemorySanitizer. The kernel is
 * played by an ioctl() of this program's own, whose writes they do not see.
 */
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include <lsabuf.h>

#include "tap.h"

#ifdef WITH_MSAN
#include <sanitizer/msan_interface.h>

static void hide(void *address, size_t length)
{
	__msan_poison(address, length);
}

static bool known(const void *address, size_t length)
{
	return __msan_test_shadow(address, length) < 0;
}
#else
#include <valgrind/memcheck.h>

static void hide(void *address, size_t length)
{
	VALGRIND_MAKE_MEM_NOACCESS(address, length);
}

static bool known(const void *address, size_t length)
{
	return RUNNING_ON_VALGRIND &&
	       !VALGRIND_CHECK_MEM_IS_DEFINED(address, length);
}
#endif

#define SIZE 64

/* The arena that the kernel has mapped, unknown until it is told of */
static unsigned char arena[2 * SIZE];
static uint32_t groups[4];

static void answer(unsigned long command, void *argument)
{
	struct lsabuf_reply_receive *request = argument;
	struct lsabuf_identity *identity = argument;
	struct lsabuf_call *call = argument;
	struct lsabuf_copy *copy = argument;

	switch (command) {
	case LSABUF_IOC_CALL:
		call->out_address = (uintptr_t)arena;
		call->out_length = SIZE;
		hide(call->out_status, sizeof(call->out_status));
		break;
	case LSABUF_IOC_REPLY_RECEIVE:
		request->out_submit_address = (uintptr_t)arena;
		request->out_submit_length = SIZE;
		hide(&request->out_pid, sizeof(request->out_pid));
		break;
	case LSABUF_IOC_COPY:
		copy->out_done = SIZE / 2;
		hide(&copy->out_done, 0);
		break;
	case LSABUF_IOC_IDENTITY:
		identity->nr_groups = 2;
		break;
	}
}

int ioctl(int fd, unsigned long command, ...)
{
	va_list arguments;

	va_start(arguments, command);
	answer(command, va_arg(arguments, void *));
	va_end(arguments);
	return fd < 0 ? -1 : 0;
}

static void test_call(void)
{
	struct lsabuf_call call;

	hide(arena, sizeof(arena));
	lsabuf_call_prepare(&call, 0, 0, NULL, 0);
	lsabuf_call(3, &call);
	ok(known(&call, sizeof(call)), "a call's results are known");
	ok(known(arena, SIZE), "the returned buffer is known");
	ok(!known(arena + SIZE, 1), "and nothing behind it");
}

static void test_receive(void)
{
	struct lsabuf_reply_receive request;

	memset(&request, 0, sizeof(request));
	hide(arena, sizeof(arena));
	lsabuf_receive(3, &request);
	ok(known(&request, sizeof(request)), "a received request is known");
	ok(known(arena, SIZE), "its submit buffer is known");
	ok(!known(arena + SIZE, 1), "and nothing behind it");
}

static void test_copy(void)
{
	struct lsabuf_copy_range ranges[2];
	uint64_t moved;
	size_t done;

	hide(arena, sizeof(arena));
	lsabuf_copy_from(3, 1, arena, 4096, SIZE, &done);
	ok(known(arena, SIZE / 2), "bytes copied are known");
	ok(!known(arena + SIZE / 2, 1), "bytes not copied are not");

	hide(arena, sizeof(arena));
	lsabuf_copy_to(3, 1, 4096, arena, SIZE, &done);
	ok(!known(arena, 1), "a copy to the client writes nothing here");

	ranges[0] = (struct lsabuf_copy_range){
		.local_address = (uintptr_t)arena,
		.length = SIZE / 4,
	};
	ranges[1] = (struct lsabuf_copy_range){
		.local_address = (uintptr_t)arena + SIZE,
		.length = SIZE,
	};
	lsabuf_copy_vector(3, 1, LSABUF_COPY_F_FROM_CLIENT, ranges, 2, &moved);
	ok(known(arena, SIZE / 4) && known(arena + SIZE, SIZE / 4),
	   "all ranges of a vector are known");
	ok(!known(arena + SIZE / 4, 1) && !known(arena + SIZE + SIZE / 4, 1),
	   "as far as they were copied");
}

static void test_identity(void)
{
	struct lsabuf_identity identity;

	hide(groups, sizeof(groups));
	lsabuf_identity(3, 1, &identity, groups, 4);
	ok(known(groups, 8), "groups are known");
	ok(!known(&groups[2], 4), "as many as there are");
}

int main(void)
{
	test_call();
	test_receive();
	test_copy();
	test_identity();
	return tap_end();
}
