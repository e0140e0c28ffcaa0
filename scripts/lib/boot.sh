# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2153
#
# Kernels to boot, what goes into the guest, and the emulator.

# wl_machine ARCH: the machine's line into M_*, or ends with 2.
wl_machine() {
	local row
	row=$(wl_row "$WL_CONFIGS/boot/machines" "$1")
	[ -n "$row" ] ||
		wl_die "$WL_USAGE" "no machine to boot '$1' on: one of $(wl_names "$WL_CONFIGS/boot/machines" | paste -sd' ') (configs/boot/machines)"
	read -r _ M_QEMU M_DEBIAN M_UNAME M_IMAGE M_TARGET M_MACHINE M_CPU M_CONSOLE M_NODES M_BUS M_FACTOR <<<"$row"
}

# wl_variant NAME: the same for a configuration, into V_*.
wl_variant() {
	local row
	row=$(wl_row "$WL_CONFIGS/boot/variants" "$1")
	[ -n "$row" ] ||
		wl_die "$WL_USAGE" "unknown variant '$1': one of $(wl_names "$WL_CONFIGS/boot/variants" | paste -sd' ') (configs/boot/variants)"
	read -r V_NAME V_CPUS V_FACTOR V_TREES V_OPTION <<<"$row"
}

# wl_boot_fragments: the configuration of the loaded tree, architecture and variant.
wl_boot_fragments() {
	local f
	for f in common "tree-$T_NAME" "arch-$A_NAME" "arch-$A_NAME-$T_NAME" "$V_NAME"; do
		[ ! -f "$WL_CONFIGS/boot/$f.config" ] || printf '%s\n' "$WL_CONFIGS/boot/$f.config"
	done
	if [ -n "${WL_BOOT_CONFIG:-}" ]; then printf '%s\n' "$WL_BOOT_CONFIG"; fi
}

# wl_kernel_key COMMIT: of all that a kernel is made of.
wl_kernel_key() {
	local fragments
	mapfile -t fragments < <(wl_boot_fragments)
	wl_key kernel "$A_NAME" "$V_NAME" "$(cat "${fragments[@]}")" \
		"$(git -C "$W_DIR" rev-parse "$1^{tree}")" "$("${A_CROSS#-}gcc" --version | head -n 1)" \
		"$(cat "$WL_SCRIPTS/lib/bin/cached")"
}

# wl_kernel COMMIT NAME: builds it, unless that was done.  Sets K_DIR, the folder
# with "image", "config", and "modules" where it can have some.  One build folder an
# architecture and variant is moved between commits, so only what differs is compiled.
wl_kernel() {
	local key log fragments file t0=$SECONDS
	wl_lock "work-$T_NAME"
	key=$(wl_kernel_key "$1")
	K_KEY=$key
	K_DIR=$WL_CACHE/boot/$T_NAME/kernels/$key
	if [ -s "$K_DIR/image" ]; then
		touch "$K_DIR"
		return 0
	fi
	wl_space "$WL_CACHE" 3 "a kernel of $T_NAME"
	wl_work_at "$1"
	B_DIR=$WL_CACHE/work/$T_NAME/boot-$A_NAME-$V_NAME
	log=$WL_CACHE/work/$T_NAME/boot-$A_NAME-$V_NAME.log
	mkdir -p "$B_DIR"
	mapfile -t fragments < <(wl_boot_fragments)
	wl_say "$T_NAME: building the $V_NAME kernel of $2 for $A_NAME"
	{
		wl_make tinyconfig &&
			(cd "$W_DIR" && ARCH=$A_ARCH scripts/kconfig/merge_config.sh -m -O "$B_DIR" "$B_DIR/.config" "${fragments[@]}") &&
			wl_make olddefconfig && wl_make "$M_TARGET" &&
			if grep -q '^CONFIG_MODULES=y' "$B_DIR/.config"; then wl_make modules; fi
	} >"$log" 2>&1 &
	# Waited for, so that a signal is heard at once.
	wait $! || {
		grep -E '(error|Error|undefined)' "$log" | head -n 20 >&2
		return 1
	}
	case $V_OPTION in
	!*) ! grep -q "^CONFIG_${V_OPTION#!}=y" "$B_DIR/.config" ;;
	*) grep -q "^CONFIG_$V_OPTION=y" "$B_DIR/.config" ;;
	esac || wl_die "$WL_USAGE" "$T_NAME for $A_NAME has no variant $V_NAME: its configuration ends without what ${V_OPTION} stands for"
	wl_kernels_prune
	mkdir -p "$K_DIR.$$"
	cp "$B_DIR/.config" "$K_DIR.$$/config"
	cp "$B_DIR/System.map" "$K_DIR.$$/System.map"
	cp "$B_DIR/$M_IMAGE" "$K_DIR.$$/image"
	if grep -q '^CONFIG_MODULES=y' "$B_DIR/.config"; then
		mkdir "$K_DIR.$$/modules"
		# What stands in it is called .o or .ko, by the tree's age.
		sed 's/\.k\{0,1\}o$/.ko/' "$B_DIR/modules.order" | while read -r file; do
			cp "$B_DIR/${file#"$W_DIR/"}" "$K_DIR.$$/modules/"
		done
	fi
	printf '%s\n' "$((SECONDS - t0))" >"$K_DIR.$$/seconds"
	rm -rf "$K_DIR"
	mv "$K_DIR.$$" "$K_DIR"
	wl_say "$T_NAME: built in $((SECONDS - t0)) s"
}

