#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2016,SC2119
#
# scripts/mail: what it composes, from what, and what it refuses.

# shellcheck source=scripts/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/tests/mail-lib.sh
. "$L_SELF/mail-lib.sh"
make_branches
make_series "$W/patches"
printf 'mm: cover one\n\nText of it.\n' >"$W/patches/1-walk-lock/cover-letter.txt"
printf 'Subject: [PATCH 0/1] mm: cover two\n\nText of it.\n' >"$W/patches/2-nolock/cover-letter.txt"
mail_kernel "$T/plain-main" 7 3 4
take_tree main
three="6.12.y,6.6.y,6.1.y"
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

# ---- the next version -------------------------------------------------------------------------

printf -- '- patch 2 sleeps no more\n- typos\n' >"$T/news"
mail main 1-walk-lock
first=$(jq -r '.mails[0].message_id' "$T/out/main/mail/1-walk-lock/mail.json")
mail main 1-walk-lock --reroll 2 --changes "$T/news"
good "--reroll: another version, in a folder of its own" "composed: $T/out/main/mail/1-walk-lock-v2"
V=$T/out/main/mail/1-walk-lock-v2
is "$(grep -h '^Subject:' "$V"/*.patch | sed 's/\].*/]/' | paste -sd' ')" "Subject: [PATCH v2 0/2] Subject: [PATCH v2 1/2] Subject: [PATCH v2 2/2]" "its number stands in every subject"
like "$(cat "$V/0000-cover-letter.patch")" $'Text of it\\.\n\nChanges in v2:\n- patch 2 sleeps no more\n- typos\n' "what changed stands in the cover letter"
unlike "$(cat "$V"/*)" "lore.kernel.org/r/" "no link to what was not sent"
jq -n --arg id "$first" '{state: "sent", when: "now", mails: [$id]}' >"$T/out/main/mail/1-walk-lock/sent.json"
mail main 1-walk-lock
refused 1 "already-sent" "the first version was sent"
mail main 1-walk-lock --reroll 2 --changes "$T/news"
good "which is nothing to the second"
like "$(cat "$V/0000-cover-letter.patch")" "v1: https://lore.kernel.org/r/$(tr -d '<>' <<<"$first")" "that links to it"
rm "$T/out/main/mail/1-walk-lock/sent.json"
both --patch 1 --reroll 3 --changes "$T/news"
good "--reroll of a single patch"
V=$T/out/6.6.y/mail/1-walk-lock-0001-v3
like "$(cat "$V"/0001-*.patch)" $'Subject: \\[PATCH 6\\.6\\.y v3\\].*\n---\nChanges in v3:\n- patch 2 sleeps no more\n- typos\n\n' "what changed stands below its message"
git -C "$WALKLOCK_CACHE/trees/6.6.y" apply --check "$V"/0001-*.patch
ok $? "and it applies"
for bad in 0 x 02 1000 -1; do
	mail main 1-walk-lock "--reroll=$bad" --changes "$T/news"
	refused 2 "is no version" "--reroll=$bad"
done
mail main 1-walk-lock --reroll 2
refused 2 "needs --changes FILE" "a version that does not say what is new"
mail main 1-walk-lock --changes "$T/news"
refused 2 "which one is this" "what is new in which version?"
: >"$T/nothing"
mail main 1-walk-lock --reroll 2 --changes "$T/nothing"
refused 2 "is empty" "nothing is new"
printf 'a\n---\ndiff --git a/x b/x\n' >"$T/nothing"
mail main 1-walk-lock --reroll 2 --changes "$T/nothing"
refused 2 "is not plain text" "a diff in what is new"

