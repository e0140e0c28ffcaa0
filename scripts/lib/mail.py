#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What scripts/mail does once it knows about the evidence.

usage: mail.py select --tree T --topic T [--patch P]    place in the series, and
                                                        whether a boot is asked for
       mail.py compose --trees A,B --topic T --mode M --tmp DIR ...
       mail.py readable --failed MBOX                   is it a FAILED mail?
       mail.py failed --failed MBOX --tmp DIR ...
"""
import argparse
import json
import os
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
import mail_compose                     # noqa: E402
import mail_failed                      # noqa: E402
import mail_send                        # noqa: E402
from mail_common import Conflict, Environment, Refused, Stopped, Upstream, show, trees  # noqa: E402


def failed(options):
    upstreams = [Upstream(d) for d in options.upstream]
    found, others = mail_failed.read_all(options.failed)
    items = [mail_failed.work_item(f, options.tree_dir, upstreams, options.force) for f in found]
    if options.json:
        out = json.dumps(items[0] if len(items) == 1 else items, indent=1) + "\n"
    else:
        out = "\n".join(mail_failed.text(i) for i in items)
    sys.stdout.write(out)
    if others:
        print(f"mail: {others} other mail{'s' if others > 1 else ''} in {show(options.failed)}: passed over", file=sys.stderr)
    if options.out:
        try:
            os.makedirs(options.out, exist_ok=True)
            for item in items:
                name = f"{item['commit'][:12]}-{item['line']}.y"
                mail_compose.save(os.path.join(options.out, name + ".json"), json.dumps(item, indent=1) + "\n")
                mail_compose.save(os.path.join(options.out, name + ".txt"), mail_failed.text(item))
        except OSError as err:
            raise Environment(f"cannot write to {options.out}: {err.strerror}") from err
    return 0


def stop(number, _):
    for n in mail_send.SIGNALS:
        signal.signal(n, signal.SIG_IGN)
    raise Stopped(number)


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("verb", choices=["select", "compose", "failed", "readable"])
    for name in ("--tree", "--trees", "--topic", "--patch", "--mode", "--tmp", "--out", "--failed", "--tree-dir", "--force", "--in-reply-to", "--reroll", "--changes", "--unknown"):
        parser.add_argument(name, default="")
    parser.add_argument("--upstream", action="append", default=[])
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sys.stdout.reconfigure(errors="surrogateescape")
    sys.stderr.reconfigure(errors="surrogateescape")
    os.environ["WL_MAIL_TMP"] = options.tmp
    for number in mail_send.SIGNALS:
        signal.signal(number, stop)
    try:
        if options.verb == "select":
            tree = trees()[options.tree]
            first, last = mail_compose.select(tree, options.topic, options.patch)
            print(first, last, "yes" if mail_compose.wants_boot(tree, options.topic) else "no")
            return 0
        if options.verb == "readable":
            mail_failed.read_all(options.failed)
            return 0
        return failed(options) if options.verb == "failed" else mail_compose.compose(options)
    except Refused as err:
        print(f"mail: refused: {err}", file=sys.stderr)
        return 1
    except Environment as err:
        print(f"mail: {err}", file=sys.stderr)
        return 2
    except Conflict as err:
        print(f"mail: conflict: {err}", file=sys.stderr)
        return 3
    except Stopped as err:
        # Of the other verbs the shell says it.
        if options.verb == "compose":
            print(f"mail: {err}", file=sys.stderr)
        return 128 + err.number
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
