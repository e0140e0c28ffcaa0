# SPDX-License-Identifier: GPL-2.0
"""From a table to its walks: which walks a table reaches, through parameters,
members and callers in several files, and the mode on which all of them agree."""
import os
import re
import sys
from .source import (
    BUDGETS, CPP, DQ, Func, HA, IM, KEYWORDS, MAX_UP, NL, OLD_MODES,
    OPS_MEMBERS, RD, Source, TOKEN, TRANSPARENT, Table, VR, WALK, WR, WV, expr, idents,
    matching, split_top, strip_comments)
from .flow import (
    ALLOC, DROPPERS, ENTERS, FINDERS, GUARDS, HARMLESS, ITERS, Interp, LOCK, PRIMS, TooBig,
    RETRIES, UNLOCK, VMAR_GET, VMAW)

# ------------------------------------------------------------------ project

POINTER = re.compile(r'\(\s*\*\s*const\s+(\w+)\s*\)\s*\([^;{}=]*\)\s*=\s*&?\s*(\w+)\s*;')
ALIAS = re.compile(r'\b(\w+)\s*\([^;{}()]*\)[^;{}()]*(?:\(\s*\()?\s*(?:__)?alias(?:__)?\s*\(\s*' +
                   DQ + r'?(\w+)' + DQ + r'?\s*\)')


class Everything:
    def __contains__(self, _):
        return True


EVERYTHING = Everything()


def names_in(e, v=None, m=None):
    """Variables and members in an expression."""
    v, m = (set() if v is None else v), (set() if m is None else m)
    if isinstance(e, tuple) and e:
        if e[0] == 'id':
            v.add(e[1])
        elif e[0] == 'mem':
            m.add(e[3])
            names_in(e[2], v, m)
        elif e[0] == 'call':
            # what an unknown function returns is new, whatever it was given
            n = e[1][1] if e[1][0] == 'id' else ''
            if n in TRANSPARENT or n in ('IS_ERR', 'IS_ERR_OR_NULL', 'IS_ENABLED'):
                names_in(e[2], v, m)
            elif n in FINDERS or n in VMAR_GET or n in LOCK or n == 'vma_start_read':
                names_in(e[2][:1], v, m)
        elif e[0] in ('opaque', 'complit', 'init'):
            for t in e[2] if e[0] == 'complit' else e[1]:
                if isinstance(t, tuple):
                    v.add(t[0])
        else:
            for x in e[1:]:
                names_in(x, v, m)
    elif isinstance(e, list):
        for x in e:
            names_in(x, v, m)
    return v, m


def jumps(x):
    if not x:
        return False
    if x[0] in ('return', 'goto', 'break', 'continue'):
        return True
    return x[0] == 'block' and any(jumps(y) for y in x[1])


class Collect:
    """Assignments, calls and conditions of one function."""
    def __init__(self, p, f):
        self.p, self.f = p, f
        self.seed, self.members = set(), set()
        self.asgs, self.calls = [], []
        self.tested, self.consts = {}, set()
        self.locks = f in p.matters

    def need(self, e):
        v, m = names_in(e)
        self.seed |= v
        self.members |= m

    def test(self, e):
        """A condition that guards something: worth remembering when the same
        thing is tested twice, given by the caller or set to constants."""
        v, m = names_in(e)
        for x in v:
            self.tested[x] = self.tested.get(x, 0) + 1
        self.members |= m
        if m:
            self.seed |= v

    def finish(self):
        given = {k for k, e in self.asgs if k in self.tested and self.given(e)}
        for x, n in self.tested.items():
            if n > 1 or x in self.f.params or x in self.consts or x in given:
                self.seed.add(x)

    def given(self, e):
        """A value that was there before: a member or a parameter."""
        return bool(e) and (e[0] == 'mem' or e[0] == 'id' and e[1] in self.f.params)

    def result(self, e):
        """Does the value of e go with what locks are held?"""
        if isinstance(e, list):
            return any(self.result(x) for x in e)
        if not isinstance(e, tuple) or not e:
            return False
        if e[0] == 'call' and e[1][0] == 'id':
            name = e[1][1]
            if name in LOCK and LOCK[name][2] or name in VMAR_GET or name in (
                    'vma_start_read', 'vma_start_read_locked', 'vma_start_write_killable',
                    'vma_start_read_locked_nested') or name in ALLOC:
                return True
            g = self.p.lookup(name, self.f.src)
            if g is not None and (g in self.p.matters or self.p.relevant(g) and
                                  (g.pure() or g.names() & self.p.tabnames)):
                return True
        return any(self.result(x) for x in e[1:])

    def key(self, e):
        if e[0] == 'id':
            return e[1]
        if e[0] == 'mem':
            return '.' + e[3]
        if e[0] == 'un' or e[0] == 'idx':
            return self.key(e[2] if e[0] == 'un' else e[1])
        return '?'

    def const(self, key, e):
        while e and e[0] == 'un' and e[1] in '-!':
            e = e[2]
        if e and (e[0] == 'num' or e[0] == 'id' and
                  re.match(r'(true|false|NULL|_{0,2}[A-Z][A-Z0-9_]+)$', e[1])):
            self.consts.add(key)

    def expr(self, e):
        """-> does it call anything that matters?"""
        if not isinstance(e, (tuple, list)) or not e:
            return False
        if isinstance(e, list):
            return any([self.expr(x) for x in e])
        k, hit = e[0], False
        if k == 'call':
            for a in e[2]:
                hit = self.expr(a) or hit
            hit = self.expr(e[1]) or hit
            name = e[1][1] if e[1][0] == 'id' else None
            if name in WALK:
                i, o, kind = WALK[name]
                for j in (i, o):
                    if j is not None and j < len(e[2]):
                        self.need(e[2][j])
                return True
            if name in PRIMS or name in DROPPERS or name in GUARDS:
                for a in e[2][:1]:
                    self.need(a)
                return True
            if name in FINDERS or name in ALLOC or name in ('vma_iter_init', 'MA_STATE', 'VMA_ITERATOR'):
                self.calls.append((FINDER, e[2]))
                return hit
            if name in self.f.params:
                self.need([a for a in e[2] if a and a[0] == 'id'])
            g = self.p.lookup(name, self.f.src) if name else None
            if g is not None and self.p.relevant(g):
                self.calls.append((g, e[2]))
                return hit or not g.pure() or bool(g.names() & PRIMS)
            if self.p.macro(name, self.f.src) is not None:
                self.need(e[2])
                return True
            return hit
        if k == 'asg':
            hit = self.expr(e[3])
            self.expr(e[2])
            self.asgs.append((self.key(e[2]), e[3]))
            r = self.result(e[3])
            if r:
                self.seed.add(self.key(e[2]))
                self.seed |= names_in(e[2])[0]
            self.const(self.key(e[2]), e[3])
            if e[3] and e[3][0] == 'un' and e[3][1] == '&':
                self.seed |= names_in((e[2], e[3]))[0]
            v, _ = names_in(e[3])
            if v & self.p.tabnames or r and e[2][0] == 'mem':
                self.seed |= names_in(e[2])[0]
                self.members |= names_in(e[2])[1]
            return hit
        if k == 'complit' or k == 'opaque':
            return bool({t[0] for t in (e[2] if k == 'complit' else e[1])
                         if isinstance(t, tuple)} & PRIMS)
        if k == '?':
            a = self.expr(e[2])
            b = self.expr(e[3])
            c = self.expr(e[1])
            v, _ = names_in((e[2], e[3]))
            if v & self.p.tabnames or self.result((e[2], e[3])):
                self.need(e[1])
            elif a or b:
                self.test(e[1])
            return a or b or c
        if k == 'bin' and e[1] in ('&&', '||'):
            a, b = self.expr(e[2]), self.expr(e[3])
            if b:
                self.test(e[2])
            return a or b
        for x in e[1:]:
            if isinstance(x, (tuple, list)):
                hit = self.expr(x) or hit
        return hit

    def stmt(self, x):
        """-> does it hold anything that matters?"""
        if not x:
            return False
        k = x[0]
        if k == 'block':
            return any([self.stmt(y) for y in x[1]])
        if k == 'expr':
            return self.expr(x[1])
        if k == 'decl':
            hit = False
            for name, npos, init, ptr, ops in x[1]:
                if ops:
                    self.seed.add(name)
                if init is None:
                    continue
                if init[0] == 'init':
                    toks = init[1]
                    for p in split_top(toks[1:matching(toks, 0)]):
                        if len(p) > 2 and p[0][0] == '.' and p[2][0] == '=':
                            e = expr(p[3:])
                            hit = self.expr(e) or hit
                            self.asgs.append(('.' + p[1][0], e))
                    continue
                h = self.expr(init)
                self.asgs.append((name, init))
                self.const(name, init)
                if init[0] == 'un' and init[1] == '&':
                    self.seed |= {name} | names_in(init)[0]
                if self.result(init) or names_in(init)[0] & self.p.tabnames:
                    self.seed.add(name)
                hit = hit or h
            return hit
        if k == 'if':
            c = self.expr(x[1])
            a, b = self.stmt(x[2]), self.stmt(x[3])
            if a or b:
                self.test(x[1])
            elif jumps(x[2]) or jumps(x[3]):
                self.seed |= {n for n in names_in(x[1])[0] if n in self.f.params}
            return a or b or c
        if k in ('while', 'do'):
            c = self.expr(x[1])
            s = self.expr(x[3])
            b = self.stmt(x[2])
            if b:
                self.test(x[1])
            return b or c or s
        if k == 'switch':
            c, b = self.expr(x[1]), self.stmt(x[2])
            if b:
                self.test(x[1])
            return b or c
        if k == 'each':
            b = self.stmt(x[3])
            if x[1] in ITERS or b:
                for a in x[2][:2]:
                    self.need(expr(a))
            return b
        if k in ('scoped_guard', 'scoped_cond_guard'):
            for a in x[1][1:]:
                self.need(expr(a))
            self.stmt(x[2])
            return True
        if k == 'guard':
            self.need(x[2])
            return True
        if k == 'return':
            if self.locks or self.f.gives_vma() or names_in(x[1])[0] & self.p.tabnames:
                self.need(x[1])
            return self.expr(x[1])
        return False


class FinderFunc:
    params = ['mm', 'b', 'c']


FINDER = FinderFunc()

NOVMA = 'walk_page_range_novma'     # its mm is not known by its name
LOCKS_MM = re.compile(r'\bmmap_\w*lock')
LOCKS_INIT = re.compile(r'\bmmap_\w*lock\w*\s*\)?\s*\(\s*&\s*init_mm\b|\binit_mm\s*\.\s*mmap_lock')
# they take no lock of an mm, whatever the tree
COMMON = re.compile(r'(?:raw_)?(?:mutex|spin|read|write|rcu|srcu|local|percpu|cpus_read|memory_notifier)_'
                    r'\w*(?:lock|unlock)\w*$|__builtin_\w+$|trace_\w+$|lockdep_\w+$|might_\w+$|'
                    r'mem(?:cpy|set|move|cmp)$|str\w*cmp$|cond_resched$|va_(?:start|end)$')
# classes of guard() and CLASS()
PLAIN_GUARD = re.compile(r'(?:mutex|raw_spin|spin|read|write|rcu|srcu|irq|preempt|cpus_read|migrate|device|'
                         r'percpu|local_lock|sched|task|fd|kfree)\w*$')
MAX_DEFS = 40   # more files than that define a function: it is not known
FEW = 8         # functions of other files, beyond those that have to be looked at


