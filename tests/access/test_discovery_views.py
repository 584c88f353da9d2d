"""What is found of views of every kind, on Django's own resolvers."""

from __future__ import annotations

import sys
from timeit import timeit
from types import ModuleType

import pytest
from asgiref.sync import iscoroutinefunction
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import override_settings
from django.urls import ResolverMatch, path, resolve
from django.utils.translation import override

from authkit.access import discovery
from authkit.access.declarations import Public, Require
from tests.access import urls_views

pytestmark = pytest.mark.any_user_model


@pytest.fixture(autouse=True)
def registry(settings):
    settings.ROOT_URLCONF = "tests.access.urls_views"
    return discovery.registry()


def actions_declared(registry, key, declaration):
    declared = registry.endpoints[key].declarations
    return {action for action, found in declared.items() if declaration in found}


def defaults_of(registry, key):
    return {
        (role, ",".join(words), allow.condition)
        for allow, words in registry.endpoints[key].allows()
        for role in allow.roles
    }


def requirements_of(registry, key):
    return {
        (r.permissions, r.recent is not None, r.actions)
        for r in registry.endpoints[key].declared("active").requirements
    }


def test_what_is_said_of_a_viewset_is_written_as_it_was_said(registry):
    assert defaults_of(registry, "api.group") >= {
        ("anyone", "read", None),
        ("author", "create", None),
        ("author", "update,delete", "own"),
        ("editor", "*", None),
    }


def test_what_is_said_of_an_action_is_about_that_action(registry):
    assert requirements_of(registry, "api.group") == {(("auth.change_group",), False, ("above",))}
    assert ("publisher", "below", None) in defaults_of(registry, "api.group")
    assert registry.endpoints["api.group"].declared("active").locked == ("undo",)


def test_a_subclass_inherits_from_its_class_and_not_from_a_method_that_it_overrides(registry):
    assert requirements_of(registry, "api.few") == set()
    assert ("editor", "*", None) in defaults_of(registry, "api.few")


def test_methods_that_a_viewset_does_not_accept_are_no_actions(registry):
    assert "destroy" in registry.endpoints["api.group"].actions
    assert not {"destroy", "update", "undo"} & set(registry.endpoints["api.few"].actions)


def test_a_viewset_that_answers_a_method_itself_is_asked_about_it(registry):
    route = registry.route_of(resolve("/api/people/"))
    assert route.methods["DELETE"] == "DELETE"
    assert registry.endpoints["api.person"].model is get_user_model()


def test_options_is_metadata_of_a_viewset_and_a_method_of_other_views(registry):
    assert registry.route_of(resolve("/bare/")).methods == {
        "GET": "list",
        "HEAD": "list",
        "OPTIONS": "metadata",
    }
    assert registry.route_of(resolve("/only-get/")).methods["OPTIONS"] == "OPTIONS"
    assert registry.route_of(resolve("/narrow/")).methods == {"OPTIONS": "OPTIONS"}


def test_requirements_of_mixins_classes_and_methods_add_up(registry):
    assert requirements_of(registry, "derived") == {
        (("auth.view_user",), False, ("*",)),
        ((), True, ("*",)),
        (("auth.delete_user",), False, ("DELETE",)),
    }


@pytest.mark.parametrize("key", ["open", "inherits", "above", "later", "in_urls"])
def test_what_is_declared_around_a_view_is_about_all_of_it(registry, key):
    endpoint = registry.endpoints[key]
    assert set(endpoint.declared("active").public) == set(endpoint.actions)


def test_method_decorator_loses_nothing_that_it_is_given(registry):
    assert defaults_of(registry, "methods") == {("author", "GET", None), ("editor", "GET", None)}
    assert requirements_of(registry, "methods") == {(("auth.add_user",), False, ("GET",))}
    assert registry.endpoints["methods"].declared("active").public == ("POST",)


def test_what_stands_below_api_view_is_found(registry):
    assert requirements_of(registry, "below") == {(("auth.view_user",), False, ("*",))}
    assert defaults_of(registry, "below") == {("editor", "create", None)}
    assert registry.endpoints["below"].view == "tests.access.urls_views.below_api_view"


@pytest.mark.parametrize("key", ["wrapped", "forgetful", "partial"])
def test_other_decorators_do_not_hide_a_requirement(registry, key):
    assert requirements_of(registry, key) == {(("auth.view_user",), False, ("*",))}


@pytest.mark.parametrize("key", ["hidden", "hidden_in_object", "hidden_class"])
def test_a_decorator_without_wraps_hides_no_requirement(registry, key):
    assert requirements_of(registry, key) == {(("auth.view_user",), False, ("*",))}


def test_a_decorator_without_wraps_opens_nothing(registry):
    """Nobody can tell whether what it calls is what was meant to be open."""
    assert registry.endpoints["hidden_and_open"].declared("active").public == ()
    assert defaults_of(registry, "hidden_and_open") == set()


