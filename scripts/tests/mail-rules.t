#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2016,SC2119
#
# scripts/mail: the rules for longterm branches, and the false alarms that others give.

# shellcheck source=scripts/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/tests/mail-lib.sh
. "$L_SELF/mail-lib.sh"
make_branches

# ---- what a patch says

one() { mail 6.12.y 1-walk-lock --upstream "$U" "$@"; }
rule() { # NAME CODES [REGEX]
	one
	is "$RC/$(codes)" "$2" "$1"
	[ -z "${3:-}" ] || like "$ERR" "$3" "$1: what is said"
}
rule "nothing to complain about" 0/
mail 6.12.y 1-walk-lock
is "$RC/$(codes)" "0/unknown:author unknown:mainline" "without --upstream: unknown is said, and composed"
like "$ERR" "mainline: [^:]*: whether ${FIX:0:12} is in mainline is not known: no --upstream tree was given" "what is not known"
mail 6.12.y 1-walk-lock --send
is "$RC/$(codes)" "1/refused:author refused:mainline" "but not sent"

amend 6.12.y "s/^commit .* upstream\.$//"
rule "no upstream header" 1/refused:upstream-header "no 'commit ID upstream.' line"
amend 6.12.y "s/^commit .* upstream\.$/commit ${FIX:0:12} upstream./"
rule "a short upstream id" 1/refused:upstream-header "has 12 hex digits, not 40"
amend 6.12.y "s/^commit \(.*\) upstream\.$/This is commit \1 upstream, as asked./"
rule "an upstream id in a sentence" 1/refused:upstream-header "on a line of its own"
amend 6.12.y "/^commit .* upstream\.$/{N;s/\n$//}"
rule "no blank line after the upstream header" 1/refused:upstream-header "not a paragraph of its own"
amend 6.12.y "s/^commit .* upstream\.$/&\n\ncommit 0123456789012345678901234567890123456789 upstream./"
rule "two upstream headers" 1/refused:upstream-header "2 upstream headers"
amend 6.12.y "s/^commit \(.*\) upstream\.$/[ Upstream commit \1 ]/"
rule "the other form of the header" 0/
amend 6.12.y "s/^commit .* upstream\.$/commit 0123456789012345678901234567890123456789 upstream./"
rule "a commit that is not in mainline" "1/refused:mainline unknown:author" "is in no branch of"
g "$U" branch topic v6.12
g "$U" checkout -q topic
as_upstream g "$U" commit -q --allow-empty -m "mm/pagewalk: not merged yet"
TOPIC=$(g "$U" rev-parse HEAD)
g "$U" checkout -q main
amend 6.12.y "s/^commit .* upstream\.$/commit $TOPIC upstream./; \$s/$/\n\n[ something else here ]/"
g "$T/author-6.12.y" commit -q --amend --no-edit --author="Penguin <$UP_MAIL>"
take_series 6.12.y
rule "a commit of a topic branch" 0/unknown:mainline "whether ${TOPIC:0:12} is in mainline is not known: in .* it is in no release or candidate"
mail 6.12.y 1-walk-lock --upstream "$U" --send
is "$RC/$(codes)" 1/refused:mainline "is not sent"
g "$U" update-ref refs/remotes/linux-next/master "$TOPIC"
rule "nor one of linux-next" 0/unknown:mainline
g "$U" update-ref refs/remotes/linus/master "$TOPIC"
rule "false alarm: one after the last candidate" 0/
g "$U" update-ref -d refs/remotes/linus/master
g "$U" update-ref -d refs/remotes/linux-next/master
g "$U" tag v7.0-rc1 "$TOPIC"
rule "false alarm: one in a candidate" 0/
g "$U" tag -d v7.0-rc1 >/dev/null
rm -rf "$T/one" && git init -q -b linus "$T/one" && g "$T/one" fetch -q --no-tags "$U" topic && g "$T/one" reset -q --hard FETCH_HEAD
mail 6.12.y 1-walk-lock --upstream "$T/one"
unlike "$(codes)" mainline "false alarm: a tree of one branch, whatever its name"
g "$T/one" branch other
mail 6.12.y 1-walk-lock --upstream "$T/one"
like "$(codes)" unknown:mainline "of two, neither is known to be it"
g "$U" branch -q -D topic
amend 6.12.y "s/^commit .* upstream\.$/commit 0123456789012345678901234567890123456789 upstream./"
g / clone -q --depth 1 "file://$U" "$T/shallow"
mail 6.12.y 1-walk-lock --upstream "$T/shallow"
is "$RC/$(codes)" "0/unknown:author unknown:mainline" "a shallow tree does not know: unknown"
reset_branch 6.12.y

