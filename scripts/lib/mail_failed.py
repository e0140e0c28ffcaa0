# SPDX-License-Identifier: GPL-2.0
"""Saved mails "FAILED: patch ... failed to apply to X.Y-stable tree": what they ask
for, and whether that tree can have the bug."""
import email
import email.errors
import email.header
import email.policy
import os
import re

import patches
from mail_code import ABSENT, PRESENT, Code, aside, judge, lacks, reverse_applies, split
from mail_common import (STABLE, Environment, Refused, address, fixes, message_id, notes, show, trees, upstream_ids, version)

SUBJECT = re.compile(r"FAILED: patch\b.*failed to apply to v?(\d+\.\d+)-stable tree\s*$", re.I | re.S)
# Some put a tag of the list, or of the mail server, before it.
BEGINS = re.compile(r"\s*(?:\[[^]]*\]\s*)*FAILED:\s*patch\b", re.I)
REPLY = re.compile(r"\s*(re|aw|fwd?|sv|antw)\s*(\[\d+\])?:", re.I)
BODY_TREE = re.compile(r"does\s+not\s+apply\s+to\s+the\s+v?(\S+?)-stable\s+tree")
PICK = re.compile(r"\bgit cherry-pick -x ([^\s#;&|]+)")
ANSWER = re.compile(r"--in-reply-to[ =]'<?([^'\s<>]+)>?'")
MARK = re.compile(r"^-{6,} original commit in Linus's tree -{6,}\s*$", re.M)
INNER = re.compile(r"^From ([0-9a-fA-F]{7,64}) Mon Sep 17 00:00:00 2001[ \t]*$", re.M)
DEPENDS = re.compile(r"\b([0-9a-f]{8,40}) \(\"(.*?)\"\)(?=\s+[0-9a-f]{8,40} \(\"|\s*\n|\s*$)", re.S)
SINCE = re.compile(r"^Cc:.*\bstable@(?:vger\.)?kernel\.org\b(.*)$", re.I | re.M)
META = re.compile(r"[`;|\\]|\$[({]|&&")
LIMIT = 32 << 20


# ---- the file ------------------------------------------------------------------------------

def messages(path):
    """The raw messages of an mbox, or of a file with one mail."""
    try:
        size = os.path.getsize(path)
        if not os.path.isfile(path):
            raise Environment(f"--failed {path}: not a file")
        if size > LIMIT:
            raise Environment(f"--failed {path}: larger than {LIMIT >> 20} MiB, this is no mail")
        with open(path, "rb") as f:
            data = f.read()
    except OSError as err:
        raise Environment(f"--failed {path}: cannot be read: {err.strerror}") from err
    if not data.strip():
        raise Refused("mbox-empty", f"{path} is empty")
    if b"\0" in data:
        raise Refused("mbox-binary", f"{path} has NUL bytes: this is no mail")
    if data.startswith(b"\xef\xbb\xbf"):
        raise Refused("mbox-encoding", f"{path} begins with a byte order mark, which hides the first header: save the mail raw ('b4 mbox MESSAGE-ID' does)")
    if b"\r" in data:
        raise Refused("mbox-crlf", f"{path} has CRLF line ends: save the mail raw ('b4 mbox MESSAGE-ID' does), or convert it with dos2unix")
    lines = data.split(b"\n")
    starts = [i for i in range(len(lines)) if separator(lines, i)]
    if not starts:
        return [data]
    if any(line.strip() for line in lines[:starts[0]]):
        starts.insert(0, -1)
    found = []
    for start, end in zip(starts, starts[1:] + [len(lines)]):
        body = lines[start + 1:end]
        if start >= 0:                  # mboxrd: one ">" was put before these
            body = [line[1:] if re.match(rb">+From ", line) else line for line in body]
        found.append(b"\n".join(body))
    return found


