"""A difference as files that anyone can run again: the frames as pcap, all else as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from lab.datapath import DatapathSettings
from lab.errors import BadInput
from lab.fuzz.rounds import Change, Round
from simulator.frames import Frames
from simulator.geometry import Geometry
from simulator.layout import KEYS, Hash, Setting
from simulator.traces import TraceError, read, write_pcap
from verifier_diary.ownership import inherit_owner, make_directory

SCHEMA = 2
_JSON, _PCAP = "case.json", "frames.pcap"


def save(folder: Path, drawn: Round, differences: list[str]) -> None:
    """Write a round to `folder`: case.json and frames.pcap."""
    make_directory(folder)
    with (folder / _PCAP).open("wb") as file:
        write_pcap(file, drawn.frames)
    document = {
        "schema": SCHEMA,
        "differences": differences,
        "settings": _settings(drawn.settings),
        "clocks": drawn.clocks.tolist(),
        "instances": drawn.instances.tolist(),
        "changes": [asdict(change) for change in drawn.changes],
    }
    (folder / _JSON).write_text(json.dumps(document) + "\n", encoding="utf-8")
    for name in (_PCAP, _JSON):
        inherit_owner(folder / name)


def load(folder: Path) -> Round:
    """Read a round back; raises BadInput for what is no case."""
    try:
        document = json.loads((folder / _JSON).read_text(encoding="utf-8"))
        frames = Frames.concatenate(list(read(folder / _PCAP)))
        return _round(document, frames)
    except (OSError, ValueError, KeyError, TypeError, TraceError) as error:
        raise BadInput(
            f"{folder} is not a saved case: {error}", try_="name a folder that `lab fuzz` wrote"
        ) from error


def _round(document: dict[str, Any], frames: Frames) -> Round:
    if document["schema"] != SCHEMA:
        raise ValueError(f"schema {document['schema']} is not {SCHEMA}")
    drawn = Round(
        _settings_of(document["settings"]),
        frames,
        np.array(document["clocks"], np.uint64),
        np.array(document["instances"], np.uint64),
        tuple(Change(**change) for change in document["changes"]),
    )
    if not len(frames) == len(drawn.clocks) == len(drawn.instances):
        raise ValueError("frames, clocks and instances are not equally many")
    return drawn


def _settings(settings: DatapathSettings) -> dict[str, Any]:
    shape = settings.geometry
    return {
        "key": shape.key.name,
        "instances": shape.instances,
        "buckets": shape.buckets,
        "rows": shape.rows,
        "width": shape.width,
        "groups": shape.groups,
        "exact_entries": settings.exact_entries,
        "setting": settings.setting.name,
        "hash": settings.hash.name,
        "seed": settings.seed,
    }


def _settings_of(record: dict[str, Any]) -> DatapathSettings:
    shape = Geometry(
        KEYS[record["key"]],
        record["instances"],
        record["buckets"],
        record["rows"],
        record["width"],
        record["groups"],
    )
    return DatapathSettings(
        shape,
        record["exact_entries"],
        Setting[record["setting"]],
        Hash[record["hash"]],
        record["seed"],
    )
