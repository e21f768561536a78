"""Section mariadb: sessions and users in MariaDB, whose collations find rows that Python would not. One process per collation."""
import unicodedata
from datetime import datetime, timezone as zone

from django.contrib import auth
from django.contrib.auth import hashers
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db import IntegrityError, connection
from django.test import RequestFactory

from common import KEY_LETTERS, seeded, site

# What Django's documentation asked for, what sites migrated to, what MariaDB 11 has by default, and the exact ones with and without padding.
COLLATIONS = ["utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_uca1400_ai_ci", "utf8mb4_bin", "utf8mb4_nopad_bin"]
ZONES = ["UTC", "Europe/Berlin", "America/St_Johns"]
MODEL = "django.contrib.auth.backends.ModelBackend"
LOOSE = "the collation finds another name; a careful reader compares exactly"
NOW = 1748417998.25


def make(corpus, collation):
    rng = corpus.rng("mariadb/" + collation)

    def add(tag, op, **fields):
        corpus.add("mariadb", tag="%s/%s/%s" % (collation.split("_", 1)[1], op, tag), op=op, collation=collation, secret=corpus.default_secret, **fields)

    with site(SECRET_KEY=corpus.default_secret), corpus.clock.at(NOW):
        users = people(rng)
        sessions(add, rng, users)
        first = collation == COLLATIONS[0]
        names(add, users, users if first else [users[i] for i in (0, 1, 2, 4, 6)])
        if first:
            times(corpus, add, rng, users[0])


def matching(table, column, text):
    """What the server finds, whatever Django makes of it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s FROM %s WHERE %s = %%s ORDER BY %s" % (column, table, column, column), [text])
        return [row[0] for row in cursor.fetchall()]


def stored_dates():
    """expire_date as the server shows it, by key."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_key, CAST(expire_date AS CHAR) FROM django_session")
        return dict(cursor.fetchall())


def people(rng):
    User.objects.all().delete()
    made = []
    with seeded(rng), site(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        for i, name in enumerate(["Zoé", "straße", "cat😀", "user1", "Σίσυφος", "Ünal", "I.Işık", "a+b@example.org"]):
            made.append(User.objects.create(id=i + 1, username=name, password=hashers.make_password("pw"), is_active=name != "Ünal",
                                            date_joined=datetime(2026, 1, 1, tzinfo=zone.utc)))
    return made


def rows(users):
    return [{"id": u.id, "username": u.username, "password": u.password, "is_active": u.is_active} for u in users]


def variants(text):
    """Texts that are not the same, and that a collation may take for the same."""
    return [
        ("same", text), ("upper", text.upper()), ("lower", text.lower()), ("swapped", text.swapcase()), ("space", text + " "), ("spaces", text + "   "), ("lead-space", " " + text),
        ("tab", text + "\t"), ("newline", text + "\n"), ("nul", text + "\x00"), ("accent", text[0] + "\u0301" + text[1:]), ("decomposed", unicodedata.normalize("NFD", text)),
        ("bare", "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))), ("fullwidth", "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)),
        ("soft-hyphen", text[:2] + "\u00ad" + text[2:]), ("zero-width", text[:2] + "\u200b" + text[2:]), ("joiner", text + "\u200d"), ("bom", "\ufeff" + text), ("nbsp", text + "\u00a0"),
        ("prefix", text[:-1]), ("longer", text + "0"), ("percent", text[:-1] + "%"), ("under", text[:-1] + "_"), ("backslash", text + "\\"), ("quote", text + "'"),
        ("astral", text[:-1] + "\U0001d7d8"), ("other-astral", text[:-1] + "🦄"), ("superscript", text[:-1] + "¹"), ("folded", text.casefold()), ("long-s", text.replace("s", "ſ")),
    ]


