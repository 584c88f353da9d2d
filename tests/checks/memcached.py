"""Memcached as far as settings tell, also where its driver is not installed."""

from __future__ import annotations

from typing import Any

from django.core.cache import BaseCache
from django.core.cache.backends.memcached import PyMemcacheCache


class Memcached(PyMemcacheCache):
    """Is made, and could connect to nothing."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        BaseCache.__init__(self, params)

    def close(self, **_: Any) -> None:
        """There is no connection."""
