from __future__ import annotations

import errno
from collections.abc import Iterator

import numpy as np
import pytest

from lab.libbpf import maps, probe
from lab.libbpf.maps import BPF_EXIST, BPF_F_MMAPABLE, BPF_NOEXIST, Entries, Map
from tests.kernel.conftest import needs_kernel, needs_root

pytestmark = needs_root

HASH, ARRAY, PER_CPU_ARRAY = 1, 2, 6  # enum bpf_map_type


@pytest.fixture
def table() -> Iterator[Map]:
    with maps.create(HASH, "table", key_size=4, value_size=8, max_entries=1000) as made:
        yield made


def rows(count: int) -> Entries:
    keys = np.arange(count, dtype=np.uint32)
    values = keys.astype(np.uint64) * 3
    return Entries(keys.view(np.uint8).reshape(-1, 4), values.view(np.uint8).reshape(-1, 8))


def as_dict(entries: Entries) -> dict[int, int]:
    keys = np.ascontiguousarray(entries.keys).view(np.uint32).ravel()
    values = np.ascontiguousarray(entries.values).view(np.uint64).ravel()
    return dict(zip(keys.tolist(), values.tolist(), strict=True))


def test_lookup_finds_what_update_stored(table: Map) -> None:
    table.update(b"abcd", b"12345678")
    assert table.lookup(b"abcd") == b"12345678"


def test_lookup_of_a_missing_key_is_none(table: Map) -> None:
    assert table.lookup(b"abcd") is None


def test_update_flags_are_kept(table: Map) -> None:
    with pytest.raises(OSError, match="update of map table: No such file") as got:
        table.update(b"abcd", bytes(8), BPF_EXIST)
    assert got.value.errno == errno.ENOENT
    table.update(b"abcd", bytes(8), BPF_NOEXIST)
    with pytest.raises(OSError, match="File exists"):
        table.update(b"abcd", bytes(8), BPF_NOEXIST)


def test_delete_says_whether_there_was_one(table: Map) -> None:
    table.update(b"abcd", bytes(8))
    assert table.delete(b"abcd")
    assert not table.delete(b"abcd")


def test_wrong_sizes_are_refused(table: Map) -> None:
    with pytest.raises(ValueError, match="map table: a key has 4 bytes, not 3"):
        table.lookup(b"abc")
    with pytest.raises(ValueError, match="map table: a value has 8 bytes"):
        table.update(b"abcd", b"")


@needs_kernel(feature="batch", min="5.6")
@pytest.mark.parametrize("count", [0, 1, 999, 1000])
def test_read_brings_every_element(table: Map, count: int) -> None:
    table.fill(rows(count))
    assert as_dict(table.read()) == as_dict(rows(count))
    assert len(list(table.keys())) == count


@needs_kernel(feature="batch", min="5.6")
@pytest.mark.parametrize("count", [0, 1, 1000])
def test_drain_empties_the_map(table: Map, count: int) -> None:
    table.fill(rows(count))
    assert as_dict(table.drain()) == as_dict(rows(count))
    assert list(table.keys()) == []


@pytest.mark.parametrize("take", [False, True])
def test_one_by_one_is_the_same(table: Map, monkeypatch: pytest.MonkeyPatch, take: bool) -> None:
    monkeypatch.setattr(Map, "_batches", lambda self, call: None)
    table.fill(rows(100))
    assert as_dict(table.drain() if take else table.read()) == as_dict(rows(100))
    assert len(list(table.keys())) == (0 if take else 100)


@needs_kernel(feature="batch", min="5.6")
def test_read_grows_when_a_bucket_does_not_fit(table: Map, monkeypatch: pytest.MonkeyPatch) -> None:
    table.fill(rows(1000))
    table.max_entries = 1  # the walk starts with this much room
    assert as_dict(table.read()) == as_dict(rows(1000))


def test_array_is_read_whole() -> None:
    with maps.create(ARRAY, "array", key_size=4, value_size=8, max_entries=5) as array:
        array.fill(rows(5))
        assert as_dict(array.read()) == as_dict(rows(5))


def test_array_cannot_be_drained() -> None:
    with (
        maps.create(ARRAY, "array", key_size=4, value_size=8, max_entries=5) as array,
        pytest.raises(ValueError, match="map array is an array"),
    ):
        array.drain()


def test_per_cpu_lookup_brings_a_value_for_each_cpu() -> None:
    made = maps.create(PER_CPU_ARRAY, "percpu", key_size=4, value_size=4, max_entries=1)
    with made as array:
        value = array.lookup(bytes(4))
        assert value is not None
        assert len(value) == array.value_bytes
        assert len(value) % 8 == 0
        assert len(array.read().values[0]) == array.value_bytes


@needs_kernel(feature="mmapable", min="5.5")
def test_memory_is_shared_with_the_kernel() -> None:
    made = maps.create(
        ARRAY, "shared", key_size=4, value_size=12, max_entries=3, flags=BPF_F_MMAPABLE
    )
    with made as array:
        memory = array.memory()
        assert memory.shape == (3, 16)
        memory[2, :4] = (1, 2, 3, 4)
        assert array.lookup(b"\2\0\0\0") == b"\1\2\3\4" + bytes(8)
        array.update(bytes(4), b"\7" * 12)
    assert memory[0, 0] == 7  # still mapped


def test_memory_needs_a_mmapable_map(table: Map) -> None:
    with pytest.raises(ValueError, match="map table is not BPF_F_MMAPABLE"):
        table.memory()


@needs_kernel(feature="memlock_exact", min="6.3")
def test_memlock_counts_the_elements(table: Map) -> None:
    assert (table.memlock() or 0) >= 1000 * (48 + 8 + 8)


def test_duplicate_outlives_the_original(table: Map) -> None:
    with maps.duplicate(table) as copy:
        table.close()
        table.close()
        copy.update(b"abcd", bytes(8))
        assert copy.lookup(b"abcd") == bytes(8)


def test_probe_of_batches_agrees_with_the_map(table: Map) -> None:
    assert probe.batch() == maps.has_batches(table)
