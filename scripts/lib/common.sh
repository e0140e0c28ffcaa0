# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2153
#
# Sourced by every command: messages, data files, the cache, locks, clean-up.
# Functions that a command calls are documented in kernel-doc style.

WL_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
WL_SCRIPTS=$WL_TOP/scripts
WL_CONFIGS=$WL_TOP/configs
WL_CACHE=${WALKLOCK_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/walklock}
WL_OUT=${WALKLOCK_OUT:-$WL_TOP/out}
# Commands change folders, and call others: a relative one means the caller's.
case $WL_CACHE in /*) ;; *) export WALKLOCK_CACHE=$PWD/$WL_CACHE; WL_CACHE=$WALKLOCK_CACHE ;; esac
case $WL_OUT in /*) ;; *) export WALKLOCK_OUT=$PWD/$WL_OUT; WL_OUT=$WALKLOCK_OUT ;; esac
WL_NAME=${0##*/}
WL_JOBS=${WALKLOCK_JOBS:-$(nproc 2>/dev/null || printf 1)}
WL_AUTHOR_NAME='walklock authors'
WL_AUTHOR_EMAIL='authors@walklock.invalid'

# Exit codes of every command (layout: conventions).
WL_OK=0 WL_FINDINGS=1 WL_USAGE=2 WL_CONFLICT=3
export WL_OK WL_FINDINGS WL_USAGE WL_CONFLICT WL_AUTHOR_NAME WL_AUTHOR_EMAIL

# Tools print what this project parses: one language, no paging, no user hooks.
# Asking git for a status writes no index.
export LC_ALL=C.UTF-8 GIT_PAGER=cat GIT_CONFIG_NOSYSTEM=1 GIT_ADVICE=0 GIT_OPTIONAL_LOCKS=0
# Called from a git hook, or "git rebase --exec", these name another repository.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_COMMON_DIR GIT_OBJECT_DIRECTORY \
	GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_NAMESPACE GIT_PREFIX GIT_EXTERNAL_DIFF GIT_DIFF_OPTS CDPATH
umask 022

wl_cleanup_cmds=()
wl_start=$SECONDS

# wl_say: progress on stderr, with the seconds since the start.
wl_say() {
	[ -n "${WL_QUIET:-}" ] || printf '%s: [%3ds] %s\n' "$WL_NAME" "$((SECONDS - wl_start))" "$*" >&2
}

wl_warn() { printf '%s: warning: %s\n' "$WL_NAME" "$*" >&2; }

# wl_die CODE TEXT: one line that says what, where and what to do.
wl_die() {
	local code=$1
	shift
	printf '%s: %s\n' "$WL_NAME" "$*" >&2
	exit "$code"
}

# wl_option VAR WHAT ARGS...: the value of the option that ARGS begin with ("--x V"
# or "--x=V") into VAR.  wl_used is 1 when the value is a word of its own.
wl_option() {
	local value
	case $3 in
	*=*) value=${3#*=} wl_used=0 ;;
	*) value=${4:-} wl_used=1 ;;
	esac
	[ -n "$value" ] || wl_usage_error "${3%%=*} needs $2"
	printf -v "$1" %s "$value"
}

wl_usage_error() { wl_die "$WL_USAGE" "$* (see 'scripts/$WL_NAME --help')"; }

# wl_help: prints the comment block at the head of the command.
wl_help() {
	sed -n '3,/^$/{/^#/!q;s/^# \{0,1\}//;p}' "$1"
}

# wl_at_exit COMMAND...: runs at exit, in reverse order, also after a signal.
wl_at_exit() { wl_cleanup_cmds+=("$(printf '%q ' "$@")"); }

# wl_stop PID: ends a job in the background and what it runs, for wl_at_exit.  The
# number may be another process' once the job is over.
wl_stop() {
	jobs -rp | grep -qx "$1" || return 0
	pkill -P "$1" 2>/dev/null || true
	kill "$1" 2>/dev/null || true
	wait "$1" || true
}

