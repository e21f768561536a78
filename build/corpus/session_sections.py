"""Sections session_data, signed_cookie, session_key_validation, expiry, expiry_naive, cookie_header, session_middleware."""
import base64
import hashlib
import hmac
import zlib
from datetime import datetime

from django.contrib.sessions.backends import db, signed_cookies
from django.contrib.sessions.middleware import SessionMiddleware
from django.contrib.sessions.models import Session
from django.core import signing
from django.http import HttpResponse
from django.http.cookie import parse_cookie
from django.test import RequestFactory

from common import KEY_LETTERS, compact, plain, python_version, seeded, session_cases, site

SALT = "django.contrib.sessions.SessionStore"
NOTE = ("non-canonical but accepted by Python; a strict reader may refuse (the signature is right, only the key holder "
        "can make these)")
DEEP = "Python 3.14 decodes any depth, older ones give up at about 1000; a reader may have a limit of its own"
NOTED = {"b64-junk", "b64-nl", "b64-unclean-bits", "padded", "stdb64", "zlib-trailing"}


def make(corpus):
    session_data(corpus, corpus.rng("session_data"))
    signed_cookie(corpus, corpus.rng("signed_cookie"))
    keys(corpus, corpus.rng("session_key"))
    expiry(corpus)
    expiry_naive(corpus, corpus.rng("expiry_naive"))
    cookie_header(corpus, corpus.rng("cookie_header"))
    middleware(corpus, corpus.rng("session_middleware"))


# --- session_data

def decoded(corpus, tag, data, secret, fallbacks=(), **more):
    fields = dict(tag=tag, session_data=data, secret=secret, fallbacks=list(fallbacks), salt=SALT)
    with site(SECRET_KEY=secret, SECRET_KEY_FALLBACKS=list(fallbacks)):
        try:
            value = db.SessionStore().decode(data)
        except Exception as e:
            corpus.add("session_data", expected={"error": type(e).__name__}, **fields)
            return None
    fields.update(is_dict=isinstance(value, dict), expected_json=compact(value))
    if plain(value):
        fields["expected"] = value
    if "made_from" in more:
        more["json_equals_expected"] = compact(more.pop("made_from")) == compact(value)
    corpus.add("session_data", **fields, **more)
    return value


def session_data(corpus, rng):
    writes = ["modern"] if corpus.version >= (3, 1) else ["legacy"]
    if (3, 1) <= corpus.version < (4, 0):
        writes.append("legacy/sha1")  # DEFAULT_HASHING_ALGORITHM = "sha1"
    made = []
    for way in writes:
        for i, (name, value) in enumerate(session_cases(rng)):
            secret, now = rng.secret(corpus, i), rng.randint(1747500000, 1749250000)
            changes = {"SECRET_KEY": secret}
            if way == "legacy/sha1":
                changes["DEFAULT_HASHING_ALGORITHM"] = "sha1"
            with site(**changes), corpus.clock.at(now):
                data = db.SessionStore().encode(value)
            kind, _, sha1 = way.partition("/")
            decoded(corpus, "/".join(filter(None, [kind, name, sha1])), data, secret, timestamp=now,
                    compressed=kind == "modern" and data.startswith("."), format=kind, made_from=value)
            if way == writes[0] and name not in ("long", "many"):
                made.append((data, secret))
    tampers = modern_tampers if writes[0] == "modern" else legacy_tampers
    for i in range(8):
        data, secret = made[i] if i else made[1]
        for tag, broken in tampers(rng, data):
            decoded(corpus, "tampered/" + tag, broken, secret)
        other, third = rng.text(40), rng.text(40)
        decoded(corpus, "wrong-key", data, other)
        decoded(corpus, "right-key", data, secret)
        if corpus.version >= (4, 1):
            decoded(corpus, "fallback/first", data, other, [secret])
            decoded(corpus, "fallback/second", data, other, [third, secret])
            decoded(corpus, "fallback/none", data, other, [third])
            decoded(corpus, "fallback/key-prefix", data, other, [secret[:-1] or "x", secret + "x"])
    signed_odd(corpus, rng)
    if corpus.version < (4, 0):
        legacy_odd(corpus, rng)


