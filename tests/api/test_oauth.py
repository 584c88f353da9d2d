"""``introspect/`` (RFC 7662) and ``revoke/`` (RFC 7009)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import override_settings

from authkit import signals
from authkit.models import UserSession
from tests.api.callers import KINDS, Caller, bearer, browser, personal, sign_in, stranger, who
from tests.api.world import Clock
from tests.people import make_person

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = [pytest.mark.urls("tests.api.urls"), pytest.mark.django_db]
committed = pytest.mark.django_db(transaction=True)

INACTIVE = b'{"active":false}'
FORM = "application/x-www-form-urlencoded"


def introspect(caller: Caller, text: str) -> Any:
    return caller.post("/auth/introspect/", {"token": text})


def revoke(text: str, caller: Caller | None = None, **more: str) -> Any:
    return (caller or stranger()).post("/auth/revoke/", {"token": text, **more})


def refresh(text: str) -> Any:
    return stranger().post("/auth/jwt/refresh/", {"refresh": text})


def text_of(caller: Caller) -> str:
    return (caller.authorization or "").split()[1]


@pytest.fixture
def trusted(db: None) -> Caller:
    """A service that the project trusts with other people's tokens."""
    service = make_person("gateway")
    permission = Permission.objects.get(
        codename="introspect_token", content_type__app_label="authkit"
    )
    service.user_permissions.add(permission)
    return personal(service)


# introspect/


