"""Sections salted_hmac, signer, timestamp_signer, b62, signing_dumps, signer_fallback, http_signed_cookie."""
from django.core import signing
from django.utils.crypto import salted_hmac

from common import EMOJI, compact, outcome, plain, seeded, session_cases, site


def make(corpus):
    rng = corpus.rng("signing")
    modern = corpus.version >= (3, 1)
    salts = ["x", "ü", "django.core.signing", None]
    values = ["", "a:b:c", "é€", "😀", None, 300]
    for i in range(30):
        secret, salt = rng.secret(corpus), rng.choice(salts) or rng.text(12)
        value = rng.choice(values)
        value = rng.text(8) if value is None else rng.text(300) if value == 300 else value
        with site(SECRET_KEY=secret):
            if i < 10:
                for algorithm in ["sha1", "sha256", "sha512"] if modern else ["sha1"]:
                    kwargs = {"algorithm": algorithm} if modern else {}
                    corpus.add("salted_hmac", key_salt=salt, value=value, secret=secret, algorithm=algorithm,
                               expected=salted_hmac(salt, value, **kwargs).hexdigest())
            corpus.add("signer", value=value, secret=secret, salt=salt, algorithm="sha256" if modern else "sha1",
                       expected=signing.Signer(salt=salt).sign(value))
            timestamps(corpus, rng, i, value, secret, salt)
    b62(corpus, rng)
    dumps(corpus, rng)
    if corpus.version >= (4, 1):
        fallbacks(corpus, rng)
    cookies(corpus, rng)


def timestamps(corpus, rng, i, value, secret, salt):
    made = rng.randint(1650000000, 1850000000)
    signer = signing.TimestampSigner(salt=salt)
    with corpus.clock.at(made):
        signed = signer.sign(value)
    looks = [(made, None)]
    if i < 6:
        looks += [(made + 100, 100), (made + 101, 100), (made + 99.9, 100), (made, 0), (made + 1, 0), (made - 50, 10), (made + 100.5, 100)]
    for now, max_age in looks:
        with corpus.clock.at(now):
            expected = outcome(lambda: signer.unsign(signed, max_age=max_age), "value")
        corpus.add("timestamp_signer", value=value, secret=secret, salt=salt, signed=signed, timestamp=made, now=now,
                   max_age=max_age, expected=expected)


def b62(corpus, rng):
    if hasattr(signing, "b62_encode"):
        encode, decode = signing.b62_encode, signing.b62_decode
    else:
        encode, decode = signing.baseconv.base62.encode, signing.baseconv.base62.decode
    fixed = [0, 1, 9, 10, 35, 36, 61, 62, 63, 3843, 3844, 2**31, 2**32, 1748417998, 10**12]
    for n in fixed + [rng.randint(0, 10**12) for _ in range(8)]:
        text = encode(n)
        if int(decode(text)) != n:
            raise AssertionError(n)
        corpus.add("b62", value=n, expected=str(text))


def dumps(corpus, rng):
    for i, (name, value) in enumerate(session_cases(rng)):
        secret, salt = rng.secret(corpus, i), "t." + name
        for compress in (False, True):
            dump(corpus, name, value, secret, salt, compress, 1748417998 + 1000 * i)
    for value in ["hello", 5, 1.5, None, [1, 2], "é", True, rng.choice(EMOJI), -0.0]:
        dump(corpus, "scalar", value, rng.secret(corpus), "t.scalar", False, 1748417998)


def dump(corpus, tag, value, secret, salt, compress, now):
    with site(SECRET_KEY=secret), corpus.clock.at(now):
        signed = signing.dumps(value, salt=salt, compress=compress)
        back = signing.loads(signed, salt=salt)
    fields = dict(tag=tag, secret=secret, salt=salt, compress=compress, compressed=signed.startswith("."), timestamp=now,
                  signed=signed, expected_json=compact(back))
    if plain(back):
        fields["expected"] = back
    corpus.add("signing_dumps", json_equals_expected=compact(value) == compact(back), **fields)


def fallbacks(corpus, rng):
    for _ in range(8):
        old, new, other, value = rng.text(20), rng.text(20), rng.text(20), rng.text(6)
        with site(SECRET_KEY=old):
            signed = signing.Signer(salt="s").sign(value)
        for tag, keys in [("hit", [old]), ("hit2", [other, old]), ("miss", [other]), ("none", [])]:
            with site(SECRET_KEY=new, SECRET_KEY_FALLBACKS=keys):
                corpus.add("signer_fallback", tag=tag, signed=signed, secret=new, fallbacks=keys, salt="s",
                           expected=outcome(lambda: signing.Signer(salt="s").unsign(signed), "value"))


def cookies(corpus, rng):
    from django.http import HttpResponse

    for name, salt, value in [("c", "", "v"), ("prefs", "abc", rng.text(8)), ("ab", "c", "x"), ("a", "bc", "x"), ("uni", "ü", "a:b")]:
        with site(SECRET_KEY=corpus.default_secret), seeded(rng):
            response = HttpResponse()
            response.set_signed_cookie(name, value, salt=salt)
        corpus.add("http_signed_cookie", cookie_name=name, salt=salt, value=value, secret=corpus.default_secret,
                   timestamp=int(corpus.clock.now), expected=response.cookies[name].value)
