"""The list of people: found, narrowed, counted no further than need be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authkit import audit, sessions, tokens
from authkit.accounts import addresses
from authkit.admin.people import beyond, listing, searching
from authkit.models import Assignment, AuditEvent, SignInName, SocialAccount, Throttle
from tests.access.writing import give, role
from tests.admin.pages import grant, make_staff, signed_in
from tests.admin.people_pages import URLS, people_url
from tests.admin.urls_of_people import own
from tests.people import make_person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(URLS)]


@pytest.fixture
def few(monkeypatch):
    """Three are many already."""
    monkeypatch.setattr(searching, "MANY", 3)
    monkeypatch.setattr(listing, "MANY", 3)


@pytest.fixture
def by_twos(few, monkeypatch):
    """And a page shows two."""
    monkeypatch.setattr(own.get_model_admin(get_user_model()), "list_per_page", 2)


def found(client: Any, **query: str) -> list[str]:
    """Whom the list shows, by the part of their address before the @."""
    response = client.get(people_url(), query)
    assert response.status_code == 200, response.status_code
    return sorted(person.email.partition("@")[0] for person in response.context["cl"].result_list)


def ago(person: Any, days: int) -> None:
    before = timezone.now() - timedelta(days=days)
    type(person)._default_manager.filter(pk=person.pk).update(last_login=before)


# Filters


def test_by_the_last_sign_in(superuser):
    client = signed_in(superuser)
    for name, days in (("new", None), ("old", 100), ("busy", 100), ("script", 100), ("late", 10)):
        person = make_person(name)
        if days is not None:
            ago(person, days)
    now = timezone.now()
    busy = get_user_model()._default_manager.get(email="busy@example.com")
    sessions.start(busy, "jwt", now=now)  # a sign-in that has been in use since
    script = get_user_model()._default_manager.get(email="script@example.com")
    tokens.issue_personal(script, name="nightly", now=now)
    script.authkit_tokens.update(last_used_at=now)
    assert found(client, signed_in="never") == ["new"]
    assert found(client, signed_in="long_ago") == ["old"]
    assert found(client, signed_in="lately") == ["late", "root"]


def test_by_lock_out(superuser):
    make_person("free")
    now = timezone.now()
    for name, ends_in in (("locked", 60), ("over", -60)):
        person = make_person(name)
        Throttle.objects.create(
            digest=name,
            scope="person",
            user_id=person.pk,
            failed=9,
            since=now,
            locked_at=now,
            ends_at=now + timedelta(seconds=ends_in),
        )
    assert found(signed_in(superuser), locked_out="now") == ["locked"]


def test_by_confirmed_address(superuser):
    proved = make_person("proved")
    addresses.confirm(proved, proved.email, None)
    unknown = make_person("past-the-model")
    SignInName.objects.filter(user_id=unknown.pk).delete()
    client = signed_in(superuser)
    assert found(client, address="confirmed") == ["proved"]
    assert found(client, address="unconfirmed") == ["past-the-model", "root"]


def test_by_role_however_they_came_by_it(superuser):
    now = timezone.now()
    editor = role("editor")
    chief = role("chief")
    chief.includes.add(editor)
    give(make_person("by-itself"), editor)
    give(make_person("by-another"), chief)
    group = Group.objects.create(name="desk")
    make_person("by-group").groups.add(group)
    Assignment.objects.create(role=editor, group=group)
    for name, span in (
        ("over", {"ends_at": now - timedelta(days=1)}),
        ("to-come", {"starts_at": now + timedelta(days=1)}),
    ):
        give(make_person(name), editor)
        Assignment.objects.filter(user__email__startswith=name).update(**span)
    client = signed_in(superuser)
    assert found(client, role="editor") == ["by-another", "by-group", "by-itself"]
    assert found(client, role="chief") == ["by-another"]
    assert found(client, role="staff") == ["root"]
    assert found(client, role="nonsense") == []


def test_by_provider_where_there_is_social_login(superuser):
    now = timezone.now()
    for name in ("hub", "goo"):
        person = make_person(name)
        SocialAccount.objects.create(
            digest=name, user_id=person.pk, provider=name, created_at=now, last_used_at=now
        )
    client = signed_in(superuser)
    has_social = admin.site.is_registered(SocialAccount)
    assert (found(client, provider="hub") == ["hub"]) is has_social
    assert ("provider=goo" in client.get(people_url()).text) is has_social


def test_by_group_and_flag(superuser):
    group = Group.objects.create(name="desk")
    make_person("member").groups.add(group)
    client = signed_in(superuser)
    assert found(client, is_staff__exact="1") == ["root"]
    if "groups" in admin.site.get_model_admin(get_user_model()).list_filter:
        assert found(client, group=str(group.pk)) == ["member"]
        assert found(client, group="x") == []


def test_several_at_once(superuser):
    editor = role("editor")
    for name in ("one", "two"):
        give(make_person(name), editor)
    ago(get_user_model()._default_manager.get(email="two@example.com"), 100)
    client = signed_in(superuser)
    assert found(client, role="editor", signed_in="never", address="unconfirmed") == ["one"]


def test_what_somebody_may_not_see_they_cannot_filter_by(superuser):
    opts: Any = get_user_model()._meta
    clerk = make_staff("clerk", "view_auditevent")
    grant(clerk, "view_user", app_label=opts.app_label)
    give(make_person("uma"), role("editor"))
    client = signed_in(clerk)
    everybody = ["clerk", "root", "uma"]
    for query in ({"role": "editor"}, {"locked_out": "now"}, {"provider": "hub"}):
        assert found(client, **query) == everybody
        assert f"?{next(iter(query))}=" not in client.get(people_url()).text


@pytest.mark.parametrize(
    "query",
    [
        *({"signed_in": "x"}, {"locked_out": "x"}, {"address": "x"}, {"role": "\x00"}),
        *({"provider": "x"}, {"group": "\x00"}, {"group": "9" * 40}, {"p": "9999"}),
        *({"o": "99.-1.x"}, {"q": "\x00"}, {"q": "\ud800"}, {"q": "x" * 5000}, {"q": "*"}),
        *({"all": ""}, {"_facets": "True"}, {"q": "'\"%_\\"}, {"e": "1"}),
    ],
)
@pytest.mark.parametrize("size", ["small", "large"])
def test_the_list_survives_any_query(superuser, request, query, size):
    if size == "large":
        request.getfixturevalue("few")
    for name in ("a", "b", "c", "d"):
        make_person(name)
    query = {key: value.encode(errors="surrogatepass") for key, value in query.items()}
    response = signed_in(superuser).get(people_url(), query, follow=True)
    assert response.status_code == 200


@pytest.mark.parametrize("lookup", ["password__startswith", "authkit_names__digest__startswith"])
def test_no_secret_is_found_out_letter_by_letter(superuser, lookup):
    response = signed_in(superuser).get(people_url(), {lookup: "a"})
    assert response.status_code == 400


# Search


def test_on_a_small_site_the_search_looks_everywhere(superuser):
    for name in ("ada", "brenda", "cleo"):
        make_person(name)
    assert found(signed_in(superuser), q="da") == ["ada", "brenda"]


@pytest.mark.parametrize("term", ["Cleo@Example.com", "cleo@example.com", " CLEO@example.com "])
def test_among_many_an_address_is_found_whole_whatever_its_case(superuser, few, term):
    for name in ("ada", "brenda", "cleo", "cleopatra"):
        make_person(name)
    assert found(signed_in(superuser), q=term) == ["cleo"]


def test_among_many_a_name_is_found_by_its_beginning(superuser, few):
    for name in ("cleo", "cleopatra", "macleod", "Cleon"):
        make_person(name)
    client = signed_in(superuser)
    # Whether case counts in what is not known by its canonical form, the database decides.
    assert found(client, q="cleo") in (["cleo", "cleopatra"], ["Cleon", "cleo", "cleopatra"])
    assert found(client, q="Cleo") in (["cleo", "cleopatra"], ["Cleon", "cleo", "cleopatra"])
    assert found(client, q="*leo") == ["Cleon", "cleo", "cleopatra", "macleod"]
    assert "With * in front" in client.get(people_url()).text


def test_among_many_an_account_written_past_the_model_is_found_by_its_address(superuser, few):
    for name in ("ada", "brenda", "cleo"):
        make_person(name)
    SignInName.objects.all().delete()
    assert found(signed_in(superuser), q="cleo@example.com") == ["cleo"]


def test_a_search_and_a_filter_go_together(superuser, few):
    for name in ("cleo", "cleopatra", "ada"):
        make_person(name)
    give(get_user_model()._default_manager.get(email="cleo@example.com"), role("editor"))
    assert found(signed_in(superuser), q="cleo", role="editor") == ["cleo"]


# Counting and sorting


def test_many_are_not_counted(superuser, few):
    for name in ("a", "b", "c", "d", "e"):
        make_person(name)
    page = signed_in(superuser).get(people_url())
    assert "3+ users" in page.text
    assert str(page.context["cl"].result_count) == "3+"


def test_no_query_counts_a_whole_table(superuser, few):
    for name in ("a", "b", "c", "d", "e"):
        make_person(name)
    client = signed_in(superuser)
    for query in ({}, {"q": "a"}, {"signed_in": "never"}, {"address": "unconfirmed"}, {"all": ""}):
        with CaptureQueriesContext(connection) as queries:
            client.get(people_url(), query)
        for each in queries:
            sql = each["sql"].upper()
            assert "COUNT(" not in sql or "LIMIT" in sql, sql
            assert "DISTINCT" not in sql, sql


def test_among_many_only_what_is_in_order_already_can_be_sorted_by(superuser, few):
    for name in ("a", "b", "c", "d", "e"):
        make_person(name)
    client = signed_in(superuser)
    columns = client.get(people_url()).context["cl"].list_display
    unordered = next(
        place for place, name in enumerate(columns) if name in ("is_staff", "is_active")
    )
    ordered = 1  # the user name, or the address where there is none
    with CaptureQueriesContext(connection) as queries:
        client.get(people_url(), {"o": f"-{unordered}"})
    name = columns[unordered]
    assert not any(f'{name}" DESC' in q["sql"] or f"{name}` DESC" in q["sql"] for q in queries)
    with CaptureQueriesContext(connection) as queries:
        client.get(people_url(), {"o": f"-{ordered}"})
    name = columns[ordered]
    assert any(f'{name}" DESC' in q["sql"] or f"{name}` DESC" in q["sql"] for q in queries)


def test_a_page_of_the_list_costs_the_same_however_many_are_on_it(superuser):
    client = signed_in(superuser)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(people_url()).status_code == 200
        return len(queries)

    def add(*names: str) -> None:
        for name in names:
            give(make_person(name), role(f"role-{name}"))

    add("a", "b")
    cost()
    few = cost()
    add(*"cdefghijk")
    cost()
    assert cost() == few
    assert few < 15


@pytest.mark.vendor("postgresql")
def test_postgresql_tells_roughly_how_many_there_are(superuser, few):
    for name in ("a", "b", "c", "d", "e"):
        make_person(name)
    with connection.cursor() as cursor:
        cursor.execute(f'ANALYZE "{get_user_model()._meta.db_table}"')
    client = signed_in(superuser)
    assert "There are about 6 in all" in client.get(people_url()).text
    assert "There are about" not in client.get(people_url(), {"q": "a"}).text


# Past the pages that are counted


def walk(client: Any, query: str = "") -> tuple[list[str], int]:
    """Everybody whom one meets who reads each part of the list to its end, and goes on."""
    met: list[str] = []
    for parts in range(1, 20):
        for number in range(1, 20):
            page = client.get(f"{people_url()}?{query}&p={number}").context["cl"]
            met += [person.email.partition("@")[0] for person in page.result_list]
            if number >= page.paginator.num_pages:
                break
        assert bool(page.authkit_first_url) is (parts > 1)
        if not page.authkit_further_url:
            return met, parts
        query = page.authkit_further_url.partition("?")[2]
    raise AssertionError("it never ends")


NAMES = ["a", "b", "c", "d", "e", "f", "g", "h"]


@pytest.mark.parametrize("order", ["", "o=1", "o=-1", "o=4.-1"])
def test_every_row_of_many_is_reached_once(superuser, by_twos, order):
    for name in NAMES:
        make_person(name)
    met, parts = walk(signed_in(superuser), order)
    assert sorted(met) == [*NAMES, "root"]
    assert parts == 3
    if order in ("o=1", "o=-1"):
        assert met == sorted(met, reverse=order == "o=-1")


@pytest.mark.vendor("sqlite")  # others look at how many rows there are
@pytest.mark.parametrize("order", [["-at", "-pk"], ["at", "-pk"]])
def test_an_index_tells_where_it_goes_on(order):
    audit.record("login.succeeded")
    columns = beyond.columns_of(AuditEvent, order)
    mark = beyond.mark(AuditEvent.objects.get(), columns, "")
    later = beyond.after(mark, columns, "")
    plan = AuditEvent.objects.filter(later).order_by(*order).explain()
    assert "SEARCH" in plan
    assert "SCAN" not in plan
    assert "MULTI-INDEX" not in plan


def test_what_the_list_is_narrowed_to_stays_past_the_pages(superuser, by_twos):
    for name in NAMES:
        make_person(name, is_active=name != "f")
    client = signed_in(superuser)
    met, parts = walk(client, "signed_in=never")
    assert sorted(met) == NAMES
    assert parts == 3


def test_whoever_searches_or_sorts_anew_starts_at_the_beginning(superuser, by_twos):
    for name in NAMES:
        make_person(name)
    client = signed_in(superuser)
    further = client.get(people_url(), {"p": 2}).context["cl"].authkit_further_url
    for more in ("&q=a", "&o=-1", "&signed_in=never"):
        page = client.get(people_url() + further + more).context["cl"]
        assert not page.authkit_is_beyond
    page = client.get(people_url() + further + "&q=a").context["cl"]
    assert [person.email for person in page.result_list] == ["a@example.com"]


@pytest.mark.parametrize("mark", ["", "x", "%00", "[]", "WyJ4Il0:abc"])
def test_where_a_list_goes_on_is_not_made_up(superuser, by_twos, mark):
    for name in NAMES:
        make_person(name)
    response = signed_in(superuser).get(f"{people_url()}?beyond={mark}")
    assert response.headers["Location"].endswith("?e=1")


def test_an_order_in_which_nobody_could_go_on_is_left(superuser, by_twos, monkeypatch):
    page = own.get_model_admin(get_user_model())
    monkeypatch.setattr(page, "ordering", ("last_login",))
    for name in NAMES:
        make_person(name)
    met, _parts = walk(signed_in(superuser))
    assert sorted(met) == [*NAMES, "root"]
