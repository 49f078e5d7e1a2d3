from __future__ import annotations

from pathlib import Path

from verifier_diary.events import failing_path
from verifier_diary.explain import explain
from verifier_diary.logfile import Log
from verifier_diary.loops import Skipped
from verifier_diary.path import (
    MOST_STEPS,
    Step,
    acquired,
    branches,
    entered,
    plain,
    shortened,
    trace_back,
)

DATA = Path(__file__).parents[2] / "data"


def traced(text: str, *names: str) -> list[tuple[int, str]]:
    steps = trace_back(failing_path(Log(text)), names)
    return [(step.index, step.text) for step in steps if isinstance(step, Step)]


def test_copies_and_loads_are_followed() -> None:
    assert traced(
        """\
0: (61) r6 = *(u32 *)(r1 +0)          ; R1=ctx() R6=pkt(r=0)
1: (b7) r3 = 5                        ; R3=5
2: (bf) r2 = r6                       ; R2=pkt(r=0) R6=pkt(r=0)
3: (71) r5 = *(u8 *)(r2 +12)
invalid access to packet, off=12 size=1, R2(id=0,off=12,r=0)""",
        "R2",
    ) == [
        (0, "R6 is loaded through R1: a packet pointer, no byte known"),
        (2, "R2 becomes a copy of R6: a packet pointer, no byte known"),
    ]


def test_the_pointer_that_was_loaded_through_is_named() -> None:
    (step,) = traced(
        """\
0: R1=ctx() R10=fp0
0: (79) r2 = *(u64 *)(r1 +0)          ; R1=ctx() R2=scalar()
1: (71) r5 = *(u8 *)(r2 +12)
R2 invalid mem access 'scalar'""",
        "R2",
    )
    assert step == (0, "R2 is loaded through R1 (the context): a number that may be anything")


def test_spills_and_fills_are_followed() -> None:
    assert traced(
        """\
0: (b7) r1 = 70000                    ; R1=70000
1: (7b) *(u64 *)(r10 -8) = r1         ; R1=70000 R10=fp0 fp-8=70000
2: (b7) r1 = 0                        ; R1=0
3: (79) r4 = *(u64 *)(r10 -8)         ; R4=70000 R10=fp0 fp-8=70000
4: (0f) r0 += r4
value 70000 makes map_value pointer be out of bounds""",
        "R4",
    ) == [
        (0, "R1 is set: the number 70000"),
        (1, "stack slot fp-8 saves R1: the number 70000"),
        (3, "R4 is read back from stack slot fp-8: the number 70000"),
    ]


def test_branches_that_narrow_a_value_are_steps() -> None:
    assert traced(
        """\
0: (71) r1 = *(u8 *)(r0 +0)           ; R1=scalar(umax=255,var_off=(0x0; 0xff))
1: (25) if r1 > 0x10 goto pc+2        ; R1=scalar(umax=16,var_off=(0x0; 0x1f))
2: (0f) r0 += r1
x""",
        "R1",
    )[1:] == [(1, "`r1 > 0x10` does not hold, no jump: R1 is now a number from 0 to 16")]


def test_both_sides_of_an_addition_are_followed() -> None:
    steps = traced(
        """\
0: (b7) r1 = 8                        ; R1=8
1: (bf) r0 = r6                       ; R0=map_value(ks=4,vs=8) R6=map_value(ks=4,vs=8)
2: (0f) r0 += r1                      ; R0=map_value(off=8,ks=4,vs=8) R1=8
3: (71) r0 = *(u8 *)(r0 +0)
invalid access to map value, value_size=8 off=8 size=1""",
        "R0",
    )
    assert [index for index, _ in steps] == [0, 1, 2]


def test_arguments_are_followed_into_the_caller() -> None:
    assert traced(
        """\
0: (b7) r1 = 9                        ; R1=9
1: (85) call pc+1
caller:
 R10=fp0
callee:
 frame1: R1=9 R10=fp0
3: (0f) r0 += r1
x""",
        "R1",
    ) == [(0, "R1 is set: the number 9"), (1, "R1 is passed to the function")]


def test_results_are_followed_into_the_function() -> None:
    assert traced(
        """\
0: (85) call pc+2
caller:
 R10=fp0
callee:
 frame1: R10=fp0
3: (b7) r0 = 9                        ; frame1: R0=9
4: (95) exit
returning from callee:
 frame1: R0=9 R10=fp0
to caller at 1:
 R0=9 R10=fp0
1: (0f) r6 += r0
x""",
        "R0",
    ) == [(3, "R0 is set: the number 9"), (4, "R0 is the function's result")]


def test_arguments_of_a_callback_come_from_the_helper() -> None:
    assert traced(
        """\
0: (85) call bpf_loop#181
caller:
 R10=fp0
callee:
 frame1: R1=scalar() R10=fp0 cb
3: (0f) r0 += r1
x""",
        "R1",
    ) == [(0, "R1 is what bpf_loop() passes")]


