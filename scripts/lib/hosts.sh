# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2153,SC2154
#
# The cells of scripts/build on other machines: GNU parallel runs them over ssh,
# or any other engine the commands of --print-jobs.

# wl_print_jobs: the command of each cell that the tree can have.
wl_print_jobs() {
	local a v command=()
	for v in WALKLOCK_CACHE WALKLOCK_OUT WALKLOCK_JOBS; do
		[ -z "${!v:-}" ] || command+=("$v=${!v}")
	done
	# Those that share a cache build one after the other.
	command+=(WALKLOCK_WAIT="${WALKLOCK_WAIT:-86400}" "$WL_SCRIPTS/build" "$T_NAME")
	[ -z "${WL_SCOPE:-}" ] || command+=(--scope "$WL_SCOPE")
	[ -z "${WL_NO_REUSE:-}" ] || command+=(--no-reuse)
	for a in "${WL_ARCHES[@]}"; do
		wl_arch "$a"
		if wl_cell_lacks; then
			wl_say "$T_NAME: no command for $a: $C_WHY"
		else
			printf 'env'
			printf ' %q' "${command[@]}" --arch "$a"
			printf '\n'
		fi
	done
}

# wl_hosts_read FILE: the hosts into WL_HOSTS, as commands that log in (":" for this
# machine).  What goes silent is given up after a minute.
wl_hosts_read() {
	local line options='-o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=15 -o ServerAliveCountMax=4'
	[ -r "$1" ] || wl_die "$WL_USAGE" "--hosts $1: cannot be read"
	WL_HOSTS=()
	while read -r line || [ -n "$line" ]; do
		[[ $line =~ ^@[^/]*/(.*) ]] && line=${BASH_REMATCH[1]}
		[[ $line =~ ^[0-9]*/(.*) ]] && line=${BASH_REMATCH[1]}
		case $line in
		'' | '#'*) ;;
		:) WL_HOSTS+=(:) ;;
		-* | *[\'\"\\\$\`\;\&\|\<\>\(\)]*) wl_die "$WL_USAGE" "--hosts $1: not understood: $line" ;;
		'ssh '* | */'ssh '*) WL_HOSTS+=("${line%%ssh *}ssh $options ${line#*ssh }") ;;
		*' '*) WL_HOSTS+=("$line") ;;
		*) WL_HOSTS+=("ssh $options $line") ;;
		esac
	done <"$1"
	[ ${#WL_HOSTS[@]} -gt 0 ] || wl_die "$WL_USAGE" "--hosts $1: names no host"
}

# What every host calls its cache, whatever its login shell is.
# shellcheck disable=SC2016 # expanded there
wl_hosts_dir='${WALKLOCK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/walklock}/remote'

# wl_hosts_send FILE KEY: unpacks this project on the hosts; those where that fails
# are left out.
wl_hosts_send() {
	local host command script said reached=()
	script="d=\"$wl_hosts_dir\"; k=$2; mkdir -p \"\$d\" && if [ -d \"\$d/\$k\" ]; then cat >/dev/null; else"
	script+=" find \"\$d\" -mindepth 1 -maxdepth 1 -mtime +7 -exec rm -rf {} +;"
	script+=" mkdir \"\$d/\$k.\$\$\" && tar -xf - -C \"\$d/\$k.\$\$\" && mv \"\$d/\$k.\$\$\" \"\$d/\$k\"; fi"
	for host in "${WL_HOSTS[@]}"; do
		read -r -a command <<<"$host"
		if [ "$host" = : ]; then
			command=(sh -c "$script")
		else
			command+=("sh -c '$script'")
		fi
		if said=$("${command[@]}" <"$1" 2>&1); then
			reached+=("$host")
		else
			wl_warn "host ${host##* } is left out: $(tail -n 1 <<<"$said")"
		fi
	done
	WL_HOSTS=(${reached[@]+"${reached[@]}"})
	[ ${#WL_HOSTS[@]} -gt 0 ] || wl_die "$WL_USAGE" "no host can be reached"
}

# wl_hosts_fresh SCOPE COMMIT FILE...: the loaded cell has records that count here.
wl_hosts_fresh() {
	local key
	command -v "$A_CC" >/dev/null || return 1
	wl_build_dir_key
	key=$(wl_key_build "$@")
	B_LOG=$(wl_log "$key" "build-$A_NAME")
	[ -e "$B_LOG.built" ] && wl_fresh "$1" "$key" || return 1
	if wl_fresh "$1" "$(wl_key warnings "$key")"; then return 0; fi
	unset 'wl_records[-1]'
	return 1
}

# wl_hosts_run: what wl_build_tip does, with each cell on one of the hosts.
wl_hosts_run() {
	local a b tip touched todo=() tmp key before n=0 pid kind rest options=()
	local -A done=() why=()
	tip=$(git -C "$T_DIR" rev-parse refs/heads/walklock/series)
	mapfile -t touched < <(wl_touched base "$tip")
	wl_need parallel python3 tar
	[ "${WL_HOSTS[*]}" = : ] || wl_need ssh
	B_COMPILED=
	for a in "${WL_ARCHES[@]}"; do
		wl_arch "$a"
		if wl_cell_lacks; then
			wl_cell_skip "$C_WHY"
		elif wl_hosts_fresh series "$tip" "${touched[@]}"; then
			B_COMPILED+=$(cat "$B_LOG.built")$'\n'
		else
			todo+=("$a")
		fi
	done
	if [ ${#todo[@]} -gt 0 ]; then
		wl_tmpdir tmp
		tar -C "$WL_TOP" --exclude=./scripts/tests --exclude=./coccinelle/fixtures --exclude=__pycache__ \
			--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
			-cf "$tmp/project.tar" ./configs ./scripts ./coccinelle "./${T_SERIES#"$WL_TOP/"}"
		key=$(wl_hash <"$tmp/project.tar")
		wl_hosts_send "$tmp/project.tar" "$key"
		printf '1/%s\n' "${WL_HOSTS[@]}" >"$tmp/hosts"
		wl_say "$T_NAME: ${#todo[@]} cells on ${#WL_HOSTS[@]} hosts"
		[ -z "${WL_SCOPE:-}" ] || options+=(--scope "$WL_SCOPE")
		[ -z "${WL_NO_REUSE:-}" ] || options+=(--no-reuse)
		mkfifo "$tmp/out"
		PARALLEL_HOME=$tmp/parallel parallel --plain --will-cite --jobs 1 --sshloginfile "$tmp/hosts" \
			--retries $((${#WL_HOSTS[@]} + 1)) --joblog "$tmp/joblog" \
			"sh -c 'exec bash \"$wl_hosts_dir/$key/scripts/lib/cell\" \"\$@\"' cell $T_NAME {} $(git -C "$T_DIR" rev-parse 'base^{tree}') ${options[*]}" \
			::: "${todo[@]}" >"$tmp/out" 2>"$tmp/err" </dev/null &
		pid=$!
		wl_at_exit wl_stop "$pid"
		before=${#wl_records[@]}
		while read -r kind a rest; do
			case $kind in
			why) why[$a]=$rest ;;
			record) wl_records+=("$rest") ;;
			end)
				n=$((n + 1)) done[$a]=yes
				B_COMPILED+=$(cat "$(jq -r .log <<<"${wl_records[before]}").built")$'\n'
				wl_say "$T_NAME: cell $n of ${#todo[@]}, on $rest: $(wl_cell_line "$before")"
				before=${#wl_records[@]}
				;;
			esac
		done < <(exec python3 -IS "$WL_SCRIPTS/lib/cells.py" "$WL_CACHE/evidence/$T_NAME" "${todo[@]}" <"$tmp/out")
		wait "$pid" || :
		for a in "${todo[@]}"; do
			[ -z "${done[$a]:-}" ] || continue
			wl_arch "$a"
			b=${why[$a]:-$(grep -v '^$' "$tmp/err" | tail -n 1)}
			wl_cell_skip "no host ran it: ${b:-it was lost}"
		done
	fi
	wl_coverage "${touched[@]}"
}
