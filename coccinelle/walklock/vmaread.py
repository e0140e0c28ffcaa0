# SPDX-License-Identifier: GPL-2.0
"""VMA read locks: results that are ignored, unlocks of what is not locked, paths
that leave a function with the VMA still locked, and VMA flags written, or VMAs
write-locked, under nothing but mmap_read_lock().

Each path of a function is followed, with what is known of the variables that
decide a branch. A function of the same file that locks, unlocks or writes flags
is followed where it is called; functions of other files are known by name."""
import heapq
import os
import re
import sys
from .callers import tree_root
from .rules import roomy
from .source import CPP, DQ, HA, STORES, Source, expr, idents, spaces, split_top, strip_comments

# what read-locks a VMA: index of the VMA, None where the result is the VMA
STARTS = {'vma_start_read': 0, 'vma_start_read_locked': 0, 'vma_start_read_locked_nested': 0,
          'lock_vma_under_rcu': None, 'lock_next_vma': None}
# whose result always is the VMA
POINTERS = {'lock_vma_under_rcu', 'lock_next_vma', 'lock_mm_and_find_vma'}
# what else tells by its result alone whether a lock is held
TELLS = {'lock_mm_and_find_vma', 'vma_start_write_killable'}
ENDS = {'vma_end_read': 0, 'vma_refcount_put': 0}
# unlocks vmf->vma
FAULT_ENDS = {'release_fault_lock'}
SEM_START = {'down_read', 'down_read_nested', 'down_read_trylock'}
SEM_END = {'up_read'}
# by name, for functions that are not in the file
MAY_END = re.compile(r'(?<!hugetlb_)(?<!anon_)vma_(?:read_)?(?:unlock|put|release|drop)(?!_write)'
                     r'|(?:^|_)(?:unlock|end_read|release|put|drop)_vma')
MAY_START = re.compile(r'^(?!.*(?:trace_|assert|unlock)).*(?:lock|start_read)')
FLAGS = {'vm_flags_set', 'vm_flags_clear', 'vm_flags_mod', 'vm_flags_reset', 'vm_flags_reset_once',
         'vm_flags_init', '__vm_flags_mod', 'vma_flags_reset_once', 'vma_set_flags', 'vma_clear_flags',
         'vma_set_flags_mask', 'vma_clear_flags_mask'}
# of a vma_flags_t, that of a VMA by its address
WORDS = {'vma_flags_set', 'vma_flags_clear', 'vma_flags_set_mask', 'vma_flags_clear_mask', 'vma_flags_set_word',
         'vma_flags_clear_word', 'vma_flags_clear_all', 'vma_flags_overwrite_word',
         'vma_flags_overwrite_word_once', 'vma_flags_set_flag'}
MEMBERS = {'vm_flags', '__vm_flags'}
# these show that a VMA is write-locked; those need the mmap lock for it
WRITE_SHOWN = {'vma_assert_write_locked', 'mmap_assert_write_locked', 'vma_mark_detached'}
WRITE_STARTS = {'vma_start_write', '__vma_start_write', 'vma_start_write_killable'}
MMAP = {}
for _w, _m in (('read', 'R'), ('write', 'W')):
    for _end, _how in (('lock', ''), ('lock_nested', ''), ('lock_killable', 'err'),
                       ('lock_interruptible', 'err'), ('trylock', 'try'), ('unlock', 'un'),
                       ('unlock_non_owner', 'un')):
        MMAP['mmap_%s_%s' % (_w, _end)] = (_m, _how)
MMAP_SEM = {'down_read': ('R', ''), 'down_read_killable': ('R', 'err'), 'down_read_trylock': ('R', 'try'),
            'up_read': ('R', 'un'), 'down_write': ('W', ''), 'down_write_killable': ('W', 'err'),
            'down_write_trylock': ('W', 'try'), 'up_write': ('W', 'un'), 'lockdep_assert_held_read': ('R', ''),
            'lockdep_assert_held_write': ('W', ''), 'rwsem_assert_held_write': ('W', ''),
            'downgrade_write': ('R', 'down')}
MMAP['mmap_write_downgrade'] = ('R', 'down')
UNATTACHED = {'vm_area_alloc', 'vm_area_dup', 'vm_area_init_from', 'kmem_cache_alloc', 'kmem_cache_zalloc',
              'kzalloc', 'kunit_kzalloc', 'kzalloc_obj'}
SEE_THROUGH = {'likely', 'unlikely', 'WARN_ON', 'WARN_ON_ONCE', 'VM_WARN_ON', 'VM_WARN_ON_ONCE', 'READ_ONCE',
               'data_race', 'WARN', 'WARN_ONCE', 'ACCESS_PRIVATE', '__force', 'ERR_CAST'}
# a test that goes on only if this holds
ASSERTS = {'KUNIT_ASSERT_NOT_NULL': 1, 'KUNIT_ASSERT_TRUE': 1, 'KUNIT_ASSERT_NOT_ERR_OR_NULL': 1,
           'KUNIT_EXPECT_NOT_NULL': 1, 'KUNIT_EXPECT_TRUE': 1, 'KUNIT_EXPECT_NOT_ERR_OR_NULL': 1,
           'KUNIT_ASSERT_NULL': 0, 'KUNIT_ASSERT_FALSE': 0, 'KUNIT_EXPECT_NULL': 0, 'KUNIT_EXPECT_FALSE': 0,
           'VM_BUG_ON': 0, 'BUG_ON': 0, 'VM_BUG_ON_VMA': 0}
NORETURN = {'BUG', 'panic', 'unreachable', 'do_exit', 'make_task_dead', 'kunit_skip', 'die'}
FAULT = 'FAULT_FLAG_VMA_LOCK'
DROPPED = 'VM_FAULT_RETRY', 'VM_FAULT_COMPLETED'
LOCK_WORDS = re.compile(r'\b(?:%s)\s*\(|\bdown_read\w*\s*\([^;]*\bvm_lock\b' % '|'.join(sorted(STARTS)))
READ_WORDS = re.compile(r'\bmmap_(?:read_|write_downgrade)|mmap_lock\b|\bmmap_sem\b')
FLAG_WORDS = re.compile(r'\b(?:%s)\s*\(|(?:->|\.)\s*vm_flags\s*[|&^]?=(?!=)|'
                        r'\b__vm_flags\b|\bWRITE_ONCE\s*\([^,;]*\bvm_flags\s*,' %
                        '|'.join(sorted(FLAGS | WORDS | WRITE_STARTS)))
TELL_WORDS = re.compile(r'\b(?:%s)\s*\(' % '|'.join(sorted(TELLS)))
SETS = re.compile(r'(?:->|\.)\s*(\w+)\s*(?:[|&^*+-]?=(?!=)|[+]{2}|-{2})')
MAX_DEPTH, MAX_STATES, MAX_STEPS = 12, 24, 40000
# values that two states must share to become one
LASTING = {'tok', 'addr', 'same', 'bits', 'lent'}

OPPOSITE = {'>=': '<', '<=': '>'}

K0, K1, NZ, ERR, NEW = ('k', 0), ('k', 1), ('nz',), ('err',), ('new',)


class TooBig(Exception):
    pass


# ------------------------------------------------------------ the text

class Text(Source):
    """A file whose functions are cut into tokens when they are needed."""
    def __init__(self, path, text):
        self.lazy = True
        Source.__init__(self, path, text)
        self.lazy = False
        self.bodies, self.calls, self.cut = {}, {}, set()
        for f in self.funcs:
            self.bodies[f] = self.text[f.start:f.end]
        self.all = {}
        for f in self.funcs:
            self.all.setdefault(f.name, []).append(f)

    def tokens(self, a, b):
        if self.lazy and self.text[a - 1:a] == '{':
            return []
        return Source.tokens(self, a, b)

    def called(self, f):
        if f not in self.calls:
            self.calls[f] = {m for m in re.findall(r'\b(\w+)\s*\(', self.bodies[f]) if m in self.all}
        return self.calls[f]

    def given_away(self, f):
        """Is its address taken?  Then it is called from anywhere."""
        return re.search(r'(?<![\w.>])%s\b(?!\s*\()' % f.name, self.text) is not None

    def tree(self, f):
        if f not in self.cut:
            self.cut.add(f)
            toks = self.tokens(f.start, f.end)
            here = [(k, p) for p, (k, _) in self.marks.items() if f.start - 1 < p < f.end]
            f.toks = sorted(toks + here, key=lambda t: t[1]) if here else toks
        return f.ast()

    def head(self, f):
        """What stands before the name: the type that it returns."""
        return re.split(r'[;}]', self.text[max(0, f.pos - 160):f.pos])[-1]


# ------------------------------------------------------------ prototypes

PROTOS = {}


