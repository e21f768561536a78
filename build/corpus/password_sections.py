"""Sections hasher, hasher_encode_error, must_update, hasher_defaults, password_validation."""
import base64
import unicodedata

from argon2 import low_level
from django.contrib.auth import hashers
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.module_loading import import_string

from common import EMOJI, LETTERS, SPECIAL, outcome, seeded, site

CLASSES = [
    "PBKDF2PasswordHasher", "PBKDF2SHA1PasswordHasher", "Argon2PasswordHasher", "BCryptSHA256PasswordHasher", "BCryptPasswordHasher", "ScryptPasswordHasher",
    "MD5PasswordHasher", "SHA1PasswordHasher", "UnsaltedSHA1PasswordHasher", "UnsaltedMD5PasswordHasher", "CryptPasswordHasher",
]
PATH = "django.contrib.auth.hashers."
BCRYPT_LETTERS = "./" + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
SALT22 = 22


def available():
    """The hashers that this Django ships and can use here."""
    names = []
    for name in CLASSES:
        if not hasattr(hashers, name):
            continue
        try:
            hasher = getattr(hashers, name)()
            if hasher.library:
                hasher._load_library()
        except (ValueError, ImportError):
            continue
        names.append(name)
    return names


def algorithms():
    return [getattr(hashers, name).algorithm for name in available()]


def preferring(name):
    """PASSWORD_HASHERS with this one first, then the others as always."""
    return [PATH + n for n in [name] + [n for n in available() if n != name]]


# MD5 first while verifying: what Django then wastes on failures is cheap, and the answer is the same.
CHEAP = "MD5PasswordHasher"


def make(corpus):
    rng = corpus.rng("hasher")
    with seeded(rng):
        verify(corpus, rng)
        must_update(corpus, corpus.rng("must_update"))
        defaults(corpus)
    validation(corpus, corpus.rng("password_validation"))


def add(corpus, tag, password, encoded, *own):
    with site(PASSWORD_HASHERS=preferring(CHEAP)):
        try:
            algorithm = hashers.identify_hasher(encoded).algorithm
        except ValueError:
            algorithm = None
        expected = outcome(lambda: hashers.check_password(password, encoded), "ok")
        usable = hashers.is_password_usable(encoded)
    corpus.add("hasher", tag=tag, password=password, encoded=encoded, algorithm=algorithm, usable=usable, expected=expected,
               must_update_if_preferred=updates(encoded, algorithm, own))


def updates(encoded, algorithm, own):
    found = {}
    for name in dict.fromkeys(("PBKDF2PasswordHasher",) + own):
        if name not in available():
            continue
        if algorithm is None:
            found[name] = None
            continue
        with site(PASSWORD_HASHERS=preferring(name)):
            try:
                found[name] = must_update_of(encoded)
            except Exception as e:
                found[name] = "error:" + type(e).__name__
    return found


def must_update_of(encoded):
    """The two lines of check_password that decide whether a right password is hashed again."""
    preferred, hasher = hashers.get_hasher("default"), hashers.identify_hasher(encoded)
    return hasher.algorithm != preferred.algorithm or bool(preferred.must_update(encoded))


def bcrypt_salt(rng, rounds=4, prefix="2b"):
    return ("$%s$%02d$" % (prefix, rounds) + rng.text(21, BCRYPT_LETTERS) + rng.choice(".Oeu")).encode()


def encode(rng, name, password):
    """A cheap hash by the real hasher."""
    hasher = getattr(hashers, name)()
    salt = rng.text(SALT22)
    if name.startswith("PBKDF2"):
        return hasher.encode(password, salt, rng.choice([1, 2, 10, rng.randint(3, 3000)]))
    if name == "Argon2PasswordHasher":
        hasher.time_cost, hasher.memory_cost, hasher.parallelism = rng.choice([(1, 8, 1), (2, 8, 1), (1, 32, 4), (3, 256, 4), (1, 64, 2)])
        return hasher.encode(password, salt)
    if name.startswith("BCrypt"):
        return hasher.encode(password, bcrypt_salt(rng))
    if name == "ScryptPasswordHasher":
        return hasher.encode(password, salt, rng.choice([16, 64, 1024]), rng.choice([1, 8]), rng.choice([1, 2]))
    if name.startswith("Unsalted"):
        return hasher.encode(password, "")
    if name == "CryptPasswordHasher":
        return hasher.encode(password, rng.text(2))
    return hasher.encode(password, salt)


