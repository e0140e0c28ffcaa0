# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# Sourced by the fast tests: TAP output, and a copy of the checkout, a tiny kernel
# tree and a tiny series to try the commands on.  Nothing outside of one
# temporary folder is written, and every path in it has a space.

set -uo pipefail
L_SELF=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
L_TOP=$(cd "$L_SELF/../.." && pwd -P)
L_TMP=$(mktemp -d "${TMPDIR:-/tmp}/wl-test.XXXXXX") || exit 1
L_MOUNTS=()
l_end() {
	local m
	for m in ${L_MOUNTS[@]+"${L_MOUNTS[@]}"}; do umount -l "$m" 2>/dev/null; done
	chmod -R u+w "$L_TMP" 2>/dev/null
	rm -rf "$L_TMP"
}
trap l_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

T="$L_TMP/a b"
W="$T/check out"
mkdir -p "$T/tmp" "$T/home" "$T/bin"
while read -r v; do unset "$v"; done < <(compgen -e | grep -E '^(WALKLOCK|WL|GIT|APT|XDG)_')
export TMPDIR="$T/tmp" HOME="$T/home" WALKLOCK_CACHE="$T/cache" WALKLOCK_OUT="$T/out"
export WALKLOCK_TEST_NEED_KIB=1 GIT_CONFIG_NOSYSTEM=1 LC_ALL=C.UTF-8
# Nothing here has to outlive a power cut.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.fsync GIT_CONFIG_VALUE_0=none
unset CDPATH
umask 022
NAME='walklock authors' MAIL='authors@walklock.invalid'
export GIT_AUTHOR_NAME=$NAME GIT_AUTHOR_EMAIL=$MAIL GIT_COMMITTER_NAME=$NAME GIT_COMMITTER_EMAIL=$MAIL
export GIT_AUTHOR_DATE='2026-01-05T12:00:00+0000' GIT_COMMITTER_DATE='2026-01-05T12:00:00+0000'
cd / || exit 1

# ---- TAP -------------------------------------------------------------------

L_N=0
ok() { # RC NAME
	L_N=$((L_N + 1))
	if [ "$1" -eq 0 ]; then
		printf 'ok %d - %s\n' "$L_N" "$2"
	else
		printf 'not ok %d - %s\n' "$L_N" "$2"
	fi
	return "$1"
}
diag() { sed 's/^/#   /'; }
is() { # GOT WANTED NAME
	[ "$1" = "$2" ]
	ok $? "$3" || printf 'got:    %s\nwanted: %s\n' "$1" "$2" | diag
}
like() { # TEXT REGEX NAME
	[[ $1 =~ $2 ]]
	ok $? "$3" || printf 'got:    %s\nregex:  %s\n' "$1" "$2" | diag
}
unlike() {
	! [[ $1 =~ $2 ]]
	ok $? "$3" || printf 'got:    %s\nunwanted: %s\n' "$1" "$2" | diag
}
same_file() { # GOT WANTED NAME
	diff -u "$2" "$1" >"$L_TMP/diff" 2>&1
	ok $? "$3" || diag <"$L_TMP/diff"
}
skip() { # NAME REASON
	L_N=$((L_N + 1))
	printf 'ok %d - %s # SKIP %s\n' "$L_N" "$1" "$2"
}
# The plan comes last: a test file that ends early has none, and fails.
done_testing() { printf '1..%d\n' "$L_N"; }

# ---- running a command --------------------------------------------------------

# run COMMAND ARGS...: RC, OUT, ERR, and ERRL: stderr without the progress lines.
run() {
	"$@" >"$L_TMP/out" 2>"$L_TMP/err" </dev/null
	RC=$?
	OUT=$(cat "$L_TMP/out") ERR=$(cat "$L_TMP/err")
	ERRL=$(grep -vE '^[a-z]+: \[ *[0-9]+s\] ' "$L_TMP/err")
}
good() { # NAME [REGEX OF STDOUT]: the run ended well
	[ "$RC" -eq 0 ] && [[ $OUT =~ ${2:-} ]]
	ok $? "$1" || printf 'exit code %d\n%s\n%s\n' "$RC" "$OUT" "$ERR" | diag
}
# refused CODE REGEX NAME: the exit code, and one line on stderr that matches.
refused() {
	local lines
	lines=$(grep -c . <<<"$ERRL")
	[ "$RC" -eq "$1" ] && [ "$lines" -eq 1 ] && [[ $ERRL =~ $2 ]]
	ok $? "$3" || printf 'exit code %d (wanted %d), %d lines\n%s\nregex: %s\n%s\n' "$RC" "$1" "$lines" "$ERRL" "$2" "$OUT" | diag
}

