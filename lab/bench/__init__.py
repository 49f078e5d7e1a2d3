"""What each update costs per packet in the kernel; docs/bench.md says how it is measured."""
