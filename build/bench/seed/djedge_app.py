"""The check of app.py with djedge's Python package in the place of async-django-user: over the same `databases`, and /api/me.

SEED_DATABASE, SEED_SECRET_KEY and SEED_PORT say on what.
"""

import json
import os

from aiohttp import web
from databases import Database
from djedge import aiohttp as djedge_aiohttp
from djedge import databases as djedge_databases

database = Database(os.environ["SEED_DATABASE"])
backend = djedge_databases.Backend(database, os.environ["SEED_SECRET_KEY"], django_version="5.2")


def dumps(value):
    return json.dumps(value, default=str)


async def me(request):
    user, session = await request.get_user(), await request.get_session()
    return web.json_response({"user": user, "session": session}, dumps=dumps)


async def connected(app):
    async with database:
        await backend.start()
        yield
        backend.close()


app = web.Application(middlewares=[djedge_aiohttp.middleware(backend)])
app.cleanup_ctx.append(connected)
app.router.add_get("/api/me", me)
web.run_app(app, host="127.0.0.1", port=int(os.environ["SEED_PORT"]), print=None)
