"""What becomes of a row that means nothing without another one."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.deletion import Collector


def go_along(
    collector: Collector, field: models.ForeignKey[Any, Any], rows: Any, using: str
) -> None:
    """Remove rows with the one that they point to; an `on_delete`.

    Where a database checks each statement for itself (MariaDB and MySQL), Django's CASCADE
    first empties a column that may be empty. A row of which exactly one column may be empty
    bears no such moment, so here it goes before what it points to.
    """
    collector.collect(
        rows,
        source=field.remote_field.model,
        source_attr=field.name,
        nullable=False,
        fail_on_restricted=False,
    )
