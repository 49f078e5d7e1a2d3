"""One figure per module: plain data in, the bytes of a deterministic SVG out."""
