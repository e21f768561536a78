"""What every group of sections needs: the seed, the clock, the settings and the writing of vectors."""
import contextlib
import json
import random
import secrets
import string
import sys
import time
from datetime import datetime, timezone as zone

VERSION = "1"  # of the corpus' format; see testdata/vectors/README.md

LETTERS = string.ascii_letters + string.digits
KEY_LETTERS = string.ascii_lowercase + string.digits
SPECIAL = "!#$%&()*+,-./:;<=>?@[]^_{|}~\"'\\ "
UNICODE = "éüößçñÆøåžŁőİıſΣςΩπшФЩўגבאحرफनदहยท한글漢字なかナカिी्ﬁﬀ①½"
EMOJI = ["😀", "👍🏽", "💩", "🏳️‍🌈", "👩‍💻", "🇩🇪", "𠜎", "𝔘", "\u200d", "\ufeff"]


class Clock:
    """Stands in for the time while vectors are made, so that a seed always makes the same ones."""

    def __init__(self):
        self.now = 1748417998.0
        self.real = time.time

    def install(self):
        from django.utils import timezone

        time.time = lambda: self.now

        def now():
            from django.conf import settings

            aware = datetime.fromtimestamp(self.now, zone.utc)
            if settings.USE_TZ:
                return aware
            return aware.astimezone(zone_of(settings.TIME_ZONE)).replace(tzinfo=None)

        timezone.now = now

    @contextlib.contextmanager
    def at(self, now):
        before, self.now = self.now, now
        try:
            yield
        finally:
            self.now = before


def zone_of(name):
    import zoneinfo

    return zoneinfo.ZoneInfo(name)


class Corpus:
    """The vectors of one Django, in the order they were made."""

    def __init__(self, seed):
        import django

        self.seed = seed
        self.django = django.get_version()
        self.version = django.VERSION[:2]
        self.release = "%d.%d" % self.version
        self.vectors = []
        self.counts = {}
        self.mariadb = None  # the version of the server, where there was one
        self.clock = Clock()
        self.clock.install()
        self.default_secret = self.rng("default_secret").text(50, LETTERS + SPECIAL[:26].replace("'", "").replace('"', ""))

    def rng(self, name):
        return Rand("%s/%s" % (self.seed, name))

    def add(self, section, **fields):
        n = self.counts[section] = self.counts.get(section, 0) + 1
        vector = {"id": "%s-dj%s-s%s-%04d" % (section, self.release, self.seed, n), "section": section, "django": self.django}
        vector.update(fields)
        self.vectors.append(vector)


class Rand(random.Random):
    """One stream of choices per name: a section's inputs do not change when another section does."""

    def text(self, n, letters=LETTERS):
        return "".join(self.choice(letters) for _ in range(n))

    def unicode(self, low, high, extra=""):
        return self.text(self.randint(low, high), UNICODE + extra)

    def secret(self, corpus, i=None):
        kind = self.randrange(6) if i is None else i % 6
        return [
            corpus.default_secret,
            self.text(50),
            "k",
            "ключ-" + self.text(5),
            "a" * 200,
            "django-insecure-" + self.text(40),
        ][kind]

    def flip(self, s, letters=LETTERS):
        """The same text with one character replaced by another of the same kind."""
        places = [i for i, c in enumerate(s) if c in letters]
        if not places:
            return s + "x"
        i = self.choice(places)
        return s[:i] + self.choice([c for c in letters if c != s[i]]) + s[i + 1:]


@contextlib.contextmanager
def seeded(rng):
    """What Django draws at random (salts, masks, session keys) comes from the seed meanwhile."""
    from django.utils import crypto

    choice, old_random = secrets.choice, getattr(crypto, "random", None)
    secrets.choice = rng.choice
    if old_random is not None:
        crypto.random = rng
    try:
        yield
    finally:
        secrets.choice = choice
        if old_random is not None:
            crypto.random = old_random


@contextlib.contextmanager
def site(**values):
    """Django's settings, changed for a while. Settings that this Django has never heard of do nothing."""
    from django.test.utils import override_settings

    with override_settings(**values):
        yield


def outcome(call, wrap=None):
    """What a call answered, or {"error": the exception's class}."""
    try:
        value = call()
    except Exception as e:  # whatever Django lets escape is the answer
        return {"error": type(e).__name__}
    return {wrap: value} if wrap else value


def compact(value):
    """JSON exactly as Django's JSONSerializer writes it."""
    return json.dumps(value, separators=(",", ":"))


