"""What the steps hand to each other: a sign-in through a provider, as far as it has come."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser

from authkit.models import SocialAccount
from authkit.social.providers import Provider


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is at a provider. Never an e-mail address, never a name."""

    provider: str
    issuer: str
    subject: str

    @property
    def digest(self) -> str:
        """Stands for all three, exactly."""
        text = json.dumps([self.provider, self.issuer, self.subject])
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class SocialSignIn:
    """A sign-in on its way.

    Attributes:
        provider: by whose word.
        identity: whom it vouches for.
        email: an address that is known to be theirs, or "".
        told_email: what the provider called their address, whether or not it is.
        details: names, as python-social-auth writes them.
        claims: what the provider said, the tokens aside.
        organisations: of which they are a member there.
        person: who is signed in and links this identity; None for a sign-in.
        user, account: who it turned out to be.
        is_new: whether the account here was made for this sign-in.
        has_own_account: whether the person said that a namesake's account is not theirs.
        tokens: the provider's, for `keep_tokens`.
        answers: what the person answered to the pause that is over.
        request: of HTTP.
    """

    provider: Provider
    identity: Identity
    email: str = ""
    told_email: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    claims: Mapping[str, Any] = field(default_factory=dict)
    organisations: tuple[str, ...] = ()
    person: AbstractBaseUser | None = None
    user: AbstractBaseUser | None = None
    account: SocialAccount | None = None
    is_new: bool = False
    has_own_account: bool = False
    tokens: Mapping[str, Any] = field(default_factory=dict, repr=False)
    answers: Mapping[str, Any] = field(default_factory=dict, repr=False)
    request: Any = None

    @property
    def is_link(self) -> bool:
        """Whether somebody who is signed in links an account."""
        return self.person is not None


@dataclass(frozen=True, slots=True)
class Pause:
    """A step's word that the person must answer something first.

    Attributes:
        needs: a stable code of what: "email", "email_code", "link", or a word of the project's.
        text: what they are asked, for people.
        asks: what the field is called in which they write it, where a project's step wants a
            text; it finds it in `SocialSignIn.answers["answer"]`.
        kept: what the step finds again in its next run, by `SocialSignIn.answers["kept"]`.
    """

    needs: str
    text: str
    kept: Mapping[str, Any] = field(default_factory=dict, repr=False)
    asks: str = ""


@dataclass(frozen=True, slots=True)
class Paused:
    """A sign-in that waits: `token` lets its holder go on."""

    token: str = field(repr=False)
    needs: str = ""
    text: str = ""
    asks: str = ""
