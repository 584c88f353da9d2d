"""Every page says that somebody else is looking, and every answer tells programs."""

from __future__ import annotations

import pytest
from django.test import override_settings

from tests.api.world import Queries
from tests.impersonation.world import HTML, WAY_BACK, Browser
from tests.people import make_person

pytestmark = [pytest.mark.urls("tests.impersonation.urls"), pytest.mark.django_db]

MARK = 'id="authkit-impersonation"'
PAGES = ["page", "async_page", "untouched", "nobody", "placed"]


@pytest.mark.parametrize("name", PAGES)
def test_every_page_of_a_project_is_marked_once(ada, bob, as_bob, name):
    answer = as_bob.get(f"/shop/{name}/")
    assert answer.text.count(MARK) == 1
    assert answer.headers["X-Authkit-Impersonator"] == str(ada.pk)
    assert str(ada) in answer.text
    assert bob.get_username() in answer.text
    assert f'action="{WAY_BACK}"' in answer.text


def test_a_page_that_its_view_has_compressed_is_marked(as_bob):
    answer = as_bob.get("/shop/packed/", **{"Accept-Encoding": "gzip"})
    assert answer.content.count(MARK.encode()) == 1
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Content-Length"] == str(len(answer.content))


@pytest.mark.parametrize(
    "path", ["/account/", "/account/devices/", "/account/nowhere/", "/shop/nowhere/", WAY_BACK]
)
def test_authkits_own_pages_and_error_pages_are_marked(as_bob, path):
    assert as_bob.get(path).text.count(MARK) == 1


def test_the_admin_site_is_marked(browser_of_ada):
    browser_of_ada.impersonate(make_person("sam", is_staff=True))
    assert browser_of_ada.get("/admin/").text.count(MARK) == 1


def test_a_refusal_is_marked(as_bob):
    assert as_bob.post("/shop/whoami/").text.count(MARK) == 1


def test_it_stands_inside_the_body(as_bob):
    text = as_bob.get("/shop/page/").text
    assert text.endswith(("</section>\n</body></html>", "</section></body></html>"))


def test_it_brings_neither_script_nor_style(as_bob):
    text = as_bob.get("/shop/page/").text
    assert "<script" not in text
    assert "style=" not in text
    assert "<style" not in text


def test_a_page_without_outer_tags_is_marked_where_a_browser_opens_it(as_bob):
    opened = as_bob.get("/shop/fragment/", **{"Sec-Fetch-Dest": "document"})
    assert opened.text.count(MARK) == 1
    asked_for = as_bob.get("/shop/fragment/", **{"Sec-Fetch-Dest": "empty"})
    assert asked_for.text == "<li>one more</li>"


def test_no_cache_keeps_a_marked_answer(as_bob):
    for name in ("page", "whoami"):
        headers = as_bob.get(f"/shop/{name}/").headers
        assert headers["Cache-Control"] == "private, no-store"


def test_what_is_no_page_is_marked_in_its_headers_alone(ada, as_bob):
    for name in ("whoami", "fragment", "streamed"):
        answer = as_bob.get(f"/shop/{name}/")
        assert answer.headers["X-Authkit-Impersonator"] == str(ada.pk)
        assert MARK not in answer.getvalue().decode()


def test_the_length_of_a_page_is_right(as_bob):
    answer = as_bob.get("/shop/page/")
    assert int(answer.headers["Content-Length"]) == len(answer.content)


def test_whoever_is_themselves_sees_no_mark(bob):
    browser = Browser(bob)
    for name in PAGES:
        answer = browser.get(f"/shop/{name}/")
        assert MARK not in answer.text
        assert "X-Authkit-Impersonator" not in answer.headers
    assert browser.get("/shop/page/").headers["Cache-Control"] == "public, max-age=600"


def test_a_name_is_text_and_no_markup(browser_of_ada):
    person = make_person("mallory", email="m@example.com")
    setattr(person, person.USERNAME_FIELD, "<b>@x.example")
    person.save()
    browser_of_ada.impersonate(person)
    text = browser_of_ada.get("/shop/page/").text
    assert "<b>@x" not in text
    assert "&lt;b&gt;@x" in text


def test_the_grant_and_the_api_tell_who_it_is(ada, bob, as_bob):
    by = {"id": ada.pk, "username": str(ada)}
    shown = as_bob.client.get("/auth/session/").json()
    assert str(shown["impersonator"]["id"]) == str(by["id"])
    assert shown["impersonator"]["username"] == by["username"]
    assert str(shown["user"]["id"]) == str(bob.pk)
    assert as_bob.client.get("/auth/me/").json()["impersonator"] == shown["impersonator"]
    assert as_bob.client.get("/shop/ours/").json()["by"] == str(ada.pk)


def test_a_person_who_is_themselves_has_no_impersonator(bob):
    browser = Browser(bob)
    assert "impersonator" not in browser.client.get("/auth/me/").json()
    assert browser.client.get("/auth/session/").json()["impersonator"] is None


@pytest.mark.parametrize("is_on", [False, True])
@pytest.mark.parametrize("name", ["page", "whoami", "ours", "djangos"])
def test_whoever_is_themselves_pays_nothing_for_it(bob, is_on, name):
    with override_settings(AUTHKIT={"REFUSAL_TIME": 0, "IMPERSONATION": is_on}):
        browser = Browser(bob)
        browser.get(f"/shop/{name}/")
        with Queries() as queries:
            browser.client.get(f"/shop/{name}/", headers=HTML)
            browser.client.post(f"/shop/{name}/", headers=HTML)
        assert len(queries) == 2
