"""The commands of `lab diary`; what they print goes through the `Terminal` that `lab` gives."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from verifier_diary.entries import LATEST, Filter, count, entries, entry
from verifier_diary.generated import Change
from verifier_diary.listing import listing
from verifier_diary.opening import opened
from verifier_diary.store import Store
from verifier_diary.store_errors import BadLog, NoSuchEntry
from verifier_diary.terminal import Terminal

F = TypeVar("F", bound=Callable[..., Any])
TABLE, JSONL = "table", "jsonl"
ENTRIES = "verifier_diary/entries"
PAGES = "docs/diary"


def format_option(function: F) -> F:
    """Add `--format`."""
    return click.option(
        "--format",
        "form",
        type=click.Choice([TABLE, "json", JSONL, "csv"]),
        default=TABLE,
        show_default=True,
        help="How to print the data.",
    )(function)


def filter_options(function: F) -> F:
    """Add the options that choose entries; the command gets a `Filter` named `wanted`."""
    options = (
        click.option("--class", "class_id", metavar="ID", help="Only this class of error."),
        click.option("--kernel", metavar="TEXT", help="Only kernels with this in their release."),
        click.option("--program", metavar="TEXT", help="Only programs or objects with this name."),
        click.option(
            "--layer",
            type=click.Choice(["compiler", "libbpf", "kernel", "verifier", "limit"]),
            help="Only what this one refused.",
        ),
        click.option("--open/--cured", "is_open", default=None, help="Only open, or cured, ones."),
        click.option(
            "--expected", is_flag=True, help="Only rejections that tests and lessons want."
        ),
        click.option("--all", "everything", is_flag=True, help="What tests and lessons want, too."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def _filter(options: dict[str, Any]) -> Filter:
    is_open = options.pop("is_open")
    if options["class_id"] is not None:
        _check_class(options["class_id"])
    expected, everything = options.pop("expected"), options.pop("everything")
    return Filter(
        **options,
        cured=None if is_open is None else not is_open,
        expected=None if everything else expected,
    )


# A misspelt class would look like one that was never met.
def _check_class(class_id: str) -> None:
    from difflib import get_close_matches

    from verifier_diary.classes import BY_ID

    if class_id not in BY_ID:
        near = get_close_matches(class_id, BY_ID, n=3, cutoff=0.5)
        raise NoSuchEntry(
            f"there is no class {class_id}",
            try_=f"one of: {', '.join(near or BY_ID)}",
        )


@click.command("list", short_help="List the entries, newest first.")
@filter_options
@click.option("--limit", type=click.IntRange(1), help="At most so many, the newest.")
@format_option
@click.pass_obj
def list_command(terminal: Terminal, /, limit: int | None, form: str, **options: Any) -> None:
    """List the entries, newest first.

    Rejections that a test or a lesson wants are hidden, unless asked for with --all or --expected.
    """
    with opened(terminal) as store:
        show_list(terminal, store, _filter(options), limit, form)


def show_list(
    terminal: Terminal, store: Store, wanted: Filter, limit: int | None, form: str
) -> None:
    """Print the list, and say what is missing from it where it is empty."""
    found = entries(store, wanted, limit)
    if form != TABLE:
        terminal.write([e.record() for e in found], {"diary": str(store.path)}, form)
        return
    if found:
        click.echo(listing(found, _width()))
    else:
        terminal.message(f"no entries; the diary is {store.path}")
    _say_hidden(terminal, store, wanted)


def _say_hidden(terminal: Terminal, store: Store, wanted: Filter) -> None:
    hidden = count(store, replace(wanted, expected=True)) if wanted.expected is False else 0
    if hidden:
        terminal.message(f"{hidden} expected by tests and lessons, hidden; --all shows them")


@click.command("show", short_help="Explain one entry: reason, place, way to it, cure.")
@click.argument("wanted", metavar="[ID]", default=LATEST)
@click.option("--log", "whole_log", is_flag=True, help="Show the whole log, not folded.")
@click.option(
    "--all", "everything", is_flag=True, help="Without ID: the newest, expected ones included."
)
@format_option
@click.pass_obj
def show_command(
    terminal: Terminal, wanted: str, whole_log: bool, everything: bool, form: str
) -> None:
    """Explain one entry: why it was rejected, where, how it came to that, and what cured it.

    ID is an entry's, or the start of one, or an attempt's. Without it, or with `last`, the newest
    entry is shown: the first of `lab diary list`, or with --all of `lab diary list --all`.
    """
    from verifier_diary.fates import fates, section
    from verifier_diary.page import page
    from verifier_diary.page_record import record
    from verifier_diary.views import render

    with opened(terminal) as store:
        this = page(store, entry(store, wanted, expected=None if everything else False))
        told = fates(store, this.attempt.id)
    if form == TABLE:
        text = render(this, whole_log=whole_log, width=min(_width() or 100, 100))
        click.echo(text + section(told, this.attempt.id))
    else:
        row = record(this) | {"fates": [fate.record() for fate in told]}
        terminal.write([row], {"diary": str(store.path)}, form)


@click.command("search", short_help="Find entries by words in message, C source, log, diagnosis.")
@click.argument("words", metavar="TEXT...", nargs=-1, required=True)
@filter_options
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@format_option
@click.pass_obj
def search_command(
    terminal: Terminal, /, words: tuple[str, ...], limit: int, form: str, **options: Any
) -> None:
    """Find the entries that hold all words, in message, C source, log or explanation.

    A word also finds longer ones that begin with it; "two words" in quotes have to follow each
    other.
    """
    from verifier_diary.search import passages, search

    text = " ".join(f'"{word}"' if " " in word else word for word in words)
    wanted = _filter(options)
    with opened(terminal) as store:
        found = search(store, text, wanted, limit)
        if form != TABLE:
            where = passages(store, text, found)
            rows = [
                e.record() | {"found_in": asdict(where[e.id]) if e.id in where else None}
                for e in found
            ]
            terminal.write(rows, {"diary": str(store.path), "text": text}, form)
        elif found:
            click.echo(listing(found, _width()))
        else:
            terminal.message(f"nothing in {store.path} holds {text}")
        if form == TABLE and wanted.expected is False:
            hidden = len(search(store, text, replace(wanted, expected=True), limit))
            if hidden:
                terminal.message(
                    f"{hidden} expected by tests and lessons, hidden; --all shows them"
                )


@click.command("diff", short_help="Compare two entries: their logs and sources.")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@format_option
@click.pass_obj
def diff_command(terminal: Terminal, first: str, second: str, form: str) -> None:
    """Compare two entries or attempts: their logs, blind to numbers and addresses, and sources.

    A and B are ids as `lab diary show` takes them; `last` is the newest entry of `lab diary list`.
    """
    from verifier_diary.differences import difference

    with opened(terminal) as store:
        found = difference(store, first, second)
    if form == TABLE:
        parts = [f"{name}:\n{text}" for name, text in found.parts() if text]
        click.echo("\n\n".join(parts) or "no difference, numbers and addresses apart")
    else:
        terminal.write([found.record()], {"diary": str(store.path)}, form)


@click.command("stats", short_help="Count rejections, tries per cure, what programs cost.")
@click.option("--all", "everything", is_flag=True, help="Count what tests and lessons want, too.")
@format_option
@click.pass_obj
def stats_command(terminal: Terminal, everything: bool, form: str) -> None:
    """Count: by class, kernel, program and week, tries per cure, instructions per revision."""
    from verifier_diary.statistics import statistics
    from verifier_diary.statistics_view import render

    with opened(terminal) as store:
        numbers = statistics(store, expected=everything)
        if form == TABLE:
            click.echo(render(numbers))
            _say_hidden(terminal, store, Filter(expected=None if everything else False))
        else:
            terminal.write(list(numbers.rows()), {"diary": str(store.path)}, form)


@click.command("import", short_help="File verifier logs pasted from anywhere.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@format_option
@click.pass_obj
def import_command(terminal: Terminal, files: tuple[str, ...], form: str) -> None:
    """File verifier logs pasted from anywhere; `-` is stdin.

    Prefixes, colours and timestamps of terminals and loggers are taken off, and a file may hold
    several logs. Files that hold none are named, the others are filed all the same; then the exit
    code is 7.
    """
    problems: list[BadLog] = []
    with Store() as store:
        rows = _imported(terminal, store, files, problems)
        head = {"diary": str(store.path)}
        if form == JSONL:
            terminal.stream(rows, head)
        else:
            whole = list(rows)
            short = [{name: row[name] for name in _SHORT} for row in whole]
            terminal.write(short if form == TABLE else whole, head, form)
    if problems:
        raise _failed(terminal, problems, files)


_SHORT = ("file", "entry", "class", "layer", "message", "instruction", "source_line")


def _imported(
    terminal: Terminal, store: Store, files: tuple[str, ...], problems: list[BadLog]
) -> Iterator[dict[str, Any]]:
    from verifier_diary.log_import import import_logs

    with terminal.progress("importing", len(files)) as advance:
        for batch in import_logs(store, files, problems):
            yield from (log.record() for log in batch)
            advance(len({log.file for log in batch}))


def _failed(terminal: Terminal, problems: list[BadLog], files: tuple[str, ...]) -> BadLog:
    if len(files) == 1:
        return problems[0]
    for problem in problems:
        terminal.message(f"not imported: {problem}")
    return BadLog(
        f"{len(problems)} of {len(files)} files hold no log; the others were imported",
        try_="look at the lines above; a log is what the verifier printed, as text",
    )


# None: not a terminal, so nothing is cut.
def _width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


@click.command("export", short_help="Write this project's entries as text files, to be committed.")
@click.option("--to", metavar="FOLDER", type=click.Path(path_type=Path), help=f"[{ENTRIES}]")
@format_option
@click.pass_obj
def export_command(terminal: Terminal, to: Path | None, form: str) -> None:
    """Write the entries of this project's journal as text files, one each, to be committed.

    They come from verifier_diary/journal (what was met) and from its folder `lessons`, which `lab
    diary lessons` writes; GLIMPSE_JOURNAL names another journal. Your own diary is not exported.
    The same journal gives the same bytes.
    """
    from verifier_diary.export import export
    from verifier_diary.generated import default

    folder = to or default(ENTRIES)
    show_changes(terminal, export(folder, terminal.message), folder, form)


@click.command("publish", short_help="Make the diary's pages for the documentation.")
@click.option(
    "--from", "source", metavar="FOLDER", type=click.Path(path_type=Path), help=f"[{ENTRIES}]"
)
@click.option("--to", metavar="FOLDER", type=click.Path(path_type=Path), help=f"[{PAGES}]")
@format_option
@click.pass_obj
def publish_command(terminal: Terminal, source: Path | None, to: Path | None, form: str) -> None:
    """Make the diary's pages for the documentation from the exported entries.

    One for each entry and each class of error, indexes by class, kernel and program, statistics,
    and the development log. Pages of entries that are gone are removed.
    """
    from verifier_diary.generated import default
    from verifier_diary.publish import publish

    folder = to or default(PAGES)
    show_changes(terminal, publish(source or default(ENTRIES), folder), folder, form)


def show_changes(terminal: Terminal, changes: list[Change], folder: Path, form: str) -> None:
    """Print which generated files are different now."""
    if changes or form != TABLE:
        terminal.write([asdict(change) for change in changes], {"folder": str(folder)}, form)
    terminal.message(f"{folder}: {len(changes) or 'no'} file{'s' * (len(changes) != 1)} changed")


@click.command("refresh", short_help="Diagnose all entries again, after an update.")
@click.pass_obj
def refresh_command(terminal: Terminal) -> None:
    """Diagnose all entries again, as this version of the program sees them.

    Entries keep the class that they were filed under; a newer version may know better.
    """
    from verifier_diary.refresh import refresh

    moved = 0
    with opened(terminal) as store:
        whole = sum(e.sightings for e in entries(store, Filter(expected=None)))
        with terminal.progress("diagnosing", whole) as advance:
            for done, changed in refresh(store):
                advance(done)
                moved += changed
    terminal.message(f"{whole:,} rejections diagnosed; {moved:,} are in another entry now")


@click.command("serve", short_help="Open the diary in datasette, on 127.0.0.1 only.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8001,
    show_default=True,
    help="Where it listens, on 127.0.0.1.",
)
@click.pass_obj
def serve_command(terminal: Terminal, port: int) -> None:
    """Open the diary in datasette, on 127.0.0.1 only; Ctrl-C ends it."""
    from verifier_diary.serving import serve

    with opened(terminal) as store:
        path = store.path
    serve(path, port)


COMMANDS = (
    list_command,
    show_command,
    search_command,
    diff_command,
    stats_command,
    import_command,
    export_command,
    publish_command,
    refresh_command,
    serve_command,
)
