"""A pytest plugin of the guest: every report goes to stdout as a message for the host."""

from __future__ import annotations

import contextlib
import os

import pytest

from tests.vm.protocol import Mark, line_of


class Reporter:
    """Writes reports past pytest's capturing."""

    def __init__(self, config: pytest.Config) -> None:
        """Take a copy of the real standard output: tests have another one while they run."""
        self._config = config
        capture = config.pluginmanager.getplugin("capturemanager")
        disabled = capture.global_and_fixture_disabled() if capture else contextlib.nullcontext()
        with disabled:
            self._out = os.dup(1)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Send one report; on a line of its own, for pytest prints dots without ending theirs."""
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        _write_all(self._out, f"\n{line_of(Mark.REPORT, data)}\n".encode())


def pytest_configure(config: pytest.Config) -> None:
    """Register; under xdist the controller reports for its workers."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Reporter(config), "glimpse-guest-reports")


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