def separator(lines, i):
    """Does a mail begin after this line?  The FAILED mail itself quotes a
    format-patch file, whose first line looks the same: that one is no mail."""
    if not lines[i].startswith(b"From ") or (i and lines[i - 1].strip()):
        return False
    head = []
    for line in lines[i + 1:]:
        if not line.strip():
            break
        head.append(line)
    if not head or not re.match(rb"[A-Za-z][A-Za-z0-9-]*:", head[0]):
        return False
    if re.match(rb"From [0-9a-f]{40} Mon Sep 17 00:00:00 2001", lines[i]):
        return any(re.match(rb"(message-id|to|received):", line, re.I) for line in head)
    return True


class Failed:
    """What one FAILED mail says."""
    def __init__(self):
        self.id = self.commit = self.subject = self.line = self.message = self.diff = ""
        self.to, self.depends, self.bare = [], [], False


def header(mail, name, required=True):
    """The one value of a header, decoded and unfolded."""
    values = mail.get_all(name, [])
    if len(values) > 1 and len({str(v) for v in values}) > 1:
        raise Refused("mbox-header", f"the mail has {len(values)} {name} headers: which one counts?")
    if not values:
        if required:
            raise Refused("mbox-header", f"the mail has no {name} header: save it raw ('b4 mbox MESSAGE-ID' does)")
        return ""
    value = re.sub(r"\n[ \t]", " ", str(values[0]))
    value = str(email.header.make_header(email.header.decode_header(value)))
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
        raise Refused("mbox-header", f"the {name} header has a line break or control character in it: '{show(value)}'")
    return value


def raw_break(raw):
    """An encoded word that hides a line break is a trick, in whichever header."""
    head = re.split(rb"\n[ \t]*\n", raw, maxsplit=1)[0]
    for word in re.findall(rb"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=", head):
        try:
            text = "".join(t if isinstance(t, str) else t.decode(c or "ascii", "replace")
                           for t, c in email.header.decode_header(word.decode("ascii", "replace")))
        except (ValueError, LookupError, email.errors.HeaderParseError):
            continue
        if re.search(r"[\x00-\x1f\x7f]", text):
            raise Refused("mbox-header", f"an encoded word in a header holds a line break or control character: '{show(text)}'")


def recipients(mail, name):
    found = []
    for value in mail.get_all(name, []):
        try:
            addresses = value.addresses
        except AttributeError as err:
            raise Refused("mbox-header", f"the {name} header cannot be understood: '{show(str(value))}'") from err
        if str(value).strip() and not addresses and not getattr(value, "groups", ()):
            raise Refused("mbox-header", f"the {name} header cannot be understood: '{show(str(value))}'")
        for a in addresses:
            # Raw UTF-8 in a header is not allowed, and common.
            text = a.display_name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            found.append(address(text, a.addr_spec, f"{name} header"))
    return found


def parse(raw, path):
    """A Failed, or None when the mail is another one (a reply, say)."""
    # Addresses are taken apart by the newer policy; the older one hands on the rest
    # as it is.
    mail = email.message_from_bytes(raw)
    try:
        # What the library cannot take apart it may not fail politely on.
        if not mail.keys():
            return read_text(raw)
        subject = str(email.header.make_header(email.header.decode_header(mail.get("Subject", ""))))
        if REPLY.match(subject) or "FAILED:" not in subject.upper():
            return None
        raw_break(raw)
        if not BEGINS.match(subject):
            return None
        return read_failed(mail, email.message_from_bytes(raw, policy=email.policy.default))
    except (Refused, Environment):
        raise
    except Exception as err:
        raise Refused("mbox-header", f"a header of a mail in {path} cannot be understood ({type(err).__name__}): save the mail raw") from err


