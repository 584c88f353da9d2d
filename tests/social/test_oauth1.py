"""OAuth 1.0a: python-social-auth's own backend for X against a provider that checks signatures."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from authkit.models import AuditEvent, SocialAccount, SpentState, UserSession
from authkit.social import provider_tokens, providers
from authkit.social.sign_in import Identity
from tests.people import make_person
from tests.social.signing import Books, Signing, as_form, as_json, signing
from tests.social.test_linking import signed_in
from tests.social.visitor import Visitor, query_of

pytestmark = pytest.mark.django_db

BEGIN = "/auth/social/house/begin/"
REQUEST, ACCESS, ME = (
    *("/oauth/request_token", "/oauth/access_token"),
    "/1.1/account/verify_credentials.json",
)


@pytest.fixture(scope="module")
def _signing() -> Iterator[Signing]:
    with signing() as provider:
        yield provider


@pytest.fixture
def old(_signing: Signing, settings: Any) -> Signing:
    _signing.__init__(_signing.url)  # type: ignore[misc]
    overrides = {"api.twitter.com": _signing.url}
    settings.AUTHKIT = {**settings.AUTHKIT, "SOCIAL_HOST_OVERRIDES": overrides}
    return _signing


@pytest.fixture
def row(old: Signing, offer: Any) -> Any:
    return _offered(offer)


def _offered(offer: Any, **fields: Any) -> Any:
    usual = {"kind": "other", "backend": "twitter", "issuer": "", "sign_up": "anyone"}
    usual |= {"client_id": Books.client_key, "secret": Books.client_secret}
    return offer(**{**usual, **fields})


@pytest.fixture
def vera(row: Any) -> Any:
    """Somebody who has linked her account of the provider, so that she signs in with it."""
    vera: Any = make_person("vera")
    identity = Identity("house", providers.find("house").issuer, "2244994945")
    told = {"digest": identity.digest, **asdict(identity)}
    times = dict.fromkeys(("created_at", "last_used_at"), timezone.now())
    SocialAccount.objects.create(user=vera, **told, **times)
    return vera


def _begun(visitor: Visitor) -> str:
    return str(visitor.begin()["authorization_url"])


def _refused(answer: Any, code: str = "social_state_not_valid", status: int = 403) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert not UserSession.objects.exists()


def test_a_client_signs_in_over_json(vera, old):
    answer = Visitor().sign_in(old)
    assert answer.status_code == 200, answer.content
    assert answer.json()["user"]["username"] == vera.get_username()
    assert old.asked == [REQUEST, ACCESS, ME]
    assert SpentState.objects.count() == 1


def test_a_browser_signs_in_by_redirects(vera, old):
    answer = Visitor().walk(old, next="/members/")
    assert (answer.status_code, answer["Location"]) == (302, "/members/")
    assert UserSession.objects.get().user_id == vera.pk


def test_a_new_person_has_no_address_that_the_provider_did_not_verify(row, old, superuser):
    old.person["email"] = superuser.email
    answer = Visitor().sign_in(old)
    if get_user_model().USERNAME_FIELD == "email":
        assert answer.json()["code"] == "social_email_needed"
        return
    assert answer.json()["user"]["email"] == ""
    assert SocialAccount.objects.get().subject == "2244994945"


def test_somebody_signed_in_links_an_account(row, old, person):
    visitor = signed_in(person, "session")
    assert visitor.sign_in(old, link=True).status_code == 200
    assert SocialAccount.objects.get().user_id == person.pk


def test_what_travels_is_signed_in_the_header_and_the_state_is_in_the_callback(vera, old):
    visitor = Visitor()
    begun = visitor.begin()
    query = query_of(begun["authorization_url"])
    assert begun["authorization_url"].startswith("https://api.twitter.com/oauth/authenticate?")
    assert query["redirect_uri"].endswith(f"/callback/?state={begun['state']}")
    (written,) = old.books.requested.values()
    assert written["callback"] == query["redirect_uri"]
    assert written["secret"] not in str(begun)
    assert visitor.complete(old.authorize(begun["authorization_url"])).status_code == 200
    assert "oauth_verifier" in old.headers[ACCESS]["Authorization"]
    assert "oauth_verifier" not in old.headers[ME]["Authorization"]
    assert "oauth_callback" not in old.headers[ME]["Authorization"]


def test_an_app_completes_with_its_own_redirect_uri(vera, old, row):
    row.redirect_uris = ["app.example:/back?a=b"]
    row.save()
    visitor = Visitor()
    begun = visitor.begin(redirect_uri="app.example:/back?a=b")
    back = old.authorize(begun["authorization_url"])
    assert back.pop("a") == "b"
    assert visitor.complete(back).status_code == 200


def test_another_browser_cannot_complete(vera, old):
    back = old.authorize(_begun(Visitor()))
    _refused(Visitor().complete(back))
    other = Visitor()
    _begun(other)
    _refused(other.complete(back))
    assert ACCESS not in old.asked


def test_who_began_cannot_end_it_as_the_person_who_agreed(vera, old):
    """The session fixation of OAuth 1.0: the verifier went to the other's browser alone."""
    attacker = Visitor()
    back = old.authorize(_begun(attacker))  # by the victim, led there
    for verifier in (None, "", "guess", " "):
        given = {**back, "oauth_verifier": verifier}
        answer = attacker.complete({name: v for name, v in given.items() if v is not None})
        assert answer.status_code in {400, 403}
    assert not UserSession.objects.exists()
    assert ME not in old.asked


