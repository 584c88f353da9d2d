"""Find people among a million: by what an index answers.

On a small site Django's search looks everywhere, as always. Where there are more people
than `MANY`, it would read all of them for each word, so there a whole name or address is
looked up by its digest, and the beginning of a name along the index of its column. Whoever
wants to look everywhere all the same writes an asterisk in front.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from authkit.accounts import identify, names
from authkit.admin.base import names_of_people
from authkit.kernel.names import canonical, digest_of, normal
from authkit.models import SignInName

#: So many rows are counted, and shown page by page; past that a list has to be narrowed.
MANY = 10_000
EVERYWHERE = "*"
HELP = _(
    "The whole e-mail address, or how a name begins. With * in front: anywhere in it, which"
    " takes longer."
)


def has_many(request: HttpRequest, model: Any) -> bool:
    """Whether there are more people than one looks through; asked once for a request."""
    known: dict[Any, bool] = request.__dict__.setdefault("_authkit_has_many", {})
    if model not in known:
        rows = model._default_manager.order_by().values("pk")
        known[model] = rows[: MANY + 1].count() > MANY
    return known[model]


def by_index(queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
    """Whom an index finds under this name or address, or under the beginning of one."""
    if not identify.is_possible(term):
        return queryset.none()
    digests = [digest_of(kind, term) for kind in names.fields()]
    named = SignInName.objects.filter(digest__in=digests, user__isnull=False)
    keys = list(named.values_list("user", flat=True)[:MANY])
    texts = {normal(term), canonical(term)}
    found = Q(pk__in=keys or _unwritten(texts))
    for text in texts:
        for name in names_of_people():
            if is_indexed(get_user_model(), name):
                found |= _begins(queryset, name, text)
    return queryset.filter(found)


def _unwritten(texts: set[str]) -> list[Any]:
    """Accounts with this address that were written past the model, so that no digest is known.

    They are looked for in one go through the table and not in the order of the list, for
    which SQLite would fetch a million rows one by one.
    """
    model: Any = get_user_model()
    address = names.fields().get(names.EMAIL)
    if address is None or is_indexed(model, address) or not any("@" in text for text in texts):
        return []
    rows = model._default_manager.filter(**{f"{address}__in": texts}).order_by()
    return list(rows.values_list("pk", flat=True)[:MANY])


def is_indexed(model: Any, name: str) -> bool:
    """Whether an index begins with this column."""
    field = model._meta.get_field(name)
    if field.primary_key or field.unique or field.db_index:
        return True
    together = [*model._meta.unique_together, *(index.fields for index in model._meta.indexes)]
    return any(columns and columns[0].lstrip("-") == name for columns in together)


def _begins(queryset: QuerySet[Any], name: str, text: str) -> Q:
    """As each database can ask its index."""
    vendor = connections[queryset.db].vendor
    if vendor == "mysql":
        return Q(**{f"{name}__istartswith": text})
    if vendor != "sqlite" or ord(text[-1]) >= 0xD7FF:
        return Q(**{f"{name}__startswith": text})
    after = text[:-1] + chr(ord(text[-1]) + 1)  # SQLite knows no index for LIKE
    return Q(**{f"{name}__gte": text, f"{name}__lt": after})
