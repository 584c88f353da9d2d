"""Endpoints find themselves."""

import pytest
from django.contrib.auth import get_user_model
from django.urls import resolve

from authkit.access import discovery

pytestmark = pytest.mark.any_user_model


@pytest.fixture(autouse=True)
def registry(settings):
    settings.ROOT_URLCONF = "tests.access.urls"
    return discovery.registry()


def test_a_viewset_is_one_endpoint_with_its_actions(registry):
    person = registry.endpoints["api.person"]
    assert person.methods["list"] == ["GET", "HEAD"]
    assert person.methods["partial_update"] == ["PATCH"]
    assert person.methods["greet"] == ["POST"]
    assert person.model is get_user_model()


def test_format_suffixes_are_more_routes_of_the_same_endpoint(registry):
    routes = registry.endpoints["api.person"].routes
    assert any("format" in route for route in routes)
    assert not [key for key in registry.endpoints if "format" in key]


def test_other_views_have_the_methods_that_they_implement(registry):
    assert set(registry.endpoints["api.report"].actions) == {"GET", "POST", "OPTIONS"}
    assert set(registry.endpoints["outer.inner.page"].actions) == {"GET", "HEAD", "OPTIONS"}
    assert set(registry.endpoints["plain"].actions) == set(discovery.METHODS)


def test_nested_namespaces_are_part_of_the_key(registry):
    assert "outer.inner.page" in registry.endpoints


@pytest.mark.parametrize(
    ("path", "key", "method", "action"),
    [
        ("/api/people/", "api.person", "GET", "list"),
        ("/api/people/", "api.person", "HEAD", "list"),
        ("/api/people.json", "api.person", "POST", "create"),
        ("/api/people/1/", "api.person", "DELETE", "destroy"),
        ("/api/people/1/greet/", "api.person", "POST", "greet"),
        ("/api/people/1/", "api.person", "OPTIONS", "metadata"),
        ("/api/report/", "api.report", "POST", "POST"),
        ("/outer/inner/page/", "outer.inner.page", "GET", "GET"),
        ("/auth/me/", "authkit.me", "PATCH", "PATCH"),
    ],
)
def test_a_request_is_an_action_of_an_endpoint(registry, path, key, method, action):
    route = registry.route_of(resolve(path))
    assert route is not None
    assert (route.key, route.methods[method]) == (key, action)


@pytest.mark.parametrize("path", ["/nameless/", "/odd/", "/again/1/", "/shared/"])
def test_a_view_without_a_key_of_its_own_is_closed_and_reported(registry, path):
    assert registry.route_of(resolve(path)) is None
    assert len(registry.nameless) >= 2
    assert registry.ambiguous == {"shared"}


def test_the_admin_is_out_of_the_way(registry):
    assert not registry.endpoints["admin.index"].is_governed
    assert not registry.endpoints["authkit.me"].is_governed
    assert registry.endpoints["api.person"].is_governed
