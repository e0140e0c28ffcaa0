// SPDX-License-Identifier: GPL-2.0
/// The mode in .walk_lock of a struct mm_walk_ops contradicts the locks that
/// the code holds at a walk which uses the table.
//# Only what is proven is reported: a lock that is seen to be taken, or seen
//# to be released, on a path to the walk. A walk where no lock is seen is not
//# reported: a caller may hold it.
//
// Confidence: High
// Copyright: (C) walklock authors. GPLv2.
// Comments: callers in other files are seen only by scripts/annotate
// Options: --no-includes --include-headers
// Requires: 1.1.0

virtual context
virtual org
virtual report
// set by scripts/annotate, which chooses the files itself
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
from walklock.rules import *
from walklock import serve
serve.wait()

@walk@
position p;
@@

(
 walk_page_range@p(...)
|
 walk_page_range_mm@p(...)
|
 walk_page_range_mm_unsafe@p(...)
|
 walk_page_range_vma@p(...)
|
 walk_page_range_vma_unsafe@p(...)
|
 walk_page_vma@p(...)
|
 walk_page_mapping@p(...)
|
 walk_page_range_novma@p(...)
|
 walk_page_range_debug@p(...)
|
 walk_kernel_page_table_range@p(...)
|
 walk_kernel_page_table_range_lockless@p(...)
)

@script:python depends on report && (walk || walklock_all)@
@@

mismatch_report(cocci.files())

@script:python depends on org && (walk || walklock_all)@
@@

mismatch_report(cocci.files(), True)

@script:python point@
p << walk.p;
@@

if not mismatch_at(cocci.files(), p[0].file, int(p[0].line)):
	cocci.include_match(False)

@depends on context && point@
position walk.p;
identifier f;
@@

* f@p(...)

@finalize:python@
@@

coverage()

