"""Django renews old hashes of passwords when they are checked: that is no new password."""

from __future__ import annotations

from contextvars import ContextVar
from functools import wraps
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import check_password
from django.views.decorators.debug import sensitive_variables

#: Who is being asked for their password, and what was given for it. A context variable also
#: reaches the thread in which `acheck_password` saves.
_asked: ContextVar[tuple[AbstractBaseUser, str] | None] = ContextVar(
    "authkit_password_asked", default=None
)


def watch() -> None:
    """Learn of the passwords that Django's two checks are asked about, while they last.

    Django says nowhere that what it saves is the same password, so its methods are put into
    others that remember it. A user model with a check of its own is not seen, and where that
    one renews a hash it counts as a change: sign-ins end.
    """
    django: Any = AbstractBaseUser
    if not hasattr(django.check_password, "__wrapped__"):
        django.check_password = _remembering(django.check_password)
        django.acheck_password = _remembering_async(django.acheck_password)


@sensitive_variables()
def is_being_renewed(user: AbstractBaseUser, before: str) -> bool:
    """Whether Django's own check is storing the same password of this person under a new hash.

    That a check is going on is not enough, for anybody's code may run in it: the password
    is proved against both hashes.
    """
    asked = _asked.get()
    return (
        asked is not None
        and asked[0] is user
        and check_password(asked[1], before)
        and check_password(asked[1], user.password)
    )


def _remembering(check: Any) -> Any:
    @wraps(check)
    @sensitive_variables("raw_password", "password")  # Django's own frames call it "password"
    def check_password(self: AbstractBaseUser, raw_password: Any) -> bool:
        asked = _asked.set((self, raw_password))
        try:
            return bool(check(self, raw_password))
        finally:
            _asked.reset(asked)

    return check_password


def _remembering_async(check: Any) -> Any:
    @wraps(check)
    @sensitive_variables("raw_password", "password")
    async def acheck_password(self: AbstractBaseUser, raw_password: Any) -> bool:
        asked = _asked.set((self, raw_password))
        try:
            return bool(await check(self, raw_password))
        finally:
            _asked.reset(asked)

    return acheck_password
