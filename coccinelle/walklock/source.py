# SPDX-License-Identifier: GPL-2.0
"""C source as text: comments and strings blanked, tokens, statements and
expressions of the functions that matter.  No preprocessing: all branches of an
#if count as present."""
import bisect
import re

# ---------------------------------------------------------------- source text

# The semantic patch lexer sees this text: no quote, slash or hash in a string.
SL, DQ, SQ, HA = chr(47), chr(34), chr(39), chr(35)
CPPIF, CPPELSE, CPPEND = HA + 'if', HA + 'else', HA + 'endif'
QUOTES = DQ + SQ
STR = DQ + r'(?:\\.|[^' + DQ + r'\\\n])*' + DQ + '|' + SQ + r'(?:\\.|[^' + SQ + r'\\\n])*' + SQ
WALK = {
    # entry: (index of the mm/vma/mapping argument, index of ops, kind)
    'walk_page_range': (0, 3, 'range'),
    'walk_page_range_mm': (0, 3, 'range'),
    'walk_page_range_mm_unsafe': (0, 3, 'range'),
    'walk_page_range_vma': (0, 3, 'vma'),
    'walk_page_range_vma_unsafe': (0, 3, 'vma'),
    'walk_page_vma': (0, 1, 'vma'),
    'walk_page_mapping': (0, 3, 'mapping'),
    'walk_page_range_novma': (0, 3, 'novma'),
    'walk_page_range_debug': (0, 3, 'novma'),
    'walk_kernel_page_table_range': (None, 2, 'kernel'),
    'walk_kernel_page_table_range_lockless': (None, 2, 'lockless'),
}
RD, WR, WV, VR = ('PGWALK_RDLOCK', 'PGWALK_WRLOCK', 'PGWALK_WRLOCK_VERIFY',
                  'PGWALK_VMA_RDLOCK_VERIFY')
IM, NL = 'PGWALK_I_MMAP_LOCK', 'PGWALK_NOLOCK'
OLD_MODES = [RD, WR, WV]
OPS_MEMBERS = ['pgd_entry', 'p4d_entry', 'pud_entry', 'pmd_entry', 'pte_entry',
               'pte_hole', 'hugetlb_entry', 'test_walk', 'pre_vma', 'post_vma',
               'walk_lock']
MAX_UP = 7
MAX_STATES = 48
MAX_INLINE = 9
MAX_VALUES = 32
BUDGETS = 25000, 50000, 80000   # steps a function, by what is remembered

COMMENT = re.compile(SL + r'\*.*?\*' + SL + '|' + SL + SL + r'(?:\\\n|[^\n])*'
                     '|' + STR, re.S)
CPP = re.compile('^[ \\t]*' + HA + r'[ \t]*(\w*)((?:\\\n|[^\n])*)', re.M)
TOKEN = re.compile(r'[A-Za-z_]\w*|0[xX][0-9a-fA-F]+\w*|\d[\w.]*'
                   '|' + STR +
                   r'|->|\+\+|--|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||\.\.\.'
                   r'|[-+*' + SL + r'%&|^]=|' + HA + HA + r'|[^\s\w]')
KEYWORDS = {'if', 'else', 'while', 'for', 'do', 'switch', 'return', 'sizeof',
            'case', 'default', 'goto', 'break', 'continue', 'typeof',
            '__typeof__', 'defined', 'asm', '__asm__', '__attribute__',
            'alignof', '_Alignof', '__alignof__', 'static_assert'}
TYPEWORDS = {'struct', 'union', 'enum', 'const', 'static', 'volatile', 'int',
             'unsigned', 'signed', 'long', 'short', 'char', 'void', 'bool',
             'register', 'extern', 'inline', 'float', 'double', 'auto',
             '__auto_type', 'typeof', '__typeof__', '__maybe_unused',
             '__always_unused', '__unused', '_Bool', 'u8', 'u16', 'u32', 'u64',
             's8', 's16', 's32', 's64', 'size_t', 'ssize_t', 'loff_t',
             'pgoff_t', 'vm_flags_t', 'gfp_t', 'uintptr_t'}

STORAGE = {'static', 'extern', 'inline', 'const', 'register'}


def spaces(m):
    return re.sub(r'[^\n]', ' ', m.group(0))


def strip_comments(text):
    def sub(m):
        return m.group(0) if m.group(0)[0] in QUOTES else spaces(m)
    return COMMENT.sub(sub, text)


