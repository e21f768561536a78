"""Calls of exports without the price of wasmtime's Python API, which looks types up each time: some 20 µs a request.

It uses the bindings below that API, as far as they are what they were; where
anything is otherwise, ordinary calls take their place.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import wasmtime


def plain(store: wasmtime.Store, f: wasmtime.Func) -> Callable[..., int]:
    return lambda *arguments: f(store, *arguments)


def quick(store: wasmtime.Store, f: wasmtime.Func) -> Callable[..., int]:
    """f with arguments of type i32 and a result of type i32, i64 or none. Not to be entered twice."""
    try:
        from wasmtime import _bindings as ffi

        kind = f.type(store)
        i32, i64 = wasmtime.ValType.i32(), wasmtime.ValType.i64()
        results = kind.results
        if any(p != i32 for p in kind.params) or len(results) > 1 or any(r not in (i32, i64) for r in results):
            return plain(store, f)
        count, wide, narrow = len(kind.params), results == [i64], results == [i32]
        size = max(count, 1)
        values = (ffi.wasmtime_val_raw_t * size)()
        trap = ctypes.POINTER(ffi.wasm_trap_t)()
        context, func, at_trap, run = store._context(), ctypes.byref(f._func), ctypes.byref(trap), ffi._wasmtime_func_call_unchecked
    except AttributeError:
        return plain(store, f)

    def call(*arguments: int) -> int:
        if len(arguments) != count:
            raise TypeError("another number of arguments")
        for i, n in enumerate(arguments):
            values[i].i32 = n
        error = run(context, func, values, size, at_trap)
        if error:
            raise wasmtime.WasmtimeError._from_ptr(error)
        if trap:
            raise wasmtime.Trap._from_ptr(trap)  # the instance is not called again
        return int(values[0].i64) if wide else int(values[0].i32) if narrow else 0

    return call


def quick_set(store: wasmtime.Store, g: wasmtime.Global) -> Callable[[int], None]:
    """Sets a global of type i64."""
    try:
        from wasmtime import _ffi as ffi

        if g.type(store).content != wasmtime.ValType.i64():
            raise AttributeError
        value = ffi.wasmtime_val_t(ffi.WASMTIME_I64, ffi.wasmtime_valunion(i64=0))
        context, at, at_value, run = store._context(), ctypes.byref(g._global), ctypes.byref(value), ffi.wasmtime_global_set
    except (AttributeError, TypeError):
        return lambda n: g.set_value(store, n)

    def put(n: int) -> None:
        value.of.i64 = n
        error = run(context, at, at_value)
        if error:
            raise wasmtime.WasmtimeError._from_ptr(error)

    return put
