"""Say why, in one or two sentences: the register and its range in words, per class of error."""

from __future__ import annotations

from collections.abc import Callable

from verifier_diary import words
from verifier_diary.classes import by_id
from verifier_diary.operations import Kind
from verifier_diary.reason_calls import CALL_REASONS
from verifier_diary.scene import Scene

FRAME = 512  # bytes of stack


def reason(scene: Scene) -> str:
    """Return the reason in words; the class's meaning where nothing more is known."""
    tell = _REASONS.get(scene.verdict.class_id)
    told = tell(scene) if tell else ""
    if not told and scene.verdict.class_id not in _NO_REGISTER:
        told = _held(scene)
    meaning = by_id(scene.verdict.class_id).meaning
    return f"{told} {meaning}" if told else meaning


# Nothing of a register explains these.
_NO_REGISTER = ("insn_encoding", "cfg", "btf_metadata", "ksym_map_fd", "license", "no_message",
                "unclassified", "loader", "compile_error", "exception", "sleepable", "ld_abs",
                "lock", "rcu_preempt_irq", "same_insn")  # fmt: skip


def _held(scene: Scene) -> str:
    held = scene.held()
    return f"{held}." if held else ""


def _packet_bounds(scene: Scene) -> str:
    match = scene.said(
        r"access to packet, off=(-?\d+) size=(\d+), R(\d+)\(id=\d+,off=-?\d+,r=(\d+)"
    )
    if not match:
        return _held(scene)
    offset, size, name, known = int(match[1]), int(match[2]), f"R{match[3]}", int(match[4])
    value = scene.value(name)
    known = max(known, (value.integer("r") or 0) if value else 0)
    many = (
        "no byte of the packet is known to exist"
        if known <= 0
        else (f"the packet is known to hold only {known} byte{'s' * (known != 1)}")
    )
    where = f"at offset {offset}"
    if value and value.range.umin != value.range.umax:
        span = words.span(value.range)
        where = f"at offset {offset} plus a variable part of {span}"
    return f"{name} is used for {_bytes(size)} {where}; {many}."


def _map_value_bounds(scene: Scene) -> str:
    match = scene.said(r"(value|key)_size=(\d+) off=(-?\d+) size=(\d+)")
    if not match:
        return _held(scene)
    what, limit, offset, size = match[1], *map(int, match.groups()[1:])
    side = scene.said(r"R(\d+) (min|max) value is outside")
    name = f"R{side[1]}" if side else scene.name
    value = scene.value(name) if name else None
    start = f"{name} may point to byte {words.offsets(value)} of the {what}; " if value else ""
    end = f"byte {offset + size}" if offset >= 0 else f"{_bytes(-offset)} before its start"
    reach = (
        f"{_bytes(size)} from byte {offset} on reach to {end}"
        if offset >= 0
        else (f"the access begins {end}")
    )
    return f"{start}{reach}, and the {what} has {limit}."


def _mem_bounds(scene: Scene) -> str:
    match = scene.said(r"mem_size=(\d+) off=(-?\d+) size=(\d+)")
    if not match:
        return _held(scene)
    limit, offset, size = map(int, match.groups())
    held = scene.held()
    more = f" ({held})" if held else ""
    return f"{_bytes(size)} at offset {offset} do not fit into {limit} bytes of memory{more}."


def _unbounded_index(scene: Scene) -> str:
    value = scene.suspect
    if value is None:
        return ""
    side = "lower" if scene.said("min value is negative") else "upper"
    if value.is_scalar:
        return f"{_held(scene)[:-1]}: no {side} bound."
    span = words.span(value.range)
    return f"The variable part of {scene.name}'s offset may be {span}: no usable {side} bound."


def _null_deref(scene: Scene) -> str:
    value = scene.suspect
    if value is None or value.is_scalar:
        return f"{scene.name} may be NULL." if scene.name else ""
    maker = next(
        (
            event.operation.name
            for event in reversed(scene.path.events[:-1])
            if event.operation.kind is Kind.CALL
            and (made := event.printed(event.frame, "R0"))
            and made.may_be_null
            and made.integer("id") == value.integer("id")
        ),
        "",
    )
    origin = f", what {maker}() returned" if maker else ""
    return f"{scene.name} is {words.describe(value)}{origin}."


def _scalar_deref(scene: Scene) -> str:
    kind = scene.said(r"invalid mem access '([^']*)'")
    value = scene.suspect
    if value is None:
        return f"{scene.name} is of kind '{kind[1]}'." if kind else ""
    if value.is_scalar:
        return f"{scene.name} is {words.describe(value)}, not a pointer the verifier knows."
    return f"{scene.name} is {words.describe(value)}, which cannot be read or written through."


def _uninit_register(scene: Scene) -> str:
    name = scene.name
    frame = scene.last.frame if scene.last else 0
    for event in reversed(scene.path.events[:-1]):
        if event.frame != frame:
            continue
        kind = event.operation.kind
        if kind in (Kind.CALL, Kind.ENTER) and name in ("R1", "R2", "R3", "R4", "R5"):
            called = f"{event.operation.name}()" if event.operation.name else "the function"
            return (
                f"{name} holds nothing: the call of {called} at instruction {event.index} "
                "destroyed R1-R5."
            )
        if event.operation.target == name:
            return f"{name} holds nothing that may be read."
    since = "" if scene.path.whole else ", as far as the log goes back"
    return f"Nothing was ever written to {name} on this path{since}."


