"""The twin of the hash map: finds what it holds, refuses what is too much."""

from __future__ import annotations

import numpy as np

from simulator import exact_table


def words(number: int) -> np.ndarray:
    return np.array([number, number * 7], np.uint64)


def put(table: exact_table.ExactTable, number: int, size: int = 60, now: int = 5) -> bool:
    record = exact_table.find_record(table, words(number), 0)
    return exact_table.insert(table, record, words(number), 0, np.uint64(size), np.uint64(now))


def test_table_refuses_the_key_beyond_its_limit() -> None:
    table = exact_table.exact_table(2, 3)
    assert [put(table, n) for n in range(5)] == [True, True, True, False, False]
    assert len(exact_table.contents(table)[0]) == 3


def test_record_keeps_first_and_last_time() -> None:
    table = exact_table.exact_table(2, 3)
    put(table, 1, 60, 5)
    record = exact_table.find_record(table, words(1), 0)
    exact_table.add(table, record, np.uint64(40), np.uint64(9))
    assert exact_table.contents(table)[1].tolist() == [[2, 100, 5, 9]]


def test_clear_makes_room() -> None:
    table = exact_table.exact_table(2, 1)
    put(table, 1)
    exact_table.clear(table)
    assert put(table, 2)
    assert exact_table.contents(table)[0].tolist() == [[2, 14]]


def test_index_finds_every_record() -> None:
    rng = np.random.default_rng(1)
    keys = np.unique(rng.integers(0, 2**63, (500, 5)).astype(np.uint64), axis=0)
    records = np.arange(len(keys) * 4, dtype=np.uint64).reshape(-1, 4) + np.uint64(1)
    table = exact_table.index(keys, records)
    flat = keys.reshape(-1)
    for i in range(len(keys)):
        at = exact_table.find_record(table, flat, i * 5)
        assert table.cells[at : at + 4].tolist() == records[i].tolist()
