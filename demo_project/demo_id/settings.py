"""Settings of Demo ID.

From the environment:
    DEMO_ID_DATABASE   a file for SQLite; default: demo_id.sqlite3 beside the demo's. Whoever
                       keeps it deletes it after an upgrade of django-oauth-toolkit
"""

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

BASE_DIR = Path(__file__).resolve().parents[2]

DEBUG = False
SECRET_KEY = secrets.token_urlsafe(48)  # whoever is signed in here signs in again after a restart
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "demo_project.demo_id.urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "oauth2_provider",
    "demo_project.demo_id",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ],
        },
    },
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DEMO_ID_DATABASE") or BASE_DIR / "demo_id.sqlite3",
        "OPTIONS": {"init_command": "PRAGMA journal_mode = WAL", "timeout": 20},
    }
}
# `make demo` throws it away in the end: no history to go through, tables as the models are now.
MIGRATION_MODULES = {app.rpartition(".")[2]: None for app in INSTALLED_APPS}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = [
    "authkit.hashers.Argon2idPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
USE_TZ = True
LOGIN_URL = "login"

# Both servers are at 127.0.0.1, and cookies know no ports: the same names would clash.
SESSION_COOKIE_NAME = "demo_id_session"
CSRF_COOKIE_NAME = "demo_id_csrf"

_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OAUTH2_PROVIDER = {
    "OIDC_ENABLED": True,
    "OIDC_RSA_PRIVATE_KEY": _KEY.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    ).decode(),
    "OAUTH2_VALIDATOR_CLASS": "demo_project.demo_id.claims.Validator",
    "PKCE_REQUIRED": True,
    "SCOPES": {
        "openid": "know that it is you",
        "profile": "see your name",
        "email": "see your e-mail address",
    },
}
