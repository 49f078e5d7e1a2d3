"""Sketches, one file each, named as their BPF source is."""