def test_a_token_of_another_sign_in_is_refused(vera, old):
    """The attacker's own token with the victim's state, and the other way round."""
    victim, attacker = Visitor(), Visitor()
    mine, theirs = old.authorize(_begun(victim)), old.authorize(_begun(attacker))
    _refused(victim.complete({**theirs, "state": mine["state"]}))
    _refused(attacker.complete({**mine, "state": theirs["state"]}))
    assert ACCESS not in old.asked


@pytest.mark.parametrize("missing", ["state", "oauth_token", "oauth_verifier"])
def test_nothing_of_it_may_be_missing(vera, old, missing):
    visitor = Visitor()
    back = old.authorize(_begun(visitor))
    del back[missing]
    assert visitor.complete(back).status_code in {400, 403}
    assert visitor.client.get("/auth/social/house/callback/", back).status_code == 403
    assert ACCESS not in old.asked


def test_a_replay_is_refused(vera, old):
    visitor = Visitor()
    begun = visitor.begin()
    back = {**old.authorize(begun["authorization_url"]), "transaction": begun["transaction"]}
    assert visitor.complete(back).status_code == 200
    UserSession.objects.all().delete()
    _refused(visitor.complete(back))
    assert old.asked.count(ACCESS) == 1


def test_one_provider_does_not_complete_what_another_began(vera, old, offer):
    _offered(offer, slug="other")
    visitor = Visitor()
    begun = visitor.begin()
    back = {**old.authorize(begun["authorization_url"]), "transaction": begun["transaction"]}
    _refused(visitor.complete(back, "other"))


def test_a_link_is_not_completed_as_a_sign_in(row, old, person):
    visitor = signed_in(person, "session")
    begun = visitor.begin(link=True)
    back = {**old.authorize(begun["authorization_url"]), "transaction": begun["transaction"]}
    before = UserSession.objects.count()
    answer = Visitor().complete(back)
    assert (answer.status_code, answer.json()["code"]) == (403, "social_wrong_person")
    assert UserSession.objects.count() == before
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("problem", ["denied", "user_refused", "access_denied"])
def test_saying_no_is_a_clear_refusal_and_spends_the_sign_in(vera, old, problem):
    visitor = Visitor()
    back = old.deny(_begun(visitor))
    if problem != "denied":
        del back["denied"]
        back["error" if problem == "access_denied" else "oauth_problem"] = problem
    _refused(visitor.complete(back), "social_declined")
    assert AuditEvent.objects.get(kind="login.failed").data["reason"] == "authorization_declined"
    _refused(visitor.complete(back))
    assert ACCESS not in old.asked


def test_saying_no_is_a_page_for_a_browser(vera, old):
    visitor = Visitor()
    begun = visitor.client.get("/auth/social/house/login/")
    answer = visitor.client.get("/auth/social/house/callback/", old.deny(begun["Location"]))
    assert (answer.status_code, b"You cancelled" in answer.content) == (403, True)


