from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lab import build, loader
from lab.build import Build
from lab.errors import BadInput, UsageError_
from lab.loader import ProgramRejected
from tests.kernel.conftest import needs_clang, needs_kernel, needs_root
from verifier_diary import journal
from verifier_diary.model import Layer

pytestmark = [needs_root, needs_clang]
Compiled = Callable[..., Build]

HEAD = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char LICENSE[] SEC("license") = "GPL";
"""
OUTSIDE = (
    HEAD
    + """
SEC("xdp")
int outside(struct xdp_md *ctx)
{
	char *data = (void *)(long)ctx->data;
	return data[100];
}
"""
)
LOOP = (
    HEAD
    + """
SEC("xdp")
int loop(struct xdp_md *ctx)
{
	unsigned sum = 0;
	for (int i = 0; i < 600; i++)
		sum += bpf_get_prandom_u32() ^ i;
	return sum & 1;
}
"""
)
TWO = (
    HEAD
    + """
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} shared SEC(".maps");

SEC("?xdp")
int first(struct xdp_md *ctx)
{
	__u32 zero = 0;
	__u64 *value = bpf_map_lookup_elem(&shared, &zero);
	return value ? ++*value : 0;
}

SEC("?xdp")
int second_bad(struct xdp_md *ctx)
{
	return *(int *)(long)ctx->data;
}
"""
)


def test_hello_is_accepted() -> None:
    with loader.load(build.object_path("hello")) as loaded:
        assert loaded.accepted
        assert loaded.attempt.stats.instructions
        assert loaded.attempt.program.identity == ("hello", "xdp.frags", "hello")
        assert loaded.program.info().tag == loaded.attempt.tag


def test_rejection_is_data(compiled: Compiled) -> None:
    attempt = loader.load(compiled(OUTSIDE)).attempt
    assert not attempt.accepted
    assert attempt.layer is Layer.VERIFIER
    assert attempt.errno == errno.EACCES
    assert "invalid access to packet" in attempt.log
    assert attempt.stats.instructions == 2


def test_rejection_knows_its_source(compiled: Compiled) -> None:
    (source,) = loader.load(compiled(OUTSIDE)).attempt.sources
    assert source.text == OUTSIDE
    assert source.path.endswith("tiny.bpf.c")


def test_attempt_is_in_the_journal(compiled: Compiled, journal_directory: Path) -> None:
    attempt = loader.load(compiled(OUTSIDE), expected=True).attempt
    (read,) = journal.read(journal_directory)
    assert read == attempt.scrubbed()
    assert read.expected
    assert read.origin.test == "tests/kernel/test_loader.py::test_attempt_is_in_the_journal"


def test_accepted_attempt_is_in_the_journal(journal_directory: Path) -> None:
    attempt = loader.load(build.object_path("hello")).attempt
    assert [a.id for a in journal.read(journal_directory)] == [attempt.id]


def test_require_raises_program_rejected(compiled: Compiled) -> None:
    loaded = loader.load(compiled(OUTSIDE))
    with pytest.raises(
        ProgramRejected, match=r"program outside was refused \(verifier\): R\d offset"
    ) as got:
        loaded.require()
    assert got.value.exit_code == 8
    assert got.value.try_


def test_compile_failure_is_data(compiled: Compiled, journal_directory: Path) -> None:
    attempt = loader.load(compiled(HEAD + "int broken(")).attempt
    assert attempt.layer is Layer.COMPILER
    assert "error:" in attempt.messages
    assert [a.layer for a in journal.read(journal_directory)] == [Layer.COMPILER]


def test_log_over_a_megabyte_is_whole(compiled: Compiled, journal_directory: Path) -> None:
    attempt = loader.load(compiled(LOOP), full_log=True).attempt
    assert attempt.accepted
    assert len(attempt.log) > loader.LOG_START
    assert not attempt.truncated
    assert "func#0 @0" in attempt.log[:200]
    assert attempt.log.rstrip().splitlines()[-1].startswith("processed ")
    (read,) = journal.read(journal_directory)
    assert read.log == attempt.scrubbed().log


def test_log_beyond_the_kernels_maximum_is_marked(
    compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "LOG_START", 4096)
    monkeypatch.setattr(loader, "LOG_MAX", 16384)
    with loader.load(compiled(LOOP), full_log=True) as loaded:
        assert loaded.accepted
        assert loaded.attempt.truncated
        assert loaded.attempt.log


def test_small_first_buffer_grows(compiled: Compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "LOG_START", 64)
    attempt = loader.load(compiled(OUTSIDE)).attempt
    assert "invalid access to packet" in attempt.log
    assert attempt.errno == errno.EACCES
    assert not attempt.truncated


def test_only_the_chosen_program_is_loaded(compiled: Compiled) -> None:
    with loader.load(compiled(TWO), "first") as loaded:
        assert loaded.accepted
        assert loaded.attempt.program.function == "first"


def test_load_each_makes_an_attempt_of_each(compiled: Compiled, journal_directory: Path) -> None:
    built = compiled(TWO)
    assert [one.accepted for one in loader.load_each(built)] == [True, False]
    read = list(journal.read(journal_directory))
    assert [a.program.identity for a in read] == [
        ("tiny", "xdp", "first"),
        ("tiny", None, "second"),  # second_bad is half of a pair
    ]


def test_program_must_be_named_if_there_are_several(compiled: Compiled) -> None:
    with pytest.raises(UsageError_, match=r"tiny.bpf.o has 2 programs") as got:
        loader.load(compiled(TWO))
    assert "first, second_bad" in str(got.value.try_)


def test_unknown_program_is_a_usage_error(compiled: Compiled) -> None:
    with pytest.raises(UsageError_, match="has no program 'third'"):
        loader.load(compiled(TWO), "third")


def test_maps_are_shared(compiled: Compiled) -> None:
    built = compiled(TWO)
    with loader.load(built, "first") as one:
        with loader.load(built, "first", share={"shared": one.maps["shared"]}) as two:
            assert two.program.test_run(bytes(64)).retval == 1
        assert one.program.test_run(bytes(64)).retval == 2


def test_object_libbpf_refuses_is_its_layer(compiled: Compiled) -> None:
    bad = HEAD + 'int no_map SEC(".maps");\nSEC("xdp") int p(void *c) { return no_map; }\n'
    (loaded,) = loader.load_each(compiled(bad))
    assert loaded.attempt.layer is Layer.LIBBPF
    assert loaded.attempt.messages
    assert loaded.attempt.log == ""


def test_unresolved_extern_is_libbpfs_layer(compiled: Compiled) -> None:
    text = (
        HEAD + 'extern int no_such(void) __ksym;\nSEC("xdp") int p(void *c) {return no_such();}\n'
    )
    attempt = loader.load(compiled(text)).attempt
    assert attempt.layer is Layer.LIBBPF
    assert "no_such" in attempt.messages


def test_complexity_is_the_limit_layer(compiled: Compiled) -> None:
    text = (
        HEAD
        + """
