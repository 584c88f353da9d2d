"""Who is measured in authentication.py: authkit in each of its ways, and its peers."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from functools import lru_cache
from typing import Any, ClassVar

import knox.auth
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import override_settings
from django.utils import timezone
from knox.models import AuthToken
from rest_framework import authentication as drf
from rest_framework.authtoken.models import Token
from rest_framework_simplejwt import authentication as simplejwt
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, BlacklistMixin

from authkit import authentication as authkit
from authkit import conf, cookies, sessions, tokens
from authkit.jwt import keys, verify
from authkit.jwt.tokens import mint_pair
from authkit.kernel.keys import SigningKey, prepare
from authkit.models import UserSession
from benchmarks.keys import MATERIAL
from benchmarks.people import store_django_session
from benchmarks.rounds import Contender
from benchmarks.views import CLASSES
from benchmarks.wsgi import STACKS, Application, Environ, environ

ASYMMETRIC = ("EdDSA", "ES256", "RS256")
Around = Callable[[], AbstractContextManager[object]]


def everyone(person: User, *, unseen: int) -> list[Contender]:
    """All contenders; `unseen` tokens of each algorithm are minted for those who need new ones."""
    field = _Field()
    field.add_nobody("no authentication", "bare")
    field.add_nobody("no authentication, Django's session middleware", "django")
    _add_peers(field, person, unseen)
    _add_authkit(field, person, unseen)
    return field.contenders


class _Field:
    def __init__(self) -> None:
        self.contenders: list[Contender] = []
        self._applications = {stack: Application(stack) for stack in STACKS}
        self._nobody: dict[str, Contender] = {}

    def add(
        self,
        name: str,
        kinds: tuple[type, ...] = (),
        *,
        bearer: str = "",
        header: str = "",
        cookie: str = "",
        tokens: Iterator[str] | None = None,
        stack: str = "bare",
        around: Around = nullcontext,
    ) -> None:
        """Somebody with one header or cookie, or with the next of `tokens` each time."""
        header = header or (f"Bearer {bearer}" if bearer else "")
        headers = {"Authorization": header} if header else {}
        if cookie:
            headers["Cookie"] = f"sessionid={cookie}"
        request = environ(headers=headers, **{CLASSES: kinds})

        def prepare() -> Environ:
            if tokens is None:
                return request.copy()
            return {**request, "HTTP_AUTHORIZATION": "Bearer " + next(tokens)}

        self.contenders.append(
            Contender(
                name,
                self._applications[stack],
                prepare,
                baseline=self._nobody.get("bare" if stack == "bare" else "django"),
                around=around,
            )
        )

    def add_nobody(self, name: str, stack: str) -> None:
        """The request without authentication, from which the others are told apart."""
        self.add(name, stack=stack)
        self._nobody[stack] = self.contenders[-1]


def _add_peers(field: _Field, person: User, unseen: int) -> None:
    drf_token = Token.objects.create(user=person).key
    field.add("DRF token", (drf.TokenAuthentication,), header=f"Token {drf_token}")

    knox_token = AuthToken.objects.create(user=person)[1]
    kinds = (knox.auth.TokenAuthentication,)
    field.add("knox", kinds, header=f"Token {knox_token}")
    field.add("knox, AUTO_REFRESH", kinds, header=f"Token {knox_token}", around=_refreshing_knox)

    access = str(AccessToken.for_user(person))
    field.add("simplejwt with user", (simplejwt.JWTAuthentication,), bearer=access)
    kinds = (simplejwt.JWTStatelessUserAuthentication,)
    field.add("simplejwt stateless", kinds, bearer=access)
    new = _new_of_simplejwt(AccessToken, person, unseen)
    field.add("simplejwt stateless, never seen, HS256", kinds, tokens=new)
    field.add("simplejwt stateless, blacklist", (SimplejwtWithBlacklist,), bearer=access)
    for alg, kind in SIMPLEJWT_ASYMMETRIC.items():
        text = str(kind.takes.for_user(person))
        field.add(f"simplejwt stateless, {alg}", (kind,), bearer=text)
        new = _new_of_simplejwt(kind.takes, person, unseen)
        field.add(f"simplejwt stateless, never seen, {alg}", (kind,), tokens=new)

    cookie = store_django_session(person)
    kinds = (drf.SessionAuthentication,)
    field.add("Django database session", kinds, cookie=cookie, stack="django")


def _add_authkit(field: _Field, person: User, unseen: int) -> None:
    now = timezone.now()
    session = sessions.start(person, "token", now=now)
    token = tokens.issue_for(session, now=now).text
    field.add("authkit token", (authkit.TokenAuthentication,), bearer=token)

    minted = _Mint(person, unseen)
    _fill_cache(minted)
    kinds = (authkit.JWTAuthentication,)
    access = minted.seen
    field.add("authkit JWT, seen before", kinds, bearer=access)
    field.add("authkit JWT, stateless", kinds, bearer=access, around=_mode("stateless"))
    field.add("authkit JWT, stateful", kinds, bearer=access, around=_mode("stateful"))
    field.add("authkit JWT, MAX_STALENESS 0", kinds, bearer=access, around=_never_stale)
    for alg in MATERIAL:
        field.add(f"authkit JWT, never seen, {alg}", kinds, tokens=minted.new(alg))

    cookie = _sign_in_with_cookie(person)
    kinds = (authkit.SessionAuthentication,)
    field.add("authkit session", kinds, cookie=cookie, stack="django")

    every_way = (
        authkit.JWTAuthentication,
        authkit.TokenAuthentication,
        authkit.SessionAuthentication,
    )
    behind = "authkit with its middleware: "
    field.add(behind + "nobody", every_way, stack="authkit")
    field.add(behind + "token", every_way, bearer=token, stack="authkit")
    field.add(behind + "JWT, seen before", every_way, bearer=access, stack="authkit")
    field.add(behind + "session", every_way, cookie=cookie, stack="authkit")


# Peers


class BlacklistedAccessToken(BlacklistMixin[AccessToken], AccessToken):
    """An access token that asks for its id in the blacklist, as refresh tokens do."""


class _SimplejwtOfOneKind(simplejwt.JWTStatelessUserAuthentication):
    """The same method as its parent's, which has its kinds of token from the settings."""

    takes: ClassVar[type[AccessToken]]

    def get_validated_token(self, raw_token: bytes) -> Any:
        for kind in (self.takes,):
            try:
                return kind(raw_token)
            except TokenError as error:
                raise simplejwt.InvalidToken(str(error)) from error
        return None


