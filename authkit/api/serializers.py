"""The shapes of what goes in and out. No rule lives here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from authkit import conf, tokens, wording
from authkit.access.scopes import unknown_in
from authkit.accounts.identify import MAX_LENGTH
from authkit.accounts.passwords import LONGEST
from authkit.kernel.grant import Grant
from authkit.kernel.language import PatternError, parse_pattern
from authkit.models import BearerToken, UserSession
from authkit.models.prepared import has_field


class SignIn(serializers.Serializer[Any]):
    """A user name or an e-mail address, and a password."""

    username = serializers.CharField(max_length=MAX_LENGTH, required=False)
    email = serializers.CharField(max_length=MAX_LENGTH, required=False)
    password = serializers.CharField(max_length=LONGEST, trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take one name, whichever it was called."""
        name = attrs.get("username") or attrs.get("email")
        if not name:
            raise serializers.ValidationError({"username": [_("This field is required.")]})
        return {"name": name, "password": attrs["password"]}


class Refresh(serializers.Serializer[Any]):
    """A refresh token."""

    refresh = serializers.CharField(max_length=8192, trim_whitespace=False)


class AnyToken(serializers.Serializer[Any]):
    """A token to be looked into (RFC 7662 §2.1) or revoked (RFC 7009 §2.1)."""

    token = serializers.CharField(max_length=8192, trim_whitespace=False)
    token_type_hint = serializers.CharField(max_length=64, required=False, allow_blank=True)


class Password(serializers.CharField):
    """A password, exactly as it was typed. Its length is looked at before it is hashed."""

    def __init__(self, **how: Any) -> None:
        super().__init__(max_length=LONGEST, trim_whitespace=False, allow_blank=True, **how)


class Registration(serializers.Serializer[Any]):
    """A new account. Where people have no user name, none is asked for.

    An empty name is judged with all the rest, so that people read at once all that is wrong.
    """

    username = serializers.CharField(
        max_length=MAX_LENGTH, required=False, allow_blank=True, default=""
    )
    email = serializers.CharField(max_length=MAX_LENGTH)
    password = Password()
    invitation = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")


class MailedKey(serializers.Serializer[Any]):
    """The key of a link."""

    key = serializers.CharField(max_length=200, trim_whitespace=False)


class Address(serializers.Serializer[Any]):
    """An e-mail address."""

    email = serializers.CharField(max_length=MAX_LENGTH)


class NewAddress(Address):
    """An address for one's account, and the password unless it was given a moment ago."""

    password = Password(required=False, allow_null=True, default=None)


class OwnPassword(serializers.Serializer[Any]):
    """The caller's own password."""

    password = Password()


class Proof(serializers.Serializer[Any]):
    """The caller's own password, unless it was given a moment ago."""

    password = Password(required=False, allow_null=True, default=None)


class PasswordChange(serializers.Serializer[Any]):
    """The password that is, and the one that is to be."""

    old_password = Password()
    new_password = Password()


class PasswordReset(MailedKey):
    """The key that was mailed, and a new password."""

    new_password = Password()


class Moment(serializers.DateTimeField):
    """A time; a day that its time zone does not have is one that is wrong."""

    def to_internal_value(self, value: Any) -> datetime:
        """The time; a plain one is in the current time zone."""
        try:
            moment: datetime = super().to_internal_value(value)
        except OverflowError:
            raise serializers.ValidationError(_("There is no such moment."), "overflow") from None
        return moment


class NewToken(serializers.Serializer[Any]):
    """A personal access token to be made."""

    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, allow_null=True, max_length=100
    )
    expires_at = Moment(required=False, allow_null=True)

    def validate_scopes(self, scopes: list[str] | None) -> list[str] | None:
        """Take scopes in the language of access: ``api.article:read``."""
        for scope in scopes or ():
            try:
                parse_pattern(scope)
            except PatternError as error:
                raise serializers.ValidationError(wording.pattern_text(error)) from None
        unknown = unknown_in(scopes or ())
        if unknown:
            raise serializers.ValidationError(wording.unknown_scopes_text(unknown))
        return scopes

    def validate_expires_at(self, expires_at: datetime | None) -> datetime | None:
        """Take no end that is over already."""
        if expires_at and not tokens.is_possible_end(expires_at, now=timezone.now()):
            raise serializers.ValidationError(_("This moment is in the past, or too far away."))
        return expires_at


class Session(serializers.ModelSerializer[UserSession]):
    """A sign-in, as its owner sees it."""

    current = serializers.SerializerMethodField()

    class Meta:
        model = UserSession
        fields = (
            "id",
            "kind",
            "created_at",
            "last_seen_at",
            "expires_at",
            "ip",
            "user_agent",
            "current",
            "is_impersonated",
        )

    def get_current(self, session: UserSession) -> bool:
        """Whether it is the one that asks."""
        return bool(session.pk == self.context.get("current"))


class Token(serializers.ModelSerializer[BearerToken]):
    """A personal access token, as its owner sees it; never its text."""

    class Meta:
        model = BearerToken
        fields = ("id", "name", "scopes", "created_at", "last_used_at", "expires_at")


def profile_of(user: AbstractBaseUser) -> dict[str, Any]:
    """Who somebody is: `id`, `username`, `email`, and the fields of PROFILE_FIELDS."""
    model: Any = get_user_model()
    email_field = model.get_email_field_name()
    own = {name: getattr(user, name) for name in _profile_fields()}
    return own | {
        "id": user.pk,
        "username": user.get_username(),
        "email": getattr(user, email_field, ""),
    }


def impersonator_of(grant: Grant) -> dict[str, Any] | None:
    """The administrator who acts in the caller's name; None where it is the person."""
    if grant.impersonator_id is None:
        return None
    key = get_user_model()._meta.pk.to_python(grant.impersonator_id)
    return {"id": key, "username": grant.impersonator_name}


def profile_serializer() -> type[serializers.ModelSerializer[Any]]:
    """The serializer of the fields that people may edit of themselves."""
    meta = type("Meta", (), {"model": get_user_model(), "fields": _profile_fields()})
    return type("Profile", (serializers.ModelSerializer,), {"Meta": meta})


def _profile_fields() -> tuple[str, ...]:
    model = get_user_model()
    return tuple(name for name in conf.get().profile_fields if has_field(model, name))
