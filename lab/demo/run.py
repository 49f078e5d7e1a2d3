"""The demo from beginning to end: on the kernel where it can, else in the simulator."""

from __future__ import annotations

import os
import platform
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from lab.datapath import DatapathSettings
from lab.demo import scenario, simulated
from lab.demo.capture import load
from lab.demo.progress import Display
from lab.demo.recording import Recording
from lab.demo.report import document
from lab.demo.scenario import CALM_RATE, Scenario
from lab.demo.truth import score
from lab.errors import EnvironmentProblem, PermissionProblem, UsageError_
from lab.output import message
from lab.testbed.bed import MTU
from simulator import geometry
from simulator.frames import Frames
from simulator.layout import Key
from simulator.policy import Policy

CHOICE = "GLIMPSE_KERNEL"  # none: the simulator is asked for; local: the kernel is insisted on
SIMULATED_CPUS = 2


@dataclass(frozen=True)
class DemoSettings:
    """All that a person may choose."""

    key: Key
    seed: int
    seconds: int
    memory: int  # bytes of all of Low Detail
    threshold: int  # new keys per second
    trace: str | None = None  # a capture to be the calm traffic


@dataclass(frozen=True)
class DemoResult:
    """What came of it."""

    document: dict[str, Any]
    fallback: bool  # the simulator had to do, because BPF cannot run here


def demo(settings: DemoSettings) -> DemoResult:
    """Run it; raises BadInput, UsageError_, and where the kernel is insisted on what it lacks."""
    policy = Policy(threshold=settings.threshold)
    planned = plan(settings, policy)
    with Display(settings.seconds) as display:
        recording, fallback = _run(settings, policy, planned, display)
    message("comparing with the truth")
    return DemoResult(document(planned, recording, score(planned, recording)), fallback)


def plan(settings: DemoSettings, policy: Policy) -> Scenario:
    """Return the scenario; the same for the same seed."""
    rng = np.random.default_rng(settings.seed)
    calm, rate = _calm(settings, policy, rng)
    return scenario.scenario(calm, rate, settings.seconds, rng)


def _calm(settings: DemoSettings, policy: Policy, rng: np.random.Generator) -> tuple[Frames, float]:
    if settings.trace is None:
        return scenario.generated_calm(policy, rng)
    seconds = max(scenario.calm_seconds(settings.seconds))
    capture = load(settings.trace, int(CALM_RATE) * seconds, MTU)
    if capture.skipped:
        message(f"note: {capture.skipped:,} frames of {settings.trace} do not fit an MTU of {MTU}")
    rate = scenario.calm_rate(capture.frames, settings.key, policy, seconds)
    return capture.frames, rate


def _run(
    settings: DemoSettings, policy: Policy, planned: Scenario, display: Display
) -> tuple[Recording, bool]:
    choice = os.environ.get(CHOICE)
    if choice == "none":
        return _simulate(settings, policy, planned, display), False
    try:
        return _live(settings, policy, planned, display), False
    except (EnvironmentProblem, PermissionProblem) as problem:
        if choice == "local":
            raise
        display.say(f"note: BPF cannot run here: {problem}")
        if problem.try_:
            display.say(f"try: {problem.try_}")
        display.say("the same in the simulator, on simulated time:")
        return _simulate(settings, policy, planned, display), True


def _simulate(
    settings: DemoSettings, policy: Policy, planned: Scenario, display: Display
) -> Recording:
    path = _datapath(settings, policy, SIMULATED_CPUS)
    return simulated.run(planned, path, policy, display)


def _live(settings: DemoSettings, policy: Policy, planned: Scenario, display: Display) -> Recording:
    if platform.system() != "Linux":
        raise EnvironmentProblem(f"{platform.system()} has no BPF", try_="vagrant up")
    from lab.demo import live
    from lab.testbed.traffic import instances

    path = _datapath(settings, policy, instances())
    simulated.warm_up(planned, path, policy)
    with ExitStack() as stack:
        stage = live.Stage(planned, path, MTU, stack)
        return live.run(stage, planned, policy, display)


def _datapath(settings: DemoSettings, policy: Policy, instances: int) -> DatapathSettings:
    try:
        shape = geometry.for_memory(settings.memory, settings.key, instances)
    except ValueError as error:
        raise UsageError_(str(error), try_="lab demo --memory 2M") from error
    return DatapathSettings(shape, policy.exact_entries, seed=settings.seed)