def sessions(add, rng, users):
    Session.objects.all().delete()
    keys = []
    with seeded(rng):
        for user in users[:2]:
            # Letters first, so that every variant above is another text.
            store = db.SessionStore()
            store._session_key = None
            store.update({"_auth_user_id": str(user.pk), "_auth_user_backend": MODEL, "_auth_user_hash": user.get_session_auth_hash()})
            key = "as" + rng.text(29, KEY_LETTERS) + "k"
            Session.objects.create(session_key=key, session_data=store.encode(dict(store.items())), expire_date=store.get_expiry_date())
            keys.append(key)
    kept = list(Session.objects.order_by("session_key").values("session_key", "session_data"))
    dates = stored_dates()
    about = [{**row, "expire_date": dates[row["session_key"]]} for row in kept]
    dates_of = {s.session_key: s.expire_date for s in Session.objects.all()}
    for tag, asked in variants(keys[0]) + [("ae", keys[0].replace("a", "ä", 1)), ("a40", keys[0] + " " * 8), ("a41", keys[0] + " " * 9), ("emoji", "😀" * 8)]:
        matched = matching("django_session", "session_key", asked)
        loose = {"may_refuse": LOOSE} if matched and matched != [asked] else {}
        request = RequestFactory().get("/")
        request.session = db.SessionStore(asked)
        user = auth.get_user(request)
        found = request.session.session_key is not None
        add(tag, "get_user", sessions=about, users=rows(users), session_key=asked, matched=matched, now=NOW, **loose, expected={"found": found, "user_id": user.pk})
        db.SessionStore().delete(asked)
        left = sorted(Session.objects.values_list("session_key", flat=True))
        add(tag, "delete", sessions=about, users=[], session_key=asked, matched=matched, now=NOW, **loose, expected={"left": left})
        for row in kept:
            if row["session_key"] not in left:
                Session.objects.create(expire_date=dates_of[row["session_key"]], **row)


def names(add, users, asked_for):
    def case(op, user, tag, asked, name, expected, **more):
        matched = matching("auth_user", "username", name)
        about = [user, users[3]] if user is not users[3] else [user]
        assert set(matched) <= {u.username for u in about}, matched
        if op == "authenticate" and matched and matched != [asked]:
            more["may_refuse"] = LOOSE
        add("%d-%s" % (user.id, tag), op, sessions=[], users=rows(about), username=asked, matched=matched, now=NOW, **more, expected=expected)

    for user in asked_for:
        name = user.username
        for tag, asked in variants(name) + [("ss", name.replace("ß", "ss")), ("final-sigma", name.replace("ς", "σ")), ("dotless", name.replace("ı", "i"))]:
            with site(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
                found = auth.authenticate(None, username=asked, password="pw")
            case("authenticate", user, tag, asked, asked, {"user_id": found.pk if found else None}, password="pw")
    for user in asked_for:
        for tag, asked in variants(user.username):
            # create_user looks at no rule for names; those that validators refuse are of no use here.
            name = User.normalize_username(asked)
            if not all(c.isalnum() or c in "@.+-_" for c in name):
                continue
            try:
                User.objects.create_user(asked, "", "pw")
                taken = False
            except IntegrityError:
                taken = True
            User.objects.exclude(pk__in=[u.pk for u in users]).delete()
            case("register", user, tag, asked, name, {"taken": taken}, normalized=name)


def times(corpus, add, rng, user):
    """datetime(6), with USE_TZ and without, where clocks are changed as well."""
    for use_tz in (True, False):
        for name in ZONES:
            for age in (60, 1209600):
                for now in (1748417998, 1748417998.000001, 1748417998.999999, 1761440399.5, 1761444000, 1774745999.25):
                    with site(USE_TZ=use_tz, TIME_ZONE=name, SESSION_COOKIE_AGE=age), seeded(rng), corpus.clock.at(now):
                        Session.objects.all().delete()
                        store = db.SessionStore()
                        store["a"] = 1
                        store.save()
                        store.save()  # the same row once more: CLIENT_FOUND_ROWS, so no UpdateError
                        date = stored_dates()[store.session_key]
                        looks = {}
                        for delta in (-1, 0, age - 1, age, age + 1, age - 3600, age + 3600):
                            with corpus.clock.at(now + delta):
                                looks[str(delta)] = db.SessionStore(store.session_key).load() == {"a": 1}
                        add("stored", "store", use_tz=use_tz, time_zone=name, now=now, cookie_age=age, sessions=[], users=[],
                            expected={"expire_date": date, "alive_after": looks})
                        if age != 60:
                            continue
                        request = RequestFactory().get("/")
                        request.session, request.user = db.SessionStore(), AnonymousUser()
                        request.META["CSRF_COOKIE"] = "a" * 32
                        auth.login(request, user, MODEL)
                        with connection.cursor() as cursor:
                            cursor.execute("SELECT CAST(last_login AS CHAR) FROM auth_user WHERE id = %s", [user.pk])
                            last = cursor.fetchone()[0]
                        add("stored", "login", use_tz=use_tz, time_zone=name, now=now, cookie_age=age, sessions=[], users=rows([user]), user_id=user.pk,
                            expected={"last_login": last})


def server():
    with connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        return cursor.fetchone()[0]
