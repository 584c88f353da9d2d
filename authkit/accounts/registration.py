"""Making an account for oneself.

Whether an address is known already is told to its owner, by mail, and to nobody else:
the answer is the same, and so is the work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from authkit import audit, conf, signals
from authkit.accounts import (
    addresses,
    hashing,
    invitations,
    link_keys,
    mails,
    names,
    new_password,
    pace,
    throttle,
)
from authkit.accounts.client import client_of
from authkit.accounts.identify import is_possible, people_with_address
from authkit.exceptions import Busy, RegistrationClosed
from authkit.kernel.names import canonical
from authkit.models import LinkKey, SignInName

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Registration:
    """What somebody asks for, in canonical form and found good."""

    username: str
    address: str
    profile: Mapping[str, Any] = field(default_factory=dict)
    invited: invitations.Invited | None = None


class _Outrun(Exception):
    """Somebody else took a name in the same moment: look again."""


@sensitive_variables("password", "password_hash")
def register(
    request: HttpRequest,
    *,
    username: str = "",
    email: str,
    password: str,
    invitation: str = "",
    profile: Mapping[str, Any] | None = None,
) -> Registration:
    """Make an account, or tell the owner of the address by mail that there is one.

    Raises:
        RegistrationClosed: REGISTRATION does not let this person in.
        KeyNotValid: the invitation is not good.
        TooManyAttempts: from this address, or about it.
        ValidationError: by field, what is wrong or taken. Never that the address is.
    """
    with pace.steady_registration():
        throttle.spend_of(throttle.Scope.REGISTRATION, request)
        throttle.spend_mail(email, request)
        if not is_open(invitation):
            raise RegistrationClosed
        wanted = _read(username, email, password, profile or {}, request)
        if invitation:
            wanted = replace(wanted, invited=_invited(invitation, wanted))
        password_hash = hashing.hash_of(password)
        for _attempt in range(_ATTEMPTS):
            try:
                with transaction.atomic():
                    _carry_out(wanted, password_hash, request)
            except _Outrun:
                continue
            return wanted
    raise Busy("outrun each time")


def is_open(invitation: str = "") -> bool:
    """Whether somebody may register who has this key, which is not looked at, or none."""
    return conf.get().registration == "open" or (takes_invitation() and bool(invitation))


def takes_invitation() -> bool:
    """Whether nobody may register who is not invited."""
    return conf.get().registration == "invitation"


def has_usernames() -> bool:
    """Whether people have a user name beside their address."""
    return names.USERNAME.value in names.fields()


def _invited(text: str, wanted: Registration) -> invitations.Invited:
    return invitations.look_up(text, wanted.address, now=timezone.now())


@sensitive_variables("password")
def _read(
    username: str, email: str, password: str, profile: Mapping[str, Any], request: HttpRequest
) -> Registration:
    """What is asked for, if all of it is good in itself; what others have is not looked at.

    Raises:
        ValidationError: by field, all that is wrong.
    """
    problems: dict[str, list[Any]] = {}
    address, name = "", canonical(username) if has_usernames() else ""
    try:
        address = addresses.canonical_address(email)
    except ValidationError:
        problems["email"] = [_("Enter a valid e-mail address.")]
    if has_usernames() and (problem := _problem_of_username(name)):
        problems["username"], name = [problem], ""
    wanted = Registration(name, address, profile)
    person = _filled(wanted)
    problems |= _problems_of_model(person, but=problems)
    try:
        new_password.check(password, user=person, request=request)
    except ValidationError as error:
        problems["password"] = error.error_list
    if problems:
        raise ValidationError(problems)
    return wanted


def _problem_of_username(name: str) -> str:
    """What is wrong with it; one that looks like an address might be somebody's."""
    if not name:
        return _("This field is required.")
    return _("Take a name without “@”.") if "@" in name or not is_possible(name) else ""


def _filled(wanted: Registration) -> Any:
    person: Any = get_user_model()(**wanted.profile)
    _name(person, wanted)
    return person


def _name(person: Any, wanted: Registration) -> None:
    texts = {names.USERNAME: wanted.username, names.EMAIL: wanted.address}
    for kind, column in names.fields().items():
        setattr(person, column, texts[SignInName.Kind(kind)])


def _problems_of_model(person: Any, but: Iterable[str] = ()) -> dict[str, list[Any]]:
    """What the user model has against it, under our names; nothing of the fields in `but`.

    Where there are such, its clean() is not asked, which may count on them.
    """
    ours = {column: kind for kind, column in names.fields().items()}
    known = [column for column, kind in ours.items() if kind in but]
    try:
        if known:
            person.clean_fields(exclude=["password", *known])
        else:
            person.full_clean(["password"], validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        return {ours.get(name, name): found for name, found in error.error_dict.items()}
    return {}


def _unsaved(wanted: Registration) -> AbstractBaseUser:
    """The person that is to be, as the user model wants it; its clean() may fill in more.

    Raises:
        ValidationError: by field.
    """
    person = _filled(wanted)
    problems = _problems_of_model(person)
    if problems:
        raise ValidationError(problems)
    _name(person, wanted)  # clean() may write names otherwise
    return person  # type: ignore[no-any-return]


@sensitive_variables("password_hash", "person")
def _carry_out(wanted: Registration, password_hash: str, request: HttpRequest) -> None:
    is_named = bool(wanted.username)
    if is_named and _is_username_taken(wanted.username):
        raise ValidationError({"username": [_("A user with that username already exists.")]})
    if wanted.invited is not None:
        invitations.use_up(wanted.invited.invitation, now=timezone.now())
    if names.is_taken(names.EMAIL, wanted.address):
        _tell_owner(wanted, request)
        if is_named and not names.reserve(names.USERNAME, wanted.username):
            raise _Outrun
    else:
        _create(wanted, password_hash, request)


def _is_username_taken(name: str) -> bool:
    """Also by somebody who was written past the model."""
    model: Any = get_user_model()
    same = model._base_manager.filter(**{model.USERNAME_FIELD: name})
    return names.is_taken(names.USERNAME, name) or same.exists()


@sensitive_variables("password_hash", "person")
def _create(wanted: Registration, password_hash: str, request: HttpRequest) -> None:
    person = _unsaved(wanted)
    person.password = password_hash
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError:
        raise _Outrun from None
    if not names.has_to_itself(person):
        raise _Outrun
    settings = conf.get()
    if wanted.invited is not None and wanted.invited.is_proved:
        addresses.confirm(person, wanted.address, request)
    elif settings.email_verification != "off":
        SignInName.objects.filter(user_id=person.pk, kind=names.EMAIL).update(is_due=True)
        addresses.ask_to_verify(person, request)
    _record(person, request)
    transaction.on_commit(
        lambda: signals.registered.send_robust(sender=type(person), user=person, request=request)
    )


def _tell_owner(wanted: Registration, request: HttpRequest) -> None:
    """Mail the account's own address that somebody wanted to register with it."""
    owner = next(iter(people_with_address(wanted.address)), None)
    link_keys.issue(LinkKey.Purpose.VERIFY_EMAIL, None, "", now=timezone.now())
    address = "" if owner is None else names.address_of(owner)
    mails.send("account_exists", address, request=request, user=owner, page="forgot")
    _record(owner, request, kind="account.registered_again")


def _record(
    person: AbstractBaseUser | None, request: HttpRequest, kind: str = "account.registered"
) -> None:
    subject = "" if person is None else person.pk
    actor = person if kind == "account.registered" else None
    audit.record(kind, actor=actor, subject=subject, client=client_of(request))
