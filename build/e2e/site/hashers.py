from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickPBKDF2PasswordHasher(PBKDF2PasswordHasher):
    """Django's preferred hasher for tests that are about something else than the cost of hashing."""

    iterations = 20000
