# SPDX-License-Identifier: GPL-2.0
"""Which locks are held where: follows every path of a function, with the values
of flags that decide a branch, and gives the lock states at each walk."""
import re
from .source import (
    BUDGETS, MAX_INLINE, MAX_STATES, MAX_VALUES, Parser, TOKEN, TRANSPARENT, WALK, expr, idents,
    matching, split_top)

# ------------------------------------------------------------------ locks

# name: (class, mode, how it may fail); class M mmap, I i_mmap, S by semaphore
LOCK = {}
for _c, _a, _b in (('M', 'mmap_read', 'mmap_write'),):
    for _n, _m in ((_a, 'R'), (_b, 'W')):
        LOCK[_n + '_lock'] = (_c, _m, '')
        LOCK[_n + '_lock_nested'] = (_c, _m, '')
        LOCK[_n + '_lock_killable'] = (_c, _m, 'err')
        LOCK[_n + '_lock_interruptible'] = (_c, _m, 'err')
        LOCK[_n + '_trylock'] = (_c, _m, 'try')
for _n, _m in (('read', 'R'), ('write', 'W')):
    LOCK['i_mmap_lock_' + _n] = ('I', _m, '')
    LOCK['i_mmap_trylock_' + _n] = ('I', _m, 'try')
    LOCK['down_' + _n] = ('S', _m, '')
    LOCK['down_' + _n + '_nested'] = ('S', _m, '')
    LOCK['down_' + _n + '_nest_lock'] = ('S', _m, '')
    LOCK['down_' + _n + '_killable'] = ('S', _m, 'err')
    LOCK['down_' + _n + '_killable_nested'] = ('S', _m, 'err')
    LOCK['down_' + _n + '_interruptible'] = ('S', _m, 'err')
    LOCK['down_' + _n + '_trylock'] = ('S', _m, 'try')
LOCK.update({
    'mmap_assert_locked': ('M', 'A', ''), 'mmap_assert_write_locked': ('M', 'W', 'assert'),
    'i_mmap_assert_locked': ('I', 'R', 'assert'),
    'i_mmap_assert_write_locked': ('I', 'W', 'assert'),
    'lockdep_assert_held': ('S', 'A', ''), 'lockdep_assert_held_read': ('S', 'R', 'assert'),
    'lockdep_assert_held_write': ('S', 'W', 'assert'),
    'rwsem_assert_held': ('S', 'A', ''), 'rwsem_assert_held_write': ('S', 'W', 'assert'),
    'rwsem_assert_held_nolockdep': ('S', 'A', ''),
    'rwsem_assert_held_write_nolockdep': ('S', 'W', 'assert'),
})
UNLOCK = {'mmap_read_unlock': 'M', 'mmap_read_unlock_non_owner': 'M',
          'mmap_write_unlock': 'M', 'i_mmap_unlock_read': 'I',
          'i_mmap_unlock_write': 'I', 'up_read': 'S', 'up_write': 'S',
          'up_read_non_owner': 'S'}
DOWNGRADE = {'mmap_write_downgrade': 'M', 'downgrade_write': 'S'}
# index of the VMA argument; each write-locks the VMA or asserts that it is
VMAW = {'vma_start_write': 0, 'vm_flags_set': 0, 'vm_flags_clear': 0,
        'vm_flags_mod': 0, 'vm_flags_reset': 0, 'vm_flags_reset_once': 0,
        '__vma_start_write': 0, 'vma_assert_write_locked': 0}
VMAR_GET = {'lock_vma_under_rcu', 'lock_next_vma', 'uffd_lock_vma'}
FINDERS = {'find_vma': 0, 'vma_lookup': 0, 'find_vma_intersection': 0,
           'find_exact_vma': 0, 'find_extend_vma': 0, 'find_extend_vma_locked': 0,
           'find_vma_prev': 0, 'vma_next': 'it', 'vma_prev': 'it',
           'vma_find': 'it', 'vma_iter_load': 'it', 'vma_iter_next_range': 'it',
           'vma_iter_prev_range': 'it', 'mas_find': 'it', 'mas_next': 'it',
           'mas_prev': 'it', 'mas_walk': 'it', 'mas_find_range': 'it',
           'lock_vma_under_rcu': 0, 'lock_next_vma': 0, 'find_first_vma': 0,
           'get_gate_vma': 0}
ITERS = {'for_each_vma': 1, 'for_each_vma_range': 1, 'mas_for_each': 1}
GUARDS = {'mmap_read_lock': ('M', 'R'), 'mmap_write_lock': ('M', 'W'),
          'mmap_read_lock_try': ('M', 'R'), 'mmap_write_lock_try': ('M', 'W'),
          'mmap_read_trylock': ('M', 'R'), 'mmap_write_trylock': ('M', 'W'),
          'mmap_read_lock_killable': ('M', 'R'), 'mmap_write_lock_killable': ('M', 'W'),
          'mmap_write_lock_kill': ('M', 'W'), 'mmap_read_lock_kill': ('M', 'R'),
          'rwsem_read': ('S', 'R'), 'rwsem_write': ('S', 'W'),
          'rwsem_read_try': ('S', 'R'), 'rwsem_write_try': ('S', 'W'),
          'rwsem_read_intr': ('S', 'R'), 'rwsem_write_kill': ('S', 'W'),
          'i_mmap_lock_read': ('I', 'R'), 'i_mmap_lock_write': ('I', 'W'),
          'i_mmap_read': ('I', 'R'), 'i_mmap_write': ('I', 'W'),
          'vma_start_write': ('V', 'w')}
ALLOC = {'kzalloc', 'kmalloc', 'kvzalloc', 'kvmalloc', 'kcalloc', 'kmemdup',
         'kzalloc_obj', 'kmalloc_obj', 'kzalloc_node', 'kmalloc_node',
         'vzalloc', 'vmalloc', 'devm_kzalloc', 'devm_kmalloc', 'kvcalloc',
         'kmalloc_array', 'kzalloc_objs', 'kmalloc_objs'}
HARMLESS = {'memset', 'pr_debug', 'pr_info', 'printk', 'trace_printk',
            'kfree', 'kvfree', 'vfree', 'IS_ERR', 'IS_ERR_OR_NULL', 'BUILD_BUG_ON',
            'ARRAY_SIZE', 'sizeof', 'pr_warn', 'pr_err', 'lockdep_assert'}
PRIMS = set(LOCK) | set(UNLOCK) | set(DOWNGRADE) | set(VMAW) | VMAR_GET | \
    set(WALK) | {'vma_start_write_killable', 'vma_start_read', 'vma_end_read',
                 'vma_start_read_locked', 'vma_start_read_locked_nested',
                 'vma_assert_locked', 'guard', 'scoped_guard', 'scoped_cond_guard'}
ENTERS = set(WALK)
# may release the mmap lock or the VMA lock of whoever calls
DROPPERS = {'release_fault_lock', 'fixup_user_fault', 'maybe_unlock_mmap_for_io',
            'faultin_page', '__get_user_pages_locked', 'vma_end_write_all',
            'expand_stack', 'handle_mm_fault', 'do_vmi_munmap', 'do_vmi_align_munmap'}
# with these in sight handle_mm_fault() may
RETRIES = {'FAULT_FLAG_ALLOW_RETRY', 'FAULT_FLAG_DEFAULT', 'VM_FAULT_RETRY', 'VM_FAULT_COMPLETED'}

# values that tell paths apart
TABLES = {'t', 'fn', 'obj', 'set', 'addr', 'it'}

ERROR = ('k', '-')
GATE = 'get_gate_vma'

CAPITALS = frozenset('_ABCDEFGHIJKLMNOPQRSTUVWXYZ')
CONSTANT = re.compile(r'_{0,2}[A-Z][A-Z0-9_]+$')
PLACE = re.compile(r'\**(\w+)%(\d+)')
PART = re.compile(r'[\w%>.()$*\[\]-]*[\w)\]%]')
UNK, K0, K1 = ('u',), ('k', 0), ('k', 1)


class TooBig(Exception):
    pass


def named(v):
    """The text in which a value names others, or an empty one."""
    while v[0] == 'not':
        v = v[1]
    return v[1] if len(v) > 1 and isinstance(v[1], str) else ''


def fact(st, v):
    """What is known of a value, as a condition."""
    if v is None:
        return None
    if v[0] == 'k':
        return ('eq', v[1])
    c = st.c.get(v[1]) if v[0] == 's' else None
    return c if c and c[0] in ('eq', 'ne', 'in') else None


class St:
    __slots__ = ('l', 'e', 'c', '_k', '_h', '_j', '_n')

    def __init__(self, l=None, e=None, c=None):
        self.l, self.e, self.c = l or {}, e or {}, c or {}
        self._k = self._h = self._j = self._n = None

    def copy(self):
        return St(dict(self.l), dict(self.e), dict(self.c))

    def key(self):
        if self._k is None:
            self._k = (frozenset(self.l.items()), frozenset(self.e.items()),
                       frozenset(self.c.items()))
        return self._k

    def le(self):
        if self._h is None:
            self._h = (frozenset(self.l.items()), frozenset(self.e.items()))
        return self._h

    def names(self):
        """-> (what locks and values name, and the places and conditions too)"""
        if self._n is None:
            v = '\n'.join([k[1] for k in self.l] + [named(v) for v in self.e.values()])
            self._n = v, '\n'.join([v, *self.e, *self.c])
        return self._n

    def meet(self, o):
        return St(self.l, self.e, both(self.c, o.c))

    def setl(self, k, v):
        s = self.copy()
        s.l[k] = v
        return s

    def sete(self, k, v):
        s = self.copy()
        if v == UNK:
            s.e.pop(k, None)
        else:
            s.e[k] = v
        return s

    def setc(self, k, v):
        s = self.copy()
        s.c[k] = v
        return s


def both(a, b):
    """What is known of values on either of two paths."""
    out = {}
    for k, v in a.items():
        w = b.get(k)
        if w == v:
            out[k] = v
        elif w is not None:
            v, w = (w, v) if v[0] == 'ne' else (v, w)
            if v[0] == 'ne':
                if v[1] & w[1]:
                    out[k] = ('ne', v[1] & w[1])
            elif v[0] in ('eq', 'in') and w[0] == 'ne':
                left = frozenset(x for x in w[1] if not possible(v, x))
                if left:
                    out[k] = ('ne', left)
            elif v[0] in ('eq', 'in') and w[0] in ('eq', 'in'):
                some = values(v) | values(w)
                if len(some) <= MAX_VALUES:
                    out[k] = oneof(some)
    return out