wl_run_cleanup() {
	local rc=$? i
	trap '' INT TERM HUP
	for ((i = ${#wl_cleanup_cmds[@]} - 1; i >= 0; i--)); do
		eval "${wl_cleanup_cmds[i]}" || true
	done
	wl_cleanup_cmds=()
	# A tool's own exit code means nothing to a caller.
	case $rc in
	[0-3] | 129 | 130 | 143) ;;
	*)
		# But scripts/boot has more of them, and hands on those of programs.
		[ -z "${wl_own_exit_codes:-}" ] || exit "$rc"
		printf '%s: ended by a tool that failed with %d (its message is above); nothing is left half done\n' "$WL_NAME" "$rc" >&2
		rc=$WL_USAGE
		;;
	esac
	exit "$rc"
}
# A signal ends the children that this shell waits for, then cleans up.  It may
# come while stderr leads elsewhere.
exec {wl_stderr}>&2
wl_on_signal() {
	trap '' INT TERM HUP
	printf '%s: interrupted; nothing is left half done, run it again to go on\n' "$WL_NAME" >&"$wl_stderr"
	pkill -TERM -P $$ 2>/dev/null || true
	exit "$1"
}
# wl_no_signals: what follows is short and must not be cut in two; wl_traps ends it.
wl_no_signals() { trap '' INT TERM HUP; }
wl_traps() {
	trap wl_run_cleanup EXIT
	trap 'wl_on_signal 130' INT
	trap 'wl_on_signal 143' TERM
	trap 'wl_on_signal 129' HUP
}

# wl_cache_ready: the cache folder exists and can be written.
wl_cache_ready() {
	if mkdir -p "$WL_CACHE" 2>/dev/null && (: >"$WL_CACHE/.write-test.$$") 2>/dev/null; then
		rm -f "$WL_CACHE/.write-test.$$"
		return
	fi
	wl_die "$WL_USAGE" "cannot write to the cache $WL_CACHE: set WALKLOCK_CACHE to a folder that can be written"
}

# wl_space DIR GIB WHAT: at least GIB gibibytes are free where DIR is.
wl_space() {
	local free need=$(($2 * 1024 * 1024))
	need=${WALKLOCK_TEST_NEED_KIB:-$need}
	free=$(df -k --output=avail "$1" | tail -n 1)
	[ "$free" -ge "$need" ] ||
		wl_die "$WL_USAGE" "no space for $3: $((need / 1024)) MiB needed below $1, $((free / 1024)) MiB free; free some, or set WALKLOCK_CACHE"
}

# wl_tmpdir VAR: a folder that is gone when the command ends.  One that a killed
# command left has a lock that nobody holds: the next command removes it.
wl_tmpdir() {
	local -n wl_tmpdir_ref=$1
	local parent=${TMPDIR:-/tmp} dir fd
	while IFS= read -r dir; do
		flock -n "$dir/lock" rm -rf "$dir" 2>/dev/null || :
	done < <(find "$parent" -maxdepth 1 -type d -user "$(id -u)" -name 'walklock.????????' -mmin +1 2>/dev/null)
	dir=$(mktemp -d "$parent/walklock.XXXXXXXX" 2>/dev/null) ||
		wl_die "$WL_USAGE" "cannot make a temporary folder in $parent: set TMPDIR to a folder that can be written"
	wl_at_exit rm -rf "$dir"
	exec {fd}>"$dir/lock"
	flock -n "$fd"
	mkdir "$dir/d"
	# shellcheck disable=SC2034 # the caller's variable
	wl_tmpdir_ref=$dir/d
}

# wl_lock NAME: no two commands work on the same thing.  Fails at once with the
# holder's name, or waits WALKLOCK_WAIT seconds.  Commands that a holder calls
# share its lock.
wl_lock() {
	local file=$WL_CACHE/locks/$1 fd
	case " ${WL_LOCKS_HELD:-} " in *" $1 "*) return ;; esac
	mkdir -p "$WL_CACHE/locks"
	exec {fd}>>"$file"
	flock -w "${WALKLOCK_WAIT:-0}" "$fd" ||
		wl_die "$WL_USAGE" "$1 is in use by $(tail -n 1 "$file" 2>/dev/null || printf 'another command'): wait until it ends, or set WALKLOCK_WAIT=SECONDS"
	printf '%s (pid %d)\n' "$WL_NAME" $$ >"$file"
	export WL_LOCKS_HELD="${WL_LOCKS_HELD:-} $1"
}

