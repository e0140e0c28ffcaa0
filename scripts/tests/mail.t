#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2016
#
# scripts/mail: what it composes, from what, and what it refuses.

# shellcheck source=scripts/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/tests/mail-lib.sh
. "$L_SELF/mail-lib.sh"
mail_checkout
make_upstream
for t in '6.12.y 6 12 117' '6.6.y 6 6 87' '6.1.y 6 1 192'; do
	# shellcheck disable=SC2086
	make_branch $t
	g "$T/author-${t%% *}" rev-parse HEAD >"$T/author-${t%% *}.tip"
done
make_series "$W/patches"
printf 'mm: cover one\n\nText of it.\n' >"$W/patches/1-walk-lock/cover-letter.txt"
printf 'Subject: [PATCH 0/1] mm: cover two\n\nText of it.\n' >"$W/patches/2-nolock/cover-letter.txt"
mail_kernel "$T/plain-main" 7 3 4
take_tree main
three="6.12.y,6.6.y,6.1.y"
mail() { run wl mail "$@"; }
both() { mail "$three" 1-walk-lock --upstream "$U" "$@"; }

# ---- the four kinds of mail -----------------------------------------------------------

mail main 1-walk-lock
good "a mainline series is composed" "composed: $T/out/main/mail/1-walk-lock"
golden "$T/out/main/mail/1-walk-lock" mail-mainline-series
both
good "the same fix for three branches in one run"
golden "$T/out/6.1.y/mail/1-walk-lock" mail-stable-series
both --patch 1
good "a single backport"
golden "$T/out/6.6.y/mail/1-walk-lock-0001" mail-single-backport
all=$(snap_all)
both --dry-run
good "--dry-run prints the mails" "Subject: \[PATCH 6\.1\.y 1/1\].*Signed-off-by: Sen Der"
like "$OUT" "To: stable@vger.kernel.org" "and the recipients"
is "$(snap_all)/$(tmp_left)" "$all/0" "and writes nothing"
mail main 1-walk-lock --json
is "$(jq -r '.[0].recipients.cc[].address' <<<"$OUT" | paste -sd' ')" "rob@example.org linux-mm@example.org jane@example.org" "--json: recipients, each once, whatever its case"
both --out "$T/else where"
good "--out, several trees"
is "$(cd "$T/else where" && ls)" "$(printf '6.1.y\n6.12.y\n6.6.y')" "a folder for each"
mail main 1-walk-lock --out "$T/plain-main"
refused 2 "plain-main: is there, and is no folder of mails; nothing was written" "--out: a folder of something else"
mail main 1-walk-lock --in-reply-to 'before@example.org'
is "$(grep -h -m1 '^In-Reply-To' "$T/out/main/mail/1-walk-lock/0000-cover-letter.patch")" "In-Reply-To: <before@example.org>" "--in-reply-to"
mail main 1-walk-lock --in-reply-to '$(touch pwned)'
refused 1 "message-id: --in-reply-to: .* is no Message-ID" "--in-reply-to: no Message-ID"
mail main 1-walk-lock --patch 2
is "$RC/$(codes)" "0/unknown:alone" "mainline: a patch alone; it is said that nothing is known of it without those before it"
mail main 1-walk-lock --patch 2 --send
is "$RC/$(codes)" "1/refused:alone" "and it is not sent"
git -C "$WALKLOCK_CACHE/trees/main" apply --check "$T/out/main/mail/1-walk-lock-0002/"0001-*.patch
ok $? "it applies without the one before it"

# base-commit: the release that others have, where an --upstream tree has it.
g "$U" tag -f v6.6.87 v6.6 >/dev/null
both
is "$(grep -h '^base' "$T/out/6.6.y/mail/1-walk-lock/"*)" "base-commit: $(g "$U" rev-parse v6.6)" "base-commit is the public release that holds the same files"
like "$(grep -h '^base' "$T/out/6.1.y/mail/1-walk-lock/"*)" "base: Linux 6.1.192, unpacked source folder" "or it is said what the base was"
g "$U" tag -d v6.6.87 >/dev/null

