# SPDX-License-Identifier: GPL-2.0
"""What the two semantic patches ask for: one project a group of files, answers
by position, the coverage line."""
import functools
import json
import os
import re
import sys
from .source import (
    DQ, IM, MAX_UP, NL, VR, WALK, WR, WV)
from .flow import (
    ENTERS, Interp)
from .callers import (
    NOVMA, Project, SOURCES, by_caller, given, how, other_mm, read_source, tree_modes,
    tree_root)

# ---------------------------------------------------------------- the driver

def roomy(fn):
    """Python takes the frames of nested calls from pieces of 16 kB, and gives a
    piece back when it is empty: on the edge of one, each call would do that.
    With a large frame around them there is one large piece."""
    def around(*args):
        return fn(*args)
    around.__code__ = around.__code__.replace(co_stacksize=1 << 16)
    return functools.wraps(fn)(around)


class Run:
    """What one spatch process does: the project of the current group."""
    def __init__(self):
        self.key = self.proj = None
        self.seen, self.count, self.files = set(), 0, 0
        self.hints = {}         # from scripts/annotate: what other files there are
        sys.setrecursionlimit(max(sys.getrecursionlimit(), 4000))

    def group(self, files):
        key = tuple(files)
        if key == self.key:
            return self.proj
        self.key, self.seen = key, set()
        self.files += len(files)
        extra = [x for f in files for x in self.hints.get('extra', {}).get(f, [])]
        paths = list(files)
        for f in extra + self.hints.get('headers', []) + quoted(files):
            if not any(same_file(f, p) for p in paths):
                paths.append(f)
        root = tree_root(files)
        if root:
            h = os.path.join(root, 'include', 'linux', 'pagewalk.h')
            if os.path.isfile(h) and not any(same_file(h, p) for p in paths):
                paths.append(h)
        self.proj = Project(paths, set(self.hints.get('complete', ())), tree_modes(files),
                            self.hints.get('callees'))
        self.proj.own = {s.idx for s in self.proj.srcs if s.path in key}
        return self.proj

    @roomy
    def found(self, files):
        """Tables without a mode in this group -> [(table, mode, words)]"""
        p = self.group(files)
        if not hasattr(p, 'answers'):
            p.answers = []
            for t in p.tables:
                if t.src.idx not in p.own:
                    continue
                n = p.needs(t)
                if n is None:
                    continue
                p.brief = n != ''       # the mode would not be added
                m, words = p.decide(t)
                p.brief = False
                if m and t.kind == 'macro':
                    words, m = 'would need %s in the macro: ' % m + words, None
                elif m and t.kind == 'alloc' or m and t.init is None:
                    words, m = 'would need %s before the walk: ' % m + words, None
                if m and n:
                    words, m = 'would need %s: ' % m + words, None
                if n == 'somepath':
                    words = 'set only on some paths to the walk; ' + words
                elif n == 'runtime':
                    words = 'filled in at run time; ' + words
                p.answers.append((t, m, words))
        return p.answers

    def answer(self, files, path, line, col):
        """The mode that belongs at this place, or None."""
        p = self.group(files)
        for t, m, _ in self.found(files):
            s = t.src
            if s.path != path:
                continue
            pos = (s.nl[line - 2] + 1 if line > 1 else 0) + col
            if pos == t.pos or t.init and t.init[0] < pos < t.init[1] or \
               t.kind == 'literal' and t.pos <= pos <= t.init[0]:
                return m
        return None

    def wanted(self, files, path, line, col):
        for t, m, _ in self.found(files):
            s = t.src
            pos = (s.nl[line - 2] + 1 if line > 1 else 0) + col
            if s.path == path and (pos == t.pos or t.init and t.init[0] <= pos <= t.init[1]):
                return True
        return False


