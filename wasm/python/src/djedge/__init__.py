"""Django's login outside Django, for asyncio: sessions and users of a Django site in aiohttp, Starlette, FastAPI or any ASGI application.

The rules run in djedge.wasm, which sees no socket, no file and no SECRET_KEY.
"""

from __future__ import annotations

from ._abi import Decision, Identity, Outcome, Rows, Statement, Value
from ._database import Database, Duplicate
from ._engine import Limits
from .backend import Backend
from .errors import ConfigurationError, Denied, Error, Unavailable
from .origin import same_origin
from .session import Session, Visit
from .user import User

__all__ = [
    "Backend", "ConfigurationError", "Database", "Decision", "Denied", "Duplicate", "Error", "Identity", "Limits", "Outcome",
    "Rows", "Session", "Statement", "Unavailable", "User", "Value", "Visit", "same_origin",
]  # fmt: skip
__version__ = "0.1.0.dev0"
