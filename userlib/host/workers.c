// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Threads of packages: those that they start with CreateThread, and those that
 * wait for them, for RegisterNotification. They work for no client, but belong
 * to the package: shared memory that they make is the package's.
 *
 * A HANDLE is a file descriptor. That of a thread can be read once it has
 * ended, and so can be waited for, by RegisterNotification and poll(2) alike;
 * the package closes it with CloseHandle. What RegisterNotification returns is
 * a number, for CancelNotification only.
 *
 * Each notification has a thread of its own: none waits for another's end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <ntstatus.h>

#include "lsahost.h"

#define MAX_NOTIFICATIONS 256
#define NS_PER_S 1000000000LL
#define NS_PER_MS 1000000LL

/**
 * struct worker - what a thread is started with
 * @start: its function
 * @parameter: for that
 * @package: number of the package that it is for
 * @ended: eventfd that is to tell its end
 * @tid: its id, once @known
 * @known: posted then
 */
struct worker {
	SEC_THREAD_START start;
	PVOID parameter;
	unsigned int package;
	int ended;
	pid_t tid;
	sem_t *known;
};

/* The number of the package that this thread runs, which cannot be asked for */
static unsigned int get_package(void)
{
	unsigned int number = lsabuf_host_package_set(0);

	lsabuf_host_package_set(number);
	return number;
}

/* A descriptor that is none of the standard ones: no HANDLE is NULL */
static int move_up(int fd)
{
	int higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	close(fd);
	return higher;
}

static bool start_thread(void *(*function)(void *), void *argument,
			 size_t stack_size)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int ret;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (stack_size && stack_size < (size_t)PTHREAD_STACK_MIN)
		stack_size = PTHREAD_STACK_MIN;
	if (stack_size)
		pthread_attr_setstacksize(&attributes, stack_size);
	ret = pthread_create(&thread, &attributes, function, argument);
	pthread_attr_destroy(&attributes);
	return !ret;
}

static void *run_worker(void *argument)
{
	struct worker *given = argument;
	struct worker worker = *given;

	given->tid = gettid();
	/* What was given is gone from here on */
	sem_post(worker.known);
	lsabuf_host_package_set(worker.package);
	worker.start(worker.parameter);
	eventfd_write(worker.ended, 1);
	close(worker.ended);
	return NULL;
}