def passwords(rng):
    ascii_ = rng.text(rng.randint(8, 14), LETTERS + SPECIAL) + rng.choice("!#aZ")
    accents = unicodedata.normalize("NFC", "é" + rng.unicode(1, 4) + "ü")
    unicode_ = rng.unicode(3, 9)
    emoji = "".join(rng.choice(EMOJI) for _ in range(3)) + rng.text(3)
    word = rng.text(6)
    long = rng.text(160) + "é" * 20
    return [
        ("ascii", ascii_, ascii_ + "x"), ("unicode", unicode_, unicode_ + "x"), ("emoji", emoji, emoji + "x"), ("empty", "", "x"),
        ("space", " " + word + " ", word), ("len72", rng.text(72), None), ("len73", rng.text(73), None), ("bytes100", rng.text(100), None),
        ("bytes200", long, None), ("nul", word[:4] + "\x00" + word, word[:4]), ("nul_first", "\x00" + word, ""),
        ("nfc", accents, unicodedata.normalize("NFD", accents)), ("newline", word + "\n", word),
    ]


def verify(corpus, rng):
    for name in available():
        for kind, password, near in passwords(rng):
            near = password[:-1] if near is None else near
            try:
                encoded = encode(rng, name, password)
            except Exception as e:
                corpus.add("hasher_encode_error", tag=kind, hasher=name, password=password, expected={"error": type(e).__name__})
                continue
            add(corpus, kind + "/right", password, encoded, name)
            add(corpus, kind + "/near", near, encoded, name)
            if kind in ("ascii", "emoji"):
                head, _, digest = encoded.rpartition("$")
                add(corpus, kind + "/flip", password, head + "$" + rng.flip(digest, LETTERS) if head else rng.flip(encoded, "0123456789abcdef"), name)
                add(corpus, kind + "/case", password.swapcase(), encoded, name)
    default_costs(corpus, rng)
    argon2(corpus, rng)
    bcrypts(corpus, rng)
    pbkdf2(corpus, rng)
    if "ScryptPasswordHasher" in available():
        scrypt(corpus, rng)
    legacy(corpus, rng)


def default_costs(corpus, rng):
    for name in ["PBKDF2PasswordHasher", "PBKDF2SHA1PasswordHasher", "Argon2PasswordHasher", "BCryptSHA256PasswordHasher", "ScryptPasswordHasher"]:
        if name not in available():
            continue
        password = rng.unicode(3, 6)
        hasher = getattr(hashers, name)()
        encoded = hasher.encode(password, bcrypt_salt(rng, hasher.rounds) if name.startswith("BCrypt") else rng.text(SALT22))
        add(corpus, "default_cost/right", password, encoded, name)
        add(corpus, "default_cost/wrong", password + "!", encoded, name)


def argon2(corpus, rng):
    own = "Argon2PasswordHasher"
    types = {"I": low_level.Type.I, "D": low_level.Type.D, "ID": low_level.Type.ID}
    for version in (19, 16):
        for letter, kind in types.items():
            password = rng.text(9)
            encoded = "argon2" + low_level.hash_secret(
                password.encode(), rng.text(rng.choice([8, 12, 16])).encode(), time_cost=rng.randint(1, 3), memory_cost=64,
                parallelism=rng.choice([1, 2]), hash_len=rng.choice([16, 24, 32, 64]), type=kind, version=version).decode()
            tag = "argon2/%s/v%d" % (letter, version)
            add(corpus, tag, password, encoded, own)
            add(corpus, tag + "/wrong", password + "x", encoded, own)
            if version == 16:
                add(corpus, "argon2/no-version-field", password, encoded.replace("$v=16", ""), own)
    password = rng.text(8)
    good = "argon2" + low_level.hash_secret(password.encode(), b"saltsaltsalt", time_cost=1, memory_cost=8, parallelism=1, hash_len=32, type=low_level.Type.ID).decode()
    head, digest = good.rsplit("$", 1)
    for tag, encoded in [
        ("m-order", good.replace("m=8,t=1", "t=1,m=8")), ("m0", good.replace("m=8", "m=0")), ("t0", good.replace("t=1", "t=0")), ("p0", good.replace("p=1", "p=0")),
        ("lead0", good.replace("m=8", "m=08")), ("type-x", good.replace("argon2id", "argon2x")), ("nodollar", good.replace("argon2$", "argon2", 1)), ("pad", good + "="),
        ("v20", good.replace("v=19", "v=20")), ("v0", good.replace("v=19", "v=0")), ("extra", good + "$x"), ("trunc", good[:-8]),
        ("data", good.replace("p=1", "p=1,data=AAAA")), ("keyid", good.replace("p=1", "p=1,keyid=AAAA")), ("nohash", head), ("emptyhash", head + "$"), ("space", good + " "),
        ("nl", good + "\n"), ("huge-m", good.replace("m=8", "m=4294967296")), ("urlsafe", head + "$" + digest[:9] + "_" + digest[10:]), ("upper-type", good.replace("argon2id", "ARGON2ID")),
        ("plus", good.replace("t=1", "t=+1")), ("neg", good.replace("t=1", "t=-1")), ("p-huge", good.replace("p=1", "p=16777216")), ("m-small", good.replace("p=1", "p=2")),
        ("unclean-salt", good.replace("$c2FsdHNhbHRzYWx0$", "$c2FsdHNhbHRzYWx1ZA$")), ("short-salt", good.replace("$c2FsdHNhbHRzYWx0$", "$c2FsdA$")), ("v-twice", good.replace("$v=19", "$v=19$v=19")),
    ]:
        add(corpus, "argon2/malformed/" + tag, password, encoded, own)


