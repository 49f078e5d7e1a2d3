"""The kernel matrix: every program and the kernel tests on many kernels, the results in one table.

kernel_list -> packages -> qemu (with initramfs: base + payload) -> results -> cells -> expectations
guest/ runs inside, on a booted kernel or on this one.
"""
