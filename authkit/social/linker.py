"""Who links an account: the same person from begin to end, in the same sign-in."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from authkit.accounts import current
from authkit.social.refusals import WrongPerson
from authkit.social.transactions import Linker


def of(person: AbstractBaseUser, request: HttpRequest) -> Linker:
    """What is kept, sealed, of who begins to link."""
    grant = current.grant_of(request)
    return [str(person.pk), str(grant.session_id) if grant is not None else ""]


def require(
    begun_by: Linker | None, person: Callable[[], AbstractBaseUser | None], request: HttpRequest
) -> AbstractBaseUser | None:
    """Who links; None where somebody signs in.

    Raises:
        WrongPerson: it is not who began it, or no longer in the same sign-in.
    """
    if begun_by is None:
        return None
    found = person()
    if found is None or of(found, request) != begun_by:
        raise WrongPerson
    return found
