"""The demonstration: calm traffic, a flood of new sources, calm again, on a real XDP hook."""
