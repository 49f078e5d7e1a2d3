"""Logs, sources and details: each stored once, under its hash, compressed."""

from __future__ import annotations

from dataclasses import dataclass

from verifier_diary.model import sha256_of
from verifier_diary.store import Store

LEVEL = 3  # of zstd: 250 MB/s, a verifier log shrinks to a tenth


@dataclass(frozen=True, slots=True)
class Packed:
    """A text, ready to be stored."""

    sha256: str
    size: int  # bytes before compression
    data: bytes


def pack(text: str) -> Packed:
    """Compress a text; lone surrogates (undecodable bytes) survive."""
    import zstandard

    raw = text.encode("utf-8", "surrogateescape")
    return Packed(sha256_of(raw), len(raw), zstandard.ZstdCompressor(level=LEVEL).compress(raw))


def put(store: Store, packed: Packed) -> None:
    """Store a text unless it is there."""
    record = {"sha256": packed.sha256, "size": packed.size, "data": packed.data}
    store.insert("texts", record)


def get(store: Store, sha256: str | None) -> str | None:
    """Return a text, or None where it is not known."""
    row = store.row("SELECT data FROM texts WHERE sha256 = ?", (sha256,)) if sha256 else None
    if row is None:
        return None
    import zstandard

    return zstandard.ZstdDecompressor().decompress(row["data"]).decode("utf-8", "surrogateescape")
