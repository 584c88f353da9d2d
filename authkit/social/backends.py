"""python-social-auth's backends, with what they leave open closed.

For each provider a copy of its class is made that bears the provider's name, so that many
providers of a kind work side by side, none of them listed in AUTHENTICATION_BACKENDS.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

import jwt
import requests
from django.utils.crypto import constant_time_compare
from social_core.backends.google_openidconnect import GoogleOpenIdConnect
from social_core.backends.oauth import BaseOAuth2, BaseOAuth2PKCE
from social_core.backends.open_id_connect import OpenIdConnectAssociation, OpenIdConnectAuth
from social_core.backends.utils import jwt_error
from social_core.exceptions import (
    AuthConfigurationError,
    AuthProviderError,
    AuthResponseError,
    SocialAuthBaseException,
)

from authkit.social import discovery, emails, fetching, id_tokens, kinds

_F = TypeVar("_F", bound=Callable[..., Any])
_LONGEST_SUBJECT = 255  # OpenID Connect Core 1.0 §2


def _believing_nothing(method: _F) -> _F:
    """Around what reads a provider's answer: one of another shape is a refusal, no error."""

    @wraps(method)
    def read(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except SocialAuthBaseException:
            raise
        except (LookupError, TypeError, AttributeError, ValueError, RecursionError) as error:
            raise AuthResponseError(
                self, type(error).__name__, code="malformed_response", stage="user_info"
            ) from error

    return cast("_F", read)


class Guarded(BaseOAuth2[Any]):
    """Any OAuth 2 backend: how it asks, and how its answers are read."""

    REDIRECT_STATE = False
    STATE_PARAMETER = True

    @property
    def provider(self) -> Any:
        """Whom it speaks with."""
        return cast("Any", self.strategy).provider

    def request(self, url: str, **parts: Any) -> Any:
        """Ask the provider; see `authkit.social.fetching`. Only 2xx is an answer."""
        stage = parts.pop("stage", "user_info")
        method = parts.pop("method", "GET")
        parts.pop("timeout", None)  # the strategy's budget counts
        parts = _without_token_in_url(parts)
        headers = {"Accept": "application/json", "User-Agent": "authkit"}
        parts["headers"] = {**headers, **(parts.get("headers") or {})}
        try:
            response = fetching.send(method, url, budget=cast("Any", self.strategy).budget, **parts)
            response.raise_for_status()
        except requests.HTTPError as error:
            raise _refusal_of(self, error, stage) from error
        except requests.RequestException as error:
            raise AuthProviderError(self, str(error), code=_code_of(error), stage=stage) from error
        if not response.ok or response.is_redirect or response.status_code >= 300:
            raise AuthProviderError(
                self, "redirected", code="http_error", stage=stage, status_code=response.status_code
            )
        return response

    @_believing_nothing
    def get_json(self, *args: Any, **kwargs: Any) -> Any:
        """The answer as JSON; nesting without end is none."""
        return super().get_json(*args, **kwargs)

    @_believing_nothing
    def user_data(self, access_token: str, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Who it is, as an object."""
        data = super().user_data(access_token, *args, **kwargs)
        if not isinstance(data, dict):
            raise TypeError("no object")
        return data

    @_believing_nothing
    def get_user_details(self, response: Any) -> dict[str, Any]:
        """Names and address, as far as they are texts."""
        details = super().get_user_details(response)
        return {name: text for name, text in details.items() if isinstance(text, str)}

    @_believing_nothing
    def get_user_id(self, details: Any, response: Any) -> Any:
        """The subject: a text, or a number that becomes one, and never a guess."""
        found = super().get_user_id(details, response)  # type: ignore[no-untyped-call]
        subject = str(found) if isinstance(found, str | int) else ""
        if not subject or len(subject) > _LONGEST_SUBJECT or not subject.isprintable():
            raise AuthResponseError(
                self, claim=self.id_key(), code="invalid_claim", stage="user_info"
            )
        return subject

    def organisations(self, access_token: str) -> list[str]:
        """The organisations that the answer about the person does not name."""
        return []


class GuardedGithub(Guarded):
    """GitHub, which tells of verified addresses and organisations only when asked."""

    @_believing_nothing
    def organisations(self, access_token: str) -> list[str]:
        """The names of the person's organisations (scope `read:org`)."""
        found = self.get_json(
            "https://api.github.com/user/orgs?per_page=100",
            headers={"Authorization": f"token {access_token}"},
        )
        return [str(each["login"]) for each in cast("Any", found)]

    def get_scope(self) -> list[str]:
        """Ask for organisations where they decide who gets in."""
        wanted = ["read:org"] if self.provider.organisations else []
        return [*super().get_scope(), *kinds.kind_of("github").scopes, *wanted]


class GuardedOpenId(Guarded, OpenIdConnectAuth[Any]):
    """OpenID Connect: the issuer is the one that the administrator named."""

    def oidc_config(self) -> dict[str, Any]:
        """The discovery document of that issuer."""
        return discovery.document_of(self.provider.issuer, self.get_json)

    def find_endpoint(self, name: str) -> str:
        """An address that the document names."""
        return str(self.oidc_config()[name])

    def authorization_url(self) -> str:
        """Where the browser goes."""
        return self.find_endpoint("authorization_endpoint")

    def access_token_url(self) -> str:
        """Where the code is exchanged."""
        return self.find_endpoint("token_endpoint")

    def get_and_store_nonce(self, url: Any, state: Any) -> str:
        """A nonce; it travels in the sealed transaction and nowhere else."""
        return str(self.strategy.random_string(64))

    def get_nonce(self, nonce: str) -> Any:
        """The nonce of this transaction, if this is it."""
        begun = self._oauth2_transaction or {}
        if not constant_time_compare(nonce, str(begun.get("oidc_nonce", ""))):
            return None
        found = OpenIdConnectAssociation(nonce, assoc_type=str(begun.get("state", "")))
        found.id = None  # type: ignore[attr-defined]
        return found

    def remove_nonce(self, nonce_id: object) -> None:
        """There is no row; the state that it belongs to has been spent."""

    def decode_and_validate_id_token(self, id_token: Any, access_token: Any) -> dict[str, Any]:
        """The claims, if the token is genuine and goes with the access token."""
        uri = self.find_endpoint("jwks_uri")
        try:
            claims, key = id_tokens.read(
                id_token,
                lambda kid: discovery.keys_of(uri, self.get_json, kid=kid),
                issuer=self.provider.issuer,
                client_id=self.provider.client_id,
            )
        except jwt.PyJWTError as error:
            raise jwt_error(cast("Any", self), error) from error
        self.validate_authorized_party(claims, self.provider.client_id)
        if not cast("Any", self).validate_at_hash(claims, access_token, key):
            raise AuthResponseError(
                self, claim="at_hash", code="invalid_claim", stage="token_validation"
            )
        return claims

    @_believing_nothing
    def user_data(self, access_token: str, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """The claims of the ID token, and of UserInfo if that speaks of the same person."""
        claims = dict(self.id_token or {})
        url = self.oidc_config().get("userinfo_endpoint")
        if not url:
            return claims
        headers = {"Authorization": f"Bearer {access_token}"}
        told: Any = self.get_json(str(url), headers=headers)
        if not isinstance(told, dict) or told.get("sub") != claims.get("sub"):
            raise AuthResponseError(self, claim="sub", code="invalid_claim", stage="user_info")
        if "email" in told and told["email"] != claims.get("email"):
            for name in emails.VOUCHERS:  # said of the other address
                claims.pop(name, None)
        return {**claims, **told}


class GuardedGoogle(GuardedOpenId):
    """Google, which must have verified the address."""

    def user_data(self, access_token: str, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """As for any OpenID provider; python-social-auth would put the token into a URL."""
        data = super().user_data(access_token, *args, **kwargs)
        cast("Any", self).validate_email_verified(data)
        return data


def guarded(backend: kinds.Backend, slug: str) -> kinds.Backend:
    """The copy of a backend's class for the provider of this name."""
    return _copy(cast("Any", backend), slug)


@lru_cache(maxsize=256)
def _copy(backend: Any, slug: str) -> kinds.Backend:
    bases: tuple[type, ...] = (_guard_for(backend), backend)
    if not issubclass(backend, BaseOAuth2PKCE):
        bases = (*bases, BaseOAuth2PKCE)
    names = {
        "name": slug,
        "__module__": backend.__module__,
        "__qualname__": backend.__qualname__,
        "__doc__": backend.__doc__,
    }
    return cast("kinds.Backend", type(backend.__name__, bases, names))


def _guard_for(backend: kinds.Backend) -> type[Guarded]:
    if issubclass(backend, GoogleOpenIdConnect):
        return GuardedGoogle
    if issubclass(backend, OpenIdConnectAuth):
        return GuardedOpenId
    return GuardedGithub if kinds.kind_of_backend(backend) == "github" else Guarded


def _without_token_in_url(parts: dict[str, Any]) -> dict[str, Any]:
    """Send an access token as a header (RFC 6750 §5.3): URLs end up in logs."""
    params = dict(parts.get("params") or {})
    token = params.pop("access_token", None)
    if token is None:
        return parts
    headers = {**(parts.get("headers") or {}), "Authorization": f"Bearer {token}"}
    return {**parts, "params": params, "headers": headers}


def _code_of(error: requests.RequestException) -> str:
    if isinstance(error, fetching.UrlRefused):
        return "invalid_setting"
    if isinstance(error, requests.exceptions.SSLError):
        return "tls_error"
    if isinstance(error, requests.Timeout):
        return "timeout"
    if isinstance(error, requests.ConnectionError):
        return "connection_failed"
    return "malformed_response"


def _refusal_of(backend: Any, error: requests.HTTPError, stage: Any) -> SocialAuthBaseException:
    """What an answer of 4xx or 5xx says; its body may be anything."""
    response: Any = error.response
    try:
        data = response.json()
    except (ValueError, RecursionError):
        data = None
    told = backend.get_provider_error(data, stage=stage, status_code=response.status_code)
    if told is not None:
        return cast("SocialAuthBaseException", told)
    code = "unavailable" if response.status_code >= 500 else "http_error"
    code = "rate_limited" if response.status_code == 429 else code
    if response.status_code in {401, 403} and stage == "token_exchange":
        return AuthConfigurationError(backend, code="invalid_setting", stage=stage)
    return AuthProviderError(backend, code=code, stage=stage, status_code=response.status_code)
