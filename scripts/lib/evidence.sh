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
	wl_tools
	local lines
	mapfile -t lines < <(jq -nc --arg scope "$1" --arg check "$2" --arg key "$3" --arg verdict "$4" --arg detail "$5" \
		--arg log "$6" --argjson seconds "$7" --arg command "$8" \
		--arg when "$(date -u +%Y-%m-%dT%H:%M:%SZ)" --argjson tools "$WL_TOOLS" \
		'{scope: $scope, check: $check, key: $key, verdict: $verdict, detail: $detail, log: $log,
		  seconds: $seconds, command: $command, when: $when, tools: $tools} | ., . + {reused: false}')
	[ ${#lines[@]} -eq 2 ] || wl_die "$WL_USAGE" "no record could be made of $2 ($1)"
	printf '%s\n' "${lines[0]}" >"$file.$$"
	mv "$file.$$" "$file"
	wl_records+=("${lines[1]}")
}

# wl_fresh SCOPE KEY: a record with this key is there, and its log is: take it.
# A check that was skipped is tried again.
wl_fresh() {
	local file=$WL_CACHE/evidence/$T_NAME/$2.json lines
	[ -s "$file" ] && [ -z "${WL_NO_REUSE:-}" ] || return 1
	mapfile -t lines < <(jq -r --arg scope "$1" '.verdict, .log, (. + {scope: $scope, reused: true} | tojson)' "$file" 2>/dev/null)
	[ ${#lines[@]} -eq 3 ] || return 1
	case ${lines[0]} in passed | failed) ;; *) return 1 ;; esac
	[ -z "${lines[1]}" ] || [ -e "${lines[1]}" ] || return 1
	wl_records+=("${lines[2]}")
}

# What the checks depend on: the keys of their records.  scripts/mail asks for the
# same ones, to see whether a record still counts.
wl_key_export() { wl_key files "$(wl_series_key)" "$(wl_series_refs)" "$(wl_series_made_on)"; }
wl_key_header() { wl_key header upstream "$(cat "$1")"; }
wl_checkpatch_waived() { # SCOPE
	awk -v tree="$T_NAME" -v p="$1" '!/^#/ && NF && ($1 == tree || $1 == "*") && ($2 == p || $2 == "*") { print $3 }' "$WL_CONFIGS/checkpatch-waivers"
}
wl_key_checkpatch() { # PATCH SCOPE
	# "ended": records from before its exit code was looked at do not count.
	wl_key checkpatch ended "$(cat "$1")" "$(sha256sum "$T_DIR/scripts/checkpatch.pl")" "$(wl_checkpatch_waived "$2")"
}
wl_key_coccinelle() {
	# "rules": in older records the rules that annotate does not run took no part.
	wl_key coccinelle rules "$(git -C "$T_DIR" rev-parse 'base^{tree}' 'refs/heads/walklock/series^{tree}')" \
		"$(cat "$WL_TOP"/coccinelle/*.cocci "$WL_TOP"/coccinelle/walklock/*.py "$WL_SCRIPTS/annotate")" "$(spatch --version | head -n 1)"
}

wl_last() { jq -r ".$1" <<<"${wl_records[-1]}"; }

# wl_log KEY NAME: where a check's log goes.
wl_log() {
	mkdir -p "$WL_CACHE/evidence/$T_NAME/logs"
	printf '%s\n' "$WL_CACHE/evidence/$T_NAME/logs/$1.$2.log"
}

# wl_tools: sets WL_TOOLS, once: the versions that every record names.
wl_tools() {
	if [ -z "${WL_TOOLS:-}" ]; then
		WL_TOOLS=$(jq -nc --arg git "$(git version | cut -d' ' -f3)" \
			--arg spatch "$(spatch --version 2>/dev/null | sed -n '1s/^spatch version \([^ ]*\).*/\1/p')" \
			--arg sparse "$(wl_sparse_version)" \
			--arg walklock "$(git -C "$WL_TOP" describe --always --dirty 2>/dev/null || printf unknown)" \
			'{git: $git, spatch: $spatch, sparse: $sparse, walklock: $walklock}')
	fi
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
	local file=$WL_OUT/$T_NAME/report.json patches fd
	[ ${#wl_records[@]} -gt 0 ] || return 0
	wl_tools
	patches=$(for p in "${S_PATCHES[@]}"; do
		printf '%s\n' "${p#"$WL_TOP/"}" "$(sed -n '/^Subject: /{s/^Subject: \(\[[^]]*\] \)\?//;N;s/\n \(.*\)/ \1/;s/\n.*//;p;q}' "$p")" \
			"$(git patch-id --stable <"$p" | cut -d' ' -f1)"
	done | jq -Rsc 'split("\n") | [range(0; length - 1; 3) as $i | {file: .[$i], subject: .[$i + 1], patch_id: .[$i + 2]}]')
	# Cells that end at once do not lose each other's records.
	mkdir -p "$WL_CACHE/locks"
	exec {fd}>>"$WL_CACHE/locks/report-$T_NAME"
	flock "$fd"
	printf '%s\n' "${wl_records[@]}" | jq -s \
		--slurpfile old <(jq -c . "$file" 2>/dev/null || printf '{}') \
		--arg tree "$T_NAME" --arg key "$R_KEY" --argjson patches "$patches" \
		--arg version "$(git -C "$T_DIR" config walklock.version)" \
		--arg origin "$(git -C "$T_DIR" config walklock.origin)" \
		--arg base "$(git -C "$T_DIR" rev-parse base)" \
		--arg basetree "$(git -C "$T_DIR" rev-parse 'base^{tree}')" --argjson tools "$WL_TOOLS" '
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
	exec {fd}>&-
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
