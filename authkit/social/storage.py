"""Where python-social-auth keeps what it keeps: in our models, or nowhere.

Its own tables know an account by provider and uid alone, hold the provider's tokens in
clear, and get a row for each sign-in that is merely begun.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import IntegrityError
from django.utils import timezone
from django.utils.crypto import get_random_string
from social_core.storage import BaseStorage, NonceMixin, PartialMixin
from social_django.storage import DjangoUserMixin

from authkit import sealing
from authkit.models import PausedSignIn, SocialAccount
from authkit.social.transactions import LIFETIME, digest_of

_PAUSED = "social pause"


class People(DjangoUserMixin):
    """The user model, and who is linked to whom."""

    @classmethod
    def user_model(cls) -> Any:
        """The project's."""
        return get_user_model()

    @classmethod
    def username_max_length(cls) -> int:
        """Of whatever people are known by."""
        field = get_user_model()._meta.get_field(get_user_model().USERNAME_FIELD)
        return int(getattr(field, "max_length", None) or 150)

    @classmethod
    def get_social_auth(cls, provider: str, uid: str, id_key: str | None = None) -> Any:
        """The linked account of a pause that goes on; identities are found by `linking`."""
        rows = SocialAccount.objects.select_related("user")
        return rows.filter(provider=provider, subject=str(uid)).first()


class NoNonces(NonceMixin):
    """States are random, and spent by `transactions` before python-social-auth looks."""

    @classmethod
    def use(cls, server_url: str, timestamp: Any, salt: str) -> bool:
        """Store nothing for what is merely begun."""
        return True

    @classmethod
    def consume(cls, server_url: str, timestamp: int, salt: str) -> bool:
        """Let it pass: it has been spent."""
        return True


class Partial(PartialMixin):
    """A pipeline that waits for the person. Whoever holds its token may go on with it."""

    def __init__(self) -> None:
        """Be empty; python-social-auth fills it in."""
        self.attempts = 0

    def save(self) -> None:
        """Store it sealed, until it would be too old to go on."""
        content = {"next_step": self.next_step, "data": self.data}
        PausedSignIn.objects.update_or_create(
            digest=digest_of(self.token),
            defaults={
                "provider": self.backend,
                "attempts": self.attempts,
                "sealed": sealing.seal(_PAUSED, json.dumps(content, default=_plain)),
                "expires_at": timezone.now() + LIFETIME,
            },
        )

    @classmethod
    def generate_token(cls) -> str:
        """Nobody guesses it."""
        return get_random_string(43)

    @classmethod
    def load(cls, token: str) -> Partial | None:
        """What waits under this token, if its time is not over."""
        rows = PausedSignIn.objects.filter(digest=digest_of(token))
        row = rows.filter(expires_at__gt=timezone.now()).first()
        if row is None:
            return None
        try:
            content = sealing.unseal_object(_PAUSED, row.sealed)
        except sealing.Unsealable:  # SECRET_KEY has changed in the meantime
            return None
        partial = cls()
        partial.token, partial.backend = token, row.provider
        partial.next_step, partial.data = content["next_step"], content["data"]
        partial.attempts = row.attempts
        return partial

    @classmethod
    def destroy(cls, token: str) -> None:
        """Let nobody go on with it."""
        PausedSignIn.objects.filter(digest=digest_of(token)).delete()


class SocialStorage(BaseStorage):
    """For python-social-auth, in the place of `social_django.models.DjangoStorage`."""

    user = People
    nonce = NoNonces
    partial = Partial

    @classmethod
    def is_integrity_error(cls, exception: BaseException) -> bool:
        """Whether two did the same at once."""
        return isinstance(exception, IntegrityError)


def _plain(value: object) -> object:
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(type(value).__name__)
