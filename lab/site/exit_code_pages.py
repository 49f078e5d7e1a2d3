"""The exit codes, out of the errors that cause them."""

from __future__ import annotations

from lab import errors
from lab.cli import INTERRUPTED
from lab.errors import LabError


def pages() -> dict[str, str]:
    """Return the page of the exit codes."""
    rows = [f"| {c.exit_code} | {_meaning(c)} |" for c in sorted(_classes(), key=_code)]
    table = "\n".join(
        ["| 0 | All went well; also after SIGTERM, `--duration`, a closed pipe. |", *rows]
    )
    return {
        "reference/exit-codes.md": (
            "# Exit codes\n\nEvery command of `lab`, `scripts/run demo` and `scripts/run test` end "
            "with one of these; `make` itself only knows 0 and 2.\n\n"
            f"| code | meaning |\n|---|---|\n{table}\n"
            f"| {INTERRUPTED} | Interrupted by SIGINT; what was measured is written. |\n"
        )
    }


def _classes() -> list[type[LabError]]:
    found = [value for value in vars(errors).values() if isinstance(value, type)]
    return [value for value in found if issubclass(value, LabError)]


def _code(error: type[LabError]) -> int:
    return error.exit_code


def _meaning(error: type[LabError]) -> str:
    return (error.__doc__ or "").partition("\n")[0]
