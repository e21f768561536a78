"""What the two examples have in common: their settings, and bodies of requests."""

import datetime
import json
import os

ME = ("id", "last_login", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active", "date_joined")


def settings():
    """Of djedge.Backend, from the environment."""
    fallbacks = os.environ.get("DJEDGE_SECRET_KEY_FALLBACKS", "")
    return {
        "secret": os.environ["DJEDGE_SECRET_KEY"],
        "secret_fallbacks": fallbacks.split(",") if fallbacks else [],
        "django_version": os.environ.get("DJEDGE_DJANGO_VERSION", "5.2"),
        "session_engine": os.environ.get("DJEDGE_ENGINE", "db"),
        "timeout": int(os.environ.get("DJEDGE_TIMEOUT_MS", "5000")) / 1000,
    }


def dumps(value):
    return json.dumps(value, separators=(",", ":"), default=_default)


def _default(value):
    if isinstance(value, datetime.datetime):
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} is not JSON")


def me(user, session):
    """The user without what is nobody's business; the session without the login's hash."""
    return {"user": {k: user[k] for k in ME if k in user}, "session": {k: v for k, v in session.items() if k != "_auth_user_hash"} if user else {}}


class BadRequest(Exception):
    pass


def body(content_type, raw, *names):
    """An object of exactly these texts. No form of another site can send one: those are not JSON."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise BadRequest("The content type must be application/json")
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadRequest("The body is not JSON") from None
    if not isinstance(found, dict) or set(found) != set(names) or not all(isinstance(v, str) for v in found.values()):
        raise BadRequest("The body must be an object of " + " and ".join(names))
    return [found[name] for name in names]
