"""Check this machine: what is there, what is missing, and the command that mends it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from lab.commands._options import format_option
from lab.output import Format, Report, write

if TYPE_CHECKING:
    from lab.doctor import Check

SCHEMA = 1


@click.command("doctor")
@format_option
@click.pass_context
def command(ctx: click.Context, format: Format) -> None:  # noqa: A002
    """Check this machine: what is there, what is missing, and the command that mends it.

    Ends by compiling a tiny program and loading it into the kernel. Exits with 0 when nothing
    failed (warnings are about smaller things), 3 when the machine lacks something, 4 when only a
    privilege is missing.
    """
    from lab.doctor import Machine, examine, exit_code
    from lab.environment import environment

    checks = list(examine(Machine()))
    code = exit_code(checks)
    rows = [_for_people(c) if format is Format.TABLE else asdict(c) for c in checks]
    write(Report(SCHEMA, rows, {"ok": code == 0, "environment": environment()}), format)
    ctx.exit(code)


# A check has found something, or has a cause to name: one column of a table.
def _for_people(check: Check) -> dict[str, Any]:
    finding = check.cause or check.found
    return {"check": check.name, "state": check.state, "finding": finding, "mend": check.mend}
