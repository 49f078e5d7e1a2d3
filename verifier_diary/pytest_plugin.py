"""pytest -p verifier_diary.pytest_plugin: every program load of a test run, with the test's id.

Loads through this project's loader and through bcc go to the journal in any case. --diary-watch
puts the flight recorder around the run: whatever the tests or their children load by other means is
recorded too. With pytest-xdist the recorder runs in the controller alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from typing import Any

import pytest

from verifier_diary import bcc_capture
from verifier_diary.errors import DiaryError
from verifier_diary.pytest_loads import OwnLoads, Tally, Told
from verifier_diary.pytest_watch import Phase, Watch

NAME = "verifier-diary"
_TOLD = "diary_loads"  # the attribute of a report, and the key of a worker's last words


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --diary-watch."""
    parser.getgroup("verifier diary").addoption(
        "--diary-watch",
        action="store_true",
        help="Record the rejected loads of all processes of this run; takes root and BCC.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Listen from now on."""
    config.pluginmanager.register(Plugin(config), NAME)


class Plugin:
    """The hooks of one process of a test run."""

    def __init__(self, config: pytest.Config) -> None:
        """Begin to listen, in every process."""
        self._config = config
        self._is_worker = hasattr(config, "workerinput")
        self._own = OwnLoads()
        self._tally = Tally()
        self._watch: Watch | None = None
        self._seen: str | None = None
        self._own.begin()
        bcc_capture.install()

    # Before pytest-xdist starts its workers: they are then children of what is watched.
    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Start the flight recorder, if asked to, in the process that the person started."""
        options = self._config.option
        if self._is_worker or not options.diary_watch or options.collectonly:
            return
        try:
            self._watch = Watch(self._own.append)
        except DiaryError as error:
            advice = f"; try: {error.try_}" if error.try_ else ""
            raise pytest.UsageError(f"--diary-watch: {error}{advice}") from error

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put on the report who ran when, and what was loaded meanwhile."""
        report = yield
        now_ns, now = time.monotonic_ns(), time.time()
        start_ns = now_ns - int((now - call.start) * 1e9)
        report.__dict__[_TOLD] = [os.getpid(), start_ns, now_ns, self._own.take()]
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take it off again, where the reports of all processes arrive."""
        if self._is_worker or _TOLD not in report.__dict__:
            return
        pid, start_ns, stop_ns, told = report.__dict__[_TOLD]
        records = self._tally.add(told)
        if self._watch:
            self._watch.phase(Phase(report.nodeid, pid, start_ns, stop_ns), records)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Hear a worker's last words."""
        output: dict[str, list[Told]] = getattr(node, "workeroutput", None) or {}
        self._tally.add(output.get(_TOLD, []))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Stop the recorder, or as a worker say what was loaded after the last report."""
        if self._is_worker:
            self._config.workeroutput[_TOLD] = self._own.take()  # type: ignore[attr-defined]
            return
        self._tally.add(self._own.take())
        self._stop()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how much was loaded, and where it is written down."""
        terminalreporter.write_line(f"verifier diary: {self._tally.summary()}")
        if self._seen:
            terminalreporter.write_line(f"flight recorder: {self._seen}")

    def pytest_unconfigure(self) -> None:
        """Leave the process as it was."""
        self._stop()
        bcc_capture.uninstall()
        self._own.end()

    def _stop(self) -> None:
        watch, self._watch = self._watch, None
        if watch:
            self._seen = watch.stop()
