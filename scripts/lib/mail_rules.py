# SPDX-License-Identifier: GPL-2.0
"""The rules for longterm branches (Documentation/process/stable-kernel-rules.rst), as
checks: each finding has a reason code, and a committed line waives it."""
import os
import re

import patches
from mail_code import ABSENT, Code, aside, judge, reverse_applies, split
from mail_common import (CONFIGS, FIXES, HEADER, QUOTED, TOP, Environment, fixes, git, ids_in, read, reverts, rows, show,
                         trees, upstream_ids, version)

CODES = ("upstream-header", "mainline", "size", "author", "newer-branches", "note", "sign-off", "fixes", "follow-up", "reverted", "alone")
SIZE = 100
LOOSE = re.compile(r"\b(?:commit\s+([0-9a-f]{7,64})\s+upstream|upstream\s+commit\s+([0-9a-f]{7,64}))\b", re.I)
TRAILER = re.compile(r"^(?:[A-Za-z][A-Za-z-]*-by|Cc|Link|Closes|Fixes|Message-ID|Depends-on):\s", re.I)


class Finding:
    """refused: blocks composing; unknown: blocks sending; warning: is said."""
    def __init__(self, kind, code, patch, text):
        self.kind, self.code, self.patch, self.text = kind, code, patch, text
        self.waived = None

    def line(self):
        where = f"{self.patch}: " if self.patch else ""
        return f"{self.code}: {where}{self.text}" + (f" ({self.waived if self.waived.startswith('forced: ') else 'waived: ' + self.waived})" if self.waived else "")

    def data(self):
        return {"kind": self.kind, "code": self.code, "patch": self.patch, "text": self.text, "waived": self.waived}


# ---- waivers ------------------------------------------------------------------------------------

def waivers():
    """[(tree, patch, code, reason)] of configs/mail-waivers; a line that is not
    committed does not count, and is said."""
    path = os.path.join(CONFIGS, "mail-waivers")
    if not os.path.isfile(path):
        return [], []
    committed = None
    inside = git(TOP, "rev-parse", "--show-toplevel", check=False)
    if inside and os.path.realpath(inside.rstrip("\n")) == os.path.realpath(TOP):
        committed = set((git(TOP, "show", "HEAD:configs/mail-waivers", check=False) or "").split("\n"))
    lines, found, open_ = read(path).split("\n"), [], []
    for number, row in rows(path, 4):
        if len(row) < 4 or len(row[3].split()) < 3:
            raise Environment(f"configs/mail-waivers:{number}: a waiver is TREE TOPIC/PATCH CODE and a reason in words")
        tree, patch, code, reason = row[0], row[1], row[2], row[3].strip()
        if code not in CODES:
            raise Environment(f"configs/mail-waivers:{number}: unknown code '{show(code)}': one of {' '.join(CODES)}")
        if committed is not None and lines[number - 1] not in committed:
            open_.append((tree, patch, code, number))
        else:
            found.append((tree, patch, code, reason))
    return found, open_


def waive(findings, tree, known):
    good, not_committed = known
    for f in findings:
        if f.kind == "warning":
            continue
        for name, patch, code, reason in good:
            if name in (tree, "*") and patch in (f.patch, "*") and code == f.code:
                f.waived = reason
        for name, patch, code, number in not_committed:
            if not f.waived and name in (tree, "*") and patch in (f.patch, "*") and code == f.code:
                f.text += f" (line {number} of configs/mail-waivers is not committed)"


# ---- what a message says ---------------------------------------------------------------------------

def take_notes(message):
    """(message without its "[ ... ]" notes, the notes).  A note is a paragraph, or
    lines among the trailers, after which nothing but trailers and notes comes."""
    lines = message.rstrip().split("\n")
    kept, found, i = [], [], 0
    while i < len(lines):
        if re.match(r"\[(?!\s*\d+\.\d+\])\s*\S", lines[i]) and not HEADER.fullmatch(lines[i].rstrip()):
            end = next((j for j in range(i, len(lines)) if lines[j].rstrip().endswith("]")), None)
            if end is not None and "" not in [line.strip() for line in lines[i:end + 1]] and \
                    all(not line.strip() or TRAILER.match(line) or line.startswith(("[", " ", "\t", "("))
                        or line.rstrip().endswith("]") for line in lines[end + 1:]):
                found.append(" ".join(line.strip() for line in lines[i:end + 1]))
                i = end + 1
                continue
        kept.append(lines[i])
        i += 1
    return "\n".join(kept), found


