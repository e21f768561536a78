"""How statements reach PostgreSQL: two of a check go as one."""

import contextlib
import unittest

import apps
import asyncpg
import beside
from djedge._database import Postgres, Statement, joined

NAMES = ("session_load", "user_by_id")


class Check(apps.Site):
    async def test_two_statements_in_one_answer_as_two(self):
        pool = await self.stack.enter_async_context(asyncpg.create_pool(beside.POSTGRES, min_size=1, max_size=1))
        first = "SELECT n, '$1' || \"$2\" FROM (VALUES (1, 'x'), (2, NULL)) AS t(n, \"$2\") WHERE n = $2 AND 'a' = $1"
        second = 'SELECT "id", "$1" FROM (VALUES (1, NULL), (2, true), (3, false), (3, true)) AS t("id", "$1") WHERE "id" = CAST($1 AS bigint)'
        con = Counting(await self.stack.enter_async_context(pool.acquire()))
        database = Postgres(lambda: contextlib.nullcontext(con))
        for a in (1, 2, 9):
            for b in (1, 2, 3, 9):
                both = [Statement(NAMES[0], first, ["a", a], False), Statement(NAMES[1], second, [b], False)]
                con.fetched = 0
                found = await database.query(False, both, 5)
                self.assertEqual(con.fetched, 3 if b == 3 else 1)  # a key of two rows is no key
                apart = await database.query(False, both[:1], 5) + await database.query(False, both[1:], 5)
                self.assertEqual([list(r.rows) for r in found], [list(r.rows) for r in apart])

    def test_only_places_are_numbered_anew(self):
        sql = joined('SELECT "$1" FROM a WHERE b = $1 AND c = $2', 2, "SELECT \"x\"\"$1\", '$1' FROM \"$2\" WHERE d = $1 AND e = $10 AND f = '''$1'")
        for part in ('SELECT "$1" FROM a WHERE b = $1 AND c = $2', "SELECT \"x\"\"$1\", '$1' FROM \"$2\" WHERE d = $3 AND e = $12 AND f = '''$1'"):
            self.assertIn(part, sql)


class Counting:
    def __init__(self, con):
        self.con, self.fetched = con, 0

    def __getattr__(self, name):
        return getattr(self.con, name)

    async def fetch(self, *query):
        self.fetched += 1
        return await self.con.fetch(*query)


if __name__ == "__main__":
    unittest.main()
