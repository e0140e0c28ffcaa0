// SPDX-License-Identifier: GPL-2.0
/// Whether a VMA is read-locked is told by a result: it is ignored here, or the VMA
/// is unlocked where it is not locked, or there is a way out of the function with it
/// still locked. And under nothing but mmap_read_lock() VMA flags must not change,
/// nor VMAs be write-locked.
//# An ERROR is what the code shows; a WARNING says "cannot tell": a function with
//# too many paths, a call that no path reaches, an unlock of which VMA. Functions of
//# the same file are followed. A VMA that is returned, or stored where others find it, is theirs to
//# unlock, and so is one of which handle_mm_fault() says that it has let go.
//
// Confidence: Moderate
// Copyright: (C) walklock authors. GPLv2.
// Comments: functions of other files are known only by their names
// Options: --no-includes --include-headers
// Requires: 1.1.0
// Words: vma_(start|end)_|lock_vma_under_rcu|lock_next_vma|lock_mm_and_find_vma|release_fault_lock|vm_flags|vma_(set|clear)_flags|vma_flags_

virtual context
virtual org
virtual report
// set by scripts that choose the files themselves
virtual walklock_all

@initialize:python@
@@

import os, sys

# The analysis lies beside this file, which spatch does not name to scripts.
with open("/proc/self/cmdline", "rb") as f:
	for arg in f.read().split(b"\0"):
		arg = os.fsdecode(arg).split("=")[-1]
		if arg.endswith(".cocci") and os.path.isdir(os.path.join(os.path.dirname(os.path.abspath(arg)), "walklock")):
			sys.path.insert(0, os.path.dirname(os.path.abspath(arg)))
sys.dont_write_bytecode = True
from walklock import vmaread

// What locks a VMA. spatch passes over files that have nothing of this.
@locks depends on !walklock_all@
position p;
@@

(
 lock_vma_under_rcu@p(...)
|
 lock_next_vma@p(...)
|
 vma_start_read@p(...)
|
 vma_start_read_locked@p(...)
|
 vma_start_read_locked_nested@p(...)
|
 lock_mm_and_find_vma@p(...)
|
 vma_start_write_killable@p(...)
)

// A file whose only lock stands in a function that could not be parsed.
@unlocks depends on !walklock_all@
@@

(
 vma_end_read(...)
|
 release_fault_lock(...)
)

// Both in one file: what shows the lock, and what writes flags.
@reads depends on !walklock_all@
@@

(
 mmap_read_lock(...)
|
 mmap_read_lock_killable(...)
|
 mmap_read_trylock(...)
|
 mmap_read_unlock(...)
|
 mmap_write_downgrade(...)
|
 lockdep_assert_held_read(...)
|
 down_read(...)
)

@flags depends on reads@
symbol __vm_flags;
expression vma;
@@

(
 vm_flags_set(...)
|
 vm_flags_clear(...)
|
 vm_flags_mod(...)
|
 vm_flags_reset(...)
|
 vm_flags_init(...)
|
 __vm_flags_mod(...)
|
 vma_set_flags(...)
|
 vma_clear_flags(...)
|
 vma_set_flags_mask(...)
|
 vma_clear_flags_mask(...)
|
 vma_flags_set(...)
|
 vma_flags_clear(...)
|
 vma_start_write(...)
|
 __vma_start_write(...)
|
 vma->vm_flags
|
 ACCESS_PRIVATE(vma, __vm_flags)
)

@script:python depends on report && (locks || unlocks || flags || walklock_all)@
@@

vmaread.report(cocci.files())

@script:python depends on org && (locks || unlocks || flags || walklock_all)@
@@

vmaread.report(cocci.files(), True)

@depends on context && (locks || unlocks || flags || walklock_all)@
position p : script:python() { vmaread.pointed_at(p) };
identifier f;
@@

* f@p(...)

@depends on context && (locks || unlocks || flags || walklock_all)@
position p : script:python() { vmaread.pointed_at(p) };
@@

* return@p ...;

@depends on context && (flags || walklock_all)@
position p : script:python() { vmaread.pointed_at(p) };
expression e;
identifier m =~ "^(__)?vm_flags$";
@@

* e->m@p

@finalize:python@
@@

vmaread.coverage()