def read_failed(mail, structured):
    found = Failed()
    subject = re.sub(r"\s+", " ", header(mail, "Subject"))
    match = SUBJECT.search(subject)
    if META.search(subject):
        raise Refused("mbox-header", f"the Subject has a shell metacharacter: '{show(subject)}'; if it is meant, take it out of the saved mail")
    if not match:
        raise Refused("mbox-tree", f"the Subject does not say to which X.Y-stable tree the patch failed to apply: '{show(subject)}'")
    found.line = match.group(1)
    found.id = message_id(header(mail, "Message-ID"), "Message-ID header")
    kind = mail.get_content_type()
    if mail.is_multipart() or kind != "text/plain":
        raise Refused("mbox-encoding", f"the mail is {kind}, not plain text: save it raw ('b4 mbox MESSAGE-ID' does)")
    coding = str(mail.get("Content-Transfer-Encoding", "7bit")).strip().lower()
    if coding not in ("7bit", "8bit", "binary"):
        raise Refused("mbox-encoding", f"the body is {show(coding)} encoded: save the mail decoded ('b4 am' and 'git mailinfo' do), or take it from the list's archive")
    if str(mail.get_param("format", "")).lower() == "flowed":
        raise Refused("mbox-encoding", "the mail is format=flowed, which changes the lines of a diff: save it raw ('b4 mbox MESSAGE-ID' does)")
    payload = mail.get_payload()
    body = payload.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if isinstance(payload, str) else ""
    found.to = [r for name in ("From", "Reply-To", "To", "Cc") for r in recipients(structured, name)]
    if not mail.get("From"):
        raise Refused("mbox-header", "the mail has no From header: save it raw ('b4 mbox MESSAGE-ID' does)")
    read_body(found, body)
    return found


def read_text(raw):
    """The text of a FAILED mail without any header, as some archives show it: it
    says itself what to answer to, but not who was copied."""
    body = raw.decode("utf-8", "replace")
    found = Failed()
    lines, answers = {m.group(1) for m in BODY_TREE.finditer(body)}, set(ANSWER.findall(body))
    if not lines or not answers:
        return None
    if len(lines) > 1 or len(answers) > 1 or not re.fullmatch(r"\d+\.\d+", min(lines)):
        raise Refused("mbox-tree", "the text names more than one tree, or more than one mail to answer to, and has no header that says which")
    found.line, found.bare = lines.pop(), True
    found.id = message_id(answers.pop(), "--in-reply-to in the body")
    read_body(found, body)
    return found


def read_body(found, body):
    marks = list(MARK.finditer(body))
    if len(marks) > 1:
        raise Refused("mbox-two-patches", "the mail holds two patches: save them as two mails")
    above, inner = (body[:marks[0].start()], body[marks[0].end():]) if marks else (body, "")
    # What somebody quoted above the commit says nothing of this mail.
    above = "\n".join(line for line in above.split("\n") if not line.startswith(">"))
    lines = {m.group(1) for m in BODY_TREE.finditer(above)}
    if lines and lines != {found.line}:
        raise Refused("mbox-tree", f"the Subject says {found.line}-stable, the body {show(', '.join(sorted(lines)))}-stable")
    starts = list(INNER.finditer(inner))
    if len(starts) > 1:
        raise Refused("mbox-two-patches", "the mail holds two patches: save them as two mails")
    if starts and re.search(r"\S", inner[:starts[0].start()]):
        raise Refused("mbox-two-patches", "there is text before the original commit: what is it?")
    if not starts and inner.strip():
        raise Refused("mbox-commit", "what follows 'original commit' does not begin with its 'From ID' line (is it quoted or escaped?): save the mail raw ('b4 mbox MESSAGE-ID' does)")
    picks = {m.group(1) for m in PICK.finditer(above)}
    ids = {c.lower() for c in picks | {s.group(1) for s in starts}}
    if not ids:
        raise Refused("mbox-commit", "the mail names no commit, neither in a 'git cherry-pick -x' line nor as the original commit")
    for commit in sorted(ids):
        if not re.fullmatch(r"[0-9a-f]{40}", commit):
            raise Refused("mbox-commit", f"'{show(commit)}' is no full commit id of 40 hex digits")
    if len(ids) > 1:
        raise Refused("mbox-commit", f"the mail names two commits: {' and '.join(sorted(ids))}")
    found.commit = ids.pop()
    answers = {message_id(m.group(1), "--in-reply-to in the body") for m in ANSWER.finditer(above)}
    if answers and answers != {found.id}:
        raise Refused("message-id", f"the header says {found.id}, the body asks for answers to {' and '.join(sorted(answers))}")
    if "Possible dependencies:" in above:
        listed = re.split(r"\n\s*thanks,", above.split("Possible dependencies:", 1)[1], maxsplit=1, flags=re.I)[0]
        for commit, title in DEPENDS.findall(listed):
            if not found.commit.startswith(commit):
                found.depends.append((commit, re.sub(r"\s+", " ", title)))
    if starts:
        read_commit(found, inner[starts[0].end():].lstrip("\n"))


