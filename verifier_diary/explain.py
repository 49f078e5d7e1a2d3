"""The diagnosis: reason, place, causal path and suggestion, as Linux 7.3 orders them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from verifier_diary.catalogue.entry import ErrorClass
from verifier_diary.classes import by_id
from verifier_diary.classifier import Verdict, classify
from verifier_diary.hotspots import Hotspot, hotspots
from verifier_diary.kernel_report import KernelReport
from verifier_diary.lines import Edited, Instruction
from verifier_diary.logfile import Log
from verifier_diary.loops import Skipped
from verifier_diary.model import Layer
from verifier_diary.path import Step, acquired, branches, entered, shortened, trace_back
from verifier_diary.reason import reason
from verifier_diary.refusals import compiler_error
from verifier_diary.registers import Entry
from verifier_diary.scene import Scene
from verifier_diary.source import SourceLine, Sources, Spot, context, head_of, located, spot_of

# Calls that open what these classes say was not closed, or is open where it must not be.
_REGIONS = {
    "lock": (r"^bpf_(res_)?spin_lock", "the lock is taken"),
    "rcu_preempt_irq": (
        r"^bpf_(rcu_read_lock|preempt_disable|local_irq_save)$",
        "the region is entered",
    ),
    "exception": (r"^bpf_(spin_lock|rcu_read_lock|preempt_disable)$", "the region is entered"),
}


@dataclass(frozen=True, slots=True)
class At:
    """Where it happened."""

    source: Spot | None = None
    context: tuple[SourceLine, ...] = ()
    instruction: int | None = None
    disassembly: str = ""
    registers: tuple[Entry, ...] = ()  # of the failing frame, the last state printed in full


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the diary makes of a rejection."""

    verdict: Verdict
    error: ErrorClass
    reason: str
    at: At
    path: tuple[Step | Skipped, ...]
    hotspots: tuple[Hotspot, ...] = ()

    @property
    def suggestion(self) -> str:
        """Return the usual cure, behind the kernel's own where it gives one."""
        own = self.error.cure
        report = self.report
        return f"{report.suggestion} {own}" if report and report.suggestion else own

    @property
    def cause(self) -> str:
        """Return the usual cause."""
        return self.error.cause

    @property
    def report(self) -> KernelReport | None:
        """Return the report of Linux 7.3, if the log has one."""
        return self.verdict.report


def explain(
    log: str,
    *,
    loader: str = "",
    errno: int | None = None,
    sources: Sources | None = None,
    function: str | None = None,
    rejected: bool = False,
) -> Diagnosis:
    """Diagnose one log; never raises.

    `loader` is what clang or libbpf said, `sources` maps paths to the texts that were compiled,
    `function` names the program: its head is the place where the log names none. `rejected`: the
    load is known to have failed.
    """
    parsed = Log(log)
    verdict = classify(parsed, loader, errno, rejected=rejected)
    scene = Scene(parsed, verdict)
    spot = _spot(scene, sources, function)
    if verdict.layer is Layer.COMPILER:
        spot = _compiler_spot(f"{loader}\n{log}", sources)
    if spot is None and function and sources:
        spot = head_of(function, sources)
    steps = (
        step
        if isinstance(step, Skipped)
        else replace(step, source=spot_of(parsed.source_at(step.line), sources, function))
        for step in _path(scene)
    )
    return Diagnosis(
        verdict,
        by_id(verdict.class_id),
        reason(scene),
        _at(scene, spot, sources),
        tuple(steps),
        hotspots(parsed, sources) if verdict.layer is Layer.LIMIT else (),
    )


def _at(scene: Scene, spot: Spot | None, sources: Sources | None) -> At:
    line = scene.log.instruction
    report = scene.verdict.report
    disassembly = report.disassembly or "" if report else ""
    if isinstance(line, Instruction):
        disassembly = f"({line.opcode:02x}) {line.operation}"
    elif isinstance(line, Edited):
        disassembly = line.text
    return At(
        spot,
        context(spot, sources),
        scene.verdict.instruction,
        disassembly,
        _registers(scene),
    )


def _spot(scene: Scene, sources: Sources | None, function: str | None) -> Spot | None:
    number = scene.log.last_instruction
    source = None if number is None else scene.log.source_at(number)
    spot = spot_of(source, sources, function)
    report = scene.verdict.report
    if spot is None and report and report.file and report.line:
        spot = Spot("", report.file, report.line)
    return spot


def _compiler_spot(text: str, sources: Sources | None) -> Spot | None:
    match = compiler_error(text)
    if not match:
        return None
    shown = text[match.end() :].split("\n")[1:2]
    said = shown[0].partition("|")[2] if shown and "|" in shown[0] else (shown or [""])[0]
    spot = Spot(said.strip(), match["file"], int(match["line"]), int(match["column"]))
    return located(spot, sources) if sources else spot


# The newest value of every register that the log prints, from the last full state on.
def _registers(scene: Scene) -> tuple[Entry, ...]:
    last = scene.last
    if last is None:
        return ()
    found: dict[str, Entry] = {}
    printed = [event.states for event in scene.path.events[-400:-1]]
    for states in reversed([scene.path.start, *printed]):
        for frame, entries in reversed(states):
            if frame == last.frame:
                for entry in entries:
                    found.setdefault(entry.name, entry)
    return tuple(sorted(found.values(), key=_order))


def _order(entry: Entry) -> tuple[bool, int]:
    if entry.register is not None:
        return False, entry.register
    return True, -(entry.slot or 0)


def _path(scene: Scene) -> tuple[Step | Skipped, ...]:
    verdict = scene.verdict
    if verdict.layer is not Layer.VERIFIER:
        return ()
    steps: tuple[Step, ...]
    if verdict.class_id == "ref_leak" and (held := scene.said(r"id=(\d+) alloc_insn=(\d+)")):
        steps = acquired(scene.path, int(held[2]), held[1])
    elif verdict.class_id in _REGIONS:
        steps = entered(scene.path, *_REGIONS[verdict.class_id])
    elif verdict.class_id == "loop":
        steps = branches(scene.path, 0)
    else:
        return trace_back(scene.path, scene.suspects)
    short = shortened(steps, _index)
    return tuple(short)


def _index(step: Step) -> int:
    return step.index