def kind_of(head):
    """A result's kind, from what stands before the name: '' is void."""
    head = re.split(r'[;{}]|\n\s*\n', head)[-1]
    head = '\n'.join(x for x in head.split('\n') if not x.lstrip().startswith(HA))
    words = re.findall(r'\w+|[*]', head)
    if '*' in words:
        return 'pointer'
    if 'bool' in words:
        return 'bool'
    if 'void' in words:
        return ''
    return 'int' if {'int', 'long', 'unsigned'} & set(words) else None


def prototypes(root):
    if root not in PROTOS:
        PROTOS[root] = {}
        for h in ('mm.h', 'mmap_lock.h', 'mm_types.h') if root else ():
            try:
                with open(os.path.join(root, 'include', 'linux', h), errors='replace') as f:
                    text = strip_comments(f.read())
            except OSError:
                continue
            declared(text, PROTOS[root])
    return PROTOS[root]


def declared(text, kinds):
    for m in re.finditer(r'\b(%s)\s*\(\s*struct\b' % '|'.join(sorted(set(STARTS) | TELLS)), text):
        kind = kind_of(text[max(0, m.start() - 200):m.start()])
        # both alternatives of an #if: the one with a result counts
        if kind is not None and not kinds.get(m.group(1)):
            kinds[m.group(1)] = kind
    return kinds


# ------------------------------------------------------------ control flow

class Graph:
    """Nodes: [what, payload, next, other next]."""
    def __init__(self, f):
        self.f, self.nodes, self.labels = f, [], {}
        self.named = set()      # constants that a switch tells apart
        self.end = self.add('end', None, None)
        self.start = self.build(f.src.tree(f), self.end, None, None, None)
        self.often, self.watched = count_conditions(f)
        self.arrays = set(re.findall(r'\bstruct\s+vm_area_struct\s*[*][^;(){}]*?\b(\w+)\s*\[', f.src.bodies[f]))
        self.freed = set(re.findall(r'(\w+)\s+__free\s*\(', f.src.bodies[f]))

    def add(self, what, load, nxt, other=None):
        self.nodes.append([what, load, nxt, other])
        return len(self.nodes) - 1

    def label(self, name):
        if name not in self.labels:
            self.labels[name] = self.add('nop', None, self.end)
        return self.labels[name]

    def build(self, s, nxt, brk, cont, cases):
        if s is None:
            return nxt
        what = s[0]
        if what == 'block':
            for x in reversed(s[1]):
                nxt = self.build(x, nxt, brk, cont, cases)
            return nxt
        if what in ('expr', 'decl'):
            return self.add(what, s, nxt)
        if what == 'if':
            a = self.build(s[2], nxt, brk, cont, cases)
            b = self.build(s[3], nxt, brk, cont, cases)
            return self.add('cond', s[1], a, b)
        if what in ('while', 'do'):
            names = sorted(set(unlocked_elements(s[2], s[3])))
            if names:
                nxt = self.add('emptied', names, nxt)
            test = self.add('cond', s[1], nxt, nxt)
            step = self.add('expr', ('expr', s[3], s[4]), test) if s[3] else test
            body = self.build(s[2], step, nxt, step, cases)
            self.nodes[test][2] = body
            if s[1] is None:        # for (;;)
                self.nodes[test] = ['nop', None, body, None]
            return body if what == 'do' else test
        if what == 'each':
            test = self.add('each', (s[1], s[2]), nxt, nxt)
            self.nodes[test][2] = self.build(s[3], test, nxt, test, cases)
            return test
        if what in ('scoped_guard', 'scoped_cond_guard'):
            off = self.add('unguard', s[1], nxt)
            return self.add('guard', s[1], self.build(s[2], off, brk, cont, cases))
        if what == 'guard':
            return self.add('guard', [s[1]], nxt)
        if what == 'switch':
            mine = []
            self.build(s[2], nxt, nxt, cont, mine)
            mine = [(n, None if v is None else expr(v) if '...' not in (t for t, _ in v) else ('unk', v[0][1]))
                    for n, v in mine]
            self.named.update(v[1] for _, v in mine if v and v[0] == 'id')
            if not any(v is None for _, v in mine):
                mine.append((nxt, None))
            return self.add('switch', s[1], mine)
        if what == 'case':
            n = self.add('nop', None, nxt)
            if cases is not None:
                cases.append((n, s[1]))
            return n
        if what == 'break':
            return self.end if brk is None else brk
        if what == 'continue':
            return self.end if cont is None else cont
        if what == 'goto':
            return self.label(s[1])
        if what == 'label':
            n = self.label(s[1])
            self.nodes[n][2] = nxt
            return n
        if what == 'return':
            return self.add('return', s, None)
        return nxt


def unlocked_elements(*parts):
    """Arrays of which a loop unlocks the elements, however many there are."""
    for e in parts:
        if isinstance(e, tuple) and e and e[0] == 'call' and e[1][0] == 'id' and e[1][1] in ENDS and e[2] and \
           e[2][0] and e[2][0][0] == 'idx' and e[2][0][1][0] == 'id':
            yield e[2][0][1][1]
        elif isinstance(e, (tuple, list)):
            yield from unlocked_elements(*e)


def leaves(e, out):
    if isinstance(e, tuple) and e:
        if e[0] == 'un' and e[1] == '!':
            return leaves(e[2], out)
        if e[0] == 'bin' and e[1] in ('&&', '||'):
            leaves(e[2], out)
            return leaves(e[3], out)
        if e[0] == 'call' and e[1][0] == 'id' and e[1][1] in SEE_THROUGH and e[2]:
            return leaves(e[2][0], out)
        if e[0] == 'bin' and e[1] in ('==', '!='):
            out.append(text(e[2]))
        out.append(text(e[:1] + (OPPOSITE.get(e[1], e[1]),) + e[2:] if e[0] == 'bin' else e))
    return out


def conditions(s, out):
    if isinstance(s, tuple) and s:
        if s[0] in ('if', 'while', 'do'):
            leaves(s[1], out)
        if s[0] == 'return':
            leaves(s[1], out)
    if isinstance(s, (tuple, list)):
        for x in s:
            if isinstance(x, (tuple, list)):
                conditions(x, out)
    return out


def count_conditions(f):
    seen, often = set(), set()
    for t in conditions(f.src.tree(f), []):
        (often if t in seen else seen).add(t)
    return often, seen


def text(e):
    """An expression as text without positions."""
    if e is None:
        return ''
    if isinstance(e, list):
        return ','.join(text(x) for x in e)
    if not isinstance(e, tuple) or not e:
        return str(e)
    what = e[0]
    if what == 'id':
        return e[1]
    if what == 'num':
        return str(e[1])
    if what == 'mem':
        return text(e[2]) + e[1] + e[3]
    if what == 'un':
        return e[1] + text(e[2])
    if what in ('bin', 'asg'):
        return '(%s %s %s)' % (text(e[2]), e[1], text(e[3]))
    if what == 'call':
        return '%s(%s)' % (text(e[1]), text(e[2]))
    if what == 'idx':
        return '%s[%s]' % (text(e[1]), text(e[2]))
    if what == 'cpp':
        return HA + e[1]
    return what


# ------------------------------------------------------------ states

class State:
    """held: locks; kept: those that are stored where others find them; mm: mmap
    locks held, and w for a VMA that is write-locked; env: what is known."""
    __slots__ = ('held', 'kept', 'mm', 'env', '_key')

    def __init__(self, held=frozenset(), kept=frozenset(), mm='', env=None):
        self.held, self.kept, self.mm, self.env, self._key = held, kept, mm, env or {}, None

    def key(self):
        if self._key is None:
            self._key = (self.held, self.kept, self.mm, frozenset(self.env.items()))
        return self._key

    def but(self, **kw):
        s = State(self.held, self.kept, self.mm, self.env)
        for k, v in kw.items():
            setattr(s, k, v)
        return s

    def put(self, k, v):
        if self.env.get(k) == v:
            return self
        env = dict(self.env)
        if v is None:
            env.pop(k, None)
        else:
            env[k] = v
        return self.but(env=env)


def unique(pairs):
    seen = {}
    for s, v in pairs:
        seen.setdefault((s.key(), v), (s, v))
    return list(seen.values())


def outside(key):
    """Can others find what is stored there?"""
    return key is None or key[0] == '*' or ':' not in key


class Work:
    """States to go on with, the first nodes first. Where there are many in one
    place, those with the same locks become one, of which is known what holds for
    all of them."""
    def __init__(self, n, s):
        self.heap, self.count, self.seen, self.joined = [], 0, {}, {}
        self.put(n, s)

    def put(self, n, s):
        self.count += 1
        heapq.heappush(self.heap, (-n, self.count, s))

    def pop(self):
        n, _, s = heapq.heappop(self.heap)
        return -n, s

    def new(self, n, s):
        seen = self.seen.setdefault(n, set())
        if s.key() in seen:
            return None
        if len(seen) < MAX_STATES:
            seen.add(s.key())
            return s
        group = n, s.held, s.kept, s.mm, frozenset(x for x in s.env.items() if x[1][0] in LASTING)
        old = self.joined.get(group)
        env = s.env if old is None else {k: v for k, v in s.env.items() if old.get(k) == v}
        if old is not None and len(env) == len(old):
            return None
        self.joined[group] = env
        return s.but(env=env)


