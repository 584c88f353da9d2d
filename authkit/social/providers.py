"""Which providers are on offer: rows of the admin, and those of SOCIAL_AUTH_… settings.

A row wins, whole: where a row and settings have the same name, the settings' key, secret
and scopes are not looked at, and a row that is switched off switches both off. Other
options of python-social-auth, such as SOCIAL_AUTH_GITHUB_AUTH_EXTRA_ARGUMENTS, are read
from settings for both. Rows are read when asked, so a change holds at the next request.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.views.decorators.debug import sensitive_variables
from social_core.utils import setting_name

from authkit import conf, sealing
from authkit.models import ClaimRole, SocialProvider
from authkit.social import kinds
from authkit.social.refusals import ProviderMisconfigured, ProviderUnknown

_SIGN_UP = SocialProvider.SignUp


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as a sign-in needs it, from wherever it is configured."""

    slug: str
    name: str
    kind: str
    backend: kinds.Backend
    issuer: str
    client_id: str
    secret: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    email_domains: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    sign_up: str = SocialProvider.SignUp.VERIFIED
    needs_email: bool = False
    default_roles: tuple[str, ...] = ()
    keeps_tokens: bool = False
    row_id: int | None = None
    asks_organisations: bool = False

    @property
    def is_openid(self) -> bool:
        """Whether it tells its issuer, and signs what it says."""
        return kinds.is_openid(self.backend)


def find(slug: str) -> Provider:
    """The provider of this name.

    Raises:
        ProviderUnknown: there is none, or it is switched off.
        ProviderMisconfigured: its secret cannot be read, or its backend is not known.
    """
    row = SocialProvider.objects.filter(slug=slug).first()
    if row is not None and row.slug == slug:
        if not row.is_enabled:
            raise ProviderUnknown("disabled")
        return of_row(row)
    found = [each for each in from_settings() if each.slug == slug]
    if not found:
        raise ProviderUnknown("unknown")
    return found[0]


def on_offer() -> list[tuple[str, str, str]]:
    """Slug, display name and kind of each provider that is switched on, in order."""
    rows = list(SocialProvider.objects.all())
    taken = {row.slug for row in rows}
    ours = [(row.slug, row.name, row.kind) for row in rows if row.is_enabled]
    others = (each for each in from_settings() if each.slug not in taken)
    return ours + [(each.slug, each.name, each.kind) for each in others]


@sensitive_variables("secret")
def of_row(row: SocialProvider) -> Provider:
    """What a row says, whether or not it is switched on."""
    try:
        backend = kinds.backend_class(row.kind, row.backend)
        secret = (
            sealing.unseal(sealing.PROVIDER_SECRET, row.sealed_secret) if row.sealed_secret else ""
        )
    except kinds.BackendUnknown as error:
        raise ProviderMisconfigured("backend_missing") from error
    except sealing.Unsealable as error:
        raise ProviderMisconfigured("secret_unreadable") from error
    return Provider(
        slug=row.slug,
        name=row.name,
        kind=row.kind,
        backend=backend,
        issuer=_issuer_of(row, backend),
        client_id=row.client_id,
        secret=secret,
        scopes=tuple(row.scopes),
        redirect_uris=tuple(row.redirect_uris),
        email_domains=tuple(row.email_domains),
        organisations=tuple(row.organisations),
        sign_up=row.sign_up,
        needs_email=row.needs_email,
        default_roles=tuple(row.default_roles),
        keeps_tokens=row.keeps_tokens,
        row_id=row.pk,
        asks_organisations=_asks_organisations(row),
    )


def _asks_organisations(row: SocialProvider) -> bool:
    """Whether memberships decide who gets in, or about a role: not asked about otherwise."""
    kind = kinds.kind_of(row.kind)
    if row.organisations or kind.tells_organisations or not kind.organisation_claim:
        return bool(row.organisations)
    return ClaimRole.objects.filter(provider=row, claim=kind.organisation_claim).exists()


def _issuer_of(row: SocialProvider, backend: kinds.Backend) -> str:
    """Who vouches. A row may only name an issuer that is asked, and so found to be one."""
    is_free = kinds.is_openid(backend) or row.kind == SocialProvider.Kind.GITLAB
    named = row.issuer if is_free else ""
    return named or kinds.default_issuer(row.kind, backend)


def from_settings() -> list[Provider]:
    """The providers that AUTHENTICATION_BACKENDS and SOCIAL_AUTH_… settings describe."""
    return [_of_settings(each) for each in kinds.listed_backends() if _option(each, "KEY")]


def refused_settings() -> list[str]:
    """The names of OAuth backends that settings describe as well, and that are not taken."""
    refused: Any = kinds.refused_backends()
    return [str(each.name) for each in refused if _option(each, "KEY")]


def _of_settings(backend: kinds.Backend) -> Provider:
    kind = kinds.kind_of_backend(backend)
    endpoint = _option(backend, "OIDC_ENDPOINT") or getattr(backend, "OIDC_ENDPOINT", None)
    is_free = kind in {SocialProvider.Kind.OIDC, SocialProvider.Kind.GITLAB}
    issuer = (endpoint or _option(backend, "API_URL")) if is_free else ""
    domains = _option(backend, "WHITELISTED_DOMAINS") or ()
    return Provider(
        slug=backend.name,
        name=backend.title or backend.name,
        kind=kind,
        backend=backend,
        issuer=str(issuer or kinds.default_issuer(kind, backend)),
        client_id=str(_option(backend, "KEY")),
        secret=str(_option(backend, "SECRET") or ""),
        scopes=tuple(_option(backend, "SCOPE") or ()),
        email_domains=tuple(domains),
        sign_up=_SIGN_UP.VERIFIED if conf.get().registration == "open" else _SIGN_UP.NOBODY,
    )


def _option(backend: kinds.Backend, name: str) -> Any:
    for each in (setting_name(backend.name, name), setting_name(name)):
        value = getattr(settings, each, None)
        if value is not None:
            return value
    return None
