# SPDX-License-Identifier: GPL-2.0
"""Compose the mails of a topic, and hand them to git send-email."""
import email.utils
import json
import os
import re
import shutil
import subprocess
import sys

import mail_failed
import mail_rules
import mail_send
import patches
from mail_common import (OUT, STABLE, TOP, Conflict, Environment, Refused, Upstream, address, field, git, message_id,
                         parse_address, read, save, show, split_addresses, stanzas, trees, upstream_ids)
from mail_rules import Finding, Patch


# ---- which patches ---------------------------------------------------------------------------------

def select(tree, topic, choice):
    """Indices (first, last) of the chosen patches in the tree's series."""
    series = tree.patches()
    mine = [i for i, (t, _) in enumerate(series) if t == topic]
    if not mine:
        raise Environment(f"no patches of {topic} for {tree.name}")
    if not choice:
        return mine[0], mine[-1]
    if re.fullmatch(r"[0-9]{1,4}", choice):
        if not 1 <= int(choice) <= len(mine):
            raise Environment(f"--patch {choice}: {topic} has {len(mine)} patches for {tree.name}")
        return mine[int(choice) - 1], mine[int(choice) - 1]
    if re.fullmatch(r"[0-9a-fA-F]{8,40}", choice):
        hits = [i for i in mine if any(c.startswith(choice.lower()) for c in upstream_ids(read(series[i][1])))]
        if len(hits) != 1:
            raise Environment(f"--patch {choice}: {len(hits) or 'no'} patches of {topic} for {tree.name} bring that upstream commit")
        return hits[0], hits[0]
    for i in mine:
        if os.path.basename(series[i][1]) == choice or (os.path.exists(choice) and os.path.samefile(series[i][1], choice)):
            return i, i
    if not os.path.exists(choice):
        raise Environment(f"--patch {show(choice)}: no number, upstream commit id (8 digits or more) or file of {tree.series_dir}/{topic}")
    what = odd_file(choice)
    if what:
        raise Refused("patch-file", f"--patch {show(choice)}: {what}")
    raise Refused("patch-file", f"--patch {show(choice)}: not a file of {tree.series_dir}/{topic}, so nothing is known of it: "
                  "'git am' it onto the branch and run 'scripts/export'")


def odd_file(path):
    """What is wrong with a patch file from elsewhere, or None."""
    if not os.path.isfile(path):
        return "not a file"
    text = read(path)
    if len(re.findall(r"^From [0-9a-f]{40} ", text, re.M)) > 1 or len(re.findall(r"^Subject:.*\[PATCH", text, re.M)) > 1:
        return "holds more than one patch: one at a time"
    return patches.defect(path)


def wants_boot(tree, topic):
    return any("boot" in re.split(r"[\s,]+", value) for s in stanzas(tree.name, topic) for value in s.get("Evidence", []))


# ---- the sender --------------------------------------------------------------------------------------

def sender():
    """(name, address) of git's identity, as the user set it; git's guesses do not count."""
    def said(key, variable):
        value = git(TOP or ".", "config", key, check=False, user_config=True)
        return (value or os.environ.get(variable, "")).strip()
    name, addr = said("user.name", "GIT_COMMITTER_NAME"), said("user.email", "GIT_COMMITTER_EMAIL")
    if not name or not addr:
        raise Environment("who sends? set 'git config --global user.name' and 'user.email'")
    if addr == "authors@walklock.invalid":
        raise Environment("the project itself cannot sign off: set 'git config user.name' and 'user.email' to yours")
    try:
        return address(name, addr, "git's user.name and user.email")
    except Refused as err:
        raise Environment(err.text) from err


# ---- recipients -----------------------------------------------------------------------------------------

def trailers(message):
    # A "[ ... ]" note among the trailers hides them from git.
    text, _ = mail_rules.take_notes(message)
    said = git(TOP or ".", "interpret-trailers", "--parse", "--no-divider", data=text.rstrip("\n") + "\n") or ""
    return [line.partition(":")[::2] for line in said.split("\n") if ":" in line]


