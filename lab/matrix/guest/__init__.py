"""What runs on a kernel of the matrix: inside a booted guest, or in a namespace on this one.

Needs the standard library, numpy, cffi and libbpf; no numba, no pyroute2. It is given a folder with
plan.json, objects and stored tests, and writes its results to a file or serial port.
"""
