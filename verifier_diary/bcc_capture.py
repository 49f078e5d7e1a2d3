"""Keep every program load of BCC, accepted or not, with the whole log that BCC prints to stderr.

    with bcc_capture.captured() as attempts:
        BPF(text=...)              # fails, or not, and prints, just as it would without

`install()` does so for the rest of the process, also before `bcc` is imported. Attempts go to the
journal. BCC itself is untouched on disk; two functions of its C library are wrapped in memory.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import importlib.abc
import importlib.util
import mmap
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from verifier_diary import bcc_attempts, journal
from verifier_diary.bcc_attempts import Module, Verdict
from verifier_diary.model import Attempt
from verifier_diary.processes import may_load
from verifier_diary.stderr_tap import tapped

LOG_MAX = (1 << 30) - 1  # bytes; the kernel's own maximum; untouched pages cost nothing
_LOG_BUFFER, _LOG_SIZE, _LOG_LEVEL = 8, 9, 7  # among the arguments of bcc_func_load

Listener = Callable[[Attempt], None]


@dataclass(eq=False)
class _Capture:
    listener: Listener | None
    quiet: bool


class _State(threading.local):
    paused = 0
    source: str | None = None  # the file that BPF() was given


_here = _State()
_captures: list[_Capture] = []
_modules: dict[int, Module] = {}  # by the address of BCC's own object
_installed: _Capture | None = None


def install() -> None:
    """Capture all loads of this process from now on; a second call does nothing."""
    global _installed
    if _installed is None:
        _installed = _Capture(None, quiet=False)
        _begin(_installed)


def uninstall() -> None:
    """Undo `install`."""
    global _installed
    if _installed is not None:
        _end(_installed)
        _installed = None


@contextlib.contextmanager
def captured(listener: Listener | None = None, *, quiet: bool = False) -> Iterator[list[Attempt]]:
    """Capture the loads of a block; yields the list that they go to, besides the journal.

    `quiet` keeps off stderr what BCC prints about them.
    """
    attempts: list[Attempt] = []

    def keep(attempt: Attempt) -> None:
        attempts.append(attempt)
        if listener:
            listener(attempt)

    capture = _Capture(keep, quiet)
    _begin(capture)
    try:
        yield attempts
    finally:
        _end(capture)


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Let this thread's loads pass by: they are the diary's own."""
    _here.paused += 1
    try:
        yield
    finally:
        _here.paused -= 1


def _begin(capture: _Capture) -> None:
    _captures.append(capture)
    if "bcc" in sys.modules:
        _wrap(sys.modules["bcc"])
    elif _watcher not in sys.meta_path:
        sys.meta_path.insert(0, _watcher)


def _end(capture: _Capture) -> None:
    _captures.remove(capture)
    if not _captures and _watcher in sys.meta_path:
        sys.meta_path.remove(_watcher)


class _Watcher(importlib.abc.MetaPathFinder):
    """Waits for `import bcc`."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find bcc as everybody would, and wrap it once it is there."""
        if name != "bcc":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_wrap(module: ModuleType) -> None:
            execute(module)
            _wrap(module)

        spec.loader.exec_module = execute_and_wrap  # type: ignore[method-assign]
        return spec


_watcher = _Watcher()


# For good: a wrapper without captures only hands on.
def _wrap(bcc: Any) -> None:
    if not hasattr(bcc, "BPF") or getattr(bcc.lib, "glimpse_wrapped", False):
        return
    bcc.lib.glimpse_wrapped = True
    _wrap_init(bcc.BPF)
    compile_, load = bcc.lib.bpf_module_create_c_from_string, bcc.lib.bcc_func_load
    bcc.lib.bpf_module_create_c_from_string = _compiling(compile_)
    bcc.lib.bcc_func_load = _loading(load, bcc.lib)


# BPF() reads a source file itself, and compiles a text without a name.
def _wrap_init(cls: Any) -> None:
    original = cls.__init__

    def init(self: Any, src_file: Any = b"", *args: Any, **options: Any) -> None:
        before, _here.source = _here.source, bcc_attempts.text_of(src_file) or None
        try:
            original(self, src_file, *args, **options)
        finally:
            _here.source = before

    init.__doc__, init.__wrapped__ = original.__doc__, original  # type: ignore[attr-defined]
    cls.__init__ = init


