#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/tree: importing, and every way in which it cannot.

# shellcheck source=scripts/tests/lib.sh
. "$(dirname "$0")/lib.sh"
make_checkout
make_kernel "$T/plain"
D=$WALKLOCK_CACHE/trees/fake

# ---- a plain folder, as a tarball leaves it --------------------------------------

printf 'int shipped;\n' >"$T/plain/mm/shipped.o"
mkdir "$T/plain/empty"
before=$(snap "$T/plain")
run wl tree fake --from "$T/plain"
good "a plain folder is imported, its path with spaces is printed" "^$D\$"
is "$(snap "$T/plain")" "$before" "the folder is as it was"
is "$(g "$D" rev-list --count base)" 1 "base is one commit"
like "$(g "$D" log -1 --format=%B base)" "Linux 7.3.4.*unpacked source folder" "it says version and origin"
is "$(g "$D" status --porcelain)" "" "its work tree is clean"
is "$(g "$D" ls-tree base link | cut -c1-6)" 120000 "a symbolic link stays one"
is "$(g "$D" ls-tree base scripts/tool.sh | cut -c1-6)" 100755 "an executable file stays one"
is "$(g "$D" show base:mm/shipped.o)" "int shipped;" "a file of the tarball that .gitignore names is in"
is "$(g "$D" rev-parse --abbrev-ref HEAD)" base "base is checked out"
is "$(tmp_left)" 0 "no temporary folder is left"

state=$(snap_cache)
run wl tree fake --from "$T/plain"
good "the second call answers" "^$D\$"
is "$ERR" "" "at once: it says nothing"
is "$(snap_cache)" "$state" "and changes nothing"
run wl tree fake
good "without --from it answers as well" "^$D\$"
run wl tree fake --describe
is "$OUT" "7.3.4 unpacked source folder" "--describe"

id=$(g "$D" rev-parse base)
run wl tree fake --from="$T/plain" --refresh
good "--refresh imports again" "^$D\$"
is "$(g "$D" rev-parse base)" "$id" "the same source gives the same commit"

ln -sfn Makefile "$T/plain/link"
run wl tree fake --from "$T/plain"
is "$(g "$D" show base:link)" Makefile "a link that points elsewhere is a change"
chmod 644 "$T/plain/scripts/tool.sh"
run wl tree fake --from "$T/plain"
is "$(g "$D" ls-tree base scripts/tool.sh | cut -c1-6)" 100644 "a mode is a change"

mkdir -p "$T/built"
make_kernel "$T/built/tree"
: >"$T/built/tree/.config"
: >"$T/built/tree/mm/pagewalk.o"
run wl tree fake --from "$T/built/tree"
is "$(g "$D" ls-tree -r --name-only base | grep -c '\.o$')" 0 "objects of a built tree are not imported"
[ -f "$T/built/tree/mm/pagewalk.o" ]
ok $? "and stay where they are"

# ---- git work trees ------------------------------------------------------------------

make_kernel "$T/user"
make_git "$T/user"
: >"$T/user/untracked.c"
before=$(snap "$T/user")
run wl tree fake --from "$T/user"
good "a git work tree is imported" "^$D\$"
is "$(snap "$T/user")" "$before" "the work tree and its .git are as they were"
is "$(g "$D" rev-parse 'base^{tree}')" "$(g "$T/user" rev-parse 'HEAD^{tree}')" "base is its HEAD, without the untracked file"
run wl tree fake --from "$T/user"
is "$ERR" "" "a second time: at once"

git clone -q --depth 1 "file://${T// /%20}/user" "$T/shallow"
run wl tree fake --from "$T/shallow" --refresh
good "a shallow clone is imported" "^$D\$"
g "$T/user" worktree add -q "$T/linked" -b linked
run wl tree fake --from "$T/linked" --refresh
good "a linked work tree is imported" "^$D\$"

mkdir -p "$T/outer/vendor"
git init -q "$T/outer"
make_kernel "$T/outer/vendor/linux"
printf 'vendor/\n' >"$T/outer/.gitignore"
g "$T/outer" add -A
g "$T/outer" commit -q -m outer
before=$(snap "$T/outer")
run wl tree fake --from "$T/outer/vendor/linux" --refresh
good "a folder inside another repository is imported as a plain one" "^$D\$"
is "$(g "$D" ls-tree --name-only base Kbuild)" Kbuild "with its files at the top, though that repository ignores them"
is "$(snap "$T/outer")" "$before" "that repository is as it was"

