"""Turn what somebody pasted into plain logs: one per program, prefixes and addresses taken out."""

from __future__ import annotations

import errno as numbers
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from verifier_diary.logfile import GAP
from verifier_diary.parser import INSTRUCTION
from verifier_diary.prefixes import normalise
from verifier_diary.quoted import Quoted, statements
from verifier_diary.scrub import strip_addresses

_BEGIN = re.compile(r"-- BEGIN (?:[A-Z]+ )*LOG --+(.*)")
_END = re.compile(r"(.*?)(?:libbpf: )?(?:prog '[^']*': )?-- END (?:[A-Z]+ )*LOG --")
_LOADER = re.compile(
    r"libbpf: |bpf: (?:Failed|failed)|HINT: |Error: (?:failed|object)|ERROR: (?:Error|Could not)"
    r"|(?:program|prog) \S+: (?:load program|failed to load|BPF program load)"
    r"|Prog section '|BTF debug data section|Verifier analysis:| - (?:Type|Attach Type|License|"
    r"Instructions|Length):|Traceback \(most|PROCESSING .* VERIFIER LOG:"
    r"|.*load program: [a-z ]{4,40}:$|.*[Vv]erifier (?:error|log|output)[^:]*:$"
)
_AFTERWARDS = re.compile(r"HINT: |Traceback \(most")  # BCC's, behind a log without a summary
_HEADER = re.compile(r"PROCESSING .* VERIFIER LOG:")  # veristat's, before each program
_LIBBPF = re.compile(r"^[ \t]*libbpf: ")
_SUMMARY = re.compile(r"processed [0-9]+ insns")
_SIMULATED = re.compile(r"^ *\d+: \([0-9a-f]{2}\) |processed \d+ insns", re.MULTILINE)
_START = re.compile(r"func#0 @|0: \([0-9a-f]{2}\) |0: R1=|Validating \S+\(\) func#")
_PROGRAM = re.compile(r"\bprog(?:ram)? '?([\w.]+)'?: |PROCESSING [^\s,]*/(\w+),")
_FAILED = re.compile(
    r"load failed: |failed to create: |failed to load[^:]*: |load program: |rejected: |returned "
    r"|os error |errno[ :=]+|err=|error code |Failed to load program: "
)


@dataclass(frozen=True, slots=True)
class Paste:
    """One log, and what the loader said around it."""

    log: str
    loader: str = ""
    program: str | None = None
    errno: int | None = None


def clean(text: str) -> tuple[Paste, ...]:
    """Split a pasted text into its logs; a text without a log is one paste with a loader's words.

    A log that was pasted twice counts once. Never raises; an empty text gives one empty paste.
    """
    lines = list(statements(normalise(text)))
    bordered = any(isinstance(line, str) and _BEGIN.search(line) for line in lines)
    parts = _bordered(lines) if bordered else _unbordered(lines)
    return tuple(_each_once(map(_paste, parts)))


# Rust prints an error, log included, and then its cause, which is the same; libbpf loads twice.
def _each_once(pastes: Iterable[Paste]) -> Iterable[Paste]:
    found: dict[tuple[object, ...], Paste] = {}
    for paste in pastes:
        same = (paste.program, *map(str.strip, (paste.log or paste.loader).split("\n")))
        first = found.setdefault(same, paste)
        if first.errno is None and paste.errno is not None:
            found[same] = replace(first, errno=paste.errno)
    return found.values()


@dataclass(slots=True)
class _Part:
    log: list[str] = field(default_factory=list)
    around: list[str] = field(default_factory=list)
    quoted: tuple[str, ...] = ()  # the verdict, in a loader's words


def _bordered(lines: Iterable[str | Quoted]) -> list[_Part]:
    parts: list[_Part] = []
    current = _Part()
    inside = False
    for line in lines:
        if isinstance(line, Quoted):
            current.around += [line.head, *line.lines]
        elif not inside and (match := _BEGIN.search(line)):
            current.log = [rest] if (rest := match[1].strip()) else []
            current.around.append(line)
            inside = True
        elif inside and (match := _END.search(line)):
            current.log += [match[1]] * bool(match[1].strip())
            parts.append(current)
            current, inside = _Part(), False
        else:
            (current.log if inside else current.around).append(line)
    if inside:
        return [*parts, current]
    parts[-1].around += current.around  # what follows the last log is about it
    return parts


def _unbordered(lines: Iterable[str | Quoted]) -> list[_Part]:
    parts = [_Part()]
    finished = False
    for line in lines:
        part = parts[-1]
        if isinstance(line, Quoted):
            if part.quoted not in ((), line.lines):
                parts.append(part := _Part())
                finished = False
            part.around.append(line.head)
            part.quoted = line.lines
            continue
        if (finished and _START.match(line)) or (_HEADER.match(line) and part.log):
            parts.append(part := _Part())
            finished = False
        if finished or _LOADER.match(line):
            part.around.append(line)
            finished = finished or bool(part.log and _AFTERWARDS.match(line))
        else:
            part.log.append(line)
            finished = bool(_SUMMARY.search(line)) and not INSTRUCTION.match(line)
    return parts


def _paste(part: _Part) -> Paste:
    loader = "\n".join(_LIBBPF.sub("", line) for line in part.around if line.strip())
    program = _PROGRAM.search(loader)
    text = strip_addresses("\n".join(_LIBBPF.sub("", line) for line in part.log)).strip("\n")
    if part.quoted and not _SUMMARY.search(text):
        text = "\n".join((*([text] if text.strip() else []), GAP, *part.quoted))
    errno = errno_in(loader)
    if errno is None and not _SIMULATED.search(text):
        errno = errno_in(text)
    return Paste(text, loader, (program[1] or program[2]) if program else None, errno)


def errno_in(loader: str) -> int | None:
    """Find the error number in a loader's words: `-13`, `-EACCES` or `Permission denied`."""
    for match in _FAILED.finditer(loader):
        rest = loader[match.end() :].split("\n")[0]
        if number := re.match(r"-?(\d{1,4})\b", rest):
            return int(number[1]) or None
        name = re.match(r"-?(E[A-Z0-9]+)\b", rest)
        if name and name[1] in _NUMBERS:
            return _NUMBERS[name[1]]
        told = next((n for said, n in _STRINGS.items() if rest.lower().startswith(said)), None)
        if told:
            return told
    return None


_NUMBERS = {name: number for number, name in numbers.errorcode.items()}
_STRINGS = {os.strerror(number).lower(): number for number in numbers.errorcode}
