#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2016,SC2119
#
# scripts/mail --send: the question, what goes out over SMTP, and the way back from
# the mailbox to the patched tree with b4 and git am.

# shellcheck source=scripts/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/tests/mail-lib.sh
. "$L_SELF/mail-lib.sh"
why=
[ -x "$(git --exec-path)/git-send-email" ] || why="no git send-email (Debian: git-email)"
perl -MMail::Address -e 1 2>/dev/null || why="no Mail::Address for git send-email (Debian: libmailtools-perl)"
python=$(python_with aiosmtpd) || why="no aiosmtpd (Debian: python3-aiosmtpd)"
if [ -n "$why" ]; then
	skip "scripts/mail --send" "$why"
	done_testing
	exit 0
fi
mail_checkout
make_upstream
for t in '6.12.y 6 12 117' '6.6.y 6 6 87' '6.1.y 6 1 192'; do
	# shellcheck disable=SC2086
	make_branch $t
done
make_series "$W/patches"
printf 'mm: cover one\n\nText of it, with\nCc: prose@example.org\nand Reviewed-by: Nobody <nobody@example.org>\n' >"$W/patches/1-walk-lock/cover-letter.txt"
mail_kernel "$T/plain-main" 7 3 4
take_tree main
all="6.12.y,6.6.y,6.1.y"
smtp_start "$python" || { printf 'Bail out! no server: %s\n' "$(cat "$T/smtp.log")"; exit 1; }
trap 'smtp_stop; l_end' EXIT
send() { # ANSWER ARGS...
	printf '%s' "$1" >"$T/answer"
	shift
	"$W/scripts/mail" "$@" --send >"$L_TMP/out" 2>"$L_TMP/err" <"$T/answer"
	RC=$?
	OUT=$(cat "$L_TMP/out") ERR=$(cat "$L_TMP/err")
	ERRL=$(grep -E '^mail: ' <<<"$ERR")
}
received() { if [ -f "$T/received" ]; then grep -c '^From ' "$T/received"; else echo 0; fi; }

send '' main 1-walk-lock
refused 1 "not-confirmed: the answer was not 'yes'; nothing was sent" "no answer: nothing is sent"
for who in ann@example.org rob@example.org linux-mm@example.org jane@example.org; do
	grep -qE "^(To|Cc): (.*<)?$who(>| )" <<<"$ERR"
	ok $? "the question shows $who" || diag <<<"$ERR"
done
is "$(received)" 0 "the server got nothing"
send $'no\n' main 1-walk-lock
refused 1 "not-confirmed" "the answer no: nothing is sent"
is "$(received)" 0 "the server got nothing then either"
send $'yes\n' main 1-walk-lock
good "the answer yes: sent" "sent: $T/out/main/mail/1-walk-lock"
is "$(received)" 3 "three mails came"
is "$(sort -u "$T/envelopes")" "sender@example.org ann@example.org jane@example.org linux-mm@example.org rob@example.org" "to the people that were shown, nobody out of a text"
send $'yes\n' main 1-walk-lock
refused 1 "already-sent" "a second time: refused"
is "$(received)" 3 "and nothing more was sent"
id=$(jq -r '.mails[1].message_id' "$T/out/main/mail/1-walk-lock/mail.json")
for how in "--out=$T/other" "--patch=1"; do
	send $'yes\n' main 1-walk-lock "$how"
	is "$RC/$(codes)/$(received)" "1/refused:already-sent/3" "nor with $how"
	like "$ERR" "already-sent: 1-walk-lock/0001-[^ ]*: sent as $id on .*, out of $T/out/main/mail/1-walk-lock( .and 1 more.)?; another version is --reroll N" "the mail is named"
done
mail main 1-walk-lock --patch 1
is "$RC/$(codes)" "0/warning:already-sent" "composing it is said to be that"
printf 'nothing\n' >"$T/news"
send $'no\n' main 1-walk-lock --reroll 2 --changes "$T/news"
refused 1 "not-confirmed" "another version is something else"
send $'no\n' main 1-walk-lock --patch 1 --force "the list lost it"
is "$RC/$(codes)" "1/forced:already-sent refused:not-confirmed" "and so it is with --force"
afresh() { rm -rf "$WALKLOCK_CACHE/mail"; }

# ---- and back -------------------------------------------------------------------------------

