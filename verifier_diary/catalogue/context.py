"""Things done inside a region, or by a program, that does not allow them."""

from __future__ import annotations

from verifier_diary.catalogue.entry import CONTEXT, ErrorClass

CLASSES = (
    ErrorClass(
        id="sleepable",
        title="Something that may sleep in a program that may not",
        category=CONTEXT,
        rank=9,
        patterns=(
            r"helper call might sleep in a non-sleepable prog",
            r"sleepable .*in non-sleepable prog",
            r"Sleepable programs can only use",
            r"program must be sleepable to call sleepable kfunc",
            r"is not sleepable",
            r"global functions that may sleep are not allowed",
            r"can be sleepable$",
            r"sleepable progs cannot use",
            r"can only be sleepable|of this type cannot be sleepable",
            r"Sleepable program cannot attach to",
        ),
        meaning="Helpers that may fault or wait run only in programs loaded as sleepable; those "
        "in turn may not use every map.",
        cause="bpf_copy_from_user() and the like in a program without `.s` in its section, a map "
        "type that sleepable programs cannot use, or a hook that cannot sleep.",
        cure="Use the sleepable section (`fentry.s/`, `lsm.s/`, `iter.s/`, `uprobe.s/`) where the "
        "hook has one, or the variant that does not sleep, such as bpf_probe_read_user().",
    ),
    ErrorClass(
        id="rcu_preempt_irq",
        title="RCU, preemption and interrupt regions entered and left unevenly",
        category=CONTEXT,
        rank=7,
        patterns=(
            r"inside bpf_(rcu_read_lock|preempt_disable|local_irq_save)-ed region",
            r"(nested|unmatched) rcu read",
            r"expected an RCU CS when using",
            r"cannot restore irq state out of order",
            r"expected (an )?(un)?initialized irq flag",
            r"bpf_preempt_enable\S* (is |are )?missing",
            r"unmatched attempt to enable preemption",
            r"Calling bpf_rcu_read_\{lock,unlock\}",
            r"sleepable (helper|kfunc|global function) \S+ (called )?in (?!non-sleepable|lock)",
            r"is sleepable within (?!non-sleepable|lock)|requires RCU critical section protection",
            r"doesn't point to an irq flag",
            r"irq flag (acquired|has to be)|cannot pass in irq\S* at an offset",
            r"global function calls are not allowed with (preemption|IRQs) disabled",
            r"bpf_rcu_read_unlock is missing",
        ),
        meaning="Whoever opens such a region closes it on every path, in reverse order, and does "
        "nothing inside that could sleep or leave.",
        cause="A return, throw or tail call between enter and leave, a leave without an enter, "
        "flags restored in the wrong order, or a sleeping call inside.",
        cure="Close the region before every way out; do what may sleep before or behind it.",
    ),
    ErrorClass(
        id="lock",
        title="Spin lock held where it may not be, or not released",
        category=CONTEXT,
        rank=8,
        patterns=(
            r"function calls are not allowed while holding a lock",
            r"bpf_(res_)?spin_(un)?lock\S* .*"
            r"(missing|without taking|of different lock|out of order|not allowed)",
            r"_(un)?lock\S* (without taking|of different lock|cannot be out of order)",
            r"Locking two bpf_spin_locks",
            r"inside bpf_(res_)?spin_lock-ed region",
            r"held lock and object are not in the same allocation",
            r"bpf_spin_lock at off=\d+ must be held",
            r"sleepable .*in lock region",
            r"can't (res_)?spin_\{lock,unlock\} in rbtree cb",
            r"use static function instead",
            r"AA deadlock|[Aa]cquiring the same lock again",
        ),
        meaning="Between lock and unlock a program may neither call nor leave, and it holds one "
        "lock at a time.",
        cause="A helper, kfunc or function called inside the critical section, a second lock, an "
        "unlock of another lock, or a path that returns without unlocking.",
        cure="Copy out what the section needs, call before or after it, and unlock on every path.",
    ),
    ErrorClass(
        id="exception",
        title="Exception thrown where it may not be, or its callback malformed",
        category=CONTEXT,
        rank=6,
        patterns=(
            r"bpf_throw (kfunc|cannot)",
            r"exception c(b|allback)",
        ),
        meaning="An exception unwinds the whole program at once, so nothing may be held and the "
        "callback has a fixed form.",
        cause="Thrown inside a callback or a locked region, or an exception callback that is "
        "missing, static, called directly, or has other parameters than one number.",
        cure="Throw from the main program or its functions with nothing held; declare the callback "
        "as `int f(u64 cookie)`, global, named by __exception_cb().",
    ),
)
