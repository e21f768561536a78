"""What one operation may ask for: rows, hashes, randomness and a pause."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, MutableMapping

from . import _abi
from ._database import Database, Duplicate
from ._kdf import Hashing

log = logging.getLogger("djedge")

Memo = MutableMapping[tuple[object, ...], bytes]
"""Keys that were derived for somebody who is about to log in, so that the same password is not hashed twice."""

Seen = MutableMapping[object, _abi.Rows]
"""The rows of sessions that a request has read, which it reads once, as Django does."""

_SESSION = "session_load"


class Effects:
    """Of one operation."""

    def __init__(self, database: Database, hashing: Hashing, timeout: float, memo: Memo | None = None, seen: Seen | None = None):
        self._database, self._hashing, self._timeout, self._memo, self._seen = database, hashing, timeout, memo, seen
        self.wrote = False
        self.declined = False

    async def answer(self, effect: _abi.Effect, writes: Callable[[_abi.Statement], bool]) -> bytes:
        if isinstance(effect, _abi.Query):
            return await self._query(effect, writes)
        if isinstance(effect, _abi.Derive):
            return await self._derive(effect)
        if isinstance(effect, _abi.Random):
            return _abi.answer_random(os.urandom(effect.count))
        if isinstance(effect, _abi.Yield):
            await asyncio.sleep(0)
            return _abi.answer_ok()
        return _abi.answer_error("there is no cache and there are no files here")

    async def _query(self, q: _abi.Query, writes: Callable[[_abi.Statement], bool]) -> bytes:
        if any(map(writes, q.statements)):
            self.wrote = True
            if self._seen is not None:
                self._seen.clear()
        statements, results = q.statements, list[_abi.Rows]()
        session = statements[0].args[0] if self._seen is not None and not self.wrote and statements and statements[0].name == _SESSION else None
        if session is not None and self._seen and (row := self._seen.get(session)):
            statements, results = statements[1:], [row]
        try:
            if statements:
                results += await self._database.query(q.atomic, statements, self._timeout)
            if len(results) != len(q.statements):
                raise ValueError("the database gave another number of results")
            if session is not None and self._seen is not None:
                self._seen[session] = results[0]
            return _abi.answer_results(results)
        except Duplicate:
            return _abi.answer_duplicate()
        except Exception as e:
            # Drivers like to say what the values were: the type alone is logged.
            log.error("the database did not answer %s: %s", ", ".join(s.name for s in statements), type(e).__name__)
            return _abi.answer_error(type(e).__name__)

    async def _derive(self, e: _abi.Derive) -> bytes:
        memo_key = (e.function, e.iterations, e.memory, e.parallelism, e.n, e.r, e.version, e.length, e.password, e.salt)
        key = self._memo.get(memo_key) if self._memo is not None else None
        if key is None:
            key = await self._hashing.derive(e)
        if key is None:
            self.declined = True
            return _abi.answer_declined()
        if self._memo is not None:
            self._memo[memo_key] = key
        return _abi.answer_key(key)

    async def hash(self, f: Callable[[], bytes]) -> bytes:
        return await self._hashing.run(f)
