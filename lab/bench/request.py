"""From what the command line asks for to the settings of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab import privilege
from lab.bench import bcc_lane, packets, streams, subjects
from lab.bench.pinned import bench_cpus
from lab.bench.setup import Setup
from lab.bench.suite import BenchSettings, Suite
from lab.errors import EnvironmentProblem, PermissionProblem, UsageError_
from lab.libbpf import probe
from simulator.layout import KEYS

NUMBERS = (1_000, 10_000, 100_000, 1_000_000)
QUICK_NUMBERS = (100_000,)
QUICK_STREAMS = ("zipf-1.1", "distinct")
QUICK_SUBJECTS = ("hash", "tfm")

Names = tuple[str, ...]


def settings(options: Mapping[str, Any]) -> tuple[BenchSettings, dict[str, str]]:
    """Return what to measure, and what cannot be measured here and why.

    Raises UsageError_ for names that mean nothing.
    """
    programs, quick = options["programs"], options["quick"]
    if programs and options["cpus"] == "all":
        raise UsageError_("--programs runs on one CPU", try_="without --cpus all")
    suite = packets.PROGRAMS if programs else subjects.UPDATES
    captures = streams.traces(options["traces"])
    # The driver of whole packets writes IPv4 sources, which a capture need not have.
    known = streams.STREAMS if programs else (*streams.STREAMS, *captures)
    wanted = options["subjects"] or (QUICK_SUBJECTS if quick and not programs else None)
    chosen, skipped = _subjects(suite, wanted)
    found = BenchSettings(
        suite,
        _setup(options),
        _known(options["streams"] or (QUICK_STREAMS if quick else known), known, "key stream"),
        options["keys"] or (QUICK_NUMBERS if quick else NUMBERS),
        chosen,
        options["repeats"],
        captures,
    )
    return found, skipped


def record(run: BenchSettings, done: int, skipped: Mapping[str, str]) -> dict[str, Any]:
    """Return what was asked for, and how many cases of it are done, as JSON has it."""
    return {
        "suite": run.suite.name,
        "cases": {"done": done, "of": len(run.cases())},
        "settings": {
            "repeats": run.repeats,
            "tfm_bytes": run.setup.tfm_bytes,
            "one_in": run.setup.one_in,
            "cpus": list(run.setup.cpus),
            "subjects": {name: run.suite.subjects[name].meaning for name in run.subjects},
        },
        "skipped": dict(skipped),
    }


def require_kernel() -> None:
    """Raise PermissionProblem or EnvironmentProblem where the harness cannot run."""
    missing = privilege.missing_capabilities()
    if missing:
        raise PermissionProblem(
            f"the benchmark loads programs, which needs {' and '.join(missing)}",
            try_="run it with sudo; --simulator needs no privilege",
        )
    if not probe.helper("bpf_loop"):
        raise EnvironmentProblem(
            "the benchmark needs bpf_loop(), which this kernel does not have",
            try_="Linux 5.17 or later; `vagrant up` brings one",
        )


def _setup(options: Mapping[str, Any]) -> Setup:
    return Setup(
        KEYS[options["key"]],
        tuple(bench_cpus(options["cpus"])),
        options["tfm_size"],
        options["one_in"],
        options["seed"],
    )


# All that can be measured here, unless some are named; those must be there.
def _subjects(suite: Suite, wanted: Names | None) -> tuple[Names, dict[str, str]]:
    names = _known(wanted or tuple(suite.subjects), tuple(suite.subjects), "subject")
    missing = bcc_lane.available() if subjects.BCC in names else None
    if missing is None or wanted:
        return names, {}
    return tuple(name for name in names if name != subjects.BCC), {subjects.BCC: missing}


def _known(names: Names, known: Names, what: str) -> Names:
    for name in names:
        if name not in known:
            raise UsageError_(f"there is no {what} {name}", try_=f"one of: {', '.join(known)}")
    return tuple(dict.fromkeys(names))
