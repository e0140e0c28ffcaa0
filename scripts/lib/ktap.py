#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Read what a guest said: results of its tests, and the kernel's console.

usage: ktap.py read RESULTS CONSOLE ALLOWED TREE HOW    one JSON object
       ktap.py compare PATCHED.json [BASE.json]         TAP on stdout

HOW is how the emulator ended: "exit", "timeout" (it was killed, nothing came
any more) or "noboot" (it was killed before init said a word).

The verdict of a boot is the worst of: pass, fail, splat, panic, timeout, noboot.
"""
import json
import re
import sys

VERDICTS = ["pass", "fail", "splat", "timeout", "panic", "noboot"]

# How a kernel complains.  The first match of a burst counts.
SPLAT = re.compile(
    r"\b(WARNING|BUG)(: | at | kmalloc| mm_struct| vm_area| Bad )"
    r"|\bBUG [\w-]+ \((Not tainted|Tainted)"
    r"|\bINFO: (possible|task |rcu|lockdep|trying to register|suspicious|NMI handler)"
    r"|\brcu: INFO: |\brcu_\w+ (kthread|self-detected)"
    r"|\b(KASAN|KCSAN|KFENCE|UBSAN|KMSAN): "
    r"|\bOops\b|\bgeneral protection fault\b|\bInternal error: "
    r"|\bUnable to handle kernel\b|\bkernel BUG at\b|\bUnable to handle \w+ .*at virtual address"
    r"|\b(soft|hard) lockup\b|\bhung task\b"
    r"|\blist_(add|del) corruption\b|\brefcount_t: |\bpage_table_check\b"
    r"|\bDEBUG_LOCKS_WARN_ON\b|\bVM_BUG_ON|\bpage dumped because\b"
    r"|\bstack segment: |\bdouble fault: |\bdivide error: |\binvalid opcode: "
    r"|\bworkqueue lockup\b|\bSlab corruption\b|\bObject corrupt\b")
PANIC = re.compile(r"Kernel panic - not syncing: (.*)")
STAMP = re.compile(r"^(?:\[ *\d+\.\d+\](?:\[[^]]*\])? ?|<\d+>)*")
MARK = re.compile(r"walklock: (begin|end) (\S+)")
TAP = re.compile(r"^(\s*(?:# )?)(not ok|ok) (\d+)(?:\s+-?\s*(.*?))?(?:\s*# (SKIP|XFAIL|TODO|XPASS|TIMEOUT)\b:?\s*(.*))?$")
UFFD = re.compile(r"^Testing (.+?)\.\.\. ?(?:(done|skipped|failed|ERROR)\b)?(.*)$")


def sub_results(lines):
    """The named results that a program printed, in order: (name, outcome, why)."""
    out, seen = [], {}

    def add(name, outcome, why=""):
        # Addresses, and what was measured, are no part of a name.
        name = re.sub(r"0x[0-9a-f]{6,}", "ADDR", name).strip()
        if re.search(r"\d%", name):
            name = re.sub(r"\d+(\.\d+)?", "N", name)
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            name += " (%d)" % seen[name]
        out.append({"name": name, "outcome": outcome, "why": why.strip()})

    pending = None
    for line in lines:
        m = TAP.match(line)
        if m and not line.startswith("# "):
            pending = None
            outcome = "pass" if m.group(2) == "ok" else "fail"
            word = m.group(5)
            if word == "SKIP":
                outcome = "skip"
            elif word in ("XFAIL", "TODO"):
                outcome = "xfail"
            name = m.group(4) or "number " + m.group(3)
            if word is None and " # SKIP" in line:
                outcome = "skip"
            add(name, outcome, m.group(6) or "")
            continue
        m = UFFD.match(line)
        if m:
            if m.group(2):
                add(m.group(1), {"done": "pass", "skipped": "skip"}.get(m.group(2), "fail"), m.group(3))
                pending = None
            else:
                pending = m.group(1)
            continue
        if pending:
            m = re.match(r"^\s*(done|skipped|failed|ERROR)\b(.*)$", line)
            if m:
                add(pending, {"done": "pass", "skipped": "skip"}.get(m.group(1), "fail"), m.group(2))
                pending = None
    if pending:
        add(pending, "fail", "no result")
    return out


def read_results(path):
    """Tests, in order, and what init said."""
    tests, current, info = [], None, {"init": None, "done": False, "vmstat": {}}
    with open(path, errors="replace") as f:
        lines = f.read().replace("\r", "").split("\n")
    for line in lines:
        if not line.startswith("@wl "):
            if current is not None:
                current["output"].append(line)
            continue
        word = line.split()
        if word[1] == "init":
            info["init"] = " ".join(word[2:])
        elif word[1] == "begin" and len(word) >= 4:
            current = {"name": word[2], "limit": int(word[3]), "output": [], "rc": None,
                       "seconds": None, "late": False}
            tests.append(current)
        elif word[1] == "end" and current is not None and len(word) >= 6:
            current["rc"] = int(word[3])
            current["seconds"] = round(float(word[5]) - float(word[4]), 2)
            current["late"] = "late" in word[6:]
            current = None
        elif word[1] == "vmstat" and len(word) == 4:
            info["vmstat"][word[2]] = int(word[3])
        elif word[1] == "done":
            info["done"] = True
    for t in tests:
        t["sub"] = sub_results(t["output"])
        bad = [s for s in t["sub"] if s["outcome"] == "fail"]
        if t["rc"] is None:
            t["outcome"] = "timeout"
        elif t["late"]:
            t["outcome"] = "timeout"
        elif t["rc"] == 4:
            t["outcome"] = "skip"
        elif t["rc"] != 0 or bad:
            t["outcome"] = "fail"
        elif t["sub"] and all(s["outcome"] == "skip" for s in t["sub"]):
            t["outcome"] = "skip"
        else:
            t["outcome"] = "pass"
        while t["output"] and not t["output"][-1].strip():
            t["output"].pop()
        t["output"] = t["output"][-400:]
    return tests, info


def read_kunit(lines):
    """The KUnit suites in a console: each with its cases."""
    suites, cases, on, diag = [], [], False, []
    for line in lines:
        text = STAMP.sub("", line, count=1).rstrip()
        if re.match(r"^K?TAP version", text):
            on, cases = True, []
            continue
        if not on:
            continue
        if re.match(r"^\s+# Subtest: ", text) and not text.startswith("        "):
            cases, diag = [], []
            continue
        m = re.match(r"^(\s*)(not ok|ok) (\d+)(?: -)? (.*?)(?: # SKIP(.*))?$", text)
        if not m:
            if text.strip().startswith("# ") and ("EXPECTATION" in text or "ASSERTION" in text):
                diag.append(text.strip())
            elif diag and text.startswith("    ") and len(diag) < 40:
                diag.append(text.strip())
            continue
        depth, outcome = len(m.group(1)), "pass" if m.group(2) == "ok" else "fail"
        if m.group(5) is not None:
            outcome = "skip"
        if depth == 0:
            suites.append({"name": "kunit:" + m.group(4), "outcome": outcome, "sub": cases,
                           "output": diag, "rc": 0 if outcome != "fail" else 1,
                           "seconds": None, "late": False})
            cases, diag = [], []
        elif depth == 4:
            cases.append({"name": m.group(4), "outcome": outcome, "why": ""})
    return suites


def allowed(path, tree):
    rules = []
    with open(path) as f:
        for line in f:
            if line.startswith("#") or not line.strip():
                continue
            trees, test, regex, reason = line.rstrip("\n").split("\t")
            if trees == "*" or tree in trees.split(","):
                rules.append((test, re.compile(regex), reason))
    return rules


def read_console(path, rules):
    with open(path, errors="replace") as f:
        lines = f.read().replace("\r", "").split("\n")
    splats, waived, panic, test = [], [], None, "boot"
    skip_to = -1
    for i, line in enumerate(lines):
        m = MARK.search(line)
        if m:
            test = m.group(2) if m.group(1) == "begin" else "after " + m.group(2)
            continue
        m = PANIC.search(line)
        if m and panic is None:
            panic = {"text": m.group(1).strip(), "test": test,
                     "excerpt": lines[max(0, i - 30):i + 25]}
        if i <= skip_to or not SPLAT.search(line):
            continue
        text = STAMP.sub("", line, count=1).strip()
        # The whole burst is one complaint: up to its end mark.
        end = i
        for j in range(i + 1, min(i + 160, len(lines))):
            end = j
            if "end trace" in lines[j] or MARK.search(lines[j]):
                break
        else:
            end = min(i + 60, len(lines) - 1)
        begin = i - 1 if i and "=====" in lines[i - 1] else i
        # WARN() says its own words between the line to cut at and the head.
        begin = next((k for k in range(i - 1, max(i - 6, -1), -1) if "cut here" in lines[k]), begin)
        excerpt = lines[begin:min(end, i + 45) + 1]
        body = "\n".join(STAMP.sub("", k, count=1).strip() for k in lines[i:end + 1])
        why = next((r[2] for r in rules if (r[0] in ("*", test)) and r[1].search(body)), None)
        (waived if why else splats).append(
            {"text": text, "test": test, "excerpt": excerpt, **({"reason": why} if why else {})})
        skip_to = end if "end trace" in lines[end] else i + 12
    return lines, splats, waived, panic


def read(results, console, allow, tree, how):
    tests, info = read_results(results)
    lines, splats, waived, panic = read_console(console, allowed(allow, tree))
    tests = read_kunit(lines) + tests
    # A kernel that panicked before init has still said why.
    verdict = "pass"

    def worse(v):
        nonlocal verdict
        if VERDICTS.index(v) > VERDICTS.index(verdict):
            verdict = v

    for t in tests:
        if t["outcome"] in ("fail", "timeout"):
            worse(t["outcome"])
    if splats:
        worse("splat")
    if panic:
        verdict = "panic"
    elif info["init"] is None:
        verdict = "noboot"
    elif how == "timeout" or not info["done"]:
        worse("timeout")
    return {"verdict": verdict, "how": how, "init": info["init"], "done": info["done"],
            "tests": tests, "splats": splats, "waived": waived, "panic": panic,
            "vmstat": info["vmstat"], "tail": [] if info["done"] else lines[-25:]}


def outcomes(run):
    """Every named result of a run, for comparison."""
    out = {}
    for t in run["tests"]:
        out[(t["name"], "")] = t["outcome"]
        for s in t["sub"]:
            out[(t["name"], s["name"])] = s["outcome"]
    return out


RANK = {"pass": 0, "xfail": 0, "skip": 1, "fail": 2, "timeout": 3}


def compare(run, base):
    """TAP of the patched run; what the base does no better is no failure."""
    before = outcomes(base) if base else {}
    print("TAP version 13")
    n, worst = 0, "pass"
    summary = {"pass": 0, "fail": 0, "skip": 0, "base": 0, "sub": 0}

    def worse(v):
        nonlocal worst
        if VERDICTS.index(v) > VERDICTS.index(worst):
            worst = v

    def better_before(key, outcome):
        return base is None or RANK[before.get(key, "pass")] < RANK[outcome]

    for t in run["tests"]:
        n += 1
        counts = {}
        for s in t["sub"]:
            counts[s["outcome"]] = counts.get(s["outcome"], 0) + 1
        summary["sub"] += len(t["sub"])
        text = ", ".join("%d %s" % (counts[k], k) for k in ("pass", "fail", "skip", "xfail") if k in counts)
        bad = [s for s in t["sub"] if s["outcome"] == "fail"]
        lost = [s for s in t["sub"] if s["outcome"] == "skip" and base is not None
                and before.get((t["name"], s["name"])) in ("pass", "xfail")]
        new = [s for s in bad if better_before((t["name"], s["name"]), s["outcome"])]
        failing = t["outcome"] in ("fail", "timeout")
        gone = t["outcome"] == "skip" and base is not None and before.get((t["name"], "")) == "pass"
        excused = failing and base is not None and not new and \
            RANK[before.get((t["name"], ""), "pass")] >= RANK[t["outcome"]]
        fine = (not failing or excused) and not lost and not gone
        line = "%s %d - %s" % ("ok" if fine else "not ok", n, t["name"])
        if excused:
            line += " # TODO fails on the base too"
            summary["base"] += 1
        elif t["outcome"] == "skip" and fine:
            why = next((s["why"] for s in t["sub"] if s["why"]), "") or \
                next((o for o in reversed(t["output"]) if o.strip()), "no reason given")
            line += " # SKIP " + why.lstrip("# ")[:100]
            summary["skip"] += 1
        elif fine:
            summary["pass"] += 1
        else:
            summary["fail"] += 1
            worse("timeout" if t["outcome"] == "timeout" else "fail")
        print(line)
        if text or t["seconds"] is not None:
            print("# %s%s" % (text or "exit code %s" % t["rc"],
                              "" if t["seconds"] is None else ", %.1f s" % t["seconds"]))
        for s in bad:
            known = s not in new
            print("#   %s: %s%s" % ("fails on the base too" if known else "FAILED", s["name"],
                                    " (%s)" % s["why"] if s["why"] else ""))
        for s in lost:
            print("#   no longer runs: %s (%s)" % (s["name"], s["why"]))
        if t["outcome"] == "timeout":
            print("#   did not end within %s s" % t.get("limit", "?"))
        if failing and not excused and not bad:
            for o in t["output"][-8:]:
                print("#   | " + o)
        elif failing and not excused:
            for o in [o for o in t["output"] if o.startswith("# ")][-8:]:
                print("#   | " + o[2:])

    def complaint(kind, s):
        nonlocal n
        n += 1
        print("not ok %d - %s (%s)" % (n, kind, s["test"]))
        for line in s["excerpt"][:45]:
            print("#   | " + line)

    old = {s["text"].split(" at ")[0] for s in base["splats"]} if base else set()
    for s in run["splats"]:
        if s["text"].split(" at ")[0] in old:
            n += 1
            print("ok %d - no splat # TODO the base has it too: %s" % (n, s["text"][:80]))
            continue
        summary["fail"] += 1
        worse("splat")
        complaint("splat: " + s["text"][:100], s)
    allowed = {}
    for s in run["waived"]:
        text = re.sub(r"CPU: \d+ PID: \d+ ", "", s["text"])[:80], s["reason"]
        allowed[text] = allowed.get(text, 0) + 1
    for (text, reason), times in allowed.items():
        print("# allowed: %s%s (%s)" % (text, ", %d times" % times if times > 1 else "", reason))
    if run["panic"]:
        worst = "panic"
        complaint("panic: " + run["panic"]["text"][:100], run["panic"])
    elif run["init"] is None:
        worst = "noboot"
        complaint("init never spoke", {"test": "boot", "excerpt": run["tail"]})
    elif not run["done"]:
        last = run["tests"][-1]["name"] if run["tests"] else "boot"
        worse("timeout")
        complaint("the guest stopped answering", {"test": last, "excerpt": run["tail"]})
    print("1..%d" % n)
    print("# verdict: %s; %d tests passed, %d failed, %d skipped, %d fail on the base too; %d results in them"
          % (worst, summary["pass"], summary["fail"], summary["skip"], summary["base"], summary["sub"]))
    return worst


def main():
    if len(sys.argv) == 7 and sys.argv[1] == "read":
        json.dump(read(*sys.argv[2:]), sys.stdout, indent=1)
        print()
        return 0
    if len(sys.argv) in (3, 4) and sys.argv[1] == "compare":
        with open(sys.argv[2]) as f:
            run = json.load(f)
        base = None
        if len(sys.argv) == 4:
            with open(sys.argv[3]) as f:
                base = json.load(f)
        return {"pass": 0, "fail": 1, "splat": 4, "panic": 5, "timeout": 6, "noboot": 7}[compare(run, base)]
    print(__doc__.strip(), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