# snap PATH...: a hash of all that is below the paths: names, modes, links, bytes.
snap() {
	local p
	for p; do
		[ ! -e "$p" ] || tar -C "$p" --sort=name --mtime=@0 --hard-dereference -cf - . 2>&1
	done | sha256sum
}
# Locks are empty of meaning when nobody holds them; all else in the cache counts.
snap_cache() { tar -C "$WALKLOCK_CACHE" --sort=name --mtime=@0 --exclude=./locks -cf - . 2>&1 | sha256sum; }
# Everything that a command could have changed.
snap_all() { snap "$W" "$T/out" "$T/home" "$@"; snap_cache; }
tmp_left() { find "$T/tmp" -mindepth 1 -maxdepth 1 | wc -l; }

# ---- the copy of the checkout ----------------------------------------------------

# make_checkout: $W with the commands as they are and trees of its own.
make_checkout() {
	mkdir -p "$W"
	cp -R "$L_TOP/configs" "$W/"
	mkdir "$W/scripts"
	(cd "$L_TOP/scripts" && tar --exclude=./tests --exclude=__pycache__ -cf - .) | tar -xf - -C "$W/scripts"
	cat >"$W/configs/trees" <<-EOF
		# name line series debian git ref
		fake   7.3  patches        -    file://${T// /%20}/origin   main
		old    6.6  backports/old  -    file:///nowhere/at/all      main
		deb    7.3  patches        linux-source-7.3  file:///nowhere/at/all  main
	EOF
}
wl() { # COMMAND ARGS...
	local c=$1
	shift
	"$W/scripts/$c" "$@"
}

# ---- the tiny kernel tree -----------------------------------------------------------

# make_kernel DIR [VERSION PATCHLEVEL SUBLEVEL]
make_kernel() {
	local d=$1 i
	mkdir -p "$d/mm" "$d/include/linux" "$d/fs/proc" "$d/scripts"
	cat >"$d/Makefile" <<-EOF
		# SPDX-License-Identifier: GPL-2.0
		VERSION = ${2:-7}
		PATCHLEVEL = ${3:-3}
		SUBLEVEL = ${4:-4}
		EXTRAVERSION =
		NAME = Tiny
	EOF
	printf '# SPDX-License-Identifier: GPL-2.0\nobj-y += mm/ fs/\n' >"$d/Kbuild"
	printf '*.o\n*.tmp\n!.gitignore\n' >"$d/.gitignore"
	printf '#ifndef _LINUX_PAGEWALK_H\n#define _LINUX_PAGEWALK_H\n\nenum page_walk_lock {\n\tPGWALK_RDLOCK,\n\tPGWALK_WRLOCK,\n};\n\nstruct mm_walk;\n\n#endif\n' >"$d/include/linux/pagewalk.h"
	for i in pagewalk madvise; do
		{
			printf '// SPDX-License-Identifier: GPL-2.0\n#include <linux/pagewalk.h>\n'
			for n in 1 2 3 4 5 6 7 8; do
				printf '\nstatic int %s_step_%d(struct mm_walk *walk)\n{\n\tint err = %d;\n\n\tif (!walk)\n\t\treturn -%d;\n\treturn err;\n}\n' "$i" "$n" "$n" "$n"
			done
		} >"$d/mm/$i.c"
	done
	# The warning that a stand-in for make (evidence.t) finds.
	printf '// SPDX-License-Identifier: GPL-2.0\nint other(void)\n{\n\treturn 0; /* W: first */\n}\n' >"$d/mm/other.c"
	printf '#!/bin/sh\nexit 0\n' >"$d/scripts/tool.sh"
	chmod 755 "$d/scripts/tool.sh"
	ln -s scripts/tool.sh "$d/link"
}

# git without what a test puts into the user's configuration.
g() { GIT_CONFIG_GLOBAL=/dev/null git -c advice.detachedHead=false -C "$@"; }

# make_git DIR: the folder becomes a repository with one commit on "main".
make_git() {
	g / init -q -b main "$1"
	g "$1" add -A
	g "$1" commit -q -m "Linux"
}

# edit FILE SED-SCRIPT: changes a file, or fails the test file.
edit() {
	cp -p "$1" "$L_TMP/edit"
	sed -i "$2" "$1"
	! cmp -s "$1" "$L_TMP/edit" || { printf 'Bail out! edit of %s changed nothing: %s\n' "$1" "$2"; exit 1; }
}

# format REPO FROM..TO DIR: the project's form of patch files.
format() {
	mkdir -p "$3"
	g "$1" format-patch -q --zero-commit --no-signature --no-numbered --full-index \
		-p --stat=79,60 --summary --subject-prefix=PATCH -o "$3" "$2"
}

