"""Attempts made elsewhere, completed with what only this side knows, and put in the journal."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lab.build import Build
from lab.matrix.cells import Verdict
from lab.matrix.expectations import expected
from lab.matrix.programs import Listed
from lab.matrix.results import Results
from verifier_diary import journal
from verifier_diary.model import Attempt
from verifier_diary.origin import Git, Kernel, Origin, Toolchain


def attempts(
    programs: Sequence[Listed],
    results: Results,
    config: Path | None,
    otherwise: Mapping[str, str] | None = None,
) -> dict[int, Attempt]:
    """Return the attempts among the results, by the program's number, completed.

    A refusal that this kernel is expected to give counts as expected, too: it is no news.
    """
    found = {}
    for number, record in results.attempts.items():
        if "attempt" in record and number < len(programs):
            program = programs[number]
            attempt = completed(Attempt.from_json(record["attempt"]), program.build, config)
            wanted = expected(program, otherwise) if otherwise is not None else None
            refused = wanted not in (None, str(Verdict.ACCEPTED))
            found[number] = replace(attempt, expected=attempt.expected or refused)
    return found


def completed(attempt: Attempt, built: Build, config: Path | None) -> Attempt:
    """Return an attempt with its sources, compiler, origin and the kernel's configuration."""
    kernel = attempt.kernel
    if config is not None:
        digest = hashlib.sha256(config.read_bytes()).hexdigest()
        kernel = Kernel(kernel.release, kernel.machine, digest)
    tools = attempt.toolchain
    return replace(
        attempt,
        sources=built.sources,
        origin=Origin.here(),
        git=Git.here(),
        kernel=kernel,
        toolchain=Toolchain(_clang(built), built.flags, "lab", tools.libbpf),
    )


def keep(attempts: Mapping[int, Attempt]) -> None:
    """Write attempts to the journal, in the order in which they were made."""
    for number in sorted(attempts):
        journal.append(attempts[number])


def _clang(built: Build) -> str | None:
    from lab.build import toolchain

    return toolchain()["clang"] if built.flags else None
