"""What the guards answer. Django and REST framework make a 403 of each by themselves."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from authkit import wording
from authkit.exceptions import NotPermitted


class GuardRefusal(NotPermitted, PermissionDenied):
    """A change of access that whoever asks for it may not make.

    `what` names, for the person, what it is about. The change is not made, and what was
    changed along with it in the same transaction is to be rolled back.
    """

    def __init__(self, what: str = "") -> None:
        """Tell people what it is about; they have asked for it themselves."""
        self.what = what
        super().__init__(self.text)

    @property
    def text(self) -> str:
        """The refusal in words for the person."""
        message, what = _(self.public_message), self._what()
        return f"{message} ({what})" if what else message

    def _what(self) -> str:
        return self.what


def text_of(refusal: NotPermitted) -> str:
    """A refusal in words; a guard says what it is about."""
    return refusal.text if isinstance(refusal, GuardRefusal) else _(refusal.public_message)


class ExceedsOwnAccess(GuardRefusal):
    """Somebody would give more than they hold."""

    code: ClassVar[str] = "exceeds_own_access"
    public_message: ClassVar[str] = gettext_noop("You may not give what you do not hold yourself.")


class AccountHoldsMore(GuardRefusal):
    """Somebody would change the account of a person who holds more than they do."""

    code: ClassVar[str] = "account_holds_more"
    public_message: ClassVar[str] = gettext_noop(
        "You may not change the account of somebody who holds more than you."
    )


class WhileImpersonating(GuardRefusal):
    """An administrator would do in somebody else's name what is theirs alone."""

    code: ClassVar[str] = "while_impersonating"
    public_message: ClassVar[str] = gettext_noop(
        "Not while you are signed in as somebody else. Go back to your own account first."
    )


class LastKeyholder(GuardRefusal):
    """Nobody would be left who can run the house."""

    code: ClassVar[str] = "last_keyholder"
    public_message: ClassVar[str] = gettext_noop(
        "Somebody must remain who can sign in as a superuser and reach the access pages."
    )


class BrokenPolicy(GuardRefusal):
    """The rules would no longer be whole and valid, and nobody would get in."""

    code: ClassVar[str] = "broken_policy"
    public_message: ClassVar[str] = gettext_noop("With this, no rule could be applied any more.")

    def __init__(self, error: Exception) -> None:
        """Keep what is wrong: `what` says it in English, for the audit."""
        self.error = error
        super().__init__(str(error))

    def _what(self) -> str:
        return wording.error_text(self.error)
