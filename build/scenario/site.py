"""The Django of the scenario table: a line of JSON [command, arguments] on standard input is answered with one on standard output."""

import contextlib
import datetime
import io
import json
import os
import sys
import time
from importlib import import_module
from unittest import mock

import django
from django.conf import settings
from django.test.utils import override_settings

settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    USE_TZ=True,
    **json.loads(os.environ["SCENARIO_SETTINGS"]),
)
django.setup()

from django.contrib import auth  # noqa: E402
from django.contrib.auth.middleware import AuthenticationMiddleware  # noqa: E402
from django.contrib.sessions.middleware import SessionMiddleware  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.core.handlers.wsgi import WSGIRequest  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

User = auth.get_user_model()
COMMANDS = {}


def command(function):
    COMMANDS[function.__name__] = function
    return function


def store(engine):
    return import_module("django.contrib.sessions.backends." + engine).SessionStore


def asked(engine, cookie):
    """A request with this header Cookie, whose bytes are as WSGI has them, as it comes out of the middleware."""
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.input": io.BytesIO(), "SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    if cookie is not None:
        environ["HTTP_COOKIE"] = cookie
    request = WSGIRequest(environ)
    with override_settings(SESSION_ENGINE="django.contrib.sessions.backends." + engine):
        SessionMiddleware(lambda r: None).process_request(request)
    AuthenticationMiddleware(lambda r: None).process_request(request)
    return request


def forget(key):
    cache.delete(store("cached_db").cache_key_prefix + key)


@command
def version():
    return django.get_version()


@command
def migrate():
    call_command("migrate", verbosity=0)


@command
def make_password(password):
    return auth.hashers.make_password(password)


@command
def create_user(username, encoded, **fields):
    user = User.objects.create(username=username, password=encoded, **fields)
    return user.pk


@command
def update_user(username, **fields):
    return User.objects.filter(username=username).update(**fields)


@command
def delete_user(username):
    User.objects.get(username=username).delete()


@command
def change_password(username, password):
    user = User.objects.get(username=username)
    user.set_password(password)
    user.save()


@command
def check_password(username, password):
    return auth.hashers.check_password(password, User.objects.get(username=username).password)


@command
def login(engine, username, secret=None, seconds_ago=0, **values):
    """The session cookie of a user who has just logged in, or did long ago, at a site with this or another key."""
    request = asked(engine, None)
    with contextlib.ExitStack() as stack:
        if secret is not None:
            stack.enter_context(override_settings(SECRET_KEY=secret))
        if seconds_ago:
            then = time.time() - seconds_ago
            stack.enter_context(mock.patch("django.core.signing.time.time", lambda: then))
        auth.login(request, User.objects.get(username=username), "django.contrib.auth.backends.ModelBackend")
        request.session.update(values)
        request.session.save()
    key = request.session.session_key
    if seconds_ago and engine != "signed_cookies":
        age = datetime.timedelta(seconds=settings.SESSION_COOKIE_AGE - seconds_ago)
        Session.objects.filter(pk=key).update(expire_date=timezone.now() + age)
        forget(key)
    return key


@command
def logout(engine, cookie):
    auth.logout(asked(engine, cookie))


@command
def session_data(key, data=None):
    """What is stored of a session; with data it is replaced."""
    if data is not None:
        Session.objects.filter(pk=key).update(session_data=data)
        forget(key)
    return Session.objects.get(pk=key).session_data


@command
def whoami(engine, cookie):
    user = asked(engine, cookie).user
    return user.get_username() if user.is_authenticated else ""


for line in sys.stdin:
    name, arguments = json.loads(line)
    try:
        answer = {"result": COMMANDS[name](**arguments)}
    except Exception as e:
        answer = {"error": f"{type(e).__name__}: {e}"}
    print(json.dumps(answer), flush=True)
