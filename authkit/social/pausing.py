"""How a sign-in waits for the person's answer, and how it goes on from where it stood.

What waits is sealed, and bound to the provider, its issuer and, where an account is linked,
to the person who links it and their sign-in. What it had found out is looked at again: in
the minutes between, people change passwords, unlink accounts and are deactivated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.crypto import constant_time_compare
from social_core.pipeline.utils import partial_prepare

from authkit import sessions
from authkit.exceptions import SignInRefused
from authkit.social import linking
from authkit.social.refusals import StateNotValid
from authkit.social.sign_in import Pause, Paused, SocialSignIn


def pause(
    asked: Pause, sign_in: SocialSignIn, backend: Any, pipeline_index: int, kwargs: dict[str, Any]
) -> Paused:
    """Let it wait at this step."""
    strategy = backend.strategy
    given = {name: value for name, value in kwargs.items() if name not in {"user", "social"}}
    given["reached"] = _reached_by(sign_in)
    partial = cast("Any", partial_prepare(strategy, backend, pipeline_index, **given))
    partial.attempts = strategy.attempts
    partial.data |= {
        "kept": dict(asked.kept),
        "needs": asked.needs,
        "text": asked.text,
        "asks": asked.asks,
        "issuer": strategy.provider.issuer,
        "next": strategy.next_url,
        "linker": strategy.linker,
    }
    partial.save()
    return Paused(partial.token, asked.needs, asked.text, asked.asks)


def restored(sign_in: SocialSignIn, reached: Mapping[str, Any]) -> SocialSignIn:
    """The sign-in as it stood; nothing where it has not waited.

    Raises:
        StateNotValid: whom it had found has another password by now, or unlinked it.
        SignInRefused: they have been deactivated.
    """
    if not reached:
        return sign_in
    sign_in = replace(
        sign_in,
        email=str(reached.get("email") or sign_in.email),
        has_own_account=reached.get("has_own_account") is True,
        is_new=reached.get("is_new") is True,
    )
    if reached.get("user") is None:
        return sign_in
    user = _still_the_same(sign_in, reached)
    account = linking.account_of(sign_in.identity)
    is_theirs = account is not None and account.user_id == user.pk
    if reached.get("is_linked") is True and not is_theirs:
        raise StateNotValid("unlinked_in_the_meantime")
    return replace(sign_in, user=user, account=account if is_theirs else None)


def _reached_by(sign_in: SocialSignIn) -> dict[str, Any]:
    """How far it has come, in words that can be kept."""
    found, account = sign_in.user, sign_in.account
    return {
        "email": sign_in.email,
        "has_own_account": sign_in.has_own_account,
        "is_new": sign_in.is_new,
        "user": None if found is None else str(found.pk),
        "credential": _credential_of(sign_in),
        "is_linked": found is not None and account is not None and account.user_id == found.pk,
    }


def _credential_of(sign_in: SocialSignIn) -> str:
    if sign_in.user is None or sign_in.is_link:
        return ""
    return sessions.credential_digest(sign_in.user)


def _still_the_same(sign_in: SocialSignIn, reached: Mapping[str, Any]) -> AbstractBaseUser:
    if sign_in.person is not None:  # whose sign-in has just been looked at
        if str(sign_in.person.pk) != reached["user"]:
            raise StateNotValid("somebody_else")
        return sign_in.person
    people: Any = get_user_model()._default_manager
    user = people.filter(pk=reached["user"]).first()
    if user is None:
        raise StateNotValid("gone_in_the_meantime")
    if not constant_time_compare(sessions.credential_digest(user), str(reached["credential"])):
        raise StateNotValid("password_changed_in_the_meantime")
    if not user.is_active:
        raise SignInRefused("deactivated in the meantime")
    return cast("AbstractBaseUser", user)
