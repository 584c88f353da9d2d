"""What people install."""

from __future__ import annotations

import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

import authkit
from tests.ground import ROOT

builders = pytest.importorskip("hatchling.builders.wheel", reason="hatchling builds the wheel")

pytestmark = pytest.mark.default_user_only


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    builder = builders.WheelBuilder(str(ROOT))
    (path,) = builder.build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"])
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return message_from_string(wheel.read(name).decode())


def test_the_wheel_holds_every_file_of_the_package(wheel):
    package = ROOT / "authkit"
    held = {name for name in wheel.namelist() if name.startswith("authkit/")}
    written = {str(path.relative_to(ROOT)) for path in package.rglob("*") if _is_kept(path)}
    assert held == written


def _is_kept(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def test_the_wheel_is_typed_and_brings_its_migrations(wheel):
    assert {"authkit/py.typed", "authkit/migrations/0001_initial.py"} <= set(wheel.namelist())


def test_the_wheel_brings_german(wheel):
    catalogues = {f"authkit/locale/de/LC_MESSAGES/django.{kind}" for kind in ("po", "mo")}
    assert catalogues <= set(wheel.namelist())


def test_the_wheel_brings_nothing_but_the_package(wheel):
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert tops == {"authkit", f"django_authkit-{authkit.__version__}.dist-info"}


def test_the_wheel_tells_its_name_version_and_licence(metadata):
    told = (metadata["Name"], metadata["Version"], metadata["License-Expression"])
    assert told == ("django-authkit", authkit.__version__, "MIT")


def test_the_wheel_asks_for_no_package_of_an_extra(metadata):
    required = [text for text in metadata.get_all("Requires-Dist", []) if "extra ==" not in text]
    assert {text.split(">")[0] for text in required} == {
        "argon2-cffi",
        "cryptography",
        "django",
        "djangorestframework",
        "djangorestframework-simplejwt",
        "pyjwt",
    }
