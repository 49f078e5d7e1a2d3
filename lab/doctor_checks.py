"""The doctor's checks: one function each, listed once at the end."""

from __future__ import annotations

from lab.doctor import Check, Checker, Machine, State
from lab.environment import capabilities
from lab.errors import EnvironmentProblem, LabError, PermissionProblem

SETUP = "make setup"
PROVISION = "scripts/provision.sh"  # asks for root by itself
AS_ROOT = "sudo .venv/bin/lab doctor"
LIBRARIES = {
    "cffi": "cffi",
    "click": "click",
    "isal": "isal",
    "numba": "numba",
    "numpy": "numpy",
    "pyroute2": "pyroute2",
    "rich": "rich",
    "scapy": "scapy",
    "sqlite_utils": "sqlite-utils",
    "zstandard": "zstandard",
}


def ok(name: str, found: str) -> Check:
    """Return a check that found what it looked for."""
    return Check(name, State.OK, found)


def warn(name: str, cause: str, mend: str, found: str | None = None) -> Check:
    """Return a check whose finding makes something smaller fail."""
    return Check(name, State.WARN, found, cause, mend)


def fail(name: str, cause: str, mend: str, exit_code: int = EnvironmentProblem.exit_code) -> Check:
    """Return a check whose finding makes the main job fail."""
    return Check(name, State.FAIL, None, cause, mend, exit_code)


def system(machine: Machine) -> Check:
    """Check that this is Linux."""
    if machine.system == "Linux":
        return ok("system", f"Linux {machine.release}")
    return fail("system", f"{machine.system} has no BPF; the lab needs Linux", "vagrant up")


def btf(machine: Machine) -> Check:
    """Check that the kernel describes its types."""
    if (machine.root / "sys/kernel/btf/vmlinux").exists():
        return ok("BTF", "/sys/kernel/btf/vmlinux")
    return fail("BTF", "the kernel was built without CONFIG_DEBUG_INFO_BTF", "vagrant up")


def jit(machine: Machine) -> Check:
    """Check that programs are compiled, not interpreted."""
    mend = machine.sudo("sysctl net.core.bpf_jit_enable=1")
    try:
        value = machine.text("proc/sys/net/core/bpf_jit_enable")
    except PermissionError:
        return warn("JIT", "only root may see whether it is on", AS_ROOT)
    if value is None:
        return warn("JIT", "the kernel has none: programs are interpreted, slowly", "vagrant up")
    if value.strip() == "0":
        return warn("JIT", "it is off: programs are interpreted, slowly", mend)
    return ok("JIT", "on")


def privileges(machine: Machine) -> Check:
    """Check that this process may load and attach programs."""
    held = set(capabilities(machine.root) or ())
    if "cap_sys_admin" in held:
        held |= {"cap_bpf", "cap_perfmon"}
    missing = [name for name in ("cap_bpf", "cap_net_admin") if name not in held]
    if missing:
        code = PermissionProblem.exit_code
        cause = f"this process lacks {' and '.join(missing)}"
        mend = AS_ROOT if not machine.is_root else "run outside of this container"
        return fail("capabilities", cause, mend, code)
    if "cap_perfmon" not in held:
        cause = "cap_perfmon is missing: the same programs run about 35 % slower"
        return warn("capabilities", cause, AS_ROOT)
    return ok("capabilities", "cap_bpf cap_net_admin cap_perfmon")


def unprivileged(machine: Machine) -> Check:
    """Check that not everybody may load programs."""
    value = (machine.text("proc/sys/kernel/unprivileged_bpf_disabled") or "1").strip()
    if value == "0":
        mend = machine.sudo("sysctl kernel.unprivileged_bpf_disabled=1")
        return warn("unprivileged BPF", "any user may load programs into this kernel", mend)
    return ok("unprivileged BPF", "off")


def bpffs(machine: Machine) -> Check:
    """Check that programs and maps can be pinned."""
    if "bpf" in _mounted(machine, "/sys/fs/bpf"):
        return ok("bpffs", "/sys/fs/bpf")
    mend = machine.sudo("mount -t bpf bpf /sys/fs/bpf")
    return warn("bpffs", "no BPF file system is mounted at /sys/fs/bpf", mend)


def tracefs(machine: Machine) -> Check:
    """Check that the trace pipe and the tracepoints can be reached."""
    for place in ("/sys/kernel/tracing", "/sys/kernel/debug/tracing"):
        if "tracefs" in _mounted(machine, place):
            return ok("tracefs", place)
    mend = machine.sudo("mount -t tracefs tracefs /sys/kernel/tracing")
    cause = "not mounted: `lab hello` has no trace pipe, `lab diary watch` no tracepoints"
    return warn("tracefs", cause, mend)


