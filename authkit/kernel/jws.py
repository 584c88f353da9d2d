"""Signed tokens in compact form, written one way and read strictly (RFC 7515).

What is fixed here, against the attacks that RFC 8725 collects:

- the algorithm is the key's; a token can name it correctly or be refused;
- the key is found by `kid` in a closed set; keys that a token brings or points to
  (``jwk``, ``jku``, ``x5u``, ``x5c``) are neither used nor fetched;
- ``crit``, ``b64`` and every other member that is not understood are refused;
- a token has one spelling: three parts, canonical base64url, no padding;
- at most `MAX_LENGTH` octets are looked at, and whatever they are, the only exception
  is `InvalidToken`.

Headers are the same on all tokens of a key, so they are read once and remembered; what
remains for each token is its signature and its JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from authkit.kernel import base64url, strict_json
from authkit.kernel.keys import SigningKey, VerifyingKey, is_kid

MAX_LENGTH = 8192

#: A header of ours has about 100 octets; longer ones are read but not remembered.
_MAX_REMEMBERED = 512
#: So many different headers a checker knows again; there is one for each key.
_MAX_GENUINE = 64
_NEEDED = frozenset({"alg", "kid", "typ"})
_IGNORED = frozenset({"jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256"})


class InvalidToken(ValueError):
    """The token is not valid; the text says why and shows nothing of the token."""


class ForgedToken(InvalidToken):
    """Everything about it is right, but for its signature."""


def sign(payload: Mapping[str, Any], key: SigningKey, *, typ: str) -> str:
    """Write and sign a token. The same payload and key always give the same text.

    Raises:
        ValueError, TypeError: the payload is not strict JSON, or too long.
    """
    body = base64url.encode(strict_json.write(payload))
    signing_input = _header_segment(key.alg, key.kid, typ) + b"." + body
    token = signing_input + b"." + base64url.encode(key.sign(signing_input))
    if len(token) > MAX_LENGTH:
        raise ValueError(f"a token must not be longer than {MAX_LENGTH} octets")
    return token.decode()


def verify(token: str | bytes, keys: Mapping[str, VerifyingKey], *, typ: str) -> dict[str, Any]:
    """Return the payload of a token that one of `keys` (by `kid`) has signed.

    Raises:
        InvalidToken: it is not a token of this `typ`, or not genuine.
    """
    return read_payload(Checker(keys, typ=typ).payload_of(octets_of(token)))


class Checker:
    """Checks tokens of one `typ` against one closed set of keys.

    All tokens of a key have the same header. The few that have come with a genuine
    signature are known again by their text; nobody else can have one remembered.
    """

    def __init__(self, keys: Mapping[str, VerifyingKey], *, typ: str) -> None:
        """Know the keys by `kid`."""
        self._keys = keys
        self._typ = typ
        self._genuine: dict[bytes, VerifyingKey] = {}

    def payload_of(self, token: bytes) -> bytes:
        """Return the octets of the payload of a token (see `octets_of`).

        Raises:
            InvalidToken: it is not a token of this `typ`, or not genuine.
        """
        try:
            header, body, signature = token.split(b".", 3)
        except ValueError:
            raise InvalidToken("not three parts") from None
        known = self._genuine.get(header)
        key = known or _key_for(header, self._keys, self._typ)
        try:
            if not key.check(token[: -len(signature) - 1], base64url.decode(signature)):
                raise ForgedToken("signature")
            if known is None and len(self._genuine) < _MAX_GENUINE:
                self._genuine[header] = key
            return base64url.decode(body)
        except base64url.NotCanonical as error:
            raise InvalidToken(str(error)) from None


def read_payload(octets: bytes) -> dict[str, Any]:
    """Return the payload that these octets are.

    Raises:
        InvalidToken: it is not strict JSON.
    """
    try:
        return strict_json.read(octets)
    except strict_json.MalformedJson as error:
        raise InvalidToken(str(error)) from None


def octets_of(token: object) -> bytes:
    """Return the octets of a presented token.

    Raises:
        InvalidToken: no text, longer than any token of ours, or not ASCII.
    """
    if not isinstance(token, (str, bytes)) or len(token) > MAX_LENGTH:
        raise InvalidToken("no text, or too long")
    if isinstance(token, bytes):
        return token
    try:
        return token.encode("ascii")
    except UnicodeEncodeError:
        raise InvalidToken("not ASCII") from None


class _Header(NamedTuple):
    alg: object
    kid: str
    typ: object


def _key_for(segment: bytes, keys: Mapping[str, VerifyingKey], typ: str) -> VerifyingKey:
    is_short = len(segment) <= _MAX_REMEMBERED
    header = _remembered_header(segment) if is_short else _header(segment)
    key = keys.get(header.kid)
    if key is None:
        raise InvalidToken("unknown kid")
    if header.alg != key.alg:
        raise InvalidToken("not the algorithm of the key")
    if header.typ != typ:
        raise InvalidToken("another kind of token")
    return key


def _header(segment: bytes) -> _Header:
    try:
        members = strict_json.read(base64url.decode(segment))
    except (base64url.NotCanonical, strict_json.MalformedJson) as error:
        raise InvalidToken(f"header: {error}") from None
    if not members.keys() >= _NEEDED or members.keys() - _NEEDED - _IGNORED:
        raise InvalidToken("header: a member is missing or not understood")
    if not is_kid(members["kid"]):
        raise InvalidToken("header: kid")
    return _Header(members["alg"], members["kid"], members["typ"])


_remembered_header = lru_cache(maxsize=256)(_header)


@lru_cache(maxsize=64)
def _header_segment(alg: str, kid: str, typ: str) -> bytes:
    return base64url.encode(strict_json.write({"alg": alg, "kid": kid, "typ": typ}))
