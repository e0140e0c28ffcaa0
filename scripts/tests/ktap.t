#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/lib/ktap.py: what a guest said becomes a verdict.

# shellcheck source=scripts/tests/lib.sh
. "$(dirname "$0")/lib.sh"
export PYTHONDONTWRITEBYTECODE=1
py() { python3 -IS "$L_TOP/scripts/lib/ktap.py" "$@"; }
R=$T/results C=$T/console A=$T/allowed
: >"$A"

# guest NAME RC TEXT [LATE]: one test in the result channel.
guest() { printf '@wl begin %s 60\n%s\n@wl end %s %s 10.00 12.50%s\n' "$1" "$3" "$1" "$2" "${4:+ late}" >>"$R"; }
fresh() { printf '@wl init 7.3.4 cpus=2\n' >"$R"; printf '[    0.000000] Linux version 7.3.4\n' >"$C"; }
finish() { printf '@wl done\n' >>"$R"; }
verdict() { py read "$R" "$C" "$A" mainline "${1:-exit}" >"$T/json" && jq -r .verdict "$T/json"; }
q() { jq -r "$1" "$T/json"; }
tap() { # [BASE]: RC, OUT
	run py compare "$T/json" ${1:+"$1"}
}

# ---- tests --------------------------------------------------------------------------

fresh
guest a 0 $'TAP version 13\n1..3\nok 1 one\nok 2 two # SKIP no swap\nok 3 three'
finish
is "$(verdict)" pass "all well"
is "$(q '[.tests[0].sub[].outcome] | join(" ")')" "pass skip pass" "results in a test"
is "$(q '.tests[0].sub[1].why')" "no swap" "why one was skipped"
is "$(q '.tests[0].seconds')" 2.5 "how long it took"
tap
good "TAP of it" "ok 1 - a"
like "$OUT" "1..1" "its plan"

fresh
guest a 0 $'ok 1 one\nnot ok 2 two'
finish
is "$(verdict)" fail "a failing result counts, whatever the exit code"
tap
is "$RC" 1 "exit code 1"
like "$OUT" "FAILED: two" "it is named"
fresh
guest a 0 $'ok 1 moved 115 (0.2%), 3 late\nok 2 at 0xdeadbeef\nok 3 size 4096'
finish
verdict >/dev/null
is "$(q '[.tests[0].sub[].name] | join("|")')" "moved N (N%), N late|at ADDR|size 4096" "what was measured is no part of a name"
fresh
guest a 1 'no TAP here'
finish
is "$(verdict)" fail "an exit code without TAP"
tap
like "$OUT" "no TAP here" "the program's last words are shown"
fresh
guest a 4 'needs root'
finish
is "$(verdict) $(q '.tests[0].outcome')" "pass skip" "exit code 4 is a skip"
tap
like "$OUT" "ok 1 - a # SKIP needs root" "with its reason"
fresh
guest a 0 $'not ok 1 one # XFAIL known\nok 2 two'
finish
is "$(verdict)" pass "an expected failure is none"
fresh
guest a 0 $'ok 1 one # SKIP x\nok 2 two # SKIP y'
finish
is "$(verdict) $(q '.tests[0].outcome')" "pass skip" "all skipped: the test is skipped, not passed"
fresh
guest u 1 $'Testing UFFDIO_API (with syscall)... done\nTesting move on anon... skipped [reason: no]\nTesting wp on shmem... \nERROR: bad\nfailed\nTesting last... '
finish
verdict >/dev/null
is "$(q '[.tests[0].sub[].outcome] | join(" ")')" "pass skip fail fail" "uffd-unit-tests' own format; one without a result failed"
fresh
guest a 137 'ok 1 one' late
finish
is "$(verdict)" timeout "a test that init had to end"
tap
is "$RC" 6 "exit code 6"
fresh
printf '@wl begin a 60\nok 1 one\n' >>"$R"
is "$(verdict timeout)" timeout "a guest that fell silent"
tap
is "$RC" 6 "exit code 6 again"
like "$OUT" "stopped answering \(a\)" "in which test"
fresh
guest a 0 'ok 1 one'
is "$(verdict)" timeout "a guest that went away before the end is no pass"

# ---- the kernel ---------------------------------------------------------------------------

mark() { printf '[   1.000000][  T1] walklock: begin %s 60\n' "$1" >>"$C"; }
splat() { # TEXT...: in test "a"
	fresh
	guest a 0 'ok 1 one'
	finish
	mark a
	printf '[    2.000000][  T99] %s\n' "$@" >>"$C"
}
while IFS= read -r line; do
	splat "$line"
	is "$(verdict)" splat "complaint: ${line:0:60}"
