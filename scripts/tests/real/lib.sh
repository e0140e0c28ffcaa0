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

# rule_ready NAME: sets "rule" to a semantic patch that is to be tried on the tree
# and on the tree with its series.
rule_ready() {
	rule=$PWD/coccinelle/$1.cocci
	if ! command -v spatch >/dev/null; then
		printf '1..0 # SKIP spatch is not installed (package coccinelle)\n'
		exit 0
	fi
	git -C "$T_DIR" rev-parse -q --verify walklock/series >/dev/null || scripts/apply "$tree" >/dev/null 2>&1
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
