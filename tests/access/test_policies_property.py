"""Random policies, written as rows, hold against the naive reference, for people and objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Group
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authkit.access import can, conditions, decide, discovery, visible
from authkit.kernel.decision import Caller
from authkit.kernel.policy import BUILT_IN, EndpointDecl, Rule
from authkit.models import Assignment, Endpoint
from authkit.models import Role as RoleRow
from authkit.models import Rule as RuleRow
from tests.kernel import reference
from tests.kernel.policies import ROLE_IDS, Policy, inclusions, rule
from tests.people import make_person, make_superuser

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

URLCONF = "tests.access.urls_of_policies"
KEYS = ("api.person", "api.health", "api.report", "api.vault", "gone.page")
STATES = ("new", "active", "active", "active", "returned", "missing")
OBJECT_ACTIONS = ("list", "retrieve", "update", "partial_update", "destroy")
some = settings(
    max_examples=min(settings().max_examples, 500),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

rules = st.builds(
    lambda effect, role, key, words, when, source: rule(
        effect, role, f"{key}:{words}", when=when, source=source
    ),
    st.sampled_from(("allow", "allow", "deny")),
    st.sampled_from((*ROLE_IDS, *BUILT_IN)),
    st.sampled_from(("api.person", "api.person", "*", "api.*", "*.*", "*.person", *KEYS)),
    st.sampled_from(("*", "read", "read", "update", "list", "retrieve", "GET", "create,destroy")),
    st.sampled_from((None, None, "own", "published", "published", "gone")),
    st.sampled_from(("admin", "admin", "code")),
)


@dataclass(frozen=True)
class Drawn:
    """A policy, and who has which role."""

    policy: Policy
    given: dict[str, frozenset[str]]

    def with_rules(self, those: Iterable[Rule]) -> Drawn:
        return replace(self, policy=self.policy.with_rules(those))


@st.composite
def drawn_policies(draw: Any) -> Drawn:
    states = {key: draw(st.sampled_from(STATES)) for key in KEYS}
    found = draw(st.lists(rules, min_size=2, max_size=12, unique_by=str))
    roles = st.frozensets(st.sampled_from(ROLE_IDS), max_size=2)
    holders = {name: draw(roles) for name in ("ada", "sue", "ian", "root", "the group")}
    return Drawn(Policy(draw(inclusions()), tuple(found), tuple(_endpoints(states))), holders)


def _endpoints(states: dict[str, str]) -> Iterator[EndpointDecl]:
    """What a process makes of the states in the database: a reached one is not missing."""
    for found in discovery.registry(URLCONF).governed():
        state: Any = states.get(found.key, "new")
        yield found.declared("returned" if state == "missing" else state)
    yield EndpointDecl("gone.page", ("GET",), state="missing")


@pytest.fixture(autouse=True)
def _project(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = URLCONF
    monkeypatch.setattr(conditions, "_registered", {})
    model = get_user_model()
    conditions.condition("own", model=model)(lambda user: Q(pk=user.pk))
    conditions.condition("published", model=model)(lambda user: Q(groups__name__startswith="g"))
    discovery._registry.cache_clear()


@pytest.fixture
def people(_project: None) -> dict[str, Any]:
    """Of every kind; Ada and Sue are in groups by which they are "published" twice and once."""
    found: dict[str, Any] = {
        "ada": make_person("ada"),
        "sue": make_person("sue", is_staff=True),
        "ian": make_person("ian", is_active=False),
        "root": make_superuser(),
    }
    first, second = Group.objects.create(name="g1"), Group.objects.create(name="g2")
    found["ada"].groups.set([first, second])
    found["sue"].groups.set([first])
    return {**found, "nobody": AnonymousUser()}


@contextmanager
def stored(drawn: Drawn, people: dict[str, Any]) -> Iterator[None]:
    """The policy as rows, until they are rolled back."""
    with transaction.atomic():
        _store(drawn, people)
        yield
        transaction.set_rollback(True)


def _store(drawn: Drawn, people: dict[str, Any]) -> None:
    Endpoint.objects.all().delete()
    Endpoint.objects.bulk_create(
        Endpoint(
            key=its.key,
            state="active" if its.key == "gone.page" else its.state,
            methods={action: ["GET"] for action in its.actions},
            found_at=timezone.now(),
        )
        for its in drawn.policy.endpoints
    )
    RuleRow.objects.all().delete()
    rows = {
        slug: RoleRow.objects.get_or_create(slug=slug, defaults={"name": slug})[0]
        for slug in (*ROLE_IDS, *BUILT_IN)
    }
    for role in drawn.policy.roles:
        rows[role.id].includes.set([rows[slug] for slug in role.includes])
    RuleRow.objects.bulk_create(
        RuleRow(
            role=rows[its.role],
            effect=its.effect,
            endpoints=str(its.endpoints),
            actions=",".join(its.actions),
            condition=its.condition or "",
            source=its.source,
        )
        for its in drawn.policy.rules
    )
    group = Group.objects.get(name="g1")
    Assignment.objects.bulk_create(
        Assignment(
            role=rows[slug], **({"group": group} if who == "the group" else {"user": people[who]})
        )
        for who, slugs in drawn.given.items()
        for slug in slugs
    )


def caller_of(drawn: Drawn, name: str, person: Any) -> Caller:
    if name == "nobody":
        return Caller(is_authenticated=False)
    roles = drawn.given[name]
    if name in ("ada", "sue"):
        roles |= drawn.given["the group"]
    return Caller(
        roles,
        is_active=person.is_active,
        is_staff=person.is_staff,
        is_superuser=person.is_superuser,
    )


def accesses(drawn: Drawn) -> Iterator[tuple[str, str]]:
    for endpoint in drawn.policy.endpoints:
        for action in endpoint.actions:
            yield endpoint.key, action
    yield "api.unheard", "GET"
    yield "api.report", "unheard"


def held_by(person: Any, caller: Any) -> frozenset[str]:
    held = {"published"} if person.get_username().startswith(("ada", "sue")) else set()
    return frozenset(held | ({"own"} if person.pk == caller.pk else set()))


def seen_by(person: Any, action: str) -> set[Any]:
    every = get_user_model()._default_manager.all()
    rows = list(visible(every, person, f"api.person:{action}").values_list("pk", flat=True))
    assert len(rows) == len(set(rows))
    return set(rows)


@some
@given(drawn=drawn_policies())
def test_every_verdict_and_reason_is_the_reference_s(drawn: Drawn, people: dict[str, Any]):
    with stored(drawn, people):
        for name, person in people.items():
            caller = caller_of(drawn, name, person)
            for key, action in accesses(drawn):
                decision = decide(person, f"{key}:{action}")
                expected = reference.decide(drawn.policy, caller, key, action)
                assert (decision.allowed, decision.reason) == expected, (name, key, action)


@some
@given(drawn=drawn_policies(), action=st.sampled_from(OBJECT_ACTIONS))
def test_lists_and_checks_agree_with_each_other_and_with_the_reference(
    drawn: Drawn, action: str, people: dict[str, Any]
):
    them = [person for person in people.values() if person.pk is not None]
    with stored(drawn, people):
        for name, person in people.items():
            caller = caller_of(drawn, name, person)
            reached = reference.reached(drawn.policy, caller, "api.person", action)
            expected = {who.pk for who in them if held_by(who, person) in reached}
            assert seen_by(person, action) == expected, name
            checked = {who.pk for who in them if can(person, f"api.person:{action}", who)}
            assert checked == expected, name


@some
@given(drawn=drawn_policies(), more=rules, action=st.sampled_from(OBJECT_ACTIONS))
def test_another_deny_rule_never_enlarges_what_anybody_sees(
    drawn: Drawn, more: Rule, action: str, people: dict[str, Any]
):
    with stored(drawn, people):
        before = {name: seen_by(person, action) for name, person in people.items()}
    denied = replace(more, effect="deny")
    others = [its for its in drawn.policy.rules if str(its) != str(denied)]
    with stored(drawn.with_rules([*others, denied]), people):
        for name, person in people.items():
            assert seen_by(person, action) <= before[name], name


@some
@given(drawn=drawn_policies(), chance=st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(drawn: Drawn, chance: Any, people: dict[str, Any]):
    def answers() -> list[Any]:
        found = [
            decide(person, f"{key}:{action}")
            for person in people.values()
            for key, action in accesses(drawn)
        ]
        return [(its, str(its.rule)) for its in found]

    with stored(drawn, people):
        before = answers()
    shuffled = chance.sample(drawn.policy.rules, len(drawn.policy.rules))
    with stored(drawn.with_rules(shuffled), people):
        assert answers() == before
