"""What an OpenID provider publishes of itself: its document, and its keys.

Both are remembered for minutes in each process, under the issuer as it is configured, so a
changed row asks anew. Nothing is believed after its time because the provider is down.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from social_core.exceptions import AuthConfigurationError, AuthResponseError, ErrorStage

from authkit.social.fetching import is_safe

_DOCUMENT_LIFETIME = 600.0
_KEYS_LIFETIME = 300.0
#: A token with an unknown key id makes us look again, but not more often than this.
_KEYS_AGAIN_AFTER = 20.0
_MOST = 200
#: Of what a document says, the addresses that somebody will be sent to or asked at.
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_OPTIONAL = ("userinfo_endpoint", "revocation_endpoint")

Document = dict[str, Any]
Ask = Callable[[str], Any]
T = TypeVar("T")

_remembered: dict[tuple[str, str], tuple[float, Any]] = {}


def url_of(issuer: str) -> str:
    """Where an issuer's document stands (OpenID Connect Discovery 1.0 §4)."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def document_of(issuer: str, ask: Ask) -> Document:
    """The discovery document of an issuer.

    Raises:
        AuthResponseError: it is not one, names another issuer, or addresses that nobody
            should be sent to.
    """
    return _known("document", issuer, _DOCUMENT_LIFETIME, lambda: _document(issuer, ask))


def keys_of(uri: str, ask: Ask, *, kid: object) -> list[dict[str, Any]]:
    """The keys behind a `jwks_uri`; asked again if none of them is called `kid`."""
    found = _known("keys", uri, _KEYS_LIFETIME, lambda: _keys(uri, ask))
    is_known = kid is None or any(key.get("kid") == kid for key in found)
    if is_known or _age("keys", uri, _KEYS_LIFETIME) < _KEYS_AGAIN_AFTER:
        return found
    _remembered.pop(("keys", uri), None)
    return _known("keys", uri, _KEYS_LIFETIME, lambda: _keys(uri, ask))


def forget() -> None:
    """Know nothing, as a new process does."""
    _remembered.clear()


def _known(kind: str, name: str, lifetime: float, find: Callable[[], T]) -> T:
    until, value = _remembered.get((kind, name), (0.0, None))
    if time.monotonic() < until:
        return value  # type: ignore[no-any-return]
    value = find()
    if len(_remembered) >= _MOST:
        _remembered.clear()
    _remembered[kind, name] = (time.monotonic() + lifetime, value)
    return value


def _age(kind: str, name: str, lifetime: float) -> float:
    until, _ = _remembered.get((kind, name), (0.0, None))
    return time.monotonic() - (until - lifetime)


def _document(issuer: str, ask: Ask) -> Document:
    if not issuer:
        raise AuthConfigurationError(code="missing_setting", parameter="issuer", stage="begin")
    found = ask(url_of(issuer))
    if not isinstance(found, dict):
        raise _not_believed("malformed_response", "discovery document")
    if found.get("issuer") != issuer:
        raise _not_believed("invalid_claim", "issuer")
    for name in _NEEDED:
        if not isinstance(found.get(name), str):
            raise _not_believed("missing_claim", name)
    for name in (*_NEEDED, *_OPTIONAL):
        if name in found and not is_safe(str(found[name])):
            raise _not_believed("invalid_claim", name)
    return found


def _keys(uri: str, ask: Ask) -> list[dict[str, Any]]:
    found = ask(uri)
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise _not_believed("malformed_response", "keys", stage="token_validation")
    return keys


def _not_believed(code: str, what: str, *, stage: ErrorStage = "begin") -> AuthResponseError:
    return AuthResponseError(None, what, code=code, claim=what, stage=stage)
