"""Lists of rows, and what a made-up address asks of them: a clear refusal, no failure.

The admin site hands whatever stands in a URL to the database, which finds out too late that
it is a year that no calendar has, or a text that no column holds.
"""

from __future__ import annotations

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist
from django.db import DataError, NotSupportedError
from django.db.models import Model
from django.http import HttpRequest

_IMPOSSIBLE = (DataError, NotSupportedError, OverflowError, ValueError)
_PATTERNS = frozenset({"regex", "iregex"})


class List(ChangeList):
    """A list that takes what cannot be asked for a mistake of whoever asks."""

    def get_results(self, request: HttpRequest) -> None:
        """Read a page."""
        try:
            self.read(request)
        except _IMPOSSIBLE as error:
            if not self.get_filters_params():
                raise
            raise IncorrectLookupParameters(error) from error

    def read(self, request: HttpRequest) -> None:
        """Do it."""
        super().get_results(request)


def leads_away(model: type[Model], lookup: str) -> bool:
    """Whether a URL narrows by rows of another table that point here: tokens, keys, sessions.

    Django lets it, as far as their primary keys and whether there are any. Who may see the
    rows of this list need not be one who may see those.
    """
    try:
        field = model._meta.get_field(lookup.partition("__")[0])
    except FieldDoesNotExist:
        return False
    return field.auto_created and not field.concrete


def is_pattern(lookup: str) -> bool:
    """Whether a URL narrows by a regular expression: it may be none, or take for ever."""
    return not _PATTERNS.isdisjoint(lookup.split("__"))
