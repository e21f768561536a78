"""Writes django.sql: users and sessions as Django makes them, for the tests of package host.

    python make.py > django.sql        (Django 5.2, expires in 2126)
"""
import datetime

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="canary-secret-key-of-the-tests", USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    SESSION_COOKIE_AGE=100 * 365 * 86400,
)
django.setup()
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore

joined = datetime.datetime(2026, 11, 23, 3, 11, 2, 606468, datetime.timezone.utc)
print(f"-- Made by Django {django.get_version()}; see make.py. Every password is canary-PASSWORD-of-NAME.")
for pk, name, staff, superuser, active in [
    (1, "alice", True, True, True), (2, "bob", False, False, True), (3, "carol", True, False, True), (4, "dave", True, True, False),
]:
    password = PBKDF2PasswordHasher().encode("canary-PASSWORD-of-" + name, "canarySALTof" + name.ljust(10, "x"), iterations=1000)
    user = User(pk=pk, username=name, password=password, email=name + "@example.com", first_name="Zoë",
                is_staff=staff, is_superuser=superuser, is_active=active, date_joined=joined)
    print("INSERT INTO auth_user (id, password, last_login, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined) "
          f"VALUES ({pk}, '{password}', NULL, {superuser}, '{name}', 'Zoë', '', '{user.email}', {staff}, {active}, '2026-11-23 03:11:02.606468');")
    session = SessionStore()
    data = {"cart": [1, {"ü": None}], "_auth_user_id": str(pk), "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
            "_auth_user_hash": user.get_session_auth_hash(), "rate": 1.50, "limit": float("nan")}
    print("INSERT INTO django_session (session_key, session_data, expire_date) "
          f"VALUES ('{'canarykey' + name:0<32}', '{session.encode(data)}', '2126-12-07 03:11:02.627332');")
print("INSERT INTO django_session (session_key, session_data, expire_date) "
      f"VALUES ('{'canarykeynobody':0<32}', '{SessionStore().encode({'cart': []})}', '2126-12-07 03:11:02.627332');")
