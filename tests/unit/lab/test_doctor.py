from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from lab import cli, doctor, doctor_checks
from lab.doctor import Check, Machine, State, examine, exit_code
from lab.errors import CheckFailed, EnvironmentProblem, PermissionProblem

ROOT = Path(__file__).parents[3]
RELEASE = "6.1.0-50-amd64"
ALL_CAPABILITIES = "000001ffffffffff"
TOOLS = {
    ("clang", "--print-targets"): "  Registered Targets:\n    bpf  - BPF (host endian)\n",
    ("clang", "--version"): "clang version 14.0.6\nTarget: x86_64\n",
    ("llvm-strip", "--version"): "llvm-strip, compatible with GNU strip\n",
    ("bpftool", "version"): "bpftool v7.1.0\nusing libbpf v1.1\n",
    ("tcpreplay", "--version"): "tcpreplay version: 4.4.3\n",
    ("make", "--version"): "GNU Make 4.3\n",
}
FILES = {
    "sys/kernel/btf/vmlinux": "",
    "proc/sys/net/core/bpf_jit_enable": "1\n",
    "proc/sys/kernel/unprivileged_bpf_disabled": "2\n",
    "proc/self/status": f"Name:\tlab\nCapEff:\t{ALL_CAPABILITIES}\n",
    "proc/mounts": "bpf /sys/fs/bpf bpf rw 0 0\ntracefs /sys/kernel/tracing tracefs rw 0 0\n",
    "usr/include/bpf/bpf_helpers.h": "",
    "opt/glimpse/kernel-headers/current/include/linux/version.h": "",
}


