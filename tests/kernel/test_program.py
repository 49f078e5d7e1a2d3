from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from lab import build, loader
from lab.build import Build
from lab.errors import UsageError_
from lab.libbpf import probe
from lab.libbpf.program import Outcome
from tests.kernel.conftest import needs_clang, needs_kernel, needs_root

pytestmark = [needs_root, needs_clang]

SWAP = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char LICENSE[] SEC("license") = "GPL";
SEC("xdp")
int swap(struct xdp_md *ctx)
{
	char *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + 2 > end)
		return XDP_ABORTED;
	data[0] ^= data[1];
	bpf_xdp_adjust_head(ctx, 4);
	return XDP_TX;
}
"""


def test_test_run_returns_verdict_and_frame(compiled: Callable[..., Build]) -> None:
    with loader.load(compiled(SWAP)) as loaded:
        outcome = loaded.program.test_run(b"\1\2\3\4" + b"\5" * 60)
    assert isinstance(outcome, Outcome)
    assert outcome.retval == 3
    assert outcome.data_out == b"\5" * 60
    assert outcome.duration_ns >= 0


def test_test_run_takes_a_jumbo_frame() -> None:
    frame = bytes(9000)
    with loader.load(build.object_path("hello")) as loaded:
        assert loaded.program.test_run(frame).data_out == frame


@pytest.mark.parametrize("length", [0, 13])
def test_test_run_refuses_less_than_a_header(length: int) -> None:
    with (
        loader.load(build.object_path("hello")) as loaded,
        pytest.raises(OSError, match=f"refuses a frame of {length} bytes") as got,
    ):
        loaded.program.test_run(bytes(length))
    assert got.value.errno == errno.EINVAL


def test_info_knows_the_program() -> None:
    with loader.load(build.object_path("hello")) as loaded:
        info = loaded.program.info()
        assert info.id > 0
        assert len(info.tag) == 16
        assert info.xlated_size % 8 == 0
        assert info.verified_insns == loaded.attempt.stats.instructions


def test_closed_program_cannot_run() -> None:
    loaded = loader.load(build.object_path("hello"))
    program = loaded.program
    program.close()
    program.close()
    with pytest.raises(OSError, match="test run of hello: Bad file descriptor"):
        program.test_run(bytes(64))
    loaded.close()


@needs_kernel(feature="bpf_xdp_get_buff_len", min="5.18")
def test_probe_finds_the_frame_helpers() -> None:
    assert probe.helper("bpf_xdp_load_bytes")


def test_probe_of_an_unknown_feature_is_a_usage_error() -> None:
    with pytest.raises(UsageError_, match="there is no probe for 'telepathy'") as got:
        probe.feature("telepathy")
    assert "xdp_frags" in str(got.value.try_)
