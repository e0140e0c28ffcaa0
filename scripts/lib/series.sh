# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2153
#
# A series: its patch files, and its branches in the tree's repository
# (walklock/TOPIC is the tip of a topic, each on top of the one before).

# wl_series [TOPIC]: reads the loaded tree's topics and patch files into
# S_TOPICS and S_PATCHES, and the paths that they touch into S_FILES; ends with 2
# when a file is damaged.  With a topic, all topics before it are part of it.
wl_series() {
	local topic said
	S_TOPICS=() S_PATCHES=()
	[ -d "$T_SERIES" ] || wl_die "$WL_USAGE" "no series for $T_NAME: $T_SERIES is not there"
	while read -r topic; do
		S_TOPICS+=("$topic")
		S_PATCHES+=("$T_SERIES/$topic"/*.patch)
		[ "$topic" != "${1:-}" ] || break
	done < <(wl_topics)
	[ ${#S_PATCHES[@]} -gt 0 ] || wl_die "$WL_USAGE" "no patches for $T_NAME in $T_SERIES"
	[ -z "${1:-}" ] || [ "$topic" = "$1" ] || [ "${S_TOPICS[-1]}" = "$1" ] ||
		wl_die "$WL_USAGE" "unknown topic '$1' for $T_NAME: one of ${S_TOPICS[*]}"
	wl_need python3
	# -IS: nothing of the user's Python set-up takes part.
	said=$(python3 -IS "$WL_SCRIPTS/lib/patches.py" sane "${S_PATCHES[@]}") ||
		wl_die "$WL_USAGE" "${said%%$'\n'*}; nothing was applied"
	mapfile -t S_FILES <<<"$said"
}

# wl_scratch_clone VAR REPO COMMIT: a repository of its own that shares REPO's
# objects, with only the files that the series touches checked out.
# Nothing is written to REPO, so an interruption leaves no trace there, and the
# user's git configuration changes nothing.
wl_scratch_clone() {
	local -n wl_clone_ref=$1
	local repo=$2 commit=$3 common
	local -x GIT_CONFIG_GLOBAL=/dev/null
	wl_tmpdir wl_clone_ref
	common=$(git -C "$repo" -c safe.directory='*' rev-parse --git-common-dir)
	common=$(cd "$repo" && cd "$common" && pwd -P)
	git init -q --template= "$wl_clone_ref"
	mkdir -p "$wl_clone_ref/.git/info"
	printf '%s\n' "$common/objects" >"$wl_clone_ref/.git/objects/info/alternates"
	[ ! -f "$common/shallow" ] || cp "$common/shallow" "$wl_clone_ref/.git/shallow"
	wl_git "$wl_clone_ref" update-ref --no-deref HEAD "$commit"
	wl_git "$wl_clone_ref" config core.sparseCheckout true
	wl_git "$wl_clone_ref" config core.sparseCheckoutCone false
	{
		printf '/Makefile\n'
		printf '%s\n' "${S_FILES[@]}" | sed 's/[][*?\\]/\\&/g; s|^|/|'
	} >"$wl_clone_ref/.git/info/sparse-checkout"
	wl_git "$wl_clone_ref" read-tree -mu HEAD
}

# wl_am CLONE PATCH...: git am, no fuzz.  A conflict is reported hunk by hunk on
# stdout, and the function returns 3; WL_AM_AT is the patch, WL_AM_N its number.
# With WL_AM_LOOK, one whose lines are all in the files already is passed over and
# goes to WL_AM_THERE.
wl_am() {
	local clone=$1 n=0 total patch log
	local -x GIT_CONFIG_GLOBAL=/dev/null
	shift
	total=$#
	log=$clone/.git/am.log
	for patch; do
		n=$((n + 1))
		if ! wl_git "$clone" am -q --keep-cr --no-3way --no-scissors \
			${WL_AM_OPTIONS[@]+"${WL_AM_OPTIONS[@]}"} "$patch" >"$log" 2>&1; then
			# A full disk, say, is no conflict.
			grep -qE '^error: (.*(patch does not apply|already exists in|does not exist in|No such file)|patch failed)' "$log" ||
				wl_die "$WL_USAGE" "git am ended before it tried ${patch#"$WL_TOP/"}: $(grep -m1 -E '^(fatal|error):' "$log" || tail -n 1 "$log"); nothing was applied"
			if [ -n "${WL_AM_LOOK:-}" ] && python3 -IS "$WL_SCRIPTS/lib/patches.py" there "$patch" "$clone"; then
				wl_git "$clone" am --quit
				WL_AM_THERE+=("$patch")
				continue
			fi
			WL_AM_AT=$patch WL_AM_N=$n
			printf 'conflict: patch %d of %d does not fit: %s\n' "$n" "$total" "${patch#"$WL_TOP/"}"
			python3 -IS "$WL_SCRIPTS/lib/patches.py" conflict "$patch" "$clone" || sed 's/^/  git: /' "$log"
			return "$WL_CONFLICT"
		fi
	done
}

# wl_series_key: what the branches are made of: the base and the patch files.
wl_series_key() {
	{
		git -C "$T_DIR" rev-parse 'base^{tree}'
		sha256sum "${S_PATCHES[@]}" | awk '{ print $1 }'
	} | wl_hash
}

wl_series_refs() {
	git -C "$T_DIR" for-each-ref --format='%(refname) %(objectname)' refs/heads/walklock/
}

# wl_series_made_here: the base is the one that the patch files were made on, so that
# the branches have to give the same bytes.  It is the tree that the series' file
# "base" names, or one with the same files: each that the series changes is there
# as the first patch of it says in its index line.
wl_series_made_here() {
	local made
	made=$(wl_series_made_on)
	read -r _ made _ <<<"$made"
	[ "$made" != "$(git -C "$T_DIR" rev-parse 'base^{tree}')" ] || return 0
	awk 'FNR == 1 { a = "" }
		/^diff --git / { a = substr($3, 3); b = substr($4, 3) }
		/^index [0-9a-f]+\.\.[0-9a-f]+/ && a != "" {
			split($2, id, /\.\./)
			if (!(a in seen)) print id[1], a
			seen[a] = seen[b] = 1
			a = ""
		}' "${S_PATCHES[@]}" |
		while read -r id path; do
			now=$(git -C "$T_DIR" rev-parse -q --verify "base:$path") || now=${id//[0-9a-f]/0}
			[ "$id" = "$now" ] || exit 1
		done
}
# wl_series_made_on: what it is called: VERSION TREE ORIGIN, or nothing.
wl_series_made_on() { [ ! -f "$T_SERIES/base" ] || sed '/^#/d' "$T_SERIES/base"; }
wl_series_base_write() {
	{
		printf '# What these patch files were made on (scripts/export writes it):\n#   version  tree  origin\n'
		printf '%s %s %s\n' "$(git -C "$T_DIR" config walklock.version)" "$(git -C "$T_DIR" rev-parse 'base^{tree}')" \
			"$(git -C "$T_DIR" config walklock.origin)"
	} >"$T_SERIES/.base.$$"
	mv "$T_SERIES/.base.$$" "$T_SERIES/base"
}

# wl_format_patch REPO FROM TO DIR: the patch files of a range, whose bytes
# depend on nothing but the commits.
wl_format_patch() {
	GIT_CONFIG_GLOBAL=/dev/null wl_git "$1" -c diff.renames=true -c format.encodeEmailHeaders=true format-patch -q \
		--zero-commit --no-signature --no-numbered --no-cover-letter --no-base \
		--no-thread --no-attach --no-notes --full-index --no-ext-diff --no-textconv \
		-p --stat=79,60 --summary --unified=3 --subject-prefix=PATCH -o "$4" "$2..$3"
}
