"""Answers questions as Django would: one JSON object per line in, one per line out, in the same order.

{"function": NAME, "args": {…}} is answered by {"answer": …}, or by {"error": CLASS} where Django raises.
"""
import base64
import datetime
import io
import json
import logging
import pickle
import pickletools
import random
import resource
import sys
import unicodedata
import warnings

import django
from django.conf import settings

# A damaged pickle can ask for any amount of memory; this is enough for every honest question.
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
warnings.simplefilter("ignore")
settings.configure(SECRET_KEY="x", USE_TZ=True, INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
                   DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}, LOGGING_CONFIG=None)
django.setup()
logging.disable(logging.CRITICAL)

from django.contrib.auth import hashers
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import ASCIIUsernameValidator, UnicodeUsernameValidator
from django.contrib.sessions.backends import db
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http.cookie import parse_cookie
from django.utils import http

CLASSES = ["MD5", "PBKDF2", "PBKDF2SHA1", "Argon2", "BCryptSHA256", "BCrypt", "Scrypt", "SHA1", "UnsaltedSHA1", "UnsaltedMD5", "Crypt"]
# MD5 first: what Django wastes on a failure is then cheap, and the answer is the same.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.%sPasswordHasher" % c for c in CLASSES if hasattr(hashers, c + "PasswordHasher")]
hashers.get_hashers.cache_clear()
hashers.get_hashers_by_algorithm.cache_clear()
allowed = getattr(http, "url_has_allowed_host_and_scheme", None) or http.is_safe_url


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def about():
    import bcrypt

    return {"django": django.get_version(), "hashers": [h.algorithm for h in hashers.get_hashers()], "bcrypt": bcrypt.__version__.split(".")[0]}


def cookie_header(header):
    return parse_cookie(header)


def session_decode(session_data, secret):
    settings.SECRET_KEY = secret
    value = db.SessionStore().decode(session_data)
    return {"json": compact(value) if isinstance(value, dict) else "{}"}


def document(b64, secret, compress):
    """A JSON document as session data signed by this Django, and what it decodes it to."""
    settings.SECRET_KEY = secret
    raw = base64.b64decode(b64)
    if django.VERSION < (3, 1):
        data = base64.b64encode(db.SessionStore()._hash(raw).encode() + b":" + raw).decode()
    else:
        if compress:
            import zlib

            payload = "." + base64.urlsafe_b64encode(zlib.compress(raw)).rstrip(b"=").decode()
        else:
            payload = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        data = signing.TimestampSigner(salt="django.contrib.sessions.SessionStore").sign(payload)
    return {"session_data": data, **session_decode(data, secret)}


def redirect(url, allowed_hosts, require_https):
    return {"ok": allowed(url, allowed_hosts=set(allowed_hosts), require_https=require_https)}


def password(password, encoded):
    return {"ok": hashers.check_password(password, encoded)}


def valid(validator, value):
    try:
        validator(value)
        return True
    except ValidationError:
        return False


def username(username):
    if any(unicodedata.category(c) == "Cn" for c in username):
        return None  # assigned by another version of Unicode, perhaps
    return {"nfkc": AbstractBaseUser.normalize_username(username), "unicode_valid": valid(UnicodeUsernameValidator(), username), "ascii_valid": valid(ASCIIUsernameValidator(), username)}


def email(email):
    return {"normalized": BaseUserManager.normalize_email(email), "valid": valid(validate_email, email)}


def latin1(text, encoding):
    if encoding != "latin1":
        raise pickle.UnpicklingError("an encoding")
    return text.encode("latin1")


KNOWN = {("datetime", "datetime"): datetime.datetime, ("datetime", "timezone"): datetime.timezone, ("datetime", "timedelta"): datetime.timedelta, ("_codecs", "encode"): latin1}


class Blind(pickle.Unpickler):
    """Knows only names that are harmless to call: those of times, and how protocol 2 spells bytes."""

    def find_class(self, module, name):
        if (module, name) not in KNOWN:
            raise pickle.UnpicklingError("a name")
        return KNOWN[module, name]

    def persistent_load(self, pid):
        raise pickle.UnpicklingError("a name")