class Fake(Machine):
    """A machine that has everything, until a test takes something away."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.system, self.release, self.is_root = "Linux", RELEASE, True
        self.tools = dict(TOOLS)
        self.missing_libraries: set[str] = set()
        self.missing_modules: set[str] = set()
        self.load: Callable[[], str] = lambda: "hello.bpf.c, 5 instructions processed"
        for name, text in FILES.items():
            self.put(name, text)

    def put(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def remove(self, name: str) -> None:
        (self.root / name).unlink()

    def output(self, *command: str) -> str | None:
        return self.tools.get(command)

    def has_library(self, name: str) -> bool:
        return name not in self.missing_libraries

    def has_module(self, name: str) -> bool:
        return name not in self.missing_modules

    def load_tiny_program(self) -> str:
        return self.load()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    monkeypatch.delenv("BCC_KERNEL_SOURCE", raising=False)
    return Fake(tmp_path)


def test_a_whole_machine_is_ok_throughout(machine: Fake) -> None:
    checks = list(examine(machine))
    assert [check.state for check in checks] == [State.OK] * len(doctor_checks.CHECKS)
    assert all(check.found and not check.cause and not check.mend for check in checks)
    assert exit_code(checks) == 0


def with_status(capabilities: int) -> Callable[[Fake], None]:
    return lambda m: m.put("proc/self/status", f"CapEff:\t{capabilities:016x}\n")


def without_tool(*command: str) -> Callable[[Fake], None]:
    return lambda m: m.tools.pop(command)


def set_output(text: str, *command: str) -> Callable[[Fake], None]:
    return lambda m: m.tools.update({command: text})


def without(name: str) -> Callable[[Fake], None]:
    return lambda m: (m.missing_libraries.add(name), m.missing_modules.add(name))


def remove(name: str) -> Callable[[Fake], None]:
    return lambda m: m.remove(name)


def put(name: str, text: str) -> Callable[[Fake], None]:
    return lambda m: m.put(name, text)


BPF_AND_NET_ADMIN = 1 << 39 | 1 << 12
NET_ADMIN = 1 << 12

WARNINGS = [
    (
        "JIT",
        put("proc/sys/net/core/bpf_jit_enable", "0\n"),
        "it is off: programs are interpreted, slowly",
        "sysctl net.core.bpf_jit_enable=1",
    ),
    (
        "JIT",
        remove("proc/sys/net/core/bpf_jit_enable"),
        "the kernel has none: programs are interpreted, slowly",
        "vagrant up",
    ),
    (
        "capabilities",
        with_status(BPF_AND_NET_ADMIN),
        "cap_perfmon is missing: the same programs run about 35 % slower",
        "sudo .venv/bin/lab doctor",
    ),
    (
        "unprivileged BPF",
        put("proc/sys/kernel/unprivileged_bpf_disabled", "0\n"),
        "any user may load programs into this kernel",
        "sysctl kernel.unprivileged_bpf_disabled=1",
    ),
    (
        "bpffs",
        put("proc/mounts", "tracefs /sys/kernel/tracing tracefs rw 0 0\n"),
        "no BPF file system is mounted at /sys/fs/bpf",
        "mount -t bpf bpf /sys/fs/bpf",
    ),
    (
        "tracefs",
        put("proc/mounts", "bpf /sys/fs/bpf bpf rw 0 0\n"),
        "not mounted: `lab hello` has no trace pipe, `lab diary watch` no tracepoints",
        "mount -t tracefs tracefs /sys/kernel/tracing",
    ),
    (
        "llvm",
        without_tool("llvm-strip", "--version"),
        "llvm-strip is missing: objects keep their DWARF",
        "apt-get install -y llvm",
    ),
    (
        "bpftool",
        without_tool("bpftool", "version"),
        "it is missing, or there is none for this kernel",
        "scripts/provision.sh",
    ),
    (
        "bcc",
        without("libbcc.so.0"),
        "it is not installed: no `lab diary watch`",
        "apt-get install -y python3-bpfcc",
    ),
    (
        "bcc",
        without("bcc"),
        "it is installed, but this Python does not see it",
        "make setup",
    ),
    (
        "kernel headers",
        lambda m: (m.root / "opt/glimpse/kernel-headers/current").rename(m.root / "elsewhere"),
        "BCC finds none: no `lab diary watch`",
        "scripts/provision.sh",
    ),
    (
        "tcpreplay",
        without_tool("tcpreplay", "--version"),
        "it is missing: `lab demo` cannot send a capture",
        "apt-get install -y tcpreplay",
    ),
]
FAILURES = [
    ("BTF", remove("sys/kernel/btf/vmlinux"), "without CONFIG_DEBUG_INFO_BTF", "vagrant up", 3),
    (
        "capabilities",
        with_status(0),
        "this process lacks cap_bpf and cap_net_admin",
        "run outside of this container",
        4,
    ),
    (
        "capabilities",
        with_status(NET_ADMIN),
        "this process lacks cap_bpf",
        "run outside of this container",
        4,
    ),
    (
        "clang",
        without_tool("clang", "--print-targets"),
        "it is not installed, so nothing in bpf/ can be built",
        "apt-get install -y clang",
        3,
    ),
    (
        "clang",
        set_output("    x86-64 - 64-bit X86\n", "clang", "--print-targets"),
        "it was built without the BPF target",
        "apt-get install -y clang",
        3,
    ),
    (
        "libbpf",
        without("libbpf.so.1"),
        "libbpf.so.1 is missing, so nothing can be loaded",
        "apt-get install -y libbpf1",
        3,
    ),
    (
        "libbpf",
        remove("usr/include/bpf/bpf_helpers.h"),
        "its headers are missing, so nothing in bpf/ can be built",
        "apt-get install -y libbpf-dev",
        3,
    ),
    (
        "make",
        without_tool("make", "--version"),
        "it is missing, so nothing in bpf/ can be built",
        "apt-get install -y make",
        3,
    ),
    (
        "Python packages",
        lambda m: m.missing_modules.update({"numba", "sqlite_utils"}),
        "missing: numba, sqlite-utils",
        "make setup",
        3,
    ),
]


# The one check that is not ok; everything else must not have noticed.
def the_finding(machine: Fake) -> Check:
    (finding,) = (check for check in examine(machine) if check.state is not State.OK)
    return finding


@pytest.mark.parametrize(("name", "take_away", "cause", "mend"), WARNINGS)
def test_a_smaller_lack_is_a_warning(machine, name, take_away, cause, mend) -> None:
    take_away(machine)
    found = the_finding(machine)
    assert (found.name, found.state, found.mend) == (name, State.WARN, mend)
    assert found.cause == cause
    assert exit_code([found]) == 0


@pytest.mark.parametrize(("name", "take_away", "cause", "mend", "code"), FAILURES)
def test_a_lack_of_the_main_job_is_a_failure(machine, name, take_away, cause, mend, code) -> None:
    take_away(machine)
    found = the_finding(machine)
    assert (found.name, found.state, found.mend) == (name, State.FAIL, mend)
    assert cause in found.cause
    assert exit_code([found]) == code


def test_jit_that_only_root_may_see_is_a_warning(machine: Fake, monkeypatch) -> None:
    def text(path: str) -> str:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(machine, "text", text)
    found = doctor_checks.jit(machine)
    assert (found.state, found.cause) == (State.WARN, "only root may see whether it is on")


def test_another_system_is_one_failure_and_no_further_check(machine: Fake) -> None:
    machine.system = "Darwin"
    (found,) = examine(machine)
    assert found == Check(
        "system",
        State.FAIL,
        cause="Darwin has no BPF; the lab needs Linux",
        mend="vagrant up",
        exit_code=3,
    )


def test_commands_for_an_ordinary_user_begin_with_sudo(machine: Fake) -> None:
    machine.is_root = False
    machine.put("proc/mounts", "")
    mends = [check.mend for check in examine(machine) if check.mend]
    assert mends == [
        "sudo mount -t bpf bpf /sys/fs/bpf",
        "sudo mount -t tracefs tracefs /sys/kernel/tracing",
    ]


def test_an_ordinary_user_without_capabilities_is_told_to_use_sudo(machine: Fake) -> None:
    machine.is_root = False
    with_status(0)(machine)
    assert the_finding(machine).mend == "sudo .venv/bin/lab doctor"


@pytest.mark.parametrize(
    ("error", "code", "mend"),
    [
        (EnvironmentProblem("clang is not installed", try_="install it"), 3, "install it"),
        (PermissionProblem("no root", try_="run it with sudo"), 4, "run it with sudo"),
        (CheckFailed("program hello was refused"), 3, "mend the failures above first"),
    ],
)
def test_a_load_that_fails_says_why(machine: Fake, error, code: int, mend: str) -> None:
    def load() -> str:
        raise error

    machine.load = load
    found = the_finding(machine)
    assert (found.name, found.state, found.cause, found.mend) == (
        "load",
        State.FAIL,
        str(error),
        mend,
    )
    assert exit_code([found]) == code


@pytest.mark.parametrize(
    ("codes", "expected"), [([], 0), ([4], 4), ([4, 4], 4), ([3], 3), ([4, 3], 3)]
)
def test_exit_code_is_4_only_where_nothing_but_a_privilege_is_missing(codes, expected) -> None:
    failures = [Check("x", State.FAIL, exit_code=code) for code in codes]
    assert exit_code([Check("y", State.WARN), *failures]) == expected


@pytest.mark.parametrize(
    "path", [f"lib/modules/{RELEASE}/build/include", "sys/kernel/kheaders.tar.xz"]
)
def test_headers_of_the_running_kernel_come_first(machine: Fake, path: str) -> None:
    machine.put(f"{path}/x" if path.endswith("include") else path, "")
    assert doctor_checks.headers(machine).found in str(machine.root / path)


def test_headers_that_the_person_chose_come_before_all(machine: Fake, monkeypatch) -> None:
    monkeypatch.setenv("BCC_KERNEL_SOURCE", str(machine.root / "usr"))
    assert doctor_checks.headers(machine).found == str(machine.root / "usr")


def test_headers_that_the_person_chose_must_exist(machine: Fake, monkeypatch) -> None:
    monkeypatch.setenv("BCC_KERNEL_SOURCE", "/nowhere")
    assert doctor_checks.headers(machine).state is State.WARN


def test_the_check_of_python_packages_covers_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[><=]", dependency)[0] for dependency in project["dependencies"]}
    assert set(doctor_checks.LIBRARIES.values()) == names


def test_json_has_schema_checks_and_environment(machine: Fake, monkeypatch, capsys) -> None:
    with_status(0)(machine)
    monkeypatch.setattr(doctor, "Machine", lambda: machine)
    assert cli.run(["doctor", "--format", "json"]) == 4
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    assert document["ok"] is False
    assert document["environment"]["kernel"]
    row = next(row for row in document["results"] if row["name"] == "capabilities")
    assert row["state"] == "fail"
    assert document["results"][0] == {
        "name": "system",
        "state": "ok",
        "found": f"Linux {RELEASE}",
        "cause": None,
        "mend": None,
        "exit_code": None,
    }


def test_table_shows_cause_and_mend_of_what_is_not_ok(machine: Fake, monkeypatch, capsys) -> None:
    machine.put("proc/mounts", "")
    monkeypatch.setattr(doctor, "Machine", lambda: machine)
    assert cli.run(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "no BPF file system is mounted at /sys/fs/bpf" in out
    assert "mount -t bpf bpf /sys/fs/bpf" in out


def test_the_real_machine_can_be_examined_but_for_the_load() -> None:
    machine = Machine()
    names = [check(machine).name for check in doctor_checks.CHECKS if check.__name__ != "load"]
    assert len(names) == len(set(names)) == len(doctor_checks.CHECKS) - 1
