"""Sketches, one file each, named as their BPF source is.

Add one: a file with a class that keeps `simulator.sketches.protocol.Sketch`, a line in `SKETCHES`,
and its page docs/sketches/<name>.md. The tests of the laws and the evaluation then include it.
"""

from __future__ import annotations

from simulator.sketches.adapters import CountMinPeer, TfmPeer
from simulator.sketches.coco import Coco
from simulator.sketches.conservative import Conservative
from simulator.sketches.count_sketch import CountSketch
from simulator.sketches.elastic import Elastic
from simulator.sketches.heavy_keeper import HeavyKeeper
from simulator.sketches.nitro import Nitro
from simulator.sketches.protocol import Sketch
from simulator.sketches.salsa import Salsa
from simulator.sketches.sampled import Sampled
from simulator.sketches.space_saving import SpaceSaving

SKETCHES: dict[str, type[Sketch]] = {
    "tfm": TfmPeer,
    "count_min": CountMinPeer,
    "conservative": Conservative,
    "count_sketch": CountSketch,
    "elastic": Elastic,
    "heavy_keeper": HeavyKeeper,
    "coco": Coco,
    "salsa": Salsa,
    "nitro": Nitro,
    "space_saving": SpaceSaving,
    "sampled": Sampled,
}
