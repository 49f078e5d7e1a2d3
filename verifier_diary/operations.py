"""What an instruction does, read from its disassembly: what it writes, from where, and how."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

CALLER_SAVED = ("R1", "R2", "R3", "R4", "R5")
STACK = "R10"


class Kind(StrEnum):
    """The kinds that the causal path tells apart."""

    COPY = "copy"  # r1 = r2
    SET = "set"  # r1 = 5
    COMPUTE = "compute"  # r1 += r2
    LOAD = "load"
    STORE = "store"
    BRANCH = "branch"  # conditional
    JUMP = "jump"
    CALL = "call"  # a helper or a kfunc
    ENTER = "enter"  # a function of the program
    EXIT = "exit"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Operation:
    """One instruction; registers are named as states name them: R2."""

    kind: Kind
    target: str | None = None
    sources: tuple[str, ...] = ()
    base: str | None = None  # of a memory access
    offset: int = 0  # from the base, or of a jump from the next instruction
    size: int = 0  # bytes of a memory access
    name: str = ""  # of what is called
    condition: str = ""

    @property
    def slot(self) -> str | None:
        """Return the stack slot that a load or store through R10 touches, as states name it."""
        if self.base != STACK:
            return None
        return f"fp{self.offset // 8 * 8}"


_SIZES = {"8": 1, "16": 2, "32": 4, "64": 8}
_REGISTER = r"[rw](\d{1,2})"
_MEMORY = r"\*?\([us](8|16|32|64) \*\)\(r(\d{1,2}) ([+-]\d{1,6})\)"

_LOAD = re.compile(rf"{_REGISTER} = {_MEMORY}$")
_STORE = re.compile(rf"{_MEMORY} = (?:{_REGISTER}|-?\w+)$")
_LOCKED = re.compile(rf"lock {_MEMORY} \S+ {_REGISTER}$")
_ATOMIC = re.compile(rf"(?:{_REGISTER} = )?\w+\({_MEMORY}(?:, {_REGISTER})?(?:, {_REGISTER})?\)$")
_COPY = re.compile(rf"{_REGISTER} = (?:\(s\d+\))?{_REGISTER}$")
_SET = re.compile(rf"{_REGISTER} = (-?(?:0x)?[0-9a-f]+|<\w+>|map\S*)(?: ll)?$")
_COMPUTE = re.compile(rf"{_REGISTER} (?:s?[-+*/%|&^]|<<|s?>>)= (?:{_REGISTER}|-?\w+)$")
_UNARY = re.compile(rf"{_REGISTER} = (?:-|[a-z]+\d* ?|addr_space_cast\(){_REGISTER}")
_BRANCH = re.compile(rf"if ({_REGISTER} \S+ (?:{_REGISTER}|-?\w+)) goto pc([+-]\d+)")
_JUMP = re.compile(r"(may_)?goto[a-z_]* pc([+-]\d+)")
# Kernels before 4.10 print the number alone (enum bpf_func_id); the first ones suffice for them.
_BY_NUMBER = {
    "1": "bpf_map_lookup_elem",
    "2": "bpf_map_update_elem",
    "3": "bpf_map_delete_elem",
    "4": "bpf_probe_read",
    "5": "bpf_ktime_get_ns",
    "6": "bpf_trace_printk",
    "7": "bpf_get_prandom_u32",
    "8": "bpf_get_smp_processor_id",
    "9": "bpf_skb_store_bytes",
    "12": "bpf_tail_call",
    "14": "bpf_get_current_pid_tgid",
    "15": "bpf_get_current_uid_gid",
    "16": "bpf_get_current_comm",
    "25": "bpf_perf_event_output",
    "26": "bpf_skb_load_bytes",
}
_CALL = re.compile(r"call (?:pc([+-]\d+)|(\S+))")
_PACKET = re.compile(r"r0 = \*\([us](?:8|16|32) \*\)skb\[(?:r(\d))?")


@lru_cache(maxsize=8192)
def operation_of(text: str) -> Operation:
    """Decode the disassembly of one instruction."""
    for pattern, decode in _DECODERS:
        if match := pattern.match(text):
            return decode(match)
    return Operation(Kind.EXIT if text == "exit" else Kind.OTHER)


def _register(number: str | None) -> str | None:
    return None if number is None else f"R{number}"


def _named(*numbers: str | None) -> tuple[str, ...]:
    return tuple(f"R{number}" for number in numbers if number is not None)


def _load(match: re.Match[str]) -> Operation:
    target, bits, base, offset = match.groups()
    address = f"R{base}"
    return Operation(Kind.LOAD, f"R{target}", (address,), address, int(offset), _SIZES[bits])


def _store(match: re.Match[str]) -> Operation:
    bits, base, offset, value = match.groups()
    return Operation(Kind.STORE, None, _named(value), f"R{base}", int(offset), _SIZES[bits])


def _atomic(match: re.Match[str]) -> Operation:
    target, bits, base, offset, *values = match.groups()
    kind = Kind.LOAD if target is not None else Kind.STORE
    sources = _named(base, *values)
    return Operation(kind, _register(target), sources, f"R{base}", int(offset), _SIZES[bits])


def _copy(match: re.Match[str]) -> Operation:
    return Operation(Kind.COPY, f"R{match[1]}", _named(match[2]))


def _set(match: re.Match[str]) -> Operation:
    return Operation(Kind.SET, f"R{match[1]}")


def _compute(match: re.Match[str]) -> Operation:
    return Operation(Kind.COMPUTE, f"R{match[1]}", _named(match[1], match[2]))


def _branch(match: re.Match[str]) -> Operation:
    condition, left, right, offset = match.groups()
    sources = _named(left, right)
    return Operation(Kind.BRANCH, sources=sources, offset=int(offset), condition=condition)


def _jump(match: re.Match[str]) -> Operation:
    kind = Kind.BRANCH if match[1] else Kind.JUMP
    return Operation(kind, offset=int(match[2]), condition="may_goto" if match[1] else "")


def _call(match: re.Match[str]) -> Operation:
    if match[1]:
        return Operation(Kind.ENTER, offset=int(match[1]))
    name = match[2].partition("#")[0]
    return Operation(Kind.CALL, "R0", CALLER_SAVED, name=_BY_NUMBER.get(name, name))


def _packet(match: re.Match[str]) -> Operation:
    return Operation(Kind.LOAD, "R0", _named("6", match[1]))


_DECODERS = (
    (_LOAD, _load),
    (_STORE, _store),
    (_COPY, _copy),
    (_SET, _set),
    (_COMPUTE, _compute),
    (_BRANCH, _branch),
    (_CALL, _call),
    (_JUMP, _jump),
    (_LOCKED, _store),
    (_ATOMIC, _atomic),
    (_PACKET, _packet),
    (_UNARY, _compute),
)
