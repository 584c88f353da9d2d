"""A language in which every text stands in brackets, and a reader that looks for others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polib

from tests.locale.catalogues import below, entries, key, written_below
from tests.locale.template_texts import BUTTONS, FOR_PROGRAMS, READ

CODE = "xx"
_HEADER = {
    "Content-Type": "text/plain; charset=UTF-8",
    "Plural-Forms": "nplurals=2; plural=(n != 1);",
}

#: What a test makes up has this in its name, so that it is known again on a page.
MADE_UP = "zq"

_BRACKETED = re.compile(r"⟦[^⟦⟧]*⟧")
#: Django stores the names of permissions, and shows them as they are.
_PERMISSION = re.compile(r"\|\s*Can (?:add|change|delete|view|look|sign) .*")
_WORD = re.compile(r"[^\W\d_]{2,}")
#: Names of programs: with a dot, a colon, a slash, … in them, or made up by a test.
_CODE = re.compile(
    rf"""\S*[\w*][.:/@_=&][\w*]\S* | \S*{MADE_UP}\S* | \S*\d\S* | /\S+ | \S*\*\S*""",
    re.VERBOSE | re.IGNORECASE,
)


def compile_into(folder: Path) -> None:
    """Write the catalogue: our texts, and those of the packages below."""
    catalogue = polib.POFile()
    catalogue.metadata = _HEADER
    seen = set()
    every: list[Any] = [*entries("de"), *below("de"), *written_below()]
    for entry in every:
        if key(entry) in seen or not entry.msgid:
            continue
        seen.add(key(entry))
        told = polib.POEntry(msgid=entry.msgid, msgctxt=entry.msgctxt)
        if entry.msgid_plural:
            told.msgid_plural = entry.msgid_plural
            told.msgstr_plural = {0: f"⟦{entry.msgid}⟧", 1: f"⟦{entry.msgid_plural}⟧"}
        else:
            told.msgstr = f"⟦{entry.msgid}⟧"
        catalogue.append(told)
    path = folder / CODE / "LC_MESSAGES" / "django.mo"
    path.parent.mkdir(parents=True)
    catalogue.save_as_mofile(str(path))


def _without_brackets(text: str) -> str:
    before = ""
    while text != before:  # a text may stand in another
        before, text = text, _BRACKETED.sub(" ", text)
    return text


def problems(texts: Iterable[str], known: Iterable[str] = ()) -> list[str]:
    """The words that a reader would read in English; `known`: those that are data."""
    data = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in known) or r"(?!)")
    lines = _without_brackets("\n".join(texts)).splitlines()
    rest = [data.sub(" ", _CODE.sub(" ", _PERMISSION.sub(" ", line))) for line in lines]
    return [" ".join(line.split()) for line in rest if _WORD.search(line)]


def texts_of_page(html: str) -> list[str]:
    """What a browser would show or say."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return [*reader.texts, *reader.attributes]


def texts_of_answer(value: Any) -> Iterator[str]:
    """What stands for people in a body of the API: all texts but codes."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name not in {"code", "error"}:
                yield from texts_of_answer(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts_of_answer(each)
    elif isinstance(value, str):
        yield value


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.attributes: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in FOR_PROGRAMS | {"textarea"}:
            is_texts = given.get("id") == "ak-texts"
            self._silent.append("texts" if is_texts else tag)
        is_button = tag == "input" and given.get("type") in BUTTONS
        for name, value in attrs:
            if value and (name in READ or (is_button and name == "value")):
                self.attributes.append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag in FOR_PROGRAMS | {"textarea"}:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if self._silent == ["texts"]:  # what the script of the matrix says
            self.texts += json.loads(data).values()
        elif not self._silent and data.strip():
            self.texts.append(data)
