"""How any backend of python-social-auth asks a provider, and how the answers are read."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from xml.parsers.expat import ExpatError

import requests
from social_core.backends.oauth import OAuthAuth
from social_core.exceptions import (
    AuthConfigurationError,
    AuthProviderError,
    AuthResponseError,
    SocialAuthBaseException,
)

from authkit.social import fetching, silence

_F = TypeVar("_F", bound=Callable[..., Any])
_LONGEST_SUBJECT = 255  # OpenID Connect Core 1.0 §2
#: What reading an answer of another shape ends in.
_MISREAD = (LookupError, TypeError, AttributeError, ValueError, RecursionError, ExpatError)


def believing_nothing(method: _F) -> _F:
    """Around what reads a provider's answer: one of another shape is a refusal, no error."""

    @wraps(method)
    def read(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except SocialAuthBaseException:
            raise
        except _MISREAD as error:
            raise AuthResponseError(
                self, type(error).__name__, code="malformed_response", stage="user_info"
            ) from error

    return cast("_F", read)


class Asking(OAuthAuth[Any]):
    """Any backend: what its protocol does not decide."""

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
            response = self._send(method, url, **parts)
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

    def _send(self, method: str, url: str, **parts: Any) -> requests.Response:
        """Ask, unless it did not answer a moment ago."""
        if silence.lasts(self.provider):
            raise requests.Timeout("it did not answer a moment ago")
        budget = cast("Any", self.strategy).budget
        had_time = budget.left > budget.whole / 2
        try:
            response = fetching.send(method, url, budget=budget, **parts)
        except requests.Timeout:
            if had_time:  # else many short answers have taken it: nobody silences it by those
                silence.note(self.provider)
            raise
        silence.end(self.provider)
        return response

    @believing_nothing
    def get_json(self, *args: Any, **kwargs: Any) -> Any:
        """The answer as JSON; nesting without end is none."""
        return super().get_json(*args, **kwargs)

    @believing_nothing
    def user_data(self, access_token: Any, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Who it is, as an object."""
        data = super().user_data(access_token, *args, **kwargs)
        if not isinstance(data, dict):
            raise TypeError("no object")
        return data

    @believing_nothing
    def get_user_details(self, response: Any) -> dict[str, Any]:
        """Names and address, as far as they are texts."""
        details = super().get_user_details(response)
        return {name: text for name, text in details.items() if isinstance(text, str)}

    @believing_nothing
    def get_user_id(self, details: Any, response: Any) -> Any:
        """The subject: a text, or a number that becomes one, and never a guess."""
        found = super().get_user_id(details, response)  # type: ignore[no-untyped-call]
        is_told = isinstance(found, str | int) and not isinstance(found, bool)
        subject = str(found) if is_told else ""
        if not subject or len(subject) > _LONGEST_SUBJECT or not subject.isprintable():
            raise AuthResponseError(
                self, claim=self.id_key(), code="invalid_claim", stage="user_info"
            )
        return subject

    def organisations(self, access_token: str) -> list[str]:
        """The organisations that the answer about the person does not name."""
        return []


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
