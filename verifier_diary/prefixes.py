"""Take off what terminals, loggers and people put in front of a log's lines."""

from __future__ import annotations

import re

_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_TIME = r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?"
_LEVEL = r"(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL)"
_PREFIXES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\[{_TIME} {_LEVEL} +[^\]]*\] ?",  # Rust's env_logger
        rf"\[?{_TIME}\]? ?",
        r"<\d>(?=\[)",
        r"\[ *\d+\.\d{3,9}\] ?",  # the kernel's ring buffer
        r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ [^\s:\[]+(?:\[\d+\])?: ?",  # syslog, journald
        r"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [^\s\]]+:\d+\] ?",  # klog
        r"\[?\d\d:\d\d:\d\d(?:[.,]\d+)?\]? ",
        r"(?:stdout|stderr) [FP] ",  # container runtimes
        r"[A-Za-z][\w.-]*(?:-\d+)? +\| ?(?!\|)",  # docker compose
        rf"(?:\[{_LEVEL}\]|{_LEVEL}:?)\s+",
    )
)
_ANCHOR = re.compile(
    r"([ \t]*)(?:\d+: (?:\([0-9a-f]{2}\) |R\d|<invalid|safe)|func#\d+ @|processed \d+ insns"
    r"|Live regs before|subprog#\d+:|Validating \S+\(|; |from \d+ to \d+)"
)
_ESCAPED = re.compile(r"\\n(?:\\t| )*\d+: \([0-9a-f]{2}\) ")
_QUOTES = (re.compile(r"(?:> ?)+"), re.compile(r"E {3,}"), re.compile(r"#+ "))


# Go's slog and logrus: level=warning msg="5: (bf) r2 = r10" subsys=datapath-loader
_LOGFMT = re.compile(
    r'(?:time="?[^"\s]+"? )?level="?\w+"? msg="((?:[^"\\]|\\.)*)"(?: [\w.-]+=\S*)*'
)


def normalise(text: str) -> list[str]:
    """Return the lines of a pasted text without colours, carriage returns and prefixes."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("\x00", "")
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if _ESCAPED.search(text):
        text = _unescape(text)
    lines = [_bare(line) for line in text.split("\n")]
    return _without_indent(_without_quotes(lines))


# One log line as a JSON or logfmt string.
def _unescape(text: str) -> str:
    plain = text.replace("\\r", "").replace("\\n", "\n").replace("\\t", "\t")
    return plain.replace('\\"', '"').replace("\\u0026", "&").replace("\\u003e", ">")


def _bare(line: str) -> str:
    if line[:1].isspace() or not line or line[0] == ";":
        return line
    if "msg=" in line and (match := _LOGFMT.fullmatch(line)):
        line = match[1].replace('\\"', '"')
    for _ in range(4):  # prefixes of several loggers, one in another
        match = next((m for p in _PREFIXES if (m := p.match(line)) and m.end()), None)
        if not match:
            return line
        line = line[match.end() :]
    return line


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
