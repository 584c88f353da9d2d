"""Whether an answer's time tells who has an account: sign-in, registration, reset, resend.

For each door, requests of all kinds are sent in a random order. Then each kind is held
against strangers: the area under the ROC curve (AUC) is the chance that, of one request of
each, the slower is guessed right. 0.5 is a coin; at most 0.6 is promised.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from statistics import median
from typing import TYPE_CHECKING, Any

import django

from benchmarks import project
from benchmarks.verdicts import Verdict, show

if TYPE_CHECKING:
    from benchmarks.wsgi import Application

_AT_MOST = 0.6
_RIGHT, _WRONG, _NEW = "benchmarks-2026", "a wrong password", "seven rainy tuesdays"
_MANY = 1_000_000
_LIMITED = (
    *("sign_in_to_account", "sign_in_from_address", "registration", "mail"),
    *("password_reset", "verification"),
)
_NO_MAILS = "django.core.mail.backends.dummy.EmailBackend"
_OVERRIDDEN: dict[str, Any] = {
    "PASSWORD_HASHERS": [
        "authkit.hashers.Argon2idPasswordHasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ],
    "AUTHENTICATION_BACKENDS": ["authkit.backends.AuthkitBackend"],
    # No request of the measurement is one too many, but for those that are to be.
    "AUTHKIT": {"LIMITS": dict.fromkeys(_LIMITED, (_MANY, 900))},
    **(
        {"MAILERS": {"default": {"BACKEND": _NO_MAILS}}}
        if django.VERSION >= (6, 1)
        else {"EMAIL_BACKEND": _NO_MAILS}
    ),
    "TEMPLATES": [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
}

#: A kind of request: its path and its body, made anew each time.
Kinds = dict[str, Callable[[], tuple[str, dict[str, str]]]]


def benchmark(options: argparse.Namespace) -> project.Report:
    """Measure, print the tables, and return the figures."""
    from django.test import override_settings  # noqa: PLC0415 - Django is set up by now

    from benchmarks.wsgi import Application  # noqa: PLC0415

    verdicts, figures = [], {}
    with override_settings(**_OVERRIDDEN):
        _make_people()
        application = Application("authkit")
        for door, kinds in _doors().items():
            if options.door in (None, door):
                found = _measure(application, kinds, options.rounds)
                figures[door] = {name: round(median(times), 3) for name, times in found.items()}
                verdicts += _verdicts(door, found)
    show(verdicts)
    return {
        "rounds": options.rounds,
        "milliseconds": figures,
        "verdicts": [verdict.as_dict() for verdict in verdicts],
    }


def auc(some: list[float], others: list[float]) -> float:
    """The chance to tell which is which of two, at best; ties count half (Mann and Whitney)."""
    wins = sum((a > b) + (a == b) / 2 for a in some for b in others)
    area = wins / (len(some) * len(others))
    return max(area, 1 - area)


def _lock(scope: Any, text: str) -> None:
    """Let so many have failed that no more are looked at."""
    from django.utils import timezone  # noqa: PLC0415

    from authkit.accounts import throttle  # noqa: PLC0415
    from authkit.kernel.limits import Limit  # noqa: PLC0415
    from authkit.models import Throttle  # noqa: PLC0415

    now, day = timezone.now(), timedelta(days=1)
    digest = throttle.Counted(scope, text, Limit(_MANY, day)).digest
    Throttle.objects.create(
        digest=digest, scope=scope, failed=_MANY, since=now, locked_at=now, ends_at=now + day
    )


def _make_people() -> None:
    from django.contrib.auth.hashers import make_password  # noqa: PLC0415
    from django.contrib.auth.models import User  # noqa: PLC0415

    from authkit.accounts import throttle  # noqa: PLC0415

    weak = "argon2$argon2id$v=19$m=1024,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43
    User.objects.create_user("known", "known@example.com", _RIGHT)
    User.objects.create_user("inactive", "inactive@example.com", _RIGHT, is_active=False)
    User.objects.create_user("unusable", "unusable@example.com")
    old = make_password(_RIGHT, hasher="pbkdf2_sha256")
    locked = User.objects.create_user("locked", "locked@example.com", _RIGHT)
    User.objects.create_user("known-locked", "known-locked@example.com", _RIGHT)
    _lock(throttle.Scope.PERSON, f"person {locked.pk}")
    for name in ("nobody-locked", "known-locked"):
        _lock(throttle.Scope.NAME, name)
    User.objects.create(username="old", email="old@example.com", password=old)
    User.objects.create(username="weak", email="weak@example.com", password=weak)


def _doors() -> dict[str, Kinds]:
    numbers = count()

    def sign_in(name: str, password: str) -> Callable[[], tuple[str, dict[str, str]]]:
        return lambda: ("/auth/token/", {"username": name, "password": password})

    def address(path: str, name: str) -> Callable[[], tuple[str, dict[str, str]]]:
        return lambda: (path, {"email": f"{name}@example.com"})

    def register(known: str) -> Callable[[], tuple[str, dict[str, str]]]:
        def make() -> tuple[str, dict[str, str]]:
            number = next(numbers)
            email = known or f"new{number}@example.com"
            body = {"username": f"somebody{number}", "email": email, "password": _NEW}
            return "/auth/register/", body

        return make

    reset, resend = "/auth/password/reset/", "/auth/email/verify/resend/"
    return {
        "sign-in": {
            "stranger": sign_in("stranger", _WRONG),
            "wrong password": sign_in("known", _WRONG),
            "wrong password, by address": sign_in("known@example.com", _WRONG),
            "inactive, right password": sign_in("inactive", _RIGHT),
            "inactive, wrong password": sign_in("inactive", _WRONG),
            "without a password": sign_in("unusable", _WRONG),
            "locked by another of their names": sign_in("locked", _RIGHT),
            "old hash (PBKDF2)": sign_in("old", _WRONG),
            "weak hash (Argon2id, 1 MiB)": sign_in("weak", _WRONG),
        },
        "locked": {  # 429, and so apart from the others
            "stranger": sign_in("nobody-locked", _WRONG),
            "known": sign_in("known-locked", _WRONG),
            "known, right password": sign_in("known-locked", _RIGHT),
        },
        "register": {"stranger": register(""), "known": register("known@example.com")},
        "reset": {
            "stranger": address(reset, "stranger"),
            "known": address(reset, "known"),
            "inactive": address(reset, "inactive"),
            "without a password": address(reset, "unusable"),
        },
        "resend": {"stranger": address(resend, "stranger"), "known": address(resend, "known")},
    }


def _measure(application: Application, kinds: Kinds, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each kind; the first request of a process, which gauges, aside."""
    found: dict[str, list[float]] = defaultdict(list)
    for name in ["stranger", *_in_any_order(kinds, rounds)]:
        found[name].append(_time_of(application, *kinds[name]()))
    del found["stranger"][0]
    return found