def test_an_async_view_stays_one():
    assert iscoroutinefunction(urls_views.later)
    assert iscoroutinefunction(urls_views.AsyncView.get)


def test_a_method_of_an_async_view_is_declared_like_any_other(registry):
    assert requirements_of(registry, "async") == {(("auth.view_user",), False, ("GET",))}


def test_where_routes_of_one_view_disagree_the_stricter_word_counts(registry):
    assert actions_declared(registry, "partly", Public()) == set()
    assert actions_declared(registry, "partly", Require(("auth.view_user",))) == {
        "GET",
        "HEAD",
        "OPTIONS",
    }


def test_different_views_under_one_key_are_closed(registry):
    assert registry.ambiguous == {"page", "lists"}
    assert registry.route_of(resolve("/about/")) is None
    assert registry.route_of(resolve("/help/")).is_governed
    assert not {"page", "lists"} & {endpoint.key for endpoint in registry.governed()}


def test_instances_of_an_app_are_endpoints_of_their_own(registry):
    assert registry.route_of(resolve("/one/basket/")).key == "one.basket"
    assert registry.route_of(resolve("/two/basket/")).key == "two.basket"


def test_a_bound_method_and_a_callable_object_are_views(registry):
    assert registry.route_of(resolve("/bound/again/")).key == "bound"
    assert registry.endpoints["instance"].view.endswith("urls_views.Answering")


@pytest.mark.parametrize("url", ["/nameless/", "/nameless/partial/"])
def test_a_view_without_a_name_is_closed_governed_and_reported(registry, url):
    assert registry.route_of(resolve(url)) is None
    assert registry.find(resolve(url)).is_governed
    assert url.lstrip("/") in registry.nameless


def test_a_view_without_a_name_may_still_be_public(registry):
    assert registry.find(resolve("/nameless/")).is_public("GET")
    assert not registry.find(resolve("/nameless/partial/")).is_public("GET")


def test_a_view_that_is_in_no_urlconf_is_closed_and_governed(registry):
    match = ResolverMatch(lambda request: None, (), {}, "open", route="elsewhere/")
    assert registry.route_of(match) is None
    assert registry.find(match).is_governed


@pytest.mark.parametrize(
    "url",
    ["/admin/", "/admin/login/", "/admin/anything/at/all/", "/accounts/login/", "/media/a.png"],
)
def test_what_guards_itself_is_out_of_the_way(registry, url):
    assert not registry.find(resolve(url)).is_governed
    assert not any(route.startswith(("admin/", "media/")) for route in registry.nameless)


@pytest.mark.parametrize("url", ["/pretender/secret/", "/help/", "/api/"])
def test_what_only_looks_like_it_is_not(registry, url):
    assert registry.find(resolve(url)).is_governed


def test_a_project_says_itself_which_views_guard_themselves(registry):
    with override_settings(AUTHKIT={"UNGOVERNED_VIEWS": ["tests.access.urls_views.plain"]}):
        assert not discovery.registry().endpoints["old"].is_governed
        assert discovery.registry().endpoints["admin.index"].is_governed is False
        assert discovery.registry().find(resolve("/accounts/login/")).is_governed
    assert discovery.registry().endpoints["old"].is_governed


def test_paths_are_written_the_same_in_every_language(registry):
    discovery._registry.cache_clear()
    discovery._read.cache_clear()
    with override("de"):
        assert discovery.registry().endpoints["translated"].routes == ["<language>/translated/"]
        assert discovery.registry().find(resolve("/de/translated/")).key == "translated"
    assert registry.endpoints["old"].routes == [r"old/(?P<number>\d+)/$"]


def test_the_root_of_a_router_is_an_endpoint(registry):
    assert registry.route_of(resolve("/api/")).key == "api.api-root"


def test_the_model_is_found(registry):
    assert registry.endpoints["api.group"].model is Group
    assert registry.endpoints["derived"].model is None


def test_every_pattern_of_the_urlconf_has_a_route(registry):
    for (name, _), route in registry.by_view.items():
        assert registry.find(ResolverMatch(route.view, (), {}, name, route="x")).view is route.view


def test_finding_a_route_takes_about_a_microsecond(registry):
    match = resolve("/api/groups/")
    assert timeit(lambda: registry.route_of(match), number=20_000) / 20_000 < 20e-6


def test_an_admin_site_whose_login_was_replaced_is_one_still(registry, monkeypatch):
    monkeypatch.setattr(admin.site, "login", lambda request, **_: None)
    made = ModuleType("tests.access.replaced_login_urls")
    made.urlpatterns = [path("admin/", admin.site.urls)]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, made.__name__, made)
    found = discovery.registry(made.__name__)
    assert not list(found.governed())
    assert found.nameless == ()
