"""The users and sessions of a Django site in aiohttp: log in here, and Django's admin knows you; or there.

DJEDGE_DATABASE (postgres://…), DJEDGE_SECRET_KEY and DJEDGE_PORT say of which site.
"""

import asyncio
import os

import asyncpg
from aiohttp import web

import djedge.aiohttp
from common import BadRequest, body, dumps, me, settings
from djedge.asyncpg import Backend


def answer(value, status=200):
    return web.json_response(value, status=status, dumps=dumps)


async def fields(request, *names):
    return body(request.headers.get("Content-Type", ""), await request.read(), *names)


async def get_me(request):
    return answer(me(await request.get_user(), await request.get_session()))


async def login(request):
    username, password = await fields(request, "username", "password")
    user = await request.get_user()
    if not await user.authenticate(username, password):
        inactive = user.reason == "user_inactive"
        return answer({"message": "User isn't active" if inactive else "Bad username or password"}, 400)
    user.login()
    return answer({})


async def logout(request):
    user = await request.get_user()
    user.logout()
    return answer({})


async def register(request):
    username, password = await fields(request, "username", "password")
    user = await request.get_user()
    if user:
        return answer({"message": "Log out first"}, 400)
    await user.register(username, password)
    return answer({})


async def change_password(request):
    (password,) = await fields(request, "password")
    user = await request.get_user()
    if not user:
        return answer({"message": "Log in first"}, 400)
    await user.change_password(password)
    return answer({})


@djedge.aiohttp.require("authenticated")
async def protected(request):
    headers = {}
    for name, value in request.headers.items():
        headers.setdefault(name, []).append(value)
    return answer({"headers": headers})


async def page(request):
    return web.FileResponse(os.path.join(os.path.dirname(__file__), "page.html"))


@web.middleware
async def bad_requests(request, handler):
    try:
        return await handler(request)
    except BadRequest as e:
        return answer({"message": str(e)}, 400)


async def application():
    # min_size=0: the application starts without its database, and answers 503 until that is there.
    pool = await asyncpg.create_pool(os.environ["DJEDGE_DATABASE"], min_size=0, max_size=10)
    backend = Backend(pool, **settings())
    app = web.Application(middlewares=[djedge.aiohttp.middleware(backend), bad_requests])
    app.add_routes(
        [
            web.get("/", page),
            web.get("/api/me", get_me),
            web.post("/api/login", login),
            web.post("/api/logout", logout),
            web.post("/api/register", register),
            web.post("/api/change-password", change_password),
            web.get("/protected", protected),
        ]
    )

    async def close(_):
        backend.close()
        await pool.close()

    app.on_cleanup.append(close)
    return app


async def main():
    runner = web.AppRunner(await application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", int(os.environ.get("DJEDGE_PORT", "8080")))
    await site.start()
    print("listening", runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
