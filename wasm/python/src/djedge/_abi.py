"""The messages between this host and djedge.wasm; docs/abi.md of the repository describes every byte.

Whatever the module says is checked like any other input: a message that cannot
be read is a Malformed, and its instance is thrown away.
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Union

VERSION = 0
MAX_FRAME = 16 << 20  # bytes
MAX_ELEMENTS = 262_144  # of all lists of a message together
MAX_RANDOM = 64 << 10
MAX_STATEMENTS = 1_000
AD_HOC = 0xFFFFFFFF

Value = Union[None, bool, int, float, str, bytes, dt.datetime]
"""A cell: times are aware, and bytes are no text."""

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
_MICROSECOND = dt.timedelta(microseconds=1)
_U32 = struct.Struct("<I")
_I64 = struct.Struct("<q")
_F64 = struct.Struct("<d")
_TEXT = struct.Struct("<BI")  # of a value: its tag, and its length or itself
_INT = struct.Struct("<Bq")


class Malformed(Exception):
    """The module said something that cannot be read."""


class Op(IntEnum):
    """An operation."""

    CHECK = 1
    LOAD_USER = 2
    SESSION_LOAD = 3
    AUTHENTICATE = 4
    LOGIN = 5
    LOGOUT = 6
    REGISTER = 7
    CHANGE_PASSWORD = 8
    SET_PASSWORD = 9
    SAVE_USER = 10
    VERIFY_PASSWORD = 11
    MAKE_PASSWORD = 12
    EVAL = 13
    SESSION_SAVE = 14
    SESSION_FLUSH = 15
    SESSION_CYCLE = 16
    CLEAR_EXPIRED = 17
    CSRF_TOKEN = 18
    PERMISSIONS = 19
    VISIT = 20


class Outcome(IntEnum):
    """What was decided. Only ALLOW lets anybody in."""

    ERROR = 0
    ALLOW = 1
    DENY = 2
    REDIRECT = 3


REASONS = (
    "internal", "ok", "anonymous", "no_session", "session_unknown", "session_corrupt", "user_missing", "user_inactive", "backend_not_allowed",
    "auth_hash_mismatch", "bad_credentials", "not_authenticated", "already_authenticated", "not_staff", "not_superuser", "username_taken",
    "username_invalid", "email_invalid", "password_empty", "password_invalid", "field_invalid", "session_deleted", "origin_mismatch", "cross_site",
    "host_not_loopback", "content_type", "method", "bad_request", "hash_cost", "hash_unsupported", "rate_limited", "busy", "database_unavailable",
    "no_randomness", "permission_missing", "not_in_group", "path_ambiguous", "password_weak", "user_unchecked",
)  # fmt: skip

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(slots=True)
class Request:
    """What the rules see of a request: only the headers that they name, as they came."""

    method: str = ""
    uri: str = ""
    host: str = ""
    scheme: str = ""
    headers: Headers = ()


@dataclass(slots=True)
class Item:
    """An entry of a session: its value as JSON text, and of a cached one what JSON cannot say."""

    key: str
    json: str
    pickled: bytes = b""


@dataclass(slots=True)
class State:
    """A session as the program has it by now."""

    key: str = ""
    resolved: bool = False
    loaded: bool = False
    accessed: bool = False
    modified: bool = False
    items: list[Item] = field(default_factory=list)


@dataclass(slots=True)
class Operation:
    """What the module is to do. Each kind reads its own fields."""

    kind: Op
    request: Request = field(default_factory=Request)
    require: str = ""
    hint: Value = None
    user_id: str = ""
    username: str = ""
    password: str = ""
    email: str = ""
    encoded: str = ""
    hasher: str = ""
    fields: Sequence[tuple[str, Value]] = ()
    function: str = ""
    arguments: str = ""
    session: State | None = None
    status: int = 0
    csrf_token: str = ""


@dataclass(slots=True)
class Identity:
    id: str
    name: str
    email: str
    staff: bool
    superuser: bool


@dataclass(slots=True)
class Decision:
    """The module's word. An outcome that is not ALLOW lets nobody in."""

    outcome: Outcome = Outcome.ERROR
    status: int = 0
    reason: str = "internal"
    detail: str = ""  # for the log, never for a client
    identity: Identity | None = None
    set_headers: list[tuple[str, str]] = field(default_factory=list)
    remove_headers: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    vary: bool = False
    rule: int = 0


@dataclass(slots=True)
class Result:
    """The end of an operation."""

    decision: Decision = field(default_factory=Decision)
    session_key: str = ""
    user: list[Value] = field(default_factory=list)
    session: list[Item] = field(default_factory=list)
    text: str = ""
    session_modified: bool = False
    permissions: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    everything: bool = False