# ---- the sender ----------------------------------------------------------------------------

mv "$HOME/.gitconfig" "$T/gitconfig"
run env -u GIT_COMMITTER_NAME -u GIT_COMMITTER_EMAIL "$W/scripts/mail" main 1-walk-lock
refused 2 "who sends\? set 'git config --global user.name' and 'user.email'" "no identity: git's guess is not taken"
mail main 1-walk-lock
refused 2 "the project itself cannot sign off" "the project's own identity"
printf '[user]\n\tname = Sen Der\n\temail = -f@example.org\n' >"$HOME/.gitconfig"
mail main 1-walk-lock
refused 2 "git's user.name and user.email: '-f@example.org' is no address" "an identity that cannot be mailed from"
mv "$T/gitconfig" "$HOME/.gitconfig"

# ---- which patches ---------------------------------------------------------------------------

mail main 9-x
refused 2 "unknown topic '9-x' for main: one of 1-walk-lock 2-nolock" "an unknown topic"
mail main
refused 2 "which topic\? one of 1-walk-lock 2-nolock" "no topic"
mail main,nosuch 1-walk-lock
refused 2 "unknown tree 'nosuch'" "an unknown tree in a list"
mail main 1-walk-lock --patch 3
refused 2 "--patch 3: 1-walk-lock has 2 patches for main" "no such patch"
mail main 1-walk-lock --patch 0
refused 2 "--patch 0" "patch 0"
mail main 1-walk-lock --patch "${FIX:0:8}"
refused 2 "no patches of 1-walk-lock for main bring that upstream commit" "no such upstream commit"
mail main 1-walk-lock --patch "$W/patches/1-walk-lock/"0002-*
good "a patch by its file"
cat "$W/patches/1-walk-lock/"*.patch >"$T/both.patch"
mail main 1-walk-lock --patch "$T/both.patch"
refused 1 "patch-file: .*holds more than one patch" "two patches in one file"
sed 's/$/\r/' "$W/patches/1-walk-lock/"0001-* >"$T/crlf.patch"
mail main 1-walk-lock --patch "$T/crlf.patch"
refused 1 "patch-file: .*CRLF" "a patch file with CRLF"
cp "$W/patches/1-walk-lock/"0001-* "$T/copy.patch"
mail main 1-walk-lock --patch "$T/copy.patch"
refused 1 "patch-file: .*not a file of patches/1-walk-lock, so nothing is known of it" "a patch from elsewhere"
mail main 1-walk-lock --patch "$T/gone.patch"
refused 2 "no number, upstream commit id" "no such file"
mail main 1-walk-lock --force ' '
refused 2 "--force needs a reason" "--force with nothing to say"
mail main 1-walk-lock --upstream "$T/gone"
refused 2 "--upstream $T/gone: not a git tree" "--upstream: not a git tree"
mail main 1-walk-lock --dry-run --send
refused 2 "--dry-run or --send, not both" "--dry-run and --send"

# ---- evidence --------------------------------------------------------------------------------------

