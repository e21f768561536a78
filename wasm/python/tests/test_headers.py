"""What handlers see of a request's headers when they are guarded, and what becomes of errors after a response's."""

import asyncio
import unittest
import urllib.parse
from typing import Annotated

import aiohttp
import apps
import djedge.aiohttp
import djedge.asgi
import djedge.fastapi
import djedge.starlette
from aiohttp import web
from djedge import Unavailable, User
from fastapi import Depends, FastAPI, Header, Request
from starlette.applications import Starlette
from starlette.responses import JSONResponse

# What gateways take for Remote-User, Remote-Staff and their like.
FORGED = {"Remote-User": "boss", "remote_user": "boss", "REMOTE.USER": "boss", "Remote_User-Id": "1", "Remote-Staff": "true", "remote_superuser": "true", "X-Other": "kept"}


def seen(items):
    """The identity headers among these, however they are spelled, and X-Other."""
    return sorted((n.lower(), v) for n, v in items if n.lower().startswith(("remote", "x-other")))


class Headers(apps.Site):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.name = self.django.person()
        self.key = self.django.session(self.name)

    def assertOurs(self, found):
        headers = dict(map(tuple, found))
        self.assertEqual(len(headers), len(found), "one of each")
        self.assertEqual(set(headers), {"remote-user", "remote-user-id", "remote-email", "remote-staff", "remote-superuser", "x-other"})
        self.assertEqual((headers["remote-user"], headers["remote-email"]), (self.name, self.name + "@example.com"))
        self.assertEqual((headers["remote-staff"], headers["remote-superuser"], headers["x-other"]), ("false", "false", "kept"))

    async def test_aiohttp_though_the_body_was_read_before(self):
        def app(read):
            @web.middleware
            async def early(request, handler):
                if read:
                    await getattr(request, read)()
                request["early"] = True
                return await handler(request)

            @djedge.aiohttp.require()
            async def handle(request):
                form = await request.post()
                names = [[n.decode(), v.decode()] for n, v in request.raw_headers]
                user = await request.get_user()
                return web.json_response([seen(request.headers.items()), seen(names), form.get("a"), request["early"], user["username"], request.match_info["x"]])

            app = web.Application(middlewares=[early])
            djedge.aiohttp.setup(app, self.backend())
            app.add_routes([web.post("/{x}", handle)])
            return app

        for read in (None, "read", "text", "post"):
            url = await self.stack.enter_async_context(apps.serve_aiohttp(app(read)))
            # Of a multipart body that was read otherwise aiohttp itself makes no form.
            for multipart in (False,) if read in ("read", "text") else (False, True):
                data = aiohttp.FormData({"a": "b"})
                if multipart:
                    data = aiohttp.MultipartWriter("form-data")
                    data.append("b").set_content_disposition("form-data", name="a")
                with self.subTest(read=read, multipart=multipart):
                    cookie = {"Cookie": f"sessionid={self.key}"}
                    async with self.http.post(url + "/y", data=data, headers={**FORGED, **cookie}) as r:
                        self.assertEqual(r.status, 200)
                        headers, raw, *rest = await r.json()
                    self.assertOurs(headers)
                    self.assertOurs(raw)
                    self.assertEqual(rest, ["b", True, self.name, "y"])
                    async with self.http.post(url + "/y", data={"a": "b"}, headers=FORGED) as r:
                        self.assertEqual(r.status, 401)

    async def test_asgi_starlette_and_fastapi(self):
        async def handle(request):
            # As a Request has them, and as what is mounted below gets them.
            return JSONResponse([seen(request.headers.items()), seen((n.decode(), v.decode()) for n, v in request.scope["headers"]), request.headers.get("Remote-User")])

        async def early(request: Request):
            return len(request.headers)  # which a Request keeps

        async def guarded(request: Request, before: Annotated[int, Depends(early)], user: Annotated[User, Depends(djedge.fastapi.require())], remote_user: Annotated[str, Header()]):
            self.assertEqual((user["username"], remote_user), (self.name, self.name))
            return await handle(request)

        starlette, whole, fast = (make() for make in (Starlette, Starlette, FastAPI))
        starlette.add_route("/", handle)
        whole.add_route("/", handle)
        fast.get("/")(guarded)
        djedge.starlette.middleware(whole, self.backend(), require="authenticated")
        djedge.fastapi.middleware(fast, self.backend())
        for app in (djedge.asgi.Middleware(starlette, self.backend(), require="authenticated"), whole, fast):
            url = await self.stack.enter_async_context(apps.serve_asgi(app))
            with self.subTest(app=type(app).__name__):
                async with self.http.get(url, headers=FORGED) as r:
                    self.assertEqual(r.status, 401)
                async with self.http.get(url, headers={**FORGED, "Cookie": f"sessionid={self.key}"}) as r:
                    self.assertEqual(r.status, 200)
                    headers, raw, named = await r.json()
                self.assertOurs(headers)
                self.assertOurs(raw)
                self.assertEqual(named, self.name)


class Streams(apps.Site):
    async def test_an_error_after_the_head_is_not_written_into_the_stream(self):
        async def handle(request):
            if request.query["when"] == "before":
                raise Unavailable("busy", "for the test")
            response = web.StreamResponse()
            await response.prepare(request)
            if request.query["when"] == "later":
                await response.write(b"the body")
            raise Unavailable("busy", "for the test")

        backend = self.backend()
        with_setup, plain = web.Application(), web.Application(middlewares=[djedge.aiohttp.middleware(backend)])
        djedge.aiohttp.setup(with_setup, backend)
        for app in (with_setup, plain):
            app.add_routes([web.get("/", handle)])
            url = await self.stack.enter_async_context(apps.serve_aiohttp(app))
            self.assertEqual((await self.send(url + "/?when=before"))[0], 503)
            for when, body in (("at once", b""), ("later", b"the body")):
                with self.subTest(when=when, setup=app is with_setup), self.assertLogs("aiohttp.server", "ERROR"):
                    reader, writer = await asyncio.open_connection("127.0.0.1", urllib.parse.urlsplit(url).port)
                    writer.write(f"GET /?when={when.replace(' ', '+')} HTTP/1.1\r\nHost: example.com\r\n\r\n".encode())
                    async with asyncio.timeout(10):
                        answer = await reader.read()  # to its end
                    writer.close()
                    head, _, rest = answer.partition(b"\r\n\r\n")
                    self.assertEqual((head.split(b"\r\n")[0], answer.count(b"HTTP/1.1")), (b"HTTP/1.1 200 OK", 1))
                    self.assertEqual(rest, b"%x\r\n%s\r\n" % (len(body), body) if body else b"", "no last chunk")


if __name__ == "__main__":
    unittest.main()
