#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/export: the patch files are what the branches give, byte for byte.

# shellcheck source=scripts/tests/lib.sh
. "$(dirname "$0")/lib.sh"
make_checkout
make_series "$W/patches"
make_tree
P=$W/patches

run wl export fake
refused 2 "no walklock branches in $D: run 'scripts/apply fake' first" "before apply"
run wl export old
refused 2 "tree old is not there: run 'scripts/tree old' and 'scripts/apply old' first" "no tree"
wl apply fake >/dev/null 2>&1

before=$(snap_all "$P")
run wl export fake --check
good "--check: the same bytes" "^fake: the patch files are what the branches give, byte for byte\$"
run wl export fake
good "nothing to write" "^fake: nothing to write\$"
is "$(snap_all "$P")/$(tmp_left)" "$before/0" "nothing changed"

# The user's configuration does not get into the files.
cat >"$HOME/.gitconfig" <<-'EOF'
	[diff]
		noprefix = true
		context = 1
		algorithm = histogram
		renames = false
		suppressBlankEmpty = true
		interHunkContext = 10
		orderFile = /nowhere
		statNameWidth = 10
		external = /bin/false
	[color]
		ui = always
	[format]
		signOff = true
		attach = true
		suffix = .txt
		headers = "X-Foo: bar\n"
		to = somebody@example.org
		numbered = true
		signature = mine
		coverLetter = true
		outputDirectory = /nowhere
		notes = true
		from = Somebody <somebody@example.org>
		filenameMaxLength = 20
		useAutoBase = true
		thread = true
		mboxrd = true
		encodeEmailHeaders = false
	[core]
		abbrev = 5
		quotePath = false
	[i18n]
		logOutputEncoding = latin1
EOF
run env GIT_DIFF_OPTS=-u9 GIT_EXTERNAL_DIFF=/bin/false LC_ALL=C "$W/scripts/export" fake --check
good "the user's git configuration changes no byte" "byte for byte"
rm "$HOME/.gitconfig"

# ---- an amended commit ------------------------------------------------------------------

amend() { # TOPIC SED FILE: the topic's last commit, and what is on top of it follows
	local old
	old=$(g "$D" rev-parse "walklock/$1")
	g "$D" checkout -q "walklock/$1"
	edit "$D/$3" "$2"
	g "$D" commit -q -a --amend --no-edit
	if [ "$1" = 1-walk-lock ]; then
		g "$D" rebase -q --onto walklock/1-walk-lock "$old" walklock/2-nolock
	fi
	g "$D" checkout -q base
}
one=$(snap "$P/1-walk-lock") cover=$(cat "$P/2-nolock/cover-letter.txt")
amend 2-nolock 's/int nolock;/int nolock = 2;/' mm/nolock.c
before=$(snap_all "$P")
run wl export fake --check
is "$RC/$OUT" "1/patches/2-nolock: differs from branch walklock/2-nolock" "--check finds the amended topic: exit code 1"
is "$(snap_all "$P")" "$before" "--check writes nothing"
run wl export fake
good "the amended topic is written" "patches/2-nolock: written, 1 patch"
unlike "$OUT" "1-walk-lock" "no other is"
is "$(snap "$P/1-walk-lock")" "$one" "the other topic's files are as they were"
is "$(cat "$P/2-nolock/cover-letter.txt")" "$cover" "the cover letter stays"
is "$(grep -c '^+int nolock = 2;' "$P"/2-nolock/0001-*.patch)" 1 "the change is in the file"
run wl export fake --check
good "and --check is content" "byte for byte"
run wl apply fake
good "and apply has nothing to do" "^already applied: 3 patches"

amend 1-walk-lock 's/int err = 50;/int err = 55;/' mm/madvise.c
run wl export fake
good "an amended commit below" "1-walk-lock: written, 2 patches"
unlike "$OUT" "2-nolock" "the topic above it moved no line: its files are as they were"

# A new subject is a new name: the old file goes.
g "$D" checkout -q walklock/2-nolock
g "$D" commit -q --amend -m "mm/nolock: another name"
g "$D" checkout -q base
run wl export fake
is "$(cd "$P/2-nolock" && printf '%s ' *)" "0001-mm-nolock-another-name.patch cover-letter.txt " "a renamed patch leaves no old file behind"

# ---- only a part of the topics is applied -----------------------------------------------

