# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2153
#
# Evidence: one record for each check, kept in the cache under a key that is made
# of all of the check's inputs, and gathered in out/TREE/report.json.

WL_EVIDENCE_FORMAT=1
wl_records=()

wl_key() { printf '%s\n' "$WL_EVIDENCE_FORMAT" "$@" | wl_hash; }

# wl_record SCOPE CHECK KEY VERDICT DETAIL LOG SECONDS COMMAND
# VERDICT is passed, failed or skipped.  SCOPE is a patch's file name, or "series".
wl_record() {
	local file=$WL_CACHE/evidence/$T_NAME/$3.json
	mkdir -p "${file%/*}"
	jq -n --arg scope "$1" --arg check "$2" --arg key "$3" --arg verdict "$4" --arg detail "$5" \
		--arg log "$6" --argjson seconds "$7" --arg command "$8" \
		--arg when "$(date -u +%Y-%m-%dT%H:%M:%SZ)" --argjson tools "$(wl_tools)" \
		'{scope: $scope, check: $check, key: $key, verdict: $verdict, detail: $detail, log: $log,
		  seconds: $seconds, command: $command, when: $when, tools: $tools}' >"$file.$$"
	mv "$file.$$" "$file"
	wl_records+=("$(jq -c '. + {reused: false}' "$file")")
}

# wl_fresh SCOPE KEY: a record with this key is there, and its log is: take it.
# A check that was skipped is tried again.
wl_fresh() {
	local file=$WL_CACHE/evidence/$T_NAME/$2.json log
	[ -s "$file" ] && [ -z "${WL_NO_REUSE:-}" ] || return 1
	[ "$(jq -r .verdict "$file")" != skipped ] || return 1
	log=$(jq -r .log "$file")
	[ -z "$log" ] || [ -e "$log" ] || return 1
	wl_records+=("$(jq -c --arg scope "$1" '. + {scope: $scope, reused: true}' "$file")")
}

wl_last() { jq -r ".$1" <<<"${wl_records[-1]}"; }

# wl_log KEY NAME: where a check's log goes.
wl_log() {
	mkdir -p "$WL_CACHE/evidence/$T_NAME/logs"
	printf '%s\n' "$WL_CACHE/evidence/$T_NAME/logs/$1.$2.log"
}

wl_tools() {
	if [ -z "${WL_TOOLS:-}" ]; then
		WL_TOOLS=$(jq -n --arg git "$(git version | cut -d' ' -f3)" \
			--arg spatch "$(spatch --version 2>/dev/null | sed -n '1s/^spatch version \([^ ]*\).*/\1/p')" \
			--arg sparse "$(wl_sparse_version)" \
			--arg walklock "$(git -C "$WL_TOP" describe --always --dirty 2>/dev/null || printf unknown)" \
			'{git: $git, spatch: $spatch, sparse: $sparse, walklock: $walklock}')
	fi
	printf '%s\n' "$WL_TOOLS"
}

# wl_sparse_choose: sets WL_SPARSE for the loaded tree: the host's, or where
# configs/toolbox says that the tree needs a newer one, the toolbox's.
wl_sparse_choose() {
	local need trees root
	[ -z "${WL_SPARSE:-}" ] || return 0
	export WL_SPARSE=sparse
	read -r _ need trees <<<"$(wl_row "$WL_CONFIGS/toolbox" sparse)"
	case " $trees " in *" $T_NAME "*) ;; *) return 0 ;; esac
	if command -v sparse >/dev/null && [ "$(printf '%s\n' "$need" "$(wl_sparse_version | sed 's/~.*//')" | sort -V | head -n 1)" = "$need" ]; then
		return 0
	fi
	if ! root=$("$WL_SCRIPTS/toolbox" --path); then
		WL_SPARSE=
		return 1
	fi
	# The tool alone needs no chroot: its own loader finds its libraries.
	local lib
	lib=$(dirname "$(find "$root/usr/lib" -maxdepth 2 -name 'ld-linux*.so*' -o -maxdepth 2 -name 'ld64.so*' | head -n 1)")
	WL_SPARSE="$(find "$lib" -maxdepth 1 -name 'ld*.so.*' | head -n 1) --library-path $lib $root/usr/bin/sparse"
	WL_SPARSE_VERSION=
}
wl_sparse_version() {
	# shellcheck disable=SC2086
	${WL_SPARSE:-sparse} --version 2>/dev/null | sed -n 's/.*Debian: \([^)]*\)).*/\1/p; t; p' | head -n 1
}

# wl_report_begin: the series that the report speaks of; older records of other
# patches are dropped from it.
wl_report_begin() {
	R_KEY=$(wl_series_key)
	mkdir -p "$WL_OUT/$T_NAME" 2>/dev/null && [ -w "$WL_OUT/$T_NAME" ] ||
		wl_die "$WL_USAGE" "cannot write the report to $WL_OUT/$T_NAME: set WALKLOCK_OUT to a folder that can be written"
}

# wl_report_write: merges the records of this run into out/TREE/report.json.
wl_report_write() {
	local file=$WL_OUT/$T_NAME/report.json patches
	[ ${#wl_records[@]} -gt 0 ] || return 0
	patches=$(for p in "${S_PATCHES[@]}"; do
		jq -n --arg file "${p#"$WL_TOP/"}" --arg subject "$(sed -n '/^Subject: /{s/^Subject: \(\[[^]]*\] \)\?//;N;s/\n \(.*\)/ \1/;s/\n.*//;p;q}' "$p")" \
			--arg id "$(git patch-id --stable <"$p" | cut -d' ' -f1)" '{file: $file, subject: $subject, patch_id: $id}'
	done | jq -s .)
	printf '%s\n' "${wl_records[@]}" | jq -s \
		--slurpfile old <(if [ -s "$file" ]; then cat "$file"; else printf '{}'; fi) \
		--arg tree "$T_NAME" --arg key "$R_KEY" --argjson patches "$patches" \
		--arg version "$(git -C "$T_DIR" config walklock.version)" \
		--arg origin "$(git -C "$T_DIR" config walklock.origin)" \
		--arg base "$(git -C "$T_DIR" rev-parse base)" \
		--arg basetree "$(git -C "$T_DIR" rev-parse 'base^{tree}')" --argjson tools "$(wl_tools)" '
		. as $new
		| ($old[0] | if .series_key == $key then .records else [] end) as $kept
		| {tree: $tree, series_key: $key,
		   base: {version: $version, origin: $origin, commit: $base, tree: $basetree},
		   tools: $tools, patches: $patches,
		   records: ([$kept[] | . as $k | select(($new | map(.scope == $k.scope and .check == $k.check) | any) | not)] + $new
			| sort_by([.scope, .check]))}
		| .summary = {passed: ([.records[] | select(.verdict == "passed")] | length),
			      failed: ([.records[] | select(.verdict == "failed")] | length),
			      skipped: ([.records[] | select(.verdict == "skipped")] | length)}' >"$file.$$"
	mv "$file.$$" "$file"
}

# wl_table [JQ-FILTER]: the records as a table; returns 1 when one failed.
wl_table() {
	printf '%s\n' "${wl_records[@]}" | jq -rs '
		(["tree", "scope", "check", "verdict", "seconds", "detail"],
		 (.[] | [env.T_NAME_OUT, .scope, .check, .verdict + (if .reused then " (fresh evidence)" else "" end),
			(.seconds | tostring), (.detail | split("\n")[0] | .[0:150])])) | @tsv' |
		column -t -s "$(printf '\t')"
	! printf '%s\n' "${wl_records[@]}" | jq -e -s 'any(.[]; .verdict == "failed")' >/dev/null
}
