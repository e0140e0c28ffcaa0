#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2016,SC2119
#
# scripts/mail --failed: what a saved FAILED mail says, whether the tree can have the
# bug, the answer to it, and every malformed mail.

# shellcheck source=scripts/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/tests/mail-lib.sh
. "$L_SELF/mail-lib.sh"
make_branches
M=$T/mbox
told() { mail --failed "$M" --json "$@"; }
j() { jq -r "$1" <<<"$OUT"; }

# ---- what it says -------------------------------------------------------------------------

failed_mail "$U" "$FIX" 6.1 >"$M"
mail --failed "$M"
good "a FAILED mail is read" "verdict +possible"
told
is "$(j '.commit + " " + .tree + " " + .in_reply_to')" "$FIX 6.1.y <2026010512-gadget-squid-1a2b@penguin>" "commit, tree, In-Reply-To"
is "$(j .subject)" "mm/pagewalk: make step 2 longer" "subject of the commit"
is "$(j '.to + [.cc[].address] | join(" ")')" "stable@vger.kernel.org greg@penguin.example.org up@example.org ann@example.org rest@example.org" "recipients of the headers, each once, folded or not"
is "$(j '.cc[] | select(.address == "rest@example.org") | .name')" "Zoë Rest" "an encoded name"
is "$(j '[.depends[] | .commit + " " + .subject] | join("|")')" '123456789abc mm: something before it (and more)|abcdef012345 Revert "mm: another thing"' "dependencies, without the commit itself"
is "$(j .backport)" "backports/6.1.y/1-walk-lock/0001-mm-pagewalk-make-step-2-longer.patch" "the patch of this project that brings it"
is "$(j .verdict)" possible "the tree has the lines: it can have the bug"
all=$(snap_all)
mail --failed "$M"
is "$(snap_all)/$(tmp_left)" "$all/0" "nothing is written"
mail --failed "$M" --out "$T/items"
good "--out keeps the work item"
is "$(jq -r .commit "$T/items/${FIX:0:12}-6.1.y.json")" "$FIX" "as JSON, and as text beside it"

# ---- the ruling -----------------------------------------------------------------------------

ruled() { # CONDITION
	cat >>"$W/MAINTAINERS-notes" <<-EOF

		Tree: 6.1.y
		Topic: 1-walk-lock
		Mail: no
		Why: 6.1 takes one step only
		Ruling: <first@example.org>
		Ruling: <second@example.org>
		Not-needed: $FIX$1
	EOF
}
cp "$W/MAINTAINERS-notes" "$T/notes"
ruled ''
told
is "$(j '.verdict + ": " + .why + " " + (.rulings | join(" ")) + " " + .mailing.code')" \
	"not needed: 6.1 takes one step only <first@example.org> <second@example.org> not-needed" "a ruling decides, with its Message-IDs"
is "$(j .mailing.blocked)" true "and mailing is blocked"
told --force "the vendor asked for it"
is "$(j '.mailing | "\(.blocked) \(.forced)"')" "false the vendor asked for it" "--force is recorded"
cp "$T/notes" "$W/MAINTAINERS-notes"
ruled ' unless CONFIG_NEW_WALK'
told
is "$(j .verdict)" "not needed" "a ruling that holds unless the tree has an option: it has not"
like "$(j '.evidence[]')" "option CONFIG_NEW_WALK: no Kconfig file of 6.1.192 defines it" "which is looked up"
cp "$T/notes" "$W/MAINTAINERS-notes"
ruled ' unless CONFIG_OLD_WALK'
told
is "$(j .verdict)" possible "the tree has the option: the ruling does not hold"
mv "$WALKLOCK_CACHE/trees/6.1.y" "$T/away"
cp "$T/notes" "$W/MAINTAINERS-notes"
told
is "$(j '.verdict + ": " + .why')" "unknown: the tree cannot be looked at: run 'scripts/tree 6.1.y'" "no tree: unknown"
ruled ' unless CONFIG_NEW_WALK'
told
is "$(j '.verdict + ": " + .evidence[0]')" "not needed: option CONFIG_NEW_WALK: not looked up, the tree is not there" "no tree, a ruling: it is said that nothing was looked up"
mv "$T/away" "$WALKLOCK_CACHE/trees/6.1.y"
cp "$T/notes" "$W/MAINTAINERS-notes"
ruled ' unless the moon is full'
mail --failed "$M"
refused 2 "MAINTAINERS-notes: 'Not-needed: .*' is no full commit id" "a ruling that cannot be read"
cp "$T/notes" "$W/MAINTAINERS-notes"

