"""Claims: the file, the verdicts, and what a check says where it does not hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab import cli
from lab.errors import BadInput
from lab.evaluation import checks
from lab.evaluation.checks import Context, accuracy
from lab.evaluation.claims import Claim, Finding, Verdict, overall, read
from lab.evaluation.tasks import Task, run
from lab.evaluation.workloads import preset

SMALL = preset("zipf-1.0", 5_000)


def claim(**settings: Any) -> Claim:
    not_met = settings.pop("not_met", ())
    return Claim("it", "it holds", "here", "accuracy", "lab eval check", "none", settings, not_met)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [run(Task(SMALL, "src", "hash", 1.0, seed)) for seed in (1, 2)]


def test_every_claim_of_the_project_has_a_check_that_exists() -> None:
    claims = read()
    assert len(claims) >= 7
    assert {one.check for one in claims} <= set(checks.kinds())


def test_a_measure_within_its_bound_is_reproduced(rows: list[dict[str, Any]]) -> None:
    [finding] = accuracy.check(claim(at_least={"weighted": 0.95}), Context("smoke", rows))
    assert finding.verdict is Verdict.REPRODUCED
    assert finding.measured == 1


def test_a_measure_outside_its_bound_is_not(rows: list[dict[str, Any]]) -> None:
    [finding] = accuracy.check(claim(at_most={"weighted": 0.95}), Context("smoke", rows))
    assert finding.verdict is Verdict.NOT_REPRODUCED
    assert finding.why == "outside the bound"


def test_a_case_recorded_as_not_met_is_reproduced_by_the_same_value(
    rows: list[dict[str, Any]],
) -> None:
    recorded = {"workload": "zipf-1.0", "key": "src", "measure": "weighted", "measured": 0.99}
    known = claim(at_most={"weighted": 0.95}, not_met=[recorded])
    [finding] = accuracy.check(known, Context("smoke", rows))
    assert finding.verdict is Verdict.REPRODUCED
    assert "known not to be <= 0.95" in finding.bound
    other = claim(at_most={"weighted": 0.95}, not_met=[recorded | {"measured": 0.5}])
    [finding] = accuracy.check(other, Context("smoke", rows))
    assert finding.verdict is Verdict.NOT_REPRODUCED


def test_nothing_measured_is_not_run() -> None:
    [finding] = accuracy.check(claim(at_least={"weighted": 0.5}), Context("smoke"))
    assert finding.verdict is Verdict.NOT_RUN


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([Verdict.REPRODUCED], Verdict.REPRODUCED),
        ([Verdict.REPRODUCED, Verdict.NOT_RUN], Verdict.NOT_RUN),
        ([Verdict.NOT_RUN, Verdict.NOT_REPRODUCED], Verdict.NOT_REPRODUCED),
        ([], Verdict.NOT_RUN),
    ],
)
def test_a_failure_outweighs_what_was_not_run(verdicts: list[Verdict], expected: Verdict) -> None:
    assert overall([Finding("case", verdict) for verdict in verdicts]) is expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[claim]]\nid = 'x'\n", "claim x lacks statement, scope, check, command, tolerance"),
        ("[[claim\n", "is no TOML"),
    ],
)
def test_a_file_of_claims_that_cannot_be_used_is_named(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "claims.toml"
    path.write_text(text)
    with pytest.raises(BadInput, match=problem):
        read(path)


def test_a_missing_file_of_claims_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot read"):
        read(tmp_path / "absent.toml")


FILE = """
[[claim]]
id = "chance"
statement = "Random keys do not collide."
scope = "here"
check = "collisions"
command = "lab eval check"
tolerance = "none"
[claim.settings]
random_src_murmur3 = {expected}
"""


def test_a_claim_that_is_not_reproduced_ends_with_8(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from lab.evaluation.checks import collisions

    monkeypatch.setattr(collisions, "measure", lambda rng: {"random_src_murmur3": 0.0})
    path = tmp_path / "claims.toml"
    path.write_text(FILE.format(expected=0.0))
    assert cli.run(["eval", "check", "--claims", str(path), "--format", "json"]) == 0
    path.write_text(FILE.format(expected=1.0))
    assert cli.run(["eval", "check", "--claims", str(path)]) == 8
    said = capsys.readouterr().err
    assert "not reproduced: chance: random_src_murmur3: measured 0, expected = 1.0" in said
    assert "error: not reproduced: chance" in said


def test_an_unknown_claim_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["eval", "check", "--only", "nothing"]) == 2
    assert "error: there is no claim 'nothing'" in capsys.readouterr().err
