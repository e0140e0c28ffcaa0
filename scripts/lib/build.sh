# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2153
#
# Builds the touched code of one tree for one architecture, and takes the
# warnings of a state (base, or a commit of the series) apart.

# wl_work_ready: a full check-out of the tree, moved between commits to build them.
wl_work_ready() {
	W_DIR=$WL_CACHE/work/$T_NAME/source
	[ ! -f "$W_DIR/.git/walklock-ready" ] || return 0
	wl_space "$WL_CACHE" 3 "the build tree of $T_NAME"
	wl_say "$T_NAME: checking out a tree to build in"
	rm -rf "$WL_CACHE/work/$T_NAME"
	mkdir -p "$WL_CACHE/work/$T_NAME"
	git init -q "$W_DIR"
	printf '%s\n' "$(cd "$T_DIR" && pwd -P)/.git/objects" >"$W_DIR/.git/objects/info/alternates"
	git -C "$W_DIR" config gc.auto 0
	wl_git "$W_DIR" update-ref --no-deref HEAD "$(git -C "$T_DIR" rev-parse base)"
	wl_git "$W_DIR" reset -q --hard
	: >"$W_DIR/.git/walklock-ready"
}

wl_work_at() { wl_git "$W_DIR" checkout -q --force --detach "$1"; }

# wl_touched FROM TO: the paths that a range changes.
wl_touched() { git -C "$T_DIR" diff --name-only --no-renames "$1" "$2"; }