a="$T/author-6.12.y"
GIT_AUTHOR_NAME='An Other' GIT_AUTHOR_EMAIL=other@example.org g "$a" commit -q --amend --no-edit --reset-author
take_series 6.12.y
rule "another author" 1/refused:author "the author is An Other <other@example.org>, that of ${FIX:0:12} is Up Stream <up@example.org>"
reset_branch 6.12.y
GIT_AUTHOR_NAME=$UP_NAME GIT_AUTHOR_EMAIL=up@elsewhere.example.org g "$a" commit -q --amend --no-edit --reset-author
take_series 6.12.y
rule "the same person with another address" 0/
reset_branch 6.12.y
p=$(echo "$W/backports/6.12.y/1-walk-lock/"0001-*)
sed -i "0,/^From: .*/s//From: $NAME <$MAIL>/; 0,/^\$/s//\nFrom: $UP_NAME <$UP_MAIL>\n/" "$p"
take_tree 6.12.y
rule "false alarm: the author in an in-body From:" 0/
reset_branch 6.12.y

amend 6.12.y '/^Signed-off-by/d'
rule "without upstream's sign-off" 1/refused:sign-off "sign-off: [^:]*: Signed-off-by: $UP_NAME <$UP_MAIL> of ${FIX:0:12} is not there"
amend 6.12.y '/^Signed-off-by/s/.*/Signed-off-by: Up Stream <up@elsewhere.example.org>\nReviewed-by: A <a@example.org>\nSigned-off-by: B <b@example.org>/'
rule "another address of the one who signed, and more after it" 0/
g "$U" checkout -q -B later main
as_upstream g "$U" commit -q --allow-empty -m "mm/pagewalk: by two" -m "Signed-off-by: $UP_NAME <$UP_MAIL>
Signed-off-by: Penguin <penguin@example.org>"
TWO=$(g "$U" rev-parse HEAD)
g "$U" checkout -q main
amend 6.12.y "s/^commit .* upstream\.\$/commit $TWO upstream./; /^Signed-off-by/s/.*/Signed-off-by: Penguin <penguin@example.org>\nSigned-off-by: $UP_NAME <$UP_MAIL>/"
one
like "$ERR" "sign-off: [^:]*: Signed-off-by: Penguin <penguin@example.org> of ${TWO:0:12} is not there, or not in its order" "sign-offs in another order"
g "$U" branch -q -D later
amend 6.12.y '$s/$/\nFixes: deadbeefcafe ("mm: nowhere")/'
rule "Fixes: of no commit" 0/unknown:fixes "fixes: [^:]*: Fixes: deadbeefcafe: is in no branch of $U"
mail 6.12.y 1-walk-lock --upstream "$U" --send
is "$RC/$(codes)" "1/refused:fixes" "is not sent"
amend 6.12.y "\$s/\$/\nFixes: $(g "$U" rev-parse --short=12 v6.1) (\"Linux\")\nFixes: https:\/\/example.org\/deadbeefcafe/"
rule "Fixes: of one that is there, and a link" 0/
reset_branch 6.12.y

