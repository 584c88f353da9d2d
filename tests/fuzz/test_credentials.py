"""Whatever is presented: never a 5xx, never another person, never a stranger.

With AUTHKIT_LONG_RUN=1 there are a hundred thousand headers.
"""

from __future__ import annotations

import os
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from django.test import Client, override_settings
from hypothesis import example, given
from hypothesis import strategies as st

from authkit.jwt import keys
from authkit.kernel import jws
from tests.api.callers import SIGN_INS, Caller, personal, sign_in, stranger, with_cookie
from tests.api.world import start_process
from tests.fuzz.headers import CLASSICS, any_header
from tests.people import make_person

pytestmark = [pytest.mark.urls("tests.api.urls"), pytest.mark.django_db]

IS_LONG = os.environ.get("AUTHKIT_LONG_RUN") == "1"
HEADERS = 100_000 if IS_LONG else 600
CLAIMS = 20_000 if IS_LONG else 300
COOKIES = 5_000 if IS_LONG else 150

#: Open to all, of each sort: here a stranger would be let in.
OPEN = ["/api/open/", "/plain/", "/async/", "/mixed/token/jwt/", "/mixed/session/"]
OURS = {"bearer", "token"}
JUDGED_BY_OURS = {"/api/open/", "/mixed/token/jwt/", "/mixed/session/"}


@dataclass
class World:
    """Ada and Bob, with all that they may present, and whose each text is."""

    owners: dict[str, str] = field(default_factory=dict)
    refresh_tokens: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    @property
    def tokens(self) -> list[str]:
        return [*self.owners, *self.refresh_tokens]


@pytest.fixture
def world(db: None) -> Iterator[World]:
    start_process()
    unlimited = {"token": (1_000_000, 900)}
    with override_settings(AUTHKIT={"ACCESS_TOKEN_LIFETIME": 86_400, "LIMITS": unlimited}):
        world = World()
        for name in ("ada", "bob"):
            person = make_person(name)
            callers = [sign_in(kind, person) for kind in SIGN_INS] + [personal(person)]
            for caller in callers:
                for carrier in ("token", "access"):
                    if carrier in caller.answer:
                        world.owners[caller.answer[carrier]] = str(person.pk)
                if "refresh" in caller.answer:
                    world.refresh_tokens.append(caller.refresh)
                if caller.cookie is not None:
                    world.keys[caller.cookie] = str(person.pk)
        yield world


def check(world: World, header: str, path: str) -> None:
    """Present this header, and see that the answer is right."""
    response = world.client.get(path, HTTP_AUTHORIZATION=header)
    told = f"{header!r} at {path}: {response.status_code} {response.content[:200]!r}"
    assert response.status_code < 500, told
    scheme, _, text = _taken_apart(header)
    if response.status_code == 200:
        who = response.json()["user"]
        if who is None:
            is_anybodys = path not in JUDGED_BY_OURS and scheme not in OURS
            assert not scheme or is_anybodys, f"a stranger: {told}"
        else:
            assert scheme in OURS, told
            assert world.owners.get(text) == who, f"another person, or spelling: {told}"
            assert scheme == "bearer" or text.count(".") == 0, f"a JWT after Token: {told}"
    else:
        assert response.status_code == 401, told
        assert response["WWW-Authenticate"], told
        assert response.json()["code"] in {"token_not_valid", "session_ended"}, told


def _taken_apart(header: str) -> tuple[str, str, str]:
    parts = header.split(None, 1)
    scheme = parts[0].lower() if parts else ""
    return scheme, "", parts[1] if len(parts) > 1 else ""


