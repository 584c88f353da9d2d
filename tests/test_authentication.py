"""The three authentication classes: alone, in any order, and among others."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

import pytest
from django.test import override_settings

from tests.api.callers import (
    KINDS,
    SIGN_INS,
    Caller,
    bearer,
    browser,
    personal,
    sign_in,
    stranger,
    who,
    with_cookie,
)
from tests.api.urls import FOREIGN, MIXED, ORDERS
from tests.api.world import Clock, Queries, start_process
from tests.people import PASSWORD, make_person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.auth.models import AbstractUser

pytestmark = [pytest.mark.urls("tests.api.urls"), pytest.mark.django_db]
committed = pytest.mark.django_db(transaction=True)  # a look at the feed counts as usual

#: Which class takes what each kind of caller holds.
TAKER = {"session": "session", "token": "token", "jwt": "jwt", "personal": "token"}

#: What an Authorization header may hold and nobody can accept.
GARBAGE = [
    "Bearer",
    "bearer ",
    "Bearer a",
    "Bearer a.b.c",
    "Bearer ..",
    "Bearer ak_",
    "Bearer ak_" + "0" * 63,
    "Token",
    "Token a",
    "Token ak_0",
    "Token a.b.c",
    "Bearer Bearer",
    "Bearer null",
    "Bearer undefined",
    "Bearer \x00",
    "Bearer \xff\xfe",
    "Bearer é.é.é",
    "Negotiate abc",
    "Digest username=x",
    "a",
    "\xf7",
    ",",
]


@pytest.fixture(autouse=True)
def new_process() -> None:
    start_process()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def path_of(names: Sequence[str]) -> str:
    return f"/mixed/{'/'.join(names)}/"


def is_refused(response: Any, error: str = "invalid_token") -> bool:
    """401, with a challenge and RFC 6750's error."""
    challenge = response.get("WWW-Authenticate", "")
    return response.status_code == 401 and f'error="{error}"' in challenge


# What each class takes


@pytest.mark.parametrize("kind", KINDS)
def test_each_class_takes_its_own_kind_in_any_order_and_what_none_takes_is_401(
    kind: str, person: AbstractUser
):
    caller = sign_in(kind, person)
    for names in ORDERS:
        response = caller.get(path_of(names))
        if TAKER[kind] in names:
            assert response.json() == {"user": str(person.pk), "kind": TAKER[kind]}
        elif kind == "session":  # no class looks at cookies: there is no credential
            assert who(response) is None
        else:
            assert is_refused(response)
            assert response.json()["code"] == "token_not_valid"


def test_a_header_that_no_listed_class_accepts_is_401_on_an_open_view():
    for header in GARBAGE:
        scheme, space, rest = header.partition(" ")
        for spelling in (header, scheme.swapcase() + space + rest):
            for names in ORDERS:
                response = Caller(spelling).get(path_of(names))
                assert response.status_code == 401, (spelling, names)
                assert response["WWW-Authenticate"]


def test_a_foreign_class_that_ignores_a_header_makes_no_stranger_of_its_holder():
    for header in ("Bearer", "bearer x", "BEARER a.b.c", "Token x", "a", "Digest x", "basic"):
        for names in MIXED:
            response = Caller(header).get(path_of(names))
            assert response.status_code == 401, (header, names)


@pytest.mark.parametrize("kind", KINDS)
def test_foreign_classes_among_ours_change_nothing_for_our_credentials(
    kind: str, person: AbstractUser
):
    caller = sign_in(kind, person)
    for names in MIXED:
        response = caller.get(path_of(names))
        before = names[: names.index("simplejwt")] if "simplejwt" in names else names
        if kind != "session" and TAKER[kind] not in before:
            assert response.status_code == 401  # simplejwt takes all that follows "Bearer"
        elif TAKER[kind] in names:
            assert response.json() == {"user": str(person.pk), "kind": TAKER[kind]}
        elif kind == "session":
            assert who(response) is None
        else:
            assert response.status_code == 401


def test_basic_authentication_works_before_between_and_after_ours(
    person: AbstractUser, settings: Any
):
    settings.AUTHKIT = {
        "LOGIN_FAILURE_LIMIT": 100,
        "REFUSAL_TIME": 0,
    }  # it guesses wrong now and then
    right, wrong = (
        base64.b64encode(f"{person.get_username()}:{password}".encode()).decode()
        for password in (PASSWORD, "wrong")
    )
    for names in MIXED:
        if "basic" in names:
            assert who(Caller(f"Basic {right}").get(path_of(names))) == str(person.pk)
            assert who(Caller(f"Basic {wrong}").get(path_of(names))) == 401


