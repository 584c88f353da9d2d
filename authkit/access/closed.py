"""Endpoints that nobody but superusers reaches, because no rule and no code lets anybody in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from authkit.access import discovery
from authkit.access.loading import Policy
from authkit.kernel.snapshot import CompiledEndpoint


@dataclass(frozen=True, slots=True)
class Closed:
    """One such endpoint. `is_new`: it is waiting for somebody to look at it."""

    key: str
    is_new: bool


def reached(policy: Policy) -> dict[str, CompiledEndpoint]:
    """The endpoints that rules are about and that the URLconf reaches, by key."""
    governed = discovery.registry(policy.urlconf).governed()
    endpoints = policy.snapshot.endpoints
    return {each.key: endpoints[each.key] for each in governed if each.key in endpoints}


def closed_among(endpoints: Mapping[str, CompiledEndpoint]) -> Iterator[Closed]:
    """Those that are closed, in alphabetical order."""
    for key, endpoint in sorted(endpoints.items()):
        cells = endpoint.cells.values()
        if not any(cell.is_public or cell.allow or cell.allow_if for cell in cells):
            yield Closed(key, any(cell.unreviewed for cell in cells))
