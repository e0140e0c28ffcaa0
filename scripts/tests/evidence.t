#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2016,SC2317 # the stand-ins expand; functions are passed by name
#
# scripts/check and its records: what ran, what may be taken from an earlier run,
# and that a check that did not run never counts as passed.  Compiler, sparse,
# spatch, checkpatch and annotate are stand-ins whose findings the test chooses.

# shellcheck source=scripts/tests/lib.sh
. "$(dirname "$0")/lib.sh"
make_checkout
make_series "$W/patches"
A=$T/author

# ---- the stand-ins -----------------------------------------------------------------

B=$T/bin/stand-ins
mkdir -p "$B" "$W/coccinelle/walklock" "$T/calls"
printf '# a part of it\n' >"$W/coccinelle/walklock/a.py"
printf '// a rule\n' >"$W/coccinelle/a.cocci"
stub() { # NAME: from stdin
	rm -f "$1" # it may be a link to the real tool
	{
		printf '#!/bin/bash\n'
		cat
	} >"$1"
	chmod 755 "$1"
}
for c in ccache flex bison bc; do stub "$B/$c" <<<'exit 0'; done
stub "$B/gcc" <<<'cat >/dev/null' # has every header
stub "$B/apt-get" <<<'exit 100' # nothing is ever installed from here
stub "$B/x86_64-linux-gnu-gcc" <<<'echo "gcc (test) $(cat "$STAND/gcc" 2>/dev/null || echo 12)"'
stub "$B/spatch" <<<'echo "spatch version $(cat "$STAND/spatch" 2>/dev/null || echo 1.1) compiled"'
stub "$B/sparse" <<'EOF'
[ "$1" != --version ] || { cat "$STAND/sparse" 2>/dev/null || echo 0.6.5; exit; }
grep -nE "\* SW: " "${!#}" | sed -E "s|^([0-9]+):.*W: (.*) \*/|${!#}:\1:1: warning: \2|" >&2
EOF
# Prints the warnings that comments in the sources ask for, and leaves objects.
stub "$B/make" <<'EOF'
o='' w='' check='' targets=()
while [ $# -gt 0 ]; do
	case $1 in
	-C) w=$2; shift ;;
	O=*) o=${1#O=} ;;
	CHECK=*) check=${1#CHECK=} ;;
	-* | *=*) ;;
	*) targets+=("$1") ;;
	esac
	shift
done
cd "$w" || exit 2
for t in "${targets[@]}"; do
	case $t in
	*config) : >"$o/.config" ;;
	*)
		echo "$t" >>"$STAND/calls/make"
		for c in "${t%.o}"*.c; do
			[ -f "$c" ] || continue
			[ "$t" = mm/ ] || [ "${c%.c}.o" = "$t" ] || continue
			mkdir -p "$o/${c%/*}"
			# As make: not what is up to date.
			[ ! "$o/${c%.c}.o" -nt "$c" ] || continue
			grep -q BROKEN "$c" && { echo "$c:1:1: error: broken" >&2; exit 2; }
			: >"$o/${c%.c}.o"
			grep -nE "\* W: " "$c" | sed -E "s|^([0-9]+):.*W: (.*) \*/|$c:\1:1: warning: \2 [-Wtest]|" >&2
			[ -z "$check" ] || eval "$check -D__linux__ $c"
		done ;;
	esac
done
EOF
stub "$W/scripts/annotate" <<'EOF'
echo "$1" >>"$STAND/calls/annotate"
[ ! -f "$STAND/annotate.rc" ] || { echo "spatch fell over" >&2; exit "$(cat "$STAND/annotate.rc")"; }
findings='{"rule":"r","file":"mm/madvise.c","line":1,"function":"f","table":"old","text":"m"}'
[ ! -f "$STAND/annotate.new" ] || [ ! -f "$1/mm/nolock.c" ] || findings+=',{"rule":"r","file":"mm/nolock.c","line":1,"table":"t","text":"no lock said"}'
failed=
[ ! -f "$STAND/annotate.unparsed" ] || failed='"mm/x.c":"parse error"'
printf '{"findings":[%s],"parsed":2,"files":2,"failed":{%s},"timed_out":[]}\n' "$findings" "$failed"
exit 1
EOF
export STAND=$T PATH="$B:$PATH"
unset CC
printf 'x86_64 x86_64 x86 x86_64-linux-gnu- defconfig gcc yes\n' >"$W/configs/arches"
printf '# none\n' >"$W/configs/checkpatch-waivers"
printf 'sparse 0.6.5 -\n' >"$W/configs/toolbox"

