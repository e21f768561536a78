"""Backend over asyncpg: Backend(pool, secret)."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, AsyncIterator

from ._database import Postgres
from .backend import Backend as _Backend

if TYPE_CHECKING:
    import asyncpg

__all__ = ["Backend", "Pool"]


class Pool(Postgres):
    """A pool of asyncpg. It stays its owner's, who also closes it."""

    def __init__(self, pool: asyncpg.Pool[Any]):
        super().__init__(self._connection)
        self.pool = pool

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        con = await self.pool.acquire()
        try:
            yield con
        finally:
            await self.pool.release(con, timeout=5)


class Backend(_Backend):
    """A Django site whose PostgreSQL is reached by asyncpg."""

    def __init__(self, pool: asyncpg.Pool[Any], *args: Any, **settings: Any):
        super().__init__(Pool(pool), *args, **settings)
        self.pool = pool
