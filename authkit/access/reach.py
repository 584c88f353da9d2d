"""Which rows are within the reach of a conditional decision."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models

from authkit.access import objects
from authkit.kernel.decision import Decision
from authkit.models.kinds import every_row

#: As many rows are looked at in one query.
_AT_A_TIME = 500


def is_beyond(
    decision: Decision, user: Any, model: type[models.Model], using: str | None, keys: Iterable[Any]
) -> bool:
    """Whether one of these rows is stored, and not among those for which was decided."""
    every = list(keys)
    return any(
        _is_some_beyond(decision, user, every_row(model, using).filter(pk__in=some))
        for some in (
            every[start : start + _AT_A_TIME] for start in range(0, len(every), _AT_A_TIME)
        )
    )


def _is_some_beyond(decision: Decision, user: Any, rows: models.QuerySet[Any]) -> bool:
    within = objects.visible_by(decision, rows, user).order_by().values("pk")
    return rows.exclude(pk__in=within).exists()
