from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest

from verifier_diary.stderr_tap import Tap, tapped


@pytest.mark.parametrize("pass_on", [True, False])
def test_what_goes_to_the_descriptor_is_read(capfd, pass_on: bool) -> None:
    with tapped(pass_on=pass_on) as tap:
        os.write(2, b"from C\n")
    assert tap.text == "from C\n"
    assert capfd.readouterr().err == (tap.text if pass_on else "")


def test_the_c_librarys_own_stderr_is_read(capfd) -> None:
    with tapped(pass_on=False) as tap:
        ctypes.CDLL(None).perror(b"said by C")
    assert tap.text.startswith("said by C: ")


def test_an_exception_passes_and_stderr_is_back(capfd) -> None:
    def fail(said: list[Tap]) -> None:
        with tapped(pass_on=False) as tap:
            said.append(tap)
            os.write(2, b"before")
            raise KeyError

    said: list[Tap] = []
    with pytest.raises(KeyError):
        fail(said)
    os.write(2, b"after")
    assert said[0].text == "before"
    assert capfd.readouterr().err == "after"


def test_a_tap_leaves_no_descriptor_open(capfd) -> None:
    before = descriptors()
    with tapped(pass_on=True):
        pass
    assert descriptors() == before


def descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}
