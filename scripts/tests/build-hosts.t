#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2016,SC2317 # the stand-ins expand; functions are passed by name
#
# scripts/build --hosts: the cells on two machines, one of which is lost midway.  The
# machines are two sshd of this test's own on 127.0.0.2 and 127.0.0.3, each with a
# cache of its own.

# shellcheck source=scripts/tests/cells-lib.sh
. "$(dirname "$0")/cells-lib.sh"
PATH=$PATH:/usr/sbin:/sbin
printf 'toy3 toy3 toy toy-linux- tiny_defconfig gcc-toy no touched -\n' >>"$W/configs/arches"

# ---- what a host sends is not trusted --------------------------------------------------

E=$T/evidence
key=0123456789abcdef0123456789abcdef
log=$(printf 'a log\n' | gzip -c | base64 -w 0)
take() { printf '%s\n' "$@" | python3 -IS "$W/scripts/lib/cells.py" "$E" toy toy+up >"$L_TMP/taken" 2>&1; }
record() { # CELL CHECK [LOG]
	printf 'record %s {"scope":"series","check":"%s","key":"%s","verdict":"passed","detail":"d","log":"/there/%s","seconds":3,"reused":false}' \
		"$1" "$2" "$key" "${3-$key.build-$1.log}"
}
take "file toy $key.build-toy.log $log" "file toy $key.build-toy.log.built $log" "$(record toy 'build toy')" 'end toy far'
is "$(cut -d' ' -f1,2 "$L_TMP/taken" | paste -sd,)" "record toy,end toy" "a cell that came to its end is taken"
is "$(jq -r '.host + " " + .log + " " + (.reused | tostring)' "$E/$key.json")" "far $E/logs/$key.build-toy.log null" "its record names the host, and the log that came with it"
is "$(cat "$E/logs/$key.build-toy.log")" "a log" "which is here"
none() { # NAME LINE...: nothing is kept of these lines
	local name=$1
	shift
	rm -rf "$E"
	take "$@"
	is "$(grep -c '^end' "$L_TMP/taken")/$(find "$E" -type f 2>/dev/null | wc -l)" 0/0 "$name"
}
none "one without its end is not" "file toy $key.build-toy.log $log" "$(record toy 'build toy')"
none "nor one that nobody asked for" "file other $key.build-other.log $log" "$(record other 'build other')" 'end other far'
none "nor a file of another name" "file toy ../../$key.build-toy.log $log" "$(record toy 'build toy' '')" 'end toy far'
none "nor a record of another cell" "file toy $key.build-toy.log $log" "$(record toy 'build x86_64')" 'end toy far'
none "nor a log that is cut off" "file toy $key.build-toy.log ${log:0:12}" "$(record toy 'build toy')" 'end toy far'
none "nor a record without its log" "$(record toy 'build toy')" 'end toy far'
none "nor a cell without a build" "file toy $key.build-toy.log $log" "$(record toy 'warnings toy')" 'end toy far'

# ---- two hosts ------------------------------------------------------------------------------

SSHD=$(command -v sshd)
why=
[ -n "$SSHD" ] && command -v ssh >/dev/null && command -v ssh-keygen >/dev/null || why="no sshd (Debian: openssh-server)"
command -v parallel >/dev/null || why="${why:-no GNU parallel (Debian: parallel)}"
python3 -c 'import socket; [socket.socket().bind((a, 0)) for a in ("127.0.0.2", "127.0.0.3")]' 2>/dev/null ||
	why=${why:-no loopback addresses 127.0.0.2 and 127.0.0.3}
# As root it wants this folder, which the package's service makes.
if [ -z "$why" ] && [ "$(id -u)" -eq 0 ] && [ ! -d /run/sshd ]; then
	mkdir -m 755 /run/sshd 2>/dev/null && made=yes || why="no /run/sshd"
fi

# No blank may be in what sshd and parallel's list of hosts name.
H=$(mktemp -d "/tmp/wl-hosts.XXXXXX") || exit 1
declare -A sshd
descendants() { # PID: it, and what it started
	local p
	printf '%s\n' "$1"
	for p in $(pgrep -P "$1"); do descendants "$p"; done
}
lose() { # HOST: the machine is gone, with all that runs on it
	local all
	[ -n "${sshd[$1]:-}" ] || return 0
	mapfile -t all < <(descendants "${sshd[$1]}")
	kill -KILL "${all[@]}" 2>/dev/null
	unset "sshd[$1]"
}
hosts_end() {
	lose 2
	lose 3
	rm -rf "$H"
	[ -z "${made:-}" ] || rmdir /run/sshd 2>/dev/null
	l_end
}
trap hosts_end EXIT

