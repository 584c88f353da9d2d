"""What can be done to many people at once from the list, and the file that it hands out."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import AsyncClient, Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authkit import sessions, tokens
from authkit.accounts import addresses
from authkit.admin.people import exporting, many
from authkit.models import AuditEvent, Throttle, UserSession
from tests.admin.pages import grant, make_staff, signed_in
from tests.admin.people_pages import URLS, long_signed_in, make_carer, people_url, said
from tests.people import PASSWORD, make_person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(URLS)]

GRAVE = ("sign_out_people", "deactivate_people")
BULK = (*GRAVE, "unlock_people")


def act(client: Client, action: str, people: list[Any], query: str = "", **more: str) -> Any:
    form = {"action": action, "_selected_action": [one.pk for one in people], "index": "0", **more}
    return client.post(people_url() + query, form)


def act_and_confirm(client: Client, action: str, people: list[Any], **more: str) -> Any:
    return act(client, action, people, authkit_answer="yes", **more)


def table(response: Any) -> list[dict[str, str]]:
    assert response["Content-Type"] == "text/csv"
    text = b"".join(response.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def team() -> list[Any]:
    """Three people, each signed in and locked out."""
    now = timezone.now()
    team = [make_person(name) for name in ("tom", "una", "vic")]
    for person in team:
        sessions.start(person, "jwt", now=now)
        Throttle.objects.create(
            digest=str(person.pk),
            scope="person",
            user_id=person.pk,
            failed=9,
            since=now,
            locked_at=now,
            ends_at=now + timedelta(hours=1),
        )
    return team


def untouched(team: list[Any]) -> bool:
    model: Any = get_user_model()
    keys = [person.pk for person in team]
    return (
        not UserSession.objects.filter(user__in=keys).exclude(revoked_at=None).exists()
        and not model._default_manager.filter(pk__in=keys, is_active=False).exists()
        and Throttle.objects.filter(user__in=keys).count() == len(team)
    )


@pytest.mark.parametrize("action", GRAVE)
def test_what_ends_something_asks_and_names_them(team, action):
    client = signed_in(make_carer())
    page = act(client, action, team)
    assert page.status_code == 200
    for person in team:
        assert f"<li>{person}</li>" in page.text
        assert f'name="_selected_action" value="{person.pk}"' in page.text
    assert untouched(team)
    assert act_and_confirm(client, action, team).status_code == 302
    assert not UserSession.objects.filter(user__in=team, revoked_at=None).exists()


def test_it_takes_a_recent_sign_in(team):
    client = long_signed_in(make_carer())
    for action in (*GRAVE, "export_people"):
        page = act_and_confirm(client, action, team)
        assert "authkit_password" in page.text
        page = act_and_confirm(client, action, team, authkit_password="wrong")
        assert "authkit_password" in page.text
        assert untouched(team)
    done = act_and_confirm(client, "deactivate_people", team, authkit_password=PASSWORD)
    assert said(done)[-1] == "Deactivate and end everything: 3 people."


def test_to_unlock_many_lets_them_try_again(team):
    response = act(signed_in(make_carer()), "unlock_people", team[:2])
    assert said(response) == ["Unlock: 2 people."]
    assert Throttle.objects.count() == 1


@pytest.mark.parametrize("action", BULK)
def test_one_who_holds_more_stops_it_for_all(team, superuser, action):
    client = signed_in(make_carer())
    assert act_and_confirm(client, action, [*team, superuser]).status_code == 403
    across = act_and_confirm(client, action, team[:1], select_across="1")
    assert across.status_code == 403
    assert untouched(team)


@pytest.mark.parametrize("action", BULK)
def test_who_may_not_is_not_offered_it_and_cannot_forge_it(team, action):
    opts: Any = get_user_model()._meta
    clerk = make_staff("clerk", "view_usersession")
    grant(clerk, "view_user", app_label=opts.app_label)
    client = signed_in(clerk)
    assert action not in client.get(people_url()).text
    act_and_confirm(client, action, team)
    assert untouched(team)


def test_nobody_deactivates_themselves_among_others(team, superuser):
    client = signed_in(superuser)
    response = act_and_confirm(client, "deactivate_people", [*team, superuser])
    assert "There was nothing to be done for 1 person." in said(response)
    superuser.refresh_from_db()
    assert superuser.is_active


def test_too_many_at_once_are_left_as_they_are(team, monkeypatch, superuser):
    monkeypatch.setattr(many, "MOST_AT_ONCE", 2)
    client = signed_in(superuser)
    for more in ({}, {"select_across": "1"}):
        response = act_and_confirm(client, "deactivate_people", team, **more)
        assert "no more than 2 people" in said(response)[-1]
    assert untouched(team)


def test_what_was_confirmed_is_what_is_done(team, superuser):
    """Those who were named, and nobody who has come to the list since."""
    client = signed_in(superuser)
    page = act(client, "deactivate_people", team[:1], "?q=tom", select_across="1")
    assert 'name="select_across"' not in page.text
    assert "<li>" + str(team[1]) not in page.text


# Export


def test_the_file_holds_who_they_are_and_no_secret(team, superuser):
    addresses.confirm(team[0], team[0].email, None)
    token = tokens.issue_personal(team[0], name="script", now=timezone.now())
    response = act(signed_in(superuser), "export_people", team)
    assert response["Content-Disposition"].startswith("attachment; filename=")
    rows = table(response)
    assert [row["email"] for row in rows if row["email_confirmed"] == "yes"] == [team[0].email]
    assert {row["email"] for row in rows} == {person.email for person in team}
    assert not any("password" in name for name in rows[0])
    for secret in (team[0].password, token.text):
        assert not any(secret in value for row in rows for value in row.values())


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", " =", "＝", "＠"])  # noqa: RUF001
def test_no_cell_begins_a_formula(begin):
    assert exporting.harmless(f"{begin}cmd|' /C calc'!A0").startswith("'")
    assert exporting.harmless("plain=text") == "plain=text"


@pytest.mark.parametrize("between", [";", "; ", "\t", "\n", "\r\n"])
def test_no_formula_hides_behind_what_divides_cells_elsewhere(between):
    """A spreadsheet of another country divides at semicolons, and asks no quotes then."""
    name = exporting.harmless(f'x{between}=HYPERLINK("http://thief.example","y")')
    cells = [cell.strip() for cell in re.split(r"[;\t\r\n]", name)]
    assert not any(cell.startswith("=") for cell in cells)


def test_a_name_that_is_a_formula_comes_out_as_text(superuser):
    person = make_person("x")
    type(person)._default_manager.filter(pk=person.pk).update(email='=HYPERLINK("http://x","y")')
    rows = table(act(signed_in(superuser), "export_people", [person]))
    assert rows[0]["email"] == '\'=HYPERLINK("http://x","y")'


def test_all_that_the_list_is_narrowed_to_goes_along(team, superuser, monkeypatch):
    monkeypatch.setattr(exporting, "_AT_A_TIME", 2)
    client = signed_in(superuser)
    everybody = act(client, "export_people", team[:1], select_across="1")
    assert len(table(everybody)) == 4
    narrowed = act(client, "export_people", team[:1], "?locked_out=now", select_across="1")
    assert len(table(narrowed)) == 3


def test_who_exported_what_is_written_down(team, superuser):
    act(signed_in(superuser), "export_people", team[:2], "?locked_out=now")
    event = AuditEvent.objects.get(kind="people.exported")
    assert event.actor_id == superuser.pk
    assert (event.data["selected"], event.data["list"]) == (2, "locked_out=now")
    assert "password" not in event.data["columns"]


def test_who_may_not_view_people_exports_none(team):
    client = signed_in(make_staff("clerk", "view_usersession"))
    assert act(client, "export_people", team).status_code == 403
    assert not AuditEvent.objects.filter(kind="people.exported").exists()


def test_a_personal_access_token_exports_none(team, superuser):
    token = tokens.issue_personal(superuser, name="script", now=timezone.now())
    client = Client(headers={"Authorization": f"Bearer {token.text}"})
    assert act(client, "export_people", team).status_code == 403


def test_the_file_is_read_some_at_a_time(superuser, monkeypatch):
    monkeypatch.setattr(exporting, "_AT_A_TIME", 3)
    model: Any = get_user_model()
    for number in range(7):
        make_person(f"p{number}")
    response = exporting.respond(RequestFactory().get("/"), model._default_manager.all())
    with CaptureQueriesContext(connection) as queries:
        rows = table(response)
    assert len(rows) == 8
    assert len(queries) == 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.default_user_only
def test_an_event_loop_is_not_held_up_by_the_file(superuser):
    async def ask() -> str:
        client = AsyncClient()
        await client.aforce_login(superuser)
        form = {"action": "export_people", "_selected_action": [superuser.pk], "index": "0"}
        response: Any = await client.post(people_url(), form)
        assert response.is_async
        return "".join([piece.decode() async for piece in response.streaming_content])

    assert superuser.email in async_to_sync(ask)()
