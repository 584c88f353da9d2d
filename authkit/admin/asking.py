"""Before something grave: are you sure, and is it you?

The question is a page that is shown in the answer to the POST that asked for it, and whose
form makes the same POST again. Whoever has signed in within RECENT_SIGN_IN is not asked for
their password.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import django
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables

from authkit.accounts import current, recent, retired
from authkit.accounts.refusals import text_of
from authkit.admin.base import Text
from authkit.exceptions import (
    AuthkitError,
    RecentSignInRequired,
    TooManyAttempts,
)

PASSWORD = "authkit_password"  # noqa: S105 - the name of a field
ANSWER = "authkit_answer"
_PROVED = "_authkit_proved"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before it is done.

    Attributes:
        title: of the page.
        lines: what is about to happen, in sentences; none if only the password is asked for.
        about: whom it is about, by name.
        more: how many more than those.
        button: what the button says.
        back: the address of the way back.
        fields: what the form sends along so that the same is asked for again.
    """

    title: Text
    lines: Sequence[Text]
    button: Text
    back: str
    about: Sequence[str] = ()
    more: int = 0
    fields: Sequence[tuple[str, str]] = ()


def answered(
    request: HttpRequest, admin: Any, question: Question, *, takes_recent_sign_in: bool
) -> HttpResponse | None:
    """None if it may be done; or else the page that asks, or asks again."""
    is_answer = request.POST.get(ANSWER) == "yes"
    refusal: AuthkitError | None = None
    must_prove = takes_recent_sign_in and not is_recent(request)
    if must_prove and is_answer and request.POST.get(PASSWORD):
        refusal = _proof_refused(request)
        must_prove = refusal is not None
    if not must_prove and (is_answer or not question.lines):
        return None
    return _page(request, admin, question, must_prove=must_prove, refusal=refusal)


def proved(
    request: HttpRequest, admin: Any, title: Text, *, keeps_what_was_sent: bool = True
) -> HttpResponse | None:
    """None if whoever makes this request has signed in recently; or else the page that asks.

    For a page that is not ours. Once that is done its address is asked for again, and what
    was sent to it goes along, unless that holds secrets that no page may repeat.
    """
    fields = _sent(request) if keeps_what_was_sent else []
    if is_recent(request):
        return None
    question = Question(title, (), _("Go on"), request.get_full_path(), fields=fields)
    asked = answered(request, admin, question, takes_recent_sign_in=True)
    if asked is not None or fields:
        return asked
    return HttpResponseRedirect(request.get_full_path())


def _sent(request: HttpRequest) -> list[tuple[str, str]]:
    ours = {PASSWORD, ANSWER, "csrfmiddlewaretoken"}
    sent = request.POST.lists()
    return [(name, value) for name, values in sent if name not in ours for value in values]


def is_recent(request: HttpRequest) -> bool:
    """Whether whoever makes this request proved who they are a moment ago."""
    if hasattr(request, _PROVED):
        return True
    grant = current.grant_of(request)
    return grant is not None and recent.is_recent(grant, now=timezone.now())


@sensitive_variables("password")
def _proof_refused(request: HttpRequest) -> AuthkitError | None:
    """Why the password that was sent does not prove it; None if it does."""
    grant = current.grant_of(request)
    # What a JWT says of this changes only with a new pair, which no page can hand over.
    if grant is None or grant.kind == "jwt":
        return RecentSignInRequired()
    model: Any = get_user_model()
    user = model._default_manager.get(pk=request.user.pk)
    password = request.POST.get(PASSWORD, "")
    try:
        recent.reauthenticate(user, grant, password, request)
    except AuthkitError as refusal:
        return refusal
    setattr(request, _PROVED, True)  # its credential still says what it said when it came
    return None


@never_cache
def _page(
    request: HttpRequest,
    admin: Any,
    question: Question,
    *,
    must_prove: bool,
    refusal: AuthkitError | None,
) -> HttpResponse:
    request.current_app = admin.admin_site.name
    user: Any = request.user
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": question.title,
        "media": admin.media,
        "question": question,
        "answer_name": ANSWER,
        "password_name": PASSWORD,
        "must_prove": must_prove,
        "can_prove": retired.has_working_password(user),
        "refusal": None if refusal is None else _words_of(refusal),
        "has_list_of_breadcrumbs": django.VERSION >= (6, 1),
    }
    response = TemplateResponse(request, "admin/authkit/people/question.html", context)
    if isinstance(refusal, TooManyAttempts):
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def _words_of(refusal: AuthkitError) -> str:
    if isinstance(refusal, TooManyAttempts):
        return text_of(refusal)
    return _(refusal.public_message)
