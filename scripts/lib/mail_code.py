# SPDX-License-Identifier: GPL-2.0
"""Is the code that a patch changes in a tree?  Facts, looked up; no guess."""
import difflib
import os
import re

import patches
from mail_common import Environment, git

KEYWORDS = {"if", "for", "while", "switch", "return", "sizeof", "typeof", "defined", "do", "else", "case", "goto",
            "void", "int", "long", "short", "char", "bool", "unsigned", "signed", "float", "double", "static", "const",
            "struct", "enum", "union", "inline", "extern", "volatile", "__attribute__", "noinline", "fn"}
SOURCE = (".c", ".h", ".S", ".rs")
OPTION = re.compile(r"\bCONFIG_([A-Z0-9_]+)\b")
DEFINITION = re.compile(r"^(?:[A-Za-z_][\w \t*]*[ \t*])?([A-Za-z_]\w*)\s*\(")
TABLE = re.compile(r"^(?:static |const |struct |enum |union |extern )[\w \t*]*?\b([A-Za-z_]\w*)\s*(?:\[[^]]*\])?\s*(?:=\s*)?\{?$")
ASIDE = ("Documentation/", "tools/testing/", "samples/", "LICENSES/")


def aside(path):
    return path.startswith(ASIDE) or os.path.basename(path) in ("MAINTAINERS", ".mailmap", "CREDITS", ".gitignore")


def squeeze(line):
    return re.sub(r"\s+", "", line)


def telling(line):
    """A line that is more than brackets and keywords."""
    return len(squeeze(line)) >= 8 and re.search(r"[A-Za-z_]{3,}", line) is not None


def head_of(line):
    """Name of the function or table that a line begins, or None."""
    if not line or line[0] in " \t#/*}{":
        return None
    match = DEFINITION.match(line) or TABLE.match(line.rstrip())
    name = match.group(1) if match else None
    return None if name in KEYWORDS else name


class Code:
    """The files of a commit in a repository."""
    def __init__(self, repo, ref, label):
        self.repo, self.ref, self.label = repo, ref, label
        if git(repo, "rev-parse", "-q", "--verify", ref + "^{commit}", check=False) is None:
            raise Environment(f"{repo}: no commit {ref} there")
        self._paths = self._options = self._where = None
        self._files, self._words = {}, {}

    @property
    def paths(self):
        if self._paths is None:
            self._paths = set(git(self.repo, "ls-tree", "-r", "-z", "--name-only", self.ref).split("\0"))
        return self._paths

    def where(self):
        """What "git grep" searches: the work tree where it is what the commit is,
        which is ten times faster than the objects."""
        if self._where is None:
            same = git(self.repo, "diff", "--quiet", self.ref, "--", check=False) is not None and \
                (git(self.repo, "rev-parse", "--is-inside-work-tree", check=False) or "").strip() == "true"
            self._where = [] if same else [self.ref]
        return self._where

    def options(self):
        if self._options is None:
            said = git(self.repo, "grep", "-h", "-o", "-E", r"^[[:space:]]*(menu)?config [A-Za-z0-9_]+", self.ref, "--", "*Kconfig*", check=False) or ""
            self._options = {line.split()[-1] for line in said.split("\n") if line.strip()}
        return self._options

    def read(self, path):
        if path not in self._files:
            self._files[path] = git(self.repo, "cat-file", "blob", f"{self.ref}:{path}", check=False) or ""
        return self._files[path]

    def lines(self, path):
        return {squeeze(line) for line in self.read(path).split("\n")}

    def look(self, words):
        """Which of these words are anywhere in the sources: one pass for all."""
        todo = sorted(set(words) - set(self._words))[:500]
        if todo:
            args = [a for w in todo for a in ("-e", w)]
            said = git(self.repo, "grep", "-h", "-o", "-w", "-F", *args, *self.where(), "--", *("*" + s for s in SOURCE), check=False) or ""
            there = set(said.split())
            self._words.update({w: w in there for w in todo})
        return {w for w in words if self._words.get(w, True)}

    def heads(self, path):
        return {name for line in self.read(path).split("\n") if (name := head_of(line))}


class Change:
    """One hunk, and what it stands in."""
    def __init__(self, diff, hunk):
        self.path, self.created = diff.path, diff.created
        self.old_path = getattr(diff, "old_path", None) or diff.path
        self.removed = [line[1:] for line in hunk.body if line[:1] == "-"]
        self.context = [line[1:] for line in hunk.body if line[:1] == " "]
        self.where = head_of(hunk.header.split("@@", 2)[-1].strip())
        self.options = set()
        depth, gates, bare = [], None, False
        for line in hunk.body:
            sign, text = line[:1], line[1:]
            match = re.match(r"\s*#\s*(ifdef|ifndef|if|else|elif|endif)\b(.*)", text)
            if match and sign != "-":
                word, rest = match.groups()
                if word in ("ifdef", "if", "ifndef"):
                    named = OPTION.findall(rest) if word != "ifndef" and "||" not in rest and "!" not in rest else []
                    depth.append(set(named))
                elif depth and word in ("else", "elif"):
                    depth[-1] = set()
                elif depth and word == "endif":
                    depth.pop()
            if sign in "-+" and text.strip() and not match:
                here = set().union(*depth) if depth else set()
                bare = bare or not here
                gates = here if gates is None else gates & here
        # Options without which none of the changed lines is compiled.
        self.options = set() if bare or gates is None else gates
        for line in hunk.body:              # the last head before the first change
            if line[:1] in "-+" and not (line[:1] == "-" and head_of(line[1:])):
                break
            self.where = head_of(line[1:]) or self.where


