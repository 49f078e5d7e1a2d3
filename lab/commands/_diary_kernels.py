"""`lab diary kernels`: the same program, read by different verifiers."""

from __future__ import annotations

import click

from lab.commands._options import format_option
from lab.output import Format, Report, message, write
from verifier_diary.terminal import Terminal

SCHEMA = 1
_COLUMNS = ("program", "kernel", "verdict", "instructions", "class", "message", "attempt")


@click.command("kernels", short_help="Show what each kernel made of the same program.")
@click.argument("program", metavar="[PROGRAM|ID]", required=False)
@format_option
@click.pass_obj
def command(terminal: Terminal, program: str | None, format: Format) -> None:  # noqa: A002
    """Show what each kernel made of a program: of exactly the same object.

    PROGRAM is a function's or an object's name, ID that of an entry or attempt. Without either, all
    programs are shown that not all kernels judge alike. `lab matrix` asks many kernels at once;
    `lab diary diff` compares the logs of two attempts.
    """
    from verifier_diary.fates import disagreements, fates, of_program
    from verifier_diary.opening import opened

    with opened(terminal) as store:
        if program is None:
            found = disagreements(store)
        elif not (found := of_program(store, program)):
            from verifier_diary.differences import find_attempt

            attempt = find_attempt(store, program)
            found = {attempt.program.function: fates(store, attempt.id)}
    rows = [
        {
            "program": name,
            "verdict": "accepted" if fate.accepted else "rejected",
            **{key: value for key, value in fate.record().items() if key != "accepted"},
        }
        for name, told in found.items()
        for fate in told
    ]
    if rows or format is not Format.TABLE:
        write(Report(SCHEMA, rows, {"diary": str(store.path)}, _COLUMNS), format)
    else:
        message("all kernels that were asked judge every program alike; `lab matrix` asks more")