R=$T/out/main/report.json
stale() { # NAME CODES
	mail main 1-walk-lock
	is "$RC/$(codes)" "1/$2" "$1"
	is "$(find "$T/out" -name '*.new.*')" "" "$1: nothing is left"
}
cp "$R" "$T/report"
again() { cp "$T/report" "$R"; }
rm "$R"
stale "no evidence" refused:evidence-missing
printf 'x' >"$R"
stale "a report that cannot be read" refused:evidence-missing
jq '.records |= map(select(.check != "build x86_64" or .scope == "series"))' "$T/report" >"$R"
stale "patches that were not built one by one" refused:evidence-missing
like "$ERR" "1-walk-lock/0002-[^ ]*: no record of build x86_64: run 'scripts/check main --each'" "the patch and the command are named"
jq '.records |= map(if .check == "checkpatch" then .verdict = "skipped" | .detail = "no perl" else . end)' "$T/report" >"$R"
stale "a check that was skipped is not passed" refused:evidence-skipped
jq '.records |= map(if .check == "coccinelle" then .verdict = "failed" else . end)' "$T/report" >"$R"
stale "a check that failed" refused:evidence-failed
jq '.records += [{scope: "series", check: "boot x86_64 lockdep short", key: "", verdict: "failed", detail: "panic", log: ""}]' "$T/report" >"$R"
stale "a boot that failed, though none is asked for" refused:evidence-failed
jq '.records += [{scope: "series", check: "coverage", key: "", verdict: "skipped", detail: "not compiled: x.c", log: ""}]' "$T/report" >"$R"
mail main 1-walk-lock
is "$RC/$(codes)" "0/warning:evidence" "something else that was skipped: it is said"
is "$(jq -r '.findings[0].text' "$T/out/main/mail/1-walk-lock/mail.json")" "series: coverage was skipped: not compiled: x.c" "and stands in the folder"
again
printf '# more\n' >>"$W/configs/arches"
mail main 1-walk-lock
good "a comment in a data file changes nothing"
printf 'CONFIG_MORE=y\n' >>"$W/configs/touched.config"
stale "another kernel configuration" refused:evidence-stale
cp "$L_TOP/configs/touched.config" "$W/configs/touched.config"
printf '// more\n' >>"$W/coccinelle/a.cocci"
stale "another semantic patch" refused:evidence-stale
like "$ERR" "series: coccinelle: something that it depends on changed since 2026-01-05" "what is stale is named"
printf '// a rule\n' >"$W/coccinelle/a.cocci"
mv "$T/log" "$T/log.away"
stale "a log is gone" refused:evidence-stale
mv "$T/log.away" "$T/log"
cp "$W/patches/1-walk-lock/"0001-* "$T/patch"
sed -i 's/One step was too short/One step was much too short/' "$W/patches/1-walk-lock/"0001-*
stale "a patch file changed" refused:evidence-stale
cp "$T/patch" "$W/patches/1-walk-lock/0001-mm-pagewalk-make-step-2-longer.patch"
g "$WALKLOCK_CACHE/trees/main" update-ref refs/heads/walklock/2-nolock base
stale "a branch was moved" refused:evidence-stale
take_tree main
jq '.base.tree = "0"' "$T/report" >"$R"
stale "another base" refused:evidence-stale
again
mail main 1-walk-lock
good "and back again"
mail main 2-nolock
is "$RC/$(codes)" "1/refused:evidence-missing refused:notes-after" "a topic that asks for a boot, and waits for another"
like "$ERR" "notes-after: MAINTAINERS-notes: waits for main 1-walk-lock: needs the first" "what it waits for is named"
jq --arg l "$T/log" '.records += [{scope: "series", check: "boot x86_64 lockdep short", key: "", verdict: "passed", detail: "", log: $l}]' "$T/report" >"$R"
mail main 2-nolock
is "$RC/$(codes)" "1/refused:notes-after" "with a boot"
mail main 2-nolock --force "the reviewers asked to see it"
is "$RC/$(codes)" "0/forced:notes-after" "--force"
is "$(jq -r .forced "$T/out/main/mail/2-nolock/mail.json")" "the reviewers asked to see it" "its reason is in the folder"
like "$(cat "$T/out/main/mail/2-nolock/0000-cover-letter.patch")" "prerequisite-patch-id: [0-9a-f]{40}" "and what the topic stands on in the mail"
is "$(mail_to "$T/out/main/mail/2-nolock/0001-mm-nolock-add-a-mode.patch" To)" "Ann Maintainer <ann@example.org>,=?utf-8?b?Wm/DqyBSZXN0?= <rest@example.org>" "a maintainer with a name beyond ASCII"
again
mail main 2-nolock --force "no evidence at all"
is "$RC/$(codes)" "1/forced:notes-after refused:evidence-missing" "--force is none for evidence"

# ---- MAINTAINERS-notes ------------------------------------------------------------------------------

