# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC1090,SC1091,SC2016,SC2031,SC2034,SC2154
#
# Sourced by the tests of scripts/mail after lib.sh: four tiny kernel trees with a
# series each, a tiny upstream history, and evidence.

UP_NAME='Up Stream' UP_MAIL='up@example.org'
U=$T/upstream
printf '[user]\n\tname = Sen Der\n\temail = sender@example.org\n' >"$HOME/.gitconfig"
printf 'x86_64 x86_64 x86 - defconfig gcc yes\n' >"$T/arches"

# What get_maintainer.pl does with a patch file and MAINTAINERS, in short.
mail_get_maintainer() {
	cat <<-'EOF'
		#!/usr/bin/perl
		use strict;
		my ($m, $r, $l, $file) = (1, 1, 1);
		for (@ARGV) {
			if (/^--nom$/) { $m = 0 } elsif (/^--nor$/) { $r = 0 } elsif (/^--nol$/) { $l = 0 }
			elsif (!/^-/) { $file = $_ }
		}
		open(my $p, '<', $file) or die "$file: $!\n";
		my %paths = map { $_ => 1 } map { m{^\+\+\+ b/(\S+)} ? $1 : () } <$p>;
		open(my $q, '<', 'MAINTAINERS') or die "no MAINTAINERS\n";
		local $/ = "";
		my %seen;
		for my $entry (<$q>) {
			my @f = $entry =~ /^F:\s*(\S+)/mg;
			next unless grep { my $path = $_; grep { index($path, $_) == 0 } @f } keys %paths;
			for my $line (split /\n/, $entry) {
				print "$2\n" if $line =~ /^([MRL]):\s*(.*)/ && {M => $m, R => $r, L => $l}->{$1} && !$seen{$2}++;
			}
		}
	EOF
}

mail_kernel() { # DIR VERSION PATCHLEVEL SUBLEVEL
	make_kernel "$@"
	mkdir -p "$1/init"
	printf 'config MMU\n\tbool "paged memory"\n\nconfig OLD_WALK\n\tbool "old walks"\n' >"$1/init/Kconfig"
	mail_get_maintainer >"$1/scripts/get_maintainer.pl"
	cat >"$1/MAINTAINERS" <<-'EOF'
		MEMORY MANAGEMENT
		M:	Ann Maintainer <ann@example.org>
		R:	"Rob (Reviewer)" <rob@example.org>
		L:	linux-mm@example.org
		F:	mm/

		THE REST
		M:	Zoë Rest <rest@example.org>
		L:	linux-kernel@example.org
		F:	include/
		F:	mm/nolock.c
	EOF
}

as_upstream() { GIT_AUTHOR_NAME=$UP_NAME GIT_AUTHOR_EMAIL=$UP_MAIL GIT_COMMITTER_NAME=Penguin GIT_COMMITTER_EMAIL=penguin@example.org "$@"; }
UP_TEXT='A walk that takes two steps loses one of them, and what it should have found
is never looked at.

Make the second step longer.'

# make_upstream: mainline, with the fix $FIX after v6.12 and before v7.0.
make_upstream() {
	mail_kernel "$U" 6 1 0
	make_git "$U"
	g "$U" tag v6.1
	for v in 6.6 6.12; do
		edit "$U/Makefile" "s/^PATCHLEVEL = .*/PATCHLEVEL = ${v#*.}/"
		as_upstream g "$U" commit -q -a -m "Linux $v"
		g "$U" tag "v$v"
	done
	edit "$U/mm/pagewalk.c" 's/int err = 2;/int err = 20;/'
	as_upstream g "$U" commit -q -a -m "mm/pagewalk: make step 2 longer" -m "$UP_TEXT" \
		-m "Cc: stable@vger.kernel.org
Signed-off-by: $UP_NAME <$UP_MAIL>"
	FIX=$(g "$U" rev-parse HEAD)
	printf 'new\n' >"$U/new"
	g "$U" add new
	as_upstream g "$U" commit -q -m "Linux 7.0"
	g "$U" tag v7.0
}

# backport TREE [MESSAGE]: commits the fix on the branch "s" of $T/author-TREE.
mail_message() { printf '%s\n\ncommit %s upstream.\n\n%s\n\n%s\n' "mm/pagewalk: make step 2 longer" "$FIX" "$UP_TEXT" "Signed-off-by: $UP_NAME <$UP_MAIL>"; }

