"""Things that the program's type, licence, privileges or kernel do not permit."""

from __future__ import annotations

from verifier_diary.catalogue.entry import POLICY, ErrorClass

CLASSES = (
    ErrorClass(
        id="ctx_access",
        title="Context field that this program may not access this way",
        category=POLICY,
        rank=14,
        patterns=(
            r"invalid bpf_context access|invalid access to context, ctx_size=",
            r"dereference of modified ctx ptr",
            r"negative offset ctx ptr",
            r"variable ctx access var_off=",
        ),
        meaning="Each program type sees certain fields of its context, in certain widths, at fixed "
        "offsets from the unchanged context pointer.",
        cause="A field of another program type, a read of the wrong width, a write to a read-only "
        "field, an offset added to the context first, or more arguments than the traced function "
        "has.",
        cure="Use the context structure that belongs to the section, whole fields of it, and the "
        "pointer as it came in; with tracing use BPF_PROG() and compare the prototype.",
    ),
    ErrorClass(
        id="helper_unavailable",
        title="Helper that this program type or kernel does not have",
        category=POLICY,
        rank=12,
        patterns=(
            r"unknown func ",
            r"program of this type cannot use helper",
            r"invalid func (?!unknown#195896080)",
            r"func \S+ supported only for",
            r"func \S+ not supported for program type",
            r"helper call is not allowed in probe",
            r"cannot be called from callback|cannot tail call within callback",
        ),
        meaning="Which helpers exist depends on the program type, its attach point and the kernel.",
        cause="The helper belongs to other program types, is newer than the kernel, or is not "
        "allowed at this place.",
        cure="Choose another helper or program type; `bpftool feature probe` lists what the kernel "
        "has, bpf_core_enum_value_exists() guards a call.",
    ),
    ErrorClass(
        id="return_value",
        title="Result that the hook does not accept",
        category=POLICY,
        rank=8,
        patterns=(
            r"At program exit the register",
            r"R0 not a scalar value",
            r"At subprogram exit the register",
            r"At (async )?callback return",
            r"In async callback the register",
            r"cannot return stack pointer to the caller",
            r"the register R\d+ (has .*should have been in|is not a known value)",
        ),
        meaning="Some hooks take only certain results, and every program must return a number.",
        cause="A constant outside the hook's range, a value that is not bounded, or a pointer in "
        "R0.",
        cure="Return constants of the documented range, or bound the value before the return.",
    ),
    ErrorClass(
        id="kfunc_unavailable",
        title="Kernel function that cannot be called from here",
        category=POLICY,
        rank=12,
        patterns=(
            r"calling kernel function \S+ is not allowed",
            r"kernel (function )?btf_id \d+ (is not a function|does not have)",
            r"(JIT does not support|JIT is required for) calling k",
            r"destructive kfuncs? (calls )?require",
            r"(cannot find )?address (for|of) kernel function",
            r"calling kernel function is not supported",
            r"(failed to find|too many).*(BTF for kernel function|kernel function calls)",
            r"calling kernel functions are not allowed in non-JITed",
            r"too many different module BTFs|invalid module BTF",
            r"BTF fd for kfunc|kfunc offset > 0|negative offset disallowed for kernel module",
            r"invalid kernel function call",
            r"<invalid kfunc call>",
            r"kfunc '\S+' is referenced but wasn't resolved",
            r"metadata kfuncs (require device-bound program|can't be offloaded)",
            r"kfunc fd_idx \d+ is not a module BTF",
        ),
        meaning="A kfunc is registered for certain program types and exists in certain kernels.",
        cause="The kernel or its module lacks the function, the program type may not call it, or "
        "the JIT cannot.",
        cure="Declare it `__ksym __weak` and test bpf_ksym_exists(), or use a program type that it "
        "is registered for.",
    ),
    ErrorClass(
        id="license",
        title="GPL-only function in a program without a GPL-compatible licence",
        category=POLICY,
        rank=5,
        patterns=(
            r"cannot call GPL-restricted function from non-GPL compatible program",
            r"cannot call GPL only function from proprietary program",
            r"cannot call kernel function from non-GPL compatible program",
            r"must have a GPL compatible license",
        ),
        meaning="Kfuncs, tracing helpers and some others are for GPL-compatible programs.",
        cause="The `license` section is missing or names another licence.",
        cure='Add `char LICENSE[] SEC("license") = "GPL";`, or "Dual BSD/GPL".',
    ),
    ErrorClass(
        id="attach_target",
        title="Target that cannot be attached to",
        category=POLICY,
        rank=18,
        patterns=(
            r"attach_btf_id \d+",
            r"Tracing programs must provide btf_id",
            r"Cannot (replace|extend|nest|recursively)",
            r"attach to (unsupported|invalid) member",
            r"\(\) is not modifiable",
            r"func '\S+' doesn't have \d+-th argument",
            r"func '\S+' (arg|size|offset)",
            r"can only be attached to another program|Can attach to only JITed|Only FENTRY",
            r"Extension program|Subprog \S+ doesn't exist|Target program bound",
            r"struct_ops module|can't modify return codes|>8 byte return value",
            r"__noreturn functions|The address of function|Cannot find btf of tracepoint",
            r"is not a global function|doesn't match (type|\S+\()|Return type ",
            r"BPF_LSM_CGROUP",
            r"ret type \S+ not allowed",
            r"Attaching (tracing programs|f\S+) to .* is rejected",
            r"arg\d+ in \S+\(\) (is|has) |\(\) has \d+ args while |freplace programs with >1 args",
            r"The function \S+ (has|return type|with variable args|arg\d+ type) ",
        ),
        meaning="Programs for fentry, LSM, freplace and struct_ops name what they attach to, and "
        "the kernel compares it with its own BTF.",
        cause="The function does not exist on this kernel, was inlined, may not be traced, or has "
        "another signature than the program.",
        cure="Look the name up in the kernel's BTF (`bpftool btf dump`) and kallsyms; fall back to "
        "a kprobe.",
        lesson=False,  # the kernels without fentry and LSM refuse before they look at the target
    ),
    ErrorClass(
        id="ptr_leak",
        title="Kernel address that user space could see",
        category=POLICY,
        rank=10,
        patterns=(
            r"R\d+ leaks addr",
            r"leaking pointer from stack off",
        ),
        meaning="Without CAP_PERFMON a program may not let a pointer out: not into maps, packets, "
        "the context or its result.",
        cause="A pointer is stored or returned by a program loaded with few privileges.",
        cure="Store a number instead, or load with CAP_BPF and CAP_PERFMON.",
        lesson=False,  # the lessons are loaded by root, for whom the rule does not hold
    ),
    ErrorClass(
        id="core_poison",
        title="CO-RE relocation failed, and the code behind it is reachable",
        category=POLICY,
        rank=1,
        patterns=(
            r"invalid func unknown#195896080",
            r"<invalid CO-RE relocation>",
            r"failed to resolve CO-RE relocation",
            r"instruction poisoned by CO-RE",
        ),
        meaning="The loader found no such field, type or value in this kernel and replaced the "
        "instruction by one that fails (195896080 is 0xbad2310).",
        cause="A structure differs between kernels, and the access is not guarded.",
        cure="Guard it with bpf_core_field_exists() or bpf_core_type_exists(), or describe the "
        "other layout with a flavour (`struct name___old`).",
    ),
    ErrorClass(
        id="privilege",
        title="Capability that the loader does not have",
        category=POLICY,
        rank=9,
        patterns=(
            r"prohibited for !root",
            r"allowed (only )?(for|to) CAP_",
            r"CAP_BPF and CAP_PERFMON are required",
            r"function calls to other bpf functions are allowed for root only",
            r"requires CAP_BPF or CAP_SYS_ADMIN",
            r"loading/calling other bpf or kernel functions are allowed for",
        ),
        meaning="What the program does is reserved for privileged loaders.",
        cause="Loaded without CAP_BPF, CAP_PERFMON or CAP_NET_ADMIN.",
        cure="Load it as root, or give the loader these capabilities.",
        lesson=False,  # the lessons are loaded by root
    ),
    ErrorClass(
        id="jit",
        title="Feature that needs a JIT compiler",
        category=POLICY,
        rank=12,
        patterns=(
            r"JIT (doesn't support|does not support|is required) (?!(for )?calling k)",
            r"(?<!kernel functions are not allowed in )non-JITed programs",
            r"mixing of tail_calls and bpf-to-bpf calls is not supported",
            r"tail_calls are not allowed in programs with bpf-to-bpf calls",
            r"requires BPF JIT compiler|Private stack not supported by jit",
        ),
        meaning="Some features exist only where the architecture's JIT has them and it is on.",
        cause="net.core.bpf_jit_enable is 0, or the architecture's JIT lacks the feature.",
        cure="`sysctl net.core.bpf_jit_enable=1`; avoid the feature on that architecture.",
        lesson=False,  # takes another architecture, or a kernel with its JIT switched off
    ),
)
