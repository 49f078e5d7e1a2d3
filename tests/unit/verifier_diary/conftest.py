"""What several tests of the diary start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import fill
from verifier_diary.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "diary.db") as opened:
        yield opened


@pytest.fixture
def example(store: Store) -> Store:
    """Return a diary with a cured entry, an open one, and one that a lesson wants."""
    fill(store)
    return store
