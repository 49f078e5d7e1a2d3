from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.diary import LINE, LOG, log_file
from verifier_diary.entries import entries, sightings
from verifier_diary.log_import import Imported, import_logs, read
from verifier_diary.store import Store
from verifier_diary.store_errors import BadLog


def imported(store: Store, *files: str) -> tuple[list[Imported], list[str]]:
    problems: list[BadLog] = []
    logs = [log for batch in import_logs(store, files, problems) for log in batch]
    return logs, [str(problem) for problem in problems]


def test_a_log_is_filed(store: Store, tmp_path: Path) -> None:
    (log,), problems = imported(store, file := log_file(tmp_path, "a.log", LOG))
    assert problems == []
    record = log.record()
    assert record["file"] == file
    assert (record["class"], record["layer"], record["instruction"]) == (
        "packet_bounds",
        "verifier",
        1,
    )
    assert (record["source_line"], record["source_file"], record["source_line_number"]) == (
        LINE,
        "first.bpf.c",
        4,
    )
    assert record["message"] == "invalid access to packet, off=0 size=1, R1(id=0,off=0,r=0)"
    assert record["cause"]
    assert record["cure"]
    (found,) = entries(store)
    assert found.id == record["entry"]


def test_the_sighting_names_the_file(store: Store, tmp_path: Path) -> None:
    imported(store, file := log_file(tmp_path, "a.log", LOG))
    (found,) = entries(store)
    assert [seen.file for seen in sightings(store, found.id)] == [file]


def test_importing_a_file_again_adds_nothing(store: Store, tmp_path: Path) -> None:
    file = log_file(tmp_path, "a.log", LOG)
    imported(store, file)
    imported(store, file)
    assert [found.sightings for found in entries(store)] == [1]


def test_the_same_log_in_two_files_is_seen_twice(store: Store, tmp_path: Path) -> None:
    imported(store, log_file(tmp_path, "a.log", LOG), log_file(tmp_path, "b.log", LOG))
    assert [found.sightings for found in entries(store)] == [2]


def test_a_file_may_hold_several_logs(store: Store, tmp_path: Path) -> None:
    text = "".join(
        f"libbpf: prog '{name}': -- BEGIN PROG LOAD LOG --\n{LOG}-- END PROG LOAD LOG --\n"
        for name in ("one", "two")
    )
    logs, _ = imported(store, log_file(tmp_path, "ci.txt", text))
    assert [(log.number, log.program) for log in logs] == [(1, "one"), (2, "two")]


@pytest.mark.parametrize(
    "data",
    [
        LOG.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + LOG.encode(),
        LOG.encode("utf-16"),
        "".join(f"\x1b[31m{line}\x1b[0m\n" for line in LOG.splitlines()).encode(),
        "".join(f"[  12.345678] {line}\n" for line in LOG.splitlines()).encode(),
    ],
    ids=["CRLF", "BOM", "UTF-16", "ANSI", "dmesg"],
)
def test_what_terminals_and_editors_add_is_taken_off(
    store: Store, tmp_path: Path, data: bytes
) -> None:
    (log,), _ = imported(store, log_file(tmp_path, "a.log", data))
    assert (log.finding.class_id, log.finding.source_line) == ("packet_bounds", LINE)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\x7fELF\x02\x01", "is no text, but an ELF object"),
        (b"\x1f\x8b\x08\x00", "is no text, but compressed by gzip"),
        (bytes(range(256)) * 20, "is no text, but binary data"),
        (b"\0" * 5000, "is no text, but binary data"),
        (b"some prose\n" * 30, "holds no verifier log (30 lines of other text)"),
    ],
    ids=["empty", "blank", "ELF", "gzip", "bytes", "zeros", "prose"],
)
def test_a_file_without_a_log_is_named(tmp_path: Path, data: bytes, said: str) -> None:
    file = log_file(tmp_path, "bad", data)
    with pytest.raises(BadLog) as caught:
        read(file)
    assert str(caught.value) == f"{file} {said}"
    assert caught.value.try_
    assert caught.value.exit_code == 7


def test_a_missing_file_is_named() -> None:
    with pytest.raises(BadLog, match="/nowhere cannot be read: no such file or directory"):
        read("/nowhere")


def test_a_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadLog, match="cannot be read: is a directory"):
        read(str(tmp_path))


def test_a_bare_message_is_a_log(tmp_path: Path) -> None:
    (paste,) = read(log_file(tmp_path, "a", "R1 invalid mem access 'scalar'"))
    assert paste.log == "R1 invalid mem access 'scalar'"


def test_bad_files_do_not_keep_the_others_out(store: Store, tmp_path: Path) -> None:
    bad, good = log_file(tmp_path, "a", b""), log_file(tmp_path, "b", LOG)
    logs, problems = imported(store, bad, good, "/nowhere")
    assert len(logs) == 1
    assert problems == [
        f"{bad} is empty",
        "/nowhere cannot be read: no such file or directory",
    ]


def test_a_dash_is_stdin(store: Store, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LOG.encode())))
    (log,), _ = imported(store, "-")
    assert log.file == "-"


def test_an_empty_stdin_is_named(monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    with pytest.raises(BadLog, match="stdin is empty"):
        read("-")


def test_logs_come_batch_by_batch(store: Store, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("verifier_diary.log_import.BATCH_LOGS", 2)
    files = [log_file(tmp_path, f"{number}.log", LOG) for number in range(3)]
    batches = import_logs(store, files, [])
    assert len(next(batches)) == 2
    assert [found.sightings for found in entries(store)] == [2]
    assert len(next(batches)) == 1


ACCEPTED = """\
func#0 @0
0: R1=ctx() R10=fp0
0: (b7) r0 = 0                        ; R0_w=0
1: (95) exit
processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
"""


def test_the_log_of_an_accepted_program_is_no_entry(store: Store, tmp_path: Path) -> None:
    (log,), problems = imported(store, log_file(tmp_path, "a.log", ACCEPTED))
    record = log.record()
    assert problems == []
    assert (record["class"], record["layer"], record["entry"]) == ("accepted", "none", None)
    assert record["message"] is None
    assert list(entries(store)) == []
    assert store.rows("SELECT accepted FROM attempts")[0]["accepted"] == 1


def test_of_several_programs_only_the_rejected_one_is_told(store: Store, tmp_path: Path) -> None:
    file = log_file(tmp_path, "a.log", f"{ACCEPTED}{LOG}\n{ACCEPTED}")
    logs, _ = imported(store, file)
    assert [log.finding.class_id for log in logs] == ["packet_bounds"]


def test_words_around_a_log_are_no_log_of_their_own(store: Store, tmp_path: Path) -> None:
    table = "File     Program  Verdict\n-------  -------  -------\nx.bpf.o  p        failure\n"
    head = "PROCESSING x.bpf.o/p, DURATION US: 0, VERDICT: failure, VERIFIER LOG:\n"
    logs, _ = imported(store, log_file(tmp_path, "a.log", head + LOG + head + table))
    assert [log.finding.class_id for log in logs] == ["packet_bounds"]
