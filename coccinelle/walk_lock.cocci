// SPDX-License-Identifier: GPL-2.0
/// Every struct mm_walk_ops states in .walk_lock which lock its walk needs.
/// A table that does not state one gets PGWALK_RDLOCK, because that is 0.
//# A table is reported when it has no mode. Where the code shows the lock at
//# every walk that uses the table, the report names the mode and patch mode
//# adds it; else it says "cannot tell", with what was looked for, and changes
//# nothing. Names of tables, functions and files play no part.
//
// Confidence: High
// Copyright: (C) walklock authors. GPLv2.
// Comments: callers in other files are seen only by scripts/annotate
// Options: --no-includes --include-headers
// Requires: 1.1.0

virtual patch
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

// Anything that has to do with a table. spatch passes over all other files.
@known depends on !walklock_all@
iterator name kunit_warning_suppress;
identifier S, n;
expression e;
@@

(
 struct mm_walk_ops n;
|
 struct mm_walk_ops n = e;
|
 struct mm_walk_ops n = { ... };
|
 struct mm_walk_ops n[...] = { ... };
|
 struct mm_walk_ops *n;
|
 struct mm_walk_ops *n = e;
|
 struct S { ... struct mm_walk_ops n; ... };
|
 (struct mm_walk_ops) { ... }
)

@walks depends on !walklock_all@
@@

(
 walk_page_range(...)
|
 walk_page_range_mm(...)
|
 walk_page_range_mm_unsafe(...)
|
 walk_page_range_vma(...)
|
 walk_page_range_vma_unsafe(...)
|
 walk_page_vma(...)
|
 walk_page_mapping(...)
|
 walk_page_range_novma(...)
|
 walk_page_range_debug(...)
|
 walk_kernel_page_table_range(...)
|
 walk_kernel_page_table_range_lockless(...)
)

@script:python depends on report && (known || walks || walklock_all)@
@@

lock_report(cocci.files())

@script:python depends on org && (known || walks || walklock_all)@
@@

lock_report(cocci.files(), True)

// A table with an initialiser, at file scope or in a function.
@table depends on patch@
identifier n;
position p;
@@

 struct mm_walk_ops n@p = { ... };

@script:python todo@
n << table.n;
p << table.p;
m;
@@

m = RUN.answer(cocci.files(), p[0].file, int(p[0].line), int(p[0].column))
if m:
	coccinelle.m = cocci.make_ident(m)
else:
	cocci.include_match(False)

@depends on patch@
identifier table.n, todo.m;
position table.p;
@@

 struct mm_walk_ops n@p = {
	...,
+	.walk_lock = m,
 };

// One table of an array of them.
@element depends on patch@
identifier n, f;
expression e;
position p;
@@

 struct mm_walk_ops n[...] = { ..., { .f@p = e, ... }, ... };

@script:python todo_element@
p << element.p;
m;
@@

m = RUN.answer(cocci.files(), p[0].file, int(p[0].line), int(p[0].column))
if m:
	coccinelle.m = cocci.make_ident(m)
else:
	cocci.include_match(False)

@depends on patch@
identifier element.n, element.f, todo_element.m;
expression e;
position element.p;
@@

 struct mm_walk_ops n[...] = { ..., { .f@p = e, ...,
+	.walk_lock = m,
	}, ... };

// A table inside another structure.
@inner depends on patch && known@
identifier S, n, f, g;
expression e;
position p;
@@

 struct S n = { ..., .f = { .g@p = e, ... }, ... };

@script:python todo_inner@
p << inner.p;
m;
@@

m = RUN.answer(cocci.files(), p[0].file, int(p[0].line), int(p[0].column))
if m:
	coccinelle.m = cocci.make_ident(m)
else:
	cocci.include_match(False)

@depends on patch@
identifier inner.S, inner.n, inner.f, inner.g, todo_inner.m;
expression e;
position inner.p;
@@

 struct S n = { ..., .f = { .g@p = e, ...,
+	.walk_lock = m,
	}, ... };

// A compound literal.
@literal depends on patch@
position p;
@@

 (struct mm_walk_ops@p) { ... }

@script:python todo_literal@
p << literal.p;
m;
@@

m = RUN.answer(cocci.files(), p[0].file, int(p[0].line), int(p[0].column))
if m:
	coccinelle.m = cocci.make_ident(m)
else:
	cocci.include_match(False)

@depends on patch@
identifier todo_literal.m;
position literal.p;
@@

 (struct mm_walk_ops@p) { ...,
+	.walk_lock = m,
 }

// Declarations to point at, whatever the answer.
@declared depends on context@
identifier n;
position p;
@@

(
 struct mm_walk_ops n@p = { ... };
|
 struct mm_walk_ops n@p;
)

@script:python point@
n << declared.n;
p << declared.p;
@@

if not RUN.wanted(cocci.files(), p[0].file, int(p[0].line), int(p[0].column)):
	cocci.include_match(False)

@depends on context && point@
identifier declared.n;
position declared.p;
@@

(
* struct mm_walk_ops n@p = { ... };
|
* struct mm_walk_ops n@p;
)

@finalize:python@
@@

coverage()

