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

@initialize:python@
@@

# ---- shared with the other rule: begin
import os, re, sys, json, bisect

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
BUDGET = 20000

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


def spaces(m):
    return re.sub(r'[^\n]', ' ', m.group(0))


def strip_comments(text):
    def sub(m):
        return m.group(0) if m.group(0)[0] in QUOTES else spaces(m)
    return COMMENT.sub(sub, text)


def strip_cpp(text):
    """Blanks directives -> (text, marks). Branches of whole statements become
    alternatives; of unbalanced ones only the first stays, the rest all do."""
    stack, cuts, forks, dead = [], [], [], []
    for m in CPP.finditer(text):
        word = m.group(1)
        if word in ('if', 'ifdef', 'ifndef'):
            stack.append([(m.start(), m.end(), word + m.group(2))])
        elif word in ('else', 'elif') and stack:
            stack[-1].append((m.start(), m.end(), word + m.group(2)))
        elif word == 'endif' and stack:
            top = stack.pop() + [(m.start(), m.end(), '')]
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
    return text, marks


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
        self._ast = self._names = None
        self.locals = set(params)
        self.tables = {}

    def ast(self):
        if self._ast is None:
            self._ast = Parser(self).block(0, len(self.toks))
        return self._ast

    def gives_vma(self):
        head = self.src.text[max(0, self.pos - 80):self.pos] if self.start >= 0 else ''
        return bool(re.search(r'vm_area_struct\s*\*[^;{}()]*$', head))

    def pure(self):
        """Calls nothing: its value follows from its arguments."""
        t = self.toks
        return not any(t[i + 1][0] == '(' and (t[i][0][0].isalpha() or t[i][0][0] == '_')
                       and t[i][0] not in KEYWORDS and t[i][0] not in TRANSPARENT
                       for i in range(len(t) - 1))

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

    def line(self):
        return self.src.line(self.pos)

    def __repr__(self):
        return '%s:%d:%s' % (self.src.path, self.line(), self.name)


class Source:
    def __init__(self, path, text):
        self.path, self.raw = path, text
        nocom = strip_comments(text)
        self.nocom = nocom
        self.text, self.marks = strip_cpp(nocom)
        self.nl = [m.start() for m in re.finditer('\n', text)]
        self.funcs, self.byname, self.outer = [], {}, []
        self.scan()
        self.macros = {}
        for m in CPP.finditer(nocom):
            if m.group(1) == 'define':
                d = re.match(r'\s*(\w+)(\([^)]*\))?((?:\\\n|[^\n])*)',
                             m.group(2))
                if d:
                    self.macros[d.group(1)] = (d.group(2), d.group(3), m.start())

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
        i = 0
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
        static = any(x[0] == 'static' for x in toks[:i])
        body = self.tokens(start + 1, end)
        here = [(k, p) for p, (k, _) in self.marks.items() if start < p < end]
        if here:
            body = sorted(body + here, key=lambda t: t[1])
        f = Func(self, name, params, static, body,
                 toks[i][1], start + 1, end)
        self.funcs.append(f)
        self.byname.setdefault(name, f)
        return True

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
TRANSPARENT = {'likely', 'unlikely', 'WARN_ON', 'WARN_ON_ONCE', 'READ_ONCE',
               'data_race', 'rcu_dereference', 'VM_WARN_ON', 'VM_WARN_ON_ONCE',
               'ACCESS_PRIVATE', 'rcu_dereference_protected', 'smp_load_acquire',
               'array_index_nospec', 'untagged_addr', 'PTR_ERR', 'ERR_CAST',
               'VM_WARN_ON_ONCE_MM', 'VM_WARN_ON_VMG', 'WARN', 'WARN_ONCE',
               'container_of_const', 'VM_BUG_ON', 'VM_BUG_ON_MM', 'BUG_ON'}
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
            'faultin_page', '__get_user_pages_locked', 'vma_end_write_all'}

UNK, K0, K1 = ('u',), ('k', 0), ('k', 1)


class TooBig(Exception):
    pass


