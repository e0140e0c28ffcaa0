#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154 # from lib.sh
#
# scripts/report: what the records say stands on the page, what is stale is called so,
# and nothing of a record gets out of its place.

# shellcheck source=scripts/tests/lib.sh
. "$(dirname "$0")/lib.sh"
make_checkout
make_series "$W/patches"
make_tree
wl apply fake >/dev/null 2>&1
R=$WALKLOCK_OUT/fake
mkdir -p "$R" "$W/scripts/tests/mutants/fake"
printf 'Guard: one\n' >"$W/scripts/tests/mutants/fake/first.patch"
printf 'Guard: two\n' >"$W/scripts/tests/mutants/fake/second.patch"

# The page as text, and whether every element ends where it should.
cat >"$T/look.py" <<'PY'
import sys
from html.parser import HTMLParser

class Look(HTMLParser):
    void = {"meta", "br", "img"}
    def __init__(self):
        super().__init__()
        self.open, self.text, self.bad = [], [], []
    def handle_starttag(self, tag, attrs):
        if tag not in self.void:
            self.open.append(tag)
        if tag in ("script", "iframe", "object", "link", "base", "form"):
            self.bad.append(tag)
        for name, value in attrs:
            if name.startswith("on") or (name in ("src", "href") and not value.startswith(("#", "data:image/svg+xml;base64,"))):
                self.bad.append("%s=%s" % (name, value))
    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.bad.append("</%s>" % tag)
    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text.append(data)

p = Look()
p.feed(open(sys.argv[1], encoding="utf-8").read())
p.bad += p.open
print(" ".join(" ".join(p.text).split()))
sys.exit("not well-formed, or reaches out: %s" % p.bad if p.bad else 0)
PY
page() { # ARGS...: runs it; PAGE is its text
	run wl report "$@"
	PAGE=$(python3 "$T/look.py" "$WALKLOCK_OUT/report.html" 2>"$T/look.err")
	ok $? "the page is well-formed and refers to nothing outside" || diag <"$T/look.err"
}

# ---- nothing is known ------------------------------------------------------------

page fake
good "no record at all" "^$WALKLOCK_OUT/report.html\$"
like "$PAGE" "1-walk-lock 2 patches · not run" "topics with their patches, not run"
like "$PAGE" "no record of a check" "and says that there is no record"
unlike "$PAGE" "passed.*[0-9]+ passed" "nothing passes"
like "$PAGE" "Mutants 0 of 2 killed" "mutants that were not run are not killed"

# ---- records of what is there -------------------------------------------------------

wl check fake --no-build >/dev/null 2>&1
cp "$R/report.json" "$T/report.json"
page fake
like "$PAGE" "1-walk-lock 2 patches ✓ [0-9]+ passed" "a record of these patches"
like "$PAGE" "What is stale Nothing: all records are about what is there now" "and nothing is stale"

jq '.records += [{scope: "series", check: "build x86_64", verdict: "passed", detail: "3 touched files", seconds: 61, command: "make ARCH=x86_64"},
	{scope: "series", check: "warnings x86_64", verdict: "failed", detail: "mm/a.c:1: <b>new</b>\nmm/b.c", seconds: 2},
	{scope: "series", check: "build toy", verdict: "skipped", detail: "no compiler"},
	{scope: "1-walk-lock/0001-x.patch", check: "checkpatch", verdict: "failed", detail: "</pre><script>alert(1)</script>\"&amp;"}]' "$T/report.json" >"$R/report.json"
page fake
like "$PAGE" "x86_64 ✓ passed ✗ failed 63 mm/a.c:1: <b>new</b> " "a cell, with what its warnings are"
like "$PAGE" "toy – skipped · not run 0 no compiler" "one that was skipped, with the reason"
like "$PAGE" "1-walk-lock 2 patches ✗ 1 failed" "a topic with a failure fails"
like "$PAGE" "</pre><script>alert\(1\)</script>\"&amp;" "what a record says stays text"
like "$PAGE" "make ARCH=x86_64" "the command that does the same"

# ---- boots, mutants, figures -----------------------------------------------------------

cp "$T/report.json" "$R/report.json"
tip=$(g "$D" rev-parse walklock/series)
tree=$(g "$D" rev-parse 'walklock/series^{tree}')
hash=$(sha256sum <"$W/scripts/tests/mutants/fake/first.patch" | cut -d' ' -f1)
jq -n --arg c "$tip" '{commit: $c, state: "series", arch: "x86_64", variant: "lockdep", verdict: "splat", seconds: 156, init: "7.3.0",
	splats: [{text: "WARNING", excerpt: ["WARNING: at <mm>"]}],
	tests: [{name: "good", outcome: "pass", sub: []}, {name: "worse", outcome: "fail", sub: [{name: "case 7", outcome: "fail"}]}]}' >"$R/boot-x86_64-lockdep-short.json"