def test_a_refused_bearer_credential_gets_rfc_6750s_error_whichever_class_stands_first():
    for names in MIXED:
        if "simplejwt" not in names:
            response = bearer("ak_nonsense").get(path_of(names))
            assert is_refused(response), (names, response["WWW-Authenticate"])


def test_a_refused_credential_is_401_where_the_first_class_has_no_challenge():
    response = bearer("ak_nonsense").get("/stock-first/")
    assert is_refused(response)
    assert response["WWW-Authenticate"].startswith("Bearer ")


# Schemes


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
@pytest.mark.parametrize("kind", ["token", "jwt", "personal"])
def test_the_case_of_the_scheme_does_not_matter(scheme: str, kind: str, person: AbstractUser):
    caller = sign_in(kind, person)
    assert caller.authorization is not None
    text = caller.authorization.split()[1]
    for path in ("/api/open/", "/api/closed/", "/plain/", "/async/"):
        assert who(Caller(f"{scheme} {text}").get(path)) == str(person.pk)


@pytest.mark.parametrize("scheme", ["Token", "token", "TOKEN"])
def test_an_opaque_token_is_taken_after_the_scheme_token_too(scheme: str, person: AbstractUser):
    for caller in (sign_in("token", person), personal(person)):
        for path in ("/api/open/", "/plain/", "/async/"):
            assert who(Caller(f"{scheme} {caller.answer['token']}").get(path)) == str(person.pk)


@pytest.mark.parametrize("scheme", ["Token", "token", "TOKEN"])
def test_the_scheme_token_never_takes_a_jwt(scheme: str, person: AbstractUser):
    caller = sign_in("jwt", person)
    for text in (caller.access, caller.refresh):
        for path in ("/api/open/", "/api/closed/", "/plain/", "/async/"):
            assert is_refused(Caller(f"{scheme} {text}").get(path))


def test_a_token_in_the_query_or_the_body_is_no_credential(person: AbstractUser):
    for kind in ("token", "jwt"):
        text = (sign_in(kind, person).authorization or "").split()[1]
        assert who(stranger().get(f"/api/open/?access_token={text}&token={text}")) is None
        form = f"access_token={text}".encode()
        response = stranger().post(
            "/api/open/", form, content_type="application/x-www-form-urlencoded"
        )
        assert who(response) is None


def test_two_credentials_in_one_header_are_none(person: AbstractUser):
    one, other = sign_in("token", person).token, sign_in("jwt", person).access
    for text in (f"{one},Bearer {other}", f"{one} {other}", f"{other}, {one}", f"{one}, {one}"):
        assert is_refused(bearer(text).get("/api/open/"))


# Refusals


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"])
def test_a_refused_credential_never_becomes_a_stranger_whatever_the_method(method: str):
    for path in ("/api/open/", "/api/closed/", "/plain/", "/async/"):
        for header in GARBAGE[:16]:
            response = Caller(header).call(method, path)
            assert is_refused(response), (path, header, response.status_code)


def test_a_401_without_a_credential_bears_a_challenge_without_an_error():
    for path in ("/api/closed/", "/auth/me/", "/auth/sessions/", "/auth/tokens/"):
        response = stranger().get(path)
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("size", [5, 100, 8_191, 8_192, 8_193, 8_300, 65_536, 5_000_000])
def test_garbage_of_any_size_is_refused_quickly_and_without_a_query(size: int):
    for pattern in ("Bearer {}", "Bearer {}.a.b", "Bearer a.{}.b", "Bearer ak_{}", "Token {}"):
        header = pattern.format("a" * size)
        for path in ("/api/open/", "/plain/"):
            began_at = time.thread_time()
            with Queries() as queries:
                response = Caller(header).get(path)
            assert response.status_code == 401
            assert len(queries) == 0
            assert time.thread_time() - began_at < 1


def test_garbage_with_many_dots_or_spaces_is_refused_quickly():
    dots, spaces = "." * 5_000_000, " " * 5_000_000
    for text in (dots, spaces + "Bearer a", f"Bearer {dots}", f"Bearer{spaces}a"):
        began_at = time.thread_time()
        response = Caller(text).get("/api/open/")
        assert response.status_code == 401
        assert time.thread_time() - began_at < 1


def test_an_empty_header_is_no_credential():
    for header in ("", " "):
        assert who(Caller(header).get("/api/open/")) is None


def test_a_valid_token_with_something_around_it_is_refused(person: AbstractUser):
    for kind in ("token", "jwt"):
        text = (sign_in(kind, person).authorization or "").split()[1]
        for other in (text + " ", text + "=", text + ".", "." + text, text + "\t", text[:-1]):
            assert is_refused(bearer(other).get("/api/open/")), other
        assert is_refused(bearer(text.swapcase()).get("/api/open/"))