class Frame:
    def __init__(self, f, number, chain):
        self.f, self.n, self.chain = f, number, chain


class Analysis:
    """One file, for the VMA locks ('lock') or for the flags ('flags')."""
    def __init__(self, src, what, protos):
        self.src, self.what, self.protos = src, what, protos
        self.words = LOCK_WORDS if what == 'lock' else FLAG_WORDS
        self.found, self.seen, self.unsure = {}, set(), {}
        self.graphs, self.steps, self.starts, self.vague = {}, 0, {}, set()
        self.known_calls, self.reached, self.sets, self.nameless = {}, {}, {}, set()
        # functions that have to be followed
        ends = r'|\b(?:%s)\s*\(' % '|'.join(sorted(set(ENDS) | FAULT_ENDS))
        pat = re.compile(self.words.pattern + (ends if what == 'lock' else ''))
        todo = [f for f in src.funcs if pat.search(src.bodies[f])]
        more = [f for f in src.funcs if f not in todo and what == 'flags' and
                re.search(r'\bmmap_(?:read|write)_\w*lock', src.bodies[f])]
        users = {}
        for f in src.funcs:
            for n in src.called(f):
                users.setdefault(n, set()).add(f)
        self.users = users
        self.follow = set()
        while todo:
            f = todo.pop()
            if f not in self.follow:
                self.follow.add(f)
                todo.extend(users.get(f.name, ()))
        self.follow |= set(more)

    def graph(self, f):
        if f not in self.graphs:
            self.graphs[f] = Graph(f)
        return self.graphs[f]

    def pick(self, name):
        """Of several definitions that with the VMA locks."""
        fs = [f for f in self.src.all.get(name, ()) if f in self.follow]
        return fs[0] if fs else None

    def kind(self, name):
        own = self.src.all.get(name)
        if own:
            return max((kind_of(self.src.head(f)) or '' for f in own), key=len)
        # what is not known of a tree without its headers
        return self.protos.get(name, 'pointer' if name in POINTERS else None)

    # -- which functions
    def reach(self, f, pat, seen=None):
        if seen is None:
            key = f, pat.pattern
            if key not in self.reached:
                self.reached[key] = self.reach(f, pat, set())
            return self.reached[key]
        if f in seen:
            return False
        seen.add(f)
        if pat.search(self.src.bodies[f]):
            return True
        return any(self.reach(g, pat, seen) for n in self.src.called(f) if n != f.name
                   for g in self.src.all[n] if g in self.follow)

    def roots(self):
        for f in self.src.funcs:
            if f not in self.follow:
                continue
            if self.what == 'flags':
                # where the lock is taken, by itself or by what it calls
                near = [f] + [g for n in self.src.called(f) for g in self.src.all[n]]
                if any(READ_WORDS.search(self.src.bodies[g]) for g in near) and self.reach(f, FLAG_WORDS):
                    yield f
                continue
            if self.reach(f, LOCK_WORDS) and (
                    not f.static or self.src.given_away(f) or
                    not any(u is not f and u in self.follow for u in self.users.get(f.name, ()))):
                yield f

    def run(self):
        todo, done = [(f, True) for f in self.roots()], set()
        while todo:
            f, whole = todo.pop(0)
            if f in done:
                continue
            done.add(f)
            if not self.judge(f, whole):
                # what it calls may be judged alone
                parts = [g for n in self.src.called(f) for g in [self.pick(n)]
                         if g and g is not f and self.reach(g, self.words)]
                if parts and not self.words.search(self.src.bodies[f]):
                    todo += [(g, False) for g in parts]
                else:
                    self.unsure[f] = 'too many paths'
            if not todo and self.what == 'lock':
                # those that no root reaches: callers in a ring
                todo = [(g, False) for g in self.src.funcs if g in self.follow and g not in done and
                        self.pick(g.name) is g and LOCK_WORDS.search(self.src.bodies[g]) and
                        not any(g.start <= p < g.end for p in self.seen)]
        for (at, name, words), alone in self.starts.items():
            if all(alone):
                self.say(at, name, words)
        return self

    def judge(self, f, whole):
        self.steps = 0
        try:
            ends = self.body(f, State(), [], ())
        except TooBig:
            return False
        for st, v, pos in ends if self.what == 'lock' else ():
            self.leaving(f, st, v, pos, whole)
        return True

    def leaving(self, f, st, v, pos, whole):
        failed = whole and v == ERR or whole and v == K0 and kind_of(self.src.head(f)) == 'pointer'
        for t in st.held:
            if v == ('tok', t) or t in st.kept and not failed or self.lock_of_caller(f, st, t, v):
                continue
            self.told(f, pos, t, st)

    def told(self, f, pos, t, s):
        there = pos != f.end
        words = '%s with the VMA read-locked by %s(), line %d' % (
            'return' if there else 'end of %s()' % f.name, t[1], self.src.line(t[0]))
        doubt = t in self.vague or ('lent', t) in s.env.values()
        self.say(pos, 'return' if there else '}',
                 ('WARNING: cannot tell whether this is a ' if doubt else 'ERROR: ') + words)

    def lock_of_caller(self, f, st, t, v):
        """A VMA that the caller has given, locked for it."""
        if not any(x == ('tok', t) and k in ['0:' + p for p in f.params] for k, x in st.env.items()):
            return False
        kind = kind_of(self.src.head(f))
        return v == K1 or kind != 'bool' and v in (None, K0) and re.search(r'lock|start_read', f.name)

    def say(self, pos, word, words):
        self.found.setdefault((pos, words), len(word))

    # -- one function
    def body(self, f, st, args, chain):
        """-> [(state, value, where)]"""
        g, fr = self.graph(f), Frame(f, len(chain), chain)
        env = dict(st.env)
        pre = '%d:' % fr.n
        for p, v in zip(f.params, args):
            if v is not None:
                env[pre + p] = v
        st = st.but(env=env)
        work, out = Work(g.start, st), []
        while work.heap:
            n, s = work.pop()
            s = work.new(n, s)
            if s is None:
                continue
            self.steps += 1
            if self.steps > MAX_STEPS:
                raise TooBig
            what, load, nxt, other = g.nodes[n]
            if what == 'end':
                out.append((s, None, f.end))
            elif what == 'nop':
                work.put(nxt, s)
            elif what == 'expr':
                for s2, _ in self.statement(load[1], s, fr):
                    work.put(nxt, s2)
            elif what == 'decl':
                for s2 in self.declare(load, s, fr):
                    work.put(nxt, s2)
            elif what == 'cond':
                for s2, yes in self.cond(load, s, fr):
                    work.put(nxt if yes else other, s2)
            elif what == 'each':
                for a in load[1]:
                    for s2, _ in self.ev(expr(a), s, fr)[:1]:
                        s = s2
                s = self.clobber(load, s, fr)
                work.put(nxt, s)
                work.put(other, s)
            elif what == 'switch':
                for s2, v in self.ev(load, s, fr):
                    own = load[0] == 'id' and load[1] in f.locals
                    for x in self.case(nxt, v if own else None, s2, fr):
                        work.put(x, s2)
            elif what == 'emptied':
                for name in load:
                    k = self.lkey(('id', name), s, fr)
                    s = self.guessed(s, self.elements(self.place(k, s), s))
                work.put(nxt, s)
            elif what in ('guard', 'unguard'):
                work.put(nxt, self.guard(load, s, what == 'guard'))
            elif what == 'return':
                for s2, v in self.ev(load[1], s, fr) if load[1] else [(s, None)]:
                    out.append((s2, v, load[2]))
        # locals are gone
        res = {}
        for s, v, pos in out:
            for k in [k for k in s.env if '[' + pre in k and not k.startswith(pre)]:
                s = self.somewhere(s, k, k[k.index('[' + pre):k.index(']') + 1])
            env = {k: x for k, x in s.env.items()
                   if pre not in k and not (x[0] in ('addr', 'same') and x[1].startswith(pre))}
            if chain:
                s = self.lost(f, s, env, v, pos)
            if v and v[0] in ('addr', 'same') and v[1].startswith(pre):
                v = NZ
            res.setdefault((s.key(), v, pos), (s, v, pos))
        return list(res.values())

    def case(self, cases, v, s, fr):
        """Where a switch goes: one way, if value and labels are constants."""
        if not v or v[0] not in ('k', 'name'):
            return [n for n, _ in cases]
        labels = [(n, e and self.ev(e, s, fr)[0][1]) for n, e in cases]
        return [n for n, x in labels if x == v] or [n for n, x in labels if not x or x[0] != v[0]]

    def lost(self, f, s, env, v, pos):
        """Leaves a function that was called: a lock that only its variables named
        is nobody's."""
        left = {x[1] for x in env.values() if x[0] == 'tok'}
        gone = {t for t in s.held - left - s.kept - self.nameless if v != ('tok', t)}
        for t in gone:
            self.told(f, pos, t, s)
        return s.but(env=env, held=s.held - gone) if gone or len(env) != len(s.env) else s

    def balanced(self, f):
        """Leaves it, called without a lock, none behind?"""
        if f not in self.known_calls:
            self.known_calls[f] = False     # not while that is being found out
            places = [('same', '*0:' + p) for p in f.params]
            self.known_calls[f] = not any(x.held for x, _, _ in self.body(f, State(), places, ((f, f.pos),)))
        return self.known_calls[f]

    def guard(self, load, s, on):
        words = {t for part in load for t, _ in part}
        for w, m in (('read', 'R'), ('write', 'W')):
            if any(x.startswith('mmap_%s_' % w) for x in words):
                return s.but(mm=add(s.mm, m) if on else drop(s.mm, m))
        return s

    def clobber(self, load, s, fr):
        for a in load[1][:2]:
            for t, _ in a:
                k = '%d:%s' % (fr.n, t)
                if k in s.env:
                    s = s.put(k, None)
        return s

    def declare(self, d, s, fr):
        states = [s]
        for name, pos, init, ptr, _ in d[1]:
            k = '%d:%s' % (fr.n, name)
            nxt = []
            for s in states:
                s = self.forget(s, k)
                if init is None:
                    nxt.append(s.put(k, None))
                elif init[0] == 'init':
                    self.braces(init[1], k, s, nxt, fr)
                else:
                    self.unread(init, name, pos, fr)
                    for s2, v in self.ev(init, s, fr):
                        nxt.append(self.store(s2, k, v, fr))
            states = [x for x, _ in unique([(x, None) for x in nxt])]
        return states

    def braces(self, toks, k, s, out, fr):
        states = [s]
        for part in split_top(toks[1:-1]):
            if len(part) > 3 and part[0][0] == '.' and part[2][0] == '=':
                states = [self.store(s3, k + '.' + part[1][0], v, fr) for s2 in states
                          for s3, v in self.ev(expr(part[3:]), s2, fr)]
        out.extend(states)

    def statement(self, e, s, fr):
        if e is None:
            return [(s, None)]
        self.ignored(e, s, fr)
        if e[0] == 'call' and e[1][0] == 'id' and e[2] and re.match(r'(VM_)?(WARN|BUG)_ON', e[1][1]):
            # what is asserted holds
            return unique([(x, None) for x, yes in self.cond(e[2][0], s, fr) if not yes]) or [(s, None)]
        if e[0] == 'asg' and e[1] == '=' and e[2][0] == 'id':
            self.unread(e[3], e[2][1], e[2][2], fr)
        pairs = self.ev(e, s, fr)
        if e[0] == 'call' and e[1][0] == 'id' and e[1][1] in STARTS and self.kind(e[1][1]):
            return [(s, None)]      # that was told
        if e[0] == 'call' and e[1][0] == 'id' and e[1][1] not in STARTS:
            pairs = self.ignored_own(e, s, pairs)
        return unique([(x, None) for x, _ in pairs])

    # -- results that nobody looks at
    def called(self, e):
        while e and e[0] == 'call' and e[1][0] == 'id' and e[1][1] in SEE_THROUGH and e[2]:
            e = e[2][0]
        return e if e and e[0] == 'call' and e[1][0] == 'id' else None

    def ignored(self, e, s, fr):
        if e[0] == 'comma':
            self.ignored(e[1], s, fr)
            return self.ignored(e[2], s, fr)
        if e[0] == 'call' and e[1][0] == 'id' and self.what == 'lock':
            name = e[1][1]
            if name in STARTS and self.kind(name):
                self.say(e[1][2], name, 'ERROR: result of %s() ignored: %s' % (name, self.meaning(name)))

    def meaning(self, name):
        if name == 'lock_mm_and_find_vma':
            return 'without a VMA the mmap lock is not held'
        return 'the VMA may not be locked'

    def ignored_own(self, e, s, pairs):
        """A function of this file that may return with a lock and without."""
        name = e[1][1]
        if self.what != 'lock' or not self.pick(name) or not self.kind(name):
            return pairs
        new = [x.held - s.held for x, _ in pairs]
        if any(new) and not all(new):
            self.say(e[1][2], name, 'ERROR: result of %s() ignored: the VMA may not be locked' % name)
            return unique([(self.guessed(x, x.held - s.held), None) for x, _ in pairs if x.held - s.held])
        return pairs

    def unread(self, e, name, pos, fr):
        c = self.called(e)
        if self.what != 'lock' or not c:
            return
        callee = c[1][1]
        if callee not in STARTS and callee not in TELLS or not self.kind(callee) or \
           name not in fr.f.locals or name in fr.f.params:
            return
        body = self.src.bodies[fr.f]
        uses = len(re.findall(r'(?<![\w.>])%s\b(?!\s*=[^=])' % re.escape(name), body))
        decl = len(re.findall(r'\b(?:struct\s+\w+|\w+)\s*[*]?\s*%s\s*[;,]' % re.escape(name), body))
        if uses - decl <= 0:
            self.say(c[1][2], callee, 'ERROR: result of %s() ignored: nothing reads %s' % (callee, name))

    # -- places
    def lkey(self, e, s, fr):
        what = e[0]
        if what == 'id':
            if e[1] in fr.f.locals or e[1] in fr.f.params:
                return '%d:%s' % (fr.n, e[1])
            return e[1]
        if what == 'call' and e[1][0] == 'id' and e[1][1] in SEE_THROUGH and e[2]:
            if e[1][1] == 'ACCESS_PRIVATE' and len(e[2]) > 1:
                k = self.points(e[2][0], s, fr)
                return k + '.' + text(e[2][1]) if k else None
            return self.lkey(e[2][0], s, fr)
        if what == 'mem':
            k = self.points(e[2], s, fr) if e[1] == '->' else self.lkey(e[2], s, fr)
            return k + '.' + e[3] if k else None
        if what == 'un' and e[1] == '*':
            return self.points(e[2], s, fr)
        if what == 'idx':
            k = self.lkey(e[1], s, fr)
            i = '?'
            if e[2] and e[2][0] == 'num':
                i = e[2][1]
            elif e[2] and e[2][0] == 'id':
                i = self.lkey(e[2], s, fr)  # until that changes
            return '%s[%s]' % (self.place(k, s), i) if k else None
        return None

    def points(self, e, s, fr):
        """What a pointer points at."""
        if e[0] == 'un' and e[1] == '&':
            return self.lkey(e[2], s, fr)
        k = self.lkey(e, s, fr)
        k = self.place(k, s) if k else k
        v = s.env.get(k) if k else None
        if v and v[0] == 'addr':
            return v[1]
        return '*' + k if k else None

    def forget(self, s, k):
        """What hangs on a variable that changes."""
        star, dot, idx, by = '*' + k + '.', k + '.', k + '[', '[' + k + ']'
        hang = [x for x in s.env if k in x and x != k]
        for x in hang:
            if by in x:
                s = self.somewhere(s, x, by)
        gone = [x for x in hang if x in s.env and (x.startswith((star, dot, idx)) or x == '*' + k or
                x[0] == '?' and re.search(r'(?<![\w.])%s(?![\w])' % re.escape(k), x))]
        if gone:
            env = {x: v for x, v in s.env.items() if x not in gone}
            s = s.but(env=env)
        return s

    def somewhere(self, s, k, by):
        """An element of an array of which the index is not known any more."""
        v = s.env[k]
        s = s.put(k, None)
        return s.put(k.replace(by, '[?%d]' % v[1][0]), v) if v[0] == 'tok' and v[1] in s.held else s

    def elements(self, k, s):
        return {v[1] for x, v in s.env.items() if v[0] == 'tok' and x.startswith(k + '[')}

    def own_array(self, k, fr):
        """An array of VMAs that is lost with the function."""
        m = re.match(r'(\d+):(\w+)\[', k)
        return m and m.group(2) in self.graph([*(f for f, _ in fr.chain), fr.f][int(m.group(1))]).arrays

    def store(self, s, k, v, fr):
        if k is None:
            if v and v[0] == 'tok':
                s = s.but(kept=s.kept | {v[1]})
            return s
        s = self.forget(s, k)
        if v and v[0] == 'tok' and k in self.freed(fr):
            s = s.but(held=s.held - {v[1]})     # unlocked where the variable ends
        if v and v[0] == 'tok' and (outside(k) or '[' in k and not self.own_array(k, fr)):
            s = s.but(kept=s.kept | {v[1]})
        if k.endswith('[?]'):
            if not v or v[0] != 'tok':
                return s
            self.vague.add(v[1])
            k = '%s%d]' % (k[:-1], v[1][0])
        return s.put(k, v)

    def freed(self, fr):
        """Variables whose end is an unlock of its own."""
        return ['%d:%s' % (fr.n, x) for x in self.graph(fr.f).freed]

    def alias(self, a, v, s, fr):
        """What a parameter stands for, when its value is not known."""
        if (v is None or v[0] == 'not') and a is not None and (a[0] in ('id', 'mem') or a[0] == 'un' and a[1] == '*'):
            k = self.lkey(a, s, fr)
            return ('same', self.place(k, s)) if k else None
        return v

    def place(self, k, s):
        """The place itself, for that of a parameter."""
        v = s.env.get(k)
        return v[1] if v and v[0] == 'same' else k

    def known(self, k, s):
        v = s.env.get(k) if k else None
        return s.env.get(v[1]) if v and v[0] == 'same' else v

    def resolved(self, e, s, fr):
        if not isinstance(e, tuple) or not e:
            return text(e)
        if e[0] in ('id', 'mem', 'idx') or e[0] == 'un' and e[1] == '*':
            k = self.lkey(e, s, fr)
            return self.place(k, s) if k else text(e)
        if e[0] == 'un':
            return e[1] + self.resolved(e[2], s, fr)
        if e[0] == 'bin':
            return '(%s %s %s)' % (self.resolved(e[2], s, fr), e[1], self.resolved(e[3], s, fr))
        return text(e)

    # -- expressions
    def ev(self, e, s, fr):
        """-> [(state, value)]"""
        if e is None:
            return [(s, None)]
        what = e[0]
        if what == 'num':
            return [(s, ('k', e[1]))]
        if what == 'id':
            n = e[1]
            if n in ('NULL', 'false'):
                return [(s, K0)]
            if n == 'true':
                return [(s, K1)]
            if n in self.graph(fr.f).named:
                return [(s, ('name', n))]
            return [(s, self.known(self.lkey(e, s, fr), s))]
        if what == 'mem':
            out = []
            for s2, _ in self.ev(e[2], s, fr) if e[2][0] not in ('id', 'mem') else [(s, None)]:
                k = self.lkey(e, s2, fr)
                out.append((s2, self.known(k, s2)))
            return out
        if what == 'un':
            return self.unary(e, s, fr)
        if what == 'asg':
            return self.assign(e, s, fr)
        if what == 'call':
            return self.call(e, s, fr)
        if what == 'comma':
            return [x for s2, _ in self.ev(e[1], s, fr) for x in self.ev(e[2], s2, fr)]
        if what == '?':
            return unique([x for s2, yes in self.cond(e[1], s, fr)
                           for x in self.ev(e[2] if yes else e[3], s2, fr)])
        if what == 'bin':
            if e[1] in ('&&', '||', '==', '!=', '<', '>', '<=', '>='):
                return [(s2, K1 if yes else K0) for s2, yes in self.cond(e, s, fr)]
            out = []
            for s2, a in self.ev(e[2], s, fr):
                for s3, b in self.ev(e[3], s2, fr):
                    out.append((s3, self.masked(e, a)))
            return unique(out)
        if what == 'idx':
            k = self.lkey(e, s, fr)
            return [(s2, self.known(k, s2)) for s2, _ in self.ev(e[2], s, fr)]
        if what == 'opaque':
            self.opaque(e[1])
        return [(s, None)]

    def opaque(self, toks):
        words = ' '.join(t for t, _ in toks if isinstance(t, str))
        if LOCK_WORDS.search(words) and self.what == 'lock':
            for t, p in toks:
                if t in STARTS:
                    self.seen.add(p)
                    self.say(p, t, 'WARNING: cannot tell anything of this %s(): it is in a statement expression' % t)

    def masked(self, e, a):
        """fault & MASK, of what handle_mm_fault() has returned"""
        if e[1] == '&' and a and a[0] == 'bits':
            names, bits = idents(e[3]), dict(a[1])
            if any(bits.get(n) for n in names):
                return NZ
            if names and all(bits.get(n) == 0 for n in names):
                return K0
        return None

    def unary(self, e, s, fr):
        op = e[1]
        if op == '&':
            k = self.lkey(e[2], s, fr)
            return [(s, ('addr', k) if k else NZ)]
        if op == '*':
            k = self.lkey(e, s, fr)
            return [(s2, self.known(k, s2)) for s2, _ in self.ev(e[2], s, fr)]
        if op == '!':
            return [(s2, K0 if yes else K1) for s2, yes in self.cond(e[2], s, fr)]
        if op in ('++', '--'):
            k = self.lkey(e[2], s, fr)
            if k:
                s = self.forget(s, k).put(k, None)
            return [(s, None)]
        out = []
        for s2, v in self.ev(e[2], s, fr):
            if op == '-' and (e[2][0] == 'id' and re.match(r'E[A-Z0-9]+$', e[2][1]) or
                              v and v[0] == 'k' and v[1] > 0):
                v = ERR
            elif op != '+':
                v = None
            out.append((s2, v))
        return out

    def assign(self, e, s, fr):
        out = []
        for s2, v in self.ev(e[3], s, fr):
            if e[1] != '=':
                v = None
            if self.what == 'flags':
                self.flag_write(e, s2, fr)
            if e[2][0] in ('id', 'mem', 'idx', 'call') or e[2][0] == 'un' and e[2][1] == '*':
                k = self.lkey(e[2], s2, fr)
                s2 = self.store(s2, k, v, fr)
            out.append((s2, v))
        return unique(out)

    # -- conditions
    def truth(self, v):
        if v is None:
            return None
        if v[0] == 'k':
            return v[1] != 0
        if v[0] in ('tok', 'not', 'nz', 'err', 'addr', 'new'):
            return True
        if v[0] == 'bits' and any(x for _, x in v[1]):
            return True
        return None

    def cond(self, e, s, fr):
        """-> [(state, bool)]"""
        if e is None:
            return [(s, True)]
        what = e[0]
        if what == 'cpp':
            return self.cpp(e, s)
        if what == 'un' and e[1] == '!':
            return [(s2, not yes) for s2, yes in self.cond(e[2], s, fr)]
        if what == 'bin' and e[1] in ('&&', '||'):
            out = []
            for s2, yes in self.cond(e[2], s, fr):
                if yes == (e[1] == '||'):
                    out.append((s2, yes))
                else:
                    out.extend(self.cond(e[3], s2, fr))
            return unique(out)
        if what == 'call' and e[1][0] == 'id' and e[2]:
            n = e[1][1]
            if n in SEE_THROUGH:
                return self.cond(e[2][0], s, fr)
            if n in ('IS_ERR', 'IS_ERR_OR_NULL', 'PTR_ERR_OR_ZERO'):
                return self.is_err(e, n, s, fr)
            if len(e[2]) == 1 and e[2][0] and e[2][0][0] in ('id', 'mem') and self.predicate(n):
                return self.same_again(n, e[2][0], s, fr)
            if n == 'fault_signal_pending':
                v = self.ev(e[2][0], s, fr)[0][1]
                if v and v[0] == 'bits' and dict(v[1]).get(DROPPED[0]) == 0:
                    return [(s, False)]
                return [(s, True), (s, False)]
        if what == 'bin' and e[1] in ('==', '!='):
            return self.equal(e, s, fr)
        if what == 'bin' and e[1] in ('<', '>', '<=', '>='):
            return self.relation(e, s, fr)
        out = []
        for s2, v in self.ev(e, s, fr):
            out.extend(self.decide(e, v, s2, fr))
        return unique(out)

    def relation(self, e, s, fr):
        out, op = [], e[1]
        if op in OPPOSITE:
            return [(s2, not yes) for s2, yes in self.relation(e[:1] + (OPPOSITE[op],) + e[2:], s, fr)]
        for s2, a in self.ev(e[2], s, fr):
            for s3, b in self.ev(e[3], s2, fr):
                if a == ERR:
                    a = ('k', -1)
                if a and b and a[0] == b[0] == 'k':
                    out.append((s3, a[1] < b[1] if op == '<' else a[1] > b[1]))
                elif a is None and b == K0 and op == '<' and e[2][0] == 'id' and self.worth(e[2], fr):
                    k = self.lkey(e[2], s3, fr)
                    out += [(s4.put(k, ERR) if yes else s4, yes) for s4, yes in self.remember(e, s3, fr)]
                else:
                    out += self.remember(e, s3, fr)
        return unique(out)

    def decide(self, e, v, s, fr):
        t = self.truth(v)
        if t is not None:
            return [(s, t)]
        if v and v[0] == 'bits':
            return [(s, True), (s, False)]
        if e[0] in ('id', 'mem') or e[0] == 'un' and e[1] == '*':
            k = self.lkey(e, s, fr)
            if k and self.worth(e, fr):
                k = self.place(k, s)
                return [(s.put(k, NZ), True), (s.put(k, K0), False)]
            return [(s, True), (s, False)]
        return self.remember(e, s, fr)

    def worth(self, e, fr):
        g = self.graph(fr.f)
        t = text(e)
        return t in g.often or fr.chain and t in g.watched or re.search(r'lock|vma', t)

    def remember(self, e, s, fr):
        """The same test further on has the same outcome, if nothing in it changes."""
        t = text(e)
        if t not in self.graph(fr.f).often and not (fr.chain and 'VMA' in t) or \
           any(x in t for x in ('++', '--', ' = ', '(_')) or re.search(r'\w\(', t):
            return [(s, True), (s, False)]
        k = '?' + self.resolved(e, s, fr)
        v = s.env.get(k)
        if v is not None:
            return [(s, v == K1)]
        return [(s.put(k, K1), True), (s.put(k, K0), False)]

    def predicate(self, name):
        """A test of this file that changes nothing: as long as the VMA is locked its
        answer stays."""
        key = 'predicate', name
        if key not in self.known_calls:
            fs = self.src.all.get(name, ())
            self.known_calls[key] = bool(fs) and self.kind(name) == 'bool' and not any(
                f in self.follow or SETS.search(self.src.bodies[f]) for f in fs)
        return self.known_calls[key]

    def same_again(self, name, a, s, fr):
        place = self.lkey(a, s, fr)
        v = self.known(place, s) if place else None
        if not place or v and v[0] not in ('tok', 'not'):
            return [(s, True), (s, False)]
        k = '?%s(%s)' % (name, v if v and v[0] == 'tok' else self.place(place, s))
        if k in s.env:
            return [(s, s.env[k] == K1)]
        return [(s.put(k, K1), True), (s.put(k, K0), False)]

    def becomes(self, s, k, v):
        """The VMA at a place is locked: what was said of it there stays."""
        tail = '(%s)' % k
        for x in [x for x in s.env if x[0] == '?' and x.endswith(tail)]:
            s = s.put(x[:-len(tail)] + '(%s)' % (v,), s.env[x])
        return s.put(k, v)

    def cpp(self, e, s):
        word = e[1]
        if 'CONFIG_PER_VMA_LOCK' in word or re.search(r'\bCONFIG_MMU\b', word):
            return [(s, not ('ifndef' in word or '!' in word))]
        k = '?' + word
        if k in s.env:
            return [(s, s.env[k] == K1)]
        return [(s.put(k, K1), True), (s.put(k, K0), False)]

    def is_err(self, e, n, s, fr):
        out = []
        for s2, v in self.ev(e[2][0], s, fr):
            if v is not None and v[0] in ('tok', 'not', 'addr', 'new'):
                out.append((s2, False))
            elif v == ERR:
                out.append((s2, True))
            elif v == K0:
                out.append((s2, n == 'IS_ERR_OR_NULL'))
            else:
                k = self.lkey(e[2][0], s2, fr)
                yes, no = s2, s2
                if k and self.worth(e, fr) and v is None:
                    no = s2.put(k, NZ) if n == 'IS_ERR_OR_NULL' else s2
                    yes = s2.put(k, ERR) if n != 'IS_ERR_OR_NULL' else s2
                out += [(yes, True), (no, False)]
        return unique(out)

    def equal(self, e, s, fr, there=False):
        """there: a test that wants it so; what is compared with is not NULL, unless
        that is said."""
        out, same = [], e[1] == '=='
        for s2, a in self.ev(e[2], s, fr):
            for s3, b in self.ev(e[3], s2, fr):
                if there and any(x in (K0, ERR) and y in (None, NZ) and not re.match(r'NULL$|ERR_PTR\b', text(of))
                                 for x, y, of in ((a, b, e[2]), (b, a, e[3]))):
                    out.append((s3, not same))
                elif there and a and b and a[0] == b[0] == 'tok':
                    out.append((s3, same))      # may be one VMA, locked twice
                elif e[3][0] == 'un' and e[3][1] == '-' and a == ERR or \
                   a is not None and b is not None and a == b == ERR:
                    out += [(s3, True), (s3, False)]
                elif b == K0 and self.truth(a) is not None:
                    out.append((s3, self.truth(a) != same))
                elif b == K0:
                    out.extend((x, yes != same) for x, yes in self.decide(e[2], a, s3, fr))
                elif a and b and a[0] in ('tok', 'k', 'addr') and b[0] in ('tok', 'k', 'addr'):
                    out.append((s3, (a == b) == same))
                elif b == ERR and a and a[0] in ('k', 'tok'):
                    out.append((s3, not same))
                elif a and a[0] == 'tok' or b and b[0] == 'tok':
                    t, o = (a, e[3]) if a and a[0] == 'tok' else (b, e[2])
                    k = self.lkey(o, s3, fr)
                    out += [(s3.put(k, t) if k else s3, same), (s3, not same)]
                elif a is None and b and b[0] == 'k' or b == ERR:
                    k = self.lkey(e[2], s3, fr)
                    if k and self.worth(e[2], fr):
                        out += [(s3.put(k, b), same), (s3, not same)]
                    else:
                        out += [(s3, True), (s3, False)]
                else:
                    out += self.remember(e, s3, fr)
        return unique(out)

    # -- calls
    def call(self, e, s, fr):
        fn, args, pos = e[1], e[2], e[3]
        name = fn[1] if fn[0] == 'id' else None
        if name in SEE_THROUGH and args:
            return self.ev(args[0], s, fr)
        if name in STORES and len(args) > 1:
            return self.assign(('asg', '=', args[0], args[1], pos), s, fr)
        if name in ASSERTS:
            i = 1 if name.startswith('KUNIT') else 0
            if len(args) > i:
                return [(s2, None) for s2, yes in self.cond(args[i], s, fr) if yes == bool(ASSERTS[name])]
        if name in ('KUNIT_ASSERT_PTR_EQ', 'KUNIT_EXPECT_PTR_EQ') and len(args) > 2:
            return [(s2, None) for s2, yes in self.equal(('bin', '==', args[1], args[2]), s, fr, True) if yes]
        if name in ('ERR_PTR', 'ERR_CAST') and args:
            return [(s2, ERR) for s2, _ in self.ev(args[0], s, fr)]
        if name in ('no_free_ptr', 'return_ptr') and args:
            return self.taken(args[0], s, fr)
        if name in ('PTR_ERR',) and args:
            return [(s2, ERR if v == ERR else None) for s2, v in self.ev(args[0], s, fr)]
        if name in ('IS_ERR', 'IS_ERR_OR_NULL', 'fault_signal_pending') and args:
            return [(s2, K1 if yes else K0) for s2, yes in self.cond(e, s, fr)]
        if name == 'PTR_ERR_OR_ZERO' and args:
            return [(s2, ERR if yes else K0) for s2, yes in self.cond(e, s, fr)]
        if name in NORETURN:
            return []
        states = [(s, [])]
        if name is None:
            states = [(s2, []) for s2, _ in self.ev(fn, s, fr)]
        for a in args:
            states = [(s3, vs + [v]) for s2, vs in states for s3, v in self.ev(a, s2, fr)]
        out = []
        for s2, vs in states:
            out.extend(self.call1(e, name, args, vs, s2, fr))
        return unique(out)

    def taken(self, e, s, fr):
        """Out of the variable that would have unlocked it."""
        k = self.lkey(e, s, fr)
        v = self.known(k, s)
        if v and v[0] == 'tok' and k in self.freed(fr):
            s = s.but(held=s.held | {v[1]})
        return [(s.put(k, K0) if k else s, v)]

    def call1(self, e, name, args, vs, s, fr):
        at = e[1][2] if e[1][0] == 'id' else e[3]
        if self.what == 'flags':
            r = self.flags_call(name, args, vs, s, fr, at)
            if r is not None:
                return r
        elif name in STARTS or name in SEM_START and any('vm_lock' in text(a) for a in args):
            return self.start(name, args, s, fr, at)
        elif name in ENDS and args:
            return [(self.unlock(args[0], vs[0], s, fr, at, name), None)]
        elif name in FAULT_ENDS:
            k = self.points(args[0], s, fr)
            return [(self.ended(s, s.env.get(k + '.vma') if k else None), None)]
        elif name in SEM_END and args and 'vm_lock' in text(args[0]):
            return [(self.ended(s, self.owner(args[0], s, fr)), None)]
        elif name == 'handle_mm_fault':
            return self.fault(args, vs, s, fr)
        if name in UNATTACHED:
            return [(s, NEW), (s, K0)]
        f = self.pick(name)
        if f is not None and f is not fr.f:
            if len(fr.chain) >= MAX_DEPTH or any(x is f for x, _ in fr.chain):
                raise TooBig
            if self.what == 'flags':
                return self.summary(f, vs, s, fr, at)
            if not s.held and self.reach(f, LOCK_WORDS) and self.balanced(f):
                for v in vs:
                    if v and v[0] == 'addr':
                        s = self.changed(s, v[1], self.assigned(name))
                return [(s, None)]
            vs = [self.alias(a, v, s, fr) for a, v in zip(args, vs)]
            return unique([(s2.but(mm=after(s2.mm, s.mm)), v) for s2, v, _ in
                           self.body(f, s, vs, fr.chain + ((fr.f, at),))])
        word = name or (e[1][3] if e[1][0] == 'mem' else '')
        for a, v in zip(args, vs):
            if v and v[0] == 'addr':
                # may be set there; a lock that is stored deeper down stays
                s = self.changed(s, v[1], self.assigned(name))
                if re.match(r'\d+:\w*lock\w*$', v[1]) and name not in self.src.all:
                    # it may say whether the VMA still is
                    for x in [x for x in vs if x and x[0] == 'tok' and x[1] in s.held]:
                        s = s.put('!%d' % x[1][0], ('lent', x[1]))
            elif v and v[0] == 'tok' and name not in self.src.all and MAY_END.search(word):
                s = self.guessed(s, {v[1]})
            elif v and v[0] == 'not' or v in (None, NZ) and a and a[0] in ('id', 'mem') and self.what == 'lock':
                s = self.locked_there(s, self.alias(a, None, s, fr), v, name, word)
        return [(s, None)]

    def locked_there(self, s, p, v, name, word):
        """What is not locked may be so after a call: by its name, or in a structure."""
        if p and v and v[0] == 'not' and name not in self.src.all and MAY_START.search(word):
            return s.put(self.place(p[1], s), None)
        star = p and v in (None, NZ) and '*%s.' % p[1]
        for k in [k for k, x in s.env.items() if star and k.startswith(star) and k.endswith('vma') and
                  (x in (K0, ERR) or x[0] == 'not')]:
            sets = self.assigned(name)
            if sets is None or k.split('.')[-1] in sets:
                s = s.put(k, None)
        return s

    def summary(self, f, vs, s, fr, at):
        """What a function does to the mmap lock; each case of it once."""
        mine = tuple(v if v in (K0, K1, NEW) else ('addr', 'own:') if v and v[0] == 'addr' and not outside(v[1])
                     else None for v in vs)
        key = f, s.mm, mine
        if key not in self.known_calls:
            ends = self.body(f, State(mm=s.mm), list(mine), fr.chain + ((fr.f, at),))
            self.known_calls[key] = {(after(x.mm, s.mm), v if v in (K0, K1, NZ, ERR, NEW) else None)
                                     for x, v, _ in ends}
        for v in vs:
            if v and v[0] == 'addr':
                s = self.changed(s, v[1])
        return [(s.but(mm=mm), v) for mm, v in sorted(self.known_calls[key], key=str)]

    def assigned(self, name, seen=None):
        """Members that a function of this file sets; None: it is of another."""
        if seen is None:
            if name not in self.src.all:
                return None
            if name not in self.sets:
                self.sets[name] = self.assigned(name, set())
            return self.sets[name]
        out = set()
        if name not in seen:
            seen.add(name)
            for f in self.src.all[name]:
                out.update(SETS.findall(self.src.bodies[f]))
                for n in self.src.called(f):
                    out |= self.assigned(n, seen)
        return out

    def changed(self, s, k, members=None):
        dead = [x for x, v in s.env.items() if x == k or x.startswith((k + '.', '*' + k)) and v[0] != 'tok' and
                (members is None or x.split('.')[-1] in members)]
        return s.but(env={x: v for x, v in s.env.items() if x not in dead}) if dead else s

    def owner(self, e, s, fr):
        """The VMA whose vm_lock this is."""
        if e[0] == 'un':
            return self.owner(e[2], s, fr)
        if e[0] == 'mem':
            if e[3] == 'vm_lock':
                k = self.lkey(e[2], s, fr)
                return s.env.get(k) if k else None
            return self.owner(e[2], s, fr)
        return None

    def owner_key(self, e, s, fr):
        if e[0] == 'un':
            return self.owner_key(e[2], s, fr)
        if e[0] == 'mem':
            return self.lkey(e[2], s, fr) if e[3] == 'vm_lock' else self.owner_key(e[2], s, fr)
        return None

    def start(self, name, args, s, fr, at):
        self.seen.add(at)
        chain = tuple(p for _, p in fr.chain)
        t = (at, name, chain)
        if t in s.held and t not in s.kept and not any(
                x == ('tok', t) and '[?' in k for k, x in s.env.items()):
            self.say(at, name, 'ERROR: %s() again, with the VMA of the last pass still read-locked' % name)
            s = s.but(held=s.held - {t})
        had = s.but(held=s.held | {t}, kept=s.kept - {t}).put('!%d' % at, None)
        v, lost = ('tok', t), ('not', t)
        if name in SEM_START:
            k = next((self.owner_key(a, s, fr) for a in args if 'vm_lock' in text(a)), None)
            if k:
                had = self.becomes(had, self.place(k, s), v)
            else:
                self.nameless.add(t)
            return [(had, K1), (s, K0)] if name == 'down_read_trylock' else [(had, None)]
        i = STARTS[name]
        if i is None:
            out = [(had, v), (s, K0)]
            return out + [(s, ERR)] if name == 'lock_next_vma' else out
        kind = self.kind(name)
        i = len(args) - 1 if name == 'vma_start_read' and len(args) > 1 else i
        k = self.lkey(args[i], s, fr) if len(args) > i else None
        if k:
            k = self.place(k, s)
            old = s.env.get(k)
            if old and old[0] == 'tok' and old[1] in s.held - {t}:
                self.nameless.add(t)    # once more
            else:
                s, had = s.put(k, lost), self.becomes(had, k, v)
        else:
            self.nameless.add(t)
        if kind == 'pointer':
            return [(had, v), (s, K0), (s, ERR)]
        if kind == 'int':
            return [(had, K0), (s, ERR)]
        if kind == '':
            return [(had, None)]
        return [(had, K1), (s, K0)]

    def ended(self, s, v):
        if v and v[0] == 'tok':
            return s.but(held=s.held - {v[1]})
        if v is not None and v != NZ:
            return s
        # not known which one: one that no variable names, or else any
        named = {x[1] for x in s.env.values() if x[0] == 'tok'}
        return self.guessed(s, s.held - named or s.held)

    def guessed(self, s, gone):
        """Unlocked, it seems: not sure enough to call it wrong if that is done again."""
        env = {k: NZ if v[0] == 'tok' and v[1] in gone else v for k, v in s.env.items()}
        return s.but(held=s.held - gone, env=env)

    def unlock(self, e, v, s, fr, at, name):
        wrong, k = None, e[0] == 'idx' and self.lkey(e, s, fr)
        if k and k not in s.env:
            some = self.elements(k[:k.rindex('[')], s) & s.held
            if some:
                return self.guessed(s, some)
        if v == K0:
            wrong = 'where that is NULL'
        elif v == ERR:
            wrong = 'where that is an error'
        elif v and v[0] == 'not':
            wrong = 'where %s(), line %d, has failed' % (v[1][1], self.src.line(v[1][0]))
        elif v and v[0] == 'tok' and v[1] not in s.held:
            if s.held & self.nameless:
                return self.ended(s, None)      # locked twice
            wrong = 'that is no longer read-locked'
        if wrong:
            self.say(at, name, 'ERROR: %s() of %s, %s' % (name, text(e), wrong))
        elif v in (None, NZ) and s.held and not s.held & (self.nameless | s.kept):
            self.say(at, name, 'WARNING: cannot tell whether %s() of %s unlocks the VMA that is read-locked' % (
                name, text(e)))
        return self.ended(s, v)

    def fault(self, args, vs, s, fr):
        """handle_mm_fault() has let go of the lock if it says so."""
        words = idents(args)
        under = FAULT in words or any(re.search(r'\b%s\s*\|=[^;]*\b%s\b' % (re.escape(w), FAULT), self.src.bodies[fr.f])
                                      for w in words)
        if not under or not s.held:
            return [(s, None)]
        gone = self.ended(s, vs[0] if vs and vs[0] and vs[0][0] == 'tok' else None)
        a, b = DROPPED
        return [(s, ('bits', ((a, 0), (b, 0)))), (gone, ('bits', ((a, 1), (b, 0)))),
                (gone, ('bits', ((a, 0), (b, 1))))]

    # -- flags
    def flags_call(self, name, args, vs, s, fr, at):
        if name in MMAP or name in MMAP_SEM and args and any(
                re.search(r'mmap_(?:lock|sem)\b', x) for x in (text(args[0]), str(vs[0]))):
            m, how = MMAP.get(name) or MMAP_SEM[name]
            # no VMA stays write-locked where the mmap lock could be had for reading
            on = s.but(mm=add(s.mm.replace('w', '') if m == 'R' and name in MMAP else s.mm, m))
            if how == 'un':
                return [(s.but(mm=drop(s.mm, m)), None)]
            if how == 'down':
                return [(s.but(mm=add(add(drop(s.mm, 'W'), 'R'), 'd')), None)]
            if how == 'err':
                return [(on, K0), (s, ERR)]
            if how == 'try':
                return [(on, K1), (s, K0)]
            return [(on, None)]
        if name in WRITE_SHOWN:
            return [(s.but(mm=add(s.mm, 'w')), None)]
        if name in FLAGS and args:
            self.seen.add(at)
            self.flags_under(args[0], vs[0], s, fr, at, name + '()')
            return [(s, None)]
        if name in WRITE_STARTS and args:
            # which lock there is may hang on what a caller says: see run()
            words = 'ERROR: %s() of %s under mmap_read_lock() alone' % (name, text(args[0]))
            self.starts.setdefault((at, name, words), []).append(self.alone(vs[0], s))
            return [(s, K0), (s, ERR)] if name == 'vma_start_write_killable' else [(s, None)]
        if name in WORDS and args:
            a = args[0]
            if a[0] == 'un' and a[1] == '&' and a[2][0] == 'mem' and self.is_vma(a[2][2], fr):
                b = a[2][2]
                self.flags_under(b, s.env.get(self.lkey(b, s, fr)), s, fr, at, name + '()')
            return [(s, None)]
        return None

    def is_vma(self, e, fr):
        if e[0] == 'mem':
            return e[3] == 'vma'
        if e[0] == 'un' and e[1] == '*':
            return True
        if e[0] != 'id':
            return False
        n = e[1]
        if re.match(r'\w*vma$', n):
            return True
        whole = self.src.text[fr.f.pos:fr.f.end]
        return bool(re.search(r'\bstruct\s+vm_area_struct\b[^;(){}]*[*\s]%s\b' % re.escape(n), whole))

    def flag_write(self, e, s, fr):
        x = e[2]
        while x[0] == 'call' and x[1][0] == 'id' and x[1][1] in SEE_THROUGH and x[2]:
            if x[1][1] == 'ACCESS_PRIVATE' and len(x[2]) > 1 and text(x[2][1]) in MEMBERS:
                x = ('mem', '->', x[2][0], text(x[2][1]), x[1][2])
                break
            x = x[2][0]
        if x[0] == 'mem' and x[3] in MEMBERS and x[1] == '->' and self.is_vma(x[2], fr):
            k = self.lkey(x[2], s, fr)
            self.flags_under(x[2], s.env.get(k) if k else None, s, fr, x[4], x[3])

    def flags_under(self, e, v, s, fr, at, what):
        if self.alone(v, s):
            self.say(at, what.rstrip('()'), 'ERROR: %s of %s under mmap_read_lock() alone' % (what, text(e)))

    def alone(self, v, s):
        """Nothing but mmap_read_lock(), and others know the VMA."""
        if 'R' not in s.mm or 'W' in s.mm or 'w' in s.mm or v == NEW:
            return False
        # not one of its own, on the stack
        return not (v and v[0] == 'addr' and not outside(v[1]) and '.' not in v[1])


