"""Frames for tests and fuzzing: crafted by scapy, read by scapy, and mutated at speed."""

from __future__ import annotations

from simulator.packets.catalogue import CRAFTERS, catalogue, frames_of
from simulator.packets.dissection import dissect
from simulator.packets.model import Crafted, Expected
from simulator.packets.mutation import mutate, random_frames

__all__ = [
    "CRAFTERS",
    "Crafted",
    "Expected",
    "catalogue",
    "dissect",
    "frames_of",
    "mutate",
    "random_frames",
]
