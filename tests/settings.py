"""Settings of the test run.

`DATABASE_URL` picks the database (SQLite in memory without it), `AUTHKIT_TEST_USER_MODEL`
one of the user models below.
"""

import os
from typing import Any

import dj_database_url

#: name -> (the app that brings it, AUTH_USER_MODEL)
USER_MODELS = {
    "default": ("tests.user_models.default", "auth.User"),
    "uuid": ("tests.user_models.uuid_user", "uuid_user.User"),
    "email": ("tests.user_models.email_user", "email_user.User"),
    "told": ("tests.user_models.told_user", "told_user.User"),
}
USER_MODEL = os.environ.get("AUTHKIT_TEST_USER_MODEL") or "default"

_user_app, AUTH_USER_MODEL = USER_MODELS[USER_MODEL]
#: The demo is made for Django's own user model.
_demo_apps = ["demo_project.articles", "demo_project.showcase"] if USER_MODEL == "default" else []

SECRET_KEY = "a key of the test run, long enough for every check, and no secret at all"
USE_TZ = True
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]
ROOT_URLCONF = "tests.urls"
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "authkit",
    "tests.letters",
    "tests.other_names",
    _user_app,
    *_demo_apps,
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "authkit.middleware.AuthkitMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

AUTHENTICATION_BACKENDS = ["authkit.backends.AuthkitBackend"]

# Weak on purpose: a real hash costs a third of a second. What is about hashing overrides it.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.Argon2PasswordHasher",
]

# Nobody waits for a refusal. What is about time, or is about other settings, overrides it.
AUTHKIT = {"REFUSAL_TIME": 0}

# Django 6.1 asks for it; 5.2 knows EMAIL_BACKEND alone, which the test run sets by itself.
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "authkit.authentication.JWTAuthentication",
        "authkit.authentication.TokenAuthentication",
        "authkit.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["authkit.permissions.EndpointPermission"],
    "DEFAULT_FILTER_BACKENDS": ["authkit.filters.AccessFilterBackend"],
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


def _database(url: str) -> dict[str, Any]:
    database: dict[str, Any] = {**dj_database_url.parse(url)}
    if database["ENGINE"].endswith("mysql"):
        database["OPTIONS"] = {"charset": "utf8mb4", **database.get("OPTIONS", {})}
        database["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_general_ci"}
    if database["ENGINE"].endswith("postgresql"):
        # No test breaks the server's power supply; waiting for its disk proves nothing.
        options = {"options": "-c synchronous_commit=off"}
        database["OPTIONS"] = {**options, **database.get("OPTIONS", {})}
    return database


DATABASES = {"default": _database(os.environ.get("DATABASE_URL") or "sqlite://:memory:")}