def read_headers(hints, path):
    """Reads what every file is looked at with, before the process forks."""
    root = tree_root([path])
    more = [os.path.join(root, 'include', 'linux', 'pagewalk.h')] if root else []
    for h in hints.get('headers', []) + more:
        if h not in SOURCES:
            try:
                SOURCES[h] = read_source(h)
            except Exception:           # each file will meet that for itself
                SOURCES[h] = None


def same_file(a, b):
    return os.path.normpath(a) == os.path.normpath(b)


def quoted(files):
    """Headers next to the files that have to do with walks."""
    out = []
    for f in files:
        try:
            with open(f, errors='replace') as fh:
                text = fh.read()
        except OSError:
            continue
        for h in re.findall(r'\binclude\s*' + DQ + '([^' + DQ + ']+)' + DQ, text):
            p = os.path.join(os.path.dirname(f), h)
            try:
                with open(p, errors='replace') as fh:
                    if re.search(r'mm_walk_ops|PGWALK_|mmap_(read|write)_|mmap_lock|i_mmap', fh.read()):
                        out.append(p)
            except OSError:
                pass
    return out


def say(kind, src, pos, end, name, words, **more):
    line, col = src.line(pos), src.col(pos)
    if os.environ.get('WALKLOCK_JSON'):
        d = dict(rule=kind, file=src.path, line=line, col=col, table=name, text=words)
        d.update(more)
        print('WALKLOCK ' + json.dumps(d))
    elif more.get('org'):
        print('* TODO [[view:%s::face=ovl-face1::linb=%d::colb=%d::cole=%d][%s: %s]]' %
              (src.path, line, col, col + end, name, words.replace('[', '(').replace(']', ')')))
    else:
        print('%s:%d:%d-%d: WARNING: %s: %s' % (src.path, line, col, col + end, name, words))
    sys.stdout.flush()


RUN = Run()


def lock_report(files, org=False):
    p = RUN.group(files)
    for t, m, words in RUN.found(files):
        text = 'missing walk_lock; ' + ('%s because %s' % (m, words) if m else 'cannot tell: ' + words)
        more = dict(org=True) if org else {}
        if os.environ.get('WALKLOCK_JSON'):
            more['mode'] = m
            if m and t.init:
                more['init'] = list(t.init)
        say('walk_lock', t.src, t.pos, len(t.name), t.name, text, **more)
    wanted = sorted(p.wanted)
    if os.environ.get('WALKLOCK_BOTH'):
        # scripts/annotate asks for both in one process: one parse, one project
        p.forget_runs()
        mismatch_report(files, done=False)
    tell_done(p, wanted)


def tell_done(p, wanted):
    if os.environ.get('WALKLOCK_JSON'):
        for s in p.srcs:
            if s.idx in p.own:
                print('WALKLOCK ' + json.dumps(dict(
                    rule='done', file=s.path, wanted=wanted,
                    tables=len([t for t in p.tables if t.src is s]),
                    funcs=[[f.name, s.line(f.pos), s.line(f.end),
                            bool(f.names() & (ENTERS | {'mm_walk_ops'} | p.tabnames))]
                           for f in s.funcs])))
        sys.stdout.flush()


def coverage():
    if RUN.files and not os.environ.get('WALKLOCK_JSON'):
        sys.stderr.write('coverage: %d file%s seen by this rule\n' %
                         (RUN.files, '' if RUN.files == 1 else 's'))




# ------------------------------------------------------------ contradictions