# make_branch TREE VERSION PATCHLEVEL SUBLEVEL: the tree, and a series of one
# backport in the topic 1-walk-lock.
make_branch() {
	local a="$T/author-$1" series
	series=$(awk -v n="$1" '$1 == n { print $3 }' "$W/configs/trees")
	mail_kernel "$a" "$2" "$3" "$4"
	mail_kernel "$T/plain-$1" "$2" "$3" "$4"
	make_git "$a"
	edit "$a/mm/pagewalk.c" 's/int err = 2;/int err = 20;/'
	mail_message | as_upstream g "$a" commit -q -a -F -
	take_series "$1"
}

# make_branches: the checkout, the upstream history, and all three branches; the
# tip of each series stands in author-TREE.tip.
make_branches() {
	local t
	mail_checkout
	make_upstream
	for t in '6.12.y 6 12 117' '6.6.y 6 6 87' '6.1.y 6 1 192'; do
		# shellcheck disable=SC2086
		make_branch $t
		g "$T/author-${t%% *}" rev-parse HEAD >"$T/author-${t%% *}.tip"
	done
}

mail() { run wl mail "$@"; }

# take_series TREE: patch files of what $T/author-TREE has after "main~N", the tree
# with its branches, and evidence.
take_series() {
	local a="$T/author-$1" series
	series=$W/$(awk -v n="$1" '$1 == n { print $3 }' "$W/configs/trees")
	rm -rf "$series"
	format "$a" "$(g "$a" rev-list --max-parents=0 HEAD)..HEAD" "$series/1-walk-lock"
	printf 'mm/pagewalk: longer steps for %s\n\nWhat a walk needs.\n\nTested: by reading.\n' "$1" >"$series/1-walk-lock/cover-letter.txt"
	take_tree "$1"
}
take_tree() {
	[ -d "$WALKLOCK_CACHE/trees/$1/.git" ] || wl tree "$1" --from "$T/plain-$1" >/dev/null 2>&1 || { printf 'Bail out! no tree %s\n' "$1"; exit 1; }
	wl apply "$1" --force >/dev/null 2>"$L_TMP/apply" || { printf 'Bail out! no series for %s: %s\n' "$1" "$(cat "$L_TMP/apply")"; exit 1; }
	evidence "$1"
}

