"""Who is acting: the person whose access bounds what may be given and changed.

Within a request it is the person who makes it. A command or an import names one with
``with acting.as_person(user):``. In a shell, a migration, a management command and a
request of nobody, no one is acting and nothing is guarded. A project whose own code must
give what the person before it does not hold (a purchase that ends in a group, say), or
write rows that they may not, says so with ``with acting.as_system():``.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from authkit.kernel.client import NOBODY, Client


@dataclass(frozen=True, slots=True)
class Actor:
    """A person who is acting.

    Attributes:
        person: the user.
        client: from where.
        session_id: by which sign-in.
        remembered: what was worked out about them before they began to change things.
        is_impersonated: whether an administrator acts in their name.
    """

    person: Any
    client: Client = NOBODY
    session_id: UUID | None = None
    remembered: dict[Any, Any] = field(default_factory=dict)
    is_impersonated: bool = False


Find = Callable[[], Actor | None]


def current() -> Actor | None:
    """Who is acting, if anybody is."""
    find = _acting.get()
    return None if find is None else find()


@contextmanager
def as_person(person: Any, client: Client = NOBODY) -> Iterator[None]:
    """What is changed within is this person's deed."""
    actor = Actor(person, client)
    with found_by(lambda: actor):
        yield


@contextmanager
def as_system() -> Iterator[None]:
    """What is changed within is nobody's deed: the project's own code answers for it."""
    with found_by(_nobody):
        yield


def is_system() -> bool:
    """Whether what is changed now is for the project's own code to answer for."""
    return _acting.get() is _nobody


def _nobody() -> None:
    return None


@contextmanager
def found_by(find: Find) -> Iterator[None]:
    """What is changed within is the deed of whom `find` names when it is asked."""
    token = begin(find)
    try:
        yield
    finally:
        end(token)


def begin(find: Find) -> contextvars.Token[Find | None]:
    """From now on `find` names who is acting; until `end` is called with what this returns."""
    return _acting.set(find)


def end(token: contextvars.Token[Find | None]) -> None:
    """Whoever was acting before is so again."""
    _acting.reset(token)


_acting: contextvars.ContextVar[Find | None] = contextvars.ContextVar(
    "authkit_acting", default=None
)
