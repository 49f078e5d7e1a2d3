"""Arguments of helpers, kfuncs and functions that do not fit."""

from __future__ import annotations

from verifier_diary.catalogue.entry import CALLS, ErrorClass

_ARGUMENT = r"(arg#\d+|R\d+)"  # newer kernels name the register

CLASSES = (
    ErrorClass(
        id="size_arg",
        title="Length passed to a helper is not bounded",
        category=CALLS,
        rank=11,
        patterns=(
            r"R\d+ unbounded memory access, use 'var &= const'",
            r"R\d+ min value is negative, either use unsigned or 'var &= const'",
            r"invalid zero-sized read",
            r"memory, len pair leads to invalid memory access",
        ),
        meaning="A pointer and its length are checked together: the length must be proved to be at "
        "least 0 (or 1) and at most what lies behind the pointer.",
        cause="The length may be negative, larger than the buffer, or 0 where the helper takes no "
        "empty buffer; or the check was made on another copy of it.",
        cure="Make the length unsigned, clamp it to the buffer's size right before the call, and "
        "leave 0 out if the helper refuses it.",
    ),
    ErrorClass(
        id="map_type",
        title="Map that does not fit the helper or the program",
        category=CALLS,
        rank=12,
        patterns=(
            r"cannot pass map_type \d+ into func",
            r"invalid arg_type for sockmap",
            r"expected prog array map for tail call",
            r"cannot update sockmap in this context",
            r"only one cgroup storage of each type is allowed",
            r"Only one arena per program",
            r"callback function not allowed for map",
            r"get_local_storage\(\) doesn't support non-zero flags",
            r"tail_call abusing map_ptr",
            r"only read from bpf_array is supported",
            r"offload device mismatch between prog and map",
            r"bpf_struct_ops map cannot be used in prog",
            r"arena's user address must be set",
        ),
        meaning="Many helpers work on one type of map only.",
        cause="A helper was handed a map of another type, the program type may not use it, or "
        "there are two of a kind of which one is allowed.",
        cure="Declare the map with the type that the helper is made for: PERF_EVENT_ARRAY for "
        "bpf_perf_event_output(), PROG_ARRAY for bpf_tail_call(), RINGBUF for bpf_ringbuf_*().",
    ),
    ErrorClass(
        id="arg_type",
        title="Argument of another type than the helper takes",
        category=CALLS,
        rank=25,
        patterns=(
            r"R\d+ type=\S* ?expected=",
            r"R\d+ is of type \S+ but \S+ is expected",
            r"Helper has invalid btf",
            r"R\d+ is not a (known )?const",
            r"invalid map_ptr to access map->",
            r"helper access to the packet is not allowed",
            r"may write into memory pointed by R\d+",
            r"R\d+ is not a scalar",
            r"Unsupported reg type \S+ for bpf_dynptr_from_mem",
            r"direct value access on string failed",
            r"string is not zero-terminated",
            r"Invalid format string",
            r"R\d+ must point to kernel BTF",
            r"no direct value access support",
            r"unable to resolve the size of type",
            r"invalid btf_id for context argument",
            r"R\d+ is not a pointer to arena",
            r"timer pointer in R1 map_uid",
        ),
        meaning="Each parameter of a helper accepts some kinds of values; `expected=` lists them.",
        cause="Arguments in the wrong order, a value instead of its address, a kernel pointer "
        "where stack or map memory is needed, or a number where a pointer is.",
        cure="Compare the call with the helper's prototype; copy the data to the stack or a map "
        "and pass `&copy`; pass maps as `&map`.",
    ),
    ErrorClass(
        id="dynptr",
        title="Dynptr not initialised, overwritten, or not where it must be",
        category=CALLS,
        rank=7,
        patterns=(
            r"[Dd]ynptr has to be",
            r"Expected (an initialized|a) dynptr",
            r"cannot overwrite referenced dynptr",
            r"potential write to dynptr",
            r"cannot pass in (?!iter|irq)\S+ at an offset",
            r"expected pointer to stack or (const struct bpf_dynptr|dynptr_ptr)",
            r"cannot pass pointer to const bpf_dynptr",
            r"no dynptr in bpf_dynptr",
        ),
        meaning="A dynptr is opaque: it lives on the stack, is initialised once, and only helpers "
        "may touch its bytes.",
        cause="Used before it was made or after it was submitted, made twice, moved by an offset, "
        "its stack bytes overwritten, or of another kind than the helper takes.",
        cure="Initialise one dynptr per local variable, and submit or discard ring-buffer dynptrs "
        "on every path, even when the reservation failed.",
    ),
    ErrorClass(
        id="special_field",
        title="Timer, spin lock, kptr or work queue field used wrongly",
        category=CALLS,
        rank=9,
        patterns=(
            r"map '\S*' has to have BTF in order to use",
            r"has no valid (bpf_\S+|kptr)",
            r"doesn't point to 'struct bpf_|doesn't point to kptr",
            r"kptr (access|in map|cannot|isn't)",
            r"invalid kptr access",
            r"store to (referenced kptr|uptr) disallowed",
            r"cannot be used in tracing programs on types with NMI unsafe fields",
            r"cannot be accessed directly by load/store",
            r"has to be at the constant offset",
            r"bpf_timer cannot be used for PREEMPT_RT",
            r"(tracing|socket filter) progs cannot use bpf_",
            r"tracing progs cannot use bpf_\{",
            r"BPF_ST imm must be 0 when storing to kptr",
            r"doesn't have 'struct bpf_|has more than one 'struct bpf_",
            r"has more than \d+ kptr|has repeating kptr|is not a struct type or bpf_",
            r"not found at offset=",
        ),
        meaning="Special fields are found through the map's BTF and may be touched only by the "
        "helpers made for them.",
        cause="The map has no BTF for its value, the value has no such field or two, the field is "
        "read or written like plain memory, or the program type may not use it.",
        cure="Declare the map with `__type(value, struct ...)`, one such field in the structure, "
        "and pass `&value->field` to the helpers.",
    ),
    ErrorClass(
        id="kfunc_arg",
        title="Argument that a kfunc's contract refuses",
        category=CALLS,
        rank=26,
        patterns=(
            r"R\d+ must be (a )?(referenced|rcu pointer|known constant)",
            r"kernel function \S+ (args?#|returns|unhandled)",
            r"Unrecognized " + _ARGUMENT + r" type",
            _ARGUMENT + r" (pointer type|expected pointer|is neither|doesn't point|type \S+ must)",
            _ARGUMENT + r" is \S+ expected",
            r"rdonly/rdwr_buf_size",
            r"arg#\d+ type (\d|tag|isn't|doesn't)",
            r"arg\d+ expected pointer to func",
            r"Function \S+ has \d+ > \d+ args",
            r"pointer in R\d+ isn't map pointer",
            r"max struct nesting depth",
            r"kfunc \S+ failed callback verification",
            r"local type ID argument|bpf_obj_new|bpf_percpu_obj_new|bpf_rdonly_cast",
            r"pointer in R\d+ map_uid=\d+ doesn't match|allocated object must be referenced",
            r"css_task_iter is only allowed",
            r"acquire kernel function does not return PTR_TO_BTF_ID",
        ),
        meaning="A kfunc says for each parameter what it needs: a trusted or reference-counted "
        "pointer, one struct type, a constant, a sized buffer.",
        cause="The pointer was walked out of another object or loaded from a map without being a "
        "kptr, has another type, or a constant is needed and a variable came.",
        cure="Acquire the object first, or hold bpf_rcu_read_lock() while walking to it; pass the "
        "exact type, and literals where the kfunc wants constants.",
    ),
    ErrorClass(
        id="iterator",
        title="Open-coded iterator out of order",
        category=CALLS,
        rank=7,
        patterns=(
            r"expected (an |un)?initialized iter_",
            r"expected valid iter pointer",
            r"expected pointer to an iterator on stack",
            r"cannot pass in iter\S* at an offset|iter\S* has to be at a constant offset",
        ),
        meaning="An iterator on the stack is made once, advanced, and destroyed once.",
        cause="bpf_iter_*_next() or _destroy() without _new(), twice, or on another variable.",
        cure="Use bpf_for() or bpf_for_each(), which pair the calls; otherwise destroy on every "
        "path what was made.",
    ),
    ErrorClass(
        id="global_func",
        title="Arguments or prototype of a global function",
        category=CALLS,
        rank=60,
        patterns=(
            r"Caller passes invalid args into func#",
            r"Global function \S+ ",
            _ARGUMENT + r" reference type\(",
            r"Arg#\d+ type \S+ in",
            r"arg#\d+ (expects pointer to ctx|has (unsupported|invalid|pointer tag|type)|arena)",
            r"arg#\d+ (untrusted cannot be combined|should be |struct doesn't have a name)",
            r"kernel supports at most \d+ parameters|global function \S+ has \d+ > \d+ args",
            r"R\d+ expects pointer to ctx",
            r"Global functions need valid BTF",
            r"reg type unsupported for arg#\d+ function",
            r"Invalid type of function",
        ),
        meaning="A function that is not static is verified by itself, knowing only its prototype: "
        "numbers, the context, and memory whose size the type tells; pointers may be NULL.",
        cause="A parameter of another kind, a pointer not tested for NULL inside, or a result that "
        "is no number.",
        cure="Make it `static` (it is then verified with each call), or test pointers inside and "
        "tag parameters with __arg_ctx, __arg_nonnull or __arg_trusted.",
    ),
)
