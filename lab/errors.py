"""What can go wrong, drawn once; the class decides the exit code of `lab`.

LabError                 1  internal: a bug of the lab, or none of the below
├── UsageError_          2  the command line asks for something that makes no sense
├── EnvironmentProblem   3  the machine lacks something: clang, libbpf, a kernel feature
├── PermissionProblem    4  the person may not do this: root or a capability is missing
├── Busy                 5  somebody else holds it: an XDP hook, a lock
├── InterfaceMissing     6  a network interface does not exist, or is gone
├── BadInput             7  an input file cannot be used
└── CheckFailed          8  a claim, a comparison or a program failed the check

    try:
        program = loader.load(path).require()
    except CheckFailed as error:  # the kernel rejected it
        print(error, error.try_)

The simulator raises plain ValueErrors and the diary DiaryError; `lab.cli` turns every root into
`error: what and where` and `try: what to do`. 130 (interrupted) is no error and has no class.
"""

from __future__ import annotations

from typing import ClassVar


class LabError(Exception):
    """The lab could not do what it was asked to do."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, try_: str | None = None) -> None:
        """Say what went wrong and where, and what the reader can do about it."""
        super().__init__(message)
        self.try_ = try_


class UsageError_(LabError):  # noqa: N801 - click has a UsageError of its own
    """The command line asks for something that makes no sense."""

    exit_code = 2


class EnvironmentProblem(LabError):
    """The machine lacks something that this needs."""

    exit_code = 3


class PermissionProblem(LabError):
    """The person may not do this."""

    exit_code = 4


class Busy(LabError):
    """Somebody else holds what this needs."""

    exit_code = 5


class InterfaceMissing(LabError):
    """A network interface does not exist, or is gone."""

    exit_code = 6


class BadInput(LabError):
    """An input file cannot be used."""

    exit_code = 7


class CheckFailed(LabError):
    """A claim, a comparison or a program failed its check."""

    exit_code = 8
