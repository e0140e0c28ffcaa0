// SPDX-License-Identifier: GPL-2.0
/// From a folio_walk_start() that finds a folio to its folio_walk_end() the page
/// table lock is held: nothing in between may sleep, return or walk again.
/// FW_VMA_LOCKED is for callers that have locked the VMA.
//# An ERROR is what the code shows; a WARNING says "cannot tell", and what was
//# looked for. Functions of the same file are followed: those that end a walk or
//# leave one open, sleep, or lock a VMA, and the callers of those that are given
//# one. A variable that stands for "there is a walk" is believed.
//
// Confidence: Moderate
// Copyright: (C) walklock authors. GPLv2.
// Comments: functions of other files are known only by the names in this rule
// Options: --no-includes --include-headers
// Requires: 1.1.0
// Words: folio_walk_(start|end)|FW_VMA_LOCKED

virtual context
virtual org
virtual report

@initialize:python@
@@

import re

def names(*parts):
	return re.compile("^(%s)$" % "|".join(" ".join(parts).split()))

SLEEP = names(
	r"(rt_|ww_)?mutex_lock\w* down(_interruptible|_killable|_timeout)? down_(read|write)\w* percpu_down_(read|write)",
	r"mmap_(read|write)_lock\w* lock_mm_and_find_vma (anon_vma|i_mmap|hugetlb_vma)_lock_(read|write)",
	r"(__)?(folio_lock|lock_page)(_killable|_or_retry|_maybe_drop_mmap)? (folio|page)_(put_)?wait_\w+ wait_on_\w+ _*s?wait_event\w* wait_for_\w+",
	r"vma_start_write\w* vm_flags_(set|clear|mod|reset) lock_next_vma uffd_(lock_vma|mfill_lock|move_lock)",
	r"schedule(_timeout\w*|_hrtimeout\w*)? io_schedule\w* yield _*cond_resched\w* might_(sleep|fault)\w* \w?sleep \w+sleep_range msleep\w*",
	r"synchronize_(rcu|srcu|net|irq)\w* s?rcu_barrier flush_(work|workqueue|delayed_work) cancel_(delayed_)?work_sync",
	r"_*(raw_)?copy_(to|from|in)_(user|iter)\w* copy_struct_\w+_user _*clear_user _*(get|put)_user str(ncpy_from|n?len)_user",
	r"(v?mem|str|strn)dup_\w*user\w* access_(process|remote)_vm fault_in_\w+ handle_mm_fault fixup_user_fault",
	r"(get|pin)_user_pages?\w* v[mz]alloc\w* vfree mmput iput dput vfs_\w+ kernel_(read|write) kthread_stop",
	r"split_(folio|huge_page)\w* folio_split try_to_(unmap|migrate) rmap_walk migrate_pages _*anon_vma_prepare",
	r"mmu_notifier_invalidate_range_start lru_(add_drain_all|cache_disable) filemap_(fdatawait|write_and_wait)\w*",
	r"cpus_(read|write)_lock get_online_mems mem_hotplug_begin inode_lock(_shared|_killable)?(_nested)? device_lock(_interruptible)? lock_two_folios",
	r"lock_sock(_nested)? rtnl_lock(_killable|_interruptible)? cgroup_lock kmap vm_unmap_aliases set_memory_\w+",
	r"_*(pte|pmd|pud|p4d)_alloc(_one|_map)? vmf_anon_prepare read_(mapping|cache)_(folio|page)\w* shmem_read_folio\w* shmem_get_folio",
	r"kv?free_rcu_mightsleep kvfree(_sensitive)? wait_var_event\w* stop_machine call_usermodehelper request_module",
	r"copy_page_(to|from)_iter copy_folio_(to|from)_iter copy_(from|to)_sockptr\w* unsafe_(get|put)_user simple_(read_from|write_to)_buffer",
	r"folio_(mc_)?copy folio_zero_user copy_user_(large_folio|huge_page) clear_huge_page filp_(open|close) kthread_park",
	r"(blocking|srcu)_notifier_call_chain\w* truncate_inode_pages\w* invalidate_inode_pages2\w* unmap_mapping_\w+")
# Take a page table lock, which may be that of the walk.
RELOCK = names(
	r"walk_page_(vma|range\w*|mapping) _*pte_offset_map_lock pte_alloc_map_lock get_locked_pte p[mu]d_lock p[mu]d_trans_huge_lock",
	r"huge_pte_lock _*split_huge_p[mu]d(_address)? page_vma_mapped_walk follow_(pfnmap_start|pte|pfn|page\w*) zap_(page_range|vma_ptes)\w*",
	r"vmf?_insert_\w+ remap_pfn_range apply_to_(existing_)?page_range change_protection")
NO_SLEEP = re.compile("trylock|unlock|nofault|inatomic|nowait|nonblock|fast_only")
SLEEP_GUARD = re.compile(r"^(mutex|rwsem|percpu|mmap|device|cpus_read)(?!\w*_try)")
BLOCKS = r"\b(GFP_(KERNEL|USER|HIGHUSER|NOFS|NOIO)(_MOVABLE|_ACCOUNT)?|GFP_TRANSHUGE|__GFP_(DIRECT_)?RECLAIM)\b"
GFP = names(BLOCKS)
KMALLOC = names("kv?[mz]alloc_(obj|objs|flex)")	# GFP_KERNEL if not said

VMA_LOCK = names(
	r"_*vma_start_(read|write)\w* vma_assert_(write_)?locked vma_assert_stabilised vm_flags_(set|clear|mod|reset)",
	r"\w*lock_(next_)?vma(_under_rcu|_range)? uffd_(mfill|move)_lock try_vma_read_lock vma_(read|write)_(try)?lock\w*")
VMA_UNLOCK = names("vma_end_read uffd_(mfill|move)_unlock unlock_vma vma_read_unlock")
VMA_WRITE = names(r"_*vma_start_write\w* vma_assert_write_locked vm_flags_(set|clear|mod|reset)")
WRITE_END = names("mmap_write_(unlock|downgrade)")	# ends the write locks of all VMAs
MMAP_UNLOCK = names("mmap_(read|write)_unlock")
VMA_FIND = names(
	r"find_(exact_|extend_)?vma(_prev|_intersection|_locked)? vma_(lookup|find|next|prev|iter_load)",
	r"mas_(find|walk|next|prev)\w* mtree_load lock_mm_and_find_vma")
FLAGS = names("FW_ZEROPAGE FW_VMA_LOCKED FW_MIGRATION 0[uUlL]*")
FOREIGN = re.compile(r"^((FW|FOLL|FAULT|FGP|GFP|__GFP|VM|PGWALK|TTU|PVMW)_|\d|BIT(_ULL)?\(|GENMASK|(true|false)$|~|.*(->|\.)(vm_flags|gfp_mask)$)")
VMA_READ = names(r"lock_vma_under_rcu vma_start_read(_locked\w*)?")	# do not sleep, but come first
READERS = names(r"mem(set|cpy|move) (READ|WRITE)_ONCE k?v?free\w* (trace|folio_walk)_\w+ \w*printk pr_\w+ sizeof")

