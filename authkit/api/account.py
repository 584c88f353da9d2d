"""One's own profile, devices and personal access tokens."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework import status
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from authkit import sessions, tokens
from authkit.accounts import leaving
from authkit.accounts.client import client_of
from authkit.api import serializers
from authkit.api.base import View, caller_of, grant_of, no_content


class IsNotPersonalToken(BasePermission):
    """Personal access tokens are for the project's API, not for managing the account."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the person has signed in to make this request."""
        if request.auth is not None and grant_of(request).is_personal:
            raise PermissionDenied(
                "A personal access token cannot do this.", code="insufficient_scope"
            )
        return True


class AccountView(View):
    """A view for people who have signed in."""

    permission_classes = (IsAuthenticated, IsNotPersonalToken)


class ProfileView(View):
    """``me/``."""

    def get(self, request: Request) -> Response:
        """Who the caller is."""
        return Response(serializers.profile_of(caller_of(request)))

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
        others = request.query_params.get("others", "").lower() in {"true", "1"}
        own = grant_of(request).session_id if others else None
        leaving.leave_everywhere(caller_of(request), request._request, but=own)
        return no_content()


class OneSessionView(AccountView):
    """``sessions/{id}/``."""

    def delete(self, request: Request, session_id: UUID) -> Response:
        """Sign one device out; another person's is not found."""
        live = sessions.live_of(caller_of(request), now=timezone.now())
        if not live.filter(pk=session_id).exists():
            raise NotFound
        leaving.end_one(caller_of(request), session_id, request._request)
        return no_content()


class TokensView(AccountView):
    """``tokens/``: personal access tokens."""

    def get(self, request: Request) -> Response:
        """One's own that still work, the newest first."""
        live = tokens.personal_of(caller_of(request), now=timezone.now())
        return Response(serializers.Token(live, many=True).data)

    def post(self, request: Request) -> Response:
        """Make one; its text is in this answer and nowhere else."""
        given = serializers.NewToken(data=request.data)
        given.is_valid(raise_exception=True)
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
        tokens.revoke(
            token_id, now=now, actor=caller_of(request), client=client_of(request._request)
        )
        return no_content()
