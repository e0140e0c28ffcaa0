# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2153,SC2154
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
	# The tree's own files by other names, which writes nothing.  Nobody writes into
	# them here (git puts a new file in the place of one, make has a folder of its
	# own), and those that a user writes into are found changed by git.
	git -C "$W_DIR" config core.trustctime false
	if git -C "$T_DIR" ls-tree -z --name-only base | (cd "$T_DIR" && xargs -0 cp -al -t "$W_DIR") 2>/dev/null; then
		cp "$T_DIR/.git/index" "$W_DIR/.git/index"
	fi
	wl_git "$W_DIR" update-ref --no-deref HEAD "$(git -C "$T_DIR" rev-parse base)"
	wl_git "$W_DIR" reset -q --hard
	wl_git "$W_DIR" clean -q -fdx
	: >"$W_DIR/.git/walklock-ready"
}

wl_work_at() { wl_git "$W_DIR" checkout -q --force --detach "$1"; }

# wl_touched FROM TO: the paths that a range changes.
wl_touched() { git -C "$T_DIR" diff --name-only --no-renames "$1" "$2"; }

wl_make() {
	PATH=$WL_SCRIPTS/lib/bin:$PATH CCACHE_DEPEND=1 CCACHE_DIR=$WL_CACHE/ccache CCACHE_BASEDIR=$WL_CACHE CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=20G \
		make -C "$W_DIR" O="$B_DIR" ARCH="$A_ARCH" CROSS_COMPILE="${A_CROSS#-}" \
		CC="cached $A_CC" HOSTCC="ccache gcc" ${A_MAKE[@]+"${A_MAKE[@]}"} \
		${A_PROMPTS[@]+"KBUILD_KCONFIG=$B_DIR/walklock.Kconfig"} KBUILD_BUILD_TIMESTAMP=0 KBUILD_BUILD_USER=walklock \
		KBUILD_BUILD_HOST=walklock -s -Otarget -j"$WL_JOBS" "$@"
}