def proven(p, t, mode, w):
    """What the locks at this walk say against the mode, or None."""
    kind, st = WALK[w.entry][2], w.st
    at = '%s() at %s:%d' % (w.entry, w.site[0], w.site[1])
    if mode == IM and kind != 'mapping':
        return '%s in %s, which takes no file mapping' % (mode, at)
    if kind == 'mapping':
        if mode in (WV, VR, NL):
            return '%s in %s, which cannot honour it' % (mode, at)
        got = Interp(p, set()).held(st, 'I', w.mm)
        if got and got[0] == 'U':
            return 'i_mmap_rwsem released at %s before %s' % (got[1], at)
        return None
    mm, vma = p.facts(w)
    if mode == NL:
        if kind in ('kernel', 'lockless'):
            return None
        if w.entry == NOVMA:
            why = not_init_mm(p, w, mm)
            return why and '%s in %s, which takes it for init_mm only: %s' % (mode, at, why)
        if kind == 'novma' or w.mm == '&init_mm':
            return '%s in %s, which cannot honour it' % (mode, at)
        return '%s in %s, which walks the page tables of a process' % (mode, at)
    if kind == 'lockless':
        if mode in (VR, WR, WV):
            return '%s in %s, which looks at no VMA' % (mode, at)
        return None
    if kind == 'kernel' or w.mm == '&init_mm':
        got = st.l.get(('M', '&init_mm'))
        if got and got[0] == 'U':
            return 'mmap lock of init_mm released at %s before %s' % (got[1], at)
        if mode in (VR, WR, WV):
            return '%s in %s, which looks at no VMA' % (mode, at)
        return None
    if mode == VR:
        if kind in ('range', 'novma'):
            return '%s in %s, which may walk several VMAs' % (mode, at)
        if vma and vma[0] == 'x':
            return 'VMA lock released at %s before %s' % (vma[1], at)
        if mm and mm[0] in 'RW' and mm[2] == 'took' and not vma:
            return '%s, but only the mmap lock is taken (%s) at %s' % (mode, mm[1], at)
        return None
    if any(k.startswith('touchm:') for k in st.c):
        return None             # code not seen had the mm: it may have relocked it
    if mm and mm[0] == 'U' and not (vma and vma[0] in 'rw'):
        return 'mmap lock released at %s before %s' % (mm[1], at)
    if kind == 'novma':
        return None
    if vma and vma[0] == 'r' and vma[2] == 'took' and not (mm and mm[0] in 'RWA'):
        return '%s, but only the VMA read lock is taken (%s) at %s' % (mode, vma[1], at)
    if mode in (WR, WV) and mm and mm[0] == 'R':
        return '%s, but the mmap lock is held for read (%s) at %s' % (mode, mm[1], at)
    if mode == WV and has_vma_locks(p) and mm and mm[0] == 'W' and mm[2] == 'took':
        # taking the mmap lock for writing starts with no VMA write-locked
        if not any(k[0] == 'V' and v[0] == 'w' for k, v in st.l.items()) and \
           not any(k.startswith('touch:') for k in st.c):
            return '%s, but no VMA is write-locked after the mmap write lock (%s) at %s' % (
                mode, mm[1], at)
    if mm is None and vma is None and kind == 'vma' and st.c.get('prov:' + w.vma) == ('prov', 'i_mmap'):
        im = [v for k, v in st.l.items() if k[0] == 'I' and v[0] in 'RW']
        if im:
            return '%s, but only i_mmap_rwsem is held (%s) at %s' % (mode, im[0][1], at)
    return None


def not_init_mm(p, w, mm):
    """What shows that the mm of this walk is a process' or the firmware's, or None."""
    same = Interp(p, set()).same(w.st, 'M', w.mm)
    if '&init_mm' in same:
        return None
    for m in sorted(same):
        if other_mm(p, m):
            return 'it walks ' + re.sub(r'[%$]\d+', '', m)
        if ('eq', 0) in (w.st.c.get('(&init_mm==%s)' % m), w.st.c.get('(%s==&init_mm)' % m)):
            return 'it walks another mm'
    # what has a lock of its own taken is not init_mm, if nothing says it is
    local = re.match(r'\w+%\d+$', w.mm)
    last = re.sub(r'[%$]\d+', '', w.mm).split('>')[-1].split('.')[-1]
    texts = [f.src.text[f.pos:f.end] for f in w.chain] if local else [s.text for s in p.srcs]
    if mm and re.match(r'\w+$', last) and not any(
            re.search(r'\b%s\s*=\s*&\s*init_mm\b' % last, x) for x in texts):
        return 'its mmap lock is %s at %s' % (how(mm), mm[1])
    return None


