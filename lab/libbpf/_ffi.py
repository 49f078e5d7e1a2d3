"""The binding itself: declarations, the dlopen, and libbpf's messages."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from lab.errors import EnvironmentProblem

SONAME = "libbpf.so.1"
DEBUG = 2  # enum libbpf_print_level; warnings and information are kept, debugging is not
FIRST_LIBBPF_ERROR = 4000  # LIBBPF_ERRNO__LIBELF; below are the kernel's
ENOTSUPP = 524  # the kernel's own, without a text in libc

# The functions of libbpf 1.0 and later that the lab uses, and the option structs' leading members.
# va_list is an array (x86-64) or a struct passed by reference (aarch64): a pointer in both.
_DECLARATIONS = """
struct bpf_object; struct bpf_program; struct bpf_map; struct btf;
typedef int (*print_fn)(int level, const char *format, void *va_list);
const char *libbpf_version_string(void);
print_fn libbpf_set_print(print_fn fn);
int libbpf_strerror(int err, char *buf, size_t size);
int libbpf_num_possible_cpus(void);
const char *libbpf_bpf_prog_type_str(int type);
const char *libbpf_bpf_map_type_str(int type);
int libbpf_probe_bpf_prog_type(int prog_type, const void *opts);
int libbpf_probe_bpf_map_type(int map_type, const void *opts);
int libbpf_probe_bpf_helper(int prog_type, int helper_id, const void *opts);

int libbpf_register_prog_handler(const char *sec, int type, int attach_type, const void *opts);
int libbpf_unregister_prog_handler(int handler_id);

struct bpf_object *bpf_object__open_file(const char *path, const void *opts);
int bpf_object__load(struct bpf_object *obj);
void bpf_object__close(struct bpf_object *obj);
struct btf *bpf_object__btf(const struct bpf_object *obj);
struct bpf_program *bpf_object__next_program(const struct bpf_object *, struct bpf_program *);
struct bpf_map *bpf_object__next_map(const struct bpf_object *, const struct bpf_map *);
const char *bpf_program__name(const struct bpf_program *prog);
const char *bpf_program__section_name(const struct bpf_program *prog);
int bpf_program__type(const struct bpf_program *prog);
bool bpf_program__autoload(const struct bpf_program *prog);
int bpf_program__set_autoload(struct bpf_program *prog, bool autoload);
int bpf_program__set_log_level(struct bpf_program *prog, uint32_t level);
int bpf_program__set_log_buf(struct bpf_program *prog, char *buf, size_t size);
const void *bpf_program__insns(const struct bpf_program *prog);
size_t bpf_program__insn_cnt(const struct bpf_program *prog);
int bpf_program__fd(const struct bpf_program *prog);
const char *bpf_map__name(const struct bpf_map *map);
int bpf_map__fd(const struct bpf_map *map);
int bpf_map__type(const struct bpf_map *map);
uint32_t bpf_map__key_size(const struct bpf_map *map);
uint32_t bpf_map__value_size(const struct bpf_map *map);
uint32_t bpf_map__max_entries(const struct bpf_map *map);
uint32_t bpf_map__map_flags(const struct bpf_map *map);
bool bpf_map__is_internal(const struct bpf_map *map);
int bpf_map__set_value_size(struct bpf_map *map, uint32_t size);
int bpf_map__set_max_entries(struct bpf_map *map, uint32_t max_entries);
int bpf_map__reuse_fd(struct bpf_map *map, int fd);
void *bpf_map__initial_value(struct bpf_map *map, size_t *psize);
struct btf *btf__parse(const char *path, void *btf_ext);
struct btf *btf__load_vmlinux_btf(void);
void btf__free(struct btf *btf);
const void *btf__raw_data(const struct btf *btf, uint32_t *size);

struct map_create_opts {
    size_t sz; uint32_t btf_fd; uint32_t btf_key_type_id; uint32_t btf_value_type_id;
    uint32_t btf_vmlinux_value_type_id; uint32_t inner_map_fd; uint32_t map_flags;
};
struct batch_opts { size_t sz; uint64_t elem_flags; uint64_t flags; };
int bpf_map_create(int type, const char *name, uint32_t key_size, uint32_t value_size,
                   uint32_t max_entries, const struct map_create_opts *opts);
int bpf_map_lookup_elem(int fd, const void *key, void *value);
int bpf_map_update_elem(int fd, const void *key, const void *value, uint64_t flags);
int bpf_map_delete_elem(int fd, const void *key);
int bpf_map_get_next_key(int fd, const void *key, void *next_key);
int bpf_map_lookup_batch(int fd, void *in_batch, void *out_batch, void *keys, void *values,
                         uint32_t *count, const struct batch_opts *opts);
int bpf_map_lookup_and_delete_batch(int fd, void *in_batch, void *out_batch, void *keys,
                                    void *values, uint32_t *count, const struct batch_opts *);
