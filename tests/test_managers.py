"""Look-ups that are compiled once, and managers that say another thing each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, connections
from django.db.models import Count
from django.utils import timezone
from rest_framework.test import APIClient

from authkit import lookups, sessions, tokens
from tests.people import make_person

pytestmark = pytest.mark.django_db

_tenant: ContextVar[str | None] = ContextVar("tenant", default=None)


@pytest.fixture
def anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a process that has just started, and puts nothing into the next test."""
    for lookup in (lookups._BY_TOKEN, lookups._BY_ID, lookups._BY_COOKIE):
        monkeypatch.setattr(lookup, "_compiled", {})
    lookups._by_cookie_and_key.cache_clear()
    yield
    lookups._by_cookie_and_key.cache_clear()


def manager_that(monkeypatch: pytest.MonkeyPatch, narrows: Any) -> None:
    """A default manager of the project's own."""
    kind = type(get_user_model()._default_manager)
    usual = kind.get_queryset
    monkeypatch.setattr(kind, "get_queryset", lambda self: narrows(usual(self)))


def bearer(person: Any) -> APIClient:
    now = timezone.now()
    token = tokens.issue_for(sessions.start(person, "token", now=now), now=now)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token.text}")
    return client


def cookie(person: Any) -> APIClient:
    client = APIClient()
    assert client.login(username=person.get_username(), password="correct horse battery staple")
    return client


@pytest.mark.parametrize("way_in", [bearer, cookie])
def test_a_manager_that_asks_for_the_tenant_of_the_request_is_asked_each_time(
    monkeypatch, anew, way_in
):
    ada = make_person("ada", email="red@example.org")
    eve = make_person("eve", email="blue@example.org")
    people = {"red": ada, "blue": eve}

    def narrow(people: Any) -> Any:
        tenant = _tenant.get()
        return people if tenant is None else people.filter(email__startswith=tenant)

    manager_that(monkeypatch, narrow)
    answers = {}
    for host in ("red", "blue"):
        token = _tenant.set(host)
        assert get_user_model().objects.count() == 1
        _tenant.reset(token)
        for who, person in people.items():
            client = way_in(person)  # a cookie that was refused is gone
            token = _tenant.set(host)
            answers[host, who] = client.get("/auth/me/").status_code
            _tenant.reset(token)
    assert answers == {
        ("red", "red"): 200,
        ("red", "blue"): 401,
        ("blue", "red"): 401,
        ("blue", "blue"): 200,
    }


def test_a_manager_that_hides_accounts_whose_time_is_up_looks_at_the_clock(monkeypatch, anew):
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    ada = make_person("ada", last_login=now[0] + timedelta(hours=1))  # stands for `valid_until`
    client = bearer(ada)
    manager_that(monkeypatch, lambda people: people.filter(last_login__gt=now[0]))
    assert client.get("/auth/me/").status_code == 200
    now[0] += timedelta(days=365)
    assert not get_user_model().objects.filter(pk=ada.pk).exists()
    assert client.get("/auth/me/").status_code == 401


def test_a_manager_that_leaves_out_the_person_of_number_zero_lets_all_others_in(monkeypatch, anew):
    ada = make_person("ada")
    if not isinstance(ada.pk, UUID):
        return
    nobody: Any = UUID(int=0)
    own: Any = ada.pk
    session = sessions.start(ada, "jwt", now=timezone.now())
    assert lookups.find_by_id("default", session.id) is not None
    lookups._BY_ID._compiled.clear()
    manager_that(monkeypatch, lambda people: people.exclude(pk=nobody))
    assert get_user_model().objects.filter(pk=own).exists()
    assert lookups.find_by_id("default", session.id) is not None


def test_a_manager_that_counts_something_is_asked_as_the_orm_asks(monkeypatch, anew):
    ada = make_person("ada", last_login=timezone.now())
    session = sessions.start(ada, "jwt", now=timezone.now())
    manager_that(monkeypatch, lambda people: people.annotate(many=Count("groups")))
    everybody = get_user_model()._default_manager
    which = {"authkit_sessions__pk": session.id}
    people, columns = lookups._narrowed(everybody, "authkit_sessions__", **which)
    expected = list(people.values_list(*columns).get())
    assert lookups._BY_ID.find("default", session.id) == expected


@pytest.mark.vendor("sqlite")
def test_a_backend_of_the_project_s_own_is_asked_for_its_cursor(anew):
    asked = []
    usual: Any = type(connections["default"])

    class Tenants(usual):  # type: ignore[misc]
        """As of packages that point the connection at the tenant with each cursor."""

        def cursor(self) -> Any:
            asked.append("cursor")
            return super().cursor()

        def create_cursor(self, name: Any = None) -> Any:
            asked.append("create_cursor")
            return super().create_cursor(name)

    own = Tenants(connection.settings_dict, "default")
    own.connection = connection.connection
    before = connections["default"]
    connections["default"] = own
    try:
        list(get_user_model().objects.values_list("pk"))
        assert asked == ["cursor", "create_cursor"]
        asked.clear()
        lookups._BY_TOKEN.find("default", "0" * 16)
        assert asked == ["cursor", "create_cursor"]
    finally:
        own.connection = None
        connections["default"] = before


def test_who_wraps_executions_may_put_values_and_statement_together(anew):
    """As loggers of slow queries do."""
    seen = []

    def log(execute: Any, sql: str, params: Any, *more: Any) -> Any:
        seen.append(sql % tuple(params))
        return execute(sql, params, *more)

    client = bearer(make_person("ada"))
    lookups._BY_TOKEN.find("default", "0" * 16)
    with connection.execute_wrapper(log):
        assert client.get("/auth/me/").status_code == 200
    assert seen


def test_a_manager_that_says_the_same_is_compiled_once_for_it(monkeypatch, anew):
    ada = make_person("ada", email="red@example.org")
    client = bearer(ada)
    manager_that(monkeypatch, lambda people: people.filter(email__startswith=_tenant.get()))
    for name in [*"abcdefgh", *(str(number) for number in range(100)), "red", "red", "red"]:
        token = _tenant.set(name)
        assert client.get("/auth/me/").status_code == (200 if name == "red" else 401)
        _tenant.reset(token)
    ready: Any = lookups._BY_TOKEN._compiled["default"]
    assert 0 < len(ready._compiled) <= 64
    compiled = dict(ready._compiled)
    token = _tenant.set("red")
    assert client.get("/auth/me/").status_code == 200
    _tenant.reset(token)
    assert ready._compiled == compiled


def test_a_manager_that_finds_nobody_lets_nobody_in(monkeypatch, anew):
    client = bearer(make_person("ada"))
    manager_that(monkeypatch, lambda people: people.none())
    assert client.get("/auth/me/").status_code == 401


@pytest.mark.vendor("postgresql")
def test_what_a_manager_says_is_not_prepared_on_the_connection(monkeypatch, anew):
    client = bearer(make_person("ada", email="red@example.org"))
    manager_that(monkeypatch, lambda people: people.filter(email__startswith=_tenant.get()))
    with connection.cursor() as cursor:
        for name in "abc":
            token = _tenant.set(name)
            assert client.get("/auth/me/").status_code == 401
            _tenant.reset(token)
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'authkit%'")
        assert cursor.fetchone() == (0,)
