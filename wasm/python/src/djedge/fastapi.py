"""Dependencies for FastAPI: Depends(get_session), Depends(get_user), Depends(require("staff"))."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Request

from ._abi import Outcome
from .asgi import identify_scope
from .errors import Denied
from .session import Session
from .starlette import get_visit, middleware
from .user import User

__all__ = ["get_session", "get_user", "middleware", "require"]


async def get_session(request: Request) -> Session:
    """The request's session, empty without one."""
    return await get_visit(request).get_session()


async def get_user(request: Request) -> User:
    """The request's user, empty when nobody is logged in."""
    return await get_visit(request).get_user()


def require(requirement: str = "authenticated") -> Callable[[Request], Awaitable[User]]:
    """The user, who is what the requirement says: authenticated, staff, superuser, permission:app.codename, group:name; else 401 or 403.

    From then on the request's headers say who it is (Remote-User and its like), and what a client sent under such a name is gone.
    """

    async def required(request: Request) -> User:
        visit = get_visit(request)
        decision = await visit.check(requirement)
        if decision.outcome is not Outcome.ALLOW:
            raise Denied(decision.status if 400 <= decision.status < 500 else 403, decision.reason)
        identify_scope(request.scope, decision)
        return await visit.get_user()

    return required
