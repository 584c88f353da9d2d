"""Managers that say more than a look-up remembers of them."""

from __future__ import annotations

from functools import wraps
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.db.models import Count, F, Q
from django.db.models.fields.json import KeyTransform, KeyTransformExact
from django.db.models.functions import JSONObject, Upper
from django.test.utils import isolate_apps

from authkit.models import managers
from authkit.models.prepared import Parameter, PreparedLookup
from tests.people import make_person
from tests.test_managers import _tenant, anew, bearer, cookie, manager_that  # noqa: F401

pytestmark = pytest.mark.django_db

RED = "https://login.company.example/auth/realms/red"
SKY = "https://login.company.example/auth/realms/sky"  # alike in all that psycopg's repr shows


def answers_at(hosts: tuple[str, str], way_in: Any, *people: Any) -> dict[Any, bool]:
    """Who gets in at which tenant."""
    got_in = {}
    for host in hosts:
        for person in people:
            client = way_in(person)
            token = _tenant.set(host)
            answer = client.get("/auth/me/").status_code
            _tenant.reset(token)
            got_in[host, person.pk] = answer == 200
    return got_in


@pytest.mark.default_user_only
@pytest.mark.vendor("postgresql")
@pytest.mark.parametrize("way_in", [bearer, cookie])
def test_tenants_that_are_told_apart_by_json(monkeypatch, anew, way_in):  # noqa: F811
    ada, eve = make_person("ada", last_name=RED), make_person("eve", last_name=SKY)

    def narrow(people: Any) -> Any:
        realm: Any = KeyTransform("realm", JSONObject(realm=F("last_name")))
        tenant = _tenant.get()
        return people if tenant is None else people.filter(KeyTransformExact(realm, tenant))

    manager_that(monkeypatch, narrow)
    got_in = answers_at((RED, SKY), way_in, ada, eve)
    assert [who for who, is_in in got_in.items() if is_in] == [(RED, ada.pk), (SKY, eve.pk)]


@pytest.mark.default_user_only
@pytest.mark.vendor("sqlite")
@pytest.mark.django_db(transaction=True)
def test_tenants_that_are_told_apart_by_octets():
    class Manager(models.Manager[Any]):
        def get_queryset(self) -> Any:
            return super().get_queryset().filter(tenant=(_tenant.get() or "").encode())

    with isolate_apps("tests.letters"):

        class Person(models.Model):  # noqa: DJ008 - nobody sees it
            name = models.CharField(max_length=10)
            tenant = models.BinaryField()
            objects = Manager()

            class Meta:
                app_label = "letters"

    with connection.schema_editor() as editor:
        editor.create_model(Person)
    try:
        Person.objects.create(name="ada", tenant=b"red")
        lookup = PreparedLookup(
            lambda people, name: people.filter(name=name).values_list("name"),
            Parameter(Person._meta.get_field("name"), "authkit:1"),
            managers=lambda: [Person.objects],
        )
        wrong = []
        for number in range(300):
            token = _tenant.set(("red", "sky")[number % 2])
            expected = Person.objects.filter(name="ada").exists()
            if (lookup.find("default", "ada") is not None) is not expected:
                wrong.append(number)
            _tenant.reset(token)
        assert not wrong
        known: Any = lookup._compiled["default"]
        assert len(known._compiled) <= 2  # where an address is no name for what is there
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Person)


@pytest.mark.parametrize("how", ["annotate", "alias"])
@pytest.mark.parametrize("way_in", [bearer, cookie])
def test_a_manager_that_computes_something_locks_nobody_out(monkeypatch, anew, way_in, how):  # noqa: F811
    client = way_in(make_person("ada"))
    computed: Any = {"annotate": Count("groups"), "alias": Upper("email")}[how]
    manager_that(monkeypatch, lambda people: getattr(people, how)(computed=computed))
    client.raise_request_exception = False
    assert client.get("/auth/me/").status_code == 200


def test_a_queryset_that_narrows_itself_is_asked_each_time(monkeypatch, anew):  # noqa: F811
    ada = make_person("ada", email="red@example.org")
    eve = make_person("eve", email="sky@example.org")

    class Narrowed(models.QuerySet[Any, Any]):
        def __init__(self, model: Any = None, query: Any = None, **more: Any) -> None:
            super().__init__(model, query, **more)
            if query is None and _tenant.get() is not None:
                self.query.add_q(Q(email__startswith=_tenant.get()))

    monkeypatch.setattr(type(get_user_model()._default_manager), "_queryset_class", Narrowed)
    got_in = answers_at(("red", "sky"), bearer, ada, eve)
    assert [who for who, is_in in got_in.items() if is_in] == [("red", ada.pk), ("sky", eve.pk)]


def test_a_manager_whose_filter_narrows_is_asked_each_time(monkeypatch, anew):  # noqa: F811
    ada = make_person("ada", email="red@example.org")
    eve = make_person("eve", email="sky@example.org")
    kind: Any = type(get_user_model()._default_manager)
    usual = kind.filter

    def narrowed(self: Any, *which: Any, **more: Any) -> Any:
        found = usual(self, *which, **more)
        return found if _tenant.get() is None else found.filter(email__startswith=_tenant.get())

    monkeypatch.setattr(kind, "filter", narrowed)
    got_in = answers_at(("red", "sky"), bearer, ada, eve)
    assert [who for who, is_in in got_in.items() if is_in] == [("red", ada.pk), ("sky", eve.pk)]


def test_it_is_asked_once_for_each_request(monkeypatch, anew):  # noqa: F811
    """What is said a second time might be something else, kept for what was said at first."""
    client = bearer(make_person("ada"))
    asked = []

    def narrow(people: Any) -> Any:
        asked.append(True)
        return people.filter(is_active=True)

    manager_that(monkeypatch, narrow)
    for _ in range(3):
        assert client.get("/auth/me/").status_code == 200
    assert len(asked) == 3


@pytest.mark.parametrize("name", ["get_queryset", "filter"])
def test_who_calls_themselves_djangos_is_asked_each_time(monkeypatch, anew, name):  # noqa: F811
    ada = make_person("ada", email="red@example.org")
    eve = make_person("eve", email="sky@example.org")
    kind: Any = type(get_user_model()._default_manager)
    usual = getattr(kind, name)

    @wraps(usual)
    def narrowed(self: Any, *which: Any, **more: Any) -> Any:
        found = usual(self, *which, **more)
        return found if _tenant.get() is None else found.filter(email__startswith=_tenant.get())

    monkeypatch.setattr(kind, name, narrowed)
    got_in = answers_at(("red", "sky"), bearer, ada, eve)
    assert [who for who, is_in in got_in.items() if is_in] == [("red", ada.pk), ("sky", eve.pk)]


def test_djangos_own_are_known(anew):  # noqa: F811
    for model in (get_user_model(), Session, Group):
        assert managers.says_nothing(model._default_manager)
