"""People of whom only the key is known, until somebody asks."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, connections, models
from django.test.utils import isolate_apps

from authkit.exceptions import UserInactive
from authkit.models.unloaded import is_told_by_columns, loaded, unloaded
from tests.people import make_person

pytestmark = [pytest.mark.default_user_only, pytest.mark.django_db(transaction=True)]


def refuse() -> NoReturn:
    raise UserInactive


class Shouted:
    """A field's own descriptor, which keeps the value elsewhere, as packages for money do."""

    def __init__(self, field: Any) -> None:
        self.field = field

    def __get__(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        if "_kept_" + name not in instance.__dict__:
            instance.refresh_from_db(fields=[name])
        return instance.__dict__["_kept_" + name]

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__["_kept_" + self.field.attname] = value.upper()


class ShoutedField(models.CharField):  # type: ignore[type-arg]
    def contribute_to_class(
        self, cls: type[models.Model], name: str, private_only: bool = False
    ) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, name, Shouted(self))


@pytest.fixture
def kinds() -> Iterator[dict[str, Any]]:
    with isolate_apps("tests.letters"):

        class Parent(models.Model):  # noqa: DJ008 - nobody sees it
            name = models.CharField(max_length=20)
            is_active = models.BooleanField(default=True)

            class Meta:
                app_label = "letters"

        class Child(Parent):  # noqa: DJ008 - nobody sees it
            nick = models.CharField(max_length=20)

            class Meta:
                app_label = "letters"

        class Told(AbstractBaseUser):
            """Whether it is active does not stand in a column."""

            name = models.CharField(max_length=20)
            state = models.CharField(max_length=20)
            USERNAME_FIELD = "name"

            @property
            def is_active(self) -> bool:  # type: ignore[override]
                return self.state == "active"

            class Meta:
                app_label = "letters"

        class Odd(models.Model):  # noqa: DJ008 - nobody sees it
            name = models.CharField(max_length=20, db_column="na me;--")
            is_active = models.BooleanField(default=True, db_column="order")
            data = models.JSONField(default=dict)

            class Meta:
                app_label = "letters"

        class Loud(models.Model):  # noqa: DJ008 - nobody sees it
            name = ShoutedField(max_length=20)
            is_active = models.BooleanField(default=True)

            class Meta:
                app_label = "letters"

        made = {kind.__name__: kind for kind in (Parent, Child, Told, Odd, Loud)}
        with connection.schema_editor() as editor:
            for kind in made.values():
                editor.create_model(kind)
        yield made
        with connection.schema_editor() as editor:
            for kind in reversed(list(made.values())):
                editor.delete_model(kind)


def test_a_person_in_two_tables_is_loaded_whole(kinds):
    stored = kinds["Child"].objects.create(name="ada", nick="a")
    found = unloaded(kinds["Child"], stored.pk, using="default", refuse=refuse)
    assert (found.pk, found.nick, found.name, found.id) == (stored.pk, "a", "ada", stored.id)
    found.nick = "b"
    found.save()
    assert kinds["Child"].objects.get().nick == "b"


def test_columns_with_odd_names_are_loaded(kinds):
    stored = kinds["Odd"].objects.create(name="ada", data={"a": [1]})
    found = unloaded(kinds["Odd"], stored.pk, using="default", refuse=refuse)
    assert (found.name, found.data) == ("ada", {"a": [1]})


def test_a_field_with_a_descriptor_of_its_own_is_loaded_through_it(kinds):
    stored = kinds["Loud"].objects.create(name="ada")
    assert kinds["Loud"].objects.get().name == "ADA"
    found = unloaded(kinds["Loud"], stored.pk, using="default", refuse=refuse)
    assert found.name == "ADA"


def test_whoever_is_inactive_by_a_property_is_refused_when_loaded(kinds):
    stored = kinds["Told"].objects.create(name="ada", state="blocked")
    assert not stored.is_active
    found = unloaded(kinds["Told"], stored.pk, using="default", refuse=refuse)
    with pytest.raises(UserInactive):
        found.name  # noqa: B018


def pickled(person: Any) -> Any:
    return pickle.loads(pickle.dumps(person))  # noqa: S301 - our own


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickled])
def test_a_copy_is_loaded(copied):
    stored = make_person("ada")
    found = unloaded(get_user_model(), stored.pk, using="default", refuse=refuse)
    again = copied(found)
    assert not again.get_deferred_fields()
    assert "refresh_from_db" not in vars(again)


@pytest.mark.vendor("postgresql", "mysql")  # a database in memory has one thread
def test_threads_that_touch_one_at_once_all_read_it():
    stored = make_person("ada")
    for _ in range(20):
        found = unloaded(get_user_model(), stored.pk, using="default", refuse=refuse)
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(touch, [found] * 4)) == [stored.get_username()] * 4


def touch(found: Any) -> str:
    try:
        return str(found.get_username())
    finally:
        connections.close_all()


def test_who_is_told_by_columns(kinds):
    assert is_told_by_columns(get_user_model())
    assert is_told_by_columns(kinds["Parent"])
    assert not is_told_by_columns(kinds["Told"])


def test_whoever_is_inactive_by_a_property_is_refused_when_loaded_at_once(kinds):
    stored = kinds["Told"].objects.create(name="ada", state="active")
    found = loaded(kinds["Told"], stored.pk, using="default", refuse=refuse)
    assert (found.name, found.is_active) == ("ada", True)
    kinds["Told"].objects.update(state="blocked")
    with pytest.raises(UserInactive):
        loaded(kinds["Told"], stored.pk, using="default", refuse=refuse)
