from __future__ import annotations

import errno
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from lab import loader
from lab.build import Build
from lab.libbpf.test_run import run_frames
from lab.loader import Loaded
from simulator.frames import Frames
from tests.kernel.conftest import needs_clang, needs_kernel, needs_root

pytestmark = [needs_root, needs_clang, needs_kernel(feature="mmapable", min="5.5")]

# Adds up what each frame looked like, so that order, padding and the two cells all show.
ADDER = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char LICENSE[] SEC("license") = "GPL";

struct state { __u64 clock, instance, sum, last; };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct state);
} control SEC(".maps");

SEC("xdp")
int adder(struct xdp_md *ctx)
{
	unsigned char *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 zero = 0;
	struct state *state = bpf_map_lookup_elem(&control, &zero);

	if (!state || data + 20 > end)
		return XDP_ABORTED;
	state->sum += state->clock * state->instance;
	state->last = end - data;
	return data[14] + (data[19] << 8);
}
"""


@pytest.fixture
def adder(compiled: Callable[..., Build]) -> Iterator[Loaded]:
    with loader.load(compiled(ADDER)) as loaded:
        loaded.require()
        yield loaded


def test_every_frame_runs_in_order(adder: Loaded) -> None:
    frames = Frames.from_bytes([bytes(14) + bytes([i]) + bytes(60) for i in range(100)])
    result = run_frames(adder.program, frames)
    assert (result.done, result.errno) == (100, 0)
    assert result.retvals.tolist() == list(range(100))


def test_cut_frames_are_padded_with_zeros(adder: Loaded) -> None:
    frames = Frames.from_bytes(
        [b"\xff" * 64, bytes(14) + b"\1", b"\xff" * 64],
        lengths=np.array([64, 1000, 64], np.uint32),
    )
    result = run_frames(adder.program, frames.slice(0, 2))
    assert result.retvals.tolist() == [0xFFFF, 1]
    assert adder.maps["control"].memory().view(np.uint64)[0, 3] == 1000


def test_clock_and_instance_are_stored_for_each_frame(adder: Loaded) -> None:
    cells = adder.maps["control"].memory().view(np.uint64)[0]
    frames = Frames.from_bytes([bytes(64)] * 3)
    result = run_frames(
        adder.program,
        frames,
        clocks=np.array([10, 20, 30], np.uint64),
        clock_cell=cells[0:1],
        instances=np.array([1, 2, 3], np.uint64),
        instance_cell=cells[1:2],
    )
    assert result.errno == 0
    assert cells.tolist() == [30, 3, 10 + 40 + 90, 64]


def test_refused_frame_is_named(adder: Loaded) -> None:
    frames = Frames.from_bytes([bytes(64), bytes(64), bytes(5), bytes(64)])
    result = run_frames(adder.program, frames)
    assert (result.done, result.errno) == (2, errno.EINVAL)
    assert len(result.retvals) == 2


def test_no_frames_are_no_failure(adder: Loaded) -> None:
    assert run_frames(adder.program, Frames.from_bytes([])).done == 0


def test_column_without_cell_is_refused(adder: Loaded) -> None:
    frames = Frames.from_bytes([bytes(64)])
    with pytest.raises(ValueError, match="belong together"):
        run_frames(adder.program, frames, clocks=np.ones(1, np.uint64))


def test_column_of_another_length_is_refused(adder: Loaded) -> None:
    cell = np.zeros(1, np.uint64)
    with pytest.raises(ValueError, match="2 values for 1 frames"):
        run_frames(
            adder.program,
            Frames.from_bytes([bytes(64)]),
            clocks=np.ones(2, np.uint64),
            clock_cell=cell,
        )
