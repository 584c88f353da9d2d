"""What the checks say about code, rules and roles that do not fit each other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import checks
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from django.utils import timezone

from authkit.access import conditions
from authkit.access.sync import sync
from authkit.decorators import allow, public
from authkit.kernel.policy import BUILT_IN
from authkit.models import Role, Rule
from tests.access.some_roles import give, role
from tests.checks.test_deployment import FIT

pytestmark = pytest.mark.django_db
POLICIES = "tests.access.urls_of_policies"


@pytest.fixture(autouse=True)
def _world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "_registered", {})
    conditions.condition("themselves", model=get_user_model())(lambda user: Q(pk=user.pk))


def said(check_id: str, *, deploy: bool = True, **changed: Any) -> list[str]:
    with override_settings(**{**FIT, "ROOT_URLCONF": POLICIES, **changed}):
        found = checks.run_checks(tags=["authkit"], include_deployment_checks=deploy)
    assert all(message.hint for message in found)
    return [str(message.msg) for message in found if message.id == f"authkit.{check_id}"]


def test_a_condition_that_code_names_and_nobody_registers_is_always_an_error(monkeypatch):
    assert said("E010", deploy=False) == []
    monkeypatch.setattr(conditions, "_registered", {})
    (message,) = said("E010", deploy=False)
    assert "'themselves'" in message
    assert "PersonViewSet" in message


def test_views_without_a_name_of_their_own_are_named():
    urls = "tests.access.urls"
    assert {message.split("'")[1] for message in said("W111", ROOT_URLCONF=urls)} == {
        "nameless/", "odd/",
    }  # fmt: skip
    (message,) = said("W112", ROOT_URLCONF=urls)
    assert "'shared'" in message
    assert said("W111") == said("W112") == []
    assert said("W111", deploy=False, ROOT_URLCONF=urls) == []


def test_an_endpoint_that_nobody_ruled_is_named_until_somebody_does():
    with override_settings(ROOT_URLCONF=POLICIES):
        sync()
    closed = said("W113")
    assert len(closed) == 2
    assert "'api.report'" in closed[0]
    assert "'api.vault'" in closed[1]
    role("anyone", "allow api.*:*")
    assert "is new" in said("W113")[0]
    role("anyone", "allow api.report:*")
    assert len(said("W113")) == 1


def test_a_rule_about_no_endpoint_is_named():
    role("clerk", "allow api.gone:read", "allow api.*:read")
    role("clerk", "allow long.gone:read", is_enabled=False)
    (message,) = said("W114")
    assert "'allow api.gone:read' of the role 'clerk'" in message


def test_a_condition_that_is_not_there_any_more_is_named():
    role("clerk", "allow api.person:read when themselves", "allow api.*:* when themselves")
    assert said("W116") == []
    role("clerk", "allow api.person:read when gone", "deny api.*:read when themselves")
    allows, denies = sorted(said("W116"))
    assert "it allows nothing there" in allows
    assert "it denies every object there" in denies


def test_a_role_that_nobody_has_is_named(person):
    Role.objects.exclude(slug__in=BUILT_IN).delete()
    outer, inner, used, over = (role(slug) for slug in ("outer", "inner", "used", "over"))
    outer.includes.add(inner)
    give(person, used, starts_at=timezone.now() + timedelta(days=1))
    give(person, over, ends_at=timezone.now() - timedelta(days=1))
    messages = said("W115")
    assert [message.split("'")[1] for message in messages] == ["outer", "over"]


def test_a_role_that_only_code_names_is_named():
    Role.objects.filter(slug="author").delete()
    assert "'author'" in said("W117")[0]
    role("author")
    assert said("W117") == []


def test_rules_that_are_no_policy_are_told_and_nothing_else_of_them():
    role("clerk", "allow api.person:read")
    Rule.objects.update(endpoints="not a pattern!")
    assert "nobody is let in" in said("W122")[0]
    assert said("W113") == said("W114") == []


def test_a_database_that_cannot_be_asked_makes_no_check_fail():
    def down(*_: object) -> None:
        raise OperationalError("no such table: authkit_role")

    with connection.execute_wrapper(down):
        (message,) = said("W118")
    assert "no such table" in message


def test_who_asks_for_the_decision_and_who_filters_is_looked_for():
    middleware = "authkit.middleware.AuthkitMiddleware"
    assert said("W119", REST_FRAMEWORK={}) == []
    assert said("W119", MIDDLEWARE=[]) == []
    without: dict[str, Any] = {"MIDDLEWARE": [], "REST_FRAMEWORK": {}}
    assert middleware in said("W119", **without)[0]
    assert "AccessFilterBackend" in said("W120", REST_FRAMEWORK={})[0]


@pytest.mark.parametrize("url", ["/accounts/login/", "no_such_name"])
def test_a_login_url_that_leads_nowhere_is_named(url):
    assert url in said("W121", LOGIN_URL=url)[0]


@pytest.mark.parametrize("url", ["admin:login", "/admin/login/?next=x", "https://sso.example/"])
def test_a_login_url_that_leads_somewhere_is_not(url):
    assert said("W121", LOGIN_URL=url) == []


def test_the_command_names_them(capsys):
    quiet = ["mail.E001"]  # from Django 6.1 on: the mails of a test run go nowhere
    with override_settings(ROOT_URLCONF="tests.access.urls", SILENCED_SYSTEM_CHECKS=quiet):
        call_command("check", "--deploy")
    assert "'nameless/'" in capsys.readouterr().err


def test_a_declaration_to_which_no_route_leads_is_named():
    @careless
    @declared
    @public
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    @declared
    @public
    def lost(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    class Urls:
        urlpatterns = [path("view/", view, name="view")]

    (message,) = said("W125", ROOT_URLCONF=Urls)
    assert "tests.checks.test_access.lost " in message
    assert said("W125", deploy=False, ROOT_URLCONF=Urls) == []


def test_an_action_that_the_view_does_not_have_is_named():
    @allow("editor", to=["publsh", "read", "delete"])
    @allow("author", to="GET")
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    class Urls:
        urlpatterns = [path("view/", view, name="view")]

    (message,) = said("W126", ROOT_URLCONF=Urls)
    assert 'to="publsh"' in message
    assert said("W126") == []


def declared(view: Any) -> Any:
    """As if it stood in a module, and not in a test."""
    view.__qualname__ = view.__name__
    return view


def careless(view: Any) -> Any:
    def answer(request: HttpRequest) -> Any:
        return view(request)

    return answer
