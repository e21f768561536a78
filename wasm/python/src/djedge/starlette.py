"""For Starlette and FastAPI: middleware(app, backend), then request.state.get_session() and request.state.get_user()."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .asgi import Middleware
from .backend import Backend
from .session import Session, Visit
from .user import User

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import HTTPConnection

__all__ = ["get_session", "get_user", "get_visit", "middleware"]


def middleware(app: Starlette, backend: Backend, require: str | None = None) -> None:
    """Gives every request of app request.state.get_session and request.state.get_user.

    With require, as of djedge.asgi.Middleware, only such users pass, and the
    headers say who it is. Without it they are as they came: nobody was asked
    about yet, and Remote-User is what a client or a proxy says.
    """
    app.add_middleware(Middleware, backend=backend, require=require)


def get_visit(request: HTTPConnection) -> Visit:
    visit = getattr(request.state, "djedge", None)
    if not isinstance(visit, Visit):
        raise RuntimeError("djedge.starlette.middleware(app, backend) was not called")
    return visit


async def get_session(request: HTTPConnection) -> Session:
    """The request's session."""
    return await get_visit(request).get_session()


async def get_user(request: HTTPConnection) -> User:
    """The request's user."""
    return await get_visit(request).get_user()
