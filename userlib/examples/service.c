// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A service in one thread: it holds each request for as many milliseconds as
 * the client asks for in code, then answers with the text in capital letters.
 *
 *	gcc service.c $(pkg-config --cflags --libs lsabuf) -o service
 */
#include <ctype.h>
#include <error.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>

#include <lsabuf.h>

/* A request that waits; its text stays in our memory until it is answered */
struct held {
	struct held *next;
	uint64_t due;
	struct lsabuf_reply_receive request;
};

static struct held *first;
static int authority, timer;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void hold(const struct lsabuf_reply_receive *request)
{
	struct held **place = &first, *held = malloc(sizeof(*held));
	const uint32_t refused[2] = { 1 };

	if (!held || !request->out_submit_length) {
		lsabuf_reply(authority, request->out_id, refused, 0, 0);
		free(held);
		return;
	}
	held->request = *request;
	held->due = now_ms() + request->out_code;
	while (*place && (*place)->due <= held->due)
		place = &(*place)->next;
	held->next = *place;
	*place = held;
}

static void answer(const struct lsabuf_reply_receive *request)
{
	char *text = (char *)(uintptr_t)request->out_submit_address;
	uint64_t i, length = request->out_submit_length;
	const uint32_t success[2] = { 0 };

	for (i = 0; i < length; i++)
		text[i] = toupper((unsigned char)text[i]);
	/* Whether the client is still there is not our concern */
	lsabuf_reply_payload(authority, request->out_id, success, text, length);
}

static void answer_due(void)
{
	struct itimerspec next = { 0 };
	struct held *held;

	while ((held = first) && held->due <= now_ms()) {
		first = held->next;
		answer(&held->request);
		free(held);
	}
	if (first) {
		next.it_value.tv_sec = first->due / 1000;
		next.it_value.tv_nsec = first->due % 1000 * 1000000;
	}
	timerfd_settime(timer, TFD_TIMER_ABSTIME, &next, NULL);
}

int main(int argc, char **argv)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct lsabuf_reply_receive request;

	authority = lsabuf_open_authority(argc > 1 ? argv[1] : "later");
	if (authority < 0)
		error(1, -authority, "cannot serve");
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	epoll_ctl(epoll, EPOLL_CTL_ADD, authority, &event);
	epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
	for (;;) {
		epoll_wait(epoll, &event, 1, -1);
		while (lsabuf_receive_nowait(authority, &request) == 0)
			hold(&request);
		answer_due();
	}
}