class Recipients:
    """To: and Cc:, each address once; To: wins, the first name wins."""
    def __init__(self):
        self.to, self.cc = {}, {}

    def add(self, kind, pair, why):
        name, addr = pair
        key = addr.lower()
        for known in (self.to, self.cc):
            if key in known:
                known[key]["why"].append(why)
                known[key]["name"] = known[key]["name"] or name
                if kind == "to" and known is self.cc:
                    self.to[key] = self.cc.pop(key)
                return
        getattr(self, kind)[key] = {"name": name, "address": addr, "why": [why]}

    def drop(self, addr):
        self.to.pop(addr.lower(), None)
        self.cc.pop(addr.lower(), None)

    def data(self):
        def unique(entry):
            return {**entry, "why": list(dict.fromkeys(entry["why"]))}
        return {"to": [unique(e) for e in self.to.values()], "cc": [unique(e) for e in self.cc.values()]}


def header(entry):
    return email.utils.formataddr((entry["name"], entry["address"]))


def readable(pair):
    """NAME <ADDRESS> with the name as it is written: for people, and for git
    send-email, which encodes it as git does.  It compares its own form with the From:
    of a mail, and takes another encoding for another person."""
    name, addr = pair
    if re.search(r'[][()<>@,;:\\".]', name):
        name = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    return f"{name} <{addr}>" if name else addr


def get_maintainer(tree, path, tmp, *options):
    script = os.path.join(tree.dir, "scripts", "get_maintainer.pl")
    if not os.path.isfile(script) or not os.path.isfile(os.path.join(tree.dir, "MAINTAINERS")):
        raise Environment(f"tree {tree.name} ({tree.dir}) has no scripts/get_maintainer.pl and MAINTAINERS: nobody can be said to be its maintainer")
    if git(tree.dir, "diff", "--quiet", "base", "--", "scripts/get_maintainer.pl", "MAINTAINERS", ".mailmap", check=False) is None:
        raise Environment(f"tree {tree.name} ({tree.dir}): MAINTAINERS or get_maintainer.pl are not those of 'base': check 'base' out there")
    # No history is there to ask, and nothing of the user's home takes part.
    env = dict(os.environ, HOME=tmp, GIT_CONFIG_GLOBAL="/dev/null")
    done = subprocess.run(["perl", "scripts/get_maintainer.pl", "--norolestats", "--nogit", "--nogit-fallback", "--nofixes", *options, path],
                          cwd=tree.dir, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().split("\n")
        raise Environment(f"get_maintainer.pl of {tree.name} failed: {show(said[-1])}")
    return [line for line in done.stdout.decode("utf-8", "surrogateescape").split("\n") if line.strip()]


def recipients(tree, topic, chosen, me, item, tmp):
    """(Recipients of all mails, {index: recipients of that patch alone})."""
    common, own = Recipients(), {}
    if not tree.mainline or item:
        common.add("to", ("", STABLE), "stable")
    for patch in chosen:
        people = get_maintainer(tree, patch.path, tmp, "--nor", "--nol")
        for line in people:
            common.add("cc" if STABLE in common.to else "to", parse_address(line, f"get_maintainer.pl of {tree.name}"), "get_maintainer.pl")
        for line in get_maintainer(tree, patch.path, tmp, "--nom"):
            common.add("cc", parse_address(line, f"get_maintainer.pl of {tree.name}"), "get_maintainer.pl")
    for stanza in stanzas(tree.name, topic):
        for value in stanza.get("Cc", []):
            for part in split_addresses(value):
                common.add("cc", parse_address(part, "MAINTAINERS-notes"), "MAINTAINERS-notes")
    if item:
        for c in item["cc"]:
            common.add("cc", (c["name"], c["address"]), "FAILED mail")
    for i, patch in enumerate(chosen):
        for key, value in trailers(patch.message):
            if key.strip().lower() != "cc":
                continue
            for part in split_addresses(value.strip()):
                # "# 6.4+" and "[6.4]" are for people, and so is a name alone.
                part = re.sub(r"(>|@[\w.-]+)\s*[#\[(].*$", r"\1", part)
                if "@" not in part:
                    continue
                name, addr = parse_address(part, f"Cc: of {patch.name}")
                # The sender's own address is no recipient: git send-email leaves it out.
                known = {me[1].lower(), *common.to, *common.cc, *(a.lower() for _, a in own.get(i, []))}
                if addr.lower() not in known:
                    own.setdefault(i, []).append((name, addr))
    common.drop(me[1])
    if not common.to and common.cc:
        common.to, common.cc = common.cc, {}
    if not common.to:
        raise Refused("recipient", f"{tree.name} {topic}: nobody to mail to")
    return common, own


# ---- composing -----------------------------------------------------------------------------------------------

def signed_off(message, me):
    message = message.rstrip("\n") + "\n"
    last = message.rstrip("\n").split("\n\n")[-1]
    rest, found = mail_rules.take_notes(last)
    if found and last.endswith("]") and all(not line.strip() or mail_rules.TRAILER.match(line) for line in rest.split("\n")):
        # The note stands just above the sign-off of who wrote it.
        return f"{message}Signed-off-by: {me[0]} <{me[1]}>\n"
    return git(TOP or ".", "interpret-trailers", "--no-divider", "--if-exists", "addIfDifferentNeighbor",
               "--trailer", f"Signed-off-by: {me[0]} <{me[1]}>", data=message)


def scratch(tree, tmp, upstreams):
    """A repository of its own that shares the objects of the tree."""
    repo = os.path.join(tmp, f"repo.{tree.name}")
    git("/", "init", "-q", "--template=", repo)
    stores = []
    for place in [tree.dir] + [up.dir for up in upstreams]:
        common = git(place, "rev-parse", "--git-common-dir").strip()
        stores.append(os.path.realpath(os.path.join(place, common, "objects")))
        shallow = os.path.join(place, common, "shallow")
        if place == tree.dir and os.path.exists(shallow):
            shutil.copy(shallow, os.path.join(repo, ".git", "shallow"))
    os.makedirs(os.path.join(repo, ".git", "objects", "info"), exist_ok=True)
    with open(os.path.join(repo, ".git", "objects", "info", "alternates"), "w", encoding="utf-8") as f:
        f.write("".join(s + "\n" for s in stores))
    return repo


def commit_tree(repo, tree_id, parent, message, origin, who):
    """A copy of the commit `origin` with another message or place."""
    name, addr, date = git(repo, "log", "-1", "--format=%an%n%ae%n%ad", "--date=raw", origin).rstrip("\n").split("\n")
    env = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": addr, "GIT_AUTHOR_DATE": date,
           "GIT_COMMITTER_NAME": who[0], "GIT_COMMITTER_EMAIL": who[1], "GIT_COMMITTER_DATE": date}
    return git(repo, "commit-tree", tree_id, "-p", parent, "-F", "-", data=message, env=env).strip()