class NotPlain(Exception):
    pass


def plain(value, budget):
    """Raises where JSON has no word for the value: then each reader has a view of its own. Shared references are spelt out, within a budget."""
    budget[0] -= 1
    if budget[0] < 0:
        raise NotPlain
    if isinstance(value, dict):
        if not all(isinstance(k, str) for k in value):
            raise NotPlain
        return {k: plain(v, budget) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v, budget) for v in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    raise NotPlain


def pickle_load(b64):
    """A pickle that somebody damaged: a dict of plain values, or an error; null for other values."""
    data = bytearray(base64.b64decode(b64))
    try:
        for op, arg, at in pickletools.genops(bytes(data)):
            if op.name in ("PUT", "LONG_BINPUT") and arg > 1 << 20:
                return None  # Python would make a memo of that size
            rest = len(data) - at - 9
            if op.name == "FRAME" and arg < rest:
                # The end of a frame is the end of nothing for pickle.loads, which Django calls. It is for an
                # Unpickler, which reads a file: so let no frame end early.
                data[at + 1 : at + 9] = rest.to_bytes(8, "little")
    except Exception:
        pass  # damaged later on
    value = Blind(io.BytesIO(data)).load()
    if not isinstance(value, dict):
        raise ValueError("not a session")
    try:
        return {"json": compact(plain(value, [10000]))}
    except NotPlain:
        return None


def pickle_make(seed):
    """A session of plain values as each protocol writes it."""
    rng = random.Random(seed)

    def text():
        return "".join(chr(rng.choice([rng.randint(32, 126), rng.randint(0, 0x2FF), rng.randint(0xD800, 0xDFFF), rng.randint(0x10000, 0x10FFFF)])) for _ in range(rng.choice([0, 1, 5, rng.randint(0, 300)])))

    shared = [1, "shared", {"a": None}]

    def value(depth):
        kind = rng.randrange(12 if depth < 5 else 9)
        return [
            lambda: rng.randint(-300, 70000), lambda: rng.choice([1, -1]) * rng.getrandbits(rng.choice([8, 31, 32, 63, 64, 200, 3000])), lambda: rng.uniform(-1, 1) * 10.0 ** rng.randint(-320, 308),
            lambda: rng.choice([True, False, None, "", 0, -1, 255, 256, 65535, 65536, 2**31, -2**31]), text, text, lambda: shared, lambda: rng.choice([float("inf"), float("-inf"), -0.0, 5e-324]), lambda: "a" * rng.choice([255, 256, 257]),
            lambda: [value(depth + 1) for _ in range(rng.choice([0, 1, 2, 3, 4, rng.randint(0, 30)]))], lambda: tuple(value(depth + 1) for _ in range(rng.randint(0, 5))),
            lambda: {text(): value(depth + 1) for _ in range(rng.randint(0, 6))},
        ][kind]()

    session = {text(): value(0) for _ in range(rng.randint(0, 6))}
    protocol = rng.choice([2, 3, 4, 5])
    data = pickle.dumps(session, protocol)
    if rng.random() < 0.3:
        data = pickletools.optimize(data)
    elif rng.random() < 0.2:
        out = io.BytesIO()
        pickle._Pickler(out, protocol).dump(session)
        data = out.getvalue()
    return {"b64": base64.b64encode(data).decode(), "json": compact(session)}


FUNCTIONS = {f.__name__: f for f in (about, cookie_header, session_decode, document, redirect, password, username, email, pickle_load, pickle_make)}

for line in sys.stdin:
    question = json.loads(line)
    try:
        reply = {"answer": FUNCTIONS[question["function"]](**question["args"])}
    except KeyboardInterrupt:
        break
    except BaseException as e:  # MemoryError and RecursionError are answers, too
        reply = {"error": type(e).__name__}
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()