# ---- what the tree has and lacks ----------------------------------------------------------------

# commit_on_top COMMAND...: one more upstream commit, its FAILED mail for 6.1.
n=0
commit_on_top() {
	n=$((n + 1))
	g "$U" checkout -q -B "try$n" main
	"$@"
	g "$U" add -A
	as_upstream g "$U" commit -q -m "mm: commit $n" -m "${BODY:-Text.}"
	NEW=$(g "$U" rev-parse HEAD)
	g "$U" checkout -q main
	failed_mail "$U" "$NEW" 6.1 >"$M"
	told
}
first_then() { # COMMAND THEN: COMMAND is a commit before the one that is looked at
	g "$U" checkout -q -B before main
	"$1"
	g "$U" add -A
	as_upstream g "$U" commit -q -m "mm: before"
	g "$U" branch -q -f main before
	g "$U" checkout -q main
	commit_on_top "$2"
}
new_file() { printf 'int brand_new(void)\n{\n\treturn 1;\n}\n\nint brand_newer(void)\n{\n\treturn 2;\n}\n' >"$U/mm/brand_new.c"; }
fix_new_file() { edit "$U/mm/brand_new.c" 's/return 2/return 3/'; }
first_then new_file fix_new_file
is "$(j .verdict)" "not needed" "the file that is fixed is not in the tree"
like "$(j '.evidence[]')" "file mm/brand_new.c: not in the tree" "with the file as evidence"
new_function() { printf '\nint exotic_gadget(int a)\n{\n\ta = frobnicate_all(a);\n\ta += 4711;\n\ta -= 815;\n\treturn a;\n}\n\nint last_in_file;\n' >>"$U/mm/other.c"; }
fix_function() { edit "$U/mm/other.c" 's/a += 4711;/a += 4712;/'; }
first_then new_function fix_function
is "$(j .verdict)" "not needed" "the function that is fixed is not in the tree"
like "$(j '.evidence[]')" "symbol exotic_gadget: not in mm/other.c, nor anywhere else" "with the symbol as evidence"
like "$(j '.lacks[]')" "symbol frobnicate_all" "and what else the tree lacks"
renamed() { sed -i 's/pagewalk_step_6/pagewalk_move_6/' "$U/mm/pagewalk.c"; }
fix_renamed() { edit "$U/mm/pagewalk.c" '/pagewalk_move_6/,/^}/s/int err = 6;/int err = 60;/'; }
first_then renamed fix_renamed
is "$(j .verdict)" possible "a function that has another name in the tree, the same lines: not said to be absent"
gate() { edit "$U/mm/madvise.c" 's/^\treturn err;$/#ifdef CONFIG_NEW_WALK\n\terr++;\n#endif\n&/'; }
fix_gate() { edit "$U/mm/madvise.c" 's/\terr++;/\terr += 2;/'; }
first_then gate fix_gate
is "$(j .verdict)" "not needed" "what is compiled only with an option that the tree lacks"
like "$(j '.evidence[]')" "option CONFIG_NEW_WALK: no Kconfig file defines it" "with the option as evidence"
only_new() { printf 'int x;\n' >"$U/mm/x.c"; }
commit_on_top only_new
is "$(j .verdict)" unknown "a patch that only adds a file: nothing decides"
moved() { g "$U" mv mm/madvise.c mm/advise.c; }
fix_moved() { edit "$U/mm/advise.c" '/advise_step_5/,/^}/s/int err = 5;/int err = 55;/'; }
first_then moved fix_moved
is "$(j .verdict)" unknown "a file that has moved since: not said to be absent"
BODY=$'Text.\n\nCc: stable@vger.kernel.org # 6.4+' commit_on_top fix_renamed
is "$(j '.verdict + ": " + .why')" "not needed: the commit itself asks for stable since 6.4" "its author named the first version"
BODY=$'Text that says stable # 6.4+ somewhere.\n\nCc: stable@vger.kernel.org # 5.15+' commit_on_top fix_renamed
is "$(j .verdict)" possible "an older one, and prose, decide nothing"
BODY=$'Text.\n\nCc: stable@vger.kernel.org # 6.4+, 5.15.x' commit_on_top fix_renamed
is "$(j .verdict)" possible "an older one beside it: it is asked for too"
BODY=$'Text.\n\nCc: stable@vger.kernel.org # 6.4+\nCc: stable@vger.kernel.org # 6.1.x: 0123456: mm: before' commit_on_top fix_renamed
is "$(j .verdict)" possible "in a line of its own, with what it needs there"
g "$U" checkout -q main
new_code() { printf '\nint after_seven(int x)\n{\n\tx = x * 1234567;\n\treturn x - 7654321;\n}\n' >>"$U/mm/pagewalk.c"; }
new_code
g "$U" commit -q -a -m "mm: after seven"
INTRO=$(g "$U" rev-parse HEAD)
g "$U" tag v7.1
hide() { edit "$U/mm/pagewalk.c" 's/return err;/return +err;/'; }
BODY="Fixes: ${INTRO:0:12} (\"mm: after seven\")" commit_on_top hide
told --upstream "$U"
is "$(j .verdict)" "not needed" "what it fixes came in later, and none of its lines is in the tree"
like "$(j '.evidence[]')" "${INTRO:0:12}, which came in v7.1; 0 of the" "as the --upstream tree says"
for line in "Fixes: ${FIX:0:7} (\"mm: x\")" 'Fixes: what the last one did'; do
	BODY="Fixes: ${INTRO:0:12} (\"mm: after seven\")
