from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from lab.cli import run
from lab.commands import diary as command_module
from tests.diary import LINE, LOG, accepted, log_file, rejected
from verifier_diary import journal
from verifier_diary.entries import Entry, entries
from verifier_diary.schema import SCHEMA
from verifier_diary.serving import command as serve_command
from verifier_diary.store import Store

ROOT = Path(__file__).parents[3]
FORMATS = ["table", "json", "jsonl", "csv"]
READERS = [["list"], ["show"], ["search", "packet"], ["diff", "last", "last"], ["stats"]]


@pytest.fixture(autouse=True)
def _places(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GLIMPSE_DIARY", str(tmp_path / "diary.db"))
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(tmp_path / "journal"))


@pytest.fixture
def filled() -> None:
    for attempt in (rejected(), accepted(), rejected(2, expected=True, log="R0 !read_ok\n")):
        journal.append(attempt)


def results(text: str) -> list[dict[str, Any]]:
    document = json.loads(text)
    assert document["schema"] == 1
    found: list[dict[str, Any]] = document["results"]
    return found


def newest() -> Entry:
    with Store() as store:
        return entries(store)[0]


@pytest.mark.usefixtures("filled")
def test_list_shows_what_the_journal_has(capsys) -> None:
    assert run(["diary", "list"]) == 0
    out, err = capsys.readouterr()
    assert "packet_bounds  first" in out
    assert err == "1 expected by tests and lessons, hidden; --all shows them\n"


@pytest.mark.usefixtures("filled")
def test_a_record_has_what_programs_need(capsys) -> None:
    assert run(["diary", "list", "--format", "json"]) == 0
    (record,) = results(capsys.readouterr().out)
    assert {
        "id",
        "class",
        "layer",
        "program",
        "kernel",
        "message",
        "source_line",
        "sightings",
        "cured_by",
    } <= set(record)
    assert (record["class"], record["sightings"], record["source_line"]) == (
        "packet_bounds",
        1,
        LINE,
    )


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("options", "count"),
    [
        ([], 1),
        (["--all"], 2),
        (["--expected"], 1),
        (["--open"], 0),
        (["--cured"], 1),
        (["--class", "packet_bounds"], 1),
        (["--class", "loop"], 0),
        (["--kernel", "6.18"], 1),
        (["--program", "fir"], 1),
        (["--layer", "limit"], 0),
        (["--all", "--limit", "1"], 1),
    ],
)
def test_list_filters(capsys, options: list[str], count: int) -> None:
    assert run(["diary", "list", "--format", "json", *options]) == 0
    assert len(results(capsys.readouterr().out)) == count


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("words", READERS, ids=lambda words: words[0])
@pytest.mark.parametrize("form", FORMATS)
def test_every_reader_has_every_format(capsys, words: list[str], form: str) -> None:
    assert run(["diary", *words, "--format", form]) == 0
    out = capsys.readouterr().out
    if form == "json":
        assert results(out)
    elif form == "jsonl":
        head, *rows = map(json.loads, out.splitlines())
        assert head["schema"] == 1
        assert rows
    elif form == "csv":
        assert list(csv.DictReader(io.StringIO(out)))
    else:
        assert out.strip()


@pytest.mark.usefixtures("filled")
def test_show_explains_an_entry(capsys) -> None:
    run(["diary", "list"])
    assert run(["diary", "show", newest().id[:6]]) == 0
    out = capsys.readouterr().out
    assert f"> 4 |         {LINE}" in out
    assert "\nCure:\n" in out


@pytest.mark.usefixtures("filled")
def test_show_of_an_unknown_entry_says_where_to_look(capsys) -> None:
    assert run(["diary", "show", "0123"]) == 2
    assert capsys.readouterr().err == (
        "error: no entry 0123 is in the diary\ntry: lab diary list --all\n"
    )


@pytest.mark.usefixtures("filled")
def test_search_takes_several_words(capsys) -> None:
    assert run(["diary", "search", "access", "to packet", "--format", "json"]) == 0
    (record,) = results(capsys.readouterr().out)
    assert record["found_in"]["column"] == "message"


def test_search_without_a_result_says_so(capsys, tmp_path: Path) -> None:
    assert run(["diary", "search", "nothing", "here"]) == 0
    assert capsys.readouterr().err == f"nothing in {tmp_path / 'diary.db'} holds nothing here\n"


def test_an_empty_list_names_the_diary(capsys, tmp_path: Path) -> None:
    assert run(["diary", "list"]) == 0
    assert capsys.readouterr().err == f"no entries; the diary is {tmp_path / 'diary.db'}\n"


@pytest.mark.usefixtures("filled")
def test_diff_of_the_same_says_so(capsys) -> None:
    assert run(["diary", "diff", "last", "last"]) == 0
    assert capsys.readouterr().out == "no difference, numbers and addresses apart\n"


