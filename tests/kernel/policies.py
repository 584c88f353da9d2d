"""Short ways of writing policies, and strategies that invent them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from authkit.kernel.compilation import compile_policy
from authkit.kernel.decision import Caller
from authkit.kernel.language import parse_pattern
from authkit.kernel.policy import (
    BUILT_IN,
    Effect,
    EndpointDecl,
    Requirement,
    Role,
    Rule,
    Source,
    State,
)
from authkit.kernel.snapshot import Snapshot

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def allow(role: str, access: str, *, when: str | None = None, source: Source = "admin") -> Rule:
    return rule("allow", role, access, when=when, source=source)


def deny(role: str, access: str, *, when: str | None = None) -> Rule:
    return rule("deny", role, access, when=when)


def rule(
    effect: Effect, role: str, access: str, *, when: str | None = None, source: Source = "admin"
) -> Rule:
    pattern = parse_pattern(access)
    return Rule(effect, role, pattern.endpoint, pattern.actions, when, source)


def a_viewset(key: str = "api.article", *, state: State = "active", **declared) -> EndpointDecl:
    declared.setdefault("conditions", frozenset({"own", "published"}))
    declared.setdefault(
        "actions",
        ("list", "retrieve", "create", "update", "partial_update", "destroy", "publish"),
    )
    return EndpointDecl(key, state=state, **declared)


@dataclass(frozen=True)
class Policy:
    """Everything that `compile_policy` takes, in one value."""

    roles: tuple[Role, ...] = ()
    rules: tuple[Rule, ...] = ()
    endpoints: tuple[EndpointDecl, ...] = field(default_factory=lambda: (a_viewset(),))

    def compile(self) -> Snapshot:
        return compile_policy(self.roles, self.rules, self.endpoints)

    def with_rules(self, rules: Iterable[Rule]) -> Policy:
        return replace(self, rules=tuple(rules))


def roles(*names: str, **includes: tuple[str, ...]) -> tuple[Role, ...]:
    """Roles whose ids are their names: ``roles("author", editor=("author",))``."""
    plain = tuple(Role(name, name) for name in names)
    return plain + tuple(Role(name, name, included) for name, included in includes.items())


# A small world, so that rules meet often.
KEYS = ("a", "a.a", "a.b", "b.a", "a.b.a")
ACTIONS = ("list", "create", "update", "publish", "GET", "HEAD", "POST")
WORDS = (*ACTIONS, "read", "read", "*", "*", "*", "*")
CONDITIONS = ("own", "published", "gone")
PERMISSIONS = ("demo.view_report", "demo.add_report")
ROLE_IDS = ("1", "2", "3")


PATTERNS = tuple(
    f"{endpoint}:{words}"
    for endpoint in (*KEYS, "*", "a.*", "*.a", "*.*", "b", "b.*", "a.b.*", "*.b.*", "a.*.a")
    for words in (*WORDS, "create,publish", "GET,update")
)
RULES = [
    rule(effect, role, access, when=condition, source=source)
    for effect in ("allow", "allow", "deny")
    for role in (*ROLE_IDS, *BUILT_IN)
    for access in PATTERNS
    for condition in (None, None, *CONDITIONS)
    for source in ("code", "admin")
]
random.Random(0).shuffle(RULES)  # noqa: S311 (Hypothesis prefers what comes first)
patterns = st.sampled_from(PATTERNS)
rules = st.sampled_from(RULES)


@st.composite
def inclusions(draw) -> tuple[Role, ...]:
    """Roles that include each other without a circle; built-in ones are not always listed."""
    order = draw(st.permutations((*ROLE_IDS, *BUILT_IN)))
    listed = []
    for place, identifier in enumerate(order):
        included = draw(st.lists(st.sampled_from(order[:place]), max_size=2)) if place else []
        if included or identifier in ROLE_IDS:
            listed.append(Role(identifier, f"role {identifier}", tuple(included)))
    return tuple(listed)


words = st.sampled_from(((), (), (), (), ("*",), ("create", "publish")))
requirements = st.builds(
    Requirement,
    permissions=st.lists(st.sampled_from(PERMISSIONS), max_size=1).map(tuple),
    recent=st.sampled_from((None, None, timedelta(minutes=5))),
    second_factor=st.sampled_from((False, False, False, True)),
    actions=st.sampled_from((("*",), ("create",), ("read",))),
)


declarations = st.lists(
    st.builds(
        EndpointDecl,
        key=st.sampled_from(KEYS),
        actions=st.sampled_from((ACTIONS, ACTIONS[:4], ACTIONS[2:], ("GET", "HEAD"))),
        state=st.sampled_from((*["active"] * 8, "new", "new", "returned", "missing")),
        public=st.sampled_from((*[()] * 7, ("list",))),
        locked=words,
        requirements=st.just(()) | st.just(()) | st.lists(requirements, max_size=2).map(tuple),
        conditions=st.sampled_from(({"own", "published"}, set(), set(CONDITIONS))).map(frozenset),
    ),
    min_size=2,
    max_size=4,
    unique_by=lambda endpoint: endpoint.key,
).map(tuple)

policies = st.builds(
    Policy,
    roles=inclusions(),
    rules=st.lists(rules, min_size=4, max_size=14).map(tuple),
    endpoints=declarations,
)

scopes = st.lists(patterns | st.just("not a scope"), max_size=3).map(tuple)


callers = st.builds(
    Caller,
    roles=st.frozensets(st.sampled_from((*ROLE_IDS, "unheard of")), max_size=3),
    is_authenticated=st.sampled_from((*[True] * 7, False)),
    is_active=st.sampled_from((*[True] * 15, False)),
    is_staff=st.booleans(),
    is_superuser=st.sampled_from((*[False] * 11, True)),
    scopes=st.none() | st.none() | st.none() | scopes,
    authenticated_at=st.sampled_from((None, 0, 1, 5, 60, -10)).map(
        lambda ago: None if ago is None else NOON - timedelta(minutes=ago)
    ),
    has_second_factor=st.booleans(),
    has_permission=st.sets(st.sampled_from(PERMISSIONS)).map(lambda held: held.__contains__),
)
