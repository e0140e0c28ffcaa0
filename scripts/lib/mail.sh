# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2153
#
# scripts/mail: is there fresh evidence for exactly these patches?

# wl_mail_expected FIRST LAST: the records that have to be there, one a line, as
# SCOPE, CHECK and KEY: of the patches FIRST to LAST of the series (from 0), and of
# the series.  A key is made of all that the record depends on, as it is now.
wl_mail_expected() {
	local i a patch scope commits touched
	printf 'series\texport\t%s\n' "$(wl_key_export)"
	printf 'series\tcoccinelle\t%s\n' "$(wl_key_coccinelle 2>/dev/null)"
	mapfile -t commits < <(git -C "$T_DIR" rev-list --reverse base..refs/heads/walklock/series)
	mapfile -t touched < <(wl_touched base refs/heads/walklock/series)
	for ((i = $1; i <= $2; i++)); do
		patch=${S_PATCHES[i]} scope=${S_PATCHES[i]#"$T_SERIES/"}
		printf '%s\theader\t%s\n' "$scope" "$(wl_key_header "$patch")"
		printf '%s\tcheckpatch\t%s\n' "$scope" "$(wl_key_checkpatch "$patch" "$scope" 2>/dev/null)"
	done
	wl_arch_list ''
	for a in "${WL_ARCHES[@]}"; do
		wl_arch "$a"
		wl_build_dir_key 2>/dev/null
		for ((i = $1; i <= $2; i++)); do
			scope=${S_PATCHES[i]#"$T_SERIES/"}
			wl_mail_built "$scope" "$(wl_key_build "$scope" "${commits[i]}" "${touched[@]}")"
		done
		wl_mail_built series "$(wl_key_build series refs/heads/walklock/series "${touched[@]}")"
	done
}
wl_mail_built() {
	printf '%s\tbuild %s\t%s\n%s\twarnings %s\t%s\n' "$1" "$A_NAME" "$2" "$1" "$A_NAME" "$(wl_key warnings "$2")"
}

# wl_mail_evidence FIRST LAST BOOT: what is wrong with the evidence, one a line, as
# CODE and text; nothing when it is fresh and good.  BOOT is "yes" when the topic
# asks for a boot.  "skipped" lines have the code "note": they are said and do no harm.
wl_mail_evidence() {
	local report=$WL_OUT/$T_NAME/report.json again="run 'scripts/check $T_NAME --each'" ids
	if [ ! -d "$T_DIR/.git" ] || [ ! -s "$report" ]; then
		printf 'evidence-missing\tnothing is known of these patches: %s\n' "$again"
		return
	fi
	if ! jq -e '.records and .series_key' "$report" >/dev/null 2>&1; then
		printf 'evidence-missing\t%s cannot be read: %s\n' "$report" "$again"
		return
	fi
	if [ "$(git -C "$T_DIR" config walklock.key)" != "$(wl_series_key)" ] ||
		[ "$(git -C "$T_DIR" config walklock.refs)" != "$(wl_series_refs | wl_hash)" ]; then
		printf 'evidence-stale\tthe branches of %s are not what the patch files give: %s\n' "$T_NAME" "$again"
		return
	fi
	ids=$(for p in "${S_PATCHES[@]}"; do git patch-id --stable <"$p" | cut -d' ' -f1; done | paste -sd' ')
	if [ "$(jq -r '"\(.series_key) \(.base.tree) \([.patches[].patch_id] | join(" "))"' "$report")" != \
		"$(wl_series_key) $(git -C "$T_DIR" rev-parse 'base^{tree}') $ids" ]; then
		printf 'evidence-stale\tthe evidence is about other patches or another base: %s\n' "$again"
		return
	fi
	# The compiler, sparse and spatch are inputs: those that the checks would use.
	wl_mail_sparse
	wl_mail_expected "$1" "$2" | jq -Rrn --slurpfile report "$report" --arg boot "$3" --arg again "$again" --arg tree "$T_NAME" '
		$report[0].records as $records
		| [inputs | split("\t") | {scope: .[0], check: .[1], key: .[2]}] as $need
		| ([$need[].scope] | unique) as $scopes
		| ($need[] | . as $n | [$records[] | select(.scope == $n.scope and .check == $n.check)] as $r
			| if ($r | length) == 0 then "evidence-missing\t\($n.scope): no record of \($n.check): \($again)"
			  elif $r[0].verdict == "failed" then empty
			  elif $r[0].verdict != "passed" then "evidence-skipped\t\($n.scope): \($n.check) was skipped: \($r[0].detail | split("\n")[0])"
			  elif $r[0].key != $n.key then "evidence-stale\t\($n.scope): \($n.check): something that it depends on changed since \($r[0].when): \($again)"
			  elif $r[0].log != "" then "log\t\($n.scope): \($n.check): \($again)\t\($r[0].log)"
			  else empty end),
		  ($records[] | select(.verdict == "failed") | select(.scope as $s | $scopes | index($s))
			| "evidence-failed\t\(.scope): \(.check) failed: \(.detail | split("\n")[0])"),
		  ($records[] | select(.verdict == "skipped") | select(.scope as $s | $scopes | index($s))
			| select(. as $r | $need | any(.scope == $r.scope and .check == $r.check) | not)
			| "note\t\(.scope): \(.check) was skipped: \(.detail | split("\n")[0])"),
		  (if $boot == "yes" and ([$records[] | select(.scope == "series" and (.check | startswith("boot ")) and .verdict == "passed")] | length) == 0
			then "evidence-missing\tthe topic asks for a boot, and none of these patches has passed: run '"'"'scripts/boot \($tree)'"'"'" else empty end),
		  ($records[] | select(.scope == "series" and (.check | startswith("boot ")) and .verdict == "passed")
			| "log\tseries: \(.check): run '"'"'scripts/boot \($tree)'"'"'\t\(.log)")' |
		while IFS=$'\t' read -r code text log; do
			# A record without its log is not taken by the checks either.
			if [ "$code" != log ]; then
				printf '%s\t%s\n' "$code" "$text"
			elif [ -n "$log" ] && [ ! -e "$log" ]; then
				printf 'evidence-stale\t%s (the log is gone)\n' "$text"
			fi
		done
}

# wl_mail_sparse: the choice of the checks, but nothing is installed for it.
wl_mail_sparse() {
	if [ -d "$WL_CACHE/toolbox/root" ]; then
		wl_sparse_choose 2>/dev/null || :
	else
		WL_SPARSE=sparse
	fi
}