class Line:
	def __init__(self, name, line):
		self.file, self.line, self.column, self.column_end = name, str(line), "0", "0"

def fresh():
	global DEFINED, VOID, MACROS, ENDS, OPENS, WALKS, MAY_SLEEP, SLEEPS, LOCKS, FINDS
	global UNLOCKS, WRITE_ENDS, WRITES, STORED, STARTS, LOST, LOST_ENDED, LET_GO, MMAP_LOCKS
	global CALLS, SEEN, OWN, FLAG_VARS, UNNOTED, BELIEVED, ENDING, WAITLESS, RETRIED, IN_EXPRESSION, ENDED_LATER, GFP_VARS, FOUND
	DEFINED, MACROS = {}, {}	# functions and their parameters, macros and their values
	VOID = set()
	ENDS, OPENS, WALKS = set(), set(), set()	# functions that end a walk, leave one open, start one
	MAY_SLEEP, SLEEPS = {}, set()	# on one path, on all
	LOCKS, FINDS = set(), set()	# functions that lock a VMA, that only find one
	SEEN, OWN = set(), set()	# lines with walks; pointers to what the function owns
	FLAG_VARS = set()	# variables that stand for a walk
	UNNOTED, BELIEVED = set(), set()	# their tests: not yet set there, taken to be right
	ENDING = set()	# returns that end the walk
	WAITLESS = set()	# allocations that do not wait in spite of GFP_KERNEL
	RETRIED, IN_EXPRESSION = set(), set()	# walks in do { } while (!folio), in ({ })
	ENDED_LATER = set()	# calls that are given a walk, and the walk is ended after them
	CALLS = {}	# calls that are given FW_VMA_LOCKED, and their callers
	UNLOCKS, WRITE_ENDS, WRITES = set(), set(), set()	# functions that let go of a VMA, end or take write locks
	STORED = {}	# members that were set to FW_VMA_LOCKED, and the functions that did
	STARTS = {}	# arguments of walks
	LOST, LOST_ENDED = {}, set()	# walks whose result is only part of an expression
	LET_GO = {}	# of the VMA while there is a walk; and it is ended later
	MMAP_LOCKS = []	# mmap locks, and where they are taken
	GFP_VARS = {}	# by function and variable: what it is set to
	FOUND = {}

fresh()

def at(p):
	return p[0].file, int(p[0].line), int(p[0].column)

def say(p, text):
	FOUND.setdefault((at(p), text), p[0])

def base(e):
	return re.search(r"\w+", e).group(0)

def ends(f):
	return f == "folio_walk_end" or f in ENDS

def opens(f):
	return f == "folio_walk_start" or f in OPENS

def walks(f):
	return f == "folio_walk_start" or f in WALKS

def walks_for_others(f):
	return f in WALKS

def known_sleep(f):
	return bool((SLEEP.match(f) or RELOCK.match(f)) and not NO_SLEEP.search(f))

def blocking(x):
	return bool(GFP.match(x)) or any(v == x for fn, v in GFP_VARS)

def not_gfp(f):
	return "gfp" not in f

def sleep_guard(x):
	return bool(SLEEP_GUARD.match(x))

def may_sleep(f):
	return f in MAY_SLEEP

def sleeps(f):
	return known_sleep(f) or f in MAY_SLEEP or lets_go(f) or bool(KMALLOC.match(f) or VMA_READ.match(f))

def lets_go(f):
	return unlocks_vma(f) or bool(MMAP_UNLOCK.match(f))

def elsewhere(f):
	return not (f in DEFINED or f in MACROS or ends(f) or known_sleep(f) or READERS.match(f))

def locks_vma(f):
	return f in LOCKS or bool(VMA_LOCK.match(f) and not re.search("unlock|anon_vma|hugetlb_vma", f))

def unlocks_vma(f):
	return bool(VMA_UNLOCK.match(f)) or f in UNLOCKS and f not in LOCKS

def unlocks_or_ends(f):
	return bool(VMA_UNLOCK.match(f) or WRITE_END.match(f))

def ends_write(f):
	return bool(WRITE_END.match(f)) or f in WRITE_ENDS and f not in LOCKS

def write_locks(f):
	return bool(VMA_WRITE.match(f)) or f in WRITES

def read_locks(f):
	return locks_vma(f) and not write_locks(f)

def finds_vma(f):
	return bool(VMA_FIND.match(f)) or f in FINDS and f not in LOCKS

def split(e, sep):
	depth, out = 0, [""]
	for c in e:
		depth += (c in "([") - (c in ")]")
		if c == sep and not depth:
			out.append("")
		else:
			out[-1] += c
	return out

class Call:
	def __init__(self, p, callee, given=False, surely=False, member=None):
		self.p, self.fn, self.callee = p[0], p[0].current_element, callee
		self.member = member	# given by a member of a structure
		self.given, self.surely = given, surely	# FW_VMA_LOCKED; on every path
		self.locked, self.wrong, self.mmap = False, None, None
		self.args, self.sources = [], set()

def judged(q):
	return at(q) in CALLS

def given_for_sure(q):
	return at(q) in CALLS and (CALLS[at(q)].surely or not CALLS[at(q)].given)

def holds_given(f):
	return f in DEFINED and any(c.fn == f for c in CALLS.values())

# The lock of the VMA for a call: True, a reason why not, or None and what is missing.
def vma_locked_for(c, seen=()):
	if c.wrong or c.locked:
		return c.wrong or True, ""
	mine = [x for x in c.args if re.match(r"\w", x) and "vm_area_struct" in DEFINED.get(c.fn, {}).get(base(x), ())
		or "->vma" in x and base(x) in DEFINED.get(c.fn, ())]
	if mine:
		callers = [x for x in CALLS.values() if x.callee == c.fn and x.fn not in seen + (c.fn,)]
		verdicts = [(x,) + vma_locked_for(x, seen + (c.fn,)) for x in callers]
		for x, how, why in verdicts:
			if how and how is not True:
				say([x.p], "ERROR: %s() says FW_VMA_LOCKED, without a VMA lock: %s" % (c.fn, how))
		left = [(x, why) for x, how, why in verdicts if how is None]
		if verdicts and not left:
			return True, ""
		return None, "no lock in %s()%s" % (c.fn, "".join(", " + why for x, why in left[:1]) or
						  ", which nothing in this file calls")
	unknown = sorted(x for x in c.sources if x not in DEFINED and not finds_vma(x))
	if unknown:
		return None, "it is from %s()" % unknown[0]
	if c.mmap or c.sources:
		return c.mmap or "the VMA is from %s()" % sorted(c.sources)[0], ""
	return None, "no lock in %s()" % c.fn

# What a member holds is not followed: a lock of the function, of its callers or of
# those that set it may be the one.
def lock_in_sight(c, seen=()):
	return not c.wrong and c.locked or any(lock_in_sight(x, seen + (c.fn,)) for x in CALLS.values()
		if x.callee == c.fn and x.fn not in seen + (c.fn,))