# "git rebase --exec" and hooks set these.
run env GIT_DIR="$T/outer/.git" GIT_WORK_TREE="$T/outer" GIT_INDEX_FILE="$T/outer/.git/index" "$W/scripts/tree" fake --from "$T/user" --refresh
good "git's own variables do not lead it astray" "^$D\$"
is "$(snap "$T/outer")" "$before" "the repository that they name is as it was"

# a shallow clone of the tree's repository, as from kernel.org
make_kernel "$T/origin"
make_git "$T/origin"
printf 'obj-y += lib/\n' >>"$T/origin/Kbuild"
g "$T/origin" commit -q -a -m more
run wl tree fake --refresh
good "the repository of configs/trees is cloned" "^$D\$"
like "$(wl tree fake --describe)" "^7.3.4 file:.*origin main $(g "$T/origin" rev-parse HEAD)\$" "origin and commit are on record"

# ---- bad input: one line, exit code 2, nothing changed ------------------------------------

mkdir "$T/bad"
mkdir "$T/bad/nokernel" && printf 'all:\n' >"$T/bad/nokernel/Makefile"
make_kernel "$T/bad/line61" 6 1 192
make_kernel "$T/bad/line73x" 7 30 1
for what in dirty staged merge rebase am; do cp -R "$T/user" "$T/bad/$what"; done
edit "$T/bad/dirty/mm/madvise.c" 's/= 1;/= 11;/'
edit "$T/bad/staged/mm/madvise.c" 's/= 1;/= 11;/' && g "$T/bad/staged" add -A
make_side() { # DIR: two branches that collide
	g "$1" checkout -q -b side
	edit "$1/mm/madvise.c" 's/= 1;/= 12;/' && g "$1" commit -q -a -m side
	g "$1" checkout -q main
	edit "$1/mm/madvise.c" 's/= 1;/= 13;/' && g "$1" commit -q -a -m main
}
make_side "$T/bad/merge" && g "$T/bad/merge" merge -q side >/dev/null 2>&1
make_side "$T/bad/rebase" && g "$T/bad/rebase" rebase -q side >/dev/null 2>&1
make_side "$T/bad/am" && g "$T/bad/am" format-patch -q -1 --stdout side >"$T/am.patch"
g "$T/bad/am" am -q "$T/am.patch" >/dev/null 2>&1
for what in merge am; do g "$T/$what" reset -q --hard 2>/dev/null; done
# reset --hard ends a merge; a merge whose conflict is resolved but not committed does not
make_merge() { g "$1" merge -q --no-commit -s ours side >/dev/null 2>&1; }
make_merge "$T/bad/merge"

bad() { # NAME REGEX ARGS...: as it says at the head of this part
	local name=$1 regex=$2 all
	shift 2
	all=$(snap_all "$T/bad")
	run wl tree "$@"
	refused 2 "$regex" "$name"
	is "$(snap_all "$T/bad")/$(tmp_left)" "$all/0" "$name: nothing changed"
}
bad "unknown tree" "unknown tree 'nosuch': one of fake old deb" nosuch
bad "no such folder" "$T/gone: no such folder" fake --from "$T/gone"
bad "no kernel tree" "$T/bad/nokernel: not a kernel tree" fake --from "$T/bad/nokernel"
bad "a tree of another line" "$T/bad/line61: is 6.1.192, not of line 7.3" fake --from "$T/bad/line61"
bad "7.30 is not 7.3" "is 7.30.1, not of line 7.3" fake --from "$T/bad/line73x"
bad "a dirty work tree" "$T/bad/dirty: has uncommitted changes; commit or stash" fake --from "$T/bad/dirty"
bad "a staged change" "$T/bad/staged: has uncommitted changes" fake --from "$T/bad/staged"
bad "in the middle of a merge" "git operation is under way there \(MERGE_HEAD\); finish or abort" fake --from "$T/bad/merge"
bad "in the middle of a rebase" "git operation is under way there \(rebase-merge\)" fake --from "$T/bad/rebase"
bad "in the middle of git am" "git operation is under way there \(rebase-apply\)" fake --from "$T/bad/am"
bad "unknown origin" "unknown origin 'moon'" fake --origin moon
bad "an option without its value" "--from needs a folder" fake --from
export WALKLOCK_TEST_NEED_KIB=99999999999
bad "no space" "no space for tree old: .* MiB needed below $WALKLOCK_CACHE, .* free" old
export WALKLOCK_TEST_NEED_KIB=1
bad "no network: clone" "tree old: no Debian suite carries line 6.6; file:///nowhere/at/all cannot be reached; give one with 'scripts/tree old --from DIR'" old

