"""The check of async-django-user's aiohttp example: its two middlewares over `databases`, and /api/me.

SEED_DATABASE, SEED_SECRET_KEY and SEED_PORT say on what.
"""

import os

import ujson
from aiohttp import web
from async_django_session import aiohttp as session_aiohttp
from async_django_session import databases as session_databases
from async_django_user import aiohttp as user_aiohttp
from async_django_user import databases as user_databases
from databases import Database

database = Database(os.environ["SEED_DATABASE"])
secret = os.environ["SEED_SECRET_KEY"]


async def me(request):
    user, session = await request.get_user(), await request.get_session()
    return web.json_response({"user": user, "session": session}, dumps=ujson.dumps)


async def connected(app):
    async with database:
        yield


app = web.Application(
    middlewares=[
        session_aiohttp.middleware(session_databases.Backend(database, secret)),
        user_aiohttp.middleware(user_databases.Backend(database, secret)),
    ]
)
app.cleanup_ctx.append(connected)
app.router.add_get("/api/me", me)
web.run_app(app, host="127.0.0.1", port=int(os.environ["SEED_PORT"]), print=None)
