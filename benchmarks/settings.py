"""Settings of the benchmarks: authkit and its peers, side by side in one project."""

import os
from datetime import timedelta

from benchmarks.databases import configuration_of
from benchmarks.keys import MATERIAL

SECRET_KEY = "a key of the benchmarks, long enough for every check, and no secret at all"
USE_TZ = True
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "benchmarks.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework",
    "rest_framework.authtoken",
    "rest_framework_simplejwt.token_blacklist",
    "knox",
    "authkit",
]

# Each contender says which middleware it needs: see requests.py.
MIDDLEWARE: list[str] = []

# The first is Django's own, for its own session; the second is authkit's.
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "authkit.backends.AuthkitBackend",
]
PASSWORD_HASHERS = ["benchmarks.hashing.ClockedArgon2PasswordHasher"]

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
}

# One key of each algorithm. The tokens live longer than the longest run.
AUTHKIT = {
    # Authentication alone is measured, and the doors of the peers are open.
    "UNGOVERNED_VIEWS": ["authkit.", "benchmarks.", "rest_framework.", "rest_framework_simplejwt."],
    "ACCESS_TOKEN_LIFETIME": timedelta(hours=1),
    "JWT_SIGNING_KEYS": [{"alg": alg, "key": pair.private} for alg, pair in MATERIAL.items()],
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(hours=1),
    "SIGNING_KEY": MATERIAL["HS256"].private,
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
}

# A connection stays open from request to request, as in a worker that means to be quick.
DATABASES = {
    "default": configuration_of(
        os.environ["AUTHKIT_BENCHMARK_DATABASE"],
        prepared=os.environ.get("AUTHKIT_BENCHMARK_PREPARES", ""),
    )
}
