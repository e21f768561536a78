"""Sections csrf_mask, csrf_match, csrf_request, redirect, redirect_to_login, login_required."""
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse
from django.middleware import csrf
from django.test import RequestFactory
from django.utils import http

from common import outcome, python_version, seeded, site


def make(corpus):
    rng = corpus.rng("csrf")
    masks(corpus, rng)
    csrf_request(corpus, corpus.rng("csrf_request"))
    redirects(corpus, corpus.rng("redirect"))
    logins(corpus, corpus.rng("login_required"))


# The names of the two functions changed over the years.
mask = getattr(csrf, "_mask_cipher_secret", None) or csrf._salt_cipher_secret
unmask = getattr(csrf, "_unmask_cipher_token", None) or csrf._unsalt_cipher_token


def matches(token, secret):
    """Whether the middleware takes this token for this cookie; before 4.1 both are brought to the same form first."""
    if hasattr(csrf, "_does_token_match"):
        return csrf._does_token_match(token, secret)
    compare = getattr(csrf, "_compare_masked_tokens", None) or csrf._compare_salted_tokens
    return compare(csrf._sanitize_token(token), csrf._sanitize_token(secret))


def masks(corpus, rng):
    with seeded(rng):
        for _ in range(25):
            secret = rng.text(32)
            token = mask(secret)
            corpus.add("csrf_mask", secret=secret, token=token, expected_unmasked=unmask(token))
        for _ in range(6):
            secret = rng.text(32)
            token = mask(secret)
            for tag, t in [("masked", token), ("unmasked", secret), ("wrong", mask(rng.text(32))), ("flip", rng.flip(token)), ("flip-mask", rng.flip(token[:32]) + token[32:]), ("case", token.swapcase())]:
                corpus.add("csrf_match", tag=tag, token=t, secret=secret, expected=matches(t, secret))
                if tag == "masked":  # the cookie of Django before 4.1 holds another mask of the secret
                    corpus.add("csrf_match", tag="cookie-masked", token=t, secret=secret, expected=matches(t, mask(secret) if corpus.version < (4, 1) else secret))


class Middleware(csrf.CsrfViewMiddleware):
    def _reject(self, request, reason):
        self.reason = reason
        return super()._reject(request, reason)


