"""The recording: each step of the policy, and each finished epoch, as rows of a Parquet file.

A row is a step: what the policy saw, decided and logged. Where an epoch ended, it has that epoch as
well. So the file replays through the policy, and is a table of the run besides.
"""

from __future__ import annotations

import dataclasses
import json
import os
import threading
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.controller import Tick
from lab.run.parts import Parts, arrow
from simulator.policy import Decision, Observation
from simulator.rows import Row
from simulator.switches import Entry, EpochChange, Switch

KEY = b"glimpse"  # of the file's metadata: the run's, as JSON
ROWS = 300  # of a part: what a kill can cost, half a minute at the usual tick
WAITING = 50_000  # rows that may wait for the disk, before the recording is given up
_NUMBERS = (
    *("epoch", "packets", "bytes", "exact", "sketched", "not_ip", "malformed"),
    *("ledger_difference", "saturated", "evictions", "dropped_before_xdp"),
)
_MEASURES = (
    *("begin_s", "end_s", "packets_per_second", "keys", "fill", "error"),
    *("read_ms", "grace_ms"),
)
_COUNT: dict[str, type] = {"key": str, "packets": int, "lower": int, "kind": str}


class Recorder:
    """Writes rows from a thread of its own.

    A disk that is full, or too slow, ends the recording and not the run: `failed` says why, and
    what was written until then stays.
    """

    def __init__(self, path: Path, metadata: Mapping[str, Any], owner: tuple[int, int]) -> None:
        """Make the file; `owner` is the user and group that the run goes on as; raises OSError."""
        text = json.dumps(metadata, allow_nan=False).encode()
        self.parts = Parts(path, schema().with_metadata({KEY: text}), owner)
        self.failed: str | None = None
        self.rows = 0  # that are on disk
        self._waiting: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._finished = False
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def step(self, tick: Tick, epoch: Mapping[str, Any] | None) -> None:
        """Take a step of the policy, and the epoch that it ended."""
        with self._changed:
            if self.failed:
                return
            if len(self._waiting) >= WAITING:
                self.failed = "the disk is too slow"
                return
            self._waiting.append(step_row(tick, epoch))
            if len(self._waiting) >= ROWS:
                self._changed.notify()

    def finish(self) -> None:
        """Write what waits, and make the file; afterwards `failed` says what went wrong, if so."""
        with self._changed:
            self._finished = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()
        try:
            self.parts.finish()
        except Exception as error:  # whatever it is, the run's own summary must come out
            self.failed = self.failed or _reason(error)

    def _run(self) -> None:
        while rows := self._take():
            try:
                self.parts.append(rows)
            except Exception as error:
                self.failed = _reason(error)
                return
            self.rows += len(rows)

    def _take(self) -> list[dict[str, Any]]:
        with self._changed:
            self._changed.wait_for(lambda: self._finished or len(self._waiting) >= ROWS)
            rows, self._waiting = self._waiting, []
            return rows


def schema() -> Any:
    """Return the Arrow schema of a recording."""
    pa = arrow("pyarrow")
    kinds = {int: pa.int64(), float: pa.float64(), bool: pa.bool_(), str: pa.string()}
    count = pa.struct([(name, kinds[kind]) for name, kind in _COUNT.items()])
    epoch = [(name, pa.int64()) for name in _NUMBERS]
    epoch += [(name, pa.float64()) for name in _MEASURES]
    epoch += [("detail", pa.string()), ("top", pa.list_(count)), ("queries", pa.list_(count))]
    entry = pa.struct(
        [
            ("kind", pa.string()),
            ("time_ns", pa.int64()),
            ("cause", pa.string()),
            ("detail", pa.string()),
            ("generation", pa.int64()),
            ("epoch_ns", pa.int64()),
            ("values", pa.string()),
        ]
    )
    return pa.schema(
        [
            ("observation", pa.struct(_fields(Observation, kinds))),
            ("decision", pa.struct(_fields(Decision, kinds))),
            ("detail", pa.string()),
            ("log", pa.list_(entry)),
            ("epoch", pa.struct(epoch)),
        ]
    )


def step_row(tick: Tick, epoch: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a step as a row."""
    return {
        "observation": tick.observation.as_row(),
        "decision": tick.decision.as_row(),
        "detail": tick.detail.name.lower(),
        "log": [entry_row(entry) for entry in tick.log],
        "epoch": None if epoch is None else _epoch_row(epoch),
    }


def entry_row(entry: Entry) -> dict[str, Any]:
    """Return an entry of the log; `values` as JSON, because every cause has its own."""
    switch = entry if isinstance(entry, Switch) else None
    return {
        "kind": type(entry).__name__,
        "time_ns": entry.time_ns,
        "cause": entry.cause,
        "detail": switch and switch.detail.name.lower(),
        "generation": switch and switch.generation,
        "epoch_ns": entry.epoch_ns if isinstance(entry, EpochChange) else None,
        "values": json.dumps({name: float(value) for name, value in entry.values}),
    }


def _epoch_row(record: Mapping[str, Any]) -> dict[str, Any]:
    lists = {
        name: [{field: count[field] for field in _COUNT} for count in record[name]]
        for name in ("top", "queries")
    }
    return {name: record[name] for name in (*_NUMBERS, *_MEASURES, "detail")} | lists


# Enums are kept by their number (simulator/rows.py), and any of these may be absent.
def _fields(row: type[Row], kinds: Mapping[type, Any]) -> list[tuple[str, Any]]:
    hints = typing.get_type_hints(row)
    return [
        (field.name, kinds[_kind(hints[field.name])])
        for field in dataclasses.fields(row)  # type: ignore[arg-type]
    ]


def _kind(hint: Any) -> type:
    if isinstance(hint, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    return next(kind for kind in (bool, int, float, str) if issubclass(hint, kind))


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return (os.strerror(error.errno) if error.errno else str(error)).lower()
    return f"{type(error).__name__}: {error}"
