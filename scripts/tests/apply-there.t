#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/apply --onto: which patches a tree has already, in what form, and what is
# said of trees that it cannot take and of walkers that state no lock.

# shellcheck source=scripts/tests/lib.sh
. "$(dirname "$0")/lib.sh"
make_checkout
make_series "$W/patches"
final=$(g "$T/author" rev-parse 't2^{tree}')
U=$T/user
make_kernel "$U"
make_git "$U"
cp -R "$U" "$T/pristine"
fresh() {
	rm -rf "$U"
	cp -R "$T/pristine" "$U"
}
onto() { run wl apply fake --onto "$U" "$@"; }
two=$(cd "$W/patches" && echo 1*/0002*)

# ---- applied, taken back, applied again -------------------------------------------------------

onto
good "applied" "^applied 3 patches"
g "$U" revert --no-edit HEAD~1 >/dev/null
onto
good "a patch that was reverted is not there: it is applied" "^applied 1 patch to $U"
is "$(g "$U" rev-parse 'HEAD^{tree}')" "$final" "and the result is whole"
onto
good "now it is there" "^already applied: all 3 patches are in $U"
g "$U" revert --no-edit HEAD >/dev/null
g "$U" revert --no-edit HEAD >/dev/null
onto
good "reverted, and the revert reverted: it is there" "^already applied"
fresh
onto
g "$U" revert --no-edit HEAD HEAD~1 HEAD~2 >/dev/null
onto
good "all of them reverted" "^applied 3 patches"
is "$(g "$U" rev-parse 'HEAD^{tree}')" "$final" "all of them are back"

# ---- there in another form --------------------------------------------------------------------

fresh
onto
g "$U" reset -q --soft HEAD~3
g "$U" commit -q -m "squashed"
onto
good "one commit with all of it" "^there already, in another form: patches/1-walk-lock/0001-.*already applied: all 3 patches are in $U"
fresh
onto --topic 1-walk-lock
g "$U" reset -q --soft HEAD~2
g "$U" commit -q -m "squashed"
onto
good "two of three squashed" "there already, in another form: patches/$two"
like "$OUT" "applied 1 patch to $U" "and the third is applied"
is "$(g "$U" rev-parse 'HEAD^{tree}')" "$final" "to what it has to be"
fresh
edit "$U/mm/pagewalk.c" 's/int err = 2;/int err = 20;/'
edit "$U/mm/pagewalk.c" 's/return -3;/return -30;/'
g "$U" commit -q -a -m "a part"
before=$(snap "$U")
onto
is "$RC" 3 "a hunk of it is there, and others are not: a conflict"
like "$OUT" "next: 'git am -3 $W/patches/$two' merges it; or --skip $two, where the tree has it in another form.*$U is as it was\$" "which names the next step"
is "$(snap "$U")" "$before" "and changes nothing"
onto --skip "$two"
good "--skip TOPIC/NAME passes it by" "^left out: patches/$two.*applied 1 patch to $U"
fresh
onto --skip "$W/patches/$two" --skip 2-nolock/0001
good "--skip FILE, and by its number" "applied 1 patch"
is "$(g "$U" rev-list --count HEAD)" 2 "one commit"
run wl apply fake --onto "$U" --skip 0009
refused 2 "--skip 0009: no patch, or several, of patches: give TOPIC/NAME" "--skip of a patch that is none"
run wl apply fake --skip "$two"
refused 2 "--skip goes with --onto" "--skip without --onto"

# ---- trees that it does not take ----------------------------------------------------------------

g / clone -q --bare "$T/pristine" "$T/bare.git"
run wl apply fake --onto "$T/bare.git"
refused 2 "bare.git: a bare repository; 'git -C .* worktree add NEWDIR BRANCH'" "a bare repository"
make_tree
head=$(g "$D" rev-parse base)
run wl apply fake --onto "$D"
refused 2 "is the cache's own tree, .*'scripts/apply fake' makes its branches, --onto takes a clone of it" "the cache's own tree"
is "$(g "$D" rev-parse base)" "$head" "whose base is as it was"
g "$T/pristine" config uploadpack.allowFilter true
edit "$T/pristine/mm/pagewalk.c" 's/int err = 8;/int err = 88;/'
g "$T/pristine" commit -q -a -m "newer"
g / clone -q --filter=blob:none "file://${T// /%20}/pristine" "$T/partial"
rm -rf "$T/gone" && mv "$T/pristine" "$T/gone"
run wl apply fake --onto "$T/partial"
refused 2 "partial clone: fetch the files first \('git -C $T/partial fetch --refetch" "a partial clone"
mv "$T/gone" "$T/pristine"
g "$T/partial" fetch -q --refetch --no-filter
run wl apply fake --onto "$T/partial"
good "with its files it is taken" "^applied 3 patches"

# The first commit is no patch: its diff may be a whole kernel.
fresh
stop_at git ' --root '
run env PATH="$PATH_STOP" STOP_SECONDS=0 "$W/scripts/apply" fake --onto "$U"
good "a history of few commits" "^applied 3 patches"
[ ! -d "$T/reached" ]
ok $? "the first of them is not looked at"

# ---- walkers that state no lock --------------------------------------------------------------------

fresh
g "$U" reset -q --hard HEAD
mkdir -p "$U/drivers/vendor"
sed -i 's/^#endif/struct mm_walk_ops {\n\tint (*pte_entry)(void);\n\tenum page_walk_lock walk_lock;\n};\n\n&/' "$U/include/linux/pagewalk.h"
cat >"$U/drivers/vendor/walk.c" <<'END'
#include <linux/pagewalk.h>

static const struct mm_walk_ops vendor_ops = {
	.pte_entry = vendor_pte,
};

static const struct mm_walk_ops said_ops = {
	.pte_entry = vendor_pte,
	.walk_lock = PGWALK_RDLOCK,
};
END
g "$U" add -A
g "$U" commit -q -m vendor
if command -v spatch >/dev/null; then
	mkdir -p "$W/coccinelle"
	cp "$L_TOP"/coccinelle/*.cocci "$W/coccinelle/"
	cp -R "$L_TOP/coccinelle/walklock" "$W/coccinelle/"
	onto
	good "applied onto a tree with a walker of its own" "applied 3 patches to $U"
	like "$OUT" "1 table of mm_walk_ops without a walk_lock, which means PGWALK_RDLOCK because that is 0 \(scripts/annotate $U --diff .*\):.*  drivers/vendor/walk.c:3: vendor_ops: " "its table is named"
	unlike "$OUT" "said_ops" "one that states its lock is not"
	onto
	like "$OUT" "already applied.*vendor_ops" "also when nothing is to be done"
else
	skip "walkers that state no lock" "spatch is not installed"
fi
g "$U" reset -q --hard "$(g "$U" log --format=%h --grep=vendor)"
path=$(bin_without spatch)
ln -sf "$(python3 -c 'import sys; print(sys.executable)')" "$path/python3"
run env PATH="$path" "$W/scripts/apply" fake --onto "$U"
good "without spatch" "applied 3 patches"
like "$OUT" "1 file with a table of mm_walk_ops that may state no walk_lock, .*: drivers/vendor/walk.c" "the file is named"
done_testing
