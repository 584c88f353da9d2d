"""python-social-auth's backends, with what they leave open closed.

For each provider a copy of its class is made that bears the provider's name, so that many
providers of a kind work side by side, none of them listed in AUTHENTICATION_BACKENDS.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

import jwt
from django.utils.crypto import constant_time_compare
from social_core.backends.google_openidconnect import GoogleOpenIdConnect
from social_core.backends.oauth import BaseOAuth1, BaseOAuth2, BaseOAuth2PKCE
from social_core.backends.open_id_connect import OpenIdConnectAssociation, OpenIdConnectAuth
from social_core.backends.utils import jwt_error
from social_core.exceptions import AuthProviderError, AuthResponseError

from authkit.social import discovery, emails, id_tokens, kinds
from authkit.social.asking import Asking, believing_nothing
from authkit.social.oauth1 import GuardedOAuth1


class Guarded(Asking, BaseOAuth2[Any]):
    """Any OAuth 2 backend."""

    REDIRECT_STATE = False
    STATE_PARAMETER = True

    def begun_state(self) -> str:
        """The state of the sign-in that has just been begun."""
        (state,) = self.strategy.session_get(self._transaction_index_key())
        return str(state)


class GuardedGithub(Guarded):
    """GitHub, which tells of verified addresses and organisations only when asked."""

    @believing_nothing
    def organisations(self, access_token: str) -> list[str]:
        """The names of the person's organisations (scope `read:org`)."""
        found = self.get_json(
            "https://api.github.com/user/orgs?per_page=100",
            headers={"Authorization": f"token {access_token}"},
        )
        return [str(each["login"]) for each in cast("Any", found)]

    def get_scope(self) -> list[str]:
        """Ask for organisations where they decide who gets in, or about a role."""
        wanted = ["read:org"] if self.provider.asks_organisations else []
        return [*super().get_scope(), *kinds.kind_of("github").scopes, *wanted]


class GuardedMicrosoft(Guarded):
    """Microsoft's Graph, which tells the tenant only when asked."""

    @believing_nothing
    def organisations(self, access_token: str) -> list[str]:
        """The id of the tenant in which the person is signed in; a personal account has none.

        There is one organisation in the answer, the tenant of the access token, and
        `User.Read` is enough to read its id ("List organizations", Microsoft Graph v1.0).
        This flow of python-social-auth's has no ID token whose `tid` could be read instead.
        """
        try:
            found: Any = self.get_json(
                "https://graph.microsoft.com/v1.0/organization?$select=id",
                headers={"Authorization": f"Bearer {access_token}"},
            )
        except AuthProviderError as error:
            if error.code == "http_error" and error.status_code in {400, 401, 403, 404}:
                return []
            raise
        return [str(each["id"]) for each in found["value"]]


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

    @believing_nothing
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


_GUARDS: Mapping[str, type[Guarded]] = {"github": GuardedGithub, "microsoft": GuardedMicrosoft}


def guarded(backend: kinds.Backend, slug: str) -> kinds.Backend:
    """The copy of a backend's class for the provider of this name."""
    return _copy(cast("Any", backend), slug)


@lru_cache(maxsize=256)
def _copy(backend: Any, slug: str) -> kinds.Backend:
    bases: tuple[type, ...] = (_guard_for(backend), backend)
    if issubclass(backend, BaseOAuth2) and not issubclass(backend, BaseOAuth2PKCE):
        bases = (*bases, BaseOAuth2PKCE)
    names = {
        "name": slug,
        "__module__": backend.__module__,
        "__qualname__": backend.__qualname__,
        "__doc__": backend.__doc__,
    }
    return cast("kinds.Backend", type(backend.__name__, bases, names))


def _guard_for(backend: kinds.Backend) -> type[Asking]:
    if issubclass(backend, BaseOAuth1):
        return GuardedOAuth1
    if issubclass(backend, GoogleOpenIdConnect):
        return GuardedGoogle
    if issubclass(backend, OpenIdConnectAuth):
        return GuardedOpenId
    return _GUARDS.get(kinds.kind_of_backend(backend), Guarded)
