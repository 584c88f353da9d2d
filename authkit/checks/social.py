"""Whether python-social-auth's settings go together with authkit."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning  # noqa: A004 - Django's name

from authkit.social import pipeline


def check_social_pipelines(**_: Any) -> list[CheckMessage]:
    """Every pipeline of the settings has the steps without which authkit lets nobody in."""
    return [found for name in _pipelines() for found in _of_pipeline(name)]


def check_social_backends(**_: Any) -> list[CheckMessage]:
    """No backend of the settings is left out in silence."""
    if find_spec("social_core") is None:
        return []
    return [
        Warning(
            f"Nobody can sign in by {name!r}, which AUTHENTICATION_BACKENDS and SOCIAL_AUTH_…"
            " settings describe: it knows people by an address or a name, which may become"
            " somebody else's, or its sign-ins cannot be bound.",
            hint="List a subclass of it whose ID_KEY names what never becomes another person's.",
            id="authkit.W021",
        )
        for name in import_module("authkit.social.providers").refused_settings()
    ]


def _pipelines() -> list[str]:
    names = (name for name in dir(settings) if name.startswith("SOCIAL_AUTH_"))
    return [
        name
        for name in names
        if name.endswith("_PIPELINE") and not name.endswith("DISCONNECT_PIPELINE")
    ]


def _of_pipeline(name: str) -> Iterator[CheckMessage]:
    for problem in pipeline.problems_of(list(getattr(settings, name) or ())):
        yield Warning(
            f"{name} is no pipeline for authkit: {problem}. Nobody is let in with it.",
            hint="Build it from authkit.social.pipeline.PIPELINE, with steps of your own between.",
            id="authkit.W020",
        )