cp "$W/MAINTAINERS-notes" "$T/notes"
note() { # LINE...: a stanza for main 1-walk-lock
	cp "$T/notes" "$W/MAINTAINERS-notes"
	{
		printf '\nTree: main\nTopic: 1-walk-lock\n'
		printf '%s\n' "$@"
	} >>"$W/MAINTAINERS-notes"
	mail main 1-walk-lock
}
note 'Mail: no' 'Why: nobody wants it' 'Ruling: <a@example.org>' 'Ruling: <b@example.org>'
is "$RC/$(codes)" "1/refused:notes-no" "what is not to be mailed"
like "$ERR" "notes-no: MAINTAINERS-notes: nobody wants it; ruling <a@example.org>; ruling <b@example.org>" "with the reason and the rulings"
note 'Mail: perhaps' 'Why: x'
is "$RC/$(codes)" "1/refused:notes-missing" "neither yes nor no"
sed -i '/^Tree/,$d' "$W/MAINTAINERS-notes"
mail main 1-walk-lock
is "$RC/$(codes)" "1/refused:notes-missing" "no stanza"
for a in '-oQ/tmp/x@example.org' '$(touch pwned)@example.org' 'a;touch pwned@example.org' '`touch pwned` <a@example.org>' 'nobody' 'a@b@c.org' '|x@example.org'; do
	note 'Mail: yes' 'Why: x' "Cc: $a"
	refused 1 "recipient: MAINTAINERS-notes: " "a recipient like $a"
done
cp "$T/notes" "$W/MAINTAINERS-notes"
is "$(find "$T" "$PWD" -maxdepth 1 -name 'pwned*')" "" "nothing of this was executed"
m=$WALKLOCK_CACHE/trees/main/MAINTAINERS
cp "$m" "$T/m"
sed -i 's/ann@example.org/-x@example.org/' "$m"
mail main 1-walk-lock
refused 2 "MAINTAINERS or get_maintainer.pl are not those of 'base'" "a MAINTAINERS file that is not the tree's"
cp "$T/m" "$m"

# Cc: trailers are addresses, prose is not.
g "$T/author" checkout -q -B t1.orig t1
g "$T/author" checkout -q -B mainline t1~1
g "$T/author" cherry-pick t1 >/dev/null
g "$T/author" commit -q --amend -m "mm: steps 3 and 7 fail harder" -m "Asked for by
Cc: prose@example.org
and mailed to more@example.org; Reviewed-by: Nobody <nobody@example.org> said so.

