#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2119
#
# What every command has in common: --help, unknown options and trees, no argument.

# shellcheck source=scripts/tests/lib.sh
. "$(dirname "$0")/lib.sh"
make_checkout
mapfile -t commands < <(cd "$W/scripts" && find . -maxdepth 1 -type f -executable -printf '%f\n' | sort)
[ ${#commands[@]} -ge 9 ]
ok $? "the commands are there: ${commands[*]}"
all=$(snap_all)
for c in "${commands[@]}"; do
	run wl "$c" --help
	good "$c --help" "^usage: (scripts/)?$c"
	like "$OUT" "Exit codes?:.*2 " "$c --help says what the exit codes mean"
	is "$ERR" "" "$c --help: nothing on stderr"
	help=$OUT
	run wl "$c" -h
	is "$RC/$OUT" "0/$help" "$c -h: the same"
	run wl "$c" --no-such-option
	case $c in
	annotate) # argparse says its usage as well, and asks for the folder first
		is "$RC" 2 "$c: an unknown option"
		run wl "$c"
		is "$RC" 2 "$c without an argument"
		continue ;;
	esac
	refused 2 "no-such-option" "$c: an unknown option"
	case $c in
	run | test | setup | report) continue ;; # no argument: all of it
	toolbox) want='which command\?' ;;
	*) want='which tree\? one of fake old deb' ;;
	esac
	run wl "$c"
	refused 2 "$want" "$c without an argument"
	[ "$c" != toolbox ] || continue
	run wl "$c" nosuch
	refused 2 "unknown tree 'nosuch': one of fake old deb \(configs/trees\)" "$c: an unknown tree"
	[ "$c" != mail ] || continue
	run wl "$c" fake old
	refused 2 "one tree at a time, not 'fake' and 'old'" "$c: two trees"
done
run wl run nosuch
refused 2 "unknown tree 'nosuch': one of fake old deb" "run: an unknown tree"
run wl run fake nosuch
refused 2 "unknown tree 'nosuch'" "run: an unknown tree after a known one, before any work"
run wl test --tree nosuch
refused 2 "unknown tree 'nosuch'" "test: an unknown tree"
is "$(snap_all)/$(tmp_left)" "$all/0" "nothing of this changed anything"

# The help is the text at the head of the command, and every option that the
# command takes is in it.
for c in "${commands[@]}"; do
	missing=
	help=$(wl "$c" --help)
	while read -r o; do
		grep -q -e "$o" <<<"$help" || missing+="$o "
	done < <(sed -nE 's/^[[:space:]]+(--[a-z-]+)( \| --[a-z-]+)*( \| --[a-z-]+=\*)?\).*/\1/p' "$W/scripts/$c")
	is "$missing" "" "$c --help names every option"
done

# From any folder, called through a path with spaces, and through a link.
mkdir "$T/else where"
(cd "$T/else where" && "../check out/scripts/tree" --help) >"$L_TMP/out" 2>&1
is "$?/$(head -n 1 "$L_TMP/out" | cut -c1-19)" "0/usage: scripts/tree" "by a relative path"

# A relative cache is one below the caller's folder, for whatever a command calls.
make_kernel "$T/plain"
mkdir "$T/rel"
cd "$T/rel" || exit 1
run env WALKLOCK_CACHE=relc WALKLOCK_OUT=relo "$W/scripts/tree" fake --from "$T/plain"
good "a relative WALKLOCK_CACHE" "^$T/rel/relc/trees/fake\$"
run env WALKLOCK_CACHE=relc XDG_CACHE_HOME=relx "$W/scripts/tree" fake --describe
good "a second time" "^7.3.4 unpacked source folder\$"
run env -u WALKLOCK_CACHE XDG_CACHE_HOME=relc "$W/scripts/tree" fake --from "$T/plain"
good "a relative XDG_CACHE_HOME" "^$T/rel/relc/walklock/trees/fake\$"
cd / || exit 1

# What prints commands alone wants no cache that can be written.
make_series "$W/patches"
rm -r "$T/plain"
make_tree
wl apply fake >/dev/null 2>&1
mkdir "$T/bin/no-apt"
printf '#!/bin/sh\nexit 100\n' >"$T/bin/no-apt/apt-get"
chmod 755 "$T/bin/no-apt/apt-get"
for c in "build fake --arch x86_64 --print-jobs" "boot fake --dry-run" "bench fake --dry-run"; do
	touch -d @1 "$WALKLOCK_CACHE"
	# shellcheck disable=SC2086
	run env PATH="$T/bin/no-apt:$PATH" "$W/scripts/"$c
	case $ERR in *"missing: "*) skip "${c#* fake }" "${ERR#*missing: }"; continue ;; esac
	good "${c% fake*} ${c#* fake }" "."
	is "$(stat -c %Y "$WALKLOCK_CACHE")" 1 "${c% fake*} ${c#* fake }: nothing is written to the cache, not even to try"
done
touch -d @0 "$WALKLOCK_CACHE"
run wl boot fake --tests nosuch --dry-run
refused 2 "no selftest 'nosuch' of fake in configs/boot/selftests" "boot: a selftest that is none, before anything is done"

run wl setup nosuchcommand
refused 2 "no Debian package is known for 'nosuchcommand' \(configs/packages\): install it by hand" "setup: an unknown command"
run env PATH="$(bin_without shellcheck jq)" "$W/scripts/setup" jq shellcheck git
refused 2 "missing: jq shellcheck; .*install" "setup: no way to install: names what is missing"
if command -v apt-get >/dev/null && command -v apt-cache >/dev/null; then
	d=$(bin_without jq)
	ln -sf "$(command -v apt-get)" "$(command -v apt-cache)" "$d/"
	run env PATH="$d" "$W/scripts/setup" --print jq
	good "setup --print names the package" "^jq\$"
	if [ "$(id -u)" -ne 0 ]; then
		run env PATH="$d" "$W/scripts/setup" jq
		refused 2 "not root and no sudo: run 'apt-get install -y --no-install-recommends jq' as root" "setup as an ordinary user: the line to run"
	fi
fi

# A waiver of a patch that has got another number or name waives nothing.
lost=$(cd "$L_TOP" && sed '/^#/d' configs/checkpatch-waivers configs/mail-waivers | while read -r tree patch _; do
	[ "$tree" = mainline ] && dir=patches || dir=backports/$tree
	case $patch in [0-9]-*/*.patch) [ -f "$dir/$patch" ] || printf '%s %s ' "$tree" "$patch" ;; esac
done)
is "$lost" "" "every waiver names a patch that is there"
done_testing
