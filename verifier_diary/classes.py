"""The classes of rejections: a table. Ids are stable, because diary entries store them."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from verifier_diary.catalogue import (
    calls,
    context,
    lifetime,
    limits,
    memory,
    outside,
    policy,
    structure,
)
from verifier_diary.catalogue import registers as register_types
from verifier_diary.catalogue.entry import ErrorClass

CLASSES: tuple[ErrorClass, ...] = (
    *register_types.CLASSES,
    *memory.CLASSES,
    *lifetime.CLASSES,
    *calls.CLASSES,
    *context.CLASSES,
    *structure.CLASSES,
    *policy.CLASSES,
    *limits.CLASSES,
)

# What is no verdict of the verifier, or has no message that the table knows.
OUTSIDE: tuple[ErrorClass, ...] = outside.CLASSES

BY_ID: dict[str, ErrorClass] = {c.id: c for c in (*CLASSES, *OUTSIDE)}


def by_id(class_id: str) -> ErrorClass:
    """Return a class by its id; one that this version does not know is unclassified."""
    return BY_ID.get(class_id, BY_ID["unclassified"])


@lru_cache(maxsize=4096)
def class_of(message: str) -> tuple[int, str] | None:
    """Return rank and id of the most specific class that a message fits."""
    fits = (fit for pattern, fit in _patterns() if pattern.search(message))
    return min(fits, key=lambda fit: fit[0], default=None)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], tuple[int, str]], ...]:
    return tuple((re.compile(p), (c.rank, c.id)) for c in CLASSES for p in c.patterns)
