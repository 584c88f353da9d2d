"""`authkit keys reencrypt`: SECRET_KEY changes, and what it encrypted does not get lost."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from authkit import sealing
from authkit.models import SocialProvider

pytestmark = pytest.mark.django_db


def _run() -> str:
    out = StringIO()
    call_command("authkit", "keys", "reencrypt", stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.fixture
def provider() -> SocialProvider:
    sealed = sealing.seal(sealing.PROVIDER_SECRET, "secret")
    return SocialProvider.objects.create(
        slug="house", kind="oidc", name="H", client_id="c", sealed_secret=sealed
    )


def test_afterwards_the_old_key_is_not_needed(provider, settings):
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key " * 5, [old]
    assert _run().startswith("1 encrypted")
    settings.SECRET_KEY_FALLBACKS = []
    provider.refresh_from_db()
    assert sealing.unseal(sealing.PROVIDER_SECRET, provider.sealed_secret) == "secret"
    assert _run().startswith("1 encrypted")


def test_what_cannot_be_read_is_named(provider, settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key " * 5, []
    with pytest.raises(CommandError, match=f"social provider {provider.pk}"):
        _run()
