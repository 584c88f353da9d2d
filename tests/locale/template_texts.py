"""Finds texts in templates that people read and nobody can translate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from django.template.base import Lexer, Token, TokenType

from tests.ground import ROOT

TEMPLATES = ROOT / "authkit" / "templates"

#: Attributes that are seen or heard.
READ = {
    "alt",
    "aria-description",
    "aria-label",
    "aria-placeholder",
    "aria-roledescription",
    "aria-valuetext",
    "label",
    "placeholder",
    "summary",
    "title",
}
#: What stands in these is for programs, or of them.
FOR_PROGRAMS = {"code", "script", "style"}
#: Blocks of Django's admin that stand inside of ``class=""``.
_OF_CLASSES = {"bodyclass", "coltype"}
BUTTONS = {"submit", "button", "reset"}

_WORD = re.compile(r"[^\W\d_]{2,}")
_STRING = re.compile(r"""(?<![\w(])(?:"([^"]*)"|'([^']*)')""")
_TRANSLATED = re.compile(r"""_\((?:"[^"]*"|'[^']*')\)""")
#: Filters whose argument may be shown.
_SHOWN = re.compile(
    r"""\|\s*(?:default|default_if_none|yesno|pluralize|join|add):("[^"]*"|'[^']*')"""
)
_DIRECTIONS = {"rtl,ltr"}
_NAME = re.compile(r"^[\w/.,:-]*$")
_FORMATS = re.compile(r"""\|\s*(?:date|time):("[^"]*"|'[^']*')""")


def problems_in(source: str, *, is_html: bool) -> list[str]:
    """Every text that does not go through gettext, with the number of its line."""
    plain, problems = _without_tags(source)
    if not is_html:
        lines = enumerate(plain.splitlines(), 1)
        return problems + [
            f"{number}: {line.strip()}" for number, line in lines if _WORD.search(line)
        ]
    reader = _Reader()
    reader.feed(plain)
    reader.close()
    return problems + reader.problems


def _without_tags(source: str) -> tuple[str, list[str]]:
    """The template without what Django's tags bring, and problems in these tags themselves."""
    kept: list[str] = []
    problems: list[str] = []
    within = ""
    for token in Lexer(source).tokenize():
        if token.token_type is TokenType.TEXT:
            kept.append(_blank(token.contents) if within else token.contents)
            continue
        word, _, about = token.contents.partition(" ")
        if within:
            within = "" if word == f"end{within}" else within
        elif word in ("blocktranslate", "blocktrans", "comment") or (
            word == "block" and about in _OF_CLASSES
        ):
            within = word
        elif token.token_type is not TokenType.COMMENT:
            problems += [f"{token.lineno}: {text}" for text in _shown_in(token)]
        kept.append(_blank(token.contents))
    return "".join(kept), problems


def _blank(text: str) -> str:
    return "\n" * text.count("\n")


def _shown_in(token: Token) -> Iterator[str]:
    """Literal texts in a tag or a variable that end on the page, past gettext."""
    text = _TRANSLATED.sub("", token.contents)
    for match in _SHOWN.finditer(text):
        argument = match[1][1:-1]
        if _WORD.search(argument) and argument not in _DIRECTIONS and "/" not in argument:
            yield argument
    word = token.contents.partition(" ")[0]
    if word in ("translate", "trans"):
        literal = token.contents.split(None, 1)[1][:1]
        if literal not in "\"'":
            yield f"{token.contents}: no catalogue has a variable"
        return
    for match in _STRING.finditer(_FORMATS.sub("", text)):
        argument = match[1] if match[1] is not None else match[2]
        if _WORD.search(argument) and not _NAME.match(argument):
            yield argument


class _Reader(HTMLParser):
    """Reads what a browser would show or say."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in FOR_PROGRAMS
        given = dict(attrs)
        is_button = tag == "input" and given.get("type") in BUTTONS
        for name, value in attrs:
            is_read = (
                name in READ or name.startswith("data-authkit-") or (is_button and name == "value")
            )
            if is_read and value:
                self._judge(value)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in FOR_PROGRAMS

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._judge(data)

    def _judge(self, text: str) -> None:
        if _WORD.search(text):
            self.problems.append(f"{self.getpos()[0]}: {' '.join(text.split())}")


_JS_READ = re.compile(
    r"""(?:(?:textContent|innerText|title|ariaLabel|placeholder|alt)\s*=\s*|\b(?:alert|confirm)\()
    (["'`])(?P<text>(?:(?!\1).)*)\1
    | setAttribute\(\s*["'](?:aria-label|title|alt|placeholder)["']\s*,\s*
    (["'`])(?P<attribute>(?:(?!\3).)*)\3""",
    re.VERBOSE,
)
_JS_SENTENCE = re.compile(
    r"""(["'`])(?=[A-Z][a-z]+[ .!?…])(?:(?!\1).)*[a-z][ .!?…](?:(?!\1).)*\1"""
)
_JS_NOT_READ = {"ArrowLeft ArrowRight ArrowUp ArrowDown Home End PageUp PageDown"}
_JS_VALUE = re.compile(r"\$\{[^}]*\}")


def problems_in_script(source: str) -> list[str]:
    """Texts in a script that it would show: it takes them from the page instead."""
    found = [match["text"] or match["attribute"] or "" for match in _JS_READ.finditer(source)]
    found += [match[0][1:-1] for match in _JS_SENTENCE.finditer(source)]
    read = [_JS_VALUE.sub("", text) for text in found if text not in _JS_NOT_READ]
    return [text for text in read if _WORD.search(text)]


def problems_in_style(source: str) -> list[str]:
    """Words that a style sheet would show."""
    contents: list[str] = re.findall(r"content:\s*[\"']([^\"']*)[\"']", source)
    return [text for text in contents if _WORD.search(text)]