def _mounted(machine: Machine, place: str) -> list[str]:
    mounts = (line.split() for line in (machine.text("proc/mounts") or "").splitlines())
    return [fields[2] for fields in mounts if len(fields) > 2 and fields[1] == place]


def clang(machine: Machine) -> Check:
    """Check that C becomes BPF."""
    mend = machine.sudo("apt-get install -y clang")
    targets = machine.output("clang", "--print-targets")
    if targets is None:
        return fail("clang", "it is not installed, so nothing in bpf/ can be built", mend)
    if "bpf" not in targets.split():
        return fail("clang", "it was built without the BPF target", mend)
    return ok("clang", _first_line(machine.output("clang", "--version")))


def llvm(machine: Machine) -> Check:
    """Check that objects can be stripped and read."""
    mend = machine.sudo("apt-get install -y llvm")
    version = machine.output("llvm-strip", "--version")
    if version is None:
        return warn("llvm", "llvm-strip is missing: objects keep their DWARF", mend)
    return ok("llvm", "llvm-strip")


def libbpf(machine: Machine) -> Check:
    """Check the one library that talks to bpf(), and its headers."""
    if not machine.has_library("libbpf.so.1"):
        mend = machine.sudo("apt-get install -y libbpf1")
        return fail("libbpf", "libbpf.so.1 is missing, so nothing can be loaded", mend)
    if not (machine.root / "usr/include/bpf/bpf_helpers.h").exists():
        mend = machine.sudo("apt-get install -y libbpf-dev")
        return fail("libbpf", "its headers are missing, so nothing in bpf/ can be built", mend)
    return ok("libbpf", "libbpf.so.1 and headers")


def bpftool(machine: Machine) -> Check:
    """Check that bpftool runs; Ubuntu's is a wrapper that may find no tool for this kernel."""
    version = machine.output("bpftool", "version")
    if version is None:
        mend = PROVISION
        return warn("bpftool", "it is missing, or there is none for this kernel", mend)
    return ok("bpftool", _first_line(version))


def bcc(machine: Machine) -> Check:
    """Check that the distribution's bcc is visible to this Python."""
    if not machine.has_library("libbcc.so.0"):
        mend = machine.sudo("apt-get install -y python3-bpfcc")
        return warn("bcc", "it is not installed: no `lab diary watch`", mend)
    if not machine.has_module("bcc"):
        return warn("bcc", "it is installed, but this Python does not see it", SETUP)
    return ok("bcc", "libbcc.so.0 and its Python package")


def headers(machine: Machine) -> Check:
    """Check that BCC finds kernel headers, since it compiles when it starts."""
    found = machine.headers()
    if found is None:
        mend = PROVISION
        return warn("kernel headers", "BCC finds none: no `lab diary watch`", mend)
    return ok("kernel headers", str(found))


def tcpreplay(machine: Machine) -> Check:
    """Check that captures can be sent over a real interface."""
    version = machine.output("tcpreplay", "--version")
    if version is None:
        mend = machine.sudo("apt-get install -y tcpreplay")
        return warn("tcpreplay", "it is missing: `lab demo` cannot send a capture", mend)
    return ok("tcpreplay", _first_line(version))


def make(machine: Machine) -> Check:
    """Check that objects can be rebuilt."""
    version = machine.output("make", "--version")
    if version is None:
        mend = machine.sudo("apt-get install -y make")
        return fail("make", "it is missing, so nothing in bpf/ can be built", mend)
    return ok("make", _first_line(version))


def libraries(machine: Machine) -> Check:
    """Check that Python finds what the lab imports."""
    missing = [package for name, package in LIBRARIES.items() if not machine.has_module(name)]
    if missing:
        return fail("Python packages", f"missing: {', '.join(missing)}", SETUP)
    return ok("Python packages", f"all {len(LIBRARIES)}")


def load(machine: Machine) -> Check:
    """Compile and load a tiny program: the proof that all of the above works together."""
    try:
        return ok("load", machine.load_tiny_program())
    except LabError as error:
        code = error.exit_code
        denied = code == PermissionProblem.exit_code
        mend = error.try_ or "mend the failures above first"
        return fail("load", str(error), mend, code if denied else EnvironmentProblem.exit_code)


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]


CHECKS: tuple[Checker, ...] = (
    system,
    btf,
    jit,
    privileges,
    unprivileged,
    bpffs,
    tracefs,
    clang,
    llvm,
    libbpf,
    bpftool,
    bcc,
    headers,
    tcpreplay,
    make,
    libraries,
    load,
)