def chain(repo, tree, chosen, alone, me, tmp):
    """The chosen commits, signed off.  Returns (parent, tip, what was in the tip's tree)."""
    parent = git(tree.dir, "rev-parse", chosen[0].commit + "^").strip()
    start = git(tree.dir, "rev-parse", "base").strip() if alone else parent
    tip = start
    index = {"GIT_INDEX_FILE": os.path.join(tmp, f"index.compose.{tree.name}")}
    for patch in chosen:
        tree_id = git(repo, "rev-parse", patch.commit + "^{tree}").strip()
        if alone and start != parent:
            git(repo, "read-tree", tip, env=index)
            diff = git(repo, "diff-tree", "-p", "--full-index", "--binary", "--no-ext-diff", "--no-textconv", patch.commit + "^", patch.commit)
            if git(repo, "apply", "--cached", "-", data=diff, env=index, check=False) is None:
                raise Conflict(f"{patch.name}: does not fit {tree.name} without the patches before it: mail the topic")
            tree_id = git(repo, "write-tree", env=index).strip()
        tip = commit_tree(repo, tree_id, tip, signed_off(patch.message, me), patch.commit, me)
    return start, tip


PATCH_LINE = re.compile(r"^(diff --git |diff -|Index: |From [0-9a-f]{40} ).*", re.M)


def cover(tree, topic):
    """(subject, text) of the topic's cover letter."""
    path = os.path.join(tree.series, topic, "cover-letter.txt")
    if not os.path.isfile(path):
        raise Environment(f"{tree.series_dir}/{topic}/cover-letter.txt is not there: write one")
    subject, _, text = read(path).strip("\n").partition("\n")
    subject = re.sub(r"^(Subject:\s*)?(\[[^]]*\]\s*)?", "", subject).strip()
    if not subject:
        raise Environment(f"{tree.series_dir}/{topic}/cover-letter.txt has no subject in its first line")
    line = PATCH_LINE.search(text)
    if line:
        raise Environment(f"{tree.series_dir}/{topic}/cover-letter.txt: git am would take what follows '{show(line.group(0))}' for a patch: indent it")
    return subject, text.strip("\n")