def plain(message):
    """What a changelog says: no upstream header, trailers, notes, layout."""
    text, _ = take_notes(message)
    words = []
    for line in text.split("\n"):
        if HEADER.fullmatch(line.rstrip()) or TRAILER.match(line) or re.match(r"\(cherry[- ]picked from commit ", line):
            continue
        words += line.split()
    return words


def plain_text(message):
    """The same, with its lines, for git range-diff to compare."""
    text, _ = take_notes(message)
    kept = [line.rstrip() for line in text.split("\n")
            if not HEADER.fullmatch(line.rstrip()) and not TRAILER.match(line) and not re.match(r"\(cherry[- ]picked from commit ", line)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip() + "\n"


def changed_lines(diff):
    """{path: lines put in and taken out}: no context, no places; modes, names and
    the new id of a binary file count as lines."""
    heads = re.split(r"^(?=diff --git )", diff, flags=re.M)[1:]
    found = {}
    for f, head in zip(patches.parse(diff)[1], heads):
        head = head.split("\n@@ ", 1)[0]
        found[f.path] = re.findall(r"^(?:new (?:file )?mode|deleted file|rename from) .*$", head, re.M)
        if re.search(r"^Binary files ", head, re.M):
            found[f.path] += re.findall(r"^index [0-9a-f]+\.\.([0-9a-f]+)", head, re.M)
        found[f.path] += [line for h in f.hunks for line in h.body if line[:1] in "+-"]
    return found


def patch_id(diff):
    return (git(TOP or ".", "patch-id", "--stable", data=diff) or "").split(" ")[0]


def size(diff):
    return sum(len(h.body) for f in patches.parse(diff)[1] for h in f.hunks)


# ---- the rules ----------------------------------------------------------------------------------------

class Patch:
    """A patch to be mailed: its place in the series, and its commit in the tree."""
    def __init__(self, tree, topic, path, commit):
        self.tree, self.topic, self.path, self.commit = tree, topic, path, commit
        self.name = f"{topic}/{os.path.basename(path)}"
        self.message = git(tree.dir, "log", "-1", "--no-show-signature", "--format=%B", commit)
        self.subject = self.message.split("\n", 1)[0]
        self.author = git(tree.dir, "log", "-1", "--format=%an%n%ae", commit).rstrip("\n").split("\n")
        self.diff = git(tree.dir, "diff-tree", "-p", "-r", "-M", "--no-commit-id", "--full-index", "--no-ext-diff",
                        "--no-textconv", "--unified=3", "--diff-algorithm=myers", commit)
        ids = upstream_ids(self.message)
        self.upstream = ids[0] if len(set(ids)) == 1 else None


def check_header(patch, add):
    lines = patch.message.rstrip().split("\n")
    found = [i for i, line in enumerate(lines) if HEADER.fullmatch(line.rstrip())]
    if len(found) > 1:
        return add("refused", "upstream-header", f"{len(found)} upstream headers: one patch brings one commit")
    if not found:
        text, _ = take_notes(patch.message)
        loose = LOOSE.search(text)
        hexes = next((g for g in loose.groups() if g), "") if loose else ""
        if hexes and len(hexes) != 40:
            return add("refused", "upstream-header", f"'{show(loose.group(0))}': the id has {len(hexes)} hex digits, not 40")
        if hexes:
            return add("refused", "upstream-header", f"'{show(loose.group(0))}' is not 'commit ID upstream.' or '[ Upstream commit ID ]' on a line of its own")
        return add("refused", "upstream-header", "no 'commit ID upstream.' line: a branch only gets what mainline has")
    i = found[0]
    body = next((j for j, line in enumerate(lines[1:], 1) if line.strip()), None)
    if i != body or (i + 1 < len(lines) and lines[i + 1].strip()):
        add("refused", "upstream-header", "the upstream header is not a paragraph of its own right after the subject")
    return None


def check_mainline(patch, ups, add):
    """Returns the tree that knows the commit, one in which mainline has it first."""
    if not patch.upstream:
        return None
    if not ups:
        add("unknown", "mainline", f"whether {patch.upstream[:12]} is in mainline is not known: no --upstream tree was given")
        return None
    here = [up for up in ups if up.resolve(patch.upstream)]
    if here:
        own = upstream_ids(here[0].message(patch.upstream))
        if own:
            add("refused", "mainline", f"{patch.upstream[:12]} is no mainline commit, but a backport of {own[0][:12]}")
            return None
        up = next((u for u in here if u.mainline(patch.upstream)), None)
        if not up:
            add("unknown", "mainline", f"whether {patch.upstream[:12]} is in mainline is not known: in {here[0].path} it is in no release or "
                "candidate (tags v*), and in no branch master or main but linux-next's")
        return up or here[0]
    shallow = [up.path for up in ups if up.shallow()]
    if shallow:
        add("unknown", "mainline", f"whether {patch.upstream[:12]} is in mainline is not known: {', '.join(shallow)} has no full history")
    else:
        add("refused", "mainline", f"{patch.upstream[:12]} is in no branch of {', '.join(up.path for up in ups)}")
    return None


def check_size(patch, add):
    lines = size(patch.diff)
    if lines > SIZE:
        add("refused", "size", f"{lines} lines with context, at most {SIZE} are allowed")


def check_author(patch, up, add):
    name, addr = up.author(patch.upstream)
    if addr.lower() != patch.author[1].lower() and name.lower() != patch.author[0].lower():
        add("refused", "author", f"the author is {patch.author[0]} <{patch.author[1]}>, that of {patch.upstream[:12]} is {name} <{addr}>")


def signers(message):
    """[(name, address)] of the sign-offs, in order."""
    lines = re.findall(r"^Signed-off-by:[ \t]*(.*?)[ \t]*<([^<>\n]*)>", message, re.I | re.M)
    return [(name.strip('"'), addr) for name, addr in lines]


def check_sign_offs(patch, up, add):
    """Who signed the upstream commit signed what came of it, in that order; who
    brought it to the branch comes after them."""
    mine, lost, place = signers(patch.message), [], 0
    for name, addr in signers(up.message(patch.upstream)):
        at = next((i for i in range(place, len(mine)) if mine[i][1].lower() == addr.lower() or mine[i][0].lower() == name.lower()), None)
        if at is None:
            lost.append(f"{name} <{addr}>")
        else:
            place = at + 1
    if lost:
        add("refused", "sign-off", f"Signed-off-by: {', '.join(lost)} of {patch.upstream[:12]} is not there, or not in its order: "
            "'git cherry-pick' and 'git am' keep the lines")


def check_fixes(patch, ups, up, add):
    """Fixes: of a commit that no tree has; what upstream's message says is upstream's."""
    theirs = {i for line in fixes(up.message(patch.upstream)) for i in line} if up else set()
    if not ups or any(u.shallow() for u in ups):
        return
    for rest in FIXES.findall(QUOTED.sub(" ", patch.message)):
        for i in ids_in(rest) if "://" not in rest else ():
            if i not in theirs and not any(u.resolve(i) for u in ups):
                add("unknown", "fixes", f"Fixes: {i}: is in no branch of {', '.join(u.path for u in ups)}")


def check_new(patch, ups):
    """The findings for one patch that is no backport."""
    found = []
    check_fixes(patch, ups, None, lambda kind, code, text: found.append(Finding(kind, code, patch.name, text)))
    return found


def newer_state(patch, tree, ups, same_run):
    """(True, False or None, why) for one newer branch."""
    commit = patch.upstream
    if commit in same_run.get(tree.name, ()):
        return True, "in this run"
    known, asked, has = None, [], ""
    for up in ups:
        if up.resolve(commit):
            known = up
            release = up.release(commit)
            if release and version(release) <= version(tree.line):
                has = f"since {release}"
    for up in ups:
        for ref in up.branches(tree.line):
            short = re.sub(r"^refs/(heads|remotes|tags)/", "", ref)
            own = up.backport(ref, tree.line, commit)
            if own:
                has = f"as {own[:12]}"
            elif up.resolve(commit) and git(up.dir, "merge-base", "--is-ancestor", commit, ref, check=False) is not None:
                own, has = commit, has or f"in {short}"
            else:
                asked.append(short)
                continue
            taken = up.reverted(ref, [commit, own], own)
            if taken:
                return False, f"{has}, but {taken[:12]} of {short} reverts it"
    if has:
        return True, has
    if known and tree.there():
        if reverse_applies(tree.dir, "base", known.diff(commit)):
            return True, "its change is in the tree"
        asked.append(f"the tree {tree.name} ({tree.config('walklock.version')})")
    if asked:
        return False, f"looked in {', '.join(asked)}"
    return None, "nothing was there to look in"


def check_newer(patch, ups, same_run, add):
    newer = [t for t in trees().values() if not t.mainline and version(t.line) > version(patch.tree.line)]
    missing, unknown = [], []
    for tree in sorted(newer, key=lambda t: version(t.line), reverse=True):
        state, why = newer_state(patch, tree, ups, same_run)
        if state is False:
            missing.append(f"{tree.name} ({why})")
        elif state is None:
            unknown.append(tree.name)
    if missing:
        add("refused", "newer-branches", f"not in {', '.join(missing)}, and not in this run")
    if unknown:
        add("unknown", "newer-branches", f"whether {', '.join(unknown)} has {patch.upstream[:12]} is not known")


def check_note(patch, up, add):
    """Returns whether the change is that of the upstream commit."""
    theirs = up.diff(patch.upstream)
    message = up.message(patch.upstream)
    differs = []
    if patch_id(patch.diff) != patch_id(theirs) and changed_lines(patch.diff) != changed_lines(theirs):
        mine, other = changed_lines(patch.diff), changed_lines(theirs)
        paths = sorted(p for p in set(mine) | set(other) if mine.get(p) != other.get(p))
        differs.append(f"the change ({', '.join(paths[:3])}{', ...' if len(paths) > 3 else ''})")
    if patch.subject.strip() != message.split("\n", 1)[0].strip():
        differs.append("the subject")
    if plain(patch.message.split("\n", 1)[-1]) != plain(message.split("\n", 1)[-1]):
        differs.append("the changelog")
    # Those of the upstream commit say nothing of this one.
    found = [n for n in take_notes(patch.message)[1] if n not in take_notes(message)[1]]
    if differs and not found:
        add("refused", "note", f"{' and '.join(differs)} differs from {patch.upstream[:12]}, and no '[ ... ]' note says why")
    if found and not differs:
        add("warning", "note", f"a '[ ... ]' note, but the change is that of {patch.upstream[:12]}")


def touches(up, commit, code):
    """Does a commit change code that is in the tree?  Names a path."""
    try:
        changes, _, _ = split(up.diff(commit))
    except patches.Truncated:
        return "a diff that cannot be read"
    for change in changes:
        if not aside(change.path) and judge(change, code)[0] != ABSENT:
            return change.old_path
    return None


def check_follow_up(patch, ups, code, have, add):
    """Fixes of the commit, and reverts of it, that came after it."""
    commit = patch.upstream
    seen = set()
    for up in ups:
        if not up.resolve(commit):
            continue
        for own, message in up.later(commit):
            if own in seen or own in have:
                continue
            seen.add(own)
            subject = show(message.split("\n", 1)[0])
            if any(commit.startswith(i) for i in reverts(message)):
                if not undone(up, own):
                    add("refused", "reverted", f"{own[:12]} (\"{subject}\") reverts {commit[:12]}")
            elif any(commit.startswith(i) for line in fixes(message) for i in line):
                path = touches(up, own, code)
                if path and not undone(up, own):
                    add("refused", "follow-up", f"{own[:12]} (\"{subject}\") fixes {commit[:12]} and changes {path}, which the tree has")


def undone(up, commit):
    """Was a commit itself reverted, and for good?"""
    for own, message in up.later(commit):
        if any(commit.startswith(i) for i in reverts(message)) and not undone(up, own):
            return True
    return False


def check(patch, ups, same_run, tip):
    """The findings for one patch for a longterm branch."""
    found = []

    def add(kind, code, text):
        found.append(Finding(kind, code, patch.name, text))

    check_header(patch, add)
    check_size(patch, add)
    if not patch.upstream:
        return found
    up = check_mainline(patch, ups, add)
    check_newer(patch, ups, same_run, add)
    if not up:
        add("unknown", "author", f"author, differences and later fixes of {patch.upstream[:12]} are not known: no tree was there to ask")
        return found
    check_author(patch, up, add)
    check_note(patch, up, add)
    check_sign_offs(patch, up, add)
    check_fixes(patch, ups, up, add)
    check_follow_up(patch, ups, Code(patch.tree.dir, tip, patch.tree.name), same_run.get(patch.tree.name, ()), add)
    return found