def csrf_request(corpus, rng):
    secret, wrong = rng.text(32), rng.text(32)
    with seeded(rng):
        token, token2, bad = mask(secret), mask(secret), mask(wrong)
        cookie = secret if corpus.version >= (4, 1) else mask(secret)
    trusted = ["https://*.trusted.org", "https://exact.net"] if corpus.version >= (4, 0) else [".trusted.org", "exact.net"]

    def ask(tag, method="POST", secure=False, host="example.com", cookie=cookie, post=None, header=None, origin=None, referer=None, port=None, trusted=(), domain=None):
        settings = {"CSRF_TRUSTED_ORIGINS": list(trusted), "CSRF_COOKIE_DOMAIN": domain, "ALLOWED_HOSTS": ["example.com", ".example.com", "testserver"]}
        meta = {"HTTP_HOST": host}
        for name, value in [("HTTP_X_CSRFTOKEN", header), ("HTTP_ORIGIN", origin), ("HTTP_REFERER", referer), ("SERVER_PORT", port)]:
            if value is not None:
                meta[name] = value
        with site(SECRET_KEY=corpus.default_secret, **settings), seeded(rng):
            body = "" if post is None else urlencode({"csrfmiddlewaretoken": post})
            request = RequestFactory().generic(method, "/", body, content_type="application/x-www-form-urlencoded", secure=secure, **meta)
            if cookie is not None:
                request.COOKIES["csrftoken"] = cookie
            middleware = Middleware(lambda r: HttpResponse())

            def run():
                if hasattr(middleware, "process_request"):
                    middleware.process_request(request)
                rejected = middleware.process_view(request, lambda r: None, (), {})
                return {"ok": rejected is None, "reason": None if rejected is None else str(middleware.reason)}

            expected = outcome(run)
        more = {"may_refuse": "Django itself fails; any refusal will do"} if "error" in expected else {}
        corpus.add("csrf_request", tag=tag, **more, method=method, secure=secure, host=host, cookie=cookie, post=post, header=header, origin=origin, referer=referer, settings=settings, port=port, expected=expected)

    for method in ["GET", "HEAD", "OPTIONS", "TRACE", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "get", "post"]:
        ask("method", method, cookie=None)
        ask("method+token", method, header=token)
    ask("ok-post", post=token)
    ask("ok-header", header=token2)
    ask("ok-unmasked-header", header=secret)
    ask("ok-unmasked-post", post=secret)
    ask("ok-old-masked-cookie", cookie=token, post=token2)
    ask("plain-cookie", cookie=secret, post=token2)
    ask("same-masked", cookie=token, header=token)
    ask("post-wins", post="x" * 64, header=token)
    ask("empty-post-falls-to-header", post="", header=token)
    ask("no-cookie", cookie=None, post=token)
    ask("no-token")
    ask("bad-len-cookie", cookie=secret[:-1], post=token)
    ask("bad-chars-cookie", cookie=secret[:-1] + "-", post=token)
    ask("empty-cookie", cookie="", post=token)
    ask("bad-len-token", post=token[:-1])
    ask("bad-chars-token", post=token[:-1] + "-")
    ask("wrong-token", post=bad)
    ask("case", post=token.swapcase())
    ask("put-ignores-post", "PUT", post=token)
    ask("unicode-token", post="é" * 32)
    ask("token-with-space", header=token + " ")
    for origin in ["http://example.com", "https://example.com", "http://example.com:80", "http://EXAMPLE.com", "null", "", "http://evil.com", "http://example.com.evil.com", "http://sub.example.com",
                   "http://example.com/", "http://[::1", "example.com", "https://example.com:443", "HTTPS://example.com", " https://example.com", "https://user@example.com"]:
        ask("origin-http", header=token, origin=origin)
        ask("origin-https", secure=True, header=token, origin=origin)
    for host in ["https://foo.trusted.org", "https://trusted.org", "http://foo.trusted.org", "https://a.b.trusted.org", "https://eviltrusted.org", "https://exact.net", "https://exact.net:8443", "https://FOO.trusted.org",
                 "https://foo.trusted.org:444", "https://.trusted.org", "https://foo.exact.net", "https://trusted.org.evil.com", "https://foo.TRUSTED.org"]:
        ask("origin-trusted", secure=True, header=token, origin=host, trusted=trusted)
        ask("referer-trusted", secure=True, header=token, referer=host + "/p", trusted=trusted)
    for referer in [None, "https://example.com/", "https://example.com", "http://example.com/", "https://evil.com/", "https://example.com.evil.com/", "https://sub.example.com/", "", "//example.com/", "https:///x",
                    "https://example.com:443/", "https://[::1/", "https://EXAMPLE.com/", "https://user@example.com/", "about:blank", "https://example.com\\@evil.com/", "https://example.com?x", "https://example.com#x",
                    "https://exa\tmple.com/", " https://example.com/", "https://example\u3002com/", "https://example.com:x/"]:
        ask("referer", secure=True, header=token, referer=referer)
        ask("referer-cookie-domain", secure=True, header=token, referer=referer, domain=".example.com")
    ask("referer-port", secure=True, host="example.com:8443", port="8443", header=token, referer="https://example.com:8443/x")
    ask("referer-port-missing", secure=True, host="example.com:8443", port="8443", header=token, referer="https://example.com/x")
    ask("referer-port-cookie-domain", secure=True, host="example.com:8443", port="8443", header=token, referer="https://a.example.com:8443/x", domain=".example.com")
    ask("origin-port", secure=True, host="example.com:8443", port="8443", header=token, origin="https://example.com:8443")
    ask("bad-host", secure=True, host="bad.host", header=token, origin="https://bad.host")
    ask("bad-host-ref", secure=True, host="bad.host", header=token, referer="https://bad.host/")
    ask("http-referer-not-checked", header=token, referer="http://evil.com/")
    ask("origin-ok-referer-bad", secure=True, header=token, origin="https://example.com", referer="https://evil.com/")


