"""The users and sessions of a Django site in Starlette, over databases: log in here, and Django's admin knows you; or there.

DJEDGE_DATABASE (postgres://…), DJEDGE_SECRET_KEY and DJEDGE_PORT say of which site.
"""

import asyncio
import contextlib
import os
import socket

import uvicorn
from databases import Database
from starlette.applications import Starlette
from starlette.responses import FileResponse, Response
from starlette.routing import Route

import djedge.asgi
import djedge.starlette
from common import BadRequest, body, dumps, me, settings
from djedge.databases import Backend

database = Database(os.environ["DJEDGE_DATABASE"], min_size=0, max_size=10)
backend = Backend(database, **settings())


def answer(value, status=200):
    return Response(dumps(value), status, media_type="application/json")


async def fields(request, *names):
    return body(request.headers.get("Content-Type", ""), await request.body(), *names)


async def get_me(request):
    return answer(me(await request.state.get_user(), await request.state.get_session()))


async def login(request):
    username, password = await fields(request, "username", "password")
    user = await request.state.get_user()
    if not await user.authenticate(username, password):
        inactive = user.reason == "user_inactive"
        return answer({"message": "User isn't active" if inactive else "Bad username or password"}, 400)
    user.login()
    return answer({})


async def logout(request):
    user = await request.state.get_user()
    user.logout()
    return answer({})


async def register(request):
    username, password = await fields(request, "username", "password")
    user = await request.state.get_user()
    if user:
        return answer({"message": "Log out first"}, 400)
    await user.register(username, password)
    return answer({})


async def change_password(request):
    (password,) = await fields(request, "password")
    user = await request.state.get_user()
    if not user:
        return answer({"message": "Log in first"}, 400)
    await user.change_password(password)
    return answer({})


async def protected(scope, receive, send):
    """An application that believes its headers."""
    headers = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").title(), []).append(value.decode("latin-1"))
    await answer({"headers": headers})(scope, receive, send)


async def page(request):
    return FileResponse(os.path.join(os.path.dirname(__file__), "page.html"))


async def bad_request(request, e):
    return answer({"message": str(e)}, 400)


@contextlib.asynccontextmanager
async def lifespan(app):
    await database.connect()
    yield
    backend.close()
    await database.disconnect()


app = Starlette(
    routes=[
        Route("/", page),
        Route("/api/me", get_me),
        Route("/api/login", login, methods=["POST"]),
        Route("/api/logout", logout, methods=["POST"]),
        Route("/api/register", register, methods=["POST"]),
        Route("/api/change-password", change_password, methods=["POST"]),
        Route("/protected", djedge.asgi.Middleware(protected, backend, require="authenticated")),
    ],
    exception_handlers={BadRequest: bad_request},
    lifespan=lifespan,
)
djedge.starlette.middleware(app, backend)


async def main():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(os.environ.get("DJEDGE_PORT", "8080"))))
    listener.listen(1024)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    print("listening", listener.getsockname()[1], flush=True)
    await server.serve(sockets=[listener])


if __name__ == "__main__":
    asyncio.run(main())
