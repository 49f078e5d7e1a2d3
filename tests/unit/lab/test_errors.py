from __future__ import annotations

import pytest

from lab import errors
from lab.errors import LabError

CODES = {
    "LabError": 1,
    "UsageError_": 2,
    "EnvironmentProblem": 3,
    "PermissionProblem": 4,
    "Busy": 5,
    "InterfaceMissing": 6,
    "BadInput": 7,
    "CheckFailed": 8,
}


def test_every_class_has_its_documented_code() -> None:
    classes = {
        n: c
        for n, c in vars(errors).items()
        if isinstance(c, type) and c.__module__ == errors.__name__
    }
    assert {name: cls.exit_code for name, cls in classes.items()} == CODES


@pytest.mark.parametrize("name", CODES)
def test_the_tree_in_the_docstring_shows_the_class_with_its_code(name: str) -> None:
    line = next(text for text in errors.__doc__.splitlines() if f"{name} " in text)
    assert int(line.split(name)[1].split()[0]) == CODES[name]


@pytest.mark.parametrize("name", [name for name in CODES if name != "LabError"])
def test_every_class_is_a_lab_error_with_message_and_remedy(name: str) -> None:
    error = getattr(errors, name)("what and where", try_="what to do")
    assert isinstance(error, LabError)
    assert (str(error), error.try_) == ("what and where", "what to do")
