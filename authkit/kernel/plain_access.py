"""The access tokens that are minted every day, read without JSON.

What a token says is written in one way only (`jws.sign`: the shortest JSON, in the order of
its names), so one pattern recognises the payload of a usual token and finds its claims. It
is narrower than `strict_json.read` and `claims.read_access` together: what it takes, they
take and read alike (a test says so), and what it does not take, they judge. The pattern is
for payloads whose signature has been checked; it stands for no check but that of the form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable

from authkit.kernel.claims import ACCESS, MAX_TIME, REGISTERED, AccessClaims
from authkit.kernel.uuids import uuid_of

Read = Callable[[bytes], AccessClaims | None]

# A named tuple is made by a function of Python around this one; every new token passes here.
_new = tuple.__new__

_PLAIN = r"[ !#-\[\]-~]"  # printable ASCII, but for what JSON escapes
_MOMENT = "([1-9][0-9]{0,11})"
_ANY_TEXT = f'"{_PLAIN}*"'
#: How the value of each claim is written, what counts of it in a group.
_CLAIMS = {
    "auth_time": _MOMENT,
    "exp": _MOMENT,
    "iat": _MOMENT,
    "jti": '"([A-Za-z0-9_-]{1,128})"',
    "sid": '"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"',
    "sub": f'"({_PLAIN}{{1,255}})"',
}


def reader(issuer: str, audience: str, extra: Iterable[str] = ()) -> Read:
    """A function that reads the payload of a usual token; it returns None for any other.

    Args:
        issuer: of the tokens that are minted here.
        audience: likewise.
        extra: names of claims without meaning to authkit, which may be in them as texts.
    """
    if not f"{issuer}{audience}".isprintable():  # JSON escapes some of it, or cannot write it
        return lambda _: None
    names = sorted({name for name in extra if name.isidentifier()} - REGISTERED)
    match = _pattern(issuer, audience, names).fullmatch

    def read(payload: bytes) -> AccessClaims | None:
        try:
            found = match(payload.decode())
        except UnicodeDecodeError:
            return None
        if found is None:
            return None
        auth_text, exp_text, iat_text, jti, sid, sub = found.groups()
        auth_time, exp, iat = int(auth_text), int(exp_text), int(iat_text)
        if not iat < exp <= MAX_TIME or auth_time > MAX_TIME:
            return None
        begins_at = auth_time if auth_time > iat else iat  # noqa: FURB136 - `max` takes longer
        says = (sub, uuid_of(sid), jti, iat, exp, auth_time, begins_at, None)
        return _new(AccessClaims, says)

    return read


def _pattern(issuer: str, audience: str, names: list[str]) -> re.Pattern[str]:
    """The members in the order of their names; those of a project may be missing."""
    fixed = {"aud": _text(audience), "iss": _text(issuer), "token_type": _text(ACCESS), **_CLAIMS}
    written = ""
    for name in sorted([*fixed, *names]):
        member = f'"{name}":{fixed.get(name, _ANY_TEXT)}'
        comma_before, comma_after = ("", ",") if name < "token_type" else (",", "")
        if name == "token_type":
            comma_before = ""
        member = comma_before + member + comma_after
        written += member if name in fixed else f"(?:{member})?"
    return re.compile(f"{{{written}}}")


def _text(value: str) -> str:
    return re.escape(json.dumps(value, ensure_ascii=False))
