#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2016,SC2119
#
# scripts/mail --send that breaks off: what is known of each mail, and how it goes on.

# shellcheck source=scripts/tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/tests/mail-lib.sh
. "$L_SELF/mail-lib.sh"
why=
[ -x "$(git --exec-path)/git-send-email" ] || why="no git send-email (Debian: git-email)"
perl -MMail::Address -e 1 2>/dev/null || why="no Mail::Address for git send-email (Debian: libmailtools-perl)"
if [ -n "$why" ]; then
	skip "scripts/mail --send --resume" "$why"
	done_testing
	exit 0
fi
mail_checkout
make_series "$W/patches"
printf 'mm: cover one\n\nText of it.\n' >"$W/patches/1-walk-lock/cover-letter.txt"
mail_kernel "$T/plain-main" 7 3 4
take_tree main
trap 'smtp_stop; l_end' EXIT
SMTP_PID=
O=
send() { # ARGS...: of main 1-walk-lock, with the answer yes
	printf 'yes\n' >"$T/answer"
	"$W/scripts/mail" main 1-walk-lock --send --out "$O" "$@" >"$L_TMP/out" 2>"$L_TMP/err" <"$T/answer"
	RC=$?
	OUT=$(cat "$L_TMP/out") ERR=$(cat "$L_TMP/err")
	ERRL=$(grep -E '^mail: ' <<<"$ERR")
}
server() { # MODE N
	[ -z "$SMTP_PID" ] || smtp_stop
	bad_smtp "$@" || { printf 'Bail out! no server: %s\n' "$(cat "$T/smtp.log")"; exit 1; }
}
fresh() { # NAME MODE N: a folder and a server of its own, and nothing known of earlier ones
	O=$T/$1
	rm -rf "$T/received" "$WALKLOCK_CACHE/mail"
	server "$2" "$3"
}
states() { jq -r '.each[].state' "$O/sent.json" | paste -sd,; }
received() { if [ -f "$T/received" ]; then grep -c '^From ' "$T/received"; else echo 0; fi; }
ids() { sed -n 's/^Message-I[dD]: //p' "$T/received" | paste -sd' '; }
composed() { jq -r '.mails[].message_id' "$O/mail.json" | paste -sd' '; }

# ---- a recipient that is refused -------------------------------------------------------

fresh refused refuse 1
send
refused 2 "stopped after 1 of 3 mails: RCPT TO:<jane@example.org> was answered with '550 5.1.1 no such user'; the same command with --resume" "a recipient is refused in the second mail: it is named, with the reason"
is "$(states)" "accepted,refused,not sent" "what became of each mail"
send
refused 1 "already-sent: $O: stopped after 1 of 3 mails on .*; --send --resume sends the rest" "the same again: refused, and said how it goes on"
send --resume
refused 2 "stopped after 1 of 3 mails \(1 of them before\): RCPT TO:<jane@example.org>" "going on while the server has not changed its mind"
server take 0
cp "$O"/0002-*.patch "$T/second"
sed -i 's/One step\|Two hunks/No step/' "$O"/0002-*.patch
send --resume
refused 2 "0002-[^ ]* is not what was composed" "a mail that was changed"
cp "$T/second" "$(echo "$O"/0002-*.patch)"
sed -i '/^Cc: /,/^[A-Z]/{/jane@/d}' "$O"/0002-*.patch
send --resume --json
is "$RC/$(states)" "0/accepted,accepted,accepted" "without the address in one of them: the rest is sent"
like "$ERR" "the rest, 2 of 3 mails as composed, from Sen Der <sender@example.org>" "which the question says"
is "$(ids)" "$(composed)" "each mail once, as composed: the same Message-IDs"
is "$(grep -c "^In-Reply-To: $(composed | cut -d' ' -f1)" "$T/received")" 2 "and the thread"
send --resume
refused 1 "already-sent: .*every mail was accepted" "nothing is left to send"

# ---- no answer ---------------------------------------------------------------------------