make_kernel "$T/plain"
printf 'int still;\n' >"$T/plain/mm/still.c" # no patch touches it
mkdir -p "$T/plain/scripts/kconfig"
stub "$T/plain/scripts/kconfig/merge_config.sh" <<<'exit 0'
cat >"$T/plain/scripts/checkpatch.pl" <<'EOF'
open(my $p, '<', $ARGV[-1]) or die;
while (<$p>) {
	$by = 1 if /^Signed-off-by: /;
	$n += print "$ARGV[-1]:$.: WARNING:BAD_STYLE: bad style\n" if /badstyle/;
	$n += print "Segmentation WARNING: something else\n" if /badtool/;
}
$n += print "$ARGV[-1]:1: ERROR:MISSING_SIGN_OFF: none\n" unless $by;
exit($n ? 1 : 0);
EOF
wl tree fake --from "$T/plain" >/dev/null 2>&1
D=$WALKLOCK_CACHE/trees/fake
R=$WALKLOCK_OUT/fake/report.json

rec() { jq -r --arg s "$1" --arg c "$2" '.records[] | select((.scope | test($s)) and .check == $c) | "\(.verdict) \(.reused)"' "$R" | paste -sd,; }
fresh_count() { jq '[.records[] | select(.reused)] | length' "$R"; }
detail() { jq -r --arg c "$1" '.records[] | select(.check == $c) | .detail' "$R"; }
calls() { grep -c . "$T/calls/$1" 2>/dev/null || [ -f "$T/calls/$1" ] || echo 0; }
reset_calls() { rm -f "$T"/calls/*; }
build() {
	reset_calls
	run wl build fake
}
check() {
	reset_calls
	run wl check fake "$@"
}

# ---- one run ---------------------------------------------------------------------------

check --no-build
good "check: nothing found"
is "$(jq -c .summary "$R")" '{"passed":8,"failed":0,"skipped":0}' "a record for each check and patch"
is "$(jq -r '.records[].check' "$R" | sort | uniq -c | awk '{ print $2 ":" $1 }' | paste -sd' ')" "checkpatch:3 coccinelle:1 export:1 header:3" "namely these"
is "$(jq -r '.base | .version + " " + .origin' "$R")" "7.3.4 unpacked source folder" "the report says what the base is"
is "$(jq -r '.patches[1].subject' "$R")" "mm: steps 3 and 7 fail harder, with a subject of some length in it" "and which patches"
is "$(jq -r '.patches[2].patch_id' "$R")" "$(git patch-id --stable <"$(echo "$W"/patches/2*/0001*)" | cut -d' ' -f1)" "by their patch-id"
is "$(calls annotate)" 2 "the rules ran over base and tip"
is "$(tmp_left)" 0 "no temporary folder is left"

check --no-build
good "a second run" "passed \(fresh evidence\)"
is "$(fresh_count)/$(jq '.records | length' "$R")/$(calls annotate)" "8/8/0" "takes every record: no input changed"
check --no-build --no-reuse --json
is "$(fresh_count)/$(calls annotate)" "0/2" "--no-reuse takes none"
is "$(jq -r .tree <<<"$OUT")/$RC" "fake/0" "--json prints the report"

# ---- an input changes ---------------------------------------------------------------------

