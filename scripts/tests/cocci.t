#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The semantic patches against their fixtures, and scripts/annotate. TAP."""
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
RULES = os.path.join(TOP, 'coccinelle')
FIX = os.path.join(RULES, 'fixtures')
ANNOTATE = os.path.join(TOP, 'scripts', 'annotate')
SPATCH = os.environ.get('SPATCH', 'spatch')
COUNT = [0, 0]


def ok(good, name, why=''):
    COUNT[0] += 1
    COUNT[1] += not good
    print('%sok %d - %s' % ('' if good else 'not ', COUNT[0], name))
    if not good and why:
        for line in str(why).splitlines()[:12]:
            print('# ' + line)


def run(cmd, **kw):
    return subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, errors='replace', **kw)


def expected(path):
    out = {}
    with open(path) as f:
        for line in f:
            m = re.match(r'/\* expect: (.*?) -> (\S+) \*/$', line)
            if not m:
                break
            out[m.group(1)] = m.group(2)
    return out


def spatch(rule, mode, files, tmp, **env):
    groups = os.path.join(tmp, 'groups')
    with open(groups, 'w') as f:
        f.write('\n\n'.join(files) + '\n')
    return run([SPATCH, '--very-quiet', '--no-includes', '--include-headers', '-D', mode,
                '--cocci-file', os.path.join(RULES, rule + '.cocci'), '--file-groups', groups],
               cwd=FIX, env=dict(os.environ, **env))


def rule_fixtures(rule, tmp):
    files = sorted(os.path.join(rule, f) for f in os.listdir(os.path.join(FIX, rule)))
    r = spatch(rule, 'report', files, tmp, WALKLOCK_JSON='1')
    got, done = {}, set()
    for line in r.stdout.splitlines():
        if line.startswith('WALKLOCK '):
            d = json.loads(line[9:])
            if d['rule'] == 'done':
                done.add(d['file'])
            else:
                got.setdefault(d['file'], []).append(d)
    for f in files:
        want = expected(os.path.join(FIX, f))
        have = {}
        for d in got.get(f, []):
            have[d['table']] = 'mismatch' if 'mismatch' in rule else d['mode'] or 'cannot-tell'
        wish = {k: v for k, v in want.items() if v not in ('none', 'ok')}
        ok(bool(want) and f in done and have == wish, f,
           'want %s\ngot %s\n%s' % (wish, have, [d['text'] for d in got.get(f, [])] or r.stderr[-300:]))
    return files


def modes(tmp):
    # the vocabulary of the tree: never a mode that it lacks
    files = ['walk_lock/mapping.c', 'walk_lock/lockless.c', 'walk_lock/vma_rcu.c']
    r = spatch('walk_lock', 'report', files, tmp, WALKLOCK_JSON='1',
               WALKLOCK_MODES='RDLOCK,WRLOCK,WRLOCK_VERIFY')
    got = {d['file']: d['mode'] for d in (json.loads(x[9:]) for x in r.stdout.splitlines()
                                          if x.startswith('WALKLOCK ')) if d['rule'] == 'walk_lock'}
    ok(got == {files[0]: 'PGWALK_RDLOCK', files[1]: None, files[2]: None},
       'only modes that the tree has', got)
    f = ['walk_lock/write.c', 'walk_lock/released.c', 'walk_lock/form_array.c',
         'walk_lock/form_inner.c', 'walk_lock/form_literal.c']
    r = spatch('walk_lock', 'patch', f, tmp)
    add = re.findall(r'^\+.*walk_lock\s*=\s*(\w+)', r.stdout, re.M)
    ok(sorted(add) == ['PGWALK_RDLOCK'] * 3 + ['PGWALK_WRLOCK'] and 'released' not in r.stdout,
       'patch mode adds what is shown and nothing else', r.stdout)
    r = spatch('walk_lock', 'context', f[:1], tmp)
    ok(re.search(r'^-static const struct mm_walk_ops table', r.stdout, re.M) is not None,
       'context mode points at the table', r.stdout)
    r = spatch('walk_lock', 'org', f[:1], tmp)
    ok('* TODO [[view:walk_lock/write.c::' in r.stdout, 'org mode', r.stdout)
    r = spatch('walk_lock_mismatch', 'context', ['walk_lock_mismatch/write_under_read.c'], tmp)
    ok(re.search(r'^-.*walk_page_range', r.stdout, re.M) is not None,
       'context mode points at the walk', r.stdout)


def anywhere(tmp):
    # the analysis is found wherever spatch is started
    r = run([SPATCH, '--very-quiet', '-D', 'report', '--cocci-file',
             os.path.join(RULES, 'walk_lock.cocci'), os.path.join(FIX, 'walk_lock', 'read.c')], cwd=tmp)
    ok(': table: missing walk_lock; PGWALK_RDLOCK because' in r.stdout, 'rule alone, from any directory',
       r.stdout + r.stderr)