@dataclass(slots=True)
class Statement:
    """One statement with its arguments."""

    name: str
    sql: str
    args: list[Value]
    ad_hoc: bool


@dataclass(slots=True)
class Query:
    atomic: bool
    statements: list[Statement]


@dataclass(slots=True)
class Derive:
    """A key derivation; the numbers are those that its function has."""

    function: int
    iterations: int
    memory: int  # KiB, of argon2
    parallelism: int
    n: int
    r: int
    version: int
    length: int
    password: bytes
    salt: bytes


@dataclass(slots=True)
class Random:
    count: int


@dataclass(slots=True)
class Yield:
    pass


@dataclass(slots=True)
class Storage:
    operation: int
    key: str
    value: bytes
    flags: int
    ttl: int  # seconds


Effect = Union[Query, Derive, Random, Yield, Storage]


@dataclass(slots=True)
class Rows:
    """What a statement gave: rows, and how many an UPDATE or DELETE found."""

    affected: int = 0
    rows: Sequence[Sequence[Value]] = ()
    columns: Sequence[tuple[str, int]] = ()


@dataclass(slots=True)
class Configured:
    statements: list[tuple[str, str]]
    columns: list[tuple[str, int]]
    headers: frozenset[bytes]


KIND_TIME, KIND_UUID = 6, 7
KINDS = {"any": 0, "bool": 1, "int": 2, "float": 3, "text": 4, "bytes": 5, "time": 6, "uuid": 7}


# Writing.


def text(s: str | bytes) -> bytes:
    b = s.encode("utf-8", "surrogateescape") if isinstance(s, str) else s
    return _U32.pack(len(b)) + b


def record(*parts: bytes) -> bytes:
    body = b"".join(parts)
    return _U32.pack(len(body)) + body


def _bool(b: bool) -> bytes:
    return b"\1" if b else b"\0"


def micros(t: dt.datetime) -> int:
    """Microseconds since 1970. A time without a zone is UTC."""
    if t.tzinfo is None:
        t = t.replace(tzinfo=dt.timezone.utc)
    return (t - EPOCH) // _MICROSECOND


def value(v: object) -> bytes:
    """A cell as a driver has it. A TypeError means that it can be no cell."""
    if v is None:
        return b"\0"
    kind = type(v)
    if kind is str:
        b: bytes = v.encode("utf-8", "surrogateescape")  # type: ignore[attr-defined]
        return _TEXT.pack(4, len(b)) + b
    if kind is bool:
        return b"\1\1" if v else b"\1\0"
    if isinstance(v, int):
        return _INT.pack(2, v)
    if isinstance(v, float):
        return b"\3" + _F64.pack(v)
    if isinstance(v, str):
        return b"\4" + text(v)
    if isinstance(v, (bytes, bytearray, memoryview)):
        return b"\5" + text(bytes(v))
    if isinstance(v, dt.datetime):
        return _INT.pack(6, micros(v))
    raise TypeError(f"a value of type {kind.__name__} is no cell")


def _list(parts: Iterable[bytes], count: int) -> bytes:
    return _U32.pack(count) + b"".join(parts)


def _items(items: Sequence[Item]) -> bytes:
    return _list((text(i.key) + text(i.json) + text(i.pickled) for i in items), len(items))


def configure(settings: Sequence[tuple[str, str]]) -> bytes:
    return b"\1" + record(_list((text(n) + text(v) for n, v in settings), len(settings)))


def _start(now: int, random: bytes) -> bytes:
    return record(_I64.pack(now), text(random))


def begin(now: int, random: bytes, op: Operation) -> bytes:
    q = op.request
    request = record(
        text(q.method), text(q.uri), text(q.host), text(q.scheme),
        _U32.pack(len(q.headers)), *(text(part) for header in q.headers for part in header),
    )  # fmt: skip
    parts = [bytes((op.kind,)), request, text(op.require), value(op.hint)]
    if op.kind not in (Op.CHECK, Op.LOAD_USER, Op.PERMISSIONS, Op.VISIT):  # which have nothing behind the hint
        parts += map(text, (op.user_id, op.username, op.password, op.email, op.encoded, op.hasher))
        parts.append(_list((text(n) + value(v) for n, v in op.fields), len(op.fields)))
        parts += (text(op.function), text(op.arguments))
        s = op.session
        if s is None and not op.status:
            parts.append(record())
        else:
            s = s or State()
            flags = b"".join(map(_bool, (s.resolved, s.loaded, s.accessed, s.modified)))
            parts.append(record(text(s.key), flags, _items(s.items), _I64.pack(op.status)))
        parts.append(text(op.csrf_token))
    return b"\3" + record(_start(now, random), record(*parts))