def judge_calls():
	for c in [x for x in CALLS.values() if x.member]:
		if not lock_in_sight(c) and not STORED[c.member] & LOCKS:
			say([c.p], "WARNING: FW_VMA_LOCKED: cannot tell whether the VMA is locked: %s may have it, and no lock is in sight"
			    % c.member)
	for c in [x for x in CALLS.values() if x.given and not x.member]:
		how, why = vma_locked_for(c)
		if how is None:
			say([c.p], "WARNING: FW_VMA_LOCKED: cannot tell whether the VMA is locked: " + why)
		elif how is not True:
			say([c.p], "ERROR: FW_VMA_LOCKED without a VMA lock: " + how)

# Functions that could not be parsed are passed over: they are told, not forgotten.
def not_parsed(name):
	with open(name, errors="replace") as f:
		text = f.read()
	blank = lambda m: re.sub(r"[^\n]", " ", m.group(0))
	text = re.sub(r"/[*].*?[*]/|/{2}[^\n]*|\x22(\\.|[^\x22\\\n])*\x22", blank, text, flags=re.S)
	text = re.sub(r"^[ \t]*#[ \t]*if[ \t]+0\b.*?^[ \t]*#[ \t]*(else|elif|endif)", blank, text, flags=re.S | re.M)
	for m in re.finditer(r"\bfolio_walk_start\s*\((?!\s*struct\b)", text):
		line = text.count("\n", 0, m.start()) + 1
		if line not in SEEN:
			say([Line(name, line)], "WARNING: cannot tell anything of this walk: spatch could not parse the function")

def pointed_at(p):
	return any(x[0] == at(p) for x in FOUND)

# What an expression for the flags may be: names and numbers.
def values(e):
	e = re.sub(r"\((__force)?folio_walk_flags_t\)", "", e.replace(" ", ""))
	while e[:1] == "(" and split(e, ")")[1:] == [""]:
		e = e[1:-1]
	for sep, rest in ("?", 1), (":", 0), ("|", 0):
		parts = split(e, sep)[rest:]
		if len(parts) > 1 - rest:
			return [x for y in parts for x in values(y)]
	return [e]

# The same, with the macros and constants of the file.
def unfolded(e, seen=()):
	return [y for x in values(e) for y in
		(unfolded(MACROS[x], seen + (x,)) if x in MACROS and x not in seen else [x])]

def says_locked(x):
	return x in MACROS and "FW_VMA_LOCKED" in unfolded(x)

def stored(x):
	return x in STORED

def judge_flags(e, p, seen=()):
	for x in values(e):
		if FLAGS.match(x) or x in seen:
			continue
		if x in MACROS:
			judge_flags(MACROS[x], p, seen + (x,))
		elif not x:
			say(p, "ERROR: || between flags for folio_walk_start()")
		elif FOREIGN.match(x):
			say(p, "ERROR: unknown flag %s for folio_walk_start()" % x)
		elif re.match("[A-Z][A-Z0-9_]*$", x):
			say(p, "WARNING: cannot tell what %s is: no flag of folio_walk_start() that is known here" % x)

def stands(x):
	return x in FLAG_VARS

def believed(p, t):
	return (at(p), at(t)) in BELIEVED

# The VMA of the walk, or the mmap lock where that is what keeps it.
def let_go_of(p, q, f, args):
	walk = STARTS.get(at(p), [])
	plain = walk and all(FLAGS.match(x) and x != "FW_VMA_LOCKED" for x in unfolded(walk[-1]))
	if not MMAP_UNLOCK.match(f):
		return not plain and any(x in walk[1:] for x in args)
	taken = [(where, arg) for fn, where, arg in MMAP_LOCKS if fn == p[0].current_element]
	return plain and all(arg in args and not at(p) < where < at(q) for where, arg in taken)

# What a function comes to that may sleep.
def innermost(f):
	seen = set()
	while f in MAY_SLEEP and f not in seen:
		seen.add(f)
		f = MAY_SLEEP[f][0]
	return f

def judge_lost(p, fw):
	e, fn = LOST[at(p)].replace(" ", ""), p[0].current_element
	fw = fw.replace(" ", "")
	bare = re.findall(r"(?<![\w.>])%s\b(?!\.|->|\[)" % base(fw), e)
	if owns(fn, fw) and len(bare) == 1 and at(p) not in LOST_ENDED and not any(ends(x) for x in re.findall(r"\w+", e)):
		say(p, "ERROR: what folio_walk_start() finds is never ended: nothing after it does")

# A sleep behind the start in one expression; where nothing was found it is right.
def in_condition(p, start, a, b, found):
	a = a.replace(" ", "")
	name = r"\b(\w+=)?\(*%s\(" % start
	if not re.search(name, a) or re.search(r"NULL==|==NULL", a):
		return
	if bool(re.search(r"!\(*" + name, a)) == found or ("||" if found else "&&") in a:
		return
	for x in re.findall(r"(\w+) *\(", b):
		if ends(x):
			return
		if known_sleep(x):
			say(p, "ERROR: %s() may sleep under the page table lock of this walk, in the same expression" % x)

def let_go_at(q):
	return at(q) in LET_GO

def lost_at(p):
	return at(p) in LOST

def walk_open(p, fw, q, e, again, sleep, es, alloc, gfp, guard):
	fn, line = p[0].current_element, p[0].line
	under = "under the page table lock of the walk from line %s" % line
	if at(p) in RETRIED and at(q) <= at(p) or at(p) in IN_EXPRESSION or at(q) in WAITLESS:
		return
	if gfp and not GFP.match(gfp) and not all(re.search(BLOCKS, x) for x in GFP_VARS.get((fn, gfp), ("",))):
		return
	if again and at(q) == at(p):
		say(q, "ERROR: second walk: the loop comes back to %s() before folio_walk_end()" % again)
	elif again:
		say(q, "ERROR: second walk: %s() before folio_walk_end() for the walk from line %s" % (again, line))
	elif lets_go(sleep):
		args = [x.replace(" ", "") for x in split(es, ",")]
		if let_go_of(p, q, sleep, args):
			LET_GO[at(q)] = q, "ERROR: %s() lets go of the VMA before folio_walk_end() for the walk from line %s" % (sleep, line)
	elif VMA_READ.match(sleep):
		say(q, "ERROR: %s() locks a VMA %s, which comes last" % (sleep, under))
	elif KMALLOC.match(sleep) and "GFP_" in es:
		return
	elif sleep in MAY_SLEEP and RELOCK.match(innermost(sleep)):
		say(q, "%s %s() comes to %s(), line %s, and takes a page table lock %s"
		    % (("ERROR:" if sleep in SLEEPS else "WARNING: cannot tell whether", sleep) + MAY_SLEEP[sleep] + (under,)))
	elif sleep in SLEEPS:
		say(q, "ERROR: %s() sleeps in %s(), line %s, %s" % ((sleep,) + MAY_SLEEP[sleep] + (under,)))
	elif sleep in MAY_SLEEP:
		say(q, "WARNING: cannot tell whether %s() comes to %s(), line %s, and sleeps %s"
		    % ((sleep,) + MAY_SLEEP[sleep] + (under,)))
	elif RELOCK.match(sleep):
		say(q, "ERROR: second walk: %s() may take the page table lock of the walk from line %s again" % (sleep, line))
	elif sleep or guard or alloc:
		say(q, "ERROR: %s may sleep %s" % (sleep and sleep + "()" or guard and "guard(%s)" % guard or
						   "%s(%s)" % (alloc, gfp), under))
	elif at(q) in ENDING or not e and fn not in VOID:
		return
	elif owns(fn, fw) and e != base(fw):
		say(q, "ERROR: return without folio_walk_end() for the walk from line %s" % line)
	elif fn in VOID or re.match("NULL$|false$|- ?E[A-Z]|ERR_PTR|- ?1$", e):
		say(q, "WARNING: return without folio_walk_end(), and cannot tell whether the caller ends the walk from line %s" % line)