done <<-'EOF'
	WARNING: CPU: 1 PID: 77 at mm/pagewalk.c:400 process_mm_walk_lock+0x1/0x2
	WARNING: possible circular locking dependency detected
	WARNING: suspicious RCU usage
	WARNING: mm/pagewalk.c:400 at walk+0x1/0x2, CPU#1: test/77
	BUG: sleeping function called from invalid context at mm/memory.c:1
	BUG: KASAN: slab-use-after-free in vma_end_read+0x1/0x2
	BUG: KCSAN: data-race in a / b
	BUG: Bad rss-counter state mm:00000000 type:MM_ANONPAGES val:1
	BUG: Bad page map in process a  pte:1 pmd:1
	BUG vm_area_struct (Not tainted): Poison overwritten
	BUG: unable to handle page fault for address: ffff
	BUG: workqueue lockup - pool cpus=0
	BUG: scheduling while atomic: a/1/0x00000002
	BUG: spinlock bad magic on CPU#0, a/1
	INFO: task a:12 blocked for more than 60 seconds.
	INFO: possible recursive locking detected
	INFO: rcu_preempt self-detected stall on CPU
	rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
	watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [a:1]
	Oops: general protection fault, probably for non-canonical address 0x1: 0000 [#1]
	Internal error: Oops: 96000004 [#1] PREEMPT SMP
	Unable to handle kernel NULL pointer dereference at virtual address 0000
	kernel BUG at mm/mmap.c:100!
	refcount_t: underflow; use-after-free.
	list_add corruption. prev->next should be next
	UBSAN: array-index-out-of-bounds in a.c:1:2
	KFENCE: memory corruption in a
	DEBUG_LOCKS_WARN_ON(lock->magic != lock)
	page dumped because: VM_BUG_ON_FOLIO(1)
EOF
while IFS= read -r line; do
	splat "$line"
	is "$(verdict)" pass "no complaint: ${line:0:60}"
done <<-'EOF'
	rcu: 	RCU lockdep checking is enabled.
	Memory failure: 0x1234: recovery action for dirty page: Recovered
	smpboot: Total of 2 processors activated
	debug: BUG_ON is enabled
	Warning: unable to open an initial console.
	printk: console [ttyS0] enabled; 0 WARNINGs
	hung_task_panic: no such parameter
EOF
splat "WARNING: CPU: 1 PID: 7 at a.c:1 f+0x1/0x2" "Call Trace:" " g+0x1/0x2" "BUG: not another one" "---[ end trace 0000000000000000 ]---"
verdict >/dev/null
is "$(q '.splats | length')" 1 "one burst is one complaint"
is "$(q '.splats[0].test')" a "the test that was running"
like "$(q '.splats[0].excerpt | join("|")')" "Call Trace" "an excerpt"
tap
is "$RC" 4 "exit code 4"
like "$OUT" "not ok 2 - splat: WARNING" "as a result of its own"
splat "WARNING: CPU: 1 at a.c:1" "---[ end trace ]---" "INFO: task a:12 blocked for more than 60 seconds."
verdict >/dev/null
is "$(q '.splats | length')" 2 "two bursts are two"
printf 'mainline\ta\tat a\\.c:1\tthe test provokes it\n' >"$A"
splat "WARNING: CPU: 1 PID: 7 at a.c:1 f+0x1/0x2"
is "$(verdict)" pass "a complaint on the list does not count"
tap
like "$OUT" "allowed: WARNING.*the test provokes it" "but is shown with its reason"
printf 'mainline\t*\t^WARNING: .*\\n(.*\\n){0,2}g\\+0x\tits second line too\n' >"$A"
splat "WARNING: CPU: 1 PID: 7 at a.c:1 f+0x1/0x2" "Call Trace:" " g+0x1/0x2"
is "$(verdict)" pass "time stamps and indents are no part of what the list looks at"
splat "WARNING: CPU: 1 PID: 7 at a.c:1 f+0x1/0x2" "Call Trace:" " h+0x1/0x2"
is "$(verdict)" splat "without those lines it counts"
printf '6.1.y\ta\tat a\\.c:1\tanother tree\n' >"$A"
is "$(verdict)" splat "for another tree it counts"
printf 'mainline\tb\tat a\\.c:1\tanother test\n' >"$A"
is "$(verdict)" splat "in another test it counts"
: >"$A"
splat "Kernel panic - not syncing: on purpose"
is "$(verdict)" panic "a panic"
tap
is "$RC" 5 "exit code 5"
printf '' >"$R"
is "$(verdict)" panic "a panic before init"
printf '' >"$R"
printf 'Linux version\n' >"$C"
is "$(verdict noboot)" noboot "init never spoke"
tap
is "$RC" 7 "exit code 7"
: >"$C"
is "$(verdict noboot)" noboot "nor anybody else"

# ---- KUnit --------------------------------------------------------------------------------

fresh
guest a 0 'ok 1 one'
finish
cat >>"$C" <<-'EOF'
	[    1.1][    T1] KTAP version 1
	[    1.1][    T1] 1..2
	[    1.1][    T1]     KTAP version 1
	[    1.1][    T1]     # Subtest: pagewalk
	[    1.1][    T1]     1..3
	[    1.1][    T1]     ok 1 modes
	[    1.1][    T20]     # range: EXPECTATION FAILED at mm/tests/x.c:1
	[    1.1][    T20]     Expected 1 == 2
	[    1.1][    T1]     not ok 2 range
	[    1.1][    T1]     ok 3 hugetlb # SKIP no huge pages
	[    1.1][    T1] # pagewalk: pass:1 fail:1 skip:1 total:3
	[    1.1][    T1] not ok 1 pagewalk
	[    1.1][    T1]     KTAP version 1
	[    1.1][    T1]     # Subtest: vma_lock
	[    1.1][    T1]     1..1
	[    1.1][    T1]         KTAP version 1
	[    1.1][    T1]         # Subtest: each
	[    1.1][    T1]         ok 1 a
	[    1.1][    T1]         ok 2 b
	[    1.1][    T1]     ok 1 each
	[    1.1][    T1] ok 2 vma_lock
EOF
is "$(verdict)" fail "a KUnit case fails"
is "$(q '[.tests[].name] | join(" ")')" "kunit:pagewalk kunit:vma_lock a" "suites come first"
is "$(q '[.tests[0].sub[].outcome] | join(" ")')" "pass fail skip" "cases of a suite"
is "$(q '[.tests[1].sub[].name] | join(" ")')" each "parameters of a case are no cases"
tap
like "$OUT" "FAILED: range" "the case is named"
like "$OUT" "EXPECTATION FAILED at mm/tests/x.c:1" "and what it expected"

# ---- base against patched ----------------------------------------------------------------------

both() { # BASE-TEXT PATCHED-TEXT
	fresh
	guest a "$1" "$2"
	finish
	verdict >/dev/null
	cp "$T/json" "$T/base.json"
	fresh
	guest a "$3" "$4"
	finish
	verdict >/dev/null
	tap "$T/base.json"
}
both 1 $'ok 1 one\nnot ok 2 two' 1 $'ok 1 one\nnot ok 2 two'
is "$RC" 0 "what fails on the base too is no failure"
like "$OUT" "ok 1 - a # TODO fails on the base too" "and is said"
both 1 $'ok 1 one\nnot ok 2 two' 1 $'not ok 1 one\nnot ok 2 two'
is "$RC" 1 "one more that fails is one"
like "$OUT" "FAILED: one" "it is named"
both 0 'ok 1 one' 1 'not ok 1 one'
is "$RC" 1 "it passed on the base"
both 1 'not ok 1 one' 0 'ok 1 one'
is "$RC" 0 "it got better"
both 0 $'ok 1 one\nok 2 two' 0 $'ok 1 one\nok 2 two # SKIP gone'
is "$RC" 1 "a result that the base had and that is skipped now"
like "$OUT" "no longer runs: two \(gone\)" "it is named"
both 0 'ok 1 one' 4 'nothing to do'
is "$RC" 1 "a whole test that is skipped now"
both 1 'ok 1 one' 137 'ok 1 one'
is "$RC" 0 "exit codes alone: both fail"
splat "WARNING: CPU: 1 PID: 7 at a.c:1 f+0x1/0x2"
verdict >/dev/null
cp "$T/json" "$T/base.json"
tap "$T/base.json"
is "$RC" 0 "a complaint that the base has too"
like "$OUT" "the base has it too" "is said"

# ---- a guest that still talks -----------------------------------------------------------

# late SECONDS LIMIT: what is said so long after the last step of the guest.
late() {
	(
		WL_SCRIPTS=$L_TOP/scripts
		# shellcheck source=scripts/lib/boot.sh
		. "$WL_SCRIPTS/lib/boot.sh"
		Q_STEPS=''
		wl_late "$T" 0 "${3:-$2}"
		[ -z "${4:-}" ] || printf '%s\n' "$4" >>"$R"
		if wl_late "$T" "$1" "$2"; then echo late; else echo 'not yet'; fi
	)
}
printf '@wl init 7.3.4 cpus=2\n@wl begin a 300\n' >"$R"
is "$(late 600 300)" "not yet" "a test that takes long, and says so"
is "$(late 660 300)" late "one that has had its time twice over"
is "$(late 100 0 300 '@wl end a 0 1.00 100.00')" "not yet" "a long test that has just ended"
printf '@wl end a 0 1.00 100.00\n' >>"$R"
is "$(late 61 0)" late "a guest that talks and does not go on"

done_testing
