"""Limits of the verifier, and its own errors."""

from __future__ import annotations

from verifier_diary.catalogue.entry import INTERNAL, LIMIT, ErrorClass

CLASSES = (
    ErrorClass(
        id="stack_limit",
        title="Stack or chain of calls too deep",
        category=LIMIT,
        rank=10,
        patterns=(
            r"combined stack size of \d+ calls is \d+",
            r"stack size of subprog \d+ is \d+",
            r"tail_calls are not allowed when call stack of previous frames",
            r"the call stack of \d+ frames is too deep",
            r"stack size \d+ ?\(extra \d+\) is too large",
            r"stack depth \d+ exceeds",
            r"BPF stack limit",
        ),
        meaning="All frames of a chain of calls share 512 bytes (256 before a tail call), and at "
        "most 8 calls may be nested. One frame above 512 bytes is refused by clang already.",
        cause="Large local buffers, added up over the calls, or deep nesting.",
        cure="Move buffers into a per-CPU array map, and flatten or inline the calls.",
    ),
    ErrorClass(
        id="complexity",
        title="Too much for the verifier to explore",
        category=LIMIT,
        rank=3,
        patterns=(
            r"BPF program is too large",
            r"Program +too large \(\d+ insns\), at most",  # BCC, of E2BIG
            r"The sequence of \d+ jumps is too complex",
            r"too many subprograms",
        ),
        meaning="The verifier walks every path and gives up after 1,000,000 instructions, or with "
        "8,192 branches left to explore.",
        cause="Loops with branches inside (each doubles the paths), long unrolled code, many "
        "conditions that depend on each other, big functions inlined in several places.",
        cure="Put loop bodies into bpf_loop() callbacks or global functions, use bpf_for(), test "
        "early so that states become equal, or split with tail calls.",
    ),
    ErrorClass(
        id="internal",
        title="Error of the verifier itself",
        category=INTERNAL,
        rank=40,
        patterns=(
            r"[Vv]erifier (internal error|bug)|verifier BUG",
            r"^BUG:? |^bug: |BUG (regs|stack|subprog|backtrac|spi)",
            r"BPF_PTR_POISON|narrow ctx (access|load) misconfigured",
            r"REG INVARIANTS VIOLATION",
            r"kernel subsystem misconfigured",
            r"bpf verifier is misconfigured",
            r"internal bug",
            r"(invalid|unknown) return type \d+ of func",
            r"adding tail call poke descriptor failed|tracking tail call prog failed",
        ),
        meaning="The verifier met a state that its authors hold impossible. Up to 6.12 also what a "
        "tail call through a map that is no PROG_ARRAY got.",
        cause="A bug of the kernel, or a combination that it does not support.",
        cure="Try a newer kernel, reduce the program, and report it with the object to "
        "bpf@vger.kernel.org.",
        lesson=False,  # a bug that could be shown would be mended
    ),
)
