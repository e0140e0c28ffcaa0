#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""scripts/annotate against coccinelle/fixtures/trial. TAP.

The fixtures are put into fake kernel trees, one for each variant of enum
page_walk_lock, and each tree is checked in one run. A fixture is a .c file, or
a folder of files, that starts with lines of

  /* expect: TABLE -> ANSWER */   what has to be said about the table
  /* accept: TABLE -> ANSWER */   what may be said instead
  /* tree: VARIANT */             the tree it needs, 'verify' if there is none

TABLE is a name or 'any'; NAME#n: the name stands for n tables without a mode;
NAME@n: the n-th of them. ANSWER is a mode, 'cannot-tell' or 'none' (not
reported) in walk_lock/, 'mismatch' or 'ok' in mismatch/. A file named as not
parsed does not have to be answered. Failures listed in trial/known-limits are
TODO tests.
"""
import collections
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import zlib

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
TRIAL = os.path.join(TOP, 'coccinelle', 'fixtures', 'trial')
ANNOTATE = os.path.join(TOP, 'scripts', 'annotate')
SPATCH = os.environ.get('SPATCH', 'spatch')
KINDS = ('walk_lock', 'mismatch')
FOLDERS = ('mm', 'drivers/trial', 'fs/proc')
EMPTY_FOLDERS = ('kernel', 'arch/x86/mm')

Variant = collections.namedtuple('Variant', 'version modes')
VARIANTS = {
    'verify': Variant((7, 3, 4), ('RDLOCK', 'WRLOCK', 'WRLOCK_VERIFY', 'VMA_RDLOCK_VERIFY')),
    'nolock': Variant((7, 4, 0), ('RDLOCK', 'WRLOCK', 'WRLOCK_VERIFY', 'VMA_RDLOCK_VERIFY',
                                  'NOLOCK')),
    'old': Variant((6, 6, 87), ('RDLOCK', 'WRLOCK', 'WRLOCK_VERIFY')),
    'old-nolock': Variant((6, 6, 88), ('RDLOCK', 'WRLOCK', 'WRLOCK_VERIFY', 'NOLOCK')),
}

MAKEFILE = '''# SPDX-License-Identifier: GPL-2.0
VERSION = %d
PATCHLEVEL = %d
SUBLEVEL = %d
EXTRAVERSION =
NAME = Trial
'''

HEADER = '''/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_PAGEWALK_H
#define _LINUX_PAGEWALK_H

#include <linux/mm.h>

struct mm_walk;

/* Locking requirement during a page walk. */
enum page_walk_lock {
%(modes)s
};

struct mm_walk_ops {
	int (*pgd_entry)(pgd_t *pgd, unsigned long addr, unsigned long next, struct mm_walk *walk);
	int (*p4d_entry)(p4d_t *p4d, unsigned long addr, unsigned long next, struct mm_walk *walk);
	int (*pud_entry)(pud_t *pud, unsigned long addr, unsigned long next, struct mm_walk *walk);
	int (*pmd_entry)(pmd_t *pmd, unsigned long addr, unsigned long next, struct mm_walk *walk);
	int (*pte_entry)(pte_t *pte, unsigned long addr, unsigned long next, struct mm_walk *walk);
	int (*pte_hole)(unsigned long addr, unsigned long next, int depth, struct mm_walk *walk);
	int (*hugetlb_entry)(pte_t *pte, unsigned long hmask, unsigned long addr,
			     unsigned long next, struct mm_walk *walk);
	int (*test_walk)(unsigned long addr, unsigned long next, struct mm_walk *walk);
	int (*pre_vma)(unsigned long start, unsigned long end, struct mm_walk *walk);
	void (*post_vma)(struct mm_walk *walk);
%(install)s	enum page_walk_lock walk_lock;
};

struct mm_walk {
	const struct mm_walk_ops *ops;
	struct mm_struct *mm;
	pgd_t *pgd;
	struct vm_area_struct *vma;
	bool no_vma;
	void *private;
};

int walk_page_range(struct mm_struct *mm, unsigned long start, unsigned long end,
		    const struct mm_walk_ops *ops, void *private);
%(kernel)sint walk_page_range_vma(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			const struct mm_walk_ops *ops, void *private);
int walk_page_vma(struct vm_area_struct *vma, const struct mm_walk_ops *ops, void *private);
int walk_page_mapping(struct address_space *mapping, pgoff_t first_index, pgoff_t nr,
		      const struct mm_walk_ops *ops, void *private);

#endif /* _LINUX_PAGEWALK_H */
'''

INSTALL_PTE = '''	int (*install_pte)(unsigned long addr, unsigned long next, pte_t *ptep,
			   struct mm_walk *walk);
'''

NOVMA = '''int walk_page_range_novma(struct mm_struct *mm, unsigned long start, unsigned long end,
			  const struct mm_walk_ops *ops, pgd_t *pgd, void *private);
'''

KERNEL = '''int walk_kernel_page_table_range%s(unsigned long start, unsigned long end,
				   const struct mm_walk_ops *ops, pgd_t *pgd, void *private);
'''


class Tap:
    """Numbers the tests and counts what fails."""

    def __init__(self):
        self.count = self.failed = 0

    def test(self, good, name, why=(), todo=None):
        self.count += 1
        self.failed += not good and todo is None
        print('%sok %d - %s%s' % ('' if good else 'not ', self.count, name,
                                  '' if todo is None else ' # TODO ' + todo))
        if not good:
            for line in why:
                print('# ' + line)

    def plan(self):
        print('1..%d' % self.count)


class Fixture:
    """One fixture: its files in the fake tree, and what is expected of them."""

    def __init__(self, kind, entry):
        self.kind = kind
        self.name = kind + '/' + re.sub(r'\.c$', '', entry)
        self.tree = 'verify'
        self.files = []
        self.expect = []
        self.accept = []
        path = os.path.join(TRIAL, kind, entry)
        if os.path.isdir(path):
            folder = 'drivers/trial'
            names = [entry + '/' + x for x in sorted(os.listdir(path))]
        else:
            # Some rules look at the folder of a file: spread them.
            folder = FOLDERS[zlib.crc32(entry.encode()) % len(FOLDERS)]
            names = [entry]
        for name in names:
            self.read(os.path.join(TRIAL, kind, name), '%s/%s_%s' % (folder, kind[0], name))

    def read(self, path, dest):
        """The header lines are ours and are not shown to the rules."""
        with open(path, 'rb') as f:
            lines = f.read().split(b'\n')
        while lines:
            m = re.match(rb'/\* (expect|accept|tree): (.*?) \*/\r?$', lines[0])
            if not m:
                break
            word, value = m.group(1).decode(), m.group(2).decode()
            if word == 'tree':
                self.tree = value
            else:
                table, _, answer = value.partition(' -> ')
                getattr(self, word).append((dest, table, answer))
            lines.pop(0)
        self.files.append((dest, b'\n'.join(lines)))


def clean_environment(tmp):
    """Nothing of the user's settings counts, and all files are in tmp."""
    for name in list(os.environ):
        if name.startswith(('GIT_', 'WALKLOCK_')):
            del os.environ[name]
    os.environ.update(TMPDIR=tmp, HOME=tmp, XDG_CONFIG_HOME=tmp, GIT_CONFIG_NOSYSTEM='1',
                      LC_ALL='C.UTF-8')
    for who in ('AUTHOR', 'COMMITTER'):
        os.environ['GIT_%s_NAME' % who] = 'walklock authors'
        os.environ['GIT_%s_EMAIL' % who] = 'authors@walklock.invalid'


