"""The address that a provider vouches for, and whose it is here.

A provider's address counts only if the provider says that it has verified it, in the way
that its documentation describes. Any other is shown to people and otherwise ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from authkit.accounts import addresses, mails, throttle
from authkit.accounts.identify import people_with_address
from authkit.models.prepared import has_field
from authkit.social.providers import Provider

_LONGEST = 254
#: The claims of an ID token that say whether its address is verified.
VOUCHERS = ("email_verified", "xms_edov")
#: Microsoft's sign-in, worldwide and in the clouds of the USA's government and of China.
_ENTRA = (
    "https://login.microsoftonline.com/",
    "https://login.microsoftonline.us/",
    "https://login.partner.microsoftonline.cn/",
)


def address_of(provider: Provider, response: Mapping[str, Any]) -> tuple[str, bool]:
    """The address in a provider's answer ("" for none), and whether it has verified it."""
    address = response.get("email")
    if not isinstance(address, str) or not is_address(address):
        return "", False
    if provider.kind == "github":
        return address, _is_verified_by_github(address, response)
    if provider.kind == "gitlab":
        return address, bool(response.get("confirmed_at"))
    if not provider.is_openid:
        return address, False
    return address, response.get("email_verified") is True or _is_verified_by_entra(
        provider, response
    )


def is_address(text: str) -> bool:
    """Whether a text is an e-mail address."""
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= _LONGEST and text.isprintable()


def namesakes(address: str) -> list[AbstractBaseUser]:
    """The people here who have this address, verified or not."""
    return people_with_address(address) if field_name() else []


def is_proved_here(address: str) -> bool:
    """Whether somebody here has proved that the address is theirs."""
    return any(addresses.is_verified(user) for user in namesakes(address))


def field_name() -> str:
    """The column of the user model that holds the address; "" if there is none."""
    name = str(get_user_model().get_email_field_name())
    return name if has_field(get_user_model(), name) else ""


def is_needed() -> bool:
    """Whether nobody can have an account without one."""
    return field_name() == get_user_model().USERNAME_FIELD


def _is_verified_by_entra(provider: Provider, response: Mapping[str, Any]) -> bool:
    """Whether Microsoft says that the owner of the address's domain is verified.

    It has no `email_verified`, and whoever administers a tenant writes any address into it.
    `xms_edov` ("email domain owner verified") is an optional claim of the ID token: a
    Boolean by its documentation, and seen as 1 and "1". No other issuer's counts.
    """
    is_entra = provider.issuer.startswith(_ENTRA)
    return is_entra and str(response.get("xms_edov")) in {"True", "true", "1"}


def _is_verified_by_github(address: str, response: Mapping[str, Any]) -> bool:
    listed = response.get("emails")
    return isinstance(listed, list) and any(
        isinstance(each, dict) and each.get("email") == address and each.get("verified") is True
        for each in listed
    )


@sensitive_variables("code")
def send_code(address: str, code: str, request: HttpRequest | None) -> None:
    """Let whoever reads the mail of this address prove it.

    Raises:
        TooManyAttempts: the recipient has been written to so often.
    """
    throttle.spend_mail(address, request)
    mails.send("social_code", address, request=request, code=code)
