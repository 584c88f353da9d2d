"""python-social-auth's strategy: its settings from a provider, its session from a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from social_django.strategy import DjangoStrategy

from authkit import conf
from authkit.social.backends import guarded
from authkit.social.fetching import Budget
from authkit.social.pipeline import PIPELINE
from authkit.social.providers import Provider
from authkit.social.sign_in import SocialSignIn
from authkit.social.storage import SocialStorage
from authkit.social.transactions import LIFETIME, Linker

_SECONDS = int(LIFETIME.total_seconds())
#: What no setting loosens.
_FIXED: Mapping[str, Any] = {
    "USE_PKCE": True,
    "PKCE_CODE_CHALLENGE_METHOD": "S256",  # X's backend writes s256, which is no method
    "PKCE_CODE_VERIFIER_LENGTH": 64,
    "STATE_LIFETIME": _SECONDS,
    "NONCE_LIFETIME": _SECONDS,
    "ID_KEY": None,
    "USERNAME_AS_ID": False,  # Bitbucket's; another person takes the name one day
    "LEGACY_ID_KEYS": (),
    "ALLOW_UNVERIFIED_LEGACY_UID_MIGRATION": False,
    "GET_ALL_EXTRA_DATA": False,
}


class SocialStrategy(DjangoStrategy):
    """Runs one sign-in with one provider; without one it is python-social-auth's own for Django.

    Attributes:
        provider: with whom.
        person: who is signed in and links an account, or None.
        linker: the ids of that person and of their sign-in, or None.
        answers, attempts: what the person has answered to a pause, and how often.
        next_url: where a browser goes in the end.
        sign_in: how far the typed steps have come.
        budget: the time that is left for asking the provider.
    """

    def __init__(
        self,
        storage: Any = SocialStorage,
        request: HttpRequest | None = None,
        tpl: Any = None,
        *,
        provider: Provider | None = None,
        data: Mapping[str, Any] | None = None,
        values: dict[str, Any] | None = None,
        person: AbstractBaseUser | None = None,
    ) -> None:
        """`data` is what the provider sent; `values` what the transaction holds."""
        self.provider = provider
        self.person = person
        self.linker: Linker | None = None
        self.answers: Mapping[str, Any] = {}
        self.attempts = 0
        self.next_url = ""
        self.values = values
        self.budget = Budget(conf.get().social_timeout.total_seconds())
        self._data = data
        self.sign_in: SocialSignIn | None = None
        super().__init__(storage, request if values is None else None, tpl)
        self.request = request

    def setting(self, name: str, default: Any = None, backend: Any = None) -> Any:
        """What is fixed, else what the provider's row says, else the project's settings."""
        if self.provider is None:
            return super().setting(name, default, backend)
        if name in _FIXED:
            return _FIXED[name]
        own = _options_of(self.provider)
        return own[name] if name in own else super().setting(name, default, backend)

    def get_pipeline(self, backend: Any = None) -> list[str]:
        """Ours, or what SOCIAL_AUTH_PIPELINE makes of it."""
        if self.provider is None:
            return super().get_pipeline(backend)
        return list(self.setting("PIPELINE", PIPELINE, backend))

    def get_backend_class(self, name: str) -> Any:
        """A copy of the backend's class that has the provider's name."""
        if self.provider is None or self.provider.slug != name:
            return super().get_backend_class(name)
        return guarded(self.provider.backend, self.provider.slug)

    def authenticate(self, backend: Any, *args: Any, **kwargs: Any) -> Any:
        """Run the pipeline. Django would ask the backends of AUTHENTICATION_BACKENDS alone."""
        if self.provider is None:
            return super().authenticate(backend, *args, **kwargs)
        given = {**kwargs, "strategy": self, "storage": self.storage, "backend": backend}
        return backend.run_authentication(self.request, *args, **given)

    def get_request_data(self, merge: bool = True) -> Any:
        """What the provider sent; never GET and POST merged."""
        if self._data is None:
            return super().get_request_data(merge)  # type: ignore[no-untyped-call]
        return dict(self._data)

    def build_absolute_uri(self, path: str | None = None) -> Any:
        """A redirect URI is kept as it was registered."""
        return super().build_absolute_uri(path) if self.provider is None else path  # type: ignore[no-untyped-call]

    def session_get(self, name: str, default: Any = None) -> Any:
        """From the transaction."""
        return self._kept.get(name, default)

    def session_set(self, name: str, value: Any) -> None:
        """Into the transaction."""
        self._kept[name] = value

    def session_pop(self, name: str) -> Any:
        """Out of the transaction."""
        return self._kept.pop(name, None)

    def session_setdefault(self, name: str, value: Any) -> Any:
        """Into the transaction, if there is nothing yet."""
        return self._kept.setdefault(name, value)

    @property
    def _kept(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.session) if self.values is None else self.values


def _options_of(provider: Provider) -> dict[str, Any]:
    """A provider in the words of python-social-auth's settings."""
    options: dict[str, Any] = {"KEY": provider.client_id, "SECRET": provider.secret}
    options["SCOPE"] = list(provider.scopes)
    if provider.is_openid:
        options |= {"OIDC_ENDPOINT": provider.issuer, "ID_TOKEN_ISSUER": provider.issuer}
        if not provider.secret:
            options["TOKEN_ENDPOINT_AUTH_METHOD"] = "none"  # noqa: S105 - a method
    if provider.kind == "gitlab":
        options |= {"API_URL": provider.issuer, "GROUPS_ENABLED": provider.asks_organisations}
    return options
