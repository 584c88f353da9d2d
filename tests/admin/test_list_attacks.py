"""Made-up addresses and selections of the lists: refused, whatever the database."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.widgets import url_params_from_lookup_dict
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from authkit import tokens
from authkit.admin.people.filters import RoleFilter
from authkit.models import AuditEvent, Role
from tests.access.writing import give, role
from tests.admin.pages import grant, make_staff, signed_in, url
from tests.admin.people_pages import URLS, people_url
from tests.people import make_person

pytestmark = [pytest.mark.django_db, pytest.mark.urls(URLS)]

ODD = {
    "people": (
        *("email__regex=(", "email__iregex=(a%2B)%2B$", "email__startswith=%00", "email=%00"),
        *("last_login__year=99999999", "last_login__year=0", "id__in=1,99999999999999999999"),
        *("last_login__gt=9999-12-31T23:59:59-23:00", "is_staff__exact=x", "email__search=x"),
    ),
    "auditevent": (
        *("kind__regex=(", "data__x__regex=(", "data__has_key=%00", "ip__exact=x", "at__year=0"),
        *("data__contains=x", "data__a__gt=%00", "actor_name__startswith=%00"),
    ),
    "usersession": (
        *("user_agent__regex=(", "user_agent__startswith=%00", "created_at__year=99999999"),
        *("pk__startswith=%00", f"user__exact={'9' * 30}"),
    ),
}


@pytest.fixture
def client_of_root(superuser: Any) -> Client:
    return signed_in(superuser)


def list_url(page: str) -> str:
    if page == "people":
        return people_url()
    return reverse(f"admin:authkit_{page}_changelist", current_app="own")


@pytest.mark.parametrize("page", ODD)
@pytest.mark.django_db(transaction=True)  # of one that failed, nothing else would be asked
def test_what_nobody_can_ask_is_the_callers_mistake(client_of_root, page):
    for query in ODD[page]:
        response = client_of_root.get(f"{list_url(page)}?{query}")
        assert response.status_code in {200, 302, 400}, query
        assert response.status_code != 302 or response["Location"].endswith("?e=1")


@pytest.mark.parametrize("page", ODD)
def test_no_list_is_narrowed_by_a_pattern(client_of_root, page):
    """One that takes for ever would be a way to stop the process."""
    assert client_of_root.get(f"{list_url(page)}?pk__regex=x").status_code == 400


@pytest.mark.parametrize("action", ["export_people", "deactivate_people", "delete_selected"])
@pytest.mark.parametrize("key", ["x", "\x00", "9" * 30, ""])
def test_rows_that_cannot_be_are_not_selected(client_of_root, action, key):
    form = {"action": action, "_selected_action": [key], "index": "0", "post": "yes"}
    assert client_of_root.post(people_url(), form).status_code == 400
    assert get_user_model()._default_manager.exists()
    assert not AuditEvent.objects.filter(kind="people.exported").exists()


@pytest.mark.parametrize(
    "query",
    [
        *("authkit_tokens__isnull=0", "authkit_tokens__id__startswith=a", "authkit_sessions=x"),
        *("authkit_link_keys__digest__startswith=a", "authkit_link_keys__pk__startswith=a"),
        *("authkit_assignments__isnull=0", "logentry__isnull=0", "~authkit_names__isnull=0"),
    ],
)
def test_the_list_of_people_tells_nothing_of_tables_that_point_to_them(superuser, query):
    """Whoever may see people need not be one who may see their tokens, sessions and keys."""
    clerk = make_staff("clerk", "view_role")
    opts: Any = get_user_model()._meta
    grant(clerk, "view_user", app_label=opts.app_label)
    for person in (clerk, superuser):
        tokens.issue_personal(person, name="nightly", now=timezone.now())
        answer = signed_in(person).get(f"{people_url()}?{query}")
        assert answer.status_code == 400 or answer.headers.get("Location", "").endswith("?e=1")


@pytest.mark.urls("tests.urls")
@pytest.mark.parametrize("query", ["assignments__isnull=0", "rules__id__gt=0", "included_by=1"])
def test_the_list_of_roles_tells_nothing_of_tables_that_point_to_them(query):
    clerk = make_staff("clerk", "view_role")
    assert signed_in(clerk).get(f"{url(Role, 'changelist')}?{query}").status_code == 400


def test_a_filter_may_be_called_like_a_table_that_points_here(client_of_root, monkeypatch):
    """A project's own model, such as one that is called Provider, names its relation itself."""
    monkeypatch.setattr(RoleFilter, "parameter_name", "authkit_tokens")
    give(make_person("uma"), role("editor"))
    page = client_of_root.get(f"{people_url()}?authkit_tokens=editor")
    assert [person.email for person in page.context["cl"].result_list] == ["uma@example.com"]
    assert client_of_root.get(f"{people_url()}?authkit_sessions=editor").status_code == 400


def test_whom_a_project_lets_choose_from_is_offered_for_choice(client_of_root, monkeypatch):
    """As by `limit_choices_to` of a field of its own, which asks about a table that points here."""
    limits = {"authkit_tokens__isnull": False}
    monkeypatch.setattr(get_user_model()._meta, "related_fkey_lookups", [limits, lambda: {"x": 1}])
    tokens.issue_personal(make_person("uma"), name="nightly", now=timezone.now())
    (query,) = url_params_from_lookup_dict(limits).items()
    page = client_of_root.get(people_url(), dict([query], _popup="1"))
    assert [person.email for person in page.context["cl"].result_list] == ["uma@example.com"]
    other = client_of_root.get(people_url(), {query[0]: "True", "_popup": "1"})
    assert other.status_code == 400
