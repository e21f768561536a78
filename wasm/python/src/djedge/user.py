"""The user of a request as a dict of columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ._abi import Op, Operation, Request, Result, State
from .errors import Denied

if TYPE_CHECKING:
    from .backend import Backend
    from .session import Action, Session, Visit


class User(dict[str, Any]):
    """Every column of the user but the password's; empty, and so false, when nobody is logged in.

    Nothing is read before load(). Who it is was then verified by Django's rules:
    the session's signature, expiry and login hash, and that the user still
    exists and is active.
    """

    def __init__(self, backend: Backend, visit: Visit | None = None):
        super().__init__()
        self.backend = backend
        self.reason = "anonymous"
        """Why the last question was answered as it was, such as ok, anonymous, session_unknown or auth_hash_mismatch; see docs/abi.md."""
        self._visit = visit
        self._loaded = visit is None
        self._row: dict[str, Any] = {}
        self._password: str | None = None
        self._credentials: tuple[str, str] | None = None
        self._memo: dict[tuple[object, ...], bytes] = {}

    @property
    def session(self) -> Session | None:
        return self._visit.session if self._visit else None

    @property
    def is_authenticated(self) -> bool:
        return bool(self._row)

    async def load(self) -> User:
        """Asks who is logged in, once a request."""
        if not self._loaded:
            await self.reload()
        return self

    async def reload(self) -> User:
        """Asks again, and forgets what was not saved."""
        if self._visit:
            self._take(await self._visit.load_user(again=self._loaded))
            self._loaded = True
        return self

    # Logging in and out.

    async def authenticate(self, username: str, password: str) -> User | None:
        """Becomes the user with this name and password, or gives None; nothing is remembered before login().

        Whoever is not known takes as long as whoever is. An inactive user is
        refused too; reason is user_inactive then, with the right password.
        """
        self._memo.clear()
        try:
            result = await self.backend.allowed(Operation(Op.AUTHENTICATE, username=username, password=password), self._memo)
        except Denied as e:
            self._forget()
            self.reason = e.reason
            return None
        self._take(result)
        self._loaded = True
        self._credentials = (username, password)
        return self

    def login(self) -> Action:
        """Logs in whom authenticate() or create() has made this: a new session key, with what the session held (of another user: without).

        It happens after the handler, or at once if it is awaited. Then a refusal is
        raised (Denied); else it takes the place of the response.
        """
        from .session import Action

        visit, credentials = self._request(), self._credentials
        if credentials is None:
            raise RuntimeError("login() needs authenticate() or create() before it")
        before, memo = visit.snapshot(), self._memo
        return visit.act(Action(lambda: visit.login(*credentials, memo=memo, before=before)))

    def logout(self) -> Action:
        """Ends the session and takes everything out of it. It happens after the handler, or at once if it is awaited."""
        from .session import Action

        visit = self._request()
        self._leave()
        visit.session._empty()
        return visit.act(Action(lambda: visit.logout([]), ends=True))

    async def register(self, username: str, password: str, email: str = "") -> User:
        """Makes a user and logs in. Denied says why not: username_taken, password_weak (its text says how), ..."""
        await self._request().register(username, password, email)
        return self

    async def change_password(self, password: str) -> None:
        """Gives the logged-in user another password by the site's AUTH_PASSWORD_VALIDATORS, and ends all of the user's sessions."""
        await self._request().change_password(password)

    # The row.

    def set_password(self, raw_password: str) -> None:
        """Has the next save() or create() store a hash of this password. It ends the user's sessions."""
        self._password = raw_password

    async def check_password(self, raw_password: str) -> bool:
        """Whether it is the user's password: ask for the old one before setting another."""
        name = str(self.get(self.backend.username_field, ""))
        try:
            result = await self.backend.allowed(Operation(Op.AUTHENTICATE, username=name, password=raw_password))
        except Denied:
            return False
        return bool(self) and self.backend.columns_of(result)[self.backend.pk] == self[self.backend.pk]

    async def save(self, fields: Sequence[str] | None = None) -> None:
        """Stores these columns, or those that were changed. Denied says why not: field_invalid, username_taken, user_missing, password_empty."""
        pk = self.backend.pk
        if pk not in self:
            raise Denied(400, "user_missing")
        if fields is None:
            changed = [k for k, v in self.items() if k != pk and (k not in self._row or self._row[k] != v)]
        else:
            changed = [k for k in fields if k != "password"]
        password = self._password if fields is None or "password" in fields else None
        if changed:
            values = [(k, self[k]) for k in changed]
            await self.backend.allowed(Operation(Op.SAVE_USER, user_id=str(self[pk]), fields=values))
            self._row.update(values)
        if password is not None:
            await self.backend.allowed(Operation(Op.SET_PASSWORD, user_id=str(self[pk]), password=password))
            self._password = None
            self._credentials = (str(self.get(self.backend.username_field, "")), password)
            self._memo.clear()

    async def create(self) -> None:
        """Makes the user that this dict describes, with the password of set_password() (or of the entry password, in clear). Nobody is logged in by it.

        Denied says why not: username_taken, username_invalid, password_weak, ...
        Columns besides name and e-mail address are stored right after.
        """
        if "password" in self:
            self._password = self.pop("password")
        name, password = self.get(self.backend.username_field), self._password
        if not isinstance(name, str) or password is None:
            raise ValueError(f"create() needs {self.backend.username_field} and a password")
        wanted = dict(self)
        email = wanted.pop("email", "")
        wanted.pop(self.backend.username_field)
        self._memo.clear()
        nobody = Request("POST", "/", "", "https", ())
        op = Operation(Op.REGISTER, nobody, username=name, password=password, email=str(email or ""))
        result = await self.backend.allowed(op, self._memo)
        # Registering logs in; that session is nobody's.
        await self.backend.do(Operation(Op.SESSION_FLUSH, nobody, session=State(result.session_key, resolved=True)))
        self._take(result)
        self._loaded, self._password, self._credentials = True, None, (name, password)
        self.update(wanted)
        if wanted:
            await self.save(list(wanted))

    async def permissions(self) -> frozenset[str]:
        """What the logged-in user may do, as app.codename. A superuser may do everything, listed or not: see has_perm."""
        return frozenset((await self._request().permissions()).permissions)

    async def groups(self) -> frozenset[str]:
        return frozenset((await self._request().permissions()).groups)

    async def has_perm(self, permission: str) -> bool:
        """By ModelBackend's rules."""
        granted = await self._request().permissions()
        return granted.everything or permission in granted.permissions

    # Inside.

    def _request(self) -> Visit:
        if self._visit is None:
            raise RuntimeError("this user belongs to no request")
        return self._visit

    def _take(self, result: Result) -> None:
        self._row = self.backend.columns_of(result) if result.user else {}
        self.reason = result.decision.reason
        self._password = None
        self.clear()
        self.update(self._row)

    def _enter(self, result: Result) -> None:
        self._take(result)
        self._loaded = True
        self._forget()

    def _leave(self) -> None:
        self.clear()
        self._row, self.reason, self._loaded = {}, "anonymous", True
        self._forget()

    def _forget(self) -> None:
        self._password = self._credentials = None
        self._memo.clear()
