#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""One page of HTML about the records of all trees.

usage: report.py NOW.json OUT-FOLDER VERSION

NOW.json says what is there now (scripts/report makes it); the page goes to stdout.
Exit codes: 0, or 2 when a record could not be read, which the page says too.
"""
import base64
import json
import os
import re
import sys
from html import escape

GOOD, BAD, SKIP, OLD, NONE = "good", "bad", "skip", "old", "none"
MARKS = {GOOD: "✓", BAD: "✗", SKIP: "–", OLD: "⟳", NONE: "·"}
WORDS = {GOOD: "passed", BAD: "failed", SKIP: "skipped", OLD: "stale", NONE: "not run"}

CSS = """
:root { color-scheme: light dark; --fg: #1b1f24; --bg: #fff; --dim: #5a6370; --line: #d5dae1; --soft: #f4f6f8;
  --good: #1a7f37; --bad: #c4202b; --skip: #7a5b00; --old: #8250df; }
@media (prefers-color-scheme: dark) { :root { --fg: #e3e8ee; --bg: #14181d; --dim: #9aa5b1; --line: #333b45;
  --soft: #1d232a; --good: #56d364; --bad: #ff7b72; --skip: #e3b341; --old: #c297ff; } }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--fg); background: var(--bg); max-width: 72rem;
  margin: 0 auto; padding: 1.5rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; border-bottom: 1px solid var(--line) }
h3 { font-size: 1rem; margin: 1.5rem 0 .4rem }
p, .dim { color: var(--dim); margin: .3rem 0 }
.wide { overflow-x: auto }
table { border-collapse: collapse; margin: .4rem 0; font-size: .9rem }
th, td { text-align: left; vertical-align: top; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid var(--line) }
th { font-weight: 600; white-space: nowrap } td.n { text-align: right; font-variant-numeric: tabular-nums }
code, pre { font: .85em ui-monospace, monospace } pre { background: var(--soft); padding: .6rem; overflow-x: auto; margin: .3rem 0 }
.v { white-space: nowrap; font-weight: 600 } .good { color: var(--good) } .bad { color: var(--bad) }
.skip { color: var(--skip) } .old { color: var(--old) } .none { color: var(--dim); font-weight: 400 }
details { margin: .3rem 0 } summary { cursor: pointer } img { max-width: 100%; background: #fff }
"""


def mark(kind, text=None):
    return '<span class="v %s">%s %s</span>' % (kind, MARKS[kind], escape(WORDS[kind] if text is None else text))


def row(cells, tag="td"):
    out = []
    for c in cells:
        number = isinstance(c, (int, float)) and not isinstance(c, bool)
        out.append("<%s%s>%s</%s>" % (tag, ' class="n"' if number else "", escape(figure(c)) if number else c, tag))
    return "<tr>%s</tr>" % "".join(out)


def table(head, rows):
    rows = list(rows)
    if not rows:
        return ""
    return '<div class="wide"><table><thead>%s</thead><tbody>%s</tbody></table></div>' % (
        row([escape(h) for h in head], "th"), "\n".join(rows))


def figure(x):
    if isinstance(x, float) and not x.is_integer():
        return "%g" % x
    return "{:,}".format(int(x))


def text(x, limit=400):
    """Anything of a record, as text; its first line, and not a novel."""
    s = "" if x is None else str(x)
    first = s.split("\n", 1)[0]
    return escape(first if len(first) <= limit else first[:limit] + " …")


def count(n, noun):
    return "%d %s%s" % (n, noun, "" if n == 1 else "s")


def patches(n):
    return "1 patch" if n == 1 else "%d patches" % n


class Tree:
    """What is known of a tree, and whether it is about what is there now."""

    def __init__(self, now, folder, complaints):
        self.now, self.name, self.stale = now, now["tree"], []
        self.folder = os.path.join(folder, self.name)
        self.complaints = complaints
        self.report = self.read("report.json", "records")
        self.bench = self.read("bench.json", "figures")
        self.mutants = self.read("mutants.json", "mutants")
        self.boots = []
        names = sorted(os.listdir(self.folder)) if os.path.isdir(self.folder) else []
        trees = {b["file"]: b["tree"] for b in now["boots"]}
        for f in names:
            if f.startswith("boot-") and f.endswith(".json"):
                boot = self.read(f, "tests")
                if boot:
                    boot["file"] = f
                    want = now["base"] if boot.get("state") == "base" else now["series"]
                    boot["fresh"] = bool(want) and trees.get(f) == want
                    self.boots.append(boot)
        self.fresh = bool(self.report) and bool(now["key"]) and self.report.get("series_key") == now["key"]
        if self.report and not self.fresh:
            self.stale.append("checks and cells: " + (
                "the patch files or the base are others now" if now["key"] else "the tree is not there to be compared with"))
        for b in self.boots:
            if not b["fresh"]:
                self.stale.append("boot %s: it was of another tree than the one that is there" % b["file"][5:-5])
        if self.bench and self.bench.get("series_key") != now["key"]:
            self.stale.append("benchmark: of %s, before the patch files changed" % self.bench.get("when", "?"))
        self.hashes = {m["name"]: m["hash"] for m in now["mutants"]}
        for m in (self.mutants or {}).get("mutants", []):
            m["fresh"] = m.get("series") == now["series"] and bool(now["series"]) and \
                m.get("hash") == self.hashes.get(m.get("mutant"))
        old = [m for m in (self.mutants or {}).get("mutants", []) if not m["fresh"]]
        if old:
            self.stale.append("%s: run on another state of the series, or changed since" % count(len(old), "mutant"))

    def read(self, name, needs):
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):
            return None
        try:
            with open(path, encoding="utf-8") as f:
                data = json.load(f)
            if not isinstance(data.get(needs), list) or not all(isinstance(x, dict) for x in data[needs]):
                raise ValueError("no list '%s' in it" % needs)
            return data
        except (OSError, ValueError, AttributeError) as e:
            self.complaints.append("%s/%s cannot be read: %s" % (self.name, name, e))
            return None

    def records(self, want):
        return [r for r in (self.report or {}).get("records", []) if want(r)]


def verdict_kind(verdict):
    return {"passed": GOOD, "failed": BAD, "skipped": SKIP}.get(verdict, BAD)


def overall(records, fresh):
    """One mark for a number of records."""
    if not records:
        return mark(NONE)
    failed = sum(r.get("verdict") == "failed" for r in records)
    passed = sum(r.get("verdict") == "passed" for r in records)
    if failed:
        said = mark(BAD, "%d failed" % failed)
    elif passed:
        said = mark(GOOD, "%d passed" % passed)
    else:
        said = mark(SKIP)
    return said if fresh else said + " " + mark(OLD)


def features(trees):
    topics = {}
    for t in trees:
        for topic in t.now["topics"]:
            topics.setdefault(topic["name"], {})[t.name] = topic
    rows = []
    for name in sorted(topics):
        cells = ["<th>%s</th>" % escape(name)]
        for t in trees:
            topic = topics[name].get(t.name)
            if not topic:
                cells.append('<td><span class="none">not here</span></td>')
                continue
            own = t.records(lambda r: str(r.get("scope", "")).startswith(name + "/"))
            cells.append('<td><span title="%s">%s</span><br>%s</td>' % (
                escape(topic["title"]), patches(topic["patches"]), overall(own, t.fresh)))
        rows.append("<tr>%s</tr>" % "".join(cells))
    rows.append("<tr><th>whole series</th>%s</tr>" % "".join(
        "<td>%s</td>" % overall(t.records(lambda r: r.get("scope") == "series"), t.fresh) for t in trees))
    rows.append("<tr><th>booted</th>%s</tr>" % "".join("<td>%s</td>" % boots_mark(t) for t in trees))
    return '<div class="wide"><table><thead>%s</thead><tbody>%s</tbody></table></div>' % (
        row([""] + ['<a href="#%s">%s</a>' % (escape(t.name), escape(t.name)) for t in trees], "th"), "\n".join(rows))


def boots_mark(t):
    if not t.boots:
        return mark(NONE)
    bad = [b for b in t.boots if b.get("verdict") != "pass" and b.get("state") != "base"]
    said = mark(BAD, "%d of %d not clean" % (len(bad), len(t.boots))) if bad else mark(GOOD, count(len(t.boots), "boot"))
    return said if all(b["fresh"] for b in t.boots) else said + " " + mark(OLD)


def checks(t):
    """Per patch: a line each, those that failed in full."""
    by_scope = {}
    for r in t.records(lambda r: not re.match(r"(build|warnings|sparse) ", str(r.get("check"))) or r.get("scope") != "series"):
        by_scope.setdefault(str(r.get("scope")), []).append(r)
    if not by_scope:
        return ""
    rows, bad = [], []
    for scope in sorted(by_scope):
        said = []
        for r in by_scope[scope]:
            kind = verdict_kind(r.get("verdict"))
            said.append('<span class="v %s" title="%s">%s %s</span>' % (
                kind, text(r.get("detail")), MARKS[kind], text(r.get("check"))))
            if kind == BAD:
                bad.append("<h4>%s: %s</h4><pre>%s</pre>" % (text(scope), text(r.get("check")), escape(str(r.get("detail", ""))[:4000])))
        rows.append(row(["<code>%s</code>" % text(scope), " ".join(said)]))
    return "<h3>Checks</h3>%s<details%s><summary>%s</summary>%s</details>" % (
        "".join(bad), " open" if bad else "", "every patch, and the series", table(["patch", "checks"], rows))


def cells(t):
    found = {}
    for r in t.records(lambda r: r.get("scope") == "series"):
        m = re.match(r"(build|warnings|sparse) (.*)", str(r.get("check")))
        if m:
            found.setdefault(m.group(2), {})[m.group(1)] = r
    rows = []
    for name in sorted(found):
        c = found[name]
        build, warnings = c.get("build"), c.get("warnings")
        why = next((r for r in (build, warnings) if r and r.get("verdict") != "passed"), build or warnings)
        rows.append(row([text(name)] + [
            mark(verdict_kind(r.get("verdict"))) if r else mark(NONE) for r in (build, warnings)] + [
            sum(r.get("seconds") or 0 for r in c.values()), text(why.get("detail"), 160),
            "<details><summary>command</summary><pre>%s</pre></details>" % escape(str((build or {}).get("command") or ""))]))
    return "<h3>Cells</h3>" + table(["cell", "build", "warnings", "seconds", "", ""], rows) if rows else ""


def boots(t):
    rows, more = [], []
    for b in t.boots:
        outcomes = [x.get("outcome") for x in b["tests"]]
        good = b.get("verdict") == "pass"
        rows.append(row([text("%s, %s, %s" % (b.get("arch"), b.get("variant"), b.get("state"))),
                         mark(GOOD if good else BAD, b.get("verdict")) + ("" if b["fresh"] else " " + mark(OLD)),
                         "%d passed, %d failed, %d skipped" % tuple(outcomes.count(o) for o in ("pass", "fail", "skip")),
                         b.get("seconds") or 0, text(b.get("init"))]))
        for x in b["tests"]:
            if x.get("outcome") != "pass":
                subs = [s.get("name") for s in x.get("sub") or [] if s.get("outcome") == "fail"]
                more.append("<li>%s: %s %s%s</li>" % (text(b["file"]), mark(BAD if x.get("outcome") == "fail" else SKIP, x.get("outcome")),
                            text(x.get("name")), escape(": " + ", ".join(map(str, subs))[:400]) if subs else ""))
        for s in b.get("splats") or []:
            lines = s.get("excerpt") or [s.get("text")] if isinstance(s, dict) else [s]
            more.append("<li>%s: %s<pre>%s</pre></li>" % (text(b["file"]), mark(BAD, "the kernel complained"),
                        escape("\n".join(map(str, lines))[:4000])))
    if not rows:
        return ""
    return "<h3>Boots</h3>" + table(["kernel", "verdict", "tests", "seconds", ""], rows) + (
        "<ul>%s</ul>" % "\n".join(more) if more else "")


def mutants(t):
    known = {m.get("mutant"): m for m in (t.mutants or {}).get("mutants", [])}
    if not t.hashes and not known:
        return ""
    rows, killed = [], 0
    for name in sorted(set(t.hashes) | set(known), key=str):
        m = known.get(name)
        if not m:
            rows.append(row([text(name), mark(NONE), "", ""]))
            continue
        good = m.get("verdict") == "killed"
        killed += good and m["fresh"]
        gone = "" if name in t.hashes else " (no longer there)"
        rows.append(row([text(name) + gone, mark(GOOD if good else BAD, "%s %s/%s" % (m.get("verdict"), m.get("seen"), m.get("of"))) + (
            "" if m["fresh"] else " " + mark(OLD)), text(m.get("guard"), 160), text(m.get("by"), 160)]))
    return "<h3>Mutants</h3><p>%d of %d killed on the series as it is.</p><details><summary>all of them</summary>%s</details>" % (
        killed, len(t.hashes), table(["mutant", "verdict", "guard", "seen by"], rows))


def benchmark(t):
    if not t.bench:
        return ""
    rows = []
    for f in t.bench["figures"]:
        base, patched = (f.get(s) or {} for s in ("base", "patched"))
        rows.append(row([text(f.get("name")), text(f.get("unit")), base.get("median") if base.get("median") is not None else "–",
                         patched.get("median") if patched.get("median") is not None else "–", f.get("ratio", "–"),
                         text("%s – %s" % (base.get("min"), base.get("max"))), text("%s – %s" % (patched.get("min"), patched.get("max")))]))
    picture, path = "", os.path.join(t.folder, "bench.svg")
    if os.path.exists(path):
        # As an image: nothing in it can run, or reach beyond the page.
        with open(path, "rb") as f:
            picture = '<img alt="base and patched, figure by figure" src="data:image/svg+xml;base64,%s">' % base64.b64encode(f.read()).decode()
    fresh = t.bench.get("series_key") == t.now["key"]
    return "<h3>Benchmark</h3><p>%s, %s, medians of %s%s</p>%s%s" % (
        text(t.bench.get("arch")), text(t.bench.get("when")), text(t.bench.get("pairs")), "" if fresh else " " + mark(OLD), picture,
        table(["figure", "unit", "base", "patched", "patched/base", "base min – max", "patched min – max"], rows))


def section(t):
    r = t.report or {}
    base = r.get("base") if isinstance(r.get("base"), dict) else {}
    parts = ['<h2 id="%s">%s</h2>' % (escape(t.name), escape(t.name))]
    parts.append("<p>%s</p>" % (text("%s, %s" % (base.get("version"), base.get("origin"))) if base else "no record of a check"))
    tools = r.get("tools") if isinstance(r.get("tools"), dict) else {}
    if tools:
        parts.append("<p>%s</p>" % text(", ".join("%s %s" % kv for kv in sorted(tools.items()) if kv[1])))
    if t.stale:
        parts.append("<ul>%s</ul>" % "".join("<li>%s %s</li>" % (mark(OLD), escape(s)) for s in t.stale))
    parts += [checks(t), cells(t), boots(t), mutants(t), benchmark(t)]
    return "\n".join(parts)


def page(trees, version, complaints):
    out = ['<!DOCTYPE html>', '<html lang="en">', "<head>", '<meta charset="utf-8">',
           '<meta name="viewport" content="width=device-width, initial-scale=1">',
           # Nothing is fetched, nothing runs.
           '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'; img-src data:">',
           "<title>walklock: %s</title>" % escape(", ".join(t.name for t in trees)), "<style>%s</style>" % CSS, "</head>", "<body>",
           "<h1>walklock</h1>", "<p>%s. %s</p>" % (escape(version), " ".join(
               mark(k) for k in (GOOD, BAD, SKIP, OLD, NONE)))]
    if complaints:
        out.append("<ul>%s</ul>" % "".join('<li>%s</li>' % mark(BAD, c) for c in complaints))
    out.append("<h2>Topics by tree</h2>")
    out.append(features(trees))
    stale = [(t, s) for t in trees for s in t.stale]
    out.append("<h2>What is stale</h2>")
    out.append("<ul>%s</ul>" % "".join("<li>%s: %s</li>" % (escape(t.name), escape(s)) for t, s in stale)
               if stale else "<p>Nothing: all records are about what is there now.</p>")
    out += [section(t) for t in trees]
    out += ["</body>", "</html>"]
    return "\n".join(out)


def main():
    if len(sys.argv) != 4:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    with open(sys.argv[1], encoding="utf-8") as f:
        now = json.load(f)
    complaints = []
    trees = [Tree(n, sys.argv[2], complaints) for n in now]
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    print(page(trees, sys.argv[3], complaints))
    for c in complaints:
        print("report: %s" % c, file=sys.stderr)
    return 2 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
