/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Model of one call: kmod/queue.c and kmod/request.c, for the checker spin.
 *
 * The states are those of enum lsabuf_request_state. What a function does under
 * queue->lock is one atomic step. What it does without the lock is where one
 * step ends and the next begins, so anything can happen meanwhile: copying the
 * snapshot, the header, the outcome, doing a chore, working on a request.
 *
 * here                 models
 * ----                 ------
 * client_thread        a thread of a client in lsabuf_request_call()
 *   new, prepared        lsabuf_request_new(): GONE, with one reference; then
 *                        lsabuf_request_queue(): GONE -> QUEUED
 *   attach               resume_call(): find, lsabuf_request_attach()
 *   any                  any_call(): lsabuf_client_done()
 *   mismatch             lsabuf_request_find() compares the id after it has
 *                        taken a reference
 *   wait                 wait_for_outcome(), take_outcome(). A signal, or an
 *                        outcome that could not be copied out, ends in
 *                        lsabuf_request_detach(); a fatal signal or a timeout
 *                        in lsabuf_request_give_up(). A thread that leaves at
 *                        once is LSABUF_CALL_F_NOWAIT
 *   work                 do_chore(), where the thread may stall for ever
 *   give                 lsabuf_space_sync(): passes through space->lock
 * server_thread        a thread of the authority
 *   receive_begin        lsabuf_receive_begin(), wait_to_receive(), and the
 *                        hand-over: QUEUED -> RECEIVED
 *   deliver              deliver(): the header is copied out, or else
 *                        lsabuf_request_requeue(): RECEIVED -> QUEUED
 *   find, reply          lsabuf_request_reply(): RECEIVED -> REPLIED, or the
 *                        end of an ABANDONED request
 *   operate              COPY, ALLOC, RELEASE, IDENTITY and the payload of a
 *                        reply, from get_held() to lsabuf_request_put()
 *   copying              copy_block(), copy_resident(): under space->lock
 *   chore_wait           run_chore(), lsabuf_request_expire() when the budget
 *                        is used up, lsabuf_chore_withdraw() when killed
 * canceller            cancel_call() by any other thread of the client, and
 *                        is_overdue() in receive_next()
 * client_end           lsabuf_client_leave(): DISCONNECT, exec, death
 * authority_end        lsabuf_queue_die()
 * request_let_go       let_go(): from the client's side, whatever the state
 * request_settle       settle(); request_unhold: unhold(), request_orphan:
 *                        orphan(), chore_detach: detach_chore()
 *
 * Generations are not counted: an id is either that of the call which a slot
 * serves, or stale. Nor are calls: a client makes any number of them, as many
 * at a time as there are slots (a number of them with LIVENESS).
 *
 * The authority is the most general one: each of its threads may at any time
 * receive, answer or work on any id, of any client, received by itself or not,
 * stale or not, forget requests, or do nothing any more. This covers requests
 * that are held and answered in any order by any thread, ids that show before
 * their header is delivered as a whole, and a REPLY_RECEIVE which, after a
 * signal, repeats only the receive half. Clients likewise use ids of others.
 *
 * Not modelled: the order of the queue (any queued request may be the next),
 * notices of clients that are gone, to whom blocks belong, what is in the
 * bytes, and memory ordering of what is read without the lock. More than two
 * threads of the authority are in share.pml; sections and their revocation,
 * which change no request, in section.pml.
 *
 * Checked, beside the other assertions below:
 *  - exactly one outcome of each call for its client: answered (the reply or
 *    EPIPE) or given up. So there is no reply after an acknowledged cancel or
 *    timeout, and ENOENT is only said of a call that has its outcome
 *  - each request is received once; a header that was not delivered counts not,
 *    and EPIPE tells rightly that a request was never received
 *  - the snapshot is there as long as the authority holds the request
 *  - references are as many as are held; a request without any is GONE
 *  - stale ids, and ids of other clients, are never accepted
 *  - a request is in no list twice, and in the list that its state says
 *  - a chore is freed once, after both sides have left it
 *  - no byte moves once a thread has come back with the outcome (WITH_COPY)
 *  - nobody sleeps who has something to do, after every step (WITH_WAKEUPS)
 *  - every client thread leaves its call and every wait for a chore ends, given
 *    fair scheduling, if the authority serves or dies (LIVENESS). A client
 *    thread that stalls in a chore for ever stays, but holds up nobody else
 *
 * MUTANT_* take a mechanism away; each must be found.
 */

