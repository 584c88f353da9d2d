"""Who has which name: kept beside the accounts, so that a name is found fast and given once.

Whatever saves a user keeps it true. Accounts that are written past the model
(`bulk_create`, `update()`, SQL) are found by their exact user name only, until they are
saved, or `keep` is called for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from authkit.kernel import names as kernel
from authkit.models import SignInName
from authkit.models.prepared import has_field

USERNAME, EMAIL = SignInName.Kind.USERNAME, SignInName.Kind.EMAIL


def fields() -> dict[str, str]:
    """The columns of the user model that hold names, by kind; the address first."""
    model: Any = get_user_model()
    found = {EMAIL.value: model.get_email_field_name()}
    if model.USERNAME_FIELD not in found.values():
        found[USERNAME.value] = model.USERNAME_FIELD
    return {kind: name for kind, name in found.items() if has_field(model, name)}


def of(user: AbstractBaseUser) -> dict[str, str]:
    """The names of a person, by kind, as they are stored; no empty ones."""
    texts = {kind: getattr(user, name) for kind, name in fields().items()}
    return {kind: str(text) for kind, text in texts.items() if text}


def address_of(user: AbstractBaseUser) -> str:
    """The e-mail address of a person; empty if there is none."""
    return of(user).get(EMAIL, "")


def keep(user: AbstractBaseUser) -> None:
    """Write down what a person is called now. What has not changed stays as it is."""
    wanted = {kind: kernel.digest_of(kind, text) for kind, text in of(user).items()}
    with transaction.atomic():
        known = {name.kind: name for name in SignInName.objects.filter(user_id=user.pk)}
        gone = [name.pk for kind, name in known.items() if wanted.get(kind) != name.digest]
        if gone:
            SignInName.objects.filter(pk__in=gone).delete()
        for kind, digest in wanted.items():
            if kind not in known or known[kind].pk in gone:
                _write(user, kind, digest)


def people_called(names: Mapping[str, str]) -> QuerySet[Any]:
    """The accounts that may have one of these names, given by kind.

    To be looked at again; some come twice.
    """
    digests = [kernel.digest_of(kind, text) for kind, text in names.items()]
    people: Any = get_user_model()._default_manager
    found: QuerySet[Any] = people.filter(authkit_names__digest__in=digests)
    return found


def is_taken(kind: str, text: str) -> bool:
    """Whether a name is somebody's, or reserved."""
    return SignInName.objects.filter(digest=kernel.digest_of(kind, text)).exists()


def reserve(kind: str, text: str) -> bool:
    """Let nobody have a name. False if somebody has it already."""
    return _create(None, kind, kernel.digest_of(kind, text), is_claim=True)


def has_to_itself(user: AbstractBaseUser) -> bool:
    """Whether nobody else is called what this person is called."""
    return not SignInName.objects.filter(user_id=user.pk, claim=None).exists()


def take(user: AbstractBaseUser, address: str) -> bool:
    """Give a confirmed address to its person. False if somebody else has confirmed it."""
    digest = kernel.digest_of(EMAIL, address)
    others = SignInName.objects.filter(claim=digest).exclude(user_id=user.pk)
    if others.filter(verified_at__isnull=False).exists():
        return False
    others.update(claim=None)
    own = SignInName.objects.filter(user_id=user.pk, kind=EMAIL, digest=digest)
    try:
        with transaction.atomic():
            return bool(own.update(claim=digest, verified_at=timezone.now(), is_due=False))
    except IntegrityError:  # somebody was faster
        return False


def _write(user: AbstractBaseUser, kind: str, digest: str) -> None:
    is_free = not SignInName.objects.filter(claim=digest).exists()
    if not (is_free and _create(user, kind, digest, is_claim=True)):
        _create(user, kind, digest, is_claim=False)


def _create(user: AbstractBaseUser | None, kind: str, digest: str, *, is_claim: bool) -> bool:
    claim = digest if is_claim else None
    user_id = None if user is None else user.pk
    try:
        with transaction.atomic():
            SignInName.objects.create(
                user_id=user_id, kind=kind, digest=digest, claim=claim, created_at=timezone.now()
            )
    except IntegrityError:  # somebody else has it, or another process has written it just now
        return False
    return True