def read_commit(found, text):
    head, _, rest = text.partition("\n\n")
    unfolded = re.sub(r"\n[ \t]+", " ", head)
    match = re.search(r"^Subject:\s*(?:\[[^]]*\]\s*)?(.*)$", unfolded, re.M)
    found.subject = match.group(1).strip() if match else ""
    try:
        found.subject = str(email.header.make_header(email.header.decode_header(found.subject)))
    except (ValueError, LookupError, email.errors.HeaderParseError):
        pass
    at = re.search(r"^diff --git ", rest, re.M)
    message = rest[:at.start()] if at else rest
    found.diff = rest[at.start():] if at else ""
    # The mail's own signature is no part of the last hunk.
    found.diff = re.sub(r"\n-- \n.*\Z", "\n", found.diff, flags=re.S).rstrip("\n") + "\n" if found.diff else ""
    found.message = re.split(r"^---\s*$", message, maxsplit=1, flags=re.M)[0].strip()
    if re.search(r"^(Subject:\s*\[PATCH|From [0-9a-f]{40} )", found.diff, re.M):
        raise Refused("mbox-two-patches", "the mail holds two patches: save them as two mails")


# ---- the verdict ---------------------------------------------------------------------------------

def tree_of(found):
    return next((t for t in trees().values() if t.line == found.line and not t.mainline), None)


def ruling(found, tree, code):
    """(text, Message-IDs, evidence) of a ruling in MAINTAINERS-notes, or None.
    "Not-needed: COMMIT unless CONFIG_X" holds where no Kconfig file has X."""
    name = tree.name if tree else found.line + ".y"
    for stanza in notes():
        if stanza.one("Tree") not in (name, "*"):
            continue
        for value in stanza.get("Not-needed", []):
            match = re.fullmatch(r"([0-9a-f]{40})(?: unless CONFIG_([A-Z0-9_]+))?", value)
            if not match:
                raise Environment(f"MAINTAINERS-notes: 'Not-needed: {show(value)}' is no full commit id, with 'unless CONFIG_X' or nothing after it")
            if match.group(1) != found.commit:
                continue
            evidence, option = [], match.group(2)
            if option and code is None:
                evidence.append(f"option CONFIG_{option}: not looked up, the tree is not there")
            elif option and option in code.options():
                return None, [], [f"the ruling does not hold here: {code.label} has CONFIG_{option}"]
            elif option:
                evidence.append(f"option CONFIG_{option}: no Kconfig file of {code.label} defines it")
            return stanza.one("Why"), stanza.get("Ruling", []), evidence
    return None, [], []


def stated(found):
    """Since which version its author asked for it: "Cc: stable # 6.4+"."""
    firsts, named = [], []
    for rest in SINCE.findall(found.message):
        match = re.search(r"[#\[]\s*v?(\d+\.\d+)(?:\.x|\.y)?\s*(\+|-|and later|onwards?|\]|$)", rest.strip(), re.I)
        if match:
            firsts.append(match.group(1))
        named += re.findall(r"\b(?<!\.)v?(\d+\.\d+)", rest)
    # An older version that is named beside it, in whatever words, is asked for too.
    return min(firsts + named, key=version) if firsts else None