def strip_cpp(text):
    """Blanks directives -> (text, marks). Branches of whole statements become
    alternatives; of unbalanced ones only the first stays, the rest all do."""
    stack, cuts, forks, dead, groups = [], [], [], [], []
    for m in CPP.finditer(text):
        word = m.group(1)
        if word in ('if', 'ifdef', 'ifndef'):
            stack.append([(m.start(), m.end(), word + m.group(2))])
        elif word in ('else', 'elif') and stack:
            stack[-1].append((m.start(), m.end(), word + m.group(2)))
        elif word == 'endif' and stack:
            top = stack.pop() + [(m.start(), m.end(), '')]
            groups.append((top[0], [(a[1], b[0]) for a, b in zip(top, top[1:])]))
            if re.match(r'if\s+0\s*$', top[0][2]):
                dead.append((top[0][1], top[1][0]))
                continue
            if re.match(r'if\s+1\s*$', top[0][2]):
                dead.append((top[1][0], top[-1][0]))
                continue
            segs = [text[a[1]:b[0]] for a, b in zip(top, top[1:])]
            if any(x.count('{') != x.count('}') for x in segs):
                if len(top) > 2:
                    cuts.append((top[1][0], m.start()))
            elif all(whole_statements(x) for x in segs) and \
                    re.search(r'[;{}:]\s*$', CPP.sub(spaces, text[max(0, top[0][0] - 2000):top[0][0]])):
                forks.append(top)
    text = CPP.sub(spaces, text)
    for a, b in cuts + dead:
        text = text[:a] + re.sub(r'[^\n]', ' ', text[a:b]) + text[b:]
    marks = {}
    for top in forks:
        if any(a <= top[0][0] < b for a, b in cuts + dead):
            continue
        for k, (a, e, word) in enumerate(top):
            kind = CPPIF if k == 0 else CPPEND if k == len(top) - 1 else CPPELSE
            marks[a] = (kind, ' '.join(word.split()))
    return text, marks, groups


def whole_statements(seg):
    seg = CPP.sub(spaces, seg).strip()
    return not seg or seg[-1] in ';}:' and not re.match(r'else\b', seg)


def matching(toks, i, n=None):
    """Index of the bracket that closes toks[i]."""
    depth, n = 0, n or len(toks)
    while i < n:
        t = toks[i][0]
        if t in '([{':
            depth += 1
        elif t in ')]}':
            depth -= 1
            if depth == 0:
                return i
        i += 1
    return n - 1


def split_top(toks, sep=','):
    out, cur, depth = [], [], 0
    for t in toks:
        if t[0] in '([{':
            depth += 1
        elif t[0] in ')]}':
            depth -= 1
        if t[0] == sep and depth == 0:
            out.append(cur)
            cur = []
        else:
            cur.append(t)
    if cur or out:
        out.append(cur)
    return out


