"""Signs in who is named, as a provider of identities might."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend

from authkit.accounts.identify import person_named


class Backend(BaseBackend):
    def authenticate(self, request: Any, username: str = "", **_: Any) -> Any:
        return person_named(username)
