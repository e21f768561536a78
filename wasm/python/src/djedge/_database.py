"""What this package asks of a database, and how it runs statements on asyncpg's connections."""

from __future__ import annotations

import asyncio
import datetime as dt
import decimal
import functools
import re
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from ._abi import Rows, Statement, Value


class Duplicate(Exception):
    """A statement broke a uniqueness rule; of an atomic query nothing happened."""


class Database(Protocol):
    """A database of Django's. Give one of your own to Backend for another driver.

    An answer that is not certain must be an exception: an empty result is taken
    for a session or user that does not exist.
    """

    dialect: str
    """postgresql, sqlite or mysql: what statements are written for; of the last two, placeholders are ?."""

    async def query(self, atomic: bool, statements: Sequence[Statement], timeout: float) -> list[Rows]:
        """Runs the statements in order, in a transaction when atomic, within so many seconds; raises Duplicate."""
        ...

    async def columns(self, table: str, timeout: float) -> list[tuple[str, str]]:
        """Name and kind (any, bool, int, float, text, bytes, time or uuid) of each column of a table, whose name is quoted already."""
        ...


Acquire = Callable[[], AbstractAsyncContextManager[Any]]

_KINDS = {
    "bool": "bool", "int2": "int", "int4": "int", "int8": "int", "oid": "int", "float4": "float", "float8": "float",
    "text": "text", "varchar": "text", "bpchar": "text", "name": "text", "date": "text", "time": "text", "numeric": "text",
    "json": "text", "jsonb": "text", "uuid": "uuid", "bytea": "bytes", "timestamptz": "time", "timestamp": "time",
}  # fmt: skip


class Postgres:
    """Runs statements on connections of asyncpg, whoever holds them."""

    dialect = "postgresql"

    def __init__(self, acquire: Acquire):
        self._acquire = acquire
        self._types: dict[str, list[Callable[[Any], Any]]] = {}

    async def query(self, atomic: bool, statements: Sequence[Statement], timeout: float) -> list[Rows]:
        import asyncpg

        try:
            async with asyncio.timeout(timeout), self._acquire() as con:
                try:
                    if atomic and len(statements) > 1:
                        async with con.transaction():
                            return [await self._run(con, s) for s in statements]
                    if [s.name for s in statements] == _CHECK and (both := await self._both(con, *statements)):
                        return both
                    return [await self._run(con, s) for s in statements]
                except asyncpg.PostgresError:  # the server's own word; the connection is good
                    raise
                except BaseException:  # who knows what comes over it next, and when
                    con.terminate()
                    raise
        except asyncpg.UniqueViolationError as e:
            raise Duplicate from e

    async def _both(self, con: Any, a: Statement, b: Statement) -> list[Rows] | None:
        """Two statements, each of one row or none, in one round trip: asyncpg sends nothing before the last answer is there. None if there are more rows."""
        s = Statement("session_and_user", joined(a.sql, len(a.args), b.sql), a.args + b.args, False)
        rows = await con.fetch(s.sql, *await self._arguments(con, s))
        if len(rows) != 1:
            return None
        at, cells = list(rows[0].keys()).index(_SECOND), [cell(v) for v in rows[0].values()]
        return [Rows(0, [cells[1:at]] if cells[0] else []), Rows(0, [cells[at + 1 :]] if cells[at] else [])]

    async def _arguments(self, con: Any, s: Statement) -> list[Any]:
        args: list[Any] = s.args
        if args:
            convert = self._types.get(s.sql)
            if convert is None:
                types = (await con.prepare(s.sql)).get_parameters()
                convert = [_CONVERT.get(t.name, _same) for t in types]
                if not s.ad_hoc:
                    self._types[s.sql] = convert
            if len(convert) != len(args):
                raise ValueError(f"the statement {s.name} has {len(convert)} parameters, {len(args)} came")
            try:
                args = [a if a is None else f(a) for f, a in zip(convert, args)]
            except Exception:
                self._types.pop(s.sql, None)  # the table may have changed
                raise
        return args

    async def _run(self, con: Any, s: Statement) -> Rows:
        args = await self._arguments(con, s)
        if s.sql.startswith("SELECT"):
            rows = await con.fetch(s.sql, *args)
            columns = [(name, 0) for name in rows[0].keys()] if rows and s.ad_hoc else []
            return Rows(0, [[cell(v) for v in row.values()] for row in rows], columns)
        return Rows(affected(await con.execute(s.sql, *args)))

    async def columns(self, table: str, timeout: float) -> list[tuple[str, str]]:
        async with asyncio.timeout(timeout), self._acquire() as con:
            statement = await con.prepare(f"SELECT * FROM {table}")
            return [(a.name, _KINDS.get(a.type.name, "any")) for a in statement.get_attributes()]


_CHECK, _FIRST, _SECOND = ["session_load", "user_by_id"], "djedge has a first", "djedge has a second"
_PLACE = re.compile(r"\"[^\"]*\"|'[^']*'|\$([0-9]+)")


@functools.lru_cache(maxsize=64)
def joined(a: str, count: int, b: str) -> str:
    """One SELECT for two, with the arguments of a, which are so many, and then of b. Before the columns of each it says whether there is a row."""
    b = _PLACE.sub(lambda m: f"${int(m[1]) + count}" if m[1] else m[0], b)
    first, second = (f'LEFT JOIN (SELECT true AS "{has}", q.* FROM ({sql}) AS q)' for has, sql in ((_FIRST, a), (_SECOND, b)))
    return f"SELECT a.*, b.* FROM (VALUES (1)) AS one {first} AS a ON true {second} AS b ON true"


def affected(tag: str) -> int:
    """The number at the end of what PostgreSQL says of a command, such as UPDATE 1."""
    last = tag.rsplit(" ", 1)[-1]
    return int(last) if last.isdigit() else 0


def cell(v: Any) -> Value:
    """A cell as the module takes it."""
    kind = type(v)
    if v is None or kind in (str, int, bool, dt.datetime, float, bytes):
        return v  # type: ignore[no-any-return]
    if isinstance(v, (dt.date, dt.time)):
        return v.isoformat()
    return str(v)


def _same(v: Any) -> Any:
    return v


def _utc(v: Any) -> Any:
    return v.replace(tzinfo=dt.timezone.utc) if isinstance(v, dt.datetime) and v.tzinfo is None else _time(v)


def _naive(v: Any) -> Any:
    v = _time(v)
    return v.astimezone(dt.timezone.utc).replace(tzinfo=None) if v.tzinfo else v


def _time(v: Any) -> Any:
    return dt.datetime.fromisoformat(v) if isinstance(v, str) else v


_CONVERT: dict[str, Callable[[Any], Any]] = {
    "int2": int, "int4": int, "int8": int, "oid": int, "bool": bool, "float4": float, "float8": float,
    "text": str, "varchar": str, "bpchar": str, "name": str, "json": str, "jsonb": str,
    "timestamptz": _utc, "timestamp": _naive, "numeric": decimal.Decimal, "uuid": lambda v: uuid.UUID(str(v)),
    "date": lambda v: dt.date.fromisoformat(v) if isinstance(v, str) else v,
    "time": lambda v: dt.time.fromisoformat(v) if isinstance(v, str) else v,
}  # fmt: skip