class Func:
    def __init__(self, src, name, params, static, toks, pos, start, end):
        self.src, self.name, self.params = src, name, params
        self.static, self.toks, self.pos = static, toks, pos
        self.start, self.end = start, end
        self._ast = self._names = self._called = self._sets = None
        self.locals = set(params)
        self.tables = {}

    def ast(self):
        if self._ast is None:
            self._ast = Parser(self).block(0, len(self.toks))
        return self._ast

    def calls_param(self):
        """Parameters that are called."""
        t = self.toks
        return {t[i][0] for i in range(len(t) - 1) if t[i][0] in self.params and
                (t[i + 1][0] == '(' or t[i + 1][0] == ')' and i + 2 < len(t) and
                 t[i + 2][0] == '(' and i > 1 and t[i - 1][0] == '*')}

    def gives_vma(self):
        head = self.src.text[max(0, self.pos - 80):self.pos] if self.start >= 0 else ''
        return bool(re.search(r'vm_area_struct\s*\*[^;{}()]*$', head))

    def pure(self):
        """Calls nothing: its value follows from its arguments."""
        return not self.called()

    def called(self):
        """Names of what it calls."""
        if self._called is None:
            t = self.toks
            self._called = {t[i][0] for i in range(len(t) - 1) if t[i + 1][0] == '(' and
                            (t[i][0][0].isalpha() or t[i][0][0] == '_') and
                            t[i][0] not in KEYWORDS and t[i][0] not in TRANSPARENT}
        return self._called

    def sets(self):
        """Members that it assigns, and those whose address it takes."""
        if self._sets is None:
            t, self._sets = self.toks, (set(), set())
            for i in range(1, len(t) - 1):
                if t[i][0] not in ('->', '.'):
                    continue
                k = i + 2
                while k < len(t) - 1 and t[k][0] == '[':
                    k = matching(t, k) + 1
                if k < len(t) and (t[k][0] in ASSIGN or t[k][0] in ('++', '--') or
                                   t[k][0] == ',' and self.stored(i)):
                    self._sets[0].add(t[i + 1][0])
                elif k >= len(t) or t[k][0] not in ('->', '.'):
                    # the start of the chain
                    j = i - 1
                    while j > 0 and (t[j][0] in ('->', '.', ']', '[') or t[j][0][0].isalnum() or
                                     t[j][0][0] == '_'):
                        if (t[j][0][0].isalnum() or t[j][0][0] == '_') and \
                           t[j - 1][0] not in ('->', '.', '['):
                            break
                        j -= 1
                    if t[j - 1][0] in ('&', '++', '--'):
                        self._sets[1].add(t[i + 1][0])
        return self._sets

    def stored(self, i):
        """Does the member at token i stand in the first argument of a macro
        that assigns to it?"""
        depth = 0
        for k in range(i - 1, 0, -1):
            c = self.toks[k][0]
            depth += (c in ')]}') - (c in '([{')
            if depth < 0:
                return self.toks[k - 1][0] in STORES
            if c in ',;' and not depth:
                return False
        return False

    def names(self):
        if self._names is None:
            toks, out = self.toks, set()
            for i, (t, _) in enumerate(toks):
                if (t[0].isalpha() or t[0] == '_'):
                    out.add(t)
            self._names = out
        return self._names


class Table:
    """One mm_walk_ops object."""
    def __init__(self, src, name, pos, func, lv):
        self.src, self.name, self.pos = src, name, pos
        self.func, self.lv = func, lv
        self.mode = None          # text of the expression, when it has one
        self.empty = True         # nothing in the initialiser, or none
        self.kind = 'plain'
        self.array = False
        self.index = None
        self.copy = None
        self.init = None          # (start, end) of the braces
        self.unseen = None        # a macro in it of which too little is known

    def line(self):
        return self.src.line(self.pos)

    def __repr__(self):
        return '%s:%d:%s' % (self.src.path, self.line(), self.name)


