"""Laws of the diary: the order and the batches that attempts come in do not matter."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.diary import LINE, LOG, accepted, filed, rejected
from verifier_diary.attempts import prepare
from verifier_diary.entries import Entry, Filter, entries
from verifier_diary.filing import file_all
from verifier_diary.fingerprint import normalise
from verifier_diary.log_import import import_logs
from verifier_diary.model import Attempt, Program
from verifier_diary.origin import Kernel
from verifier_diary.search import query, search
from verifier_diary.store import Store

_LOGS = (LOG, LOG.replace(LINE, "return data[1];"), "R0 !read_ok\n")


def _attempt(number: int, kind: int, program: str, kernel: str, minute: int) -> Attempt:
    make = accepted if kind == 3 else rejected
    changes = {} if kind == 3 else {"log": _LOGS[kind]}
    return make(
        minute,
        **changes,
        id=f"{number:016x}",
        program=Program(program, "object", "xdp", "xdp"),
        kernel=Kernel(kernel),
    )


kinds = st.tuples(
    st.integers(0, 3), st.sampled_from("fg"), st.sampled_from(["6.1", "6.18"]), st.integers(0, 9)
)
histories = st.lists(kinds, max_size=12).map(
    lambda drawn: [_attempt(number, *one) for number, one in enumerate(drawn)]
)


def _filed_in(batches: Sequence[Sequence[Attempt]]) -> list[Entry]:
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "diary.db") as store:
        for batch in batches:
            filed(store, *batch)
        return entries(store, Filter(expected=None))


@settings(max_examples=30)
@given(histories, st.randoms(use_true_random=False), st.integers(1, 4))
def test_order_and_batches_make_no_difference(history, random, size: int) -> None:
    mixed = random.sample(history, len(history))
    batches = [mixed[start : start + size] for start in range(0, len(mixed), size)]
    assert _filed_in(batches) == _filed_in([history])


@settings(max_examples=30)
@given(histories)
def test_filing_twice_changes_nothing(history) -> None:
    assert _filed_in([history, history]) == _filed_in([history])


@settings(max_examples=30)
@given(histories)
def test_every_rejection_is_one_sighting(history) -> None:
    found = _filed_in([history])
    assert sum(entry.sightings for entry in found) == sum(not a.accepted for a in history)


@settings(max_examples=30)
@given(histories)
def test_a_cure_is_accepted_and_later_than_the_last_sighting(history) -> None:
    by_id = {attempt.id: attempt for attempt in history}
    for entry in _filed_in([history]):
        if entry.cured_by is not None:
            cure, last = by_id[entry.cured_by], by_id[entry.last_attempt]
            assert cure.accepted
            assert cure.time > entry.last_seen
            assert cure.program.identity == last.program.identity
            assert (entry.tries or 0) >= 1


@given(st.text())
def test_normalising_twice_is_normalising_once(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@settings(max_examples=30)
@example("R1 \udcff")
@given(st.text(max_size=200))
def test_any_log_can_be_filed(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "diary.db") as store:
        assert len(filed(store, rejected(log=text, sources=()))) == 1


@settings(max_examples=50)
@example(["\udcff a", "a\0"])
@given(st.lists(st.text(max_size=30), max_size=4))
def test_any_text_can_be_searched_for(texts: list[str]) -> None:
    with _shared() as store:
        for text in texts:
            search(store, text)
            assert '""' not in query(text)


@settings(max_examples=50)
@given(st.lists(st.binary(max_size=300), max_size=3))
def test_any_bytes_are_imported_or_complained_about(contents: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "diary.db") as store:
        files = [str(Path(folder) / str(number)) for number in range(len(contents))]
        for file, content in zip(files, contents, strict=True):
            Path(file).write_bytes(content)
        problems: list = []
        logs = [log for batch in import_logs(store, files, problems) for log in batch]
        assert len({log.file for log in logs}) + len(problems) == len(files)


def _shared() -> Store:
    store = Store(_FOLDER / "diary.db")
    with store.writing():
        file_all(store, [prepare(_attempt(0, 0, "f", "6.1", 0))])
    return store


_SCRATCH = tempfile.TemporaryDirectory()
_FOLDER = Path(_SCRATCH.name)
