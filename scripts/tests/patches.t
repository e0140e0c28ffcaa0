#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/lib/patches.py: is a patch file whole, and where does one not fit?

# shellcheck source=scripts/tests/lib.sh
. "$(dirname "$0")/lib.sh"
py() { python3 "$L_TOP/scripts/lib/patches.py" "$@"; }
export PYTHONDONTWRITEBYTECODE=1
make_series "$T/series"
two=$(echo "$T/series/1-walk-lock/"0002-*)
K=$T/kernel
make_kernel "$K"

run py
is "$RC" 2 "no argument: exit code 2"
run py frob x
is "$RC" 2 "unknown verb: exit code 2"

run py sane "$T"/series/*/*.patch
good "a whole series is sane: the paths that it touches" "^include/linux/pagewalk.h.mm/madvise.c.mm/nolock.c.mm/pagewalk.c\$"
run py files "$T"/series/1*/*.patch
is "$OUT" $'mm/madvise.c\nmm/pagewalk.c' "files: of one topic"

# Every line at which a file can be cut off.  A cut in the head, or anywhere in the
# diff, must show; the whole file must not.
lines=$(wc -l <"$two") silent=''
for ((i = 0; i < lines; i++)); do head -n "$i" "$two" >"$T/cut.$i"; done
py sane "$T"/cut.* >"$T/said"
for ((i = 0; i < lines; i++)); do grep -q "cut\.$i: " "$T/said" || silent+="$i "; done
is "$silent" "" "cut off after any of its $lines lines: it shows"
is "$(grep -c . "$T/said")" "$lines" "one line a file"
head -n "$lines" "$two" >"$T/whole"
run py sane "$T/whole"
good "not cut off: sane"

defect() { # NAME REGEX: of $T/p
	run py sane "$T/p"
	[ "$RC" -eq 1 ] && [ "$(wc -l <<<"$OUT")" -eq 1 ] && [[ $OUT =~ $2 ]]
	ok $? "$1" || printf '%d %s\n' "$RC" "$OUT" | diag
}
: >"$T/p"
defect "empty" "p: is empty: take it"
printf '\n \n' >"$T/p"
defect "only blanks" "p: is empty"
sed 's/$/\r/' "$two" >"$T/p"
defect "CRLF" "p: has CRLF line endings: save the mail raw, or convert"
sed '0,/^$/s//Content-Transfer-Encoding: quoted-printable\n/' "$two" >"$T/p"
defect "quoted-printable" "quoted-printable or base64 encoded: save the mail decoded"
sed '0,/^$/s//content-transfer-encoding: Base64\n/' "$two" >"$T/p"
defect "base64" "quoted-printable or base64 encoded"
sed '0,/^$/s//Content-Transfer-Encoding: 8bit\n/' "$two" >"$T/p"
run py sane "$T/p"
good "8bit is no defect"
sed 's/int err = 50;/&\r/' "$two" >"$T/p"
defect "one CR" "CRLF"
sed 1d "$two" >"$T/p"
defect "no From line" "no 'git format-patch' file"
sed '/^Subject:/d' "$two" >"$T/p"
defect "no Subject" "no 'git format-patch' file"
sed '/^+.*-30/d' "$two" >"$T/p"
defect "a line is gone" "truncated or damaged"
sed 's/^+.*-30;/&\n+\textra();/' "$two" >"$T/p"
defect "a line too many" "truncated or damaged"
printf '%s' "$(cat "$two")" >"$T/p"
defect "no end of the last line" "truncated: it ends in the middle of a line"
run py sane "$T/gone"
is "$RC/$OUT" "1/$T/gone: cannot be read: No such file or directory" "a file that is not there"

# ---- there ----------------------------------------------------------------------------

whole() { # WANTED NAME
	py there "$two" "$K"
	is "$?" "$1" "$2"
}
whole 1 "not applied: not there"
cp -R "$K" "$T/before"
edit "$K/mm/pagewalk.c" 's/return -3;/return -30;/'
edit "$K/mm/madvise.c" 's/int err = 5;/int err = 50;/'
whole 1 "two of three hunks: not there"
edit "$K/mm/pagewalk.c" 's/return -7;/return -70;/'
whole 0 "all hunks: there"
sed -i '1i /* moved */' "$K/mm/pagewalk.c"
whole 0 "moved: there"
sed -n '/pagewalk_step_3/,/^}/p' "$T/before/mm/pagewalk.c" >>"$K/mm/pagewalk.c"
printf '\nint more;\n' >>"$K/mm/pagewalk.c"
whole 1 "and once more as it was before: not there"
py there "$T"/series/2*/0001* "$K"
is "$?" 1 "a file to be created is not there"
rm -r "$K"
mv "$T/before" "$K"

# ---- conflict -------------------------------------------------------------------------

run py conflict "$two" "$K"
is "$RC/$OUT" "1/" "a patch that fits: nothing to report, exit code 1"
edit "$K/mm/pagewalk.c" '/step_3/,/^}/s/if (!walk)/if (walk == NULL)/'
run py conflict "$two" "$K"
is "$RC" 0 "a changed context line is a conflict"
is "$OUT" "$(
	cat <<'EOF'
  mm/pagewalk.c: hunk 1 of 2: @@ -24,7 +24,7 @@ static int pagewalk_step_3(struct mm_walk *walk)
    expected:
      |	int err = 3;
      |
      |	if (!walk)
      |		return -3;
      |	return err;
      |}
      |
    found at line 24 (6 of 7 lines agree):
      |	int err = 3;
      |
      |	if (walk == NULL)
      |		return -3;
      |	return err;
      |}
      |
EOF
)" "lines expected, lines found, where"
edit "$K/mm/pagewalk.c" '/step_7/,/^}/s/return -7;/return -70;/'
run py conflict "$two" "$K"
like "$OUT" "hunk 1 of 2: .*hunk 2 of 2: .*these lines are in the tree already, at line 60" "several hunks, one of them there already"
sed -i '1i /* moved */\n/* down */' "$K/mm/pagewalk.c"
run py conflict "$two" "$K"
like "$OUT" "found at line 26 .*already, at line 62" "line numbers are the tree's"
: >"$K/mm/madvise.c"
run py conflict "$two" "$K"
like "$OUT" "mm/madvise.c: hunk 1 of 1: .*found: nothing like it" "an empty file"
rm "$K/mm/madvise.c"
run py conflict "$two" "$K"
like "$OUT" "mm/madvise.c: is not in the tree" "a missing file"
: >"$K/mm/nolock.c"
run py conflict "$T"/series/2*/0001* "$K"
is "$OUT" "  mm/nolock.c: is to be created, but the tree has it" "a file to be created is there"
run py files "$two"
good "nothing of that was written"
printf 'latin: \xe9\n' >>"$K/mm/pagewalk.c"
run py conflict "$two" "$K"
is "$RC" 0 "bytes that are no UTF-8 do not stop it"
done_testing