def bad_flag(x):
	return x.startswith("FW_") and not x.startswith("FW_LEVEL_") and not FLAGS.match(x)

# Whether the function itself has made the struct folio_walk.
def owns(fn, fw):
	fw = fw.replace(" ", "")
	if base(fw) in DEFINED.get(fn, ()):
		return False
	return fw.startswith("&") and "->" not in fw or (fn, base(fw)) in OWN

@walk@
position p;
@@
 folio_walk_start@p(...)

@vma_locked@
symbol FW_VMA_LOCKED;
position p;
@@
 FW_VMA_LOCKED@p

// A file whose only walk stands in a function that could not be parsed.
@may_walk@
@@
 #include <linux/pagewalk.h>

@script:python depends on walk || vma_locked || may_walk@
@@
fresh()

@script:python@
p << walk.p;
@@
SEEN.add(int(p[0].line))

// ---- the functions and macros of the file

@defined depends on walk || vma_locked@
identifier fn;
parameter list ps;
@@
 fn(ps) { ... }

@script:python@
fn << defined.fn;
ps << defined.ps;
@@
DEFINED[fn] = {x[-1]: x[:-1] for x in (re.findall(r"\w+", y) for y in split(ps.expr, ",")) if x}

@is_void depends on walk || vma_locked@
identifier fn;
@@
 void fn(...) { ... }

@script:python@
fn << is_void.fn;
@@
VOID.add(fn)

@macro depends on walk || vma_locked@
identifier m;
expression e;
@@
 #define m e

@script:python@
m << macro.m;
e << macro.e;
@@
MACROS[m] = e

// A constant of the file is as good as a macro.
@of_file depends on walk || vma_locked@
identifier v;
expression e;
position p;
@@
 const folio_walk_flags_t v@p = e;

@script:python@
v << of_file.v;
e << of_file.e;
p << of_file.p;
@@
if p[0].current_element not in DEFINED:
	MACROS[v] = e

// ---- who locks a VMA, or lets go of it on every path

@locks depends on walk || vma_locked@
identifier fn;
identifier lock : script:python() { locks_vma(lock) };
@@
 fn(...) { <+... lock(...) ...+> }

@script:python@
fn << locks.fn;
lock << locks.lock;
@@
LOCKS.add(fn)
if VMA_WRITE.match(lock):
	WRITES.add(fn)

@unlocks depends on walk || vma_locked@
identifier fn, x;
identifier unlock : script:python() { unlocks_or_ends(unlock) };
@@
 fn(...) {
 ... when strict
(
 unlock(x);
|
 if (x) unlock(x);
)
 ... when any
 }

@script:python@
fn << unlocks.fn;
unlock << unlocks.unlock;
x << unlocks.x;
@@
if WRITE_END.match(unlock):
	WRITE_ENDS.add(fn)
elif [v for v, t in DEFINED.get(fn, {}).items() if "vm_area_struct" in t] == [x]:
	UNLOCKS.add(fn)

@ends_write depends on vma_locked@
identifier fn;
identifier unlock : script:python() { ends_write(unlock) };
@@
 fn(...) {
 ... when strict
 unlock(...);
 ... when any
 }

@script:python@
fn << ends_write.fn;
@@
WRITE_ENDS.add(fn)

@ends depends on walk exists@
identifier fn;
@@
 fn(...) {
 ... when != folio_walk_start(...)
     when any
 folio_walk_end(...)
 ... when any
 }

@script:python@
fn << ends.fn;
@@
ENDS.add(fn)

@ends_macro depends on walk@
identifier m;
@@
 #define m(...) <+... folio_walk_end(...) ...+>

@script:python@
m << ends_macro.m;
@@
ENDS.add(m)

@ends_too depends on walk exists@
identifier fn;
identifier f : script:python() { ends(f) };
@@
 fn(...) {
 ... when != folio_walk_start(...)
     when any
 f(...)
 ... when any
 }

@script:python@
fn << ends_too.fn;
@@
ENDS.add(fn)

@walks depends on walk exists@
identifier fn;
identifier end : script:python() { ends(end) };
@@
 fn(...) {
 ... when != end(...)
     when any
 folio_walk_start(...)
 ... when any
 }

@script:python@
fn << walks.fn;
@@
WALKS.add(fn)

// What gives the walk to its caller.
@opens depends on walk exists@
identifier fn;
identifier yes =~ "^true$";
identifier end : script:python() { ends(end) };
expression f, fw, a, b, c;
@@
 fn(...) {
 ... when any
(
 return \(folio_walk_start(fw, ...)\|folio_walk_start(fw, ...) != NULL\|!!folio_walk_start(fw, ...)\);
|
 f = folio_walk_start(fw, ...)
 ... when != end(...)
     when any
     when != true \(!f\|f == NULL\|unlikely(!f)\)
     when != false \(f\|f != NULL\|likely(f)\)
 return \(f\|f != NULL\|!!f\|yes\);
|
 folio_walk_start(fw, a, b, c)
 ... when != end(...)
     when any
     when != true !folio_walk_start(fw, a, b, c)
     when != false folio_walk_start(fw, a, b, c)
 return yes;
)
 }

@script:python@
fn << opens.fn;
fw << opens.fw;
@@
if not owns(fn, fw):
	OPENS.add(fn)
	WALKS.add(fn)

@may_sleep depends on walk exists@
identifier fn;
identifier callee : script:python() { known_sleep(callee) };
identifier end : script:python() { ends(end) };
position p;
@@
 fn(...) {
 ... when != end(...)
     when any
 callee@p(...)
 ... when any
 }

@script:python@
fn << may_sleep.fn;
callee << may_sleep.callee;
p << may_sleep.p;
@@
MAY_SLEEP.setdefault(fn, (callee, p[0].line))

@sleeps depends on may_sleep@
identifier fn : script:python() { may_sleep(fn) };
identifier callee : script:python() { known_sleep(callee) };
@@
 fn(...) {
 ... when strict
 callee(...)
 ... when any
 }

@script:python@
fn << sleeps.fn;
@@
SLEEPS.add(fn)