# Mutants make many kernels; the forty used last are kept.
wl_kernels_prune() {
	local d n=0
	mkdir -p "$WL_CACHE/boot/$T_NAME/kernels"
	while read -r d; do
		n=$((n + 1))
		[ "$n" -le 40 ] || rm -rf "$WL_CACHE/boot/$T_NAME/kernels/$d"
	done < <(ls -t "$WL_CACHE/boot/$T_NAME/kernels")
}

# wl_programs_key COMMIT: of what the user-space programs are made of.
wl_programs_key() {
	local p
	wl_key programs "$A_NAME" "$("${A_CROSS#-}gcc" --version | head -n 1)" "$(for p in tools/testing/selftests tools/include include/uapi \
		"arch/$A_SRCARCH/include" mm/gup_test.h; do
		git -C "$W_DIR" rev-parse --verify -q "$1:$p" || printf 'no %s\n' "$p"
	done)" "$(wl_selftests)"
}

# wl_for_tree FILE COLUMN: the lines of a table in configs/boot of which COLUMN, the
# trees, has the loaded one.
wl_for_tree() {
	awk -F'\t+' -v t="$T_NAME" -v c="$2" '!/^#/ && NF > c {
		n = split($c, a, ","); for (i = 1; i <= n; i++) if (a[i] == t || a[i] == "*") { print; next } }' \
		"$WL_CONFIGS/boot/$1"
}

wl_selftests() { wl_for_tree selftests 2; }

wl_allowed() { wl_for_tree allowed-splats 1; }

# wl_programs COMMIT: the tree's own mm selftests as static programs, into
# P_DIR/bin.  A program that cannot be built leaves a line in P_DIR/failed.
wl_programs() {
	local key dir out log p names
	wl_lock "work-$T_NAME"
	key=$(wl_programs_key "$1")
	P_DIR=$WL_CACHE/boot/$T_NAME/programs/$key
	[ ! -e "$P_DIR/done" ] || return 0
	wl_work_at "$1"
	wl_sysroot
	wl_say "$T_NAME: building the selftests for $A_NAME"
	rm -rf "$P_DIR"
	out=$P_DIR/bin log=$P_DIR/log
	mkdir -p "$out" "$P_DIR/headers"
	: >"$P_DIR/failed"
	B_DIR=$P_DIR/headers
	wl_make headers_install INSTALL_HDR_PATH="$P_DIR/usr" >"$log" 2>&1 ||
		wl_die "$WL_USAGE" "$T_NAME: the kernel's headers could not be installed (log: $log)"
	dir=$W_DIR/tools/testing/selftests/mm
	[ -d "$dir" ] || dir=$W_DIR/tools/testing/selftests/vm
	mapfile -t names < <(wl_selftests | awk -F'\t+' '$3 != "never" { split($5, a, " "); print a[1] }' | sort -u)
	mkdir -p "$P_DIR/tmp"
	for p in "${names[@]}"; do
		# The tree's Makefile makes local_config.* where it stands.
		if ! TMPDIR=$P_DIR/tmp make -C "$dir" OUTPUT="$out" ARCH="$A_ARCH" CROSS_COMPILE="${A_CROSS#-}" \
			KHDR_INCLUDES="-isystem $P_DIR/usr/include" LDFLAGS=-static USERLDFLAGS=-static \
			CAN_BUILD_I386=0 CAN_BUILD_X86_64=1 CAN_BUILD_WITH_NOPIE=1 \
			CC="ccache ${A_CROSS#-}gcc${SYSROOT:+ --sysroot=$SYSROOT}" "$out/$p" >"$log.$p" 2>&1; then
			printf '%s\t%s\n' "$p" "$(grep -m1 -E '(error|cannot find|No rule)' "$log.$p" | sed 's/.*\(error\|cannot find\|No rule\)/\1/' | cut -c1-100)" >>"$P_DIR/failed"
		fi
	done
	git -C "$W_DIR" clean -qfdx -- tools/testing/selftests
	rm -rf "$P_DIR/headers" "$P_DIR/tmp"
	: >"$P_DIR/done"
}

