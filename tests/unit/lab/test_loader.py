from __future__ import annotations

import ctypes.util
import errno

import pytest

from lab import loader, privilege
from lab.errors import EnvironmentProblem
from lab.libbpf import _ffi
from verifier_diary.model import Attempt, Layer, Program

needs_libbpf = pytest.mark.skipif(
    not ctypes.util.find_library("bpf"), reason="no libbpf; run `make setup`"
)
SUMMARY = "processed 4 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_states 1\n"
ASKED = "libbpf: prog 'p': BPF program load failed: Operation not permitted\n"


@pytest.mark.parametrize(
    ("error", "log", "messages", "layer"),
    [
        (errno.EACCES, "R0 !read_ok\n" + SUMMARY, ASKED, Layer.VERIFIER),
        (errno.EINVAL, SUMMARY, ASKED, Layer.VERIFIER),  # refused without a message (Linux 6.1)
        (errno.EPERM, "", ASKED, Layer.KERNEL),
        (errno.EINVAL, "", "libbpf: prog 'p': BPF program load failed: -EINVAL\n", Layer.KERNEL),
        (errno.E2BIG, "", ASKED, Layer.LIMIT),
        (errno.E2BIG, "9: (95) exit BPF program is too large. Processed 1 insn\n", ASKED,
         Layer.LIMIT),
        (errno.EFAULT, "The sequence of 8193 jumps is too complex.\n" + SUMMARY, ASKED,
         Layer.LIMIT),
        (errno.E2BIG, "", "libbpf: map 'm': failed to create: Argument list too long(-7)\n",
         Layer.KERNEL),
        (errno.EINVAL, "", "libbpf: Error in bpf_create_map_xattr(m):EINVAL(-22)\n", Layer.KERNEL),
        (errno.ESRCH, "", "libbpf: extern (func ksym) 'x': not found in kernel BTF\n",
         Layer.LIBBPF),
    ],
)  # fmt: skip
def test_layer_is_told_apart(error: int, log: str, messages: str, layer: Layer) -> None:
    assert loader.layer_of(error, log, messages) is layer


def attempt(error: int, log: str = "", kind: str = "xdp") -> Attempt:
    return Attempt(Program("p", "o", "s", kind), accepted=False, errno=error, log=log)


def test_last_message_passes_the_summary_over() -> None:
    text = "0: (95) exit\nR0 !read_ok\nverification time 1 usec\nstack depth 0\n" + SUMMARY
    assert loader.last_message(attempt(errno.EACCES, text)) == "R0 !read_ok"


@needs_libbpf
def test_last_message_falls_back_to_errno() -> None:
    assert loader.last_message(attempt(errno.EPERM)) == "Operation not permitted"


@pytest.fixture
def powerless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privilege, "effective_capabilities", set)


@pytest.mark.usefixtures("powerless")
@pytest.mark.parametrize(
    ("kind", "names"),
    [("xdp", "CAP_BPF and CAP_NET_ADMIN"), ("kprobe", "CAP_BPF and CAP_PERFMON"),
     ("socket", "CAP_BPF")],
)  # fmt: skip
def test_missing_capability_is_named(kind: str, names: str) -> None:
    problem = privilege.permission_problem(attempt(errno.EPERM, kind=kind))
    assert f"loading p needs {names}, which this process does not have" == str(problem)
    assert problem
    assert problem.exit_code == 4
    assert problem.try_ == "run it with sudo"


@pytest.mark.usefixtures("powerless")
def test_verdict_is_no_permission_problem() -> None:
    assert privilege.permission_problem(attempt(errno.EACCES, "R0 !read_ok\n")) is None
    assert privilege.permission_problem(attempt(errno.EINVAL)) is None


def test_refusal_of_root_is_a_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privilege, "effective_capabilities", lambda: {"CAP_SYS_ADMIN"})
    monkeypatch.setattr(privilege, "_inside_user_namespace", lambda: False)
    assert privilege.permission_problem(attempt(errno.EPERM)) is None


def test_user_namespace_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privilege, "effective_capabilities", lambda: {"CAP_SYS_ADMIN"})
    monkeypatch.setattr(privilege, "_inside_user_namespace", lambda: True)
    problem = privilege.permission_problem(attempt(errno.EPERM))
    assert "not possible in a user namespace" in str(problem)


def test_missing_libbpf_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ffi, "SONAME", "libbpf.so.99")
    with pytest.raises(
        EnvironmentProblem, match=r"libbpf \(libbpf.so.99\) is not installed"
    ) as got:
        _ffi.binding.__wrapped__()
    assert "libbpf-dev" in str(got.value.try_)
    assert got.value.exit_code == 3


@needs_libbpf
def test_libbpf_prints_into_the_capture_only(capfd: pytest.CaptureFixture[str]) -> None:
    b = _ffi.binding()
    with _ffi.captured_messages() as printed:
        b.lib.bpf_object__open_file(b"/no/such/file.o", b.ffi.NULL)
    assert "/no/such/file.o" in "".join(printed)
    b.lib.bpf_object__open_file(b"/no/such/file.o", b.ffi.NULL)
    assert capfd.readouterr() == ("", "")


@needs_libbpf
def test_unknown_errors_have_a_text() -> None:
    assert "not supported by this kernel" in _ffi.binding().describe(_ffi.ENOTSUPP)
