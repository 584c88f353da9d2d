"""Who has not signed in, as conditions see them: without a primary key.

Django's `AnonymousUser` has the key None, and ``Q(owner_id=None)`` would match every row
that nobody owns. Whoever asks for the key of a stranger is told that there is none: where
something would be allowed by it, nothing is.

Where something would be *denied* by it, more care is due: of "their own" a stranger has
nothing, of "what is not their own" everything. So there the condition is answered with a
key that stands for none, and each comparison with it is false. Where it does not end in a
plain comparison nobody can tell, and everything is denied.
"""

from __future__ import annotations

from typing import Any, NoReturn

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

#: Matches no row.
NOTHING = Q(pk__in=())


class NobodySignedIn(Exception):
    """A condition asked for the primary key of a stranger."""


#: What comes of asking who a stranger is, or of looking for rows with one in their place.
UNANSWERABLE = (
    NobodySignedIn,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    ValidationError,
)


class Stranger(AnonymousUser):
    """Refuses to say who they are."""

    @property
    def pk(self) -> NoReturn:  # type: ignore[override]
        """Refuse: there is none."""
        raise NobodySignedIn

    id = pk
    username = pk  # Django's is "", and rows may hold that too


class NoKey:
    """A key that no row has. It can be compared by a database, and by nobody else."""

    def __deepcopy__(self, memo: object) -> NoKey:
        """Stay what it is, wherever a `Q` is copied."""
        return self

    def _refuse(self, *_: object) -> NoReturn:
        raise NobodySignedIn

    __bool__ = __str__ = __format__ = __int__ = __index__ = __len__ = _refuse
    __iter__ = __getitem__ = __lt__ = __gt__ = __le__ = __ge__ = __add__ = __radd__ = _refuse


class Keyless(AnonymousUser):
    """Says who they are: nobody."""

    pk = id = username = NoKey()  # type: ignore[assignment]


def without_keys(found: Q) -> Q:
    """What a condition found about a `Keyless`, each comparison with their key being false.

    Raises:
        NobodySignedIn: the key stands where it is not plainly compared.
    """
    children = [_without_key(child) for child in found.children]
    return Q(*children, _connector=found.connector, _negated=found.negated)


def _without_key(child: Any) -> Any:
    if isinstance(child, Q):
        return without_keys(child)
    if not isinstance(child, tuple) or not isinstance(child[1], NoKey):
        return child
    if _is_comparison(child[0]):
        return NOTHING.copy()
    raise NobodySignedIn


def _is_comparison(look_up: str) -> bool:
    last = look_up.rpartition("__")[2]
    return last == "exact" or last not in _LOOK_UPS


_LOOK_UPS = frozenset(models.Field.class_lookups)
