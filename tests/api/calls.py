"""Each call that the API takes, ready to be made by somebody who has just signed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.api.callers import SIGN_INS, personal, sign_in, stranger

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

Ready = Callable[[], Any]
Make = Callable[["AbstractUser"], Ready]


def _own(kind: str, method: str, path: str, body: Any = None) -> Make:
    def make(person: AbstractUser) -> Ready:
        caller = sign_in(kind, person)
        return lambda: caller.call(method, f"/auth/{path}", body)

    return make


def _ends_one(person: AbstractUser) -> Ready:
    caller, device = sign_in("jwt", person), sign_in("token", person)
    return lambda: caller.delete(f"/auth/sessions/{device.session_id}/")


def _unmints(person: AbstractUser) -> Ready:
    caller, script = sign_in("jwt", person), personal(person)
    return lambda: caller.delete(f"/auth/tokens/{script.answer['id']}/")


def _with_pair(path: str, field: str, carrier: str) -> Make:
    def make(person: AbstractUser) -> Ready:
        text = sign_in("jwt", person).answer[carrier]
        return lambda: stranger().post(f"/auth/{path}", {field: text})

    return make


#: Name -> what signs a person in and returns the call.
CALLS: dict[str, Make] = {
    **{f"{kind} lists sessions": _own(kind, "GET", "sessions/") for kind in SIGN_INS},
    **{f"{kind} lists tokens": _own(kind, "GET", "tokens/") for kind in SIGN_INS},
    **{f"{kind} mints": _own(kind, "POST", "tokens/", {"name": "x"}) for kind in SIGN_INS},
    **{f"{kind} ends others": _own(kind, "DELETE", "sessions/?others=true") for kind in SIGN_INS},
    **{
        f"{kind} introspects": _own(kind, "POST", "introspect/", {"token": "x"})
        for kind in SIGN_INS
    },
    **{f"{kind} signs out": _own(kind, "DELETE", f"{kind}/") for kind in SIGN_INS},
    "ends one": _ends_one,
    "unmints": _unmints,
    "ends all": _own("jwt", "DELETE", "sessions/"),
    "refreshes": _with_pair("jwt/refresh/", "refresh", "refresh"),
    "verifies": _with_pair("jwt/verify/", "token", "access"),
    "revokes": _with_pair("revoke/", "token", "refresh"),
    "asks for the session": _own("session", "GET", "session/"),
}
