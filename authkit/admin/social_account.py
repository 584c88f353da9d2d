"""Everybody's linked accounts: see them, unlink them."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from authkit.admin.base import Text, url_of
from authkit.admin.personal import PersonalAdmin
from authkit.models import ClaimRole, SocialAccount
from authkit.social import linking, roles


@admin.register(SocialAccount)
class SocialAccountAdmin(PersonalAdmin):
    """Shows and unlinks. Nobody edits who is linked to whom, superusers included."""

    list_display = ("user", "provider", "display_name", "email", "last_used_at", "created_at")
    list_filter = ("provider", "created_at", "last_used_at")
    search_fields = ("=subject", "display_name", "email")
    search_help_text = gettext_lazy("Search by person, or by name or address at the provider.")
    ordering: ClassVar = ("-created_at",)
    actions = ("unlink_accounts",)
    buttons: ClassVar[dict[str, Text]] = {"unlink_accounts": gettext_lazy("Unlink this account")}
    hidden = ("digest", "sealed_tokens")
    fieldsets = (
        (None, {"fields": ("user", "provider", "display_name", "email", "is_email_verified")}),
        (gettext_lazy("Times"), {"fields": ("created_at", "last_used_at")}),
        (
            gettext_lazy("Claims"),
            {"fields": ("claims_by_line", "given_by_claims", "dry_run")},
        ),
        (gettext_lazy("For programs"), {"fields": ("issuer", "subject", "has_tokens")}),
    )

    @admin.display(description=gettext_lazy("claims at the last sign-in"))
    def claims_by_line(self, account: SocialAccount) -> str:
        """What is kept of what the provider said."""
        lines = [f"{name}: {', '.join(values)}" for name, values in account.claims.items()]
        return "\n".join(lines) or _("none")

    @admin.display(description=gettext_lazy("roles given by claims"))
    def given_by_claims(self, account: SocialAccount) -> str:
        """What claims have given so far."""
        return ", ".join(account.given_roles) or _("none")

    @admin.display(description=gettext_lazy("dry run of today's roles from claims"))
    def dry_run(self, account: SocialAccount) -> str:
        """What the rows of today would make of the last sign-in."""
        rows = ClaimRole.objects.filter(provider__slug=account.provider)
        outcome = roles.evaluate(rows, account.claims)
        lost = [slug for slug in outcome.lost if slug in account.given_roles]
        gains = _("would have: %(roles)s") % {"roles": ", ".join(outcome.gained) or _("none")}
        losses = _("would lose: %(roles)s") % {"roles": ", ".join(lost) or _("none")}
        return f"{gains}\n{losses}"

    @admin.display(description=gettext_lazy("keeps the provider's tokens"), boolean=True)
    def has_tokens(self, account: SocialAccount) -> bool:
        """Whether there are any; they are shown to nobody."""
        return bool(account.sealed_tokens)

    @admin.action(description=gettext_lazy("Unlink the selected accounts"), permissions=["end"])
    def unlink_accounts(self, request: HttpRequest, queryset: QuerySet[SocialAccount]) -> None:
        """Unlink each of these, also where it is the last way in: the person may be the reason."""
        rows = list(queryset.select_related("user"))
        self.require_power_over(request, rows)
        for row in rows:
            self.log_change(request, row, _("Unlinked."))
            linking.unlink(row, actor=request.user, request=request, keeps_way_in=False)
        count = len(rows)
        text = ngettext(
            "%(count)d account was unlinked.", "%(count)d accounts were unlinked.", count
        )
        self.tell(request, count, text % {"count": count})

    def press_view(self, request: HttpRequest, object_id: str, action: str) -> HttpResponse:
        """Answer a button; afterwards the row is gone, so lead to the list."""
        super().press_view(request, object_id, action)
        return HttpResponseRedirect(url_of(self.admin_site, self.model, "changelist"))
