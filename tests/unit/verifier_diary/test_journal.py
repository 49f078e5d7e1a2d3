from __future__ import annotations

import errno
import json
import multiprocessing
import os
import pwd
from dataclasses import replace
from pathlib import Path

import pytest

from verifier_diary import journal
from verifier_diary.model import Attempt, Layer, Program, SourceText, sha256_of
from verifier_diary.origin import Git, Origin
from verifier_diary.ownership import inherit_owner


def rejected(name: str = "f", log: str = "R0 !read_ok\n") -> Attempt:
    return Attempt(
        Program(name, "o", "xdp", "xdp"),
        accepted=False,
        layer=Layer.VERIFIER,
        errno=13,
        log=log,
        sources=(SourceText.of("o.bpf.c", "int x;\n"),),
    )


def lines(folder: Path) -> list[dict[str, object]]:
    (file,) = folder.glob("*.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_read_gives_back_what_was_appended(tmp_path: Path) -> None:
    attempts = [rejected("f"), rejected("g")]
    for attempt in attempts:
        journal.append(attempt, tmp_path)
    assert list(journal.read(tmp_path)) == attempts


def test_file_is_named_after_the_utc_day(tmp_path: Path) -> None:
    attempt = replace(rejected(), time="2026-02-03T23:59:59.000000Z")
    assert journal.append(attempt, tmp_path) == tmp_path / "2026-02-03.jsonl"


def test_days_are_read_in_order(tmp_path: Path) -> None:
    times = ["2026-02-03T00:00:00.000000Z", "2026-02-02T00:00:00.000000Z"]
    for time in times:
        journal.append(replace(rejected(), time=time), tmp_path)
    assert [a.time for a in journal.read(tmp_path)] == sorted(times)


def test_one_file_can_be_read_alone(tmp_path: Path) -> None:
    path = journal.append(rejected(), tmp_path)
    assert path is not None
    assert len(list(journal.read(path))) == 1


def test_source_text_is_stored_once_beside_the_journal(tmp_path: Path) -> None:
    for name in "fgh":
        journal.append(rejected(name), tmp_path)
    assert [p.name for p in (tmp_path / "texts").iterdir()] == [sha256_of("int x;\n")]
    assert (tmp_path / "texts" / sha256_of("int x;\n")).read_text() == "int x;\n"
    assert all("int x" not in json.dumps(line) for line in lines(tmp_path))


@pytest.mark.parametrize("size", [journal.INLINE_LOG, journal.INLINE_LOG + 1, 3 << 20])
def test_log_of_any_size_comes_back(tmp_path: Path, size: int) -> None:
    attempt = rejected(log="x" * size)
    journal.append(attempt, tmp_path)
    assert next(journal.read(tmp_path)) == attempt


def test_long_log_is_a_text_of_its_own(tmp_path: Path) -> None:
    log = "x" * (journal.INLINE_LOG + 1)
    journal.append(rejected(log=log), tmp_path)
    assert (tmp_path / "texts" / sha256_of(log)).read_text() == log
    assert lines(tmp_path)[0]["log_sha256"] == sha256_of(log)


def test_very_long_log_is_compressed(tmp_path: Path) -> None:
    log = "x" * (journal.GZIPPED_TEXT + 1)
    journal.append(rejected(log=log), tmp_path)
    path = tmp_path / "texts" / f"{sha256_of(log)}.gz"
    assert path.stat().st_size < journal.GZIPPED_TEXT // 100


def test_lost_log_text_is_marked_truncated(tmp_path: Path) -> None:
    log = "x" * (journal.INLINE_LOG + 1)
    journal.append(rejected(log=log), tmp_path)
    (tmp_path / "texts" / sha256_of(log)).unlink()
    attempt = next(journal.read(tmp_path))
    assert attempt.truncated
    assert attempt.log == ""


def test_lost_source_text_leaves_its_hash(tmp_path: Path) -> None:
    journal.append(rejected(), tmp_path)
    (tmp_path / "texts" / sha256_of("int x;\n")).unlink()
    (source,) = next(journal.read(tmp_path)).sources
    assert (source.text, source.sha256) == (None, sha256_of("int x;\n"))


def test_identical_attempt_is_a_repeat(tmp_path: Path) -> None:
    first = rejected(log="verification time 5 usec\n")
    again = replace(
        first,
        id="b" * 16,
        time=first.time.replace("Z", "1Z"),
        origin=Origin(("other",), "test", 7, "x"),
        git=Git("0" * 40, False),
        log="verification time 9 usec\n",
        stats=replace(first.stats, usec=9),
    )
    journal.append(first, tmp_path)
    journal.append(again, tmp_path)
    assert lines(tmp_path)[1]["repeat"] == first.id
    assert list(journal.read(tmp_path)) == [first, again]


def test_repeat_of_a_long_log_stores_it_once(tmp_path: Path) -> None:
    for usec in (5, 9):
        log = "x" * journal.INLINE_LOG + f"\nverification time {usec} usec\n"
        journal.append(rejected(log=log), tmp_path)
    assert "repeat" in lines(tmp_path)[1]
    assert len(list((tmp_path / "texts").iterdir())) == 2  # one source, one log


@pytest.mark.parametrize(
    "change",
    [
        {"accepted": True},
        {"errno": 22},
        {"log": "other"},
        {"knobs": {"x": 1}},
        {"map_sizes": {"x": 1}},
        {"instructions_sha256": "0"},
        {"expected": True},
        {"sources": ()},
    ],
)
def test_attempt_with_any_difference_is_no_repeat(
    tmp_path: Path, change: dict[str, object]
) -> None:
    journal.append(rejected(), tmp_path)
    journal.append(replace(rejected(), **change), tmp_path)  # type: ignore[arg-type]
    assert all("repeat" not in line for line in lines(tmp_path))


def _write_many(folder: Path, name: str, count: int) -> None:
    for number in range(count):
        journal.append(rejected(f"{name}{number}", log="x" * 20_000), folder)


def test_processes_may_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(tmp_path, n, 20)) for n in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    names = sorted(a.program.function for a in journal.read(tmp_path))
    assert names == sorted(f"{n}{i}" for n in "abc" for i in range(20))