/* Size of the model; a configuration sets these with -D */
#ifndef CLIENTS
#define CLIENTS 2
#endif
#ifndef ATTACHERS
#define ATTACHERS CLIENTS /* clients with a second thread, which attaches */
#endif
#ifndef SERVERS
#define SERVERS 2
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef USERS
#define USERS CLIENTS /* 1: the clients share the turns of one user */
#endif

#define THREADS (2 * CLIENTS)
#define CHORES 4 /* SERVERS posted and CLIENTS + ATTACHERS taken, at most */

#define USER_OF(i) (slot[i].client % USERS)

mtype:request_state = { GONE, QUEUED, RECEIVED, REPLIED, ABANDONED };
mtype:chore_state = { FREE, POSTED, TAKEN, DONE };

/* Outcome of a call as its client learns it */
#define PENDING 0
#define ANSWERED 1 /* the reply, or EPIPE; or it was never queued */
#define GIVEN_UP 2

#define NO_CHORE 7

typedef request {
	mtype:request_state state = GONE;
	byte ref; /* as the code counts */
	byte ops; /* operations under way, each with a reference */
	byte client;
	byte waiter; /* thread + 1 */
	bit client_ref; /* in the client's @requests, with a reference */
	bit held; /* by the authority, with a reference */
	bit queued; /* @list is in the queue */
	bit done; /* @list is in the client's @done */
	bit snapshot;
	byte outcome;
	bit received; /* its header was delivered */
#ifdef WITH_WAKEUPS
	byte receiver; /* server thread + 1, while it is busy with it */
#endif
#ifdef WITH_COPY
	bit returned; /* a thread came back with the outcome */
#endif
#ifdef WITH_CHORES
	byte chore = NO_CHORE;
	bit chore_mutex
#endif
};

request slot[SLOTS];
bit client_dead[CLIENTS];
bit queue_dead;

#ifdef WITH_CHORES
typedef chore_memory {
	mtype:chore_state state = FREE;
	byte ref
};

chore_memory chore[CHORES];
#endif
#ifdef WITH_COPY
bit space_lock[CLIENTS];
#endif
#ifdef WITH_WAKEUPS
bit thread_asleep[THREADS];
bit listed[SERVERS]; /* in the queue's @receivers, and asleep */
byte handed[SERVERS]; /* @request of its struct lsabuf_receiver, slot + 1 */
hidden byte r, v; /* scratch of serve_receivers */
#endif

#ifdef LIVENESS
bit thread_in_call[THREADS];
bit thread_stalled[THREADS]; /* for ever in a chore: its client's own doing */
bit server_at_chore[SERVERS];

/* Signals, faults and the like happen, but not for ever */
#ifndef TROUBLES
#define TROUBLES 2
#endif
byte trouble = TROUBLES;
#ifndef CALLS
#define CALLS 2 /* of each client */
#endif
#define TROUBLE (trouble > 0)
#define SPEND trouble--
#define NOTE(note) note
#else
#define TROUBLE true
#define SPEND skip
#define NOTE(note) skip
#endif

#define IS_FREE(s) (slot[s].ref == 0)
#define SETTLED(s) (slot[s].state != QUEUED && slot[s].state != RECEIVED)

/* Choices over the configured number of slots */
#if SLOTS == 1
#define EACH_SLOT(x) x(0)
#define ANY_SLOT(x) (x(0))
#elif SLOTS == 2
#define EACH_SLOT(x) x(0) x(1)
#define ANY_SLOT(x) (x(0) || x(1))
#else
#define EACH_SLOT(x) x(0) x(1) x(2)
#define ANY_SLOT(x) (x(0) || x(1) || x(2))
#endif
#define IF_USED(i) :: !IS_FREE(i) -> s = i
#ifdef ONE_MISMATCH /* only one thread holds a request that is not meant */
#define IF_STALE(i) :: me == 0 && !IS_FREE(i) -> s = i
#else
#define IF_STALE(i) IF_USED(i)
#endif
#define IF_QUEUED(i) :: slot[i].queued -> s = i
#define IF_DONE(i) :: slot[i].done && slot[i].client == c -> s = i
#ifdef MUTANT_NO_OWNER
#define IF_MINE(i) :: slot[i].client_ref && !slot[i].waiter -> s = i
#else
#define IF_MINE(i)                                                       \
	:: slot[i].client_ref && !slot[i].waiter && slot[i].client == c -> \
		s = i
#endif
#define IF_WANTED(i) :: slot[i].client_ref && TROUBLE -> s = i
#define IF_OVERDUE(i) :: slot[i].queued && TROUBLE -> s = i
#define IF_RECEIVED(i) :: slot[i].state == RECEIVED -> s = i
#define IS_QUEUED(i) slot[i].queued
#define ANY_QUEUED ANY_SLOT(IS_QUEUED)