REDIRECTS = [
    '', ' ', None, '/', '/a', '/a?b=c#d', 'a', 'a/b', '?q=1', '#x', '//', '///', '////x', '//example.com', '//example.com/a', '//evil.com',
    '///evil.com', '/\\evil.com', '\\\\evil.com', '\\/evil.com', '/\\/evil.com', '\\\\\\evil.com', 'http://example.com', 'https://example.com/',
    'http://evil.com', 'https://evil.com/?next=example.com', 'http:example.com', 'http:/example.com', 'http:///example.com', 'https:///evil.com',
    'http:////evil.com', 'HTTP://EXAMPLE.COM/', 'http://example.com:80', 'http://example.com:8000', 'http://user@example.com',
    'http://example.com@evil.com', 'http://example.com\\@evil.com', 'http://evil.com\\@example.com', 'http://evil.com#@example.com',
    'http://evil.com?@example.com', 'ftp://example.com', 'javascript:alert(1)', 'JavaScript:alert(1)', 'java\tscript:alert(1)',
    '\tjavascript:alert(1)', 'data:text/html,x', 'mailto:a@b', 'blob:http://example.com/x', '\x00/a', '\x08//evil.com', '\x1f/a', ' /a', '/a ',
    '\n//evil.com', '/\n/evil.com', '/\t/evil.com', '\r/evil.com', '//evil.com\\..', '/%2Fevil.com', '/%5cevil.com', '%2F%2Fevil.com', '/a//b', '/./a',
    '/../a', '/a\\b', 'http://[::1]/', 'http://[::1', 'http://]/', '//[::1', 'http://ex ample.com', 'http://ex\xe4mple.com', 'http://example\u3002com',
    '//example.com\u2044x', 'http://example.com\uff0fevil.com', '//\uff45xample.com', '/\u2028a', '\u200b//evil.com', '\ufeff//evil.com',
    '\xa0//evil.com', '\u3000/a', '//example.com:', '//:80', '//@example.com', '///example.com/a', 'http:\\\\evil.com', 'https:evil.com',
    'https:/\\evil.com', 'x:y', 'x://example.com', '://evil.com', ':80', ':foo', '1http://evil.com', 'http//evil.com',
    '/accounts/login/?next=//evil.com', '/\xe9', '/\U0001f600', '?next=http://evil.com', ';//evil.com', './evil.com', '../x', '&//evil.com',
    'http://testserver/x', '//testserver', 'https://testserver:443/', 'http://example.com.', 'http://.example.com', 'http://example.com%00.evil.com',
    'http://example.com\x00.evil.com', 'http://example.com\t.evil.com', 'http://exa\nmple.com', 'http://127.0.0.1', '//127.0.0.1:80/',
    'http://2130706433/', 'file:///etc/passwd', 'about:blank', 'vbscript:x', 'view-source:http://example.com',
    "//example.com\\@evil.com", "https://example.com\\.evil.com", "http://example.com:80:80", "http://[fe80::1%25en0]/", "http://[::ffff:1.2.3.4]/", "http://[v1.a]/", "http://[example.com]/", "http://example.com]/", "//[", "//]", "//[]",
    "http://exa[mple.com", "http://example.com?\\\\evil.com", "http://example.com#//evil.com", "h\u0442tp://example.com", "http\u200b://example.com", "\u2028//evil.com", "\u001c//evil.com", "\u0085/a", "\u00ad/a", "\ue000/a", "/\ud7ff",
    "http://\u2100", "http://a\u2100b", "//\u2048", "//\u2047@example.com", "//\uff20example.com", "//example.com\uff1a80", "//e\u0300", "http://example.com%2f@evil.com", "http:/\\/example.com", "https+x://example.com", "h-t.t+p://example.com",
    "-http://example.com", "+x:", "a:b//c", "9:", "http:///", "http:////", "https:\\", "https:\\\\example.com", "https:\\\\\\example.com", "\t//evil.com", "/\r/evil.com", "h\nttps://evil.com", "htt\tp:example.com",
]