@pytest.mark.parametrize("seed", range(10))
def test_no_header_of_chance_and_no_damaged_token_opens_a_door(seed: int, world: World):
    random = Random(seed)  # noqa: S311 - the same on each run
    for _ in range(HEADERS // 10):
        check(world, any_header(random, world.tokens), random.choice(OPEN))


def test_no_header_that_hypothesis_comes_up_with_opens_a_door(world: World):
    latin = st.binary(max_size=300).map(lambda octets: octets.decode("latin-1"))
    schemes = st.sampled_from(
        ["", "Bearer ", "Token ", "bearer ", "TOKEN ", "Basic ", "Bearer ak_"]
    )
    jwt_like = st.lists(
        st.text(string.ascii_letters + string.digits + "-_=", max_size=60), min_size=2, max_size=5
    ).map(".".join)

    @given(schemes, latin | jwt_like | st.sampled_from(CLASSICS), st.sampled_from(OPEN))
    @example("Bearer ", "\x00", "/plain/")
    @example("", " " * 9_000 + "Bearer x", "/api/open/")
    def present(scheme: str, text: str, path: str) -> None:
        check(world, scheme + text, path)

    present()


def test_no_single_changed_character_of_a_token_is_accepted(world: World):
    """Every place of every token, with a neighbour of its alphabet and with the other case."""
    step = 1 if IS_LONG else 7
    for text in world.owners:
        for place in range(0, len(text), step):
            for other in (chr(ord(text[place]) ^ 1), text[place].swapcase()):
                if other != text[place] and other not in "\x7f\x80":
                    changed = text[:place] + other + text[place + 1 :]
                    check(world, f"Bearer {changed}", "/api/open/")


def test_no_cut_or_lengthened_token_is_accepted(world: World):
    step = 1 if IS_LONG else 11
    for text in world.owners:
        for place in range(1, len(text), step):
            for changed in (text[:place], text[place:]):
                check(world, f"Bearer {changed}", "/plain/")
        for more in ("=", "==", ".", "A", "\x00", "%00", "\x7f", ",", ";", "/", "\\", '"'):
            check(world, f"Bearer {text}{more}", "/api/open/")
            check(world, f"Bearer {more}{text}", "/plain/")


def test_what_works_in_a_header_works_as_it_is_and_nowhere_damaged_in_a_body(world: World):
    random = Random(0)  # noqa: S311
    asking = Caller(f"Bearer {next(iter(world.owners))}")
    doors: dict[str, Callable[[str], Any]] = {
        "verify": lambda text: stranger().post("/auth/jwt/verify/", {"token": text}),
        "refresh": lambda text: stranger().post("/auth/jwt/refresh/", {"refresh": text}),
        "introspect": lambda text: asking.post("/auth/introspect/", {"token": text}),
    }
    for _ in range(HEADERS // 10):
        text = any_header(random, world.tokens).partition(" ")[2]
        if text.strip() in world.tokens:
            continue
        for name, ask in doors.items():
            response = ask(text)
            told = f"{text!r} at {name}: {response.status_code} {response.content[:200]!r}"
            assert response.status_code < 500, told
            if name == "introspect" and response.status_code == 200:
                assert response.json() == {"active": False}, told
            else:
                assert response.status_code in {400, 401}, told


def test_no_session_key_of_chance_or_damaged_is_anybodys(world: World):
    random = Random(1)  # noqa: S311
    letters = string.ascii_letters + string.digits + string.punctuation.replace(";", "")
    for number in range(COOKIES):
        key = random.choice(list(world.keys))
        place = random.randrange(len(key))
        changed = random.choice(
            [
                key[:place] + random.choice(letters) + key[place + 1 :],
                key[:place],
                key[place:],
                key + random.choice(letters),
                key[::-1],
                "".join(random.choices(letters, k=random.randrange(1, 60))),
                "é" * place,
                "",
            ]
        )
        if changed.lower() in world.keys:
            continue
        path = OPEN[number % len(OPEN)]
        response = with_cookie(changed).get(path)
        assert response.status_code in {200, 401}, (changed, path)
        assert response.status_code == 401 or response.json()["user"] is None, (changed, path)


def test_signed_tokens_with_odd_claims_are_refused_or_mean_what_they_say(world: World):
    """Our key, so genuine; but nobody of us would write such claims."""
    signing = keys.ring().access_signing
    access = next(text for text in world.owners if text.count(".") == 2)
    genuine = jws.verify(access, keys.ring().access_verifying, typ="at+jwt")
    people = set(world.owners.values())
    odd = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(min_value=-(10**40), max_value=10**40),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=40),
        st.sampled_from(
            ["0", "1", "-1", "01", "+1", " 1", "1 ", "1.0", "1e0", "\u0661", "abc", "\0", ""]
        ),
        st.lists(st.integers() | st.text(max_size=5), max_size=3),
        st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
        st.sampled_from(list(people)).map(lambda pk: [pk]),
    )
    names = st.sampled_from([*sorted(genuine), "nbf", "scope", "gen", "is_staff", "crit"])

    @given(st.dictionaries(names, odd, min_size=1, max_size=3), st.sets(names, max_size=1))
    def present(changes: dict[str, Any], missing: set[str]) -> None:
        claims = {**genuine, **changes}
        for name in missing:
            claims.pop(name, None)
        try:
            text = jws.sign(claims, signing, typ="at+jwt")
        except (ValueError, TypeError):
            return  # what cannot be written cannot be presented
        for path in ("/api/open/", "/plain/", "/api/touching/"):
            response = world.client.get(path, HTTP_AUTHORIZATION=f"Bearer {text}")
            assert response.status_code in {200, 401}, (claims, path, response.content[:200])
            if response.status_code == 200:
                assert type(claims["sub"]) is str, claims
                assert response.json()["user"] == claims["sub"], claims

    for _ in range(max(1, CLAIMS // 5_000)):
        present()