def marked(name, tmp, alone, clean=''):
    """Findings are expected in the lines that say so, /* ERROR text */, and nowhere
    else. The first line says whether there are any: a mark cannot be lost. One file
    alone has the same, from any folder and in org mode."""
    rule = os.path.join(RULES, name + '.cocci')
    folder = os.path.join(FIX, name)
    cmd = [SPATCH, '--very-quiet', '--cocci-file', rule, '--no-includes', '--include-headers', '-D']
    r = run(cmd + ['report', '.'], cwd=folder)
    got = {}
    for line in r.stdout.splitlines():
        m = re.match(r'\./([^:]+):(\d+):\d+-\d+: ((?:ERROR|WARNING): .*)$', line)
        if m:
            got.setdefault(m.group(1), []).append((int(m.group(2)), m.group(3)))
        else:
            ok(False, name + ': a line of the report', line)
    for f in sorted(os.listdir(folder)):
        with open(os.path.join(folder, f)) as fh:
            lines = fh.read().splitlines()
        left, why = list(got.get(f, [])), []
        marks = [(i, level, text) for i, line in enumerate(lines, 1)
                 for level, text in re.findall(r'/\* (ERROR|WARNING) (.*?) \*/', line)]
        for i, level, text in marks:
            hit = [x for x in left if x[0] == i and x[1].startswith(level + ': ') and text in x[1]]
            left = [x for x in left if x not in hit[:1]]
            why += [] if hit else ['missed: %d: %s: %s' % (i, level, text)]
        why += ['not expected: %d: %s' % x for x in left]
        head = '/* expect: %s */' % ('findings' if marks else 'nothing')
        ok(lines[0] == head and not why, name + '/' + f, '\n'.join(why) or 'first line: not ' + head)
    ok(r.returncode == 0 and re.fullmatch(clean, r.stderr.strip()), name + ': spatch has no complaint', r.stderr)
    count = len(got.get(alone, ()))
    r = run(cmd + ['report', os.path.join(folder, alone)], cwd=tmp)
    ok(len(r.stdout.splitlines()) == count > 0, name + ': one file, from any folder', r.stdout + r.stderr)
    r = run(cmd + ['org', alone], cwd=folder)
    ok(r.stdout.startswith('* TODO [[view:%s::' % alone) and len(r.stdout.splitlines()) == count,
       name + ': org mode', r.stdout)
    return cmd, folder, count


def folio_walk(tmp):
    cmd, folder, _ = marked('folio_walk', tmp, 'flags.c')
    r = run(cmd + ['context', 'sleep_lock.c'], cwd=folder)
    ok(re.findall(r'^-[^-].*?(\w+)\(', r.stdout, re.M) ==
       ['mutex_lock', 'down_read_killable', 'mmap_read_lock', 'vma_start_write', 'lock_vma_under_rcu'],
       'folio_walk: context mode points at the calls', r.stdout)
    r = run(cmd + ['context', 'return_goto.c'], cwd=folder)
    ok(len(re.findall(r'^-\t+return', r.stdout, re.M)) == 4, 'folio_walk: context mode points at the returns', r.stdout)