@may_sleep_too depends on may_sleep exists@
identifier fn;
identifier callee : script:python() { may_sleep(callee) };
identifier end : script:python() { ends(end) };
position p;
@@
 fn(...) {
 ... when != end(...)
     when any
 callee@p(...)
 ... when any
 }

@script:python@
fn << may_sleep_too.fn;
callee << may_sleep_too.callee;
p << may_sleep_too.p;
@@
MAY_SLEEP.setdefault(fn, (callee, p[0].line))

// ---- where a walk starts, and what says whether it found something

@assigned depends on walk@
identifier start : script:python() { opens(start) };
identifier no =~ "^false$";
expression f, fw, e;
position p;
@@
(
 f = start@p(fw, ...)
|
 f = start@p(fw, ...) != NULL
|
 f = !!start@p(fw, ...)
|
 f = e ? start@p(fw, ...) : \(NULL\|0\|no\)
)

// What becomes of these results is not followed.
@not_tested depends on walk@
identifier start : script:python() { opens(start) };
identifier g != {likely, unlikely, WARN_ON, WARN_ON_ONCE, VM_WARN_ON, VM_WARN_ON_ONCE};
expression x, e;
position p;
@@
(
 x = \(<+... start@p(...) ...+> \& e\)
|
 g(..., \(<+... start@p(...) ...+> \& e\), ...)
)

@script:python@
p << not_tested.p;
e << not_tested.e;
g << not_tested.g = "";
@@
if not re.match("KUNIT_|(VM_)?BUG_ON", g):
	LOST[at(p)] = e

@returned depends on walk@
identifier start : script:python() { opens(start) };
expression e;
position p;
@@
 return \(<+... start@p(...) ...+> \& e\);

@script:python@
p << returned.p;
e << returned.e;
@@
LOST[at(p)] = e

// Without a variable, the call itself is what is tested.
@s depends on walk@
identifier start : script:python() { opens(start) };
identifier no =~ "^false$";
expression f, fw, e;
position rest != {assigned.p, not_tested.p, returned.p};
position p;
@@
(
 f = start@p(fw, ...)
|
 f = start@p(fw, ...) != NULL
|
 f = !!start@p(fw, ...)
|
 f = e ? start@p(fw, ...) : \(NULL\|0\|no\)
|
 \( start@p@rest(fw, ...) \& f \)
)

@script:python of@
fw << s.fw;
p << s.p;
b;
@@
coccinelle.b = cocci.make_ident(base(fw))
LOST.pop(at(p), None)

@args_of_walk depends on s@
position s.p;
identifier start;
expression list es;
@@
 start@p(es)

@script:python@
p << s.p;
es << args_of_walk.es;
@@
STARTS[at(p)] = [x.replace(" ", "") for x in split(es.expr, ",")]

// The result is only part of an expression: what ends the walk?
@lost depends on walk@
identifier start : script:python() { opens(start) };
expression fw;
position p : script:python() { lost_at(p) };
@@
 start@p(fw, ...)

@script:python lost_of@
fw << lost.fw;
b;
@@
coccinelle.b = cocci.make_ident(base(fw))

@lost_ended depends on lost exists@
expression lost.fw, ops;
position lost.p;
identifier lost_of.b, start, method;
identifier end : script:python() { ends(end) };
identifier other : script:python() { elsewhere(other) };
@@
 start@p(...)
 ... when any
(
 end(...)
|
 other(..., \(b\|&b\|fw\), ...)
|
 ops->method(..., \(b\|&b\|fw\), ...)
)

@script:python@
p << lost.p;
start << lost_ended.start;
@@
LOST_ENDED.add(at(p))

@script:python@
p << lost.p;
fw << lost.fw;
@@
judge_lost(p, fw)

@thrown_away depends on walk@
position p;
@@
 folio_walk_start@p(...);

@script:python@
p << thrown_away.p;
@@
say(p, "ERROR: nobody looks at the result of folio_walk_start()")

@not_looked_at depends on s exists@
expression s.f;
type T;
identifier x, of.b, fld;
identifier end : script:python() { ends(end) };
position s.p, q;
@@
(
 f = folio_walk_start@p(...);
|
 T x = folio_walk_start@p(...);
)
 ... when != f
     when != x
     when != b.fld
 end@q(...);

@script:python@
p << s.p;
q << not_looked_at.q;
@@
say(q, "ERROR: folio_walk_end() without a look at the result of folio_walk_start(), line %s" % p[0].line)

@condition depends on walk@
identifier start : script:python() { opens(start) };
expression a, b, c;
position p;
@@
 \( \( a && b \| a ? b : c \) \& <+... start@p(...) ...+> \)

@script:python@
p << condition.p;
start << condition.start;
a << condition.a;
b << condition.b;
@@
in_condition(p, start, a, b, True)

@condition_not depends on walk@
identifier start : script:python() { opens(start) };
expression a, b;
position p;
@@
 \( a || b \& <+... start@p(...) ...+> \)

@script:python@
p << condition_not.p;
start << condition_not.start;
a << condition_not.a;
b << condition_not.b;
@@
in_condition(p, start, a, b, False)

// SmPL does not look for paths in ({ }).
@whole depends on s@
position s.p;
identifier start;
expression x, e;
@@
 x = \(<+... start@p(...) ...+> \& e\)

@script:python@
p << s.p;
e << whole.e;
@@
if e.startswith("( {"):
	IN_EXPRESSION.add(at(p))
	say(p, "WARNING: cannot tell anything of this walk: it is in a statement expression")

@own depends on s@
identifier w, x, fld;
identifier alloc =~ "alloc";
position p;
@@
(
 w@p = \(&x\|&x.fld\|&x[...]\)
|
 w@p = alloc(...)
)

@script:python@
w << own.w;
x << own.x = "";
p << own.p;
@@
fn = p[0].current_element
if x not in DEFINED.get(fn, ()):
	OWN.add((fn, w))

// ---- variables that stand for it

// Set where nothing was found. A value from after the walk started is another one.
@unfound depends on s exists@
expression s.f, E;
position s.p;
identifier start, x;
statement S;
@@
 start@p(...)
 ... when any
(
 if (\(!f\|f == NULL\|unlikely(!f)\)) {
 ... when any
 x = E
 ... when any
 }
|
 if (\(f\|f != NULL\|likely(f)\)) S else {
 ... when any
 x = E
 ... when any
 }
)

@derived depends on s exists@
expression s.f, E1, E2;
position s.p;
identifier start, x;
@@
 start@p(...)
 ... when any
 x = \(f\|!f\|!!f\|f != NULL\|f == NULL\|f ? E1 : E2\|!f ? E1 : E2\)

// Set while the walk is open
@noted depends on s exists@
expression s.f;
position s.p;
identifier yes =~ "^true$";
identifier start, x;
identifier end : script:python() { ends(end) };
@@
 start@p(...)
 ... when != end(...)
     when any
(
 x = \(yes\|1\);
|
 if (\(f\|f != NULL\)) {
 ... when any
 x = 0;
 ... when any
 }
)