/*
 * Within an atomic step: no choice is left, which makes the search faster. Only
 * who of the waiting threads receives which request is open.
 */
#ifdef WITH_WAKEUPS
#define STEP atomic
#else
#define STEP d_step
#endif

/* ---- wake-ups ---- */

#ifdef WITH_WAKEUPS
#if SERVERS > 1
#define NR_WAITING (listed[0] + listed[1])
#else
#define NR_WAITING listed[0]
#endif
#define BUSY(i) (slot[i].receiver -> 1 : 0)
#define BUSY_FOR(i, u) (slot[i].receiver && USER_OF(i) == (u) -> 1 : 0)
#if SLOTS == 1
#define NR_BUSY BUSY(0)
#define USER_BUSY(u) BUSY_FOR(0, u)
#elif SLOTS == 2
#define NR_BUSY (BUSY(0) + BUSY(1))
#define USER_BUSY(u) (BUSY_FOR(0, u) + BUSY_FOR(1, u))
#else
#define NR_BUSY (BUSY(0) + BUSY(1) + BUSY(2))
#define USER_BUSY(u) (BUSY_FOR(0, u) + BUSY_FOR(1, u) + BUSY_FOR(2, u))
#endif

/* has_share(): may a thread of the pool take it? */
#define SHARE ((NR_WAITING + NR_BUSY) / 2)
#define MAY_TAKE(i)                             \
	(slot[i].queued &&                      \
	 (USER_BUSY(USER_OF(i)) == 0 || \
	  USER_BUSY(USER_OF(i)) < SHARE))
#define ANY_TO_TAKE ANY_SLOT(MAY_TAKE)
#define IF_MAY_TAKE(i) :: MAY_TAKE(i) -> v = i

#define AWAKE(t) (!thread_asleep[t])
#else
#define AWAKE(t) true
#endif
#ifdef WITH_CHORES
#define HAS_CHORE(i) (slot[i].chore != NO_CHORE)
#else
#define HAS_CHORE(i) false
#endif

inline wake_waiter(s)
{
#if defined(WITH_WAKEUPS) && !defined(MUTANT_NO_WAKE)
	if
	:: slot[s].waiter -> thread_asleep[slot[s].waiter - 1] = 0
	:: else
	fi
#else
	skip
#endif
}

/* QUEUED -> RECEIVED for a thread that need not be current */
inline receive(i)
{
	assert(slot[i].state == QUEUED && slot[i].queued);
	assert(slot[i].client_ref && slot[i].snapshot && !slot[i].held);
	slot[i].queued = 0;
	slot[i].state = RECEIVED;
	slot[i].held = 1;
	slot[i].ops++;
	slot[i].ref = slot[i].ref + 2
}

/* The queue's order is not modelled: any that may be taken, by any who waits */
inline serve_receivers()
{
#ifdef WITH_WAKEUPS
	do
	:: NR_WAITING && ANY_TO_TAKE ->
		if
		:: listed[0] -> r = 0
#if SERVERS > 1
		:: listed[1] -> r = 1
#endif
		fi;
		if
		EACH_SLOT(IF_MAY_TAKE)
		fi;
		receive(v);
		slot[v].receiver = r + 1;
		handed[r] = v + 1;
		listed[r] = 0
	:: else -> break
	od
#else
	skip
#endif
}

inline busy_end(s)
{
#ifdef WITH_WAKEUPS
	if
	:: slot[s].receiver ->
		slot[s].receiver = 0;
		serve_receivers()
	:: else
	fi
#else
	skip
#endif
}

/* ---- references ---- */

inline request_put(s)
{
	assert(slot[s].ref > 0);
	slot[s].ref--;
	assert(slot[s].ref ==
	       slot[s].client_ref + slot[s].held + slot[s].ops);
	if
	:: slot[s].ref == 0 ->
		assert(slot[s].state == GONE);
		assert(slot[s].outcome != PENDING);
		assert(!slot[s].queued && !slot[s].done && !slot[s].waiter);
		slot[s].snapshot = 0;
		slot[s].outcome = PENDING;
		slot[s].received = 0;
#ifdef WITH_WAKEUPS
		assert(!slot[s].receiver);
#endif
#ifdef WITH_COPY
		slot[s].returned = 0;
#endif
#ifdef WITH_CHORES
		assert(slot[s].chore == NO_CHORE && !slot[s].chore_mutex);
#endif
		slot[s].client = 0
	:: else
	fi
}

inline op_get(s)
{
	slot[s].ops++;
	slot[s].ref++
}

