"""Whether a request was sent by a page of this site: for handlers that change something (cross-site request forgery)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def same_origin(headers: Iterable[tuple[bytes, bytes]], host: str, public_origins: Iterable[str] = ()) -> bool:
    """Whether Origin and Sec-Fetch-Site say so.

    A browser sends both with whatever is not GET or HEAD; who sends neither is
    no browser and has nobody else's cookies. With public_origins, such as
    https://example.com, Origin must be one of them; without, its host must be
    that of the request. Give Django's CSRF token a look as well where forms
    without JavaScript are taken.
    """
    origins = [v for n, v in headers if n.lower() == b"origin"]
    sites = [v for n, v in headers if n.lower() == b"sec-fetch-site"]
    if len(origins) > 1 or len(sites) > 1 or sites and sites[0] not in (b"same-origin", b"none"):
        return False
    if not origins:
        return True
    came = _split(origins[0].decode("latin-1"))
    if came is None:
        return False
    public = [_split(o) for o in public_origins]
    if public:
        return came in public
    here = _split(f"{came[0]}://{host}")
    return here is not None and came == here


def _split(origin: str) -> tuple[str, str, int] | None:
    try:
        u = urlsplit(origin)
        port = u.port
    except ValueError:
        return None
    if u.scheme not in _PORTS or not u.hostname or u.path or u.query or u.fragment or u.username is not None:
        return None
    return u.scheme, u.hostname, port or _PORTS[u.scheme]
