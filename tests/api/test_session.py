"""``session/``: a cookie for browsers."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.test import override_settings
from django.utils import timezone

from authkit.models import UserSession
from tests.api.callers import Caller, bearer, browser, sign_in, stranger, who, with_cookie
from tests.api.world import Clock
from tests.people import PASSWORD, make_person

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = [pytest.mark.urls("tests.api.urls"), pytest.mark.django_db]

ENGINES = ["db", "cached_db", "cache", "file", "signed_cookies"]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Django keeps its sessions in this way."""
    name = f"django.contrib.sessions.backends.{request.param}"
    with override_settings(SESSION_ENGINE=name, SESSION_FILE_PATH=str(tmp_path)):
        from_django: Any = import_module(name)
        yield from_django.SessionStore


def credentials(person: AbstractUser) -> dict[str, str]:
    return {"username": person.get_username(), "password": PASSWORD}


# What the contract says


def test_get_answers_null_to_a_stranger_and_sets_the_csrf_cookie():
    response = stranger().get("/auth/session/")
    assert response.status_code == 200
    assert response.json() == {"user": None}
    assert response.cookies["csrftoken"].value
    assert settings.SESSION_COOKIE_NAME not in response.cookies


def test_post_answers_user_and_session_and_sets_the_cookie(person: AbstractUser):
    caller = browser()
    response = caller.post("/auth/session/", credentials(person))
    assert response.status_code == 200
    user, session = response.json()["user"], response.json()["session"]
    assert {"id", "username", "email"} <= user.keys()
    assert str(user["id"]) == str(person.pk)
    assert user["username"] == person.get_username()
    assert user["email"] == person.email
    assert session["kind"] == "session"
    stored = UserSession.objects.get(pk=session["id"])
    assert datetime.fromisoformat(session["expires_at"]) == stored.expires_at
    morsel = response.cookies[settings.SESSION_COOKIE_NAME]
    assert morsel["httponly"]
    assert morsel["samesite"] == "Lax"
    assert caller.get("/auth/session/").json()["user"]["id"] == user["id"]


def test_delete_answers_204_and_asks_the_browser_to_forget(person: AbstractUser):
    caller = sign_in("session", person)
    response = caller.delete("/auth/session/")
    assert response.status_code == 204
    assert response.content == b""
    assert response["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert response["Cache-Control"] == "no-store"
    assert caller.cookie is None
    assert UserSession.objects.get().revoked_reason == "signed_out"


def test_delete_without_a_session_is_204_too():
    assert browser().delete("/auth/session/").status_code == 204


def test_a_signed_out_cookie_is_dead(person: AbstractUser):
    caller = sign_in("session", person)
    key = caller.cookie
    caller.delete("/auth/session/")
    for path in ("/api/open/", "/api/closed/", "/plain/", "/async/", "/auth/me/"):
        assert with_cookie(key).get(path).status_code == 401
    assert with_cookie(key).get("/auth/session/").json() == {"user": None}


def test_a_get_changes_nothing(person: AbstractUser):
    caller = sign_in("session", person)
    for _ in range(3):
        caller.get("/auth/session/")
    assert who(caller.get("/plain/")) == str(person.pk)
    assert UserSession.objects.count() == 1


# CSRF


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(
    "header", [None, "Bearer x", "Token x", "Basic x", "live token", "live jwt", "stale token"]
)
def test_signing_in_and_out_by_cookie_needs_a_csrf_token_whatever_else_is_sent(
    header: str | None, method: str, person: AbstractUser
):
    caller = sign_in("session", person) if method == "DELETE" else browser()
    if header is not None and header.startswith("live"):
        header = sign_in(header.split()[1], person).authorization
    elif header == "stale token":
        gone = sign_in("token", person)
        gone.delete("/auth/token/")
        header = gone.authorization
    before = UserSession.objects.filter(revoked_at=None).count()
    caller.authorization = header
    refused = caller.call(method, "/auth/session/", credentials(person), csrf=False)
    assert refused.status_code == 403
    assert refused.json()["code"] == "csrf_failed"
    assert UserSession.objects.filter(revoked_at=None).count() == before
    accepted = caller.call(method, "/auth/session/", credentials(person))
    assert accepted.status_code in {200, 204}


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://testserver.evil.example"]
)
def test_signing_in_from_another_origin_is_refused(origin: str, person: AbstractUser):
    caller = browser()
    response = caller.post("/auth/session/", credentials(person), headers={"Origin": origin})
    assert response.status_code == 403
    assert caller.cookie is None


