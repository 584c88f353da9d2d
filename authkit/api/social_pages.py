"""Sign in through a provider with a browser that only follows redirects."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from authkit.accounts import current, links, sign_in
from authkit.accounts.recent import is_recent
from authkit.api import social_cookies
from authkit.api.social import callback_url, status_of
from authkit.exceptions import (
    AuthkitError,
    RecentSignInRequired,
    SignInRefused,
    StoreUnavailable,
    TooManyAttempts,
)
from authkit.social import flow, linking, providers, refusals
from authkit.social.sign_in import Paused

_LONGEST_NEXT = 1000
_WAIT = 5  # seconds, where it is busy


def _page(view: Any) -> Any:
    """Around a page: its refusals are pages, and no cache keeps any."""

    def answer(request: HttpRequest, provider: str) -> HttpResponseBase:
        try:
            response: HttpResponseBase = view(request, provider)
        except AuthkitError as refusal:
            response = _refused(request, refusal)
        response["Referrer-Policy"] = "no-referrer"
        return response

    return transaction.non_atomic_requests(never_cache(answer))


@_page
@csrf_protect
@require_http_methods(["GET", "POST"])
def login(request: HttpRequest, provider: str) -> HttpResponseBase:
    """Send the browser to the provider: GET to sign in, POST with a CSRF token to link.

    A page of another site cannot do it unseen: it may lead here, and then the person is
    asked. (It could otherwise choose with whom a browser is signed in.)
    """
    person = _linker(request)
    if person is None and _is_from_elsewhere(request):
        return _ask(request, provider)
    begun = flow.begin(
        request,
        provider,
        redirect_uri=callback_url(request, provider),
        person=person,
        next_url=_next(request),
    )
    response = _send_on(request, provider, begun.authorization_url)
    social_cookies.keep(request, response, begun.state, begun.sealed)
    return response


@_page
@require_GET
def callback(request: HttpRequest, provider: str) -> HttpResponseBase:
    """Take the browser back from the provider."""
    given = {name: _single(request, name) for name in flow.PARAMETERS}
    state = given["state"] or ""
    outcome = flow.complete(
        request,
        provider,
        given={name: value for name, value in given.items() if value is not None},
        sealed=social_cookies.find(request, state),
        person=lambda: _signed_in(request),
    )
    response = _answer(request, provider, outcome)
    social_cookies.drop(request, response, state)
    return response


@_page
@sensitive_post_parameters("password", "code", "answer")
@csrf_protect
@require_http_methods(["GET", "POST"])
def resume(request: HttpRequest, provider: str) -> HttpResponseBase:
    """Ask what a sign-in waits for, and go on with the answer."""
    token = social_cookies.find_pause(request)
    problem = ""
    if request.method == "POST":
        answers: dict[str, Any] = {
            name: request.POST[name]
            for name in ("email", "code", "username", "password", "answer")
            if name in request.POST
        }
        if "create" in request.POST:
            answers = {"new_account": True}
        try:
            outcome = flow.resume(
                request,
                provider,
                token=token,
                answers=answers,
                person=lambda: _signed_in(request),
            )
        except SignInRefused as refusal:
            problem = _(refusal.public_message)
        else:
            response = _answer(request, provider, outcome)
            if not isinstance(outcome, Paused):
                social_cookies.drop_pause(request, response)
            return response
    paused = flow.waiting(provider, token)
    context = {"paused": paused, "problem": problem, "provider": provider}
    return render(request, "authkit/social/resume.html", context)


def _answer(
    request: HttpRequest, provider: str, outcome: flow.Completed | Paused
) -> HttpResponseBase:
    if isinstance(outcome, Paused):
        response: HttpResponseBase = HttpResponseRedirect(
            reverse(f"{_namespace(request)}:social_resume_page", args=[provider])
        )
        social_cookies.keep_pause(request, response, outcome.token)
        return response
    if outcome.purpose == "sign_in":
        with linking.held(outcome.account):
            sign_in.with_cookie(request, outcome.user)
    return HttpResponseRedirect(outcome.next or links.home())


def _send_on(request: HttpRequest, provider: str, url: str) -> HttpResponse:
    """Send the browser to the provider.

    From a form, by a page: to a form's answer that redirects to another site, a policy of
    ``form-action 'self'`` says no (CSP Level 3 §6.4.1), and the person sees nothing.
    """
    if request.method != "POST":
        return HttpResponseRedirect(url)
    context = {"provider": providers.find(provider), "url": url}
    return render(request, "authkit/social/go.html", context)


def _linker(request: HttpRequest) -> AbstractBaseUser | None:
    """Who links an account: whoever posts the form, signed in a moment ago."""
    if request.method != "POST" or not request.POST.get("link"):
        return None
    person: AbstractBaseUser | None = _signed_in(request)
    if person is None:
        raise refusals.WrongPerson
    grant = current.grant_of(request)
    if grant is None or not is_recent(grant, now=timezone.now()):
        raise RecentSignInRequired
    return person


def _signed_in(request: HttpRequest) -> Any:
    return request.user if request.user.is_authenticated else None


def _is_from_elsewhere(request: HttpRequest) -> bool:
    """Whether another site's page brought the browser here (W3C Fetch Metadata)."""
    is_elsewhere = request.headers.get("Sec-Fetch-Site", "none") in {"cross-site", "same-site"}
    is_embedded = request.headers.get("Sec-Fetch-Dest", "document") != "document"
    return request.method == "GET" and (is_elsewhere or is_embedded)


def _ask(request: HttpRequest, provider: str) -> HttpResponse:
    context = {"provider": providers.find(provider), "next": _next(request)}
    return render(request, "authkit/social/ask.html", context)


def _next(request: HttpRequest) -> str:
    """Where to go in the end: on this site, or the usual place."""
    wanted = (request.POST if request.method == "POST" else request.GET).get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    )
    if not is_ours or not wanted.isprintable():
        return ""
    plain = iri_to_uri(wanted)  # one octet for each character: it is kept in a cookie
    return plain if len(plain) <= _LONGEST_NEXT else ""


def _single(request: HttpRequest, name: str) -> str | None:
    """A parameter that stands once; twice is none (RFC 6749 §3.1)."""
    values = request.GET.getlist(name)
    return values[0] if len(values) == 1 else None


def _namespace(request: HttpRequest) -> str:
    match = request.resolver_match
    return match.namespace if match and match.namespace else "authkit"


def _refused(request: HttpRequest, refusal: AuthkitError) -> HttpResponse:
    context = {"text": _(refusal.public_message), "login_url": resolve_url(settings.LOGIN_URL)}
    response = render(request, "authkit/social/refused.html", context, status=_status(refusal))
    if isinstance(refusal, TooManyAttempts):
        response["Retry-After"] = str(refusal.retry_after)
    elif isinstance(refusal, StoreUnavailable):
        response["Retry-After"] = str(_WAIT)
    return response


def _status(refusal: AuthkitError) -> int:
    if isinstance(refusal, StoreUnavailable):
        return 503
    return 429 if isinstance(refusal, TooManyAttempts) else status_of(refusal)
