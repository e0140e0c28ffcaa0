#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Models of the per-VMA reference-count lock: litmus tests for its orderings, by
# herd7 with the tree's own memory model, and a Spin model of its states.  Each
# guard that is taken out has to show.  Here and not among the fast tests: it
# takes the kernel tree and the toolbox.  Only for a tree that has the lock, which
# WALKLOCK_TEST_TREE names.

# shellcheck source=scripts/tests/real/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/lib/models.sh
. "$(dirname "$0")/../../lib/models.sh"

# models FILE: what the model says that it stands for is in the tree, or in the
# tree with the series.
models() {
	local ref=base rc=0
	[ "$(model_header "$1" In)" != series ] || ref=walklock/series
	model_missing "$T_DIR" "$ref" "$tree" "$1" >"$tmp/missing" || rc=1
	sed 's/^/# /; s/$/; is the model still about this code?/' "$tmp/missing"
	return "$rc"
}

skip() { # NAME REASON
	n=$((n + 1))
	printf 'ok %d - %s: %s # SKIP %s\n' "$n" "$tree" "$1" "$2"
}
# mutants: what an ordering is taken out of is seen.
mutants() {
	local names
	names=$(cd "scripts/tests/mutants/$tree" && printf '%s\n' litmus-*.patch | sed 's/\.patch$//' | paste -sd,)
	scripts/mutants "$tree" --no-control --only "$names" >"$tmp/mutants" 2>"$tmp/err"
	ok $? "mutants that weaken an ordering are seen: $names"
	show "$tmp/mutants"
}

litmus=(scripts/tests/litmus/*.litmus)
# of_tree FILE: a test is about this tree: all are, but those of other trees, and
# those that this tree has another one for.
of_tree() {
	local other name
	other=$(model_header "$1" Tree)
	[ -z "$other" ] || { [ "$other" = "$tree" ]; return; }
	name=$(basename "$1" .litmus)
	while read -r other; do
		[ "$(model_header "$other" Instead)" != "$name" ] || return 1
	done < <(grep -lx " \* Tree: $tree" "${litmus[@]}")
}

# A branch whose series brings the lock: the tests are those of mainline, where they
# are run; here, that they are about the code of the branch.
if ! git -C "$T_DIR" grep -q 'refcount_t vm_refcnt' base -- include/linux/mm_types.h; then
	if ! grep -q "^$tree " scripts/tests/litmus/code; then
		printf '1..0 # SKIP %s has no per-VMA lock that is a reference count\n' "$tree"
		exit 0
	fi
	reuse scripts/tests/litmus scripts/lib/models.sh scripts/mutants "scripts/tests/mutants/$tree" scripts/toolbox configs/toolbox
	for f in "${litmus[@]}"; do
		[ -z "$(model_header "$f" Weaker)" ] && of_tree "$f" || continue
		model_missing "$T_DIR" walklock/series "$tree" "$f" >"$tmp/missing"
		ok $? "${f##*/} is about the code of the series"
		show "$tmp/missing"
	done
	if scripts/toolbox herd7 -version >/dev/null 2>"$tmp/err"; then
		mutants
	else
		skip "mutants that weaken an ordering" "no herd7: $(tail -n 1 "$tmp/err")"
	fi
	printf '1..%d\n' "$n"
	exit 0
fi
TOOLS=$(spin -V 2>/dev/null; gcc --version | head -n 1) reuse scripts/tests/litmus scripts/tests/spin scripts/lib/models.sh scripts/mutants "scripts/tests/mutants/$tree" scripts/toolbox configs/toolbox

# ---- orderings ---------------------------------------------------------------

# The question and the start of a litmus test.
question() { awk '/^{/ && !done { on = 1 } on || /^(locations|exists) / { print } on && /^}/ { on = 0; done = 1 }' "$1"; }
code() { sed '/^(\*$/,/^ \*)$/d; /^C /d' "$1"; }

for f in "${litmus[@]}"; do
	base=$(model_header "$f" Weaker)
	if [ -z "$base" ]; then
		of_tree "$f" || continue
		models "$f"
		ok $? "${f##*/} is about code that is there"
		continue
	fi
	base=scripts/tests/litmus/$base.litmus
	if [ -n "$(model_header "$f" Code)" ]; then models "$f"; else true; fi &&
		[ "$(question "$f")" = "$(question "$base")" ] && [ "$(code "$f")" != "$(code "$base")" ]
	ok $? "${f##*/} asks the same as ${base##*/}, of weaker code"
done

mkdir "$tmp/herd"
cp "${litmus[@]}" "$tmp/herd"
if ! git -C "$T_DIR" archive base tools/memory-model 2>"$tmp/err" | tar -xf - -C "$tmp/herd" 2>>"$tmp/err"; then
	skip "the orderings" "no memory model in the tree: $(head -n 1 "$tmp/err")"
elif ! herd=$(scripts/toolbox herd7 -version 2>"$tmp/err"); then
	skip "the orderings" "no herd7: $(tail -n 1 "$tmp/err")"
else
	printf '# herd7 %s\n' "${herd%%,*}"
	t0=$SECONDS
	# The toolbox sees the folder that it is called in.
	(cd "$tmp/herd" && mv tools/memory-model/linux-kernel.* tools/memory-model/lock.cat . &&
		"$WL_SCRIPTS/toolbox" herd7 -conf linux-kernel.cfg ./*.litmus >out 2>err)
	rc=$?
	# It goes on after a test that it cannot read.
	[ "$rc" -eq 0 ] && [ ! -s "$tmp/herd/err" ]
	ok $? "herd7 takes all of them"
	show "$tmp/herd/err"
	for f in "${litmus[@]}"; do
		name=$(basename "$f" .litmus)
		want=$(model_header "$f" Result)
		awk -v test="$name" '$1 == "Test" { on = ($2 == test) } on' "$tmp/herd/out" >"$tmp/one"
		got=$(awk '$1 == "Observation" { print $3 }' "$tmp/one")
		[ -n "$want" ] && [ "$got" = "$want" ]
		ok $? "$name: $want"
		[ "$got" = "$want" ] || show "$tmp/one"
		# "Never" means nothing where nothing gets that far.
		[ "$want" != Never ] || [ -n "$(model_header "$f" Reaches)" ] || ok 1 "$name: says what it reaches"
		while read -r -a values; do
			awk '/;$/' "$tmp/one" >"$tmp/states"
			for v in "${values[@]}"; do
				grep -E "(^| )$v;" "$tmp/states" >"$tmp/those"
				mv "$tmp/those" "$tmp/states"
			done
			[ -s "$tmp/states" ]
			ok $? "$name: reaches ${values[*]}"
		done < <(model_header "$f" Reaches)
		printf '# %s\n' "$(grep -h '^Observation' "$tmp/one")"
	done
	printf '# herd7: %d s\n' $((SECONDS - t0))
	mutants
fi

# ---- states ------------------------------------------------------------------

model=scripts/tests/spin/vma_lock.pml
models "$model"
ok $? "${model##*/} is about code that is there"

if ! scripts/setup spin gcc >"$tmp/err" 2>&1; then
	skip "the states" "no spin: $(tail -n 1 "$tmp/err")"
	printf '1..%d\n' "$n"
	exit 0
fi
printf '# %s\n' "$(spin -V)"
t0=$SECONDS

# search NAME OPTIMISATION OPTIONS...: all that can happen, or up to the first error,
# which is found sooner than a compiler optimises.
search() {
	local d=$tmp/spin-$1 optimise=$2
	shift 2
	mkdir "$d"
	(cd "$d" && spin "$@" -a "$WL_TOP/$model" && gcc "$optimise" -w -DSAFETY -DCOLLAPSE -DMEMLIM=1500 -o pan pan.c &&
		./pan -m100000 -w22) >"$d/out" 2>&1 || printf 'failed with %d\n' $? >>"$d/out"
	rm -f "$d/pan"
}
inside='!\(writing\[v\]\)|\(inside\[v\]==0\)'
no_mm='\(\((other|put_mm)!=99\)&& !\(mm_freed\[(other|put_mm)\]\)\)'
cat >"$tmp/right" <<-'EOT'
	two-readers    -DREADERS=2 -DOPS=2
	limit          -DREADERS=2 -DOPS=2 -DFLAG=3
	long           -DREADERS=1 -DOPS=4 -DTRIES=2
	two-vmas       -DREADERS=2 -DOPS=1 -DVMAS=2
EOT
# The guard, the bounds, and the assertion that has to fail.
cat >"$tmp/wrong" <<-EOT
	NO_READER_WAIT        -DREADERS=1          $inside
	NO_FLAG               -DREADERS=2          $inside
	NO_LIMIT              -DREADERS=1          $inside
	NO_SEQ_RECHECK        -DREADERS=1          $inside
	NO_MM_RECHECK         -DREADERS=1          $inside
	NO_RANGE_RECHECK      -DREADERS=1          vm_start\[v\]==addr
	NO_WAKEUP             -DREADERS=1          invalid.end.state
	WAKE_ATTACHED_ONLY    -DREADERS=1          invalid.end.state
	NO_DETACH_WAIT        -DREADERS=1          \(refcnt\[v\]==0\)
	INC_FROM_ZERO         -DREADERS=1          $(tr ' ' . <<<"$no_mm")
	LATE_MM               -DREADERS=1          $(tr ' ' . <<<"$no_mm")
	NO_MMGRAB             -DREADERS=1          $(tr ' ' . <<<"$no_mm")
	COPIED_COUNT          -DREADERS=1          $(tr ' ' . <<<"$no_mm")
	TWO_WRITERS           -DREADERS=1,-DOPS=0  \(refcnt\[v\]<4\)
	TWO_WRITERS_TWO_VMAS  -DREADERS=2,-DOPS=0  invalid.end.state
	SEQ_WRAP              -DREADERS=1          $inside
EOT
started=0
in_turn() {
	"$@" &
	started=$((started + 1))
	[ "$started" -lt "$WL_JOBS" ] || wait -n
}
while read -r name options; do
	# shellcheck disable=SC2086
	in_turn search "$name" -O1 $options
done <"$tmp/right"
while read -r name options _; do
	# shellcheck disable=SC2086
	in_turn search "$name" -O0 "-D$name" ${options//,/ }
done <"$tmp/wrong"
wait

while read -r name options; do
	out=$tmp/spin-$name/out
	grep -q 'errors: 0$' "$out" && ! grep -qE 'too small|not completed|failed with|aborting' "$out"
	rc=$?
	ok "$rc" "the lock as it is, $name ($options): no error in all that can happen"
	if [ "$rc" -eq 0 ]; then
		awk '/states, stored/ { s = $1 } /transitions/ { t = $1 } /depth reached/ { d = $6 + 0 }
			/total actual memory/ { m = $1 } /elapsed time/ { e = $4 }
			END { printf "# %d states, %d transitions, depth %d, %.0f MB, %.1f s\n", s, t, d, m, e }' "$out"
	else
		show "$out"
	fi
done <"$tmp/right"
# Only waits that no signal ends have statements that nothing reaches.
sed -n '/^unreached/,$p' "$tmp/spin-long/out" | grep ', state [0-9]*, "' | grep -v '"interrupted = 1"$' >"$tmp/unreached"
grep -q '^unreached in proctype reader' "$tmp/spin-long/out" && [ ! -s "$tmp/unreached" ]
rc=$?
ok "$rc" "every statement of the model is reached"
[ "$rc" -eq 0 ] || show "$tmp/unreached"

while read -r name options want; do
	out=$tmp/spin-$name/out
	error=$(sed -n 's/^pan:1: //p' "$out" | head -n 1)
	[[ $error =~ ${want} ]]
	rc=$?
	ok "$rc" "$name: ${error:-no error}"
	[ "$rc" -eq 0 ] || show "$out"
done <"$tmp/wrong"
printf '# spin: %d s\n' $((SECONDS - t0))
printf '1..%d\n' "$n"