class St:
    __slots__ = ('l', 'e', 'c', '_k', '_h')

    def __init__(self, l=None, e=None, c=None):
        self.l, self.e, self.c, self._k, self._h = l or {}, e or {}, c or {}, None, None

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

    def meet(self, o):
        c = {}
        for k, v in self.c.items():
            w = o.c.get(k)
            if w == v:
                c[k] = v
            elif w is not None and v[0] == 'ne' and w[0] == 'ne' and v[1] & w[1]:
                c[k] = ('ne', v[1] & w[1])
            elif w is not None and v[0] == 'ne' and w[0] == 'eq' and w[1] not in v[1]:
                c[k] = v if 0 not in v[1] or w[1] != 0 else None
            elif w is not None and w[0] == 'ne' and v[0] == 'eq' and v[1] not in w[1]:
                c[k] = w
        return St(self.l, self.e, {k: v for k, v in c.items() if v})

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
                          len(v) > 1 and ('prov:' + str(v[1]) in s.c or ('V', v[1]) in s.l)) for s in states])
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
        self.rets, self.gotos, self.brk, self.cont = [], {}, [], []


class Walk:
    """One walk met on one path."""
    __slots__ = ('tids', 'src', 'pos', 'func', 'entry', 'st', 'mm', 'vma', 'site', 'whole', 'chain')


