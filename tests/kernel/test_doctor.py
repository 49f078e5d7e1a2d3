from __future__ import annotations

import re

from lab import doctor_checks
from lab.doctor import Machine, State
from tests.kernel.conftest import needs_clang, needs_root

pytestmark = [needs_root, needs_clang]


def test_doctor_loads_a_tiny_program_here() -> None:
    outcome = doctor_checks.load(Machine())
    assert outcome.state is State.OK, outcome.cause
    assert re.fullmatch(r"hello\.bpf\.c, \d+ instructions processed", outcome.found or "")


def test_doctor_finds_the_capabilities_that_the_load_needs() -> None:
    assert doctor_checks.privileges(Machine()).state is not State.FAIL
