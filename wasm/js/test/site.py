"""A site of the real Django, for the package's tests: a database file with users and
sessions, and on standard output what the tests must know of it, as JSON.

    python site.py make FILE
    python site.py judge FILE   what Django makes of what the tests wrote, by the file that is read from standard input
"""
import json
import sys
from datetime import timedelta
from pathlib import Path

import django
from django.conf import settings

KEY, OLD, OTHER = "the key of the site, canary-1", "the key before, canary-2", "of another site, canary-3"
settings.configure(
    SECRET_KEY=KEY, SECRET_KEY_FALLBACKS=[OLD], USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=["django.contrib." + a for a in ("auth", "contenttypes", "sessions")],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[2]}},
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    PASSWORD_HASHERS=["django.contrib.auth.hashers." + h for h in (
        "PBKDF2PasswordHasher", "PBKDF2SHA1PasswordHasher", "Argon2PasswordHasher", "BCryptSHA256PasswordHasher", "ScryptPasswordHasher")],
)
django.setup()
from django.contrib.auth import authenticate, get_user, hashers, login
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.backends import cache as cache_sessions, db, signed_cookies
from django.core.cache.backends.redis import RedisSerializer
from django.core.management import call_command
from django.http import HttpRequest
from django.test.utils import override_settings
from django.utils import timezone


def log_in(user, store=db, **items):
    request = HttpRequest()
    request.session = store.SessionStore()
    login(request, user, "django.contrib.auth.backends.ModelBackend")
    for key, value in items.items():
        request.session[key] = value
    request.session.save()
    return request.session.session_key


def make():
    call_command("migrate", verbosity=0, run_syncdb=True)
    quick = hashers.PBKDF2PasswordHasher().encode("quick password", "salt", 1000)
    people, sessions = {}, {}
    for i in range(200):
        user = User.objects.create(username=f"user{i}", email=f"user{i}@example.com", password=quick)
        sessions[user.username] = log_in(user, color="blue", number=i)
        people[user.username] = user.pk
    for name, fields in {
        "staff": {"is_staff": True}, "boss": {"is_superuser": True}, "sleeper": {"is_active": False}, "zoë": {"first_name": "Zoë ✓"},
        "reporter": {}, "leaver": {}, "changer": {}, "watcher": {},
    }.items():
        user = User.objects.create(username=name, password=quick, email="", **fields)
        sessions[name] = log_in(user)
        people[name] = user.pk
    group = Group.objects.create(name="Editors of reports")
    group.permissions.add(Permission.objects.get(codename="view_user"))
    User.objects.get(username="reporter").groups.add(group)
    user0 = User.objects.get(username="user0")
    expired = db.SessionStore(log_in(user0))
    db.SessionStore.get_model_class().objects.filter(pk=expired.session_key).update(expire_date=timezone.now() - timedelta(days=1))
    with override_settings(SECRET_KEY=OLD, SECRET_KEY_FALLBACKS=[]):
        old = log_in(user0)
    with override_settings(SECRET_KEY=OTHER, SECRET_KEY_FALLBACKS=[]):
        other = log_in(user0)
    import sqlite3
    cache_key = log_in(user0, cache_sessions, color="green")
    cached = cache_sessions.SessionStore(cache_key)
    json.dump({
        "secretKey": KEY, "fallbacks": [OLD], "password": "quick password",
        "people": people, "sessions": sessions, "expired": expired.session_key, "old": old, "other": other,
        "cookie": log_in(user0, signed_cookies, color="red"),
        "cacheSession": cache_key, "cacheEntry": ":1:" + cached.cache_key, "cacheValue": list(RedisSerializer().dumps(cached.load())),
        "lastLogin": User.objects.get(username="user0").last_login.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "data": db.SessionStore.get_model_class().objects.get(pk=sessions["user7"]).session_data,
        "row": list(User.objects.values_list("id", "password", "last_login", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active",
                                             "date_joined").get(username="user7")),
        "hashes": {name: hashers.make_password("pässword", "salty salt salty salt s" if name != "bcrypt_sha256" else None, name)
                   for name in ("pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "scrypt")},
        "cheap": hashers.PBKDF2PasswordHasher().encode("pässword", "salt", 100_000),
        "dump": [line for line in dump(sqlite3.connect(sys.argv[2]))],
    }, sys.stdout, default=str)


def dump(connection):
    """The tables that are needed, as statements of a line each."""
    tables = ("django_content_type", "auth_permission", "auth_group", "auth_user", "django_session", "auth_group_permissions", "auth_user_groups", "auth_user_user_permissions")
    for (sql,) in connection.execute(f"SELECT sql FROM sqlite_master WHERE tbl_name IN {tables} AND sql IS NOT NULL ORDER BY type DESC").fetchall():
        yield sql.replace("\n", " ").replace(" DEFERRABLE INITIALLY DEFERRED", "")
    for table in tables:
        columns = [c[1] for c in connection.execute(f'PRAGMA table_info("{table}")')]
        quoted = " || ', ' || ".join(f'quote("{c}")' for c in columns)
        for (values,) in connection.execute(f'SELECT {quoted} FROM "{table}"').fetchall():
            yield f'INSERT INTO "{table}" VALUES ({values})'


def judge():
    written = json.load(sys.stdin)
    request = HttpRequest()
    request.session = db.SessionStore(written["session"])
    user = get_user(request)
    json.dump({
        "registered": getattr(authenticate(None, username=written["registered"], password=written["password"]), "username", None),
        "user": user.username, "items": {key: value for key, value in request.session.items() if not key.startswith("_")},
        "changed": User.objects.get(username="changer").check_password(written["newPassword"]),
    }, sys.stdout)


{"make": make, "judge": judge}[sys.argv[1]]()
