"""Without the extra [social] nothing changes but that its pages are not there."""

from __future__ import annotations

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
        if name.partition(".")[0] in {"social_core", "social_django", "requests", "certifi"}:
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


def test_without_the_extra_everything_else_works():
    done = subprocess.run(
        [sys.executable, "-c", _HIDE + _LOOK],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