# make_series DIR: three patches in two topics against make_kernel's tree; the
# series as applied is left in $T/author, its branches t1 and t2.
make_series() {
	local a=$T/author
	make_kernel "$a"
	make_git "$a"
	edit "$a/mm/pagewalk.c" 's/int err = 2;/int err = 20;/'
	g "$a" commit -q -a -m "mm/pagewalk: make step 2 longer" -m "One step was too short."
	edit "$a/mm/pagewalk.c" 's/return -3;/return -30;/'
	edit "$a/mm/pagewalk.c" 's/return -7;/return -70;/'
	edit "$a/mm/madvise.c" 's/int err = 5;/int err = 50;/'
	g "$a" commit -q -a -m "mm: steps 3 and 7 fail harder, with a subject of some length in it" -m "Two hunks, and another file: é."
	g "$a" branch t1
	printf '// SPDX-License-Identifier: GPL-2.0\nint nolock;\n' >"$a/mm/nolock.c"
	edit "$a/include/linux/pagewalk.h" 's/\tPGWALK_WRLOCK,/&\n\tPGWALK_NOLOCK,/'
	g "$a" add -A
	g "$a" commit -q -m "mm/nolock: add a mode" -m "A file of its own."
	g "$a" branch t2
	format "$a" main~3..t1 "$1/1-walk-lock"
	format "$a" t1..t2 "$1/2-nolock"
	printf 'Subject: [PATCH 0/2] cover one\n' >"$1/1-walk-lock/cover-letter.txt"
	printf 'Subject: [PATCH 0/1] cover two\n' >"$1/2-nolock/cover-letter.txt"
}

# make_tree: the tree "fake" in the cache.
make_tree() {
	make_kernel "$T/plain"
	wl tree fake --from "$T/plain" >/dev/null 2>&1 || { printf 'Bail out! no fake tree\n'; exit 1; }
	D=$WALKLOCK_CACHE/trees/fake
}

# bin_without COMMAND...: prints a folder of links to the commands that are used,
# but these, and but those that could install them.
bin_without() {
	local d="$T/bin/without $*" c
	mkdir -p "$d"
	for c in awk basename bash bc bison cat chmod cmp column cp cut date df dirname dpkg env expr find flex flock gcc \
		getconf git grep head id jq ln ls make mkdir mktemp mv nproc paste perl pkill ps python3 readlink rm sed \
		sh sha256sum sleep sort stat tail tar timeout touch tr uname uniq wc xargs xz; do
		case " $* " in *" $c "*) continue ;; esac
		ln -sf "$(command -v "$c")" "$d/$c" 2>/dev/null
	done
	printf '%s\n' "$d"
}

# start COMMAND ARGS...: in the background, in a session of its own and with
# signals as a terminal gives them (a shell's background job ignores SIGINT).
# Sets PID; finish waits for it, and sets what run sets.
start() {
	python3 -c '
import os, signal, sys
os.setsid()
for s in (signal.SIGINT, signal.SIGQUIT):
    signal.signal(s, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])' "$@" >"$L_TMP/bg.out" 2>"$L_TMP/bg.err" </dev/null &
	PID=$!
}
finish() {
	wait "$PID" 2>/dev/null
	RC=$?
	OUT=$(cat "$L_TMP/bg.out") ERR=$(cat "$L_TMP/bg.err")
	ERRL=$(grep -vE '^[a-z]+: \[ *[0-9]+s\] ' "$L_TMP/bg.err")
}

# stop_at COMMAND PATTERN: the first call of COMMAND with PATTERN in its arguments
# waits, so that a test can interrupt there.  Sets PATH_STOP; "reached" is the
# file that tells; everything else of COMMAND is the real one.
stop_at() {
	local d="$T/bin/stop $1 ${2//[^a-z0-9-]/_}" real
	real=$(command -v "$1")
	mkdir -p "$d"
	cat >"$d/$1" <<-EOF
		#!/bin/bash
		case " \$* " in
		*"$2"*)
			if mkdir "$T/reached" 2>/dev/null; then sleep "\${STOP_SECONDS:-20}"; fi ;;
		esac
		exec $real "\$@"
	EOF
	chmod 755 "$d/$1"
	PATH_STOP=$d:$PATH
	rm -rf "$T/reached"
}
wait_reached() {
	local i
	for ((i = 0; i < 200; i++)); do
		[ ! -d "$T/reached" ] || return 0
		kill -0 "$PID" 2>/dev/null || return 1
		sleep 0.05
	done
	return 1
}