class Interp:
    def __init__(self, proj, chain, want=None):
        self.p, self.chain, self.want = proj, chain, want
        self.walks, self.frames, self.steps = [], {}, 0
        self.inlined, self.fuzzy, self.escapes = set(), set(), set()
        self.lv2t = {}
        self.seen_walks = set()
        self.stack = []
        self.visited, self.copied = set(), set()
        self.framef = {}
        self.width, self.budget, self.lossy = MAX_STATES, BUDGET, False
        self.only, self.end, self.loops = None, None, 0

    def narrow(self, states):
        return narrow(states, self.width)

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
            return bool(v[1]) if isinstance(v[1], int) else True
        if k in ('addr', 't'):
            return True
        if k == 'or':
            return True if v[2] else None
        if k == 'not':
            t = self.truth(v[1], st)
            return None if t is None else not t
        if k == 's':
            c = st.c.get(v[1])
            if c is None:
                return None
            if c[0] == 'eq':
                return self.truth(('k', c[1]), st)
            if c[0] == 'ne':
                return True if 0 in c[1] else None
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
            if not self.worth(v[1], st):
                return [st]
            c = st.c.get(v[1])
            if want:
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
                if c and c[0] == 'ne' and y[1] in c[1]:
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
        used = False
        pat = re.compile(r'(?<![\w%$])' + re.escape(name) + r'(?![\w%$])')
        l, e, c = {}, {}, {}
        for k, v in st.l.items():
            if pat.search(k[1]):
                used = True
            else:
                l[k] = v
        for k, v in st.e.items():
            if pat.search(k) or (len(v) > 1 and isinstance(v[1], str) and pat.search(v[1])):
                used = True
            else:
                e[k] = v
        for k, v in st.c.items():
            if pat.search(k):
                used = True
            else:
                c[k] = v
        return (St(l, e, c) if used else st), ('s', name)

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
            if x[1] == '.':
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
                    i = self.known(i, s2)
                    if t is not None:
                        v = s2.e.get(t)
                        if v and v[0] == 'addr' and v[1].endswith('[0]'):
                            t2 = v[1][:-3]
                        else:
                            t2 = t
                        out.append((s2, '%s[%s]' % (t2, i[1] if i[0] == 'k' else '*')))
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
        if names & ENTERS or names & self.chain_names() or names & set(LOCK) \
           or names & set(UNLOCK):
            self.fuzzy.add(fr.f.name)
        return [st]

    def chain_names(self):
        return {f.name for f in self.chain}

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
            v = ('s', 'cpp:' + w)
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
        if t == name and re.match(r'^[A-Z][A-Z0-9_]+$', name):
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
        m = re.search(r'(?:->|\.)(\w+)(?:\[[^]]*\])?$', t)
        if m:
            return m.group(1) in self.p.livemem
        m = re.match(r'\**(\w+)%(\d+)', t)
        if m:
            f = self.framef.get(int(m.group(2)))
            return f is None or m.group(1) in self.p.live(f) or t in self.lv2t
        return True

    def worth(self, sym, st):
        """Is a condition on this value worth remembering?"""
        if sym.startswith(('cpp:', 'cfg:')):
            return True
        for w in re.findall(r'[\w%>.()$*\[\]-]*[\w)\]%]', sym):
            if '()$' in w or '$' in w:
                if any(len(v) > 1 and isinstance(v[1], str) and w.strip('()') in v[1] for v in st.e.values()) or \
                   any(w in k[1] for k in st.l):
                    return True
                continue
            if '%' in w and self.keep(w.strip('(!')):
                return True
        return False        # a global may change between two tests

    def store(self, st, t, v, pos):
        if t is None:
            return st
        if not self.keep(t):
            if t in st.e:
                st = st.copy()
                del st.e[t]
            return st
        if v == UNK:
            st, v = self.fresh(st, '%s$%d' % (t.split('$')[0], pos))
        s = st.copy()
        for k in [k for k in s.e if k.startswith(t) and len(k) > len(t)
                  and k[len(t)] in '.-[']:
            del s.e[k]
        if v == ('s', t):
            s.e.pop(t, None)
        else:
            s.e[t] = v
        if v[0] == 'obj':
            # a whole table is copied into this place
            pass
        return s

    def assign(self, x, st, fr):
        _, op, lhs, rhs, pos = x
        out = []
        for s, v in self.ev(rhs, st, fr):
            for s2, t in self.lval(lhs, s, fr):
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
                for s2, v in self.ev(a, s, fr):
                    nxt.append((s2, vs + [v]))
            outs = nxt
            if len(outs) > MAX_STATES * 4:
                raise TooBig()
        return outs

    def call(self, x, st, fr):
        fn, xs, pos = x[1], x[2], x[3]
        if fn[0] != 'id' or fn[1] in fr.f.locals:
            name = None
            if fn[0] == 'call' and fn[1] == ('id', 'guard', 0):
                name = None
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
        if name in DROPPERS:
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
            return [(st.sete(vs[0][1], ('it', self.text(vs[1]))), UNK)]
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
        if name in FINDERS:
            return self.finder(name, vs, st, res)
        f = self.p.lookup(name, fr.f.src) if name else None
        if f is not None and self.p.twice(f):
            if self.p.relevant(f) or any(self.p.relevant(g) for g in self.p.allfuncs[name]):
                self.fuzzy.add(name)
            f = None
        if f is not None and self.should_inline(f, fr):
            return self.inline(f, vs, st, fr, pos)
        if f is not None and f in self.chain:
            self.fuzzy.add(f.name)
        # unknown: may write through the pointers that it gets
        for v in vs:
            ids = self.tids(v, st)
            if ids and name not in HARMLESS:
                for i in ids:
                    self.escapes.add((i, fr.f.src.path, fr.f.src.line(pos)))
            if getattr(self.p, 'touch', False) and v[0] in ('s', 'addr') and \
               any(k[0] == 'M' and k[1] == self.text(v) for k in st.l):
                st = st.setc('touchm:' + self.text(v), ('b', True))
            if getattr(self.p, 'touch', False) and v[0] == 's' and \
               any(k[0] == 'M' and q[0] == 'W' for k, q in st.l.items()):
                st = st.setc('touch:' + v[1], ('b', True))
            if v[0] == 'addr' and name not in HARMLESS:
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
        if name is None:
            for v in vs:
                if v[0] == 'fn':
                    pass
        st, v = self.fresh(st, res)
        return [(st, v)]

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
            st = st.setc('prov:' + res, ('prov', mm))
        return [(st, v)]

    def iterinit(self, name, xs, vs, st, fr):
        if name == 'VMA_ITERATOR' and len(vs) > 1 and xs[0] and xs[0][0] == 'id':
            fr.f.locals.add(xs[0][1])
            return st.sete(self.lname(xs[0][1], fr), ('it', self.text(vs[1])))
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
                ok = ok.setc('prov:' + res, ('prov', self.text(vs[0])))
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
        s._k = s._h = None
        return s

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
        w_key = (frozenset(w.tids), w.site, st.key())
        if w.tids and w_key not in self.seen_walks:
            self.seen_walks.add(w_key)
            self.walks.append(w)
        st, v = self.fresh(st, res)
        return [(st, v)]

    def should_inline(self, f, fr):
        if self.only is not None:
            return f in self.only and f not in self.stack and fr.depth < 3
        if f in self.chain:
            return fr.depth < MAX_INLINE and f not in [x for x in self.stack]
        if f in self.stack or fr.depth > 4:
            return False
        return self.p.relevant(f)

    def inline(self, f, vs, st, fr, pos):
        key = (fr.id, f.src.idx, f.name, pos)
        fid = self.frames.setdefault(key, len(self.frames) + 1)
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
                ' '.join(x[1] for x in s.e.values() if len(x) > 1 and isinstance(x[1], str))
            s.c = {k: q for k, q in s.c.items()
                   if not pat.search(k) or k in used or q[0] == 'prov' and k[5:] in used
                   or k.startswith('valid:') and k[6:] in used}
            s._k = s._h = None
            out2.append((s, v))
        out2 = uniqv(out2)
        if len(out2) > MAX_STATES:
            vals = {}
            for s, v in out2:
                vals.setdefault(v, []).append(s)
            out2 = []
            for v, ss in vals.items():
                out2 += [(s, v) for s in self.narrow(ss)]
        return out2

    # -- statements -----------------------------------------------------
    def run(self, f):
        f.ast()
        self.stack, self.framef[0] = [f], f
        self.end = self.last(f)
        fr = Frame(f, 0, 0)
        st = St()
        return self.body(fr, [st])

    def last(self, f):
        """Where nothing more that matters can follow, or None: no walk, no
        table, and no way back."""
        names = ENTERS | self.chain_names() | self.p.tabnames | {'walk_lock'}
        if self.only is not None or f.tables:
            return None
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
        for _ in range(6):
            before = {k: len(v) for k, v in fr.gotos.items()}
            fr.rets = []
            fr.pending = {k: uniq(v) for k, v in fr.gotos.items()}
            fall = self.exec(tree, states, fr)
            fr.gotos = {k: uniq(v) for k, v in fr.gotos.items()}
            if before == {k: len(v) for k, v in fr.gotos.items()}:
                break
        rets = fr.rets + [(s, UNK) for s in fall]
        return uniqv(rets)

    def has_label(self, x):
        r = self.p.labels.get(id(x))
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
            self.p.labels[id(x)] = r
        return r

    def exec(self, x, sts, fr):
        if x is None:
            return sts
        k = x[0]
        if not sts and not self.has_label(x):
            return []
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
            return self.narrow(sts + fr.pending.get(x[1], []) + fr.gotos.get(x[1], []))
        if k == 'return':
            for s in sts:
                fr.rets += self.ev(x[1], s, fr)
            fr.rets = uniqv(fr.rets)
            if len(fr.rets) > MAX_STATES * 4:
                vals = {}
                for s, v in fr.rets:
                    vals.setdefault(v, []).append(s)
                fr.rets = [(s, v) for v, ss in vals.items() for s in self.narrow(ss)]
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
                        if p[1][0] == 'walk_lock':
                            v = ('set', self.rtext(x), fr.f.name)
                        nxt.append(self.store(s2, t + '.' + p[1][0], v, p[1][1])
                                   if v != UNK else s2)
                outs = self.narrow(nxt)
            elif p:
                names = {q[0] for q in p}
                x = expr(p) if p[0][0] != '{' and p[0][0] != '[' else None
                if x and (names & (ENTERS | set(self.p.tabnames)) or names & self.chain_names()):
                    nxt = []
                    for s in outs:
                        for s2, v in self.ev(x, s, fr):
                            for i in self.tids(v, s2):
                                self.escapes.add((i, fr.f.src.path, fr.f.src.line(pos)))
                            nxt.append(s2)
                    outs = self.narrow(nxt)
        return outs

    def loop(self, x, sts, fr):
        self.loops += fr.id == 0
        try:
            return self.loop1(x, sts, fr)
        finally:
            self.loops -= fr.id == 0

    def loop1(self, x, sts, fr):
        k, c, body, step, pos = x
        brk, cont = fr.brk, fr.cont
        fr.brk, out, seen, cur = [], [], set(), list(sts)
        first = k == 'do'
        for _ in range(5):
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
            for s in cur:
                out += self.cond(c, s, fr, False) if c is not None else []
        out += fr.brk
        fr.brk, fr.cont = brk, cont
        return self.narrow(out)

    def each(self, x, sts, fr):
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
        for _ in range(4):
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

