"""What ends a person's sign-ins without their asking: a new password, a closed account.

These come by any road (a form, the admin, a shell), so they are noticed where the user
is saved or deleted. What is changed past the model (`update()`, SQL) is noticed when a
credential is next looked up: every look-up compares the password and asks for is_active.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from authkit import audit, sessions, tokens
from authkit.access import acting, renewal
from authkit.accounts import current, names, passwords
from authkit.accounts.client import client_of
from authkit.models import UserSession
from authkit.models.prepared import has_field

_REASON = "_authkit_ends_sessions"
_OLD_DIGEST = "_authkit_old_digest"


def before_save(
    sender: type[AbstractBaseUser],
    instance: AbstractBaseUser,
    raw: bool = False,
    update_fields: Collection[str] | None = None,
    **_: object,
) -> None:
    """Notice that a person is about to be deactivated or to get another password."""
    instance.__dict__.pop(_OLD_DIGEST, None)  # of a save that failed
    watched = [name for name in ("password", "is_active") if has_field(sender, name)]
    saved = watched if update_fields is None else [n for n in watched if n in update_fields]
    if raw or instance._state.adding or not saved:
        return
    manager: Any = sender._base_manager
    before = manager.filter(pk=instance.pk).values(*saved).first()
    if before is None:
        return
    if "is_active" in saved and before["is_active"] and not instance.is_active:
        setattr(instance, _REASON, "deactivated")
    elif "password" in saved and before["password"] != instance.password:
        _notice_password(instance, before["password"], update_fields)


def after_save(
    sender: type[AbstractBaseUser],
    instance: AbstractBaseUser,
    update_fields: Collection[str] | None = None,
    **_: object,
) -> None:
    """Write down under which names a person is found now; see also `_end_sign_ins`."""
    if update_fields is None or not set(update_fields).isdisjoint(names.fields().values()):
        names.keep(instance)
    _end_sign_ins(instance)


def _end_sign_ins(instance: AbstractBaseUser) -> None:
    """End the sign-ins of a person who was deactivated or got another password.

    Whoever changes their own password keeps the sign-in with which they do it.
    """
    reason = instance.__dict__.pop(_REASON, None)
    old_digest = instance.__dict__.pop(_OLD_DIGEST, None)
    if old_digest is not None:
        passwords.carry_over(instance, old_digest)
    if reason is None:
        return
    request = current.request()
    grant = current.grant_of(request)
    is_own = grant is not None and grant.user_id == str(instance.pk)
    kept = grant.session_id if grant and is_own and reason == "password_changed" else None
    with transaction.atomic():
        if kept is not None:
            digest = sessions.credential_digest(instance)
            UserSession.objects.filter(pk=kept).update(credential_digest=digest)
            tokens.keep_token_of(kept, digest)
        audit.record(
            f"account.{reason}",
            actor=_who_acts(),
            subject=instance.pk,
            client=client_of(request),
            data={"name": str(instance)},
        )
        sessions.end_all_of(
            instance.pk,
            reason=reason,
            now=timezone.now(),
            except_id=kept,
            client=client_of(request),
            request=request,
        )


def before_delete(sender: type[AbstractBaseUser], instance: AbstractBaseUser, **_: object) -> None:
    """End the sign-ins of a person who is about to be deleted."""
    request = current.request()
    client = client_of(request)
    with transaction.atomic():
        sessions.lock_person(instance.pk)
        audit.record(
            "account.deleted",
            actor=_who_acts(),
            subject=instance.pk,
            client=client,
            data={"name": str(instance)},
        )
        sessions.end_all_of(
            instance.pk, reason="deleted", now=timezone.now(), client=client, request=request
        )


def _who_acts() -> Any:
    actor = acting.current()
    return None if actor is None else actor.person


@sensitive_variables("before", "new")
def _notice_password(
    instance: AbstractBaseUser, before: str, update_fields: Collection[str] | None
) -> None:
    is_alone = update_fields is not None and set(update_fields) == {"password"}
    if not (is_alone and renewal.is_being_renewed(instance, before)):
        setattr(instance, _REASON, "password_changed")
        return
    new = instance.password
    instance.password = before
    setattr(instance, _OLD_DIGEST, sessions.credential_digest(instance))
    instance.password = new
