#!/usr/bin/env bash
# scripts/provision.sh [matrix]: install the system packages that the lab needs, on Debian 12 and
# Ubuntu 24.04; with `matrix` also those that boot other kernels.
#
# Installs nothing that is there already, and says what it does. Runs as root or through sudo.
# Kernel headers for BCC go to /opt/glimpse/kernel-headers when the running kernel brings none.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

HEADERS=${GLIMPSE_HEADERS:-/opt/glimpse/kernel-headers} # verifier_diary/kernel_headers.py looks here

PACKAGES=(
	ca-certificates
	clang
	clang-format
	git
	iproute2
	libbpf-dev
	libbpf1
	linux-libc-dev
	llvm
	make
	python3
	python3-bpfcc
	python3-venv
	tcpreplay
	zstd
)

MATRIX_PACKAGES=(
	busybox-static
	cpio
	debian-archive-keyring
	qemu-system-x86
)

main() {
	case "${1:-}" in
	'') ;;
	matrix) PACKAGES+=("${MATRIX_PACKAGES[@]}") ;;
	*) give_up 2 "scripts/provision.sh knows no group $1" "scripts/provision.sh, or scripts/provision.sh matrix" ;;
	esac
	case "$(distribution)" in
	debian-12) PACKAGES+=(bpftool) ;;
	ubuntu-24.04) PACKAGES+=(linux-tools-common linux-tools-generic) ;;
	*)
		give_up $ENVIRONMENT "this is $(distribution), and only debian-12 and ubuntu-24.04 are known" \
			"install these with your own package manager, then run with GLIMPSE_PROVISION=no: ${PACKAGES[*]} bpftool"
		;;
	esac
	install_missing "${PACKAGES[@]}"
	find_bpftool
	provide_headers
}

distribution() {
	local file=${GLIMPSE_OS_RELEASE:-/etc/os-release} # a test names another
	if [ -r "$file" ]; then
		# shellcheck disable=SC1090
		(. "$file" && printf '%s-%s' "${ID:-linux}" "${VERSION_ID:-unknown}")
	else
		uname -s
	fi
}

install_missing() {
	local missing=() package
	for package in "$@"; do
		is_installed "$package" || missing+=("$package")
	done
	if [ ${#missing[@]} = 0 ]; then
		say "system packages: all $# are installed"
		return
	fi
	need_root "these packages are missing: ${missing[*]}"
	say "installing system packages: ${missing[*]}"
	apt update -qq
	apt install -y -qq --no-install-recommends "${missing[@]}" >&2 ||
		give_up $ENVIRONMENT "apt could not install the packages above" \
			"read apt's message; where it cannot locate one: on Ubuntu enable universe (add-apt-repository universe), and check the network"
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

need_root() {
	can_be_root || give_up $PERMISSION "$1, and this is neither root nor can it use sudo" \
		"run scripts/provision.sh as root"
}

# On a machine that has just booted, apt is often busy with its own updates: wait for it.
apt() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
		-o Acquire::Retries=3 "$@"
}

# Ubuntu's bpftool is a wrapper that wants tools of exactly the running kernel.
find_bpftool() {
	local real
	PATH=$PATH:/usr/sbin bpftool version >/dev/null 2>&1 && return
	real=$(find /usr/lib -path '*linux-tools*' -name bpftool 2>/dev/null | sort -V | tail -n 1)
	if [ -z "$real" ]; then
		say "warning: no bpftool that runs was found"
		return
	fi
	need_root "bpftool must be linked"
	say "linking /usr/local/sbin/bpftool to $real: there is none for kernel $(uname -r)"
	as_root ln -sfn "$real" /usr/local/sbin/bpftool
}

# BCC compiles against kernel headers when it starts. Where the kernel brings none, the
# distribution's are unpacked, not installed: in /lib/modules they would mislead DKMS.
provide_headers() {
	local kernel package
	kernel=$(uname -r)
	if [ -e "/lib/modules/$kernel/build/include" ] || [ -e /sys/kernel/kheaders.tar.xz ]; then
		say "kernel headers: the running kernel brings its own"
		return
	fi
	[ ! -e "$HEADERS/$kernel" ] || { say "kernel headers: $HEADERS/$kernel" && return; }
	if package=linux-headers-$kernel && is_available "$package"; then
		unpack_headers "$package" "$kernel"
	elif [ -e "$HEADERS/current" ]; then
		say "kernel headers: $HEADERS/current"
	else
		package=$(newest_headers)
		[ -n "$package" ] || { apt update -qq && package=$(newest_headers); }
		[ -n "$package" ] || { say "warning: apt knows no kernel headers; BCC will not work" && return; }
		unpack_headers "$package" current
	fi
}

is_available() { apt-cache show "$1" >/dev/null 2>&1; }

# The package that the distribution's own metapackage stands for today.
newest_headers() {
	local meta
	for meta in "linux-headers-$(dpkg --print-architecture)" linux-headers-generic; do
		depends "$meta" | head -n 1
	done | head -n 1
}

# Fails never: a name that apt does not know depends on nothing.
depends() {
	{ apt-cache depends "$1" 2>/dev/null || true; } |
		sed -n 's/^ *Depends: \(linux-headers-[0-9].*\)/\1/p'
}

# unpack_headers PACKAGE NAME: the common part and the architecture's part, as one tree.
unpack_headers() {
	local folder package
	need_root "kernel headers for BCC are missing"
	say "unpacking kernel headers for BCC: $1 to $HEADERS/$2"
	folder=$(mktemp -d)
	# shellcheck disable=SC2046
	(cd "$folder" && as_root apt-get -qq -o APT::Sandbox::User=root -o Acquire::Retries=3 \
		download "$1" $(depends "$1") >&2) ||
		give_up $ENVIRONMENT "the kernel headers could not be fetched" \
			"check the network, then run scripts/provision.sh again"
	mkdir "$folder/tree"
	for package in "$folder"/*.deb; do
		dpkg-deb --fsys-tarfile "$package" | tar -x -C "$folder/tree" --strip-components=4 \
			--wildcards './usr/src/*/include/*'
	done
	as_root mkdir -p "$HEADERS"
	as_root rm -rf "${HEADERS:?}/$2"
	as_root cp -r "$folder/tree" "$HEADERS/$2"
	as_root rm -rf "$folder"
}

main "$@"
