"""What holds for all of authkit's pages."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.core import checks
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from authkit import sessions, tokens
from authkit.jwt.tokens import mint_pair
from authkit.models import AuditEvent, BearerToken, Role, UserSession
from authkit.testing import client_for
from tests.admin.pages import MODELS, act, press, signed_in, url
from tests.people import make_person

pytestmark = pytest.mark.django_db

FORBIDDEN = {"add": 403, "delete": 403, "change": 403}


@pytest.fixture
def lived_in(person) -> dict[str, str]:
    """Ada has signed in by every way. The secrets of that, by name."""
    browser = client_for(person, "session")
    now = timezone.now()
    by_token = sessions.start(person, "token", now=now)
    by_jwt = sessions.start(person, "jwt", now=now)
    pair = mint_pair(by_jwt, person)
    opaque = tokens.issue_for(by_token, now=now)
    personal = tokens.issue_personal(person, name="backup", scopes=["api.*:read"], now=now)
    cookie = UserSession.objects.get(user=person, kind="session")
    return {
        "session key": str(browser.session.session_key),
        "cookie digest": str(cookie.cookie_digest),
        "credential digest": cookie.credential_digest,
        "password hash": person.password,
        "access token": pair.access,
        "refresh token": pair.refresh,
        "token": opaque.text,
        "token's digest": opaque.digest.hex(),
        "personal access token": personal.text,
        "its digest": personal.digest.hex(),
    }


def pages_of(model: Any) -> list[str]:
    rows = model.objects.all()
    lists = [url(model, "changelist"), url(model, "changelist") + "?q=ada"]
    return lists + [url(model, page, row.pk) for row in rows for page in ("change", "history")]


def every_page() -> list[str]:
    person = get_user_model().objects.get(email="ada@example.com")
    return [
        reverse("admin:index"),
        reverse("admin:app_list", args=["authkit"]),
        url(BearerToken, "add"),
        url(get_user_model(), "delete", person.pk),
        *(page for model in MODELS for page in pages_of(model)),
    ]


def test_every_page_opens_and_shows_no_secret(superuser, lived_in):
    client = signed_in(superuser)
    for page in every_page():
        response = client.get(page)
        assert response.status_code == 200, page
        for name, secret in lived_in.items():
            assert secret not in response.text, (name, page)


def test_nothing_that_is_written_down_holds_a_secret(superuser, lived_in):
    client = signed_in(superuser)
    for row in UserSession.objects.exclude(user=superuser):
        press(client, row, "end_sessions")
    act(client, BearerToken, "revoke_tokens", list(BearerToken.objects.all()))
    written = [
        *LogEntry.objects.values_list("object_repr", flat=True),
        *LogEntry.objects.values_list("change_message", flat=True),
        *(str(list(event.items())) for event in AuditEvent.objects.values()),
        *(str(row) + repr(row) for model in MODELS for row in model.objects.all()),
    ]
    assert LogEntry.objects.count() >= 3
    for name, secret in lived_in.items():
        assert not any(secret in text for text in written), name


def test_no_page_has_script_or_style_in_it(superuser, lived_in):
    client = signed_in(superuser)
    for page in every_page():
        text = re.sub(
            r"<script[^>]* src=|<script[^>]* type=\"application/json\"", "", client.get(page).text
        )
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", text), page


@pytest.mark.parametrize("column", ["digest", "credential_digest"])
def test_a_hidden_column_of_a_token_cannot_be_found_out_by_a_url(superuser, lived_in, column):
    client = signed_in(superuser)
    for query in (f"{column}__startswith=0", f"_popup=1&_to_field={column}"):
        assert client.get(url(BearerToken, "changelist") + f"?{query}").status_code == 400, query


@pytest.mark.parametrize(
    "query",
    [
        "cookie_digest__startswith=0",
        "credential_digest__gt=0",
        "_popup=1&_to_field=cookie_digest",
        "user__password__startswith=argon2",
        "tokens__digest__startswith=0",
    ],
)
def test_a_hidden_column_of_a_session_cannot_be_found_out_by_a_url(superuser, lived_in, query):
    client = signed_in(superuser)
    assert client.get(url(UserSession, "changelist") + f"?{query}").status_code == 400


@pytest.mark.parametrize("model", MODELS)
def test_rows_are_neither_changed_nor_deleted_by_superusers_either(superuser, lived_in, model):
    client = signed_in(superuser)
    row = model.objects.order_by("pk").last()
    before = model.objects.filter(pk=row.pk).values().get()
    assert client.post(url(model, "change", row.pk), {"name": "x", "kind": "x"}).status_code == 403
    assert client.get(url(model, "delete", row.pk)).status_code == 403
    assert client.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    act(client, model, "delete_selected", [row], post="yes")
    assert model.objects.filter(pk=row.pk).values().get() == before


@pytest.mark.parametrize("model", [UserSession, AuditEvent])
def test_what_did_not_happen_cannot_be_added(superuser, model):
    client = signed_in(superuser)
    assert client.get(url(model, "add")).status_code == 403
    assert client.post(url(model, "add"), {}).status_code == 403


def test_a_person_who_has_signed_in_can_be_deleted_with_all_of_it(superuser, person, lived_in):
    client = signed_in(superuser)
    response = client.post(url(get_user_model(), "delete", person.pk), {"post": "yes"})
    assert response.status_code == 302
    assert not get_user_model().objects.filter(pk=person.pk).exists()
    assert not UserSession.objects.filter(user_id=person.pk).exists()
    assert AuditEvent.objects.filter(kind="account.deleted").exists()


@pytest.mark.parametrize("model", MODELS)
def test_staff_without_permissions_see_nothing(lived_in, model):
    client = signed_in(make_person("clerk", is_staff=True))
    row = model.objects.first()
    assert client.get(url(model, "changelist")).status_code == 403
    assert client.get(url(model, "change", row.pk)).status_code == 403
    assert url(model, "changelist") not in client.get(reverse("admin:index")).text


def test_a_personal_access_token_is_no_way_into_these_pages(superuser):
    token = tokens.issue_personal(superuser, name="script", now=timezone.now())
    client = Client(headers={"Authorization": f"Bearer {token.text}"})
    for model in MODELS:
        assert client.get(url(model, "changelist")).status_code == 403
    form = {"user": superuser.get_username(), "name": "another", "scopes": ""}
    assert client.post(url(BearerToken, "add"), form).status_code == 403
    assert press(client, BearerToken.objects.get(), "revoke_tokens").status_code == 403
    assert BearerToken.objects.count() == 1


@pytest.mark.parametrize("model", MODELS)
def test_a_list_costs_the_same_number_of_queries_however_long_it_is(superuser, model):
    client = signed_in(superuser)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url(model, "changelist")).status_code == 200
        return len(queries)

    def add(number: int) -> None:
        for place in range(number):
            somebody = make_person(f"p{AuditEvent.objects.count()}-{place}")
            session = sessions.start(somebody, "token", now=timezone.now())
            tokens.issue_for(session, now=timezone.now())
            sessions.end([session.pk], reason="signed_out", now=timezone.now())

    add(2)
    few = cost()
    add(10)
    assert cost() == few


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "query",
    [
        "state=live",
        "state=ended",
        "state=expired",
        "state=x",
        "kind=session",
        "kind=personal",
        "o=1.2.3",
        "p=9999",
        "q=%00",
        "all=",
        "nonsense=1",
        "actor__exact=x",
        "session_id__exact=x",
        "at__gte=x",
        "_facets=True",
    ],
)
def test_lists_survive_any_query(superuser, lived_in, model, query):
    response = signed_in(superuser).get(url(model, "changelist") + f"?{query}", follow=True)
    assert response.status_code == 200


def test_the_page_of_a_role_costs_the_same_queries_however_many_permissions_there_are(
    superuser, django_assert_max_num_queries
):
    role = Role.objects.create(slug="clerk", name="Clerk")
    client = signed_in(superuser)
    for address in (url(Role, "change", role.pk), url(Role, "add")):
        with django_assert_max_num_queries(15):
            assert client.get(address).status_code == 200


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("key", ["x", "0", "00000000-0000-0000-0000-000000000000", "9" * 40, "_5F"])
def test_pages_of_what_does_not_exist_lead_elsewhere(superuser, model, key):
    response = signed_in(superuser).get(url(model, "change", key))
    assert response.status_code == 302


def test_actions_on_made_up_rows_are_refused(superuser):
    client = signed_in(superuser)
    form = {"action": "end_sessions", "_selected_action": ["x", "\x00", "9" * 40], "index": 0}
    assert client.post(url(UserSession, "changelist"), form).status_code == 400


def test_the_pages_can_be_subclassed(superuser):
    for model in MODELS:
        kind = type(admin.site.get_model_admin(model))
        own = type(f"Own{kind.__name__}", (kind,), {"list_per_page": 5})
        site = admin.AdminSite("own")
        site.register(model, own)
        assert checks.run_checks() == []
        assert site.get_model_admin(model).list_per_page == 5


def test_the_history_of_a_session_says_who_ended_it(superuser, person):
    session = sessions.start(person, "token", now=timezone.now() - timedelta(hours=1))
    client = signed_in(superuser)
    press(client, session, "end_sessions")
    assert "Ended." in client.get(url(UserSession, "history", session.pk)).text