def bcrypts(corpus, rng):
    for name in ("BCryptSHA256PasswordHasher", "BCryptPasswordHasher"):
        for prefix in ("2a", "2b", "2y", "2x", "2"):
            password, hasher = rng.text(8), getattr(hashers, name)()
            try:
                encoded = hasher.encode(password, bcrypt_salt(rng, prefix=prefix))
            except Exception:  # then with the hash of another prefix
                encoded = hasher.encode(password, bcrypt_salt(rng)).replace("$2b$", "$%s$" % prefix)
            add(corpus, "bcrypt/prefix-" + prefix, password, encoded, name)
    name, password = "BCryptPasswordHasher", rng.text(8)
    good = getattr(hashers, name)().encode(password, bcrypt_salt(rng))
    at = len("bcrypt$$2b$04$")
    canonical = good[at + 21]
    for tag, encoded in [
        ("noncanonical-salt-bits", good[:at + 21] + {".": "/", "O": "P", "e": "f", "u": "v"}[canonical] + good[at + 22:]), ("short", good[:-1]), ("long", good + "a"),
        ("cost3", good.replace("$04$", "$03$")), ("cost4", good.replace("$04$", "$4$")), ("cost32", good.replace("$04$", "$32$")), ("nl", good + "\n"), ("empty", "bcrypt$"),
        ("saltonly", good[:at + 22]), ("badchar", good[:at + 3] + "!" + good[at + 4:]), ("nodollar", good.replace("bcrypt$$", "bcrypt$")), ("dropped-prefix", good[len("bcrypt$"):]),
        ("cost-letters", good.replace("$04$", "$ab$")), ("cost05-same-hash", good.replace("$04$", "$05$")), ("version-2c", good.replace("$2b$", "$2c$")), ("badchar-hash", good[:-3] + "!" + good[-2:]),
    ]:
        add(corpus, "bcrypt/malformed/" + tag, password, encoded, name)


def pbkdf2(corpus, rng):
    name, password, salt = "PBKDF2PasswordHasher", rng.text(8), rng.text(22)
    hasher = getattr(hashers, name)()
    good = hasher.encode(password, salt, 1000)
    digest = good.rsplit("$", 1)[1]

    def with_iterations(text):
        return "pbkdf2_sha256$%s$%s$%s" % (text, salt, digest)

    for tag, encoded in [
        ("lead0", with_iterations("01000")), ("space", with_iterations(" 1000")), ("underscore", with_iterations("1_000")), ("plus", with_iterations("+1000")),
        ("fullwidth", with_iterations("１０００")), ("nopad", good.rstrip("=")), ("nl", good + "\n"), ("urlsafe", good[:-1] + "-"), ("upperalg", good.replace("pbkdf2", "PBKDF2")),
        ("extra", good + "$x"), ("trailing-dollar", good + "$"), ("neg", with_iterations("-1")), ("nan", with_iterations("abc")), ("float", with_iterations("1000.0")),
        ("emptyiter", with_iterations("")), ("nosalt", "pbkdf2_sha256$1000$$" + digest), ("short1", "pbkdf2_sha256"), ("short2", "pbkdf2_sha256$"), ("short3", "pbkdf2_sha256$1000"),
        ("short4", "pbkdf2_sha256$1000$" + salt), ("emptyhash", "pbkdf2_sha256$1000$%s$" % salt), ("overflow", with_iterations("9" * 20)), ("leadspace", " " + good), ("nul", good + "\x00"),
        ("uni-salt", hasher.encode(password, "sälz😀", 1000)), ("one-char-salt", hasher.encode(password, "a", 1)), ("salt-with-space", hasher.encode(password, "a b", 3)),
        ("other-digest", "pbkdf2_sha1$1000$%s$%s" % (salt, digest)), ("good", good), ("long-salt", hasher.encode(password, rng.text(200), 2)),
    ]:
        add(corpus, "pbkdf2/odd/" + tag, password, encoded, name)
    # 0 iterations mean the hasher's default; here it is 777.
    cls = getattr(hashers, name)
    before, cls.iterations = cls.iterations, 777
    try:
        encoded = hasher.encode(password, salt, 777).replace("$777$", "$0$")
        add(corpus, "pbkdf2/odd/zero-iterations(default=777)", password, encoded, name)
    finally:
        cls.iterations = before