printf 'no UTF-8: \xff\n' >"$T/nothing"
mail main 1-walk-lock --reroll 2 --changes "$T/nothing"
refused 2 "is not UTF-8" "bytes that are no text in what is new"
cp "$W/patches/1-walk-lock/cover-letter.txt" "$T/cover"
printf '\nLike this:\ndiff --git a/x b/x\n' >>"$W/patches/1-walk-lock/cover-letter.txt"
mail main 1-walk-lock
refused 2 "patches/1-walk-lock/cover-letter.txt: git am would take what follows 'diff --git a/x b/x' for a patch: indent it" "a diff in a cover letter"
sed -i 's/^diff/  &/' "$W/patches/1-walk-lock/cover-letter.txt"
mail main 1-walk-lock
good "indented, it is text"
cp "$T/cover" "$W/patches/1-walk-lock/cover-letter.txt"
mail -h
good "-h is --help" "^usage: scripts/mail"

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
for t in 'main,' ',main' 'main,,6.1.y' ','; do
	mail "$t" 1-walk-lock --dry-run
	refused 2 "which tree\? '$t' has an empty name" "an empty name in a list: $t"
done
mail main 1-walk-lock --tree-dir "$T"
refused 2 "--tree-dir goes with --failed alone" "--tree-dir beside a tree"
mail main 1-walk-lock --failed "$T/none" --in-reply-to a@example.org
refused 2 "no --in-reply-to beside it" "two mails to answer to"
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
Cc: <Stable@vger.kernel.org> # 6.12.x: 0123456789ab: mm: before it
Cc: Sen Der <Sender@Example.org>
Cc: \"Trailer, Tim\" <tim@example.org>"
rm -rf "$W/patches"
format "$T/author" "$(g "$T/author" rev-list --max-parents=0 HEAD)..mainline" "$W/patches/1-walk-lock"
printf 'mm: cover one\n\nText of it.\n' >"$W/patches/1-walk-lock/cover-letter.txt"
take_tree main
mail main 1-walk-lock
d=$T/out/main/mail/1-walk-lock
is "$(mail_to "$d/0002-mm-steps-3-and-7-fail-harder.patch" Cc)" \
	'"Rob (Reviewer)" <rob@example.org>,linux-mm@example.org,"Doe, Jane" <jane@example.org>,stable@vger.kernel.org,"Trailer, Tim" <tim@example.org>' \
	"Cc: trailers of a patch, stable too, each once; nobody out of its prose, and not the sender"
mail main 1-walk-lock --upstream "$U"
is "$RC/$(codes)" "0/unknown:fixes" "Fixes: of a commit that no tree has"
unlike "$(cat "$d/0000-cover-letter.patch" "$d/0001-"*)" "tim@example.org|stable@vger" "and only in the mail of that patch"

# The sender's sign-off is the last one, said once.
signed() { # TRAILER...: the sign-offs of a mail with these trailers
	g "$T/author" commit -q --amend -m "mm: steps 3 and 7 fail harder" -m "Text." -m "$(printf '%s\n' "$@")"
	rm -rf "$W/patches/1-walk-lock/"*.patch
	format "$T/author" "$(g "$T/author" rev-list --max-parents=0 HEAD)..mainline" "$W/patches/1-walk-lock"
	take_tree main
	mail main 1-walk-lock
	sed -n 's/^Signed-off-by: \(.*\) <.*/\1/p' "$d/0002-mm-steps-3-and-7-fail-harder.patch" | paste -sd,
}
is "$(signed 'Signed-off-by: Sen Der <sender@example.org>' 'Signed-off-by: Ann Other <ann@example.org>')" "Sen Der,Ann Other,Sen Der" "a sender who signed before somebody else signs again"
is "$(signed 'Signed-off-by: Ann Other <ann@example.org>' 'Signed-off-by: Sen Der <sender@example.org>')" "Ann Other,Sen Der" "one who signed last does not"

# A patch that does not fit without those before it.
g "$T/author" reset -q --hard mainline
edit "$T/author/mm/pagewalk.c" 's/int err = 20;/int err = 22;/'
g "$T/author" commit -q -a -m "mm/pagewalk: on top of the first" -m "Text."
format "$T/author" "$(g "$T/author" rev-list --max-parents=0 HEAD)..HEAD" "$W/patches/1-walk-lock"
take_tree main
mail main 1-walk-lock --patch 3
refused 3 "conflict: 1-walk-lock/0003-[^ ]*: does not fit main without the patches before it" "a patch that needs those before it"
done_testing