# ------------------------------------------------------------------ project

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
        for x, n in self.tested.items():
            if n > 1 or x in self.f.params or x in self.consts:
                self.seed.add(x)

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
                  re.match(r'(true|false|NULL|[A-Z][A-Z0-9_]+)$', e[1])):
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

class Project:
    """The files of one group, their tables, and the answers."""
    def __init__(self, paths, complete=None, modes=None, given=False):
        self.srcs, self.tables, self.lv, self.eqs = [], [], {}, {}
        self.arrays, self.scalars, self.copied = set(), set(), {}
        self.labels, self.bydecl, self.allocs = {}, {}, {}
        self.complits, self.redefined, self._rel = {}, set(), None
        self.complete_names = complete or set()
        self.wanted = set()           # names whose other files would help
        self._flag, self._runs = {}, {}
        self.tabnames = set()
        self.expanded, self._macros, self._live = {}, {}, None
        self.livemem = {'walk_lock', 'mmap_lock', 'i_mmap_rwsem', 'ops'}
        for p in paths:
            self.add(p)
        self.allfuncs = {}
        self.index()
        self.modes = modes or self.vocabulary(paths)

    def add(self, path):
        try:
            with open(path, encoding='utf-8', errors='surrogateescape', newline='') as f:
                text = f.read()
        except OSError:
            return
        s = Source(path, text.replace('\r', ' '))
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
            self.find_macros(s)
        self.tabnames = {t.name.split('[')[0].split('.')[0] for t in self.tables}
        for t in self.tables:
            t.src.tabs.append(t)
            if t.func and t.mode and t.kind == 'plain' and re.search(
                    r'\bmemset\s*\(\s*&\s*%s\b' % re.escape(t.name),
                    t.src.text[t.func.start:t.func.end]):
                t.mode, t.empty, t.init = None, True, None

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
                     [(w, m.start()) for w in TOKEN.findall(text)], m.start(), -1, -1)
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
                m = p[1][0]
                idx = self.opsm.index(m) if m in self.opsm else idx
                if m == 'walk_lock':
                    t.mode = ' '.join(x[0] for x in p[3:])
            elif len(p) > 1 and p[1][0] == ':' and p[0][0] in self.opsm:
                idx = self.opsm.index(p[0][0])
                if p[0][0] == 'walk_lock':
                    t.mode = ' '.join(x[0] for x in p[2:])
            else:
                for s in self.srcs:
                    for x in p:
                        if x[0] in s.macros:
                            body = s.macros[x[0]][1]
                            if re.search(r'\.\s*walk_lock\b', body):
                                t.mode = mode_text(body)
                if idx == walk and not t.mode:
                    t.mode = ' '.join(x[0] for x in p)
                if len(p) == 1 and p[0][0] == '0' and idx == 0 and len(init) <= 4:
                    continue
            t.empty = False
            idx += 1

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
    def twice(self, f):
        """Is there another function that a call of f may mean?"""
        same = [g for g in self.allfuncs.get(f.name, ()) if g is not f]
        return any(g.src is f.src or not g.static and not f.static for g in same)

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
                if n & base or g.gives_vma() and n & set(FINDERS) or len(g.toks) < 160 and not (n & {'for', 'while', 'do'}) and g.pure():
                    rel.add(g)
                    if n & base or n & set(FINDERS):
                        names.add(g.name)
            while todo:
                todo = False
                for g in funcs:
                    if g not in rel or g.name not in names:
                        if g.names() & names:
                            rel.add(g)
                            names.add(g.name)
                            todo = True
            self._rel = rel
        return f in self._rel

    def callers(self, f):
        """-> (set of functions that call f, why there may be others)"""
        out, why = set(), None
        srcs = [f.src] if f.static and not f.src.path.endswith('.h') else self.srcs
        if f.start < 0:
            return set(), 'seq_file takes no lock of its own'
        if f.name.startswith('__sys_'):
            return set(), '%s() is a system call' % f.name[6:]
        pat = re.compile(r'\b%s\b' % re.escape(f.name))
        for s in srcs:
            for n, (_, body, _p) in s.macros.items():
                if HA + HA in body:
                    for a, b in re.findall(r'(\w+)\s*%s|%s\s*(\w+)' % (HA * 2, HA * 2), body):
                        if a and f.name.startswith(a) or b and f.name.endswith(b):
                            why = 'a macro may paste the name of %s()' % f.name
            parts = f.name.split('_')
            for k in range(1, len(parts)):
                p = '_'.join(parts[:k])
                for m in re.finditer(r'^\s*(?:static\s+)?[A-Z][A-Z0-9_]+\s*\([^;{}()]*\b%s\b[^;{}()]*\)' % re.escape(p), s.text, re.M):
                    if s.func_at(m.start()) is None:
                        why = 'a macro may paste the name of %s() (%s:%d)' % (f.name, s.path, s.line(m.end()))
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
                    if self.lookup(f.name, s) is f:
                        out.add(g)
                elif not call:
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
                s.tabbase.add(base)
                self.lv.setdefault(t.lv.replace('$%d' % t.src.idx, '$%d' % s.idx, 1), set()).add(t.tid)
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
        key = (root, frozenset(chain))
        if key not in self._runs:
            # when a function has too many paths, once more with less remembered
            for width, budget in ((MAX_STATES, BUDGET), (8, 2 * BUDGET)):
                it = Interp(self, chain)
                it.width, it.budget, it.lossy = width, budget, width < MAX_STATES
                try:
                    it.result = it.run(root)
                    it.big = False
                    break
                except (TooBig, RecursionError):
                    it.result, it.big = [], True
                except (LookupError, TypeError, ValueError, AttributeError) as e:
                    it.result, it.big = [], True
                    sys.stderr.write('walk_lock: %s(): %s\n' % (root.name, e))
                    break
            self._runs[key] = it
        return self._runs[key]

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
            leaves.extend(judged)
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
                return m, 'walk_page_mapping() under i_mmap_rwsem, %s at %s' % (got[2], got[1]) + \
                    ('' if m == IM else ', where the mode is not looked at')
            return None, 'no i_mmap_rwsem taken, held or asserted'
        if kind == 'lockless':
            if NL in self.modes:
                return NL, 'lockless walk of kernel page tables'
            return None, 'lockless walk of kernel page tables and no mode for that in this tree'
        if kind == 'kernel' or w.mm == '&init_mm':
            got = st.l.get(('M', '&init_mm'))
            if got and got[0] in 'RWA':
                return RD, 'kernel page tables, mmap lock of init_mm %s at %s' % (got[2], got[1])
            return None, 'no lock of init_mm taken, held or asserted'
        mm, vma = self.facts(w)
        if kind == 'novma':
            if mm and mm[0] == 'W':
                return WR, 'mmap write lock %s at %s' % (mm[2], mm[1])
            if mm and mm[0] in 'RA':
                return RD, 'mmap lock %s at %s' % (mm[2], mm[1])
            return None, self.missing(mm, vma)
        if vma and vma[0] == 'w' and (not mm or mm[0] in 'WA'):
            return WV, 'VMA write lock %s at %s' % (vma[2], vma[1])
        if mm and mm[0] == 'W':
            return WR, 'mmap write lock %s at %s, VMA not write-locked before' % (mm[2], mm[1])
        if mm and mm[0] in 'RA':
            return RD, 'mmap lock %s at %s' % ('for read, ' + mm[2] if mm[0] == 'R' else mm[2], mm[1])
        if vma and vma[0] == 'r' and not (mm and mm[0] in 'RWA'):
            if kind == 'vma':
                if VR in self.modes:
                    return VR, 'VMA read lock %s at %s' % (vma[2], vma[1])
                return None, 'only a VMA read lock and no mode for that in this tree'
            return None, 'only a VMA read lock at a walk of a range'
        return None, self.missing(mm, vma)

    def missing(self, mm, vma):
        if mm and mm[0] in 'UD':
            return 'mmap lock %s at %s' % (mm[2], mm[1])
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
        return any(pat.search(s.text) for s in ([t.src] if t.func else self.srcs))

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
        u = t
        if t.kind == 'literal':
            u = self.copied_target(t) or t
        leaves, why = self.evidence(u)
        if getattr(t, 'included', None):
            why.append('its initialiser includes %s' % t.included)
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


