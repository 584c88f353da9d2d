"""Caches that fail, each in its own way."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.locmem import LocMemCache


class Failing(LocMemCache):
    """A cache in memory that can be broken while it is used."""

    #: What is wrong with it, until the test says otherwise.
    trouble = ""
    asked = 0

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> Any:
        type(self).asked += 1
        match self.trouble:
            case "down":
                raise ConnectionError("nobody listens")
            case "slow":
                raise TimeoutError("nobody answers")
            case "evicts":
                self.delete(key, version=version)
            case "none" | "text" | "yes" | "zero" | "float":
                super().incr(key, delta, version=version)
                return {"none": None, "text": "1", "yes": True, "zero": 0, "float": 1.0}[
                    self.trouble
                ]
        count = super().incr(key, delta, version=version)
        if self.trouble == "evicts later":
            self.delete(key, version=version)
        return count
