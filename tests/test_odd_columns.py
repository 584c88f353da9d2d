"""Names and types of columns that a look-up reads as the ORM does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, models
from django.test.utils import isolate_apps

from authkit.models.prepared import ModelColumns, Parameter, PreparedLookup

pytestmark = [pytest.mark.default_user_only, pytest.mark.django_db(transaction=True)]

NAMES = ["{a}", "{}", "a, b", "sélect", "from", "a:b", ":a", "a;--", "a'b"]


class Hidden(models.TextField):  # type: ignore[type-arg]
    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return None if value is None else value[::-1]

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else value[::-1]


class OwnMoment(models.DateTimeField):  # type: ignore[type-arg]
    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return None if value is None else ("mine", value)


class HiddenChar(models.CharField):  # type: ignore[type-arg]
    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else value[::-1]

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return None if value is None else value[::-1]


@pytest.fixture(params=NAMES)
def kind(request: pytest.FixtureRequest) -> Iterator[Any]:
    with isolate_apps("tests.letters"):

        class Odd(models.Model):  # noqa: DJ008 - nobody sees it
            key = HiddenChar(max_length=40, unique=True)
            name = models.CharField(max_length=40, db_column=request.param)
            at = models.DateTimeField(null=True, db_column=request.param + "at")
            own = OwnMoment(null=True)
            data = models.JSONField(default=dict)
            hidden = Hidden(null=True)
            raw = models.BinaryField(null=True)
            long = models.DurationField(null=True)
            cost = models.DecimalField(max_digits=9, decimal_places=2, null=True)
            day = models.DateField(null=True)
            hour = models.TimeField(null=True)
            ip = models.GenericIPAddressField(null=True)
            unique = models.UUIDField(null=True)

            class Meta:
                app_label = "letters"

        with connection.schema_editor() as editor:
            editor.create_model(Odd)
        yield Odd
        with connection.schema_editor() as editor:
            editor.delete_model(Odd)


def test_a_row_is_what_the_orm_reads(kind):
    moment = datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)
    for who in ("ada", "eve"):
        kind.objects.create(
            key=who,
            name=who + "%s?$1",
            at=moment,
            own=moment,
            data={"a": ["%s", None]},
            hidden="abc",
            raw=b"\0\xff%s",
            long=timedelta(days=-3, microseconds=1),
            cost="1.10",
            day=date(1, 1, 1),
            hour=time(1, 2, 3, 4),
            ip="::1",
            unique=UUID(int=5),
        )
    stored = {row.key: row for row in kind.objects.all()}
    columns = ModelColumns(kind)
    lookup = PreparedLookup(
        lambda key, name: kind.objects.filter(key=key, name=name).values_list(*columns.names),
        Parameter(kind._meta.get_field("key"), "authkit:1"),
        Parameter(kind._meta.get_field("name"), "authkit:2"),
    )
    for _ in range(3):
        for who in ("ada", "eve"):
            row = lookup.find("default", who, who + "%s?$1")
            assert row is not None
            found = columns.instance("default", row)
            for field in kind._meta.concrete_fields:
                own, its = getattr(found, field.attname), getattr(stored[who], field.attname)
                if field.attname == "raw":
                    own, its = bytes(own), bytes(its)
                assert (type(own), own) == (type(its), its), field.attname
        assert lookup.find("default", "ada", "eve%s?$1") is None
