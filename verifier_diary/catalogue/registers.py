"""Registers that do not hold what the instruction needs."""

from __future__ import annotations

from verifier_diary.catalogue.entry import REGISTERS, ErrorClass

CLASSES = (
    ErrorClass(
        id="null_deref",
        title="Pointer used before it was compared with NULL",
        category=REGISTERS,
        rank=10,
        patterns=(
            r"R\d+ invalid mem access '\w*or_null_?\w*'",
            r"R\d+ invalid mem access 'null'?",
            r"R\d+ pointer arithmetic on \S*or_null\S* prohibited",
            r"dereference of modified \S*or_null\S* ptr",
            r"NULL pointer passed to (trusted|helper) ?(arg|R)",
            r"R\d+ type=\S*_or_null_?\S* expected=",
            r"(arg#?|R)\d+ is expected to be non-NULL",
        ),
        meaning="The pointer can be NULL on this path, and nothing has ruled that out yet.",
        cause="A lookup, a reservation, an acquisition or an iterator may answer NULL. Its result "
        "is dereferenced, moved or handed on before this path has tested it, or the test was made "
        "on another copy than the one in use.",
        cure="Put `if (!p) return 0;` directly behind the call that made the pointer, and use that "
        "same variable afterwards; compute offsets only after the test.",
    ),
    ErrorClass(
        id="scalar_deref",
        title="Number, or a pointer that cannot be read through, used as an address",
        category=REGISTERS,
        rank=20,
        patterns=(r"R\d+ invalid mem access '",),
        meaning="A load or store needs a pointer into memory the verifier knows; this register "
        "holds something else.",
        cause="The address was read out of a kernel structure or a map, travelled through an "
        "integer, was cut by 32-bit arithmetic, or comes from a field that holds no pointer. Two "
        "branches that bring different pointers together have the same effect.",
        cure="Read kernel memory with BPF_CORE_READ() or bpf_probe_read_kernel(); derive packet "
        "and map pointers again from the context or a new lookup; keep a pointer in one 64-bit "
        "variable of pointer type.",
    ),
    ErrorClass(
        id="uninit_register",
        title="Register read that holds no value",
        category=REGISTERS,
        rank=10,
        patterns=(
            r"R\d+ !read_ok",
            r"R\d+ is invalid$",
            r"callee expects \d+ args, stack arg\d+ is not initialized",
        ),
        meaning="On this path nothing was written to the register, or a call has wiped it out.",
        cause="A variable without a value on one branch, a function that runs off its end, an "
        "argument that was never set, or a value expected in R1-R5 behind a call: calls destroy "
        "those five.",
        cure="Give the variable a value where it is declared, return on every path, and keep what "
        "is needed behind a call in a local variable (R6-R9 survive).",
    ),
    ErrorClass(
        id="ptr_arith_prohibited",
        title="Arithmetic that this kind of pointer does not allow",
        category=REGISTERS,
        rank=15,
        patterns=(
            r"R\d+ 32-bit pointer arithmetic prohibited",
            r"R\d+ pointer arithmetic on \S+ prohibited",
            r"R\d+ pointer arithmetic prohibited",
            r"R\d+ bitwise operator \S+ on pointer prohibited",
            r"R\d+ pointer arithmetic with \S+ operator prohibited",
            r"R\d+ tried to subtract pointer from scalar",
            r"R\d+ subtraction from stack pointer prohibited",
            r"R\d+ pointer \S+ pointer prohibited",
            r"R\d+ sign-extension part of pointer",
            r"R\d+ partial copy of pointer",
            r"R\d+ pointer comparison prohibited",
            r"R\d+ has pointer with unsupported alu operation",
            r"R\d+ tried to \S+ (beyond pointer bounds|from different maps)",
            r"R\d+ has unknown scalar with mixed signed bounds",
            r"R\d+ could not be pushed for speculative verification",
        ),
        meaning="Only additions and subtractions of numbers, in 64 bits, keep a pointer a pointer, "
        "and some kinds (packet end, context, maps, sockets) may not be moved at all.",
        cause="The program shifts, masks or multiplies a pointer, adds two of them, works on its "
        "lower half, or moves `data_end` instead of `data`. Unprivileged programs may not compare "
        "or mix pointers either.",
        cure="Do the arithmetic on integers and add the result once to a data, map-value or stack "
        "pointer; write `data + n > data_end`; keep pointers in 64-bit variables.",
    ),
    ErrorClass(
        id="stack_spill",
        title="Pointer saved on the stack in parts, or its slot damaged",
        category=REGISTERS,
        rank=10,
        patterns=(
            r"invalid size of register (spill|fill)",
            r"attempt to corrupt spilled pointer on stack",
            r"cannot spill pointers to stack into stack frame of the caller",
            r"spilled ptr in range of var-offset stack write",
        ),
        meaning="A pointer keeps its type on the stack only as a whole 8-byte value in an aligned "
        "slot.",
        cause="A pointer is stored or loaded with 4, 2 or 1 bytes, or a later write covers some "
        "bytes of the slot: casts to int, unions, memcpy over a structure with pointers.",
        cure="Store and load pointers in 64 bits, and do not overlay them with other data.",
    ),
    ErrorClass(
        id="modified_ptr",
        title="Pointer that must stay as it was handed out, used with an offset",
        category=REGISTERS,
        rank=30,
        patterns=(
            r"dereference of modified \S+ ptr",
            r"negative offset \S+ ptr",
            r"variable \S+ access var_off=",
            r"must have zero offset when passed to release func",
        ),
        meaning="Context, map, dynptr and reference-counted pointers are only accepted in their "
        "original form.",
        cause="Something was added to the pointer before it was dereferenced, passed on or "
        "released; often the address of a member that does not come first.",
        cure="Keep the original pointer and pass that; address members with constant offsets in "
        "the access itself.",
    ),
)
