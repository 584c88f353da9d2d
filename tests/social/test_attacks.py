"""What an outsider tries who knows the code: each ends in a refusal, and nothing has changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils.encoding import iri_to_uri

from authkit import sealing
from authkit.models import SocialAccount, UserSession
from tests.api.callers import browser
from tests.people import make_person
from tests.social.steps import asking_after
from tests.social.test_email import resume
from tests.social.test_linking import signed_in
from tests.social.visitor import Visitor, query_of, sent_on_to

pytestmark = pytest.mark.django_db

LOGIN = "/auth/social/house/login/"
CALLBACK = "/auth/social/house/callback/"


def _begin_link(visitor: Visitor, **more: str) -> str:
    """Where the form on one's page leads; `next` and the like beside it."""
    token = visitor.client.cookies["csrftoken"].value
    form = {"csrfmiddlewaretoken": token, "link": "1", **more}
    return sent_on_to(visitor.client.post(LOGIN, form))


def _nothing_changed(people: int) -> None:
    assert not SocialAccount.objects.exists()
    assert get_user_model().objects.count() == people


def test_a_link_of_ones_own_is_not_finished_by_a_victim_at_the_provider(offer, liar, person):
    """Mallory begins, and sends the provider's address to somebody who is signed in here."""
    offer()
    mallory = signed_in(make_person("mallory"), "session")
    url = _begin_link(mallory)
    victim = signed_in(person, "session")
    back = liar.authorize(url)
    assert victim.client.get(CALLBACK, back).status_code == 403
    assert Visitor().client.get(CALLBACK, back).status_code == 403
    _nothing_changed(2)


def test_a_link_does_not_become_that_of_who_signs_in_meanwhile(offer, liar, person):
    """One browser: somebody begins to link, and another person signs in before it is over."""
    offer()
    visitor = signed_in(make_person("mallory"), "session")
    back = liar.authorize(_begin_link(visitor))
    other = signed_in(person, "session").client
    for name in ("sessionid", "csrftoken"):
        visitor.client.cookies[name] = other.cookies[name].value
    refused = visitor.client.get(CALLBACK, back)
    assert (refused.status_code, b"Please begin again" in refused.content) == (403, True)
    _nothing_changed(2)


def test_a_sign_in_does_not_become_a_link(offer, liar, person):
    """What it is for is decided, and sealed, when it begins."""
    offer()
    visitor = signed_in(person)
    begun = visitor.begin()
    given = {**liar.authorize(begun["authorization_url"]), "link": True, "purpose": "link"}
    assert "is_new" in visitor.complete({**given, "transaction": begun["transaction"]}).json()
    assert SocialAccount.objects.get().user_id != person.pk


@pytest.mark.parametrize(
    ("purpose", "value"),
    [
        ("social transaction", {}),
        ("social transaction", {"provider": "house", "state": "s", "user_id": "1"}),
        ("social pause", {"provider": "house", "state": "s"}),
        (sealing.PROVIDER_TOKENS, {"provider": "house", "state": "s"}),
    ],
)
def test_what_is_sealed_but_no_transaction_of_today_opens_nothing(offer, purpose, value):
    """Of an older version, or for another purpose."""
    offer()
    given = {"code": "c", "state": "s", "transaction": sealing.seal_object(purpose, value)}
    answer = Visitor().complete(given)
    assert (answer.status_code, answer.json()["code"]) == (403, "social_state_not_valid")


def test_a_pause_is_over_when_it_has_been_answered(offer, liar, settings):
    settings.SOCIAL_AUTH_PIPELINE = asking_after("admit")
    offer(sign_up="anyone")
    visitor = Visitor()
    paused = visitor.sign_in(liar)
    assert resume(visitor, paused).status_code == 200
    assert resume(visitor, paused).status_code == 403
    assert UserSession.objects.filter(kind="token").count() == 1


def test_a_pause_takes_a_csrf_token_where_it_ends_in_a_cookie(offer, liar, settings):
    settings.SOCIAL_AUTH_PIPELINE = asking_after("admit")
    offer(sign_up="anyone")
    visitor = Visitor()
    visitor.client = browser().client
    body = {"pause": visitor.sign_in(liar).json()["pause"], "deliver": "session"}
    answer = visitor.post("/auth/social/house/resume/", body, csrf=False)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    page = visitor.walk(liar)["Location"]
    assert visitor.client.post(page, {}).status_code == 403
    _nothing_changed(0)


