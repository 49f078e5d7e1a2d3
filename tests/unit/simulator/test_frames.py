from __future__ import annotations

import numpy as np
import pytest

from simulator.frames import Frames


@pytest.fixture
def three() -> Frames:
    return Frames.from_bytes([b"one", b"two2", b"three"], times_ns=[1, 2, 3], lengths=[3, 6, 5])


def test_from_bytes_keeps_bytes_lengths_and_times(three: Frames) -> None:
    assert [three.frame(i) for i in range(3)] == [b"one", b"two2\0\0", b"three"]
    assert three.times_ns.tolist() == [1, 2, 3]
    assert three.captured.tolist() == [3, 4, 5]


def test_from_bytes_without_times_and_lengths_takes_what_it_gets() -> None:
    frames = Frames.from_bytes([b"abc", b""])
    assert frames.lengths.tolist() == [3, 0]
    assert frames.times_ns.tolist() == [0, 0]


def test_from_bytes_of_a_shorter_length_cuts_the_frame() -> None:
    frames = Frames.from_bytes([b"abcd", b"e"], lengths=[2, 1])
    assert [frames.frame(i) for i in range(2)] == [b"ab", b"e"]


def test_slice_is_a_view(three: Frames) -> None:
    part = three.slice(1, 3)
    assert len(part) == 2
    assert part.frame(1) == b"three"
    assert np.shares_memory(part.offsets, three.offsets)
    assert part.data is three.data


def test_take_chooses_by_indices_and_by_mask(three: Frames) -> None:
    assert three.take(np.array([2, 0])).frame(0) == b"three"
    assert three.take(np.array([False, True, False])).frame(0) == b"two2\0\0"


def test_concatenate_joins_batches_and_slices(three: Frames) -> None:
    joined = Frames.concatenate([three.slice(1, 2), three, Frames.from_bytes([b"x"])])
    got = [joined.frame(i) for i in range(len(joined))]
    assert got == [b"two2\0\0", b"one", b"two2\0\0", b"three", b"x"]


def test_concatenate_copies_only_what_its_frames_span(three: Frames) -> None:
    assert len(Frames.concatenate([three.slice(0, 1)]).data) == 3


def test_concatenate_of_nothing_is_empty() -> None:
    assert len(Frames.concatenate([])) == 0
    assert len(Frames.concatenate([Frames.from_bytes([])])) == 0