def test_the_answer_to_a_refused_credential_has_a_code_and_a_detail(person: AbstractUser):
    caller = sign_in("token", person)
    caller.delete("/auth/token/")
    for path in ("/api/open/", "/plain/", "/async/"):
        body = caller.get(path).json()
        assert body == {
            "code": "session_ended",
            "detail": "This sign-in has ended. Please sign in again.",
        }


def test_unknown_wrong_and_malformed_tokens_look_alike(person: AbstractUser):
    caller = sign_in("token", person)
    real = caller.token
    answers = set()
    wrong = real[:-1] + ("1" if real.endswith("0") else "0")
    for text in (wrong, "ak_" + "0" * 63, "ak_x", "x", real[:20]):
        response = bearer(text).get("/api/open/")
        answers.add((response.content, response["WWW-Authenticate"]))
    assert len(answers) == 1


# More than one credential


@pytest.mark.parametrize("kind", ["token", "jwt", "personal"])
def test_with_a_cookie_and_a_header_the_header_decides(kind: str, person: AbstractUser):
    bob = make_person("bob")
    caller = sign_in("session", person)
    caller.authorization = sign_in(kind, bob).authorization
    for path in ("/api/open/", "/api/closed/", "/plain/", "/async/"):
        assert who(caller.get(path)) == str(bob.pk)
    assert who(caller.post("/api/closed/", csrf=False)) == str(bob.pk)


@pytest.mark.parametrize("header", ["Bearer x", "Token x", "bearer a.b.c", "TOKEN", "Bearer"])
def test_a_refused_header_is_not_made_good_by_a_valid_cookie(header: str, person: AbstractUser):
    caller = sign_in("session", person)
    caller.authorization = header
    for path in ("/api/open/", "/api/closed/", "/plain/", "/async/", "/auth/me/"):
        assert is_refused(caller.get(path))
    for names in ORDERS:
        assert is_refused(caller.get(path_of(names)))


def test_a_valid_header_is_not_made_worse_by_a_stale_cookie(person: AbstractUser):
    gone = sign_in("session", person)
    key = gone.cookie
    gone.delete("/auth/session/")
    caller = with_cookie(key)
    caller.authorization = sign_in("token", person).authorization
    for path in ("/api/open/", "/api/closed/", "/plain/", "/async/", "/auth/me/"):
        response = caller.get(path)
        assert response.status_code == 200, response.content
        assert str(person.pk) in str(response.json())


def test_a_scheme_of_somebody_else_leaves_the_cookie_in_force(person: AbstractUser):
    caller = sign_in("session", person)
    caller.authorization = "Basic YTpi"  # of a proxy in front of the site, say
    for path in ("/api/closed/", "/plain/", "/async/"):
        assert who(caller.get(path)) == str(person.pk)


# CSRF


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_by_cookie_needs_a_csrf_token(method: str, person: AbstractUser):
    caller = sign_in("session", person)
    for path in ("/api/open/", "/api/closed/"):
        refused = caller.call(method, path, csrf=False)
        assert refused.status_code == 403
        assert refused.json()["code"] == "csrf_failed"
        wrong = caller.call(method, path, headers={"X-CSRFToken": "a" * 64})
        assert wrong.status_code == 403
        assert who(caller.call(method, path)) == str(person.pk)


def test_the_csrf_token_of_another_browser_is_refused(person: AbstractUser):
    caller, other = sign_in("session", person), sign_in("session", make_person("bob"))
    token = other.client.cookies["csrftoken"].value
    assert caller.post("/api/closed/", headers={"X-CSRFToken": token}).status_code == 403


def test_a_write_by_cookie_from_another_origin_is_refused(person: AbstractUser):
    caller = sign_in("session", person)
    for origin in ("https://evil.example", "null"):
        assert caller.post("/api/closed/", headers={"Origin": origin}).status_code == 403
    assert caller.post("/api/closed/", headers={"Origin": "http://testserver"}).status_code == 200


@pytest.mark.parametrize("kind", ["token", "jwt", "personal"])
def test_a_write_by_header_needs_no_csrf_token(kind: str, person: AbstractUser):
    caller = sign_in(kind, person)
    for path in ("/api/closed/", "/plain/", "/async/"):
        assert who(caller.post(path)) == str(person.pk)


def test_a_foreign_scheme_does_not_switch_csrf_off(person: AbstractUser):
    caller = sign_in("session", person)
    for header in ("Basic YTpi", "Negotiate x", "x"):
        caller.authorization = header
        for path in ("/api/closed/", "/plain/"):
            assert caller.post(path, csrf=False).status_code == 403


# What it costs


