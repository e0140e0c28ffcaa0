# SPDX-License-Identifier: GPL-2.0
"""Hand composed mails to git send-email, and know of each what became of it."""
import email.utils
import hashlib
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time

from mail_common import CACHE, TOP, Environment, Refused, Stopped, field, read, save, show

# What became of a mail.  "unknown": all of it was handed over, and no answer came.
ACCEPTED, UNKNOWN, NOT_SENT, REFUSED = "accepted", "unknown", "not sent", "refused"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


# ---- what was sent, of every folder ------------------------------------------------------

def ledger():
    return os.path.join(CACHE, "mail", "sent")


def note_patch(record, state):
    """A line more about a patch that went out; the last one about a mail counts."""
    if record["patch_id"]:
        os.makedirs(os.path.dirname(ledger()), exist_ok=True)
        with open(ledger(), "a", encoding="utf-8") as f:
            f.write(json.dumps(record | {"state": state, "when": now()}) + "\n")


def sent_before(tree, version):
    """{patch-id: record} of what went out, or may have, to a tree in a version."""
    found = {}
    try:
        lines = read(ledger()).split("\n")
    except FileNotFoundError:
        return {}
    for line in lines:
        try:
            one = json.loads(line)
            if (one["tree"], one["version"]) == (tree, version):
                found[one["message_id"]] = one
        except (ValueError, KeyError, TypeError):
            pass                        # a line that was cut off by a full disk
    return {one["patch_id"]: one for one in found.values() if one["state"] in (ACCEPTED, UNKNOWN)}


# ---- git send-email ------------------------------------------------------------------------

