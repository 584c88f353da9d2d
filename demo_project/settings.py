"""Settings of the demo project. Everything that authkit needs is marked with "authkit".

From the environment:
    DATABASE_URL   another database than SQLite, such as postgres://user:password@host/name
    DEBUG          "0" for anything but a demonstration; SECRET_KEY is then needed
    SECRET_KEY     any long random text
"""

import os
from pathlib import Path

import dj_database_url
import django
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent


def _is_on(name: str, *, default: bool) -> bool:
    text = os.environ.get(name, "").strip().lower()
    if text in {"", "1", "true", "yes", "on"}:
        return bool(text) or default
    if text in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is neither on (1) nor off (0).")


def _secret_key() -> str:
    key = os.environ.get("SECRET_KEY", "")
    if key:
        return key
    if DEBUG:
        return "known-to-everyone-and-good-for-the-demo-on-this-machine-only"
    raise ImproperlyConfigured("With DEBUG off, set SECRET_KEY to a long random text.")


DEBUG = _is_on("DEBUG", default=True)
SECRET_KEY = _secret_key()
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "authkit",  # authkit
    "demo_project.articles",
    "demo_project.showcase",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "demo_project.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",  # the language that the browser asks for
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "authkit.middleware.AuthkitMiddleware",  # authkit, after Django's
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "demo_project.showcase.arrows.ArrowsMiddleware",
]

AUTHENTICATION_BACKENDS = ["authkit.backends.AuthkitBackend"]  # authkit

# authkit: Demo ID runs on this machine, where a real provider never is
AUTHKIT = {
    "SOCIAL_ALLOWED_NETWORKS": ["127.0.0.0/8"],
    "IMPERSONATION": True,  # root may see what others see: the link on a person's page
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [  # authkit: three ways in, each works alone too
        "authkit.authentication.JWTAuthentication",
        "authkit.authentication.TokenAuthentication",
        "authkit.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["authkit.permissions.EndpointPermission"],  # authkit
    "DEFAULT_FILTER_BACKENDS": ["authkit.filters.AccessFilterBackend"],  # authkit
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 20,
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}

ROOT_URLCONF = "demo_project.urls"
WSGI_APPLICATION = "demo_project.wsgi.application"
ASGI_APPLICATION = "demo_project.asgi.application"

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

DATABASES = {"default": dj_database_url.config(default=f"sqlite:///{BASE_DIR / 'demo.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Readers never wait; writers queue up at the start of a transaction instead of failing in it.
    DATABASES["default"]["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode = WAL",
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

PASSWORD_HASHERS = [
    "authkit.hashers.Argon2idPasswordHasher",  # authkit
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [  # authkit: its length, common ones, and words of the account
    {"NAME": "authkit.validators.GuessablePasswordValidator"},
]
LOGIN_URL = "authkit_pages:sign_in"  # authkit
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "home"

# Over plain http on this machine the browser would keep secure cookies to itself.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG

# Mails land on a page. Whoever reads them can set anybody's password: not for the world.
_mail_backend = (
    "demo_project.showcase.mails.EmailBackend"
    if DEBUG
    else "django.core.mail.backends.console.EmailBackend"
)
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": _mail_backend}}
else:
    EMAIL_BACKEND = _mail_backend

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