@pytest.mark.usefixtures("filled")
def test_without_a_command_a_pipe_gets_the_list(capsys) -> None:
    assert run(["diary"]) == 0
    assert "packet_bounds  first" in capsys.readouterr().out


@pytest.mark.usefixtures("filled")
def test_without_a_command_a_terminal_gets_the_browser(monkeypatch) -> None:
    opened = []
    monkeypatch.setattr(command_module, "find_spec", lambda name: True)
    monkeypatch.setattr(command_module, "is_terminal", lambda: True)
    browser = type("browser", (), {"browse": opened.append})
    monkeypatch.setitem(sys.modules, command_module.BROWSER, browser)
    assert run(["diary"]) == 0
    assert len(opened) == 1


def test_import_prints_a_record_for_each_log(capsys, tmp_path: Path) -> None:
    files = [log_file(tmp_path, name, LOG) for name in ("a.log", "b.log")]
    assert run(["diary", "import", *files, "--format", "jsonl"]) == 0
    head, *rows = map(json.loads, capsys.readouterr().out.splitlines())
    assert head == {"schema": 1, "diary": str(tmp_path / "diary.db")}
    assert [row["file"] for row in rows] == files
    assert {"class", "layer", "message", "instruction", "cause", "cure"} <= set(rows[0])
    assert (rows[0]["source_line"], rows[0]["source_file"], rows[0]["source_line_number"]) == (
        LINE,
        "first.bpf.c",
        4,
    )


@pytest.mark.parametrize("form", FORMATS)
def test_import_has_every_format(capsys, tmp_path: Path, form: str) -> None:
    assert run(["diary", "import", log_file(tmp_path, "a", LOG), "--format", form]) == 0
    assert "packet_bounds" in capsys.readouterr().out


def test_import_goes_on_after_a_bad_file_and_ends_with_7(capsys, tmp_path: Path) -> None:
    bad, good = log_file(tmp_path, "bad", b"\x7fELF"), log_file(tmp_path, "good", LOG)
    assert run(["diary", "import", bad, good, "--format", "jsonl"]) == 7
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 2
    assert err == (
        f"not imported: {bad} is no text, but an ELF object\n"
        "error: 1 of 2 files hold no log; the others were imported\n"
        "try: look at the lines above; a log is what the verifier printed, as text\n"
    )


def test_import_of_one_bad_file_names_it_once(capsys, tmp_path: Path) -> None:
    bad = log_file(tmp_path, "bad", b"")
    assert run(["diary", "import", bad]) == 7
    assert capsys.readouterr().err == (
        f"error: {bad} is empty\ntry: paste all that the failing load printed into it\n"
    )


@pytest.mark.usefixtures("filled")
def test_export_and_publish_say_what_changed(capsys, tmp_path: Path) -> None:
    to, pages = str(tmp_path / "entries"), str(tmp_path / "pages")
    assert run(["diary", "export", "--to", to]) == 0
    assert run(["diary", "publish", "--from", to, "--to", pages, "--format", "json"]) == 0
    assert run(["diary", "publish", "--from", to, "--to", pages]) == 0
    out, err = capsys.readouterr()
    assert "packet_bounds-" in out
    assert f"{to}: 2 files changed\n" in err
    assert err.endswith(f"{pages}: no files changed\n")


@pytest.mark.usefixtures("filled")
def test_a_diary_that_cannot_be_written_is_shown_as_it_was(capsys, monkeypatch) -> None:
    run(["diary", "list"])
    journal.append(rejected(9))
    monkeypatch.setattr("verifier_diary.store.PATIENCE_S", 0.05)
    capsys.readouterr()
    with Store() as store, store.writing():
        monkeypatch.setattr("verifier_diary.opening.Store", lambda: Store(patience_s=0.05))
        assert run(["diary", "list"]) == 0
    out, err = capsys.readouterr()
    assert "packet_bounds" in out
    assert "warning: the newest attempts are missing here: the diary " in err
    assert "what is not filed yet is still in the journal" in err
    monkeypatch.undo()


def test_a_newer_diary_is_an_error(capsys) -> None:
    with Store() as store:
        store.rows(f"PRAGMA user_version = {SCHEMA + 1}")
    assert run(["diary", "list"]) == 3
    assert "was written by a newer version" in capsys.readouterr().err


def test_a_torn_line_is_a_warning(capsys, tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "2026-01-01.jsonl").write_text('{"schema"\n')
    assert run(["diary", "list"]) == 0
    assert "2026-01-01.jsonl:1: unreadable attempt" in capsys.readouterr().err


def test_serve_without_datasette_says_how_to_install_it(capsys, monkeypatch) -> None:
    monkeypatch.setattr("verifier_diary.serving.find_spec", lambda name: None)
    assert run(["diary", "serve"]) == 3
    assert capsys.readouterr().err == (
        "error: datasette, which `lab diary serve` shows the diary in, is not installed\n"
        f"try: {sys.executable} -m pip install 'datasette>=0.65'\n"
    )


