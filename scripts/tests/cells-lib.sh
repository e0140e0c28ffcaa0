# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
#
# Sourced by the tests of scripts/build's cells: a checkout with architectures and
# variants of its own, a tree that they compile, and stand-ins for make and the
# compilers whose findings the test chooses.

# shellcheck source=scripts/tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_checkout
make_series "$W/patches"
A=$T/author
g "$A" branch t2.orig t2

B=$T/bin/stand-ins
mkdir -p "$B" "$T/calls" "$W/coccinelle"
stub() { # FILE: from stdin
	rm -f "$1" # it may be a link to the real tool
	{
		printf '#!/bin/bash\n'
		cat
	} >"$1"
	chmod 755 "$1"
}
for c in ccache flex bison bc ld.lld-77 llvm-ar-77; do stub "$B/$c" <<<'exit 0'; done
stub "$B/gcc" <<<'cat >/dev/null' # has every header
stub "$B/apt-get" <<<'exit 100'   # nothing is ever installed from here
for c in x86_64-linux-gnu-gcc toy-linux-gcc clang-77; do
	stub "$B/$c" <<<'echo "compiler (test) $(cat "$STAND/version" 2>/dev/null || echo 12)"'
done
stub "$B/sparse" <<<'if [ "$1" = --version ]; then echo 0.6.5; else echo "${!#}" >>"$STAND/calls/sparse"; fi'
stub "$B/spatch" <<<'echo "spatch version 1.1 compiled"'
# Configures as Kconfig would, prints the warnings that comments in the sources ask
# for (those of one ARCH too), and leaves objects.
real=$(command -v make)
printf 'real=%q\n. %q\n' "$real" "$L_SELF/cells-make" | stub "$B/make"
export STAND=$T PATH="$B:$PATH"
unset CC
printf 'sparse 0.6.5 -\n' >"$W/configs/toolbox"
printf 'CONFIG_FIRST=y\n' >"$W/configs/touched.config"
cat >"$W/configs/arches" <<'EOF'
# name arch srcarch cross config package default scope needs ...
x86_64 x86_64 x86  x86_64-linux-gnu- defconfig      gcc    yes
toy    toy    toy  toy-linux-        tiny_defconfig gcc-toy no  users   -
llvm   lltoy  toy  -                 tiny_defconfig clang   no  touched -      LLVM=-77 CONFIG_NOT_IN_THIS_TREE=y
newer  toy    toy  toy-linux-        tiny_defconfig gcc-toy no  users   >=7.10
moon   moon   moon moon-linux-       defconfig      gcc-toy no  users   -
nocc   toy    toy  nocc-linux-       tiny_defconfig -       no  users   -
EOF
cat >"$W/configs/variants" <<'EOF'
# name arches config scope needs ...
up     toy,x86_64           -         -       -                  CONFIG_SMP=n
part   toy                  allconfig touched -
free   toy                  -         -       PER_VMA_LOCK,arch:ARCH_SUPPORTS_PER_VMA_LOCK +PER_VMA_LOCK CONFIG_PER_VMA_LOCK=n
stuck  toy                  -         -       -                  CONFIG_PER_VMA_LOCK=n
rt     toy                  -         -       arch:ARCH_SUPPORTS_RT CONFIG_PREEMPT_RT=y
odd    toy                  -         -       ODDITY             CONFIG_ODDITY=y
nommu  toy:nommu_defconfig  -         -       -                  CONFIG_MMU=n
EOF
printf 'toy-linux-gcc gcc-toy\nmoon-linux-gcc gcc-moon\n' >>"$W/configs/packages"

P=$T/plain
make_kernel "$P"
mkdir -p "$P/scripts/kconfig" "$P/arch/toy/configs" "$P/arch/toy/mm" "$P/arch/x86"
# merge_config.sh -m -O DIR CONFIG FRAGMENT...
stub "$P/scripts/kconfig/merge_config.sh" <<<'all=$(cat "${@:4}") && printf "%s\n" "$all" >"$3/.config"'
printf 'mainmenu "Linux"\nconfig SMP\n\tbool "SMP"\nconfig PER_VMA_LOCK\n\tdef_bool y\nconfig PREEMPT_RT\n\tbool "RT"\n' >"$P/Kconfig"
printf 'config TOY\n\tdef_bool y\n\tselect ARCH_SUPPORTS_PER_VMA_LOCK if TOY\n' >"$P/arch/toy/Kconfig"
printf 'all: vmlinux\n' >"$P/arch/toy/Makefile"
: >"$P/arch/toy/configs/tiny_defconfig"
printf 'config X86\n\tdef_bool y\n' >"$P/arch/x86/Kconfig"
printf '// SPDX-License-Identifier: GPL-2.0\n#include <linux/pagewalk.h>\n' |
	tee "$P/mm/user.c" "$P/mm/off.c" "$P/mm/part.c" >"$P/arch/toy/mm/fault.c"
cat >"$P/mm/Makefile" <<'EOF'
CFLAGS_pagewalk.o := $(call cc-option,-Wsomething)
mmu-$(CONFIG_MMU) := pagewalk.o madvise.o
obj-y := other.o user.o $(mmu-y)
obj-$(CONFIG_OFF) += off.o
obj-$(CONFIG_PART) += whole.o
whole-objs := part.o
obj-y += nolock.o
obj-y += in/ in/direct.o
obj-$(CONFIG_OFF) += out/
EOF
mkdir -p "$P/mm/in/deep" "$P/mm/out"
for f in in/one in/direct in/deep/two out/three; do cp "$P/mm/user.c" "$P/mm/$f.c"; done
printf 'obj-y += one.o deep/\n' >"$P/mm/in/Makefile"
printf 'obj-y += two.o\n' >"$P/mm/in/deep/Makefile"
printf 'obj-y += three.o\n' >"$P/mm/out/Makefile"
printf 'obj-y += fault.o\n' >"$P/arch/toy/mm/Makefile"

R=$WALKLOCK_OUT/fake/report.json
rec() { jq -r --arg c "$1" '.records[] | select(.scope == "series" and .check == $c) | "\(.verdict) \(.reused)"' "$R" | paste -sd,; }
detail() { jq -r --arg c "$1" '.records[] | select(.scope == "series" and .check == $c) | .detail' "$R"; }
field() { jq -r --arg c "$1" --arg f "$2" '.records[] | select(.check == $c) | .[$f]' "$R"; }
calls() { if [ -f "$T/calls/$1" ]; then sort -u "$T/calls/$1" | paste -sd,; fi; }
build() {
	rm -f "$T"/calls/*
	run wl build fake "$@"
}
# resubmit COMMAND...: a series whose last patch is changed by COMMAND
resubmit() {
	g "$A" checkout -q -B t2 t2.orig
	"$@"
	g "$A" commit -q -a --amend --no-edit
	rm -f "$W"/patches/2-nolock/*.patch
	format "$A" t1..t2 "$W/patches/2-nolock"
}
