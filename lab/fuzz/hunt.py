"""Build every mutant and show that the comparison catches it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from lab import build, loader
from lab.datapath import Datapath, DatapathSettings
from lab.errors import LabError
from lab.fuzz import rounds
from lab.fuzz.campaign import ROUND_PACKETS, draw
from lab.fuzz.frames import FrameSource
from lab.fuzz.mutants import MUTANTS, Mutant, plant
from lab.kernel_datapath import KernelDatapath

MAX_PACKETS = 400_000  # without a difference, a mutant has escaped


@dataclass(frozen=True)
class Catch:
    """How a mutant fared."""

    mutant: str
    caught: bool
    packets: int  # of the rounds it took
    example: str | None


def hunt(seed: int, report: Callable[[str], None]) -> Iterator[Catch]:
    """Yield the fate of every mutant."""
    rng = np.random.default_rng(seed)
    source = FrameSource(rng)
    with TemporaryDirectory(prefix="glimpse-mutants-") as folder:
        for mutant in MUTANTS:
            report(mutant.name)
            yield _chase(mutant, Path(folder), rng, source)


def _chase(mutant: Mutant, folder: Path, rng: np.random.Generator, source: FrameSource) -> Catch:
    objects = objects_of(mutant, folder)

    def mutated(settings: DatapathSettings, stack: ExitStack) -> Datapath:
        return KernelDatapath(settings, stack, source=objects[settings.geometry.key.name])

    packets = 0
    while packets < MAX_PACKETS:
        drawn = draw(rng, source, ROUND_PACKETS)
        try:
            found = rounds.run(drawn, mutated)
        except loader.ProgramRejected as rejected:
            raise LabError(f"mutant {mutant.name} is no use: {rejected}") from rejected
        packets += found.packets
        if found.differences:
            return Catch(mutant.name, True, packets, found.examples[0])
    return Catch(mutant.name, False, packets, None)


def objects_of(mutant: Mutant, folder: Path) -> dict[str, Path]:
    """Compile a mutant for both keys; its own copies of the headers come first."""
    planted = plant(mutant, build.BPF, folder)
    built = {
        key: build.compile(
            planted,
            out=planted.parent / f"glimpse_{key}.bpf.o",
            defines=(build.KEY_FLOW,) if key == "flow" else (),
            includes=(planted.parent / "include",),
            stem=f"glimpse_{key}",
        )
        for key in ("src", "flow")
    }
    for one in built.values():
        if not one.ok:
            raise LabError(f"mutant {mutant.name} does not compile: {one.messages}")
    return {key: one.object for key, one in built.items()}
