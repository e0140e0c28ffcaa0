#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/mail on a real tree.  WALKLOCK_TEST_TREE says which.

# shellcheck source=scripts/tests/real/lib.sh
. "$(dirname "$0")/lib.sh"

# The mail of MAINTAINERS-notes, in its form; its diff is not needed for a ruling.
commit=49b0638502da097c15d46cd4e871dbaa022caf7c id=2023082625-monotone-traps-6498@gregkh
cat >"$tmp/mbox" <<EOF
From mboxrd@z Thu Jan  1 00:00:00 1970
Subject: FAILED: patch "[PATCH] mm: enable page walking API to lock vmas during the walk" failed
 to apply to $T_LINE-stable tree
To: surenb@google.com
Cc: <stable@vger.kernel.org>
From: <gregkh@linuxfoundation.org>
Message-ID: <$id>

The patch below does not apply to the $T_LINE-stable tree.

git cherry-pick -x $commit
git send-email --to '<stable@vger.kernel.org>' --in-reply-to '$id' --subject-prefix 'PATCH $T_LINE.y' HEAD^..

EOF
scripts/mail --failed "$tmp/mbox" --json >"$tmp/item" 2>"$tmp/err"
ok $? "the FAILED mail for commit 49b0638502da is read"
if [ "$tree" = 6.1.y ]; then
	[ "$(jq -r '"\(.verdict) \(.mailing.blocked) \(.rulings | join(" "))"' "$tmp/item")" = \
		"not needed true <ZOphCbI4I9i4CtLS@casper.infradead.org> <2023082640-sensitize-catching-fc3e@gregkh>" ]
	ok $? "the verdict is not needed, with the rulings, and mailing is blocked"
	jq -e '.evidence | any(startswith("option CONFIG_PER_VMA_LOCK: no Kconfig file of 6.1."))' "$tmp/item" >/dev/null
	ok $? "the option is looked up in the tree"
else
	[ "$(jq -r '"\(.verdict) \(.mailing.blocked)"' "$tmp/item")" = "unknown false" ]
	ok $? "the ruling on 6.1.y says nothing of this tree"
fi

# What scripts/mail asks of the tree's own get_maintainer.pl.
patch=$(find "$T_SERIES/1-walk-lock" -name '0001-*.patch')
(cd "$T_DIR" && perl scripts/get_maintainer.pl --norolestats --nogit --nogit-fallback --nofixes --nom "$patch") >"$tmp/cc" 2>&1
ok $? "get_maintainer.pl knows the options"
grep -qx 'linux-kernel@vger.kernel.org' "$tmp/cc"
ok $? "and names the list"
printf '1..%d\n' "$n"