def modern_tampers(rng, data):
    payload, stamp, sig = data.rsplit(":", 2)
    return [
        ("colons", rng.choice(["::", ":", ":::"])), ("sig-pad", data + "="), ("adddot", "." + data), ("sig-flip", payload + ":" + stamp + ":" + rng.flip(sig)),
        ("undot", data.lstrip(".")[0 if data.startswith(".") else 1:]), ("sig-trunc", data[:-1]), ("upper", data.upper()), ("dot", "."),
        ("no-sig", payload + ":" + stamp), ("nl", data + "\n"), ("empty", ""), ("ts-changed", payload + ":" + rng.flip(stamp) + ":" + sig),
        ("payload-flip", rng.flip(payload) + ":" + stamp + ":" + sig), ("extra-colon", payload + "::" + stamp + ":" + sig), ("no-ts", payload + ":" + sig),
        ("lead", " " + data), ("unicode", data[:-1] + "é"), ("sigsp", data[:-1] + " "), ("nul", data + "\x00"), ("sha1-length", data[:-16]),
    ]


def legacy_tampers(rng, data):
    raw = base64.b64decode(data)
    mac, _, payload = raw.partition(b":")

    def b64(b):
        return base64.b64encode(b).decode()

    return [
        ("sig-flip", b64(rng.flip(mac.decode(), "0123456789abcdef").encode() + b":" + payload)), ("nocolon", b64(raw.replace(b":", b""))),
        ("nl", data + "\n"), ("upper-hash", b64(mac.upper() + b":" + payload)), ("payload-flip", b64(mac + b":" + payload[:-1] + b" }")),
        ("notb64", "%%%" + data), ("trunc", data[:-1]), ("empty", ""), ("nopad", data.rstrip("=")), ("urlsafe", data.replace("+", "-").replace("/", "_")),
        ("empty-hash", b64(b":" + payload)), ("spaces", " ".join([data[:9], data[9:]])), ("non-ascii", data[:-1] + "é"),
    ]


def sign_raw(payload, secret, salt=SALT, stamp="1tAbCd"):
    with site(SECRET_KEY=secret):
        return signing.Signer(salt=salt).sign(payload + ":" + stamp)


def odd_documents():
    deep = b'{"a":' + b"[" * 100 + b"]" * 100 + b"}"
    very = b'{"a":' + b"[" * 20000 + b"]" * 20000 + b"}"
    return [
        ("badesc", b'{"a":"\\x"}'), ("bigexp", b'{"a":1e400,"b":-1E5,"c":1E+2}'), ("bom", b'\xef\xbb\xbf{"a":1}'), ("ctl", b'{"a":"\n"}'),
        ("deep", deep), ("dup", b'{"a":1,"a":2}'), ("dup-order", b'{"a":1,"b":2,"a":3}'), ("int", b"5"), ("latin1-raw", b'{"a":"\xe9"}'), ("lead0", b'{"a":01}'),
        ("list", b"[1,2]"), ("nan", b'{"a":NaN,"b":-Infinity}'), ("notjson", b"{"), ("null", b"null"), ("single", b"{'a':1}"), ("str", b'"x"'),
        ("surr-esc", b'{"a":"\\ud83d\\ude00","b":"\\ud83d"}'), ("trailing", b'{"a":1}x'), ("utf8-raw", b'{"a":"\xc3\xa9"}'), ("verydeep", very),
        ("ws", b' {"a" : 1 }\n'), ("vtab", b'\x0b{"a":1}'), ("comma", b'{"a":1,}'), ("plus", b'{"a":+1}'), ("dot", b'{"a":.5}'), ("dot-end", b'{"a":5.}'),
        ("exp-end", b'{"a":5e}'), ("minus", b'{"a":-}'), ("neg0", b'{"a":-0,"b":-0.0,"c":0e5}'), ("upper-true", b'{"a":True}'), ("hex-esc", b'{"a":"\\u00E9\\uD83D"}'),
        ("short-esc", b'{"a":"\\u12"}'), ("slash", b'{"a":"\\/"}'), ("del", b'{"a":"\x7f"}'), ("nokey", b'{:1}'), ("numkey", b'{1:1}'), ("long-int", b'{"a":' + b"1" * 400 + b"}"),
        ("longest-int", b'{"a":' + b"1" * 5000 + b"}"), ("many-digits", b'{"a":0.' + b"1" * 400 + b"}"), ("empty", b""), ("space", b"  "), ("surr-mixed", b'{"a":"\\ude00\\ud83d\\ude00"}'),
        ("surr-key", b'{"\\ud83d":1,"\\ud83d\\ude00":2}'), ("esc-key", b'{"\\u0061":1,"a":2}'), ("under", b'{"a":1_000}'), ("infinity-plus", b'{"a":+Infinity}'), ("neg-nan", b'{"a":-NaN}'),
    ]


