"""One class of error as a page of the documentation: messages, cause, cure, lesson, its log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from verifier_diary.catalogue.entry import ErrorClass
from verifier_diary.exported import Export, Exported
from verifier_diary.index_pages import entry_list
from verifier_diary.lessons import expectations
from verifier_diary.markdown import block, code, escape, link, table
from verifier_diary.wordings import KERNELS, Wording, of_class


def class_title(error: ErrorClass, lesson: Path) -> str:
    """Return what a search should find: the words of the message, and what they mean."""
    message = _expected_message(error, lesson)
    return f"{message}: {error.title}" if message else error.title


def class_page(error: ErrorClass, export: Export, lesson: Path) -> Iterator[str]:
    """Yield the page of a class."""
    entries = [entry for entry in export.entries if entry.class_id == error.id]
    taught = [entry for entry in entries if entry.expected]
    yield f"# {escape(error.title)}"
    yield f"Class {code(error.id)}."
    if error.category:
        yield f"Linux 7.3 reports it as *{escape(error.category)}*."
    if messages := list(dict.fromkeys(entry.message for entry in entries if entry.message)):
        yield block(messages)
    yield "## What it means"
    yield escape(error.meaning)
    yield "## Usual cause"
    yield escape(error.cause)
    yield "## Usual cure"
    yield escape(error.cure)
    if error.patterns:
        yield "## Messages"
        yield "A line of the log belongs to this class if one of these regular expressions fits it:"
        yield block(error.patterns)
    yield from _wordings(of_class(error.id))
    if lesson.exists():
        yield from _lesson(error, lesson, taught)
    if taught:
        yield from _log(taught[-1])
    if entries:
        yield "## Entries"
        yield entry_list(entries, "../")


def _expected_message(error: ErrorClass, lesson: Path) -> str:
    if not lesson.exists():
        return ""
    expected = expectations(lesson.read_text("utf-8")).get(f"{error.id}_bad")
    return expected.messages[0] if expected and expected.messages else ""


def _wordings(known: tuple[Wording, ...]) -> Iterator[str]:
    if not known:
        return
    yield "## Wording by kernel"
    yield (
        f"The same programs, loaded on Linux {', '.join(KERNELS[:-1])} and {KERNELS[-1]}. A "
        "message holds from the kernel beside it on."
    )
    for wording in known:
        if wording.texts:
            rows = [(kernel, code(text)) for kernel, text in wording.texts]
            yield table(("Linux", "message"), rows)
        if wording.note:
            yield escape(wording.note)


def _lesson(error: ErrorClass, path: Path, taught: list[Exported]) -> Iterator[str]:
    text = path.read_text("utf-8").rstrip("\n").expandtabs(8)
    yield "## Lesson"
    yield (
        f"{code(f'bpf/lessons/{path.name}')}: the kernel refuses {code(f'{error.id}_bad')}"
        f"{_where(taught)} and takes {code(f'{error.id}_good')}."
    )
    marked = taught[-1].record["source_line_number"] if taught else None
    lines = f' hl_lines="{marked}"' if marked else ""
    yield block(text.split("\n"), f'c linenums="1"{lines}')
    cure = taught[-1].cure if taught else None
    if cure and cure["diff"]:
        yield "The difference:"
        yield block(cure["diff"], "diff")


def _where(taught: list[Exported]) -> str:
    if not taught or taught[-1].record["source_line_number"] is None:
        return ""
    record = taught[-1].record
    return f" because of line {record['source_line_number']}, {code(record['source_line'])},"


def _log(entry: Exported) -> Iterator[str]:
    yield "## Its log"
    yield (
        f"What Linux {escape(entry.record['kernel'] or 'unknown')} says of {code(entry.program)}; "
        f"{link('the entry', f'../entries/{entry.id}.md')} explains it."
    )
    yield block(entry.record["log"])
