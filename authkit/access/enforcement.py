"""What a request asks for, what is decided about it, and how it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import ResolverMatch

from authkit import conf
from authkit.access import callers, discovery, questions
from authkit.access.declarations import Public
from authkit.access.discovery import FoundEndpoint, Route
from authkit.exceptions import (
    AuthkitError,
    NotPermitted,
    RecentSignInRequired,
    ScopeInsufficient,
    SecondFactorRequired,
    SignInRequired,
    StoreUnavailable,
)
from authkit.kernel.decision import Decision
from authkit.kernel.grant import Grant
from authkit.kernel.patterns import Access

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_ASKED = "_authkit_asked"
_READING = ("retrieve", "list", "GET")
_PUBLIC = Decision(True, "public")
_UNKNOWN_ENDPOINT = Decision(False, "unknown_endpoint")
_REFUSALS: dict[str, type[AuthkitError]] = {
    "rules_unavailable": StoreUnavailable,
    "anonymous": SignInRequired,
    "scope_insufficient": ScopeInsufficient,
    "recent_sign_in_required": RecentSignInRequired,
    "second_factor_required": SecondFactorRequired,
}


@dataclass(frozen=True, slots=True)
class Question:
    """What a request asks.

    Attributes:
        route: where it leads.
        access: the endpoint and the action of its method; None where the view has no such
            method. A closed route (without a key of its own) has the empty key.
        endpoint: what is known of the endpoint; None for a closed route.
    """

    route: Route
    access: Access | None
    endpoint: FoundEndpoint | None

    @property
    def is_public(self) -> bool:
        """Whether code opens the action to all, on every route of the endpoint."""
        if self.access is None:
            return False
        if self.endpoint is None:
            return self.route.is_public(self.access.action)
        return Public() in self.endpoint.declarations.get(self.access.action, ())

    def reading(self) -> Access | None:
        """How the objects of this endpoint are read, if they are."""
        if self.endpoint is None:
            return None
        action = next((name for name in _READING if name in self.endpoint.methods), None)
        return None if action is None else Access(self.endpoint.key, action)


def question_of(request: HttpRequest, method: str | None = None) -> Question | None:
    """What a request asks; None where no view is reached, or one that guards itself."""
    match = request.resolver_match
    if match is None:
        return None
    asked = method or request.method or ""
    known = request.__dict__.get(_ASKED)
    if known is None or known[0] is not match or known[1] != asked:
        known = request.__dict__[_ASKED] = match, asked, _question_of(request, match, asked)
    found: Question | None = known[2]
    return found


def _question_of(request: HttpRequest, match: ResolverMatch, method: str) -> Question | None:
    registry = discovery.registry(getattr(request, "urlconf", None))
    route = registry.find(match)
    if not route.is_governed:
        return None
    action = route.methods.get(method)
    key = route.key if route.key is not None and route.key not in registry.ambiguous else ""
    access = Access(key, action) if action else None
    return Question(route, access, registry.endpoints.get(key) if key else None)


def decide(question: Question, user: Any, grant: Grant | None) -> Decision:
    """Decide about an action that the route has."""
    access = question.access
    if access is None:
        return Decision(False, "unknown_action")
    callers.bind(user, grant)
    if question.is_public:
        return _PUBLIC
    if not access.key or not _is_of_the_project(question):
        return _unknown(user)
    return questions.ask(user, access.key, access.action, grant=grant, is_heard=_has_heard(grant))


def _has_heard(grant: Grant | None) -> bool:
    """Whether the look at this credential has read the number of the last change along."""
    if grant is None:
        return False
    return grant.kind != "jwt" or conf.get().jwt_revocation != "stateless"


def refusal_of(decision: Decision) -> AuthkitError:
    """The refusal that a decision which lets nobody in comes to."""
    kind = _REFUSALS.get(decision.reason, NotPermitted)
    return kind(decision.reason)


def _unknown(user: Any) -> Decision:
    is_signed_in = user is not None and user.is_authenticated
    return _UNKNOWN_ENDPOINT if is_signed_in else Decision(False, "anonymous")


def _is_of_the_project(question: Question) -> bool:
    """Whether the rules about this key are about this view.

    A request may be resolved by another URLconf than the project's own; a namesake there
    is somebody else.
    """
    ours = discovery.registry().endpoints.get(str(question.route.key))
    return ours is question.endpoint or (
        ours is not None and question.endpoint is not None and ours.view == question.endpoint.view
    )
