"""One running copy of the module: calls go in one after the other, and the first that goes wrong is the last."""

from __future__ import annotations

import ctypes
import threading
import time
from typing import Any, TypeVar

import wasmtime

from . import _abi
from ._calls import quick, quick_set
from ._module import Module


class Lost(Exception):
    """The instance is gone, and with it whatever was parked in it."""


class Instance:
    """A copy of the module with memory of its own.

    Callable from any thread, by one at a time: whoever comes while another is
    inside waits.
    """

    def __init__(self, module: Module, *, memory: int = 64 << 20, fuel: int = 200_000_000):
        self.born = time.monotonic()
        self.lost: str | None = None
        self.served = 0
        self.in_flight = 0
        self.hashed = False  # with much memory, which it never gives back
        self.fuel = fuel
        self._lock = threading.Lock()
        self._store = store = wasmtime.Store(module.engine)
        store.set_limits(memory_size=memory)
        wasi = wasmtime.WasiConfig()  # no files, and what it prints is dropped
        wasi.env = [("GOMEMLIMIT", f"{memory * 3 // 4}")]
        store.set_wasi(wasi)
        try:
            exports = module.linker.instantiate(store, module.module).exports(store)
            self._memory = _export(exports, "memory", wasmtime.Memory)
            self._refuel = quick_set(store, _export(exports, "djedge_fuel", wasmtime.Global))
            names = ("alloc", "free", "configure", "begin", "resume", "cancel")
            self._functions = {name: quick(store, _export(exports, "djedge_" + name, wasmtime.Func)) for name in names}
            _export(exports, "_initialize", wasmtime.Func)(store)
            if (version := _export(exports, "djedge_abi", wasmtime.Func)(store)) != _abi.VERSION:
                raise Lost(f"the module speaks version {version} of the ABI, this package {_abi.VERSION}")
            packed = _export(exports, "djedge_buffer", wasmtime.Func)(store)
        except (wasmtime.WasmtimeError, wasmtime.Trap) as e:
            raise Lost(f"the module does not start: {type(e).__name__}") from e
        self._buffer, self._buffer_size = packed >> 32 & 0xFFFFFFFF, packed & 0xFFFFFFFF
        self._look()

    @property
    def size(self) -> int:
        """Of its memory in bytes."""
        return self._size

    def configure(self, frame: bytes) -> bytes:
        return self._exchange("configure", (), frame)

    def begin(self, frame: bytes) -> bytes:
        return self._exchange("begin", (), frame)

    def resume(self, handle: int, frame: bytes) -> bytes:
        return self._exchange("resume", (_i32(handle),), frame)

    def cancel(self, handle: int) -> None:
        """Gives a parked operation up. On a lost instance it does nothing."""
        with self._lock:
            if self.lost is None:
                self._call("cancel", _i32(handle))

    def lose(self, why: str) -> Lost:
        """Ends the instance; the result is to be raised."""
        if self.lost is None:
            self.lost = why
        return Lost(self.lost)

    def _exchange(self, name: str, first: tuple[int, ...], frame: bytes) -> bytes:
        with self._lock:
            if self.lost is not None:
                raise Lost(self.lost)
            size = len(frame)
            at = self._buffer if size <= self._buffer_size else self._call("alloc", size) & 0xFFFFFFFF
            if at == 0 or at + size > self._size:
                raise self.lose("the module gave no buffer for a message")
            ctypes.memmove(self._base + at, frame, size)
            packed = self._call(name, *first, _i32(at), size)
            start, length = packed >> 32 & 0xFFFFFFFF, packed & 0xFFFFFFFF
            if length > _abi.MAX_FRAME or start + length > self._size:
                raise self.lose("the module's answer is outside of its memory")
            answer = ctypes.string_at(self._base + start, length)
            if at != self._buffer:
                self._call("free", _i32(at))
            return answer

    def _look(self) -> None:
        """Where the memory is now, and how large: any call may move it, and nothing else does."""
        self._base = ctypes.addressof(self._memory.data_ptr(self._store).contents)
        self._size = self._memory.data_len(self._store)

    def _call(self, name: str, *arguments: int) -> int:
        try:
            self._refuel(self.fuel)
            result = self._functions[name](*arguments)
            self._look()
            return result
        except (wasmtime.WasmtimeError, wasmtime.Trap) as e:
            # The text of a trap is a backtrace: names of functions.
            raise self.lose(f"{name}: {str(e)[:2000]}") from e
        except BaseException:
            self.lose(f"{name} was broken off")
            raise


def _i32(n: int) -> int:
    """As wasmtime takes it: with its sign."""
    return n - (1 << 32) if n >= 1 << 31 else n


_T = TypeVar("_T")


def _export(exports: Any, name: str, kind: type[_T]) -> _T:
    found = exports.get(name)
    if not isinstance(found, kind):
        raise Lost(f"the module does not export {name}: it is no djedge.wasm")
    return found
