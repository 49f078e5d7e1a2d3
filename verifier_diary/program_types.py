"""The kinds of BPF programs, as libbpf names them."""

from __future__ import annotations

# In the order of enum bpf_prog_type (include/uapi/linux/bpf.h), which only ever grows at its end.
_NAMES = (
    "unspec",
    "socket_filter",
    "kprobe",
    "sched_cls",
    "sched_act",
    "tracepoint",
    "xdp",
    "perf_event",
    "cgroup_skb",
    "cgroup_sock",
    "lwt_in",
    "lwt_out",
    "lwt_xmit",
    "sock_ops",
    "sk_skb",
    "cgroup_device",
    "sk_msg",
    "raw_tracepoint",
    "cgroup_sock_addr",
    "lwt_seg6local",
    "lirc_mode2",
    "sk_reuseport",
    "flow_dissector",
    "cgroup_sysctl",
    "raw_tracepoint_writable",
    "cgroup_sockopt",
    "tracing",
    "struct_ops",
    "ext",
    "lsm",
    "sk_lookup",
    "syscall",
    "netfilter",
)


def program_type(number: int) -> str:
    """Return the name of a number of enum bpf_prog_type; of one too new, the number."""
    return _NAMES[number] if 0 <= number < len(_NAMES) else str(number)
