#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC1112 # gcc quotes like that
#
# scripts/lib/warnings.py: which warnings are new?

# shellcheck source=scripts/tests/lib.sh
. "$(dirname "$0")/lib.sh"
py() { python3 "$L_TOP/scripts/lib/warnings.py" "$@"; }
export PYTHONDONTWRITEBYTECODE=1
S=$T/source B=$T/build
mkdir -p "$S/mm" "$B/mm"
cat >"$S/mm/a.c" <<-'EOF'
	// SPDX-License-Identifier: GPL-2.0
	static int first(int x)
	{
		int unused;
		return x;
	}

	int second(struct mm_walk *walk,
		   unsigned long addr)
	{
		int other;
		return 0;
	}

	static int table = 3;
EOF
collect() { py collect "$1" "$S" "$B" >"$1.json"; }
names() { jq -r '.[] | [.tool, .file, .function, .text] | join("|")' "$1.json"; }
delta() { # BASE NEW
	collect "$1"
	collect "$2"
	run py new "$1.json" "$2.json"
}
W1="mm/a.c:4:13: warning: unused variable ‘unused’ [-Wunused-variable]"

printf '%s\n' "$W1" >"$T/base"
collect "$T/base"
is "$(names "$T/base")" "gcc|mm/a.c|first|unused variable 'unused' [-Wunused-variable]" "tool, file, function, text"
printf '%s\n' "$S/$W1" "../$W1" "$W1" >"$T/log"
collect "$T/log"
is "$(names "$T/log" | wc -l)" 1 "absolute and relative paths; the same one twice is one"
printf "mm/a.c:11:7: warning: unused variable 'other' [-Wunused-variable]\n" >"$T/log"
collect "$T/log"
is "$(names "$T/log" | cut -d'|' -f3)" second "a function whose head has two lines"
printf "mm/a.c:15:12: warning: 'table' defined but not used [-Wunused-variable]\n" >"$T/log"
collect "$T/log"
is "$(names "$T/log" | cut -d'|' -f3)" "" "outside of a function"
printf 'sparse: %s/mm/a.c:4:13: warning: incorrect type in assignment (different base types)\nsparse: %s/mm/a.c:4:13:    expected restricted __le32 x\nsparse: %s/mm/a.c:4:13:    got int\n' "$S" "$S" "$S" >"$T/log"
collect "$T/log"
is "$(names "$T/log")" "sparse|mm/a.c|first|incorrect type in assignment (different base types) / expected restricted __le32 x / got int" "sparse: the notes are part of it"
printf 'make[2]: noise\n  CC mm/a.o\nmm/a.c: In function ‘first’:\nmm/a.c:4:13: note: here\n' >"$T/log"
collect "$T/log"
is "$(cat "$T/log.json")" "[]" "all else is no warning"

# ---- new or not ------------------------------------------------------------------------------

printf '%s\n' "$W1" >"$T/new"
delta "$T/base" "$T/new"
is "$RC/$OUT" "0/" "the same warning is not new"
sed -i 's/^static int first/\/* one *\/\n\/* two *\/\n&/' "$S/mm/a.c"
printf '%s\n' "${W1/:4:13:/:6:9:}" >"$T/new"
py collect "$T/new" "$S" "$B" >"$T/new.json"
run py new "$T/base.json" "$T/new.json"
is "$RC/$OUT" "0/" "moved lines are not new"
sed -i 2,3d "$S/mm/a.c"
: >"$T/new"
delta "$T/base" "$T/new"
is "$RC/$OUT" "0/" "one less is not new"
printf "mm/a.c:4:13: warning: unused variable 'different' [-Wunused-variable]\n" >"$T/new"
delta "$T/base" "$T/new"
is "$RC/$OUT" "1/mm/a.c:4: gcc warning: unused variable 'different' [-Wunused-variable] (in first)" "as many as before, but another text: new"
printf "mm/a.c:11:13: warning: unused variable 'unused' [-Wunused-variable]\n" >"$T/new"
delta "$T/base" "$T/new"
is "$RC" 1 "as many as before, but another function: new"
printf '%s\n' "${W1/mm\/a.c/mm/b.c}" >"$T/new"
delta "$T/base" "$T/new"
is "$RC" 1 "another file: new"
printf 'sparse: mm/a.c:4:13: warning: unused variable ‘unused’ [-Wunused-variable]\n' >"$T/new"
delta "$T/base" "$T/new"
is "$RC" 1 "another tool: new"
printf '%s\nmm/a.c:4:1: error: expected expression\n' "$W1" >"$T/new"
delta "$T/base" "$T/new"
is "$RC/$OUT" "1/mm/a.c:4: make error: expected expression (in first)" "an error is new, next to an old warning"
note() { printf 'sparse: mm/a.c:4:13: warning: incorrect type\nsparse: mm/a.c:4:13:    expected %s\n' "$1"; }
note int >"$T/base"
note long >"$T/new"
delta "$T/base" "$T/new"
is "$RC" 1 "sparse: the same line with another note is new"
note int >"$T/new"
delta "$T/base" "$T/new"
is "$RC" 0 "sparse: the same note is not"
printf 'mm/a.c:4:13: warning: frame at 0x1234 of mm/b.h:77:3 see line 12 [-Wfoo]\n' >"$T/base"
printf 'mm/a.c:4:13: warning: frame at 0x99 of %s/mm/b.h:80:1 see line 40 [-Wfoo]\n' "$S" >"$T/new"
delta "$T/base" "$T/new"
is "$RC/$OUT" "0/" "numbers inside the text that move with the code do not count"

run py new "$T/base.json"
is "$RC" 2 "too few arguments: exit code 2"
run py collect "$T/gone" "$S"
[ "$RC" -ne 0 ]
ok $? "a log that is not there is no empty list"
done_testing