def by_fixes(found, code, upstreams):
    """The commits that it fixes: when did they come, and is their code here?"""
    ids = [i for line in fixes(found.message) for i in line]
    # A line that names nothing that is understood may be about anything.
    said, states = [], [None for line in fixes(found.message) if not line]
    for commit in ids:
        for up in upstreams:
            full = up.resolve(commit)
            release = up.release(full) if full else None
            if not release:
                continue
            if version(release) <= version(found.line):
                said.append(f"it fixes {commit[:12]}, which is in {release}, and so in every {found.line}")
                states.append(PRESENT)
                break
            mine = {}
            try:
                for diff in patches.parse(up.diff(full))[1]:
                    if not aside(diff.path):
                        mine[diff.path] = {re.sub(r"\s+", "", b[1:]) for h in diff.hunks for b in h.body
                                           if b[:1] == "+" and len(re.sub(r"\s+", "", b)) > 12}
            except patches.Truncated:
                continue
            total = sum(len(v) for v in mine.values())
            have = sum(len(v & code.lines(p)) for p, v in mine.items())
            said.append(f"it fixes {commit[:12]}, which came in {release}; {have} of the {total} lines that it added are in {code.label}")
            if total and not have:
                states.append(ABSENT)
            elif total and have * 2 > total:
                states.append(PRESENT)
            else:
                states.append(None)
            break
        else:
            states.append(None)
    if states and all(s == ABSENT for s in states):
        return ABSENT, said
    return (PRESENT if PRESENT in states else None), said


def verdict(found, tree, code, upstreams):
    """Fills in verdict, why, rulings and evidence."""
    out = {"verdict": "unknown", "why": "", "rulings": [], "evidence": [], "lacks": []}
    why, rulings, evidence = ruling(found, tree, code)
    out["evidence"] += evidence
    changes = None
    if code is not None and found.diff:
        try:
            changes, created, old_paths = split(found.diff)
        except patches.Truncated as err:
            out["evidence"].append(f"the diff in the mail cannot be looked up: it {err}")
    missing = []
    if changes is not None:
        missing = lacks(found.diff, changes, old_paths, code)
        out["lacks"] = [f"{kind} {name}" for kind, name in missing]
    if why is not None:
        out.update(verdict="not needed", why=why, rulings=rulings)
        out["evidence"] += [f"{kind} {name}: not in {code.label}" for kind, name in missing
                            if not any(name in e for e in evidence)]
        return out
    first = stated(found)
    if first and version(first) > version(found.line):
        out.update(verdict="not needed", why=f"the commit itself asks for stable since {first}")
        out["evidence"].append(f"Cc: stable ... # {first}: {found.line} is older")
        return out
    if code is None:
        out["why"] = "the tree cannot be looked at: " + (
            f"run 'scripts/tree {tree.name}'" if tree else f"{found.line}.y is no tree of configs/trees; --tree-dir names one")
        return out
    if changes is not None and reverse_applies(code.repo, code.ref, found.diff):
        out.update(verdict="not needed", why=f"{code.label} has the change already")
        out["evidence"] = ["the patch can be taken back from the tree as it is"]
        return out
    state, said = by_fixes(found, code, upstreams)
    out["evidence"] += said
    if state == ABSENT:
        out.update(verdict="not needed", why=f"what it fixes is not in {code.label}")
        return out
    if changes is None:
        out["why"] = "the mail holds no diff that could be looked up" if not found.diff else "the diff in the mail is damaged"
        return out
    counted = [c for c in changes if not aside(c.path)]
    judged = [judge(c, code) for c in counted]
    named = " ".join(why for s, why in judged if s == ABSENT)
    out["evidence"] += [f"{kind} {name}: not in {code.label}" for kind, name in missing if name not in named]
    out["evidence"] += sorted({why for _, why in judged})
    states = [s for s, _ in judged]
    if state == PRESENT and ABSENT in states:
        states.append(PRESENT)
    if states and all(s == ABSENT for s in states):
        out.update(verdict="not needed", why=f"nothing of what the patch changes is in {code.label}")
    elif states and PRESENT in states:
        out.update(verdict="possible", why=f"{code.label} has code that the patch changes")
    elif not counted:
        out["why"] = "the patch only adds files, or changes no code"
    else:
        out["why"] = "nothing that was looked up decides it"
    return out


