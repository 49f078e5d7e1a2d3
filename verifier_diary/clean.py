"""Turn what somebody pasted into plain logs: one per program, prefixes and addresses taken out."""

from __future__ import annotations

import errno as numbers
import os
import re
from dataclasses import dataclass

from verifier_diary.parser import INSTRUCTION
from verifier_diary.prefixes import normalise
from verifier_diary.scrub import ADDRESS, strip_addresses

_BEGIN = re.compile(r"-- BEGIN (?:[A-Z]+ )*LOG --+(.*)")
_END = re.compile(r"(.*?)(?:libbpf: )?(?:prog '[^']*': )?-- END (?:[A-Z]+ )*LOG --")
_LOADER = re.compile(
    r"libbpf: |bpf: (?:Failed|failed)|HINT: |Error: (?:failed|object)|ERROR: (?:Error|Could not)"
    r"|(?:program|prog) \S+: (?:load program|failed to load|BPF program load)"
    r"|Prog section '|BTF debug data section|Verifier analysis:| - (?:Type|Attach Type|License|"
    r"Instructions|Length):|Traceback \(most|PROCESSING .* VERIFIER LOG:"
)
_AFTERWARDS = re.compile(r"HINT: |Traceback \(most")  # BCC's, behind a log without a summary
_HEADER = re.compile(r"PROCESSING .* VERIFIER LOG:")  # veristat's, before each program
_INTRODUCED = re.compile(
    r"(.*?(?:load program: [a-z ]{4,40}|[Vv]erifier (?:output|log|error output)):) +(?=\S)(.*)"
)
_OMITTED = re.compile(r" \(\d+ lines?(?:\(s\))? omitted\)$")
_SUMMARY = re.compile(r"processed [0-9]+ insns")
_START = re.compile(r"func#0 @|0: \([0-9a-f]{2}\) |0: R1=|Validating \S+\(\) func#")
_PROGRAM = re.compile(r"\bprog(?:ram)? '?([\w.]+)'?: |PROCESSING [^\s,]*/(\w+),")
_FAILED = re.compile(
    r"load failed: |failed to create: |failed to load[^:]*: |load program: |rejected: |returned "
    r"|os error |errno[ =]|error code |Failed to load program: "
)
_LOADED_POINTER = re.compile(
    r"\(18\) r\d = 0x([0-9a-f]{16})\b *; (?:frame\d+: )?R\d\w*=(?!scalar|inv|P)[a-z]"
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

    Never raises; an empty text gives one empty paste.
    """
    lines = _one_statement_each(normalise(text))
    parts = _bordered(lines) if any(map(_BEGIN.search, lines)) else _unbordered(lines)
    return tuple(_paste(log, loader) for log, loader in parts)


def strip(text: str) -> str:
    """Take kernel addresses out of a log, 5-level paging's too."""
    for address in set(_LOADED_POINTER.findall(text)):
        text = text.replace(f"0x{address}", ADDRESS)
    return strip_addresses(text)


# Go and Rust loaders put the first line of the log, or its last, behind words of their own.
def _one_statement_each(lines: list[str]) -> list[str]:
    out: list[str] = []
    for line in lines:
        if ": " in line and (match := _INTRODUCED.match(line)):
            out += [match[1], *_joined(_OMITTED.sub("", match[2]))]
        else:
            out.append(line)
    return out


# Go joins the last lines of a log by colons: `5: (71) r1 = *(u8 *)(r9 +23): R9 invalid ...`.
def _joined(text: str) -> list[str]:
    match = INSTRUCTION.match(text)
    start = match.end() if match else 0
    first, *rest = re.split(r": (?=[A-Za-z])", text[start:])
    return [text[:start] + first, *rest]


_Part = tuple[list[str], list[str]]


def _bordered(lines: list[str]) -> list[_Part]:
    parts: list[_Part] = []
    log: list[str] | None = None
    around: list[str] = []
    for line in lines:
        if log is None and (match := _BEGIN.search(line)):
            log = [rest] if (rest := match[1].strip()) else []
            around.append(line)
        elif log is not None and (match := _END.search(line)):
            parts.append((log + [match[1]] * bool(match[1].strip()), around))
            log, around = None, []
        else:
            (around if log is None else log).append(line)
    if log is not None:
        return [*parts, (log, around)]
    if parts and around:  # what follows the last log is about it
        parts[-1] = parts[-1][0], parts[-1][1] + around
    return parts


def _unbordered(lines: list[str]) -> list[_Part]:
    parts: list[_Part] = [([], [])]
    finished = False
    for line in lines:
        if (finished and _START.match(line)) or (_HEADER.match(line) and parts[-1][0]):
            parts.append(([], []))
            finished = False
        log, loader = parts[-1]
        if finished or _LOADER.match(line):
            loader.append(line)
            finished = finished or bool(log and _AFTERWARDS.match(line))
        else:
            log.append(line)
            finished = bool(_SUMMARY.search(line)) and not INSTRUCTION.match(line)
    return parts


def _paste(log: list[str], around: list[str]) -> Paste:
    loader = "\n".join(line.removeprefix("libbpf: ") for line in around if line.strip())
    program = _PROGRAM.search(loader)
    text = strip("\n".join(line.removeprefix("libbpf: ") for line in log)).strip("\n")
    return Paste(text, loader, (program[1] or program[2]) if program else None, errno_in(loader))


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