# wl_lock_folder DIR WHAT: the same for a folder that is not the cache's; nothing
# is written to it.
wl_lock_folder() {
	local fd
	exec {fd}<"$1"
	flock -w "${WALKLOCK_WAIT:-0}" "$fd" ||
		wl_die "$WL_USAGE" "$2: another command is working on it: wait until it ends, or set WALKLOCK_WAIT=SECONDS"
}

# wl_row FILE NAME: the columns of NAME's line in a data file, or nothing.
wl_row() {
	awk -v n="$2" '!/^#/ && $1 == n { $1 = $1; print; exit }' "$1"
}
wl_names() { awk '!/^#/ && NF { print $1 }' "$1"; }

# wl_tree NAME: reads the tree's line into T_NAME, T_LINE, T_SERIES, T_DEBIAN,
# T_GIT, T_REF and T_DIR, or ends with exit code 2.
wl_tree() {
	local row
	row=$(wl_row "$WL_CONFIGS/trees" "$1")
	[ -n "$row" ] ||
		wl_die "$WL_USAGE" "unknown tree '$1': one of $(wl_names "$WL_CONFIGS/trees" | paste -sd' ') (configs/trees)"
	# shellcheck disable=SC2034 # read by the commands
	read -r T_NAME T_LINE T_SERIES T_DEBIAN T_GIT T_REF <<<"$row"
	T_SERIES=$WL_TOP/$T_SERIES
	T_DIR=$WL_CACHE/trees/$T_NAME
}

# wl_arch CELL: the same for an architecture, "ARCH", or one of its variants,
# "ARCH+VARIANT", into A_*.
wl_arch() {
	local extra word
	A_ROW=$(wl_row "$WL_CONFIGS/arches" "${1%%+*}")
	[ -n "$A_ROW" ] ||
		wl_die "$WL_USAGE" "unknown architecture '${1%%+*}': one of $(wl_names "$WL_CONFIGS/arches" | paste -sd' ') (configs/arches)"
	# shellcheck disable=SC2034
	read -r A_NAME A_ARCH A_SRCARCH A_CROSS A_CONFIG A_PACKAGE A_DEFAULT A_SCOPE A_NEEDS extra <<<"$A_ROW"
	A_VARIANT='' A_MAKE=() A_OPTIONS=() A_PROMPTS=() A_CC=${A_CROSS#-}gcc
	[ "$1" = "$A_NAME" ] || wl_variant "${1#*+}"
	A_SCOPE=${WL_SCOPE:-${A_SCOPE:-all}}
	for word in ${extra:-}; do
		case $word in
		CONFIG_?*=?*) A_OPTIONS+=("$word") ;;
		+?*) A_PROMPTS+=("${word#+}") ;;
		LLVM=1) A_MAKE+=("$word"); A_CC=clang ;;
		LLVM=-?*) A_MAKE+=("$word"); A_CC=clang${word#LLVM=} ;;
		?*=*) A_MAKE+=("$word") ;;
		*) wl_die "$WL_USAGE" "configs: '$word' in the line of $1 is no argument of make and no option" ;;
		esac
	done
}

