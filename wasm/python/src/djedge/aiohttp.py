"""For aiohttp: middleware(backend), then request.get_session() and request.get_user()."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from ._abi import Outcome
from .backend import Backend
from .errors import Denied, Error
from .headers import identify
from .session import End, Session, Visit
from .user import User

__all__ = ["get_session", "get_user", "get_visit", "middleware", "require", "setup"]

log = logging.getLogger("djedge")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_VISIT = "djedge"


def middleware(backend: Backend) -> Any:
    """Gives every request get_session and get_user, which cost nothing until they are awaited.

    The session is saved after the handler. A handler that sends the head itself
    (request.prepare) needs setup(app, backend) for a new cookie to go out with it.
    Errors of djedge become responses: 503 when nothing could be decided, else
    what was refused. Those of a handler that has sent the head end the connection.
    """

    @web.middleware
    async def djedge(request: web.Request, handler: Handler) -> web.StreamResponse:
        outer = request.get(_VISIT)
        if outer is not None and outer.backend is backend:
            return await handler(request)
        visit = Visit(backend, request.method, request.raw_path, request.host, request.scheme, request.raw_headers)
        request[_VISIT] = visit
        # As attributes they are what async-django-user has; aiohttp discourages new ones.
        request.__dict__.update(get_session=visit.get_session, get_user=visit.get_user)
        try:
            response = await handler(request)
        except web.HTTPException as e:
            end = await visit.end(e.status)
            if _begun(request):
                raise
            if end.refusal:
                return _refuse(end.refusal, end)
            _finish(e, end)
            raise
        except Error as e:
            end = await visit.end(e.status)
            if _begun(request):
                raise
            return _refuse(end.refusal or e, end)
        except Exception:
            await visit.end(500)
            raise
        if visit._sent:  # by the signal
            return response
        end = await visit.end(response.status)
        if response.prepared:
            if end.refusal or end.cookies:
                log.error("the head of the response was sent before the session was saved; use djedge.aiohttp.setup")
            return response
        if end.refusal:
            return _refuse(end.refusal, end)
        _finish(response, end)
        return response

    return djedge


def setup(app: web.Application, backend: Backend) -> None:
    """Adds the middleware, and what streaming handlers need: their session is saved before the head goes out. Starts the backend with the application."""
    app.middlewares.append(middleware(backend))

    async def prepare(request: web.Request, response: web.StreamResponse) -> None:
        visit = request.get(_VISIT)
        if visit is None or visit.backend is not backend or visit._sent:
            return
        end = await visit.end(response.status)
        if end.refusal:
            raise end.refusal
        _finish(response, end)

    async def start(_: web.Application) -> None:
        await backend.start()

    app.on_response_prepare.append(prepare)
    app.on_startup.append(start)


def _begun(request: web.Request) -> bool:
    """Whether a head was sent: what comes now would be written into its body. aiohttp closes the connection instead, so that the client notices."""
    return request.writer.output_size > 0


def _finish(response: web.StreamResponse, end: End) -> None:
    for cookie in end.cookies:
        response.headers.add("Set-Cookie", cookie)
    if end.vary:
        named = {t.strip().lower() for v in response.headers.getall("Vary", ()) for t in v.split(",")}
        if not named & {"*", "cookie"}:
            response.headers.add("Vary", "Cookie")


def _refuse(e: Error, end: End) -> web.Response:
    response = web.json_response({"message": e.message}, status=e.status, headers={"Cache-Control": "no-store", "Vary": "Cookie"})
    if e.status == 503:
        response.headers["Retry-After"] = "1"
    for cookie in end.cookies:
        response.headers.add("Set-Cookie", cookie)
    return response


def get_visit(request: web.Request) -> Visit:
    visit = request.get(_VISIT)
    if not isinstance(visit, Visit):
        raise RuntimeError("the request did not pass djedge.aiohttp.middleware")
    return visit


async def get_session(request: web.Request) -> Session:
    """The request's session, also by request.get_session()."""
    return await get_visit(request).get_session()


async def get_user(request: web.Request) -> User:
    """The request's user, also by request.get_user()."""
    return await get_visit(request).get_user()


def require(requirement: str = "authenticated") -> Callable[[Handler], Handler]:
    """Lets a handler see only requests whose sender is what the requirement says; their headers say who it is, and no client can forge that."""

    def wrap(handler: Handler) -> Handler:
        async def required(request: web.Request) -> web.StreamResponse:
            visit = get_visit(request)
            decision = await visit.check(requirement)
            if decision.outcome is not Outcome.ALLOW:
                raise Denied(decision.status if 400 <= decision.status < 500 else 403, decision.reason)
            named = _renamed(request, identify(request.raw_headers, decision))
            for key, value in request.items():
                named[key] = value
            named.__dict__.update(get_session=visit.get_session, get_user=visit.get_user)
            return await handler(named)

        return required

    return wrap


def _renamed(request: web.Request, raw: list[tuple[bytes, bytes]]) -> web.Request:
    """The request with other headers. aiohttp clones none whose body was read, by a middleware for instance: what was read is passed on."""
    body, form = request._read_bytes, request._post
    request._read_bytes = None
    try:
        named = request.clone(headers=[(n.decode("utf-8", "replace"), v.decode("utf-8", "replace")) for n, v in raw])
    finally:
        request._read_bytes = body
    named._read_bytes, named._post = body, form
    return named