def scrypt(corpus, rng):
    name, password, salt = "ScryptPasswordHasher", rng.text(8), rng.text(22)
    good = getattr(hashers, name)().encode(password, salt, 64, 8, 1)
    digest = good.rsplit("$", 1)[1]

    def of(n, r=8, p=1, s=salt):
        return "scrypt$%s$%s$%s$%s$%s" % (n, s, r, p, digest)

    for tag, encoded in [
        ("n0", of(0)), ("n63", of(63)), ("n1", of(1)), ("nneg", of(-64)), ("r0", of(64, 0)), ("rneg", of(64, -1)), ("p0", of(64, 8, 0)), ("lead0", of("064")), ("emptysalt", of(64, s="")),
        ("nlhash", good + "\n"), ("nopad", good.rstrip("=")), ("hugen", of(2**40)), ("maxmem", of(32768)), ("nan", of("x")), ("extra6", good + "$x"), ("extra7", good + "$x$y"),
        ("short", good.rsplit("$", 1)[0]), ("good", good), ("pneg", of(64, 8, -1)), ("plus", of("+64")),
    ]:
        add(corpus, "scrypt/odd/" + tag, password, encoded, name)


def legacy(corpus, rng):
    from hashlib import md5, sha1

    password, salt = rng.text(7), rng.text(8)
    m5, s1 = md5(password.encode()).hexdigest(), sha1(password.encode()).hexdigest()
    salted5, salted1 = md5((salt + password).encode()).hexdigest(), sha1((salt + password).encode()).hexdigest()
    unusable = [hashers.make_password(None) for _ in range(4)]
    for tag, encoded in [
        ("md5", "md5$%s$%s" % (salt, salted5)), ("md5-upper", "md5$%s$%s" % (salt, salted5.upper())), ("sha1", "sha1$%s$%s" % (salt, salted1)), ("unsalted-md5", m5),
        ("unsalted-md5-prefixed", "md5$$" + m5), ("unsalted-md5-upper", m5.upper()), ("unsalted-sha1", "sha1$$" + s1), ("unsalted-sha1-upper", "sha1$$" + s1.upper()),
        ("bare-sha1", s1), ("md5-extra", "md5$%s$%s$x" % (salt, salted5)), ("md5-short", "md5$" + salt), ("md5-none", "md5"), ("crypt", "crypt$$ab01FAX.bQRSU"), ("empty", ""),
        ("bang", "!"), ("bang40", "!" + rng.text(40)), ("bang-good", "!md5$%s$%s" % (salt, salted5)), ("plain", password), ("dollar", "$"), ("dollars", "$$$$"), ("space", " "),
        ("32chars", rng.text(32)), ("unknown", "foo$bar$baz"), ("null", "None"), ("argon2-only", "argon2"), ("bcrypt-only", "bcrypt$"), ("scrypt-only", "scrypt$"), ("unicode", "пароль"),
        ("old-pbkdf2-django-1.4", "pbkdf2_sha256$10000$abcdefghijkl$" + base64.b64encode(b"\x01" * 32).decode()), ("37chars", "md5$$" + rng.text(32)), ("46chars", "sha1$$" + rng.text(40)),
        ("md5-uni-salt", "md5$é$" + md5(("é" + password).encode()).hexdigest()), ("sha1-short", "sha1$" + salt), ("sha1-none", "sha1"), ("crypt-short", "crypt$$ab"), ("crypt-none", "crypt"),
    ]:
        add(corpus, "legacy/" + tag, password, encoded, "MD5PasswordHasher")
    for encoded in unusable:
        add(corpus, "unusable/generated", encoded, encoded, "Argon2PasswordHasher")


