"""A Django site as seen from an asyncio program."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from . import _abi, _module, _settings
from ._abi import Op, Operation, Outcome, Result, Value
from ._database import Database
from ._effects import Effects, Memo, Seen
from ._engine import Engine, Limits
from ._instance import Instance, Lost
from ._kdf import Hashing
from .errors import ConfigurationError, Denied, Error, Unavailable

if TYPE_CHECKING:
    from .session import Session
    from .user import User

log = logging.getLogger("djedge")

T = TypeVar("T")

# They end when their client goes away, unless they have begun to write.
_MAY_STOP = frozenset((Op.CHECK, Op.LOAD_USER, Op.PERMISSIONS, Op.VISIT, Op.SESSION_LOAD, Op.AUTHENTICATE, Op.LOGIN,
                       Op.REGISTER, Op.CHANGE_PASSWORD, Op.VERIFY_PASSWORD, Op.MAKE_PASSWORD, Op.EVAL))  # fmt: skip
_WITH_USER = frozenset((Op.CHECK, Op.LOAD_USER, Op.PERMISSIONS, Op.VISIT, Op.LOGIN, Op.LOGOUT, Op.REGISTER, Op.CHANGE_PASSWORD))


class Backend:
    """A Django site: its database, its keys and its settings. Used in one event loop.

    database is a pool of asyncpg, a databases.Database or a djedge.Database of
    your own; it stays its owner's. secret is SECRET_KEY. Without it give the
    derived keys (key_session=[...], key_auth_hash=[...]) that `djedge keys` prints.

    django_version, such as "5.2", says what is written: formats, and what new
    password hashes cost; passwords are hashed anew at login when it (or
    password_hashers) is given. Any other setting of docs/abi.md may be given by
    its name: text, a number, a bool, or a list of them. The names of
    async-django-user and async-django-session are known as well.

    timeout is how long one query may take in seconds; hints how many sessions'
    user ids are remembered, to ask for session and user at once; hash_concurrency
    how many passwords are hashed at once; kdf "host" (hashlib and, when it is
    installed, argon2-cffi) or "module". check_origin has login, logout and
    register refuse what a page of another site sent; with False that is left to
    the program. cache_dir is a private directory for compiled code (False: none),
    module a file to use instead of the packaged djedge.wasm.

    Nothing is asked of the database before the first request, or start().
    """

    def __init__(
        self,
        database: Any,
        secret: str | None = None,
        *,
        secret_fallbacks: Sequence[str] = (),
        timeout: float = 5.0,
        hints: int = 10_000,
        hash_concurrency: int | None = None,
        kdf: str = "host",
        check_origin: bool = True,
        limits: Limits | None = None,
        cache_dir: str | os.PathLike[str] | bool | None = None,
        module: str | os.PathLike[str] | None = None,
        **settings: Any,
    ):
        self.database = _database(database)
        if kdf not in ("host", "module"):
            raise ConfigurationError("kdf is neither host nor module")
        self.check_origin, self.timeout, self.limits = check_origin, timeout, limits or Limits()
        self._settings = _settings.settings(settings)
        named = dict(self._settings)
        if secret is not None:
            if not secret:
                raise ConfigurationError("secret: SECRET_KEY is empty")
            self._settings += _settings.keys(secret, secret_fallbacks, named.get("session_salt_class", "SessionStore"))
        elif "key_session" not in named and "key_session_legacy" not in named:
            raise ConfigurationError("neither secret nor derived keys (key_session, key_auth_hash, ...) are given")
        if "rehash" not in named and ("version" in named or "password_hashers" in named):
            self._settings.append(("rehash", "true"))
        if "dialect" not in named:
            self._settings.append(("dialect", self.database.dialect))
        if named.get("session_engine", "db") not in ("db", "signed_cookies"):
            raise ConfigurationError("session_engine: db and signed_cookies are supported here")
        self.cookie_name = named.get("session_cookie_name", "sessionid")
        self.username_field = named.get("username_field", "username")
        self.save_every_request = named.get("session_save_every_request") == "true"
        self.writes_on_reads = named.get("writes_on_reads") == "true"
        self.pk = named.get("user_pk", "id")
        self._users_table = named.get("user_table", "auth_user")
        self._own_columns = "user_column" in named
        self._public_origins = [v for n, v in self._settings if n == "public_origin"]
        self._loopback = named.get("loopback") == "true"
        self.hashing = Hashing(hash_concurrency, in_module=kdf == "module")
        self._module, self._cache_dir = module, cache_dir
        self._engine: Engine | None = None
        self._starting: asyncio.Lock | None = None
        self._hints: OrderedDict[bytes, Value] = OrderedDict()
        self._max_hints = hints
        self._running: set[asyncio.Task[Any]] = set()

    # Life.

    async def start(self) -> None:
        """Loads the module and asks the database for the user table's columns. The first request does it too; here wrong settings are noticed at once."""
        if self._starting is None:
            self._starting = asyncio.Lock()
        async with self._starting:
            if self._engine is not None:
                return
            settings = list(self._settings)
            if not self._own_columns:
                settings += await self._columns()
            try:
                self._engine = await asyncio.to_thread(self._load, settings)
            except Lost as e:
                raise ConfigurationError(f"djedge.wasm: {e}") from e
            # Semaphores belong to the loop that first waits for them, which is this one.

    def _load(self, settings: list[tuple[str, str]]) -> Engine:
        module = _module.load(self._module, self._cache_dir)
        return Engine(lambda memory, fuel: Instance(module, memory=memory, fuel=fuel), settings, self.limits, self.hashing.concurrency)

    async def _columns(self) -> list[tuple[str, str]]:
        table = _settings.quote(self._users_table, self.database.dialect)
        try:
            columns = await self.database.columns(table, self.timeout)
        except Exception as e:
            log.error("the database did not say which columns %s has: %s", self._users_table, type(e).__name__)
            raise Unavailable("database_unavailable", type(e).__name__) from e
        if not columns:
            raise ConfigurationError(f"the database has no table {self._users_table}")
        return [("user_column", f"{name}:{kind}") for name, kind in columns]

    def close(self) -> None:
        """Ends the threads that hash. The database is its owner's."""
        self.hashing.close()

    async def engine(self) -> Engine:
        if self._engine is None:
            await self.start()
        assert self._engine is not None
        return self._engine

    # The seed's way in.

    def get_user_from_session(self, session: Session) -> User:
        """The user of a session that request.get_session() gave. Nothing is read before load()."""
        visit = getattr(session, "visit", None)
        if visit is None:
            raise TypeError("not a session of request.get_session(): what a dict says of its user is no proof")
        user: User = visit.user
        return user

    # Operations.

    async def do(self, op: Operation, memo: Memo | None = None, seen: Seen | None = None) -> Result:
        """Runs one operation. Raises Unavailable when it could not be decided, else the decision is in the result."""
        engine = await self.engine()
        key = b""
        if op.kind in _WITH_USER and self._max_hints:
            key = session_cookie(op.request.headers, self.cookie_name)
            if key and op.hint is None:
                op.hint = self._hint(key)
        fx = Effects(self.database, self.hashing, self.timeout, memo, seen)
        if op.kind in _MAY_STOP and op.kind not in (Op.LOGIN, Op.REGISTER, Op.CHANGE_PASSWORD) and not self.writes_on_reads:
            result = await engine.run(op, fx)
        else:
            result = await self._to_the_end(engine.run(op, fx), lambda: op.kind in _MAY_STOP and not fx.wrote)
        if result.decision.outcome is Outcome.ERROR:
            log.error("%s could not be decided: %s %s", op.kind.name.lower(), result.decision.reason, result.decision.detail)
        if op.kind in _WITH_USER and self._max_hints:
            self._learn(engine, key, op.kind, result)
        return result

    async def _to_the_end(self, work: Coroutine[Any, Any, T], may_stop: Callable[[], bool]) -> T:
        """Runs what must not be left half done because its client went away."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if may_stop():
                task.cancel()
            elif not task.done():
                task.add_done_callback(_retrieve)
            raise

    def _hint(self, key: bytes) -> Value:
        digest = hashlib.sha256(key).digest()
        hint = self._hints.get(digest)
        if hint is not None:
            self._hints.move_to_end(digest)
        return hint

    def _learn(self, engine: Engine, key: bytes, kind: Op, result: Result) -> None:
        """Keeps what was found out: digests of session keys, which are passwords of a sort."""
        if result.decision.outcome is Outcome.ERROR:
            return
        live = result.session_key.encode()
        user = next((v for c, v in zip(engine.columns, result.user) if c[0] == self.pk), None)
        if live and user is not None:
            if key and key != live:
                self._hints.pop(hashlib.sha256(key).digest(), None)
            digest = hashlib.sha256(live).digest()
            self._hints[digest] = user
            self._hints.move_to_end(digest)
            if len(self._hints) > self._max_hints:
                self._hints.popitem(last=False)
        elif key and (kind in (Op.CHECK, Op.LOAD_USER, Op.PERMISSIONS, Op.VISIT) or result.decision.outcome is Outcome.ALLOW):
            self._hints.pop(hashlib.sha256(key).digest(), None)

    async def allowed(self, op: Operation, memo: Memo | None = None, seen: Seen | None = None) -> Result:
        """Runs one operation; raises Denied or Unavailable unless it was allowed."""
        result = await self.do(op, memo, seen)
        d = result.decision
        if d.outcome is Outcome.ALLOW:
            return result
        raise refusal(result)

    def columns_of(self, result: Result) -> dict[str, Value]:
        """The user's row by column, without the password."""
        assert self._engine is not None
        row = dict(zip((c[0] for c in self._engine.columns), result.user))
        row.pop("password", None)
        return row

    async def verify_password(self, password: str, encoded: str) -> bool:
        """Whether encoded is a hash of password. One that cannot be verified is Unavailable."""
        try:
            await self.allowed(Operation(Op.VERIFY_PASSWORD, password=password, encoded=encoded))
            return True
        except Denied:
            return False

    async def make_password(self, password: str, hasher: str = "") -> str:
        """A hash for the password column, by the preferred hasher."""
        return (await self.allowed(Operation(Op.MAKE_PASSWORD, password=password, hasher=hasher))).text

    async def clear_expired(self) -> int:
        """Deletes expired sessions, as Django's clearsessions does, and says how many."""
        return int((await self.allowed(Operation(Op.CLEAR_EXPIRED))).text)


def refusal(result: Result) -> Error:
    d = result.decision
    if d.outcome is Outcome.DENY and 400 <= d.status < 500:
        return Denied(d.status, d.reason, result.text, d.detail)
    return Unavailable(d.reason, d.detail)


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Nobody waits for it any more; what went wrong is logged where it did."""
    if not task.cancelled():
        task.exception()


def session_cookie(headers: _abi.Headers, name: str) -> bytes:
    """The value of the session cookie, read simply: for what decides nothing."""
    found = b""
    wanted = name.encode() + b"="
    for header, value in headers:
        if header.lower() == b"cookie" and wanted in value:
            for part in value.split(b";"):
                part = part.strip()
                if part.startswith(wanted):
                    found = part[len(wanted) :]
    return found


def _database(database: Any) -> Database:
    of = type(database).__module__.partition(".")[0]
    if of == "asyncpg":
        from .asyncpg import Pool

        return Pool(database)
    if of == "databases":
        from .databases import over

        return over(database)
    if callable(getattr(database, "query", None)) and hasattr(database, "dialect"):
        return database  # type: ignore[no-any-return]
    raise ConfigurationError("database is neither a pool of asyncpg nor a databases.Database nor a djedge.Database")
