/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Model of sections (kmod/section.c): growth, holes, revocation and death
 * beside views that fault, for the checker spin.
 *
 * here                 models
 * ----                 ------
 * ABSENT               no folio in the mapping
 * ALLOCATED            one that holds no data yet: not uptodate
 * PRESENT              uptodate
 * locked               the folio's lock
 * pte                  a view maps the folio
 * command              a thread of the authority under size_mutex:
 *   fill                 fill_memory(): vfs_fallocate(), zero_pages(), and
 *                        what was added is taken away again where it fails
 *   drop                 drop_pages(): unmap_mapping_range(), then each folio
 *                        under its lock, for truncate_memory() and make_hole()
 *   revoke               lsabuf_section_revoke()
 * share                lsabuf_request_share(): get_held(), lsabuf_view_open(),
 *                        and a chore of the client's thread: lsabuf_view_map()
 * reply                REPLY_RECEIVE with an address in the section, which
 *                        shared_map() of the library has seen to before
 * fault                view_vm_fault(), filemap_map_pages(): the folio is found
 *                        without a lock, and looked at again with it
 * let_go               view_fop_release(), when the client unmaps it or dies
 * close                lsabuf_section_close(): the authority's file, or its end
 *
 * Two pages stand for all: commands are for one page or for both. The
 * authority's own accesses are those of a client. With ONE_PAGE there are two
 * threads of the authority, with ONE_THREAD two pages.
 *
 * Checked, beside the other assertions below:
 *  - no access finds a page that is not committed: none after REVOKE or a hole
 *    has returned, none of bytes that are not there yet
 *  - no folio goes while a view maps it
 *  - what is counted is what is there, whenever no command is under way
 *  - once revoked there is no memory, nor will be
 *  - a client that is told of the section has it, but for what it did itself
 *  - the memory goes with the last one who holds it, and not before
 *
 * MUTANT_* take a mechanism away; each must be found.
 */

#define PAGES 2
#define CLIENTS 2

#define SHARED 1 /* views: being mapped, and mapped */
#define MAPPED 2

mtype:page_state = { ABSENT, ALLOCATED, PRESENT };

mtype:page_state page[PAGES] = ABSENT;
bit locked[PAGES];
bit promised[PAGES]; /* committed, as commands that returned say */
bit pte[CLIENTS * PAGES];

byte view[CLIENTS];
bit unmapped[CLIENTS]; /* by the client itself, or by its end */
bit dead[CLIENTS];
bit held[CLIENTS]; /* a request that the authority holds */
bit told[CLIENTS]; /* by a reply that has come */
bit sharing[CLIENTS]; /* a thread shares for that request */

bit size_mutex;
bit revoked;
bit closed;
byte users; /* of the section's file: commands under way */
byte bytes; /* charged, in pages */
byte ref = 1; /* the section's file, and each view */
bit freed; /* section_put(): the last */

#define PTE(c, p) pte[(c) * PAGES + (p)]
#define NR_THERE ((page[0] != ABSENT) + (page[1] != ABSENT))

inline section_put()
{
	assert(ref > 0 && !freed);
	ref--;
	if
	:: ref == 0 ->
		assert(view[0] == 0 && view[1] == 0);
		assert(closed && !users);
		assert(bytes == NR_THERE);
		assert(!pte[0] && !pte[1] && !pte[2] && !pte[3]);
		freed = 1;
		page[0] = ABSENT;
		page[1] = ABSENT
	:: else
	fi
}

inline remove(p)
{
	assert(!PTE(0, p) && !PTE(1, p));
	page[p] = ABSENT
}

/* ---- the authority ---- */

