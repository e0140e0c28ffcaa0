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
all="6.12.y,6.6.y,6.1.y"
mail() { run wl mail "$@"; }
both() { mail "$all" 1-walk-lock --upstream "$U" "$@"; }

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