edit "$a/mm/madvise.c" 's/int err = 5;/int err = 50;/'
g "$a" commit -q -a --amend --no-edit
take_series 6.12.y
rule "another change than upstream's" 1/refused:note "the change \(mm/madvise.c\) differs from ${FIX:0:12}, and no '\[ ... \]' note"
amend_more 6.12.y '$s/$/\n\n[ 6.12.y: step 5 is longer here,\n  as it was in 6.6. ]/'
rule "with a note" 0/
like "$(cat "$T/out/6.12.y/mail/1-walk-lock/"0001-*.patch)" $'as it was in 6.6. ]\nSigned-off-by: Sen Der' "which stands just above the sign-off"
amend_more 6.12.y '$s/$/\nCc: <stable@vger.kernel.org> # 6.12+\nCc: Tim Trailer <tim@example.org> [by hand]\nCc: nobody in particular\n[ again: more ]/'
rule "two notes, and trailers around them" 0/
is "$(mail_to "$(ls "$T/out/6.12.y/mail/1-walk-lock/"0001-*.patch)" Cc | tr , '\n' | tail -n 1)" "Tim Trailer <tim@example.org>" "whose Cc: lines count, whatever is behind the address"
ls "$T/out/6.12.y/mail/1-walk-lock/"0001-*.range-diff >/dev/null 2>&1
ok $? "the difference is in the folder"
amend 6.12.y '$s/$/\n\n[ 6.12.y: nothing to say ]/'
rule "a note without a difference" 0/warning:note
amend 6.12.y 's/^Make the second step longer/Make the third step longer/'
rule "another changelog" 1/refused:note "the changelog differs"
amend 6.12.y '1s/longer/shorter/'
rule "another subject" 1/refused:note "the subject differs"
amend 6.12.y '$s/$/\n\n[   12.345678] pagewalk: BUG at step 2\n[   12.345679] Call Trace: [x]/'
rule "a kernel log is no note" 1/refused:note "the changelog differs"
amend 6.12.y '$s/$/\n\nReviewed-by: Rob <rob@example.org>\nCc: stable@vger.kernel.org # 6.12/'
rule "trailers are no difference" 0/
reset_branch 6.12.y
python3 - "$a/mm/madvise.c" <<'PY'
import sys
with open(sys.argv[1], "a") as f:
    f.write("".join(f"int more_{i};\n" for i in range(89)))
PY
g "$a" commit -q -a --amend --no-edit
take_series 6.12.y
rule "100 lines with context" 1/refused:note
python3 - "$a/mm/madvise.c" <<'PY'
import sys
with open(sys.argv[1], "a") as f:
    f.write("int last_one;\n")
PY
g "$a" commit -q -a --amend --no-edit
take_series 6.12.y
rule "101 lines" "1/refused:note refused:size" "size: [^:]*: 101 lines with context, at most 100"
reset_branch 6.12.y

# newer branches
mail 6.1.y 1-walk-lock --upstream "$U"
is "$RC/$(codes)" "1/refused:newer-branches" "6.1.y before 6.12.y and 6.6.y"
like "$ERR" "newer-branches: [^:]*: not in 6.12.y \(.*\), 6.6.y \(.*\), and not in this run" "the newest first: 6.12 is newer than 6.6"
mail 6.6.y,6.1.y 1-walk-lock --upstream "$U"
is "$RC/$(codes)" "1/refused:newer-branches" "6.6.y and 6.1.y before 6.12.y"
like "$ERR" "6.1.y: newer-branches: [^:]*: not in 6.12.y [^,]*, and not in this run" "only 6.12.y is missing then"
mail 6.1.y,6.12.y,6.6.y 1-walk-lock --upstream "$U"
is "$RC/$(codes)" "0/" "false alarm: a 6.1 and a 6.6 patch with the newer branch in the same run, in any order"
mail 6.1.y 1-walk-lock
like "$ERR" "unknown: newer-branches: [^:]*: whether 6.12.y, 6.6.y has ${FIX:0:12} is not known" "nobody to ask: unknown"
for v in 6.12 6.6; do
	g "$U" checkout -q -b "linux-$v.y" "v$v"
	edit "$U/mm/pagewalk.c" 's/int err = 2;/int err = 20;/'
	mail_message | as_upstream g "$U" commit -q -a -F -
	g "$U" checkout -q main
	mail 6.1.y 1-walk-lock --upstream "$U"
	if [ "$v" = 6.12 ]; then want=1/refused:newer-branches; else want=0/; fi
	is "$RC/$(codes)" "$want" "linux-$v.y of the --upstream tree has it"
