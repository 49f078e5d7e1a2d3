"""The one door to bpf(): libbpf through cffi, opened when it is first needed."""
