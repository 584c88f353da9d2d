"""The catalogues of the package, and those of the packages below it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import polib

from tests.ground import ROOT

LOCALES = ROOT / "authkit" / "locale"
LANGUAGES = sorted(path.name for path in LOCALES.iterdir() if path.is_dir())
#: Whose words stand on our pages beside our own.
BELOW = (
    "django.conf",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework",
    "rest_framework_simplejwt",
)


def source(language: str) -> Path:
    """What translators write."""
    return LOCALES / language / "LC_MESSAGES" / "django.po"


def entries(language: str) -> list[polib.POEntry]:
    """All that it says, without what is out of use."""
    return [entry for entry in polib.pofile(str(source(language))) if not entry.obsolete]


def texts_of(entry: polib.POEntry) -> list[str]:
    """The translations of an entry: one, or one for each plural form."""
    plural: dict[int, str] = entry.msgstr_plural
    return list(plural.values()) if plural else [entry.msgstr]


def key(entry: polib.POEntry) -> tuple[str | None, str]:
    """What gettext finds it by."""
    return entry.msgctxt, entry.msgid


def written_below() -> list[polib.POEntry]:
    """What Django says, translated or not: it ships the source of its English."""
    paths = [_place_of(package) / "locale/en/LC_MESSAGES/django.po" for package in BELOW]
    return [entry for path in paths if path.exists() for entry in polib.pofile(str(path))]


def below(language: str) -> list[polib.MOEntry]:
    """What the packages below say, compiled as they ship it."""
    found: list[polib.MOEntry] = []
    for package in BELOW:
        path = _place_of(package) / "locale" / language / "LC_MESSAGES" / "django.mo"
        found += polib.mofile(str(path)) if path.exists() else []
    return found


def _place_of(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent
