#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2016 # the stand-ins expand
#
# scripts/check --no-build: what a verdict means.  checkpatch is a stand-in; the rules
# and annotate are the real ones where spatch is installed.

# shellcheck source=scripts/tests/lib.sh
. "$(dirname "$0")/lib.sh"
make_checkout

# The base has a fault of its own, in a file that the series touches.
eval "plain_$(declare -f make_kernel)"
leak() { # NAME
	printf '\nint %s(struct mm_struct *mm, unsigned long addr)\n{\n\tstruct vm_area_struct *vma = lock_vma_under_rcu(mm, addr);\n\n\tif (!vma)\n\t\treturn 0;\n\tif (vma->vm_file)\n\t\treturn 1;\n\tvma_end_read(vma);\n\treturn 0;\n}\n' "$1"
}
make_kernel() {
	plain_make_kernel "$@"
	leak old_leak >>"$1/mm/madvise.c"
}
make_series "$W/patches"
A=$T/author

B=$T/bin/stand-ins
mkdir -p "$B"
stub() { # FILE: from stdin
	{
		printf '#!/bin/bash\n'
		cat
	} >"$1"
	chmod 755 "$1"
}
for c in ccache flex bison bc x86_64-linux-gnu-gcc sparse; do stub "$B/$c" <<<'exit 0'; done
stub "$B/gcc" <<<'cat >/dev/null'
stub "$B/apt-get" <<<'exit 100' # nothing is ever installed from here
printf 'x86_64 x86_64 x86 x86_64-linux-gnu- defconfig gcc yes\n' >"$W/configs/arches"
printf '# none\n' >"$W/configs/checkpatch-waivers"
printf 'sparse 0.6.5 -\n' >"$W/configs/toolbox"
if command -v spatch >/dev/null; then
	rules=yes
	mkdir "$W/coccinelle"
	cp "$L_TOP"/coccinelle/*.cocci "$W/coccinelle/"
	cp -R "$L_TOP/coccinelle/walklock" "$W/coccinelle/"
else
	rules=
	mkdir -p "$W/coccinelle/walklock"
	printf '// a rule\n' | tee "$W/coccinelle/a.cocci" >"$W/coccinelle/walklock/a.py"
	stub "$B/spatch" <<<'echo spatch version 1.1'
	stub "$W/scripts/annotate" <<<'echo "{\"findings\":[],\"parsed\":0,\"files\":0,\"failed\":{},\"timed_out\":[]}"'
fi
export STAND=$T PATH="$B:$PATH"

make_kernel "$T/plain"
stub "$T/plain/scripts/checkpatch.pl" <<<''
cat >"$T/plain/scripts/checkpatch.pl" <<'END'
exec "$ENV{STAND}/checkpatch", $ARGV[-1] if -x "$ENV{STAND}/checkpatch";
END
wl tree fake --from "$T/plain" >/dev/null 2>&1
R=$WALKLOCK_OUT/fake/report.json
rec() { jq -r --arg s "$1" --arg c "$2" '.records[] | select((.scope | startswith($s)) and .check == $c) | "\(.verdict): \(.detail)"' "$R"; }
check() { run wl check fake --no-build "$@"; }
rebuild() { # COMMAND...: a series whose last patch is changed by COMMAND
	g "$A" checkout -q -B t2 t2.orig
	"$@"
	g "$A" add -A
	g "$A" commit -q --amend --no-edit
	rm -f "$W"/patches/2-nolock/*.patch
	format "$A" t1..t2 "$W/patches/2-nolock"
}
g "$A" branch t2.orig t2

# ---- checkpatch ------------------------------------------------------------------------

check
good "nothing is found"
is "$(rec 2-nolock checkpatch)" "passed: --strict" "checkpatch ends with 0 and says nothing: passed"
stub "$T/checkpatch" <<<'echo "Must be run from the top-level dir. of a kernel tree"; exit 2'
check --no-reuse
is "$(rec 2-nolock checkpatch)" "skipped: checkpatch ended with 2: Must be run from the top-level dir. of a kernel tree" "one that did not run: skipped, with its first line"
is "$(jq -c .summary "$R")" '{"passed":5,"failed":0,"skipped":3}' "and no patch counts as passed"
rm "$T/checkpatch"
check
is "$(rec 2-nolock checkpatch)" "passed: --strict" "which is not kept: it runs again"
stub "$T/checkpatch" <<<'exit 1'
check --no-reuse
is "$RC/$(rec 2-nolock checkpatch)" "1/failed: output not understood: nothing, and exit code 1" "exit code 1 without a finding"
stub "$T/checkpatch" <<<'echo "$1:9: ERROR:C99_COMMENTS: do not use C99 // comments"; exit 1'
check --no-reuse
is "$RC/$(rec 2-nolock checkpatch)" "1/failed: C99_COMMENTS" "a type with digits in its name"
rm "$T/checkpatch"

# ---- author and tags ------------------------------------------------------------------------

one=$(echo "$W"/patches/1*/0001*)
cp "$one" "$T/one"
header() { # SED VERDICT NAME
	sed "$1" "$T/one" >"$one"
	check
	like "$(rec "1-walk-lock/${one##*/}" header)" "^$2" "$3"
}
id=49b0638502da097c15d46cd4e871dbaa022caf7c
their='s/^From: walklock.*/From: Some Body <s@example.org>/'
signed='s/^---$/Reviewed-by: R <r@example.org>\nSigned-off-by: Some Body <s@example.org>\n&/'
header "$their" "failed: author is not walklock authors" "another author"
header "$signed" "failed: carries somebody's sign-off" "somebody's sign-off"
for tag in 'Acked-by : X <x@example.org>' 'signed-off-by: X <x@example.org>' 'Reviewed-By: X <x@example.org>' $'TESTED-BY\t: X <x@example.org>'; do
	header "s/^---\$/$tag\n&/" "failed: carries somebody's" "'$tag'"
done
header "$their; $signed; s/^One step/commit $id upstream.\n\n&/" "passed: author and tags, of an upstream commit" "of an upstream commit: its author, and the sign-offs of its message"
header "$their; $signed; s/^One step/[ Upstream commit $id ]\n\n&/" "passed" "the other form of the header"
header "$their; s/^One step/commit $id upstream.\n\n&/" "failed: upstream's author is kept and his sign-off is not" "its author without his sign-off"
header "s/^One step/commit $id upstream.\n\n&/" "passed" "an upstream commit that was done again, by this project"
header "$their; $signed; s/^One step/commit ${id:0:12} upstream.\n\n&/" "failed" "a short id is no upstream header"
cp "$T/one" "$one"

# ---- the rules ---------------------------------------------------------------------------------

if [ -n "$rules" ]; then
	check --no-reuse
	good "what the base has is not the series'"
	is "$(rec series coccinelle)" "passed: nothing new; 0 findings, 1 of 1 files parsed; vma_lock_result, 1 file" "and the record says which rules looked at what"
	rebuild eval "leak new_leak >>'$A/mm/nolock.c'"
	check
	is "$RC" 1 "a patch that returns with a VMA locked"
	like "$(rec series coccinelle)" "^failed: mm/nolock.c:[0-9]+: vma_lock_result error: .*\(in new_leak\)" "is named with rule and function"
	unlike "$(rec series coccinelle)" "old_leak" "what the base has is not"
	rebuild eval "leak another_leak >>'$A/mm/madvise.c'"
	check
	like "$RC/$(rec series coccinelle)" "^1/failed: mm/madvise.c:[0-9]+: .*\(in another_leak\)" "the same fault in the same file, in another function: new"
	rebuild eval "sed -i 's/^static int madvise_step_8/int moved;\n&/' '$A/mm/madvise.c'"
	check
	good "one that moved is not new"
	walk='\nint walks(struct vm_area_struct *vma, unsigned long addr)\n{\n\tstruct folio_walk fw;\n\tstruct folio *folio = folio_walk_start(&fw, vma, addr, 0);\n\n\tif (!folio)\n\t\treturn 0;\n\treturn 1;\n}\n'
	rebuild eval "printf '$walk' >>'$A/mm/nolock.c'"
	check
	like "$RC/$(rec series coccinelle)" "^1/failed: mm/nolock.c:[0-9]+: folio_walk error: .*\(in walks\)" "a walk without folio_walk_end()"
	stub "$B/spatch" <<-EOF
		case "\$*" in *vma_lock_result*) echo "Fatal error: exception Out_of_memory" >&2; exit 2 ;; esac
		exec $(PATH=${PATH#*:} command -v spatch) "\$@"
	EOF
	check --no-reuse
	is "$RC/$(rec series coccinelle)" "0/skipped: spatch ended with 2: Fatal error: exception Out_of_memory" "spatch fell over: skipped, not passed"
	rm "$B/spatch"
	rebuild true
else
	skip "the rules" "spatch is not installed"
fi

# ---- another base --------------------------------------------------------------------------------

check
like "$(rec series export)" "^passed: .*byte for byte" "on the base that the files were made on: byte for byte"
edit "$T/plain/Makefile" 's/^SUBLEVEL = 4/SUBLEVEL = 5/'
edit "$T/plain/mm/pagewalk.c" '1i /* one */\n/* two */'
wl tree fake --from "$T/plain" --refresh >/dev/null 2>&1
check
good "the next point release"
like "$(rec series export)" "^passed: .*but for blob ids and line numbers: they were made on another base, this is Linux 7.3.5" "the patch files still are what the branches give"
D=$WALKLOCK_CACHE/trees/fake
printf '# test\n7.3.4 %s somewhere\n' "$(g "$A" rev-parse 'main~0^{tree}')" >"$W/patches/base"
run wl export fake --check
good "the base that is on record is named" "they were made on Linux 7.3.4, this is Linux 7.3.5"
message() { # COMMAND...: the last commit is changed
	g "$D" checkout -q walklock/2-nolock
	"$@"
	g "$D" commit -q -a --amend "${amend[@]}"
	g "$D" checkout -q base
}
amend=(-m "mm/nolock: add a mode" -m "A file of its own, it is said.")
message true
run wl export fake --check
is "$RC/$OUT" "1/patches/2-nolock: differs from branch walklock/2-nolock" "another message shows"
amend=(-m "mm/nolock: add a mode" -m "A file of its own.")
message true
run wl export fake --check
good "the message as it was"
message edit "$D/mm/nolock.c" 's/int nolock/int  nolock/'
run wl export fake --check
is "$RC/$OUT" "1/patches/2-nolock: differs from branch walklock/2-nolock" "one more blank shows"
run wl export fake
good "written"
is "$(sed '/^#/d' "$W/patches/base")" "7.3.5 $(g "$D" rev-parse 'base^{tree}') unpacked source folder" "export notes the base"
run wl export fake --check
good "and the files are byte for byte those of that base" "byte for byte"
sed -i 's/^index \(.......\)/index 0000000/' "$W"/patches/1*/0001*
run wl export fake --check
is "$RC/$OUT" "1/patches/1-walk-lock: differs from branch walklock/1-walk-lock" "there an id by hand shows"
done_testing
