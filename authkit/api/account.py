"""One's own profile, devices and personal access tokens."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from rest_framework import status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from authkit import sessions, tokens
from authkit.accounts import closing, leaving
from authkit.accounts.client import client_of
from authkit.accounts.recent import require_proof
from authkit.api import serializers
from authkit.api.base import (
    InsufficientScope,
    View,
    caller_of,
    grant_of,
    no_content,
    signed_out,
)
from authkit.exceptions import SessionEnded


class HasLiveSignIn(BasePermission):
    """What manages an account takes a sign-in that lives.

    Personal access tokens are for the project's API. An access token may, as the
    revocation mode says, be taken for a while after its sign-in has ended; but nothing
    that lasts may be done with it, such as minting a token.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the person has signed in to make this request, and not out since."""
        grant = grant_of(request)
        if grant.is_personal:
            raise InsufficientScope(_("A personal access token cannot do this."))
        if grant.kind == "jwt":
            session_id = cast(UUID, grant.session_id)
            if not sessions.is_live(caller_of(request), session_id, now=timezone.now()):
                raise SessionEnded("its access token outlives it for a while")
        return True


class AccountView(View):
    """A view for people who have signed in."""

    permission_classes = (IsAuthenticated, HasLiveSignIn)


class ProfileView(AccountView):
    """``me/``."""

    def get_permissions(self) -> list[Any]:
        """Any credential may ask who its holder is."""
        is_question = self.request.method == "GET"
        return [IsAuthenticated()] if is_question else list(super().get_permissions())

    def get(self, request: Request) -> Response:
        """Who the caller is."""
        shown: dict[str, Any] = {**serializers.profile_of(caller_of(request))}
        impersonator = serializers.impersonator_of(grant_of(request))
        if impersonator is not None:
            shown["impersonator"] = impersonator
        return Response(shown)

    def patch(self, request: Request) -> Response:
        """Change one's own profile: the fields of PROFILE_FIELDS and no others."""
        serializer = serializers.profile_serializer()
        given = serializer(caller_of(request), data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        user = caller_of(request)
        for name, value in given.validated_data.items():
            setattr(user, name, value)
        if given.validated_data:
            user.save(update_fields=list(given.validated_data))
        return Response(serializers.profile_of(user))

    @sensitive_variables("given")
    def delete(self, request: Request) -> Response:
        """Close one's own account: it is deactivated, and all its sign-ins end."""
        given = serializers.Proof(data=request.data)
        given.is_valid(raise_exception=True)
        user, grant = caller_of(request), grant_of(request)
        closing.deactivate(user, grant, given.validated_data["password"], request._request)
        return signed_out(grant)


class SessionsView(AccountView):
    """``sessions/``: one's own devices."""

    def get(self, request: Request) -> Response:
        """The sign-ins that still work, the newest first."""
        live = sessions.live_of(caller_of(request), now=timezone.now())
        shown = serializers.Session(
            live, many=True, context={"current": grant_of(request).session_id}
        )
        return Response(shown.data)

    def delete(self, request: Request) -> Response:
        """Sign out everywhere; ``?others=true`` keeps the caller's own."""
        user, grant, http = caller_of(request), grant_of(request), request._request
        if _keeps_own(request):
            leaving.leave_everywhere(user, http, but=grant.session_id)
            return no_content()
        leaving.leave_everywhere(user, http)
        leaving.say_goodbye(user, grant, http)
        return signed_out(grant)


class OneSessionView(AccountView):
    """``sessions/{id}/``."""

    def delete(self, request: Request, session_id: UUID) -> Response:
        """Sign one device out; another person's is not found."""
        live = sessions.live_of(caller_of(request), now=timezone.now())
        if not live.filter(pk=session_id).exists():
            raise NotFound
        user, grant, http = caller_of(request), grant_of(request), request._request
        if session_id == grant.session_id:
            leaving.leave(user, grant, http)
            return signed_out(grant)
        leaving.end_one(user, session_id, http)
        return no_content()


class TokensView(AccountView):
    """``tokens/``: personal access tokens."""

    def get(self, request: Request) -> Response:
        """One's own that still work, the newest first."""
        live = tokens.personal_of(caller_of(request), now=timezone.now())
        return Response(serializers.Token(live, many=True).data)

    @sensitive_variables("given", "proof", "password", "token", "body")
    def post(self, request: Request) -> Response:
        """Make one; its text is in this answer and nowhere else."""
        given, proof = (
            serializers.NewToken(data=request.data),
            serializers.Proof(data=request.data),
        )
        given.is_valid(raise_exception=True)
        proof.is_valid(raise_exception=True)
        password = proof.validated_data["password"]
        require_proof(caller_of(request), grant_of(request), password, request._request)
        token = tokens.issue_personal(
            caller_of(request),
            **given.validated_data,
            now=timezone.now(),
            client=client_of(request._request),
        )
        made = tokens.personal_of(caller_of(request), now=timezone.now()).get(pk=token.id)
        body = {**serializers.Token(made).data, "token": token.text}
        return Response(body, status=status.HTTP_201_CREATED)


class OneTokenView(AccountView):
    """``tokens/{id}/``."""

    def delete(self, request: Request, token_id: str) -> Response:
        """Revoke one; another person's is not found."""
        now = timezone.now()
        if not tokens.personal_of(caller_of(request), now=now).filter(pk=token_id).exists():
            raise NotFound
        client = client_of(request._request)
        tokens.revoke(token_id, now=now, actor=caller_of(request), client=client)
        return no_content()


def _keeps_own(request: Request) -> bool:
    """Whether the caller's own sign-in goes on; what is unclear ends nothing."""
    others = request.query_params.get("others", "false").lower()
    if others not in {"true", "1", "false", "0"}:
        raise ValidationError({"others": [_("Either true or false.")]})
    return others in {"true", "1"}
