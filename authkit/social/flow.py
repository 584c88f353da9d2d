"""Begin, complete and resume a sign-in through a provider, whoever the client is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.module_loading import import_string
from django.views.decorators.debug import sensitive_variables
from social_core.exceptions import AuthResponseError, SocialAuthBaseException

from authkit import audit, conf, signals
from authkit.accounts import throttle
from authkit.accounts.client import client_of
from authkit.exceptions import AuthkitError, SignInRefused, StoreUnavailable
from authkit.models import PausedSignIn, SocialAccount
from authkit.social import linker, pipeline, providers, transactions, translation
from authkit.social.providers import Provider
from authkit.social.refusals import (
    ProviderMisconfigured,
    RedirectNotRegistered,
    SocialRefused,
    StateNotValid,
)
from authkit.social.sign_in import Paused
from authkit.social.storage import Partial
from authkit.social.strategy import SocialStrategy
from authkit.social.transactions import Purpose, Transaction

_MOST_ANSWERS = 6
_LONGEST_PARAMETER = 4096
#: What a provider may send back (RFC 6749 §4.1.2, RFC 9207 §2), and over OAuth 1 (RFC 5849 §2.2).
PARAMETERS = (
    *("code", "state", "iss", "error", "error_description"),
    *("oauth_token", "oauth_verifier", "oauth_problem", "denied"),
)


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the person, and what the client has to hold meanwhile."""

    authorization_url: str
    state: str
    sealed: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Completed:
    """Who it is. A link is done; a sign-in still has to be delivered."""

    user: AbstractBaseUser
    account: SocialAccount
    purpose: Purpose
    is_new: bool
    next: str = ""


@sensitive_variables()
def begin(
    request: HttpRequest,
    slug: str,
    *,
    redirect_uri: str,
    person: AbstractBaseUser | None = None,
    next_url: str = "",
) -> Begun:
    """Begin to sign in, or to link to `person`. Nothing is stored but the count of this address.

    Raises:
        SocialRefused: the provider is not on offer, or cannot be asked where it stands.
        TooManyAttempts: so many were begun from this address.
    """
    provider = providers.find(slug)
    throttle.spend_of(throttle.Scope.SOCIAL, request)
    values: dict[str, Any] = {}
    strategy = SocialStrategy(request=request, provider=provider, data={}, values=values)
    with _translated():
        backend: Any = strategy.get_backend(slug, redirect_uri=redirect_uri)
        url = str(backend.auth_url())
    state = backend.begun_state()
    begun = Transaction(
        provider=slug,
        issuer=provider.issuer,
        purpose="sign_in" if person is None else "link",
        state=state,
        redirect_uri=redirect_uri,
        next=next_url,
        linker=None if person is None else linker.of(person, request),
        values=values,
    )
    return Begun(url, state, transactions.seal(begun))


def registered_redirect_uri(slug: str, wanted: str, *, own: str) -> str:
    """The redirect URI that a client may use: our own, or one that is registered, exactly.

    Raises:
        RedirectNotRegistered: any other.
    """
    provider = providers.find(slug)
    registered = [*provider.redirect_uris, *conf.get().social_redirect_uris]
    if not wanted:
        return registered[0] if registered else own
    if wanted not in {own, *registered}:
        raise RedirectNotRegistered
    return wanted


@sensitive_variables()
def complete(
    request: HttpRequest,
    slug: str,
    *,
    given: Mapping[str, Any],
    sealed: str,
    person: Callable[[], AbstractBaseUser | None],
) -> Completed | Paused:
    """Take what the provider sent back. Nobody is signed in yet.

    Args:
        request: of HTTP.
        slug: the provider, by the address at which it came back.
        given: see `PARAMETERS`; others are not looked at.
        sealed: what `begin` gave this client.
        person: finds who is signed in now; asked where an account is linked.

    Raises:
        AuthkitError: nobody gets in, and nothing has changed. It has been audited, if this
            client had begun a sign-in.
    """
    provider = providers.find(slug)
    state = given.get("state")
    begun = transactions.open_(sealed, provider=slug, issuer=provider.issuer, state=state)
    with _audited(request, provider, begun.purpose):
        linking_person = linker.require(begun.linker, person, request)
        transactions.spend(begun.state)
        data = {name: given[name] for name in PARAMETERS if _is_plain(given.get(name))}
        strategy = SocialStrategy(
            request=request,
            provider=provider,
            data=data,
            values=dict(begun.values),
            person=linking_person,
        )
        strategy.next_url, strategy.linker = begun.next, begun.linker
        with _translated():
            backend: Any = strategy.get_backend(slug, redirect_uri=begun.redirect_uri)
            _require_issuer(backend, provider, data)
            outcome = backend.auth_complete()
        return _outcome(outcome, strategy, begun.purpose)


