"""Reasons of refused calls: which argument, what it is, what was asked for."""

from __future__ import annotations

from collections.abc import Callable

from verifier_diary import words
from verifier_diary.operations import Kind
from verifier_diary.scene import Scene


def _called(scene: Scene) -> str:
    last = scene.last
    if last and last.operation.kind is Kind.CALL and last.operation.name:
        return f"{last.operation.name}()"
    return ""


def _held_for(scene: Scene) -> str:
    held, called = scene.held(), _called(scene)
    if not held:
        return f"The call of {called} is refused." if called else ""
    return f"{held}, in the call of {called}." if called else f"{held}."


def _size_arg(scene: Scene) -> str:
    value = scene.suspect
    if value is None:
        return _held_for(scene)
    called = _called(scene)
    told = f"{scene.name}, the length{f' for {called}' if called else ''}, is {words.number(value)}"
    buffer = scene.value(f"R{int(scene.name[1:]) - 1}") if scene.name[1:].isdigit() else None
    behind = f"; it belongs to {words.describe(buffer)}" if buffer and not buffer.is_scalar else ""
    return f"{told}{behind}." if value.is_scalar else _held_for(scene)


def _arg_type(scene: Scene) -> str:
    told = _held_for(scene)
    match = scene.said(r"expected=(.*)")
    if not match:
        return told
    wanted = [kind.strip() for kind in match[1].split(",") if kind.strip()]
    kinds = ", ".join(wanted)
    return f"{told} Accepted here: {kinds}." if told else f"Accepted here: {kinds}."


def _named(pattern: str, what: str) -> Callable[[Scene], str]:
    def tell(scene: Scene) -> str:
        match = scene.said(pattern)
        return f"{what.format(match[1])}." if match else ""

    return tell


def _map_type(scene: Scene) -> str:
    match = scene.said(r"cannot pass map_type (\d+) into func (\w+)")
    if not match:
        return _held_for(scene)
    names = {1: "HASH", 2: "ARRAY", 3: "PROG_ARRAY", 4: "PERF_EVENT_ARRAY", 5: "PERCPU_HASH",
             6: "PERCPU_ARRAY", 7: "STACK_TRACE", 8: "CGROUP_ARRAY", 9: "LRU_HASH",
             11: "LPM_TRIE", 12: "ARRAY_OF_MAPS", 13: "HASH_OF_MAPS", 14: "DEVMAP", 15: "SOCKMAP",
             16: "CPUMAP", 17: "XSKMAP", 18: "SOCKHASH", 22: "QUEUE", 23: "STACK",
             27: "RINGBUF"}  # fmt: skip
    kind = names.get(int(match[1]), f"number {match[1]}")
    return f"{match[2]}() was handed a map of type {kind}."


CALL_REASONS: dict[str, Callable[[Scene], str]] = {
    "size_arg": _size_arg,
    "arg_type": _arg_type,
    "kfunc_arg": _held_for,
    "dynptr": _held_for,
    "iterator": _held_for,
    "special_field": _held_for,
    "ref_release": _held_for,
    "modified_ptr": _held_for,
    "graph_ownership": _held_for,
    "map_type": _map_type,
    "helper_unavailable": _named(r"(?:func|helper) (\w+)", "The helper is {}"),
    "kfunc_unavailable": _named(r"(?:function |kfunc ')(\w+)", "The kernel function is {}()"),
    "core_poison": _named(r"relocation (.*)", "The relocation is {}"),
}