proctype authority_thread(byte me)
{
	byte first, end, p, c;
	bit last;

end_idle:
	if
	:: atomic { !closed -> users++ }
	:: atomic { !closed && me == 0 -> /* its file, or the process, is gone */
		closed = 1;
		goto close
	   }
	fi;
	if
	:: atomic { !size_mutex -> size_mutex = 1 }
	   goto command
	:: goto share
	fi;

close:
	atomic {
		!users;
		section_put();
		goto over
	}

command:
	atomic {
		if
		:: first = 0; end = 1
#ifndef ONE_PAGE
		:: first = 1; end = 2
		:: first = 0; end = 2
#endif
		fi;
		p = first;
		last = 0
	}
	if
#ifdef MUTANT_NO_REVOKED
	:: goto fill
#else
	:: atomic { !revoked -> goto fill }
	:: atomic { revoked -> goto done }
#endif
	:: atomic { /* a hole */
		promised[first] = 0;
		promised[end - 1] = 0;
		goto drop
	   }
	:: atomic {
		revoked = 1;
		last = 1;
		first = 0;
		end = 2;
		p = 0;
		promised[0] = 0;
		promised[1] = 0;
		goto drop
	   }
	fi;

fill:	/* vfs_fallocate(), a page at a time */
	do
	:: atomic { p < end ->
		if
		:: page[p] == ABSENT ->
			page[p] = ALLOCATED;
			bytes++
		:: else
		fi;
		p++
	   }
	:: atomic { p == end -> p = first; break }
	:: atomic { p > first -> /* no memory: those that hold no data */
		p = first;
		goto undo
	   }
	od;
	/* zero_pages() */
	do
	:: atomic { p < end && !locked[p] ->
		page[p] = PRESENT;
		p++
	   }
	:: atomic { p == end ->
		if
		:: first == 0 -> promised[0] = 1
		:: else
		fi;
		if
		:: end == 2 -> promised[1] = 1
		:: else
		fi;
		goto done
	   }
	od;

undo:
	do
	:: atomic { p < end && page[p] != ALLOCATED -> p++ }
	:: atomic { p < end && page[p] == ALLOCATED && !locked[p] ->
		remove(p);
		bytes--;
		p++
	   }
	:: atomic { p == end -> goto done }
	od;

drop:	/* unmap_mapping_range() */
	atomic {
		c = 0;
		p = first
	}
	do
	:: atomic { p < end && c < CLIENTS ->
		PTE(c, p) = 0;
		c++
	   }
	:: atomic { p < end && c == CLIENTS -> c = 0; p++ }
	:: atomic { p == end -> c = 0; p = first; break }
	od;
	/* shmem_truncate_range(): each folio under its lock */
	do
	:: atomic { p < end && page[p] == ABSENT -> p++ }
	:: atomic { p < end && page[p] != ABSENT && !locked[p] ->
#ifndef MUTANT_NO_UNMAP
		PTE(0, p) = 0;
		PTE(1, p) = 0;
#endif
		remove(p);
		bytes--;
		p++
	   }
	:: atomic { p == end ->
		assert(!last || NR_THERE == 0);
		goto done
	   }
	od;

share:	/* for a request that is held; perhaps it ends meanwhile */
	if
	:: atomic { held[0] && !sharing[0] -> c = 0; sharing[0] = 1 }
	:: atomic { held[1] && !sharing[1] -> c = 1; sharing[1] = 1 }
	:: atomic { !held[0] || !held[1] -> goto put }
	fi;
	if
	:: atomic { view[c] == 0 && !revoked && !dead[c] ->
		/* lsabuf_view_open() */
#ifndef MUTANT_NO_REFERENCE
		ref++;
#endif
		view[c] = SHARED
	   }
	:: atomic { view[c] == MAPPED -> goto reply } /* lsabuf_view_find() */
	:: atomic { view[c] == 0 && (revoked || dead[c]) ->
		sharing[c] = 0;
		goto put
	   }
	fi;
	if
	:: atomic { /* the client's thread maps it */
		!dead[c] ->
		view[c] = MAPPED;
		unmapped[c] = 0
	   }
	:: atomic { /* it does not */
		view[c] = 0;
		sharing[c] = 0;
		section_put();
		goto put
	   }
	fi;

reply:
	atomic {
		if
		:: held[c] ->
			held[c] = 0;
			told[c] = 1
		:: true /* answered later, or by another thread */
		fi;
		sharing[c] = 0;
		goto put
	}

done:
	atomic {
		assert(bytes == NR_THERE);
		assert(!revoked || last || NR_THERE == 0);
		size_mutex = 0
	}
put:
	atomic {
		users--;
		first = 0;
		end = 0;
		p = 0;
		c = 0;
		last = 0;
		goto end_idle
	}
over:
	skip
}

