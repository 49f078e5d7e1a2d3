"""Sketches, one file each, registered below with the laws that each obeys."""