int bpf_map_update_batch(int fd, const void *keys, const void *values, uint32_t *count,
                         const struct batch_opts *opts);
int bpf_obj_get_info_by_fd(int fd, void *info, uint32_t *info_len);

struct prog_load_opts {
    size_t sz; int attempts; int expected_attach_type;
    uint32_t prog_btf_fd; uint32_t prog_flags;
};
int bpf_prog_load(int type, const char *name, const char *license, const void *insns,
                  size_t insn_cnt, const struct prog_load_opts *opts);
struct test_run_opts {
    size_t sz; const void *data_in; void *data_out;
    uint32_t data_size_in; uint32_t data_size_out;
    const void *ctx_in; void *ctx_out; uint32_t ctx_size_in; uint32_t ctx_size_out;
    uint32_t retval; int repeat; uint32_t duration; uint32_t flags; uint32_t cpu;
    uint32_t batch_size;
};
int bpf_prog_test_run_opts(int fd, struct test_run_opts *opts);
struct link_create_opts { size_t sz; uint32_t flags; };
int bpf_link_create(int prog_fd, int target_fd, int attach_type, const struct link_create_opts *);
struct xdp_query_opts {
    size_t sz; uint32_t prog_id; uint32_t drv_prog_id; uint32_t hw_prog_id; uint32_t skb_prog_id;
    uint8_t attach_mode;
};
int bpf_xdp_query(int ifindex, int flags, struct xdp_query_opts *opts);

int vsnprintf(char *text, size_t size, const char *format, void *va_list);
"""

_messages = threading.local()


@dataclass(frozen=True)
class Binding:
    """cffi's three objects: types and memory, libbpf, and libc; `printer` must outlive libbpf."""

    ffi: Any
    lib: Any
    libc: Any
    printer: Any

    def text(self, pointer: Any) -> str:
        """Read a C string; NULL is empty."""
        return _decode(self.ffi.string(pointer)) if pointer != self.ffi.NULL else ""

    @property
    def errno(self) -> int:
        """Return errno as the latest call of this thread left it."""
        return int(self.ffi.errno)

    def describe(self, error: int) -> str:
        """Say what an error number means, libbpf's own numbers included."""
        if error == ENOTSUPP:
            return "Operation not supported by this kernel"
        text = self.ffi.new("char[256]")
        self.lib.libbpf_strerror(error, text, 256)
        return self.text(text)

    def check(self, result: int, what: str) -> int:
        """Return a call's result, or raise OSError naming what failed."""
        if result < 0:
            raise OSError(-result, f"{what}: {self.describe(-result)}")
        return result


@cache
def binding() -> Binding:
    """Open libbpf; raises EnvironmentProblem where it, or cffi, is not installed."""
    try:
        import cffi
    except ImportError as error:
        raise EnvironmentProblem("cffi is not installed", try_="make setup") from error
    ffi = cffi.FFI()
    ffi.cdef(_DECLARATIONS)
    try:
        lib, libc = ffi.dlopen(SONAME), ffi.dlopen(None)
    except OSError as error:
        raise EnvironmentProblem(
            f"libbpf ({SONAME}) is not installed, so no program can be loaded",
            try_="sudo apt-get install libbpf-dev, or `make setup`",
        ) from error
    printer = ffi.callback("print_fn", _printer(ffi, libc))
    lib.libbpf_set_print(printer)
    return Binding(ffi, lib, libc, printer)


@contextlib.contextmanager
def captured_messages() -> Iterator[list[str]]:
    """Collect what libbpf prints in this thread.

    The printer is libbpf's one for the whole process, and bcc, which shares libbpf, sets its own.
    """
    b = binding()
    outer = getattr(_messages, "sink", None)
    _messages.sink = sink = list[str]()
    others = b.lib.libbpf_set_print(b.printer)
    try:
        yield sink
    finally:
        _messages.sink = outer
        b.lib.libbpf_set_print(others)


def version() -> str:
    """Return libbpf's version, e.g. `1.1.2`."""
    b = binding()
    return b.text(b.lib.libbpf_version_string()).removeprefix("v")


def close(descriptor: int) -> None:
    """Close a file descriptor, quietly if it is closed already."""
    with contextlib.suppress(OSError):
        os.close(descriptor)


# libbpf prints the whole verifier log as one message, so the text may be of any length; a va_list
# can be used once, hence one generous buffer (its tail matters least: the log is kept elsewhere).
def _printer(ffi: Any, libc: Any) -> Any:
    size = 65536

    def record(level: int, template: Any, arguments: Any) -> int:
        sink = getattr(_messages, "sink", None)
        if level < DEBUG and sink is not None:
            text = ffi.new("char[]", size)
            libc.vsnprintf(text, size, template, arguments)
            sink.append(_decode(ffi.string(text)))
        return 0

    return record


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "replace")
