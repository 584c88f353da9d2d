"""Which objects came out of a filtered queryset, so that nobody asks about them again.

`retrieve` filters the queryset and then checks the object that it found there. Both ask
for the same condition. Not every object that is checked came that way: a view may look
elsewhere, or widen the queryset with ``|`` or `union()`. So the filter leaves a node among
the conditions of the query, and an object is noted only while that node still stands
beside all others, where nothing can get around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models
from django.db.models import QuerySet
from django.db.models.query import ModelIterable
from django.http import HttpRequest

from authkit.kernel.decision import Conditions

if TYPE_CHECKING:
    _Rows = ModelIterable[Any]
else:
    _Rows = ModelIterable

M = TypeVar("M", bound=models.Model)

_SEEN = "_authkit_seen"
_REQUEST = "_authkit_sighting"


class SeenBy:
    """A condition that every row meets.

    Attributes:
        request: what stands for the one during which the query is run; what is noted is
            good for it alone.
        its: the conditions that stand beside it.
    """

    contains_aggregate = False
    contains_over_clause = False

    def __init__(self, request: object, its: Conditions) -> None:
        """Keep what it stands for."""
        self.request = request
        self.its = its

    def as_sql(self, compiler: object = None, connection: object = None) -> tuple[str, list[Any]]:
        """Say nothing."""
        return "", []

    def get_refs(self) -> set[str]:
        """Refer to no alias."""
        return set()


class _Noting(_Rows):
    def __iter__(self) -> Iterator[Any]:
        query = self.queryset.query
        where = query.where
        is_plain = query.combinator is None and where.connector == "AND" and not where.negated
        nodes = [node for node in where.children if isinstance(node, SeenBy)] if is_plain else []
        for obj in super().__iter__():
            obj.__dict__[_SEEN] = [(node.request, node.its, obj.pk) for node in nodes]
            yield obj


def noting(rows: QuerySet[M], request: HttpRequest, its: Conditions | None) -> QuerySet[M]:
    """A queryset that has been filtered by these conditions, and notes so on its objects."""
    query: Any = rows
    if its is None or query._iterable_class is not ModelIterable or query.query.is_sliced:
        return rows
    noted = query._chain()
    noted._iterable_class = _Noting
    noted.query.where.add(SeenBy(_sign_of(request), its), "AND")
    found: QuerySet[M] = noted
    return found


def has_seen(obj: Any, request: HttpRequest, its: Conditions | None) -> bool:
    """Whether this object came out of such a queryset, during this request."""
    seen = getattr(obj, "__dict__", {}).get(_SEEN, ())
    sign = _sign_of(request)
    return any(r is sign and i == its and pk == obj.pk for r, i, pk in seen)


def _sign_of(request: HttpRequest) -> object:
    """What stands for a request: an object may be kept, or pickled, and a request may not."""
    return request.__dict__.setdefault(_REQUEST, object())