def _in_any_order(kinds: Kinds, rounds: int) -> Iterator[str]:
    names = list(kinds) * rounds
    random.shuffle(names)
    return iter(names)


def _time_of(application: Application, path: str, body: dict[str, str]) -> float:
    from benchmarks.wsgi import environ  # noqa: PLC0415

    # Each comes from somewhere else: so many from one address would be too many.
    address = f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)}"
    request = environ(path, data=body, REMOTE_ADDR=address)
    began = time.perf_counter_ns()
    answer = application(request)
    took = (time.perf_counter_ns() - began) / 1_000_000
    if answer.status[:3] not in {"401", "201", "204", "429"}:
        raise RuntimeError(f"{answer.status} {answer.body[:300]!r}")
    return took


def _verdicts(door: str, found: dict[str, list[float]]) -> list[Verdict]:
    print(f"\n{door + ', milliseconds':40} {'median':>8} {'AUC':>6}")
    verdicts = []
    for name, times in found.items():
        area = auc(times, found["stranger"]) if name != "stranger" else 0.5
        print(f"{name:40} {median(times):8.2f} {area:6.3f}")
        if name != "stranger":
            verdicts.append(Verdict(f"{door}: {name}, against strangers (AUC)", area, _AT_MOST))
    return verdicts


def main() -> None:
    parser = project.command_line(__doc__, rounds=200)
    parser.add_argument("--door", choices=["sign-in", "locked", "register", "reset", "resend"])
    project.run("benchmarks.same_time", parser.parse_args(), benchmark)


if __name__ == "__main__":
    main()