$line" commit_on_top hide
	told --upstream "$U"
	is "$(j .verdict)" possible "beside another Fixes: line that may be about this tree: $line"
done
BODY="Fixes: ${FIX:0:12} (\"mm: x\")" commit_on_top hide
told --upstream "$U"
is "$(j .verdict)" possible "what it fixes is in the tree in other words: not said to be absent"

# ---- other trees -----------------------------------------------------------------------------------

failed_mail "$U" "$FIX" 5.15 >"$M"
told
is "$(j '"\(.tree) \(.verdict): \(.why)"')" "null unknown: the tree cannot be looked at: 5.15.y is no tree of configs/trees; --tree-dir names one" "a tree that the project does not know"
mail_kernel "$T/5.15" 5 15 1
make_git "$T/5.15"
told --tree-dir "$T/5.15"
is "$(j '"\(.tree) \(.verdict)"')" "null possible" "but can be shown"
told --tree-dir "$U"
refused 2 "--tree-dir .*: is 6.12, the mail is about 5.15" "--tree-dir: another line"
"$W/scripts/mail" --failed - <"$M" >"$L_TMP/out" 2>"$L_TMP/err"
is "$?/$(cat "$L_TMP/out")" "0/$(wl mail --failed "$M")" "from standard input"
mail 6.12.y 1-walk-lock --failed - --send
refused 2 "--failed - and the question of --send both read standard input" "but not beside a question"
mail --failed "$T/nothing"
refused 2 "--failed $T/nothing: " "no such file"

# ---- more than one mail ----------------------------------------------------------------------------------

