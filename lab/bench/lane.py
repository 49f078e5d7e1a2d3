"""What can be measured: one protocol, for key streams, whole packets, and the tests' fake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Facts:
    """What is known of a loaded program, beside its time."""

    instructions: int | None  # that the verifier processed, the harness included
    jited_bytes: int | None  # of machine code, the harness included
    memory_bytes: int | None  # kernel memory of the maps that it counts in


class Lane(Protocol):
    """A subject, ready to run."""

    @property
    def facts(self) -> Facts:
        """Return what is known of it."""

    def measure(self) -> float:
        """Empty it, warm it up, run one pass; returns ns per packet, the harness included."""
