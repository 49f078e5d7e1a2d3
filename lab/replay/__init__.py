"""Replay a capture through one engine or both, against exact truth and against each other."""
