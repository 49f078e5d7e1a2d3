"""`lab run`: the data path on a live interface, for as long as somebody wants it."""