@sensitive_variables()
def resume(
    request: HttpRequest,
    slug: str,
    *,
    token: str,
    answers: Mapping[str, Any],
    person: Callable[[], AbstractBaseUser | None],
) -> Completed | Paused:
    """Go on with a sign-in, or a link, that waits for an answer.

    Raises:
        AuthkitError: as `complete` does.
    """
    provider = providers.find(slug)
    row = PausedSignIn.objects.filter(digest=transactions.digest_of(token), provider=slug)
    if not row.filter(attempts__lt=_MOST_ANSWERS).update(attempts=F("attempts") + 1):
        raise StateNotValid("no_pause")
    strategy = SocialStrategy(request=request, provider=provider, data={}, values={})
    partial: Any = strategy.partial_load(token)
    begun_by = None if partial is None else partial.data.get("linker")
    purpose: Purpose = "sign_in" if begun_by is None else "link"
    with _audited(request, provider, purpose):
        if partial is None or partial.data.get("issuer") != provider.issuer:
            raise StateNotValid("pause_over")
        strategy.person = linker.require(begun_by, person, request)
        strategy.linker, strategy.attempts = begun_by, partial.attempts
        strategy.next_url = str(partial.data.get("next") or "")
        strategy.answers = {**answers, "kept": partial.data.get("kept")}
        with _translated(), _not_counted_if_busy(row):
            backend: Any = strategy.get_backend(slug)
            outcome = backend.continue_pipeline(partial)
        Partial.destroy(token)
        return _outcome(outcome, strategy, purpose)


def waiting(slug: str, token: str) -> Paused:
    """What a sign-in waits for.

    Raises:
        StateNotValid: it waits no longer.
    """
    partial = Partial.load(token)
    if partial is None or partial.backend != slug:
        raise StateNotValid("no_pause")
    told = [str(partial.data.get(name, "")) for name in ("needs", "text", "asks")]
    return Paused(token, *told)


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_PARAMETER


def _require_issuer(backend: Any, provider: Provider, data: Mapping[str, str]) -> None:
    """RFC 9207: the answer is from whom we asked. Looked at before anything is sent there."""
    told = data.get("iss")
    if provider.is_openid:
        document = backend.oidc_config()
        is_promised = document.get("authorization_response_iss_parameter_supported") is True
        is_right = told == provider.issuer if told is not None else not is_promised
    else:
        host = urlsplit(told or "").hostname
        known = {urlsplit(url).hostname for url in (provider.issuer, backend.authorization_url())}
        is_right = told is None or host in known
    if not is_right:
        raise AuthResponseError(backend, claim="iss", code="invalid_claim", stage="callback")


def _outcome(outcome: Any, strategy: SocialStrategy, purpose: Purpose) -> Completed | Paused:
    if isinstance(outcome, Paused):
        return outcome
    sign_in = strategy.sign_in
    problems = pipeline.problems_of(strategy.get_pipeline())
    if sign_in is None or sign_in.user is None or sign_in.account is None or problems:
        raise ProviderMisconfigured("pipeline_incomplete")
    if not isinstance(outcome, get_user_model()) or outcome.pk != sign_in.account.user_id:
        raise ProviderMisconfigured("pipeline_changed_the_person")
    outcome.backend = _django_backend()
    return Completed(outcome, sign_in.account, purpose, sign_in.is_new, strategy.next_url)


def _django_backend() -> str:
    """The backend that `django.contrib.auth.login` is to note: the one that loads people."""
    listed = settings.AUTHENTICATION_BACKENDS
    return next(
        (path for path in listed if issubclass(import_string(path), ModelBackend)), listed[0]
    )


@contextmanager
def _translated() -> Iterator[None]:
    """Around python-social-auth: its errors become our refusals."""
    try:
        yield
    except SocialAuthBaseException as error:
        raise translation.refusal_of(error) from error


@contextmanager
def _not_counted_if_busy(row: QuerySet[PausedSignIn]) -> Iterator[None]:
    """Around an answer to a pause: one that nobody had the time to look at is none."""
    try:
        yield
    except StoreUnavailable:
        row.update(attempts=F("attempts") - 1)
        raise


@contextmanager
def _audited(request: HttpRequest, provider: Provider, purpose: Purpose) -> Iterator[None]:
    """Around the end of a genuine transaction: a refusal is recorded with its reason."""
    try:
        yield
    except AuthkitError as refusal:
        is_ours = isinstance(refusal, SocialRefused)
        audit.record(
            "login.failed" if purpose == "sign_in" else "social.link_failed",
            client=client_of(request),
            data={
                "provider": provider.slug,
                "reason": refusal.reason if is_ours else refusal.code,  # type: ignore[attr-defined]
                "said": refusal.said if is_ours else "",  # type: ignore[attr-defined]
            },
        )
        kind = type(refusal) if is_ours else SignInRefused
        signals.refused.send_robust(sender=kind, code=refusal.code, request=request)
        raise