done
own=$(g "$U" rev-parse linux-6.6.y)
g "$U" update-ref refs/remotes/stable/linux-6.6.y linux-6.6.y
g "$U" branch -q -f linux-6.6.y v6.6
mail 6.1.y 1-walk-lock --upstream "$U"
is "$RC/$(codes)" 0/ "false alarm: an old local branch beside the remote one"
g "$U" update-ref -d refs/remotes/stable/linux-6.6.y
g "$U" checkout -q -B linux-6.6.y "$own"
as_upstream g "$U" commit -q --allow-empty -m 'Revert "mm/pagewalk: make step 2 longer"' -m "This reverts commit $own which is
commit $FIX upstream."
LATER=$(g "$U" rev-parse HEAD)
mail 6.1.y 1-walk-lock --upstream "$U"
is "$RC/$(codes)" 1/refused:newer-branches "linux-6.6.y has it no more"
like "$ERR" "not in 6.6.y \(as ${own:0:12}, but ${LATER:0:12} of linux-6.6.y reverts it\), and" "the revert is named"
as_upstream g "$U" commit -q --allow-empty -m 'Reapply "mm/pagewalk: make step 2 longer"' -m "This reverts commit $LATER."
mail 6.1.y 1-walk-lock --upstream "$U"
is "$RC/$(codes)" 0/ "and has it again"
g "$U" checkout -q main
g "$U" branch -q -D linux-6.6.y
g "$U" tag v6.6.9 v6.6
g "$U" checkout -q -b tmp v6.6
mail_message | as_upstream g "$U" commit -q --allow-empty -F -
g "$U" tag v6.6.10
g "$U" checkout -q main
g "$U" branch -q -D tmp
mail 6.1.y 1-walk-lock --upstream "$U"
is "$RC/$(codes)" "0/" "the newest of a branch's tags: v6.6.10 is newer than v6.6.9"
g "$U" tag -d v6.6.9 >/dev/null
g "$U" tag -d v6.6.10 >/dev/null
mv "$WALKLOCK_CACHE/trees/6.6.y" "$T/away"
mail_kernel "$T/fixed" 6 6 90
edit "$T/fixed/mm/pagewalk.c" 's/int err = 2;/int err = 20;/'
wl tree 6.6.y --from "$T/fixed" >/dev/null 2>&1
mail 6.1.y 1-walk-lock --upstream "$U"
is "$RC/$(codes)" "0/" "the newer branch's own tree has the change"
rm -rf "$WALKLOCK_CACHE/trees/6.6.y"
mv "$T/away" "$WALKLOCK_CACHE/trees/6.6.y"
g "$U" branch -q -D linux-6.12.y

# later fixes and reverts
later() { # SUBJECT BODY COMMAND...
	local subject=$1 body=$2
	shift 2
	g "$U" checkout -q -B later main
	"$@"
	as_upstream g "$U" commit -q -a --allow-empty -m "$subject" -m "$body"
	LATER=$(g "$U" rev-parse HEAD)
	g "$U" checkout -q main
}
step() { edit "$U/mm/pagewalk.c" 's/int err = 20;/int err = 21;/'; }
for id in "${FIX:0:12}" "${FIX:0:8}" "$(tr a-f A-F <<<"${FIX:0:12}")" "$(tr a-f A-F <<<"$FIX")"; do
	later "mm/pagewalk: step 2 was too long" "Fixes: $id (\"mm/pagewalk: make step 2 longer\")" step
	rule "a later fix that says Fixes: $id" 1/refused:follow-up "follow-up: [^:]*: ${LATER:0:12} \(.mm/pagewalk: step 2 was too long.\) fixes ${FIX:0:12} and changes mm/pagewalk.c"
done
later "mm/pagewalk: step 2 was too long" "fixes: commit ${FIX:0:9}" step
rule "in other words still a Fixes: line" 1/refused:follow-up
for text in "Fixes: ${FIX:0:7} (\"x\")" "Fixes: commit: ${FIX:0:12}" "Fixes: [${FIX:0:12}]" "Fixes ${FIX:0:12} (\"x\")" \
	"Fixes: 012345678901 (\"y\"), ${FIX:0:12} (\"x\")" "Fixes: mm/pagewalk: make step 2 longer (${FIX:0:12})" "Fixes: https://git.kernel.org/linus/${FIX:0:12}"; do
	later "mm/pagewalk: step 2 was too long" "$text" step
	rule "a Fixes: line of another form: $text" 1/refused:follow-up