jq -n --arg t "$tree" --arg h "$hash" '{mutants: [{mutant: "first", guard: "one", verdict: "killed", seen: 3, of: 3, by: "a test", series: $t, hash: $h},
	{mutant: "gone", guard: "none", verdict: "killed", seen: 1, of: 1, by: "x", series: $t, hash: $h}]}' >"$R/mutants.json"
jq -n --arg k "$(jq -r .series_key "$R/report.json")" '{series_key: $k, arch: "x86_64", pairs: 5, when: "2026-01-05",
	figures: [{name: "faults", unit: "per second", base: {median: 100000, min: 99000, max: 101000}, patched: {median: 120000, min: 1, max: 2}, ratio: 1.2}]}' >"$R/bench.json"
printf '<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>' >"$R/bench.svg"
page fake
like "$PAGE" "x86_64, lockdep, series ✗ splat 1 passed, 1 failed, 0 skipped 156" "a boot with its tests"
like "$PAGE" "✗ fail worse: case 7 .*the kernel complained WARNING: at <mm>" "what failed in it, and what the kernel said"
like "$PAGE" "Mutants 1 of 2 killed" "a mutant that was killed"
like "$PAGE" "gone \(no longer there\)" "and one that is no longer there"
like "$PAGE" "faults per second 100,000 120,000 1.2" "figures"
is "$(grep -c 'src="data:image/svg+xml;base64,' "$WALKLOCK_OUT/report.html")" 1 "the picture is in the page, as an image"
like "$PAGE" "What is stale fake: 1 mutant: run on another state" "only what is no longer there is stale"

# ---- something changed -------------------------------------------------------------------

printf 'Guard: one, really\n' >"$W/scripts/tests/mutants/fake/first.patch"
page fake
like "$PAGE" "Mutants 0 of 2 killed" "a mutant that changed since was not killed"
g "$D" checkout -q walklock/2-nolock
edit "$D/mm/nolock.c" 's/int nolock;/int nolock_now;/'
g "$D" commit -q -a --amend --no-edit
g "$D" update-ref refs/heads/walklock/series HEAD
g "$D" checkout -q base
wl export fake >/dev/null 2>&1
page fake
like "$PAGE" "What is stale fake: checks and cells: .*fake: boot x86_64-lockdep-short: .*fake: benchmark: .*fake: 2 mutants: " "another patch: all of it is stale"
like "$PAGE" "1-walk-lock 2 patches ✓ [0-9]+ passed ⟳ stale" "and the topics say so"

# ---- bad input ----------------------------------------------------------------------------

printf '{"records": [' >"$R/report.json"
page fake
is "$RC" 2 "a record that ends early: exit code 2"
like "$ERR" "fake/report.json cannot be read" "says which"
like "$PAGE" "✗ fake/report.json cannot be read.*faults per second" "and so does the page, which has the others"
printf '{"records": {"a": 1}}' >"$R/report.json"
page fake
like "$RC/$ERR" "^2/.*no list 'records' in it" "one of another shape"
rm "$R/report.json"
run wl report
good "all trees, of which some have no folder and no mutant" "report.html\$"
cp -R "$W/patches" "$T/patches"
for f in "$W"/patches/1*/0001*; do head -c 400 "$T/patches/${f#"$W/patches/"}" >"$f"; done
run wl report fake
refused 2 "patches/1-walk-lock/0001-" "a patch file that is damaged"
rm -rf "$W/patches"
mv "$T/patches" "$W/patches"
run wl report nosuch
refused 2 "unknown tree 'nosuch'" "an unknown tree"
run wl report --output "$T" fake
refused 2 "is a folder" "a folder for the page"
run wl report --output "$T/other place/page.html" fake
good "--output" "^$T/other place/page.html\$"
is "$(tmp_left)" 0 "no temporary folder is left"

# ---- a browser -------------------------------------------------------------------------------

if browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome); then
	HOME=$T/browser timeout 120 "$browser" --headless --no-sandbox --disable-gpu --virtual-time-budget=2000 --enable-logging=stderr \
		--dump-dom "file://${T// /%20}/other%20place/page.html" >"$T/dom" 2>"$T/browser.err"
	ok $? "a browser takes it"
	like "$(cat "$T/dom")" "Topics by tree.*faults" "and shows it"
	is "$(grep -cE 'CONSOLE|Refused to' "$T/browser.err")" 0 "with nothing to complain of"
else
	skip "a browser takes it" "chromium is not installed"
fi
done_testing
