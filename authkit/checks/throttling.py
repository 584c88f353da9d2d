"""Whether the cache of THROTTLE_CACHE can count for all processes of a site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings as django_settings
from django.core.cache import InvalidCacheBackendError, caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.memcached import PyMemcacheCache
from django.core.cache.backends.redis import RedisCache
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's name

from authkit.accounts.cached_counts import is_exact
from authkit.checks.settings import usable_settings

#: How each kind calls the seconds for which a request waits.
_PATIENCE: dict[type, str] = {RedisCache: "socket_timeout", PyMemcacheCache: "timeout"}
_SHARED = "Take Redis or Memcached, or THROTTLE_CACHE = None: then the database counts."


def check_throttle_cache(**_: Any) -> list[CheckMessage]:
    """There is such a cache, and it counts exactly."""
    alias = _alias()
    if alias is None:
        return []
    try:
        cache = caches[alias]
    except (InvalidCacheBackendError, ImportError) as error:
        message = f"AUTHKIT['THROTTLE_CACHE'] names {alias!r}, which CACHES does not make: {error}"
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
    if alias is None or check_throttle_cache():
        return []
    cache = caches[alias]
    found: list[CheckMessage] = []
    if isinstance(cache, LocMemCache):
        message = (
            f"AUTHKIT['THROTTLE_CACHE'] names {alias!r}, of which each process has its own: as"
            " many as there are let through that many times the limit."
        )
        found.append(Warning(message, hint=_SHARED, id="authkit.W150"))
    patience = [option for kind, option in _PATIENCE.items() if isinstance(cache, kind)]
    if patience and not _is_given(patience[0], django_settings.CACHES[alias]):
        message = (
            f"AUTHKIT['THROTTLE_CACHE'] names {alias!r}, for which requests may wait long when it"
            " does not answer."
        )
        hint = f'Add "OPTIONS": {{"{patience[0]}": 0.5}} there.'
        found.append(Warning(message, hint=hint, id="authkit.W151"))
    return found


def _alias() -> str | None:
    settings = usable_settings()
    return None if settings is None else settings.throttle_cache


def _is_given(option: str, configuration: Mapping[str, Any]) -> bool:
    """Whether it stands among the options, or in the URL."""
    is_in_url = f"{option}=" in str(configuration.get("LOCATION"))
    return option in configuration.get("OPTIONS", {}) or is_in_url