inline op_put(s)
{
	assert(slot[s].ops > 0);
	slot[s].ops--;
	request_put(s)
}

/* ---- chores ---- */

#ifdef WITH_CHORES
#if SLOTS == 1
#define POINTED_TO(h) (slot[0].chore == (h))
#else
#define POINTED_TO(h) (slot[0].chore == (h) || slot[1].chore == (h))
#endif

inline chore_put(h)
{
	assert(chore[h].ref > 0);
	chore[h].ref--;
	if
	:: chore[h].ref == 0 ->
		assert(!POINTED_TO(h));
		chore[h].state = FREE
	:: else
	fi
}
#endif

inline chore_detach(s)
{
#ifdef WITH_CHORES
	if
	:: slot[s].chore != NO_CHORE ->
		assert(chore[slot[s].chore].ref > 0);
		chore[slot[s].chore].state = DONE;
		slot[s].chore = NO_CHORE
	:: else
	fi
#else
	skip
#endif
}

/* ---- state changes ---- */

inline set_outcome(s, what)
{
	assert(slot[s].outcome == PENDING);
	slot[s].outcome = what
}

/* For the thread that waits, or for poll() */
inline request_settle(s)
{
	if
	:: slot[s].waiter -> wake_waiter(s)
	:: !slot[s].waiter && slot[s].client_ref ->
		assert(!slot[s].queued && !slot[s].done);
		slot[s].done = 1
	:: else
	fi
}

inline request_unhold(s)
{
	assert(slot[s].held && slot[s].snapshot);
	assert(slot[s].state == RECEIVED || slot[s].state == ABANDONED);
	slot[s].held = 0;
	busy_end(s);
#ifndef MUTANT_NO_DETACH
	chore_detach(s)
#endif
}

/* The client takes the outcome or gives up; it is in its @requests */
inline request_let_go(s)
{
	assert(slot[s].client_ref);
	slot[s].client_ref = 0;
	if
	:: slot[s].state == RECEIVED ->
		slot[s].state = ABANDONED;
#ifdef MUTANT_FREE_ON_ABANDON
		slot[s].snapshot = 0;
#endif
		chore_detach(s)
	:: slot[s].state == ABANDONED ->
		slot[s].done = 0;
		if
		:: !slot[s].held -> slot[s].state = GONE
		:: else
		fi
	:: slot[s].state == QUEUED || slot[s].state == REPLIED ->
		slot[s].queued = 0;
		slot[s].done = 0;
		slot[s].state = GONE
	fi;
	wake_waiter(s);
	request_put(s)
}

inline request_give_up(s)
{
	if
	:: slot[s].client_ref ->
		set_outcome(s, GIVEN_UP);
		request_let_go(s)
	:: else
	fi
}

inline request_requeue(s)
{
#ifdef MUTANT_REQUEUE_UNCHECKED
	if
	:: slot[s].held ->
		request_unhold(s);
		request_put(s)
	:: else
	fi;
	slot[s].state = QUEUED;
	slot[s].queued = 1;
	serve_receivers()
#else
	if
	:: slot[s].held ->
		request_unhold(s);
		if
		:: slot[s].state == RECEIVED ->
			assert(!slot[s].done);
			slot[s].state = QUEUED;
			slot[s].queued = 1;
#ifndef MUTANT_REQUEUE_NO_WAKE
			serve_receivers()
#endif
		:: slot[s].state == ABANDONED && !slot[s].client_ref ->
			slot[s].state = GONE
		:: slot[s].state == ABANDONED && slot[s].client_ref
		fi;
		request_put(s)
	:: else /* ended by another thread */
	fi
#endif
}

inline request_reply(s)
{
	if
	:: slot[s].held ->
		request_unhold(s);
		if
#ifdef MUTANT_REPLY_ABANDONED
		:: slot[s].state == RECEIVED || slot[s].state == ABANDONED ->
#else
		:: slot[s].state == RECEIVED ->
#endif
			slot[s].state = REPLIED;
			request_settle(s)
#ifndef MUTANT_REPLY_ABANDONED
		:: slot[s].state == ABANDONED && !slot[s].client_ref ->
			slot[s].state = GONE
		:: slot[s].state == ABANDONED && slot[s].client_ref
#endif
		fi;
		slot[s].snapshot = 0;
		request_put(s)
	:: else /* ENOENT */
	fi
}