class SimplejwtWithBlacklist(_SimplejwtOfOneKind):
    takes = BlacklistedAccessToken


class _AnyAlgorithm(TokenBackend):
    """simplejwt's list of algorithms lacks EdDSA; PyJWT beneath it can do it."""

    def _validate_algorithm(self, algorithm: str) -> None:
        return


def _simplejwt_with(alg: str) -> type[_SimplejwtOfOneKind]:
    pair = MATERIAL[alg]
    backend = _AnyAlgorithm(alg, pair.private, pair.public)
    token = type(f"{alg}AccessToken", (AccessToken,), {"_token_backend": backend})
    return type(f"Simplejwt{alg}", (_SimplejwtOfOneKind,), {"takes": token})


SIMPLEJWT_ASYMMETRIC = {alg: _simplejwt_with(alg) for alg in ASYMMETRIC}


def _new_of_simplejwt(kind: type[AccessToken], person: User, count: int) -> Iterator[str]:
    """So many tokens, each with an id and a signature of its own."""
    return iter([str(kind.for_user(person)) for _ in range(count)])


def _refreshing_knox() -> AbstractContextManager[object]:
    return override_settings(REST_KNOX={"AUTO_REFRESH": True})


# authkit


class _Mint:
    """Access tokens of one person, each of another session."""

    def __init__(self, person: User, unseen: int) -> None:
        self._person = person
        self._unseen = unseen
        self._session = sessions.start(person, "jwt", now=timezone.now())
        self.seen = self._pair(1, "HS256")
        self._numbers = itertools.count(2)

    def new(self, alg: str, count: int | None = None) -> Iterator[str]:
        """So many tokens, minted before the first of them is needed."""
        numbers = itertools.islice(self._numbers, count or self._unseen)
        return iter([self._pair(number, alg) for number in numbers])

    def _pair(self, generation: int, alg: str) -> str:
        ring = dataclasses.replace(keys.ring(), access_signing=_signing(alg))
        self._session.generation = generation
        return mint_pair(self._session, self._person, ring=ring).access


@lru_cache
def _signing(alg: str) -> SigningKey | None:
    return prepare(alg, MATERIAL[alg].private).signing


def _fill_cache(minted: _Mint) -> None:
    """A process that has worked for a while remembers as many tokens as it may."""
    now = timezone.now().timestamp()
    for text in minted.new("HS256", verify.REMEMBERED):
        verify.verify_access(text, now=now)


def _mode(mode: str) -> Around:
    return lambda: _settings(jwt_revocation=mode)


def _never_stale() -> AbstractContextManager[object]:
    return _settings(max_staleness=timedelta(0))


@contextmanager
def _settings(**changed: Any) -> Iterator[None]:
    """Other settings for a batch. `override_settings` would also forget keys and tokens."""
    usual = conf.get
    settings = dataclasses.replace(usual(), **changed)
    conf.get = lambda: settings
    try:
        yield
    finally:
        conf.get = usual


def _sign_in_with_cookie(person: User) -> str:
    request = HttpRequest()
    request.session = SessionStore()
    login(request, person, backend="authkit.backends.AuthkitBackend")
    request.session.save()
    digest = cookies.digest_of(request.session.session_key)
    if not UserSession.objects.filter(cookie_digest=digest).exists():
        raise RuntimeError("the sign-in has no UserSession")
    return str(request.session.session_key)