def signed_odd(corpus, rng):
    """Rightly signed, wrongly made: only the holder of the key can make these."""
    secret = corpus.default_secret

    def b64(b):
        return base64.urlsafe_b64encode(b).rstrip(b"=").decode()

    def z(b, level=-1):
        return "." + b64(zlib.compress(b, level))

    def add(tag, payload, stamp="1tAbCd"):
        more = {"note": NOTE} if tag in NOTED else {"note": DEEP} if tag == "verydeep" else {}
        decoded(corpus, "signed-odd/" + tag, sign_raw(payload, secret, stamp=stamp), secret, **more)

    for tag, document in odd_documents():
        if tag == "verydeep" and corpus.version < (5, 0):
            continue
        add(tag, b64(document))
    raw = zlib.compressobj(6, zlib.DEFLATED, -15)
    deflated = raw.compress(b'{"a":1}') + raw.flush()
    for tag, payload in [
        ("b64-1mod4", "eyJhIjoxfQA"), ("b64-junk", "ey!JhIjoxfQ"), ("b64-nl", "eyJh\nIjoxfQ"), ("b64-unclean-bits", "eyJhYiI6MX1"), ("colon-in", "eyJhIjoxfQ:x"),
        ("dotdot", "..e30"), ("emptypayload", ""), ("padded", "eyJhIjoxMH0="), ("stdb64", "eyJhIjoiv7+/PyJ9"), ("zlib-bad", "." + b64(b"notzlib")),
        ("zlib-level9", z(b'{"a":"' + b"x" * 300 + b'"}', 9)), ("zlib-ok", z(b'{"a":1}')), ("zlib-raw-deflate", "." + b64(deflated)),
        ("zlib-trailing", "." + b64(zlib.compress(b'{"a":1}') + b"junk")), ("zlib-trunc", "." + b64(zlib.compress(b'{"a":1}')[:-3])),
        ("zlib-empty", z(b"")), ("zlib-level0", z(b'{"a":1}', 0)), ("zlib-badsum", "." + b64(zlib.compress(b'{"a":1}')[:-1] + b"\x00")),
    ]:
        add(tag, payload)
    if corpus.version >= (5, 0):
        add("zlib-3MB-spaces", z(b" " * 3000000 + b'{"a":1}'))
        add("zlib-3MB-not-json", z(b"\x00" * 3000000))
    for tag, stamp in [("ts-empty", ""), ("ts-bad", "!!"), ("ts-neg", "-1"), ("ts-zero", "0"), ("ts-long", "z" * 30), ("ts-minus", "-")]:
        add(tag, "eyJhIjoxfQ", stamp)
    for tag, salt in [("signed_cookies", "django.contrib.sessions.backends.signed_cookies"), ("default", "django.core.signing"),
                      ("custom", "django.contrib.sessions.MyStore"), ("legacy-salt", "django.contrib.sessionsSessionStore")]:
        decoded(corpus, "other-salt/" + tag, sign_raw("eyJhIjoxfQ", secret, salt), secret)


def legacy_odd(corpus, rng):
    """The same in the envelope that Django wrote before 3.1."""
    secret = corpus.default_secret
    key = hashlib.sha1(("django.contrib.sessionsSessionStore" + secret).encode()).digest()
    for tag, document in odd_documents():
        if tag == "verydeep":
            continue
        mac = hmac.new(key, document, hashlib.sha1).hexdigest().encode()
        decoded(corpus, "legacy-odd/" + tag, base64.b64encode(mac + b":" + document).decode(), secret)


# --- signed_cookie