def by_caller(root, w):
    """Is the mm of this walk what the function is given?"""
    m = re.match(r'\W*(\w+)%0\b', w.mm or '')
    return bool(m) and m.group(1) in root.params and not w.mm.endswith('->vm_mm')


def other_mm(p, m):
    """Is it an mm that cannot be init_mm?"""
    var = re.match(r'&([A-Za-z_]\w*)(\$\d+)?$', m)
    if var:
        return var.group(1) != 'init_mm' and not any('init_mm' in b for b in p.bodies(var.group(1)))
    return m == 'current->mm' or m.endswith('->vm_mm')


def how(lock):
    """How a lock came to be held, in words."""
    return {'took': 'taken'}.get(lock[2], lock[2])


# Sources that were read beforehand. A project changes them: no process may
# take one of them into two projects.
SOURCES = {}


def read_source(path):
    try:
        with open(path, encoding='utf-8', errors='surrogateescape', newline='') as f:
            text = f.read()
    except OSError:
        return None
    return Source(path, text.replace('\r', ' '))


class Project:
    """The files of one group, their tables, and the answers."""

    def __init__(self, paths, complete=None, modes=None, callees=None):
        self.srcs, self.tables, self.lv, self.eqs = [], [], {}, {}
        self.arrays, self.scalars, self.copied = set(), set(), {}
        self.labels, self.bydecl, self.allocs = {}, {}, {}
        self.complits, self.redefined, self._rel = {}, set(), None
        self.complete_names = complete or set()
        self.callees = callees or {}  # the files in which a function is defined
        self._others = {}
        self.wanted = set()           # names whose other files would help
        self._flag, self._runs, self._byroot, self._heavy = {}, {}, {}, set()
        self.touch = False      # do the contradictions count?
        self.brief = False      # would an answer from less than all paths be of no use?
        self._first, self._structs, self._inert = {}, {}, {}
        self._selects, self._writes, self._reads, self._configs = {}, {}, {}, None
        self._drops, self._locks = None, {}
        self._made, self._callbacks, self._vmaloops = {}, {}, {}
        self._aliases = 0
        self.tabnames = set()
        self.expanded, self._macros, self._live = {}, {}, None
        self.livemem = {'walk_lock', 'mmap_lock', 'i_mmap_rwsem', 'ops'}
        for p in paths:
            self.add(p)
        self.allfuncs = {}
        self.index()
        self.modes = modes or self.vocabulary(paths)

    def add(self, path):
        s = SOURCES.get(path) or read_source(path)
        if s is None:
            return
        s.idx = len(self.srcs)
        s.tabs, s.tabbase = [], set()
        self.srcs.append(s)

    def vocabulary(self, paths):
        for s in self.srcs:
            m = enum_modes(s.text)
            if m:
                return m
        return OLD_MODES

    def index(self):
        for s in self.srcs:
            for f in s.funcs:
                self.allfuncs.setdefault(f.name, []).append(f)
            self.protocols(s)
        self.resolve()
        self.members = {}
        names = {'struct mm_walk_ops'}
        for s in self.srcs:
            for m in re.finditer(r'typedef\s+(?:const\s+)?struct\s+mm_walk_ops\s+(\w+)\s*;', s.text):
                names.add(m.group(1))
        self.typere = re.compile(r'\b(?:struct\s+mm_walk_ops|%s)\b' %
                                 '|'.join(sorted(n for n in names if ' ' not in n) or ['mm_walk_ops_none_t']))
        self.opsm = OPS_MEMBERS
        for s in self.srcs:
            m = re.search(r'struct\s+mm_walk_ops\s*\{(.*?)\n\s*\}\s*;', s.text, re.S)
            if m:
                mem = re.findall(r'\(\s*\*\s*(\w+)\s*\)\s*\(|enum\s+\w+\s+(\w+)\s*;', m.group(1))
                mem = [a or b for a, b in mem]
                if mem:
                    self.opsm = mem
        for s in self.srcs:
            self.find_tables(s)
        for s in self.srcs:
            self.find_members(s)
        for s in self.srcs:
            self.find_filled(s)
        for s in self.srcs:
            self.find_macros(s)
        self.tabnames = {t.name.split('[')[0].split('.')[0] for t in self.tables}
        for t in self.tables:
            t.src.tabs.append(t)
            if t.func and t.mode and t.kind == 'plain' and re.search(
                    r'\bmemset\s*\(\s*&\s*%s\b' % re.escape(t.name),
                    t.src.text[t.func.start:t.func.end]):
                t.mode, t.empty, t.init = None, True, None

    def resolve(self):
        """Other names of a function, as far as each stands for one: a macro, a
        pointer that is constant, an alias."""
        known, every = PRIMS | DROPPERS | set(self.allfuncs), {}
        for s in self.srcs:
            s.aliases = {}
            for name, bodies in s.bodies.items():
                if s.macros[name][0] is None or len(bodies) > 1:
                    for b in bodies:
                        self.alias(s, name, b.strip().strip('()').strip())
            # most files have none of the second: looking for it takes long
            for rx in (POINTER, ALIAS) if re.search(r'alias(?:__)?\s*\(', s.text) else (POINTER,):
                for m in rx.finditer(s.text):
                    self.alias(s, m.group(1), m.group(2))
            if s.path.endswith('.h'):
                for name, to in s.aliases.items():
                    every.setdefault(name, set()).update(to)
        for s in self.srcs:
            both = {**every, **s.aliases}
            s.unclear = {n for n, to in both.items() if (len(to) > 1 or len(s.bodies.get(n, ())) > 1) and to & known}
            one = {n: min(to) for n, to in both.items()
                   if len(to) == 1 and n not in known and n not in s.unclear}
            for _ in range(4):
                one = {n: one.get(to, to) for n, to in one.items()}
            one = {n: to for n, to in one.items() if to in known}
            for f in s.funcs if one else ():
                if f.names() & one.keys():
                    f.toks = [(one.get(t, t), p) if i and f.toks[i - 1][0] not in ('.', '->') else (t, p)
                              for i, (t, p) in enumerate(f.toks)]
                    f._names = f._called = None

    def alias(self, s, name, to):
        if to != name and re.match(r'[A-Za-z_]\w*$', to):
            s.aliases.setdefault(name, set()).add(to)

    def protocols(self, s):
        """Callbacks whose caller is known: seq_file runs .show only between
        .start and .stop."""
        s.synth = []
        for m in re.finditer(r'\bstruct\s+seq_operations\s+\w+\s*=\s*\{', s.text):
            end = matching_text(s.text, m.end() - 1)
            d = dict(re.findall(r'\.\s*(\w+)\s*=\s*&?\s*(\w+)', s.text[m.end():end]))
            if not {'start', 'next', 'stop', 'show'} <= set(d):
                continue
            text = ('void *v = %(start)s(m, ppos); while (v && !IS_ERR(v)) {'
                    ' %(show)s(m, v); v = %(next)s(m, v, ppos); } %(stop)s(m, v);' % d)
            f = Func(s, 'seq_file', ['m', 'ppos'], True,
                     [(w, m.start() + i) for i, w in enumerate(TOKEN.findall(text))],
                     m.start(), -1, -1)
            s.synth.append((m.end(), end, f))

    # -- tables ---------------------------------------------------------
    def enclosing(self, s, pos):
        """Position of the brace around pos, or None at file scope."""
        depth, i = 0, pos
        for m in reversed(list(re.finditer('[{}]', s.text[:pos]))):
            if m.group(0) == '}':
                depth += 1
            elif depth:
                depth -= 1
            else:
                return m.start()
        return None

    def new(self, s, name, pos, func, lv, suffix=''):
        t = Table(s, name, pos, func, lv)
        t.tid, t.suffix = len(self.tables), suffix
        self.tables.append(t)
        if func is None:
            self.lv.setdefault(lv, set()).add(t.tid)
            s.tabbase.add(re.split(r'[$\[.]', lv)[0])
        return t

    def find_tables(self, s):
        for m in self.typere.finditer(s.text):
            toks = s.tokens(m.end(), min(len(s.text), m.end() + 40000))
            if not toks:
                continue
            if toks[0][0] == ')':
                if len(toks) > 1 and toks[1][0] == '{':
                    self.literal(s, m, toks)
                elif 'sizeof' in s.text[max(0, m.start() - 30):m.start()]:
                    pass
                continue
            i = 0
            while i < len(toks) and toks[i][0] in ('const', 'volatile', '__ro_after_init',
                                                     '__read_mostly', 'static', '__initconst',
                                                     '__initdata', '__maybe_unused'):
                i += 1
            if i >= len(toks) or toks[i][0] in ('{', ';', ','):
                continue
            if self.typedef_or_extern(s, m.start(), toks):
                continue
            enc = self.enclosing(s, m.start())
            if enc is not None:
                before = s.text[max(0, enc - 200):enc]
                if re.search(r'\b(struct|union)(\s+\w+)*\s*$', before):
                    tag = re.search(r'\b(?:struct|union)((?:\s+\w+)*)\s*$', before).group(1).split()
                    self.member(s, toks[i:], tag[-1] if tag else None, enc)
                    continue
            self.declarators(s, toks[i:], m.start())

    def typedef_or_extern(self, s, pos, toks):
        head = re.split(r'[;{}]', s.text[max(0, pos - 200):pos])[-1]
        if re.search(r'\btypedef\b', head):
            return True
        if re.search(r'\bextern\b', head):
            for t, _ in toks:
                if t == ';':
                    return True
                if t == '=':
                    return False
        if head.count('(') > head.count(')'):
            return True
        return False

    def declarators(self, s, toks, start):
        n, i = len(toks), 0
        func = s.func_at(toks[0][1])
        head = re.split(r'[;{}]', s.text[max(0, start - 200):start])[-1]
        while i < n:
            ptr = False
            while i < n and toks[i][0] in ('*', 'const', '__restrict'):
                ptr = ptr or toks[i][0] == '*'
                i += 1
            while i < n and toks[i][0].startswith('__') and i + 1 < n and \
                    (toks[i + 1][0][0].isalpha() or toks[i + 1][0][0] in '_*'):
                i += 1
                while i < n and toks[i][0] in ('*', 'const', '__restrict'):
                    ptr = ptr or toks[i][0] == '*'
                    i += 1
            if i >= n or not (toks[i][0][0].isalpha() or toks[i][0][0] == '_'):
                return
            name, pos = toks[i]
            j = i + 1
            if j < n and toks[j][0] == '(':
                return
            dims, eq = [], None
            while j < n and toks[j][0] not in (',', ';', '=', ')', '{', '}'):
                if toks[j][0] == '[':
                    e = matching(toks, j)
                    dims.append(toks[j + 1:e])
                    j = e
                elif toks[j][0] == '(':
                    j = matching(toks, j)
                j += 1
            if j >= n or toks[j][0] in (')', '{', '}'):
                return
            init = []
            if toks[j][0] == '=':
                k, depth = j + 1, 0
                while k < n and not (depth == 0 and toks[k][0] in ',;'):
                    if toks[k][0] in '([{':
                        depth += 1
                    elif toks[k][0] in ')]}':
                        depth -= 1
                    k += 1
                init, j = toks[j + 1:k], k
            if ptr:
                if func is not None and not dims:
                    self.pointer(s, name, pos, func)
            else:
                self.declared(s, name, pos, func, dims, init, head)
            if j >= n or toks[j][0] != ',':
                return
            i = j + 1

    def declared(self, s, name, pos, func, dims, init, head):
        lv = '%s$%d' % (name, s.idx) if func is None else name
        made = []
        if func is None and not init and not dims:
            # a forward declaration of a table defined in the same file
            for m in re.finditer(r'\b%s\b\s*[^;,(){}=]*=' % re.escape(name), s.text):
                if m.start() != pos and s.func_at(m.start()) is None and \
                   self.enclosing(s, m.start()) is None:
                    return
        if dims and init and init[0][0] == '{':
            idx = 0
            for p in split_top(init[1:matching(init, 0)]):
                if not p:
                    continue
                tag = str(idx)
                if p[0][0] == '[':
                    e = matching(p, 0)
                    tag = ''.join(x[0] for x in p[1:e])
                    if tag.isdigit():
                        idx = int(tag)
                    if e + 1 < len(p) and p[e + 1][0] == '=':
                        p = p[e + 2:]
                idx += 1
                if not p or p[0][0] != '{':
                    if p:
                        t = self.new(s, '%s[%s]' % (name, tag), p[0][1], func, '%s[%s]' % (lv, tag), '[%s]' % tag)
                        t.kind, t.array = 'element', True
                        self.initial(t, p)
                        made.append(t)
                    continue
                t = self.new(s, '%s[%s]' % (name, tag), p[0][1], func,
                             '%s[%s]' % (lv, tag), '[%s]' % tag)
                t.kind, t.array = 'element', True
                self.initial(t, p)
                made.append(t)
            if func is None:
                self.arrays.add(lv)
                self.lv[lv + '[*]'] = {t.tid for t in made}
        else:
            t = self.new(s, name, pos, func, lv + ('[*]' if dims else ''),
                         '[*]' if dims else '')
            t.array = bool(dims)
            if dims and func is None:
                self.arrays.add(lv)
            self.initial(t, init)
            made.append(t)
        for t in made:
            t.static = 'static' in head.split()
            t.const = 'const' in head.split()
        if func is not None:
            self.bydecl[(s.idx, pos)] = made

    def initial(self, t, init):
        """What an initialiser says of the mode."""
        if not init:
            return
        if init[0][0] != '{':
            ids = {x[0] for x in init}
            for s in self.srcs:
                for i in ids & set(s.macros):
                    if 'walk_lock' in s.macros[i][1] or 'PGWALK_' in s.macros[i][1]:
                        t.mode = mode_text(s.macros[i][1])
                    elif '{' in s.macros[i][1]:
                        t.empty = False
            if t.mode is None:
                if init[0][0] == '(' and 'mm_walk_ops' in [x[0] for x in init[:4]]:
                    b = next((k for k, x in enumerate(init) if x[0] == '{'), None)
                    if b is not None:
                        t.viacast = True
                        self.initial(t, init[b:])
                        return
                t.copy = init
            return
        end = matching(init, 0)
        t.init = (init[0][1], init[end][1])
        for h in re.findall(r'\binclude\s*' + DQ + '([^' + DQ + ']+)' + DQ,
                            t.src.nocom[t.init[0]:t.init[1]]):
            t.included = h
            try:
                with open(os.path.join(os.path.dirname(t.src.path), h), errors='replace') as f:
                    if re.search(r'[.]\s*walk_lock\b', strip_comments(f.read())):
                        t.mode = 'included'
            except OSError:
                pass
        idx, walk = 0, self.opsm.index('walk_lock') if 'walk_lock' in self.opsm else 99
        for p in split_top(init[1:end]):
            if not p:
                continue
            if p[0][0] == '.' and len(p) > 2:
                m = p[1][0] if p[1][0] in self.opsm else self.renamed(p[1][0])
                idx = self.opsm.index(m) if m in self.opsm else idx
                if m == 'walk_lock':
                    t.mode = ' '.join(x[0] for x in p[3:])
            elif len(p) > 1 and p[1][0] == ':' and p[0][0] in self.opsm:
                idx = self.opsm.index(p[0][0])
                if p[0][0] == 'walk_lock':
                    t.mode = ' '.join(x[0] for x in p[2:])
            else:
                self.unfold(t, p, ())
                if idx == walk and not t.mode:
                    t.mode = ' '.join(x[0] for x in p)
                if len(p) == 1 and p[0][0] == '0' and idx == 0 and len(init) <= 4:
                    continue
            t.empty = False
            idx += 1

    def bodies(self, name):
        """What a macro stands for: one text for each definition of it."""
        return [b.replace('\\\n', ' ') for s in self.srcs for b in s.bodies.get(name, ())]

    def renamed(self, name):
        """The member that a macro names."""
        for body in self.bodies(name):
            if body.strip() in self.opsm:
                return body.strip()
        return name

    def unfold(self, t, p, within):
        """A piece of an initialiser that names no member: does a macro in it state
        the mode, or may it, because it is defined elsewhere?"""
        if p[0][0] == '.' and len(p) > 2:
            if HA + HA in (p[1][0], p[2][0]):
                t.unseen = within[-1]
            elif 'walk_lock' in (p[1][0], self.renamed(p[1][0])):
                t.mode = mode_text('walk_lock = ' + ' '.join(x[0] for x in p[3:]))
            return
        x, rest = p[0][0], p[1:]
        if x == 'walk_lock' and rest and rest[0][0] == ':':
            t.mode = mode_text('walk_lock = ' + ' '.join(y[0] for y in rest[1:]))
        if not (x[0].isalpha() or x[0] == '_') or x in within or x in KEYWORDS:
            return
        if rest and rest[0][0] == '(':
            end = matching(rest, 0)
            for q in split_top(rest[1:end]):
                if q and q[0][0] == '.':
                    self.unfold(t, q, within + (x,))
            rest = rest[end + 1:]
        if not self.bodies(x):
            # neither a function nor a value stands before "(" or "." there
            if len(p) > 1 and p[1][0] in '(.' and x != 'IS_ENABLED' or \
                    x.isupper() and x not in ('NULL', '__VA_ARGS__'):
                t.unseen = x
        for body in self.bodies(x):
            for q in split_top([(m.group(0), 0) for m in TOKEN.finditer(body)]):
                if q:
                    self.unfold(t, q, within + (x,))
        if rest and rest[0][0] == '.':
            self.unfold(t, rest, within + (x,))

    def literal(self, s, m, toks):
        e = matching(toks, 1)
        enc = s.func_at(m.start())
        # an initialiser of a declared table is that table, not another
        before = s.text[max(0, m.start() - 300):m.start()]
        if re.search(r'(?:struct\s+mm_walk_ops)\s+\w+[^;{}=]*=\s*\(\s*(?:const\s+)?$', before):
            return
        t = self.new(s, '(compound literal)', m.start(), enc, 'lit$%d.%d' % (s.idx, toks[1][1]))
        t.kind = 'literal'
        self.lv[t.lv] = {t.tid}
        self.initial(t, toks[1:e + 1])
        self.complits[(s.idx, toks[1][1])] = t

    def complit(self, s, pos):
        return self.complits.get((s.idx, pos))

    def pointer(self, s, name, pos, func):
        for m in re.finditer(r'\b%s\s*=\s*(?:\([^()]*\)\s*)?(\w+)\s*(\()' % re.escape(name),
                             s.text[func.start:func.end]):
            if m.group(1) in ALLOC:
                t = self.new(s, name, pos, func, 'heap')
                t.kind = 'alloc'
                self.allocs[(s.idx, func.start + m.start(2))] = t
                if m.group(1) in ('kmemdup',):
                    t.copy = [('x', 0)]

    def alloc(self, func, pos):
        return self.allocs.get((func.src.idx, pos))

    def member(self, s, toks, tag, enc):
        if toks[0][0] == '*':
            return
        name = toks[0][0]
        arr = len(toks) > 1 and toks[1][0] == '['
        end = matching_text(s.text, enc)
        if tag is None:
            # a member of an unnamed struct or union within another
            outer = self.enclosing(s, enc)
            if outer is not None:
                b = re.search(r'\b(?:struct|union)((?:\s+\w+)*)\s*$', s.text[max(0, outer - 200):outer])
                m = re.match(r'\s*(\w*)\s*;', s.text[end + 1:])
                if b and m:
                    path = (m.group(1) + '.' if m.group(1) else '') + name
                    w = b.group(1).split()
                    tag, enc, name = (w[-1] if w else None), outer, path
                    end = matching_text(s.text, enc)
        self.members.setdefault(tag or '?%d.%d' % (s.idx, enc), []).append((name, arr))
        # variables declared with the definition
        self.vars_after(s, end + 1, tag or '?%d.%d' % (s.idx, enc), [(name, arr)], enc)

    def vars_after(self, s, pos, tag, mems, enc):
        head = re.split(r'[;{}]', s.text[max(0, enc - 200):enc])[-1]
        if 'typedef' in head.split():
            m = re.match(r'\s*(\w+)\s*;', s.text[pos:])
            if m:
                self.members.setdefault(m.group(1), []).extend(mems)
            return
        toks = s.tokens(pos, min(len(s.text), pos + 20000))
        self.structvars(s, toks, mems, head)

    def structvars(self, s, toks, mems, head):
        n, i = len(toks), 0
        while i < n:
            if toks[i][0] == '*':
                return
            while i + 1 < n and toks[i][0].startswith('__') and toks[i + 1][0] not in '(':
                i += 1
            if not (toks[i][0][0].isalpha() or toks[i][0][0] == '_'):
                return
            name, pos = toks[i]
            func = s.func_at(pos)
            j = i + 1
            if j < n and toks[j][0] == '(':
                return
            while j < n and toks[j][0] not in (',', ';', '=', ')', '{', '}'):
                if toks[j][0] in '([':
                    j = matching(toks, j)
                j += 1
            if j >= n or toks[j][0] in (')', '{', '}'):
                return
            init = []
            if toks[j][0] == '=':
                k, depth = j + 1, 0
                while k < n and not (depth == 0 and toks[k][0] in ',;'):
                    depth += (toks[k][0] in '([{') - (toks[k][0] in ')]}')
                    k += 1
                init, j = toks[j + 1:k], k
            if 'extern' not in head.split():
                made = []
                elems = []
                if init and init[0][0] == '{' and i + 1 < n and toks[i + 1][0] == '[':
                    elems = [p for p in split_top(init[1:matching(init, 0)]) if p]
                for k, p in enumerate(elems):
                    if p[0][0] == '[':
                        p = p[matching(p, 0) + 2:]
                    for mname, arr in mems:
                        lv = '%s$%d' % (name, s.idx) if func is None else name
                        suf = '[%d].%s' % (k, mname)
                        t = self.new(s, name + suf, p[0][1] if p else pos, func, lv + suf, suf)
                        t.kind, t.static, t.const = 'member', 'static' in head, 'const' in head
                        if p and p[0][0] == '{':
                            self.member_init(t, p, mname)
                        made.append(t)
                        if func is None:
                            self.arrays.add(lv)
                            self.lv.setdefault(lv + '[*].' + mname, set()).add(t.tid)
                for mname, arr in mems if not elems else ():
                    lv = ('%s$%d' % (name, s.idx) if func is None else name) + '.' + mname
                    t = self.new(s, name + '.' + mname, pos, func, lv, '.' + mname)
                    t.kind, t.static, t.const = 'member', 'static' in head, 'const' in head
                    if init and init[0][0] == '{':
                        self.member_init(t, init, mname)
                    elif init:
                        t.copy = init
                    made.append(t)
                if func is not None:
                    self.bydecl[(s.idx, pos)] = self.bydecl.get((s.idx, pos), []) + made
            if j >= n or toks[j][0] != ',':
                return
            i = j + 1

    def member_init(self, t, init, mname):
        last = mname.split('.')[-1]
        for i in range(len(init) - 3):
            if init[i][0] == '.' and init[i + 1][0] == last and init[i + 2][0] == '=' \
               and init[i + 3][0] == '{':
                t.pos = init[i + 1][1]
                self.initial(t, init[i + 3:matching(init, i + 3) + 1])
                return
        for p in split_top(init[1:matching(init, 0)]):
            if len(p) > 2 and p[0][0] == '.' and p[1][0] == mname:
                if p[2][0] == '=':
                    t.pos = p[1][1]
                    self.initial(t, p[3:])
                elif p[2][0] == '.':
                    t.empty = False
                    if p[3][0] == 'walk_lock':
                        t.mode = ' '.join(x[0] for x in p[5:])
            elif p and p[0][0] == '{' and t.init is None:
                ids = {x[0] for x in p}
                if ids & set(self.opsm):
                    t.pos = p[0][1]
                    self.initial(t, p)

    def find_members(self, s):
        if not self.members:
            return
        tags = [t for t in self.members if t[0] != '?']
        if not tags:
            return
        for m in re.finditer(r'\b(?:struct\s+)?(%s)\b' % '|'.join(map(re.escape, tags)), s.text):
            toks = s.tokens(m.end(), min(len(s.text), m.end() + 20000))
            if not toks or not (toks[0][0][0].isalpha() or toks[0][0][0] == '_') or toks[0][0] in KEYWORDS:
                continue
            head = re.split(r'[;{}]', s.text[max(0, m.start() - 200):m.start()])[-1]
            if head.count('(') > head.count(')'):
                continue
            enc = self.enclosing(s, m.start())
            if enc is not None and re.search(r'\b(struct|union)(\s+\w+)*\s*$', s.text[max(0, enc - 200):enc]):
                continue
            self.structvars(s, toks, self.members[m.group(1)], head)

    def find_filled(self, s):
        """Tables in structures that are reached through a pointer: found where
        their first member is set."""
        for tag, mems in self.members.items():
            for name, arr in mems if tag[0] != '?' and tag in s.text else ():
                path = r'\s*\.\s*'.join(map(re.escape, name.split('.'))) + (r'\s*\[[^];]*\]' if arr else '')
                if any(re.search(r'->\s*%s\s*\.\s*walk_lock\s*=[^=]' % path, q.text) for q in self.srcs):
                    continue
                seen = set()
                for m in re.finditer(r'(\w+)\s*->\s*%s\s*\.\s*(\w+)\s*=[^=]' % path, s.text):
                    f = s.func_at(m.start())
                    if f is None or m.group(2) not in self.opsm or (f, m.group(1)) in seen or not re.search(
                            r'\b%s\s*\*\s*(?:const\s+)?%s\b' % (tag, m.group(1)), s.text[f.pos:f.end]) or \
                       re.search(r'\b%s\s*->\s*%s\s*=[^=]' % (m.group(1), path), s.text[f.pos:f.end]):
                        continue
                    seen.add((f, m.group(1)))
                    t = self.new(s, '%s->%s' % (m.group(1), name), m.start(), f, 'to$%d.%d' % (s.idx, m.start()))
                    t.kind, t.empty = 'pointer', False

    def find_macros(self, s):
        for src in self.srcs:
            for name, (params, body, mpos) in src.macros.items():
                m = re.search(r'struct\s+mm_walk_ops\s+([\w%s][\w%s\s]*?)\s*(?:\[\s*\])?\s*=' % (HA, HA), body)
                if not m or params is None:
                    continue
                ps = [p.strip() for p in params.strip('()').split(',')]
                for u in re.finditer(r'\b%s\s*\(([^()]*)\)' % re.escape(name), s.text):
                    args = [a.strip() for a in u.group(1).split(',')]
                    d = dict(zip(ps, args))
                    n = ''.join(d.get(w.strip(), w.strip()) for w in re.split(HA + HA + r'|\s+', m.group(1)))
                    func = s.func_at(u.start())
                    t = self.new(s, n, u.start(), func, '%s$%d' % (n, s.idx) if func is None else n)
                    t.kind = 'macro'
                    t.static = t.const = True
                    t.empty = False
                    if re.search(r'\bwalk_lock\b', body[m.end():]):
                        t.mode = mode_text(body)
                        q = re.search(r'\.\s*walk_lock\s*=\s*(\w+)', body)
                        if q and q.group(1) in d:
                            t.mode = d[q.group(1)]

    # -- functions ------------------------------------------------------
    def variants(self, f, src):
        """The definitions that a call may mean: one for each configuration."""
        same = [g for g in self.allfuncs.get(f.name, ()) if g is f or g.src is f.src or
                not g.static and not f.static]
        base = PRIMS | self.tabnames | {'walk_lock'}
        if len(same) < 2 or not any(g.names() & base or self.relevant(g) and not g.pure()
                                    for g in same):
            return [f]
        return same

    def config(self, f):
        """The #if branches that a function stands in -> [(condition, holds)]"""
        out = []
        for (a, e, word), branches in f.src.groups:
            for k, (x, y) in enumerate(branches):
                if x <= f.pos < y:
                    out.append((' '.join(word.split()), k == 0))
        return out

    def lookup(self, name, src):
        if name in src.byname:
            return src.byname[name]
        for f in self.allfuncs.get(name, ()):
            if not f.static or f.src.path.endswith('.h'):
                return f
        return None

    # -- what is worth remembering --------------------------------------
    def live(self, f):
        """Names in f whose values bear on locks, walks or tables. All else
        is forgotten, so that paths that differ only in it become one."""
        if self._live is None:
            self.liveness()
        return self._live.get(f, EVERYTHING)

    def liveness(self):
        self._live, facts = {}, {}
        self.relevant(self.srcs[0].funcs[0]) if self.srcs and self.srcs[0].funcs else None
        todo = self.near([f for s in self.srcs for f in s.funcs + [q[2] for q in s.synth] if self.relevant(f)])
        self.livemem = {'walk_lock', 'mmap_lock', 'i_mmap_rwsem', 'ops'}
        # functions whose callers hold other locks after one return than after
        # another: what such a function returns says which
        self.matters, self._live = set(), None
        got = {}
        for n in range(3):
            more = set()
            for f in todo:
                if f in self.matters or not f.names() & (
                        set(LOCK) | VMAR_GET | {'vma_start_read', 'vma_start_read_locked'} |
                        {g.name for g in self.matters}):
                    continue
                it = Interp(self, set())
                it.only, it.budget = self.matters, 3000
                self._live = {}
                try:
                    ends = {frozenset((k, v[0]) for k, v in s.l.items() if v[2] != 'asserts')
                            for s, _ in it.run(f)}
                except (TooBig, RecursionError):
                    ends = set() if f.names() & set(UNLOCK) else {1, 2}
                if len(ends) > 1 or n == 0 and any(v in 'RWr' for e in ends if e != 1 and e != 2 for _, v in e):
                    more.add(f)
            if not more:
                break
            self.matters |= more
        self._live = {}
        for f in todo:
            if f.pure() and not f.names() & PRIMS:
                self._live[f] = EVERYTHING
                continue
            c = Collect(self, f)
            c.stmt(f.ast())
            c.seed |= f.calls_param()
            c.finish()
            facts[f] = c
            self._live[f] = set(c.seed)
            self.livemem |= c.members
        changed = True
        while changed:
            changed = False
            for f, c in facts.items():
                live = self._live[f]
                n = len(live) + len(self.livemem)
                for key, rhs in c.asgs:
                    if key in live or key[0] == '.' and key[1:] in self.livemem:
                        self.add_live(rhs, live)
                for g, args in c.calls:
                    gl = ('mm', 'b') if g is FINDER else self._live.get(g, EVERYTHING)
                    for i, a in enumerate(args):
                        if i < len(g.params) and g.params[i] in gl:
                            self.add_live(a, live)
                changed = changed or len(live) + len(self.livemem) != n

    def near(self, funcs):
        """Functions that may lead to a walk, and what those call."""
        up = {f for f in funcs if f.names() & (ENTERS | self.tabnames)}
        grown = True
        while grown:
            names = {f.name for f in up}
            more = {f for f in funcs if f not in up and f.names() & names}
            up |= more
            grown = bool(more)
        grown = True
        while grown:
            names = {n for f in up for n in f.names()}
            more = {f for f in funcs if f not in up and f.name in names}
            up |= more
            grown = bool(more)
        return [f for f in funcs if f in up]

    def add_live(self, e, live):
        v, m = names_in(e)
        live |= v
        self.livemem |= m

    def macro(self, name, src):
        """A macro with arguments that locks, unlocks or walks."""
        key = (name, src.idx)
        if key not in self._macros:
            m = None
            for s in [src] + self.srcs:
                if name in s.macros and s.macros[name][0] is not None:
                    m = s.macros[name]
                    break
            if m is not None:
                words = set(re.findall(r'\w+', m[1]))
                if not words & (PRIMS | DROPPERS | {f.name for q in self.srcs for f in q.funcs
                                                    if f.names() & PRIMS}) \
                   or name in LOCK or name in UNLOCK or name in ITERS or name in WALK:
                    m = None
            self._macros[key] = m
        return self._macros[key]

    def touches(self, name, src):
        """Does this, if it is called, lock, unlock or walk?"""
        f = self.lookup(name, src)
        return self.macro(name, src) is not None or f is not None and bool(
            self.relevant(f) and not f.pure() or self.drops(f))

    def made(self, name, src):
        """May a macro at file scope have made a function of this name, or does it
        stand for one of several?"""
        key = (name, src.idx)
        if key not in self._made:
            self._made[key] = name in src.unclear or any(
                self.pieces(name, src, n, m) for s in self.srcs for n, m in s.macros.items()
                if m[0] is not None and '{' in m[1] and n in src.text)
        return self._made[key]

    def pieces(self, name, src, macro, m):
        for u in re.findall(r'^[ \t]*(?:static[ \t]+)?%s\s*\(([^()]*)\)' % re.escape(macro), src.text, re.M):
            given = dict(zip(re.findall(r'\w+', m[0]), [x.strip() for x in u.split(',')]))
            for w in re.findall(r'\w+(?:\s*%s\s*\w+)*' % (HA * 2), m[1].replace('\\\n', ' ')):
                parts = re.findall(r'\w+', w)
                if any(x in given for x in parts) and ''.join(given.get(x, x) for x in parts) == name:
                    return True
        return False

    def callbacks(self, tids):
        """The functions that a walk with one of these tables calls."""
        out = []
        for i in sorted(tids):
            if i not in self._callbacks:
                t = self.tables[i]
                self._callbacks[i] = [g for g in (self.lookup(n, t.src) for n, _ in t.src.tokens(*t.init))
                                      if g is not None] if t.init else []
            out += self._callbacks[i]
        return out

    def retries(self, f):
        """May handle_mm_fault() as f calls it release the mmap lock?"""
        return bool(f.names() & RETRIES) or any(
            n == 'handle_mm_fault' and any(t in f.params[1:] and 'flag' in t for t, _ in f.toks[i:matching(f.toks, i + 1)])
            for i, (n, _) in enumerate(f.toks[:-1]))

    def locks_vmas(self, x):
        if id(x) not in self._vmaloops:
            # x is kept: another may not get its id
            self._vmaloops[id(x)] = bool(idents(x) & VMAW.keys()), x
        return self._vmaloops[id(x)][0]

    def callargs(self, f, pos):
        i = next((k for k, t in enumerate(f.toks) if t[1] == pos and t[0] == '('), None)
        return split_top(f.toks[i + 1:matching(f.toks, i)]) if i is not None else []

    def relevant(self, f):
        if self._rel is None:
            rel = set()
            base = PRIMS | self.tabnames | {'walk_lock'}
            todo = True
            funcs = [g for s in self.srcs for g in s.funcs + [q[2] for q in s.synth]]
            names = set()
            for g in funcs:
                n = g.names()
                if n & base or g.calls_param() or g.gives_vma() and n & set(FINDERS) or self.selects(g):
                    rel.add(g)
                    if n & base or n & set(FINDERS) or g.calls_param():
                        names.add(g.name)
            for s in self.srcs:
                for _, _, g in s.synth:
                    for n in g.called():
                        if self.lookup(n, s) is not None:
                            rel.add(self.lookup(n, s))
                            names.add(n)
            while todo:
                todo = False
                for g in funcs:
                    if g not in rel or g.name not in names:
                        # or another definition of the same name matters
                        if g.names() & names or g.name in names:
                            rel.add(g)
                            names.add(g.name)
                            todo = True
            self._rel = rel
        return f in self._rel

    def inert(self, x, f):
        """Can this statement change neither a lock, nor what is remembered,
        nor which statement comes next?"""
        k = id(x)
        if k not in self._inert:
            live = self.live(f)
            # x is kept: another may not get its id
            self._inert[k] = live is not EVERYTHING and self.nothing(x, f, live), x
        return self._inert[k][0]

    def nothing(self, x, f, live):
        if x is None or isinstance(x, (str, int, bool)):
            return True
        if isinstance(x, list):
            return all(self.nothing(y, f, live) for y in x)
        k = x[0]
        if k in ('return', 'goto', 'break', 'continue', 'label', 'case', 'guard', 'scoped_guard',
                 'scoped_cond_guard', 'switch', 'opaque', 'complit', 'init'):
            return False
        if k == 'decl':
            return all(not ops and name not in live and self.nothing(init, f, live) and
                       not self.bydecl.get((f.src.idx, npos)) for name, npos, init, ptr, ops in x[1])
        if k == 'id':
            return x[1] not in self.tabnames and x[1] not in PRIMS and not (
                x[1] in self.allfuncs and x[1] not in f.locals and
                any(self.relevant(g) for g in self.allfuncs[x[1]]))
        if k == 'asg' or k == 'un' and x[1] in ('++', '--'):
            e = x[2]
            while e[0] in ('idx', 'un'):
                e = e[1] if e[0] == 'idx' else e[2]
            if e[0] not in ('id', 'mem') or (e[1] in live if e[0] == 'id' else
                                             e[3] in self.livemem or e[3] == 'walk_lock'):
                return False
            if e is not x[2] and e[0] == 'id':
                return False            # through a pointer
            if k == 'asg' and not (e[0] == 'id' and e[1] in f.locals) and names_in(x[3])[0] & live:
                return False            # others can reach it from now on
        if k == 'un' and x[1] == '&':
            return False
        if k == 'call':
            if x[1][0] != 'id' or x[1][1] in f.locals:
                return False
            name = x[1][1]
            if name in PRIMS or name in DROPPERS or name in FINDERS or name in ALLOC or \
               name in ITERS or name in GUARDS or name in ('swap', 'SWAP', 'VMA_ITERATOR', 'MA_STATE') or \
               self.macro(name, f.src) is not None:
                return False
            g = self.lookup(name, f.src)
            if g is not None:
                sets, taken = self.writes(g)
                if self.relevant(g) or sets & self.livemem or taken:
                    return False
            v, m = set(), set()
            for a in x[2]:
                names_in(a, v, m)
            if v & live or m & self.livemem:
                return False
        if k == 'each':
            toks = [t[0] for a in x[2] for t in a]
            if x[1] in ITERS or set(toks) & (PRIMS | self.tabnames) or any(t in live for t in toks):
                return False
            return self.nothing(x[3], f, live)
        return all(self.nothing(y, f, live) for y in x[1:] if isinstance(y, (tuple, list)))

    def first(self, f, name, member):
        """Is the member of what this pointer points to a structure and the
        first one, so that both have one address?  No member of the inner one
        may have the name of a member of the outer one."""
        key = (f, name, member)
        if key not in self._first:
            m = re.search(r'\bstruct\s+(\w+)\s*\*\s*(?:const\s+)?%s\b\s*[,;=)]' % re.escape(name),
                          f.src.text[f.pos:f.end]) if f.start >= 0 and name in f.locals else None
            outer = self.struct(m.group(1)) if m else None
            inner = self.struct(outer[0][1]) if outer and outer[0] and outer[0][0] == member else None
            self._first[key] = bool(inner) and not {n for n, _ in outer} & {
                q[0] for q in inner if q}
        return self._first[key]

    def struct(self, tag):
        """Members of a structure that is defined once -> [(name, tag if it is
        a structure)]; the first one is None where the order is another one."""
        if tag not in self._structs:
            found = []
            for s in self.srcs if tag else ():
                for m in re.finditer(r'\bstruct\s+%s\s*\{' % re.escape(tag), s.nocom):
                    end = matching_text(s.nocom, m.end() - 1)
                    tail = s.nocom[end + 1:s.nocom.find(';', end) + 1]
                    found.append((s.path, ([None] if 'randomize' in tail else []) +
                                  members_of(s.nocom[m.end():end])))
            same = {os.path.realpath(p) for p, _ in found}
            self._structs[tag] = found[0][1] if len(same) == 1 and len(
                {str(q) for _, q in found}) == 1 else None
        return self._structs[tag]

    def selects(self, f):
        """Small, and its value follows from its arguments alone."""
        if f not in self._selects:
            self._selects[f] = False
            self._selects[f] = len(f.toks) < 160 and not f.names() & {'for', 'while', 'do'} and (
                f.pure() or all(g is not None and self.selects(g) for g in
                                (self.lookup(n, f.src) for n in f.called())))
        return self._selects[f]

    def writes(self, f):
        """Members that f, or what it calls in the files seen, may set, and
        those whose address it takes."""
        if f not in self._writes:
            todo, seen, out = [f], {f}, (set(), set())
            while todo:
                g = todo.pop()
                for a, b in zip(out, g.sets()):
                    a |= b
                for n in g.called():
                    h = self.lookup(n, g.src)
                    if h is not None and h not in seen:
                        seen.add(h)
                        todo.append(h)
            self._writes[f] = out
        return self._writes[f]

    def drops(self, f):
        """May f, with what it calls in the files seen, release an mmap lock?"""
        if self._drops is None:
            funcs = [g for s in self.srcs for g in s.funcs]
            self._drops = {g for g in funcs if g.names() & (DROPPERS - {'handle_mm_fault'}) or
                           'handle_mm_fault' in g.names() and self.retries(g) or any(
                c == 'M' for c in map(UNLOCK.get, g.names() & set(UNLOCK))) or
                'mmap_lock' in g.names() and g.names() & (set(UNLOCK) | {'downgrade_write'}) or
                g.names() & {'mmap_write_downgrade', 'vma_end_read'}}
            names = {g.name for g in self._drops}
            grown = True
            while grown:
                more = {g for g in funcs if g not in self._drops and g.called() & names}
                self._drops |= more
                names |= {g.name for g in more}
                grown = bool(more)
        return f in self._drops

    def reads(self, f, i):
        """Does f no more with the pointer that it gets than look at members,
        or set those that writes() names?"""
        key = (f, i)
        if key not in self._reads:
            self._reads[key] = True
            t, p = f.toks, f.params[i] if i < len(f.params) else '?'
            for k in range(len(t) - 1):
                if t[k][0] != p or k and t[k - 1][0] in ('->', '.') or t[k + 1][0] == '->':
                    continue
                if k and t[k - 1][0] in '(,' and t[k + 1][0] in '),':
                    g, n = self.argument(f, k)
                    if g is not None and self.reads(g, n):
                        continue
                self._reads[key] = False
                break
        return self._reads[key]

    def argument(self, f, i):
        """Token i is a whole argument -> (the function called, which argument)"""
        t, depth = f.toks, 0
        for k in range(i - 1, 0, -1):
            c = t[k][0]
            depth += (c in ')]}') - (c in '([{')
            if depth < 0:
                before = t[k + 1:i] if t[i - 1][0] == '(' else t[k + 1:i - 1]
                return self.lookup(t[k - 1][0], f.src), len(split_top(before))
        return None, 0

    def configs(self):
        """The #if conditions that tell definitions of a function apart."""
        if self._configs is None:
            self._configs = set()
            for name, fs in self.allfuncs.items():
                if len(fs) > 1 and any(self.relevant(f) for f in fs):
                    each = [set(self.config(f)) for f in fs]
                    self._configs |= {w.replace('ifndef', 'ifdef') for w, _ in
                                      set.union(*each) - set.intersection(*each)}
        return self._configs

    def callers(self, f, exact=None):
        """-> (set of functions that call f, why there may be others); exact, a
        source: all pieces of what a macro pastes count, other architectures' files
        than that one's do not"""
        out, why = set(), None
        srcs = [f.src] if f.static and not f.src.path.endswith('.h') else self.srcs
        if f.start < 0:
            return set(), 'seq_file takes no lock of its own'
        if f.name.startswith('__sys_'):
            return set(), '%s() is a system call' % f.name[6:]
        pat = re.compile(r'\b%s\b' % re.escape(f.name))
        if exact and arch(exact):
            srcs = [s for s in srcs if arch(s) in (None, arch(exact))]
        for s in srcs:
            for n, (_, body, _p) in s.macros.items():
                if HA + HA in body and exact:
                    if pastes(f.name, s, n):
                        why = 'a macro may paste the name of %s()' % f.name
                elif HA + HA in body:
                    for a, b in re.findall(r'(\w+)\s*%s|%s\s*(\w+)' % (HA * 2, HA * 2), body):
                        if a and f.name.startswith(a) or b and f.name.endswith(b):
                            why = 'a macro may paste the name of %s()' % f.name
            m = re.match(r'(\w+?)_(show|store|read|write|open|release|get|set|fops)$', f.name)
            if m:
                for q in re.finditer(r'^[ \t]*(?:static[ \t]+)?[A-Z][A-Z0-9_]+[ \t]*\(([^;{}()]*)\)', s.text, re.M):
                    words = re.findall(r'\w+', q.group(1))
                    if s.func_at(q.start()) is None and any(
                            w == m.group(1) or w.endswith('_') and m.group(1).startswith(w)
                            for w in words) and not s.text[q.start():q.end()].lstrip().startswith('EXPORT'):
                        why = 'a macro may paste the name of %s() (%s:%d)' % (f.name, s.path, s.line(q.end()))
            if f.name not in s.text and f.name not in s.nocom:
                continue
            for n, (_, body, _p) in s.macros.items():
                if pat.search(body):
                    why = 'a macro names %s()' % f.name
            for m in pat.finditer(s.text):
                g = s.func_at(m.start())
                call = re.match(r'\s*\(', s.text[m.end():m.end() + 80])
                if g is None:
                    if call:
                        continue
                    known = [q for a, b, q in s.synth if a <= m.start() < b]
                    if known:
                        out.add(known[0])
                        continue
                    b = s.text[max(0, m.start() - 60):m.start()]
                    if re.search(r'EXPORT_SYMBOL\w*\s*\(\s*$|ALLOW_ERROR_INJECTION\s*\(\s*$|NOKPROBE_SYMBOL\s*\(\s*$', b):
                        continue
                    why = 'the address of %s() is taken (line %d)' % (f.name, s.line(m.start()))
                elif g is f:
                    if not call:
                        why = 'the address of %s() is taken (line %d)' % (f.name, s.line(m.start()))
                elif call and not re.search(r'(->|\.)\s*$', s.text[max(0, m.start() - 20):m.start()]):
                    if f.name in g.params:
                        continue
                    q = self.lookup(f.name, s)
                    if q is f or q is not None and q.src is f.src:
                        out.add(g)
                elif not call:
                    if self.handed(g, f, m.start()):
                        out.add(g)
                        continue
                    if f.name in g.locals or re.search(r'(->|\.)\s*$', s.text[max(0, m.start() - 20):m.start()]):
                        continue
                    why = 'the address of %s() is taken (%s:%d)' % (f.name, s.path, s.line(m.start()))
        if not f.static or f.src.path.endswith('.h'):
            if f.name not in self.complete_names:
                self.wanted.add(f.name)
                why = why or '%s() may have callers in other files' % f.name
        if not out and not why:
            why = 'nothing seen calls %s()' % f.name
        return out, why

    def handed(self, g, f, pos):
        """Is f only an argument of a function that calls what it is given?"""
        i = next((k for k, t in enumerate(g.toks) if t[1] == pos), None)
        if i is None or g.toks[i + 1][0] not in ',)' or g.toks[i - 1][0] not in ',(':
            return False
        h, n = self.argument(g, i)
        return h is not None and n < len(h.params) and h.params[n] in h.calls_param() \
            and not self.stored(h, h.params[n])

    def stored(self, h, param):
        t = h.toks
        return any(t[i][0] == param and t[i + 1][0] != '(' and not (
            t[i - 1][0] == '*' and t[i + 1][0] == ')') for i in range(1, len(t) - 1))

    def flagvalue(self, name):
        if name in self._flag:
            return self._flag[name]
        self._flag[name] = None
        for s in self.srcs + getattr(self, 'headers', []):
            m = s.macros.get(name)
            if m and m[0] is None:
                e = re.sub(r'\(\s*__force\s+\w+\s*\)|\\', ' ', m[1]).strip()
                e = re.sub(r'\bBIT\s*\(', '(1 << ', e)
                bad = False
                for w in set(re.findall(r'[A-Za-z_]\w*', e)):
                    if re.match(r'^0x|^[uUlL]+$', w):
                        continue
                    v = self.flagvalue(w)
                    if v is None:
                        bad = True
                        break
                    e = re.sub(r'\b%s\b' % w, str(v), e)
                e = re.sub(r'(?<=[0-9a-fA-F])[uUlL]+\b', '', e)
                if not bad and re.match(r'^[\s\d()<|&xXa-fA-F+~-]+$', e):
                    try:
                        self._flag[name] = int(eval(e, {'__builtins__': {}}))
                    except Exception:
                        pass
                break
        return self._flag[name]

    def disjoint(self, names, flag):
        v = self.flagvalue(flag)
        if v is None:
            self.need_headers()
            self._flag = {k: q for k, q in self._flag.items() if q is not None}
            v = self.flagvalue(flag)
        if v is None:
            return False
        for n in names:
            w = self.flagvalue(n)
            if w is None or w & v:
                return False
        return True

    def need_headers(self):
        if hasattr(self, 'headers'):
            return
        self.headers = []
        root = self.root()
        if not root:
            return
        seen = set()
        for s in list(self.srcs):
            for h in re.findall(r'\binclude\s*<(linux.[\w.-]+(?:.[\w.-]+)?[.]h)>', s.nocom):
                for d in ('include', 'include/uapi'):
                    p = os.path.join(root, d, h)
                    if p not in seen and os.path.isfile(p) and len(seen) < 80:
                        seen.add(p)
                        try:
                            with open(p, errors='replace') as fh:
                                txt = fh.read()
                        except OSError:
                            continue
                        if re.search(r'\bdefine\s+(MPOL|MADV|FOLL|FAULT)_', txt):
                            q = MacroSource(txt)
                            self.headers.append(q)

    def root(self):
        return tree_root([s.path for s in self.srcs])

    def several(self, w):
        """Is more than one table seen at this walk?"""
        ids = set()
        for it in self._runs.values():
            for q in it.walks:
                if q.src is w.src and q.pos == w.pos:
                    ids |= q.tids
        return len(ids) > 1

    # -- answers --------------------------------------------------------
    def users(self, t):
        """Functions that name the table, and why there may be others."""
        base = re.split(r'[.\[]', t.name)[0]
        if t.kind == 'literal' or (t.func is not None):
            return ({t.func} if t.func else set()), (None if t.func else 'it stands at file scope')
        out, why = set(), None
        static = getattr(t, 'static', False) and not t.src.path.endswith('.h')
        srcs = [t.src] if static else self.srcs
        if not static and base not in self.complete_names:
            self.wanted.add(base)
            why = '%s may be used in other files' % base
        pat = re.compile(r'\b%s\b' % re.escape(base))
        for s in srcs:
            if s is not t.src and base + '$' + str(s.idx) in self.lv:
                continue
            if s is not t.src:
                ids = self.lv.setdefault(t.lv.replace('$%d' % t.src.idx, '$%d' % s.idx, 1), set())
                if t.tid not in ids or base not in s.tabbase:
                    self._aliases += 1          # what ran before did not know that
                s.tabbase.add(base)
                ids.add(t.tid)
            for n, (_, body, _p) in s.macros.items():
                if pat.search(body):
                    why = 'a macro names it'
            for m in pat.finditer(s.text):
                g = s.func_at(m.start())
                if g is not None:
                    g.ast()
                    if base in g.locals:
                        continue
                    prev = s.text[max(0, m.start() - 10):m.start()].rstrip()
                    if prev.endswith('->') or prev.endswith('.'):
                        continue
                    out.add(g)
                    continue
                enc = self.enclosing(s, m.start())
                if enc is None:
                    continue
                if t.init and s is t.src and t.init[0] <= m.start() <= t.init[1]:
                    continue
                if re.search(r'[.>]\s*$', s.text[max(0, m.start() - 10):m.start()]):
                    continue
                if re.search(r'\b(struct|union)(\s+\w+)*\s*$', s.text[max(0, enc - 200):enc]):
                    continue
                why = 'its address stands in another object (%s:%d)' % (s.path, s.line(m.start()))
        return out, why

    def run(self, root, chain):
        key = (root, frozenset(chain), self._aliases)
        if key not in self._runs:
            its = self._byroot.setdefault(root, [])
            # runs leave what they know of arrays of tables behind
            it = None if any(t.array and t.func for t in self.tables) else \
                next((q for q in its if q.aliases == self._aliases and q.covers(root, chain)), None)
            if it is None:
                it = self.follow(root, chain)
                if it.big and self.brief:
                    return it           # another table may ask for more
                its.append(it)
            self._runs[key] = it
        return self._runs[key]

    def forget_runs(self):
        self._runs.clear()
        self._byroot.clear()

    def follow(self, root, chain):
        # When a function has too many paths, they become one where they meet:
        # first with the flags kept apart, then without.
        heavy = not self.brief and any(f in self._heavy for f in chain if f is not root)
        vague = None
        for coarse in range(1 if heavy else 0, 3):
            it = Interp(self, chain)
            it.coarse, it.lossy = coarse, coarse > 0
            it.budget = BUDGETS[coarse]
            it.aliases = self._aliases
            try:
                it.result = it.run(root)
                it.big = False
                if coarse or self.brief or not it.vague or self.settled(it):
                    return it
                vague = it          # it has forgotten flags that others tell apart
            except (TooBig, RecursionError):
                it.result, it.big = [], True
                if coarse == 0:
                    self._heavy.add(root)
            except (LookupError, TypeError, ValueError, AttributeError) as e:
                it.result, it.big = [], True
                sys.stderr.write('walk_lock: %s(): %s\n' % (root.name, e))
                break
            if self.brief:
                break
        return vague or it

    def settled(self, it):
        """Do the walks of each table show one mode?"""
        modes = {}
        for w in it.walks:
            for t in w.tids:
                modes.setdefault(t, set()).add(self.judge(w)[0])
        return all(len(m) == 1 and None not in m for m in modes.values())

    def evidence(self, t):
        """-> (list of Finding leaves, list of reasons that it is not known)"""
        leaves, why, seen = [], [], set()
        roots, u = self.users(t)
        if u:
            why.append(u)
        for c in self.copies(t):
            more, u = self.users(c)
            roots = roots | more
            if u:
                why.append(u)
            for r in sorted(more, key=lambda f: (f.src.path, f.pos)):
                self.climb(c, r, set(), 0, leaves, why, set())
        if not roots and not u:
            why.append('nothing uses it')
        self.tell = []
        for r in sorted(roots, key=lambda f: (f.src.path, f.pos)):
            self.climb(t, r, set(), 0, leaves, why, seen)
        return leaves, why

    def climb(self, t, root, chain, level, leaves, why, seen):
        key = root
        if key in seen:
            return
        seen.add(key)
        chain = chain | {root}
        it = self.run(root, chain)
        name = root.name + '()'
        if it.big:
            why.append('%s has too many paths' % name)
            return
        for tid, path, line in it.escapes:
            if tid == t.tid:
                why.append('%s hands it to code not seen (%s:%d)' % (name, path, line))
        names = {f.name for f in chain} - {root.name}
        if level == 0:
            names = {re.split(r'[.\[]', t.name)[0]} if t.kind != 'literal' else set()
        for n, p in root.toks:
            if n in names and (root.src.idx, p) not in it.visited and \
               not (t.func is root and p == t.pos) and not self.decl_or_member(root, n, p):
                why.append('%s names %s where it cannot be followed (%s:%d)' % (
                    name, n, root.src.path, root.src.line(p)))
                return
        if t.tid in it.copied:
            why.append('%s copies it' % name)
            return
        mine = [w for w in it.walks if t.tid in w.tids]
        back = any(t.tid in it.tids(v, s) for s, v in it.result)
        if it.fuzzy:
            why.append('%s has code that cannot be followed (%s)' % (name, ', '.join(sorted(it.fuzzy))))
        if level and not (it.inlined & chain) and not mine:
            n = {f.name for f in chain} - {root.name}
        judged = [(w, self.judge(w)) for w in mine]
        modes = {m for _, (m, _) in judged}
        if mine and None not in modes and not back and self.agree(judged):
            if not (self.several(mine[0]) and any(given(w) for w in mine)) or \
               self.callers(root)[1] or level >= MAX_UP:
                leaves.extend(judged)
                return
            # which of several tables it is may depend on what callers pass
            more, unsure = [], []
            for c in sorted(self.callers(root)[0], key=lambda f: (f.src.path, f.pos)):
                self.climb(t, c, chain, level + 1, more, unsure, seen)
            leaves.extend(judged if unsure else more)
            return
        never = sorted({d for w, (m, d) in judged if m is None and WALK[w.entry][2] == 'lockless'})
        if never:
            why.extend(never)
            return
        if not mine and not back:
            return
        # the function does not show it: ask its callers
        cs, unknown = self.callers(root)
        if unknown or level >= MAX_UP:
            if level >= MAX_UP:
                unknown = 'more than %d callers up' % MAX_UP
            if back and not mine:
                why.append('%s returns it; %s' % (name, unknown))
            elif None in modes:
                tells = sorted({d for _, (m, d) in judged if m is None})
                why.append('%s in %s; %s' % ('; '.join(tells[:3]), name, unknown))
            else:
                why.append('its paths disagree in %s (%s)' % (name, ', '.join(sorted(modes))))
            # what the known callers show is still worth saying
            shown = []
            for c in sorted(cs, key=lambda f: (f.src.path, f.pos))[:6]:
                sub = self.run(c, chain | {c})
                ms = {self.judge(w)[0] for w in sub.walks if t.tid in w.tids} if not sub.big else {None}
                if ms:
                    shown.append('%s() shows %s' % (c.name, '/'.join(sorted(m or 'nothing' for m in ms))))
            if shown:
                why[-1] += ' (' + ', '.join(shown) + ')'
            return
        for c in sorted(cs, key=lambda f: (f.src.path, f.pos)):
            self.climb(t, c, chain, level + 1, leaves, why, seen)

    # -- kernel page tables without a lock --------------------------------
    def unlocked(self, t):
        """Walks of kernel page tables, and no lock of init_mm in the functions that
        lead there: up to those that other files may call, with all callers of
        these; beyond, in what is at hand. -> words, or None"""
        if self.copies(t):
            return None
        roots, unknown = self.users(t)
        walks, seen, self.further, self.open, self.ways = [], set(), {}, False, []
        if unknown or not roots or not all(
                self.clean(t, r, set(), 0, 0, walks, seen)
                for r in sorted(roots, key=lambda f: (f.src.path, f.pos))):
            return None
        if len(self.further) <= FEW:
            self.wanted |= {n for n, more in self.further.items() if more}
        if not all([self.callees_known(r, it) for r, it in self.ways]) or self.open:
            return None
        words = []
        for w in walks:
            x = 'kernel page tables, no lock of init_mm taken, held or asserted in %s() or its ' \
                'callers, %s() at %s:%d' % (w.func.name, w.entry, w.site[0], w.site[1])
            if x not in words:
                words.append(x)
        return '; '.join(words)

    def clean(self, t, root, chain, level, beyond, walks, seen):
        """beyond: how many calls above a function that other files may call"""
        if root in seen:
            return True
        seen.add(root)
        chain, ask = chain | {root}, False
        if LOCKS_INIT.search(root.src.text[root.pos:root.end]):
            return False
        if not beyond or self.locks(root, beyond < 2):
            it = self.run(root, chain)
            mine = [w for w in it.walks if t.tid in w.tids]
            base = re.split(r'[.\[]', t.name)[0]
            if not mine or it.big or t.tid in it.copied or \
               it.fuzzy and any(map(self.locks, [root, *it.inlined])) or \
               any(e[0] == t.tid for e in it.escapes) or \
               any(t.tid in it.tids(v, s) for s, v in it.result) or \
               any(LOCKS_INIT.search(f.src.text[f.pos:f.end]) for f in it.inlined):
                return False
            if not beyond:
                self.ways.append((root, it))
            if not level and t.kind != 'literal' and any(
                    n == base and (root.src.idx, p) not in it.visited and
                    not (t.func is root and p == t.pos) and not self.decl_or_member(root, n, p)
                    for n, p in root.toks):
                return False
            for w in mine:
                kernel = WALK[w.entry][2] == 'kernel' or w.entry == NOVMA and w.mm == '&init_mm'
                if not kernel and not (w.entry == NOVMA and by_caller(root, w)):
                    return False
                ask = ask or not kernel
                # an mm of which nothing is known may be init_mm
                if any(k[0] == 'M' and not other_mm(self, k[1]) for k in w.st.l):
                    return False
            walks.extend(w for w in mine if not level)
        outside, want = not root.static or root.src.path.endswith('.h'), set(self.wanted)
        cs, unknown = self.callers(root, t.src)
        if beyond and outside:
            self.further[root.name] = root.name not in self.complete_names
            self.wanted = want
        if unknown and not cs and not ask and level and outside and \
           root.name in self.complete_names and unknown.startswith('nothing seen'):
            unknown = None
        far = level >= MAX_UP
        if (far or unknown) and (ask or not beyond):
            return False
        beyond += beyond > 0 or outside
        return far or all(self.clean(t, c, chain, level + 1, beyond, walks, seen)
                          for c in sorted(cs, key=lambda f: (f.src.path, f.pos)))

    def callees_known(self, root, it):
        """What root calls on its way to the walk, up to functions of other files:
        does none of it lock an mm?  What Interp follows is seen there."""
        todo, seen, names = [root, *(f for f in it.inlined if f.src is root.src)], set(), set()
        for f in todo:
            if f in seen:
                continue
            seen.add(f)
            end = it.last(f, it.chain_names())
            if end is None or f.names() & {'for', 'while', 'do'} or any('for_each' in n for n in f.names()):
                end = f.end
            t = f.toks
            for i in range(len(t) - 1):
                n, p = t[i]
                if t[i + 1][0] != '(' or p > end:
                    continue
                if n == ']' or n == ')' and i > 2 and t[i - 2][0] == '*' and t[i - 3][0] == '(':
                    return False            # through a pointer
                if not (n[0].isalpha() or n[0] == '_') or n in KEYWORDS:
                    continue
                if i and t[i - 1][0] in ('.', '->') or n in f.locals:
                    return False
                if n in ('guard', 'scoped_guard', 'scoped_cond_guard', 'CLASS', 'ACQUIRE'):
                    c = t[i + 2][0]
                    if not PLAIN_GUARD.match(c) and (n in ('CLASS', 'ACQUIRE') or c not in GUARDS):
                        return False
                    continue
                g = self.lookup(n, f.src)
                if g is None:
                    names.add((n, f.src))
                elif g.src is f.src:
                    todo.append(g)
                elif g not in it.inlined and self.locks(g):
                    return False
        return all([self.harmless(n, src, set()) for n, src in sorted(names, key=lambda q: q[0])])

    def harmless(self, name, src, within):
        """Does a function, or macro, that is not defined in this file lock no mm?"""
        if name in PRIMS or name in FINDERS or name in HARMLESS or name in TRANSPARENT or name in ALLOC or \
           name in within or name in KEYWORDS or COMMON.match(name):
            return True
        within = within | {name}
        if self.made(name, src):
            return False
        bodies = [b for s in self.srcs if name in s.macros and s.macros[name][0] is not None
                  for b in [s.macros[name][1]]]
        if bodies:
            return all(self.calls_nothing(b, src, within) for b in bodies)
        if name not in self.callees:
            self.wanted.add(name + '()')
            self.open = True        # the rest is asked for at the same time
            return True
        found, paths = False, [p for p in self.callees[name] if not arch(src) or arch(p) in (None, arch(src))]
        for path in paths if len(paths) <= MAX_DEFS else ():
            if path not in self._others:
                self._others[path] = read_source(path)
            s = self._others[path]
            if s is None:
                continue
            if name in s.macros:
                found = True
                if LOCKS_MM.search(' '.join(s.bodies[name])):
                    return False
            for f in s.funcs:
                if f.name == name and (not f.static or path.endswith('.h')):
                    found = True
                    if self.locks_there(f):
                        return False
        return found

    def calls_nothing(self, body, src, within):
        return not LOCKS_MM.search(body) and all(
            [self.harmless(n, src, within) for n in sorted(set(re.findall(r'\b([A-Za-z_]\w*)\s*\(', body)))
             if self.lookup(n, src) is None or self.locks(self.lookup(n, src))])

    def locks_there(self, f):
        """May f, with what it calls in its own file, take the lock of an mm?"""
        todo, seen = [f], {f.name}
        for g in todo:
            text = g.src.text[g.pos:g.end]
            if LOCKS_MM.search(text):
                return True
            for n in g.called() - seen:
                seen.add(n)
                if n in g.src.byname:
                    todo.append(g.src.byname[n])
                elif LOCKS_MM.search(' '.join(g.src.bodies.get(n, ()))):
                    return True
        return False

    def locks(self, f, deep=True):
        """May f, with what it calls in the files seen, take the lock of an mm?
        Not deep: with no more than the functions that it calls itself."""
        if (f, deep) not in self._locks:
            self._locks[f, deep], todo, seen = False, [f], {f}
            for g in todo:
                texts = [g.src.text[g.pos:g.end]]
                for n in g.called() if deep or g is f else ():
                    h = self.lookup(n, g.src)
                    if h is None:
                        texts += [s.macros[n][1] for s in self.srcs if n in s.macros]
                    elif h not in seen:
                        seen.add(h)
                        todo.append(h)
                if any(map(LOCKS_MM.search, texts)):
                    self._locks[f, deep] = True
                    break
        return self._locks[f, deep]

    def decl_or_member(self, f, name, pos):
        t = f.src.text
        before, after = t[max(0, pos - 12):pos].rstrip(), t[pos + len(name):pos + len(name) + 12].lstrip()
        if before.endswith(('.', '->', 'goto', 'struct')) or after.startswith(':'):
            return True
        if f.name == 'x' or re.search(r'sizeof\s*\(\s*[*&]?\s*$', t[max(0, pos - 20):pos]):
            return True
        # the declaration of a variable of that name
        return name in f.locals and bool(re.search(r'[\w*]\s*$', before)) and \
            not re.search(r'\b(return|case|else)$', before)

    def agree(self, judged):
        return len({m for _, (m, _) in judged}) == 1 or \
            self.merged(judged) is not None

    def merged(self, judged):
        """One mode for all walks, or None."""
        bysite = {}
        for w, (m, d) in judged:
            bysite.setdefault(w.site, set()).add(m)
        out = set()
        for site, ms in bysite.items():
            if ms == {WR, WV}:
                ms = {WR}       # locking a VMA again does nothing
            if len(ms) != 1:
                return None
            out |= ms
        return out.pop() if len(out) == 1 else None

    def facts(self, w):
        it = Interp(self, set())
        mm = vma = None
        if w.mm is not None:
            same = it.same(w.st, 'M', w.mm)
            for k, v in w.st.l.items():
                if k[0] == 'M' and k[1] in same:
                    mm = v
        vname = w.vma
        if vname is None and w.mm and w.mm.endswith('->vm_mm') and not w.whole:
            vname = w.mm[:-7]
        if vname:
            vma = w.st.l.get(('V', vname))
        return mm, vma

    def judge(self, w):
        """The mode that one walk on one path shows -> (mode, words)"""
        kind = WALK[w.entry][2]
        st = w.st
        if kind == 'mapping':
            it = Interp(self, set())
            got = it.held(st, 'I', w.mm)
            if got and got[0] in 'RWA':
                m = IM if IM in self.modes else RD
                return m, 'walk_page_mapping() under i_mmap_rwsem, %s at %s' % (how(got), got[1]) + \
                    ('' if m == IM else ', where the mode is not looked at')
            return None, 'no i_mmap_rwsem taken, held or asserted'
        if kind == 'lockless':
            if NL in self.modes:
                return NL, 'lockless walk of kernel page tables'
            return None, 'lockless walk of kernel page tables and no mode for that in this tree'
        if kind == 'kernel' or w.mm == '&init_mm':
            got = st.l.get(('M', '&init_mm'))
            if got and got[0] in 'RWA':
                return RD, 'kernel page tables, mmap lock of init_mm %s at %s' % (how(got), got[1])
            return None, 'no lock of init_mm taken, held or asserted'
        mm, vma = self.facts(w)
        if kind == 'novma':
            # No VMA to lock: the write modes have nothing to act on.
            if mm and mm[0] in 'RWA':
                return RD, 'walk without VMAs, mmap lock %s at %s' % (how(mm), mm[1])
            return None, self.missing(mm, vma)
        if vma and vma[0] == 'w' and (not mm or mm[0] in 'WA'):
            return WV, 'VMA write lock %s at %s' % (how(vma), vma[1])
        if mm and mm[0] == 'W':
            return WR, 'mmap write lock %s at %s, VMA not write-locked before' % (how(mm), mm[1])
        if mm and mm[0] in 'RA':
            return RD, 'mmap lock %s at %s' % ('for read, ' + how(mm) if mm[0] == 'R' else how(mm), mm[1])
        if vma and vma[0] == 'r' and not (mm and mm[0] in 'RWA'):
            if kind == 'vma':
                if VR in self.modes:
                    return VR, 'VMA read lock %s at %s' % (how(vma), vma[1])
                return None, 'only a VMA read lock and no mode for that in this tree'
            return None, 'only a VMA read lock at a walk of a range'
        return None, self.missing(mm, vma)

    def missing(self, mm, vma):
        if mm and mm[0] in 'UD':
            return 'mmap lock %s at %s' % (how(mm), mm[1])
        if vma and vma[0] == 'x':
            return 'VMA lock released at %s' % vma[1]
        return 'no lock taken, held or asserted'

    def isset(self, t, w, it):
        """Is walk_lock set on this path? -> (any, stated here by name)"""
        for place in [k for k, v in it.lv2t.items() if v == t.tid] + [t.lv]:
            v = w.st.e.get(place + '.walk_lock')
            if v is None:
                q = w.st.e.get(place)
                if q and q[0] == 'obj' and self.tables[q[1]].mode:
                    return True, True
                continue
            if v[0] == 'set':
                return True, 'PGWALK_' in v[1] and (t.func is None or v[2] == t.func.name) or v[1] == 'copy'
            return True, False
        return False, False

    def needs(self, t):
        """Is the table a finding? None, or a word about run-time filling."""
        if t.mode:
            return None
        if t.kind == 'pointer':
            return 'runtime'
        if t.copy is not None or self.source(t) is not None:
            return None         # what it is copied from is the finding, if it is one
        runtime = t.func is not None and not (getattr(t, 'static', False) and getattr(t, 'const', False)) \
            or not getattr(t, 'const', False) and t.func is None
        if t.kind == 'literal':
            tg = self.copied_target(t)
            if tg is not None:
                t = tg
                runtime = True
            else:
                return ''
        if not runtime:
            return ''
        roots = {t.func} if t.func else self.users(t)[0]
        any_walk, all_any, all_named = False, True, True
        for r in roots:
            it = self.run(r, {r})
            if it.big:
                all_any = all_named = False
                any_walk = True
                continue
            for w in it.walks:
                if t.tid in w.tids:
                    any_walk = True
                    a, n = self.isset(t, w, it)
                    all_any, all_named = all_any and a, all_named and n
            for tid, path, line in it.escapes:
                if tid == t.tid:
                    any_walk = True
                    if not self.set_at_end(t, it):
                        all_any = all_named = False
            for s, v in it.result:
                if t.tid in it.tids(v, s):
                    any_walk = True
                    if not self.set_in(t, it, s):
                        all_any = all_named = False
            if t.tid in self.copied and t.kind != 'literal':
                pass
        if t.kind == 'plain' and any(t2.kind == 'literal' and self.copied_target(t2) is t
                                     for t2 in self.tables) and t.empty:
            return None     # the literal is the finding, or has the mode
        if not any_walk:
            base = re.split(r'[.\[]', t.name)[0]
            if t.func and re.search(r'\b%s\b[^;]{0,40}(\.|->)\s*walk_lock\s*=[^=]' % re.escape(base),
                                    t.src.text[t.func.start:t.func.end]):
                return None
            return ''
        if t.empty and (all_any or t.func is None and any(
                self.set_at_end(t, self.run(r, {r})) for r in roots)):
            return None
        if not t.empty and all_any and all_named:
            return None
        return 'runtime' if all_any else 'somepath' if self.sets(t) else ''

    def sets(self, t):
        base = re.split(r'[.\[]', t.name)[0]
        pat = re.compile(r'\b%s\b[^;]{0,40}(\.|->)\s*walk_lock\s*=[^=]' % re.escape(base))
        return any(pat.search(s.text) for s in ([t.src] if t.func or getattr(t, 'static', False) else self.srcs))

    def source(self, t):
        """The table that is assigned to this one as a whole, if any."""
        if t.kind == 'literal' or not t.empty or t.mode:
            return None
        names = {q.name for q in self.tables if q is not t and q.kind != 'literal'}
        base = re.split(r'[.\[]', t.name)[0]
        text = t.src.text[t.func.start:t.func.end] if t.func else t.src.text
        for m in re.finditer(r'(?<![\w.>*])%s\s*=\s*(\w+)\s*;' % re.escape(base), text):
            if m.group(1) in names and not t.name.endswith(']'):
                return m.group(1)
        return None

    def copies(self, t):
        """Tables that this one is copied into."""
        out = []
        for q in self.tables:
            if q is not t and q.tid not in [x.tid for x in out] and (
                    q.copy is not None and t.name in [x[0] for x in q.copy] or
                    self.source(q) == t.name) and (q.src is t.src) and not self.sets(q):
                out.append(q)
        return out

    def copied_target(self, t):
        for place in self.copied.get(t.tid, ()):
            if place in self.lv:
                return self.tables[min(self.lv[place])]
            for it in self._runs.values():
                if place in it.lv2t:
                    return self.tables[it.lv2t[place]]
        return None

    def set_in(self, t, it, s):
        for place in [k for k, v in it.lv2t.items() if v == t.tid] + [t.lv]:
            if place + '.walk_lock' in s.e:
                return True
        return False

    def set_at_end(self, t, it):
        return bool(it.result) and all(self.set_in(t, it, s) for s, _ in it.result)

    def decide(self, t):
        """-> (mode or None, words)"""
        if t.kind == 'pointer':
            return None, 'it is reached through a pointer'
        u = t
        if t.kind == 'literal':
            u = self.copied_target(t) or t
        if NL in self.modes and not getattr(t, 'included', None) and not t.unseen and (
                u.func is not None or len(self.lv.get(u.lv, ())) < 2):
            words = self.unlocked(u)
            if words:
                return NL, words
        leaves, why = self.evidence(u)
        if getattr(t, 'included', None):
            why.append('its initialiser includes %s' % t.included)
        if t.unseen:
            why.append('its initialiser has the macro %s, which may set it' % t.unseen)
        if len(self.lv.get(u.lv, ())) > 1 and u.func is None:
            why.append('it is defined more than once')
        if why:
            return None, '; '.join(dict.fromkeys(why))
        if not leaves:
            return None, 'no walk uses it that can be reached'
        m = self.merged(leaves)
        if m is None:
            by = {}
            for w, (q, d) in leaves:
                by.setdefault(q, '%s at the walk in %s:%d' % (d, w.site[0], w.site[1]))
            return None, 'the walks disagree: ' + '; '.join('%s (%s)' % (k, v) for k, v in sorted(by.items()))
        if m not in self.modes:
            return None, '%s is not in this tree' % m
        words = []
        for w, (q, d) in leaves:
            x = '%s, %s() at %s:%d' % (d, w.entry, w.site[0], w.site[1])
            if x not in words:
                words.append(x)
        return m, '; '.join(words[:4]) + ('; and %d more' % (len(words) - 4) if len(words) > 4 else '')


