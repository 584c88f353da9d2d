"""Without an extra nothing breaks: [social] has pages that are then not there, [eddsa] is speed."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.ground import ROOT

pytestmark = pytest.mark.default_user_only

_HIDE = """
import sys
from importlib.machinery import PathFinder

class Hiding(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            return None
        return PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Hiding
"""
_LOOK = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
os.environ["DATABASE_URL"] = "sqlite://:memory:"
import django
django.setup()
from django.contrib import admin
from django.core.management import call_command
from django.test import Client
from django.urls import NoReverseMatch, reverse
from authkit.models import SocialAccount, SocialProvider
call_command("check", fail_level="WARNING")
call_command("migrate", verbosity=0)
assert Client().get("/auth/session/").status_code == 200
assert Client().get("/auth/social/").status_code == 404
try:
    reverse("authkit:social")
except NoReverseMatch:
    pass
else:
    raise AssertionError
assert not admin.site.is_registered(SocialProvider)
assert not admin.site.is_registered(SocialAccount)
call_command("authkit", "prune")
call_command("authkit", "keys", "reencrypt")
assert not {"social_core", "social_django", "requests"} & set(sys.modules)
"""


_LOOK_AT_EDDSA = """
import os
import sys
os.environ["DATABASE_URL"] = "sqlite://:memory:"
import pytest
from authkit.kernel import ed25519, keys
from tests.kernel import edwards
from tests.kernel.some_keys import pem_of
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
assert "nacl" not in sys.modules
private = Ed25519PrivateKey.generate()
check = keys.prepare("EdDSA", pem_of(private)).verifying.check
assert check(b"message", private.sign(b"message"))
assert not check(b"another", private.sign(b"message"))
# OpenSSL takes this one of the holder of a key, libsodium does not.
assert check(b"message", edwards.sign_with(edwards.NEUTRAL, private, b"message"))
files = ["tests/kernel/test_jws.py", "tests/kernel/test_jws_attacks.py", "tests/jwt"]
code = pytest.main(["-q", "-p", "no:cacheprovider", "-k", "EdDSA", *files])
assert not [name for name in sys.modules if name.partition(".")[0] == "nacl"]
sys.exit(code)
"""


def test_without_the_extra_social_everything_else_works():
    hidden = {"social_core", "social_django", "requests", "certifi"}
    done = _run_without(hidden, _LOOK)
    assert done.returncode == 0, done.stderr


def test_without_the_extra_eddsa_openssl_checks_all_the_same():
    done = _run_without({"nacl"}, _LOOK_AT_EDDSA)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"[1-9]\d* passed", done.stdout)


def _run_without(hidden: set[str], look: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"HIDDEN = {hidden!r}\n{_HIDE}{look}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