def resume(now: int, answers: Sequence[bytes]) -> bytes:
    return b"\5" + record(_start(now, b""), _list(answers, len(answers)))


def answer_ok() -> bytes:
    return b"\1" + record()


def answer_results(results: Sequence[Rows]) -> bytes:
    return b"\2" + record(_list(map(_result, results), len(results)))


def _result(r: Rows) -> bytes:
    columns = _list([text(n) + bytes((k,)) for n, k in r.columns], len(r.columns))
    rows = [_U32.pack(len(row)) + b"".join(map(value, row)) for row in r.rows]
    return record(_I64.pack(r.affected), columns, _list(rows, len(rows)))


def answer_duplicate() -> bytes:
    return b"\3" + record()


def answer_error(why: str) -> bytes:
    return b"\4" + record(text(why[:1024]))


def answer_key(key: bytes) -> bytes:
    return b"\5" + record(text(key))


def answer_declined() -> bytes:
    return b"\6" + record()


def answer_random(b: bytes) -> bytes:
    return b"\7" + record(text(b))


def answer_stored(found: bool, data: bytes = b"", flags: int = 0) -> bytes:
    return b"\x08" + record(_bool(found), text(data), _I64.pack(flags), _I64.pack(0))


# Reading.


class Reader:
    """Reads one message. Fields that are missing at the end of a record are zero; what follows the known ones is skipped."""

    __slots__ = ("b", "elements", "end", "pos")

    def __init__(self, frame: bytes, kind: int):
        if len(frame) > MAX_FRAME or len(frame) < 5 or frame[0] != kind:
            raise Malformed("not a message of this kind")
        if _U32.unpack_from(frame, 1)[0] != len(frame) - 5:
            raise Malformed("the message does not end where it says")
        self.b, self.pos, self.end, self.elements = frame, 5, len(frame), MAX_ELEMENTS

    def _missing(self, size: int) -> bool:
        if self.pos == self.end:
            return True
        if self.end - self.pos < size:
            raise Malformed("a field is cut off")
        return False

    # These are what most of the time goes to, so that they ask for themselves what _missing would.

    def u8(self) -> int:
        if self.pos == self.end:
            return 0
        self.pos += 1
        return self.b[self.pos - 1]

    def bool(self) -> bool:
        n = self.u8()
        if n > 1:
            raise Malformed("a bool is neither 0 nor 1")
        return n == 1

    def u32(self) -> int:
        at = self.pos + 4
        if at > self.end:
            self._missing(4)
            return 0
        self.pos = at
        n: int = _U32.unpack_from(self.b, at - 4)[0]
        return n

    def i64(self, low: int = -(1 << 63), high: int = (1 << 63) - 1) -> int:
        if self._missing(8):
            return 0
        self.pos += 8
        n: int = _I64.unpack_from(self.b, self.pos - 8)[0]
        if not low <= n <= high:
            raise Malformed("a number is out of range")
        return n

    def bytes(self) -> bytes:
        at = self.pos + 4
        if at > self.end:
            self._missing(4)
            return b""
        end: int = at + _U32.unpack_from(self.b, at - 4)[0]
        if end > self.end:
            raise Malformed("a length is beyond the end")
        self.pos = end
        return self.b[at:end]

    def text(self) -> str:
        return self.bytes().decode("utf-8", "surrogateescape")

    def count(self, smallest: int) -> int:
        """The count of a list whose elements have at least so many bytes."""
        n = self.u32()
        self.elements -= n
        if n * smallest > self.end - self.pos or self.elements < 0:
            raise Malformed("a count is beyond the end")
        return n

    def open(self) -> int:
        """Goes into a record; the result is for close."""
        outer = self.end
        n = self.u32()
        if n > self.end - self.pos:
            raise Malformed("a record is beyond the end")
        self.end = self.pos + n
        return outer

    def close(self, outer: int) -> None:
        self.pos, self.end = self.end, outer

    def element(self, size: int) -> None:
        """Elements of lists are whole."""
        if self.end - self.pos < size:
            raise Malformed("a list is cut off")

    def value(self) -> Value:
        kind = self.u8()
        if kind == 4:
            if self.end - self.pos < 4:
                raise Malformed("a list is cut off")
            return self.text()
        if kind == 0:
            return None
        if kind == 1:
            self.element(1)
            return self.bool()
        if kind == 2:
            self.element(8)
            return self.i64()
        if kind == 3:
            self.element(8)
            self.pos += 8
            f: float = _F64.unpack_from(self.b, self.pos - 8)[0]
            return f
        if kind == 5:
            self.element(4)
            return self.bytes()
        if kind == 6:
            self.element(8)
            try:
                return EPOCH + dt.timedelta(microseconds=self.i64())
            except OverflowError:
                raise Malformed("a time is beyond the year 9999") from None
        raise Malformed("an unknown kind of value")

    def values(self) -> list[Value]:
        return [self.value() for _ in range(self.count(1))]

    def texts(self) -> list[str]:
        out = []
        for _ in range(self.count(4)):
            self.element(4)
            out.append(self.text())
        return out

    def pairs(self) -> list[tuple[str, str]]:
        out = []
        for _ in range(self.count(8)):
            self.element(8)
            name = self.text()
            self.element(4)
            out.append((name, self.text()))
        return out

    def items(self) -> list[Item]:
        out = []
        for _ in range(self.count(12)):
            self.element(12)
            key = self.text()
            self.element(8)
            json = self.text()
            self.element(4)
            out.append(Item(key, json, self.bytes()))
        return out


