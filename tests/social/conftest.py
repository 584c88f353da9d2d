"""Providers, and a site that offers them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from authkit import sealing
from authkit.models import SocialProvider
from authkit.social import discovery, silence
from tests.social.liar import Liar, serving


@pytest.fixture(autouse=True)
def _loopback(settings: Any) -> None:
    settings.AUTHKIT = {
        **settings.AUTHKIT,
        "SOCIAL_ALLOWED_NETWORKS": ["127.0.0.0/8"],
        "SOCIAL_TIMEOUT": 2,
        "LIMITS": {"social": (1000, 900)},
    }
    discovery.forget()
    silence.forget()


@pytest.fixture(scope="session")
def _liar() -> Iterator[Liar]:
    with serving() as liar:
        yield liar


@pytest.fixture
def liar(_liar: Liar) -> Liar:
    """A provider that tells the truth until a test tells it not to."""
    _liar.__init__(_liar.url)  # type: ignore[misc]
    return _liar


@pytest.fixture
def offer(db: None, liar: Liar) -> Callable[..., SocialProvider]:
    """Make a row for the provider; ``offer(slug="other", sign_up="nobody")``."""

    def make(**fields: Any) -> SocialProvider:
        secret = fields.pop("secret", liar.secret)
        usual = {
            "slug": "house",
            "kind": "oidc",
            "name": "The house",
            "issuer": liar.issuer,
            "client_id": liar.client_id,
            "sealed_secret": sealing.seal(sealing.PROVIDER_SECRET, secret) if secret else "",
        }
        return SocialProvider.objects.create(**{**usual, **fields})

    return make
