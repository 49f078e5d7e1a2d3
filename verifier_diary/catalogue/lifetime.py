"""References that must be given back, and objects that have an owner."""

from __future__ import annotations

from verifier_diary.catalogue.entry import LIFETIME, ErrorClass

CLASSES = (
    ErrorClass(
        id="ref_leak",
        title="Reference acquired and not given back",
        category=LIFETIME,
        rank=8,
        patterns=(
            r"(Unreleased|Leaking) reference id=",
            r"would lead to reference leak",
            r"program with __ref argument cannot tail call",
        ),
        meaning="What a helper hands out with a reference must be released on every way out; "
        "`alloc_insn` is the call that acquired it.",
        cause="An early return, an error branch or a tail call leaves while a socket, a "
        "ring-buffer record, a task or an allocated object is still held.",
        cure="Release, submit or discard before each return and before bpf_tail_call().",
    ),
    ErrorClass(
        id="ref_release",
        title="Release of something that is not held",
        category=LIFETIME,
        rank=9,
        patterns=(
            r"R\d+ must be referenced when passed to release function",
            r"release kernel function \S+ expects",
            r"reference has not been acquired before",
            r"(arg ?#?|R)\d+ is an unacquired reference",
            r"more than one (release argument|arg with ref_obj_id)",
            r"cannot release unowned const bpf_dynptr|^CONST_PTR_TO_DYNPTR cannot be released",
            r"release (helper|kfunc) \S+ expects referenced",
        ),
        meaning="Only a pointer that carries a live reference can be released.",
        cause="The reference was released before, was never acquired (a pointer walked or looked "
        "up), or the variable holds another pointer by now.",
        cure="Release exactly once, through the pointer that the acquiring call returned.",
    ),
    ErrorClass(
        id="graph_ownership",
        title="Rules of rbtrees, linked lists and owned objects",
        category=LIFETIME,
        rank=6,
        patterns=(
            r"rbtree_remove (node|not)",
            r"bpf_rbtree_\S+ (can only|not allowed)",
            r"operation on \S+ expects (arg#|R)\d",
            r"(arg#|R)\d offset=\d+, but expected",
            r"not allowed in rbtree cb",
            r"bpf_list_\S+ (can only|not allowed|node|expects|not found at|has to be at)",
            r"direct access to bpf_list_\S+ is disallowed",
            r"\S+ can only take non-owning or refcounted",
            r"expected for bpf_(percpu_)?obj_drop",
            r"conversion of owning ref to non-owning failed",
        ),
        meaning="A node belongs to the program or to one collection; inside a collection it may be "
        "touched only under the lock.",
        cause="A node added twice, used after it was removed or after the lock was left, removed "
        "without holding the lock, or a node of another collection's type.",
        cure="Add only nodes you own, take them back with the remove function under the lock, and "
        "drop what you own with bpf_obj_drop().",
    ),
)