def run(cmd, **kw):
    """As subprocess.run(), but a child can clean up when this test is ended."""
    with subprocess.Popen(cmd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw) as p:
        try:
            out, err = p.communicate()
        except BaseException:
            p.terminate()
            p.wait()
            raise
    return p.returncode, out, err.decode('utf-8', 'replace')


def git(tree, *args):
    code, _, err = run(['git', '-C', tree, *args])
    if code:
        raise OSError('git %s: %s' % (args[0], err))


def write(tree, path, data):
    full = os.path.join(tree, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, 'wb') as f:
        f.write(data if isinstance(data, bytes) else data.encode())


def header(variant):
    modes = ['\t/* mode %d */\n\tPGWALK_%s = %d,' % (i, mode, i)
             for i, mode in enumerate(VARIANTS[variant].modes)]
    old = variant.startswith('old')
    return HEADER % {
        'modes': '\n'.join(modes),
        'install': '' if old else INSTALL_PTE,
        'kernel': NOVMA if old else KERNEL % '' + KERNEL % '_lockless',
    }


def make_tree(tree, variant, fixtures):
    spdx = '# SPDX-License-Identifier: GPL-2.0\n'
    write(tree, 'Makefile', MAKEFILE % VARIANTS[variant].version)
    write(tree, 'Kbuild', spdx + 'obj-y += mm/ drivers/ fs/\n')
    write(tree, 'Kconfig', 'mainmenu "fake"\n')
    write(tree, 'MAINTAINERS', '')
    write(tree, 'include/linux/pagewalk.h', header(variant))
    for folder in FOLDERS + EMPTY_FOLDERS:
        write(tree, folder + '/Makefile', spdx)
    for fx in fixtures:
        for path, data in fx.files:
            write(tree, path, data)
    git(tree, 'init', '--quiet')
    git(tree, 'add', '--all')
    git(tree, 'commit', '--quiet', '--message=base')


