// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Programs fork while other threads of theirs are in this library: a child has
 * none of these, so what they had locked would stay so. The thread that forks
 * holds all locks meanwhile, and the child begins with fresh ones. None is held
 * while the authority is asked for anything.
 */
#define _GNU_SOURCE
#include "client.h"

static void before_fork(void)
{
	pthread_mutex_lock(&packages_lock);
	pthread_mutex_lock(&contexts_lock);
	pthread_mutex_lock(&connection_lock);
	pthread_mutex_lock(&heap_lock);
}

static void in_parent(void)
{
	pthread_mutex_unlock(&heap_lock);
	pthread_mutex_unlock(&connection_lock);
	pthread_mutex_unlock(&contexts_lock);
	pthread_mutex_unlock(&packages_lock);
}

/* A recursive one is its thread's, which the child's is not. */
static void in_child(void)
{
	const pthread_mutex_t recursive =
		PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
	const pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;

	heap_lock = plain;
	connection_lock = plain;
	contexts_lock = plain;
	packages_lock = recursive;
}

static void __attribute__((constructor)) watch_forks(void)
{
	pthread_atfork(before_fork, in_parent, in_child);
}
