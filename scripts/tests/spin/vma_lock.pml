/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The per-VMA lock as a reference count, as v7.3 has it: include/linux/mmap_lock.h
 * and mm/mmap_lock.c.  Every step that other CPUs can see is a step here; what is
 * one atomic operation there is an atomic block here.  Memory is sequentially
 * consistent: orderings are what the litmus tests are about.  RCU is left out: the
 * object always is one of its type, and a reader may come with a pointer to it that
 * is as old as it likes.
 *
 * Code: include/linux/mmap_lock.h vma_start_write __is_vma_write_locked
 * Code: include/linux/mmap_lock.h vma_refcount_put __vma_are_readers_excluded
 * Code: include/linux/mmap_lock.h vma_refcount_put rcuwait_wake_up
 * Code: include/linux/mmap_lock.h vma_mark_attached refcount_set_release
 * Code: include/linux/mmap_lock.h vma_mark_detached __vma_exclude_readers_for_detach
 * Code: include/linux/mmap_lock.h vma_start_read_locked_nested __refcount_inc_not_zero_limited_acquire
 * Code: include/linux/mmap_lock.h mmap_write_downgrade vma_end_write_all
 * Code: mm/mmap_lock.c __vma_start_exclude_readers rcuwait_wait_event
 * Code: mm/mmap_lock.c __vma_start_write __vma_end_exclude_readers
 * Code: mm/mmap_lock.c vma_start_read mmgrab
 * Code: mm/mmap_lock.c lock_vma_under_rcu mas_walk
 * Code: mm/vma.c reattach_vmas vma_mark_attached
 * Code: mm/vma.h vma_iter_store_new vma_mark_attached
 * Code: mm/vma_init.c vma_state_init SLAB_TYPESAFE_BY_RCU
 * Code: mm/vma_init.c vm_area_free vma_assert_detached
 * Code: mm/mmap.c tear_down_vmas vma_mark_detached
 *
 * What stands for what:
 *   mm 0         the readers' mm, with room for a VMA at the addresses 0 and 1
 *   mm 1         another mm, which may take over a freed object, and exits
 *   refcnt       vm_refcnt, with FLAG for VM_REFCNT_EXCLUDE_READERS_FLAG: so small
 *                that LIMIT readers are reached
 *   tree         mm_mt: the object at an address
 *   waiter       vma_writer_wait.task; runnable is the task's state
 *   writing, inside, allocated   what the assertions are about; no step depends on them
 *
 * Each macro of the first list takes one guard out, or does what the lock does not
 * allow; scripts/tests/real/model.t says which assertion then has to fail.
 *   NO_READER_WAIT  the writer does not wait for readers
 *   NO_FLAG         the writer waits for readers, but does not keep new ones out
 *   NO_LIMIT        readers take a count in spite of the flag
 *   NO_SEQ_RECHECK  no look at vm_lock_seq after the count was taken
 *   NO_MM_RECHECK   no look at vm_mm after the count was taken
 *   NO_RANGE_RECHECK  no look at the address after the VMA was locked
 *   NO_WAKEUP       a put wakes nobody
 *   WAKE_ATTACHED_ONLY  a put wakes who waits for FLAG + 1, not for FLAG
 *   NO_DETACH_WAIT  the posted v6 patch: detaching ignores a count that is left
 *   INC_FROM_ZERO   readers take a count on a detached VMA
 *   LATE_MM         the posted v6 patch: vm_mm is read after the count was dropped
 *   NO_MMGRAB       the mm of somebody else's VMA is not held during the put
 *   COPIED_COUNT    vm_area_dup() copies the whole struct and then clears the count
 *   TWO_WRITERS     vma_start_write() under the mmap lock for reading, as 6.6's and
 *                   6.12's remap_pfn_range() from a fault handler: twice on one VMA
 *   TWO_WRITERS_TWO_VMAS  the same, on two VMAs of the mm
 *   SEQ_WRAP        mm_lock_seq wraps around after two write locks, not after 2^31
 * And these set the bounds:
 *   READERS, TRIES  how many readers, and how often each looks the VMA up
 *   OPS             how many things mm 0's writer does
 *   VMAS            how many VMAs mm 0 has in the beginning, 1 or 2; with 2, a reader
 *                   looks up each
 *   FLAG            the flag's value; FLAG - 1 readers and owner fit below it
 */

