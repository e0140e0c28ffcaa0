#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/apply: in the cache's tree, onto a user's own, and every refusal.

# shellcheck source=scripts/tests/lib.sh
. "$(dirname "$0")/lib.sh"
make_checkout
make_series "$W/patches"
make_tree
final=$(g "$T/author" rev-parse 't2^{tree}')
topic1=$(g "$T/author" rev-parse 't1^{tree}')
refs() { g "$D" for-each-ref --format='%(refname:short) %(objectname)' refs/heads/walklock/; }
unapply() {
	local r
	for r in $(g "$D" for-each-ref --format='%(refname)' refs/heads/walklock/); do g "$D" update-ref -d "$r"; done
}

# ---- in the cache ------------------------------------------------------------------

run wl apply fake
good "the series applies" "applied 3 patches of 2 topics: branch walklock/series of $D"
is "$(g "$D" rev-parse 'walklock/series^{tree}')" "$final" "to the tree that its author had"
is "$(g "$D" rev-parse 'walklock/1-walk-lock^{tree}')" "$topic1" "with a branch at the end of the topic"
is "$(g "$D" log -1 --format='%an <%ae> %ad' walklock/series)" "$NAME <$MAIL> Mon Jan 5 12:00:00 2026 +0000" "author and date are the patch's"
is "$(g "$D" status --porcelain)/$(tmp_left)" "/0" "work tree and temporary folder are clean"
ids=$(refs)
all=$(snap_all)
run wl apply fake
good "a second time: says so" "^already applied: 3 patches, .*nothing done"
is "$(snap_all)" "$all" "a second time: does nothing"
unapply
(cd "$W/patches/1-walk-lock" && run "../../scripts/apply" fake)
is "$(refs)" "$ids" "from another folder: the same commits"
run wl apply fake --topic 1-walk-lock --force
good "--topic stops there" "applied 2 patches of 1 topic:"
is "$(refs | cut -d' ' -f1 | paste -sd' ')" "walklock/1-walk-lock walklock/series" "--topic: the later branch is gone"
run wl apply fake
good "and without it the rest comes back" "applied 3 patches"
is "$(refs)" "$ids" "as it was"

# What the user's configuration says of diffs, mail and line ends is not asked.
cat >"$HOME/.gitconfig" <<-'EOF'
	[core]
		autocrlf = true
		whitespace = fix
		attributesFile = ~/attributes
	[apply]
		whitespace = fix
		ignoreWhitespace = change
	[am]
		threeWay = true
		keepcr = false
	[diff]
		noprefix = true
		context = 1
		external = /bin/false
		orderFile = /nowhere
	[color]
		ui = always
	[commit]
		gpgSign = true
	[log]
		showSignature = true
	[init]
		templateDir = /nowhere
	[format]
		signOff = true
		attach = true
		suffix = .txt
		headers = "X-Foo: bar\n"
		numbered = true
		from = true
EOF
printf '* text eol=crlf\n' >"$HOME/attributes"
unapply
run wl apply fake
is "$RC/$(refs)" "0/$ids" "the user's git configuration changes nothing"

# ---- damaged patch files: one line, exit code 2, nothing changed -----------------------

bad_series() { # NAME REGEX COMMAND...: COMMAND changes a copy of the second patch
	local name=$1 regex=$2 all
	shift 2
	rm -rf "$T/series"
	cp -R "$W/patches" "$T/series"
	"$@" "$T/series/1-walk-lock/"0002-*.patch
	all=$(snap_all "$T/series")
	run wl apply fake --series "$T/series" --force
	refused 2 "0002-.*\.patch: $regex.*; nothing was applied" "$name"
	is "$(snap_all "$T/series")/$(tmp_left)" "$all/0" "$name: nothing changed"
}
cut_before() { sed -i "/$1/,\$d" "$2"; }
cut_hunk() { sed -i '/^@@ .*step_7/,$d' "$1"; }
cut_bytes() { truncate -s -"$1" "$2"; }
as_mail() { # ENCODING FILE
	sed -i "0,/^\$/s//Content-Transfer-Encoding: $1\n/" "$2"
}
bad_series "truncated inside a hunk" "is truncated or damaged: ends inside the hunk '@@ .*' of mm/pagewalk.c" cut_before '^+.*-70'
bad_series "truncated inside a line" "is truncated: it ends in the middle of a line" cut_bytes 3
grep -q '^@@ .*step_7' "$W"/patches/1-walk-lock/0002-*.patch
ok $? "the patch has a hunk to cut off"
bad_series "truncated at a hunk boundary" "is truncated or damaged: its diffstat says 2 files, \+3 -3, it holds 2 files, \+2 -2" cut_hunk
bad_series "truncated at a file boundary" "is truncated or damaged: its diffstat says 2 files, \+3 -3, it holds 1 files, \+1 -1" cut_before '^diff --git a.mm.pagewalk'
bad_series "truncated before the diff" "is truncated: no diff in it" cut_before '^diff --git'
bad_series "empty" "is empty" truncate -s 0
bad_series "CRLF" "has CRLF line endings" sed -i 's/$/\r/'
bad_series "quoted-printable" "is quoted-printable or base64 encoded: save the mail decoded" as_mail quoted-printable
bad_series "base64" "is quoted-printable or base64 encoded" as_mail BASE64
bad_series "no patch at all" "is no 'git format-patch' file" sed -i 1,4d
bad_series "a line of a hunk is gone" "is truncated or damaged: " sed -i '/^ .*int err = 3/d'

