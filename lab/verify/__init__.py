"""Ask the kernel's verifier about each program of a file, and again whenever it is saved."""