def redirects(corpus, rng):
    check = getattr(http, "url_has_allowed_host_and_scheme", None) or http.is_safe_url
    hosts = ["example.com", "testserver"]
    urls = REDIRECTS + ["/" + "a" * n for n in (2047, 2048)] + ["http://example.com/" + "a" * 2040, "/" + "😀" * 2047, "/" + "😀" * 2048]
    parts = ["/", "\\", ":", "http:", "https:", "//", "example.com", "evil.com", "@", "?", "#", " ", "\t", "\x0b", ".", "a", "%2f", "[", "]", "\u3000", "\u200b", "é", "\uff0f", "80", "\x00", "\n", "\u2028", "HTTP:"]
    urls += ["".join(rng.choice(parts) for _ in range(rng.randint(1, 7))) for _ in range(150)]
    for i, url in enumerate(urls):
        looks = [(hosts, False), (hosts, True)]
        if i % 7 == 0:
            looks.append(([], False))
        for allowed, require in looks:
            expected = outcome(lambda: check(url, allowed_hosts=set(allowed), require_https=require), "ok")
            more = {}
            if expected == {"ok": True} and corpus.version < (5, 0) and (len(url) > 2048 or any(c in url for c in "\t\r\n")):
                more["may_refuse"] = "later releases refuse it: browsers drop these characters, and a limit of 2048 spares the parser"
            corpus.add("redirect", url=url, allowed_hosts=allowed, require_https=require, **more, python=python_version(), expected=expected)


def logins(corpus, rng):
    for next_, url, field in [
        ("/a/?b=c&d=é e", "/login/", "next"), ("/x", "/login/?a=1", "next"), ("/x", "/login/?next=old&z=2", "next"), ("http://h/p?q=1#f", "https://sso.example.org/in", "next"), ("/x", "/login/", "return to"),
        ("/%2F//\\", "/login/#frag", "next"), ("", "/login/", "next"), ("/ä/😀", "/l", "next"), ("/a+b c", "/l;p?x", "next"), ("/x", "/login/", None), ("/x", "/login/?a=1&a=2&b=%C3%A9", "next"), ("/x", "/login/?a=b=c&&d", "next"),
        ("/x~-._!*'()", "/login/", "next"), ("/x", "//example.com/l?y", "next"), ("/" + rng.text(5), "/l/é", "next"),
    ]:
        corpus.add("redirect_to_login", next=next_, login_url=url, field=field, expected=redirect_to_login(next_, url, field).url)
    for path, host, secure, url in [
        ("/p/?a=1", "example.com", False, "/login/"), ("/p/", "example.com", True, "https://example.com/login/"), ("/p/", "example.com", False, "https://example.com/login/"),
        ("/p/?x=%20y", "example.com", True, "https://sso.example.com/"), ("/é/", "example.com:8000", False, "http://example.com:8000/l/"), ("/p/", "example.com", False, "//example.com/l/"),
        ("//evil.com/x", "example.com", False, "/login/"), ("/a//b?next=/z", "example.com", False, "/login/?k=v"), ("/p/?a=1", "example.com", True, "//example.com/l/"), ("/p/?q=é", "example.com", False, "/login/"),
    ]:
        with site(ALLOWED_HOSTS=["*"]):
            request = RequestFactory().get(path, HTTP_HOST=host, secure=secure)
            request.user = AnonymousUser()
            response = login_required(lambda r: None, login_url=url)(request)
            corpus.add("login_required", path=path, host=host, secure=secure, login_url=url, full_path=request.get_full_path(), expected=response.url)
