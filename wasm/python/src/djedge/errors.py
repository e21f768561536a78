"""What can go wrong. None of these ever holds a password, a hash, a key or a session key."""

from __future__ import annotations

MESSAGES = {
    "bad_credentials": "Bad username or password",
    "user_inactive": "User isn't active",
    "already_authenticated": "Log out first",
    "not_authenticated": "Log in first",
    "username_taken": "The username is already in use",
    "username_invalid": "The username may hold up to 150 letters, digits and @/./+/-/_ only",
    "origin_mismatch": "The request comes from another site",
    "cross_site": "The request comes from another site",
    "host_not_loopback": "The host of the request is not this machine",
    "password_empty": "The password is empty",
    "password_invalid": "The password is empty or too long",
    "password_weak": "The password is too weak",
    "session_deleted": "The session has ended meanwhile",
}


class Error(Exception):
    """Of all errors of this package."""

    status = 500
    reason = "internal"

    @property
    def message(self) -> str:
        """What a client may be told."""
        return "Internal server error"


class ConfigurationError(Error):
    """A setting is wrong; the text says which."""


class Unavailable(Error):
    """It could not be decided, so nobody was let in: the database is away, too many passwords are being hashed, ... (503)."""

    status = 503

    def __init__(self, reason: str = "internal", detail: str = ""):
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason

    @property
    def message(self) -> str:
        return "Service unavailable"


class Denied(Error):
    """It was refused. reason says why (docs/abi.md lists them), and status fits HTTP."""

    def __init__(self, status: int, reason: str, text: str = "", detail: str = ""):
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.status, self.reason, self.text = status, reason, text

    @property
    def message(self) -> str:
        """What a client may be told: of a weak password Django's own words."""
        return " ".join(self.text.split("\n")) or MESSAGES.get(self.reason) or ("Log in first" if self.status == 401 else "Forbidden")