# wl_variant NAME: what it changes in A_*, and in wl_arch's "extra".
wl_variant() {
	local row arches config scope needs more a found=
	row=$(wl_row "$WL_CONFIGS/variants" "$1")
	[ -n "$row" ] ||
		wl_die "$WL_USAGE" "unknown variant '$1': one of defconfig $(wl_names "$WL_CONFIGS/variants" | paste -sd' ') (configs/variants)"
	read -r A_VARIANT arches config scope needs more <<<"$row"
	[ "$config" = - ] || A_CONFIG=$config
	for a in ${arches//,/ }; do
		[ "${a%%:*}" = "$A_NAME" ] || continue
		found=yes
		case $a in *:*) A_CONFIG=${a#*:} ;; esac
	done
	[ -n "$found" ] || wl_die "$WL_USAGE" "$A_NAME has no variant '$1' (configs/variants)"
	# shellcheck disable=SC2034
	A_NAME+=+$1 A_DEFAULT=no A_ROW+=$'\n'$row
	[ "${scope:--}" = - ] || A_SCOPE=$scope
	[ "${needs:--}" = - ] || A_NEEDS=${A_NEEDS#-}${A_NEEDS:+,}$needs
	extra+=" $more"
}

# wl_kernel_version DIR: "VERSION.PATCHLEVEL.SUBLEVEL[EXTRA]" of a kernel tree;
# fails when DIR is none.
wl_kernel_version() {
	[ -f "$1/Makefile" ] && [ -f "$1/Kbuild" ] || return 1
	awk -F'[ \t]*=[ \t]*' '
		$1 == "VERSION" { v = $2 } $1 == "PATCHLEVEL" { p = $2 }
		$1 == "SUBLEVEL" { s = $2 } $1 == "EXTRAVERSION" { e = $2 }
		NR > 12 { exit }
		END { if (v == "" || p == "") exit 1; print v "." p "." s e }' "$1/Makefile"
}

# wl_same_line VERSION LINE: 6.1.192 is of line 6.1, 6.12.1 is not.
wl_same_line() {
	case $1 in "$2" | "$2".* | "$2"-*) return 0 ;; esac
	return 1
}

# wl_need COMMAND...: installs what is missing, or says how to.
wl_need() {
	local missing=() c
	for c; do command -v "$c" >/dev/null 2>&1 || missing+=("$c"); done
	[ ${#missing[@]} -eq 0 ] || "$WL_SCRIPTS/setup" "${missing[@]}" || exit "$WL_USAGE"
}

# wl_git DIR ARGS...: git without the user's hooks and signing.
wl_git() {
	local dir=$1
	shift
	git -C "$dir" -c core.hooksPath=/dev/null -c commit.gpgSign=false -c gc.auto=0 \
		-c advice.detachedHead=false -c core.fsmonitor=false -c checkout.workers=0 \
		-c core.untrackedCache=false -c safe.directory='*' \
		-c core.autocrlf=false -c am.threeWay=false -c apply.whitespace=nowarn \
		-c apply.ignoreWhitespace=no -c merge.verifySignatures=false \
		-c i18n.commitEncoding=UTF-8 -c diff.algorithm=myers -c diff.noprefix=false \
		-c diff.mnemonicPrefix=false -c diff.orderFile=/dev/null -c format.pretty=medium "$@"
}

# wl_git_clean DIR WHAT: ends with 2 when DIR has changes that are not committed.
wl_git_clean() {
	local changes
	changes=$(wl_git "$1" status --porcelain -uno 2>&1) ||
		wl_die "$WL_USAGE" "$2: git cannot say whether it has changes: $(head -n 1 <<<"$changes")"
	[ -z "$changes" ] || wl_die "$WL_USAGE" "$2: has uncommitted changes; commit or stash them first"
}

# wl_count N ONE MANY: "1 patch", "3 patches".
wl_count() { if [ "$1" -eq 1 ]; then printf '1 %s' "$2"; else printf '%d %s' "$1" "$3"; fi; }

# wl_hash: short sha256 of standard input.
wl_hash() { sha256sum | cut -c1-32; }

# wl_topics: the topic folders of the loaded tree's series that hold patches.
wl_topics() {
	local d
	for d in "$T_SERIES"/[0-9]-*/; do
		compgen -G "$d*.patch" >/dev/null && basename "$d"
	done
	return 0
}

# wl_git_idle DIR WHAT: ends with 2 when DIR is in the middle of an operation.
wl_git_idle() {
	local g op
	g=$(git -C "$1" -c safe.directory='*' rev-parse --absolute-git-dir)
	for op in rebase-merge rebase-apply MERGE_HEAD CHERRY_PICK_HEAD REVERT_HEAD BISECT_LOG index.lock; do
		[ ! -e "$g/$op" ] ||
			wl_die "$WL_USAGE" "$2: a git operation is under way there ($op); finish or abort it first"
	done
}
