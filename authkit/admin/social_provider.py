"""Providers by whose word people sign in: set up, tried, switched off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from authkit import audit, conf
from authkit.accounts.client import client_of
from authkit.admin.base import ModelAdmin, is_person, url_of
from authkit.admin.formsets import BoundedFormSet
from authkit.admin.personal import Place
from authkit.admin.social_form import ProviderForm, redirect_uri_of
from authkit.models import ClaimRole, SocialProvider
from authkit.social import providers, trial
from authkit.social.refusals import SocialRefused

if TYPE_CHECKING:
    StackedInline = admin.StackedInline[Any, Any]
else:
    StackedInline = admin.StackedInline

#: What hands out access, or sends codes elsewhere.
_GRAVE = ("default_roles", "redirect_uris")
#: By whose word people get in; fixed for others than superusers once it is saved.
_TRUST = (
    *("slug", "kind", "backend", "issuer", "client_id", "scopes"),
    *("sign_up", "email_domains", "organisations", "needs_email", "keeps_tokens"),
)
_LEVELS = {True: messages.SUCCESS, False: messages.ERROR, None: messages.WARNING}


class ClaimRoleInline(StackedInline):
    """Which claim gives which role. Superusers edit it: it hands out access.

    Not in columns: Django's have no labels that a screen reader finds, and run off a phone.
    """

    model = ClaimRole
    formset = BoundedFormSet
    extra = 0
    fields: ClassVar = (("claim", "value"), ("role", "mode"))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever sees the provider sees its roles."""
        return is_person(request) and request.user.has_perm("authkit.view_socialprovider")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody gives what they may not have."""
        return _decides_all(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody gives what they may not have."""
        return _decides_all(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A role that is kept in step would be taken away no more."""
        return _decides_all(request)


@admin.register(SocialProvider)
class SocialProviderAdmin(ModelAdmin):
    """Sets providers up. What is saved holds at the next request in every process."""

    form = ProviderForm
    inlines = (ClaimRoleInline,)
    list_display = ("name", "slug", "kind", "is_enabled", "sign_up", "position")
    list_filter = ("is_enabled", "kind")
    search_fields = ("name", "slug")
    show_facets = admin.ShowFacets.NEVER
    change_list_template = "admin/authkit/socialprovider/change_list.html"
    fieldsets = (
        (None, {"fields": ("name", "slug", "kind", "backend", "is_enabled", "position")}),
        (
            gettext_lazy("At the provider"),
            {
                "fields": (
                    *("issuer", "client_id", "secret", "forget_secret", "redirect_uri"),
                    *("scopes", "redirect_uris"),
                )
            },
        ),
        (
            gettext_lazy("Who gets in"),
            {
                "fields": (
                    *("sign_up", "email_domains", "organisations"),
                    *("needs_email", "default_roles", "keeps_tokens"),
                )
            },
        ),
    )

    class Media:
        css: ClassVar = {"all": ("authkit/admin.css",)}
        js: ClassVar = ("authkit/copy.js",)

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """A form that knows where the site is."""
        form: Any = super().get_form(request, *args, **kwargs)
        form.site_url = request.build_absolute_uri("/")
        form.decides_all = _decides_all(request)
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Where registration is not open, a provider opens it only if somebody says so."""
        is_open = conf.get().registration == "open"
        sign_up = SocialProvider.SignUp.VERIFIED if is_open else SocialProvider.SignUp.NOBODY
        return {"sign_up": sign_up, **super().get_changeform_initial_data(request)}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What a superuser alone decides, others see (see `_decides_all`)."""
        if _decides_all(request):
            return ()
        return _GRAVE if obj is None else (*_GRAVE, *_TRUST)

    @method_decorator(sensitive_post_parameters("secret"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The form; its secret is in no error report."""
        return super().changeform_view(request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The list, and below it the providers that settings describe."""
        rows = set(SocialProvider.objects.values_list("slug", flat=True))
        told = [
            {"slug": each.slug, "name": each.name, "is_overridden": each.slug in rows}
            for each in providers.from_settings()
        ]
        return super().changelist_view(request, {"from_settings": told, **(extra_context or {})})

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Refuse to find out the sealed secret letter by letter."""
        is_secret = "sealed" in lookup
        return not is_secret and super().lookup_allowed(lookup, value, request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """No token runs the house; see `is_person`."""
        return is_person(request) and super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No token runs the house."""
        return is_person(request) and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """No token runs the house."""
        return is_person(request) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No token runs the house."""
        return is_person(request) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No token runs the house."""
        return is_person(request) and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, and keep who changed which fields; never what to."""
        super().save_model(request, obj, form, change)
        fields = sorted(set(form.changed_data) - {"redirect_uri"})
        _record(request, "social.provider_saved", obj, {"fields": fields})

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete; who has linked it stays linked, and cannot use it."""
        _record(request, "social.provider_deleted", obj, {})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Delete several, each with its event."""
        for row in queryset:
            self.delete_model(request, row)

    def get_urls(self) -> list[URLPattern]:
        """The test button's address, before ``<path:object_id>/`` takes it."""
        view = self.admin_site.admin_view(self.try_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_try"
        return [path("<path:object_id>/try/", view, name=name), *super().get_urls()]

    @method_decorator(require_POST)
    def try_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the provider, and say what was found, one line each."""
        row = cast("SocialProvider | None", self.get_object(request, unquote(object_id)))
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        try:
            provider = providers.of_row(row)
            found = trial.run(provider, redirect_uri_of(row, request.build_absolute_uri("/")))
        except SocialRefused as refusal:
            found = [trial.Finding(False, _what_is_wrong(refusal))]
        for finding in found:
            self.message_user(request, finding.text, _LEVELS[finding.is_good])
        return HttpResponseRedirect(url_of(self.admin_site, self.model, "change", object_id))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Show the test button for what has been saved."""
        if obj is not None and self.has_change_permission(request, obj):
            url = url_of(self.admin_site, self.model, "try", obj.pk)
            context["authkit_buttons"] = [Place(gettext_lazy("Test what is saved"), url)]
        return super().render_change_form(request, context, add, change, form_url, obj)


def _decides_all(request: HttpRequest) -> bool:
    """Whether somebody may say whose word opens which account, and with which roles.

    A provider that is pointed elsewhere would get its roles to whomever it names, and a
    further redirect URI catches the codes of others: so, superusers.
    """
    return is_person(request) and bool(getattr(request.user, "is_superuser", False))


def _what_is_wrong(refusal: SocialRefused) -> str:
    if refusal.reason == "secret_unreadable":
        return _("Its secret was encrypted under another SECRET_KEY. Enter it again.")
    return _("python-social-auth has no OAuth backend of this name.")


def _record(request: HttpRequest, kind: str, row: SocialProvider, data: dict[str, Any]) -> None:
    audit.record(
        kind, actor=cast(Any, request.user), subject=row.slug, client=client_of(request), data=data
    )