def given(w):
    """Does the path depend on what the first function is given?"""
    for k in w.st.c:
        if k.startswith(('prov:', 'valid:', 'touch')):
            continue
        for m in re.finditer(r'([A-Za-z_]\w*)%0(?![\w$])', k):
            if m.group(1) in w.chain[0].params:
                return True
    return False


class MacroSource:
    def __init__(self, text):
        self.macros = {}
        for m in CPP.finditer(strip_comments(text)):
            if m.group(1) == 'define':
                d = re.match(r'\s*(\w+)(\([^)]*\))?((?:\\\n|[^\n])*)', m.group(2))
                if d:
                    self.macros[d.group(1)] = (d.group(2), d.group(3), 0)


def members_of(body):
    """[(name, tag of the structure that it is, or None)], empty when not understood"""
    out = []
    for m in re.finditer(r'[^;{}]*(;|\{|\})', CPP.sub(' ', body)):
        d = m.group(0).strip()
        if m.group(1) != ';':
            return []
        n = re.match(r'(?:struct\s+(\w+)\s+)?[^;]*?(\w+)\s*(\[[^;]*)?(\([^;]*)?;$', d)
        if n is None:
            return []
        fn = re.search(r'\(\s*\*\s*(\w+)', d)
        out.append((fn.group(1) if fn else n.group(2),
                    n.group(1) if not re.search(r'[*\[(,]', d) else None))
    return out


