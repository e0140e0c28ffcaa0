# SPDX-License-Identifier: GPL-2.0
"""What the parts of scripts/mail share: errors, git, addresses, data files."""
import email.header
import os
import re
import subprocess

TOP = os.environ.get("WL_TOP", "")
CONFIGS = os.environ.get("WL_CONFIGS", os.path.join(TOP, "configs"))
CACHE = os.environ.get("WL_CACHE", "")
OUT = os.environ.get("WL_OUT", "")

STABLE = "stable@vger.kernel.org"


class Refused(Exception):
    """Exit code 1: one line, with a reason code."""
    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


class Environment(Exception):
    """Exit code 2."""


class Conflict(Exception):
    """Exit code 3."""


class Stopped(BaseException):
    """By a signal; the first one only, what is written then must not be cut in two."""
    def __init__(self, number, text="interrupted; nothing is left half done, run it again to go on"):
        super().__init__(text)
        self.number = number


# ---- git -------------------------------------------------------------------------

QUIET = ["-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false",
         "-c", "commit.gpgSign=false", "-c", "gc.auto=0", "-c", "core.untrackedCache=false",
         "-c", "core.quotePath=true", "-c", "log.showSignature=false", "-c", "color.ui=false"]


def git(repo, *args, data=None, check=True, env=None, user_config=False):
    """git in a repository, with nothing of the user's configuration unless asked
    for.  Returns standard output as text whose odd bytes survive; with
    check=False, None when git fails."""
    full = dict(os.environ)
    if not user_config:
        full["GIT_CONFIG_GLOBAL"] = "/dev/null"
        for key in [k for k in full if k.startswith("GIT_CONFIG_") and k not in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM")]:
            del full[key]
    full.update(env or {})
    done = subprocess.run(["git", "-C", repo, *QUIET, *args], env=full, check=False,
                          input=None if data is None else encode(data),
                          stdin=subprocess.DEVNULL if data is None else None,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        if not check:
            return None
        said = decode(done.stderr).strip().split("\n")
        raise Environment(f"git {args[0]} failed in {repo}: {said[0]}")
    return decode(done.stdout)


def decode(data):
    return data.decode("utf-8", "surrogateescape")


def encode(text):
    return text.encode("utf-8", "surrogateescape")


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as f:
        return f.read()


def field(text, name):
    head = re.sub(r"\n[ \t]+", " ", text.split("\n\n", 1)[0])
    match = re.search(rf"^{name}: (.*)$", head, re.M | re.I)
    value = match.group(1) if match else ""
    try:
        return str(email.header.make_header(email.header.decode_header(value)))
    except (ValueError, LookupError):
        return value


def save(path, text):
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as f:
        f.write(text)


# ---- addresses ---------------------------------------------------------------------

# What gets into a command line or a header is spelt out, not what must stay out.
ADDRESS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+=~'/-]*@[A-Za-z0-9][A-Za-z0-9-]*(\.[A-Za-z0-9-]+)+")
MESSAGE_ID = re.compile(r"<?([A-Za-z0-9_][A-Za-z0-9._+=%~/@-]*@[A-Za-z0-9][A-Za-z0-9._-]*)>?")
NAME_BAD = re.compile(r"[\x00-\x1f\x7f`$;|<>\\{}]|[\ud800-\udfff]")


def show(text):
    """For a message: one line, nothing that a terminal obeys."""
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= 100 else text[:97] + "..."


def address(name, addr, where):
    """(name, address), or Refused."""
    name = re.sub(r"[ \t]+", " ", name or "").strip()
    if not ADDRESS.fullmatch(addr or ""):
        raise Refused("recipient", f"{where}: '{show(addr or name)}' is no address that can be mailed to")
    if NAME_BAD.search(name):
        raise Refused("recipient", f"{where}: the name before <{addr}> has a control character or a shell metacharacter: '{show(name)}'")
    return name, addr


def split_addresses(text):
    """At commas outside of quotes and parentheses."""
    parts, quoted, depth, word = [], False, 0, ""
    previous = ""
    for c in text:
        if c == '"' and previous != "\\":
            quoted = not quoted
        elif not quoted and c in "()":
            depth += 1 if c == "(" else -1
        if c == "," and not quoted and depth <= 0:
            parts.append(word)
            word = ""
        else:
            word += c
        previous = c
    return [p.strip() for p in parts + [word] if p.strip()]


def parse_address(text, where):
    match = re.fullmatch(r"(.*?)\s*<([^<>]*)>", text.strip(), re.S)
    name, addr = match.groups() if match else ("", text.strip())
    name = name.strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return address(name, addr, where)


def message_id(text, where):
    match = MESSAGE_ID.fullmatch(text.strip())
    if not match:
        raise Refused("message-id", f"{where}: '{show(text.strip())}' is no Message-ID that can be answered to")
    return f"<{match.group(1)}>"


# ---- data files ------------------------------------------------------------------------

class Tree:
    """A line of configs/trees."""
    def __init__(self, row):
        self.name, self.line, self.series_dir = row[0], row[1], row[2]
        self.series = os.path.join(TOP, self.series_dir)
        self.dir = os.path.join(CACHE, "trees", self.name)
        self.mainline = self.series_dir == "patches"
        self.branch = self.line + ".y"

    @property
    def prefix(self):
        return "PATCH" if self.mainline else f"PATCH {self.branch}"

    def patches(self):
        """[(topic, file)] of the whole series, in order."""
        found = []
        if os.path.isdir(self.series):
            for topic in sorted(os.listdir(self.series)):
                folder = os.path.join(self.series, topic)
                if re.match(r"[0-9]-", topic) and os.path.isdir(folder):
                    found += [(topic, os.path.join(folder, f)) for f in sorted(os.listdir(folder)) if f.endswith(".patch")]
        return found

    def there(self):
        return os.path.isdir(os.path.join(self.dir, ".git"))

    def config(self, key):
        return (git(self.dir, "config", key, check=False) or "").strip()


def rows(path, columns):
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if line.strip() and not line.startswith("#"):
                yield number, line.split(None, columns - 1)


def trees():
    return {row[0]: Tree(row) for _, row in rows(os.path.join(CONFIGS, "trees"), 6)}


def version(text):
    """6.12 > 6.6: a key to sort by."""
    return tuple(int(n) for n in re.findall(r"\d+", text)[:2])


class Stanza(dict):
    """Of MAINTAINERS-notes: each key has a list of values."""
    def one(self, key):
        return self.get(key, [""])[0]


KEYS = ("Tree", "Topic", "Mail", "Why", "Ruling", "Cc", "Waits-for", "Not-needed", "Failed", "Evidence")


def notes():
    """The stanzas of MAINTAINERS-notes, in order."""
    path = os.path.join(TOP, "MAINTAINERS-notes")
    if not os.path.isfile(path):
        return []
    found, now = [], None
    for line in read(path).split("\n"):
        match = re.match(r"([A-Za-z-]+):[ \t]*(.*\S)[ \t]*$", line)
        if not line.strip():
            now = None
        elif match and match.group(1) in KEYS:
            if now is None:
                if match.group(1) != "Tree":
                    continue            # the description of the keys at the head
                now = Stanza()
                found.append(now)
            now.setdefault(match.group(1), []).append(match.group(2))
    return [s for s in found if "Topic" in s]


def stanzas(tree, topic):
    """Those for a tree and topic, the most special one first."""
    hits = [s for s in notes() if s.one("Tree") in (tree, "*") and s.one("Topic") in (topic, "*")]
    return sorted(hits, key=lambda s: (s.one("Tree") == "*") + (s.one("Topic") == "*"))


# ---- upstream trees -----------------------------------------------------------------------

RELEASE = re.compile(r"v(\d+\.\d+)(-rc\d+)?")
HEADER = re.compile(r"(?:commit ([0-9a-f]{40}) upstream\.|\[ Upstream commit ([0-9a-f]{40}) \])", re.I)


def upstream_ids(message):
    """The ids in well-formed upstream headers of a message."""
    found, before = [], ""
    for line in message.split("\n"):
        match = HEADER.fullmatch(line.rstrip())
        # A branch's own revert: "This reverts commit A which is / commit B upstream."
        own, before = re.search(r"\bwhich (?:is|was)$", before), line.rstrip()
        if match and not own:
            found.append((match.group(1) or match.group(2)).lower())
    return found


ID = r"[0-9a-f]{7,40}"
FIXES = re.compile(rf"^[ \t]*Fixes(?::|[ \t]+(?=(?:commit[ \t]+)?{ID}\b))(.*)$", re.I | re.M)
REVERTS = re.compile(rf"\brevert(?:s|[ \t]+of)?:?\s+(?:(?:the|upstream|following|commits?):?\s+)*"
                     rf"({ID}\b(?:(?:\s*,)?(?:\s+and)?\s+(?:commit\s+)?{ID}\b)*)", re.I)
QUOTED = re.compile(r'\("(?:[^\n]|\n(?!\n|[\w-]+:[ \t]))*?"\)')


def ids_in(text):
    return [i.lower() for i in re.findall(rf"\b{ID}\b", text, re.I)]


def fixes(message):
    """[ids] of each Fixes: line, however it writes them; [] where it names none."""
    return [ids_in(rest) for rest in FIXES.findall(QUOTED.sub(" ", message))]


def reverts(message):
    """The ids that a message says it reverts.  "Commit A reverts B" and "does not
    revert B" say nothing about the commit itself."""
    found, message = [], QUOTED.sub(" ", message)
    for match in REVERTS.finditer(message):
        before = re.split(r"\n[ \t]*\n", message[:match.start()])[-1].rstrip()
        if not re.search(rf"(?:\bnot|n't|\bnever|\b{ID})$", before, re.I):
            found += ids_in(match.group(1))
    return found


class Upstream:
    """A git tree given with --upstream."""
    def __init__(self, path):
        self.path = path
        self.dir = os.path.abspath(path)
        if not os.path.isdir(path) or git(self.dir, "rev-parse", "--git-dir", check=False) is None:
            raise Environment(f"--upstream {path}: not a git tree")
        self.seen = {}

    def shallow(self):
        return (git(self.dir, "rev-parse", "--is-shallow-repository", check=False) or "").strip() == "true"

    def resolve(self, commit):
        """Full id of a commit that a ref holds, or None."""
        if commit not in self.seen:
            full = git(self.dir, "rev-parse", "-q", "--verify", "--end-of-options", commit + "^{commit}", check=False)
            full = full.strip() if full else None
            if full and not git(self.dir, "for-each-ref", "--count=1", "--contains", full) and \
                    git(self.dir, "merge-base", "--is-ancestor", full, "HEAD", check=False) is None:
                full = None
            self.seen[commit] = full
        return self.seen[commit]

    def message(self, commit):
        return git(self.dir, "log", "-1", "--no-show-signature", "--format=%B", commit)

    def subject(self, commit):
        return git(self.dir, "log", "-1", "--format=%s", commit).strip()

    def author(self, commit):
        name, addr = git(self.dir, "log", "-1", "--format=%an%n%ae", commit).rstrip("\n").split("\n")
        return name, addr

    def diff(self, commit):
        return git(self.dir, "diff-tree", "-p", "--root", "-r", "-M", "--no-commit-id", "--full-index", "--no-ext-diff",
                   "--no-textconv", "--unified=3", "--diff-algorithm=myers", commit)

    def release(self, commit):
        """First mainline release (or candidate) that has it: 'v6.5-rc7', or None."""
        tags = [t for t in git(self.dir, "tag", "--contains", commit, "-l", "v*").split() if RELEASE.fullmatch(t)]
        return min(tags, key=lambda t: (version(t), not t.count("-rc"), int(t.rsplit("-rc")[-1]) if "-rc" in t else 0), default=None)

    def mainline(self, commit):
        """Is it in a mainline release or candidate, or in the branch that becomes one?"""
        if self.release(commit):
            return True
        names = [f"refs/{place}/{name}" for place in ("heads", "remotes/*") for name in ("master", "main")]
        refs = git(self.dir, "for-each-ref", "--format=%(refname)", "--contains", commit, *names).split()
        if any("next" not in ref for ref in refs):
            return True
        # A tree that has neither holds one history, by whatever name.
        return not git(self.dir, "for-each-ref", *names, "refs/tags/v*") and \
            len(git(self.dir, "for-each-ref", "refs/heads", "refs/remotes").splitlines()) < 2 and \
            git(self.dir, "merge-base", "--is-ancestor", commit, "HEAD", check=False) is not None

    def branches(self, line):
        """What this tree knows of a longterm branch: refs; one of them may be old."""
        found = git(self.dir, "for-each-ref", "--format=%(refname)", *(
            f"refs/{place}/{name}" for name in (f"linux-{line}.y", f"{line}.y") for place in ("heads", "remotes/*"))).split()
        tags = [t for t in git(self.dir, "tag", "-l", f"v{line}.*").split() if re.fullmatch(rf"v{re.escape(line)}\.\d+", t)]
        return found + (["refs/tags/" + max(tags, key=lambda t: int(t.rsplit(".", 1)[1]))] if tags else [])

    def backport(self, ref, line, commit):
        """Commit of the branch whose message names this one as its upstream."""
        span = ref
        if git(self.dir, "rev-parse", "-q", "--verify", f"refs/tags/v{line}^{{commit}}", check=False):
            span = f"refs/tags/v{line}..{ref}"
        out = git(self.dir, "log", "--format=%H%x00%B%x01", "-i", "-F", "--grep", commit, span)
        for entry in out.split("\x01"):
            own, _, message = entry.strip("\n").partition("\x00")
            if commit in upstream_ids(message):
                return own
        return None

    def reverted(self, ref, commits, since):
        """Commit of the branch that took one of these back for good, or None."""
        out = git(self.dir, "log", "--format=%H%x00%B%x01", "-i", "-F", *(f"--grep={c[:7]}" for c in commits), f"{since}..{ref}")
        for entry in out.split("\x01"):
            own, _, message = entry.strip("\n").partition("\x00")
            if own and any(c.startswith(i) for c in commits for i in reverts(message)) and \
                    not self.reverted(ref, [own] + upstream_ids(message), own):
                return own
        return None

    def later(self, commit):
        """[(id, message)] of commits after this one that name it, oldest first;
        backports in longterm branches are left out."""
        out = git(self.dir, "log", "--format=%H%x00%B%x01", "--reverse", "-i", "-F", "--grep", commit[:7], "--all", "HEAD", "--not", commit)
        found = []
        for entry in out.split("\x01"):
            own, _, message = entry.strip("\n").partition("\x00")
            if own and not upstream_ids(message):
                found.append((own, message))
        return found
