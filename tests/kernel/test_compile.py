from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lab import loader
from lab.build import Build
from lab.toolchain import KERNEL_BTF, vmlinux_directory
from tests.kernel.conftest import needs_clang, needs_root

pytestmark = [
    needs_root,
    needs_clang,
    pytest.mark.skipif(not KERNEL_BTF.exists(), reason=f"no {KERNEL_BTF}; use a kernel with BTF"),
]

CORE = """
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
char LICENSE[] SEC("license") = "GPL";
SEC("xdp")
int core(struct xdp_md *ctx)
{
	return bpf_core_field_exists(struct task_struct, pid) ? XDP_PASS : XDP_DROP;
}
"""


def test_vmlinux_header_is_made_once_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    header = vmlinux_directory() / "vmlinux.h"
    made = header.stat().st_mtime_ns
    assert header.is_relative_to(tmp_path)
    assert vmlinux_directory() == header.parent
    assert header.stat().st_mtime_ns == made


def test_program_with_vmlinux_header_runs(
    compiled: Callable[..., Build], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    built = compiled(CORE, "core")
    assert built.ok, built.messages
    assert [Path(s.path).name for s in built.sources] == ["core.bpf.c"]
    with loader.load(built) as loaded:
        assert loaded.require().test_run(bytes(64)).retval == 2