# wl_foreign_debs ARCH DIR PACKAGE...: unpacks packages of another architecture into
# DIR, taken from the machine's Debian mirror through an apt root of its own: from
# the release that the machine runs, where that has the architecture: its libraries
# have to go with the machine's compiler.
wl_foreign_debs() (
	local arch=$1 dir=$2 own p uri deb size hash
	shift 2
	trap 'rm -rf "$dir.$$"' EXIT
	WL_APT=$WL_CACHE/apt-$arch
	# shellcheck source=scripts/lib/debian.sh
	. "$WL_SCRIPTS/lib/debian.sh"
	WL_APT_OPTIONS+=(-o "APT::Architecture=$arch" -o "APT::Architectures::=$arch")
	wl_apt_update || exit 1
	own=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	mkdir -p "$dir.$$"
	for p; do
		# Not where the archives are: of a file that is there apt prints nothing.
		read -r uri deb size hash < <(cd / &&
			{ wl_apt_get -o "APT::Default-Release=$own" download --print-uris "$p" || wl_apt_get download --print-uris "$p"; } 2>/dev/null) || exit 1
		uri=${uri#\'} uri=${uri%\'} deb=$WL_APT/archives/$deb
		wl_hash_is "$deb" "$hash" || { wl_apt_fetch "$uri" "$deb" && wl_hash_is "$deb" "$hash"; } || exit 1
		dpkg-deb -x "$deb" "$dir.$$" || exit 1
	done
	rm -rf "$dir"
	mv "$dir.$$" "$dir"
)

# wl_busybox: a static busybox for the loaded architecture, into BUSYBOX: the
# host's where it fits, or from the Debian mirror.
wl_busybox() {
	if [ "$(dpkg --print-architecture 2>/dev/null)" = "$M_DEBIAN" ]; then
		wl_need busybox
		BUSYBOX=$(readlink -f "$(command -v busybox)")
		# Installed, yet not the static one: the mirror has that.
		if ! readelf -l "$BUSYBOX" 2>/dev/null | grep -q INTERP; then return 0; fi
	fi
	BUSYBOX=$WL_CACHE/boot/busybox-$M_DEBIAN
	[ ! -x "$BUSYBOX" ] || return 0
	wl_need apt-get dpkg-deb
	mkdir -p "$WL_CACHE/boot"
	wl_say "getting a static busybox for $M_DEBIAN"
	wl_foreign_debs "$M_DEBIAN" "$WL_CACHE/boot/deb-$M_DEBIAN" busybox-static ||
		wl_die "$WL_USAGE" "no static busybox for $M_DEBIAN could be had from the machine's Debian mirror: run again with a network"
	cp "$(find "$WL_CACHE/boot/deb-$M_DEBIAN" -path '*/bin/busybox' -type f | head -n 1)" "$BUSYBOX.$$"
	chmod 755 "$BUSYBOX.$$"
	mv "$BUSYBOX.$$" "$BUSYBOX"
	rm -rf "$WL_CACHE/boot/deb-$M_DEBIAN"
}

# wl_sysroot: what static programs of the loaded architecture are linked with, into
# SYSROOT; empty where the host's own does.
wl_sysroot() {
	SYSROOT=
	[ "$(dpkg --print-architecture 2>/dev/null)" != "$M_DEBIAN" ] || return 0
	SYSROOT=$WL_CACHE/boot/sysroot-$M_DEBIAN
	[ ! -d "$SYSROOT" ] || return 0
	wl_need apt-get dpkg-deb
	mkdir -p "$WL_CACHE/boot"
	wl_say "getting the C library for $M_DEBIAN"
	wl_foreign_debs "$M_DEBIAN" "$SYSROOT" libc6-dev linux-libc-dev libnuma-dev libcap-dev liburcu-dev ||
		wl_die "$WL_USAGE" "no C library for $M_DEBIAN could be had from the machine's Debian mirror: run again with a network"
	# bookworm has no riscv64, and its linker crashes on the libraries of trixie.
	printf 'int main(void) { return 0; }\n' | "${A_CROSS#-}gcc" "--sysroot=$SYSROOT" -static -pthread -x c -o /dev/null - 2>/dev/null || {
		rm -rf "$SYSROOT"
		wl_die "$WL_USAGE" "${A_CROSS#-}gcc cannot link with the C library for $M_DEBIAN that the machine's Debian mirror has"
	}
}

# wl_initramfs DIR: packs DIR/root, with init and busybox, into DIR/initramfs.
wl_initramfs() {
	local root=$1/root
	mkdir -p "$root/bin" "$root/wl/bin" "$root/proc" "$root/sys" "$root/dev" "$root/tmp"
	cp "$BUSYBOX" "$root/bin/busybox"
	cp "$WL_SCRIPTS/lib/guest-init" "$root/init"
	chmod 755 "$root/init" "$root/bin/busybox"
	# Not compressed: that would cost the guest more than reading it.
	(cd "$root" && find . -print0 | LC_ALL=C sort -z | cpio --quiet -0 -o -H newc -R 0:0) >"$1/initramfs"
}

# wl_stress_ng ROOT: Debian's stress-ng with the libraries that it needs.
wl_stress_ng() {
	local f lib
	[ "$(dpkg --print-architecture 2>/dev/null)" = "$M_DEBIAN" ] ||
		wl_die "$WL_USAGE" "stress-ng for $M_DEBIAN cannot be had here: --stress works for the host's own architecture"
	wl_need stress-ng ldd
	f=$(command -v stress-ng)
	cp "$f" "$1/wl/bin/stress-ng"
	while read -r lib; do
		mkdir -p "$1${lib%/*}"
		cp -L "$lib" "$1$lib"
	done < <(ldd "$f" | grep -o '/[^ ]*')
}

# wl_kvm: KVM runs this kernel.  Being there is not enough: it has to print.
wl_kvm() {
	local mark try
	[ -c /dev/kvm ] && [ -r /dev/kvm ] && [ -w /dev/kvm ] && [ "$(uname -m)" = "$M_UNAME" ] || return 1
	mark=$WL_CACHE/boot/kvm.$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || printf none)
	if [ ! -s "$mark" ]; then
		wl_say "trying whether KVM works here"
		wl_tmpdir try
		# Without a root file system the kernel panics, and the emulator ends.  A shell
		# in between keeps what it says of a crash to itself.
		# shellcheck disable=SC2016
		sh -c '"$@"; :' sh timeout -s KILL 10 "$M_QEMU" -accel kvm -cpu host -machine "$M_MACHINE" -m 512 \
			-display none -monitor none -no-reboot -serial "file:$try/console" -kernel "$K_DIR/image" \
			-append "console=$M_CONSOLE panic=-1" </dev/null >/dev/null 2>&1 || :
		if grep -q 'Linux version' "$try/console" 2>/dev/null; then printf 'yes\n'; else printf 'no\n'; fi >"$mark.$$"
		mv "$mark.$$" "$mark"
	fi
	[ "$(cat "$mark")" = yes ]
}