# apt without a source, and with a mirror behind a proxy that is not there
mkdir "$T/apt"
: >"$T/apt/none"
printf 'deb http://deb.invalid/debian bookworm main\n' >"$T/apt/dead"
for kind in none dead; do
	printf 'Dir::Etc::SourceList "%s";\nDir::Etc::SourceParts "/dev/null";\nAcquire::http::Proxy "http://127.0.0.1:9";\n' "$T/apt/$kind" >"$T/apt/$kind.conf"
	if command -v apt-get >/dev/null; then
		t0=$SECONDS
		export APT_CONFIG="$T/apt/$kind.conf"
		run wl tree deb
		refused 2 "tree deb: no Debian mirror can be reached; file:///nowhere/at/all cannot be reached; give one with 'scripts/tree deb --from DIR'" "no network: apt, $kind"
		unset APT_CONFIG
		[ $((SECONDS - t0)) -le 10 ]
		ok $? "no network: apt, $kind: said within 10 s ($((SECONDS - t0)) s)"
		is "$(find "$WALKLOCK_CACHE/trees" -mindepth 1 -maxdepth 1 -printf '%P ')" "fake " "no network: apt, $kind: no part of a tree is left"
	else
		skip "no network: apt, $kind" "no apt-get here"
	fi
done

path=$(bin_without git)
all=$(snap_all "$T/user")
run env PATH="$path" "$W/scripts/tree" fake --from "$T/user" --refresh
refused 2 "missing: git; .*install" "missing tool: git"
is "$(snap_all "$T/user")" "$all" "missing tool: git: nothing changed"

# ---- a cache that cannot be written ----------------------------------------------------------

printf 'a file\n' >"$T/nocache"
run env WALKLOCK_CACHE="$T/nocache/below" "$W/scripts/tree" fake --from "$T/user"
refused 2 "cannot write to the cache $T/nocache/below: set WALKLOCK_CACHE" "the cache is below a file"
is "$(cat "$T/nocache")" "a file" "the cache is below a file: that is as it was"
mkdir "$T/rocache"
ro=
if [ "$(id -u)" -ne 0 ]; then
	chmod 555 "$T/rocache" && ro=yes
elif mount -t tmpfs -o ro,size=64k walklock-test "$T/rocache" 2>/dev/null; then
	L_MOUNTS+=("$T/rocache") && ro=yes
fi
if [ -n "$ro" ]; then
	run env WALKLOCK_CACHE="$T/rocache" "$W/scripts/tree" fake --from "$T/user"
	refused 2 "cannot write to the cache $T/rocache: set WALKLOCK_CACHE" "a read-only cache"
else
	skip "a read-only cache" "nothing can be mounted here"
fi
# What is ready can be used from a cache that is read-only.
if [ "$(id -u)" -ne 0 ]; then
	chmod -R a-w "$WALKLOCK_CACHE"
	run wl tree fake
	good "a read-only cache with the tree in it answers" "^$D\$"
	chmod -R u+w "$WALKLOCK_CACHE"
elif mkdir "$T/bind" && mount --bind "$WALKLOCK_CACHE" "$T/bind" 2>/dev/null; then
	L_MOUNTS+=("$T/bind")
	if mount -o remount,bind,ro "$T/bind" 2>/dev/null; then
		run env WALKLOCK_CACHE="$T/bind" "$W/scripts/tree" fake
		good "a read-only cache with the tree in it answers" "^$T/bind/trees/fake\$"
	else
		skip "a read-only cache with the tree in it answers" "nothing can be mounted read-only here"
	fi
else
	skip "a read-only cache with the tree in it answers" "nothing can be mounted here"
fi

# ---- a full disk --------------------------------------------------------------------------------