class MacroSource:
    def __init__(self, text):
        self.macros = {}
        for m in CPP.finditer(strip_comments(text)):
            if m.group(1) == 'define':
                d = re.match(r'\s*(\w+)(\([^)]*\))?((?:\\\n|[^\n])*)', m.group(2))
                if d:
                    self.macros[d.group(1)] = (d.group(2), d.group(3), 0)


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

# ---------------------------------------------------------------- the driver

class Run:
    """What one spatch process does: the project of the current group."""
    def __init__(self):
        self.key = self.proj = None
        self.seen, self.count, self.files = set(), 0, 0
        self.hints = {}
        path = os.environ.get('WALKLOCK_HINTS')
        if path:
            with open(path) as f:
                self.hints = json.load(f)
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
        self.proj = Project(paths, set(self.hints.get('complete', ())), tree_modes(files))
        self.proj.own = {s.idx for s in self.proj.srcs if s.path in key}
        return self.proj

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
                m, words = p.decide(t)
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
    tell_wanted(p)


def tell_wanted(p, ask=True):
    if os.environ.get('WALKLOCK_JSON'):
        for s in p.srcs:
            if s.idx in p.own:
                print('WALKLOCK ' + json.dumps(dict(
                    rule='done', file=s.path, wanted=sorted(p.wanted) if ask else [],
                    tables=len([t for t in p.tables if t.src is s]),
                    funcs=[[f.name, s.line(f.pos), s.line(f.end),
                            bool(f.names() & (ENTERS | {'mm_walk_ops'} | p.tabnames))]
                           for f in s.funcs])))
        sys.stdout.flush()


