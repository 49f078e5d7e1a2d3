"""Parse outcome and key of every crafted frame, one by one, against what the twin made of it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from lab.libbpf.frame_run import FrameRun
from lab.matrix.guest.datapath import CLOCK, INSTANCE, GuestDatapath
from lab.matrix.guest.testing import Outcome

IP, NOT_IP, MALFORMED = range(3)  # enum glimpse_outcome
_COUNTERS = (3, 7, 8)  # words of struct tfm_header: exact, not_ip, malformed


def run(folder: Path, test: dict[str, Any]) -> Outcome:
    """Compare, frame by frame, which counter moves and which key appears in the exact table."""
    outcome = Outcome(facts={"frames": test["frames"]})
    with ExitStack() as stack:
        stored = np.load(folder / test["file"])
        path = GuestDatapath(folder, test, stack, stored["heads"])
        _compare(path, stored, outcome)
    return outcome


def _compare(path: GuestDatapath, stored: Any, outcome: Outcome) -> None:
    data, ends = stored["data"].tobytes(), stored["ends"].tolist()
    outcomes, keys, names = stored["outcomes"].tolist(), stored["keys"], stored["names"].tolist()
    run, head, exact = FrameRun(path.program), path.side(0).view(np.uint64)[0], path.maps["exact_0"]
    before, start = head[list(_COUNTERS)].copy(), 0
    for i, end in enumerate(ends):
        path.control[CLOCK], path.control[INSTANCE] = i + 1, 1
        run(data[start:end])
        start = end
        after = head[list(_COUNTERS)].copy()
        moved, before = (after - before).tolist(), after
        found = exact.drain().keys
        seen = moved.index(1) if sorted(moved) == [0, 0, 1] else None
        if seen != outcomes[i]:
            outcome.differ(f"frame {names[i]!r}: outcome {seen}, not {outcomes[i]}")
        elif seen == IP and found.tobytes() != keys[i].tobytes():
            outcome.differ(f"frame {names[i]!r}: key {found.tobytes().hex()}")
        elif seen != IP and len(found):
            outcome.differ(f"frame {names[i]!r}: a key, though it is outcome {seen}")
        outcome.packets += 1
        outcome.bytes += 1 + (keys.shape[1] if seen == IP else 0)