inline request_orphan(s, was_held)
{
	was_held = slot[s].held;
	if
	:: was_held -> request_unhold(s)
	:: else
	fi;
	if
	:: slot[s].state == QUEUED || slot[s].state == RECEIVED ->
		/* out_status[0] tells whether it was received */
		assert(slot[s].state == RECEIVED || !slot[s].received);
		slot[s].queued = 0;
		slot[s].state = REPLIED;
		request_settle(s)
	:: slot[s].state == ABANDONED && !slot[s].client_ref ->
		slot[s].state = GONE
	:: else
	fi;
	if
	:: was_held ->
		slot[s].snapshot = 0;
		request_put(s);
		was_held = 0
	:: else
	fi
}

#ifdef WITH_CHORES
inline request_expire(s)
{
	assert(slot[s].state == RECEIVED && slot[s].held);
	if
	:: slot[s].waiter ->
		slot[s].state = ABANDONED;
		chore_detach(s);
		request_settle(s)
	:: else -> /* EAGAIN: in a signal handler, say */
		slot[s].chore = NO_CHORE
	fi
}
#endif

/* take_outcome(), after the copy */
inline request_take(s)
{
#ifdef MUTANT_TAKE_UNCHECKED
	set_outcome(s, ANSWERED);
	if
	:: slot[s].client_ref -> request_let_go(s)
	:: else
	fi
#else
	if
	:: slot[s].client_ref ->
		if
		:: slot[s].state == ABANDONED ->
			/* lsabuf_request_expire(): ECANCELED */
			set_outcome(s, GIVEN_UP)
		:: slot[s].state == REPLIED ->
			set_outcome(s, ANSWERED)
		fi;
		request_let_go(s)
	:: else -> /* ECANCELED: another thread gave it up */
		assert(slot[s].outcome == GIVEN_UP)
	fi
#endif
}

/* ---- the client ---- */

inline leave(s)
{
	op_put(s);
	NOTE(thread_in_call[t] = 0);
	s = 0
}

inline come_back(s)
{
	assert(slot[s].waiter == t + 1);
	slot[s].waiter = 0;
	leave(s)
}

inline be_woken(t)
{
#ifdef WITH_WAKEUPS
	thread_asleep[t] = 0
#else
	skip
#endif
}

