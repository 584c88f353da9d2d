"""Everybody's bearer tokens: make one for somebody, see them, revoke them."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache

from authkit import conf, tokens
from authkit.access.guards import holds_at_least
from authkit.accounts.client import client_of
from authkit.admin import asking
from authkit.admin.base import ModelAdmin, Text, is_person, list_of, url_of
from authkit.admin.filters import TokenKindFilter, TokenStateFilter
from authkit.admin.new_token import NewToken
from authkit.admin.personal import PersonalAdmin, Place
from authkit.admin.states import state_of_token
from authkit.exceptions import NotPermitted, SignInRefused
from authkit.kernel.opaque import OpaqueToken
from authkit.models import AuditEvent, BearerToken

_ISSUED = "authkit_issued"


@admin.register(BearerToken)
class BearerTokenAdmin(PersonalAdmin):
    """Makes and revokes. A token's text is shown once, in the answer that makes it.

    That text never passes through a message, a session, a cookie or a log: the page is
    rendered right into the response of the POST, and no cache may keep it. To make a
    token for somebody else is to act as them, so it takes the add permission and at least
    what that person holds, and the audit event names both.
    """

    form = NewToken
    list_display = ("title", "user", "state", "last_use", "expires_at", "created_at", "id")
    ordering: ClassVar = ("-created_at",)
    list_select_related = ("user", "session", "session__user")
    list_filter = (TokenStateFilter, TokenKindFilter, "created_at", "expires_at")
    search_fields = ("=id", "name")
    search_help_text = gettext_lazy("Search by person, name or public id.")
    actions = ("revoke_tokens",)
    buttons: ClassVar = {"revoke_tokens": gettext_lazy("Revoke this token")}
    hidden = ("digest", "credential_digest")
    _new = ((None, {"fields": ("user", "name", "scopes", "expires_at")}),)
    _shown = (
        (None, {"fields": ("user", "title", "state")}),
        (gettext_lazy("Reach"), {"fields": ("scopes_by_line",)}),
        (
            gettext_lazy("Times"),
            {"fields": ("created_at", "last_use", "expires_at", "revoked_at")},
        ),
        (gettext_lazy("For programs"), {"fields": ("id", "session")}),
    )

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def title(self, token: BearerToken) -> str:
        """Its name; those of a sign-in have none."""
        return token.name or _("of a sign-in")

    @admin.display(description=gettext_lazy("last used at"), ordering="last_used_at")
    def last_use(self, token: BearerToken) -> str:
        """When it was last used; that of a sign-in is noted there."""
        used_at = token.last_used_at if token.session is None else token.session.last_seen_at
        if used_at is None:
            return _("never")
        return date_format(localtime(used_at), "DATETIME_FORMAT")

    @admin.display(description=gettext_lazy("state"))
    def state(self, token: BearerToken) -> Text:
        """Whether a request with it gets in, and if not, why."""
        return state_of_token(token, now=timezone.now()).text

    @admin.display(description=gettext_lazy("scopes"))
    def scopes_by_line(self, token: BearerToken) -> str:
        """What it may be used for."""
        return _("everything") if token.scopes is None else "\n".join(token.scopes)

    @admin.action(description=gettext_lazy("Revoke the selected tokens"), permissions=["end"])
    def revoke_tokens(self, request: HttpRequest, queryset: QuerySet[BearerToken]) -> None:
        """Revoke each of these; one that carries a sign-in takes the session with it."""
        rows = list(queryset.select_related("user"))
        self.require_power_over(request, rows)
        with transaction.atomic():
            revoked = [row for row in rows if self._revoke(request, row)]
            for row in revoked:
                self.log_change(request, row, _("Revoked."))
        count = len(revoked)
        text = ngettext("%(count)d token was revoked.", "%(count)d tokens were revoked.", count)
        self.tell(request, count, text % {"count": count})

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether a token may be made at all; for whom, `save_model` looks."""
        return is_person(request) and ModelAdmin.has_add_permission(self, request)

    def get_fieldsets(self, request: HttpRequest, obj: BearerToken | None = None) -> Any:
        """Ask for less than is shown."""
        return self._new if obj is None else self._shown

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Suggest an end; `?user=` in the URL fills in the person."""
        expires_at = timezone.now() + conf.get().token_lifetime
        return {"expires_at": expires_at, **super().get_changeform_initial_data(request)}

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Ask for a new token and make it. What changed between the two is told.

        To act as somebody takes a recent sign-in.
        """
        may_ask = request.method == "POST" and self.has_add_permission(request)
        asked = asking.proved(request, self, _("Make a token")) if may_ask else None
        if asked is not None:
            return asked
        only_save = {"show_save_and_continue": False, "show_save_and_add_another": False}
        try:
            return super().add_view(request, form_url, {**only_save, **(extra_context or {})})
        except (NotPermitted, SignInRefused) as refusal:
            self.message_user(request, _(refusal.public_message), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: BearerToken, form: Any, change: bool) -> None:
        """Let `tokens` make what the form asks for."""
        if change or not holds_at_least(request.user, obj.user):
            raise PermissionDenied
        token = tokens.issue_personal(
            obj.user,
            name=obj.name,
            scopes=obj.scopes,
            expires_at=obj.expires_at,
            now=timezone.now(),
            actor=cast(AbstractBaseUser, request.user),
            client=client_of(request),
        )
        obj.pk = token.id
        obj.refresh_from_db()
        setattr(request, _ISSUED, token)

    def response_add(
        self, request: HttpRequest, obj: BearerToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the token, here and never again."""
        token: OpaqueToken = getattr(request, _ISSUED)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": obj,
            "has_view_permission": self.has_view_permission(request, obj),
            "title": _("The new token"),
            "media": self.media,
            "text": token.text,
            "list_url": url_of(self.admin_site, BearerToken, "changelist"),
            "add_url": url_of(self.admin_site, BearerToken, "add"),
        }
        page = "admin/authkit/bearertoken/issued.html"
        return _uncached(request, page, context)

    def audit_links_for(self, row: BearerToken) -> list[Place]:
        """All that its person did."""
        url = list_of(self.admin_site, AuditEvent, person=row.user_id)
        return [Place(_("Events of this person"), url)]

    def _revoke(self, request: HttpRequest, token: BearerToken) -> bool:
        return tokens.revoke(
            token.pk,
            now=timezone.now(),
            actor=cast(AbstractBaseUser, request.user),
            client=client_of(request),
        )


@never_cache
def _uncached(request: HttpRequest, page: str, context: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(request, page, context)
