"""A BPF object file: open it, choose one program, set knobs and sizes, load."""

from __future__ import annotations

import contextlib
import mmap
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from lab.errors import BadInput, UsageError_
from lab.libbpf import btf, knobs
from lab.libbpf._ffi import Binding, binding, captured_messages
from lab.libbpf.knobs import KnobValue
from lab.libbpf.maps import Map
from lab.libbpf.program import Program

_EM_BPF = 247
_XDP = 6  # enum bpf_prog_type
_BPF_XDP = 37  # enum bpf_attach_type
_LD_IMM64 = 0x18
_handler = threading.RLock()  # libbpf's list of section handlers is the process's


@dataclass(frozen=True)
class ProgramEntry:
    """A program as its object declares it."""

    name: str
    section: str  # with the `?` of a program that is not loaded by default
    type: str
    autoload: bool


class ObjectRefused(Exception):
    """libbpf could not open the object; its own words are in `messages`."""

    def __init__(self, errno: int, messages: str) -> None:
        """Keep both."""
        super().__init__(messages)
        self.errno, self.messages = errno, messages


class Object:
    """An object file in libbpf's hands; a context manager whose `close` may be called twice."""

    def __init__(self, path: Path) -> None:
        """Open it; raises BadInput for what is no BPF object, ObjectRefused if libbpf refuses."""
        _check_elf(path)
        self._b: Binding = binding()
        with captured_messages() as printed:
            self._handle = self._b.lib.bpf_object__open_file(str(path).encode(), self._b.ffi.NULL)
            error = self._b.errno
        if self._handle == self._b.ffi.NULL:
            raise ObjectRefused(error, "".join(printed) or self._b.describe(error))
        self._chosen: Any = None
        self._log: mmap.mmap | None = None
        self.path = path
        self.messages = "".join(printed)

    def __enter__(self) -> Object:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of the object, its program and its maps."""
        handle, self._handle = self._handle, self._b.ffi.NULL
        self._chosen = None
        if handle != self._b.ffi.NULL:
            self._b.lib.bpf_object__close(handle)
        self._log = None

    @cached_property
    def btf(self) -> btf.Btf:
        """Return the object's BTF; raises BadInput where it was built without `-g`."""
        handle = self._b.lib.bpf_object__btf(self._handle)
        if handle == self._b.ffi.NULL:
            raise BadInput(f"{self.path} has no BTF", try_="compile it with -g")
        return btf.from_handle(handle)

    def programs(self) -> tuple[ProgramEntry, ...]:
        """Return all programs, `SEC("?...")` ones included."""
        return tuple(self._entry(handle) for handle in self._program_handles())

    def choose(self, name: str) -> ProgramEntry:
        """Make this the only program that `load` loads."""
        lib = self._b.lib
        names = []
        for handle in self._program_handles():
            entry = self._entry(handle)
            names.append(entry.name)
            lib.bpf_program__set_autoload(handle, entry.name == name)
            if entry.name == name:
                self._chosen, chosen = handle, entry
        if name not in names:
            has = ", ".join(names) or "none"
            raise UsageError_(f"{self.path.name} has no program {name!r}", try_=f"one of: {has}")
        return chosen

    def set_knobs(self, values: Mapping[str, KnobValue]) -> None:
        """Set global variables (`const volatile` ones included) before the load."""
        for name, value in values.items():
            section, offset, type_id = knobs.find(self.btf, name)
            knobs.store(self.btf, self._initial(section), offset, type_id, value, name)

    def size_maps(self, sizes: Mapping[str, int | Mapping[str, int]]) -> None:
        """Set `max_entries` (a number), or both sizes (`{"max_entries": n, "value_size": m}`)."""
        setters: dict[str, Callable[..., int]] = {
            "max_entries": self._b.lib.bpf_map__set_max_entries,
            "value_size": self._b.lib.bpf_map__set_value_size,
        }
        for name, size in sizes.items():
            handle = self._map_handle(name)
            wanted = size if isinstance(size, Mapping) else {"max_entries": size}
            for what, number in wanted.items():
                if what not in setters or not 0 < number < 1 << 32:
                    raise UsageError_(f"map {name}: {what} = {number} is not possible")
                self._b.check(setters[what](handle, number), f"{what} of map {name}")

    def share_maps(self, shared: Mapping[str, Map]) -> None:
        """Use maps that are loaded already instead of making them."""
        for name, existing in shared.items():
            result = self._b.lib.bpf_map__reuse_fd(self._map_handle(name), existing.fd)
            self._b.check(result, f"sharing of map {name}")

    def load(self, log_level: int, log_size: int) -> int:
        """Load the chosen program; returns 0 or the errno. Possible once per object."""
        self._log = mmap.mmap(-1, log_size)  # untouched pages cost nothing
        buffer = self._b.ffi.from_buffer(self._log)
        self._b.lib.bpf_program__set_log_buf(self._chosen, buffer, log_size)
        self._b.lib.bpf_program__set_log_level(self._chosen, log_level)
        with captured_messages() as printed:
            result = self._b.lib.bpf_object__load(self._handle)
        self.messages += "".join(printed)
        return -int(result)

    def log(self) -> str:
        """Return the verifier's log of the latest load."""
        if self._log is None:
            return ""
        end = self._log.find(b"\0")
        return self._log[: end if end >= 0 else len(self._log)].decode("utf-8", "replace")

    def log_full(self) -> bool:
        """Say whether the log filled its buffer, and so may have been cut."""
        return self._log is not None and self._log.find(b"\0") in (-1, len(self._log) - 1)

    def program(self) -> Program:
        """Return the loaded program."""
        entry = self._entry(self._chosen)
        fd = self._b.lib.bpf_program__fd(self._chosen)
        return Program(entry.name, fd, entry.type, owned=False)

    def maps(self) -> dict[str, Map]:
        """Return the loaded maps by name; the compiler's own (.rodata, ...) too."""
        lib, found = self._b.lib, {}
        for handle in self._map_handles():
            name = self._b.text(lib.bpf_map__name(handle))
            found[name] = Map(
                name=name,
                fd=lib.bpf_map__fd(handle),
                type=self._b.text(lib.libbpf_bpf_map_type_str(lib.bpf_map__type(handle))),
                key_size=lib.bpf_map__key_size(handle),
                value_size=lib.bpf_map__value_size(handle),
                max_entries=lib.bpf_map__max_entries(handle),
                flags=lib.bpf_map__map_flags(handle),
                owned=False,
            )
        return found

    def instructions(self) -> bytes:
        """Return the chosen program's instructions, without descriptors and addresses.

        As the kernel does for its tag, 64-bit immediates that name a map or symbol read as zero.
        """
        lib, ffi = self._b.lib, self._b.ffi
        count = lib.bpf_program__insn_cnt(self._chosen)
        code = bytearray(ffi.buffer(lib.bpf_program__insns(self._chosen), count * 8))
        at = 0
        while at + 16 <= len(code):
            wide = code[at] == _LD_IMM64
            if wide and code[at + 1] >> 4:
                code[at + 4 : at + 8] = code[at + 12 : at + 16] = bytes(4)
            at += 16 if wide else 8
        return bytes(code)

    def _entry(self, handle: Any) -> ProgramEntry:
        lib, text = self._b.lib, self._b.text
        return ProgramEntry(
            name=text(lib.bpf_program__name(handle)),
            section=text(lib.bpf_program__section_name(handle)),
            type=text(lib.libbpf_bpf_prog_type_str(lib.bpf_program__type(handle))),
            autoload=bool(lib.bpf_program__autoload(handle)),
        )

    def _program_handles(self) -> Iterator[Any]:
        return self._walk(self._b.lib.bpf_object__next_program)

    def _map_handles(self) -> Iterator[Any]:
        return self._walk(self._b.lib.bpf_object__next_map)

    def _walk(self, following: Callable[..., Any]) -> Iterator[Any]:
        current = following(self._handle, self._b.ffi.NULL)
        while current != self._b.ffi.NULL:
            yield current
            current = following(self._handle, current)

    def _map_handle(self, name: str) -> Any:
        names = []
        for handle in self._map_handles():
            names.append(self._b.text(self._b.lib.bpf_map__name(handle)))
            if names[-1] == name:
                return handle
        has = ", ".join(names) or "none"
        raise UsageError_(f"{self.path.name} has no map {name!r}", try_=f"one of: {has}")

    # The memory that will be a data section's map: `.rodata` is named `<object>.rodata`.
    def _initial(self, section: str) -> Any:
        size = self._b.ffi.new("size_t *")
        for handle in self._map_handles():
            name = self._b.text(self._b.lib.bpf_map__name(handle))
            if self._b.lib.bpf_map__is_internal(handle) and name.endswith(section):
                memory = self._b.lib.bpf_map__initial_value(handle, size)
                return self._b.ffi.buffer(memory, size[0])
        raise UsageError_(f"{self.path.name}: section {section} holds no knobs")


