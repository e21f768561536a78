"""The session of a request as a dict, and the visit that it belongs to: what is known of one request's sender."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ._abi import Decision, Item, Op, Operation, Outcome, Request, Result, State
from ._effects import Memo, Seen
from .backend import refusal, session_cookie
from .errors import Denied, Error
from .origin import same_origin
from .user import User

if TYPE_CHECKING:
    from .backend import Backend

log = logging.getLogger("djedge")

_MISSING = object()


def dumps(value: Any) -> str:
    """As Django's JSONSerializer writes it."""
    return json.dumps(value, separators=(",", ":"))


class Session(dict[str, Any]):
    """Django's request.session: a dict that is saved after the handler if it was changed, also deep inside of its values.

    Keys are text, values what JSON can say. It is read once, by load(), which
    request.get_session() has done already.
    """

    def __init__(self, visit: Visit):
        super().__init__()
        self.visit = visit
        self.modified = False
        """Set it to have the session saved, whatever was changed."""
        self._loaded = False
        self._stored: dict[str, Item] = {}

    @property
    def key(self) -> str | None:
        """The session's key, or None as long as nothing is stored."""
        return self.visit.state.key or None

    async def load(self) -> Session:
        if not self._loaded:
            await self.visit.load_session()
        return self

    async def flush(self) -> None:
        """Deletes the session, entries and key, at once; nobody is logged in then."""
        await self.visit.flush()

    async def cycle_key(self) -> None:
        """Gives the session another key, at once. Call it when somebody's rights change."""
        await self.visit.cycle()

    def set_expiry(self, value: int | dt.timedelta | None) -> None:
        """Lets the session expire so long after it was last changed (seconds); 0 is when the browser closes, None as the site has it."""
        if isinstance(value, dt.timedelta):
            value = int(value.total_seconds())
        if value is None:
            self.pop("_session_expiry", None)
        else:
            self["_session_expiry"] = value

    # What changes a dict.

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(_name(key), value)
        self.modified = True

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.modified = True

    def pop(self, key: str, default: Any = _MISSING) -> Any:
        if key in self:
            self.modified = True
        return super().pop(key) if default is _MISSING else super().pop(key, default)

    def popitem(self) -> tuple[str, Any]:
        self.modified = True
        return super().popitem()

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *args: Any, **kwargs: Any) -> None:
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def __ior__(self, other: Any) -> Session:  # type: ignore[override,misc]
        self.update(other)
        return self

    def clear(self) -> None:
        super().clear()
        self.modified = True

    # Between here and the module.

    def _take(self, items: Iterable[Item]) -> None:
        super().clear()
        self._stored = {i.key: i for i in items}
        for i in self._stored.values():
            super().__setitem__(i.key, json.loads(i.json))
        self._loaded = True

    def _empty(self) -> None:
        """There is nothing in it, and that is no change."""
        self._take(())
        self.modified = False

    def _items(self) -> list[Item]:
        """The entries; those that were not changed as they came."""
        out = []
        for key, value in self.items():
            stored = self._stored.get(key)
            text = dumps(value)
            same = stored is not None and (text == stored.json or text == dumps(json.loads(stored.json)))
            out.append(stored if same and stored else Item(key, text))
        return out

    def _changed(self) -> bool:
        if self.modified or len(self) != len(self._stored):
            return True
        for key, value in self.items():
            if isinstance(value, (dict, list)):  # nothing else can change inside
                stored = self._stored.get(key)
                if stored is None or dumps(value) != dumps(json.loads(stored.json)):
                    return True
        return False


def _name(key: Any) -> str:
    """A key as JSON has it: Django's session[1] is session["1"] in the next request."""
    if isinstance(key, str):
        return key
    return str(next(iter(json.loads(json.dumps({key: None})))))


class Action:
    """Something that user.login() or user.logout() has begun. It is done when it is awaited, or else after the handler."""

    def __init__(self, do: Callable[[], Awaitable[Any]], ends: bool = False):
        self._do, self.ends, self.done = do, ends, False

    async def run(self) -> Any:
        if not self.done:
            self.done = True
            return await self._do()
        return None

    def __await__(self) -> Generator[Any, None, Any]:
        return self.run().__await__()


@dataclass
class End:
    """What a response gets: cookies and Vary, or a refusal that takes its place."""

    cookies: list[str] = field(default_factory=list)
    vary: bool = False
    refusal: Error | None = None


