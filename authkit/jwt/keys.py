"""The key ring: which key signs, and which keys may have signed.

Access tokens: the first key of ``AUTHKIT["JWT_SIGNING_KEYS"]`` signs and all verify, so a
new key is put in front and an old one removed once its last token is over. Without that
setting, the ring is one HS256 key derived from SECRET_KEY, and those derived from
SECRET_KEY_FALLBACKS verify.

Refresh tokens are read by nobody but ourselves: they always have HS256 keys of their own,
derived likewise, so whoever holds a key for access tokens cannot make a refresh token.

Derived means HKDF with SHA-256 (RFC 5869) and a label for each purpose. SECRET_KEY itself
signs no token, and does not follow from any key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.encoding import force_bytes

from authkit import conf
from authkit.kernel.key_material import KeyRefused
from authkit.kernel.keys import Key, SigningKey, VerifyingKey, prepare

_ACCESS = b"authkit jwt access v1"
_REFRESH = b"authkit jwt refresh v1"
_TOKEN_ID = b"authkit jwt id v1"

_MEMBERS = frozenset({"alg", "key", "kid"})
#: What the ring depends on.
CHANGING = frozenset({"AUTHKIT", "SECRET_KEY", "SECRET_KEY_FALLBACKS"})

Keys = Mapping[str, VerifyingKey]


@dataclass(frozen=True, slots=True, eq=False)
class KeyRing:
    """The keys in use, prepared; those for checking by `kid`.

    Attributes:
        access_signing, access_verifying: the keys of access tokens.
        refresh_signing, refresh_verifying: the keys of refresh tokens.
        token_id_secret: makes the ids of tokens that can be minted again.
    """

    access_signing: SigningKey
    access_verifying: Keys
    refresh_signing: SigningKey
    refresh_verifying: Keys
    token_id_secret: bytes = field(repr=False)


def problems(settings: conf.Settings) -> list[str]:
    """What is wrong with the keys that a project configures, in words, without secrets."""
    return _configured(settings)[1]


def jwks(ring: KeyRing) -> dict[str, list[dict[str, str]]]:
    """The public keys as a JWK set (RFC 7517 §5); secrets are not in it."""
    entries = (key.public for key in ring.access_verifying.values())
    return {"keys": [dict(entry) for entry in entries if entry is not None]}


@lru_cache(maxsize=1)
def ring() -> KeyRing:
    """The project's key ring, prepared once and again when the settings change.

    Raises:
        ImproperlyConfigured: a key is not taken; see `problems`.
    """
    configured, found = _configured(conf.get())
    if found:
        raise ImproperlyConfigured(" ".join(found))
    access = configured or _derived(_ACCESS)
    refresh = _derived(_REFRESH)
    return KeyRing(
        access_signing=_first(access),
        access_verifying=_by_id(access),
        refresh_signing=_first(refresh),
        refresh_verifying=_by_id(refresh),
        token_id_secret=_derive(_secrets()[0], _TOKEN_ID),
    )


def _configured(settings: conf.Settings) -> tuple[list[Key], list[str]]:
    keys: list[Key] = []
    found: list[str] = []
    for place, entry in enumerate(settings.jwt_signing_keys):
        try:
            keys.append(_prepare(entry, is_first=place == 0))
        except KeyRefused as refusal:
            found.append(f"AUTHKIT['JWT_SIGNING_KEYS'][{place}]: {refusal}.")
    return keys, found + _shared_ids(keys)


def _prepare(entry: Mapping[str, Any], *, is_first: bool) -> Key:
    if not {"alg", "key"} <= entry.keys() <= _MEMBERS:
        raise KeyRefused('an entry has "alg", "key" and perhaps "kid", and nothing else')
    if isinstance(entry["key"], str | bytes) and force_bytes(entry["key"]) in _secrets():
        raise KeyRefused("SECRET_KEY must not sign tokens; take a secret of its own")
    key = prepare(entry["alg"], entry["key"], entry.get("kid"))
    if is_first and key.signing is None:
        raise KeyRefused("the first key signs, so it must be a private key")
    return key


def _shared_ids(keys: Iterable[Key]) -> list[str]:
    count = Counter(key.verifying.kid for key in keys)
    return [
        f"AUTHKIT['JWT_SIGNING_KEYS']: {times} keys have the kid {kid!r}; each needs its own."
        for kid, times in count.items()
        if times > 1
    ]


def _derived(label: bytes) -> list[Key]:
    return [prepare("HS256", _derive(secret, label)) for secret in _secrets()]


def _derive(secret: bytes, label: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=label).derive(secret)


def _secrets() -> list[bytes]:
    texts = [django_settings.SECRET_KEY, *django_settings.SECRET_KEY_FALLBACKS]
    return [force_bytes(text) for text in texts]


def _first(keys: list[Key]) -> SigningKey:
    signing = keys[0].signing
    if signing is None:  # `problems` has looked
        raise ImproperlyConfigured("The first key of JWT_SIGNING_KEYS cannot sign.")
    return signing


def _by_id(keys: list[Key]) -> Keys:
    return MappingProxyType({key.verifying.kid: key.verifying for key in keys})


def _forget(*, setting: str, **_: object) -> None:
    if setting in CHANGING:
        ring.cache_clear()


setting_changed.connect(_forget, dispatch_uid="authkit.jwt.keys")
