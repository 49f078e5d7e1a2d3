"""How kernels reworded what they say: measured, by loading the same programs on each.

The kernels were Linux 6.1.192, 6.12.115 and 6.18.44. A text holds from its kernel on until the
next one of the same message; kernels between them were not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

KERNELS = ("6.1", "6.12", "6.18")


@dataclass(frozen=True, slots=True)
class Wording:
    """One message through the kernels: (kernel, text) pairs, and what else is to be known."""

    class_id: str
    texts: tuple[tuple[str, str], ...]
    note: str = ""


WORDINGS = (
    Wording(
        "return_value",
        (
            (
                "6.1",
                "At program exit the register R0 has value (0x2; 0x0) should have been in "
                "(0x0; 0x1)",
            ),
            (
                "6.12",
                "At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]",
            ),
        ),
    ),
    Wording(
        "map_type",
        (
            ("6.1", "kernel subsystem misconfigured verifier"),
            ("6.18", "expected prog array map for tail call"),
        ),
        "Of a tail call with another map than a program array. 6.18 ends it without a new line: "
        "the summary stands behind it.",
    ),
    Wording(
        "size_arg",
        (
            ("6.1", "invalid zero-sized read"),
            ("6.12", "R4 invalid zero-sized read: u64=[0,191]"),
        ),
        "For a size that may be 0, 6.1 often names the object instead, as out of its range.",
    ),
    Wording(
        "helper_unavailable",
        (
            ("6.1", "unknown func bpf_bind#64"),
            ("6.12", "program of this type cannot use helper bpf_bind#64"),
        ),
    ),
    Wording(
        "misaligned",
        (
            ("6.1", "misaligned stack access off (0x0; 0x0)+-17+0 size 8"),
            ("6.12", "misaligned stack access off 0+-17+0 size 8"),
        ),
    ),
    Wording(
        "insn_encoding",
        (("6.1", "BPF_LDX uses reserved fields"),),
        "Of a sign-extending load (`-mcpu=v4`), which later kernels know: of the same programs "
        "they say `invalid bpf_context access`.",
    ),
    Wording(
        "arg_type",
        (),
        "The list behind `expected=` differs: what is `alloc_mem` to 6.1 is `ringbuf_mem` from "
        "6.12 on, and `trusted_ptr_` was added to it.",
    ),
    Wording(
        "null_deref",
        (
            ("6.1", "R0 invalid mem access 'alloc_mem_or_null'"),
            ("6.12", "R0 invalid mem access 'ringbuf_mem_or_null'"),
        ),
    ),
    Wording(
        "sleepable",
        (
            ("6.1", "Sleepable programs can only use array, hash, and ringbuf maps"),
            ("6.12", "Sleepable programs can only use array, hash, ringbuf and local storage maps"),
        ),
    ),
    Wording(
        "global_func",
        (
            ("6.1", "Caller passes invalid args into func#1"),
            ("6.12", "Caller passes invalid args into func#1 ('foo')"),
        ),
        "It follows the line that says what is wrong.",
    ),
    Wording(
        "dynptr",
        (
            ("6.1", "cannot pass in dynptr at an offset"),
            ("6.12", "cannot pass in dynptr at an offset=-8"),
        ),
    ),
    Wording(
        "stack_bounds",
        (
            ("6.1", "invalid variable-offset read from stack R1 var_off=(..) size=8"),
            ("6.12", "invalid variable-offset read from stack R1 var_off=(..) off=-16 size=8"),
        ),
    ),
    Wording(
        "stack_bounds",
        (
            ("6.1", "invalid indirect access to stack R1 off=-64 size=65"),
            ("6.18", "invalid write to stack R1 off=-64 size=65"),
        ),
        "Of memory handed to a helper; 6.18 says `read from` or `write to`.",
    ),
    Wording(
        "stack_uninit",
        (
            ("6.1", "invalid indirect read from stack R2 off -16+0 size 16"),
            ("6.18", "invalid read from stack R2 off -16+0 size 16"),
        ),
    ),
    Wording(
        "rcu_preempt_irq",
        (
            ("6.12", "1 bpf_preempt_enable is missing"),
            (
                "6.18",
                "BPF_EXIT instruction in main prog cannot be used inside bpf_preempt_disable-ed "
                "region",
            ),
        ),
        "6.1 has no such functions to call.",
    ),
    Wording(
        "lock",
        (
            ("6.1", "bpf_spin_unlock is missing"),
            (
                "6.18",
                "BPF_EXIT instruction in main prog cannot be used inside bpf_spin_lock-ed region",
            ),
        ),
    ),
    Wording(
        "ref_leak",
        (
            ("6.1", "Unreleased reference id=2 alloc_insn=12"),
            ("6.18", "BPF_EXIT instruction in main prog would lead to reference leak"),
        ),
        "6.18 says both; the first names the instruction that acquired the reference.",
    ),
    Wording(
        "graph_ownership",
        (
            ("6.12", "rbtree_remove node input must be non-owning ref"),
            (
                "6.18",
                "bpf_rbtree_remove can only take non-owning or refcounted bpf_rb_node pointer",
            ),
        ),
    ),
    Wording(
        "modified_ptr",
        (
            ("6.1", "R1 must have zero offset when passed to release func"),
            (
                "6.12",
                "R1 must have zero offset when passed to release func or trusted arg to kfunc",
            ),
        ),
    ),
    Wording(
        "loop",
        (("6.1", "infinite loop detected at insn 12"),),
        "From 6.12 on the two states that were found equal follow it (`cur state:`, `old state:`), "
        "so that it is not the last line before the summary.",
    ),
)


def of_class(class_id: str) -> tuple[Wording, ...]:
    """Return what is known of a class."""
    return tuple(wording for wording in WORDINGS if wording.class_id == class_id)