{
	failed_mail "$U" "$FIX" 6.1 one@example.org
	printf 'From mboxrd@z Thu Jan  1 00:00:00 1970\nSubject: Re: FAILED: patch "[PATCH] x" failed to apply to 6.1-stable tree\nMessage-ID: <re@example.org>\nFrom: a@example.org\n\n> The patch below does not apply to the 6.1-stable tree.\n> git cherry-pick -x 0123\nWhy?\n\n'
	failed_mail "$U" "$FIX" 6.6 two@example.org
} >"$M"
told
is "$(j 'map(.tree + " " + .in_reply_to) | join(" ")')" "6.1.y <one@example.org> 6.6.y <two@example.org>" "two FAILED mails in one file, a reply between them"
like "$ERR" "1 other mail in .*: passed over" "the reply is said to be passed over"
for subject in '[EXTERNAL] Re: FAILED: patch "[PATCH] x" failed to apply to 6.1-stable tree' \
	'=?utf-8?b?562U5aSN?=: FAILED: patch "[PATCH] x" failed to apply to 6.1-stable tree' '[PATCH] selftests: say FAILED: where it is'; do
	{
		failed_mail "$U" "$FIX" 6.1 one@example.org
		printf 'From mboxrd@z Thu Jan  1 00:00:00 1970\nSubject: %s\nMessage-ID: <re@example.org>\nFrom: a@example.org\n\n> git cherry-pick -x 0123\nWhy?\n\n' "$subject"
	} >"$M"
	told
	is "$RC/$(j .in_reply_to)/$ERR" "0/<one@example.org>/mail: 1 other mail in $M: passed over" "another mail in the file: $subject"
done
failed_mail "$U" "$FIX" 6.1 | sed 's/^Subject: FAILED/Subject: [stable] FAILED/' >"$M"
told
is "$(j .commit)" "$FIX" "a list's tag before the Subject"
# The other maintainer's script: a version with "v", no recipe, no Content-Type.
failed_mail "$U" "$FIX" 6.1 | sed 's/patch "\[PATCH\] /Patch "/; s/apply to 6.1-stable/apply to v6.1-stable/; s/to the 6.1-stable/to the v6.1-stable/
	/^To reproduce/,/^thanks/d; /^MIME-V/d; /^Content-Type/d' >"$M"
told
is "$RC/$(j '"\(.tree) \(.commit) \(.verdict)"')" "0/6.1.y $FIX possible" "vX.Y-stable"
failed_mail "$U" "$FIX" 6.1 | sed 's/^From [0-9a-f]\{40\} Mon/>&/' >"$M"
told
is "$(j .subject)" "mm/pagewalk: make step 2 longer" "an mbox with escaped From lines"
failed_mail "$U" "$FIX" 6.1 | sed 1d >"$M"
told
is "$(j .tree)" 6.1.y "a raw mail without an mbox line"
failed_mail "$U" "$FIX" 6.1 | sed '1,/^$/d' >"$M"
told
is "$(j '"\(.tree) \(.bare) \(.in_reply_to)"')" "6.1.y true <2026010512-gadget-squid-1a2b@penguin>" "the text alone, as archives show it: it says that recipients are not known"
{
	failed_mail "$U" "$FIX" 6.1 | sed '/^Content-Tra/,$d; s/ANSI_X3.4-1968/utf-8/'
	printf 'Content-Transfer-Encoding: 8bit\n\n'
	failed_mail "$U" "$FIX" 6.1 | sed '1,/^$/d' | sed '/^git fetch/,/^greg k-h/d'
} >"$M"
told
is "$(j '"\(.commit) \(.depends | length)"')" "$FIX 0" "without a recipe the commit is the quoted one"

failed_mail "$U" "$FIX" 6.1 | sed 's/^Cc: .*/Cc: Jörg <j@example.org>,\n\tundisclosed-recipients:;/; s/^Subject: FAILED: patch "\(.*\)$/Subject: =?utf-8?q?FAILED:_patch?= "\1/; s/^Make the second/Subject: [PATCH] was that of the report.\n&/' >"$M"
told
is "$(j '[.cc[] | .name] | join(",")')/$(j .tree)" ",,,Zoë Rest,Jörg/6.1.y" "a name in raw UTF-8, a group without members, an encoded Subject, a quoted header in the changelog"

# ---- malformed mails ------------------------------------------------------------------------------------------

