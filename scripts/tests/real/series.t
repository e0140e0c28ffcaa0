#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The series on a real tree.  WALKLOCK_TEST_TREE says which.

# shellcheck source=scripts/tests/real/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/lib/build.sh
. scripts/lib/build.sh

printf '# %s: Linux %s\n' "$tree" "$(scripts/tree "$tree" --describe)"

scripts/apply "$tree" >"$tmp/apply" 2>&1
rc=$?
ok "$rc" "scripts/apply"
[ "$rc" -eq 0 ] || show "$tmp/apply"
scripts/apply "$tree" 2>&1 | grep -q '^already applied'
ok $? "applied twice: says so"
scripts/export "$tree" --check >"$tmp/export" 2>&1
rc=$?
ok "$rc" "regenerated patch files are the same, byte for byte on the base that they were made on"
[ "$rc" -eq 0 ] || show "$tmp/export"

# The user's own way, without a tool of this project.
git init -q "$tmp/own"
printf '%s\n' "$T_DIR/.git/objects" >"$tmp/own/.git/objects/info/alternates"
git -C "$tmp/own" config user.name user
git -C "$tmp/own" config user.email user@example.org
git -C "$tmp/own" update-ref HEAD "$(git -C "$T_DIR" rev-parse base)"
git -C "$tmp/own" config core.sparseCheckout true
python3 scripts/lib/patches.py files "$T_SERIES"/*/*.patch | sed 's|^|/|' >"$tmp/own/.git/info/sparse-checkout"
git -C "$tmp/own" read-tree -mu HEAD
git -C "$tmp/own" am -q "$T_SERIES"/*/*.patch >"$tmp/am" 2>&1 &&
	[ "$(git -C "$tmp/own" rev-parse 'HEAD^{tree}')" = "$(git -C "$T_DIR" rev-parse 'walklock/series^{tree}')" ]
rc=$?
ok "$rc" "git am SERIES/*/*.patch by hand gives the same tree"
[ "$rc" -eq 0 ] || show "$tmp/am"

for topic in "$T_SERIES"/[0-9]-*/; do
	[ -s "$topic/cover-letter.txt" ]
	ok $? "$(basename "$topic") has a cover letter"
done

scripts/check "$tree" >"$tmp/check" 2>"$tmp/check.err"
rc=$?
ok "$rc" "scripts/check"
show "$tmp/check"
[ "$rc" -eq 0 ] || show "$tmp/check.err"
jq -e '.records | length > 0 and all(.[]; .verdict != "passed" or .key != "")' out/"$tree"/report.json >/dev/null
ok $? "the report holds its records"

# A boot of the same tree would change the work tree under what follows.
WALKLOCK_WAIT=${WALKLOCK_WAIT:-3600} wl_lock "work-$tree"
wl_work_ready
wl_work_at "$(git -C "$T_DIR" rev-parse walklock/series)"
: >"$tmp/mutants"
for m in scripts/tests/mutants/"$tree"/*.patch; do
	wl_git "$W_DIR" apply --check "$PWD/$m" 2>"$tmp/err" || printf '%s: %s\n' "$m" "$(head -n 1 "$tmp/err")" >>"$tmp/mutants"
done
[ ! -s "$tmp/mutants" ]
rc=$?
ok "$rc" "every mutant applies to the series"
[ "$rc" -eq 0 ] || show "$tmp/mutants"

printf '1..%d\n' "$n"