def vma_lock_result(tmp):
    files = len(os.listdir(os.path.join(FIX, 'vma_lock_result')))
    cmd, folder, count = marked('vma_lock_result', tmp, 'flags.c', 'coverage: %d files seen by this rule' % files)
    r = run(cmd + ['context', 'ignored.c'], cwd=folder)
    ok(re.findall(r'^-[^-].*?(\w+)\(', r.stdout, re.M) ==
       ['vma_start_read_locked', 'vma_start_read_locked_nested', 'vma_start_read', 'lock_vma_under_rcu',
        'lock_next_vma', 'vma_start_read_locked', 'vma_start_read_locked', 'lock_or_error', 'lock_into',
        'lock_mm_and_find_vma'], 'vma_lock_result: context mode points at the calls', r.stdout)
    r = run(cmd + ['context', 'return_plain.c'], cwd=folder)
    ok(len(re.findall(r'^-\t+return', r.stdout, re.M)) == 6,
       'vma_lock_result: context mode points at the returns', r.stdout)
    r = run(cmd + ['context', 'flags.c'], cwd=folder)
    ok(len(re.findall(r'^-[^-]', r.stdout, re.M)) == count,
       'vma_lock_result: context mode points at the writes', r.stdout)
    # Whether there is a result to look at: the prototypes of the tree say so.
    tree = os.path.join(tmp, 'prototypes')
    shutil.copytree(os.path.join(FIX, 'include'), os.path.join(tree, 'include'))
    source = os.path.join(tree, 'a.c')
    with open(source, 'w') as f:
        f.write('void f(struct vm_area_struct *vma)\n{\n\tvma_start_read_locked(vma);\n\tvma_end_read(vma);\n}\n')
    for proto, ignored in (('static inline void', 0), ('static inline bool', 1), ('static inline __must_check bool', 1),
                           ('int', 1), ('void', 0)):
        with open(os.path.join(tree, 'include', 'linux', 'mmap_lock.h'), 'w') as f:
            f.write('%s\nvma_start_read_locked(struct vm_area_struct *vma);\n' % proto)
        r = run(cmd + ['report', source], cwd=tmp)
        ok(r.stdout.count('result of vma_start_read_locked() ignored') == len(r.stdout.splitlines()) == ignored,
           'vma_lock_result: a tree with "%s"' % proto, r.stdout + r.stderr)
    # A file that has nothing of it is not parsed, unless it is asked for.
    with open(source, 'w') as f:
        f.write('void f(struct mm_struct *mm)\n{\n\tmmap_read_lock(mm);\n}\n')
    for more, seen in ([], ''), (['-D', 'walklock_all'], 'coverage: 1 file seen by this rule'):
        r = run(cmd + ['report'] + more + [source], cwd=tmp)
        ok(r.stderr.strip() == seen and not r.stdout, 'vma_lock_result: files seen, %s' % (' '.join(more) or 'by itself'),
           r.stdout + r.stderr)


def make_tree(path):
    shutil.copytree(os.path.join(FIX, 'include'), os.path.join(path, 'include'))
    shutil.copytree(os.path.join(FIX, 'callers'), os.path.join(path, 'mm'))
    for f in ('read.c', 'not_parsed.c', 'form_array.c'):
        shutil.copy(os.path.join(FIX, 'walk_lock', f), os.path.join(path, 'mm', f))
    for f in ('style_backslash.c', 'style_ifdef_else_no_comma.c'):
        shutil.copy(os.path.join(FIX, 'trial', 'walk_lock', f), os.path.join(path, 'mm', f))
    with open(os.path.join(path, 'Makefile'), 'w') as f:
        f.write('VERSION = 7\nPATCHLEVEL = 3\n')


def annotate(tmp):
    tree = os.path.join(tmp, 'a tree')
    make_tree(tree)
    r = run([ANNOTATE, tree, '--json'])
    j = json.loads(r.stdout or '{}')
    by = {(d['file'], d['table']): d['mode'] for d in j.get('findings', [])}
    ok(r.returncode == 1 and by.get(('mm/walk.c', 'table')) == 'PGWALK_WRLOCK',
       'annotate asks callers in other files', r.stdout + r.stderr)
    ok(('mm/walk.c', 'second') in by and by[('mm/walk.c', 'second')] is None,
       'annotate: exported, no caller seen: cannot tell', by)
    ok([d['function'] for d in j.get('unparsed', [])] == ['go()'],
       'annotate names the function that spatch could not parse', j.get('unparsed'))
    r = run([ANNOTATE, tree])
    ok(re.search(r'^mm/read\.c:\d+: table: missing walk_lock; PGWALK_RDLOCK because .*:\d+', r.stdout, re.M)
       and re.search(r'^coverage: \d+ files expected, \d+ parsed, 0 failed, 0 timed out', r.stdout, re.M),
       'annotate: one line a finding, coverage at the end', r.stdout)
    before = snapshot(tree)
    r = run([ANNOTATE, tree, '--diff'])
    ok(snapshot(tree) == before, 'annotate --diff changes nothing')
    p = os.path.join(tmp, 'diff')
    with open(p, 'w') as f:
        f.write(r.stdout)
    copy = os.path.join(tmp, 'copy')
    shutil.copytree(tree, copy)
    g = run(['git', 'apply', p], cwd=copy)
    ok(g.returncode == 0 and r.stdout.startswith('--- a/'), 'git apply takes the diff', g.stderr + r.stdout)
    a = run([ANNOTATE, tree, '--apply'])
    ok(snapshot(tree) == snapshot(copy), 'annotate --apply makes the same change', a.stdout + a.stderr)
    with open(os.path.join(tree, 'mm', 'read.c')) as f:
        ok('\t.pmd_entry\t= count_pmd,\n\t.walk_lock\t= PGWALK_RDLOCK,\n};' in f.read(),
           'the new member looks like the others')
    for f, want in (('style_backslash.c', ' = { .pte_entry = scan_pte, \\\n\t\t.walk_lock = PGWALK_RDLOCK,\n\t};'),
                    ('style_ifdef_else_no_comma.c', ' = {\n\t.walk_lock = PGWALK_RDLOCK,\n#ifdef')):
        with open(os.path.join(tree, 'mm', f)) as fh:
            ok(want in fh.read(), 'the new member leaves code that compiles: ' + f)
    again = run([ANNOTATE, tree, '--json'])
    left = {d['table'] for d in json.loads(again.stdout)['findings']}
    ok(left == {'second'}, 'nothing but the open question is left', left)
    ok(run([ANNOTATE, os.path.join(tmp, 'none')]).returncode == 2, 'annotate: no directory: 2')
    ok(run([ANNOTATE, FIX]).returncode == 2, 'annotate: no kernel tree: 2')
    e = run([ANNOTATE, tree, '--spatch', 'no-such-spatch'])
    ok(e.returncode == 2 and "'coccinelle'" in e.stderr, 'annotate: no spatch: 2, and the package', e.stderr)
    e = run([ANNOTATE, tree, '--tree', os.path.join(tree, 'mm')])
    ok(e.returncode == 2 and 'no include/linux/pagewalk.h' in e.stderr, 'annotate: --tree with no kernel tree: 2', e.stderr)
    e = run([ANNOTATE])
    ok(e.returncode == 2 and e.stderr.rstrip().endswith('required: DIR'), 'annotate: only DIR is required', e.stderr)
    ok(run([ANNOTATE, '--help']).returncode == 0, 'annotate --help')
    endings(tree, tmp)


