#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# coccinelle/vma_lock_result.cocci on a real tree, unpatched and patched, by hand
# and by the tree's own coccicheck.  WALKLOCK_TEST_TREE says which.

# shellcheck source=scripts/tests/real/lib.sh
. "$(dirname "$0")/lib.sh"

rule_ready vma_lock_result

locks='\b(vma_start_read|vma_start_read_locked|vma_start_read_locked_nested|lock_vma_under_rcu|lock_next_vma|lock_mm_and_find_vma|vma_start_write_killable|vma_end_read|release_fault_lock)\b'
reads='\b(mmap_(read_(try)?(un)?lock|write_downgrade)|lockdep_assert_held_read|down_read[a-z_]* *\([^;]*mmap_(lock|sem))'
flags='\b(__)?vm_flags_(set|clear|mod|reset|init)|\b__vm_flags\b|(->|\.)vm_flags *[|&^]?=[^=]|WRITE_ONCE *\([^,;]*vm_flags,|\bvma_((set|clear)_flags|flags_(set|clear))|\b(__)?vma_start_write\b'
said() { awk -v t="$tree" -v s="$1" -v w="$2" '!/^#/ && $1 == t && $2 == s && $3 == w { print $4, $5 }' scripts/tests/real/vma-lock-result.lost | sort; }
in_tree() { # EXPRESSION: the files of "some" in which it matches
	(cd "$tmp/$state.some.d" && xargs grep -lE "$1" <"$tmp/some" | sort)
}
apply_rule() { # FOLDER: what it says, sorted; what it has seen is in "seen"
	(cd "$1" && nice spatch --very-quiet -D report -D walklock_all --cocci-file "$rule" --no-includes --include-headers .) 2>"$tmp/err" | sort
	sed -nE 's|^coverage: ([0-9]+) files? seen by this rule$|\1|p' "$tmp/err" >"$tmp/seen"
	! grep -v '^coverage: ' "$tmp/err"
}

# Files in the folder "faults" of the tree, and in "want" their names; with the
# function after it, for those that the rule cannot name.
put_in() { # FOLDER FILE...
	python3 - "$@" <<'EOF'
import os
import re
import sys

top, files = sys.argv[1], sys.argv[2:]
END = r'\s+(?:vma_end_read|vma_refcount_put|unlock_ctx_vma|unlock_vma_range|query_vma_teardown|mfill_put_vma|stack_map_unlock_vma|uffd_m\w+_unlock)\(.*;$'
GET = r'(\s+)(?:struct vm_area_struct \*)?[\w*>.\[\]-]+ = ((?:lock_vma_under_rcu|lock_next_vma)\(.*;)$'
TRY = r'(\s+)if \((?:unlikely\()?!(vma_start_read\w*\([^()]*\))\)+( \{)?$'
number = 0
for name in files:
    with open(os.path.join(top, name), errors='replace') as f:
        lines = f.read().split('\n')
    starts = re.search(r'\b(?:vma_start_read\w*|lock_vma_under_rcu|lock_next_vma)\s*\(', '\n'.join(lines))
    fn = '-'
    for i, line in enumerate(lines):
        m = re.match(r'[A-Za-z_][^;=]*?\b(\w+)\(', line)
        if m and not line.endswith(';'):
            fn = m.group(1)
        new = []
        if starts and name.endswith('.c'):
            if re.match(END, line):
                new.append(re.sub(r'\S.*', ';', line))
            m = re.match(GET, line)
            if m:
                new.append(m.group(1) + m.group(2))
            m = re.match(TRY, line)
            if m:
                new.append('%s%s; if (0)%s' % (m.group(1), m.group(2), m.group(3) or ''))
        if name.startswith('mm/') and name.endswith('.c') and re.match(r'\s+mmap_read_lock\(.*\);$', line) and \
           not re.match(r'\s*(if|else|for|while)\b', lines[i - 1]):
            new.append(line + ' vm_flags_set(vma, VM_LOCKED);')
        for text in new:
            number += 1
            to = '%d-%s' % (number, os.path.basename(name))
            with open(os.path.join(top, 'faults', to), 'w') as f:
                f.write('\n'.join(lines[:i] + [text] + lines[i + 1:]))
            print(to, name, fn)
EOF
}