done
later "mm/pagewalk: step 2 was too long" "Fixes: 012345678901 (\"Revert ${FIX:0:12}\")" step
rule "false alarm: the id in the subject of what is fixed" 0/
later "mm/pagewalk: make step 2 longer" "As before, another one." step
rule "false alarm: an unrelated commit with the same subject" 0/
later "mm/pagewalk: make step 2 longer" "Fixes: ${FIX:0:7}0 (\"mm/pagewalk: make step 2 longer\")" step
rule "false alarm: another id that begins alike" 0/
later "mm/pagewalk: step 2 was too long" "This has to do with ${FIX:0:12}, and fixes nothing." step
rule "false alarm: the id in prose" 0/
absent() {
	printf 'int absent_thing(void)\n{\n\treturn 1;\n}\n' >"$U/mm/absent.c"
	g "$U" add -A
	as_upstream g "$U" commit -q -m "mm: absent"
	edit "$U/mm/absent.c" 's/return 1/return 2/'
}
later "mm: fix what is absent" "Fixes: ${FIX:0:12} (\"x\")" absent
rule "a later fix of code that the tree does not have" 0/
nothing() { :; }
later 'Revert "mm/pagewalk: make step 2 longer"' "This reverts commit $FIX." nothing
rule "a revert" 1/refused:reverted "reverted: [^:]*: ${LATER:0:12} \(.Revert .*.\) reverts ${FIX:0:12}"
for text in $'This reverts commit\n'"$FIX." "This reverts commits 0123456789ab (\"y (z)\") and ${FIX:0:12} (\"x\")." \
	"This is a revert of commit ${FIX:0:12}." "This reverts ${FIX:0:12} (\"x\")." "Reverts: ${FIX:0:8}"; do
	later 'mm/pagewalk: as it was' "$text" nothing
	rule "a revert in other words: ${text/$'\n'/ }" 1/refused:reverted
done
for text in "This does not revert commit ${FIX:0:12}." "Commit 0123456789ab (\"y\") reverts commit ${FIX:0:12}."; do
	later 'mm/pagewalk: as it was' "$text" nothing
	rule "false alarm: $text" 0/
done
later 'Revert "mm/pagewalk: make step 2 longer"' "This reverts commit $FIX." nothing
g "$U" checkout -q later
as_upstream g "$U" commit -q --allow-empty -m 'Reapply "mm/pagewalk: make step 2 longer"' -m "This reverts commit ${LATER:0:12}."
g "$U" checkout -q main
rule "a revert that was reverted" 0/
g "$U" checkout -q later
as_upstream g "$U" commit -q --allow-empty -m 'Revert "Reapply"' -m "This reverts commit $(g "$U" rev-parse HEAD)."
g "$U" checkout -q main
rule "a revert whose revert was reverted" 1/refused:reverted
later "mm/pagewalk: step 2 was too long" "commit $FIX upstream.

