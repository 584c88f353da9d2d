"""What the credentials of a request are worth: asked once in a request, whoever asks."""

from __future__ import annotations

from functools import partial
from typing import NoReturn

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import Error as DatabaseFailure
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from authkit import credentials, refusals
from authkit.accounts import guessing
from authkit.exceptions import AuthkitError, ImpersonationOver, UserInactive
from authkit.kernel.grant import Grant

Answer = tuple[AbstractBaseUser, Grant]

_BEARER = "_authkit_bearer"
_COOKIE = "_authkit_cookie"


def bearer(http: HttpRequest, presented: credentials.Presented) -> Answer:
    """What a bearer credential is worth.

    Raises:
        CredentialRejected: it is not valid.
        TooManyAttempts: it is made up, and one too many from this address.
        django.db.Error: the database cannot be asked.
    """
    found = http.__dict__.get(_BEARER)
    if found is None:
        try:
            found = credentials.resolve(presented, refuse=partial(_refuse_late, http))
        except AuthkitError as refusal:
            found = guessing.answer_to(http, refusal)
        http.__dict__[_BEARER] = found
    if isinstance(found, AuthkitError):
        raise found
    return found


@sensitive_variables("key", "found")
def cookie(http: HttpRequest) -> Answer | None:
    """What the session cookie is worth; asked once for each session key of a request.

    Raises:
        CredentialRejected: somebody signed in with it, and it does not count any more.
        django.db.Error: the database cannot be asked.
    """
    key = getattr(getattr(http, "session", None), "session_key", None)
    found = http.__dict__.get(_COOKIE)
    if found is None or found[0] != key:
        found = (key, _resolve_cookie(http))
        http.__dict__[_COOKIE] = found
    if isinstance(found[1], AuthkitError):
        raise found[1]
    return found[1]


def forget_cookie(http: HttpRequest) -> None:
    """Drop a session that has ended, so that the browser forgets its cookie.

    Not one by which an administrator was somebody else: it still leads back to their own.
    """
    found = http.__dict__.get(_COOKIE)
    if found is not None and isinstance(found[1], ImpersonationOver):
        return
    try:
        http.session.flush()
    except DatabaseFailure as failure:
        raise refusals.Unavailable from failure


def _resolve_cookie(http: HttpRequest) -> Answer | AuthkitError | None:
    try:
        return credentials.resolve_cookie(http)
    except AuthkitError as refusal:
        return refusal


def _refuse_late(http: HttpRequest) -> NoReturn:
    """A JWT's user turned out, when touched, to be deactivated or gone."""
    refusal = UserInactive()
    refusals.tell_refused(http, refusal)
    raise refusals.Refused(refusal) from refusal