def public_base(tree, upstreams, touched):
    """The release commit that others have, where it holds the same files."""
    release = "v" + tree.config("walklock.version")
    for up in upstreams:
        commit = git(up.dir, "rev-parse", "-q", "--verify", f"refs/tags/{release}^{{commit}}", check=False)
        if commit and all(git(up.dir, "rev-parse", "-q", "--verify", f"{release}:{p}", check=False) ==
                          git(tree.dir, "rev-parse", "-q", "--verify", f"base:{p}", check=False) for p in touched):
            return commit.strip()
    return None


def format_mails(repo, tree, topic, chosen, start, tip, single, me, common, own, reply, upstreams, tmp, version, news):
    """[(file name, text)] in the order of sending."""
    out = os.path.join(tmp, f"mails.{tree.name}")
    shutil.rmtree(out, ignore_errors=True)
    ident = f"{me[0]} <{me[1]}>"
    env = {"GIT_COMMITTER_NAME": me[0], "GIT_COMMITTER_EMAIL": me[1], "GIT_AUTHOR_NAME": me[0], "GIT_AUTHOR_EMAIL": me[1]}
    git(repo, "update-ref", "refs/heads/mail", tip)
    base = git(tree.dir, "rev-parse", "base").strip()
    args = ["-c", "format.encodeEmailHeaders=true", "-c", "diff.renames=true", "-c", "diff.noprefix=false",
            "-c", "diff.algorithm=myers", "format-patch", "-q", "--thread=shallow",
            f"--from={ident}", f"--base={base}", "--no-signature", "--no-attach", "--no-notes", "--no-ext-diff", "--no-textconv",
            "-p", "--stat=79,60", "--summary", "--unified=3", "--abbrev=12", f"--subject-prefix={tree.prefix}{f' v{version}' if version > 1 else ''}", "-o", out]
    args += [f"--to={header(e)}" for e in common.to.values()] + [f"--cc={header(e)}" for e in common.cc.values()]
    if reply:
        args.append(f"--in-reply-to={reply}")
    if single:
        args.append("--no-cover-letter")
    else:
        subject, text = cover(tree, topic)
        text += f"\n\n{news}" if news else ""
        git(repo, "config", "branch.mail.description", subject + "\n\n" + text + "\n")
        args += ["--cover-letter", "--cover-from-description=subject"]
    git(repo, *args, f"{start}..mail", env=env)
    names = sorted(os.listdir(out))
    if len(names) != len(chosen) + (not single):
        raise Environment(f"git format-patch made {len(names)} mails of {len(chosen)} patches")
    touched = sorted(set(git(repo, "diff", "--name-only", "-z", "--no-renames", base, tip).split("\0")) - {""})
    public = public_base(tree, upstreams, touched)
    mails = []
    for name in names:
        text = read(os.path.join(out, name))
        head, _, body = text.partition("\n\n")
        if public:
            body = re.sub(rf"^base-commit: {base}$", f"base-commit: {public}", body, flags=re.M)
        else:
            said = f"base: Linux {tree.config('walklock.version')}, {tree.config('walklock.origin')}\n"
            body = re.sub(rf"^base-commit: {base}$", lambda m, said=said: said + m.group(0), body, flags=re.M)
        if single and news:
            body = body.replace("\n---\n", f"\n---\n{news}\n\n", 1)
        i = len(mails) - (not single)
        if i in own:
            head = add_cc(head, own[i])
        if not single and not mails:
            # The cover letter is the sender's own, whose name git writes as in the patches.
            head = FROM.sub(lambda _, line=FROM.search(read(os.path.join(out, names[-1]))).group(0): line, head, count=1)
        mails.append((name, head + "\n\n" + body))
    return mails, public or base


FROM = re.compile(r"^From: .*(\n[ \t].*)*", re.M)


def add_cc(head, pairs):
    more = [email.utils.formataddr(p) for p in pairs]
    if re.search(r"^Cc: ", head, re.M):
        return re.sub(r"^Cc: .*(\n[ \t].*)*", lambda m: m.group(0) + "".join(",\n    " + a for a in more), head, count=1, flags=re.M)
    return re.sub(r"^To: .*(\n[ \t].*)*", lambda m: m.group(0) + "\nCc: " + ",\n    ".join(more), head, count=1, flags=re.M)


def proof(repo, mails, start, tip, tmp):
    """The mails give the tree that was checked."""
    index = {"GIT_INDEX_FILE": os.path.join(tmp, "index.proof")}
    git(repo, "read-tree", start, env=index)
    for name, text in mails:
        if "\ndiff --git " in text and git(repo, "apply", "--cached", "-", data=text, env=index, check=False) is None:
            raise Environment(f"{name} as composed does not apply: nothing was kept")
    if git(repo, "write-tree", env=index) != git(repo, "rev-parse", tip + "^{tree}"):
        raise Environment("the mails as composed do not give the patched tree: nothing was kept")


