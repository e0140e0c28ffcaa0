#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2016,SC2034,SC2317 # the stand-ins expand; functions are passed by name
#
# scripts/build over architectures and variants: which cells there are, what each
# compiles, what is skipped and why, what counts as failed, and how it goes on.

# shellcheck source=scripts/tests/cells-lib.sh
. "$(dirname "$0")/cells-lib.sh"
wl tree fake --from "$P" >/dev/null 2>&1
D=$WALKLOCK_CACHE/trees/fake

# ---- what a cell compiles -------------------------------------------------------------

build
good "the default architecture alone"
is "$(calls make)" "x86_64 arch/x86/mm/,x86_64 fs/proc/,x86_64 mm/,x86_64 mm/other.o" "whole folders, then the base where the series warns"
is "$(calls sparse)" "mm/madvise.c,mm/nolock.c,mm/pagewalk.c" "with sparse on the touched files"
build --arch toy
good "another architecture" "build toy +passed .*warnings toy +passed"
is "$(calls make)" "toy arch/toy/mm/fault.o,toy mm/in/deep/two.o,toy mm/in/direct.o,toy mm/in/one.o,toy mm/madvise.o,toy mm/nolock.o,toy mm/pagewalk.o,toy mm/part.o,toy mm/user.o" "the touched files, and those that include the touched header and are configured"
is "$(calls sparse)/$(calls cc)" "/cached toy-linux-gcc" "no sparse; its own compiler"
is "$(detail 'build toy')" "3 touched files and 6 that include touched headers (scope users)" "the record says what was compiled"
is "$(detail 'warnings toy')" "no new warning (gcc W=1)" "and with what"
build --arch llvm
good "one with clang"
is "$(calls make)/$(calls cc)" "lltoy mm/madvise.o,lltoy mm/nolock.o,lltoy mm/pagewalk.o/cached clang-77" "scope touched, and LLVM= chooses the compiler"
like "$(detail 'build llvm')/$(detail 'warnings llvm')" "^3 touched files \(scope touched\)/.*clang W=1" "and the record says so"
build --arch toy --scope all --no-reuse
is "$(calls make)/$(detail 'build toy')" "toy arch/toy/mm/,toy fs/proc/,toy mm/,toy mm/other.o/3 touched files and all of mm/, fs/proc/, arch/toy/mm/" "--scope all"
build --arch toy --scope arch
is "$(calls make)/$(detail 'build toy')" "toy arch/toy/mm/fault.o,toy mm/madvise.o,toy mm/nolock.o,toy mm/pagewalk.o/3 touched files and 1 that include touched headers (scope arch)" "--scope arch leaves out what includes the header elsewhere"
build --arch toy
is "$(detail 'build toy')/$(calls make)" "3 touched files and 6 that include touched headers (scope users)/" "is no evidence for another scope, which has its own"

# ---- variants ---------------------------------------------------------------------------

build --arch toy,llvm --variant up
good "a variant of the architectures that have it"
is "$(jq -r '[.records[].check | select(startswith("build"))] | join(",")' "$R")" "build llvm,build toy,build toy+up,build x86_64" "namely of one of the two"
is "$(grep -c '^# CONFIG_SMP is not set' "$WALKLOCK_CACHE/work/fake/toy+up/.config")/$(rec 'build toy+up')" "1/passed false" "its option is in .config"
build --arch toy+part
is "$(grep -c '# allconfig' "$WALKLOCK_CACHE/work/fake/toy+part/config.log")/$(rec 'build toy+part')/$(detail 'build toy+part')" "0/passed false/3 touched files (scope touched)" "a cell by its name, with its own scope"
build --arch toy --variant free
good "an option without a prompt gets one"
is "$(grep -c '^# CONFIG_PER_VMA_LOCK is not set' "$WALKLOCK_CACHE/work/fake/toy+free/.config")/$(git -C "$D" status --porcelain | wc -l)" "1/0" "so that it can be off; the tree is as it was"
build --arch toy --variant stuck
is "$RC/$(rec 'build toy+stuck')/$(rec 'warnings toy+stuck')" "1/failed false/skipped false" "an option that did not take effect: the cell failed"
is "$(detail 'build toy+stuck')/$(calls make)" "configuration: CONFIG_PER_VMA_LOCK is y in .config, not n/" "with what .config has; nothing was compiled"
build --arch toy --variant stuck
is "$RC/$(rec 'build toy+stuck')" "1/failed false" "tried again, it fails again"
: >"$T/noconfig"
echo 13 >"$T/version"
build --arch toy+up
is "$RC/$(rec 'build toy+up')/$(detail 'build toy+up')" "1/failed false/configuration: configuring for toy+up failed: Kconfig:1: error: no such thing" "another compiler: it is configured again, and where that fails the cell failed"
rm "$T/noconfig"
build --arch toy+up
is "$RC/$(rec 'build toy+up')" "0/passed false" "and passes when it can be"
echo 12 >"$T/version"

