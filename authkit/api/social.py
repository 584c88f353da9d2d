"""Sign in through a provider, over JSON: a single-page or mobile client begins and completes."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from authkit.accounts import sign_in
from authkit.accounts.recent import is_recent
from authkit.api import social_cookies
from authkit.api.account import AccountView, HasLiveSignIn
from authkit.api.base import View, caller_of, grant_of, no_content
from authkit.api.serializers import profile_of
from authkit.authentication import SessionAuthentication
from authkit.exceptions import RecentSignInRequired
from authkit.models import SocialAccount
from authkit.social import flow, linking, providers, refusals
from authkit.social.sign_in import Paused

#: The status of each refusal; 403 where none is named.
STATUS: dict[type[refusals.SocialRefused], int] = {
    refusals.ProviderUnknown: status.HTTP_404_NOT_FOUND,
    refusals.ProviderUnavailable: status.HTTP_503_SERVICE_UNAVAILABLE,
    refusals.ProviderNotBelieved: status.HTTP_502_BAD_GATEWAY,
    refusals.ProviderMisconfigured: status.HTTP_502_BAD_GATEWAY,
    refusals.RedirectNotRegistered: status.HTTP_400_BAD_REQUEST,
    refusals.AccountInUse: status.HTTP_409_CONFLICT,
    refusals.EmailInUse: status.HTTP_409_CONFLICT,
    refusals.LastWayIn: status.HTTP_409_CONFLICT,
}


class Refused(APIException):
    """A refusal with its status."""

    def __init__(self, refusal: refusals.SocialRefused) -> None:
        """Say publicly what `refusal` says publicly."""
        self.status_code = status_of(refusal)
        super().__init__(_(refusal.public_message), refusal.code)


class Begin(serializers.Serializer[Any]):
    """What a sign-in begins with."""

    redirect_uri = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    link = serializers.BooleanField(default=False)


class Deliver(serializers.Serializer[Any]):
    """How the sign-in is carried; see ``POST session/``, ``token/`` and ``jwt/``."""

    deliver = serializers.ChoiceField(choices=["session", "token", "jwt"], default="session")


class Complete(Deliver):
    """What the provider sent back, and what `begin` gave if there is no cookie."""

    code = serializers.CharField(max_length=4096, required=False, trim_whitespace=False)
    state = serializers.CharField(max_length=128, trim_whitespace=False)
    iss = serializers.CharField(max_length=2000, required=False, trim_whitespace=False)
    error = serializers.CharField(max_length=200, required=False)
    error_description = serializers.CharField(max_length=2000, required=False)
    oauth_token = serializers.CharField(max_length=512, required=False, trim_whitespace=False)
    oauth_verifier = serializers.CharField(max_length=512, required=False, trim_whitespace=False)
    oauth_problem = serializers.CharField(max_length=200, required=False)
    denied = serializers.CharField(max_length=512, required=False)
    transaction = serializers.CharField(max_length=8192, required=False)


class Resume(Deliver):
    """An answer to what a sign-in waits for."""

    pause = serializers.CharField(max_length=100)
    email = serializers.CharField(max_length=254, required=False)
    code = serializers.CharField(max_length=20, required=False)
    username = serializers.CharField(max_length=254, required=False)
    password = serializers.CharField(max_length=1024, required=False, trim_whitespace=False)
    new_account = serializers.BooleanField(required=False)
    answer = serializers.CharField(max_length=1000, required=False)


class Account(serializers.ModelSerializer[SocialAccount]):
    """A linked account, as its owner sees it."""

    name = serializers.CharField(source="display_name")

    class Meta:
        model = SocialAccount
        fields: ClassVar = ("id", "provider", "name", "email", "created_at", "last_used_at")


class _Refusing(View):
    """Gives refusals their status."""

    def handle_exception(self, exc: Exception) -> Response:
        """A refusal of a provider's sign-in, or any other."""
        if isinstance(exc, refusals.SocialRefused):
            exc = Refused(exc)
        return super().handle_exception(exc)


class Door(_Refusing):
    """A view for strangers, who may well send a stale credential along, and for who links."""

    permission_classes = (AllowAny,)

    def perform_authentication(self, request: Request) -> None:
        """Ask who it is when somebody wants to know."""


class OffersView(_Refusing):
    """``social/``."""

    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        """Who is on offer, and what the caller has linked."""
        http = request._request
        offers = [
            {"slug": slug, "name": name, "kind": kind, "login_url": _url(http, "login", slug)}
            for slug, name, kind in providers.on_offer()
        ]
        body: dict[str, Any] = {"providers": offers}
        if request.user.is_authenticated:
            accounts = linking.accounts_of(caller_of(request))
            body["accounts"] = Account(accounts, many=True).data
        return Response(body)