class Report:
    """The JSON of annotate, as far as the fixtures ask for it."""

    def __init__(self, text):
        data = json.loads(text)
        self.tables = []
        self.wrong = []
        for f in data['findings']:
            if f['rule'] == 'walk_lock':
                self.tables.append((f['file'], f['line'], f['table'],
                                    f.get('mode') or 'cannot-tell'))
            else:
                # Where the table is, and where the walk is.
                self.wrong.append((f['file'], f['table']))
                if f.get('decl'):
                    self.wrong.append((f['decl'].rsplit(':', 1)[0], f['table']))
        self.unparsed = {u['file'] for key in ('unparsed', 'unrelated_unparsed')
                         for u in data[key]}
        self.unchecked = set(data['failed']) | set(data['timed_out'])


def base_name(table):
    return re.sub(r'[#@].*', '', table)


def alternatives(fx, dest, table):
    return [answer for d, t, answer in fx.accept
            if d == dest and t in (table, base_name(table))]


def missing_verdicts(fx, rep, dest, table, want):
    """What was said about the tables without a mode that 'table' stands for."""
    base = base_name(table)
    in_file = [t for t in rep.tables if t[0] == dest]
    got = [t for t in in_file
           if base in ('any', t[2]) or re.match(re.escape(base) + r'\b', t[2] or '')]
    if not got and want != 'none':
        # A table inside of another object may be named in another way.
        if len({base_name(t) for d, t, _ in fx.expect if d == dest}) == 1:
            got = in_file
    verdicts = [t[3] for t in sorted(got, key=lambda t: t[1])]
    if '@' in table:
        i = int(table.split('@')[1]) - 1
        verdicts = verdicts[i:i + 1]
    return verdicts


def judge_missing(fx, rep, dest, table, want):
    good = [want] + alternatives(fx, dest, table)
    unparsed = dest in rep.unparsed
    verdicts = missing_verdicts(fx, rep, dest, table, want)
    number = int(table.split('#')[1]) if '#' in table else None
    if not verdicts:
        right = unparsed or 'none' in good
    else:
        # One finding may stand for all tables of an array.
        right = (all(v in good or unparsed and v == 'cannot-tell' for v in verdicts)
                 and (number is None or len(verdicts) == number
                      or number > 1 and len(verdicts) == 1))
    return right, good, ','.join(verdicts) or 'none'


def judge_mismatch(fx, rep, dest, table, want):
    good = [want] + alternatives(fx, dest, table)
    reported = any(d == dest and base_name(table) in ('any', t) for d, t in rep.wrong)
    got = 'mismatch' if reported else 'ok'
    return got in good or got == 'ok' and dest in rep.unparsed, good, got


def judge(fx, rep):
    """-> the reasons why the fixture fails"""
    why = []
    for dest, table, want in fx.expect:
        rule = judge_missing if fx.kind == 'walk_lock' else judge_mismatch
        right, good, got = rule(fx, rep, dest, table, want)
        if not right:
            why.append('%s: expected %s, got %s%s' % (
                table, ' or '.join(good), got,
                ' (named as not parsed)' if dest in rep.unparsed else ''))
    return why


def unusable(fx, rep):
    """-> what no known limit excuses"""
    why = [path + ' was not checked' for path, _ in fx.files if path in rep.unchecked]
    if not fx.expect:
        why.append('nothing is expected of it')
    return why