def test_repeat_is_known_across_processes(tmp_path: Path) -> None:
    journal.append(rejected(), tmp_path)
    journal._seen.clear()  # as a new process would begin
    journal.append(rejected(), tmp_path)
    assert "repeat" in lines(tmp_path)[1]


def test_torn_last_line_is_reported_and_passed_over(tmp_path: Path) -> None:
    path = journal.append(rejected("f"), tmp_path)
    assert path is not None
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:50])
    problems: list[str] = []
    assert len(list(journal.read(tmp_path, problems.append))) == 1
    assert problems == [problems[0]]
    assert f"{path}:2: unreadable attempt (torn: the writer died in it)" in problems[0]


def test_append_after_a_torn_line_begins_a_new_one(tmp_path: Path) -> None:
    path = journal.append(rejected("f"), tmp_path)
    assert path is not None
    with path.open("ab") as file:
        file.write(b'{"schema":1,"id":"')
    journal.append(rejected("g"), tmp_path)
    problems: list[str] = []
    names = [a.program.function for a in journal.read(tmp_path, problems.append)]
    assert names == ["f", "g"]
    assert len(problems) == 1


@pytest.mark.parametrize("line", ["garbage", "[]", "{}", '{"schema":1}', "\\xff", "null"])
def test_line_that_is_no_attempt_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    (tmp_path / "2026-01-01.jsonl").write_text(f"{line}\n")
    assert list(journal.read(tmp_path)) == []
    assert "2026-01-01.jsonl:1: unreadable attempt" in capsys.readouterr().err


def test_newer_schema_is_reported(tmp_path: Path) -> None:
    (tmp_path / "2026-01-01.jsonl").write_text('{"schema":99,"id":"a"}\n')
    problems: list[str] = []
    assert list(journal.read(tmp_path, problems.append)) == []
    assert "schema 99 is newer" in problems[0]


def test_unwritable_directory_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert journal.append(rejected("lost"), blocked / "journal") is None
    shown = capsys.readouterr().err
    assert "the journal lost one attempt: program lost, rejected (verifier)" in shown
    assert str(blocked / "journal") in shown
    assert "try: " in shown


def test_full_disk_loses_one_line_and_tears_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = journal.append(rejected("f"), tmp_path)
    assert path is not None
    whole, write = path.read_bytes(), os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:10]))
    assert journal.append(rejected("g"), tmp_path) is None
    assert path.read_bytes() == whole
    assert "No space left" in capsys.readouterr().err


def test_failing_write_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_fd: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", fail)
    assert journal.append(rejected("g"), tmp_path) is None
    assert "program g" in capsys.readouterr().err


def test_variable_names_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(tmp_path / "here"))
    assert journal.directory() == tmp_path / "here"


def test_checkout_keeps_its_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLIMPSE_JOURNAL", raising=False)
    assert journal.directory() == Path(journal.__file__).parent / "journal"


def test_journal_outside_a_checkout_is_the_persons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GLIMPSE_JOURNAL", raising=False)
    monkeypatch.setattr(journal, "repository", lambda: None)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert journal.directory() == tmp_path / "glimpse" / "journal"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.delenv("SUDO_UID", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert journal.directory() == tmp_path / ".local/state/glimpse/journal"


@pytest.mark.skipif(os.geteuid() != 0, reason="files change owner only as root; use sudo")
def test_root_leaves_files_to_the_directorys_owner(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(tmp_path, nobody.pw_uid, nobody.pw_gid)
    journal.append(rejected(log="x" * 100_000), tmp_path / "a" / "journal")
    assert {p.stat().st_uid for p in tmp_path.rglob("*")} == {nobody.pw_uid}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is asked about SUDO_UID; use sudo")
def test_under_sudo_the_journal_is_the_invoking_persons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nobody = pwd.getpwnam("nobody")
    monkeypatch.delenv("GLIMPSE_JOURNAL", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(journal, "repository", lambda: None)
    monkeypatch.setenv("SUDO_UID", str(nobody.pw_uid))
    assert journal.directory().is_relative_to(nobody.pw_dir)


def test_owner_is_left_alone_without_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "chown", lambda *_: pytest.fail("chown was called"))
    inherit_owner(tmp_path)


def test_recorded_strangers_stay_out_of_the_checkout(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GLIMPSE_JOURNAL", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert journal.strangers().is_relative_to(tmp_path)
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(tmp_path / "chosen"))
    assert journal.strangers() == tmp_path / "chosen"
