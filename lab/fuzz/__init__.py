"""Throw crafted, mutated and random frames at the kernel and its twin, and compare every byte."""