bad() { # NAME CODE REGEX SED-SCRIPT|COMMAND...
	local name=$1 code=$2 regex=$3
	shift 3
	"$@" <"$T/one" >"$M"
	for how in alone answer; do
		if [ "$how" = alone ]; then
			mail --failed "$M"
		else
			mail 6.12.y,6.6.y,6.1.y 1-walk-lock --patch 1 --upstream "$U" --failed "$M"
		fi
		refused 1 "^mail: refused: $code: .*$regex" "$name ($how)"
	done
}
cd "$T" || exit 1
failed_mail "$U" "$FIX" 6.1 >"$T/one"
all=$(snap_all)
as_encoded() { # NAME: the body in that encoding
	python3 -c '
import base64, quopri, sys
head, body = sys.stdin.read().split("\n\n", 1)
enc = sys.argv[1]
body = base64.encodebytes(body.encode()).decode() if enc == "base64" else quopri.encodestring(body.encode()).decode()
print(head.replace("8bit", enc) + "\n\n" + body)' "$1"
}
bad "CRLF line ends" mbox-crlf "CRLF line ends: save the mail raw" sed 's/$/\r/'
bad "a base64 body" mbox-encoding "the body is base64 encoded" as_encoded base64
bad "a quoted-printable body" mbox-encoding "the body is quoted-printable encoded" as_encoded quoted-printable
bad "a format=flowed body" mbox-encoding "the mail is format=flowed" sed 's|^Content-Type: .*|Content-Type: text/plain; charset=utf-8; format=Flowed|'
bad "a byte order mark" mbox-encoding "begins with a byte order mark" sed '1s/^/\xef\xbb\xbf/'
bad "an escaped From line in a mail that is no mbox" mbox-commit "does not begin with its 'From ID' line" sed '1d; s/^From [0-9a-f]\{40\} Mon/>&/'
bad "a commit that is quoted whole" mbox-commit "does not begin with its 'From ID' line" sed '/^From [0-9a-f]\{40\} Mon/,$s/^/> /'
bad "a multipart mail" mbox-encoding "multipart/mixed, not plain text" sed 's|^Content-Type: .*|Content-Type: multipart/mixed; boundary=x|'
bad "an HTML mail" mbox-encoding "text/html" sed 's|text/plain|text/html|'
bad "no Message-ID" mbox-header "no Message-ID header" sed '/^Message-ID/d'
bad "two Message-IDs" mbox-header "2 Message-ID headers" sed 's/^Message-ID.*/&\nMessage-ID: <other@example.org>/'
bad "an empty Message-ID" message-id "no Message-ID that can be answered" sed 's/^Message-ID.*/Message-ID: <>/'
bad "no From" mbox-header "no From header" sed '/^From: <greg/d'
two() { cat; sed -n '/^From [0-9a-f]\{40\}/,$p' "$T/one"; }
bad "two patches in one mail" mbox-two-patches "two patches" two
bad "two patches, the second one quoted like the first" mbox-two-patches "two patches" sed -n 'p; /^-----/,$H; ${g;p}'
bad "a short commit id in the recipe" mbox-commit "'${FIX:0:12}' is no full commit id" sed "s/cherry-pick -x $FIX/cherry-pick -x ${FIX:0:12}/"
bad "a short commit id everywhere" mbox-commit "'${FIX:0:12}' is no full commit id" sed "s/$FIX/${FIX:0:12}/"
bad "two commits" mbox-commit "two commits" sed "s/cherry-pick -x $FIX/cherry-pick -x 0123456789012345678901234567890123456789/"
bad "no commit" mbox-commit "names no commit" sed "/cherry-pick/d; /^-----/,\$d"
bad "another tree in the body" mbox-tree "Subject says 6.1-stable, the body 6.6-stable" sed 's/to the 6.1-stable/to the 6.6-stable/'
bad "no tree" mbox-tree "does not say to which X.Y-stable tree" sed 's/^ apply to 6.1-stable tree/ apply to linux-next/'
bad "another mail to answer to" message-id "asks for answers to <else@example.org>" sed "s/--in-reply-to '[^']*'/--in-reply-to 'else@example.org'/"
bad "a shell command in the Message-ID" message-id "no Message-ID that can be answered" sed 's/^Message-ID.*/Message-ID: <$(touch pwned)@x>/'
bad "a shell command in the Subject" mbox-header "Subject has a shell metacharacter" sed 's/\[PATCH\] mm/[PATCH] `touch pwned`; mm/'
bad "a shell command in the tree" mbox-header "shell metacharacter" sed 's/^ apply to 6.1-stable/ apply to $(touch pwned)-stable/'
bad "a shell command in a name" recipient "shell metacharacter" sed 's/^To: /To: "$(touch pwned)" <x@example.org>, /'
bad "a shell command in an address" recipient "no address that can be mailed to" sed 's/^To: /To: "`touch pwned`"@example.org, /'
bad "a pipe for an address" recipient "no address" sed 's/^To: /To: |touch@example.org, /'
bad "a recipient that begins with a dash" recipient "no address" sed 's/^To: /To: -oQpwned@example.org, /'
bad "a line break in an encoded name" mbox-header "line break or control character" sed 's/^To: /To: =?utf-8?q?A=0ABcc:_x?= <x@example.org>, /'
bad "a line break in an encoded Subject" mbox-header "line break or control character" sed 's/^Subject: /Subject: =?utf-8?b?YQpCY2M6IHg=?= /'
bad "a recipe with a shell command for an id" mbox-commit "no full commit id" sed "s/cherry-pick -x $FIX/cherry-pick -x \$(touch\${IFS}pwned)/"
bad "an empty file" mbox-empty "is empty" true
bad "NUL bytes" mbox-binary "NUL bytes" sed 's/greg k-h/\x00/'
bad "no FAILED mail" mbox-none "no mail" sed 's/FAILED: //'
bad "a reply alone" mbox-none "no mail" sed 's/^Subject: /Subject: Re: /'
cd / || exit 1
is "$(snap_all)/$(tmp_left)/$(find "$T" -name 'pwned*')" "$all/0/" "of all these nothing was written, and nothing executed"