# ---- other bad input ----------------------------------------------------------------------

bad() { # NAME REGEX ARGS...
	local name=$1 regex=$2 all
	shift 2
	all=$(snap_all "$T/trees")
	run wl apply "$@"
	refused 2 "$regex" "$name"
	is "$(snap_all "$T/trees")/$(tmp_left)" "$all/0" "$name: nothing changed"
}
U=$T/trees/user
mkdir "$T/trees"
make_kernel "$U"
make_git "$U"
for what in dirty staged merge rebase am lock; do cp -R "$U" "$T/trees/$what"; done
edit "$T/trees/dirty/mm/madvise.c" 's/= 1;/= 11;/'
edit "$T/trees/staged/mm/madvise.c" 's/= 1;/= 11;/' && g "$T/trees/staged" add -A
side() {
	g "$1" checkout -q -b side
	edit "$1/mm/madvise.c" 's/= 1;/= 12;/' && g "$1" commit -q -a -m side
	g "$1" checkout -q main
	edit "$1/mm/madvise.c" 's/= 1;/= 13;/' && g "$1" commit -q -a -m main
}
for what in merge rebase am; do side "$T/trees/$what"; done
g "$T/trees/merge" merge -q --no-commit -s ours side >/dev/null 2>&1
g "$T/trees/rebase" rebase -q side >/dev/null 2>&1
g "$T/trees/am" format-patch -q -1 --stdout side >"$T/am.patch"
g "$T/trees/am" am -q "$T/am.patch" >/dev/null 2>&1
: >"$T/trees/lock/.git/index.lock"
mkdir "$T/trees/nokernel"
make_kernel "$T/trees/tarball"
make_kernel "$T/trees/line61" 6 1 192 && make_git "$T/trees/line61"
mkdir -p "$T/trees/outer" && g / init -q "$T/trees/outer" && make_kernel "$T/trees/outer/linux"
g "$T/trees/outer" add -A && g "$T/trees/outer" commit -q -m outer

bad "unknown tree" "unknown tree 'nosuch': one of fake old deb" nosuch
bad "unknown topic" "unknown topic '9-x' for fake: one of 1-walk-lock 2-nolock" fake --topic 9-x
bad "no series" "no series for old: .*backports/old is not there" old
bad "an empty series" "no patches for fake in $T/home" fake --series "$T/home"
bad "--series without a folder" "$T/gone: no such folder" fake --series "$T/gone"
bad "--onto without a value" "--onto needs a folder" fake --onto
bad "--onto with an empty one" "--onto needs a folder" fake --onto=
bad "--onto: no such folder" "$T/gone: no such folder" fake --onto "$T/gone"
bad "--onto: no kernel tree" "$T/trees/nokernel: not a kernel tree" fake --onto "$T/trees/nokernel"
bad "--onto: no git work tree" "$T/trees/tarball: not a git work tree with a commit; 'scripts/tree" fake --onto "$T/trees/tarball"
bad "--onto: a folder of another repository" "$T/trees/outer/linux: not the top of its git work tree" fake --onto "$T/trees/outer/linux"
bad "--onto: another line" "$T/trees/line61: is 6.1.192, this series is for 7.3" fake --onto "$T/trees/line61"
bad "--onto: a dirty work tree" "$T/trees/dirty: has uncommitted changes; commit or stash" fake --onto "$T/trees/dirty"
bad "--onto: a staged change" "$T/trees/staged: has uncommitted changes" fake --onto "$T/trees/staged"
bad "--onto: in the middle of a merge" "under way there \(MERGE_HEAD\); finish or abort" fake --onto "$T/trees/merge"
bad "--onto: in the middle of a rebase" "under way there \(rebase-merge\)" fake --onto "$T/trees/rebase"
bad "--onto: in the middle of git am" "under way there \(rebase-apply\)" fake --onto "$T/trees/am"
bad "--onto: another git at work" "under way there \(index.lock\)" fake --onto "$T/trees/lock"