def work_item(found, tree_dir, upstreams, force):
    """All that is known about a FAILED mail, as a dict."""
    tree = tree_of(found)
    code = None
    if tree_dir:
        if version(kernel_line(tree_dir)) != version(found.line):
            raise Environment(f"--tree-dir {tree_dir}: is {kernel_line(tree_dir) or 'no kernel tree'}, the mail is about {found.line}")
        code = Code(os.path.abspath(tree_dir), "HEAD", f"{found.line} ({tree_dir})")
    elif tree and tree.there():
        code = Code(tree.dir, "base", tree.config("walklock.version") or tree.line)
    item = {"message_id": found.id, "commit": found.commit, "subject": found.subject, "line": found.line,
            "tree": tree.name if tree else None, "in_reply_to": found.id,
            "to": [STABLE], "cc": [], "bare": found.bare, "depends": [{"commit": c, "subject": s} for c, s in found.depends]}
    seen = {STABLE}
    for name, addr in found.to:
        if addr.lower() not in seen:
            seen.add(addr.lower())
            item["cc"].append({"name": name, "address": addr})
    item.update(verdict(found, tree, code, upstreams))
    item["looked_up_in"] = code.label if code else None
    item["backport"] = None
    if tree:
        for topic, path in tree.patches():
            if found.commit in upstream_ids(patches.read(path)):
                item["backport"] = f"{tree.series_dir}/{topic}/{os.path.basename(path)}"
    blocked = item["verdict"] == "not needed"
    item["mailing"] = {"blocked": blocked and not force, "code": "not-needed" if blocked else None, "forced": force if blocked else None}
    return item


def kernel_line(folder):
    try:
        text = patches.read(os.path.join(folder, "Makefile"))
    except OSError:
        return ""
    found = dict(re.findall(r"^(VERSION|PATCHLEVEL)\s*=\s*(\d+)\s*$", text, re.M))
    return f"{found.get('VERSION')}.{found.get('PATCHLEVEL')}" if len(found) == 2 else ""


def read_all(path):
    """(FAILED mails of a file, how many other mails)."""
    found, others = [], 0
    raws = messages(path)
    for raw in raws:
        one = parse(raw, path)
        if one is None:
            others += 1
        elif not any((f.id, f.commit, f.line) == (one.id, one.commit, one.line) for f in found):
            found.append(one)
    if not found:
        raise Refused("mbox-none", f"{path}: no mail \"FAILED: patch ... failed to apply to X.Y-stable tree\" in it" +
                      (f" (of {others})" if others > 1 else "; are the headers there?"))
    return found, others


def text(item):
    """A work item for people."""
    def row(label, value):
        return f"  {label:<12} {value}"
    lines = [f"FAILED {item['message_id']}",
             row("commit", item["commit"] + (f" (\"{item['subject']}\")" if item["subject"] else "")),
             row("tree", (item["tree"] or f"{item['line']}.y, not one of this project") +
                 (f" (looked up in {item['looked_up_in']})" if item["looked_up_in"] else "")),
             row("In-Reply-To", item["in_reply_to"]),
             row("To", ", ".join(item["to"]))]
    lines += [row("Cc", f"{c['name']} <{c['address']}>" if c["name"] else c["address"]) for c in item["cc"]]
    lines += [row("depends on", f"{d['commit']} (\"{d['subject']}\")") for d in item["depends"]] or [row("depends on", "nothing that the mail names")]
    lines.append(row("verdict", item["verdict"] + (f": {item['why']}" if item["why"] else "")))
    lines += [row("evidence", e) for e in item["evidence"]]
    lines += [row("ruling", r) for r in item["rulings"]]
    lines.append(row("backport", item["backport"] or "none in this project"))
    if item["bare"]:
        lines.append(row("recipients", "the text has no headers: who else was copied is not known"))
    if item["mailing"]["blocked"]:
        lines.append(row("mailing", "blocked (not-needed); --force REASON overrides"))
    elif item["mailing"]["forced"]:
        lines.append(row("mailing", f"not needed, forced: {item['mailing']['forced']}"))
    return "".join(show_long(line) + "\n" for line in lines)


def show_long(line):
    return "".join(c if c.isprintable() else "?" for c in line)