mkdir "$T/small"
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=256k,nr_inodes=60 walklock-test "$T/small" 2>/dev/null; then
	L_MOUNTS+=("$T/small")
	run env -u WALKLOCK_TEST_NEED_KIB WALKLOCK_CACHE="$T/small" "$W/scripts/tree" fake --from "$T/user"
	refused 2 "no space for tree fake: 5120 MiB needed below $T/small, 0 MiB free; free some, or set WALKLOCK_CACHE" "a small disk: said before"
	run env WALKLOCK_CACHE="$T/small" "$W/scripts/tree" fake --from "$T/user"
	is "$RC" 2 "a disk that is full half way"
	like "$ERRL" "No space left|from $T/user" "a disk that is full half way: it says so"
	is "$(find "$T/small/trees" -mindepth 1 | wc -l)" 0 "a disk that is full half way: nothing is left on it"
else
	skip "a full disk" "nothing can be mounted here"
fi

# ---- interruptions ----------------------------------------------------------------------------------

id=$(g "$D" rev-parse base)
for at in "git fetch" "mv .import." "git update-ref"; do
	for sig in INT TERM KILL; do
		stop_at "${at% *}" " ${at#* }"
		[ "$at" != "mv .import." ] || stop_at mv .import.
		# Only what a signal to the command alone cannot end waits to its own end.
		case $sig$at in TERM* | *mv*) export STOP_SECONDS=0.3 ;; esac
		start env PATH="$PATH_STOP" "$W/scripts/tree" fake --from "$T/user" --refresh
		wait_reached || ok 1 "SIG$sig at '$at': the moment is there"
		if [ "$sig" = TERM ]; then kill -TERM "$PID"; else kill -"$sig" -- -"$PID"; fi
		finish
		unset STOP_SECONDS
		left=$(find "$WALKLOCK_CACHE/trees" -mindepth 1 -maxdepth 1 -name '.fake.*' | wc -l)
		case $sig$at in
		KILL*) is "$RC" 137 "SIGKILL at '$at'" ;;
		*"mv .import.") # too late: the tree is put in place
			is "$left/$(tmp_left)" "0/0" "SIG$sig at '$at': nothing is left" ;;
		*)
			case $sig in INT) want=130 ;; *) want=143 ;; esac
			is "$RC/$left/$(tmp_left)" "$want/0/0" "SIG$sig at '$at': nothing is left"
			like "$ERRL" "^tree: interrupted; .* run it again" "SIG$sig at '$at': it says so"
			is "$(g "$D" rev-parse base)" "$id" "SIG$sig at '$at': the tree from before is there" ;;
		esac
		[ "$sig$at" = "KILLmv .import." ] || g "$D" fsck --no-progress >/dev/null 2>&1 || ok 1 "SIG$sig at '$at': the tree is whole"
		run wl tree fake --from "$T/user" --refresh
		good "SIG$sig at '$at': run again" "^$D\$"
		id=$(g "$D" rev-parse base)
		is "$(find "$WALKLOCK_CACHE/trees" -mindepth 1 -maxdepth 1 -printf '%P ')" "fake " "SIG$sig at '$at': clean afterwards"
	done
done

# ---- two at once -----------------------------------------------------------------------------------------

stop_at git ' fetch'
start env PATH="$PATH_STOP" STOP_SECONDS=2 "$W/scripts/tree" fake --from "$T/user" --refresh
wait_reached
run wl tree fake --from "$T/user" --refresh
refused 2 "tree-fake is in use by tree \(pid $PID\): wait until it ends, or set WALKLOCK_WAIT" "a second run beside the first"
run env WALKLOCK_WAIT=20 "$W/scripts/tree" fake --from "$T/user" --refresh
good "a second run with WALKLOCK_WAIT waits" "^$D\$"
finish
good "the first one ended well" "^$D\$"

# ---- work that would be lost -------------------------------------------------------------------------------

make_series "$W/patches"
wl apply fake >/dev/null 2>&1
run wl tree fake --from "$T/user" --refresh
good "branches that the patch files give do not stand in the way" "^$D\$"
wl apply fake >/dev/null 2>&1
g "$D" update-ref refs/heads/walklock/2-nolock walklock/1-walk-lock
run wl tree fake --from "$T/user" --refresh
refused 2 "changed by hand and would be lost: run 'scripts/export fake'" "branches changed by hand are not lost"

# ---- another user's folder -----------------------------------------------------------------------------------

if [ "$(id -u)" -eq 0 ]; then
	cp -R "$T/user" "$T/theirs"
	chown -R 65534:65534 "$T/theirs"
	run wl apply fake --force
	run wl tree fake --from "$T/theirs" --refresh
	good "another user's work tree is imported" "^$D\$"
else
	skip "another user's work tree is imported" "only root can make one"
fi
done_testing
