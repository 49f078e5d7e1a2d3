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
]
# The same in the words of 5.x.
OLDER = [
    ("scalar_deref", "R2 invalid mem access 'inv'"),
    ("arg_type", "R1 type=inv expected=fp, pkt, pkt_meta, map_key, map_value"),
    ("stack_uninit", "invalid read from stack R10 off=-8 size=8"),
    ("stack_uninit", "invalid indirect read from stack off -16+4 size 16"),
    ("stack_bounds", "invalid stack off=-520 size=8"),
    ("stack_bounds", "invalid stack type R1 off=-520 access_size=8"),
    ("unbounded_index", "R0 unbounded memory access, make sure to bounds check any array access "
     "into a map"),
    ("map_value_bounds", "R0 max value is outside of the array range"),
    ("loop", "back-edge from insn 7 to 3"),
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