def test_over_https_the_referer_is_looked_at(person: AbstractUser):
    caller = browser()
    elsewhere = {"Referer": "https://evil.example/"}
    body = credentials(person)
    response = caller.call("POST", "/auth/session/", body, headers=elsewhere, secure=True)
    assert response.status_code == 403


def test_the_csrf_token_is_a_new_one_after_signing_in(person: AbstractUser):
    caller = browser()
    before = caller.client.cookies["csrftoken"].value
    caller.post("/auth/session/", credentials(person))
    assert caller.client.cookies["csrftoken"].value != before
    stale = caller.delete("/auth/session/", headers={"X-CSRFToken": before})
    assert stale.status_code == 403
    assert caller.delete("/auth/session/").status_code == 204


def test_signing_in_by_a_link_is_impossible(person: AbstractUser):
    name = person.get_username()
    response = browser().get(f"/auth/session/?username={name}&password={PASSWORD}")
    assert response.json() == {"user": None}
    assert not UserSession.objects.exists()


def test_a_form_of_another_site_cannot_sign_in(person: AbstractUser):
    """It can send neither JSON nor the header; `csrfmiddlewaretoken` in a form is not JSON."""
    caller = browser()
    token = caller.client.cookies["csrftoken"].value
    form = f"csrfmiddlewaretoken={token}&username={person.get_username()}&password={PASSWORD}"
    for content_type in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data"):
        response = caller.post("/auth/session/", form.encode(), content_type=content_type)
        assert response.status_code in {403, 415}
        response = caller.post(
            "/auth/session/", form.encode(), content_type=content_type, csrf=False
        )
        assert response.status_code in {400, 403, 415}
    assert not UserSession.objects.exists()


# The key


def test_the_session_key_is_new_after_each_sign_in_of_the_same_person_too(
    engine: Any, person: AbstractUser
):
    caller = browser()
    keys: list[str | None] = []
    for _ in range(3):
        assert caller.post("/auth/session/", credentials(person)).status_code == 200
        keys.append(caller.cookie)
        assert who(caller.get("/plain/")) == str(person.pk)
    assert len(set(keys)) == 3
    for dead in keys[:-1]:
        assert who(with_cookie(dead).get("/plain/")) != str(person.pk)
        assert who(with_cookie(dead).get("/api/closed/")) == 401
    assert UserSession.objects.filter(revoked_at=None).count() == 1


def test_signing_in_as_somebody_else_ends_the_sign_in_before(engine: Any, person: AbstractUser):
    bob = make_person("bob")
    caller = sign_in("session", person)
    key = caller.cookie
    assert caller.post("/auth/session/", credentials(bob)).status_code == 200
    assert who(caller.get("/plain/")) == str(bob.pk)
    assert who(with_cookie(key).get("/plain/")) != str(person.pk)
    assert who(with_cookie(key).get("/api/closed/")) == 401
    ended = UserSession.objects.get(user_id=person.pk)
    assert ended.revoked_reason == "replaced"


def test_people_may_take_turns_at_one_browser(engine: Any, person: AbstractUser):
    bob = make_person("bob")
    one, other = sign_in("session", person), sign_in("session", bob)
    for _ in range(2):
        for caller in (one, other):
            for somebody in (bob, person):
                answer = caller.post("/auth/session/", credentials(somebody))
                assert answer.status_code == 200
                assert who(caller.get("/plain/")) == str(somebody.pk)
    assert UserSession.objects.filter(revoked_at=None).count() == 2


