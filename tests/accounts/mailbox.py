"""The mails that were sent, and the keys in them."""

from __future__ import annotations

import re
from typing import Any

from django.core import mail
from django.test import override_settings

_KEY = re.compile(r"(?:key=|invitation=|/)([\w-]{43})(?![\w-])")


def backend(path: str) -> override_settings:
    """The settings with which mails go by this backend: from Django 6.1 on, among MAILERS."""
    if hasattr(mail, "mailers"):
        return override_settings(MAILERS={"default": {"BACKEND": path}})
    return override_settings(EMAIL_BACKEND=path)


def to(address: str) -> list[Any]:
    """The mails to an address, the oldest first."""
    return [message for message in mail.outbox if message.to == [address]]


def last_to(address: str) -> Any:
    return to(address)[-1]


def key_in(message: Any) -> str:
    """The key in the link of a mail; the same in its text and its HTML."""
    [html] = [part.content for part in message.alternatives]
    in_text, in_html = set(_KEY.findall(message.body)), set(_KEY.findall(html))
    assert in_text == in_html
    [key] = in_text
    return str(key)


def key_to(address: str) -> str:
    return key_in(last_to(address))
