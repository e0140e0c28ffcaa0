# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# Sourced by the tests on real trees, from anywhere: TAP output, what is not met
# yet, and the tree that WALKLOCK_TEST_TREE names, which is got when it is not
# there.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit 1
# shellcheck source=scripts/lib/common.sh
. scripts/lib/common.sh
# shellcheck source=scripts/lib/evidence.sh
. scripts/lib/evidence.sh
tree=${WALKLOCK_TEST_TREE:?which tree?}
wl_tree "$tree"

n=0
ok() { # RC NAME [TODO-REASON]
	local result='not ok'
	n=$((n + 1))
	[ "$1" -ne 0 ] || result=ok
	printf '%s %d - %s: %s%s\n' "$result" "$n" "$tree" "$2" "${3:+ # TODO $3}"
}
unmet() { awk -v t="$tree" -v k="$1" '!/^#/ && $1 == t && $2 == k { $1 = $2 = ""; sub(/^ +/, ""); print }' scripts/tests/real/unmet; }
show() { sed 's/^/# /' "$1"; }

# reuse WHAT...: ends the test with what an earlier run of it printed, when that one
# passed, skipped nothing, and nothing has changed since: this project's files of
# the test and WHAT (files, folders), the versions of TOOLS, the tree, and the tree
# with its series.  Else the test runs, and is kept when it passes.
reuse() {
	local self=scripts/tests/real/${0##*/} key kept rc
	[ -z "${WALKLOCK_INNER_TEST:-}" ] || return 0
	# Where that fails, the test says so.
	WALKLOCK_WAIT=${WALKLOCK_WAIT:-600} scripts/apply "$tree" >/dev/null 2>&1 || return 0
	key=$(wl_key real "$(git -C "$T_DIR" rev-parse 'base^{tree}' 'walklock/series^{tree}')" "${TOOLS:-}" \
		"$(find "$self" scripts/tests/real/lib.sh scripts/tests/real/unmet "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)")
	kept=$WL_CACHE/evidence/$tree/$key.tap
	if [ -s "$kept" ] && [ -z "${WL_NO_REUSE:-}" ]; then
		cat "$kept"
		exit 0
	fi
	WALKLOCK_INNER_TEST=yes "$BASH" "$self" | tee "$tmp/tap"
	rc=${PIPESTATUS[0]}
	if [ "$rc" -eq 0 ] && whole "$tmp/tap"; then
		mkdir -p "${kept%/*}"
		{
			printf '# fresh evidence: passed on %s, and nothing that it depends on has changed\n' "$(date -u +%Y-%m-%d)"
			cat "$tmp/tap"
		} >"$kept.$$" && mv "$kept.$$" "$kept"
	fi
	exit "$rc"
}
# whole TAP: as many tests as planned, all of them passed or not to be met yet.
whole() {
	awk '/^1\.\.[0-9]+$/ { plan = substr($0, 4) } /^(not )?ok / { n++ } / # SKIP/ { bad = 1 }
		/^not ok / && !/ # TODO / { bad = 1 } END { exit !(plan && n == plan && !bad) }' "$1"
}

# rule_ready NAME: sets "rule" to a semantic patch that is to be tried on the tree
# and on the tree with its series.
rule_ready() {
	rule=$PWD/coccinelle/$1.cocci
	if ! command -v spatch >/dev/null; then
		printf '1..0 # SKIP spatch is not installed (package coccinelle)\n'
		exit 0
	fi
	TOOLS=$(spatch --version | head -n 1) reuse coccinelle "scripts/tests/real/$(basename "$0" .t).lost"
}

# own_coccicheck STATE WHAT FIXTURE...: the kernel's own way to run the rule, in the
# folder STATE, reports each error that begins with WHAT, or any, where the fixtures
# want it.
own_coccicheck() {
	local state=$1 what=$2 want rc
	shift 2
	mkdir -p "$tmp/$state/own"
	cp "$@" "$tmp/$state/own/"
	(cd "$tmp/$state" && env -u V -u C -u M srctree=. srcroot=. objtree=. MODE=report J=1 \
		COCCI="$rule" DEBUG_FILE=/dev/null bash scripts/coccicheck) >"$tmp/coccicheck" 2>&1
	want=$(cat "$@" | grep -o "/\* ERROR $what" | wc -l)
	[ "$want" -gt 0 ] && [ "$(grep -c "^\./own/.* ERROR: $what" "$tmp/coccicheck")" -eq "$want" ]
	rc=$?
	ok "$rc" "$state: the tree's coccicheck runs it"
	[ "$rc" -eq 0 ] || show "$tmp/coccicheck"
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

if ! scripts/tree "$tree" >"$tmp/path" 2>"$tmp/err"; then
	# Only a tree that no suite carries may be absent.
	if [ "$T_DEBIAN" = - ]; then
		printf '1..0 # SKIP %s\n' "$(tail -n 1 "$tmp/err")"
		exit 0
	fi
	show "$tmp/err"
	printf '1..1\nnot ok 1 - %s: the tree is there\n' "$tree"
	exit 1
fi