# The command of a record does the same by hand.
build --arch toy+free --no-reuse
ln -s "$T" "$L_TMP/t"
mkdir "$T/hand" "$T/hand/b"
cp -R "$P" "$T/hand/s"
(cd "$A" && g . diff main~3 t2) | patch -s -d "$T/hand/s" -p1
command=$(sed -E "s#\\bSOURCE\\b#$L_TMP/t/hand/s#g; s#\\bBUILD\\b#$L_TMP/t/hand/b#g; s#\\bWALKLOCK/#'$W'/#g" <<<"$(field 'build toy+free' command)")
(cd / && sh -c "$command") >"$T/hand/log" 2>&1
is "$?/$(cd "$T/hand/b" && find . -name '*.o' | sort | paste -sd' ')" "0/./arch/toy/mm/fault.o ./mm/in/deep/two.o ./mm/in/direct.o ./mm/in/one.o ./mm/madvise.o ./mm/nolock.o ./mm/pagewalk.o ./mm/part.o ./mm/user.o" "the recorded command gives the same objects"
same_file "$T/hand/b/.config" "$WALKLOCK_CACHE/work/fake/toy+free/.config" "of the same configuration"

# ---- what is skipped ----------------------------------------------------------------------

build --arch newer,moon,nocc,toy+rt,toy+odd,toy+nommu
good "cells that cannot be had: no failure" "6 cells: 0 built, 0 failed, 6 skipped"
is "$(detail 'build newer')" "7.3.4 is older than 7.10" "the version, as a version"
is "$(detail 'build moon')" "7.3.4 has no arch/moon" "the architecture"
is "$(detail 'build nocc')" "no compiler nocc-linux-gcc (Debian: has none)" "the compiler"
is "$(detail 'build toy+rt')" "no ARCH_SUPPORTS_RT in arch/toy of 7.3.4" "what an architecture does not select"
is "$(detail 'build toy+odd')" "7.3.4 has no CONFIG_ODDITY" "an option"
is "$(detail 'build toy+nommu')" "7.3.4 has no nommu_defconfig for toy" "a base configuration"
is "$(jq -r '[.records[] | select(.verdict == "skipped") | .check] | length' "$R")/$(calls make)" "8/" "each is on record as skipped (with the coverage, and one from before); nothing was compiled"
printf 'more toy - - - CONFIG_MORE=y\n' >>"$W/configs/variants"
printf 'toy2 toy toy toy-linux- tiny_defconfig gcc-toy no touched -\n' >>"$W/configs/arches"
build --arch toy2,toy --variant defconfig,more
good "a line more is a cell more" "toy2 +passed.*toy +passed.*toy\+more +passed"
sed -i '$d' "$W/configs/variants"
sed -i '$d' "$W/configs/arches"

# ---- what fails ------------------------------------------------------------------------------

resubmit edit "$A/mm/pagewalk.c" 's|^static int pagewalk_step_4.*|& /* W-toy: fresh */|'
build --arch x86_64,toy
is "$RC/$(rec 'warnings x86_64')/$(rec 'warnings toy')" "1/passed false/failed false" "a warning that the series adds, in one cell"
is "$(detail 'warnings toy')" "mm/pagewalk.c:31: gcc warning: fresh [-Wtest] (in pagewalk_step_4)" "and it is named"
resubmit edit "$A/mm/nolock.c" 's/int nolock/int BROKEN-toy/'
build --arch x86_64,toy
is "$RC/$(rec 'build x86_64')/$(rec 'build toy')/$(rec 'warnings toy')" "1/passed false/failed false/skipped false" "a cell that the series breaks: failed"
like "$(detail 'build toy')" "mm/nolock.c:1:1: error: broken" "with the error"
g "$D" checkout -q -B other base
printf '/* BROKEN-toy */\n' >>"$D/mm/user.c"
printf '/* W: old */\n' >>"$D/mm/part.c"
g "$D" commit -q -a -m other
rm -rf "$T/broken" && cp -R "$D" "$T/broken" && g "$D" checkout -q base
rm -rf "$WALKLOCK_CACHE/trees/fake" "$WALKLOCK_CACHE/work"
wl tree fake --from "$T/broken" >/dev/null 2>&1
build --arch x86_64,toy
is "$RC/$(rec 'build toy')" "1/failed false" "also where the base does not build, in another file"
resubmit true
build --arch x86_64,toy
is "$RC/$(rec 'build toy')/$(rec 'warnings toy')" "0/skipped false/skipped false" "a cell whose base breaks in the same way: skipped, not passed"
like "$(detail 'build toy')" "^the base does not build either: mm/user.c:1:1: error" "with the reason"
build --arch x86_64,toy
is "$(rec 'build x86_64')/$(rec 'build toy')" "passed true/skipped false" "and tried again the next time"
rm -rf "$WALKLOCK_CACHE/trees/fake" "$WALKLOCK_CACHE/work"
wl tree fake --from "$P" >/dev/null 2>&1
edit "$W/scripts/lib/objects.mk" 's/^include .*/$(error no)/'
build --arch toy --no-reuse
is "$RC/$(rec 'build toy')" "1/failed false" "a list of objects that cannot be had is no pass"
cp "$L_TOP/scripts/lib/objects.mk" "$W/scripts/lib/objects.mk"

