from __future__ import annotations

import pytest

from tests.diary import accepted, filed, rejected
from verifier_diary.cures import cure, pair_diff
from verifier_diary.model import Attempt, Layer, Program, SourceText
from verifier_diary.origin import Kernel
from verifier_diary.store import Store
from verifier_diary.views import cure_lines

LESSON = """\
/* Why. */
EXPECT_REJECT("x")
SEC("?xdp")
int loop_bad(void)
{
	for (;;)
		;
}

SEC("?tc")
int loop_good(void)
{
	return 0;
}
"""


def pair(text: str = LESSON) -> tuple[Attempt, Attempt]:
    sources = (SourceText.of("bpf/lessons/loop.bpf.c", text),)
    bad, good = (Program(f"loop_{which}", "loop", "xdp") for which in ("bad", "good"))
    return rejected(program=bad, sources=sources), accepted(program=good, sources=sources)


def test_a_lessons_cure_is_what_its_good_program_does_otherwise(store: Store) -> None:
    (entry,) = filed(store, *pair())
    found = cure(store, entry)
    assert found is not None
    assert found.diff.split("\n") == [
        "--- bpf/lessons/loop.bpf.c loop_bad",
        "+++ bpf/lessons/loop.bpf.c loop_good",
        "@@ -3,6 +10,5 @@",
        '-SEC("?xdp")',
        "-int loop_bad(void)",
        '+SEC("?tc")',
        "+int loop_good(void)",
        " {",
        "-\tfor (;;)",
        "-\t\t;",
        "+\treturn 0;",
        " }",
    ]


def test_other_programs_are_no_pair() -> None:
    bad, _ = pair()
    assert pair_diff(bad, bad) == ""
    assert pair_diff(bad, accepted()) == ""


def test_a_pair_whose_source_is_not_known_has_no_difference() -> None:
    bad, good = pair("int something_else;\n")
    assert pair_diff(bad, good) == ""


def test_a_strangers_cure_says_that_its_sources_are_not_known(store: Store) -> None:
    stranger = Program("p", type="xdp")
    (entry,) = filed(
        store,
        rejected(program=stranger, sources=()),
        accepted(program=stranger, sources=()),
    )
    found = cure(store, entry)
    assert found is not None
    assert list(cure_lines(found))[-1] == "the sources are not known"


@pytest.mark.parametrize(
    ("refused", "accepting", "cures"),
    [
        ("6.18.44-a", "6.18.44-a", True),
        ("6.18.44", "6.18.50-b", True),
        ("6.1.0-56-cloud-amd64", "6.18.44", False),
        ("6.18.44", "6.1.0-56-cloud-amd64", False),
        ("custom", "custom-2", True),
        ("custom", "other", False),
    ],
)
def test_only_the_kernel_that_refused_can_say_that_a_program_is_cured(
    store: Store, refused: str, accepting: str, cures: bool
) -> None:
    (entry,) = filed(
        store,
        rejected(kernel=Kernel(refused, "x86_64")),
        accepted(kernel=Kernel(accepting, "x86_64")),
    )
    assert (entry.cured_by is not None) is cures


def test_what_clang_refused_is_cured_on_any_kernel(store: Store) -> None:
    (entry,) = filed(
        store,
        rejected(layer=Layer.COMPILER, log="", messages="error: no such file\n"),
        accepted(kernel=Kernel("6.1.0", "x86_64")),
    )
    assert entry.cured_by is not None