proctype client_thread(byte c; byte t; bit caller)
{
	byte s;
#ifdef WITH_CHORES
	byte h;
#endif
#ifdef LIVENESS
	byte calls = CALLS;
#endif

end_idle:
	if
	:: atomic { /* new: EAGAIN while no slot is free */
		caller && !client_dead[c] && !queue_dead &&
#ifdef LIVENESS
		calls &&
#endif
		ANY_SLOT(IS_FREE) ->
#ifdef LIVENESS
		calls--;
#endif
		do
		:: IS_FREE(s) -> break
		:: else -> s++
		od;
		assert(slot[s].state == GONE && !slot[s].snapshot);
		slot[s].client = c;
		slot[s].snapshot = 1;
		STEP { op_get(s) };
		NOTE(thread_in_call[t] = 1);
		goto prepared
	   }
	:: atomic { /* any */
		if
		EACH_SLOT(IF_DONE)
		fi;
		assert(!slot[s].waiter && slot[s].client_ref);
		slot[s].done = 0;
		slot[s].waiter = t + 1;
		STEP { op_get(s) };
		NOTE(thread_in_call[t] = 1);
		goto wait
	   }
#ifndef ONE_MISMATCH
	:: atomic { /* find with a stale id */
		if
		EACH_SLOT(IF_USED)
		fi;
		STEP { op_get(s) };
		NOTE(thread_in_call[t] = 1);
		goto mismatch
	   }
#endif
	:: atomic { /* attach; where that fails nothing has changed */
		if
		EACH_SLOT(IF_MINE)
		fi;
		assert(slot[s].client == c);
		slot[s].waiter = t + 1;
		if
		:: slot[s].state != QUEUED -> slot[s].done = 0
		:: else
		fi;
		STEP { op_get(s) };
		NOTE(thread_in_call[t] = 1);
		goto wait
	   }
	fi;

#ifndef ONE_MISMATCH
mismatch: /* a request that is not meant is held for a moment */
	atomic {
		STEP { leave(s) };
		goto end_idle
	}
#endif

prepared: /* the snapshot was copied and the id stored, or that failed */
	atomic {
		if
		:: queue_dead || client_dead[c] || TROUBLE ->
			set_outcome(s, ANSWERED);
			STEP { leave(s) };
			goto end_idle
		:: !queue_dead && !client_dead[c] ->
			slot[s].waiter = t + 1;
			slot[s].client_ref = 1;
			slot[s].ref++;
			slot[s].state = QUEUED;
			slot[s].queued = 1;
			serve_receivers();
			goto wait
		fi
	}

wait:
	if
#ifdef WITH_WAKEUPS
	:: atomic { AWAKE(t) && !SETTLED(s) && !HAS_CHORE(s) ->
		thread_asleep[t] = 1;
		goto wait
	   }
#endif
#ifdef WITH_CHORES
	:: atomic { AWAKE(t) && !SETTLED(s) && HAS_CHORE(s) ->
		/* lsabuf_chore_take() */
		h = slot[s].chore;
		assert(slot[s].state == RECEIVED);
		assert(chore[h].state == POSTED && chore[h].ref == 1);
		chore[h].state = TAKEN;
		chore[h].ref++;
		goto work
	   }
#endif
	:: atomic { AWAKE(t) && SETTLED(s) ->
		/* take: the outcome was copied out, without locks */
		STEP { request_take(s) };
#ifdef WITH_COPY
		goto give
#else
		STEP { come_back(s) };
		goto end_idle
#endif
	   }
	:: atomic { TROUBLE ->
		/*
		 * A signal, or it never meant to wait, or the outcome could
		 * not be copied out: lsabuf_request_detach()
		 */
		SPEND;
		be_woken(t);
		assert(slot[s].waiter == t + 1);
		slot[s].waiter = 0;
		if
		:: SETTLED(s) -> request_settle(s)
		:: else
		fi;
		STEP { leave(s) };
		goto end_idle
	   }
	:: atomic { TROUBLE -> /* a fatal signal, or the time is over */
		SPEND;
		be_woken(t);
		STEP { request_give_up(s) };
#ifdef WITH_COPY
		goto give
#else
		STEP { come_back(s) };
		goto end_idle
#endif
	   }
	fi;

#ifdef WITH_CHORES
work:	/* without locks, perhaps for ever */
	if
#ifdef LIVENESS
	:: atomic { TROUBLE ->
		SPEND;
		thread_stalled[t] = 1;
		goto end_stalled
	   }
#endif
	:: atomic { /* lsabuf_chore_finish() */
		assert(chore[h].ref > 0);
		if
		:: slot[s].chore == h ->
			assert(chore[h].state == TAKEN);
			slot[s].chore = NO_CHORE;
			chore[h].state = DONE
		:: else
		fi;
		chore_put(h);
		h = 0;
		goto wait
	   }
	fi;
#endif

#ifdef WITH_COPY
give:	/* lsabuf_blocks_give(): through the client's space->lock */
	atomic {
#ifndef MUTANT_NO_BARRIER
		!space_lock[c];
#endif
		slot[s].returned = 1;
		STEP { come_back(s) };
		goto end_idle
	}
#endif
#if defined(WITH_CHORES) && defined(LIVENESS)
end_stalled:
	false
#endif
}

/* ---- the authority ---- */

