from __future__ import annotations

from verifier_diary.kernel_report import kernel_report
from verifier_diary.logfile import Log

REPORT = """\
1: (71) r5 = *(u8 *)(r2 +12)
R2 offset is outside of the packet

Verification failed: Memory Safety: Access outside bounds

Reason:
  The verifier cannot prove offset + access_size <= object_size. R2 is pkt; offset is constant 12;
  access_size is 1; object_size is 0.

At:
  drop @ drop.bpf.c:16:9
  Source context:
      15 | if (data + 14 > end)
  >>> 16 | return data[14];
         | ^-- error: access may be outside object bounds
  Instruction context:
      0 | (61) r2 = *(u32 *)(r1 +0)
  >>> 1 | (71) r5 = *(u8 *)(r2 +12)

Causal path:
  insn 0
       | ^-- update: R2 changed from uninitialized value to pkt at offset 0

Suggestion:
  Add or adjust a bounds check.

processed 2 insns (limit 1000000) max_states_per_insn 0"""


def test_a_report_is_taken_apart() -> None:
    report = kernel_report(Log(REPORT))
    assert report is not None
    assert (report.category, report.problem) == ("Memory Safety", "Access outside bounds")
    assert report.reason.endswith("offset is constant 12; access_size is 1; object_size is 0.")
    assert report.suggestion == "Add or adjust a bounds check."
    assert (report.function, report.file, report.line) == ("drop", "drop.bpf.c", 16)
    assert (report.instruction, report.disassembly) == (1, "(71) r5 = *(u8 *)(r2 +12)")
    assert report.path[0] == "insn 0"
    assert report.class_id == "packet_bounds"


def test_a_place_without_source_is_an_instruction() -> None:
    report = kernel_report(Log("Verification failed: Policy: X\n\nAt:\n  insn 7\n"))
    assert report is not None
    assert (report.instruction, report.file) == (7, None)


def test_older_kernels_have_no_report() -> None:
    assert kernel_report(Log("0: (95) exit\nR0 !read_ok")) is None