def test_serve_names_a_port_that_is_taken(capsys, monkeypatch) -> None:
    monkeypatch.setattr("verifier_diary.serving.find_spec", lambda name: True)
    monkeypatch.setattr("verifier_diary.serving._is_free", lambda port: False)
    assert run(["diary", "serve", "--port", "8123"]) == 5
    assert capsys.readouterr().err == (
        "error: port 8123 of 127.0.0.1 is in use\ntry: --port 8124\n"
    )


def test_serve_listens_on_this_machine_only() -> None:
    words = serve_command(Path("d.db"), 8001)
    assert words[words.index("--host") + 1] == "127.0.0.1"


@pytest.mark.usefixtures("filled")
def test_list_imports_nothing_heavy_when_nothing_is_new() -> None:
    run(["diary", "list"])
    program = (
        "import sys\nfrom lab.cli import run\nassert run(['diary', 'list']) == 0\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "packet_bounds" in done.stdout
    heavy = {"sqlite_utils", "rich", "zstandard", "numpy", "textual", "verifier_diary.explain"}
    assert not heavy & set(done.stderr.split())


@pytest.mark.usefixtures("filled")
def test_refresh_says_what_it_did(capsys) -> None:
    assert run(["diary", "refresh"]) == 0
    assert capsys.readouterr().err == "2 rejections diagnosed; 0 are in another entry now\n"


@pytest.mark.usefixtures("filled")
def test_show_without_an_id_is_the_first_of_the_list(capsys) -> None:
    for options in ([], ["--all"]):
        run(["diary", "list", *options, "--format", "json"])
        listed = results(capsys.readouterr().out)
        assert run(["diary", "show", *options, "--format", "json"]) == 0
        assert results(capsys.readouterr().out)[0]["id"] == listed[0]["id"]


def test_show_of_expected_entries_alone_says_how_to_see_them(capsys) -> None:
    journal.append(rejected(expected=True))
    assert run(["diary", "show"]) == 2
    assert capsys.readouterr().err == (
        "error: the diary has only what tests and lessons expect, 1 in all\n"
        "try: lab diary list --all, or lab diary show --all\n"
    )
    assert run(["diary", "show", "--all"]) == 0


@pytest.mark.parametrize("words", [["search", "packet"], ["stats"], ["list"]])
def test_what_is_hidden_is_said(capsys, words: list[str]) -> None:
    journal.append(rejected(expected=True))
    assert run(["diary", *words]) == 0
    assert "1 expected by tests and lessons, hidden; --all shows them\n" in capsys.readouterr().err
    assert run(["diary", *words, "--all"]) == 0
    out, err = capsys.readouterr()
    assert "packet_bounds" in out
    assert "hidden" not in err


def test_a_class_that_does_not_exist_is_an_error(capsys) -> None:
    assert run(["diary", "list", "--class", "packet_bound"]) == 2
    assert capsys.readouterr().err.startswith(
        "error: there is no class packet_bound\ntry: one of: packet_bounds"
    )


VERBS = sorted(command_module.command.list_commands(click.Context(command_module.command)))


def test_the_verbs_are_those_that_are_documented() -> None:
    assert {
        *("list", "show", "search", "diff", "stats", "watch", "import", "export", "publish"),
        "serve",
    } <= set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_help(capsys, verb: str) -> None:
    assert run(["diary", verb, "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"Usage: lab diary {verb} [OPTIONS]")
    command = command_module.command.get_command(click.Context(command_module.command), verb)
    assert command is not None
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{option.opts} of {verb} has no help"


def test_the_list_of_verbs_fits_80_columns(capsys) -> None:
    assert run(["diary", "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines[1:] if line.endswith("...")]
    assert max(map(len, lines)) <= 80


@pytest.mark.usefixtures("filled")
def test_a_missing_folder_for_the_diary_is_made(capsys, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GLIMPSE_DIARY", str(tmp_path / "not" / "there" / "diary.db"))
    assert run(["diary", "list"]) == 0
    assert "packet_bounds  first" in capsys.readouterr().out
    assert (tmp_path / "not" / "there" / "diary.db").exists()


def test_a_folder_that_cannot_be_made_is_an_error(capsys, monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    path = tmp_path / "file" / "diary.db"
    monkeypatch.setenv("GLIMPSE_DIARY", str(path))
    assert run(["diary", "list"]) == 4
    err = capsys.readouterr().err
    assert err.startswith(
        f"error: the diary {path} cannot be written: {path.parent} is a file, not a directory; "
    )
    assert err.endswith("try: check who owns it, or set GLIMPSE_DIARY to a file of yours\n")
