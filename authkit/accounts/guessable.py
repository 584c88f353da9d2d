"""Passwords that an attacker tries first: common ones, and what is written on the door."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from authkit import conf
from authkit.accounts import names

_SHORTEST_WORD = 4
_LEFT = 4
_FEW = 5
_ORNAMENT = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_WORDS = re.compile(r"[^\W_]+")
#: Letters that people write as digits and signs.
_LEET = str.maketrans("4310$@5!7", "aeiosasit")


class GuessablePasswordValidator:
    """For AUTH_PASSWORD_VALIDATORS: length in characters, common passwords, words of the account.

    Common ones are the 20,000 that Django brings, also with digits and signs around them
    and letters written as digits. Words of the account are its names and address, and what
    else is handed over (the site's name). No rule asks for digits or signs.
    """

    def validate(self, password: str, user: object = None, words: Iterable[str] = ()) -> None:
        """Refuse what is guessed first.

        Raises:
            ValidationError: with all that is wrong.
        """
        problems = list(_problems_of(password, user, words))
        if problems:
            raise ValidationError(problems)

    def get_help_text(self) -> str:
        """For people, above the field."""
        settings = conf.get()
        text = _(
            "%(min)d to %(max)d characters; not a common password, nor your name or address."
            " A sentence is good."
        )
        return text % {"min": settings.password_min_length, "max": settings.password_max_length}


def problem_of_length(password: str) -> ValidationError | None:
    """Whether a password is too short or too long; asked before anything else is done with it."""
    settings = conf.get()
    if len(password) < settings.password_min_length:
        text = _("This password is too short: take at least %(count)d characters.")
        parameters = {"count": settings.password_min_length}
        return ValidationError(text, "password_too_short", parameters)
    if len(password) > settings.password_max_length:
        text = _("This password is too long: take at most %(count)d characters.")
        parameters = {"count": settings.password_max_length}
        return ValidationError(text, "password_too_long", parameters)
    return None


def _problems_of(password: str, user: object, words: Iterable[str]) -> Iterator[ValidationError]:
    length = problem_of_length(password)
    if length is not None:
        yield length
        return
    if _is_common(password):
        yield ValidationError(_("This password is too common."), "password_too_common")
    elif _is_made_of(password, {*_words_of(user), *_split(words)}):
        yield ValidationError(
            _("This password is too much like your name, your address or the name of this site."),
            "password_too_similar",
        )


def _is_common(password: str) -> bool:
    folded = unicodedata.normalize("NFKC", password).lower().strip()
    undressed = {folded, *_undressed(folded)}
    if _is_doubled(folded):
        undressed.add(folded[: len(folded) // 2])
    return not _common().isdisjoint(undressed | {text.translate(_LEET) for text in undressed})


def _undressed(text: str) -> Iterator[str]:
    """The text without the digits and signs that people put around a word, or some of them."""
    yield _ORNAMENT.sub("", text)
    for front in range(_FEW):
        for back in range(_FEW):
            taken = text[:front] + text[len(text) - back :]
            if not any(character.isalpha() for character in taken):
                yield text[front : len(text) - back]


def _is_doubled(text: str) -> bool:
    half, odd = divmod(len(text), 2)
    return (not odd and text[:half] == text[half:]) or len(set(text)) <= 2


def _is_made_of(password: str, words: set[str]) -> bool:
    """Whether next to nothing is left when the words are taken out."""
    rest = unicodedata.normalize("NFKC", password).lower()
    found = False
    for word in sorted(words, key=len, reverse=True):
        if word in rest:
            found, rest = True, rest.replace(word, "")
    left = "".join(character for character in rest if character.isalpha())
    return found and len(left) < _LEFT


def _words_of(user: object) -> Iterator[str]:
    if user is None:
        return
    person: Any = user
    texts = [*names.of(person).values(), getattr(person, "first_name", "")]
    yield from _split([*texts, getattr(person, "last_name", "")])


def _split(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        folded = unicodedata.normalize("NFKC", str(text)).lower()
        whole = "".join(_WORDS.findall(folded.partition("@")[0]))
        for word in {whole, *_WORDS.findall(folded)}:
            if len(word) >= _SHORTEST_WORD:
                yield word


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(CommonPasswordValidator().passwords)
