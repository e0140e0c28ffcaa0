#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The series on a real tree.  WALKLOCK_TEST_TREE says which.

# shellcheck source=scripts/tests/real/lib.sh
. "$(dirname "$0")/lib.sh"

printf '# %s: Linux %s\n' "$tree" "$(scripts/tree "$tree" --describe)"

scripts/apply "$tree" >"$tmp/apply" 2>&1
rc=$?
ok "$rc" "scripts/apply"
[ "$rc" -eq 0 ] || show "$tmp/apply"
scripts/apply "$tree" 2>&1 | grep -q '^already applied'
ok $? "applied twice: says so"
scripts/export "$tree" --check >"$tmp/export" 2>&1
rc=$?
ok "$rc" "regenerated patch files are the same bytes"
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

# What the rule says of the tree before and after.
lists=scripts/tests/real/walk-lock.lists
for state in base patched; do
	ref=base
	[ "$state" = base ] || ref=walklock/series
	work=$WL_CACHE/work/$tree/source
	wl_git "$work" checkout -q --force --detach "$(git -C "$T_DIR" rev-parse "$ref")"
	scripts/annotate "$work" --json >"$tmp/$state.json" 2>"$tmp/annotate.err"
	rc=$?
	awk -v t="$tree" -v s="$state" '$1 == t && $2 == s { print $3, $4 }' "$lists" | sort >"$tmp/want"
	jq -r '.findings[] | select(.rule == "walk_lock") | "\(.file) \(.table)"' "$tmp/$state.json" | sort >"$tmp/got"
	[ "$rc" -le 1 ] && diff "$tmp/want" "$tmp/got" >"$tmp/diff"
	rc=$?
	ok "$rc" "$state: the rule reports exactly the $(wc -l <"$tmp/want") listed tables"
	[ "$rc" -eq 0 ] || show "$tmp/diff"
	[ "$(jq '[.findings[] | select(.rule == "walk_lock_mismatch")] | length' "$tmp/$state.json")" = 0 ]
	ok $? "$state: no declared mode contradicts the lock held"
	[ "$(jq '(.failed | length) + (.timed_out | length)' "$tmp/$state.json")" = 0 ]
	ok $? "$state: every file was parsed ($(jq -r '"\(.parsed) of \(.files)"' "$tmp/$state.json"))"
done

# The work tree has the whole series now.
: >"$tmp/mutants"
for m in scripts/tests/mutants/"$tree"/*.patch; do
	wl_git "$work" apply --check "$PWD/$m" 2>"$tmp/err" || printf '%s: %s\n' "$m" "$(head -n 1 "$tmp/err")" >>"$tmp/mutants"
done
[ ! -s "$tmp/mutants" ]
rc=$?
ok "$rc" "every mutant applies to the series"
[ "$rc" -eq 0 ] || show "$tmp/mutants"

# The limit is that of two cores which count to 30 million, both at once, in a
# second; where that takes longer (a slower machine, or one that does other work),
# so may the rules.
yardstick() {
	local t0 i
	t0=$(date +%s%3N)
	for i in 1 2; do perl -e '$s += $_ % 7 for 1..30000000' & done
	wait
	yard=$(($(date +%s%3N) - t0))
	[ "$yard" -ge 1000 ] || yard=1000
}
best=999999 took=999999 slow=1000
base=$work
wl_git "$work" checkout -q --force --detach "$(git -C "$T_DIR" rev-parse base)"
for _ in 1 2 3; do
	yardstick
	before=$yard
	t0=$(date +%s%3N)
	scripts/annotate "$work" --json >/dev/null 2>&1
	t=$(($(date +%s%3N) - t0))
	yardstick
	yard=$(((before + yard) / 2))
	[ $((t * 1000 / yard)) -lt "$best" ] || continue
	best=$((t * 1000 / yard)) took=$t slow=$yard
done
printf '# both rules over the whole tree: %d ms (best of 3), the yardstick of 1000 ms took %d ms\n' "$took" "$slow"
[ "$best" -le 5000 ]
ok $? "both rules over the whole tree take at most 5 s on two free cores" "$(unmet speed)"

if git -C "$T_DIR" grep -q walk_lock base -- include/linux/pagewalk.h; then
	for how in '' --rename; do
		# shellcheck disable=SC2086
		scripts/tests/restore-walk-lock $how "$base" >"$tmp/restore" 2>&1
		rc=$?
		total=$(tail -n 1 "$tmp/restore")
		printf '# restore %s: %s\n' "$how" "$total"
		case $total in *', 0 wrong, '*) wrong=0 ;; *) wrong=1 ;; esac
		ok "$wrong" "restore${how:+ ($how)}: no wrong mode comes back"
		ok "$rc" "restore${how:+ ($how)}: at least 80 % of the modes come back" "$(unmet restore)"
		[ "$wrong" -eq 0 ] || show "$tmp/restore"
	done
else
	printf 'ok %d - %s: restore # SKIP the unmodified tree has no walk_lock to take out\n' $((n += 1)) "$tree"
fi
printf '1..%d\n' "$n"