def signed_cookie(corpus, rng):
    def add(tag, cookie, secret, now, max_age, fallbacks=(), **more):
        with site(SECRET_KEY=secret, SECRET_KEY_FALLBACKS=list(fallbacks), SESSION_COOKIE_AGE=max_age), corpus.clock.at(now):
            value = signed_cookies.SessionStore(cookie).load()
        fields = dict(tag=tag, cookie=cookie, secret=secret, fallbacks=list(fallbacks), salt="django.contrib.sessions.backends.signed_cookies",
                      now=now, max_age=max_age, **more, expected_json=compact(value))
        if plain(value):
            fields["expected"] = value
        corpus.add("signed_cookie", **fields)

    for i, (name, value) in enumerate(session_cases(rng)):
        secret, made, age = rng.secret(corpus, i), rng.randint(1747500000, 1749250000), rng.choice([60, 3600, 1209600])
        with site(SECRET_KEY=secret), corpus.clock.at(made):
            store = signed_cookies.SessionStore()
            store.update(value)
            store.save()
        cookie = store.session_key
        about = dict(timestamp=made, compressed=cookie.startswith("."))
        looks = [("fresh", made), ("expired", made + age + 1)]
        if i < 6:
            looks += [("edge", made + age), ("edge-frac", made + age + 0.5), ("future", made - 5000)]
        for tag, now in looks:
            add(name + "/" + tag, cookie, secret, now, age, **about)
        if i < 6:
            other = rng.text(40)
            add(name + "/tamper", rng.flip(cookie), secret, made + 1, age)
            add(name + "/wrong-key", cookie, other, made + 1, age)
            add(name + "/short", cookie[:7], secret, made + 1, age)
            add(name + "/empty", "", secret, made + 1, age)
            add(name + "/db-key", rng.text(32, KEY_LETTERS), secret, made + 1, age)
            if corpus.version >= (4, 1):
                add(name + "/fallback", cookie, other, made + 1, age, [secret])
    secret = corpus.default_secret
    add("cross-salt", sign_raw("eyJhIjoxfQ", secret, SALT), secret, 1748417998, 99)


# --- keys, expiry, cookies

def keys(corpus, rng):
    for key in [None, "", "a", "1234567", "12345678", "ABCDEFGH", "éééééééé", "ééééééé", "with space", "a" * 40, "a" * 41, rng.text(32, KEY_LETTERS),
                "../../etc", "x" * 1000, "\x00" * 8, "😀" * 7, "😀" * 8]:
        corpus.add("session_key_validation", key=key, expected=db.SessionStore(key).session_key)


def plain_date(value):
    return value.isoformat() if isinstance(value, datetime) else value


def expiries(store, modification):
    """The three questions that a response asks, each with its own way to fail."""
    def ask(call):
        try:
            return plain_date(call())
        except Exception as e:
            return "error:" + type(e).__name__

    return {
        "age": ask(lambda: store.get_expiry_age(modification=modification)),
        "date": ask(lambda: store.get_expiry_date(modification=modification)),
        "at_close": ask(lambda: store.get_expire_at_browser_close()),
    }


EXPIRIES = [
    None, 0, 1, 300, -5, 12.5, True, False, "", "2026-01-15T12:00:10+00:00", "2026-01-15T12:00:10.750000+00:00", "2026-01-15T11:59:59+00:00",
    "2026-01-16T12:00:00.100000+00:00", "2026-01-15T17:30:10+05:30", "2026-01-15T12:00:10Z", "2026-01-15", "20260115T120010Z", "2026-01-15 12:00:10+00:00",
    "2026-01-15T12:00:10", "garbage", "300", -0.0, 0.5, -12.75, "2026-01-15T12:00:10.5+00:00", "2026-01-15T24:00:00+00:00", "2026-W03-4", "2024-02-29T00:00:00+00:00",
    "2026-02-29T00:00:00+00:00", "2026-01-15T12:00+00:00", "2026-01-15T12:00:10-00:00", "2026-01-15T12:00:10+00:00:30", " 2026-01-15T12:00:10+00:00",
]

PYTHONS = {"2026-01-15T24:00:00+00:00", "2026-01-15T12:00:10+00:00:30"}


def expiry(corpus):
    from datetime import timezone

    modification = datetime(2026, 1, 15, 12, 0, 0, 250000, tzinfo=timezone.utc)
    for value in EXPIRIES:
        for age in (1209600, 60):
            for at_close in (False, True):
                more = {}
                if isinstance(value, str) and corpus.version < (4, 1):
                    more["may_refuse"] = "before 4.1 a text is no expiry: the age is the text itself, which no cookie takes; a reader may go by the rules of 4.1"
                elif value in PYTHONS:
                    more["may_refuse"] = "depends on the version of Python"
                with site(SESSION_COOKIE_AGE=age, SESSION_EXPIRE_AT_BROWSER_CLOSE=at_close):
                    store = db.SessionStore()
                    store._session_cache = {} if value is None else {"_session_expiry": value}
                    expected = expiries(store, modification)
                corpus.add("expiry", session_expiry=value, cookie_age=age, expire_at_browser_close=at_close,
                           modification=modification.isoformat(), python=python_version(), **more, expected=expected)


