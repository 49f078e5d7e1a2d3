"""Seeded synthetic traffic: who sends the next packet, its key, its length, its time, its frame.

traffic = generate("caida-2016", 100_000, seed=1)
frames = frames_for(*traffic)
"""

from __future__ import annotations

from simulator.traffic.frames import frames_for
from simulator.traffic.keys import keys_of
from simulator.traffic.streams import TRAFFIC, Draw, Stream, Traffic, generate

__all__ = ["TRAFFIC", "Draw", "Stream", "Traffic", "frames_for", "generate", "keys_of"]