def must_update(corpus, rng):
    pb, md, ar, bc = "PBKDF2PasswordHasher", "MD5PasswordHasher", "Argon2PasswordHasher", "BCryptSHA256PasswordHasher"
    default = getattr(hashers, pb).iterations
    cases = []
    for n in (1, 11, 12, 20, 21, 22, 23, 64):
        cases.append((pb, getattr(hashers, pb)().encode("x", rng.text(n), default if n in (21, 22) else 5)))
        cases.append((md, getattr(hashers, md)().encode("x", rng.text(n))))
    cases.append((pb, getattr(hashers, pb)().encode("x", rng.text(22), default + 1)))
    for hash_len, salt, t, m, p in [(32, 22, 2, 102400, 8), (16, 22, 2, 102400, 8), (32, 12, 2, 102400, 8), (32, 22, 1, 102400, 8), (32, 22, 2, 102400, 4), (16, 12, 2, 512, 2)]:
        for kind in (low_level.Type.ID, low_level.Type.I):
            cases.append((ar, "argon2" + low_level.hash_secret(b"x", rng.text(salt).encode(), time_cost=t, memory_cost=m, parallelism=p, hash_len=hash_len, type=kind).decode()))
    for rounds in (4, 11, 12, 13):
        # The rule reads the text alone: one real hash, relabelled, spares the time.
        cases.append((bc, getattr(hashers, bc)().encode("x", bcrypt_salt(rng, 4)).replace("$04$", "$%02d$" % rounds)))
    if "ScryptPasswordHasher" in available():
        sc = getattr(hashers, "ScryptPasswordHasher")
        for n, r, p, length in [(sc.work_factor, 8, sc.parallelism, 22), (64, 8, sc.parallelism, 22), (sc.work_factor, 4, sc.parallelism, 22), (sc.work_factor, 8, 2, 22), (sc.work_factor, 8, sc.parallelism, 5)]:
            cases.append(("ScryptPasswordHasher", sc().encode("x", rng.text(length), n, r, p)))
    for name, encoded in cases:
        more = {"default_iterations": default} if name in (pb, ar, bc, md) else {}
        with site(PASSWORD_HASHERS=preferring(name)):
            corpus.add("must_update", encoded=encoded, preferred=name, **more, expected=must_update_of(encoded))


def defaults(corpus):
    from django.conf import global_settings

    a = hashers.Argon2PasswordHasher
    s = getattr(hashers, "ScryptPasswordHasher", None)
    corpus.add("hasher_defaults", expected={
        "pbkdf2_iterations": hashers.PBKDF2PasswordHasher.iterations,
        "preferred_salt_len": len(hashers.PBKDF2PasswordHasher().salt()),
        "argon2": [a.time_cost, a.memory_cost, a.parallelism],
        "bcrypt_rounds": hashers.BCryptSHA256PasswordHasher.rounds,
        "scrypt": [s.work_factor, s.block_size, s.parallelism] if s else None,
        "algorithms": algorithms(),
        "default_setting": [import_string(path).__name__ for path in global_settings.PASSWORD_HASHERS],
    })


def validation(corpus, rng):
    people = [{"username": "joe_smith", "first_name": "Joe", "last_name": "Smith", "email": "joe.smith@example.com"}]
    for _ in range(2):
        people.append({"username": rng.text(8), "first_name": rng.text(5), "last_name": rng.text(7), "email": rng.text(6) + "@example.org"})
    people.append({"username": "żółć_ł", "first_name": "Łucja", "last_name": "", "email": ""})
    for person in people:
        name, first, last, email = (person[k] for k in ("username", "first_name", "last_name", "email"))
        tries = [
            name, name + "1", name[::-1], email, email.partition("@")[0], "example", "example.com1", "password", "PASSWORD ", "12345678", "1234567", "１２３４５６７８", "²" * 8, "letmein",
            "qwertyuiop", "correct horse battery staple", "", "é" * 8, "😀" * 4, "😀" * 8, first + last + "99", first * 3, "a" * 30, name * 20, "00000000", " password", "iloveyou1", rng.text(12),
            last + rng.text(3), last.upper() + "x", "".join(rng.sample(name, len(name))), rng.flip(name) + rng.text(1), name.upper(), "٣" * 8, "①" * 8, "Ⅷ" * 8, "ſuperman", "PASSWORD\u00a0",
        ]
        tries += [rng.text(rng.randint(1, 6), name + first + last or "abc") + rng.text(rng.randint(0, 6)) for _ in range(8)]
        for password in tries:
            try:
                validate_password(password, User(**person))
                codes = []
            except ValidationError as e:
                codes = [x.code for x in e.error_list]
            corpus.add("password_validation", password=password, user=person, expected=codes)