def plain(value):
    """Whether every JSON library reads the value alike: no NaN, no integer beyond 2^53, no lone surrogate, not too long."""
    def ok(v):
        if v is None or isinstance(v, bool):
            return True
        if isinstance(v, int):
            return abs(v) < 1 << 53
        if isinstance(v, float):
            return v == v and abs(v) != float("inf")
        if isinstance(v, str):
            return not any(0xD800 <= ord(c) <= 0xDFFF for c in v)
        if isinstance(v, list):
            return all(map(ok, v))
        return isinstance(v, dict) and all(isinstance(k, str) and ok(k) and ok(x) for k, x in v.items())

    return len(compact(value)) <= 2000 and ok(value)


def session_cases(rng):
    """Sessions as sites keep them, and what JSON makes difficult."""
    def expiry(text):
        return {"_session_expiry": "2026-11-%02d%s" % (rng.randint(1, 28), text)}

    def value(depth=0):
        kind = rng.randrange(9 if depth < 3 else 6)
        return [
            lambda: rng.text(rng.randint(0, 12)),
            lambda: rng.randint(-10**12, 10**12),
            lambda: rng.uniform(-1e6, 1e6),
            lambda: rng.choice([True, False, None]),
            lambda: rng.choice(EMOJI),
            lambda: rng.unicode(0, 8),
            lambda: [value(depth + 1) for _ in range(rng.randint(0, 4))],
            lambda: {rng.text(rng.randint(1, 8)): value(depth + 1) for _ in range(rng.randint(0, 4))},
            lambda: rng.choice(["", "\\", "\"", "</script>", "\u2028", "\x7f", "\ud83d\ude00", "1"]),
        ][kind]()

    auth = {
        "_auth_user_id": str(rng.randint(1, 999999)),
        "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
        "_auth_user_hash": rng.text(64, "0123456789abcdef"),
    }
    cases = [
        ("empty", {}),
        ("auth", auth),
        ("auth+data", {**auth, "cart": [{"sku": rng.text(6), "n": rng.randint(1, 9)} for _ in range(4)], "_language": "de",
                       "name": rng.unicode(3, 9), "next": "/a?b=c&d=<e>", "flags": {"a": True, "b": None}}),
        ("uuid-user", {**auth, "_auth_user_id": rng.text(8, "0123456789abcdef") + "-1111-4222-8333-0123456789ab"}),
        ("unicode", {"näme": rng.unicode(6, 9), "emoji": "".join(rng.choice(EMOJI) for _ in range(4)), "k\x00ey": "nul\x00",
                     "ctl": "\x01\x1f\x7f\xff\u2028\u2029", "quo": "\"\\/<>&'"}),
        ("surrogates", {"lone": "\ud800", "pair-split": "\udc00\ud800"}),
        ("nested", {"a": {"b": {"c": [1, [2, [3, {"d": None}]]]}}, "t": True, "f": False, "n": None}),
        ("ints", {"z": 0, "neg": -1, "max53": 2**53, "over53": 2**53 + 1, "i64": 2**63 - 1, "over64": 2**64, "huge": 10**60, "negbig": -2**70}),
        ("floats", {"a": 1.0, "b": 0.1, "c": -0.0, "d": 1e16, "e": 1e-05, "f": 1.5e300, "g": 123456789012345.6, "h": 1e22,
                    "i": 5e-324, "j": rng.uniform(-1, 1), "k": 1e15, "l": 0.0001, "m": 9007199254740993.0}),
        ("nan", {"nan": float("nan"), "inf": float("inf"), "ninf": float("-inf")}),
        ("intkeys", {1: "c", 2.5: "b", None: "d"}),
        ("tuple", {"t": (1, 2, "x")}),
        ("expiry-int", {"_session_expiry": rng.randint(1, 10**6)}),
        ("expiry-0", {**auth, "_session_expiry": 0}),
        ("expiry-neg", {"_session_expiry": -rng.randint(1, 99)}),
        ("expiry-iso-utc", expiry("T03:11:42.528305+00:00")),
        ("expiry-iso-naive", expiry("T03:11:42")),
        ("expiry-iso-off", expiry("T03:11:42+05:30")),
        ("expiry-float", {"_session_expiry": 12.5}),
        ("long", {"blob": rng.text(2500), "text": "lorem ipsum " * 80, "uni": rng.unicode(300, 300)}),
        ("many", {"k%d" % i: i for i in range(90)}),
        ("tiny", {"a": 1}),
        ("emptykey", {"": ""}),
        ("testcookie", {"testcookie": "worked"}),
        ("messages", {"_messages": json.dumps([["__json_message", 0, 25, "Hello <b>%s</b>" % rng.text(4), "x"]])}),
    ]
    for _ in range(6):
        cases.append(("random", {rng.text(rng.randint(1, 8)): value() for _ in range(rng.randint(1, 5))}))
    return cases


def python_version():
    return sys.version.split()[0]