def changed_modes(diff):
    """-> {(file, mode): how many more of them}"""
    count = collections.Counter()
    path = None
    for line in diff.decode('utf-8', 'replace').split('\n'):
        if line.startswith('+++ '):
            path = re.sub(r'^b/', '', line[4:].split('\t')[0])
        elif line.startswith(('+', '-')) and not line.startswith('--- '):
            for mode in re.findall(r'PGWALK_\w+', line):
                count[path, mode] += 1 if line[0] == '+' else -1
    return {key: n for key, n in count.items() if n}


def bad_initializers(text):
    """-> the members .walk_lock that follow neither a comma nor a brace"""
    text = re.sub(r'/\*.*?\*/', '', text, flags=re.S)
    text = re.sub(r'^\s*#.*$', '', text, flags=re.M)
    text = text.replace('\\\n', '\n')
    return [text[max(0, m.start() - 60):m.end()]
            for m in re.finditer(r'(?<![\w\])>])\.walk_lock\s*=', text)
            if text[:m.start()].rstrip()[-1:] not in (',', '{')]


def judge_diff(tree, rep):
    """-> the reasons why the diff of the tree is not what the report says"""
    code, diff, err = run([ANNOTATE, tree, '--diff'])
    if code not in (0, 1):
        return ['annotate --diff: exit %d: %s' % (code, err[-300:])]
    want = collections.Counter((t[0], t[3]) for t in rep.tables if t[3].startswith('PGWALK_'))
    got = changed_modes(diff)
    why = ['%s %s: %d reported, %d added' % (key + (want[key], got.get(key, 0)))
           for key in sorted(set(want) | set(got)) if want[key] != got.get(key, 0)]
    if not want:
        why.append('no mode is reported at all')
    patch = tree + '.diff'
    with open(patch, 'wb') as f:
        f.write(diff)
    code, _, err = run(['git', '-C', tree, 'apply', '--whitespace=error-all', patch])
    if code:
        return why + ['git apply: ' + line for line in err.splitlines()[:6]]
    for path in sorted({path for path, _ in got}):
        with open(os.path.join(tree, path), encoding='latin-1', newline='') as f:
            for text in bad_initializers(f.read()):
                why.append('%s: bad initializer: %r' % (path, text))
    return why


def check_tree(tap, tmp, variant, fixtures, limits):
    tree = os.path.join(tmp, variant + ' tree')
    make_tree(tree, variant, fixtures)
    code, out, err = run([ANNOTATE, tree, '--json'])
    try:
        rep = Report(out)
    except (ValueError, KeyError) as e:
        print('# %s: exit %d, %r: %s' % (variant, code, e, ' '.join(err[-300:].split())))
        rep = None
    for fx in fixtures:
        why = unusable(fx, rep) if rep else ['no report']
        if why:
            tap.test(False, fx.name, why)
        else:
            why = judge(fx, rep)
            tap.test(not why, fx.name, why, limits.get(fx.name))
    why = judge_diff(tree, rep) if rep else ['no report']
    tap.test(not why, variant + ' tree: the diff applies and adds the modes reported', why[:12])


def known_limits():
    limits = {}
    with open(os.path.join(TRIAL, 'known-limits'), encoding='utf-8') as f:
        for line in f:
            if line.strip() and not line.startswith('#'):
                name, reason = line.split(None, 1)
                limits[name] = reason.strip()
    return limits


def on_signal(number, _frame):
    raise SystemExit(128 + number)


def main():
    if shutil.which(SPATCH) is None:
        print('1..0 # SKIP spatch is not installed (package coccinelle)')
        return 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    fixtures = [Fixture(kind, entry) for kind in KINDS
                for entry in sorted(os.listdir(os.path.join(TRIAL, kind)))]
    limits = known_limits()
    tap = Tap()
    unknown = sorted(set(limits) - {fx.name for fx in fixtures})
    tap.test(not unknown, 'known-limits names fixtures', unknown)
    strange = sorted(fx.name for fx in fixtures if fx.tree not in VARIANTS)
    tap.test(not strange, 'each fixture names a tree', strange)
    with tempfile.TemporaryDirectory(prefix='trial-t-') as tmp:
        clean_environment(tmp)
        for variant in VARIANTS:
            check_tree(tap, tmp, variant, [fx for fx in fixtures if fx.tree == variant], limits)
    tap.plan()
    return 1 if tap.failed else 0


if __name__ == '__main__':
    sys.exit(main())
