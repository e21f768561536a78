"""The tests' hand on the site's database: POST /control/NAME with keyword arguments as JSON calls a function of this file."""

import datetime
import json
from importlib import import_module
from types import SimpleNamespace

from django.conf import settings
from django.contrib.auth import get_user, get_user_model
from django.contrib.auth.hashers import check_password as check, get_hasher, make_password as make
from django.contrib.sessions.models import Session
from django.core import signing
from django.http import JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

User = get_user_model()
COMMANDS = {}


class SessionStore(import_module(settings.SESSION_ENGINE).SessionStore):
    """A session that stays as it is when Django would end it or give it a new key. The class's name is part of the salt."""

    def flush(self):
        pass

    def cycle_key(self):
        pass


def command(function):
    COMMANDS[function.__name__] = function
    return function


@csrf_exempt
def call(request, name):
    return JsonResponse({"result": COMMANDS[name](**(json.loads(request.body) or {}))})


# Users


@command
def create_user(username, password=None, encoded=None, **fields):
    """A user made by Django; encoded stores a password hash as it is."""
    user = User.objects.create_user(username, fields.pop("email", ""), password, **fields)
    if encoded is not None:
        User.objects.filter(pk=user.pk).update(password=encoded)
    return user.pk


@command
def update_user(username, **fields):
    return User.objects.filter(username=username).update(**fields)


@command
def delete_user(username):
    return User.objects.get(username=username).delete()[0]


@command
def user(username):
    found = User.objects.filter(username=username).values().first()
    return found and {k: v.isoformat() if isinstance(v, datetime.datetime) else v for k, v in found.items()}


@command
def check_password(username, password):
    """Whether the stored hash is of this password; without Django's upgrade of a weaker hash."""
    return check(password, User.objects.get(username=username).password)


@command
def make_password(password, hasher="default", iterations=None):
    if iterations is None:
        return make(password, hasher=hasher)
    return get_hasher(hasher).encode(password, "saltsaltsaltsaltsaltsa", iterations)


# Sessions


@command
def session(key):
    """Everything about one session: null when there is no row, else its row, what Django decodes, and whose it is."""
    row = Session.objects.filter(pk=key).first()
    if row is None:
        return None
    owner = get_user(SimpleNamespace(session=SessionStore(key), META={}, COOKIES={}))
    return {
        "key": row.pk,
        "live": row.expire_date > timezone.now(),
        "data": row.get_decoded(),
        "user": owner.get_username() if owner.is_authenticated else None,
    }


@command
def sessions():
    return [session(key) for key in Session.objects.order_by("pk").values_list("pk", flat=True)]


@command
def clear():
    Session.objects.all().delete()


@command
def update_session(key, **fields):
    return Session.objects.filter(pk=key).update(**fields)


@command
def expire_session(key):
    return Session.objects.filter(pk=key).update(expire_date=timezone.now() - datetime.timedelta(seconds=1))


@command
def resign_session(key, secret=None, salt="django.contrib.sessions.SessionStore"):
    """Store the same data under another key or salt."""
    row = Session.objects.get(pk=key)
    row.session_data = signing.dumps(row.get_decoded(), key=secret, salt=salt, compress=True)
    row.save()


@command
def session_data(key):
    return Session.objects.get(pk=key).session_data


@command
def change_session(key, **values):
    """Store other values in a session, signed as they should be."""
    store = SessionStore(key)
    for name, value in values.items():
        store[name] = str(value)
    store.save()


# Both


@command
def counts():
    return {"Users": User.objects.count(), "Sessions": Session.objects.count()}
