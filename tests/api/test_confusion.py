"""Each kind of credential at the doors of every other: nothing is taken for what it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import override_settings

from authkit.models import BearerToken, UserSession
from tests.api.callers import Caller, bearer, personal, sign_in, stranger, with_cookie
from tests.people import make_person

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import AbstractUser

pytestmark = [pytest.mark.urls("tests.api.urls"), pytest.mark.django_db]

#: What a credential is, as a text that can be put anywhere.
TEXTS = ["cookie", "token", "personal", "access", "refresh"]


def _text(which: str, person: AbstractUser) -> str:
    if which == "cookie":
        return str(sign_in("session", person).cookie)
    if which == "personal":
        return str(personal(person).answer["token"])
    if which == "token":
        return sign_in("token", person).token
    pair = sign_in("jwt", person)
    return pair.access if which == "access" else pair.refresh


def _post(path: str, **body: str) -> Any:
    return stranger().post(path, body)


#: Where a text can be presented, and what is taken there.
PLACES: dict[str, tuple[Callable[[str], Any], set[str]]] = {
    "Bearer on an API view": (
        lambda text: bearer(text).get("/api/open/"),
        {"token", "personal", "access"},
    ),
    "Bearer on a plain view": (
        lambda text: bearer(text).get("/plain/"),
        {"token", "personal", "access"},
    ),
    "Bearer on an async view": (
        lambda text: bearer(text).get("/async/"),
        {"token", "personal", "access"},
    ),
    "Bearer at me/": (lambda text: bearer(text).get("/auth/me/"), {"token", "personal", "access"}),
    "Token on an API view": (
        lambda text: Caller(f"Token {text}").get("/api/open/"),
        {"token", "personal"},
    ),
    "Token on a plain view": (
        lambda text: Caller(f"Token {text}").get("/plain/"),
        {"token", "personal"},
    ),
    "cookie on an API view": (lambda text: with_cookie(text).get("/api/closed/"), {"cookie"}),
    "cookie at me/": (lambda text: with_cookie(text).get("/auth/me/"), {"cookie"}),
    "refresh": (lambda text: _post("/auth/jwt/refresh/", refresh=text), {"refresh"}),
    "verify": (lambda text: _post("/auth/jwt/verify/", token=text), {"access"}),
    "sign out of token/": (
        lambda text: bearer(text).delete("/auth/token/"),
        {"token", "personal"},
    ),
    "sign out of jwt/": (lambda text: bearer(text).delete("/auth/jwt/"), {"access"}),
    "the only class is for JWTs": (
        lambda text: bearer(text).get("/mixed/jwt/"),
        {"access"},
    ),
    "the only class is for tokens": (
        lambda text: bearer(text).get("/mixed/token/"),
        {"token", "personal"},
    ),
    "the only class is for cookies": (lambda text: bearer(text).get("/mixed/session/"), set()),
}


@pytest.mark.parametrize("mode", ["stateless", "denylist", "stateful"])
@pytest.mark.parametrize("place", PLACES)
def test_only_what_belongs_there_is_taken(place: str, mode: str, person: AbstractUser):
    present, taken = PLACES[place]
    with override_settings(AUTHKIT={"JWT_REVOCATION": mode}):
        for which in TEXTS:
            status = present(_text(which, person)).status_code
            assert status in ({200, 204} if which in taken else {401}), which


def test_a_cookie_on_a_plain_view_takes_nothing_but_a_session_key(person: AbstractUser):
    for which in TEXTS[1:]:
        answer = with_cookie(_text(which, person)).get("/plain/").json()
        assert answer["user"] is None


@override_settings(AUTHKIT={"REFUSAL_TIME": 0, "LOGIN_FAILURE_LIMIT": 100})
def test_passwords_are_taken_for_no_token_and_tokens_for_no_password(person: AbstractUser):
    for which in TEXTS:
        body = {"username": person.get_username(), "password": _text(which, person)}
        for path in ("/auth/token/", "/auth/jwt/"):
            assert stranger().post(path, body).status_code == 401


@pytest.mark.parametrize("which", ["cookie", "token", "access"])
def test_a_credential_reaches_nothing_of_another_person(which: str, person: AbstractUser):
    bob = make_person("bob")
    targets = [sign_in(kind, bob).session_id for kind in ("session", "token", "jwt")]
    script = personal(bob)
    text = _text(which, person)
    caller = with_cookie(text) if which == "cookie" else bearer(text)
    live = UserSession.objects.filter(user_id=bob.pk, revoked_at=None).count()
    for session_id in targets:
        assert caller.delete(f"/auth/sessions/{session_id}/").status_code == 404
    assert caller.delete(f"/auth/tokens/{script.answer['id']}/").status_code == 404
    assert caller.delete("/auth/sessions/?others=true").status_code == 204
    assert caller.delete("/auth/sessions/").status_code == 204
    assert UserSession.objects.filter(user_id=bob.pk, revoked_at=None).count() == live
    assert BearerToken.objects.filter(user_id=bob.pk, revoked_at=None, session=None).count() == 1


def test_ids_are_no_credentials(person: AbstractUser):
    caller = sign_in("jwt", person)
    script = personal(person)
    for text in (caller.session_id, script.answer["id"], f"ak_{script.answer['id']}", person.pk):
        assert bearer(str(text)).get("/api/open/").status_code == 401
        assert with_cookie(str(text)).get("/api/closed/").status_code == 401
        assert _post("/auth/jwt/refresh/", refresh=str(text)).status_code == 401


def test_stored_digests_are_no_credentials(person: AbstractUser):
    """Whoever reads the database cannot sign in with what is there."""
    for kind in ("session", "token", "jwt", "personal"):
        sign_in(kind, person)
    stored = [str(value) for row in UserSession.objects.values() for value in row.values()]
    stored += [str(value) for row in BearerToken.objects.values() for value in row.values()]
    stored.append(person.password)
    for text in set(stored):
        header = text.replace("\n", " ")
        if header.strip():
            assert bearer(header).get("/api/open/").status_code == 401
            assert with_cookie(header).get("/api/closed/").status_code == 401