# evidence TREE: a report in which everything that is needed has passed, with the keys
# that scripts/check makes (that these are the same is tested with scripts/check itself).
evidence() {
	rm -rf "$T/out/$1"
	mkdir -p "$T/out/$1"
	(
		cd "$W" || exit 1
		. scripts/lib/common.sh
		for f in series evidence build mail; do . "scripts/lib/$f.sh"; done
		set +e
		wl_tree "$1"
		wl_series ''
		WL_SPARSE=sparse
		wl_report_begin
		: >"$T/log"
		mapfile -t wl_records < <(wl_mail_expected 0 $((${#S_PATCHES[@]} - 1)) | jq -Rc --arg l "$T/log" 'split("\t")
			| {scope: .[0], check: .[1], key: .[2], verdict: "passed", detail: "", log: $l, seconds: 0, command: "", when: "2026-01-05", reused: false}')
		wl_report_write
	) >"$L_TMP/evidence" 2>&1
	jq -e '.records | length > 0' "$T/out/$1/report.json" >/dev/null || { printf 'Bail out! no evidence: %s\n' "$(cat "$L_TMP/evidence")"; exit 1; }
}

# amend TREE SED-SCRIPT: the backport as it was at first, with another message;
# amend_more: the one that is there.
amend() {
	g "$T/author-$1" reset -q --hard "$(cat "$T/author-$1.tip")"
	amend_more "$@"
}
amend_more() {
	g "$T/author-$1" log -1 --format=%B | sed -e "$2" | g "$T/author-$1" commit -q --amend -F -
	take_series "$1"
}
reset_branch() {
	g "$T/author-$1" reset -q --hard "$(cat "$T/author-$1.tip")"
	take_series "$1"
}

mail_checkout() {
	make_checkout
	cp "$T/arches" "$W/configs/arches"
	printf '# none\n' | tee "$W/configs/checkpatch-waivers" "$W/configs/mail-waivers" >/dev/null
	printf 'sparse 0.6.5 -\n' >"$W/configs/toolbox"
	# scripts/annotate and the rules are inputs of the evidence.
	mkdir -p "$W/coccinelle/walklock"
	printf '// a rule\n' | tee "$W/coccinelle/a.cocci" "$W/coccinelle/walklock/a.py" >/dev/null
	cat >"$W/configs/trees" <<-EOF
		main   7.3  patches          -  file:///nowhere  main
		6.12.y 6.12 backports/6.12.y -  file:///nowhere  main
		6.6.y  6.6  backports/6.6.y  -  file:///nowhere  main
		6.1.y  6.1  backports/6.1.y  -  file:///nowhere  main
	EOF
	cat >"$W/MAINTAINERS-notes" <<-'EOF'
		Words for people.

		Tree: *
		Topic: 1-walk-lock
		Mail: yes
		Why: a test
		Cc: LINUX-MM@example.org, "Doe, Jane" <jane@example.org>

		Tree: main
		Topic: 2-nolock
		Mail: after
		Why: needs the first
		Evidence: boot
		Waits-for: main 1-walk-lock
	EOF
}

# normal: what differs from run to run.
normal() {
	sed -E -e 's/^(Message-Id|In-Reply-To|References): <([0-9a-f]{40}|cover)\.[0-9]+\.git\./\1: <ID.TIME.git./' \
		-e 's/^(Date: ).*(20[0-9][0-9]).*/\1DATE/' -e 's/^From [0-9a-f]{40} /From ID /' \
		-e "s/$FIX/FIX/g" -e 's/^(base-commit: ).*/\1ID/' -e 's/^(prerequisite-patch-id: ).*/\1ID/'
}
# golden DIR NAME: the mails of a folder are those of golden/NAME.
golden() {
	local f
	for f in "$1"/*.patch; do
		printf '==== %s\n' "${f##*/}"
		cat "$f"
	done | normal >"$L_TMP/golden"
	[ -z "${TEST_WRITE_GOLDEN:-}" ] || cp "$L_TMP/golden" "$L_SELF/golden/$2"
	same_file "$L_TMP/golden" "$L_SELF/golden/$2" "golden: $2"
}
codes() { sed -nE 's/^mail: (refused|unknown|warning|waived|forced): ((main|[0-9.]+y): )?([a-z-]+): .*/\1:\4/p' <<<"$ERR" | sort -u | paste -sd' '; }
mail_to() { sed '/^$/q' "$1" | sed -n "/^$2: /,/^[A-Z][A-Za-z-]*: /{/^$2: /{s/^$2: //;p;d};/^[ \t]/p}" | tr -d '\n' | sed 's/,    */,/g'; }

# ---- a mail server of one's own --------------------------------------------------------

# A python that has aiosmtpd: Debian's, when another one comes first in the PATH.
python_with() {
	local p
	for p in python3 /usr/bin/python3; do
		! "$p" -c "import $1" 2>/dev/null || { printf '%s\n' "$p"; return 0; }
	done
	return 1
}

# smtp_start: a server on a free port of loopback that keeps what it gets in the mbox
# $T/received, and the recipients of each envelope in $T/envelopes; sets PORT.
smtp_start() {
	rm -f "$T/received" "$T/envelopes" "$T/port"
	"$1" - "$T/received" "$T/envelopes" "$T/port" >"$T/smtp.log" 2>&1 <<-'EOF' &
		import asyncio, email, mailbox, os, sys
		from aiosmtpd.smtp import SMTP

		class Keep:
		    async def handle_DATA(self, server, session, envelope):
		        with open(sys.argv[2], "a") as f:
		            f.write(envelope.mail_from + " " + " ".join(sorted(envelope.rcpt_tos)) + "\n")
		        box = mailbox.mbox(sys.argv[1])
		        box.add(envelope.content.replace(b"\r\n", b"\n"))
		        box.close()
		        return "250 OK"

		async def main():
		    loop = asyncio.get_running_loop()
		    server = await loop.create_server(lambda: SMTP(Keep(), hostname="localhost"), "127.0.0.1", 0)
		    with open(sys.argv[3] + ".new", "w") as f:
		        f.write(str(server.sockets[0].getsockname()[1]))
		    os.rename(sys.argv[3] + ".new", sys.argv[3])
		    await server.serve_forever()

		asyncio.run(main())
	EOF
	SMTP_PID=$!
	local i
	for ((i = 0; i < 200; i++)); do
		[ ! -s "$T/port" ] || break
		kill -0 "$SMTP_PID" 2>/dev/null || return 1
		sleep 0.05
	done
	PORT=$(cat "$T/port") || return 1
	cat >>"$HOME/.gitconfig" <<-EOF2
		[sendemail]
			smtpServer = 127.0.0.1
			smtpServerPort = $PORT
		[b4]
			attestation-policy = off
	EOF2
}
smtp_stop() { kill "$SMTP_PID" 2>/dev/null; wait "$SMTP_PID" 2>/dev/null; }

# bad_smtp MODE N: a server that takes N mails, and then, as MODE says,
#   refuse  refuses jane@example.org
#   drop    keeps the next one, and hangs up in place of an answer
#   slow    waits in place of an answer; "reached" is the folder that tells
#   spam    refuses the next one after its text
#   take    takes all
# Mails go to the mbox $T/received.  Sets SMTP_PID, and git's configuration.
bad_smtp() {
	rm -rf "$T/port" "$T/reached"
	python3 - "$1" "$2" "$T/received" "$T/port" "$T/reached" >"$T/smtp.log" 2>&1 <<-'EOF' &
		import os, socket, sys, threading, time
		mode, first, box, port, reached = sys.argv[1], int(sys.argv[2]), *sys.argv[3:]
		server = socket.socket()
		server.bind(("127.0.0.1", 0))
		server.listen(8)
		with open(port + ".new", "w") as f:
		    f.write(str(server.getsockname()[1]))
		os.rename(port + ".new", port)
		taken = 0

		def serve(peer):
		    global taken
		    f = peer.makefile("rwb")

		    def say(text):
		        f.write(text.encode() + b"\r\n")
		        f.flush()

		    say("220 local")
		    while True:
		        line = f.readline().decode("utf-8", "replace").strip().upper()
		        late = taken >= first
		        if not line:
		            return
		        if line == "QUIT":
		            return say("221 bye")
		        if mode == "refuse" and late and line.startswith("RCPT TO:<JANE@"):
		            say("550 5.1.1 no such user")
		        elif line == "DATA":
		            say("354 go on")
		            text = b""
		            while not text.endswith(b"\r\n.\r\n"):
		                text += f.readline()
		            if mode == "spam" and late:
		                say("554 5.7.1 looks like spam")
		                continue
		            taken += 1
		            with open(box, "ab") as out:
		                out.write(b"From x Thu Jan  1 00:00:00 1970\n" + text[:-3].replace(b"\r\n", b"\n") + b"\n")
		            if mode == "drop" and late:
		                return peer.shutdown(2)
		            if mode == "slow" and late:
		                os.mkdir(reached)
		                time.sleep(60)
		            say("250 queued")
		        else:
		            say("250 ok")

		while True:
		    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
	EOF
	SMTP_PID=$!
	local i
	for ((i = 0; i < 200; i++)); do
		[ ! -s "$T/port" ] || break
		sleep 0.05
	done
	git config --global sendemail.smtpServer 127.0.0.1
	git config --global sendemail.smtpServerPort "$(cat "$T/port")"
}

# ---- FAILED mails ------------------------------------------------------------------------

# failed_mail REPO COMMIT LINE [MESSAGE-ID]: a FAILED mail as the stable maintainers'
# script writes it, headers folded, on stdout, with an mbox line.
failed_mail() {
	local repo=$1 commit=$2 line=$3 id=${4:-2026010512-gadget-squid-1a2b@penguin} subject
	subject=$(g "$repo" log -1 --format=%s "$commit")
	cat <<-EOF
		From mboxrd@z Thu Jan  1 00:00:00 1970
		Return-Path: <stable-owner@example.org>
		Subject: FAILED: patch "[PATCH] $subject" failed to
		 apply to $line-stable tree
		To: up@example.org,ann@example.org,
		 =?UTF-8?q?Zo=C3=AB_Rest?= <rest@example.org>
		Cc: <stable@vger.kernel.org>
		From: <greg@penguin.example.org>
		Date: Mon, 05 Jan 2026 12:00:00 +0100
		Message-ID: <$id>
		MIME-Version: 1.0
		Content-Type: text/plain; charset=ANSI_X3.4-1968
		Content-Transfer-Encoding: 8bit


		The patch below does not apply to the $line-stable tree.
		If someone wants it applied there, or to any other stable or longterm
		tree, then please email the backport, including the original git commit
		id to <stable@vger.kernel.org>.

		To reproduce the conflict and resubmit, you may use the following commands:

		git fetch https://example.org/stable/linux.git/ linux-$line.y
		git checkout FETCH_HEAD
		git cherry-pick -x $commit
		# <resolve conflicts, build, test, etc.>
		git commit -s
		git send-email --to '<stable@vger.kernel.org>' --in-reply-to '$id' --subject-prefix 'PATCH $line.y' HEAD^..

		Possible dependencies:

		${commit:0:12} ("$subject")
		123456789abc ("mm: something before it (and more)")
		abcdef012345 ("Revert "mm: another thing"")

		thanks,

		greg k-h

		------------------ original commit in Linus's tree ------------------

	EOF
	g "$repo" format-patch -1 --stdout --no-signature --no-stat "$commit" | sed -e '/^---$/d'
	printf '\n'
}
