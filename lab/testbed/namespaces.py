"""Network namespaces of our own, and moving a thread into one and back."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lab.errors import LabError

PREFIX = "glimpse"
_OURS = re.compile(rf"{PREFIX}-(\d+)(?:\.\d+)?-[a-z]+")
_count = itertools.count(1)


def new_names(*roles: str) -> list[str]:
    """Return names that say whose they are: glimpse-<pid>-<role>, for a second set <pid>.2."""
    number = next(_count)
    owner = f"{os.getpid()}" if number == 1 else f"{os.getpid()}.{number}"
    return [f"{PREFIX}-{owner}-{role}" for role in roles]


def create(name: str) -> None:
    """Create a namespace; raises OSError."""
    from pyroute2 import netns

    netns.create(name)


def remove(name: str) -> None:
    """Remove a namespace and the links in it; one that is gone already is no error."""
    from pyroute2 import netns

    with suppress(FileNotFoundError):
        netns.remove(name)


def sweep() -> None:
    """Remove those of our namespaces whose process has died without doing it (SIGKILL)."""
    from pyroute2 import netns

    for name in netns.listnetns():
        match = _OURS.fullmatch(name)
        if match and not Path(f"/proc/{match[1]}").exists():
            with suppress(OSError):  # not ours to remove after all
                remove(name)


@contextmanager
def entered(name: str) -> Iterator[None]:
    """Run the body inside a namespace: this thread only, and what it starts."""
    from pyroute2 import netns

    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _enter(name)
        try:
            yield
        finally:
            netns.setns(home)
    finally:
        os.close(home)


def _enter(name: str) -> None:
    from pyroute2 import netns

    try:
        netns.setns(name, flags=0)
    except FileNotFoundError as error:
        raise LabError(f"the testbed's namespace {name} is gone: somebody removed it") from error
