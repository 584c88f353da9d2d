"""Backends of python-social-auth that Django makes by itself, without a strategy.

`authenticate()` and `has_perm()` make one of each class in AUTHENTICATION_BACKENDS, where
providers of SOCIAL_AUTH_… settings stand. python-social-auth's Django app, which nobody
needs to install here, tells them of a strategy then; without any they cannot be made.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.utils.functional import SimpleLazyObject
from social_core.exceptions import AuthConfigurationError
from social_core.registry import REGISTRY


def offer_strategy() -> None:
    """Let them have ours, unless there is another. It is loaded when it is first used."""
    try:
        REGISTRY.default_strategy  # noqa: B018 - it raises where there is none
    except AuthConfigurationError:
        strategy: Any = SimpleLazyObject(_strategy)
        REGISTRY.default_strategy = strategy


def _strategy() -> object:
    return import_module("authkit.social.strategy").SocialStrategy()
