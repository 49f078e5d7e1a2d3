"""Replay a recorded run: its observations through the policy again, compared step by step."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.errors import BadInput
from lab.recorded import Difference, first_difference, replay
from lab.run.parts import read
from lab.run.record import KEY, entry_row
from simulator.policy import SECOND_NS, Decision, Observation, Policy

SCHEMA = 1
COLUMNS = ("observation", "decision", "detail", "log", "epoch")


@dataclass(frozen=True)
class Recorded:
    """A run as `lab run --record` kept it; one entry per step of the policy."""

    metadata: dict[str, Any]
    policy: Policy
    observations: list[Observation]
    decisions: list[Decision]
    logs: list[list[dict[str, Any]]]
    epochs: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What the policy decides now, against what it decided then."""

    recorded: Recorded
    difference: Difference | None

    def record(self) -> dict[str, Any]:
        """Return it for JSON."""
        run, found = self.recorded, self.difference
        times = [seen.now_ns for seen in run.observations]
        return {
            "interface": run.metadata.get("interface"),
            "started": run.metadata.get("started"),
            "steps": len(run.observations),
            "epochs": len(run.epochs),
            "seconds": (times[-1] - times[0]) / SECOND_NS if times else 0.0,
            "packets": sum(epoch["packets"] for epoch in run.epochs),
            "ledger_difference": sum(epoch["ledger_difference"] for epoch in run.epochs),
            "decisions_compared": len(run.decisions),
            "log_entries_compared": sum(len(log) for log in run.logs),
            "identical": found is None,
            "first_difference": None if found is None else str(found),
            "switches": [
                _switch(row) for log in run.logs for row in log if row["kind"] == "Switch"
            ],
            "policy": run.policy.as_row(),
        }


def load(path: Path) -> Recorded:
    """Read a recording, or the parts that a killed run left; raises BadInput."""
    try:
        table = read(path)
    except FileNotFoundError as error:
        raise BadInput(
            f"there is no recording {path}", try_="lab run IFACE --record FILE"
        ) from error
    except (OSError, ValueError) as error:
        raise BadInput(
            f"{path} is not a recording: {str(error).splitlines()[0]}",
            try_="a file that `lab run IFACE --record FILE` made",
        ) from error
    kept = (table.schema.metadata or {}).get(KEY)
    if kept is None or not set(COLUMNS) <= set(table.column_names):
        raise BadInput(
            f"{path} is Parquet, but no recording of a run",
            try_="a file that `lab run IFACE --record FILE` made",
        )
    return _recorded(path, table, json.loads(kept))


def compare(recorded: Recorded) -> Outcome:
    """Run the observations through the policy again, and find where it first decides otherwise."""
    policy, observations = recorded.policy, recorded.observations
    difference = first_difference(policy, observations, recorded.decisions)
    return Outcome(recorded, difference or _first_other_log(recorded))


# As lab.replay.record has it.
def _switch(row: dict[str, Any]) -> dict[str, Any]:
    names = ("time_ns", "detail", "cause", "generation")
    return {name: row[name] for name in names} | {"values": json.loads(row["values"])}


# Decisions may agree while the reasons that were logged do not.
def _first_other_log(recorded: Recorded) -> Difference | None:
    steps = replay(recorded.policy, recorded.observations)
    for number, (was, (_, log)) in enumerate(zip(recorded.logs, steps, strict=True)):
        now = [entry_row(entry) for entry in log]
        if was != now:
            time_ns = recorded.observations[number].now_ns
            return Difference(number, time_ns, "log", was, now)
    return None


def _recorded(path: Path, table: Any, metadata: dict[str, Any]) -> Recorded:
    columns = {name: table.column(name).to_pylist() for name in COLUMNS}
    try:
        return Recorded(
            metadata,
            Policy.from_row(metadata["policy"]),
            [Observation.from_row(row) for row in columns["observation"]],
            [Decision.from_row(row) for row in columns["decision"]],
            columns["log"],
            [epoch for epoch in columns["epoch"] if epoch is not None],
        )
    except (KeyError, ValueError) as error:
        raise BadInput(
            f"{path} is a recording of another version: {error}",
            try_="the version of the lab that made it: its commit is in the file's metadata",
        ) from error
