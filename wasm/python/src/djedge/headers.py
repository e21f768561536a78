"""Identity headers for whatever is behind: ours and no others."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ._abi import Decision

_OTHER = re.compile(rb"[^a-z0-9]")


def spelling(name: bytes) -> bytes:
    """One form of all names that some gateway takes for the same (CVE-2025-64484)."""
    return _OTHER.sub(b"-", name.lower())


def identify(headers: Iterable[tuple[bytes, bytes]], decision: Decision) -> list[tuple[bytes, bytes]]:
    """The headers with the identity that was decided; whatever the client sent under these names, in any spelling, is gone, and Connection does not name them."""
    ours = [(name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in decision.set_headers]
    names = {spelling(name) for name, _ in ours} | {spelling(name.encode()) for name in decision.remove_headers}
    out = []
    for name, value in headers:
        if spelling(name) in names:
            continue
        if name.lower() == b"connection":
            kept = [t.strip() for t in value.split(b",") if spelling(t.strip()) not in names]
            if not kept:
                continue
            value = b", ".join(kept)
        out.append((name, value))
    return out + ours
