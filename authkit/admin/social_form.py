"""The form in which an administrator sets up a provider."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from authkit import sealing
from authkit.models import SocialAccount, SocialProvider
from authkit.social import addresses, fetching, kinds, providers

_SECONDS_FOR_DNS = 2
_MOST_LINES = 100
_LONGEST_LINE = 500


class Lines(forms.CharField):
    """A list of texts, one per line."""

    widget = forms.Textarea(attrs={"class": "vLargeTextField", "rows": 3, "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        """Show a list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        """Read lines as a list."""
        lines = [line.strip() for line in super().clean(value).splitlines() if line.strip()]
        if len(lines) > _MOST_LINES or any(len(line) > _LONGEST_LINE for line in lines):
            raise ValidationError(_("These are too many, or too long."))
        return list(dict.fromkeys(lines))

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare lists."""
        lines = [line.strip() for line in str(data or "").splitlines() if line.strip()]
        return list(initial or []) != lines


class ProviderForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """Everything of a provider; its secret goes in and never comes out."""

    #: Where the site is, as the administrator reaches it; set by the page.
    site_url: ClassVar[str] = ""
    #: Whether a superuser fills it in; set by the page.
    decides_all: ClassVar[bool] = False

    redirect_uri = forms.CharField(
        label=gettext_lazy("Redirect URI"),
        required=False,
        disabled=True,
        help_text=gettext_lazy("Register this at the provider, exactly so."),
        widget=forms.TextInput(
            attrs={"class": "vLargeTextField", "data-authkit-copy": gettext_lazy("Copy")}
        ),
    )
    secret = forms.CharField(
        label=gettext_lazy("Secret"),
        required=False,
        max_length=2000,
        help_text=gettext_lazy("Kept encrypted and never shown. Empty: it stays as it is."),
        widget=forms.PasswordInput(attrs={"class": "vTextField", "autocomplete": "new-password"}),
    )
    forget_secret = forms.BooleanField(
        label=gettext_lazy("Forget the secret"),
        required=False,
        help_text=gettext_lazy("For a public client, which has none."),
    )
    scopes = Lines(
        label=gettext_lazy("Scopes"),
        required=False,
        help_text=gettext_lazy("What is asked for beyond who somebody is; one per line."),
    )
    redirect_uris = Lines(
        label=gettext_lazy("Further redirect URIs"),
        required=False,
        help_text=gettext_lazy("Of apps that complete the sign-in themselves; one per line."),
    )
    email_domains = Lines(
        label=gettext_lazy("Allowed e-mail domains"),
        required=False,
        help_text=gettext_lazy("Only verified addresses in one of these; empty: everybody."),
    )
    organisations = Lines(
        label=gettext_lazy("Allowed organisations"),
        required=False,
        help_text=gettext_lazy("Only members of one of these; empty: everybody."),
    )
    default_roles = Lines(
        label=gettext_lazy("Roles of new people"),
        required=False,
        help_text=gettext_lazy("Short names of roles, one per line. Superusers edit them."),
    )

    class Meta:
        model = SocialProvider
        exclude: ClassVar = ["sealed_secret"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Show the redirect URI, and whether there is a secret."""
        super().__init__(*args, **kwargs)
        if self.instance.pk and "redirect_uri" in self.fields:
            self.fields["redirect_uri"].initial = redirect_uri_of(self.instance, self.site_url)
        if "secret" in self.fields and self.instance.sealed_secret:
            self.fields["secret"].widget.attrs["placeholder"] = _("there is one")

    def clean_slug(self) -> str:
        """Let superusers alone put a row in the place of another provider, or of one that was.

        Those who have linked it would come back by another word than it let them in by.
        """
        slug = str(self.cleaned_data["slug"])
        if self.decides_all or slug == self.instance.slug:
            return slug
        is_linked = SocialAccount.objects.filter(provider=slug).exists()
        if is_linked or any(each.slug == slug for each in providers.from_settings()):
            text = _("Another provider has, or had, this short name: a superuser may take it.")
            raise ValidationError(text)
        return slug

    def clean_redirect_uris(self) -> list[str]:
        """Take addresses that no other app can catch."""
        for uri in self.cleaned_data["redirect_uris"]:
            if not _is_redirect_uri(uri):
                text = _(
                    "%(uri)s is no redirect URI: https://… or the scheme of an app (org.app:/…)."
                )
                raise ValidationError(text % {"uri": uri})
        return list(self.cleaned_data["redirect_uris"])

    def clean_email_domains(self) -> list[str]:
        """Take domains, with or without the @."""
        return [each.lstrip("@").lower() for each in self.cleaned_data["email_domains"]]

    def clean(self) -> dict[str, Any]:
        """Look whether kind, backend and issuer go together."""
        given = super().clean() or {}
        if "kind" not in self.fields:  # a superuser's, and not edited here
            return given
        backend = self._backend(given)
        needs_issuer = backend is not None and kinds.is_openid(backend)
        has_default = backend is not None and kinds.default_issuer(given.get("kind", ""), backend)
        if needs_issuer and not has_default and not given.get("issuer"):
            self.add_error("issuer", _("OpenID Connect is asked at its issuer: write it here."))
        if given.get("issuer"):
            self._check_issuer(given["issuer"])
        kind = kinds.kind_of(given.get("kind", ""))
        if given.get("organisations") and not kind.organisation_claim:
            text = _("This kind of provider tells of no organisations, so nobody would get in.")
            self.add_error("organisations", text)
        return given

    def save(self, commit: bool = True) -> Any:
        """Seal the secret."""
        if self.cleaned_data.get("forget_secret"):
            self.instance.sealed_secret = ""
        if self.cleaned_data.get("secret"):
            sealed = sealing.seal(sealing.PROVIDER_SECRET, self.cleaned_data["secret"])
            self.instance.sealed_secret = sealed
        return super().save(commit)

    def _backend(self, given: dict[str, Any]) -> kinds.Backend | None:
        try:
            return kinds.backend_class(given.get("kind", ""), given.get("backend", ""))
        except kinds.BackendTooOld:
            text = _(
                "This backend speaks neither OAuth nor OpenID Connect, or a dialect of OAuth 1."
                " That binds no sign-in to the browser that began it, and is not taken."
            )
            self.add_error("backend", text)
        except kinds.NoSubject:
            text = _(
                "This backend knows people by an address or a name, which may become somebody"
                " else's, and is not taken."
            )
            self.add_error("backend", text)
        except kinds.BackendUnknown:
            self.add_error("backend", _("python-social-auth has no OAuth backend of this name."))
        except KeyError:  # no kind was chosen, and that is said already
            pass
        return None

    def _check_issuer(self, issuer: str) -> None:
        is_plain = issuer.isascii() and issuer.isprintable()
        is_address = is_plain and fetching.is_safe(issuer)
        if not is_address or urlsplit(issuer).query or urlsplit(issuer).fragment:
            self.add_error("issuer", _("An issuer is an https address without ? and #."))
            return
        parts = urlsplit(issuer)
        try:
            addresses.resolve(str(parts.hostname), parts.port or 443, timeout=_SECONDS_FOR_DNS)
        except addresses.AddressRefused:
            text = _(
                "This address leads into a private network. A developer can allow it in"
                " SOCIAL_ALLOWED_NETWORKS."
            )
            self.add_error("issuer", text)
        except OSError:  # it may be down today; the test says so
            return


def redirect_uri_of(provider: SocialProvider, site_url: str) -> str:
    """Where the provider sends people back to."""
    try:
        path = reverse("authkit:social_callback", args=[provider.slug])
    except NoReverseMatch:
        return _("(authkit.urls is not among the URLs of this site)")
    return site_url.rstrip("/") + path


def _is_redirect_uri(uri: str) -> bool:
    parts = urlsplit(uri)
    if parts.fragment or not uri.isascii() or not uri.isprintable() or " " in uri:
        return False
    if parts.scheme in {"http", "https"}:
        return fetching.is_safe(uri)
    return "." in parts.scheme  # of an app: a domain turned around (RFC 8252 §7.1)