back() { # NAME TREE FOLDER RESULT
	local id dir="$T/back $2"
	if ! command -v b4 >/dev/null; then
		skip "$1: b4 am, git am" "no b4 (Debian: b4)"
		return
	fi
	id=$(jq -r '.mails[0].message_id' "$3/mail.json")
	rm -rf "$dir"
	mkdir "$dir"
	(cd "$dir" && b4 --offline-mode am --no-cache -m "$T/received" -o "$dir" -n one "${id:1:-1}") >"$L_TMP/b4" 2>&1
	ok $? "$1: b4 takes the series from the mailbox" || diag <"$L_TMP/b4"
	rm -rf "$T/apply"
	g / clone -q "$WALKLOCK_CACHE/trees/$2" "$T/apply"
	g "$T/apply" checkout -q "${5:-base}" 2>/dev/null || g "$T/apply" checkout -q "origin/${5:-base}"
	g "$T/apply" am -q "$dir"/one*.mbx >"$L_TMP/am" 2>&1
	ok $? "$1: git am takes it" || diag <"$L_TMP/am"
	is "$(g "$T/apply" rev-parse 'HEAD^{tree}')" "$(g "$WALKLOCK_CACHE/trees/$2" rev-parse "$4^{tree}")" "$1: the tree is the patched one, bit for bit"
}
back "mainline series" main "$T/out/main/mail/1-walk-lock" walklock/1-walk-lock
is "$(g "$T/apply" log -1 --format='%an <%ae>')" "$NAME <$MAIL>" "the author is the one of the patch"
like "$(g "$T/apply" log -1 --format=%B)" "Signed-off-by: Sen Der <sender@example.org>" "with the sender's sign-off"

# git send-email puts a From: of its own into a mail whose sender it does not know again.
cp "$HOME/.gitconfig" "$T/gitconfig"
n=0
for who in 'Zoë Müller' 'Doe, Jane Ö.' 'Mędrzec Długonazwiskowy-Brzęczyszczykiewicz z Chrząszczyżewoszyc'; do
	rm -f "$T/received"
	afresh
	git config --global user.name "$who"
	send $'yes\n' main 1-walk-lock --out "$T/who $((n += 1))"
	is "$RC/$(received)/$(grep -c '^From: ' "$T/received")/$(grep -c "^From: $NAME <$MAIL>" "$T/received")" "0/3/5/2" "the sender $who: one From: in the text of each patch, none in that of the cover letter"
	back "sender $who" main "$T/who $n" walklock/1-walk-lock
	is "$(g "$T/apply" log --format='%an <%ae>' -2 | sort -u)" "$NAME <$MAIL>" "the author is that of the patch"
	like "$(g "$T/apply" log -1 --format=%B)" "Signed-off-by: $who <sender@example.org>" "the sender signed"
	unlike "$(g "$T/apply" log -1 --format=%B)" "From: " "and stands nowhere else"
	like "$ERR" "3 mails from \"?$who\"? <sender@example.org>" "the question shows the name as it is written"
done
cp "$T/gitconfig" "$HOME/.gitconfig"

rm -f "$T/received"
send $'yes\n' "$all" 1-walk-lock --upstream "$U" --patch 1
good "three branches in one run are sent"
is "$(received)" 3 "one mail each"
for t in 6.12.y 6.6.y 6.1.y; do
	back "single backport, $t" "$t" "$T/out/$t/mail/1-walk-lock-0001" walklock/series
	is "$(g "$T/apply" log -1 --format='%an')" "$UP_NAME" "$t: upstream's author is kept"
done
is "$(grep '^Subject' "$T/received" | paste -sd'|')" "Subject: [PATCH 6.12.y] mm/pagewalk: make step 2 longer|Subject: [PATCH 6.6.y] mm/pagewalk: make step 2 longer|Subject: [PATCH 6.1.y] mm/pagewalk: make step 2 longer" "the newest branch goes first"

# ---- the user's configuration ------------------------------------------------------------------

cp "$HOME/.gitconfig" "$T/gitconfig"
rm -f "$T/received" "$T/envelopes"
afresh
cat >>"$HOME/.gitconfig" <<-'EOF'
	[sendemail]
		bcc = me@example.org
		from = Somebody Else <else@example.org>
		chainReplyTo = true
		confirm = always
