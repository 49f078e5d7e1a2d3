"""`lab diary lessons`: it loads programs, which the diary itself never does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lab.commands._options import format_option
from lab.output import Format, Report, message, progress, write

if TYPE_CHECKING:
    from lab.lessons import Recorded

SCHEMA = 1


@click.command("lessons", short_help="Load every lesson here, and keep its record for `export`.")
@click.option(
    "--to",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="[the project's journal, its folder `lessons`]",
)
@click.option("--no-load", is_flag=True, help="Only take over what the journal has of others.")
@format_option
def command(to: Path | None, no_load: bool, format: Format) -> None:  # noqa: A002
    """Keep what kernels say of every lesson, for `export`: the running one is asked now.

    What other kernels said to `lab matrix` is taken over from the project's journal. Lessons that a
    kernel judges as before keep their records; one whose good program it refuses is left out.
    """
    from dataclasses import asdict

    from verifier_diary.export import lessons_folder

    folder = to or lessons_folder()
    done = _record(folder, no_load)
    changed = [asdict(outcome) for outcome in done if outcome.change != "unchanged"]
    if changed or format is not Format.TABLE:
        rows = changed if format is Format.TABLE else [asdict(outcome) for outcome in done]
        write(Report(SCHEMA, rows, {"folder": str(folder)}), format)
    for kernel in dict.fromkeys(outcome.kernel for outcome in done):
        outcomes = [outcome for outcome in done if outcome.kernel == kernel]
        left_out = sum(outcome.change == "left out" for outcome in outcomes)
        message(f"{kernel}: {len(outcomes) - left_out} lessons recorded, {left_out} left out")


def _record(folder: Path, no_load: bool) -> list[Recorded]:
    from lab import lessons
    from verifier_diary import journal
    from verifier_diary.origin import Kernel

    sources, here = lessons.lessons(), Kernel.here().release or "unknown"
    done = lessons.take_over(sources, folder, journal.directory(), here)
    if not no_load:
        with progress("loading the lessons", len(sources)) as advance:
            done += lessons.ask(sources, folder, here, advance)
    return done
