#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# coccinelle/walk_lock.cocci and walk_lock_mismatch.cocci on a real tree, unpatched
# and patched: what they report, how long they take, and whether they give back the
# modes that the tree had.  WALKLOCK_TEST_TREE says which.

# shellcheck source=scripts/tests/real/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/lib/build.sh
. scripts/lib/build.sh

TOOLS=$(spatch --version | head -n 1) reuse coccinelle scripts/annotate scripts/tests/restore-walk-lock scripts/tests/real/walk-lock.lists

# A boot of the same tree would change the work tree under what follows.
WALKLOCK_WAIT=${WALKLOCK_WAIT:-3600} wl_lock "work-$tree"
wl_work_ready

# What the rule says of the tree before and after.
lists=scripts/tests/real/walk-lock.lists
for state in base patched; do
	ref=base
	[ "$state" = base ] || ref=walklock/series
	wl_work_at "$(git -C "$T_DIR" rev-parse "$ref")"
	scripts/annotate "$W_DIR" --json >"$tmp/$state.json" 2>"$tmp/annotate.err"
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
wl_work_at "$(git -C "$T_DIR" rev-parse base)"
for _ in 1 2 3; do
	yardstick
	before=$yard
	t0=$(date +%s%3N)
	scripts/annotate "$W_DIR" --json >/dev/null 2>&1
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
		scripts/tests/restore-walk-lock $how "$W_DIR" >"$tmp/restore" 2>&1
		rc=$?
		total=$(tail -n 1 "$tmp/restore")
		printf '# restore %s: %s\n' "$how" "$total"
		case $total in *', 0 wrong, '*) wrong=0 ;; *) wrong=1 ;; esac
		ok "$wrong" "restore${how:+ ($how)}: no wrong mode comes back"
		ok "$rc" "restore${how:+ ($how)}: at least 80 % of the modes come back" "$(unmet restore)"
		[ "$wrong" -eq 0 ] || show "$tmp/restore"
	done
else
	printf '# nothing to restore: the unmodified tree has no walk_lock\n'
fi
printf '1..%d\n' "$n"
