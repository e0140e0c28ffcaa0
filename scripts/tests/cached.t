#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/lib/bin/cached: ccache, but never an old kernel in a new image.

# shellcheck source=scripts/tests/lib.sh
. "$(dirname "$0")/lib.sh"

if ! command -v ccache >/dev/null || ! command -v gcc >/dev/null; then
	printf '1..0 # SKIP ccache and gcc are needed\n'
	exit 0
fi
cd "$T" || exit 1
export CCACHE_DIR=$T/ccache CCACHE_DEPEND=1
cc() { "$L_TOP/scripts/lib/bin/cached" gcc -MMD -c -o "$1.o" "$1"; }
hits() { ccache --print-stats | awk '/_cache_hit/ { n += $2 } END { print n + 0 }'; }

printf '.section .rodata\n.incbin "data"\n' >wrap.S
printf 'asm(".section .rodata\\n.incbin \\"data\\"");\n' >wrap.c
printf 'int f(void) { return 1; }\n' >plain.c
for source in wrap.S wrap.c; do
	printf 'the first kernel' >data
	cc "$source" && cc "$source"
	printf 'the other kernel' >data
	cc "$source"
	grep -aq 'the other kernel' "$source.o"
	ok $? "$source: what it takes in has changed, and so has the object"
done
before=$(hits)
cc plain.c && cc plain.c
[ "$(hits)" -gt "$before" ]
ok $? "another source is compiled once"
printf 'int f( {\n' >plain.c
cc plain.c 2>err
isnt=$?
[ "$isnt" -ne 0 ] && grep -q error err
ok $? "an error is one"

done_testing
