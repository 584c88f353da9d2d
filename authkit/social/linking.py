"""Who has linked which identity; to link, to sign up, to unlink."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import get_random_string

from authkit import audit, sessions, signals
from authkit.accounts import addresses, current, names, retired
from authkit.accounts.client import client_of
from authkit.exceptions import KeyNotValid, SignInRefused
from authkit.kernel.names import canonical
from authkit.models import SocialAccount, UserSession
from authkit.models.prepared import has_field
from authkit.social import providers, roles
from authkit.social.emails import field_name, is_needed
from authkit.social.refusals import (
    AccountInUse,
    EmailInUse,
    LastWayIn,
    SocialRefused,
    StateNotValid,
)
from authkit.social.sign_in import Identity, SocialSignIn

_ATTEMPTS = 5
_LONGEST_NAME = 254
_CLOCKS_DIFFER = timedelta(minutes=1)


def account_of(identity: Identity) -> SocialAccount | None:
    """The linked account of an identity."""
    rows = SocialAccount.objects.select_related("user")
    return rows.filter(digest=identity.digest).first()


def accounts_of(user: AbstractBaseUser) -> QuerySet[SocialAccount]:
    """What a person has linked."""
    return SocialAccount.objects.filter(user_id=user.pk)


def link(sign_in: SocialSignIn, user: AbstractBaseUser) -> SocialAccount:
    """Link the identity to this person, or note that it was used again.

    Raises:
        AccountInUse: it is another person's.
    """
    known = sign_in.account or account_of(sign_in.identity)
    if known is None:
        try:
            with transaction.atomic():
                sessions.lock_unchanged(user)
                return _create(sign_in, user)
        except IntegrityError:  # in the same moment, by another request
            known = account_of(sign_in.identity)
    if known is None or known.user_id != user.pk:
        raise AccountInUse
    _note(known, sign_in)
    return known


def sign_up(sign_in: SocialSignIn, email: str) -> tuple[SocialAccount, bool]:
    """A new person with this identity, and True; or whoever was quicker, and False."""
    for attempt in range(_ATTEMPTS):
        try:
            with transaction.atomic():
                user = _create_person(sign_in, email, attempt)
                return _create(sign_in, user), True
        except IntegrityError:  # the identity, or the user name, was taken in the meantime
            known = account_of(sign_in.identity)
            if known is not None:
                _note(known, sign_in)
                return known, False
    if is_needed():
        raise EmailInUse
    raise SignInRefused("no user name was free")


def unlink(
    account: SocialAccount, *, actor: Any, request: HttpRequest, keeps_way_in: bool = True
) -> None:
    """Remove a link, and end the sign-ins that may have come by it.

    Those are all that the person has begun since it was linked, as after a change of
    password; the one in which they unlink it themselves goes on. Two at once wait for each
    other, so that one way in stays.

    Raises:
        LastWayIn: without it the person could not sign in.
    """
    client = client_of(request)
    with transaction.atomic():
        sessions.lock_person(account.user_id)
        user = get_user_model()._default_manager.filter(pk=account.user_id).first()
        known = None if user is None else accounts_of(user).filter(pk=account.pk).first()
        if user is None or known is None:
            return
        if keeps_way_in and not _has_other_way_in(user, known):
            raise LastWayIn
        roles.take_back(known)
        known.delete()
        data = {"provider": known.provider, "account": known.subject}
        audit.record("social.unlinked", actor=actor, subject=user.pk, client=client, data=data)
        sessions.end(
            _begun_since(known, actor, request),
            reason="unlinked",
            now=timezone.now(),
            actor=actor,
            client=client,
            request=request,
        )


@contextmanager
def held(account: SocialAccount) -> Iterator[None]:
    """Around the beginning of a sign-in: its account is not unlinked in the meantime.

    Raises:
        StateNotValid: it has been.
    """
    with transaction.atomic():
        sessions.lock_person(account.user_id)
        if not SocialAccount.objects.filter(pk=account.pk, user_id=account.user_id).exists():
            raise StateNotValid("unlinked_in_the_meantime")
        yield


def _begun_since(account: SocialAccount, actor: Any, request: HttpRequest) -> list[UUID]:
    since = account.created_at - _CLOCKS_DIFFER
    rows = UserSession.objects.filter(user_id=account.user_id, revoked_at=None)
    grant = current.grant_of(request)
    if grant is not None and grant.session_id is not None and actor.pk == account.user_id:
        rows = rows.exclude(pk=grant.session_id)
    return list(rows.filter(created_at__gte=since).values_list("pk", flat=True))


def _has_other_way_in(user: AbstractBaseUser, account: SocialAccount) -> bool:
    """Whether there is a password, or another identity that still opens the door."""
    if retired.has_working_password(user):
        return True
    others = accounts_of(user).exclude(pk=account.pk)
    return any(_opens_the_door(other) for other in others)


def _opens_the_door(account: SocialAccount) -> bool:
    try:
        return providers.find(account.provider).issuer == account.issuer
    except SocialRefused:
        return False


def _create(sign_in: SocialSignIn, user: AbstractBaseUser) -> SocialAccount:
    now = timezone.now()
    account = SocialAccount.objects.create(
        digest=sign_in.identity.digest,
        user_id=user.pk,
        provider=sign_in.identity.provider,
        issuer=sign_in.identity.issuer,
        subject=sign_in.identity.subject,
        created_at=now,
        last_used_at=now,
        **_told(sign_in),
    )
    account.user = user  # type: ignore[assignment] # whatever the user model is
    audit.record(
        "social.linked",
        actor=sign_in.person or user,
        subject=user.pk,
        client=client_of(sign_in.request),
        data={"provider": account.provider, "issuer": account.issuer, "account": account.subject},
    )
    return account


def _note(account: SocialAccount, sign_in: SocialSignIn) -> None:
    told = {**_told(sign_in), "last_used_at": timezone.now()}
    if not SocialAccount.objects.filter(pk=account.pk).update(**told):
        raise StateNotValid("unlinked_in_the_meantime")
    for name, value in told.items():
        setattr(account, name, value)


def _told(sign_in: SocialSignIn) -> dict[str, Any]:
    """What the provider said this time, as far as it is kept."""
    name = sign_in.details.get("fullname") or sign_in.details.get("username") or ""
    is_verified = bool(sign_in.told_email) and sign_in.email == sign_in.told_email
    return {
        "display_name": storable(name)[:_LONGEST_NAME],
        "email": sign_in.told_email,
        "is_email_verified": is_verified,
        "claims": roles.kept_claims(sign_in.provider, sign_in.claims),
    }


def _create_person(sign_in: SocialSignIn, email: str, attempt: int) -> AbstractBaseUser:
    model: Any = get_user_model()
    fields = {
        name: storable(sign_in.details.get(name, ""))[: model._meta.get_field(name).max_length]
        for name in ("first_name", "last_name")
        if has_field(model, name)
    }
    if field_name():
        fields[field_name()] = email
    if not is_needed():
        fields[model.USERNAME_FIELD] = _free_name(sign_in, email, attempt)
    user: AbstractBaseUser = model._default_manager.create_user(password=None, **fields)
    if email:
        _confirm(user, email, sign_in)
    if not names.has_to_itself(user):
        raise IntegrityError("somebody else has taken the name in the meantime")
    request = sign_in.request
    transaction.on_commit(
        lambda: signals.registered.send_robust(sender=type(user), user=user, request=request)
    )
    audit.record(
        "social.signed_up",
        actor=user,
        subject=user.pk,
        client=client_of(sign_in.request),
        data={"provider": sign_in.identity.provider},
    )
    return user


def _confirm(user: AbstractBaseUser, email: str, sign_in: SocialSignIn) -> None:
    """The provider, or our mail, has proved the address."""
    try:
        addresses.confirm(user, email, sign_in.request)
    except KeyNotValid:
        raise IntegrityError("somebody else has proved the address in the meantime") from None


def _free_name(sign_in: SocialSignIn, email: str, attempt: int) -> str:
    """A user name that nobody has: the one from there, with something added if it is taken."""
    model: Any = get_user_model()
    wanted = sign_in.details.get("username") or email.partition("@")[0] or "person"
    name = canonical("".join(c for c in wanted if c.isalnum() or c in "._-")) or "person"
    most = int(model._meta.get_field(model.USERNAME_FIELD).max_length or 150)
    name = name[: most - 9]
    same = model._default_manager.filter(**{model.USERNAME_FIELD: name})
    if attempt or names.is_taken(names.USERNAME, name) or same.exists():
        name = f"{name}-{get_random_string(8, 'abcdefghjkmnpqrstuvwxyz23456789')}"
    return name


def storable(text: object) -> str:
    """A text of the provider without what no database takes and no page should show."""
    return "".join(c for c in str(text) if c.isprintable())