path=$(bin_without git python3)
for tool in git python3; do
	[ "$tool" != python3 ] || ln -s "$(command -v git)" "$path/git"
	all=$(snap_all "$U")
	run env PATH="$path" "$W/scripts/apply" fake --onto "$U"
	refused 2 "missing: $tool; .*install" "missing tool: $tool"
	is "$(snap_all "$U")" "$all" "missing tool: $tool: nothing changed"
done
run env TMPDIR="$T/gone" "$W/scripts/apply" fake --onto "$U"
refused 2 "cannot make a temporary folder in $T/gone: set TMPDIR" "no temporary folder"
mkdir "$T/small"
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=64k,nr_inodes=30 walklock-test "$T/small" 2>/dev/null; then
	L_MOUNTS+=("$T/small")
	all=$(snap_all "$U")
	run env TMPDIR="$T/small" "$W/scripts/apply" fake --onto "$U"
	is "$RC" 2 "no space for the copy: exit code 2, not 3"
	like "$ERR" "No space left" "no space for the copy: it says so"
	is "$(snap_all "$U")/$(find "$T/small" -mindepth 1 | wc -l)" "$all/0" "no space for the copy: nothing changed"
else
	skip "no space for the copy" "nothing can be mounted here"
fi

# ---- onto a user's tree -------------------------------------------------------------------------

cp -R "$U" "$T/pristine"
fresh() { # a user's tree, as it was
	rm -rf "$U"
	cp -R "$T/pristine" "$U"
}
: >"$U/note.txt"
run wl apply fake --onto "$U"
good "onto a user's tree" "^applied 3 patches to $U \(Linux 7.3.4, "
is "$(g "$U" rev-parse 'main^{tree}')" "$final" "the branch holds the series"
is "$(git -C "$U" -c diff.orderFile=/dev/null status --porcelain)" "?? note.txt" "the work tree follows; an untracked file stays"
is "$(g "$U" log --format=%s -3 | tail -n 1)" "mm/pagewalk: make step 2 longer" "one commit a patch"
all=$(snap_all "$U")
run wl apply fake --onto "$U"
good "a second time: says so" "^already applied: all 3 patches are in $U; nothing done"
is "$(snap_all "$U")" "$all" "a second time: .git, index and work tree are as they were"
rm -f "$HOME/.gitconfig" "$HOME/attributes"

g "$U" reset -q --hard HEAD~2
run wl apply fake --onto "$U"
good "a part is there: only the rest is applied" "^applied 2 patches to $U"
is "$(g "$U" rev-parse 'main^{tree}')/$(g "$U" rev-list --count main)" "$final/4" "and the result is whole"

fresh
g "$U" checkout -q --detach
run wl apply fake --onto "$U" --topic 1-walk-lock
good "detached HEAD" "^applied 2 patches"
is "$(g "$U" rev-parse 'HEAD^{tree}')/$(g "$U" rev-list --count main)" "$topic1/1" "detached HEAD moves, no branch does"

fresh
sed -i '2i /* one */\n/* two */\n/* three */' "$U/mm/pagewalk.c"
g "$U" commit -q -a -m moved
run wl apply fake --onto "$U"
good "moved lines: applies at an offset" "^applied 3 patches"
is "$(g "$U" diff HEAD~3 HEAD --stat | tail -n 1)" " 4 files changed, 7 insertions(+), 4 deletions(-)" "moved lines: the whole of it"

