"""Take off what terminals, loggers and people put in front of a log's lines."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator

from verifier_diary.learned_prefix import without_learned_prefix

_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_TIME = r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?"
_LEVEL = r"(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL)"
_PREFIXES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\[{_TIME} {_LEVEL} +[^\]]*\] ?",  # Rust's env_logger
        rf"\[?{_TIME}\]?(?: +(?=\[?{_LEVEL}\b)| ?)",
        r"<\d>(?=\[)",
        r"\[ *\d+\.\d{3,9}\] ?",  # the kernel's ring buffer
        r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ [^\s:\[]+(?:\[\d+\])?: ?",  # syslog, journald
        r"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [^\s\]]+:\d+\] ?",  # klog
        r"\[?\d\d:\d\d:\d\d(?:[.,]\d+)?\]? ",
        r"(?:stdout|stderr) [FP] ",  # container runtimes
        r"[A-Za-z][\w.-]*(?:-\d+)? +\| ?(?!\|)",  # docker compose
        r"(?:TRAC|DEBU|INFO|WARN|ERRO|FATA|PANI)\[\d+\] ?",  # logrus on a terminal
        r"\[[a-z][\w.-]*\]: ?",  # Falco's `[libs]: `
        # Rust's tracing names thread, module and place behind the level.
        rf"(?:\[{_LEVEL}\]|{_LEVEL}:?)\s+(?:ThreadId\(\d+\) )?(?:[a-z_]\w*(?:::\w+)+:? )?"
        r"(?:\S+\.rs:\d+: )?",
    )
)
_OWN = re.compile(r"\d+: (?:\(|R\d|frame\d)|mark_precise|from \d+ to \d+|frame\d")
_ANCHOR = re.compile(
    r"([ \t]*)(?:\d+: (?:\([0-9a-f]{2}\) |R\d|<invalid|safe)|func#\d+ @|processed \d+ insns"
    r"|Live regs before|subprog#\d+:|Validating \S+\(|; |from \d+ to \d+)"
)
_ESCAPED = re.compile(r"\\n(?:\\t| )*(?:\d+: (?:\([0-9a-f]{2}\) |R\d|<inv)|processed \d+ insns \()")
_ENTITY = re.compile(r"&(?:gt|lt|amp|quot|apos|nbsp|#\d+|#x[0-9a-fA-F]+);")
_SPACES = (("\xa0", " "), ("\u200b", ""), ("\x00", ""))
_TEXT_KEYS = ("log", "msg", "message", "MESSAGE")  # of a line of JSON
_QUOTES = (re.compile(r"(?:> ?)+"), re.compile(r"E {3,}"), re.compile(r"#+ "))


# Go's slog and logrus: level=warning msg="5: (bf) r2 = r10" subsys=datapath-loader
_LOGFMT = re.compile(
    r'(?:time="?[^"\s]+"? )?level="?\w+"? msg="((?:[^"\\]|\\.)*)"(?: [\w.-]+=\S*)*'
)


def normalise(text: str) -> list[str]:
    """Return the lines of a pasted text without colours, carriage returns and prefixes."""
    text = text.removeprefix("\ufeff")
    if "\r" in text:
        text = re.sub(r"\r+\n", "\n", text).replace("\r", "\n")
    text = _plain_spaces(text)
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if '{"' in text:
        text = "\n".join(_out_of_json(text.split("\n")))
    if _ESCAPED.search(text):
        text = _unescape(text)
    if _ENTITY.search(text):
        text = _plain_spaces(html.unescape(text))
    lines = [_bare(line.rstrip()) for line in text.split("\n")]
    return _without_indent(without_learned_prefix(_without_quotes(lines)))


def _plain_spaces(text: str) -> str:
    for space, plain in _SPACES:
        text = text.replace(space, plain)
    return text


# Container runtimes and structured loggers write one JSON object for each line, or for a whole log.
def _out_of_json(lines: list[str]) -> Iterator[str]:
    for line in lines:
        bare = line.strip()
        if bare.startswith('{"') and bare.endswith("}"):
            yield from _said_in(bare).split("\n")
        else:
            yield line


def _said_in(line: str) -> str:
    try:
        record = json.loads(line)
    except ValueError:
        return line
    said = {key: value for key, value in record.items() if isinstance(value, str)}
    folded = [value for value in said.values() if "\n" in value.rstrip("\n")]
    if folded:
        return max(folded, key=len)
    return next((said[key] for key in _TEXT_KEYS if key in said), line).rstrip("\n")


# One log line as a JSON or logfmt string.
def _unescape(text: str) -> str:
    plain = text.replace("\\r", "").replace("\\n", "\n").replace("\\t", "\t")
    return plain.replace('\\"', '"').replace("\\u0026", "&").replace("\\u003e", ">")


def _bare(line: str) -> str:
    if line[:1].isspace() or not line or line[0] == ";" or _OWN.match(line):
        return line
    if "msg=" in line and (match := _LOGFMT.fullmatch(line)):
        line = _unquoted(match[1])
    for _ in range(4):  # prefixes of several loggers, one in another
        match = next((m for p in _PREFIXES if (m := p.match(line)) and m.end()), None)
        if not match:
            return line
        line = line[match.end() :]
    return line


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"')).rstrip()
    except ValueError:
        return text.replace('\\"', '"')


def _without_quotes(lines: list[str]) -> list[str]:
    said = [line for line in lines if line.strip()]
    for mark in _QUOTES:
        if said and sum(bool(mark.match(line)) for line in said) > len(said) // 2:
            return [mark.sub("", line, count=1) for line in lines]
    return lines


# Only what is indented as a whole is moved: old kernels indent states, new ones their listings.
def _without_indent(lines: list[str]) -> list[str]:
    indents = [match[1] for line in lines if (match := _ANCHOR.match(line))]
    common = min(map(len, indents), default=0)
    if not common:
        return lines
    return [line[min(common, len(line) - len(line.lstrip(" \t"))) :] for line in lines]
