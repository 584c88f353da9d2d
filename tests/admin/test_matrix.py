"""The matrix in the admin site, without a browser."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.db.models import signals
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from authkit import tokens
from authkit.access import can, loading
from authkit.exceptions import NotPermitted
from authkit.models import Assignment, Endpoint, Role, Rule
from tests.admin.access_world import (
    URLS,
    edit,
    matrix_url,
    register_conditions,
    review_all,
    role,
    rule,
    rules,
)
from tests.admin.pages import grant, make_staff, signed_in
from tests.people import make_person

pytestmark = pytest.mark.django_db

EDITOR = ("view_rule", "add_rule", "change_rule", "delete_rule")
READ = "api.person:read"


@pytest.fixture(autouse=True)
def _world(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = URLS
    register_conditions(monkeypatch)
    role("clerk", "allow api.*:list", f"allow {READ}")
    role("guest")
    review_all()


@pytest.fixture
def client(superuser: Any) -> Client:
    return signed_in(superuser)


def number() -> int:
    return loading.revision_in("default").policy


def preview(client: Client, *edits: str, **more: object) -> Any:
    return client.post(matrix_url(), {"edit": edits, "_preview": "1", **more})


def save(client: Client, *edits: str, **more: object) -> Any:
    form = {"edit": edits, "_save": "1", "policy_number": number(), **more}
    return client.post(matrix_url(), form)


def text_of(response: Any) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", response.text))


def label_of(response: Any, slug: str, key: str, words: str) -> str:
    """What a cell says to those who do not see it."""
    columns = re.findall(r'data-role="([^"]+)"', response.text)
    where = f'data-key="{re.escape(key)}" data-words="{re.escape(words)}"'
    row = re.search(rf'<tr class="ak-row[^>]*{where}.*?</tr>', response.text, re.DOTALL)
    assert row is not None
    labels = re.findall(r'<td[^>]*><button[^>]*aria-label="([^"]*)"', row.group())
    return html.unescape(labels[columns.index(slug)])


def below(client: Client, key: str) -> Any:
    """The page with the rows of an endpoint in place, as the script puts them there."""
    page, rows = client.get(matrix_url()), client.get(matrix_url(rows=key))
    assert rows.status_code == 200
    page.content = page.content + rows.content
    return page


# ---- looking ----


def test_the_site_names_it_beside_the_models(client):
    for page in (reverse("admin:index"), reverse("admin:app_list", args=["authkit"])):
        assert f'href="{matrix_url()}"' in client.get(page).text


def test_cells_say_what_is_effective_and_whence(client):
    role("chief", includes=[Role.objects.get(slug="clerk")])
    page = below(client, "api.person")
    assert label_of(page, "clerk", "api.person", "read") == "allowed; by a rule of this cell"
    assert "through Clerk" in label_of(page, "chief", "api.person", "read")
    assert label_of(page, "clerk", "api.person", "list").startswith("allowed; by api.*:list")
    assert label_of(page, "guest", "api.person", "read") == "not allowed"
    assert label_of(page, "clerk", "api.person", "*").startswith("partly; read: allowed")


def test_conditions_are_called_by_their_names_for_people(client):
    rule(Role.objects.get(slug="guest"), f"allow {READ} when themselves")
    page = below(client, "api.person")
    label = label_of(page, "guest", "api.person", "read")
    assert label.startswith("allowed if it is their own account")


def test_an_endpoint_that_nobody_has_looked_at_says_so(client):
    Endpoint.objects.filter(key="api.person").update(state="new")
    rule(Role.objects.get(slug="guest"), "allow api.*:create")
    page = below(client, "api.person")
    assert "not looked at yet" in page.text
    assert "once somebody has looked" in label_of(page, "guest", "api.person", "create")


def test_a_default_that_was_switched_off_is_still_shown(client):
    rule(
        Role.objects.get(slug="guest"),
        f"allow {READ}",
        source="code",
        default="api.person:read",
        is_enabled=False,
    )
    assert "switched off: allow" in label_of(
        below(client, "api.person"), "guest", "api.person", "read"
    )


def test_a_search_works_without_javascript(client):
    page = client.get(matrix_url(q="PERSON"))
    assert 'data-key="api.person"' in page.text
    assert 'data-key="plain"' not in page.text


def test_a_vanished_endpoint_is_shown_where_a_rule_names_it(client):
    for key in ("old.ruled", "old.forgotten"):
        Endpoint.objects.create(key=key, state="missing", found_at=timezone.now())
    rule(Role.objects.get(slug="guest"), "allow old.ruled:read")
    page = client.get(matrix_url())
    assert 'data-key="old.ruled"' in page.text
    assert "old.forgotten" not in page.text
    assert save(client, edit("guest", "old.ruled:read")).status_code == 302
    assert "guest: allow old.ruled:read" not in rules()


def test_nothing_of_the_page_is_script_or_style_that_stands_in_it(client):
    pages = [
        client.get(matrix_url()),
        client.get(matrix_url(rows="api.person")),
        client.get(matrix_url(endpoint="api.person")),
        preview(client, edit("guest", READ, "allow")),
    ]
    for page in pages:
        text = re.sub(r"<script[^>]* (src=|type=\"application/json\")", "", page.text)
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", text)


def test_names_are_shown_as_text_and_never_as_markup(client):
    Role.objects.create(slug="evil", name="<img src=x onerror=alert(1)>")
    rule(Role.objects.get(slug="evil"), "allow api.person:read when <b>")
    for page in (client.get(matrix_url()), client.get(matrix_url(rows="api.person"))):
        assert "<img" not in page.text
        assert "<b>" not in page.text.rpartition('id="ak-grid"')[2]


@pytest.mark.parametrize(
    "query", [{"rows": "no.such"}, {"endpoint": "no.such"}, {"rows": ""}, {"endpoint": "\x00"}]
)
def test_an_endpoint_that_is_none_is_not_found(client, query):
    assert client.get(matrix_url(**query)).status_code == 404


@pytest.mark.parametrize("asked", ["0", "-1", "x", "9" * 50, "٣", "1.5", ""])
def test_odd_pages_of_roles_are_the_nearest_there_is(client, asked):
    assert client.get(matrix_url(roles=asked)).status_code == 200


def test_many_roles_come_on_pages(client):
    Role.objects.bulk_create(Role(slug=f"r{n:03}", name=f"R{n:03}") for n in range(90))
    first, last = client.get(matrix_url()), client.get(matrix_url(roles="3"))
    assert "R001" in first.text
    assert "R089" not in first.text
    assert "R089" in last.text


def test_rules_that_cannot_be_read_are_told_and_not_an_error(client):
    Rule.objects.filter(role__slug="clerk").update(endpoints="no pattern!")
    response = client.get(matrix_url())
    assert response.status_code == 503
    assert "no pattern!" in text_of(response)
    assert save(client, edit("guest", READ, "allow")).status_code == 503


# ---- without JavaScript ----


def test_one_endpoint_can_be_edited_by_lists(client):
    page = client.get(matrix_url(endpoint="api.person"))
    values = [html.unescape(v) for v in re.findall(r'<option value="([^"]+)"', page.text)]
    wanted = json.dumps(["guest", "api.person", "read", [["allow", "themselves"]]])
    assert wanted in values
    response = client.post(matrix_url(), {"edit": ["", wanted, ""], "_preview": "1"})
    assert "Guest" in text_of(response)
    assert "new rule: allow if it is their own account" in text_of(response)


# ---- preview ----


def test_a_preview_tells_who_gains_and_who_loses_and_changes_nothing(client):
    people: list[Any] = [make_person(f"p{n}") for n in range(7)]
    for person in people:
        Assignment.objects.create(user=person, role=Role.objects.get(slug="guest"))
    before = rules(), number()
    response = preview(client, edit("guest", READ, "allow"), edit("clerk", READ))
    text = " ".join(text_of(response).split())
    assert "Guest 7 people: " in text
    assert str(people[0]) in text
    assert "and 2 more" in text
    assert "gains api.person: list" in text.replace("+ ", "")
    assert "rule removed: allow" in text
    assert "loses api.person: " in text
    assert (rules(), number()) == before


def test_a_preview_of_what_everybody_may_says_that_strangers_are_among_them(client):
    assert "strangers included" in text_of(preview(client, edit("anyone", READ, "allow")))


def test_a_built_in_role_can_be_edited_before_anybody_has_stored_it(client):
    Role.objects.filter(slug="anyone").delete()
    assert save(client, edit("anyone", READ, "allow")).status_code == 302
    assert "anyone: allow api.person:read" in rules()


def test_holders_of_a_role_that_includes_it_are_told_too(client):
    role("chief", includes=[Role.objects.get(slug="guest")])
    assert "Chief" in text_of(preview(client, edit("guest", READ, "allow")))


def test_a_change_that_changes_nothing_offers_no_save(client):
    response = preview(client, edit("clerk", READ, "allow"))
    assert "This would change no rule." in text_of(response)
    assert 'name="_save"' not in response.text


def test_a_preview_tells_when_access_has_changed_since_the_page_was_made(client):
    seen = number()
    rule(Role.objects.get(slug="guest"), "allow plain:read")
    response = preview(client, edit("guest", READ, "allow"), seen=seen)
    assert "meanwhile" in text_of(response)


def test_the_way_back_keeps_what_was_changed(client):
    response = client.post(matrix_url(), {"edit": [edit("guest", READ, "deny")], "_edit": "1"})
    found = re.search(r'<script id="ak-pending"[^>]*>(.*?)</script>', response.text)
    assert found is not None
    assert json.loads(found.group(1)) == [["guest", "api.person", "read", [["deny", None]]]]


# ---- saving ----


def test_all_edits_are_saved_as_one(client, person):
    Assignment.objects.create(user=person, role=Role.objects.get(slug="guest"))
    response = save(
        client,
        edit("guest", READ, "allow"),
        edit("guest", "api.person:delete", "allow when themselves", "deny when grouped"),
        edit("clerk", READ),
    )
    assert (response.status_code, response.url) == (302, matrix_url())
    assert rules() == {
        "clerk: allow api.*:list",
        "guest: allow api.person:read",
        "guest: allow api.person:delete when themselves",
        "guest: deny api.person:delete when grouped",
    }
    assert can(person, "api.person:list")
    assert LogEntry.objects.count() == 2


def test_rules_that_a_cell_does_not_show_stay(client):
    clerk = Role.objects.get(slug="clerk")
    others = [
        "allow *:*",
        "deny api.person:update,delete",
        "allow api.person:list when grouped",
        "deny *.person:read when themselves",
    ]
    for text in others:
        rule(clerk, text)
    save(client, edit("clerk", READ, "deny"))
    assert rules() == {
        "clerk: allow api.*:list",
        "clerk: deny api.person:read",
        *(f"clerk: {text}" for text in others),
    }


def test_a_default_of_code_keeps_what_code_declared(client):
    guest = Role.objects.get(slug="guest")
    made = rule(guest, f"allow {READ}", source="code", default="api.person:read")
    save(client, edit("guest", READ, "allow when themselves"))
    made.refresh_from_db()
    assert (made.source, made.default, made.condition) == ("admin", "api.person:read", "themselves")
    save(client, edit("guest", READ))
    made.refresh_from_db()
    assert (made.is_enabled, made.default) == (False, "api.person:read")
    save(client, edit("guest", READ, "allow when themselves"))
    made.refresh_from_db()
    assert made.is_enabled
    assert Rule.objects.filter(role=guest).count() == 1


def test_what_somebody_else_changed_meanwhile_is_not_run_over(client):
    seen = number()
    rule(Role.objects.get(slug="guest"), "deny plain:read")
    response = save(client, edit("guest", READ, "allow"), policy_number=seen)
    assert response.status_code == 409
    assert "meanwhile" in text_of(response)
    assert "guest: allow api.person:read" not in rules()
    kept = re.search(r'name="edit" value="([^"]+)"', response.text)
    again = re.search(r'name="policy_number" value="(\d+)"', response.text)
    assert kept is not None
    assert again is not None
    save(client, html.unescape(kept.group(1)), policy_number=again.group(1))
    assert "guest: allow api.person:read" in rules()


@pytest.mark.parametrize("forged", ["", "x", "-1", "9" * 40, "1e3"])
def test_a_save_without_a_preview_is_no_save(client, forged):
    assert save(client, edit("guest", READ, "allow"), policy_number=forged).status_code == 409
    assert "guest: allow api.person:read" not in rules()


def test_what_a_guard_refuses_is_told_and_nothing_is_saved(client):
    def guard(instance: Rule, **_: object) -> None:
        if instance.endpoints == "plain":
            raise NotPermitted

    before = rules()
    signals.pre_save.connect(guard, sender=Rule)
    try:
        response = save(client, edit("guest", READ, "allow"), edit("guest", "plain:read", "allow"))
    finally:
        signals.pre_save.disconnect(guard, sender=Rule)
    assert response.status_code == 403
    assert "Nothing was saved. You may not do this." in text_of(response)
    assert rules() == before
    assert LogEntry.objects.count() == 0


# ---- forged ----


@pytest.mark.parametrize(
    "forged",
    [
        edit("nobody", READ, "allow"),
        edit("guest", "no.such:read", "allow"),
        edit("guest", "api.person:fly", "allow"),
        edit("guest", "api.person:read", "allow when unheard-of"),
    ],
)
def test_an_edit_of_what_is_not_there_spoils_the_whole_save(client, forged):
    before = rules()
    response = save(client, edit("guest", "plain:read", "allow"), forged)
    assert response.status_code == 409
    assert rules() == before
    assert "plain: read" in text_of(response)


@pytest.mark.parametrize(
    "forged",
    [
        "{",
        '["guest","api.*","read",[["allow",null]]]',
        '["guest","api.person","read",[["allow",5]]]',
        '["guest","api.person","<script>",[]]',
        '["guest","api.person","read"]',
        "\x00",
    ],
)
def test_what_is_no_edit_is_a_bad_request(client, forged):
    before = rules()
    assert save(client, forged).status_code == 400
    assert preview(client, forged).status_code == 400
    assert rules() == before


def test_a_cell_that_code_fixes_cannot_be_edited(client, settings):
    settings.ROOT_URLCONF = "tests.admin.urls_of_matrix"
    review_all()
    page = below(client, "fixed")
    assert "open to all" in label_of(page, "guest", "fixed", "*")
    for access in ("fixed:*", "shut:*"):
        response = save(client, edit("guest", access, "allow"))
        assert response.status_code == 409
        assert "is fixed by code" in text_of(response)
    assert not any("fixed" in text or "shut" in text for text in rules())


# ---- who may ----


def test_staff_without_the_permission_see_nothing():
    client = signed_in(make_person("sue", is_staff=True))
    assert client.get(matrix_url()).status_code == 403
    assert matrix_url() not in client.get(reverse("admin:index")).text


@pytest.mark.parametrize("left_out", EDITOR)
def test_all_four_permissions_are_needed_to_edit(left_out):
    staff = make_staff("sue", *(name for name in EDITOR if name != left_out))
    client = signed_in(staff)
    before = rules()
    for button in ("_preview", "_save", "_edit"):
        form = {"edit": [edit("guest", READ, "allow")], button: "1", "policy_number": number()}
        assert client.post(matrix_url(), form).status_code == 403
    assert rules() == before


def test_who_may_only_look_gets_no_form():
    client = signed_in(make_staff("sue", "view_rule"))
    assert client.get(matrix_url()).status_code == 200
    assert 'id="ak-form"' not in client.get(matrix_url()).text
    assert "<select" not in client.get(matrix_url(endpoint="api.person")).text


def test_an_editor_who_is_no_superuser_may_edit(superuser):
    staff = make_staff("sue", *EDITOR)
    grant(staff, "view_role")
    response = preview(signed_in(staff), edit("guest", READ))
    assert response.status_code == 200


def test_a_stranger_is_sent_to_sign_in():
    assert Client().get(matrix_url()).status_code == 302
    assert Client().post(matrix_url(), {"_save": "1"}).status_code == 302


def test_a_personal_access_token_never_opens_it(superuser):
    token = tokens.issue_personal(superuser, name="script", now=timezone.now())
    client = Client(headers={"Authorization": f"Bearer {token.text}"})
    assert client.get(matrix_url()).status_code == 403
    assert save(client, edit("guest", READ, "allow")).status_code == 403
    assert "guest: allow api.person:read" not in rules()


def test_a_form_of_another_site_is_refused(superuser):
    client = Client(enforce_csrf_checks=True)
    client.force_login(superuser)
    assert save(client, edit("guest", READ, "allow")).status_code == 403
    assert "guest: allow api.person:read" not in rules()


# ---- cost ----


def test_queries_do_not_grow_with_the_cells(client, settings):
    settings.AUTHKIT = {"MAX_STALENESS": timedelta(0)}  # each request looks, not one a second

    def cost(*edits: str) -> tuple[int, int]:
        with CaptureQueriesContext(connection) as looking:
            assert client.get(matrix_url()).status_code == 200
        with CaptureQueriesContext(connection) as previewing:
            assert preview(client, *edits).status_code == 200
        return len(looking), len(previewing)

    cost(edit("guest", READ, "allow"))  # fills what a process remembers
    few = cost(edit("guest", READ, "allow"))
    for n in range(20):
        role(f"r{n}", f"allow {READ}", "allow plain:read", "deny api.*:delete")
    accesses = [READ, "plain:read", "plain:*", "api.person:create", "api.person:delete"]
    cost()
    assert cost(*(edit("guest", access, "allow") for access in accesses)) == few
