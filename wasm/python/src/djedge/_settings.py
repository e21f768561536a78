"""Arguments of Backend as settings of the module. SECRET_KEY itself never goes there, only the keys that are derived from it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .errors import ConfigurationError

SeedHasher = Any  # a class such as async_django_user.hashers.PBKDF2PasswordHasher, or its name

_AUTH_HASH_SALT = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"
_COOKIE_SALT = "django.contrib.sessions.backends.signed_cookies"

# What the arguments of async-django-user and async-django-session are called here.
RENAMED = {
    "django_version": "version", "cookie_name": "session_cookie_name", "max_age": "session_cookie_age", "users_table": "user_table",
    "session_backend_key": "session_key_backend", "session_hash_key": "session_key_hash", "session_id_key": "session_key_user_id",
    "session_backend_val": "authentication_backends", "user_backend_key": "session_key_backend", "user_hash_key": "session_key_hash",
    "user_id_key": "session_key_user_id", "user_backend_val": "authentication_backends", "public_origins": "public_origin", "rules": "rule",
}  # fmt: skip

# Arguments of the old packages that have one value only.
_FIXED = {"session_hash_salt": _AUTH_HASH_SALT, "salt": "django.contrib.sessionsSessionStore"}


def keys(secret: str, fallbacks: Sequence[str], salt_class: str = "SessionStore") -> list[tuple[str, str]]:
    """The derived keys, as `djedge keys` prints them."""
    session = f"django.contrib.sessions.{salt_class}signer"
    rings = (
        ("key_session", "sha256", session), ("key_session_sha1", "sha1", session), ("key_session_legacy", "sha1", "django.contrib.sessions" + salt_class),
        ("key_cookie", "sha256", _COOKIE_SALT + "signer"), ("key_cookie_sha1", "sha1", _COOKIE_SALT + "signer"),
        ("key_auth_hash", "sha256", _AUTH_HASH_SALT), ("key_auth_hash_sha1", "sha1", _AUTH_HASH_SALT),
    )  # fmt: skip
    return [
        (name, f"{algorithm}:{hashlib.new(algorithm, (salt + s).encode()).hexdigest()}")
        for name, algorithm, salt in rings for s in (secret, *fallbacks)
    ]  # fmt: skip


def settings(arguments: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and texts for the module, which refuses what it does not know."""
    out: list[tuple[str, str]] = []
    for name, argument in arguments.items():
        if argument is None:
            continue
        if name in _FIXED:
            if argument != _FIXED[name]:
                raise ConfigurationError(f"{name}: djedge knows Django's salt only")
            continue
        if name == "password_hashers":
            argument = [h if isinstance(h, str) else getattr(h, "__name__", type(h).__name__) for h in argument]
        name = RENAMED.get(name, name)
        values = argument if isinstance(argument, Iterable) and not isinstance(argument, (str, bytes)) else [argument]
        out += ((name, _text(name, v)) for v in values)
    return out


def _text(name: str, v: Any) -> str:
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, dt.timedelta):
        v = int(v.total_seconds())
    if isinstance(v, (int, str)):
        return str(v)
    raise ConfigurationError(f"setting {name}: {type(v).__name__} is no value")


def quote(identifier: str, dialect: str) -> str:
    q = "`" if dialect == "mysql" else '"'
    if q in identifier or "\0" in identifier:
        raise ConfigurationError(f"{identifier!r} is no name of a table")
    return ".".join(q + part + q for part in identifier.split("."))
