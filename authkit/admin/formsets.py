"""Rows on the page of another row: not more of them at once than a page can draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.forms import BaseInlineFormSet

if TYPE_CHECKING:
    InlineFormSet = BaseInlineFormSet[Any, Any, Any]
else:
    InlineFormSet = BaseInlineFormSet

#: So many may be added at once. Django takes 2,000, and draws them all if one has a fault: with
#: choices to look up for each that keeps a worker busy for minutes.
ADDED_AT_MOST = 100


class BoundedFormSet(InlineFormSet):
    """Takes those that are stored, and so many new ones; says so where there are more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Count what is stored, not what the request says of it."""
        super().__init__(*args, **kwargs)
        if self.is_bound:
            self.max_num = self.absolute_max = len(self.get_queryset()) + ADDED_AT_MOST
