"""OAuth 1.0a (RFC 5849), bound to browser, provider and purpose as OAuth 2 is.

What PKCE's verifier is there, the secret of the request token is here: it travels in the
sealed transaction alone, and without it no access token is given. A `state` stands in the
callback, which the provider has been told in a signed request, and comes back once.
OAuth 1.0 without the "a" has no verifier, and so lets whoever began a sign-in end it as the
person who agreed to it (the session fixation of 2009): a provider has to confirm that it
knows the callback, and one that sends no verifier back is not believed.
"""

from __future__ import annotations

import json
from typing import Any, cast
from urllib.parse import parse_qsl

from django.utils.crypto import constant_time_compare
from django.views.decorators.debug import sensitive_variables
from requests_oauthlib import OAuth1
from social_core.backends.oauth import BaseOAuth1
from social_core.exceptions import (
    AuthCanceled,
    AuthConfigurationError,
    AuthCredentialError,
    AuthInputError,
    AuthProviderError,
    AuthResponseError,
    AuthSessionError,
    SocialAuthBaseException,
)
from social_core.utils import url_add_parameters

from authkit.social.asking import Asking, believing_nothing

_TOKEN, _SECRET = "oauth_token", "oauth_token_secret"
_LONGEST_TOKEN = 512  # two of them have to fit into a cookie
_MOST_FIELDS = 50
_REFUSED = frozenset({"user_refused", "permission_denied"})


class GuardedOAuth1(Asking, BaseOAuth1[Any]):
    """Any OAuth 1.0a backend."""

    REDIRECT_STATE = True
    STATE_PARAMETER = False

    def begun_state(self) -> str:
        """The state of the sign-in that has just been begun."""
        return str(self.get_or_create_state())

    def get_redirect_uri(self, state: str | None = None) -> str:
        """The callback, with the state under the name that clients know."""
        return url_add_parameters(str(self.redirect_uri), {"state": str(state)})

    def request(self, url: str, **parts: Any) -> Any:
        """Ask as any backend does; tokens are answered as a form, not as JSON."""
        if parts.get("stage") in {"begin", "token_exchange"}:
            parts["headers"] = {"Accept": "*/*", **(parts.get("headers") or {})}
        return super().request(url, **parts)

    @believing_nothing
    def get_querystring(self, url: str, *args: Any, **kwargs: Any) -> dict[str, str]:
        """A form as an answer: UTF-8, and no name twice."""
        answer = self.request(url, *args, **kwargs).content.decode()
        fields = parse_qsl(answer, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        if len(dict(fields)) != len(fields):
            raise ValueError("a name stands twice")
        return dict(fields)

    @sensitive_variables()
    def auth_url(self) -> str:
        """Fetch a request token, keep it in the transaction, and lead to the provider."""
        token = self.unauthorized_token()
        kept = {name: token[name] for name in (_TOKEN, _SECRET)}
        self.strategy.session_set(self._token_key(), kept)
        url = self.oauth_authorization_request(kept)  # type: ignore[no-untyped-call]
        return str(url)

    @sensitive_variables()
    @believing_nothing
    def unauthorized_token(self) -> dict[str, str]:
        """A request token that belongs to our callback (RFC 5849 §2.1)."""
        key, secret = self.get_key_and_secret()
        callback = self.get_redirect_uri(self.get_or_create_state())
        token = self.get_querystring(
            self.REQUEST_TOKEN_URL,
            params=self._wanted(),
            auth=OAuth1(key, secret, callback_uri=callback),
            method=self.REQUEST_TOKEN_METHOD,
            stage="begin",
        )
        self._process_error(token, stage="begin")
        self._validate_token_credentials(token, stage="begin")
        if token.get("oauth_callback_confirmed") != "true":
            raise AuthResponseError(
                self, claim="oauth_callback_confirmed", code="invalid_claim", stage="begin"
            )
        if not all(_fits(token[name]) for name in (_TOKEN, _SECRET)):
            raise AuthResponseError(self, claim=_TOKEN, code="invalid_claim", stage="begin")
        return token

    @sensitive_variables("kept")
    def get_unauthorized_token(self) -> dict[str, str]:
        """The request token of this transaction, if it is the one that came back."""
        kept = self.strategy.session_pop(self._token_key())
        if not isinstance(kept, dict):
            raise AuthSessionError(self, code="session_context_missing", stage="callback")
        for name in (_TOKEN, "oauth_verifier"):
            if not self.data.get(name):
                raise AuthInputError(
                    self, parameter=name, code="missing_parameter", stage="callback"
                )
        if not constant_time_compare(str(self.data[_TOKEN]), str(kept[_TOKEN])):
            raise AuthSessionError(self, code="state_mismatch", stage="callback")
        return cast("dict[str, str]", kept)

    @sensitive_variables()
    @believing_nothing
    def access_token(self, token: dict[str, str]) -> dict[str, str]:
        """The access token that the request token is exchanged for."""
        return super().access_token(token)

    @sensitive_variables("token", "secret")
    def oauth_auth(
        self,
        token: dict[str, str] | None = None,
        oauth_verifier: str | None = None,
        signature_type: str = "",
        *,
        stage: Any = "callback",
    ) -> OAuth1:
        """Sign in the header alone, the verifier with its exchange alone (RFC 5849 §2.3)."""
        key, secret = self.get_key_and_secret()
        self._validate_token_credentials(token or {}, stage=stage)
        is_exchange = stage == "token_exchange"
        return OAuth1(
            key,
            secret,
            resource_owner_key=(token or {})[_TOKEN],
            resource_owner_secret=(token or {})[_SECRET],
            verifier=self.data["oauth_verifier"] if is_exchange else None,
        )

    def process_error(self, data: Any, *, stage: Any = "callback") -> None:
        """A no of the person, or a problem of the provider's."""
        problem = data.get("oauth_problem") or data.get("error")
        if "denied" in data or problem in _REFUSED:
            raise AuthCanceled(
                self, code="authorization_declined", provider_code=problem, stage=stage
            )
        if problem:
            told = self.get_provider_error({"error": problem}, stage=stage)
            raise told or AuthProviderError(self, provider_code=problem, stage=stage)

    def get_provider_error(
        self, data: object, *, stage: Any = "callback", **more: Any
    ) -> SocialAuthBaseException | None:
        """What a 4xx means: a wrong key where it begins, a spent token where it ends."""
        is_refused = more.get("status_code") in {400, 401, 403}
        if is_refused and stage == "begin":
            return AuthConfigurationError(self, code="invalid_setting", stage=stage)
        if is_refused and stage == "token_exchange":
            return AuthCredentialError(self, code="authorization_code_rejected", stage=stage)
        return super().get_provider_error(data, stage=stage, **more)

    def _wanted(self) -> dict[str, str]:
        scope: dict[str, str] = self.get_scope_argument()  # type: ignore[no-untyped-call]
        return {**self.request_token_extra_arguments(), **scope}

    def _token_key(self) -> str:
        return f"{self.name}{self.UNATHORIZED_TOKEN_SUFIX}"


def _fits(token: str) -> bool:
    """Whether it is short as it is sealed, where what is not Latin takes many octets."""
    return len(json.dumps(token)) <= _LONGEST_TOKEN + len('""')
