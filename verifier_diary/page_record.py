"""The page of an entry as plain values, for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from verifier_diary.explain import Diagnosis
from verifier_diary.loops import Skipped
from verifier_diary.page import Page
from verifier_diary.path import Step


def record(page: Page) -> dict[str, Any]:
    """Return everything of a page: the entry's record, the diagnosis, cure, sightings, log."""
    attempt = page.attempt
    return {
        **page.entry.record(),
        **diagnosis_record(page.diagnosis),
        "registers": [str(register) for register in page.diagnosis.at.registers],
        "cure": asdict(page.cure) if page.cure else None,
        "seen": [asdict(sighting) for sighting in page.sightings],
        "toolchain": asdict(attempt.toolchain),
        "knobs": attempt.knobs,
        "map_sizes": attempt.map_sizes,
        "sources": [
            {"path": s.path, "sha256": s.sha256, "changed_since": s.path in page.changed_since}
            for s in attempt.sources
        ],
        "log": attempt.log or attempt.messages,
    }


def diagnosis_record(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis, in the order of its sections."""
    error, at = diagnosis.error, diagnosis.at
    return {
        "title": error.title,
        "category": error.category,
        "reason": diagnosis.reason,
        "context": [asdict(line) for line in at.context],
        "disassembly": at.disassembly or None,
        "path": [_step(step) for step in diagnosis.path],
        "hotspots": [
            {
                "source_line": spot.spot.text,
                "source_file": spot.spot.file,
                "source_line_number": spot.spot.line,
                "instructions": spot.instructions,
                "share": round(spot.share, 4),
            }
            for spot in diagnosis.hotspots
        ],
        "cause": diagnosis.cause,
        "suggestion": diagnosis.suggestion,
    }


def _step(step: Step | Skipped) -> dict[str, Any]:
    if isinstance(step, Skipped):
        return {"skipped": step.items, "iterations": step.iterations}
    source = step.source
    return {
        "instruction": step.index,
        "text": step.text,
        "source_line": source.text if source else None,
        "source_file": source.file if source else None,
        "source_line_number": source.line if source else None,
    }
