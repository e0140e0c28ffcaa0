# SPDX-License-Identifier: GPL-2.0
"""One start of spatch for many files. scripts/annotate has the process forked
for each file when spatch and Python are up, before spatch asks which files to
read. Without scripts/annotate this does nothing."""
import gc
import json
import os
import select
import signal
import sys
import time
import traceback
from . import rules


def wait():
    """Returns in a process that has one file to do, and else never."""
    fds = os.environ.pop('WALKLOCK_SERVE', None)
    if not fds:
        return
    orders, news, groups = (int(x) for x in fds.split(','))
    running, late, rest = {}, set(), b''
    while True:
        # the timer of spatch does not stop Python: this does
        now = time.monotonic()
        for pid, _, end in running.values():
            if end <= now and pid not in late:
                late.add(pid)
                os.kill(pid, signal.SIGKILL)
        ends = [end - now for pid, _, end in running.values() if pid not in late]
        ready = select.select([orders] + list(running), [], [], min(ends) if ends else None)[0]
        for fd in ready:
            if fd != orders:
                pid, number, _ = running.pop(fd)
                os.close(fd)
                status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                if pid in late:
                    late.remove(pid)
                    status = -signal.SIGALRM
                os.write(news, b'%d %d\n' % (number, status))
                continue
            data = os.read(orders, 65536)
            if not data:
                for pid, _, _ in running.values():
                    os.kill(pid, signal.SIGKILL)
                os._exit(0)
            *lines, rest = (rest + data).split(b'\n')
            for line in lines:
                job = json.loads(line)
                # the far end of this pipe closes when the new process ends
                rules.read_headers(job['hints'], job['file'])
                mine, far = os.pipe()
                sys.stdout.flush()
                sys.stderr.flush()
                pid = os.fork()
                if pid == 0:
                    for x in [orders, news, mine] + list(running):
                        os.close(x)
                    work(job, groups)
                    return
                os.close(far)
                # spatch itself is to be first where it can
                running[mine] = pid, job['id'], time.monotonic() + job['timeout'] + 1


def work(job, groups):
    for name, fd in (('out', 1), ('err', 2)):
        f = os.open(job[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(f, fd)
        os.close(f)
    gc.set_threshold(100000)    # little of what this process makes is garbage in rings
    rules.RUN.hints = job['hints']
    if not job['again']:
        # spatch reads the list of files next
        f = os.open(job['groups'], os.O_RDONLY)
        os.dup2(f, groups)
        os.close(f)
        return
    # spatch has parsed this file before; only the analysis is done again
    status = 1
    try:
        rules.lock_report([job['file']])
        sys.stdout.flush()
        status = 0
    except BaseException:
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(status)