@contextlib.contextmanager
def without_frags() -> Iterator[None]:
    """Open and load objects without BPF_F_XDP_HAS_FRAGS, though their section is `xdp.frags`.

    libbpf's own handler of that section insists on the flag; ours comes first. It must be there
    until the load is done, because libbpf keeps pointing at it.
    """
    b = binding()
    with _handler:
        _keep_one_handler()
        number = b.lib.libbpf_register_prog_handler(b"xdp.frags", _XDP, _BPF_XDP, b.ffi.NULL)
        b.check(number, "registration of a section handler")
        try:
            yield
        finally:
            b.lib.libbpf_unregister_prog_handler(number)


# When the last handler goes, libbpf 1.1 frees its list and goes on using it (seen on Linux 5.10:
# glibc's "corrupted double-linked list"). So one that matches nothing stays.
@cache
def _keep_one_handler() -> None:
    b = binding()
    number = b.lib.libbpf_register_prog_handler(b"glimpse.none", _XDP, _BPF_XDP, b.ffi.NULL)
    b.check(number, "registration of a section handler")


def _check_elf(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(20)
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from error
    machine = struct.unpack_from("<H" if head[5:6] == b"\x01" else ">H", head.ljust(20, b"\0"), 18)
    if head[:4] != b"\x7fELF" or machine[0] != _EM_BPF:
        raise BadInput(
            f"{path} is not a BPF object file",
            try_="clang -O2 -g -target bpf -c makes one",
        )