# wl_qemu_command DIR: the emulator's command line into QEMU.
wl_qemu_command() {
	local dir=$1 half=2048 append cpu=$M_CPU smp=$Q_CPUS
	# A socket for each node: siblings in two nodes make the kernel complain.
	[ $((Q_CPUS % 2)) -ne 0 ] || smp=$Q_CPUS,sockets=2,cores=$((Q_CPUS / 2)),threads=1
	case $Q_ACCEL in
	kvm) cpu=host ;;
	tcg*) [ "$Q_CPUS" -eq 1 ] || Q_ACCEL=tcg,thread=multi ;;
	esac
	append="console=$M_CONSOLE earlycon panic=-1 oops=panic loglevel=7 printk.time=1 kunit.enable=1"
	append+=" mitigations=off random.trust_cpu=on cgroup_no_v1=all swiotlb=noforce numa_balancing=disable"
	append+=" hung_task_panic=0 softlockup_panic=0 watchdog_thresh=60 no_timer_check transparent_hugepage=madvise ${Q_APPEND:-}"
	QEMU=("$M_QEMU" -nodefaults -display none -monitor none -no-reboot
		-machine "$M_MACHINE" -accel "$Q_ACCEL" -cpu "$cpu" -smp "$smp" -m $((half * 2))M)
	if [ "$M_NODES" -ge 2 ] && [ "$Q_CPUS" -ge 2 ]; then
		QEMU+=(-object "memory-backend-ram,id=m0,size=${half}M" -object "memory-backend-ram,id=m1,size=${half}M"
			-numa "node,nodeid=0,memdev=m0,cpus=0-$((Q_CPUS / 2 - 1))"
			-numa "node,nodeid=1,memdev=m1,cpus=$((Q_CPUS / 2))-$((Q_CPUS - 1))")
	fi
	[ -z "${Q_ICOUNT:-}" ] || QEMU+=(-icount "shift=0,sleep=off" -rtc clock=vm)
	QEMU+=(-serial "file:$dir/console"
		-device "virtio-serial-$M_BUS" -chardev "file,id=results,path=$dir/results"
		-device "virtserialport,chardev=results,name=walklock.results"
		-kernel "$K_DIR/image" -initrd "$dir/initramfs" -append "$append")
}