echo 1.2 >"$T/spatch"
check --no-build
is "$(rec series coccinelle)/$(fresh_count)" "passed false/7" "another spatch: the rules run again, nothing else"
printf '// another rule\n' >"$W/coccinelle/b.cocci"
log=$(jq -r '.records[] | select(.check == "checkpatch" and (.scope | test("2-nolock"))) | .log' "$R")
rm "$log"
check --no-build
is "$(rec series coccinelle)/$(calls annotate)" "passed false/2" "another rule: they run again"
is "$(rec 2-nolock checkpatch)/$(fresh_count)" "passed false/6" "a log is gone: that check runs again, nothing else"
[ -f "$log" ]
ok $? "and the log is back"

g "$D" checkout -q walklock/2-nolock
edit "$D/mm/nolock.c" 's/int nolock;/int nolock; \/* badstyle *\//'
g "$D" commit -q -a --amend --no-edit
g "$D" checkout -q base
wl export fake >/dev/null 2>&1
check --no-build
is "$RC" 1 "a patch changed, and has a finding now: exit code 1"
is "$(rec 2-nolock checkpatch)" "failed false" "checkpatch ran again, and failed"
is "$(rec 1-walk-lock checkpatch)" "passed true,passed true" "that of the other patches is taken"
is "$(rec series coccinelle)/$(rec series export)" "passed false/passed false" "what is made of the whole series ran again"
like "$(jq -r '.records[] | select(.verdict == "failed") | .detail' "$R")" "^BAD_STYLE\$" "the record names the type"
check --no-build
is "$RC/$(rec 2-nolock checkpatch)" "1/failed true" "a failure that is taken stays a failure"
printf 'fake 2-nolock/%s BAD_STYLE for a test\n' "$(basename "$W"/patches/2*/0001*)" >>"$W/configs/checkpatch-waivers"
check --no-build
is "$RC/$(rec 2-nolock checkpatch)" "0/passed false" "a waiver is an input: it runs again, and passes"
like "$(jq -r '.records[] | select(.check == "checkpatch" and (.scope | test("2-nolock"))) | .detail' "$R")" "waived: BAD_STYLE" "the record names what is waived"

cp -R "$W/patches" "$T/patches"
sed -i "s/^From: $NAME.*/From: Somebody <s@example.org>/" "$W"/patches/1*/0001*
sed -i "s/^---\$/Reviewed-by: Somebody <s@example.org>\n---/" "$W"/patches/1*/0002*
sed -i 's/badstyle/badtool/' "$W"/patches/2*/0001*
check --no-build
is "$RC/$(rec 1-walk-lock/0001 header)" "1/failed false" "another author is a finding"
is "$(rec 1-walk-lock/0002 header)" "failed false" "somebody's tag in a patch is a finding"
is "$(rec 2-nolock checkpatch)" "failed false" "output of checkpatch that is not understood is no pass"
rm -rf "$W/patches"
mv "$T/patches" "$W/patches"
check --no-build
is "$RC/$(rec 1-walk-lock header)/$(rec 2-nolock checkpatch)" "0/passed true,passed true/passed true" "back again: the first records still count"

# ---- the rules ------------------------------------------------------------------------------

: >"$T/annotate.new"
: >"$T/annotate.unparsed"
check --no-build --no-reuse
is "$RC/$(rec series coccinelle)" "1/failed false" "a finding that the series adds fails"
is "$(detail coccinelle)" $'mm/nolock.c:1: t: no lock said\nnot parsed: mm/x.c' "only what the base has not, and a file that could not be parsed is no pass"
rm "$T/annotate.new" "$T/annotate.unparsed"
echo 2 >"$T/annotate.rc"
check --no-build --no-reuse
is "$RC/$(rec series coccinelle)/$(jq .summary.skipped "$R")" "0/skipped false/1" "a tool that did not run: skipped, and counted"
like "$(detail coccinelle)" "annotate ended with 2: spatch fell over" "with its reason"
check --no-build
is "$(rec series coccinelle)" "skipped false" "skipped is never taken for a result: it is tried again"
rm "$T/annotate.rc"
check --no-build
is "$(rec series coccinelle)" "passed false" "and passes as soon as the tool runs"