proctype server_thread(byte me)
{
	byte s;
#ifdef WITH_CHORES
	byte h;
#endif

end_idle:
	if
#ifndef LIVENESS
	:: atomic { /* receive without waiting: any user's */
		if
		EACH_SLOT(IF_QUEUED)
		fi;
		STEP { receive(s) };
		goto deliver
	   }
	:: atomic { /* find with a stale id */
		if
		EACH_SLOT(IF_STALE)
		fi;
		STEP { op_get(s) };
#ifdef MUTANT_NO_GENERATION
		/* accepted: it would work on a call that is not meant */
		assert(slot[s].state != RECEIVED);
#endif
		goto put
	   }
	:: atomic { /* find, reply; an unknown id changes nothing */
		if
		EACH_SLOT(IF_USED)
		fi;
		STEP { op_get(s) };
		STEP { request_reply(s) };
		STEP { op_put(s) };
		s = 0;
		goto end_idle
	   }
	:: atomic { /* find, lsabuf_request_held() */
		if
		EACH_SLOT(IF_RECEIVED)
		fi;
		STEP { op_get(s) };
		goto operate
	   }
#endif
#ifdef WITH_WAKEUPS
	:: atomic { /* lsabuf_receive_begin() */
		!queue_dead;
#define CAME_BACK(i)                                \
		if                                  \
		:: slot[i].receiver == me + 1 ->    \
			busy_end(i)                 \
		:: else                             \
		fi;
		EACH_SLOT(CAME_BACK)
		listed[me] = 1;
		if
		:: ANY_TO_TAKE -> /* it does not come to wait */
			if
			EACH_SLOT(IF_MAY_TAKE)
			fi;
			s = v;
			receive(s);
			slot[s].receiver = me + 1;
			listed[me] = 0;
			serve_receivers();
			goto deliver
		:: else -> goto end_receive
		fi
	   }
#endif
	fi;

#ifdef WITH_WAKEUPS
end_receive: /* wait_to_receive() */
	if
	:: atomic { handed[me] ->
		s = handed[me] - 1;
		handed[me] = 0;
		goto deliver
	   }
	:: atomic { !handed[me] && !listed[me] -> /* EPIPE */
		assert(queue_dead);
		goto end_idle
	   }
	:: atomic { !handed[me] && TROUBLE -> /* a signal */
		SPEND;
		listed[me] = 0;
		goto end_idle
	   }
	fi;
#endif

deliver: /* the header is being copied out, without locks */
	if
	:: atomic {
		assert(!slot[s].held || slot[s].snapshot);
		assert(!slot[s].received);
		slot[s].received = 1;
#ifdef LIVENESS
		goto serve
#else
		STEP { op_put(s) };
		s = 0;
		goto end_idle
#endif
	   }
	:: atomic { TROUBLE ->
		SPEND;
		STEP { request_requeue(s) };
		STEP { op_put(s) };
		s = 0;
		goto end_idle
	   }
	fi;

#ifdef LIVENESS
serve:	/* an authority that serves: perhaps an operation, then the reply */
	if
	:: atomic { slot[s].state == RECEIVED -> goto operate }
	:: goto answer
	fi;
answer:
	atomic {
		STEP { request_reply(s) };
		goto put
	}
#endif

/* A server that serves works on a request only so often */
#ifdef LIVENESS
#define OPERATED answer
#else
#define OPERATED operate
#endif
operate: /* nothing here is sure but the reference */
	if
#ifdef LIVENESS
	:: goto answer
#else
	:: atomic {
		STEP { op_put(s) };
		s = 0;
		goto end_idle
	   }
#endif
#ifdef WITH_COPY
	:: atomic { !space_lock[slot[s].client] &&
		    slot[s].state == RECEIVED ->
		space_lock[slot[s].client] = 1;
		goto copying
	   }
#endif
#ifdef WITH_CHORES
	:: atomic { !slot[s].chore_mutex && slot[s].state == RECEIVED ->
		/* lsabuf_chore_post() */
		assert(slot[s].chore == NO_CHORE);
		if
		:: chore[0].ref == 0 -> h = 0
		:: chore[0].ref && chore[1].ref == 0 -> h = 1
		:: chore[0].ref && chore[1].ref && chore[2].ref == 0 -> h = 2
		:: chore[0].ref && chore[1].ref && chore[2].ref &&
		   chore[3].ref == 0 -> h = 3
		fi;
		slot[s].chore_mutex = 1;
		chore[h].state = POSTED;
		chore[h].ref = 1;
		slot[s].chore = h;
		NOTE(server_at_chore[me] = 1);
		wake_waiter(s);
		goto chore_wait
	   }
#endif
	fi;

#ifdef WITH_COPY
copying:
	atomic {
		assert(!slot[s].returned);
		space_lock[slot[s].client] = 0;
		goto OPERATED
	}
#endif

#ifdef WITH_CHORES
chore_wait:
	atomic {
		assert(chore[h].ref > 0);
		if
		:: chore[h].state == DONE
#ifndef MUTANT_NO_BUDGET
		:: chore[h].state != DONE ->
			/* the budget is used up */
			assert(slot[s].chore == h);
			request_expire(s)
#endif
		:: chore[h].state != DONE && TROUBLE ->
			/* lsabuf_chore_withdraw(): killed */
			SPEND;
			assert(slot[s].chore == h);
			slot[s].chore = NO_CHORE
		fi;
		chore_put(h);
		h = 0;
		slot[s].chore_mutex = 0;
		NOTE(server_at_chore[me] = 0);
		goto OPERATED
	}
#endif

put:
	atomic {
		STEP { op_put(s) };
		s = 0;
		goto end_idle
	}
}

/* ---- what happens to them ---- */

inline mark_queue_dead()
{
	queue_dead = 1;
#ifdef WITH_WAKEUPS
	listed[0] = 0;
#if SERVERS > 1
	listed[1] = 0
#endif
#endif
}

proctype canceller()
{
	byte s;

end_canceller:
	do
	:: atomic { /* receive_next() finds that its time is over */
		if
		EACH_SLOT(IF_OVERDUE)
		fi;
		SPEND;
		slot[s].queued = 0;
		slot[s].state = REPLIED;
		request_settle(s);
		s = 0
	   }
	:: atomic {
		if
		EACH_SLOT(IF_WANTED)
		fi;
		SPEND;
		STEP { request_give_up(s) };
		s = 0
	   }
	od
}

