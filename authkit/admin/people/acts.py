"""What can be done to an account from its page, and to many from the list.

`ACTS` is in the order of the buttons. Other parts of authkit, and a project, add to it;
`PersonAdmin.get_acts` has the last word.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from authkit.accounts import addresses, care, lockouts
from authkit.admin.base import Text


@dataclass(frozen=True, slots=True)
class Told:
    """What came of it, for the one who asked."""

    text: str
    level: int = messages.SUCCESS


Do = Callable[[Any, AbstractBaseUser, HttpRequest], "Told | HttpResponse"]
#: Whether it can be done to this person, by this one.
Fits = Callable[[Any, Any], bool]


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that can be done to an account.

    Attributes:
        slug: its name in addresses.
        text: what the button says.
        permission: what it takes, besides holding at least what the person holds; ``change``
            stands for the permission to change people.
        fits: whether there is a button.
        do: does it, and tells what came of it, or answers the request itself.
        question: asked before; a button without one acts at once.
        is_grave: whether it takes a recent sign-in.
    """

    slug: str
    text: Text
    permission: str
    fits: Fits
    do: Do
    question: tuple[Text, ...] = ()
    is_grave: bool = False


def _sign_out(person: Any, actor: AbstractBaseUser, request: HttpRequest) -> Told:
    ended = care.sign_out(person, actor=actor, request=request)
    if not ended:
        return Told(_("This person was not signed in anywhere."), messages.WARNING)
    text = ngettext("%(count)d session was ended.", "%(count)d sessions were ended.", ended)
    return Told(text % {"count": ended})


def _send_reset_link(person: Any, actor: AbstractBaseUser, request: HttpRequest) -> Told:
    care.send_reset_link(person, actor=actor, request=request)
    return Told(_("A link to a new password is on its way to this person's address."))


def _require_new_password(person: Any, actor: AbstractBaseUser, request: HttpRequest) -> Told:
    if care.require_new_password(person, actor=actor, request=request):
        return Told(_("The old password works no more. A link to a new one is on its way."))
    text = _("The old password works no more. No link was sent: set a new password for them.")
    return Told(text, messages.WARNING)


def _resend_verification(person: Any, actor: AbstractBaseUser, request: HttpRequest) -> Told:
    care.resend_verification(person, actor=actor, request=request)
    return Told(_("The link that confirms the address is on its way."))


def _unlock(person: Any, actor: AbstractBaseUser, request: HttpRequest) -> Told:
    ended = care.unlock(person, actor=actor, request=request)
    if not ended:
        return Told(_("All of it had ended before."), messages.WARNING)
    text = ngettext("%(count)d lock-out was ended.", "%(count)d lock-outs were ended.", ended)
    return Told(text % {"count": ended})


def _deactivate(person: Any, actor: AbstractBaseUser, request: HttpRequest) -> Told:
    if care.deactivate(person, actor=actor, request=request):
        return Told(_("The account is deactivated, and all that it had has ended."))
    text = _("The account was deactivated before. What was left of it has ended now.")
    return Told(text, messages.WARNING)


def is_locked_out(person: Any) -> bool:
    """Whether something keeps this person out now."""
    locked = lockouts.live(now=timezone.now())
    return locked.filter(lockouts.of_person(person.pk)).exists()


ACTS: list[Act] = [
    Act(
        "unlock",
        gettext_lazy("Unlock"),
        "authkit.change_throttle",
        lambda person, _actor: is_locked_out(person),
        _unlock,
    ),
    Act(
        "send-reset-link",
        gettext_lazy("Send a reset link"),
        "change",
        lambda person, _actor: care.may_be_mailed(person),
        _send_reset_link,
    ),
    Act(
        "resend-verification",
        gettext_lazy("Resend verification"),
        "change",
        lambda person, _actor: care.may_be_mailed(person) and not addresses.is_verified(person),
        _resend_verification,
    ),
    Act(
        "sign-out",
        gettext_lazy("Sign out everywhere"),
        "authkit.change_usersession",
        lambda _person, _actor: True,
        _sign_out,
        (
            gettext_lazy("Every session ends, and whatever hangs from it."),
            gettext_lazy("Personal access tokens go on."),
        ),
        is_grave=True,
    ),
    Act(
        "require-new-password",
        gettext_lazy("Require a new password"),
        "change",
        lambda person, actor: person.pk != actor.pk and person.has_usable_password(),
        _require_new_password,
        (
            gettext_lazy("The password works no more, by whatever door, and no answer tells so."),
            gettext_lazy("Every session and every personal access token ends."),
            gettext_lazy(
                "A link to a new password goes to the address of the account; later, they get"
                " another where people go who have forgotten theirs."
            ),
            gettext_lazy("A sign-in through a linked account still works."),
        ),
        is_grave=True,
    ),
    Act(
        "deactivate",
        gettext_lazy("Deactivate and end everything"),
        "change",
        lambda person, actor: (
            person.is_active and person.pk != actor.pk and care.may_deactivate(person)
        ),
        _deactivate,
        (
            gettext_lazy("Nobody gets in by this account until it is activated again."),
            gettext_lazy("Every session, personal access token and link in a mail ends for good."),
        ),
        is_grave=True,
    ),
]