def test_a_parameter_that_stands_twice_is_none(vera, old):
    visitor = Visitor()
    begun = visitor.client.get("/auth/social/house/login/")
    back = old.authorize(begun["Location"])
    query = "&".join(f"{name}={value}" for name, value in back.items())
    again = f"/auth/social/house/callback/?{query}&oauth_token={back['oauth_token']}"
    assert visitor.client.get(again).status_code == 403
    assert ACCESS not in old.asked


def test_a_wrong_secret_is_told_before_anybody_is_sent_away(old, offer):
    _offered(offer, secret="another secret")
    answer = Visitor().post(BEGIN, {})
    assert (answer.status_code, answer.json()["code"]) == (502, "provider_misconfigured")


def _tried(old: Signing, row: Any) -> list[tuple[str, str]]:
    """What the button in the admin says."""
    boss: Any = make_person("boss", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(boss)
    answer = client.post(f"/admin/authkit/socialprovider/{row.pk}/try/", follow=True)
    return [(each.level_tag, str(each)) for each in answer.context["messages"]]


def test_a_good_provider_passes_its_test(old, row):
    found = _tried(old, row)
    assert [level for level, _ in found] == ["success", "success"]
    assert "it gave a request token" in found[-1][1]
    (written,) = old.books.requested.values()
    assert written["callback"].startswith("http://testserver/auth/social/house/callback/?state=")


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (None, "does not take the client id"),
        (lambda: as_form({"oauth_token": "t", "oauth_token_secret": "s"}), "without the “a”"),
        (lambda: ({}, "<script>", 200), "something else"),
        (lambda: as_json({}, 503), "does not answer"),
    ],
)
def test_what_is_wrong_is_said_in_words(old, offer, lie, words):
    row = _offered(offer, secret="another secret" if lie is None else Books.client_secret)
    if lie is not None:
        old.lies[REQUEST] = lie
    level, text = _tried(old, row)[-1]
    assert (level, words in text) == ("error", True), text
    assert "script" not in text


TOKEN = {"oauth_token": "token", "oauth_token_secret": "secret"}
GOOD = {**TOKEN, "oauth_callback_confirmed": "true"}


@pytest.mark.parametrize(
    "lie",
    [
        lambda: as_form(TOKEN),  # OAuth 1.0 without the "a"
        lambda: as_form({**GOOD, "oauth_callback_confirmed": "false"}),
        lambda: as_form({**GOOD, "oauth_token": ""}),
        lambda: as_form({**GOOD, "oauth_token_secret": ""}),
        lambda: as_form({**GOOD, "oauth_token": "x" * 513}),
        lambda: as_form({**GOOD, "oauth_token": "\U0001f600" * 512}),
        lambda: as_form({**GOOD, "oauth_token_secret": "\x01" * 512}),
        lambda: as_form({**GOOD, "oauth_token_secret": '"' * 512}),
        lambda: as_form([*GOOD.items(), ("oauth_token", "other")]),
        lambda: as_form([(f"n{number}", "x") for number in range(100)]),
        lambda: ({"Content-Type": "text/plain"}, "\x00%ff=%fe&" * 9, 200),
        lambda: as_json(GOOD),
        lambda: ({}, "", 200),
        lambda: ({}, "x" * (1024 * 1024 + 1), 200),
        lambda: ({"Location": "https://evil.example/"}, "", 302),
        lambda: as_form({"oauth_problem": "consumer_key_unknown"}),
        lambda: ({}, "", 500),
    ],
)
def test_a_request_token_that_does_not_hold_begins_nothing(row, old, lie):
    old.lies[REQUEST] = lie
    visitor = Visitor()
    answer = visitor.post(BEGIN, {})
    assert answer.status_code in {502, 503}, answer.content
    assert "authkit_social" not in str(visitor.client.cookies)


@pytest.mark.parametrize(
    ("path", "lie"),
    [
        (ACCESS, lambda: as_form({"oauth_token": "token"})),
        (ACCESS, lambda: as_json(TOKEN)),
        (ACCESS, lambda: ({}, "<html>", 200)),
        (ACCESS, lambda: ({"Location": "/elsewhere"}, "", 302)),
        (ACCESS, lambda: as_form({"oauth_problem": "token_rejected"}, 401)),
        (ME, lambda: as_json([])),
        (ME, lambda: as_json({"id": None, "name": "x", "screen_name": "x"})),
        (ME, lambda: as_json({"id": {"a": 1}, "name": "x", "screen_name": "x"})),
        (ME, lambda: as_json({"id": True, "name": "x", "screen_name": "x"})),
        (ME, lambda: as_json({"id": 2244994945})),
        (ME, lambda: ({}, "no JSON", 200)),
    ],
)
def test_an_answer_that_does_not_hold_signs_nobody_in(vera, old, path, lie):
    visitor = Visitor()
    back = old.authorize(_begun(visitor))
    old.lies[path] = lie
    assert visitor.complete(back).status_code in {403, 502}
    assert not UserSession.objects.exists()


