"""Refusals that are no verdict of the verifier, and logs that say nothing the table knows."""

from __future__ import annotations

from verifier_diary.catalogue.entry import POLICY, STRUCTURE, ErrorClass

CLASSES = (
    ErrorClass(
        id="no_message",
        title="The log ends without a message",
        category="",
        rank=1000,
        patterns=(),
        meaning="The log ends without a reason: the program was refused without a word, the end of "
        "the log is missing, or nothing but its summary is left.",
        cause="Kernel 6.1 refuses some programs with global functions that way; kernels before 6.4 "
        "lose the end of a log that does not fit the loader's buffer.",
        cure="Load it with a larger log buffer, and look at errno; try a newer kernel.",
        lesson=False,
    ),
    ErrorClass(
        id="accepted",
        title="The verifier accepted this program: no rejection",
        category="",
        rank=1000,
        patterns=(),
        meaning="The log goes to its summary without a complaint.",
        cause="The program was verified. If its load failed all the same, what failed came later "
        "(the JIT, memory) or is another program.",
        cure="Look at the other programs of the object, and at the errno of the load.",
        lesson=False,
    ),
    ErrorClass(
        id="loader",
        title="Refused before the verifier saw the program",
        category=POLICY,
        rank=1000,
        patterns=(),
        meaning="There is no verifier log: the loader gave up, or the kernel refused at once.",
        cause="A map that could not be created, a symbol or BTF type that this kernel lacks, a "
        "missing privilege, or a program type that the kernel was built without.",
        cure="Read the loader's own messages; for `Operation not permitted` check the capabilities "
        "and whether the kernel has that kind of program at all.",
        lesson=False,
    ),
    ErrorClass(
        id="compile_error",
        title="Refused by the compiler",
        category=STRUCTURE,
        rank=1000,
        patterns=(),
        meaning="clang did not make an object of it.",
        cause="A mistake in C, a missing header, or something that BPF code generation cannot do.",
        cure="Correct the place that clang names.",
        lesson=False,
    ),
    ErrorClass(
        id="unclassified",
        title="A message that the table does not know",
        category="",
        rank=1000,
        patterns=(),
        meaning="The verifier gave a reason, but none of the known ones.",
        cause="A kernel newer than this table, or a rare message.",
        cure="Read the message itself; add its pattern to the class it belongs to.",
        lesson=False,
    ),
)