wl apply fake --topic 1-walk-lock >/dev/null 2>&1
two=$(snap "$P/2-nolock")
run wl export fake
good "export with the first topic only" "nothing to write"
is "$(snap "$P/2-nolock")" "$two" "the other topic's files stay"
run wl apply fake
good "apply does not take that for the whole series" "^applied 3 patches"

# ---- refusals: one line, exit code 2, nothing changed ----------------------------------------

bad() { # NAME REGEX ARGS...
	local name=$1 regex=$2 all
	shift 2
	all=$(snap_all)
	run wl export "$@"
	refused 2 "$regex" "$name"
	is "$(snap_all)/$(tmp_left)" "$all/0" "$name: nothing changed"
}
tip1=$(g "$D" rev-parse walklock/1-walk-lock) tip2=$(g "$D" rev-parse walklock/2-nolock)
g "$D" update-ref -d refs/heads/walklock/1-walk-lock
bad "a topic branch is missing" "branch walklock/1-walk-lock is missing in $D, and patches/1-walk-lock has patches" fake
g "$D" update-ref refs/heads/walklock/1-walk-lock "$(g "$D" commit-tree -p base -m other 'base^{tree}')"
bad "a topic that is not on the one before" "walklock/2-nolock is not on top of walklock/1-walk-lock: rebase it first; no file was written" fake
g "$D" update-ref refs/heads/walklock/1-walk-lock "$tip2"
bad "a topic without a commit" "walklock/2-nolock holds no commit of its own: .*no file was written" fake
g "$D" update-ref refs/heads/walklock/1-walk-lock "$tip1"
g "$D" update-ref refs/heads/walklock/2-nolock "$(g "$D" commit-tree -p "$tip1" -p base -m merge "$tip2^{tree}")"
bad "a merge commit" "walklock/2-nolock has a merge commit: make it linear; no file was written" fake
g "$D" update-ref refs/heads/walklock/2-nolock "$tip2"
mkdir "$D/.git/rebase-merge"
bad "in the middle of a rebase" "tree fake \($D\): a git operation is under way there \(rebase-merge\)" fake
rmdir "$D/.git/rebase-merge"

# ---- interruptions, and two at once ---------------------------------------------------------------

amend 2-nolock 's/int nolock = 2;/int nolock = 3;/' mm/nolock.c
there() { find "$P/2-nolock" -mindepth 1 | wc -l; }
for at in "cp .export." "mv .export."; do
	for sig in INT TERM KILL; do
		what="SIG$sig at '$at'"
		before=$(snap "$P/1-walk-lock"; cat "$P"/2-nolock/*)
		stop_at "${at% *}" "${at#* }"
		case $sig$at in TERM* | *mv*) export STOP_SECONDS=0.3 ;; esac
		start env PATH="$PATH_STOP" "$W/scripts/export" fake
		wait_reached || ok 1 "$what: the moment is there"
		if [ "$sig" = TERM ]; then kill -TERM "$PID"; else kill -"$sig" -- -"$PID"; fi
		finish
		unset STOP_SECONDS
		case $sig$at in
		KILL*)
			is "$RC/$(snap "$P/1-walk-lock"; cat "$P"/2-nolock/*.*)" "137/$before" "$what: the files are as they were"
			find "$T/tmp" -mindepth 1 -maxdepth 1 -exec touch -d '5 minutes ago' {} + ;;
		*mv*)
			is "$RC/$(tmp_left)/$(there)" "0/0/2" "$what: goes on to the end" ;;
		*)
			case $sig in INT) want=130 ;; *) want=143 ;; esac
			is "$RC/$(tmp_left)/$(snap "$P/1-walk-lock"; cat "$P"/2-nolock/*)" "$want/0/$before" "$what: the files are as they were, nothing is left" ;;
		esac
		run wl export fake
		good "$what: run again"
		is "$(there)/$(tmp_left)" "2/0" "$what: clean afterwards"
		run wl export fake --check
		good "$what: and whole" "byte for byte"
		amend 2-nolock 's/int nolock = \(.*\);/int nolock = 1\1;/' mm/nolock.c
	done
done
stop_at cp .export.
start env PATH="$PATH_STOP" STOP_SECONDS=1 "$W/scripts/export" fake
wait_reached
run wl export fake
refused 2 "tree-fake is in use by export" "two at once: the second is refused"
finish
good "two at once: the first ended well"
done_testing