class Source:
    def __init__(self, path, text):
        self.path, self.raw = path, text
        nocom = strip_comments(text)
        self.nocom = nocom
        self.text, self.marks, self.groups = strip_cpp(nocom)
        self.text = self.text.replace('\\\n', ' \n')     # only in code: directives are gone
        self.nl = [m.start() for m in re.finditer('\n', text)]
        self.funcs, self.byname, self.outer = [], {}, []
        self.scan()
        self.macros, self.bodies = {}, {}
        for m in CPP.finditer(nocom):
            if m.group(1) == 'define':
                d = re.match(r'\s*(\w+)(\([^)]*\))?((?:\\\n|[^\n])*)',
                             m.group(2))
                if d:
                    self.macros[d.group(1)] = (d.group(2), d.group(3), m.start())
                    self.bodies.setdefault(d.group(1), []).append(d.group(3))

    def line(self, pos):
        return bisect.bisect_left(self.nl, pos) + 1

    def col(self, pos):
        i = bisect.bisect_left(self.nl, pos)
        return pos - (self.nl[i - 1] + 1 if i else 0)

    def tokens(self, a, b):
        return [(m.group(0), m.start()) for m in TOKEN.finditer(self.text, a, b)]

    def scan(self):
        depth, head, start, text = 0, 0, 0, self.text
        par = 0
        for m in re.finditer(r'[{};()]|' + STR, text):
            c = m.group(0)
            if c == '(':
                par += 1 if depth == 0 else 0
            elif c == ')':
                par -= 1 if depth == 0 and par else 0
            elif c == '{':
                if depth == 0:
                    start = m.start()
                depth += 1
            elif c == '}':
                depth = max(0, depth - 1)
                if depth == 0 and par == 0:
                    if self.function(head, start, m.start()):
                        head = m.end()
            elif c == ';' and depth == 0:
                head = m.end()

    def function(self, head, start, end):
        h = self.text[head:start]
        if '(' not in h:
            return False
        if re.search(r'=\s*(\(|$|\[)', h.rstrip()[-40:]) or h.rstrip().endswith('='):
            return False
        toks = self.tokens(head, start)
        i = first = 0
        while i < len(toks) - 1:
            t = toks[i][0]
            if t == '=':
                return False
            if toks[i + 1][0] == '(' and (t[0].isalpha() or t[0] == '_'):
                j = matching(toks, i + 1)
                rest = toks[j + 1:]
                if t in ('__attribute__', '__aligned', '__section', 'typeof',
                         '__printf', '__scanf', '__declspec'):
                    i = j + 1
                    continue
                if self.before(toks[first:i + 1], toks[j], rest):
                    i = first = j + 1
                    continue
                ok, k = True, 0
                while k < len(rest):
                    if rest[k][0] == '(':
                        k = matching(rest, k)
                    elif not (rest[k][0][0].isalpha() or rest[k][0][0] == '_'):
                        ok = False
                        break
                    k += 1
                if ok and not (rest and rest[0][0] == '('):
                    break
                i = j + 1
                continue
            i += 1
        else:
            return False
        name, params = toks[i][0], []
        pieces = split_top(toks[i + 2:j])
        if re.match(r'(COMPAT_)?SYSCALL_DEFINE\d', name) and pieces:
            name = '__sys_' + ''.join(x[0] for x in pieces[0])
            params = [p[-1][0] for p in pieces[2::2] if p]
        else:
            for p in pieces:
                params.append(self.param(p))
        static = any(x[0] == 'static' for x in toks[first:i])
        body = self.tokens(start + 1, end)
        here = [(k, p) for p, (k, _) in self.marks.items() if start < p < end]
        if here:
            body = sorted(body + here, key=lambda t: t[1])
        f = Func(self, name, params, static, body,
                 toks[i][1], start + 1, end)
        self.funcs.append(f)
        self.byname.setdefault(name, f)
        return True

    def before(self, head, end, rest):
        """Is name(...) a macro without a semicolon, and the function what follows?
        What stands after the parameters of a function are attributes."""
        outer, k = [], 0
        while k < len(rest):
            outer.append(rest[k][0])
            k = matching(rest, k) + 1 if rest[k][0] == '(' else k + 1
        groups = [k for k in range(1, len(outer)) if outer[k] == '(']
        if not groups:
            return False
        if any(t in TYPEWORDS and t[:2] != '__' for t in outer):
            return True
        # a name at the start of a line, with no type in front of it
        if any(t not in TYPEWORDS and t[:2] != '__' for t, _ in head[:-1]) or \
           any(t in TYPEWORDS - STORAGE for t, _ in head[:-1]) or 'SYSCALL_DEFINE' in head[-1][0]:
            return False
        return '\n' in self.text[end[1]:rest[0][1]] and any(
            outer[k - 1][:2] != '__' or k > 1 and outer[k - 2][0].isalpha() for k in groups)

    def param(self, p):
        for i, (t, _) in enumerate(p):
            if t == '(' and i + 2 < len(p) and p[i + 1][0] == '*':
                return p[i + 2][0]
        ids = []
        for t, _ in p:
            if t == '[':
                break
            if (t[0].isalpha() or t[0] == '_') and not t.startswith('__'):
                ids.append(t)
        return ids[-1] if ids and ids[-1] not in TYPEWORDS else '?'

    def func_at(self, pos):
        for f in self.funcs:
            if f.start <= pos <= f.end:
                return f
        return None


# ---------------------------------------------------------------- statements