def range_diffs(repo, chosen, upstreams, me):
    """{name: text}: each patch beside its upstream commit, without what always differs."""
    found = {}
    for patch in chosen:
        up = next((u for u in upstreams if patch.upstream and u.resolve(patch.upstream)), None)
        if not up:
            continue
        pair = []
        for commit, message in ((patch.upstream, up.message(patch.upstream)), (patch.commit, patch.message)):
            parent = git(repo, "rev-parse", "-q", "--verify", commit + "^", check=False)
            if not parent:
                break
            pair.append((parent.strip(), commit_tree(repo, git(repo, "rev-parse", commit + "^{tree}").strip(), parent.strip(),
                                                      mail_rules.plain_text(message), commit, me)))
        if len(pair) == 2:
            found[os.path.basename(patch.path)] = git(repo, "range-diff", "--no-color", "--creation-factor=999",
                                                       f"{pair[0][0]}..{pair[0][1]}", f"{pair[1][0]}..{pair[1][1]}", check=False) or ""
    return {k: v for k, v in found.items() if v}


# ---- one run over some trees --------------------------------------------------------------------------------

class Run:
    def __init__(self, options):
        self.o = options
        self.known = trees()
        self.trees = [self.known[n] for n in options.trees.split(",")]
        if len({t.name for t in self.trees}) != len(self.trees):
            raise Environment("a tree is named twice")
        # The newest branch first, as it is mailed.
        self.trees.sort(key=lambda t: mail_rules.version(t.line), reverse=True)
        self.upstreams = [Upstream(d) for d in options.upstream]
        self.findings, self.chosen, self.alone, self.items = {}, {}, {}, {}
        self.version = int(options.reroll or 1)

    def news(self, tree):
        """What changed since the version before, and where that is to be found."""
        if self.version == 1:
            return ""
        # A "---" or a diff in it would end the message, or be applied.
        text = read(self.o.changes).strip("\n")
        if re.search("[\ud800-\udfff\r]", text):
            raise Environment(f"--changes {self.o.changes}: is not UTF-8 with line ends of \\n: convert it (iconv, sed 's/\\r$//')")
        if "\0" in text or re.search(r"^(---( |$)|diff --git |Index: |From [0-9a-f]{40} )", text, re.M):
            raise Environment(f"--changes {self.o.changes}: is not plain text (a line that git takes for the end of the message)")
        text = f"Changes in v{self.version}:\n{text}"
        try:
            with open(os.path.join(self.folder(tree, self.version - 1), "sent.json"), encoding="utf-8") as f:
                was = json.load(f)
            before = was["mails"][0].strip("<>") if was["state"] == "sent" else ""
        except (OSError, ValueError, KeyError, IndexError, AttributeError, TypeError):
            before = ""
        return text + (f"\n\nv{self.version - 1}: https://lore.kernel.org/r/{before}" if before else "")

    def refuse(self, tree, code, text, patch="", kind="refused"):
        self.findings.setdefault(tree.name, []).append(Finding(kind, code, patch, text))

    def evidence(self, tree):
        for line in read(os.path.join(self.o.tmp, f"evidence.{tree.name}")).split("\n"):
            if line:
                code, _, text = line.partition("\t")
                self.refuse(tree, code if code != "note" else "evidence", text, kind="warning" if code == "note" else "refused")

    def notes(self, tree):
        found = stanzas(tree.name, self.o.topic)
        if not found:
            self.refuse(tree, "notes-missing", f"MAINTAINERS-notes does not say whether {tree.name} {self.o.topic} may be mailed")
            return
        stanza = found[0]
        mail, why = stanza.one("Mail"), stanza.one("Why")
        more = "".join(f"; ruling {r}" for r in stanza.get("Ruling", []))
        if mail == "no":
            self.refuse(tree, "notes-no", f"MAINTAINERS-notes: {why}{more}")
        elif mail == "after":
            self.refuse(tree, "notes-after", f"MAINTAINERS-notes: waits for {', '.join(stanza.get('Waits-for', ['?']))}: {why}{more}")
        elif mail != "yes":
            self.refuse(tree, "notes-missing", f"MAINTAINERS-notes: 'Mail: {show(mail)}' of {tree.name} {self.o.topic} is not yes, after or no")

    def choose(self, tree):
        first, last = select(tree, self.o.topic, self.o.patch)
        series = tree.patches()
        if not tree.there():
            return
        commits = (git(tree.dir, "rev-list", "--reverse", "base..refs/heads/walklock/series", check=False) or "").split()
        if len(commits) != len(series):
            return                      # the evidence is missing or stale then, and says so
        chosen = [Patch(tree, *series[i], commits[i]) for i in range(first, last + 1)]
        for patch in chosen:
            said = re.sub(r"\n[ \t]", " ", read(patch.path).split("\n\n", 1)[0])
            if git(TOP or ".", "patch-id", "--stable", data=read(patch.path)).split(" ")[0] != mail_rules.patch_id(patch.diff):
                self.refuse(tree, "evidence-stale", f"{patch.name} is not the commit {patch.commit[:12]} of the branch", said and patch.name)
        self.chosen[tree.name] = chosen
        self.alone[tree.name] = bool(self.o.patch)
        if self.o.patch and first > 0:
            self.refuse(tree, "alone", "checked and built on top of the patches before it, and mailed without them", chosen[0].name, kind="unknown")

    def failed(self):
        """The FAILED mail that this run answers."""
        if not self.o.failed:
            return
        mails, _ = mail_failed.read_all(self.o.failed)
        for tree in self.trees:
            here = [m for m in mails if m.line == tree.line and not tree.mainline]
            ids = {p.upstream for p in self.chosen.get(tree.name, []) if p.upstream}
            if not self.chosen.get(tree.name):
                here = here[:1]
            else:
                here = [m for m in here if m.commit in ids]
            if not here:
                said = ", ".join(f"{m.commit[:12]} on {m.line}.y" for m in mails)
                self.refuse(tree, "failed-mismatch", f"the FAILED mail is about {said}; that is not what these patches bring to {tree.name}")
                continue
            if len(here) > 1:
                self.refuse(tree, "failed-mismatch", f"{len(here)} FAILED mails fit: which one is answered?")
                continue
            item = mail_failed.work_item(here[0], None, self.upstreams, self.o.force)
            self.items[tree.name] = item
            if item["verdict"] == "not needed":
                self.refuse(tree, "not-needed", f"{item['commit'][:12]} on {tree.name}: {item['why']}" +
                            "".join(f"; ruling {r}" for r in item["rulings"]))

    def rules(self):
        same_run = {name: {p.upstream for p in chosen if p.upstream} for name, chosen in self.chosen.items()}
        for tree in self.trees:
            for patch in self.chosen.get(tree.name, []):
                if tree.mainline:
                    self.findings.setdefault(tree.name, []).extend(mail_rules.check_new(patch, self.upstreams))
                    continue
                self.findings.setdefault(tree.name, []).extend(
                    mail_rules.check(patch, self.upstreams, same_run, self.chosen[tree.name][-1].commit))

    def verdict(self):
        """Waivers and --force; True when nothing is in the way."""
        known = mail_rules.waivers()
        good = True
        for tree in self.trees:
            found = self.findings.get(tree.name, [])
            mail_rules.waive(found, tree.name, known)
            for f in found:
                if f.waived or f.kind == "warning":
                    continue
                if self.o.force and f.code in ("notes-no", "notes-after", "notes-missing", "not-needed", "already-sent"):
                    f.waived = f"forced: {self.o.force}"
                elif f.kind == "refused" or self.o.mode == "send":
                    good = False
        return good

    def say(self):
        many = len(self.trees) > 1
        for tree in self.trees:
            for f in self.findings.get(tree.name, []):
                if f.waived:
                    kind = "forced" if f.waived.startswith("forced: ") else "waived"
                else:
                    kind = "refused" if f.kind == "unknown" and self.o.mode == "send" else f.kind
                print(f"mail: {kind}: {tree.name + ': ' if many else ''}{f.line()}", file=sys.stderr)

    def folder(self, tree, version=None):
        if self.o.out and version is None:
            return os.path.join(self.o.out, tree.name) if len(self.trees) > 1 else self.o.out
        name = self.o.topic
        if self.o.patch:
            name += "-" + os.path.basename(tree.patches()[select(tree, self.o.topic, self.o.patch)[0]][1])[:4]
        version = self.version if version is None else version
        if version > 1:
            name += f"-v{version}"
        return os.path.join(OUT, tree.name, "mail", name)

    def sent(self):
        """The same patch in the same version, from another folder or by itself."""
        for tree in self.trees:
            if os.path.exists(os.path.join(self.folder(tree), "sent.json")):
                continue                # which writable() says
            known = mail_send.sent_before(tree.name, self.version)
            was = [(p, known[i]) for p in self.chosen.get(tree.name, []) for i in [mail_rules.patch_id(p.diff)] if i in known]
            if was:
                patch, first = was[0]
                state = "sent" if first["state"] == mail_send.ACCEPTED else "sent without an answer"
                self.refuse(tree, "already-sent", f"{state} as {first['message_id']} on {first['when']}, out of {first['folder']}"
                            f"{f' (and {len(was) - 1} more)' if was[1:] else ''}; another version is --reroll N",
                            patch.name, kind="refused" if self.o.mode == "send" else "warning")

    def prepare(self):
        me = sender()
        reply = message_id(self.o.in_reply_to, "--in-reply-to") if self.o.in_reply_to else None
        for tree in self.trees:
            self.choose(tree)
        for tree in self.trees:
            self.notes(tree)
            self.evidence(tree)
        self.failed()
        self.rules()
        self.sent()
        if self.o.mode != "dry-run":
            for tree in self.trees:
                self.writable(tree)
        if not self.verdict() or any(t.name not in self.chosen for t in self.trees):
            self.say()
            if self.o.json:
                print(json.dumps({"refused": [f.data() | {"tree": n} for n, fs in self.findings.items() for f in fs]}, indent=1))
            return None
        return [self.compose(tree, me, reply) for tree in self.trees]

    def writable(self, tree):
        if tree.name not in self.chosen:
            return
        folder = self.folder(tree)
        if os.path.exists(os.path.join(folder, "sent.json")):
            with open(os.path.join(folder, "sent.json"), encoding="utf-8") as f:
                was = json.load(f)
            what = "another version is --reroll N" if was.get("state") == "sent" else "--send --resume sends the rest as composed"
            self.refuse(tree, "already-sent", f"{folder}: {was.get('state')} on {was.get('when')}; {what}")
        elif os.path.isdir(folder) and os.listdir(folder) and not os.path.exists(os.path.join(folder, "mail.json")):
            raise Environment(f"--out {folder}: is there, and is no folder of mails; nothing was written")

    def compose(self, tree, me, reply):
        chosen, item = self.chosen[tree.name], self.items.get(tree.name)
        tmp = self.o.tmp
        repo = scratch(tree, tmp, self.upstreams)
        single = bool(self.o.patch)
        start, tip = chain(repo, tree, chosen, single, me, tmp)
        common, own = recipients(tree, self.o.topic, chosen, me, item, tmp)
        reply = item["in_reply_to"] if item else reply
        mails, base = format_mails(repo, tree, self.o.topic, chosen, start, tip, single, me, common, own, reply, self.upstreams, tmp, self.version, self.news(tree))
        proof(repo, mails, start, tip, tmp)
        record = {
            "tree": tree.name, "topic": self.o.topic, "mode": self.o.mode, "from": readable(me),
            "base": {"commit": base, "version": tree.config("walklock.version"), "origin": tree.config("walklock.origin")},
            "in_reply_to": reply, "version": self.version,
            "patches": [{"file": p.name, "subject": p.subject, "author": f"{p.author[0]} <{p.author[1]}>", "upstream": p.upstream,
                         "patch_id": mail_rules.patch_id(p.diff)} for p in chosen],
            "recipients": common.data() | {"patches": {chosen[i].name: [readable(p) for p in v] for i, v in own.items()}},
            "mails": [{"file": n, "subject": field(t, "Subject"), "message_id": field(t, "Message-Id")} for n, t in mails],
            "findings": [f.data() for f in self.findings.get(tree.name, [])],
            "forced": self.o.force if any((f.waived or "").startswith("forced: ") for f in self.findings.get(tree.name, [])) else None,
            "failed": item,
        }
        return {"tree": tree, "mails": mails, "record": record, "diffs": range_diffs(repo, chosen, self.upstreams, me)}

    def write(self, done):
        for one in done:
            folder = self.folder(one["tree"])
            stage = f"{folder.rstrip('/')}.new.{os.getpid()}"
            old = f"{folder.rstrip('/')}.old.{os.getpid()}"
            try:
                os.makedirs(os.path.dirname(os.path.abspath(stage)), exist_ok=True)
                tidy(folder.rstrip("/"))
                os.makedirs(stage)
                for name, text in one["mails"]:
                    save(os.path.join(stage, name), text)
                for name, text in one["diffs"].items():
                    save(os.path.join(stage, name.replace(".patch", ".range-diff")), text)
                save(os.path.join(stage, "mail.json"), json.dumps(one["record"], indent=1, ensure_ascii=False) + "\n")
                keep_sent(folder, stage)
                if os.path.isdir(folder):
                    os.rename(folder, old)
                os.rename(stage, folder)
            except OSError as err:
                raise Environment(f"cannot write to {folder}: {err.strerror}") from err
            finally:
                shutil.rmtree(stage, ignore_errors=True)
                shutil.rmtree(old, ignore_errors=True)
            one["folder"] = folder


