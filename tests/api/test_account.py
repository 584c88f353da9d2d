"""``me/``, ``sessions/`` and ``tokens/``: what is one's own."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model
from django.test import override_settings

from authkit.models import AuditEvent, BearerToken, UserSession
from tests.api.callers import (
    KINDS,
    SIGN_INS,
    bearer,
    personal,
    sign_in,
    stranger,
    who,
)
from tests.api.world import Clock
from tests.people import make_person

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = [pytest.mark.urls("tests.api.urls"), pytest.mark.django_db]

MODES = ["stateless", "denylist", "stateful"]


def stored(person: AbstractUser) -> Any:
    return get_user_model()._default_manager.get(pk=person.pk)


# me/


@pytest.mark.parametrize("kind", KINDS)
def test_me_tells_who_the_caller_is(kind: str, person: AbstractUser):
    response = sign_in(kind, person).get("/auth/me/")
    assert response.status_code == 200
    body = response.json()
    assert str(body["id"]) == str(person.pk)
    assert body["username"] == person.get_username()
    assert body["email"] == person.email
    assert response["Cache-Control"] == "no-store"
    assert {"Authorization", "Cookie"} <= set(response["Vary"].split(", "))


def test_me_shows_nothing_about_power_or_secrets(superuser: AbstractUser):
    for caller in (sign_in("token", superuser), sign_in("session", superuser)):
        body = caller.get("/auth/me/").json()
        allowed = {"id", "username", "email", "first_name", "last_name"}
        assert body.keys() <= allowed


@pytest.mark.default_user_only
@pytest.mark.parametrize("kind", SIGN_INS)
def test_profile_fields_can_be_edited(kind: str, person: AbstractUser):
    response = sign_in(kind, person).patch("/auth/me/", {"first_name": "Ada", "last_name": "L."})
    assert response.status_code == 200
    assert response.json()["first_name"] == "Ada"
    assert stored(person).get_full_name() == "Ada L."


@pytest.mark.parametrize("kind", SIGN_INS)
def test_nothing_else_can_be_edited(kind: str, person: AbstractUser):
    before = type(person)._default_manager.filter(pk=person.pk).values().get()
    wanted = {
        "id": 4711,
        "pk": 4711,
        "username": "root",
        "email": "root@example.com",
        "password": "x",
        "is_staff": True,
        "is_superuser": True,
        "is_active": False,
        "groups": [1],
        "user_permissions": [1],
        "last_login": "2000-01-01T00:00:00Z",
        "date_joined": "2000-01-01T00:00:00Z",
        "roles": ["administrator"],
    }
    caller = sign_in(kind, person)
    before = type(person)._default_manager.filter(pk=person.pk).values().get()
    assert caller.patch("/auth/me/", wanted).status_code == 200
    assert type(person)._default_manager.filter(pk=person.pk).values().get() == before


@pytest.mark.default_user_only
def test_a_profile_field_that_is_wrong_is_400_with_a_code(person: AbstractUser):
    caller = sign_in("token", person)
    wrongs: list[object] = ["x" * 151, "a\0b", None, [], {}, True]
    for wrong in wrongs:
        response = caller.patch("/auth/me/", {"first_name": wrong})
        assert response.status_code == 400, wrong
        assert response.json()["code"] == "invalid"
        assert "first_name" in response.json()
    assert stored(person).first_name == ""


@pytest.mark.default_user_only
def test_the_project_says_which_fields_are_the_profile(person: AbstractUser):
    with override_settings(AUTHKIT={"PROFILE_FIELDS": ["last_name"]}):
        caller = sign_in("token", person)
        body = caller.patch("/auth/me/", {"first_name": "A", "last_name": "B"}).json()
    assert "first_name" not in body
    assert (stored(person).first_name, stored(person).last_name) == ("", "B")


# sessions/


def test_sessions_lists_ones_own_live_sign_ins_and_marks_the_current(person: AbstractUser):
    sign_in("token", make_person("bob"))
    callers = {kind: sign_in(kind, person) for kind in SIGN_INS}
    gone = sign_in("token", person)
    gone.delete("/auth/token/")
    for kind, caller in callers.items():
        response = caller.get("/auth/sessions/")
        assert response.status_code == 200
        listed = response.json()
        assert {entry["id"] for entry in listed} == {c.session_id for c in callers.values()}
        for entry in listed:
            assert entry.keys() >= {
                "id",
                "kind",
                "created_at",
                "last_seen_at",
                "ip",
                "user_agent",
                "current",
            }
        assert [entry["kind"] for entry in listed if entry["current"]] == [kind]


def test_sessions_tells_from_where(person: AbstractUser):
    name = {"username": person.get_username(), "password": "correct horse battery staple"}
    how = {"headers": {"User-Agent": "a\tphone\r\n\x1b[31m"}, "REMOTE_ADDR": "2001:db8::1"}
    body = stranger().post("/auth/token/", name, **how).json()
    [listed] = bearer(body["token"]).get("/auth/sessions/").json()
    assert listed["ip"] == "2001:db8::1"
    assert listed["user_agent"] == "aphone[31m"


def test_sessions_shows_no_secret(person: AbstractUser):
    callers = [sign_in(kind, person) for kind in SIGN_INS]
    shown = callers[0].get("/auth/sessions/").content.decode()
    for row in UserSession.objects.all():
        for secret in (row.cookie_digest, row.credential_digest):
            assert secret is None or secret not in shown


def test_sessions_that_are_over_are_not_listed(person: AbstractUser, clock: Clock):
    with override_settings(AUTHKIT={"TOKEN_LIFETIME": 60, "SESSION_LIFETIME": 86_400}):
        sign_in("token", person)
        clock.advance(seconds=61)
        assert len(sign_in("token", person).get("/auth/sessions/").json()) == 1


@pytest.mark.parametrize("kind", SIGN_INS)
def test_one_device_can_be_signed_out(kind: str, person: AbstractUser):
    caller, other, third = (sign_in(each, person) for each in ("jwt", kind, "token"))
    assert caller.delete(f"/auth/sessions/{other.session_id}/").status_code == 204
    assert other.get("/api/closed/").status_code == 401
    assert who(third.get("/api/closed/")) == str(person.pk)
    assert caller.delete(f"/auth/sessions/{other.session_id}/").status_code == 404


@pytest.mark.parametrize("kind", SIGN_INS)
def test_ones_own_device_can_be_signed_out(kind: str, person: AbstractUser):
    caller = sign_in(kind, person)
    response = caller.delete(f"/auth/sessions/{caller.session_id}/")
    assert response.status_code == 204
    assert response.has_header("Clear-Site-Data") == (kind == "session")
    assert caller.cookie is None
    assert caller.get("/api/closed/").status_code == 401


def test_another_persons_session_is_not_found(person: AbstractUser):
    bob = sign_in("token", make_person("bob"))
    for kind in SIGN_INS:
        caller = sign_in(kind, person)
        for session_id in (bob.session_id, str(uuid.uuid4())):
            response = caller.delete(f"/auth/sessions/{session_id}/")
            assert response.status_code == 404
            assert response.json()["code"] == "not_found"
    assert bob.get("/api/closed/").status_code == 200


def test_an_administrators_own_api_reaches_nobody_elses_sessions(superuser: AbstractUser):
    bob = sign_in("token", make_person("bob"))
    caller = sign_in("token", superuser)
    assert caller.delete(f"/auth/sessions/{bob.session_id}/").status_code == 404
    assert caller.delete("/auth/sessions/").status_code == 204
    assert bob.get("/api/closed/").status_code == 200


@pytest.mark.parametrize("kind", SIGN_INS)
def test_delete_signs_out_everywhere(kind: str, person: AbstractUser):
    bob = sign_in("token", make_person("bob"))
    callers = [sign_in(each, person) for each in SIGN_INS]
    caller = sign_in(kind, person)
    response = caller.delete("/auth/sessions/")
    assert response.status_code == 204
    assert response.has_header("Clear-Site-Data") == (kind == "session")
    assert caller.cookie is None
    for each in (*callers, caller):
        assert each.get("/api/closed/").status_code == 401
    assert bob.get("/api/closed/").status_code == 200


@pytest.mark.parametrize("kind", SIGN_INS)
@pytest.mark.parametrize("value", ["true", "True", "1"])
def test_others_true_keeps_this_one(kind: str, value: str, person: AbstractUser):
    others = [sign_in(each, person) for each in SIGN_INS]
    caller = sign_in(kind, person)
    response = caller.delete(f"/auth/sessions/?others={value}")
    assert response.status_code == 204
    assert not response.has_header("Clear-Site-Data")
    assert who(caller.get("/api/closed/")) == str(person.pk)
    for other in others:
        assert other.get("/api/closed/").status_code == 401


@pytest.mark.parametrize("value", ["yes", "on", "tru", "2", ""])
def test_an_unclear_others_ends_nothing(value: str, person: AbstractUser):
    caller = sign_in("token", person)
    response = caller.delete(f"/auth/sessions/?others={value}")
    assert response.status_code == 400
    assert response.json()["code"] == "invalid"
    assert who(caller.get("/api/closed/")) == str(person.pk)


def test_signing_out_everywhere_leaves_personal_tokens(person: AbstractUser):
    script = personal(person)
    sign_in("token", person).delete("/auth/sessions/")
    assert who(script.get("/api/closed/")) == str(person.pk)


# tokens/


def test_post_makes_a_token_that_is_shown_once(person: AbstractUser):
    owner = sign_in("jwt", person)
    ends_at = (datetime.now(UTC) + timedelta(days=7)).replace(microsecond=0)
    given = {"name": "cron", "scopes": ["closed:read"], "expires_at": ends_at.isoformat()}
    response = owner.post("/auth/tokens/", given)
    assert response.status_code == 201
    assert response["Cache-Control"] == "no-store"
    made = response.json()
    assert made["token"].startswith("ak_")
    assert (made["name"], made["scopes"]) == ("cron", ["closed:read"])
    assert datetime.fromisoformat(made["expires_at"]) == ends_at
    [listed] = owner.get("/auth/tokens/").json()
    assert listed == {key: value for key, value in made.items() if key != "token"}
    assert made["token"][19:] not in str(listed)
    assert BearerToken.objects.get(name="cron").digest not in str(listed)
    event = AuditEvent.objects.get(kind="token.created")
    assert event.actor_id == person.pk


def test_tokens_lists_ones_own_live_personal_tokens_only(person: AbstractUser, clock: Clock):
    personal(make_person("bob"))
    kept = personal(person, name="kept")
    gone = personal(person, name="gone")
    personal(person, name="short", expires_at=(clock.now + timedelta(minutes=1)).isoformat())
    owner = sign_in("token", person)
    owner.delete(f"/auth/tokens/{gone.answer['id']}/")
    clock.advance(minutes=2)
    kept.get("/api/closed/")
    [listed] = owner.get("/auth/tokens/").json()
    assert listed["name"] == "kept"
    assert datetime.fromisoformat(listed["last_used_at"]) == clock.now


def test_delete_revokes_a_token(person: AbstractUser):
    script, owner = personal(person), sign_in("session", person)
    path = f"/auth/tokens/{script.answer['id']}/"
    assert owner.delete(path, csrf=False).status_code == 403
    assert owner.delete(path).status_code == 204
    response = script.get("/api/open/")
    assert response.status_code == 401
    assert response.json()["code"] == "token_not_valid"
    assert owner.delete(path).status_code == 404
    assert AuditEvent.objects.filter(kind="token.revoked").count() == 1


def test_another_persons_token_is_not_found(person: AbstractUser, superuser: AbstractUser):
    script = personal(make_person("bob"))
    for owner in (sign_in("token", person), sign_in("token", superuser)):
        response = owner.delete(f"/auth/tokens/{script.answer['id']}/")
        assert response.status_code == 404
        assert response.json()["code"] == "not_found"
    assert script.get("/api/closed/").status_code == 200


def test_the_token_of_a_sign_in_is_no_personal_token(person: AbstractUser):
    caller, owner = sign_in("token", person), sign_in("jwt", person)
    assert owner.get("/auth/tokens/").json() == []
    assert owner.delete(f"/auth/tokens/{caller.token[3:19]}/").status_code == 404
    assert caller.get("/api/closed/").status_code == 200


@pytest.mark.parametrize("scopes", [None, ["*:*"], ["authkit.*:*"]])
def test_a_personal_access_token_can_neither_mint_nor_list_nor_manage(
    scopes: list[str] | None, person: AbstractUser
):
    script, other = personal(person, scopes=scopes), personal(person)
    session_id = sign_in("token", person).session_id
    before = BearerToken.objects.count(), UserSession.objects.filter(revoked_at=None).count()
    for method, path, body in (
        ("POST", "/auth/tokens/", {"name": "more"}),
        ("POST", "/auth/tokens/", {}),
        ("GET", "/auth/tokens/", None),
        ("DELETE", f"/auth/tokens/{other.answer['id']}/", None),
        ("DELETE", f"/auth/tokens/{script.answer['id']}/", None),
        ("GET", "/auth/sessions/", None),
        ("DELETE", "/auth/sessions/", None),
        ("DELETE", "/auth/sessions/?others=true", None),
        ("DELETE", f"/auth/sessions/{session_id}/", None),
        ("PATCH", "/auth/me/", {"first_name": "Eve"}),
    ):
        response = script.call(method, path, body)
        assert response.status_code == 403, (method, path)
        assert response.json()["code"] == "insufficient_scope"
        assert 'error="insufficient_scope"' in response["WWW-Authenticate"]
    after = BearerToken.objects.count(), UserSession.objects.filter(revoked_at=None).count()
    assert after == before
    assert script.get("/auth/me/").status_code == 200


@pytest.mark.parametrize(
    "scopes",
    [
        "api.article:read",
        ["api.article"],
        ["read"],
        [":"],
        ["api.article:"],
        [":read"],
        ["api article:read"],
        ["/api/.*:read"],
        ["api.(a|b)+:read"],
        ["é:read"],
        [""],
        [None],
        [1],
        [["api.article:read"]],
        [{}],
        {"a": "b"},
        1,
        True,
        ["a" * 201 + ":read"],
        ["api.article:read"] * 101,
    ],
)
def test_scopes_are_of_the_language_of_access_or_refused(scopes: Any, person: AbstractUser):
    owner = sign_in("token", person)
    response = owner.post("/auth/tokens/", {"name": "cron", "scopes": scopes})
    assert response.status_code == 400
    assert response.json()["code"] == "invalid"
    assert "scopes" in response.json()
    assert BearerToken.objects.filter(session=None).count() == 0


@pytest.mark.parametrize(
    ("scope", "unknown"),
    [
        ("clsed:read", "clsed:read"),
        ("closed:publsh", "closed:publsh"),
        ("closed:GET,publsh", "closed:publsh"),
        ("nowhere.*:read", "nowhere.*:read"),
        ("authkit.*:publsh", "authkit.*:publsh"),
    ],
)
def test_a_scope_that_reaches_nothing_is_refused_by_name(
    scope: str, unknown: str, person: AbstractUser
):
    """A mistyped one would lie in wait for an endpoint that fits it one day."""
    body = {"name": "cron", "scopes": ["closed:read", scope]}
    response = sign_in("token", person).post("/auth/tokens/", body)
    assert response.status_code == 400
    assert response.json()["scopes"] == [f"No endpoint has what this is about: {unknown}."]
    assert BearerToken.objects.filter(session=None).count() == 0


@pytest.mark.parametrize("scopes", [None, ["*:*"], ["closed:read", "authkit.*:read"]])
def test_scopes_come_back_as_they_were_given(scopes: list[str] | None, person: AbstractUser):
    script = personal(person, scopes=scopes)
    assert script.answer["scopes"] == scopes
    auth = script.get("/api/closed/").renderer_context["request"].auth
    assert auth.scopes == (None if scopes is None else tuple(scopes))


@pytest.mark.parametrize(
    "expires_at",
    [
        "2000-01-01T00:00:00Z",
        "yesterday",
        "",
        1,
        True,
        [],
        {},
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2999-13-01T00:00:00Z",
        "9" * 400,
    ],
)
def test_an_end_that_is_over_or_no_time_is_refused(expires_at: Any, person: AbstractUser):
    owner = sign_in("token", person)
    response = owner.post("/auth/tokens/", {"name": "cron", "expires_at": expires_at})
    assert response.status_code == 400, response.content
    assert response.json()["code"] == "invalid"


@pytest.mark.parametrize("name", [None, "", " ", "x" * 101, "a\0b", [], {}, True])
def test_a_name_is_needed_and_short(name: Any, person: AbstractUser):
    response = sign_in("token", person).post("/auth/tokens/", {"name": name})
    assert response.status_code == 400
    assert "name" in response.json()


def test_a_name_may_be_of_any_script(person: AbstractUser):
    for name in ("резервна копія", "バックアップ", "🗄️ nightly", "'; DROP TABLE--", "<b>x</b>"):
        assert personal(person, name=name).answer["name"] == name


def test_a_personal_token_ends_when_it_says(person: AbstractUser, clock: Clock):
    ends_at = clock.now + timedelta(hours=1)
    script = personal(person, expires_at=ends_at.isoformat())
    clock.advance(seconds=3599)
    assert who(script.get("/api/open/")) == str(person.pk)
    clock.advance(seconds=1)
    assert script.get("/api/open/").status_code == 401


def test_a_personal_token_outlives_the_sign_in_that_made_it(person: AbstractUser, clock: Clock):
    script = personal(person)
    clock.advance(days=400)
    assert who(script.get("/api/open/")) == str(person.pk)


def test_there_is_a_limit_and_a_deleted_token_makes_room(person: AbstractUser):
    with override_settings(AUTHKIT={"PERSONAL_TOKEN_LIMIT": 2}):
        first = personal(person)
        personal(person)
        personal(make_person("bob"))
        owner = sign_in("token", person)
        response = owner.post("/auth/tokens/", {"name": "third"})
        assert response.status_code == 403
        assert response.json()["code"] == "too_many_tokens"
        owner.delete(f"/auth/tokens/{first.answer['id']}/")
        assert owner.post("/auth/tokens/", {"name": "third"}).status_code == 201


def test_a_personal_token_dies_with_the_password(person: AbstractUser):
    script = personal(person)
    person.set_password("another")
    person.save()
    assert script.get("/api/open/").status_code == 401


def test_a_personal_token_dies_with_deactivation_and_deletion(person: AbstractUser):
    script, of_bob = personal(person), personal(bob := make_person("bob"))
    person.is_active = False
    person.save()
    bob.delete()
    for each in (script, of_bob):
        assert each.get("/api/open/").status_code == 401


# What a sign-in that has ended may still do: nothing that lasts


@pytest.mark.parametrize("mode", MODES)
def test_the_access_token_of_an_ended_sign_in_manages_nothing(mode: str, person: AbstractUser):
    """In stateless mode it may read for some minutes more, and leave nothing behind."""
    with override_settings(AUTHKIT={"JWT_REVOCATION": mode, "MAX_STALENESS": 60}):
        caller, other = sign_in("jwt", person), sign_in("token", person)
        script = personal(person)
        other.delete(f"/auth/sessions/{caller.session_id}/")
        for method, path, body in (
            ("POST", "/auth/tokens/", {"name": "for ever"}),
            ("GET", "/auth/tokens/", None),
            ("DELETE", f"/auth/tokens/{script.answer['id']}/", None),
            ("GET", "/auth/sessions/", None),
            ("DELETE", "/auth/sessions/", None),
            ("DELETE", f"/auth/sessions/{other.session_id}/", None),
            ("PATCH", "/auth/me/", {"first_name": "Eve"}),
        ):
            response = caller.call(method, path, body)
            assert response.status_code == 401, (method, path)
            assert response.json()["code"] == "session_ended"
            assert 'error="invalid_token"' in response["WWW-Authenticate"]
        assert script.get("/api/closed/").status_code == 200
        assert other.get("/api/closed/").status_code == 200
        assert not BearerToken.objects.filter(name="for ever").exists()


@pytest.mark.parametrize("mode", MODES)
def test_the_access_token_of_a_deleted_person_manages_nothing(mode: str, person: AbstractUser):
    with override_settings(AUTHKIT={"JWT_REVOCATION": mode, "MAX_STALENESS": 60}):
        caller = sign_in("jwt", person)
        person.delete()
        for method, path, body in (
            ("GET", "/auth/me/", None),
            ("PATCH", "/auth/me/", {"first_name": "Eve"}),
            ("PATCH", "/auth/me/", {}),
            ("POST", "/auth/tokens/", {"name": "for ever"}),
            ("GET", "/auth/sessions/", None),
        ):
            response = caller.call(method, path, body)
            assert response.status_code == 401, (method, path, response.content)
