"""What an administrator cannot do in somebody else's name.

They came to look: nothing is written, unless IMPERSONATION_WRITES lets them. Even then,
whatever guards itself is closed to writes (authkit's own pages and API, the admin sites,
Django's own views): there, people manage their account and others' access.
"""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from authkit import admission, audit, conf, credentials, resolved
from authkit.access import enforcement, refusal_page
from authkit.access.enforcement import SAFE_METHODS
from authkit.access.refusals import WhileImpersonating
from authkit.accounts import current
from authkit.accounts.client import client_of
from authkit.exceptions import AuthkitError
from authkit.kernel.grant import Grant


def asks(request: HttpRequest) -> bool:
    """Whether a request could be closed, which only its cookie tells."""
    return request.method not in SAFE_METHODS and conf.get().impersonation


def answer(request: HttpRequest) -> HttpResponseBase | None:
    """The refusal of what is closed; None for everybody else, and for a way out.

    Raises:
        django.db.Error: the database cannot be asked.
    """
    if not asks(request):
        return None
    found = found_by_cookie(request)
    if found is None or not found[1].is_impersonated or _is_way_out(request):
        return None
    person, grant = found
    if conf.get().impersonation_writes and enforcement.question_of(request) is not None:
        return None
    audit.record(
        "access.refused",
        actor=person,
        subject=request.path,
        session_id=grant.session_id,
        client=client_of(request),
        data={"code": WhileImpersonating.code},
    )
    return refusal_page.answer(request, WhileImpersonating())


def found_by_cookie(request: HttpRequest) -> tuple[AbstractBaseUser, Grant] | None:
    """Whom the session cookie stands for, whatever the view makes of it; None beside a token."""
    presented = credentials.presented_in(request)
    if presented is not None and presented.is_ours:
        return None
    try:
        found = resolved.cookie(request)
    except AuthkitError:
        return None
    if found is not None and found[1].is_impersonated:
        current.remember(request, found[1])
    return found


def _is_way_out(request: HttpRequest) -> bool:
    """Where people sign in or out: it ends all of it."""
    if admission.is_at_door(request):
        return True
    view = getattr(request.resolver_match, "func", None)
    return bool(getattr(getattr(view, "cls", None), "is_door", False))
