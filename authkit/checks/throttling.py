"""Whether the cache of THROTTLE_CACHE can count for all processes of a site."""

from __future__ import annotations

from typing import Any

from django.conf import settings as django_settings
from django.core.cache import BaseCache, InvalidCacheBackendError, caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's name

from authkit.accounts.cached_counts import is_exact
from authkit.checks.settings import usable_settings

_SHARED = "Take Redis or Memcached, or THROTTLE_CACHE = None: then the database counts."


def check_throttle_cache(**_: Any) -> list[CheckMessage]:
    """There is such a cache, and it counts exactly."""
    alias = _alias()
    if alias is None:
        return []
    cache = _cache(alias)
    if cache is None:
        message = f"AUTHKIT['THROTTLE_CACHE'] names {alias!r}, which CACHES does not make."
        hint = "The aliases are " + ", ".join(map(repr, django_settings.CACHES)) + "."
        return [Error(message, hint=hint, id="authkit.E050")]
    if is_exact(cache):
        return []
    message = (
        f"AUTHKIT['THROTTLE_CACHE'] names {alias!r}, which takes two attempts at once for one: it"
        " is not used, and the database counts."
    )
    return [Warning(message, hint=_SHARED, id="authkit.W050")]


def check_deployed_throttle_cache(**_: Any) -> list[CheckMessage]:
    """All processes share it, and none waits for it long."""
    alias = _alias()
    cache = None if alias is None else _cache(alias)
    found: list[CheckMessage] = []
    if isinstance(cache, LocMemCache):
        message = (
            f"AUTHKIT['THROTTLE_CACHE'] names {alias!r}, of which each process has its own: as"
            " many as there are let through that many times the limit."
        )
        found.append(Warning(message, hint=_SHARED, id="authkit.W150"))
    if isinstance(cache, RedisCache) and not _has_timeout(str(alias)):
        message = (
            f"AUTHKIT['THROTTLE_CACHE'] names {alias!r}, for which requests may wait long when it"
            " does not answer."
        )
        hint = 'Add "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5} there.'
        found.append(Warning(message, hint=hint, id="authkit.W151"))
    return found


def _alias() -> str | None:
    settings = usable_settings()
    return None if settings is None else settings.throttle_cache


def _cache(alias: str) -> BaseCache | None:
    try:
        return caches[alias]
    except (InvalidCacheBackendError, ImportError):
        return None


def _has_timeout(alias: str) -> bool:
    given = django_settings.CACHES[alias]
    return "socket_timeout" in given.get("OPTIONS", {}) or "socket_timeout=" in str(
        given.get("LOCATION")
    )