@pytest.mark.parametrize("path", [REQUEST, ACCESS, ME])
def test_a_provider_that_hangs_is_given_up(vera, old, settings, path):
    settings.AUTHKIT = {**settings.AUTHKIT, "SOCIAL_TIMEOUT": 1}
    visitor = Visitor()
    back = {} if path == REQUEST else old.authorize(_begun(visitor))
    old.lies[path] = lambda: None
    answer = visitor.post(BEGIN, {}) if path == REQUEST else visitor.complete(back)
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")


@pytest.mark.parametrize(
    ("backend", "host", "credentials", "subject"),
    [
        ("evernote", "www.evernote.com", {"edam_userId": "123841"}, "123841"),
        ("flickr", "www.flickr.com", {"user_nsid": "7@N01", "username": "f"}, "7@N01"),
    ],
)
def test_what_comes_beside_the_token_is_kept_and_the_token_is_not(
    old, offer, settings, backend, host, credentials, subject
):
    """Backends that read who it is from the answer that holds the tokens."""
    settings.AUTHKIT = {**settings.AUTHKIT, "SOCIAL_HOST_OVERRIDES": {host: old.url}}
    _offered(offer, backend=backend)
    old.credentials = credentials
    answer = Visitor().sign_in(old)
    if get_user_model().USERNAME_FIELD == "email":
        assert answer.json()["code"] == "social_email_needed"
        return
    assert answer.status_code == 200, answer.content
    account = SocialAccount.objects.get()
    assert account.subject == subject
    for each in (*old.books.access, *old.books.access.values()):
        assert each not in str(account.__dict__)


@pytest.mark.parametrize("profile", ["", "<a", "<a/>", "no XML", '<!DOCTYPE a [<!ENTITY b "c">]>'])
def test_a_profile_that_is_no_good_xml_signs_nobody_in(old, offer, settings, profile):
    overrides = dict.fromkeys(("www.tripit.com", "api.tripit.com"), old.url)
    settings.AUTHKIT = {**settings.AUTHKIT, "SOCIAL_HOST_OVERRIDES": overrides}
    _offered(offer, backend="tripit")
    old.lies["/v1/get/profile"] = lambda: ({"Content-Type": "text/xml"}, profile, 200)
    _refused(Visitor().sign_in(old), "provider_not_believed", 502)


def test_a_provider_of_the_settings_signs_in(old, vera, settings):
    SocialAccount.objects.all().delete()
    settings.AUTHENTICATION_BACKENDS = [
        "authkit.backends.AuthkitBackend",
        "social_core.backends.twitter.TwitterOAuth",
    ]
    settings.SOCIAL_AUTH_TWITTER_KEY = Books.client_key
    settings.SOCIAL_AUTH_TWITTER_SECRET = Books.client_secret
    assert [each[0] for each in providers.on_offer()] == ["house", "twitter"]
    answer = Visitor().sign_in(old, "twitter")
    assert answer.json()["code"] == "social_sign_up_closed" or answer.status_code == 202


def test_tokens_are_kept_sealed_and_only_where_asked(vera, old, row, caplog):
    caplog.set_level(logging.DEBUG)
    assert Visitor().sign_in(old).status_code == 200
    with pytest.raises(provider_tokens.NoTokens):
        provider_tokens.access_token_of(SocialAccount.objects.get())
    row.keeps_tokens = True
    row.save()
    assert Visitor().sign_in(old).status_code == 200
    account = SocialAccount.objects.get()
    token = provider_tokens.access_token_of(account)
    secret = provider_tokens.access_token_secret_of(account)
    assert old.books.access[token] == secret
    shown = f"{account.__dict__} {list(AuditEvent.objects.values())}"
    for each in (*old.books.access, *old.books.access.values()):
        assert each not in shown
    for each in (*old.books.access.values(), Books.client_secret):
        assert each not in caplog.text
