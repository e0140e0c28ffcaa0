# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the litmus tests and the Spin model of scripts/tests say that they stand for, and
# whether a tree still has it.  Sourced by scripts/mutants and scripts/tests/real/model.t.

# model_header FILE KEY: the values of a key in the head of a test.
model_header() { sed -n "s/^ \* $2: //p" "$1"; }

# model_code TREE FILE: what a test is about there, a line each: file, function, word.
# Mainline's stands in the test, the branches' in scripts/tests/litmus/code.
model_code() {
	local name
	if [ "$1" = mainline ]; then
		model_header "$2" Code
	else
		name=$(basename "$2")
		awk -v tree="$1" -v name="${name%.*}" '!/^#/ && $1 == tree && $2 == name { print $3, $4, $5 }' "$WL_TOP/scripts/tests/litmus/code"
	fi
}

# model_in_code DIR REF FILE FUNCTION WORD: the function, or macro, in the file of a
# commit or tree has the word, in more than a comment.  A>B: B, after an A.
model_in_code() {
	git -C "$1" show "$2:$3" 2>/dev/null | awk -v name="$4" -v words="$5" '
		BEGIN { n = split(words, word, ">"); at = 1 }
		/^[ \t]*(\/\*|\*)/ { next }
		!on && /^[A-Za-z_#]/ && !/(;|\{\})$/ && $0 ~ ("(^|[^A-Za-z0-9_])" name "\\(") { on = 1; macro = /^#/; at = 1 }
		on && at <= n && $0 ~ ("(^|[^A-Za-z0-9_])" word[at] "([^A-Za-z0-9_]|$)") { if (++at > n) found = 1 }
		on && (macro ? !/\\$/ : /^}/) { on = 0 }
		END { exit !found }'
}

# model_missing DIR REF TREE FILE: what a test is about and the code has not, a line
# each; fails if there is such a line, or if the test is about nothing in this tree.
model_missing() {
	local file function word rc=0 any=''
	while read -r file function word; do
		any=yes
		model_in_code "$1" "$2" "$file" "$function" "$word" || {
			printf '%s: %s: no %s there\n' "$file" "$function" "$word"
			rc=1
		}
	done < <(model_code "$3" "$4")
	[ -n "$any" ] || rc=1
	return "$rc"
}