fresh dropped drop 0
send
refused 2 "stopped after 0 of 3 mails: .*whether 0000-cover-letter.patch was accepted is not known, no answer came" "the connection ends in place of an answer"
is "$(states)/$(received)" "unknown,not sent,not sent/1" "the mail may have gone out"
send
refused 1 "already-sent" "so it is not sent again by itself"
server take 0
send --resume
refused 1 "not-known: 0000-cover-letter.patch <[^>]*>: no answer came .*--unknown sent' or '--unknown send'" "going on needs a word about it"
is "$(received)" 1 "nothing was sent"
cp -R "$O" "$T/dropped.again"
send --resume --unknown sent
good "it was found on the list"
is "$(ids)/$(states)" "$(composed)/accepted,accepted,accepted" "each mail once"
O=$T/dropped.again
rm -f "$T/received"
send --resume --unknown send
good "or it was not"
is "$(ids)" "$(composed)" "it is sent with the same Message-ID"
fresh spam spam 0
send
refused 2 "stopped after 0 of 3 mails: the mail was answered with '554 5.7.1 looks like spam'" "the first mail is refused after its text"
[ ! -e "$O/sent.json" ]
ok $? "nothing was sent: it can be begun again"
server take 0
send
good "and so it is"
first=$(composed)
send --force "the list lost it"
good "--force sends it once more"
is "$(jq -r '.mails[]' "$O/sent.001.json" | paste -sd' ')" "$first" "what was sent first stays on record"
[ "$first" != "$(composed)" ]
ok $? "beside the new one"

# ---- signals -----------------------------------------------------------------------------------

interrupt() { # NAME SIGNAL WHOM RC
	fresh "$1" slow 1
	start bash -c 'exec "$@" <"$0"' "$T/answer" "$W/scripts/mail" main 1-walk-lock --send --out "$O"
	wait_reached
	ok $? "$1: the second mail waits for its answer"
	case $3 in all) kill "-$2" -- "-$PID" ;; shell) kill "-$2" "$PID" ;; esac
	finish
	ERRL=$(grep -E '^mail: ' <<<"$ERR")
	refused "$4" "^mail: stopped after 1 of 3 mails: interrupted; whether 0001-[^ ]* was accepted is not known, .*--resume" "$1: it is said what went out"
	is "$(states)" "accepted,unknown,not sent" "$1: what became of each mail"
	sleep 0.5
	is "$(received)/$(pgrep -fc "git-send-email.*$1/0001")" "2/0" "$1: nothing goes out after that"
}
interrupt sigint INT all 130
server take 0
send --resume --unknown sent
good "going on after a signal"
is "$(ids)" "$(composed)" "each mail once, in their order"
interrupt sigterm TERM shell 143
interrupt sighup HUP all 129

# ---- a sendmail command -----------------------------------------------------------------------

fresh command take 0
cat >"$T/bin/sendmail" <<-END
	#!/bin/sh
	cat >>"$T/received.command"
	[ "\$(grep -c '^Message-I[dD]: ' "$T/received.command")" != 2 ]
END
chmod 755 "$T/bin/sendmail"
git config --global sendemail.smtpServer "$T/bin/sendmail"
send
refused 2 "stopped after 1 of 3 mails: .*whether 0001-[^ ]* was accepted is not known" "a sendmail command that fails"
is "$(states)" "accepted,unknown,not sent" "what became of each mail"
send --resume --unknown send
good "the rest over the command"
is "$(sed -n 's/^Message-I[dD]: //p' "$T/received.command" | paste -sd' ')" "$(composed | awk '{print $1, $2, $2, $3}')" "the one that was asked for again"

# ---- credentials -----------------------------------------------------------------------------------

is "$(cat "$T"/*/send.err | grep -cE '^(>>> AUTH|<<< 334)|mm: cover one')" 0 "the log has neither logins nor mails"

# ---- words -----------------------------------------------------------------------------------------

mail main 1-walk-lock --resume
refused 2 "--resume goes with --send" "--resume alone"
mail main 1-walk-lock --send --unknown sent
refused 2 "--unknown goes with --resume" "--unknown alone"
mail main 1-walk-lock --send --resume --unknown maybe
refused 2 "it was 'sent', or 'send' it again" "--unknown with another word"
mail main 1-walk-lock --send --resume --force "x y"
refused 2 "--resume sends what was composed: no .*--force" "--resume with --force"
mail main 1-walk-lock --send --resume --out "$T/never"
refused 2 "nothing of $T/never was sent: --send without --resume" "nothing to go on with"
done_testing
