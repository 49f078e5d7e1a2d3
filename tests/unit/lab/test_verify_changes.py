from __future__ import annotations

from dataclasses import replace

from lab.verify.changes import changes
from lab.verify.check import Verdict

ACCEPTED = Verdict(
    program="count",
    section="xdp",
    type="xdp",
    object="tiny",
    accepted=True,
    layer=None,
    errno=None,
    instructions=1204,
    states=60,
    peak_states=50,
    stack=16,
    class_id=None,
    message=None,
    source_line=None,
    source_file=None,
    source_line_number=None,
    log="processed 1204 insns",
)
REJECTED = replace(
    ACCEPTED,
    accepted=False,
    layer="verifier",
    message="R1 is bad",
    source_line="return data[100];",
    source_file="tiny.bpf.c",
    source_line_number=8,
)


def the_change(before: Verdict, after: Verdict) -> str:
    (text,) = changes([before], [after]).values()
    return text


def test_fewer_instructions_are_told() -> None:
    after = replace(ACCEPTED, instructions=988)
    assert the_change(ACCEPTED, after) == "accepted: 1,204 -> 988 instructions"


def test_states_and_stack_are_told_where_they_differ() -> None:
    after = replace(ACCEPTED, states=45, stack=24)
    assert the_change(ACCEPTED, after) == "accepted: 60 -> 45 states, 16 -> 24 bytes of stack"


def test_no_change_is_told() -> None:
    assert the_change(ACCEPTED, ACCEPTED) == "accepted: 1,204 instructions, as before"


def test_new_rejection_is_told_with_message_and_line() -> None:
    expected = "now rejected: R1 is bad (tiny.bpf.c:8: return data[100];)"
    assert the_change(ACCEPTED, REJECTED) == expected


def test_cure_is_told_with_its_instructions() -> None:
    assert the_change(REJECTED, ACCEPTED) == "now accepted: 1,204 instructions"


def test_same_rejection_is_still_one_though_its_line_moved() -> None:
    after = replace(REJECTED, source_line_number=9)
    expected = "still rejected: R1 is bad (tiny.bpf.c:9: return data[100];)"
    assert the_change(REJECTED, after) == expected


def test_another_rejection_is_told_as_such() -> None:
    after = replace(REJECTED, message=None, source_line=None, source_file=None)
    after = replace(after, source_line_number=None)
    assert the_change(REJECTED, after) == "still rejected, but now: no message"


def test_new_and_vanished_programs_are_told() -> None:
    other = replace(ACCEPTED, program="other", instructions=None)
    assert changes([ACCEPTED], [other]) == {
        "other": "new: accepted: ? instructions",
        "count": "is not there any more",
    }


def test_first_verification_has_verdicts_only() -> None:
    assert changes(None, [ACCEPTED]) == {"count": "accepted: 1,204 instructions"}


def test_program_built_for_both_keys_is_told_for_each() -> None:
    src, flow = replace(ACCEPTED, object="tiny_src"), replace(ACCEPTED, object="tiny_flow")
    assert list(changes([src, flow], [src, flow])) == ["count of tiny_src", "count of tiny_flow"]
