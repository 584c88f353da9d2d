"""The cookies that bind a browser to the sign-in that it has begun, one for each."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from authkit.social.transactions import LIFETIME, digest_of

_MOST = 4
#: Octets of all of them: many servers take no header of more than 8 KiB.
_MOST_OCTETS = 6 * 1024
_NAME = "authkit_social_"
PAUSE = "authkit_pause"


def keep(http: HttpRequest, response: HttpResponseBase, state: str, sealed: str) -> None:
    """Give the browser what it has to bring back; older ones beyond a few are dropped."""
    prefix = _prefixed(http, _NAME)
    begun = [name for name in http.COOKIES if name.startswith(prefix)]
    left = _MOST_OCTETS - len(prefix) - len(sealed)
    for number, name in enumerate(reversed(begun), 2):
        left -= len(name) + len(http.COOKIES[name])
        if number > _MOST or left < 0:
            _drop(http, response, name)
    _set(http, response, _name_for(http, state), sealed)


def find(http: HttpRequest, state: str) -> str:
    """What this browser was given for this state; "" if nothing."""
    return http.COOKIES.get(_name_for(http, state), "")


def drop(http: HttpRequest, response: HttpResponseBase, state: str) -> None:
    """Let the browser forget it."""
    _drop(http, response, _name_for(http, state))


def keep_pause(http: HttpRequest, response: HttpResponseBase, token: str) -> None:
    """Let this browser, and no other, go on with a sign-in that waits."""
    _set(http, response, _prefixed(http, PAUSE), token)


def find_pause(http: HttpRequest) -> str:
    """With which waiting sign-in this browser may go on; "" for none."""
    return http.COOKIES.get(_prefixed(http, PAUSE), "")


def drop_pause(http: HttpRequest, response: HttpResponseBase) -> None:
    """It goes on no more."""
    _drop(http, response, _prefixed(http, PAUSE))


def _name_for(http: HttpRequest, state: str) -> str:
    return _prefixed(http, _NAME) + digest_of(state)[:12]


def _prefixed(http: HttpRequest, name: str) -> str:
    """With `__Host-` no neighbouring domain can plant one (RFC 6265bis §4.1.3.2)."""
    return f"__Host-{name}" if http.is_secure() else name


def _set(http: HttpRequest, response: HttpResponseBase, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        secure=http.is_secure(),
        httponly=True,
        samesite="Lax",  # it has to come along when the provider sends the browser back
    )


def _drop(http: HttpRequest, response: HttpResponseBase, name: str) -> None:
    response.set_cookie(
        name, "", max_age=0, path="/", secure=http.is_secure(), httponly=True, samesite="Lax"
    )
