from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from verifier_diary.catalogue.entry import ErrorClass
from verifier_diary.classes import BY_ID, CLASSES, OUTSIDE, by_id, class_of

DATA = Path(__file__).parents[2] / "data"
CATEGORIES = {
    "Register Type Safety",
    "Memory Safety",
    "Resource Lifetime Safety",
    "Call Type Safety",
    "Execution Context Safety",
    "Program Structure",
    "Policy",
    "Verifier Limit",
    "Verifier Internal Error",
}


def messages() -> list[tuple[str, str]]:
    with (DATA / "verifier_messages.tsv").open(encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(row["class"], row["message"]) for row in rows]


# Messages of kernels newer than 6.12, or as newer kernels word them.
NEWER = [
    ("null_deref", "Possibly NULL pointer passed to trusted R1"),
    ("kfunc_arg", "R2 expected pointer to map value or allocated object"),
    ("rcu_preempt_irq", "R1 doesn't point to an irq flag on stack"),
    (
        "rcu_preempt_irq",
        "cannot restore irq state out of order, expected id=2 acquired at insn_idx=3",
    ),
    ("rcu_preempt_irq", "irq flag acquired by native kfuncs cannot be restored with lock kfuncs"),
    ("rcu_preempt_irq", "global function calls are not allowed with IRQs disabled,"),
    ("lock", "bpf_res_spin_unlock cannot be out of order"),
    ("lock", "Acquiring the same lock again, AA deadlock detected"),
    ("readonly_write", "BPF_ATOMIC loads from R1 ctx is not allowed"),
    ("stack_uninit", "invalid read from stack R2 off -16+0 size 16"),
    ("stack_uninit", "invalid read from stack R2 var_off (0xfffffffffffffff0; 0x8)+0 size 8"),
    ("stack_bounds", "invalid read from stack R2 off=-8 size=16"),
    ("stack_bounds", "invalid write to stack R10 off=-520 size=8"),
    ("stack_limit", "stack size 520(extra 8) is too large"),
    ("special_field", "off 0 doesn't point to 'struct bpf_task_work' that is at 8"),
    ("internal", "verifier bug: REG INVARIANTS VIOLATION (true_reg1): range bounds violation"),
    ("map_type", "expected prog array map for tail call"),
    ("ref_release", "more than one arg with ref_obj_id R3 4 2"),
    ("ref_release", "release kfunc bpf_x expects referenced PTR_TO_BTF_ID passed to R1"),
    ("ref_leak", "Leaking reference id=2 alloc_insn=9. Release it first."),
    ("graph_ownership", "direct access to bpf_list_head is disallowed"),
    ("btf_struct_access", "direct access to bpf_rb_root is disallowed"),
    ("graph_ownership", "bpf_list_node not found at offset=49"),
    ("special_field", "bpf_timer not found at offset=8"),
    ("btf_struct_access", "no write support to nf_conn at off 128"),
    ("kfunc_unavailable", "metadata kfuncs require device-bound program"),
    ("cfg", "unexpected __bpf_trap() due to uninitialized variable?"),
    ("cfg", "jump table for insn 4 points outside of the subprog [0,9]"),
    ("rcu_preempt_irq", "kernel func bpf_x is sleepable within IRQ-disabled region"),
    ("rcu_preempt_irq", "sleepable helper bpf_x#7 in rcu_read_lock region"),
    ("sleepable", "Program of this type cannot be sleepable"),
    ("sleepable", "sleepable helper bpf_copy_from_user#148 in non-sleepable prog"),
    ("sleepable", "sleepable global function f() called in non-sleepable prog"),
    ("sleepable", "kernel func bpf_x is sleepable within non-sleepable prog"),
    ("lock", "kernel func bpf_x is sleepable within lock region"),
    ("attach_target", "Attaching fexit/fmod_ret to __noreturn function 'do_exit' is rejected."),
    ("attach_target", "arg1 in f() is PTR while g() has INT"),
    ("uninit_register", "callee expects 7 args, stack arg1 is not initialized"),
    ("stack_uninit", "reading from stack off -8+0 size 8, slot poisoned by dead code elimination"),
    ("same_insn", "same insn cannot be used with and without arena pointer"),
    ("ctx_access", "invalid access to context, ctx_size=24 off=24 size=8"),
    ("global_func", "arg#0 untrusted cannot be combined with any other tags"),
]
# The same in the words of 5.x.
OLDER = [
    ("scalar_deref", "R2 invalid mem access 'inv'"),
    ("arg_type", "R1 type=inv expected=fp, pkt, pkt_meta, map_key, map_value"),
    ("stack_bounds", "invalid read from stack R10 off=-8 size=8"),
    ("stack_uninit", "invalid indirect read from stack off -16+4 size 16"),
    ("stack_bounds", "invalid stack off=-520 size=8"),
    ("stack_bounds", "invalid stack type R1 off=-520 access_size=8"),
    ("unbounded_index", "R0 unbounded memory access, make sure to bounds check any array access "
     "into a map"),
    ("map_value_bounds", "R0 max value is outside of the array range"),
    ("loop", "back-edge from insn 7 to 3"),
    ("license", "cannot call GPL only function from proprietary program"),
    ("readonly_write", "BPF_XADD stores into R1 ctx is not allowed"),
    ("ptr_math_range", "addition of negative constant to packet pointer is not allowed"),
    ("misaligned", "Unknown alignment. Only byte-sized access allowed in packet access."),
    ("privilege", "function calls to other bpf functions are allowed for root only"),
    ("jit", "tail_calls are not allowed in programs with bpf-to-bpf calls"),
]  # fmt: skip


@pytest.mark.parametrize(("class_id", "message"), [*messages(), *NEWER, *OLDER])
def test_every_message_of_the_kernel_falls_into_its_class(class_id: str, message: str) -> None:
    found = class_of(message)
    assert found is not None
    assert found[1] == class_id


def test_the_catalogue_is_complete() -> None:
    assert len(CLASSES) == 52
    assert len(BY_ID) == len(CLASSES) + len(OUTSIDE)


@pytest.mark.parametrize("error", [*CLASSES, *OUTSIDE], ids=lambda error: error.id)
def test_every_class_says_what_it_is(error: ErrorClass) -> None:
    assert re.fullmatch(r"[a-z_]+", error.id)
    for text in (error.meaning, error.cause, error.cure):
        assert text.endswith((".", "`", ")"))
        assert text == " ".join(text.split())
    assert error.title[0].isupper()
    assert not error.title.endswith(".")


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.id)
def test_every_class_has_patterns_and_a_category(error: ErrorClass) -> None:
    assert error.category in CATEGORIES
    assert error.patterns
    for pattern in error.patterns:
        re.compile(pattern)


def test_an_unknown_id_is_unclassified() -> None:
    assert by_id("of_a_newer_version").id == "unclassified"