wl_make() {
	local cc=${A_CROSS#-}gcc
	CCACHE_DEPEND=1 CCACHE_DIR=$WL_CACHE/ccache CCACHE_BASEDIR=$WL_CACHE CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=20G \
		make -C "$W_DIR" O="$B_DIR" ARCH="$A_ARCH" CROSS_COMPILE="${A_CROSS#-}" \
		CC="ccache $cc" HOSTCC="ccache gcc" KBUILD_BUILD_TIMESTAMP=0 KBUILD_BUILD_USER=walklock \
		KBUILD_BUILD_HOST=walklock -s -j"$WL_JOBS" "$@"
}

wl_make_command() {
	printf 'make -C SOURCE O=BUILD ARCH=%s CROSS_COMPILE=%s -k -s W=1 %s' "$A_ARCH" "${A_CROSS#-}" "$*"
}

# wl_build_dir_key: the build folder of the loaded tree and architecture, and the
# key of all that its configuration is made of.
wl_build_dir_key() {
	B_DIR=$WL_CACHE/work/$T_NAME/$A_NAME
	B_KEY=$(wl_key "$(wl_row "$WL_CONFIGS/arches" "$A_NAME")" "$(cat "$WL_CONFIGS/touched.config")" \
		"$(git -C "$T_DIR" rev-parse 'base^{tree}')" "$("${A_CROSS#-}gcc" --version | head -n 1)")
}

# wl_build_dir: configures it at the base, unless that was done.
wl_build_dir() {
	local key=$B_KEY
	[ "$(cat "$B_DIR/.walklock" 2>/dev/null)" != "$key" ] || return 0
	wl_work_at "$(git -C "$T_DIR" rev-parse base)"
	wl_say "$T_NAME: configuring for $A_NAME"
	rm -rf "$B_DIR"
	mkdir -p "$B_DIR"
	{
		wl_make "$A_CONFIG" &&
			(cd "$W_DIR" && ARCH=$A_ARCH scripts/kconfig/merge_config.sh -m -O "$B_DIR" "$B_DIR/.config" "$WL_CONFIGS/touched.config") &&
			wl_make olddefconfig
	} >"$B_DIR/config.log" 2>&1 ||
		wl_die "$WL_USAGE" "$T_NAME: configuring for $A_NAME failed: $(grep -m1 -i error "$B_DIR/config.log" || tail -n 1 "$B_DIR/config.log") (log: $B_DIR/config.log)"
	printf '%s\n' "$key" >"$B_DIR/.walklock"
}

# wl_targets FILE...: what to build for the touched files: mm/, fs/proc/ and the
# architecture's mm/ as a whole, and single objects elsewhere.
wl_targets() {
	local f
	printf '%s\n' mm/ fs/proc/ "arch/$A_SRCARCH/mm/"
	for f; do
		case $f in
		mm/* | fs/proc/* | "arch/$A_SRCARCH/mm/"*) ;;
		arch/"$A_SRCARCH"/*.c) printf '%s\n' "${f%.c}.o" ;;
		arch/* | tools/* | scripts/* | samples/* | Documentation/*) ;;
		*.c) printf '%s\n' "${f%.c}.o" ;;
		esac
	done
}

# wl_build_state COMMIT NAME LOG TARGETS FILE...: compiles the targets (one a
# line) at a commit with W=1, from no object at all (ccache makes that cheap), so
# that the log has every warning; then sparse on the touched files.  Sets B_RC and
# B_BUILT, writes LOG.json with the warnings.
# Where B_FROM names the commit before, and its objects are what the folder has,
# only what make finds changed is compiled: the log then has the warnings of that.
wl_build_state() {
	local commit=$1 name=$2 log=$3 list=$4 f o targets=() built=() dirs=() fresh=() since='' at
	shift 4
	at=$(wl_key "$(git -C "$T_DIR" rev-parse "${B_FROM:-$commit}^{tree}")" "$list" "$(wl_sparse_version)")
	[ -z "${B_FROM:-}" ] || [ "$(cat "$B_DIR/.walklock-at" 2>/dev/null)" != "$at" ] || since=$B_DIR/.walklock-since
	rm -f "$B_DIR/.walklock-at"
	wl_work_at "$commit"
	# A file that the series adds is no target of the base.
	while read -r f; do
		case $f in *.o) [ -e "$W_DIR/${f%o}c" ] || [ -e "$W_DIR/${f%o}S" ] || continue ;; esac
		targets+=("$f")
	done <<<"$list"
	if [ -n "$since" ]; then
		: >"$since"
	else
		for f in mm fs/proc "arch/$A_SRCARCH/mm"; do
			[ ! -d "$B_DIR/$f" ] || dirs+=("$B_DIR/$f")
		done
		[ ${#dirs[@]} -eq 0 ] || find "${dirs[@]}" -name '*.o' -delete
		for f in "${targets[@]}"; do case $f in *.o) rm -f "$B_DIR/$f" ;; esac; done
	fi
	wl_say "$T_NAME: $A_NAME: compiling $name"
	B_RC=0
	wl_make -k W=1 "${targets[@]}" >"$log" 2>&1 || B_RC=$?
	B_BUILT=()
	for f; do
		case $f in *.c) ;; *) continue ;; esac
		o=${f%.c}.o
		[ -f "$B_DIR/$o" ] || continue
		built+=("$o")
		[ -n "$since" ] && [ ! "$B_DIR/$o" -nt "$since" ] || fresh+=("$o")
	done
	B_BUILT=(${built[@]+"${built[@]}"})
	if [ -n "${WL_SPARSE:-}" ] && [ "$B_RC" -eq 0 ] && [ ${#fresh[@]} -gt 0 ]; then
		wl_say "$T_NAME: $A_NAME: sparse on ${#fresh[@]} files of $name"
		wl_make -k W=1 C=2 CHECK="$WL_SCRIPTS/lib/sparse-prefix" "${fresh[@]}" >"$log.sparse" 2>&1 || B_RC=$?
		# The compiler's lines are in the log already.
		grep '^sparse: ' "$log.sparse" >>"$log" || :
	fi
	python3 "$WL_SCRIPTS/lib/warnings.py" collect "$log" "$W_DIR" "$B_DIR" >"$log.json.$$"
	mv "$log.json.$$" "$log.json"
	[ "$B_RC" -ne 0 ] ||
		wl_key "$(git -C "$T_DIR" rev-parse "$commit^{tree}")" "$list" "$(wl_sparse_version)" >"$B_DIR/.walklock-at"
}

# wl_base_state WHAT TARGETS FILE...: the base's warnings in these targets, from
# the cache when nothing that they depend on changed.  Sets BASE_JSON and BASE_RC.
wl_base_state() {
	local what=$1 list=$2 key log B_FROM=''
	shift 2
	key=$(wl_key base "$B_KEY" "$(wl_sparse_version)" "$list" "$*")
	log=$(wl_log "$key" "base-$A_NAME")
	if [ ! -s "$log.json" ] || [ ! -s "$log.rc" ] || [ -n "${WL_NO_REUSE:-}" ]; then
		wl_build_state "$(git -C "$T_DIR" rev-parse base)" "$what" "$log" "$list" "$@"
		printf '%s\n' "$B_RC" >"$log.rc"
	fi
	BASE_JSON=$log.json
	BASE_RC=$(cat "$log.rc")
}

# wl_new_warnings JSON FILE...: prints the warnings that the base lacks; 1 if there
# are any.  A file without a warning needs no base to be compared with, so the base
# is compiled where the series warns; only when something looks new (a header's
# warning may come from any file) it is compiled as a whole.
wl_new_warnings() {
	local json=$1 few
	shift
	BASE_RC=0
	[ "$(jq length "$json")" != 0 ] || return 0
	few=$({
		# Not those of make's own preparations, which it makes before any target.
		jq -r '.[].file | select(endswith(".c")) | sub("c$"; "o")' "$json" |
			grep -E "^($(wl_targets "$@" | paste -sd'|'))" || :
		if jq -e 'any(.[].file; endswith(".c") | not)' "$json" >/dev/null; then
			printf '%s\n' ${B_BUILT[@]+"${B_BUILT[@]}"}
		fi
	} | awk NF | sort -u)
	if [ -n "$few" ] && [ -z "${B_FROM:-}" ]; then
		wl_base_state "base where the series warns" "$few" "$@"
		! python3 "$WL_SCRIPTS/lib/warnings.py" new "$BASE_JSON" "$json" >/dev/null || return 0
	fi
	wl_base_state base "$(wl_targets "$@")" "$@"
	python3 "$WL_SCRIPTS/lib/warnings.py" new "$BASE_JSON" "$json"
}

# wl_key_build SCOPE COMMIT FILE...: the key of the record "build ARCH".  That of
# the series is of a build as a whole, never of the last patch's.
wl_key_build() {
	local commit=$2 kind=each
	[ "$1" != series ] || kind=whole
	shift 2
	wl_key build "$kind" "$A_NAME" "$B_KEY" "$(git -C "$T_DIR" rev-parse "$commit^{tree}")" "$(wl_sparse_version)" "$*"
}

# wl_build_check SCOPE COMMIT NAME FILE...: records "build ARCH" and
# "warnings ARCH" for one commit.
wl_build_check() {
	local scope=$1 commit=$2 name=$3 key1 key2 log t0 errors verdict detail
	shift 3
	wl_arch "$A_NAME"
	wl_build_dir_key
	key1=$(wl_key_build "$scope" "$commit" "$@")
	key2=$(wl_key warnings "$key1")
	log=$(wl_log "$key1" "build-$A_NAME")
	B_LOG=$log
	if [ -e "$log.built" ] && wl_fresh "$scope" "$key1"; then
		if wl_fresh "$scope" "$key2"; then return 0; fi
		unset 'wl_records[-1]'
	fi
	wl_lock "work-$T_NAME"
	wl_work_ready
	wl_build_dir
	[ -z "${B_FROM:-}" ] || wl_base_state base "$(wl_targets "$@")" "$@"
	t0=$SECONDS
	wl_build_state "$commit" "$name" "$log" "$(wl_targets "$@")" "$@"
	printf '%s\n' ${B_BUILT[@]+"${B_BUILT[@]}"} >"$log.built"
	if [ "$B_RC" -eq 0 ]; then
		detail="${#B_BUILT[@]} touched files and all of mm/, fs/proc/, arch/$A_SRCARCH/mm/"
		verdict=passed
	else
		verdict=failed
		errors=$(grep -m1 -E '(error|Error [0-9])' "$log" || tail -n 1 "$log")
		detail="${errors#"$W_DIR/"}"
	fi
	local wjson=$log.json
	wl_record "$scope" "build $A_NAME" "$key1" "$verdict" "$detail" "$log" $((SECONDS - t0)) \
		"$(wl_make_command "$(wl_targets "$@" | paste -sd' ')")"
	t0=$SECONDS
	if [ "$verdict" = failed ]; then
		wl_record "$scope" "warnings $A_NAME" "$key2" skipped "the build failed" "$log" 0 ''
		return 0
	fi
	if wl_new_warnings "$wjson" "$@" >"$log.new"; then
		verdict=passed
		detail="no new warning (gcc W=1${WL_SPARSE:+, sparse $(wl_sparse_version)})"
	else
		verdict=failed
		detail=$(cat "$log.new")
		printf '%s\n' "$detail" >&2
	fi
	[ "$BASE_RC" -eq 0 ] || detail+=" (the base itself does not build)"
	wl_record "$scope" "warnings $A_NAME" "$key2" "$verdict" "$detail" "$log" $((SECONDS - t0)) "W=1 C=2, base against $name"
	if [ -z "${WL_SPARSE:-}" ]; then
		wl_record "$scope" "sparse $A_NAME" "$(wl_key sparse "$key1")" skipped "no sparse that can parse this tree" '' 0 ''
	fi
}

# wl_arch_list A,B: the architectures to build, into WL_ARCHES; none given: those
# that configs/arches builds by default.  Missing compilers are installed.
wl_arch_list() {
	local a
	WL_ARCHES=()
	if [ -z "$1" ]; then
		mapfile -t WL_ARCHES < <(awk '!/^#/ && NF && $7 == "yes" { print $1 }' "$WL_CONFIGS/arches")
	else
		IFS=, read -r -a WL_ARCHES <<<"$1"
	fi
	for a in "${WL_ARCHES[@]}"; do wl_arch "$a"; done
}

# wl_build_ready: tree and branches are there, sparse is chosen, the report begun.
wl_build_ready() {
	[ -d "$T_DIR/.git" ] || "$WL_SCRIPTS/tree" "$T_NAME" >/dev/null || exit $?
	wl_series ''
	local said rc=0
	said=$("$WL_SCRIPTS/apply" "$T_NAME") || rc=$?
	if [ "$rc" -ne 0 ]; then
		[ -z "$said" ] || printf '%s\n' "$said" >&2
		exit "$rc"
	fi
	wl_say "$said"
	wl_need sparse libelf.h openssl/ssl.h
	wl_sparse_choose || wl_warn "no sparse that can parse $T_NAME: its checks are skipped"
	wl_report_begin
}

# wl_build_tip: every architecture at the end of the series, and which touched
# files none of them compiled.
wl_build_tip() {
	local a f touched tip missing=() key compiled=
	tip=$(git -C "$T_DIR" rev-parse refs/heads/walklock/series)
	mapfile -t touched < <(wl_touched base "$tip")
	for a in "${WL_ARCHES[@]}"; do
		wl_arch "$a"
		if ! command -v "${A_CROSS#-}gcc" >/dev/null && ! "$WL_SCRIPTS/setup" "${A_CROSS#-}gcc"; then
			wl_record series "build $A_NAME" "$(wl_key nocompiler "$A_NAME")" skipped \
				"no compiler ${A_CROSS#-}gcc (Debian: $A_PACKAGE)" '' 0 ''
			continue
		fi
		wl_build_check series "$tip" "the series" "${touched[@]}"
		compiled+=$(cat "$B_LOG.built")$'\n'
	done
	for f in "${touched[@]}"; do
		case $f in *.c) ;; *) continue ;; esac
		grep -qxF "${f%.c}.o" <<<"$compiled" || missing+=("$f")
	done
	key=$(wl_key coverage "${WL_ARCHES[*]}" "$tip")
	if [ ${#missing[@]} -eq 0 ]; then
		wl_record series coverage "$key" passed "every touched C file was compiled" '' 0 ''
	else
		wl_record series coverage "$key" skipped "not compiled for ${WL_ARCHES[*]}: ${missing[*]}" '' 0 ''
	fi
}
