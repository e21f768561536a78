"""fill.py NUMBER PASSWORD: make the tables, and that many users with the same password and a session each.

Prints a line for each session: its key, the same session as a signed cookie, the user's id and name. Django makes every
value; the rows go in in bulk.
"""

import sys
from datetime import timedelta

import django

django.setup()

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.backends.signed_cookies import SessionStore as CookieStore
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

number, password = int(sys.argv[1]), make_password(sys.argv[2])
call_command("migrate", verbosity=0)
expires = timezone.now() + timedelta(days=14)
with transaction.atomic():
    User.objects.bulk_create(
        (
            User(
                username=f"user{i}", first_name="Ada", last_name=f"Lovelace {i}", email=f"user{i}@example.com",
                password=password, last_login=timezone.now(),
            )
            for i in range(number)
        ),
        batch_size=90,
    )
    sessions = []
    for user in User.objects.order_by("pk"):
        data = {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend",
            HASH_SESSION_KEY: user.get_session_auth_hash(),
        }
        store, cookie = SessionStore(), CookieStore()
        cookie.update(data)
        cookie.save()
        key = store._get_new_session_key()
        sessions.append(Session(session_key=key, session_data=store.encode(data), expire_date=expires))
        print(key, cookie.session_key, user.pk, user.username)
    Session.objects.bulk_create(sessions, batch_size=90)
