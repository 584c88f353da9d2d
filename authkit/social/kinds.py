"""What is known of each kind of provider, and how python-social-auth calls it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.module_loading import import_string
from social_core.backends.base import BaseAuth
from social_core.backends.oauth import BaseOAuth1, BaseOAuth2, OAuthAuth
from social_core.backends.open_id_connect import OpenIdConnectAuth

from authkit.models import SocialProvider

_KIND = SocialProvider.Kind
Backend = type[OAuthAuth[Any]]
#: What `authkit.social.oauth1` puts in the place of python-social-auth's own, so that a
#: backend which has replaced it as well (MediaWiki's) does not work with it.
_OURS_IN_OAUTH1 = ("auth_complete", "get_unauthorized_token", "unauthorized_token")
#: What is nobody's for ever.
_CHANGEABLE = frozenset({"email", "mail", "name", "login", "username", "preferred_username"})


class BackendUnknown(ValueError):
    """No backend of python-social-auth has this name."""


class BackendTooOld(BackendUnknown):
    """It speaks OpenID 2, SAML or what else is neither OAuth nor OpenID Connect.

    What a sign-in is held to here (a secret of the browser that began it, a state that names
    browser, provider and purpose, an answer for this client alone) has no place in those;
    OpenID 2 lets whoever signs in choose whom our server asks. Nor has it in a dialect of
    OAuth 1 that begins in a way of its own.
    """


class NoSubject(BackendUnknown):
    """It knows people by an address or a name, which become another person's, or not at all.

    python-social-auth takes some of these for linking alone (`ASSOCIATION_ONLY`).
    """


@dataclass(frozen=True, slots=True)
class Kind:
    """How to speak with a kind of provider.

    Attributes:
        path: the class of python-social-auth.
        issuer: who vouches for the identities; "" where each row names its own.
        scopes: what is asked for to learn a verified address, beyond the class's own.
        organisation_claim: where the answer names the organisations of a person; "" where
            the provider tells of none.
        tells_organisations: whether they stand in the answer about the person, so that
            nothing beside it is asked.
    """

    path: str
    issuer: str = ""
    scopes: tuple[str, ...] = ()
    organisation_claim: str = "groups"
    tells_organisations: bool = False


_KINDS: Mapping[str, Kind] = {
    _KIND.GOOGLE: Kind(
        "social_core.backends.google_openidconnect.GoogleOpenIdConnect",
        issuer="https://accounts.google.com",
        organisation_claim="hd",
        tells_organisations=True,
    ),
    _KIND.GITHUB: Kind(
        "social_core.backends.github.GithubOAuth2",
        issuer="https://github.com",
        scopes=("user:email",),
        organisation_claim="organisations",
    ),
    _KIND.X: Kind(
        "social_core.backends.twitter_oauth2.TwitterOAuth2",
        issuer="https://x.com",
        organisation_claim="",
    ),
    _KIND.MICROSOFT: Kind(
        "social_core.backends.microsoft.MicrosoftOAuth2",
        issuer="https://graph.microsoft.com",
    ),
    _KIND.GITLAB: Kind("social_core.backends.gitlab.GitLabOAuth2", issuer="https://gitlab.com"),
    _KIND.OIDC: Kind(
        "social_core.backends.open_id_connect.OpenIdConnectAuth", tells_organisations=True
    ),
}
_OTHER = Kind("")


def kind_of(name: str) -> Kind:
    """What is known of a kind."""
    return _KINDS.get(name, _OTHER)


def kind_of_backend(backend: type) -> str:
    """The kind that speaks through a class of python-social-auth, most special first."""
    for name, kind in _KINDS.items():
        if name != _KIND.OIDC and issubclass(backend, import_string(kind.path)):
            return name
    return _KIND.OIDC if issubclass(backend, OpenIdConnectAuth) else _KIND.OTHER


def backend_class(kind: str, name: str) -> Backend:
    """The class for a row of this kind; `name` counts for kind "other" alone.

    Raises:
        BackendUnknown: there is none, or one that is not taken; see the classes below it.
    """
    if kind != _KIND.OTHER:
        found: Backend = import_string(_KINDS[kind].path)
        return found
    return _named(name)


def default_issuer(kind: str, backend: Backend) -> str:
    """Who vouches for identities where the row does not say."""
    known = kind_of(kind).issuer
    if known or kind == _KIND.OIDC:
        return known
    parts = urlsplit(str(backend.AUTHORIZATION_URL))
    if parts.netloc:
        return f"{parts.scheme}://{parts.netloc}"
    return "" if is_openid(backend) else f"python-social-auth:{backend.name}"


def is_openid(backend: type) -> bool:
    """Whether a backend reads ID tokens, so that the issuer is told and compared."""
    return issubclass(backend, OpenIdConnectAuth)


def is_oauth1(backend: type) -> bool:
    """Whether a backend signs its requests, and has no PKCE."""
    return issubclass(backend, BaseOAuth1)


def listed_backends() -> list[Backend]:
    """The OAuth backends of python-social-auth in AUTHENTICATION_BACKENDS."""
    found = (import_string(path) for path in settings.AUTHENTICATION_BACKENDS)
    types = (each for each in found if isinstance(each, type))
    return [each for each in types if _is_taken(each) and _knows_subjects(each)]


def refused_backends() -> list[type]:
    """Other OAuth backends that are listed there, by which nobody can sign in here."""
    found = (import_string(path) for path in settings.AUTHENTICATION_BACKENDS)
    types = (each for each in found if isinstance(each, type) and issubclass(each, OAuthAuth))
    return [each for each in types if not (_is_taken(each) and _knows_subjects(each))]


def _named(name: str) -> Backend:
    listed = (import_string(path) for path in settings.AUTHENTICATION_BACKENDS)
    found = next((each for each in listed if getattr(each, "name", None) == name), None)
    found = found or _shipped(name)
    if not (isinstance(found, type) and issubclass(found, BaseAuth)):
        raise BackendUnknown(name)
    if not _is_taken(found):
        raise BackendTooOld(name)
    if not _knows_subjects(found):
        raise NoSubject(name)
    return cast("Backend", found)


def _is_taken(backend: type) -> bool:
    """Whether its sign-ins can be bound as they have to be."""
    if not issubclass(backend, BaseOAuth1):
        return issubclass(backend, BaseOAuth2)
    urls = (backend.REQUEST_TOKEN_URL, backend.AUTHORIZATION_URL, backend.ACCESS_TOKEN_URL)
    return all(urls) and all(
        getattr(backend, name) is getattr(BaseOAuth1, name) for name in _OURS_IN_OAUTH1
    )


def _knows_subjects(backend: type) -> bool:
    """Whether it tells one person from another for ever."""
    found = cast("Any", backend)
    return not found.ASSOCIATION_ONLY and found.ID_KEY not in _CHANGEABLE


def _shipped(name: str) -> type | None:
    """A class of python-social-auth's own, which keeps `twitter-oauth2` in `twitter_oauth2.py`.

    Only modules of its package are imported, whatever the name. Of two with the same name
    (`fitbit`) it is the one that speaks OAuth 2. A module whose own requirements are not
    installed (SAML's) has none.
    """
    words = name.split("-")
    if not all(word.isidentifier() or word.isalnum() for word in words):
        return None
    for count in range(len(words), 0, -1):
        path = f"social_core.backends.{'_'.join(words[:count])}"
        if find_spec(path) is None:
            continue
        try:
            module = import_module(path)
        except ImportError:
            continue
        types = (each for each in vars(module).values() if isinstance(each, type))
        named = [each for each in types if issubclass(each, BaseAuth) and each.name == name]
        if named:
            return max(named, key=lambda each: issubclass(each, BaseOAuth2))
    return None
