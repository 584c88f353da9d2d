"""Where the links in mails lead: to FRONTEND_URL, or to the host of the request.

The name in a request's `Host` header is the sender's to choose. It counts only where
ALLOWED_HOSTS names it; where that allows any host at all, mails hold the key without a
link (and `check --deploy` asks for FRONTEND_URL).
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from django.conf import global_settings, settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, reverse

from authkit import conf

#: The namespace of `authkit.urls_pages`.
PAGES = "authkit_pages"

#: Page -> where it is in a front end of one's own, behind FRONTEND_URL.
_IN_FRONT_END = {
    "home": "/",
    "sign_in": "/sign-in/",
    "sign_up": "/sign-up/",
    "forgot": "/forgot/",
    "reset": "/reset/",
    "verify": "/verify/",
}

#: Pages whose address holds the key.
_WITH_KEY = frozenset({"reset", "verify"})


def link_to(page: str, request: HttpRequest | None, key: str = "") -> str:
    """The address of a page, with the key in it; empty if there is no host to believe in."""
    base = base_of(request)
    return base and base + _path_of(page, key)


def base_of(request: HttpRequest | None) -> str:
    """Scheme and host, without a slash at the end; empty if no host can be believed."""
    configured = conf.get().frontend_url
    if configured:
        return configured.rstrip("/")
    if request is None or "*" in settings.ALLOWED_HOSTS:
        return ""
    try:
        return f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        return ""


def site_of(request: HttpRequest | None) -> str:
    """The name of the site, for people: its host."""
    return base_of(request).partition("://")[2].partition("/")[0]


def page(name: str, *arguments: str) -> str:
    """The path of one of authkit's own pages; empty where a project has not mounted them."""
    try:
        return reverse(f"{PAGES}:{name}", args=arguments)
    except NoReverseMatch:
        return ""


def home() -> str:
    """The path of whoever is signed in and asked for no page.

    It is LOGIN_REDIRECT_URL. Where a project has not set that, nothing is at Django's default,
    so it is the account, if authkit's pages are mounted.
    """
    is_set = settings.LOGIN_REDIRECT_URL != global_settings.LOGIN_REDIRECT_URL
    return ("" if is_set else page("account")) or resolve_url(settings.LOGIN_REDIRECT_URL)


def _path_of(name: str, key: str) -> str:
    own = page(name, *([key] if name in _WITH_KEY else []))
    if not own:
        return _IN_FRONT_END[name] + (f"?key={quote(key)}" if key else "")
    is_invitation = key and name not in _WITH_KEY
    return f"{own}?{urlencode({'invitation': key})}" if is_invitation else own
