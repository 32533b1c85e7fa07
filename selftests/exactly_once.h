/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls that are numbered: each has to be executed once, and answered once
 * with its own number.
 */
#ifndef EXACTLY_ONCE_H
#define EXACTLY_ONCE_H

#include "lsabuf_test.h"

#define CODE_QUIT 0xffffffffU
/* The number of a call comes back in a buffer, too. */
#define KIND_PAYLOAD 1

/**
 * struct echo - an authority that answers each call with its number
 * @authority: its file
 * @thread: where echo_main() runs
 * @seen: by number, how often it was executed; shared where others look
 * @nr: length of @seen
 */
struct echo {
	int authority;
	pthread_t thread;
	unsigned char *seen;
	unsigned int nr;
};

static inline void *echo_main(void *argument)
{
	struct echo *echo = argument;
	struct lsabuf_reply_receive io = {
		.flags = LSABUF_REPLY_RECEIVE_F_RECEIVE,
	};
	unsigned int code;
	int ret;

	for (;;) {
		ret = lsa_reply_receive(echo->authority, &io);
		/* The kernel has noted that there is nothing to answer. */
		if (ret == -EINTR)
			continue;
		if (ret)
			return NULL;
		code = io.out_code;
		if (code == CODE_QUIT)
			break;
		if (code < echo->nr)
			__atomic_add_fetch(&echo->seen[code], 1,
					   __ATOMIC_RELAXED);
		io = (struct lsabuf_reply_receive){
			.flags = LSABUF_REPLY_RECEIVE_F_RECEIVE,
			.reply_id = io.out_id,
			.status = { code, ~code },
			.out_kind = io.out_kind,
		};
		if (io.out_kind != KIND_PAYLOAD)
			continue;
		io.flags |= LSABUF_REPLY_RECEIVE_F_PAYLOAD;
		io.payload_address = to_u64(&code);
		io.payload_length = sizeof(code);
	}
	lsa_reply(echo->authority, io.out_id);
	return NULL;
}

/* Check the answer to @call; 0, or an error that no call has. */
static inline int check_answer(int file, const struct lsabuf_call *call)
{
	if (call->out_status[0] != call->code ||
	    call->out_status[1] != ~call->code)
		return -EBADMSG;
	if (call->kind != KIND_PAYLOAD)
		return 0;
	if (call->out_length != sizeof(call->code) ||
	    *(__u32 *)to_pointer(call->out_address) != call->code)
		return -EBADMSG;
	return lsa_free(file, call->out_address);
}

/*
 * argument[0] calls numbered from argument[1], of kind argument[2]; each
 * repeated until it has its own answer.
 */
static inline long do_numbered_calls(struct puppet *puppet,
				     struct puppet_thread *me)
{
	struct lsabuf_call call;
	unsigned int i;
	int ret;

	for (i = 0; i < me->argument[0]; i++) {
		call = (struct lsabuf_call){
			.code = me->argument[1] + i,
			.kind = me->argument[2],
		};
		do
			ret = lsa_call(puppet->device, &call);
		while (ret == -EINTR);
		if (!ret)
			ret = check_answer(puppet->device, &call);
		if (ret)
			return ret;
	}
	return 0;
}

/* How many of the numbers were executed just once. */
static inline unsigned int executed_once(const struct echo *echo)
{
	unsigned int i, once = 0;

	for (i = 0; i < echo->nr; i++)
		once += echo->seen[i] == 1;
	return once;
}

#endif /* EXACTLY_ONCE_H */
