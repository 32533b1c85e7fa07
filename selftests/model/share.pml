/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Model of how requests come to the threads of an authority (kmod/queue.c):
 * more threads than request.pml has, and nothing of a request but its user.
 *
 * here                 models
 * ----                 ------
 * WAITING              in the queue's @receivers, counted in @nr_waiting
 * BUSY                 received one and has not come back: @nr_busy, @busy of
 *                      the user
 * AWAY                 in user space, at work on nothing that counts
 * HAS_SHARE            has_share()
 * serve_receivers      serve_receivers(), receive_next(), wake_receiver()
 * arrive               lsabuf_request_queue(): hand_over()
 * withdraw             a queued request is given up
 * answer               busy_end() by a reply, of any thread
 * begin                lsabuf_receive_begin(): came_back(), then receives,
 *                      waits, or does neither (LSABUF_REPLY_RECEIVE_F_NOWAIT)
 * signal               lsabuf_receive_end() without a request
 *
 * The order of the queue is not modelled: any user who has a share may be next.
 *
 * Checked: after every step, no thread waits while a request is queued whose
 * user has a share; and a user who has a thread only gets one more while it has
 * less than half of them.
 */
#ifndef THREADS
#define THREADS 5
#endif
#define USERS 2
#define MOST_QUEUED 2

#define AWAY 0
#define WAITING 1
#define BUSY 2 /* for user 0; the next number is for user 1 */

byte thread[THREADS];
byte queued[USERS];
byte busy[USERS];
byte nr_waiting;

hidden byte r;
hidden byte u;

#define SHARE ((nr_waiting + busy[0] + busy[1]) / 2)
#define HAS_SHARE(x) (busy[x] == 0 || busy[x] < SHARE)
#define MAY_TAKE(x) (queued[x] && HAS_SHARE(x))
#define ANY_TO_TAKE (MAY_TAKE(0) || MAY_TAKE(1))

/* A thread that waits gets a request of user x */
inline receive(t, x)
{
	assert(thread[t] == WAITING);
	assert(busy[x] == 0 || 2 * busy[x] < nr_waiting + busy[0] + busy[1]);
	thread[t] = BUSY + x;
	nr_waiting--;
	busy[x]++
}

inline any_waiting()
{
	r = 0;
	do
	:: thread[r] == WAITING -> break
	:: thread[r] != WAITING -> r++
	od
}

inline any_user()
{
	if
	:: MAY_TAKE(0) -> u = 0
	:: MAY_TAKE(1) -> u = 1
	fi
}

inline serve_receivers()
{
	do
	:: nr_waiting && ANY_TO_TAKE ->
		any_waiting();
		any_user();
		queued[u]--;
		receive(r, u)
	:: else -> break
	od
}

inline busy_end(t)
{
	if
	:: thread[t] >= BUSY ->
		busy[thread[t] - BUSY]--;
		thread[t] = AWAY;
		serve_receivers()
	:: else
	fi
}

active [THREADS] proctype server_thread()
{
end:
	do
	:: atomic { thread[_pid] != WAITING -> /* begin */
		busy_end(_pid);
		thread[_pid] = WAITING;
		nr_waiting++;
#ifdef MUTANT_BEGIN_ALONE
		if
		:: ANY_TO_TAKE ->
			any_user();
			queued[u]--;
			receive(_pid, u)
		:: else
		fi
#else
		serve_receivers()
#endif
	   }
	:: atomic { thread[_pid] != WAITING -> /* begin, without waiting */
		busy_end(_pid);
		if
		:: queued[0] -> queued[0]--
		:: queued[1] -> queued[1]--
		:: true
		fi
	   }
	:: atomic { thread[_pid] >= BUSY -> /* answer */
#ifdef MUTANT_ANSWER_ALONE
		busy[thread[_pid] - BUSY]--;
		thread[_pid] = AWAY
#else
		busy_end(_pid)
#endif
	   }
	:: atomic { thread[_pid] == WAITING -> /* signal */
		thread[_pid] = AWAY;
		nr_waiting--
	   }
	od
}

active proctype clients()
{
	byte x;

end:
	do
	:: atomic { /* arrive */
		if
		:: queued[0] < MOST_QUEUED -> x = 0
		:: queued[1] < MOST_QUEUED -> x = 1
		fi;
		if
		:: nr_waiting && HAS_SHARE(x) ->
			any_waiting();
			receive(r, x)
		:: else ->
			queued[x]++
		fi;
		x = 0
	   }
	:: atomic { /* withdraw */
		if
		:: queued[0] -> queued[0]--
		:: queued[1] -> queued[1]--
		fi
	   }
	od
}

active proctype monitor()
{
end:
	atomic {
		nr_waiting && ANY_TO_TAKE ->
		assert(!(nr_waiting && ANY_TO_TAKE))
	}
}
