"""An ordinary Django site, 2.2 to 5.2, as `startproject` makes it. What a test varies comes as JSON in SITE_SETTINGS."""

import json
import os

import django

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "urls"
ALLOWED_HOSTS = ["127.0.0.1"]
STATIC_URL = "/static/"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}

# SECRET_KEY and DATABASES, and whatever else differs: the tests name settings as Django does.
globals().update(json.loads(os.environ["SITE_SETTINGS"]))

if django.VERSION < (3, 1):
    # psycopg2 2.9 hands over a time zone that Django 2.2 does not take for UTC.
    if any("postgresql" in d["ENGINE"] for d in DATABASES.values()):  # noqa: F821
        import django.db.backends.postgresql.base as base
        import django.utils.timezone

        base.utc_tzinfo_factory = lambda offset: django.utils.timezone.utc