class BeginView(Door):
    """``social/{provider}/begin/``."""

    def get_permissions(self) -> list[Any]:
        """To link takes a sign-in that lives."""
        given: Any = self.request.data
        is_link = bool(given.get("link"))
        kinds = (IsAuthenticated, HasLiveSignIn) if is_link else (AllowAny,)
        return [kind() for kind in kinds]

    @sensitive_variables("begun")
    def post(self, request: Request, provider: str) -> Response:
        """Where to send the person. The client keeps the cookie, or `transaction`."""
        given = Begin(data=request.data)
        given.is_valid(raise_exception=True)
        http, person = request._request, None
        if given.validated_data["link"]:
            if not is_recent(grant_of(request), now=timezone.now()):
                raise RecentSignInRequired
            person = caller_of(request)
        uri = flow.registered_redirect_uri(
            provider,
            given.validated_data.get("redirect_uri", ""),
            own=callback_url(http, provider),
        )
        begun = flow.begin(http, provider, redirect_uri=uri, person=person)
        response = Response(
            {
                "authorization_url": begun.authorization_url,
                "state": begun.state,
                "transaction": begun.sealed,
            }
        )
        social_cookies.keep(http, response, begun.state, begun.sealed)
        return response


class _DeliveringView(Door):
    """A view that ends in a sign-in."""

    def answer(self, request: Request, outcome: flow.Completed | Paused, deliver: str) -> Response:
        """The sign-in as its carrier's own view answers it; a pause; or a link that is made."""
        if isinstance(outcome, Paused):
            body = {"code": f"social_{outcome.needs}_needed", "detail": outcome.text}
            body |= {"asks": outcome.asks} if outcome.asks else {}
            return Response({**body, "pause": outcome.token}, status=status.HTTP_202_ACCEPTED)
        if outcome.purpose == "link":
            return Response({"account": Account(outcome.account).data})
        with linking.held(outcome.account):
            carried = _carried(request, outcome.user, deliver)
        return Response({**carried, "is_new": outcome.is_new})

    def person(self, request: Request) -> Any:
        """Who is signed in; asked for a link alone."""
        if not request.user.is_authenticated:
            return None
        HasLiveSignIn().has_permission(request, self)
        return caller_of(request)

    def require_csrf_token(self, request: Request, deliver: str) -> None:
        """A sign-in by cookie could be forged as well: into an attacker's account."""
        if deliver == "session":
            SessionAuthentication().enforce_csrf(request)


class CompleteView(_DeliveringView):
    """``social/{provider}/complete/``."""

    @sensitive_variables("given", "data", "sealed")
    def post(self, request: Request, provider: str) -> Response:
        """Sign in, or link, with what the provider sent back."""
        given = Complete(data=request.data)
        given.is_valid(raise_exception=True)
        data, http = given.validated_data, request._request
        self.require_csrf_token(request, data["deliver"])
        sealed = data.get("transaction") or social_cookies.find(http, data["state"])
        outcome = flow.complete(
            http,
            provider,
            given=data,
            sealed=sealed,
            person=lambda: self.person(request),
        )
        response = self.answer(request, outcome, data["deliver"])
        social_cookies.drop(http, response, data["state"])
        return response


class ResumeView(_DeliveringView):
    """``social/{provider}/resume/``."""

    @sensitive_variables("given", "data")
    def post(self, request: Request, provider: str) -> Response:
        """Go on with a sign-in that waited for an answer."""
        given = Resume(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        self.require_csrf_token(request, data["deliver"])
        outcome = flow.resume(
            request._request,
            provider,
            token=data["pause"],
            answers=dict(data),
            person=lambda: self.person(request),
        )
        return self.answer(request, outcome, data["deliver"])


class LinkedAccountView(_Refusing, AccountView):
    """``social/accounts/{id}/``."""

    def delete(self, request: Request, account_id: int) -> Response:
        """Unlink one's own; another person's is not found."""
        account = linking.accounts_of(caller_of(request)).filter(pk=account_id).first()
        if account is None:
            raise NotFound
        linking.unlink(account, actor=caller_of(request), request=request._request)
        return no_content()


def status_of(refusal: Exception) -> int:
    """The HTTP status of a refusal."""
    return STATUS.get(type(refusal), status.HTTP_403_FORBIDDEN)  # type: ignore[arg-type]


def callback_url(http: HttpRequest, provider: str) -> str:
    """The redirect URI of the house itself, to be registered with the provider."""
    return http.build_absolute_uri(_url(http, "callback", provider))


def _url(http: HttpRequest, page: str, provider: str) -> str:
    match = http.resolver_match
    namespace = match.namespace if match and match.namespace else "authkit"
    return reverse(f"{namespace}:social_{page}", args=[provider])


@sensitive_variables("token", "pair")
def _carried(request: Request, user: Any, deliver: str) -> dict[str, Any]:
    http = request._request
    carrier: dict[str, Any] = {}
    if deliver == "token":
        session, token = sign_in.with_token(http, user)
        carrier = {"token": token.text, "expires_at": session.expires_at}
    elif deliver == "jwt":
        session, pair = sign_in.with_jwt(http, user)
        carrier = {"access": pair.access, "refresh": pair.refresh}
    else:
        session = sign_in.with_cookie(http, user)
    shown = {"id": session.pk, "kind": session.kind, "expires_at": session.expires_at}
    return {**carrier, "user": profile_of(user), "session": shown}