@committed
@pytest.mark.parametrize(
    ("kind", "most"), [("session", 1), ("token", 1), ("personal", 1), ("jwt", 0)]
)
def test_a_request_costs_one_query_and_with_a_jwt_none(
    kind: str, most: int, person: AbstractUser, clock: Clock
):
    caller = sign_in(kind, person)
    caller.get("/api/closed/")
    clock.advance(milliseconds=500)
    for path in ("/api/open/", "/api/closed/", "/plain/", "/async/", "/mixed/session/jwt/token/"):
        with Queries() as queries:
            assert who(caller.get(path)) == str(person.pk)
        assert len(queries) == most, queries.sql


@committed
def test_a_jwt_costs_one_query_in_stateful_mode(person: AbstractUser):
    with override_settings(AUTHKIT={"JWT_REVOCATION": "stateful"}):
        caller = sign_in("jwt", person)
        caller.get("/api/closed/")
        with Queries() as queries:
            assert who(caller.get("/api/closed/")) == str(person.pk)
    assert len(queries) == 1, queries.sql


@committed
def test_a_jwt_costs_one_small_query_where_each_request_looks(person: AbstractUser):
    with override_settings(AUTHKIT={"MAX_STALENESS": 0}):
        caller = sign_in("jwt", person)
        with Queries() as queries:
            caller.get("/api/closed/")
    assert len(queries) == 1
    assert "authkit_change" in queries.sql[0]


@committed
def test_a_jwt_in_stateless_mode_never_asks_the_database(person: AbstractUser):
    with override_settings(AUTHKIT={"JWT_REVOCATION": "stateless", "MAX_STALENESS": 0}):
        caller = sign_in("jwt", person)
        with Queries() as queries:
            assert who(caller.get("/api/closed/")) == str(person.pk)
    assert len(queries) == 0


@committed
def test_a_jwts_user_is_loaded_when_touched_and_once(person: AbstractUser):
    caller = sign_in("jwt", person)
    caller.get("/api/closed/")
    for path in ("/api/touching/", "/plain/touching/", "/async/touching/"):
        with Queries() as queries:
            assert caller.get(path).json()["name"] == person.get_username()
        assert len(queries) == 1, queries.sql


def test_a_wrong_checksum_costs_no_query(person: AbstractUser):
    text = sign_in("token", person).token
    wrong = text[:30] + ("x" if text[30] != "x" else "y") + text[31:]
    for path in ("/api/open/", "/plain/"):
        with Queries() as queries:
            assert is_refused(bearer(wrong).get(path))
        assert len(queries) == 0


def test_use_is_noted_at_most_once_a_minute(person: AbstractUser, clock: Clock):
    for kind in ("session", "token", "personal"):
        caller = sign_in(kind, person)
        caller.get("/api/closed/")  # a personal token notes its first use
        clock.advance(seconds=59)
        with Queries() as queries:
            caller.get("/api/closed/")
        assert len(queries) == 1, (kind, queries.sql)
        clock.advance(seconds=2)
        with Queries() as queries:
            caller.get("/api/closed/")
        assert any(sql.startswith("UPDATE") for sql in queries.sql), kind
        with Queries() as queries:
            caller.get("/api/closed/")
        assert len(queries) == 1


# What a view is given


@pytest.mark.parametrize("kind", SIGN_INS)
def test_request_user_is_a_real_instance_and_request_auth_a_grant(kind: str, person: AbstractUser):
    caller = sign_in(kind, person)
    request = caller.get("/api/closed/").renderer_context["request"]
    assert type(request.user) is type(person)
    assert request.user == person
    assert request.user.pk == person.pk
    assert type(request.auth).__name__ == "Grant"
    assert request.auth.kind == kind
    assert str(request.auth.session_id) == caller.session_id
    assert request.auth.user_id == str(person.pk)
    assert request.auth.scopes is None
    assert request.auth.authenticated_at is not None
    assert request.user.email == person.email


def test_the_grant_of_a_personal_token_has_its_scopes_and_no_session(person: AbstractUser):
    scopes = ["closed:read", "authkit.*:update"]
    caller = personal(person, scopes=scopes)
    auth = caller.get("/api/closed/").renderer_context["request"].auth
    assert auth.kind == "token"
    assert auth.is_personal
    assert auth.session_id is None
    assert auth.scopes == tuple(scopes)
    assert auth.authenticated_at is None


def test_a_stranger_is_nobody():
    for caller in (stranger(), browser()):
        for path in ("/api/open/", "/plain/", "/async/"):
            assert who(caller.get(path)) is None
        assert who(caller.get("/api/closed/")) == 401


def test_foreign_classes_are_covered_here():
    assert set(FOREIGN) == {"basic", "simplejwt"}