/* ---- clients ---- */

proctype client(byte c)
{
	byte p;

end_idle:
	do
	:: atomic { !dead[c] && !held[c] && !told[c] && !closed -> held[c] = 1 }
	:: atomic { told[c] && !dead[c] ->
		/* It uses the address that it was given. */
		assert(view[c] == MAPPED || unmapped[c]);
		told[c] = 0
	   }
#ifdef MUTANT_REPLY_ALONE
	:: atomic { held[c] -> held[c] = 0; told[c] = 1 }
#endif
	:: atomic { held[c] && !sharing[c] -> held[c] = 0 } /* given up */
	:: atomic { view[c] == MAPPED && !dead[c] ->
		/* The entry is there: the access finds the page. */
		if
		:: p = 0
#ifndef ONE_PAGE
		:: p = 1
#endif
		fi;
		if
		:: PTE(c, p) ->
			assert(page[p] == PRESENT);
			p = 0
		:: else ->
			goto fault
		fi
	   }
	:: atomic { view[c] == MAPPED -> goto let_go }
	:: atomic { !dead[c] && view[c] != SHARED ->
		dead[c] = 1;
		unmapped[c] = 1;
		held[c] = 0;
		told[c] = 0;
		if
		:: view[c] == MAPPED -> goto let_go
		:: else
		fi
	   }
	od;

fault:	/* The folio is found, then locked, and looked at again. */
	atomic {
		if
		:: page[p] == ABSENT -> p = 0; goto end_idle /* SIGBUS */
		:: page[p] != ABSENT
		fi
	}
	atomic { !locked[p] -> locked[p] = 1 }
	if
	:: atomic { page[p] == ABSENT -> locked[p] = 0; goto fault }
#ifndef MUTANT_NO_UPTODATE
	:: atomic { page[p] == ALLOCATED ->
		locked[p] = 0; /* SIGBUS */
		p = 0;
		goto end_idle
	   }
#else
	:: page[p] == ALLOCATED
#endif
	:: page[p] == PRESENT
	fi;
	/* finish_fault(), then the access */
	atomic {
		PTE(c, p) = 1;
		assert(page[p] == PRESENT);
		locked[p] = 0;
		p = 0;
		goto end_idle
	}

let_go: /* munmap() or exit: entries first, then the file's release */
	atomic {
		unmapped[c] = 1;
		PTE(c, 0) = 0;
		PTE(c, 1) = 0
	}
	atomic {
		view[c] = 0;
		section_put();
		goto end_idle
	}
}

/* What is true after every step */
#define KEPT(c, p) (!PTE(c, p) || page[p] == PRESENT)
#define KEPT_ALL (KEPT(0, 0) && KEPT(0, 1) && KEPT(1, 0) && KEPT(1, 1))
/* Promised is what is there, when nobody is at it */
#define PROMISED(p) (size_mutex || freed || promised[p] == (page[p] == PRESENT))

proctype monitor()
{
end_monitor:
	if
	:: !KEPT_ALL -> assert(KEPT_ALL)
	:: !size_mutex && bytes != NR_THERE && !freed -> assert(false)
	:: !PROMISED(0) -> assert(false)
	:: !PROMISED(1) -> assert(false)
	:: !size_mutex && revoked && NR_THERE -> assert(false)
	fi
}

init {
	atomic {
		run authority_thread(0);
#ifndef ONE_THREAD
		run authority_thread(1);
#endif
		run client(0);
		run client(1);
		run monitor()
	}
}
