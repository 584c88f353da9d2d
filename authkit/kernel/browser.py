"""What to call a browser or program, so that people know their devices again."""

from __future__ import annotations

import re

# The first that is found names it: each of these also pretends to be those below it.
_PROGRAMS = (
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_PRODUCT = re.compile(r"[^\s/;()]{1,40}(/[^\s;()]{1,20})?")


def name_of(user_agent: str) -> str:
    """Say in a few words what a User-Agent header (RFC 9110 §10.1.5) says at length.

    Known browsers come with their system, other programs by their first product. It is
    what a client says of itself, and proves nothing.
    """
    program = _first(_PROGRAMS, user_agent)
    if program is None:
        product = _PRODUCT.match(user_agent)
        return product.group() if product else ""
    system = _first(_SYSTEMS, user_agent)
    return f"{program}, {system}" if system else program


def _first(names: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((name for sign, name in names if sign in text), None)