class Visit:
    """One request, as its adapter describes it: headers as they came, as bytes."""

    def __init__(self, backend: Backend, method: str, uri: str, host: str, scheme: str, headers: Iterable[tuple[bytes, bytes]]):
        self.backend = backend
        self._target = (method, uri, host, scheme)
        self._headers = list(headers)
        self._came = [(b"cookie", v) for n, v in self._headers if n.lower() == b"cookie"]
        self._cookies = self._came
        self.state = State()
        self.session = Session(self)
        self.user = User(backend, self)
        self._found: Result | None = None
        self._granted: Result | None = None
        self._beside: Result | None = None  # with the session that came with the user
        self._asked = False
        self._sent = False
        self._set: list[str] = []
        self._actions: list[Action] = []
        self._lock = asyncio.Lock()
        self._seen: Seen = {}

    # Questions.

    async def get_session(self) -> Session:
        return await self.session.load()

    async def get_user(self) -> User:
        return await self.user.load()

    async def load_session(self) -> None:
        async with self._lock:
            if not self.session._loaded:
                await self._load_session()

    async def _load_session(self) -> None:
        self._asked = True
        result, self._beside = self._beside, None
        self._receive(result or await self.backend.allowed(self._operation(Op.SESSION_LOAD), seen=self._seen))

    async def load_user(self, again: bool = False) -> Result:
        async with self._lock:
            if self._found is None or again:
                self._asked = True
                if again:
                    self._seen.clear()
                    self._beside = None
                result = await self.backend.allowed(self._operation(Op.LOAD_USER if self.session._loaded else Op.VISIT), seen=self._seen)
                self._keep(result)
                if not self.session._loaded and _holds_session(result):
                    self._beside = result
                return result
            return self._found

    async def permissions(self) -> Result:
        async with self._lock:
            if self._granted is None:
                self._asked = True
                result = await self.backend.allowed(self._operation(Op.PERMISSIONS), seen=self._seen)
                self._keep(result)
                self._granted = result
            return self._granted

    async def check(self, require: str = "authenticated") -> Decision:
        """Asks whether the sender is what require says: anyone, authenticated, staff, superuser, permission:app.codename, group:name or rules.

        Only Outcome.ALLOW lets anybody in; what could not be decided is Unavailable.
        """
        engine = await self.backend.engine()
        async with self._lock:
            self._asked = True
            op = self._operation(Op.CHECK)
            op.require = require
            known = engine.headers - {b"cookie"}
            op.request.headers = [(n.lower(), v) for n, v in self._headers if n.lower() in known] + list(self._cookies)
            result = await self.backend.do(op, seen=self._seen)
            if result.decision.outcome is Outcome.ERROR:
                raise refusal(result)
            if result.decision.outcome is Outcome.ALLOW:
                self._keep(result)
            return result.decision

    # Changes. Each happens at once.

    async def login(self, username: str, password: str, memo: Memo | None = None, before: list[Item] | None = None) -> Result:
        """Logs in with a new session key; Denied says why not. before is what the session held when that was decided."""
        async with self._lock:
            later = self._later(before)
            if self.session._loaded and (self.session.modified if before is None else before != list(self.session._stored.values())):
                await self._store(before if before is not None else self.session._items())
            op = self._operation(Op.LOGIN, unsafe=True)
            op.username, op.password = username, password
            return await self._entered(await self.backend.allowed(op, memo), later)

    async def register(self, username: str, password: str, email: str = "") -> Result:
        """Makes a user and logs in; Denied says why not."""
        async with self._lock:
            op = self._operation(Op.REGISTER, unsafe=True)
            op.username, op.password, op.email = username, password, email
            return await self._entered(await self.backend.allowed(op), None)

    async def _entered(self, result: Result, later: dict[str, Any] | None) -> Result:
        loaded = self.session._loaded
        self._keep(result)
        self.user._enter(result)
        if loaded:
            await self._load_session()
            self._overlay(later)
        return result

    async def logout(self, before: list[Item] | None = None) -> None:
        """Ends the session, with everything in it."""
        async with self._lock:
            later = self._later(before)
            kind = Op.LOGOUT if self.backend.check_origin else Op.SESSION_FLUSH
            result = await self.backend.allowed(self._operation(kind, unsafe=True))
            self._left(result)
            self._overlay(later)

    async def change_password(self, password: str) -> None:
        """Gives the session's user another password, which ends all of that user's sessions, this one too."""
        async with self._lock:
            op = self._operation(Op.CHANGE_PASSWORD, unsafe=True)
            op.password = password
            self._left(await self.backend.allowed(op))

    async def flush(self) -> None:
        async with self._lock:
            self._left(await self.backend.allowed(self._operation(Op.SESSION_FLUSH)))

    async def cycle(self) -> None:
        async with self._lock:
            if not self.session._loaded:
                await self._load_session()
            result = await self.backend.allowed(self._operation(Op.SESSION_CYCLE))
            self._move(result.session_key)
            self._receive(result)

    def act(self, action: Action) -> Action:
        if self._sent:
            raise RuntimeError("the response has begun: nobody can be logged in or out any more")
        self._actions.append(action)
        return action

    def snapshot(self) -> list[Item] | None:
        return self.session._items() if self.session._loaded else None

    # The end.

    async def end(self, status: int) -> End:
        """Saves the session as Django's SessionMiddleware does, for a response with this status, before its head goes out. Once."""
        if self._sent:
            return End()
        try:
            for action in self._actions:
                if status < 500 or action.ends:
                    await action.run()
            self._sent = True
            return await self._save(status)
        except Error as e:
            log.info("response refused: %s", e)
            return End(vary=True, refusal=e)
        finally:
            self._sent = True
            self.user._forget()

    async def _save(self, status: int) -> End:
        state, session = self.state, self.session
        if session._loaded and session._changed():
            state.accessed = state.modified = True
        if not state.modified and not self.backend.save_every_request:
            if state.accessed and state.key:  # a live session, of which nothing is to be saved
                return End(self._set, True)
            if not state.accessed:
                # Only a cookie that is no session key has a consequence now.
                cookie = session_cookie(self._came, self.backend.cookie_name)
                if not cookie and not any(self.backend.cookie_name.encode() in v for _, v in self._came) or len(cookie) >= 8:
                    return End(self._set, self._asked)
        op = self._operation(Op.SESSION_SAVE)
        op.request.headers = self._came
        op.status = status
        result = await self.backend.do(op)
        d = result.decision
        if d.outcome is not Outcome.ALLOW:
            return End(vary=True, refusal=refusal(result))
        self.state.key = result.session_key
        if d.cookies or not result.session_key:
            name = self.backend.cookie_name + "="
            self._set = [c for c in self._set if not c.startswith(name)] + d.cookies
        return End(self._set, self._asked or d.vary)

    # Inside.

    def _operation(self, kind: Op, unsafe: bool = False) -> Operation:
        method, uri, host, scheme = self._target
        headers = list(self._cookies)
        if unsafe:
            self._asked = True
            if not self.backend.check_origin:
                method = "POST"
            elif self.backend._public_origins or self.backend._loopback:
                headers += [(n.lower(), v) for n, v in self._headers if n.lower() in (b"origin", b"sec-fetch-site")]
            elif not same_origin(self._headers, host):
                raise Denied(403, "origin_mismatch", detail="set public_origins if another host is shown to browsers")
        if self.session._loaded:
            self.state.items, self.state.loaded = self.session._items(), True
            self.state.modified = self.state.modified or self.session._changed()
        return Operation(kind, Request(method, uri, host, scheme, headers), session=self.state)

    def _keep(self, result: Result) -> None:
        """Takes what was found out about the user. A session that moved to another key meanwhile is found under that from now on."""
        self._found, self._granted = result, None
        if result.decision.cookies:
            self._set += result.decision.cookies
            self._move(result.session_key)
            return
        if not self.state.resolved:
            self.state.key, self.state.resolved = result.session_key, True
        self.state.accessed = True

    def _move(self, key: str) -> None:
        self._cookies = [(b"cookie", f"{self.backend.cookie_name}={key}".encode())]
        self.state = State(key, resolved=True, accessed=True)
        self._seen.clear()
        self._beside = None
        self.session._loaded = self.session.modified = False

    def _receive(self, result: Result) -> None:
        self.state = State(result.session_key, True, True, True, self.state.modified or result.session_modified)
        modified = self.session.modified
        self.session._take(result.session)
        self.session.modified = modified

    def _left(self, result: Result) -> None:
        self._move("")
        self._set += result.decision.cookies
        self._found = self._granted = None
        self.state.loaded, self.state.modified = True, result.session_modified
        self.session._empty()
        self.user._leave()

    async def _store(self, items: list[Item]) -> None:
        """Saves what was changed so far, for a login to keep it."""
        self._seen.clear()
        self._beside = None
        op = self._operation(Op.SESSION_SAVE)
        assert op.session is not None
        op.session.items, op.session.modified, op.status = items, True, 200
        op.request.headers = self._came
        result = await self.backend.allowed(op)
        if result.session_key:
            self._cookies = [(b"cookie", f"{self.backend.cookie_name}={result.session_key}".encode())]
            self.state = State(result.session_key, resolved=True, accessed=True)

    def _later(self, before: list[Item] | None) -> dict[str, Any] | None:
        """What was changed in the session since before: values, and _MISSING for what is gone."""
        if before is None or not self.session._loaded:
            return None
        then = {i.key: i.json for i in before}
        now = {i.key: i.json for i in self.session._items()}
        later: dict[str, Any] = {k: self.session[k] for k, v in now.items() if then.get(k) != v}
        later.update((k, _MISSING) for k in then if k not in now)
        return later

    def _overlay(self, later: Mapping[str, Any] | None) -> None:
        for key, value in (later or {}).items():
            if value is _MISSING:
                self.session.pop(key, None)
            else:
                self.session[key] = value


def _holds_session(result: Result) -> bool:
    """Whether a visit says of the session what session_load would: not of one that is none, has moved, cannot be read or is no login any more."""
    d = result.decision
    return bool(result.session_key) and not d.cookies and not d.detail and d.reason in ("ok", "anonymous")
