"""Backend over asyncpg: Backend(pool, secret)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ._database import Postgres
from .backend import Backend as _Backend

if TYPE_CHECKING:
    import asyncpg

__all__ = ["Backend", "Pool"]


class Pool(Postgres):
    """A pool of asyncpg, or a function that gives it: pools cannot be made before the event loop runs. It stays its owner's, who also closes it."""

    def __init__(self, pool: asyncpg.Pool[Any] | Callable[[], asyncpg.Pool[Any]]):
        super().__init__(self._connection)
        self._pool: Callable[[], Any] = pool if callable(pool) else lambda: pool

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        pool = self._pool()
        con = await pool.acquire()
        try:
            yield con
        finally:
            await pool.release(con, timeout=5)


class Backend(_Backend):
    """A Django site whose PostgreSQL is reached by asyncpg: by a pool, or what a function gives."""

    def __init__(self, pool: asyncpg.Pool[Any] | Callable[[], asyncpg.Pool[Any]], *args: Any, **settings: Any):
        super().__init__(Pool(pool), *args, **settings)
