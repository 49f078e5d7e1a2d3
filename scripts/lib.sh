# shellcheck shell=bash
# Shared by the scripts: how things are said, and who does them. Sourced, never run.
#
# Three people may be at work: root in a tree of root's (a container, CI), an ordinary user with or
# without sudo, and root in somebody else's tree (`sudo make`). Builds, the virtual environment and
# tests without a kernel run as the tree's owner; only apt and what needs the kernel runs as root.

tree=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
owner_uid=$(stat -c %u "$tree" 2>/dev/null || stat -f %u "$tree")
owner_gid=$(stat -c %g "$tree" 2>/dev/null || stat -f %g "$tree")

PATH=$PATH:/usr/sbin:/sbin # bpftool and tcpreplay, which an ordinary user's PATH may lack

# The documented exit codes, see lab/errors.py.
export ENVIRONMENT=3 PERMISSION=4

say() { printf '%s\n' "$*" >&2; }

# give_up CODE PROBLEM WHAT_TO_DO
give_up() {
	say "error: $2"
	say "try: $3"
	exit "$1"
}

is_root() { [ "$(id -u)" = 0 ]; }

# Whether root is to be had; sudo may ask for a password only where somebody can type one.
can_be_root() {
	is_root || { command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }
}

# as_root COMMAND...: sudo forgets the environment, so what the lab reads is handed over.
as_root() {
	local handed=() name
	if ! is_root; then
		for name in ${!GLIMPSE_@} ${!LAB_@} BCC_KERNEL_SOURCE CI NO_COLOR PYTEST_ADDOPTS; do
			[ -z "${!name+set}" ] || handed+=("$name=${!name}")
		done
		handed=(sudo env "${handed[@]}")
	fi
	if [ "$owner_uid" != 0 ]; then
		[ ${#handed[@]} -gt 0 ] || handed=(env)
		handed+=(PYTHONDONTWRITEBYTECODE=1 "NUMBA_CACHE_DIR=$(home_of 0)/.cache/glimpse/numba")
	fi
	"${handed[@]}" "$@"
}

# as_owner COMMAND...: under sudo, what root need not do is done by the tree's owner.
as_owner() {
	local groups=--clear-groups
	if ! is_root || [ "$owner_uid" = 0 ] || ! command -v setpriv >/dev/null; then
		"$@"
		return
	fi
	getent passwd "$owner_uid" >/dev/null && groups=--init-groups
	local drop=(setpriv "--reuid=$owner_uid" "--regid=$owner_gid" "$groups")
	# A folder above the tree may be closed to the owner; then root works, and restore_owner mends.
	"${drop[@]}" test -w "$tree" 2>/dev/null || drop=()
	if [ ${#drop[@]} -gt 0 ]; then
		local name
		name=$(id -un "$owner_uid" 2>/dev/null) || name=$owner_uid
		drop+=(env "HOME=$(home_of "$owner_uid")" "USER=$name" "LOGNAME=$name")
	fi
	"${drop[@]}" "$@"
}

# System packages; a problem is told, and returned.
provision() {
	case "${GLIMPSE_PROVISION:-yes}" in
	finished) ;; # by the caller
	no) say "system packages: left alone (GLIMPSE_PROVISION=no)" ;;
	*) "$tree/scripts/provision.sh" ;;
	esac
}

home_of() {
	local home
	home=$(getent passwd "$1" | cut -d: -f6)
	printf '%s' "${home:-${TMPDIR:-/tmp}/glimpse-$1}"
}

# Nothing that root made in somebody else's tree stays root's.
restore_owner() {
	[ "$owner_uid" != 0 ] && can_be_root || return 0
	find "$tree" -user 0 -print -quit 2>/dev/null | grep -q . || return 0
	as_root find "$tree" -user 0 -exec chown -h "$owner_uid:$owner_gid" {} +
}