#ifndef READERS
#define READERS 2
#endif
#ifndef TRIES
#define TRIES 1
#endif
#ifndef OPS
#define OPS 2
#endif
#ifndef FLAG
#define FLAG 4
#endif
#define LIMIT (FLAG - 1)

#if defined(TWO_WRITERS) || defined(TWO_WRITERS_TWO_VMAS)
#define READ_SIDE_WRITERS 2
#else
#define READ_SIDE_WRITERS 0
#endif
#ifdef TWO_WRITERS_TWO_VMAS
#define VMAS 2
#elif !defined(VMAS)
#define VMAS 1
#endif
#ifdef SEQ_WRAP
#define SEQS 4
#else
#define SEQS 128
#endif

#define NONE 99			/* no object, no task, no mm */
#define NEVER 127		/* UINT_MAX in vm_lock_seq */
#define EXCLUDED(cnt) ((cnt) >= FLAG && (cnt) <= FLAG + 1)

/* vm_area_struct */
byte refcnt[VMAS];
byte vm_lock_seq[VMAS];
byte vm_mm[VMAS];
byte vm_start[VMAS];

/* mm_struct */
byte mm_lock_seq[2];
byte mm_count[2];
byte waiter[2];
byte tree[4];			/* tree[mm * 2 + address] */
bool mmap_writer[2];
byte mmap_readers[2];

bool runnable[READERS + READ_SIDE_WRITERS + 4];

bool allocated[VMAS];
bool writing[VMAS];
byte inside[VMAS];
bool mm_freed[2];
bool stopped;			/* mm 0's writer has done all it does */
byte ended;

/* ---- the mmap lock --------------------------------------------------------- */

inline mmap_write_lock(m)
{
	atomic {
		!mmap_writer[m] && mmap_readers[m] == 0;
		mmap_writer[m] = true
	}
	mm_lock_seq[m] = (mm_lock_seq[m] + 1) % SEQS	/* mm_lock_seqcount_begin() */
}

/* vma_end_write_all(); whatever the section wrote to is not written to any more. */
inline vma_end_write_all(m)
{
	d_step {
		mm_lock_seq[m] = (mm_lock_seq[m] + 1) % SEQS;
		if
		:: v != NONE && vm_mm[v] == m -> writing[v] = false
		:: else
		fi
	}
}

inline mmap_write_unlock(m)
{
	vma_end_write_all(m);
	mmap_writer[m] = false
}

inline mmap_write_downgrade(m)
{
	vma_end_write_all(m);
	atomic {
		mmap_writer[m] = false;
		mmap_readers[m]++
	}
}

inline mmap_read_lock(m)
{
	atomic {
		!mmap_writer[m];
		mmap_readers[m]++
	}
}

inline mmap_read_unlock(m)
{
	mmap_readers[m]--
}

/* ---- the count ------------------------------------------------------------- */

/* rcuwait_wake_up() */
inline rcuwait_wake_up(m)
{
	atomic {
		assert(m != NONE && !mm_freed[m]);	/* no use of an mm that is gone */
		task = waiter[m]
	}
	if
	:: task != NONE -> runnable[task] = true
	:: else
	fi;
	task = NONE
}

/* __refcount_dec_and_test(), the result in cnt */
inline refcount_dec(v)
{
	atomic {
		assert(refcnt[v] > 0);		/* no underflow */
		refcnt[v]--;
		cnt = refcnt[v]
	}
}

/* vma_refcount_put(), vma_end_read() */
inline vma_refcount_put(v)
{
#ifndef LATE_MM
	put_mm = vm_mm[v];
#endif
	refcount_dec(v);
	if
#ifdef NO_WAKEUP
	:: true
#else
#ifdef WAKE_ATTACHED_ONLY
	:: cnt == FLAG + 1 ->
#elif defined(NO_FLAG)
	:: cnt == 1 || EXCLUDED(cnt) ->
#else
	:: EXCLUDED(cnt) ->
#endif
#ifdef LATE_MM
		put_mm = vm_mm[v];
#endif
		rcuwait_wake_up(put_mm)
	:: else
#endif
	fi;
	cnt = 0;
	put_mm = NONE
}

/*
 * __refcount_inc_not_zero_limited_acquire(), the result in got: the cmpxchg that
 * succeeds, or the read that makes it give up.
 */