mkdir "$H/bin"
for f in "$B"/*; do ln -s "$f" "$H/bin/"; done
host_up() { # HOST
	local i
	cat >"$H/sshd.$1" <<-EOF
		ListenAddress 127.0.0.$1
		Port $PORT
		HostKey $H/hostkey
		AuthorizedKeysFile $H/key.pub
		PidFile none
		StrictModes no
		UsePAM no
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		PermitRootLogin prohibit-password
		PermitUserRC no
		SetEnv WALKLOCK_CACHE=$H/cache$1 WALKLOCK_TEST_NEED_KIB=1 STAND=$H/stand$1 PATH=$H/bin:$PATH_PLAIN HOME=$H/home TMPDIR=$H/tmp$1
	EOF
	mkdir -p "$H/tmp$1" "$H/home" "$H/stand$1/calls"
	"$SSHD" -D -e -f "$H/sshd.$1" >"$H/sshd.$1.log" 2>&1 </dev/null &
	sshd[$1]=$!
	for ((i = 0; i < 100; i++)); do
		! "${ssh[@]}" "127.0.0.$1" true 2>"$H/ssh.err" </dev/null || return 0
		kill -0 "${sshd[$1]}" 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}
PATH_PLAIN=$(printf '%s\n' "$PATH" | tr : '\n' | grep -v ' ' | paste -sd:)
PORT=$((20000 + $$ % 20000))
ssh=(ssh -F "$H/ssh")
if [ -z "$why" ]; then
	ssh-keygen -q -t ed25519 -N '' -f "$H/hostkey" && ssh-keygen -q -t ed25519 -N '' -f "$H/key"
	cat >"$H/ssh" <<-EOF
		Host 127.0.0.*
			Port $PORT
			IdentityFile $H/key
			IdentitiesOnly yes
			StrictHostKeyChecking no
			UserKnownHostsFile $H/known
			LogLevel ERROR
	EOF
	host_up 2 && host_up 3 || why="the sshd of this test did not start: $(tail -n 1 "$H/sshd.2.log" "$H/sshd.3.log" "$H/ssh.err" 2>/dev/null | paste -sd' ')"
fi
if [ -n "$why" ]; then
	skip "cells on two hosts" "$why"
	done_testing
	exit
fi
printf '# two of them\nssh -F %s 127.0.0.2\n4/ssh -F %s 127.0.0.3\n' "$H/ssh" "$H/ssh" >"$T/hosts"

# The hosts get the tree from where configs/trees says, as any machine does.
wl tree fake --from "$P" >/dev/null 2>&1
cp -R "$P" "$T/origin"
make_git "$T/origin"
ran() { if [ -f "$H/stand$1/calls/make" ]; then cut -d' ' -f1 "$H/stand$1/calls/make" | sort -u | paste -sd,; fi; }

# Each has a cell that hangs until told otherwise: both are at work.
: >"$H/stand2/wait-toy"
: >"$H/stand2/wait-lltoy"
: >"$H/stand3/wait-toy"
: >"$H/stand3/wait-lltoy"
rm -f "$T"/calls/*
start "$W/scripts/build" fake --arch toy,llvm,toy3,toy+up,toy+free,toy+stuck,moon,nocc --hosts "$T/hosts"
for ((i = 0; i < 600; i++)); do
	[ -z "$(ran 2)" ] || [ -z "$(ran 3)" ] || break
	kill -0 "$PID" 2>/dev/null || break
	sleep 0.1
done
[ -n "$(ran 2)" ] && [ -n "$(ran 3)" ]
ok $? "both hosts are at work" || diag <"$L_TMP/bg.err"
lost=$(ran 3)
lose 3
rm -f "$H"/stand2/wait-*
finish
is "$RC" 1 "one of them is lost midway: the run ends, with the failure that one cell has anyway"
is "$(jq -r '[.records[] | select(.check | startswith("build ")) | .check[6:] + " " + .verdict] | join(",")' "$R")" \
	"llvm passed,moon skipped,nocc skipped,toy passed,toy+free passed,toy+stuck failed,toy+up passed,toy3 passed" "every cell has its record"
is "$(jq -r '[.records[] | select(.host) | .host] | unique | join(",")' "$R")" "127.0.0.2" "those of the lost host, too, were run on the other"
like ",$(ran 2)," ",$lost," "namely what it was at ($lost)"
is "$(calls make)" "" "nothing was compiled here"
like "$(detail 'build nocc')" "^no host ran it: (on 127.0.0.2: no compiler nocc-linux-gcc|ssh: .*refused)" "a compiler that no host has: skipped, with the reason of the last one asked"
is "$(detail 'build toy+stuck')/$(rec 'warnings toy+stuck')" "configuration: CONFIG_PER_VMA_LOCK is y in .config, not n/skipped false" "a failure comes back as such, and is not tried elsewhere"
is "$(detail coverage)" "every touched C file was compiled" "the coverage counts what the hosts compiled"
[ -s "$(field 'build toy' log)" ] || [ -e "$(field 'build toy' log)" ]
ok $? "the logs are here"
like "$OUT" "toy +passed +passed +[0-9]+ +on 127.0.0.2: 3 touched files" "the table says where"
is "$(tmp_left)/$(find "$H"/tmp2 -mindepth 1 | wc -l)" 0/0 "no temporary folder is left, here or there"

rm -f "$H"/stand?/calls/*
build --arch toy,llvm
is "$RC/$(calls make)/$(jq '[.records[] | select(.reused and (.check | startswith("build ")))] | length' "$R")" "0//2" "the records count here: the compiler is the same"
build --arch toy,llvm,toy+up --hosts "$T/hosts"
is "$RC/$(ran 2)" "0/" "and with --hosts: nothing is run"
like "$ERR" "^[^:]*: \[[^]]*\] already applied[^:]*" "(no host is asked)"
rm -rf "$WALKLOCK_CACHE/evidence" "$R"
build --arch toy,llvm --hosts "$T/hosts"
is "$RC/$(ran 2)/$(rec 'build toy'),$(rec 'build llvm')" "0//passed true,passed true" "records that are lost here: the host still has its own"
like "$ERR" "warning: host 127.0.0.3 is left out: .*[Rr]efused" "a host that cannot be reached is left out, and named"
build --arch nocc --hosts "$T/hosts"
is "$RC/$(detail 'build nocc')" "0/no host ran it: on 127.0.0.2: no compiler nocc-linux-gcc (Debian: has none)" "the reason of a host that is there"

# Interrupted: nothing goes on there, and the next run goes on here.
: >"$H/stand2/wait-toy"
rm -f "$H"/stand2/calls/*
rm -rf "$WALKLOCK_CACHE/evidence" "$H/cache2/evidence" "$R"
start "$W/scripts/build" fake --arch llvm,toy --hosts "$T/hosts"
for ((i = 0; i < 600; i++)); do
	case ,$(ran 2), in *,toy,*) break ;; esac
	sleep 0.1
done
kill -TERM "$PID"
finish
is "$RC/$(tmp_left)" 143/0 "SIGTERM: it ends, and no temporary folder is left"
for ((i = 0; i < 100; i++)); do
	[ -n "$(descendants "${sshd[2]}" | tail -n +2)" ] || break
	sleep 0.1
done
is "$(descendants "${sshd[2]}" | wc -l)" 1 "nothing of it runs on the host any more"
rm -f "$H/stand2/wait-toy"
build --arch llvm,toy --hosts "$T/hosts"
is "$RC/$(rec 'build llvm'),$(rec 'build toy')" "0/passed true,passed false" "run again: what was done is taken"

edit "$T/origin/mm/other.c" 's/first/first of them/'
g "$T/origin" commit -q -a -m "another tree"
rm -rf "$H/cache2/trees" "$H/cache2/work"
build --arch toy --no-reuse --hosts "$T/hosts"
is "$RC/$(rec 'build toy')" "0/skipped false" "a host whose tree is another one: its result is not taken"
like "$(detail 'build toy')" "^no host ran it: on 127.0.0.2: its fake is not the same one, but 7.3.4 \(file://" "with the reason"
lose 2
build --arch toy --no-reuse --hosts "$T/hosts"
is "$RC" 2 "no host at all: exit code 2"
like "$ERRL" "no host can be reached" "and says so"
done_testing