def _compiling(compile_: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(text: bytes, debug: int, flags: Any, *rest: Any) -> Any:
        if not _active():
            made = compile_(text, debug, flags, *rest)
            _modules.pop(made, None)  # an address that another module had
            return made
        with tapped(pass_on=not _quiet()) as printed:
            made = compile_(text, debug, flags, *rest)
            number = ctypes.get_errno()
        module = Module.of(_here.source, text, flags)
        if made:
            _modules[made] = module
        else:
            _keep(bcc_attempts.not_compiled(module, printed.text))
        ctypes.set_errno(number)
        return made

    return wrapper


def _loading(load: Callable[..., int], lib: Any) -> Callable[..., int]:
    def wrapper(*arguments: Any) -> int:
        if not _active():
            return load(*arguments)
        if arguments[_LOG_BUFFER] is not None:
            verdict = _with_their_buffer(load, arguments)
        elif arguments[_LOG_LEVEL]:
            verdict = _overheard(load, arguments)
        else:
            verdict = _with_own_buffer(load, arguments)
        _keep_load(_modules.get(arguments[0]), arguments, verdict, lib)
        ctypes.set_errno(verdict.number)
        return verdict.descriptor

    return wrapper


# As BCC itself would: first without a log, then with one, which it prints from our buffer.
def _with_own_buffer(load: Callable[..., int], arguments: Sequence[Any]) -> Verdict:
    buffer = _log_buffer()
    ours = list(arguments)
    address = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    ours[_LOG_BUFFER] = ctypes.cast(address, ctypes.c_char_p)
    ours[_LOG_SIZE] = len(buffer)
    with tapped(pass_on=False) if _quiet() else contextlib.nullcontext():
        descriptor = load(*ours)
    number = ctypes.get_errno()
    if descriptor < 0 and number == errno.E2BIG:
        _ask_for_log(load, ours)
    return Verdict(descriptor, number, buffer[: max(0, buffer.find(b"\0"))])


def _with_their_buffer(load: Callable[..., int], arguments: Sequence[Any]) -> Verdict:
    descriptor = load(*arguments)
    number = ctypes.get_errno()
    address = ctypes.cast(arguments[_LOG_BUFFER], ctypes.c_void_p).value
    return Verdict(descriptor, number, ctypes.string_at(address) if address else b"")


# BCC asks for no log when the program is too large for the verifier, where it would tell most.
def _ask_for_log(load: Callable[..., int], arguments: list[Any]) -> None:
    with tapped(pass_on=False):
        descriptor = load(*arguments[:_LOG_LEVEL], 1, *arguments[_LOG_LEVEL + 1 :])
    if descriptor >= 0:
        os.close(descriptor)


# With DEBUG_BPF BCC prints all logs, and goes other ways when the buffer is not its own.
def _overheard(load: Callable[..., int], arguments: Sequence[Any]) -> Verdict:
    with tapped(pass_on=not _quiet()) as printed:
        descriptor = load(*arguments)
        number = ctypes.get_errno()
    return Verdict(descriptor, number, bcc_attempts.log_in(printed.text).encode())


def _keep_load(module: Module | None, arguments: Sequence[Any], verdict: Verdict, lib: Any) -> None:
    attempt = bcc_attempts.loaded(module or Module.unknown(), arguments, verdict, lib)
    refused = verdict.number == errno.EPERM and not attempt.accepted and not attempt.log
    if refused and not may_load("self"):
        return  # says nothing about the program
    _keep(attempt)


def _keep(attempt: Attempt) -> None:
    journal.append(attempt)
    for capture in _captures.copy():
        if capture.listener:
            capture.listener(attempt)


def _active() -> bool:
    return bool(_captures) and not _here.paused


def _quiet() -> bool:
    return any(capture.quiet for capture in _captures)


# Private memory, which need not be there before it is used; less where a limit forbids so much.
def _log_buffer() -> mmap.mmap:
    size = LOG_MAX
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)
    while True:
        try:
            return mmap.mmap(-1, size, flags=flags)
        except OSError:
            if size < 1 << 20:
                raise
            size //= 4