/* What would start it later, or has other rights, is not there */
static HANDLE NTAPI create_thread(SEC_ATTRS SecurityAttributes, ULONG StackSize,
				  SEC_THREAD_START StartFunction,
				  PVOID ThreadParameter, ULONG CreationFlags,
				  PULONG ThreadId)
{
	struct worker worker = {
		.start = StartFunction,
		.parameter = ThreadParameter,
		.package = get_package(),
	};
	sem_t known;
	int handle;

	UNREFERENCED_PARAMETER(SecurityAttributes);
	if (!StartFunction || CreationFlags)
		return NULL;
	handle = move_up(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	/* Its own, as the package may close the other at any time */
	worker.ended = fcntl(handle, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (worker.ended < 0)
		goto err_close_handle;
	sem_init(&known, 0, 0);
	worker.known = &known;
	if (!start_thread(run_worker, &worker, StackSize))
		goto err_close_ended;
	while (sem_wait(&known))
		;
	if (ThreadId)
		*ThreadId = worker.tid;
	return (HANDLE)(intptr_t)handle;

err_close_ended:
	close(worker.ended);
err_close_handle:
	if (handle >= 0)
		close(handle);
	return NULL;
}

/*
 * Notifications
 */

/**
 * struct notification - what a package wants to be told
 * @next: in the list of all (lock)
 * @number: its name (constant)
 * @start: is called (constant)
 * @parameter: for that (constant)
 * @package: number of the package (constant)
 * @once: it ends with the first call (constant)
 * @interval: of calls in nanoseconds, 0 for none (constant)
 * @due: when the next one is (its thread)
 * @event: descriptor to wait for, -1 for none (constant)
 * @wake: eventfd that ends a wait (constant)
 * @cancelled: there is to be no call any more (lock)
 */
struct notification {
	struct notification *next;
	uintptr_t number;
	SEC_THREAD_START start;
	PVOID parameter;
	unsigned int package;
	bool once;
	int64_t interval;
	int64_t due;
	int event;
	int wake;
	bool cancelled;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct notification *notifications;
static unsigned int nr_notifications;
static uintptr_t last_number;

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static void destroy(struct notification *notification)
{
	if (notification->event >= 0)
		close(notification->event);
	if (notification->wake >= 0)
		close(notification->wake);
	free(notification);
}

/* Under lock: take out what is in the list */
static void take_out(struct notification *notification)
{
	struct notification **at = &notifications;

	while (*at != notification)
		at = &(*at)->next;
	*at = notification->next;
	nr_notifications--;
}

static int get_timeout(const struct notification *notification)
{
	int64_t left;

	if (!notification->interval)
		return -1;
	left = (notification->due - now() + NS_PER_MS - 1) / NS_PER_MS;
	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : left;
}

/* Whether what it waits for has come; false: it was cancelled, or cannot */
static bool wait_for_event(struct notification *notification)
{
	struct pollfd fds[2] = {
		{ .fd = notification->wake, .events = POLLIN },
		{ .fd = notification->event, .events = POLLIN },
	};
	int ret;

	for (;;) {
		ret = poll(fds, 2, get_timeout(notification));
		if (ret < 0 && errno != EINTR)
			return false;
		if (ret > 0 && (fds[0].revents || fds[1].revents & POLLNVAL))
			return false;
		if (ret > 0 && fds[1].revents)
			return true;
		if (notification->interval && now() >= notification->due)
			break;
	}
	/* Calls that were missed are not made up for */
	notification->due += notification->interval;
	if (notification->due < now())
		notification->due = now() + notification->interval;
	return true;
}

/* False: there is to be no call any more, and the list does not have it */
static bool may_call(struct notification *notification, bool has_come)
{
	bool may;

	pthread_mutex_lock(&lock);
	may = has_come && !notification->cancelled;
	if (!notification->cancelled && (!may || notification->once)) {
		take_out(notification);
		notification->cancelled = true;
	}
	pthread_mutex_unlock(&lock);
	return may;
}

static void *notify_package(void *argument)
{
	struct notification *notification = argument;
	bool has_come;

	lsabuf_host_package_set(notification->package);
	do {
		has_come = notification->event < 0 && !notification->interval;
		if (!has_come)
			has_come = wait_for_event(notification);
		if (!may_call(notification, has_come))
			break;
		notification->start(notification->parameter);
	} while (!notification->once);
	destroy(notification);
	return NULL;
}

static bool set_up(struct notification *notification, ULONG type, ULONG flags,
		   ULONG interval, HANDLE event)
{
	const bool seconds = flags & NOTIFIER_FLAG_SECONDS;

	notification->event = -1;
	notification->once = flags & NOTIFIER_FLAG_ONE_SHOT;
	notification->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	switch (type) {
	case NOTIFIER_TYPE_INTERVAL:
		notification->interval =
			interval * NS_PER_S * (seconds ? 1 : 60);
		notification->due = now() + notification->interval;
		return notification->wake >= 0 && interval;
	case NOTIFIER_TYPE_HANDLE_WAIT:
		/* Its own, as the package may close the other at any time */
		notification->event = fcntl((int)(intptr_t)event,
					    F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		return notification->wake >= 0 && notification->event >= 0;
	case NOTIFIER_TYPE_IMMEDIATE:
		notification->once = true;
		return notification->wake >= 0;
	default:
		return false;
	}
}

static bool insert(struct notification *notification)
{
	bool has_room;

	pthread_mutex_lock(&lock);
	has_room = nr_notifications < MAX_NOTIFICATIONS;
	if (has_room) {
		notification->number = ++last_number;
		notification->next = notifications;
		notifications = notification;
		nr_notifications++;
	}
	pthread_mutex_unlock(&lock);
	return has_room;
}

static void remove_new(struct notification *notification)
{
	pthread_mutex_lock(&lock);
	if (!notification->cancelled)
		take_out(notification);
	pthread_mutex_unlock(&lock);
}

/* Every call has a thread that is not the package's anyway */
static HANDLE NTAPI register_notification(
	SEC_THREAD_START StartFunction, PVOID Parameter, ULONG NotificationType,
	ULONG NotificationClass, ULONG NotificationFlags, ULONG IntervalMinutes,
	HANDLE WaitEvent)
{
	struct notification *notification;
	uintptr_t number;

	UNREFERENCED_PARAMETER(NotificationClass);
	if (!StartFunction)
		return NULL;
	notification = calloc(1, sizeof(*notification));
	if (!notification)
		return NULL;
	notification->start = StartFunction;
	notification->parameter = Parameter;
	notification->package = get_package();
	if (!set_up(notification, NotificationType, NotificationFlags,
		    IntervalMinutes, WaitEvent) ||
	    !insert(notification))
		goto err_destroy;
	/* It may be over before the thread's start has returned */
	number = notification->number;
	if (!start_thread(notify_package, notification, 0))
		goto err_remove;
	return (HANDLE)number;

err_remove:
	remove_new(notification);
err_destroy:
	destroy(notification);
	return NULL;
}

/* The lock is held */
static void cancel(struct notification *notification)
{
	take_out(notification);
	notification->cancelled = true;
	eventfd_write(notification->wake, 1);
}

/* No call begins once this has returned; one that has begun goes on */
static NTSTATUS NTAPI cancel_notification(HANDLE NotifyHandle)
{
	struct notification *notification;

	pthread_mutex_lock(&lock);
	for (notification = notifications; notification;
	     notification = notification->next)
		if (notification->number == (uintptr_t)NotifyHandle)
			break;
	if (notification)
		cancel(notification);
	pthread_mutex_unlock(&lock);
	return notification ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

/* workers_stop() - cancel all notifications */
void workers_stop(void)
{
	pthread_mutex_lock(&lock);
	while (notifications)
		cancel(notifications);
	pthread_mutex_unlock(&lock);
}

/* For lsabuf_host_services_set() */
void workers_services(LSA_SECPKG_FUNCTION_TABLE *services)
{
	services->CreateThread = create_thread;
	services->RegisterNotification = register_notification;
	services->CancelNotification = cancel_notification;
}