// or before, and the walk depends on it.
@wanted depends on s exists@
position s.p;
expression E;
identifier start, x;
@@
 if (\(x\|x && ...\|x == E\|x != E\|x & E\)) {
 ... when any
 start@p(...)
 ... when any
 }

@script:python@
x << unfound.x;
@@
FLAG_VARS.add(x)

@script:python@
x << derived.x;
@@
FLAG_VARS.add(x)

@script:python@
x << noted.x;
@@
FLAG_VARS.add(x)

@script:python@
x << wanted.x;
@@
FLAG_VARS.add(x)

@inside depends on s@
identifier x : script:python() { stands(x) };
identifier g, fld;
position p;
@@
(
 g(..., <+... x@p ...+>, ...)
|
 x@p->fld
|
 x@p.fld
|
 *x@p
)

@believe1 depends on unfound exists@
position t != inside.p;
position s.p;
identifier start, unfound.x;
expression E;
statement S;
@@
 start@p(...)
 ... when != x = E
     when any
 if (<+... x@t ...+>) S

@believe2 depends on derived exists@
position t != inside.p;
position s.p;
identifier start, derived.x;
statement S;
@@
 start@p(...)
 ... when any
 if (<+... x@t ...+>) S

@unnoted depends on noted exists@
expression s.f, E;
position s.p;
identifier start, noted.x;
identifier end : script:python() { ends(end) };
statement S;
position t;
@@
 start@p(...)
 ... when != x = E
     when != end(...)
     when any
     when != true \(!f\|f == NULL\|unlikely(!f)\)
     when != false \(f\|f != NULL\|likely(f)\)
 if (<+... x@t ...+>) S

@script:python@
p << s.p;
t << unnoted.t;
@@
UNNOTED.add((at(p), at(t)))

@believe3 depends on noted exists@
position t != inside.p;
position s.p;
identifier start, noted.x;
statement S;
@@
 start@p(...)
 ... when any
 if (<+... x@t ...+>) S

@believe4 depends on wanted exists@
position t != inside.p;
position s.p;
identifier start, wanted.x;
statement S;
@@
 start@p(...)
 ... when any
 if (<+... x@t ...+>) S

@script:python@
p << s.p;
t << believe1.t;
@@
BELIEVED.add((at(p), at(t)))

@script:python@
p << s.p;
t << believe2.t;
@@
BELIEVED.add((at(p), at(t)))

@script:python@
p << s.p;
t << believe3.t;
@@
if (at(p), at(t)) not in UNNOTED:
	BELIEVED.add((at(p), at(t)))

@script:python@
p << s.p;
t << believe4.t;
@@
BELIEVED.add((at(p), at(t)))

// ---- from the start on, as long as nothing ends the walk

@ends_here depends on s@
expression s.fw;
identifier of.b;
identifier end : script:python() { ends(end) };
identifier other : script:python() { elsewhere(other) };
position q;
@@
 return@q <+... \(end(...)\|other(..., \(b\|&b\|fw\), ...)\) ...+>;

@script:python@
q << ends_here.q;
@@
ENDING.add(at(q))

@waitless depends on s@
identifier alloc;
position q;
@@
 alloc@q(..., <+... ~\(__GFP_RECLAIM\|__GFP_DIRECT_RECLAIM\) ...+>, ...)

@script:python@
q << waitless.q;
@@
WAITLESS.add(at(q))

@gfp_var depends on s@
gfp_t v;
expression e;
position q;
@@
 v@q = e

@script:python@
v << gfp_var.v;
e << gfp_var.e;
q << gfp_var.q;
@@
GFP_VARS.setdefault((q[0].current_element, v), []).append(e)

// do { } while (!f) comes back without a walk. SmPL has no do: it is the test
// that stands nowhere else.
@tested depends on s@
expression s.f, e;
identifier g;
statement S;
position t;
@@
(
 if (<+... f@t ...+>) S
|
 while (<+... f@t ...+>) S
|
 for (...; <+... f@t ...+>; ...) S
|
 return <+... f@t ...+>;
|
 e = <+... f@t ...+>;
|
 g(..., <+... f@t ...+>, ...)
)

@tail depends on s@
expression s.f, e;
position t != tested.t;
@@
(
 !f@t
|
 f@t == NULL
|
 !(f@t = e)
|
 (f@t = e) == NULL
)

@retried depends on tail exists@
expression s.f;
position s.p, tail.t;
identifier start;
@@
 start@p(...)
 ... when any
 f@t

@script:python@
p << s.p;
start << retried.start;
@@
RETRIED.add(at(p))

@mmap_locks depends on s@
identifier lock =~ "^mmap_(read|write)_(try)?lock";
expression e;
position q;
@@
 lock@q(e)

@script:python@
e << mmap_locks.e;
q << mmap_locks.q;
@@
MMAP_LOCKS.append((q[0].current_element, at(q), e.replace(" ", "")))

@open depends on s exists@
position t : script:python(s.p) { believed(p, t) };
iterator name scoped_guard, scoped_class, kunit_warning_suppress;
expression s.f, s.fw, e, ops, c1, c2, c3, c4, c5;
position s.p;
identifier of.b, start, x, method;
identifier opener : script:python() { opens(opener) };
identifier end : script:python() { ends(end) };
identifier other : script:python() { elsewhere(other) };
identifier sleep : script:python() { sleeps(sleep) };
identifier again : script:python() { walks(again) };
identifier alloc : script:python() { not_gfp(alloc) };
identifier gfp : script:python() { blocking(gfp) };
identifier yes =~ "^true$";
identifier held : script:python() { sleep_guard(held) };
position q;
expression list es;
statement S;
@@
 start@p(...)
 ... when != end(...)
     when != x@t
     when != other(..., \(b\|&b\|fw\), ...)
     when != ops->method(..., \(b\|&b\|fw\), ...)
     when != \(BUG()\|panic(...)\|unreachable()\|BUG_ON(f)\|kunit_skip(...)\)
     when != \(KUNIT_EXPECT_NULL(..., f, ...)\|KUNIT_ASSERT_NULL(..., f, ...)\)
     when any
     when != true \(!f\|!f && ...\|f == NULL\|f == NULL && ...\|unlikely(!f)\|unlikely(f == NULL)\|IS_ERR_OR_NULL(f)\|WARN_ON(!f)\|WARN_ON_ONCE(!f)\|WARN(!f, ...)\|f == 0\)
     when != true \(!(f = opener(...))\|!(f = opener(...)) && ...\|(f = opener(...)) == NULL\|unlikely(!(f = opener(...)))\|c1 || !opener(...)\|c2 || !(f = opener(...))\)
     when != false \(f\|f || ...\|f != NULL\|f != 0\|likely(f)\|!!f\)
     when != false \(f = opener(...)\|(f = opener(...))\|(f = opener(...)) != NULL\|c3 && opener(...)\|c4 && (f = opener(...))\|c5 && (f = opener(...)) != NULL\)
     when != false \(1\|yes\)
     when != for (...; \(f\|f != NULL\); ...) S