class Parser:
    """Statements of one function body. Expressions stay token lists until
    they are evaluated."""
    def __init__(self, f):
        self.f, self.t = f, f.toks

    def block(self, i, n):
        out = []
        while i < n:
            s, i = self.stmt(i, n)
            if s is not None:
                out.append(s)
        return ('block', out)

    def upto(self, i, n, stop=';'):
        depth = 0
        while i < n:
            c = self.t[i][0]
            if c in '([{':
                depth += 1
            elif c in ')]}':
                depth -= 1
                if depth < 0:
                    return i
            elif c == stop and depth == 0:
                return i
            elif c in (CPPIF, CPPELSE, CPPEND):
                return i
            i += 1
        return n

    def stmt(self, i, n):
        t, c, pos = self.t, self.t[i][0], self.t[i][1]
        if c == ';':
            return None, i + 1
        if c == '{':
            j = matching(t, i, n)
            return self.block(i + 1, j), j + 1
        if c == '}':
            return None, i + 1
        if c == CPPIF:
            arms, k, j, depth = [], i + 1, i + 1, 0
            while j < n:
                if t[j][0] == CPPIF:
                    depth += 1
                elif t[j][0] == CPPEND and depth:
                    depth -= 1
                elif t[j][0] in (CPPELSE, CPPEND) and not depth:
                    arms.append(self.block(k, j))
                    k = j + 1
                    if t[j][0] == CPPEND:
                        break
                j += 1
            word, last = self.f.src.marks[pos][1], True
            kinds = [self.f.src.marks[q[1]][1].split(' ')[0] for q in t[i:j]
                     if q[0] == CPPELSE and q[1] in self.f.src.marks]
            node = arms.pop() if kinds and kinds[-1] == 'else' else None
            for a in reversed(arms):
                node = ('if', ('cpp', word, pos), a, node, pos)
                word += '/'
            return node, j + 1
        if c in (CPPELSE, CPPEND):
            return None, i + 1
        nxt = t[i + 1][0] if i + 1 < n else ''
        if c == 'if' and nxt == '(':
            j = matching(t, i + 1, n)
            a, k = self.stmt(j + 1, n) if j + 1 < n else (None, n)
            b = None
            if k < n and t[k][0] == 'else':
                b, k = self.stmt(k + 1, n) if k + 1 < n else (None, n)
            return ('if', expr(t[i + 2:j]), a, b, pos), k
        if c == 'while' and nxt == '(':
            j = matching(t, i + 1, n)
            a, k = self.stmt(j + 1, n) if j + 1 < n else (None, n)
            return ('while', expr(t[i + 2:j]), a, None, pos), k
        if c == 'do':
            a, k = self.stmt(i + 1, n)
            if k + 1 < n and t[k][0] == 'while':
                j = matching(t, k + 1, n)
                return ('do', expr(t[k + 2:j]), a, None, pos), j + 1
            return a, k
        if c == 'for' and nxt == '(':
            j = matching(t, i + 1, n)
            p = split_top(t[i + 2:j], ';') + [[], [], []]
            a, k = self.stmt(j + 1, n) if j + 1 < n else (None, n)
            init = self.simple(p[0])
            return ('block', [init, ('while', expr(p[1]), a, expr(p[2]), pos)]), k
        if c == 'switch' and nxt == '(':
            j = matching(t, i + 1, n)
            a, k = self.stmt(j + 1, n) if j + 1 < n else (None, n)
            return ('switch', expr(t[i + 2:j]), a, pos), k
        if c == 'case':
            j = self.upto(i + 1, n, ':')
            q = i + 1
            while j < n and any(x[0] == '?' for x in t[q:j]) and False:
                j = self.upto(j + 1, n, ':')
            return ('case', t[i + 1:j], pos), j + 1
        if c == 'default' and nxt == ':':
            return ('case', None, pos), i + 2
        if c in ('break', 'continue') and nxt == ';':
            return (c,), i + 2
        if c == 'goto':
            return ('goto', nxt), i + 3
        if c == 'return':
            j = self.upto(i + 1, n)
            return ('return', expr(t[i + 1:j]) if j > i + 1 else None, pos), j + 1
        if c in ('asm', '__asm__'):
            return None, self.upto(i, n) + 1
        if nxt == ':' and (c[0].isalpha() or c[0] == '_') and \
           not (i + 2 < n and t[i + 2][0] == ':'):
            return ('label', c), i + 2
        if nxt == '(' and (c[0].isalpha() or c[0] == '_') and c not in KEYWORDS:
            j = matching(t, i + 1, n)
            after = t[j + 1][0] if j + 1 < n else ';'
            if after == '{' or after[0].isalpha() or after[0] == '_':
                a, k = self.stmt(j + 1, n) if j + 1 < n else (None, n)
                if c in ('scoped_guard', 'scoped_cond_guard'):
                    return (c, split_top(t[i + 2:j]), a, pos), k
                return ('each', c, split_top(t[i + 2:j]), a, pos), k
            if c == 'guard' and after == '(':
                e = matching(t, j + 1, n)
                return ('guard', t[i + 2:j], expr(t[j + 2:e]), pos), e + 2
        j = self.upto(i, n)
        return self.simple(t[i:j]), j + 1

    def simple(self, toks):
        if not toks:
            return None
        d = self.decl(toks)
        return d if d else ('expr', expr(toks), toks[0][1])

    def decl(self, toks):
        c = toks[0][0]
        if not (c[0].isalpha() or c[0] == '_') or c in KEYWORDS - {'typeof', '__typeof__'}:
            return None
        if c not in TYPEWORDS:
            k = 1
            while k < len(toks) and (toks[k][0] == '*' or toks[k][0] == 'const'):
                k += 1
            if k >= len(toks) or not (toks[k][0][0].isalpha() or toks[k][0][0] == '_'):
                return None
            if k + 1 < len(toks) and toks[k + 1][0] not in ('=', ',', '[', '(') \
               and not (toks[k + 1][0][0].isalpha() or toks[k + 1][0][0] == '_' or toks[k + 1][0] == '*'):
                return None
        pieces = split_top(toks)
        ops, out = 'mm_walk_ops' in [x[0] for x in pieces[0]], []
        static = c == 'static' or any(x[0] == 'static' for x in pieces[0][:3])
        for p in pieces:
            name, k, npos, ptr = None, 0, 0, False
            while k < len(p):
                t = p[k][0]
                if t in ('=', '['):
                    break
                if t in ('typeof', '__typeof__', '__attribute__', '__aligned') and \
                   k + 1 < len(p) and p[k + 1][0] == '(':
                    k = matching(p, k + 1) + 1
                    continue
                if t == '{':
                    k = matching(p, k) + 1
                    continue
                if t == '*':
                    ptr = True
                if t == '(' and k + 2 < len(p) and p[k + 1][0] == '*':
                    name, npos, ptr = p[k + 2][0], p[k + 2][1], True
                    k = matching(p, k) + 1
                    continue
                if t == '(':
                    break
                if (t[0].isalpha() or t[0] == '_') and not t.startswith('__') \
                   and t not in TYPEWORDS:
                    name, npos = t, p[k][1]
                k += 1
            if name is None:
                continue
            self.f.locals.add(name)
            eq = next((x for x in range(k, len(p)) if p[x][0] == '='), None)
            init = None
            if eq is not None:
                r = p[eq + 1:]
                init = ('init', r) if r and r[0][0] == '{' else expr(r)
            out.append((name, npos, init, ptr, ops))
        return ('decl', out, static, toks[0][1]) if out else None