def test_a_pause_that_is_planted_at_another_provider_is_not_shown(offer, liar, settings):
    settings.SOCIAL_AUTH_PIPELINE = asking_after("admit")
    offer()
    offer(slug="other")
    visitor = Visitor()
    visitor.walk(liar)
    assert visitor.client.get("/auth/social/other/continue/").status_code == 403
    assert visitor.client.get("/auth/social/house/continue/").status_code == 200


def test_the_page_that_leads_on_holds_no_foreign_markup(offer, liar, person):
    offer(name="<script>House</script>")
    evil = f'{liar.url}/authorize?a="><script>alert(1)</script>&b='
    liar.discovery["authorization_endpoint"] = evil
    visitor = signed_in(person, "session")
    token = visitor.client.cookies["csrftoken"].value
    page = visitor.client.post(LOGIN, {"csrfmiddlewaretoken": token, "link": "1"})
    assert page.status_code == 200
    assert "<script" not in page.text
    assert page["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page["Cache-Control"]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "http://evil.example/a"]
)
def test_a_provider_leads_nobody_to_an_address_that_is_not_safe(offer, liar, person, url):
    offer()
    liar.discovery["authorization_endpoint"] = url
    visitor = signed_in(person, "session")
    token = visitor.client.cookies["csrftoken"].value
    page = visitor.client.post(LOGIN, {"csrfmiddlewaretoken": token, "link": "1"})
    assert page.status_code == 502
    assert visitor.client.get(LOGIN).status_code == 502


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_a_link_leads_back_to_this_site_only(offer, liar, person, target, settings):
    settings.LOGIN_REDIRECT_URL = "/home/"
    offer()
    visitor = signed_in(person, "session")
    back = liar.authorize(_begin_link(visitor, next=target))
    assert visitor.client.get(CALLBACK, back)["Location"] == "/home/"


def test_what_binds_a_browser_fits_into_a_cookie(offer):
    """RFC 6265 §6.1: 4096 octets; a browser drops a longer one, and nobody could sign in."""
    offer()
    begun = Visitor().client.get(LOGIN, {"next": "/" + "x" * 999})
    (morsel,) = begun.cookies.values()
    assert len(morsel.key) + len(morsel.value) < 4000


@pytest.mark.parametrize("character", ["x", '"', "\\", "é", "€", "\U0001f600"])
@pytest.mark.parametrize("length", [10, 83, 250, 999])
def test_where_it_leads_fits_into_a_cookie_in_any_script(offer, liar, character, length, settings):
    """What takes one octet in Latin takes twelve, sealed, in others."""
    settings.LOGIN_REDIRECT_URL = "/home/"
    offer()
    visitor = Visitor()
    target = "/a" + character * length
    begun = visitor.client.get(LOGIN, {"next": target})
    (morsel,) = begun.cookies.values()
    assert len(morsel.OutputString().partition(";")[0].encode()) < 4000
    answer = visitor.client.get(CALLBACK, liar.authorize(begun["Location"]))
    assert answer["Location"] in {"/home/", iri_to_uri(target)}
    if length == 10:
        assert answer["Location"] == iri_to_uri(target)


def test_all_that_binds_a_browser_fits_into_a_header(offer, liar):
    """Many servers take 8 KiB, and would refuse every request that brings more."""
    offer()
    visitor = Visitor()
    for number in range(6):
        begun = visitor.client.get(LOGIN, {"next": f"/{number}" + "x" * 980})
        kept = [f"{m.key}={m.value}" for m in visitor.client.cookies.values() if m.value]
        assert sum(map(len, kept)) < 6 * 1024
    assert len(kept) >= 2
    answer = visitor.client.get(CALLBACK, liar.authorize(begun["Location"]))
    assert answer["Location"].startswith("/5xxx")


def test_a_code_of_another_client_of_the_provider_opens_nothing(offer, liar):
    """Injected: got by another app of the attacker's from a victim (RFC 9700 §4.5)."""
    offer()
    victim: Any = Visitor()
    stolen = liar.authorize(victim.begin()["authorization_url"])["code"]
    mallory = Visitor()
    given = liar.authorize(mallory.begin()["authorization_url"])
    answer = mallory.complete({**given, "code": stolen})
    assert answer.status_code in {403, 502}
    _nothing_changed(0)


def test_another_browser_learns_nothing_of_what_waits(offer, liar, settings):
    settings.SOCIAL_AUTH_PIPELINE = asking_after("admit")
    offer()
    Visitor().walk(liar)
    assert Visitor().client.get("/auth/social/house/continue/").status_code == 403
    assert query_of(Visitor().client.get(LOGIN)["Location"])["code_challenge_method"] == "S256"
