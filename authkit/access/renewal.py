"""Django renews old hashes of passwords when they are checked: that is no new password."""

from __future__ import annotations

import sys
from types import CodeType

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import check_password
from django.views.decorators.debug import sensitive_variables

#: Where `AbstractBaseUser.check_password` stores a renewed hash.
_SETTERS = frozenset(
    code
    for code in AbstractBaseUser.check_password.__code__.co_consts
    if isinstance(code, CodeType)
)
#: From there to a receiver of `pre_save`, overridden `save` methods included.
_DEEPEST = 30


@sensitive_variables()
def is_being_renewed(user: AbstractBaseUser, before: str) -> bool:
    """Whether Django's own `check_password` is storing the same password under a new hash.

    Nothing about the instance tells that from a new password, so the password is taken
    from the function in which Django does it, and proved against both hashes. (Its async
    twin saves in another thread and is not seen: there a renewal counts as a change.)
    """
    password = _password_being_stored(user)
    return (
        password is not None
        and check_password(password, before)
        and check_password(password, user.password)
    )


@sensitive_variables()
def _password_being_stored(user: AbstractBaseUser) -> str | None:
    frame = sys._getframe(1)
    for _ in range(_DEEPEST):
        if frame.f_code in _SETTERS and frame.f_locals.get("self") is user:
            password = frame.f_locals.get("raw_password")
            return password if isinstance(password, str) else None
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return None