def coverage():
    if RUN.files and not os.environ.get('WALKLOCK_JSON'):
        sys.stderr.write('coverage: %d file%s seen by this rule\n' %
                         (RUN.files, '' if RUN.files == 1 else 's'))

# ---- shared with the other rule: end


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
        if kind == 'kernel' or kind == 'lockless' or w.mm == '&init_mm':
            return None
        if kind == 'novma':
            return None
        return '%s in %s, which walks the page tables of a process' % (mode, at)
    if kind == 'lockless':
        return None
    if kind == 'kernel' or w.mm == '&init_mm':
        got = st.l.get(('M', '&init_mm'))
        if got and got[0] == 'U':
            return 'mmap lock of init_mm released at %s before %s' % (got[1], at)
        if mode in (VR, WV):
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
    if mode == WV and mm and mm[0] == 'W' and mm[2] == 'took':
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
                if unknown or not given(w):
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


def given(w):
    """Does the path depend on what the first function is given?"""
    for k in w.st.c:
        if k.startswith(('prov:', 'valid:', 'touch')):
            continue
        for m in re.finditer(r'([A-Za-z_]\w*)%0(?![\w$])', k):
            if m.group(1) in w.chain[0].params:
                return True
    return False


def mismatches(files):
    p = RUN.group(files)
    if not hasattr(p, 'wrong'):
        p.wrong = []
        p.touch = True
        for t in p.tables:
            if t.src.idx in p.own:
                for w, why in contradictions(p, t):
                    p.wrong.append((t, w, why))
    return p.wrong


def mismatch_report(files, org=False):
    p = RUN.group(files)
    for t, w, why in mismatches(files):
        more = dict(org=True) if org else {}
        if os.environ.get('WALKLOCK_JSON'):
            more['decl'] = '%s:%d' % (t.src.path, t.line())
        say('walk_lock_mismatch', w.src, w.pos, len(w.entry), t.name, 'wrong walk_lock: ' + why, **more)
    tell_wanted(p, False)


def mismatch_at(files, path, line):
    return any(w.src.path == path and w.src.line(w.pos) == line for _, w, _ in mismatches(files))

@walk@
identifier f =~ "^walk_(page|kernel)_";
position p;
@@

 f@p(...)

@script:python point@
p << walk.p;
@@

if not mismatch_at(cocci.files(), p[0].file, int(p[0].line)):
	cocci.include_match(False)

@depends on context && point@
identifier walk.f;
position walk.p;
@@

* f@p(...)

@script:python depends on report@
@@

mismatch_report(cocci.files())

@script:python depends on org@
@@

mismatch_report(cocci.files(), True)

@finalize:python@
@@

coverage()
