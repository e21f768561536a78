"""The example of async-django-user, whose users change their import and keep their code: one application for each framework."""

import asyncio
import contextlib
import json
import logging
import unittest

import aiohttp
import asyncpg
import uvicorn
from aiohttp import web
from databases import Database
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

import beside
import djedge.aiohttp
import djedge.starlette
from common import dumps, me

logging.getLogger("djedge").addHandler(logging.NullHandler())


async def call(what, get_user, get_session, fields):
    """The example's endpoints as its users wrote them: status and answer."""
    user = await get_user()
    if what == "me":
        return 200, me(user, await get_session())
    if what == "login":
        if await user.authenticate(fields["username"], fields["password"]):
            if user["is_active"]:
                user.login()
                return 200, {}
        inactive = user.reason == "user_inactive"
        return 400, {"message": "User isn't active" if inactive else "Bad username or password"}
    if what == "logout":
        user.logout()
        return 200, {}
    if what == "register":
        user["username"] = fields["username"]
        user.set_password(fields["password"])
        await user.create()
        user.login()
        return 200, {}
    if what == "change-password":
        if not user:
            return 400, {"message": "Log in first"}
        user.set_password(fields["password"])
        await user.save(["password"])
        user.logout()
        return 200, {}
    if what == "set":
        session = await get_session()
        session.update(fields)
        return 200, {}
    if what == "append":  # which only a look inside notices
        (await get_session())["list"].append(fields["value"])
        return 200, {}
    if what == "fail":
        (await get_session()).update(fields)
        raise RuntimeError("the handler failed")
    raise AssertionError(what)


def aiohttp_app(backend):
    async def handle(request):
        fields = await request.json() if request.method == "POST" and request.body_exists else {}
        status, value = await call(request.match_info["what"], request.get_user, request.get_session, fields)
        return web.json_response(value, status=status, dumps=dumps)

    async def stream(request):
        (await request.get_session())["streamed"] = True
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"{}")
        return response

    async def redirect(request):
        (await request.get_session())["redirected"] = True
        raise web.HTTPFound("/api/me")

    app = web.Application()
    djedge.aiohttp.setup(app, backend)
    app.add_routes([web.get("/stream", stream), web.get("/redirect", redirect), web.route("*", "/api/{what}", handle)])
    return app


def starlette_app(backend):
    async def handle(request):
        raw = await request.body()
        state = request.state
        status, value = await call(request.path_params["what"], state.get_user, state.get_session, json.loads(raw) if raw else {})
        return Response(dumps(value), status, media_type="application/json")

    app = Starlette(routes=[Route("/api/{what}", handle, methods=["GET", "POST"])])
    djedge.starlette.middleware(app, backend)
    return app


@contextlib.asynccontextmanager
async def serve_aiohttp(app):
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def serve_asgi(app):
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@unittest.skipUnless(beside.POSTGRES and (beside.COMPONENTS / "django52").exists(), "neither PostgreSQL nor Django (make components)")
class Site(unittest.IsolatedAsyncioTestCase):
    """A test beside a real Django."""

    settings = {"django_version": "5.2", "pbkdf2_iterations": 2000}

    @classmethod
    def setUpClass(cls):
        cls.django = beside.start()

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)
        self.stack = contextlib.AsyncExitStack()
        self.pool = await self.stack.enter_async_context(asyncpg.create_pool(beside.POSTGRES, min_size=0, max_size=10))
        self.database = Database(beside.POSTGRES, min_size=1, max_size=10)
        await self.database.connect()
        self.stack.push_async_callback(self.database.disconnect)
        self.http = await self.stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))

    async def asyncTearDown(self):
        await self.stack.aclose()

    def backend(self, database=None, **settings):
        backend = djedge.Backend(
            database or self.pool, settings.pop("secret", beside.SECRET), secret_fallbacks=[beside.FALLBACK], **{**self.settings, **settings}
        )
        self.stack.callback(backend.close)
        return backend

    async def doors(self, **settings):
        """Each framework with each database."""
        yield await self.stack.enter_async_context(serve_aiohttp(aiohttp_app(self.backend(**settings))))
        yield await self.stack.enter_async_context(serve_asgi(starlette_app(self.backend(self.database, **settings))))

    async def send(self, url, body=None, key=None, method=None, **headers):
        """Status, answer and the session key of the cookie that came (None: no cookie)."""
        if key is not None:
            headers["Cookie"] = f"sessionid={key}"
        data = None if body is None else json.dumps(body)
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        async with self.http.request(method or ("GET" if body is None else "POST"), url, data=data, headers=headers, allow_redirects=False) as r:
            text = await r.text()
            self.cookie = next((c for c in r.headers.getall("Set-Cookie", ()) if c.startswith("sessionid=")), None)
            self.vary = r.headers.get("Vary", "")
            new = self.cookie and self.cookie.split(";")[0].partition("=")[2].strip('"')
            try:
                return r.status, json.loads(text), new
            except ValueError:
                return r.status, text, new

    async def login(self, url, name, password=beside.PASSWORD, key=None):
        status, answer, new = await self.send(url + "/api/login", {"username": name, "password": password}, key)
        self.assertEqual((status, answer), (200, {}))
        self.assertTrue(new)
        return new

    async def assertUser(self, url, key, name):
        status, answer, _ = await self.send(url + "/api/me", key=key)
        self.assertEqual((status, answer["user"].get("username")), (200, name))
        return answer
