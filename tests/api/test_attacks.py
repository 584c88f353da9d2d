"""Ways in that were found by attacking, each closed."""

from __future__ import annotations

import copy
import pickle

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from authkit import sessions, tokens
from authkit.jwt.resolve import resolve
from authkit.jwt.tokens import mint_pair
from authkit.models import BearerToken
from authkit.testing import client_for
from tests.people import make_person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.urls_of_attacks")]


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


def personal(person, scopes=None):
    return tokens.issue_personal(person, name="script", scopes=scopes, now=timezone.now()).text


@pytest.mark.parametrize("path", ["/stock/", "/stock-then-token/"])
def test_a_scoped_token_does_not_pass_as_a_cookie_in_views_of_stock_classes(person, path):
    headers = bearer(personal(person, ["authkit.me:read"]))
    for method in ("get", "post"):
        answer = getattr(Client(), method)(path, headers=headers)
        assert answer.status_code in {401, 403}


def test_a_jwt_does_not_pass_as_a_cookie_where_no_class_takes_it(person):
    pair = mint_pair(sessions.start(person, "jwt", now=timezone.now()), person)
    assert Client().get("/stock-then-token/", headers=bearer(pair.access)).status_code == 401


def test_a_write_by_cookie_needs_its_csrf_token_whatever_header_comes_along(person):
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    for text in (personal(make_person("mallory")), "garbage"):
        assert client.post("/stock/", headers=bearer(text)).status_code == 401


def test_a_signed_out_jwt_mints_nothing_in_the_admin_site(settings):
    settings.AUTHKIT = {"JWT_REVOCATION": "stateless"}
    boss = make_person("boss", is_staff=True, is_superuser=True)
    client = client_for(boss, "jwt")
    assert client.get("/admin/authkit/bearertoken/add/").status_code == 200
    assert client.delete("/auth/jwt/").status_code == 204
    form = {"user": boss.get_username(), "name": "for ever", "scopes": ""}
    refused = client.post("/admin/authkit/bearertoken/add/", form, format="multipart")
    assert refused.status_code == 403
    assert not BearerToken.objects.filter(session=None).exists()


@pytest.mark.parametrize("path", ["/plain/", "/auth/me/", "/auth/session/", "/stock/"])
def test_a_cookie_that_no_session_can_have_is_no_outage(path):
    client = Client()
    client.cookies[django_settings.SESSION_COOKIE_NAME] = "aaaaaaaa\0b"
    assert client.get(path).status_code < 500


def test_an_ended_session_is_sent_nowhere_else(person):
    client = Client()
    client.force_login(person)
    sessions.end_all_of(person.pk, reason="test", now=timezone.now())
    answer = client.get("/x", PATH_INFO="//evil.example/x", headers={"Accept": "text/html"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/%2F")


def test_invented_methods_reach_nothing_and_are_not_remembered(person):
    headers = bearer(personal(person, ["*:*"]))
    assert Client().generic("M0001", "/plain/", headers=headers).status_code == 403


def test_a_token_revoked_while_its_owner_is_deactivated_stays_revoked(person):
    text = personal(person)
    get_user_model()._default_manager.filter(pk=person.pk).update(is_active=False)
    assert Client().post("/auth/revoke/", {"token": text}).status_code == 415
    form = "application/x-www-form-urlencoded"
    assert Client().post("/auth/revoke/", f"token={text}", content_type=form).status_code == 200
    get_user_model()._default_manager.filter(pk=person.pk).update(is_active=True)
    assert Client().get("/auth/me/", headers=bearer(text)).status_code == 401


@pytest.mark.parametrize("kind", ["token", "jwt"])
def test_djangos_logout_ends_the_credential_it_came_with(person, kind):
    client = client_for(person, kind)
    assert client.post("/logout/").status_code == 200
    assert client.get("/auth/me/").status_code == 401


def test_a_strangers_page_that_asked_for_the_user_varies_by_cookie():
    assert "Cookie" in Client().get("/plain/")["Vary"]


def test_a_page_for_a_bearer_varies_by_authorization(person):
    assert "Authorization" in Client().get("/plain/", headers=bearer(personal(person)))["Vary"]


def test_the_user_of_a_jwt_can_be_copied_and_pickled(person):
    pair = mint_pair(sessions.start(person, "jwt", now=timezone.now()), person)
    for duplicate in (copy.copy, lambda user: pickle.loads(pickle.dumps(user))):  # noqa: S301 - our own
        user, _ = resolve(pair.access, now=timezone.now().timestamp())
        assert duplicate(user).get_username() == person.get_username()
        assert user.get_username() == person.get_username()


def test_the_user_of_a_jwt_is_refused_at_every_touch(person):
    pair = mint_pair(sessions.start(person, "jwt", now=timezone.now()), person)
    get_user_model()._default_manager.filter(pk=person.pk).update(is_active=False)
    user, _ = resolve(pair.access, now=timezone.now().timestamp())
    for _time in range(3):
        with pytest.raises(Exception, match="ended"):
            user.password  # noqa: B018 - the touch is the test


def test_a_function_view_at_login_url_asks_for_the_csrf_token(settings):
    settings.LOGIN_URL = "/plain/"
    client = Client(enforce_csrf_checks=True)
    assert client.post("/plain/", headers=bearer("garbage")).status_code == 403


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59", "0001-01-01T00:00:00", "9999-12-31"])
def test_days_that_a_time_zone_does_not_have_are_bad_input(person, settings, moment):
    for settings.TIME_ZONE in ("America/Chicago", "Asia/Tokyo"):
        body = {"name": "x", "expires_at": moment}
        assert client_for(person, "jwt").post("/auth/tokens/", body).status_code == 400