# wl_qemu_run DIR: runs the emulator until it ends by itself, or until nothing
# can come any more.  Sets Q_HOW: exit, timeout or noboot.
wl_qemu_run() {
	local dir=$1 pid limit now start size last=0 quiet name seen=
	: >"$dir/results"
	: >"$dir/console"
	Q_STEPS=''
	start=$SECONDS
	"${QEMU[@]}" </dev/null >"$dir/qemu.log" 2>&1 &
	pid=$!
	wl_at_exit wl_end "$pid"
	Q_HOW='exit'
	quiet=$SECONDS
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		now=$SECONDS
		size=$(($(stat -c %s "$dir/results") + $(stat -c %s "$dir/console")))
		if [ "$size" -ne "$last" ]; then
			last=$size quiet=$now
			name=$(awk '/^@wl begin/ { n = $3 } END { print n }' "$dir/results")
			if [ -n "$name" ] && [ "$name" != "$seen" ]; then
				seen=$name
				wl_say "$T_NAME: guest: $name"
			fi
		fi
		if ! grep -aq '^@wl init' "$dir/results"; then
			[ $((now - start)) -ge "$Q_BOOT_LIMIT" ] || {
				[ $((now - quiet)) -ge 3 ] && grep -aq 'Kernel panic' "$dir/console" || continue
			}
			Q_HOW=noboot
		elif grep -aq 'Kernel panic' "$dir/console"; then
			[ $((now - quiet)) -ge 5 ] || continue
			Q_HOW=timeout
		elif grep -aq 'reboot: Power down' "$dir/console" && grep -aq '^@wl done' "$dir/results"; then
			# The guest is off; a busy host's emulator now and then does not see it.
			[ $((now - quiet)) -ge 10 ] || continue
		else
			limit=$(awk '/^@wl begin/ { l = $4 } /^@wl end/ { l = 0 } END { print l + 0 }' "$dir/results")
			# Init ends a test that takes too long; if it does not, nothing will.
			[ $((now - quiet)) -ge $((limit + 20 * Q_FACTOR + 10)) ] || wl_late "$dir" "$now" "$limit" || continue
			Q_HOW=timeout
		fi
		kill -KILL "$pid" 2>/dev/null || :
		break
	done
	wait "$pid" 2>/dev/null || :
	Q_SECONDS=$((SECONDS - start))
}

# wl_late DIR NOW LIMIT: the running test has had its LIMIT seconds twice over, or
# the guest does not get from one to the next, although it still talks.
wl_late() {
	local steps
	steps=$(grep -acE '^@wl (begin|end)' "$1/results") || :
	if [ "$steps" != "${Q_STEPS:-}" ]; then
		Q_STEPS=$steps Q_STEP_AT=$2
	fi
	[ "$steps" -gt 0 ] && [ $(($2 - Q_STEP_AT)) -ge $((2 * $3 + 60)) ]
}

# wl_end PID: ends a process of ours if it is still there.
wl_end() {
	kill -KILL "$1" 2>/dev/null || return 0
	wait "$1" 2>/dev/null || :
}
