from __future__ import annotations

import pytest

from verifier_diary.classifier import classify
from verifier_diary.logfile import Log
from verifier_diary.reason import reason
from verifier_diary.scene import Scene


def told(text: str) -> str:
    log = Log(text)
    return reason(Scene(log, classify(log)))


REASONS = {
    "packet_bounds": (
        "2: (0f) r2 += r3 ; R2=pkt(id=1,off=14,r=34,umax=255,var_off=(0x0; 0xff))\n"
        "3: (71) r5 = *(u8 *)(r2 +0)\n"
        "invalid access to packet, off=14 size=1, R2(id=1,off=14,r=34)\n"
        "R2 offset is outside of the packet",
        "R2 is used for 1 byte at offset 14 plus a variable part of 0..255; "
        "the packet is known to hold only 34 bytes.",
    ),
    "packet_bounds, nothing checked": (
        "1: (71) r5 = *(u8 *)(r2 +12)\n"
        "invalid access to packet, off=12 size=1, R2(id=0,off=12,r=0)",
        "R2 is used for 1 byte at offset 12; no byte of the packet is known to exist.",
    ),
    "map_value_bounds": (
        "10: (0f) r0 += r1 ; R0=map_value(ks=4,vs=8,umax=8,var_off=(0x0; 0x8)) R1=8\n"
        "11: (71) r0 = *(u8 *)(r0 +7)\n"
        "invalid access to map value, value_size=8 off=15 size=1\n"
        "R0 max value is outside of the allowed memory range",
        "R0 may point to byte 0..8 of the value; 1 byte from byte 15 on reach to byte 16, "
        "and the value has 8.",
    ),
    "map_value_bounds, before its start": (
        "11: (71) r0 = *(u8 *)(r0 -1)\ninvalid access to map value, value_size=8 off=-1 size=1\n"
        "R0 min value is outside of the allowed memory range",
        "the access begins 1 byte before its start, and the value has 8.",
    ),
    "mem_bounds": (
        "8: (15) if r0 == 0x0 goto pc+4 ; R0=ringbuf_mem(ref_obj_id=2,sz=8) refs=2\n"
        "9: (7b) *(u64 *)(r0 +8) = r1\ninvalid access to memory, mem_size=8 off=8 size=8\n"
        "R0 min value is outside of the allowed memory range",
        "8 bytes at offset 8 do not fit into 8 bytes of memory "
        "(R0 is a pointer to memory (ringbuf) of 8 bytes).",
    ),
    "unbounded_index": (
        "5: (0f) r2 += r1 ; R1=scalar(umax=0xffffffff) "
        "R2=map_value(ks=4,vs=64,umax=0xffffffff,var_off=(0x0; 0xffffffff))\n"
        "6: (71) r0 = *(u8 *)(r2 +0)\n"
        "R2 unbounded memory access, make sure to bounds check any such access",
        "The variable part of R2's offset may be 0..4294967295: no usable upper bound.",
    ),
    "null_deref": (
        "11: (85) call bpf_map_lookup_elem#1 ; R0=map_value_or_null(id=1,ks=4,vs=4)\n"
        "12: (61) r1 = *(u32 *)(r0 +0)\nR0 invalid mem access 'map_value_or_null'",
        "R0 is a pointer into a map value of 4 bytes, or NULL, what bpf_map_lookup_elem() "
        "returned.",
    ),
    "scalar_deref": (
        "3: (79) r1 = *(u64 *)(r2 +0) ; R1=scalar()\n4: (61) r1 = *(u32 *)(r1 +0)\n"
        "R1 invalid mem access 'scalar'",
        "R1 is a number that may be anything, not a pointer the verifier knows.",
    ),
    "scalar_deref, a pointer": (
        "3: (61) r3 = *(u32 *)(r1 +4) ; R3=pkt_end()\n4: (61) r1 = *(u32 *)(r3 +0)\n"
        "R3 invalid mem access 'pkt_end'",
        "R3 is the packet's end, which cannot be read or written through.",
    ),
    "uninit_register, after a call": (
        "0: (b7) r1 = 2 ; R1=2\n1: (85) call bpf_ktime_get_ns#5 ; R0=scalar()\n"
        "2: (bf) r0 = r1\nR1 !read_ok",
        "R1 holds nothing: the call of bpf_ktime_get_ns() at instruction 1 destroyed R1-R5.",
    ),
    "uninit_register, never written": (
        "0: R1=ctx() R10=fp0\n0: (bf) r0 = r2\nR2 !read_ok",
        "Nothing was ever written to R2 on this path.",
    ),
    "ptr_math_unbounded": (
        "3: (79) r1 = *(u64 *)(r1 +0) ; R0=map_value(ks=4,vs=64) R1=scalar(smax=63)\n"
        "4: (0f) r0 += r1\nmath between map_value pointer and register with unbounded min value "
        "is not allowed",
        "R0 is a pointer into a map value of 64 bytes; "
        "R1 is a number of at most 63, without a lower bound.",
    ),
    "return_value": (
        "0: (b7) r0 = 2 ; R0=2\n1: (95) exit\n"
        "At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]",
        "R0 is the number 2 at the exit; the hook takes 0 to 1.",
    ),
    "return_value, 6.1": (
        "1: (95) exit\nAt program exit the register R0 has value (0x2; 0x0) should have been in "
        "(0x0; 0x1)",
        "R0 has (0x2; 0x0); the hook takes 0 to 1.",
    ),
    "ref_leak": (
        "5: (85) call bpf_ringbuf_reserve#131 ; R0=ringbuf_mem_or_null(id=2,ref_obj_id=2) refs=2\n"
        "6: (95) exit\nUnreleased reference id=2 alloc_insn=5",
        "Reference 2, acquired by bpf_ringbuf_reserve() at instruction 5, is still held at the "
        "exit.",
    ),
    "stack_bounds": (
        "0: (7a) *(u64 *)(r10 -520) = 0\ninvalid write to stack R10 off=-520 size=8",
        "8 bytes at fp-520 span fp-520 to fp-513; the frame is fp-512 to fp-1.",
    ),
    "stack_bounds, never written": (
        "0: (79) r1 = *(u64 *)(r10 -8)\ninvalid read from stack R10 off=-8 size=8",
        "8 bytes at fp-8 lie within the frame, "
        "but nothing was written there or below on this path.",
    ),
    "stack_uninit": (
        "3: (85) call bpf_map_lookup_elem#1\ninvalid indirect read from stack R2 off -16+4 size 16",
        "Of the 16 bytes at fp-16, byte 4 (fp-12) was never written on this path.",
    ),
    "stack_uninit, a dynptr": (
        "3: (85) call bpf_dynptr_from_mem#197 ; R0=scalar() fp-16=dynptr_local()\n"
        "4: (85) call bpf_map_lookup_elem#1\ninvalid read from stack R2 off -16+0 size 16",
        "Of the 16 bytes at fp-16, byte 0 (fp-16) belongs to a dynptr, which is no data.",
    ),
    "core_poison": (
        "1: <invalid CO-RE relocation>\n"
        "failed to resolve CO-RE relocation <byte_off> [5] struct x.y",
        "The relocation is <byte_off> [5] struct x.y.",
    ),
    "iterator": (
        "3: (85) call bpf_iter_num_next#64263\nexpected an initialized iter_num as arg #0",
        "The call of bpf_iter_num_next() is refused.",
    ),
    "ctx_access": (
        "0: (61) r0 = *(u32 *)(r1 +76)\ninvalid bpf_context access off=76 size=4",
        "4 bytes at offset 76 of the context.",
    ),
    "loop": (
        "3: (05) goto pc-1\ninfinite loop detected at insn 3",
        "Instruction 3 was reached again in the same state.",
    ),
    "loop, before 5.3": ("back-edge from insn 7 to 3", "Instruction 7 jumps back to 3."),
    "complexity": (
        "3: (05) goto pc-1\nBPF program is too large. Processed 1000001 insn",
        "The verifier gave up: processed 1000001 insn.",
    ),
    "stack_limit": (
        "combined stack size of 2 calls is 608. Too large",
        "The stack would take 608 bytes.",
    ),
    "size_arg": (
        "1: (bf) r1 = r10 ; R1=fp0\n2: (b7) r2 = 5 ; R1=map_value(ks=4,vs=64) R2=scalar(smax=64)\n"
        "3: (85) call bpf_probe_read#4\nR2 min value is negative, either use unsigned or "
        "'var &= const'",
        "R2, the length for bpf_probe_read(), is a number of at most 64, without a lower bound; "
        "it belongs to a pointer into a map value of 64 bytes.",
    ),
    "arg_type": (
        "2: (b7) r2 = 5 ; R2=5\n3: (85) call bpf_map_lookup_elem#1\n"
        "R2 type=scalar expected=fp, pkt, map_value",
        "R2 is the number 5, in the call of bpf_map_lookup_elem(). "
        "Accepted here: fp, pkt, map_value.",
    ),
    "map_type": (
        "3: (85) call bpf_perf_event_output#25\n"
        "cannot pass map_type 1 into func bpf_perf_event_output#25",
        "bpf_perf_event_output() was handed a map of type HASH.",
    ),
    "internal, a tail call": (
        "3: (85) call bpf_tail_call#12\nkernel subsystem misconfigured verifier",
        "The map of this tail call is no PROG_ARRAY.",
    ),
    "helper_unavailable": (
        "3: (85) call bpf_bind#64\nprogram of this type cannot use helper bpf_bind#64",
        "The helper is bpf_bind.",
    ),
    "kfunc_unavailable": (
        "3: (85) call bpf_x#64\ncalling kernel function bpf_task_acquire is not allowed",
        "The kernel function is bpf_task_acquire().",
    ),
}


@pytest.mark.parametrize(("text", "start"), REASONS.values(), ids=REASONS.keys())
def test_a_reason_names_what_the_register_held(text: str, start: str) -> None:
    assert start in told(text)


def test_a_reason_without_details_is_the_rule() -> None:
    assert told("unreachable insn 7").startswith("Every instruction must be reachable")