def endings(tree, tmp):
    """Files that were not looked at are never said to be."""
    total = json.loads(run([ANNOTATE, tree, '--json']).stdout)['files']
    stub = os.path.join(tmp, 'stub')
    for text, name in (('echo no library >&2; exit 3', 'spatch does not start'),
                       ('exec 3>&- 4>&- 5>&-; kill -9 $$', 'spatch is killed')):
        with open(stub, 'w') as f:
            f.write('#!/bin/bash\n' + text + '\n')
        os.chmod(stub, 0o755)
        r = run([ANNOTATE, tree, '--json', '--spatch', stub])
        j = json.loads(r.stdout or '{}')
        ok(r.returncode == 1 and j.get('parsed') == 0 and len(j.get('failed', {})) == total,
           'annotate: %s: no file counts as parsed' % name, r.stdout + r.stderr)
    # a process that ends, or takes too long, in the middle of its file
    slow = os.path.join(tmp, 'rules')
    shutil.copytree(RULES, os.path.join(slow, 'coccinelle'), ignore=shutil.ignore_patterns('fixtures'))
    os.mkdir(os.path.join(slow, 'scripts'))
    shutil.copy(ANNOTATE, os.path.join(slow, 'scripts'))
    path = os.path.join(slow, 'coccinelle', 'walklock', 'rules.py')
    with open(path) as f:
        old = f.read()
    for where in ('first', 'again'):
        for what, key, opts in (('os.kill(os.getpid(), 9)', 'failed', []),
                                ('\n        while True: pass', 'timed_out', ['--timeout', '1'])):
            hit = 'not RUN.hints["complete"]' if where == 'first' else 'RUN.hints["complete"]'
            new = old.replace('def lock_report(files, org=False):\n',
                              'def lock_report(files, org=False):\n'
                              '    if "mm/walk.c" in files and %s: %s\n' % (hit, what))
            assert new != old
            with open(path, 'w') as f:
                f.write(new)
            r = run([os.path.join(slow, 'scripts', 'annotate'), tree, '--json'] + opts)
            j = json.loads(r.stdout or '{}')
            ok(r.returncode == 1 and list(j.get(key, ())) == ['mm/walk.c'] and j['parsed'] == j['files'] - 1,
               'annotate: %s, %s time: that file, and no other' % (
                   'a process dies' if key == 'failed' else 'a time-out', where), r.stdout[-600:] + r.stderr)


def snapshot(path):
    out = {}
    for base, _, files in os.walk(path):
        for f in files:
            p = os.path.join(base, f)
            with open(p, 'rb') as fh:
                out[os.path.relpath(p, path)] = (fh.read(), stat.S_IMODE(os.stat(p).st_mode))
    return out


def main():
    if shutil.which(SPATCH) is None:
        print('1..0 # SKIP spatch is not installed (package coccinelle)')
        return 0
    with tempfile.TemporaryDirectory(prefix='cocci-t-') as tmp:
        anywhere(tmp)
        for rule in ('walk_lock', 'walk_lock_mismatch'):
            rule_fixtures(rule, tmp)
        modes(tmp)
        folio_walk(tmp)
        vma_lock_result(tmp)
        annotate(tmp)
    print('1..%d' % COUNT[0])
    return 1 if COUNT[1] else 0


if __name__ == '__main__':
    sys.exit(main())
