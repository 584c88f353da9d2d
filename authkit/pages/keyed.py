"""The pages behind the links in mails.

The key leaves the address bar at once, and travels on in a cookie of this one page: an
address is kept in histories and logs, shown on screens, and told to others as a referrer.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url

from authkit.accounts import links
from authkit.accounts.link_keys import LONGEST
from authkit.pages.base import FormPage

_LIFETIME = 3600  # seconds; the key may have less


class KeyedPage(FormPage):
    """A form for who has a key. Its URL comes with the key, and without."""

    page: ClassVar[str] = ""

    @property
    def key(self) -> str:
        """The key that came in the link."""
        return self.request.COOKIES.get(self._cookie, "")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Take the key out of the address. Looking does nothing else: programs follow links."""
        if "key" not in kwargs:
            return super().get(request, *args, **kwargs)
        here = self._here
        response = HttpResponseRedirect(here)
        response.set_cookie(
            self._cookie,
            kwargs["key"][: LONGEST + 1],
            max_age=_LIFETIME,
            path=here,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
        return response

    def finish(self, form: Any) -> HttpResponse:
        """Say that it is done, and let the browser forget the key."""
        response = self.render_to_response(self.get_context_data(form=form, is_done=True))
        response.delete_cookie(self._cookie, path=self._here, samesite="Lax")
        return response

    @property
    def _cookie(self) -> str:
        return f"authkit_{self.page}"

    @property
    def _here(self) -> str:
        return resolve_url(f"{links.PAGES}:{self.page}")
