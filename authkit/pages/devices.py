"""One's own devices and tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables

from authkit import sessions, tokens, wording
from authkit.access.scopes import unknown_in
from authkit.accounts import leaving, links, recent
from authkit.accounts.client import client_of
from authkit.kernel import browser
from authkit.kernel.language import PatternError, parse_pattern
from authkit.pages import forms
from authkit.pages.account import AccountFormPage


class DevicesPage(AccountFormPage):
    """Where one is signed in; a button beside each ends it."""

    template_name = "authkit/pages/devices.html"
    form_class = forms.ButtonForm
    title = gettext_lazy("Devices")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The sign-ins that still work, the newest first."""
        live = sessions.live_of(self.person, now=timezone.now())[:200]
        devices = [(device, browser.name_of(device.user_agent)) for device in live]
        return super().get_context_data(devices=devices, current=self.grant.session_id, **kwargs)

    def act(self, form: Any) -> HttpResponseBase:
        """Sign one device out, or all others."""
        chosen = self.request.POST.get("device", "")
        if chosen == "others":
            leaving.leave_everywhere(self.person, self.request, but=self.grant.session_id)
            return HttpResponseRedirect(f"{self.request.path}?done=others")
        session_id = _session_id(chosen)
        live = sessions.live_of(self.person, now=timezone.now())
        if not live.filter(pk=session_id).exists():
            raise Http404
        if session_id == self.grant.session_id:
            leaving.leave(self.person, self.grant, self.request)
            return HttpResponseRedirect(resolve_url(f"{links.PAGES}:sign_in"))
        leaving.end_one(self.person, session_id, self.request)
        return HttpResponseRedirect(f"{self.request.path}?done=device")


class TokensPage(AccountFormPage):
    """Personal access tokens: made here, shown once, revoked. It takes a recent sign-in."""

    template_name = "authkit/pages/tokens.html"
    form_class = forms.TokenForm
    title = gettext_lazy("Access tokens")
    button = gettext_lazy("Make a token")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Revoke, or make."""
        if "revoke" in request.POST:
            return self._revoke(request.POST["revoke"])
        if not recent.is_recent(self.grant, now=timezone.now()):
            return HttpResponseRedirect(_ask_again(request.path))
        return super().post(request, *args, **kwargs)

    @sensitive_variables("token")
    def act(self, form: Any) -> HttpResponseBase:
        """Make one; its text is on this page and nowhere else."""
        given, now = form.cleaned_data, timezone.now()
        recent.require_proof(self.person, self.grant, None, self.request)
        token = tokens.issue_personal(
            self.person,
            name=given["name"],
            scopes=_scopes(given["scopes"]),
            expires_at=now + timedelta(days=given["days"]),
            now=now,
            client=client_of(self.request),
        )
        return self.render_to_response(
            self.get_context_data(form=self.form_class(), token=token.text)
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Those that still work, the newest first."""
        now = timezone.now()
        return super().get_context_data(
            tokens=tokens.personal_of(self.person, now=now)[:500],
            is_recent=recent.is_recent(self.grant, now=now),
            ask_again=_ask_again(self.request.path),
            **kwargs,
        )

    def _revoke(self, token_id: str) -> HttpResponseBase:
        now = timezone.now()
        own = tokens.personal_of(self.person, now=now)
        if not token_id.isprintable() or not own.filter(pk=token_id[:32]).exists():
            raise Http404
        tokens.revoke(token_id, now=now, actor=self.person, client=client_of(self.request))
        return HttpResponseRedirect(f"{self.request.path}?done=token")


def _ask_again(back: str) -> str:
    page = resolve_url(f"{links.PAGES}:reauthenticate")
    return f"{page}?{urlencode({'next': back})}"


def _session_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def _scopes(text: str) -> list[str] | None:
    scopes = [line.strip() for line in text.splitlines() if line.strip()]
    for scope in scopes:
        try:
            parse_pattern(scope)
        except PatternError as error:
            raise ValidationError({"scopes": [f"{scope}: {wording.pattern_text(error)}"]}) from None
    unknown = unknown_in(scopes)
    if unknown:
        raise ValidationError({"scopes": [wording.unknown_scopes_text(unknown)]})
    return scopes or None