def add(mm, m):
    return mm if m in mm else ''.join(sorted(mm + m))


def drop(mm, m):
    mm = mm.replace(m, '')
    return mm.replace('w', '') if m == 'W' else mm.replace('d', '')


def after(inner, outer):
    """A function that may downgrade mostly was told whether to: the caller knows."""
    return '' if 'd' in inner and 'd' not in outer else inner


# ------------------------------------------------------------ a file

def blank_defines(src):
    """Text without directives' lines, for the search of calls."""
    return CPP.sub(spaces, src.nocom)


@roomy
def findings(path):
    """-> [(line, column, length, words)]"""
    with open(path, errors='replace') as f:
        raw = f.read()
    locks = LOCK_WORDS.search(raw) or TELL_WORDS.search(raw)
    flags = FLAG_WORDS.search(raw) and READ_WORDS.search(raw)
    if not locks and not flags:
        return []
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 6000))
    src, out = Text(path, raw), {}
    protos = dict(prototypes(tree_root([path])))
    protos.update(declared(src.text, {}))
    for what in ['lock'] * bool(locks) + ['flags'] * bool(flags):
        a = Analysis(src, what, protos).run()
        out.update(a.found)
        for f, why in a.unsure.items():
            out[(f.pos, 'WARNING: cannot tell whether %s() %s: %s' % (
                f.name, 'unlocks every VMA that it locks' if what == 'lock' else 'holds the mmap lock for writing',
                why))] = len(f.name)
        if what == 'lock':
            ignored_tells(a, out)
            not_followed(a, out)
    res = []
    for (pos, words), n in out.items():
        line, col = src.line(pos), src.col(pos)
        res.append((line, col, n, words))
    return sorted(res)


