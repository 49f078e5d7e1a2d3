"""Tests that load programs: what they need, and how to run them where it is missing.

`needs_root`, `needs_clang` and `needs_kernel(feature=..., min=...)` skip with the way to run the
test; GLIMPSE_KERNEL=local turns every such skip into a failure, GLIMPSE_KERNEL=none skips all.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import build, privilege
from lab.build import Build
from lab.libbpf import probe
from tests.kernel import live

FORCE = "GLIMPSE_KERNEL"

needs_root = pytest.mark.needs_root
needs_clang = pytest.mark.needs_clang
needs_kernel = pytest.mark.needs_kernel

_MARKERS = (
    "needs_root: the test loads programs, which takes root",
    "needs_clang: the test compiles programs",
    "needs_kernel(feature, min): the kernel can do this; `min` is the first release that can",
)
_HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    for line in _MARKERS:
        config.addinivalue_line("markers", line)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker("kernel")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if os.environ.get(FORCE) == "none":
        pytest.skip(f"{FORCE}=none forbids using the kernel; unset it, or use local or vm")
    for reason in _missing(item):
        if os.environ.get(FORCE) == "local":
            pytest.fail(f"{reason} ({FORCE}=local forbids skipping)", pytrace=False)
        pytest.skip(reason)


def _missing(item: pytest.Item) -> Iterator[str]:
    if item.get_closest_marker("needs_root"):
        yield from _missing_privilege()
    if item.get_closest_marker("needs_clang") and not shutil.which("clang"):
        yield "clang is missing; `make setup` installs it"
    for mark in item.iter_markers("needs_kernel"):
        yield from _missing_feature(**mark.kwargs)


def _missing_privilege() -> Iterator[str]:
    missing = privilege.missing_capabilities()
    if missing:
        yield f"{' and '.join(missing)} missing; run it with `sudo make test`"
    elif not probe.feature("xdp"):
        yield "the kernel loads no XDP programs here; run it in a VM, with `make test`"


def _missing_feature(feature: str, min: str | None = None) -> Iterator[str]:  # noqa: A002
    if probe.feature(feature):
        return
    running = platform.release()
    if min and _version(running) >= _version(min):
        pytest.fail(f"Linux {running} should have {feature}, as {min} has", pytrace=False)
    since = f" (Linux {min} has)" if min else ""
    yield f"Linux {running} has no {feature}{since}; run it there, or with `make matrix`"


def _version(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", release)[:2])


@pytest.fixture(autouse=True, scope="session")
def _journal_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        kept = os.environ.get("GLIMPSE_JOURNAL_OF_TESTS")  # in a VM, whose host asks for it
        patch.setenv("GLIMPSE_JOURNAL", kept or str(tmp_path_factory.mktemp("journal")))
        yield


@pytest.fixture
def journal_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a journal of its own."""
    directory = tmp_path / "journal"
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(directory))
    return directory


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[..., Build]:
    """Compile a text: `compiled(text, name="tiny")`."""

    def make(text: str, name: str = "tiny") -> Build:
        source = tmp_path / f"{name}.bpf.c"
        source.write_text(text)
        return build.compile(source, out=tmp_path / f"{name}.bpf.o")

    return make


@pytest.fixture
def left() -> Iterator[str]:
    """Give the test a cable in a network namespace of its own; its left end is what runs watch."""
    with live.cable() as left:
        yield left


@pytest.fixture
def run() -> Iterator[live.Runs]:
    """Start `lab run`s that end with the test."""
    with live.runs() as run:
        yield run
