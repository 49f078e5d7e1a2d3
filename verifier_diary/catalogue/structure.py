"""Programs whose code or metadata is malformed, or whose shape the verifier cannot follow."""

from __future__ import annotations

from verifier_diary.catalogue.entry import STRUCTURE, ErrorClass

CLASSES = (
    ErrorClass(
        id="ksym_map_fd",
        title="Kernel symbol or map that cannot be found",
        category=STRUCTURE,
        rank=8,
        patterns=(
            r"ldimm64 failed to find the address for kernel symbol",
            r"ldimm64 (insn )?specifies|ldimm64 unable",
            r"pseudo btf_id",
            r"fd -?\d+ is not pointing to valid bpf_map",
            r"direct value offset of",
            r"fd_idx without fd_array|fd_array(_cnt \d+ without| has too many)",
            r"(?<!kfunc )fd_idx \d+ (is not|out of bounds)",
            r"The total number of maps per program",
            r"<invalid BPF map reference>",
            r"BPF map '\S+' is referenced but wasn't created",
        ),
        meaning="An instruction refers to a map or a kernel variable that does not exist for the "
        "kernel.",
        cause="The symbol is not exported in this kernel, the map was not created (autocreate "
        "off), or a number stands where a map's file descriptor belongs.",
        cure="Declare the symbol `__weak` and test its address, or create the map before the load.",
    ),
    ErrorClass(
        id="insn_encoding",
        title="Instruction that this kernel does not know or accept",
        category=STRUCTURE,
        rank=10,
        patterns=(
            r"uses reserved fields",
            r"unknown opcode",
            r"invalid BPF_LD_IMM insn|invalid bpf_ld_imm64 insn|unrecognized bpf_ld_imm64",
            r"invalid shift -?\d+",
            r"^div by zero",
            r"BPF_ATOMIC uses invalid atomic opcode",
            r"frame pointer is read only",
            r"invalid atomic operand size",
            r"invalid BPF_\S+ opcode|invalid BPF_LD mode|unknown insn class",
            r"invalid may_goto (off|imm)|addr_space_cast insn|sign extending loads from arena",
            r"insn \d+ cannot be patched",
            r"load-acquires? (is|are) only supported|store-releases? (is|are) only supported",
        ),
        meaning="The bits of the instruction mean nothing to this kernel, or something that is "
        "never allowed.",
        cause="Assembly written by hand, a compiler that emits instructions newer than the kernel "
        "(`-mcpu=v4`), a write to R10, a constant division by zero or a shift past the width.",
        cure="Compile with `-mcpu=v3` or older, or correct the assembly.",
    ),
    ErrorClass(
        id="cfg",
        title="Code that cannot be reached, or runs off the end",
        category=STRUCTURE,
        rank=6,
        patterns=(
            r"unreachable insn \d+",
            r"jump out of range from insn",
            r"last insn is not an exit or jmp",
            r"jump into the middle of ldimm64",
            r"call to invalid destination",
            r"invalid insn idx",
            r"recursive call from",
            r"unexpected __bpf_trap\(\)",
            r"jump tables? |expected PTR_TO_INSN",
        ),
        meaning="Every instruction must be reachable, every jump must land inside its function, "
        "and every function must end by leaving.",
        cause="Dead code in assembly, __builtin_unreachable() or undefined behaviour that let the "
        "compiler drop the end of a function, or a call whose relocation was not done.",
        cure="Return on every path and remove dead assembly; compile with -O2 and let the loader "
        "link the functions.",
    ),
    ErrorClass(
        id="loop",
        title="Loop whose end is not visible",
        category=STRUCTURE,
        rank=5,
        patterns=(
            r"infinite loop detected at insn",
            r"back-edge from insn \d+ to",
            r"bpf_loop iteration limit",
        ),
        meaning="The verifier runs every iteration; it came back to the same instruction in a "
        "state that it had seen before.",
        cause="The loop depends on a value that does not change in a way the verifier follows, or "
        "the kernel is older than 5.3 and takes no backward jump at all.",
        cure="Count with a local variable up to a constant, or use bpf_for(), bpf_loop() or "
        "may_goto; unroll for old kernels.",
    ),
    ErrorClass(
        id="same_insn",
        title="One instruction reached with different kinds of pointers",
        category=STRUCTURE,
        rank=3,
        patterns=(
            r"same insn cannot be used with different pointers",
            r"same insn cannot be used with and without arena pointer",
        ),
        meaning="Context accesses are rewritten at load time, so such a load cannot also serve "
        "another kind of pointer.",
        cause="The compiler merged two branches that read the same offset, one through the context "
        "and one through another pointer.",
        cure="Keep the two accesses apart: a barrier between them, or separate functions.",
    ),
    ErrorClass(
        id="btf_metadata",
        title="Type or line information that the kernel refuses",
        category=STRUCTURE,
        rank=14,
        patterns=(
            r"missing btf func_info",
            r"func_info",
            r"line_info",
            r"in-kernel BTF is malformed|btf_vmlinux is malformed|kernel is missing BTF",
            r"invalid btf id|invalid type id",
            r"^\[\d+\] \S+",
            r"\bcore_relo\b|callback function (not static|cannot be the main)",
            r"(LD_ABS|tail_call) is (only )?(not )?allowed in",
            r"func info record|tailing record in func info",
        ),
        meaning="The BTF that comes with the program contradicts its code, or uses kinds that this "
        "kernel does not know.",
        cause="Compiled without -g, a compiler newer than the kernel, a callback without function "
        "information, or BTF edited by a tool.",
        cure="Compile with -g, load with a libbpf that adapts BTF to the kernel, and generate "
        "vmlinux.h anew.",
    ),
    ErrorClass(
        id="ld_abs",
        title="Legacy packet loads where they are not allowed",
        category=STRUCTURE,
        rank=9,
        patterns=(r"BPF_LD_\[ABS\|IND\]", r"LD_ABS\|IND R6 != pointer to skb"),
        meaning="BPF_LD_ABS and BPF_LD_IND may end the program by themselves and take the packet "
        "from R6.",
        cause="Used outside socket filters and tc, without the context in R6, or while a lock or a "
        "reference is held.",
        cure="Read the packet through `data` and `data_end` or bpf_skb_load_bytes().",
    ),
)