def ignored_tells(a, out):
    """Results that need no path: the call is the whole statement, or nothing reads
    the variable."""
    def look(f, x):
        if not isinstance(x, (tuple, list)):
            return
        if isinstance(x, tuple) and x and x[0] == 'expr' and len(x) == 3 and isinstance(x[1], tuple):
            e = x[1]
            if e[0] == 'call' and e[1][0] == 'id' and e[1][1] in TELLS and a.kind(e[1][1]):
                out[(e[1][2], 'ERROR: result of %s() ignored: %s' % (e[1][1], a.meaning(e[1][1])))] = len(e[1][1])
            elif e[0] == 'asg' and e[1] == '=' and e[2][0] == 'id':
                a.unread(e[3], e[2][1], e[2][2], Frame(f, 0, ()))
        elif isinstance(x, tuple) and x and x[0] == 'decl':
            for name, pos, init, _, _ in x[1]:
                if init and init[0] != 'init':
                    a.unread(init, name, pos, Frame(f, 0, ()))
        else:
            for y in x:
                look(f, y)

    for f in a.src.funcs:
        if TELL_WORDS.search(a.src.bodies[f]):
            look(f, a.src.tree(f))
    out.update(a.found)


def not_followed(a, out):
    """Calls that no path reached: they are told, not forgotten."""
    plain = blank_defines(a.src)
    for m in re.finditer(r'\b(%s)\s*\((?!\s*(?:const\s+)?struct\b)' % '|'.join(sorted(STARTS)), plain):
        pos = m.start(1)
        if pos in a.seen or re.match(r'[^\n]*\bvoid\b', plain[m.end():m.end() + 6]):
            continue
        f = a.src.func_at(pos)
        if f in a.unsure or any(f is not None and a.reach(r, re.compile(r'\b%s\b' % f.name)) for r in a.unsure):
            continue
        if quoted_at(a.src, pos):
            continue
        why = 'the function could not be parsed' if f is None else 'no path that was followed comes here'
        out[(pos, 'WARNING: cannot tell anything of this %s(): %s' % (m.group(1), why))] = len(m.group(1))


