"""Register and stack-slot states, from Linux 4.x to 7.3: text in, values out, and back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from verifier_diary.ranges import Range, range_of

# One entry: a name, its liveness marks (up to 6.17), a value with at most two levels of brackets.
_ENTRY = re.compile(
    r"(?P<name>R\d{1,2}|fp-?\d{1,6})(?P<marks>_[rwD\d]+|_)?="
    r"(?P<value>[^\s(]*(?:\((?:[^()]|\([^()]*\))*\))?)(?P<gap>[ \t]*)"
)
_REFS = re.compile(r"(refs=\d+(?:,\d+)*|cb|async_cb)(?!\w)([ \t]*)")
_VALUE = re.compile(
    r"(?P<precise>P?)(?P<kind>[a-z_]\w*?|)(?P<old_precise>P?)"
    r"(?P<frame>\[\d+\])?(?P<number>-?(?:0x[0-9a-f]+|\d+))?(?P<attributes>\(.*\))?",
    re.DOTALL,
)
_NUMBER = re.compile(r"-?(?:0x[0-9a-f]{1,16}|[0-9]{1,20})")
_SLOT_BYTES = re.compile(r"[?rm0dif]{8}")
_NUMBERED = ("", "inv", "imm", "fp", "scalar")  # kinds that a bare number may follow
_SCALARS = ("", "inv", "imm", "scalar", "unknown")
_MARKS = ("rdonly_", "ringbuf_", "alloc_", "user_", "percpu_", "rcu_", "untrusted_", "trusted_")


@dataclass(frozen=True, slots=True)
class Attribute:
    """`umin=1`, several at once (`smin=umin=1`), or a flag (`non_own_ref`)."""

    names: tuple[str, ...]
    value: str | None = None

    def __str__(self) -> str:
        """Return the text it was read from."""
        return "=".join((*self.names, *(() if self.value is None else (self.value,))))


@dataclass(frozen=True)
class Value:
    """What the verifier knows of one register or slot."""

    kind: str  # "" for a known number of newer kernels, "scalar", "pkt", "map_value_or_null", ...
    number: str = ""  # a known number, or the offset of fp
    frame: str = ""  # "[1]" for a pointer into another frame's stack
    attributes: tuple[Attribute, ...] | None = None
    precise: bool = False
    old_precise: bool = False  # `invP5`: the mark behind the kind, to 5.17
    bytes: str = ""  # of a stack slot: "mmmm????"
    raw: str = ""  # what fits none of the above

    def __str__(self) -> str:
        """Return the text it was read from."""
        if self.bytes or self.raw:
            return self.bytes or self.raw
        attributes = "" if self.attributes is None else f"({','.join(map(str, self.attributes))})"
        precise, old = "P" * self.precise, "P" * self.old_precise
        return f"{precise}{self.kind}{old}{self.frame}{self.number}{attributes}"

    def attribute(self, *names: str) -> str | None:
        """Return the value of the first attribute that has one of the names."""
        for attribute in self.attributes or ():
            if any(name in attribute.names for name in names):
                return attribute.value
        return None

    def integer(self, *names: str) -> int | None:
        """Return such an attribute as a number."""
        return to_int(self.attribute(*names))

    @cached_property
    def is_scalar(self) -> bool:
        """Say whether this is a number and no pointer."""
        return self.kind in _SCALARS and not self.bytes and not self.raw

    @cached_property
    def constant(self) -> int | None:
        """Return the number if it is known."""
        return to_int(self.number) if self.is_scalar else None

    @cached_property
    def base(self) -> str:
        """Return the kind without its qualifiers: `ptr` of trusted_ptr_or_null_sock."""
        kind = self.kind
        while prefix := next((mark for mark in _MARKS if kind.startswith(mark)), None):
            kind = kind.removeprefix(prefix)
        return "ptr" if kind.startswith("ptr_") else kind.removesuffix("_or_null")

    @cached_property
    def may_be_null(self) -> bool:
        """Say whether the verifier still expects NULL here."""
        return "or_null" in self.kind

    @cached_property
    def range(self) -> Range:
        """Return the bounds: of a number, or of the variable part of a pointer's offset."""
        return range_of(self)


@dataclass(frozen=True, slots=True)
class Entry:
    """`R2_w=pkt(r=14)` or `fp-8=mmmm????`."""

    name: str
    value: Value
    marks: str = ""

    def __str__(self) -> str:
        """Return the text it was read from."""
        return f"{self.name}{self.marks}={self.value}"

    @property
    def register(self) -> int | None:
        """Return the register's number, or None for a stack slot."""
        return int(self.name[1:]) if self.name[0] == "R" else None

    @property
    def slot(self) -> int | None:
        """Return the slot's offset from the frame pointer, or None for a register."""
        return int(self.name[2:]) if self.name[0] == "f" else None


@lru_cache(maxsize=4096)
def parse_state(text: str) -> tuple[tuple[Entry, ...], str]:
    """Split a list of states; the second is what follows it, from the first stranger on."""
    entries: list[Entry] = []
    position = len(text) - len(text.lstrip(" \t"))
    while match := _ENTRY.match(text, position):
        value = parse_value(match["value"])
        entries.append(Entry(match["name"], value, match["marks"] or ""))
        position = match.end()
    while match := _REFS.match(text, position):
        position = match.end()
    return tuple(entries), text[position:]


@lru_cache(maxsize=4096)
def parse_value(text: str) -> Value:
    """Read one value; `str` gives the text back."""
    if _SLOT_BYTES.fullmatch(text) and not text.isdigit():
        return Value("", bytes=text)
    match = _VALUE.fullmatch(text)
    if not match:
        return Value("", raw=text)
    kind, number = match["kind"], match["number"] or ""
    if number and kind not in _NUMBERED:  # ptr_tcp6_sock, iter_num2: the digits are its name's
        return _with_attributes(text)
    brackets = match["attributes"]
    return _faithful(
        text,
        Value(
            kind=kind,
            number=number,
            frame=match["frame"] or "",
            attributes=None if brackets is None else split_attributes(brackets[1:-1]),
            precise=bool(match["precise"]),
            old_precise=bool(match["old_precise"]),
        ),
    )


def _with_attributes(text: str) -> Value:
    kind, bracket, rest = text.partition("(")
    attributes = split_attributes(rest[:-1]) if bracket else None
    return _faithful(text, Value(kind, attributes=attributes))


# The law of the parser is kept whatever a log holds.
def _faithful(text: str, value: Value) -> Value:
    return value if str(value) == text else Value("", raw=text)


def split_attributes(text: str) -> tuple[Attribute, ...]:
    """Split what is between the brackets of a value."""
    if not text:
        return ()
    parts = re.split(r",(?![^(]*\))", text)
    return tuple(_attribute(part) for part in parts)


def _attribute(text: str) -> Attribute:
    *names, value = text.split("=")
    return Attribute(tuple(names), value) if names else Attribute((value,))


def to_int(text: str | None) -> int | None:
    """Read a decimal or hexadecimal number; None for anything else."""
    if text is None or not _NUMBER.fullmatch(text):
        return None
    return int(text, 16) if "0x" in text else int(text)
