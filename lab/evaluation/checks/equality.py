"""Check that kernel and simulator agree bit for bit, on captures and on generated traffic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from lab.datapath import DatapathSettings
from lab.errors import LabError
from lab.evaluation.checks import Context
from lab.evaluation.claims import Claim, Finding, Verdict
from lab.replay.engines import ENGINES
from lab.replay.run import ReplayResult, ReplaySettings, replay
from simulator import geometry
from simulator.frames import Frames
from simulator.layout import KEYS, Setting
from simulator.policy import Policy

MEMORY = 512 << 10
CPUS = 2
SMOKE_PACKETS, FULL_PACKETS = 100_000, 1_000_000
PRESETS = ("caida-2016", "zipf-1.0", "spoofed-flood")


def check(claim: Claim, context: Context) -> list[Finding]:
    """Replay through both engines; a finding per source, key and detail."""
    found: list[Finding] = []
    packets = SMOKE_PACKETS if context.smoke else FULL_PACKETS
    for key in ("src", "flow"):
        for setting in (Setting.AUTO, Setting.LOW):
            for name, frames in _sources(context, packets):
                case = f"{name} {key} {setting.name.lower()}"
                found.append(_finding(case, frames, key, setting, context.seed))
                if found[-1].verdict is Verdict.NOT_RUN:
                    return found  # no kernel to ask: it is the same for every case
    return found


def _sources(context: Context, packets: int) -> Iterator[tuple[str, Iterable[Frames]]]:
    from simulator.traces import TraceReader
    from simulator.traffic import frames_for, generate

    for path in context.captures:
        yield Path(path).name, TraceReader(str(path))
    for preset in PRESETS:
        traffic = generate(preset, packets, context.seed, key=KEYS["flow"])
        yield preset, [frames_for(*traffic)]


def _finding(case: str, frames: Iterable[Frames], key: str, setting: Setting, seed: int) -> Finding:
    shape = geometry.for_memory(MEMORY, KEYS[key], CPUS)
    settings = ReplaySettings(DatapathSettings(shape, 16384, setting, seed=seed), Policy(), CPUS)
    try:
        result = replay(frames, settings, ENGINES["both"])
    except LabError as error:
        return Finding(case, Verdict.NOT_RUN, bound="= 0", why=f"{error}; {error.try_ or ''}")
    return _judged(case, result)


def _judged(case: str, result: ReplayResult) -> Finding:
    comparison = result.comparison
    assert comparison is not None  # two engines ran
    off = comparison.differences + abs(result.score.ledger.difference)
    if not comparison.bytes:
        return Finding(case, Verdict.NOT_REPRODUCED, None, "= 0", "nothing was compared")
    verdict = Verdict.NOT_REPRODUCED if off else Verdict.REPRODUCED
    why = "; ".join(comparison.examples) if off else ""
    return Finding(case, verdict, float(off), f"= 0 over {comparison.bytes:,} bytes", why)
