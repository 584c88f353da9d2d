"""Settings of the servers that the races run against: the test run's, and a few more."""

import json
import os

import django

from tests import settings as usual
from tests.settings import *  # noqa: F403

AUTHKIT = {**usual.AUTHKIT, **json.loads(os.environ.get("AUTHKIT_OF_RACES", "{}"))}
CACHES = json.loads(os.environ.get("CACHES_OF_RACES", "{}"))
CACHES.setdefault("default", {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"})
ROOT_URLCONF = "tests.races.urls"
MIDDLEWARE = ["tests.races.urls.name_the_worker", *usual.MIDDLEWARE]

database = usual.DATABASES["default"]
database["CONN_MAX_AGE"] = None
if database["ENGINE"].endswith("sqlite3"):
    database["OPTIONS"] = {"timeout": 20}
    if os.environ.get("SQLITE_OF_RACES") != "as it comes":
        database["OPTIONS"] |= {
            "init_command": "PRAGMA journal_mode = WAL",
            "transaction_mode": "IMMEDIATE",
        }

_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": _BACKEND}}
else:
    EMAIL_BACKEND = _BACKEND

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "ERROR"},
    "loggers": {"django": {"handlers": [], "level": "ERROR"}},
}
