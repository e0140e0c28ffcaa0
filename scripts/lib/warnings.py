#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Compare compiler and checker warnings by identity, never by count or line.

usage: warnings.py collect LOG SRC...   JSON list of the warnings in a make log;
                                        SRC are the folders to strip from paths
       warnings.py new BASE NEW         the warnings of NEW that BASE lacks,
                                        exit 1 if there are any

A warning is (tool, file, function, normalised text).  The function comes from
the source file as it is at the time of `collect`.
"""
import json
import os
import re
import sys

# sparse, and the semantic patches of scripts/check, say who they are
LINE = re.compile(r"^(?:(?P<by>\w+): )?(?P<file>[^:\s][^:]*\.[chS]):(?P<line>\d+)(?::\d+)?: "
                  r"(?P<kind>warning|error): (?P<text>.*)$")
NOTE = re.compile(r"^(?:sparse: )?[^:\s][^:]*\.[chS]:\d+:\d+:\s{2,}(.*)$")
START = re.compile(r"^[A-Za-z_][^;]*\([^;]*$")
NAME = re.compile(r"([A-Za-z_]\w*)\s*\(")


def relative(path, roots):
    full = os.path.normpath(path)
    for root in roots:
        if full.startswith(root + "/"):
            return full[len(root) + 1:]
    return re.sub(r"^(\.\./)+", "", full)


def function(cache, roots, path, line):
    """Name of the function around a line: the last one that starts in column 0."""
    if path not in cache:
        cache[path] = []
        for root in roots:
            try:
                with open(os.path.join(root, path), encoding="utf-8", errors="replace") as f:
                    cache[path] = f.read().split("\n")
                break
            except OSError:
                continue
    lines = cache[path]
    for i in range(min(line, len(lines)) - 1, -1, -1):
        if lines[i][:1] == "}" and i != line - 1:
            return ""
        if START.match(lines[i]) and (name := NAME.search(lines[i])):
            return name.group(1)
    return ""


def normalise(text, roots):
    for root in roots:
        text = text.replace(root + "/", "")
    text = text.replace("\u2018", "'").replace("\u2019", "'")
    text = re.sub(r"(\S+\.[ch]):\d+(:\d+)?", r"\1", text)
    text = re.sub(r"\bline \d+", "line N", text)
    text = re.sub(r"\b0x[0-9a-f]+\b", "0xN", text)
    return re.sub(r"\s+", " ", text).strip()


def collect(log, roots):
    roots = [os.path.realpath(r) for r in roots]
    found, seen, cache, last = [], set(), {}, None
    with open(log, encoding="utf-8", errors="replace") as f:
        for raw in f:
            raw = raw.rstrip("\n")
            match = LINE.match(raw)
            if not match:
                # sparse explains a type mismatch in lines of their own
                note = NOTE.match(raw)
                if note and last is not None:
                    last["text"] += " / " + normalise(note.group(1), roots)
                continue
            path = relative(match["file"], roots)
            tool = match["by"] or ("gcc" if re.search(r"\[-W[\w=+-]+\]$", match["text"]) else "make")
            last = {"tool": tool, "kind": match["kind"], "file": path,
                    "function": function(cache, roots, path, int(match["line"])),
                    "text": normalise(match["text"], roots), "line": int(match["line"])}
            found.append(last)
    unique = []
    for w in found:
        key = identity(w)
        if key not in seen:
            seen.add(key)
            unique.append(w)
    return unique


def identity(w):
    return (w["tool"], w["file"], w["function"], w["text"])


def main():
    if len(sys.argv) < 4 or sys.argv[1] not in ("collect", "new"):
        print(__doc__, file=sys.stderr)
        return 2
    if sys.argv[1] == "collect":
        json.dump(collect(sys.argv[2], sys.argv[3:]), sys.stdout, indent=1)
        print()
        return 0
    with open(sys.argv[2], encoding="utf-8") as a, open(sys.argv[3], encoding="utf-8") as b:
        base = {identity(w) for w in json.load(a)}
        new = [w for w in json.load(b) if identity(w) not in base]
    for w in new:
        print(f"{w['file']}:{w['line']}: {w['tool']} {w['kind']}: {w['text']}"
              + (f" (in {w['function']})" if w["function"] else ""))
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())