# ---- the build, and warnings as a difference -----------------------------------------------------

rebuild() { # COMMAND...: a series made of $A changed by COMMAND
	g "$A" checkout -q -B t2 t2.orig
	"$@"
	g "$A" commit -q -a --amend --no-edit
	rm -f "$W"/patches/2-nolock/*.patch
	format "$A" t1..t2 "$W/patches/2-nolock"
}
g "$A" branch t2.orig t2
rebuild true
check
good "check with the build: a warning that the base has is not the series'"
is "$(rec series 'build x86_64')/$(rec series 'warnings x86_64')/$(rec series coverage)" "passed false/passed false/passed false" "build, warnings and coverage are on record"
check
is "$(jq -r '.records[] | select(.reused | not) | .check' "$R")/$(calls make)" "coverage/0" "a second run builds nothing"
echo 13 >"$T/gcc"
build
is "$(rec series 'build x86_64')" "passed false" "another compiler: it builds again"
echo 0.6.6 >"$T/sparse"
build
is "$(rec series 'build x86_64')" "passed false" "another sparse: it builds again"
rm "$(jq -r '.records[] | select(.check == "build x86_64") | .log' "$R")"
build
is "$(rec series 'build x86_64')" "passed false" "the build log is gone: it builds again"

rebuild edit "$A/mm/other.c" 's/^int other/\/* moved *\/\n&/'
build
is "$RC/$(rec series 'warnings x86_64')" "0/passed false" "a warning that moved is not new"
rebuild edit "$A/mm/other.c" 's/W: first/W: second/'
build
is "$RC/$(rec series 'warnings x86_64')" "1/failed false" "a warning replaced by another: as many as before, and new"
is "$(detail 'warnings x86_64')" "mm/other.c:4: gcc warning: second [-Wtest] (in other)" "and it is named"
rebuild edit "$A/mm/other.c" '/^int other/s/$/ \/* SW: third *\//'
build
like "$RC/$(detail 'warnings x86_64')" "1/.*mm/other.c:2: sparse warning: third" "one of sparse is new"
rebuild edit "$A/mm/nolock.c" 's/int nolock/int BROKEN/'
build
is "$RC/$(rec series 'build x86_64')/$(rec series 'warnings x86_64')" "1/failed false/skipped false" "a build that breaks: failed, and its warnings are skipped, not passed"
build
is "$RC/$(rec series 'warnings x86_64')" "1/skipped false" "the second time as well"
rebuild true
check --each
is "$(jq '[.records[] | select(.check == "build x86_64")] | length' "$R")/$RC" "4/0" "--each: every patch on its own, and the series"
build
good "build takes the same records" "fresh evidence"
printf 'Tree: fake\nTopic: *\nMail: yes\n' >"$W/MAINTAINERS-notes"
printf '[user]\n\tname = A\n\temail = a@example.org\n' >"$HOME/.gitconfig"
run wl mail fake 1-walk-lock
refused 2 "has no scripts/get_maintainer.pl" "scripts/mail takes these records for fresh: it gets as far as the recipients"
echo 14 >"$T/gcc"
run wl mail fake 1-walk-lock
is "$RC/$(grep -c '^mail: refused: evidence-stale: .*: \(build\|warnings\) x86_64: ' <<<"$ERR")/$(grep -c . <<<"$ERR")" "1/6/6" "another compiler: it refuses, for both patches and the series"
echo 13 >"$T/gcc"
rm "$HOME/.gitconfig" "$W/MAINTAINERS-notes"

# The tree that is built in shares its files with the user's, who may write into them.
still=$WALKLOCK_CACHE/work/fake/source/mm/still.c
is "$(stat -c %i "$D/mm/still.c")" "$(stat -c %i "$still")" "an untouched file is there once"
printf 'int BROKEN;\n' >>"$D/mm/still.c"
run wl build fake --no-reuse
good "what the user writes into his is not built"
is "$(cat "$still")/$(tail -n 1 "$D/mm/still.c")" "int still;/int BROKEN;" "and it is still in his"
g "$D" checkout -q -- mm/still.c

# A warning that the second patch brings, in a file that the third leaves alone.
each() { jq -r '.records[] | select(.check == "warnings x86_64") | "\(.scope[:16])=\(.verdict)"' "$R" | paste -sd' '; }
g "$A" checkout -q -B t1w t1
edit "$A/mm/madvise.c" 's/int err = 50;/& \/* W: brought *\//'
g "$A" commit -q -a --amend --no-edit
g "$A" checkout -q --detach
g "$A" cherry-pick t2 >/dev/null
cp -r "$W/patches" "$T/patches.kept"
rm -f "$W"/patches/*/*.patch
format "$A" main~3..t1w "$W/patches/1-walk-lock"
format "$A" t1w..HEAD "$W/patches/2-nolock"
check --each
is "$RC $(each)" "1 1-walk-lock/0001=passed 1-walk-lock/0002=failed 2-nolock/0001-mm=passed series=failed" "--each: the patch that brings a warning is told from those after it, and the series does not pass"
rm "$R"
check --each --topic 2-nolock --no-reuse
is "$RC $(each)" "1 2-nolock/0001-mm=passed series=failed" "--topic: what the patches before it bring is not charged to it, and they have no record"
check --each --no-reuse
is "$RC $(each)" "1 1-walk-lock/0001=passed 1-walk-lock/0002=failed 2-nolock/0001-mm=passed series=failed" "--each without reuse: the same"
run wl check fake --topic 2-nolock
refused 2 "--topic says which patches --each is about" "--topic without --each"
run wl check fake --each --topic 9-x
refused 2 "unknown topic '9-x' for fake: one of 1-walk-lock 2-nolock" "an unknown topic"
rm -r "$W/patches"
mv "$T/patches.kept" "$W/patches"
g "$A" checkout -q t2

# ---- refusals and interruptions -------------------------------------------------------------------

run wl check fake --arch moon
refused 2 "unknown architecture 'moon': one of x86_64 \(configs/arches\)" "unknown architecture"
printf 'a file\n' >"$T/noout"
run env WALKLOCK_OUT="$T/noout" "$W/scripts/check" fake --no-build
refused 2 "cannot write the report to $T/noout/fake: set WALKLOCK_OUT" "the report cannot be written"
path=$(bin_without python3)
find "$B" -type f ! -name apt-get -exec cp --remove-destination {} "$path" \;
run env PATH="$path" "$W/scripts/check" fake --no-build
refused 2 "missing: python3" "missing tool: python3"

before=$(cat "$R") tips=$(g "$D" for-each-ref)
for sig in TERM KILL; do
	stop_at git ' patch-id '
	[ "$sig" != TERM ] || export STOP_SECONDS=0.3
	start env PATH="$PATH_STOP" "$W/scripts/check" fake --no-build --no-reuse
	wait_reached || ok 1 "SIG$sig: the moment is there"
	if [ "$sig" = TERM ]; then kill -TERM "$PID"; else kill -"$sig" -- -"$PID"; fi
	finish
	unset STOP_SECONDS
	if [ "$sig" = TERM ]; then want=143; else want=137; fi
	is "$RC/$(cat "$R")/$(g "$D" for-each-ref)" "$want/$before/$tips" "check, SIG$sig: report and branches are as they were"
	[ "$sig" = KILL ] || is "$(tmp_left)" 0 "check, SIG$sig: no temporary folder is left"
	find "$T/tmp" -mindepth 1 -maxdepth 1 -exec touch -d '5 minutes ago' {} +
	run wl check fake --no-build
	good "check, SIG$sig: run again"
	is "$(tmp_left)/$(find "$WALKLOCK_OUT" -name 'report.json.*' | wc -l)" 0/0 "check, SIG$sig: clean afterwards"
	before=$(cat "$R")
done
done_testing
