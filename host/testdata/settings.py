"""settings.py SETTINGS: real Django with these settings, which does what the lines of standard input say and answers in lines."""
import importlib
import json
import sys
import warnings
from datetime import timedelta
from decimal import Decimal

warnings.simplefilter("ignore")
import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    USE_TZ=True,
    TIME_ZONE="UTC",
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    CACHES={"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}},
    LOGGING_CONFIG=None,
    **json.loads(sys.argv[1]),
)
django.setup()

from django.contrib import auth
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.http import HttpRequest
from django.utils import timezone

call_command("migrate", verbosity=0)

VALUES = {
    "plain": {"text": "ünï 🦄 \x00", "n": 1, "list": [1.5, None, True, {"a": "b"}], "big": 2**70},
    "typed": {
        "tuple": (1, ("a",)), "set": {1}, "frozen": frozenset([2]), "bytes": b"\x00\xff", "delta": timedelta(days=1, microseconds=5), "naive": timezone.datetime(2026, 1, 2),
        "when": timezone.now(), 1: "a key", "nan": [float("inf")], "nested": {"x": [{"y": ()}]}, "_session_expiry": timezone.now() + timedelta(days=3),
    },
    "unsafe": {"price": Decimal("1.5"), "n": 1},
}


def store(ask, key=None):
    return importlib.import_module("django.contrib.sessions.backends." + ask["engine"]).SessionStore(key)


def request(ask):
    r = HttpRequest()
    r.session = store(ask, ask.get("key"))
    return r


def write(ask):
    s = store(ask)
    s.update(VALUES[ask["kind"]])
    s.save()
    return {"key": s.session_key, "repr": repr(dict(s.items())), "changed": repr({**dict(s.items()), "n": 3})}


def read(ask):
    return {"repr": repr(dict(store(ask, ask["key"]).items()))}


def data(ask):
    return {"data": Session.objects.get(session_key=ask["key"]).session_data}


def login(ask):
    r = request(ask)
    r.META["CSRF_COOKIE"] = "a" * 32
    auth.login(r, User.objects.get(username=ask["name"]), "django.contrib.auth.backends.ModelBackend")
    r.session.save()
    return {"key": r.session.session_key, "hash": r.session["_auth_user_hash"]}


def who(ask):
    return {"name": auth.get_user(request(ask)).username}


def create(ask):
    User.objects.create_user(ask["name"], "", "pw")
    return {}


def token(ask):
    return {"token": PasswordResetTokenGenerator().make_token(User.objects.get(username=ask["name"]))}


def check(ask):
    return {"ok": PasswordResetTokenGenerator().check_token(User.objects.get(username=ask["name"]), ask["token"])}


def algorithm(ask):
    settings.DEFAULT_HASHING_ALGORITHM = ask["name"]
    return {}


def longest(ask):
    return {"length": User._meta.get_field("first_name").max_length}


for line in sys.stdin:
    ask = json.loads(line)
    try:
        answer = globals()[ask["do"]](ask)
    except Exception as e:
        answer = {"error": "%s: %s" % (type(e).__name__, e)}
    print(json.dumps(answer), flush=True)