fresh
git clone -q --depth 1 "file://${U// /%20}" "$T/trees/shallow"
run wl apply fake --onto "$T/trees/shallow"
good "onto a shallow clone" "^applied 3 patches"
is "$(g "$T/trees/shallow" rev-parse 'HEAD^{tree}')" "$final" "onto a shallow clone: the result"
g "$U" worktree add -q -b linked "$T/trees/linked"
run wl apply fake --onto "$T/trees/linked"
good "onto a linked work tree" "^applied 3 patches"
is "$(g "$T/trees/linked" rev-parse 'HEAD^{tree}')/$(g "$U" rev-list --count main)" "$final/1" "onto a linked work tree: its branch only"
git clone -q "$U" "$T/trees/clone"
mkdir -p "$T/trees/clone/.git/hooks"
printf '#!/bin/sh\necho hook >>"%s"\nexit 1\n' "$T/hooked" | tee "$T/trees/clone/.git/hooks/"{pre-commit,post-merge,pre-applypatch,post-checkout,reference-transaction} >/dev/null
chmod +x "$T/trees/clone/.git/hooks/"*
run wl apply fake --onto "$T/trees/clone"
good "the user's hooks do not run" "^applied 3 patches"
[ ! -e "$T/hooked" ]
ok $? "none of them"
if [ "$(id -u)" -eq 0 ]; then
	fresh
	chown -R 65534:65534 "$U"
	run wl apply fake --onto "$U"
	good "onto another user's tree" "^applied 3 patches"
fi

# ---- conflicts: exit code 3, hunk by hunk, everything as it was --------------------------------------

conflict() { # NAME GOLDEN: compares the report, and the tree with what it was
	local all
	all=$(snap_all "$U" "$T/stash")
	run wl apply fake --onto "$U"
	is "$RC" 3 "$1: exit code 3"
	sed "s|$T|TMP|g" "$L_TMP/out" >"$L_TMP/report"
	if [ -n "${TEST_GOLDEN:-}" ]; then cp "$L_TMP/report" "$L_SELF/golden/$2"; fi
	same_file "$L_TMP/report" "$L_SELF/golden/$2" "$1: the report"
	is "$ERRL" "" "$1: nothing else is said"
	is "$(snap_all "$U" "$T/stash")/$(tmp_left)" "$all/0" "$1: branch, index, work tree, .git and cache are as they were"
}
fresh
edit "$U/mm/pagewalk.c" 's/int err = 1;/int err = 100;/'
g "$U" stash -q
g "$U" worktree add -q --detach "$T/stash"
edit "$U/mm/pagewalk.c" '/pagewalk_step_3/,/^}/s/if (!walk)/if (unlikely(!walk))/'
edit "$U/mm/pagewalk.c" '/pagewalk_step_7/,/^}/s/return err;/return err ?: 7;/'
g "$U" commit -q -a -m "context changed"
conflict "two hunks whose context changed, without fuzz" conflict-hunks
is "$(g "$U" stash list | wc -l)/$(g "$U" worktree list | wc -l)" "1/2" "stash and work tree list are there"

fresh
edit "$U/mm/madvise.c" '/madvise_step_5/,/^}/d'
g "$U" commit -q -a -m "function gone"
conflict "the function is gone" conflict-gone
fresh
printf 'int other;\n' >"$U/mm/madvise.c"
g "$U" commit -q -a -m "nothing alike"
conflict "nothing like it in the file" conflict-nothing
fresh
g "$U" rm -q mm/madvise.c
g "$U" commit -q -m "file gone"
conflict "a file is missing" conflict-missing
fresh
printf 'int nolock = 1;\n' >"$U/mm/nolock.c"
g "$U" add -A
g "$U" commit -q -m "file there"
conflict "a file to be created is there" conflict-exists
fresh
edit "$U/mm/pagewalk.c" 's/return -3;/return -30;/'
g "$U" commit -q -a -m "one hunk is there"
conflict "a hunk is there already" conflict-there
fresh
printf 'mine\n' >"$U/mm/nolock.c"
conflict "an untracked file is in the way" conflict-untracked
fresh
printf 'nolock.c\n' >"$U/.git/info/exclude"
printf 'mine, ignored\n' >"$U/mm/nolock.c"
conflict "an ignored file is in the way" conflict-untracked
fresh
mkdir -p "$U/mm/nolock.c/deep"
printf 'mine\n' >"$U/mm/nolock.c/deep/file"
conflict "an untracked folder is in the way" conflict-untracked

# In the cache: a patch that does not fit the base.
rm -rf "$T/series"
cp -R "$W/patches" "$T/series"
sed -i 's/int err = 5;/int err = 55;/' "$T/series/1-walk-lock/"0002-*.patch
all=$(snap_all "$T/series")
run wl apply fake --series "$T/series"
is "$RC" 3 "in the cache: a conflict has exit code 3"
like "$OUT" "patch 2 of 2 does not fit: .*0002.*mm/madvise.c: hunk 1 of 1: @@.*expected:.*\|.int err = 55;.*found at line.*\|.int err = 5;" "in the cache: file, hunk, lines expected and found"
is "$(snap_all "$T/series")/$(tmp_left)" "$all/0" "in the cache: the branches are as they were"

