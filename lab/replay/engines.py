"""The engines of a replay by name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from lab.datapath import Datapath, DatapathSettings

Factory = Callable[[DatapathSettings, ExitStack], Datapath]


def simulator(settings: DatapathSettings, _: ExitStack) -> Datapath:
    """Return a fresh twin."""
    from lab.datapath import SimulatorDatapath

    return SimulatorDatapath(settings)


def kernel(settings: DatapathSettings, stack: ExitStack) -> Datapath:
    """Return the program, loaded; closed with `stack`."""
    from lab.kernel_datapath import KernelDatapath

    return KernelDatapath(settings, stack)


ENGINES: dict[str, list[Factory]] = {
    "kernel": [kernel],
    "simulator": [simulator],
    "both": [simulator, kernel],
}