def arch(src):
    """The architecture that a file is for; two folders are built for two of them."""
    m = re.search(r'(?:^|\W)arch\W(\w+)\W(?!xen\W|um\W)', getattr(src, 'path', src))
    return m and m.group(1)


def pastes(name, src, macro):
    """May this macro make the name of its pieces?  In a .c file it is seen what it is
    given, if no other macro uses it."""
    params, body, _ = src.macros[macro]
    params = re.findall(r'\w+', params or '')
    uses = [{}]
    if src.path.endswith('.c') and not any(
            re.search(r'\b%s\b' % macro, m[1]) for n, m in src.macros.items() if n != macro):
        uses = [dict(zip(params, [x.strip() for x in u.split(',')]))
                for u in re.findall(r'\b%s\s*\(([^()]*)\)' % macro, src.text)]
        if len(uses) != len(re.findall(r'\b%s\b' % macro, src.text)):
            uses = [{}]
    for m in re.finditer(r'\w+(?:\s*%s\s*\w+)+' % (HA * 2), body.replace('\\\n', ' ')):
        parts = re.findall(r'\w+', m.group(0))
        for u in uses:
            rx = ''.join(re.escape(u[x]) if x in u else r'\w*' if x in params or x == '__VA_ARGS__'
                         else x for x in parts)
            if re.fullmatch(rx, name) and not set(params).issuperset(parts):
                return True
    return False


