"""Try a provider: what an administrator would otherwise find out from people who cannot sign in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
import requests
from django.utils.translation import gettext as _
from social_core.exceptions import AuthConfigurationError, SocialAuthBaseException

from authkit import conf
from authkit.social import discovery, fetching, id_tokens, kinds, silence, translation
from authkit.social.fetching import Budget
from authkit.social.providers import Provider
from authkit.social.strategy import SocialStrategy

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found out. `is_good` is None for what is only worth knowing."""

    is_good: bool | None
    text: str


class _Stop(Exception):
    """What is missing makes the rest senseless."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def run(provider: Provider, redirect_uri: str) -> list[Finding]:
    """Ask the provider what can be asked without a person, and judge the answers."""
    found: list[Finding] = []
    budget = Budget(conf.get().social_timeout.total_seconds())
    steps = _of_openid(provider, budget) if provider.is_openid else _of_oauth(provider, budget)
    if kinds.is_oauth1(provider.backend):
        steps = _of_oauth1(provider, redirect_uri, budget)
    try:
        found.extend(steps)
    except _Stop as stop:
        found.append(Finding(False, stop.text))
    return found


def _of_openid(provider: Provider, budget: Budget) -> Iterator[Finding]:
    document = _document(provider, budget)
    yield Finding(True, _("The discovery document names this issuer."))
    yield from _endpoints(document)
    yield _pkce(document)
    yield _keys(str(document.get("jwks_uri")), budget)
    scopes = document.get("scopes_supported")
    missing = [each for each in ("openid", *provider.scopes) if each not in (scopes or [each])]
    if missing:
        text = _("It does not list these scopes: %(scopes)s. People may be turned away.")
        yield Finding(None, text % {"scopes": ", ".join(missing)})
    if not provider.secret:
        yield Finding(None, _("There is no secret: the provider must know a public client."))


def _of_oauth(provider: Provider, budget: Budget) -> Iterator[Finding]:
    yield from _reached(provider, budget)
    text = _("This kind publishes nothing to compare with: try to sign in to see the rest.")
    yield Finding(None, text)


def _of_oauth1(provider: Provider, redirect_uri: str, budget: Budget) -> Iterator[Finding]:
    """A sign-in of OAuth 1 begins with a signed request, which needs nobody: make one."""
    yield from _reached(provider, budget)
    strategy = SocialStrategy(provider=provider, data={}, values={})
    strategy.budget = budget
    silence.end(provider)
    backend: Any = strategy.get_backend(provider.slug, redirect_uri=redirect_uri)
    try:
        backend.unauthorized_token()
    except SocialAuthBaseException as error:
        raise _Stop(_about_request_token(error)) from None
    text = _("It knows the client id, the secret and the redirect URI: it gave a request token.")
    yield Finding(True, text)


def _about_request_token(error: SocialAuthBaseException) -> str:
    if isinstance(error, AuthConfigurationError):
        return _(
            "It does not take the client id, the secret or the redirect URI. Compare them with"
            " what is registered there."
        )
    if error.claim == "oauth_callback_confirmed":
        return _("It speaks OAuth 1.0 without the “a”, by which nobody can sign in safely.")
    if error.code in translation.UNAVAILABLE:
        return _("It does not answer when it is asked for a request token.")
    return _("When it is asked for a request token, it answers something else.")


def _reached(provider: Provider, budget: Budget) -> Iterator[Finding]:
    if not provider.secret:
        yield Finding(False, _("There is no secret. This provider asks for one."))
    url = str(provider.backend.AUTHORIZATION_URL)
    if provider.kind == "gitlab":
        url = f"{provider.issuer}/oauth/authorize"
    answer = _ask(url, budget)
    host = urlsplit(url).hostname
    if answer.status_code >= 500:
        raise _Stop(_("%(host)s answers, but has a failure of its own.") % {"host": host})
    yield Finding(True, _("%(host)s can be reached, and its certificate is good.") % {"host": host})


def _document(provider: Provider, budget: Budget) -> dict[str, Any]:
    if not provider.issuer:
        raise _Stop(_("There is no issuer. Write what the provider calls itself."))
    url = discovery.url_of(provider.issuer)
    answer = _ask(url, budget)
    if answer.is_redirect:
        text = _("%(url)s leads elsewhere, to %(target)s. Write the issuer as it is called there.")
        target = str(answer.headers.get("Location", ""))[:_SHOWN]
        raise _Stop(text % {"url": url, "target": target})
    if not answer.ok:
        text = _(
            "There is no discovery document at %(url)s (status %(status)d). Is the issuer right?"
        )
        raise _Stop(text % {"url": url, "status": answer.status_code})
    document = _object(answer, url)
    told = document.get("issuer")
    if isinstance(told, str) and "{tenantid}" in told:
        text = _(
            "This address stands for every tenant of Microsoft's. Write the issuer of one: the"
            " same address with the tenant's id in it."
        )
        raise _Stop(text)
    if told != provider.issuer:
        text = _(
            "The provider calls itself “%(told)s”, and here it is called “%(ours)s”. Write"
            " exactly what it calls itself, with or without the slash at the end."
        )
        raise _Stop(text % {"told": str(told)[:_SHOWN], "ours": provider.issuer})
    return document


def _endpoints(document: dict[str, Any]) -> Iterator[Finding]:
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        url = document.get(name)
        if not isinstance(url, str):
            raise _Stop(_("Its document does not say “%(name)s”.") % {"name": name})
        if not fetching.is_safe(url):
            text = _("Its document names an address for “%(name)s” that is not encrypted: %(url)s")
            raise _Stop(text % {"name": name, "url": url[:_SHOWN]})
    yield Finding(True, _("It says where people sign in and where codes are exchanged."))
    if not isinstance(document.get("userinfo_endpoint"), str):
        yield Finding(None, _("It has no UserInfo: all that is known comes from the ID token."))


def _pkce(document: dict[str, Any]) -> Finding:
    methods = document.get("code_challenge_methods_supported")
    if isinstance(methods, list) and "S256" in methods:
        return Finding(True, _("It takes PKCE with S256."))
    text = _("It does not say that it takes PKCE with S256. It is sent all the same.")
    return Finding(None, text)


def _keys(uri: str, budget: Budget) -> Finding:
    keys = _object(_ask(uri, budget), uri).get("keys")
    usable = [key for key in keys if _is_usable(key)] if isinstance(keys, list) else []
    if not usable:
        text = _("At %(url)s there is no key with which it could sign.")
        raise _Stop(text % {"url": uri[:_SHOWN]})
    return Finding(True, _("Keys that sign: %(count)d.") % {"count": len(usable)})


def _is_usable(key: Any) -> bool:
    if not isinstance(key, dict) or key.get("kty") not in {"RSA", "EC", "OKP"}:
        return False
    if key.get("use", "sig") != "sig" or key.get("alg", "RS256") not in id_tokens.ALGORITHMS:
        return False
    try:
        jwt.PyJWK(key)
    except (jwt.PyJWTError, ValueError, TypeError):
        return False
    return True


def _ask(url: str, budget: Budget) -> requests.Response:
    host = urlsplit(url).hostname or url[:_SHOWN]
    names = {"host": host}
    try:
        return fetching.send("GET", url, budget=budget, headers={"Accept": "application/json"})
    except fetching.UrlRefused:
        text = _(
            "%(host)s is not asked: it is not encrypted, or leads into a private network. A"
            " developer can allow networks in SOCIAL_ALLOWED_NETWORKS."
        )
        raise _Stop(text % names) from None
    except requests.exceptions.SSLError:
        raise _Stop(_("The certificate of %(host)s is not good.") % names) from None
    except requests.Timeout:
        raise _Stop(_("%(host)s does not answer in time.") % names) from None
    except requests.ConnectionError:
        text = _("%(host)s cannot be reached. Is its name spelled right?")
        raise _Stop(text % names) from None
    except requests.RequestException:
        raise _Stop(_("%(host)s gives no usable answer.") % names) from None


def _object(answer: requests.Response, url: str) -> dict[str, Any]:
    try:
        found = json.loads(answer.content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _Stop(_("What stands at %(url)s is no JSON object.") % {"url": url[:_SHOWN]})
    return found