SEC("xdp")
int endless(struct xdp_md *ctx)
{
	__u32 sum = 0;
	for (int i = 0; i < 1000000; i++)
		sum += bpf_get_prandom_u32() & 1 ? i : 3;
	return sum;
}
"""
    )
    attempt = loader.load(compiled(text)).attempt
    assert attempt.layer is Layer.LIMIT
    assert attempt.errno in (errno.E2BIG, errno.EFAULT)


def test_file_that_is_no_object_is_bad_input(tmp_path: Path) -> None:
    path = tmp_path / "text.o"
    path.write_text("not an object")
    with pytest.raises(BadInput, match=r"text.o is not a BPF object file"):
        loader.load(path)


def test_missing_file_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot read .*gone\.o: No such file"):
        loader.load(tmp_path / "gone.o")


def test_instructions_hash_does_not_depend_on_the_load(compiled: Compiled) -> None:
    built = compiled(TWO)
    one = loader.load(built, "first").attempt
    two = loader.load(built, "first").attempt
    assert one.instructions_sha256 == two.instructions_sha256


def test_identical_load_is_a_repeat_in_the_journal(
    compiled: Compiled, journal_directory: Path
) -> None:
    built = compiled(TWO)
    ids = [loader.load(built, "first").attempt.id for _ in range(3)]
    assert [a.id for a in journal.read(journal_directory)] == ids
    (file,) = journal_directory.glob("*.jsonl")
    assert [b'"repeat"' in line for line in file.read_bytes().splitlines()] == [False, True, True]


def test_loaded_object_closes_twice(compiled: Compiled) -> None:
    loaded = loader.load(compiled(TWO), "first")
    loaded.close()
    loaded.close()
    with pytest.raises(ProgramRejected):
        loaded.require()


def test_unwritable_journal_does_not_stop_a_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("GLIMPSE_JOURNAL", str(blocked / "journal"))
    assert loader.load(build.object_path("hello")).accepted
    shown = capsys.readouterr().err
    assert "the journal lost one attempt: program hello, accepted" in shown
    assert str(blocked / "journal") in shown


@needs_kernel(feature="xdp_frags", min="5.18")
def test_frags_can_be_dropped() -> None:
    with loader.load(build.object_path("hello"), frags=False) as loaded:
        assert loaded.accepted


def test_load_without_privilege_names_the_capability(tmp_path: Path) -> None:
    object_file = tmp_path / "hello.bpf.o"
    object_file.write_bytes(build.object_path("hello").read_bytes())
    script = (
        "import sys; from lab import loader; from lab.errors import PermissionProblem\n"
        "try: loader.load(sys.argv[1])\n"
        "except PermissionProblem as error: print(error, '/', error.try_); sys.exit(4)\n"
    )
    done = subprocess.run(
        ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--", sys.executable, "-c", script,
         str(object_file)],
        capture_output=True, text=True, check=False, cwd=build.BPF.parent, timeout=120,
        env=os.environ | {"PYTHONPATH": str(build.BPF.parent)},
    )  # fmt: skip
    assert done.returncode == 4, done.stderr
    assert "loading hello needs CAP_BPF and CAP_NET_ADMIN" in done.stdout
    assert "sudo" in done.stdout


def test_rejected_attempt_keeps_no_kernel_address(compiled: Compiled) -> None:
    attempt = loader.load(compiled(TWO), "first", full_log=True).attempt
    assert "<address>" in attempt.scrubbed().log
    assert replace(attempt.scrubbed()) == attempt.scrubbed().scrubbed()