def keep_sent(folder, stage):
    """What was sent from a folder before, whose mails are about to be replaced."""
    old = [n for n in ("sent.json",) if os.path.exists(os.path.join(folder, n))]
    before = sorted(n for n in os.listdir(folder) if re.fullmatch(r"sent\.[0-9]+\.json", n)) if os.path.isdir(folder) else []
    for name in before:
        shutil.copy(os.path.join(folder, name), stage)
    for name in old:
        shutil.copy(os.path.join(folder, name), os.path.join(stage, f"sent.{len(before) + 1:03d}.json"))


def tidy(folder):
    """What a killed run left beside the folder."""
    parent, name = os.path.split(os.path.abspath(folder))
    for other in sorted(os.listdir(parent)):
        if re.fullmatch(re.escape(name) + r"\.(new|old)\.[0-9]+", other):
            if ".old." in other and not os.path.exists(folder):
                os.rename(os.path.join(parent, other), folder)
            else:
                shutil.rmtree(os.path.join(parent, other), ignore_errors=True)


def summary(one):
    """What is mailed to whom, in lines."""
    record = one["record"]
    lines = [f"{record['tree']} {record['topic']}: {len(one['mails'])} mails from {record['from']}, on Linux {record['base']['version']}"]
    lines += [f"  {m['subject']}" for m in record["mails"]]
    if record["in_reply_to"]:
        lines.append(f"In-Reply-To: {record['in_reply_to']}")
    lines += [f"To: {show_entry(e)}" for e in record["recipients"]["to"]]
    lines += [f"Cc: {show_entry(e)}" for e in record["recipients"]["cc"]]
    lines += [f"Cc: {a} ({name} only)" for name, v in record["recipients"]["patches"].items() for a in v]
    if record["forced"]:
        lines.append(f"forced: {record['forced']}")
    return lines