# ---- work by hand on the branches ------------------------------------------------------------------------

g "$D" checkout -q walklock/2-nolock
g "$D" commit -q --amend -m "mm/nolock: say more"
bad "branches changed by hand are not lost" "were changed by hand: 'scripts/export fake' writes them to the patch files, --force drops them" fake
bad "a branch that is checked out does not move" "walklock/2-nolock is checked out in .* cannot move: switch that work tree to 'base' first" fake --force
g "$D" checkout -q base
run wl apply fake --force
good "--force drops them" "applied 3 patches"
is "$(refs)" "$ids" "--force: the branches are what the patch files give"

# ---- interruptions -----------------------------------------------------------------------------------------

fresh
unapply
for target in cache user; do
	args=()
	points=("git am" "git update-ref --stdin")
	if [ "$target" = user ]; then
		args=(--onto "$U")
		points=("git am" "git fetch" "git merge")
	fi
	for at in "${points[@]}"; do
		for sig in INT TERM KILL; do
			# Every signal, and every moment, at least once with each target.
			case $target$at$sig in *fetchINT | *fetchKILL | *mergeTERM | *stdinINT | "usergit amTERM") continue ;; esac
			what="SIG$sig at '$at' ($target)"
			before=$(refs; g "$U" rev-parse HEAD; snap "$U/mm")
			stop_at git " ${at#* } "
			case $sig$at in TERM* | *merge | *stdin) export STOP_SECONDS=0.3 ;; esac
			start env PATH="$PATH_STOP" "$W/scripts/apply" fake ${args[@]+"${args[@]}"}
			wait_reached || ok 1 "$what: the moment is there"
			if [ "$sig" = TERM ]; then kill -TERM "$PID"; else kill -"$sig" -- -"$PID"; fi
			finish
			unset STOP_SECONDS
			case $sig in INT) want=130 ;; TERM) want=143 ;; *) want=137 ;; esac
			case $sig$at in
			KILL*)
				is "$RC/$(refs; g "$U" rev-parse HEAD; snap "$U/mm")" "$want/$before" "$what: all or nothing"
				find "$T/tmp" -mindepth 1 -maxdepth 1 -exec touch -d '5 minutes ago' {} + ;;
			*merge | *stdin) # too late: it is done in full
				is "$RC/$(tmp_left)" "0/0" "$what: goes on to the end" ;;
			*)
				is "$RC/$(tmp_left)/$(refs; g "$U" rev-parse HEAD; snap "$U/mm")" "$want/0/$before" "$what: nothing is half done, nothing left"
				is "$ERRL" "apply: interrupted; nothing is left half done, run it again to go on" "$what: it says so" ;;
			esac
			run wl apply fake ${args[@]+"${args[@]}"}
			good "$what: run again" "applied"
			if [ "$target" = cache ]; then got=$(refs) want=$ids; else got=$(g "$U" rev-parse 'HEAD^{tree}') want=$final; fi
			is "$got/$(tmp_left)" "$want/0" "$what: the result is whole, and what was left is cleaned up"
			if [ "$target" = cache ]; then unapply; else fresh; fi
		done
	done
done
# Killed right after the branches moved, before the run could note it.
wl apply fake --topic 1-walk-lock >/dev/null 2>&1
key=$(g "$D" config walklock.key) noted=$(g "$D" config walklock.refs)
wl apply fake >/dev/null 2>&1
g "$D" config walklock.key "$key" && g "$D" config walklock.refs "$noted"
run wl apply fake
good "killed between the branches and the note: not taken for work by hand" "^applied 3 patches"

# ---- two at once -----------------------------------------------------------------------------------------------

unapply
for target in cache user; do
	args=() busy="tree-fake is in use by apply"
	if [ "$target" = user ]; then args=(--onto "$U") busy="--onto $U: another command is working on it"; fi
	stop_at git ' am '
	start env PATH="$PATH_STOP" STOP_SECONDS=2 "$W/scripts/apply" fake ${args[@]+"${args[@]}"}
	wait_reached
	run wl apply fake ${args[@]+"${args[@]}"}
	refused 2 "$busy.*: wait until it ends, or set WALKLOCK_WAIT" "two at once ($target): the second is refused"
	run env WALKLOCK_WAIT=20 "$W/scripts/apply" fake ${args[@]+"${args[@]}"}
	good "two at once ($target): with WALKLOCK_WAIT it waits, and finds the work done" "^already applied"
	finish
	good "two at once ($target): the first ended well" "applied 3 patches"
done
done_testing
