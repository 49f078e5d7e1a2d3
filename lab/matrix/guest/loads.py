"""Load one program of the plan, and return its attempt as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab import loader
from lab.build import Build
from lab.libbpf import probe
from verifier_diary.model import Attempt

SMALL = 200  # processed instructions; every lesson but the one that has too many


def load(folder: Path, program: dict[str, Any]) -> dict[str, Any]:
    """Return `{"attempt": ...}`, or `{"trouble": why}` where there was no verdict.

    An accepted program's log is its last line only, unless all of it is asked for: a small one that
    the plan wants compared between kernels is loaded again for that.
    """
    try:
        attempt = _load(folder, program, full_log=False)
        if attempt.accepted and program["full_log"] and _is_small(attempt):
            attempt = _load(folder, program, full_log=True)
        return {"attempt": attempt.to_json()}
    except Exception as error:
        return {"trouble": f"{type(error).__name__}: {error}"}


def _load(folder: Path, program: dict[str, Any], *, full_log: bool) -> Attempt:
    built = Build(program["object"], folder / program["file"])
    knobs = fallbacks() if program["frame_helpers"] else {}
    with loader.load(
        built,
        program["function"] or None,
        knobs=knobs,
        expected=program["expected"],
        full_log=full_log,
    ) as loaded:
        return loaded.attempt


def _is_small(attempt: Attempt) -> bool:
    processed = attempt.stats.instructions
    return processed is not None and processed <= SMALL


def fallbacks() -> dict[str, int]:
    """Return the knobs that a kernel without the frame helpers needs (before Linux 5.18)."""
    return {} if probe.helper("bpf_xdp_get_buff_len") else {"frame_helpers": 0}