def values(c):
    return frozenset({c[1]}) if c[0] == 'eq' else c[1]


def possible(c, x):
    """May a value that is one of these be x?  A name may stand for any number
    (an error not for 0), and not for what another name stands for."""
    return any(y == x or isinstance(y, str) != isinstance(x, str) and
               not (0 in (x, y) and '-' in str(x)[:1] + str(y)[:1]) for y in values(c))


def oneof(some):
    return ('eq', min(some)) if len(some) == 1 else ('in', frozenset(some))


def uniq(states):
    """Paths that meet with the same locks and values become one: what holds
    on both of them stays known."""
    if len(states) < 2:
        return states
    seen = {}
    for s in states:
        k = s.le()
        o = seen.get(k)
        if o is None:
            seen[k] = s
        elif o is not s and o.c != s.c:
            seen[k] = o.meet(s)
    return list(seen.values())


def uniqv(pairs):
    if len(pairs) < 2:
        return pairs
    seen = {}
    for s, v in pairs:
        k = (s.le(), v)
        o = seen.get(k)
        if o is None:
            seen[k] = s
        elif o is not s and o.c != s.c:
            seen[k] = o.meet(s)
    return [(s, k[1]) for k, s in seen.items()]


def narrow(states, width=MAX_STATES):
    """Too many states: forgets what is least worth, locks never."""
    states = uniq(states)
    if len(states) <= width:
        return states
    states = uniq([forget(s, lambda k, v: v[0] in ('t', 'addr', 'it', 'set', 'k', 'or') or
                          len(v) > 1 and ('prov:' + str(v[1]) in s.c or ('V', v[1]) in s.l or
                                          str(v[1]).startswith(GATE))) for s in states])
    if len(states) <= width:
        return states
    states = uniq([forget(s, lambda k, v: v[0] in ('t', 'addr', 'it', 'set')) for s in states])
    if len(states) <= max(width, 24):
        return states
    raise TooBig()


def forget(s, keep):
    """Values that are not known any more; nor is what they locked."""
    gone = {k for k, v in s.e.items() if not keep(k, v)}
    l = s.l
    if gone:
        pat = re.compile(r'(?<![\w%$])(?:' + '|'.join(re.escape(g) for g in gone) + r')(?![\w%$])')
        l = {k: v for k, v in s.l.items() if not pat.search(k[1])}
    return St(l, {k: v for k, v in s.e.items() if k not in gone},
              {k: v for k, v in s.c.items() if v[0] == 'prov'})


class Frame:
    def __init__(self, func, fid, depth):
        self.f, self.id, self.depth = func, fid, depth
        self.rets, self.gotos, self.met, self.brk, self.cont = [], {}, {}, [], []


class Walk:
    """One walk met on one path."""
    __slots__ = ('tids', 'src', 'pos', 'func', 'entry', 'st', 'mm', 'vma', 'site', 'whole', 'chain')