def read_configured(frame: bytes) -> Configured | str:
    """The answer to the settings; a text says why they were refused."""
    r = Reader(frame, 2)
    if error := r.text():
        return error
    statements = r.pairs()
    columns = []
    for _ in range(r.count(5)):
        r.element(5)
        name = r.text()
        r.element(1)
        if (kind := r.u8()) > KIND_UUID:
            raise Malformed("an unknown kind of column")
        columns.append((name, kind))
    return Configured(statements, columns, frozenset(h.lower().encode("utf-8", "surrogateescape") for h in r.texts()))


def read_effects(frame: bytes, table: Sequence[tuple[str, str]]) -> tuple[int, list[Effect]]:
    """The handle of an operation that waits, and what it waits for."""
    r = Reader(frame, 4)
    handle = r.i64(1, 0xFFFFFFFF)
    effects = [_effect(r, table) for _ in range(r.count(5))]
    if not handle or not effects:
        raise Malformed("no effects")
    return handle, effects


def _effect(r: Reader, table: Sequence[tuple[str, str]]) -> Effect:
    kind = r.u8()
    outer = r.open()
    effect: Effect
    if kind == 1:
        atomic = r.bool()
        n = r.count(4)
        if n > MAX_STATEMENTS:
            raise Malformed("too many statements")
        effect = Query(atomic, [_statement(r, table) for _ in range(n)])
    elif kind == 2:
        function = r.u8()
        a, b, c, d, e, f, g = (r.i64(0, 0xFFFFFFFF) for _ in range(7))
        effect = Derive(function, a, b, c, d, e, f, g, r.bytes(), r.bytes())
    elif kind == 3:
        effect = Random(r.i64(0, MAX_RANDOM))
    elif kind == 4:
        effect = Yield()
    elif kind == 5:
        effect = Storage(r.u8(), r.text(), r.bytes(), r.i64(0, 0xFFFFFFFF), r.i64())
        if not 1 <= effect.operation <= 9:
            raise Malformed("an unknown operation on a storage")
    else:
        raise Malformed("an unknown effect")
    r.close(outer)
    return effect


def _statement(r: Reader, table: Sequence[tuple[str, str]]) -> Statement:
    outer = r.open()
    r.element(4)
    index = r.u32()
    if index == AD_HOC:
        name, sql = r.text(), r.text()
    elif index < len(table):
        name, sql = table[index]
    else:
        raise Malformed("a statement that is not in the table")
    statement = Statement(name, sql, r.values(), index == AD_HOC)
    r.close(outer)
    return statement


def read_done(frame: bytes) -> Result:
    r = Reader(frame, 6)
    result = Result(_decision(r), r.text(), r.values())
    if r.pos < r.end:
        result.session, result.text, result.session_modified = r.items(), r.text(), r.bool()
        result.permissions, result.groups, result.everything = r.texts(), r.texts(), r.bool()
    return result


def _decision(r: Reader) -> Decision:
    outer = r.open()
    d = Decision()
    try:
        d.outcome = Outcome(r.u8())
    except ValueError:
        raise Malformed("an unknown outcome") from None
    d.status = r.i64(0, 999)
    reason = r.u8()
    d.reason = REASONS[reason] if reason < len(REASONS) else REASONS[0]
    d.detail = r.text()
    known = r.bool()
    inner = r.open()
    if known:
        d.identity = Identity(r.text(), r.text(), r.text(), r.bool(), r.bool())
    r.close(inner)
    d.set_headers, d.remove_headers, d.cookies = r.pairs(), r.texts(), r.texts()
    d.vary, d.rule = r.bool(), r.i64(0, 1 << 31)
    r.close(outer)
    return d
