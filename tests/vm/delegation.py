"""Kernel tests inside the Vagrant machine, in one go, each reported here as a test of its own.

Registered by tests/conftest.py where GLIMPSE_KERNEL is `vm`, or where this host cannot load
programs and its machine exists. Needs only the standard library and pytest.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.vm import host_journal
from tests.vm.machine import GUEST_TREE, ROOT, Machine
from tests.vm.protocol import Mark, Request, message_in
from tests.vm.tree import digest


class Answer:
    """What a guest said: reports by test, and all other lines."""

    def __init__(self, told: Callable[[str], None] = lambda line: None) -> None:
        """Start with nothing heard; `told` gets each line of other output."""
        self._told = told
        self.reports: dict[str, list[dict[str, Any]]] = {}
        self.output: list[str] = []
        self.code: int | None = None

    def hear(self, lines: Iterator[str]) -> None:
        """Take in lines until they end; raises pytest.UsageError where the guest's tree is old."""
        for line in lines:
            message = message_in(line)
            if message is None:
                self.output.append(line)
                self._told(line)
                continue
            mark, content = message
            if mark is Mark.STALE:
                raise pytest.UsageError(
                    "the guest's copy of the tree is not this tree, even after `vagrant rsync`: "
                    "was a file changed meanwhile? else see `vagrant rsync` and run it again"
                )
            if mark is Mark.REPORT:
                self.reports.setdefault(content["nodeid"], []).append(content)
            elif mark is Mark.JOURNAL:
                host_journal.keep(*content)
            else:
                self.code = content

    @property
    def tail(self) -> str:
        """Return the last lines that programs in the guest printed."""
        return "\n".join(self.output[-20:])


def ask(
    machine: Machine,
    tests: Sequence[str] = (),
    options: Sequence[str] = (),
    told: Callable[[str], None] = lambda line: None,
) -> Answer:
    """Sync, compare, run these tests (none: all) in the guest, and hear it out.

    `told` gets each line that programs in the guest print, as it comes.
    """
    machine.require_running()
    expected = digest(ROOT)
    machine.sync()
    request = Request(expected, tuple(tests), tuple(options))
    answer = Answer(told)
    answer.hear(machine.run("python3", f"{GUEST_TREE}/tests/vm/guest.py", request.encode()))
    return answer


class Delegation:
    """The plugin: reports what the guest found, instead of running kernel tests here."""

    def __init__(self, config: pytest.Config) -> None:
        """Ask nothing yet: the first kernel test that is due does, for all of them."""
        self._config = config
        self._answer: Answer | None = None
        self._problem: str | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Report a delegated test; None for every other."""
        if not is_delegated(item):
            return None
        self._ask_once(item.session.items)
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._reports_of(item):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def _ask_once(self, items: Sequence[pytest.Item]) -> None:
        if self._answer is not None or self._problem is not None:
            return
        tests = [_without_group(item.nodeid) for item in items if is_delegated(item)]
        try:
            if hasattr(self._config, "workerinput"):
                self._answer = self._shared(tests)
            else:
                self._answer = ask(Machine(), tests)
        except pytest.UsageError as problem:
            self._problem = str(problem)

    # Workers of xdist: the first to come asks for all of them, the others read what it heard.
    def _shared(self, tests: Sequence[str]) -> Answer:
        factory = self._config._tmp_path_factory  # type: ignore[attr-defined]
        folder: Path = factory.getbasetemp().parent
        heard, answer = folder / "guest-answer.json", Answer()
        with (folder / "guest-answer.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not heard.exists():
                heard.write_text(json.dumps(_said(tests)), encoding="utf-8")
        said = json.loads(heard.read_text(encoding="utf-8"))
        if "problem" in said:
            raise pytest.UsageError(said["problem"])
        answer.reports, answer.output, answer.code = said["reports"], said["output"], said["code"]
        return answer

    def _reports_of(self, item: pytest.Item) -> Iterator[pytest.TestReport]:
        found = self._answer.reports.get(_without_group(item.nodeid)) if self._answer else None
        if not found:
            yield self._error(item)
            return
        for data in found:
            report = self._config.hook.pytest_report_from_serializable(
                config=self._config, data=dict(data)
            )
            report.nodeid = item.nodeid
            if isinstance(report.longrepr, list):  # of a skip: JSON has no tuples
                report.longrepr = tuple(report.longrepr)
            yield report

    def _error(self, item: pytest.Item) -> pytest.TestReport:
        words = self._problem
        if words is None:
            assert self._answer is not None
            half = "answered half" if self._answer.code is None else "said nothing of this test"
            words = f"the guest {half}; the end of what it printed:\n{self._answer.tail}"
        return pytest.TestReport(
            item.nodeid, item.location, dict.fromkeys(item.keywords, 1), "failed", words, "setup"
        )


def _said(tests: Sequence[str]) -> dict[str, Any]:
    try:
        answer = ask(Machine(), tests)
    except pytest.UsageError as problem:
        return {"problem": str(problem)}
    return {"reports": answer.reports, "output": answer.output, "code": answer.code}


def is_delegated(item: pytest.Item) -> bool:
    """Say whether a test needs a kernel: it lives in tests/kernel."""
    return item.nodeid.startswith("tests/kernel/")


# xdist's loadgroup appends the group to a test's id; a parameter's value may hold an @, too.
def _without_group(nodeid: str) -> str:
    head, at, group = nodeid.rpartition("@")
    return head if at and "]" not in group else nodeid


def run_all(arguments: Sequence[str]) -> int:
    """Run the whole suite in the guest, its output here; returns pytest's exit code."""
    answer = ask(Machine(), options=arguments, told=_print)
    if answer.code is None:
        raise pytest.UsageError("the guest answered half: see what it printed above")
    return answer.code


# Where a report stood, an empty line is left.
def _print(line: str) -> None:
    if line.strip():
        print(line, flush=True)
