"""Password hashing on threads of its own, a few at a time, so that it keeps neither the event loop nor logged-in users waiting."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from . import _abi

try:
    from argon2 import low_level as _argon2
except ImportError:  # then the module does it
    _argon2 = None  # type: ignore[assignment]

PBKDF2_SHA256, PBKDF2_SHA1, ARGON2D, ARGON2I, ARGON2ID, BCRYPT, SCRYPT = range(1, 8)

T = TypeVar("T")


class Hashing:
    """The bounded threads. concurrency is how many hash at once: half of the processors, unless it is given."""

    def __init__(self, concurrency: int | None = None, in_module: bool = False):
        self.concurrency = concurrency or max(1, (os.cpu_count() or 1) // 2)
        self.in_module = in_module  # leave everything to the module
        self._threads = ThreadPoolExecutor(self.concurrency, thread_name_prefix="djedge-hash")

    async def run(self, f: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, f)

    async def derive(self, e: _abi.Derive) -> bytes | None:
        """The key; None leaves it to the module."""
        if self.in_module or not _implemented(e):
            return None
        return await self.run(lambda: derive(e))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _implemented(e: _abi.Derive) -> bool:
    if e.function in (PBKDF2_SHA256, PBKDF2_SHA1):
        return True
    if e.function == SCRYPT:
        return hasattr(hashlib, "scrypt")
    return e.function in (ARGON2D, ARGON2I, ARGON2ID) and _argon2 is not None


def derive(e: _abi.Derive) -> bytes | None:
    """The key, by libraries that let go of the interpreter meanwhile; None for what they refuse. The module has checked what it may cost."""
    try:
        if e.function == PBKDF2_SHA256:
            key = hashlib.pbkdf2_hmac("sha256", e.password, e.salt, e.iterations, e.length)
        elif e.function == PBKDF2_SHA1:
            key = hashlib.pbkdf2_hmac("sha1", e.password, e.salt, e.iterations, e.length)
        elif e.function == SCRYPT:
            room = 2 * 128 * e.r * (e.n + e.parallelism + 2)
            key = hashlib.scrypt(e.password, salt=e.salt, n=e.n, r=e.r, p=e.parallelism, maxmem=min(room, 0x7FFFFFFF), dklen=e.length)
        else:
            kinds = {ARGON2D: _argon2.Type.D, ARGON2I: _argon2.Type.I, ARGON2ID: _argon2.Type.ID}
            key = _argon2.hash_secret_raw(
                e.password, e.salt, time_cost=e.iterations, memory_cost=e.memory, parallelism=e.parallelism,
                hash_len=e.length, type=kinds[e.function], version=e.version,
            )  # fmt: skip
    except Exception:  # such as a salt that is too short for a library
        return None
    return key if len(key) == e.length else None
