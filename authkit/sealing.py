"""Secrets that are needed again, so that a digest will not do: encrypted at rest.

Each purpose has a key of its own, derived from SECRET_KEY (HKDF with SHA-256, RFC 5869);
what was sealed under one of SECRET_KEY_FALLBACKS is still read. So neither a copy of the
database nor a value sealed for another purpose opens anything.
"""

from __future__ import annotations

import base64
import json
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.signals import setting_changed
from django.utils.encoding import force_bytes

#: What is kept sealed in the database, and sealed again by `authkit keys reencrypt`.
PROVIDER_SECRET = "social provider secret"  # noqa: S105 - a label
PROVIDER_TOKENS = "social provider tokens"


class Unsealable(ValueError):
    """The text was not sealed here for this purpose, or too long ago."""


def seal(purpose: str, value: str) -> str:
    """Encrypt a text, so that it comes back unchanged or not at all."""
    return _box(purpose).encrypt(value.encode()).decode()


def unseal(purpose: str, text: str, *, max_age: int | None = None) -> str:
    """The text that was sealed for this purpose, at most `max_age` seconds ago.

    Raises:
        Unsealable: whatever is wrong with it.
    """
    try:
        return _box(purpose).decrypt(text.encode(), ttl=max_age).decode()
    except (InvalidToken, ValueError):
        raise Unsealable(f"not sealed for {purpose}") from None


def seal_object(purpose: str, value: dict[str, Any]) -> str:
    """Encrypt an object of JSON's types."""
    return seal(purpose, json.dumps(value, separators=(",", ":")))


def unseal_object(purpose: str, text: str, *, max_age: int | None = None) -> dict[str, Any]:
    """The object that was sealed; see `unseal`."""
    value: dict[str, Any] = json.loads(unseal(purpose, text, max_age=max_age))
    return value


def reseal(purpose: str, text: str) -> str:
    """Encrypt again under today's SECRET_KEY.

    Raises:
        Unsealable: it was sealed under a key that is no longer among the fallbacks.
    """
    try:
        return _box(purpose).rotate(text.encode()).decode()
    except (InvalidToken, ValueError):
        raise Unsealable(f"not sealed for {purpose}") from None


@lru_cache(maxsize=16)
def _box(purpose: str) -> MultiFernet:
    label = f"authkit sealed {purpose} v1".encode()
    texts = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derive(force_bytes(text), label)) for text in texts])


def _derive(secret: bytes, label: bytes) -> bytes:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=label).derive(secret)
    return base64.urlsafe_b64encode(key)


def _forget(*, setting: str, **_: object) -> None:
    if setting in {"SECRET_KEY", "SECRET_KEY_FALLBACKS"}:
        _box.cache_clear()


setting_changed.connect(_forget, dispatch_uid="authkit.sealing")