def _ptr_math(scene: Scene) -> str:
    last = scene.last
    if last is None:
        return ""
    parts = [f"{n} is {words.describe(v)}" for n in last.operation.sources if (v := scene.value(n))]
    return f"{'; '.join(parts)}." if parts else _held(scene)


def _return_value(scene: Scene) -> str:
    value = scene.value("R0")
    match = scene.said(r"should have been in [\[(](\S+?)[,;] (\S+?)[\])]")
    held = f"R0 is {words.describe(value)} at the exit" if value else ""
    if not held and (said := scene.said(r"has (?:value )?(\S+ \S+) should")):
        held = f"R0 has {said[1]}"
    allowed = f"the hook takes {_decimal(match[1])} to {_decimal(match[2])}" if match else ""
    told = "; ".join(text for text in (held, allowed) if text)
    return f"{told}." if told else ""


def _ref_leak(scene: Scene) -> str:
    match = scene.said(r"id=(\d+) alloc_insn=(\d+)")
    if not match:
        return ""
    index = int(match[2])
    events = [event for event in scene.path.events if event.index == index]
    by = f" by {events[-1].operation.name}()" if events and events[-1].operation.name else ""
    return f"Reference {match[1]}, acquired{by} at instruction {index}, is still held at the exit."


def _stack_bounds(scene: Scene) -> str:
    match = scene.said(r"stack R\d+ off=(-?\d+) size=(\d+)")
    if not match:
        return _held(scene)
    offset, size = int(match[1]), int(match[2])
    first, last = offset, offset + size - 1
    if first >= -FRAME and last < 0 and scene.said("read from stack"):
        return (
            f"{_bytes(size)} at fp{offset:+d} lie within the frame, but nothing was written there "
            "or below on this path."
        )
    return (
        f"{_bytes(size)} at fp{offset:+d} span fp{first:+d} to fp{last:+d}; the frame is "
        f"fp-{FRAME} to fp-1."
    )


def _stack_uninit(scene: Scene) -> str:
    match = scene.said(r"off (-?\d+)\+(\d+) size (\d+)")
    if not match:
        return _held(scene)
    start, byte, size = map(int, match.groups())
    slot = scene.value(f"fp{(start + byte) // 8 * 8}")
    if slot and not slot.bytes and not slot.is_scalar:
        return (
            f"Of the {_bytes(size)} at fp{start:+d}, byte {byte} (fp{start + byte:+d}) belongs to "
            f"{words.describe(slot)}, which is no data."
        )
    return (
        f"Of the {_bytes(size)} at fp{start:+d}, byte {byte} (fp{start + byte:+d}) was never "
        "written on this path."
    )


def _ctx_access(scene: Scene) -> str:
    match = scene.said(r"context access off=(-?\d+) size=(\d+)")
    return f"{_bytes(int(match[2]))} at offset {match[1]} of the context." if match else ""


def _loop(scene: Scene) -> str:
    match = scene.said(r"infinite loop detected at insn (\d+)")
    if match:
        return f"Instruction {match[1]} was reached again in the same state."
    match = scene.said(r"back-edge from insn (\d+) to (\d+)")
    return f"Instruction {match[1]} jumps back to {match[2]}." if match else ""


def _complexity(scene: Scene) -> str:
    match = scene.said(r"(Processed \d+ insn|sequence of \d+ jumps)")
    return f"The verifier gave up: {match[1][0].lower()}{match[1][1:]}." if match else ""


def _stack_limit(scene: Scene) -> str:
    match = scene.said(r"stack size of (?:subprog )?(\d+)(?: calls)? is (\d+)")
    return f"The stack would take {match[2]} bytes." if match else ""


def _internal(scene: Scene) -> str:
    last = scene.last
    if last and last.operation.name == "bpf_tail_call" and scene.said("misconfigured verifier"):
        return "The map of this tail call is no PROG_ARRAY."
    return ""


def _bytes(size: int) -> str:
    return f"{size} byte{'s' * (size != 1)}"


def _decimal(text: str) -> str:
    return str(int(text, 16)) if text.startswith("0x") else text


_REASONS: dict[str, Callable[[Scene], str]] = {
    "packet_bounds": _packet_bounds,
    "map_value_bounds": _map_value_bounds,
    "mem_bounds": _mem_bounds,
    "unbounded_index": _unbounded_index,
    "null_deref": _null_deref,
    "scalar_deref": _scalar_deref,
    "uninit_register": _uninit_register,
    "ptr_math_unbounded": _ptr_math,
    "ptr_math_range": _ptr_math,
    "ptr_arith_prohibited": _ptr_math,
    "return_value": _return_value,
    "ref_leak": _ref_leak,
    "stack_bounds": _stack_bounds,
    "stack_uninit": _stack_uninit,
    "ctx_access": _ctx_access,
    "loop": _loop,
    "complexity": _complexity,
    "stack_limit": _stack_limit,
    "internal": _internal,
    **CALL_REASONS,
}
