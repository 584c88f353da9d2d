"""Every answer to an administrator who is signed in as somebody else says so.

A header tells programs. Pages show it: the middleware writes a banner at the end of the
body. It brings no script and no style of its own into the page, so it stands under any
Content-Security-Policy, as plain text where no stylesheet may be loaded. What is streamed
cannot be written into; such a page places ``{% impersonation_banner %}`` itself.
"""

from __future__ import annotations

import gzip
import re
import zlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString, mark_safe

from authkit import conf
from authkit.accounts import current
from authkit.admission import WAY_BACK
from authkit.impersonation import closing
from authkit.kernel.grant import Grant

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADER = "X-Authkit-Impersonator"
TEMPLATE = "authkit/impersonation/banner.html"

_PLACED = "_authkit_banner_placed"
_BODY_ENDS = re.compile(rb"</body\s*>", re.IGNORECASE)
_PAGE_BEGINS = (b"<!doctype html", b"<html", b"<head", b"<body")
_LONGEST_HEAD = 1024


def asks(request: HttpRequest) -> bool:
    """Whether an answer may have to be marked, which only the cookie tells."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES and conf.get().impersonation


def mark(request: HttpRequest, response: HttpResponseBase) -> None:
    """Say with an answer that it is for an administrator who is somebody else."""
    if not conf.get().impersonation:
        return
    grant = current.grant_of(request)
    if grant is not None and grant.impersonator_id is None:
        return  # before the page is read
    is_page = _is_page(request, response)
    if grant is None and (is_page or _is_packed(response)):
        found = closing.found_by_cookie(request)
        grant = None if found is None else found[1]
    if grant is None or grant.impersonator_id is None:
        return
    response.headers[HEADER] = grant.impersonator_id
    response.headers["Cache-Control"] = "private, no-store"
    is_page = is_page or (_unpack(response) and _is_page(request, response))
    if is_page and not hasattr(request, _PLACED):
        _write_into(response, banner(request))  # type: ignore[arg-type]


def banner(request: HttpRequest) -> SafeString:
    """The banner, for a page that places it itself; empty for everybody else.

    It is the cookie that tells: a view's own classes may have seen a stranger.
    """
    found = closing.found_by_cookie(request)
    if found is None or not found[1].is_impersonated:
        return mark_safe("")
    setattr(request, _PLACED, True)
    return render_to_string(TEMPLATE, _context(request, *found))


def way_back() -> str:
    """Where an administrator goes back to their own account; empty if there is no such page."""
    try:
        return reverse(WAY_BACK)
    except NoReverseMatch:
        return ""


def _context(request: HttpRequest, person: AbstractBaseUser, grant: Grant) -> Mapping[str, Any]:
    ends_at: datetime | None = grant.expires_at
    return {
        "administrator": grant.impersonator_name,
        "person": person.get_username(),
        "ends_at": ends_at,
        "way_back": way_back(),
        "csrf_token": get_token(request),
        "stylesheet": _stylesheet(),
    }


def _stylesheet() -> str:
    try:
        return static("authkit/impersonation.css")
    except ValueError:  # not collected; the banner is then plain
        return ""


def _is_page(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether this is a whole page of HTML that can be written into.

    HTML lets a page leave out all its outer tags; a browser that says that it opens a window
    with the answer (W3C Fetch Metadata) tells such a page from a fragment for a script.
    """
    is_html = response.headers.get("Content-Type", "").partition(";")[0].strip() == "text/html"
    if response.streaming or not is_html or response.headers.get("Content-Encoding"):
        return False
    if request.headers.get("Sec-Fetch-Dest") == "document":
        return True
    content: bytes = response.content  # type: ignore[attr-defined]
    head = content[:_LONGEST_HEAD].lstrip().lower()
    return head.startswith(_PAGE_BEGINS) or bool(_BODY_ENDS.search(content))


def _is_packed(response: HttpResponseBase) -> bool:
    """Whether this is HTML that a view has compressed itself (`gzip_page`)."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    is_html = response.headers.get("Content-Type", "").startswith("text/html")
    return is_html and not response.streaming and encoding == "gzip"


def _unpack(response: HttpResponseBase) -> bool:
    """Undo that, so that the page can be written into; whether it could be undone."""
    if not _is_packed(response):
        return False
    try:
        response.content = gzip.decompress(response.content)  # type: ignore[attr-defined]
    except (OSError, EOFError, zlib.error):
        return False
    del response.headers["Content-Encoding"]
    if "Content-Length" in response.headers:
        response.headers["Content-Length"] = str(len(response.content))  # type: ignore[attr-defined]
    return True


def _write_into(response: HttpResponse, text: str) -> None:
    content, octets = response.content, text.encode(response.charset, "xmlcharrefreplace")
    ends = [found.start() for found in _BODY_ENDS.finditer(content)]
    place = ends[-1] if ends else len(content)
    response.content = content[:place] + octets + content[place:]
    if "Content-Length" in response.headers:
        response.headers["Content-Length"] = str(len(response.content))
    if "ETag" in response.headers:
        del response.headers["ETag"]