# ---- all of them, interrupted ---------------------------------------------------------------------

rm -rf "$WALKLOCK_CACHE/evidence" "$R"
PATH_STOP="$T/bin/stop:$PATH"
mkdir "$T/bin/stop"
stub "$T/bin/stop/make" <<EOF
case "\$*" in *toy+up*mm/pagewalk.o*) if mkdir "$T/reached" 2>/dev/null; then sleep 20; fi ;; esac
exec "$B/make" "\$@"
EOF
rm -f "$T"/calls/*
start env PATH="$PATH_STOP" "$W/scripts/build" fake --all
for i in 1 2 3 4 5 6; do if wait_reached; then break; fi; done
[ -d "$T/reached" ]
ok $? "interrupted in the middle of the cells"
kill -KILL -- -"$PID"
finish
is "$RC/$(calls make | tr , '\n' | cut -d' ' -f1 | sort -u | paste -sd' ')" "137/lltoy toy x86_64" "some were compiled"
build --all
is "$RC" 1 "--all: a failed cell is exit code 1"
is "$(rec 'build x86_64')/$(rec 'build toy')/$(rec 'build llvm')/$(rec 'build toy+up')/$(rec 'build toy+stuck')" "passed true/passed true/passed true/passed false/failed false" "run again: it goes on where it was"
like "$OUT" '14 cells: 7 built, 1 failed, 6 skipped$' "a table of all cells, and their count at the end"
is "$(awk '$1 == "fake" { print $2 }' <<<"$OUT" | paste -sd' ')" "x86_64 toy llvm newer moon nocc x86_64+up toy+up toy+part toy+free toy+stuck toy+rt toy+odd toy+nommu coverage" "one line a cell, in their order"
like "$OUT" 'toy\+up +passed +passed +[0-9]+ +3 touched files' "with verdicts, seconds and what was compiled"
like "$ERR" "cell 8 of 14: toy\+up: build passed, warnings passed, [0-9]+ s" "progress: a line a cell"
build --all
is "$RC/$(calls make)" "1/" "a third time: nothing is compiled"
build --all --variant defconfig
is "$(jq -r '[.records[] | select(.check | startswith("build"))] | length' "$R")/$RC" "14/0" "--all --variant defconfig: the architectures alone"

# ---- for another engine -----------------------------------------------------------------------------

build --arch x86_64,toy,moon --variant defconfig,up --print-jobs
good "--print-jobs"
is "$(wc -l <<<"$OUT")/$(calls make)" "4/" "one line for each cell that the tree can have; none is run"
like "$ERR" "no command for moon: 7.3.4 has no arch/moon" "the others are named"
jobs=$OUT
rm -rf "$WALKLOCK_CACHE/evidence" "$R"
while read -r job; do
	(cd / && env -u WALKLOCK_CACHE -u WALKLOCK_OUT sh -c "$job") >/dev/null 2>&1 </dev/null &
done <<<"$jobs"
wait
is "$(jq -r '[.records[] | select(.check | startswith("build")) | .check + " " + .verdict] | join(",")' "$R")" \
	"build toy passed,build toy+up passed,build x86_64 passed,build x86_64+up passed" "all lines at once, from another folder: every record is there"

# ---- refusals --------------------------------------------------------------------------------------------

refuse() { # REGEX ARGS...
	build "${@:2}"
	refused 2 "$1" "refused: ${*:2}"
}
refuse "unknown variant 'nosuch': one of defconfig up part" --variant nosuch
refuse "unknown variant 'nosuch'" --arch toy+nosuch
refuse "llvm has no variant 'up' \(configs/variants\)" --arch llvm+up
refuse "none of llvm has a variant up" --arch llvm --variant up
refuse "unknown architecture 'nosuch'" --arch nosuch+up
refuse "no scope 'much': all, users, arch or touched" --scope much
refuse "either --all or --arch" --all --arch toy
refuse "--hosts $T/none: cannot be read" --hosts "$T/none"
for line in 'ho"st' '$(touch x)' '-oProxyCommand=x h' 'a;b'; do
	printf '%s\n' "$line" >"$T/hosts"
	refuse "--hosts $T/hosts: not understood: " --hosts "$T/hosts"
done
printf '# none\n\n' >"$T/hosts"
refuse "--hosts $T/hosts: names no host" --hosts "$T/hosts"
printf 'x86_64 x86_64 x86 x86_64-linux-gnu- defconfig gcc yes all - nonsense\n' >"$W/configs/arches"
build
refused 2 "configs: 'nonsense' in the line of x86_64 is no argument of make and no option" "a word in a line that means nothing"
done_testing
