from __future__ import annotations

import json
from dataclasses import replace

import pytest

from verifier_diary.model import Attempt, Layer, Program, SourceText, Stats, parse_stats, sha256_of
from verifier_diary.origin import Git, Kernel, Origin, Toolchain
from verifier_diary.scrub import relative, repository

SUMMARY = (
    "verification time 106 usec\nstack depth 192+8\n"
    "processed 4755 insns (limit 1000000) max_states_per_insn 5 total_states 213 "
    "peak_states 199 mark_read 7\n"
)


def full_attempt() -> Attempt:
    return Attempt(
        Program("glimpse", "glimpse_src", "xdp.frags", "xdp"),
        accepted=False,
        expected=True,
        layer=Layer.VERIFIER,
        errno=13,
        messages="libbpf: prog 'glimpse': BPF program load failed: Permission denied\n",
        log="0: (95) exit\nR0 !read_ok\n" + SUMMARY,
        log_level=5,
        stats=parse_stats(SUMMARY),
        insn_count=1,
        tag="00" * 8,
        object_sha256="1" * 64,
        instructions_sha256="2" * 64,
        sources=(SourceText.of("bpf/glimpse.bpf.c", "int x;\n"),),
        knobs={"config": {"width": 1000}},
        map_sizes={"tfm": {"value_size": 100}},
        origin=Origin(("lab", "verify"), "tests/test_x.py::test_y", 42, "lab"),
        git=Git("3" * 40, True),
        kernel=Kernel("6.18.44", "x86_64", "4" * 64),
        toolchain=Toolchain("clang 14", ("-O2",), "lab", "1.1.2"),
    )


def test_attempt_survives_json() -> None:
    attempt = full_attempt()
    assert Attempt.from_json(json.loads(json.dumps(attempt.to_json()))) == attempt


def test_attempts_have_ids_and_times_of_their_own() -> None:
    one, two = (Attempt(Program("f"), accepted=True) for _ in range(2))
    assert one.id != two.id
    assert one.time.endswith("Z")
    assert one.time <= two.time


def test_record_begins_with_its_schema() -> None:
    assert list(full_attempt().to_json())[:2] == ["schema", "id"]


def test_fields_of_a_later_writer_are_ignored() -> None:
    attempt = full_attempt()
    record = attempt.to_json()
    record["mood"] = "good"
    record["stats"]["mood"] = "good"
    assert Attempt.from_json(record) == attempt


def test_stats_are_read_from_the_summary() -> None:
    assert parse_stats(SUMMARY) == Stats(
        instructions=4755,
        limit=1_000_000,
        states=213,
        peak_states=199,
        max_states_per_insn=5,
        mark_read=7,
        stack_depth=(192, 8),
        usec=106,
    )


@pytest.mark.parametrize(
    "line",
    [
        "expected prog array map for tail callprocessed 4 insns (limit 1000000) "
        "max_states_per_insn 0 total_states 1 peak_states 1 mark_read 0",
        "processed 4 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_states 1 "
        "mark_read 0\n\nsome words after it",
    ],
)
def test_stats_are_found_in_any_place(line: str) -> None:
    assert parse_stats(line).instructions == 4
    assert parse_stats(line).states == 1


def test_stats_of_old_kernels_are_read() -> None:
    stats = parse_stats("processed 12 insns, stack depth 16+8\n")
    assert (stats.instructions, stats.states, stats.stack_depth) == (12, None, (16, 8))


def test_log_without_summary_has_no_stats() -> None:
    assert parse_stats("R0 !read_ok\n") == Stats()


@pytest.mark.parametrize(
    ("section", "function", "identity"),
    [
        ("xdp", "stack_bad", ("o", None, "stack")),
        ("?tc", "stack_good", ("o", None, "stack")),
        ("?xdp", "goods_badly", ("o", "xdp", "goods_badly")),
        (None, "stranger", ("o", None, "stranger")),
    ],
)
def test_identity_joins_bad_and_good(
    section: str | None, function: str, identity: tuple[str, str, str]
) -> None:
    assert Program(function, "o", section, "xdp").identity == identity


def test_scrubbed_attempt_holds_no_address() -> None:
    attempt = replace(full_attempt(), log="3: (18) r1 = 0xffff8881048d0200\n")
    assert attempt.to_json()["log"] == "3: (18) r1 = <address>\n"


def test_scrubbing_twice_changes_nothing() -> None:
    once = full_attempt().scrubbed()
    assert once.scrubbed() == once


def test_paths_are_written_from_the_repository() -> None:
    root = repository()
    assert root is not None
    assert relative(root / "bpf" / "hello.bpf.c") == "bpf/hello.bpf.c"
    attempt = replace(
        full_attempt(),
        messages=f"{root}/bpf/x.bpf.c:3: error: no\n",
        origin=Origin((f"{root}/.venv/bin/lab", "verify", f"{root}/x.c")),
    )
    record = attempt.to_json()
    assert record["messages"] == "bpf/x.bpf.c:3: error: no\n"
    assert list(record["origin"]["argv"]) == [".venv/bin/lab", "verify", "x.c"]


def test_hash_is_that_of_the_utf8_bytes() -> None:
    assert sha256_of("ä") == sha256_of("ä".encode())


def test_origin_names_the_running_test() -> None:
    test = Origin.here().test
    assert test
    assert test.endswith("test_model.py::test_origin_names_the_running_test")
