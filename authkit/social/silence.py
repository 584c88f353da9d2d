"""A provider that did not answer is not asked again for a moment.

Each request to it would keep a worker until SOCIAL_TIMEOUT is over, and a few people who
try again, or one who means harm, would keep them all. Remembered in each process; whoever
comes meanwhile is told at once that the provider does not answer.
"""

from __future__ import annotations

import time

from authkit.social.providers import Provider

_MOMENT = 10.0  # seconds
_MOST = 200

_until: dict[tuple[str, str], float] = {}


def note(provider: Provider) -> None:
    """It has not answered."""
    if len(_until) >= _MOST:
        _until.clear()
    _until[provider.slug, provider.issuer] = time.monotonic() + _MOMENT


def lasts(provider: Provider) -> bool:
    """Whether it has not answered a moment ago."""
    return time.monotonic() < _until.get((provider.slug, provider.issuer), 0.0)


def end(provider: Provider) -> None:
    """It answers, or somebody wants to know."""
    _until.pop((provider.slug, provider.issuer), None)


def forget() -> None:
    """Know nothing, as a new process does."""
    _until.clear()