def command(files, me, *more):
    """git send-email with the user's configuration; recipients are those in the
    headers, and what sendemail.to, .cc and .bcc add."""
    env = dict(os.environ)
    env.pop("GIT_CONFIG_NOSYSTEM", None)
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"):
        env.pop(name, None)
    # "body" only: the Cc: headers are ours; lines of a message are nobody's address.
    args = ["git", "send-email", f"--from={me}", "--confirm=never", "--suppress-cc=body", "--suppress-cc=author", "--suppress-cc=self",
            "--no-thread", "--no-annotate", "--8bit-encoding=UTF-8", *more, *files]
    return {"args": args, "cwd": TOP, "env": env, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


def envelope(output):
    """Every recipient that git send-email names in its --dry-run output: of the
    SMTP dialogue, or of the sendmail command."""
    lines = re.findall(r"^(?:RCPT TO:|Sendmail: .*? -i (?:-f \S+ )?)(.*)$", output, re.M)
    return sorted({a.lower() for line in lines for a in re.findall(r"[^\s<>,]+@[^\s<>,]+", line)})


def last(errors):
    lines = [line for line in errors.split("\n") if line.strip() and not line.startswith("DEBUG: ")]
    bad = [line for line in lines if re.match(r"(fatal|error|Can't|Unable|.* (?:failed|refused))", line)]
    return show((bad or lines or ["no reason given"])[-1].strip())


class Wire:
    """The dialogue with the server, as git send-email --smtp-debug tells it: which
    mail is on its way, and what was answered.  A sendmail command tells nothing: a
    mail was taken when git says so, which it does before the next one."""
    KEPT = re.compile(r"(EHLO |HELO |STARTTLS$|MAIL FROM:|RCPT TO:|DATA$|QUIT$|RSET$)")
    LINE = re.compile(r"Net::SMTP\S*?(>>>|<<<) ?(.*)")

    def __init__(self, pending, command_only, change):
        self.pending, self.change = pending, change
        self.command_only = command_only
        self.index, self.verb, self.text, self.end, self.reason = -1, "", False, False, ""
        if command_only:
            self.begin()

    @property
    def now(self):
        return self.pending[self.index] if 0 <= self.index < len(self.pending) else None

    def begin(self):
        self.index += 1
        if self.command_only and self.now:
            self.change(self.now, UNKNOWN)

    def stdout(self, line):
        if self.command_only and line.startswith("OK. Log says:") and self.now:
            self.change(self.now, ACCEPTED)
            self.begin()

    def stderr(self, line):
        """Returns what may be kept of a line of standard error: no text of a mail,
        and nothing of a login."""
        match = self.LINE.match(line)
        if not match:
            return line
        said = match.group(2).rstrip()
        if match.group(1) == "<<<":
            return self.answer(said)
        if self.text:
            self.end = said == "."
            return None
        self.verb = said
        if said.startswith("MAIL FROM:"):
            self.begin()
        return f">>> {said}" if self.KEPT.match(said) else None

    def answer(self, said):
        code = said[:3]
        if not code.isdigit() or said[3:4] == "-":
            return None
        if self.text and self.end:
            self.text = self.end = False
            if self.now:
                self.change(self.now, ACCEPTED if code[0] == "2" else REFUSED)
            if code[0] != "2":
                self.reason = f"the mail was answered with '{show(said)}'"
        elif self.verb == "DATA" and code == "354" and not self.text:
            self.text = True
            if self.now:
                self.change(self.now, UNKNOWN)
        elif code[0] in "45":
            verb = self.verb if self.KEPT.match(self.verb) else "the login"
            self.reason = f"{show(verb)} was answered with '{show(said)}'"
            if self.now and verb[:4] in ("MAIL", "RCPT", "DATA"):
                self.change(self.now, REFUSED)
        return f"<<< {said}" if code != "334" else None

    def over(self):
        """After the last line: a text that has no end yet cannot be taken by a server."""
        if self.text and not self.end and self.now:
            self.change(self.now, NOT_SENT)


def run(files, me, wire, folder):
    """Returns (exit code, what it said on standard error, signal or None)."""
    caught, said = [], []
    # Every line that was read is looked at: a signal only asks to stop.
    handlers = {n: signal.signal(n, lambda number, _: caught.append(number)) for n in SIGNALS}
    with open(os.path.join(folder, "send.log"), "ab") as log, open(os.path.join(folder, "send.err"), "ab") as err, \
            subprocess.Popen(**command(files, me, "--smtp-debug=1")) as process, selectors.DefaultSelector() as pipes:
        def take(line, name):
            text = line.decode("utf-8", "replace")
            if name == "out":
                wire.stdout(text)
                log.write(line)
                return
            kept = wire.stderr(text.rstrip("\n"))
            if kept is not None:
                err.write((kept + "\n").encode("utf-8", "replace"))
                if not kept.startswith((">>> ", "<<< ")):
                    said.append(kept)

        pipes.register(process.stdout, selectors.EVENT_READ, ["out", b""])
        pipes.register(process.stderr, selectors.EVENT_READ, ["err", b""])
        deadline = None
        while pipes.get_map() and (deadline is None or time.monotonic() < deadline):
            for key, _ in pipes.select(0.3):
                data = os.read(key.fd, 65536)
                lines = (key.data[1] + data).split(b"\n")
                key.data[1] = lines.pop() if data else b""
                for line in lines:
                    if line or data:
                        take(line + b"\n", key.data[0])
                if not data:
                    pipes.unregister(key.fileobj)
            if caught and deadline is None:
                # git hands it on to what it runs, and waits for that.
                process.send_signal(signal.SIGTERM)
                deadline = time.monotonic() + 15
        if pipes.get_map():
            process.kill()
        process.stdout.close()
        process.stderr.close()
        wire.over()
    for number, handler in handlers.items():
        signal.signal(number, signal.SIG_IGN if caught else handler)
    return process.returncode, "\n".join(said), caught[0] if caught else None


# ---- a run -----------------------------------------------------------------------------------

def now():
    return email.utils.format_datetime(email.utils.localtime())


def digest(text):
    """Of all of a mail but its To: and Cc:, where an address may turn out to be dead."""
    head, _, body = text.partition("\n\n")
    head = re.sub(r"^(To|Cc): .*(\n[ \t].*)*\n?", "", head + "\n", flags=re.M | re.I)
    return hashlib.sha256((head + "\n" + body).encode("utf-8", "surrogateescape")).hexdigest()


def states(one):
    """Of mails that nothing was done with yet."""
    ids = [p["patch_id"] for p in one["record"]["patches"]]
    ids = [None] * (len(one["mails"]) - len(ids)) + ids
    return [{"file": name, "message_id": m["message_id"], "state": NOT_SENT, "patch_id": i, "sha256": digest(text)}
            for (name, text), m, i in zip(one["mails"], one["record"]["mails"], ids)]


def mark(one, state, going):
    """What was done with a folder, beside its mails."""
    record = {"state": state, "when": now(), "recipients": going, "mails": [m["message_id"] for m in one["each"]], "each": one["each"]}
    save(os.path.join(one["folder"], "sent.json.new"), json.dumps(record, indent=1) + "\n")
    os.rename(os.path.join(one["folder"], "sent.json.new"), os.path.join(one["folder"], "sent.json"))


def people(texts):
    """The addresses in the headers of mails, as {address: how it is written}."""
    found = {}
    for text in texts:
        for name, addr in email.utils.getaddresses([field(text, "To"), field(text, "Cc")]):
            if addr:
                found.setdefault(addr.lower(), f"{name} <{addr}>" if name else addr)
    return found


def send(done, listed, lines):
    """Asks, and sends what has not been accepted yet.  `listed` are the addresses that
    the question shows in `lines`."""
    work = [(one, m) for one in done for m in one["each"] if m["state"] != ACCEPTED]
    files = [os.path.join(one["folder"], m["file"]) for one, m in work]
    total, me = sum(len(one["each"]) for one in done), done[0]["record"]["from"]
    done_before = total - len(work)
    trial = subprocess.run(**command(files, me, "--dry-run"), check=False)
    said = trial.stdout.decode("utf-8", "replace")
    errors = trial.stderr.decode("utf-8", "replace")
    if trial.returncode:
        raise Environment(f"git send-email does not take the mails: {last(errors or said)}; nothing was sent")
    going = envelope(said)
    if not going:
        raise Environment(f"git send-email does not say whom it would mail to: {last(errors or said)}; nothing was sent")
    print("\n".join(lines), file=sys.stderr)
    for addr in going:
        if addr not in listed:
            print(f"by your git configuration: {addr}", file=sys.stderr)
    lost = sorted(set(listed) - set(going))
    if lost:
        raise Environment(f"git send-email would leave out {', '.join(lost)} (sendemail.suppressCc of your git configuration?); nothing was sent")
    print(f"Send these {len(files)} mails to these {len(going)} addresses? (yes/no) ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline().strip().lower()
    if not sys.stdin.isatty():
        print("", file=sys.stderr)
    if answer not in ("y", "yes"):
        raise Refused("not-confirmed", "the answer was not 'yes'; nothing was sent, the mails are in " + ", ".join(o["folder"] for o in done))

    def change(pair, state):
        one, mail = pair
        if mail["state"] != state:
            mail["state"] = state
            mark(one, "interrupted while sending", going)
            note_patch({"tree": one["record"]["tree"], "topic": one["record"]["topic"], "version": one["record"]["version"],
                        "patch_id": mail["patch_id"], "message_id": mail["message_id"], "folder": one["folder"]}, state)

    # Whatever happens from here on, nobody gets a mail twice by accident.
    for one in done:
        mark(one, "interrupted while sending", going)
    wire = Wire(work, "\nSendmail: " in said, change)
    code, errors, caught = run(files, me, wire, done[0]["folder"])
    if not code and not caught:
        for pair in work:
            change(pair, ACCEPTED)
        for one in done:
            mark(one, "sent", going)
        return going
    accepted = total - sum(m["state"] != ACCEPTED for _, m in work)
    unknown = [m for _, m in work if m["state"] == UNKNOWN]
    for one in done:
        if accepted or unknown:
            mark(one, f"stopped after {accepted} of {total} mails", going)
        else:
            os.unlink(os.path.join(one["folder"], "sent.json"))
    text = f"stopped after {accepted} of {total} mails" + (f" ({done_before} of them before)" if done_before else "")
    text += ": " + ("interrupted" if caught else wire.reason or last(errors))
    for mail in unknown:
        text += f"; whether {mail['file']} was accepted is not known, no answer came"
    if accepted or unknown:
        text += "; the same command with --resume sends the rest as composed"
    text += f" (log: {os.path.join(done[0]['folder'], 'send.err')})"
    if caught:
        raise Stopped(caught, text)
    raise Environment("git send-email " + text)


# ---- going on ----------------------------------------------------------------------------------

def load(folder):
    """A folder whose sending broke off: {"folder", "record", "each", "mails", "state"}."""
    try:
        record = json.loads(read(os.path.join(folder, "mail.json")))
        was = json.loads(read(os.path.join(folder, "sent.json")))
    except FileNotFoundError as err:
        raise Environment(f"--resume: nothing of {folder} was sent: --send without --resume") from err
    except (OSError, ValueError) as err:
        raise Environment(f"--resume: {folder}: mail.json or sent.json cannot be read") from err
    if "each" not in was:
        raise Environment(f"--resume: {folder}/sent.json does not say what became of each mail")
    mails = []
    for mail in was["each"]:
        try:
            text = read(os.path.join(folder, mail["file"]))
        except OSError as err:
            raise Environment(f"--resume: {folder}/{mail['file']} cannot be read: {err.strerror}") from err
        if digest(text) != mail["sha256"]:
            raise Environment(f"--resume: {folder}/{mail['file']} is not what was composed (only To: and Cc: may be changed)")
        mails.append((mail["file"], text))
    return {"folder": folder, "record": record, "each": was["each"], "mails": mails, "state": was["state"]}


def resume(folders, unknown):
    """Sends the rest of mails as they were composed.  Returns the folders' data."""
    done = [load(folder) for folder in folders]
    open_ = [(one, m) for one in done for m in one["each"] if m["state"] == UNKNOWN]
    if not any(m["state"] != ACCEPTED for one in done for m in one["each"]):
        raise Refused("already-sent", f"{', '.join(folders)}: every mail was accepted; nothing is left to send")
    if open_ and not unknown:
        raise Refused("not-known", "; ".join(f"{m['file']} {m['message_id']}" for _, m in open_) +
                      ": no answer came whether it was accepted: look for it on the list (https://lore.kernel.org/r/ID), "
                      "then add '--unknown sent' or '--unknown send'")
    for one, mail in open_ if unknown == "sent" else ():
        mail["state"], mail["said"] = ACCEPTED, "with --unknown sent"
        mark(one, one["state"], sorted(people(t for _, t in one["mails"])))
    left = [(one, m, text) for one in done for m, (_, text) in zip(one["each"], one["mails"]) if m["state"] != ACCEPTED]
    if not left:
        for one in done:
            mark(one, "sent", sorted(people(t for _, t in one["mails"])))
        return done
    lines = [f"the rest, {len(left)} of {sum(len(one['each']) for one in done)} mails as composed, from {done[0]['record']['from']}"]
    lines += [f"  {field(text, 'Subject')}" for _, _, text in left]
    listed = people(text for _, _, text in left)
    lines += [f"To or Cc: {who}" for who in listed.values()]
    send(done, listed, lines)
    return done
