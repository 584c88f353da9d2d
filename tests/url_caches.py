"""What Django has read of a URLconf is kept from test to test.

Each time that ROOT_URLCONF is set, Django forgets all that it has read of any URLconf, and a
test that sets it pays for reading it again, twice: Django's patterns, and authkit's endpoints.
But what is read is kept by URLconf, and those of the tests are modules that stay as they are.
A test that changes one says so itself, with `clear_url_caches`.
"""

from __future__ import annotations

from django.core.signals import setting_changed
from django.test import signals
from django.urls import set_urlconf


def keep() -> None:
    """From now on, in this process."""
    setting_changed.disconnect(signals.root_urlconf_changed)
    setting_changed.connect(_on_change, dispatch_uid="tests.url_caches")


def _on_change(*, setting: str, **_: object) -> None:
    """As Django does, but for the forgetting."""
    if setting == "ROOT_URLCONF":
        set_urlconf(None)
