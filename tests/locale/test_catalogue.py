"""A translation is complete, and says with its placeholders what the original says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from gettext import GNUTranslations
from pathlib import Path

import polib
import pytest

from authkit.exceptions import AuthkitError
from tests.ground import ROOT
from tests.locale.catalogues import LANGUAGES, below, entries, key, source, texts_of

pytestmark = [
    pytest.mark.default_user_only,
    pytest.mark.parametrize("language", LANGUAGES),
]

_PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z]|%%|\{\w*\}|</?\w+[^>]*>|`[^`]+`")


def placeholders(text: str) -> list[str]:
    return sorted(_PLACEHOLDER.findall(text))


def test_nothing_is_untranslated_or_guessed(language):
    for entry in entries(language):
        assert all(text.strip() for text in texts_of(entry)), entry.msgid
        assert not entry.fuzzy, entry.msgid


def test_nothing_out_of_use_is_kept(language):
    assert not polib.pofile(str(source(language))).obsolete_entries()


def test_placeholders_tags_and_commands_are_those_of_the_original(language):
    for entry in entries(language):
        originals = [placeholders(entry.msgid), placeholders(entry.msgid_plural or entry.msgid)]
        for text in texts_of(entry):
            assert placeholders(text) in originals, (entry.msgid, text)


def test_spaces_and_stops_around_a_text_are_those_of_the_original(language):
    for entry in entries(language):
        for text in texts_of(entry):
            for pattern in (r"\A\s*", r"[.:?!,]*\s*\Z"):
                ends = [re.findall(pattern, each)[0] for each in (entry.msgid, text)]
                assert ends[0] == ends[1], (entry.msgid, text)


def test_a_text_that_stays_the_same_is_a_name_or_a_word_of_both_languages(language):
    same = {entry.msgid for entry in entries(language) if entry.msgid in texts_of(entry)}
    assert all(len(text.split()) <= 2 or "%" in text for text in same), same


def test_each_plural_form_is_there(language):
    catalogue = polib.pofile(str(source(language)))
    found = re.search(r"nplurals=(\d+)", catalogue.metadata["Plural-Forms"])
    assert found
    number = int(found[1])
    for entry in entries(language):
        if entry.msgid_plural:
            assert sorted(entry.msgstr_plural) == list(range(number)), entry.msgid


def test_what_django_says_too_is_said_in_its_words(language):
    """One word has one translation: whose catalogue wins depends on the order of the apps."""
    django = {(entry.msgctxt, entry.msgid): entry.msgstr for entry in below(language)}
    ours = {key(entry): entry.msgstr for entry in entries(language)}
    shared = {which for which in ours.keys() & django.keys() if which[1] and django[which]}
    assert len(shared) > 10
    assert {which: ours[which] for which in shared if ours[which] != django[which]} == {}


def test_the_compiled_catalogue_is_that_of_the_source(language):
    path = source(language)
    compiled = path.with_suffix(".mo")
    assert compiled.exists(), "run django-admin compilemessages in the folder authkit"
    with compiled.open("rb") as file:
        told = GNUTranslations(file)
    for entry in entries(language):
        if entry.msgid_plural:
            found = [told.ngettext(entry.msgid, entry.msgid_plural, n) for n in (1, 2)]
            assert set(found) <= set(texts_of(entry)), entry.msgid
        elif entry.msgctxt:
            assert told.pgettext(entry.msgctxt, entry.msgid) == entry.msgstr, entry.msgid
        else:
            assert told.gettext(entry.msgid) == entry.msgstr, entry.msgid
    assert len(polib.mofile(str(compiled))) == len(entries(language))


def test_every_refusal_can_be_said(language):
    ours = {entry.msgid for entry in entries(language)}
    refusals = list(_kinds_of(AuthkitError))
    assert len(refusals) > 30
    assert {each.public_message for each in refusals} <= ours


def _kinds_of(kind: type[AuthkitError]) -> list[type[AuthkitError]]:
    below = [each for sub in kind.__subclasses__() for each in _kinds_of(sub)]
    return [each for each in (kind, *below) if each.__module__.startswith("authkit")]


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="GNU gettext is not installed")
def test_makemessages_finds_what_is_there_and_nothing_else(language, tmp_path):
    package = tmp_path / "authkit"
    shutil.copytree(ROOT / "authkit", package, ignore=shutil.ignore_patterns("__pycache__"))
    copy = Path(str(source(language)).replace(str(ROOT / "authkit"), str(package)))
    before = {key(entry) for entry in entries(language)}
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "--locale", language, "--no-obsolete"],
        cwd=package,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "", "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )
    after = {key(entry) for entry in polib.pofile(str(copy)) if not entry.obsolete}
    assert after - before == set(), "new: translate them"
    assert before - after == set(), "out of use: take them out"