# --------------------------------------------------------------- expressions

BIN = {'*': 10, SL: 10, '%': 10, '+': 9, '-': 9, '<<': 8, '>>': 8, '<': 7,
       '>': 7, '<=': 7, '>=': 7, '==': 6, '!=': 6, '&': 5, '^': 4, '|': 3,
       '&&': 2, '||': 1}
ASSIGN = {'=', '+=', '-=', '*=', SL + '=', '%=', '&=', '|=', '^=', '<<=', '>>='}


def expr(toks):
    if not toks:
        return None
    try:
        e = ExprParser(toks)
        r = e.comma()
        return r
    except (IndexError, ValueError, RecursionError):
        return ('opaque', toks)


class ExprParser:
    def __init__(self, toks):
        self.t, self.i = toks, 0

    def peek(self, k=0):
        return self.t[self.i + k][0] if self.i + k < len(self.t) else ''

    def comma(self):
        e = self.assign()
        while self.peek() == ',':
            self.i += 1
            e = ('comma', e, self.assign())
        return e

    def assign(self):
        e = self.cond()
        if self.peek() in ASSIGN:
            op, pos = self.t[self.i]
            self.i += 1
            return ('asg', op, e, self.assign(), pos)
        return e

    def cond(self):
        e = self.binary(1)
        if self.peek() == '?':
            self.i += 1
            a = e if self.peek() == ':' else self.comma()
            if self.peek() == ':':
                self.i += 1
            b = self.assign()
            return ('?', e, a, b)
        return e

    def binary(self, prec):
        e = self.unary()
        while True:
            op = self.peek()
            p = BIN.get(op, 0)
            if p < prec or not p:
                return e
            self.i += 1
            e = ('bin', op, e, self.binary(p + 1))

    def is_cast(self):
        j = matching(self.t, self.i)
        inner = [x[0] for x in self.t[self.i + 1:j]]
        if not inner or j + 1 > len(self.t):
            return None
        nxt = self.t[j + 1][0] if j + 1 < len(self.t) else ''
        ty = inner[0] in TYPEWORDS or inner[-1] == '*' or \
            (len(inner) == 1 and inner[0].endswith('_t')) or inner[0] == '__force'
        if not ty or any(x in ('=', '(', '->', '.') for x in inner) and \
           inner[0] not in ('typeof', '__typeof__'):
            return None
        if nxt == '' or nxt in (')', ',', ';', ']'):
            return None
        return j, inner

    def unary(self):
        c, pos = self.t[self.i]
        if c in ('!', '&', '*', '-', '+', '~', '++', '--', '&&'):
            self.i += 1
            return ('un', c, self.unary(), pos)
        if c == 'sizeof':
            self.i += 1
            if self.peek() == '(':
                self.i = matching(self.t, self.i) + 1
            else:
                self.unary()
            return ('unk', pos)
        if c == '(':
            cast = self.is_cast()
            if cast:
                j, inner = cast
                self.i = j + 1
                if self.peek() == '{':
                    k = matching(self.t, self.i)
                    body = self.t[self.i + 1:k]
                    opos = self.t[self.i][1]
                    self.i = k + 1
                    return self.postfix(('complit', inner, body, opos))
                return self.unary()
        return self.postfix(self.primary())

    def primary(self):
        c, pos = self.t[self.i]
        self.i += 1
        if c == '(':
            if self.peek() == '{':
                j = matching(self.t, self.i)
                body = self.t[self.i + 1:j]
                self.i = j + 1
                if self.peek() == ')':
                    self.i += 1
                return ('opaque', body)
            e = self.comma()
            if self.peek() == ')':
                self.i += 1
            else:
                raise ValueError
            return e
        if c[0].isdigit():
            m = re.match(r'(0[xX][0-9a-fA-F]+|\d+)', c)
            return ('num', int(m.group(1), 0 if not re.match(r'0\d', m.group(1)) else 8))
        if c[0] in QUOTES:
            while self.peek()[:1] == DQ:
                self.i += 1
            return ('unk', pos)
        if c[0].isalpha() or c[0] == '_':
            return ('id', c, pos)
        raise ValueError(c)

    def postfix(self, e):
        while True:
            c = self.peek()
            if c == '(':
                pos = self.t[self.i][1]
                j = matching(self.t, self.i)
                args = []
                for a in split_top(self.t[self.i + 1:j]):
                    args.append(expr(a))
                self.i = j + 1
                if e[0] == 'id' and e[1] in STORES and len(args) > 1 and args[0]:
                    e = ('asg', '=', args[0], args[1], pos)
                else:
                    e = ('call', e, args, pos)
            elif c == '[':
                j = matching(self.t, self.i)
                e = ('idx', e, expr(self.t[self.i + 1:j]))
                self.i = j + 1
            elif c in ('.', '->'):
                e = ('mem', c, e, self.t[self.i + 1][0], self.t[self.i + 1][1])
                self.i += 2
            elif c in ('++', '--'):
                self.i += 1
                e = ('un', c, e, self.t[self.i - 1][1])
            else:
                return e


def idents(e, out=None):
    """Identifiers read anywhere in an expression tree."""
    out = set() if out is None else out
    if isinstance(e, tuple):
        if e and e[0] == 'id':
            out.add(e[1])
        elif e and e[0] in ('opaque', 'complit'):
            for t in e[-1] if e[0] == 'opaque' else e[2]:
                if isinstance(t, tuple):
                    out.add(t[0])
        else:
            for x in e:
                idents(x, out)
    elif isinstance(e, list):
        for x in e:
            if isinstance(x, tuple) and len(x) == 2 and isinstance(x[0], str) \
               and isinstance(x[1], int):
                out.add(x[0])
            else:
                idents(x, out)
    return out

# macros that assign the second argument to the first
STORES = {'WRITE_ONCE', 'RCU_INIT_POINTER', 'rcu_assign_pointer'}
TRANSPARENT = {'likely', 'unlikely', 'WARN_ON', 'WARN_ON_ONCE', 'READ_ONCE',
               'data_race', 'rcu_dereference', 'VM_WARN_ON', 'VM_WARN_ON_ONCE',
               'ACCESS_PRIVATE', 'rcu_dereference_protected', 'smp_load_acquire',
               'array_index_nospec', 'untagged_addr', 'PTR_ERR', 'ERR_CAST',
               'VM_WARN_ON_ONCE_MM', 'VM_WARN_ON_VMG', 'WARN', 'WARN_ONCE',
               'container_of_const', 'VM_BUG_ON', 'VM_BUG_ON_MM', 'BUG_ON'}
