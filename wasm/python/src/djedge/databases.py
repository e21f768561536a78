"""Backend over databases: Backend(database, secret), with PostgreSQL by asyncpg or SQLite by aiosqlite."""

from __future__ import annotations

import asyncio
import datetime as dt
import sqlite3
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from ._abi import Rows, Statement
from ._database import Database, Duplicate, Postgres, cell
from .backend import Backend as _Backend
from .errors import ConfigurationError

if TYPE_CHECKING:
    import databases

__all__ = ["Backend", "over"]

_UNIQUE = (getattr(sqlite3, "SQLITE_CONSTRAINT_UNIQUE", 2067), getattr(sqlite3, "SQLITE_CONSTRAINT_PRIMARYKEY", 1555))


def over(database: databases.Database) -> Database:
    """What Backend needs of a database, which its owner connects and disconnects."""

    def connection() -> AbstractAsyncContextManager[Any]:
        return _Raw(database.connection())

    scheme = database.url.scheme
    if scheme in ("postgres", "postgresql", "postgresql+asyncpg"):
        return Postgres(connection)
    if database.url.dialect == "sqlite":
        return SQLite(connection)
    raise ConfigurationError(f"databases with {scheme} is not supported: PostgreSQL by asyncpg or SQLite by aiosqlite are")


class _Raw:
    """The driver's connection in one of databases; as a generator it would cost more."""

    __slots__ = ("con",)

    def __init__(self, con: Any):
        self.con = con

    async def __aenter__(self) -> Any:
        return (await self.con.__aenter__()).raw_connection

    async def __aexit__(self, *error: Any) -> None:
        await self.con.__aexit__(*error)


class SQLite:
    """Runs statements on connections of aiosqlite that commit by themselves."""

    dialect = "sqlite"

    def __init__(self, acquire: Any):
        self._acquire = acquire

    async def query(self, atomic: bool, statements: Sequence[Statement], timeout: float) -> list[Rows]:
        try:
            async with asyncio.timeout(timeout), self._acquire() as con:
                if not atomic or len(statements) < 2:
                    return [await self._run(con, s) for s in statements]
                await con.execute("BEGIN IMMEDIATE")
                try:
                    results = [await self._run(con, s) for s in statements]
                    await con.execute("COMMIT")
                    return results
                except BaseException:
                    await asyncio.shield(con.execute("ROLLBACK"))
                    raise
        except sqlite3.IntegrityError as e:
            if e.sqlite_errorcode in _UNIQUE:
                raise Duplicate from e
            raise

    async def _run(self, con: Any, s: Statement) -> Rows:
        args = [_text(a) if isinstance(a, dt.datetime) else a for a in s.args]
        async with con.execute(s.sql, args) as cursor:
            rows = await cursor.fetchall()
            return Rows(max(cursor.rowcount, 0), [[cell(v) for v in tuple(row)] for row in rows])

    async def columns(self, table: str, timeout: float) -> list[tuple[str, str]]:
        async with asyncio.timeout(timeout), self._acquire() as con:
            async with con.execute(f"PRAGMA table_info({table})") as cursor:
                return [(row[1], _kind(row[2])) for row in await cursor.fetchall()]


def _text(t: dt.datetime) -> str:
    """As Django writes it."""
    t = t.astimezone(dt.timezone.utc).replace(tzinfo=None) if t.tzinfo else t
    return t.isoformat(sep=" ")


def _kind(declared: str) -> str:
    d = declared.lower()
    if d == "char(32)":
        return "uuid"
    for word, kind in (("bool", "bool"), ("int", "int"), ("char", "text"), ("text", "text"), ("datetime", "time"), ("real", "float")):
        if word in d:
            return kind
    return "any"


class Backend(_Backend):
    """A Django site whose database is reached by databases."""

    def __init__(self, db: databases.Database, *args: Any, **settings: Any):
        super().__init__(over(db), *args, **settings)
        self.db = db
