"""One case of the key-stream harness: a stream on some CPUs, and what is loaded for it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from lab import build, loader
from lab.bench.setup import Setup
from lab.bench.shares import Layout, lay_out
from lab.bench.streams import KeyStream
from lab.libbpf.knobs import KnobValue
from lab.libbpf.maps import Map
from lab.loader import Loaded, MapSizes

KEYS = "bench_keys"


@dataclass
class Case:
    """A stream laid out for the CPUs; its key map is filled by the first load and shared by all."""

    setup: Setup
    stream: KeyStream
    stack: ExitStack
    _shared: dict[str, Map] = field(default_factory=dict)

    @cached_property
    def layout(self) -> Layout:
        """Return the keys and each CPU's share."""
        return lay_out(self.stream, len(self.setup.cpus))

    @property
    def room(self) -> int:
        """Return the entries of a hash map that holds every key."""
        return self.setup.room(self.stream.n_keys)

    def load(self, program: str, knobs: Mapping[str, KnobValue], map_sizes: MapSizes) -> Loaded:
        """Load one program of bench.bpf.c, to be closed with the case."""
        key_map = {} if self._shared else {KEYS: len(self.layout.keys)}
        loaded = loader.load(
            build.object_path(f"bench_{self.setup.key.name}"),
            program,
            knobs=knobs,
            map_sizes={**map_sizes, **key_map},
            share=self._shared,
        )
        self.stack.enter_context(loaded)
        loaded.require()
        if not self._shared:
            self._shared = {KEYS: loaded.maps[KEYS]}
            self.fill(loaded.maps[KEYS])
        return loaded

    def fill(self, key_map: Map) -> None:
        """Store the keys in a key map."""
        key_map.memory()[:] = self.layout.keys.view(np.uint8).reshape(len(self.layout.keys), -1)