def test_introspection_needs_a_caller():
    for caller in (stranger(), bearer("x"), browser()):
        response = introspect(caller, "x")
        assert response.status_code == 401
        assert response["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize("kind", KINDS)
def test_the_owner_may_look_into_a_token(kind: str, person: AbstractUser):
    caller, other = sign_in(kind, person), sign_in("jwt", person)
    answer = introspect(caller, other.access).json()
    assert answer["active"] is True
    assert answer["sub"] == str(person.pk)
    assert answer["username"] == person.get_username()
    assert answer["token_type"] == "Bearer"
    assert answer["iss"] == "authkit"
    assert isinstance(answer["exp"], int)
    assert isinstance(answer["jti"], str)


def test_every_kind_of_token_is_active_while_it_lives(person: AbstractUser):
    caller, pair = sign_in("token", person), sign_in("jwt", person)
    script = personal(person, scopes=["closed:read", "authkit.*:update"])
    for text, kind in (
        (caller.token, "Bearer"),
        (pair.access, "Bearer"),
        (pair.refresh, "refresh_token"),
        (script.answer["token"], "Bearer"),
    ):
        answer = introspect(caller, text).json()
        assert answer["active"] is True
        assert answer["token_type"] == kind
    assert answer["scope"] == "closed:read authkit.*:update"


def test_a_service_with_the_permission_may_look_into_anybodys(
    trusted: Caller, person: AbstractUser, superuser: AbstractUser
):
    for owner in (person, superuser):
        answer = introspect(trusted, sign_in("jwt", owner).access).json()
        assert (answer["active"], answer["sub"]) == (True, str(owner.pk))


def test_whatever_is_not_shown_looks_the_same_to_the_byte(
    trusted: Caller, person: AbstractUser, clock: Clock
):
    mine = sign_in("token", make_person("bob"))
    ended, revoked, expired = (sign_in("jwt", person) for _ in range(3))
    ended.delete("/auth/sessions/")
    revoked = sign_in("token", person)
    revoke(revoked.token)
    gone = sign_in("token", left := make_person("left"))
    get_user_model()._default_manager.filter(pk=left.pk).update(is_active=False)
    live = [sign_in("jwt", person), sign_in("token", person), personal(person)]
    rotated = sign_in("jwt", person)
    refresh(rotated.refresh)
    foreign = [live[0].access, live[0].refresh, live[1].token, live[2].answer["token"]]
    dead = [
        ended.access,
        ended.refresh,
        expired.access,
        revoked.token,
        gone.token,
        rotated.refresh,
        "x",
        "a.b.c",
        "ak_" + "0" * 63,
        live[0].access + "=",
        str(sign_in("session", person).cookie),
    ]
    for text in dead:
        for caller in (mine, trusted):
            response = introspect(caller, text)
            assert response.status_code == 200
            assert response.content == INACTIVE, text
    for text in foreign:
        response = introspect(mine, text)
        assert response.content == INACTIVE
        assert introspect(trusted, text).json()["active"] is True
    headers = {str(sorted(introspect(mine, text).headers.items())) for text in foreign + dead}
    assert len(headers) == 1


def test_an_expired_token_is_not_active(trusted: Caller, person: AbstractUser, clock: Clock):
    pair = sign_in("jwt", person)
    assert introspect(trusted, pair.access).json()["active"] is True
    clock.advance(minutes=6)
    assert introspect(trusted, pair.access).content == INACTIVE
    clock.advance(days=15)
    assert introspect(trusted, pair.refresh).content == INACTIVE


@pytest.mark.parametrize("mode", ["stateless", "denylist", "stateful"])
def test_introspection_knows_of_a_logout_at_once_in_every_mode(
    mode: str, trusted: Caller, person: AbstractUser
):
    with override_settings(AUTHKIT={"JWT_REVOCATION": mode, "MAX_STALENESS": 60}):
        pair = sign_in("jwt", person)
        assert introspect(trusted, pair.access).json()["active"] is True
        pair.delete("/auth/jwt/")
        for text in (pair.access, pair.refresh):
            assert introspect(trusted, text).content == INACTIVE


def test_introspection_takes_a_form_as_its_rfc_says(person: AbstractUser):
    caller = sign_in("token", person)
    for hint in ("access_token", "refresh_token", "nonsense"):
        form = urlencode({"token": caller.token, "token_type_hint": hint}).encode()
        response = caller.post("/auth/introspect/", form, content_type=FORM)
        assert response.json()["active"] is True
    missing = caller.post("/auth/introspect/", b"", content_type=FORM)
    assert missing.status_code == 400
    assert missing.json()["code"] == "invalid"


def test_introspection_by_cookie_needs_a_csrf_token(person: AbstractUser):
    caller = sign_in("session", person)
    body = {"token": "x"}
    assert caller.post("/auth/introspect/", body, csrf=False).status_code == 403
    assert caller.post("/auth/introspect/", body).content == INACTIVE


def test_introspection_neither_uses_nor_ends_a_refresh_token(person: AbstractUser):
    pair = sign_in("jwt", person)
    for _ in range(3):
        introspect(pair, pair.refresh)
    assert refresh(pair.refresh).status_code == 200


# revoke/


@pytest.mark.parametrize("mode", ["stateless", "denylist", "stateful"])
@pytest.mark.parametrize("which", ["access", "refresh"])
def test_revoking_either_jwt_ends_both(which: str, mode: str, person: AbstractUser):
    with override_settings(AUTHKIT={"JWT_REVOCATION": mode}):
        pair = sign_in("jwt", person)
        response = revoke(pair.answer[which])
        assert response.status_code == 200
        assert response["Cache-Control"] == "no-store"
        assert refresh(pair.refresh).json()["code"] == "session_ended"
        verify = stranger().post("/auth/jwt/verify/", {"token": pair.access})
        assert verify.status_code == 401
        assert (pair.get("/api/open/").status_code == 401) == (mode != "stateless")
        assert UserSession.objects.get().revoked_reason == "token_revoked"


def test_revoking_a_sign_in_token_ends_its_session(person: AbstractUser):
    caller = sign_in("token", person)
    assert revoke(caller.token).status_code == 200
    assert caller.get("/api/open/").status_code == 401
    assert UserSession.objects.get().revoked_at is not None


def test_revoking_a_personal_token_ends_it_alone(person: AbstractUser):
    script, other, caller = personal(person), personal(person), sign_in("token", person)
    assert revoke(script.answer["token"]).status_code == 200
    assert script.get("/api/open/").status_code == 401
    for live in (other, caller):
        assert who(live.get("/api/open/")) == str(person.pk)


def test_revoking_what_is_unknown_is_200_too(person: AbstractUser):
    gone = sign_in("token", person)
    gone.delete("/auth/token/")
    answers = {
        (response.status_code, response.content)
        for response in map(
            revoke,
            ("x", "a.b.c", "ak_" + "0" * 63, gone.token, sign_in("token", person).token),
        )
    }
    assert answers == {(200, b"{}")}


def test_the_hint_may_be_wrong(person: AbstractUser):
    for hint in ("access_token", "refresh_token", "nonsense", ""):
        pair, caller = sign_in("jwt", person), sign_in("token", person)
        for text in (pair.refresh, caller.token):
            assert revoke(text, token_type_hint=hint).status_code == 200
        assert refresh(pair.refresh).status_code == 401
        assert caller.get("/api/open/").status_code == 401


def test_a_refresh_token_that_another_tab_has_used_up_still_signs_out(
    person: AbstractUser, clock: Clock
):
    pair = sign_in("jwt", person)
    child = refresh(pair.refresh).json()
    clock.advance(minutes=1)
    assert revoke(pair.refresh).status_code == 200
    assert refresh(child["refresh"]).json()["code"] == "session_ended"
    assert bearer(child["access"]).get("/api/open/").status_code == 401


def test_a_forged_token_ends_nothing(person: AbstractUser):
    pair, caller = sign_in("jwt", person), sign_in("token", person)
    header, payload, signature = pair.refresh.split(".")
    for text in (
        f"{header}.{payload}.{signature[:-4]}AAAA",
        f"{header}.{payload}.",
        pair.refresh + "=",
        caller.token[:-10] + "0000000000",
        caller.token[:19],
    ):
        assert revoke(text).status_code == 200
    assert refresh(pair.refresh).status_code == 200
    assert caller.get("/api/closed/").status_code == 200


def test_revocation_minds_nothing_stale(person: AbstractUser):
    caller = sign_in("token", person)
    for header in ("Bearer x", "Token x", "Basic x"):
        assert revoke("x", Caller(header)).status_code == 200
    assert revoke(caller.token, caller).status_code == 200


def test_revocation_takes_a_form_as_its_rfc_says(person: AbstractUser):
    caller = sign_in("token", person)
    form = urlencode({"token": caller.token}).encode()
    assert stranger().post("/auth/revoke/", form, content_type=FORM).status_code == 200
    assert caller.get("/api/open/").status_code == 401
    assert stranger().post("/auth/revoke/", b"", content_type=FORM).status_code == 400


@committed
def test_revocation_tells_the_project_with_its_request(person: AbstractUser):
    seen: list[str] = []

    def on_signed_out(**told: Any) -> None:
        seen.append(told["request"].path)

    callers = sign_in("token", person), sign_in("jwt", person)
    signals.signed_out.connect(on_signed_out)
    try:
        for caller in callers:
            revoke(text_of(caller))
            revoke(text_of(caller))
    finally:
        signals.signed_out.disconnect(on_signed_out)
    assert seen == ["/auth/revoke/"] * 2