(
 return@q e;
|
 return@q;
|
 again@q(...)
|
 sleep@q(es)
|
 alloc@q(..., <+... gfp ...+>, ...)
|
 guard(held)@q(...)
|
 scoped_guard@q(held, ...) S
)

@script:python@
p << s.p;
fw << s.fw;
q << open.q;
e << open.e = "";
again << open.again = "";
sleep << open.sleep = "";
es << open.es = "";
alloc << open.alloc = "";
gfp << open.gfp = "";
held << open.held = "";
@@
walk_open(p, fw, q, e, again, sleep, str(es), alloc, gfp, held)

// Where nothing ends the walk later, that is what was said.
@let_go_ended depends on open exists@
identifier unlock : script:python() { lets_go(unlock) };
identifier start : script:python() { opens(start) };
identifier end : script:python() { ends(end) };
position q : script:python() { let_go_at(q) };
@@
 unlock@q(...)
 ... when != start(...)
     when any
 end(...)

@script:python@
q << let_go_ended.q;
@@
say(*LET_GO[at(q)])

// Given to a function of another file, and not ended later: did that end it?
@handed depends on s exists@
position t : script:python(s.p) { believed(p, t) };
expression s.f, s.fw;
position s.p;
identifier of.b, start, x;
identifier end : script:python() { ends(end) };
identifier other : script:python() { elsewhere(other) };
position q;
@@
 start@p(...)
 ... when != end(...)
     when != x@t
     when any
     when != true \(!f\|f == NULL\)
     when != false \(f\|f != NULL\)
 other@q(..., \(b\|&b\|fw\), ...)

@ended_later depends on handed exists@
identifier handed.other;
position handed.q;
position r;
identifier end : script:python() { ends(end) };
@@
 other@q(...)
 ... when any
 end@r(...)

@script:python@
q << handed.q;
r << ended_later.r;
@@
ENDED_LATER.add(at(q))

@script:python@
p << s.p;
fw << s.fw;
other << handed.other;
q << handed.q;
@@
if owns(p[0].current_element, fw) and at(q) not in ENDED_LATER:
	say(q, "WARNING: cannot tell whether %s() ends the walk from line %s: nothing after it does" % (other, p[0].line))

// ---- flags

@flags depends on walk@
expression fl;
position q;
@@
 folio_walk_start(..., fl@q)

@script:python@
fl << flags.fl;
q << flags.q;
@@
judge_flags(fl, q)

@flags_of depends on walk exists@
identifier v;
expression fl;
position q;
@@
 \(v = fl@q\|v |= fl@q\)
 ... when any
 folio_walk_start(..., <+... v ...+>)

@script:python@
fl << flags_of.fl;
q << flags_of.q;
@@
judge_flags(fl, q)

@flags_of_member depends on walk exists@
identifier fld;
expression fl, e;
position q;
@@
 \(e.fld = fl@q\|e.fld |= fl@q\|e->fld = fl@q\|e->fld |= fl@q\)
 ... when any
 folio_walk_start(..., <+... \(e.fld\|e->fld\) ...+>)

@script:python@
fl << flags_of_member.fl;
q << flags_of_member.q;
@@
judge_flags(fl, q)

// A flag that another function hands on.
@flag_given depends on walk@
identifier callee : script:python() { walks_for_others(callee) };
identifier flag : script:python() { bad_flag(flag) };
position q;
@@
 callee(..., <+... flag@q ...+>, ...)

@script:python@
flag << flag_given.flag;
q << flag_given.q;
@@
judge_flags(flag, q)

// ---- FW_VMA_LOCKED: the calls that are given it, always or through a variable

@given depends on vma_locked@
identifier callee;
expression fl;
position q;
@@
 callee@q(..., \(<+... FW_VMA_LOCKED ...+> \& fl\), ...)

@script:python@
callee << given.callee;
fl << given.fl;
q << given.q;
@@
if "FW_VMA_LOCKED" in values(fl):
	CALLS[at(q)] = Call(q, callee, True, split(fl, "?")[1:] == [])

@carried depends on vma_locked exists@
identifier v;
identifier callee : script:python() { walks(callee) };
expression E, fl;
position q;
@@
(
 v = \(<+... FW_VMA_LOCKED ...+> \& fl\)
|
 v |= \(<+... FW_VMA_LOCKED ...+> \& fl\)
)
 ... when != v = E
     when any
 callee@q(..., \(v\|v | E\|E | v\), ...)

@script:python@
callee << carried.callee;
fl << carried.fl;
q << carried.q;
@@
if "FW_VMA_LOCKED" in values(fl):
	CALLS.setdefault(at(q), Call(q, callee, True, False))

// The same by a macro or a constant of the file, or through a member.
@named depends on vma_locked@
identifier m;
@@
(
 #define m <+... FW_VMA_LOCKED ...+>
|
 const folio_walk_flags_t m = <+... FW_VMA_LOCKED ...+>;
)

@given_by_name depends on named@
identifier callee;
identifier flag : script:python() { says_locked(flag) };
expression fl;
position q;
@@
 callee@q(..., \(<+... flag ...+> \& fl\), ...)

@script:python@
callee << given_by_name.callee;
fl << given_by_name.fl;
q << given_by_name.q;
@@
if "FW_VMA_LOCKED" in unfolded(fl):
	CALLS[at(q)] = Call(q, callee, True, split(fl, "?")[1:] == [])

@carried_by_name depends on named exists@
identifier v;
identifier callee : script:python() { walks(callee) };
identifier flag : script:python() { says_locked(flag) };
expression E, fl;
position q;
@@
(
 v = \(<+... flag ...+> \& fl\)
|
 v |= \(<+... flag ...+> \& fl\)
)
 ... when != v = E
     when any
 callee@q(..., \(v\|v | E\|E | v\), ...)

@script:python@
callee << carried_by_name.callee;
fl << carried_by_name.fl;
q << carried_by_name.q;
@@
if "FW_VMA_LOCKED" in unfolded(fl):
	CALLS.setdefault(at(q), Call(q, callee, True, False))

@stores depends on vma_locked@
identifier fld;
expression x, fl;
position p;
@@
(
 x.fld@p = \(<+... FW_VMA_LOCKED ...+> \& fl\)
|
 x.fld@p |= \(<+... FW_VMA_LOCKED ...+> \& fl\)
|
 x->fld@p = \(<+... FW_VMA_LOCKED ...+> \& fl\)
|
 x->fld@p |= \(<+... FW_VMA_LOCKED ...+> \& fl\)
)

@script:python@
fld << stores.fld;
fl << stores.fl;
p << stores.p;
@@
if "FW_VMA_LOCKED" in values(fl):
	STORED.setdefault(fld, set()).add(p[0].current_element)

@stores_first depends on vma_locked@
identifier tag, v, fld;
expression fl;
position p;
@@
 struct tag v@p = { ..., .fld = \(<+... FW_VMA_LOCKED ...+> \& fl\), ... };

