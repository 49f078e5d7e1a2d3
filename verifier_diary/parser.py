"""One line of a verifier log in, one value out: never raises, and prints back what it read.

The border: this module looks at one line at a time; `logfile` relates lines. The kind of a line is
found by cheap tests, register states are parsed when asked for.
"""

from __future__ import annotations

import re

from verifier_diary.lines import (
    Blank,
    Call,
    Edited,
    Flow,
    Instruction,
    Line,
    LoopState,
    Precision,
    Preface,
    ReportHead,
    Safe,
    Source,
    State,
    Summary,
    Unknown,
)

INSTRUCTION = re.compile(r"([ \t]*)(0|[1-9][0-9]{0,8}): \(([0-9a-f]{2})\) ")
_STATE = re.compile(
    r"([ \t]*)(?:(0|[1-9][0-9]{0,8}):([ \t]*))?(?:frame([0-9]|[1-9][0-9]):([ \t]*))?"
    r"((?:R[0-9]{1,2}|fp-?[0-9]{1,6})(?:_[rwD0-9]*)?=.*)",
    re.DOTALL,
)
_SAFE = re.compile(r"([ \t]*)(0|[1-9][0-9]{0,8}): safe")
_EDITED = re.compile(r"([ \t]*)(0|[1-9][0-9]{0,8}): (<invalid [^<>\n]*>)")
_FLOW = re.compile(
    r"from (0|[1-9][0-9]{0,8}) to (0|[1-9][0-9]{0,8})( \(speculative execution\))?:([ \t]*)"
    r"(?:frame([0-9]|[1-9][0-9]):([ \t]*))?(.*)",
    re.DOTALL,
)
_SOURCE = re.compile(r"([ \t]*; ?)(.*)", re.DOTALL)
_PLACE = re.compile(r"(.*) @ ([^@\n]+?):(0|[1-9][0-9]{0,8})(?::(0|[1-9][0-9]{0,8}))?", re.DOTALL)
_LISTED = re.compile(
    r"[ \t]*(?:[0-9]+[ \t]+)?[0-9]+: (?:[0-9.s]{10,12} \([0-9a-f]{2}\)|\([0-9a-f]{2}\).*\t)",
    re.ASCII,
)
_SUMMARY = re.compile(
    r"processed [0-9]+ insns|verification time [0-9]+ usec|stack depth [0-9]+|insns processed"
)
_PREFACE = re.compile(
    r"func#[0-9]+ @|Live regs before insn:|topo_order\[|subprog#[0-9]+:|stack use/def "
    r"|Validating \S+ func#[0-9]+|\([0-9]+\) (?:frame |live stack )|\([0-9]+\) *$"
)
_PRECISION = re.compile(
    r"mark_precise: |last_idx |regs=[0-9a-fr]|parent (?:didn't have|already had) regs"
    r"|force_precise: |(?:frame [0-9]+: )?propagating |falling back to "
    r"|SCC (?:enter|exit|backedge) "  # strongly connected components: of 6.16 on, level 2
)
_CALL = re.compile(
    r"caller:|callee:|returning from callee:|to caller at |returning to caller"
    r"|Func#[0-9]+ (?:\('.*'\) )?is (?:safe|global)|callback unroll|cb_depth"
    r"|func '[^']*' arg[0-9]+ has btf"  # of what an argument points to
)
_LOOP = re.compile(r"(cur|old) state:(.*)", re.DOTALL)
_REPORT = re.compile(r"Verification failed: ([^:\n]*)(?:: ([^\n]+))?")
_BY_FIRST_LETTER = {
    "p": ((_SUMMARY, Summary), (_PRECISION, Precision)),
    "v": ((_SUMMARY, Summary),),
    "s": ((_SUMMARY, Summary), (_PREFACE, Preface)),
    "i": ((_SUMMARY, Summary),),
    "f": ((_PREFACE, Preface), (_PRECISION, Precision), (_CALL, Call)),
    "S": ((_PRECISION, Precision),),
    "L": ((_PREFACE, Preface),),
    "t": ((_CALL, Call), (_PREFACE, Preface)),
    "V": ((_PREFACE, Preface),),
    "(": ((_PREFACE, Preface),),
    "m": ((_PRECISION, Precision),),
    "l": ((_PRECISION, Precision),),
    "r": ((_PRECISION, Precision), (_CALL, Call)),
    "c": ((_CALL, Call),),
    "F": ((_CALL, Call),),
}


def parse_line(text: str) -> Line:
    """Read one line, without its newline; `str` of the answer is the line."""
    bare = text.lstrip(" \t")
    first = bare[:1]
    if first.isdecimal():
        return _numbered(text)
    if first == ";":
        return _source(text)
    if first in ("R", "f"):
        if match := _STATE.fullmatch(text):
            return _state(match)
        if first == "f" and (match := _FLOW.fullmatch(text)):
            return _flow(match)
    for pattern, kind in _BY_FIRST_LETTER.get(first, ()):
        if pattern.match(bare):
            return kind(text)
    return _rare(text, first)


def _numbered(text: str) -> Line:
    if (match := INSTRUCTION.match(text)) and "\t" not in text[match.end() :]:
        return _instruction(match, text[match.end() :])
    if match := _STATE.fullmatch(text):
        return _state(match)
    if match := _SAFE.fullmatch(text):
        return Safe(match[1], int(match[2]))
    if match := _EDITED.fullmatch(text):
        return Edited(match[1], int(match[2]), match[3])
    return Preface(text) if _LISTED.match(text) else Unknown(text)


def _instruction(match: re.Match[str], rest: str) -> Instruction:
    head, semicolon, tail = rest.partition(";")
    operation = head.rstrip(" ")
    state = tail.lstrip(" ")
    gap = head[len(operation) :] + semicolon + tail[: len(tail) - len(state)]
    return Instruction(match[1], int(match[2]), int(match[3], 16), operation, gap, state)


def _state(match: re.Match[str]) -> State:
    indent, index, gap, frame, frame_gap, registers = match.groups()
    return State(
        indent,
        None if index is None else int(index),
        gap or "",
        None if frame is None else int(frame),
        frame_gap or "",
        registers,
    )


def _flow(match: re.Match[str]) -> Flow:
    start, target, note, gap, frame, frame_gap, rest = match.groups()
    number = None if frame is None else int(frame)
    return Flow(int(start), int(target), note or "", gap, number, frame_gap or "", rest)


def _source(text: str) -> Line:
    match = _SOURCE.fullmatch(text)
    if not match:
        return Unknown(text)
    mark, rest = match.groups()
    if _STATE.fullmatch(rest):  # the half of an instruction's line, where a log was cut
        return Unknown(text)
    place = _PLACE.fullmatch(rest)
    if not place:
        return Source(mark, rest)
    said, file, line, column = place.groups()
    return Source(mark, said, file, int(line), None if column is None else int(column))


def _rare(text: str, first: str) -> Line:
    if not text or text.isspace():
        return Blank(text)
    if first in "co" and (match := _LOOP.fullmatch(text)):
        return LoopState(match[1], match[2])
    if first == "V" and (match := _REPORT.fullmatch(text)):
        return ReportHead(match[1], match[2] or "")
    return Unknown(text)
