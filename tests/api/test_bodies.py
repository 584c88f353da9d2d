"""Bad input, on every path with every method: a 4xx with a code, and never a 5xx."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model

from authkit.models import AuditEvent, BearerToken, UserSession
from tests.api.callers import Caller, browser, personal, sign_in, stranger
from tests.people import PASSWORD

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

pytestmark = [pytest.mark.urls("tests.api.urls"), pytest.mark.django_db]
before_any_name = pytest.mark.default_user_only  # it is refused before a name is read

METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW", ""]

#: What each path answers to; the rest is 405.
PATHS = {
    "session/": {"GET", "HEAD", "POST", "DELETE"},
    "token/": {"POST", "DELETE"},
    "jwt/": {"POST", "DELETE"},
    "jwt/refresh/": {"POST"},
    "jwt/verify/": {"POST"},
    ".well-known/jwks.json": {"GET", "HEAD"},
    "me/": {"GET", "HEAD", "PATCH", "DELETE"},
    "sessions/": {"GET", "HEAD", "DELETE"},
    "sessions/00000000-0000-4000-8000-000000000000/": {"DELETE"},
    "tokens/": {"GET", "HEAD", "POST"},
    "tokens/0123456789abcdef/": {"DELETE"},
    "introspect/": {"POST"},
    "revoke/": {"POST"},
    "register/": {"POST"},
    "email/verify/": {"POST"},
    "email/verify/resend/": {"POST"},
    "email/change/": {"POST"},
    "password/change/": {"POST"},
    "password/reset/": {"POST"},
    "password/reset/confirm/": {"POST"},
    "reauthenticate/": {"POST"},
}
TAKES_BODY = [
    ("POST", "session/"),
    ("POST", "token/"),
    ("POST", "jwt/"),
    ("POST", "jwt/refresh/"),
    ("POST", "jwt/verify/"),
    ("PATCH", "me/"),
    ("POST", "tokens/"),
    ("POST", "introspect/"),
    ("POST", "revoke/"),
    ("DELETE", "me/"),
    ("POST", "register/"),
    ("POST", "email/verify/"),
    ("POST", "email/verify/resend/"),
    ("POST", "email/change/"),
    ("POST", "password/change/"),
    ("POST", "password/reset/"),
    ("POST", "password/reset/confirm/"),
    ("POST", "reauthenticate/"),
]
FIELDS = {
    "session/": ["username", "email", "password"],
    "token/": ["username", "email", "password"],
    "jwt/": ["username", "email", "password"],
    "jwt/refresh/": ["refresh"],
    "jwt/verify/": ["token"],
    "me/": ["first_name", "last_name", "password"],
    "tokens/": ["name", "scopes", "expires_at"],
    "introspect/": ["token", "token_type_hint"],
    "revoke/": ["token", "token_type_hint"],
    "register/": ["username", "email", "password", "invitation"],
    "email/verify/": ["key"],
    "email/verify/resend/": ["email"],
    "email/change/": ["email", "password"],
    "password/change/": ["old_password", "new_password"],
    "password/reset/": ["email"],
    "password/reset/confirm/": ["key", "new_password"],
    "reauthenticate/": ["password"],
}

#: Bodies that are not one JSON object, or not JSON, or not to be read.
BROKEN = {
    "nothing but space": b"   ",
    "half": b'{"username": ',
    "two": b"{}{}",
    "trailing comma": b'{"a": 1,}',
    "single quotes": b"{'a': 1}",
    "NaN": b'{"username": NaN}',
    "Infinity": b'{"username": Infinity}',
    "-Infinity": b'{"username": -Infinity}',
    "list": b'["username", "password"]',
    "text": b'"username"',
    "number": b"1",
    "null": b"null",
    "true": b"true",
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "deep lists in an object": b'{"username": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "deep objects": b'{"a":' * 12_000 + b"1" + b"}" * 12_000,
    "deep and open": b"[" * 60_000,
    "lone high surrogate": b'{"username": "\\ud800"}',
    "lone low surrogate": b'{"username": "\\udfff"}',
    "lone surrogate as a name": b'{"\\ud800": "x"}',
    "surrogates the wrong way round": b'{"username": "\\udc00\\ud800"}',
    "surrogate in UTF-8": b'{"username": "\xed\xa0\x80"}',
    "not UTF-8": b'{"username": "\xff\xfe"}',
    "UTF-16": '{"username": "ada"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"username": "ada"}',
    "a huge number": b'{"username": ' + b"9" * 5_000 + b"}",
    "NUL": b"\0",
    "NUL between": b'{"username"\0: "ada"}',
    "a raw control character": b'{"username": "a\x01da"}',
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
}
TOO_LARGE = {
    "64 KiB and one": b'{"username": "' + b"a" * 65_536 + b'"}',
    "3 MB of text": b'{"username": "' + b"a" * 3_000_000 + b'"}',
    "3 MB of lists": b"[" * 3_000_000,
    "3 MB of space": b" " * 3_000_000,
    "many names": b"{" + b",".join(b'"%d":1' % n for n in range(300_000)) + b"}",
}

#: Values that no field takes, and some that a careless one would choke on.
ODD = [
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1e400",
    "-1e400",
    "1" + "0" * 4_000,
    "0." + "1" * 4_000,
    "[]",
    "{}",
    "[[]]",
    '[{"a": null}]',
    '{"$ne": null}',
    '{"__class__": "x"}',
    '""',
    '" "',
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\ud83d\\ude00"',
    '"\\uffff"',
    '"\\u202e"',
    '"\\r\\n"',
    json.dumps("x" * 60_000),
    json.dumps("é" * 10_000),
    json.dumps("../../etc/passwd"),
    json.dumps("{{7*7}}${7*7}%s%n"),
    json.dumps("' OR 1=1; --"),
    json.dumps(["x"] * 5_000),
]


def has_shape(response: Any) -> bool:
    """``{"code": …, "detail": …}``, or the errors of fields and a code."""
    body = response.json()
    fields = {name: value for name, value in body.items() if name != "code"}
    return isinstance(body["code"], str) and bool(fields)


def is_fit(response: Any) -> bool:
    """What every answer of the API is, whatever was asked."""
    return (
        response.status_code < 500
        and response["Cache-Control"] == "no-store"
        and {"Authorization", "Cookie"} <= set(response["Vary"].replace(",", " ").split())
        and (response.status_code < 400 or response["Content-Type"] == "application/json")
        and (
            response.status_code < 400
            or response.request["REQUEST_METHOD"] == "HEAD"
            or has_shape(response)
        )
    )


@pytest.fixture
def callers(person: AbstractUser) -> dict[str, Caller]:
    return {
        "stranger": browser(),
        "session": sign_in("session", person),
        "token": sign_in("token", person),
        "jwt": sign_in("jwt", person),
        "personal": personal(person),
    }


@before_any_name
@pytest.mark.parametrize("method", METHODS)
def test_every_path_answers_every_method_and_what_it_does_not_know_is_405(
    method: str, person: AbstractUser
):
    for path, known in PATHS.items():
        for kind in ("stranger", "session", "token", "jwt"):
            caller = browser() if kind == "stranger" else sign_in(kind, person)
            response = caller.call(method, f"/auth/{path}", {})
            assert is_fit(response), (method, path, kind, response.status_code)
            is_closed = (
                path.startswith(
                    (
                        "me/",
                        "sessions/",
                        "tokens/",
                        "introspect/",
                        "email/change/",
                        "password/change/",
                    )
                )
                or path == "reauthenticate/"
            )
            if kind == "stranger" and is_closed:
                assert response.status_code == 401
            elif method not in known:
                assert response.status_code == 405, (method, path, kind)
                assert method == "HEAD" or response.json()["code"] == "method_not_allowed"
                assert known - {"HEAD"} <= {*response["Allow"].split(", ")} | {"HEAD"}


@before_any_name
@pytest.mark.parametrize("broken", BROKEN)
def test_a_body_that_is_no_json_object_is_400(broken: str, callers: dict[str, Caller]):
    for method, path in TAKES_BODY:
        for kind in ("session", "token"):
            if kind == "token" and path == "session/":
                continue  # where a CSRF token is asked for first
            response = callers[kind].call(method, f"/auth/{path}", BROKEN[broken])
            is_large = len(BROKEN[broken]) > 65_536
            assert response.status_code == (413 if is_large else 400), (path, response.content)
            assert is_fit(response)
            assert response.json()["code"] == ("too_large" if is_large else "parse_error")


@before_any_name
@pytest.mark.parametrize("large", TOO_LARGE)
def test_a_body_that_is_too_large_is_413(large: str, callers: dict[str, Caller]):
    for method, path in TAKES_BODY:
        response = callers["session"].call(method, f"/auth/{path}", TOO_LARGE[large])
        assert response.status_code == 413, path
        assert response.json()["code"] == "too_large"
        assert is_fit(response)


@before_any_name
@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "multipart/form-data; boundary=" + "x" * 5_000,
        "text/plain",
        "text/html",
        "application/xml",
        "application/octet-stream",
        "application/jsonp",
        "application/vnd.api+json",
        "json",
        "*/*",
        "",
        ";",
        "application/json/x",
        "x" * 10_000,
    ],
)
def test_another_content_type_is_415(content_type: str, callers: dict[str, Caller]):
    body = b'{"username": "a", "password": "b", "refresh": "c", "token": "d", "name": "e"}'
    for method, path in TAKES_BODY:
        is_form = content_type.startswith("application/x-www-form") and path in {
            "introspect/",
            "revoke/",
        }
        for size in (body, body + b" " * 3_000_000):
            response = callers["session"].call(
                method, f"/auth/{path}", size, content_type=content_type
            )
            assert is_fit(response), (path, response.status_code, response.content[:100])
            if not is_form:
                assert response.status_code == 415, (path, response.content)
                assert response.json()["code"] == "unsupported_media_type"
            else:
                assert response.status_code in {400, 413}


@before_any_name
@pytest.mark.parametrize("size", [100, 70_000, 3_000_000])
@pytest.mark.parametrize("kind", ["x-www-form-urlencoded", "multipart"])
def test_a_form_of_any_size_at_the_door_with_a_cookie_is_a_4xx(
    kind: str, size: int, person: AbstractUser
):
    """The CSRF check might look for its token in it."""
    is_multipart = kind == "multipart"
    content_type = "multipart/form-data; boundary=x" if is_multipart else f"application/{kind}"
    body = b"username=a&" + b"x" * size
    if is_multipart:
        body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + body + b"\r\n--x--\r\n"
    for caller in (browser(), sign_in("session", person)):
        for method in ("POST", "DELETE"):
            for csrf in (True, False):
                response = caller.call(
                    method, "/auth/session/", body, content_type=content_type, csrf=csrf
                )
                assert is_fit(response), (response.status_code, response.content[:200])


@before_any_name
@pytest.mark.parametrize("count", [10, 1_000, 5_000])
def test_a_form_of_many_fields_is_a_4xx(count: int, person: AbstractUser):
    form = b"&".join(b"token=%d" % number for number in range(count))
    kind = "application/x-www-form-urlencoded"
    for path in ("introspect/", "revoke/"):
        response = sign_in("token", person).post(f"/auth/{path}", form, content_type=kind)
        assert is_fit(response), response.content[:200]


@before_any_name
@pytest.mark.parametrize(
    "form",
    [
        b"token=%00",
        b"token=%ff%fe",
        b"token=%ed%a0%80",
        b"token=%",
        b"token",
        b"=",
        b"&&&",
        b"\xff\xfe",
        b"token=" + b"x" * 9_000,
        b"token=" + b"x" * 60_000,
        b"token=" + b"x" * 2_600_000,
        b"token=" + b"x" * 9_000_000,
        "token=é".encode("utf-16"),
    ],
)
def test_an_odd_form_is_no_5xx(form: bytes, callers: dict[str, Caller]):
    for charset in (
        "",
        "; charset=utf-16",
        "; charset=nonsense",
        "; charset=latin-1",
        "; charset=",
    ):
        kind = f"application/x-www-form-urlencoded{charset}"
        for path in ("introspect/", "revoke/"):
            response = callers["token"].post(f"/auth/{path}", form, content_type=kind)
            assert is_fit(response), (charset, response.status_code, response.content[:200])


@pytest.mark.parametrize("odd", ODD, ids=lambda text: text[:20])
def test_an_odd_value_in_any_field_is_no_5xx_and_signs_nobody_in(
    odd: str, callers: dict[str, Caller]
):
    before = UserSession.objects.count()
    for method, path in TAKES_BODY:
        right = {"username": "nobody", "password": PASSWORD, "refresh": "x", "token": "x"}
        if path == "tokens/":
            right = {"name": "x"}
        for field in FIELDS[path]:
            given = {**right, field: "@"}
            body = json.dumps(given).replace('"@"', odd).encode()
            response = callers["session"].call(method, f"/auth/{path}", body)
            assert is_fit(response), (path, field, response.status_code, response.content[:200])
            if path in {"session/", "token/", "jwt/", "jwt/refresh/", "jwt/verify/"}:
                assert 400 <= response.status_code < 500, (path, field)
    assert UserSession.objects.count() == before


def test_unknown_fields_are_ignored(person: AbstractUser):
    body = {
        "username": person.get_username(),
        "password": PASSWORD,
        "is_superuser": True,
        "__proto__": {},
        "kind": "session",
        "user": 1,
        "expires_at": "2999-01-01",
    }
    for kind in ("session", "token", "jwt"):
        answer = browser().post(f"/auth/{kind}/", body).json()
        assert answer["session"]["kind"] == kind
        assert not answer["session"]["expires_at"].startswith("2999")
    stored = get_user_model()._default_manager.get(pk=person.pk)
    assert not getattr(stored, "is_superuser", False)


def test_of_a_name_that_stands_twice_one_is_taken_and_nothing_breaks(person: AbstractUser):
    name = person.get_username()
    body = f'{{"username": "{name}", "password": "{PASSWORD}", "password": "wrong"}}'.encode()
    assert stranger().post("/auth/token/", body).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "sessions/x/",
        "sessions/00000000/",
        "sessions/%00/",
        "sessions/../me/",
        "sessions/" + "0" * 5_000 + "/",
        "sessions/00000000-0000-4000-8000-00000000000g/",
        "tokens/x/",
        "tokens/%00/",
        "tokens/%ff/",
        "tokens/' OR 1=1/",
        "tokens/" + "0" * 5_000 + "/",
        "tokens/é/",
        "tokens/-/",
        "nothing/",
        "session",
    ],
)
def test_a_path_of_nothing_is_404_or_less(path: str, callers: dict[str, Caller]):
    for kind in ("token", "session", "jwt"):
        response = callers[kind].delete(f"/auth/{path}")
        assert response.status_code in {301, 404, 405}, (kind, path)
    assert BearerToken.objects.filter(revoked_at=None).count() == 3


@before_any_name
@pytest.mark.parametrize(
    "query",
    ["others=%00", "others[]=true", "others=true&others=false", "others=" + "x" * 9_000, "%ff=%ff"],
)
def test_an_odd_query_is_no_5xx(query: str, person: AbstractUser):
    response = sign_in("token", person).delete(f"/auth/sessions/?{query}")
    assert is_fit(response)


@before_any_name
@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml", "*/*", "", "x", "text/html;q=" + "9" * 400]
)
def test_the_answer_is_json_whatever_is_accepted(accept: str, person: AbstractUser):
    for path in PATHS:
        for caller in (stranger(), sign_in("token", person)):
            response = caller.get(f"/auth/{path}?format=html", headers={"Accept": accept})
            assert is_fit(response)
            assert response["Content-Type"] == "application/json"


def test_no_answer_lets_another_origin_in(person: AbstractUser):
    caller = sign_in("session", person)
    for path in PATHS:
        for origin in ("https://evil.example", "null"):
            response = caller.get(f"/auth/{path}", headers={"Origin": origin})
            assert not response.has_header("Access-Control-Allow-Origin")
            assert response["X-Content-Type-Options"] == "nosniff"


def test_what_was_typed_comes_back_in_no_error_and_in_one_line_of_the_audit(db: None):
    forged = "ada\r\nINFO login.succeeded root\x1b[31m\u202e"
    response = stranger().post("/auth/token/", {"username": forged, "password": "secret-word"})
    assert b"ada" not in response.content
    assert b"secret-word" not in response.content
    event = AuditEvent.objects.get()
    assert event.actor_name == "ada\\r\\nINFO login.succeeded root\\x1b[31m\\u202e"
    assert event.actor_name.isprintable()