On Monday Joe <joe@example.org> wrote:
> Cc: quoted@example.org" -m "Fixes: 0123456789ab (\"x\")
Cc: stable@vger.kernel.org # 7.0+
Cc: \"Trailer, Tim\" <tim@example.org>"
rm -rf "$W/patches"
format "$T/author" "$(g "$T/author" rev-list --max-parents=0 HEAD)..mainline" "$W/patches/1-walk-lock"
printf 'mm: cover one\n\nText of it.\n' >"$W/patches/1-walk-lock/cover-letter.txt"
take_tree main
mail main 1-walk-lock
d=$T/out/main/mail/1-walk-lock
is "$(mail_to "$d/0002-mm-steps-3-and-7-fail-harder.patch" Cc)" \
	'"Rob (Reviewer)" <rob@example.org>,linux-mm@example.org,"Doe, Jane" <jane@example.org>,stable@vger.kernel.org,"Trailer, Tim" <tim@example.org>' \
	"Cc: trailers of a patch, stable too; nobody out of its prose"
unlike "$(cat "$d/0000-cover-letter.patch" "$d/0001-"*)" "tim@example.org|stable@vger" "and only in the mail of that patch"

# ---- the rules for longterm branches --------------------------------------------------------------------

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
reset_branch 6.12.y
amend 6.12.y "s/^commit .* upstream\.$/commit ${FIX:0:12} upstream./"
rule "a short upstream id" 1/refused:upstream-header "has 12 hex digits, not 40"
reset_branch 6.12.y
amend 6.12.y "s/^commit \(.*\) upstream\.$/This is commit \1 upstream, as asked./"
rule "an upstream id in a sentence" 1/refused:upstream-header "on a line of its own"
reset_branch 6.12.y
amend 6.12.y "/^commit .* upstream\.$/{N;s/\n$//}"
rule "no blank line after the upstream header" 1/refused:upstream-header "not a paragraph of its own"
reset_branch 6.12.y
amend 6.12.y "s/^commit .* upstream\.$/&\n\ncommit 0123456789012345678901234567890123456789 upstream./"
rule "two upstream headers" 1/refused:upstream-header "2 upstream headers"
reset_branch 6.12.y
amend 6.12.y "s/^commit \(.*\) upstream\.$/[ Upstream commit \1 ]/"
rule "the other form of the header" 0/
reset_branch 6.12.y
amend 6.12.y "s/^commit .* upstream\.$/commit 0123456789012345678901234567890123456789 upstream./"
rule "a commit that is not in mainline" "1/refused:mainline unknown:author" "is in no branch of"
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

edit "$a/mm/madvise.c" 's/int err = 5;/int err = 50;/'
g "$a" commit -q -a --amend --no-edit
take_series 6.12.y
rule "another change than upstream's" 1/refused:note "the change \(mm/madvise.c\) differs from ${FIX:0:12}, and no '\[ ... \]' note"
amend 6.12.y '$s/$/\n\n[ 6.12.y: step 5 is longer here,\n  as it was in 6.6. ]/'
rule "with a note" 0/
ls "$T/out/6.12.y/mail/1-walk-lock/"0001-*.range-diff >/dev/null 2>&1
ok $? "the difference is in the folder"
reset_branch 6.12.y
amend 6.12.y '$s/$/\n\n[ 6.12.y: nothing to say ]/'
rule "a note without a difference" 0/warning:note
reset_branch 6.12.y
amend 6.12.y 's/^Make the second step longer/Make the third step longer/'
rule "another changelog" 1/refused:note "the changelog differs"
reset_branch 6.12.y
amend 6.12.y '1s/longer/shorter/'
rule "another subject" 1/refused:note "the subject differs"
reset_branch 6.12.y
amend 6.12.y '$s/$/\n\n[   12.345678] pagewalk: BUG at step 2\n[   12.345679] Call Trace: [x]/'
rule "a kernel log is no note" 1/refused:note "the changelog differs"
reset_branch 6.12.y
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
g "$U" checkout -q later
as_upstream g "$U" commit -q --allow-empty -m 'Reapply "mm/pagewalk: make step 2 longer"' -m "This reverts commit ${LATER:0:12}."
g "$U" checkout -q main
rule "a revert that was reverted" 0/
later "mm/pagewalk: step 2 was too long" "commit $FIX upstream.

Fixes: ${FIX:0:12} (\"x\")" step
rule "a backport of something in another branch is no later fix" 0/
later "mm/pagewalk: step 2 was too long" "Fixes: ${FIX:0:12} (\"x\")" step
edit "$a/mm/pagewalk.c" 's/int err = 20;/int err = 21;/'
printf 'mm/pagewalk: step 2 was too long\n\ncommit %s upstream.\n\nFixes: %s ("x")\n' "$LATER" "${FIX:0:12}" | as_upstream g "$a" commit -q -a -F -
take_series 6.12.y
rule "the later fix comes in the same series" 0/
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

# A patch that does not fit without those before it.
g "$T/author" reset -q --hard mainline
edit "$T/author/mm/pagewalk.c" 's/int err = 20;/int err = 22;/'
g "$T/author" commit -q -a -m "mm/pagewalk: on top of the first" -m "Text."
format "$T/author" "$(g "$T/author" rev-list --max-parents=0 HEAD)..HEAD" "$W/patches/1-walk-lock"
take_tree main
mail main 1-walk-lock --patch 3
refused 3 "conflict: 1-walk-lock/0003-[^ ]*: does not fit main without the patches before it" "a patch that needs those before it"
done_testing