def has_vma_locks(p):
    """In a tree without VMA locks that mode is about the mmap lock alone."""
    root = p.root()
    if not root:
        return True
    for h in ('mm.h', 'mmap_lock.h'):
        try:
            with open(os.path.join(root, 'include', 'linux', h), errors='replace') as f:
                if 'vma_start_write' in f.read():
                    return True
        except OSError:
            if h == 'mm.h':
                return True
    return False


def mode_at(p, t, w, it):
    """The mode that the table has at this walk, when it is a constant."""
    for place in [k for k, v in it.lv2t.items() if v == t.tid] + [t.lv]:
        v = w.st.e.get(place + '.walk_lock')
        if v is not None:
            names = re.findall(r'\bPGWALK_\w+', v[1]) if v[0] == 'set' else []
            return names[0] if len(names) == 1 and v[1] == names[0] else None
    m = (t.mode or '').strip()
    return m if re.match(r'^PGWALK_\w+$', m) else None


def contradictions(p, t):
    out, seen, good, fine = [], set(), set(), set()
    roots, _ = p.users(t)

    def climb(root, chain, level):
        if root in seen:
            return
        seen.add(root)
        chain = chain | {root}
        it = p.run(root, chain)
        callers, unknown = p.callers(root)
        ask, mine = False, []
        for w in it.walks:
            if t.tid not in w.tids:
                continue
            mode = mode_at(p, t, w, it)
            if mode is None:
                continue
            why = None if it.lossy or it.fuzzy else proven(p, t, mode, w)
            if why:
                if mode == NL and w.entry == NOVMA and by_caller(root, w) and callers:
                    ask = True      # they know which mm it is
                elif unknown or not given(w):
                    mine.append((w, why))
                else:
                    ask = True      # may depend on what the callers pass
            else:
                good.add((w.src.idx, w.pos))
                fine.add(root)
                mm, vma = p.facts(w)
                ask = ask or mm is None
        out.extend((root, w, why) for w, why in mine)
        ask = ask or any(t.tid in it.tids(v, s) for s, v in it.result)
        if ask and level < MAX_UP and not it.big:
            for c in sorted(callers, key=lambda f: (f.src.path, f.pos)):
                climb(c, chain, level + 1)

    for r in sorted(roots, key=lambda f: (f.src.path, f.pos)):
        climb(r, set(), 0)
    best = {}
    for root, w, why in out:
        if t.func is None and len(p.lv.get(t.lv, ())) > 1:
            continue        # one of several definitions
        # A walk that takes one of several tables takes the right one: by a
        # condition that cannot be followed, as long as one path is right.
        if p.several(w) and ((w.src.idx, w.pos) in good or root in fine):
            continue
        best.setdefault((w.src.idx, w.pos), (w, why))
    return list(best.values())


@roomy
def mismatches(files):
    p = RUN.group(files)
    if not hasattr(p, 'wrong'):
        p.wrong = []
        p.touch = p.brief = True
        for t in p.tables:
            if t.src.idx in p.own:
                for w, why in contradictions(p, t):
                    p.wrong.append((t, w, why))
    return p.wrong


def mismatch_report(files, org=False, done=True):
    p = RUN.group(files)
    for t, w, why in mismatches(files):
        more = dict(org=True) if org else {}
        if os.environ.get('WALKLOCK_JSON'):
            more['decl'] = '%s:%d' % (t.src.path, t.line())
        say('walk_lock_mismatch', w.src, w.pos, len(w.entry), t.name, 'wrong walk_lock: ' + why, **more)
    if done:
        tell_done(p, [])


def mismatch_at(files, path, line):
    return any(w.src.path == path and w.src.line(w.pos) == line for _, w, _ in mismatches(files))
