# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A private apt root in the cache: own lists, own sources, the machine's
# keyrings and transport settings.  The machine's apt state is not touched.

WL_APT=${WL_APT:-$WL_CACHE/apt}
WL_APT_OPTIONS=(
	-o "Dir::Etc::SourceList=$WL_APT/sources.list" -o Dir::Etc::SourceParts=/dev/null
	-o "Dir::State=$WL_APT/state" -o "Dir::State::Lists=$WL_APT/lists"
	-o Dir::State::status=/dev/null -o "Dir::Cache=$WL_APT/cache"
	-o "Dir::Cache::Archives=$WL_APT/archives" -o Acquire::Languages=none
	-o "APT::Sandbox::User=$(id -un)" -o Acquire::Retries=2
	-o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false
	-o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
	-o APT::Update::Post-Invoke-Success::= -o APT::Get::List-Cleanup=true
)
wl_apt_get() { apt-get "${WL_APT_OPTIONS[@]}" "$@"; }
wl_apt_cache() { apt-cache "${WL_APT_OPTIONS[@]}" "$@"; }

# wl_apt_sites: the Debian archives in the machine's apt configuration.
# apt itself reads its configuration: both file formats, every proxy.
wl_apt_sites() {
	apt-get update --print-uris 2>/dev/null |
		sed -n "s|^'\(.*\)/dists/\(.*\)/InRelease'.*|\1 \2|p" | sort -u
}

# wl_apt_sites_all: those, and beside each main archive its security archive,
# which has the newest point releases even where the machine does not use it.
wl_apt_sites_all() {
	local sites
	sites=$(wl_apt_sites)
	printf '%s\n' "$sites"
	sed -n 's|^\(.*/debian\)/* .*|\1-security bookworm-security|p' <<<"$sites" | sort -u
}

wl_apt_fetch() { # URL FILE [RETRIES]
	/usr/lib/apt/apt-helper -o "APT::Sandbox::User=$(id -un)" -o "Acquire::Retries=${3:-3}" \
		download-file "$1" "$2" >/dev/null 2>&1
}

# wl_apt_sources: writes sources.list with every suite that the mirror offers.
# The names of suites cannot be asked of a mirror, so the usual ones are tried.
wl_apt_sources() {
	local site suite base s keyring=/usr/share/keyrings/debian-archive-keyring.gpg options tmp seen=' '
	options='check-valid-until=no'
	[ ! -f "$keyring" ] || options="signed-by=$keyring $options"
	tmp=$WL_APT/probe.$$
	mkdir -p "$WL_APT/lists/partial" "$WL_APT/archives/partial" "$WL_APT/state" "$WL_APT/cache"
	: >"$WL_APT/sources.list.$$"
	while read -r site suite; do
		case $site in
		*-security) base='bookworm-security trixie-security forky-security' ;;
		*) base="bookworm bookworm-updates bookworm-proposed-updates bookworm-backports
			trixie trixie-updates trixie-proposed-updates trixie-backports
			forky forky-updates forky-backports sid experimental" ;;
		esac
		for s in $suite $base; do
			case $seen in *" $site/$s "*) continue ;; esac
			seen+="$site/$s "
			if ! wl_apt_fetch "$site/dists/$s/InRelease" "$tmp" 1; then
				# Not even the suite that the machine is set up for: no network.
				[ "$s" != "$suite" ] || break
				continue
			fi
			grep -q '^Origin: Debian' "$tmp" || continue
			printf 'deb [%s] %s %s main\n' "$options" "$site" "$s" >>"$WL_APT/sources.list.$$"
		done
	done < <(wl_apt_sites_all)
	rm -f "$tmp"
	[ -s "$WL_APT/sources.list.$$" ] || {
		rm -f "$WL_APT/sources.list.$$"
		return 1
	}
	mv "$WL_APT/sources.list.$$" "$WL_APT/sources.list"
}

# wl_apt_update: fresh lists.  A suite whose signature cannot be checked with
# the machine's keyrings is left out by apt and named here.
wl_apt_update() {
	local log=$WL_APT/update.log
	wl_apt_sources || return 1
	wl_apt_get update >"$log" 2>&1 || true
	grep -E '^[EW]: .*(NO_PUBKEY|not signed|EXPKEYSIG|BADSIG)' "$log" |
		while IFS= read -r line; do wl_warn "suite left out: ${line%%Release*}"; done || true
	compgen -G "$WL_APT/lists/*Packages*" >/dev/null
}

# wl_apt_newest PACKAGE LINE: newest released version of the line, or nothing.
wl_apt_newest() {
	local best='' v
	while read -r v; do
		case $v in *~rc*) continue ;; esac
		wl_same_line "${v%%-*}" "$2" || continue
		if [ -z "$best" ] || dpkg --compare-versions "$v" gt "$best"; then best=$v; fi
	done < <(wl_apt_cache madison "$1" 2>/dev/null | awk -F'|' '{ gsub(/ /, "", $2); print $2 }' | sort -u)
	printf '%s\n' "$best"
}

# wl_hash_is FILE ALGORITHM:HEX: the file is there and has that hash.
wl_hash_is() {
	local sum
	[ -f "$1" ] || return 1
	case $2 in
	SHA256:*) sum=$(sha256sum "$1") ;;
	SHA512:*) sum=$(sha512sum "$1") ;;
	*) return 1 ;;
	esac
	[ "${sum%% *}" = "${2#*:}" ]
}
