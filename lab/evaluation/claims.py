"""What the project claims, read from docs/results/claims.toml, and the verdicts on it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from lab.errors import BadInput

FILE = Path(__file__).resolve().parents[2] / "docs/results/claims.toml"


class Verdict(StrEnum):
    """What a rerun says of a claim."""

    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not reproduced"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Claim:
    """A statement, and how it is checked.

    `check` names a module in lab/evaluation/checks/, `settings` are its own; `not_met` says where
    the statement does not hold, with what was measured there.
    """

    id: str
    statement: str
    scope: str
    check: str
    command: str
    tolerance: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    not_met: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Finding:
    """One line of a check: what was measured, what it should be, and the verdict."""

    case: str
    verdict: Verdict
    measured: float | None = None
    bound: str = ""
    why: str = ""  # of a verdict that is not `reproduced`


_TEXTS = ("id", "statement", "scope", "check", "command", "tolerance")


def read(path: Path = FILE) -> list[Claim]:
    """Return the claims of a file; raises BadInput, naming the claim and what it lacks."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{path} is no TOML: {error}", try_="correct the line it names") from error
    claims = [_claim(path, number, entry) for number, entry in enumerate(_entries(document), 1)]
    ids = [claim.id for claim in claims]
    for twice in {name for name in ids if ids.count(name) > 1}:
        raise BadInput(f"{path}: two claims are named {twice}", try_="give each its own id")
    return claims


def _entries(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = document.get("claim", [])
    return entries if isinstance(entries, list) else []


def _claim(path: Path, number: int, entry: Mapping[str, Any]) -> Claim:
    name = entry.get("id", f"number {number}")
    missing = [text for text in _TEXTS if not isinstance(entry.get(text), str)]
    if missing:
        raise BadInput(
            f"{path}: claim {name} lacks {', '.join(missing)}",
            try_=f"a claim has {', '.join(_TEXTS)}, and may have settings and not_met",
        )
    return Claim(
        **{text: entry[text] for text in _TEXTS},
        settings=entry.get("settings", {}),
        not_met=tuple(entry.get("not_met", ())),
    )


def overall(findings: list[Finding]) -> Verdict:
    """Return one verdict: a failure outweighs what was not run, which outweighs the rest."""
    verdicts = {finding.verdict for finding in findings}
    for verdict in (Verdict.NOT_REPRODUCED, Verdict.NOT_RUN):
        if verdict in verdicts:
            return verdict
    return Verdict.REPRODUCED if findings else Verdict.NOT_RUN
