"""The sections of an entry's page as styled text; the words are those of `lab diary show`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.style import Style
from rich.text import Span, Text

from verifier_diary import report, words
from verifier_diary.browser.plain import cut, day, plain
from verifier_diary.entries import Entry
from verifier_diary.lines import Instruction
from verifier_diary.listing import state_in_words
from verifier_diary.page import Page
from verifier_diary.parser import parse_line
from verifier_diary.registers import Entry as Register
from verifier_diary.source import path_of
from verifier_diary.views import cure_lines, facts, folded_log, who

# Light tints: without colour they turn into light greys, the terminal's own red into a dark one.
HEAD = "bold #5fd7ff"
MARKED = "bold #ffd75f"
FAULT = "bold #ff8787"
AROUND = 6  # lines of C source before and after the marked one
SIGHTINGS = 10
_DIFF = {"+": "#87d787", "-": "#ff8787", "@": "#5fd7ff"}


def head(title: str) -> Text:
    """Return the line above a section."""
    return Text(title, HEAD)


def title(entry: Entry) -> str:
    """Return one line that tells an entry from others."""
    seen = f"seen {'once' if entry.sightings == 1 else f'{entry.sightings:,} times'}"
    names = (entry.id, state_in_words(entry), seen, entry.program or entry.object, entry.kernel)
    return f" {'  '.join(filter(None, names))}"


def about(page: Page) -> Text:
    """Return what identifies the entry."""
    return Text("\n".join(map(plain, facts(page))), "dim")


def diagnosis(page: Page, width: int) -> Text:
    """Return Reason, At, Causal path and Suggestion."""
    lines = plain(report.render(page.diagnosis, width=width)).split("\n")
    shown = [_report_line(line) for line in lines]
    shown[0].stylize("bold")
    if page.diagnosis.verdict.message:
        shown[1].stylize(FAULT)
    return _joined(shown)


def _report_line(line: str) -> Text:
    if line.startswith("  > "):
        return Text(line, MARKED)
    return Text(line, HEAD if line.endswith(":") and line[:1] not in ("", " ") else "")


def source_lines(page: Page) -> tuple[list[str], int | None]:
    """Return the C source that the fault is in, and which of its lines is marked, from 0 on."""
    texts = {source.path: source.text for source in page.attempt.sources if source.text}
    spot = page.diagnosis.at.source
    path = path_of(spot, texts) if spot else next(iter(texts), None)
    if path is None:
        return [], None
    lines = plain(texts[path]).splitlines()
    marked = next((line.number for line in page.diagnosis.at.context if line.marked), 0)
    return lines, marked - 1 if 0 < marked <= len(lines) else None


def source(page: Page) -> Text:
    """Return the C source around the fault; a copy of the report's line where it is not known."""
    lines, marked = source_lines(page)
    if not lines:
        return Text("the diary has no source of this program", "dim")
    at = marked or 0
    first, last = max(0, at - AROUND), min(len(lines), at + AROUND + 1)
    code = highlighted(lines)[first:last]
    digits = len(str(last))
    shown = [
        _numbered(number, digits, line, marked=number == marked)
        for number, line in enumerate(code, first)
    ]
    left = len(lines) - last
    return _joined([*shown, *([Text(f"... {left:,} lines after this", "dim")] if left else [])])


def _numbered(number: int, digits: int, code: Text, *, marked: bool) -> Text:
    gutter = f"{'>' if marked else ' '} {number + 1:>{digits}} | "
    if marked:
        return Text(f"{gutter}{code.plain}", MARKED)
    return Text.assemble((gutter, "dim"), code)


def highlighted(lines: list[str]) -> list[Text]:
    """Colour C source; returns as many lines."""
    from rich.syntax import Syntax  # pygments takes 50 ms, and only a page needs it

    text = "\n".join(lines)
    code = Syntax("", "c", theme="monokai", background_color="default").highlight(text)
    code.spans = [
        Span(span.start, span.end, _foreground(span.style))
        for span in code.spans
        if isinstance(span.style, Style)
    ]
    code.style = ""
    shown = list(code.split("\n", allow_blank=True))[: len(lines)]
    return shown if len(shown) == len(lines) else [Text(line) for line in lines]


# The theme's background is a darker box on the screen's.
def _foreground(style: Style | str) -> Style:
    assert isinstance(style, Style)
    return Style(color=style.color, bold=style.bold, italic=style.italic)


def log_lines(page: Page) -> list[str]:
    """Return the log around the message, without the states, which stand beside it."""
    return [plain(_stateless(line)) for line in folded_log(page)]


def log(lines: Sequence[str], message: str, width: int) -> Text:
    """Return such lines, styled; C source is cut at `width`, the rest wraps."""
    shown = (cut(line, width) if line.startswith(";") else line for line in lines)
    return _joined(Text(line, _log_style(line, message)) for line in shown)


def _stateless(raw: str) -> str:
    line = parse_line(raw)
    if isinstance(line, Instruction) and line.state and not line.glued:
        return f"{line.indent}{line.index}: ({line.opcode:02x}) {line.text}"
    return raw


def _log_style(line: str, message: str) -> str:
    if message and message in line:
        return FAULT
    if line.startswith("..."):
        return "dim"
    return "italic" if line.startswith(";") else ""


def registers(entries: Iterable[Register]) -> Text:
    """Return registers and stack slots: as the log prints them, and below in words."""
    lines: list[Text] = []
    for entry in entries:
        printed = plain(f"{entry.name} {entry.value}")
        lines.append(Text(printed, "bold"))
        said = plain(words.describe(entry.value))
        if said != str(entry.value):
            lines.append(Text(f"  {said}", "dim"))
    return _joined(lines) if lines else Text("the log tells no registers", "dim")


def sightings(page: Page) -> Text:
    """Return when, where and by whom the entry was met, newest first."""
    lines = [
        Text(plain("  ".join(filter(None, (day(seen.time), seen.kernel, who(seen))))))
        for seen in page.sightings[:SIGHTINGS]
    ]
    left = page.entry.sightings - len(lines)
    return _joined([*lines, *([Text(f"... {left:,} earlier", "dim")] if left > 0 else [])])


def cure(page: Page) -> Text:
    """Return how the program came to be accepted, as a diff."""
    if page.cure is None:
        return Text("this program has not been accepted since", "dim")
    return _joined(_cure_line(plain(line)) for line in _cure_lines(page))


def _cure_lines(page: Page) -> Iterator[str]:
    if page.cure:
        yield from cure_lines(page.cure)


def _cure_line(line: str) -> Text:
    return Text(line, _DIFF.get(line[:1], ""))


def _joined(lines: Iterable[Text]) -> Text:
    return Text("\n").join(lines)
