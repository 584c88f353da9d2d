"""Read roles, rules and endpoints from the database, and compile them.

What code says (actions, what is public, requirements) comes from the running URLconf and
not from the database: a process may be newer than the rows that another one wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authkit.access import discovery
from authkit.kernel.compilation import compile_policy, compile_without_rules
from authkit.kernel.language import parse_actions, parse_endpoint_pattern
from authkit.kernel.policy import EndpointDecl, Role, Rule, State
from authkit.kernel.snapshot import Snapshot, places_in
from authkit.models import AccessRevision, Endpoint
from authkit.models import Role as RoleRow
from authkit.models import Rule as RuleRow

_TRIES = 5


class AccessChanging(Exception):
    """Access changed each time while it was being read."""


@dataclass(frozen=True, slots=True)
class Revision:
    """The numbers of the last changes (`models.AccessRevision`)."""

    number: int = 0
    policy: int = 0
    people: int = 0


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy, compiled.

    Attributes:
        revision: which changes it contains.
        urlconf: whose endpoints it is about.
        snapshot: what decides.
        permissions: by slug of a role, the Django permissions (``app.codename``) of it
            and of all that it includes.
        rules: how many there are.
        is_private: whether it is what an open transaction would make of it.
    """

    revision: Revision
    urlconf: str
    snapshot: Snapshot
    permissions: Mapping[str, frozenset[str]]
    rules: int = 0
    is_private: bool = False


def revision_in(alias: str) -> Revision:
    """Ask the database which changes there were."""
    rows = AccessRevision._base_manager.using(alias).filter(pk=1)
    found = rows.values_list("number", "policy", "people").first()
    return Revision(*found) if found is not None else Revision()


def load(alias: str, urlconf: str) -> Policy:
    """Read and compile the whole policy.

    It is read in several queries, so it is read again if it changed in between.

    Raises:
        PolicyError, PatternError: the rows do not make a whole and valid policy.
        AccessChanging: it would not stand still.
        django.db.Error: the database cannot be asked.
    """
    before = revision_in(alias)
    for _ in range(_TRIES):
        policy = _read(alias, urlconf, before)
        after = revision_in(alias)
        if after == before:
            return policy
        before = after
    raise AccessChanging


def without_rules(urlconf: str) -> Policy:
    """What is left when the rules cannot be loaded: only what code makes public answers."""
    endpoints = [found.declared("active") for found in _governed(urlconf)]
    return Policy(Revision(), urlconf, compile_without_rules(endpoints), {})


def _read(alias: str, urlconf: str, revision: Revision) -> Policy:
    roles = _roles(alias)
    rules = _rules(alias)
    snapshot = compile_policy(roles, rules, endpoints(alias, urlconf))
    return Policy(revision, urlconf, snapshot, _permissions(alias, snapshot), len(rules))


def _roles(alias: str) -> list[Role]:
    includes: dict[str, list[str]] = {}
    pairs = RoleRow.includes.through._base_manager.using(alias)
    for role, included in pairs.values_list("from_role__slug", "to_role__slug"):
        includes.setdefault(role, []).append(included)
    rows = RoleRow._base_manager.using(alias).values_list("slug", "name")
    return [Role(slug, name, tuple(sorted(includes.get(slug, ())))) for slug, name in rows]


def _rules(alias: str) -> list[Rule]:
    rows = RuleRow._base_manager.using(alias).filter(is_enabled=True)
    columns = ("effect", "role__slug", "endpoints", "actions", "condition", "source", "id")
    # Read to its end before any row is judged: a server-side cursor that is left half way
    # would spoil the transaction in which somebody else is at work.
    read = list(rows.values_list(*columns).iterator(chunk_size=5000))
    return [
        Rule(
            effect,
            role,
            parse_endpoint_pattern(endpoints),
            parse_actions(actions),
            condition or None,
            source,
            number,
        )
        for effect, role, endpoints, actions, condition, source, number in read
    ]


def endpoints(alias: str, urlconf: str) -> list[EndpointDecl]:
    """What code declares of each endpoint, in the state in which administrators know it."""
    rows: Any = Endpoint._base_manager.using(alias).values_list("key", "state", "methods")
    known: dict[str, tuple[State, list[str]]] = {key: (s, list(m)) for key, s, m in rows}
    reached = [
        found.declared(_state_of(known.pop(found.key, ("new", []))[0]))
        for found in _governed(urlconf)
    ]
    gone = [EndpointDecl(key, tuple(its[1]), state="missing") for key, its in known.items()]
    return [*reached, *gone]


def _state_of(stored: State) -> State:
    """One that was missing when somebody last looked, and is reached now, has returned."""
    return "returned" if stored == "missing" else stored


def _governed(urlconf: str) -> list[discovery.FoundEndpoint]:
    return list(discovery.registry(urlconf).governed())


def _permissions(alias: str, snapshot: Snapshot) -> dict[str, frozenset[str]]:
    own: dict[str, set[str]] = {}
    rows = RoleRow.permissions.through._base_manager.using(alias).values_list(
        "role__slug", "permission__content_type__app_label", "permission__codename"
    )
    for role, app_label, codename in rows:
        own.setdefault(role, set()).add(f"{app_label}.{codename}")
    if not own:
        return {}
    return {
        role: frozenset(
            name for place in places_in(closure) for name in own.get(snapshot.roles[place].id, ())
        )
        for role, closure in snapshot.closures.items()
    }