# One look at the whole tree, for words alone; what the series has is what it changes.
words=()
for word in vma_start_ vma_end_read lock_vma_under_rcu lock_next_vma lock_mm_and_find_vma release_fault_lock \
	mmap_read_ mmap_write_downgrade held_read mmap_lock mmap_sem; do
	words+=(-e "$word")
done
git -C "$T_DIR" grep -lF "${words[@]}" base -- '*.c' '*.h' | sed 's|^base:||' | sort >"$tmp/base.some"
git -C "$T_DIR" diff --name-only base walklock/series -- '*.c' '*.h' | sort -u - "$tmp/base.some" >"$tmp/series.some"

for state in base series; do
	ref=base
	[ "$state" = base ] || ref=walklock/series
	mkdir "$tmp/$state" "$tmp/$state.some.d"
	git -C "$T_DIR" ls-tree -r --name-only "$ref" | sort | comm -12 - "$tmp/$state.some" >"$tmp/some"
	xargs git -C "$T_DIR" archive "$ref" <"$tmp/some" | tar -xf - -C "$tmp/$state.some.d"
	comm -12 <(in_tree "$reads") <(in_tree "$flags") >"$tmp/flags"
	mapfile -t files < <(in_tree "$locks" | sort -u - "$tmp/flags")
	mapfile -t headers < <(git -C "$T_DIR" ls-tree --name-only "$ref" include/linux/{mm,mm_types,mmap_lock,pagewalk}.h)
	git -C "$T_DIR" archive "$ref" scripts/coccicheck "${headers[@]}" "${files[@]}" | tar -xf - -C "$tmp/$state"
	rm -r "$tmp/$state.some.d"
	count=$(printf '%s\n' "${files[@]}" "${headers[@]}" | sort -u | wc -l)

	apply_rule "$tmp/$state" >"$tmp/got"
	[ ${#files[@]} -gt 9 ] && [ "$(cat "$tmp/seen")" = "$count" ]
	rc=$?
	ok "$rc" "$state: all of $count files are looked at"
	[ "$rc" -eq 0 ] || show "$tmp/err"
	sed -nE 's|^\./([^:]+):[0-9]+:[0-9-]+: (ERROR\|WARNING): .*|\1 \2|p' "$tmp/got" | sort >"$tmp/named"
	[ "$(cat "$tmp/named")" = "$(said "$state" finding)" ] && [ "$(wc -l <"$tmp/got")" -eq "$(wc -l <"$tmp/named")" ]
	rc=$?
	ok "$rc" "$state: no finding in these files but $(wc -l <"$tmp/named") that are listed"
	[ "$rc" -eq 0 ] || show "$tmp/got"

	# Faults in what was found to be clean: no unlock, no look at the result, a
	# flag written under mmap_read_lock().
	mkdir "$tmp/$state/faults"
	put_in "$tmp/$state" "${files[@]}" >"$tmp/put"
	apply_rule "$tmp/$state/faults" | sed -nE 's|^\./([^:]+):[0-9]+:[0-9-]+: ERROR: .*|\1|p' | sort -u >"$tmp/got"
	awk 'NR == FNR { got[$1]; next } !($1 in got) { print $2, $3 }' "$tmp/got" "$tmp/put" | sort -u >"$tmp/unnamed"
	diff <(said "$state" fault) "$tmp/unnamed" >"$tmp/diff" &&
		[ "$(wc -l <"$tmp/put")" -gt 3 ] && [ "$(cat "$tmp/seen")" = "$(wc -l <"$tmp/put")" ]
	rc=$?
	ok "$rc" "$state: $(wc -l <"$tmp/got") of $(wc -l <"$tmp/put") faults put in are named, the others stand in functions that are listed"
	[ "$rc" -eq 0 ] || show "$tmp/diff"
	rm -r "$tmp/$state/faults"

	own_coccicheck "$state" '' coccinelle/fixtures/vma_lock_result/{flags,return_plain}.c
done
printf '1..%d\n' "$n"