def test_a_browser_signed_in_before_authkit_was_installed_signs_in_as_any_other(
    engine: Any, person: AbstractUser
):
    for name in ("bob", "carl"):
        caller = sign_in("session", make_person(name))
        UserSession.objects.filter(user__email__startswith=name).delete()
        assert caller.post("/auth/session/", credentials(person)).status_code == 200
        assert who(caller.get("/plain/")) == str(person.pk)


def test_the_key_of_an_anonymous_session_does_not_outlive_the_sign_in(
    engine: Any, person: AbstractUser
):
    store = engine()
    store["basket"] = ["apple"]
    store.save()
    caller = with_cookie(store.session_key)
    assert caller.post("/auth/session/", credentials(person)).status_code == 200
    assert caller.cookie != store.session_key
    assert who(with_cookie(store.session_key).get("/plain/")) is None
    assert engine(caller.cookie)["basket"] == ["apple"]


@pytest.mark.parametrize("key", ["a" * 32, "z" * 40, "../../../etc/passwd", "x", "'; --", "é" * 32])
def test_a_session_key_that_nobody_gave_out_is_never_adopted(
    key: str, engine: Any, person: AbstractUser
):
    caller = with_cookie(key)
    assert who(caller.get("/plain/")) is None
    assert caller.post("/auth/session/", credentials(person)).status_code == 200
    assert caller.cookie not in {None, key}
    assert who(with_cookie(key).get("/plain/")) is None


def test_the_key_of_anothers_sign_in_is_never_adopted(engine: Any, person: AbstractUser):
    """An attacker puts the cookie of a sign-in of their own into the victim's browser."""
    mallory = make_person("mallory")
    planted = sign_in("session", mallory).cookie
    victim = with_cookie(planted)
    assert victim.post("/auth/session/", credentials(person)).status_code == 200
    assert victim.cookie != planted
    assert who(victim.get("/plain/")) == str(person.pk)
    assert who(with_cookie(planted).get("/api/closed/")) == 401


def test_the_key_is_stored_as_a_digest_only(person: AbstractUser):
    caller = sign_in("session", person)
    key = str(caller.cookie)
    stored = UserSession.objects.get()
    assert stored.cookie_digest == hashlib.sha256(key.encode()).hexdigest()
    assert key not in str(UserSession.objects.values())


# Engines


def test_every_engine_signs_in_and_out_and_ends_from_elsewhere(engine: Any, person: AbstractUser):
    caller = sign_in("session", person)
    for path in ("/api/closed/", "/plain/", "/async/"):
        assert who(caller.get(path)) == str(person.pk)
    key = caller.cookie
    assert caller.delete("/auth/session/").status_code == 204
    assert who(with_cookie(key).get("/api/closed/")) == 401
    assert who(with_cookie(key).get("/plain/")) in {401, None}

    caller = sign_in("session", person)
    assert sign_in("jwt", person).delete(f"/auth/sessions/{caller.session_id}/").status_code == 204
    key = caller.cookie
    for path in ("/api/open/", "/api/closed/", "/plain/", "/async/"):
        assert who(with_cookie(key).get(path)) == 401


def test_a_session_that_django_has_lost_is_refused(person: AbstractUser):
    caller = sign_in("session", person)
    Session.objects.all().delete()
    for path in ("/api/open/", "/plain/"):
        assert who(with_cookie(caller.cookie).get(path)) == 401


@override_settings(SESSION_ENGINE="django.contrib.sessions.backends.cached_db")
def test_a_cached_session_does_not_outlive_its_sign_in(person: AbstractUser):
    caller = sign_in("session", person)
    caller.get("/plain/")
    UserSession.objects.update(revoked_at=timezone.now(), revoked_reason="test")
    assert who(caller.get("/api/closed/")) == 401


def test_a_signed_in_session_of_no_user_session_is_refused(engine: Any, person: AbstractUser):
    """As one that began before authkit was installed."""
    for path in ("/api/open/", "/plain/"):
        caller = sign_in("session", person)
        UserSession.objects.all().delete()
        assert who(caller.get(path)) == 401