def split(diff_text):
    """(changes, created files, old paths) of a diff; patches.Truncated when damaged."""
    _, files = patches.parse(diff_text)
    for match in re.finditer(r'^diff --git "?a/(.*?)"? "?b/(.*?)"?$', diff_text, re.M):
        for f in files:
            if f.path == match.group(2):
                f.old_path = match.group(1)
    changes = [Change(f, h) for f in files if not f.created for h in f.hunks]
    return changes, [f.path for f in files if f.created], sorted({getattr(f, "old_path", f.path) for f in files if not f.created})


ABSENT, PRESENT, UNKNOWN = "absent", "present", "unknown"


def judge(change, code):
    """(state, why): can the code that a hunk changes be in the tree?  Absent only
    where nothing like it is found under another name or in another place."""
    gone = sorted(o for o in change.options if o not in code.options())
    if gone:
        return ABSENT, f"option CONFIG_{gone[0]}: no Kconfig file defines it, and the change is compiled only with it"
    path = change.old_path
    removed = {squeeze(line) for line in change.removed if telling(line)}
    context = {squeeze(line) for line in change.context if telling(line)}
    if path not in code.paths:
        same = sorted(p for p in code.paths if os.path.basename(p) == os.path.basename(path))
        for p in same:
            if (removed | context) & code.lines(p):
                return UNKNOWN, f"file {path} is not there, but {p} has lines of it"
        if change.where and code.look([change.where]):
            return UNKNOWN, f"file {path} is not there, but {change.where} is, elsewhere"
        if same and not change.where:
            return UNKNOWN, f"file {path} is not there, but {same[0]} is, and nothing says what the hunk is about"
        return ABSENT, f"file {path}: not in the tree" + \
            (f", nor {change.where} anywhere else" if change.where else ", nor a file of that name anywhere else")
    there = code.lines(path)
    if removed & there:
        return PRESENT, f"{path} has lines that the patch takes out" + (f", in {change.where}" if change.where else "")
    if change.where and change.where in code.heads(path):
        return PRESENT if not removed else UNKNOWN, f"{path} has {change.where}" + (", but not the lines that the patch takes out" if removed else "")
    if not change.where:
        return UNKNOWN, f"{path} is there; nothing says what the hunk is about"
    if code.look([change.where]):
        return UNKNOWN, f"{change.where} is in the tree, but not where the patch changes it"
    near = difflib.get_close_matches(change.where, code.heads(path), 1, 0.6)
    if near:
        return UNKNOWN, f"{path} has no {change.where}, but {near[0]}, which may be the same thing by another name"
    if context and len(context & there) * 2 >= len(context):
        return UNKNOWN, f"{path} has no {change.where}, but code like it"
    return ABSENT, f"symbol {change.where}: not in {path}, nor anywhere else in the tree"


def reverse_applies(repo, ref, diff):
    """Is a change in the tree already, as it is?"""
    tree = git(repo, "rev-parse", ref + "^{tree}").strip()
    index = os.path.join(os.environ.get("WL_MAIL_TMP") or "/tmp", f"index.{tree}")
    env = {"GIT_INDEX_FILE": index}
    if not os.path.exists(index):
        git(repo, "read-tree", ref, env=env)
    return bool(diff) and git(repo, "apply", "--cached", "--check", "-R", "-", data=diff, env=env, check=False) is not None


def lacks(diff_text, changes, old_paths, code):
    """What a patch names and the tree does not have: files, options, symbols."""
    found = [("file", p) for p in old_paths if p not in code.paths]
    options = sorted(set(OPTION.findall("\n".join(line for line in diff_text.split("\n") if line[:1] in " -+"))))
    found += [("option", "CONFIG_" + o) for o in options if re.sub(r"_MODULE$", "", o) not in code.options()]
    calls, defined = set(), set()
    for line in diff_text.split("\n"):
        if line[:1] not in " -+" or line.startswith(("+++", "---")):
            continue
        text = re.sub(r'"(?:\\.|[^"\\])*"|/\*.*?(?:\*/|$)|//.*', "", line[1:])
        if text.lstrip().startswith("*"):
            continue
        calls |= {w for w in re.findall(r"\b([A-Za-z_]\w{3,})\s*\(", text) if w not in KEYWORDS}
        if line[:1] == "+" and head_of(line[1:]):
            defined.add(head_of(line[1:]))
    calls |= {c.where for c in changes if c.where}
    calls -= defined
    if any(p.endswith(SOURCE) for p in old_paths):
        # Most of them stand in the files themselves; the tree is only searched for
        # the rest.
        there = {w for p in old_paths if p in code.paths for w in re.findall(r"\w+", code.read(p))} & calls
        there |= code.look(calls - there)
        found += [("symbol", w) for w in sorted(calls - there)]
    return found
