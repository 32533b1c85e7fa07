// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The server threads. Each one receives a request, answers it, and does both
 * with one system call per turn.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lsahost.h"

/* Interrupts a thread that waits for a request */
#define WAKE_SIGNAL SIGUSR1

static pthread_t *pool;
static unsigned int nr_threads;
static int authority;
static _Atomic bool stopping;
static _Atomic bool has_failed;

bool pool_has_failed(void)
{
	return atomic_load(&has_failed);
}

static void do_nothing(int signal)
{
	(void)signal;
}

/* The main thread waits for a signal: it ends us as if somebody had sent it */
static void fail(int error)
{
	if (atomic_exchange(&has_failed, true))
		return;
	log_error("cannot receive requests: %s", strerror(-error));
	kill(getpid(), SIGTERM);
}

static void note_reply(struct lsabuf_reply_receive *turn)
{
	if (!turn->reply_error)
		return;
	log_call("a reply did not reach its client: %s",
		 strerror(-turn->reply_error));
	/* Whatever it was, it would be the same next time */
	turn->reply_id = 0;
	turn->reply_error = 0;
}

static void work(struct lsabuf_reply_receive *turn)
{
	struct answer answer;

	dispatch(authority, turn, &answer);
	turn->reply_id = turn->out_id;
	turn->status[0] = answer.status[0];
	turn->status[1] = answer.status[1];
	turn->return_address = answer.address;
	turn->return_length = answer.length;
	turn->flags = 0;
	if (answer.payload) {
		turn->flags = LSABUF_REPLY_RECEIVE_F_PAYLOAD;
		turn->payload_address = (uintptr_t)answer.payload;
		turn->payload_length = answer.length;
	}
}

/* The bytes of a reply have gone with it, or never will */
static void forget_payload(struct lsabuf_reply_receive *turn)
{
	free((void *)(uintptr_t)turn->payload_address);
	turn->payload_address = 0;
	turn->payload_length = 0;
	turn->flags = 0;
}

static void finish(struct lsabuf_reply_receive *turn)
{
	if (!turn->reply_id)
		return;
	if (turn->payload_address)
		lsabuf_reply_payload(authority, turn->reply_id, turn->status,
				     (void *)(uintptr_t)turn->payload_address,
				     turn->payload_length);
	else
		lsabuf_reply(authority, turn->reply_id, turn->status,
			     turn->return_address, turn->return_length);
}

static void *serve(void *unused)
{
	struct lsabuf_reply_receive turn = { 0 };
	int ret;

	(void)unused;
	while (!atomic_load(&stopping)) {
		turn.out_id = 0;
		turn.out_flags = 0;
		ret = lsabuf_reply_receive(authority, &turn);
		note_reply(&turn);
		if (!turn.reply_id)
			forget_payload(&turn);
		if (ret == -EINTR || ret == -EAGAIN || ret == -EFAULT)
			continue;
		if (ret && ret != -ENOENT) {
			fail(ret);
			break;
		}
		/* Without an id it is news of a client, or nothing */
		if (turn.out_id)
			work(&turn);
		else if (turn.out_flags & LSABUF_REQUEST_F_GONE)
			dispatch_gone(turn.out_client);
	}
	finish(&turn);
	forget_payload(&turn);
	return NULL;
}

/**
 * pool_start() - start the threads
 * @fd: authority
 * @threads: number of them
 *
 * Signals other than those of the pool have to be blocked by then.
 *
 * Return: whether all have been started; the reason has been logged if not.
 */
bool pool_start(int fd, unsigned int threads)
{
	/* Without SA_RESTART: it has to end the wait */
	struct sigaction wake = { .sa_handler = do_nothing };
	int ret;

	authority = fd;
	sigaction(WAKE_SIGNAL, &wake, NULL);
	pool = calloc(threads, sizeof(*pool));
	if (!pool) {
		log_error("no memory for %u threads", threads);
		return false;
	}
	for (nr_threads = 0; nr_threads < threads; nr_threads++) {
		ret = pthread_create(&pool[nr_threads], NULL, serve, NULL);
		if (ret) {
			log_error("cannot start thread %u of %u: %s",
				  nr_threads + 1, threads, strerror(ret));
			return false;
		}
	}
	return true;
}

/*
 * A wake-up that comes before the thread waits is lost, so it is repeated
 * until the thread is gone.
 */
static bool stop_thread(pthread_t thread, const struct timespec *end)
{
	struct timespec until;
	int ret;

	do {
		pthread_kill(thread, WAKE_SIGNAL);
		clock_gettime(CLOCK_MONOTONIC, &until);
		if (until.tv_sec >= end->tv_sec)
			return false;
		until.tv_nsec += 20 * 1000 * 1000;
		if (until.tv_nsec >= 1000 * 1000 * 1000) {
			until.tv_nsec -= 1000 * 1000 * 1000;
			until.tv_sec++;
		}
		ret = pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC,
					   &until);
	} while (ret == ETIMEDOUT);
	return true;
}

/**
 * pool_stop() - let the threads finish what they do, and end them
 * @seconds: longest time to wait for packages that do not return
 *
 * Return: whether all have ended.
 */
bool pool_stop(unsigned int seconds)
{
	struct timespec end;
	unsigned int i;

	atomic_store(&stopping, true);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds + 1;
	for (i = 0; i < nr_threads; i++) {
		if (!stop_thread(pool[i], &end)) {
			log_error("a package did not return within %u s",
				  seconds);
			return false;
		}
	}
	free(pool);
	pool = NULL;
	return true;
}
