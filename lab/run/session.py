"""A run from beginning to end: attach, drop privileges, loop, detach, and all that it leaves."""

from __future__ import annotations

import importlib
import sys
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.attach import attach, interface_index
from lab.controller import Tick
from lab.datapath import DatapathSettings
from lab.environment import environment
from lab.errors import UsageError_
from lab.output import Format, message
from lab.run import privileges, report
from lab.run.chronicle import Chronicle
from lab.run.endpoint import Endpoint
from lab.run.interface_counters import InterfaceCounters
from lab.run.live_datapath import LiveDatapath, warm_up
from lab.run.look import Latest
from lab.run.loop import Ending, Listeners, Loop
from lab.run.namespace import enter
from lab.run.parts import arrow
from lab.run.printer import printer
from lab.run.queries import Queries
from lab.run.record import Recorder
from lab.run.screen import Screen
from lab.run.settings import RunSettings, instances
from lab.run.view import About
from lab.run.wakeup import Wakeup
from lab.run.watch import Watch
from simulator import geometry

KEPT_NEWS = 1000  # the latest; an interface may flap for months
# Imported while all files can still be read: who we become may not be allowed to.
_LATER = (
    *("rich.box", "rich.console", "rich.live", "rich.table", "rich.text"),
    *("pyroute2.ethtool.ioctl", "pyroute2.netlink.rtnl.marshal"),
    *("lab.run.tables", "lab.testbed.statistics"),
)


@dataclass(frozen=True)
class Result:
    """What came of a run."""

    ending: Ending
    summary: dict[str, Any]
    output_error: OSError | None
    recording: str | None  # why it is not complete


def run(settings: RunSettings, form: Format) -> Result:
    """Run it; raises what keeps it from beginning."""
    privileges.require()
    with ExitStack() as stack:
        session = Session(settings, form, stack)
        session.attach()
        return session.run()


class Session:
    """What a run holds open; everything is closed with its stack."""

    def __init__(self, settings: RunSettings, form: Format, stack: ExitStack) -> None:
        """Check what can be checked before there is anything to undo, and load the program."""
        self._settings, self._stack = settings, stack
        self._latest = Latest()
        self._endpoint = (
            stack.enter_context(Endpoint(settings.metrics, self._latest, settings.metrics_top))
            if settings.metrics
            else None
        )
        enter(settings.namespace)
        interface_index(settings.interface)
        self._queries = _queries(settings)
        for module in _LATER:
            importlib.import_module(module)
        if settings.record:
            arrow("pyarrow.parquet")
        path = _datapath_settings(settings)
        warm_up(path.geometry, path.hash)
        self._datapath = LiveDatapath(path, stack, settings.verdict)
        # The first packet after the attach must find a budget, or it trips.
        self._datapath.grant(settings.policy.burst)
        self._environment = environment(settings.seed)
        self._clock = Wakeup()
        self._form = form
        self._fallback: str | None = None
        self._recorder: Recorder | None = None
        self._said: deque[str] = deque(maxlen=KEPT_NEWS)
        self._told_failure = False

    def attach(self) -> None:
        """Attach, and give up what only that needed."""
        settings, stack = self._settings, self._stack
        stack.enter_context(self._clock.noting_signals())
        self._link = stack.enter_context(
            attach(self._datapath.program, settings.interface, settings.how, self._went_generic)
        )
        self._watch = stack.enter_context(Watch(self._link, settings.interface))
        self._clock.add(self._watch)
        self._counters = stack.enter_context(InterfaceCounters())
        self._before = self._counters.read(self._watch.interface)
        self._metadata = {
            **report.metadata(settings, self._datapath, self._link, self._fallback),
            "environment": self._environment,
        }
        if settings.record:
            self._recorder = _recorder(settings.record, self._metadata)
        self._metadata["privileges"] = privileges.drop()

    def run(self) -> Result:
        """Loop, detach, and hand over the rest."""
        self._printer = printer(self._form)
        self._printer.begin(self._metadata)
        if self._recorder:
            self._recorder.start()
        if self._endpoint:
            self._endpoint.start()
        live = self._form is Format.TABLE and sys.stdout.isatty()
        with Screen(self._latest, self._about(), live) as self._screen:
            self._say_where()
            loop = self._loop()
            ending = loop.run()
            self._link.destroy()
            loop.finish()
        return self._end(loop, ending)

    def _loop(self) -> Loop:
        self._chronicle = Chronicle(
            self._datapath,
            self._queries,
            self._settings.top,
            lambda: self._counters.read(self._watch.interface) - self._before,
            self._clock.now,
        )
        keyboard = self._screen.keyboard
        if keyboard:
            self._clock.add(keyboard)
        return Loop(
            self._datapath,
            self._settings.policy,
            self._chronicle,
            self._clock,
            self._watch,
            Listeners(self._latest.set, self._step, self._news, self._has_ended, self._screen.stop),
            keyboard,
            self._settings.duration_ns,
        )

    def _end(self, loop: Loop, ending: Ending) -> Result:
        if self._recorder:
            self._recorder.finish()
        summary = report.summary(
            self._settings, loop, ending, self._watch.interface, self._said, self._printer.dropped
        )
        signals = len(self._clock.signals)
        self._printer.end(summary, lambda: len(self._clock.signals) > signals)
        message(f"detached from {self._watch.interface.name}")
        failed = self._recorder.failed if self._recorder else None
        return Result(ending, summary, self._printer.error, failed)

    def _step(self, tick: Tick, epoch: dict[str, Any] | None) -> None:
        if self._recorder:
            self._recorder.step(tick, epoch)
            self._tell_failure(self._recorder)
        if epoch is not None:
            self._printer.epoch(epoch)

    def _news(self, text: str) -> None:
        self._said.append(text)
        if not self._screen.live:
            message(text)

    def _tell_failure(self, recorder: Recorder) -> None:
        if recorder.failed and not self._told_failure:
            self._told_failure = True
            text = f"the recording ended: {recorder.failed}; the run goes on"
            self._chronicle.tell(text)
            self._news(text)

    def _has_ended(self) -> Ending | None:
        error = self._printer.error
        if error is None:
            return None
        gone = isinstance(error, BrokenPipeError)
        return Ending.READER_GONE if gone else Ending.OUTPUT_FAILED

    def _went_generic(self, text: str) -> None:
        self._fallback = text

    def _about(self) -> About:
        mode, key = str(self._link.mode), self._settings.key.name
        return About(mode, self._fallback, key, self._settings.policy)

    def _say_where(self) -> None:
        if self._screen.live:
            return
        if self._fallback:
            message(self._fallback)
        if self._endpoint:
            message(f"metrics are at http://{self._endpoint.address}/metrics")
        where = f"{self._settings.interface} ({self._link.mode})"
        message(f"glimpse is attached to {where}; Ctrl-C ends it")


def _queries(settings: RunSettings) -> Queries:
    try:
        return Queries(settings.key, settings.queries)
    except ValueError as error:
        raise UsageError_(str(error), try_="lab run --help") from error


def _datapath_settings(settings: RunSettings) -> DatapathSettings:
    try:
        shape = geometry.for_memory(settings.memory, settings.key, instances())
    except ValueError as error:
        raise UsageError_(str(error), try_="lab run --memory 4M") from error
    return DatapathSettings(
        shape, settings.policy.exact_entries, settings.policy.setting, seed=settings.seed
    )


def _recorder(path: Path, metadata: dict[str, Any]) -> Recorder:
    try:
        return Recorder(path, metadata, privileges.person())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError_(
            f"cannot make the recording {path}: {reason}", try_="another --record FILE"
        ) from error
