"""Endpoints and actions down, roles across: what each role brings to each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from authkit.access import discovery
from authkit.access.loading import Policy
from authkit.kernel.difference import Stance, stances
from authkit.kernel.patterns import has_action
from authkit.kernel.policy import State


@dataclass(frozen=True, slots=True)
class Row:
    """One action of one endpoint.

    Attributes:
        key, action: which.
        methods, routes: how it is asked for; none for an endpoint that is not reached.
        state: of the endpoint.
        is_public: code opens it to all, whatever the rules.
        is_locked: only code may allow.
        permissions: Django permissions that code demands of everyone.
        roles: by slug, what each brings, with all that it includes. Roles that bring
            nothing are left out.
    """

    key: str
    action: str
    methods: tuple[str, ...]
    routes: tuple[str, ...]
    state: State
    is_public: bool
    is_locked: bool
    permissions: tuple[str, ...]
    roles: Mapping[str, Stance]

    @property
    def access(self) -> str:
        """As it is written: ``api.article:create``."""
        return f"{self.key}:{self.action}"


def rows(policy: Policy) -> Iterator[Row]:
    """Every action that rules are about, in alphabetical order."""
    found = {each.key: each for each in discovery.registry(policy.urlconf).governed()}
    for key, action, roles in stances(policy.snapshot):
        cell = policy.snapshot.endpoints[key].cells[action]
        declaration = policy.snapshot.endpoints[key].declaration
        endpoint = found.get(key)
        yield Row(
            key=key,
            action=action,
            methods=tuple(endpoint.methods.get(action, ())) if endpoint else (),
            routes=tuple(endpoint.routes) if endpoint else (),
            state=declaration.state,
            is_public=cell.is_public,
            is_locked=has_action(declaration.locked, action),
            permissions=cell.requirement.permissions if cell.requirement else (),
            roles={} if cell.is_public else roles,
        )
