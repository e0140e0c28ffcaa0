#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Take in the records and logs that cells on other machines print.

usage: cells.py EVIDENCE CELL...     EVIDENCE is the tree's folder of records

Reads what lib/cell writes, and prints "why CELL TEXT", and for a cell that came
through to its end "record CELL JSON" and then "end CELL HOST".  A file is written
where its cell is one of those asked for and its name is that of a log.
"""
import base64
import binascii
import gzip
import json
import os
import re
import sys
import zlib


def write(path, data):
    part = f"{path}.{os.getpid()}"
    with open(part, "wb") as f:
        f.write(data)
    os.replace(part, path)


def keep(folder, cell, host, files, records):
    """The lines to print for a complete cell; ValueError when it is not one."""
    name = re.compile(r"[0-9a-f]{32}\.build-" + re.escape(cell) + r"\.log(\.[a-z]+)*")
    logs = os.path.join(folder, "logs")
    os.makedirs(logs, exist_ok=True)
    for f in files:
        if not name.fullmatch(f):
            raise ValueError(f"no name of a log: {f}")
    lines = []
    for r in records:
        tool, _, of = r["check"].partition(" ")
        if (tool not in ("build", "warnings", "sparse") or of != cell or r["scope"] != "series"
                or r["verdict"] not in ("passed", "failed", "skipped")
                or not re.fullmatch(r"[0-9a-f]{32}", r["key"]) or not isinstance(r["seconds"], int)):
            raise ValueError("no record of this cell")
        log = os.path.basename(r["log"])
        if log and log not in files:
            raise ValueError(f"its log did not come: {log}")
        r["log"] = os.path.join(logs, log) if log else ""
        r["host"] = host
    if not any(r["check"] == "build " + cell for r in records):
        raise ValueError("no record of the build")
    for f, data in files.items():
        write(os.path.join(logs, f), data)
    for r in records:
        stored = {k: v for k, v in r.items() if k != "reused"}
        write(os.path.join(folder, r["key"] + ".json"), (json.dumps(stored) + "\n").encode())
        lines.append(f"record {cell} {json.dumps(r)}")
    return lines + [f"end {cell} {host}"]


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    folder, cells = sys.argv[1], set(sys.argv[2:])
    files, records = {}, {}
    for line in sys.stdin.buffer:
        kind, _, rest = line.decode("utf-8", "replace").rstrip("\n").partition(" ")
        cell, _, rest = rest.partition(" ")
        if cell not in cells:
            continue
        try:
            if kind == "file":
                f, _, data = rest.partition(" ")
                files.setdefault(cell, {})[f] = gzip.decompress(base64.b64decode(data, validate=True))
            elif kind == "record":
                records.setdefault(cell, []).append(json.loads(rest))
            elif kind == "why":
                files.pop(cell, None), records.pop(cell, None)
                print(line.decode("utf-8", "replace").rstrip("\n"), flush=True)
            elif kind == "end":
                got = keep(folder, cell, rest, files.pop(cell, {}), records.pop(cell, []))
                print("\n".join(got), flush=True)
        except (ValueError, KeyError, TypeError, AttributeError, OSError, EOFError, zlib.error, binascii.Error) as e:
            files.pop(cell, None), records.pop(cell, None)
            print(f"why {cell} what it sent is damaged: {e}".replace("\n", " "), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