class Interp:
    def __init__(self, proj, chain, want=None):
        self.p, self.chain, self.want = proj, chain, want
        self.walks, self.frames, self.steps = [], {}, 0
        self.inlined, self.skipped = set(), set()
        self.fuzzy, self.escapes = set(), set()
        self.lv2t = {}
        self.seen_walks, self.calls = set(), {}
        self.stack = []
        self.visited, self.copied = set(), set()
        self.framef = {}
        self.width, self.budget, self.lossy = MAX_STATES, BUDGETS[0], False
        self.coarse, self.vague, self.held_back = 0, False, []
        self.only, self.end, self.loops = None, None, 0
        self.asked = set()      # names of which it mattered whether the chain has them

    def narrow(self, states, v=UNK):
        if self.coarse:
            self.held_back.append(self.text(v))
            states = self.join(states)
            self.held_back.pop()
            return states
        if len(states) > self.width:
            self.vague = True
        return narrow(states, self.width)

    # -- paths become one where they meet ---------------------------------
    def join(self, states):
        """One state for each set of locks held and of flags that are known
        (at the second level: fewer flags); of all else remains what holds on
        all paths."""
        if len(states) < 2:
            return states
        groups = {}
        for s in states:
            s = self.swept(s)
            k = self.joinkey(s)
            o = groups.get(k)
            groups[k] = s if o is None else self.merge(o, s)
        if len(groups) > self.width:
            raise TooBig()
        return list(groups.values())

    def joinkey(self, s):
        if s._j and s._j[0] == self.coarse:
            return s._j[1]
        locked, e = None, []
        for k, v in s.e.items():
            how = v[0]
            if how == 'k':
                # numbers in variables mostly are results and counters
                name = isinstance(v[1], str)
                if self.coarse == 1 or name and v[1][0] != '-' or '.' in k or '->' in k or k[:4] == 'def:':
                    e.append((k, ERROR if name and v[1][0] == '-' else v))
            elif how == 's':
                if locked is None:
                    locked = ' '.join([q[1] for q in s.l])
                if v[1] in locked or v[1].startswith(GATE):
                    e.append((k, v))
            elif how in TABLES or how == 'not' and self.coarse == 1:
                e.append((k, v))
        key = (frozenset([(k, v[0]) for k, v in s.l.items()]), frozenset(e),
               frozenset([(k, v) for k, v in s.c.items() if k[:4] == 'cfg:']))
        s._j = self.coarse, key
        return key

    def swept(self, s):
        """Without what is known of locks that nothing names any more."""
        gone, named = set(), None
        for k, v in sorted(s.l.items(), key=lambda q: q[0][0] == 'V'):
            if v[0] not in 'xrwAUD':
                continue
            if v[0] == 'x':
                gone.add(k)
                continue
            if named is None:
                named = ' '.join([self.text(q) for q in s.e.values()] + self.held_back +
                                 [q[1] for q in s.c.values() if q[0] == 'prov'])
            if k[1] not in named and (
                    '$' in k[1] or any(k[1].startswith(p) and k[1][len(p):len(p) + 1] in '.-['
                                       for p in s.e)) and \
               not any(q[0] != 'V' and q is not k and q not in gone and k[1] in q[1] for q in s.l):
                base = k[1][:-7] if k[1].endswith('->vm_mm') else None
                if base is None or base not in named:
                    gone.add(k)
        if not gone:
            return s
        return St({k: v for k, v in s.l.items() if k not in gone}, s.e, s.c)

    def merge(self, a, b):
        if a.e == b.e:
            return a if a.c == b.c else St(a.l, a.e, both(a.c, b.c))
        e, new = {}, []
        for k in sorted(a.e.keys() | b.e.keys()):
            v = a.e.get(k)
            if v is not None and v == b.e.get(k):
                e[k] = v
            else:
                new.append(k)
        s = St(a.l, e, both(a.c, b.c))
        for k in new:
            s, _ = self.fresh(s, k + '$~')
        for k in new:
            s = s.sete(k, ('s', k + '$~'))
            # NULL is a VMA of any tree
            mm = {x.c.get('prov:' + self.text(x.e.get(k, UNK))) for x in (a, b)
                  if x.e.get(k) != K0}
            if len(mm) == 1 and None not in mm:
                s = s.setc('prov:%s$~' % k, mm.pop())
            some = fact(a, a.e.get(k)), fact(b, b.e.get(k))
            if None not in some:
                some = both({k: some[0]}, {k: some[1]})
                if some:
                    s = s.setc(k + '$~', some[k])
        return s

    # -- values ---------------------------------------------------------
    def text(self, v):
        if v[0] == 's':
            return v[1]
        if v[0] == 'addr':
            return '&' + v[1]
        if v[0] == 'k':
            return str(v[1])
        if v[0] == 'not':
            return '!' + self.text(v[1])
        if v[0] == 'or':
            return '(' + (v[1] or '') + '|' + '|'.join(sorted(v[2])) + ')'
        if v[0] == 't':
            return 'tab'
        return '?'

    def truth(self, v, st):
        k = v[0]
        if k == 'k':
            if isinstance(v[1], int):
                return bool(v[1])
            n = self.p.flagvalue(v[1]) if v[1][0] != '-' else 1
            return None if n is None else bool(n)       # the first of an enum is 0
        if k in ('addr', 't'):
            return True
        if k == 'or':
            return True if v[2] else None
        if k == 'not':
            t = self.truth(v[1], st)
            return None if t is None else not t
        if k == 's':
            if v[1][:4] == 'def:':
                return self.truth(st.e[v[1]], st) if v[1] in st.e else None
            c = st.c.get(v[1])
            if c is None:
                return None
            if c[0] == 'eq':
                return self.truth(('k', c[1]), st)
            if c[0] == 'ne':
                return True if 0 in c[1] else None
            if c[0] == 'in':
                t = {self.truth(('k', x), st) for x in c[1]}
                return t.pop() if len(t) == 1 else None
            if c[0] == 'b':
                return c[1]
        return None

    def assume(self, v, st, want):
        """States in which v is true (or false)."""
        t = self.truth(v, st)
        if t is not None:
            return [st] if t == want else []
        if v[0] == 'not':
            return self.assume(v[1], st, not want)
        if v[0] == 's':
            if v[1][:4] == 'def:':
                # which of several definitions there is: part of the state
                return [st.sete(v[1], K1 if want else K0)]
            if not self.worth(v[1], st):
                return [st]
            c = st.c.get(v[1])
            if c and c[0] in ('in', 'eq'):
                left = [x for x in values(c) if self.truth(('k', x), st) is not (not want)]
                st = st.setc(v[1], oneof(left))
            elif want:
                n = frozenset({0}) | (c[1] if c and c[0] == 'ne' else frozenset())
                st = st.setc(v[1], ('ne', n))
            else:
                st = st.setc(v[1], ('eq', 0))
            m = self.p.eqs.get(v[1])
            if m:
                base, const = m
                if want:
                    st = st.setc(base, ('eq', const))
                else:
                    b = st.c.get(base)
                    if b is None or b[0] == 'ne':
                        st = st.setc(base, ('ne', frozenset({const}) |
                                            (b[1] if b else frozenset())))
                    elif b[0] == 'in' and const in b[1]:
                        st = st.setc(base, oneof(b[1] - {const}))
            return [st]
        return [st]

    def known(self, v, st):
        if v[0] == 's':
            c = st.c.get(v[1])
            if c and c[0] == 'eq':
                return ('k', c[1])
        return v

    def equal(self, a, b, st):
        """Value of a == b."""
        a, b = self.known(a, st), self.known(b, st)
        if a[0] == 'k' and b[0] == 'k':
            if isinstance(a[1], int) == isinstance(b[1], int):
                return K1 if a[1] == b[1] else K0
            if 0 in (a[1], b[1]):
                return UNK
            return UNK
        if b == K0:
            return ('not', a)
        if a == K0:
            return ('not', b)
        if a[0] == 't' and b[0] == 't' and len(a[1]) == 1 and len(b[1]) == 1:
            return K1 if a == b else K0
        if a[0] == 'addr' and b[0] == 'addr':
            return K1 if a == b else K0
        if a[0] == 's' and b[0] == 's' and a == b:
            return K1
        for x, y in ((a, b), (b, a)):
            if x[0] == 's' and y[0] == 'k':
                c = st.c.get(x[1])
                if c and (c[0] == 'ne' and y[1] in c[1] or
                          c[0] == 'in' and not possible(c, y[1])):
                    return K0
                t = '(%s==%s)' % (x[1], y[1])
                self.p.eqs[t] = (x[1], y[1])
                return ('s', t)
        if a[0] in ('s', 'addr') and b[0] in ('s', 'addr'):
            return ('s', '(%s==%s)' % tuple(sorted((self.text(a), self.text(b)))))
        return UNK

    def fresh(self, st, name):
        """A new value named by its place: what was known of the
        earlier value there, in the turn of a loop before, holds no more."""
        # few states hold the name at all: the pattern is for those
        if name not in st.names()[1]:
            return st, ('s', name)
        used = False
        pat = re.compile(r'(?<![\w%$])' + re.escape(name) + r'(?![\w%$])')
        l, e, c = {}, {}, {}
        for k, v in st.l.items():
            if pat.search(k[1]):
                used = True
            else:
                l[k] = v
        lost = []
        for k, v in st.e.items():
            if pat.search(k):
                used = True
            elif pat.search(named(v)):
                used = True
                lost.append(k)
            else:
                e[k] = v
        for k, v in st.c.items():
            if pat.search(k):
                used = True
            else:
                c[k] = v
        if not used:
            return st, ('s', name)
        st = St(l, e, c)
        for k in lost:
            # nor is it the value that the place had at first
            if not k.endswith('$!') and (any(k in q[1] for q in l) or any(k in q for q in c)):
                st, v = self.fresh(st, k + '$!')
                st = st.sete(k, v)
        return st, ('s', name)

    # -- names ----------------------------------------------------------
    def lname(self, name, fr):
        f = fr.f
        if name in f.locals:
            return '%s%%%d' % (name, fr.id)
        if name in f.src.tabbase:
            return '%s$%d' % (name, f.src.idx)
        return name

    def lval(self, x, st, fr):
        """-> list of (state, text of the place)"""
        k = x[0]
        if k == 'id':
            self.visited.add((fr.f.src.idx, x[2]))
            return [(st, self.lname(x[1], fr))]
        if k == 'mem':
            out = []
            if x[1] == '.' and x[2][0] == 'mem' and x[2][1] == '->' and x[2][2][0] == 'id' and \
               self.p.first(fr.f, x[2][2][1], x[2][3]):
                for s, v in self.ev(x[2][2], st, fr):
                    out.append((s, self.arrow(v, x[3])))
            elif x[1] == '.':
                for s, t in self.lval(x[2], st, fr):
                    out.append((s, None if t is None else t + '.' + x[3]))
            else:
                for s, v in self.ev(x[2], st, fr):
                    out.append((s, self.arrow(v, x[3])))
            return out
        if k == 'un' and x[1] == '*':
            out = []
            for s, v in self.ev(x[2], st, fr):
                if v[0] == 'addr':
                    out.append((s, v[1]))
                elif v[0] == 's':
                    out.append((s, '*' + v[1]))
                elif v[0] == 't' and len(v[1]) == 1:
                    out.append((s, self.p.tables[min(v[1])].lv))
                else:
                    out.append((s, None))
            return out
        if k == 'idx':
            out = []
            for s, t in self.lval(x[1], st, fr):
                for s2, i in self.ev(x[2], s, fr) if x[2] else [(s, UNK)]:
                    if t is not None:
                        v = s2.e.get(t)
                        if v and v[0] == 'addr' and v[1].endswith('[0]'):
                            t2 = v[1][:-3]
                        else:
                            t2 = t
                        out.append(self.element(t2, i, s2, x))
                    else:
                        out.append((s2, None))
            return out
        if k == 'complit':
            t = self.p.complit(fr.f.src, x[3])
            for s in self.exprs_in(x, st, fr):
                st = s
            return [(st, t.lv if t else None)]
        out = []
        for s, v in self.ev(x, st, fr):
            out.append((s, v[1] if v[0] == 's' else None))
        return out

    def element(self, t, i, st, x):
        """One of an array: where its index is no constant, it goes by the value of
        that. Of tables it may be any."""
        i = self.known(i, st)
        if i[0] == 'k':
            return st, '%s[%s]' % (t, i[1])
        if t in self.p.arrays or t.endswith('[*]') or t + '[*]' in self.p.lv or t + '[*]' in self.lv2t:
            return st, t + '[*]'
        if i[0] == 's':
            return st, '%s[%s]' % (t, i[1])
        st, v = self.fresh(st, '%s[?%s]' % (t, first_id(x)))
        return st, v[1]

    def arrow(self, v, m):
        if v[0] == 'addr':
            return v[1] + '.' + m
        if v[0] == 's':
            return v[1] + '->' + m
        if v[0] == 't' and len(v[1]) == 1:
            return self.p.tables[min(v[1])].lv + '.' + m
        return None

    def load(self, t, st, fr=None, glob=None):
        if t is None:
            return UNK
        v = st.e.get(t)
        if v is not None:
            return v
        if t in self.p.arrays:
            return ('addr', t + '[0]')
        return ('s', t)

    def exprs_in(self, x, st, fr):
        """Evaluates what a brace initialiser or an unparsed expression
        contains only as far as it could matter."""
        toks = x[2] if x[0] == 'complit' else x[1]
        names = {t[0] for t in toks if isinstance(t, tuple)}
        if names & (PRIMS | DROPPERS) or self.on_chain(names) or x[0] == 'opaque' and any(
                self.p.touches(n, fr.f.src) for n in names):
            self.fuzzy.add(fr.f.name)
        return [st]

    def chain_names(self):
        return {f.name for f in self.chain}

    def on_chain(self, names):
        self.asked |= names
        return bool(names & self.chain_names())

    def tids(self, v, st):
        if v[0] == 't':
            return set(v[1])
        if v[0] == 'addr':
            t = v[1]
            if t in self.p.lv:
                return set(self.p.lv[t])
            if t in self.lv2t:
                return {self.lv2t[t]}
            base = re.sub(r'%\d+', '', t)
        return set()

    # -- evaluation -----------------------------------------------------
    def ev(self, x, st, fr):
        self.steps += 1
        if self.steps > self.budget:
            raise TooBig()
        if x is None:
            return [(st, UNK)]
        k = x[0]
        if k == 'num':
            return [(st, ('k', x[1]))]
        if k == 'id':
            self.visited.add((fr.f.src.idx, x[2]))
            return [(st, self.ident(x[1], st, fr))]
        if k == 'unk':
            return [(st, UNK)]
        if k == 'cpp':
            w = x[1].replace('ifndef', 'ifdef')
            v = ('s', ('def:' if w in self.p.configs() else 'cpp:') + w)
            return [(st, ('not', v) if w != x[1] else v)]
        if k == 'mem' or k == 'idx':
            out = []
            for s, t in self.lval(x, st, fr):
                if t and (t in self.p.lv or t in self.lv2t) and not t.endswith(']'):
                    self.copied |= self.tids(('addr', t), s)
                out.append((s, self.load(t, s)))
            return out
        if k == 'un':
            return self.unary(x, st, fr)
        if k == 'bin':
            return self.binop(x, st, fr)
        if k == '?':
            out = []
            for s in self.cond(x[1], st, fr, True):
                out += self.ev(x[2], s, fr)
            for s in self.cond(x[1], st, fr, False):
                out += self.ev(x[3], s, fr)
            return uniqv(out)
        if k == 'comma':
            out = []
            for s, _ in self.ev(x[1], st, fr):
                out += self.ev(x[2], s, fr)
            return uniqv(out)
        if k == 'asg':
            return self.assign(x, st, fr)
        if k == 'call':
            return self.call(x, st, fr)
        if k == 'complit':
            self.exprs_in(x, st, fr)
            t = self.p.complit(fr.f.src, x[3])
            return [(st, ('obj', t.tid) if t else UNK)]
        if k == 'opaque':
            self.exprs_in(x, st, fr)
            return [(st, UNK)]
        return [(st, UNK)]

    def ident(self, name, st, fr):
        if name in ('true', 'NULL', 'false'):
            return K1 if name == 'true' else K0
        t = self.lname(name, fr)
        if t == name and name[0] in CAPITALS and CONSTANT.match(name):
            return ('k', name)
        if t == name and name in self.p.allfuncs:
            return ('fn', name)
        if t in self.p.lv or t in self.lv2t:
            self.copied |= self.tids(('addr', t), st)
        return self.load(t, st)

    def unary(self, x, st, fr):
        op, out = x[1], []
        if op == '&':
            for s, t in self.lval(x[2], st, fr):
                if t is None:
                    out.append((s, UNK))
                elif t.startswith('*'):
                    out.append((s, ('s', t[1:])))
                elif x[2][0] == 'mem' and x[2][1] == '->' and x[2][2][0] == 'id' and \
                        t.endswith('->' + x[2][3]) and self.p.first(fr.f, x[2][2][1], x[2][3]):
                    out.append((s, ('s', t[:-len(x[2][3]) - 2])))
                else:
                    out.append((s, ('addr', t)))
            return out
        if op == '*':
            for s, t in self.lval(x, st, fr):
                if t and (t in self.p.lv or t in self.lv2t):
                    self.copied |= self.tids(('addr', t), s)
                out.append((s, self.load(t, s)))
            return out
        if op in ('++', '--'):
            for s, t in self.lval(x[2], st, fr):
                if t:
                    s, v = self.fresh(s, '%s$%d' % (t, x[3]))
                    s = s.sete(t, v)
                out.append((s, UNK))
            return out
        for s, v in self.ev(x[2], st, fr):
            if op == '!':
                if v[0] == 'not':
                    r = v[1] if v[1][0] != 'k' else (K1 if self.truth(v[1], s) else K0)
                else:
                    t = self.truth(v, s)
                    r = ('not', v) if t is None else (K0 if t else K1)
                if v[0] == 'u':
                    r = UNK
                out.append((s, r))
            elif op == '-' and v[0] == 'k':
                out.append((s, ('k', -v[1] if isinstance(v[1], int) else '-' + v[1])))
            elif op == '+':
                out.append((s, v))
            else:
                out.append((s, UNK))
        return out

    def binop(self, x, st, fr):
        op = x[1]
        if op in ('&&', '||'):
            out = [(s, K1) for s in self.cond(x, st, fr, True)]
            out += [(s, K0) for s in self.cond(x, st, fr, False)]
            return uniqv(out)
        out = []
        for s, a in self.ev(x[2], st, fr):
            for s2, b in self.ev(x[3], s, fr):
                out.append((s2, self.arith(op, a, b, s2)))
        return out

    def arith(self, op, a, b, st):
        if op == '==':
            return self.equal(a, b, st)
        if op == '!=':
            v = self.equal(a, b, st)
            if v == UNK:
                return UNK
            if v[0] == 'not':
                return v[1]
            t = self.truth(v, st)
            return ('not', v) if t is None else (K0 if t else K1)
        a, b = self.known(a, st), self.known(b, st)
        if op in ('<', '>', '<=', '>='):
            if a[0] == 'k' and b[0] == 'k' and isinstance(a[1], int) and isinstance(b[1], int):
                return K1 if eval_cmp(op, a[1], b[1]) else K0
            if b == K0 and a[0] == 'k' and isinstance(a[1], str) and a[1][0] == '-':
                return K1 if op in ('<', '<=') else K0
            if a[0] == 's' and b[0] in ('k', 's'):
                t = st.c.get(a[1])
                return ('s', '(%s%s%s)' % (self.text(a), op, self.text(b)))
            return UNK
        if op == '|':
            base, names = None, set()
            for v in (a, b):
                if v[0] == 'k' and isinstance(v[1], str):
                    names.add(v[1])
                elif v[0] == 'k' and v[1] == 0:
                    pass
                elif v[0] == 'or':
                    names |= v[2]
                    base = (base or '') + '|' + v[1] if base and v[1] else base or v[1]
                else:
                    t = self.text(v) if v[0] == 's' else '?'
                    base = base + '|' + t if base else t
            return ('or', base, frozenset(names))
        if op == '&':
            for u, v in ((a, b), (b, a)):
                if v[0] == 'k' and isinstance(v[1], str):
                    if u[0] == 'or':
                        if v[1] in u[2]:
                            return K1
                        if u[1] is None or u[1] and '?' not in u[1]:
                            r = self.p.disjoint(u[2], v[1])
                            if r and u[1] is None:
                                return K0
                            if r:
                                return ('s', '(%s&%s)' % (u[1], v[1]))
                        return UNK
                    if u[0] == 'k' and isinstance(u[1], str):
                        if u[1] == v[1]:
                            return K1
                        return K0 if self.p.disjoint({u[1]}, v[1]) else UNK
                    if u == K0:
                        return K0
            if a[0] == 's' and b[0] in ('s', 'k'):
                return ('s', '(%s&%s)' % (self.text(a), self.text(b)))
            return UNK
        if a[0] == 'k' and b[0] == 'k' and isinstance(a[1], int) and isinstance(b[1], int):
            try:
                if op in '+-*':
                    return ('k', {'+': a[1] + b[1], '-': a[1] - b[1], '*': a[1] * b[1]}[op])
                if op == '<<' and 0 <= b[1] < 64:
                    return ('k', a[1] << b[1])
            except (KeyError, ValueError):
                pass
        if op in ('+', '-') and a[0] == 'addr' and a[1].endswith('[0]'):
            return ('addr', a[1][:-3] + ('[%d]' % b[1] if b[0] == 'k' and isinstance(b[1], int)
                                         and op == '+' else '[*]'))
        if a[0] == 's' and b[0] in ('s', 'k'):
            return ('s', '(%s%s%s)' % (self.text(a), op, self.text(b)))
        return UNK

    def cond(self, x, st, fr, want):
        if x is None:
            return [st] if want else []
        if x[0] == 'un' and x[1] == '!':
            return self.cond(x[2], st, fr, not want)
        if x[0] == 'bin' and x[1] in ('&&', '||'):
            both = (x[1] == '&&') == want
            if both:
                out = []
                for s in self.cond(x[2], st, fr, want):
                    out += self.cond(x[3], s, fr, want)
                return self.narrow(out)
            out = self.cond(x[2], st, fr, want)
            for s in self.cond(x[2], st, fr, not want):
                out += self.cond(x[3], s, fr, want)
            return self.narrow(out)
        out = []
        for s, v in self.ev(x, st, fr):
            out += self.assume(v, s, want)
        return self.narrow(out)

    def keep(self, t):
        """Is this place worth remembering?"""
        m = last_member(t)
        if m:
            return m in self.p.livemem
        m = PLACE.match(t)
        if m:
            f = self.framef.get(int(m.group(2)))
            return f is None or m.group(1) in self.p.live(f) or t in self.lv2t
        return True

    def worth(self, sym, st):
        """Is a condition on this value worth remembering?"""
        if sym.startswith(('cpp:', 'cfg:')):
            return True
        for w in PART.findall(sym):
            if '()$' in w or '$' in w:
                if w.strip('()') in st.names()[0]:
                    return True
                continue
            if '%' in w and self.keep(w.strip('(!')):
                return True
        return False        # a global may change between two tests

    def store(self, st, t, v, pos):
        if t is None:
            return st
        st = self.copied_over(st, t)
        if not self.keep(t):
            if t in st.e:
                st = st.copy()
                del st.e[t]
            return st
        if v == UNK:
            st, v = self.fresh(st, '%s$%d' % (t.split('$')[0], pos))
        s = self.elements(st, t, pos).copy() if '[' in t else st.copy()
        inner = t + '.', t + '-', t + '['
        for k in [k for k in s.e if k.startswith(inner)]:
            del s.e[k]
        if v == ('s', t):
            s.e.pop(t, None)
        else:
            s.e[t] = v
        if v[0] == 'obj':
            # a whole table is copied into this place
            pass
        return s

    def elements(self, st, t, pos):
        """Another index may stand for the element that is assigned to."""
        pat = re.compile(re.escape(INDEX.sub('[]', t)).replace(r'\[\]', INDEX.pattern) + r'(?![\w$])')
        for k in sorted({m.group(0) for x in [*st.e, *(q[1] for q in st.l)]
                         for m in [pat.match(x)] if m} - {t}):
            if not all(a == b or a[1:-1].isdigit() and b[1:-1].isdigit()
                       for a, b in zip(INDEX.findall(k), INDEX.findall(t))) or \
               INDEX.findall(k) == INDEX.findall(t):
                st, v = self.fresh(st, '%s$%d' % (k, pos))
                st = st.sete(k, v)
        return st

    def copied_over(self, st, t):
        """A structure is assigned as a whole: nothing is known of its members."""
        inner = t[1:] + '->' if t[0] == '*' else t + '.'
        hit = {k[1] for k in st.l if inner in k[1]} | {k for k in st.c if inner in k}
        for k in sorted({m.group(0) for k in hit for m in
                         re.finditer(r'(?<![\w%$>.])' + re.escape(inner) + r'\w+', k)}):
            st, _ = self.fresh(st, k)
        return st

    def assign(self, x, st, fr):
        _, op, lhs, rhs, pos = x
        out = []
        for s, v in self.ev(rhs, st, fr):
            self.held_back.append(self.text(v))
            places = self.lval(lhs, s, fr)
            self.held_back.pop()
            for s2, t in places:
                if op == '|=' and t:
                    v2 = self.arith('|', self.load(t, s2), v, s2)
                elif op == '&=' and t:
                    v2 = UNK
                elif op != '=':
                    v2 = UNK
                else:
                    v2 = v
                if v2[0] in ('t', 'addr') and self.tids(v2, s2) and t and not self.tracked(t):
                    for i in self.tids(v2, s2):
                        self.escapes.add((i, fr.f.src.path, fr.f.src.line(pos)))
                if t and t.endswith('walk_lock'):
                    v2 = ('set', self.rtext(rhs), fr.f.name)
                if v2[0] == 'obj' and t:
                    tab = self.p.tables[v2[1]]
                    if tab.mode:
                        s2 = s2.sete(t + '.walk_lock', ('set', tab.mode, fr.f.name))
                    else:
                        s2 = s2.copy()
                        s2.e.pop(t + '.walk_lock', None)
                    if tab.lv != t:
                        self.p.copied.setdefault(tab.tid, set()).add(t)
                    out.append((s2, v2))
                    continue
                if op == '=' and rhs[0] == 'complit' and t and v2 == UNK:
                    # a structure with a table in it
                    out += [(s3, v2) for s3 in self.braces(
                        t, [('{', pos)] + rhs[2] + [('}', pos)], self.store(s2, t, v2, pos), fr, pos)]
                    continue
                out.append((self.store(s2, t, v2, pos), v2))
        return uniqv(out)

    def rtext(self, x):
        return ' '.join(sorted(idents(x)))

    def tracked(self, t):
        return '%' in t and '->' not in t and not t.startswith('*')

    # -- calls ----------------------------------------------------------
    def args(self, xs, st, fr):
        outs = [(st, [])]
        for a in xs:
            nxt = []
            for s, vs in outs:
                n = len(self.held_back)
                if self.coarse:
                    self.held_back += [self.text(v) for v in vs]
                for s2, v in self.ev(a, s, fr):
                    nxt.append((s2, vs + [v]))
                del self.held_back[n:]
            outs = nxt
            if len(outs) > MAX_STATES * 4:
                raise TooBig()
        return outs

    def call(self, x, st, fr):
        fn, xs, pos = x[1], x[2], x[3]
        if fn[0] == 'un' and fn[1] == '*' and fn[2][0] == 'id':
            fn = fn[2]
        if fn[0] != 'id' or fn[1] in fr.f.locals:
            name = None
            if fn[0] == 'id':
                v = st.e.get(self.lname(fn[1], fr), UNK)
                if v[0] == 'fn':
                    name = v[1]
                    fn = ('id', name, -1)
        else:
            name = fn[1]
            self.visited.add((fr.f.src.idx, fn[2]))
            m = self.p.macro(name, fr.f.src)
            if m is not None:
                return self.expand(m, name, xs, st, fr, pos)
        out = []
        if name == 'IS_ENABLED':
            return [(st, ('s', 'cfg:' + self.rtext(xs[0])))] if xs else [(st, UNK)]
        for s, vs in self.args(xs, st, fr):
            out += self.call1(name, fn, xs, vs, s, fr, pos)
        return uniqv(out)

    def expand(self, m, name, xs, st, fr, pos):
        """A macro that locks or walks: its text, as statements."""
        params, body, _ = m
        key = (fr.f, pos)
        if key not in self.p.expanded:
            args = {}
            for p, a in zip([q.strip() for q in params.strip('()').split(',')],
                            self.p.callargs(fr.f, pos)):
                args[p] = a
            toks = []
            for w in TOKEN.findall(body.replace('\\\n', ' ')):
                if w in args:
                    toks += [(q[0], q[1]) for q in args[w]]
                else:
                    toks.append((w, pos))
            p = Parser(fr.f)
            p.t = toks + [(';', pos)]
            try:
                self.p.expanded[key] = p.block(0, len(p.t))
            except (IndexError, RecursionError):
                self.p.expanded[key] = None
        node = self.p.expanded[key]
        if node is None or fr.depth > MAX_INLINE:
            self.fuzzy.add(fr.f.name)
            return [(st, UNK)]
        fr.depth += 1
        out = self.exec(node, [st], fr)
        fr.depth -= 1
        return [(s, UNK) for s in out]

    def call1(self, name, fn, xs, vs, st, fr, pos):
        where = '%s:%d' % (fr.f.src.path, fr.f.src.line(pos))
        res = '%s()$%d.%d' % (name or 'fp', fr.f.src.idx, pos) + '%%%d' % fr.id
        if name in TRANSPARENT:
            return [(st, vs[0] if vs else UNK)]
        if name in ('IS_ERR', 'IS_ERR_OR_NULL') and vs:
            v = vs[0]
            if v == ('err',):
                return [(st, K1)]
            if v == K0:
                return [(st, K0 if name == 'IS_ERR' else K1)]
            if v[0] in ('addr', 't') or st.c.get('valid:' + self.text(v)):
                return [(st, K0)]
            return [(st, ('s', name + '(' + self.text(v) + ')') if v[0] == 's' else UNK)]
        if name == 'ERR_PTR':
            return [(st, ('err',))]
        if name in WALK and name not in self.p.redefined:
            return self.walk(name, vs, st, fr, pos, res)
        r = self.lockcall(name, vs, st, fr, pos, where, res)
        if r is not None:
            return r
        if name in DROPPERS and not (name.startswith('do_vmi_') and vs[-1:] == [K0] or
                                     name == 'handle_mm_fault' and not self.p.retries(fr.f)):
            s = st.copy()
            for k in list(s.l):
                if k[0] == 'M' or s.l[k][0] == 'r':
                    s.l[k] = ('D', where, 'perhaps released')
            s, v = self.fresh(s, res)
            return [(s, v)]
        if name in ('swap', 'SWAP'):
            for a in xs:
                for _, t in self.lval(a, st, fr)[:1] if a else ():
                    if t:
                        st, v = self.fresh(st, '%s$%d' % (t, pos))
                        st = self.store(st, t, v, pos)
            return [(st, UNK)]
        if name == 'memset' and vs and vs[0][0] == 'addr' and self.tids(vs[0], st):
            s = st.copy()
            for k in [k for k in s.e if k.startswith(vs[0][1] + '.')]:
                del s.e[k]
            return [(s, UNK)]
        if name in ITERS or name in ('VMA_ITERATOR', 'MA_STATE'):
            return [(self.iterinit(name, xs, vs, st, fr), UNK)]
        if name == 'vma_iter_init' and len(vs) > 1 and vs[0][0] == 'addr':
            return [(st.sete(vs[0][1], ('it', self.origin(st, self.text(vs[1])))), UNK)]
        if name in ALLOC:
            st, _ = self.fresh(st, res)
            for v in vs:
                for i in self.tids(v, st):
                    self.escapes.add((i, fr.f.src.path, fr.f.src.line(pos)))
            t = self.p.alloc(fr.f, pos)
            if t is not None:
                self.lv2t[res] = t.tid
                s = st.copy()
                s.e = {k: v for k, v in s.e.items() if not k.startswith(res)}
                return [(s, ('addr', res)), (st, K0)]
            return [(st, ('s', res)), (st, K0)]
        if name == GATE and vs and vs[0][0] == 's':
            # the same one each time, and no VMA of a tree of VMAs
            return [(st, ('s', '%s(%s)' % (GATE, vs[0][1])))]
        if name in FINDERS:
            return self.finder(name, vs, st, res)
        f = self.p.lookup(name, fr.f.src) if name else None
        defs = self.p.variants(f, fr.f.src) if f is not None else []
        if len(defs) > 1:
            if any(g.src is not f.src for g in defs):
                self.fuzzy.add(name)
                defs, f = [], None
            else:
                out = []
                for g in defs:
                    states = [st]
                    for word, holds in self.p.config(g):
                        w = word.replace('ifndef', 'ifdef')
                        states = states if w not in self.p.configs() else [
                            q for s in states for q in self.assume(('s', 'def:' + w), s, holds == (w == word))]
                    for s in states:
                        if self.should_inline(g, fr):
                            out += self.inline(g, vs, s, fr, pos)
                        else:
                            s, v = self.fresh(self.changed(self.dropped(s, g, where), g, name, vs)[0], res)
                            out.append((s, v))
                return out
        if f is not None and self.should_inline(f, fr):
            return self.inline(f, vs, st, fr, pos)
        if f is not None and f in self.chain:
            self.fuzzy.add(f.name)
        st = self.dropped(st, f, where)
        if name is None or f is None and self.p.made(name, fr.f.src):
            st = self.given_away(st, vs, where)
        # unknown: may write through the pointers that it gets
        st, safe = self.changed(st, f, name, vs)
        for i, v in enumerate(vs):
            ids = self.tids(v, st)
            if ids and name not in HARMLESS:
                for tid in ids:
                    self.escapes.add((tid, fr.f.src.path, fr.f.src.line(pos)))
            if self.p.touch and v[0] in ('s', 'addr') and \
               any(k[0] == 'M' and k[1] == self.text(v) for k in st.l):
                st = st.setc('touchm:' + self.text(v), ('b', True))
            if self.p.touch and v[0] == 's' and \
               any(k[0] == 'M' and q[0] == 'W' for k, q in st.l.items()):
                st = st.setc('touch:' + v[1], ('b', True))
            if v[0] == 's' and i not in safe:
                at = v[1] + '->'
                if any([k.startswith(at) for k in st.e]) or any([k.startswith(at) for k in st.c]):
                    st = self.unset(st, lambda k: k.startswith(at) and '->' not in k[len(at):] and
                                    st.e.get(k, K0)[0] in ('k', 'not', 'or'))
            if v[0] == 'addr' and i not in safe:
                t = v[1]
                s = st.copy()
                for k in [k for k in s.e if k == t or k.startswith(t + '.')]:
                    if k.endswith('.walk_lock') or s.e[k][0] == 'it':
                        continue
                    del s.e[k]
                st = s
                if t + '.walk_lock' not in st.e or True:
                    pass
                if '%' in t and '.' not in t and '[' not in t and not ids \
                   and t not in self.lv2t and st.e.get(t, UNK)[0] != 'it':
                    st, v2 = self.fresh(st, '%s$%d' % (t, pos))
                    st = self.store(st, t, v2, pos)
        st, v = self.fresh(st, res)
        return [(st, v)]

    def changed(self, st, f, name, vs):
        """What a function that is not followed may set -> (state, arguments
        through which it sets no more than that)"""
        if name in HARMLESS:
            return st, range(len(vs))
        if f is None:
            return st, ()
        sets, taken = self.p.writes(f)
        sets, taken = sets & self.p.livemem, taken - {'mmap_lock', 'i_mmap_rwsem'}
        if sets or taken:
            st = self.unset(st, lambda k: last_member(k) in sets or
                            taken and st.e.get(k, UNK)[0] != 'it' and not k.endswith('.walk_lock') and
                            taken & set(MEMBERS.findall(k)))
        return st, [i for i in range(len(vs)) if self.p.reads(f, i)]

    def unset(self, st, hit):
        """Places whose value is not known any more."""
        keys = {k for k in st.e if hit(k)}
        keys |= {k for k, v in st.c.items() if v[0] in ('eq', 'ne', 'in') and k[0] != '(' and hit(k)}
        for k in sorted(keys):
            named = any(k in q[1] for q in st.l) or any(
                k in self.text(v) for q, v in st.e.items() if q != k)
            if named:
                # what has the old value goes on having it
                st, v = self.fresh(st, k + '$?')
                st = st.sete(k, v)
            else:
                st = St(st.l, {q: v for q, v in st.e.items() if q != k},
                        {q: v for q, v in st.c.items() if k not in q})
        return st

    def finder(self, name, vs, st, res):
        st, v = self.fresh(st, res)
        how, mm = FINDERS[name], None
        if how == 'it':
            if vs and vs[0][0] == 'addr':
                it = st.e.get(vs[0][1])
                if it and it[0] == 'it':
                    mm = it[1]
            elif vs and vs[0][0] == 's':
                it = st.e.get('*' + vs[0][1])
                mm = None
        elif vs:
            mm = self.text(vs[how])
        if mm:
            st = st.setc('prov:' + res, ('prov', self.origin(st, mm)))
        return [(st, v)]

    def iterinit(self, name, xs, vs, st, fr):
        if name == 'VMA_ITERATOR' and len(vs) > 1 and xs[0] and xs[0][0] == 'id':
            fr.f.locals.add(xs[0][1])
            return st.sete(self.lname(xs[0][1], fr), ('it', self.origin(st, self.text(vs[1]))))
        if name == 'MA_STATE' and len(vs) > 1 and xs[0] and xs[0][0] == 'id':
            fr.f.locals.add(xs[0][1])
            return st.sete(self.lname(xs[0][1], fr), ('it', self.sem(vs[1])[1]))
        return st

    def sem(self, v):
        """&mm->mmap_lock -> M, mm"""
        t = self.text(v)
        if t.startswith('&'):
            for suf, c in (('mmap_lock', 'M'), ('i_mmap_rwsem', 'I'), ('mm_mt', 'T')):
                if t.endswith('->' + suf):
                    return c, t[1:-len(suf) - 2]
                if t.endswith('.' + suf):
                    return c, t[:-len(suf) - 1]
        return None, None

    def lockcall(self, name, vs, st, fr, pos, where, res):
        if name in LOCK or name in UNLOCK or name in DOWNGRADE:
            if not vs:
                return None
            if name in LOCK:
                c, mode, how = LOCK[name]
            else:
                c, mode, how = (UNLOCK.get(name) or DOWNGRADE[name]), None, ''
            if c == 'S':
                c, obj = self.sem(vs[0])
                if c not in ('M', 'I'):
                    return None
            else:
                obj = self.text(vs[0])
            if obj == '?':
                obj = '?' + where
            if c == 'M':
                obj = self.origin(st, obj)
            if name in UNLOCK:
                return [(self.unlock(st, c, obj, where), UNK)]
            if name in DOWNGRADE:
                s = self.unlock(st, c, obj, where)
                return [(s.setl((c, obj), ('R', where, 'took')), UNK)]
            if mode == 'A' or how == 'assert':
                old = self.held(st, c, obj)
                if old and (old[0] == 'W' or mode == 'A' and old[0] == 'R'):
                    return [(st, UNK)]
                return [(st.setl((c, obj), (mode, where, 'asserts')), UNK)]
            ok = self.dropsame(st, c, obj).setl((c, obj), (mode, where, 'took'))
            if how == '':
                return [(ok, K0)]
            if how == 'err':
                return [(ok, K0), (st, ('k', -4))]
            return [(ok, K1), (st, K0)]
        if name in VMAW and vs:
            t = self.text(vs[VMAW[name]])
            return [(st.setl(('V', t), ('w', where,
                     'asserts' if 'assert' in name else 'took')), UNK)]
        if name == 'vma_start_write_killable' and vs:
            t = self.text(vs[0])
            return [(st.setl(('V', t), ('w', where, 'took')), K0), (st, ('k', -4))]
        if name in ('vma_start_read_locked', 'vma_start_read_locked_nested') and vs:
            t = self.text(vs[0])
            return [(st.setl(('V', t), ('r', where, 'took')), K1), (st, K0)]
        if name == 'vma_start_read' and len(vs) == 1:
            t = self.text(vs[0])
            return [(st.setl(('V', t), ('r', where, 'took')), K1), (st, K0)]
        if name in VMAR_GET or name == 'vma_start_read':
            s, v = self.fresh(st, res)
            ok = s.setl(('V', res), ('r', where, 'took')).setc(res, ('ne', frozenset({0})))
            ok = ok.setc('valid:' + res, ('b', True))
            if vs and name in FINDERS:
                ok = ok.setc('prov:' + res, ('prov', self.origin(st, self.text(vs[0]))))
            out = [(ok, v), (s, K0)]
            if name in ('lock_next_vma', 'uffd_lock_vma', 'vma_start_read'):
                out.append((s, ('err',)))
            return out
        if name == 'vma_assert_locked' and vs:
            t = self.text(vs[0])
            old = st.l.get(('V', t))
            if old and old[0] in 'wr':
                return [(st, UNK)]
            return [(st.setl(('V', t), ('r', where, 'asserts')), UNK)]
        if name == 'vma_end_read' and vs:
            return [(st.setl(('V', self.text(vs[0])), ('x', where, 'released')), UNK)]
        return None

    def held(self, st, c, obj):
        same = self.same(st, c, obj)
        for k, v in st.l.items():
            if k[0] == c and k[1] in same:
                return v
        return None

    def dropsame(self, st, c, obj):
        same = self.same(st, c, obj)
        if any(k[0] == c and k[1] in same for k in st.l):
            return St({k: v for k, v in st.l.items()
                       if not (k[0] == c and k[1] in same)}, st.e, st.c)
        return st

    def unlock(self, st, c, obj, where):
        s = self.dropsame(st, c, obj)
        s = s.setl((c, obj), ('U', where, 'released'))
        if c == 'M':
            for k, v in list(s.l.items()):
                if k[0] == 'V' and v[0] == 'w':
                    names = self.same(s, 'M', k[1] + '->vm_mm')
                    if obj in names or not any(
                            q[0] == 'M' and q[1] in names and v2[0] == 'W'
                            for q, v2 in s.l.items()):
                        s.l[k] = ('x', where, 'released')
        s._k = s._h = s._j = s._n = None
        return s

    def origin(self, st, obj):
        """The first name of an mm that was reached through its VMAs."""
        for _ in range(4):
            p = st.c.get('prov:' + obj[:-7]) if obj.endswith('->vm_mm') else None
            if p is None or p[1] == 'i_mmap':
                break
            obj = p[1]
        return obj

    def same(self, st, c, obj):
        """Other names of the same mm (or mapping)."""
        out, todo = {obj}, [obj]
        while todo:
            o = todo.pop()
            if c == 'M' and o.endswith('->vm_mm'):
                p = st.c.get('prov:' + o[:-7])
                if p and p[1] not in out:
                    out.add(p[1])
                    todo.append(p[1])
                m = re.match(r'(.*)->vm_(next|prev)->vm_mm$', o)
                if m and m.group(1) + '->vm_mm' not in out:
                    out.add(m.group(1) + '->vm_mm')
                    todo.append(m.group(1) + '->vm_mm')
            if c == 'M' and o.endswith('->mmap->vm_mm') and o[:-13] not in out:
                out.add(o[:-13])
                todo.append(o[:-13])
            for k, v in st.c.items():
                if v[0] == 'prov' and v[1] == o and c == 'M':
                    n = k[5:] + '->vm_mm'
                    if n not in out:
                        out.add(n)
                        todo.append(n)
            if c == 'M':
                for k in list(st.c):
                    q = st.c[k]
                    if k.startswith('(') and '==' in k and q[0] == 'ne' and 0 in q[1]:
                        a, _, b = k[1:-1].partition('==')
                        for u, w in ((a, b), (b, a)):
                            if u == o and w not in out:
                                out.add(w)
                                todo.append(w)
        return out

    def walk(self, name, vs, st, fr, pos, res):
        oi, ki, kind = WALK[name]
        w = Walk()
        w.src, w.pos, w.func, w.entry, w.st = fr.f.src, pos, fr.f, name, st
        w.tids = self.tids(vs[ki], st) if len(vs) > ki else set()
        if not w.tids and len(vs) > ki and vs[ki][0] == 's':
            m = vs[ki][1]
        for i, v in enumerate(vs):
            if i != ki:
                for tid in self.tids(v, st):
                    self.escapes.add((tid, fr.f.src.path, fr.f.src.line(pos)))
        w.mm = w.vma = None
        if oi is not None and len(vs) > oi:
            if kind == 'vma':
                w.vma = self.text(vs[oi])
                w.mm = w.vma + '->vm_mm'
            else:
                w.mm = self.text(vs[oi])
        w.whole = len(vs) > 1 and vs[1] in (K0,) and kind == 'range'
        w.chain = tuple(self.stack)
        w.site = (fr.f.src.path, fr.f.src.line(pos))
        if GATE in (w.vma or w.mm or '').partition('(')[0]:
            # it belongs to no mm: all entries turn it down
            st, v = self.fresh(st, res)
            return [(st, v)]
        w_key = (frozenset(w.tids), w.site, st.key())
        if w.tids and w_key not in self.seen_walks:
            self.seen_walks.add(w_key)
            self.walks.append(w)
        for g in self.p.callbacks(w.tids):
            st = self.dropped(st, g, '%s:%d' % w.site)
        st, v = self.fresh(st, res)
        return [(st, v)]

    def should_inline(self, f, fr):
        if self.only is not None:
            return f in self.only and f not in self.stack and fr.depth < 3
        if f in self.chain:
            ok = fr.depth < MAX_INLINE and f not in self.stack
        else:
            ok = f not in self.stack and fr.depth <= 4 and self.p.relevant(f)
        if not ok:
            self.skipped.add(f)
        return ok

    def dropped(self, st, f, where):
        """A function that could be followed but is not, and may drop locks."""
        if f is None or not self.p.drops(f):
            return st
        s = st.copy()
        for k in list(s.l):
            if k[0] == 'M' and s.l[k][0] in 'RWA' or s.l[k][0] in 'rw':
                s.l[k] = ('D' if k[0] == 'M' else 'x', where, 'perhaps released')
        return s

    def given_away(self, st, vs, where):
        """Code of which nothing is known has these: it may release their locks."""
        mms = {self.sem(v)[1] or self.text(v) for v in vs if v[0] in ('s', 'addr')}
        hit = [k for k, v in st.l.items() if k[0] == 'M' and v[0] in 'RWA' and
               self.same(st, 'M', k[1]) & mms]
        for k in hit:
            st = st.setl(k, ('D', where, 'perhaps released'))
        return st

    def covers(self, root, chain):
        """Would a run for these functions follow the same paths as this one?"""
        if self.chain == chain:
            return True
        if not chain - {root} <= self.inlined or chain & self.skipped:
            return False
        names = {f.name for f in chain}
        if names & self.asked - self.chain_names():
            return False
        end = self.last(root, names)
        return self.end is None or end is not None and end <= self.end

    def inline(self, f, vs, st, fr, pos):
        key = (fr.id, f.src.idx, f.name, pos)
        fid = self.frames.setdefault(key, len(self.frames) + 1)
        call = (fid, tuple(vs), st.key(), tuple(self.held_back) if self.coarse else None)
        if call in self.calls:
            return self.calls[call]
        self.inlined.add(f)
        self.framef[fid] = f
        sub = Frame(f, fid, fr.depth + 1)
        e = dict(st.e)
        suffix = '%%%d' % fid
        for k in [k for k in e if suffix in k and re.search(suffix + r'(?!\d)', k)]:
            del e[k]
        c = st.c
        if any(suffix in k for k in c):
            c = {k: v for k, v in c.items() if not re.search(suffix + r'(?!\d)', k)}
        s = St(dict(st.l), e, c)
        f.ast()
        for i, pname in enumerate(f.params):
            if i < len(vs) and vs[i] not in (UNK,):
                if pname in self.p.live(f):
                    s.e['%s%%%d' % (pname, fid)] = vs[i]
        self.stack.append(f)
        try:
            rets = self.body(sub, [s])
        finally:
            self.stack.pop()
        out = []
        pat = re.compile(suffix + r'(?!\d)')
        for s, v in rets:
            s2 = St(s.l, {k: q for k, q in s.e.items() if not pat.search(k)},
                    s.c)
            if v[0] == 's' or v[0] == 'not':
                pass
            out.append((s2, v))
        # only what still has a name matters
        out2 = []
        for s, v in out:
            t = self.text(v)
            used = t + ' ' + ' '.join(k[1] for k in s.l) + ' ' + \
                ' '.join(named(x) for x in s.e.values())
            s.c = {k: q for k, q in s.c.items()
                   if not pat.search(k) or k in used or q[0] == 'prov' and k[5:] in used
                   or k.startswith('valid:') and k[6:] in used}
            s._k = s._h = s._j = s._n = None
            out2.append((s, v))
        out2 = uniqv(out2)
        if len(out2) > MAX_STATES:
            vals = {}
            for s, v in out2:
                vals.setdefault(v, []).append(s)
            out2 = []
            for v, ss in vals.items():
                out2 += [(s, v) for s in self.narrow(ss, v)]
        self.calls[call] = out2
        return out2

    # -- statements -----------------------------------------------------
    def run(self, f):
        f.ast()
        self.stack, self.framef[0] = [f], f
        self.end = self.last(f, self.chain_names())
        fr = Frame(f, 0, 0)
        st = St()
        return self.body(fr, [st])

    def last(self, f, chain):
        """Where nothing more that matters can follow, or None: no walk, no
        table, and no way back."""
        names = ENTERS | chain | self.p.tabnames | {'walk_lock'}
        if self.only is not None or f.tables:
            return None
        # pointers to a table
        names |= {f.toks[i + 2][0] for i in range(len(f.toks) - 2)
                  if f.toks[i][0] == 'mm_walk_ops' and f.toks[i + 1][0] == '*'}
        hits = [p for n, p in f.toks if n in names]
        if not hits:
            return None
        end = max(hits)
        labels = {}
        for i, (n, p) in enumerate(f.toks):
            if n == ':' and i and f.toks[i - 1][0][0].isalpha():
                labels.setdefault(f.toks[i - 1][0], p)
        for i, (n, p) in enumerate(f.toks[:-1]):
            if n == 'goto' and p > end and labels.get(f.toks[i + 1][0], end + 1) <= end:
                return None
        return end

    def body(self, fr, states):
        tree = fr.f.ast()
        fr.gotos = {}
        for _ in range(12 if self.coarse else 6):
            before = {k: len(v) for k, v in fr.gotos.items()}
            fr.rets, fr.met = [], {}
            fr.pending = {k: uniq(v) for k, v in fr.gotos.items()}
            fall = self.exec(tree, states, fr)
            if all(len(v) == fr.met.get(k) for k, v in fr.gotos.items()):
                break           # nothing jumps back
            fr.gotos = {k: uniq(v) for k, v in fr.gotos.items()}
            if before == {k: len(v) for k, v in fr.gotos.items()}:
                break
        else:
            self.unfinished()
        rets = fr.rets + [(s, UNK) for s in fall]
        return uniqv(rets)

    def has_label(self, x):
        r, _ = self.p.labels.get(id(x), (None, None))
        if r is None:
            r = False
            if x and x[0] == 'label':
                r = True
            elif x:
                for y in x[1:]:
                    if isinstance(y, list):
                        r = r or any(isinstance(z, tuple) and self.has_label(z) for z in y
                                     if isinstance(z, tuple) and z and z[0] in STMTS)
                    elif isinstance(y, tuple) and y and y[0] in STMTS:
                        r = r or self.has_label(y)
            self.p.labels[id(x)] = r, x      # x is kept: another may not get its id
        return r

    def exec(self, x, sts, fr):
        if x is None:
            return sts
        k = x[0]
        if not sts and not self.has_label(x):
            return []
        if k in PLAIN and self.only is None and self.p.inert(x, fr.f):
            return sts
        self.steps += len(sts)
        if self.steps > self.budget:
            raise TooBig()
        if k == 'block':
            return self.block(x, sts, fr)
        if k == 'expr':
            out = []
            for s in sts:
                out += [q for q, _ in self.ev(x[1], s, fr)]
            return self.narrow(out)
        if k == 'decl':
            return self.decl(x, sts, fr)
        if k == 'if':
            a, b = [], []
            for s in sts:
                a += self.cond(x[1], s, fr, True)
                b += self.cond(x[1], s, fr, False)
            a = self.exec(x[2], self.narrow(a), fr)
            b = self.exec(x[3], self.narrow(b), fr)
            return self.narrow(a + b)
        if k in ('while', 'do'):
            return self.loop(x, sts, fr)
        if k == 'each':
            return self.each(x, sts, fr)
        if k == 'switch':
            return self.switch(x, sts, fr)
        if k == 'case':
            return sts
        if k == 'break':
            fr.brk += sts
            return []
        if k == 'continue':
            fr.cont += sts
            return []
        if k == 'goto':
            fr.gotos.setdefault(x[1], []).extend(sts)
            return []
        if k == 'label':
            fr.met[x[1]] = len(fr.gotos.get(x[1], ()))
            return self.narrow(sts + fr.pending.get(x[1], []) + fr.gotos.get(x[1], []))
        if k == 'return':
            for s in sts:
                fr.rets += self.ev(x[1], s, fr)
            fr.rets = uniqv(fr.rets)
            if len(fr.rets) > MAX_STATES * 4:
                vals = {}
                for s, v in fr.rets:
                    vals.setdefault(v, []).append(s)
                fr.rets = [(s, v) for v, ss in vals.items() for s in self.narrow(ss, v)]
            return []
        if k in ('scoped_guard', 'scoped_cond_guard'):
            return self.scoped(x, sts, fr)
        if k == 'guard':
            return sts
        return sts

    def acquire(self, gname, v, st, where):
        c, mode = GUARDS.get(gname, (None, None))
        if c == 'S':
            c, obj = self.sem(v)
        elif c:
            obj = self.text(v)
        if c not in ('M', 'I', 'V'):
            return None, st
        if c == 'V':
            return (c, obj), st.setl((c, obj), (mode, where, 'took'))
        return (c, obj), self.dropsame(st, c, obj).setl((c, obj), (mode, where, 'took'))

    def release(self, st, where):
        for k, v in st.l.items():
            if v[1] == where and v[2] == 'took' and k[0] != 'V':
                return self.unlock(st, k[0], k[1], where + ' (scope end)')
        return st

    def block(self, x, sts, fr):
        marks = None
        guards = []
        for s in x[1]:
            if fr.id == 0 and self.end is not None and not self.loops and s and \
               first_pos(s) > self.end:
                return []
            if s and s[0] == 'guard':
                if marks is None:
                    marks = (len(fr.rets), len(fr.brk), len(fr.cont))
                where = '%s:%d' % (fr.f.src.path, fr.f.src.line(s[3]))
                out = []
                for st in sts:
                    for st2, v in self.ev(s[2], st, fr):
                        _, st3 = self.acquire(''.join(t[0] for t in s[1]), v, st2, where)
                        out.append(st3)
                sts = self.narrow(out)
                guards.append(where)
            else:
                sts = self.exec(s, sts, fr)
        for w in guards:
            sts = uniq([self.release(s, w) for s in sts])
            fr.rets[marks[0]:] = [(self.release(s, w), v) for s, v in fr.rets[marks[0]:]]
            fr.brk[marks[1]:] = [self.release(s, w) for s in fr.brk[marks[1]:]]
            fr.cont[marks[2]:] = [self.release(s, w) for s in fr.cont[marks[2]:]]
        return sts

    def scoped(self, x, sts, fr):
        k, args, body, pos = x
        where = '%s:%d' % (fr.f.src.path, fr.f.src.line(pos))
        gname = ''.join(t[0] for t in args[0]) if args else ''
        n = 2 if k == 'scoped_cond_guard' else 1
        obj = expr(args[n]) if len(args) > n else None
        ins, fails = [], []
        for st in sts:
            for st2, v in self.ev(obj, st, fr):
                _, st3 = self.acquire(gname, v, st2, where)
                ins.append(st3)
                if k == 'scoped_cond_guard' or gname.endswith(('_try', '_intr', '_kill')):
                    fails.append(st2)
        m = (len(fr.rets), len(fr.cont))
        brk, fr.brk = fr.brk, []
        out = self.exec(body, self.narrow(ins), fr)
        # the guard is a loop of one turn: break leaves it
        out = [self.release(s, where) for s in out + fr.brk]
        fr.brk = brk
        fr.rets[m[0]:] = [(self.release(s, where), v) for s, v in fr.rets[m[0]:]]
        fr.cont[m[1]:] = [self.release(s, where) for s in fr.cont[m[1]:]]
        if k == 'scoped_cond_guard' and len(args) > 1:
            p = Parser(fr.f)
            p.t = args[1] + [(';', pos)]
            node, _ = p.stmt(0, len(p.t)) if args[1] else (None, 0)
            fails = self.exec(node, fails, fr)
        return self.narrow(out + fails)

    def decl(self, x, sts, fr):
        for name, npos, init, ptr, ops in x[1]:
            t = self.lname(name, fr)
            tab = fr.f.tables.get((name, npos))
            tabs = self.p.bydecl.get((fr.f.src.idx, npos))
            if tabs:
                for q in tabs:
                    self.lv2t[t + q.suffix] = q.tid
                if tabs[0].array:
                    self.p.arrays.add(t)
                    self.p.lv[t + '[*]'] = {q.tid for q in tabs}
            if init is None:
                out = []
                for s in sts:
                    if tabs and not x[2]:
                        s = St(s.l, {k: v for k, v in s.e.items()
                                     if not k.startswith(t + '.') and not k.startswith(t + '[')}, s.c)
                    elif not x[2] and t in s.e:
                        s = s.copy()
                        s.e.pop(t, None)
                    out.append(s)
                sts = out
                continue
            out = []
            for s in sts:
                if init[0] == 'init':
                    out += self.braces(t, init[1], s, fr, npos)
                else:
                    for s2, v in self.ev(init, s, fr):
                        if tabs and not ptr:
                            s2 = s2.copy()
                            # a copy of another object
                            src = self.copysrc(v, init, s2, fr)
                            if src:
                                s2.e[t + '.walk_lock'] = ('set', src, fr.f.name)
                            out.append(s2)
                        else:
                            if v == UNK:
                                s2, v = self.fresh(s2, '%s$%d' % (t.split('$')[0], npos))
                            if v == ('s', t):
                                out.append(s2)
                            else:
                                s2 = self.store(s2, t, v, npos)
                                out.append(s2)
            sts = self.narrow(out)
        return sts

    def copysrc(self, v, init, st, fr):
        if v[0] == 'obj':
            return self.p.tables[v[1]].mode
        if init[0] in ('id', 'mem', 'idx') or init[0] == 'un' and init[1] == '*':
            for s, t in self.lval(init, st, fr):
                ids = self.tids(('addr', t), s) if t else set()
                if ids:
                    modes = [self.p.tables[i].mode for i in ids]
                    got = s.e.get(t + '.walk_lock')
                    if got:
                        return got[1]
                    return modes[0] if all(modes) else None
                return 'copy'
        return 'copy'

    def braces(self, t, toks, st, fr, pos):
        toks = toks[1:matching(toks, 0)]
        s = St(st.l, {k: v for k, v in st.e.items()
                      if not k.startswith(t + '.') and not k.startswith(t + '[')}, st.c)
        outs = [s]
        for p in split_top(toks):
            if len(p) > 4 and p[0][0] == p[2][0] == '.' and p[4][0] == '=':
                p = [p[0], (p[1][0] + '.' + p[3][0], p[1][1])] + p[4:]
            if len(p) > 2 and p[0][0] == '.' and p[2][0] == '=':
                r = p[3:]
                if r and r[0][0] == '{':
                    nxt = []
                    for s in outs:
                        nxt += self.braces(t + '.' + p[1][0], r, s, fr, pos)
                    outs = nxt
                    continue
                nxt = []
                x = expr(r)
                for s in outs:
                    for s2, v in self.ev(x, s, fr):
                        if p[1][0].split('.')[-1] == 'walk_lock':
                            v = ('set', self.rtext(x), fr.f.name)
                        nxt.append(self.store(s2, t + '.' + p[1][0], v, p[1][1])
                                   if v != UNK else s2)
                outs = self.narrow(nxt)
            elif p:
                names = {q[0] for q in p}
                x = expr(p) if p[0][0] != '{' and p[0][0] != '[' else None
                if x and (names & (ENTERS | set(self.p.tabnames)) or self.on_chain(names)):
                    nxt = []
                    for s in outs:
                        for s2, v in self.ev(x, s, fr):
                            for i in self.tids(v, s2):
                                self.escapes.add((i, fr.f.src.path, fr.f.src.line(pos)))
                            nxt.append(s2)
                    outs = self.narrow(nxt)
        return outs

    def unfinished(self):
        """A loop whose next turn might still bring something new."""
        if self.coarse:
            raise TooBig()
        self.vague = True

    def loop(self, x, sts, fr):
        sts = self.all_vmas(x, sts)
        self.loops += fr.id == 0
        try:
            return self.loop1(x, sts, fr)
        finally:
            self.loops -= fr.id == 0

    def all_vmas(self, x, sts):
        """A loop that locks VMAs: which ones, no place says afterwards."""
        if self.p.touch and self.p.locks_vmas(x):
            return [s.setc('touch:all', K1) for s in sts]
        return sts

    def loop1(self, x, sts, fr):
        k, c, body, step, pos = x
        brk, cont = fr.brk, fr.cont
        fr.brk, out, seen, cur = [], [], set(), list(sts)
        first = k == 'do'
        for _ in range(12 if self.coarse else 5):
            fr.cont = []
            if first:
                ins, first = cur, False
            else:
                ins = []
                for s in cur:
                    ins += self.cond(c, s, fr, True)
                    out += self.cond(c, s, fr, False) if c is not None else []
            ins = self.narrow(ins)
            b = self.exec(body, ins, fr) + fr.cont
            if step is not None:
                nb = []
                for s in b:
                    nb += [q for q, _ in self.ev(step, s, fr)]
                b = nb
            cur = [s for s in self.narrow(b) if s.key() not in seen]
            seen |= {s.key() for s in cur}
            if not cur:
                break
        else:
            self.unfinished()
            for s in cur:
                out += self.cond(c, s, fr, False) if c is not None else []
        out += fr.brk
        fr.brk, fr.cont = brk, cont
        return self.narrow(out)

    def each(self, x, sts, fr):
        sts = self.all_vmas(x, sts)
        self.loops += fr.id == 0
        try:
            return self.each1(x, sts, fr)
        finally:
            self.loops -= fr.id == 0

    def each1(self, x, sts, fr):
        _, name, args, body, pos = x
        xs = [expr(a) for a in args]
        brk, cont = fr.brk, fr.cont
        fr.brk, fr.cont = [], []
        out, seen, cur = [], set(), list(sts)
        for a in xs:
            if a is not None and (idents(a) & (PRIMS - {'guard'})):
                self.fuzzy.add(fr.f.name)
        for _ in range(12 if self.coarse else 4):
            fr.cont = []
            out += cur
            ins = []
            for s in cur:
                if name in ITERS and len(xs) > 1 and xs[1][0] == 'id':
                    var = self.lname(xs[1][1], fr)
                    sym = '%s$%d' % (var, pos)
                    s, v = self.fresh(s, sym)
                    mm = None
                    for s2, q in self.ev(xs[0], s, fr)[:1]:
                        it = None
                        if q[0] == 'it':
                            it = q
                        elif q[0] == 'addr':
                            it = s2.e.get(q[1])
                        elif q[0] == 's':
                            it = s2.e.get('*' + q[1])
                        if it and it[0] == 'it':
                            mm = it[1]
                    s = s.sete(var, v).setc(sym, ('ne', frozenset({0})))
                    if mm:
                        s = s.setc('prov:' + sym, ('prov', mm))
                elif name == 'vma_interval_tree_foreach' and xs and xs[0] and xs[0][0] == 'id':
                    var = self.lname(xs[0][1], fr)
                    sym = '%s$%d' % (var, pos)
                    s, v = self.fresh(s, sym)
                    s = s.sete(var, v).setc('prov:' + sym, ('prov', 'i_mmap'))
                else:
                    for a in xs:
                        if a is not None and a[0] == 'id' and a[1] in fr.f.locals:
                            var = self.lname(a[1], fr)
                            if s.e.get(var, UNK)[0] in ('t', 'addr', 'it'):
                                continue
                            if a is xs[0] or len(xs) > 1 and a is xs[1]:
                                s, v = self.fresh(s, '%s$%d' % (var, pos))
                                s = s.sete(var, v)
                ins.append(s)
            b = self.exec(body, self.narrow(ins), fr) + fr.cont
            cur = [s for s in self.narrow(b) if s.key() not in seen]
            seen |= {s.key() for s in cur}
            if not cur:
                break
        else:
            self.unfinished()
        out += cur + fr.brk
        fr.brk, fr.cont = brk, cont
        return self.narrow(out)

    def switch(self, x, sts, fr):
        _, c, body, pos = x
        brk, fr.brk = fr.brk, []
        items = body[1] if body and body[0] == 'block' else [body]
        entry, cases = [], []
        for i, it in enumerate(items):
            if it and it[0] == 'case' and it[1] is not None:
                if any(t[0] == '...' for t in it[1]):
                    cases.append((i, None))
                else:
                    cases.append((i, expr(it[1])))
        into = {}
        default = next((i for i, it in enumerate(items)
                        if it and it[0] == 'case' and it[1] is None), None)
        for s in sts:
            for s2, v in self.ev(c, s, fr):
                rest = [s2]
                for i, ce in cases:
                    nxt = []
                    for r in rest:
                        if ce is None:
                            into.setdefault(i, []).append(r)
                            nxt.append(r)
                            continue
                        for r2, cv in self.ev(ce, r, fr)[:1]:
                            q = self.equal(v, cv, r2) if v != UNK else UNK
                            into.setdefault(i, []).extend(self.assume(q, r2, True))
                            nxt += self.assume(q, r2, False)
                    rest = self.narrow(nxt)
                if default is not None:
                    into.setdefault(default, []).extend(rest)
                else:
                    fr.brk += rest
        cur = []
        for i, it in enumerate(items):
            if i in into:
                cur = self.narrow(cur + into[i])
            cur = self.exec(it, cur, fr)
        out = cur + fr.brk
        fr.brk = brk
        return self.narrow(out)


