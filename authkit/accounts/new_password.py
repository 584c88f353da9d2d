"""Whether a password may be taken."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from authkit.accounts import links, retired
from authkit.accounts.guessable import GuessablePasswordValidator, problem_of_length


@sensitive_variables("password")
def check(password: str, *, user: object, request: HttpRequest | None) -> None:
    """Refuse a new password that is too short, too long, too easily guessed, or was ended.

    The length comes first, before anything costly is done. Then authkit's own validator
    and those of AUTH_PASSWORD_VALIDATORS have their say, on what was typed, unchanged.

    Raises:
        ValidationError: with all that is wrong, in words for people.
        authkit.exceptions.Busy: see `hashing.turn`.
    """
    length = problem_of_length(password)
    if length is not None:
        raise ValidationError([length])
    problems: list[ValidationError] = []
    try:
        GuessablePasswordValidator().validate(password, user, _words_of(request))
    except ValidationError as error:
        problems += error.error_list
    try:
        validate_password(password, user)  # type: ignore[arg-type]
    except ValidationError as error:
        problems += error.error_list
    if not problems and retired.is_the_old_one(user, password):
        text = _("An administrator has ended this password. Take another one.")
        problems.append(ValidationError(text, "password_ended"))
    if problems:
        raise ValidationError(list({each.message: each for each in problems}.values()))


def _words_of(request: HttpRequest | None) -> list[str]:
    """The name of the site, without what all sites are called."""
    host = links.site_of(request).partition(":")[0]
    return [part for part in host.split(".")[:-1] if part != "www"]
