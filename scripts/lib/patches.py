#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Look at patch files: are they whole, and where does one not fit a tree?

usage: patches.py sane FILE...          one line per defect and exit 1; if there
                                        is none, the paths that they touch
       patches.py conflict FILE DIR     hunk by hunk: expected and found lines
       patches.py there FILE DIR        exit 0 when all that it does is in DIR already
       patches.py files FILE...         the paths that the patches touch
"""
import difflib
import os
import re
import sys

HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)$")
SUMMARY = re.compile(
    r"^ (\d+) files? changed(?:, (\d+) insertions?\(\+\))?(?:, (\d+) deletions?\(-\))?$", re.M)


class Hunk:
    def __init__(self, start, header, section):
        self.start, self.header, self.section = start, header, section
        self.body = []          # lines with their ' ', '-' or '+'

    @property
    def old(self):
        return [line[1:] for line in self.body if line[:1] in " -"]

    @property
    def new(self):
        return [line[1:] for line in self.body if line[:1] in " +"]


class FileDiff:
    def __init__(self, path):
        self.path, self.created, self.deleted, self.hunks = path, False, False, []


class Truncated(Exception):
    pass


def parse(text):
    """Split a format-patch file into (head, [FileDiff]); raises Truncated."""
    head, files = [], []
    lines = text.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    i = 0
    while i < len(lines) and not lines[i].startswith("diff --git "):
        head.append(lines[i])
        i += 1
    while i < len(lines):
        line = lines[i]
        if line.startswith("diff --git "):
            match = re.match(r'diff --git "?a/(.*?)"? "?b/(.*?)"?$', line)
            files.append(FileDiff(match.group(2) if match else line))
        elif line.startswith("new file mode") and files:
            files[-1].created = True
        elif line.startswith("deleted file mode") and files:
            files[-1].deleted = True
        elif (match := HUNK.match(line)) and files:
            hunk = Hunk(int(match.group(1)), line, match.group(5))
            old = int(match.group(2) or 1)
            new = int(match.group(4) or 1)
            while old > 0 or new > 0:
                i += 1
                if i >= len(lines):
                    raise Truncated(f"ends inside the hunk '{line}' of {files[-1].path}")
                body = lines[i] or " "
                if body[0] == "\\":
                    continue
                if body[0] not in " +-":
                    raise Truncated(f"line {i + 1}: not a hunk line in '{line}' of {files[-1].path}")
                old -= body[0] in " -"
                new -= body[0] in " +"
                hunk.body.append(body)
            if old < 0 or new < 0:
                raise Truncated(f"hunk '{line}' of {files[-1].path} has more lines than it says")
            files[-1].hunks.append(hunk)
        i += 1
    return "\n".join(head), files


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as f:
        return f.read()


def defect(path):
    """What is wrong with a patch file, or None."""
    try:
        text = read(path)
    except OSError as err:
        return f"cannot be read: {err.strerror}"
    if not text.strip():
        return "is empty: take it from the repository again"
    if "\r\n" in text:
        return "has CRLF line endings: save the mail raw, or convert it with dos2unix"
    head = text.split("\ndiff --git ", 1)[0]
    header = head.split("\n\n", 1)[0]
    if re.search(r"^content-transfer-encoding:\s*(quoted-printable|base64)", header, re.I | re.M):
        return "is quoted-printable or base64 encoded: save the mail decoded (b4 am does)"
    if not re.search(r"^From [0-9a-f]{40} ", head) or not re.search(r"^Subject: ", header, re.M):
        return "is no 'git format-patch' file (no From line or no Subject)"
    if "\ndiff --git " not in text:
        return "is truncated: no diff in it"
    if not text.endswith("\n"):
        return "is truncated: it ends in the middle of a line"
    try:
        _, files = parse(text)
    except Truncated as err:
        return f"is truncated or damaged: {err}"
    summary = None
    for summary in SUMMARY.finditer(head):
        pass
    if summary:
        said = tuple(int(x or 0) for x in summary.groups())
        there = (len(files),
                 sum(b[0] == "+" for f in files for h in f.hunks for b in h.body),
                 sum(b[0] == "-" for f in files for h in f.hunks for b in h.body))
        if said != there:
            return ("is truncated or damaged: its diffstat says %d files, +%d -%d, it holds "
                    "%d files, +%d -%d" % (said + there))
    return None


def find(lines, old, near):
    """Line index where `old` stands exactly, nearest to `near`, or None."""
    hits = [i for i in range(len(lines) - len(old) + 1) if lines[i:i + len(old)] == old]
    return min(hits, key=lambda i: abs(i - near)) if hits else None


def closest(lines, old, near):
    """Best (agreeing lines, index) for a window of the size of `old`, the
    nearest of several; blank lines alone agree with nothing."""
    best = (0, max(0, min(near, len(lines) - len(old))))
    known = set(old)
    for i in sorted(range(max(1, len(lines) - len(old) + 1)), key=lambda i: abs(i - near)):
        window = lines[i:i + len(old)]
        there = [w for w in window if w in known]
        if len(there) <= best[0] or not any(w.strip() for w in there):
            continue
        agree = sum(b.size for b in difflib.SequenceMatcher(
            None, old, window, autojunk=False).get_matching_blocks())
        if agree > best[0]:
            best = (agree, i)
    return best


def conflict(path, tree):
    """Print each hunk of the patch that does not fit the files below tree."""
    _, files = parse(read(path))
    found = 0
    for diff in files:
        name = os.path.join(tree, diff.path)
        if diff.created:
            if os.path.lexists(name):
                found += 1
                print(f"  {diff.path}: is to be created, but the tree has it")
            continue
        if not os.path.isfile(name):
            found += 1
            print(f"  {diff.path}: is not in the tree")
            continue
        text = read(name)
        lines = text.split("\n")
        if lines and lines[-1] == "":
            lines.pop()
        shift = 0
        for number, hunk in enumerate(diff.hunks, 1):
            near = hunk.start - 1 + shift
            at = find(lines, hunk.old, near)
            if at is not None:
                lines[at:at + len(hunk.old)] = hunk.new
                shift = at - (hunk.start - 1) + len(hunk.new) - len(hunk.old)
                continue
            found += 1
            print(f"  {diff.path}: hunk {number} of {len(diff.hunks)}: {hunk.header}")
            done = find(lines, hunk.new, near)
            if done is not None and hunk.new:
                print(f"    these lines are in the tree already, at line {done + 1}")
                continue
            print("    expected:")
            for line in hunk.old:
                print(f"      |{line}")
            agree, at = closest(lines, hunk.old, near)
            if not agree:
                print(f"    found: nothing like it (line {near + 1} of {len(lines)} was expected)")
                continue
            print(f"    found at line {at + 1} ({agree} of {len(hunk.old)} lines agree):")
            for line in lines[at:at + len(hunk.old)]:
                print(f"      |{line}")
    return found


def there(path, tree):
    """Whether all that the patch does is in the files below tree already: the lines
    after each hunk, in that order, and those before it nowhere."""
    _, files = parse(read(path))
    for diff in files:
        name = os.path.join(tree, diff.path)
        if diff.deleted:
            if os.path.lexists(name):
                return False
            continue
        if not diff.hunks or not os.path.isfile(name):
            return False
        lines = read(name).split("\n")
        if lines[-1] == "":
            lines.pop()
        if diff.created and lines != diff.hunks[0].new:
            return False
        at = 0
        for hunk in diff.hunks:
            if not hunk.new or (hunk.old and find(lines, hunk.old, 0) is not None):
                return False
            done = find(lines[at:], hunk.new, 0)
            if done is None:
                return False
            at += done + len(hunk.new)
    return True


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("sane", "conflict", "there", "files"):
        print(__doc__, file=sys.stderr)
        return 2
    sys.stdout.reconfigure(errors="surrogateescape")
    verb, args = sys.argv[1], sys.argv[2:]
    if verb == "conflict":
        return 0 if conflict(*args) else 1
    if verb == "there":
        return 0 if there(*args) else 1
    if verb == "files":
        for name in sorted({d.path for a in args for d in parse(read(a))[1]}):
            print(name)
        return 0
    defects = [f"{path}: {what}" for path in args if (what := defect(path))]
    for line in defects or sorted({d.path for a in args for d in parse(read(a))[1]}):
        print(line)
    return 1 if defects else 0


if __name__ == "__main__":
    sys.exit(main())
