"""Invitations: make one, see what became of it, take it back."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.contrib import admin
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache

from authkit.accounts import invitations
from authkit.accounts.client import client_of
from authkit.admin import actions
from authkit.admin.base import ModelAdmin, ReadOnlyAdmin, is_person, url_of
from authkit.models import Invitation

_LINK = "authkit_link"


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """With an address it is mailed; in any case its link is shown, once, to who makes it.

    The account that it leads to holds nothing more than any other new one.
    """

    fields = ("address",)
    readonly_fields = ("state", "created_by", "created_at", "expires_at", "used_at")
    list_display = ("__str__", "state", "created_by", "created_at", "expires_at")
    list_filter = ("created_at", "expires_at", "used_at")
    list_select_related = ("created_by",)
    search_fields = ("address",)
    actions = ("take_back",)
    hidden = ("digest",)
    ordering: ClassVar = ("-created_at", "-pk")

    @admin.display(description=gettext_lazy("state"))
    def state(self, invitation: Invitation) -> str:
        """What became of it."""
        if invitation.used_at is not None:
            return _("used")
        return _("open") if timezone.now() < invitation.expires_at else _("over")

    @admin.action(description=gettext_lazy("Take the selected invitations back"))
    def take_back(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        """End those that are open."""
        actor, client = cast(AbstractBaseUser, request.user), client_of(request)
        count = invitations.take_back(queryset, actor=actor, client=client)
        text = ngettext("%(count)d invitation ended.", "%(count)d invitations ended.", count)
        self.message_user(request, text % {"count": count})

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> Any:
        """Only who may make invitations takes them back."""
        if not self.has_add_permission(request):
            return {}
        return super().get_actions(request, *actions.places(action_location))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether one may be made."""
        return is_person(request) and ModelAdmin.has_add_permission(self, request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for less than is shown."""
        return self.fields if obj is None else (*self.fields, *self.readonly_fields)

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        """Let `invitations` make what the form asks for."""
        actor = cast(AbstractBaseUser, request.user)
        made, link = invitations.invite(obj.address, actor=actor, request=request)
        obj.pk = made.pk
        obj.refresh_from_db()
        setattr(request, _LINK, link)

    def response_add(
        self, request: HttpRequest, obj: Invitation, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the link, here and never again."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": obj,
            "title": _("The new invitation"),
            "media": self.media,
            "link": getattr(request, _LINK),
            "list_url": url_of(self.admin_site, Invitation, "changelist"),
            "add_url": url_of(self.admin_site, Invitation, "add"),
        }
        return _uncached(request, context)


@never_cache
def _uncached(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(request, "admin/authkit/invitation/issued.html", context)
