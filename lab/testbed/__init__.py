"""Two network namespaces joined by a veth pair, and traffic between them: all that makes links."""

from __future__ import annotations

from lab.testbed.bed import End, Testbed
from lab.testbed.generator import Generator
from lab.testbed.player import Player
from lab.testbed.statistics import Statistics

__all__ = ["End", "Generator", "Player", "Statistics", "Testbed"]