def quoted_at(src, pos):
    line = src.nocom[src.nocom.rfind('\n', 0, pos) + 1:pos]
    return line.count(DQ) % 2 == 1


RUN = {}


def of(path):
    if path not in RUN:
        try:
            RUN[path] = findings(path)
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as e:
            # C that the parser does not know: told, not forgotten
            RUN[path] = [(1, 0, 1, 'WARNING: cannot tell anything of this file: %s' % (str(e) or type(e).__name__))]
    return RUN[path]


def report(files, org=False):
    for path in files:
        for line, col, n, words in of(path):
            if org:
                print('* TODO [[view:%s::face=ovl-face1::linb=%d::colb=%d::cole=%d][%s]]' % (
                    path, line, col, col + n, words.replace('[', '(').replace(']', ')')))
            else:
                print('%s:%d:%d-%d: %s' % (path, line, col, col + n, words))
    sys.stdout.flush()


def coverage():
    if RUN:
        sys.stderr.write('coverage: %d file%s seen by this rule\n' % (len(RUN), '' if len(RUN) == 1 else 's'))


def pointed_at(p):
    return any((int(p[0].line), int(p[0].column)) == x[:2] for x in of(p[0].file))


def main():
    if not sys.argv[1:] or sys.argv[1][:1] == '-':
        print('usage: python3 -m walklock.vmaread FILE...\n'
              'what coccinelle/vma_lock_result.cocci says of these files, without spatch;\n'
              'exit code 0: nothing, 1: findings, 2: a file cannot be read')
        return 0 if sys.argv[1:] in (['--help'], ['-h']) else 2
    try:
        report(sys.argv[1:])
    except OSError as e:
        sys.stderr.write('vmaread: %s\n' % e)
        return 2
    coverage()
    return 1 if any(RUN.values()) else 0


if __name__ == '__main__':
    sys.exit(main())
