"""The page of a person: what it shows, to whom, and what it costs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from authkit import audit, sessions, tokens
from authkit.admin.people.acts import ACTS
from authkit.kernel.client import Client as Device
from authkit.models import Assignment, AuditEvent, Role, SocialAccount, Throttle
from tests.access.writing import give, role
from tests.admin.pages import grant, make_staff, signed_in
from tests.admin.people_pages import URLS, make_carer, people_url
from tests.people import make_person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(URLS)]

PANELS = ("roles-by-groups", "sessions", "tokens", "lock-outs", "events")


def live_long(person: Any, rows: int) -> None:
    """Add so many of everything that a page could show."""
    now = timezone.now()
    have = AuditEvent.objects.count()
    for place in range(rows):
        device = Device(ip=f"192.0.2.{place}", user_agent="curl/8")
        sessions.start(person, "jwt", now=now, client=device)
        tokens.issue_personal(person, name=f"script {have}-{place}", now=now)
        group = Group.objects.create(name=f"group {have}-{place}")
        person.groups.add(group)
        Assignment.objects.create(group=group, role=role(f"g{have}-{place}"))
        give(person, Role.objects.get(slug=f"g{have}-{place}"))
        for scope in ("person_from_address", "person"):
            Throttle.objects.create(
                digest=f"{scope}{have}{place}",
                scope=scope,
                user_id=person.pk,
                failed=5,
                since=now,
                locked_at=now,
                ends_at=now + timedelta(hours=1),
            )
        SocialAccount.objects.create(
            digest=f"{have}{place}",
            user_id=person.pk,
            provider="hub",
            issuer="https://hub.example",
            subject=str(place),
            display_name=f"there {have}-{place}",
            created_at=now,
            last_used_at=now,
        )


def page_of(person: Any, client: Client) -> str:
    response = client.get(people_url("change", person.pk))
    assert response.status_code == 200
    text: str = response.text
    return text


def test_all_that_is_a_persons_is_on_their_page(superuser):
    uma = make_person("uma")
    live_long(uma, 2)
    page = page_of(uma, signed_in(superuser))
    for panel in PANELS:
        assert f'id="ak-{panel}"' in page
        assert f'href="#ak-{panel}"' in page
    for text in ("192.0.2.1", "script", "group ", "locked out", "login.succeeded", "live sessions"):
        assert text in page
    for act in ACTS:
        assert f"/act/{act.slug}/" in page


def test_the_newest_come_first_and_no_more_than_a_few(superuser):
    uma = make_person("uma")
    live_long(uma, 12)
    page = page_of(uma, signed_in(superuser))
    for panel in ("sessions", "tokens", "lock-outs", "events"):
        section = page.split(f'id="ak-{panel}"')[1].split("</section>")[0]
        assert section.count("<tr>") == 1 + 10, panel
    assert "live sessions: 12" in page
    assert f"user__exact={uma.pk}" in page
    assert f"subject__exact={uma.pk}" in page
    assert f"actor__exact={uma.pk}" in page


def test_it_costs_the_same_however_much_there_is(superuser):
    uma, client = make_person("uma"), signed_in(superuser)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            page_of(uma, client)
        return len(queries)

    live_long(uma, 1)
    cost()
    few = cost()
    own = Assignment.objects.filter(user_id=uma.pk)
    live_long(uma, 15)
    own.delete()  # the form asks for each role that can be changed, and there are few of those
    cost()  # the rules are compiled anew
    many = cost()
    assert many <= few
    assert few < 60


def test_the_ways_to_all_of_it_lead_somewhere(superuser):
    uma = make_person("uma")
    live_long(uma, 11)
    client = signed_in(superuser)
    panels = page_of(uma, client).split('class="ak-panels"')[1]
    addresses = {part.split('"')[0] for part in panels.split('href="')[1:]}
    assert len(addresses) > 40
    for address in sorted(addresses):
        assert client.get(address.replace("&amp;", "&")).status_code == 200, address


def test_events_of_namesakes_are_not_theirs(superuser):
    uma = make_person("uma")
    audit.record("access.rule_changed", subject=uma.pk)
    audit.record("access.person_flags_changed", subject=uma.pk)
    page = page_of(uma, signed_in(superuser))
    assert "access.rule_changed" not in page
    assert "access.person_flags_changed" in page


def test_a_panel_is_for_those_who_may_see_what_is_in_it():
    uma = make_person("uma")
    live_long(uma, 1)
    opts: Any = get_user_model()._meta
    clerk = make_staff("clerk", "view_usersession")
    grant(clerk, "view_user", app_label=opts.app_label)
    page = page_of(uma, signed_in(clerk))
    shown = [panel for panel in (*PANELS, "linked-accounts") if f'id="ak-{panel}"' in page]
    assert shown == ["sessions"]


def test_linked_accounts_are_shown_where_there_is_social_login(superuser):
    uma = make_person("uma")
    live_long(uma, 1)
    has_social = admin.site.is_registered(SocialAccount)  # with the extra [social]
    page = page_of(uma, signed_in(superuser))
    assert ('id="ak-linked-accounts"' in page) is has_social


def test_where_there_is_none_they_are_not(superuser, monkeypatch):
    uma, client = make_person("uma"), signed_in(superuser)
    site = next(site for site in admin.sites.all_sites if site.name == "own")
    monkeypatch.delitem(site._registry, SocialAccount, raising=False)
    assert 'id="ak-linked-accounts"' not in page_of(uma, client)


def test_it_shows_no_secret_and_has_no_script_in_it(superuser):
    uma = make_person("uma")
    token = tokens.issue_personal(uma, name="script", now=timezone.now())
    page = page_of(uma, signed_in(superuser))
    for secret in (token.text, token.digest.hex(), uma.password):
        assert secret not in page
    for panel in ('class="ak-person"', 'class="ak-panels"'):
        part = page.split(panel)[1].split("</form>")[0]
        assert "<script" not in part
        assert "style=" not in part


@pytest.mark.parametrize("site", ["own", "departments"])  # Django's form, and a project's own
def test_no_page_that_is_read_only_shows_the_hash_of_a_password(site, superuser, monkeypatch):
    clerk = make_staff("clerk", "view_role")
    opts: Any = get_user_model()._meta
    grant(clerk, "view_user", app_label=opts.app_label)
    uma, carer = make_person("uma"), make_carer()
    where = f"admin:{opts.app_label}_{opts.model_name}_change"
    sites = {each.name: each for each in admin.sites.all_sites}
    for seen, visitor in ((uma, clerk), (superuser, carer), (uma, superuser)):
        if seen.pk == uma.pk and visitor is superuser:
            page = sites[site].get_model_admin(get_user_model())
            monkeypatch.setattr(page, "readonly_fields", ("password",))
        answer = signed_in(visitor).get(reverse(where, args=[seen.pk], current_app=site))
        assert answer.status_code == 200
        assert "password" in answer.text
        assert seen.password not in answer.text
        assert seen.password.rpartition("$")[2] not in answer.text


def test_the_hash_of_a_password_is_not_a_field_to_fill_in(superuser):
    uma = make_person("uma")
    form: dict[str, Any] = {"email": uma.email, "password": "md5$x$y", "is_active": "on"}
    form |= {"authkit_assignments-TOTAL_FORMS": 0, "authkit_assignments-INITIAL_FORMS": 0}
    signed_in(superuser).post(people_url("change", uma.pk), form)
    was = uma.password
    uma.refresh_from_db()
    assert uma.password == was


def test_the_page_of_somebody_who_holds_more_has_no_buttons(superuser):
    page = page_of(superuser, signed_in(make_carer()))
    assert 'class="ak-acts"' not in page
    assert 'name="_save"' not in page


def test_a_new_person_has_no_panels(superuser):
    response = signed_in(superuser).get(people_url("add"))
    assert response.status_code == 200
    assert "ak-panel" not in response.text


def test_the_stand_in_is_on_the_usual_site_as_well(superuser):
    model: Any = get_user_model()
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
    page = signed_in(superuser).get(reverse(name, args=[superuser.pk]))
    is_stock = type(admin.site.get_model_admin(model)).__name__ == "AuthkitUserAdmin"
    assert ('class="ak-acts"' in page.text) is is_stock


def test_the_facts_tell_nothing_that_the_visitor_may_not_view():
    uma = make_person("uma")
    live_long(uma, 2)
    clerk, opts = make_staff("clerk", "view_role"), get_user_model()._meta
    grant(clerk, "view_user", app_label=opts.app_label)
    page = page_of(uma, signed_in(clerk))
    assert "active" in page
    for text in ("locked out", "live sessions", "192.0.2.1"):
        assert text not in page
