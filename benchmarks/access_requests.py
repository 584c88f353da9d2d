"""Who is measured in access.py: the same request, with each permission class."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework import authentication as drf
from rest_framework.authtoken.models import Token
from rest_framework.permissions import IsAuthenticated
from rolepermissions.roles import assign_role

from authkit import authentication as authkit
from authkit import freshness, sessions, tokens
from authkit.access import policies
from authkit.access.loading import Policy
from authkit.jwt.tokens import mint_pair
from authkit.permissions import EndpointPermission
from benchmarks.contenders import Around, _sign_in_with_cookie
from benchmarks.papers import peers
from benchmarks.papers.views import PERMISSION
from benchmarks.rounds import Contender
from benchmarks.views import CLASSES
from benchmarks.wsgi import Application, environ

Compiled = dict[str, Policy]


def everyone(person: User, compiled: Compiled) -> list[Contender]:
    """Authkit with each policy and by each credential, and its peers; each over its baseline."""
    found = []
    applications = {stack: Application(stack) for stack in ("bare", "django", "authkit")}
    for kind, (classes, headers, stack) in _credentials(person).items():
        is_peers = kind == "DRF token"
        ask = partial(_contender, classes, headers)
        application = applications[stack]
        baseline = ask(f"IsAuthenticated, {kind}", application, IsAuthenticated)
        found.append(baseline)
        if is_peers:
            assign_role(person, peers.Reader)
            found += [ask(name, application, its, baseline) for name, its in _PEERS.items()]
            continue
        for size in compiled:
            around = partial(deciding_by, compiled[size])
            name = f"authkit {kind}, {size}"
            found.append(ask(name, application, EndpointPermission, baseline, around))
        behind, whole = applications["authkit"], f"authkit {kind}, with its middleware"
        found.append(ask(whole, behind, None, baseline, path="governed"))
    return found


@contextmanager
def deciding_by(policy: Policy) -> Iterator[None]:
    """What this process has compiled is this, as new as what it has heard of."""
    before = policies._shelf.policy
    number = freshness.heard() or 0
    policies._shelf.policy = replace(policy, revision=replace(policy.revision, number=number))
    try:
        yield
    finally:
        policies._shelf.policy = before


_PEERS = {
    "role-permissions has_role": peers.HasRole,
    "drf-access-policy": peers.PaperAccessPolicy,
    "casbin, 10 policies": peers.CasbinOf10,
    "casbin, 10,000 policies": peers.CasbinOf10000,
}


def _contender(
    classes: tuple[type, ...],
    headers: dict[str, str],
    name: str,
    application: Application,
    permission: type | None,
    baseline: Contender | None = None,
    around: Around = nullcontext,
    *,
    path: str = "list",
) -> Contender:
    more: dict[str, Any] = {CLASSES: classes, PERMISSION: permission}
    request = environ(f"/papers/{path}/", headers=headers, **more)
    return Contender(name, application, request.copy, baseline, around=around)


def _credentials(person: User) -> dict[str, tuple[tuple[type, ...], dict[str, str], str]]:
    now = timezone.now()
    token = tokens.issue_for(sessions.start(person, "token", now=now), now=now).text
    access = mint_pair(sessions.start(person, "jwt", now=now), person).access
    cookie = _sign_in_with_cookie(person)
    theirs = Token.objects.create(user=person).key
    return {
        "JWT": ((authkit.JWTAuthentication,), {"Authorization": f"Bearer {access}"}, "bare"),
        "token": ((authkit.TokenAuthentication,), {"Authorization": f"Bearer {token}"}, "bare"),
        "session": ((authkit.SessionAuthentication,), {"Cookie": f"sessionid={cookie}"}, "django"),
        "DRF token": ((drf.TokenAuthentication,), {"Authorization": f"Token {theirs}"}, "bare"),
    }
