"""Tell the log of an accepted program from one that was rejected without a word."""

from __future__ import annotations

import re

from verifier_diary.logfile import Log
from verifier_diary.messages import messages

_VALIDATING = re.compile(r"^Validating \S+ func#(\d+)", re.MULTILINE)
_SAFE = re.compile(r"^Func#(\d+) .*is safe for any args", re.MULTILINE)
_LEVEL_2 = re.compile(r"^func#\d+ @", re.MULTILINE)
_FAILED = re.compile(r"(?i)fail|error|reject|denied|not permitted|invalid argument")


def looks_accepted(log: Log, loader: str = "") -> bool:
    """Say whether a log without a message is most likely an accepted program's.

    Since Linux 5.8 a log of level 1 keeps the failing path only (commit 6f8a57ccf851): an accepted
    program's is the summary alone, as are the remains of any log, so that tells nothing. Level 2
    begins with `func#0 @0`, and says of each global function that it is safe.
    """
    if log.summary is None or log.report is not None or messages(log) or _FAILED.search(loader):
        return False
    if set(_VALIDATING.findall(log.text)) - set(_SAFE.findall(log.text)):
        return False
    if log.last_instruction is None or log.starts_cut:
        return False
    return bool(_LEVEL_2.search(log.text)) or log.is_old