inline refcount_inc_not_zero_limited(v)
{
	atomic {
		if
#ifndef INC_FROM_ZERO
		:: refcnt[v] == 0 -> got = DETACHED
#endif
#ifndef NO_LIMIT
		:: refcnt[v] >= LIMIT -> got = LOCKED
#endif
		:: else ->
			assert(refcnt[v] != 255);
			refcnt[v]++;
			got = COUNTED
		fi
	}
}

/* ---- the write side -------------------------------------------------------- */

/* __vma_start_exclude_readers(); exclusive says whether the flag is ours. */
inline exclude_readers(v, m, target, killable)
{
	atomic {
		exclusive = false;
		if
		:: refcnt[v] == 0		/* refcount_add_not_zero() failed */
		:: else ->
			assert(refcnt[v] < FLAG);	/* the flag is added once */
#ifdef NO_FLAG
			if
			:: target == FLAG -> refcnt[v] = refcnt[v] + FLAG
			:: else
			fi;
#else
			refcnt[v] = refcnt[v] + FLAG;
#endif
			exclusive = true
		fi
	}
	if
	:: exclusive ->
		waiter[m] = _pid;		/* prepare_to_rcuwait() */
		do
		:: true ->
			runnable[_pid] = false;	/* set_current_state() */
			if
#ifdef NO_FLAG
			:: target == FLAG + 1 && refcnt[v] == 1 -> break
#endif
#ifdef NO_READER_WAIT
			:: target == FLAG + 1 -> break
#endif
			:: refcnt[v] == target -> break
			:: else ->
				if
				:: killable -> /* a fatal signal, at any time */
					interrupted = true;
					break
				:: true
				fi;
				runnable[_pid]	/* schedule() */
			fi
		od;
		waiter[m] = NONE;		/* finish_rcuwait() */
		runnable[_pid] = true
	:: else
	fi
}

/* __vma_end_exclude_readers() */
inline end_exclude_readers(v)
{
	atomic {
#ifdef NO_FLAG
		if
		:: refcnt[v] < FLAG -> refcnt[v] = refcnt[v] + FLAG
		:: else
		fi;
#endif
		assert(refcnt[v] >= FLAG);	/* no underflow */
		refcnt[v] = refcnt[v] - FLAG
	}
}

/* vma_start_write(), vma_start_write_killable() */
inline vma_start_write(v, m, killable)
{
	if
	:: vm_lock_seq[v] == mm_lock_seq[m]	/* __is_vma_write_locked() */
	:: else ->
		exclude_readers(v, m, FLAG + 1, killable);
		if
		:: interrupted
		:: else -> vm_lock_seq[v] = mm_lock_seq[m]
		fi;
		if
		:: exclusive ->
			end_exclude_readers(v);
			exclusive = false
		:: else
		fi
	fi
}

/* From here on the owner of the write lock changes the VMA. */
inline write_to(v)
{
	d_step {
		assert(inside[v] == 0);		/* no reader inside while a writer writes */
		writing[v] = true
	}
}

/* vma_mark_attached() */
inline vma_mark_attached(v, m)
{
	assert(vm_lock_seq[v] == mm_lock_seq[m]);	/* vma_assert_write_locked() */
	assert(refcnt[v] == 0);				/* vma_assert_detached() */
	refcnt[v] = 1
}

/* vma_mark_detached() and __vma_exclude_readers_for_detach() */
inline vma_mark_detached(v, m)
{
	assert(vm_lock_seq[v] == mm_lock_seq[m]);	/* vma_assert_write_locked() */
	assert(refcnt[v] > 0);				/* vma_assert_attached() */
	refcount_dec(v);
	if
#ifndef NO_DETACH_WAIT
	:: cnt != 0 ->
		exclude_readers(v, m, FLAG, false);
		if
		:: exclusive ->
			end_exclude_readers(v);
			exclusive = false
		:: else
		fi
#endif
	:: else
	fi;
	cnt = 0
}

/* vm_area_free(): the object keeps its type, and slab writes over vm_start. */
inline vm_area_free(v)
{
	d_step {
		assert(refcnt[v] == 0);		/* no free with a count */
		assert(inside[v] == 0);
		writing[v] = false;
		allocated[v] = false;
		vm_start[v] = NONE
	}
}

/* vm_area_alloc() or vm_area_dup(), and what their callers set up before the attach */
inline vm_area_alloc(v, m, where)
{
#ifdef COPIED_COUNT
	d_step {
		vm_mm[v] = m;
		vm_lock_seq[v] = NEVER;
		refcnt[v] = 1			/* the original's */
	}
	refcnt[v] = 0;				/* vma_lock_init() */
#else
	vm_mm[v] = NONE;			/* vma_init() clears the object */
#endif
	d_step {
		vm_mm[v] = m;
		vm_lock_seq[v] = NEVER;		/* vma_lock_init() */
		vm_start[v] = where
	}
}