MEMBER = re.compile(r'(?:->|\.)(\w+)$')
INDEX = re.compile(r'\[[^][]*\]')


MEMBERS = re.compile(r'(?:->|\.)(\w+)')


def last_member(t):
    while t[-1:] == ']':
        # an index may have brackets of its own
        n = len(t) - 1
        while n and t[n:].count('[') < t[n:].count(']'):
            n -= 1
        t = t[:n]
    m = MEMBER.search(t)
    return m.group(1) if m else None


def first_id(x):
    """Where an expression stands: the first name in it."""
    if isinstance(x, (tuple, list)) and x:
        if x[0] == 'id':
            return x[2]
        for y in x:
            p = first_id(y)
            if p is not None:
                return p
    return None


PLAIN = {'expr', 'decl', 'if', 'while', 'do', 'each'}
STMTS = {'block', 'if', 'while', 'do', 'each', 'switch', 'case', 'label',
         'scoped_guard', 'scoped_cond_guard', 'return', 'goto', 'expr', 'decl',
         'break', 'continue', 'guard'}


def first_pos(s):
    """Where a statement starts, as far as it says so."""
    if s[0] in ('expr', 'return', 'guard', 'if', 'while', 'do', 'switch', 'decl',
                'each', 'scoped_guard', 'scoped_cond_guard'):
        return s[-1] if isinstance(s[-1], int) else -1
    return -1


def eval_cmp(op, a, b):
    return {'<': a < b, '>': a > b, '<=': a <= b, '>=': a >= b}[op]