/*
 * lsabuf_client_leave() and lsabuf_queue_die() mark, then go from request to
 * request without the lock. WITH_LOOPS follows them. Otherwise what they do to
 * one request can take place at any time after the mark, which is more than
 * they do; for a client that is what the canceller does.
 */
#ifdef WITH_LOOPS
proctype client_end(byte c)
{
	byte s;

end_client:
	if
	:: atomic { !client_dead[c] -> client_dead[c] = 1 }
#ifdef LIVENESS
	:: goto over
#endif
	fi;
	do
	:: atomic { s < SLOTS ->
		if
		:: slot[s].client_ref && slot[s].client == c ->
			STEP { request_give_up(s) }
		:: else
		fi;
		s++
	   }
	:: atomic { s == SLOTS -> break }
	od;
over:
	skip
}

proctype authority_end()
{
	byte s;
	bit was_held;

end_authority:
	if
	:: atomic { !queue_dead -> mark_queue_dead() }
#ifdef LIVENESS
	:: goto over
#endif
	fi;
	do
	:: atomic { s < SLOTS ->
		if
		:: !IS_FREE(s) -> request_orphan(s, was_held)
		:: else
		fi;
		s++
	   }
	:: atomic { s == SLOTS -> break }
	od;
over:
	skip
}
#else
#define IF_DYING(i)                                                \
	:: queue_dead && (slot[i].queued || slot[i].held) -> s = i

proctype ends()
{
	byte s;
	bit was_held;

end_ends:
	do
	:: atomic { !queue_dead -> mark_queue_dead() }
	:: atomic { !client_dead[0] -> client_dead[0] = 1 }
#if CLIENTS > 1
	:: atomic { !client_dead[1] -> client_dead[1] = 1 }
#endif
	:: atomic {
		if
		EACH_SLOT(IF_DYING)
		fi;
		STEP { request_orphan(s, was_held) };
		s = 0
	   }
	od
}
#endif

/* What is true after every step */
#define RIGHT_LISTS(i)                                                    \
	(slot[i].queued == (slot[i].state == QUEUED) &&                   \
	 (!slot[i].held || slot[i].state == RECEIVED ||                   \
	  slot[i].state == ABANDONED) &&                                  \
	 (slot[i].state != RECEIVED || slot[i].held) &&                   \
	 (!slot[i].client_ref || slot[i].state != GONE) &&                \
	 (!slot[i].done || slot[i].client_ref) &&                         \
	 slot[i].done == (slot[i].client_ref && !slot[i].waiter && SETTLED(i)))
#ifdef WITH_WAKEUPS
/* Who sleeps has nothing to do */
#define RIGHT_SLEEP(i)                                                    \
	(!slot[i].waiter || !thread_asleep[slot[i].waiter - 1] ||         \
	 (!SETTLED(i) && !HAS_CHORE(i)))
#define RIGHT(i) (RIGHT_LISTS(i) && RIGHT_SLEEP(i))
#define RIGHT_SERVERS (!NR_WAITING || (!queue_dead && !ANY_TO_TAKE))
#else
#define RIGHT(i) RIGHT_LISTS(i)
#define RIGHT_SERVERS true
#endif

proctype monitor()
{
end_monitor:
	if
#define IF_WRONG(i) :: !RIGHT(i) -> assert(RIGHT(i))
	EACH_SLOT(IF_WRONG)
	:: !RIGHT_SERVERS -> assert(RIGHT_SERVERS)
	fi
}

init {
	atomic {
		run server_thread(0);
#if SERVERS > 1
		run server_thread(1);
#endif
		run client_thread(0, 0, 1);
#if ATTACHERS > 0
		run client_thread(0, 1, 0);
#endif
#if CLIENTS > 1
		run client_thread(1, 2, 1);
#if ATTACHERS > 1
		run client_thread(1, 3, 0);
#endif
#endif
		run canceller();
#ifdef WITH_LOOPS
		run client_end(0);
#if CLIENTS > 1
		run client_end(1);
#endif
		run authority_end();
#else
		run ends();
#endif
#ifndef LIVENESS
		run monitor()
#endif
	}
}

#ifdef LIVENESS
ltl caller_leaves {
	[] (thread_in_call[0] -> <> (!thread_in_call[0] || thread_stalled[0]))
}
ltl attacher_leaves {
	[] (thread_in_call[1] -> <> (!thread_in_call[1] || thread_stalled[1]))
}
ltl chore_ends {
	[] (server_at_chore[0] -> <> !server_at_chore[0])
}
#endif
