#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# coccinelle/folio_walk.cocci on a real tree, unpatched and patched, by hand and by
# the tree's own coccicheck.  WALKLOCK_TEST_TREE says which.

# shellcheck source=scripts/tests/real/lib.sh
. "$(dirname "$0")/lib.sh"

rule_ready folio_walk

# What may be said of a tree: functions that spatch cannot parse.
lost() { awk -v t="$tree" -v s="$1" '!/^#/ && $1 == t && $2 == s { print $3 }' scripts/tests/real/folio-walk.lost; }
apply_rule() { # FOLDER: what it says, sorted
	(cd "$1" && nice spatch --very-quiet -D report --cocci-file "$rule" --no-includes --include-headers .) 2>&1 | sort
}

for state in base series; do
	ref=base
	[ "$state" = base ] || ref=walklock/series
	mkdir "$tmp/$state"
	mapfile -t files < <(git -C "$T_DIR" grep -lE 'folio_walk_(start|end)|FW_VMA_LOCKED' "$ref" -- '*.c' '*.h' | sed "s|^$ref:||")
	if [ ${#files[@]} -eq 0 ]; then
		! git -C "$T_DIR" grep -q 'struct folio_walk' "$ref" -- include
		ok $? "$state: has no folio_walk_start()"
		continue
	fi
	git -C "$T_DIR" archive "$ref" scripts/coccicheck "${files[@]}" | tar -xf - -C "$tmp/$state"
	apply_rule "$tmp/$state" >"$tmp/got"
	sed -nE 's|^\./([^:]+):[0-9]+:[0-9-]+: WARNING: cannot tell anything of this walk: spatch could not parse the function$|\1|p' "$tmp/got" >"$tmp/lost"
	[ "$(cat "$tmp/lost")" = "$(lost "$state")" ] && [ "$(wc -l <"$tmp/got")" -eq "$(wc -l <"$tmp/lost")" ]
	rc=$?
	ok "$rc" "$state: no finding in ${#files[@]} files, $(wc -l <"$tmp/lost") listed function(s) not parsed"
	[ "$rc" -eq 0 ] || show "$tmp/got"

	# Faults at each folio_walk_end() of what was parsed.
	total=0
	mkdir "$tmp/faults"
	for f in "${files[@]}"; do
		case $f in *.h | mm/pagewalk.c) continue ;; esac
		! grep -qxF "$f" "$tmp/lost" || continue
		while read -r line; do
			for fault in '' 'cond_resched(); &' 'if (need_resched()) return 0; &' 'if (folio_walk_start(\&other, vma, addr, 0)) note(); &'; do
				total=$((total + 1))
				sed "${line}s/folio_walk_end(.*;/{ $fault }/" "$tmp/$state/$f" >"$tmp/faults/$total-$(basename "$f")"
			done
		done < <(grep -nE '^[[:space:]]+folio_walk_end\(.*;$' "$tmp/$state/$f" | cut -d: -f1)
	done
	find "$tmp/faults" -type f -printf '%f\n' | sort >"$tmp/want"
	apply_rule "$tmp/faults" | sed -nE 's|^\./([^:]+):[0-9]+:[0-9-]+: ERROR: .*|\1|p' | sort -u >"$tmp/got"
	[ -s "$tmp/want" ] && diff "$tmp/want" "$tmp/got" >"$tmp/diff"
	rc=$?
	ok "$rc" "$state: all of $(wc -l <"$tmp/want") faults put in are named: no end, a sleep, a return, a second walk"
	[ "$rc" -eq 0 ] || show "$tmp/diff"
	rm -r "$tmp/faults"

	own_coccicheck "$state" 'unknown flag ' coccinelle/fixtures/folio_walk/flags.c
done
printf '1..%d\n' "$n"