EOF
send $'yes\n' main 1-walk-lock --out "$T/configured"
good "with more in the configuration"
like "$ERR" "by your git configuration: me@example.org" "whom it adds is shown"
is "$(sort -u "$T/envelopes")" "sender@example.org ann@example.org jane@example.org linux-mm@example.org me@example.org rob@example.org" "and gets the mails; who was shown gets them"
is "$(grep -c '^From: Sen Der <sender@example.org>' "$T/received")" 3 "the sender is the one that signs off"
git config --global sendemail.suppressCc all
afresh
send $'yes\n' main 1-walk-lock --out "$T/suppressed"
refused 2 "git send-email would leave out jane@example.org, .*suppressCc of your git configuration.*nothing was sent" "a configuration that drops whom the question showed"
cp "$T/gitconfig" "$HOME/.gitconfig"

# A relative folder is the caller's, and what was shown is what goes out.
mkdir -p "$T/here" "$W/rel.out"
(cd "$W" && scripts/mail main 1-walk-lock --out rel.out --in-reply-to old@example.org) >/dev/null 2>&1
rm -f "$T/received"
afresh
cd "$T/here" || exit 1
send $'yes\n' main 1-walk-lock --out rel.out
good "--out: a relative folder" "sent: $T/here/rel.out"
is "$(received)/$(grep -c old@example.org "$T/received")" "3/0" "what is in it was sent, nothing out of another folder of that name"
afresh
WALKLOCK_OUT=rel mail main 1-walk-lock
refused 1 "evidence-missing" "WALKLOCK_OUT: a relative folder"
cp -R "$T/out" "$T/here/rel"
rm -rf "$T/here/rel/main/mail"
rm -f "$T/received"
WALKLOCK_OUT=rel send $'yes\n' main 1-walk-lock
good "WALKLOCK_OUT: a relative folder with the evidence" "sent: $T/here/rel/main/mail/1-walk-lock"
is "$(received)" 3 "it is sent from there"
cd / || exit 1
rm -rf "$W/rel.out" "$T/here"

# A sendmail command in place of a server.
fake_sendmail() { # MAILS: ends badly after that many
	rm -f "$T/bin/sendmail" "$T/sendmail.args"
	cat >"$T/bin/sendmail" <<-EOF
		#!/bin/sh
		printf '%s\n' "\$*" >>"$T/sendmail.args"
		cat >/dev/null
		[ "\$(wc -l <"$T/sendmail.args")" -le $1 ]
	EOF
	chmod 755 "$T/bin/sendmail"
}
git config --global sendemail.smtpServer "$T/bin/sendmail"
fake_sendmail 9
afresh
send $'yes\n' main 1-walk-lock --out "$T/command"
good "over a sendmail command"
is "$(wc -l <"$T/sendmail.args")/$(tr ' ' '\n' <"$T/sendmail.args" | grep @ | sort -u | paste -sd' ')" "3/ann@example.org jane@example.org linux-mm@example.org rob@example.org" "to the same people"
rm -f "$T/sendmail.args"
cp "$W/MAINTAINERS-notes" "$T/notes"
sed -i 's/^Cc: .*/Cc: -oQ@example.org/' "$W/MAINTAINERS-notes"
afresh
send $'yes\n' main 1-walk-lock --out "$T/dash"
refused 1 "recipient: MAINTAINERS-notes: '-oQ@example.org' is no address" "a recipient that begins with a dash"
[ ! -e "$T/sendmail.args" ]
ok $? "nothing was sent"
cp "$T/notes" "$W/MAINTAINERS-notes"

# ---- when sending fails ---------------------------------------------------------------------------

fake_sendmail 1
afresh
send $'yes\n' main 1-walk-lock --out "$T/broken"
refused 2 "git send-email stopped after 1 of 3 mails: .*\(log: $T/broken/send.err\)" "sending that breaks off says how far it got"
send $'yes\n' main 1-walk-lock --out "$T/broken"
refused 1 "already-sent: $T/broken: stopped after 1 of 3 mails" "and is not begun again by itself"
git config --global sendemail.smtpServer 127.0.0.1
smtp_stop
afresh
send $'yes\n' main 1-walk-lock --out "$T/down"
refused 2 "git send-email stopped after 0 of 3 mails" "no server"
send $'no\n' main 1-walk-lock --out "$T/down"
refused 1 "not-confirmed" "nothing was sent, so it can be tried again"
done_testing