def show_entry(entry):
    who = f"{entry['name']} <{entry['address']}>" if entry["name"] else entry["address"]
    return f"{who} ({', '.join(dict.fromkeys(entry['why']))})"


def send(done):
    listed = {e["address"].lower() for one in done for kind in ("to", "cc") for e in one["record"]["recipients"][kind]}
    listed |= {email.utils.parseaddr(a)[1].lower() for one in done for v in one["record"]["recipients"]["patches"].values() for a in v}
    for one in done:
        one["each"] = mail_send.states(one)
    mail_send.send(done, listed, [line for one in done for line in summary(one)])


def resume(options):
    """Go on where sending broke off: nothing is composed."""
    run = Run(options)
    done = mail_send.resume([run.folder(tree) for tree in run.trees], options.unknown)
    if options.json:
        print(json.dumps([o["record"] | {"folder": o["folder"]} for o in done], indent=1))
        return 0
    for one in done:
        print(f"sent: {one['folder']}")
    return 0


def compose(options):
    if options.resume:
        return resume(options)
    run = Run(options)
    done = run.prepare()
    if done is None:
        return 1
    run.say()
    if options.mode == "dry-run":
        if options.json:
            print(json.dumps([o["record"] | {"texts": dict(o["mails"])} for o in done], indent=1))
            return 0
        for one in done:
            print("\n".join(summary(one)))
            for name, text in one["mails"]:
                print(f"\n==== {name}\n{text}", end="")
        return 0
    run.write(done)
    if options.mode == "send":
        send(done)
    if options.json:
        print(json.dumps([o["record"] | {"folder": o["folder"]} for o in done], indent=1))
        return 0
    for one in done:
        print("\n".join(summary(one)))
        print(f"{'sent' if options.mode == 'send' else 'composed'}: {one['folder']}")
    return 0