Fixes: ${FIX:0:12} (\"x\")" step
rule "a backport of something in another branch is no later fix" 0/
later "mm/pagewalk: step 2 was too long" "Fixes: ${FIX:0:12} (\"x\")" step
edit "$a/mm/pagewalk.c" 's/int err = 20;/int err = 21;/'
printf 'mm/pagewalk: step 2 was too long\n\ncommit %s upstream.\n\nFixes: %s ("x")\n' "$LATER" "${FIX:0:12}" | as_upstream g "$a" commit -q -a -F -
take_series 6.12.y
g "$U" tag v7.1-rc1 "$LATER"
rule "the later fix comes in the same series" 0/
g "$U" tag -d v7.1-rc1 >/dev/null
reset_branch 6.12.y
g "$U" branch -q -D later

# a backport's own id in place of mainline's
g "$U" checkout -q -b linux-6.12.y v6.12
edit "$U/mm/pagewalk.c" 's/int err = 2;/int err = 20;/'
mail_message | as_upstream g "$U" commit -q -a -F -
own=$(g "$U" rev-parse HEAD)
g "$U" checkout -q main
amend 6.12.y "s/^commit .* upstream\.$/commit $own upstream./"
rule "a branch's commit in place of mainline's" "1/refused:mainline unknown:author" "is no mainline commit, but a backport of ${FIX:0:12}"
g "$U" branch -q -D linux-6.12.y
reset_branch 6.12.y

# what is no line of a hunk, and a note that upstream's commit has as well
other_fix() { # COMMAND...: another commit in mainline, that does more
	g "$U" checkout -q -B more main
	edit "$U/mm/pagewalk.c" 's/int err = 4;/int err = 40;/'
	"$@" "$U"
	g "$U" add -A
	printf 'mm/pagewalk: make step 4 longer\n\nText.\n\n[akpm@example.org: white space]\nLink: https://example.org/1\n' >"$T/message"
	as_upstream g "$U" commit -q -F "$T/message"
	MORE=$(g "$U" rev-parse HEAD)
	g "$U" tag -f v7.1-rc1 >/dev/null
	g "$U" checkout -q main
}
other_backport() { # COMMAND...
	g "$a" reset -q --hard "$(cat "$a.tip")^"
	edit "$a/mm/pagewalk.c" 's/int err = 4;/int err = 40;/'
	"$@" "$a"
	g "$a" add -A
	sed "2s/^/\ncommit $MORE upstream.\n/" "$T/message" | as_upstream g "$a" commit -q -F -
	take_series 6.12.y
}
bytes() { printf 'a\0%s' "$1" >"$2/mm/firmware.bin"; }
mode() { chmod 755 "$1/mm/pagewalk.c"; }
move() { g "$1" mv mm/madvise.c mm/advise.c; }
step_five() { edit "$1/mm/madvise.c" 's/int err = 5;/int err = 50;/'; }
other_fix nothing
other_backport nothing
rule "false alarm: a note of upstream's own" 0/
other_backport step_five
rule "which is none for another change" 1/refused:note "the change \(mm/madvise.c\) differs"
other_fix bytes one
other_backport bytes one
rule "false alarm: the same binary file" 0/
other_backport bytes two
rule "another binary file" 1/refused:note "the change \(mm/firmware.bin\) differs"
other_fix mode
other_backport mode
rule "false alarm: the same mode" 0/
other_backport nothing
rule "a mode that is not changed" 1/refused:note "the change \(mm/pagewalk.c\) differs"
other_fix move
other_backport move
rule "false alarm: the same file renamed" 0/
g "$U" tag -d v7.1-rc1 >/dev/null
g "$U" branch -q -D more
reset_branch 6.12.y

# waivers
amend 6.12.y '1s/longer/shorter/'
waiver() { printf '%s\n' "$*" >"$W/configs/mail-waivers"; }
waiver "6.12.y 1-walk-lock/0001-mm-pagewalk-make-step-2-shorter.patch note the subject was wrong upstream"
rule "a waiver" 0/waived:note "waived: note: .*\(waived: the subject was wrong upstream\)"
is "$(jq -r '.findings[0].waived' "$T/out/6.12.y/mail/1-walk-lock/mail.json")" "the subject was wrong upstream" "it stands in the folder"
waiver "6.6.y * note the subject was wrong upstream"
rule "a waiver for another tree" 1/refused:note
waiver "6.12.y * size the subject was wrong upstream"
rule "a waiver for another code" 1/refused:note
waiver "* * note"
one
refused 2 "configs/mail-waivers:1: a waiver is TREE TOPIC/PATCH CODE and a reason in words" "a waiver without a reason"
waiver "* * nosuch for no reason at all"
one
refused 2 "configs/mail-waivers:1: unknown code 'nosuch': one of upstream-header" "a waiver for a code that there is not"
waiver "* * evidence-missing because I say so"
one
refused 2 "unknown code 'evidence-missing'" "nothing waives evidence"
waiver "# none"
g / init -q -b main "$W"
g "$W" add -A >/dev/null
g "$W" commit -q -m checkout
waiver "* * note the subject was wrong upstream"
rule "a waiver that is not committed does not count" 1/refused:note "line 1 of configs/mail-waivers is not committed"
g "$W" commit -q -a -m "waive it"
rule "committed it does" 0/waived:note
rm -rf "$W/.git"
waiver "# none"
one --force "please"
is "$RC/$(codes)" "1/refused:note" "--force is none for the rules"
reset_branch 6.12.y

done_testing