# wl_make_command TARGETS: what gives the same configuration and objects by hand,
# with the folders of the source, the build and this project put in.
wl_make_command() {
	local words=() make p
	[ ${#A_MAKE[@]} -eq 0 ] || words+=("${A_MAKE[@]}")
	[ ${#A_PROMPTS[@]} -eq 0 ] || words+=(KBUILD_KCONFIG=BUILD/walklock.Kconfig)
	make="make -C SOURCE O=BUILD ARCH=$A_ARCH CROSS_COMPILE=${A_CROSS#-}${words[0]+ ${words[*]}}"
	if [ ${#A_PROMPTS[@]} -gt 0 ]; then
		printf '(cat SOURCE/Kconfig; printf "config %%s\\n\\tbool \\"%%s\\"\\n"'
		for p in "${A_PROMPTS[@]}"; do printf ' %s %s' "$p" "$p"; done
		printf ') >BUILD/walklock.Kconfig && '
	fi
	printf '%s %s && ' "$make" "$A_CONFIG"
	words=(WALKLOCK/configs/touched.config)
	if [ ${#A_OPTIONS[@]} -gt 0 ]; then
		printf 'printf "%%s\\n" %s >BUILD/walklock.config && ' "${A_OPTIONS[*]}"
		words+=(BUILD/walklock.config)
	fi
	printf '(cd SOURCE && ARCH=%s scripts/kconfig/merge_config.sh -m -O BUILD BUILD/.config %s) && ' "$A_ARCH" "${words[*]}"
	printf '%s olddefconfig && %s -k -s W=1 %s' "$make" "$make" "$*"
}

# wl_cell_sparse: the sparse that the loaded cell is checked with, for keys.
wl_cell_sparse() { if [ "$A_DEFAULT" = yes ]; then wl_sparse_version; else printf 'none\n'; fi; }

# wl_build_dir_key: the build folder of the loaded tree and architecture, and the
# key of all that its configuration is made of.
wl_build_dir_key() {
	B_DIR=$WL_CACHE/work/$T_NAME/$A_NAME
	B_KEY=$(wl_key "$A_ROW" "$(cat "$WL_CONFIGS/touched.config")" \
		"$(git -C "$T_DIR" rev-parse 'base^{tree}')" "$("$A_CC" --version | head -n 1)")
}

# wl_build_dir: configures it at the base, unless that was done.  Where that fails
# for a cell that is not built by default, sets C_WHY and returns 1.
wl_build_dir() {
	local key=$B_KEY p fragments=("$WL_CONFIGS/touched.config")
	C_WHY=
	[ "$(cat "$B_DIR/.walklock" 2>/dev/null)" != "$key" ] || return 0
	wl_work_at "$(git -C "$T_DIR" rev-parse base)"
	wl_say "$T_NAME: configuring for $A_NAME"
	rm -rf "$B_DIR"
	mkdir -p "$B_DIR"
	if [ ${#A_PROMPTS[@]} -gt 0 ]; then
		cat "$W_DIR/Kconfig" >"$B_DIR/walklock.Kconfig"
		for p in "${A_PROMPTS[@]}"; do printf 'config %s\n\tbool "%s"\n' "$p" "$p"; done >>"$B_DIR/walklock.Kconfig"
	fi
	if [ ${#A_OPTIONS[@]} -gt 0 ]; then
		printf '%s\n' "${A_OPTIONS[@]}" >"$B_DIR/walklock.config"
		fragments+=("$B_DIR/walklock.config")
	fi
	{
		wl_make "$A_CONFIG" &&
			(cd "$W_DIR" && ARCH=$A_ARCH scripts/kconfig/merge_config.sh -m -O "$B_DIR" "$B_DIR/.config" "${fragments[@]}") &&
			wl_make olddefconfig
	} >"$B_DIR/config.log" 2>&1 || {
		C_WHY="configuring for $A_NAME failed: $(grep -m1 -i error "$B_DIR/config.log" || tail -n 1 "$B_DIR/config.log")"
		[ "$A_DEFAULT" != yes ] || wl_die "$WL_USAGE" "$T_NAME: $C_WHY (log: $B_DIR/config.log)"
		return 1
	}
	# What make prepares once (asm-offsets.c warns on some architectures) is nothing
	# that the series adds; where it fails, the base fails as well.
	[ "$A_DEFAULT" = yes ] || wl_make W=1 prepare >>"$B_DIR/config.log" 2>&1 || :
	printf '%s\n' "$key" >"$B_DIR/.walklock"
}

# wl_targets FILE...: what to build for the touched files: mm/, fs/proc/ and the
# architecture's mm/ as a whole, and single objects elsewhere; all of them single
# objects where the cell's scope is smaller.
wl_targets() {
	local f whole=
	if [ "$A_SCOPE" = all ]; then
		whole=yes
		printf '%s\n' mm/ fs/proc/ "arch/$A_SRCARCH/mm/"
	elif [ "$A_SCOPE" != touched ]; then
		wl_users "$@"
	fi
	for f; do
		case $f in
		mm/*.c | fs/proc/*.c | "arch/$A_SRCARCH/mm/"*.c) [ -n "$whole" ] || printf '%s\n' "${f%.c}.o" ;;
		mm/* | fs/proc/* | "arch/$A_SRCARCH/mm/"*) ;;
		arch/"$A_SRCARCH"/*.c) printf '%s\n' "${f%.c}.o" ;;
		arch/* | tools/* | scripts/* | samples/* | Documentation/*) ;;
		*.c) printf '%s\n' "${f%.c}.o" ;;
		esac
	done
}

# wl_users FILE...: the objects of mm/, fs/proc/ and the architecture's mm/ (scope
# "arch": of that alone) whose source is not touched itself, but includes a touched
# header.
wl_users() {
	local f names=() where=('mm/*.c' 'fs/proc/*.c' "arch/$A_SRCARCH/mm/*.c")
	[ "$A_SCOPE" = users ] || where=("arch/$A_SRCARCH/mm/*.c")
	for f; do
		case $f in
		include/*.h) names+=("<${f#include/}>") ;;
		"arch/$A_SRCARCH/include/"*.h) names+=("<${f#"arch/$A_SRCARCH/include/"}>") ;;
		mm/*.h | fs/proc/*.h | "arch/$A_SRCARCH/mm/"*.h) names+=("\"(\.\./)*${f##*/}\"") ;;
		esac
	done
	[ ${#names[@]} -gt 0 ] || return 0
	git -C "$T_DIR" grep -lE "^[[:space:]]*#[[:space:]]*include[[:space:]]*($(IFS='|' && printf '%s' "${names[*]}"))" \
		refs/heads/walklock/series -- "${where[@]}" |
		cut -d: -f2 | grep -vxF -f <(printf '%s\n' "$@") | sed 's/c$/o/' || :
}

# wl_enabled OBJECT...: those that the configuration in the build folder compiles: a
# Makefile on their way lists them, and make comes to that Makefile.
wl_enabled() {
	local all='' d
	while read -r d; do
		[ ! -f "$W_DIR/$d/Makefile" ] ||
			all+=$(make -s -C "$W_DIR" -f "$B_DIR/.config" -f "$WL_SCRIPTS/lib/objects.mk" FOLDER="$d" SRCARCH="$A_SRCARCH" none)$'\n' || return 1
	done < <(printf '%s\n' "$@" | awk -F/ '{ d = $1; for (i = 2; i <= NF; i++) { if ($1 != "arch" || i > 3) print d; d = d "/" $i } }' | sort -u)
	# Folders come before what is below them.
	printf '%s' "$all" | awk '
		!($1 in seen) { seen[$1] = 1; up = $1; sub("/[^/]*$", "", up); reached[$1] = !(up in seen) || up == $1 || ($1 "/") in listed }
		!reached[$1] { next }
		{ listed[$2] = 1 }
		$2 ~ /[.]o$/ { print $2 }' >"$B_DIR/walklock.objects"
	printf '%s\n' "$@" | grep -xF -f "$B_DIR/walklock.objects" || :
}

# wl_config_took: .config has the options of the cell, or sets C_WHY and returns 1.
# Those of an architecture that the tree does not know are passed over.
wl_config_took() {
	local option name want have
	C_WHY=
	for option in ${A_OPTIONS[@]+"${A_OPTIONS[@]}"}; do
		name=${option%%=*} want=${option#*=}
		have=$(sed -n "s/^$name=//p" "$B_DIR/.config")
		[ "${have:-n}" != "$want" ] || continue
		[ -n "$have" ] || [ -n "$A_VARIANT" ] || wl_symbol "${name#CONFIG_}" || continue
		C_WHY+="${C_WHY:+; }$name is ${have:-n} in .config, not $want"
	done
	[ -z "$C_WHY" ]
}

# wl_symbol NAME: some Kconfig file of the base has it.
wl_symbol() {
	[ -n "${T_SYMBOLS:-}" ] ||
		T_SYMBOLS=$(git -C "$T_DIR" grep -hE '^[[:space:]]*(menu)?config [A-Z0-9a-z_]+' base -- '*Kconfig*' | awk '{ print $2 }' | sort -u)
	grep -qxF "$1" <<<"$T_SYMBOLS"
}

# wl_cell_lacks: sets C_WHY to what the tree lacks for the loaded cell; 1 when that
# is nothing.
wl_cell_lacks() {
	local need version
	C_WHY=
	[ "$A_DEFAULT" != yes ] || return 1
	version=$(git -C "$T_DIR" config walklock.version)
	if ! git -C "$T_DIR" cat-file -e "base:arch/$A_SRCARCH" 2>/dev/null; then
		C_WHY="$version has no arch/$A_SRCARCH"
		return 0
	fi
	case $A_CONFIG in
	?*_defconfig)
		git -C "$T_DIR" cat-file -e "base:arch/$A_SRCARCH/configs/$A_CONFIG" 2>/dev/null ||
			git -C "$T_DIR" grep -qwF "$A_CONFIG" base -- "arch/$A_SRCARCH/Makefile" ||
			C_WHY="$version has no $A_CONFIG for $A_ARCH"
		;;
	esac
	for need in ${A_NEEDS//,/ }; do
		case $need in
		-) ;;
		'>='*)
			[ "$(printf '%s\n' "${need#>=}" "$version" | sort -V | head -n 1)" = "${need#>=}" ] ||
				C_WHY+="${C_WHY:+; }$version is older than ${need#>=}"
			;;
		arch:*)
			git -C "$T_DIR" grep -qE "^[[:space:]]*select ${need#arch:}( |\$)" base -- "arch/$A_SRCARCH" ||
				C_WHY+="${C_WHY:+; }no ${need#arch:} in arch/$A_SRCARCH of $version"
			;;
		*)
			wl_symbol "$need" || C_WHY+="${C_WHY:+; }$version has no CONFIG_$need"
			;;
		esac
	done
	[ -n "$C_WHY" ]
}

# wl_build_state COMMIT NAME LOG TARGETS FILE...: compiles the targets (one a
# line) at a commit with W=1, from no object at all (ccache makes that cheap), so
# that the log has every warning; sparse beside it on the touched files.  Sets B_RC
# and B_BUILT, writes LOG.json with the warnings.
# Where B_FROM names the commit before, and its objects are what the folder has,
# only what make finds changed is compiled: the log then has the warnings of that.
wl_build_state() {
	local commit=$1 name=$2 log=$3 list=$4 f o targets=() single=() dirs=() check=() since='' at
	shift 4
	at=$(wl_build_at "${B_FROM:-$commit}" "$list")
	[ -z "${B_FROM:-}" ] || [ "$(cat "$B_DIR/.walklock-at" 2>/dev/null)" != "$at" ] || since=$B_DIR/.walklock-since
	rm -f "$B_DIR/.walklock-at"
	wl_work_at "$commit"
	# A file that the series adds is no target of the base.
	while read -r f; do
		case $f in *.o) [ -e "$W_DIR/${f%o}c" ] || [ -e "$W_DIR/${f%o}S" ] || continue ;; esac
		case $f in *.o) [ "$A_DEFAULT" = yes ] || { single+=("$f"); continue; } ;; esac
		targets+=("$f")
	done <<<"$list"
	B_RC=0
	if [ ${#single[@]} -gt 0 ]; then
		# make has no rule for an object that the configuration leaves out.
		B_TARGETS=${single[*]}
		wl_make olddefconfig >"$log" 2>&1 || B_RC=2
		if [ "$B_RC" -eq 0 ] && ! wl_enabled "${single[@]}" >"$log.objects" 2>>"$log"; then
			printf '%s\n' "error: which objects the configuration has cannot be told" >>"$log"
			B_RC=3
		fi
		if [ "$B_RC" -ne 0 ]; then
			B_BUILT=()
			printf '[]\n' >"$log.json"
			return 0
		fi
		mapfile -t single <"$log.objects"
		targets+=(${single[@]+"${single[@]}"})
	fi
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
	: >"$log"
	B_TARGETS=${targets[*]-}
	if [ -n "${WL_SPARSE:-}" ] && [ "$A_DEFAULT" = yes ]; then
		printf '%s\n' "$@" >"$B_DIR/.walklock-touched"
		check=(C=1 "CHECK='$WL_SCRIPTS/lib/sparse-prefix' '$B_DIR/.walklock-touched'")
	fi
	[ ${#targets[@]} -eq 0 ] || wl_make -k W=1 ${check[@]+"${check[@]}"} "${targets[@]}" >"$log" 2>&1 || B_RC=$?
	B_BUILT=()
	for f; do
		case $f in *.c) ;; *) continue ;; esac
		o=${f%.c}.o
		[ ! -f "$B_DIR/$o" ] || B_BUILT+=("$o")
	done
	python3 "$WL_SCRIPTS/lib/warnings.py" collect "$log" "$W_DIR" "$B_DIR" >"$log.json.$$"
	mv "$log.json.$$" "$log.json"
	[ "$B_RC" -ne 0 ] ||
		wl_build_at "$commit" "$list" >"$B_DIR/.walklock-at"
}

# wl_build_at COMMIT TARGETS: what .walklock-at says when the folder has their objects.
wl_build_at() { wl_key "$(git -C "$T_DIR" rev-parse "$1^{tree}")" "$2" "$(wl_cell_sparse)"; }

# wl_base_state WHAT TARGETS FILE...: the base's warnings in these targets, from
# the cache when nothing that they depend on changed.  Sets BASE_JSON and BASE_RC.
wl_base_state() {
	local what=$1 list=$2 key log B_FROM=''
	shift 2
	key=$(wl_key base "$B_KEY" "$(wl_cell_sparse)" "$list" "$*")
	log=$(wl_log "$key" "base-$A_NAME")
	# Not to reuse it means what is from earlier runs.
	if [ ! -s "$log.json" ] || [ ! -s "$log.rc" ] || { [ -n "${WL_NO_REUSE:-}" ] && [[ " ${wl_base_made:-} " != *" $key "* ]]; }; then
		wl_base_made+=" $key"
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
	wl_key build "$kind" "$A_NAME" "$B_KEY" "$(git -C "$T_DIR" rev-parse "$commit^{tree}")" "$(wl_cell_sparse)" "$*" \
		${WL_SCOPE:+"scope $WL_SCOPE"}
}

# wl_scope_text FILE...: what was compiled, for the record.
wl_scope_text() {
	case $A_SCOPE in
	all) printf '%s touched files and all of mm/, fs/proc/, arch/%s/mm/\n' "${#B_BUILT[@]}" "$A_SRCARCH" ;;
	users | arch)
		printf '%s touched files and %s that include touched headers (scope %s)\n' "${#B_BUILT[@]}" \
			"$(wl_users "$@" | grep -cxF -f "$B_LOG.objects")" "$A_SCOPE"
		;;
	touched) printf '%s touched files (scope touched)\n' "${#B_BUILT[@]}" ;;
	esac
}

# wl_base_fails_too LOG FILE...: what the tip's log has of errors, the base has too.
wl_base_fails_too() {
	local log=$1 wjson=$1.json
	shift
	[ -z "${B_FROM:-}" ] || return 1
	wl_base_state "the base, as the series fails" "$(wl_targets "$@")" "$@"
	[ "$BASE_RC" -ne 0 ] || return 1
	! python3 "$WL_SCRIPTS/lib/warnings.py" new "$BASE_JSON" "$wjson" | grep -q ' error: ' || return 1
	! wl_failed_targets "$log" | grep -qvxF -f <(wl_failed_targets "${BASE_JSON%.json}")
}
wl_failed_targets() { sed -nE 's/^make.*\*\*\* (\[[^]]* )?(\[?[^] ]+)\] Error .*/\2/p; s/^make.*\*\*\* No rule to make target .([^'\'']*).*/\1/p' "$1" | sort -u; }

# wl_build_check SCOPE COMMIT NAME FILE...: records "build ARCH" and
# "warnings ARCH" for one commit.
wl_build_check() {
	local scope=$1 commit=$2 name=$3 key1 key2 log t0 errors verdict detail command cc=gcc
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
	t0=$SECONDS
	if ! wl_build_dir || ! wl_config_took; then
		: >"$log.built"
		cp "$B_DIR/config.log" "$log"
		wl_record "$scope" "build $A_NAME" "$key1" failed "configuration: $C_WHY" "$log" $((SECONDS - t0)) \
			"$(wl_make_command "$(wl_targets "$@" | paste -sd' ')")"
		wl_record "$scope" "warnings $A_NAME" "$key2" skipped "the configuration failed" "$log" 0 ''
		return 0
	fi
	[ -z "${B_FROM:-}" ] || wl_base_state base "$(wl_targets "$@")" "$@"
	wl_build_state "$commit" "$name" "$log" "$(wl_targets "$@")" "$@"
	command=$(wl_make_command "$B_TARGETS")
	printf '%s\n' ${B_BUILT[@]+"${B_BUILT[@]}"} >"$log.built"
	if [ "$B_RC" -eq 0 ]; then
		verdict=passed
		detail=$(wl_scope_text "$@")
		if [ ${#B_BUILT[@]} -eq 0 ] && [ "$A_DEFAULT" != yes ]; then
			verdict=skipped
			detail="this configuration compiles none of the touched files"
		fi
	else
		verdict=failed
		errors=$(grep -m1 -E '(error|Error [0-9])' "$log" || tail -n 1 "$log")
		detail="${errors#"$W_DIR/"}"
		if [ "$A_DEFAULT" != yes ] && [ "$B_RC" -ne 3 ] && wl_base_fails_too "$log" "$@"; then
			verdict=skipped
			detail="the base does not build either: $detail"
		fi
	fi
	local wjson=$log.json
	wl_record "$scope" "build $A_NAME" "$key1" "$verdict" "$detail" "$log" $((SECONDS - t0)) "$command"
	t0=$SECONDS
	if [ "$verdict" != passed ]; then
		wl_record "$scope" "warnings $A_NAME" "$key2" skipped "the build ${verdict/skipped/was skipped}" "$log" 0 ''
		return 0
	fi
	if wl_new_warnings "$wjson" "$@" >"$log.new"; then
		verdict=passed
		case $A_CC in clang*) cc=clang ;; esac
		detail="no new warning ($cc W=1"
		if [ "$A_DEFAULT" = yes ]; then detail+="${WL_SPARSE:+, sparse $(wl_sparse_version)}"; fi
		detail+=")"
	else
		verdict=failed
		detail=$(cat "$log.new")
		printf '%s\n' "$detail" >&2
	fi
	[ "$BASE_RC" -eq 0 ] || detail+=" (the base itself does not build)"
	wl_record "$scope" "warnings $A_NAME" "$key2" "$verdict" "$detail" "$log" $((SECONDS - t0)) \
		"W=1$([ "$A_DEFAULT" != yes ] || printf ' C=1'), base against $name"
	if [ -z "${WL_SPARSE:-}" ] && [ "$A_DEFAULT" = yes ]; then
		wl_record "$scope" "sparse $A_NAME" "$(wl_key sparse "$key1")" skipped "no sparse that can parse this tree" '' 0 ''
	fi
}

# wl_arch_list A,B [V,W]: the cells to build, into WL_ARCHES: these architectures
# (none given: those that configs/arches builds by default), each as the variants
# V and W ("defconfig": its own configuration) where it has them.  Cells may be
# named as such, too.
wl_arch_list() {
	local a v of=() as=()
	WL_ARCHES=()
	if [ -z "$1" ]; then
		mapfile -t of < <(awk '!/^#/ && NF && $7 == "yes" { print $1 }' "$WL_CONFIGS/arches")
	else
		IFS=, read -r -a of <<<"$1"
	fi
	IFS=, read -r -a as <<<"${2:-defconfig}"
	for v in "${as[@]}"; do
		[ "$v" = defconfig ] || [ -n "$(wl_row "$WL_CONFIGS/variants" "$v")" ] ||
			wl_die "$WL_USAGE" "unknown variant '$v': one of defconfig $(wl_names "$WL_CONFIGS/variants" | paste -sd' ') (configs/variants)"
		for a in "${of[@]}"; do
			case $v:$a in
			defconfig:* | *:*+*) ;;
			*)
				case ",$(wl_row "$WL_CONFIGS/variants" "$v" | cut -d' ' -f2)," in
				*",$a,"* | *",$a:"*) a+=+$v ;;
				*) continue ;;
				esac
				;;
			esac
			case " ${WL_ARCHES[*]} " in *" $a "*) ;; *) WL_ARCHES+=("$a") ;; esac
		done
	done
	for a in "${of[@]}"; do wl_arch "$a"; done
	[ ${#WL_ARCHES[@]} -gt 0 ] || wl_die "$WL_USAGE" "none of ${of[*]} has a variant ${as[*]} (configs/variants)"
	for a in "${WL_ARCHES[@]}"; do wl_arch "$a"; done
}

# wl_tree_ready: tree and branches are there.
wl_tree_ready() {
	local said rc=0
	[ -d "$T_DIR/.git" ] || "$WL_SCRIPTS/tree" "$T_NAME" >/dev/null || exit $?
	wl_series ''
	said=$("$WL_SCRIPTS/apply" "$T_NAME") || rc=$?
	if [ "$rc" -ne 0 ]; then
		[ -z "$said" ] || printf '%s\n' "$said" >&2
		exit "$rc"
	fi
	wl_say "$said"
}

# wl_build_ready: that, and sparse is chosen where a cell wants it, the report begun.
wl_build_ready() {
	local a
	wl_tree_ready
	wl_need libelf.h openssl/ssl.h
	for a in "${WL_ARCHES[@]}"; do
		wl_arch "$a"
		[ "$A_DEFAULT" = yes ] || continue
		wl_need sparse
		wl_sparse_choose || wl_warn "no sparse that can parse $T_NAME: its checks are skipped"
		break
	done
	wl_report_begin
}

# wl_cell_tools: the commands that the loaded cell's compiler consists of.
wl_cell_tools() {
	printf '%s\n' "$A_CC"
	case $A_CC in clang*) printf '%s\n' "ld.lld${A_CC#clang}" "llvm-ar${A_CC#clang}" ;; esac
}

# wl_cell_compiler: they are there, or can be installed.
wl_cell_compiler() {
	local tools t missing=()
	mapfile -t tools < <(wl_cell_tools)
	for t in "${tools[@]}"; do command -v "$t" >/dev/null || missing+=("$t"); done
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$A_PACKAGE" != - ] && "$WL_SCRIPTS/setup" "${missing[@]}"
}

# wl_compilers_ready: one installation for all cells; what it could not bring is
# looked at cell by cell.
wl_compilers_ready() {
	local a t missing=()
	for a in "${WL_ARCHES[@]}"; do
		wl_arch "$a"
		[ "$A_PACKAGE" != - ] && ! wl_cell_lacks || continue
		for t in $(wl_cell_tools); do command -v "$t" >/dev/null || missing+=("$t"); done
	done
	[ ${#missing[@]} -le 1 ] || "$WL_SCRIPTS/setup" "${missing[@]}" || :
}

# wl_cell_skip WHY: a cell that cannot be had here.
wl_cell_skip() { wl_record series "build $A_NAME" "$(wl_key nocell "$A_NAME")" skipped "$1" '' 0 ''; }

# wl_build_tip: every cell at the end of the series, and which touched files none
# of them compiled.
wl_build_tip() {
	local a touched tip n=0 before
	tip=$(git -C "$T_DIR" rev-parse refs/heads/walklock/series)
	mapfile -t touched < <(wl_touched base "$tip")
	B_COMPILED=
	wl_compilers_ready
	for a in "${WL_ARCHES[@]}"; do
		n=$((n + 1))
		wl_arch "$a"
		before=${#wl_records[@]}
		if wl_cell_lacks; then
			wl_cell_skip "$C_WHY"
		elif ! wl_cell_compiler; then
			wl_cell_skip "no compiler $A_CC (Debian: ${A_PACKAGE/#-/has none})"
		else
			wl_build_check series "$tip" "the series" "${touched[@]}"
			B_COMPILED+=$(cat "$B_LOG.built")$'\n'
		fi
		[ ${#WL_ARCHES[@]} -le 2 ] || wl_say "$T_NAME: cell $n of ${#WL_ARCHES[@]}: $(wl_cell_line "$before")"
	done
	wl_coverage "${touched[@]}"
}

# wl_cell_line FIRST: the records from there on, in one line.
wl_cell_line() {
	printf '%s\n' "${wl_records[@]:$1}" | jq -rs '(.[0].check | sub("^[a-z]* "; "")) + ": "
		+ (map((.check | sub(" .*"; "")) + " " + .verdict) | join(", ")) + ", \(map(.seconds) | add) s"
		+ (if any(.[]; .reused) then " (fresh evidence)" else "" end)'
}

# wl_coverage FILE...: records which of the touched files B_COMPILED lacks.
wl_coverage() {
	local f missing=() key
	for f; do
		case $f in *.c) ;; *) continue ;; esac
		grep -qxF "${f%.c}.o" <<<"$B_COMPILED" || missing+=("$f")
	done
	key=$(wl_key coverage "${WL_ARCHES[*]}" "$(git -C "$T_DIR" rev-parse refs/heads/walklock/series)")
	if [ ${#missing[@]} -eq 0 ]; then
		wl_record series coverage "$key" passed "every touched C file was compiled" '' 0 ''
	else
		wl_record series coverage "$key" skipped "not compiled for ${WL_ARCHES[*]}: ${missing[*]}" '' 0 ''
	fi
}

# wl_cell_table: one line a cell, with its time (configuration, series, and what of
# the base had to be compiled); returns 1 when one failed.
wl_cell_table() {
	printf '%s\n' "${wl_records[@]}" | jq -rs '
		(["tree", "cell", "build", "warnings", "seconds", "detail"],
		 (to_entries | map(.value + {at: .key}) | group_by(.check | sub("^[a-z]* "; "")) | sort_by(.[0].at)[]
		  | map({key: (.check | sub(" .*"; "")), value: .}) | from_entries as $r
		  | (($r.build // $r.coverage) | .verdict) as $build
		  | [env.T_NAME_OUT, (.[0].value.check | sub("^[a-z]* "; "")),
		     $build + (if any($r[]; .reused) then " (fresh evidence)" else "" end),
		     ($r.warnings.verdict // "-"), ($r | map(.seconds) | add | tostring),
		     (([$r.build, $r.warnings, $r.coverage] | map(select(. and .verdict != "passed"))[0] // $r.build // $r.coverage)
		      | (if .host then "on " + .host + ": " else "" end) + (.detail | split("\n")[0] | .[0:120]))])) | @tsv' |
		column -t -s "$(printf '\t')"
	jq -rs '[.[] | select(.check | startswith("build "))] | "\(length) cells: \(map(select(.verdict == "passed")) | length) built, \(map(select(.verdict == "failed")) | length) failed, \(map(select(.verdict == "skipped")) | length) skipped"' <<<"$(printf '%s\n' "${wl_records[@]}")"
	! printf '%s\n' "${wl_records[@]}" | jq -e -s 'any(.[]; .verdict == "failed")' >/dev/null
}
