"""What is read by a prepared look-up is what the ORM would have read."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection
from django.db.models.signals import post_init
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authkit import lookups, sessions, tokens
from authkit.models import BearerToken, UserSession
from authkit.models.prepared import ModelColumns, PreparedLookup
from tests.people import make_person

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> AbstractUser:
    return make_person("ada", last_login=datetime(2026, 3, 29, 1, 30, 0, 123456, UTC))


def sign_in(person: AbstractUser) -> tuple[UserSession, str]:
    now = timezone.now()
    session = sessions.start(person, "token", now=now)
    return session, tokens.issue_for(session, now=now).id


def require_same(found: Any, stored: Any) -> None:
    for field in stored._meta.concrete_fields:
        own, its = getattr(found, field.attname), getattr(stored, field.attname)
        assert (type(own), own) == (type(its), its), field.attname


def test_the_user_is_the_one_that_the_orm_reads(person: AbstractUser) -> None:
    _, token_id = sign_in(person)
    found = lookups.find_by_token("default", token_id)
    assert found is not None
    stored = get_user_model()._default_manager.get(pk=person.pk)
    user = found[2]
    assert type(user) is type(stored)
    assert vars(user).keys() == vars(stored).keys()
    assert (user._state.adding, user._state.db) == (False, "default")
    require_same(user, stored)


def test_the_facts_are_those_that_the_orm_reads(person: AbstractUser) -> None:
    session, token_id = sign_in(person)
    found = lookups.find_by_token("default", token_id)
    assert found is not None
    assert found[1] is not None
    require_alike(found[0], BearerToken.objects.get(pk=token_id))
    require_alike(found[1], UserSession.objects.get(pk=session.pk))


def require_alike(facts: Any, stored: Any) -> None:
    for name, value in facts._asdict().items():
        its = getattr(stored, name)
        assert (type(value), value) == (type(its), its), name


@pytest.mark.vendor("sqlite")
@pytest.mark.parametrize("written", ["2026-11-25", "2026-11-25 07:00", "2026-11-25T07:00:00+02:00"])
def test_a_moment_that_another_program_wrote_is_read_likewise(
    person: AbstractUser, written: str
) -> None:
    _, token_id = sign_in(person)
    table = get_user_model()._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET last_login = %s", [written])
    found = lookups.find_by_token("default", token_id)
    assert found is not None
    stored = get_user_model()._default_manager.get(pk=person.pk)
    assert found[2].last_login == stored.last_login


@pytest.mark.vendor("sqlite")
@pytest.mark.parametrize("written", ["0", "1", "2", "-1", "1.0", "1.5", "'true'", "'1'", "''"])
def test_a_truth_that_another_program_wrote_is_read_likewise(
    person: AbstractUser, written: str
) -> None:
    _, token_id = sign_in(person)
    table = get_user_model()._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET is_staff = {written}, is_active = {written}")
    found = lookups.find_by_token("default", token_id)
    assert found is not None
    require_same(found[2], get_user_model()._default_manager.get(pk=person.pk))


@pytest.mark.vendor("sqlite")
@pytest.mark.parametrize("number", [0, 1, 2**64, 2**128 - 1])
@pytest.mark.parametrize("how", ["{:032x}", "{:032X}"])
def test_a_uuid_is_read_likewise(person: AbstractUser, number: int, how: str) -> None:
    session, token_id = sign_in(person)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE authkit_usersession SET impersonator_session_id = %s", [how.format(number)]
        )
    found = lookups.find_by_token("default", token_id)
    assert found is not None
    assert found[1] is not None
    assert found[1].impersonator_session_id == UUID(int=number)
    require_alike(found[1], UserSession.objects.get(pk=session.pk))


@pytest.mark.vendor("sqlite")
@pytest.mark.parametrize("text", ["no-uuid", "", "0x" + 31 * "0", 16 * "-1", 32 * "g"])
def test_what_is_no_uuid_is_none(person: AbstractUser, text: str) -> None:
    session, token_id = sign_in(person)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE authkit_usersession SET impersonator_session_id = %s", [text])
    for read in (
        lambda: lookups.find_by_token("default", token_id),
        lambda: UserSession.objects.get(pk=session.pk),
    ):
        with pytest.raises(ValueError, match=r"badly formed|invalid literal"):
            read()


def test_within_a_running_loop_no_database_is_asked_unless_django_would(
    person: AbstractUser,
) -> None:
    _, token_id = sign_in(person)

    async def ask() -> object:
        return lookups.find_by_token("default", token_id)

    with pytest.raises(SynchronousOnlyOperation):
        asyncio.run(ask())


@pytest.mark.vendor("postgresql")
def test_psycopg_prepares_the_statement_where_a_project_says_so(
    person: AbstractUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, token_id = sign_in(person)
    expected = new_lookup().find("default", token_id)
    assert prepared_by_psycopg() == 0

    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "prepare_threshold", 2)
    monkeypatch.setattr(connection.connection, "prepare_threshold", 2)
    lookup = new_lookup()
    with CaptureQueriesContext(connection) as seen:
        assert lookup.find("default", token_id) == expected
    assert len(seen) == 1
    for _ in range(4):
        assert lookup.find("default", token_id) == expected
    assert lookup.find("default", "0" * 16) is None
    assert prepared_by_psycopg() == 1


def new_lookup() -> PreparedLookup:
    return PreparedLookup(
        lookups._build_by_token, *lookups._BY_TOKEN._parameters, managers=lookups._managers
    )


def prepared_by_psycopg() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE '_pg3_%'")
        return int(cursor.fetchone()[0])


def test_who_listens_to_the_making_of_users_hears_of_it(person: AbstractUser) -> None:
    heard = []

    def listen(instance: Any, **_: object) -> None:
        heard.append(instance.pk)

    columns = ModelColumns(get_user_model())
    values = get_user_model()._default_manager.values_list(*columns.names).get()
    post_init.connect(listen, sender=get_user_model())
    try:
        columns.instance("default", values)
    finally:
        post_init.disconnect(listen, sender=get_user_model())
    columns.instance("default", values)
    assert heard == [person.pk]
