#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What scripts/boot says of a kernel that breaks on purpose: on one tree, which is
# enough.  WALKLOCK_TEST_TREE says which is meant.

# shellcheck source=scripts/tests/real/lib.sh
. "$(dirname "$0")/lib.sh"

if [ "$tree" != 6.1.y ]; then
	printf '1..0 # SKIP that is tried on 6.1.y\n'
	exit 0
fi
TOOLS=$(qemu-system-x86_64 --version 2>/dev/null | head -n 1) reuse scripts/boot scripts/lib scripts/tests/verdicts configs

# broken CODE NAME OPTIONS...: what scripts/boot says of a kernel or a program.
broken() {
	local want=$1 name=$2 rc=0
	shift 2
	WALKLOCK_BOOT_LIMIT=25 scripts/boot "$tree" --limit 8 \
		--patch scripts/tests/verdicts/faults.patch "$@" >"$tmp/out" 2>"$tmp/err" || rc=$?
	[ "$rc" -eq "$want" ]
	ok $? "$name: exit code $want" "$(unmet faults)"
	[ "$rc" -eq "$want" ] || { printf '# exit code %d\n' "$rc"; show "$tmp/out"; show "$tmp/err"; }
}
box=$(command -v busybox)
fault=/sys/kernel/debug/walklock_fault
broken 42 "a program's exit status" --exec "$box" sh -c 'echo "its output"; exit 42'
[ "$(cat "$tmp/out")" = "its output" ]
ok $? "a program's output" "$(unmet faults)"
broken 4 "a WARNING" --exec "$box" sh -c "echo warn >$fault"
grep -q 'on purpose' "$tmp/err"
ok $? "the complaint is shown" "$(unmet faults)"
broken 4 "a lock that is leaked" --exec "$box" sh -c "echo lock >$fault; true"
broken 5 "a panic" --exec "$box" sh -c "echo panic >$fault"
broken 5 "an oops" --exec "$box" sh -c "echo oops >$fault"
broken 5 "a panic before init" --append walklock_fault=panic --exec "$box" true
broken 7 "a hang before init" --append walklock_fault=all --exec "$box" true
broken 6 "a program that does not end" --exec "$box" sleep 1000
broken 6 "a program asleep in the kernel" --exec "$box" sh -c "echo sleep >$fault"
broken 6 "a guest that hangs" --exec "$box" sh -c "echo all >$fault"

WALKLOCK_BOOT_LIMIT=90 scripts/boot "$tree" --patch scripts/tests/verdicts/faults.patch --compare never --json \
	--tests map_fixed_noreplace,mremap_dontunmap --times 3 >"$tmp/out" 2>"$tmp/err"
rc=$?
ran=$(jq -r '[.run.tests[].name | select(startswith("m"))] | join(" ")' "$tmp/out")
want='map_fixed_noreplace.1 map_fixed_noreplace.2 map_fixed_noreplace.3 mremap_dontunmap.1 mremap_dontunmap.2 mremap_dontunmap.3'
[ "$rc" -eq 0 ] && [ "$ran" = "$want" ]
rc=$?
ok "$rc" "--times 3: each selftest three times in one boot" "$(unmet faults)"
[ "$rc" -eq 0 ] || { printf '# %s\n' "$ran"; show "$tmp/err"; }

# stress-ng differs between releases of Debian: it has to know all its options.
for what in stress churn; do
	WALKLOCK_BOOT_LIMIT=90 scripts/boot "$tree" --patch scripts/tests/verdicts/faults.patch --compare never "--$what" 10 >"$tmp/out" 2>"$tmp/err"
	rc=$?
	[ "$rc" -eq 0 ] && grep -Eq '^ok [0-9]+ - (stress-ng|uffd-churn)' "$tmp/out"
	rc=$?
	ok "$rc" "--$what: the kernel passes" "$(unmet faults)"
	[ "$rc" -eq 0 ] || { show "$tmp/out"; show "$tmp/err"; }
done
printf '1..%d\n' "$n"
