"""A map that lives in the kernel: single elements, whole batches, shared memory."""

from __future__ import annotations

import errno
import mmap
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lab.libbpf._ffi import ENOTSUPP, Binding, binding, close

BPF_ANY, BPF_NOEXIST, BPF_EXIST = 0, 1, 2
BPF_F_MMAPABLE = 1 << 10
_PER_CPU = {"percpu_hash", "percpu_array", "lru_percpu_hash", "percpu_cgroup_storage"}
# The kernel, or this map type, has no batches.
_NO_BATCHES = {errno.EINVAL, errno.EOPNOTSUPP, ENOTSUPP}

Bytes = NDArray[np.uint8]


class Entries(NamedTuple):
    """n elements of a map."""

    keys: Bytes  # (n, key_size)
    values: Bytes  # (n, value_size)


@dataclass
class Map:
    """An open map; a context manager whose `close` may be called twice."""

    name: str
    fd: int
    type: str  # as libbpf names it: array, hash, percpu_hash, ...
    key_size: int
    value_size: int
    max_entries: int
    flags: int = 0
    owned: bool = True  # False: the object closes the descriptor

    def __enter__(self) -> Map:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Give up the descriptor; the kernel frees the map with its last user."""
        fd, self.fd = self.fd, -1
        if fd >= 0 and self.owned:
            close(fd)

    @property
    def value_bytes(self) -> int:
        """Return what one lookup brings: per-CPU maps have a value per possible CPU."""
        if self.type not in _PER_CPU:
            return self.value_size
        b = binding()
        cpus = b.check(b.lib.libbpf_num_possible_cpus(), "number of possible CPUs")
        return (self.value_size + 7) // 8 * 8 * cpus

    def lookup(self, key: bytes) -> bytes | None:
        """Return one value, or None where there is no such key."""
        b = binding()
        value = b.ffi.new("char[]", self.value_bytes)
        result = b.lib.bpf_map_lookup_elem(self.fd, self._key(key), value)
        if result == -errno.ENOENT:
            return None
        b.check(result, f"lookup in map {self.name}")
        return bytes(b.ffi.buffer(value))

    def update(self, key: bytes, value: bytes, flags: int = BPF_ANY) -> None:
        """Store one value; flags are BPF_ANY, BPF_NOEXIST or BPF_EXIST."""
        if len(value) != self.value_bytes:
            raise ValueError(f"map {self.name}: a value has {self.value_bytes} bytes")
        b = binding()
        result = b.lib.bpf_map_update_elem(self.fd, self._key(key), value, flags)
        b.check(result, f"update of map {self.name}")

    def delete(self, key: bytes) -> bool:
        """Remove one element; False where there was none."""
        b = binding()
        result = b.lib.bpf_map_delete_elem(self.fd, self._key(key))
        if result == -errno.ENOENT:
            return False
        b.check(result, f"delete from map {self.name}")
        return True

    def keys(self) -> Iterator[bytes]:
        """Yield the keys one by one; on a map that others change, some may come twice."""
        b = binding()
        current, following = b.ffi.NULL, b.ffi.new("char[]", self.key_size)
        while True:
            result = b.lib.bpf_map_get_next_key(self.fd, current, following)
            if result == -errno.ENOENT:
                return
            b.check(result, f"walk of map {self.name}")
            key = bytes(b.ffi.buffer(following))
            current = b.ffi.new("char[]", key)
            yield key

    def read(self) -> Entries:
        """Return all elements, in batches where the kernel has them."""
        return self._batches("bpf_map_lookup_batch") or self._one_by_one(take=False)

    def drain(self) -> Entries:
        """Return all elements and delete them."""
        if self.type == "array":
            raise ValueError(f"map {self.name} is an array: its elements cannot be deleted")
        return self._batches("bpf_map_lookup_and_delete_batch") or self._one_by_one(take=True)

    def fill(self, entries: Entries, flags: int = BPF_ANY) -> None:
        """Store many elements, in one batch where the kernel has them."""
        keys = np.ascontiguousarray(entries.keys, np.uint8).reshape(-1, self.key_size)
        values = np.ascontiguousarray(entries.values, np.uint8).reshape(-1, self.value_bytes)
        if len(keys) == 0:
            return
        b = binding()
        count = b.ffi.new("uint32_t *", len(keys))
        options = b.ffi.new("struct batch_opts *", {"sz": b.ffi.sizeof("struct batch_opts")})
        options.elem_flags = flags
        result = b.lib.bpf_map_update_batch(
            self.fd, _pointer(b, keys), _pointer(b, values), count, options
        )
        if -result in _NO_BATCHES:
            for key, value in zip(keys, values, strict=True):
                self.update(key.tobytes(), value.tobytes(), flags)
        else:
            b.check(result, f"batch update of map {self.name}")

    def memory(self) -> NDArray[np.uint8]:
        """Return a mmapable array's values as writable shared memory, (max_entries, stride) bytes.

        `stride` is the value size rounded up to 8. The memory stays mapped while the array lives,
        even after `close`.
        """
        if not self.flags & BPF_F_MMAPABLE:
            raise ValueError(f"map {self.name} is not BPF_F_MMAPABLE")
        stride = (self.value_size + 7) // 8 * 8
        size = stride * self.max_entries
        shared = mmap.mmap(self.fd, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        return np.frombuffer(shared, np.uint8).reshape(self.max_entries, stride)

    def memlock(self) -> int | None:
        """Return the kernel memory the map holds, in bytes; right from Linux 6.3 on."""
        for line in Path(f"/proc/self/fdinfo/{self.fd}").read_text().splitlines():
            if line.startswith("memlock:"):
                return int(line.split()[1])
        return None

    def _key(self, key: bytes) -> bytes:
        if len(key) != self.key_size:
            raise ValueError(f"map {self.name}: a key has {self.key_size} bytes, not {len(key)}")
        return key

    # None where the kernel has no batches for this map.
    def _batches(self, call: str) -> Entries | None:
        b = binding()
        walk = _Walk(b, getattr(b.lib, call), self)
        return walk.run()

    def _one_by_one(self, *, take: bool) -> Entries:
        found: dict[bytes, bytes] = {}
        # Taking deletes what the walk stands on, so the walk comes first.
        for key in list(self.keys()):
            value = self.lookup(key)
            if value is not None:
                found[key] = value
                if take:
                    self.delete(key)
        keys = np.frombuffer(b"".join(found), np.uint8).reshape(-1, self.key_size)
        values = np.frombuffer(b"".join(found.values()), np.uint8)
        return Entries(keys, values.reshape(-1, self.value_bytes))


class _Walk:
    """One pass over a map by batches, into arrays that grow when a hash bucket does not fit."""

    def __init__(self, b: Binding, call: Callable[..., int], source: Map) -> None:
        self._b, self._call, self._map = b, call, source
        self._done = 0
        self._room = max(source.max_entries, 1)
        self._keys: Bytes = np.empty((self._room, source.key_size), np.uint8)
        self._values: Bytes = np.empty((self._room, source.value_bytes), np.uint8)
        # The kernel stores a bucket number, or a key, as its bookmark.
        self._bookmark = b.ffi.new("char[]", max(source.key_size, 8))

    def run(self) -> Entries | None:
        started = False
        while True:
            count, error = self._step(started)
            if error in _NO_BATCHES and not started:
                return None
            if error == errno.ENOSPC and count == 0:
                self._grow()
                continue
            started = True
            self._done += count
            if error == errno.ENOENT:
                return Entries(self._keys[: self._done], self._values[: self._done])
            if error:
                text = self._b.describe(error)
                raise OSError(error, f"batch read of map {self._map.name}: {text}")
            if self._done == self._room:
                self._grow()

    def _step(self, started: bool) -> tuple[int, int]:
        ffi = self._b.ffi
        count = ffi.new("uint32_t *", self._room - self._done)
        error = -self._call(
            self._map.fd,
            self._bookmark if started else ffi.NULL,
            self._bookmark,
            _pointer(self._b, self._keys[self._done :]),
            _pointer(self._b, self._values[self._done :]),
            count,
            ffi.NULL,
        )
        # On an error other than the end, and than a full buffer, the count means nothing.
        return (int(count[0]) if error in (0, errno.ENOENT) else 0), error

    def _grow(self) -> None:
        more = self._room
        self._keys = np.concatenate([self._keys, np.empty_like(self._keys[:more])])
        self._values = np.concatenate([self._values, np.empty_like(self._values[:more])])
        self._room += more


def create(
    kind: int, name: str, *, key_size: int, value_size: int, max_entries: int, flags: int = 0
) -> Map:
    """Create a map of our own (probes and tests); `kind` is the number of enum bpf_map_type."""
    b = binding()
    options = b.ffi.new("struct map_create_opts *")
    options.sz, options.map_flags = b.ffi.sizeof("struct map_create_opts"), flags
    fd = b.lib.bpf_map_create(kind, name.encode(), key_size, value_size, max_entries, options)
    b.check(fd, f"creation of map {name}")
    type_name = b.text(b.lib.libbpf_bpf_map_type_str(kind))
    return Map(name, fd, type_name, key_size, value_size, max_entries, flags)


def duplicate(source: Map) -> Map:
    """Return a map with a descriptor of its own, which outlives the object it came from."""
    copy = os.dup(source.fd)
    return Map(
        source.name,
        copy,
        source.type,
        source.key_size,
        source.value_size,
        source.max_entries,
        source.flags,
    )


def _pointer(b: Binding, array: NDArray[Any]) -> Any:
    return b.ffi.cast("void *", array.ctypes.data)


def has_batches(source: Map) -> bool:
    """Say whether this map can be read in batches."""
    return _Walk(binding(), binding().lib.bpf_map_lookup_batch, source).run() is not None