def test_a_key_cycled_by_the_project_keeps_its_sign_in(engine: Any, person: AbstractUser):
    caller = sign_in("session", person)
    store = engine(caller.cookie)
    store.cycle_key()
    moved = with_cookie(store.session_key)
    assert who(moved.get("/plain/")) == str(person.pk)
    moved.delete("/auth/session/")
    assert who(with_cookie(store.session_key).get("/api/closed/")) == 401


def test_a_session_made_to_name_another_person_is_refused(person: AbstractUser):
    caller = sign_in("session", person)
    engine: Any = import_module(settings.SESSION_ENGINE)
    store = engine.SessionStore(caller.cookie)
    store[SESSION_KEY] = str(make_person("bob").pk)
    store.save()
    assert who(with_cookie(caller.cookie).get("/api/open/")) == 401


def test_a_session_of_a_backend_that_was_taken_out_is_refused(person: AbstractUser):
    caller = sign_in("session", person)
    with override_settings(AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.ModelBackend"]):
        assert who(caller.get("/api/open/")) == 401


# How long


def test_a_sign_in_ends_after_session_lifetime_whatever_the_cookie_says(
    person: AbstractUser, clock: Clock
):
    day = timedelta(days=1)
    with override_settings(AUTHKIT={"SESSION_LIFETIME": day}, SESSION_COOKIE_AGE=10 * 86_400):
        caller = sign_in("session", person)
        ends_at = datetime.fromisoformat(caller.answer["session"]["expires_at"])
        assert ends_at == clock.now + day
        for _ in range(23):
            clock.advance(hours=1)
            assert who(caller.get("/plain/")) == str(person.pk)
        clock.advance(minutes=59)
        assert who(caller.get("/plain/")) == str(person.pk)
        clock.advance(minutes=1)
        assert who(caller.get("/api/open/")) == 401


def test_a_cookie_that_has_run_out_in_django_is_refused(person: AbstractUser, clock: Clock):
    with override_settings(SESSION_COOKIE_AGE=3600):
        caller = sign_in("session", person)
        clock.advance(seconds=3599)
        assert who(caller.get("/plain/")) == str(person.pk)
        key = caller.cookie
        clock.advance(seconds=2)
        for path in ("/api/open/", "/plain/"):
            assert who(with_cookie(key).get(path)) == 401


def test_a_shorter_session_lifetime_counts_for_those_signed_in_already(
    person: AbstractUser, clock: Clock
):
    caller = sign_in("session", person)
    clock.advance(hours=2)
    assert who(caller.get("/plain/")) == str(person.pk)
    with override_settings(AUTHKIT={"SESSION_LIFETIME": 3600}):
        assert who(caller.get("/api/open/")) == 401


# Stale things


@pytest.mark.parametrize("header", ["Bearer x", "Token x", "Bearer a.b.c", "x", "Basic x"])
def test_a_stale_header_hinders_nobody_from_signing_in(header: str, person: AbstractUser):
    caller = browser()
    caller.authorization = header
    assert caller.get("/auth/session/").status_code == 200
    assert caller.post("/auth/session/", credentials(person)).status_code == 200


def test_a_stale_cookie_hinders_nobody_from_signing_in_or_out(engine: Any, person: AbstractUser):
    gone = sign_in("session", person)
    key = gone.cookie
    sign_in("token", person).delete(f"/auth/sessions/{gone.session_id}/")
    assert with_cookie(key).get("/auth/session/").json() == {"user": None}
    assert with_cookie(key).delete("/auth/session/").status_code == 204
    caller = with_cookie(key)
    assert caller.post("/auth/session/", credentials(person)).status_code == 200
    assert who(caller.get("/plain/")) == str(person.pk)


def test_a_cookie_is_no_bearer_token(person: AbstractUser):
    key = str(sign_in("session", person).cookie)
    for scheme in ("Bearer", "Token"):
        assert Caller(f"{scheme} {key}").get("/api/open/").status_code == 401
    assert bearer(key).get("/plain/").status_code == 401