def expiry_naive(corpus, rng):
    """USE_TZ = False: every time is local and has no zone, in the session and in the expire_date column."""
    from datetime import timedelta

    values = [None, 0, 300, "2026-01-15T12:00:10", "2026-01-15T12:00:10.750000", "2026-01-15T11:59:59", "2026-01-15T12:00:10+00:00", "2026-01-15"]
    for zone in ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]:
        modification = datetime(2026, 1, 15, 12, 0, 0, 250000)
        for value in values:
            with site(USE_TZ=False, TIME_ZONE=zone):
                store = db.SessionStore()
                store._session_cache = {} if value is None else {"_session_expiry": value}
                expected = expiries(store, modification)
            corpus.add("expiry_naive", tag="ask", use_tz=False, time_zone=zone, session_expiry=value, cookie_age=1209600,
                       expire_at_browser_close=False, modification=modification.isoformat(), python=python_version(), expected=expected)
        for now in [1768478400, 1774746000, 1774749600 + rng.randint(0, 3599), 1793495000 + rng.randint(0, 7200)]:  # around two changes of the clocks, too
            for age in (60, 86400):
                with site(USE_TZ=False, TIME_ZONE=zone, SESSION_COOKIE_AGE=age, SECRET_KEY=corpus.default_secret), corpus.clock.at(now + 0.25), seeded(rng):
                    store = db.SessionStore()
                    store["a"] = 1
                    store.save()
                    row = Session.objects.get(session_key=store.session_key)
                    stored = row.expire_date.isoformat(" ")
                    looks = {}
                    for delta in (-1, 0, age - 1, age, age + 1, age + 3600, age - 3600):
                        with corpus.clock.at(now + 0.25 + delta):
                            looks[str(delta)] = db.SessionStore(store.session_key).load() == {"a": 1}
                    row.delete()
                corpus.add("expiry_naive", tag="stored", use_tz=False, time_zone=zone, now=now + 0.25, cookie_age=age,
                           expected={"expire_date": stored, "alive_after": looks})
            with site(USE_TZ=False, TIME_ZONE=zone), corpus.clock.at(now):
                for seconds in (0, 90, -90):
                    store = db.SessionStore()
                    store.set_expiry(timedelta(seconds=seconds))
                    corpus.add("expiry_naive", tag="set_expiry", use_tz=False, time_zone=zone, now=now, timedelta_seconds=seconds,
                               expected={"stored": plain_date(store["_session_expiry"])})


def cookie_header(corpus, rng):
    a, b = rng.text(32, KEY_LETTERS), rng.text(32, KEY_LETTERS)
    headers = [
        "sessionid=" + a, "sessionid=%s; sessionid=%s" % (a, b), "a=1; sessionid=%s;b=2" % a, ' sessionid = "%s" ' % a, "sessionid=", "sessionid", "Sessionid=" + a,
        "sessionid=%s, sessionid=%s" % (a, b), "x=y=z; sessionid=" + a, 'a="q\\"x"; b', "a=%20x", "a = 1 ;b=2=3", " ;=x; a=", 'a="\\303\\244"', 'a="b', 'a=b"', ";;;", "",
        "a=é", "sessionid=%s\tx" % a, '"sessionid"=' + a, "sessionid='%s'" % a, "csrftoken=a;csrftoken=b", "sessionid=.eJx:1abc:DnOPPZGBfp-_",
        'a="\\"', 'a="\\\\"', 'a="\\8"', 'a="\\400"', 'a="\\3"', 'a=""', 'a="', "a=\u00a0b\u00a0", "\u3000a=b", "a=b\x1f", "a=\x85b", 'a="\\101\\\\\\102"', 'a=" b "', "=", "==", "a==",
        "a=1;a", "a;=b", 'a="b;c"', "a=\x00", 'a="\\377\\000"', "a=b;A=c", "\u200ba=b",
    ]
    parts = ["a", "sessionid", "=", ";", " ", '"', "\\", "\\054", "\t", ",", "é", "\u2003", "\x0b", "1", "'", "%3D"]
    headers += ["".join(rng.choice(parts) for _ in range(rng.randint(1, 14))) for _ in range(40)]
    for header in headers:
        corpus.add("cookie_header", header=header, expected=parse_cookie(header))


