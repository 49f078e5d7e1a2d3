from __future__ import annotations

from verifier_diary.events import Path, failing_path
from verifier_diary.logfile import Log


def path_of(text: str) -> Path:
    return failing_path(Log(text))


def indexes(text: str) -> list[int]:
    return [event.index for event in path_of(text).events]


def test_the_path_is_what_was_simulated() -> None:
    assert indexes("0: R1=ctx() R10=fp0\n0: (bf) r6 = r1\n1: (95) exit\nR0 !read_ok") == [0, 1]


def test_a_resumed_branch_continues_from_its_jump() -> None:
    text = """\
0: (15) if r1 == 0x0 goto pc+2        ; R1=ctx()
1: (b7) r0 = 0                        ; R0=0
2: (95) exit

from 0 to 3: R1=0 R10=fp0
3: R1=0 R10=fp0
3: (71) r0 = *(u8 *)(r1 +0)
R1 invalid mem access 'scalar'"""
    assert indexes(text) == [0, 3]


def test_nested_resumptions_find_their_own_jump() -> None:
    text = """\
0: (b7) r6 = 0                        ; R6=0
1: (15) if r1 == 0x0 goto pc+2        ; R1=1
2: (05) goto pc-2
1: (15) if r1 == 0x0 goto pc+2        ; R1=1
2: (95) exit

from 1 to 4: R1=0 R6=2
4: (b7) r0 = 0                        ; R0=0
5: (95) exit

from 1 to 4: R1=0 R6=1
4: (b7) r0 = 0                        ; R0=0
R0 is wrong"""
    path = path_of(text)
    assert [event.index for event in path.events] == [0, 1, 4]
    assert path.events[1].line == 1


def test_linux_5_10_resumes_without_saying_so() -> None:
    text = """\
0: R1=ctx(id=0,off=0,imm=0) R10=fp0
0: (2d) if r4 > r3 goto pc+1
 R1=ctx(id=0,off=0,imm=0) R10=fp0
1: R1=ctx(id=0,off=0,imm=0) R10=fp0
1: (95) exit
2: R1=ctx(id=0,off=0,imm=0) R10=fp0
2: (b7) r0 = 2
3: R0_w=inv2 R10=fp0
3: (71) r5 = *(u8 *)(r2 +12)
R2 !read_ok"""
    assert indexes(text) == [0, 2, 3]


def test_frames_are_counted_through_calls_and_returns() -> None:
    text = """\
0: (85) call pc+2
caller:
 R6=5 R10=fp0
callee:
 frame1: R1=ctx() R10=fp0
3: (b7) r0 = 1                        ; frame1: R0=1
4: (95) exit
returning from callee:
 frame1: R0=1 R10=fp0
to caller at 1:
 R0=1 R6=5 R10=fp0
1: (07) r0 += 1                       ; R0=2
2: (95) exit
R0 is wrong"""
    path = path_of(text)
    assert [(event.index, event.frame) for event in path.events] == [
        (0, 0),
        (3, 1),
        (4, 1),
        (1, 0),
        (2, 0),
    ]
    last = len(path.events) - 1
    value = path.value_before(last, 0, "R0")
    assert value is not None
    assert value.constant == 2


def test_a_value_is_what_was_printed_last() -> None:
    path = path_of("0: (b7) r1 = 1 ; R1=1\n1: (bf) r2 = r1 ; R1=1 R2=1\n2: (95) exit\nx")
    value = path.value_before(2, 0, "R2")
    assert str(value) == "1"
    assert path.value_before(0, 0, "R2") is None


def test_a_value_that_was_overwritten_unprinted_is_unknown() -> None:
    path = path_of("0: (b7) r1 = 1 ; R1=1\n1: (b7) r1 = 2\n2: (95) exit\nx")
    assert path.value_before(2, 0, "R1") is None


def test_states_of_earlier_points_are_not_taken_for_the_present() -> None:
    text = """\
8: (57) r1 &= 8
9: R0=map_value(id=0,off=0,ks=4,vs=8,imm=0) R1=inv(id=0,umax_value=8,var_off=(0x0; 0x8))
9: (0f) r0 += r1
last_idx 9 first_idx 0
regs=2 stack=0 before 8: (57) r1 &= 8
 R0_rw=map_value(id=7,off=0,ks=4,vs=8,imm=0) R1_rw=invP(id=0) R10=fp0
parent didn't have regs=2 stack=0 marks
10: (71) r0 = *(u8 *)(r0 +7)
invalid"""
    value = path_of(text).value_before(1, 0, "R1")
    assert value is not None
    assert value.range.umax == 8
    after = path_of(text).value_after(1, 0, "R0")
    assert after is None


def test_the_path_says_whether_a_branch_was_taken() -> None:
    path = path_of(
        "0: (15) if r1 == 0x0 goto pc+2\n3: (15) if r1 == 0x0 goto pc+2\n4: (95) exit\nx"
    )
    assert [path.taken(0), path.taken(1), path.taken(2)] == [True, False, None]