/*
 * mmap: a new VMA, the object being one that was freed.  vma_iter_store_new()
 * attaches before it stores, vma_iter_store_gfp() after.
 */
inline map_new(v, m, where)
{
	vm_area_alloc(v, m, where);
	assert(refcnt[v] == 0);			/* refcount_add_not_zero() fails */
	vm_lock_seq[v] = mm_lock_seq[m];	/* vma_start_write(), as vma_link() calls it */
	if
	:: vma_mark_attached(v, m);
	   tree[m * 2 + where] = v
	:: tree[m * 2 + where] = v;
	   vma_mark_attached(v, m)
	fi;
	write_to(v)
}

/* mmdrop() */
inline mmdrop(m)
{
	atomic {
		assert(mm_count[m] > 0);
		mm_count[m]--;
		mm_freed[m] = (mm_count[m] == 0)
	}
}

/* ---- the processes --------------------------------------------------------- */

mtype = { COUNTED, LOCKED, DETACHED };

/* A page fault, or another user of lock_vma_under_rcu(), at an address of mm 0. */
proctype reader(byte addr)
{
	byte v = NONE;
	byte seq, cnt, tries;
	byte put_mm = NONE, other = NONE, task = NONE;
	mtype got;

	do
	:: tries < TRIES ->
		tries++;
		if
		:: v = tree[addr];			/* mas_walk() under RCU */
		   if
		   :: v == NONE
		   :: else -> goto start_read
		   fi
		:: /* uffd_lock_vma(), lock_next_vma_under_mmap_lock() */
		   mmap_read_lock(0);
		   v = tree[addr];
		   if
		   :: v != NONE ->
			/* vma_start_read_locked(): fails for too many readers only */
#if !READ_SIDE_WRITERS
			assert(refcnt[v] > 0 && refcnt[v] < FLAG);
#endif
			refcount_inc_not_zero_limited(v)
		   :: else -> got = LOCKED
		   fi;
		   mmap_read_unlock(0);
		   if
		   :: got == COUNTED -> goto locked
		   :: else
		   fi
		fi;
next:		v = NONE;
		got = 0
	:: else -> break
	od;
	goto out;

start_read:
	seq = vm_lock_seq[v];			/* vma_start_read(): the early check */
	if
	:: seq == mm_lock_seq[0] -> seq = 0; goto next
	:: else -> seq = 0
	fi;
	refcount_inc_not_zero_limited(v);
	if
	:: got == DETACHED -> goto next		/* -EAGAIN: looks it up again, see TRIES */
	:: got == LOCKED -> goto next
	:: else
	fi;
#ifndef NO_MM_RECHECK
	if
	:: vm_mm[v] != 0 ->			/* err_unstable */
		other = vm_mm[v];
#ifndef NO_MMGRAB
		atomic {			/* mmgrab() */
			assert(other != NONE && !mm_freed[other]);
			mm_count[other]++
		}
#endif
		vma_refcount_put(v);
#ifndef NO_MMGRAB
		mmdrop(other);
#endif
		other = NONE;
		goto next
	:: else
	fi;
#endif
#ifndef NO_SEQ_RECHECK
	seq = vm_lock_seq[v];
	if
	:: seq == mm_lock_seq[0] ->		/* raw_read_seqcount() */
		seq = 0;
		vma_refcount_put(v);
		goto next
	:: else -> seq = 0
	fi;
#endif
	/* lock_vma_under_rcu(): the VMA is locked, is it the right one? */
#ifndef NO_RANGE_RECHECK
	if
	:: vm_start[v] != addr ->
		vma_refcount_put(v);
		goto next
	:: else
	fi;
#endif

locked:	skip;
	d_step {
		assert(!writing[v]);		/* no reader inside while a writer writes */
		assert(allocated[v] && vm_mm[v] == 0 && vm_start[v] == addr);
		inside[v]++
	}
	/* here the fault is handled */
	d_step {
		assert(!writing[v]);
		assert(allocated[v] && vm_mm[v] == 0 && vm_start[v] == addr);
		inside[v]--
	}
	vma_refcount_put(v);			/* vma_end_read() */
	goto next;

out:	ended++
}