# --- session_middleware

def middleware(corpus, rng):
    now = 1748417998
    actions = {
        "nothing": lambda s: None,
        "read": lambda s: s.get("x"),
        "write": lambda s: s.__setitem__("y", 2),
        "flush": lambda s: s.flush(),
        "clear": lambda s: s.clear(),
        "cycle": lambda s: s.cycle_key(),
    }

    def vanish(s):
        s.get("x")
        Session.objects.all().delete()
        s["y"] = 2

    def set_expiry(n):
        def act(s):
            s["a"] = 1
            s.set_expiry(n)
        return act

    def run(tag, act, cookie, status=200, settings=None):
        settings = settings or {}
        Session.objects.all().delete()
        with site(SECRET_KEY=corpus.default_secret, **settings), corpus.clock.at(now), seeded(rng):
            from django.conf import settings as live

            old = None
            if cookie == "existing":
                store = db.SessionStore()
                store["x"] = 1
                store.save()
                old = store.session_key
            request = RequestFactory().get("/")
            if cookie is not None:
                request.COOKIES[live.SESSION_COOKIE_NAME] = old or cookie

            def view(request):
                act(request.session)
                return HttpResponse("x", status=status)

            try:
                response = SessionMiddleware(view)(request)
            except Exception as e:
                expected = {"error": type(e).__name__}
            else:
                morsel = response.cookies.get(live.SESSION_COOKIE_NAME)
                key = (morsel.value if morsel is not None else "") or (old or "")
                saved = None
                if key and Session.objects.filter(session_key=key).exists():
                    saved = db.SessionStore(key).load()
                text = morsel.OutputString() if morsel is not None else None
                if text and morsel.value:
                    text = text.replace(morsel.value, "<KEY>")
                expected = {
                    "set_cookie": text, "cookie_is_old_key": bool(morsel is not None and old and morsel.value == old),
                    "vary": response.get("Vary"), "status": response.status_code, "saved": saved,
                    "old_row_exists": bool(old and Session.objects.filter(session_key=old).exists()),
                }
        more = {}
        if expected.get("set_cookie") and not expected["vary"]:
            more["may_refuse"] = "later releases vary on Cookie whenever they set one (CVE-2026-35192)"
        corpus.add("session_middleware", tag=tag, **more, cookie=cookie, status=status, now=now, settings=settings, expected=expected)

    for cookie in (None, "existing", "nonexistentkey12345678", "short"):
        for tag, act in actions.items():
            run(tag, act, cookie)
            if cookie in (None, "existing"):
                run(tag, act, cookie, settings={"SESSION_SAVE_EVERY_REQUEST": True})
        run("write-500", actions["write"], cookie, 500)
        run("write-503", actions["write"], cookie, 503)
        run("write-499", actions["write"], cookie, 404)
        run("flush-500", actions["flush"], cookie, 500)
    run("deleted-concurrently", vanish, "existing")
    for settings in [
        {"SESSION_EXPIRE_AT_BROWSER_CLOSE": True}, {"SESSION_COOKIE_AGE": 60}, {"SESSION_COOKIE_SECURE": True}, {"SESSION_COOKIE_HTTPONLY": False},
        {"SESSION_COOKIE_SAMESITE": "Strict"}, {"SESSION_COOKIE_SAMESITE": "None", "SESSION_COOKIE_SECURE": True}, {"SESSION_COOKIE_SAMESITE": False},
        {"SESSION_COOKIE_DOMAIN": ".example.com"}, {"SESSION_COOKIE_PATH": "/app/"}, {"SESSION_COOKIE_NAME": "__Secure-sid", "SESSION_COOKIE_SECURE": True},
        {"SESSION_COOKIE_NAME": "__Host-sid"},
    ]:
        if settings.get("SESSION_COOKIE_SAMESITE") == "None" and corpus.version < (3, 1):
            continue  # refused by set_cookie then
        run("settings", actions["write"], None, settings=settings)
        run("settings-flush", actions["flush"], "existing", settings=settings)
    for n in (0, 30, -5):
        run("set_expiry(%d)" % n, set_expiry(n), None)
    Session.objects.all().delete()
