"""The package that acts: it loads, attaches, replays and measures."""