/* What is done to mm 0 under its mmap lock. */
proctype writer()
{
	byte v = NONE;
	byte ops, where, cnt;
	bool exclusive, interrupted, unmap, late;

	do
	:: ops < OPS ->
		ops++;
		mmap_write_lock(0);
		if
		:: true				/* something else in the mm */
		:: atomic {			/* a new VMA */
			!allocated[0] && (tree[0] == NONE || tree[1] == NONE) ->
			v = 0;
			allocated[0] = true;
			if
			:: tree[0] == NONE -> where = 0
			:: tree[1] == NONE -> where = 1
			fi
		   }
		   map_new(v, 0, where)
		:: atomic {			/* a change to a VMA, its end, or both */
			tree[0] != NONE || tree[1] != NONE;
			if
			:: tree[0] != NONE -> where = 0
			:: tree[1] != NONE -> where = 1
			fi;
			if
			:: unmap = true
			:: unmap = false
			fi;
			v = tree[where]
		   }
lock:		   vma_start_write(v, 0, !unmap);
		   if
		   :: interrupted -> interrupted = false
		   :: !interrupted && !unmap ->
			write_to(v);
			if
			:: unmap = true; goto lock	/* as after __split_vma() */
			:: true
			fi
		   :: !interrupted && unmap ->	/* vms_gather_munmap_vmas() */
			write_to(v);
			vma_mark_detached(v, 0);
			if
			:: vma_mark_attached(v, 0)	/* it failed: reattach_vmas() */
			:: tree[where] = NONE;	/* vms_complete_munmap_vmas() */
			   if
			   :: mmap_write_downgrade(0); late = true
			   :: true
			   fi;
			   vm_area_free(v);
			   v = NONE
			fi
		   fi;
		   unmap = false
		fi;
		where = 0;
		if
		:: late -> mmap_read_unlock(0); late = false
		:: else -> mmap_write_unlock(0)
		fi;
		v = NONE
	:: else -> break
	od;
	stopped = true;
	ended++
}

/* A process that maps the object that mm 0 let go, and ends. */
proctype other_mm()
{
	byte v = NONE;
	byte cnt;
	bool exclusive, interrupted;

	if
	:: atomic { !allocated[0] -> allocated[0] = true; v = 0 }
	   mmap_write_lock(1);
	   map_new(v, 1, 0);
	   mmap_write_unlock(1);
	   mmap_write_lock(1);			/* exit_mmap() */
	   vma_start_write(v, 1, false);	/* free_pgtables() */
	   write_to(v);
	   vma_mark_detached(v, 1);		/* tear_down_vmas() */
	   vm_area_free(v);
	   v = NONE;
	   tree[2] = NONE;			/* __mt_destroy() */
	   mmap_write_unlock(1)
	:: stopped
	fi;
	mmdrop(1);
	ended++
}

#if READ_SIDE_WRITERS
/* remap_pfn_range() in a fault handler: it changes vm_flags, which write-locks. */
proctype read_side_writer(byte v)
{
	byte cnt;
	bool exclusive, interrupted;

	mmap_read_lock(0);
	vma_start_write(v, 0, false);
	mmap_read_unlock(0);
	ended++
}
#endif

init {
	byte i;

	atomic {
		/* Object 0 is a VMA of mm 0 that was write-locked once before. */
		for (i : 0 .. VMAS - 1) {
			refcnt[i] = 1;
			vm_lock_seq[i] = 1;
			vm_start[i] = i;
			allocated[i] = true;
			tree[i] = i
		}
		for (i : VMAS .. 3) {
			tree[i] = NONE
		}
		mm_lock_seq[0] = 2;
		for (i : 0 .. 1) {
			mm_count[i] = 1;
			waiter[i] = NONE
		}
		for (i : 1 .. READERS) {
			run reader((i - 1) % VMAS)
		}
		run writer();
		run other_mm();
#if READ_SIDE_WRITERS
		run read_side_writer(0);
		run read_side_writer(VMAS - 1);
#endif
		i = 0
	}
	ended == READERS + READ_SIDE_WRITERS + 2;
	for (i : 0 .. VMAS - 1) {
		assert(refcnt[i] == allocated[i]);	/* no count is left over */
		assert(inside[i] == 0 && !writing[i])
	}
	assert(waiter[0] == NONE && waiter[1] == NONE);
	assert(mm_count[0] == 1 && mm_freed[1])
}
