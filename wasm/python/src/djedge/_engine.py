"""Instances of the module, and how an operation goes through one.

Reads share an instance: while one waits for the database, it serves others.
What writes has an instance of its own, and so has what takes a password. An
instance that traps, computes too long, runs out of memory or says what cannot
be read is thrown away; reads that were parked in it are done once more, each
alone, and what may have written is not.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from . import _abi
from ._abi import Op
from ._instance import Instance, Lost
from .errors import ConfigurationError, Unavailable

log = logging.getLogger("djedge")

MAX_ROUNDS, MAX_YIELDS = 1_000, 10_000_000
MAX_SHARED = 64 << 10  # bytes of a message above which an operation leaves a shared instance

_READS = frozenset((Op.CHECK, Op.LOAD_USER, Op.PERMISSIONS, Op.VISIT, Op.SESSION_LOAD))
_WRITES = frozenset((Op.LOGOUT, Op.SESSION_FLUSH, Op.SESSION_CYCLE, Op.CLEAR_EXPIRED, Op.CSRF_TOKEN, Op.SAVE_USER, Op.SESSION_SAVE))


@dataclass(frozen=True)
class Limits:
    """What the module may take. Memory is in bytes, times are in seconds, fuel in iterations of loops."""

    memory: int = 64 << 20
    hash_memory: int = 384 << 20
    fuel: int = 200_000_000
    hash_fuel: int = 20_000_000_000
    in_flight: int = 1_000  # operations in the instance of reads
    instances: int = 8  # of writing operations, and of large reads
    wait: float = 1.0  # for a place
    hash_wait: float = 5.0
    max_requests: int = 1_000_000
    max_age: float = 3600.0
    max_memory: int = 32 << 20  # above which an instance is replaced


class Effects(Protocol):
    """What an operation may ask for. wrote: something that may write was sent."""

    wrote: bool
    declined: bool  # the module hashes by itself now

    async def answer(self, effect: _abi.Effect, writes: Callable[[_abi.Statement], bool]) -> bytes: ...

    async def hash(self, f: Callable[[], bytes]) -> bytes: ...


class _Alone(Exception):
    """The operation would keep its neighbours waiting."""


@dataclass(frozen=True)
class _Class:
    lane: _Lane
    writes: bool = False
    hashes: bool = False
    ad_hoc: bool = False


class _Lane:
    """Instances for one kind of operations: shared, or one operation each."""

    def __init__(self, make: Callable[[], Instance], limits: Limits, places: int, wait: float, shared: bool):
        self.make, self.limits, self.wait, self.shared = make, limits, wait, shared
        self.places = asyncio.Semaphore(places)
        self.idle: list[Instance] = []

    async def enter(self) -> Instance:
        """An instance with room for one more, to be left again."""
        if self.places.locked():
            try:
                await asyncio.wait_for(self.places.acquire(), self.wait)
            except TimeoutError:
                raise Unavailable("busy", "no instance of the module had room in time") from None
        else:
            await self.places.acquire()
        try:
            inst = self._take()
        except BaseException:
            self.places.release()
            raise
        inst.in_flight += 1
        return inst

    def leave(self, inst: Instance) -> None:
        inst.in_flight -= 1
        inst.served += 1
        if not self.shared and not self._worn(inst):
            self.idle.append(inst)
        self.places.release()

    def _take(self) -> Instance:
        while self.idle:
            inst = self.idle[-1]
            if self._worn(inst):  # those who are parked in it keep it until they are done
                self.idle.pop()
                continue
            return inst if self.shared else self.idle.pop()
        inst = self.make()
        if self.shared:
            self.idle.append(inst)
        return inst

    def _worn(self, inst: Instance) -> bool:
        x = self.limits
        return (
            inst.lost is not None or inst.hashed or inst.served >= x.max_requests
            or time.monotonic() - inst.born > x.max_age or inst.size > x.max_memory
        )  # fmt: skip


class Engine:
    """The module with its settings. make gives a new instance with so much memory and fuel."""

    def __init__(self, make: Callable[[int, int], Instance], settings: Sequence[tuple[str, str]], limits: Limits, hashing: int):
        self._make, self._settings, self.limits = make, _abi.configure(settings), limits
        self._accepted: bytes | None = None
        named = dict(settings)
        self._reads_write = named.get("writes_on_reads") == "true"
        self._saves_all = named.get("session_save_every_request") == "true"

        def lane(memory: int, fuel: int, places: int, wait: float, shared: bool = False) -> _Lane:
            return _Lane(lambda: self._new(memory, fuel), limits, places, wait, shared)

        x = limits
        self.reads = lane(x.memory, x.fuel, x.in_flight, x.wait, shared=True)
        self.alone = lane(x.memory, x.fuel, x.instances, x.wait)
        self.large = lane(x.memory, x.fuel, x.instances, x.wait)
        self.hash = lane(x.hash_memory, x.hash_fuel, 2 * hashing + 2, x.hash_wait)
        first = self._new(x.memory, x.fuel)
        self.reads.idle.append(first)

    def _new(self, memory: int, fuel: int) -> Instance:
        """A configured instance. The first one fixes the statements; one that understands the settings otherwise later is refused."""
        inst = self._make(memory, fuel)
        frame = inst.configure(self._settings)
        if self._accepted is None:
            try:
                configured = _abi.read_configured(frame)
            except _abi.Malformed as e:
                raise inst.lose(str(e)) from e
            if isinstance(configured, str):
                raise ConfigurationError(configured)
            self.statements, self.columns, self.headers = configured.statements, configured.columns, configured.headers
            self._selects = {name: selects(sql) for name, sql in configured.statements}
            self._accepted = frame
        elif frame != self._accepted:
            raise inst.lose("an instance understands the settings otherwise than the first one")
        return inst

    def writes(self, s: _abi.Statement) -> bool:
        """Whether a statement may write: whatever is not in the table as one that only reads."""
        return s.ad_hoc or not self._selects.get(s.name, False)

    def _class_of(self, op: _abi.Operation) -> _Class:
        kind = op.kind
        if kind in _READS and not self._reads_write:
            return _Class(self.reads)
        if kind is Op.SESSION_SAVE and not self._saves_all and not (op.session and op.session.modified):
            return _Class(self.reads)  # it says no more than whether the response varies
        if kind in _READS or kind in _WRITES:
            return _Class(self.alone, writes=True, ad_hoc=kind is Op.SAVE_USER)
        return _Class(self.hash, writes=True, hashes=True, ad_hoc=kind is Op.EVAL)

    async def run(self, op: _abi.Operation, fx: Effects) -> _abi.Result:
        """Runs an operation to its end. An Unavailable means that nobody knows."""
        c = self._class_of(op)
        try:
            try:
                return await self._once(c, c.lane, op, fx)
            except _Alone:
                return await self._once(c, self.large, op, fx)
            except Lost as e:
                log.error("an instance of the module was lost: %s", e)
                if fx.wrote or c.writes:
                    raise
                return await self._once(c, self.large, op, fx)
        except Lost as e:
            raise Unavailable("internal", "the module's instance was lost") from e

    async def _once(self, c: _Class, lane: _Lane, op: _abi.Operation, fx: Effects) -> _abi.Result:
        inst = await lane.enter()
        try:
            random = os.urandom(64) if c.writes else b""
            frame = _abi.begin(_now(), random, op)
            if lane.shared and len(frame) > MAX_SHARED:
                raise _Alone
            if len(frame) > _abi.MAX_FRAME:
                raise Unavailable("bad_request", "the message for the module is too long")
            handle = rounds = yields = 0
            frame = inst.begin(frame)
            try:
                while frame[:1] == b"\4":
                    at, effects = _abi.read_effects(frame, self.statements)
                    if handle and at != handle:
                        raise _abi.Malformed("the answer is for another operation")
                    handle = at
                    answers = []
                    for e in effects:
                        self._allow(c, e)
                        yields, rounds = (yields + 1, rounds) if isinstance(e, _abi.Yield) else (yields, rounds + 1)
                        answers.append(await fx.answer(e, self.writes))
                        if fx.declined and isinstance(e, _abi.Derive) and e.function not in (1, 2):
                            inst.hashed = True
                    if rounds > MAX_ROUNDS or yields > MAX_YIELDS:
                        raise _abi.Malformed("the module asks on and on")
                    frame = _abi.resume(_now(), answers)
                    if lane.shared and len(frame) > MAX_SHARED:
                        raise _Alone
                    if fx.declined:
                        frame = await self._resume_on_thread(inst, handle, frame, fx)
                    else:
                        frame = inst.resume(handle, frame)
                if frame[:1] != b"\6":
                    raise _abi.Malformed("neither a result nor effects")
                handle, done = 0, _abi.read_done(frame)
                return done
            except _abi.Malformed as e:
                raise inst.lose(str(e)) from e
            finally:
                if handle and inst.lost is None:
                    try:
                        inst.cancel(handle)
                    except Lost:
                        pass
        finally:
            lane.leave(inst)

    async def _resume_on_thread(self, inst: Instance, handle: int, frame: bytes, fx: Effects) -> bytes:
        """A slice of a hashing. Whoever goes away meanwhile leaves the instance to its thread."""
        try:
            return await fx.hash(lambda: inst.resume(handle, frame))
        except asyncio.CancelledError:
            inst.lose("the client went away while the module hashed")
            raise

    def _allow(self, c: _Class, e: _abi.Effect) -> None:
        """Keeps a module that went wrong in a read from writing."""
        if isinstance(e, _abi.Query):
            if e.atomic and not c.writes:
                raise _abi.Malformed("a read asked for a transaction")
            for s in e.statements:
                if s.ad_hoc and not c.ad_hoc:
                    raise _abi.Malformed("an operation without SQL asked for a statement of its own")
                if not c.writes and self.writes(s):
                    raise _abi.Malformed(f"a read asked for the statement {s.name}")
        elif isinstance(e, (_abi.Derive, _abi.Yield)):
            if not c.hashes:
                raise _abi.Malformed("an operation without a password asked for a key derivation")
        elif isinstance(e, _abi.Storage) and not c.writes and e.operation not in (1, 5):
            raise _abi.Malformed("a read asked to change what is stored")


def _now() -> int:
    return time.time_ns() // 1_000


_WORD = re.compile(r"[A-Za-z0-9_]+")


def selects(sql: str) -> bool:
    """Whether sql is one SELECT that stores its rows nowhere."""
    words = [w.upper() for w in _WORD.findall(sql)]
    return sql.lstrip()[:6].upper() == "SELECT" and bool(words) and words[0] == "SELECT" and "INTO" not in words and ";" not in sql