# ---- the answer -----------------------------------------------------------------------------------------------------

for b in $(g "$U" for-each-ref --format='%(refname:short)' 'refs/heads/try*'); do g "$U" branch -q -D "$b"; done
failed_mail "$U" "$FIX" 6.1 >"$M"
answer() { mail 6.12.y,6.6.y,6.1.y 1-walk-lock --upstream "$U" --patch "${FIX:0:10}" "$@"; }
failed_mail "$U" "$FIX" 6.12 12@example.org >>"$M"
failed_mail "$U" "$FIX" 6.6 6@example.org >>"$M"
answer --failed "$M"
good "answers to three FAILED mails in one run"
golden "$T/out/6.1.y/mail/1-walk-lock-0001" mail-failed-answer
is "$(jq -r .in_reply_to "$T/out/6.12.y/mail/1-walk-lock-0001/mail.json")" "<12@example.org>" "each to its own"
failed_mail "$U" "$FIX" 6.1 >"$M"
answer --failed "$M"
is "$RC/$(codes)" "1/refused:failed-mismatch" "a FAILED mail of another tree"
ruled ''
sed -i 's/^Mail: no$/Mail: yes/' "$W/MAINTAINERS-notes"
failed_mail "$U" "$FIX" 6.12 12@example.org >>"$M"
failed_mail "$U" "$FIX" 6.6 6@example.org >>"$M"
answer --failed "$M"
is "$RC/$(codes)" "1/refused:not-needed" "the answer is blocked where it is not needed"
like "$ERR" "not-needed: .*6.1 takes one step only; ruling <first@example.org>; ruling <second@example.org>" "with the rulings"
answer --failed "$M" --force "a vendor tree has it"
good "--force composes it"
is "$(jq -r .forced "$T/out/6.1.y/mail/1-walk-lock-0001/mail.json")" "a vendor tree has it" "and the reason is in the folder"
is "$(jq -r .failed.verdict "$T/out/6.1.y/mail/1-walk-lock-0001/mail.json")" "not needed" "with the verdict"
done_testing