def test_a_call_destroys_its_argument_registers() -> None:
    assert traced("0: (b7) r1 = 2 ; R1=2\n1: (85) call bpf_ktime_get_ns#5 ; R0=scalar()\n"
                  "2: (bf) r0 = r1\nR1 !read_ok", "R1") == [
        (1, "R1 is lost: a call leaves nothing in R1-R5")
    ]  # fmt: skip


def test_what_a_helper_writes_to_the_stack_is_a_step() -> None:
    assert traced(
        "0: (85) call bpf_get_current_comm#16  ; R0=scalar() fp-8=mmmmmmmm\n"
        "1: (79) r1 = *(u64 *)(r10 -8)         ; R1=scalar()\n2: (0f) r2 += r1\nx",
        "R1",
    )[0] == (0, "bpf_get_current_comm() fills stack slot fp-8: 8 stack bytes: data")


def test_a_moved_packet_voids_pointers() -> None:
    steps = traced(
        """\
0: (61) r6 = *(u32 *)(r1 +0)          ; R1=ctx() R6=pkt(r=0)
1: (85) call bpf_xdp_adjust_head#44   ; R0=scalar() R6=scalar()
2: (71) r5 = *(u8 *)(r6 +0)
R6 invalid mem access 'scalar'""",
        "R6",
    )
    assert steps[1] == (1, "bpf_xdp_adjust_head() may move the packet: R6 is void")


def test_a_reference_is_told_from_its_call_on() -> None:
    path = failing_path(
        Log("""\
5: (85) call bpf_sk_lookup_tcp#84     ; R0=sock_or_null(id=2,ref_obj_id=2) refs=2
6: (15) if r0 == 0x0 goto pc+1        ; R0=sock(ref_obj_id=2) refs=2
7: (95) exit
Unreleased reference id=2 alloc_insn=5""")
    )
    assert [(step.index, step.text) for step in acquired(path, 5, "2")] == [
        (5, "reference 2 is acquired"),
        (6, "`r0 == 0x0` does not hold, no jump"),
    ]
    assert acquired(path, 99, "2") == ()


def test_a_region_is_told_from_its_entry_on() -> None:
    path = failing_path(Log("1: (85) call bpf_spin_lock#93\n2: (85) call bpf_ktime_get_ns#5\nx"))
    (step,) = entered(path, "^bpf_spin_lock", "the lock is taken")
    assert (step.index, step.text) == (1, "the lock is taken")


def test_branches_say_where_they_went() -> None:
    path = failing_path(Log("1: (15) if r1 == 0x0 goto pc+1\n3: (95) exit\nx"))
    assert branches(path, 0) == (Step(0, 1, "if r1 == 0x0 goto pc+1", "`r1 == 0x0` holds, jump"),)


def test_an_empty_path_has_no_steps() -> None:
    assert trace_back(failing_path(Log("")), ("R1",)) == ()


def test_long_loops_are_told_by_their_first_and_last_iteration() -> None:
    body = (
        "3: (07) r1 += 1                       ; R1=scalar(umax={0},var_off=(0x0; 0xffff))\n"
        "4: (25) if r1 > 0x1000 goto pc+5      ; R1=scalar(umax={0},var_off=(0x0; 0xffff))\n"
        "5: (05) goto pc-3\n"
    )
    text = "2: (b7) r1 = 0 ; R1=0\n" + "".join(body.format(n) for n in range(1, 501))
    steps = trace_back(failing_path(Log(text + "3: (0f) r0 += r1\nx")), ("R1",))
    skipped = [step for step in steps if isinstance(step, Skipped)]
    assert [step.iterations for step in skipped] == [498]
    told = [step.text for step in steps if isinstance(step, Step)]
    assert told[0] == "R1 is set: the number 0"
    assert told[1].endswith("to a number from 0 to 1")
    assert told[-2].endswith("to a number from 0 to 500")


def test_long_paths_lose_their_middle() -> None:
    kept = shortened(list(range(1000)), int)
    assert len(kept) == MOST_STEPS + 1
    assert (kept[0], kept[-1]) == (0, 999)
    assert Skipped(0, 1000 - MOST_STEPS) in kept


def test_path_of_a_hash_stops_where_nothing_explains_the_bound() -> None:
    """count_min's own rejection: 30 multiplications and rotations lead to the index."""
    log = (DATA / "development_logs" / "count_min.log").read_text("utf-8")
    steps = [step for step in explain(log).path if isinstance(step, Step)]
    assert len(steps) < 24
    assert [step.index for step in steps][-1] == 515
    assert {505, 506} <= {step.index for step in steps}
    changes = [s for s in steps if " changes from " in s.text and s.before and s.after]
    assert all(plain(s.before) != plain(s.after) for s in changes)
    assert len(changes) > 5
