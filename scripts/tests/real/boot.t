#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The series on a booted kernel.  WALKLOCK_TEST_TREE says which tree's.

# shellcheck source=scripts/tests/real/lib.sh
. "$(dirname "$0")/lib.sh"

scripts/boot "$tree" --compare worse >"$tmp/tap" 2>"$tmp/err"
rc=$?
ok "$rc" "KUnit and the short selection of selftests are no worse than on the base" "$(unmet boot)"
show "$tmp/tap"
[ "$rc" -eq 0 ] || show "$tmp/err"
json=out/$tree/boot-x86_64-lockdep-short.json
jq -e '[.tests[] | select(.outcome == "pass")] | length > 5' "$json" >/dev/null
ok $? "more than five tests really passed" "$(unmet boot)"
# A configuration that lost its zram would only show as one more skip.
jq -e '[.tests[].sub[]? | select(.outcome == "pass") | .name] | index("page in swap")' "$json" >/dev/null
ok $? "the guest has swap" "$(unmet boot)"

printf '1..%d\n' "$n"
