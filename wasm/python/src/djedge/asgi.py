"""For any ASGI application: Middleware(app, backend)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .backend import Backend
from ._abi import Decision, Outcome
from .errors import Denied, Error, Unavailable
from .headers import identify
from .session import Visit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Middleware:
    """Gives every request a user and a session, in scope["state"] (Starlette's and FastAPI's request.state): get_user, get_session and djedge, the visit.

    They cost nothing until they are awaited. The session is saved before the head
    of the response goes out. Errors of djedge become responses: 503 when nothing
    could be decided, else what was refused.

    With require, such as "authenticated" or "permission:app.codename", a request
    passes only when its sender is that (else 401 or 403), and its headers say who
    it is: Remote-User and its like, which no client can forge.
    """

    def __init__(self, app: App, backend: Backend, require: str | None = None):
        self.app, self.backend, self.require = app, backend, require

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        outer = state.get("djedge")
        if isinstance(outer, Visit) and outer.backend is self.backend and self.require is None:
            await self.app(scope, receive, send)
            return
        visit = outer if isinstance(outer, Visit) and outer.backend is self.backend else visit_of(scope, self.backend)
        state.update(djedge=visit, get_session=visit.get_session, get_user=visit.get_user)
        await _Response(self, visit, scope, send).run(receive)


class _Response:
    def __init__(self, middleware: Middleware, visit: Visit, scope: Scope, send: Send):
        self.middleware, self.visit, self.scope, self.send_on = middleware, visit, scope, send
        self.begun = self.refused = False

    async def run(self, receive: Receive) -> None:
        try:
            if self.middleware.require is not None:
                decision = await self.visit.check(self.middleware.require)
                if decision.outcome is not Outcome.ALLOW:
                    raise Denied(decision.status if 400 <= decision.status < 500 else 403, decision.reason)
                identify_scope(self.scope, decision)
            await self.middleware.app(self.scope, receive, self.send)
        except Error as e:
            if self.begun:
                raise
            self.begun = True
            end = await self.visit.end(e.status)
            await self.refuse(end.refusal or e, end.cookies)
        except Exception:
            if not self.begun:
                await self.visit.end(500)
            raise

    async def send(self, message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.accept") and not self.begun:
            self.begun = True
            end = await self.visit.end(message.get("status", 101))
            if end.refusal:
                await self.refuse(end.refusal, end.cookies)
                return
            headers = list(message.get("headers", ()))
            if end.vary:
                headers = vary(headers)
            headers += [(b"set-cookie", c.encode()) for c in end.cookies]
            message = {**message, "headers": headers}
        if not self.refused:
            await self.send_on(message)

    async def refuse(self, e: Error, cookies: list[str]) -> None:
        self.refused = True
        if self.scope["type"] == "websocket":
            await self.send_on({"type": "websocket.close", "code": 1011 if isinstance(e, Unavailable) else 1008, "reason": ""})
            return
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), (b"vary", b"Cookie")]
        if e.status == 503:
            headers.append((b"retry-after", b"1"))
        headers += [(b"set-cookie", c.encode()) for c in cookies]
        body = json.dumps({"message": e.message}, separators=(",", ":")).encode()
        headers.append((b"content-length", str(len(body)).encode()))
        await self.send_on({"type": "http.response.start", "status": e.status, "headers": headers})
        await self.send_on({"type": "http.response.body", "body": b"" if self.scope["method"] == "HEAD" else body})


def identify_scope(scope: Scope, decision: Decision) -> None:
    """Has the request's headers say who its sender is. ASGI has names in lower case. A list stays the same one: a Request may have it in its headers already."""
    headers = [(name.lower(), value) for name, value in identify(scope["headers"], decision)]
    if isinstance(scope["headers"], list):
        scope["headers"][:] = headers
    else:
        scope["headers"] = headers


def visit_of(scope: Scope, backend: Backend) -> Visit:
    headers = [(bytes(n), bytes(v)) for n, v in scope["headers"]]
    path = scope.get("raw_path") or scope["path"].encode()
    query = scope.get("query_string", b"")
    uri = (path + b"?" + query if query else path).decode("latin-1")
    host = next((v.decode("latin-1") for n, v in headers if n.lower() == b"host"), "")
    scheme: str = scope.get("scheme", "http").replace("ws", "http")
    return Visit(backend, scope.get("method", "GET"), uri, host, scheme, headers)


def vary(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Django's patch_vary_headers."""
    for name, value in headers:
        if name.lower() == b"vary" and {b"*", b"cookie"} & {t.strip().lower() for t in value.split(b",")}:
            return headers
    return [*headers, (b"vary", b"Cookie")]