@script:python@
fld << stores_first.fld;
fl << stores_first.fl;
p << stores_first.p;
@@
if "FW_VMA_LOCKED" in values(fl):
	STORED.setdefault(fld, set()).add(p[0].current_element)

@by_member depends on stores || stores_first@
identifier callee : script:python() { walks(callee) };
identifier fld : script:python() { stored(fld) };
expression x;
position q;
@@
(
 callee@q(..., <+... x.fld ...+>, ...)
|
 callee@q(..., <+... x->fld ...+>, ...)
)

@script:python@
callee << by_member.callee;
fld << by_member.fld;
q << by_member.q;
@@
CALLS.setdefault(at(q), Call(q, callee, True, False, fld))

// Their callers, and the callers of those: the lock may be there.
@caller depends on vma_locked@
identifier callee : script:python() { holds_given(callee) };
position q;
@@
 callee@q(...)

@script:python@
callee << caller.callee;
q << caller.q;
@@
CALLS.setdefault(at(q), Call(q, callee))

@caller2 depends on caller@
identifier callee : script:python() { holds_given(callee) };
position q;
@@
 callee@q(...)

@script:python@
callee << caller2.callee;
q << caller2.q;
@@
CALLS.setdefault(at(q), Call(q, callee))

// ---- and what is seen of the VMA before them. Behind a test of a bool it is
// somebody's choice: the lock that is in sight may be the one.

@finds depends on vma_locked@
identifier fn;
identifier find : script:python() { finds_vma(find) };
@@
 fn(...) { <+... find(...) ...+> }

@script:python@
fn << finds.fn;
@@
FINDS.add(fn)

@args depends on vma_locked@
identifier callee;
expression list es;
position q : script:python() { judged(q) };
@@
 callee@q(es)

@script:python@
es << args.es;
q << args.q;
@@
CALLS[at(q)].args = [x.replace(" ", "") for x in split(es.expr, ",")]

@locked depends on vma_locked exists@
identifier callee;
identifier lock : script:python() { locks_vma(lock) };
identifier m =~ "^(vm_lock|vm_refcnt|vmlock_dep_map)$";
symbol FAULT_FLAG_VMA_LOCK;
expression e;
position q : script:python() { judged(q) };
@@
(
 lock(...)
|
 FAULT_FLAG_VMA_LOCK
|
 e->m
)
 ... when any
 callee@q(...)

@script:python@
q << locked.q;
@@
CALLS[at(q)].locked = True

@unlocked depends on vma_locked exists@
identifier callee;
identifier unlock : script:python() { unlocks_vma(unlock) };
identifier lock : script:python() { locks_vma(lock) };
expression vma, e;
position q : script:python() { given_for_sure(q) };
bool chosen;
position r;
@@
 unlock@r(..., vma, ...)
 ... when != lock(...)
     when != vma = e
     when != chosen
     when any
 callee@q(..., vma, ...)

@script:python@
unlock << unlocked.unlock;
q << unlocked.q;
r << unlocked.r;
@@
CALLS[at(q)].wrong = "%s(), line %s, has let go of the VMA" % (unlock, r[0].line)

// A write lock ends with that of the mmap lock.
@write_ended depends on vma_locked exists@
identifier callee;
identifier wlock : script:python() { write_locks(wlock) };
identifier rlock : script:python() { read_locks(rlock) };
identifier unlock : script:python() { ends_write(unlock) };
identifier lock : script:python() { locks_vma(lock) };
expression vma, e;
position q : script:python() { given_for_sure(q) };
bool chosen;
position r;
@@
 wlock(..., vma, ...)
 ... when != rlock(...)
     when != vma = e
     when any
 unlock@r(...)
 ... when != lock(...)
     when != vma = e
     when != chosen
     when any
 callee@q(..., vma, ...)

@script:python@
unlock << write_ended.unlock;
q << write_ended.q;
r << write_ended.r;
@@
CALLS[at(q)].wrong = "%s(), line %s, has ended the write lock" % (unlock, r[0].line)

@found depends on vma_locked exists@
identifier callee;
identifier find : script:python() { finds_vma(find) };
identifier lock : script:python() { locks_vma(lock) };
expression vma, e;
position q : script:python() { given_for_sure(q) };
bool chosen;
position r;
@@
 vma = find@r(...)
 ... when != lock(...)
     when != vma = e
     when != chosen
     when any
 callee@q(..., vma, ...)

@script:python@
find << found.find;
q << found.q;
r << found.r;
@@
CALLS[at(q)].wrong = "the VMA is from %s(), line %s" % (find, r[0].line)

@found_late depends on carried exists@
identifier callee, v;
identifier find : script:python() { finds_vma(find) };
identifier lock : script:python() { locks_vma(lock) };
expression vma, e;
position q : script:python() { judged(q) };
bool chosen;
position r;
@@
(
 v = <+... FW_VMA_LOCKED ...+>
|
 v |= <+... FW_VMA_LOCKED ...+>
)
 ... when != v = e
     when any
 vma = find@r(...)
 ... when != lock(...)
     when != vma = e
     when != v = e
     when != chosen
     when any
 callee@q(..., vma, ..., <+... v ...+>, ...)

@script:python@
find << found_late.find;
q << found_late.q;
r << found_late.r;
@@
CALLS[at(q)].wrong = "the VMA is from %s(), line %s" % (find, r[0].line)

@source depends on vma_locked exists@
identifier callee, origin;
struct vm_area_struct *vma;
expression e;
position q : script:python() { judged(q) };
@@
 \(vma = origin(...)\|origin(..., &vma, ...)\)
 ... when != vma = e
     when any
 callee@q(..., vma, ...)

@script:python@
origin << source.origin;
q << source.q;
@@
CALLS[at(q)].sources.add(origin)

@mmap_lock depends on vma_locked exists@
identifier callee;
identifier lock =~ "^mmap_(read|write)_(try)?lock";
identifier unlock =~ "^mmap_(read|write)_unlock";
position q : script:python() { judged(q) };
position r;
@@
 lock@r(...)
 ... when != unlock(...)
     when any
 callee@q(...)

@script:python@
lock << mmap_lock.lock;
q << mmap_lock.q;
r << mmap_lock.r;
@@
CALLS[at(q)].mmap = "only %s(), line %s" % (lock, r[0].line)

// ---- what was found

@script:python depends on walk || vma_locked || may_walk@
@@
judge_calls()
not_parsed(cocci.files()[0])

@script:python depends on report && (walk || vma_locked || may_walk)@
@@
for (where, text), p in sorted(FOUND.items(), key=lambda x: x[0]):
	coccilib.report.print_report(p, text)

@script:python depends on org && (walk || vma_locked || may_walk)@
@@
for (where, text), p in sorted(FOUND.items(), key=lambda x: x[0]):
	coccilib.org.print_todo(p, text)

@depends on context && (walk || vma_locked)@
position p : script:python() { pointed_at(p) };
expression e;
@@

* e@p

@depends on context && walk@
position p : script:python() { pointed_at(p) };
@@

* return@p ...;