def mode_text(body):
    m = re.search(r'walk_lock\s*=\s*([\w]+)', body) or re.search(r'(PGWALK_\w+)', body)
    return m.group(1) if m else 'macro'


def matching_text(text, i):
    depth = 0
    for m in re.finditer('[{}]', text[i:]):
        depth += 1 if m.group(0) == '{' else -1
        if depth == 0:
            return i + m.start()
    return len(text) - 1


def enum_modes(text):
    m = re.search(r'enum\s+page_walk_lock\s*\{([^}]*)\}', text)
    return re.findall(r'\b(PGWALK_\w+)', m.group(1)) if m else None


def tree_root(paths):
    env = os.environ.get('WALKLOCK_TREE')
    if env:
        return env
    for p in list(paths)[:1] + ['.' + os.sep + 'x']:
        d = os.path.dirname(os.path.abspath(p))
        while True:
            if os.path.isfile(os.path.join(d, 'include', 'linux', 'pagewalk.h')):
                return d
            up = os.path.dirname(d)
            if up == d:
                break
            d = up
    return None


def tree_modes(paths):
    env = os.environ.get('WALKLOCK_MODES')
    if env:
        return [m if m.startswith('PGWALK_') else 'PGWALK_' + m
                for m in env.replace(',', ' ').split()]
    root = tree_root(paths)
    if root:
        try:
            with open(os.path.join(root, 'include', 'linux', 'pagewalk.h'), errors='replace') as f:
                return enum_modes(strip_comments(f.read())) or OLD_MODES
        except OSError:
            pass
    return None
